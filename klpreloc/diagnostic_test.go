// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
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

// declaredIDs returns the ids of diagnostic.go, by their names there.
func declaredIDs(t *testing.T) map[string]diag.ID {
	file, err := parser.ParseFile(token.NewFileSet(), "diag/id.go", nil, 0)
	require.NoError(t, err)
	all := map[string]diag.ID{}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if of, ok := v.Type.(*ast.Ident); ok && of.Name == "ID" {
				s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				require.NoError(t, err)
				all[v.Names[0].Name] = diag.ID(s)
			}
		}
		return true
	})
	require.Greater(t, len(all), 30)
	return all
}

// provoke makes modules with a diagnostic.
type provoke struct {
	severity diag.Severity
	module   string                         // of testdata
	edit     func(t *testing.T) *elfrw.File // or one made here
}

// provokeWith makes a module that is checked against a kernel.
type provokeWith struct {
	severity diag.Severity
	edit     func(t *testing.T) *elfrw.File
	kernel   string // its symbols
	options  klpreloc.Options
}

// kernelProvocations make diagnostics of modules that are checked against a kernel.
var kernelProvocations = map[diag.ID]provokeWith{
	diag.NoSuchSymbol: {diag.Error, annotated("vmlinux", "nowhere", 0), kallsyms,
		klpreloc.Options{}},
	diag.Ambiguous:   {diag.Error, annotated("vmlinux", "show", 0), kallsyms, klpreloc.Options{}},
	diag.BadPosition: {diag.Error, annotated("vmlinux", "show", 3), kallsyms, klpreloc.Options{}},
	diag.Unsteady: {diag.Error, annotated("vmlinux", "zero", 0),
		"0000000000000000 A __per_cpu_start\n0000000000000000 A zero\n" + kallsyms, klpreloc.Options{}},
	diag.OrderUnknown: {diag.Warning, annotated("vmlinux", "show", 2), "*vmlinux\nshow\nshow\n",
		klpreloc.Options{}},
	diag.NotChecked:    {diag.Warning, annotated("zfs", "show", 0), kallsyms, klpreloc.Options{}},
	diag.Inferred:      {diag.Note, using("once"), kallsyms, klpreloc.Options{}},
	diag.NotAnnotated:  {diag.Error, using("once"), kallsyms, klpreloc.Options{NoInfer: true}},
	diag.Absent:        {diag.Error, using("nowhere"), kallsyms, klpreloc.Options{}},
	diag.ModuleExport:  {diag.Warning, using("foreign"), kallsyms, klpreloc.Options{}},
	diag.PatchedExport: {diag.Note, using("patched_offers"), kallsyms, klpreloc.Options{}},
	diag.NotOffered: {diag.Note, using("only_kvm"),
		kallsyms + "ffffffffc0003000 t only_kvm\t[ext4]\n" + otherSource +
			"0x00000000\tonly_kvm\text4\tEXPORT_SYMBOL_GPL\tmodule:kvm\n", klpreloc.Options{}},
	diag.ShadowedExport: {diag.Warning, using("shadowed"),
		kallsyms + "ffffffffc0003000 t shadowed\t[ext4]\nffffffffc0004000 r __ksymtab_shadowed\t[btrfs]\n",
		klpreloc.Options{}},
	diag.DependsOnPatched: {diag.Warning, using("patched_offers"), kallsyms,
		klpreloc.Options{NoInfer: true}},
	diag.NoGate: {diag.Error, func(t *testing.T) *elfrw.File {
		f := bare(t, "x86_64")
		use(f, addUndefined(f, "foreign", elf.STB_GLOBAL))
		return f
	}, strings.ReplaceAll(kallsyms, "\t[ext4]", ""), klpreloc.Options{ConvertModuleExports: true}},
	diag.KernelUnreadable: {diag.Error, using("once"), kallsyms + "and so on\n", klpreloc.Options{}},
	diag.FileUnknown: {diag.Error, func(t *testing.T) *elfrw.File {
		return byFile(t, "vmlinux", "show", "a.c")
	}, kallsyms, klpreloc.Options{}},
	diag.NeverApplied: {diag.Error, gating("vmlinux", "vm_fn", "a"), kallsyms, klpreloc.Options{}},
	diag.GatedByOwner: {diag.Warning, gating("vmlinux a", "vm_fn", "a"), kallsyms,
		klpreloc.Options{}},
	diag.SharedCode: {diag.Error, gating("a b", "both", "c"), kallsyms, klpreloc.Options{}},
	diag.SchemeChosen: {diag.Note, gating("a", "a_fn", "a"), kallsyms,
		klpreloc.Options{Target: kernel.Version{Major: 5, Minor: 4}}},
	diag.StrangeTable: {diag.Error, func(t *testing.T) *elfrw.File {
		f := gating("a", "a_fn", "a")(t)
		addTable(t, f, ".altinstructions", 15, nil, alternative("a_fn", 0, "a_fn"))
		return f
	}, kallsyms, klpreloc.Options{}},
	diag.InertDropped: {diag.Warning, func(t *testing.T) *elfrw.File {
		f := patched(t, "a", map[string]string{"a_fn": "exported exported"})
		jumpTable(t, f, jumpLabel("a_fn", 0, "__tracepoint_a"))
		record1(t, f, "a", "__tracepoint_a", 0)
		return f
	}, kallsyms, klpreloc.Options{}},
	diag.PatchUnreadable: {diag.Warning, func(t *testing.T) *elfrw.File {
		return open(t, "x86_64/records-rfc.ko")
	}, kallsyms, klpreloc.Options{}},
	diag.LabelAgainstUse: {diag.Warning, func(t *testing.T) *elfrw.File {
		return patched(t, "a b", map[string]string{"a_fn": ".klp.sym.rela.b.b.sym,0"})
	}, kallsyms, klpreloc.Options{}},
	diag.BadList: {diag.Error, annotated("vmlinux", "once", 0), kallsyms,
		klpreloc.Options{Lists: listOf("once")}},
	diag.Incomplete: {diag.Warning, annotated("vmlinux", "show", 1),
		kallsyms + "ffffffffc0002300 t hal", klpreloc.Options{}},
	diag.InitSymbol: {diag.Error, annotated("vmlinux", "setup", 0),
		"ffffffff80000000 t __init_begin\nffffffff80000010 t setup\nffffffff80000030 t __init_end\n" +
			kallsyms, klpreloc.Options{}},
	diag.NameUnsure: {diag.Warning, annotated("vmlinux", "setup", 0),
		"ffffffff81000000 T _text\nffffffff90000010 t setup\nffffffff90000020 t setup.1\n",
		klpreloc.Options{Target: kernel.Version{Major: 6, Minor: 3}}},
	diag.LongKlpSymbol: {diag.Error, longNamed("a", 0), kallsyms,
		klpreloc.Options{Target: kernel.Version{Major: 5, Minor: 10}}},
	diag.Contradiction: {diag.Warning, using("once"),
		kallsyms + otherSource + "*vmlinux\nonce\nonce\n", klpreloc.Options{}},
	diag.Unversioned: {diag.Note, func(t *testing.T) *elfrw.File {
		f := borrower(t)
		versionTable(f, "vm_call")
		return f
	}, kallsyms, klpreloc.Options{}},

	diag.UnknownExporter: {diag.Error, func(t *testing.T) *elfrw.File {
		return imports(t, "zfs", nil, nil, "once")
	}, kallsyms, klpreloc.Options{}},
	diag.UnusedDepends: {diag.Warning, func(t *testing.T) *elfrw.File {
		return imports(t, "btrfs", nil, nil)
	}, kallsyms, klpreloc.Options{}},
}

// gating is a livepatch in which a function, or a helper of two, uses a module's
// symbol.
func gating(objects, function, owner string) func(t *testing.T) *elfrw.File {
	return func(t *testing.T) *elfrw.File {
		uses := map[string]string{function: "sym"}
		if function == "both" {
			uses = map[string]string{"a_fn": "helper", "b_fn": "helper", "helper": "sym"}
		}
		f := patched(t, objects, uses)
		record1(t, f, owner, "sym", 0)
		return f
	}
}

// otherSource parts the texts of several sources in a provocation.
const otherSource = "\x00"

func annotated(object, name string, pos uint32) func(t *testing.T) *elfrw.File {
	return func(t *testing.T) *elfrw.File {
		f := borrower(t)
		annotate(t, f, object, name, pos)
		return f
	}
}

func using(name string) func(t *testing.T) *elfrw.File {
	return func(t *testing.T) *elfrw.File { return undefined(t, name) }
}

func labelIn(arch, name, label string, relocs ...elfrw.Rela) func(t *testing.T) *elfrw.File {
	return func(t *testing.T) *elfrw.File {
		f := bare(t, arch)
		y := addUndefined(f, label, elf.STB_GLOBAL)
		for i := range relocs {
			relocs[i].Sym = y
		}
		addLoaded(f, name, 0, make([]byte, 16), relocs...)
		return f
	}
}

var provocations = map[diag.ID]provoke{
	diag.ArchSection:        {diag.Note, "arch/4.19/alt-site.ko", nil},
	diag.NotLivepatch:       {diag.Error, "bad/not-livepatch.ko", nil},
	diag.NoRecords:          {diag.Error, "bad/no-records.ko", nil},
	diag.StrayBytes:         {diag.Error, "bad/bytes-outside-records.ko", nil},
	diag.BadLabel:           {diag.Error, "bad/labels-unparsable.ko", nil},
	diag.BadObject:          {diag.Error, "bad/object-dot.ko", nil},
	diag.ObjectDash:         {diag.Note, "odd/object-dash.ko", nil},
	diag.BadName:            {diag.Error, "bad/name-too-long.ko", nil},
	diag.AnnotatedDefined:   {diag.Error, "bad/symbol-defined.ko", nil},
	diag.Conflict:           {diag.Error, "bad/two-objects.ko", nil},
	diag.Unused:             {diag.Warning, "odd/unused.ko", nil},
	diag.ModuleUnderVmlinux: {severity: diag.Error, module: "bad/label-module-in-vmlinux.ko"},
	diag.VmlinuxUnderModule: {severity: diag.Note, module: "odd/label-vmlinux-in-module.ko"},
	diag.OldKernel:          {diag.Error, "bad/kernel-too-old.ko", nil},
	diag.BadType:            {diag.Error, "bad/gotpcrel.ko", nil},
	diag.NonzeroTarget:      {diag.Error, "bad/target-nonzero.ko", nil},
	diag.NoNop:              {diag.Error, "bad/ppc64le-call-without-nop.ko", nil},
	diag.PerCPU:             {diag.Error, "bad/percpu.ko", nil},
	diag.WeakUndefined:      {diag.Error, "bad/weak-undefined.ko", nil},
	diag.StrongUndefined:    {diag.Warning, "odd/strong-undefined.ko", nil},
	diag.NeedsKernel:        {diag.Error, "files/x86_64-records.ko", nil},
	diag.BadFile:            {diag.Error, "bad/file-paths.ko", nil},
	diag.NothingToConvert:   {diag.Note, "odd/nothing-to-convert.ko", nil},
	diag.NotAllocated:       {diag.Note, "odd/debug-reference.ko", nil},
	diag.ReadOnlyTarget: {diag.Warning, "",
		labelIn("ppc64le", ".ro", ext4Foo, elfrw.Rela{Type: 38})},
	diag.InitSection: {diag.Error, "",
		labelIn("x86_64", ".init.text", ext4Foo, elfrw.Rela{Type: 2})},
	diag.SpecialSection: {diag.Error, "",
		labelIn("x86_64", "__ex_table", ext4Foo, elfrw.Rela{Type: 2})},
	diag.BadRecord: {diag.Error, "", func(t *testing.T) *elfrw.File {
		f := bare(t, "x86_64")
		addRecords(t, f, "vmlinux", 8, record{0, "extra0", 8, 0})
		return f
	}},
	diag.UnknownStride: {diag.Error, "", func(t *testing.T) *elfrw.File {
		f := bare(t, "ppc32")
		addRecords(t, f, "vmlinux", 20, record{0, "extra0", 8, 0})
		return f
	}},
	diag.UnknownMachine: {diag.Error, "", func(t *testing.T) *elfrw.File {
		f := open(t, "x86_64/labels-dot.ko")
		f.Header.Machine = elf.EM_RISCV
		return f
	}},
	diag.RelSection: {diag.Error, "", func(t *testing.T) *elfrw.File {
		f := open(t, "x86_64/labels-dot.ko")
		rel := section(t, f, ".rela.data")
		change(rel, func(r *elfrw.Rela) { r.Addend = 0 })
		rel.Type, rel.EntSize = elf.SHT_REL, 16
		return f
	}},
	diag.SplitPair: {diag.Error, "", func(t *testing.T) *elfrw.File {
		f := bare(t, "aarch64")
		f.Header.Machine = elf.EM_LOONGARCH
		addLoaded(f, ".data.pair", writable, make([]byte, 8),
			elfrw.Rela{Sym: addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL),
				Type: 51}, elfrw.Rela{Sym: f.Symbols[0], Type: 56})
		return f
	}},
	diag.HalfConverted: {diag.Error, "", func(t *testing.T) *elfrw.File {
		f := parse(t, convert(t, contents(t, "x86_64/labels-dot.ko")))
		addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL)
		return f
	}},
	diag.SignatureDropped: {diag.Warning, "", func(t *testing.T) *elfrw.File {
		return parse(t, append(contents(t, "x86_64/labels-dot.ko"), "~Module signature appended~\n"...))
	}},
	diag.ObjtoolInput: {diag.Note, "", func(t *testing.T) *elfrw.File {
		f := bare(t, "x86_64")
		f.AddSection(&elfrw.Section{Name: "__klp_relocs.ext4", Type: elf.SHT_PROGBITS})
		return f
	}},
	diag.Irregular: {diag.Error, "", func(t *testing.T) *elfrw.File {
		return irregular(t, contents(t, "x86_64/labels-dot.ko"))
	}},
	diag.AnnotationReferred: {diag.Error, "", func(t *testing.T) *elfrw.File {
		f := bare(t, "x86_64")
		data, _ := addRecords(t, f, "vmlinux", 12, record{0, "extra0", 8, 0})
		addArray(f, data, "array", 0, 12)
		use(f, symbol(t, f, "array"))
		return f
	}},
	diag.BrokenFile: {diag.Error, "",
		labelIn("x86_64", ".ro", vmlinuxFoo, elfrw.Rela{Offset: 1000, Type: 1})},
}

// irregular returns a module with a byte between two sections.
func irregular(t *testing.T, b []byte) *elfrw.File {
	for i := 64; i < len(b); i++ {
		if b[i] != 0 {
			continue
		}
		b[i] = 1
		if f, err := elfrw.Parse("", b); err == nil && f.Editable() != nil {
			return f
		}
		b[i] = 0
	}
	require.Fail(t, "no gap")
	return nil
}

func TestEveryIDIsProvoked(t *testing.T) {
	seen := map[diag.ID]bool{
		diag.ProofFailed: true, // by mutated files only: see TestProofDiagnostic
		diag.FileAccess:  true, // by the command only: see its files.txtar

		// by kernels with directories of modules: see TestObjectsOfAKernelWithModules
		diag.BuiltInObject: true,
		diag.NoSuchObject:  true,
		diag.OtherKernel:   true,
		diag.TrailingData:  true, // by the command, which unpacks
		diag.OtherFile:     true, // by kernels with files: see TestAnnotationByFile
		diag.FileAssumed:   true, // the same
		diag.TargetBuild:   true, // by kernels with modules' files: see TestBuildsAreRecorded

		// by kernels with types: see declarations.txtar, annotate_declarations.txtar and new.txtar of
		// the command
		diag.OtherDeclaration: true,
		diag.OtherSignature:   true,
		diag.OtherLayout:      true,
		diag.NotCompared:      true,
		diag.NotReplaceable:   true,
		diag.NoTypes:          true,
	}
	isReported := func(id diag.ID, severity diag.Severity, f *elfrw.File, o klpreloc.Options) {
		_, found := klpreloc.NewPlan(f, o)
		is := func(d diag.Diagnostic) bool { return d.ID == id && d.Severity == severity }
		assert.True(t, slices.ContainsFunc(found, is), "%s is not reported, but %v", id, found)
		for _, d := range found {
			assert.Contains(t, diag.Lookup(d.ID).Severities, d.Severity, "%s in the catalogue", d.ID)
		}
		seen[id] = true
	}
	for id, p := range provocations {
		f := p.edit
		if f == nil {
			f = func(t *testing.T) *elfrw.File { return open(t, p.module) }
		}
		isReported(id, p.severity, f(t), klpreloc.Options{})
	}
	for id, p := range kernelProvocations {
		p.options.Kernel = kernelOf(t, strings.Split(p.kernel, otherSource)...)
		isReported(id, p.severity, reread(t, p.edit(t)), p.options)
	}
	for name, id := range declaredIDs(t) {
		assert.True(t, seen[id], "nothing provokes %s (%s)", name, id)
	}
}

func TestIDsAreUnique(t *testing.T) {
	names := map[diag.ID]string{}
	for name, id := range declaredIDs(t) {
		assert.Empty(t, names[id], "%s and %s are %s", name, names[id], id)
		assert.Regexp(t, `^KLP\d{3}$`, id)
		names[id] = name
	}
}

func TestEveryBadModuleIsRefused(t *testing.T) {
	for _, name := range modules(t, "bad") {
		plan, found := klpreloc.NewPlan(open(t, name), klpreloc.Options{})
		assert.Nil(t, plan, name)
		assert.True(t, found.Failed(), name)
	}
}

func TestSeveralMistakesAreReportedTogether(t *testing.T) {
	assert.Equal(t, []diag.ID{diag.BadLabel, diag.BadObject, diag.Conflict},
		ids(t, open(t, "bad/several-mistakes.ko"), diag.Error))
}

func TestDiagnosticsInOrder(t *testing.T) {
	off := func(n uint64) *uint64 { return &n }
	d := diag.List{
		{Severity: diag.Note, Message: "n"}, {Severity: diag.Warning, Message: "w"},
		{Severity: diag.Error, Section: "b", Offset: off(1), Message: "e4"}, {Severity: diag.Error,
			Section: "a", Offset: off(9), Message: "e3"},
		{Severity: diag.Error, Section: "a", Offset: off(2), Message: "e2"}, {Severity: diag.Error,
			Section: "a", Message: "e1"}, {Severity: diag.Error, Message: "e0"},
	}
	assert.True(t, d.Failed())
	d.Sort()
	var lines []string
	for _, x := range d {
		lines = append(lines, x.Severity.String()+" "+x.String())
	}
	assert.Equal(t, []string{"error e0", "error a: e1", "error a+0x2: e2", "error a+0x9: e3",
		"error b+0x1: e4", "warning w", "note n"}, lines)
	assert.False(t, d[5:].Failed())
}

func TestDiagnosticAsJSON(t *testing.T) {
	off := uint64(0)
	b, err := json.Marshal(diag.Diagnostic{ID: diag.BadType, Severity: diag.Error, Section: ".text",
		Offset: &off, Message: "m"})
	require.NoError(t, err)
	assert.JSONEq(t,
		`{"id":"KLP017","severity":"error","section":".text","offset":0,"message":"m"}`, string(b))
}

func TestFileDiagnostic(t *testing.T) {
	for want, err := range map[string]error{
		".text+0x4: cause": fmt.Errorf("while: %w", &elfrw.Error{File: "f", Section: ".text", Offset: 4,
			Err: errors.New("cause")}),
		"file+0x4: cause": &elfrw.Error{Offset: 4, Err: errors.New("cause")},
		".text: cause":    &elfrw.Error{Section: ".text", Offset: -1, Err: errors.New("cause")},
		"cause":           errors.New("cause"),
	} {
		d := diag.OfFile(err)
		assert.Equal(t, want, d.String())
		assert.Equal(t, diag.BrokenFile, d.ID)
	}
}

func TestProofDiagnostic(t *testing.T) {
	d := klpreloc.ProofDiagnostic(errors.New("lost"))
	assert.Equal(t, diag.ProofFailed, d.ID)
	assert.Equal(t, diag.Error, d.Severity)
	assert.Contains(t, d.String(), "lost")
}
