// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A module is built with what make install has installed, and nothing of the
// sources: the tool is found on PATH, the header beside klp-convert.mk.
func TestBuildWithWhatIsInstalled(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		prefix, dir := t.TempDir(), t.TempDir()
		install := exec.Command("make", "-C", w.root, "install", "prefix="+prefix,
			"builddir="+t.TempDir())
		install.Env = noMake()
		out, err := install.CombinedOutput()
		require.NoError(t, err, "%s", out)

		source, err := os.ReadFile(filepath.Join(w.root,
			"testdata/samples/cmdline/livepatch-cmdline.c"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "livepatch-cmdline.c"), source, 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "Makefile"),
			[]byte("obj-m := livepatch-cmdline.o\ninclude "+prefix+"/share/klp-convert/klp-convert.mk\n"), 0o644))
		build := w.kernel.Command("make", "KDIR="+w.kernel.Headers)
		build.Dir = dir
		build.Env = noMake("PATH="+prefix+"/bin:"+os.Getenv("PATH"), "KLP_LAB_PATH="+prefix+"/bin")
		out, err = build.CombinedOutput()
		require.NoError(t, err, "%s", out)

		out, err = exec.Command(filepath.Join(prefix, "bin/klp-convert"), "inspect",
			filepath.Join(dir, "livepatch-cmdline.ko")).CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), "livepatch-cmdline.ko"+w.kernel.inspected("converted"))
	})
}
