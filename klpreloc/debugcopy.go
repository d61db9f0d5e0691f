// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"fmt"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// Debuggers know ordinary modules. BFD, which is in objdump, gdb and crash, takes
// one relocation section for each section and leaves others out, mostly silently
// (BZ 24456), and LLVM's tools refuse a symbol whose section is 0xff20. A
// copy for them has the klp relocations among the ordinary ones, by place:
//
//	.rela.text             .klp.rela.vmlinux..text            .rela.text
//	  +0x01 __fentry__       +0x08 0xff20 .klp.sym.…,0   ──▶    +0x01 __fentry__
//	  +0x14 seq_printf                                          +0x08 UND .klp.sym.…,0
//	                                                            +0x14 seq_printf
//
// No kernel must load it. Three things prevent that: vermagic
// is not that of any kernel, also where modversions make the loader skip its first word;
// klp symbols are undefined, and global, so that they can't stay 0 as weak ones
// do; and it does not say livepatch=Y, without which klp_enable_patch refuses it.

// A copy says in .modinfo what it is. The keys of the module are overwritten, so
// that symbols in .modinfo stay where they are.
const (
	debugVermagic = "vermagic=copy for debuggers (klp-convert inspect --debug-copy), not to be loaded"

	moduleMagic, copyMagic         = "vermagic=", "wasmagic=" // of the kernel that the module is for
	moduleLivepatch, copyLivepatch = "livepatch=", "debugcopy="
)

// DebugCopyInfo says what DebugCopy did to a module.
type DebugCopyInfo struct {
	Sections int `json:"klp_sections"`    // merged
	Relocs   int `json:"klp_relocations"` // in them
	Symbols  int `json:"klp_symbols"`     // made undefined
}

// ErrNothingToCopy says that debuggers can read a module as it is.
var ErrNothingToCopy = errors.New(
	"the file has no klp relocation and no klp symbol: objdump, gdb and crash can read the file as it is")

// DebugCopy makes of a converted module, which it changes, one that objdump, gdb
// and crash can read and no kernel loads.
func DebugCopy(f *elfrw.File) (*DebugCopyInfo, error) {
	done := &DebugCopyInfo{}
	var klp []*elfrw.Section
	for _, s := range f.Sections {
		if s.HasRelocs() && klpabi.IsKlpSection(s) {
			klp = append(klp, s)
		}
	}
	for _, s := range klp {
		if s.Target == nil {
			return nil, fmt.Errorf("%s relocates no section", diag.SectionName(s))
		}
	}
	ordinary := ordinaryRelocs(f)
	merged := map[*elfrw.Section][]elfrw.Rela{} // by the section they go into
	var into []*elfrw.Section                   // that have more relocations now
	for _, s := range klp {
		done.Sections++
		done.Relocs += s.NumRelocs()
		k := relocated{s.Target, s.Type}
		if ordinary[k] == nil { // all of them were converted
			ordinary[k] = &elfrw.Section{
				Name: ".rela" + s.Target.Name, Type: s.Type, Flags: uint64(elf.SHF_INFO_LINK),
				Align: s.Align, Link: f.Symtab, Target: s.Target,
			}
			f.AddSection(ordinary[k])
		}
		o := ordinary[k]
		if merged[o] == nil {
			into = append(into, o)
			merged[o] = slices.Clone(o.Relocs())
		}
		merged[o] = append(merged[o], s.Relocs()...)
	}
	for _, o := range into {
		slices.SortStableFunc(merged[o], func(a, b elfrw.Rela) int {
			return cmp.Compare(a.Offset, b.Offset)
		})
		o.SetRelocs(merged[o])
	}
	for _, y := range f.Symbols {
		if klpabi.IsKlpSymbol(y) {
			done.Symbols++
			y.Index, y.Value = elf.SHN_UNDEF, 0
			if y.Bind() == elf.STB_WEAK {
				y.Info = elf.ST_INFO(elf.STB_GLOBAL, y.Type())
			}
		}
	}
	if done.Sections == 0 && done.Symbols == 0 {
		return nil, ErrNothingToCopy
	}
	markAsCopy(f)
	f.Trailer = nil // a signature would be void
	return done, f.Remove(klp, nil)
}

// relocated is what a relocation section applies to, and its form.
type relocated struct {
	target *elfrw.Section
	kind   elf.SectionType
}

// ordinaryRelocs returns the relocation sections that the loader applies, the first of each
// target and form.
func ordinaryRelocs(f *elfrw.File) map[relocated]*elfrw.Section {
	all := map[relocated]*elfrw.Section{}
	for _, s := range f.Sections {
		if k := (relocated{s.Target, s.Type}); s.HasRelocs() && !klpabi.IsKlpSection(s) && all[k] == nil {
			all[k] = s
		}
	}
	return all
}

// markAsCopy makes .modinfo say that the file is a copy.
func markAsCopy(f *elfrw.File) {
	s := f.Section(".modinfo")
	if s == nil {
		return
	}
	entries := bytes.Split(s.Data, []byte{0})
	for i, e := range entries {
		for _, key := range [][2]string{{moduleMagic, copyMagic}, {moduleLivepatch, copyLivepatch}} {
			if bytes.HasPrefix(e, []byte(key[0])) {
				entries[i] = append([]byte(key[1]), e[len(key[0]):]...)
			}
		}
	}
	data := bytes.Join(entries, []byte{0})
	if len(data) > 0 && data[len(data)-1] != 0 {
		data = append(data, 0)
	}
	s.Data = append(append(data, debugVermagic...), 0)
}
