// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// A module in memory: its sections at made-up addresses. What a section is called
// decides where it goes, so that a module and its conversion, which has sections more
// and less, have the same code at the same addresses:
//
//	0xffffffffc0000000   all others, in their order, each in slots of 64 KiB
//	0xffffffffd0000000   .altinstructions, .parainstructions, .klp.*
const (
	codeBase  = 0xffffffffc0000000
	tableBase = 0xffffffffd0000000
	slot      = 0x10000

	relaLivepatch = 0x00100000 // SHF_RELA_LIVEPATCH
	shnLivepatch  = 0xff20     // SHN_LIVEPATCH
)

type section struct {
	name  string
	typ   elf.SectionType
	flags elf.SectionFlag
	link  uint32
	info  uint32
	addr  uint64
	data  []byte
}

func (s *section) alloc() bool { return s.flags&elf.SHF_ALLOC != 0 }

// table says that the section may differ between a module and its conversion.
func (s *section) table() bool {
	return s.name == ".altinstructions" || s.name == ".parainstructions" ||
		strings.HasPrefix(s.name, ".klp.")
}

// relas returns the relocations of a SHT_RELA section.
func (s *section) relas() []rela {
	var all []rela
	for b := s.data; len(b) >= 24; b = b[24:] {
		info := binary.LittleEndian.Uint64(b[8:])
		all = append(all, rela{
			offset: binary.LittleEndian.Uint64(b),
			typ:    elf.R_X86_64(uint32(info)),
			sym:    int(info >> 32),
			addend: binary.LittleEndian.Uint64(b[16:]),
		})
	}
	return all
}

type symbol struct {
	name    string
	section elf.SectionIndex
	info    byte
	offset  uint64 // st_value in the file
	size    uint64
	value   uint64 // st_value in memory
}

type rela struct {
	offset uint64
	typ    elf.R_X86_64
	sym    int
	addend uint64
}

type image struct {
	sections []*section
	symbols  []symbol
	name     string
	live     bool
}

func readImage(module []byte) (*image, error) {
	f, err := elf.NewFile(bytes.NewReader(module))
	if err != nil {
		return nil, err
	}
	if f.Type != elf.ET_REL || f.Machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("%v for %v: only x86_64 modules are modelled", f.Type, f.Machine)
	}
	im := &image{}
	code, tables := uint64(codeBase), uint64(tableBase)
	for _, s := range f.Sections {
		n := &section{name: s.Name, typ: s.Type, flags: s.Flags, link: s.Link, info: s.Info}
		if s.Type == elf.SHT_NOBITS {
			n.data = make([]byte, s.Size)
		} else if s.Type != elf.SHT_NULL {
			b, err := s.Data()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.Name, err)
			}
			n.data = bytes.Clone(b)
		}
		// The loader keeps neither of the first two, and places the last itself.
		if s.Name == ".modinfo" || s.Name == "__versions" || s.Name == ".data..percpu" {
			n.flags &^= elf.SHF_ALLOC
		}
		if n.alloc() {
			next := &code
			if n.table() {
				next = &tables
			}
			n.addr = *next
			*next += (uint64(len(n.data)) + slot) / slot * slot
		}
		if s.Name == ".modinfo" {
			for _, entry := range strings.Split(string(n.data), "\x00") {
				key, value, _ := strings.Cut(entry, "=")
				im.live = im.live || key == "livepatch"
				if key == "name" {
					im.name = value
				}
			}
		}
		im.sections = append(im.sections, n)
	}
	symbols, err := f.Symbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, err
	}
	if len(symbols) == 0 {
		return nil, refuse(enoexec, "%s: module has no symbols (stripped?)", im.name)
	}
	im.symbols = append(im.symbols, symbol{})
	for _, y := range symbols {
		im.symbols = append(im.symbols, symbol{name: y.Name, section: y.Section, info: y.Info,
			offset: y.Value, size: y.Size})
	}
	return im, nil
}

// simplify is simplify_symbols: every symbol gets its address, if it has one. skip
// leaves out those that the caller takes care of.
func (im *image) simplify(exports map[string]uint64, skip func(symbol) bool) error {
	for i := range im.symbols[1:] {
		y := &im.symbols[i+1]
		switch {
		case y.section == shnLivepatch || skip(*y):
		case y.section == elf.SHN_UNDEF:
			addr, ok := exports[y.name]
			if !ok && elf.ST_BIND(y.info) != elf.STB_WEAK {
				return refuse(enoent, "%s: Unknown symbol %s (err -%d)", im.name, y.name, enoent)
			}
			y.value = addr
		case y.section == elf.SHN_ABS:
			y.value = y.offset
		case int(y.section) < len(im.sections):
			y.value = im.sections[y.section].addr + y.offset
		default:
			return refuse(enoexec, "%s: Symbol %s has an invalid section index %d (max %d)", im.name, y.name,
				y.section, len(im.sections)-1)
		}
	}
	return nil
}

// at returns n bytes of memory; nil where the module has none.
func (im *image) at(addr, n uint64) []byte {
	for _, s := range im.sections {
		if s.alloc() && addr >= s.addr && addr-s.addr <= uint64(len(s.data)) &&
			n <= uint64(len(s.data))-(addr-s.addr) {
			return s.data[addr-s.addr:][:n]
		}
	}
	return nil
}

// last returns the loaded section of a name; module_finalize takes the last.
func (im *image) last(name string) *section {
	var found *section
	for _, s := range im.sections {
		if s.name == name && s.alloc() {
			found = s
		}
	}
	return found
}

// function returns the function that an address is in, and the distance from its
// beginning.
func (im *image) function(addr uint64) (string, uint64) {
	for _, y := range im.symbols {
		if elf.ST_TYPE(y.info) == elf.STT_FUNC && int(y.section) < len(im.sections) &&
			y.section != elf.SHN_UNDEF {
			if from := im.sections[y.section].addr + y.offset; addr >= from && addr-from < y.size {
				return y.name, addr - from
			}
		}
	}
	return "", 0
}

// place describes an address: section and offset, and function.
func (im *image) place(addr uint64) string {
	for _, s := range im.sections {
		if s.alloc() && addr >= s.addr && addr-s.addr < max(uint64(len(s.data)), 1) {
			p := fmt.Sprintf("%s+%#x", s.name, addr-s.addr)
			if name, off := im.function(addr); name != "" {
				p += fmt.Sprintf(" (%s+%#x)", name, off)
			}
			return p
		}
	}
	return fmt.Sprintf("%#x", addr)
}
