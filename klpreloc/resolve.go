// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
)

// With a kernel's symbols at hand, an annotation is not taken on trust. What the
// loader would say when the module comes, or would not say while it takes the
// wrong symbol, is said here (kernel/livepatch/core.c, klp_find_object_symbol).

const vmlinux = sympos.Vmlinux

// Options are what a conversion may know beside the module.
type Options struct {
	// Kernel is the kernel that the module is for; nil when there is none.
	Kernel *sympos.Kernel
	// Imports says that Kernel knows every export there is: an undefined symbol
	// that nobody exports is an error then, in ordinary modules too.
	Imports bool
	// NoInfer converts nothing that the author did not annotate.
	NoInfer bool
	// ConvertModuleExports makes klp relocations of references to exports of
	// modules that the livepatch does not patch.
	ConvertModuleExports bool
	// Target is the kernel's version, if it is another than the module says.
	Target kernel.Version
	// KeepInert refuses what would have to be dropped, although nobody would
	// notice: tracepoints and debug messages that can't be switched on.
	KeepInert bool
	// Unsafe converts what will break on the kernel, for experiments.
	Unsafe bool
}

// Answers are what a kernel's symbols said and the module does not: what a
// conversion rests on beside the annotations.
type Answers struct {
	Looked  []Answer
	Depends []string // modules that nothing needs any more, which leave depends=
	Scheme  kernel.Scheme
	Unsafe  bool // klp relocations may be where they can't work
	// KeepInert says that no entry left its table for that nobody misses it.
	KeepInert bool
}

// Answer says what an undefined symbol is that carries no annotation, or one
// without a position.
type Answer struct {
	Num      int // of the symbol (elfrw.Symbol.Num)
	LPObject string
	Object   string
	Name     string
	Pos      uint32
}

// answer notes for Prove what a's position or all of it rests on.
func (p *planner) answer(a *annotation.Annotation) {
	p.Looked = append(p.Looked, Answer{a.Symbol.Num(), a.LPObject, a.Object, a.Name, a.Pos})
}

// survey reads from the kernel what the module's undefined symbols could be.
func (p *planner) survey() {
	k := p.Kernel
	if k == nil || !p.Input.Annotated() && !p.infers() && !p.Imports {
		return
	}
	if magic := p.Input.Modinfo.Release(); magic != "" && k.Release != "" && magic != k.Release {
		p.Add(diag.Warnf(diag.OtherKernel, diag.Nowhere, "", "the module is built for %s, and symbols are looked up in %s", diag.Clip(magic), k.Release))
	}
	var names []string
	for _, y := range p.File.Symbols {
		if y.Undefined() && klpabi.PossibleName(y.Name) {
			names = append(names, y.Name)
		}
	}
	objects := map[string]bool{sympos.Vmlinux: true}
	for i := range p.Input.Annotations {
		a := &p.Input.Annotations[i]
		if klpabi.PossibleName(a.Name) {
			names = append(names, a.Name)
		}
		for _, o := range []string{a.LPObject, a.Object} {
			if o = klpabi.ModuleName(o); klpabi.CheckObject(o) == nil {
				objects[o] = true
			}
		}
	}
	for o := range p.gates.objects() {
		objects[o] = true
	}
	for o := range objects {
		p.objects = append(p.objects, o)
	}
	sort.Strings(p.objects)
	read := slices.Clone(p.objects)
	for _, o := range klpabi.DependsOf(p.Input.Modinfo) { // their exports count
		if !objects[o] && klpabi.CheckObject(o) == nil {
			objects[o] = true
			read = append(read, o)
		}
	}
	names = append(append(names, kernel.SchemeSymbols()...), bounds...)
	from := k.Read
	if !p.Input.Annotated() && !p.infers() {
		from = k.ReadExports
	}
	if k.BuiltFor = p.Input.Modinfo.Release(); p.Target != (kernel.Version{}) {
		k.BuiltFor = p.Target.String()
	}
	table, err := from(sympos.Names(names...), read...)
	if err != nil {
		p.Add(diag.Errorf(diag.KernelUnreadable, diag.Nowhere, "", "kernel %s: %v", p.kernelTitle(), err))
		return
	}
	for _, note := range table.Notes {
		p.Add(diag.Notef(diag.KernelUnreadable, diag.Nowhere, "", "kernel %s: %s", p.kernelTitle(), note))
	}
	for _, w := range append(slices.Clone(k.Warnings), table.Warnings...) {
		if strings.HasPrefix(w, sympos.PassedOver) {
			p.notRead(w)
			continue
		}
		p.Add(diag.Warnf(diag.Contradiction, diag.Nowhere, "", "kernel %s: %s: the files given as one kernel are not of one kernel", p.kernelTitle(), w))
	}
	for _, line := range append(slices.Clone(k.Incomplete), table.Incomplete()...) {
		p.Add(diag.Warnf(diag.Incomplete, diag.Nowhere, "", "kernel %s: %s: what follows from it may be wrong", p.kernelTitle(), line).
			Hint("copy it again, or give the kernel's image: a table that is found in one is whole"))
	}
	p.table = table
}

// notRead reports a module that is passed over.
func (p *planner) notRead(warning string) {
	p.Add(diag.Warnf(diag.NotChecked, diag.Nowhere, "", "kernel %s: %s: what it exports is not known", p.kernelTitle(), warning))
}

// kernelTitle is what to call the kernel: by its release, or else as it was asked for.
func (p *planner) kernelTitle() string {
	if p.Kernel.Release != "" {
		return p.Kernel.Release
	}
	return p.Kernel.Name
}

// exportsKnown reports whether anything tells what vmlinux exports. A table without
// data symbols (no KALLSYMS_ALL) does not.
func (p *planner) exportsKnown() bool { return p.table.KnowsExports(vmlinux) }

// patches reports whether the livepatch patches the object: its klp_patch says so
// or, where that can't be read, an annotation names it.
func (p *planner) patches(object string) bool {
	if p.gates.complete() {
		return p.gates.objects()[object]
	}
	_, ok := slices.BinarySearch(p.objects, object)
	return ok
}

// validate holds an annotation against the kernel, and reports whether it stands.
func (p *planner) validate(a *annotation.Annotation) bool {
	if p.table == nil {
		return true
	}
	if a.LPObject != a.Object && !p.exists(a, a.LPObject) || !p.exists(a, a.Object) {
		return false
	}
	if !p.table.Has(a.Object) {
		return true // said by exists
	}
	list := p.table.Lookup(a.Object, a.Name)
	_, err := p.table.Resolve(a.Object, a.Name, uint64(a.Pos))
	switch {
	case err == nil:
	case p.table.Partial(a.Object) != "" && (errors.Is(err, sympos.ErrNotFound) || errors.Is(err, sympos.ErrPosition)):
		return true // it may be in what is missing, and Incomplete was said
	case errors.Is(err, sympos.ErrNotFound):
		if as, ok := p.table.FoundAs(a.Object, a.Name); ok {
			p.Add(diag.Errorf(diag.NoSuchSymbol, a.Place(), a.Name, "%s has a symbol called %s, which kernel %s finds as %s only (CONFIG_LTO_CLANG)", a.Object, a.Name, p.kernelTitle(), as).
				WithHints(p.lines(a, p.table.Lookup(a.Object, as))...))
			return false
		}
		p.missing(diag.NoSuchSymbol, a, "%s has no symbol called %s", a.Object, a.Name)
		return false
	case errors.Is(err, sympos.ErrAmbiguous):
		p.Add(diag.Errorf(diag.Ambiguous, a.Place(), a.Name, "symbol %s is ambiguous in %s (%d candidates)", a.Name, a.Object, len(list)).
			WithHints(p.lines(a, list)...))
		return false
	case errors.Is(err, sympos.ErrPosition):
		p.Add(diag.Errorf(diag.BadPosition, a.Place(), a.Name, "position %d of symbol %s in %s: there %s", a.Pos, a.Name, a.Object, are(len(list))).
			WithHints(p.lines(a, list)...))
		return false
	case errors.Is(err, sympos.ErrUnordered):
		if p.Repeats(diag.OrderUnknown, a.Object, a.Place(), a.Name) {
			break
		}
		p.AddFor(a.Object, diag.Warnf(diag.OrderUnknown, a.Place(), a.Name, "%s has %d symbols called %s, and %s does not tell in which order the kernel counts them: position %d is not checked",
			a.Object, len(list), a.Name, "the "+p.table.Facts(a.Object).Kind.String(), a.Pos))
	case errors.Is(err, sympos.ErrUnsteady):
		p.unsteady(a, err, list)
		return false
	default: // sympos.ErrAddress0
		p.unsteady(a, err, list)
		return false
	}
	if s, err := p.table.Resolve(a.Object, a.Name, uint64(a.Pos)); err == nil && p.freed(s) {
		p.Add(diag.Errorf(diag.InitSymbol, a.Place(), a.Name, "symbol %s of vmlinux is in what the kernel frees when it has booted (__init)", a.Name).
			WithHints(p.lines(a, list)...))
		return false
	}
	p.doubt(a)
	return true
}

// unsteady reports a position that means no symbol, or not always the same one.
func (p *planner) unsteady(a *annotation.Annotation, err error, list []sympos.Symbol) {
	if errors.Is(err, sympos.ErrUnsteady) {
		p.Add(diag.Errorf(diag.Unsteady, a.Place(), a.Name, "which symbol %s of %s is at position %d depends on whether the module is being loaded or is loaded: one of that name is in what is freed then", a.Name, a.Object, a.Pos).
			WithHints(p.lines(a, list)...))
		return
	}
	p.Add(diag.Errorf(diag.Unsteady, a.Place(), a.Name, "%v", err).WithHints(p.lines(a, list)...))
}

// bounds are the symbols between which vmlinux's init sections lie, and within them
// the per-CPU variables' first values, whose addresses stand for the variables
// (arch/*/kernel/vmlinux.lds.S; on x86 since 6.15).
var bounds = []string{"__init_begin", "__init_end", "__per_cpu_start", "__per_cpu_end"}

// freed reports whether s is a symbol of vmlinux that is gone when the kernel has
// booted. The loader finds it all the same.
func (p *planner) freed(s sympos.Symbol) bool {
	if s.Object != vmlinux || s.Address == 0 || p.table.Facts(vmlinux).NoAddresses {
		return false
	}
	at := func(name string) uint64 {
		if list := p.table.Lookup(vmlinux, name); len(list) == 1 {
			return list[0].Address
		}
		return 0
	}
	in := func(from, to uint64) bool { return from != 0 && s.Address >= from && s.Address < to }
	return in(at(bounds[0]), at(bounds[1])) && !in(at(bounds[2]), at(bounds[3]))
}

// doubt passes on that the sources contradict each other.
func (p *planner) doubt(a *annotation.Annotation) {
	if d := p.table.Doubt(a.Object, a.Name); d != "" {
		if p.Repeats(diag.Contradiction, a.Object, a.Place(), a.Name) {
			return
		}
		p.AddFor(a.Object, diag.Warnf(diag.Contradiction, a.Place(), a.Name, "%s: the files given as one kernel are not of one kernel", d))
	}
	if d := p.table.Unsure(a.Object, a.Name); d != "" {
		p.Add(diag.Warnf(diag.NameUnsure, a.Place(), a.Name, "%s", d).Hint("--kernel with the kernel's release and configuration: /lib/modules/R and /boot/config-R"))
	}
}

// are counts symbols in a sentence.
func are(n int) string {
	if n == 1 {
		return "is 1 of that name"
	}
	return "are " + strconv.Itoa(n) + " of that name"
}

// presence says whether the kernel has the object.
func (p *planner) presence(object string) sympos.Presence {
	presence := p.Kernel.Presence(object)
	if presence == sympos.Unknown && p.table.Facts(vmlinux).Kind == sympos.SymbolList && len(p.table.Incomplete()) == 0 {
		presence = sympos.Absent // the build listed all objects
	}
	return presence
}

// nothingKnown reports whether no source tells of the object, nor whether it exists.
func (p *planner) nothingKnown(object string) bool {
	if p.table.Has(object) {
		return false
	}
	presence := p.presence(object)
	return presence != sympos.BuiltIn && presence != sympos.Absent
}

// exists checks that the kernel has the object; true also when nothing tells.
func (p *planner) exists(a *annotation.Annotation, object string) bool {
	if p.table.Has(object) {
		return true
	}
	switch p.presence(object) {
	case sympos.BuiltIn:
		b := *a
		if b.LPObject == object {
			b.LPObject = vmlinux
		}
		if b.Object == object {
			b.Object = vmlinux
		}
		if !p.Repeats(diag.BuiltInObject, object, a.Place(), a.Name) {
			p.AddFor(object, diag.Errorf(diag.BuiltInObject, a.Place(), a.Name, "%s is built into kernel %s: its symbols are vmlinux's", object, p.kernelTitle()))
		}
		if list := p.table.Lookup(b.Object, b.Name); len(list) > 0 {
			p.HintFor(diag.BuiltInObject, object, p.lines(a, list)...)
		} else {
			p.absent = append(p.absent, absence{diag.BuiltInObject, object, b})
		}
		return false
	case sympos.Absent:
		if p.Repeats(diag.NoSuchObject, object, a.Place(), a.Name) {
			return false
		}
		d := diag.Errorf(diag.NoSuchObject, a.Place(), a.Name, "kernel %s has no module %s", p.kernelTitle(), object)
		for _, near := range nearObjects(object, p.Kernel.Modules()) {
			d = d.Hint("there is one called %s", near)
		}
		p.AddFor(object, d.Hint("a module that does not come with the kernel: --module FILE"))
		return false
	}
	switch {
	case p.unknown[object]:
	case object == vmlinux:
		p.unknown[object] = true
		p.Add(diag.Warnf(diag.NotChecked, a.Place(), a.Name, "nothing that was given for kernel %s has the symbols of vmlinux: what is said about it is not checked", p.kernelTitle()).
			Hint("--kernel vmlinuz or vmlinux"))
	default:
		p.unknown[object] = true
		p.Add(diag.Warnf(diag.NotChecked, a.Place(), a.Name, "nothing that describes kernel %s knows module %s: what is said about it is not checked", p.kernelTitle(), object).
			Hint("--module %s.ko", object))
	}
	return true
}

// missing reports a symbol that is not where it should be, with what could have
// been meant.
func (p *planner) missing(id diag.ID, a *annotation.Annotation, format string, args ...any) {
	what := strconv.Itoa(len(p.absent))
	p.AddFor(what, diag.Errorf(id, a.Place(), a.Name, format, args...))
	p.absent = append(p.absent, absence{id, what, *a})
}

// absence is a diagnostic that waits for its hints.
type absence struct {
	id   diag.ID
	what string // that the diagnostic is about
	annotation.Annotation
}

// nearMisses gives the absent symbols their hints, all in one reading.
func (p *planner) nearMisses() {
	if len(p.absent) == 0 {
		return
	}
	var names []string
	for _, a := range p.absent {
		names = append(names, a.Name)
	}
	near, table := readNear(p.Kernel, p.table, names)
	for _, a := range p.absent {
		misses, more := near.misses(table, a.Object, a.Name)
		p.HintFor(a.id, a.what, p.described(&a.Annotation, table, misses)...)
		if more > 0 {
			p.HintFor(a.id, a.what, fmt.Sprintf("and %d more that are no nearer", more))
		}
	}
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// wanting reports whether y is an undefined symbol that no annotation is
// about and that somebody has to define.
func (p *planner) wanting(y *elfrw.Symbol) bool {
	return y.Undefined() && y.Name != "" && !annotation.IsLabel(y.Name) && !p.annotated[y] && !klpabi.ModpostIgnores(p.Header.Machine, y.Name)
}
