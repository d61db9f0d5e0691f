// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The lists of a kernel's modules say which it does not have, as long as they are whole.
func TestModuleListsThatWereCut(t *testing.T) {
	const dir = "lib/modules/" + release + "/"
	const builtin, modinfo, order = dir + "modules.builtin", dir + "modules.builtin.modinfo", dir +
		"modules.order"
	info := "jbd2.license=GPL\x00jbd2.file=fs/jbd2/jbd2\x00debugfs.license=GPL\x00"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"whole": {map[string]string{modinfo: info}, ""},
		"CRLF": {map[string]string{builtin: "kernel/fs/jbd2/jbd2.ko\r\n",
			order: "kernel/fs/ext4/ext4.ko\r\nkernel/net/nf-nat.ko\r\n"}, ""},
		"builtin": {map[string]string{builtin: "kernel/fs/jbd2/jbd2.ko\nkernel/fs/mb"},
			builtin + ` may not be whole: it ends in the middle of line 2 ("kernel/fs/mb"): it was cut`},
		"builtin, a line": {map[string]string{modinfo: info + "mbcache.file=fs/mbcache\x00"},
			builtin + " may not be whole: modules.builtin.modinfo has module mbcache, which is " +
				"not in it"},
		"builtin, nothing": {map[string]string{builtin: "", modinfo: info},
			builtin + " may not be whole: modules.builtin.modinfo has module jbd2"},
		"modinfo": {map[string]string{modinfo: info + "mbcache.fi"},
			modinfo + " may not be whole: it ends in the middle of an entry"},
		"order": {map[string]string{order: "kernel/fs/ext4/ext4.ko\nkernel/net/nf-n"},
			order + ` may not be whole: it ends in the middle of line 2 ("kernel/net/nf-n")`},
		"order, a line": {map[string]string{order: "kernel/fs/ext4/ext4.ko\n"},
			order + " may not be whole: "},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			files := installed(release)
			maps.Copy(files, c.files)
			lay(t, root, files)
			k, err := FindKernelIn(root, release, nil)
			require.NoError(t, err)
			all := strings.ReplaceAll(strings.Join(k.Incomplete, "\n"), root+"/", "")
			if c.want == "" {
				assert.Empty(t, all)
				assert.Equal(t, Absent, k.Presence("xfs"))
				return
			}
			require.Len(t, k.Incomplete, 1)
			assert.Contains(t, all, c.want)
			assert.Equal(t, Unknown, k.Presence("xfs"), "it may be in what is missing")
			assert.Equal(t, Unknown, k.Presence("mb"), "the half of a name is none")
		})
	}
}

func TestConfigurationThatWasCut(t *testing.T) {
	const whole = "CONFIG_A=y\n# end of General setup\n# CONFIG_B is not set\n# end of Kernel " +
		"hacking\nCONFIG_LAST=y\n"
	assert.Empty(t, ConfigCut([]byte(whole)))
	assert.Empty(t, ConfigCut([]byte("CONFIG_A=y\n")), "of before 5.3, or a fragment")
	for cut := range len(whole) - 1 - len("CONFIG_LAST=y\n") {
		if cut > len("CONFIG_A=y\n# end of") || cut == 0 || whole[cut-1] != '\n' {
			assert.NotEmpty(t, ConfigCut([]byte(whole[:cut])), "%q", whole[:cut])
		}
	}
}
