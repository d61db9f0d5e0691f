// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"cmp"
	"debug/elf"
	"errors"
	"sort"
	"strings"
	"sync"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/resolve"
	"github.com/klp-convert/klp-convert/klpreloc/typecheck"
	"github.com/klp-convert/klp-convert/sympos"
)

// Module is a file to be checked, read once for any number of kernels. Nothing changes it;
// what few rules ask for is read when it is asked for, and kept. It is for one goroutine.
type Module struct {
	raw     []byte
	path    string      // as a word of a command line
	file    *elfrw.File // without sections where it can't be read
	broken  error       // why it can't be read
	input   *annotation.Set
	modinfo klpabi.Modinfo
	patches []*klppatch.Patch
	doubt   error // why patches are not all
	klp     []*klpSection
	depends []string // modules that modpost found the module to need
	objects []string // that the patch names, each once, in its order
	named   map[string]bool

	functions func() map[*elfrw.Section][]*elfrw.Symbol // sorted by value
	pointers  map[*elfrw.Section]map[uint64]elfrw.Rela  // of sections that were asked for
	annotated func() map[*elfrw.Symbol]bool             // symbols that have an annotation
	users     func() map[*elfrw.Symbol]string           // a function that uses an undefined symbol
	taken     func() takenAddresses
	sharing   func() map[string]bool // objects whose functions are another's
	types     func() *typecheck.Livepatch
	calls     func() map[*klpName]string // names in C of called klp symbols
	patched   func() map[string]*patched
	numbers   func() numbering // of symbols
}

// Open reads the module. What is wrong with it is found by Check, not here. The bytes must
// not change while it is in use.
func Open(b []byte) *Module { return OpenAs("", b) }

// OpenAs is Open for a module that has a path, which hints name that can be pasted. Without
// one they say FILE.
func OpenAs(path string, b []byte) *Module {
	m := &Module{raw: b, path: "FILE", named: map[string]bool{},
		pointers: map[*elfrw.Section]map[uint64]elfrw.Rela{}}
	if path != "" {
		m.path = diag.ShellQuote(path)
	}
	m.functions = sync.OnceValue(m.readFunctions)
	m.annotated = sync.OnceValue(m.readAnnotated)
	m.users = sync.OnceValue(m.readUsers)
	m.taken = sync.OnceValue(m.readTaken)
	m.sharing = sync.OnceValue(m.readSharing)
	m.types = sync.OnceValue(m.readTypes)
	m.calls = sync.OnceValue(m.readCalls)
	m.numbers = sync.OnceValue(func() numbering { return symbolNumbers(m.file) })
	m.patched = sync.OnceValue(func() map[string]*patched { return readPatched(m) })
	if m.file, m.broken = parse(b); m.broken != nil {
		m.file = &elfrw.File{}
		return m
	}
	m.input, _ = annotation.Read(m.file)
	m.modinfo = m.input.Modinfo
	m.patches, m.doubt = klppatch.Read(m.file)
	m.klp = klpSections(m.file, m.numbers)
	m.depends = klpabi.DependsOf(m.modinfo)
	for _, p := range m.patches {
		for i := range p.Objects {
			if name := p.Objects[i].Name; !m.named[name] {
				m.named[name] = true
				m.objects = append(m.objects, name)
			}
		}
	}
	return m
}

// patchesObject reports whether the patch names the object.
func (m *Module) patchesObject(object string) bool { return m.named[object] }

// complete reports whether all objects of the patch are known.
func (m *Module) complete() bool { return m.doubt == nil }

// declares reports whether the module makes a patch.
func (m *Module) declares() bool { return !errors.Is(m.doubt, klppatch.ErrNone) }

// sharesFunctions reports whether the object's klp_funcs are those of another object.
func (m *Module) sharesFunctions(object string) bool { return m.sharing()[object] }

// names returns all names that have to be looked up in the kernel, sorted.
func (m *Module) names() []string {
	names := append(kernel.SchemeSymbols(), "__start___ksymtab_gpl", "__stop___ksymtab_gpl",
		"klp_enable_patch",
		registerPatch, "_etext", "__warn_thunk")
	for _, r := range untraced {
		names = append(names, r.from, r.to)
	}
	add := func(name string) {
		if name != "" && len(name) <= (kernel.Version{}).NameLimit() {
			names = append(names, name)
		}
	}
	for _, y := range m.file.Symbols {
		if y.Undefined() && y.Name != "" && len(y.Name) < nameMost {
			add(y.Name)
			add("__ksymtab_" + y.Name)
		}
	}
	for _, name := range exportsOf(m.file) {
		add(name)
		add("__ksymtab_" + name)
	}
	for _, n := range m.klpNames() {
		add(n.name)
	}
	for _, name := range m.patchedNames() {
		add(name)
		for _, wrapper := range resolve.Wrappers(name) {
			add(wrapper)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// klpNames returns the names of klp symbols that relocations refer to and that can be read: each
// symbol once, in the order of first use.
func (m *Module) klpNames() (names []*klpName) {
	var last *klpName
	seen := map[*klpName]bool{}
	for _, s := range m.klp {
		for i := range s.relocs {
			n := s.relocs[i].klp
			if n == last || n.err != nil || seen[n] {
				continue
			}
			last, seen[n] = n, true
			names = append(names, n)
		}
	}
	return names
}

// patchedNames returns the names of the functions that are patched, of all objects.
func (m *Module) patchedNames() (names []string) {
	for _, p := range m.patches {
		for i := range p.Objects {
			for _, f := range p.Objects[i].Funcs {
				names = append(names, f.OldName)
			}
		}
	}
	return names
}

// nameMost is longer than any symbol's name.
const nameMost = 1024

// wanted returns the objects whose files have to be read, sorted. loaded are modules that are
// loaded before the livepatch.
func (m *Module) wanted(loaded []string) []string {
	set := map[string]bool{sympos.Vmlinux: true}
	for _, list := range [][]string{m.objects, loaded, m.depends} {
		for _, o := range list {
			set[o] = true
		}
	}
	for _, t := range m.modinfo.Targets() {
		if !m.complete() {
			set[t.Module] = true
		}
	}
	for _, s := range m.klp {
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

// view is a module as one kernel reads it.
type view struct {
	*Module
	info   klpabi.Modinfo // nil where the kernel does not see .modinfo
	name   string         // what the kernel calls the module
	spaces []string       // import_ns=
	image  *image         // of the file; nil where its header does not let it be read

	origins  func() *resolve.Exporters
	versions func() map[string]uint64 // checksums of imports; nil without a table
	held     func() map[string]bool   // modules that are there as long as the livepatch is
	slots    func() *slots            // what relocations reserve in tables, and need
	lows     map[*klpName]int64       // the last bits of addresses
}

// newView returns the module as the kernel reads it.
func newView(m *Module, k *facts) *view {
	v := &view{Module: m, info: m.modinfo, image: openImage(k.unsigned(m.raw), k.ELFValidity)}
	if s := m.file.Section(".modinfo"); s != nil && !s.Alloc() && !k.ELFStrict {
		v.info = nil // find_sec sees what is loaded only
	}
	if m.broken == nil {
		v.name = moduleName(v.info, m.file)
	}
	v.spaces = v.info.Values("import_ns")
	v.origins = sync.OnceValue(func() *resolve.Exporters {
		loaded := func(object string) bool { return k.loaded[object] }
		return resolve.NewExporters(m.file, k.table, k.Presence, loaded)
	})
	v.versions = sync.OnceValue(func() map[string]uint64 { return checksums(k.versionsOf(m.file)) })
	v.slots = sync.OnceValue(func() *slots { return readSlots(v) })
	v.lows = map[*klpName]int64{}
	v.held = sync.OnceValue(func() map[string]bool { return readHeld(v, k) })
	return v
}

// moduleName is what the kernel calls the module: .modinfo says it since 4.13, and
// struct module before (kernel/module/main.c, setup_load_info).
func moduleName(info klpabi.Modinfo, f *elfrw.File) string {
	if name, ok := info.Value("name"); ok {
		return name
	}
	return structName(f)
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

// readFunctions returns the functions of each section, sorted by value.
func (m *Module) readFunctions() map[*elfrw.Section][]*elfrw.Symbol {
	all := map[*elfrw.Section][]*elfrw.Symbol{}
	for _, y := range m.file.Symbols {
		if y.Section != nil && y.Type() == elf.STT_FUNC {
			all[y.Section] = append(all[y.Section], y)
		}
	}
	for _, list := range all {
		slices.SortStableFunc(list,
			func(a, b *elfrw.Symbol) int { return cmp.Compare(a.Value, b.Value) })
	}
	return all
}

// functionAt returns the name of the function that covers a place, "" where none does.
func (m *Module) functionAt(s *elfrw.Section, offset uint64) string {
	list := m.functions()[s]
	n := sort.Search(len(list), func(i int) bool { return list[i].Value > offset })
	if n > 0 && offset-list[n-1].Value < max(list[n-1].Size, 1) {
		return list[n-1].Name
	}
	return ""
}

// functionOf returns the name of the function that the first relocation of a section is in.
func (m *Module) functionOf(klp *klpSection) string {
	if len(klp.relocs) == 0 || klp.target == nil {
		return ""
	}
	return m.functionAt(klp.target, klp.relocs[0].Offset)
}

// readAnnotated returns the symbols that have an annotation.
func (m *Module) readAnnotated() map[*elfrw.Symbol]bool {
	all := map[*elfrw.Symbol]bool{}
	if m.input == nil {
		return all
	}
	for i := range m.input.Annotations {
		if y := m.input.Annotations[i].Symbol; y != nil {
			all[y] = true
		}
	}
	return all
}

// readUsers returns, for each symbol that is in no section and that a relocation of what is
// loaded needs, the name of a function that uses it, "" where no function covers the place.
func (m *Module) readUsers() map[*elfrw.Symbol]string {
	users := map[*elfrw.Symbol]string{}
	outside := func(y *elfrw.Symbol) bool {
		return y.Section == nil &&
			y.Index != klpabi.IndexLivepatch
	}
	m.file.Refers(outside, func(r elfrw.Reference) bool {
		if t := r.Section.Target; t != nil && t.Alloc() && users[r.Sym] == "" {
			users[r.Sym] = m.functionAt(t, r.Offset)
		}
		return true
	})
	return users
}

// userOf returns the name of a function that uses y.
func (m *Module) userOf(y *elfrw.Symbol) string { return m.users()[y] }

// isUsed reports whether a relocation of what is loaded needs the symbol, which is in no
// section.
func (m *Module) isUsed(y *elfrw.Symbol) bool {
	_, used := m.users()[y]
	return used
}

// pointer returns the relocation of a place, nil where there is none. A klp_patch may have as
// many objects and functions as the file has room for, so that those of a section are read
// once.
func (m *Module) pointer(target *elfrw.Section, at uint64) *elfrw.Rela {
	of, read := m.pointers[target]
	if !read {
		of = m.readPointers(target)
		m.pointers[target] = of
	}
	if r, has := of[at]; has {
		return &r
	}
	return nil
}

// readPointers returns the first ordinary relocation of each place of a section.
func (m *Module) readPointers(target *elfrw.Section) map[uint64]elfrw.Rela {
	of := map[uint64]elfrw.Rela{}
	for _, s := range m.file.Sections {
		if s.Target != target || !s.HasRelocs() || s.Flags&klpabi.FlagLivepatch != 0 {
			continue
		}
		relocs := s.ReadRelocs()
		for r := relocs.Next(); r != nil; r = relocs.Next() {
			if _, has := of[r.Offset]; !has {
				of[r.Offset] = *r
			}
		}
	}
	return of
}
