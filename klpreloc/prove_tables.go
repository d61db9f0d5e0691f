// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/special"
)

// The part of the proof that is about special sections: which entries had to leave
// their tables is found out anew from before, and the tables of after, and the
// .klp.arch sections, are compared with what then must be in them, byte by byte and
// relocation by relocation.

// tables finds out which entries have to go.
func (p *prover) tables() error {
	names := func(y *elfrw.Symbol) string {
		if notes := p.annotated[y]; len(notes) > 0 {
			return notes[0].Name
		}
		return ""
	}
	if !p.anyLate() && !p.hasReplacements() {
		return nil
	}
	t := &touched{gates: p.gates, nameOf: names, keepInert: p.keepInert}
	m, _ := arch.Of(p.before)
	cuts := map[*special.Entry]string{}
	var wrong error
	p.before.Refers(func(y *elfrw.Symbol) bool { return len(p.annotated[y]) > 0 }, func(ref elfrw.Reference) bool {
		s := ref.Section.Target
		if s == nil || !s.Alloc() || p.gone[s] {
			return true
		}
		c := p.gates.choose(p.annotated[ref.Sym], s, ref.Offset)
		l := t.judge(m, s, &ref.Rela, c.gate)
		if !l.fine() && !p.unsafe {
			wrong = fmt.Errorf("%s+%#x: a klp relocation for %s in what the kernel has patched by then", ref.Section, ref.Offset, c.gate)
			return false
		}
		for _, x := range l.cuts {
			if object, taken := cuts[x.Entry]; taken && object != x.Object {
				wrong = fmt.Errorf("%s is for %s and for %s", x.Entry, object, x.Object)
				return false
			}
			cuts[x.Entry] = x.Object
		}
		return true
	})
	if wrong != nil || len(cuts) == 0 {
		return wrong
	}
	for _, edit := range tableEdits(p.gates.special(), cuts) {
		edit := edit
		p.edits[edit.Table.Section] = newShifter(&edit)
	}
	return nil
}

// anyLate reports whether a klp relocation can be late at all: since 5.8 only those of
// modules' symbols are.
func (p *prover) anyLate() bool {
	for _, notes := range p.annotated {
		for _, a := range notes {
			if p.gates.late(a.Object) {
				return true
			}
		}
	}
	return false
}

// hasReplacements reports whether a table is there in which a klp relocation can be wrong
// without being late.
func (p *prover) hasReplacements() bool {
	return slices.ContainsFunc(p.before.Sections, func(s *elfrw.Section) bool { return special.HasReplacements(s.Name) })
}

// archProof is a .klp.arch section of after, as it should be.
type archProof struct {
	data    []byte
	align   uint64
	flags   uint64
	entsize uint64
	at      map[*special.Entry]uint64
	relocs  *relocReader
}

// archSections checks the .klp.arch sections among the new ones, and returns those
// that are left.
func (p *prover) archSections(added []*elfrw.Section) ([]*elfrw.Section, error) {
	for _, s := range p.before.Sections { // in header order
		shift := p.edits[s]
		if shift == nil {
			continue
		}
		for i := range shift.edit.Cuts {
			c := &shift.edit.Cuts[i]
			if c.Object == "" {
				continue
			}
			name := archName(c.Object, shift.edit.Table)
			a := p.archs[name]
			if a == nil {
				a = &archProof{at: map[*special.Entry]uint64{}, flags: s.Flags &^ uint64(elf.SHF_GROUP), entsize: s.EntSize}
				p.archs[name] = a
			}
			if n := c.Entry.Stride; n > 0 && uint64(len(a.data))%n != 0 {
				a.data = append(a.data, make([]byte, n-uint64(len(a.data))%n)...)
			}
			a.at[c.Entry] = uint64(len(a.data))
			a.data = append(a.data, s.Data[c.Entry.Offset:c.Entry.Offset+c.Entry.Size]...)
			a.align = max(a.align, s.Align)
		}
	}
	var rest []*elfrw.Section
	seen := map[string]bool{}
	for _, t := range added {
		name, relocs := strings.CutPrefix(t.Name, ".rela"+klpabi.ArchPrefix)
		name = klpabi.ArchPrefix + name
		if !relocs {
			name = t.Name
		}
		a := p.archs[name]
		switch {
		case !strings.HasPrefix(name, klpabi.ArchPrefix):
			rest = append(rest, t)
			continue
		case a == nil || seen[t.Name]:
			return nil, fmt.Errorf("section %s came from nowhere", t)
		case relocs:
			if t.Type != elf.SHT_RELA || t.Flags != uint64(elf.SHF_INFO_LINK) || t.Addr != 0 || !t.HasRelocs() || t.Target == nil || t.Target.Name != name {
				return nil, fmt.Errorf("header of %s is not that of relocations for %s", t, name)
			}
			a.relocs = readerOf(t)
		case t.Type != elf.SHT_PROGBITS || !t.Alloc() || t.Flags != a.flags || t.EntSize != a.entsize || t.Align != a.align ||
			t.Addr != 0 || t.Info != 0 || t.Link != nil || t.Target != nil || !bytes.Equal(t.Data, a.data):
			return nil, fmt.Errorf("%s does not hold what left the tables for it", t)
		}
		seen[t.Name] = true
	}
	for name, a := range p.archs {
		if a.relocs == nil || !seen[name] {
			return nil, fmt.Errorf("section %s is missing", name)
		}
	}
	return rest, nil
}

// edited reports whether t is the table s without what had to leave it.
func (p *prover) edited(s, t *elfrw.Section) bool {
	shift := p.edits[s]
	return shift != nil && bytes.Equal(shift.edit.left(), t.Data)
}

// place follows a relocation of a table that lost entries. It returns the reader
// where it has to be, nil when that is none of them, and false when it is gone.
func (p *prover) place(s *elfrw.Section, r *elfrw.Rela) (into *relocReader, stays bool) {
	shift := p.edits[s]
	if shift == nil {
		return nil, true
	}
	before, c := shift.at(r.Offset)
	switch {
	case c == nil:
		r.Offset -= before
		return nil, true
	case c.Object == "":
		return nil, false
	}
	a := p.archs[archName(c.Object, shift.edit.Table)]
	r.Offset = a.at[c.Entry] + r.Offset - c.Entry.Offset
	return a.relocs, true
}
