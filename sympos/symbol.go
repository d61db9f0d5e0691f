// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"encoding/binary"
	"fmt"
)

// Vmlinux is the name of the kernel itself among the objects.
const Vmlinux = "vmlinux"

// An Entry is one symbol on its way past, in a Scan. It and what it points to
// are good until the visit returns.
type Entry struct {
	Object  string // "vmlinux", or the module's name
	Name    []byte
	Address uint64 // in a module file: offset in the section
	Size    uint64 // 0 when the source has no sizes
	Type    byte   // as /proc/kallsyms prints it; 0 when the source has no types
	File    []byte // last component of the source file (STT_FILE); nil when not known
	// Fleeting marks what a module's symbol table loses once the module is
	// loaded: the position of a namesake behind it then changes.
	Fleeting bool
	// Export marks what is no symbol: the object exports what is called Name, in
	// this namespace. Beside these, symbols called __ksymtab_* tell of exports.
	Export    bool
	Namespace []byte
	// listed, crc and gplOnly are what Module.symvers says of an export.
	listed, gplOnly bool
	crc             uint32

	section int // in a module file, of Address
	block   int // in an ELF file: which STT_FILE it follows; 0: none
}

// A Symbol is one symbol of an object, and where it stands among its namesakes.
type Symbol struct {
	Object string
	Name   string
	// Position is what KLP_SYMPOS takes to mean this one: the first of its
	// name is 1. For a module it is the position while the module is being
	// loaded. 0 when the source has no order.
	Position int
	// Loaded is the position once the object is loaded, 0 when the symbol is
	// gone by then. It differs from Position in modules only.
	Loaded  int
	Address uint64 // in a module file: offset in the section
	// Size is the size in bytes or, from a source that has no sizes, the
	// distance to the next symbol; 0 when not known.
	Size   uint64
	Type   byte   // as /proc/kallsyms prints it; 0 when not known
	File   string // last component of the source file; "" when not known
	Source string // name of the source that gave the position
}

// Steady reports whether the position is the same for a module that is being
// loaded and one that is. One that is not steady must not be used: which symbol
// it means depends on what is loaded first.
func (s Symbol) Steady() bool { return s.Position == s.Loaded }

func (s Symbol) String() string {
	return fmt.Sprintf("%s:%s,%d", s.Object, s.Name, s.Position)
}

// A Want says which names are asked for. It must not keep the slice.
type Want func(name []byte) bool

// Names wants exactly these.
func Names(names ...string) Want {
	set := make(map[string]bool, len(names))
	// Most names of a kernel are turned away by a few of their bytes, which costs
	// a fraction of the look-up.
	var features [1 << 12 / 64]uint64
	for _, n := range names {
		if n == "" {
			continue
		}
		set[n] = true
		f := feature([]byte(n))
		features[f/64] |= 1 << (f % 64)
	}
	return func(name []byte) bool {
		if len(name) == 0 {
			return false
		}
		f := feature(name)
		return features[f/64]&(1<<(f%64)) != 0 && set[string(name)]
	}
}

// feature is a number below 1<<12 made of the end of a name that has one, and of its
// length: names that begin alike are many.
func feature(name []byte) uint {
	n := len(name)
	var tail uint64
	if n >= 8 {
		tail = binary.LittleEndian.Uint64(name[n-8:])
	} else {
		for _, c := range name {
			tail = tail<<8 | uint64(c)
		}
	}
	return uint((tail ^ uint64(n)<<56) * 0x9e3779b97f4a7c15 >> 52)
}

// All wants every name: for comparing tables, not for resolving a few symbols.
func All(name []byte) bool { return true }
