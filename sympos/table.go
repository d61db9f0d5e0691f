// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/exp/slices"
)

// What Resolve says when a position is no good; errors.Is finds them.
var (
	ErrNoObject  = errors.New("no such object")
	ErrNotFound  = errors.New("no such symbol")
	ErrAmbiguous = errors.New("ambiguous")
	ErrPosition  = errors.New("no such position")
	ErrUnordered = errors.New("order not known")
	ErrUnsteady  = errors.New("depends on whether the module is loaded")
	ErrAddress0  = errors.New("at address 0, which the loader takes for not found")
)

// A Table holds the symbols that Read was asked for.
type Table struct {
	objects map[string]*object
	exports map[string][]Export
	Sources []Witness // in the order in which Read was given them
	Notes   []string  // what Kernel.Read passed over, a line each
	// Warnings say which sources are not of one build and, from Kernel.ReadAll, which
	// modules can't be read, a line each.
	Warnings []string

	build      string                           // build-id of vmlinux, as its best witness has it
	otherBuild string                           // see OtherBuild
	paths      map[string][]map[string][]placed // by object; see Files
	known      known                            // whose exports the sources tell
}

// A Witness is a source and what its scan found out.
type Witness struct {
	Source Source
	Facts
}

// An object is what the best witness says about one object, and in notes where
// another one contradicts it.
type object struct {
	facts   Facts
	source  string
	symbols map[string][]Symbol
	doubts  map[string]string // by name

	unsure   string              // see matching
	variants map[string][]string // names that the kernel may compare as this one, if unsure
	foundAs  map[string]string   // what is not found by its whole name
	wholes   map[place]string    // whole names of what is found by another
}

// Read scans the sources, each once, for the symbols that are wanted. An object
// that several of them know is taken from the best witness: one that has an order and
// addresses, and of these the first by Kind. From the others come sizes and files that
// it lacks, unless they are of another build. Sources are read in parallel: want is
// called from several goroutines at once.
func Read(want Want, sources ...Source) (*Table, error) {
	scans := collectAll(want, sources, matching{}, nil)
	for _, s := range scans {
		if s.err != nil {
			return nil, s.err
		}
	}
	return merge(scans), nil
}

// merge makes one table of what several sources say.
func merge(scans []*scan) *Table {
	t := &Table{objects: map[string]*object{}, exports: map[string][]Export{}, known: newKnown()}
	said := map[string][]*object{}
	for _, s := range scans {
		t.Sources = append(t.Sources, Witness{s.source, s.facts})
		for name, o := range s.objects {
			said[name] = append(said[name], o)
		}
		for _, e := range s.exports {
			t.addExport(e)
		}
		t.known.add(s)
	}
	for name, list := range said {
		slices.SortStableFunc(list, func(a, b *object) int { return cmp.Compare(a.facts.worth(), b.facts.worth()) })
		for _, other := range list[1:] {
			list[0].reconcile(other)
		}
		t.objects[name] = list[0]
	}
	t.checkBuilds()
	return t
}

// A scan is what one source had of what was wanted.
type scan struct {
	source  Source
	facts   Facts
	objects map[string]*object
	exports []Export
	told    *told // of all exports that went past
	err     error
}

// maxKept bounds what a table keeps: symbols and, for what they hold beside a short
// name, parts of symbols.
const maxKept = maxSymbols

// room is what may be kept yet by the scans of one table.
type room struct{ left atomic.Int64 }

func newRoom(n int64) *room {
	r := new(room)
	r.left.Store(n)
	return r
}

// take reports whether there is room for one more thing with so many bytes of text.
func (r *room) take(text int) bool { return r.left.Add(-1-int64(text)/128) >= 0 }

// collectAll scans all sources, as many at once as there are processors.
func collectAll(want Want, sources []Source, match matching, progress func(done, total int)) []*scan {
	var (
		space = newRoom(maxKept)
		scans = make([]*scan, len(sources))
		next  atomic.Int64
		lock  sync.Mutex
		done  int
		wait  sync.WaitGroup
	)
	if progress != nil {
		progress(0, len(sources))
	}
	for range min(runtime.GOMAXPROCS(0), len(sources)) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for {
				i := int(next.Add(1)) - 1
				if i >= len(sources) {
					return
				}
				scans[i] = collect(want, sources[i], match, space)
				if progress != nil {
					lock.Lock()
					done++
					progress(done, len(sources))
					lock.Unlock()
				}
			}
		}()
	}
	wait.Wait()
	return scans
}

// collect scans one source.
func collect(want Want, src Source, match matching, space *room) *scan {
	var (
		objects = map[string]*object{}
		exports []Export
		told    = newTold()
		now     *object
		name    string
		open    []openEnd
		made    []openEnd // sizes that are distances
		full    bool
		llvm    bool // a name with .llvm. was seen,
		gcc     bool // or one that gcc makes
	)
	keep := func(e *Entry, as []byte) {
		if full = full || !space.take(len(e.Name)+len(e.File)); full {
			return
		}
		s := Symbol{Object: e.Object, Address: e.Address, Size: e.Size, Type: e.Type, File: string(e.File), Source: now.source}
		list := now.symbols[string(as)]
		if len(list) == 0 {
			s.Name = string(as)
		} else {
			s.Name = list[0].Name
		}
		if len(as) < len(e.Name) {
			now.wholes[place{s.Name, s.Address}] = string(e.Name)
		}
		if !e.Fleeting {
			s.Loaded = 1 // ranked below
		}
		list = append(list, s)
		now.symbols[s.Name] = list
		if e.Size == 0 && e.Object == Vmlinux {
			if len(open) > 0 && open[0].address != e.Address {
				open = open[:0] // not ascending: distances mean nothing
			}
			open = append(open, openEnd{s.Name, len(list) - 1, e.Address})
		}
	}
	// see takes what is wanted by the name that the kernel finds it by.
	see := func(e *Entry) {
		if full {
			return
		}
		if e.Export {
			if full = !told.export(e, space); full {
				return
			}
			if want(e.Name) {
				if full = !space.take(len(e.Object) + len(e.Name) + len(e.Namespace)); full {
					return
				}
				exports = append(exports, Export{e.Object, string(e.Name), string(e.Namespace), src.String(), e.listed, e.crc, e.gplOnly})
			}
			return
		}
		if of := exportOf(e.Name); of != nil {
			if full = !told.export(e, space); full {
				return
			}
			if want(of) {
				exports = append(exports, Export{Object: e.Object, Name: string(of), Source: src.String()})
			}
		}
		if now == nil || e.Object != name {
			name, open = e.Object, open[:0]
			if now = objects[name]; now == nil {
				if full = !space.take(128 + len(name)); full {
					return
				}
				now = &object{source: src.String(), symbols: map[string][]Symbol{}, variants: map[string][]string{}, foundAs: map[string]string{}, wholes: map[place]string{}}
				objects[name] = now
			}
		}
		// A symbol without a size ends where the next higher one begins.
		if len(open) > 0 && e.Address > open[0].address {
			for _, o := range open {
				now.symbols[o.name][o.at].Size = e.Address - o.address
			}
			made = append(made, open...)
			open = open[:0]
		}
		if e.Object == Vmlinux && match.rule != wholeName {
			if as, cut := match.cut(e.Name); cut {
				llvm = llvm || bytes.Contains(e.Name, []byte(llvmSuffix))
				gcc = gcc || bytes.Contains(e.Name, []byte(".constprop.")) || bytes.Contains(e.Name, []byte(".isra."))
				switch {
				case !want(as):
				case match.unsure != "":
					if full = !space.take(len(e.Name)); full {
						return
					}
					now.variants[string(as)] = append(now.variants[string(as)], string(e.Name))
				default:
					keep(e, as)
				}
				if match.rule == onlyUpToLLVM && match.unsure == "" {
					if want(e.Name) {
						now.foundAs[string(e.Name)] = string(as)
					}
					return
				}
			}
		}
		if want(e.Name) {
			keep(e, e.Name)
		}
	}
	var facts Facts
	err := guard(src.String(), func() (err error) {
		facts, err = src.Scan(see)
		if full {
			err = fmt.Errorf("%s: %w (a table holds at most %d): ask for fewer", src, ErrTooMany, maxKept)
		}
		return err
	})
	if err != nil {
		return &scan{source: src, facts: facts, err: err}
	}
	if match.undecided && llvm {
		return collect(want, src, matching{rule: match.rule}, space) // there is no doubt any more
	}
	if facts.Order != Listed { // the next line is not the next symbol
		for _, o := range made {
			objects[Vmlinux].symbols[o.name][o.at].Size = 0
		}
	}
	for name, o := range objects {
		o.facts, o.unsure = facts, match.unsure
		if match.undecided && gcc {
			o.variants = nil
		}
		if facts.PartialOf != "" && facts.PartialOf != name {
			o.facts.Partial, o.facts.PartialOf = "", ""
		}
		if name != Vmlinux && facts.Order == ByAddress {
			o.facts.Order = Unordered // only vmlinux is counted by address
		}
		for _, list := range o.symbols {
			rank(list, o.facts.Order)
		}
	}
	return &scan{src, facts, objects, exports, told, nil}
}

// An openEnd is a symbol whose size is not known before the next one comes.
type openEnd struct {
	name    string
	at      int // in the list of that name
	address uint64
}

// rank gives the symbols of one name their positions.
func rank(list []Symbol, order Order) {
	if order == ByAddress {
		slices.SortStableFunc(list, func(a, b Symbol) int {
			if c := cmp.Compare(a.Address, b.Address); c != 0 {
				return c
			}
			return cmp.Compare(weakness(a.Type), weakness(b.Type))
		})
	}
	kept := 0
	for i := range list {
		s := &list[i]
		stays := s.Loaded != 0
		s.Position, s.Loaded = 0, 0
		if order == Unordered {
			continue
		}
		s.Position = i + 1
		if stays {
			kept++
			s.Loaded = kept
		}
	}
}

// weakness is 1 for what comes last among symbols of one address
// (scripts/kallsyms.c, compare_symbols). The rest of that comparison looks at the
// name only and cannot part namesakes.
func weakness(letter byte) int {
	if letter == 'w' || letter == 'W' {
		return 1
	}
	return 0
}

// reconcile adds to what the best witness says about an object what another one says.
func (o *object) reconcile(p *object) {
	other := differ(o.facts.BuildID, p.facts.BuildID)
	for name, mine := range o.symbols {
		theirs := p.symbols[name]
		if p.facts.Partial != "" && len(theirs) < len(mine) {
			continue // of which nothing can be concluded
		}
		if len(mine) != len(theirs) {
			// A loaded module's table is short of what is gone by now.
			if !(o.facts.Kind == ModuleFile && len(theirs) == loaded(mine)) {
				o.doubt(name, p, len(mine), len(theirs))
			}
			continue
		}
		if other || p.facts.Order == Unordered && len(mine) > 1 {
			continue
		}
		for i := range mine {
			if theirs[i].File != "" && mine[i].File == "" {
				mine[i].File = theirs[i].File
			}
			if p.facts.Kind == VmlinuxFile && theirs[i].Size != 0 {
				mine[i].Size = theirs[i].Size
			}
		}
	}
	for name, theirs := range p.symbols {
		if _, ok := o.symbols[name]; !ok {
			o.doubt(name, p, 0, len(theirs))
		}
	}
}

func (o *object) doubt(name string, p *object, mine, theirs int) {
	if o.doubts == nil {
		o.doubts = map[string]string{}
	}
	if o.doubts[name] != "" {
		return // a better witness has said so
	}
	o.doubts[name] = fmt.Sprintf("%s has %d symbols called %q, %s has %d", o.source, mine, name, p.source, theirs)
}

// loaded returns how many of the list stay once the module is loaded.
func loaded(list []Symbol) int {
	n := 0
	for _, s := range list {
		if s.Loaded != 0 {
			n++
		}
	}
	return n
}

// Objects returns the names of all objects that any source knows, sorted.
func (t *Table) Objects() []string {
	names := make([]string, 0, len(t.objects))
	for name := range t.objects {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Has reports whether any source knows the object.
func (t *Table) Has(object string) bool { return t.objects[object] != nil }

// Facts returns what the witness for the object said of itself.
func (t *Table) Facts(object string) Facts {
	if o := t.objects[object]; o != nil {
		return o.facts
	}
	return Facts{}
}

// Lookup returns the symbols of that name in the object, in the order in which
// the loader counts them. The slice belongs to the table.
func (t *Table) Lookup(object, name string) []Symbol {
	if o := t.objects[object]; o != nil {
		return o.symbols[name]
	}
	return nil
}

// Find returns the symbols of that name in all objects, which come sorted.
func (t *Table) Find(name string) []Symbol {
	var all []Symbol
	for _, object := range t.Objects() {
		all = append(all, t.Lookup(object, name)...)
	}
	return all
}

// Names returns the names found in the object, sorted.
func (t *Table) Names(object string) []string {
	o := t.objects[object]
	if o == nil {
		return nil
	}
	names := make([]string, 0, len(o.symbols))
	for name := range o.symbols {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Doubt says how the sources contradict each other about the name, or "".
func (t *Table) Doubt(object, name string) string {
	if o := t.objects[object]; o != nil {
		return o.doubts[name]
	}
	return ""
}

// Resolve returns the symbol that the loader finds for a klp symbol, or why it
// finds none, or not always the same one.
func (t *Table) Resolve(object, name string, position uint64) (Symbol, error) {
	o := t.objects[object]
	if o == nil {
		return Symbol{}, fmt.Errorf("object %q: %w", object, ErrNoObject)
	}
	list := o.symbols[name]
	fail := func(err error) (Symbol, error) {
		return Symbol{}, fmt.Errorf("symbol %q in %s, position %d of %d: %w", name, object, position, len(list), err)
	}
	switch n := uint64(len(list)); {
	case n == 0:
		return Symbol{}, fmt.Errorf("symbol %q in %s: %w", name, object, ErrNotFound)
	case position > n:
		return fail(ErrPosition)
	case position == 0 && n > 1:
		return fail(ErrAmbiguous)
	case o.facts.Order == Unordered && n > 1:
		return fail(ErrUnordered)
	}
	s := list[max(position, 1)-1]
	if o.facts.Order != Unordered && !s.Steady() {
		return fail(ErrUnsteady)
	}
	if object == Vmlinux && s.Address == 0 && o.hasAddresses() {
		return fail(ErrAddress0)
	}
	return s, nil
}

// hasAddresses reports whether an address of 0 is one.
func (o *object) hasAddresses() bool {
	return o.facts.Kind != SymbolList && !o.facts.NoAddresses && o.facts.Relative == ""
}
