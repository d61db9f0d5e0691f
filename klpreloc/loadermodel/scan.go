// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"fmt"
	"strings"
)

// What the kernel reads names by (kernel/livepatch/core.c, klp_resolve_symbols and
// klp_apply_section_relocs): a symbol's name has 511 bytes since 6.1, 127 before.
const (
	SectionFormat   = ".klp.rela.%55[^.]"
	SymbolFormat    = ".klp.sym.%55[^.].%511[^,],%lu"
	OldSymbolFormat = ".klp.sym.%55[^.].%127[^,],%lu"
)

// Scan is the kernel's vsscanf (lib/vsprintf.c) for what livepatching asks of
// it: literals, %N[^c] and %lu. It returns what was converted.
func Scan(str, format string) (got []any) {
	for format != "" {
		if format[0] != '%' {
			if str == "" || str[0] != format[0] {
				return got
			}
			str, format = str[1:], format[1:]
			continue
		}
		if str == "" {
			return got
		}
		if strings.HasPrefix(format, "%lu") {
			format = format[3:]
			str = strings.TrimLeft(str, " \t\n\v\f\r")
			var n uint64
			digits := 0
			for ; digits < len(str) && '0' <= str[digits] && str[digits] <= '9'; digits++ {
				n = 10*n + uint64(str[digits]-'0')
			}
			if digits == 0 {
				return got
			}
			str, got = str[digits:], append(got, n)
			continue
		}
		var width int
		var not byte
		_, err := fmt.Sscanf(format, "%%%d[^%c]", &width, &not)
		if err != nil {
			panic(format)
		}
		format = format[strings.IndexByte(format, ']')+1:]
		n := 0
		for n < len(str) && n < width && str[n] != not {
			n++
		}
		if n == 0 {
			return got
		}
		str, got = str[n:], append(got, str[:n])
	}
	return got
}
