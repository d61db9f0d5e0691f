// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// falseRuns are size bytes that look like markers of 4 bytes all over, as the code and the
// data of a kernel do here and there.
func falseRuns(size int) []byte {
	b := make([]byte, 0, size+12)
	for len(b) < size {
		for _, v := range []uint32{0, 100_000, 200_000} {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
	}
	return b
}

// The search for narrow numbers may use up its steps in an image of a real size; that for the
// wide numbers of kernels before 5.0 has steps of its own.
func TestFalseRunsOfOneWidthLeaveTheOtherItsSteps(t *testing.T) {
	for _, k := range []tinyKernel{
		{order: binary.LittleEndian, kind: "relative", wide: true},
		{order: binary.LittleEndian, kind: "per-CPU", wide: true},
		{order: binary.LittleEndian, kind: "absolute", wide: true},
		{order: binary.LittleEndian, kind: "relative"},
	} {
		t.Run(fmt.Sprintf("%s wide=%v", k.kind, k.wide), func(t *testing.T) {
			k.base, k.symbols = kernelBase, tinyNames(kernelBase, 5000)
			image := append(falseRuns(2<<20), k.bytes()...)
			found, err := findTables(image)
			require.NoError(t, err)
			assert.Equal(t, len(k.symbols), found.n)
			assert.Equal(t, uint64(kernelBase+16*4999), found.address(4999))
		})
	}
}
