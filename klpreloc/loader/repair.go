// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// The loader does not look at many a field that other tools take seriously, elfrw among
// them: e_ident after the magic, e_ehsize, sh_entsize, sh_addralign, the number of local
// symbols, headers of type SHT_NULL. A file that has nonsense there is loaded like any
// other, so the rules judge a copy in which such fields say what they should. What the
// loader does look at is left alone (validity checks it in the file as it is).

// parse reads the file, or its repaired copy.
func parse(b []byte) (*elfrw.File, error) {
	f, err := elfrw.Parse("", b)
	if err == nil && f.Header.Class == elf.ELFCLASS64 || len(b) < ehdrSize {
		return f, err
	}
	fixed, ok := repaired(b)
	if !ok {
		return f, err
	}
	if g, again := elfrw.Parse("", fixed); again == nil {
		return g, nil
	}
	return f, err
}

// byteOrder is that of a 64-bit machine: the loader does not look at EI_DATA. ppc64 has both,
// and one of them has livepatching.
func byteOrder(b []byte) elf.Data {
	le, be := elf.Machine(uint16(b[18])|uint16(b[19])<<8), elf.Machine(uint16(b[19])|uint16(b[18])<<8)
	switch {
	case le == elf.EM_X86_64, le == elf.EM_AARCH64, le == elf.EM_LOONGARCH, le == elf.EM_PPC64:
		return elf.ELFDATA2LSB
	case be == elf.EM_S390:
		return elf.ELFDATA2MSB
	}
	return elf.Data(b[elf.EI_DATA])
}

func repaired(in []byte) ([]byte, bool) {
	data := byteOrder(in)
	if string(in[:len(elf.ELFMAG)]) != elf.ELFMAG || data != elf.ELFDATA2LSB &&
		data != elf.ELFDATA2MSB {
		return nil, false // before a copy is made: this may be a disk image
	}
	b := slices.Clone(in)
	b[elf.EI_CLASS], b[elf.EI_DATA], b[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(data),
		byte(elf.EV_CURRENT)
	m := &image{b: b, order: orderOf(data)}
	m.order.PutUint64(b[32:], 0)        // e_phoff
	m.order.PutUint16(b[52:], ehdrSize) // e_ehsize
	m.order.PutUint16(b[56:], 0)        // e_phnum
	off := m.order.Uint64(b[40:])
	m.count = int(m.order.Uint16(b[60:]))
	if off > uint64(len(b)) || uint64(m.count)*shdrSize > uint64(len(b))-off || m.count == 0 {
		return nil, false
	}
	m.table = b[off : off+uint64(m.count)*shdrSize]
	clear(m.header(0)[:shdrSize])
	names := int(m.order.Uint16(b[62:]))
	if names >= m.count || !m.inside(names) {
		return nil, false
	}
	symtab := 0
	for i := 1; i < m.count; i++ {
		if m.kind(i) == elf.SHT_SYMTAB && symtab == 0 {
			symtab = i
		}
	}
	for i := 1; i < m.count; i++ {
		m.repair(i, symtab, names)
	}
	if symtab > 0 {
		m.repairSymbols(symtab)
	}
	return b, true
}

// put changes a field of 4 or 8 bytes in a section's header.
func (m *image) put32(i, at int, x uint32) { m.order.PutUint32(m.header(i)[at:], x) }
func (m *image) put64(i, at int, x uint64) { m.order.PutUint64(m.header(i)[at:], x) }

// Fields of a section's header.
const (
	shName, shType, shSize, shLink, shInfo, shAlign, shEntsize = 0, 4, 32, 40, 44, 48, 56
)

func (m *image) repair(i, symtab, names int) {
	const entry, symbol = 24, 24
	kind, h := m.kind(i), m.header(i)
	const livepatch = 0x00100000 // SHF_RELA_LIVEPATCH
	switch {
	case m.flags(i)&livepatch != 0 && kind != elf.SHT_RELA && kind != elf.SHT_NOBITS && m.inside(i):
		// The loader goes by the flag, not by the type.
		kind = elf.SHT_RELA
		m.put32(i, shType, uint32(kind))
	case kind == elf.SHT_NULL:
		clear(h[shType:shdrSize])
		return
	}
	if align := m.order.Uint64(h[shAlign:]); align&(align-1) != 0 {
		m.put64(i, shAlign, 1)
	}
	if kind != elf.SHT_NOBITS && !m.inside(i) {
		if m.flags(i)&uint64(elf.SHF_ALLOC) == 0 && kind != elf.SHT_SYMTAB && kind != elf.SHT_RELA {
			clear(h[shType:shdrSize]) // refused, or not looked at (unvalidated.go)
		}
		return
	}
	if uint64(m.nameAt(i)) >= m.size(names) {
		m.put32(i, shName, 0)
	}
	if i == names {
		m.terminate(i)
		m.put32(i, shType, uint32(elf.SHT_STRTAB))
	}
	if int64(m.link(i)) >= int64(m.count) {
		m.put32(i, shLink, 0)
	}
	switch kind {
	case elf.SHT_RELA:
		m.put64(i, shEntsize, entry)
		m.put64(i, shSize, m.size(i)/entry*entry)
		m.put32(i, shLink, uint32(symtab))
	case elf.SHT_REL:
		m.put32(i, shLink, 0) // not looked into
	case elf.SHT_SYMTAB:
		if i != symtab {
			m.put32(i, shType, uint32(elf.SHT_PROGBITS))
			return
		}
		m.put64(i, shEntsize, symbol)
		m.put64(i, shSize, m.size(i)/symbol*symbol)
	case elf.SHT_SYMTAB_SHNDX, elf.SHT_GROUP:
		m.put32(i, shType, uint32(elf.SHT_PROGBITS))
	}
	if info := m.order.Uint32(h[shInfo:]); kind != elf.SHT_SYMTAB && int64(info) >= int64(m.count) {
		m.put32(i, shInfo, 0)
	}
}

// terminate makes a string table one.
func (m *image) terminate(i int) {
	if b := m.contents(i); len(b) > 0 {
		b[0], b[len(b)-1] = 0, 0
	}
}

// noSection is a reserved section index that means nothing.
const noSection = uint16(elf.SHN_LORESERVE) + 0x1e

// repairSymbols counts the local symbols, and makes names and numbers of symbols be there.
func (m *image) repairSymbols(symtab int) {
	const symbol, entry = 24, 24
	link := int(m.link(symtab))
	if !m.inside(symtab) || link == 0 || m.kind(link) == elf.SHT_NOBITS || !m.inside(link) {
		return
	}
	m.put32(link, shType, uint32(elf.SHT_STRTAB))
	m.terminate(link)
	table := m.contents(symtab)
	clear(table[:min(len(table), symbol)])
	locals, counting := uint32(1), true
	for b := table[min(len(table), symbol):]; len(b) >= symbol; b = b[symbol:] {
		if counting = counting && elf.ST_BIND(b[4]) == elf.STB_LOCAL; counting {
			locals++
		} else if elf.ST_BIND(b[4]) == elf.STB_LOCAL {
			b[4] |= byte(elf.STB_GLOBAL) << 4 // the loader asks for weak ones only
		}
		if at := m.order.Uint16(b[6:]); at >= uint16(m.count) && at < uint16(elf.SHN_LORESERVE) ||
			at == uint16(elf.SHN_XINDEX) {
			m.order.PutUint16(b[6:], noSection)
		}
		if uint64(m.order.Uint32(b)) >= m.size(link) {
			m.order.PutUint32(b, 0)
		}
	}
	m.put32(symtab, shInfo, locals)
	count := uint64(len(table) / symbol)
	for i := 1; i < m.count; i++ {
		if m.kind(i) != elf.SHT_RELA || !m.inside(i) {
			continue
		}
		for b := m.contents(i); len(b) >= entry; b = b[entry:] {
			info := m.order.Uint64(b[8:])
			if info>>32 >= count {
				m.order.PutUint64(b[8:], info&0xffffffff)
			}
		}
	}
}
