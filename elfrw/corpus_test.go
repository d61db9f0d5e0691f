// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// roundTrip returns an error unless Parse and Write give b back, with every
// relocation decoded and encoded again if asked.
func roundTrip(b []byte, decode bool) error {
	f, err := Parse("round trip", b)
	if err != nil {
		return err
	}
	if decode {
		for _, s := range f.Sections {
			if s.HasRelocs() {
				s.SetRelocs(s.Relocs())
			}
		}
	}
	var out compareWriter
	out.want = b
	if err := f.Write(&out); err != nil {
		return err
	}
	if out.off != len(b) {
		return fmt.Errorf("%d bytes written, want %d", out.off, len(b))
	}
	return nil
}

// compareWriter fails at the first byte that differs from what it wants.
type compareWriter struct {
	want []byte
	off  int
}

func (c *compareWriter) Write(b []byte) (int, error) {
	rest := c.want[c.off:]
	if !bytes.HasPrefix(rest, b) {
		i := 0
		for i < min(len(b), len(rest)) && b[i] == rest[i] {
			i++
		}
		return 0, fmt.Errorf("byte %#x differs from the input", c.off+i)
	}
	c.off += len(b)
	return len(b), nil
}

// moduleSuffixes are the names that modules are installed with.
var moduleSuffixes = []string{".ko", ".ko.gz", ".ko.xz", ".ko.zst"}

// TestCorpus round-trips every module below the directories in KLP_CORPUS.
func TestCorpus(t *testing.T) {
	dirs := filepath.SplitList(need.Variable(t, "KLP_CORPUS", "make corpus"))
	var paths []string
	for _, dir := range dirs {
		before := len(paths)
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() &&
				slices.ContainsFunc(moduleSuffixes,
					func(s string) bool { return strings.HasSuffix(path, s) }) {
				paths = append(paths, path)
			}
			return err
		}))
		require.Greater(t, len(paths), before, "no modules (%v) below %s", moduleSuffixes, dir)
	}

	todo := make(chan string)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for path := range todo {
				assert.NoError(t, corpusFile(path), path)
			}
		}()
	}
	for _, path := range paths {
		todo <- path
	}
	close(todo)
	workers.Wait()
	if !t.Failed() {
		fmt.Printf("%d modules round-trip\n", len(paths))
	}
}

func corpusFile(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if unpack, packed := map[string]string{".gz": "gzip", ".xz": "xz",
		".zst": "zstd"}[filepath.Ext(path)]; packed {
		if b, err = exec.Command(unpack, "-dc", path).Output(); err != nil {
			return fmt.Errorf("%s: %w", unpack, err)
		}
	}
	if err := roundTrip(b, false); err != nil {
		return fmt.Errorf("untouched: %w", err)
	}
	if err := roundTrip(b, true); err != nil {
		return fmt.Errorf("with relocations encoded again: %w", err)
	}
	f, err := Parse(path, b)
	if err != nil {
		return err
	}
	if err := f.Editable(); err != nil {
		return err
	}
	return f.Verify()
}

func TestCorpusDirectoryWithoutModulesFails(t *testing.T) {
	if os.Getenv("KLP_CORPUS_INNER") != "" {
		need.Absent(t, "it runs itself")
	}
	out, err := runSelf(t, "TestCorpus$", "KLP_CORPUS="+t.TempDir(), "KLP_CORPUS_INNER=1")
	assert.Error(t, err)
	assert.Contains(t, out, "no modules")
	assert.NotContains(t, out, "round-trip\n")
}

func TestCorpusCountsModules(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.ko", "b.ko"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), module(kind64LE).bytes(), 0o666))
	}
	out, err := runSelf(t, "TestCorpus$", "KLP_CORPUS="+dir)
	assert.NoError(t, err, out)
	assert.Contains(t, out, "\n2 modules round-trip\n")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "c.ko"), []byte("not ELF"), 0o666))
	out, err = runSelf(t, "TestCorpus$", "KLP_CORPUS="+dir)
	assert.Error(t, err)
	assert.Contains(t, out, "c.ko")
}
