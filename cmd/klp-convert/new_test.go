// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A file that appears while the others are written is left alone, and nothing else is left.
func TestProjectsAreWrittenWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "a.c"), filepath.Join(dir, "Makefile")
	require.NoError(t, os.WriteFile(second, []byte("mine"), 0o600))
	err := writeProject(dir, []projectFile{{first, "text"}, {second, "text"}})
	assert.ErrorContains(t, err, "file exists")
	assert.NoFileExists(t, first)
	assert.Equal(t, "mine", string(read(t, second)))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1, "no temporary file either")

	require.NoError(t, os.Remove(second))
	require.NoError(t, writeProject(dir, []projectFile{{first, "text"}, {second, "text"}}))
	assert.Equal(t, "text", string(read(t, first)))
	info, err := os.Stat(first)
	require.NoError(t, err)
	assert.Equal(t, 0o666&^umask(), info.Mode().Perm())
	assert.Empty(t, temps.names)
}

// A directory that was made for files that can't be written is removed.
func TestNoEmptyDirectoryIsLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	err := writeProject(dir, []projectFile{{filepath.Join(dir, "no", "such.c"), "text"}})
	assert.Error(t, err)
	assert.NoDirExists(t, dir)
}

func TestNamesOfProjects(t *testing.T) {
	for dir, want := range map[string]string{"a/lp-x": "lp-x", "lp_2": "lp_2", "/lp": "lp"} {
		name, err := nameOfProject(dir)
		require.NoError(t, err)
		assert.Equal(t, want, name)
	}
	for _, dir := range []string{"/", "a b", "a.b", "lp$x",
		"a-name-that-is-longer-than-the-names-of-modules-of-linux-may-be"} {
		_, err := nameOfProject(dir)
		assert.Error(t, err, dir)
	}
}
