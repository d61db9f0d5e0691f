// SPDX-License-Identifier: GPL-2.0-or-later

package docs_test

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

// What inlining.md shows is what the commands print: go test ./docs -update.
func TestInliningIsPrinted(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir, "./cmd/klp-convert")
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Symlink(filepath.Join(root, "testdata"), filepath.Join(dir, "testdata")))
	const file = "inlining.md"
	text := page(t, file)
	count := 0
	printed := regexp.MustCompile("(?s)```console\n\\$ ([^\n]*)\n.*?```").
		ReplaceAllStringFunc(text, func(block string) string {
			count++
			command, _, _ := strings.Cut(strings.TrimPrefix(block, "```console\n$ "), "\n")
			return "```console\n$ " + command + "\n" + run(dir, command) + "```"
		})
	require.Equal(t, 3, count)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(printed), 0o644))
	}
	assert.Equal(t, text, printed)
}
