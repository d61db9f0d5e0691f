// SPDX-License-Identifier: GPL-2.0-or-later

package diag_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// A shell reads what is quoted as one word, whatever is in it.
func TestShellReadsQuotedNameAsOneWord(t *testing.T) {
	for _, name := range []string{
		"", "foo.isra.0", "a b", "a'b", "'", "$(id)", "`id`", "_R$x", "*", "~", "#", "a;b", "\\", "é", "a\nb",
	} {
		out, err := exec.Command("sh", "-c", `printf '<%s>' `+diag.ShellQuote(name)).Output()
		require.NoError(t, err, name)
		assert.Equal(t, "<"+name+">", string(out))
	}
	for _, name := range []string{"foo.isra.0", "x@ext4", "a/b:c,d+e=f%g-h"} {
		assert.Equal(t, name, diag.ShellQuote(name), "a plain name stays as it is")
	}
}

func TestPrintableIsOneLineOfBoundedLength(t *testing.T) {
	assert.Equal(t, "a?b?c?é", diag.Printable("a\nb\x1bc\u0085é"))
	assert.Equal(t, "a?", diag.Printable("a\xff"))
	long := strings.Repeat("n", 600)
	assert.Equal(t, long, diag.Printable(long))
	assert.Equal(t, long+"…", diag.Printable(long+"n"))
}
