// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// compression is a way in which modules are installed (CONFIG_MODULE_COMPRESS_*).
// Input tells it by its first bytes, output by its name.
type compression struct {
	name   string
	suffix string
	magic  string
	reader func(io.Reader) (io.Reader, error)
	writer func(io.Writer) (io.WriteCloser, error)
}

var plain = compression{name: "none"}

var compressions = []compression{
	{
		name: "gzip", suffix: ".gz", magic: "\x1f\x8b",
		reader: func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		// No name and no time in the header, as by gzip -n: the kernel
		// reads a bare header only, and the same input gives the same
		// bytes (kernel/module/decompress.c, module_gzip_header_len).
		writer: func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestCompression) },
	},
	{
		name: "xz", suffix: ".xz", magic: "\xfd7zXZ\x00",
		reader: func(r io.Reader) (io.Reader, error) { return xz.NewReader(r) },
		// As scripts/Makefile.modinst runs xz: --check=crc32
		// --lzma2=dict=1MiB. The kernel's decoder knows no other check
		// and allocates the dictionary (lib/xz/xz_dec_stream.c).
		writer: func(w io.Writer) (io.WriteCloser, error) {
			return xz.WriterConfig{CheckSum: xz.CRC32, DictCap: 1 << 20}.NewWriter(w)
		},
	},
	{
		name: "zstd", suffix: ".zst", magic: "\x28\xb5\x2f\xfd",
		reader: func(r io.Reader) (io.Reader, error) {
			d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDecompressed))
			if err != nil {
				return nil, err
			}
			return d.IOReadCloser(), nil
		},
		// One goroutine, so that the same input gives the same bytes.
		writer: func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		},
	},
}

// compressionOf tells by the first bytes how b is compressed.
func compressionOf(b []byte) compression {
	for _, c := range compressions {
		if bytes.HasPrefix(b, []byte(c.magic)) {
			return c
		}
	}
	return plain
}

// compressionFor tells by its name how a file is to be compressed.
func compressionFor(path string) compression {
	for _, c := range compressions {
		if strings.HasSuffix(path, c.suffix) {
			return c
		}
	}
	return plain
}

func (c compression) decompress(b []byte) ([]byte, error) {
	if c.reader == nil {
		return b, nil
	}
	r, err := c.reader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	out, err := readBounded(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return out, nil
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
