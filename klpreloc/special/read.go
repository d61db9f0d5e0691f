// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Read reads every special section of f that the kernel of its machine patches
// code by. Sections of one name (ld -r --unique) are a table each. Of a section
// that turns out to be something else there is one Problem, at the first place
// that shows it, and no entry from there on.
func Read(f *elfrw.File) (*Tables, []Problem) {
	return ReadNamed(f, func(s *elfrw.Section) string { return s.Name })
}

// ReadNamed is Read for sections that go by another name: name returns which
// special section's format each has.
func ReadNamed(f *elfrw.File, name func(*elfrw.Section) string) (*Tables, []Problem) {
	t := &Tables{file: f, bySection: map[*elfrw.Section]*Table{}}
	a := archOf(f)
	if a == nil {
		return t, nil
	}
	layouts := map[*Table][]layout{}
	for _, s := range f.Sections {
		if l := a.layouts[name(s)]; l != nil {
			table := &Table{Section: s, Kind: l[0].kind}
			t.All = append(t.All, table)
			t.bySection[s] = table
			layouts[table] = l
		}
	}
	if len(t.All) == 0 {
		return t, nil
	}
	for _, s := range f.Sections {
		if s.HasRelocs() && s.Target != nil {
			if table := t.bySection[s.Target]; table != nil {
				table.Relocs = append(table.Relocs, s)
			}
		}
	}
	var problems []Problem
	var sites, replacements tally
	for _, table := range t.All {
		r := reader{arch: a, Table: table, sites: &sites, replacements: &replacements}
		if p := r.read(layouts[table]); p != nil {
			problems = append(problems, *p)
		}
	}
	return t, append(problems, t.index(&sites, &replacements)...)
}

// reader reads one table.
type reader struct {
	*arch
	*Table
	layout *layout
	relocs *source

	sites, replacements *tally
}

// problem makes a Problem at offset off, -1: of the whole section.
func (r *reader) problem(off int64, format string, args ...any) *Problem {
	return &Problem{r.Section, off, fmt.Sprintf(format, args...)}
}

func (r *reader) read(layouts []layout) *Problem {
	s := r.Section
	switch {
	case s.Size() == 0 && r.count() == 0:
		return nil
	case !s.Alloc():
		return r.problem(-1, "is not loaded (SHF_ALLOC)")
	case s.Type != elf.SHT_PROGBITS || s.HasRelocs():
		return r.problem(-1, "is of type %v", s.Type)
	}
	for _, rs := range r.Relocs {
		if rs.Type == elf.SHT_REL {
			return r.problem(-1, "has relocations without addends (%s)", rs)
		}
	}
	if r.count() == 0 {
		return r.problem(-1, "has no relocations")
	}
	r.relocs, r.refs = newSource(r.Relocs)
	if p := r.choose(layouts); p != nil {
		return p
	}
	return r.entries()
}

func (r *reader) count() int {
	n := 0
	for _, s := range r.Relocs {
		n += s.NumRelocs()
	}
	return n
}

// choose finds the format: of those whose size goes into the section's, the one
// whose fields most of the first relocations are in.
func (r *reader) choose(layouts []layout) *Problem {
	size, entsize := uint64(len(r.Section.Data)), r.Section.EntSize
	var names []string
	var fits []*layout
	for i := range layouts {
		l := &layouts[i]
		names = append(names, fmt.Sprint(l.size))
		if rest := size % l.size; (rest == 0 || slices.Contains(l.cut, rest)) && (entsize <= 1 || entsize == l.size) {
			fits = append(fits, l)
		}
	}
	if len(fits) == 0 {
		known := strings.Join(names, " or ")
		if entsize > 1 && !slices.Contains(names, fmt.Sprint(entsize)) {
			return r.problem(-1, "sh_entsize is %d, an entry has %s bytes", entsize, known)
		}
		return r.problem(-1, "size %d, not a multiple of the %s bytes of an entry", size, known)
	}
	r.layout = fits[0]
	if len(fits) > 1 {
		const enough = 256
		best := -1
		for _, l := range fits {
			n := 0
			r.relocs.rewind()
			for range enough {
				x := r.relocs.next()
				if x == nil {
					break
				}
				if r.isField(l, x) {
					n++
				}
			}
			if n > best {
				best, r.layout = n, l
			}
		}
	}
	r.Stride = r.layout.size
	return nil
}

func (r *reader) isField(l *layout, x *elfrw.Rela) bool {
	at := x.Offset % l.size
	return slices.ContainsFunc(l.fields, func(f field) bool {
		return f.at == at && slices.Contains(r.types(f), x.Type)
	})
}

// entries reads all entries, relocation by relocation.
func (r *reader) entries() *Problem {
	l, size := r.layout, uint64(len(r.Section.Data))
	fields := make([]ready, len(l.fields))
	for i, f := range l.fields {
		fields[i] = ready{field: f, types: r.types(f)}
	}
	// As many as there are relocations for, whatever the size says.
	n := min((size+l.size-1)/l.size, uint64(r.count()/len(fields))+1)
	r.Entries = make([]Entry, 0, n)
	c := r.relocs
	c.rewind()
	x := c.next()
	for start := uint64(0); start < size; start += l.size {
		e := Entry{Table: r.Table, Offset: start, Size: min(l.size, size-start), first: uint32(c.taken - 1)}
		have := 0
		for ; x != nil && x.Offset < start+e.Size; x = c.next() {
			e.relocs++
			if have < len(fields) && x.Offset == start+fields[have].at && slices.Contains(fields[have].types, x.Type) {
				if !fields[have].resolve(x, c) {
					return r.problem(int64(x.Offset), "%s of the %s has a relocation without a symbol", fields[have].what, l.kind)
				}
				have++
				continue
			}
			if !slices.Contains(r.none, x.Type) {
				return r.unexpected(&e, x, have)
			}
		}
		if have < len(fields) {
			return r.problem(int64(start+fields[have].at), "%s of the %s has no relocation", fields[have].what, l.kind)
		}
		if p := r.fill(&e, fields); p != nil {
			return p
		}
		r.sites.add(e.Site.Section)
		r.replacements.add(e.Replacement.Section)
		r.Entries = append(r.Entries, e)
	}
	if x != nil {
		return r.problem(int64(x.Offset), "relocation behind the end of the section (%#x bytes)", size)
	}
	return nil
}

// unexpected says what is wrong with relocation x, in entry e where the field
// number have should come next.
func (r *reader) unexpected(e *Entry, x *elfrw.Rela, have int) *Problem {
	fields := r.layout.fields
	for i, f := range fields {
		switch {
		case x.Offset != e.Offset+f.at:
		case i < have:
			return r.problem(int64(x.Offset), "%s of the %s has two relocations", f.what, r.layout.kind)
		case i > have:
			missing := fields[have]
			return r.problem(int64(e.Offset+missing.at), "%s of the %s has no relocation", missing.what, r.layout.kind)
		default:
			return r.problem(int64(x.Offset), "%s of the %s has a relocation of type %s", f.what, r.layout.kind, r.arch.name(x.Type))
		}
	}
	return r.problem(int64(x.Offset), "relocation of what is no place in an entry of %d bytes", r.layout.size)
}

// ready is a field, with where that of the entry at hand leads.
type ready struct {
	field
	types   []uint32
	section *elfrw.Section // nil: the symbol is not defined in the module
	offset  uint64
	symbol  *elfrw.Symbol
	place   uint64 // of the field, in the table
	reloc   Reloc
}

// resolve finds where the field leads by relocation x, which c returned, and
// reports whether that is said. S+A is the place, of relative fields as of absolute
// ones: what the machine subtracts from it, P, is the field, and that is what the
// kernel adds again.
func (f *ready) resolve(x *elfrw.Rela, c *source) bool {
	y := x.Sym
	if y == nil {
		return false
	}
	f.section, f.offset, f.symbol = y.Section, y.Value+uint64(x.Addend), y
	if f.form == fromEntry {
		f.offset -= f.at
	}
	f.place, f.reloc = x.Offset, c.ref()
	return true
}

// inside checks that the n bytes where f leads are in a loaded section of the
// module.
func (r *reader) inside(f *ready, n uint64) *Problem {
	switch s := f.section; {
	case s == nil:
		return r.problem(int64(f.place), "%s is %s, outside of the module", f.what, f.symbol)
	case !s.Alloc():
		return r.problem(int64(f.place), "%s is in %s, which is not loaded", f.what, s)
	case s.Type != elf.SHT_PROGBITS:
		return r.problem(int64(f.place), "%s is in %s, which holds no code", f.what, s)
	case f.offset > uint64(len(s.Data)) || n > uint64(len(s.Data))-f.offset:
		return r.problem(int64(f.place), "%s, %d bytes at %s%+#x, is outside of that section (%#x bytes)", f.what, n, s, int64(f.offset), len(s.Data))
	}
	return nil
}

// fill takes the entry's meaning from where its fields lead.
func (r *reader) fill(e *Entry, at []ready) *Problem {
	if e.Kind == Feature {
		return r.fillFeature(e, at)
	}
	lens, n := &r.layout.lens, uint64(1)
	if lens.code == nil {
		n = uint64(r.Section.Data[e.Offset+lens.site])
	}
	site := &at[0]
	if p := r.inside(site, n); p != nil {
		return p
	}
	if lens.code != nil {
		n = lens.code(site.section.Data[site.offset:])
		if p := r.inside(site, n); p != nil {
			return p
		}
	}
	e.Site = Range{site.section, site.offset, n}
	switch e.Kind {
	case Alternative:
		m := uint64(r.Section.Data[e.Offset+lens.replacement])
		if m == 0 {
			return nil // nothing, or what a function makes up (arm64)
		}
		if m > n {
			return r.problem(int64(e.Offset), "replacement of %d bytes for %d", m, n)
		}
		e.Replacement = Range{at[1].section, at[1].offset, m}
		return r.inside(&at[1], m)
	case JumpLabel:
		// 0 bytes: what is unreachable may be empty.
		if p := r.inside(&at[1], 0); p != nil {
			return p
		}
		return r.fillKey(e, &at[2])
	case StaticCall:
		return r.fillKey(e, &at[1])
	}
	return nil
}

func (r *reader) fillKey(e *Entry, at *ready) *Problem {
	const flags = 3
	offset := at.offset &^ flags
	e.Key = Key{Symbol: at.symbol, Addend: int64(offset - at.symbol.Value), Reloc: at.reloc}
	if s := at.section; s != nil {
		if offset >= s.Size() {
			return r.problem(int64(at.place), "key, at %s%+#x, is outside of that section (%#x bytes)", s, int64(offset), s.Size())
		}
		e.Key.Section, e.Key.Offset = s, offset
	}
	return nil
}

func (r *reader) fillFeature(e *Entry, at []ready) *Problem {
	for i, to := range []*Range{&e.Site, &e.Replacement} {
		from, end := &at[2*i], &at[2*i+1]
		if from.section != end.section || end.offset < from.offset {
			return r.problem(int64(end.place), "%s is in front of its start, or elsewhere", end.what)
		}
		n := end.offset - from.offset
		if i == 1 && n == 0 {
			break // nops
		}
		if i == 1 && n > e.Site.Size {
			return r.problem(int64(e.Offset), "replacement of %d bytes for %d", n, e.Site.Size)
		}
		if p := r.inside(from, n); p != nil {
			return p
		}
		*to = Range{from.section, from.offset, n}
	}
	return nil
}
