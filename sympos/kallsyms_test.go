// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What /proc/kallsyms prints for the letter of a name of 128 tokens and more is the beginning
// of some token. Every line of the core kernel counts all the same.
func TestNoLineIsDroppedForItsLetter(t *testing.T) {
	big := "_R" + strings.Repeat("Nv", 63)[:bigName-2]
	for _, letter := range []byte{'a', 'A', 'U', 'u', 'N', 'n', 't', '_', '7', 0} {
		for what, tail := range map[string]string{
			"with modules":    "ffffffffc0001000 t f\t[ext4]\n",
			"without modules": "",
		} {
			text := fmt.Sprintf("ffffffff81000000 T _text\nffffffff81000100 %c "+
				"%s\nffffffff81000200 t %s\nffffffff81000300 t end\n", letter, big, big)
			list := text1(t, "k", text+tail).Lookup(Vmlinux, big)
			require.Len(t, list, 2, "%q, %s", letter, what)
			assert.Equal(t, uint64(0xffffffff81000100), list[0].Address)
			assert.Zero(t, list[0].Type, "not known")
			assert.Zero(t, list[1].Type, "not known")
		}
	}
}

// In a text that certainly is /proc/kallsyms, other lines count too.
func TestKallsymsCountsWholly(t *testing.T) {
	const lines = "ffffffff81000000 T _text\nffffffff81000100 A absolute\nffffffff81000200 n " +
		"note\nffffffff81000300 t .LC0\nffffffff81000400 t end\n"
	names := []string{"absolute", "note", ".LC0"}
	for _, name := range names {
		assert.Empty(t, text1(t, "k", lines).Lookup(Vmlinux, name),
			"a System.map has what kallsyms leaves out")
		assert.Len(t, text1(t, "k", lines+"ffffffffc0001000 t f\t[ext4]\n").Lookup(Vmlinux, name),
			1)
	}
	// Of the modules, what a livepatch does not define does not count.
	klp := strings.Repeat("x", bigName)
	assert.Empty(t, text1(t, "k", lines+"0000000000000000 U "+klp+"\t[lp]\n").Lookup("lp", klp))
}
