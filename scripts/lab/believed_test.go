// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the tool says of declarations and of copies of functions is what happens: a bool that is
// declared as int, a member of a struct in another place, and a function that its caller has a
// copy of. No kernel objects to any of them.
func TestWhatTheAuthorBelieves(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		dir := w.kbuild(t, "testdata/believed.txtar")
		s := w.scene(t)
		file := func(name string) {
			b, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			s.file(name, b)
		}
		file("believed.ko")
		steps := []step{sh("load believed.ko")}
		const (
			result  = "cat /proc/believed_result"
			member  = "cat /proc/filesystems"
			direct  = "cat /proc/believed_direct"
			pointer = "cat /proc/believed_pointer"
		)
		idRE := regexp.MustCompile(`(?m) (?:warning|error|finding): .*\[(KLP\d+)\]$`)
		ids := func(text string) (all []string) {
			for _, m := range idRE.FindAllStringSubmatch(text, -1) {
				all = append(all, m[1])
			}
			return all
		}
		// gcc 10, Debian 11's, does not write how a function is declared.
		described := w.kernel.AtLeast(5, 11)
		for _, test := range []struct {
			name      string
			converted []string // ids of the warnings of the conversion
			checked   []string // ids of the findings of check
			says      []string // regular expressions for what check prints
			shows     []step
		}{
			{name: "result-right", shows: []step{sh(result, prints("livepatch: not ready"))}},
			{
				name:      "result-wrong",
				converted: []string{"KLP092"},
				checked:   []string{"KLP171"},
				says:      []string{`return value +int +bool +the kernel sets 1 byte, the rest of the 4 that are read is undefined`},
				shows:     []step{sh(result, prints("livepatch: ready"))},
			},
			// sysfs may be mounted in a user namespace: FS_USERNS_MOUNT, 8. 7.3 has 0x200 too.
			{
				name:  "member-right",
				shows: []step{sh(member + ` | grep -E '^flags 0x[0-9a-f]{0,3}8$'`)},
			},
			{
				name:      "member-wrong",
				converted: []string{"KLP094"},
				checked:   []string{"KLP173"},
				says:      []string{`fs_flags +int, at 0, 4 bytes +int, at 8, 4 bytes `},
				// Half of the pointer to the name, which is in the kernel's .rodata.
				shows: []step{sh(member + " | grep -E '^flags 0x[89a-f][0-9a-f]{7}$'")},
			},
			{
				name: "level-right",
				shows: []step{
					sh(direct, prints("level 2 version 2")),
					sh(pointer, prints("level 2 version 2")),
				},
			},
			{
				name:    "level-wrong",
				checked: []string{"KLP176"},
				says: []string{
					`believed_level: inlined into believed_direct_show, which is not patched`,
					`note: believed_version: the compiler inlined it, and does not say where`,
				},
				shows: []step{
					sh(direct, prints("level 1 version 1")),
					sh(pointer, prints("level 2 version 2")),
				},
			},
		} {
			run := func(args ...string) string {
				cmd := exec.Command(w.tool, args...)
				cmd.Dir = dir
				printed, _ := cmd.CombinedOutput()
				return string(printed)
			}
			if test.name == "result-wrong" && !described {
				test.converted, test.checked, test.says = nil, nil, nil
			}
			ko, module := test.name+".ko", strings.ReplaceAll(test.name, "-", "_")
			text := run("--kernel", w.allParts(), "--module", "believed.ko", ko, "out-"+ko)
			assert.Equal(t, test.converted, ids(text), "%s: %s", test.name, text)
			text = run("check", "-k", w.allParts(), "--module", "believed.ko", "out-"+ko)
			assert.Equal(t, test.checked, ids(text), "%s: %s", test.name, text)
			for _, line := range test.says {
				assert.Regexp(t, line, text, test.name)
			}

			file("out-" + ko)
			steps = append(steps, sh("load out-"+ko), sh("settle "+module))
			steps = append(steps, test.shows...)
			steps = append(steps, remove(module))
		}
		s.run(steps...)
	})
}
