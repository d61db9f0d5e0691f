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
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/rewrite"
	"github.com/klp-convert/klp-convert/sympos"
)

// checkKlpSymbols follows klp_resolve_symbols in kernel/livepatch/core.c, for each section that is
// ever applied. It stops at the first mistake; all are reported, each symbol once.
func checkKlpSymbols(m *view, k *facts) (out result) {
	for _, klp := range m.klp {
		if !klp.applied() || klp.object == "" || !mayApply(m, k, klp) {
			continue
		}
		seen := map[*elfrw.Symbol]bool{}
		for i := range klp.relocs {
			r := &klp.relocs[i]
			if !seen[r.Sym] {
				seen[r.Sym] = true
				checkKlpSymbol(&out, m, k, klp, i, r)
			}
		}
	}
	return out
}

// positionOverflows reports whether a klp symbol's position does not fit into 64 bits.
func positionOverflows(name string) bool {
	digits := strings.TrimSpace(name[strings.LastIndexByte(name, ',')+1:])
	if end := strings.IndexFunc(digits, func(x rune) bool { return x < '0' || x > '9' }); end >= 0 {
		digits = digits[:end]
	}
	_, err := strconv.ParseUint(digits, 10, 64)
	return errors.Is(err, strconv.ErrRange)
}

// checkKlpSymbol checks the symbol of one klp relocation, in the order in which the kernel does.
func checkKlpSymbol(out *result, m *view, k *facts, klp *klpSection, i int, r *klpReloc) {
	name := ""
	if r.Sym != nil {
		name = r.Sym.Name
	}
	find := func(id diag.ID, cause string) finding {
		return problem(id, cause).
			at(klp.Section, r.Offset).of(name)
	}
	if r.Sym == nil || r.Sym.Section != nil || r.Sym.Index != klpabi.IndexLivepatch {
		message := says("livepatch: symbol %s is not marked as a livepatch symbol", name)
		if k.RelaIndex {
			var at any = i
			switch m.file.Header.Machine {
			case elf.EM_PPC64, elf.EM_PPC, elf.EM_AARCH64, elf.EM_LOONGARCH:
				at = anyNumber // module_frob_arch_sections sorts relocations
			}
			message = says("livepatch: symbol %s at rela sec %s idx %s is not marked as a "+
				"livepatch symbol", name, anyNumber, at)
		}
		out.add(whenOf(m, k, find(diag.NotKlpSymbol, "a klp relocation of a symbol whose section index "+
			"is not 0xff20 (SHN_LIVEPATCH)"), klp, "EINVAL", message).
			fix("it belongs in the ordinary relocation section"))
		return
	}
	stored := name
	if k.StoredLimit > 0 && k.late(klp) {
		stored = name[:min(len(name), k.StoredLimit)]
	}
	if why := k.whyUnreadable(name); why != "" {
		out.add(whenOf(m, k, find(diag.SymbolGrammar, why), klp, "EINVAL", says("livepatch: symbol %s "+
			"has an incorrectly formatted name", stored)).
			fix("%s<object>.<name>,<position>", klpabi.SymbolPrefix))
		return
	}
	if stored != name {
		checkStoredName(out, m, k, klp, name, stored, find)
		return
	}
	n := r.klp
	if k.Saturates && positionOverflows(name) {
		largest := *n
		largest.position, n = math.MaxUint64, &largest
	}
	switch {
	case k.Early() && klp.object != sympos.Vmlinux && n.object == sympos.Vmlinux:
		out.add(whenOf(m, k, find(diag.VmlinuxInModule, "since 5.8 a section for a module may not name "+
			"a symbol of vmlinux"), klp, "EINVAL",
			says("livepatch: invalid access to vmlinux symbol '%s' from module-specific livepatch "+
				"relocation section", n.name)).
			fix("it belongs in %svmlinux.%s", klpabi.SectionPrefix, klp.target))
	case klp.object == sympos.Vmlinux && n.object != sympos.Vmlinux && !m.keeps(n.object):
		f := find(diag.ModuleInVmlinux, "a symbol of module "+n.object+" in what is applied without "+
			"waiting for it: it is found if the module happens to be loaded, and nothing keeps it there").
			because(n.object).
			fix("it belongs in %s%s.%s", klpabi.SectionPrefix, n.object, klp.target)
		message := says("livepatch: symbol '%s' not found in symbol table", n.name)
		if !k.loaded[n.object] {
			out.add(whenOf(m, k, f, klp, "EINVAL", message))
			return
		}
		out.add(f.when(diag.Loading, n.object, "EINVAL", message)) // if it is not loaded
		lookUpKlpSymbol(out, m, k, klp, n, find)
	default:
		if n.object != sympos.Vmlinux && n.object != klp.object && !m.keeps(n.object) {
			checkForeignSymbol(out, m, k, klp, n, find)
		}
		lookUpKlpSymbol(out, m, k, klp, n, find)
	}
}

// whyUnreadable says why sscanf of this kernel does not read a klp symbol's name, "" when it does:
// .klp.sym.%55[^.].%127[^,],%lu, and %511 since 6.1.
func (k *facts) whyUnreadable(name string) string {
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
	case !comma && len(symbol) <= k.NameLimit:
		return "the position is missing"
	case len(symbol) > k.NameLimit:
		return fmt.Sprintf("the symbol's name has %d bytes; this kernel reads %d", len(symbol),
			k.NameLimit)
	case !digits:
		return fmt.Sprintf("the position %q is not a number", position[:min(len(position), 20)])
	}
	return ""
}

// checkStoredName: add_kallsyms has copied that much of the name for relocations that are applied
// late, so that the position is gone or, where digits are left of it, another one.
func checkStoredName(out *result, m *view, k *facts, klp *klpSection, name, stored string,
	find func(diag.ID, string) finding) {
	const fix = "reach it by a symbol whose name is shorter; from 5.19 on there is no such limit"
	cause := fmt.Sprintf("the name has %d bytes, of which this kernel stores %d for a relocation "+
		"that is applied with %s", len(name), len(stored), klp.object)
	if k.whyUnreadable(stored) != "" {
		out.add(whenOf(m, k, find(diag.KlpSymbolTruncated, cause+": the position is cut off"), klp,
			"EINVAL", says("livepatch: symbol %s has an incorrectly formatted name", stored)).fix(fix))
		return
	}
	position := stored[strings.LastIndexByte(stored, ',')+1:]
	out.add(whenCalled(m, k, find(diag.KlpSymbolTruncated, fmt.Sprintf("%s: it takes "+
		"position %s for %s", cause, position, name[strings.LastIndexByte(name, ',')+1:])).
		fix(fix), klp))
}

// checkForeignSymbol: a symbol of a module that nothing loads before the one that is waited for.
func checkForeignSymbol(out *result, m *view, k *facts, klp *klpSection, n *klpName,
	find func(diag.ID, string) finding) {
	gate := k.modules[klp.object]
	if gate == nil {
		out.notJudged(fmt.Sprintf("whether %s is there when %s comes, whose symbol "+
			"%s is needed then", n.object, klp.object, n.name), "module "+klp.object+" is not available")
		return
	}
	if k.dependencies(gate)[n.object] {
		return
	}
	f := find(diag.ForeignOwner, fmt.Sprintf("%s of module %s is needed when %s comes, which does "+
		"not depend on it: it is found if it happens to be loaded", n.name, n.object, klp.object))
	out.add(whenObject(m, k, f, klp.object, "EINVAL", says("livepatch: symbol '%s' not "+
		"found in symbol table", n.name)))
}

// lookUpKlpSymbol looks the symbol up as klp_find_object_symbol does.
func lookUpKlpSymbol(out *result, m *view, k *facts, klp *klpSection, n *klpName,
	find func(diag.ID, string) finding) {
	q := lookup{n.object, n.name, n.position, [3]diag.ID{diag.KlpSymbolAbsent,
		diag.KlpSymbolAmbiguous, diag.KlpPositionAbsent}}
	lookUp(out, m, k, q, find, func(f finding, now, later bool, message diag.KernelMessage) finding {
		if klp.object == sympos.Vmlinux || n.object == sympos.Vmlinux || n.object != klp.object {
			return whenOf(m, k, f, klp, "EINVAL", message)
		}
		return whenEither(m, k, f, klp.object, now, later, message)
	})
}

// whenEither returns f with the cases in which a module's symbol is not found: while it is
// loaded, and while it comes.
func whenEither(m *view, k *facts, f finding, object string, now, later bool,
	message diag.KernelMessage) finding {
	if now && k.loaded[object] {
		f = f.when(diag.Enabling, "", "EINVAL", message)
	}
	if later {
		f = whenComing(m, f, object, "EINVAL", message)
	}
	if len(f.Cases) == 0 {
		f = f.when(diag.Enabling, object, "EINVAL", message) // if it is loaded by then
	}
	return f
}

// A lookup is a question to klp_find_object_symbol, and the ids of its answers.
type lookup struct {
	object, name string
	position     uint64
	ids          [3]diag.ID // no symbol, several, no such position
}

// lookUp answers it for a kernel that has the object, in both orders: while a module comes
// all of its symbols count, later those that are kept. find makes a finding of the place that
// asks, and when returns it with its cases. It reports whether it added a finding.
func lookUp(out *result, m *view, k *facts, q lookup, find func(diag.ID, string) finding,
	when func(f finding, now, later bool, message diag.KernelMessage) finding,
) (failed bool) {
	t := k.table
	if !t.Has(q.object) {
		switch k.Presence(q.object) {
		case sympos.Absent:
			checkAbsentObject(out, m, k, q.object, "this kernel has no such module")
		case sympos.BuiltIn:
			checkAbsentObject(out, m, k, q.object, "it is part of vmlinux in this kernel: what is patched "+
				"in it belongs to the object vmlinux")
		default:
			from := "--module " + q.object + ".ko"
			if q.object == sympos.Vmlinux {
				from = "--kernel with its image, vmlinux, System.map or /proc/kallsyms"
			}
			out.notJudged(fmt.Sprintf("symbol %s of %s", q.name, q.object), "no available file "+
				"has the symbols of "+q.object+": "+from)
		}
		return false
	}
	list := t.Lookup(q.object, q.name)
	recordPosition(out, k, q, list)
	kept := 0
	for _, s := range list {
		if s.Loaded != 0 {
			kept++
		}
	}
	if len(list) > 0 && list[0].Position == 0 {
		kept = len(list) // order not known
	}
	later, now := k.answer(q, len(list), list), k.answer(q, kept, list)
	if why := t.Partial(q.object); why != "" {
		// More than one is several whatever is missing; fewer may be more.
		out.notJudged("symbols and positions in "+q.object, why)
		if later != "" && later != answerAmbiguous {
			return false
		}
	}
	switch {
	case later != "" && later == now:
		out.add(when(notFound(k, q, later, list, find), true, true, q.message(later)))
		failed = true
	case later != "":
		out.add(when(notFound(k, q, later, list, find), false, true, q.message(later)))
		failed = true
	case now != "":
		f := notFound(k, q, now, list, find)
		f.Message = "once " + q.object + " is loaded, what is in its .init sections and " +
			"the like is gone: " + f.Message
		out.add(when(f, true, false, q.message(now)))
		failed = true
	case len(list) > 1 && list[0].Position == 0:
		out.notJudged(fmt.Sprintf("position %d of %s in %s", q.position, q.name, q.object),
			t.Facts(q.object).Kind.String()+" does not tell in which order the kernel counts")
	case q.position > 0 && list[q.position-1].Position != 0 && !list[q.position-1].Steady():
		out.add(find(diag.KlpPositionUnsteady, fmt.Sprintf("which symbol %s of %s is at position %d "+
			"depends on whether the module is being loaded or is loaded", q.name, q.object, q.position)).
			when(diag.Calling, "", ""))
		failed = true
	}
	if d := t.Unsure(q.object, q.name); d != "" {
		out.notJudged("symbol "+q.name+" of "+q.object, d)
	}
	if d := t.Doubt(q.object, q.name); d != "" {
		out.notJudged("symbol "+q.name+" of "+q.object, "the given files come from different kernels: "+d)
	}
	return failed
}

// Answers of klp_find_object_symbol.
const (
	answerAbsent     = "absent"
	answerAmbiguous  = "several"
	answerNoPosition = "position"
)

// among is the answer where there are n symbols of the name.
func (q lookup) among(n int) string {
	switch {
	case n == 0:
		return answerAbsent
	case q.position == 0 && n > 1:
		return answerAmbiguous
	case q.position > uint64(n):
		return answerNoPosition
	}
	return ""
}

// id is that of an answer.
func (q lookup) id(answer string) diag.ID {
	switch answer {
	case answerAmbiguous:
		return q.ids[1]
	case answerNoPosition:
		return q.ids[2]
	}
	return q.ids[0]
}

// answer is that of the kernel, where the first n of the symbols count.
func (k *facts) answer(q lookup, n int, list []sympos.Symbol) string {
	address0 := func(s sympos.Symbol) bool {
		f := k.table.Facts(q.object)
		return q.object == sympos.Vmlinux && s.Address == 0 && !f.NoAddresses && f.Relative == "" &&
			f.Kind != sympos.SymbolList
	}
	answer, last := q.among(n), int(max(q.position, 1))
	switch answer {
	case answerAbsent:
		return answerAbsent
	case answerAmbiguous:
		last = 2
	case answerNoPosition:
		last = n
	}
	// The last one that the kernel looks at decides whether any counts as found.
	if address0(list[last-1]) {
		return answerAbsent
	}
	return answer
}

// message is what the kernel prints of an answer.
func (q lookup) message(answer string) diag.KernelMessage {
	object := q.object
	switch answer {
	case answerAmbiguous:
		if object == sympos.Vmlinux {
			object = "(null)" // the kernel prints a null pointer
		}
		return says("livepatch: unresolvable ambiguity for symbol '%s' in object '%s'", q.name, object)
	case answerNoPosition:
		return says("livepatch: symbol position %s for symbol '%s' in "+
			"object '%s' not found", q.position, q.name, object)
	}
	return says("livepatch: symbol '%s' not found in symbol table", q.name)
}

// notFound makes the finding of an answer, with the symbols that there are.
func notFound(k *facts, q lookup, answer string, list []sympos.Symbol,
	find func(diag.ID, string) finding) finding {
	var f finding
	switch answer {
	case answerAmbiguous:
		f = find(q.id(answer), fmt.Sprintf("%s has %d symbols called %s, and position 0 says "+
			"that there is one", q.object, len(list), q.name))
	case answerNoPosition:
		f = find(q.id(answer), fmt.Sprintf("%s has %d symbols called %s, and "+
			"position %d is asked for", q.object, len(list), q.name, q.position))
	default:
		f = find(q.id(answer), fmt.Sprintf("%s has no symbol called %s", q.object, q.name))
		if as, ok := k.table.FoundAs(q.object, q.name); ok {
			f = find(q.id(answer), fmt.Sprintf("this kernel finds what %s calls %s as %s only "+
				"(CONFIG_LTO_CLANG)", q.object, q.name, as))
		}
		if len(list) > 0 {
			f = find(q.id(answer), fmt.Sprintf("%s of %s is at address 0, which the kernel "+
				"treats as not found", q.name, q.object))
		} else {
			f.sought = &q
		}
	}
	const most = 8
	for _, s := range list[:min(len(list), most)] {
		if s.Position > 0 {
			file := s.File
			if file == "" {
				file = fmt.Sprintf("%#x", s.Address)
			}
			f = f.fix("position %d: %c %s", s.Position, max(s.Type, '?'), diag.Printable(file))
		}
	}
	return f.fix("klp-convert sympos %s --kernel %s%s", diag.ShellQuote(q.name+"@"+q.object),
		diag.ShellQuote(k.Name), k.moduleOption(q.object))
}

// checkAbsentObject notes once that an object never comes.
func checkAbsentObject(out *result, m *view, k *facts, object, why string) {
	if !out.first("no object "+object) || m.patchesObject(object) && k.misnamed(object) {
		return // checkPatchStructure reports what is misnamed
	}
	// the code is there, and stays as it is
	if m.patchesObject(object) && k.Presence(object) == sympos.BuiltIn {
		out.add(problem(diag.TargetAbsent, why+"; as it is, nothing is patched").of(object).
			fix("leave the name out: that means vmlinux, for this kernel").when(diag.Calling, "", ""))
		return
	}
	out.add(note(diag.TargetAbsent, why+": what the livepatch has for it is never used").of(object).
		when(diag.Loading, "", ""))
}

// misnamed reports whether the name of an object is a file's: in the name of a module that Kbuild
// makes, - is _ (scripts/Makefile.lib, name-fix-token).
func (k *facts) misnamed(object string) bool {
	return sympos.ModuleName(object) != object && !k.loaded[object] &&
		k.Presence(object) != sympos.Present
}

// checkOrdinaryRelocs: the loader silently applies an ordinary relocation of a klp symbol with
// the value that it has: 0 (kernel/module/main.c, simplify_symbols and apply_relocations). Since
// 5.8 vmlinux's have their addresses once the first klp section with them has been applied,
// in the order of the sections.
func checkOrdinaryRelocs(m *view, k *facts) (out result) {
	resolved := map[*elfrw.Symbol]int{} // section from which on it has its address
	var again map[relocated]bool
	if k.Early() {
		for _, klp := range m.klp {
			for i := range klp.relocs {
				if y := klp.relocs[i].Sym; klp.applied() && klp.object == sympos.Vmlinux && y != nil &&
					resolved[y] == 0 {
					resolved[y] = klp.index
				}
			}
		}
	}
	for i, s := range m.file.Sections {
		if !s.HasRelocs() || s.Target == nil || !s.Target.Alloc() || s.Flags&klpabi.FlagLivepatch != 0 {
			continue
		}
		seen := map[*elfrw.Symbol]bool{}
		r := s.ReadRelocs()
		for x := r.Next(); x != nil; x = r.Next() {
			y := x.Sym
			if y == nil || y.Section != nil || y.Index != klpabi.IndexLivepatch || seen[y] {
				continue
			}
			seen[y] = true
			if at := resolved[y]; at != 0 && at < i+1 {
				continue
			}
			refused := m.refusesZero(x)
			cause := "an ordinary relocation of a klp symbol: the loader silently uses its value, 0"
			if refused {
				cause = "an ordinary relocation of a klp symbol, whose value is 0, too far from the module"
			}
			f := problem(diag.KlpSymbolOrdinary, cause).at(s, x.Offset).of(y.Name)
			if strings.HasPrefix(s.Name, klpabi.SectionPrefix) {
				f = f.fix("the section lacks the flag 0x100000 (SHF_RELA_LIVEPATCH)")
			} else {
				f = f.fix("it belongs in a klp relocation section: convert the module again")
			}
			if refused {
				out.add(f.when(diag.Loading, "", "ENOEXEC", m.fieldMessages(x)...))
				return out
			}
			if again == nil {
				again = m.overwritten()
			}
			if again[relocated{s.Target, x.Offset, x.Type, y}] {
				out.add(f.when(diag.Loading, "", ""))
				continue
			}
			out.add(f.when(diag.Calling, "", "", k.unrelocated(m.functionAt(s.Target, x.Offset))))
		}
	}
	return out
}

// relocated is what a relocation writes, and where.
type relocated struct {
	section *elfrw.Section
	offset  uint64
	typ     uint32
	symbol  *elfrw.Symbol
}

// overwritten returns what klp relocations write over whatever an ordinary one has left at the same
// place. x86 refuses that, and s390x keeps what its GOT and PLT have.
func (m *view) overwritten() map[relocated]bool {
	switch m.file.Header.Machine {
	case elf.EM_PPC64, elf.EM_AARCH64, elf.EM_LOONGARCH:
	default:
		return nil
	}
	all := map[relocated]bool{}
	for _, klp := range m.klp {
		if !klp.applied() {
			continue
		}
		for i := range klp.relocs {
			r := &klp.relocs[i]
			all[relocated{klp.target, r.Offset, r.Type, r.Sym}] = true
		}
	}
	return all
}

// checkCompact: apply_relocations (kernel/module/main.c, 7.x; 5.10: kernel/module.c) goes by the
// types SHT_REL and SHT_RELA and passes over all others, silently.
func checkCompact(m *view, k *facts) (out result) {
	for _, s := range m.file.Sections {
		if rewrite.IsCompact(m.file, s) && s.Target != nil && s.Target.Alloc() {
			out.add(problem(diag.RelocationType, "compact relocations (SHT_CREL), which no kernel reads: "+
				"they are not applied").in(s).
				fix("build with the kernel's own flags (Kbuild), without --crel").
				when(diag.Calling, "", "", k.unrelocated("")))
			return
		}
	}
	return out
}

// checkOrdinaryPlaces: the loaders ask the same of ordinary relocations (apply_relocate_add).
// The first that fails ends it; what modpost left has none. On machines other than x86 their
// types are checked, and whether the value can fit at all.
func checkOrdinaryPlaces(m *view, k *facts) (out result) {
	x86 := m.file.Header.Machine == elf.EM_X86_64
	for _, s := range m.file.Sections {
		if s.Target == nil || !s.Target.Alloc() || s.Flags&klpabi.FlagLivepatch != 0 {
			continue
		}
		if s.Type == elf.SHT_REL {
			out.add(problem(diag.RelocationType, "the loader applies relocations of type SHT_RELA only").
				in(s).
				fix("build with the kernel's own flags (Kbuild)").
				when(diag.Loading, "", "ENOEXEC", says("module %s: REL relocation unsupported", m.name)))
			continue
		}
		if !s.HasRelocs() {
			continue
		}
		if m.file.Header.Machine == elf.EM_LOONGARCH {
			checkSorted(&out, m, k, s)
			continue
		}
		relocs := s.ReadRelocs()
		for r := relocs.Next(); r != nil; r = relocs.Next() {
			if x86 && checkOrdinaryPlace(&out, m, k, s, r) ||
				!x86 && refusesOrdinary(&out, m, k, s, r) {
				break
			}
		}
	}
	return out
}

// refusesOrdinary reports whether the relocation makes another machine's loader stop.
func refusesOrdinary(out *result, m *view, k *facts, s *elfrw.Section, r *elfrw.Rela) bool {
	return refusesOrdinaryType(out, m, k, s, r) || faultsAtOrdinaryPlace(out, m, s, r) ||
		refusesOrdinaryValue(out, m, k, s, r)
}

// checkSorted is that for the section of loongarch64, in the order in which it is applied.
func checkSorted(out *result, m *view, k *facts, s *elfrw.Section) {
	machine, pushed := m.file.Header.Machine, false
	for _, r := range m.inOrder(s) {
		if refusesOrdinary(out, m, k, s, &r) {
			return
		}
		if pushed = pushed || pushes(machine, r.Type); !pushed && pops(machine, r.Type) {
			out.add(emptyStack(m, s, &r).when(diag.Loading, "", "ENOEXEC"))
			return
		}
	}
}

// refusesOrdinaryType reports whether the type makes the loader stop.
func refusesOrdinaryType(out *result, m *view, k *facts, s *elfrw.Section, r *elfrw.Rela) bool {
	if k.applies(m.file, r.Type) {
		return false
	}
	f := problem(diag.RelocationType, "the loader does not apply "+arch.RelocName(m.file, r.Type)).
		at(s, r.Offset).fix("build with the kernel's own flags (Kbuild)")
	if r.Sym != nil {
		f = f.of(r.Sym.Name)
	}
	out.add(f.when(diag.Loading, "", m.typeErrno(), m.typeMessages(r.Type)...))
	return true
}

// faultsAtOrdinaryPlace reports whether the loader reads or writes at a place far from everything.
func faultsAtOrdinaryPlace(out *result, m *view, s *elfrw.Section, r *elfrw.Rela) bool {
	size := s.Target.Size()
	if r.Offset < unmapped || r.Offset < size || widthOf(m.file, r.Type) == 0 || m.refusesFarPlace(r) {
		return false
	}
	f := problem(diag.OutsideTarget, fmt.Sprintf("it writes past the end of %s (%#x bytes)", s.Target,
		size)).at(s, r.Offset).fix("build with the kernel's own flags (Kbuild)")
	if r.Sym != nil {
		f = f.of(r.Sym.Name)
	}
	out.add(f.when(diag.Loading, "", "killed", oops("page fault", "")))
	return true
}

// refusesOrdinaryValue reports whether the value makes the loader stop, wherever the module and
// what it refers to are. An absolute symbol has any value.
func refusesOrdinaryValue(out *result, m *view, k *facts, s *elfrw.Section, r *elfrw.Rela) bool {
	machine := m.file.Header.Machine
	if m.leavesData(s.Target, r) {
		errno, says := m.leavesDataMessage(r)
		out.add(problem(diag.RelocationType, m.whyLeavesData(s.Target, r)).at(s, r.Offset).
			of(r.Sym.Name).fix("build with the kernel's own flags (Kbuild)").
			when(diag.Loading, "", errno, says))
		return true
	}
	f, has := fields()[machine][r.Type]
	if !has || !f.checked || r.Sym == nil || r.Sym.Section == nil && r.Sym.Index != 0 {
		return false
	}
	value := r.Addend
	if f.form == distance {
		if r.Sym.Section == nil {
			return false // how far an import is depends
		}
		value -= int64(r.Offset)
	}
	if !k.overflowsField(machine, f, m.name, value) {
		return false
	}
	out.add(problem(diag.RelocationType, fmt.Sprintf("the value does not fit into %s",
		arch.RelocName(m.file, r.Type))).at(s, r.Offset).of(r.Sym.Name).
		fix("build with the kernel's own flags (Kbuild)").
		when(diag.Loading, "", "ENOEXEC", m.fieldMessages(r)...))
	return true
}

// checkOrdinaryPlace reports whether the relocation makes the loader stop.
func checkOrdinaryPlace(out *result, m *view, k *facts, s *elfrw.Section, r *elfrw.Rela) bool {
	find := func(id diag.ID, cause string) finding {
		f := problem(id, cause).at(s, r.Offset).fix("build with the kernel's own flags (Kbuild)")
		if r.Sym != nil {
			f = f.of(r.Sym.Name)
		}
		return f
	}
	width := widthOf(m.file, r.Type)
	if !k.applies(m.file, r.Type) {
		out.add(find(diag.RelocationType, "the loader does not apply "+arch.RelocName(m.file, r.Type)).
			when(diag.Loading, "", "ENOEXEC", m.typeMessage(r.Type)))
		return true
	}
	if width == 0 {
		return false
	}
	if size := s.Target.Size(); r.Offset > size || uint64(width) > size-r.Offset {
		if r.Offset >= unmapped {
			out.add(find(diag.OutsideTarget, fmt.Sprintf("it writes past the end "+
				"of %s (%#x bytes)", s.Target, size)).
				when(diag.Loading, "", "killed", oops("page fault", "")))
			return true
		}
		out.add(find(diag.OutsideTarget, fmt.Sprintf("it writes past the end of %s (%#x bytes); the "+
			"kernel does not check, and what it overwrites is not known", s.Target, size)).
			when(diag.Loading, "", ""))
		return false
	}
	if d := s.Target.Data; uint64(len(d)) >= r.Offset+uint64(width) {
		if b := d[r.Offset : r.Offset+uint64(width)]; slices.ContainsFunc(b,
			func(x byte) bool { return x != 0 }) {
			out.add(find(diag.CheckNonzeroTarget, fmt.Sprintf("the %d bytes to be relocated "+
				"are % x, not zero", width, b)).because("bytes").
				when(diag.Loading, "", "ENOEXEC", k.nonzeroMessage(r.Type)))
			return true
		}
	}
	if exceedsRange(r) {
		out.add(find(diag.OutsideTarget, fmt.Sprintf("the addend %#x does not fit into %s, which the "+
			"kernel does not check", r.Addend, arch.RelocName(m.file, r.Type))).
			when(diag.Calling, "", "", oops("page fault", m.functionAt(s.Target, r.Offset))))
		return false
	}
	absolute := r.Sym == nil || r.Sym.Section == nil && r.Sym.Index == elf.SHN_ABS
	if !absolute && overflows(r) {
		out.add(find(diag.RelocationType, fmt.Sprintf("%s can't hold the address, or the addend %#x is "+
			"too large for it", arch.RelocName(m.file, r.Type), r.Addend)).
			when(diag.Loading, "", "ENOEXEC", k.overflowMessages(r.Type, m.name)...))
		return true
	}
	return false
}

// checkKlpPlaces: what arch/*/kernel/module*.c, apply_relocate_add, asks of each relocation and
// its place. Only those of klp sections: what modpost left is what the kernel's build makes.
func checkKlpPlaces(m *view, k *facts) (out result) {
	for _, klp := range m.klp {
		if !klp.applied() || !mayApply(m, k, klp) {
			continue
		}
		of := map[diag.ID]int{}
		add := func(f finding) {
			if of[f.ID]++; of[f.ID] <= mostOfAKind {
				out.add(f)
			}
		}
		pushed := false
		for i := range klp.relocs {
			r := &klp.relocs[i].Rela
			machine := m.file.Header.Machine
			pushed = pushed || pushes(machine, r.Type)
			if !pushed && pops(machine, r.Type) && k.applies(m.file, r.Type) {
				add(whenOf(m, k, emptyStack(m, klp.Section, r), klp, "ENOEXEC"))
				continue
			}
			checkKlpPlace(m, k, klp, &klp.relocs[i], add)
		}
		out.notChecked("the reach of PC-relative relocations and of "+
			"32-bit addresses", "where the module and its target lie is known when they are loaded")
	}
	return out
}

// mostOfAKind bounds how many findings of one id a section gets.
const mostOfAKind = 20

// checkKlpPlace checks one klp relocation. add adds a finding, up to a bound.
func checkKlpPlace(m *view, k *facts, klp *klpSection, of *klpReloc, add func(finding)) {
	r := &of.Rela
	symbol := ""
	if r.Sym != nil {
		symbol = r.Sym.Name
	}
	find := func(id diag.ID, cause string) finding {
		return problem(id, cause).at(klp.Section, r.Offset).of(symbol)
	}
	x86 := m.file.Header.Machine == elf.EM_X86_64
	width := widthOf(m.file, r.Type)
	if !k.applies(m.file, r.Type) {
		f := find(diag.RelocationType, fmt.Sprintf("the loader does not apply %s",
			arch.RelocName(m.file, r.Type))).
			fix("build with the kernel's own flags (Kbuild)")
		add(whenOf(m, k, f, klp, m.typeErrno(), m.typeMessages(r.Type)...))
		return
	}
	if doesNothing(m.file, r.Type) {
		f := find(diag.RelocationType, arch.RelocName(m.file, r.Type)+" does nothing: what it "+
			"stands for is never relocated")
		if klp.target.Flags&uint64(elf.SHF_EXECINSTR) != 0 {
			add(whenCalled(m, k, f, klp))
		} else {
			add(f.when(diag.Loading, "", ""))
		}
		return
	}
	if x86 && overflows(r) {
		add(whenOf(m, k, find(diag.RelocationType, fmt.Sprintf("%s can't hold the address, or the "+
			"addend %#x is too large for it", arch.RelocName(m.file, r.Type), r.Addend)), klp, "ENOEXEC",
			k.overflowMessages(r.Type, m.name)...))
		return
	}
	size := klp.target.Size()
	if need := uint64(max(width, 1)); r.Offset > size || need > size-r.Offset {
		f := find(diag.OutsideTarget, fmt.Sprintf("it writes past the end of %s (%#x bytes); the "+
			"kernel does not check", klp.target, size))
		switch {
		case r.Offset >= unmapped && m.refusesFarPlace(r):
			add(whenOf(m, k, f, klp, "ENOEXEC", m.fieldMessages(r)...))
		case r.Offset >= unmapped:
			add(whenOf(m, k, f, klp, "killed", oops("page fault", "")))
		default:
			add(whenCalled(m, k, f, klp))
		}
		return
	}
	if x86 && exceedsRange(r) {
		add(whenCalled(m, k, find(diag.OutsideTarget, fmt.Sprintf("the addend %#x does not fit into %s, "+
			"which the kernel does not check", r.Addend, arch.RelocName(m.file, r.Type))), klp))
		return
	}
	// What is not refused for its value is stored.
	plain := m.file.Header.Machine == elf.EM_PPC64 && storesPlainly(r.Type) && k.late(klp)
	if plain && !m.refusesValues(r) && checkPlainStore(m, k, klp, find, add) {
		return
	}
	if !x86 && checkField(m, k, klp, of, find, add) {
		return
	}
	switch {
	case x86 && width > 0 && klp.target.Data != nil &&
		uint64(len(klp.target.Data)) >= r.Offset+uint64(width):
		b := klp.target.Data[r.Offset : r.Offset+uint64(width)]
		if slices.ContainsFunc(b, func(x byte) bool { return x != 0 }) {
			add(whenOf(m, k, find(diag.CheckNonzeroTarget, fmt.Sprintf("the %d bytes to be relocated "+
				"are % x, not zero", width, b)).because("bytes"), klp, "ENOEXEC", k.nonzeroMessage(r.Type)).
				fix("convert the module as modpost left it"))
		}
	case m.file.Header.Machine == elf.EM_PPC64 && checkCallSequence(m, k, klp, r, find, add):
	case !x86:
		checkOverwritten(m, k, klp, r, find, add)
	}
}

// unmapped is so far from a section that nothing is there.
const unmapped = 1 << 32

// overflows reports whether the kernel finds that the value does not fit, wherever the symbol is:
// addresses of the kernel are in the last 2 GiB, which 32 bits do not hold unless they are
// extended by their sign.
func overflows(r *elfrw.Rela) bool {
	switch elf.R_X86_64(r.Type) {
	case elf.R_X86_64_32:
		return true
	case elf.R_X86_64_32S:
		return r.Addend >= unmapped || r.Addend <= -unmapped
	}
	return false
}

// exceedsRange reports whether a PC-relative value can't fit; that is not checked.
func exceedsRange(r *elfrw.Rela) bool {
	t := elf.R_X86_64(r.Type)
	return (t == elf.R_X86_64_PC32 || t == elf.R_X86_64_PLT32) &&
		(r.Addend >= unmapped || r.Addend <= -unmapped)
}

// whenCalled returns f with the case of code that was not relocated.
func whenCalled(m *view, k *facts, f finding, klp *klpSection) finding {
	return f.when(diag.Calling, "", "", k.unrelocated(m.functionOf(klp)))
}

// checkCallSequence follows restore_r2 in arch/powerpc/kernel/module_64.c. It reports whether it
// added a finding.
func checkCallSequence(m *view, k *facts, klp *klpSection, r *elfrw.Rela,
	find func(diag.ID, string) finding, add func(finding)) bool {
	b := klp.target.Data
	const nop, loadTOC = 0x60000000, 0xe8410018 // ld r2,24(r1)
	switch {
	case r.Type == uint32(elf.R_PPC64_REL24) && r.Offset+8 <= uint64(len(b)) &&
		r.Offset < uint64(len(b)):
		call, next := m.file.Uint32(b[r.Offset:]), m.file.Uint32(b[r.Offset+4:])
		if pcrel, _ := k.set("PPC_KERNEL_PCREL"); pcrel || !isLinkBranch(call) || next == nop ||
			next == loadTOC && k.RestoredTOC {
			return false
		}
		add(whenOf(m, k, find(diag.CallSequence, "the instruction after the call is not a nop, which "+
			"the kernel needs to restore the TOC pointer"), klp, "ENOEXEC",
			says("%s: Expected nop after call, got %s at %s", m.name,
				fmt.Sprintf("%08x", next), anything)))
		return true
	case storesPlainly(r.Type) && k.late(klp):
		return checkPlainStore(m, k, klp, find, add)
	}
	return false
}

// checkPlainStore: a late store of ppc64 into memory that is read-only by then. It reports whether
// it added a finding.
func checkPlainStore(m *view, k *facts, klp *klpSection, find func(diag.ID, string) finding,
	add func(finding)) bool {
	if k.leavesWritable(m) {
		return false
	}
	readOnly := klp.target.Flags&uint64(elf.SHF_WRITE) == 0
	// While init runs, from where livepatches are enabled, this is still writable.
	afterInit := kernel.ReadOnlyAfterInit(klp.target.Name) && klp.object != sympos.Vmlinux
	if !readOnly && !afterInit {
		return false
	}
	f := find(diag.LateReadOnly, "a plain store into "+klp.target.String()+", which is read-only "+
		"by then (STRICT_MODULE_RWX)")
	message := oops("page fault", "apply_relocate_add")
	if readOnly {
		add(whenOf(m, k, f, klp, "killed", message))
	} else {
		add(whenComing(m, f, klp.object, "killed", message))
	}
	return true
}

// isLinkBranch reports whether a PowerPC instruction is a relative branch that returns (b or bc
// without AA and with LK; arch/powerpc/lib/code-patching.c, instr_is_relative_link_branch).
func isLinkBranch(v uint32) bool {
	return v&0xfc000003 == 0x48000001 || v&0xfc000003 == 0x40000001
}

// storesPlainly reports whether the loader of ppc64 writes what such a relocation fills in by
// plain stores: branches and prefixed instructions it patches, and two markers it passes over.
func storesPlainly(t uint32) bool {
	switch t {
	case 10, 109, 116, 118, 132: // REL24, TOCSAVE, REL24_NOTOC, ENTRY, PCREL34
		return false
	}
	return true
}

// applies reports whether the loader of this kernel applies the type. On top of what it applies to
// klp symbols (arch.Machine), that of ppc64 knows types that are about the module itself.
func (k *facts) applies(f *elfrw.File, t uint32) bool {
	_, ok := arch.RelocWidth(f, t)
	switch f.Header.Machine {
	case elf.EM_X86_64:
		return ok && (t != uint32(elf.R_X86_64_PC64) || k.PC64)
	case elf.EM_PPC64:
		pcrel, known := k.set("PPC_KERNEL_PCREL")
		switch t {
		case 116, 132, 133: // REL24_NOTOC, PCREL34, GOT_PCREL34
			return pcrel || !known && k.RestoredTOC // not in 6.1
		case 47, 48, 50, 51, 63, 64, 109: // TOC16*, TOC, TOCSAVE
			return !pcrel
		case 118, 250, 252: // ENTRY, REL16_LO, REL16_HA
			return true
		}
	case elf.EM_LOONGARCH:
		return ok || k.HighLowPairs && t >= 128 && t <= 131 // PCADD_*, GOT_PCADD_*
	}
	return ok
}

// doesNothing reports whether the loader passes over the type.
func doesNothing(f *elfrw.File, t uint32) bool {
	if f.Header.Machine == elf.EM_LOONGARCH && (t == 20 || t == 21) { // MARK_LA, MARK_PCREL
		return true
	}
	row := arch.Machines[f.Header.Machine]
	return row != nil && slices.Contains(row.None, t)
}

// typeErrno is the error of a type that the loader does not apply.
func (m *view) typeErrno() string {
	if m.file.Header.Machine == elf.EM_LOONGARCH {
		return "EINVAL"
	}
	return "ENOEXEC"
}

// typeMessages are what it says of it: of those for shared objects, s390x says nothing.
func (m *view) typeMessages(t uint32) []diag.KernelMessage {
	if m.file.Header.Machine == elf.EM_S390 && t >= 9 && t <= 12 { // COPY to RELATIVE
		return nil
	}
	return []diag.KernelMessage{m.typeMessage(t)}
}

// typeMessage is what the architecture says of a type that it does not know.
func (m *view) typeMessage(t uint32) diag.KernelMessage {
	switch m.file.Header.Machine {
	case elf.EM_X86_64:
		return says("module: %s: Unknown rela relocation: %s", m.name, t)
	case elf.EM_PPC64:
		return says("%s: Unknown ADD relocation: %s", m.name, t)
	case elf.EM_S390:
		return says("module %s: unknown relocation: %s", m.name, t)
	case elf.EM_AARCH64:
		return says("module %s: unsupported RELA relocation: %s", m.name, t)
	case elf.EM_LOONGARCH:
		return says("%s: Un%s relocation type %s%s", m.name, blank{"support", "(known|support)"}, t,
			blank{"", "(, please add its support.)?"})
	}
	return says("%s: %s", m.name, anything)
}

// checkOverlaps: two relocations of the same bytes. x86 refuses the second one, which finds what
// the first has written; elsewhere it overwrites or adds to it.
func checkOverlaps(m *view, k *facts) (out result) {
	// There is one for each relocation of the module.
	type span struct {
		from    uint64
		width   uint8
		section int32 // number, from 0
		reloc   int32 // number in it
	}
	marked := map[*elfrw.Section]*klpSection{}
	targets := map[*elfrw.Section]bool{}
	for _, klp := range m.klp {
		if klp.applied() && mayApply(m, k, klp) && len(klp.relocs) > 0 {
			marked[klp.Section], targets[klp.target] = klp, true
		}
	}
	byTarget := map[*elfrw.Section][]span{}
	add := func(target *elfrw.Section, section, i int, r *elfrw.Rela) {
		width := widthOf(m.file, r.Type)
		if width == 0 {
			return // NONE
		}
		if r.Offset > target.Size() {
			return
		}
		byTarget[target] = append(byTarget[target],
			span{r.Offset, uint8(max(width, 1)), int32(section), int32(i)})
	}
	for i, s := range m.file.Sections {
		switch klp := marked[s]; {
		case klp != nil:
			byTarget[klp.target] = slices.Grow(byTarget[klp.target], len(klp.relocs))
			for j := range klp.relocs {
				add(klp.target, i, j, &klp.relocs[j].Rela)
			}
		case s.HasRelocs() && s.Target != nil && s.Target.Alloc() &&
			(targets[s.Target] || m.file.Header.Machine == elf.EM_X86_64) &&
			s.Flags&klpabi.FlagLivepatch == 0:
			byTarget[s.Target] = slices.Grow(byTarget[s.Target], s.NumRelocs())
			r, j := s.ReadRelocs(), 0
			for x := r.Next(); x != nil; x = r.Next() {
				add(s.Target, i, j, x)
				j++
			}
		}
	}
	type overlap struct {
		from    uint64
		klp     *klpSection // nil: ordinary
		section *elfrw.Section
		index   int
		r       elfrw.Rela
	}
	read := func(x span) overlap {
		s := m.file.Sections[x.section]
		o := overlap{from: x.from, klp: marked[s], section: s, index: int(x.section)}
		if o.klp != nil {
			o.r = o.klp.relocs[x.reloc].Rela
		} else {
			o.r = s.Reloc(int(x.reloc))
		}
		return o
	}
	for _, t := range m.file.Sections {
		spans := byTarget[t]
		slices.SortStableFunc(spans, func(a, b span) int {
			if d := cmp.Compare(a.from, b.from); d != 0 {
				return d
			}
			return cmp.Compare(a.section, b.section)
		})
		found := 0
		for i := 1; i < len(spans) && found < mostOfAKind; i++ {
			if spans[i].from >= spans[i-1].from+uint64(spans[i-1].width) {
				continue
			}
			a, b := read(spans[i-1]), read(spans[i])
			if a.klp == nil && b.klp == nil && m.file.Header.Machine != elf.EM_X86_64 {
				continue
			}
			if m.file.Header.Machine == elf.EM_LOONGARCH && a.section == b.section {
				continue // SOP, ADD and SUB build one value
			}
			// Which is second: the one that waits, else that of the later section.
			second := b
			if a.klp != nil && k.late(a.klp) && (b.klp == nil || !k.late(b.klp)) ||
				(a.klp == nil || !k.late(a.klp)) == (b.klp == nil || !k.late(b.klp)) && a.index > b.index {
				second = a
			}
			found++
			symbol := ""
			if second.r.Sym != nil {
				symbol = second.r.Sym.Name
			}
			f := problem(diag.Overlap, fmt.Sprintf("%s and %s relocate the "+
				"same bytes of %s", a.section, b.section, t)).at(second.section, second.r.Offset).of(symbol).
				fix("a relocation is in one section only: convert the module again")
			x86 := m.file.Header.Machine == elf.EM_X86_64
			same := a.from == b.from && a.r.Type == b.r.Type && a.r.Sym == b.r.Sym &&
				a.r.Addend == b.r.Addend
			switch {
			case !x86 && same && (m.file.Header.Machine != elf.EM_PPC64 || k.RestoredTOC):
				f.Severity = diag.Note
				f.Message += ", and the second writes what the first has written"
				out.add(f.when(diag.Loading, "", ""))
			case !x86:
				f.Message += ", and the second overwrites or adds to the first"
				out.add(f.when(diag.Calling, "", "", k.unrelocated(m.functionAt(t, second.from))))
			case second.klp != nil:
				out.add(whenOf(m, k, f, second.klp, "ENOEXEC", k.nonzeroMessage(second.r.Type)))
			default:
				out.add(f.when(diag.Loading, "", "ENOEXEC", k.nonzeroMessage(second.r.Type)))
			}
		}
	}
	return out
}

// tableSections are sections that every module has, from arch/powerpc/include/asm/module.h or from
// arch/*/include/asm/module.lds.h, in the order in which the loader looks for them
// (arch/powerpc/kernel/module_64.c, arch/arm64/kernel/module-plts.c and
// arch/loongarch/kernel/module-sections.c, module_frob_arch_sections), and what it says when
// there is none.
var tableSections = map[elf.Machine][]struct{ name, message string }{
	elf.EM_PPC64: {{".stubs", "%s: doesn't contain .stubs."}},
	elf.EM_AARCH64: {{".plt", "%s: module PLT section(s) missing"},
		{".init.plt", "%s: module PLT section(s) missing"}},
	elf.EM_LOONGARCH: {{".got", "%s: module GOT section(s) missing"},
		{".plt", "%s: module PLT section(s) missing"},
		{".plt.idx", "%s: module PLT.IDX section(s) missing"}},
}

// checkPLTSections: sections for tables of jumps, which some architectures look for before they
// do anything.
func checkPLTSections(m *view, k *facts) (out result) {
	machine := m.file.Header.Machine
	for _, s := range tableSections[machine] {
		if m.file.Section(s.name) == nil {
			out.add(lacksSection(s.name).when(diag.Loading, "", "ENOEXEC", says(s.message, m.name)))
			return out
		}
	}
	if pcrel, _ := k.set("PPC_KERNEL_PCREL"); machine == elf.EM_PPC64 && pcrel &&
		m.file.Section(".mygot") == nil {
		out.add(lacksSection(".mygot").
			when(diag.Loading, "", "ENOEXEC", says("%s: doesn't contain .mygot.", m.name)))
	}
	img := m.image
	for i := 0; img != nil && countsEntries(machine) && i < img.count; i++ {
		if img.kind(i) == elf.SHT_RELA && img.info(i) >= img.count {
			out.end(problem(diag.SectionHeader, fmt.Sprintf("sh_info of section %d names a section that "+
				"does not exist, and the kernel reads what it takes for that one's flags: the module was "+
				"not judged", i)).
				fix("sh_info has to be the index of the section that is relocated").
				when(diag.Loading, "", ""))
			return out
		}
	}
	return out
}

// countsEntries reports whether the machine's module_frob_arch_sections looks at the target of
// each relocation section, to count the entries of the tables.
func countsEntries(machine elf.Machine) bool {
	return machine == elf.EM_AARCH64 || machine == elf.EM_LOONGARCH
}

func lacksSection(name string) finding {
	return problem(diag.PLTSections, "the module lacks "+name+", which Kbuild gives to every module").
		fix("build it with Kbuild")
}

// checkTrampolines: arm64 puts the jumps to ftrace there when all else is done, and says nothing
// when it can't (arch/arm64/kernel/module.c, module_init_ftrace_plt).
func checkTrampolines(m *view, _ *facts) (out result) {
	if m.file.Header.Machine != elf.EM_AARCH64 {
		return
	}
	for _, name := range []string{".text.ftrace_trampoline", ".init.text.ftrace_trampoline"} {
		if m.file.Section(name) == nil {
			out.add(lacksSection(name).when(diag.Loading, "", "ENOEXEC"))
			return out
		}
	}
	return out
}
