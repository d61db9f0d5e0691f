// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"errors"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/resolve"
	"github.com/klp-convert/klp-convert/sympos"
)

// Options say for which kernel, and what is there already.
type Options struct {
	Kernel *sympos.Kernel
	// Loaded are modules that are loaded before the livepatch. Every livepatched
	// object is judged for coming later, these for being there as well.
	Loaded []string
	// ComparesFiles says that the report is for Compare: the paths of source files are read
	// from debug information.
	ComparesFiles bool
	// File is the livepatch's path, for hints that can be pasted; "" when it has none.
	File string
}

// checker goes through the rules.
type checker struct {
	*elfrw.File
	*contract
	raw     []byte
	facts   *facts
	info    klpabi.Modinfo
	input   *annotation.Set
	name    string // of the module
	patches []*klppatch.Patch
	doubt   error // why patches are not all
	objects []string
	loaded  map[string]bool
	klp     []*klpSection
	report  *Report
	path    string // of the livepatch, as a word of a command line
	image   *image // of the file; nil until it is read

	funcs     map[*elfrw.Section][]*elfrw.Symbol // by value; nil until needed
	pointers  map[*elfrw.Section]map[uint64]elfrw.Rela
	users     map[*elfrw.Symbol]string // a function that uses an undefined symbol; nil until needed
	table     map[string]uint64        // of versions
	annotates map[*elfrw.Symbol]bool   // symbols that are annotated, and not converted
	needed    []string                 // depends=
	spaces    []string                 // import_ns=
	doubts    map[Unchecked]bool
	absent    map[string]bool // objects that the kernel does not have, said already
	missing   []missing       // findings about names that are not there
	named     map[string]bool // objects
	said      map[string]bool // modules that modprobe loads first
	exporters map[string]bool // modules that the livepatch imports from
	sharing   map[string]bool // objects whose functions are another's
	held      map[string]bool // modules that those need; nil until needed

	comparesFiles bool
	who           *resolve.Exporters // of what is imported; nil until needed
	ownTaken      []*elfrw.Symbol    // functions of the module whose address is taken; nil until needed
	klpTaken      []takenSymbol      // and klp symbols
}

// Module is a file to be checked, read once for any number of kernels.
type Module struct {
	raw     []byte
	file    *elfrw.File
	broken  error // why file is nil
	input   *annotation.Set
	info    klpabi.Modinfo
	patches []*klppatch.Patch
	doubt   error
	klp     []*klpSection
}

// Open reads the module. What is wrong with it is found by Check, not here. The
// bytes must not change while it is in use.
func Open(b []byte) *Module {
	m := &Module{raw: b}
	m.file, m.broken = parse(b)
	if m.broken != nil {
		return m
	}
	m.input, _ = annotation.Read(m.file)
	m.info = m.input.Modinfo
	m.patches, m.doubt = klppatch.Read(m.file)
	m.klp = klpSections(m.file)
	return m
}

// Check predicts what the kernel makes of the module. The error is about the
// kernel's files.
func (m *Module) Check(o Options) (*Report, error) {
	reports, err := CheckAll([]*Module{m}, o)
	if err != nil {
		return nil, err
	}
	return reports[0], nil
}

// CheckAll predicts what the kernel makes of each of the modules, as if it were the only
// one. The kernel's files are read once.
func CheckAll(modules []*Module, o Options) ([]*Report, error) {
	var names, objects []string
	checkers := make([]*checker, len(modules))
	for i, m := range modules {
		c := newChecker(m, o)
		names, objects = append(names, c.names()...), append(objects, c.wanted(o.Loaded)...)
		checkers[i] = c
	}
	slices.Sort(names)
	slices.Sort(objects)
	facts, err := readKernel(o.Kernel, slices.Compact(names), slices.Compact(objects))
	if err != nil {
		return nil, err
	}
	reports := make([]*Report, len(modules))
	for i, c := range checkers {
		c.facts = facts
		reports[i] = c.judge(modules[i])
	}
	offerNear(o.Kernel, facts.table, checkers)
	for i, r := range reports {
		checkers[i].causes()
		slices.SortStableFunc(r.Findings, func(a, b Finding) int { return int(a.first() - b.first()) })
	}
	return reports, nil
}

func newChecker(m *Module, o Options) *checker {
	c := &checker{raw: m.raw, File: m.file, input: m.input, info: m.info, patches: m.patches, doubt: m.doubt, klp: m.klp,
		comparesFiles: o.ComparesFiles,
		loaded:        map[string]bool{}, doubts: map[Unchecked]bool{}, absent: map[string]bool{}, named: map[string]bool{}, said: map[string]bool{},
		exporters: map[string]bool{}, sharing: map[string]bool{},
		pointers: map[*elfrw.Section]map[uint64]elfrw.Rela{},
		needed:   m.depends(), spaces: m.info.Values("import_ns"),
		report: &Report{Kernel: o.Kernel.Name, Findings: []Finding{}, Unchecked: []Unchecked{}}}
	for _, l := range o.Loaded {
		c.loaded[l] = true
	}
	if c.path = "FILE"; o.File != "" {
		c.path = word(o.File)
	}
	if m.file != nil {
		c.name = moduleName(m)
		c.findObjects()
	} else {
		c.File = &elfrw.File{}
	}
	return c
}

// judge goes by the rules, once the facts are known. The findings are in the order of the
// rules.
func (c *checker) judge(m *Module) *Report {
	c.report.Warnings = append(slices.Clone(c.facts.Kernel.Warnings), c.facts.table.Warnings...)
	c.report.Warnings = append(append(c.report.Warnings, c.facts.Kernel.Incomplete...), c.facts.table.Incomplete()...)
	if why := c.facts.table.PartialExports(); why != "" {
		c.lacking("who exports what the module imports", why)
	}
	v := c.facts.version
	scheme, known := kernel.SchemeOf(v, c.facts.table)
	c.contract = contractOf(v, scheme)
	if s := c.File.Section(".modinfo"); s != nil && !s.Alloc() && !c.elfStrict {
		c.info, c.spaces = nil, nil // find_sec sees what is loaded only
		c.name = structName(c.File)
	}
	c.missingCRC = c.missingCRC && ofDebian(c.facts.Kernel.Release)
	c.report.Release, c.report.Version, c.report.Scheme = c.facts.Kernel.Release, v.String(), scheme.String()
	if v == (kernel.Version{}) {
		c.lacking("what depends on the kernel's version", "nothing tells the kernel's release: the newest is assumed")
	}
	if !known {
		c.find(NoSupport, "kernels before 4.7 know no klp relocations").when(Loading, "", "")
	}
	c.run(m)
	return c.report
}

// first is when a finding shows first.
func (f *Finding) first() When {
	w := Removing
	for _, c := range f.Cases {
		w = min(w, c.When)
	}
	return w
}

// run goes through the rules, in the loader's order.
func (c *checker) run(m *Module) {
	c.signature()
	if !c.validity(m.broken) {
		return
	}
	for _, rule := range []func(){
		c.layout,
		c.magic,
		c.support,
		c.pltSections,
		c.license,
		c.annotated,
		c.imports,
		c.exports,
		c.headers,
		c.ordinary,
		c.ordinaryTargets,
		c.compact,
		c.klpRelocs,
		c.targets,
		c.overlaps,
		c.specials,
		c.archSections,
		c.unwinding,
		c.hardening,
		c.perCPU,
		c.duplicates,
		c.entryPoints,
		c.unseenSize,
		c.structure,
		c.onePatch,
		c.lasting,
		c.loose,
		c.unregistered,
		c.unstarted,
		c.gating,
		c.functions,
		c.reloading,
		c.limits,
	} {
		rule()
	}
}

// find adds a finding that is a problem.
func (c *checker) find(id diag.ID, cause string) *Finding {
	c.report.Findings = append(c.report.Findings, Finding{ID: id, Severity: Problem, Cause: printable(cause), Cases: []Case{}})
	return &c.report.Findings[len(c.report.Findings)-1]
}

// note adds one that is none.
func (c *checker) note(id diag.ID, cause string) *Finding {
	f := c.find(id, cause)
	f.Severity = Note
	return f
}

// unchecked says that something was not judged, which no file of the kernel's tells.
func (c *checker) unchecked(what, why string) { c.left(Unchecked{What: what, Why: why}) }

// lacking says that something was not judged for want of a file, or because this one does not tell.
// "loads" has to be qualified then.
func (c *checker) lacking(what, why string) { c.left(Unchecked{What: what, Why: why, Lacking: true}) }

func (c *checker) left(u Unchecked) {
	u.What, u.Why = printable(u.What), printable(u.Why)
	if !c.doubts[u] {
		c.doubts[u] = true
		c.report.Unchecked = append(c.report.Unchecked, u)
	}
}

// moduleName is what the kernel calls the module: .modinfo says it since 4.13, and
// struct module before (kernel/module/main.c, setup_load_info).
func moduleName(m *Module) string {
	if name, ok := m.info.Value("name"); ok {
		return name
	}
	return structName(m.file)
}

// structName is the name in struct module.
func structName(f *elfrw.File) string {
	const at, most = 24, 56 // state, list, name
	s := f.Section(sympos.ThisModule)
	if s == nil || len(s.Data) < at+most || f.PointerSize() != 8 {
		return ""
	}
	name, _, _ := strings.Cut(string(s.Data[at:at+most]), "\x00")
	return name
}

// findObjects notes which objects the patch names.
func (c *checker) findObjects() {
	for _, p := range c.patches {
		for i := range p.Objects {
			if name := p.Objects[i].Name; !c.named[name] {
				c.named[name] = true
				c.objects = append(c.objects, name)
			}
		}
	}
}

// patched reports whether the patch names the object.
func (c *checker) patched(object string) bool { return c.named[object] }

// complete reports whether all objects of the patch are known.
func (c *checker) complete() bool { return c.doubt == nil }

// livepatch reports whether the module makes a patch.
func (c *checker) declares() bool { return !errors.Is(c.doubt, klppatch.ErrNone) }

// names are all that have to be looked up in the kernel.
func (c *checker) names() []string {
	names := append(kernel.SchemeSymbols(), "__start___ksymtab_gpl", "__stop___ksymtab_gpl", "klp_enable_patch",
		registerPatch, "_etext", "__warn_thunk")
	for _, r := range untraced {
		names = append(names, r.from, r.to)
	}
	add := func(name string) {
		if name != "" && len(name) <= (kernel.Version{}).NameLimit() {
			names = append(names, name)
		}
	}
	for _, y := range c.File.Symbols {
		if y.Undefined() && y.Name != "" && len(y.Name) < nameMost {
			add(y.Name)
			add("__ksymtab_" + y.Name)
		}
	}
	for _, name := range exportsOf(c.File) {
		add(name)
		add("__ksymtab_" + name)
	}
	for _, s := range c.klp {
		for _, r := range s.relocs {
			if r.klp.err == nil {
				add(r.klp.name)
			}
		}
	}
	for _, p := range c.patches {
		for i := range p.Objects {
			for _, f := range p.Objects[i].Funcs {
				add(f.OldName)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// nameMost is longer than any symbol's name.
const nameMost = 1024

// wanted are the objects whose files have to be read.
func (c *checker) wanted(loaded []string) []string {
	set := map[string]bool{sympos.Vmlinux: true}
	for _, list := range [][]string{c.objects, loaded, c.needed} {
		for _, o := range list {
			set[o] = true
		}
	}
	for _, s := range c.klp {
		for _, r := range s.relocs {
			if r.klp.err == nil {
				set[r.klp.object] = true
			}
		}
	}
	const most = 256 // modules that a livepatch can have to do with
	list := sortedKeys(set)
	return list[:min(len(list), most)]
}

// depends are the modules that modpost found the module to need.
func (m *Module) depends() []string { return klpabi.DependsOf(m.info) }
