// SPDX-License-Identifier: GPL-2.0-or-later

// Package bigmodule makes large modules of small ones, for what measures how the work grows: make
// bench, and tests of the program's packages. The same arguments give the same bytes.
package bigmodule

import (
	"debug/elf"
	"fmt"
	"math/rand"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// A Growth is what Grow adds to a module for x86_64.
type Growth struct {
	// Annotated and Other are symbols that the module has: one with an annotation and one
	// without.
	Annotated, Other string
	// Relocs is how many relocations .rela.text.grown gets: every Every-th of Annotated, the
	// others of Other.
	Relocs, Every int
	Text          int // bytes of .text.grown, of which each relocation has its share
	Debug         int // bytes of .debug_grown; 0: there is none
}

// Sample is a Growth for testdata/x86_64/livepatch-cmdline.ko.
func Sample(relocs, every, text int) Growth {
	return Growth{Annotated: "saved_command_line", Other: "seq_printf", Relocs: relocs,
		Every: every, Text: text}
}

// Grow returns the module with what g says added. The result does not alias module.
func Grow(module []byte, g Growth) ([]byte, error) {
	f, err := elfrw.Parse("module", slices.Clone(module))
	if err != nil {
		return nil, err
	}
	find := func(name string) *elfrw.Symbol {
		i := slices.IndexFunc(f.Symbols, func(y *elfrw.Symbol) bool { return y.Name == name })
		if i < 0 {
			err = fmt.Errorf("the module to grow has no symbol %q", name)
			return nil
		}
		return f.Symbols[i]
	}
	annotated, other := find(g.Annotated), find(g.Other)
	if err != nil {
		return nil, err
	}
	text := &elfrw.Section{Name: ".text.grown", Type: elf.SHT_PROGBITS,
		Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR), Align: 16, Data: make([]byte, g.Text)}
	rela := &elfrw.Section{Name: ".rela.text.grown", Type: elf.SHT_RELA,
		Flags: uint64(elf.SHF_INFO_LINK), Align: 8, Link: f.Symtab, Target: text}
	f.AddSection(text)
	f.AddSection(rela)
	// objcopy handles relocations as such only in front of the symbol table.
	n := len(f.Sections) - 2
	f.Sections = slices.Insert(f.Sections[:n:n], slices.Index(f.Sections, f.Symtab), text, rela)
	relocs := make([]elfrw.Rela, g.Relocs)
	for i := range relocs {
		relocs[i] = elfrw.Rela{Offset: uint64(i) * uint64(g.Text/g.Relocs), Sym: other,
			Type: uint32(elf.R_X86_64_PC32), Addend: -4}
		if i%g.Every == 0 {
			relocs[i].Sym = annotated
		}
	}
	rela.SetRelocs(relocs)
	if g.Debug > 0 {
		data := make([]byte, g.Debug)
		for i := range data {
			data[i] = byte(i * 7)
		}
		f.AddSection(&elfrw.Section{Name: ".debug_grown", Type: elf.SHT_PROGBITS, Align: 1,
			Data: data})
	}
	return f.Bytes()
}

// AddTables returns the module with that many jump labels and alternatives added, whose sites
// are in the order of the code or, shuffled, in none. The module is one for x86_64 without
// these tables. The result does not alias module.
func AddTables(module []byte, jumps, alternatives int, shuffled bool) ([]byte, error) {
	f, err := elfrw.Parse("module", slices.Clone(module))
	if err != nil {
		return nil, err
	}
	n := max(jumps, alternatives)
	at := make([]int64, n)
	for i := range at {
		at[i] = int64(16 * i)
	}
	if shuffled {
		rand.New(rand.NewSource(1)).Shuffle(n, func(i, j int) { at[i], at[j] = at[j], at[i] })
	}
	const alloc, code = uint64(elf.SHF_ALLOC), uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR)
	add := func(name string, flags uint64, size int) (*elfrw.Section, *elfrw.Symbol) {
		s := &elfrw.Section{Name: name, Type: elf.SHT_PROGBITS, Flags: flags, Align: 8,
			Data: make([]byte, size)}
		y := &elfrw.Symbol{Section: s, Info: byte(elf.STT_SECTION)}
		f.AddSection(s)
		f.AddSymbol(y)
		return s, y
	}
	relocate := func(s *elfrw.Section, r []elfrw.Rela) {
		x := &elfrw.Section{Name: ".rela" + s.Name, Type: elf.SHT_RELA,
			Flags: uint64(elf.SHF_INFO_LINK), Align: 8, Link: f.Symtab, Target: s}
		f.AddSection(x)
		x.SetRelocs(r)
	}
	rela := func(offset int, y *elfrw.Symbol, typ elf.R_X86_64, addend int64) elfrw.Rela {
		return elfrw.Rela{Offset: uint64(offset), Sym: y, Type: uint32(typ), Addend: addend}
	}
	const pc32, pc64 = elf.R_X86_64_PC32, elf.R_X86_64_PC64
	_, site := add(".text.large", code, 16*n)
	if jumps > 0 {
		table, _ := add("__jump_table", alloc, 16*jumps)
		key := &elfrw.Symbol{Name: "key", Info: byte(elf.STB_GLOBAL) << 4}
		f.AddSymbol(key)
		var r []elfrw.Rela
		for i := range jumps {
			r = append(r, rela(16*i, site, pc32, at[i]), rela(16*i+4, site, pc32, 3),
				rela(16*i+8, key, pc64, 2))
		}
		relocate(table, r)
	}
	if alternatives > 0 {
		_, other := add(".altinstr_replacement", code, 5*alternatives)
		table, _ := add(".altinstructions", alloc, 12*alternatives)
		var r []elfrw.Rela
		for i := range alternatives {
			o := 12 * i
			table.Data[o+10], table.Data[o+11] = 5, 5
			r = append(r, rela(o, site, pc32, at[i]+8), rela(o+4, other, pc32, int64(5*i)))
		}
		relocate(table, r)
	}
	return f.Bytes()
}
