// SPDX-License-Identifier: GPL-2.0-or-later

// Package kbuild tests install.sh on trees that have just the lines it looks for.
// On kernels' trees, and in builds, scripts/lab does.
package kbuild

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// Files of trees, cut down to what install.sh knows them by.
var (
	common = map[string]string{
		"include/linux/module.h": "/* include/linux/module.h */\n",
		"scripts/mod/modpost.c": `static void handle_symbol(struct module *mod, struct elf_info *info,
			  const Elf_Sym *sym, const char *symname)
{
		if (ignore_undef_symbol(info, symname))
}
static void read_symbols(const char *modname)
{
		license = get_modinfo(&info, "license");
}
`,
	}
	trees = map[string]map[string]string{
		"5.10": {
			"Makefile": "VERSION = 5\nPATCHLEVEL = 10\n" +
				"modules: $(if $(KBUILD_BUILTIN),vmlinux) modules_check modules_prepare\n",
			"scripts/Makefile.modpost": "$(output-symdump): $(MODORDER) $(input-symdump) FORCE\n" +
				"\n__modpost: $(output-symdump)\n",
			"scripts/Makefile.modfinal": `__modfinal: $(modules)
$(modules): %.ko: %.o %.mod.o $(ARCH_MODULE_LDS) FORCE
	+$(call if_changed,ld_ko_o)
-include $(foreach f,$(existing-targets),$(dir $(f)).$(notdir $(f)).cmd)
.PHONY: $(PHONY)
`,
			"scripts/Makefile.modinst": "__modinst:\n    $(mod_strip_cmd) $(2)/$(notdir $@) ; " +
				"\\\n.PHONY: $(PHONY)\n",
		},
		"6.12": {
			"Makefile": "VERSION = 6\nPATCHLEVEL = 12\nmodules: vmlinux\n" +
				"modules: modules_prepare\n",
			"scripts/Makefile.modpost": "modpost-deps := $(MODPOST)\n__modpost: $(output-symdump)\n",
			"scripts/Makefile.modfinal": `__modfinal: $(modules:%.o=%.ko)
%.ko: %.o %.mod.o $(extmod_prefix).module-common.o FORCE
	+$(call if_changed_except,ld_ko_o,vmlinux)
-include $(foreach f,$(existing-targets),$(dir $(f)).$(notdir $(f)).cmd)
.PHONY: $(PHONY)
`,
			"scripts/Makefile.modinst": "__modinst:\n	$(call cmd,strip)\n.PHONY: $(PHONY)\n",
		},
	}
)

const script = "install.sh"

// newTree writes the tree of that version.
func newTree(t *testing.T, version string) string {
	t.Helper()
	// "go test" must know what its result depends on.
	for _, f := range []string{script, "Makefile.klp", "klp.h", "../include/klp_convert.h"} {
		_, err := os.ReadFile(f)
		require.NoError(t, err)
	}
	dir := filepath.Join(t.TempDir(), "linux")
	for _, files := range []map[string]string{common, trees[version]} {
		for name, text := range files {
			path := filepath.Join(dir, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o640))
		}
	}
	return dir
}

// everyTree runs the test on each tree.
func everyTree(t *testing.T, test func(t *testing.T, tree string)) {
	for version := range trees {
		t.Run(version, func(t *testing.T) { test(t, newTree(t, version)) })
	}
}

// install runs install.sh and returns what it printed.
func install(args ...string) (stdout, stderr string, status int) {
	cmd := exec.Command("./"+script, args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// contents are the files of a tree by name, with their permissions.
func contents(t *testing.T, tree string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = info.Mode().String() + " " + string(text)
		return err
	}))
	return all
}

// edit replaces a text in a file of the tree.
func edit(t *testing.T, tree, name, from, to string) {
	t.Helper()
	path := filepath.Join(tree, name)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), from)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)),
		0o640))
}

func hook(t *testing.T, tree string) {
	t.Helper()
	_, stderr, status := install(tree)
	require.Zero(t, status, stderr)
}

// refuses wants one line that says why, and a tree that is as it was.
func refuses(t *testing.T, tree, why string, flags ...string) {
	t.Helper()
	before := contents(t, tree)
	stdout, stderr, status := install(append(flags, tree)...)
	assert.Equal(t, 1, status)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, why)
	assert.Equal(t, 1, strings.Count(stderr, "\n"), "%s", stderr)
	assert.Equal(t, before, contents(t, tree))
}

func TestRemoveLeavesTheTreeAsItWas(t *testing.T) {
	everyTree(t, func(t *testing.T, tree string) {
		before := contents(t, tree)
		hook(t, tree)
		require.NotEqual(t, before, contents(t, tree))
		_, stderr, status := install("--remove", tree)
		require.Zero(t, status, stderr)
		assert.Equal(t, before, contents(t, tree))
	})
}

func TestTwiceIsOnce(t *testing.T) {
	everyTree(t, func(t *testing.T, tree string) {
		hook(t, tree)
		once := contents(t, tree)
		stdout, _, status := install(tree)
		assert.Zero(t, status)
		assert.Contains(t, stdout, "nothing to do")
		assert.Equal(t, once, contents(t, tree))
		install("--remove", tree)
		stdout, _, status = install("--remove", tree)
		assert.Zero(t, status)
		assert.Contains(t, stdout, "nothing to do")
	})
}

func TestCheck(t *testing.T) {
	tree := newTree(t, "6.12")
	stdout, _, status := install("--check", tree)
	assert.Equal(t, 1, status)
	assert.Contains(t, stdout, "linux 6.12, not hooked")
	hook(t, tree)
	stdout, _, status = install("--check", tree)
	assert.Zero(t, status)
	assert.Contains(t, stdout, "linux 6.12, hooked")
}

func TestSaysWhatItDid(t *testing.T) {
	tree := newTree(t, "6.12")
	stdout, _, _ := install(tree)
	assert.Contains(t, stdout, "  added    include/linux/klp_convert.h\n")
	assert.Contains(t, stdout, "  edited   scripts/Makefile.modfinal\n"+
		"             + include $(srctree)/scripts/Makefile.klp\n")
	assert.NotContains(t, stdout, "Makefile.modpost", "6.12 needs no edit there")
}

func TestGitSeesNothingAfterRemoval(t *testing.T) {
	need.Tools(t, "git")
	tree := newTree(t, "6.12")
	git := func(args ...string) string {
		out, err := exec.Command("git", append([]string{"-C", tree, "-c", "user.name=x", "-c",
			"user.email=x@localhost"}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	git("init", "-q")
	git("add", ".")
	git("commit", "-qm", "linux")
	hook(t, tree)
	assert.NotEmpty(t, git("status", "--porcelain"))
	install("--remove", tree)
	assert.Empty(t, git("status", "--porcelain"))
}

// Whichever line is not there, or is there twice: nothing is guessed.
func TestUnknownTree(t *testing.T) {
	everyTree(t, func(t *testing.T, tree string) {
		for _, place := range []struct{ file, line string }{
			{"scripts/Makefile.modfinal", "__modfinal: "},
			{"scripts/Makefile.modfinal", "%.ko: %.o %.mod.o "},
			{"scripts/Makefile.modfinal", ",ld_ko_o"},
			{"scripts/Makefile.modfinal", "-include "},
			{"scripts/Makefile.modfinal", ".PHONY: "},
			{"scripts/Makefile.modinst", ".PHONY: "},
			{"scripts/Makefile.modinst", "strip"},
			{"scripts/mod/modpost.c", "handle_symbol("},
			{"scripts/mod/modpost.c", "if (ignore_undef_symbol("},
			{"scripts/mod/modpost.c", "license ="},
			{"Makefile", "modules_prepare"},
		} {
			path := filepath.Join(tree, place.file)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			var without, twice strings.Builder
			for _, line := range strings.SplitAfter(string(text), "\n") {
				twice.WriteString(line)
				if strings.Contains(line, place.line) {
					twice.WriteString(line)
				} else {
					without.WriteString(line)
				}
			}
			for _, other := range []string{without.String(), twice.String()} {
				if place.file == "Makefile" && other == twice.String() &&
					strings.HasSuffix(t.Name(), "5.10") {
					continue // not edited there
				}
				require.NoError(t, os.WriteFile(path, []byte(other), 0o640))
				refuses(t, tree, "is not a tree that this knows: "+place.file)
			}
			require.NoError(t, os.WriteFile(path, text, 0o640))
		}
		hook(t, tree)
	})
}

func TestNoKernelTree(t *testing.T) {
	dir := t.TempDir()
	refuses(t, dir, "is no kernel source tree: Makefile is not there")
	refuses(t, filepath.Join(dir, "."), "is no kernel source tree", "--remove")

	// Headers have the makefiles, and modpost as a program.
	tree := newTree(t, "6.12")
	require.NoError(t, os.Remove(filepath.Join(tree, "scripts/mod/modpost.c")))
	refuses(t, tree, "is no kernel source tree: scripts/mod/modpost.c is not there")
}

func TestSymbolicLink(t *testing.T) {
	tree := newTree(t, "6.12")
	path := filepath.Join(tree, "scripts/Makefile.modfinal")
	require.NoError(t, os.Rename(path, path+".real"))
	require.NoError(t, os.Symlink("Makefile.modfinal.real", path))
	refuses(t, tree, "scripts/Makefile.modfinal is a symbolic link")
}

func TestEditedByHand(t *testing.T) {
	const include = "include $(srctree)/scripts/Makefile.klp\n"
	for _, c := range []struct{ name, file, from, to, why string }{
		{"line moved", "scripts/Makefile.modfinal", include + ".PHONY: $(PHONY)\n",
			".PHONY: $(PHONY)\n" + include, "Makefile.modfinal: not all of klp-convert's lines"},
		{"line twice", "scripts/Makefile.modinst", include, include + include, "2 lines"},
		{"line lost", "scripts/mod/modpost.c", "#include \"klp.h\"\n", "",
			"modpost.c: not all of klp-convert's lines"},
		{"added file edited", "scripts/Makefile.klp", "klp-order :=", "klp-order =",
			"Makefile.klp: not install.sh's, or edited since"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := newTree(t, "6.12")
			hook(t, tree)
			edit(t, tree, c.file, c.from, c.to)
			refuses(t, tree, c.why)
			refuses(t, tree, c.why, "--remove")
			refuses(t, tree, c.why, "--check")
		})
	}
}

// A file that would come back with one byte more.
func TestNoNewlineAtTheEnd(t *testing.T) {
	tree := newTree(t, "6.12")
	edit(t, tree, "scripts/Makefile.modfinal", ".PHONY: $(PHONY)\n", ".PHONY: $(PHONY)")
	refuses(t, tree, "Makefile.modfinal")
}

func TestForeignFileOfThatName(t *testing.T) {
	tree := newTree(t, "6.12")
	require.NoError(t, os.WriteFile(filepath.Join(tree, "include/linux/klp_convert.h"),
		[]byte("mine\n"), 0o644))
	refuses(t, tree, "include/linux/klp_convert.h: not install.sh's, or edited since")
}

// Some files hooked, others not: as after a crash, or "git checkout Makefile".
func TestHalfHooked(t *testing.T) {
	tree := newTree(t, "6.12")
	before := contents(t, tree)
	hook(t, tree)
	edit(t, tree, "Makefile",
		"modules: $(if $(and $(CONFIG_LIVEPATCH),$(KBUILD_BUILTIN)),vmlinux)\n", "")
	refuses(t, tree, "is half hooked: install.sh --remove")
	stdout, _, status := install("--check", tree)
	assert.Equal(t, 1, status)
	assert.Contains(t, stdout, "half hooked")
	_, stderr, status := install("--remove", tree)
	require.Zero(t, status, stderr)
	assert.Equal(t, before, contents(t, tree))
}

// Killed when everything is staged and nothing is in place: nothing was cleaned up.
func TestKilled(t *testing.T) {
	tree := newTree(t, "6.12")
	before := contents(t, tree)
	hook(t, tree)
	hooked := contents(t, tree)
	staged := func() {
		for _, name := range []string{".klp-install.Makefile", "scripts/mod/.klp-install.klp.h"} {
			require.NoError(t, os.WriteFile(filepath.Join(tree, name), []byte("half"), 0o644))
		}
	}
	staged()
	hook(t, tree)
	assert.Equal(t, hooked, contents(t, tree))
	for range 2 { // the second finds nothing to do
		staged()
		_, stderr, status := install("--remove", tree)
		require.Zero(t, status, stderr)
		assert.Equal(t, before, contents(t, tree))
	}
}

// What an earlier install.sh has added is brought up to date, and can be removed.
func TestEarlierFiles(t *testing.T) {
	tree := newTree(t, "6.12")
	before := contents(t, tree)
	hook(t, tree)
	hooked := contents(t, tree)
	older, err := exec.Command("sh", "-c",
		`echo older; echo "/* klp-convert install.sh: $(echo older | cksum) */"`).Output()
	require.NoError(t, err)
	header := filepath.Join(tree, "include/linux/klp_convert.h")
	require.NoError(t, os.WriteFile(header, older, 0o644))

	stdout, _, status := install("--check", tree)
	assert.Equal(t, 1, status)
	assert.Contains(t, stdout, "not by this install.sh")
	stdout, stderr, status := install(tree)
	require.Zero(t, status, stderr)
	assert.Contains(t, stdout, "  renewed  include/linux/klp_convert.h\n")
	assert.NotContains(t, stdout, "modfinal", "the others are as they should be")
	assert.Equal(t, hooked, contents(t, tree))

	require.NoError(t, os.WriteFile(header, older, 0o644))
	_, stderr, status = install("--remove", tree)
	require.Zero(t, status, stderr)
	assert.Equal(t, before, contents(t, tree))
}

// One directory that can't be written in: nothing is changed in the others either.
func TestNotWritable(t *testing.T) {
	tree := newTree(t, "6.12")
	readOnly := filepath.Join(tree, "scripts/mod")
	before := contents(t, tree)
	cmd := exec.Command("./"+script, tree)
	if os.Geteuid() == 0 { // root may write everywhere
		const nobody = 65534
		//nolint:usetesting // above t.TempDir, only root may search
		here, err := os.MkdirTemp("", "klp-kbuild-")
		require.NoError(t, err)
		t.Cleanup(func() { os.RemoveAll(here) })
		require.NoError(t, os.CopyFS(filepath.Join(here, "kbuild"), os.DirFS(".")))
		require.NoError(t, os.CopyFS(filepath.Join(here, "include"), os.DirFS("../include")))
		require.NoError(t, os.CopyFS(filepath.Join(here, "linux"), os.DirFS(tree)))
		require.NoError(t, exec.Command("chown", "-R", "65534", here).Run())
		tree = filepath.Join(here, "linux")
		readOnly = filepath.Join(tree, "scripts/mod")
		before = contents(t, tree)
		cmd = exec.Command("./"+script, tree)
		cmd.Dir = filepath.Join(here, "kbuild")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody,
			Gid: nobody}}
	}
	require.NoError(t, os.Chmod(readOnly, 0o555))
	t.Cleanup(func() { _ = os.Chmod(readOnly, 0o755) })
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.ErrorContains(t, err, "exit status 1")
	assert.Regexp(t, `(?i)^install.sh: nothing changed: .*scripts/mod/.*permission denied\n$`,
		string(out))
	assert.Equal(t, before, contents(t, tree))
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"--purge", "."}, {".", "."},
		{"--check", "--remove", "."}} {
		_, stderr, status := install(args...)
		assert.Equal(t, 2, status, args)
		assert.Contains(t, stderr, "usage: ")
	}
}

func TestHelp(t *testing.T) {
	stdout, stderr, status := install("--help")
	assert.Zero(t, status)
	assert.Empty(t, stderr)
	for _, option := range []string{"usage: ", "--remove ", "--check ", "TREE"} {
		assert.Contains(t, stdout, option)
	}
}
