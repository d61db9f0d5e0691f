// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"bytes"

	"golang.org/x/exp/slices"
)

// Most relocations of a file stay where they are when some of them move, and a
// relocation that moves keeps all of its fields. So entries are not decoded but
// copied as bytes, with the symbol numbers of File.parsed like everything else that
// was read, and Write puts new numbers into all.

// MoveRelocs moves relocations of from to other sections. It calls dest once and
// in order for each relocation whose index is in which, ascending. dest returns
// the relocation's new section: from itself, another relocation section of the
// file, to which it is appended, or nil, which drops it. dest may replace the
// relocation's Sym by another symbol of the file or by nil and must not change the
// other fields. Relocations that are not in which stay.
func (f *File) MoveRelocs(from *Section, which []int, dest func(i int, r *Rela) *Section) {
	m := &mover{File: f, from: from, size: f.relocSize(from.Type)}
	from.becomeRaw()
	var r Rela // dest makes it escape, so there is one for all
	for _, i := range which {
		r = from.Reloc(i)
		sym := r.Sym
		into := dest(i, &r)
		if into == from && r.Sym == sym {
			continue
		}
		m.keep(i)
		if into != nil {
			m.append(into, i, r)
		}
		m.done = i + 1
	}
	m.finish()
}

// mover is the state of MoveRelocs. It never writes to the input: Parse clips
// Data, so appending copies it.
type mover struct {
	*File
	from *Section
	size int
	done int // relocations of from before this one are done

	stay      [][]byte // of a raw section, in pieces of its contents
	stayRelas []Rela   // of a decoded one
}

func (m *mover) isRaw() bool { return m.from.encoding == rawRelocs }

// keep keeps all relocations from done up to the i-th in place.
func (m *mover) keep(i int) {
	if m.isRaw() {
		if m.done < i {
			m.stay = append(m.stay, m.from.Data[m.done*m.size:i*m.size])
		}
		return
	}
	m.stayRelas = append(m.stayRelas, m.from.relocs[m.done:i]...)
}

// append appends r, the i-th relocation of from, to into.
func (m *mover) append(into *Section, i int, r Rela) {
	if !m.isRaw() {
		if into == m.from {
			m.stayRelas = append(m.stayRelas, r)
			return
		}
		m.AddReloc(into, r)
		return
	}
	if r.Sym != nil && r.Sym.slot == 0 || into.Type != m.from.Type ||
		into != m.from && !into.becomeRaw() {
		m.decode()
		m.append(into, i, r)
		return
	}
	entry := m.from.Data[i*m.size : (i+1)*m.size]
	if into == m.from {
		entry = slices.Clone(entry)
		m.stay = append(m.stay, entry)
	} else {
		into.Data = append(into.Data, entry...)
		entry = into.Data[len(into.Data)-m.size:]
	}
	var slot uint32
	if r.Sym != nil {
		slot = r.Sym.slot
	}
	m.putRelInfo(entry, slot, r.Type)
}

// becomeRaw makes the section hold raw entries if it is empty or still has them,
// and reports whether it does.
func (s *Section) becomeRaw() bool {
	s.joinPieces()
	switch {
	case s.encoding == newRelocs && len(s.relocs) == 0:
		s.Data, s.relocs, s.encoding = nil, nil, rawRelocs
	case s.encoding == decodedRelocs:
		s.relocs, s.encoding = nil, rawRelocs
	}
	return s.encoding == rawRelocs
}

// decode decodes all of from, since raw entries can't refer to added symbols.
func (m *mover) decode() {
	m.stayRelas = m.decodeRelocs(m.from, bytes.Join(m.stay, nil))
	m.from.Relocs()
}

// finish gives from the relocations that stay.
func (m *mover) finish() {
	if m.done == 0 {
		return
	}
	m.keep(m.from.NumRelocs())
	if m.isRaw() {
		m.from.pieces, m.from.encoding = m.stay, pieceRelocs
	} else {
		m.from.SetRelocs(m.stayRelas)
	}
}

// joinPieces joins the pieces that MoveRelocs left. Mostly only Write reads them,
// which needs no join.
func (s *Section) joinPieces() {
	if s.encoding == pieceRelocs {
		s.Data, s.pieces, s.encoding = bytes.Join(s.pieces, nil), nil, rawRelocs
	}
}

// piecesSize returns how many bytes the pieces have.
func (s *Section) piecesSize() (n int) {
	for _, p := range s.pieces {
		n += len(p)
	}
	return n
}
