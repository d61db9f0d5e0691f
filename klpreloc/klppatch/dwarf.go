// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Debug information has the structures as the module was compiled with them, in each
// unit that uses them. Reading it takes the file apart a second time, with its
// relocations applied, so only the version comes after it.

// debugLimit is the size of .debug_info above which it is not read.
const debugLimit = 64 << 20

// dwarfSize returns the size of the named structure, 0 when debug information does
// not say.
func (r *reader) dwarfSize(name string) uint64 {
	if r.dwarf == nil {
		r.dwarf = readDWARF(r.f, klpObject.name, klpFunc.name)
	}
	return r.dwarf[name]
}

// readDWARF returns the sizes of the named structures. What can't be read has none.
func readDWARF(f *elfrw.File, names ...string) map[string]uint64 {
	sizes := map[string]uint64{}
	if s := f.Section(".debug_info"); s == nil || s.Size() == 0 || s.Size() > debugLimit {
		return sizes
	}
	b, err := f.Bytes()
	if err != nil {
		return sizes
	}
	file, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return sizes
	}
	data, err := file.DWARF()
	if err != nil {
		return sizes
	}
	for units := data.Reader(); len(sizes) < len(names); {
		e, err := units.Next()
		if err != nil || e == nil {
			break
		}
		if e.Tag == dwarf.TagStructType {
			name, _ := e.Val(dwarf.AttrName).(string)
			size, _ := e.Val(dwarf.AttrByteSize).(int64)
			for _, n := range names {
				if name == n && size > 0 { // a declaration has none
					sizes[name] = uint64(size)
				}
			}
		}
		if e.Tag != dwarf.TagCompileUnit {
			units.SkipChildren()
		}
	}
	return sizes
}
