// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"debug/elf"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/latereloc"
	"github.com/klp-convert/klp-convert/klpreloc/rewrite"
)

// Description is what a module is, for people and for JSON. Its lists are in
// the order of the file.
type Description struct {
	Machine     string           `json:"machine"`
	State       State            `json:"state"`
	Modinfo     []string         `json:"modinfo"`
	Signed      bool             `json:"signed"`
	Annotations []AnnotationInfo `json:"annotations"`
	KlpSections []KlpSectionInfo `json:"klp_sections"`
	KlpSymbols  []KlpSymbolInfo  `json:"klp_symbols"`
	Undefined   []UndefinedInfo  `json:"undefined"`
	Versions    bool             `json:"versions"` // there is a __versions table (CONFIG_MODVERSIONS)
	Scheme      string           `json:"scheme"`   // of the kernels that the module says it is for
	SchemeWhy   string           `json:"scheme_why"`
	Patches     []PatchInfo      `json:"patches"`
	// PatchDoubt is why the patches are not all that the module declares.
	PatchDoubt string `json:"patch_doubt,omitempty"`
}

// PatchInfo is what a klp_patch declares.
type PatchInfo struct {
	From    string       `json:"from"`              // klp_patch, or a tool's table
	Replace *bool        `json:"replace,omitempty"` // nil where the file does not say
	Objects []ObjectInfo `json:"objects"`
}

// ObjectInfo is one klp_object.
type ObjectInfo struct {
	Name      string     `json:"name"` // "vmlinux" for the kernel
	Functions []FuncInfo `json:"functions"`
	Callbacks []string   `json:"callbacks"`
}

// FuncInfo is one klp_func.
type FuncInfo struct {
	Old    string `json:"old"`
	Sympos uint64 `json:"sympos"`
	New    string `json:"new"`
}

// State says how far a module is on its way.
type State string

// The states of a module.
const (
	NoLivepatch   State = "no livepatch"
	PlainPatch    State = "livepatch without annotations"
	Unconverted   State = "annotated, not converted"
	Finished      State = "converted"
	HalfWay       State = "klp relocations beside annotations"
	ForObjtool    State = "input of objtool klp post-link"
	AnnotatedOnly State = "annotated, but no livepatch"
	ForDebuggers  State = "copy for debuggers, not to be loaded"
)

// AnnotationInfo is one annotation.
type AnnotationInfo struct {
	Dialect  annotation.Dialect `json:"dialect"`
	LPObject string             `json:"livepatched_object"`
	Object   string             `json:"symbol_object"`
	Name     string             `json:"name"`
	Pos      uint32             `json:"sympos"`
	File     string             `json:"file,omitempty"` // instead of a position
	Relocs   int                `json:"relocations"`    // of loaded sections, against its symbol
}

// KlpSectionInfo is one klp relocation section.
type KlpSectionInfo struct {
	Name   string `json:"name"`
	Object string `json:"object"` // as the kernel reads it; empty when it can't
	Target string `json:"target"`
	Relocs int    `json:"relocations"`
}

// KlpSymbolInfo is one klp symbol.
type KlpSymbolInfo struct {
	Symbol string `json:"symbol"` // as it is in the file
	Object string `json:"object"`
	Name   string `json:"name"`
	Pos    uint64 `json:"sympos"`
	Relocs int    `json:"relocations"`
	Error  string `json:"error,omitempty"` // why the kernel can't read it
}

// UndefinedInfo is an undefined symbol that carries no annotation.
type UndefinedInfo struct {
	Name      string `json:"name"`
	Weak      bool   `json:"weak"`
	Versioned bool   `json:"versioned"` // in __versions: resolved to an export by modpost
	Relocs    int    `json:"relocations"`
}

// Describe reads what f is. Annotations that can't be read are left out; Read
// has them among its diagnostics, which Describe returns.
func Describe(f *elfrw.File) (*Description, diag.List) {
	in, found := annotation.Read(f)
	found = rewrite.WithoutCompact(f, found)
	d := &Description{
		Machine: machineName(f), State: stateOf(in), Modinfo: in.Modinfo, Signed: in.Signed,
		Annotations: []AnnotationInfo{}, KlpSections: []KlpSectionInfo{}, KlpSymbols: []KlpSymbolInfo{},
		Undefined: []UndefinedInfo{},
	}
	if d.Modinfo == nil {
		d.Modinfo = []string{}
	}
	d.describePatches(f)
	uses := countUses(f, in)
	annotated := map[*elfrw.Symbol]bool{}
	for _, a := range in.Annotations {
		annotated[a.Symbol] = true
		d.Annotations = append(d.Annotations, AnnotationInfo{a.Dialect, a.LPObject, a.Object, a.Name,
			a.Pos, a.File, uses[a.Symbol]})
	}
	for _, s := range in.KlpSections {
		object, _ := klpabi.SectionObject(s.Name)
		d.KlpSections = append(d.KlpSections, KlpSectionInfo{s.Name, object, s.Target.String(),
			s.NumRelocs()})
	}
	for _, y := range in.KlpSymbols {
		k := KlpSymbolInfo{Symbol: y.Name, Relocs: uses[y]}
		var err error
		if k.Object, k.Name, k.Pos, err = klpabi.ParseSymbolName(y.Name); err != nil {
			k.Error = err.Error()
		}
		d.KlpSymbols = append(d.KlpSymbols, k)
	}
	var names []string
	names, d.Versions = klpabi.VersionedNames(f)
	for _, y := range f.Symbols {
		if y.Undefined() && y.Name != "" && !annotated[y] {
			_, ok := slices.BinarySearch(names, y.Name)
			d.Undefined = append(d.Undefined, UndefinedInfo{y.Name, y.Bind() == elf.STB_WEAK, ok, uses[y]})
		}
	}
	return d, found
}

// describePatches says what the module declares. A module that is no livepatch
// declares none.
func (d *Description) describePatches(f *elfrw.File) {
	d.Patches = []PatchInfo{}
	version := klpabi.ReadModinfo(f).Kernel()
	if scheme, ok := version.Scheme(); ok {
		d.Scheme = scheme.String()
	} else {
		d.Scheme = "before 4.7: none"
	}
	d.SchemeWhy = schemeSource(klpabi.ReadModinfo(f))
	if !klpabi.ReadModinfo(f).Livepatch() {
		return
	}
	patches, err := klppatch.Read(f)
	if err != nil {
		d.PatchDoubt = err.Error()
	}
	for _, p := range patches {
		info := PatchInfo{From: string(p.From), Objects: []ObjectInfo{}}
		if p.ReplaceKnown {
			info.Replace = &p.Replace
		}
		for i := range p.Objects {
			o := &p.Objects[i]
			x := ObjectInfo{Name: o.Name, Functions: []FuncInfo{}, Callbacks: []string{}}
			for _, fn := range o.Funcs {
				x.Functions = append(x.Functions, FuncInfo{fn.OldName, fn.Sympos, fn.New.String()})
			}
			for _, c := range o.Callbacks {
				x.Callbacks = append(x.Callbacks, c.Name+" "+c.Code.String())
			}
			info.Objects = append(info.Objects, x)
		}
		d.Patches = append(d.Patches, info)
	}
}

// stateOf returns how far a module is on its way.
func stateOf(in *annotation.Set) State {
	_, copied := in.Modinfo.Value(strings.TrimSuffix(copyLivepatch, "="))
	switch {
	case copied:
		return ForDebuggers
	case in.Annotated() && in.Converted():
		return HalfWay
	case in.Annotated() && !in.Modinfo.Livepatch():
		return AnnotatedOnly
	case in.Annotated():
		return Unconverted
	case len(in.Objtool) > 0:
		return ForObjtool
	case in.Converted():
		return Finished
	case in.Modinfo.Livepatch():
		return PlainPatch
	}
	return NoLivepatch
}

// countUses counts, for every symbol that is not defined in the module, the
// relocations of loaded sections against it; those of annotations don't count.
func countUses(f *elfrw.File, in *annotation.Set) map[*elfrw.Symbol]int {
	uses := map[*elfrw.Symbol]int{}
	annotation := f.GoesWith(in.Sections)
	f.Refers(func(y *elfrw.Symbol) bool {
		return y.Undefined() || klpabi.IsKlpSymbol(y)
	}, func(r elfrw.Reference) bool {
		if t := r.Section.Target; t != nil && t.Alloc() && !annotation[t] {
			uses[r.Sym]++
		}
		return true
	})
	return uses
}

func machineName(f *elfrw.File) string {
	if m := arch.Machines[f.Header.Machine]; m != nil && m.Wide() == (f.PointerSize() == 8) {
		if m.Name == "ppc64" && !f.BigEndian() {
			return "ppc64le"
		}
		return m.Name
	}
	return f.Header.Machine.String()
}

// PlanInfo is a plan for people and for JSON.
type PlanInfo struct {
	Moves        []MoveInfo   `json:"moves"`
	Symbols      []ChangeInfo `json:"symbols"`
	DropSections []string     `json:"drop_sections"`
	DropSymbols  []string     `json:"drop_symbols"`
	Detached     []DetachInfo `json:"detached"`
	DropTrailer  bool         `json:"drop_signature"`
	Tables       []TableInfo  `json:"tables"`   // special sections that lose entries
	Rewrites     []string     `json:"rewrites"` // sections of modpost that lose what is converted
	Scheme       string       `json:"scheme"`
	Targets      []string     `json:"klp_targets,omitempty"` // MODULE:ID, which .modinfo gets
	Listed       []ListedInfo `json:"listed,omitempty"`      // annotations of lists
}

// ListedInfo is a line of a list of annotations.
type ListedInfo struct {
	List   string `json:"list"`
	Line   int    `json:"line"`
	Symbol string `json:"symbol"` // in the module
	Object string `json:"symbol_object"`
	Name   string `json:"name"`
	Pos    uint32 `json:"sympos"`         // of an annotation by file, what was looked up
	File   string `json:"file,omitempty"` // the path, in an annotation by file
	Relocs int    `json:"relocations"`    // against its klp symbol
}

// TableInfo is a TableEdit, by where the entries go.
type TableInfo struct {
	From    string `json:"from"`
	To      string `json:"to"` // "" when they are dropped
	Entries int    `json:"entries"`
}

// MoveInfo is a Move.
type MoveInfo struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Object string `json:"object"`
	Relocs int    `json:"relocations"`
}

// ChangeInfo is a SymbolChange.
type ChangeInfo struct {
	Symbol string `json:"symbol"`
	To     string `json:"to"`
	Relocs int    `json:"relocations"`
}

// DetachInfo is a Detach.
type DetachInfo struct {
	Section  string `json:"section"`
	Detached int    `json:"detached"`
	Dropped  int    `json:"dropped"`
}

// Info describes the plan; call it before Apply.
func (p *Plan) Info() *PlanInfo {
	i := &PlanInfo{
		Moves: []MoveInfo{}, Symbols: []ChangeInfo{}, DropSections: []string{}, DropSymbols: []string{},
		Detached: []DetachInfo{}, DropTrailer: p.DropTrailer,
		Tables: []TableInfo{}, Rewrites: []string{}, Scheme: p.Claims.Scheme.String(),
	}
	tables := map[[2]string]int{} // index, by From and To
	for _, t := range p.Tables {
		for _, c := range t.Cuts {
			to := ""
			if c.Object != "" {
				to = latereloc.ArchName(c.Object, t.Table)
			}
			key := [2]string{t.Table.Section.Name, to}
			if n, ok := tables[key]; ok {
				i.Tables[n].Entries++
			} else {
				tables[key] = len(i.Tables)
				i.Tables = append(i.Tables, TableInfo{t.Table.Section.Name, to, 1})
			}
		}
	}
	for _, r := range p.Rewrites {
		i.Rewrites = append(i.Rewrites, r.Section.Name)
	}
	for _, m := range p.Moves {
		i.Moves = append(i.Moves, MoveInfo{m.From.Name, m.Name, m.Object, len(m.Relocs)})
	}
	for _, c := range p.Symbols {
		symbol := c.Symbol
		if c.Like != nil {
			symbol = c.Like
		}
		i.Symbols = append(i.Symbols, ChangeInfo{symbol.Name, c.Name, c.Relocs})
	}
	for _, s := range p.Drop {
		i.DropSections = append(i.DropSections, s.Name)
	}
	for _, y := range p.DropSymbols {
		i.DropSymbols = append(i.DropSymbols, y.Name)
	}
	i.Listed, i.Targets = p.listedInfo(), p.Claims.Targets
	for _, d := range p.Detach {
		i.Detached = append(i.Detached, DetachInfo{d.From.Name, len(d.Relocs), len(d.Drop)})
	}
	return i
}

// listedInfo describes the annotations of lists, in the order of the lists.
func (p *Plan) listedInfo() (all []ListedInfo) {
	relocs := map[string]int{}
	for _, c := range p.Symbols {
		relocs[c.Name] = c.Relocs
	}
	type key struct{ symbol, object string }
	holds := map[key]*annotation.Annotation{}
	for _, a := range p.written {
		holds[key{a.Symbol.Name, a.Object}] = a
	}
	for _, a := range append(slices.Clip(p.Set.Annotations), p.Set.Unmatched...) {
		if a.Dialect != annotation.Listed {
			continue
		}
		x := ListedInfo{Symbol: a.Symbol.Name, Object: klpabi.ModuleName(a.Object), Name: a.Name,
			Pos: a.Pos, File: a.File}
		x.List, x.Line = a.Place().FileLine()
		if b := holds[key{x.Symbol, x.Object}]; b != nil {
			x.Pos, x.Relocs = b.Pos, relocs[b.KlpName()]
		}
		all = append(all, x)
	}
	order := map[string]int{}
	for i, l := range p.Claims.Lists {
		order[l.Name] = i
	}
	slices.SortStableFunc(all, func(a, b ListedInfo) int {
		if a.List != b.List {
			return order[a.List] - order[b.List]
		}
		return a.Line - b.Line
	})
	return all
}
