// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"cmp"
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/special"
)

// What the kernel asks of a klp relocation and its place. All of this it finds
// out late, or not at all, when the livepatched object comes.

// Types of R_PPC64_* that are named here.
const (
	ppc64REL24 = uint32(elf.R_PPC64_REL24)
	ppc64Nop   = 0x60000000
	ppc64Link  = 1 // LK: the branch is a call
)

// initPrefix begins the names of sections that are freed once the module is
// loaded (kernel/module/main.c, module_init_section). Seen on 6.1: the target
// that comes later gets that memory, and is refused because the bytes to be
// relocated are its own.
const initPrefix = ".init"

// movable checks that r, of relocation section s, can be a klp relocation. gone says
// that it need not: what holds it is dropped.
func (p *planner) movable(s *elfrw.Section, r elfrw.Rela, c *choice) (ok, gone bool) {
	where := diag.At(s, r.Offset)
	switch {
	case p.machine == nil: // which is said, and leaves nothing to judge
		return false, false
	case s.Type == elf.SHT_REL:
		if p.Repeats(diag.RelSection, "", where, diag.SymbolName(r.Sym)) {
			return false, false
		}
		p.AddFor("", diag.Errorf(diag.RelSection, where, diag.SymbolName(r.Sym), "%s is annotated, but this section is SHT_REL: livepatching kernels use SHT_RELA", diag.SymbolName(r.Sym)))
		return false, false
	case s.Target.Name == ".data..percpu":
		if p.Repeats(diag.PerCPU, diag.SymbolName(r.Sym), where, diag.SymbolName(r.Sym)) {
			return false, false
		}
		p.AddFor(diag.SymbolName(r.Sym), diag.Errorf(diag.PerCPU, where, diag.SymbolName(r.Sym), "%s in per-CPU data can't be a klp relocation: the loader places that section itself and the kernel never applies it", diag.SymbolName(r.Sym)).
			Hint("set the per-CPU variable at run time, in the module's init function"))
		return false, false
	case p.gates.late(c.gate) && strings.HasPrefix(s.Target.Name, initPrefix) && !special.ReadEarly(s.Target.Name):
		if !p.early(where, s, r, c) {
			return false, false
		}
	}
	width, known := p.machine.Width(r.Type)
	if !known {
		p.badType(where, r)
		return false, false
	}
	if !p.zeros(where, s.Target, r, width) || !p.returns(where, s.Target, r) {
		return false, false
	}
	p.writable(where, s.Target, r, c)
	return p.late(s, r, c)
}

// badType reports a relocation that the loader does not apply, and what makes compilers
// write it. One that goes through a global offset table has a companion of another
// type, for the same reason.
func (p *planner) badType(where diag.Place, r elfrw.Rela) {
	name, typ := diag.SymbolName(r.Sym), arch.RelocName(p.File, r.Type)
	why, hint := typ, ""
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(typ, part) })
	}
	switch {
	case has("TLS", "TPOFF", "TPREL", "DTP"):
		why, hint = "tls", "use no thread-local variable (__thread): the kernel has none"
	case has("GOT") && r.Sym.Bind() == elf.STB_WEAK:
		why, hint = "weak "+name, fmt.Sprintf("declare %s without weak (__weak): compilers look a weak symbol up in a global offset table, whatever -fno-pic says", name)
	case has("GOT"):
		why, hint = "got", "build with the kernel's own flags (Kbuild), without -fpic, -fpie and -mno-direct-extern-access"
	case has("COPY", "GLOB_DAT", "JMP_SLOT", "JUMP_SLOT", "RELATIVE"):
		why, hint = "dynamic", "link with ld -r (Kbuild), not with -shared"
	}
	if p.Repeats(diag.BadType, why, where, name) {
		return
	}
	p.AddFor(why, diag.Errorf(diag.BadType, where, name, "%s is reached by %s, which the module loader of %s does not apply", name, typ, p.machine.Name).WithHints(diag.OptionalLine(hint)...))
}

// early: what is freed once the livepatch is loaded must not be written afterwards,
// and is run before the livepatch is enabled.
func (p *planner) early(where diag.Place, s *elfrw.Section, r elfrw.Rela, c *choice) bool {
	name := diag.SymbolName(r.Sym)
	switch {
	case c.gate == vmlinux: // before 5.8
		if p.Repeats(diag.InitSection, "enabled "+name+" "+s.Target.Name, where, name) {
			return true
		}
		p.AddFor("enabled "+name+" "+s.Target.Name, diag.Warnf(diag.InitSection, where, name, "%s in %s is resolved by klp_enable_patch(): what runs before that would use the address 0", name, s.Target))
		return true
	case p.Options.Unsafe:
		if p.Repeats(diag.InitSection, "unsafe "+name+" "+s.Target.Name, where, name) {
			return true
		}
		p.AddFor("unsafe "+name+" "+s.Target.Name, diag.Warnf(diag.InitSection, where, name, "%s of %s in %s, which the kernel frees: converted all the same (--unsafe)", name, c.note.Object, s.Target))
		return true
	}
	if p.Repeats(diag.InitSection, name+" "+s.Target.Name, where, name) {
		return false
	}
	p.AddFor(name+" "+s.Target.Name, diag.Errorf(diag.InitSection, where, name, "%s of %s in %s: the kernel frees that section once the livepatch is loaded, and would write into it when %s later", name, diag.ObjectName(c.note.Object), s.Target, comes(c.gate)).
		Hint("use %s in a function that is not __init", name))
	return false
}

// zeros: x86 refuses to relocate bytes that are not zero (since 4.0; the
// message is "existing value is nonzero", arch/x86/kernel/module.c).
func (p *planner) zeros(where diag.Place, s *elfrw.Section, r elfrw.Rela, width int) bool {
	if !p.machine.ZeroTarget {
		return true
	}
	b, ok := window(s.Data, r.Offset, width)
	if !ok {
		p.outside(where, s, r)
		return false
	}
	for _, c := range b {
		if c != 0 {
			if p.Repeats(diag.NonzeroTarget, "", where, diag.SymbolName(r.Sym)) {
				return false
			}
			p.AddFor("", diag.Errorf(diag.NonzeroTarget, where, diag.SymbolName(r.Sym), "the %d bytes to be relocated are % x, not zero: the kernel would refuse the module", width, b).
				Hint("convert the module as modpost left it, before any other tool has edited or linked it"))
			return false
		}
	}
	return true
}

// outside reports a relocation that extends past the end of its section, unless the file
// as a whole was found to be broken: that may be why.
func (p *planner) outside(where diag.Place, s *elfrw.Section, r elfrw.Rela) {
	if p.broken {
		return
	}
	if !p.Repeats(diag.BrokenFile, "outside "+diag.SectionName(s), where, diag.SymbolName(r.Sym)) {
		p.AddFor("outside "+diag.SectionName(s), diag.Errorf(diag.BrokenFile, where, diag.SymbolName(r.Sym), "relocation extends past the end of %s (%#x bytes)", diag.SectionName(s), s.Size()))
	}
}

// returns: a call through a stub needs the nop behind it that becomes the
// reload of r2 (arch/powerpc/kernel/module_64.c, apply_relocate_add,
// "Expected nop after call").
func (p *planner) returns(where diag.Place, s *elfrw.Section, r elfrw.Rela) bool {
	if !p.machine.Nop || r.Type != ppc64REL24 {
		return true
	}
	b, ok := window(s.Data, r.Offset, 4)
	if !ok {
		p.outside(where, s, r)
		return false
	}
	if p.Uint32(b)&ppc64Link == 0 {
		return true // a sibling call does not come back here
	}
	next, ok := window(s.Data, r.Offset+4, 4)
	if ok && p.Uint32(next) == ppc64Nop {
		return true
	}
	if p.Repeats(diag.NoNop, diag.SymbolName(r.Sym), where, diag.SymbolName(r.Sym)) {
		return false
	}
	p.AddFor(diag.SymbolName(r.Sym), diag.Errorf(diag.NoNop, where, diag.SymbolName(r.Sym), "call of %s is not followed by a nop, which the kernel needs to restore the TOC pointer", diag.SymbolName(r.Sym)).
		Hint("declare %s extern, without hidden visibility, so that the compiler leaves the nop", diag.SymbolName(r.Sym)))
	return false
}

// writable: on ppc64 all but calls are plain stores, which fault in read-only
// memory once the livepatch is loaded (linuxppc issue 375; so up to 7.3).
func (p *planner) writable(where diag.Place, s *elfrw.Section, r elfrw.Rela, c *choice) {
	if p.machine.Nop && c.gate != vmlinux && r.Type != ppc64REL24 && s.Flags&uint64(elf.SHF_WRITE) == 0 {
		if p.Repeats(diag.ReadOnlyTarget, diag.SymbolName(r.Sym)+" "+s.Name, where, diag.SymbolName(r.Sym)) {
			return
		}
		p.AddFor(diag.SymbolName(r.Sym)+" "+s.Name, diag.Warnf(diag.ReadOnlyTarget, where, diag.SymbolName(r.Sym), "%s of module %s in %s: with STRICT_MODULE_RWX the kernel writes there too late, into read-only memory", diag.SymbolName(r.Sym), c.note.Object, diag.SectionName(s)))
	}
}

// window returns n bytes of b from off, and false when they are not there.
func window(b []byte, off uint64, n int) ([]byte, bool) {
	if off > uint64(len(b)) || uint64(n) > uint64(len(b))-off {
		return nil, false
	}
	return b[off : off+uint64(n)], true
}

// together refuses to take one of several relocations that build one value:
// loongarch's SOP_* are a stack machine, ADD and SUB add up in place, and the
// loader goes through one section at a time (arch/loongarch/kernel/module.c).
func (p *planner) together(s *elfrw.Section, moves []Move) {
	relocs := s.Relocs()
	moved := make([]string, len(relocs)) // where to
	for _, m := range moves {
		for _, i := range m.Relocs {
			moved[i] = m.Object
		}
	}
	byOffset := make([]int, len(relocs))
	for i := range byOffset {
		byOffset[i] = i
	}
	slices.SortStableFunc(byOffset, func(a, b int) int { return cmp.Compare(relocs[a].Offset, relocs[b].Offset) })
	for k := 1; k < len(byOffset); k++ {
		a, b := byOffset[k-1], byOffset[k]
		if relocs[a].Offset != relocs[b].Offset || moved[a] == moved[b] {
			continue
		}
		if p.Repeats(diag.SplitPair, diag.SymbolName(relocs[b].Sym), diag.At(s, relocs[a].Offset), diag.SymbolName(relocs[b].Sym)) {
			continue
		}
		p.AddFor(diag.SymbolName(relocs[b].Sym), diag.Errorf(diag.SplitPair, diag.At(s, relocs[a].Offset), diag.SymbolName(relocs[b].Sym), "%s and %s build one value; they can't be in two sections",
			arch.RelocName(p.File, relocs[a].Type), arch.RelocName(p.File, relocs[b].Type)).
			Hint("take the symbol's address in code or in a pointer of its own, without arithmetic"))
	}
}
