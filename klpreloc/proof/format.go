// SPDX-License-Identifier: GPL-2.0-or-later

package proof

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
)

// The klp format, from the kernel's sources and not from the packages that write it.

// Numbers of the klp format (include/uapi/linux/elf.h, 4.7 to 7.3).
const (
	flagLivepatch  = 0x00100000 // SHF_RELA_LIVEPATCH
	indexLivepatch = 0xff20     // SHN_LIVEPATCH
)

// Section flags (gABI, chapter 4, "Section Attribute Flags").
const (
	flagAlloc    = 1 << 1 // SHF_ALLOC
	flagInfoLink = 1 << 6 // SHF_INFO_LINK
	flagGroup    = 1 << 9 // SHF_GROUP
)

// klpFlags are those of a klp relocation section. By SHF_ALLOC the module loader keeps it in
// the module's memory, where it is read when an object is loaded
// (kernel/livepatch/core.c, klp_apply_section_relocs).
const klpFlags = flagAlloc | flagInfoLink | flagLivepatch

// Names that the kernel reads by sscanf, "%55[^.]" for an object (kernel/livepatch/core.c,
// klp_resolve_symbols and klp_apply_section_relocs, 4.7 to 7.3; arch/x86/kernel/livepatch.c,
// arch_klp_init_object_loaded, 4.9 to 5.7).
const (
	relocPrefix  = ".klp.rela."
	archPrefix   = ".klp.arch."
	symbolPrefix = ".klp.sym."

	mostObject = 55  // MODULE_NAME_LEN - 1
	mostName   = 511 // KSYM_NAME_LEN - 1 since 6.1 (b8a94bfb3395)
)

// Names of annotations, which no converted module has (docs/format.md).
const (
	recordPrefix    = ".klp.module_relocs"
	labelPrefix     = ".klp.sym.rela."
	fileLabelPrefix = ".klp.sym.file."
)

const vmlinux = "vmlinux"

// isKlpSymbol reports whether livepatching resolves y.
func isKlpSymbol(y *elfrw.Symbol) bool { return y.Section == nil && y.Index == indexLivepatch }

// builtName returns what the kernel calls the module of that file name: Kbuild replaces '-' by
// '_' (scripts/Makefile.lib, name-fix-token).
func builtName(module string) string { return strings.ReplaceAll(module, "-", "_") }

// klpSymbol is a klp symbol's name, taken apart.
type klpSymbol struct {
	object, name string
	pos          uint64
}

// parseSymbolName reads ".klp.sym.<object>.<name>,<pos>". More than the kernel it insists
// that nothing follows the position.
func parseSymbolName(full string) (klpSymbol, error) {
	bad := func(what string) (klpSymbol, error) {
		return klpSymbol{}, fmt.Errorf("the kernel can't read the %s of symbol %.200q", what, full)
	}
	rest, ok := strings.CutPrefix(full, symbolPrefix)
	if !ok {
		return bad("prefix")
	}
	dot := strings.IndexByte(rest, '.')
	if dot < 1 || dot > mostObject {
		return bad("object")
	}
	comma := strings.IndexByte(rest[dot:], ',')
	if comma < 2 || comma-1 > mostName {
		return bad("name")
	}
	name, number := rest[dot+1:dot+comma], rest[dot+comma+1:]
	pos, err := strconv.ParseUint(number, 10, 64)
	if err != nil || strconv.FormatUint(pos, 10) != number {
		return bad("position")
	}
	return klpSymbol{object: rest[:dot], name: name, pos: pos}, nil
}

// parseSectionName reads "<prefix><object>.<rest>" and returns what the kernel takes for the
// object, and what follows its dot.
func parseSectionName(full, prefix string) (object, rest string, err error) {
	after, ok := strings.CutPrefix(full, prefix)
	dot := strings.IndexByte(after, '.')
	if !ok || dot < 1 || dot > mostObject {
		return "", "", fmt.Errorf("the kernel can't read the object of section %.200q", full)
	}
	return after[:dot], after[dot+1:], nil
}
