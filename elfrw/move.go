// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"bytes"

	"golang.org/x/exp/slices"
)

// Most relocations of a file stay where they are when some of them move, and a
// relocation that moves keeps all of its fields. So nothing is decoded for
// good: entries are copied as the bytes that they are, numbered by File.parsed
// like everything else that was read, and Write puts new numbers into all.

// MoveRelocs asks dest, once and in order, of each relocation of from whose
// index is in which, ascending, where it goes: from itself, another relocation
// section of the file, to whose end it is appended, or nil, which drops it.
// dest may replace the relocation's Sym by another symbol of the file or by
// nil; it must leave the other fields alone. Relocations that are not in which
// stay.
func (f *File) MoveRelocs(from *Section, which []int, dest func(i int, r *Rela) *Section) {
	m := &mover{File: f, from: from, size: f.relocSize(from.Type)}
	from.takeRaw()
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

// mover holds what MoveRelocs has made so far. Data of the input is never
// written to: Parse leaves it no room to grow, so appending copies it.
type mover struct {
	*File
	from *Section
	size int
	done int // relocations of from in front of this one are where they belong

	stay      [][]byte // of a raw section, in pieces of its contents
	stayRelas []Rela   // of a decoded one
}

func (m *mover) raw() bool { return m.from.encoding == rawRelocs }

// keep lets everything up to the i-th relocation stay.
func (m *mover) keep(i int) {
	if m.raw() {
		if m.done < i {
			m.stay = append(m.stay, m.from.Data[m.done*m.size:i*m.size])
		}
		return
	}
	m.stayRelas = append(m.stayRelas, m.from.relocs[m.done:i]...)
}

// append puts r, the i-th of from, at the end of into.
func (m *mover) append(into *Section, i int, r Rela) {
	if !m.raw() {
		if into == m.from {
			m.stayRelas = append(m.stayRelas, r)
			return
		}
		m.AddReloc(into, r)
		return
	}
	if r.Sym != nil && r.Sym.slot == 0 || into.Type != m.from.Type || into != m.from && !into.takeRaw() {
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

// takeRaw lets a section hold raw entries where it is empty or has them still,
// and reports whether it does.
func (s *Section) takeRaw() bool {
	s.join()
	switch {
	case s.encoding == newRelocs && len(s.relocs) == 0:
		s.Data, s.relocs, s.encoding = nil, nil, rawRelocs
	case s.encoding == decodedRelocs:
		s.relocs, s.encoding = nil, rawRelocs
	}
	return s.encoding == rawRelocs
}

// decode goes on with values, for symbols that raw entries can't name.
func (m *mover) decode() {
	m.stayRelas = m.decodeRelocs(m.from, bytes.Join(m.stay, nil))
	m.from.Relocs()
}

func (m *mover) finish() {
	if m.done == 0 {
		return
	}
	m.keep(m.from.NumRelocs())
	if m.raw() {
		m.from.pieces, m.from.encoding = m.stay, pieceRelocs
	} else {
		m.from.SetRelocs(m.stayRelas)
	}
}

// join makes one slice of the pieces that MoveRelocs left. Most often Write is
// the only one to look at them, and takes them as they are.
func (s *Section) join() {
	if s.encoding == pieceRelocs {
		s.Data, s.pieces, s.encoding = bytes.Join(s.pieces, nil), nil, rawRelocs
	}
}

// pieced returns how many bytes the pieces have.
func (s *Section) pieced() (n int) {
	for _, p := range s.pieces {
		n += len(p)
	}
	return n
}
