// SPDX-License-Identifier: GPL-2.0-or-later

package inlining_test

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/scripts/need"
	"github.com/klp-convert/klp-convert/sympos/debuginfo"
	"github.com/klp-convert/klp-convert/sympos/inlining"
)

const fixtures = "../../testdata/inlining/"

// open returns a file as package debuginfo reads it, and its functions' symbols.
func open(t testing.TB, b []byte) (*debuginfo.File, map[string][]uint64) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(b))
	require.NoError(t, err)
	d := &debuginfo.File{
		Contents: bytes.NewReader(b), Size: int64(len(b)), Order: f.ByteOrder,
		Is64: f.Class == elf.ELFCLASS64, Machine: f.Machine, Relocatable: f.Type == elf.ET_REL,
	}
	for _, s := range f.Sections {
		d.Sections = append(d.Sections, debuginfo.Section{Name: s.Name, Type: s.Type, Flags: s.Flags,
			Offset: s.Offset, Size: s.FileSize, Info: s.Info})
		if s.Type == elf.SHT_SYMTAB {
			d.Symtab, err = s.Data()
			require.NoError(t, err)
		}
	}
	symbols, err := f.Symbols()
	require.NoError(t, err)
	all := map[string][]uint64{}
	for _, y := range symbols {
		if elf.ST_TYPE(y.Info) == elf.STT_FUNC && y.Section != elf.SHN_UNDEF {
			address, ok := d.Place(int(y.Section), y.Value)
			require.True(t, ok)
			all[y.Name] = append(all[y.Name], address)
		}
	}
	return d, all
}

// site is a copy as both readers see it.
func site(function, caller string, line uint64, via []string) string {
	return fmt.Sprintf("%s into %s via %v, line %d", function, caller, via, line)
}

// copiesOf returns what Find says of functions.
func copiesOf(t testing.TB, d *debuginfo.File, queries ...inlining.Query) (all []string) {
	t.Helper()
	r, err := inlining.Find(d, queries)
	require.NoError(t, err)
	assert.Empty(t, r.Doubt)
	for _, f := range r.Functions {
		for _, c := range f.Copies {
			all = append(all, site(f.Name, c.Caller, c.Line, c.Via))
		}
	}
	slices.Sort(all)
	return all
}

// oracle returns all copies of a file, by the standard library's reader.
func oracle(t *testing.T, b []byte) (names, all []string) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(b))
	require.NoError(t, err)
	data, err := f.DWARF()
	require.NoError(t, err)
	nameOf := func(off dwarf.Offset) string {
		for range 8 {
			r := data.Reader()
			r.Seek(off)
			e, err := r.Next()
			require.NoError(t, err)
			if name, ok := e.Val(dwarf.AttrName).(string); ok {
				return name
			}
			next, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
			if !ok {
				next, ok = e.Val(dwarf.AttrSpecification).(dwarf.Offset)
			}
			require.True(t, ok, "%#x", off)
			off = next
		}
		return ""
	}
	type level struct {
		name    string
		inlined bool
	}
	var stack []level
	r := data.Reader()
	for {
		e, err := r.Next()
		require.NoError(t, err)
		if e == nil {
			break
		}
		l := level{}
		switch e.Tag {
		case 0:
			stack = stack[:len(stack)-1]
			continue
		case dwarf.TagSubprogram:
			l.name = nameOf(e.Offset)
			names = append(names, l.name)
		case dwarf.TagInlinedSubroutine:
			l = level{nameOf(e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)), true}
			caller, via := "", []string(nil)
			for i := len(stack) - 1; i >= 0; i-- {
				if stack[i].inlined {
					via = slices.Insert(via, 0, stack[i].name)
				} else if stack[i].name != "" {
					caller = stack[i].name
					break
				}
			}
			line, _ := e.Val(dwarf.AttrCallLine).(int64)
			all = append(all, site(l.name, caller, uint64(line), via))
		}
		if e.Children {
			stack = append(stack, l)
		}
	}
	slices.Sort(all)
	slices.Sort(names)
	return slices.Compact(names), all
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(fixtures + name)
	require.NoError(t, err)
	return b
}

// All copies of all functions are those that the standard library's reader finds.
func TestCopiesAgainstTheStandardReader(t *testing.T) {
	for _, name := range []string{"x86_64-dwarf4.ko", "x86_64-dwarf5.ko", "x86_64-clang.ko",
		"x86_64-vmlinux", "x86_64-vmlinux-dwz", "s390x-dwarf4.ko", "s390x-dwarf5.ko",
		"loongarch64-relax.ko"} {
		b := fixture(t, name)
		names, want := oracle(t, b)
		require.Greater(t, len(want), 8, name)
		d, symbols := open(t, b)
		var queries []inlining.Query
		for _, n := range names {
			queries = append(queries, inlining.Query{Name: n, Addresses: symbols[n]})
		}
		assert.Equal(t, want, copiesOf(t, d, queries...), name)
	}
}

// Of one function only the unit that defines it is walked: the other one may be damaged.
func TestOnlyTheUnitOfTheFunctionIsDecoded(t *testing.T) {
	b := bytes.Clone(fixture(t, "x86_64-dwarf5.ko"))
	d, symbols := open(t, b)
	query := inlining.Query{Name: "spin", Addresses: symbols["spin"][:1]}
	want := copiesOf(t, d, query)
	require.Len(t, want, 2)
	i := slices.IndexFunc(d.Sections, func(s debuginfo.Section) bool {
		return s.Name == ".debug_info"
	})
	info := b[d.Sections[i].Offset:][:d.Sections[i].Size]
	second := 4 + int(binary.LittleEndian.Uint32(info))
	for n := second + 200; n < len(info); n++ {
		info[n] = 0xee // no abbreviation
	}
	assert.Equal(t, want, copiesOf(t, d, query))
	_, err := inlining.Find(d, []inlining.Query{{Name: "in_range"}})
	assert.ErrorContains(t, err, "no abbreviation", "a function of a header is searched everywhere")
}

// With link-time optimisation units refer to entries of others.
func TestCopiesAcrossUnits(t *testing.T) {
	need.Tools(t, "gcc", "ld")
	dir := t.TempDir()
	src, err := filepath.Abs("../../testdata/src/inlining")
	require.NoError(t, err)
	build := func(args ...string) {
		cmd := exec.Command("gcc", append([]string{"-O2", "-g", "-flto=1", "-ffreestanding", "-fno-pic",
			"-fcf-protection=none", "-fno-builtin"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	for _, f := range []string{"disk", "tape"} {
		build("-c", "-o", f+".o", filepath.Join(src, f+".c"))
	}
	build("-nostdlib", "-r", "-flinker-output=nolto-rel", "-flto-partition=1to1", "-o", "lto.ko",
		"disk.o", "tape.o")
	b, err := os.ReadFile(filepath.Join(dir, "lto.ko"))
	require.NoError(t, err)
	_, all := oracle(t, b)
	d, symbols := open(t, b)
	for _, query := range []inlining.Query{{Name: "spin", Addresses: symbols["spin"]},
		{Name: "start"}, {Name: "in_range"}} {
		var want []string
		for _, s := range all {
			if strings.HasPrefix(s, query.Name+" ") {
				want = append(want, s)
			}
		}
		require.NotEmpty(t, want, query.Name)
		assert.Equal(t, want, copiesOf(t, d, query), query.Name)
	}
}

// Each byte of the debug information is damaged in turn: nothing panics, and an error is one line.
func TestDamagedDebugInformation(t *testing.T) {
	for _, name := range []string{"x86_64-dwarf4.ko", "x86_64-dwarf5.ko", "s390x-dwarf5.ko"} {
		b := fixture(t, name)
		d, symbols := open(t, b)
		queries := []inlining.Query{{Name: "spin", Addresses: symbols["spin"]}, {Name: "in_range"}}
		failed := 0
		for _, s := range d.Sections {
			if !strings.HasPrefix(s.Name, ".debug_") {
				continue
			}
			const step = 7
			for at := s.Offset; at < s.Offset+s.Size; at += step {
				old := b[at]
				for _, x := range []byte{0, 0xff, old ^ 0x10} {
					b[at] = x
					if _, err := inlining.Find(d, queries); err != nil {
						failed++
						assert.NotContains(t, err.Error(), "\n")
					}
				}
				b[at] = old
			}
		}
		assert.Greater(t, failed, 50, name)
	}
}

// Entries that refer one to another in a circle have no name.
func TestCircleOfOrigins(t *testing.T) {
	var abbrevs, info bytes.Buffer
	abbrevs.WriteString("\x01\x11\x01\x11\x01\x12\x07\x00\x00") // unit: low_pc, high_pc
	abbrevs.WriteString("\x02\x2e\x01\x31\x13\x11\x01\x00\x00") // subprogram: abstract_origin, low_pc
	abbrevs.WriteString("\x03\x1d\x00\x31\x13\x11\x01\x00\x00\x00")
	order := binary.LittleEndian
	body := []byte{4, 0, 0, 0, 0, 0, 8}
	body = append(body, 1)
	body = order.AppendUint64(body, 0x1000)
	body = order.AppendUint64(body, 0x1000)
	first := uint32(4 + len(body))
	for range 2 {
		body = append(body, 2)
		body = order.AppendUint32(body, first)
		body = order.AppendUint64(body, 0x1100)
		body = append(body, 3)
		body = order.AppendUint32(body, first)
		body = order.AppendUint64(body, 0x1100)
		body = append(body, 0)
	}
	body = append(body, 0)
	info.Write(order.AppendUint32(nil, uint32(len(body))))
	info.Write(body)
	d := &debuginfo.File{Order: order, Is64: true, Sections: make([]debuginfo.Section, 1)}
	var contents []byte
	for _, s := range []struct {
		name string
		b    []byte
	}{{"info", info.Bytes()}, {"abbrev", abbrevs.Bytes()}} {
		d.Sections = append(d.Sections, debuginfo.Section{Name: ".debug_" + s.name,
			Offset: uint64(len(contents)), Size: uint64(len(s.b))})
		contents = append(contents, s.b...)
	}
	d.Contents, d.Size = bytes.NewReader(contents), int64(len(contents))
	r, err := inlining.Find(d, []inlining.Query{{Name: "f", Addresses: []uint64{0x1100}}, {Name: "g"}})
	require.NoError(t, err)
	assert.Empty(t, r.Functions)
}
