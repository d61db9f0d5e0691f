// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"encoding/binary"
)

// Two kinds of section, both clang's, hold symbol numbers in what look like plain
// contents: .llvm_addrsig, a list of ULEB128 numbers (the symbols whose address is
// significant), and .llvm.call-graph-profile as LLVM up to 12 wrote it, entries of
// {u32 from, u32 to, u64 weight}. When symbols get other numbers, these are patched
// and the entries of removed symbols dropped. Compact relocations (SHT_CREL) hold
// symbol numbers too; no kernel loads them, so they are copied, and refused when
// they would have to be patched.

// renumberContents returns the contents of s with the symbol numbers of the
// output, or s.Data itself when it holds none or none changed.
func (f *File) renumberContents(s *Section) ([]byte, error) {
	if s.Link == nil || s.Link != f.Symtab {
		return s.Data, nil
	}
	switch s.Type {
	case shtLLVMAddrsig:
		return f.renumberAddrsig(s)
	case shtLLVMCallGraphProfile:
		return f.renumberCallGraph(s)
	case shtCREL:
		return nil, f.errorf(s, -1, "compact relocations (SHT_CREL), and the symbols got new "+
			"numbers")
	}
	return s.Data, nil
}

// newNumber returns the number in the output of symbol n of the input, and false
// when it was removed or never existed.
func (f *File) newNumber(n uint64) (num uint32, known bool) {
	switch {
	case n == 0:
		return 0, true
	case n > uint64(len(f.parsed)) || !f.hasSymbol(&f.parsed[n-1]):
		return 0, false
	}
	return f.parsed[n-1].num, true
}

// renumberAddrsig is renumberContents for .llvm_addrsig.
func (f *File) renumberAddrsig(s *Section) ([]byte, error) {
	out := make([]byte, 0, len(s.Data))
	for off := 0; off < len(s.Data); {
		n, width := binary.Uvarint(s.Data[off:])
		if width <= 0 || n > uint64(len(f.parsed)) {
			return nil, f.errorf(s, int64(off), "not a symbol number, and the symbols got new ones")
		}
		off += width
		if num, ok := f.newNumber(n); ok {
			out = binary.AppendUvarint(out, uint64(num))
		}
	}
	return out, nil
}

// renumberCallGraph is renumberContents for .llvm.call-graph-profile.
func (f *File) renumberCallGraph(s *Section) ([]byte, error) {
	const entry = 16
	if len(s.Data)%entry != 0 {
		return nil, f.errorf(s, -1, "size %d is not a multiple of %d, and the symbols got new "+
			"numbers", len(s.Data), entry)
	}
	out := make([]byte, 0, len(s.Data))
	for off := 0; off < len(s.Data); off += entry {
		e := s.Data[off : off+entry]
		from, to := uint64(f.u32(e)), uint64(f.u32(e[4:]))
		if max(from, to) > uint64(len(f.parsed)) {
			return nil, f.errorf(s, int64(off), "not a symbol number, and the symbols got new ones")
		}
		a, okA := f.newNumber(from)
		b, okB := f.newNumber(to)
		if !okA || !okB {
			continue
		}
		out = append(out, e...)
		f.put32(out[len(out)-entry:], a)
		f.put32(out[len(out)-entry+4:], b)
	}
	return out, nil
}
