// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/exp/slices"
)

// The kernel's own symbol table, as scripts/kallsyms.c writes it into .rodata.
// No symbol of a stripped image points to it, so it is found by its form. Each part begins
// at a multiple of 8 (from 7.0 on, of 4):
//
//	4.19 to 6.3                        6.4 and later
//	  offsets        n × 4 bytes         num_syms
//	  relative_base  8                   names
//	  num_syms       4 (4.19: 8)         markers
//	  names                              token_table
//	  markers        4 (4.19: 8) each    token_index
//	  seqs_of_names  from 6.2            offsets
//	  token_table                        relative_base   until 6.19
//	  token_index    256 × 2             seqs_of_names
//
// names holds, for each symbol in the order of addresses, a length (one byte, or
// two when the first has its top bit set) and as many tokens; token k is
// the string at token_table + token_index[k]. The first letter of the expanded name is
// the type. markers[i] is the offset in names of symbol 256·i.
//
// offsets (kernel/kallsyms.c, kallsyms_sym_address) are one of
//
//	relative   relative_base + offset, unsigned
//	per-CPU    offset when not negative, else relative_base - 1 - offset
//	           (CONFIG_KALLSYMS_ABSOLUTE_PERCPU: x86 before 6.15)
//	in place   the offset's own address + offset (from 7.0 on)
//	absolute   8 bytes each, no base (without CONFIG_KALLSYMS_BASE_RELATIVE, until 6.10)
//
// It is the one by which all addresses ascend.
//
// Random data practically never passes the tests: the digits follow each other in
// token_table; all 256 entries of token_index must fit it; names must fit all markers;
// addresses must ascend.

var errNoTables = errors.New("no kallsyms tables found in it (a kernel without CONFIG_KALLSYMS, " +
	"or an unknown layout)")

const (
	maxSymbols = 4 << 20
	maxMarkers = 32 << 20 // how far markers may be before token_table
	// steps of each part of the search; a kernel takes less than a tenth of them
	maxWork = 1 << 24
	maxName = 4096 // a name, expanded; the kernel's limit is 511
)

// A kernelTable is the tables found in an unpacked kernel.
type kernelTable struct {
	data   []byte
	order  binary.ByteOrder
	tokens [256][]byte
	table  int // token_table
	index  int // token_index
	n      int // num_syms
	num    int // where num_syms is
	names  int
	work   int // steps of the current part of the search

	address  func(i int) uint64
	relative bool // addresses count from the first one
	layout   string
	segments []segment // of an ELF file; nil before they are read
}

// digits are tokens of their own in token_table, since names use all of them.
var digits = []byte("0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00")

// findTables finds the tables in an unpacked kernel.
func findTables(data []byte) (*kernelTable, error) {
	k := &kernelTable{data: data}
	var rest, narrow, wide int // steps
	for at := 0; ; {
		i := bytes.Index(data[at:], digits)
		if i < 0 {
			return nil, errNoTables
		}
		at += i
		// In an image before 5.0, with wide numbers, the search for narrow ones meets so many
		// false runs that it uses up its steps (seen in 4.19.78): each has steps of its own.
		found := k.runCounted(&rest, func() bool { return k.findTokens(at) }) &&
			(k.runCounted(&narrow, func() bool { return k.findNames(4) }) ||
				k.runCounted(&wide, func() bool { return k.findNames(8) })) &&
			k.runCounted(&rest, k.findAddresses)
		if found {
			return k, nil
		}
		if rest > maxWork || narrow > maxWork && wide > maxWork {
			return nil, errNoTables
		}
		at++
	}
}

// runCounted runs a part of the search, which has taken so many steps before.
func (k *kernelTable) runCounted(steps *int, part func() bool) bool {
	k.work = *steps
	found := part()
	*steps = k.work
	return found
}

// findTokens finds token_table and token_index around the token "0" at the offset
// zero.
func (k *kernelTable) findTokens(zero int) bool {
	k.work += 256
	end := zero
	for range 256 - '0' {
		n := bytes.IndexByte(k.data[end:min(len(k.data), end+maxName)], 0)
		if n < 0 {
			return false
		}
		end += n + 1
	}
	for pad := range 8 {
		k.index = end + pad
		if k.index+512 > len(k.data) {
			return false
		}
		for _, k.order = range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			if k.fitsTokens(zero, end) {
				return true
			}
		}
	}
	return false
}

// fitsTokens reports whether token_index is at k.index, and sets the tokens.
func (k *kernelTable) fitsTokens(zero, end int) bool {
	entry := func(i int) int { return int(k.order.Uint16(k.data[k.index+2*i:])) }
	k.table = zero - entry('0')
	if k.table < 0 || entry(0) != 0 {
		return false
	}
	for i := range 256 {
		next := end
		if i < 255 {
			next = k.table + entry(i+1)
		}
		from := k.table + entry(i)
		if next <= from || next > end || k.data[next-1] != 0 {
			return false
		}
		k.tokens[i] = k.data[from : next-1]
		if bytes.IndexByte(k.tokens[i], 0) >= 0 {
			return false
		}
	}
	return true
}

func (k *kernelTable) u32(off int) uint32 { return k.order.Uint32(k.data[off:]) }
func (k *kernelTable) u64(off int) uint64 { return k.order.Uint64(k.data[off:]) }

// findNames finds markers, width bytes each, before token_table, and names before
// them. It does not find tables of at most 256 symbols, with one marker.
func (k *kernelTable) findNames(width int) bool {
	marker := func(at, i int) uint64 {
		if width == 8 {
			return k.u64(at + 8*i)
		}
		return uint64(k.u32(at + 4*i))
	}
	for at := k.table - 2*width; at >= max(0, k.table-maxMarkers) && k.work <= maxWork; at -= 4 {
		k.work++
		if marker(at, 0) != 0 {
			continue
		}
		run := 1
		for at+(run+1)*width <= k.table {
			step := marker(at, run) - marker(at, run-1)
			if step < 2*256 || step > 256*(maxName+2) {
				break
			}
			run++
		}
		// What follows markers may look like one or two more of them.
		for count := run; count >= 2 && count > run-4 && k.work <= maxWork; count-- {
			last := marker(at, count-1)
			if last > uint64(at) {
				continue
			}
			if k.findCount(at, count, int(last), marker) {
				return true
			}
		}
	}
	return false
}

// findCount finds num_syms and names before the count markers at the offset at,
// of which last is the last.
func (k *kernelTable) findCount(at, count, last int, marker func(at, i int) uint64) bool {
	// Between the last marker and the end of names are 1 to 256 symbols.
	high := at - last - 2
	low := max(8, at-last-256*(1<<10))
	for names := high &^ 3; names >= low; names -= 4 {
		k.work++
		for _, where := range []int{names - 8, names - 4} {
			n := uint64(k.u32(where))
			if n <= uint64(count-1)*256 || n > uint64(count)*256 || n > maxSymbols {
				continue
			}
			if where == names-8 && k.u32(names-4) != 0 {
				continue
			}
			k.names, k.num, k.n = names, names-8, int(n)
			if k.fitsNames(at, marker) {
				return true
			}
		}
	}
	return false
}

// fitsNames walks through all names and compares with all markers.
func (k *kernelTable) fitsNames(end int, marker func(at, i int) uint64) bool {
	off := k.names
	for i := range k.n {
		k.work++
		if i&255 == 0 && marker(end, i>>8) != uint64(off-k.names) {
			return false
		}
		length, used := k.nameLength(off)
		if length == 0 || length > end-off-used {
			return false
		}
		off += used + length
	}
	return end-off < 8
}

// nameLength decodes the length of the name at off: how many tokens, and how many
// bytes it took to say so. 0 at the end of the data.
func (k *kernelTable) nameLength(off int) (length, used int) {
	if off+2 > len(k.data) {
		return 0, 0
	}
	length = int(k.data[off])
	if length&0x80 == 0 {
		return length, 1
	}
	return length&0x7f | int(k.data[off+1])<<7, 2
}

// findAddresses finds offsets, before num_syms or after token_index, and how to
// read them.
func (k *kernelTable) findAddresses() bool {
	size := (4*k.n + 7) &^ 7
	after := (k.index + 512 + 3) &^ 3
	for _, c := range []struct {
		what               string
		offsets, base, abs int
	}{
		{"before 6.4", k.num - 8 - size, k.num - 8, k.num - 8*k.n},
		{"6.4 and later", after, after + size, after},
		// alignment of addresses is not that of the file
		{"6.4 and later", after + 4, after + 4 + size, after + 4},
	} {
		if c.offsets >= 0 && c.offsets+size <= len(k.data) {
			offset := func(i int) uint32 { return k.u32(c.offsets + 4*i) }
			if c.base+8 <= len(k.data) {
				base := k.u64(c.base)
				if k.acceptLayout(c.what+", relative", false,
					func(i int) uint64 { return base + uint64(offset(i)) }) {
					k.relative = base == 0
					return true
				}
				if k.acceptLayout(c.what+", per-CPU symbols absolute", false, func(i int) uint64 {
					o := int32(offset(i))
					if o >= 0 {
						return uint64(o)
					}
					return base - 1 - uint64(int64(o))
				}) {
					return true
				}
			}
			place, known := k.loadAddress(c.offsets)
			if k.acceptLayout(c.what+", in place", !known, func(i int) uint64 {
				return place + uint64(4*i) + uint64(int64(int32(offset(i))))
			}) {
				k.relative = !known
				return true
			}
		}
		if c.abs >= 0 && 8*k.n <= len(k.data)-c.abs {
			if k.acceptLayout(c.what+", absolute", false,
				func(i int) uint64 { return k.u64(c.abs + 8*i) }) {
				return true
			}
		}
	}
	return false
}

// acceptLayout sets address as the way to read addresses if that fits all symbols, and
// reports whether it does. Addresses relative to an unknown place are signed.
func (k *kernelTable) acceptLayout(layout string, signed bool, address func(i int) uint64) bool {
	last := address(0)
	for i := 1; i < k.n; i++ {
		k.work++
		next := address(i)
		if signed && int64(next) < int64(last) || !signed && next < last {
			return false
		}
		last = next
	}
	if last == address(0) {
		return false
	}
	k.address, k.layout = address, layout
	return true
}

// loadAddress returns the address that the byte at off of an ELF kernel is loaded to.
func (k *kernelTable) loadAddress(off int) (uint64, bool) {
	for _, p := range k.readSegments() {
		if uint64(off) >= p.off && uint64(off)-p.off < p.size {
			return p.addr + uint64(off) - p.off, true
		}
	}
	return 0, false
}

// A segment is a part of an ELF file that is loaded.
type segment struct{ off, addr, size uint64 }

// readSegments returns the parts of an ELF kernel that are loaded.
func (k *kernelTable) readSegments() []segment {
	if k.segments != nil || !isELF(k.data) || len(k.data) < 64 ||
		k.data[elf.EI_CLASS] != byte(elf.ELFCLASS64) {
		return k.segments
	}
	k.segments = []segment{}
	phoff, size, count := k.u64(32), int(k.order.Uint16(k.data[54:])), int(k.order.Uint16(k.data[56:]))
	if size < 56 || phoff > uint64(len(k.data)) || size*count > len(k.data)-int(phoff) {
		return nil
	}
	for i := range count {
		ph := int(phoff) + i*size
		if elf.ProgType(k.u32(ph)) == elf.PT_LOAD {
			k.segments = append(k.segments, segment{k.u64(ph + 8), k.u64(ph + 16), k.u64(ph + 32)})
		}
	}
	return k.segments
}

// scan visits the symbols in the table's order.
func (k *kernelTable) scan(in *input, visit func(*Entry)) (Facts, error) {
	facts := Facts{Kind: Image, Order: Listed,
		Notes: []string{fmt.Sprintf("kallsyms: %d symbols, layout of %s", k.n, k.layout)}}
	if isELF(k.data) {
		if f, err := readELF(&input{name: in.name, r: bytes.NewReader(k.data),
			size: int64(len(k.data))}); err == nil {
			facts.BuildID, facts.BTF = f.buildID(), f.readBTF()
		}
	}
	var (
		e    = Entry{Object: Vmlinux}
		name = make([]byte, 0, maxName)
		off  = k.names
		base uint64

		labels      = make([]label, 0, k.n)
		start, stop uint64
		seal, end   uint64
		btf, btfEnd uint64
	)
	if k.relative {
		base = k.address(0)
	}
	for i := range k.n {
		length, used := k.nameLength(off)
		off += used
		name = name[:0]
		for _, t := range k.data[off : off+length] {
			name = append(name, k.tokens[t]...)
			if len(name) > maxName {
				return facts, in.errorf("", -1,
					"kallsyms: symbol %d has a name of more than %d bytes", i, maxName)
			}
		}
		off += length
		if len(name) < 2 {
			return facts, in.errorf("", -1, "kallsyms: symbol %d has no name", i)
		}
		e.Type, e.Name, e.Address = name[0], name[1:], k.address(i)-base
		if i == 0 && k.relative {
			facts.Relative = string(e.Name)
		}
		visit(&e)
		labels = append(labels, label{e.Address, isCode(e.Type)})
		switch e.Type {
		case 'd', 'D': // in .init.data (include/asm-generic/vmlinux.lds.h, MCOUNT_REC)
			if name := string(e.Name); name == "__start_mcount_loc" {
				start = e.Address
			} else if name == "__stop_mcount_loc" {
				stop = e.Address
			}
		case 'r', 'R': // arch/x86/kernel/vmlinux.lds.S
			if name := string(e.Name); name == "__ibt_endbr_seal" {
				seal = e.Address
			} else if name == "__ibt_endbr_seal_end" {
				end = e.Address
			}
		}
		switch string(e.Name) {
		case startBTF:
			btf = e.Address
		case stopBTF:
			btfEnd = e.Address
		}
		if ns := k.namespaceOf(i, e.Name); len(ns) > 0 {
			visit(&Entry{Object: Vmlinux, Name: exportOf(e.Name), Namespace: ns, Export: true})
		}
	}
	if facts.Config = embeddedConfig(k.data); facts.Config != nil {
		facts.Notes = append(facts.Notes, "configuration: in the kernel's data (CONFIG_IKCONFIG)")
	}
	if facts.BTF == nil {
		facts.BTF = k.readBTF(btf+base, btfEnd+base)
	}
	facts.Untraced = k.readUntraced(labels, start, stop, base)
	if !k.relative {
		facts.Sealed = k.readSealed(seal, end)
	}
	return facts, nil
}

// readUntraced returns the functions without a call site (callSites). Addresses count from
// base.
func (k *kernelTable) readUntraced(labels []label, start, stop, base uint64) []uint64 {
	from, ok := k.offsetOf(base + start)
	if !ok || stop <= start || stop-start > uint64(len(k.data))-from {
		return nil
	}
	c := callSites{order: k.order, start: start, list: k.data[from : from+stop-start],
		relocs: [][]byte{k.data}, relative: k.relative}
	return c.untraced(labels)
}

// readSealed reads .ibt_endbr_seal, signed distances from each entry to its function
// (arch/x86/kernel/alternative.c, apply_seal_endbr); nil when it does not exist.
func (k *kernelTable) readSealed(start, end uint64) []uint64 {
	from, ok := k.offsetOf(start)
	if !ok || end <= start || end-start > uint64(len(k.data))-from || !isELF(k.data) {
		return nil
	}
	first, last := k.address(0), k.address(k.n-1)
	functions := []uint64{}
	for at := uint64(0); at+4 <= end-start; at += 4 {
		f := start + at + uint64(int64(int32(k.u32(int(from+at)))))
		if f < first || f >= last {
			return nil
		}
		functions = append(functions, f)
	}
	slices.Sort(functions)
	return functions
}

// offsetOf returns the offset in the file of the byte that is loaded to the address.
func (k *kernelTable) offsetOf(address uint64) (uint64, bool) {
	if !isELF(k.data) {
		off := address - k.address(0) // other files begin with _text
		return off, off < uint64(len(k.data))
	}
	segments := k.readSegments()
	if k.relative && len(segments) > 0 { // so does the first segment
		address += segments[0].addr - k.address(0)
	}
	for _, p := range segments {
		if address >= p.addr && address-p.addr < p.size && p.off <= uint64(len(k.data)) &&
			address-p.addr < uint64(len(k.data))-p.off {
			return p.off + address - p.addr, true
		}
	}
	return 0, false
}

// stringAt returns the string at the address.
func (k *kernelTable) stringAt(address uint64) []byte {
	off, ok := k.offsetOf(address)
	if !ok {
		return nil
	}
	return cString(k.data[off:min(uint64(len(k.data)), off+maxName)], 0)
}

// namespaceOf returns the namespace of the export whose entry is symbol i, called name. An
// entry has three numbers (include/linux/export-internal.h), each relative to its own
// place: the exported symbol, its name, its namespace.
func (k *kernelTable) namespaceOf(i int, name []byte) []byte {
	of := exportOf(name)
	if of == nil {
		return nil
	}
	const size = 12 // 8 before 5.4, which had no namespaces
	at := k.address(i)
	if !(i+1 < k.n && k.address(i+1)-at == size || i > 0 && at-k.address(i-1) == size) {
		return nil
	}
	off, ok := k.offsetOf(at)
	if !ok || uint64(len(k.data))-off < size {
		return nil
	}
	pointer := func(field uint64) uint64 {
		return at + field + uint64(int64(int32(k.u32(int(off+field)))))
	}
	// An entry with another name is not one.
	if !bytes.Equal(k.stringAt(pointer(4)), of) || k.u32(int(off+8)) == 0 {
		return nil
	}
	return k.stringAt(pointer(8))
}
