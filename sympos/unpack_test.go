// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// packedBy runs b through a program.
func packedBy(t *testing.T, b []byte, command ...string) []byte {
	t.Helper()
	var out, stderr bytes.Buffer
	c := exec.Command(command[0], command[1:]...)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(b), &out, &stderr
	require.NoError(t, c.Run(), "%v: %s", command, stderr.String())
	return out.Bytes()
}

// branches is code of which every filter finds something, and something like it.
func branches() []byte {
	b := make([]byte, 40_001)
	state := uint32(7)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = []byte{0xe8, 0xeb, 0x48, 0x01, 0x94, 0x90, 0x40, 0x7f, 0xf0, 0xf8, 0xff, 0,
			byte(state >> 16), 0x97, 0xb0, 0xe9}[state>>24&15]
	}
	return b
}

// What packers write is read: each of their formats, two of them one after another, padding
// between, and other data after them.
func TestUnpackReadsWhatPackersWrite(t *testing.T) {
	code := branches()
	type packer struct {
		name string
		args []string
	}
	packers := []packer{
		{"gzip", []string{"gzip"}}, {"bzip2", []string{"bzip2"}},
		{"zstd", []string{"zstd", "-q"}},
		{"zstd", []string{"zstd", "-q", "--no-check", "-19"}},
		{"lz4", []string{"lz4", "-q"}}, {"lz4", []string{"lz4", "-q", "-BD", "-B4"}},
		{"lz4", []string{"lz4", "-q", "-BX", "-B4"}}, {"lz4", []string{"lz4", "-q", "-l"}},
		{"lzma", []string{"xz", "--format=lzma"}}, {"xz", []string{"xz"}},
		{"xz", []string{"xz", "--block-size=9000", "-T2"}},
	}
	for _, check := range []string{"none", "crc32", "crc64", "sha256"} {
		packers = append(packers, packer{"xz", []string{"xz", "--check=" + check}})
	}
	for _, filter := range []string{"--x86", "--powerpc", "--arm", "--armthumb", "--sparc",
		"--arm64", "--delta=dist=3", "--x86=start=4096", "--arm64=start=8192"} {
		packers = append(packers, packer{"xz", []string{"xz", filter, "--lzma2=dict=1MiB"}})
	}
	packers = append(packers, packer{"xz", []string{"xz", "--delta=dist=1", "--x86", "--lzma2"}})
	for _, p := range packers {
		t.Run(strings.Join(p.args, " "), func(t *testing.T) {
			packed := packedBy(t, code, append(p.args, "-c")...)
			check := func(b, want []byte, trailing int) {
				t.Helper()
				u, err := Unpack(b, 1<<20)
				require.NoError(t, err)
				assert.True(t, bytes.Equal(want, u.Bytes), "%d bytes, want %d", len(u.Bytes),
					len(want))
				assert.Equal(t, p.name, u.Format)
				assert.Equal(t, trailing, u.Trailing)
			}
			check(packed, code, 0)
			head, err := compressionOf(packed).unpackStart(bytes.NewReader(packed), 100)
			require.NoError(t, err)
			assert.Equal(t, code[:100], head)
			if p.name != "lzma" { // has one stream
				check(append(bytes.Clone(packed), packed...), append(bytes.Clone(code), code...), 0)
			}
			if p.name == "xz" {
				check(append(append(bytes.Clone(packed), make([]byte, 8)...), packed...),
					append(bytes.Clone(code), code...), 0)
			}
			// what follows shows as damage
			if p.name != "bzip2" && !strings.Contains(strings.Join(p.args, " "), "-l") {
				check(append(bytes.Clone(packed), make([]byte, 12)...), code, 0)
				check(append(bytes.Clone(packed), "not of the stream"...), code,
					len("not of the stream"))
			}
			_, err = Unpack(packed, int64(len(code)-1))
			assert.ErrorIs(t, err, ErrTooLarge)
			for cut := 1; cut < len(packed); cut += 1 + len(packed)/31 {
				u, err := Unpack(packed[:cut], 1<<20)
				// lz4's legacy format has no end, and may be cut between blocks
				if err == nil && u.Format != "" {
					t.Errorf("cut at %d of %d: no error", cut, len(packed))
				}
			}
			for _, cut := range []int{1, 2, 4, 5, 12, 13, 20} {
				u, err := Unpack(packed[:len(packed)-cut], 1<<20)
				assert.True(t, err != nil || u.Format == "", "%d bytes short", cut)
			}
		})
	}
}

// Frames to be skipped may come first, between and last (RFC 8878, 3.1.2).
func TestSkippableFrames(t *testing.T) {
	hello := []byte("hello, hello, hello")
	skip := func(kind byte, n int) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte{0x50 | kind, 0x2a, 0x4d, 0x18},
			uint32(n)), bytes.Repeat([]byte{0xfd}, n)...)
	}
	for _, program := range []string{"zstd", "lz4"} {
		packed := packedBy(t, hello, program, "-q", "-c")
		for _, n := range []int{0, 3, 100_000} {
			b := bytes.Join([][]byte{skip(0, n), packed, skip(15, 5), packed, skip(7, n)}, nil)
			u, err := Unpack(b, 1000)
			require.NoError(t, err, program)
			assert.Equal(t, string(hello)+string(hello), string(u.Bytes))
			assert.Equal(t, program, u.Format)
			_, err = Unpack(b[:len(b)-1], 1000)
			assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}
	}
}

// The size in a frame's header must not be more than its blocks can hold.
func TestZstdFrameThatSaysTooMuch(t *testing.T) {
	_, err := Unpack([]byte("\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x10\x29\x00\x00hello"), 1<<40)
	assert.ErrorContains(t, err, "its blocks have room for 131072")
}

func TestUnsupportedFilterIsNamed(t *testing.T) {
	_, err := Unpack(packedBy(t, branches(), "xz", "-c", "--ia64", "--lzma2"), 1<<20)
	assert.EqualError(t, err, "xz: the xz filter for IA-64 is not supported; unpack the file: xz "+
		"-d")
}

// A zImage of powerpc is an ELF file with symbols of its own.
func TestKernelInZImage(t *testing.T) {
	k := tinyKernel{order: binary.LittleEndian, kind: "relative",
		symbols: tinyNames(0xffffffff81000000, 600), base: 0xffffffff81000000}
	for name, packed := range map[string]string{"packed": gzipped(string(k.bytes())),
		"damaged": "no kernel", "cut": gzipped(string(k.bytes()))[:1000]} {
		z := tinyVmlinux(tinySymbol{"_zimage_start", global | fn, 1, 0x1000, 4})
		z.sections = append(z.sections,
			tinySection{wrappedKernel + ".strip", elf.SHF_ALLOC, 0x100000, []byte(packed)})
		table, err := Read(All, source(t, "zImage", z.bytes()))
		if name != "packed" {
			assert.ErrorContains(t, err, "zImage: packed kernel at 0x0", name)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, Image, table.Facts(Vmlinux).Kind)
		assert.NotEmpty(t, table.Lookup(Vmlinux, "dup"))
		assert.Empty(t, table.Lookup(Vmlinux, "_zimage_start"))
	}
}

// ELF files that were cut, wherever what is missing is.
func TestELFFilesThatWereCut(t *testing.T) {
	b := tinyVmlinux(tinySymbol{"f", local | fn, 1, 0x1000, 4}).bytes()
	// Section headers first: all that is missing is the end of the contents.
	le := binary.LittleEndian
	shoff := le.Uint64(b[40:])
	n := uint64(le.Uint16(b[60:]))
	last := shoff + 3*64 // .comment grows past the end
	le.PutUint64(b[last+32:], uint64(len(b)))
	_ = n
	_, err := Read(All, source(t, "v", b))
	assert.ErrorContains(t, err, "v: .comment: ")
	assert.ErrorContains(t, err, "it was cut short")
	image := tinyImage()
	_, err = Read(All, source(t, "i", []byte(image[:len(image)-20])))
	assert.ErrorContains(t, err, "it was cut short")
}

func TestProgramsAreNoKernels(t *testing.T) {
	p := tinyVmlinux(tinySymbol{"main", global | fn, 1, 0x1000, 4})
	p.sections = append(p.sections,
		tinySection{".dynamic", elf.SHF_ALLOC, 0x3000, make([]byte, 16)})
	_, err := Read(All, source(t, "p", p.bytes()))
	assert.ErrorIs(t, err, ErrUnknown)
	assert.ErrorContains(t, err, "it is an ELF program or shared library")
	p.sections = append(p.sections, tinySection{".init.text", text, 0x4000, make([]byte, 16)})
	_, err = Read(All, source(t, "p", p.bytes()))
	assert.NoError(t, err, "relocatable kernels have .dynamic too")
}

// The error names what is in the file.
func TestUnknownFilesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"BC\xc0\xde....":            "it is LLVM bitcode",
		"":                          "it is an empty file",
		"hello\n":                   `it is text (line 1: "hello")`,
		"!<arch>\nx":                "it is an ar archive; name the .ko",
		"<!DOCTYPE html>\n<html>\n": "it is a web page (HTML)",
		"version https://git-lfs.github.com/spec/v1\noid sha256:0\n": "it is a Git LFS pointer",
	} {
		_, err := New("x", strings.NewReader(text), int64(len(text)))
		assert.ErrorIs(t, err, ErrUnknown, want)
		assert.ErrorContains(t, err, want)
	}
	o := tinyModule("license=GPL\x00")
	o.sections = []tinySection{{".text", text, 0, nil},
		{".gnu.lto_.symtab.0", 0, 0, make([]byte, 8)}}
	_, err := Read(All, source(t, "o", o.bytes()))
	assert.ErrorContains(t, err, "it is a slim LTO object of gcc")
}
