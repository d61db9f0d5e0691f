// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A Cache is a directory of entries, each made once and never changed.
//
// Two runs may want the same entry at the same time, and either may be killed
// at any point. Therefore an entry is filled under a temporary name and renamed
// when it is complete, by the process that holds the entry's lock:
//
//	linux-6.1.0-50-amd64_6.1.176-1/        an entry
//	linux-6.1.0-50-amd64_6.1.176-1.lock    its lock, flock(2), never removed
//	linux-6.1.0-50-amd64_6.1.176-1.tmp     half an entry: remains of a killed run
//
// flock belongs to an open file and ends with the process that holds it, so a
// killed run leaves no lock.
type Cache struct {
	Dir string
}

// OpenCache returns the cache in KLP_LAB_CACHE, or in the user's cache directory,
// and creates the directory.
func OpenCache() (*Cache, error) {
	dir := os.Getenv("KLP_LAB_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("no place for the lab's cache, set KLP_LAB_CACHE: %w", err)
		}
		dir = filepath.Join(user, "klp-convert", "lab")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return &Cache{Dir: dir}, nil
}

// Entry returns the path of the entry called name. If it does not exist yet, fill
// makes it in the empty directory tmp, which then becomes final by rename; a fill
// that fails leaves no entry. Paths that are written into the entry must use final.
func (c *Cache) Entry(name string, fill func(tmp, final string) error) (string, error) {
	final := filepath.Join(c.Dir, name)
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	unlock, err := c.Lock(name)
	if err != nil {
		return "", err
	}
	defer unlock()
	// Another run may have made it while this one waited for the lock.
	if _, err := os.Stat(final); err == nil {
		return final, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	tmp := final + ".tmp"
	if err := os.RemoveAll(tmp); err != nil {
		return "", err
	}
	if err := os.Mkdir(tmp, 0o755); err != nil {
		return "", err
	}
	if err := fill(tmp, final); err != nil {
		os.RemoveAll(tmp)
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return final, os.Rename(tmp, final)
}

// Lock takes the exclusive lock called name and waits for it if need be.
// The caller gives it back with unlock.
func (c *Cache) Lock(name string) (unlock func(), err error) {
	path := filepath.Join(c.Dir, name+".lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		// A signal (Go's own preemption sends them) interrupts the wait.
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, &fs.PathError{Op: "flock", Path: path, Err: err}
	}
	return func() { f.Close() }, nil
}
