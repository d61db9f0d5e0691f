// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch

import (
	"bytes"
	"debug/elf"

	"github.com/klp-convert/klp-convert/elfrw"
)

// A module's .BTF (Documentation/bpf/btf.rst) is split from the kernel's, which
// holds the types that both have; the module's own then says nothing of klp_patch, and its
// names can't be looked up without the kernel's. But out-of-tree modules
// since 6.12 bring .BTF.base (btf.rst, ".BTF.base section"), the structures that
// they use with name and size, and a module may have BTF that isn't split.
//
//	header   magic:u16 version:u8 flags:u8 hdr_len:u32
//	         type_off:u32 type_len:u32 str_off:u32 str_len:u32
//	type     name_off:u32 info:u32 (vlen 0-15, kind 24-28) size_or_type:u32, and by kind more
const (
	btfMagic  = 0xeb9f
	btfHeader = 24
	btfStruct = 4
)

// btfMore is what follows a type by kind: bytes once, and for each of vlen.
var btfMore = [20][2]uint32{
	1: {4, 0},              // INT
	3: {12, 0},             // ARRAY
	4: {0, 12}, 5: {0, 12}, // STRUCT, UNION
	6:  {0, 8},  // ENUM
	13: {0, 8},  // FUNC_PROTO
	14: {4, 0},  // VAR
	15: {0, 12}, // DATASEC
	17: {4, 0},  // DECL_TAG
	19: {0, 12}, // ENUM64
}

// btfSize returns the size of the named structure, 0 when BTF doesn't say.
func (r *reader) btfSize(name string) uint64 {
	if r.btf == nil {
		r.btf = map[string]uint64{}
		for _, section := range []string{".BTF.base", ".BTF"} {
			if s := r.f.Section(section); s != nil && s.Type == elf.SHT_PROGBITS {
				readBTF(r.f, s.Data, r.btf)
			}
		}
	}
	return r.btf[name]
}

// readBTF adds the sizes of the livepatch structures in b, which is in the
// file's byte order. It stops where b makes no sense.
func readBTF(f *elfrw.File, b []byte, sizes map[string]uint64) {
	if len(b) < btfHeader || f.Uint16(b) != btfMagic {
		return
	}
	body, ok := subslice(b, 0, f.Uint32(b[4:]), true)
	if !ok {
		return
	}
	types, ok := subslice(body, f.Uint32(b[8:]), f.Uint32(b[12:]), false)
	names, ok2 := subslice(body, f.Uint32(b[16:]), f.Uint32(b[20:]), false)
	if !ok || !ok2 || len(names) == 0 || names[0] != 0 { // split: kernel/bpf/btf.c, btf_parse_str_sec
		return
	}
	for len(types) >= 12 {
		name, info, size := f.Uint32(types), f.Uint32(types[4:]), f.Uint32(types[8:])
		kind, vlen := info>>24&0x1f, info&0xffff
		if int(kind) >= len(btfMore) {
			return
		}
		more := 12 + btfMore[kind][0] + btfMore[kind][1]*vlen
		if kind == btfStruct && uint64(name) < uint64(len(names)) {
			for _, want := range []string{klpFunc.name, klpObject.name} {
				if rest, found := bytes.CutPrefix(names[name:], []byte(want)); found && len(rest) > 0 &&
					rest[0] == 0 && sizes[want] == 0 {
					sizes[want] = uint64(size)
				}
			}
		}
		if uint64(more) > uint64(len(types)) {
			return
		}
		types = types[more:]
	}
}

// subslice returns n bytes of b from off on, or what follows them when rest is set.
func subslice(b []byte, off, n uint32, rest bool) ([]byte, bool) {
	if uint64(off)+uint64(n) > uint64(len(b)) {
		return nil, false
	}
	if rest {
		return b[off+n:], true
	}
	return b[off : off+n], true
}
