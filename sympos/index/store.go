// SPDX-License-Identifier: GPL-2.0-or-later

package index

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/exp/slices"
)

const (
	suffix  = ".klpindex"
	pending = "tmp-*" + suffix // while it is written
	// DefaultLimit is the sum of the sizes that a Store allows, in bytes.
	DefaultLimit = 1 << 30
	// rest is how long a use is not recorded again, and how old an unfinished index has to be
	// before it is removed.
	rest = time.Hour
)

// A Store is a directory of indexes. Its methods may be called from several goroutines, and
// from several processes at once. The nil Store has nothing and keeps nothing.
type Store struct {
	// Limit is the largest sum of the sizes of all indexes, in bytes.
	Limit int64
	// Settle is how long ago the last change of a file has to be (Settled).
	Settle time.Duration
	// Smallest is the size in bytes of the smallest file of which an index is worth it.
	Smallest int64
	// Program is a number of the program. Indexes of other programs are made again: it may
	// read files in another way.
	Program uint64
	// Identify, when not nil, replaces KeyOf: for tests, in which files come and go.
	Identify func(path string) (Key, bool)

	dir string

	lock  sync.Mutex
	files map[string]*File // that were opened, by name; they stay mapped

	writing    sync.Mutex
	unfinished map[string]bool // paths of what Writers of this process write
	abandoned  bool
}

// NewStore returns the store in a directory, which is created when an index is.
func NewStore(dir string) *Store {
	return &Store{Limit: DefaultLimit, Settle: 2 * time.Second, Smallest: 64 << 10, dir: dir,
		files: map[string]*File{}, unfinished: map[string]bool{}}
}

// Dir returns the directory.
func (s *Store) Dir() string { return s.dir }

// ErrAbsent is that there is no index of a file, or one of an earlier state of it.
var ErrAbsent = errors.New("no index")

// Open opens the index of that kind of a file with this key. kind is a letter. The error is
// ErrAbsent, or says what is wrong with the index that there is.
func (s *Store) Open(kind string, key Key) (*File, error) {
	if s == nil {
		return nil, ErrAbsent
	}
	name := key.file(kind)
	s.lock.Lock()
	defer s.lock.Unlock()
	if f := s.files[name]; f != nil && f.Key == key {
		return f, nil
	}
	if s.Trusted() != nil {
		return nil, ErrAbsent // Create says why
	}
	f, err := openFile(filepath.Join(s.dir, name), s.Program)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && f.Key != key:
		if f != nil {
			f.unmap()
		}
		return nil, ErrAbsent
	case err != nil:
		return nil, err
	}
	f.use()
	s.files[name] = f // an older one stays mapped: something may still read it
	return f, nil
}

// prepare creates the directory if it is not there, and checks that no one else can replace
// what is in it.
func (s *Store) prepare() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	return s.Trusted()
}

// Trusted returns an error if the directory belongs to another user, or others may write to it:
// then its indexes are not used. One that does not exist is trusted.
func (s *Store) Trusted() error {
	info, err := os.Stat(s.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return checkPrivate(s.dir, info)
}

// An Info is one index, as Store.List shows it.
type Info struct {
	Name  string // of the index
	Of    string // name of the file that it is of; "" when that can't be read
	Kind  string
	Size  int64
	Used  time.Time // the last use, to the hour
	Wrong error     // why it will be made again; nil for one that is good
}

// List returns all indexes, the last used first. A directory that does not exist has none.
func (s *Store) List() ([]Info, error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	var all []Info
	for _, name := range names {
		path := filepath.Join(s.dir, name)
		info, err := os.Lstat(path)
		if err != nil || strings.HasPrefix(name, "tmp-") {
			continue // it was removed meanwhile, or is not finished
		}
		kind, _, _ := strings.Cut(name, "-")
		x := Info{Name: name, Kind: kind, Size: info.Size(), Used: info.ModTime()}
		f, err := openFile(path, s.Program)
		if x.Wrong = err; err == nil {
			x.Of = f.Key.Name
			f.unmap()
		}
		all = append(all, x)
	}
	slices.SortStableFunc(all, func(a, b Info) int { return b.Used.Compare(a.Used) })
	return all, nil
}

// names returns the names of all indexes, finished or not.
func (s *Store) names() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if isIndex(e.Name()) && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// isIndex reports whether a Writer gives files such a name: other files in the directory are not
// ours to remove.
func isIndex(name string) bool {
	stem, ok := strings.CutSuffix(name, suffix)
	kind, number, cut := strings.Cut(stem, "-")
	if !ok || !cut || number == "" {
		return false
	}
	if kind == "tmp" {
		return strings.Trim(number, "0123456789") == ""
	}
	return len(kind) == 1 && len(number) == 24 && strings.Trim(number, "0123456789abcdef") == ""
}

// Clear removes all indexes, and returns how many there were and the sum of their sizes.
func (s *Store) Clear() (count int, size int64, err error) {
	names, err := s.names()
	if err != nil {
		return 0, 0, err
	}
	for _, name := range names {
		path := filepath.Join(s.dir, name)
		info, err := os.Lstat(path)
		if err == nil {
			err = os.Remove(path)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return count, size, err
		default:
			count, size = count+1, size+info.Size()
		}
	}
	return count, size, nil
}

// trim removes the indexes whose last use is longest ago, but not the one called keep, until
// the sum of the sizes is at most the limit. It also removes unfinished ones of processes that
// ended.
func (s *Store) trim(keep string) {
	names, err := s.names()
	if err != nil {
		return
	}
	type old struct {
		path string
		size int64
		used time.Time
	}
	var all []old
	sum := int64(0)
	for _, name := range names {
		path := filepath.Join(s.dir, name)
		info, err := os.Lstat(path)
		switch {
		case err != nil:
		case strings.HasPrefix(name, "tmp-"):
			if time.Since(info.ModTime()) > rest {
				_ = os.Remove(path)
			}
		default:
			sum += info.Size()
			if name != keep {
				all = append(all, old{path, info.Size(), info.ModTime()})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b old) int {
		return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path))
	})
	for _, o := range all {
		if sum <= s.Limit {
			return
		}
		if os.Remove(o.path) == nil {
			sum -= o.size
		}
	}
}

// Remove removes the index, which is not what it should be. Another process may have replaced
// it by now; that one is lost, too.
func (s *Store) Remove(f *File) {
	s.lock.Lock()
	defer s.lock.Unlock()
	name := filepath.Base(f.path)
	if s.files[name] == f {
		delete(s.files, name)
	}
	_ = os.Remove(f.path)
}

// ProgramNumber returns a number for Store.Program, of what identifies a program.
func ProgramNumber(identity ...any) uint64 {
	return sum64(fmt.Sprint(identity...))
}
