// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/special"
	"github.com/klp-convert/klp-convert/sympos"
)

// specials: by the time a late klp relocation is applied, the kernel has read the tables of
// instructions that it patches (module_finalize of the architectures; the notifiers of
// MODULE_STATE_COMING). What is written into them then is not seen, or overwrites what the
// kernel has made of it. Nothing is printed when the module is loaded.
func (c *checker) specials() {
	var tables *special.Tables
	for _, k := range c.klp {
		if !k.applied() || k.object == "" || !c.gated(k) {
			continue
		}
		if k.target.Name == ".data..percpu" {
			c.find(PerCPU, "the loader places per-CPU data itself, and takes SHF_ALLOC from the section for it: the klp relocations are never applied").in(k.Section).
				fix("set the variable at run time").when(Calling, "", "", oops("page fault", ""))
			continue
		}
		if !c.late(k) {
			continue
		}
		if tables == nil {
			var problems []special.Problem
			tables, problems = special.Read(c.File)
			for _, p := range problems {
				c.lacking("special section "+p.Section.String(), p.Message)
			}
		}
		c.lateInit(k)
		said := map[*special.Entry]bool{}
		for i := range k.relocs {
			if len(said) > mostOfAKind {
				break
			}
			c.lateSpecial(k, &k.relocs[i].Rela, tables, said)
		}
	}
}

// lateInit: init sections are freed when init returns (do_free_init), and the memory is
// given to somebody else. Seen on 6.1: the target that comes gets it, and is refused.
func (c *checker) lateInit(k *klpSection) {
	if !passing(k.target) || len(k.relocs) == 0 || k.object == "vmlinux" {
		return
	}
	f := c.find(LateInit, fmt.Sprintf("%s is freed once the livepatch is loaded; when %s comes later, the kernel writes into memory that is another's", k.target, k.object)).in(k.Section).
		fix("use the symbols in functions that are not __init")
	message := oops("page fault", "apply_relocate_add")
	if c.Header.Machine == elf.EM_X86_64 {
		message = c.nonzeroMessage(k.relocs[0].Type)
		message.Pattern += "|" + oops("", "").Pattern
	}
	f.when(Coming, k.object, "ENOEXEC", message,
		says("livepatch: failed to initialize patch '%s' for module '%s' (%s)", c.name, k.object, -8),
		says("livepatch: patch '%s' failed for module '%s', refusing to load module '%s'", c.name, k.object, k.object))
}

// lateSpecial judges one late relocation.
func (c *checker) lateSpecial(k *klpSection, r *elfrw.Rela, t *special.Tables, said map[*special.Entry]bool) {
	symbol := ""
	if r.Sym != nil {
		symbol = r.Sym.Name
	}
	width, _ := arch.RelocWidth(c.File, r.Type)
	width = max(width, 1)
	if e := t.In(k.target, r.Offset); e != nil {
		if said[e] {
			return
		}
		said[e] = true
		f := c.find(LateSpecial, fmt.Sprintf("the kernel has read the %s for %s before %s comes, with the address 0", e.Kind, t.Function(e.Site.Section, e.Site.Offset), k.object)).
			at(k.Section, r.Offset).of(symbol)
		switch e.Kind {
		case special.JumpLabel:
			f.Cause += ": the branch is never switched, and the entry can't be taken back"
			f.fix("static_key_enabled(&key) instead of static_branch_likely() and static_branch_unlikely()")
			f.when(Removing, "", "", warning("kernel/jump_label.c", "jump_label_del_module"))
		case special.StaticCall:
			f.fix("STATIC_CALL_KEY(name).func instead of static_call(name)")
			if c.staticCallFaults {
				f.when(Loading, "", "killed", oops("page fault", "static_call_module_notify"))
			} else {
				f.when(Calling, "", "", oops("page fault", c.functionAt(e.Site.Section, e.Site.Offset)))
			}
		default:
			f.when(Calling, "", "", oops("page fault", c.functionAt(e.Site.Section, e.Site.Offset)))
		}
		return
	}
	found := false
	for _, e := range t.Sites(k.target, r.Offset, uint64(width)) {
		found = true
		if said[e] {
			continue
		}
		said[e] = true
		f := c.find(LateSpecial, fmt.Sprintf("it is in the site of the %s at %s, which the kernel has patched before %s comes", e.Kind, t.Function(e.Site.Section, e.Site.Offset), k.object)).
			at(k.Section, r.Offset).of(symbol).fix("call it from a noinline helper function")
		if zeros(e, r.Offset, uint64(width)) {
			// The kernel sees nothing wrong, and the call's bytes become an operand.
			f.when(Calling, "", "")
			continue
		}
		if c.Header.Machine == elf.EM_X86_64 {
			c.whenOf(f, k, "ENOEXEC", c.nonzeroMessage(r.Type))
		}
		f.when(Calling, "", "", oops("page fault", c.functionAt(e.Site.Section, e.Site.Offset)))
	}
	for _, e := range t.Replacements(k.target, r.Offset, uint64(width)) {
		found = true
		if said[e] {
			continue
		}
		said[e] = true
		c.find(LateSpecial, fmt.Sprintf("it is in the replacement of the %s at %s, which the kernel has copied there before %s comes", e.Kind, t.Function(e.Site.Section, e.Site.Offset), k.object)).
			at(k.Section, r.Offset).of(symbol).fix("call it from a noinline helper function").
			when(Calling, "", "", oops("page fault", c.functionAt(e.Site.Section, e.Site.Offset)))
	}
	if !found && special.ReadEarly(k.target.Name) && k.target.Name != ".altinstr_replacement" && !said[nil] {
		said[nil] = true
		c.find(LateSpecial, fmt.Sprintf("the kernel has read %s before %s comes, with the address 0", k.target, k.object)).
			at(k.Section, r.Offset).of(symbol).when(Calling, "", "", oops("page fault", ""))
	}
}

// perCPU: kernel/module/main.c, percpu_modalloc; mm/percpu.c, pcpu_alloc: at most
// PCPU_MIN_UNIT_SIZE.
func (c *checker) perCPU() {
	const most, page = 32 << 10, 4096
	s := c.File.Section(".data..percpu")
	if s != nil && s.Align > page {
		c.note(PerCPU, fmt.Sprintf("the alignment %d is more than a page, which is what it gets", s.Align)).in(s).
			when(Loading, "", "", says("%s: per-cpu alignment %s > %s", c.name, s.Align, page))
	}
	if s == nil || s.Size() <= most {
		return
	}
	c.find(PerCPU, fmt.Sprintf("%d bytes of per-CPU data, of which a module can have %d", s.Size(), most)).in(s).fix("alloc_percpu()").
		when(Loading, "", "ENOMEM", says("illegal size (%s) or align (%s) for percpu allocation", s.Size(), anyNumber),
			says("%s: Could not allocate %s bytes percpu data", c.name, s.Size()))
}

// unwinding: arch/x86/kernel/unwind_orc.c, unwind_module_init: the tables of the ORC unwinder go
// with each other, or the kernel warns and does without them.
func (c *checker) unwinding() {
	if c.Header.Machine != elf.EM_X86_64 {
		return
	}
	const entry, place = 6, 4
	orc, ip := c.File.Section(".orc_unwind"), c.File.Section(".orc_unwind_ip")
	if orc == nil || ip == nil || orc.Size()%entry == 0 && ip.Size()%place == 0 && orc.Size()/entry == ip.Size()/place {
		return
	}
	c.find(BadTable, fmt.Sprintf(".orc_unwind has %d bytes, of %d for each entry, and .orc_unwind_ip %d, of %d", orc.Size(), entry, ip.Size(), place)).in(orc).
		fix("build it again").when(Loading, "", "", warning("arch/x86/kernel/unwind_orc.c", "unwind_module_init"))
}

// zeros reports whether the replacement of an alternative leaves zeros in that part of its site.
func zeros(e *special.Entry, offset, width uint64) bool {
	s := e.Replacement.Section
	if e.Kind != special.Alternative || s == nil || offset < e.Site.Offset {
		return false
	}
	from := e.Replacement.Offset + (offset - e.Site.Offset)
	if from+width > uint64(len(s.Data)) || from < e.Replacement.Offset || from+width > e.Replacement.Offset+e.Replacement.Size {
		return false
	}
	return !slices.ContainsFunc(s.Data[from:from+width], func(x byte) bool { return x != 0 })
}

// archSections: .klp.arch.<object>.<table>, 4.9 to 5.7 on x86
// (arch/x86/kernel/livepatch.c, arch_klp_init_object_loaded; gone with 1d05334d2899).
func (c *checker) archSections() {
	seen := map[string]bool{}
	for _, s := range c.Sections {
		rest, ok := strings.CutPrefix(s.Name, ".klp.arch.")
		if !ok {
			continue
		}
		object, table, _ := strings.Cut(rest, ".")
		if !s.Alloc() {
			c.archNotLoaded(s, object, table)
			continue
		}
		switch {
		case c.scheme != kernel.SchemeLate || c.Header.Machine != elf.EM_X86_64:
			c.find(ArchSection, "this kernel does not read .klp.arch sections: what is in it is never patched, and the old instructions run").in(s).
				fix("convert the module for this kernel").when(Calling, "", "")
		case table != ".altinstructions" && table != ".parainstructions":
			c.find(ArchSection, "no kernel reads a .klp.arch section for "+printable(table)).in(s).when(Calling, "", "")
		case seen[s.Name]:
			c.find(ArchSection, "of two .klp.arch sections of one object and kind the kernel reads the last only").in(s).when(Calling, "", "")
		case !c.patched(object) && c.complete():
			c.find(NotApplied, "the patch has no klp_object "+object+": the section is never read").in(s).when(Calling, "", "")
		}
		seen[s.Name] = true
	}
}

// archNotLoaded: the kernel finds the section among the headers that it has kept, where the
// address of what is not loaded is that in the copy of the file, which is freed by then (seen
// on 4.19.78: an oops in insmod).
func (c *checker) archNotLoaded(s *elfrw.Section, object, table string) {
	if c.scheme != kernel.SchemeLate || c.Header.Machine != elf.EM_X86_64 || s.Size() == 0 || !c.patched(object) ||
		table != ".altinstructions" && table != ".parainstructions" {
		return
	}
	f := c.find(ArchSection, "the section is not loaded (no SHF_ALLOC), and the kernel reads it where the copy of the file was").in(s).
		fix("convert the module again, and don't edit it then")
	message := oops("page fault", "arch_klp_init_object_loaded")
	if object == sympos.Vmlinux {
		f.when(Enabling, "", "killed", message)
		return
	}
	c.whenObject(f, object, "killed", message)
}

// reloading: what comes of the target's second loading.
func (c *checker) reloading() {
	for _, k := range c.klp {
		if !k.applied() || !c.late(k) || k.object == "vmlinux" || !c.patched(k.object) || len(k.relocs) == 0 {
			continue
		}
		cause, message := "", Message{}
		switch c.Header.Machine {
		case elf.EM_X86_64:
			if c.reload {
				continue
			}
			cause, message = "before 6.3 what was relocated is not cleared when the module goes, and it can't be loaded again while the livepatch is there", c.nonzeroMessage(k.relocs[0].Type)
		case elf.EM_S390:
			cause = "GOT and PLT slots keep the addresses of the first time"
		case elf.EM_PPC64:
			cause, message = "calls have lost their nop; older kernels refuse the second time", says("%s: Expected nop after call, got %s at %s", c.name, anyHex, anything)
		case elf.EM_LOONGARCH:
			cause = "ADD and SUB relocations add to what the first time left"
		default:
			continue
		}
		f := c.note(Reload, cause).of(k.object).fix("disable and remove the livepatch before %s is loaded again", k.object)
		if message.Text != "" {
			f.when(Again, k.object, "ENOEXEC", message,
				says("livepatch: failed to initialize patch '%s' for module '%s' (%s)", c.name, k.object, -8),
				says("livepatch: patch '%s' failed for module '%s', refusing to load module '%s'", c.name, k.object, k.object))
		} else {
			f.when(Again, k.object, "")
		}
		return
	}
}

// limits are what nothing in the file tells.
func (c *checker) limits() {
	c.unchecked("what the code does", "semantics, inlining of the patched functions, changed data: no file tells")
	c.unchecked("whether other livepatches, kprobes or ftrace users are in the way", "known at run time (EBUSY, not compatible with the already installed livepatches)")
}
