// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"crypto/sha256"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos/index"
)

// indexAll is a variable of the environment that lets the scripts' command write indexes of small
// and of new files, and know files by their contents: each script has files of its own.
const indexAll = "KLP_TEST_INDEX_ALL"

// indexAnything is prepareIndex for scripts.
func indexAnything(s *index.Store) {
	s.Settle, s.Smallest = 0, 0
	s.Identify = func(path string) (index.Key, bool) {
		var what []byte
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return index.Key{}, false
		case info.IsDir():
			err = filepath.WalkDir(path, func(p string, _ fs.DirEntry, err error) error {
				what = append(append(what, strings.TrimPrefix(p, path)...), 0)
				return err
			})
		case info.Mode().IsRegular() && info.Size() > 0:
			what, err = os.ReadFile(path)
		default:
			return index.Key{}, false
		}
		sum := sha256.Sum256(what)
		return index.Key{Device: binary.LittleEndian.Uint64(sum[:]), Size: info.Size(), Changed: 1,
			Name: filepath.Base(path)}, err == nil
	}
}

// The scripts print the same while indexes are written, and when they are there. TestScripts runs
// them without.
func TestScriptsWithIndexes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "indexes")
	vars := []string{index.Variable + "=" + dir, indexAll + "=1"}
	written := func() map[string]uint64 {
		all := map[string]uint64{}
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			info, err := e.Info()
			require.NoError(t, err)
			all[e.Name()] = info.Sys().(*syscall.Stat_t).Ino
		}
		return all
	}
	t.Run("cold", func(t *testing.T) { testscript.Run(t, scripts(t, vars...)) })
	cold := written()
	assert.Greater(t, len(cold), 20)
	t.Run("warm", func(t *testing.T) { testscript.Run(t, scripts(t, vars...)) })
	assert.Equal(t, cold, written(), "nothing was written again")
}

// What a signal calls removes the indexes that this process has not finished.
func TestAbandonIndexesRemovesUnfinishedOnes(t *testing.T) {
	defer stores.Unlock() // abandonIndexes leaves them locked
	dir := filepath.Join(t.TempDir(), "indexes")
	t.Setenv(index.Variable, dir)
	store, err := openIndex()
	require.NoError(t, err)
	w := store.Create("m", index.Key{Inode: 1})
	defer w.Discard()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	abandonIndexes()
	left, err = os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// Indexes that are there, but are not used, are shown as such.
func TestCacheOfADirectoryThatOthersMayWrite(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o770))
	t.Setenv(index.Variable, dir)
	status, stdout, stderr := klpConvert("cache")
	assert.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stdout, "not used: "+dir+" is writable by others (mode 0770)")
}
