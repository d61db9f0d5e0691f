// SPDX-License-Identifier: GPL-2.0-or-later

package lzma_test

import (
	"bytes"
	"io"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz/lzma"

	ours "github.com/klp-convert/klp-convert/sympos/lzma"
)

// texts are contents that make an encoder use all kinds of symbols.
func texts() map[string][]byte {
	r := rand.New(rand.NewSource(1))
	random := make([]byte, 100_000)
	r.Read(random)
	words := []byte{}
	for len(words) < 400_000 {
		word := random[r.Intn(200)*16:][:r.Intn(40)]
		words = append(words, word...)
		words = append(words, byte(r.Intn(256)))
	}
	records := make([]byte, 200_000) // of 16 bytes, which change in some places
	for i := range records {
		records[i] = byte(i&15) * 7
		if r.Intn(20) == 0 {
			records[i] = byte(r.Intn(256))
		}
	}
	return map[string][]byte{
		"empty": {}, "one": []byte("a"), "run": bytes.Repeat([]byte{7}, 3<<20), "random": random,
		"words": words, "records": records,
	}
}

func packLZMA2(t testing.TB, b []byte, c lzma.Writer2Config) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := c.NewWriter2(&out)
	return packed(t, &out, b, w, err)
}

func packLZMA(t testing.TB, b []byte, c lzma.WriterConfig) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := c.NewWriter(&out)
	return packed(t, &out, b, w, err)
}

// packed returns what a new writer makes of b in out.
func packed(t testing.TB, out *bytes.Buffer, b []byte, w io.WriteCloser, err error) []byte {
	t.Helper()
	require.NoError(t, err)
	_, err = w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// dict is as large as that of modules.
const dict = 1 << 20

func TestLZMA2(t *testing.T) {
	for name, text := range texts() {
		for _, p := range []lzma.Properties{{LC: 3, LP: 0, PB: 2}, {LC: 0, LP: 4, PB: 4},
			{LC: 4, LP: 0, PB: 0}, {LC: 1, LP: 2, PB: 3}} {
			t.Run(name, func(t *testing.T) {
				packed := packLZMA2(t, text, lzma.Writer2Config{Properties: &p, DictCap: dict})
				before := []byte("before")
				out, used, err := ours.AppendLZMA2(before, append(packed, "after"...), dict, 1<<30)
				require.NoError(t, err)
				assert.Equal(t, len(packed), used)
				assert.True(t, bytes.Equal(append(before, text...), out))

				// The beginning is enough.
				for _, n := range []int{0, 1, len(text) / 2, len(text) - 1} {
					if n < 0 || n >= len(text) {
						continue
					}
					out, _, err := ours.AppendLZMA2(nil, packed, dict, n)
					require.ErrorIs(t, err, ours.ErrLimit)
					assert.True(t, bytes.Equal(text[:n], out), n)
				}
			})
		}
	}
}

func TestLZMA(t *testing.T) {
	for name, text := range texts() {
		for _, c := range []lzma.WriterConfig{
			{DictCap: dict},
			{DictCap: dict, Size: int64(len(text)), SizeInHeader: true},
			{DictCap: dict, Size: int64(len(text)), SizeInHeader: true, EOSMarker: true},
			{DictCap: dict, Properties: &lzma.Properties{LC: 8, LP: 4, PB: 4}},
		} {
			if c.SizeInHeader && len(text) == 0 && !c.EOSMarker {
				continue // the writer writes nothing after the header
			}
			t.Run(name, func(t *testing.T) {
				packed := packLZMA(t, text, c)
				out, used, err := ours.Append(nil, append(packed, "after"...), 1<<30)
				require.NoError(t, err)
				assert.Equal(t, len(packed), used)
				assert.True(t, bytes.Equal(text, out))

				out, used, err = ours.Append(nil, packed, len(text)) // no more than is allowed
				require.NoError(t, err)
				assert.Equal(t, len(packed), used)
				assert.True(t, bytes.Equal(text, out))
				for _, n := range []int{0, 1, len(text) / 2, len(text) - 1} {
					if n < 0 || n >= len(text) {
						continue
					}
					out, _, err := ours.Append(nil, packed, n)
					require.ErrorIs(t, err, ours.ErrLimit)
					assert.True(t, bytes.Equal(text[:n], out), n)
				}
			})
		}
	}
}

// Data that is cut short is recognised wherever that is, and what is before it is unpacked.
func TestCutShort(t *testing.T) {
	text := texts()["words"][:3000]
	lzma2 := packLZMA2(t, text, lzma.Writer2Config{DictCap: 1 << 16})
	for i := range lzma2 {
		out, _, err := ours.AppendLZMA2(nil, lzma2[:i], 1<<16, 1<<20)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, i)
		require.True(t, bytes.HasPrefix(text, out[:max(0, len(out)-300)]), i)
	}
	marked := packLZMA(t, text, lzma.WriterConfig{DictCap: 1 << 16})
	for i := range marked {
		_, _, err := ours.Append(nil, marked[:i], 1<<20)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, i)
	}
}

// Copies from before the data, or from farther than the dictionary reaches, are damage.
func TestDistances(t *testing.T) {
	text := texts()["random"][:5000]
	text = append(text, text...)
	packed := packLZMA2(t, text, lzma.Writer2Config{DictCap: 1 << 16})
	_, _, err := ours.AppendLZMA2(nil, packed, 5000, 1<<20)
	require.NoError(t, err)
	_, _, err = ours.AppendLZMA2(nil, packed, 4999, 1<<20)
	require.ErrorIs(t, err, ours.ErrDamaged)
}

// What is damaged gives an error or, LZMA having no checksum, other contents; as the other decoder
// of this project says.
func FuzzLZMA(f *testing.F) {
	for _, text := range texts() {
		text := text[:min(len(text), 2000)]
		f.Add(packLZMA2(f, text, lzma.Writer2Config{DictCap: 1 << 16}), true)
		f.Add(packLZMA(f, text, lzma.WriterConfig{DictCap: 1 << 16}), false)
	}
	const limit = 1 << 16
	f.Fuzz(func(t *testing.T, b []byte, two bool) {
		var (
			out  []byte
			err  error
			r    io.Reader
			err2 error
		)
		if two {
			out, _, err = ours.AppendLZMA2(nil, b, 1<<16, limit)
			r, err2 = lzma.Reader2Config{DictCap: 1 << 16}.NewReader2(bytes.NewReader(b))
		} else {
			if len(b) >= 5 && b[4] != 0 { // a dictionary of 16 MiB
				return
			}
			out, _, err = ours.Append(nil, b, limit)
			r, err2 = lzma.NewReader(bytes.NewReader(b))
		}
		require.LessOrEqual(t, len(out), limit)
		if err2 != nil || err != nil {
			return // the other one accepts some damage, and not all of what xz accepts
		}
		theirs, err2 := io.ReadAll(io.LimitReader(r, limit+1))
		if err2 == nil {
			require.True(t, bytes.Equal(theirs, out))
		}
	})
}

// After the dictionary is forgotten, packed data has to bring properties.
func TestForgottenDictionaryNeedsProperties(t *testing.T) {
	packed := packLZMA2(t, bytes.Repeat([]byte("abcdefgh"), 100), lzma.Writer2Config{})
	n := len(packed) - 1 // without the end
	for _, test := range []struct {
		between []byte
		err     error
	}{
		{[]byte{2, 0, 0, 0}, nil},
		{[]byte{1, 0, 0, 0}, ours.ErrDamaged},
	} {
		again := append([]byte(nil), packed...)
		again[0] = again[0]&0x1f | 0xa0 // probabilities alone
		again = append(again[:5], again[6:]...)
		src := append(append(append([]byte(nil), packed[:n]...), test.between...), again...)
		_, _, err := ours.AppendLZMA2(nil, src, 1<<20, 1<<20)
		assert.ErrorIs(t, err, test.err, "%x", test.between)
	}
}
