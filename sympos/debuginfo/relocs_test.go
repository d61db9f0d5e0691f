// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two relocations make a distance, in a number that keeps its length.
func TestRelocationsThatAddAndSubtract(t *testing.T) {
	q := &relocs{d: &reader{f: &File{Order: binary.LittleEndian}}}
	for _, test := range []struct {
		before   []byte
		width    int
		from, to uint64
		want     []byte
	}{
		{[]byte{0}, 1, 0x1f0, 0x200, []byte{0x10}},
		{[]byte{0, 0}, 2, 0xffff0, 0x100010, []byte{0x20, 0}},
		{[]byte{1, 0, 0}, 3, 0, 0xffff, []byte{0, 0, 1}},
		{[]byte{0, 0, 0, 0, 9}, 4, 0x10, 0x0f, []byte{0xff, 0xff, 0xff, 0xff, 9}},
		{make([]byte, 8), 8, 1 << 63, 1<<63 + 0x102, []byte{2, 1, 0, 0, 0, 0, 0, 0}},
		{[]byte{0x80, 0x80, 0x00, 0x55}, 0, 0x1000, 0x1085, []byte{0x85, 0x81, 0x00, 0x55}},
		{[]byte{0x00, 0x55}, 0, 0x1000, 0x107f, []byte{0x7f, 0x55}},
	} {
		for _, addFirst := range []bool{true, false} {
			b := append([]byte(nil), test.before...)
			forms := []relocForm{{test.width, add}, {test.width, subtract}}
			values := []uint64{test.to, test.from}
			for i := range forms {
				n := i
				if !addFirst {
					n = 1 - i
				}
				require.NoError(t, q.adjust(b, values[n], forms[n]))
			}
			assert.Equal(t, test.want, b)
		}
	}
	big := &relocs{d: &reader{f: &File{Order: binary.BigEndian}}}
	b := []byte{0, 0xff}
	require.NoError(t, big.adjust(b, 1, relocForm{2, add}))
	assert.Equal(t, []byte{1, 0}, b)
	for _, test := range []struct {
		b     []byte
		width int
	}{{[]byte{0}, 2}, {nil, 1}, {[]byte{0x80, 0x80}, 0}, {nil, 0}} {
		require.ErrorIs(t, q.adjust(test.b, 1, relocForm{test.width, add}), errUnreadable)
	}
}
