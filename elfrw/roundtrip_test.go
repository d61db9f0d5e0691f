// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"debug/elf"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unusual are well-formed files that no other test uses. All are written as they were
// read; those that can be edited are marked editable.
var unusual = []struct {
	name     string
	editable bool
	make     func(k kind) *image
}{
	{"bare", true, bare},
	{"module", true, module},
	{"groups of one another's members", true, func(k kind) *image {
		m := bare(k)
		return m.add(&tsec{name: ".g", typ: elf.SHT_GROUP, align: 4, link: ".symtab",
			info: "global", members: []string{".text", ".text", ".data"}})
	}},
	{"empty group", true, func(k kind) *image {
		m := bare(k)
		return m.add(&tsec{name: ".g", typ: elf.SHT_GROUP, align: 4, link: ".symtab",
			info: "local"})
	}},
	{"link order", true, func(k kind) *image {
		return bare(k).add(&tsec{name: "a", typ: elf.SHT_PROGBITS, flags: elf.SHF_LINK_ORDER,
			link: ".text"},
			&tsec{name: "b", typ: elf.SHT_PROGBITS, flags: elf.SHF_LINK_ORDER})
	}},
	{"info link", true, func(k kind) *image {
		return bare(k).add(&tsec{name: "a", typ: elf.SHT_PROGBITS, flags: elf.SHF_INFO_LINK,
			info: ".data"})
	}},
	{"info that is no section", true, func(k kind) *image {
		return bare(k).add(&tsec{name: "a", typ: elf.SHT_PROGBITS, infoNum: 12345678})
	}},
	{"extended indexes that would fit", true, func(k kind) *image {
		m := bare(k).shndx()
		m.xindex = true
		return m
	}},
	{"unused extended indexes", true, func(k kind) *image { return bare(k).shndx() }},
	{"escaped numbers that would fit", true, func(k kind) *image {
		m := bare(k)
		m.escape = true
		return m
	}},
	{"no relocations", true, func(k kind) *image {
		m := bare(k)
		return m.add(m.rela(".text"), m.rel(".data"))
	}},
	{"relocations without a target", true, func(k kind) *image {
		m := bare(k)
		s := m.rela(".text", trel{1 << 20, "global", 1, 0})
		s.info = ""
		return m.add(s)
	}},
	{"relocations of symbols elsewhere", true, func(k kind) *image {
		m := bare(k)
		s := m.rela(".text")
		s.link, s.data, s.entsize = "", []byte("opaque"), 0
		return m.add(s)
	}},
	{"relocations at their extremes", true, func(k kind) *image {
		m := bare(k)
		if k.wide() {
			return m.add(m.rela(".text", trel{1<<64 - 1, "global", 1<<32 - 1, -1 << 63},
				trel{1 << 63, "local", 1 << 31, 1<<63 - 1}))
		}
		return m.add(m.rela(".text", trel{1<<32 - 1, "global", 255, -1 << 31},
			trel{1 << 31, "local", 128, 1<<31 - 1}))
	}},
	{"trailer only", true, func(k kind) *image {
		m := bare(k)
		m.trailer = "x"
		return m
	}},
	{"large NOBITS, aligned", true, func(k kind) *image {
		return bare(k).add(&tsec{name: ".bss", typ: elf.SHT_NOBITS, align: 4096, size: 1 << 31},
			&tsec{name: "z", typ: elf.SHT_PROGBITS, align: 1, data: []byte("zz")})
	}},
	{"NOBITS, unaligned", true, func(k kind) *image {
		m := bare(k)
		m.sec(".text").data = make([]byte, 61)
		m.order = []string{".text", ".bss", ".data"}
		return m.add(&tsec{name: ".bss", typ: elf.SHT_NOBITS, align: 32,
			at: uint64(pick(k.wide(), 64, 64) + 61), size: 100})
	}},
	{"NOBITS at offset 1 and at the end of the world", true, func(k kind) *image {
		return bare(k).add(&tsec{name: ".bss", typ: elf.SHT_NOBITS, align: 32, at: 1, size: 100},
			&tsec{name: ".sbss", typ: elf.SHT_NOBITS, align: 32, at: 1<<32 - 1, size: 100})
	}},
	{"SHT_NULL in the middle", true, func(k kind) *image {
		m := bare(k)
		m.secs = append([]*tsec{{name: ".text", typ: elf.SHT_NULL, flags: 7, addr: 9, align: 3,
			entsize: 5, at: 1 << 31}}, m.secs...)
		m.secs[1].name = ".text.real"
		return m
	}},
	{"no symbol table", true, func(k kind) *image {
		return (&image{kind: k}).add(&tsec{name: ".text", typ: elf.SHT_PROGBITS, align: 1,
			data: []byte("code")},
			&tsec{name: ".shstrtab", typ: elf.SHT_STRTAB, align: 1})
	}},
	{"relocations without a symbol table", true, func(k kind) *image {
		m := &image{kind: k}
		s := m.rela(".text")
		s.link, s.data = "", []byte("opaque")
		return m.add(&tsec{name: ".text", typ: elf.SHT_PROGBITS, data: []byte("code")}, s,
			&tsec{name: ".shstrtab", typ: elf.SHT_STRTAB, align: 1})
	}},
	{"no section names", true, func(k kind) *image {
		return (&image{kind: k}).add(&tsec{typ: elf.SHT_PROGBITS, align: 1, data: []byte("code")},
			&tsec{typ: elf.SHT_PROGBITS, align: 1, data: []byte("more")})
	}},
	{"section 0 only", true, func(k kind) *image { return &image{kind: k} }},
	{"one string table for everything", true, func(k kind) *image {
		m := bare(k)
		m.secs = m.secs[:4]
		return m
	}},
	{"empty string table", true, func(k kind) *image {
		m := bare(k)
		m.syms = []tsym{{typ: elf.STT_SECTION, sec: ".text"}}
		m.sec(".strtab").data = []byte{}
		return m
	}},
	{"unknown types and flags", true, func(k kind) *image {
		return bare(k).add(&tsec{name: "u", typ: 0x71234567, flags: 0xfff00000, addr: 77, align: 4,
			entsize: 3, link: ".data", infoNum: 9, data: []byte("opaque")},
			&tsec{name: "v", typ: 0x8fffffff, data: []byte("opaque"), link: ".symtab"})
	}},
	{"every header field", true, func(k kind) *image {
		m := bare(k)
		m.osabi, m.abiversion, m.pad, m.flags = 3, 7, 0xaa, 0xdeadbeef
		return m
	}},
	{"duplicate names", true, func(k kind) *image {
		m := bare(k)
		m.syms = append([]tsym{{name: "local", sec: ".data"}, {name: "local", sec: ".text"}},
			m.syms...)
		return m.add(&tsec{name: ".text", typ: elf.SHT_PROGBITS, data: []byte("2")},
			&tsec{name: ".text", typ: elf.SHT_PROGBITS, data: []byte("3")})
	}},
	{"alignment 0", true,
		func(k kind) *image {
			return bare(k).add(&tsec{name: "a", typ: elf.SHT_PROGBITS,
				data: []byte("2")})
		}},
	{"file order backwards", true, func(k kind) *image {
		m := bare(k)
		m.order = []string{".shstrtab", ".strtab", ".symtab", ".data", ".text"}
		return m
	}},
	{"address-significance and call-graph tables", true, func(k kind) *image {
		return bare(k).add(&tsec{name: "a", typ: 0x6fff4c03, link: ".symtab",
			data: []byte{0x81, 0x00, 2, 0xff}},
			&tsec{name: "c", typ: 0x6fff4c02, link: ".symtab", data: []byte("any")})
	}},

	{"zero-size section at an odd offset", true, func(k kind) *image {
		return bare(k).add(&tsec{name: "z", typ: elf.SHT_PROGBITS, align: 16, at: 67,
			data: []byte{}})
	}},
	{"headers in front", true, func(k kind) *image {
		m := bare(k)
		m.front = true
		return m
	}},
	{"program headers", false, func(k kind) *image {
		m := bare(k)
		m.phnum = 1
		return m
	}},
	{"sections overlap", false, func(k kind) *image {
		return bare(k).add(&tsec{name: "z", typ: elf.SHT_PROGBITS, align: 1, at: 70,
			data: make([]byte, 20)})
	}},
	{"a section over the ELF header", false, func(k kind) *image {
		m := bare(k)
		// Contents are copied in header order, so this one must have what
		// is already there.
		s := &tsec{name: "z", typ: elf.SHT_PROGBITS, align: 1, data: []byte{2}, at: 4}
		if !k.wide() {
			s.data = []byte{1}
		}
		return m.add(s)
	}},
	{"junk in gaps", false, func(k kind) *image {
		m := bare(k)
		m.sec(".text").data, m.junk = make([]byte, 61), 0xcc
		return m
	}},
	{"a gap", true, func(k kind) *image {
		return bare(k).add(&tsec{name: "z", typ: elf.SHT_PROGBITS, align: 1, at: 2000,
			data: []byte("z")})
	}},
}

func TestWriteOfParseGivesTheInput(t *testing.T) {
	for _, c := range unusual {
		t.Run(c.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T,
				k kind) {
				assertRoundTrip(t, c.make(k).bytes(), c.editable)
			})
		})
	}
}

func assertRoundTrip(t *testing.T, b []byte, editable bool) {
	t.Helper()
	f := parse(t, b)
	assert.Equal(t, editable, f.Editable() == nil, "%v", f.Editable())
	require.NoError(t, roundTrip(b, false))
	require.NoError(t, roundTrip(b, true))
}

func TestRoundTripOfMoreSectionsThanTheHeaderCounts(t *testing.T) {
	for _, n := range []int{0xff00 - 6, 0xff00 - 5, 0xff00, 0x10010} {
		m := many(kind64LE, n).shndx()
		assertRoundTrip(t, m.bytes(), true)
	}
}

func TestHeaderWithoutSectionsRoundTrips(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		b := headerOnly(k)
		assertRoundTrip(t, b, true)
		assertRoundTrip(t, append(b, "contents that nothing describes"...), false)
	})
}

// headerOnly is an ELF header without section headers.
func headerOnly(k kind) []byte {
	b := (&image{kind: k}).bytes()[:pick(k.wide(), 64, 52)]
	ehdr("e_shoff", 0)(k, b)
	ehdr("e_shentsize", 0)(k, b)
	ehdr("e_shnum", 0)(k, b)
	return b
}

func TestTestdataRoundTrips(t *testing.T) {
	n := 0
	require.NoError(t, filepath.WalkDir("../testdata",
		func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !isObject(path) {
				return err
			}
			n++
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.NoError(t, roundTrip(b, false), path)
			assert.NoError(t, roundTrip(b, true), path)
			assert.NoError(t, parse(t, b).Verify(), path)
			assertAsDebugELF(t, b)
			return nil
		}))
	require.NotZero(t, n, "no .ko or .o under ../testdata")
}

func isObject(path string) bool {
	return strings.HasSuffix(path, ".ko") || strings.HasSuffix(path, ".o")
}

func TestTailMergedNamesKeepTheirOffsets(t *testing.T) {
	f := parse(t, module(kind64LE).bytes())
	outside, side := symbol(t, f, "outside"), symbol(t, f, "side")
	assert.Equal(t, outside.nameOff+3, side.nameOff)
	outside.Name = "elsewhere"
	f = parse(t, written(t, f))
	assert.Equal(t, side.nameOff, symbol(t, f, "side").nameOff)
}

func TestTrailerIsWhatFollowsTheHeaders(t *testing.T) {
	f := parse(t, module(kind32BE).bytes())
	assert.Equal(t, "a signature\n~Module signature appended~\n", string(f.Trailer))
	f.Trailer = nil
	assert.Empty(t, parse(t, written(t, f)).Trailer)
}

func TestWriteTwiceGivesTheSame(t *testing.T) {
	f := parse(t, module(kind64BE).bytes())
	symbol(t, f, "outside").Name = "a new name"
	require.NoError(t, f.Remove([]*Section{section(t, f, ".klp.annotation")}, nil))
	first := written(t, f)
	assert.Equal(t, first, written(t, f), "written again")
}
