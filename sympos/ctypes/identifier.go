// SPDX-License-Identifier: GPL-2.0-or-later

package ctypes

import (
	"strings"
	"sync"
)

// IsIdentifier reports whether C can name it, on every machine: it has letters, digits and _ only,
// and is no keyword.
func IsIdentifier(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != "" && !keywords()[name]
}

// keywords are the reserved words of C11 and of GNU C.
var keywords = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(`auto break case char const continue default do double else
		enum extern float for goto if inline int long register restrict return short signed sizeof
		static struct switch typedef typeof union unsigned void volatile while asm _Alignas _Alignof
		_Atomic _Bool _Complex _Generic _Imaginary _Noreturn _Static_assert _Thread_local
		__auto_type __typeof__ __attribute__ __asm__ __int128`) {
		all[word] = true
	}
	return all
})
