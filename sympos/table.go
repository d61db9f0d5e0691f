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

	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// Causes of errors of Resolve; errors.Is finds them.
var (
	ErrNoObject  = errors.New("no such object")
	ErrNotFound  = errors.New("no such symbol")
	ErrAmbiguous = errors.New("ambiguous")
	ErrPosition  = errors.New("no such position")
	ErrUnordered = errors.New("order not known")
	ErrUnsteady  = errors.New("depends on whether the module is loaded")
	ErrAddress0  = errors.New("at address 0, which the loader treats as not found")
)

// A Table has the symbols that Read was asked for.
type Table struct {
	objects map[string]*object
	exports map[string][]Export
	Sources []Witness // in the order in which Read was given them
	Notes   []string  // what Kernel.Read passed over, a line each
	// Warnings are the sources that come from different builds and, from Kernel.ReadAll,
	// the modules that can't be read, a line each.
	Warnings []string

	build      string                           // build-id of vmlinux, from its best witness
	otherBuild string                           // see OtherBuild
	paths      map[string][]map[string][]placed // by object; see Files
	coverage   exportCoverage                   // whose exports the sources have
	debugFiles map[string][]string              // of modules, in debug packages; see Copies
	types      *ctypes.Types                    // of vmlinux, once Types was asked for them
}

// A Witness is a source and the facts that its scan found.
type Witness struct {
	Source Source
	Facts
}

// An object is one object as its best witness has it, and where another witness
// contradicts it.
type object struct {
	facts   Facts
	source  string
	symbols map[string][]Symbol
	doubts  map[string]string // by name

	unsure   string                 // see matching
	variants map[string][]string    // names that the kernel may compare as this one, when unsure
	foundAs  map[string]string      // the name that finds a symbol, when its whole name does not
	wholes   map[foundSymbol]string // the whole name of a symbol that another name finds
}

// Read scans the sources, each once, for the symbols that are wanted. An object that
// several of them have comes from the best witness: one with an order and addresses, and
// of these the first by Kind. Sizes and files that it does not have come from the others,
// unless they come from another build. Sources are read in parallel: want is
// called from several goroutines at once.
func Read(want Want, sources ...Source) (*Table, error) {
	scans := scanAll(want, sources, matching{}, nil, nil)
	for _, s := range scans {
		if s.err != nil {
			return nil, s.err
		}
	}
	return merge(scans), nil
}

// merge makes one table of the scans of several sources.
func merge(scans []*scan) *Table {
	t := &Table{objects: make(map[string]*object, len(scans)), exports: map[string][]Export{},
		Sources: make([]Witness, 0, len(scans)), coverage: newExportCoverage()}
	others := map[string][]*object{} // of objects that several sources have
	for _, s := range scans {
		t.Sources = append(t.Sources, Witness{s.source, s.facts})
		for name, o := range s.objects {
			if t.objects[name] == nil {
				t.objects[name] = o
			} else {
				others[name] = append(others[name], o)
			}
		}
		for _, e := range s.exports {
			t.addExport(e)
		}
		t.coverage.add(s)
	}
	for name, list := range others {
		list = append([]*object{t.objects[name]}, list...)
		slices.SortStableFunc(list, func(a, b *object) int {
			return cmp.Compare(a.facts.precedence(), b.facts.precedence())
		})
		for _, other := range list[1:] {
			list[0].addWitness(other)
		}
		t.objects[name] = list[0]
	}
	t.checkBuilds()
	return t
}

// A scan is the wanted symbols and exports of one source.
type scan struct {
	source  Source
	facts   Facts
	objects map[string]*object
	exports []Export
	seen    *seenExports // of all exports, wanted or not
	err     error
}

// maxKept bounds what a table keeps: symbols, where 128 bytes of text count as one more.
const maxKept = maxSymbols

// A quota is how much the scans of one table may still keep.
type quota struct{ left atomic.Int64 }

func newQuota(n int64) *quota {
	r := new(quota)
	r.left.Store(n)
	return r
}

// take takes one thing with that many bytes of text from the quota, and reports whether that
// was left.
func (r *quota) take(text int) bool { return r.left.Add(-1-int64(text)/128) >= 0 }

// scanAll scans all sources, as many at once as there are processors.
func scanAll(want Want, sources []Source, match matching, x *indexing,
	progress func(done, total int),
) []*scan {
	var (
		space = newQuota(maxKept)
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
				scans[i] = scanOne(want, sources[i], match, x, space)
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

// scanOne scans one source. Of entries that are not wanted it uses no more than what a player
// visits of them.
func scanOne(want Want, src Source, match matching, x *indexing, space *quota) *scan {
	var (
		objects = map[string]*object{}
		exports []Export
		seen    = new(seenExports)
		current *object
		name    string
		open    []pendingSize
		made    []pendingSize // symbols whose size is a distance
		full    bool
		llvm    bool // a name has .llvm.
		gcc     bool // a name has an end that gcc makes
	)
	keep := func(e *Entry, as []byte) {
		if full = full || !space.take(len(e.Name)+len(e.File)); full {
			return
		}
		s := Symbol{Object: e.Object, Address: e.Address, Size: e.Size, Type: e.Type,
			File: string(e.File), Source: current.source}
		list := current.symbols[string(as)]
		if len(list) == 0 {
			s.Name = string(as)
		} else {
			s.Name = list[0].Name
		}
		if len(as) < len(e.Name) {
			if current.wholes == nil {
				current.wholes = map[foundSymbol]string{}
			}
			current.wholes[foundSymbol{s.Name, s.Address}] = string(e.Name)
		}
		if !e.Fleeting {
			s.Loaded = 1 // ranked below
		}
		list = append(list, s)
		if current.symbols == nil {
			current.symbols = map[string][]Symbol{}
		}
		current.symbols[s.Name] = list
		if e.Size == 0 && e.Object == Vmlinux {
			if len(open) > 0 && open[0].address != e.Address {
				open = open[:0] // not ascending: a distance is not a size
			}
			open = append(open, pendingSize{s.Name, len(list) - 1, e.Address})
		}
	}
	// visit keeps an entry that is wanted by the name by which the kernel finds it.
	visit := func(e *Entry) {
		if full {
			return
		}
		if e.Export {
			if full = !seen.add(e, space); full {
				return
			}
			if want(e.Name) {
				if full = !space.take(len(e.Object) + len(e.Name) + len(e.Namespace)); full {
					return
				}
				exports = append(exports,
					Export{e.Object, string(e.Name), string(e.Namespace), src.String(), e.listed,
						e.crc, e.gplOnly})
			}
			return
		}
		if of := exportOf(e.Name); of != nil {
			if full = !seen.add(e, space); full {
				return
			}
			if want(of) {
				exports = append(exports,
					Export{Object: e.Object, Name: string(of), Source: src.String()})
			}
		}
		if current == nil || e.Object != name {
			name, open = e.Object, open[:0]
			if current = objects[name]; current == nil {
				if full = !space.take(128 + len(name)); full {
					return
				}
				current = &object{source: src.String()}
				objects[name] = current
			}
		}
		// A symbol without a size ends where the next higher one begins.
		if len(open) > 0 && e.Address > open[0].address {
			for _, o := range open {
				current.symbols[o.name][o.at].Size = e.Address - o.address
			}
			made = append(made, open...)
			open = open[:0]
		}
		if e.Object == Vmlinux && match.rule != wholeName {
			if as, cut := match.foundName(e.Name); cut {
				llvm = llvm || bytes.Contains(e.Name, []byte(llvmSuffix))
				gcc = gcc || bytes.Contains(e.Name, []byte(".constprop.")) ||
					bytes.Contains(e.Name, []byte(".isra."))
				switch {
				case !want(as):
				case match.unsure != "":
					if full = !space.take(len(e.Name)); full {
						return
					}
					if current.variants == nil {
						current.variants = map[string][]string{}
					}
					current.variants[string(as)] = append(current.variants[string(as)],
						string(e.Name))
				default:
					keep(e, as)
				}
				if match.rule == onlyUpToLLVM && match.unsure == "" {
					if want(e.Name) {
						if current.foundAs == nil {
							current.foundAs = map[string]string{}
						}
						current.foundAs[string(e.Name)] = string(as)
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
		facts, err = x.scan(src, reading{want, match.rule != wholeName, visit})
		if full {
			err = fmt.Errorf("%s: %w (a table holds at most %d): ask for fewer", src, ErrTooMany,
				maxKept)
		}
		return err
	})
	if errors.Is(err, errReplay) {
		return scanOne(want, src, match, nil, space)
	}
	if err != nil {
		return &scan{source: src, facts: facts, err: err}
	}
	if match.undecided && llvm {
		return scanOne(want, src, matching{rule: match.rule}, x, space) // it is no longer undecided
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
			o.facts.Order = Unordered // the loader counts only vmlinux by address
		}
		for _, list := range o.symbols {
			setPositions(list, o.facts.Order)
		}
	}
	return &scan{src, facts, objects, exports, seen, nil}
}

// A pendingSize is a symbol whose size is known only when the next one is visited.
type pendingSize struct {
	name    string
	at      int // in the list of that name
	address uint64
}

// setPositions sets the positions of the symbols of one name.
func setPositions(list []Symbol, order Order) {
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

// weakness returns 1 for what comes last among symbols of one address, else 0
// (scripts/kallsyms.c, compare_symbols). The rest of that comparison uses the name only,
// so it can't order symbols of the same name.
func weakness(letter byte) int {
	if letter == 'w' || letter == 'W' {
		return 1
	}
	return 0
}

// addWitness adds what another witness has of the object, and notes contradictions.
func (o *object) addWitness(p *object) {
	other := areDifferent(o.facts.BuildID, p.facts.BuildID)
	for name, mine := range o.symbols {
		theirs := p.symbols[name]
		if p.facts.Partial != "" && len(theirs) < len(mine) {
			continue // the others may be missing in it
		}
		if len(mine) != len(theirs) {
			// A loaded module's table no longer has some symbols.
			if !(o.facts.Kind == ModuleFile && len(theirs) == countLoaded(mine)) {
				o.addDoubt(name, p, len(mine), len(theirs))
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
			o.addDoubt(name, p, 0, len(theirs))
		}
	}
}

// addDoubt notes that another witness has another number of symbols of that name.
func (o *object) addDoubt(name string, p *object, mine, theirs int) {
	if o.doubts == nil {
		o.doubts = map[string]string{}
	}
	if o.doubts[name] != "" {
		return // a better witness has another number too
	}
	o.doubts[name] = fmt.Sprintf("%s has %d symbols called %q, %s has %d", o.source, mine, name,
		p.source, theirs)
}

// countLoaded returns how many of the list remain once the module is loaded.
func countLoaded(list []Symbol) int {
	n := 0
	for _, s := range list {
		if s.Loaded != 0 {
			n++
		}
	}
	return n
}

// Objects returns the names of all objects that any source has, sorted.
func (t *Table) Objects() []string {
	names := make([]string, 0, len(t.objects))
	for name := range t.objects {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Has reports whether any source has the object.
func (t *Table) Has(object string) bool { return t.objects[object] != nil }

// Facts returns the facts about the best witness for the object.
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

// Find returns the symbols of that name in all objects, in the order of Objects.
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

// Doubt returns how the sources contradict each other about the name, or "".
func (t *Table) Doubt(object, name string) string {
	if o := t.objects[object]; o != nil {
		return o.doubts[name]
	}
	return ""
}

// Resolve returns the symbol that the loader finds for a klp symbol. The error says why it
// finds none, or not always the same one.
func (t *Table) Resolve(object, name string, position uint64) (Symbol, error) {
	o := t.objects[object]
	if o == nil {
		return Symbol{}, fmt.Errorf("object %q: %w", object, ErrNoObject)
	}
	list := o.symbols[name]
	fail := func(err error) (Symbol, error) {
		return Symbol{}, fmt.Errorf("symbol %q in %s, position %d of %d: %w", name, object,
			position, len(list), err)
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

// hasAddresses reports whether addresses are known and real, so that 0 is one.
func (o *object) hasAddresses() bool {
	return o.facts.Kind != SymbolList && !o.facts.NoAddresses && o.facts.Relative == ""
}
