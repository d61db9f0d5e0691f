// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

const kernelStart = 0xffffffff81000000

// listAt is where the lists of these tests are, from the kernel's start.
const listAt = 0x4000

// calls makes the list of a kernel that begins at base.
func calls(base uint64, sites ...uint64) *callSites {
	c := &callSites{order: binary.LittleEndian, start: base + listAt}
	for _, s := range sites {
		c.list = binary.LittleEndian.AppendUint64(c.list, s)
	}
	return c
}

// labels are five symbols, 0x100 bytes each but for the second, which has an alias, and data.
func labels(base uint64) []label {
	return []label{{base, true}, {base + 0x100, true}, {base + 0x100, true}, {base + 0x200, true},
		{base + 0x300, true}, {base + listAt, false}}
}

// relocate moves the list into relocations, after some of other places.
func (c *callSites) relocate(distance uint64) *callSites {
	const relative = 0x403
	r := []byte{}
	add := func(words ...uint64) {
		for _, w := range words {
			r = c.order.(byteOrder).AppendUint64(r, w)
		}
	}
	add(7, c.start+distance-8, relative, 99)
	for at := range len(c.list) / 8 {
		add(c.start+distance+uint64(8*at), relative, c.order.Uint64(c.list[8*at:]))
	}
	c.list = make([]byte, len(c.list))
	c.relocs = [][]byte{{1, 2, 3}, r}
	return c
}

// A function is traced by a call anywhere in it, its alias too. The end of the last
// symbol is not known.
func TestFunctionsWithoutACallSite(t *testing.T) {
	assert.Equal(t, []uint64{kernelStart, kernelStart + 0x200, kernelStart + 0x300},
		calls(kernelStart, kernelStart+0x104).untraced(labels(kernelStart)))
	assert.Equal(t, []uint64{kernelStart, kernelStart + 0x200},
		calls(kernelStart, kernelStart+0x104).untraced(labels(kernelStart)[:5]))
}

func TestCallSitesNeedNotAscend(t *testing.T) {
	assert.Equal(t, []uint64{kernelStart, kernelStart + 0x300},
		calls(kernelStart, kernelStart+0x200, kernelStart+0x100).untraced(labels(kernelStart)))
}

func TestCallSitesOfReplacedFunctionsAreZero(t *testing.T) {
	for name, c := range map[string]*callSites{"list": calls(kernelStart, 0, kernelStart),
		"relocations": calls(kernelStart, 0, kernelStart).relocate(0)} {
		assert.Equal(t, []uint64{kernelStart + 0x100, kernelStart + 0x100, kernelStart + 0x200,
			kernelStart + 0x300}, c.untraced(labels(kernelStart)), name)
	}
}

// Symbols that count from the first one say nothing of the addresses that the linker gave: the
// places of relocations tell, or where most functions begin.
func TestCallSitesOfAnUnknownDistance(t *testing.T) {
	want := []uint64{0, 0x3200}
	functions := []label{{0, true}, {0x3100, true}, {0x3200, true}, {0x3300, true}, {listAt, false}}
	for name, base := range map[string]uint64{"arm64": 0xffff800080000000, "ppc64le": 0xc000000000000000,
		"s390x": 0x100000, "loongarch64": 0x9000000000200000} {
		for kind, c := range map[string]*callSites{
			"relocations": calls(0, base+0x3300, base+0x3100).relocate(base),
			"list":        calls(0, base+0x3300, base+0x3100),
		} {
			c.relative = true
			assert.Equal(t, want, c.untraced(slices.Clone(functions)), "%s, %s", name, kind)
		}
	}
}

// Two nops are before each function of arm64 with DYNAMIC_FTRACE_WITH_CALL_OPS; what is not
// aligned there ftrace does not use.
func TestCallSitesBeforeFunctions(t *testing.T) {
	c := calls(kernelStart, kernelStart+0x100-8, kernelStart+0x100-8, kernelStart+0x300-8,
		kernelStart+0x200-4)
	assert.Equal(t, []uint64{kernelStart, kernelStart + 0x200}, c.untraced(labels(kernelStart)))
	// A few such distances are those of a weak function that another one replaced.
	c = calls(kernelStart, kernelStart, kernelStart+0x100, kernelStart+0x300-8)
	assert.Equal(t, []uint64{kernelStart + 0x300}, c.untraced(labels(kernelStart)))
}

// Functions of ppc64le have their local entry 8 bytes after the global one; -mprofile-kernel
// calls after two more instructions.
func TestCallSitesAfterALocalEntry(t *testing.T) {
	c := calls(kernelStart, kernelStart+8, kernelStart+0x110, kernelStart+0x304)
	assert.Equal(t, []uint64{kernelStart + 0x200}, c.untraced(labels(kernelStart)))
}

// The file does not have the addresses, or they are not those of the functions.
func TestCallSitesThatAreNotThere(t *testing.T) {
	beside := calls(kernelStart, kernelStart, kernelStart+0x100).relocate(0)
	copy(beside.relocs[1][24+32:], "\xff") // the second has another place
	other := calls(kernelStart, kernelStart, kernelStart+0x100).relocate(0)
	other.relocs[1][24+40]++ // and another type
	misplaced := calls(kernelStart, kernelStart, kernelStart+0x100).relocate(8)
	misplaced.relative = true
	for name, c := range map[string]*callSites{
		"empty": calls(kernelStart), "zeros": calls(kernelStart, 0, 0),
		"elsewhere":              calls(kernelStart, kernelStart, 0x1234),
		"in the middle":          calls(kernelStart, kernelStart+0x80, kernelStart+0x180),
		"relocations, a gap":     beside,
		"relocations, two types": other,
		"relocations, cut short": calls(kernelStart, kernelStart, kernelStart+0x100).relocate(0).cut(),
		"relocations, elsewhere": calls(kernelStart, kernelStart).relocate(0x1000),
		"no place of a page":     misplaced,
	} {
		assert.Nil(t, c.untraced(labels(kernelStart)), name)
	}
	assert.Nil(t, calls(kernelStart, kernelStart).untraced(nil), "no symbols")
}

// Each page of relocations could be the first of the list's, up to the last one.
func TestCallSitesWithoutBounds(t *testing.T) {
	const words = 1 << 18
	c := calls(0, make([]uint64, words)...)
	c.relocate(kernelStart)
	c.relative = true
	r := c.relocs[1]
	c.relocs = [][]byte{append(r[:len(r)-24:len(r)-24], r...)}
	assert.Nil(t, c.untraced(labels(0)))
	assert.LessOrEqual(t, c.work, maxWork+words)
}

func (c *callSites) cut() *callSites {
	c.relocs[1] = c.relocs[1][:len(c.relocs[1])-8]
	return c
}

// tracedVmlinux is a vmlinux of four functions, of which the second and the fourth are traced,
// and that many of its bytes.
func tracedVmlinux(relocated, symbols bool) tinyELF {
	const base = 0xc000000000000000
	c := calls(base+0x2000-listAt, base+0x1008, base+0x1038)
	relocs := []byte{}
	if relocated {
		relocs = c.relocate(0).relocs[1][8:]
	}
	e := tinyELF{etype: elf.ET_EXEC, sections: []tinySection{
		{".text", text, base + 0x1000, make([]byte, 64)},
		{".init.data", elf.SHF_ALLOC | elf.SHF_WRITE, base + 0x2000, c.list},
		{".rela.dyn", elf.SHF_ALLOC, base + 0x3000, relocs},
	}}
	for i, name := range []string{"one", "two", "three", "four"} {
		at := []uint64{0, 8, 0x20, 0x30}[i]
		e.symbols = append(e.symbols, tinySymbol{name, global | fn, 1, base + 0x1000 + at, 8})
	}
	e.symbols = append(e.symbols, tinySymbol{"_end", global, 2, base + 0x2010, 0})
	if symbols {
		e.symbols = append(e.symbols, tinySymbol{"__start_mcount_loc", global, 2, base + 0x2000, 0},
			tinySymbol{"__stop_mcount_loc", global, 2, base + 0x2010, 0})
	}
	return e
}

func TestCallSitesOfVmlinux(t *testing.T) {
	for _, relocated := range []bool{false, true} {
		for _, symbols := range []bool{false, true} {
			b := tracedVmlinux(relocated, symbols).bytes()
			facts, err := source(t, "vmlinux", b).Scan(func(*Entry) {})
			require.NoError(t, err)
			if symbols {
				assert.Equal(t, []uint64{0xc000000000001000, 0xc000000000001020}, facts.Untraced)
			} else {
				assert.Nil(t, facts.Untraced)
			}
		}
	}
}

// An image of arm64 has zeros in its list and relocations after it.
func TestCallSitesOfAnImage(t *testing.T) {
	const base, words = 0xffff800080000000, 400
	for _, kind := range []string{"relative", "in place"} {
		k := tinyKernel{order: binary.LittleEndian, fresh: true, seqs: 3, kind: kind, base: base,
			symbols: tinyNames(base, words)}
		// The kernel is longer than its symbols say; the list is after it.
		list := uint64(len(k.bytes())+1<<14) &^ 7
		k.symbols = append(k.symbols, tinyName{base + list, "D__start_mcount_loc"},
			tinyName{base + list + 8*words/2, "D__stop_mcount_loc"}, tinyName{base + list + 1<<16, "B_end"})
		c := calls(base+list-listAt, make([]uint64, words/2)...)
		for i := range words / 2 {
			binary.LittleEndian.PutUint64(c.list[8*i:], base+uint64(32*i))
		}
		for name, relocs := range map[string][]byte{"list": nil, "relocations": {}} {
			image := armImage(k.bytes())
			image = append(image, make([]byte, int(list)-len(image))...)
			if relocs == nil {
				image = append(image, c.list...)
			} else {
				other := calls(base + list - listAt)
				other.list = bytes.Clone(c.list)
				image = append(image, make([]byte, len(c.list))...)
				image = append(image, other.relocate(0).relocs[1]...)
			}
			facts, err := source(t, "Image", image).Scan(func(*Entry) {})
			require.NoError(t, err)
			require.Len(t, facts.Untraced, words/2, "%s, %s", kind, name)
			first := facts.Untraced[0]
			if kind == "relative" {
				first -= base
			}
			assert.EqualValues(t, 16, first)
		}
	}
}
