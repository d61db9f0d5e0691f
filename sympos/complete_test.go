// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Each kernel is found by one of its lists, by name and by directory. Its image can't be read.
func TestObjectNamesComeFromLists(t *testing.T) {
	root := t.TempDir()
	lay(t, root, map[string]string{
		"boot/vmlinuz-6.1.0": "no image",
		"lib/modules/6.1.0/modules.dep": "kernel/fs/ext4/ext4.ko.xz: kernel/lib/crc16.ko.xz\n" +
			"updates/dkms/my-own.ko:\n",
		"lib/modules/6.1.0/modules.order":     "kernel/fs/xfs/xfs.ko\n",
		"usr/lib/modules/6.9.0/modules.order": "kernel/net/nf-nat.ko\n",
		"tree/modules.order":                  "drivers/a-b.o\n",
		"tree/Module.symvers":                 "",
	})
	for x, want := range map[string][]string{
		"6.1.0":                                {"ext4", "my_own", "vmlinux"},
		"6.9.0":                                {"nf_nat", "vmlinux"},
		root + "/lib/modules/6.1.0":            {"ext4", "my_own", "vmlinux"},
		root + "/tree":                         {"a_b", "vmlinux"},
		"6.9.0," + root + "/drivers/x-y.ko.gz": {"nf_nat", "vmlinux", "x_y"},
		"7.7.7":                                {"vmlinux"},
	} {
		assert.Equal(t, want, ObjectNames(root, x), x)
	}
}

// An unpacked package has no lists, and one kernel.
func TestObjectNamesWithoutLists(t *testing.T) {
	root := t.TempDir()
	lay(t, root, map[string]string{
		"lib/modules/6.1.0/kernel/fs/ext4.ko": "",
		"boot/System.map-6.1.0":               "ffffffff81000000 T _text\n",
	})
	assert.Equal(t, []string{"ext4", "vmlinux"}, ObjectNames("/", root))
}

func TestReleasesAreFoundWhereKernelsAre(t *testing.T) {
	root := t.TempDir()
	lay(t, root, map[string]string{
		"boot/vmlinuz-6.1.0": "", "boot/vmlinuz-5.10.0.old": "", "boot/vmlinuz": "",
		"lib/modules/6.2.0/modules.dep": "", "usr/lib/debug/boot/vmlinux-6.3.0": "",
	})
	assert.Equal(t, []string{"6.1.0", "6.2.0", "6.3.0"}, Releases(root))
}
