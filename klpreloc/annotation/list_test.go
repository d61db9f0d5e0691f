// SPDX-License-Identifier: GPL-2.0-or-later

package annotation_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
)

// readList reads a list for a module that has none of its symbols, and returns what the lines
// say.
func readList(t testing.TB, text string) (lines []string, found diag.List) {
	t.Helper()
	f := testmodule.Open(t, "../../testdata/odd/nothing-to-convert.ko")
	set, found := annotation.Read(f, annotation.List{Name: "l", Text: []byte(text)})
	for _, a := range set.Unmatched {
		assert.Equal(t, a.Object, a.LPObject)
		assert.Equal(t, annotation.Listed, a.Dialect)
		lines = append(lines, fmt.Sprint(a.Place(), " ", a.Symbol.Name, " ", a.Object, " ", a.Name, " ",
			a.Pos, " ", a.File))
	}
	return lines, found
}

func TestListLines(t *testing.T) {
	for text, want := range map[string]string{
		"vmlinux:saved_command_line":            "l:1 saved_command_line vmlinux saved_command_line 0 ",
		"ext4:foo,2":                            "l:1 foo ext4 foo 2 ",
		"ext4:foo,4294967295":                   "l:1 foo ext4 foo 4294967295 ",
		"vmlinux:name_show@drivers/base/core.c": "l:1 name_show vmlinux name_show 0 drivers/base/core.c",
		"a=vmlinux:b,1":                         "l:1 a vmlinux b 1 ",
		"a=vmlinux:b@c.c":                       "l:1 a vmlinux b 0 c.c",
		"  \tvmlinux:a \t# comment: a=b,c":      "l:1 a vmlinux a 0 ",
		"vmlinux:a\r":                           "l:1 a vmlinux a 0 ",
		"vmlinux:a\r\n":                         "l:1 a vmlinux a 0 ",
		"\n\r\n# x\n\t#y\nvmlinux:a":            "l:5 a vmlinux a 0 ",
		"\xef\xbb\xbfvmlinux:a":                 "l:1 a vmlinux a 0 ",
		"vmlinux:a@dir/#x=y:z,1.c #c":           "l:1 a vmlinux a 0 dir/#x=y:z,1.c",
		"vmlinux:a.isra.0":                      "l:1 a.isra.0 vmlinux a.isra.0 0 ",
		"vmlinux:_ZN4core$LT$impl#x":            "l:1 _ZN4core$LT$impl#x vmlinux _ZN4core$LT$impl#x 0 ",
		"":                                      "",
		"# only\n":                              "",
		"# \x00 in a comment":                   "",
		"\xef\xbb\xbf":                          "",
	} {
		lines, found := readList(t, text)
		assert.Empty(t, found, "%q", text)
		assert.Equal(t, want, strings.Join(lines, "\n"), "%q", text)
	}
}

func TestListLinesThatCannotBeRead(t *testing.T) {
	const cannot = "l:1: line can't be read: "
	for text, want := range map[string]string{
		"foo":                       cannot + `"foo" has no object: vmlinux, or a module's name, and a colon in front`,
		"=a:b":                      cannot + "the symbol in front of '=' is missing",
		"a=b=c:d":                   cannot + `"a=b=c:d" has two '='`,
		"vmlinux:":                  cannot + "the name of the symbol is missing",
		"a=vmlinux:,1":              cannot + "the name of the symbol is missing",
		"vmlinux:a,":                cannot + `position "" is not a number of 32 bits`,
		"vmlinux:a,-1":              cannot + `position "-1" is not a number of 32 bits`,
		"vmlinux:a,4294967296":      cannot + `position "4294967296" is not a number of 32 bits`,
		"vmlinux:a,1@a.c":           cannot + `position "1@a.c" is not a number of 32 bits`,
		"vmlinux:a@ # comment":      cannot + "the path after '@' is missing",
		"vmlinux:a b":               cannot + `"vmlinux:a b" holds a blank`,
		"a = vmlinux:b":             cannot + `"a = vmlinux:b" holds a blank`,
		"vmlinux: a":                cannot + `"vmlinux: a" holds a blank`,
		"vmlinux:a\x00":             cannot + "it holds a NUL byte: a list is a text file, in ASCII or UTF-8",
		strings.Repeat("x", 100000): cannot + "it has 100000 bytes",
		"vmlinux:a@../b.c":          `l:1: file of a: "../b.c" leads upwards`,
		"vmlinux:a@b\rc":            "l:1: file of a: \"b\rc\" holds control characters",
	} {
		lines, found := readList(t, text)
		assert.Empty(t, lines, "%.40q", text)
		require.Len(t, found, 1, "%.40q", text)
		assert.Equal(t, want, strings.ReplaceAll(found[0].String(), `\r`, "\r"), "%.40q", text)
		assert.Equal(t, diag.Error, found[0].Severity)
	}
}

// All mistakes are reported in one run, the hint once.
func TestListGoesOnAfterAMistake(t *testing.T) {
	lines, found := readList(t, "x\nvmlinux:a\ny\n")
	assert.Equal(t, []string{"l:2 a vmlinux a 0 "}, lines)
	require.Len(t, found, 2)
	assert.Len(t, found[0].Hints, 1)
	assert.Equal(t, "l:3", found[1].Where())
	assert.Empty(t, found[1].Hints)
}

// What a list costs has bounds, whatever is in it.
func TestListsHaveLimits(t *testing.T) {
	most := 200
	_, found := readList(t, strings.Repeat("x\n", annotation.ListLimit/2))
	require.Len(t, found, most+1)
	assert.Equal(t, "l:201: more than 200 lines can't be read: the rest of the list is not read",
		found[most].String())

	lines, found := readList(t, strings.Repeat("a:b\n", 100_000))
	assert.Len(t, lines, 100_000)
	assert.Empty(t, found)
	lines, found = readList(t, strings.Repeat("a:b\n", 100_001))
	assert.Empty(t, lines)
	require.Len(t, found, 1)
	assert.Equal(t, "l:100001: the list has more than 100000 annotations", found[0].String())

	_, found = readList(t, strings.Repeat("#", annotation.ListLimit))
	assert.Empty(t, found)
	_, found = readList(t, strings.Repeat("#", annotation.ListLimit+1))
	require.Len(t, found, 1)
	assert.Equal(t, "l:1: the list has more than 16777216 bytes", found[0].String())
}
