// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
)

const kernelStart = 0xffffffff81000000

// calls makes an ELF kernel with five symbols, 0x100 bytes each but for the second, which
// has an alias, and these call sites at 0x40.
func calls(sites ...uint64) *kernelTable {
	data := make([]byte, 0x1000)
	copy(data, "\x7fELF\x02\x01")
	for i, s := range sites {
		binary.LittleEndian.PutUint64(data[0x40+8*i:], s)
	}
	symbols := []uint64{kernelStart, kernelStart + 0x100, kernelStart + 0x100, kernelStart + 0x200,
		kernelStart + 0x300}
	return &kernelTable{data: data, order: binary.LittleEndian, n: len(symbols),
		segments: []segment{{0, kernelStart, 0x1000}},
		address:  func(i int) uint64 { return symbols[i] }}
}

func untracedOf(k *kernelTable, sites int) []uint64 {
	return k.findUntraced([]int{0, 1, 2, 3, 4},
		k.readCallSites(kernelStart+0x40, kernelStart+0x40+uint64(8*sites)))
}

// A function is traced by a call anywhere in it, its alias too. The end of the last
// symbol is not known.
func TestFunctionsWithoutACallSite(t *testing.T) {
	assert.Equal(t, []uint64{kernelStart, kernelStart + 0x200},
		untracedOf(calls(kernelStart+0x104), 1))
}

func TestCallSitesNeedNotAscend(t *testing.T) {
	assert.Equal(t, []uint64{kernelStart},
		untracedOf(calls(kernelStart+0x200, kernelStart+0x100), 2))
}

func TestCallSitesOfReplacedFunctionsAreZero(t *testing.T) {
	assert.Equal(t, []uint64{kernelStart + 0x100, kernelStart + 0x100, kernelStart + 0x200},
		untracedOf(calls(0, kernelStart), 2))
}

// If relocations fill in the table, the file does not have the addresses.
func TestCallSitesThatAreNotThere(t *testing.T) {
	for name, k := range map[string]*kernelTable{"zeros": calls(0, 0),
		"elsewhere": calls(kernelStart, 0x1234)} {
		assert.Nil(t, untracedOf(k, 2), name)
	}
	assert.Nil(t, calls(kernelStart).readCallSites(0, 8), "no such symbols")
}
