// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/klp-convert/klp-convert/sympos/index"
)

// kindNames is the kind of an index of the paths of the modules in a directory. It has one block:
//
//	directories  how many; of each the path below the directory, which itself is the first, and
//	             the key
//	modules      how many; of each the path below the directory, in the order of a search
//
// A file that comes, goes or gets another name changes the times of the directory that it is in, so
// the paths are right as long as all directories have the keys that they had. Asking a thousand
// directories for their times takes a tenth of the time that reading them takes.
const kindNames = "d"

// A listing is what a search found.
type listing struct {
	paths []string
	dirs  []string
	// states are those of the directories before they were read: what changes later than that
	// shows. nil if no index is to be written, or can be.
	states []index.Key
}

// findModules returns the paths of the modules in the directory and below it. It does not
// follow links to directories, such as build and source.
func (k *Kernel) findModules(dir string) ([]string, error) {
	key, ok := k.Index.KeyOf(dir)
	if !ok {
		l, err := walkModules(dir, nil)
		return l.paths, err
	}
	paths, err := readNames(k.Index, dir, key)
	if err == nil {
		return paths, nil
	}
	if !errors.Is(err, index.ErrAbsent) {
		k.note("index: made again: %s", err)
	}
	l, err := walkModules(dir, k.Index)
	if err == nil && len(l.paths) > 0 && l.states != nil {
		if err := l.write(k.Index, dir, key); err != nil {
			k.note("index: not written: %s", err)
		}
	}
	return l.paths, err
}

// walkModules searches the directory. Without a store it does not find states.
func walkModules(dir string, store *index.Store) (l listing, err error) {
	whole := store != nil
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == dir:
			return err
		case err != nil:
			whole = false
		case d.IsDir():
			if whole {
				state, ok := store.StateOf(path)
				whole = ok && store.Settled(state)
				l.dirs, l.states = append(l.dirs, path), append(l.states, state)
			}
		case isModuleFile(d.Name()):
			l.paths = append(l.paths, path)
		}
		return nil
	})
	if !whole {
		l.states = nil
	}
	return l, err
}

// write writes the index.
func (l *listing) write(store *index.Store, dir string, key index.Key) error {
	prefix := prefixOf(dir)
	below := func(path string) string {
		if path == dir {
			return ""
		}
		return strings.TrimPrefix(path, prefix)
	}
	b := binary.AppendUvarint(nil, uint64(len(l.dirs)))
	for i, path := range l.dirs {
		b = l.states[i].Append(appendText(b, below(path)))
	}
	b = binary.AppendUvarint(b, uint64(len(l.paths)))
	for _, path := range l.paths {
		b = appendText(b, below(path))
	}
	w := store.Create(kindNames, key)
	w.Block(b)
	return w.Commit()
}

// readNames returns the paths that the index has. The error wraps index.ErrAbsent if there is none,
// or if a directory is not as it was.
func readNames(store *index.Store, dir string, key index.Key) ([]string, error) {
	f, err := store.Open(kindNames, key)
	if err != nil {
		return nil, err
	}
	b, err := f.Block(1)
	if err != nil {
		store.Remove(f)
		return nil, err
	}
	b = bytes.Clone(b) // the file may be cut short
	c := cutter{b: b}
	prefix := prefixOf(dir)
	for n := c.number(); n > 0 && !c.bad; n-- {
		path := dir
		if name := c.text(); len(name) > 0 {
			path = prefix + string(name)
		}
		state, rest, ok := index.CutKey(c.b)
		if !ok {
			c.bad = true
			break
		}
		c.b = rest
		if now, ok := store.StateOf(path); !ok || now != state {
			return nil, index.ErrAbsent
		}
	}
	names := c.texts()
	if c.bad || len(c.b) > 0 {
		store.Remove(f)
		return nil, f.Damaged("names of modules")
	}
	// All in one piece of memory.
	size := len(prefix) * len(names)
	for _, name := range names {
		size += len(name)
	}
	var all strings.Builder
	all.Grow(size)
	for _, name := range names {
		all.WriteString(prefix)
		all.Write(name)
	}
	paths, rest := make([]string, len(names)), all.String()
	for i, name := range names {
		n := len(prefix) + len(name)
		paths[i], rest = rest[:n], rest[n:]
	}
	return paths, nil
}
