// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func find(t *testing.T, name string) Fixture {
	for _, f := range Fixtures {
		if f.Name == name {
			return f
		}
	}
	require.Fail(t, "no fixture", name)
	return Fixture{}
}

// gateOf sends symbols to their owners where the patch has them, else to the object
// that it has: an old kernel's way.
func gateOf(f Fixture) func(string, uint64, string) string {
	if len(f.Patched) == 1 {
		return to(f.Patched[0])
	}
	return owners
}

// With .klp.arch old kernels get the intended bytes, whenever the module is loaded.
func TestOldSchemeWithArch(t *testing.T) {
	for _, scheme := range []Scheme{Linux419, Linux54} {
		for _, f := range Fixtures {
			if f.Name == "alt-both" || f.Name == "alt-two-modules" || f.Name == "jump-label" {
				continue
			}
			t.Run(scheme.Release+"/"+f.Name, func(t *testing.T) {
				before := fixture(t, "4.19", f.Name)
				after := take(t, before).klp(gateOf(f)).archAll(f.Name, scheme).bytes()
				assert.NoError(t, CheckAll(before, after, f.Scenario(scheme)))
			})
		}
	}
}

// Without it they get something else, or refuse the module.
func TestOldSchemeWithoutArch(t *testing.T) {
	const nonzero = "existing value is nonzero"
	want := map[string]string{
		"alt-indirect": ".text+0x13 (livepatch_stat_show+0x13): ",
		"alt-module":   ".text+0x9 (livepatch_ext4_statfs+0x9): ",
		// seven bytes of NOP end in four zeros
		"alt-para":        ".text+0xf (livepatch_stat_show+0xf): ",
		"alt-site":        nonzero,
		"alt-site-module": nonzero,
		"alt-vmlinux":     ".text+0x9 (livepatch_stat_show+0x9): ",
		"para":            nonzero,
		"para-last":       ".text+0x16 (livepatch_stat_show+0x16): ",
		"two-objects":     nonzero,
	}
	for name := range touched {
		t.Run(name, func(t *testing.T) {
			f := find(t, name)
			before := fixture(t, "4.19", name)
			after := take(t, before).klp(gateOf(f)).bytes()
			assert.ErrorContains(t, Check(before, after, f.Scenario(Linux419)), want[name])
		})
	}
}

// From 5.8 on everything of vmlinux is right in place.
func TestNewScheme(t *testing.T) {
	for _, name := range []string{"alt-indirect", "alt-para", "alt-site", "alt-vmlinux", "jump-label",
		"para", "para-beside", "para-last", "plain"} {
		t.Run(name, func(t *testing.T) {
			f := find(t, name)
			before := fixture(t, "6.1", name)
			h := take(t, before)
			if name == "plain" {
				// a vmlinux symbol in ext4's function goes to vmlinux, too
				assert.ErrorContains(t, Check(before, take(t, before).klp(to("ext4")).
					bytes(), f.Scenario(Linux61)), "invalid access to vmlinux symbol 'nr_processes'")
			}
			assert.NoError(t, CheckAll(before, h.klp(owners).bytes(), f.Scenario(Linux61)))
		})
	}
}

// A module's symbol in an alternative or in a paravirt site is not.
func TestNewSchemeModuleSymbols(t *testing.T) {
	for name, want := range map[string]string{
		"alt-module":      "memory has",
		"alt-site-module": "existing value is nonzero",
		"two-objects":     "existing value is nonzero",
		"alt-both":        "memory has",
	} {
		t.Run(name, func(t *testing.T) {
			f := find(t, name)
			before := fixture(t, "6.1", name)
			assert.ErrorContains(t, Check(before, take(t, before).klp(owners).bytes(), f.Scenario(Linux61)),
				want)
		})
	}
}

// The bytes of one function, worked out by hand: the model's two halves could be
// wrong together.
func TestBytes(t *testing.T) {
	const nr, fentry, schedule = 0xffffffff81123450, 0xffffffff81000100, 0xffffffff81000600
	const text, aux = 0xffffffffc0000000, 0xffffffffc0000000 + 3*slot
	var want []byte
	put := func(b ...byte) { want = append(want, b...) }
	rel := func(op byte, target uint64) {
		put(op)
		want = binary.LittleEndian.AppendUint32(want, uint32(target-text-uint64(len(want))-4))
	}
	rel(0xe8, fentry)
	put(0x0f, 0x01, 0xcb) // stac
	rel(0xe8, nr)         // for nopl
	rel(0xe8, nr)
	put(0x0f, 0x01, 0xca)             // clac
	put(0x0f, 0x1f, 0x44, 0x00, 0x00) // static_cpu_has: the feature is there
	put(0x0f, 0x1f, 0x04, 0x00, 0x90) // nopl: the feature is missing
	rel(0xe8, schedule)               //
	// lfence, and padding that is looked for in the wrong place
	put(0x0f, 0xae, 0xe8, 0x90, 0x90, 0x90)
	rel(0xe9, nr)         // for nopl
	put(0x0f, 0xae, 0xe8) // lfence
	put(0xc3)             // ret
	f := find(t, "alt-vmlinux")
	m, err := Intended(fixture(t, "4.19", f.Name), f.Scenario(Linux419))
	require.NoError(t, err)
	addr, b := m.Section(".text")
	assert.Equal(t, uint64(text), addr)
	assert.Equal(t, want, b)
	addr, _ = m.Section(".altinstr_aux")
	assert.Equal(t, uint64(aux), addr)

	// The replacement that was not resolved, as it is without .klp.arch: a call to
	// what follows it, so to another alternative's code.
	after := take(t, fixture(t, "4.19", f.Name)).klp(owners).bytes()
	broken, err := Load(after, f.Scenario(Linux419))
	require.NoError(t, err)
	_, b = broken.Section(".text")
	addr, _ = broken.Section(".altinstr_replacement")
	assert.EqualValues(t, 0xe8, b[8])
	assert.Equal(t, addr+8, callAt(broken, 8))
}

// An alternative over a paravirt site: who is last wins.
func TestOrderOfTables(t *testing.T) {
	before := fixture(t, "6.1", "alt-para")
	f := find(t, "alt-para")
	for first, want := range map[bool][]byte{
		true:  {0xb8, 0x7f, 0x7f, 0x7f, 0x7f, 0x90, 0x90},
		false: {0xfa, 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
	} {
		s := f.Scenario(Linux61)
		s.Scheme.ParavirtFirst = first
		m, err := Intended(before, s, "vmlinux")
		require.NoError(t, err)
		_, b := m.Section(".text")
		assert.Equal(t, want, b[5:12])
	}
	assert.True(t, Linux61.ParavirtFirst)
	assert.False(t, Linux419.ParavirtFirst || Linux54.ParavirtFirst)
}

// From 5.8 on .klp.arch means nothing, for modules neither: the alternative is never
// applied.
func TestNewSchemeIgnoresArch(t *testing.T) {
	f := find(t, "alt-module")
	before := fixture(t, "6.1", f.Name)
	after := take(t, before).klp(owners).arch(".altinstructions", 12, map[int]string{1: "ext4"}).
		bytes()
	assert.ErrorContains(t, Check(before, after, f.Scenario(Linux61)),
		".text+0x8 (livepatch_ext4_statfs+0x8): memory has 0f 1f 04 00")
}

// An entry that waits for two modules is right in no section: either may be loaded first.
func TestEntryOfTwoModules(t *testing.T) {
	f := find(t, "alt-two-modules")
	before := fixture(t, "4.19", f.Name)
	for object, want := range map[string]string{
		"":     ".text+0x9 (livepatch_ext4_statfs+0x9): memory has",
		"ext4": "after loading ext4: .text+0x9 (livepatch_ext4_statfs+0x9): memory has",
		"jbd2": "after loading jbd2: .text+0x9 (livepatch_ext4_statfs+0x9): memory has",
	} {
		after := take(t, before).klp(owners).arch(".altinstructions", 13, map[int]string{1: object}).
			bytes()
		s := f.Scenario(Linux419)
		s.When = Later
		if object == "jbd2" {
			s.Patched = []string{"jbd2", "ext4"}
		}
		assert.ErrorContains(t, Check(before, after, s), want, object)
	}
}

// An entry of a vmlinux function that waits for a module is not patched until then:
// vmlinux's function runs the instruction that the processor should not see.
func TestEntryOfVmlinuxAndModule(t *testing.T) {
	f := find(t, "alt-both")
	before := fixture(t, "4.19", f.Name)
	for _, object := range []string{"", "vmlinux"} {
		after := take(t, before).klp(owners).arch(".altinstructions", 13, map[int]string{1: object}).
			bytes()
		assert.Error(t, CheckAll(before, after, f.Scenario(Linux419)), object)
	}
	s := f.Scenario(Linux419)
	s.When = Later
	m, err := Load(take(t, before).klp(owners).arch(".altinstructions", 13, map[int]string{1: "ext4"}).
		bytes(), s)
	require.NoError(t, err)
	assert.Equal(t, uint64(0xffffffff81123450), callAt(m, 8))
	require.NoError(t, m.Coming("ext4"))
	assert.Equal(t, uint64(0xffffffffa0004560), callAt(m, 8))
}

// callAt returns where a call in .text goes.
func callAt(m *Machine, off uint64) uint64 {
	addr, b := m.Section(".text")
	if b[off] != 0xe8 {
		return 0
	}
	return addr + off + 5 + uint64(int64(int32(binary.LittleEndian.Uint32(b[off+1:]))))
}
