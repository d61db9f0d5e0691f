// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"fmt"
	"strconv"
	"strings"
)

// Kernel is the rest of the machine: what modules can find in it.
type Kernel struct {
	// Exports are the addresses of exported symbols.
	Exports map[string]uint64

	// Text is code of the kernel that modules' alternatives copy, by address.
	Text map[uint64][]byte

	// Objects has all symbols of vmlinux and of modules, with their addresses in the
	// order in which the kernel counts them (sympos).
	Objects map[string]map[string][]uint64

	// Features are the features that the processor has, as alternatives number
	// them.
	Features map[uint16]bool

	// Paravirt says what each type of paravirt operation is patched to. A type that is
	// not here has no operation: ud2.
	Paravirt map[uint8]Operation
}

// Operation is what takes a paravirt site's place (paravirt_patch_default and
// native_patch): a call, or instructions. With neither, nothing is left to be done:
// NOPs. Keep leaves the site as it is.
type Operation struct {
	Call uint64
	Code []byte
	Keep bool
}

// Refused is an error that the kernel reports: it refuses, and continues.
type Refused struct {
	Messages []string // as they are printed
	Errno    int
}

func (e *Refused) Error() string {
	return fmt.Sprintf("%s (-%d)", strings.Join(e.Messages, "; "), e.Errno)
}

const (
	enoent  = 2
	enoexec = 8
	eexist  = 17
	einval  = 22
)

func refuse(errno int, format string, a ...any) error {
	return &Refused{[]string{fmt.Sprintf(format, a...)}, errno}
}

// Oops is an error of the kernel: it would access memory that does not exist.
type Oops struct {
	Message string
}

func (e *Oops) Error() string {
	return "oops: " + e.Message
}

func oops(format string, a ...any) error {
	return &Oops{fmt.Sprintf(format, a...)}
}

// find is klp_find_object_symbol.
func (m *Machine) find(object, name string, pos uint64) (uint64, error) {
	var all []uint64
	if m.loaded(object) {
		all = m.s.Kernel.Objects[object][name]
	}
	// The walk ends at the position, or at the second one where there may be but one.
	var addr, count uint64
	for _, a := range all {
		addr = a
		if count++; count == pos || pos == 0 && count > 1 {
			break
		}
	}
	shown := object
	switch {
	case addr == 0:
		return 0, refuse(einval, "symbol '%s' not found in symbol table", name)
	case count > 1 && pos == 0:
		if object == "vmlinux" {
			shown = "(null)"
		}
		return 0, refuse(einval, "unresolvable ambiguity for symbol '%s' in object '%s'", name, shown)
	case pos > 0 && count != pos:
		return 0, refuse(einval,
			"symbol position %d for symbol '%s' in object '%s' not found", pos, name, shown)
	}
	return addr, nil
}

// sectionObject is sscanf(name, ".klp.rela.%55[^.]").
func sectionObject(name string) (string, error) {
	rest, ok := strings.CutPrefix(name, ".klp.rela.")
	object, _ := span(rest, ".", 55)
	if !ok || object == "" {
		return "", refuse(einval, "section %s has an incorrectly formatted name", name)
	}
	return object, nil
}

// archSection is sscanf(name, ".klp.arch.%55[^.].%127s").
func archSection(name string) (object, section string, ok bool) {
	rest, ok := strings.CutPrefix(name, ".klp.arch.")
	object, rest = span(rest, ".", 55)
	if !ok || object == "" || !strings.HasPrefix(rest, ".") {
		return "", "", false
	}
	section, _ = span(rest[1:], " \t\n", 127)
	return object, section, section != ""
}

// klpSymbol is sscanf(name, ".klp.sym.%55[^.].%127[^,],%lu"), where the second width is
// the kernel's.
func (k Scheme) klpSymbol(full string) (object, name string, pos uint64, err error) {
	bad := refuse(einval, "symbol %s has an incorrectly formatted name", full)
	rest, ok := strings.CutPrefix(full, ".klp.sym.")
	object, rest = span(rest, ".", 55)
	if !ok || object == "" || !strings.HasPrefix(rest, ".") {
		return "", "", 0, bad
	}
	name, rest = span(rest[1:], ",", k.NameWidth)
	if name == "" || !strings.HasPrefix(rest, ",") {
		return "", "", 0, bad
	}
	rest = rest[1:]
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	if pos, err = strconv.ParseUint(rest[:digits], 10, 64); err != nil {
		return "", "", 0, bad
	}
	return object, name, pos, nil
}

// span splits s where one of the characters of set is, or after width bytes.
func span(s, set string, width int) (string, string) {
	n := strings.IndexAny(s, set)
	if n < 0 {
		n = len(s)
	}
	n = min(n, width)
	return s[:n], s[n:]
}
