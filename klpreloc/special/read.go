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
	return readNamed(f, func(s *elfrw.Section) string { return s.Name })
}

// readNamed is Read for sections that go by another name: name returns which
// special section's format each has.
func readNamed(f *elfrw.File, name func(*elfrw.Section) string) (*Tables, []Problem) {
	t := &Tables{file: f, bySection: map[*elfrw.Section]*Table{}}
	a := formatsOf(f)
	if a == nil {
		return t, nil
	}
	layouts := map[*Table][]layout{}
	for _, s := range f.Sections {
		if l := a.layouts[name(s)]; l != nil {
			table := &Table{Section: s, Kind: l[0].kind, formats: a, data: s.Data}
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
	t.sites, t.replacements = index{}, index{}
	for i, table := range t.All {
		r := reader{Table: table, num: uint32(i)}
		if p := r.read(layouts[table]); p != nil {
			problems = append(problems, *p)
		}
		t.sites.add(&r.sites)
		t.replacements.add(&r.replacements)
	}
	return t, append(problems, t.index()...)
}

// reader reads one table.
type reader struct {
	*Table
	num    uint32 // of the table
	relocs *source

	sites, replacements batch
}

// problem makes a Problem at offset off, -1: of the whole section.
func (t *Table) problem(off int64, format string, args ...any) *Problem {
	return &Problem{t.Section, off, fmt.Sprintf(format, args...)}
}

// read checks the section and reads its entries.
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
	if len(r.Relocs) == 1 {
		r.relocs = &source{section: r.Relocs[0]}
		if p := r.readEntries(layouts); p == nil {
			return nil
		}
		// A relocation that is missing may follow later, and one too many may belong
		// to an earlier entry.
	}
	r.relocs = inOrder(r.Relocs)
	r.refs = r.relocs.refs()
	return r.readEntries(layouts)
}

// readEntries chooses the format and reads all entries by it.
func (r *reader) readEntries(layouts []layout) *Problem {
	if p := r.choose(layouts); p != nil {
		return p
	}
	return r.walkEntries()
}

// count returns the number of the table's relocations.
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
	size, entsize := uint64(len(r.data)), r.Section.EntSize
	var names []string
	var fits []*layout
	for i := range layouts {
		l := &layouts[i]
		names = append(names, fmt.Sprint(l.size))
		if rest := size % l.size; (rest == 0 || slices.Contains(l.cut, rest)) &&
			(entsize <= 1 || entsize == l.size) {
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

// isField reports whether x is a relocation of one of the layout's fields.
func (r *reader) isField(l *layout, x *elfrw.Rela) bool {
	at := x.Offset % l.size
	return slices.ContainsFunc(l.fields, func(f field) bool {
		return f.at == at && slices.Contains(r.formats.types(f), x.Type)
	})
}

// walkEntries goes through all entries, relocation by relocation, and notes which code
// each is about.
func (r *reader) walkEntries() *Problem {
	l, size := r.layout, uint64(len(r.data))
	fields := r.fields()
	// As many as there are relocations for, whatever the size says.
	most := int(min((size+l.size-1)/l.size, uint64(r.count()/len(fields))))
	r.n, r.starts = 0, nil
	r.sites.reset(most)
	r.replacements.reset(0)
	if l.kind == Alternative || l.kind == Feature {
		r.replacements.reset(most)
	}
	c := r.relocs
	c.rewind()
	x := c.next()
	for uint64(r.n)*l.size < size {
		e := r.newEntry(r.n, uint32(c.taken-1))
		r.markStart(e.first, most, len(fields))
		have := 0
		for end := e.Offset + e.Size; x != nil && x.Offset < end; x = c.next() {
			if have < len(fields) && fields[have].takes(x, &e) {
				if !fields[have].resolve(x) {
					return r.problem(int64(x.Offset),
						"%s of the %s has a relocation without a symbol", fields[have].what, l.kind)
				}
				have++
				continue
			}
			if x.Offset < e.Offset || !slices.Contains(r.formats.None, x.Type) {
				return r.unexpected(&e, x, have)
			}
		}
		if have < len(fields) && !r.hasNoReplacement(&e, have) {
			return r.problem(int64(e.Offset+fields[have].at), "%s of the %s has no relocation",
				fields[have].what, l.kind)
		}
		if p := r.fillEntry(&e, fields); p != nil {
			return p
		}
		me := entryNum{r.num, uint32(r.n)}
		r.sites.add(e.Site, me)
		r.replacements.add(e.Replacement, me)
		r.n++
	}
	r.markStart(uint32(c.taken-1), most, len(fields))
	if x != nil {
		return r.problem(int64(x.Offset), "relocation past the end of the section (%#x bytes)", size)
	}
	return nil
}

// markStart notes the first relocation after the r.n entries that are done, of at most
// most, if it is not that after one for each field.
func (r *reader) markStart(first uint32, most, fields int) {
	if r.starts == nil {
		if int(first) == r.n*fields {
			return
		}
		r.starts = make([]uint32, 0, most+1)
		for i := range r.n {
			r.starts = append(r.starts, uint32(i*fields))
		}
	}
	r.starts = append(r.starts, first)
}

// unexpected says what is wrong with relocation x, in entry e, where that of
// field number have is expected.
func (r *reader) unexpected(e *Entry, x *elfrw.Rela, have int) *Problem {
	fields := r.layout.fields
	for i, f := range fields {
		switch {
		case x.Offset != e.Offset+f.at:
		case i < have:
			return r.problem(int64(x.Offset), "%s of the %s has two relocations", f.what, r.layout.kind)
		case i > have:
			missing := fields[have]
			return r.problem(int64(e.Offset+missing.at), "%s of the %s has no relocation", missing.what,
				r.layout.kind)
		default:
			return r.problem(int64(x.Offset),
				"%s of the %s has a relocation of type %s", f.what, r.layout.kind, r.formats.TypeName(x.Type))
		}
	}
	return r.problem(int64(x.Offset),
		"relocation outside of the fields of an entry of %d bytes", r.layout.size)
}

// resolvedField is a field, with the place where that of the current entry leads.
type resolvedField struct {
	field
	types   []uint32
	section *elfrw.Section // nil: the symbol is not defined in the module
	offset  uint64
	symbol  *elfrw.Symbol
	place   uint64 // of the field, in the table
}

// fields returns the fields of t's entries.
func (t *Table) fields() []resolvedField {
	fields := make([]resolvedField, len(t.layout.fields))
	for i, f := range t.layout.fields {
		fields[i] = resolvedField{field: f, types: t.formats.types(f)}
	}
	return fields
}

// takes reports whether x is a relocation of the field in e.
func (f *resolvedField) takes(x *elfrw.Rela, e *Entry) bool {
	return x.Offset == e.Offset+f.at && slices.Contains(f.types, x.Type)
}

// resolve finds where the field leads by relocation x, and returns false for a relocation without
// a symbol. S+A is the place, for relative fields as for absolute ones: what the machine subtracts
// from it, P, is the place of the field, and the kernel adds that again.
func (f *resolvedField) resolve(x *elfrw.Rela) bool {
	y := x.Sym
	if y == nil {
		return false
	}
	f.section, f.offset, f.symbol = y.Section, y.Value+uint64(x.Addend), y
	if f.form == fromEntry {
		f.offset -= f.at
	}
	f.place = x.Offset
	return true
}

// isImported reports whether f leads to what the module has from elsewhere: the start of
// an undefined symbol. objtool of 5.13 to 5.15 wrote an alternative for every indirect
// call and jump, whose replacement is the kernel's __x86_indirect_alt_call_rax and its
// like (arch/x86/lib/retpoline.S, exported; tools/objtool/arch/x86/decode.c,
// arch_rewrite_retpolines): 9bc0bb50727c (5.13) to 134ab5bd1883 (5.16), which stable
// took into 5.15.y in July 2022 (posted for 5.15.55) with 4fe79e710d95, which removed
// the symbols.
func (f *resolvedField) isImported() bool {
	return f.section == nil && f.symbol.Undefined() && f.symbol.Name != "" &&
		f.offset == f.symbol.Value
}

// inside checks that the n bytes where f leads are in a loaded section of the
// module.
func (t *Table) inside(f *resolvedField, n uint64) *Problem {
	switch s := f.section; {
	case s == nil:
		return t.problem(int64(f.place), "%s is %s, outside of the module", f.what, f.symbol)
	case !s.Alloc():
		return t.problem(int64(f.place), "%s is in %s, which is not loaded", f.what, s)
	case s.Type != elf.SHT_PROGBITS:
		return t.problem(int64(f.place), "%s is in %s, which holds no code", f.what, s)
	case f.offset > uint64(len(s.Data)) || n > uint64(len(s.Data))-f.offset:
		return t.problem(int64(f.place), "%s, size %d at %s%+#x, is outside of that section (%#x bytes)",
			f.what, n, s, int64(f.offset), len(s.Data))
	}
	return nil
}

// fillEntry sets what the entry means, by where its fields lead.
func (t *Table) fillEntry(e *Entry, at []resolvedField) *Problem {
	if e.Kind == Feature {
		return t.fillFeature(e, at)
	}
	lens, n := &t.layout.lens, uint64(1)
	if lens.code == nil {
		n = uint64(t.data[e.Offset+lens.site])
	}
	site := &at[0]
	if p := t.inside(site, n); p != nil {
		return p
	}
	if lens.code != nil {
		n = lens.code(site.section.Data[site.offset:])
		if p := t.inside(site, n); p != nil {
			return p
		}
	}
	e.Site = elfrw.RangeOf(site.section, site.offset, n)
	switch e.Kind {
	case Alternative:
		m := uint64(t.data[e.Offset+lens.replacement])
		if m == 0 {
			return nil // no code, or code that a function generates (arm64)
		}
		if m > n {
			return t.problem(int64(e.Offset), "replacement of %d bytes for %d", m, n)
		}
		if at[1].isImported() {
			e.Outside = at[1].symbol
			return nil
		}
		e.Replacement = elfrw.RangeOf(at[1].section, at[1].offset, m)
		return t.inside(&at[1], m)
	case JumpLabel:
		// 0 bytes: what is unreachable may be empty.
		if p := t.inside(&at[1], 0); p != nil {
			return p
		}
		return t.fillKey(e, &at[2])
	case StaticCall:
		return t.fillKey(e, &at[1])
	}
	return nil
}

// fillKey sets the key of the entry.
func (t *Table) fillKey(e *Entry, at *resolvedField) *Problem {
	const flags = 3
	offset := at.offset &^ flags
	e.Key = Key{Symbol: at.symbol, Addend: int64(offset - at.symbol.Value)}
	if s := at.section; s != nil {
		if offset >= s.Size() {
			return t.problem(int64(at.place),
				"key, at %s%+#x, is outside of that section (%#x bytes)", s, int64(offset), s.Size())
		}
		e.Key.Section, e.Key.Offset = s, offset
	}
	return nil
}

// fillFeature sets site and replacement of a feature section's entry.
func (t *Table) fillFeature(e *Entry, at []resolvedField) *Problem {
	for i, to := range []*elfrw.Range{&e.Site, &e.Replacement} {
		from, end := &at[2*i], &at[2*i+1]
		if from.section != end.section || end.offset < from.offset {
			return t.problem(int64(end.place), "%s is before its start, or in another section", end.what)
		}
		n := end.offset - from.offset
		if i == 1 && n == 0 {
			break // nops
		}
		if i == 1 && n > e.Site.Size {
			return t.problem(int64(e.Offset), "replacement of %d bytes for %d", n, e.Site.Size)
		}
		if p := t.inside(from, n); p != nil {
			return p
		}
		*to = elfrw.RangeOf(from.section, from.offset, n)
	}
	return nil
}
