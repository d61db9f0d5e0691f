// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"github.com/klp-convert/klp-convert/scripts/need"
)

const kernelBase = 0xffffffff81000000

// layouts of all versions, as kernels of both byte orders have them.
func layouts(count int) map[string]tinyKernel {
	all := map[string]tinyKernel{}
	for _, order := range []byteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, l := range []struct {
			name  string
			fresh bool
			wide  bool
			seqs  int
			kinds []string
		}{
			{"4.19", false, true, 0, []string{"relative", "per-CPU", "absolute"}},
			{"5.10", false, false, 0, []string{"relative", "per-CPU", "absolute"}},
			{"6.2", false, false, 4, []string{"relative", "per-CPU", "absolute"}},
			{"6.3", false, false, 3, []string{"relative", "per-CPU", "absolute"}},
			{"6.4", true, false, 3, []string{"relative", "per-CPU", "absolute"}},
			{"6.15", true, false, 3, []string{"relative"}},
			{"7.0", true, false, 3, []string{"in place"}},
		} {
			for _, kind := range l.kinds {
				k := tinyKernel{order: order, fresh: l.fresh, wide: l.wide, seqs: l.seqs,
					kind: kind, base: kernelBase}
				k.symbols = tinyNames(kernelBase, count)
				if kind == "per-CPU" {
					k.symbols = append(tinyNames(0, 20), k.symbols...)
				}
				all[fmt.Sprintf("%s %s %s", l.name, kind, order)] = k
			}
		}
	}
	return all
}

func TestTablesOfAllVersions(t *testing.T) {
	for name, k := range layouts(1001) {
		t.Run(name, func(t *testing.T) {
			var got []tinyName
			image := armImage(k.bytes())
			if name[0] == '7' { // the same as loongarch64 has it
				copy(image[0x38:], loongMagic)
			}
			s := source(t, "Image", image)
			facts, err := s.Scan(func(e *Entry) {
				got = append(got,
					tinyName{e.Address, string(e.Type) + string(e.Name)})
			})
			require.NoError(t, err)
			want := k.symbols
			if k.kind == "in place" { // where the image is loaded, it does not say
				assert.NotEmpty(t, facts.Relative)
				for i := range want {
					want[i].address -= kernelBase
				}
			} else {
				assert.Empty(t, facts.Relative)
			}
			assert.Equal(t, want, got)
			assert.Equal(t, Listed, facts.Order)
		})
	}
}

func TestNumbersOfSymbols(t *testing.T) {
	for n := 257; n < 1100; n += 17 {
		for _, fresh := range []bool{false, true} {
			k := tinyKernel{order: binary.LittleEndian, fresh: fresh, seqs: 3, kind: "relative",
				base: kernelBase, symbols: tinyNames(kernelBase, n)}
			found, err := findTables(k.bytes())
			require.NoError(t, err, "%d %v", n, fresh)
			assert.Equal(t, n, found.n)
		}
	}
}

// packings that Go can write, and programs for the others.
func packings() map[string]func(t testing.TB, b []byte) []byte {
	writer := func(open func(w io.Writer) (io.WriteCloser, error)) func(t testing.TB,
		b []byte) []byte {
		return func(t testing.TB, b []byte) []byte {
			var packed bytes.Buffer
			w, err := open(&packed)
			require.NoError(t, err)
			_, err = w.Write(b)
			require.NoError(t, err)
			require.NoError(t, w.Close())
			return packed.Bytes()
		}
	}
	program := func(name string, args ...string) func(t testing.TB, b []byte) []byte {
		return func(t testing.TB, b []byte) []byte {
			need.Tools(t, name)
			cmd := exec.Command(name, args...)
			cmd.Stdin = bytes.NewReader(b)
			out, err := cmd.Output()
			require.NoError(t, err)
			return out
		}
	}
	return map[string]func(t testing.TB, b []byte) []byte{
		"gzip": writer(func(w io.Writer) (io.WriteCloser, error) {
			return gzip.NewWriter(w),
				nil
		}),
		"zstd":      writer(func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }),
		"xz":        writer(func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }),
		"lzma":      writer(func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) }),
		"xz, x86":   program("xz", "--check=crc32", "--x86", "--lzma2=dict=1MiB"),
		"xz, large": program("xz", "--check=crc32", "--lzma2=dict=128MiB"),
		"bzip2":     program("bzip2", "-9"),
		"lz4":       program("lz4", "-l", "-9"),
	}
}

func someKernel() tinyKernel {
	return tinyKernel{order: binary.LittleEndian, fresh: true, seqs: 3, kind: "relative",
		base: kernelBase, symbols: tinyNames(kernelBase, 3000)}
}

func TestPackingsOfKernels(t *testing.T) {
	kernel := someKernel().bytes()
	for name, pack := range packings() {
		t.Run(name, func(t *testing.T) {
			packed := pack(t, kernel)
			size := binary.LittleEndian.AppendUint32(nil, uint32(len(kernel)))
			images := map[string][]byte{
				"bzImage":           bzImage(packed),
				"bzImage with size": bzImage(append(bytes.Clone(packed), size...)),
				"zboot":             zboot(packed),
			}
			if name != "lzma" {
				images["s390x"] = s390Image(packed)
			}
			if name == "lz4" {
				delete(images, "s390x") // says nowhere where it ends
			}
			for what, image := range images {
				table := read(t, source(t, what, image))
				assert.Len(t, table.Lookup(Vmlinux, "dup"), 60, what)
				assert.Equal(t, Image, table.Facts(Vmlinux).Kind, what)
				cut := image[:len(image)-len(packed)/2-512-8]
				_, err := Read(All, source(t, what, cut))
				assert.Error(t, err, "%s, cut", what)
			}
		})
	}
}

func TestStrippedVmlinux(t *testing.T) {
	k := someKernel()
	e := tinyVmlinux()
	e.stripped = true
	e.sections[1].data = k.bytes()
	table := read(t, source(t, "vmlinux", e.bytes()))
	assert.Len(t, table.Lookup(Vmlinux, "dup"), 60)
	assert.Equal(t, Image, table.Facts(Vmlinux).Kind)
}

func TestBadImages(t *testing.T) {
	le := binary.LittleEndian
	poked := func(poke func(b []byte)) []byte {
		b := bzImage([]byte("\x1f\x8b\x08 and so on, long enough"))
		poke(b)
		return b
	}
	for _, c := range []struct {
		name  string
		image []byte
		want  string
	}{
		{"old protocol", poked(func(b []byte) { le.PutUint16(b[0x206:], 0x207) }),
			"boot protocol 2.07 does not say"},
		{"payload far away", poked(func(b []byte) { le.PutUint32(b[0x248:], 0xffffffff) }),
			"unexpected EOF"},
		{"payload too long", poked(func(b []byte) { le.PutUint32(b[0x24c:], 0xffffffff) }),
			"unexpected EOF"},
		{"no payload", poked(func(b []byte) { le.PutUint32(b[0x24c:], 0) }),
			"not a known compression"},
		{"lzo", bzImage([]byte("\x89LZO and so on")), "lzo is not supported"},
		{"bad gzip", poked(func([]byte) {}), "gzip: "},
		{"bad lz4", bzImage([]byte("\x02\x21\x4c\x18\x04\x00\x00\x00\x0f\x00\x00\x00")),
			"lz4: damaged"},
		{"lzma dictionary", bzImage([]byte("\x5d\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00")), "too large"},
		{"no tables", armImage(make([]byte, 4096)), "no kallsyms tables"},
		{"no kernel", s390Image(nil), "no packed kernel"},
		{"no room", []byte("MZ\x00\x00" + zbootMagic), "unexpected EOF"},
		{"nothing packed", zboot([]byte("\x00\x00\x00\x00\x00")), "not a known compression"},
	} {
		_, err := Read(All, source(t, "x", c.image))
		assert.ErrorContains(t, err, c.want, c.name)
		assert.ErrorContains(t, err, "x: ", c.name)
	}
}

// Damaged tables must be noticed, or at least not panic or take long.
func TestDamagedTables(t *testing.T) {
	k := someKernel()
	k.symbols = k.symbols[:600]
	good := k.bytes()
	found, err := findTables(good)
	require.NoError(t, err)
	broken := func(name string, poke func(b []byte)) {
		b := bytes.Clone(good)
		poke(b)
		_, err := findTables(b)
		assert.ErrorIs(t, err, errNoTables, name)
	}
	broken("num_syms", func(b []byte) { b[found.names-8]++ })
	broken("a length", func(b []byte) { b[found.names]++ })
	broken("token_index", func(b []byte) { b[found.index+100]++ })
	broken("token_table", func(b []byte) { b[found.table]++ })
	broken("an offset", func(b []byte) { b[(found.index+512+7)&^7+4*100+3] = 0x7f })
	for n := 0; n < len(good)-400; n += 101 {
		_, err := findTables(good[:n])
		if n < found.index+512 {
			assert.Error(t, err, "cut at %d", n)
		}
	}
	for i := 0; i < len(good); i += 7 {
		b := bytes.Clone(good)
		b[i] ^= 0xff
		if k, err := findTables(b); err == nil {
			_, _ = k.scan(&input{name: "x"}, func(*Entry) {})
		}
	}
}

// A token_table surrounded by what looks like markers all over must not cost
// more than the search is allowed to.
func TestSearchIsBounded(t *testing.T) {
	k := tinyKernel{order: binary.LittleEndian, kind: "relative", symbols: tinyNames(0, 300)}
	good := k.bytes()
	found, err := findTables(good)
	require.NoError(t, err)
	var bait []byte
	for range 100_000 {
		bait = binary.LittleEndian.AppendUint32(bait, 0)
		bait = binary.LittleEndian.AppendUint32(bait, 100_000)
		bait = binary.LittleEndian.AppendUint32(bait, 200_000)
	}
	bait = append(bait, good[found.table:]...)
	_, err = findTables(bait)
	assert.ErrorIs(t, err, errNoTables)
}

// What a hostile file may have in place of lz4's frames gives an error, and nothing ends
// the program.
func TestDamagedLZ4(t *testing.T) {
	legacy := "\x02\x21\x4c\x18"
	block := func(s string) string {
		return string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
	}
	good := "\x14a\x01\x00\x50bcdef"
	out, _, err := unlz4([]byte(legacy+block(good)), 100)
	require.NoError(t, err)
	assert.Equal(t, "aaaaaaaaabcdef", string(out))
	for name, bad := range map[string]string{
		"no block":                  legacy,
		"empty blocks":              legacy + block("") + block(""),
		"token only":                legacy + block("\x14"),
		"offset cut":                legacy + block("\x14a\x01"),
		"offset 0":                  legacy + block("\x14a\x00\x00\x00"),
		"offset before the start":   legacy + block("\x14a\x02\x00\x00"),
		"length cut":                legacy + block("\x1fa\x01\x00\xff"),
		"literals cut":              legacy + block("\x50abc"),
		"block cut":                 legacy + block(good)[:10],
		"block larger than allowed": legacy + "\xff\xff\xff\x7f" + good,
		"a million magics":          strings.Repeat(legacy, 1<<20),
		"magics after a block":      legacy + block(good) + strings.Repeat(legacy, 1<<20),
		"reserved bits":             "\x04\x22\x4d\x18\x42\x70\x00",
		"dictionary":                "\x04\x22\x4d\x18\x61\x70\x01\x00\x00\x00\x00",
	} {
		_, _, err := unlz4([]byte(bad), 1<<20)
		assert.Error(t, err, name)
	}
}

// The filter on code that makes its life hard: opcodes side by side and inside
// operands, as only the program that packs them knows them.
func TestFilterForX86(t *testing.T) {
	code := make([]byte, 200_000)
	state := uint32(1)
	for i := range code {
		state = state*1664525 + 1013904223
		code[i] = []byte{0xe8, 0xe9, 0, 0xff, 0, 0xff, byte(state >> 16), 0xe8}[state>>24&7]
	}
	packed := packings()["xz, x86"](t, code)
	out, _, err := unxz(packed, maxUnpacked)
	require.NoError(t, err)
	assert.Equal(t, code, out)
	packed[len(packed)/2] ^= 1
	_, _, err = unxz(packed, maxUnpacked)
	assert.Error(t, err)
}
