// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"fmt"
	"strconv"
	"strings"
)

// The kernel reads names by sscanf (kernel/livepatch/core.c,
// klp_resolve_symbols and klp_apply_section_relocs; the prefixes stand in
// include/linux/livepatch_external.h since 7.0):
//
//	section   .klp.rela.%55[^.]                     and whatever follows
//	symbol    .klp.sym.%55[^.].%511[^,],%lu         %127 before 6.1
//
// An object name therefore ends at its first dot or is cut at 55 bytes, a
// symbol name may hold dots but no comma, and what follows the object's dot in
// a section name is for people.
const (
	sectionPrefix = ".klp.rela."
	symbolPrefix  = ".klp.sym."
	recordPrefix  = ".klp.module_relocs" // KLP_MODULE_RELOC(obj): .obj follows
	labelPrefix   = ".klp.sym.rela."     // KLP_RELOC_SYMBOL(lp_obj, sym_obj, name)
	archPrefix    = ".klp.arch."         // before 5.8
	objtoolPrefix = "__klp_relocs"       // objtool klp diff's records

	objectLimit = 55
	vmlinux     = "vmlinux"
)

// Values of the klp format (include/uapi/linux/elf.h, 4.7 to 7.3).
const (
	flagRelaLivepatch = 0x00100000 // SHF_RELA_LIVEPATCH
	indexLivepatch    = 0xff20     // SHN_LIVEPATCH
)

// SymbolName returns the name of the klp symbol for the pos-th symbol called
// name in object; pos 0 says that there is only one.
func SymbolName(object, name string, pos uint32) string {
	return symbolPrefix + object + "." + name + "," + strconv.FormatUint(uint64(pos), 10)
}

// ParseSymbolName takes a klp symbol's name apart as the kernel does.
func ParseSymbolName(s string) (object, name string, pos uint64, err error) {
	rest, ok := strings.CutPrefix(s, symbolPrefix)
	if !ok {
		return "", "", 0, fmt.Errorf("klp symbol %q does not begin with %s", s, symbolPrefix)
	}
	object, rest, ok = strings.Cut(rest, ".")
	if !ok || object == "" || len(object) > objectLimit {
		return "", "", 0, fmt.Errorf("klp symbol %q has no readable object name", s)
	}
	name, digits, ok := strings.Cut(rest, ",")
	if !ok || name == "" {
		return "", "", 0, fmt.Errorf("klp symbol %q has no position", s)
	}
	pos, perr := strconv.ParseUint(digits, 10, 64)
	if perr != nil {
		return "", "", 0, fmt.Errorf("klp symbol %q has the position %q, which is not a number", s, digits)
	}
	return object, name, pos, nil
}

// SectionObject returns the object that a klp relocation section is named
// after, as the kernel reads it, and false when it could not.
func SectionObject(section string) (string, bool) {
	rest, ok := strings.CutPrefix(section, sectionPrefix)
	if !ok {
		return "", false
	}
	object, _, _ := strings.Cut(rest, ".")
	if object == "" || len(object) > objectLimit {
		return "", false
	}
	return object, true
}

// sectionName returns what the klp relocation section for base is called. The
// dot behind the object is ours, so that it is there whether base begins with
// one (".text") or not ("__jump_table").
func sectionName(object, base string) string {
	return sectionPrefix + object + "." + base
}

// checkObject says what is wrong with an object's name.
func checkObject(object string) error {
	switch {
	case object == "":
		return fmt.Errorf("the object name is empty")
	case strings.HasSuffix(object, ".ko"):
		return fmt.Errorf("object name %q is a file name; the module's name is wanted", object)
	case strings.Contains(object, "."):
		return fmt.Errorf("object name %q holds a dot; the kernel reads it up to there", object)
	case len(object) > objectLimit:
		return fmt.Errorf("object name %q has %d bytes; the kernel reads %d", object, len(object), objectLimit)
	case !graphic(object):
		return fmt.Errorf("object name %q holds characters that no module's name has", object)
	}
	return nil
}

// checkName says what is wrong with a symbol's name for kernel v.
func checkName(name string, v Version) error {
	switch {
	case name == "":
		return fmt.Errorf("the symbol name is empty")
	case strings.Contains(name, ","):
		return fmt.Errorf("symbol name %q holds a comma; the kernel reads it up to there", name)
	case len(name) > v.NameLimit():
		return fmt.Errorf("symbol name %q has %d bytes; kernel %s reads %d", clip(name), len(name), v, v.NameLimit())
	case !graphic(name):
		return fmt.Errorf("symbol name %q holds characters that no symbol's name has", clip(name))
	}
	return nil
}

// clip shortens a hostile name for a message.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
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
