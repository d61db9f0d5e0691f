// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Two text files have the same shape, an address, a letter and a name:
//
//	/proc/kallsyms    ffffffffc0201000 t ext4_foo	[ext4]
//	System.map        ffffffff81000000 T _text
//
// Both are in ascending order of addresses. /proc/kallsyms is the loader's table
// itself, modules behind it in the order of their symbol tables. System.map is made
// of the same symbols and some that kallsyms leaves out. They part on absolute
// symbols (A): kallsyms has none but the per-CPU symbols of x86 before 6.15, whose
// addresses start at 0; in System.map an A is something that kallsyms leaves out.

const (
	// maxText bounds the text that is read; a kernel's is 20 MB.
	maxText = 1 << 30
	// maxLine bounds a line: address, letter, name (511 bytes) and module.
	maxLine = 64 << 10
)

// stub is all that Debian's System.map says.
const stub = "The real System.map is in the linux-image-"

func isStub(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return bytes.Contains(line, []byte(stub))
}

// isSymbolText looks at the first line.
func isSymbolText(head []byte) bool {
	line, _, found := bytes.Cut(head, []byte("\n"))
	if !found {
		return false
	}
	_, _, name, _, ok := symbolLine(line)
	return ok && len(name) > 0
}

// kindOfText tells a table without addresses from others.
func kindOfText(head []byte) Kind {
	if zeros(head) {
		return Kallsyms
	}
	return SystemMap
}

// zeros reports whether all addresses in the beginning of a text are 0. Many are on
// x86, where per-CPU symbols come first, but not a whole page of them.
func zeros(head []byte) bool {
	for _, line := range bytes.Split(head, []byte("\n")) {
		if address, _, _, _, ok := symbolLine(line); ok && address != 0 {
			return false
		}
	}
	return true
}

// symbolLine takes a line apart. ok is false when it has another shape.
func symbolLine(line []byte) (address uint64, letter byte, name, module []byte, ok bool) {
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

// notModules are what /proc/kallsyms shows in brackets without being one.
func notModule(name []byte) bool {
	return string(name) == "bpf" || bytes.HasPrefix(name, []byte("__builtin__"))
}

func scanSymbolText(in *input, visit func(*Entry)) (Facts, error) {
	head, err := in.head()
	if err != nil {
		return Facts{}, err
	}
	table := isTable(in, head)
	var (
		facts     = Facts{Kind: SystemMap, Order: Listed}
		e         = Entry{Object: Vmlinux}
		r         = bufio.NewReaderSize(in.section(0), maxLine)
		offset    int64
		last      uint64
		lastName  []byte
		count     int
		any       bool // an address that is not 0
		ascending = true
		byName    = true // names ascending: sorted by somebody
	)
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return facts, in.errorf("", offset, "a line of more than %d bytes", maxLine)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return facts, err
		}
		end := err != nil
		at := offset
		offset += int64(len(line))
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if len(line) > 0 {
			address, letter, name, module, ok := symbolLine(line)
			if !ok {
				return facts, in.errorf("", at, "neither a symbol nor the end: %.60q", line)
			}
			any = any || address != 0
			switch {
			case module != nil:
				facts.Kind = Kallsyms
				if string(module) != e.Object {
					e.Object = string(module)
				}
			default:
				if e.Object != Vmlinux {
					e.Object = Vmlinux
				}
				ascending = ascending && address >= last
				byName = byName && bytes.Compare(name, lastName) >= 0
				last, count = address, count+1
				lastName = append(lastName[:0], name...)
			}
			if module == nil && len(name) >= bigName {
				letter = 0 // not known
			}
			if module == nil && (table || counts(letter) && !leftOut(name)) ||
				module != nil && letter != 'U' && !notModule(module) {
				e.Name, e.Address, e.Type = name, address, letter
				visit(&e)
			}
		}
		if end {
			break
		}
	}
	if table {
		facts.Kind = Kallsyms
	}
	switch {
	case !any:
		facts.Kind, facts.NoAddresses = Kallsyms, true
		facts.Notes = append(facts.Notes, "all addresses are 0: the kernel shows them to root only (kptr_restrict); positions do not need them")
		if byName && count > 1 {
			facts.Order = Unordered
			facts.Notes = append(facts.Notes, "sorted by name: the order in which the kernel counts is lost")
		}
	case !ascending:
		facts.Order = ByAddress
		facts.Notes = append(facts.Notes, "not in the order of addresses: somebody has sorted it; modules in it have no order")
	}
	return facts, nil
}

// bigName is the shortest name, in bytes, whose letter /proc/kallsyms may get wrong: that of
// 128 tokens with the letter, none of which is empty, so that its length takes two bytes in the
// table. Kernels from 6.1 on (73bbb94466fd) print the beginning of some token for it, up to
// 1c44c8ba8969 in 6.18 (6.1.160, 6.12.64; kernel/kallsyms.c, kallsyms_get_symbol_type).
const bigName = 127

// isTable reports whether a text certainly is /proc/kallsyms, of which every line counts. On x86
// before 6.15 the per-CPU symbols come first, as absolute ones; the modules come last.
func isTable(in *input, head []byte) bool {
	if in.size < 0 || zeros(head) || bytes.Contains(head, []byte(" A __per_cpu_start\n")) || bytes.Contains(head, []byte(" A fixed_percpu_data\n")) {
		return true
	}
	tail := min(in.size, maxLine)
	end, err := in.bytes(uint64(in.size-tail), uint64(tail), maxLine)
	return err == nil && bytes.Contains(end, []byte("\t["))
}

// counts reports whether kallsyms keeps symbols of vmlinux that have this letter in a
// System.map. In modules all count but the undefined, which the tables of livepatches have.
func counts(letter byte) bool {
	switch letter {
	case 'U', 'u', 'N', 'n', 'a', 'A':
		return false
	}
	return true
}
