// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Mutants of the file itself: what is cut off or appended, the ELF header, and the
// headers of sections that any module has.

// fileMutants are cut off somewhere, or go on.
var fileMutants = joined([]mutant{
	{name: "file-garbage-after", base: inVmlinux,
		edit: func(d *draft) { d.b = append(d.b, strings.Repeat("garbage ", 20)...) }},
	{name: "file-zeros-after", base: inVmlinux,
		edit: func(d *draft) { d.b = append(d.b, make([]byte, 4096)...) }},
	{name: "signature-marker-only", base: inVmlinux,
		edit: func(d *draft) { d.b = append(d.b, "~Module signature appended~\n"...) }},
	{name: "signature-no-pkcs7", base: inVmlinux,
		edit: func(d *draft) { d.sign(make([]byte, 64), 2, 64) }},
	{name: "signature-too-long", base: inVmlinux,
		edit: func(d *draft) { d.sign(make([]byte, 64), 2, 1<<30) }},
	{name: "signature-other-type", base: inVmlinux,
		edit: func(d *draft) { d.sign(make([]byte, 64), 1, 64) }},
	{name: "signature-marker-cut", base: inVmlinux, edit: func(d *draft) {
		d.sign(make([]byte, 64), 2, 64)
		d.b = d.b[:len(d.b)-1]
	}},
}, cuts(1, 4, 63, 64, 65, 256, 4096), cutsFromEnd(1, 63, 64, 65, 512, 2496))

// sign appends what looks like a signature (include/linux/module_signature.h).
func (d *draft) sign(signature []byte, kind byte, length uint32) {
	info := make([]byte, 12)
	info[2] = kind
	binary.BigEndian.PutUint32(info[8:], length)
	d.b = append(append(append(d.b, signature...), info...), "~Module signature appended~\n"...)
}

func cuts(lengths ...int) (list []mutant) {
	for _, n := range lengths {
		list = append(list, mutant{name: fmt.Sprintf("file-first-%d-bytes", n), base: inVmlinux,
			edit: func(d *draft) { d.b = d.b[:n] }})
	}
	return list
}

func cutsFromEnd(lengths ...int) (list []mutant) {
	for _, n := range lengths {
		list = append(list, mutant{name: fmt.Sprintf("file-without-last-%d", n), base: inVmlinux,
			edit: func(d *draft) { d.b = d.b[:len(d.b)-n] }})
	}
	return list
}

// ehdr and section are edits of a single field.
func ehdr16(at int, x uint16) func(*draft) { return func(d *draft) { d.ehdr().set16(at, x) } }
func ehdr64(at int, x uint64) func(*draft) { return func(d *draft) { d.ehdr().set64(at, x) } }

func shdr32(section string, at int, x uint32) func(*draft) {
	return func(d *draft) { d.shdr(section).set32(at, x) }
}

func shdr64(section string, at int, x uint64) func(*draft) {
	return func(d *draft) { d.shdr(section).set64(at, x) }
}

// lastByte of a section.
func lastByte(section string, x byte) func(*draft) {
	return func(d *draft) {
		b := d.contents(section).b
		b[len(b)-1] = x
	}
}

func flags(section string, set, reset elf.SectionFlag) func(*draft) {
	return func(d *draft) { d.flag(section, uint64(set), uint64(reset)) }
}

func rename(from, to string) func(*draft) { return func(d *draft) { d.rename(from, to) } }
func call(from, to string) func(*draft)   { return func(d *draft) { d.call(from, to) } }

// zeroth pokes section 0.
func zeroth(edit func(h view)) func(*draft) { return func(d *draft) { edit(d.shdrAt(0)) } }

var headerMutants = []mutant{
	{name: "elf-magic", base: inVmlinux, edit: func(d *draft) { d.b[0] = 'e' }},
	{name: "elf-class-32", base: inVmlinux,
		edit: func(d *draft) { d.b[elf.EI_CLASS] = byte(elf.ELFCLASS32) }},
	{name: "elf-class-none", base: inVmlinux, edit: func(d *draft) { d.b[elf.EI_CLASS] = 0 }},
	{name: "elf-data-other", base: inVmlinux,
		edit: func(d *draft) { d.b[elf.EI_DATA] ^= byte(elf.ELFDATA2MSB ^ elf.ELFDATA2LSB) }},
	{name: "elf-data-none", base: inVmlinux, edit: func(d *draft) { d.b[elf.EI_DATA] = 0 }},
	{name: "elf-ident-version", base: inVmlinux, edit: func(d *draft) { d.b[elf.EI_VERSION] = 0 }},
	{name: "elf-osabi", base: inVmlinux, edit: func(d *draft) { d.b[elf.EI_OSABI] = 255 }},
	{name: "elf-version", base: inVmlinux, edit: func(d *draft) { d.ehdr().set32(eVersion, 7) }},
	{name: "elf-type-exec", base: inVmlinux, edit: ehdr16(eType, uint16(elf.ET_EXEC))},
	{name: "elf-type-dyn", base: inModule, edit: ehdr16(eType, uint16(elf.ET_DYN))},
	{name: "elf-machine-386", base: inVmlinux, edit: ehdr16(eMachine, uint16(elf.EM_386))},
	{name: "elf-machine-arm", base: inVmlinux, edit: ehdr16(eMachine, uint16(elf.EM_ARM))},
	{name: "elf-machine-mips", base: inVmlinux, edit: ehdr16(eMachine, uint16(elf.EM_MIPS))},
	{name: "elf-ehsize", base: inVmlinux, edit: ehdr16(eEhsize, 0)},
	{name: "elf-phnum", base: inVmlinux, edit: ehdr16(ePhnum, 9)},
	{name: "elf-entry", base: inVmlinux, edit: ehdr64(eEntry, 4096)},
	{name: "elf-flags", base: inVmlinux, edit: func(d *draft) { d.ehdr().set32(eFlags, 1) }},
	{name: "elf-shentsize", base: inVmlinux, edit: ehdr16(eShentsize, 63)},
	{name: "elf-shoff-0", base: inVmlinux, edit: ehdr64(eShoff, 0)},
	{name: "elf-shoff-unaligned", base: inVmlinux, edit: func(d *draft) {
		// The table is moved by one byte, and is whole.
		at := d.ehdr().get64(eShoff)
		table := append([]byte{0}, d.b[at:]...)
		d.b = append(d.b[:at:at], table...)
		d.ehdr().set64(eShoff, at+1)
	}},
	{name: "elf-shoff-beyond", base: inVmlinux,
		edit: func(d *draft) { d.ehdr().set64(eShoff, uint64(len(d.b))) }},
	{name: "elf-shoff-wraps", base: inVmlinux, edit: ehdr64(eShoff, ^uint64(63))},
	{name: "elf-shnum-0", base: inVmlinux, edit: ehdr16(eShnum, 0)},
	{name: "elf-shnum-less", base: inVmlinux,
		edit: func(d *draft) { d.ehdr().set16(eShnum, uint16(d.count()-1)) }, open: gone},
	{name: "elf-shnum-more", base: inVmlinux,
		edit: func(d *draft) { d.ehdr().set16(eShnum, uint16(d.count()+1)) }},
	{name: "elf-shnum-65535", base: inVmlinux, edit: ehdr16(eShnum, 0xffff)},
	{name: "elf-shstrndx-0", base: inVmlinux, edit: ehdr16(eShstrndx, 0)},
	{name: "elf-shstrndx-beyond", base: inVmlinux,
		edit: func(d *draft) { d.ehdr().set16(eShstrndx, uint16(d.count())) }},
	{name: "elf-shstrndx-xindex", base: inVmlinux, edit: ehdr16(eShstrndx, 0xffff)},
	{name: "elf-shstrndx-text", base: inVmlinux,
		edit: func(d *draft) { d.ehdr().set16(eShstrndx, uint16(d.index(".text"))) }},
	{name: "elf-shstrndx-strtab", base: inVmlinux,
		edit: func(d *draft) { d.ehdr().set16(eShstrndx, uint16(d.index(".strtab"))) }},

	{name: "zeroth-type", base: inVmlinux, edit: zeroth(func(h view) { h.set32(shType, 1) })},
	{name: "zeroth-size", base: inVmlinux, edit: zeroth(func(h view) { h.set64(shSize, 8) })},
	{name: "zeroth-addr", base: inVmlinux, edit: zeroth(func(h view) { h.set64(shAddr, 8) })},
	{name: "zeroth-name", base: inVmlinux, edit: zeroth(func(h view) { h.set32(shName, 3) })},
	{name: "zeroth-link", base: inVmlinux, edit: zeroth(func(h view) { h.set32(shLink, 3) })},
	{name: "zeroth-flags", base: inVmlinux, edit: zeroth(func(h view) { h.set64(shFlags, 2) })},
	{name: "zeroth-offset", base: inVmlinux, edit: zeroth(func(h view) {
		h.set64(shOffset,
			1<<40)
	})},

	{name: "shdr-comment-offset-beyond", base: inVmlinux,
		edit: shdr64(".comment", shOffset, 1<<30)},
	{name: "shdr-comment-size-beyond", base: inVmlinux, edit: shdr64(".comment", shSize, 1<<30)},
	{name: "shdr-comment-size-wraps", base: inVmlinux,
		edit: shdr64(".comment", shSize, ^uint64(0))},
	{name: "shdr-text-offset-beyond", base: inVmlinux, edit: shdr64(".text", shOffset, 1<<30)},
	{name: "shdr-text-size-beyond", base: inModule, edit: shdr64(".text", shSize, 1<<20)},
	{name: "shdr-bss-offset-beyond", base: inVmlinux, edit: shdr64(".bss", shOffset, 1<<30)},
	{name: "shdr-text-overlaps-data", base: inVmlinux, edit: func(d *draft) {
		d.shdr(".comment").set64(shOffset, d.shdr(".data").get64(shOffset))
	}},
	{name: "shdr-null-comment", base: inVmlinux,
		edit: shdr32(".comment", shType, uint32(elf.SHT_NULL))},
	{name: "shdr-null-offset-beyond", base: inVmlinux, edit: func(d *draft) {
		h := d.shdr(".comment")
		h.set32(shType, uint32(elf.SHT_NULL))
		h.set64(shOffset, 1<<30)
	}},
	{name: "shdr-unknown-type", base: inVmlinux, edit: shdr32(".comment", shType, 0x7ffffff0)},
	{name: "shdr-name-beyond-alloc", base: inVmlinux, edit: shdr32(".data", shName, 1<<20)},
	{name: "shdr-name-beyond-not-alloc", base: inVmlinux, edit: shdr32(".comment", shName, 1<<20),
		open: "what follows the file in memory decides"},
	{name: "shdr-name-empty", base: inVmlinux, edit: shdr32(".note.gnu.build-id", shName, 0)},
	{name: "shdr-text-align-3", base: inVmlinux, edit: shdr64(".text", shAddralign, 3)},
	{name: "shdr-text-align-0", base: inVmlinux, edit: shdr64(".text", shAddralign, 0)},
	{name: "shdr-text-align-page-2", base: inVmlinux, edit: shdr64(".text", shAddralign, 8192)},
	{name: "shdr-text-addr", base: inVmlinux, edit: shdr64(".text", shAddr, 0x1000)},
	{name: "shdr-text-not-exec", base: inVmlinux, edit: flags(".text", 0, elf.SHF_EXECINSTR)},
	{name: "shdr-data-not-write", base: inVmlinux, edit: flags(".data", 0, elf.SHF_WRITE)},
	{name: "shdr-text-write", base: inVmlinux, edit: flags(".text", elf.SHF_WRITE, 0)},
	{name: "shdr-comment-alloc", base: inVmlinux, edit: flags(".comment", elf.SHF_ALLOC, 0)},
	{name: "shdr-comment-compressed", base: inVmlinux,
		edit: flags(".comment", elf.SHF_COMPRESSED, 0)},
	{name: "shdr-text-duplicate-name", base: inVmlinux, edit: rename(".exit.text", ".text")},
	{name: "shdr-comment-named-text", base: inVmlinux, edit: rename(".comment", ".text")},

	{name: "symtab-none", base: inVmlinux, edit: shdr32(".symtab", shType,
		uint32(elf.SHT_PROGBITS))},
	{name: "symtab-two", base: inVmlinux, edit: func(d *draft) {
		h := d.shdr(".comment")
		h.set32(shType, uint32(elf.SHT_SYMTAB))
		h.set32(shLink, d.shdr(".symtab").get32(shLink))
	}},
	{name: "symtab-link-0", base: inVmlinux, edit: shdr32(".symtab", shLink, 0)},
	{name: "symtab-link-beyond", base: inVmlinux, edit: shdr32(".symtab", shLink, 999)},
	{name: "symtab-info-0", base: inVmlinux, edit: shdr32(".symtab", shInfo, 0)},
	{name: "symtab-info-beyond", base: inVmlinux, edit: shdr32(".symtab", shInfo, 9999)},
	{name: "symtab-entsize-0", base: inVmlinux, edit: shdr64(".symtab", shEntsize, 0)},
	{name: "symtab-entsize-16", base: inVmlinux, edit: shdr64(".symtab", shEntsize, 16)},
	{name: "symtab-size-odd", base: inVmlinux, edit: func(d *draft) { d.cut(".symtab", 1) }},
	{name: "symtab-alloc", base: inVmlinux, edit: flags(".symtab", elf.SHF_ALLOC, 0)},
	{name: "strtab-first-not-nul", base: inVmlinux,
		edit: func(d *draft) { d.contents(".strtab").b[0] = 'x' }},
	{name: "strtab-last-not-nul", base: inVmlinux, edit: lastByte(".strtab", 'x')},
	{name: "strtab-empty", base: inVmlinux, edit: shdr64(".strtab", shSize, 0),
		open: "until 7.x the kernel reads names past the end of their table"},
	{name: "symbol-name-beyond", base: inVmlinux,
		edit: func(d *draft) { d.symbol("funcs").set32(stName, 1<<24) }},
	{name: "shstrtab-last-not-nul", base: inVmlinux, edit: lastByte(".shstrtab", 'x')},
	{name: "shstrtab-empty", base: inVmlinux, edit: shdr64(".shstrtab", shSize, 0)},
	{name: "shstrtab-beyond", base: inVmlinux, edit: shdr64(".shstrtab", shOffset, 1<<30)},
	{name: "shstrtab-progbits", base: inVmlinux,
		edit: shdr32(".shstrtab", shType, uint32(elf.SHT_PROGBITS))},
	{name: "section-group", base: inVmlinux, edit: func(d *draft) {
		d.model(func(f *elfrw.File) {
			f.AddSection(&elfrw.Section{Name: ".note.more", Type: elf.SHT_NOTE,
				Flags: uint64(elf.SHF_ALLOC), Align: 4, Data: make([]byte, 12)})
		})
	}},
}
