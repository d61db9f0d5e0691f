// SPDX-License-Identifier: GPL-2.0-or-later

package annotation

import (
	"cmp"
	"debug/elf"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// A record of KLP_MODULE_RELOC(obj) names a symbol by a relocation and its
// position by the word after the pointer:
//
//	.klp.module_relocs.<obj>                  .rela.klp.module_relocs.<obj>
//	  +0   pointer slot  00 00 00 00 …    ◀── +0   R_X86_64_64  sym + 0
//	  +8   u32 sympos    02 00 00 00
//	  +12  next record, or padding
//
// Compilers align arrays as they like, so padding appears between them and the
// size of the section says nothing: there is one record for each relocation,
// and every byte outside of them is zero. Two records may be one annotation
// (source.go). What differs is the slot. On ELF64 a
// pointer fills it. On ELF32 the records of the 2016 proposal have a slot of 4
// bytes and take 8, those of v6 and v7 have one of 8 (a union with a u64) and
// take 12; the size of an array or the distance of its relocations tells which.

// recordKind is a layout of records.
type recordKind struct {
	dialect Dialect
	slot    uint64 // bytes before sympos
}

func (k recordKind) size() uint64 { return k.slot + 4 }

var (
	kind64  = recordKind{Records, 8}
	kindRFC = recordKind{RecordsRFC, 4}
	kindV7  = recordKind{RecordsV7, 8}
)

func isAnnotation(s *elfrw.Section) bool {
	switch s.Type {
	case elf.SHT_PROGBITS, elf.SHT_NOBITS:
	default:
		return false // a part of the file's structure, like relocations
	}
	return s.Name == recordPrefix || strings.HasPrefix(s.Name, recordPrefix+".")
}

// readRecords reads every annotation section.
func (r *reader) readRecords() {
	if len(r.Set.Sections) == 0 {
		return
	}
	arrays := arraysOf(r.File)
	relocs := map[*elfrw.Section][]*elfrw.Section{}
	for _, s := range r.File.Sections {
		if s.HasRelocs() && s.Target != nil {
			relocs[s.Target] = append(relocs[s.Target], s)
		}
	}
	for _, s := range r.Set.Sections {
		r.readSection(s, relocs[s], arrays[s])
	}
}

// slot is one relocation of an annotation section.
type slot struct {
	elfrw.Rela
	kind recordKind
	at   uint64 // where the record begins
}

// readSection reads the records of one annotation section.
func (r *reader) readSection(s *elfrw.Section, relocs []*elfrw.Section, arrays []*elfrw.Symbol) {
	object := strings.TrimPrefix(strings.TrimPrefix(s.Name, recordPrefix), ".")
	var slots []slot
	for _, rs := range relocs {
		if rs.Type == elf.SHT_REL {
			r.Add(diag.Errorf(diag.RelSection, diag.In(rs), "",
				"SHT_REL relocations can't be converted: livepatching kernels use SHT_RELA"))
			return
		}
		for _, rel := range rs.Relocs() {
			if rel.Type != 0 { // R_*_NONE refers to nothing
				slots = append(slots, slot{Rela: rel})
			}
		}
	}
	if len(slots) == 0 {
		if s.Size() > 0 {
			r.Add(diag.Errorf(diag.NoRecords, diag.In(s), "",
				"annotation section of %d bytes without relocations: nothing says which symbols it is about",
				s.Size()).
				Hint("keep the relocations when linking (ld -r), and take each symbol's address: KLP_SYMPOS(sym, n)"))
		}
		return
	}
	slices.SortStableFunc(slots, func(a, b slot) int { return cmp.Compare(a.Offset, b.Offset) })
	if !r.placeRecords(s, slots, arrays) {
		return
	}
	r.checkStrayBytes(s, slots)
	for i := 0; i < len(slots); i++ {
		x := &slots[i]
		if r.position(s, x) != byFile || x.Sym == nil || !x.Sym.Undefined() {
			if a, ok := r.readRecord(s, object, x); ok {
				r.Annotations = append(r.Annotations, a)
			}
			continue
		}
		var path *slot
		if i+1 < len(slots) && r.isPath(s, x, &slots[i+1]) {
			i++
			path = &slots[i]
		}
		r.readFileRecord(s, object, x, path)
	}
}

// position is the sympos of a record.
func (r *reader) position(s *elfrw.Section, x *slot) uint32 {
	return r.Uint32(s.Data[x.at+x.kind.slot:])
}

// placeRecords finds each record's place and checks that none overlaps the next or
// the end.
func (r *reader) placeRecords(s *elfrw.Section, slots []slot, arrays []*elfrw.Symbol) bool {
	if r.PointerSize() == 8 {
		for i := range slots {
			slots[i].kind, slots[i].at = kind64, slots[i].Offset
		}
	} else if !r.findStride(s, slots, arrays) {
		return false
	}
	end, ok := uint64(0), true
	for _, x := range slots {
		switch {
		case x.at < end:
			r.Add(diag.Errorf(diag.BadRecord, diag.At(s, x.Offset), diag.SymbolName(x.Sym),
				"record overlaps the previous one"))
			ok = false
		case x.at > s.Size() || s.Size()-x.at < x.kind.size() || s.Data == nil:
			r.Add(diag.Errorf(diag.BadRecord, diag.At(s, x.Offset), diag.SymbolName(x.Sym),
				"record of %d bytes extends past the end of the section (%#x bytes)", x.kind.size(), s.Size()))
			ok = false
		}
		end = x.at + x.kind.size()
	}
	return ok
}

// findStride finds the layout of an ELF32 section's records, array by array.
func (r *reader) findStride(s *elfrw.Section, slots []slot, arrays []*elfrw.Symbol) bool {
	start, rest := uint64(0), slots // what follows the previous array
	for _, y := range arrays {
		n := 0
		for n < len(rest) && rest[n].Offset < y.Value {
			n++
		}
		if n > 0 && !r.findSpacing(s, rest[:n], start, y.Value) {
			return false
		}
		rest = rest[n:]
		for n = 0; n < len(rest) && rest[n].Offset-y.Value < y.Size; n++ {
		}
		start = max(start, y.Value+y.Size)
		if n == 0 {
			continue
		}
		kind, ok := strideBySize(y.Size, rest[:n], y.Value)
		if !ok {
			r.Add(diag.Errorf(diag.UnknownStride, diag.At(s, y.Value), diag.SymbolName(y),
				"array %s of %d bytes holds %d records of neither %d nor %d bytes",
				diag.SymbolName(y), y.Size, n, kindRFC.size(), kindV7.size()).
				Hint("include klp_convert.h: its records have 12 bytes on every target"))
			return false
		}
		placeAt32(rest[:n], kind, y.Value)
		rest = rest[n:]
	}
	return len(rest) == 0 || r.findSpacing(s, rest, start, s.Size())
}

// arraysOf returns the OBJECT symbols of each annotation section, by address;
// of those that share an address the largest.
func arraysOf(f *elfrw.File) map[*elfrw.Section][]*elfrw.Symbol {
	arrays := map[*elfrw.Section][]*elfrw.Symbol{}
	for _, y := range f.Symbols {
		if y.Type() == elf.STT_OBJECT && y.Size > 0 && y.Section != nil && isAnnotation(y.Section) {
			arrays[y.Section] = append(arrays[y.Section], y)
		}
	}
	for s, all := range arrays {
		slices.SortStableFunc(all, func(a, b *elfrw.Symbol) int {
			if a.Value != b.Value {
				return cmp.Compare(a.Value, b.Value)
			}
			return cmp.Compare(b.Size, a.Size)
		})
		arrays[s] = slices.CompactFunc(all, func(a, b *elfrw.Symbol) bool { return a.Value == b.Value })
	}
	return arrays
}

// strideBySize returns the layout of records that an array of that size consists of.
func strideBySize(size uint64, slots []slot, base uint64) (recordKind, bool) {
	for _, k := range []recordKind{kindRFC, kindV7} {
		if size == uint64(len(slots))*k.size() && fits(slots, k, base) {
			return k, true
		}
	}
	return recordKind{}, false
}

// fits reports whether the i-th relocation is in the slot of the i-th record
// from base on, always in the same half: on big-endian targets the pointer may
// fill the other one of v7's slot.
func fits(slots []slot, k recordKind, base uint64) bool {
	half := slots[0].Offset - base
	if half != 0 && (k.slot == 4 || half != 4) {
		return false
	}
	for i, x := range slots {
		if x.Offset != base+half+uint64(i)*k.size() {
			return false
		}
	}
	return true
}

// placeAt32 gives the records their layout and their offsets, from base on.
func placeAt32(slots []slot, k recordKind, base uint64) {
	for i := range slots {
		slots[i].kind, slots[i].at = k, base+uint64(i)*k.size()
	}
}

// findSpacing finds the layout of records that no array symbol covers, which lie
// somewhere from start to end: by the distance of their relocations or, for a
// single one, by what follows it.
func (r *reader) findSpacing(s *elfrw.Section, slots []slot, start, end uint64) bool {
	type guess struct {
		recordKind
		base uint64
	}
	first, n := slots[0].Offset, uint64(len(slots))
	guesses := []guess{{kindRFC, first}, {kindV7, first}}
	if r.BigEndian() && first >= 4 && first-4 >= start {
		guesses = append(guesses, guess{kindV7, first - 4})
	}
	possible := guesses[:0]
	for _, g := range guesses {
		if g.base > end || (end-g.base)/g.size() < n || !fits(slots, g.recordKind, g.base) ||
			n == 1 && end-g.base != g.size() {
			continue
		}
		possible = append(possible, g)
	}
	if len(possible) > 1 && n > 1 { // v7's pointers in either half: no padding is likelier than some
		possible = slices.DeleteFunc(possible, func(g guess) bool { return g.base != start })
	}
	// several for a single record: its position is in the same place for all of them
	if len(possible) > 0 {
		placeAt32(slots, possible[0].recordKind, possible[0].base)
		return true
	}
	room := end - first
	if n > 1 {
		room = slots[1].Offset - first
	}
	r.Add(diag.Errorf(diag.UnknownStride, diag.At(s, first), diag.SymbolName(slots[0].Sym),
		"records are %d bytes apart; those of the 2016 proposal have %d bytes, those of v7 %d",
		room, kindRFC.size(), kindV7.size()).
		Hint("keep the symbols of the arrays, or include klp_convert.h: its records have 12 bytes on every target"))
	return false
}

// checkStrayBytes refuses bytes that belong to no record and are not padding.
func (r *reader) checkStrayBytes(s *elfrw.Section, slots []slot) {
	pos := uint64(0)
	check := func(to uint64) bool {
		for ; pos < to; pos++ {
			if s.Data[pos] != 0 {
				r.Add(diag.Errorf(diag.StrayBytes, diag.At(s, pos), "",
					"byte %#02x belongs to no record: a record without a symbol, or not an array of KLP_SYMPOS()",
					s.Data[pos]))
				return false
			}
		}
		return true
	}
	pointer := uint64(r.PointerSize())
	for _, x := range slots {
		// The slot's half without the pointer, if any, is padding too.
		if !check(x.Offset) {
			return
		}
		pos = x.Offset + pointer
		if !check(x.at + x.kind.slot) {
			return
		}
		pos = x.at + x.kind.size()
	}
	check(uint64(len(s.Data)))
}

// readRecord makes an annotation of one relocation, or says why it can't.
func (r *reader) readRecord(s *elfrw.Section, object string, x *slot) (a Annotation, ok bool) {
	a = Annotation{
		Dialect: x.kind.dialect, LPObject: object, Object: object,
		Pos: r.position(s, x), Symbol: x.Sym, Section: s, offset: x.at,
	}
	m := arch.Machines[r.Header.Machine]
	switch {
	case x.Sym == nil:
		r.Add(diag.Errorf(diag.BadRecord, a.Place(), "", "record names no symbol"))
		return a, false
	case m != nil && x.Type != m.Word:
		r.Add(diag.Errorf(diag.BadRecord, a.Place(), diag.SymbolName(x.Sym),
			"record holds %s; an address is %s", arch.RelocName(r.File, x.Type), m.TypeName(m.Word)))
		return a, false
	case !x.Sym.Undefined():
		r.reportDefined(a.Place(), diag.SymbolName(x.Sym), x.Sym)
		return a, false
	case IsLabel(x.Sym.Name):
		r.Add(diag.Errorf(diag.BadRecord, a.Place(), diag.Clip(x.Sym.Name),
			"record names %s, which is an annotation itself (a label)", diag.Clip(x.Sym.Name)))
		return a, false
	case x.Addend != 0:
		r.Add(diag.Errorf(diag.BadRecord, a.Place(), diag.SymbolName(x.Sym),
			"record holds %s%+d; only a symbol itself can be annotated", diag.SymbolName(x.Sym), x.Addend))
		return a, false
	}
	a.Name = x.Sym.Name
	return a, true
}

// reportDefined reports an annotation of a symbol that the module defines.
func (r *reader) reportDefined(where diag.Place, name string, y *elfrw.Symbol) {
	what := "in " + diag.SectionName(y.Section)
	if y.Section == nil {
		what = y.Index.String()
	}
	r.Add(diag.Errorf(diag.AnnotatedDefined, where, name,
		"annotated symbol %s is defined in the module itself (%s)", name, what).
		Hint("declare it extern here, or drop the annotation"))
}
