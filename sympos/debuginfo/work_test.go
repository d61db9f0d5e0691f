// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Units that share one table or one list of ranges could make a small file cost much.
func TestSharedTablesAreBounded(t *testing.T) {
	const n = 1 << 17
	var info, abbrevs bytes.Buffer
	abbrevs.WriteString("\x01\x11\x00\x03\x08\x55\x17\x00\x00") // a unit: name, ranges
	for i := range 60000 {
		abbrevs.Write([]byte{byte(i)&0x7f | 0x80, byte(i>>7)&0x7f | 0x80, byte(i >> 14), 0x34, 0, 0,
			0})
	}
	ranges := strings.Repeat(strings.Repeat("\x00", 8)+strings.Repeat("\xff", 7)+"\x7f", n)
	for i := range n { // alternately with and without the first byte: two tables
		info.Write([]byte{14, 0, 0, 0, 4, 0, byte(i&1) * 9, 0, 0, 0, 8, 1, 'a', 0, 1, 0, 0, 0})
	}
	f := &File{Order: binary.LittleEndian, Is64: true, Sections: make([]Section, 1)}
	var contents []byte
	for name, b := range map[string][]byte{
		"info": info.Bytes(), "abbrev": abbrevs.Bytes(), "ranges": []byte(ranges),
	} {
		f.Sections = append(f.Sections, Section{
			Name: ".debug_" + name, Offset: uint64(len(contents)), Size: uint64(len(b)),
		})
		contents = append(contents, b...)
	}
	f.Contents, f.Size = bytes.NewReader(contents), int64(len(contents))
	d, err := newReader(f)
	require.NoError(t, err)
	defer d.close()
	_, err = d.locate([]*Target{{Address: 0x1000, File: "twin.c"}})
	require.ErrorIs(t, err, errTooLarge)
	assert.Greater(t, d.budget, int64(-1<<20), "one step past the budget, and no further ones")
}
