// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// The hook into Kbuild (scripts/kbuild), on trees of the releases' kernels, with the
// samples as if they had been written in the tree: samples/klp.

// A hooked is a copy of a tree, with the hook and the samples in it.
type hooked struct {
	*Tree
	cached *Tree
	bench  *workbench
	tool   string   // klp-convert, which also writes down what it is called for
	calls  string   // where it does
	all    []string // livepatches of the tree, as built
}

const sampleDir = "samples/klp"

// sampleSources are the samples, by the names that they have in the tree.
var sampleSources = map[string]string{
	"ownmod.c":            "ownmod/ownmod.c",
	"livepatch-ownmod.c":  "ownmod/livepatch-ownmod.c",
	"livepatch-cmdline.c": "cmdline/livepatch-cmdline.c",
}

// livepatches are the samples that are some, as built.
var livepatches = []string{sampleDir + "/livepatch-cmdline.ko", sampleDir + "/livepatch-ownmod.ko"}

// hookTree returns a copy of the kernel's tree, hooked, with the samples in it.
func hookTree(t *testing.T, w *workbench) *hooked {
	t.Helper()
	if _, known := treeKinds[w.kernel.release.Series]; !known {
		need.Lab(t, fmt.Sprintf("the lab has not learnt to build a kernel of %v", w.kernel.release))
	}
	if missing := MissingForTree(); len(missing) > 0 {
		need.Lab(t, "a kernel is built with: "+InstallLine(missing)+" (and then: go test -count=1)")
	}
	say := func(format string, args ...any) { fmt.Fprintf(os.Stderr, "lab: "+format+"\n", args...) }
	built, err := FetchTree(w.cache, w.kernel.release, say)
	require.NoError(t, err)
	dir := t.TempDir()
	tree, err := built.Copy(filepath.Join(dir, "tree"))
	require.NoError(t, err)
	h := &hooked{tree, built, w, filepath.Join(dir, "klp-convert"), filepath.Join(dir, "calls"),
		nil}
	script := fmt.Sprintf("#!/bin/sh\nfor last; do :; done\necho \"$last\" >> %s\nexec %s \"$@\"\n",
		h.calls, w.tool)
	require.NoError(t, os.WriteFile(h.tool, []byte(script), 0o755))
	h.install(t)
	require.NoError(t, os.MkdirAll(h.Source(sampleDir), 0o755))
	for name, from := range sampleSources {
		text, err := os.ReadFile(filepath.Join(w.root, "testdata/samples", from))
		require.NoError(t, err)
		h.write(t, name, strings.Replace(string(text), `"klp_convert.h"`, "<linux/klp_convert.h>",
			1))
	}
	h.write(t, "Makefile", "obj-m := ownmod.o livepatch-ownmod.o livepatch-cmdline.o\n")
	f, err := os.OpenFile(h.Source("samples/Makefile"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("obj-m += klp/\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return h
}

// install runs install.sh on the tree and returns what it printed.
func (h *hooked) install(t *testing.T, flags ...string) string {
	t.Helper()
	args := append(slices.Clone(flags), h.Source(""))
	out, err := exec.Command(filepath.Join(h.bench.root, "scripts/kbuild/install.sh"),
		args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// write writes a file of the samples, with a time that make cannot overlook.
func (h *hooked) write(t *testing.T, name, text string) {
	t.Helper()
	path := h.Source(filepath.Join(sampleDir, name))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	touch(t, path)
}

// edit changes a file of the samples for the length of a test.
func (h *hooked) edit(t *testing.T, name, from, to string) {
	t.Helper()
	text, err := os.ReadFile(h.Source(filepath.Join(sampleDir, name)))
	require.NoError(t, err)
	require.Contains(t, string(text), from)
	h.write(t, name, strings.Replace(string(text), from, to, 1))
	t.Cleanup(func() { h.write(t, name, string(text)) })
}

// try is make, which may fail: what it printed, and which modules klp-convert was
// called for.
func (h *hooked) try(t *testing.T, args ...string) (out string, converted []string, err error) {
	t.Helper()
	require.NoError(t, os.RemoveAll(h.calls))
	text, err := h.Make(append([]string{"KLP_CONVERT=" + h.tool}, args...)...).CombinedOutput()
	calls, _ := os.ReadFile(h.calls)
	converted = strings.Fields(string(calls))
	slices.Sort(converted)
	return string(text), converted, err
}

// make is make, which must not fail.
func (h *hooked) make(t *testing.T, args ...string) (out string, converted []string) {
	t.Helper()
	out, converted, err := h.try(t, args...)
	require.NoError(t, err, "%s", out)
	return out, converted
}

func (h *hooked) read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(h.Built(name))
	require.NoError(t, err)
	return data
}

// Everything about one tree, one after the other: a build takes what the one before
// it has left, which is what incremental builds are about.
//
// Building a kernel takes minutes. So there is one, of the machine's release, unless
// KLP_LAB_KERNELS asks for more.
func TestHookedTree(t *testing.T) {
	t.Parallel()
	if os.Getenv("CI") != "true" && !Demanded() {
		need.Absent(t, "a kernel is built, ten minutes the first time; make lab and .ci/run do it")
	}
	releases := []Release{Host()}
	if Demanded() {
		var err error
		releases, err = Selected()
		require.NoError(t, err)
	}
	onKernels(t, releases, func(t *testing.T, w *workbench) {
		h := hookTree(t, w)
		_, h.all = h.make(t)
		require.Subset(t, h.all, livepatches)
		require.NotContains(t, h.all, sampleDir+"/ownmod.ko")
		t.Run("converts livepatches and nothing else", h.testConverts)
		t.Run("does nothing twice", h.testIncremental)
		t.Run("refuses what does not fit the kernel", h.testPosition)
		t.Run("converts what the reference says", h.testReference)
		t.Run("modpost stays strict", h.testStrict)
		t.Run("needs the tool", h.testNoTool)
		t.Run("installs and loads", h.testInstall)
		t.Run("comes off", h.testRemove)
	})
}

func (h *hooked) testConverts(t *testing.T) {
	require.NoError(t, os.Remove(h.Built(sampleDir+"/livepatch-cmdline.ko")))
	require.NoError(t, os.Remove(h.Built(sampleDir+"/ownmod.ko")))
	out, converted := h.make(t, "modules")
	assert.ElementsMatch(t, h.all, converted,
		"the one that was gone, and those that ownmod may be for")
	assert.Regexp(t, `(?m)^  KLP     samples/klp/livepatch-cmdline\.ko$`, out)
	assert.Regexp(t, `(?m)^  LD \[M\]  samples/klp/ownmod\.ko$`, out)
	for _, ko := range livepatches {
		// ..text, and ..toc on ppc64le
		assert.Contains(t, string(h.read(t, ko)), "\x00.klp.rela.vmlinux..t")
	}
}

func (h *hooked) testIncremental(t *testing.T) {
	out, converted := h.make(t)
	assert.Empty(t, converted, "%s", out)
	assert.NotContains(t, out, " [M] ")

	_, converted = h.make(t, "modules", "KLP_CONVERT_FLAGS=--verbose")
	assert.Subset(t, converted, livepatches, "another command")
	_, converted = h.make(t, "modules")
	assert.Subset(t, converted, livepatches, "the first command again")

	h.edit(t, "ownmod.c", "return n & 1", "return (n & 1)")
	_, converted = h.make(t, "modules")
	assert.ElementsMatch(t, h.all, converted, "a module that they may be for")

	require.NoError(t, os.Remove(h.Built(sampleDir+"/.livepatch-ownmod.ko.klp")))
	_, converted = h.make(t, "modules", "V=1")
	assert.Equal(t, livepatches[1:], converted, "a build that was killed before it could tell")
}

func (h *hooked) testPosition(t *testing.T) {
	h.edit(t, "livepatch-cmdline.c", "saved_command_line, 0)", "saved_command_line, 2)")
	out, _, err := h.try(t, "modules")
	require.Error(t, err)
	assert.Contains(t, out, "samples/klp/livepatch-cmdline.ko: error: klp-convert: ")
	assert.NoFileExists(t, h.Built(livepatches[0]))
	assert.FileExists(t, h.Built(livepatches[1]))
}

func (h *hooked) testStrict(t *testing.T) {
	for _, c := range []struct{ name, file, from, to, symbol string }{
		{"a symbol without annotation", "livepatch-cmdline.c", "KLP_SYMPOS(saved_command_line, 0),",
			"", "saved_command_line"},
		{"an annotation in no livepatch", "livepatch-cmdline.c", `MODULE_INFO(livepatch, "Y");`, "",
			"saved_command_line"},
		{"an ordinary module", "ownmod.c", "return n & 1",
			"extern int klp_no_such_symbol; return n & klp_no_such_symbol", "klp_no_such_symbol"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.edit(t, c.file, c.from, c.to)
			out, _, err := h.try(t, "modules")
			require.Error(t, err)
			assert.Regexp(t, `(?m)^ERROR: modpost: .*`+c.symbol+`.* undefined!$`, out)
		})
	}
}

func (h *hooked) testNoTool(t *testing.T) {
	// -k, since make may stop before it comes to the second one.
	out, _, err := h.try(t, "-k", "modules", "KLP_CONVERT=klp-convert-is-not-here")
	require.Error(t, err)
	assert.Contains(t, out, livepatches[0]+": error: klp-convert-is-not-here is not in PATH: "+
		"install klp-convert or set KLP_CONVERT=")
	for _, ko := range livepatches {
		assert.NoFileExists(t, h.Built(ko))
	}
	// Nor does a build that was killed get any further.
	h.make(t, "modules")
	require.NoError(t, os.Remove(h.Built(sampleDir+"/.livepatch-cmdline.ko.klp")))
	out, _, err = h.try(t, "modules_install", "INSTALL_MOD_PATH="+t.TempDir())
	require.Error(t, err)
	assert.Contains(t, out, "not converted by klp-convert: "+livepatches[0]+`: run "make modules"`)
}

// Every file of the tree is as it was before install.sh.
func (h *hooked) testRemove(t *testing.T) {
	printed := h.install(t, "--remove")
	assert.Contains(t, printed, "  restored  scripts/Makefile.modfinal\n")
	for _, dir := range []string{".", "scripts", "scripts/mod", "include/linux"} {
		entries, err := os.ReadDir(filepath.Join(h.cached.Source(dir)))
		require.NoError(t, err)
		now, err := os.ReadDir(h.Source(dir))
		require.NoError(t, err)
		if h.apart {
			assert.Len(t, now, len(entries), "files in %s", dir)
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), "Makefile") &&
				!slices.Contains([]string{".c", ".h"}, filepath.Ext(e.Name())) {
				continue
			}
			want, err := os.ReadFile(h.cached.Source(filepath.Join(dir, e.Name())))
			require.NoError(t, err)
			got, err := os.ReadFile(h.Source(filepath.Join(dir, e.Name())))
			require.NoError(t, err)
			assert.Equal(t, want, got, "%s/%s", dir, e.Name())
		}
	}
	assert.NoFileExists(t, h.Source("include/linux/klp_convert.h"))
}

// external builds the sample for /proc/cmdline outside of the tree: by Kbuild alone,
// or by klp-convert.mk.
func (h *hooked) external(t *testing.T, byMakefile bool) (ko string) {
	t.Helper()
	dir := copySample(t, h.bench, "cmdline")
	var cmd *exec.Cmd
	if byMakefile {
		args := append(h.bench.kernel.Cross(), "-C", dir, "KDIR="+h.Place(""),
			"KLP_CONVERT="+h.bench.tool)
		cmd = h.Command("make", args...)
	} else {
		source, err := os.ReadFile(filepath.Join(dir, "livepatch-cmdline.c"))
		require.NoError(t, err)
		source = bytes.Replace(source, []byte(`"klp_convert.h"`), []byte("<linux/klp_convert.h>"),
			1)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "livepatch-cmdline.c"), source, 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "Makefile"),
			[]byte("obj-m := livepatch-cmdline.o\n"), 0o644))
		cmd = h.Make("M="+dir, "KLP_CONVERT="+h.bench.tool, "modules")
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "  KLP     ")
	return filepath.Join(dir, "livepatch-cmdline.ko")
}

// signed returns the module signed with the key that the kernel's build has made.
func (h *hooked) signed(t *testing.T, ko string) []byte {
	t.Helper()
	to := filepath.Join(t.TempDir(), "signed.ko")
	out, err := h.Command(h.Place("scripts/sign-file"), "sha256", h.Place("certs/signing_key.pem"),
		h.Place("certs/signing_key.x509"), ko, to).CombinedOutput()
	require.NoError(t, err, "%s", out)
	data, err := os.ReadFile(to)
	require.NoError(t, err)
	return data
}

// Signed by modules_install, after the conversion, they load in a kernel that
// takes nothing else.
func (h *hooked) testInstall(t *testing.T) {
	h.make(t)
	to := t.TempDir()
	h.make(t, "modules_install", "INSTALL_MOD_PATH="+to, "INSTALL_MOD_STRIP=1")
	own := *h.bench.kernel
	kernel := &own
	kernel.Image = h.Image()
	kernel.Release = strings.TrimSpace(string(h.read(t, "include/config/kernel.release")))
	bench := *h.bench
	bench.kernel = kernel
	s := bench.scene(t)
	s.vm.Append("module.sig_enforce=1")

	for _, name := range []string{"ownmod", "livepatch-ownmod", "livepatch-cmdline"} {
		path, err := one(to, "lib/modules/"+kernel.Release+"/*/"+sampleDir+"/"+name+".ko*")
		require.NoError(t, err)
		ko := decompress(t, path)
		assert.True(t, bytes.HasSuffix(ko, []byte("~Module signature appended~\n")), "%s is signed",
			path)
		if name != "ownmod" {
			assert.True(t, bytes.HasPrefix(ko, h.read(t, sampleDir+"/"+name+".ko")),
				"%s is not stripped", path)
		}
		s.file(name+".ko", ko)
	}
	s.file("unsigned.ko", h.read(t, livepatches[0]))
	kbuild := h.external(t, false)
	s.file("external.ko", h.signed(t, kbuild))
	s.file("makefile.ko", h.signed(t, h.external(t, true)))
	// Conversion after signing leaves a module without a signature.
	raw := filepath.Join(t.TempDir(), "raw.ko")
	out, err := h.Make("M="+filepath.Dir(kbuild), "KLP_CONVERT=true", "modules").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.WriteFile(raw, h.signed(t, kbuild), 0o644))
	out, err = exec.Command(h.bench.tool, raw, raw).CombinedOutput()
	require.NoError(t, err, "%s", out)
	late, err := os.ReadFile(raw)
	require.NoError(t, err)
	s.file("late.ko", late)

	patched := Cmdline + " module.sig_enforce=1 kernel.livepatch=1"
	s.run(
		sh("load unsigned.ko", refuses("EKEYREJECTED")),
		sh("load late.ko", refuses("EKEYREJECTED")),
		sh("load livepatch-cmdline.ko"),
		sh("settle livepatch_cmdline"),
		sh(cmdline, prints(patched)),
		sh("load ownmod.ko"),
		sh("cat /proc/ownmod", prints("read 1: odd")),
		sh("load livepatch-ownmod.ko"),
		sh("settle livepatch_ownmod"),
		sh("head -n 1 /proc/ownmod", prints("patched read 2: even")),
		sh(disable("livepatch_cmdline")),
		sh("settle livepatch_cmdline"),
		sh("rmmod livepatch_cmdline"),
		sh("load external.ko"),
		sh("settle livepatch_cmdline"),
		sh(cmdline, prints(patched)),
		sh(disable("livepatch_cmdline")),
		sh("settle livepatch_cmdline"),
		sh("rmmod livepatch_cmdline"),
		sh("load makefile.ko"),
		sh("settle livepatch_cmdline"),
		sh(cmdline, prints(patched)),
	)
}

// decompress returns a module that was installed compressed.
func decompress(t *testing.T, path string) []byte {
	t.Helper()
	args := map[string][]string{".ko": {"cat"}, ".xz": {"xz", "-dc"},
		".zst": {"zstd", "-dcq"}}[filepath.Ext(path)]
	require.NotEmpty(t, args, path)
	out, err := exec.Command(args[0], append(args[1:], path)...).Output()
	require.NoError(t, err)
	return out
}
