// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

// Most relocations of a file stay where they are when some of them move, and a
// relocation that moves keeps all of its fields. So nothing is decoded for
// good: entries are copied as the bytes that they are, numbered by File.parsed
// like everything else that was read, and Write puts new numbers into all.

// MoveRelocs asks dest of each relocation of from, in order, where it goes:
// from itself, another relocation section of the file, to whose end it is
// appended, or nil, which drops it. dest is told the relocation's index and may
// replace its Sym by another symbol of the file or by nil; it must leave the
// other fields alone.
func (f *File) MoveRelocs(from *Section, dest func(i int, r *Rela) *Section) {
	m := &mover{File: f, from: from, size: f.relocSize(from.Type)}
	from.takeRaw()
	n := from.NumRelocs()
	var r Rela // dest makes it escape, so there is one for all
	for i := 0; i < n; i++ {
		r = from.Reloc(i)
		sym := r.Sym
		into := dest(i, &r)
		switch {
		case into != from:
			m.leave(i)
			if into != nil {
				m.append(into, i, r)
			}
		case r.Sym != sym:
			m.leave(i)
			m.append(from, i, r)
		case m.left:
			m.append(from, i, r)
		}
	}
	m.finish()
}

// mover holds what MoveRelocs has made so far. Data of the input is never
// written to: Parse leaves it no room to grow, so appending copies it.
type mover struct {
	*File
	from *Section
	size int
	left bool // some relocation left or changed, so stay holds from's others

	stay      []byte // of a raw section
	stayRelas []Rela // of a decoded one
}

func (m *mover) raw() bool { return m.from.encoding == rawRelocs }

// leave begins a list of what stays with everything in front of i.
func (m *mover) leave(i int) {
	if m.left {
		return
	}
	m.left = true
	if m.raw() {
		m.stay = append(make([]byte, 0, len(m.from.Data)), m.from.Data[:i*m.size]...)
		return
	}
	m.stayRelas = append(make([]Rela, 0, len(m.from.relocs)), m.from.relocs[:i]...)
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
	buf := &m.stay
	if into != m.from {
		buf = &into.Data
	}
	*buf = append(*buf, m.from.Data[i*m.size:(i+1)*m.size]...)
	var slot uint32
	if r.Sym != nil {
		slot = r.Sym.slot
	}
	m.putRelInfo((*buf)[len(*buf)-m.size:], slot, r.Type)
}

// takeRaw lets a section hold raw entries where it is empty or has them still,
// and reports whether it does.
func (s *Section) takeRaw() bool {
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
	if m.left {
		m.stayRelas = m.decodeRelocs(m.from, m.stay)
	}
	m.from.Relocs()
}

func (m *mover) finish() {
	switch {
	case !m.left:
	case m.raw():
		m.from.Data = m.stay
	default:
		m.from.SetRelocs(m.stayRelas)
	}
}
