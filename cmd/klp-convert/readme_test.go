// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// README.md shows the shipped sample's conversion as it is.
func TestReadmeShowsTheSample(t *testing.T) {
	_, block, ok := strings.Cut(string(read(t, "../../README.md")), "```\n$ make build\n$ bin/")
	require.True(t, ok)
	block, _, _ = strings.Cut(block, "\n```")
	lines := strings.Split(block, "\n")
	require.Greater(t, len(lines), 5)

	out := t.TempDir() + "/out.ko"
	args := strings.Fields(lines[0])
	require.Equal(t, []string{"klp-convert", "testdata/x86_64/livepatch-cmdline.ko", "out.ko"},
		args)
	status, _, stderr := klpConvert("../../"+args[1], out)
	require.Equal(t, exitDone, status, stderr)

	require.Equal(t, "$ bin/klp-convert inspect out.ko | grep -A2 '^klp'", lines[1])
	_, stdout, _ := klpConvert("inspect", out)
	printed := strings.Split(stdout, "\n")
	for _, line := range lines[2:] {
		if line != "--" { // grep's, between two matches
			assert.Contains(t, printed, line)
		}
	}
}
