// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"fmt"
)

// Two text files have the same shape, an address, a letter and a name:
//
//	/proc/kallsyms    ffffffffc0201000 t ext4_foo	[ext4]
//	System.map        ffffffff81000000 T _text
//
// Both are in ascending order of addresses. /proc/kallsyms is the loader's table
// itself, followed by modules in the order of their symbol tables. System.map has the
// same symbols and some that kallsyms omits. They differ in absolute symbols (A):
// kallsyms has only the per-CPU symbols of x86 before 6.15, whose addresses start at 0;
// an A in System.map is a symbol that kallsyms omits.

const (
	// maxText bounds the text that is read; a kernel's is 20 MB.
	maxText = 1 << 30
	// maxLine bounds a line: address, letter, name (511 bytes) and module.
	maxLine = 64 << 10
)

// stub is the text of Debian's System.map.
const stub = "The real System.map is in the linux-image-"

func isStub(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return bytes.Contains(line, []byte(stub))
}

// isSymbolText reports whether the text begins with an entry.
func isSymbolText(head []byte) bool { return startsWithEntry(head, isSymbolLine) }

// isSymbolLine reports whether the line is an entry, perhaps after a time stamp.
func isSymbolLine(line []byte) bool {
	_, _, _, _, ok := parseNoisyLine(line)
	return ok
}

// parseNoisyLine is parseSymbolLine for lines with something in front, and with blanks for a
// tab, as terminals print it.
func parseNoisyLine(line []byte) (address uint64, letter byte, name, module []byte, ok bool) {
	if address, letter, name, module, ok = parseSymbolLine(line); ok {
		return address, letter, name, module, true
	}
	if i := bytes.LastIndex(line, []byte(" [")); i > 0 && line[len(line)-1] == ']' &&
		bytes.IndexByte(line[i+2:], ' ') < 0 {
		entry := bytes.TrimRight(line[:i], " ")
		line = append(append(append([]byte(nil), entry...), '\t'), line[i+1:]...)
		if address, letter, name, module, ok = parseSymbolLine(line); ok {
			return address, letter, name, module, true
		}
	}
	rest, ok := trimStamp(line, func(b []byte) bool {
		_, _, _, _, ok := parseSymbolLine(b)
		return ok
	})
	if !ok {
		return 0, 0, nil, nil, false
	}
	return parseSymbolLine(rest)
}

// isUndefined reports whether nm prints the line for an undefined symbol: blanks, a
// letter, a name.
func isUndefined(line []byte) bool {
	rest := bytes.TrimLeft(line, " ")
	return len(line)-len(rest) >= 9 && len(rest) > 2 &&
		bytes.IndexByte([]byte("UwvN"), rest[0]) >= 0 &&
		rest[1] == ' ' && bytes.IndexByte(rest[2:], ' ') < 0
}

// isTruncatedEntry reports whether a line can be the beginning of an entry.
func isTruncatedEntry(line []byte) bool {
	digits := 0
	for digits < len(line) && bytes.IndexByte([]byte("0123456789abcdefABCDEF"), line[digits]) >= 0 {
		digits++
	}
	return digits > 0 && (digits == len(line) || line[digits] == ' ')
}

// kindOfText returns the kind of a table: without addresses it is Kallsyms.
func kindOfText(head []byte) Kind {
	if hasZeroAddresses(head) {
		return Kallsyms
	}
	return SystemMap
}

// hasZeroAddresses reports whether all addresses in the beginning of a text are 0. Many are on
// x86, where per-CPU symbols come first, but not a whole page of them.
func hasZeroAddresses(head []byte) bool {
	for _, line := range bytes.Split(textHead(head), []byte("\n")) {
		if address, _, _, _, ok := parseNoisyLine(bytes.TrimRight(line, " \r")); ok &&
			address != 0 {
			return false
		}
	}
	return true
}

// parseSymbolLine splits a line into its fields. ok is false when it has another form.
func parseSymbolLine(line []byte) (address uint64, letter byte, name, module []byte, ok bool) {
	i := 0
	for ; i < len(line) && i <= 16; i++ {
		c := line[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			c = 0xff
		}
		if c == 0xff {
			break
		}
		address = address<<4 | uint64(c)
	}
	if i < 8 || i > 16 || len(line) < i+4 || line[i] != ' ' || line[i+2] != ' ' {
		return 0, 0, nil, nil, false
	}
	letter, name = line[i+1], line[i+3:]
	if at := bytes.IndexByte(name, '\t'); at >= 0 {
		name, module = name[:at], name[at+1:]
		if len(module) < 3 || module[0] != '[' || module[len(module)-1] != ']' {
			return 0, 0, nil, nil, false
		}
		module = module[1 : len(module)-1]
	}
	return address, letter, name, module, len(name) > 0 && bytes.IndexByte(name, ' ') < 0
}

// isPseudoModule reports whether /proc/kallsyms shows the name in brackets although no module
// has it.
func isPseudoModule(name []byte) bool {
	return string(name) == "bpf" || bytes.HasPrefix(name, []byte("__builtin__"))
}

func scanSymbolText(in *input, visit func(*Entry)) (Facts, error) {
	head, err := in.head()
	if err != nil {
		return Facts{}, err
	}
	head = textHead(head)
	table := isKallsyms(in, head)
	perCPU := hasPerCPUFirst(head)
	var (
		facts     = Facts{Kind: SystemMap, Order: Listed}
		e         = Entry{Object: Vmlinux}
		l         = in.lines(maxLine)
		last      uint64
		lastName  []byte
		count     int
		stamped   int
		addressed bool // some address is not 0
		ascending = true
		byName    = true // names ascend: it was sorted by name
		whole     extent
		stray     []skipped // before the first entry
		trailing  []skipped // since the last one
	)
	for {
		line, err := l.next()
		if err != nil {
			return facts, err
		}
		if line == nil {
			break
		}
		if len(line) == 0 {
			continue
		}
		address, letter, name, module, ok := parseSymbolLine(line)
		if !ok {
			if address, letter, name, module, ok = parseNoisyLine(line); ok {
				stamped++
			}
		}
		// Without a newline the name may be truncated, unless a bracket follows it or it is
		// the last name of all.
		if !l.ended && in.size >= 0 && !(ok && (module != nil || isEnd(name))) &&
			(ok || isTruncatedEntry(line)) {
			whole.noteTruncation(truncationNote(l.number, line), e.Object)
			break
		}
		switch {
		case ok && len(trailing) > 0:
			t := trailing[0]
			return facts, in.errorf("", t.offset, "line %d: neither a symbol nor the end: %s",
				t.number, t.text)
		case ok:
		case isUndefined(line):
			continue
		case count == 0 && e.Object == Vmlinux:
			stray = append(stray, l.skipped(line))
			continue
		default:
			if len(trailing) == 0 {
				trailing = append(trailing, l.skipped(line))
			}
			continue
		}
		addressed = addressed || address != 0
		switch {
		case module != nil:
			facts.Kind = Kallsyms
			if string(module) != e.Object {
				e.Object = string(module)
				whole.beginModule(e.Object)
			}
			whole.addModuleSymbol(name)
		default:
			if e.Object != Vmlinux {
				e.Object = Vmlinux
			}
			ascending = ascending && address >= last
			byName = byName && bytes.Compare(name, lastName) >= 0
			last, count = address, count+1
			lastName = append(lastName[:0], name...)
			whole.addSymbol(letter, name)
		}
		if module == nil && len(name) >= bigName {
			letter = 0 // not known
		}
		if module == nil && (table || isCounted(letter) && !isLeftOut(name)) ||
			module != nil && letter != 'U' && !isPseudoModule(module) {
			e.Name, e.Address, e.Type = name, address, letter
			visit(&e)
		}
	}
	if table {
		facts.Kind = Kallsyms
	}
	switch {
	case !addressed:
		facts.Kind, facts.NoAddresses = Kallsyms, true
		facts.Notes = append(facts.Notes,
			"all addresses are 0: the kernel shows them to root only (kptr_restrict); positions "+
				"do not need them")
		if byName && count > 1 {
			facts.Order = Unordered
			facts.Notes = append(facts.Notes,
				"sorted by name: the order in which the kernel counts is lost")
		}
	case !ascending:
		facts.Order = ByAddress
		facts.Notes = append(facts.Notes,
			"not in the order of addresses: it was sorted; modules in it have no order")
	}
	if in.size >= 0 { // a file in /proc is whole
		facts.Partial, facts.PartialOf = whole.whyPartial(perCPU,
			byName && count > 1 && (!ascending || !addressed), lastName)
	}
	if len(trailing) > 0 {
		// After the last symbol of a kernel the next prompt may follow.
		if t := trailing[0]; facts.Partial != "" && facts.PartialOf == "" {
			return facts, in.errorf("", t.offset, "line %d: neither a symbol nor the end: %s",
				t.number, t.text)
		}
		stray = append(stray, trailing...)
	}
	if stamped > 0 {
		facts.Notes = append(facts.Notes,
			fmt.Sprintf("time stamps, prompts or terminal blanks are removed from %d lines",
				stamped))
	}
	facts.Notes = append(append(facts.Notes, l.notes...), skippedNotes(stray)...)
	return facts, nil
}

// bigName is the shortest name, in bytes, whose letter /proc/kallsyms may get wrong: that of
// 128 tokens with the letter, none of which is empty, so that its length takes two bytes in the
// table. Kernels from 6.1 on (73bbb94466fd) print the beginning of some token for it, up to
// 1c44c8ba8969 in 6.18 (6.1.160, 6.12.64; kernel/kallsyms.c, kallsyms_get_symbol_type).
const bigName = 127

// isKallsyms reports whether a text certainly is /proc/kallsyms, in which every line counts. On
// x86 before 6.15 the per-CPU symbols come first, as absolute ones; the modules come last.
func isKallsyms(in *input, head []byte) bool {
	if in.size < 0 || hasZeroAddresses(head) || hasPerCPUFirst(head) {
		return true
	}
	tail := min(in.size, maxLine)
	end, err := in.bytes(uint64(in.size-tail), uint64(tail), maxLine)
	if err != nil {
		return false
	}
	end = bytes.ReplaceAll(end, []byte{0}, nil) // of UTF-16
	return bytes.Contains(end, []byte("\t[")) || bytes.Contains(end, []byte(" ["))
}

// hasPerCPUFirst reports whether the per-CPU symbols are listed, as absolute ones.
func hasPerCPUFirst(head []byte) bool {
	return bytes.Contains(head, []byte(" A __per_cpu_start")) ||
		bytes.Contains(head, []byte(" A fixed_percpu_data"))
}

// isCounted reports whether kallsyms keeps symbols of vmlinux that have this letter in a
// System.map. In modules all count but the undefined, which the tables of livepatches have.
func isCounted(letter byte) bool {
	switch letter {
	case 'U', 'u', 'N', 'n', 'a', 'A':
		return false
	}
	return true
}
