// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/loadermodel"
)

// The oracle reads modules by debug/elf and knows nothing of this package: what
// a module asks of the kernel's loader, before and after.

// oracle is one file.
type oracle struct {
	*elf.File
	symbols []elf.Symbol // without symbol 0
}

// ask is one relocation of a loaded section.
type ask struct {
	section int // number of the section it applies to, among those that stay
	name    string
	offset  uint64
	typ     uint32
	addend  int64
	symbol  string // name or, without one, section
	object  string // gates it; empty for an ordinary one
}

func newOracle(t *testing.T, b []byte) oracle {
	f, err := elf.NewFile(bytes.NewReader(b))
	require.NoError(t, err)
	symbols, err := f.Symbols()
	require.NoError(t, err)
	return oracle{f, symbols}
}

func (o oracle) symbolName(n uint32) string {
	if n == 0 {
		return ""
	}
	y := o.symbols[n-1]
	if y.Name == "" && y.Section < elf.SHN_LORESERVE {
		return o.Sections[y.Section].Name
	}
	return y.Name
}

// asks returns every relocation of every loaded section but annotations, in
// order within its section.
func (o oracle) asks(t *testing.T) []ask {
	var all []ask
	for _, s := range o.Sections {
		if s.Type != elf.SHT_RELA || o.Sections[s.Info].Flags&elf.SHF_ALLOC == 0 ||
			isRecords(o.Sections[s.Info].Name) {
			continue
		}
		target := o.Sections[s.Info]
		b, err := s.Data()
		require.NoError(t, err)
		for len(b) > 0 {
			a := ask{section: o.ordinal(int(s.Info)), name: target.Name}
			var sym uint32
			if o.Class == elf.ELFCLASS64 {
				info := o.ByteOrder.Uint64(b[8:])
				a.offset, sym, a.typ = o.ByteOrder.Uint64(b), uint32(info>>32), uint32(info)
				a.addend = int64(o.ByteOrder.Uint64(b[16:]))
				b = b[24:]
			} else {
				info := o.ByteOrder.Uint32(b[4:])
				a.offset, sym, a.typ = uint64(o.ByteOrder.Uint32(b)), info>>8, info&0xff
				a.addend = int64(int32(o.ByteOrder.Uint32(b[8:])))
				b = b[12:]
			}
			a.symbol = o.symbolName(sym)
			if s.Flags&0x00100000 != 0 {
				got := loadermodel.Scan(s.Name, loadermodel.SectionFormat)
				require.Len(t, got, 1, s.Name)
				a.object = got[0].(string)
				require.Equal(t, elf.SectionIndex(0xff20), o.symbols[sym-1].Section,
					"klp relocation against %s", a.symbol)
			} else if sym != 0 {
				require.NotEqual(t, elf.SectionIndex(0xff20), o.symbols[sym-1].Section,
					"ordinary relocation against %s", a.symbol)
			}
			all = append(all, a)
		}
	}
	return all
}

func isRecords(name string) bool { return strings.HasPrefix(name, ".klp.module_relocs") }

// ordinal numbers a section among the loaded ones that are neither annotations
// nor klp relocations.
func (o oracle) ordinal(n int) int {
	k := 0
	for _, s := range o.Sections[:n] {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Flags&0x00100000 == 0 && !isRecords(s.Name) {
			k++
		}
	}
	return k
}

// wants reads what the annotations of a module that is not converted say:
// symbol → {gate, klp symbol}.
func (o oracle) wants(t *testing.T) map[string][2]string {
	w := map[string][2]string{}
	for _, s := range o.Sections {
		if s.Type != elf.SHT_RELA || !isRecords(o.Sections[s.Info].Name) {
			continue
		}
		target := o.Sections[s.Info]
		object := strings.ReplaceAll(strings.TrimPrefix(target.Name, ".klp.module_relocs."), "-", "_")
		relocs, err := s.Data()
		require.NoError(t, err)
		data, err := target.Data()
		require.NoError(t, err)
		size := uint64(8)
		if o.Class == elf.ELFCLASS32 && v7Records(o, int(s.Info)) || o.Class == elf.ELFCLASS64 {
			size = 12
		}
		for len(relocs) > 0 {
			var at uint64
			var sym uint32
			if o.Class == elf.ELFCLASS64 {
				at, sym = o.ByteOrder.Uint64(relocs), uint32(o.ByteOrder.Uint64(relocs[8:])>>32)
				relocs = relocs[24:]
			} else {
				at, sym = uint64(o.ByteOrder.Uint32(relocs)), o.ByteOrder.Uint32(relocs[4:])>>8
				relocs = relocs[12:]
			}
			name := o.symbolName(sym)
			w[name] = [2]string{object,
				fmt.Sprintf(".klp.sym.%s.%s,%d", object, name, o.ByteOrder.Uint32(data[at+size-4:]))}
		}
	}
	for _, y := range o.symbols {
		label, ok := strings.CutPrefix(strings.Trim(y.Name, `"`), ".klp.sym.rela.")
		if !ok || y.Section != elf.SHN_UNDEF {
			continue
		}
		part := strings.SplitN(strings.ReplaceAll(label, ",", "."), ".", 3)
		dot := strings.LastIndexByte(part[2], '.')
		gate, object := strings.ReplaceAll(part[0], "-", "_"), strings.ReplaceAll(part[1], "-", "_")
		if object == "vmlinux" {
			gate = "vmlinux"
		}
		w[y.Name] = [2]string{gate, fmt.Sprintf(".klp.sym.%s.%s,%s", object, part[2][:dot],
			part[2][dot+1:])}
	}
	return w
}

// v7Records tells the two layouts of ELF32 apart by what testdata's names of
// the arrays' sizes say: all of v7's are multiples of 12.
func v7Records(o oracle, section int) bool {
	for _, y := range o.symbols {
		if int(y.Section) == section && elf.ST_TYPE(y.Info) == elf.STT_OBJECT && y.Size%12 != 0 {
			return false
		}
	}
	return !slices.ContainsFunc(o.symbols, func(y elf.Symbol) bool {
		return y.Name == "many_more" && y.Size == 48
	})
}

// oracleOf returns what a converted module asks, to compare two.
func oracleOf(t *testing.T, b []byte) []ask { return newOracle(t, b).asks(t) }

func TestRelocationsAreTheSameForTheKernel(t *testing.T) {
	eachGood(t, func(t *testing.T, name string) {
		before, after := newOracle(t, contents(t, name)), newOracle(t, convert(t, contents(t, name)))
		wants := before.wants(t)
		var ordinary, klp []ask
		for _, a := range before.asks(t) {
			if w, ok := wants[a.symbol]; ok {
				a.object, a.symbol = w[0], w[1]
				klp = append(klp, a)
				continue
			}
			ordinary = append(ordinary, a)
		}
		var gotOrdinary, gotKlp []ask
		for _, a := range after.asks(t) {
			if a.object != "" {
				gotKlp = append(gotKlp, a)
				continue
			}
			gotOrdinary = append(gotOrdinary, a)
		}
		assert.Equal(t, ordinary, gotOrdinary, "in their order")
		for _, object := range []string{"vmlinux", "ext4"} { // per section and object in their order
			for i := range before.Sections {
				of := func(all []ask) (r []ask) {
					for _, a := range all {
						if a.section == i && a.object == object {
							r = append(r, a)
						}
					}
					return r
				}
				assert.Equal(t, of(klp), of(gotKlp))
			}
		}
		assert.ElementsMatch(t, klp, gotKlp)
		if len(wants) > 0 && !strings.Contains(name, "unused") {
			assert.NotEmpty(t, klp, "a test that compares nothing")
		}
	})
}

func TestNoAnnotationIsLeft(t *testing.T) {
	eachGood(t, func(t *testing.T, name string) {
		before, after := newOracle(t, contents(t, name)), newOracle(t, convert(t, contents(t, name)))
		wants := before.wants(t)
		for _, s := range after.Sections {
			assert.NotContains(t, s.Name, "klp.module_relocs")
		}
		for _, y := range after.symbols {
			assert.NotContains(t, y.Name, ".klp.sym.rela.")
			assert.NotContains(t, wants, y.Name, "annotated symbol left")
			if y.Section == 0xff20 {
				assert.Len(t, loadermodel.Scan(y.Name, loadermodel.SymbolFormat), 3, y.Name)
				assert.Zero(t, y.Value)
			}
		}
	})
}

func TestHeadersOfKlpSections(t *testing.T) {
	eachGood(t, func(t *testing.T, name string) {
		o := newOracle(t, convert(t, contents(t, name)))
		entry, align := uint64(24), uint64(8)
		if o.Class == elf.ELFCLASS32 {
			entry, align = 12, 4
		}
		names := map[string]bool{}
		for _, s := range o.Sections {
			if !strings.HasPrefix(s.Name, ".klp.rela.") {
				assert.Zero(t, s.Flags&0x00100000, s.Name)
				continue
			}
			assert.Equal(t, elf.SHT_RELA, s.Type, s.Name)
			assert.Equal(t, elf.SectionFlag(0x100042), s.Flags, s.Name)
			assert.Equal(t, elf.SHT_SYMTAB, o.Sections[s.Link].Type, s.Name)
			assert.NotZero(t, o.Sections[s.Info].Flags&elf.SHF_ALLOC, s.Name)
			assert.True(t, strings.HasPrefix(strings.SplitN(s.Name, ".", 5)[4],
				strings.TrimPrefix(o.Sections[s.Info].Name, "")), s.Name)
			assert.Equal(t, []uint64{entry, align, 0}, []uint64{s.Entsize, s.Addralign, s.Addr}, s.Name)
			assert.NotZero(t, s.Size, s.Name)
			assert.False(t, names[s.Name], "second section %s", s.Name)
			names[s.Name] = true
		}
	})
}

func TestContentsStay(t *testing.T) {
	eachGood(t, func(t *testing.T, name string) {
		before, after := newOracle(t, contents(t, name)), newOracle(t, convert(t, contents(t, name)))
		var was, is []string
		list := func(o oracle) (r []string) {
			for _, s := range o.Sections {
				switch s.Type {
				case elf.SHT_PROGBITS, elf.SHT_NOTE, elf.SHT_NOBITS:
					if !isRecords(s.Name) {
						b := []byte(nil)
						if s.Type != elf.SHT_NOBITS {
							b, _ = s.Data()
						}
						r = append(r, fmt.Sprintf("%s %v %v %d %x", s.Name, s.Type, s.Flags, s.Size, b))
					}
				}
			}
			return r
		}
		was, is = list(before), list(after)
		assert.Equal(t, was, is)
	})
}

func TestConvertingAgainChangesNothing(t *testing.T) {
	eachGood(t, func(t *testing.T, name string) {
		once := convert(t, contents(t, name))
		plan, found := klpreloc.NewPlan(parse(t, once), klpreloc.Options{})
		require.NotNil(t, plan, "%v", found)
		assert.True(t, plan.Empty())
		assert.Equal(t, once, convert(t, once))
		assert.Equal(t, once, convert(t, contents(t, name)), "the same input gives the same bytes")
	})
}
