// SPDX-License-Identifier: GPL-2.0-or-later

package proof_test

import (
	"bytes"
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// mutation is a way in which a conversion could go wrong. It edits a converted
// module of labels with debug information and a group added (provable).
type mutation func(t *testing.T, f *elfrw.File)

const klpText, klpData, ordinary = ".klp.rela.vmlinux..text", ".klp.rela.ext4..data", ".rela.text"

// relocs edits a section's relocations.
func relocs(name string, edit func(r []elfrw.Rela) []elfrw.Rela) mutation {
	return func(t *testing.T, f *elfrw.File) {
		s := section(t, f, name)
		r := slices.Clone(s.Relocs())
		require.GreaterOrEqual(t, len(r), 2, name)
		s.SetRelocs(edit(r))
	}
}

// What relocs does to a section's relocations.
var (
	none         = func(r []elfrw.Rela) []elfrw.Rela { return nil }
	withoutFirst = func(r []elfrw.Rela) []elfrw.Rela { return r[1:] }
	withoutLast  = func(r []elfrw.Rela) []elfrw.Rela { return r[:len(r)-1] }
	lastTwice    = func(r []elfrw.Rela) []elfrw.Rela { return append(r, r[len(r)-1]) }
	swapped      = func(r []elfrw.Rela) []elfrw.Rela {
		r[0], r[1] = r[1], r[0]
		return r
	}
)

// one edits the second relocation of a section.
func one(name string, edit func(r *elfrw.Rela)) mutation {
	return relocs(name, func(r []elfrw.Rela) []elfrw.Rela { edit(&r[1]); return r })
}

// header edits a section.
func header(name string, edit func(s *elfrw.Section)) mutation {
	return func(t *testing.T, f *elfrw.File) { edit(section(t, f, name)) }
}

func sectionName(name, other string) mutation {
	return header(name, func(s *elfrw.Section) { s.Name = other })
}

// flipBit changes contents.
func flipBit(s *elfrw.Section) {
	s.Data = slices.Clone(s.Data)
	s.Data[3] ^= 1
}

// symtab edits a symbol.
func symtab(name string, edit func(y *elfrw.Symbol)) mutation {
	return func(t *testing.T, f *elfrw.File) { edit(symbol(t, f, name)) }
}

func symbolName(name, other string) mutation {
	return symtab(name, func(y *elfrw.Symbol) { y.Name = other })
}

func undefine(y *elfrw.Symbol) { y.Index = elf.SHN_UNDEF }

// addLike adds an empty klp relocation section for the code that s is for.
func addLike(f *elfrw.File, s *elfrw.Section) *elfrw.Section {
	n := &elfrw.Section{Name: s.Name + ".2", Type: s.Type, Flags: s.Flags, Align: s.Align}
	n.Link, n.Target = s.Link, s.Target
	f.AddSection(n)
	return n
}

// shift takes the last relocation of one section to another.
func shift(from, to string) mutation {
	return func(t *testing.T, f *elfrw.File) {
		a, b := section(t, f, from), section(t, f, to)
		r := slices.Clone(a.Relocs())
		a.SetRelocs(r[:len(r)-1])
		b.SetRelocs(append(slices.Clone(b.Relocs()), r[len(r)-1]))
	}
}

func remove(name string) mutation {
	return func(t *testing.T, f *elfrw.File) {
		require.NoError(t, f.Remove([]*elfrw.Section{section(t, f, name)}, nil))
	}
}

const klpFoo = ".klp.sym.vmlinux.show,1"

var mutations = map[string]mutation{
	"klp relocation dropped":       relocs(klpText, withoutLast),
	"first klp relocation dropped": relocs(klpText, withoutFirst),
	"all klp relocations dropped":  relocs(klpText, none),
	"klp relocation doubled":       relocs(klpText, lastTwice),
	"klp relocations swapped":      relocs(klpText, swapped),
	"klp addend":                   one(klpText, func(r *elfrw.Rela) { r.Addend++ }),
	"klp addend, upper half":       one(klpText, func(r *elfrw.Rela) { r.Addend ^= 1 << 40 }),
	"klp type":                     one(klpText, func(r *elfrw.Rela) { r.Type = 10 }),
	"klp offset":                   one(klpText, func(r *elfrw.Rela) { r.Offset++ }),
	"klp symbol 0":                 one(klpText, func(r *elfrw.Rela) { r.Sym = nil }),
	"ordinary dropped":             relocs(".rela.init.text", withoutFirst),
	"ordinary doubled":             relocs(".rela.init.text", lastTwice),
	"ordinary addend":              one(".rela.init.text", func(r *elfrw.Rela) { r.Addend++ }),
	"ordinary symbol":              one(".rela.init.text", func(r *elfrw.Rela) { r.Sym = nil }),
	"moved back":                   shift(klpText, ordinary),
	"ordinary moved to klp":        shift(".rela.init.text", klpText),
	"klp of another object":        shift(klpText, ".klp.rela.ext4..text"),
	"debug relocation lost":        relocs(".rela.debug_x", withoutFirst),
	"debug addend":                 one(".rela.debug_x", func(r *elfrw.Rela) { r.Addend++ }),
	"debug relocation of a klp symbol": func(t *testing.T, f *elfrw.File) {
		relocs(".rela.debug_x", func(r []elfrw.Rela) []elfrw.Rela {
			r[0].Sym = symbol(t, f, klpFoo)
			return r
		})(t, f)
	},
	"relocation against another klp symbol": func(t *testing.T, f *elfrw.File) {
		one(klpText, func(r *elfrw.Rela) {
			other := symbol(t, f, ".klp.sym.vmlinux.show,2")
			if r.Sym == other {
				other = symbol(t, f, klpFoo)
			}
			r.Sym = other
		})(t, f)
	},

	"klp section of another object": sectionName(klpText, ".klp.rela.jbd2..text"),
	"klp section misnamed":          sectionName(klpText, ".klp.relavmlinux..text"),
	"klp section without object":    sectionName(klpText, ".klp.rela..text"),
	"klp sections of one name":      sectionName(".klp.rela.vmlinux..text.unlikely", klpText),
	"klp section not ALLOC":         header(klpText, func(s *elfrw.Section) { s.Flags &^= 2 }),
	"klp section not livepatch":     header(klpText, func(s *elfrw.Section) { s.Flags &^= 0x100000 }),
	"klp section not INFO_LINK":     header(klpText, func(s *elfrw.Section) { s.Flags &^= 0x40 }),
	"klp section writable":          header(klpText, func(s *elfrw.Section) { s.Flags |= 1 }),
	"klp section misaligned":        header(klpText, func(s *elfrw.Section) { s.Align = 1 }),
	"klp section with an address":   header(klpText, func(s *elfrw.Section) { s.Addr = 8 }),
	"klp section of type REL": func(t *testing.T, f *elfrw.File) {
		changeRelocs(section(t, f, klpText), func(r *elfrw.Rela) { r.Addend = 0 })
		header(klpText, func(s *elfrw.Section) { s.Type, s.EntSize = elf.SHT_REL, 16 })(t, f)
	},
	"klp section for other code": func(t *testing.T, f *elfrw.File) {
		section(t, f, klpText).Target = section(t, f, ".init.text")
	},
	"klp section lost":       remove(klpText),
	"other klp section lost": remove(klpData),
	"ordinary section lost":  remove(".note.GNU-stack"),
	"relocations lost":       remove(".rela.init.text"),
	"klp section twice": func(t *testing.T, f *elfrw.File) {
		s := section(t, f, klpText)
		addLike(f, s).SetRelocs(slices.Clone(s.Relocs()))
	},
	"empty klp section": func(t *testing.T, f *elfrw.File) {
		addLike(f, section(t, f, klpText))
	},
	"extra section": func(t *testing.T, f *elfrw.File) {
		addData(f, ".extra", []byte{1}).Flags = 0
	},
	"extra livepatch section": func(t *testing.T, f *elfrw.File) {
		addData(f, ".klp.rela.ext4..extra", []byte{1}).Flags = 0x100042
	},
	"annotation section left": func(t *testing.T, f *elfrw.File) {
		addLoaded(f, ".klp.module_relocs.vmlinux", elf.SHF_WRITE, nil)
	},
	"annotated symbol left": func(t *testing.T, f *elfrw.File) {
		addUndefined(f, ".klp.sym.rela.vmlinux.vmlinux.foo.0")
	},

	"contents of .text":    header(".text", flipBit),
	"contents of .modinfo": header(".modinfo", flipBit),
	"contents of debug":    header(".debug_x", flipBit),
	"contents longer": header(".data", func(s *elfrw.Section) {
		s.Data = append(slices.Clone(s.Data), 0)
	}),
	"flags of .text":     header(".text", func(s *elfrw.Section) { s.Flags |= 1 }),
	"alignment of .text": header(".text", func(s *elfrw.Section) { s.Align *= 2 }),
	"name of .text":      header(".text", func(s *elfrw.Section) { s.Name = ".texx" }),
	"sh_info of .text":   header(".text", func(s *elfrw.Section) { s.Info = 1 }),
	"string table": header(".strtab", func(s *elfrw.Section) { // where no name is any more
		s.Data = slices.Clone(s.Data)
		s.Data[bytes.Index(s.Data, []byte(".klp.sym.rela."))] = 'x'
	}),
	"sections swapped": func(t *testing.T, f *elfrw.File) {
		f.Sections[0], f.Sections[2] = f.Sections[2], f.Sections[0]
	},
	"target of relocations": func(t *testing.T, f *elfrw.File) {
		section(t, f, ordinary).Target = section(t, f, ".data")
	},
	"group trimmed": header(".group", func(s *elfrw.Section) { s.Members = s.Members[:1] }),
	"group grown": func(t *testing.T, f *elfrw.File) {
		g := section(t, f, ".group")
		g.Members = append(slices.Clone(g.Members), section(t, f, ".data"))
	},
	"group signature": func(t *testing.T, f *elfrw.File) {
		section(t, f, ".group").Signature = symbol(t, f, "replaced_show")
	},

	"klp symbol renamed":           symbolName(klpFoo, ".klp.sym.vmlinux.shoe,1"),
	"klp symbol at a position":     symbolName(klpFoo, ".klp.sym.vmlinux.show,3"),
	"klp symbol of another object": symbolName(klpFoo, ".klp.sym.ext4.show,1"),
	"klp symbol undefined":         symtab(klpFoo, undefine),
	"klp symbol absolute":          symtab(klpFoo, func(y *elfrw.Symbol) { y.Index = elf.SHN_ABS }),
	"klp symbol in the next index": symtab(klpFoo, func(y *elfrw.Symbol) { y.Index = 0xff21 }),
	"klp symbol with a value":      symtab(klpFoo, func(y *elfrw.Symbol) { y.Value = 1 }),
	"klp symbol weak":              symtab(klpFoo, func(y *elfrw.Symbol) { y.Info = byte(elf.STB_WEAK) << 4 }),
	"unused klp symbol undefined":  symtab(".klp.sym.vmlinux.idle,0", undefine),
	"unused klp symbol lost": func(t *testing.T, f *elfrw.File) {
		require.NoError(t, f.Remove(nil, []*elfrw.Symbol{symbol(t, f, ".klp.sym.vmlinux.idle,0")}))
	},
	"symbol renamed":      symbolName("replaced_show", "displaced_show"),
	"symbol's value":      symtab("replaced_show", func(y *elfrw.Symbol) { y.Value++ }),
	"symbol's size":       symtab("replaced_show", func(y *elfrw.Symbol) { y.Size++ }),
	"symbol's visibility": symtab("replaced_show", func(y *elfrw.Symbol) { y.Other = 2 }),
	"symbol's section": func(t *testing.T, f *elfrw.File) {
		symbol(t, f, "replaced_show").Section = section(t, f, ".data")
	},
	"symbol a klp symbol": symtab("klp_enable_patch", func(y *elfrw.Symbol) { y.Index = 0xff20 }),
	"extra symbol":        func(t *testing.T, f *elfrw.File) { addUndefined(f, "extra") },
	"extra klp symbol": func(t *testing.T, f *elfrw.File) {
		addUndefined(f, ".klp.sym.vmlinux.extra,0").Index = 0xff20
	},
	"symbol lost": func(t *testing.T, f *elfrw.File) {
		require.NoError(t, f.Remove(nil, []*elfrw.Symbol{symbol(t, f, "modinfo_license")}))
	},
	"symbols swapped": func(t *testing.T, f *elfrw.File) {
		n := len(f.Symbols)
		f.Symbols[n-1], f.Symbols[n-2] = f.Symbols[n-2], f.Symbols[n-1]
	},

	"machine":      func(t *testing.T, f *elfrw.File) { f.Header.Machine = elf.EM_AARCH64 },
	"e_flags":      func(t *testing.T, f *elfrw.File) { f.Header.Flags = 1 },
	"trailer":      func(t *testing.T, f *elfrw.File) { f.Trailer = nil },
	"unsound file": one(klpText, func(r *elfrw.Rela) { r.Offset = 1 << 30 }),
}

// provable is a module that has something of everything that Check compares.
func provable(t *testing.T) []byte {
	f := open(t, "x86_64/labels-dot.ko")
	addUndefined(f, ".klp.sym.rela.vmlinux.vmlinux.idle.0")
	debug, _ := addLoaded(f, ".debug_x", 0, []byte("12345678123456781234567812345678"),
		elfrw.Rela{Offset: 0, Sym: symbol(t, f, ".klp.sym.rela.vmlinux.vmlinux.show.1"), Type: word},
		elfrw.Rela{Offset: 8, Sym: symbol(t, f, "replaced_show"), Type: word},
		elfrw.Rela{Offset: 16, Sym: nil, Type: word},
	)
	debug.Flags = 0
	a, b := addLoaded(f, ".text.g", elf.SHF_EXECINSTR, make([]byte, 8))
	sig := &elfrw.Symbol{Name: "sig", Section: a, Info: byte(elf.STB_WEAK) << 4}
	f.AddSymbol(sig)
	group := &elfrw.Section{Name: ".group", Type: elf.SHT_GROUP, Align: 4, EntSize: 4, Link: f.Symtab}
	group.Signature, group.Members = sig, []*elfrw.Section{a, b}
	f.AddSection(group)
	f.Trailer = []byte("trailer")
	return encode(t, f)
}
