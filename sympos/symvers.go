// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"

	"golang.org/x/exp/slices"
)

// Module.symvers has the exports that modpost knows: a line for each, with fields separated
// by tabs (scripts/mod/modpost.c, write_dump), the module as a path without .ko.
//
//	0x8f4f0d2b  symbol  module                          EXPORT_SYMBOL       until 5.3
//	0x8f4f0d2b  symbol  namespace  module               EXPORT_SYMBOL_GPL   5.4, 5.5
//	0x8f4f0d2b  symbol  module     EXPORT_SYMBOL_GPL    namespace           5.6, stable 5.4
//
// The place of the kind of export, of which there were more until 5.11, shows which form it
// is. The namespace may be empty; its tab is written anyway.
// maxSymversLine bounds a line, in bytes.
const maxSymversLine = 8192

func isSymvers(head []byte) bool {
	return startsWithEntry(head, func(line []byte) bool {
		_, ok := parseSymversLine(line)
		return ok
	})
}

// parseSymversLine splits a line into its fields. ok is false when it has another form.
func parseSymversLine(line []byte) (l symvers, ok bool) {
	var fields [6][]byte
	n := 0
	for ; n < len(fields); n++ {
		field, rest, more := bytes.Cut(line, []byte("\t"))
		fields[n], line = field, rest
		if !more {
			n++
			break
		}
	}
	crc, hex := bytes.CutPrefix(fields[0], []byte("0x"))
	if !hex || len(crc) != 8 || len(bytes.Trim(crc, "0123456789abcdef")) != 0 {
		return l, false
	}
	l.name = fields[1]
	var kind []byte
	switch {
	case n == 4 && isExportKind(fields[3]):
		l.module, kind = fields[2], fields[3]
	case n == 5 && isExportKind(fields[3]):
		l.module, kind, l.namespace = fields[2], fields[3], fields[4]
	case n == 5 && isExportKind(fields[4]):
		l.namespace, l.module, kind = fields[2], fields[3], fields[4]
	}
	for _, c := range crc {
		l.crc = l.crc<<4 | uint32(hexDigit(c))
	}
	// EXPORT_SYMBOL_GPL, EXPORT_UNUSED_SYMBOL_GPL; EXPORT_SYMBOL_GPL_FUTURE is not GPL only.
	l.gplOnly = bytes.HasSuffix(kind, []byte("_GPL"))
	return l, len(l.name) > 0 && len(l.module) > 0
}

// symvers is a line of Module.symvers.
type symvers struct {
	name, module, namespace []byte
	crc                     uint32
	gplOnly                 bool
}

// hexDigit returns the value of a lower-case hexadecimal digit.
func hexDigit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// isExportKind reports whether the field is a kind: EXPORT_SYMBOL, EXPORT_UNUSED_SYMBOL_GPL
// and so on.
func isExportKind(field []byte) bool {
	return bytes.HasPrefix(field, []byte("EXPORT_")) || string(field) == "(unknown)"
}

func scanSymvers(in *input, visit func(*Entry)) (Facts, error) {
	var (
		facts  = Facts{Kind: Symvers, Order: Unordered, NoAddresses: true}
		e      = Entry{Export: true, listed: true}
		lines  = in.lines(maxSymversLine)
		module []byte
		stray  []skipped
		begun  bool
	)
	for {
		line, err := lines.next()
		if err != nil {
			return facts, err
		}
		if line == nil {
			facts.Notes = append(slices.Clip(lines.notes), skippedNotes(stray)...)
			return facts, nil
		}
		if len(line) == 0 {
			continue
		}
		l, ok := parseSymversLine(line)
		if !lines.ended {
			facts.Partial = truncationNote(lines.number, line)
		}
		switch {
		case !ok && !lines.ended:
			continue
		case !ok && !begun:
			stray = append(stray, lines.skipped(line))
			continue
		case !ok:
			return facts, lines.errorf("not a line of Module.symvers: %.60q", line)
		}
		begun = true
		// Lines of one module mostly follow each other.
		if !bytes.Equal(l.module, module) {
			module = append(module[:0], l.module...)
			e.Object = ModuleName(string(l.module))
		}
		e.Name, e.Namespace, e.crc, e.gplOnly = l.name, l.namespace, l.crc, l.gplOnly
		visit(&e)
	}
}
