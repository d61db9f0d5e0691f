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
)

// Debuggers know ordinary modules. BFD, which is in objdump, gdb and crash, takes
// one relocation section for each section and leaves others out, mostly without
// a word (BZ 24456), and LLVM's tools refuse a symbol whose section is 0xff20. A
// copy for them has the klp relocations among the ordinary ones, by place:
//
//	.rela.text             .klp.rela.vmlinux..text            .rela.text
//	  +0x01 __fentry__       +0x08 0xff20 .klp.sym.…,0   ──▶    +0x01 __fentry__
//	  +0x14 seq_printf                                          +0x08 UND .klp.sym.…,0
//	                                                            +0x14 seq_printf
//
// No kernel must take it for the module. Three things keep it from that: vermagic
// is no kernel's, also where modversions make the loader skip its first word;
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
var ErrNothingToCopy = errors.New("no klp relocation and no klp symbol is here: objdump, gdb and crash can read the file as it is")

// DebugCopy makes of a converted module, which it changes, one that objdump, gdb
// and crash can read and no kernel loads.
func DebugCopy(f *elfrw.File) (*DebugCopyInfo, error) {
	done := &DebugCopyInfo{}
	var klp []*elfrw.Section
	for _, s := range f.Sections {
		if s.HasRelocs() && isKlpSection(s) {
			klp = append(klp, s)
		}
	}
	for _, s := range klp {
		if s.Target == nil {
			return nil, fmt.Errorf("%s relocates no section", secName(s))
		}
	}
	for _, s := range klp {
		done.Sections++
		done.Relocs += s.NumRelocs()
		into := ordinaryRelocs(f, s)
		merged := append(slices.Clone(into.Relocs()), s.Relocs()...)
		slices.SortStableFunc(merged, func(a, b elfrw.Rela) int { return cmp.Compare(a.Offset, b.Offset) })
		into.SetRelocs(merged)
	}
	for _, y := range f.Symbols {
		if isKlpSymbol(y) {
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
	disown(f)
	f.Trailer = nil // a signature would be void
	return done, f.Remove(klp, nil)
}

// ordinaryRelocs returns the relocation section that the loader applies to what
// klp relocates; where all of them were converted it is made anew.
func ordinaryRelocs(f *elfrw.File, klp *elfrw.Section) *elfrw.Section {
	for _, s := range f.Sections {
		if s.Target == klp.Target && s.Type == klp.Type && s.HasRelocs() && !isKlpSection(s) {
			return s
		}
	}
	s := &elfrw.Section{
		Name: ".rela" + klp.Target.Name, Type: klp.Type, Flags: uint64(elf.SHF_INFO_LINK),
		Align: klp.Align, Link: f.Symtab, Target: klp.Target,
	}
	f.AddSection(s)
	return s
}

// disown makes .modinfo say that the file is a copy.
func disown(f *elfrw.File) {
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
