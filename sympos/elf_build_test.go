// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
)

// A tiny ELF file, little endian and 64 bits wide.
type tinyELF struct {
	etype    elf.Type
	sections []tinySection // behind section 0; .symtab, .strtab, .shstrtab come by themselves
	symbols  []tinySymbol
	stripped bool
}

type tinySection struct {
	name  string
	flags elf.SectionFlag
	addr  uint64
	data  []byte
}

type tinySymbol struct {
	name  string
	info  byte
	shndx uint16
	value uint64
	size  uint64
}

const (
	local  = byte(elf.STB_LOCAL) << 4
	global = byte(elf.STB_GLOBAL) << 4
	weak   = byte(elf.STB_WEAK) << 4
	fn     = byte(elf.STT_FUNC)
	data_  = byte(elf.STT_OBJECT)
	file   = byte(elf.STT_FILE)
	abs    = uint16(elf.SHN_ABS)
)

func (e tinyELF) bytes() []byte {
	le := binary.LittleEndian
	b := make([]byte, 64)
	type shdr struct {
		name, typ, link      uint32
		flags, addr, off, sz uint64
	}
	var strtab, shstr bytes.Buffer
	str := func(t *bytes.Buffer, s string) uint32 {
		if t.Len() == 0 {
			t.WriteByte(0)
		}
		at := t.Len()
		t.WriteString(s + "\x00")
		return uint32(at)
	}
	headers, locals := []shdr{{}}, 1
	add := func(name string, typ elf.SectionType, flags elf.SectionFlag, addr uint64, data []byte,
		link uint32) {
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
		headers = append(headers,
			shdr{str(&shstr, name), uint32(typ), link, uint64(flags), addr, uint64(len(b)),
				uint64(len(data))})
		b = append(b, data...)
	}
	for _, s := range e.sections {
		typ := elf.SHT_PROGBITS
		if strings.HasPrefix(s.name, ".rela") {
			typ = elf.SHT_RELA
		}
		add(s.name, typ, s.flags, s.addr, s.data, 0)
	}
	if !e.stripped {
		table := make([]byte, 24)
		for _, y := range e.symbols {
			if y.info>>4 == byte(elf.STB_LOCAL) {
				locals++
			}
			var r [24]byte
			le.PutUint32(r[:], str(&strtab, y.name))
			r[4] = y.info
			le.PutUint16(r[6:], y.shndx)
			le.PutUint64(r[8:], y.value)
			le.PutUint64(r[16:], y.size)
			table = append(table, r[:]...)
		}
		add(".symtab", elf.SHT_SYMTAB, 0, 0, table, uint32(len(headers)+1))
		add(".strtab", elf.SHT_STRTAB, 0, 0, strtab.Bytes(), 0)
	}
	str(&shstr, ".shstrtab")
	names := shstr.Bytes()
	headers = append(headers,
		shdr{name: uint32(len(names) - len(".shstrtab") - 1), typ: uint32(elf.SHT_STRTAB),
			off: uint64(len(b)), sz: uint64(len(names))})
	b = append(b, names...)
	shoff := len(b)
	for _, h := range headers {
		var r [64]byte
		le.PutUint32(r[:], h.name)
		le.PutUint32(r[4:], h.typ)
		le.PutUint64(r[8:], h.flags)
		le.PutUint64(r[16:], h.addr)
		le.PutUint64(r[24:], h.off)
		le.PutUint64(r[32:], h.sz)
		le.PutUint32(r[40:], h.link)
		if elf.SectionType(h.typ) == elf.SHT_SYMTAB {
			le.PutUint32(r[44:], uint32(locals))
			le.PutUint64(r[56:], 24)
		}
		le.PutUint64(r[48:], 1)
		b = append(b, r[:]...)
	}
	copy(b, elf.ELFMAG)
	b[4], b[5], b[6] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	le.PutUint16(b[16:], uint16(e.etype))
	le.PutUint16(b[18:], uint16(elf.EM_X86_64))
	le.PutUint32(b[20:], 1)
	le.PutUint64(b[40:], uint64(shoff))
	le.PutUint16(b[52:], 64)
	le.PutUint16(b[58:], 64)
	le.PutUint16(b[60:], uint16(len(headers)))
	le.PutUint16(b[62:], uint16(len(headers)-1))
	return b
}

const text = elf.SHF_ALLOC | elf.SHF_EXECINSTR

// tinyModule has .text (1), .init.text (2), .comment (3) and .data..percpu (6).
func tinyModule(info string, symbols ...tinySymbol) tinyELF {
	return tinyELF{etype: elf.ET_REL, sections: []tinySection{
		{".text", text, 0, make([]byte, 64)},
		{".init.text", text, 0, make([]byte, 64)},
		{".comment", 0, 0, make([]byte, 8)},
		{".modinfo", elf.SHF_ALLOC, 0, []byte(info)},
		{ThisModule, elf.SHF_ALLOC | elf.SHF_WRITE, 0, make([]byte, 64)},
		{".data..percpu", elf.SHF_ALLOC | elf.SHF_WRITE, 0, make([]byte, 8)},
	}, symbols: symbols}
}

// tinyVmlinux has .text (1), .data (2), .comment (3).
func tinyVmlinux(symbols ...tinySymbol) tinyELF {
	return tinyELF{etype: elf.ET_EXEC, sections: []tinySection{
		{".text", text, 0x1000, make([]byte, 64)},
		{".data", elf.SHF_ALLOC | elf.SHF_WRITE, 0x2000, make([]byte, 64)},
		{".comment", 0, 0, make([]byte, 8)},
	}, symbols: symbols}
}
