// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Conversion with a kernel: the directory that the packages are unpacked in,
// and the lab's own modules beside it.

// kernelFlags are for a conversion with the kernel that the module will meet.
func (w *workbench) kernelFlags(t *testing.T) []string {
	t.Helper()
	flags := []string{"--kernel", w.kernel.Root}
	dir := t.TempDir()
	for _, name := range []string{"klplab_target.ko", "klplab_owner.ko"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, w.built(t, name), 0o644))
		flags = append(flags, "--module", path)
	}
	return flags
}

func TestConversionWithItsKernel(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		flags := w.kernelFlags(t)
		s := w.scene(t, "klplab_target.ko", "klplab_owner.ko")
		names, byFile := []string{"klplab_bare.ko", "klplab_export.ko"}, []step(nil)
		if w.kernel.arch.Name != "loongarch64" { // whose assembler takes no such label
			names = append(names, "klplab_byfile.ko")
			byFile = []step{enable("klplab_byfile"), sh(show, prints("first 100 second 200"))}
			w.refused(t, "klplab_byfile.ko", "KLP038")
		}
		for _, name := range names {
			s.file(name, w.warned(t, name, nil, flags...))
		}
		s.file("raw.ko", w.built(t, "klplab_export.ko"))

		// modpost made the livepatch depend on what it patches.
		raw, export := w.built(t, "klplab_export.ko"), s.vm.files["klplab_export.ko"]
		assert.Equal(t, "klplab_owner", modinfo(t, raw, "depends"))
		assert.Empty(t, modinfo(t, export, "depends"))
		const name = "klplab_owner_export\x00"
		for _, table := range []string{"__versions", "__version_ext_names"} {
			assert.NotContains(t, string(section(t, export, table)), name)
		}

		s.run(append([]step{
			sh("load raw.ko", refuses("ENOENT",
				"klplab_export: Unknown symbol klplab_owner_export (err -2)")),
			enable("klplab_export"),
			sh("load klplab_owner.ko"),
			sh(showOwner, prints("export: 2001")),
			// That it can leave shows that the livepatch holds no reference to it.
			sh("rmmod klplab_owner"),
			sh("load klplab_target.ko"),
			enable("klplab_bare"),
			sh(show, patchedBy("klplab_bare", "42", "43")),
			remove("klplab_bare"),
		}, byFile...)...)
	})
}
