// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
)

// Lists: annotations that are beside the module.

func listOf(text string) []annotation.List {
	return []annotation.List{{Name: "syms.txt", Text: []byte(text)}}
}

// A list says what records say, so what it makes of a module without them is the same.
func TestListsGiveWhatRecordsGive(t *testing.T) {
	for _, arch := range arches {
		for _, dialect := range []string{"rfc", "v7"} {
			name := arch + "/records-" + dialect + ".ko"
			before := contents(t, name)
			set, found := annotation.Read(parse(t, before))
			require.Empty(t, found)
			require.NotEmpty(t, set.Annotations)
			var list strings.Builder
			for _, a := range set.Annotations {
				fmt.Fprintf(&list, "%s:%s,%d\n", a.Object, a.Name, a.Pos)
			}
			want, found := klpreloc.Describe(parse(t, convert(t, before)))
			require.Empty(t, found)

			f := parse(t, before)
			require.NoError(t, f.Remove(recordSections(f), nil))
			after, found := convertedAgainst(t, f, klpreloc.Options{Lists: listOf(list.String())})
			require.Empty(t, with(diag.Unused, found), name)
			got, found := klpreloc.Describe(after)
			require.Empty(t, found)
			assert.Equal(t, want, got, name)
			assert.NotEmpty(t, got.KlpSections, name)
		}
	}
}

// recordSections returns the sections of records.
func recordSections(f *elfrw.File) []*elfrw.Section {
	set, _ := annotation.Read(f)
	return set.Sections
}

func TestListsAgainstModules(t *testing.T) {
	withLabel := func(t *testing.T) *elfrw.File {
		f := undefined(t, "plain")
		use(f, addUndefined(f, ".klp.sym.rela.vmlinux.vmlinux.labelled.1", elf.STB_GLOBAL))
		return f
	}
	two := func(t *testing.T) *elfrw.File { return undefined(t, "first", "second") }
	for name, test := range map[string]struct {
		module func(t *testing.T) *elfrw.File
		list   string
		klp    []string // klp symbols beside those of records
		found  []string // id, place and message; what errors there are
	}{
		"position": {
			two, "vmlinux:first\next4:second,2", []string{"ext4.second,2", "vmlinux.first,0"}, nil,
		},
		"dash": {
			func(t *testing.T) *elfrw.File { return undefinedIn(t, borrower(t, "nf_x"), "first") },
			"nf-x:first", []string{"nf_x.first,0"}, nil,
		},
		"same twice": {using("first"), "vmlinux:first,1\nvmlinux:first,1", []string{"vmlinux.first,1"}, nil},
		"alias": {using("first"), "first=vmlinux:a.b-c$d,3", []string{"vmlinux.a.b-c$d,3"},
			nil},
		"two names of one symbol": {two, "first=vmlinux:x\nsecond=vmlinux:x", []string{"vmlinux.x,0"}, nil},
		"one name in two objects": {
			func(t *testing.T) *elfrw.File {
				return patched(t, "a b", map[string]string{"a_fn": "twin", "b_fn": "twin"})
			},
			"a:twin\na:twin,0\nb:twin,1",
			[]string{"a.twin,0", "b.twin,1"}, nil,
		},
		"two positions": {
			using("first"), "vmlinux:first,1\nvmlinux:first,2", nil,
			[]string{"KLP011 syms.txt:2: symbol first is annotated at position 1 and at position 2, " +
				"but the module has one symbol of that name"},
		},
		"two names": {
			using("first"), "first=vmlinux:x\nfirst=vmlinux:y", nil,
			[]string{"KLP011 syms.txt:2: symbol first is annotated as x and as y, " +
				"but the module has one symbol of that name"},
		},
		"position and file": {
			using("first"), "vmlinux:first,1\nvmlinux:first@a/b.c", nil,
			[]string{`KLP011 syms.txt:2: symbol first is annotated at position 1 and in file "a/b.c", ` +
				"but the module has one symbol of that name"},
		},
		"as the record": {annotated("vmlinux", "first", 2), "vmlinux:first,2", []string{"vmlinux.first,2"}, nil},
		"not as the record": {
			annotated("vmlinux", "first", 2), "vmlinux:first", nil,
			[]string{"KLP011 syms.txt:1: symbol first is annotated at position 2 and at position 0, " +
				"but the module has one symbol of that name"},
		},
		"defined": {
			using("first"), "\n# c\nvmlinux:init_module", nil,
			[]string{"KLP010 syms.txt:3: annotated symbol init_module is defined in the module itself " +
				"(in .init.text)"},
		},
		"unused": {
			using("first"), "vmlinux:first\nvmlinux:nobody\nother=ext4:nobody,1",
			[]string{"vmlinux.first,0"},
			[]string{
				"KLP012 syms.txt:2: vmlinux nobody is annotated, but nothing uses it",
				"KLP012 syms.txt:3: ext4 nobody is annotated, but nothing uses it",
			},
		},
		"what a label says": {withLabel, "vmlinux:plain\nvmlinux:labelled,1",
			[]string{"vmlinux.labelled,1", "vmlinux.plain,0"}, nil},
		"not what a label says": {
			withLabel, "vmlinux:plain\nvmlinux:labelled,2",
			[]string{"vmlinux.labelled,1", "vmlinux.plain,0"},
			[]string{"KLP012 syms.txt:2: vmlinux labelled is annotated, but nothing uses it"},
		},
		"a label's name": {
			withLabel, ".klp.sym.rela.vmlinux.vmlinux.labelled.1=vmlinux:labelled,1", nil,
			[]string{"KLP090 syms.txt:1: line names .klp.sym.rela.vmlinux.vmlinux.labelled.1, " +
				"which is an annotation itself (a label)"},
		},
		"bad object": {
			using("first"), "ext4.ko:first", nil,
			[]string{`KLP007 syms.txt:1: first: object name "ext4.ko" is a file name; ` +
				"write the module's name"},
		},
		"bad name": {
			using("first"), "first=vmlinux:" + strings.Repeat("x", 512), nil,
			[]string{`KLP009 syms.txt:1: first: symbol name "` + strings.Repeat("x", 80) +
				`…" has 512 bytes; kernel 6.1 reads 511`},
		},
		"bad object of an unused one": {
			using("first"), "vmlinux:first\n:nobody", nil,
			[]string{"KLP007 syms.txt:2: nobody: the object name is empty"},
		},
		"by file": {
			using("first"), "vmlinux:first@kernel/first.c", nil,
			[]string{"KLP038 syms.txt:1: first of vmlinux is annotated by file, " +
				"which needs a kernel to look it up in: give --kernel"},
		},
		"bad path": {
			using("first"), "vmlinux:first@/kernel/first.c", nil,
			[]string{`KLP039 syms.txt:1: file of first: "/kernel/first.c" is absolute; ` +
				"write the path in the kernel's source tree"},
		},
	} {
		before := encode(t, test.module(t))
		f := parse(t, before)
		plan, found := klpreloc.NewPlan(f, klpreloc.Options{Lists: listOf(test.list)})
		var messages []string
		for _, d := range found {
			if d.File != "" && d.Severity > diag.Note {
				messages = append(messages, string(d.ID)+" "+d.String())
			}
		}
		assert.Equal(t, test.found, messages, name)
		if plan == nil {
			assert.True(t, found.Failed(), name)
			assert.Nil(t, test.klp, name)
			continue
		}
		require.NoError(t, plan.Apply(), name)
		after := parse(t, encode(t, f))
		require.NoError(t, proof.Check(parse(t, before), after, plan.Claims, nil), name)
		var klp []string
		for _, y := range klpSymbols(after) {
			if y = strings.TrimPrefix(y, ".klp.sym."); !slices.Contains(klpSymbols(converted(t, borrower(t))),
				".klp.sym."+y) {
				klp = append(klp, y)
			}
		}
		slices.Sort(klp)
		assert.Equal(t, test.klp, klp, name)
		// The same list finds everything done.
		again, found := klpreloc.NewPlan(after, klpreloc.Options{Lists: listOf(test.list)})
		require.NotNil(t, again, "%s: %v", name, found)
		assert.True(t, again.Empty(), name)
	}
}

func TestListsAgainstAKernel(t *testing.T) {
	for list, want := range map[string][]string{
		"vmlinux:first": {"KLP042 syms.txt:1: vmlinux has no symbol called first"},
		"first=vmlinux:show": {
			"KLP043 syms.txt:1: symbol show is ambiguous in vmlinux (2 candidates)",
			"first=vmlinux:show,1   # t ffffffff81000300 +0x40",
			"first=vmlinux:show,2   # t ffffffff81000340 +0xc0",
		},
		"first=vmlinux:show,3": {
			"KLP044 syms.txt:1: position 3 of symbol show in vmlinux does not exist: there are 2 of that name",
			"first=vmlinux:show,1   # t ffffffff81000300 +0x40",
			"first=vmlinux:show,2   # t ffffffff81000340 +0xc0",
		},
		"first=vmlinux:clone": {
			"KLP042 syms.txt:1: vmlinux has no symbol called clone",
			"first=vmlinux:clone.isra.0   # t ffffffff81000800 +0x100, its arguments were changed by the compiler",
		},
		"vmlinux:nobody": {"KLP042 syms.txt:1: vmlinux has no symbol called nobody"},
		"zfs:first": {
			"KLP047 syms.txt:1: nothing that describes kernel kernel knows module zfs: " +
				"its annotations are not checked",
			"--module zfs.ko",
		},
		"first=vmlinux:show@a.c": {
			"KLP061 syms.txt:1: nothing that describes kernel kernel names the files of the 2 symbols " +
				"called show in vmlinux (kallsyms): give a vmlinux or module with its symbol table",
			"first=vmlinux:show,1   # t ffffffff81000300 +0x40",
			"first=vmlinux:show,2   # t ffffffff81000340 +0xc0",
		},
		"first=vmlinux:once":   nil,
		"first=vmlinux:show,2": nil,
	} {
		o := klpreloc.Options{Kernel: kernelOf(t, kallsyms), Lists: listOf(list)}
		_, found := against(t, using("first")(t), o)
		var got []string
		for _, d := range found {
			if d.File != "" {
				got = append(append(got, string(d.ID)+" "+d.String()), d.Hints...)
			}
		}
		assert.Equal(t, want, got, list)
	}
}

// A symbol that no relocation uses is dropped, and a file with nothing else to do is written.
func TestListOfAnUnusedSymbol(t *testing.T) {
	f := parse(t, convert(t, encode(t, borrower(t))))
	addUndefined(f, "idle", elf.STB_GLOBAL)
	list := listOf("vmlinux:idle")
	plan, found := klpreloc.NewPlan(reread(t, f), klpreloc.Options{Lists: list})
	require.Nil(t, plan)
	the(t, diag.HalfConverted, found)

	f = bare(t, "x86_64")
	text := ""
	for _, y := range f.Symbols {
		if y.Undefined() && y.Name != "klp_enable_patch" {
			text += "vmlinux:" + y.Name + "\n"
		}
	}
	addUndefined(f, "idle", elf.STB_GLOBAL)
	after, found := convertedAgainst(t, f, klpreloc.Options{Lists: listOf(text + "vmlinux:idle\n")})
	assert.Len(t, with(diag.Unused, found), 1)
	assert.False(t, hasSymbol(after, "idle"))

	g := open(t, "odd/nothing-to-convert.ko")
	addUndefined(g, "idle", elf.STB_GLOBAL)
	after, _ = convertedAgainst(t, g, klpreloc.Options{Lists: list})
	assert.False(t, hasSymbol(after, "idle"), "no other reason to write the file")
}

// The lines that a plan used, in their order, with what became of each.
func TestPlanInfoOfLists(t *testing.T) {
	lists := []annotation.List{
		{Name: "b.txt", Text: []byte("ext4:nobody,1\nfirst=vmlinux:once")},
		{Name: "a.txt", Text: []byte("vmlinux:show,2")},
	}
	f := reread(t, undefined(t, "first", "show"))
	plan, found := klpreloc.NewPlan(f, klpreloc.Options{Lists: lists})
	require.NotNil(t, plan, "%v", found)
	assert.Equal(t, []klpreloc.ListedInfo{
		{List: "b.txt", Line: 1, Symbol: "nobody", Object: "ext4", Name: "nobody", Pos: 1},
		{List: "b.txt", Line: 2, Symbol: "first", Object: "vmlinux", Name: "once", Relocs: 1},
		{List: "a.txt", Line: 1, Symbol: "show", Object: "vmlinux", Name: "show", Pos: 2, Relocs: 1},
	}, plan.Info().Listed)
}

// The proof reads the lists itself, and finds a conversion by another list.
func TestProofReadsLists(t *testing.T) {
	before := encode(t, undefined(t, "first", "second"))
	f := parse(t, before)
	plan, found := klpreloc.NewPlan(f, klpreloc.Options{Lists: listOf("vmlinux:first,1\nvmlinux:second")})
	require.NotNil(t, plan, "%v", found)
	require.NoError(t, plan.Apply())
	after := encode(t, f)
	for list, ok := range map[string]bool{
		"vmlinux:first,1\nvmlinux:second":                                   true,
		"\ufeff\t first=vmlinux:first,01 # x\r\n#\nvmlinux:second,0\r\nx:y": true,
		"vmlinux:first,2\nvmlinux:second":                                   false,
		"vmlinux:first,1\next4:second":                                      false,
		"vmlinux:first,1\nsecond=vmlinux:third":                             false,
		"vmlinux:first,1":                                                   false,
		"":                                                                  false,
	} {
		claims := plan.Claims
		claims.Lists = listOf(list)
		err := proof.Check(parse(t, before), parse(t, after), claims, nil)
		assert.Equal(t, ok, err == nil, "%q: %v", list, err)
	}
}

func TestAnnotateList(t *testing.T) {
	k := kernelOf(t, kallsyms)
	f := undefined(t, "once", "show", "clone.isra.0")
	text, found := klpreloc.Annotate(f, klpreloc.Options{Kernel: k}, annotation.Listed)
	assert.Empty(t, with(diag.Absent, found))
	assert.Equal(t, `vmlinux:once	# t ffffffff81000700 +0x100
# show: choose one of 2
# vmlinux:show,1	# 1 of 2, t ffffffff81000300 +0x40
# vmlinux:show,2	# 2 of 2, t ffffffff81000340 +0xc0
vmlinux:clone.isra.0	# t ffffffff81000800 +0x100
`, text)
	// What a list has is not missing, and what is printed is a list.
	text, _ = klpreloc.Annotate(f, klpreloc.Options{Kernel: k, Lists: listOf(text + "vmlinux:show,2")},
		annotation.Listed)
	assert.Empty(t, text)
}

// FuzzList: whatever a list makes of a module, the proof reads the list as the conversion did,
// and converting again with the same list changes nothing.
func FuzzList(f *testing.F) {
	before := encode(f, undefined(f, "first", "second", "third"))
	for _, text := range []string{
		"vmlinux:first\next4:second,2\n# c\nthird=vmlinux:name_show,1   # d\r\n",
		"\xef\xbb\xbfvmlinux:first@a/b.c\n", "first=vmlinux:x\nsecond=vmlinux:x\nfirst=ext4:x,1",
		"a=b=c:d", ":", "vmlinux:first,", "vmlinux:first@", "vmlinux:first\x00", "\r", "=", "first=:",
		"vmlinux:init_module", "vmlinux:first #", "vmlinux:first,4294967295", "vmlinux:a@b #c",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o := klpreloc.Options{Lists: listOf(string(text))}
		file := parse(t, before)
		plan, found := klpreloc.NewPlan(file, o)
		require.Equal(t, found.Failed(), plan == nil)
		for _, d := range found {
			require.False(t, strings.ContainsAny(d.Where(), "\n"), d.Where())
		}
		if plan == nil {
			return
		}
		plan.Info()
		require.NoError(t, plan.Apply())
		after := encode(t, file)
		require.NoError(t, proof.Check(parse(t, before), parse(t, after), plan.Claims, nil))
		again, found := klpreloc.NewPlan(parse(t, after), o)
		require.NotNil(t, again, "%v", found)
		require.True(t, again.Empty())
		require.NotEqual(t, before, after, "its own records were converted")
	})
}
