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

// emulators run a program of another machine, by the names of Debian's qemu-user.
var emulators = map[string]string{
	"s390x": "qemu-s390x", "ppc64le": "qemu-ppc64le", "arm64": "qemu-aarch64",
	"loongarch64": "qemu-loongarch64",
}

// The package for each machine has a klp-convert that runs there, and makes of the lab's
// modules for that machine what the one of this machine makes.
func TestPackageOfForeignMachine(t *testing.T) {
	everyKernelThat(t, func(r Release) bool { return emulators[r.arch().Name] != "" },
		func(t *testing.T, w *workbench) {
			dir := t.TempDir()
			cmd := exec.Command("make", "--no-print-directory", "-C", w.root, "packages",
				"builddir="+dir, "VERSION=1.2.3", "GOARCH="+w.kernel.arch.Go)
			cmd.Env = noMake()
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			deb, err := one(dir, "packages/*_"+w.kernel.arch.Debian+".deb")
			require.NoError(t, err)
			root := filepath.Join(dir, "root")
			out, err = exec.Command("dpkg-deb", "-x", deb, root).CombinedOutput()
			require.NoError(t, err, "%s", out)

			run := func(args ...string) string {
				args = append([]string{filepath.Join(root, "usr/bin/klp-convert")}, args...)
				out, err := w.kernel.Command(emulators[w.kernel.arch.Name], args...).CombinedOutput()
				require.NoError(t, err, "%s", out)
				return string(out)
			}
			assert.Contains(t, run("--version"), "linux/"+w.kernel.arch.Go)
			for _, name := range []string{"klplab_uses.ko", "klplab_sections.ko", "klplab_cmdline.ko",
				"klplab_twins.ko", "klplab_target.ko"} {
				in, to := filepath.Join(dir, name), filepath.Join(dir, "out-"+name)
				require.NoError(t, os.WriteFile(in, w.built(t, name), 0o644))
				run(in, to)
				there, err := os.ReadFile(to)
				require.NoError(t, err)
				assert.Equal(t, w.converted(t, name), there, name)
			}
			assert.Contains(t, run("check", "-k", w.kernel.Root,
				filepath.Join(dir, "out-klplab_cmdline.ko")), "loads")
		})
}
