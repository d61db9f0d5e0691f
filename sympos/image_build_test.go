// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// A tinyKernel has kallsyms tables as scripts/kallsyms.c of some version lays
// them out, with other bytes before and after.
type tinyKernel struct {
	order   byteOrder
	fresh   bool // the order of the tables since 6.4
	wide    bool // num_syms and markers of 8 bytes, until 4.19
	seqs    int  // bytes for each of seqs_of_names
	kind    string
	symbols []tinyName
	base    uint64
}

type tinyName struct {
	address uint64
	text    string // type and name
}

// tinyNames returns count symbols; some names are those of many.
func tinyNames(base uint64, count int) []tinyName {
	list := make([]tinyName, count)
	for i := range list {
		name := fmt.Sprintf("tfunction_%d", i)
		if i%50 == 7 {
			name = "tdup"
		}
		if i == 9 {
			name = "t" + strings.Repeat("long", 40)
		}
		list[i] = tinyName{base + uint64(16*i), name}
	}
	return list
}

func (k tinyKernel) bytes() []byte {
	var b bytes.Buffer
	align := func(n int) {
		for b.Len()%n != 0 {
			b.WriteByte(0)
		}
	}
	u32 := func(v uint32) { b.Write(k.order.AppendUint32(nil, v)) }
	u64 := func(v uint64) { b.Write(k.order.AppendUint64(nil, v)) }
	number := func(v uint64) {
		if k.wide {
			u64(v)
		} else {
			u32(uint32(v))
		}
	}
	b.WriteString("\x7fnothing of interest, 0\x001\x002\x003\x00")
	align(8)

	// Tokens: characters are their own tokens, codes 1 and 2 are two strings.
	var tokens [256]string
	for c := '!'; c <= '~'; c++ {
		tokens[c] = string(c)
	}
	tokens[1], tokens[2] = "function_", "long"
	encode := strings.NewReplacer("function_", "\x01", "long", "\x02")

	offsets := func() {
		align(4)
		if k.kind != "in place" {
			align(8)
		}
		place := uint64(b.Len())
		for i, s := range k.symbols {
			switch k.kind {
			case "relative":
				u32(uint32(s.address - k.base))
			case "per-CPU":
				if s.address < k.base {
					u32(uint32(s.address))
				} else {
					u32(uint32(k.base - 1 - s.address))
				}
			case "in place": // the kernel begins at k.base
				u32(uint32(s.address - (k.base + place + uint64(4*i))))
			case "absolute":
				u64(s.address)
			}
		}
		align(8)
		if k.kind == "relative" || k.kind == "per-CPU" {
			u64(k.base)
		}
	}
	var markers []uint64
	names := func() {
		align(8)
		number(uint64(len(k.symbols)))
		align(8)
		start := b.Len()
		for i, s := range k.symbols {
			if i&255 == 0 {
				markers = append(markers, uint64(b.Len()-start))
			}
			packed := encode.Replace(s.text)
			if len(packed) > 0x7f {
				b.Write([]byte{byte(len(packed)) | 0x80, byte(len(packed) >> 7)})
			} else {
				b.WriteByte(byte(len(packed)))
			}
			b.WriteString(packed)
		}
		align(8)
		for _, m := range markers {
			number(m)
		}
	}
	sequence := func() {
		align(8)
		for i := range k.symbols {
			n := binary.BigEndian.AppendUint32(nil, uint32(i*7919%len(k.symbols)))
			b.Write(n[4-k.seqs:])
		}
	}
	table := func() {
		align(8)
		start := b.Len()
		var index [256]int
		for i, t := range tokens {
			index[i] = b.Len() - start
			b.WriteString(t + "\x00")
		}
		align(8)
		for _, at := range index {
			b.Write(k.order.AppendUint16(nil, uint16(at)))
		}
	}
	if k.fresh {
		names()
		table()
		offsets()
		sequence()
	} else {
		offsets()
		names()
		sequence()
		table()
	}
	align(8)
	b.WriteString("and other bytes after it, that are no table at all; long enough to be read as " +
		"offsets or a base")
	return b.Bytes()
}

// bzImage is a boot image for x86 around a packed kernel.
func bzImage(packed []byte) []byte {
	b := make([]byte, 3*512)
	b[0x1f1] = 2
	copy(b[0x202:], bzMagic)
	binary.LittleEndian.PutUint16(b[0x206:], 0x20f)
	binary.LittleEndian.PutUint32(b[0x248:], 16)
	binary.LittleEndian.PutUint32(b[0x24c:], uint32(len(packed)))
	b = append(b, make([]byte, 16)...)
	return append(append(b, packed...), "tail"...)
}

// zboot is an EFI zboot image around a packed kernel.
func zboot(packed []byte) []byte {
	b := make([]byte, 0x1000)
	copy(b, "MZ\x00\x00"+zbootMagic)
	binary.LittleEndian.PutUint32(b[8:], 0x1000)
	binary.LittleEndian.PutUint32(b[12:], uint32(len(packed)))
	return append(b, packed...)
}

// armImage makes an arm64 boot image of a kernel.
func armImage(kernel []byte) []byte {
	b := make([]byte, 0x1000)
	copy(b[0x38:], armMagic)
	return append(b, kernel...)
}

// s390Image is a boot image for s390x around a packed kernel.
func s390Image(packed []byte) []byte {
	b := make([]byte, 0x11000)
	copy(b[0x10008:], s390Magic)
	return append(append(b, packed...), make([]byte, 512)...)
}
