// SPDX-License-Identifier: GPL-2.0-or-later

package rewrite

import (
	"debug/elf"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/latereloc"
	"github.com/klp-convert/klp-convert/klpreloc/special"
)

// Taking entries out of special sections:
//
//	.altinstructions          .altinstructions   .klp.arch.ext4..altinstructions
//	  0  entry A                0  entry A          0  entry B
//	 13  entry B  ext4         13  entry C
//	 26  entry C
//
// An entry moves with its own relocations, which stay ordinary ones, because they refer to
// the module itself. The entries after it move up, in order. There is exactly one section
// for an object and a kind, because of several the kernel uses the last
// (arch/x86/kernel/livepatch.c, arch_klp_init_object_loaded: "%s%55[^.].%127s" of each
// section's name, 4.9 to 5.7).

// contentsLeft returns the contents that the table keeps.
func contentsLeft(t *latereloc.TableEdit) []byte {
	data := t.Table.Section.Data
	out := make([]byte, 0, len(data))
	at := uint64(0)
	for _, c := range t.Cuts {
		out = append(out, data[at:c.Entry.Offset]...)
		at = c.Entry.Offset + c.Entry.Size
	}
	return append(out, data[at:]...)
}

// An archSection is a .klp.arch section that is being built.
type archSection struct {
	section *elfrw.Section
	relocs  []elfrw.Rela
}

// editTables carries the cuts out, and adds the sections that entries go to. It comes after
// the moves, so that it also edits the klp relocation sections of a table.
func (p *Plan) editTables() {
	archs := map[string]*archSection{}
	var order []*archSection
	for i := range p.Tables {
		t := &p.Tables[i]
		from := t.Table.Section
		placed := map[*special.Entry]uint64{} // offset in the new section
		for _, c := range t.Cuts {
			if c.Object == "" {
				continue
			}
			name := latereloc.ArchName(c.Object, t.Table)
			a := archs[name]
			if a == nil {
				a = &archSection{section: &elfrw.Section{Name: name, Type: elf.SHT_PROGBITS,
					Flags: from.Flags &^ uint64(elf.SHF_GROUP), EntSize: from.EntSize}}
				archs[name] = a
				order = append(order, a)
			}
			a.section.Align = max(a.section.Align, from.Align)
			placed[c.Entry] = a.append(c.Entry)
		}
		p.moveTableRelocs(t, func(c *latereloc.Cut, r elfrw.Rela) {
			if c.Object == "" {
				return
			}
			r.Offset = placed[c.Entry] + r.Offset - c.Entry.Offset
			a := archs[latereloc.ArchName(c.Object, t.Table)]
			a.relocs = append(a.relocs, r)
		})
		from.Data = contentsLeft(t)
	}
	for _, a := range order {
		f := p.file
		relocs := &elfrw.Section{Name: ".rela" + a.section.Name, Type: elf.SHT_RELA,
			Flags: uint64(elf.SHF_INFO_LINK), Align: uint64(f.PointerSize()),
			Link: f.Symtab, Target: a.section}
		f.AddSection(a.section)
		f.AddSection(relocs)
		relocs.SetRelocs(a.relocs)
	}
}

// append adds an entry at the end. It fills up the last entry first: that of a table may
// be cut short (paravirt's, whose size is no multiple of its alignment).
func (a *archSection) append(e *special.Entry) (offset uint64) {
	for e.Stride > 0 && uint64(len(a.section.Data))%e.Stride != 0 {
		a.section.Data = append(a.section.Data, 0)
	}
	offset = uint64(len(a.section.Data))
	a.section.Data = append(a.section.Data, e.Section.Data[e.Offset:e.Offset+e.Size]...)
	return offset
}

// moveTableRelocs shifts the relocations of what stays, and hands over those of cut
// entries.
func (p *Plan) moveTableRelocs(t *latereloc.TableEdit, cut func(*latereloc.Cut, elfrw.Rela)) {
	for _, s := range p.file.Sections {
		if !s.HasRelocs() || s.Target != t.Table.Section {
			continue
		}
		all := s.Relocs()
		stay := make([]elfrw.Rela, 0, len(all))
		shift := newShifter(t)
		for _, r := range all {
			before, c := shift.at(r.Offset)
			if c != nil {
				cut(c, r)
				continue
			}
			r.Offset -= before
			stay = append(stay, r)
		}
		s.SetRelocs(stay)
	}
}

// A shifter answers, for many offsets in a table, how far the cuts before each shift it.
type shifter struct {
	edit *latereloc.TableEdit
	sums []uint64 // bytes of the cuts before each
}

func newShifter(t *latereloc.TableEdit) *shifter {
	s := &shifter{edit: t, sums: make([]uint64, len(t.Cuts)+1)}
	for i, c := range t.Cuts {
		s.sums[i+1] = s.sums[i] + c.Entry.Size
	}
	return s
}

// at returns how many bytes of cuts are before an offset, and the cut that
// holds it, nil when it stays.
func (s *shifter) at(offset uint64) (before uint64, in *latereloc.Cut) {
	cuts := s.edit.Cuts
	i, _ := slices.BinarySearchFunc(cuts, offset, func(c latereloc.Cut, off uint64) int {
		if c.Entry.Offset+c.Entry.Size <= off {
			return -1
		}
		return 1
	})
	if i < len(cuts) && offset >= cuts[i].Entry.Offset {
		return s.sums[i], &cuts[i]
	}
	return s.sums[i], nil
}
