// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw_test

import (
	"debug/elf"
	"fmt"
	"log"
	"os"

	"github.com/klp-convert/klp-convert/elfrw"
)

// parseFixture parses a livepatch with one replacement function.
func parseFixture() *elfrw.File {
	b, err := os.ReadFile("../testdata/x86_64/livepatch-cmdline.ko")
	if err != nil {
		log.Fatal(err)
	}
	f, err := elfrw.Parse("cmdline.ko", b)
	if err != nil {
		log.Fatal(err)
	}
	return f
}

// writeAndParse verifies and writes f, and parses the result.
func writeAndParse(f *elfrw.File) *elfrw.File {
	if err := f.Verify(); err != nil {
		log.Fatal(err)
	}
	b, err := f.Bytes()
	if err != nil {
		log.Fatal(err)
	}
	g, err := elfrw.Parse("out.ko", b)
	if err != nil {
		log.Fatal(err)
	}
	return g
}

// Sections and symbols refer to each other by pointer, never by number.
func ExampleParse() {
	f := parseFixture()
	fmt.Println(f.Header.Machine, f.Header.Class)
	s := f.Section(".rela.text")
	fmt.Println(s, "applies to", s.Target, "and refers to symbols of", s.Link)
	for _, r := range s.Relocs() {
		fmt.Printf("%s+%#x %v %s%+d\n", s.Target, r.Offset, elf.R_X86_64(r.Type), r.Sym, r.Addend)
	}
	// Output:
	// EM_X86_64 ELFCLASS64
	// .rela.text applies to .text and refers to symbols of .symtab
	// .text+0x1 R_X86_64_PLT32 __fentry__-4
	// .text+0x8 R_X86_64_PC32 saved_command_line-4
	// .text+0xf R_X86_64_32S .rodata.str1.1+0
	// .text+0x14 R_X86_64_PLT32 seq_printf-4
	// .text+0x1b R_X86_64_PLT32 __x86_return_thunk-4
}

// An edit changes fields and adds what is new. Write assigns all numbers.
func ExampleFile_Write() {
	f := parseFixture()
	for _, y := range f.Symbols {
		if y.Name == "saved_command_line" {
			y.Name = ".klp.sym.vmlinux.saved_command_line,0"
			y.Index = 0xff20 // SHN_LIVEPATCH
		}
	}
	relocs := &elfrw.Section{
		Name:  ".klp.rela.vmlinux..text",
		Type:  elf.SHT_RELA,
		Flags: uint64(elf.SHF_ALLOC | elf.SHF_INFO_LINK | 0x00100000), // SHF_RELA_LIVEPATCH
		Align: 8,
		Link:  f.Symtab, Target: f.Section(".text"),
	}
	f.AddSection(relocs)
	f.MoveRelocs(f.Section(".rela.text"), []int{1}, func(int, *elfrw.Rela) *elfrw.Section {
		return relocs
	})

	g := writeAndParse(f)
	for _, name := range []string{".rela.text", ".klp.rela.vmlinux..text"} {
		fmt.Println(name, "has", g.Section(name).NumRelocs(), "relocations")
	}
	fmt.Println(g.Section(".klp.rela.vmlinux..text").Reloc(0).Sym)
	// Output:
	// .rela.text has 4 relocations
	// .klp.rela.vmlinux..text has 1 relocations
	// .klp.sym.vmlinux.saved_command_line,0
}

// A symbol is undefined when it has no section and its index is 0.
func ExampleFile_AddSymbol() {
	f := parseFixture()
	y := &elfrw.Symbol{Name: "schedule", Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_NOTYPE)}
	f.AddSymbol(y)
	f.AddReloc(f.Section(".rela.data"), elfrw.Rela{
		Offset: 0x250, Sym: y, Type: uint32(elf.R_X86_64_64),
	})

	g := writeAndParse(f)
	s := g.Section(".rela.data")
	last := s.Reloc(s.NumRelocs() - 1)
	fmt.Println(last.Sym, "undefined:", last.Sym.Undefined())
	// Output:
	// schedule undefined: true
}

// Remove removes with a section what has no meaning without it, and refuses as
// long as anything else refers to it.
func ExampleFile_Remove() {
	f := parseFixture()
	fmt.Println(f.Remove([]*elfrw.Section{f.Section(".text")}, nil))
	before := len(f.Sections)
	fmt.Println(f.Remove([]*elfrw.Section{f.Section(".return_sites")}, nil))
	fmt.Println(before-len(f.Sections), "sections fewer")
	// Output:
	// cmdline.ko: .symtab: symbol .text: still referred to by .rela__mcount_loc+0x8
	// <nil>
	// 2 sections fewer
}
