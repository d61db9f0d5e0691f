// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"cmp"
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/debuginfo"
	"github.com/klp-convert/klp-convert/sympos/inlining"
)

// Copies are where the code of functions of one object is, by debug information.
type Copies struct {
	Source string // the file with the debug information
	// Doubt says why there may be more copies than are listed; "" if there are not.
	Doubt string

	functions map[string][]*Function // by name; of one with symbols in the order of positions
}

// Of returns the function whose symbol of that name has the position, counted from 1; nil if
// debug information does not describe it.
func (c *Copies) Of(name string, position int) *Function {
	if list := c.functions[name]; position > 0 && position <= len(list) {
		return list[position-1]
	}
	return nil
}

// Gone returns the functions of a name that has no symbol: of each, as many as source files
// define one, code exists in clones and copies only.
func (c *Copies) Gone(name string) []*Function { return c.functions[name] }

// A Function is a function of the source, and where else than at its symbol its code is.
type Function struct {
	Name string
	// File and Line are where it is defined, the path in the source tree if that is known; ""
	// and 0 if not known.
	File string
	Line uint64
	// Calls are the direct calls of the code at its symbol, if the compiler describes them.
	Calls []CodeSite
	// Inlined are the places where it is inlined, in the order of the debug information.
	Inlined []CodeSite
	// Folded is that the compiler inlined it and describes no place, since no instruction of the
	// copies is left: a function that returns a constant is so. Its callers have the constant.
	Folded bool
	// Clones are its code with symbols of other names: f.isra.0 and the like.
	Clones []Clone
	// Same are the positions of all symbols of its name that are this function, compiled for
	// several files: of a function in a header.
	Same []int

	address uint64 // of its symbol; 0 if it has none
}

// The slices of functions are shared by those of other positions, and must not be modified.

// Owns reports whether a place is in the code at the function's own symbol, as that of a function
// is that was split and put together again, or calls itself.
func (f *Function) Owns(s *CodeSite) bool { return f.address != 0 && s.address == f.address }

// A Clone is code of a function with a symbol of its own.
type Clone struct {
	Code
	// Calls are its direct calls, if the compiler describes them. File and Line are not known.
	Calls []CodeSite
}

// IsPart reports whether the clone is not the whole function, but what is left of it where its
// beginning is inlined (f.part.0).
func (c Clone) IsPart() bool { return strings.Contains(c.String(), ".part.") }

// A CodeSite is a place in code.
type CodeSite struct {
	Caller Code
	File   string
	Line   uint64
	// Via are the functions by whose inlining the place came into the caller, the outermost
	// first; the last one has the call in its source.
	Via []string

	address uint64 // of the caller's code
}

// Place returns the caller, the functions between, and the line: "open, via start (fs/x.c:12)".
func (s CodeSite) Place() string {
	text := s.Caller.String()
	if len(s.Via) > 0 {
		text += ", via " + strings.Join(s.Via, ", ")
	}
	if s.Line > 0 && s.File != "" {
		text += fmt.Sprintf(" (%s:%d)", s.File, s.Line)
	}
	return text
}

// Code is code with a symbol.
type Code struct {
	// Source is the name in the source, "" if not known.
	Source string
	// Symbols are the symbols at its address, that of the name Source first.
	Symbols []CodeSymbol
	// Init is set for code that runs once, when the kernel boots or the module is loaded.
	Init bool
}

// A CodeSymbol is a symbol, with its position among the Of ones of the object with its name.
type CodeSymbol struct {
	Name         string
	Position, Of int
}

// String returns the name of its first symbol, with the position if others have the name.
func (c Code) String() string {
	switch {
	case len(c.Symbols) == 0:
		return c.Source
	case c.Symbols[0].Of > 1:
		return fmt.Sprintf("%s,%d", c.Symbols[0].Name, c.Symbols[0].Position)
	}
	return c.Symbols[0].Name
}

// A ModuleCalls tells what C calls the functions that a module calls.
type ModuleCalls struct {
	file  *debuginfo.File
	names map[uint64]string
}

// ReadCalls reads the direct calls that debug information of a module describes. The error wraps
// ErrNoDebugInfo if there is none.
func ReadCalls(name string, contents []byte) (*ModuleCalls, error) {
	f, err := readModule(name, contents)
	if err != nil {
		return nil, err
	}
	c := &ModuleCalls{file: f.debugInfo()}
	if c.names, err = inlining.Calls(c.file); err != nil {
		return nil, f.in.errorf("", -1, "%w", err)
	}
	return c, nil
}

// Before returns the name of the function whose call ends at a place: the number of a section, 0
// is the first one, which is empty, and an offset. "" if no call is known to end there.
func (c *ModuleCalls) Before(section int, offset uint64) string {
	address, ok := c.file.Place(section, offset)
	if !ok {
		return ""
	}
	return c.names[address]
}

// ErrNoDebugInfo is that no file has debug information.
var ErrNoDebugInfo = debuginfo.ErrNone

// Copies finds where the code of functions of an object is, of those with symbols and of those
// without, from the first source of the table that has debug information of the object: a
// vmlinux, the module's file, or what a debug package has of it. The error wraps ErrNoDebugInfo if
// none has.
func (t *Table) Copies(object string, names ...string) (*Copies, error) {
	count := func(name string) int { return len(t.Lookup(object, name)) }
	var files []*fileSource
	for _, w := range t.Sources {
		if src, ok := w.Source.(*fileSource); ok && w.debugInfo && !areDifferent(w.BuildID, t.build) &&
			(w.Kind == VmlinuxFile && object == Vmlinux ||
				w.Kind == ModuleFile && t.mayBeOf(w, object)) {
			files = append(files, src)
		}
	}
	build := t.build
	if object != Vmlinux {
		build = t.ModuleBuild(object).ID
		for _, path := range t.debugFiles[object] {
			files = append(files, newFile(path))
		}
	}
	for _, src := range files {
		c, err := src.readCopies(object, names, build, count)
		if c != nil || err != nil {
			return c, err
		}
	}
	return nil, fmt.Errorf("%s: %w", object, ErrNoDebugInfo)
}

// A placedSymbol is a symbol of a file, and where it is.
type placedSymbol struct {
	CodeSymbol
	address uint64 // as of debuginfo.File.Place
	weak    int
	text    bool
	init    bool // in a section that is freed
}

// A copyReader reads copies from one file.
type copyReader struct {
	f      *elfFile
	object string
	debug  *debuginfo.File
	tree   *sourceTree
	at     map[uint64][]placedSymbol // symbols of code
}

// readCopies returns nil if the file has no debug information or no symbols, or is of another
// build. count is how many symbols of a name there are: one of which the file has another number
// is left out.
func (s *fileSource) readCopies(object string, names []string, build string,
	count func(string) int,
) (*Copies, error) {
	in, done, err := s.input()
	if err != nil {
		return nil, err
	}
	defer done()
	head, err := in.head()
	if err != nil || !isELF(head) {
		return nil, err
	}
	f, err := readELF(in)
	if err != nil || !f.hasDebugInfo() || f.find(".symtab") < 0 ||
		areDifferent(f.buildID(), build) {
		return nil, err
	}
	r := &copyReader{f: f, object: object, debug: f.debugInfo()}
	symbols, err := r.symbols(Names(names...))
	if err != nil {
		return nil, err
	}
	var known []string // names with as many symbols here as the object has
	var queries []inlining.Query
	for _, name := range names {
		if len(symbols[name]) != count(name) {
			continue
		}
		q := inlining.Query{Name: name}
		for _, y := range symbols[name] {
			if y.text {
				q.Addresses = append(q.Addresses, y.address)
			}
		}
		if known = append(known, name); len(q.Addresses) > 0 || len(symbols[name]) == 0 {
			queries = append(queries, q)
		}
	}
	found, err := inlining.Find(r.debug, queries)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.name, err)
	}
	r.tree = treeOf(found.Units, f.etype == elf.ET_REL)
	if err := r.nameCode(found); err != nil {
		return nil, err
	}
	c := &Copies{Source: in.name, Doubt: found.Doubt, functions: map[string][]*Function{}}
	at, bodies := map[uint64]*inlining.Function{}, map[uint64]*inlining.Body{}
	for _, x := range found.Functions {
		for _, b := range x.Bodies {
			at[b.Address], bodies[b.Address] = x, b
		}
	}
	for _, name := range known {
		if len(symbols[name]) == 0 {
			for _, x := range found.Functions {
				if x.Name == name {
					c.functions[name] = append(c.functions[name], r.function(x, name))
				}
			}
		}
		shared := map[*inlining.Function]*Function{}
		for _, y := range symbols[name] {
			x := at[y.address]
			if x == nil || !y.text {
				c.functions[name] = append(c.functions[name], nil)
				continue
			}
			if shared[x] == nil {
				shared[x] = r.function(x, name)
			}
			f := *shared[x]
			f.address, f.Calls = y.address, r.sites(bodies[y.address].Calls)
			c.functions[name] = append(c.functions[name], &f)
		}
	}
	return c, nil
}

// visit visits the object's symbols in the order of the table. Debug packages have files of modules
// with little but debug information and symbols.
func (r *copyReader) visit(visit func(*Entry)) error {
	if r.f.etype != elf.ET_REL {
		_, err := r.f.scanVmlinux(func(e *Entry) {
			if !e.Export && e.Object == r.object {
				visit(e)
			}
		})
		return err
	}
	e := Entry{Object: r.object}
	return r.f.symbols(func(y *elfSymbol) error {
		if y.shndx != uint32(elf.SHN_UNDEF) && len(y.name) > 0 {
			e.Name, e.Address, e.Type, e.section = y.name, y.value, y.nmLetter(), y.index
			visit(&e)
		}
		return nil
	})
}

// symbols returns the object's wanted symbols by name, each list in the loader's order.
func (r *copyReader) symbols(want Want) (map[string][]placedSymbol, error) {
	all := map[string][]placedSymbol{}
	err := r.visit(func(e *Entry) {
		if !want(e.Name) {
			return
		}
		address, _ := r.debug.Place(e.section, e.Address)
		kind := e.Type | 0x20
		all[string(e.Name)] = append(all[string(e.Name)], placedSymbol{
			CodeSymbol: CodeSymbol{Name: string(e.Name)}, address: address, weak: weakness(e.Type),
			text: kind == 't' || kind == 'w',
			init: strings.HasPrefix(r.f.name(e.section), ".init"),
		})
	})
	if err != nil {
		return nil, err
	}
	for _, list := range all {
		if r.f.etype != elf.ET_REL {
			slices.SortStableFunc(list, func(a, b placedSymbol) int {
				return cmp.Or(cmp.Compare(a.address, b.address), cmp.Compare(a.weak, b.weak))
			})
		}
		for i := range list {
			list[i].Position, list[i].Of = i+1, len(list)
		}
	}
	return all, nil
}

// nameCode finds the symbols of all code in the result.
func (r *copyReader) nameCode(found *inlining.Result) error {
	r.at = map[uint64][]placedSymbol{}
	for _, x := range found.Functions {
		for _, b := range x.Bodies {
			r.at[b.Address] = nil
			for _, s := range b.Calls {
				r.at[s.Address] = nil
			}
		}
		for _, s := range x.Copies {
			r.at[s.Address] = nil
		}
	}
	// A position is told by all symbols of a name, so the names are found first.
	var names []string
	err := r.visit(func(e *Entry) {
		if address, ok := r.debug.Place(e.section, e.Address); ok {
			if _, wanted := r.at[address]; wanted {
				names = append(names, string(e.Name))
			}
		}
	})
	if err != nil {
		return err
	}
	symbols, err := r.symbols(Names(names...))
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		for _, y := range symbols[name] {
			if list, wanted := r.at[y.address]; wanted && y.text {
				r.at[y.address] = append(list, y)
			}
		}
	}
	return nil
}

// code returns the code at an address, which the source calls by that name.
func (r *copyReader) code(name string, address uint64) Code {
	c := Code{Source: name}
	for _, y := range r.at[address] {
		c.Symbols = append(c.Symbols, y.CodeSymbol)
		c.Init = y.init
	}
	rank := func(y CodeSymbol) int {
		switch {
		case y.Name == name:
			return 0
		case strings.HasPrefix(y.Name, name+"."):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(c.Symbols, func(a, b CodeSymbol) int {
		return cmp.Compare(rank(a), rank(b))
	})
	return c
}

// sites returns the places as the caller of Copies sees them.
func (r *copyReader) sites(list []inlining.Site) (all []CodeSite) {
	for _, s := range list {
		all = append(all, CodeSite{Caller: r.code(s.Caller, s.Address), File: r.path(s.File),
			Line: s.Line, Via: s.Via, address: s.Address})
	}
	return all
}

// function returns a function whose symbols have a name.
func (r *copyReader) function(x *inlining.Function, name string) *Function {
	f := &Function{Name: x.Name, File: r.path(x.File), Line: x.Line, Inlined: r.sites(x.Copies),
		Folded: x.WasInlined && len(x.Copies) == 0 && len(x.Bodies) <= 1}
	for _, b := range x.Bodies {
		code := r.code(x.Name, b.Address)
		i := slices.IndexFunc(code.Symbols, func(y CodeSymbol) bool { return y.Name == name })
		if i >= 0 {
			f.Same = append(f.Same, code.Symbols[i].Position)
		} else {
			f.Clones = append(f.Clones, Clone{code, r.sites(b.Calls)})
		}
	}
	slices.Sort(f.Same)
	return f
}

// path returns the path of a source file in its tree, or as much as is known.
func (r *copyReader) path(full string) string {
	if full == "" {
		return ""
	}
	return r.tree.file(&debuginfo.Unit{Name: full}).String()
}
