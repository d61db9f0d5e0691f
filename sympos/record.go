// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"encoding/binary"
	"hash/maphash"
	"sync"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/index"
)

// What Scan visits and returns is written into indexes, and replayed from them:
//
//	entries   texts, the names of objects: their number, each with its length
//	          texts, file names and namespaces, in the same way; the number of entries; each:
//	            flags, 1 byte; type, 1 byte; name, with its length
//	            address: the difference to the one before, zigzag; size, if there is one
//	            object, if another one than before; file; namespace: numbers of texts
//	            of Module.symvers: checksum, and whether it is for the GPL only
//	facts     the numbers and texts of Facts, in their order, and which of the lists exist
//
// Lengths and numbers are varints (encoding/binary). Large lists of Facts are apart: .BTF and
// the configuration as they are, addresses as varints of their differences.
//
// A table is made of few of the entries. Those that a reading has to visit whatever it wants
// are marked: the first of each object, the first export of each, and the first of each
// namespace (scanOne makes objects and seenExports of these). With the wanted ones, and of
// vmlinux those up to the next higher address, from which sizes follow, the table is the same.

// Flags of an entry.
const (
	recMarked = 1 << iota
	recObject
	recFile
	recFleeting
	recExport
	recNamespace
	recListed
	recSize
)

// errRecord is that what an index has is not what was written into it.
var errRecord = index.ErrDamaged

// A recorder writes entries.
type recorder struct {
	objects, texts textTable
	records        []byte
	count          uint64
	object         string
	address        uint64
	began          bool
	last           string          // the last object with a symbol,
	made           bool            // if there was one
	seen           map[string]bool // what was marked
	// names are, if wanted, where the names are among the records, and their hashes.
	wantNames bool
	names     []nameRef
}

// recorders are those that are free: thousands of modules are recorded one after the other, and
// their records need the same memory.
var recorders = sync.Pool{New: func() any { return new(recorder) }}

func newRecorder() *recorder { return recorders.Get().(*recorder) }

// free ends the use of the recorder, and of what it has.
func (r *recorder) free() {
	clear(r.objects.numbers)
	clear(r.texts.numbers)
	clear(r.seen)
	*r = recorder{
		objects: textTable{r.objects.numbers, r.objects.texts[:0]},
		texts:   textTable{r.texts.numbers, r.texts.texts[:0]},
		records: r.records[:0], seen: r.seen, names: r.names[:0],
	}
	recorders.Put(r)
}

// A nameRef is a name of an entry: its hash, and where it is, with its length.
type nameRef struct{ hash, at uint32 }

// nameSeed makes all hashes of one process alike. They are never written.
var nameSeed = maphash.MakeSeed()

func hashName(name []byte) uint32 { return uint32(maphash.Bytes(nameSeed, name)) }

// A textTable gives texts numbers.
type textTable struct {
	numbers map[string]uint64
	texts   []byte
}

func (t *textTable) number(text []byte) uint64 {
	if n, ok := t.numbers[string(text)]; ok {
		return n
	}
	if t.numbers == nil {
		t.numbers = map[string]uint64{}
	}
	n := uint64(len(t.numbers))
	t.numbers[string(text)] = n
	t.texts = appendText(t.texts, text)
	return n
}

func appendText[T string | []byte](b []byte, text T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// isFirst reports whether the entry is the first of its kind that is marked.
func (r *recorder) isFirst(e *Entry) bool {
	first := false
	mark := func(kind, text string) {
		if key := kind + text; !r.seen[key] {
			r.seen[key], first = true, true
		}
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	export := e.Export || exportOf(e.Name) != nil
	if !export && r.made && e.Object == r.last {
		return false // of most entries this is enough
	}
	if !e.Export {
		mark("object ", e.Object)
		r.last, r.made = e.Object, true
	}
	if export {
		mark("exports of ", e.Object)
		if len(e.Namespace) > 0 {
			mark("namespace ", string(e.Namespace))
		}
	}
	return first
}

// add records an entry, and reports whether it is marked.
func (r *recorder) add(e *Entry) (marked bool) {
	flags := byte(0)
	if marked = r.isFirst(e); marked {
		flags |= recMarked
	}
	for _, f := range []struct {
		flag byte
		is   bool
	}{
		{recObject, !r.began || e.Object != r.object}, {recFile, len(e.File) > 0},
		{recFleeting, e.Fleeting}, {recExport, e.Export}, {recNamespace, len(e.Namespace) > 0},
		{recListed, e.listed || e.gplOnly || e.crc != 0}, {recSize, e.Size != 0},
	} {
		if f.is {
			flags |= f.flag
		}
	}
	b := append(r.records, flags, e.Type)
	if r.wantNames {
		r.names = append(r.names, nameRef{hashName(e.Name), uint32(len(b))})
	}
	b = appendText(b, e.Name)
	b = binary.AppendVarint(b, int64(e.Address-r.address))
	if flags&recSize != 0 {
		b = binary.AppendUvarint(b, e.Size)
	}
	if flags&recObject != 0 {
		b = binary.AppendUvarint(b, r.objects.number([]byte(e.Object)))
	}
	if flags&recFile != 0 {
		b = binary.AppendUvarint(b, r.texts.number(e.File))
	}
	if flags&recNamespace != 0 {
		b = binary.AppendUvarint(b, r.texts.number(e.Namespace))
	}
	if flags&recListed != 0 {
		b = binary.AppendUvarint(b, uint64(e.crc))
		bits := byte(0)
		if e.gplOnly {
			bits = 1
		}
		if e.listed {
			bits |= 2
		}
		b = append(b, bits)
	}
	r.records, r.object, r.address, r.began = b, e.Object, e.Address, true
	r.count++
	return marked
}

// head returns what comes before the records.
func (r *recorder) head() []byte {
	b := binary.AppendUvarint(nil, uint64(len(r.objects.numbers)))
	b = append(b, r.objects.texts...)
	b = binary.AppendUvarint(b, uint64(len(r.texts.numbers)))
	b = append(b, r.texts.texts...)
	return binary.AppendUvarint(b, r.count)
}

// A cutter reads numbers and texts from the beginning of a slice. After the first that is not
// there, bad is set and the others are empty.
type cutter struct {
	b   []byte
	bad bool
}

func (c *cutter) number() uint64 {
	n, size := binary.Uvarint(c.b)
	if size <= 0 {
		c.b, c.bad = nil, true
		return 0
	}
	c.b = c.b[size:]
	return n
}

func (c *cutter) text() []byte { return c.cut(c.number()) }

// cut returns the next n bytes.
func (c *cutter) cut(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.b, c.bad = nil, true
		return nil
	}
	text := c.b[:n:n]
	c.b = c.b[n:]
	return text
}

func (c *cutter) byte() byte {
	if b := c.cut(1); b != nil {
		return b[0]
	}
	return 0
}

// texts reads a list of texts. Its memory is bounded by that of what it reads.
func (c *cutter) texts() [][]byte {
	n := c.number()
	if n > uint64(len(c.b)) { // each takes a byte at least
		c.bad = true
		return nil
	}
	list := make([][]byte, n)
	for i := range list {
		list[i] = c.text()
	}
	return list
}

// A player replays entries.
type player struct {
	want Want
	// all is set when every entry counts: when the kernel may compare names of vmlinux other
	// than as a whole (matching).
	all   bool
	visit func(*Entry)
	// each, when not nil, is called instead of visit, for every entry: with its name, and where
	// that is in what is replayed, with its length.
	each func(name []byte, at int)
}

// play visits the entries in b that are marked or wanted. If it returns an error, it may have
// visited some. b may be mapped.
func (p *player) play(b []byte) error {
	return guard("entries", func() error { return p.playAll(b) })
}

func (p *player) playAll(b []byte) error {
	c := cutter{b: b}
	var objects []string
	for _, t := range c.texts() {
		objects = append(objects, string(t))
	}
	texts := c.texts()
	var (
		e       Entry
		count   = c.number()
		address uint64
		pending bool   // a wanted entry of vmlinux has no size,
		from    uint64 // and this address
	)
	text := func() []byte {
		if n := c.number(); n < uint64(len(texts)) {
			return texts[n]
		}
		c.bad = true
		return nil
	}
	for ; count > 0 && !c.bad; count-- {
		head := c.cut(2)
		if c.bad {
			break
		}
		flags := head[0]
		e.Type = head[1]
		at := len(b) - len(c.b)
		e.Name = c.text()
		if p.each != nil && !c.bad {
			p.each(e.Name, at)
		}
		delta := c.number() // zigzag, as AppendVarint writes it
		address += delta>>1 ^ -(delta & 1)
		e.Address, e.Size, e.File, e.Namespace = address, 0, nil, nil
		if flags&recSize != 0 {
			e.Size = c.number()
		}
		changed := flags&recObject != 0
		if changed {
			n := c.number()
			if n >= uint64(len(objects)) {
				c.bad = true
				break
			}
			e.Object = objects[n]
		}
		if flags&recFile != 0 {
			e.File = text()
		}
		if flags&recNamespace != 0 {
			e.Namespace = text()
		}
		e.Fleeting, e.Export = flags&recFleeting != 0, flags&recExport != 0
		e.crc, e.gplOnly, e.listed = 0, false, false
		if flags&recListed != 0 {
			e.crc = uint32(c.number())
			bits := c.byte()
			e.gplOnly, e.listed = bits&1 != 0, bits&2 != 0
		}
		if c.bad || p.each != nil {
			continue
		}
		vmlinux := e.Object == Vmlinux
		wanted := p.want(e.Name)
		switch {
		case wanted, flags&recMarked != 0, pending, p.all:
			p.visit(&e)
		default:
			if of := exportOf(e.Name); of != nil && !e.Export && p.want(of) {
				p.visit(&e)
			}
		}
		switch {
		case wanted && vmlinux && e.Size == 0 && !e.Export:
			if !pending || e.Address > from {
				from = e.Address
			}
			pending = true
		case pending && !e.Export && (!vmlinux || e.Address > from):
			pending = false
		}
	}
	if c.bad || len(c.b) > 0 {
		return errRecord
	}
	return nil
}

// Lists of Facts that have blocks of their own.
const (
	hasConfig = 1 << iota
	hasBTF
	hasUntraced
	hasSealed
)

// appendFacts appends all of the facts but the large lists.
func appendFacts(b []byte, f *Facts) []byte {
	bits := uint64(0)
	for i, has := range []bool{f.Config != nil, f.BTF != nil, f.Untraced != nil, f.Sealed != nil,
		f.NoAddresses, f.debugInfo} {
		if has {
			bits |= 1 << i
		}
	}
	for _, n := range []uint64{bits, uint64(f.Kind), uint64(f.Order)} {
		b = binary.AppendUvarint(b, n)
	}
	for _, t := range []string{f.Relative, f.BuildID, f.Build.ID, f.Build.SrcVersion, f.Partial,
		f.PartialOf} {
		b = appendText(b, t)
	}
	b = binary.AppendUvarint(b, uint64(len(f.Notes)))
	for _, t := range f.Notes {
		b = appendText(b, t)
	}
	return b
}

// facts reads what appendFacts wrote, and which of the large lists there are.
func (c *cutter) facts() (f Facts, lists uint64) {
	const noAddresses, debugInfo = hasSealed << 1, hasSealed << 2
	bits := c.number()
	f.NoAddresses, f.debugInfo = bits&noAddresses != 0, bits&debugInfo != 0
	f.Kind, f.Order = Kind(c.number()), Order(c.number())
	for _, t := range []*string{&f.Relative, &f.BuildID, &f.Build.ID, &f.Build.SrcVersion,
		&f.Partial, &f.PartialOf} {
		*t = string(c.text())
	}
	for _, t := range c.texts() {
		f.Notes = append(f.Notes, string(t))
	}
	if f.Kind < ModuleFile || f.Kind > Symvers || f.Order < Unordered || f.Order > ByAddress {
		c.bad = true
	}
	return f, bits & (hasConfig | hasBTF | hasUntraced | hasSealed)
}

// appendAddresses appends ascending addresses.
func appendAddresses(b []byte, list []uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	last := uint64(0)
	for _, a := range list {
		b = binary.AppendUvarint(b, a-last)
		last = a
	}
	return b
}

// addresses reads what appendAddresses wrote; the list is not nil.
func (c *cutter) addresses() []uint64 {
	n := c.number()
	if n > uint64(len(c.b)) {
		c.bad = true
		return nil
	}
	list, last := slices.Grow([]uint64{}, int(n)), uint64(0)
	for range n {
		last += c.number()
		list = append(list, last)
	}
	return list
}
