// SPDX-License-Identifier: GPL-2.0-or-later

package diag

import (
	"strconv"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/sympos"
)

// A message shows names of this many bytes whole, and only the beginning of longer ones:
// they are hostile. Symbols of kernels have up to 511 bytes; -ffunction-sections puts a
// prefix before them.
const (
	mostOfSymbol  = 511
	mostOfSection = 640
)

// Printable returns s without characters that a line of text must not have, and shortened
// where it is longer than the longest name of the kernel's with its prefix.
func Printable(s string) string {
	const most = 600
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\uFFFD' {
			return '?'
		}
		return r
	}, s)
}

// ShellQuote returns name as one word of a command line that is pasted into a shell: a file
// of somebody else's may call its symbols anything.
func ShellQuote(name string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("_./@:,+=%-", r)
	}
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// Clip shortens a hostile name for a message. Names in a file may share their
// bytes, so that a small file can hold a million names of a megabyte each.
func Clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// ClipList joins names for a message.
func ClipList(names []string) string {
	const most = 10
	more := len(names) - most
	short := make([]string, 0, most)
	for _, n := range names[:min(len(names), most)] {
		short = append(short, Clip(n))
	}
	if more > 0 {
		return strings.Join(short, ", ") + " and " + strconv.Itoa(more) + " more"
	}
	return strings.Join(short, ", ")
}

// ClipEither joins names of which one is meant.
func ClipEither(names []string) string {
	const most = 3
	if n := len(names) - most; n > 0 {
		return ClipList(names[:most]) + " or " + strconv.Itoa(n) + " others"
	}
	short := make([]string, 0, most)
	for _, n := range names {
		short = append(short, Clip(n))
	}
	return strings.Join(short, " or ")
}

// SymbolName names a symbol in a diagnostic; sections' own symbols have no name.
// What is longer than the kernel reads is shortened.
func SymbolName(y *elfrw.Symbol) string {
	switch {
	case y == nil:
		return ""
	case y.Name == "" && y.Section != nil:
		return SectionName(y.Section)
	case len(y.Name) > mostOfSymbol:
		return strconv.Quote(Clip(y.Name))
	}
	return y.String()
}

// SectionName names a section in a diagnostic, shortened where it is hostile.
func SectionName(s *elfrw.Section) string {
	if s != nil && len(s.Name) > mostOfSection {
		return strconv.Quote(Clip(s.Name))
	}
	return s.String()
}

// ObjectName names an object: vmlinux, or "module ext4".
func ObjectName(object string) string {
	if object == sympos.Vmlinux {
		return object
	}
	return "module " + object
}

// OptionalLine is a list of one line, of none where it is empty.
func OptionalLine(line string) []string {
	if line == "" {
		return nil
	}
	return []string{line}
}
