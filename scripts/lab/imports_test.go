// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kbuild lays out an archive in a directory of its own, and has Kbuild make the modules of it.
// Symbols that are not there are a warning.
func (w *workbench) kbuild(t *testing.T, path string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	archive, err := txtar.ParseFile(path)
	require.NoError(t, err)
	for _, f := range archive.Files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644))
	}
	cmd := w.kernel.Command("make", "-C", w.kernel.Headers, "M="+dir, "KBUILD_MODPOST_WARN=1",
		"KCPPFLAGS=-I"+filepath.Join(w.root, "scripts/include"), "modules")
	cmd.Env = noMake()
	printed, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", printed)
	return dir
}

// What modpost resolved to the export of a module is not converted to the function of the
// same name that a livepatched module hides, whatever is known of the exporter.
func TestImportsAreNotRebound(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		dir := w.kbuild(t, "testdata/imports.txtar")
		file := func(name string) []byte {
			b, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			return b
		}
		require.Equal(t, "tgtb", modinfo(t, file("livepatch-import.ko"), "depends"))

		run := func(args ...string) (string, error) {
			cmd := exec.Command(w.tool, args...)
			cmd.Dir = dir
			printed, err := cmd.CombinedOutput()
			return string(printed), err
		}
		var out []byte
		for _, test := range []struct {
			flags string
			ids   []string
		}{
			{"--module tgta.ko", []string{"KLP054", "KLP074"}},
			{"--module tgta.ko --module tgtb.ko", []string{"KLP054"}},
			{"--module tgta.ko --symvers Module.symvers", []string{"KLP054"}},
			{"--module .", []string{"KLP054"}},
		} {
			flags := append([]string{"--kernel", w.kernel.Root}, strings.Fields(test.flags)...)
			printed, err := run(append(flags, "livepatch-import.ko", "out.ko")...)
			require.NoError(t, err, "%s: %s", test.flags, printed)
			for _, id := range []string{"KLP048", "KLP050", "KLP051", "KLP054", "KLP074",
				"KLP075"} {
				want := 0
				if strings.Contains(strings.Join(test.ids, " "), id) {
					want = 1
				}
				assert.Equal(t, want, strings.Count(printed, "["+id+"]"), "%s of %s: %s", id,
					test.flags, printed)
			}
			out = file("out.ko")
			assert.NotContains(t, string(section(t, out, ".strtab")), ".klp.sym.", test.flags)
			assert.Equal(t, "tgtb", modinfo(t, out, "depends"), test.flags)
		}

		// Of a kernel without CONFIG_MODVERSIONS there is depends= alone.
		strip := exec.Command("objcopy", "--rename-section", "__versions=.other",
			"--rename-section", "__version_ext_names=.names",
			"livepatch-import.ko", "bare.ko")
		strip.Dir = dir
		require.NoError(t, strip.Run())
		text, err := run("--kernel", w.kernel.Root, "--module", "tgta.ko", "bare.ko", "no.ko")
		require.Error(t, err)
		assert.Contains(t, text,
			"symbol shared_helper is hidden in tgta, and may be an export of tgtb")
		assert.Contains(t, text, "\n    --module tgtb.ko\n")
		assert.NoFileExists(t, filepath.Join(dir, "no.ko"))
		text, err = run("--kernel", w.kernel.Root, "--module", "tgta.ko", "--module", "tgtb.ko",
			"bare.ko", "yes.ko")
		require.NoError(t, err, "%s", text)

		s := w.scene(t)
		for _, name := range []string{"tgta.ko", "tgtb.ko"} {
			s.file(name, file(name))
		}
		s.file("livepatch-import.ko", out)
		const show = "cat /sys/module/tgta/parameters/show"
		s.run(
			sh("load tgta.ko"),
			sh(show, prints("101")),
			sh("load tgtb.ko"),
			sh("load livepatch-import.ko"),
			sh("settle livepatch_import"),
			sh(show, prints("201")),
		)
	})
}
