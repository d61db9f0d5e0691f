// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"debug/elf"
	"io"
)

// Each kind of section is encoded in its own way; all of them encode a chunk at a
// time, so that no table is ever in memory twice.

// chunk is how many bytes are encoded before they are handed on.
const chunk = 64 << 10

func (o *writer) emitHeaders(w io.Writer) error {
	b := make([]byte, o.shdrSize())
	for _, h := range o.headers {
		o.putShdr(b, h)
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// emit writes the contents of s, o.size(s) bytes.
func (o *writer) emit(w io.Writer, s *Section) error {
	if b, ok := o.contents[s]; ok {
		_, err := w.Write(b)
		return err
	}
	switch {
	case s == o.Symtab:
		return o.emitSymbols(w)
	case s == o.shndx:
		return o.emitIndexes(w)
	case s.Type == elf.SHT_GROUP:
		return o.emitGroup(w, s)
	case s.encoding == newRelocs:
		return o.emitRelocs(w, s)
	case s.encoding == pieceRelocs:
		return o.emitRaw(w, s, s.pieces...)
	case s.HasRelocs():
		return o.emitRaw(w, s, s.Data)
	}
	if _, err := w.Write(s.Data); err != nil {
		return err
	}
	if n := o.size(s) - uint64(len(s.Data)); n > 0 && s.Type == elf.SHT_STRTAB {
		_, err := w.Write(o.appendedNames(s))
		return err
	}
	return nil
}

// emitEntries encodes n entries of size bytes each, a chunk at a time.
func emitEntries(w io.Writer, n, size int, put func(b []byte, i int) error) error {
	buf := make([]byte, 0, min(n*size, chunk/size*size))
	for i := 0; i < n; i++ {
		buf = buf[:len(buf)+size]
		if err := put(buf[len(buf)-size:], i); err != nil {
			return err
		}
		if len(buf) == cap(buf) || i == n-1 {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	return nil
}

func (o *writer) emitSymbols(w io.Writer) error {
	return emitEntries(w, len(o.Symbols)+1, o.symSize(), func(b []byte, i int) error {
		if i == 0 {
			clear(b)
			return nil
		}
		y := o.Symbols[i-1]
		r := rawSym{name: nameOffset(o.str, y.Name, y.origName, y.nameOff), value: y.Value,
			size: y.Size, info: y.Info, other: y.Other}
		switch {
		case y.Section == nil:
			r.shndx = uint16(y.Index)
		case o.extended(y):
			r.shndx = shnXIndex
		default:
			r.shndx = uint16(y.Section.num)
		}
		if !o.wide && (y.Value|y.Size)>>32 != 0 {
			return o.errorf(o.Symtab, -1, "symbol %s: value or size does not fit into ELF32", y)
		}
		clear(b)
		o.putSym(b, r)
		return nil
	})
}

func (o *writer) emitIndexes(w io.Writer) error {
	return emitEntries(w, len(o.Symbols)+1, 4, func(b []byte, i int) error {
		var word uint32
		if i > 0 {
			if y := o.Symbols[i-1]; o.extended(y) {
				word = uint32(y.Section.num)
			}
		}
		o.put32(b, word)
		return nil
	})
}

func (o *writer) emitGroup(w io.Writer, s *Section) error {
	return emitEntries(w, len(s.Members)+1, 4, func(b []byte, i int) error {
		word := s.groupFlag
		if i > 0 {
			word = uint32(s.Members[i-1].num)
		}
		o.put32(b, word)
		return nil
	})
}

func (o *writer) emitRelocs(w io.Writer, s *Section) error {
	return emitEntries(w, len(s.relocs), o.relocSize(s.Type), func(b []byte, i int) error {
		r := s.relocs[i]
		if err := o.putReloc(b, s.Type, r); err != nil {
			return o.errorf(s, int64(r.Offset), "%w", err)
		}
		return nil
	})
}

// emitRaw writes entries as they were read, in one piece or several, with the
// symbols' new numbers.
func (o *writer) emitRaw(w io.Writer, s *Section, pieces ...[]byte) error {
	if !o.renumbered {
		for _, p := range pieces {
			if _, err := w.Write(p); err != nil {
				return err
			}
		}
		return nil
	}
	buf := make([]byte, 0, min(s.Size(), uint64(chunk/o.relocSize(s.Type)*o.relocSize(s.Type))))
	for _, p := range pieces {
		for len(p) > 0 {
			n := min(len(p), cap(buf)-len(buf)) // whole entries, like everything here
			buf, p = append(buf, p[:n]...), p[n:]
			if len(buf) < cap(buf) {
				continue
			}
			if err := o.flush(w, s, buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	return o.flush(w, s, buf)
}

// flush puts new symbol numbers into the entries in b and writes them.
func (o *writer) flush(w io.Writer, s *Section, b []byte) error {
	fm, size := o.format, o.relocSize(s.Type)
	for off := 0; off < len(b); off += size {
		e := b[off : off+size]
		sym := fm.relSym(e)
		num := o.numbers[sym]
		switch {
		case num == sym:
		case num == 0:
			return o.errorf(s, fm.relOffset(e), "relocation against %s, which is not in the file",
				&o.parsed[sym-1])
		case !fm.wide && num >= 1<<24:
			return o.errorf(s, fm.relOffset(e), "symbol number %d does not fit into ELF32's r_info",
				num)
		default:
			fm.putRelInfo(e, num, fm.relType(e))
		}
	}
	_, err := w.Write(b)
	return err
}
