// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func put(t *testing.T, root, path, text string) {
	t.Helper()
	path = filepath.Join(root, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

// Each kernel is known by one of its lists, by name and by folder; its image is
// nothing that could be read.
func TestObjectNamesComeFromLists(t *testing.T) {
	root := t.TempDir()
	put(t, root, "boot/vmlinuz-6.1.0", "no image")
	put(t, root, "lib/modules/6.1.0/modules.dep", "kernel/fs/ext4/ext4.ko.xz: kernel/lib/crc16.ko.xz\nupdates/dkms/my-own.ko:\n")
	put(t, root, "lib/modules/6.1.0/modules.order", "kernel/fs/xfs/xfs.ko\n")
	put(t, root, "usr/lib/modules/6.9.0/modules.order", "kernel/net/nf-nat.ko\n")
	put(t, root, "tree/modules.order", "drivers/a-b.o\n")
	put(t, root, "tree/Module.symvers", "")
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
	put(t, root, "lib/modules/6.1.0/kernel/fs/ext4.ko", "")
	put(t, root, "boot/System.map-6.1.0", "ffffffff81000000 T _text\n")
	assert.Equal(t, []string{"ext4", "vmlinux"}, ObjectNames("/", root))
}

func TestReleasesAreFoundWhereKernelsAre(t *testing.T) {
	root := t.TempDir()
	for _, path := range []string{"boot/vmlinuz-6.1.0", "boot/vmlinuz-5.10.0.old", "lib/modules/6.2.0/modules.dep", "usr/lib/debug/boot/vmlinux-6.3.0", "boot/vmlinuz"} {
		put(t, root, path, "")
	}
	assert.Equal(t, []string{"6.1.0", "6.2.0", "6.3.0"}, Releases(root))
}
