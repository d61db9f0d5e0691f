// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What Check finds in tables, most of it before a byte of code is wrong.
func TestTables(t *testing.T) {
	stride := Linux419.Alternative
	for _, c := range []struct {
		name   string
		module string
		change func(t *testing.T, h *file)
		want   string
	}{
		{
			"entry lost", "two-objects", func(t *testing.T, h *file) {
				s, r := h.section(t, ".altinstructions"), h.section(t, ".rela.altinstructions")
				s.data, r.data = s.data[:len(s.data)-stride], r.data[:len(r.data)-48]
			}, ".text+0x7a (livepatch_ext4_sync_fs+0xa): memory has 90 90 90",
		},
		{
			"entry that changes nothing lost", "two-objects", func(t *testing.T, h *file) {
				// feature 0x171, as missing as 0x71
				h.section(t, ".klp.arch.ext4..altinstructions").data[2*stride-3] = 3
			}, ".klp.arch.ext4..altinstructions: entry for .text+0x2d (livepatch_ext4_statfs+0xd) is one too many",
		},
		{
			"entry lost that changes nothing here", "alt-vmlinux", func(t *testing.T, h *file) {
				s, r := h.section(t, ".klp.arch.vmlinux..altinstructions"), h.section(t,
					".rela.klp.arch.vmlinux..altinstructions")
				s.data = append(s.data[:stride:stride], s.data[2*stride:]...)
				r.data = append(r.data[:48:48], r.data[96:]...)
				r.data[48] -= byte(stride)
				r.data[72] -= byte(stride)
			}, ".altinstructions: entry for .text+0x1a (livepatch_stat_show+0x1a) is lost",
		},
		{
			"entry doubled", "two-objects", func(t *testing.T, h *file) {
				s, r := h.section(t, ".klp.arch.ext4..altinstructions"), h.section(t,
					".rela.klp.arch.ext4..altinstructions")
				again := append([]byte(nil), r.data[:48]...)
				again[0], again[24] = byte(len(s.data)), byte(len(s.data)+4)
				s.data, r.data = append(s.data, s.data[:stride]...), append(r.data, again...)
			}, ".klp.arch.ext4..altinstructions: entry for .text+0x25 (livepatch_ext4_statfs+0x5) is one too many",
		},
		{
			"entries exchanged", "two-objects", func(t *testing.T, h *file) {
				s, r := h.section(t, ".altinstructions"), h.section(t, ".rela.altinstructions")
				a, b := s.data[:stride], s.data[stride:2*stride]
				for i := range a {
					a[i], b[i] = b[i], a[i]
				}
				for i := 0; i < 96; i += 24 {
					if i < 48 {
						r.data[i] += byte(stride)
					} else {
						r.data[i] -= byte(stride)
					}
				}
			}, ".altinstructions: entry for .text+0x5 (livepatch_stat_show+0x5) is not in its old order",
		},
		{
			"table cut", "alt-vmlinux", func(t *testing.T, h *file) {
				s := h.section(t, ".klp.arch.vmlinux..altinstructions")
				s.data = s.data[:len(s.data)-1]
			}, "oops: .klp.arch.vmlinux..altinstructions: size 38 is not a multiple of the entry size 13",
		},
		{
			"appended to the entry that is cut short", "para-last", func(t *testing.T, h *file) {
				s, r := h.section(t, ".klp.arch.vmlinux..parainstructions"), h.section(t,
					".rela.klp.arch.vmlinux..parainstructions")
				require.Len(t, s.data, 12)
				again := append([]byte(nil), r.data...)
				again[0] = 12
				s.data, r.data = append(s.data, s.data...), append(r.data, again...)
			}, "oops: .klp.arch.vmlinux..parainstructions: the last entry has 8 bytes",
		},
		{
			"table of an object that does not exist", "alt-vmlinux", func(t *testing.T, h *file) {
				h.section(t, ".klp.arch.vmlinux..altinstructions").Name = ".klp.arch.ext4..altinstructions"
			}, ".text+0x8 (livepatch_stat_show+0x8): memory has 0f 1f",
		},
		{
			"table with one dot", "alt-vmlinux", func(t *testing.T, h *file) {
				h.section(t, ".klp.arch.vmlinux..altinstructions").Name = ".klp.arch.vmlinux.altinstructions"
			}, ".text+0x8 (livepatch_stat_show+0x8): memory has 0f 1f",
		},
		{
			"table not SHF_ALLOC", "alt-vmlinux", func(t *testing.T, h *file) {
				h.section(t, ".klp.arch.vmlinux..altinstructions").Flags &^= elf.SHF_ALLOC
			}, "oops: BUG: unable to handle page fault: .klp.arch.vmlinux..altinstructions was freed",
		},
		{
			"table without relocations", "alt-vmlinux", func(t *testing.T, h *file) {
				h.section(t, ".rela.klp.arch.vmlinux..altinstructions").data = nil
			}, ".text+0x8 (livepatch_stat_show+0x8): memory has 0f 1f 04 00",
		},
		{
			"relocation lost", "two-objects", func(t *testing.T, h *file) {
				r := h.section(t, ".klp.rela.ext4..text")
				r.data = r.data[:len(r.data)-24]
			}, "[vmlinux ext4], modules loaded before, bare machine: .text+0x80 " +
				"(livepatch_ext4_sync_fs+0x10): memory has 00 00 00 00",
		},
		{
			"section lost", "two-objects", func(t *testing.T, h *file) {
				h.section(t, ".data").Flags &^= elf.SHF_ALLOC
			}, ".data: not there",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := find(t, c.module)
			before := fixture(t, "4.19", c.module)
			h := take(t, before).klp(gateOf(f)).archAll(c.module, Linux419)
			require.NoError(t, CheckAll(before, h.bytes(), f.Scenario(Linux419)))
			c.change(t, h)
			assert.ErrorContains(t, CheckAll(before, h.bytes(), f.Scenario(Linux419)), c.want)
		})
	}
}

// Two .klp.arch sections of one object and kind: the kernel takes the last.
func TestLastTableWins(t *testing.T) {
	f := find(t, "alt-vmlinux")
	before := fixture(t, "4.19", f.Name)
	h := take(t, before).klp(owners)
	h.arch(".altinstructions", 13, map[int]string{1: "vmlinux"})
	h.arch(".altinstructions", 13, map[int]string{4: "vmlinux", 6: "vmlinux"})
	assert.ErrorContains(t, Check(before, h.bytes(), f.Scenario(Linux419)),
		".text+0x8 (livepatch_stat_show+0x8): memory has 0f 1f 04 00")
}

// A vmlinux symbol in a module's function may go with either object; nothing else is
// left open.
func TestVmlinuxSymbolInModuleFunction(t *testing.T) {
	f := find(t, "two-objects")
	before := fixture(t, "4.19", f.Name)
	gate := func(object string) func(string, uint64, string) string {
		return func(target string, off uint64, symbol string) string {
			if symbol == "nr_processes" && target == ".text" && off == 0x2e {
				return object
			}
			return owners(target, off, symbol)
		}
	}
	for _, object := range []string{"vmlinux", "ext4"} {
		h := take(t, before).klp(gate(object)).archAll(f.Name, Linux419)
		assert.NoError(t, CheckAll(before, h.bytes(), f.Scenario(Linux419)), object)
	}
	wrong := func(target string, off uint64, symbol string) string {
		if symbol == "nr_processes" && target == ".text" && off == 0x56 {
			return "ext4" // in vmlinux's function
		}
		return owners(target, off, symbol)
	}
	h := take(t, before).klp(wrong).archAll(f.Name, Linux419)
	assert.Error(t, CheckAll(before, h.bytes(), f.Scenario(Linux419)))
}

func TestKlpNames(t *testing.T) {
	long := func(n int) string { return string(make([]byte, n)) }
	for name, want := range map[string]bool{
		".klp.sym.vmlinux.foo,0":                    true,
		".klp.sym.vmlinux.foo.isra.0,12":            true,
		".klp.sym.vmlinux.foo,1x":                   true, // the rest is not looked at
		".klp.sym.vmlinux.foo":                      false,
		".klp.sym.vmlinux.foo,":                     false,
		".klp.sym.vmlinux.foo,x":                    false,
		".klp.sym.vmlinux.,0":                       false,
		".klp.sym..foo,0":                           false,
		".klp.sym.vmlinux":                          false,
		".klp.rela.vmlinux.foo,0":                   false,
		".klp.sym." + long(55) + ".foo,0":           true,
		".klp.sym." + long(56) + ".foo,0":           false,
		".klp.sym.vmlinux." + long(127) + ",0":      true,
		".klp.sym.vmlinux." + long(128) + ",0":      false,
		".klp.sym.vmlinux.foo,99999999999999999999": false,
	} {
		_, _, _, err := Linux54.klpSymbol(name)
		assert.Equal(t, want, err == nil, "%q", name)
	}
	_, _, _, err := Linux61.klpSymbol(".klp.sym.vmlinux." + long(511) + ",0")
	assert.NoError(t, err)
	_, _, _, err = Linux61.klpSymbol(".klp.sym.vmlinux." + long(512) + ",0")
	assert.Error(t, err)
	object, name, pos, err := Linux54.klpSymbol(".klp.sym.vmlinux.ko.foo,12")
	require.NoError(t, err)
	assert.Equal(t, []any{"vmlinux", "ko.foo", uint64(12)}, []any{object, name, pos})

	for name, want := range map[string]string{
		".klp.rela.ext4..text":           "ext4",
		".klp.rela.ext4.text":            "ext4",
		".klp.rela.ext4":                 "ext4",
		".klp.rela." + long(60) + ".x":   long(55), // cut, and so not the name of an object
		".klp.rela.vmlinux.__jump_table": "vmlinux",
	} {
		object, err := sectionObject(name)
		require.NoError(t, err)
		assert.Equal(t, want, object, name)
	}
	_, err = sectionObject(".klp.rela..text")
	assert.EqualError(t, err, "section .klp.rela..text has an incorrectly formatted name (-22)")

	object, section, ok := archSection(".klp.arch.vmlinux..altinstructions")
	assert.Equal(t, []any{"vmlinux", ".altinstructions", true}, []any{object, section, ok})
	for _, name := range []string{".klp.arch.vmlinux", ".klp.arch.vmlinux.", ".klp.arch...x",
		".altinstructions"} {
		_, _, ok = archSection(name)
		assert.False(t, ok, name)
	}
}

func TestPositions(t *testing.T) {
	m := &Machine{image: &image{}, s: Scenario{Kernel: FixtureKernel(),
		Patched: []string{"vmlinux", "ext4"}}, present: map[string]bool{}}
	addr, err := m.find("vmlinux", "name_show", 2)
	require.NoError(t, err)
	assert.Equal(t, uint64(0xffffffff81002000), addr)
	_, err = m.find("vmlinux", "name_show", 4)
	assert.EqualError(t, err,
		"symbol position 4 for symbol 'name_show' in object 'vmlinux' not found (-22)")
	_, err = m.find("ext4", "ext4_helper", 0)
	assert.EqualError(t, err, "symbol 'ext4_helper' not found in symbol table (-22)", "ext4 is absent")
	_, err = m.find("jbd2", "jbd2_helper", 0)
	assert.NoError(t, err, "jbd2 is not patched: it is there")
	_, err = m.find("xfs", "xfs_helper", 0)
	assert.Error(t, err)
}

func TestRelocations(t *testing.T) {
	for _, c := range []struct {
		typ   elf.R_X86_64
		value uint64
		old   byte
		s     Scheme
		want  string
	}{
		{typ: elf.R_X86_64_NONE, old: 1, s: Linux419},
		{typ: elf.R_X86_64_64, value: 1 << 63, s: Linux419},
		{typ: elf.R_X86_64_32, value: 0xfffffffe, s: Linux419},
		{typ: elf.R_X86_64_32, value: 0xffffffff, s: Linux419,
			want: "overflow in relocation type 10 val 100000000; `' likely not compiled with -mcmodel=kernel (-8)"},
		{typ: elf.R_X86_64_32S, value: 0xffffffff80000000, s: Linux419},
		{typ: elf.R_X86_64_32S, value: 0xffffffff00000000, s: Linux419,
			want: "overflow in relocation type 11"},
		{typ: elf.R_X86_64_PC32, value: 0, s: Linux419},
		{typ: elf.R_X86_64_PC32, value: 0, old: 1, s: Linux419,
			want: "Skipping invalid relocation target, existing value is nonzero for type 2, loc " +
				"0xffffffffc0000000, val 40000001 (-8)"},
		{typ: elf.R_X86_64_PC32, value: 0, old: 1, s: Linux612,
			want: "Invalid relocation target, existing value is nonzero for type 2"},
		{typ: elf.R_X86_64_PC64, s: Linux54},
		{typ: elf.R_X86_64_PC64, s: Linux419, want: ": Unknown rela relocation: 24 (-8)"},
		{typ: elf.R_X86_64_GOTPCREL, s: Linux61, want: ": Unknown rela relocation: 9 (-8)"},
	} {
		m := &Machine{image: &image{}, s: Scenario{Scheme: c.s}}
		target := &section{name: ".text", addr: codeBase, data: []byte{c.old, 0, 0, 0, 0, 0, 0, 0}}
		if err := m.relocate(target, rela{typ: c.typ, addend: 1}, "x", c.value); c.want == "" {
			assert.NoError(t, err, c.typ)
		} else {
			assert.ErrorContains(t, err, c.want)
		}
	}
	m := &Machine{image: &image{}, s: Scenario{Scheme: Linux61}}
	assert.ErrorContains(t, m.relocate(&section{name: ".text", data: make([]byte, 4)},
		rela{typ: elf.R_X86_64_64}, "x", 0), "oops: relocation at .text+0x0, which has 0x4 bytes")
}

func TestFeatures(t *testing.T) {
	const always, missing, not = 3*32 + 21, 3*32 + 17, 0x8000
	for _, c := range []struct {
		name   string
		scheme Scheme
		a      alternative
		want   []byte
	}{
		{"there", Linux419, alternative{feature: always, length: 1}, []byte{0xf4, 0x0f, 0x1f, 0x00}},
		{"there, one-byte padding", Linux61, alternative{feature: always, length: 1},
			[]byte{0xf4, 0x90, 0x90, 0x90}},
		{"missing", Linux419, alternative{feature: missing, length: 1}, []byte{0x90, 0x90, 0x90, 0x90}},
		{"missing, padding", Linux419, alternative{feature: missing, length: 1, pad: 4},
			[]byte{0x0f, 0x1f, 0x40, 0x00}},
		{"not there", Linux61, alternative{feature: missing | not, length: 4},
			[]byte{0xf4, 0xf4, 0xf4, 0xf4}},
		{"not missing", Linux61, alternative{feature: always | not, length: 4},
			[]byte{0x90, 0x90, 0x90, 0x90}},
		{"no such bit yet", Linux419, alternative{feature: missing | not, length: 4},
			[]byte{0x90, 0x90, 0x90, 0x90}},
		{"nothing instead", Linux419, alternative{feature: always}, []byte{0x0f, 0x1f, 0x40, 0x00}},
	} {
		text := &section{name: ".text", flags: elf.SHF_ALLOC, addr: codeBase,
			data: []byte{0x90, 0x90, 0x90, 0x90, 0xf4, 0xf4, 0xf4, 0xf4}}
		m := &Machine{image: &image{sections: []*section{text}},
			s: Scenario{Scheme: c.scheme, Kernel: FixtureKernel()}}
		c.a.site, c.a.replacement, c.a.size = codeBase, codeBase+4, 4
		require.NoError(t, m.applyAlternative(text, c.a))
		assert.Equal(t, c.want, text.data[:4], c.name)
	}
}

// recompute_jump: forwards and near is short, backwards is long.
func TestJumps(t *testing.T) {
	for _, c := range []struct {
		distance int32 // from the site to the jump's target
		want     []byte
	}{
		{2, []byte{0xeb, 0, 0x0f, 0x1f, 0x00}},
		{129, []byte{0xeb, 127, 0x0f, 0x1f, 0x00}},
		{130, []byte{0xe9, 125, 0, 0, 0}},
		{-3, []byte{0xe9, 0xf8, 0xff, 0xff, 0xff}},
	} {
		text := &section{name: ".text", flags: elf.SHF_ALLOC, addr: codeBase, data: make([]byte, 10)}
		text.data[5] = 0xe9
		displacement := uint32(c.distance - 10)
		binary.LittleEndian.PutUint32(text.data[6:], displacement)
		m := &Machine{image: &image{sections: []*section{text}},
			s: Scenario{Scheme: Linux419, Kernel: FixtureKernel()}}
		require.NoError(t, m.applyAlternative(text, alternative{site: codeBase, replacement: codeBase + 5,
			feature: 3*32 + 21, size: 5, length: 5}))
		assert.Equal(t, c.want, text.data[:5], c.distance)
	}
}
