// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
)

// unpackFile unpacks b as a Scan would, and returns how much memory that took.
func unpackFile(t *testing.T, b []byte) (out []byte, used uint64, err error) {
	t.Helper()
	c := compressionOf(b)
	require.NotNil(t, c)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out, err = c.decompress(bytes.NewReader(b), int64(len(b)))
	runtime.ReadMemStats(&after)
	return out, after.TotalAlloc - before.TotalAlloc, err
}

// xzFile packs s with a dictionary of that size in its header.
func xzFile(t *testing.T, s string, dict int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.WriterConfig{DictCap: dict}.NewWriter(&b)
	require.NoError(t, err)
	_, err = w.Write([]byte(s))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// withTotal makes the index of an xz file of one block say another size.
func withTotal(t *testing.T, b []byte, total uint64) []byte {
	t.Helper()
	le := binary.LittleEndian
	footer := bytes.Clone(b[len(b)-12:])
	at := len(b) - 12 - (int(le.Uint32(footer[4:]))+1)*4
	old := bytes.NewReader(b[at+2:])
	packed, err := binary.ReadUvarint(old)
	require.NoError(t, err)
	index := binary.AppendUvarint(binary.AppendUvarint([]byte{0, 1}, packed), total)
	for len(index)%4 != 0 {
		index = append(index, 0)
	}
	index = le.AppendUint32(index, crc32.ChecksumIEEE(index))
	le.PutUint32(footer[4:], uint32(len(index)/4-1))
	le.PutUint32(footer, crc32.ChecksumIEEE(footer[4:10]))
	return append(append(bytes.Clone(b[:at]), index...), footer...)
}

// The index of an xz file has the size of its contents, which is how much memory they take.
func TestXZHoldsWhatItsIndexSays(t *testing.T) {
	text := strings.Repeat("ffffffff81000000 T a\n", 1000)
	good := xzFile(t, text, 64<<20)
	for _, b := range [][]byte{good, append(bytes.Clone(good), 1, 2, 3, 4)} { // size_append
		total, ok := xzTotal(b)
		assert.True(t, ok)
		assert.EqualValues(t, len(text), total)
		out, used, err := unpackFile(t, b)
		require.NoError(t, err)
		assert.Equal(t, text, string(out))
		assert.Less(t, used, uint64(1<<20), "the dictionary is no larger than what is in it")
	}
	assert.Equal(t, good, withTotal(t, good, uint64(len(text))), "the test's own index is one")
	_, used, err := unpackFile(t, withTotal(t, good, maxUnpacked+1))
	assert.ErrorIs(t, err, ErrTooLarge)
	assert.Less(t, used, uint64(1<<20))
	_, _, err = unpackFile(t, withTotal(t, good, uint64(len(text)-1)))
	assert.ErrorIs(t, err, errXZ)

	// The index of the last of two streams is not that of both.
	_, ok := xzTotal(append(bytes.Clone(good), xzFile(t, "b", 1<<20)...))
	assert.False(t, ok)
	for i := range good {
		for _, v := range []byte{0, 1, 0x80, 0xff} {
			b := bytes.Clone(good)
			b[i] = v
			_, _ = xzTotal(b)
			_, _ = xzTotal(good[:i])
		}
	}
}

// A frame of zstd has the size of its contents and of the window.
func TestZstdHoldsWhatItsHeaderSays(t *testing.T) {
	hello := "\x29\x00\x00hello" // the last block, not packed
	for name, c := range map[string]struct {
		header string
		ok     bool
	}{
		"small window":        {"\x28\xb5\x2f\xfd\x00\x00", true},
		"window of 256 MiB":   {"\x28\xb5\x2f\xfd\x00\x90", false},
		"5 bytes in it":       {"\x28\xb5\x2f\xfd\x20\x05", true},
		"6 bytes in it":       {"\x28\xb5\x2f\xfd\x20\x06", false},
		"512 MiB and 1 in it": {"\x28\xb5\x2f\xfd\x80\x00\x01\x00\x00\x20", false},
	} {
		out, used, err := unpackFile(t, []byte(c.header+hello))
		assert.Less(t, used, uint64(8<<20), name)
		if c.ok {
			require.NoError(t, err, name)
			assert.Equal(t, "hello", string(out))
			continue
		}
		assert.Error(t, err, name)
	}
	_, _, err := unpackFile(t, []byte("\x28\xb5\x2f\xfd\x80\x00\x01\x00\x00\x20"+hello))
	assert.ErrorIs(t, err, ErrTooLarge)
}

func TestReadAllHoldsNoMoreThanTheLimit(t *testing.T) {
	for _, guess := range []int64{0, 1, 999, 1000, 1001, 1 << 40} {
		b, err := readAll(strings.NewReader(strings.Repeat("x", 1000)), guess, 1000)
		require.NoError(t, err, guess)
		assert.Len(t, b, 1000)
		assert.LessOrEqual(t, cap(b), 1024, guess)
		_, err = readAll(strings.NewReader(strings.Repeat("x", 1001)), guess, 1000)
		assert.ErrorIs(t, err, ErrTooLarge, guess)
	}
}

// The beginning of a packed file is enough to recognise it.
func TestKindOfPackedFiles(t *testing.T) {
	text := "*vmlinux\n" + strings.Repeat("some_symbol\n", 4<<20/12)
	var z bytes.Buffer
	w, err := zstd.NewWriter(&z)
	require.NoError(t, err)
	_, err = w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for name, b := range map[string][]byte{"gz": []byte(gzipped(text)),
		"xz": xzFile(t, text, 8<<20), "zst": z.Bytes()} {
		path := filepath.Join(t.TempDir(), "list")
		require.NoError(t, os.WriteFile(path, b, 0o644))
		kind, err := KindOf(path)
		require.NoError(t, err, name)
		assert.Equal(t, SymbolList, kind, name)
		// The rest may be missing: it is not looked at.
		require.NoError(t, os.WriteFile(path, b[:len(b)-len(b)/8], 0o644))
		kind, err = KindOf(path)
		require.NoError(t, err, name)
		assert.Equal(t, SymbolList, kind, name)
		head, err := compressionOf(b).unpackStart(bytes.NewReader(b), 100)
		require.NoError(t, err, name)
		assert.Equal(t, text[:100], string(head), name)
		for cut := range min(len(b), 200) {
			if c := compressionOf(b[:cut]); c != nil {
				_, _ = c.unpackStart(bytes.NewReader(b[:cut]), 100)
			}
		}
	}
}

func TestKindOf(t *testing.T) {
	for name, c := range map[string]struct {
		contents string
		kind     Kind
	}{
		"image":            {tinyImage(), Image},
		"packed module":    {gzipped(tinyModuleFile("m", "f")), ModuleFile},
		"vmlinux":          {string(tinyVmlinux().bytes()), VmlinuxFile},
		"kallsyms":         {kallsyms, SystemMap},
		"hidden":           {hiddenKallsyms, Kallsyms},
		"exports":          {tinySymvers, Symvers},
		"list":             {"*vmlinux\na\n", SymbolList},
		"nothing of these": {"hello\n", 0},
	} {
		path := filepath.Join(t.TempDir(), "x")
		require.NoError(t, os.WriteFile(path, []byte(c.contents), 0o644))
		kind, err := KindOf(path)
		assert.Equal(t, c.kind, kind, name)
		if c.kind == 0 {
			assert.ErrorIs(t, err, ErrUnknown)
		} else {
			assert.NoError(t, err, name)
		}
	}
}
