// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"bufio"
	"bytes"
	"debug/elf"
	"io"

	"golang.org/x/exp/slices"
)

// Write writes the file to w. Numbers are assigned here and nowhere else:
// sections, then string offsets, then symbols, then the layout. After that the
// contents are written in file order, one after another, unchanged ones directly
// from the input.
//
// Besides the model, Write needs as much memory as the section header table has
// bytes. On an error, w may have been written to.
//
// Symbols in sections numbered 0xff00 and up need a SHT_SYMTAB_SHNDX section;
// Write adds it when the file has none.
func (f *File) Write(w io.Writer) error {
	o := &writer{File: f, contents: map[*Section][]byte{}}
	for _, step := range []func() error{
		o.numberSections,
		o.numberSymbols,
		o.collectNames,
		o.renumber,
		o.placeSections,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if o.keep {
		return o.writeVerbatim(w)
	}
	return o.writeStream(w)
}

// Bytes returns what Write writes.
func (f *File) Bytes() ([]byte, error) {
	var b bytes.Buffer
	b.Grow(len(f.raw) + len(f.raw)/8)
	if err := f.Write(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// writer is a File while Write numbers and encodes it.
type writer struct {
	*File
	shstr, str *stringAppender // the same when the tables are one section
	renumbered bool            // some symbol of the input has another number
	numbers    []uint32        // if so: by number in the input; 0 for those that were removed
	// rewritten, for sections that hold symbol numbers in their contents
	contents map[*Section][]byte
	headers  []shdr
	table    uint64 // e_shoff
	keep     bool   // every section stays at its offset
}

// numberSections numbers the sections, and adds SHT_SYMTAB_SHNDX if needed.
func (o *writer) numberSections() error {
	o.File.numberSections()
	if o.Symtab == nil || o.shndx != nil || len(o.Sections) < shnLoReserve {
		return nil
	}
	if slices.ContainsFunc(o.Symbols,
		func(y *Symbol) bool { return y.Section != nil && y.Section.num >= shnLoReserve }) {
		o.shndx = &Section{Type: elf.SHT_SYMTAB_SHNDX, Align: 4, EntSize: 4, Link: o.Symtab}
		if o.shstrtab != nil {
			o.shndx.Name = ".symtab_shndx"
		}
		o.AddSection(o.shndx)
	}
	return nil
}

// numberSymbols numbers the symbols, and finds out whether any of the input has
// another number.
func (o *writer) numberSymbols() error {
	o.File.numberSymbols()
	n := min(len(o.parsed), len(o.Symbols))
	o.renumbered = n < len(o.parsed)
	for i := 0; i < n && !o.renumbered; i++ {
		o.renumbered = o.Symbols[i] != &o.parsed[i]
	}
	if o.renumbered {
		o.numbers = make([]uint32, len(o.parsed)+1)
		for i := range o.parsed {
			o.numbers[i+1], _ = o.newNumber(uint64(i + 1))
		}
	}
	return nil
}

// collectNames appends the names that are not in the string tables yet.
func (o *writer) collectNames() error {
	if t := o.shstrtab; t != nil {
		o.shstr = newStringAppender(len(t.Data))
	}
	switch {
	case o.Symtab == nil:
		if len(o.Symbols) > 0 {
			return o.errorf(nil, -1, "%d symbols, but no symbol table", len(o.Symbols))
		}
	case o.Symtab.Link == nil:
		return o.errorf(o.Symtab, -1, "symbol table without a string table")
	case o.Symtab.Link == o.shstrtab:
		o.str = o.shstr
	default:
		o.str = newStringAppender(len(o.Symtab.Link.Data))
	}
	for _, s := range o.Sections {
		if s.Name == s.origName {
			continue
		}
		if o.shstr == nil {
			return o.errorf(s, -1, "the file has no section name table to put the name into")
		}
		if _, ok := o.shstr.offset(s.Name); !ok {
			return o.errorf(o.shstrtab, -1, "string table would be larger than 4 GiB")
		}
	}
	for _, y := range o.Symbols {
		if y.Name == y.origName {
			continue
		}
		if _, ok := o.str.offset(y.Name); !ok {
			return o.errorf(o.Symtab.Link, -1, "string table would be larger than 4 GiB")
		}
	}
	return nil
}

// nameOffset returns the offset of a name in its table: that of the input, or where
// collectNames appended it.
func nameOffset(t *stringAppender, name, orig string, origOff uint32) uint32 {
	if name == orig {
		return origOff
	}
	off, _ := t.offset(name)
	return off
}

// renumber rewrites contents that hold symbol numbers.
func (o *writer) renumber() error {
	if !o.renumbered {
		return nil
	}
	for _, s := range o.Sections {
		b, err := o.renumberContents(s)
		if err != nil {
			return err
		}
		if len(b) != len(s.Data) || len(b) > 0 && &b[0] != &s.Data[0] {
			o.contents[s] = b
		}
	}
	return nil
}

// appendedNames returns what is appended to string table s.
func (o *writer) appendedNames(s *Section) []byte {
	switch {
	case s == nil:
	case s == o.shstrtab:
		return o.shstr.extra
	case o.Symtab != nil && s == o.Symtab.Link:
		return o.str.extra
	}
	return nil
}

// size returns the size of s in the output, in bytes.
func (o *writer) size(s *Section) uint64 {
	if b, ok := o.contents[s]; ok {
		return uint64(len(b))
	}
	n := s.Size()
	if s.Type == elf.SHT_STRTAB {
		if n == 0 && len(o.appendedNames(s)) == 1 {
			return 0 // an empty table stays empty when no name is added
		}
		n += uint64(len(o.appendedNames(s)))
	}
	return n
}

// placeSections makes the section headers, with the offsets of the output.
func (o *writer) placeSections() error {
	o.headers = make([]shdr, len(o.Sections)+1)
	o.headers[0] = o.null
	for _, s := range o.Sections {
		o.headers[s.num] = o.sectionHeader(s)
	}
	if o.irregular != nil || o.nonLinker {
		switch o.keep = o.keepsOffsets(); {
		case o.keep:
			return nil
		case o.irregular != nil:
			return o.Editable()
		}
	}
	var ok bool
	o.table, ok = o.assignOffsets(o.size, func(s *Section, off uint64) {
		if s.Type != elf.SHT_NULL {
			o.headers[s.num].offset = off
		}
	})
	if !ok {
		return o.errorf(nil, -1, "the file would need offsets of more than 64 bits")
	}
	if len(o.headers) == 1 && o.shoff == 0 {
		o.headers, o.table = nil, 0
		return nil
	}
	if !o.wide {
		if o.table>>32 != 0 {
			return o.errorf(nil, -1, "the file is too large for ELF32")
		}
		for i, h := range o.headers {
			if !h.fits32() {
				return o.errorf(o.Sections[i-1], -1, "header field does not fit into ELF32")
			}
		}
	}
	return nil
}

// sectionHeader returns the header of s, whose offset is that of the input.
func (o *writer) sectionHeader(s *Section) shdr {
	h := shdr{
		typ: uint32(s.Type), flags: s.Flags, addr: s.Addr, offset: s.offset, size: o.size(s),
		info: s.Info, addralign: s.Align, entsize: s.EntSize,
	}
	if s.Name == s.origName {
		h.name = s.nameOff
	} else {
		h.name = nameOffset(o.shstr, s.Name, s.origName, s.nameOff)
	}
	if s.Link != nil {
		h.link = uint32(s.Link.num)
	}
	switch {
	case s.Target != nil:
		h.info = uint32(s.Target.num)
	case s.Signature != nil:
		h.info = s.Signature.num
	case s == o.Symtab:
		h.info = uint32(o.locals() + 1)
	}
	return h
}

// keepsOffsets reports whether every section of a file that no linker laid out
// still has its place and size. If so, it keeps the place of the header table too.
func (o *writer) keepsOffsets() bool {
	if o.trailing != len(o.Trailer) || !bytes.Equal(o.Trailer, o.raw[len(o.raw)-o.trailing:]) {
		return false
	}
	if o.table = o.shoff; o.shoff == 0 {
		o.headers = nil
		return len(o.Sections) == 0
	}
	size := uint64(o.shdrSize())
	if uint64(len(o.headers))*size > uint64(len(o.raw))-o.shoff {
		return false
	}
	for i, now := range o.headers {
		was := o.shdr(o.raw[o.shoff+uint64(i)*size:])
		if now.offset != was.offset || now.size != was.size || now.typ != was.typ {
			return false
		}
	}
	return true
}

// elfHeader returns the ELF header with the numbers of the output.
func (o *writer) elfHeader() []byte {
	b := slices.Clone(o.rawEhdr)
	h := &o.Header
	b[elf.EI_OSABI], b[elf.EI_ABIVERSION] = byte(h.OSABI), h.ABIVersion
	copy(b[9:16], h.Pad[:])
	o.put16(b[18:], uint16(h.Machine))
	o.put32(b[20:], h.Version)
	tail := b[36:]
	if o.wide {
		o.put64(b[24:], h.Entry)
		o.put64(b[40:], o.table)
		tail = b[48:]
	} else {
		o.put32(b[24:], uint32(h.Entry))
		o.put32(b[32:], uint32(o.table))
	}
	o.put32(tail, h.Flags)
	if len(o.headers) == 0 {
		return b
	}
	// gABI, "ELF Header": numbers from SHN_LORESERVE on are in section 0.
	// A small number that the input escaped stays escaped.
	null := &o.headers[0]
	o.put16(tail[10:], uint16(o.shdrSize()))
	if n := len(o.headers); n >= shnLoReserve || o.shoff != 0 && o.u16(tail[12:]) == 0 {
		o.put16(tail[12:], 0)
		null.size = uint64(n)
	} else {
		o.put16(tail[12:], uint16(n))
	}
	var names int
	if o.shstrtab != nil {
		names = o.shstrtab.num
	}
	if names >= shnLoReserve || o.u16(tail[14:]) == shnXIndex {
		o.put16(tail[14:], shnXIndex)
		null.link = uint32(names)
	} else {
		o.put16(tail[14:], uint16(names))
	}
	return b
}

// writeStream writes everything in file order.
func (o *writer) writeStream(w io.Writer) error {
	b := bufio.NewWriterSize(w, chunk)
	head := o.elfHeader()
	b.Write(head) // bufio keeps the first error for Flush
	pos := uint64(len(head))
	pad := func(to uint64) {
		for ; pos < to; pos++ {
			b.WriteByte(0)
		}
	}
	for _, s := range o.order {
		if s.Type == elf.SHT_NOBITS || s.Type == elf.SHT_NULL {
			continue
		}
		h := o.headers[s.num]
		pad(h.offset)
		if err := o.emit(b, s); err != nil {
			return err
		}
		pos += h.size
	}
	if len(o.headers) > 0 {
		pad(o.table)
		if err := o.emitHeaders(b); err != nil {
			return err
		}
	}
	b.Write(o.Trailer)
	return b.Flush()
}

// writeVerbatim writes a file that no linker laid out, with everything at its
// place. One with an irregular layout must not be changed: nothing says what an
// edit would mean for bytes that are shared or that the model does not cover.
func (o *writer) writeVerbatim(w io.Writer) error {
	out := slices.Clone(o.raw)
	head := o.elfHeader()
	for _, s := range o.Sections {
		if s.Type == elf.SHT_NOBITS || s.Type == elf.SHT_NULL {
			continue
		}
		at := sliceWriter(out[s.offset:][:o.size(s)])
		if err := o.emit(&at, s); err != nil {
			return err
		}
	}
	if len(o.headers) > 0 {
		at := sliceWriter(out[o.table:])
		if err := o.emitHeaders(&at); err != nil {
			return err
		}
	}
	copy(out, head)
	if o.irregular != nil && !bytes.Equal(out, o.raw) {
		return o.Editable()
	}
	_, err := w.Write(out)
	return err
}

// sliceWriter fills a slice whose length has been checked.
type sliceWriter []byte

func (s *sliceWriter) Write(b []byte) (int, error) {
	n := copy(*s, b)
	*s = (*s)[n:]
	return n, nil
}

// extended reports whether the number of y's section is in SHT_SYMTAB_SHNDX: when it
// has to be, and when it was in the input.
func (o *writer) extended(y *Symbol) bool {
	return y.Section != nil && (y.Section.num >= shnLoReserve || y.escaped && o.shndx != nil)
}
