// SPDX-License-Identifier: GPL-2.0-or-later

package testmodule

import (
	"debug/elf"
	"testing"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Func is a klp_func: New, a symbol of the module, replaces Old at a position.
type Func struct {
	Old, New string
	Position byte
}

// Sizes of struct klp_patch, klp_object and klp_func of 64-bit kernels since 5.5
// (include/linux/livepatch.h).
const (
	patchSize  = 200
	objectSize = 168
	funcSize   = 152
)

// Declare adds a klp_patch of these objects, as gcc lays it out for kernels since 5.5.
// vmlinux has no name in it. The names of the sections end in suffix.
func Declare(
	t testing.TB, f *elfrw.File, objects []string, funcs map[string][]Func, suffix string,
) {
	t.Helper()
	names := &elfrw.Section{
		Name: ".rodata.names" + suffix, Type: elf.SHT_PROGBITS,
		Flags: uint64(elf.SHF_ALLOC), Align: 1,
	}
	f.AddSection(names)
	data, relocs := AddSection(f, ".data.patch"+suffix, elf.SHF_WRITE, nil)
	data.Align = 32
	text, here := AddSectionSymbol(f, names), AddSectionSymbol(f, data)
	pointer := func(at int, y *elfrw.Symbol, addend int) {
		f.AddReloc(relocs, elfrw.Rela{
			Offset: uint64(at), Sym: y, Type: PointerType(f), Addend: int64(addend),
		})
	}
	name := func(at int, s string) {
		pointer(at, text, len(names.Data))
		names.Data = append(append(names.Data, s...), 0)
	}
	pointer(0, Symbol(t, f, "__this_module"), 0)
	pointer(8, here, patchSize)
	end := patchSize + (len(objects)+1)*objectSize
	positions := map[int]byte{}
	for i, o := range objects {
		at := patchSize + i*objectSize
		if o != "vmlinux" {
			name(at, o)
		}
		pointer(at+8, here, end)
		for _, x := range funcs[o] {
			name(end, x.Old)
			pointer(end+8, Symbol(t, f, x.New), 0)
			positions[end+16] = x.Position
			end += funcSize
		}
		end += funcSize
	}
	data.Data = make([]byte, end)
	for at, p := range positions {
		data.Data[at] = p
	}
}
