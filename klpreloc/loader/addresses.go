// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// Functions whose address is taken: the kernel or the module may call them through a
// pointer, which IBT, BTI and kCFI check.

// A takenSymbol is a klp symbol, and a place that takes its address.
type takenSymbol struct {
	*elfrw.Symbol
	section *elfrw.Section
	offset  uint64
}

// takenAddresses are those that the module takes.
type takenAddresses struct {
	own []*elfrw.Symbol // functions of the module
	klp []takenSymbol
}

// readTaken returns the addresses that the module takes.
// New functions of a patch do not count: ftrace returns to them (kernel/livepatch/patch.c,
// klp_ftrace_handler), which nothing checks.
func (m *Module) readTaken() (taken takenAddresses) {
	starts := map[place]*elfrw.Symbol{}
	for _, y := range m.file.Symbols {
		if y.Section == nil || y.Type() != elf.STT_FUNC ||
			y.Section.Flags&uint64(elf.SHF_EXECINSTR) == 0 {
			continue
		}
		if p := (place{y.Section, y.Value}); starts[p] == nil || y.Bind() == elf.STB_GLOBAL {
			starts[p] = y
		}
	}
	seen := map[*elfrw.Symbol]bool{}
	visit := func(x *elfrw.Rela, in *elfrw.Section, addend int64) {
		y := x.Sym
		switch {
		case y.Section != nil:
			if y = starts[place{y.Section, y.Value + uint64(addend)}]; y != nil && !seen[y] {
				seen[y] = true
				taken.own = append(taken.own, y)
			}
		case y.Index == klpabi.IndexLivepatch && addend == 0 && !seen[y]:
			seen[y] = true
			taken.klp = append(taken.klp, takenSymbol{y, in, x.Offset})
		}
	}
	news := m.newFunctions()
	absolute := uint32(elf.R_X86_64_64)
	if m.file.Header.Machine == elf.EM_AARCH64 {
		absolute = uint32(elf.R_AARCH64_ABS64)
	}
	for _, s := range m.file.Sections {
		t := s.Target
		if !s.HasRelocs() || t == nil || !t.Alloc() {
			continue
		}
		code := t.Flags&uint64(elf.SHF_EXECINSTR) != 0
		if !code && tableOfCode(t.Name) {
			continue
		}
		r := s.ReadRelocs()
		for x := r.Next(); x != nil; x = r.Next() {
			switch {
			case x.Sym == nil:
			case !code && x.Type == absolute && !news[place{t, x.Offset}]:
				visit(x, t, x.Addend)
			case code:
				if plus, is := m.loadsAddress(t.Data, x); is {
					visit(x, t, x.Addend+plus)
				}
			}
		}
	}
	return taken
}

// loadsAddress reports whether an instruction with the relocation loads an address, as far
// as that is the beginning of a function: what is no distance, and lea or adr with one. plus
// makes of the addend one to the address.
func (m *Module) loadsAddress(code []byte, x *elfrw.Rela) (plus int64, is bool) {
	const lea, relative = 0x8d, 0x05 // with a distance to the end of the instruction
	if m.file.Header.Machine == elf.EM_AARCH64 {
		t := elf.R_AARCH64(x.Type)
		return 0, t == elf.R_AARCH64_ADD_ABS_LO12_NC || t == elf.R_AARCH64_ADR_PREL_LO21
	}
	switch elf.R_X86_64(x.Type) {
	case elf.R_X86_64_PC32, elf.R_X86_64_PLT32:
		at := x.Offset
		return 4, at >= 2 && at <= uint64(len(code)) && code[at-2] == lea && code[at-1]&0xc7 == relative
	case elf.R_X86_64_64, elf.R_X86_64_32S, elf.R_X86_64_32:
		return 0, true
	}
	return 0, false
}

// tableOfCode reports whether a section holds addresses of code that is never jumped to
// through them.
func tableOfCode(name string) bool {
	for _, prefix := range []string{
		".altinstr", ".discard", "__ksymtab", ".klp.", ".kpatch.", ".init.klp_", ".eh_frame",
		".init.eh_frame", "__tracepoints",
	} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{
		"__mcount_loc", "__patchable_function_entries", "__bug_table", "__ex_table", "__jump_table",
		".static_call_sites", ".static_call_tramp_key", ".orc_unwind_ip", ".parainstructions",
		".smp_locks", ".retpoline_sites", ".return_sites", ".call_sites", ".cfi_sites",
		".ibt_endbr_seal", ".kcfi_traps", "__kcfi_traps", "_kprobe_blacklist",
		"_error_injection_whitelist",
	}, name)
}

// newFunctions are the places of klp_func.new_func.
func (m *Module) newFunctions() map[place]bool {
	all := map[place]bool{}
	for _, p := range m.patches {
		for i := range p.Objects {
			for _, f := range p.Objects[i].Funcs {
				if f.At.Section != nil {
					all[place{f.At.Section, f.At.Offset + uint64(m.file.PointerSize())}] = true
				}
			}
		}
	}
	return all
}
