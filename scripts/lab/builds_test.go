// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// klp_target= in .modinfo says which build of the module a livepatch is for. No kernel looks at
// it, whether it is true or not; sysfs has what check -k running compares it with.
func TestKernelsIgnoreWhichBuildALivepatchIsFor(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		dir := t.TempDir()
		write := func(name string, ko []byte) string {
			path := filepath.Join(dir, name)
			require.NoError(t, os.WriteFile(path, ko, 0o644))
			return path
		}
		target := write("klplab_target.ko", w.built(t, "klplab_target.ko"))
		note := section(t, w.built(t, "klplab_target.ko"), ".note.gnu.build-id")
		const sha1 = 20
		require.Greater(t, len(note), sha1)
		id := hex.EncodeToString(note[len(note)-sha1:])

		right, printed := w.klpConvert(t, "klplab_v7.ko", "-q", "--module", target)
		require.NotNil(t, right, "%s", printed)
		require.Equal(t, "klplab_target:"+id, modinfo(t, right, "klp_target"))
		wrong := bytes.Replace(right, []byte(id), bytes.Repeat([]byte("0"), len(id)), 1)
		require.NotEqual(t, right, wrong)

		s := w.scene(t, "klplab_target.ko")
		steps := []step{
			sh("load klplab_target.ko"),
			sh(`tail -c 20 /sys/module/klplab_target/notes/.note.gnu.build-id | `+
				`hexdump -v -e '1/1 "%02x"'`, prints(id)),
		}
		for name, ko := range map[string][]byte{"right.ko": right, "wrong.ko": wrong} {
			s.file(name, ko)
			steps = append(steps, sh("load "+name), sh("settle klplab_v7"),
				sh(show, patchedBy("klplab_v7", "42", "43")), remove("klplab_v7"))

			out, _ := exec.Command(w.tool, "check", "-k", w.kernel.named()+","+target,
				write(name, ko)).CombinedOutput()
			if name == "right.ko" {
				assert.NotContains(t, string(out), "KLP170")
			} else {
				assert.Contains(t, string(out), "[KLP170]")
			}
		}
		s.run(steps...)
	})
}
