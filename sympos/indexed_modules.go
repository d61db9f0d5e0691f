// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/index"
)

// The index of all modules in a directory has these blocks:
//
//	first          key of the directory
//	second and on  all entries of a module, as in the index of a file
//	last but one   names: each name that any module has, once: the name, with its length;
//	               how many bytes the modules take that have it, and of each the difference
//	               of its number to that of the one before
//	last           modules, ordered by path: how many; of each the path below the directory,
//	               its key, its facts, its marked entries, the number of the block with all
//
// Numbers of modules are those of the last block. A question is answered from the last two, and
// from the entries of those modules that have a wanted name. The names are read from one end to
// the other, since a Want can't be asked what it wants.
//
// The entries are written while modules are read, so that memory does not grow with their
// number but for 8 bytes a symbol; the names are made at the end, by sorting these.

// kindModules is the kind of an index of modules.
const kindModules = "m"

// maxNamed bounds the part of an index that has entries: 32 bits say where a name is.
const maxNamed = 1 << 32

// A modulePack is the index of the modules of a directory, during one reading.
type modulePack struct {
	x      *indexing
	dir    string
	prefix string // what paths of modules in the directory begin with
	// writes is set if all modules are read, so that the index can be made.
	writes bool

	once    sync.Once
	file    *index.File    // nil: there is none
	key     index.Key      // of the directory
	known   bool           // key is
	modules []packedModule // by path

	found sync.Once
	has   []bool // by number: the module has a wanted name

	lock  sync.Mutex
	used  []bool // by number: the file has the module as it is
	bad   bool   // the file is damaged
	w     *index.Writer
	added []packedModule
	names []uint64 // hash of a name, where it is in the file
}

// A packedModule is what the index has of a module.
type packedModule struct {
	path  string // below the directory
	key   index.Key
	facts []byte
	marks []byte
	block int
	at    uint64 // where that block begins, while it is written
}

// packOf returns the index of the directory that the module is in, nil if there is none.
func (x *indexing) packOf(path string) *modulePack {
	for _, p := range x.packs {
		if strings.HasPrefix(path, p.prefix) && isModuleFile(filepath.Base(path)) {
			return p
		}
	}
	return nil
}

// prefixOf returns what paths of modules in a directory begin with.
func prefixOf(dir string) string {
	switch dir {
	case ".":
		return ""
	case "/":
		return "/"
	}
	return dir + "/"
}

// open opens the index, if that was not tried before.
func (p *modulePack) open() {
	p.once.Do(func() {
		store := p.x.store
		if p.key, p.known = store.KeyOf(p.dir); !p.known {
			return
		}
		f, err := store.Open(kindModules, p.key)
		if err == nil {
			if p.modules, err = readModules(f); err != nil {
				store.Remove(f)
			}
		}
		if err != nil {
			p.x.note("made again", err)
			return
		}
		p.file, p.used = f, make([]bool, len(p.modules))
	})
}

// readModules reads the last block.
func readModules(f *index.File) (all []packedModule, err error) {
	b, err := f.Block(f.Blocks() - 1)
	if err != nil {
		return nil, err
	}
	err = guard(f.Path(), func() error {
		all, err = parseModules(f, b)
		return err
	})
	return all, err
}

func parseModules(f *index.File, b []byte) ([]packedModule, error) {
	c := cutter{b: b}
	n := c.number()
	if n > uint64(len(c.b)) {
		return nil, f.Damaged("modules")
	}
	all := make([]packedModule, 0, min(n, 1<<16))
	for ; n > 0 && !c.bad; n-- {
		m := packedModule{path: string(c.text())}
		var ok bool
		if m.key, c.b, ok = index.CutKey(c.b); !ok {
			c.bad = true
		}
		m.facts, m.marks, m.block = c.text(), c.text(), int(c.number())
		all = append(all, m)
	}
	if c.bad || len(c.b) > 0 {
		return nil, f.Damaged("modules")
	}
	return all, nil
}

// append appends the module as the last block has it.
func (m *packedModule) append(b []byte) []byte {
	b = m.key.Append(appendText(b, m.path))
	b = appendText(appendText(b, m.facts), m.marks)
	return binary.AppendUvarint(b, uint64(m.block))
}

// below returns the path below the directory.
func (p *modulePack) below(path string) string { return path[len(p.prefix):] }

// replay visits what the index has of the module. found is false if it does not have it, or
// another state of it. The error may be errReplay.
func (p *modulePack) replay(path string, key index.Key, r reading) (facts Facts, found bool,
	err error,
) {
	p.open()
	if p.file == nil {
		return facts, false, nil
	}
	i, ok := slices.BinarySearchFunc(p.modules, p.below(path),
		func(m packedModule, path string) int { return cmp.Compare(m.path, path) })
	if !ok || p.modules[i].key != key {
		return facts, false, nil
	}
	m := &p.modules[i]
	entries := m.marks
	if !p.writes || p.hasWanted(r.want)[i] { // one module is read as a whole
		if entries, err = p.file.Block(m.block); err != nil {
			p.damaged(err)
		}
	}
	if p.isBad() {
		return facts, false, nil
	}
	c := cutter{b: m.facts}
	err = guard(p.file.Path(), func() error {
		facts, _ = c.facts()
		return nil
	})
	if err != nil || c.bad || len(c.b) > 0 {
		p.damaged(p.file.Damaged("facts"))
		return facts, false, nil
	}
	if (&player{want: r.want, visit: r.visit}).play(entries) != nil {
		p.damaged(p.file.Damaged("entries"))
		return facts, true, errReplay
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	p.used[i] = true
	return facts, true, nil
}

// damaged removes the index from the store, and lets the rest of the modules be read from their
// files.
func (p *modulePack) damaged(err error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if !p.bad {
		p.bad = true
		p.x.store.Remove(p.file)
		p.x.note("made again", err)
	}
}

func (p *modulePack) isBad() bool {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.bad
}

// hasWanted returns which modules have a wanted name, or are exported as one.
func (p *modulePack) hasWanted(want Want) []bool {
	p.found.Do(func() {
		p.has = make([]bool, len(p.modules))
		b, err := p.file.Block(p.file.Blocks() - 2)
		if err != nil {
			p.damaged(err)
			return
		}
		c := cutter{b: b}
		err = guard(p.file.Path(), func() error {
			p.findWanted(&c, want)
			return nil
		})
		if err != nil || c.bad {
			p.damaged(p.file.Damaged("names"))
		}
	})
	return p.has
}

// findWanted reads the block of names for hasWanted.
func (p *modulePack) findWanted(c *cutter, want Want) {
	for len(c.b) > 0 && !c.bad {
		name, list := c.text(), c.text()
		if of := exportOf(name); !want(name) && (of == nil || !want(of)) {
			continue
		}
		number := uint64(0)
		for d := (cutter{b: list}); len(d.b) > 0; {
			if number += d.number(); d.bad || number >= uint64(len(p.has)) {
				c.bad = true
				break
			}
			p.has[number] = true
		}
	}
}

// add adds a module that was read.
func (p *modulePack) add(path string, key index.Key, facts *Facts, rec, marks *recorder) {
	p.open()
	if !p.known {
		return
	}
	m := packedModule{path: p.below(path), key: key, facts: appendFacts(nil, facts),
		marks: append(marks.head(), marks.records...)}
	head := rec.head()
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.w == nil {
		p.w = p.x.store.Create(kindModules, p.key)
	}
	p.write(m, head, rec.records, rec.names)
}

// write writes the entries of a module, which begin with head. names are in what follows it.
func (p *modulePack) write(m packedModule, head, records []byte, names []nameRef) {
	m.at = p.w.Offset()
	at := m.at + uint64(len(head))
	if at+uint64(len(records)) > maxNamed {
		return // it is read from its file each time
	}
	for _, n := range names {
		p.names = append(p.names, uint64(n.hash)<<32|(at+uint64(n.at)))
	}
	_, _ = p.w.Write(head)
	m.block = p.w.Block(records)
	p.added = append(p.added, m)
}

// finish writes the index, if there is anything new.
func (p *modulePack) finish() error {
	if p.w == nil {
		return nil
	}
	return guard(p.dir, p.writeRest) // it copies from the index that there was
}

func (p *modulePack) writeRest() error {
	p.copyUsed()
	slices.SortFunc(p.added, func(a, b packedModule) int { return cmp.Compare(a.path, b.path) })
	p.writeNames()
	list := binary.AppendUvarint(nil, uint64(len(p.added)))
	for i := range p.added {
		list = p.added[i].append(list)
	}
	p.w.Block(list)
	err := p.w.Commit()
	p.w = nil
	return err
}

// copyUsed copies those modules of the index that there was that are as they were.
func (p *modulePack) copyUsed() {
	for i, used := range p.used {
		if !used {
			continue
		}
		b, err := p.file.Block(p.modules[i].block)
		if err != nil {
			continue
		}
		var names []nameRef
		each := func(name []byte, at int) {
			names = append(names, nameRef{hashName(name), uint32(at)})
		}
		if (&player{each: each}).play(b) == nil {
			p.write(p.modules[i], nil, b, names)
		}
	}
}

// writeNames writes the block of names.
func (p *modulePack) writeNames() {
	type span struct {
		from   uint64
		number int
	}
	var spans []span // of the modules that are added, by where they are
	for i, m := range p.added {
		spans = append(spans, span{m.at, i})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	moduleAt := func(at uint64) int {
		i, _ := slices.BinarySearchFunc(spans, at+1,
			func(s span, at uint64) int { return cmp.Compare(s.from, at) })
		return spans[i-1].number
	}
	type use struct {
		name   []byte
		number int
	}
	slices.Sort(p.names)
	p.w.Read(func(written []byte) {
		var (
			uses    []use // of names of one hash
			b, list []byte
		)
		flush := func() {
			slices.SortFunc(uses, func(a, b use) int {
				return cmp.Or(bytes.Compare(a.name, b.name), cmp.Compare(a.number, b.number))
			})
			for i := 0; i < len(uses); {
				name, last := uses[i].name, 0
				list = list[:0]
				for ; i < len(uses) && bytes.Equal(uses[i].name, name); i++ {
					if n := uses[i].number; len(list) == 0 || n != last {
						list = binary.AppendUvarint(list, uint64(n-last))
						last = n
					}
				}
				b = appendText(appendText(b[:0], name), list)
				_, _ = p.w.Write(b)
			}
			uses = uses[:0]
		}
		for i, n := range p.names {
			if i > 0 && n>>32 != p.names[i-1]>>32 {
				flush()
			}
			at := n & (maxNamed - 1)
			c := cutter{b: written[at:]}
			uses = append(uses, use{c.text(), moduleAt(at)})
		}
		flush()
	})
	p.w.End()
}
