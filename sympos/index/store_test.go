// SPDX-License-Identifier: GPL-2.0-or-later

package index

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var key = Key{Device: 1, Inode: 2, Size: 3, Modified: 4, Changed: 5, Name: "vmlinuz"}

// write writes an index with these blocks after that of the key, and returns its path.
func write(t *testing.T, s *Store, kind string, k Key, blocks ...string) string {
	t.Helper()
	w := s.Create(kind, k)
	for i, b := range blocks {
		assert.Equal(t, i+1, w.Block([]byte(b)))
	}
	require.NoError(t, w.Commit())
	return filepath.Join(s.dir, k.file(kind))
}

func newStore(t *testing.T) *Store {
	t.Helper()
	return NewStore(filepath.Join(t.TempDir(), "a/b"))
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	s := newStore(t)
	_, err := s.Open("f", key)
	assert.ErrorIs(t, err, ErrAbsent)
	path := write(t, s, "f", key, "", "some", strings.Repeat("x", 1<<20))
	f, err := s.Open("f", key)
	require.NoError(t, err)
	require.Equal(t, 4, f.Blocks())
	for i, want := range []string{"", "some", strings.Repeat("x", 1<<20)} {
		b, err := f.Block(i + 1)
		require.NoError(t, err)
		assert.Equal(t, want, string(b))
	}
	_, err = f.Block(4)
	assert.ErrorIs(t, err, ErrDamaged)
	again, err := s.Open("f", key)
	require.NoError(t, err)
	assert.Same(t, f, again, "mapped once")

	for name, change := range map[string]func(*Key){
		"device": func(k *Key) { k.Device++ }, "inode": func(k *Key) { k.Inode++ },
		"size": func(k *Key) { k.Size++ }, "modified": func(k *Key) { k.Modified++ },
		"changed": func(k *Key) { k.Changed++ }, "name": func(k *Key) { k.Name = "other" },
	} {
		other := key
		change(&other)
		_, err := s.Open("f", other)
		assert.ErrorIs(t, err, ErrAbsent, name)
	}
	_, err = s.Open("m", key)
	assert.ErrorIs(t, err, ErrAbsent)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	info, err = os.Stat(s.dir)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

// An index that is replaced stays readable for who has it open.
func TestReplacedIndexStaysReadable(t *testing.T) {
	s := newStore(t)
	write(t, s, "f", key, "old")
	f, err := s.Open("f", key)
	require.NoError(t, err)
	later := key
	later.Modified++
	write(t, s, "f", later, "new")
	b, err := f.Block(1)
	require.NoError(t, err)
	assert.Equal(t, "old", string(b))
	g, err := s.Open("f", later)
	require.NoError(t, err)
	b, err = g.Block(1)
	require.NoError(t, err)
	assert.Equal(t, "new", string(b))
}

// An index that others may have written, or that is something else, does not count.
func TestIndexesThatAreNotTrusted(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"writable by the group": func(p string) error { return os.Chmod(p, 0o620) },
		"writable by all":       func(p string) error { return os.Chmod(p, 0o602) },
		"a link": func(p string) error {
			if err := os.Rename(p, p+"x"); err != nil {
				return err
			}
			return os.Symlink(p+"x", p)
		},
		"a directory": func(p string) error {
			if err := os.Remove(p); err != nil {
				return err
			}
			return os.Mkdir(p, 0o700)
		},
		"empty":     func(p string) error { return os.Truncate(p, 0) },
		"cut short": func(p string) error { return os.Truncate(p, 60) },
		"of another user": func(p string) error {
			if os.Geteuid() != 0 { // no one else can make such a file
				return os.Chmod(p, 0o606)
			}
			return os.Chown(p, 65534, 65534)
		},
	} {
		s := newStore(t)
		path := write(t, s, "f", key, "block")
		require.NoError(t, change(path), name)
		_, err := s.Open("f", key)
		assert.Error(t, err, name)
		assert.NotErrorIs(t, err, ErrAbsent, name)
		if name == "a directory" {
			continue // nothing of ours
		}
		write(t, s, "f", key, "block")
		_, err = s.Open("f", key)
		assert.NoError(t, err, "%s: made again", name)
	}
}

// Each byte of header, table and blocks is under a checksum.
func TestEachByteCounts(t *testing.T) {
	s := newStore(t)
	path := write(t, s, "f", key, "12345678")
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	padding := 0
	for at := range good {
		b := append([]byte{}, good...)
		b[at]++
		f, err := parse(path, b, 0)
		if err == nil && f.Key == key {
			if _, err = f.Block(1); err == nil {
				padding++
			}
		}
	}
	assert.Equal(t, (8-(6*8+len(key.Name))%8)%8, padding, "bytes between blocks")
}

func TestIndexesOfOtherVersions(t *testing.T) {
	s := newStore(t)
	write(t, s, "f", key, "block")
	s.Program++
	_, err := s.Open("f", key)
	assert.ErrorIs(t, err, ErrOther)
	s.Program--
	path := filepath.Join(s.dir, key.file("f"))
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	b[8] = Format - 1
	le.PutUint32(b[44:], checksum(b[:44]))
	_, err = parse(path, b, 0)
	assert.ErrorIs(t, err, ErrOther)
}

// The last used indexes stay.
func TestLimit(t *testing.T) {
	s := newStore(t)
	s.Limit = 3000
	for i, age := range []time.Duration{2 * time.Hour, 4 * time.Hour, 3 * time.Hour} {
		k := key
		k.Inode = uint64(i)
		path := write(t, s, "f", k, strings.Repeat("x", 700))
		when := time.Now().Add(-age)
		require.NoError(t, os.Chtimes(path, when, when))
	}
	unfinished := filepath.Join(s.dir, strings.Replace(pending, "*", "1", 1))
	require.NoError(t, os.WriteFile(unfinished, nil, 0o600))
	require.NoError(t, os.Chtimes(unfinished, time.Time{}, time.Now().Add(-2*rest)))
	k := key
	k.Inode = 1
	_, err := s.Open("f", k) // now the oldest one is that of inode 2
	require.NoError(t, err)
	k.Inode = 3
	write(t, s, "f", k, strings.Repeat("x", 700))
	have := func() (inodes []uint64) {
		for i := range uint64(5) {
			k.Inode = i
			if _, err := NewStore(s.dir).Open("f", k); err == nil {
				inodes = append(inodes, i)
			}
		}
		return inodes
	}
	assert.Equal(t, []uint64{0, 1, 3}, have())
	assert.NoFileExists(t, unfinished)

	w := s.Create("f", k)
	w.Block(make([]byte, 3001))
	assert.ErrorIs(t, w.Commit(), errTooLarge)
	assert.Equal(t, []uint64{0, 1, 3}, have(), "nothing was removed for it")

	all, err := s.List()
	require.NoError(t, err)
	assert.Len(t, all, 3)
	assert.Equal(t, "vmlinuz", all[0].Of)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "other"), nil, 0o600))
	count, size, err := s.Clear()
	require.NoError(t, err)
	assert.Equal(t, 3, count)
	assert.Greater(t, size, int64(2100))
	left, err := os.ReadDir(s.dir)
	require.NoError(t, err)
	assert.Len(t, left, 1, "what is not ours")
}

// A full disk leaves nothing.
func TestFullDisk(t *testing.T) {
	s := newStore(t)
	w := s.Create("f", key)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	w.w.Reset(full)
	w.Block(make([]byte, 1<<20))
	assert.Error(t, w.Err())
	assert.Error(t, w.Commit())
	left, err := os.ReadDir(s.dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// A directory that others may write to is not used, nor is one that can't be made.
func TestDirectoriesThatAreNotUsed(t *testing.T) {
	s := newStore(t)
	require.NoError(t, os.MkdirAll(s.dir, 0o755))
	require.NoError(t, os.Chmod(s.dir, 0o777))
	assert.ErrorContains(t, s.Create("f", key).Commit(), "writable by others")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	assert.Error(t, NewStore(filepath.Join(file, "dir")).Create("f", key).Commit())
	all, err := NewStore(filepath.Join(t.TempDir(), "absent")).List()
	assert.NoError(t, err)
	assert.Empty(t, all)
}

// Many write and read at once, as processes do.
func TestManyAtOnce(t *testing.T) {
	dir := newStore(t).dir
	var wait sync.WaitGroup
	for range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			s := NewStore(dir)
			for range 20 {
				w := s.Create("f", key)
				w.Block([]byte("block"))
				assert.NoError(t, w.Commit())
				f, err := NewStore(dir).Open("f", key)
				if assert.NoError(t, err) {
					b, err := f.Block(1)
					assert.NoError(t, err)
					assert.Equal(t, "block", string(b))
				}
			}
		}()
	}
	wait.Wait()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

func TestUserDir(t *testing.T) {
	home := t.TempDir()
	absent := filepath.Join(home, "absent")
	for _, c := range []struct {
		env  map[string]string
		want string // "" for an error
	}{
		{map[string]string{"HOME": home}, home + "/.cache/klp-convert"},
		{map[string]string{"HOME": home, "XDG_CACHE_HOME": "/"}, "/klp-convert"},
		{map[string]string{"HOME": home, "XDG_CACHE_HOME": "relative"}, home + "/.cache/klp-convert"},
		{map[string]string{"XDG_CACHE_HOME": absent}, absent + "/klp-convert"},
		{map[string]string{"XDG_CACHE_HOME": absent + "/b"}, ""},
		{map[string]string{"HOME": absent}, ""},
		{map[string]string{"HOME": "relative"}, ""},
		{map[string]string{"HOME": "/dev/null"}, ""},
		{map[string]string{}, ""},
		{map[string]string{"HOME": absent, Variable: absent}, absent},
		{map[string]string{"HOME": home, Variable: "off"}, ""},
	} {
		got, err := UserDir(func(name string) string { return c.env[name] })
		if c.env["XDG_CACHE_HOME"] == "/" && os.Geteuid() != 0 {
			assert.Error(t, err, "/ is root's")
			continue
		}
		if c.want == "" {
			assert.Error(t, err, "%v", c.env)
			continue
		}
		require.NoError(t, err, "%v", c.env)
		assert.Equal(t, c.want, got)
	}
	assert.NoDirExists(t, absent)
}

// The key of a file changes with the file, and a directory's does not.
func TestKeys(t *testing.T) {
	s := NewStore("")
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(path, []byte("a"), 0o600))
	a, ok := s.KeyOf(path)
	require.True(t, ok)
	d, ok := s.KeyOf(dir)
	require.True(t, ok)
	assert.False(t, s.Settled(a), "it was written right now")
	old := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(path, old, old))
	b, _ := s.KeyOf(path)
	assert.NotEqual(t, a, b)
	assert.False(t, s.Settled(b), "its time is old, but was set right now")
	s.Settle = -time.Hour
	assert.True(t, s.Settled(b))
	c := b
	c.Changed = c.Modified
	assert.Equal(t, c.Modified%1e9 != 0, s.Settled(c))
	c.Modified, c.Changed = 3e9, 3e9
	assert.False(t, s.Settled(c), "vfat, squashfs")
	c.Changed = 4e9
	assert.True(t, s.Settled(c), "a file system that counts seconds")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "other"), nil, 0o600))
	e, _ := s.KeyOf(dir)
	assert.Equal(t, d, e)
	for _, path := range []string{filepath.Join(dir, "other"), "/dev/null", "/proc/kallsyms",
		filepath.Join(dir, "absent")} {
		_, ok = s.KeyOf(path)
		assert.False(t, ok, path)
	}
	got, rest, ok := CutKey(append(b.Append(nil), "rest"...))
	assert.True(t, ok)
	assert.Equal(t, b, got)
	assert.Equal(t, "rest", string(rest))
}

// A signal leaves no unfinished index, and what was finished before it.
func TestAbandonedIndexesAreRemoved(t *testing.T) {
	s := newStore(t)
	path := write(t, s, "f", key, "finished")
	given := s.Create("f", Key{Inode: 1})
	given.Discard()
	w := s.Create("m", key)
	w.Block([]byte("some"))
	before, err := os.ReadDir(s.dir)
	require.NoError(t, err)
	require.Len(t, before, 2)
	s.Abandon()
	late := s.Create("m", Key{Inode: 2})
	left, err := os.ReadDir(s.dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Equal(t, filepath.Base(path), left[0].Name())
	assert.Error(t, w.Commit())
	assert.ErrorIs(t, late.Commit(), errAbandoned)
}

// Indexes in a directory that others may write to are neither read nor written.
func TestDirectoryThatOthersMayWrite(t *testing.T) {
	s := newStore(t)
	write(t, s, "f", key, "x")
	require.NoError(t, s.Trusted())
	require.NoError(t, os.Chmod(s.dir, 0o770))
	assert.ErrorContains(t, s.Trusted(), "writable by others (mode 0770)")
	_, err := s.Open("f", key)
	assert.ErrorIs(t, err, ErrAbsent)
	assert.ErrorContains(t, s.Create("f", key).Commit(), "writable by others")
	require.NoError(t, os.Chmod(s.dir, 0o700))
	_, err = s.Open("f", key)
	assert.NoError(t, err)
}

// Only what a Writer wrote is removed, whatever else is in the directory.
func TestOtherFilesAreNotRemoved(t *testing.T) {
	s := newStore(t)
	path := write(t, s, "f", key, "x")
	others := []string{"notes.klpindex", "f-notes.klpindex", "tmp-mine.klpindex", ".klpindex",
		"tmp-.klpindex", "f-" + strings.Repeat("0", 24), "F-" + strings.Repeat("x", 24) + suffix}
	old := time.Now().Add(-10 * rest)
	for _, name := range others {
		name = filepath.Join(s.dir, name)
		require.NoError(t, os.WriteFile(name, make([]byte, 100), 0o600))
		require.NoError(t, os.Chtimes(name, old, old))
	}
	s.Limit = 600
	write(t, s, "m", key, "y") // trims
	count, _, err := s.Clear()
	require.NoError(t, err)
	assert.Equal(t, 2, count)
	assert.NoFileExists(t, path)
	left, err := os.ReadDir(s.dir)
	require.NoError(t, err)
	assert.Len(t, left, len(others))
}

// A use that the clock of that day put into the future is recorded again: otherwise it would be the
// last one for years, and what is used would be removed first.
func TestUseInTheFuture(t *testing.T) {
	s := newStore(t)
	path := write(t, s, "f", key, "x")
	future := time.Now().AddDate(9, 0, 0)
	require.NoError(t, os.Chtimes(path, future, future))
	_, err := s.Open("f", key)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Less(t, info.ModTime().Year(), future.Year())
}
