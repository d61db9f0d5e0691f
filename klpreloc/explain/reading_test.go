// SPDX-License-Identifier: GPL-2.0-or-later

package explain

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A log of any length leaves no more than its explanations have room for.
func TestReadingKeepsLittle(t *testing.T) {
	var r reading
	for i := range 10_000 {
		r.add(fmt.Sprintf("livepatch: symbol 'f%d' not found in symbol table", i), false)
		r.add("an unknown line", false)
	}
	assert.Len(t, r.boot.lines, most)
	r.add("Linux version 6.1.0", false)
	assert.Empty(t, r.boot.lines)
	all := r.finish(true)
	require.Len(t, all, 1)
	assert.Len(t, all[0].Lines, most)
}

// A line without an end is read as far as lines may be long.
func TestReadLongLine(t *testing.T) {
	long := "livepatch: symbol 'f' not found in symbol table\n" + strings.Repeat("x", 5*maxLine) +
		"\nlivepatch: symbol 'g' not found in symbol table\n"
	all, err := Read(iotest.OneByteReader(strings.NewReader(long)))
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Len(t, all[0].Lines, 2)
}

func TestReadError(t *testing.T) {
	broken := errors.New("broken")
	_, err := Read(io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(broken)))
	assert.ErrorIs(t, err, broken)
}
