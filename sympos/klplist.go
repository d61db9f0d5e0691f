// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bufio"
	"bytes"
	"errors"
	"io"
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
// The names were nm's output, sorted by name. So it tells how often a name
// occurs in an object, and not which one comes first.
const klpListHeader = "klp-convert-symbol-data."

func isKlpList(head []byte) bool {
	return bytes.HasPrefix(head, []byte(klpListHeader)) ||
		len(head) > 1 && head[0] == '*' && head[1] > ' ' && head[1] < 0x7f && bytes.IndexByte(head, '\n') > 0
}

func scanKlpList(in *input, visit func(*Entry)) (Facts, error) {
	var (
		facts  = Facts{Kind: SymbolList, Order: Unordered, NoAddresses: true}
		e      Entry
		r      = bufio.NewReaderSize(in.section(0), maxLine)
		offset int64
	)
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return facts, in.errorf("", offset, "a line of more than %d bytes", maxLine)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return facts, err
		}
		length := int64(len(line))
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0 || offset == 0 && bytes.HasPrefix(line, []byte(klpListHeader)):
		case line[0] == '*':
			e.Object = ModuleName(string(line[1:]))
		case bytes.IndexByte(line, ' ') >= 0:
			return facts, in.errorf("", offset, "neither an object nor a symbol: %.60q", line)
		case e.Object == "":
			return facts, in.errorf("", offset, "symbol %q belongs to no object", line)
		default:
			e.Name = line
			visit(&e)
		}
		if err != nil {
			return facts, nil
		}
		offset += length
	}
}
