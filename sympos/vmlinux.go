// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"sync"
)

// The kernel's build makes kallsyms from the symbols of vmlinux: nm, then a filter
// on types and names, then a sort by address (scripts/link-vmlinux.sh,
// scripts/kallsyms.c; scripts/mksysmap since 6.2). Here are the same filters.
//
// The lists of names changed over the versions, but one list is enough: a name is left out
// with all symbols of that name, so no position depends on it. What is on the list of any
// version since 4.19 is left out of a vmlinux. Types are different: an absolute symbol that
// was counted would shift the others of its name.

var ignoredPrefixes = []string{
	"$",           // mapping symbols, MIPS local labels
	".L",          // local labels
	"__efistub_",  // arm64 EFI stub
	"__kvm_nvhe_", // arm64 code for another exception level; see isKeptNVHE
	"__pi_$", "__pi_.L", "__pi___kcfi_typeid_",
	"__AArch64ADRPThunk_", "__ARMV5PILongThunk_", "__ARMV7PILongThunk_", "__ThumbV7PILongThunk_",
	"__LA25Thunk_", "__microLA25Thunk_",
	"__kcfi_typeid_",
	"__crc_",
}

// ignoredLater were added to the list in 6.2 and 6.16, and System.map omits them since then
// too; older kernels have them in their tables.
var ignoredLater = []string{"__kstrtab_", "__kstrtabns_", "__pfx_", "__mod_device_table__"}

// ignoredNames change between the passes of the kernel's link.
var ignoredNames = []string{
	"kallsyms_addresses", "kallsyms_offsets", "kallsyms_relative_base", "kallsyms_num_syms", "kallsyms_names",
	"kallsyms_markers", "kallsyms_token_table", "kallsyms_token_index", "kallsyms_seqs_of_names",
	"_SDA_BASE_", "_SDA2_BASE_", "L0",
}

// isLeftOut reports whether kallsyms has no symbols of that name in any version.
func isLeftOut(name []byte) bool {
	if len(name) == 0 {
		return true
	}
	switch name[0] {
	case '$', '.', '_', 'k', 'L':
		third := byte(0)
		if len(name) > 2 {
			third = name[2]
		}
		for _, p := range ignoredByThird()[third] {
			if hasPrefix(name, p) {
				return !isKeptNVHE(name) // of those, some are kept since 5.19
			}
		}
		if name[0] == '_' && third != 'D' { // of _SDA_BASE_
			break
		}
		for _, n := range ignoredNames {
			if string(name) == n {
				return true
			}
		}
	}
	// This runs for each symbol of a kernel. Few names pass the first test.
	switch name[len(name)-1] {
	case 'm', 'b', 'r':
		if bytes.HasSuffix(name, []byte("_from_arm")) ||
			bytes.HasSuffix(name, []byte("_from_thumb")) ||
			bytes.HasSuffix(name, []byte("_veneer")) {
			return true
		}
	}
	return bytes.IndexByte(name, '.') >= 0 &&
		(bytes.Contains(name, []byte(".long_branch.")) ||
			bytes.Contains(name, []byte(".plt_branch.")))
}

// ignoredByThird are the ignoredPrefixes that names with this third byte may have:
// most begin with two underscores, as every tenth name does.
var ignoredByThird = sync.OnceValue(func() *[256][]string {
	by := new([256][]string)
	for _, p := range ignoredPrefixes {
		for third := range by {
			if len(p) < 3 || p[2] == byte(third) {
				by[third] = append(by[third], p)
			}
		}
	}
	return by
})

// hasPrefix is strings.HasPrefix for bytes, without a copy. The last byte of the prefix,
// which is not empty, differs most often, so it is compared first.
func hasPrefix(name []byte, p string) bool {
	return len(name) >= len(p) && name[len(p)-1] == p[len(p)-1] && string(name[:len(p)]) == p
}

// isLeftOutLater reports whether kallsyms has no symbols of that name in later versions.
func isLeftOutLater(name []byte) bool {
	if len(name) == 0 || name[0] != '_' {
		return false
	}
	for _, p := range ignoredLater {
		if hasPrefix(name, p) {
			return true
		}
	}
	return false
}

// isKeptNVHE reports whether the name is one of arm64's hypervisor that kallsyms keeps.
func isKeptNVHE(name []byte) bool {
	rest, ok := bytes.CutPrefix(name, []byte("__kvm_nvhe_"))
	return ok && !bytes.HasPrefix(rest, []byte("$")) && !bytes.HasPrefix(rest, []byte(".L")) &&
		!bytes.HasPrefix(rest, []byte("__kcfi_typeid_"))
}

// scanVmlinux visits the symbols that kallsyms is made of, in the order of the symbol table.
func (f *elfFile) scanVmlinux(visit func(*Entry)) (Facts, error) {
	if len(f.symtab) == 0 {
		return scanStripped(f.in, visit)
	}
	e := Entry{Object: Vmlinux}
	spaces := namespaceReader{f: f}
	var (
		labels      []label
		start, stop uint64
	)
	err := f.symbols(func(y *elfSymbol) error {
		spaces.visit(y, Vmlinux, visit)
		switch {
		case y.section == nil: // undefined, absolute, common
			return nil
		case y.section.flags&uint64(elf.SHF_ALLOC|elf.SHF_WRITE) == 0:
			return nil // debugging
		case y.typ() == elf.STT_SECTION || y.typ() == elf.STT_FILE:
			return nil // nm does not print them
		case isLeftOut(y.name) || isLeftOutLater(y.name):
			return nil
		}
		e.Name, e.Address, e.Size, e.File, e.block = y.name, y.value, y.size, y.file, y.block
		e.Type, e.section = y.nmLetter(), y.index
		if y.section.flags&uint64(elf.SHF_ALLOC) == 0 {
			e.Type = '?' // nm's word for __nosave_begin in the empty .data_nosave of ppc64le
		}
		labels = append(labels, label{y.value, isCode(e.Type)})
		switch string(y.name) {
		case "__start_mcount_loc":
			start = y.value
		case "__stop_mcount_loc":
			stop = y.value
		}
		if y.bind() != elf.STB_LOCAL && e.Type != '?' {
			e.Type -= 'a' - 'A'
		}
		visit(&e)
		return nil
	})
	return Facts{Kind: VmlinuxFile, Order: ByAddress, BuildID: f.buildID(), Config: f.readConfig(),
		BTF: f.readBTF(), Untraced: f.readUntraced(labels, start, stop),
		debugInfo: f.hasDebugInfo()}, err
}

// readConfig returns the configuration in .rodata, nil when it has none.
func (f *elfFile) readConfig() []byte {
	i := f.find(".rodata")
	if i < 0 || elf.SectionType(f.sections[i].etype) == elf.SHT_NOBITS {
		return nil
	}
	b, err := f.contents(i, "configuration")
	if err != nil {
		return nil
	}
	return embeddedConfig(b)
}

// readUntraced returns the functions without a call site (callSites), nil when the file does
// not tell.
func (f *elfFile) readUntraced(labels []label, start, stop uint64) []uint64 {
	if stop <= start || !f.is64 {
		return nil
	}
	c := callSites{order: f.order, start: start}
	for i, s := range f.sections {
		contents := func() []byte {
			b, err := f.contents(i, "list of call sites")
			if err != nil {
				return nil
			}
			return b
		}
		switch {
		case s.flags&uint64(elf.SHF_ALLOC) == 0:
		case elf.SectionType(s.etype) == elf.SHT_RELA:
			c.relocs = append(c.relocs, contents())
		case start >= s.addr && stop-s.addr <= s.size && start < stop:
			if b := contents(); uint64(len(b)) == s.size {
				c.list = b[start-s.addr : stop-s.addr]
			}
		}
	}
	return c.untraced(labels)
}

// scanStripped visits the symbols in the kernel's own table.
func scanStripped(in *input, visit func(*Entry)) (Facts, error) {
	if in.size < 0 {
		return Facts{}, in.errorf("", -1, "vmlinux: %w", ErrNoSymbols)
	}
	b, err := in.bytes(0, uint64(in.size), maxUnpacked)
	if err != nil {
		return Facts{}, in.errorf("", -1, "vmlinux: %w: %w", ErrNoSymbols, err)
	}
	k, err := findTables(b)
	if err != nil {
		if isELF(b) {
			for _, p := range (&kernelTable{data: b, order: orderOf(b)}).readSegments() {
				if p.off > uint64(len(b)) || p.size > uint64(len(b))-p.off {
					return Facts{}, in.errorf("", -1,
						"vmlinux: a segment, %#x bytes at %#x, is not in the file, which has "+
							"%#x: it was cut short", p.size, p.off, len(b))
				}
			}
		}
		return Facts{}, in.errorf("", -1, "vmlinux: %w (stripped), and %w", ErrNoSymbols, err)
	}
	return k.scan(in, visit)
}

// orderOf returns the byte order of an ELF file.
func orderOf(b []byte) binary.ByteOrder {
	if len(b) > elf.EI_DATA && elf.Data(b[elf.EI_DATA]) == elf.ELFDATA2MSB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}
