// SPDX-License-Identifier: GPL-2.0-or-later

// Package elfrw reads, edits and writes relocatable ELF files (ET_REL: object
// files and Linux kernel modules) of both classes, both byte orders and any
// machine. It knows ELF and nothing about livepatching.
//
// A relocatable file is a graph written down as numbers:
//
//	ELF header ── e_shstrndx ───────────────┐
//	   │ e_shoff                            ▼
//	   ▼                              .shstrtab  section names
//	section headers ── sh_link ─▶ .symtab ── sh_link ─▶ .strtab  symbol names
//	   │  ▲   ▲                      │ st_shndx ─▶ section (or .symtab_shndx word)
//	   │  │   └─ sh_info ─ .rela.text│
//	   │  │                  r_info ─┘ symbol
//	   │  └─ SHT_GROUP words, SHF_LINK_ORDER
//	   ▼
//	contents, in an order of their own; after the headers a trailer (the
//	signature that the kernel's build appends)
//
// Parse turns the numbers into pointers. Sections and symbols are referred to
// by identity, so an edit never has to renumber anything; Write assigns all
// numbers once: sections, then string offsets, then symbols, then encoding.
// Relocations are values in a slice; a section's are decoded when they are first read.
//
// What was not edited keeps its bytes. Contents are sub-slices of the input,
// an unchanged name keeps its string offset (string tables of real modules are
// tail-merged, so they are only ever appended to), unknown section types are
// opaque. Two orders are kept: that of the section headers and that of the
// contents. For every well-formed file, Write(Parse(b)) gives b.
//
// Invariants, checked by Verify and relied on everywhere:
//
//   - File.Sections leaves out section 0 and File.Symbols symbol 0; a nil
//     *Section or *Symbol is section 0 or symbol 0.
//   - Every section and symbol that something refers to is in the file.
//   - Symbols are sorted local before global (gABI, "Symbol Table", sh_info).
//   - A symbol has a Section, or a reserved Index, never both.
//
// Everything read from a file is hostile until checked: Parse returns an
// *Error for input it can't represent and never panics, and what it allocates
// is bounded by a small multiple of the length of the input.
//
//	f, err := elfrw.Parse("patch.ko", b)
//	if err != nil { … }
//	text := f.Section(".text")
//	f.AddSection(&elfrw.Section{Name: ".note.mine", Type: elf.SHT_NOTE, Align: 4, Data: note})
//	if err := f.Verify(); err != nil { … }
//	err = f.Write(w)
package elfrw
