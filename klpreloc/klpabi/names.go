// SPDX-License-Identifier: GPL-2.0-or-later

package klpabi

import (
	"debug/elf"
	"fmt"
	"strconv"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/sympos"
)

// The kernel reads names by sscanf (kernel/livepatch/core.c,
// klp_resolve_symbols and klp_apply_section_relocs; the prefixes are in
// include/linux/livepatch_external.h since 7.0):
//
//	section   .klp.rela.%55[^.]                     and whatever follows
//	symbol    .klp.sym.%55[^.].%511[^,],%lu         %127 before 6.1
//
// An object name therefore ends at its first dot or is cut at 55 bytes, a
// symbol name may hold dots but no comma, and what follows the object's dot in
// a section name is for people.
const (
	SectionPrefix = ".klp.rela."
	SymbolPrefix  = ".klp.sym."

	// ArchPrefix begins the names of sections that kernels 4.9 to 5.7 read with an object's
	// klp relocations (arch/x86/kernel/livepatch.c, arch_klp_init_object_loaded).
	ArchPrefix = ".klp.arch."

	ObjectLimit = 55
)

// Values of the klp format (include/uapi/linux/elf.h, 4.7 to 7.3).
const (
	FlagLivepatch  = 0x00100000 // SHF_RELA_LIVEPATCH
	IndexLivepatch = 0xff20     // SHN_LIVEPATCH
)

// SymbolName returns the name of the klp symbol for the pos-th symbol called
// name in object; pos 0 says that there is only one.
func SymbolName(object, name string, pos uint32) string {
	return SymbolPrefix + object + "." + name + "," + strconv.FormatUint(uint64(pos), 10)
}

// ParseSymbolName parses a klp symbol's name as the kernel does.
func ParseSymbolName(s string) (object, name string, pos uint64, err error) {
	rest, ok := strings.CutPrefix(s, SymbolPrefix)
	if !ok {
		return "", "", 0, fmt.Errorf("klp symbol %q does not begin with %s", diag.Clip(s), SymbolPrefix)
	}
	object, rest, ok = strings.Cut(rest, ".")
	if !ok || object == "" || len(object) > ObjectLimit {
		return "", "", 0, fmt.Errorf("klp symbol %q has no readable object name", diag.Clip(s))
	}
	name, position, ok := strings.Cut(rest, ",")
	if !ok || name == "" {
		return "", "", 0, fmt.Errorf("klp symbol %q has no position", diag.Clip(s))
	}
	if most := (kernel.Version{}).NameLimit(); len(name) > most {
		return "", "", 0, fmt.Errorf("klp symbol %q has a name of %d bytes; the kernel reads %d",
			diag.Clip(s), len(name), most)
	}
	pos, ok = ScanUnsigned(position)
	if !ok {
		return "", "", 0, fmt.Errorf("klp symbol %q has the position %q, which is not a number",
			diag.Clip(s), diag.Clip(position))
	}
	return object, name, pos, nil
}

// ScanUnsigned reads %lu as the kernel does (lib/vsprintf.c, vsscanf): space in
// front is skipped, whatever follows the digits is ignored, and what is
// too large wraps around.
func ScanUnsigned(s string) (n uint64, ok bool) {
	for len(s) > 0 && (s[0] == ' ' || s[0] >= '\t' && s[0] <= '\r' || s[0] == 0xa0) {
		s = s[1:]
	}
	for ; len(s) > 0 && s[0] >= '0' && s[0] <= '9'; s = s[1:] {
		n, ok = n*10+uint64(s[0]-'0'), true
	}
	return n, ok
}

// SectionObject returns the object that a klp relocation section is named
// after, and false when the kernel could not read it, or not all of it: it
// silently cuts a long name, and the rest then names no object.
func SectionObject(section string) (string, bool) {
	rest, ok := strings.CutPrefix(section, SectionPrefix)
	if !ok {
		return "", false
	}
	object, _, _ := strings.Cut(rest, ".")
	if object == "" || len(object) > ObjectLimit {
		return "", false
	}
	return object, true
}

// SectionName returns what the klp relocation section for base is called. The
// dot after the object is added here, so that it is there whether base begins with
// one (".text") or not ("__jump_table").
func SectionName(object, base string) string {
	if len(base) > baseLimit {
		base = base[:baseLimit]
	}
	return SectionPrefix + object + "." + base
}

// baseLimit is how much of a base section's name goes into that of its klp
// relocation sections: more than -ffunction-sections makes of the longest
// symbol, and no more, because a small file can share a huge name among many
// sections.
const baseLimit = 640

// ModuleName returns what the kernel calls the module that is built as name:
// Kbuild turns '-' into '_' (scripts/Makefile.lib, KBUILD_MODNAME).
func ModuleName(name string) string { return sympos.FoldDashes(name) }

// CheckObject says what is wrong with an object's name.
func CheckObject(object string) error {
	switch {
	case object == "":
		return fmt.Errorf("the object name is empty")
	case strings.HasSuffix(object, ".ko"):
		return fmt.Errorf("object name %q is a file name; write the module's name", diag.Clip(object))
	case len(object) > ObjectLimit:
		return fmt.Errorf("object name %q has %d bytes; the kernel reads %d", diag.Clip(object),
			len(object), ObjectLimit)
	case strings.Contains(object, "."):
		return fmt.Errorf("object name %q holds a dot; the kernel reads it up to there", object)
	case !graphic(object):
		return fmt.Errorf("object name %q holds characters that no module's name has", object)
	}
	return nil
}

// CheckName says what is wrong with a symbol's name for kernel v.
func CheckName(name string, v kernel.Version) error {
	switch {
	case name == "":
		return fmt.Errorf("the symbol name is empty")
	case len(name) > v.NameLimit():
		return fmt.Errorf("symbol name %q has %d bytes; kernel %s reads %d", diag.Clip(name), len(name),
			v, v.NameLimit())
	case strings.Contains(name, ","):
		return fmt.Errorf("symbol name %q holds a comma; the kernel reads it up to there",
			diag.Clip(name))
	case !graphic(name):
		return fmt.Errorf("symbol name %q holds characters that no symbol's name has", diag.Clip(name))
	}
	return nil
}

// graphic reports whether s is visible ASCII.
func graphic(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// IsKlpSection reports whether s is a klp relocation section: by the flag, as the kernel does
// (kernel/livepatch/core.c, klp_write_object_relocs), or by the name, for a section that lacks the
// flag.
func IsKlpSection(s *elfrw.Section) bool {
	return s.Flags&FlagLivepatch != 0 || strings.HasPrefix(s.Name, SectionPrefix)
}

// IsKlpSymbol reports whether y has the section index of klp symbols, SHN_LIVEPATCH.
func IsKlpSymbol(y *elfrw.Symbol) bool { return y.Section == nil && y.Index == IndexLivepatch }

// SectionFlags are what the kernel and its sizing passes want of a klp
// relocation section. SHF_ALLOC keeps it in the module's memory, where late
// application reads it.
const SectionFlags = uint64(elf.SHF_ALLOC) | uint64(elf.SHF_INFO_LINK) | FlagLivepatch

// PossibleName reports whether a kernel can have a symbol of that name.
func PossibleName(name string) bool {
	return name != "" && len(name) <= (kernel.Version{}).NameLimit()
}
