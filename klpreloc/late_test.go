// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

// Late klp relocations, and what the kernel has patched before.

const pc32, pc64 = uint32(elf.R_X86_64_PC32), uint32(elf.R_X86_64_PC64)

// field is a place in an entry of a special section, and what it leads to.
type field struct {
	at     uint64
	typ    uint32
	symbol string
	addend int64
}

// addTable adds a special section of entries of size bytes.
func addTable(t testing.TB, f *elfrw.File, name string, size int, fill []byte, entries ...[]field,
) (*elfrw.Section, *elfrw.Section) {
	t.Helper()
	s, rs := addLoaded(f, name, elf.SHF_WRITE, nil)
	for i, fields := range entries {
		s.Data = append(s.Data, append(make([]byte, size-len(fill)), fill...)...)
		for _, x := range fields {
			if !hasSymbol(f, x.symbol) {
				addUndefined(f, x.symbol, elf.STB_GLOBAL)
			}
			f.AddReloc(rs, elfrw.Rela{Offset: uint64(i*size) + x.at, Sym: symbol(t, f, x.symbol),
				Type: x.typ, Addend: x.addend})
		}
	}
	return s, rs
}

// jumpLabel is an entry of __jump_table for the word at a function's offset.
func jumpLabel(function string, offset int64, key string) []field {
	return []field{{0, pc32, function, offset}, {4, pc32, function, offset + 8}, {8, pc64, key, 0}}
}

func jumpTable(t testing.TB, f *elfrw.File, entries ...[]field) {
	t.Helper()
	addTable(t, f, "__jump_table", 16, nil, entries...)
}

// alternative is an entry of .altinstructions of 12 bytes: 8 bytes of a function for
// 8 of the replacement.
func alternative(function string, offset int64, replacement string) []field {
	return []field{{0, pc32, function, offset}, {4, pc32, replacement, 0}}
}

func alternatives(t testing.TB, f *elfrw.File, entries ...[]field) {
	t.Helper()
	addTable(t, f, ".altinstructions", 12, []byte{8, 8}, entries...)
}

// replacement adds code that an alternative copies, which uses a symbol.
func replacement(t testing.TB, f *elfrw.File, name, use string) {
	t.Helper()
	s, rs := addLoaded(f, ".altinstr_replacement", elf.SHF_EXECINSTR, make([]byte, 8))
	if !hasSymbol(f, use) {
		addUndefined(f, use, elf.STB_GLOBAL)
	}
	f.AddReloc(rs, elfrw.Rela{Sym: symbol(t, f, use), Type: word(f)})
	f.AddSymbol(&elfrw.Symbol{Name: name, Section: s, Info: byte(elf.STB_GLOBAL) << 4})
}

var (
	early = klpreloc.Options{Target: kernel.Version{Major: 6, Minor: 1}}
	old   = klpreloc.Options{Target: kernel.Version{Major: 4, Minor: 19}}
	older = klpreloc.Options{Target: kernel.Version{Major: 4, Minor: 8}}
)

func TestLateRelocationsInSpecialSections(t *testing.T) {
	with := func(o klpreloc.Options, edit func(*klpreloc.Options)) klpreloc.Options {
		edit(&o)
		return o
	}
	type build func(t *testing.T, f *elfrw.File)
	labelled := func(key string) build {
		return func(t *testing.T, f *elfrw.File) { jumpTable(t, f, jumpLabel("a_fn", 0, key)) }
	}
	replaced := func(by string) build {
		return func(t *testing.T, f *elfrw.File) {
			replacement(t, f, "repl", by)
			alternatives(t, f, alternative("a_fn", 8, "repl"))
		}
	}
	imported := func(by string) build {
		return func(t *testing.T, f *elfrw.File) { alternatives(t, f, alternative("a_fn", 0, by)) }
	}
	crooked := func(t *testing.T, f *elfrw.File) {
		s, _ := addTable(t, f, "__jump_table", 16, nil, jumpLabel("a_fn", 0, "exported"))
		s.Data = append(s.Data, 1)
	}
	const (
		useEnabled = "if (static_key_enabled(&sym)) … instead of static_branch_likely(&sym) and " +
			"static_branch_unlikely(&sym)"
		useExported = "if (static_key_enabled(&exported)) … instead of static_branch_likely(&exported) " +
			"and static_branch_unlikely(&exported)"
		useInSource = "if (static_key_enabled(KEY)) … instead of static_branch_likely(KEY) and " +
			"static_branch_unlikely(KEY), KEY as it is written in the source"
		useCall   = "((typeof(&STATIC_CALL_TRAMP(hook)))STATIC_CALL_KEY(hook).func)(…) instead of static_call(hook)(…)"
		useImport = "leave sym an import: build against a kernel that exports it, and do not annotate it"
		useHelper = "call it from a noinline helper function, outside of the alternative"
	)
	for name, test := range map[string]struct {
		uses    string // by a_fn, word by word
		build   build
		record  string // "object:symbol"
		options klpreloc.Options
		message string // of an error; "": none
		hint    string
	}{
		"module's key of a jump label": {"exported exported", labelled("sym"), "a:sym", early,
			"sym of module a in the jump label for a_fn+0x0 (__jump_table+0x0): the kernel has read " +
				"__jump_table before a is loaded, and would use the address 0", useEnabled},
		"module's key in a struct": {"exported exported", func(t *testing.T, f *elfrw.File) {
			jumpTable(t, f, []field{{0, pc32, "a_fn", 0}, {4, pc32, "a_fn", 8}, {8, pc64, "sym", 16}})
		}, "a:sym", early,
			"sym of module a in the jump label for a_fn+0x0 (__jump_table+0x0): the kernel has read " +
				"__jump_table before a is loaded, and would use the address 0", useInSource},
		"module's static call": {"exported exported", func(t *testing.T, f *elfrw.File) {
			addTable(t, f, ".static_call_sites", 8, nil,
				[]field{{0, pc32, "a_fn", 0}, {4, pc32, "__SCK__hook", 0}})
		}, "a:__SCK__hook", early,
			"__SCK__hook of module a in the static call for a_fn+0x0 (.static_call_sites+0x0): the kernel " +
				"has read .static_call_sites before a is loaded, and would use the address 0", useCall},
		"vmlinux's key": {"exported exported", labelled("sym"), "vmlinux:sym", early, "", ""},
		"vmlinux's key, before 5.8": {"exported exported", labelled("sym"), "vmlinux:sym", old,
			"sym of vmlinux in the jump label for a_fn+0x0 (__jump_table+0x0): the kernel has read " +
				"__jump_table before a is loaded, and would use the address 0", useEnabled},
		"module's symbol in the site of a jump label": {"sym exported", labelled("exported"),
			"a:sym", early,
			"sym of module a in the site of the jump label at a_fn+0x0, key exported (__jump_table+0x0), " +
				"which the kernel has patched before a is loaded", useExported},
		"module's symbol in the site of an alternative": {"exported sym", replaced("exported"),
			"a:sym", early,
			"sym of module a in the site of the alternative at a_fn+0x8 (.altinstructions+0x0), which the " +
				"kernel has patched before a is loaded", useHelper},
		"module's symbol in the replacement of an alternative": {"exported exported", replaced("sym"),
			"a:sym", early,
			"sym of module a in the replacement of the alternative at a_fn+0x8 (.altinstructions+0x0), " +
				"which the kernel has patched before a is loaded", useHelper},
		"vmlinux's symbol in the replacement": {"exported exported", replaced("sym"), "vmlinux:sym",
			early, "", ""},
		"module's symbol beside the site": {"sym exported", replaced("exported"), "a:sym",
			early, "", ""},
		"alternative, before 4.9": {"exported exported", replaced("sym"), "a:sym", older,
			"sym of module a in the replacement of the alternative at a_fn+0x8 (.altinstructions+0x0), " +
				"which the kernel has patched before a is loaded", useHelper},
		"alternative for two objects": {"exported .klp.sym.rela.b.b.other.0", replaced("sym"),
			"a:sym", old,
			"the alternative at a_fn+0x8 (.altinstructions+0x0) holds klp relocations for b and for a; a " +
				".klp.arch section is for one object", useHelper},
		"symbol of the kernel as a replacement": {"exported sym", imported("exported"),
			"a:sym", early, "", ""},
		"symbol of the kernel as a replacement, before 5.8": {"exported sym", imported("exported"),
			"a:sym", old, "", ""},
		"annotated symbol of vmlinux as a replacement": {"exported", imported("sym"),
			"vmlinux:sym", early,
			"sym of vmlinux as the replacement of the alternative at a_fn+0x0 (.altinstructions+0x0): the " +
				"kernel copies instructions from a symbol that it exports, and nothing tells whether those of " +
				"a klp symbol can be copied",
			useImport},
		"annotated symbol of a module as a replacement": {"exported", imported("sym"), "a:sym", early,
			"sym of module a as the replacement of the alternative at a_fn+0x0 (.altinstructions+0x0): the " +
				"kernel copies instructions from a symbol that it exports, and nothing tells whether those of " +
				"a klp symbol can be copied",
			useImport},
		"annotated symbol as a replacement, before 5.8": {"exported", imported("sym"), "vmlinux:sym", old,
			"sym of vmlinux as the replacement of the alternative at a_fn+0x0 (.altinstructions+0x0): the " +
				"kernel copies instructions from a symbol that it exports, and nothing tells whether those of " +
				"a klp symbol can be copied",
			useImport},
		"late symbol at a site whose replacement is in the kernel": {"sym", imported("exported"),
			"a:sym", early,
			"sym of module a in the site of the alternative at a_fn+0x0 (.altinstructions+0x0), which the " +
				"kernel has patched before a is loaded", useHelper},
		"what looks like a table": {"sym", crooked, "a:sym", early,
			"not what the kernel reads there, so it is not known which code it patches", ""},
		"the same, where nothing is late": {"sym", crooked, "vmlinux:sym", early,
			"not what the kernel reads there, so it is not known which code it patches", ""},
		"the same, for an experiment": {"sym", crooked, "vmlinux:sym",
			with(early, func(o *klpreloc.Options) {
				o.Unsafe = true
			}), "", ""},
		"a tracepoint, for an experiment": {"exported exported", labelled("__tracepoint_a"),
			"a:__tracepoint_a",
			with(early, func(o *klpreloc.Options) { o.KeepInert, o.Unsafe = true, true }), "", ""},
		"for an experiment": {"exported exported", labelled("sym"), "a:sym",
			with(early, func(o *klpreloc.Options) {
				o.Unsafe = true
			}), "", ""},
		"a tracepoint that has to stay": {"exported exported", labelled("__tracepoint_a"),
			"a:__tracepoint_a", with(early, func(o *klpreloc.Options) { o.KeepInert = true }),
			"__tracepoint_a of module a in the jump label for a_fn+0x0 (__jump_table+0x0): the kernel has " +
				"read __jump_table before a is loaded, and would use the address 0",
			strings.ReplaceAll(useEnabled, "sym", "__tracepoint_a")},
	} {
		t.Run(name, func(t *testing.T) {
			f := patched(t, "a b", map[string]string{"a_fn": test.uses})
			test.build(t, f)
			object, name, _ := strings.Cut(test.record, ":")
			record1(t, f, object, name, 0)
			if test.message == "" {
				convertedAgainst(t, f, test.options)
				return
			}
			_, found := against(t, f, test.options)
			var errors diag.List
			for _, d := range found {
				if d.Severity == diag.Error {
					errors = append(errors, d)
				}
			}
			require.Len(t, errors, 1, "%v", found)
			assert.Contains(t, errors[0].Message, test.message)
			if test.hint != "" {
				assert.Equal(t, []string{test.hint}, errors[0].Hints)
			}
		})
	}
}

// A tracepoint of a module that may be loaded later can't be switched on in the patched
// function. Its entry goes, the others move up and stay what they were.
func TestInertEntriesAreDropped(t *testing.T) {
	f := patched(t, "a", map[string]string{"a_fn": "exported exported exported exported"})
	jumpTable(t, f, jumpLabel("a_fn", 0, "exported"), jumpLabel("a_fn", 8, "__tracepoint_a"),
		jumpLabel("a_fn", 16, "vm_key"))
	record1(t, f, "a", "__tracepoint_a", 0)
	record1(t, f, "vmlinux", "vm_key", 0)
	g, found := convertedAgainst(t, f, early)
	d := the(t, diag.InertDropped, found)
	assert.Equal(t, diag.Warning, d.Severity)
	assert.Equal(t,
		"the jump label at a_fn+0x8, key __tracepoint_a (__jump_table+0x10) is dropped: a tracepoint or "+
			"debug message of a module that may be loaded later can't be switched on in the patched function",

		d.Message)
	s := section(t, g, "__jump_table")
	assert.EqualValues(t, 32, s.Size())
	var offsets []uint64
	for _, r := range section(t, g, ".rela__jump_table").Relocs() {
		offsets = append(offsets, r.Offset)
	}
	assert.Equal(t, []uint64{0, 4, 8, 16, 20}, offsets)
	klp := section(t, g, ".klp.rela.vmlinux.__jump_table").Relocs()
	require.Len(t, klp, 1)
	assert.EqualValues(t, 24, klp[0].Offset)
	assert.False(t, slices.ContainsFunc(g.Symbols, func(y *elfrw.Symbol) bool {
		return strings.Contains(y.Name, "__tracepoint_a")
	}))
}

// Each object has one section of a kind, whatever number of tables the entries come
// from, and each entry its relocations.
func TestOneArchSectionForEachObject(t *testing.T) {
	f := patched(t, "a b", map[string]string{"a_fn": "sym exported sym", "b_fn": "exported sym"})
	replacement(t, f, "repl", "exported")
	alternatives(t, f, alternative("a_fn", 0, "repl"), alternative("a_fn", 8, "repl"))
	alternatives(t, f, alternative("b_fn", 8, "repl"), alternative("a_fn", 16, "repl"),
		alternative("b_fn", 0, "repl"))
	record1(t, f, "vmlinux", "sym", 0)
	g, _ := convertedAgainst(t, f, old)
	var names []string
	for _, s := range g.Sections {
		if strings.Contains(s.Name, ".klp.arch.") {
			names = append(names, s.Name)
			assert.Equal(t, !strings.HasPrefix(s.Name, ".rela"), s.Alloc(), s.Name)
		}
	}
	assert.Equal(t, []string{".klp.arch.a..altinstructions", ".rela.klp.arch.a..altinstructions",
		".klp.arch.b..altinstructions", ".rela.klp.arch.b..altinstructions"}, names)
	assert.Len(t, section(t, g, ".klp.arch.a..altinstructions").Data, 24)
	var leads []int64
	for _, r := range section(t, g, ".rela.klp.arch.a..altinstructions").Relocs() {
		if r.Offset%12 == 0 {
			leads = append(leads, r.Addend)
		}
	}
	assert.Equal(t, []int64{0, 16}, leads)
}
