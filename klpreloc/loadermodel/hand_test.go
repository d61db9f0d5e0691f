// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

// Converting by hand: as little as makes a module converted, with every step open to
// be done wrong.

// file is an ELF file taken apart: sections with their contents, and symbols.
type file struct {
	sections []*part
	symbols  []elf.Symbol // symbol 0 among them
}

type part struct {
	elf.SectionHeader
	data []byte
}

func fixture(t *testing.T, release, name string) []byte {
	b, err := os.ReadFile("../../testdata/arch/" + release + "/" + name + ".ko")
	require.NoError(t, err)
	return b
}

func take(t *testing.T, module []byte) *file {
	f, err := elf.NewFile(bytes.NewReader(module))
	require.NoError(t, err)
	var h file
	for _, s := range f.Sections {
		p := &part{SectionHeader: s.SectionHeader}
		if s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL {
			p.data, err = s.Data()
			require.NoError(t, err)
		}
		h.sections = append(h.sections, p)
	}
	symbols, err := f.Symbols()
	require.NoError(t, err)
	h.symbols = append([]elf.Symbol{{}}, symbols...)
	return &h
}

func (h *file) index(name string) int {
	return slices.IndexFunc(h.sections, func(p *part) bool { return p.Name == name })
}

func (h *file) section(t *testing.T, name string) *part {
	i := h.index(name)
	require.GreaterOrEqual(t, i, 0, name)
	return h.sections[i]
}

// bytes puts the file together.
func (h *file) bytes() []byte {
	var strtab, shstrtab = []byte{0}, []byte{0}
	str := func(tab *[]byte, s string) uint32 {
		if s == "" {
			return 0
		}
		*tab = append(append(*tab, s...), 0)
		return uint32(len(*tab) - len(s) - 1)
	}
	le := binary.LittleEndian
	var symtab []byte
	for _, y := range h.symbols {
		symtab = le.AppendUint32(symtab, str(&strtab, y.Name))
		symtab = append(symtab, y.Info, y.Other)
		symtab = le.AppendUint16(symtab, uint16(y.Section))
		symtab = le.AppendUint64(symtab, y.Value)
		symtab = le.AppendUint64(symtab, y.Size)
	}
	names := make([]uint32, len(h.sections))
	for i, p := range h.sections {
		names[i] = str(&shstrtab, p.Name)
	}
	out := make([]byte, 64)
	offsets := make([]int, len(h.sections))
	for i, p := range h.sections {
		switch {
		case p.Type == elf.SHT_SYMTAB:
			p.data = symtab
		case p.Name == ".strtab":
			p.data = strtab
		case p.Name == ".shstrtab":
			p.data = shstrtab
		}
		for len(out)%8 != 0 {
			out = append(out, 0)
		}
		offsets[i] = len(out)
		out = append(out, p.data...)
		if p.Type != elf.SHT_NOBITS {
			p.Size = uint64(len(p.data))
		}
	}
	for len(out)%8 != 0 {
		out = append(out, 0)
	}
	copy(out, "\x7fELF\x02\x01\x01")
	le.PutUint16(out[16:], uint16(elf.ET_REL))
	le.PutUint16(out[18:], uint16(elf.EM_X86_64))
	le.PutUint32(out[20:], 1)
	le.PutUint64(out[40:], uint64(len(out)))
	le.PutUint16(out[52:], 64)
	le.PutUint16(out[58:], 64)
	le.PutUint16(out[60:], uint16(len(h.sections)))
	le.PutUint16(out[62:], uint16(h.index(".shstrtab")))
	for i, p := range h.sections {
		out = le.AppendUint32(out, names[i])
		out = le.AppendUint32(out, uint32(p.Type))
		for _, v := range []uint64{uint64(p.Flags), 0, uint64(offsets[i]), p.Size} {
			out = le.AppendUint64(out, v)
		}
		out = le.AppendUint32(out, p.Link)
		out = le.AppendUint32(out, p.Info)
		out = le.AppendUint64(out, p.Addralign)
		out = le.AppendUint64(out, p.Entsize)
	}
	return out
}

// add appends a section.
func (h *file) add(name string, like elf.SectionHeader, data []byte) *part {
	p := &part{like, data}
	p.Name = name
	h.sections = append(h.sections, p)
	return p
}

// relaFor returns the header of relocations of a target.
func (h *file) relaFor(target int, flags elf.SectionFlag) elf.SectionHeader {
	link := slices.IndexFunc(h.sections, func(p *part) bool { return p.Type == elf.SHT_SYMTAB })
	return elf.SectionHeader{Type: elf.SHT_RELA, Flags: elf.SHF_INFO_LINK | flags, Link: uint32(link),
		Info: uint32(target), Addralign: 8, Entsize: 24}
}

// split moves relocations that are chosen out of all loaded sections, and returns them by
// section and by what chose them.
func (h *file) split(choose func(target string, offset uint64, symbol string) string,
) map[int]map[string][]byte {
	all := make(map[int]map[string][]byte)
	for _, p := range h.sections {
		if p.Type != elf.SHT_RELA || h.sections[p.Info].Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		var keep []byte
		for b := p.data; len(b) > 0; b = b[24:] {
			symbol := h.symbols[binary.LittleEndian.Uint64(b[8:])>>32].Name
			to := choose(h.sections[p.Info].Name, binary.LittleEndian.Uint64(b), symbol)
			if to == "" {
				keep = append(keep, b[:24]...)
				continue
			}
			if all[int(p.Info)] == nil {
				all[int(p.Info)] = make(map[string][]byte)
			}
			all[int(p.Info)][to] = append(all[int(p.Info)][to], b[:24]...)
		}
		p.data = keep
	}
	return all
}

// names says what each annotated symbol of the fixtures becomes.
var names = map[string]string{
	"nr_processes": ".klp.sym.vmlinux.nr_processes,0",
	"psi_disabled": ".klp.sym.vmlinux.psi_disabled,0",
	"ext4_helper":  ".klp.sym.ext4.ext4_helper,0",
	"ext4_ops":     ".klp.sym.ext4.ext4_ops,0",
	".klp.sym.rela.vmlinux.vmlinux.pv_lock_ops.0": ".klp.sym.vmlinux.pv_lock_ops,0",
	".klp.sym.rela.ext4.ext4.ext4_helper.0":       ".klp.sym.ext4.ext4_helper,0",
	".klp.sym.rela.jbd2.jbd2.jbd2_helper.0":       ".klp.sym.jbd2.jbd2_helper,0",
}

// owners sends each symbol's relocations to its owner.
func owners(_ string, _ uint64, symbol string) string {
	object, _, _ := strings.Cut(strings.TrimPrefix(names[symbol], ".klp.sym."), ".")
	return object
}

// to sends everything to one object.
func to(object string) func(string, uint64, string) string {
	return func(_ string, _ uint64, symbol string) string {
		if names[symbol] == "" {
			return ""
		}
		return object
	}
}

// klp makes klp relocations of those that gate chooses.
func (h *file) klp(gate func(target string, offset uint64, symbol string) string) *file {
	for _, p := range h.sections {
		if strings.HasPrefix(p.Name, ".klp.module_relocs.") {
			p.Flags &^= elf.SHF_ALLOC
		}
	}
	moved := h.split(gate)
	for i := range len(h.sections) {
		for _, object := range []string{"ext4", "jbd2", "vmlinux"} {
			if b := moved[i][object]; b != nil {
				h.add(".klp.rela."+object+"."+h.sections[i].Name, h.relaFor(i, elf.SHF_ALLOC|relaLivepatch), b)
			}
		}
	}
	for i := range h.symbols {
		if y := &h.symbols[i]; names[y.Name] != "" {
			y.Name, y.Section = names[y.Name], shnLivepatch
		}
	}
	return h
}

// arch moves entries of a table, by number, to the .klp.arch sections of objects.
func (h *file) arch(table string, stride int, entries map[int]string) *file {
	t := h.index(table)
	if t < 0 || len(entries) == 0 {
		return h
	}
	data := h.sections[t].data
	parts := make(map[string][]byte) // by object, and "" for what stays
	at := make(map[int]int)          // new offset of each entry in its part
	for n := 0; n*stride < len(data); n++ {
		entry := data[n*stride : min((n+1)*stride, len(data))]
		object := entries[n]
		for len(parts[object])%stride != 0 {
			parts[object] = append(parts[object], 0)
		}
		at[n] = len(parts[object])
		parts[object] = append(parts[object], entry...)
	}
	relas := make(map[string][]byte)
	r := h.sections[h.index(".rela"+table)]
	for b := r.data; len(b) > 0; b = b[24:] {
		e := slices.Clone(b[:24])
		n, off := int(binary.LittleEndian.Uint64(e))/stride, int(binary.LittleEndian.Uint64(e))%stride
		binary.LittleEndian.PutUint64(e, uint64(at[n]+off))
		relas[entries[n]] = append(relas[entries[n]], e...)
	}
	h.sections[t].data, r.data = parts[""], relas[""]
	for _, object := range []string{"ext4", "jbd2", "vmlinux"} {
		if parts[object] != nil {
			name := ".klp.arch." + object + "." + table
			h.add(name, h.sections[t].SectionHeader, parts[object])
			h.add(".rela"+name, h.relaFor(len(h.sections)-1, 0), relas[object])
		}
	}
	return h
}

// entries are those that receive a klp relocation, by number and in the order of the
// fixtures' sources.
type entries struct {
	alternatives, paravirt map[int]string
}

var touched = map[string]entries{
	"alt-indirect": {alternatives: map[int]string{2: "vmlinux"}},
	"alt-module":   {alternatives: map[int]string{1: "ext4", 5: "ext4"}},
	"alt-para": {alternatives: map[int]string{1: "vmlinux"},
		paravirt: map[int]string{1: "vmlinux"}},
	"alt-site":        {alternatives: map[int]string{1: "vmlinux", 3: "vmlinux"}},
	"alt-site-module": {alternatives: map[int]string{1: "ext4", 3: "ext4"}},
	"alt-vmlinux":     {alternatives: map[int]string{1: "vmlinux", 5: "vmlinux", 7: "vmlinux"}},
	"para":            {paravirt: map[int]string{2: "vmlinux", 4: "vmlinux"}},
	"para-last":       {paravirt: map[int]string{2: "vmlinux"}},
	"two-objects": {
		alternatives: map[int]string{1: "vmlinux", 2: "ext4", 4: "ext4", 5: "vmlinux", 7: "ext4"},
		paravirt:     map[int]string{1: "vmlinux", 2: "ext4", 4: "vmlinux", 5: "ext4"},
	},
}

// archAll moves all entries that are touched in a fixture of the scheme.
func (h *file) archAll(name string, s Scheme) *file {
	return h.arch(".altinstructions", s.Alternative, touched[name].alternatives).
		arch(".parainstructions", 16, touched[name].paravirt)
}
