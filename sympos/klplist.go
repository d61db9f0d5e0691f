// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"fmt"

	"golang.org/x/exp/slices"
)

// symbols.klp, earlier Symbols.list, was made by the kernel's build for
// klp-convert v1 to v7 (2016 to 2023): names, by object.
//
//	klp-convert-symbol-data.0.1     from v3 on
//	*vmlinux
//	name_show
//	name_show
//	*ext4
//	…
//
// The names were nm's output, sorted by name. So the list has how often a name occurs in
// an object, and not which symbol comes first.
const klpListHeader = "klp-convert-symbol-data."

// minComplete is the number of names from which on a list must be that of a kernel, which
// has names with each first letter.
const minComplete = 1000

func isKlpList(head []byte) bool {
	first := true
	return startsWithEntry(head, func(line []byte) bool {
		if len(line) == 0 {
			return false
		}
		begins := first && len(line) > 1 && line[0] == '*' && line[1] > ' ' && line[1] < 0x7f &&
			bytes.IndexByte(line, ' ') < 0
		first = false
		return begins || bytes.HasPrefix(line, []byte(klpListHeader)) || string(line) == "*"+Vmlinux
	})
}

func scanKlpList(in *input, visit func(*Entry)) (Facts, error) {
	var (
		facts  = Facts{Kind: SymbolList, Order: Unordered, NoAddresses: true}
		e      Entry
		l      = in.lines(maxLine)
		stray  []skipped
		begun  bool
		count  int
		last   []byte
		byName = true
	)
	for {
		line, err := l.next()
		if err != nil {
			return facts, err
		}
		if line == nil {
			break
		}
		line = bytes.TrimSpace(line)
		object := len(line) > 1 && line[0] == '*' && bytes.IndexByte(line, ' ') < 0
		switch {
		case len(line) == 0:
		case !l.ended:
			facts.Partial, facts.PartialOf = truncationNote(l.number, line), e.Object
			if object {
				facts.PartialOf = ""
			}
		case !begun && bytes.HasPrefix(line, []byte(klpListHeader)):
			begun = true
		case object:
			e.Object, begun = ModuleName(string(line[1:])), true
			count, byName, last = 0, true, last[:0]
		case !begun:
			stray = append(stray, l.skipped(line))
		case bytes.IndexByte(line, ' ') >= 0:
			return facts, l.errorf("neither an object nor a symbol: %.60q", line)
		case e.Object == "":
			return facts, l.errorf("symbol %q belongs to no object", line)
		default:
			e.Name = line
			visit(&e)
			count++
			byName = byName && bytes.Compare(last, line) <= 0
			last = append(last[:0], line...)
		}
	}
	if facts.Partial == "" && e.Object == Vmlinux && count > minComplete && byName &&
		last[0] < 'z' {
		facts.Partial = fmt.Sprintf("its names are sorted, and the last of vmlinux is %.40q; a "+
			"kernel has names with z: it was cut", last)
	}
	facts.Notes = append(slices.Clip(l.notes), skippedNotes(stray)...)
	return facts, nil
}
