// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// What scripts/klp-convert.mk does is tried as its users do it: make, in a directory
// with modules, with the headers of a kernel (docs/kbuild.md).

// A project is a directory with modules of its own.
type project struct {
	t     *testing.T
	bench *workbench
	dir   string
	mk    string // klp-convert.mk as the project includes it
}

// project lays out testdata/outoftree.txtar. With names of modules there is a
// Makefile for these alone.
func (w *workbench) project(t *testing.T, modules ...string) *project {
	t.Helper()
	p := &project{t, w, t.TempDir(), filepath.Join(w.root, "scripts/klp-convert.mk")}
	archive, err := txtar.ParseFile("testdata/outoftree.txtar")
	require.NoError(t, err)
	for _, f := range archive.Files {
		p.write(f.Name, string(f.Data))
	}
	if len(modules) > 0 {
		p.makefile("obj-m := " + strings.Join(modules, " ") +
			"\nlivepatch-two-y := main.o part.o\ninclude KLP_MK\n")
	}
	return p
}

func (p *project) path(name string) string { return filepath.Join(p.dir, name) }

func (p *project) write(name, text string) {
	p.t.Helper()
	require.NoError(p.t, os.MkdirAll(filepath.Dir(p.path(name)), 0o755))
	require.NoError(p.t, os.WriteFile(p.path(name),
		[]byte(strings.ReplaceAll(text, "KLP_MK", p.mk)), 0o644))
}

func (p *project) makefile(text string) { p.t.Helper(); p.write("Makefile", text) }

// edit replaces text in a file, which is newer then than anything made of it.
func (p *project) edit(name, from, to string) {
	p.t.Helper()
	text, err := os.ReadFile(p.path(name))
	require.NoError(p.t, err)
	require.Contains(p.t, string(text), from)
	p.write(name, strings.Replace(string(text), from, to, 1))
	p.touch(name)
}

func (p *project) touch(name string) {
	p.t.Helper()
	touch(p.t, p.path(name))
}

// touch makes a file newer than all that was made of it. Not newer than now: what a
// quick make has made by then would be out of date for the next one. (A file's own
// time of writing is a tick of the kernel's clock, which may lie before that.)
func touch(t *testing.T, path string) {
	t.Helper()
	now := time.Now()
	require.NoError(t, os.Chtimes(path, now, now))
}

// run runs make in the project's directory with the kernel's headers, and returns
// what it prints.
func (p *project) run(args ...string) (string, error) {
	p.t.Helper()
	own := append([]string{"KDIR=" + p.bench.kernel.Headers, "KLP_CONVERT=" + p.bench.tool},
		p.bench.kernel.Cross()...)
	cmd := p.bench.kernel.Command("make", append(own, args...)...)
	cmd.Dir = p.dir
	cmd.Env = noMake()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (p *project) make(args ...string) string {
	p.t.Helper()
	out, err := p.run(args...)
	require.NoError(p.t, err, "%s", out)
	return out
}

// refused is make that must fail.
func (p *project) refused(args ...string) string {
	p.t.Helper()
	out, err := p.run(args...)
	require.Error(p.t, err, "%s", out)
	return out
}

// modules returns the .ko files below dir, "" for the project.
func (p *project) modules(dir string) []string {
	p.t.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Join(p.dir, dir),
		func(path string, _ os.DirEntry, err error) error {
			if strings.HasSuffix(path, ".ko") {
				found = append(found, filepath.Base(path))
			}
			return err
		})
	require.NoError(p.t, err)
	slices.Sort(found)
	return found
}

var klpRE = regexp.MustCompile(`(?m)^  KLP +(\S+)$`)

// converted returns the modules that make printed it was converting.
func converted(out string) []string {
	var names []string
	for _, m := range klpRE.FindAllStringSubmatch(out, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

// inspected is how inspect begins after the name of a module of the kernel, which it calls by the
// machine in the ELF header.
func (k *Kernel) inspected(state string) string {
	name := map[string]string{"arm64": "aarch64"}[k.arch.Name]
	if name == "" {
		name = k.arch.Name
	}
	return ": " + name + ", " + state + "\n"
}

// inspect returns what klp-convert says of a file.
func (p *project) inspect(path string) string {
	p.t.Helper()
	out, err := exec.Command(p.bench.tool, "inspect", path).CombinedOutput()
	require.NoError(p.t, err, "%s", out)
	return string(out)
}

func (p *project) file(name string) []byte {
	p.t.Helper()
	data, err := os.ReadFile(p.path(name))
	require.NoError(p.t, err)
	return data
}

// demandedKernels is everyDebian for what hardly depends on the version: unless
// KLP_LAB_KERNELS asks for more, one kernel is enough.
func demandedKernels(t *testing.T, scenario func(t *testing.T, w *workbench)) {
	t.Helper()
	if Demanded() {
		everyDebian(t, scenario)
		return
	}
	t.Parallel()
	releases, err := Selected()
	require.NoError(t, err)
	t.Run(releases[0].Series, func(t *testing.T) { scenario(t, bench(t, releases[0])) })
}

const banner = "sub: %s version %s" // linux_proc_banner, as it is

func TestOutOfTree(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		p := w.project(t)
		out := p.make("-j2")
		assert.Equal(t, []string{"livepatch-sub.ko", "livepatch-two.ko", "plain.ko", "user.ko"},
			converted(out), "%s", out)
		assert.NotContains(t, out, "jobserver")
		assert.Contains(t, p.inspect(p.path("livepatch-two.ko")), w.kernel.inspected("converted"))
		assert.Contains(t, p.inspect(p.path("plain.ko")), ": x86_64, no livepatch\n")

		s := w.scene(t)
		for _, name := range []string{"livepatch-two.ko", "plain.ko", "user.ko",
			"sub/livepatch-sub.ko"} {
			s.file(filepath.Base(name), p.file(name))
		}
		s.run(
			sh("load plain.ko"),
			sh("load user.ko", logs("user: the answer is 42")),
			sh("load livepatch-two.ko"),
			sh("settle livepatch_two"),
			sh(cmdline, prints(Cmdline+" two")),
			sh("load livepatch-sub.ko"),
			sh("settle livepatch_sub"),
			sh("cut -c 1-18 /proc/version", prints(banner)),
			sh(disable("livepatch_two")),
			sh("settle livepatch_two"),
			sh(cmdline, prints(Cmdline)),
		)
		p.make("clean")
		left, err := filepath.Glob(p.path("*.ko*"))
		require.NoError(t, err)
		assert.Empty(t, left)
		assert.Empty(t, p.modules(""))
	})
}

func TestOutOfTreeRebuilds(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "livepatch-two.o", "plain.o")
		p.make()
		again := p.make()
		assert.Empty(t, converted(again), "nothing has changed")
		assert.NotContains(t, again, "  LD [M]")

		p.touch("two.h")
		assert.Equal(t, []string{"livepatch-two.ko"}, converted(p.make()), "a header has changed")
		flagged := p.make("KLP_CONVERT_FLAGS_plain.o=--no-infer")
		assert.Equal(t, []string{"plain.ko"}, converted(flagged),
			"a module's flags have changed:\n%s", flagged)

		assert.Equal(t, []string{"livepatch-two.ko", "plain.ko"},
			converted(p.make("-B", "KLP_CONVERT_FLAGS_plain.o=--no-infer")), "whether or not")

		require.NoError(t, os.WriteFile(p.path("plain.ko.klp"), nil, 0o644))
		out := p.make("KLP_CONVERT_FLAGS_plain.o=--no-infer")
		assert.Equal(t, []string{"plain.ko"}, converted(out), "killed while it was put in place")
		assert.Contains(t, out, "  LD [M]")
		require.NoError(t, os.Remove(p.path("livepatch-two.ko.klp")))
		assert.Equal(t, []string{"livepatch-two.ko"},
			converted(p.make("KLP_CONVERT_FLAGS_plain.o=--no-infer")), "killed before")
	})
}

// A livepatch is checked against the modules beside it. When one of them is another, so
// may be the positions in it.
func TestOutOfTreeModuleBesideHasChanged(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "livepatch-two.o", "plain.o", "user.o")
		p.edit("part.c", "char *two_line", "extern char plain_word[] KLP_RELOC_SYMBOL(plain, "+
			"plain, plain_word);\nchar *two_line")
		p.edit("part.c", "return saved_command_line",
			"return *plain_word ? saved_command_line : plain_word")
		p.edit("main.c", "objs[] = { { .funcs = funcs }",
			`objs[] = { { .funcs = funcs }, { .name = "plain", .funcs = (struct klp_func[]){ { } } }`)
		p.edit("plain.c", "int plain_answer(void);", "extern char plain_word[]; char "+
			"plain_word[] = \"x\"; int plain_answer(void);")
		p.make()
		p.touch("plain.c")
		assert.Equal(t, []string{"livepatch-two.ko", "plain.ko"}, converted(p.make()))
		assert.Empty(t, converted(p.make()), "nothing has changed")
		p.edit("plain.c", "char plain_word[] =", "char plain_term[] =")
		assert.Contains(t, p.refused(), "livepatch-two.ko: error: klp-convert: plain has no "+
			"symbol called plain_word [KLP042]")
		assert.Equal(t, []string{"plain.ko", "user.ko"}, p.modules(""))
	})
}

// What was named, and is not built here: older or newer, it is another file.
func TestOutOfTreeNamedFileHasChanged(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "livepatch-two.o", "plain.o")
		p.make()
		other := filepath.Join(t.TempDir(), "other.ko")
		require.NoError(t, os.WriteFile(other, p.file("plain.ko"), 0o644))
		key := signingKey(t)
		args := []string{"KLP_CONVERT_FLAGS_livepatch-two.o=--module=" + other, "KLP_SIGN_KEY=" +
			key}
		p.make(args...)
		assert.Empty(t, converted(p.make(args...)), "nothing has changed")
		past := time.Now().AddDate(-1, 0, 0)
		require.NoError(t, os.Chtimes(other, past, past))
		assert.Equal(t, []string{"livepatch-two.ko"}, converted(p.make(args...)),
			"a module that a flag names")
		require.NoError(t, os.Rename(signingKey(t), key))
		assert.Equal(t, []string{"livepatch-two.ko", "plain.ko"}, converted(p.make(args...)),
			"the key")
	})
}

// The kernel that the headers are of, in the directory where it was built.
func TestOutOfTreeKernelHasChanged(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		headers := w.loneHeaders(t)
		image := filepath.Join(headers, "System.map")
		require.NoError(t, os.WriteFile(image, []byte("ffffffff81000000 T _text\n"+
			"ffffffff81ca3008 B saved_command_line\nffffffff82000000 B _end\n"), 0o644))
		p := w.project(t, "livepatch-two.o")
		p.make("KDIR=" + headers)
		assert.Empty(t, converted(p.make("KDIR="+headers)), "nothing has changed")
		require.NoError(t, os.WriteFile(image,
			[]byte("ffffffff81000000 T _text\nffffffff82000000 B _end\n"), 0o644))
		assert.Contains(t, p.refused("KDIR="+headers),
			"vmlinux has no symbol called saved_command_line [KLP042]")
		assert.Empty(t, p.modules(""))
	})
}

// Some dozens of modules with some dozens of flags are more than fits in one command.
func TestOutOfTreeLongFlags(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t)
		p.makefile("obj-m := plain.o user.o\nKLP_CONVERT_FLAGS := " +
			strings.Repeat("--no-infer ", 7000) + "\ninclude KLP_MK\n")
		p.make()
		assert.Empty(t, converted(p.make()))
	})
}

func TestOutOfTreeStripOfLLVM(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t)
		p.makefile("obj-m := plain.o\ninclude KLP_MK\nifndef srctree\n" +
			"$(info strip is $(STRIP))\nendif\n")
		for llvm, want := range map[string]string{"1": "llvm-strip", "-14": "llvm-strip-14",
			"/opt/llvm/bin/": "/opt/llvm/bin/llvm-strip"} {
			assert.Contains(t, p.make("-n", "LLVM="+llvm), "strip is "+want+"\n")
		}
	})
}

// Kbuild's make -n links modules, which would be unconverted then.
func TestOutOfTreeDryRun(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "plain.o")
		p.make("-n")
		assert.Empty(t, p.modules(""))
		p.make()
		before := p.file("plain.ko")
		p.touch("plain.c")
		assert.Contains(t, p.make("-n"), " KBUILD_MODPOST_WARN=1 ")
		assert.Equal(t, before, p.file("plain.ko"))
		assert.Equal(t, []string{"plain.ko"}, converted(p.make("-j4")))
	})
}

func TestOutOfTreeQuietAndVerbose(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "livepatch-two.o")
		out := p.make("-s")
		assert.NotContains(t, out, "KLP")
		p.touch("two.h")
		assert.Contains(t, p.make("V=1"), w.tool+" --kernel "+w.kernel.Headers)
	})
}

// What modpost is told to let pass stops the build all the same.
func TestOutOfTreeUndefinedSymbol(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "livepatch-two.o", "plain.o", "user.o")
		p.edit("user.c", "plain_answer()", "nobody_has_this()")
		p.edit("user.c", "int plain_answer", "int nobody_has_this")
		p.edit("main.c", "two_line()", "two_lime()")
		p.edit("two.h", "two_line", "two_lime")
		out := p.refused()
		assert.Contains(t, out, "user.ko: error: klp-convert: undefined symbol nobody_has_this: "+
			"no module exports it [KLP050]")
		assert.Contains(t, out, "livepatch-two.ko: error: klp-convert: undefined symbol two_lime "+
			"is in no object that the livepatch names, and no module exports it [KLP050]")
		assert.Equal(t, []string{"plain.ko"}, p.modules(""))
		p.edit("user.c", "nobody_has_this(void)", "plain_answer(void)")
		p.edit("user.c", "nobody_has_this()", "plain_answer()")
		p.edit("two.h", "two_lime", "two_line")
		p.edit("main.c", "two_lime()", "two_line()")
		assert.Equal(t, []string{"livepatch-two.ko", "user.ko"}, converted(p.make()))
	})
}

// The headers, and nothing of the kernel itself: annotations are taken on trust, and
// Module.symvers tells what is exported.
func TestOutOfTreeHeadersOnly(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		headers := w.loneHeaders(t)
		p := w.project(t, "livepatch-two.o")
		out := p.make("KDIR=" + headers)
		assert.Contains(t, out, "has the symbols of vmlinux: its annotations are not "+
			"checked [KLP047]")
		assert.Contains(t, p.inspect(p.path("livepatch-two.ko")), w.kernel.inspected("converted"))
		p.edit("part.c", "static KLP_MODULE_RELOC(vmlinux) symbols[] = { "+
			"KLP_SYMPOS(saved_command_line, 0) };", "")
		out = p.refused("KDIR=" + headers)
		assert.Contains(t, out, "error: klp-convert: undefined symbol saved_command_line is not "+
			"annotated, and no module exports it [KLP050]")
		assert.Empty(t, p.modules(""))
	})
}

// loneHeaders copies the headers that are the kernel's own, with what else they
// refer to by relative links, to a place where no kernel is.
func (w *workbench) loneHeaders(t *testing.T) string {
	t.Helper()
	top := t.TempDir()
	src := filepath.Join(w.kernel.Root, "usr/src")
	require.NoError(t, os.MkdirAll(filepath.Join(top, "usr/src"), 0o755))
	_, err := run(exec.Command("cp", "-a", w.kernel.Headers, filepath.Join(top, "usr/src")))
	require.NoError(t, err)
	entries, err := os.ReadDir(src)
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() != filepath.Base(w.kernel.Headers) {
			require.NoError(t, os.Symlink(filepath.Join(src, e.Name()),
				filepath.Join(top, "usr/src", e.Name())))
		}
	}
	// Beside these lies the kernel itself, in 7.x.
	kbuild, err := filepath.Glob(filepath.Join(w.kernel.Root, "usr/lib/linux-kbuild-*"))
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(top, "usr/lib"), 0o755))
	for _, k := range kbuild {
		require.NoError(t, os.Symlink(k, filepath.Join(top, "usr/lib", filepath.Base(k))))
	}
	headers := filepath.Join(top, "usr/src", filepath.Base(w.kernel.Headers))
	// Some name their own directory: KBUILD_OUTPUT, see rebase.
	makefile := filepath.Join(headers, "Makefile")
	text, err := os.ReadFile(makefile)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(makefile,
		[]byte(strings.ReplaceAll(string(text)+"\n", w.kernel.Headers+"\n", headers+"\n")), 0o644))
	return headers
}

func TestOutOfTreeFailingTool(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "plain.o")
		out := p.refused("KLP_CONVERT=no-such-tool")
		assert.Contains(t, out, "klp-convert.mk: no no-such-tool here: make build in "+
			"klp-convert's sources, or KLP_CONVERT=")
		p.refused("KLP_CONVERT=false")
		assert.Empty(t, p.modules(""))
		p.make("-i", "KLP_CONVERT=false")
		p.refused("KLP_CONVERT=false") // not treated as finished
		assert.Empty(t, p.modules(""))
		assert.Equal(t, []string{"plain.ko"}, converted(p.make()))
	})
}

// Ctrl-C goes to all processes of the terminal. What is linked by then, and not
// converted, would look finished.
func TestOutOfTreeInterrupted(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "plain.o", "livepatch-two.o")
		p.write("interrupt", "#!/bin/sh\nkill -INT 0\n")
		require.NoError(t, os.Chmod(p.path("interrupt"), 0o755))
		interrupted := func() {
			t.Helper()
			// Who runs tests in the background may have it ignored.
			cmd := w.kernel.Command("env", "--default-signal=INT", "make", "KDIR="+w.kernel.Headers,
				"KLP_CONVERT="+p.path("interrupt"))
			cmd.Dir, cmd.Env = p.dir, noMake()
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "%s", out)
			assert.Contains(t, string(out), "Interrupt")
			assert.Empty(t, p.modules(""), "%s", out)
		}
		interrupted()
		assert.Equal(t, []string{"livepatch-two.ko", "plain.ko"}, converted(p.make()))
		p.touch("plain.c")
		interrupted() // what was converted is linked again: by another tool
		assert.Equal(t, []string{"livepatch-two.ko", "plain.ko"}, converted(p.make()))
	})
}

// One is linked, the next can't be: as when the disk is full.
func TestOutOfTreeKbuildFailsAfterALink(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "livepatch-two.o", "plain.o")
		require.NoError(t, os.Mkdir(p.path("plain.ko"), 0o755))
		out := p.refused("-k")
		assert.Regexp(t, `LD \[M\]  (\S*/)?livepatch-two\.ko\n`, out)
		assert.NoFileExists(t, p.path("livepatch-two.ko"), "%s", out)
	})
}

// Kbuild reads Kbuild, the author's make reads Makefile.
func TestOutOfTreeKbuildBesideMakefile(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t)
		p.write("Kbuild", "obj-m := livepatch-two.o sub/\nlivepatch-two-y := main.o part.o\n")
		p.makefile("include KLP_MK\n")
		assert.Equal(t, []string{"livepatch-sub.ko", "livepatch-two.ko"}, converted(p.make()))
	})
}

// Sources that know nothing of klp-convert.mk, from elsewhere.
func TestOutOfTreeWithoutMakefile(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t)
		p.write("Makefile", "obj-m := livepatch-two.o\nlivepatch-two-y := main.o part.o\n")
		out := p.make("-C", "/", "-f", p.mk, "M="+p.dir)
		assert.Equal(t, []string{"livepatch-two.ko"}, converted(out))
	})
}

func TestOutOfTreeKbuildByHand(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "livepatch-two.o", "plain.o")
		out := p.refused("-C", w.kernel.Headers, "M="+p.dir, "modules")
		assert.Contains(t, out, "klp-convert.mk: Kbuild called by hand converts nothing")
		assert.Contains(t, out, "undefined!")
		assert.Empty(t, p.modules(""))
		p.make("-C", w.kernel.Headers, "M="+p.dir, "KBUILD_MODPOST_WARN=1", "modules")
		assert.Equal(t, []string{"livepatch-two.ko", "plain.ko"}, converted(p.make("klp-convert")))
		assert.Contains(t, p.inspect(p.path("livepatch-two.ko")), w.kernel.inspected("converted"))
		assert.Empty(t, converted(p.make()), "make, afterwards")
	})
}

// The kernel's sources, and its output elsewhere.
func TestOutOfTreeKernelOutput(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		common, err := filepath.Glob(filepath.Join(w.kernel.Root, "usr/src/linux-headers-*-common"))
		require.NoError(t, err)
		require.Len(t, common, 1)
		p := w.project(t, "livepatch-two.o")
		assert.Equal(t, []string{"livepatch-two.ko"},
			converted(p.make("KDIR="+common[0], "O="+w.kernel.Headers)))
		assert.Contains(t, p.refused("O="+p.dir), "no kernel was built here")
	})
}

func TestOutOfTreeOutputElsewhere(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		p := w.project(t)
		if !w.kernel.AtLeast(6, 13) {
			out := p.refused("MO=out")
			assert.Contains(t, out, "puts the modules' output beside their sources (MO= is for "+
				"6.13 and later)")
			return
		}
		before := p.list()
		out := t.TempDir()
		assert.Equal(t, []string{"livepatch-sub.ko", "livepatch-two.ko", "plain.ko", "user.ko"},
			converted(p.make("MO="+out)))
		assert.Equal(t, before, p.list(), "the sources' directory")
		assert.Contains(t, p.inspect(filepath.Join(out, "sub/livepatch-sub.ko")),
			w.kernel.inspected("converted"))
		assert.Empty(t, converted(p.make("MO="+out)))
		s := w.scene(t)
		data, err := os.ReadFile(filepath.Join(out, "livepatch-two.ko"))
		require.NoError(t, err)
		s.file("livepatch-two.ko", data)
		s.run(sh("load livepatch-two.ko"), sh("settle livepatch_two"),
			sh(cmdline, prints(Cmdline+" two")))
	})
}

// list returns the names of the files of the project.
func (p *project) list() (names []string) {
	require.NoError(p.t, filepath.WalkDir(p.dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	}))
	return names
}

// Kbuild hands names to a shell: "x;touch y" would be two commands.
func TestOutOfTreeOddPath(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "plain.o")
		was := p.dir
		for _, odd := range []string{" x", "%x", "'x", "$x", "#x", ";touch y", ",x"} {
			require.NoError(t, os.Rename(p.dir, was+odd))
			p.dir = was + odd
			for _, goal := range []string{"all", "clean"} {
				out := p.refused(goal)
				assert.Contains(t, out, p.dir+": Kbuild takes no path with a space or one of : % '")
				assert.Equal(t, 1, strings.Count(out, "\n"), "%s", out)
			}
			assert.NoFileExists(t, p.path("y"))
		}
	})
}

// Nor is there one for klp-convert.mk.
func TestOutOfTreeOddPathToMakefile(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "plain.o")
		odd := filepath.Join(t.TempDir(), "a b")
		require.NoError(t, os.Symlink(filepath.Join(w.root, "scripts"), odd))
		out := p.refused("-f", filepath.Join(odd, "klp-convert.mk"))
		assert.Contains(t, out,
			`make takes no path with a space or the like: put what ends in "b/klp-convert.mk" elsewhere`)
		assert.Equal(t, 1, strings.Count(out, "\n"), "%s", out)
	})
}

// Kbuild says of such a directory that the compiler is no good.
func TestOutOfTreeReadOnly(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "plain.o")
		cmd := exec.Command("make", "KDIR="+w.kernel.Headers, "KLP_CONVERT=true")
		if os.Geteuid() == 0 { // root may write everywhere but there
			cmd = exec.Command("unshare", "--mount", "sh", "-c",
				`mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" && exec "$@"`, "sh",
				"make", "KDIR="+w.kernel.Headers, "KLP_CONVERT=true")
		} else {
			require.NoError(t, os.Chmod(p.dir, 0o555))
			t.Cleanup(func() { _ = os.Chmod(p.dir, 0o755) })
		}
		cmd.Dir, cmd.Env = p.dir, noMake()
		out, err := cmd.CombinedOutput()
		require.Error(t, err, "%s", out)
		assert.Contains(t, string(out), p.dir+": not writable, and Kbuild writes its output "+
			"there: copy the sources, or MO=DIR")
		assert.NotContains(t, string(out), "CC [M]")
	})
}

// A module is signed when it is converted, and stays so.
func TestOutOfTreeSigned(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "livepatch-two.o")
		key := signingKey(t)
		installed := t.TempDir()
		out := p.make("KLP_SIGN_KEY="+key, "KLP_STRIP=1", "modules_install",
			"INSTALL_MOD_PATH="+installed)
		assert.Equal(t, []string{"livepatch-two.ko"}, converted(out))
		assert.NotContains(t, out, "sign-file:", "of a key that only the kernel's builder has")
		assert.Less(t, len(p.file("livepatch-two.ko")), 30_000, "stripped")
		name := "livepatch-two.ko"
		if w.kernel.AtLeast(6, 12) {
			name += ".xz" // CONFIG_MODULE_COMPRESS_ALL
		}
		found, err := filepath.Glob(filepath.Join(installed, "lib/modules", w.kernel.Release, "*",
			name))
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, "lab", signer(t, found[0]))
		assert.Contains(t, p.inspect(found[0]), w.kernel.inspected("converted"))

		assert.Empty(t, converted(p.make("KLP_SIGN_KEY="+key, "KLP_STRIP=1")), "not signed twice")
		s := w.scene(t)
		s.file("livepatch-two.ko", p.file("livepatch-two.ko"))
		s.run(
			sh("load livepatch-two.ko"),
			sh("settle livepatch_two"),
			sh(cmdline, prints(Cmdline+" two")),
		)
	})
}

// With the key that the kernel's configuration names, Kbuild signs what it
// installs.
func TestOutOfTreeSignedByKbuild(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		key := signingKey(t)
		headers := w.loneHeaders(t)
		require.NoError(t, os.MkdirAll(filepath.Join(headers, "certs"), 0o755))
		for _, name := range []string{"certs/signing_key.pem", "certs/signing_key.x509"} {
			require.NoError(t, os.Symlink(key, filepath.Join(headers, name)))
		}
		p := w.project(t, "livepatch-two.o")
		installed := t.TempDir()
		p.make("KDIR="+headers, "KLP_KERNEL=", "CONFIG_MODULE_SIG_ALL=y",
			"CONFIG_MODULE_SIG_KEY=certs/signing_key.pem", "CONFIG_MODULE_COMPRESS_ALL=",
			"modules_install", "INSTALL_MOD_PATH="+installed)
		found, err := filepath.Glob(filepath.Join(installed, "lib/modules", w.kernel.Release, "*",
			"livepatch-two.ko"))
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, "lab", signer(t, found[0]))
		assert.Contains(t, p.inspect(found[0]), w.kernel.inspected("converted"))
	})
}

func TestOutOfTreeStripOnInstallIsRefused(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		p := w.project(t, "livepatch-two.o")
		out := p.refused("modules_install", "INSTALL_MOD_STRIP=1", "INSTALL_MOD_PATH="+t.TempDir())
		assert.Contains(t, out, "KLP_STRIP=1 strips before the conversion")
	})
}

// signingKey makes a key, and its certificate in the same file, as CONFIG_MODULE_SIG_KEY
// has them.
func signingKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lab"},
		SubjectKeyId: []byte("lab"),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(100, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "key.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})...)
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// signer returns whose key a module is signed with.
func signer(t *testing.T, path string) string {
	t.Helper()
	program, err := exec.LookPath("modinfo")
	if err != nil {
		program = "/usr/sbin/modinfo" // not in everybody's PATH
	}
	if _, err := os.Stat(program); err != nil {
		need.Lab(t, "modinfo is not installed: make prerequisites")
	}
	out, err := run(exec.Command(program, "-F", "signer", path))
	require.NoError(t, err)
	return strings.TrimSpace(out)
}
