// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/stretchr/testify/require"
)

func TestReadEarly(t *testing.T) {
	for _, name := range []string{
		".altinstructions", ".altinstr_replacement", ".parainstructions", "__jump_table",
		".static_call_sites",
		".retpoline_sites", ".return_sites", "__ex_table", ".orc_unwind_ip", "__mcount_loc",
		"__ftr_fixup",
	} {
		assert.True(t, ReadEarly(name), name)
	}
	for _, name := range []string{
		".call_sites", ".smp_locks", "__bug_table", ".orc_unwind", ".altinstr_aux", ".text", ".data", "",
	} {
		assert.False(t, ReadEarly(name), name)
	}
	// Whatever Read reads is read early.
	for machine := range arch.Machines {
		layouts := layoutsOf(machine)
		require.NotEmpty(t, layouts, "%v", machine)
		for name := range layouts {
			assert.True(t, ReadEarly(name), "%v: %s", machine, name)
		}
	}
}

func TestInertKey(t *testing.T) {
	for _, c := range []struct {
		kind   Kind
		symbol string
		want   bool
	}{
		{JumpLabel, "__tracepoint_sched_switch", true},
		{JumpLabel, "__UNIQUE_ID_ddebug123.4", true},
		{JumpLabel, "__UNIQUE_ID_ddebug_123", true},
		{StaticCall, "__SCK__tp_func_sched_switch", true},
		{StaticCall, "__SCT__tp_func_sched_switch", true},
		{JumpLabel, "psi_disabled", false},
		{JumpLabel, "my__tracepoint_x", false},
		{JumpLabel, "__SCK__tp_func_sched_switch", false},
		{StaticCall, "__tracepoint_sched_switch", false},
		{StaticCall, "__SCK__might_resched", false},
		{Alternative, "__tracepoint_sched_switch", false},
		{JumpLabel, "", false},
	} {
		assert.Equal(t, c.want, InertKey(c.kind, c.symbol), "%s %s", c.kind, c.symbol)
	}
}

// TestInertInModule: the name of a module's key is at its place, not in
// its relocation.
func TestInertInModule(t *testing.T) {
	f := open(t, "x86_64-6.1")
	data := section(t, f, ".data")
	f.AddSymbol(&elfrw.Symbol{Name: "__tracepoint_own", Section: data, Value: 8, Size: 24,
		Info: byte(elf.STT_OBJECT)})
	tables := read(t, f)
	e := table(t, tables, "__jump_table").Entry(4) // .data+16: own_key starts there too
	assert.False(t, tables.Inert(e))
	assert.Equal(t, "own_key", tables.KeyName(e))

	symbolNamed(t, f, "own_key").Name = ""
	tables = read(t, f)
	e = table(t, tables, "__jump_table").Entry(4)
	assert.True(t, tables.Inert(e))
	assert.Equal(t, "__tracepoint_own+0x8", tables.KeyName(e))

	section(t, f, ".data").Name = "__verbose"
	symbolNamed(t, f, "__tracepoint_own").Name = ""
	tables = read(t, f)
	e = table(t, tables, "__jump_table").Entry(4)
	assert.True(t, tables.Inert(e))
	assert.Equal(t, "__verbose+0x10", tables.KeyName(e))
	assert.False(t, tables.Inert(table(t, tables, ".return_sites").Entry(0)), "no key")
	assert.Empty(t, tables.KeyName(table(t, tables, ".return_sites").Entry(0)))
}

func symbolNamed(t testing.TB, f *elfrw.File, name string) *elfrw.Symbol {
	t.Helper()
	for _, y := range f.Symbols {
		if y.Name == name {
			return y
		}
	}
	t.Fatalf("no symbol %s", name)
	return nil
}

func TestFunction(t *testing.T) {
	f := open(t, "x86_64-4.19")
	text, cold := section(t, f, ".text"), section(t, f, ".text.unlikely")
	patched := symbolNamed(t, f, "patched")
	f.AddSymbol(&elfrw.Symbol{Name: "inner", Section: text, Value: 4, Size: 2,
		Info: byte(elf.STT_FUNC)})
	f.AddSymbol(&elfrw.Symbol{Name: "label", Section: text, Value: 7, Info: byte(elf.STT_FUNC)})
	f.AddSymbol(&elfrw.Symbol{Name: "object", Section: text, Value: 7, Size: 2,
		Info: byte(elf.STT_OBJECT)})
	f.AddSymbol(&elfrw.Symbol{Name: "endless", Section: text, Value: 7, Size: ^uint64(0),
		Info: byte(elf.STT_FUNC)})
	tables, _ := Read(f)
	for _, c := range []struct {
		s      *elfrw.Section
		offset uint64
		want   string
	}{
		{text, 0, "patched+0x0"},
		{text, 4, "inner+0x0"},
		{text, 5, "inner+0x1"},
		{text, 6, "patched+0x6"}, // inner is over
		{text, 7, "patched+0x7"},
		{text, patched.Size, ".text+0xf"},
		{cold, 8, "cold+0x8"},
		{section(t, f, ".data"), 8, ".data+0x8"},
		{nil, 8, "section 0+0x8"},
	} {
		assert.Equal(t, c.want, tables.Function(c.s, c.offset))
	}
}

func TestPrinting(t *testing.T) {
	for kind := range Kind(len(kindNames)) {
		assert.NotEmpty(t, kind.String())
	}
	assert.Equal(t, "entry", Kind(200).String())
	assert.Equal(t, "nothing", elfrw.Range{}.String())
	s := &elfrw.Section{Name: "a b"}
	assert.Equal(t, `"a b"+0x3: m`, Problem{s, 3, "m"}.String())
	assert.Equal(t, `"a b": m`, Problem{s, -1, "m"}.String())
}
