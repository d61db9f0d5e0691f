// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testCache(t *testing.T) *Cache {
	t.Setenv("KLP_LAB_CACHE", filepath.Join(t.TempDir(), "a", "b"))
	c, err := OpenCache()
	require.NoError(t, err)
	return c
}

func put(name, text string) func(tmp, final string) error {
	return func(tmp, _ string) error {
		return os.WriteFile(filepath.Join(tmp, name), []byte(text), 0o644)
	}
}

func TestEntryIsMadeOnce(t *testing.T) {
	c := testCache(t)
	var made atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			dir, err := c.Entry("one", func(tmp, final string) error {
				made.Add(1)
				time.Sleep(20 * time.Millisecond)
				assert.NoDirExists(t, final)
				return put("file", "whole")(tmp, final)
			})
			assert.NoError(t, err)
			assert.FileExists(t, filepath.Join(dir, "file"))
		}()
	}
	all.Wait()
	assert.EqualValues(t, 1, made.Load())
}

func TestFailedFillLeavesNoEntry(t *testing.T) {
	c := testCache(t)
	cause := errors.New("no network")
	_, err := c.Entry("one", func(tmp, final string) error {
		require.NoError(t, put("half", "")(tmp, final))
		return cause
	})
	require.ErrorIs(t, err, cause)
	assert.NoDirExists(t, filepath.Join(c.Dir, "one"))
	assert.NoDirExists(t, filepath.Join(c.Dir, "one.tmp"))

	dir, err := c.Entry("one", put("file", ""))
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(dir, "file"))
}

func TestRemainsOfKilledRunAreNotUsed(t *testing.T) {
	c := testCache(t)
	require.NoError(t, os.MkdirAll(filepath.Join(c.Dir, "one.tmp", "half"), 0o755))
	dir, err := c.Entry("one", put("file", ""))
	require.NoError(t, err)
	assert.NoDirExists(t, filepath.Join(dir, "half"))
}

func TestLockExcludes(t *testing.T) {
	c := testCache(t)
	unlock, err := c.Lock("x")
	require.NoError(t, err)
	second := make(chan func())
	go func() {
		u, err := c.Lock("x")
		assert.NoError(t, err)
		second <- u
	}()
	other, err := os.Open(filepath.Join(c.Dir, "x.lock"))
	require.NoError(t, err)
	defer other.Close()
	assert.ErrorIs(t, syscall.Flock(int(other.Fd()), syscall.LOCK_EX|syscall.LOCK_NB),
		syscall.EWOULDBLOCK)
	select {
	case <-second:
		t.Fatal("two hold the lock")
	default:
	}
	unlock()
	(<-second)() // or the test does not end
}
