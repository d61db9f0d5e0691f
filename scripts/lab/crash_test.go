// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
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

// crash takes the copy for debuggers as the debug object of the loaded livepatch: names,
// types, and code with the names of what it calls. It needs the kernel's vmlinux with debug
// information, a download of a gigabyte: with KLP_LAB_DEBUG only.
func TestCrashReadsCopyForDebuggers(t *testing.T) {
	need.Variable(t, "KLP_LAB_DEBUG", "it takes the debug package of a kernel, a gigabyte")
	if _, err := exec.LookPath("crash"); err != nil {
		need.Lab(t, "crash is not installed: apt-get install crash")
	}
	everyDebian(t, func(t *testing.T, w *workbench) {
		if s := w.kernel.release.Series; s != "5.10" && s != "6.1" {
			need.Absent(t, "crash has to know the kernel: 8.0.2, of Debian 12, knows none from 6.4 on")
		}
		files, err := FetchDebug(w.cache, w.kernel, t.Logf)
		require.NoError(t, err)
		i := slices.IndexFunc(files,
			func(f string) bool { return strings.HasPrefix(filepath.Base(f), "vmlinux") })
		require.GreaterOrEqual(t, i, 0, "%v", files)

		dir := t.TempDir()
		core, copied := filepath.Join(dir, "core"), filepath.Join(dir, "debug.ko")
		require.NoError(t, os.WriteFile(copied, w.debugCopy(t, w.converted(t, "klplab_cmdline.ko")),
			0o644))
		s := w.scene(t, "klplab_cmdline.ko")
		s.vm.Core(core)
		s.run(sh("load klplab_cmdline.ko"), sh("settle klplab_cmdline"),
			sh(cmdline, prints(patchedCmdline)))

		cmd := exec.Command("crash", "-s", files[i], core)
		cmd.Stdin = strings.NewReader("mod -s klplab_cmdline " + copied +
			"\nsym klplab_cmdline_show\nwhatis klplab_cmdline_show\n" +
			"dis -l klplab_cmdline_show\nquit\n")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		for _, want := range []string{
			// symbols of the module, where it was loaded
			"klplab_cmdline_show [klplab_cmdline]",
			"int klplab_cmdline_show(struct seq_file *, void *);", // its types
			"klplab_cmdline.c: 22",                                // and lines
			"<saved_command_line>",                                // what the kernel wrote to the code
		} {
			assert.Contains(t, string(out), want)
		}
	})
}
