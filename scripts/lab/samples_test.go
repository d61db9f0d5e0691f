// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The samples under testdata/samples/ are what an author starts from: a Makefile
// of two lines and scripts/klp-convert.mk. They are built here as the author
// builds them, with plain "make", and not through this package.

// copySample copies a sample, and what its Makefile includes, to a new tree.
func copySample(t *testing.T, w *workbench, name string) (dir string) {
	t.Helper()
	tree := t.TempDir()
	for _, part := range []string{"testdata/samples/" + name, "scripts/include"} {
		require.NoError(t, os.CopyFS(filepath.Join(tree, part),
			os.DirFS(filepath.Join(w.root, part))))
	}
	mk, err := os.ReadFile(filepath.Join(w.root, "scripts/klp-convert.mk"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(tree, "scripts/klp-convert.mk"), mk, 0o644))
	return filepath.Join(tree, "testdata/samples", name)
}

// makeSample runs make in the sample's directory and returns what it printed.
func makeSample(t *testing.T, w *workbench, dir string) string {
	t.Helper()
	cmd := w.kernel.Command("make", append(w.kernel.Cross(), "KDIR="+w.kernel.Headers,
		"KLP_CONVERT="+w.tool)...)
	cmd.Dir = dir
	cmd.Env = noMake()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// addSample builds a sample and puts its modules into the scene.
func (s *scene) addSample(name string) {
	s.t.Helper()
	dir := copySample(s.t, s.bench, name)
	makeSample(s.t, s.bench, dir)
	modules, err := filepath.Glob(filepath.Join(dir, "*.ko"))
	require.NoError(s.t, err)
	require.NotEmpty(s.t, modules)
	for _, m := range modules {
		s.file(filepath.Base(m), readFile(s.t, m))
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}

func TestSampleCmdline(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		w.since(t, 5, 8, "the samples are written for the kernels of today")
		s := w.scene(t)
		s.addSample("cmdline")
		s.run(
			sh(cmdline, prints(Cmdline)),
			sh("load livepatch-cmdline.ko"),
			sh("settle livepatch_cmdline"),
			sh(cmdline, prints(Cmdline+" kernel.livepatch=1")),
			sh(disable("livepatch_cmdline")),
			sh("settle livepatch_cmdline"),
			sh("rmmod livepatch_cmdline"),
			sh(cmdline, prints(Cmdline)),
		)
	})
}

func TestSampleOwnModule(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		w.since(t, 5, 8, "the samples are written for the kernels of today")
		s := w.scene(t)
		s.addSample("ownmod")
		last := "read 4: even"
		if w.kernel.arch.Name == "loongarch64" {
			last = "read 5: odd" // tail of its busybox, 1.38, reads the file twice
		}
		s.run(
			sh("load ownmod.ko"),
			sh("cat /proc/ownmod", prints("read 1: odd")),
			sh("load livepatch-ownmod.ko"),
			sh("settle livepatch_ownmod"),
			sh("head -n 1 /proc/ownmod", prints("patched read 2: even")),
			sh("tail -n 1 /proc/ownmod | cut -d ' ' -f 1-3",
				prints("Linux version "+w.kernel.Release)),
			sh(disable("livepatch_ownmod")),
			sh("settle livepatch_ownmod"),
			sh("cat /proc/ownmod", prints(last)),
		)
	})
}

// klp-convert.mk converts what was linked again, and nothing else.
func TestMakeConvertsOnlyWhatChanged(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		w.since(t, 5, 8, "the samples are written for the kernels of today")
		dir := copySample(t, w, "ownmod")
		first := makeSample(t, w, dir)
		assert.Equal(t, 2, strings.Count(first, "  KLP "), "modules converted at first:\n%s", first)
		again := makeSample(t, w, dir)
		assert.NotContains(t, again, "  KLP ")
		assert.NotContains(t, again, "  LD [M]")

		touch(t, filepath.Join(dir, "livepatch-ownmod.c"))
		changed := makeSample(t, w, dir)
		assert.Equal(t, 1, strings.Count(changed, "  KLP "),
			"modules converted after a change:\n%s", changed)
		assert.Contains(t, changed, "livepatch-ownmod.ko")
	})
}
