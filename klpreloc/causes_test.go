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
)

// One cause, one diagnostic. All diagnostics of each fixture and of each provocation are
// listed here; an id alone is reported once. What follows from a cause
// is not reported with it. KLP068, which says for which kernels the module is converted, is
// left out: every module gets it.

// beside lists what else the provocation of an id reports, and why that is a second cause.
var beside = map[diag.ID]string{
	// seven labels, each with its own mistake
	diag.BadLabel:         "KLP006 KLP006 KLP006 KLP007 KLP007 KLP009",
	diag.BadFile:          "KLP039 KLP039 KLP039 KLP039 KLP039 KLP039 KLP039",
	diag.Unused:           "KLP012",        // two annotations
	diag.ObjectDash:       "KLP008 KLP064", // two objects, and no klp_patch
	diag.NotAllocated:     "KLP012 KLP064", // what debug information alone uses
	diag.ObjtoolInput:     "KLP034",
	diag.RelSection:       "KLP064", // from here on: the klp_patch of these modules can't be read
	diag.SignatureDropped: "KLP064",
	diag.Irregular:        "KLP064",
	diag.ReadOnlyTarget:   "KLP064",
	diag.NeedsKernel:      "KLP064",

	// a kernel with one name
	diag.OrderUnknown: "KLP040 KLP042 KLP042 KLP042 KLP042 KLP042 KLP042 KLP042 KLP042 KLP042 KLP042 KLP047 KLP050",
	// likewise
	diag.NameUnsure: "KLP042 KLP042 KLP042 KLP042 KLP042 KLP042 KLP042 KLP042 KLP042 KLP042 KLP047 KLP047 KLP050",
	// nothing tells of a
	diag.LongKlpSymbol: "KLP047",
	// a module that the patch does not have
	diag.NotChecked: "KLP063",
	// what is inferred nevertheless
	diag.Contradiction: "KLP048",
	// nothing tells of a
	diag.NeverApplied:    "KLP047",
	diag.GatedByOwner:    "KLP047",
	diag.LabelAgainstUse: "KLP047",
	diag.SharedCode:      "KLP047",
	diag.SchemeChosen:    "KLP047",
	diag.StrangeTable:    "KLP047",
	diag.InertDropped:    "KLP047",
	diag.PatchUnreadable: "KLP044 KLP044 KLP044 KLP044 KLP044", // five positions
	diag.NoGate:          "KLP048 KLP048 KLP048 KLP048 KLP048 KLP048 KLP048 KLP048 KLP048 KLP048 KLP048 KLP048",
}

// idsOf returns the ids of diagnostics, sorted.
func idsOf(found diag.List) []string {
	var all []string
	for _, d := range found {
		if d.ID != diag.SchemeChosen {
			all = append(all, string(d.ID))
		}
	}
	slices.Sort(all)
	return all
}

func wanted(id diag.ID, others string) []string {
	all := strings.Fields(others)
	if id != diag.SchemeChosen {
		all = append(all, string(id))
	}
	slices.Sort(all)
	return all
}

func TestOneCauseOneDiagnostic(t *testing.T) {
	for id, p := range provocations {
		f := p.edit
		if f == nil {
			f = func(t *testing.T) *elfrw.File { return open(t, p.module) }
		}
		_, found := klpreloc.NewPlan(f(t), klpreloc.Options{})
		assert.Equal(t, wanted(id, beside[id]), idsOf(found), "%s: %v", id, found)
	}
	for id, p := range kernelProvocations {
		// That "exported" is not is no cause here.
		const first = "ffffffffc0001000"
		p.kernel = strings.Replace(p.kernel, first, "ffffffff8ffff000 r __ksymtab_exported\n"+first, 1)
		p.options.Kernel = kernelOf(t, strings.Split(p.kernel, otherSource)...)
		_, found := klpreloc.NewPlan(reread(t, p.edit(t)), p.options)
		assert.Equal(t, wanted(id, beside[id]), idsOf(found), "%s: %v", id, found)
	}
}

// fixtures are the diagnostics of the files of testdata/bad and testdata/odd.
var fixtures = map[string]string{
	"bad/bytes-outside-records":    "KLP003",
	"bad/file-labels-unparsable":   "KLP006 KLP006 KLP009",
	"bad/file-no-path":             "KLP039",
	"bad/file-paths":               "KLP039 KLP039 KLP039 KLP039 KLP039 KLP039 KLP039 KLP039",
	"bad/gotpcrel":                 "KLP017",
	"bad/kernel-too-old":           "KLP015",
	"bad/label-module-in-vmlinux":  "KLP013",
	"bad/labels-unparsable":        "KLP006 KLP006 KLP006 KLP006 KLP007 KLP007 KLP009",
	"bad/name-too-long":            "KLP009",
	"bad/no-records":               "KLP002",
	"bad/not-livepatch":            "KLP001",
	"bad/object-dot":               "KLP007",
	"bad/object-empty":             "KLP007",
	"bad/object-ko":                "KLP007",
	"bad/object-too-long":          "KLP007",
	"bad/percpu":                   "KLP020",
	"bad/percpu-module":            "KLP020 KLP064",
	"bad/ppc64le-call-without-nop": "KLP019",
	"bad/several-mistakes":         "KLP006 KLP007 KLP011",
	"bad/symbol-defined":           "KLP010",
	"bad/target-nonzero":           "KLP018",
	"bad/two-objects":              "KLP011",
	"bad/two-positions":            "KLP011",
	"bad/weak-undefined":           "KLP024",

	"odd/debug-reference":         "KLP012 KLP035 KLP064",
	"odd/group":                   "",
	"odd/label-vmlinux-in-module": "KLP014",
	"odd/nothing-to-convert":      "KLP034",
	"odd/object-dash":             "KLP008 KLP008 KLP064",
	"odd/object-longest":          "KLP064",
	"odd/padding":                 "",
	"odd/ppc64le-fixups":          "KLP064",
	"odd/ppc64le-sibling-call":    "",
	"odd/s390x-expoline":          "KLP064",
	"odd/tables-that-wait":        "KLP064",
	"odd/same-section-name":       "",
	"odd/special-sections":        "",
	"odd/strong-undefined":        "KLP025",
	"odd/unused":                  "KLP012 KLP012",
	"odd/weak-annotated":          "",
}

func TestWhatIsSaidOfEveryFixture(t *testing.T) {
	for _, name := range modules(t, "bad", "odd") {
		want, known := fixtures[strings.TrimSuffix(name, ".ko")]
		if !assert.True(t, known, "%s is not in the table", name) {
			continue
		}
		_, found := klpreloc.NewPlan(open(t, name), klpreloc.Options{})
		got := idsOf(found)
		assert.Equal(t, strings.Fields(want), append([]string{}, got...), "%s: %v", name, found)
	}
}

// The same mistake at several places is one diagnostic with a list.
func TestPlacesOfOneCause(t *testing.T) {
	three := func(arch, section string, data []byte, typ uint32,
		names ...string) func(t *testing.T) *elfrw.File {
		return func(t *testing.T) *elfrw.File {
			f := bare(t, arch)
			var relocs []elfrw.Rela
			symbols := map[string]*elfrw.Symbol{}
			for i, name := range names {
				if symbols[name] == nil {
					symbols[name] = addUndefined(f, name, elf.STB_GLOBAL)
				}
				relocs = append(relocs, elfrw.Rela{Offset: uint64(8 * i), Sym: symbols[name], Type: typ})
			}
			addLoaded(f, section, 0, data, relocs...)
			return f
		}
	}
	const (
		vmBar   = ".klp.sym.rela.vmlinux.vmlinux.bar.0"
		gotpc   = uint32(elf.R_X86_64_GOTPCREL)
		gotpcx  = uint32(elf.R_X86_64_GOTPCRELX)
		tpoff   = uint32(elf.R_X86_64_TPOFF32)
		pc16    = uint32(elf.R_X86_64_PC16)
		ppcADDR = uint32(38)
	)
	for name, test := range map[string]struct {
		edit   func(t *testing.T) *elfrw.File
		id     diag.ID
		places []string
		hint   string
	}{
		"nonzero": {three("x86_64", ".ro", []byte(strings.Repeat("\x01", 24)), 1, vmlinuxFoo, vmBar,
			vmlinuxFoo), diag.NonzeroTarget,
			[]string{".rela.ro+0x8 (" + vmBar + ")",
				".rela.ro+0x10"}, "convert the module as modpost left it, before any other tool has edited or linked it"},
		"global offset table": {three("x86_64", ".ro", make([]byte, 24), gotpc, vmlinuxFoo, vmBar),
			diag.BadType,
			[]string{".rela.ro+0x8 (" + vmBar +
				")"}, "build with the kernel's own flags (Kbuild), without -fpic, -fpie and -mno-direct-extern-access"},
		"another type of it": {func(t *testing.T) *elfrw.File {
			f := three("x86_64", ".ro", make([]byte, 24), gotpc, vmlinuxFoo, vmBar)(t)
			rs := section(t, f, ".rela.ro")
			all := slices.Clone(rs.Relocs())
			all[1].Type = gotpcx
			rs.SetRelocs(all)
			return f
		}, diag.BadType, []string{".rela.ro+0x8 (" + vmBar +
			")"}, "build with the kernel's own flags (Kbuild), without -fpic, -fpie and -mno-direct-extern-access"},
		"weak, on arm64": {func(t *testing.T) *elfrw.File {
			f := bare(t, "aarch64")
			y := addUndefined(f, vmlinuxFoo, elf.STB_WEAK)
			addLoaded(f, ".text.w", 0, make([]byte, 16),
				elfrw.Rela{Sym: y, Type: uint32(elf.R_AARCH64_ADR_GOT_PAGE)}, elfrw.Rela{Offset: 4, Sym: y,
					Type: uint32(elf.R_AARCH64_LD64_GOT_LO12_NC)})
			return f
		}, diag.BadType, []string{".rela.text.w+0x4"}, "declare " + vmlinuxFoo +
			" without weak (__weak): compilers look a weak symbol up in a global offset table, whatever -fno-pic says"},
		"thread-local": {three("x86_64", ".ro", make([]byte, 24), tpoff, vmlinuxFoo), diag.BadType, nil,
			"use no thread-local variable (__thread): the kernel has none"},
		"narrow": {three("x86_64", ".ro", make([]byte, 24), pc16, vmlinuxFoo),
			diag.BadType, nil, ""},
		"per-CPU": {three("x86_64", ".data..percpu", make([]byte, 24), 1, vmlinuxFoo, vmlinuxFoo),
			diag.PerCPU, []string{".rela.data..percpu+0x8"}, "set the per-CPU variable at run time, in the " +
				"module's init function"},
		"init": {three("x86_64", ".init.text", make([]byte, 24), 1, ext4Foo, ext4Foo),
			diag.InitSection, []string{".rela.init.text+0x8"}, "use " + ext4Foo +
				" in a function that is not __init"},
		"read-only": {three("ppc64le", ".ro", make([]byte, 24), ppcADDR, ext4Foo, ext4Foo),
			diag.ReadOnlyTarget, []string{".rela.ro+0x8"}, ""},
		"object": {func(t *testing.T) *elfrw.File {
			f := bare(t, "x86_64")
			addRecords(t, f, "net.core", 12, record{0, "extra0", 8, 0})
			use(f, symbol(t, f, "extra0"))
			addRecords(t, f, "net.core", 12, record{0, "extra1", 8, 0})
			use(f, symbol(t, f, "extra1"))
			return f
		}, diag.BadObject, []string{".klp.module_relocs.net.core+0x0 (extra1)"}, "the object is called net"},
	} {
		t.Run(name, func(t *testing.T) {
			_, found := klpreloc.NewPlan(test.edit(t), klpreloc.Options{})
			d := the(t, test.id, found)
			assert.Equal(t, test.places, d.Places)
			assert.Equal(t, strings.Fields(fmt.Sprint(len(test.hint) > 0)),
				strings.Fields(fmt.Sprint(len(d.Hints) > 0)))
			if test.hint != "" {
				assert.Equal(t, []string{test.hint}, d.Hints)
			}
		})
	}
}

// Relocations in a form that no kernel reads are the only thing that is reported, whatever
// they would have been about.
func TestUnreadableRelocationsAreTheOnlyCause(t *testing.T) {
	const crel = elf.SectionType(0x40000014)
	for _, name := range append(modules(t, "x86_64"), "odd/group.ko", "odd/special-sections.ko",
		"arch/6.1/plain.ko", "arch/6.1/alt-vmlinux.ko") {
		for _, how := range []string{"compact", "linked elsewhere"} {
			f := open(t, name)
			sections := 0
			for _, s := range f.Sections {
				if s.Type != elf.SHT_RELA || s.NumRelocs() == 0 {
					continue
				}
				sections++
				if how == "compact" {
					s.Relocs() // the bytes no longer tell what they are
					s.Type, s.EntSize, s.Data = crel, 1, []byte{8}
				} else {
					s.Link = s.Target
				}
			}
			b, err := f.Bytes()
			require.NoError(t, err)
			g, err := elfrw.Parse(name, b)
			if err != nil {
				t.Logf("%s, %s: %v", name, how, err)
				continue
			}
			if in, _ := annotation.Read(g); !in.Annotated() {
				continue
			}
			_, found := klpreloc.NewPlan(g, klpreloc.Options{})
			var errors diag.List
			for _, d := range found {
				if d.Severity == diag.Error && !strings.Contains(d.Message, "irregular layout") {
					errors = append(errors, d)
				}
			}
			if how == "compact" {
				require.Len(t, errors, 1, "%s: %v", name, errors)
				assert.Equal(t, diag.Irregular, errors[0].ID)
				assert.Len(t, errors[0].Places, sections-1, name)
			}
			for _, d := range errors {
				assert.Equal(t, diag.Irregular, d.ID, "%s, %s: %v", name, how, d)
			}
		}
	}
}

// powerpc's machine_is() leaves a weak symbol undefined where the kernel has no such
// platform: nothing is forgotten, and no annotation can help.
func TestMachineIsOfAnotherPlatform(t *testing.T) {
	for arch, want := range map[string][]diag.ID{"ppc64le": nil, "ppc32": nil,
		"x86_64": {diag.WeakUndefined}} {
		f := bare(t, arch)
		use(f, addUndefined(f, "mach_powernv", elf.STB_WEAK))
		assert.Equal(t, want, ids(t, f, diag.Error), arch)
	}
}

// With a kernel the symbol is what it is there: nowhere, or hidden and converted.
func TestMachineIsAgainstAKernel(t *testing.T) {
	weak := func() *elfrw.File {
		f := borrower(t)
		f.Header.Machine = elf.EM_PPC64
		for _, s := range f.Sections {
			if s.HasRelocs() {
				change(s, func(r *elfrw.Rela) { r.Type = 38 })
			}
		}
		use(f, addUndefined(f, "mach_powernv", elf.STB_WEAK))
		change(section(t, f, ".rela.data.use"), func(r *elfrw.Rela) { r.Type = 38 })
		return f
	}
	_, found := klpreloc.NewPlan(reread(t, weak()), klpreloc.Options{Kernel: kernelOf(t, kallsyms)})
	assert.Empty(t, with(diag.Absent, found), "%v", found)
	const has = "ffffffff8ffff000 d mach_powernv\n"
	_, found = klpreloc.NewPlan(reread(t, weak()),
		klpreloc.Options{Kernel: kernelOf(t,
			strings.Replace(kallsyms, "ffffffffc0001000", has+"ffffffffc0001000", 1))})
	assert.Equal(t, "mach_powernv", the(t, diag.Inferred, found).Symbol)
}
