// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"compress/gzip"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// compression is a format in which modules are installed (CONFIG_MODULE_COMPRESS_*). The
// name of the output selects it. Input is decompressed by sympos.Unpack, by its first bytes.
type compression struct {
	name   string
	suffix string
	writer func(io.Writer) (io.WriteCloser, error)
}

var plain = compression{name: "none"}

var compressions = []compression{
	{
		name: "gzip", suffix: ".gz",
		// No name and no time in the header, as by gzip -n: the kernel
		// reads a bare header only, and the same input gives the same
		// bytes (kernel/module/decompress.c, module_gzip_header_len).
		writer: func(w io.Writer) (io.WriteCloser, error) {
			return gzip.NewWriterLevel(w, gzip.BestCompression)
		},
	},
	{
		name: "xz", suffix: ".xz",
		// As scripts/Makefile.modinst runs xz: --check=crc32
		// --lzma2=dict=1MiB. The kernel's decoder knows no other check
		// and allocates the dictionary (lib/xz/xz_dec_stream.c).
		writer: func(w io.Writer) (io.WriteCloser, error) {
			return xz.WriterConfig{CheckSum: xz.CRC32, DictCap: 1 << 20}.NewWriter(w)
		},
	},
	{
		name: "zstd", suffix: ".zst",
		// One goroutine, so that the same input gives the same bytes.
		writer: func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		},
	},
}

// compressionNamed returns the compression by the name that sympos uses. It is plain for input
// that is not compressed, and for formats in which no kernel installs modules.
func compressionNamed(name string) compression {
	for _, c := range compressions {
		if c.name == name {
			return c
		}
	}
	return plain
}

// otherSuffixes are endings of formats that klp-convert does not write.
var otherSuffixes = []string{
	".bz2", ".lz4", ".lzma", ".lzo", ".lz", ".Z", ".zip", ".7z", ".tar", ".tgz", ".txz",
	".cpio", ".deb", ".rpm", ".a", ".zstd", ".xzip", ".gzip",
}

// checkSuffix refuses the name of an output whose ending names another format.
func checkSuffix(path string) error {
	for _, suffix := range otherSuffixes {
		if strings.HasSuffix(path, suffix) {
			return usagef("%s: modules are written plain, or as .gz, .xz or .zst, "+
				"which the kernel and kmod read; not as %s", path, suffix)
		}
	}
	return nil
}

// compressionFor returns the compression for a file of that name.
func compressionFor(path string) compression {
	for _, c := range compressions {
		if strings.HasSuffix(path, c.suffix) {
			return c
		}
	}
	return plain
}

// compress writes b to w.
func (c compression) compress(w io.Writer, b []byte) error {
	if c.writer == nil {
		_, err := w.Write(b)
		return err
	}
	z, err := c.writer(w)
	if err != nil {
		return err
	}
	if _, err := z.Write(b); err != nil {
		return err
	}
	return z.Close()
}
