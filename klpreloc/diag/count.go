// SPDX-License-Identifier: GPL-2.0-or-later

package diag

import (
	"fmt"
	"strings"
)

// Count returns a number of things in words: "1 byte", "2 bytes", "2 indexes".
func Count[N int | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "x") {
		noun += "e"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
