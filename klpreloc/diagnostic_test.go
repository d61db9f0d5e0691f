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
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
)

// declaredIDs returns the ids of diagnostic.go, by their names there.
func declaredIDs(t *testing.T) map[string]klpreloc.ID {
	file, err := parser.ParseFile(token.NewFileSet(), "diagnostic.go", nil, 0)
	require.NoError(t, err)
	all := map[string]klpreloc.ID{}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if of, ok := v.Type.(*ast.Ident); ok && of.Name == "ID" {
				s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				require.NoError(t, err)
				all[v.Names[0].Name] = klpreloc.ID(s)
			}
		}
		return true
	})
	require.Greater(t, len(all), 30)
	return all
}

// provoke makes a module that is said something about.
type provoke struct {
	severity klpreloc.Severity
	module   string                         // of testdata
	edit     func(t *testing.T) *elfrw.File // or one made here
}

// provokeWith makes one that is held against a kernel.
type provokeWith struct {
	severity klpreloc.Severity
	edit     func(t *testing.T) *elfrw.File
	kernel   string // its symbols
	options  klpreloc.Options
}

// kernelProvocations are said of modules held against a kernel.
var kernelProvocations = map[klpreloc.ID]provokeWith{
	klpreloc.NoSuchSymbol:     {klpreloc.Error, annotated("vmlinux", "nowhere", 0), kallsyms, klpreloc.Options{}},
	klpreloc.Ambiguous:        {klpreloc.Error, annotated("vmlinux", "show", 0), kallsyms, klpreloc.Options{}},
	klpreloc.BadPosition:      {klpreloc.Error, annotated("vmlinux", "show", 3), kallsyms, klpreloc.Options{}},
	klpreloc.Unsteady:         {klpreloc.Error, annotated("vmlinux", "zero", 0), "0000000000000000 A __per_cpu_start\n0000000000000000 A zero\n" + kallsyms, klpreloc.Options{}},
	klpreloc.OrderUnknown:     {klpreloc.Warning, annotated("vmlinux", "show", 2), "*vmlinux\nshow\nshow\n", klpreloc.Options{}},
	klpreloc.NotChecked:       {klpreloc.Warning, annotated("zfs", "show", 0), kallsyms, klpreloc.Options{}},
	klpreloc.Inferred:         {klpreloc.Note, using("once"), kallsyms, klpreloc.Options{}},
	klpreloc.NotAnnotated:     {klpreloc.Error, using("once"), kallsyms, klpreloc.Options{NoInfer: true}},
	klpreloc.Absent:           {klpreloc.Error, using("nowhere"), kallsyms, klpreloc.Options{}},
	klpreloc.ModuleExport:     {klpreloc.Warning, using("foreign"), kallsyms, klpreloc.Options{}},
	klpreloc.PatchedExport:    {klpreloc.Note, using("patched_offers"), kallsyms, klpreloc.Options{}},
	klpreloc.NotOffered:       {klpreloc.Note, using("only_kvm"), kallsyms + "ffffffffc0003000 t only_kvm\t[ext4]\n" + otherSource + "0x00000000\tonly_kvm\text4\tEXPORT_SYMBOL_GPL\tmodule:kvm\n", klpreloc.Options{}},
	klpreloc.ShadowedExport:   {klpreloc.Warning, using("shadowed"), kallsyms + "ffffffffc0003000 t shadowed\t[ext4]\nffffffffc0004000 r __ksymtab_shadowed\t[btrfs]\n", klpreloc.Options{}},
	klpreloc.DependsOnPatched: {klpreloc.Warning, using("patched_offers"), kallsyms, klpreloc.Options{NoInfer: true}},
	klpreloc.NoGate: {klpreloc.Error, func(t *testing.T) *elfrw.File {
		f := bare(t, "x86_64")
		use(f, addUndefined(f, "foreign", elf.STB_GLOBAL))
		return f
	}, strings.ReplaceAll(kallsyms, "\t[ext4]", ""), klpreloc.Options{ConvertModuleExports: true}},
	klpreloc.KernelUnreadable: {klpreloc.Error, using("once"), kallsyms + "and so on\n", klpreloc.Options{}},
	klpreloc.FileUnknown:      {klpreloc.Error, func(t *testing.T) *elfrw.File { return byFile(t, "vmlinux", "show", "a.c") }, kallsyms, klpreloc.Options{}},
	klpreloc.NeverApplied:     {klpreloc.Error, gating("vmlinux", "vm_fn", "a"), kallsyms, klpreloc.Options{}},
	klpreloc.GatedByOwner:     {klpreloc.Warning, gating("vmlinux a", "vm_fn", "a"), kallsyms, klpreloc.Options{}},
	klpreloc.SharedCode:       {klpreloc.Error, gating("a b", "both", "c"), kallsyms, klpreloc.Options{}},
	klpreloc.SchemeChosen:     {klpreloc.Note, gating("a", "a_fn", "a"), kallsyms, klpreloc.Options{Target: klpreloc.Version{Major: 5, Minor: 4}}},
	klpreloc.StrangeTable: {klpreloc.Error, func(t *testing.T) *elfrw.File {
		f := gating("a", "a_fn", "a")(t)
		addTable(t, f, ".altinstructions", 15, nil, alternative("a_fn", 0, "a_fn"))
		return f
	}, kallsyms, klpreloc.Options{}},
	klpreloc.InertDropped: {klpreloc.Warning, func(t *testing.T) *elfrw.File {
		f := patched(t, "a", map[string]string{"a_fn": "exported exported"})
		jumpTable(t, f, jumpLabel("a_fn", 0, "__tracepoint_a"))
		record1(t, f, "a", "__tracepoint_a", 0)
		return f
	}, kallsyms, klpreloc.Options{}},
	klpreloc.PatchUnreadable: {klpreloc.Warning, func(t *testing.T) *elfrw.File { return open(t, "x86_64/records-rfc.ko") }, kallsyms, klpreloc.Options{}},
	klpreloc.LabelAgainstUse: {klpreloc.Warning, func(t *testing.T) *elfrw.File {
		return patched(t, "a b", map[string]string{"a_fn": ".klp.sym.rela.b.b.sym,0"})
	}, kallsyms, klpreloc.Options{}},
	klpreloc.Incomplete:    {klpreloc.Warning, annotated("vmlinux", "show", 1), kallsyms + "ffffffffc0002300 t hal", klpreloc.Options{}},
	klpreloc.InitSymbol:    {klpreloc.Error, annotated("vmlinux", "setup", 0), "ffffffff80000000 t __init_begin\nffffffff80000010 t setup\nffffffff80000030 t __init_end\n" + kallsyms, klpreloc.Options{}},
	klpreloc.NameUnsure:    {klpreloc.Warning, annotated("vmlinux", "setup", 0), "ffffffff81000000 T _text\nffffffff90000010 t setup\nffffffff90000020 t setup.1\n", klpreloc.Options{Target: klpreloc.Version{Major: 6, Minor: 3}}},
	klpreloc.LongKlpSymbol: {klpreloc.Error, longNamed("a", 0), kallsyms, klpreloc.Options{Target: klpreloc.Version{Major: 5, Minor: 10}}},
	klpreloc.Contradiction: {klpreloc.Warning, using("once"), kallsyms + otherSource + "*vmlinux\nonce\nonce\n", klpreloc.Options{}},
	klpreloc.Unversioned:   {klpreloc.Note, func(t *testing.T) *elfrw.File { f := borrower(t); versionTable(f, "vm_call"); return f }, kallsyms, klpreloc.Options{}},

	klpreloc.UnknownExporter: {klpreloc.Error, func(t *testing.T) *elfrw.File { return imports(t, "zfs", nil, nil, "once") }, kallsyms, klpreloc.Options{}},
	klpreloc.UnusedDepends:   {klpreloc.Warning, func(t *testing.T) *elfrw.File { return imports(t, "btrfs", nil, nil) }, kallsyms, klpreloc.Options{}},
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

var provocations = map[klpreloc.ID]provoke{
	klpreloc.ArchSection:        {klpreloc.Note, "arch/4.19/alt-site.ko", nil},
	klpreloc.NotLivepatch:       {klpreloc.Error, "bad/not-livepatch.ko", nil},
	klpreloc.NoRecords:          {klpreloc.Error, "bad/no-records.ko", nil},
	klpreloc.StrayBytes:         {klpreloc.Error, "bad/bytes-outside-records.ko", nil},
	klpreloc.BadLabel:           {klpreloc.Error, "bad/labels-unparsable.ko", nil},
	klpreloc.BadObject:          {klpreloc.Error, "bad/object-dot.ko", nil},
	klpreloc.ObjectDash:         {klpreloc.Note, "odd/object-dash.ko", nil},
	klpreloc.BadName:            {klpreloc.Error, "bad/name-too-long.ko", nil},
	klpreloc.AnnotatedDefined:   {klpreloc.Error, "bad/symbol-defined.ko", nil},
	klpreloc.Conflict:           {klpreloc.Error, "bad/two-objects.ko", nil},
	klpreloc.Unused:             {klpreloc.Warning, "odd/unused.ko", nil},
	klpreloc.ModuleUnderVmlinux: {severity: klpreloc.Error, module: "bad/label-module-in-vmlinux.ko"},
	klpreloc.VmlinuxUnderModule: {severity: klpreloc.Note, module: "odd/label-vmlinux-in-module.ko"},
	klpreloc.OldKernel:          {klpreloc.Error, "bad/kernel-too-old.ko", nil},
	klpreloc.BadType:            {klpreloc.Error, "bad/gotpcrel.ko", nil},
	klpreloc.NonzeroTarget:      {klpreloc.Error, "bad/target-nonzero.ko", nil},
	klpreloc.NoNop:              {klpreloc.Error, "bad/ppc64le-call-without-nop.ko", nil},
	klpreloc.PerCPU:             {klpreloc.Error, "bad/percpu.ko", nil},
	klpreloc.WeakUndefined:      {klpreloc.Error, "bad/weak-undefined.ko", nil},
	klpreloc.StrongUndefined:    {klpreloc.Warning, "odd/strong-undefined.ko", nil},
	klpreloc.NeedsKernel:        {klpreloc.Error, "files/x86_64-records.ko", nil},
	klpreloc.BadFile:            {klpreloc.Error, "bad/file-paths.ko", nil},
	klpreloc.NothingToConvert:   {klpreloc.Note, "odd/nothing-to-convert.ko", nil},
	klpreloc.NotAllocated:       {klpreloc.Note, "odd/debug-reference.ko", nil},
	klpreloc.ReadOnlyTarget:     {klpreloc.Warning, "", labelIn("ppc64le", ".ro", ext4Foo, elfrw.Rela{Type: 38})},
	klpreloc.InitSection:        {klpreloc.Error, "", labelIn("x86_64", ".init.text", ext4Foo, elfrw.Rela{Type: 2})},
	klpreloc.SpecialSection:     {klpreloc.Error, "", labelIn("x86_64", "__ex_table", ext4Foo, elfrw.Rela{Type: 2})},
	klpreloc.BadRecord: {klpreloc.Error, "", func(t *testing.T) *elfrw.File {
		f := bare(t, "x86_64")
		addRecords(t, f, "vmlinux", 8, record{0, "extra0", 8, 0})
		return f
	}},
	klpreloc.UnknownStride: {klpreloc.Error, "", func(t *testing.T) *elfrw.File {
		f := bare(t, "ppc32")
		addRecords(t, f, "vmlinux", 20, record{0, "extra0", 8, 0})
		return f
	}},
	klpreloc.UnknownMachine: {klpreloc.Error, "", func(t *testing.T) *elfrw.File {
		f := open(t, "x86_64/labels-dot.ko")
		f.Header.Machine = elf.EM_RISCV
		return f
	}},
	klpreloc.RelSection: {klpreloc.Error, "", func(t *testing.T) *elfrw.File {
		f := open(t, "x86_64/labels-dot.ko")
		rel := section(t, f, ".rela.data")
		change(rel, func(r *elfrw.Rela) { r.Addend = 0 })
		rel.Type, rel.EntSize = elf.SHT_REL, 16
		return f
	}},
	klpreloc.SplitPair: {klpreloc.Error, "", func(t *testing.T) *elfrw.File {
		f := bare(t, "aarch64")
		f.Header.Machine = elf.EM_LOONGARCH
		addLoaded(f, ".data.pair", writable, make([]byte, 8), elfrw.Rela{Sym: addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL), Type: 51}, elfrw.Rela{Sym: f.Symbols[0], Type: 56})
		return f
	}},
	klpreloc.HalfConverted: {klpreloc.Error, "", func(t *testing.T) *elfrw.File {
		f := parse(t, convert(t, contents(t, "x86_64/labels-dot.ko")))
		addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL)
		return f
	}},
	klpreloc.SignatureDropped: {klpreloc.Warning, "", func(t *testing.T) *elfrw.File {
		return parse(t, append(contents(t, "x86_64/labels-dot.ko"), "~Module signature appended~\n"...))
	}},
	klpreloc.ObjtoolInput: {klpreloc.Note, "", func(t *testing.T) *elfrw.File {
		f := bare(t, "x86_64")
		f.AddSection(&elfrw.Section{Name: "__klp_relocs.ext4", Type: elf.SHT_PROGBITS})
		return f
	}},
	klpreloc.Irregular: {klpreloc.Error, "", func(t *testing.T) *elfrw.File {
		return irregular(t, contents(t, "x86_64/labels-dot.ko"))
	}},
	klpreloc.AnnotationReferred: {klpreloc.Error, "", func(t *testing.T) *elfrw.File {
		f := bare(t, "x86_64")
		data, _ := addRecords(t, f, "vmlinux", 12, record{0, "extra0", 8, 0})
		addArray(f, data, "array", 0, 12)
		use(f, symbol(t, f, "array"))
		return f
	}},
	klpreloc.BrokenFile: {klpreloc.Error, "", labelIn("x86_64", ".ro", vmlinuxFoo, elfrw.Rela{Offset: 1000, Type: 1})},
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
	seen := map[klpreloc.ID]bool{
		klpreloc.ProofFailed: true, // by mutated files only: see TestProofDiagnostic
		klpreloc.FileAccess:  true, // by the command only: see its files.txtar

		klpreloc.BuiltInObject: true, // by kernels with folders of modules: see TestObjectsOfAKernelWithModules
		klpreloc.NoSuchObject:  true,
		klpreloc.OtherKernel:   true,
		klpreloc.TrailingData:  true, // by the command, which unpacks
		klpreloc.OtherFile:     true, // by kernels with files: see TestAnnotationByFile
		klpreloc.FileAssumed:   true, // the same
	}
	said := func(id klpreloc.ID, severity klpreloc.Severity, f *elfrw.File, o klpreloc.Options) {
		_, found := klpreloc.NewPlan(f, o)
		is := func(d klpreloc.Diagnostic) bool { return d.ID == id && d.Severity == severity }
		assert.True(t, slices.ContainsFunc(found, is), "%s is not said, but %v", id, found)
		seen[id] = true
	}
	for id, p := range provocations {
		f := p.edit
		if f == nil {
			f = func(t *testing.T) *elfrw.File { return open(t, p.module) }
		}
		said(id, p.severity, f(t), klpreloc.Options{})
	}
	for id, p := range kernelProvocations {
		p.options.Kernel = kernelOf(t, strings.Split(p.kernel, otherSource)...)
		said(id, p.severity, reread(t, p.edit(t)), p.options)
	}
	for name, id := range declaredIDs(t) {
		assert.True(t, seen[id], "nothing provokes %s (%s)", name, id)
	}
}

func TestIDsAreUnique(t *testing.T) {
	names := map[klpreloc.ID]string{}
	for name, id := range declaredIDs(t) {
		assert.Empty(t, names[id], "%s and %s are %s", name, names[id], id)
		assert.Regexp(t, `^KLP\d{3}$`, id)
		names[id] = name
	}
}

func TestEveryIDIsDocumented(t *testing.T) {
	b, err := os.ReadFile("../docs/errors.md")
	if errors.Is(err, os.ErrNotExist) {
		return // before there are documents
	}
	require.NoError(t, err)
	for name, id := range declaredIDs(t) {
		found := false
		for _, line := range strings.Split(string(b), "\n") {
			heading := strings.HasPrefix(line, "#") || strings.Contains(line, "<a ")
			found = found || heading && (strings.Contains(line, string(id)) || strings.Contains(line, strings.ToLower(string(id))))
		}
		assert.True(t, found, "docs/errors.md has no heading for %s (%s)", id, name)
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
	assert.Equal(t, []klpreloc.ID{klpreloc.BadLabel, klpreloc.BadObject, klpreloc.Conflict}, ids(t, open(t, "bad/several-mistakes.ko"), klpreloc.Error))
}

func TestDiagnosticsInOrder(t *testing.T) {
	off := func(n uint64) *uint64 { return &n }
	d := klpreloc.Diagnostics{
		{Severity: klpreloc.Note, Message: "n"}, {Severity: klpreloc.Warning, Message: "w"},
		{Severity: klpreloc.Error, Section: "b", Offset: off(1), Message: "e4"}, {Severity: klpreloc.Error, Section: "a", Offset: off(9), Message: "e3"},
		{Severity: klpreloc.Error, Section: "a", Offset: off(2), Message: "e2"}, {Severity: klpreloc.Error, Section: "a", Message: "e1"}, {Severity: klpreloc.Error, Message: "e0"},
	}
	assert.True(t, d.Failed())
	d.Sort()
	var lines []string
	for _, x := range d {
		lines = append(lines, x.Severity.String()+" "+x.String())
	}
	assert.Equal(t, []string{"error e0", "error a: e1", "error a+0x2: e2", "error a+0x9: e3", "error b+0x1: e4", "warning w", "note n"}, lines)
	assert.False(t, d[5:].Failed())
}

func TestDiagnosticAsJSON(t *testing.T) {
	off := uint64(0)
	b, err := json.Marshal(klpreloc.Diagnostic{ID: klpreloc.BadType, Severity: klpreloc.Error, Section: ".text", Offset: &off, Message: "m"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"id":"KLP017","severity":"error","section":".text","offset":0,"message":"m"}`, string(b))
}

func TestFileDiagnostic(t *testing.T) {
	for want, err := range map[string]error{
		".text+0x4: cause": fmt.Errorf("while: %w", &elfrw.Error{File: "f", Section: ".text", Offset: 4, Err: errors.New("cause")}),
		"file+0x4: cause":  &elfrw.Error{Offset: 4, Err: errors.New("cause")},
		".text: cause":     &elfrw.Error{Section: ".text", Offset: -1, Err: errors.New("cause")},
		"cause":            errors.New("cause"),
	} {
		d := klpreloc.FileDiagnostic(err)
		assert.Equal(t, want, d.String())
		assert.Equal(t, klpreloc.BrokenFile, d.ID)
	}
}

func TestProofDiagnostic(t *testing.T) {
	d := klpreloc.ProofDiagnostic(errors.New("lost"))
	assert.Equal(t, klpreloc.ProofFailed, d.ID)
	assert.Equal(t, klpreloc.Error, d.Severity)
	assert.Contains(t, d.String(), "lost")
}
