// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"encoding/binary"
	"fmt"
)

// Vmlinux is the name of the kernel itself among the objects.
const Vmlinux = "vmlinux"

// An Entry is one symbol or export in a Scan. It and what it points to are valid until the
// visit returns.
type Entry struct {
	Object  string // "vmlinux", or the module's name
	Name    []byte
	Address uint64 // in a module file: offset in the section
	Size    uint64 // 0 when the source has no sizes
	Type    byte   // as /proc/kallsyms prints it; 0 when the source has no types
	File    []byte // last component of the source file (STT_FILE); nil when not known
	// Fleeting marks what a module's symbol table loses once the module is loaded:
	// positions of later symbols of the same name then change.
	Fleeting bool
	// Export marks an export that is not a symbol: the object exports Name, in this
	// Namespace. Symbols called __ksymtab_* are exports too.
	Export    bool
	Namespace []byte
	// listed, crc and gplOnly are from Module.symvers.
	listed, gplOnly bool
	crc             uint32

	section int // in an ELF file, of Address
	block   int // in an ELF file: which STT_FILE it follows; 0: none
}

// A Symbol is one symbol of an object, and its position among those of the same name.
type Symbol struct {
	Object string
	Name   string
	// Position is the number for KLP_SYMPOS: the first of its name is 1. For a module it
	// is the position while the module is being loaded. 0 when the source has no order.
	Position int
	// Loaded is the position once the object is loaded, 0 when the symbol is
	// removed by then. It differs from Position in modules only.
	Loaded  int
	Address uint64 // in a module file: offset in the section
	// Size is the size in bytes or, from a source that has no sizes, the
	// distance to the next symbol; 0 when not known.
	Size   uint64
	Type   byte   // as /proc/kallsyms prints it; 0 when not known
	File   string // last component of the source file; "" when not known
	Source string // name of the source of the position
}

// Steady reports whether the position is the same while the module is being loaded and
// after. A position that is not must not be used: which symbol it means depends on which
// of livepatch and module is loaded first.
func (s Symbol) Steady() bool { return s.Position == s.Loaded }

// String returns object, name and position.
func (s Symbol) String() string {
	return fmt.Sprintf("%s:%s,%d", s.Object, s.Name, s.Position)
}

// A Want reports whether a name is asked for. It must not keep the slice.
type Want func(name []byte) bool

// Names returns a Want of exactly these names.
func Names(names ...string) Want {
	set := make(map[string]bool, len(names))
	// A few bytes are enough to reject most names of a kernel, which costs a fraction of
	// the look-up.
	var features [1 << 12 / 64]uint64
	for _, n := range names {
		if n == "" {
			continue
		}
		set[n] = true
		f := nameFeature([]byte(n))
		features[f/64] |= 1 << (f % 64)
	}
	return func(name []byte) bool {
		if len(name) == 0 {
			return false
		}
		f := nameFeature(name)
		return features[f/64]&(1<<(f%64)) != 0 && set[string(name)]
	}
}

// nameFeature returns a number below 1<<12 made of the end of a name and its length: many
// names begin alike.
func nameFeature(name []byte) uint {
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

// All is the Want of every name: for comparing tables, not for resolving a few symbols.
func All(name []byte) bool { return true }
