// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/index"
)

// A kernel with Kernel.Index reads its sources from indexes, as far as these have them, and
// writes indexes of the others. There are two kinds:
//
//	f   of a file: an image, a vmlinux, a list, a module that was read alone
//	m   of all modules in a directory and below it (indexed_modules.go)
//
// What is read from an index is what was visited when the file was read (record.go), so the
// table is the same. An index that is not as it should be is not used, and the file is read.

// Blocks of an index of a file. Block 0 is the key; the last four exist only if Facts have
// these lists.
const (
	blockFacts = iota + 1
	blockEntries
	firstList
)

// kindFile is the kind of an index of one file.
const kindFile = "f"

// An indexing is how one reading uses the indexes; the nil one uses none.
type indexing struct {
	store *index.Store
	packs []*modulePack

	lock  sync.Mutex
	notes []string // why indexes are made again, or could not be written
}

// indexing returns how a reading of these modules of the kernel uses the indexes.
func (k *Kernel) indexing(modules []string) *indexing {
	if k.Index == nil {
		return nil
	}
	read := make(map[string]bool, len(modules))
	for _, name := range modules {
		read[name] = true
	}
	x := &indexing{store: k.Index}
	for _, dir := range k.moduleDirs {
		x.packs = append(x.packs, &modulePack{x: x, dir: dir, prefix: prefixOf(dir), writes: true})
	}
	left := len(x.packs)
	for name, path := range k.modules {
		if left == 0 {
			break
		}
		if pack := x.packOf(path); pack != nil && pack.writes && !read[name] {
			pack.writes = false
			left--
		}
	}
	return x
}

func (x *indexing) note(what string, err error) {
	if err == nil || errors.Is(err, index.ErrAbsent) {
		return
	}
	x.lock.Lock()
	defer x.lock.Unlock()
	if text := fmt.Sprintf("index: %s: %s", what, err); !slices.Contains(x.notes, text) {
		x.notes = append(x.notes, text)
	}
}

// A reading is one scan of a source, which may come from an index.
type reading struct {
	want  Want
	all   bool // see player
	visit func(*Entry)
}

// errReplay is that an index turned out to be damaged after entries of it were visited: they are
// worthless, and the file has to be read.
var errReplay = errors.New("index damaged")

// scan scans the source, or replays what an index has of it. The error may be errReplay.
func (x *indexing) scan(src Source, r reading) (Facts, error) {
	file, ok := src.(*fileSource)
	if x == nil || !ok || file.path == "" {
		return src.Scan(r.visit)
	}
	key, ok := x.store.KeyOf(file.path)
	if !ok {
		return src.Scan(r.visit)
	}
	pack := x.packOf(file.path)
	if pack != nil {
		if facts, found, err := pack.replay(file.path, key, r); found {
			return facts, err
		}
	}
	packed := pack != nil && pack.writes // then that index is to have the module
	if !packed && key.Size >= x.store.Smallest {
		if facts, found, err := x.replay(key, r); found {
			return facts, err
		}
	}
	return x.record(file, key, pack, r)
}

// replay visits what the index of a file has. found is false if there is no index.
func (x *indexing) replay(key index.Key, r reading) (facts Facts, found bool, err error) {
	f, err := x.store.Open(kindFile, key)
	if err != nil {
		x.note("made again", err)
		return facts, false, nil
	}
	var entries []byte
	err = guard(f.Path(), func() error {
		facts, entries, err = readIndex(f)
		return err
	})
	if err == nil {
		if err = (&player{want: r.want, all: r.all, visit: r.visit}).play(entries); err != nil {
			x.store.Remove(f)
			x.note("made again", f.Damaged("entries"))
			return facts, true, errReplay
		}
		return facts, true, nil
	}
	x.store.Remove(f)
	x.note("made again", err)
	return Facts{}, false, nil
}

// readIndex reads the index of a file.
func readIndex(f *index.File) (facts Facts, entries []byte, err error) {
	b, err := f.Block(blockFacts)
	if err != nil {
		return facts, nil, err
	}
	c := cutter{b: b}
	facts, lists := c.facts()
	if c.bad || len(c.b) > 0 {
		return facts, nil, f.Damaged("facts")
	}
	if entries, err = f.Block(blockEntries); err != nil {
		return facts, nil, err
	}
	at := firstList
	next := func(list uint64) (b []byte) {
		if lists&list == 0 || err != nil {
			return nil
		}
		if b, err = f.Block(at); b == nil && err == nil {
			b = []byte{}
		}
		at++
		return b
	}
	addresses := func(list uint64) []uint64 {
		b := next(list)
		if b == nil {
			return nil
		}
		c := cutter{b: b}
		all := c.addresses()
		if c.bad || len(c.b) > 0 {
			err = f.Damaged("addresses")
		}
		return all
	}
	facts.Config, facts.BTF = next(hasConfig), next(hasBTF)
	facts.Untraced, facts.Sealed = addresses(hasUntraced), addresses(hasSealed)
	return facts, entries, err
}

// record scans the file and writes an index of it, or adds it to that of its directory.
func (x *indexing) record(file *fileSource, key index.Key, pack *modulePack,
	r reading) (Facts, error) {
	packed := pack != nil && pack.writes
	if !x.store.Settled(key) || !packed && key.Size < x.store.Smallest {
		return file.Scan(r.visit)
	}
	rec, marks := newRecorder(), newRecorder()
	defer rec.free()
	defer marks.free()
	rec.wantNames = packed
	facts, err := file.Scan(func(e *Entry) {
		if rec.add(e) && packed {
			marks.add(e)
		}
		r.visit(e)
	})
	if err != nil {
		return facts, err
	}
	// It may have changed while it was read.
	if now, ok := x.store.KeyOf(file.path); !ok || now != key {
		return facts, nil
	}
	_, strange := rec.objects.numbers[Vmlinux] // a module by that name
	if packed && facts.Kind == ModuleFile && !strange && facts.Config == nil &&
		facts.BTF == nil && facts.Untraced == nil && facts.Sealed == nil {
		pack.add(file.path, key, &facts, rec, marks)
	} else if !packed {
		x.note("not written", x.write(key, &facts, rec))
	}
	return facts, nil
}

// write writes the index of a file.
func (x *indexing) write(key index.Key, facts *Facts, rec *recorder) error {
	w := x.store.Create(kindFile, key)
	w.Block(appendFacts(nil, facts))
	_, _ = w.Write(rec.head())
	w.Block(rec.records)
	if facts.Config != nil {
		w.Block(facts.Config)
	}
	if facts.BTF != nil {
		w.Block(facts.BTF)
	}
	for _, list := range [][]uint64{facts.Untraced, facts.Sealed} {
		if list != nil {
			w.Block(appendAddresses(nil, list))
		}
	}
	return w.Commit()
}

// finish writes what is still to be written, and returns why indexes were made again or could
// not be written, a line each.
func (x *indexing) finish() []string {
	if x == nil {
		return nil
	}
	for _, p := range x.packs {
		x.note("not written", p.finish())
	}
	return x.notes
}

// discard removes what was not finished.
func (x *indexing) discard() {
	if x == nil {
		return
	}
	for _, p := range x.packs {
		if p.w != nil {
			p.w.Discard()
		}
	}
}
