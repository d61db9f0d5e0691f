// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// someBTF returns real BTF.
func someBTF(t *testing.T) []byte {
	f, err := elf.Open("../testdata/types/x86_64-btf.ko")
	require.NoError(t, err)
	defer f.Close()
	b, err := f.Section(btfSection).Data()
	require.NoError(t, err)
	return b
}

// kernelWithBTF returns a kernel without section headers that has BTF at its end, at the
// addresses that its symbols say.
func kernelWithBTF(t *testing.T) []byte {
	k := someKernel()
	last := k.symbols[len(k.symbols)-1].address
	k.symbols = append(k.symbols, tinyName{last + 1, "R" + startBTF},
		tinyName{last + 2, "R" + stopBTF})
	b, types := k.bytes(), someBTF(t)
	at := max(uint64(len(b)), last-kernelBase+16)
	n := len(k.symbols)
	k.symbols[n-2].address, k.symbols[n-1].address = kernelBase+at, kernelBase+at+uint64(len(types))
	b = k.bytes()
	return append(append(b, make([]byte, at-uint64(len(b)))...), types...)
}

func TestTypesInImages(t *testing.T) {
	kernel := kernelWithBTF(t)
	packed := packings()["gzip"](t, kernel)
	for name, image := range map[string][]byte{
		"bzImage": bzImage(packed), "zboot": zboot(packed), "s390x": s390Image(packed),
	} {
		table := read(t, source(t, name, image))
		types, err := table.Types()
		require.NoError(t, err, name)
		list, err := types.Functions("is_ready")
		require.NoError(t, err)
		require.Len(t, list, 1, name)
		assert.Equal(t, "bool is_ready(struct device *dev)",
			list[0].Type.Type().Declare("is_ready"), name)

		path := filepath.Join(t.TempDir(), "image")
		require.NoError(t, os.WriteFile(path, image, 0o666))
		types, err = ReadTypes(path, All)
		require.NoError(t, err, name)
		list, err = types.Functions("is_ready")
		require.NoError(t, err)
		assert.Len(t, list, 1, name)
	}
	// Symbols that lead to something else.
	copy(kernel[len(kernel)-len(someBTF(t)):], "no BTF")
	table := read(t, source(t, "image", bzImage(packings()["gzip"](t, kernel))))
	_, err := table.Types()
	require.ErrorIs(t, err, ErrNoTypes)
	_, err = read(t, source(t, "image", bzImage(packings()["gzip"](t, someKernel().bytes())))).Types()
	require.ErrorIs(t, err, ErrNoTypes)
}

func TestRawTypes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vmlinux")
	require.NoError(t, os.WriteFile(path, someBTF(t), 0o666))
	types, err := ReadTypes(path, All)
	require.NoError(t, err)
	assert.Equal(t, "BTF", types.Format)
	assert.Empty(t, types.BuildID)
	require.NoError(t, os.WriteFile(path, someBTF(t)[:1000], 0o666))
	_, err = ReadTypes(path, All)
	require.ErrorContains(t, err, path)
}

// vmlinuxOfBuild returns a vmlinux with a build-id and types.
func vmlinuxOfBuild(t *testing.T, id byte, types []byte) []byte {
	e := tinyVmlinux(tinySymbol{"is_ready", global | fn, 1, 0xffffffff81000000, 16})
	note := []byte{4, 0, 0, 0, 4, 0, 0, 0, noteBuildID, 0, 0, 0, 'G', 'N', 'U', 0, id, id, id, id}
	e.sections = append(e.sections,
		tinySection{".BTF", elf.SHF_ALLOC, 0xffffffff82000000, types},
		tinySection{".notes", elf.SHF_ALLOC, 0xffffffff83000000, note})
	b := e.bytes()
	// tinyELF has PROGBITS only.
	le := binary.LittleEndian
	shoff := le.Uint64(b[40:])
	for i := range uint64(le.Uint16(b[60:])) {
		h := b[shoff+64*i:]
		if off, size := le.Uint64(h[24:]), le.Uint64(h[32:]); size == uint64(len(note)) &&
			bytes.Equal(b[off:off+size], note) {
			le.PutUint32(h[4:], uint32(elf.SHT_NOTE))
		}
	}
	return b
}

func TestTypesOfAnotherBuild(t *testing.T) {
	one := read(t, source(t, "vmlinux", vmlinuxOfBuild(t, 1, someBTF(t))))
	types, err := one.Types()
	require.NoError(t, err)
	assert.Equal(t, "01010101", types.BuildID)
	require.NoError(t, one.CheckTypes(types))
	two := read(t, source(t, "other", vmlinuxOfBuild(t, 2, someBTF(t))))
	assert.EqualError(t, two.CheckTypes(types), "types of another build than the symbols: vmlinux "+
		"has build-id 01010101, the symbols have 02020202")
	types.BuildID = ""
	require.NoError(t, two.CheckTypes(types), "not known")

	// The best source of symbols has no types, and the one that has is of another build.
	plain := vmlinuxOfBuild(t, 1, nil)
	_, err = read(t, source(t, "plain", plain)).Types()
	require.ErrorIs(t, err, ErrNoTypes)
	_, err = read(t, source(t, "plain", plain),
		source(t, "other", vmlinuxOfBuild(t, 2, someBTF(t)))).Types()
	require.EqualError(t, err, "types of another build than the symbols: plain has build-id "+
		"01010101, other has 02020202")
	types, err = read(t, source(t, "plain", plain),
		source(t, "debug", vmlinuxOfBuild(t, 1, someBTF(t)))).Types()
	require.NoError(t, err)
	assert.Equal(t, "debug", types.Name)
}

func TestTypesOfAVmlinux(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vmlinux")
	require.NoError(t, os.WriteFile(path, vmlinuxOfBuild(t, 3, someBTF(t)), 0o666))
	types, err := ReadTypes(path, All)
	require.NoError(t, err)
	assert.Equal(t, "03030303", types.BuildID)
	list, err := types.Named(ctypes.Struct, "device")
	require.NoError(t, err)
	assert.Len(t, list, 1)
}
