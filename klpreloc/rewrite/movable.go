// SPDX-License-Identifier: GPL-2.0-or-later

package rewrite

import (
	"debug/elf"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/gate"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/special"
	"github.com/klp-convert/klp-convert/sympos"
)

// What the kernel demands of a klp relocation and its place. It checks this late, when the
// livepatched object is loaded, or not at all.

// Types of R_PPC64_* that are named here.
const (
	ppc64REL24 = uint32(elf.R_PPC64_REL24)
	ppc64Nop   = 0x60000000
	ppc64Link  = 1 // LK: the branch is a call
)

// initPrefix begins the names of sections that are freed once the module is
// loaded (kernel/module/main.c, module_init_section). Seen on 6.1: the target
// that is loaded later gets that memory, and is refused because the bytes to be
// relocated are its own.
const initPrefix = ".init"

// Movable checks which of the relocations can be klp relocations. What can't is reported, and
// left out of the result. unsafe takes what will break on the kernel as well, with a warning;
// broken says that the file as a whole was found to be broken, which may be why a relocation
// leaves its section. m is the machine, nil when no kernel has livepatching on it.
func Movable(f *elfrw.File, m *arch.Machine, gates *gate.Rules, sections []gate.Section,
	unsafe, broken bool,
) ([]gate.Section, diag.List) {
	if m == nil {
		return nil, nil // which is reported, and leaves nothing to judge
	}
	c := &checker{file: f, machine: m, gates: gates, unsafe: unsafe, broken: broken}
	all := make([]gate.Section, 0, len(sections))
	for _, s := range sections {
		ok := gate.Section{Section: s.Section, Relocs: make([]gate.Decision, 0, len(s.Relocs))}
		for _, d := range s.Relocs {
			if c.checkMovable(s.Section, s.Reloc(d.Index), d.Choice) {
				ok.Relocs = append(ok.Relocs, d)
			}
		}
		all = append(all, ok)
	}
	return all, c.List()
}

// checker reports why relocations can't be klp relocations.
type checker struct {
	diag.Reporter
	file    *elfrw.File
	machine *arch.Machine
	gates   *gate.Rules
	unsafe  bool
	broken  bool
}

// checkMovable checks that r, of relocation section s, can be a klp relocation.
func (c *checker) checkMovable(s *elfrw.Section, r elfrw.Rela, choice *gate.Choice) bool {
	where := diag.At(s, r.Offset)
	switch {
	case s.Type == elf.SHT_REL:
		if c.AddPlace(diag.RelSection, "", where, diag.SymbolName(r.Sym)) {
			return false
		}
		c.AddFor("", diag.Errorf(diag.RelSection, where, diag.SymbolName(r.Sym),
			"%s is annotated, but this section is SHT_REL: livepatching kernels use SHT_RELA",
			diag.SymbolName(r.Sym)))
		return false
	case s.Target.Name == ".data..percpu":
		if c.AddPlace(diag.PerCPU, diag.SymbolName(r.Sym), where, diag.SymbolName(r.Sym)) {
			return false
		}
		c.AddFor(diag.SymbolName(r.Sym), diag.Errorf(diag.PerCPU, where, diag.SymbolName(r.Sym),
			"%s in per-CPU data can't be a klp relocation: the loader places that section itself and the "+
				"kernel never applies it",
			diag.SymbolName(r.Sym)).
			Hint("set the per-CPU variable at run time, in the module's init function"))
		return false
	case c.gates.Late(choice.Gate) && strings.HasPrefix(s.Target.Name, initPrefix) &&
		!special.ReadEarly(s.Target.Name):
		if !c.checkInit(where, s, r, choice) {
			return false
		}
	}
	width, known := c.machine.Width(r.Type)
	if !known {
		c.reportBadType(where, r)
		return false
	}
	if !c.checkZeros(where, s.Target, r, width) || !c.checkNop(where, s.Target, r) {
		return false
	}
	c.checkWritable(where, s.Target, r, choice)
	return true
}

// reportBadType reports a relocation that the loader does not apply, and what makes compilers
// write it. One that goes through a global offset table has a companion of another
// type, for the same reason.
func (c *checker) reportBadType(where diag.Place, r elfrw.Rela) {
	name, typ := diag.SymbolName(r.Sym), arch.RelocName(c.file, r.Type)
	why, hint := typ, ""
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(typ, part) })
	}
	switch {
	case has("TLS", "TPOFF", "TPREL", "DTP"):
		why, hint = "tls", "use no thread-local variable (__thread): the kernel has none"
	case has("GOT") && r.Sym.Bind() == elf.STB_WEAK:
		why = "weak " + name
		hint = "declare " + name +
			" without weak (__weak): compilers look a weak symbol up in a global " +
			"offset table, whatever -fno-pic says"
	case has("GOT"):
		why = "got"
		hint = "build with the kernel's own flags (Kbuild), without -fpic, -fpie and " +
			"-mno-direct-extern-access"
	case has("COPY", "GLOB_DAT", "JMP_SLOT", "JUMP_SLOT", "RELATIVE"):
		why, hint = "dynamic", "link with ld -r (Kbuild), not with -shared"
	}
	if c.AddPlace(diag.BadType, why, where, name) {
		return
	}
	c.AddFor(why, diag.Errorf(diag.BadType, where, name,
		"%s is reached by %s, which the module loader of %s does not apply",
		name, typ, c.machine.Name).WithHints(diag.OptionalLine(hint)...))
}

// checkInit: what is freed once the livepatch is loaded must not be written afterwards,
// and is run before the livepatch is enabled.
func (c *checker) checkInit(where diag.Place, s *elfrw.Section, r elfrw.Rela, choice *gate.Choice,
) bool {
	name := diag.SymbolName(r.Sym)
	switch {
	case choice.Gate == sympos.Vmlinux: // before 5.8
		if c.AddPlace(diag.InitSection, "enabled "+name+" "+s.Target.Name, where, name) {
			return true
		}
		c.AddFor("enabled "+name+" "+s.Target.Name, diag.Warnf(diag.InitSection, where, name,
			"%s in %s is resolved by klp_enable_patch(): what runs before that would use the address 0",
			name, s.Target))
		return true
	case c.unsafe:
		if c.AddPlace(diag.InitSection, "unsafe "+name+" "+s.Target.Name, where, name) {
			return true
		}
		c.AddFor("unsafe "+name+" "+s.Target.Name, diag.Warnf(diag.InitSection, where, name,
			"%s of %s in %s, which the kernel frees: converted anyway (--unsafe)",
			name, choice.Note.Object, s.Target))
		return true
	}
	if c.AddPlace(diag.InitSection, name+" "+s.Target.Name, where, name) {
		return false
	}
	c.AddFor(name+" "+s.Target.Name, diag.Errorf(diag.InitSection, where, name,
		"%s of %s in %s: the kernel frees that section once the livepatch is loaded, and would write into it when %s later",

		name, diag.ObjectName(choice.Note.Object), s.Target, gate.LoadEvent(choice.Gate)).
		Hint("use %s in a function that is not __init", name))
	return false
}

// checkZeros: x86 refuses to relocate bytes that are not zero (since 4.0; the
// message is "existing value is nonzero", arch/x86/kernel/module.c).
func (c *checker) checkZeros(where diag.Place, s *elfrw.Section, r elfrw.Rela, width int) bool {
	if !c.machine.ZeroTarget {
		return true
	}
	b, ok := window(s.Data, r.Offset, width)
	if !ok {
		c.reportOutside(where, s, r)
		return false
	}
	for _, x := range b {
		if x != 0 {
			if c.AddPlace(diag.NonzeroTarget, "", where, diag.SymbolName(r.Sym)) {
				return false
			}
			c.AddFor("", diag.Errorf(diag.NonzeroTarget, where, diag.SymbolName(r.Sym),
				"the %d bytes to be relocated are % x, not zero: the kernel would refuse the module", width, b).
				Hint("convert the module as modpost left it, before any other tool has edited or linked it"))
			return false
		}
	}
	return true
}

// reportOutside reports a relocation that extends past the end of its section, unless the file
// as a whole was found to be broken: that may be why.
func (c *checker) reportOutside(where diag.Place, s *elfrw.Section, r elfrw.Rela) {
	if c.broken {
		return
	}
	if !c.AddPlace(diag.BrokenFile, "outside "+diag.SectionName(s), where, diag.SymbolName(r.Sym)) {
		c.AddFor("outside "+diag.SectionName(s),
			diag.Errorf(diag.BrokenFile, where, diag.SymbolName(r.Sym),
				"relocation extends past the end of %s (%#x bytes)", diag.SectionName(s), s.Size()))
	}
}

// checkNop: a call through a stub needs the nop after it that becomes the
// reload of r2 (arch/powerpc/kernel/module_64.c, apply_relocate_add,
// "Expected nop after call").
func (c *checker) checkNop(where diag.Place, s *elfrw.Section, r elfrw.Rela) bool {
	if !c.machine.Nop || r.Type != ppc64REL24 {
		return true
	}
	b, ok := window(s.Data, r.Offset, 4)
	if !ok {
		c.reportOutside(where, s, r)
		return false
	}
	if c.file.Uint32(b)&ppc64Link == 0 {
		return true // a sibling call does not return here
	}
	next, ok := window(s.Data, r.Offset+4, 4)
	if ok && c.file.Uint32(next) == ppc64Nop {
		return true
	}
	if c.AddPlace(diag.NoNop, diag.SymbolName(r.Sym), where, diag.SymbolName(r.Sym)) {
		return false
	}
	c.AddFor(diag.SymbolName(r.Sym), diag.Errorf(diag.NoNop, where, diag.SymbolName(r.Sym),
		"call of %s is not followed by a nop, which the kernel needs to restore the TOC pointer",
		diag.SymbolName(r.Sym)).
		Hint("declare %s extern, without hidden visibility, so that the compiler leaves the nop",
			diag.SymbolName(r.Sym)))
	return false
}

// checkWritable: on ppc64 all but calls are plain stores, which fault in read-only
// memory once the livepatch is loaded (linuxppc issue 375; so up to 7.3). What is read-only after
// init is still writable when klp_enable_patch is called from there.
func (c *checker) checkWritable(where diag.Place, s *elfrw.Section, r elfrw.Rela,
	choice *gate.Choice,
) {
	if !c.machine.Nop || choice.Gate == sympos.Vmlinux || r.Type == ppc64REL24 {
		return
	}
	format := "%s of module %s in %s: with STRICT_MODULE_RWX the kernel writes there too late, " +
		"into read-only memory"
	switch {
	case s.Flags&uint64(elf.SHF_WRITE) == 0:
	case kernel.ReadOnlyAfterInit(s.Name):
		format += ", if the module is loaded after the livepatch"
	default:
		return
	}
	if c.AddPlace(diag.ReadOnlyTarget, diag.SymbolName(r.Sym)+" "+s.Name, where,
		diag.SymbolName(r.Sym)) {
		return
	}
	c.AddFor(diag.SymbolName(r.Sym)+" "+s.Name,
		diag.Warnf(diag.ReadOnlyTarget, where, diag.SymbolName(r.Sym),
			format, diag.SymbolName(r.Sym), choice.Note.Object, diag.SectionName(s)))
}

// window returns n bytes of b from off, and false where b is shorter.
func window(b []byte, off uint64, n int) ([]byte, bool) {
	if off > uint64(len(b)) || uint64(n) > uint64(len(b))-off {
		return nil, false
	}
	return b[off : off+uint64(n)], true
}
