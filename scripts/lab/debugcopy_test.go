// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// debugCopy makes a copy for debuggers of a converted module.
func (w *workbench) debugCopy(t *testing.T, ko []byte) []byte {
	t.Helper()
	in, out := filepath.Join(t.TempDir(), "in.ko"), filepath.Join(t.TempDir(), "debug.ko")
	require.NoError(t, os.WriteFile(in, ko, 0o644))
	printed, err := exec.Command(w.tool, "inspect", "--debug-copy", out, in).CombinedOutput()
	require.NoError(t, err, "%s", printed)
	b, err := os.ReadFile(out)
	require.NoError(t, err)
	return b
}

// A copy for debuggers is refused, and would be without the vermagic that says so,
// for its klp symbols.
func TestCopyForDebuggersIsRefused(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		s := w.scene(t)
		b := w.debugCopy(t, w.converted(t, "klplab_cmdline.ko"))
		s.file("debug.ko", b)
		require.Equal(t, 1, bytes.Count(b, []byte("\x00vermagic=copy")))
		b = bytes.Replace(b, []byte("\x00vermagic=copy"), []byte("\x00vermagix=copy"), 1)
		b = bytes.Replace(b, []byte("wasmagic="), []byte("vermagic="), 1)
		s.file("magic.ko", b)
		s.run(
			sh("load debug.ko", refuses("ENOEXEC", "version magic 'copy for debuggers "+
				"(klp-convert inspect --debug-copy), not to be loaded' should be '"+w.kernel.Release+" ")),
			sh("load magic.ko", refuses("ENOENT", "klplab_cmdline: Unknown symbol "+
				".klp.sym.vmlinux.saved_command_line,0 (err -2)")),
		)
	})
}
