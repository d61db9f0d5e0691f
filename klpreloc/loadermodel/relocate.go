// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math"
)

// width is the number of bytes that a relocation writes.
func (r rela) width() uint64 {
	switch r.typ {
	case elf.R_X86_64_NONE:
		return 0
	case elf.R_X86_64_64, elf.R_X86_64_PC64:
		return 8
	}
	return 4
}

// relocate writes one relocation against a symbol of the value, as
// apply_relocate_add of arch/x86/kernel/module.c does: only where there are zeros.
func (m *Machine) relocate(target *section, r rela, name string, value uint64) error {
	switch r.typ {
	case elf.R_X86_64_NONE:
		return nil
	case elf.R_X86_64_64, elf.R_X86_64_32, elf.R_X86_64_32S, elf.R_X86_64_PC32, elf.R_X86_64_PLT32:
	case elf.R_X86_64_PC64:
		if m.s.Scheme.PC64 {
			break
		}
		fallthrough
	default:
		return refuse(enoexec, "%s: Unknown rela relocation: %d", m.name, r.typ)
	}
	loc, n := target.addr+r.offset, r.width()
	if size := uint64(len(target.data)); r.offset > size || n > size-r.offset {
		return oops("relocation at %s+%#x, which has %#x bytes", target.name, r.offset, size)
	}
	b := target.data[r.offset:][:n]
	val := value + r.addend
	switch r.typ {
	case elf.R_X86_64_PC32, elf.R_X86_64_PLT32, elf.R_X86_64_PC64:
		val -= loc
	}
	for _, c := range b {
		if c != 0 {
			return refuse(enoexec, "%s for type %d, loc %#x, val %x", m.s.Scheme.Nonzero, r.typ, loc, val)
		}
	}
	// Of relative ones the kernel does not look whether they fit.
	if r.typ == elf.R_X86_64_32 && val > math.MaxUint32 || r.typ == elf.R_X86_64_32S &&
		int64(val) != int64(int32(val)) {
		return &Refused{[]string{
			fmt.Sprintf("overflow in relocation type %d val %x", r.typ, val),
			fmt.Sprintf("`%s' likely not compiled with -mcmodel=kernel", m.name),
		}, enoexec}
	}
	if n == 8 {
		binary.LittleEndian.PutUint64(b, val)
	} else {
		binary.LittleEndian.PutUint32(b, uint32(val))
	}
	m.tell("%s %s", m.place(loc), name)
	return nil
}

// applyRelocateAdd writes all of a section's relocations.
func (m *Machine) applyRelocateAdd(rel *section) error {
	for _, r := range rel.relas() {
		y := m.symbols[r.sym]
		if err := m.relocate(m.sections[rel.info], r, y.name, y.value); err != nil {
			return err
		}
	}
	return nil
}

// applyKlp is klp_apply_section_relocs (5.8), and one section's turn in
// klp_write_object_relocations before that: if the section is the object's, its symbols
// are found and its relocations written.
func (m *Machine) applyKlp(rel *section, object string) error {
	of, err := sectionObject(rel.name)
	if err != nil || of != object {
		return err
	}
	if m.up && !rel.alloc() {
		return oops("BUG: unable to handle page fault: %s was freed after loading", rel.name)
	}
	if m.up && !m.sections[rel.info].alloc() {
		return oops("BUG: unable to handle page fault: %s was freed after loading",
			m.sections[rel.info].name)
	}
	for _, r := range rel.relas() {
		y := &m.symbols[r.sym]
		if y.section != shnLivepatch {
			return refuse(einval, "symbol %s is not marked as a livepatch symbol", y.name)
		}
		owner, name, pos, err := m.s.Scheme.klpSymbol(y.name)
		if err != nil {
			return err
		}
		if m.s.Scheme.Early && object != "vmlinux" && owner == "vmlinux" {
			return refuse(einval,
				"invalid access to vmlinux symbol '%s' from module-specific livepatch relocation section", name)
		}
		if y.value, err = m.find(owner, name, pos); err != nil {
			return err
		}
	}
	return m.applyRelocateAdd(rel)
}

// clear takes the relocations of a section back (clear_relocate_add).
func (m *Machine) clear(rel *section) {
	target := m.sections[rel.info]
	for _, r := range rel.relas() {
		clear(target.data[r.offset:][:r.width()])
	}
}
