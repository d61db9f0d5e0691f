// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

// What the reference says is converted is built as an author builds it: all modules of
// testdata/reference.txtar by one make, with klp-convert.mk here, and in a hooked tree by
// testReference. The target, whose name has a dash, is built beside its livepatches, and
// no flag names it.

// reference lays out testdata/reference.txtar.
func (w *workbench) reference(t *testing.T) *project {
	t.Helper()
	p := &project{t, w, t.TempDir(), filepath.Join(w.root, "scripts/klp-convert.mk")}
	for _, f := range referenceFiles(t) {
		p.write(f.Name, string(f.Data))
	}
	return p
}

func referenceFiles(t *testing.T) []txtar.File {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/reference.txtar")
	require.NoError(t, err)
	return archive.Files
}

// A referenceCase is a livepatch and what comes of it.
type referenceCase struct {
	name    string
	symbols []string // klp symbols, as inspect tells: name, object
	depends string
	prints  string // of /proc/NAME, after it is loaded; "": see the test
}

var referenceCases = []referenceCase{
	{"ref-record", []string{"ref_secret ref_target", "ref_offered ref_target",
		"ref_spaced ref_target", "ref_only ref_target", "ref_twin ref_target",
		"saved_command_line vmlinux"},
		"", "record: 1 2 3 4 6 " + cmdlineMark},
	{"ref-label", []string{"ref_secret ref_target", "ref_offered ref_target",
		"ref_spaced ref_target", "ref_only ref_target", "ref_twin ref_target",
		"saved_command_line vmlinux"},
		"", "label: 1 2 3 4 5 6 " + cmdlineMark},
	{"ref-odd", []string{"ref_secret ref_target", "linux_banner vmlinux"}, "",
		"odd: 1 Linux version"},
	{"ref-sub", []string{"ref_only ref_target"}, "", "sub: 4"},
	{"ref-infer", []string{"ref_secret ref_target", "ref_offered ref_target",
		"ref_spaced ref_target", "ref_only ref_target"}, "", "infer: 1 2 3 4"},
}

// cmdlineMark is replaced by the booted kernel's command line.
const cmdlineMark = "CMDLINE"

func (c referenceCase) file() string { return strings.TrimPrefix(c.name, "ref-") }

// check looks at the converted file, and returns the steps that load it and read.
func (c referenceCase) check(p *project, path, line string) []step {
	p.t.Helper()
	printed := p.inspect(path)
	assert.Contains(p.t, printed, p.bench.kernel.inspected("converted"))
	for _, s := range c.symbols {
		name, object, _ := strings.Cut(s, " ")
		assert.Regexp(p.t, `(?m)^  `+regexp.QuoteMeta(name)+` +`+regexp.QuoteMeta(object)+` `,
			printed, c.name)
	}
	assert.Regexp(p.t, `(?m)^  depends *`+c.depends+`$`, printed, c.name)
	return []step{
		loadSettled(c.name),
		sh("cat /proc/ref_"+c.file(), prints(strings.ReplaceAll(c.prints, cmdlineMark, line))),
	}
}

// loadSettled is enable for a file whose name has dashes, where the module's has '_'.
func loadSettled(name string) step {
	return sh(all("load "+name+".ko", "settle "+strings.ReplaceAll(name, "-", "_")))
}

func TestReferenceOutOfTree(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		p := w.reference(t)
		out := p.make("-j2", "KLP_CONVERT_FLAGS=-v")
		for id, of := range map[string]string{
			"KLP008": "ref-odd", "KLP012": "ref-odd", "KLP014": "ref-odd", "KLP048": "ref-infer",
			"KLP051": "ref-import", "KLP052": "ref-infer", "KLP055": "ref-record",
		} {
			assert.Regexp(t, `(?m)/`+of+`\.ko: .*\[`+id+`\]$`, out)
		}
		// modpost of 5.4 and later would stop at these.
		assert.Regexp(t,
			`(?m)^WARNING: modpost: .*ref-record.*uses symbol '?ref_spaced'? from namespace '?REF_SPACE'?, but does not import it\.$`, out)
		assert.Regexp(t,
			`(?m)^WARNING: modpost: .*ref-record.*uses symbol '?ref_only'? `+
				`from namespace '?(REF_ONLY|module:ref-user)'?, but does not import it\.$`, out)
		assert.Empty(t, converted(p.make("KLP_CONVERT_FLAGS=-v")), "nothing has changed")

		s := w.scene(t)
		s.file("ref-target.ko", p.file("ref-target.ko"))
		steps := []step{sh("load ref-target.ko")}
		for _, c := range referenceCases {
			name := c.name + ".ko"
			if c.name == "ref-sub" {
				name = "sub/" + name
			}
			steps = append(steps, c.check(p, p.path(name), Cmdline)...)
			s.file(c.name+".ko", p.file(name))
		}
		for _, name := range []string{"ref-import.ko", "ref-vmlinux.ko"} {
			s.file(name, p.file(name))
		}
		assert.Regexp(t, `(?m)^  depends *ref-target$`, p.inspect(p.path("ref-import.ko")))
		vmlinux, spaced, bare := p.inspect(p.path("ref-vmlinux.ko")), "dma_buf_put", "klp_enable_patch"
		if !w.kernel.AtLeast(5, 16) { // dma-buf's namespace: 16b0314aa746
			spaced = "fw_fallback_config"
		}
		if w.kernel.AtLeast(7, 0) {
			bare = "write_ibpb"
			assert.Regexp(t,
				`/ref-vmlinux\.ko: note: klp-convert: symbol write_ibpb is exported by vmlinux `+
					`to other modules only \(module:kvm.*\[KLP053\]`, out)
			assert.Regexp(t, `(?m)^  write_ibpb +vmlinux `, vmlinux)
		}
		assert.Regexp(t, `(?m)^  `+spaced+` +vmlinux `, vmlinux)
		steps = append(steps,
			loadSettled("ref-vmlinux"),
			sh("head -n 1 /proc/version", prints("vmlinux: "+spaced+" "+bare)),
			loadSettled("ref-import"),
			sh(cmdline, prints("import: 2")),
			// The other livepatches hold no reference to what they patch.
			remove("ref_import"),
			sh("rmmod ref_target"),
			sh("load ref-target.ko", reloads(w.kernel)),
		)
		s.run(steps...)
	})
}

// reloads: until 6.3 x86 does not take the target a second time
// (TestModuleRemovedAndLoadedAgain).
func reloads(k *Kernel) check {
	if k.AtLeast(6, 3) {
		return logs("applying patch 'ref_record' to loading module 'ref_target'")
	}
	return refuses("ENOEXEC", "refusing to load module 'ref_target'")
}

// The lab's own modules, which other tests convert by hand, by klp-convert.mk: dialects,
// sections, special tables, one symbol of two objects (KLP011), code for something else
// (KLP065), entries that are dropped (KLP070).
func TestLabModulesOutOfTree(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		p := &project{t, w, t.TempDir(), filepath.Join(w.root, "scripts/klp-convert.mk")}
		modules, err := fs.Sub(Sources, "modules")
		require.NoError(t, err)
		require.NoError(t, os.CopyFS(p.dir, modules))
		for _, refused := range []string{"forced", "longname"} {
			p.edit("Kbuild", " "+refused+"/", "")
		}
		p.makefile("export KLP_INCLUDE := " + filepath.Join(w.root, "scripts/include") +
			"\ninclude KLP_MK\n")
		out := p.make("-j2")
		for id, of := range map[string]string{"KLP065": "klplab_gate", "KLP070": "klplab_inert"} {
			assert.Regexp(t, `(?m)/`+of+`\.ko: warning: .*\[`+id+`\]$`, out)
		}
		s := w.scene(t)
		for _, name := range converted(out) {
			found, err := filepath.Glob(p.path("*/" + name))
			require.NoError(t, err)
			require.Len(t, found, 1, name)
			want := "converted"
			if slices.Contains([]string{"klplab_target.ko", "klplab_owner.ko", "klplab_every.ko"}, name) {
				want = "no livepatch"
			}
			assert.Contains(t, p.inspect(found[0]), w.kernel.inspected(want), name)
			s.file(name, readFile(t, found[0]))
		}
		assert.Empty(t, converted(p.make()), "nothing has changed")
		s.run(
			sh("load klplab_target.ko"),
			sh("load klplab_owner.ko"),
			enable("klplab_two"),
			sh(show, prints("two: helper 43 secret of owner 1000")),
			sh(showOwner, prints("two: helper 1002")),
			remove("klplab_two"),
			enable("klplab_inert"),
			sh("cat /proc/klplab_inert", prints("inert: helper 1001")),
			enable("klplab_gate"),
			sh(cmdline, prints("owner has 1001")),
			remove("klplab_gate"),
			enable("klplab_mixed"),
			sh(show, patchedBy("klplab_mixed", "42", "43")),
			remove("klplab_mixed"),
			enable("klplab_sections"),
			sh(show, prints(sectionsText)),
		)
	})
}

// What modpost is told to let pass is an error of klp-convert's, in livepatches and in
// ordinary modules, and of the namespace that is not annotated only.
func TestOutOfTreeMissingNamespace(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		p := w.reference(t)
		p.makefile("include KLP_MK\n")
		p.write("Kbuild", "obj-m := ref-target.o ref-import.o ref-user2.o\n"+
			"ref-target-y := ref-main.o ref-twin.o\nccflags-y := -DREF=1\n")
		p.write("ref-user2.c", "#include <linux/module.h>\n#include \"ref.h\"\n"+
			"static int __init user_init(void) { return ref_spaced() + ref_only(); }\n"+
			"module_init(user_init);\nMODULE_LICENSE(\"GPL\");\nMODULE_DESCRIPTION(\"imports\");\n")
		p.edit("ref-import.c", "ref_offered()", "ref_spaced()")
		out := p.refused("-k")
		for _, name := range []string{"ref-user2", "ref-import"} {
			assert.Contains(t, out, name+".ko: error: klp-convert: symbol ref_spaced is exported "+
				"by module ref_target in namespace REF_SPACE, which the module does not import: "+
				"the kernel would refuse the module (EINVAL) [KLP053]")
		}
		assert.Regexp(t,
			`ref-user2\.ko: error: klp-convert: symbol ref_only is exported by module ref_target .*\[KLP053\]`, out)
		assert.Equal(t, []string{"ref-target.ko"}, p.modules(""))

		quote := ""
		if w.kernel.AtLeast(6, 13) {
			quote = `"`
		}
		p.edit("ref-user2.c", "MODULE_DESCRIPTION",
			"MODULE_IMPORT_NS("+quote+"REF_SPACE"+quote+");\nMODULE_DESCRIPTION")
		p.edit("ref-user2.c", " + ref_only()", "")
		p.edit("ref-import.c", "ref_spaced()", "ref_offered()")
		assert.Equal(t, []string{"ref-import.ko", "ref-user2.ko"}, converted(p.make()))
	})
}

// Before 5.4 Kbuild writes kernel//path/X.ko for external modules (scripts/Makefile.build,
// modorder): such a modules.order is made here of what a later one has written.
func TestOutOfTreeOrderOfOldKernels(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t)
		p.make("-C", w.kernel.Headers, "M="+p.dir, "KBUILD_MODPOST_WARN=1", "modules")
		p.write("modules.order",
			"kernel/"+p.path("livepatch-two.ko")+"\nkernel/"+p.path("plain.ko")+"\nkernel/"+p.path("sub/livepatch-sub.ko")+"\n")
		assert.Equal(t, []string{"livepatch-sub.ko", "livepatch-two.ko", "plain.ko"},
			converted(p.make("klp-convert")))
		assert.Contains(t, p.inspect(p.path("sub/livepatch-sub.ko")), w.kernel.inspected("converted"))
		assert.Empty(t, converted(p.make("klp-convert")), "nothing has changed")
	})
}

// commandOf returns the arguments by which a verbose make converted the module.
func commandOf(t *testing.T, out, name string) string {
	t.Helper()
	for _, line := range strings.Split(out, "\n") {
		if strings.Contains(line, "/"+name+" ") && strings.Contains(line, ".klp.tmp") &&
			!strings.HasPrefix(strings.TrimSpace(line), "rm ") {
			return line
		}
	}
	require.Fail(t, "no command for "+name, "%s", out)
	return ""
}

// What is built beside a livepatch is given to it, whatever is known of the kernel, and
// what the author says comes first.
func TestOutOfTreeTargetBeside(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.reference(t)
		target := "--module " + p.path("ref-target.ko")
		p.write("Kbuild", "obj-m := ref-record.o ref-label.o ref-target.o\n"+
			"ref-target-y := ref-main.o ref-twin.o\nccflags-y := -DREF=1\n")
		p.makefile("include KLP_MK\n")
		out := p.make("V=1")
		assert.Contains(t, commandOf(t, out, "ref-record.ko"), target+" ")
		assert.NotContains(t, commandOf(t, out, "ref-record.ko"), "ref-label.ko",
			"a livepatch is for no livepatch")
		assert.NotContains(t, commandOf(t, out, "ref-target.ko"), "--module")

		// Without a kernel, what is known of the target is checked all the same.
		out = p.make("V=1", "KLP_KERNEL=")
		assert.Contains(t, commandOf(t, out, "ref-record.ko"), target+" ")
		p.edit("ref-record.c", "KLP_SYMPOS(ref_secret, 0)", "KLP_SYMPOS(ref_secret, 2)")
		assert.Contains(t, p.refused("KLP_KERNEL="), "position 2 of symbol ref_secret in "+
			"ref_target does not exist: there is 1 of that name [KLP044]")
		p.edit("ref-record.c", "KLP_SYMPOS(ref_secret, 2)", "KLP_SYMPOS(ref_secret, 0)")

		// The author's --module is the one that counts, and so is --kernel.
		other := filepath.Join(t.TempDir(), "other.ko")
		require.NoError(t, os.WriteFile(other, p.file("ref-target.ko"), 0o644))
		out = p.make("V=1", "KLP_CONVERT_FLAGS=-v --module "+other)
		assert.Contains(t, out,
			"note: klp-convert: module ref_target: "+other+" instead of "+p.path("ref-target.ko"))
		out = p.make("V=1", "KLP_CONVERT_FLAGS_ref-record.o=--kernel "+w.kernel.Root)
		command := commandOf(t, out, "ref-record.ko")
		assert.Equal(t, 1, strings.Count(command, "--kernel "), "%s", command)

		// Another target: both are converted again, after it.
		p.make()
		p.touch("ref-twin.c")
		out = p.make("-j2")
		assert.Equal(t, []string{"ref-label.ko", "ref-record.ko", "ref-target.ko"}, converted(out))
		assert.Less(t, strings.Index(out, "  KLP     ref-target.ko"),
			strings.Index(out, "  KLP     ref-record.ko"))
		p.edit("ref-main.c", "static int ref_secret", "static int ref_secrets")
		p.edit("ref-main.c", "module_param(ref_secret,",
			"module_param_named(ref_secret, ref_secrets,")
		p.edit("ref-main.c", "ref_secret, ref_twin()", "ref_secrets, ref_twin()")
		out = p.refused()
		assert.Contains(t, out, "ref-record.ko: error: klp-convert: "+
			".klp.module_relocs.ref_target+0x0: ref_target has no symbol called ref_secret [KLP042]")
		assert.Equal(t, []string{"ref-target.ko"}, p.modules(""))
	})
}

// testReference is TestReferenceOutOfTree in a hooked tree, without what its modpost
// stops at: symbols without annotation.
func (h *hooked) testReference(t *testing.T) {
	dir := filepath.Join(sampleDir, "ref")
	for _, f := range referenceFiles(t) {
		if f.Name == "Makefile" {
			continue
		}
		path := h.Source(filepath.Join(dir, f.Name))
		text := strings.ReplaceAll(string(f.Data), "<klp_convert.h>", "<linux/klp_convert.h>")
		// In the kernel's tree, src is relative to it.
		text = strings.ReplaceAll(text, "-I$(src)", "-I$(srctree)/$(src)")
		if f.Name == "Kbuild" && !h.bench.hasQuotes() {
			text = strings.ReplaceAll(text, "ref-label.o ", "")
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	makefile, err := os.ReadFile(h.Source(filepath.Join(sampleDir, "Makefile")))
	require.NoError(t, err)
	h.write(t, "Makefile", string(makefile)+"obj-m += ref/\n")
	t.Cleanup(func() {
		h.write(t, "Makefile", string(makefile))
		h.make(t, "modules")
	})
	out, calls := h.make(t, "modules", "KLP_CONVERT_FLAGS=-v")
	assert.NotContains(t, out, "does not import it", "modpost leaves annotated symbols out")

	own := *h.bench.kernel
	kernel := &own
	kernel.Image = h.Image()
	kernel.Release = strings.TrimSpace(string(h.read(t, "include/config/kernel.release")))
	bench := *h.bench
	bench.kernel = kernel
	s := bench.scene(t)
	s.file("ref-target.ko", h.read(t, filepath.Join(dir, "ref-target.ko")))
	steps := []step{sh("load ref-target.ko")}
	p := &project{t: t, bench: h.bench}
	for _, c := range referenceCases {
		if c.name == "ref-infer" || c.name == "ref-label" && !h.bench.hasQuotes() {
			continue
		}
		path := filepath.Join(dir, c.name+".ko")
		if c.name == "ref-sub" {
			path = filepath.Join(dir, "sub", c.name+".ko")
		}
		assert.True(t, slices.Contains(calls, path), "%s in %v", path, calls)
		// modpost does not resolve what is annotated: no depends=, no checksum.
		steps = append(steps, c.check(p, h.Built(path), Cmdline)...)
		s.file(c.name+".ko", h.read(t, path))
	}
	s.run(steps...)

	// A plain import of a namespace is modpost's error, as ever.
	h.edit(t, "ref/ref-import.c", "ref_offered()", "ref_spaced()")
	text, _, err := h.try(t, "modules")
	require.Error(t, err)
	assert.Regexp(t, `(?m)^ERROR: modpost: .*ref-import.*ref_spaced.*but does not import it\.$`,
		text)

	// Outside of the tree, by Kbuild alone: what is built beside is given, kernel or not.
	e := h.bench.reference(t)
	require.NoError(t, os.Remove(e.path("Makefile")))
	if !h.bench.hasQuotes() {
		e.edit("Kbuild", "ref-label.o ", "")
	}
	for _, f := range referenceFiles(t) {
		if strings.HasSuffix(f.Name, ".c") {
			e.write(f.Name, strings.ReplaceAll(string(f.Data), "<klp_convert.h>",
				"<linux/klp_convert.h>"))
		}
	}
	for _, more := range []string{"KLP_CONVERT_FLAGS=", "KLP_KERNEL="} {
		printed, err := h.Make("M="+e.dir, "KLP_CONVERT="+h.bench.tool, "V=1", "modules",
			more).CombinedOutput()
		require.NoError(t, err, "%s", printed)
		assert.Regexp(t, ` --module (\S*/)?ref-target\.ko .*ref-record\.ko`, string(printed))
		assert.Contains(t, e.inspect(e.path("ref-record.ko")), e.bench.kernel.inspected("converted"))
	}
	e.edit("ref-record.c", "KLP_SYMPOS(ref_secret, 0)", "KLP_SYMPOS(ref_secret, 2)")
	printed, err := h.Make("M="+e.dir, "KLP_CONVERT="+h.bench.tool, "modules",
		"KLP_KERNEL=").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(printed), "position 2 of symbol ref_secret in ref_target does not exist: there is "+
		"1 of that name [KLP044]")
}
