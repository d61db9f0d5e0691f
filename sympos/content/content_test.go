// SPDX-License-Identifier: GPL-2.0-or-later

package content

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOf(t *testing.T) {
	at := func(off int, s string) string { return strings.Repeat("\x01", off) + s }
	pe := func(sections string) string {
		b := make([]byte, 0x40)
		copy(b, "MZ")
		binary.LittleEndian.PutUint32(b[0x3c:], 0x40)
		return string(b) + "PE\x00\x00" + strings.Repeat("\x02", 20) + sections
	}
	for _, c := range []struct{ contents, what string }{
		{"", "an empty file"},
		{"BC\xc0\xde5\x14", "LLVM bitcode (clang -flto)"},
		{"\xde\xc0\x17\x0b\x00", "LLVM bitcode in a wrapper (clang -flto)"},
		{"!<arch>\ndebian-binary   ", "a Debian package"},
		{"!<arch>\nfoo.o/", "an ar archive"},
		{"!<thin>\nfoo.o/", "a thin ar archive, which has names of files only"},
		{"\xed\xab\xee\xdb\x03", "an RPM package"},
		{"070701000", "a cpio archive (an initramfs)"},
		{at(257, "ustar\x0000"), "a tar archive"},
		{"PK\x03\x04\x14", "a zip archive"},
		{"hsqs\x00", "a squashfs image"},
		{"\x1f\x8b\x08", "a gzip file"},
		{"\xfd7zXZ\x00", "an xz file"},
		{"\x28\xb5\x2f\xfd", "a zstd file"},
		{"\x5a\x2a\x4d\x18\x00\x00\x00\x00", "a skippable frame of zstd or lz4"},
		{"BZh91AY", "a bzip2 file"},
		{"\x04\x22\x4d\x18", "an lz4 file"},
		{"\x02\x21\x4c\x18", "an lz4 file (legacy format)"},
		{"\x5d\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00", "an lzma file"},
		{"\x89LZO\x00\r\n\x1a\n", "an lzop file"},
		{at(0x202, "HdrS"), "an x86 kernel image"},
		{"MZ\x00\x00zimg", "an EFI zboot kernel image"},
		{at(0x38, "ARM\x64"), "an arm64 kernel image"},
		{at(0x38, "\xcd\x23\x82\x81"), "a loongarch kernel image"},
		{at(0x24, "\x18\x28\x6f\x01"), "a 32-bit ARM zImage"},
		{"\x27\x05\x19\x56", "a U-Boot image (uImage)"},
		{"\xd0\x0d\xfe\xed", "a device tree or a U-Boot FIT image"},
		{"\xcf\xfa\xed\xfe\x07", "a Mach-O file (macOS)"},
		{"\x0b\x01\x64\x00", "an a.out file"},
		{pe(".text\x00\x00\x00"), "a PE file (UEFI or Windows)"},
		{pe(".linux\x00\x00"), "a unified kernel image (UKI)"},
		{"KDUMP   \x06", "a kernel crash dump (kdump)"},
		{strings.Repeat("\x00", 512), "a file that begins with 512 zero bytes"},
		{"\x01\x02\x03\x04\x05\x06\x07\x08\x09",
			"data of no known format (begins with 01 02 03 04 05 06 07 08)"},
		{"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n",
			"a Git LFS pointer: the file itself was not fetched"},
		{"<!DOCTYPE html>\n<html>", "a web page (HTML)"},
		{"\n\n  <html lang=en>", "a web page (HTML)"},
		{"#!/bin/sh\n", "a script"},
		{"diff --git a/x b/x\n", "a patch"},
		{"#\n# Automatically generated file; DO NOT EDIT.\n", "text (line 1: \"#\")"},
		{"CONFIG_LIVEPATCH=y\n", "a kernel configuration"},
		{"kernel/fs/ext4/ext4.ko\n",
			"a list of modules (modules.order, modules.builtin or modules.dep)"},
		{"\xff\xfeh\x00", "UTF-16 text"},
		{"\xef\xbb\xbfhello", "text (UTF-8 with a byte order mark) (line 1: \"hello\")"},
		{"\n\n", "text of blank lines only"},
		{"#include <linux/module.h>\n", "source text (line 1: \"#include <linux/module.h>\")"},
		{"\nGrüße aus dem Kern\n", "text (line 2: \"Grüße aus dem Kern\")"},
		{"\x7fELF\x02", "an ELF file that ends within its header"},
	} {
		k := Of([]byte(c.contents))
		assert.Equal(t, c.what, k.What)
		assert.NotContains(t, k.String(), "\n")
		_, binary := Binary([]byte(c.contents))
		assert.False(t, binary && strings.Contains(k.What, "text"), c.what)
	}
}

// Whatever a file has at its beginning, an answer comes.
func TestOfAnything(t *testing.T) {
	for _, m := range magics {
		b := append(bytes.Repeat([]byte{3}, m.at), m.magic...)
		for cut := max(0, len(b)-100); cut < len(b); cut++ {
			assert.NotEmpty(t, Of(b[:cut]).What)
		}
		assert.NotEmpty(t, Of(b).What)
	}
	good := module(t)
	for i := range 64 {
		for _, v := range []byte{0, 1, 0x7f, 0xff} {
			b := bytes.Clone(good)
			b[i] = v
			assert.NotEmpty(t, Of(b).What)
		}
	}
}

func module(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../testdata/x86_64/mixed.ko"))
	require.NoError(t, err)
	return b
}

func TestELF(t *testing.T) {
	b := module(t)
	assert.Equal(t, "an ELF object file", Of(b).What)
	for typ, what := range map[byte]string{2: "an ELF executable or a vmlinux",
		3: "an ELF program, shared library or vmlinux", 4: "an ELF core dump",
		9: "an ELF file of type 9"} {
		b[16] = typ
		assert.Equal(t, what, Of(b).What)
	}
	assert.True(t, LTO([]Section{{".text", 0, true}, {".gnu.lto_.symtab", 4, false}}))
	assert.False(t, LTO([]Section{{".text", 4, true}, {".gnu.lto_.symtab", 4, false}}), "fat")
	assert.False(t, LTO([]Section{{".text", 0, true}, {".data", 4, false}}))
}
