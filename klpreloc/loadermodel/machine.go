// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"debug/elf"
	"errors"
	"fmt"
)

// Machine is a kernel with a livepatch module in its memory.
type Machine struct {
	*image
	s       Scenario
	present map[string]bool // patched modules that are loaded
	up      bool            // the module is loaded, and the file is gone

	// Log has what was written, in order: place, and symbol, alternative or paravirt.
	Log []string

	// Warnings has what the kernel complained about, and went on.
	Warnings []string

	// JumpLabels are the entries of __jump_table as they were at load time.
	JumpLabels []JumpLabel
}

func (m *Machine) tell(format string, a ...any) {
	m.Log = append(m.Log, fmt.Sprintf(format, a...))
}

// loaded says whether an object is there.
func (m *Machine) loaded(object string) bool {
	if object == "vmlinux" || !m.s.patches(object) {
		_, exists := m.s.Kernel.Objects[object]
		return exists
	}
	return m.present[object]
}

// Load loads a module as the scenario's kernel does, up to and with klp_enable_patch. The
// patched modules are there if the scenario has them before the patch; the
// others are loaded by [Machine.Coming]. An error is a [*Refused] or an [*Oops], or says that
// the file is not a module.
func Load(module []byte, s Scenario) (*Machine, error) {
	m, err := lay(module, s)
	if err != nil {
		return nil, err
	}
	if s.When == Before {
		for _, object := range s.Patched {
			m.present[object] = true
		}
	}
	if err := m.load(); err != nil {
		return nil, err
	}
	return m, nil
}

func lay(module []byte, s Scenario) (*Machine, error) {
	im, err := readImage(module)
	if err != nil {
		return nil, err
	}
	return &Machine{image: im, s: s, present: make(map[string]bool)}, nil
}

func (m *Machine) load() error {
	if err := m.simplify(m.s.Kernel.Exports, func(symbol) bool { return false }); err != nil {
		return err
	}

	// apply_relocations
	for _, s := range m.sections {
		if !m.relocates(s) {
			continue
		}
		if s.flags&relaLivepatch == 0 {
			if err := m.applyRelocateAdd(s); err != nil {
				return err
			}
		} else if m.s.Scheme.Early {
			if err := m.applyKlp(s, "vmlinux"); err != nil {
				return err
			}
		}
	}

	// module_finalize, then the notifiers
	if err := m.finalize(nil, nil); err != nil {
		return err
	}
	if err := m.jumpLabels(); err != nil {
		return err
	}

	// add_sect_attrs
	seen := make(map[string]bool)
	for _, s := range m.sections {
		if !s.alloc() || len(s.data) == 0 {
			continue
		}
		if seen[s.name] {
			message := fmt.Sprintf("sysfs: cannot create duplicate filename '/module/%s/sections/%s'",
				m.name, s.name)
			if m.s.Scheme.UniqueSections {
				return refuse(eexist, "%s", message)
			}
			m.Warnings = append(m.Warnings, message)
		}
		seen[s.name] = true
	}

	// klp_enable_patch
	m.up = true
	if len(m.s.Patched) > 0 && !m.live {
		return refuse(einval, "module %s is not marked as a livepatch module", m.name)
	}
	for _, object := range m.s.Patched {
		if m.loaded(object) {
			if err := m.initObject(object); err != nil {
				return err
			}
		}
	}
	return nil
}

// relocates says whether the loader looks at a section's relocations.
func (m *Machine) relocates(s *section) bool {
	return s.typ == elf.SHT_RELA && int(s.info) < len(m.sections) && m.sections[s.info].alloc()
}

// finalize is what module_finalize does to code.
func (m *Machine) finalize(skipAlternative func(alternative) bool, skipParavirt func(paravirt) bool,
) error {
	alternatives := func() error {
		return m.applyAlternatives(m.last(".altinstructions"), skipAlternative)
	}
	paravirt := func() error {
		return m.applyParavirt(m.last(".parainstructions"), skipParavirt)
	}
	if m.s.Scheme.ParavirtFirst {
		return errors.Join(paravirt(), alternatives())
	}
	return errors.Join(alternatives(), paravirt())
}

// initObject is klp_init_object_loaded: the object's klp relocations, then, in the
// old scheme, arch_klp_init_object_loaded of arch/x86/kernel/livepatch.c.
func (m *Machine) initObject(object string) error {
	if m.s.Scheme.Early && object == "vmlinux" {
		return nil // the loader has done it
	}
	for _, s := range m.sections {
		if s.flags&relaLivepatch != 0 {
			if err := m.applyKlp(s, object); err != nil {
				return err
			}
		}
	}
	if m.s.Scheme.Early {
		return nil
	}
	tables := make(map[string]*section)
	for _, s := range m.sections {
		if of, kind, ok := archSection(s.name); ok && of == object {
			tables[kind] = s // the last of each kind
		}
	}
	for _, s := range tables {
		if !s.alloc() {
			return oops("BUG: unable to handle page fault: %s was freed after loading", s.name)
		}
	}
	if err := m.applyAlternatives(tables[".altinstructions"], nil); err != nil {
		return err
	}
	return m.applyParavirt(tables[".parainstructions"], nil)
}

// Coming loads a module after the patch (klp_module_coming). An error means that this
// module is kept out.
func (m *Machine) Coming(object string) error {
	m.present[object] = true
	if !m.s.patches(object) {
		return nil
	}
	err := m.initObject(object)
	if refused := (*Refused)(nil); errors.As(err, &refused) {
		delete(m.present, object)
		refused.Messages = append(refused.Messages,
			fmt.Sprintf("failed to initialize patch '%s' for module '%s' (-%d)", m.name, object,
				refused.Errno),
			fmt.Sprintf("patch '%s' failed for module '%s', refusing to load module '%s'", m.name,
				object, object))
	}
	return err
}

// Going unloads a module (klp_module_going).
func (m *Machine) Going(object string) {
	delete(m.present, object)
	if !m.s.Scheme.Clears || !m.s.patches(object) {
		return
	}
	for _, s := range m.sections {
		if of, err := sectionObject(s.name); err == nil && of == object && s.flags&relaLivepatch != 0 {
			m.clear(s)
		}
	}
}

// Section returns a section's address and its bytes as they are now, to be
// read only; nil without such a section in memory.
func (m *Machine) Section(name string) (uint64, []byte) {
	s := m.last(name)
	if s == nil {
		return 0, nil
	}
	return s.addr, s.data
}
