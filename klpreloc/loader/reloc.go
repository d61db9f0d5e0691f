// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/rewrite"
	"github.com/klp-convert/klp-convert/sympos"
)

// klpRelocs: kernel/livepatch/core.c, klp_resolve_symbols, for each section that is ever
// applied. It stops at the first mistake; all are reported, each symbol once.
func (c *checker) klpRelocs() {
	for _, k := range c.klp {
		if !k.applied() || k.object == "" || !c.gated(k) {
			continue
		}
		said := map[*elfrw.Symbol]bool{}
		for i := range k.relocs {
			r := &k.relocs[i]
			if !said[r.Sym] {
				said[r.Sym] = true
				c.resolve(k, i, r)
			}
		}
	}
}

// tooLarge reports whether a klp symbol's position does not fit into 64 bits.
func tooLarge(name string) bool {
	digits := strings.TrimSpace(name[strings.LastIndexByte(name, ',')+1:])
	if end := strings.IndexFunc(digits, func(x rune) bool { return x < '0' || x > '9' }); end >= 0 {
		digits = digits[:end]
	}
	_, err := strconv.ParseUint(digits, 10, 64)
	return errors.Is(err, strconv.ErrRange)
}

// resolve judges the symbol of one klp relocation, in the order in which the kernel does.
func (c *checker) resolve(k *klpSection, i int, r *klpReloc) {
	name := ""
	if r.Sym != nil {
		name = r.Sym.Name
	}
	find := func(id diag.ID, cause string) *Finding { return c.find(id, cause).at(k.Section, r.Offset).of(name) }
	if r.Sym == nil || r.Sym.Section != nil || r.Sym.Index != klpabi.IndexLivepatch {
		message := says("livepatch: symbol %s is not marked as a livepatch symbol", name)
		if c.relaIndex {
			message = says("livepatch: symbol %s at rela sec %s idx %s is not marked as a livepatch symbol", name, anyNumber, i)
		}
		c.whenOf(find(NotKlpSymbol, "a klp relocation of a symbol whose section index is not 0xff20 (SHN_LIVEPATCH)"), k, "EINVAL", message).
			fix("its place is in the ordinary relocation section")
		return
	}
	if why := c.unreadable(name); why != "" {
		c.whenOf(find(SymbolGrammar, why), k, "EINVAL", says("livepatch: symbol %s has an incorrectly formatted name", name)).
			fix("%s<object>.<name>,<position>", klpabi.SymbolPrefix)
		return
	}
	if limit := c.storedLimit; limit > 0 && len(name) > limit && c.late(k) {
		c.cutName(k, name, name[:limit], find)
		return
	}
	n := r.klp
	if c.saturates && tooLarge(name) {
		m := *n
		m.position, n = math.MaxUint64, &m
	}
	switch {
	case c.early() && k.object != sympos.Vmlinux && n.object == sympos.Vmlinux:
		c.whenOf(find(VmlinuxInModule, "since 5.8 a section for a module may not name a symbol of vmlinux"), k, "EINVAL",
			says("livepatch: invalid access to vmlinux symbol '%s' from module-specific livepatch relocation section", n.name)).
			fix("its place is in %svmlinux.%s", klpabi.SectionPrefix, k.target)
	case k.object == sympos.Vmlinux && n.object != sympos.Vmlinux && !c.keeps(n.object):
		f := find(ModuleInVmlinux, "a symbol of module "+n.object+" in what is applied without waiting for it: it is found if the module happens to be loaded, and nothing keeps it there").same(n.object).
			fix("its place is in %s%s.%s", klpabi.SectionPrefix, n.object, k.target)
		message := says("livepatch: symbol '%s' not found in symbol table", n.name)
		if c.loaded[n.object] {
			f.when(Loading, n.object, "EINVAL", message) // if it is not there
		} else {
			c.whenOf(f, k, "EINVAL", message)
		}
		if c.loaded[n.object] {
			c.place(k, n, find)
		}
	default:
		if n.object != sympos.Vmlinux && n.object != k.object && !c.keeps(n.object) {
			c.foreign(k, n, find)
		}
		c.place(k, n, find)
	}
}

// unreadable says why sscanf of this kernel does not read a klp symbol's name, "" when it does:
// .klp.sym.%55[^.].%127[^,],%lu, and %511 since 6.1.
func (c *checker) unreadable(name string) string {
	rest, ok := strings.CutPrefix(name, klpabi.SymbolPrefix)
	if !ok {
		return "the name does not begin with " + klpabi.SymbolPrefix
	}
	object, rest, dot := strings.Cut(rest, ".")
	symbol, position, comma := strings.Cut(rest, ",")
	_, digits := klpabi.ScanUnsigned(position)
	switch {
	case object == "" || !dot:
		return "the object's name is missing"
	case len(object) > 55:
		return fmt.Sprintf("the object's name has %d bytes; the kernel reads 55", len(object))
	case symbol == "":
		return "the symbol's name is missing"
	case !comma && len(symbol) <= c.nameLimit:
		return "the position is missing"
	case len(symbol) > c.nameLimit:
		return fmt.Sprintf("the symbol's name has %d bytes; this kernel reads %d", len(symbol), c.nameLimit)
	case !digits:
		return fmt.Sprintf("the position %q is not a number", position[:min(len(position), 20)])
	}
	return ""
}

// cutName: add_kallsyms has copied that much of the name for relocations that are applied late,
// so that the position is gone or, where digits are left of it, another one.
func (c *checker) cutName(k *klpSection, name, stored string, find func(diag.ID, string) *Finding) {
	const fix = "reach it by a symbol whose name is shorter; from 5.19 on there is no such limit"
	cause := fmt.Sprintf("the name has %d bytes, of which this kernel stores %d for a relocation that is applied with %s", len(name), len(stored), k.object)
	if c.unreadable(stored) != "" {
		c.whenOf(find(CutName, cause+": the position is cut off"), k, "EINVAL", says("livepatch: symbol %s has an incorrectly formatted name", stored)).fix(fix)
		return
	}
	position := stored[strings.LastIndexByte(stored, ',')+1:]
	c.whenCalled(find(CutName, fmt.Sprintf("%s: it takes position %s for %s", cause, position, name[strings.LastIndexByte(name, ',')+1:])).fix(fix), k)
}

// foreign: a symbol of a module that nothing loads before the one that is waited for.
func (c *checker) foreign(k *klpSection, n *klpName, find func(diag.ID, string) *Finding) {
	gate := c.facts.modules[k.object]
	if gate == nil {
		c.lacking(fmt.Sprintf("whether %s is there when %s comes, whose symbol %s is needed then", n.object, k.object, n.name), "module "+k.object+" is not at hand")
		return
	}
	if c.facts.needed(gate)[n.object] {
		return
	}
	f := find(ForeignOwner, fmt.Sprintf("%s of module %s is needed when %s comes, which does not depend on it: it is found if it happens to be loaded", n.name, n.object, k.object))
	c.whenObject(f, k.object, "EINVAL", says("livepatch: symbol '%s' not found in symbol table", n.name))
}

// place looks the symbol up as klp_find_object_symbol does.
func (c *checker) place(k *klpSection, n *klpName, find func(diag.ID, string) *Finding) {
	c.lookup(lookup{n.object, n.name, n.position, [3]diag.ID{NoSymbol, AmbiguousSymbol, NoPosition}}, find, func(f *Finding, now, later bool, message Message) {
		if k.object == sympos.Vmlinux || n.object == sympos.Vmlinux || n.object != k.object {
			c.whenOf(f, k, "EINVAL", message)
			return
		}
		c.whenEither(f, k.object, now, later, message)
	})
}

// whenEither adds the cases in which a module's symbol is not found: while it is loaded,
// and while it comes.
func (c *checker) whenEither(f *Finding, object string, now, later bool, message Message) {
	if now && c.loaded[object] {
		f.when(Enabling, "", "EINVAL", message)
	}
	if later {
		f.when(Coming, object, "EINVAL", message,
			says("livepatch: failed to initialize patch '%s' for module '%s' (%s)", c.name, object, -22),
			says("livepatch: patch '%s' failed for module '%s', refusing to load module '%s'", c.name, object, object))
	}
	if len(f.Cases) == 0 {
		f.when(Enabling, object, "EINVAL", message) // if it is loaded by then
	}
}

// A lookup is a question to klp_find_object_symbol, and the ids of its answers.
type lookup struct {
	object, name string
	position     uint64
	ids          [3]diag.ID // not there, several, no such position
}

// lookup answers it for a kernel that has the object, in both orders: while a module
// comes all of its symbols count, later those that are kept.
func (c *checker) lookup(q lookup, find func(diag.ID, string) *Finding, when func(f *Finding, now, later bool, message Message)) {
	t := c.facts.table
	if !t.Has(q.object) {
		switch c.facts.Presence(q.object) {
		case sympos.Absent:
			c.absentTarget(q.object, "this kernel has no such module")
		case sympos.BuiltIn:
			c.absentTarget(q.object, "it is part of vmlinux in this kernel: what is patched in it belongs to the object vmlinux")
		default:
			from := "--module " + q.object + ".ko"
			if q.object == sympos.Vmlinux {
				from = "--kernel with its image, vmlinux, System.map or /proc/kallsyms"
			}
			c.lacking(fmt.Sprintf("symbol %s of %s", q.name, q.object), "nothing at hand has the symbols of "+q.object+": "+from)
		}
		return
	}
	list := t.Lookup(q.object, q.name)
	c.chose(q, list)
	kept := 0
	for _, s := range list {
		if s.Loaded != 0 {
			kept++
		}
	}
	if len(list) > 0 && list[0].Position == 0 {
		kept = len(list) // order not known
	}
	later, now := c.answer(q, len(list), list), c.answer(q, kept, list)
	if why := t.Partial(q.object); why != "" {
		// More than one is several whatever is missing; fewer may be more.
		c.lacking("symbols and positions in "+q.object, why)
		if later != "" && later != several {
			return
		}
	}
	switch {
	case later != "" && later == now:
		when(c.failed(q, later, list, find), true, true, c.message(q, later))
	case later != "":
		when(c.failed(q, later, list, find), false, true, c.message(q, later))
	case now != "":
		f := c.failed(q, now, list, find)
		f.Cause = "once " + q.object + " is loaded, what is in its .init sections and the like is gone: " + f.Cause
		when(f, true, false, c.message(q, now))
	case len(list) > 1 && list[0].Position == 0:
		c.lacking(fmt.Sprintf("position %d of %s in %s", q.position, q.name, q.object), t.Facts(q.object).Kind.String()+" does not tell in which order the kernel counts")
	case q.position > 0 && list[q.position-1].Position != 0 && !list[q.position-1].Steady():
		find(UnsteadyPosition, fmt.Sprintf("which symbol %s of %s is at position %d depends on whether the module is being loaded or is loaded", q.name, q.object, q.position)).
			when(Calling, "", "")
	}
	if d := t.Unsure(q.object, q.name); d != "" {
		c.lacking("symbol "+q.name+" of "+q.object, d)
	}
	if d := t.Doubt(q.object, q.name); d != "" {
		c.lacking("symbol "+q.name+" of "+q.object, "the files given as one kernel contradict each other: "+d)
	}
}

// Answers of klp_find_object_symbol.
const (
	notThere  = "absent"
	several   = "several"
	noneThere = "position"
)

// among is the answer where there are n symbols of the name.
func (q lookup) among(n int) string {
	switch {
	case n == 0:
		return notThere
	case q.position == 0 && n > 1:
		return several
	case q.position > uint64(n):
		return noneThere
	}
	return ""
}

// id is that of an answer.
func (q lookup) id(answer string) diag.ID {
	switch answer {
	case several:
		return q.ids[1]
	case noneThere:
		return q.ids[2]
	}
	return q.ids[0]
}

func (c *checker) answer(q lookup, n int, list []sympos.Symbol) string {
	address0 := func(s sympos.Symbol) bool {
		f := c.facts.table.Facts(q.object)
		return q.object == sympos.Vmlinux && s.Address == 0 && !f.NoAddresses && f.Relative == "" && f.Kind != sympos.SymbolList
	}
	answer, last := q.among(n), int(max(q.position, 1))
	switch answer {
	case notThere:
		return notThere
	case several:
		last = 2
	case noneThere:
		last = n
	}
	// The last one that the kernel looks at decides whether any counts as found.
	if address0(list[last-1]) {
		return notThere
	}
	return answer
}

func (c *checker) message(q lookup, answer string) Message {
	object := q.object
	switch answer {
	case several:
		if object == sympos.Vmlinux {
			object = "(null)" // the kernel prints a null pointer
		}
		return says("livepatch: unresolvable ambiguity for symbol '%s' in object '%s'", q.name, object)
	case noneThere:
		return says("livepatch: symbol position %s for symbol '%s' in object '%s' not found", q.position, q.name, object)
	}
	return says("livepatch: symbol '%s' not found in symbol table", q.name)
}

func (c *checker) failed(q lookup, answer string, list []sympos.Symbol, find func(diag.ID, string) *Finding) *Finding {
	var f *Finding
	switch answer {
	case several:
		f = find(q.id(answer), fmt.Sprintf("%s has %d symbols called %s, and position 0 says that there is one", q.object, len(list), q.name))
	case noneThere:
		f = find(q.id(answer), fmt.Sprintf("%s has %d symbols called %s, and position %d is asked for", q.object, len(list), q.name, q.position))
	default:
		f = find(q.id(answer), fmt.Sprintf("%s has no symbol called %s", q.object, q.name))
		if as, ok := c.facts.table.FoundAs(q.object, q.name); ok {
			f.Cause = printable(fmt.Sprintf("this kernel finds what %s calls %s as %s only (CONFIG_LTO_CLANG)", q.object, q.name, as))
		}
		if len(list) > 0 {
			f.Cause = fmt.Sprintf("%s of %s is at address 0, which the kernel takes for not found", q.name, q.object)
		} else {
			c.missing = append(c.missing, missing{len(c.report.Findings) - 1, q})
		}
	}
	const most = 8
	for _, s := range list[:min(len(list), most)] {
		if s.Position > 0 {
			file := s.File
			if file == "" {
				file = fmt.Sprintf("%#x", s.Address)
			}
			f.fix("position %d: %c %s", s.Position, max(s.Type, '?'), printable(file))
		}
	}
	f.fix("klp-convert sympos %s --kernel %s%s", word(q.name+"@"+q.object), word(c.report.Kernel), c.given(q.object))
	return f
}

// absentTarget notes once that an object never comes.
func (c *checker) absentTarget(object, why string) {
	if c.absent[object] {
		return
	}
	c.absent[object] = true
	if c.patched(object) && c.misnamed(object) {
		return // said by structure
	}
	if c.patched(object) && c.facts.Presence(object) == sympos.BuiltIn { // the code is there, and stays as it is
		c.find(NoTarget, why+"; as it is, nothing is patched").of(object).fix("no name: that is vmlinux, for this kernel").when(Calling, "", "")
		return
	}
	c.note(NoTarget, why+": what the livepatch has for it is never used").of(object).when(Loading, "", "")
}

// misnamed reports whether the name of an object is a file's: in the name of a module that Kbuild
// makes, - is _ (scripts/Makefile.lib, name-fix-token).
func (c *checker) misnamed(object string) bool {
	return sympos.ModuleName(object) != object && !c.loaded[object] && c.facts.Presence(object) != sympos.Present
}

// ordinary: the loader applies an ordinary relocation of a klp symbol with the value that it
// has: 0, and no word (kernel/module/main.c, simplify_symbols and apply_relocations). Since
// 5.8 vmlinux's have their addresses once the first klp section with them has been applied,
// in the order of the sections.
func (c *checker) ordinary() {
	resolved := map[*elfrw.Symbol]int{} // section from which on it has its address
	if c.early() {
		for _, k := range c.klp {
			for i := range k.relocs {
				if y := k.relocs[i].Sym; k.applied() && k.object == sympos.Vmlinux && y != nil && resolved[y] == 0 {
					resolved[y] = k.index
				}
			}
		}
	}
	for i, s := range c.Sections {
		if !s.HasRelocs() || s.Target == nil || !s.Target.Alloc() || s.Flags&klpabi.FlagLivepatch != 0 {
			continue
		}
		said := map[*elfrw.Symbol]bool{}
		r := s.ReadRelocs()
		for x := r.Next(); x != nil; x = r.Next() {
			y := x.Sym
			if y == nil || y.Section != nil || y.Index != klpabi.IndexLivepatch || said[y] {
				continue
			}
			said[y] = true
			if at := resolved[y]; at != 0 && at < i+1 {
				continue
			}
			f := c.find(KlpSymbolOrdinary, "an ordinary relocation of a klp symbol: the loader takes its value, 0, without a word").at(s, x.Offset).of(y.Name)
			if strings.HasPrefix(s.Name, klpabi.SectionPrefix) {
				f.fix("the section lacks the flag 0x100000 (SHF_RELA_LIVEPATCH)")
			} else {
				f.fix("its place is in a klp relocation section: convert the module anew")
			}
			f.when(Calling, "", "", oops("page fault", c.functionAt(s.Target, x.Offset)))
		}
	}
}

// compact: apply_relocations (kernel/module/main.c, 7.x; 5.10: kernel/module.c) goes by the
// types SHT_REL and SHT_RELA and passes over all others, silently.
func (c *checker) compact() {
	for _, s := range c.Sections {
		if rewrite.IsCompact(c.File, s) && s.Target != nil && s.Target.Alloc() {
			c.find(RelocationType, "compact relocations (SHT_CREL), which no kernel reads: they are not applied").in(s).
				fix("build with the kernel's own flags (Kbuild), without --crel").when(Calling, "", "", oops("page fault", ""))
			return
		}
	}
}

// ordinaryTargets: x86 asks the same of ordinary relocations (apply_relocate_add). The first
// that fails ends it; what modpost left has none.
func (c *checker) ordinaryTargets() {
	if c.Header.Machine != elf.EM_X86_64 {
		return
	}
	for _, s := range c.Sections {
		if s.Target == nil || !s.Target.Alloc() || s.Flags&klpabi.FlagLivepatch != 0 {
			continue
		}
		if s.Type == elf.SHT_REL {
			c.find(RelocationType, "x86 has relocations of type SHT_RELA only").in(s).fix("build with the kernel's own flags (Kbuild)").
				when(Loading, "", "ENOEXEC", says("module %s: REL relocation unsupported", c.name))
			continue
		}
		if !s.HasRelocs() {
			continue
		}
		relocs := s.ReadRelocs()
		for r := relocs.Next(); r != nil; r = relocs.Next() {
			if c.ordinaryTarget(s, r) {
				break
			}
		}
	}
}

// ordinaryTarget reports whether the relocation makes the loader stop.
func (c *checker) ordinaryTarget(s *elfrw.Section, r *elfrw.Rela) bool {
	find := func(id diag.ID, cause string) *Finding {
		f := c.find(id, cause).at(s, r.Offset).fix("build with the kernel's own flags (Kbuild)")
		if r.Sym != nil {
			f.of(r.Sym.Name)
		}
		return f
	}
	width, ok := arch.RelocWidth(c.File, r.Type)
	if !ok || r.Type == uint32(elf.R_X86_64_PC64) && !c.pc64 {
		name := ""
		if r.Sym != nil {
			name = r.Sym.Name
		}
		find(RelocationType, "the loader does not apply "+arch.RelocName(c.File, r.Type)).
			when(Loading, "", "ENOEXEC", c.typeMessage(r.Type, name))
		return true
	}
	if width == 0 {
		return false
	}
	if size := s.Target.Size(); r.Offset > size || uint64(width) > size-r.Offset {
		if r.Offset >= unmapped {
			find(OutsideTarget, fmt.Sprintf("it writes behind the end of %s (%#x bytes)", s.Target, size)).
				when(Loading, "", "killed", oops("page fault", ""))
			return true
		}
		find(OutsideTarget, fmt.Sprintf("it writes behind the end of %s (%#x bytes); the kernel does not check, and what it overwrites is not known", s.Target, size)).
			when(Loading, "", "")
		return false
	}
	if d := s.Target.Data; uint64(len(d)) >= r.Offset+uint64(width) {
		if b := d[r.Offset : r.Offset+uint64(width)]; slices.ContainsFunc(b, func(x byte) bool { return x != 0 }) {
			find(NonzeroTarget, fmt.Sprintf("the %d bytes to be relocated are % x, not zero", width, b)).same("bytes").
				when(Loading, "", "ENOEXEC", c.nonzeroMessage(r.Type))
			return true
		}
	}
	if far(r) {
		find(OutsideTarget, fmt.Sprintf("the addend %#x does not fit into %s, which the kernel does not check", r.Addend, arch.RelocName(c.File, r.Type))).
			when(Calling, "", "", oops("page fault", c.functionAt(s.Target, r.Offset)))
		return false
	}
	absolute := r.Sym == nil || r.Sym.Section == nil && r.Sym.Index == elf.SHN_ABS
	if !absolute && overflows(r) {
		find(RelocationType, fmt.Sprintf("%s can't hold the address, or the addend %#x is too large for it", arch.RelocName(c.File, r.Type), r.Addend)).
			when(Loading, "", "ENOEXEC", c.overflowMessages(r.Type, c.name)...)
		return true
	}
	return false
}

// targets: what arch/*/kernel/module*.c, apply_relocate_add, asks of each relocation and its
// place. Only those of klp sections: what modpost left is what the kernel's build makes.
func (c *checker) targets() {
	for _, k := range c.klp {
		if !k.applied() || !c.gated(k) {
			continue
		}
		said := map[diag.ID]int{}
		for i := range k.relocs {
			c.target(k, &k.relocs[i].Rela, said)
		}
		if c.Header.Machine == elf.EM_X86_64 {
			c.unchecked("the reach of PC-relative relocations and of 32-bit addresses", "where the module and its target lie is known when they are loaded")
		}
	}
}

// mostOfAKind bounds how many findings of one id a section gets.
const mostOfAKind = 20

func (c *checker) target(k *klpSection, r *elfrw.Rela, said map[diag.ID]int) {
	symbol := ""
	if r.Sym != nil {
		symbol = r.Sym.Name
	}
	find := func(id diag.ID, cause string) *Finding {
		if said[id]++; said[id] > mostOfAKind {
			return &Finding{}
		}
		return c.find(id, cause).at(k.Section, r.Offset).of(symbol)
	}
	x86 := c.Header.Machine == elf.EM_X86_64
	width, ok := arch.RelocWidth(c.File, r.Type)
	if x86 && r.Type == uint32(elf.R_X86_64_PC64) && !c.pc64 {
		ok = false
	}
	if !ok {
		f := find(RelocationType, fmt.Sprintf("the loader does not apply %s", arch.RelocName(c.File, r.Type))).
			fix("build with the kernel's own flags (Kbuild)")
		c.whenOf(f, k, "ENOEXEC", c.typeMessage(r.Type, symbol))
		return
	}
	if x86 && width == 0 {
		f := find(RelocationType, "R_X86_64_NONE does nothing: what it stands for is never relocated")
		if k.target.Flags&uint64(elf.SHF_EXECINSTR) != 0 {
			c.whenCalled(f, k)
		} else {
			f.when(Loading, "", "")
		}
		return
	}
	if x86 && overflows(r) {
		c.whenOf(find(RelocationType, fmt.Sprintf("%s can't hold the address, or the addend %#x is too large for it", arch.RelocName(c.File, r.Type), r.Addend)), k, "ENOEXEC",
			c.overflowMessages(r.Type, c.name)...)
		return
	}
	size := k.target.Size()
	if need := uint64(max(width, 1)); r.Offset > size || need > size-r.Offset {
		f := find(OutsideTarget, fmt.Sprintf("it writes behind the end of %s (%#x bytes); the kernel does not check", k.target, size))
		if r.Offset >= unmapped {
			c.whenOf(f, k, "killed", oops("page fault", ""))
		} else {
			c.whenCalled(f, k)
		}
		return
	}
	if x86 && far(r) {
		c.whenCalled(find(OutsideTarget, fmt.Sprintf("the addend %#x does not fit into %s, which the kernel does not check", r.Addend, arch.RelocName(c.File, r.Type))), k)
		return
	}
	switch {
	case x86 && width > 0 && k.target.Data != nil && uint64(len(k.target.Data)) >= r.Offset+uint64(width):
		b := k.target.Data[r.Offset : r.Offset+uint64(width)]
		if slices.ContainsFunc(b, func(x byte) bool { return x != 0 }) {
			c.whenOf(find(NonzeroTarget, fmt.Sprintf("the %d bytes to be relocated are % x, not zero", width, b)).same("bytes"), k, "ENOEXEC", c.nonzeroMessage(r.Type)).
				fix("convert the module as modpost left it")
		}
	case c.Header.Machine == elf.EM_PPC64:
		c.callSequence(k, r, find)
	}
}

// unmapped is so far from a section that nothing is there.
const unmapped = 1 << 32

// overflows reports whether the kernel finds that the value does not fit, wherever the symbol is:
// addresses of the kernel are in the last 2 GiB, which 32 bits do not hold unless they are extended
// by their sign.
func overflows(r *elfrw.Rela) bool {
	switch elf.R_X86_64(r.Type) {
	case elf.R_X86_64_32:
		return true
	case elf.R_X86_64_32S:
		return r.Addend >= unmapped || r.Addend <= -unmapped
	}
	return false
}

// far reports whether a PC-relative value can't fit; that is not checked.
func far(r *elfrw.Rela) bool {
	t := elf.R_X86_64(r.Type)
	return (t == elf.R_X86_64_PC32 || t == elf.R_X86_64_PLT32) && (r.Addend >= unmapped || r.Addend <= -unmapped)
}

// whenCalled adds the case of code that was not relocated.
func (c *checker) whenCalled(f *Finding, k *klpSection) {
	f.when(Calling, "", "", oops("page fault", c.function(k)))
}

// callSequence: arch/powerpc/kernel/module_64.c, restore_r2.
func (c *checker) callSequence(k *klpSection, r *elfrw.Rela, find func(diag.ID, string) *Finding) {
	b := k.target.Data
	const nop = 0x60000000
	switch {
	case r.Type == uint32(elf.R_PPC64_REL24) && r.Offset+8 <= uint64(len(b)) && r.Offset < uint64(len(b)):
		if c.Uint32(b[r.Offset:])&1 == 0 || c.Uint32(b[r.Offset+4:]) == nop {
			return
		}
		c.whenOf(find(CallSequence, "the instruction behind the call is no nop, which the kernel needs to restore the TOC pointer"), k, "ENOEXEC",
			says("%s: Expected nop after call, got %s at %s", c.name, fmt.Sprintf("%08x", c.Uint32(b[r.Offset+4:])), anything))
	case r.Type != uint32(elf.R_PPC64_REL24) && c.late(k) && k.target.Flags&uint64(elf.SHF_WRITE) == 0:
		f := find(LateReadOnly, "a plain store into "+k.target.String()+", which is read-only by then (STRICT_MODULE_RWX)")
		c.whenOf(f, k, "killed", oops("page fault", "apply_relocate_add"))
	}
}

// typeMessage is what the architecture says of a type that it does not know.
func (c *checker) typeMessage(t uint32, symbol string) Message {
	switch c.Header.Machine {
	case elf.EM_X86_64:
		return says("module: %s: Unknown rela relocation: %s", c.name, t)
	case elf.EM_PPC64:
		return says("%s: Unknown ADD relocation: %s", c.name, t)
	case elf.EM_S390:
		return says("module %s: unknown relocation: %s", c.name, t)
	case elf.EM_AARCH64:
		return says("module %s: unsupported RELA relocation: %s", c.name, t)
	case elf.EM_LOONGARCH:
		return says("%s: Un%s relocation type %s", c.name, blank{"known", "(known|support)"}, t)
	}
	return says("%s: %s", c.name, anything)
}

// overlaps: two relocations of the same bytes. x86 refuses the second one, which finds what
// the first has written; elsewhere it overwrites or adds to it.
func (c *checker) overlaps() {
	type span struct {
		from, to uint64
		klp      *klpSection // nil: ordinary
		section  *elfrw.Section
		index    int
		r        elfrw.Rela
	}
	marked := map[*elfrw.Section]*klpSection{}
	targets := map[*elfrw.Section]bool{}
	for _, k := range c.klp {
		if k.applied() && c.gated(k) && len(k.relocs) > 0 {
			marked[k.Section], targets[k.target] = k, true
		}
	}
	byTarget := map[*elfrw.Section][]span{}
	add := func(s *elfrw.Section, target *elfrw.Section, index int, r elfrw.Rela) {
		width, _ := arch.RelocWidth(c.File, r.Type)
		if c.Header.Machine == elf.EM_X86_64 && width == 0 {
			return // NONE
		}
		if r.Offset > target.Size() {
			return
		}
		byTarget[target] = append(byTarget[target], span{r.Offset, r.Offset + uint64(max(width, 1)), marked[s], s, index, r})
	}
	for i, s := range c.Sections {
		switch k := marked[s]; {
		case k != nil:
			for j := range k.relocs {
				add(s, k.target, i, k.relocs[j].Rela)
			}
		case s.HasRelocs() && s.Target != nil && s.Target.Alloc() && (targets[s.Target] || c.Header.Machine == elf.EM_X86_64) && s.Flags&klpabi.FlagLivepatch == 0:
			r := s.ReadRelocs()
			for x := r.Next(); x != nil; x = r.Next() {
				add(s, s.Target, i, *x)
			}
		}
	}
	for _, t := range c.Sections {
		spans := byTarget[t]
		slices.SortStableFunc(spans, func(a, b span) int {
			if d := cmp.Compare(a.from, b.from); d != 0 {
				return d
			}
			return cmp.Compare(a.index, b.index)
		})
		said := 0
		for i := 1; i < len(spans) && said < mostOfAKind; i++ {
			a, b := spans[i-1], spans[i]
			if b.from >= a.to || a.klp == nil && b.klp == nil && c.Header.Machine != elf.EM_X86_64 {
				continue
			}
			if c.Header.Machine == elf.EM_LOONGARCH && a.section == b.section {
				continue // SOP, ADD and SUB build one value
			}
			// Which is second: the one that waits, else that of the later section.
			second := b
			if a.klp != nil && c.late(a.klp) && (b.klp == nil || !c.late(b.klp)) || (a.klp == nil || !c.late(a.klp)) == (b.klp == nil || !c.late(b.klp)) && a.index > b.index {
				second = a
			}
			said++
			symbol := ""
			if second.r.Sym != nil {
				symbol = second.r.Sym.Name
			}
			f := c.find(Overlap, fmt.Sprintf("%s and %s relocate the same bytes of %s", a.section, b.section, t)).at(second.section, second.r.Offset).of(symbol).
				fix("a relocation is in one section only: convert the module anew")
			switch {
			case c.Header.Machine != elf.EM_X86_64:
				f.Cause += ", and the second overwrites or adds to the first"
				f.when(Calling, "", "", oops("page fault", c.functionAt(t, second.from)))
			case second.klp != nil:
				c.whenOf(f, second.klp, "ENOEXEC", c.nonzeroMessage(second.r.Type))
			default:
				f.when(Loading, "", "ENOEXEC", c.nonzeroMessage(second.r.Type))
			}
		}
	}
}

// pltSections: the linker script of modules makes sections for tables of jumps, which some
// architectures look for before they do anything (module_frob_arch_sections).
func (c *checker) pltSections() {
	missing := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return c.File.Section(n) == nil })
	}
	var message Message
	switch m := c.Header.Machine; {
	case m == elf.EM_PPC64 && missing(".stubs"):
		message = says("%s: doesn't contain .stubs.", c.name)
	case m == elf.EM_AARCH64 && missing(".plt", ".init.plt"):
		message = says("%s: module PLT section(s) missing", c.name)
	case m == elf.EM_LOONGARCH && missing(".plt"):
		message = says("%s: module PLT section(s) missing", c.name)
	case m == elf.EM_LOONGARCH && missing(".got"):
		message = says("%s: module GOT section(s) missing", c.name)
	default:
		return
	}
	c.find(PLTSections, "the module lacks sections that the linker script of modules makes").
		fix("link it with Kbuild (scripts/module.lds)").when(Loading, "", "ENOEXEC", message)
}
