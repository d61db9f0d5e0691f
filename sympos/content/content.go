// SPDX-License-Identifier: GPL-2.0-or-later

// Package content says what a file is, for messages about files that are not what a
// command asked for: "not a module, but LLVM bitcode: let the linker make an ELF file
// of it". It uses the contents only, never the file's name.
//
// It knows more formats than the commands read. A reader decides which files it reads; this
// package names the others.
package content

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Kind is what a file is.
type Kind struct {
	What string // with its article: "an ar archive"
	Do   string // what to do, an imperative; "" when nothing can be done
}

// String is What and, after a semicolon, Do.
func (k Kind) String() string {
	if k.Do == "" {
		return k.What
	}
	return k.What + "; " + k.Do
}

// Enough is how many bytes of a file are enough for Of. For more than the type of an ELF
// file it needs all bytes.
const Enough = 0x10010

// Archives, object formats and images, by the bytes at an offset. The first that
// matches is used.
var magics = []struct {
	at       int
	magic    string
	what, do string
}{
	{0, "BC\xc0\xde", "LLVM bitcode (clang -flto)", link},
	{0, "\xde\xc0\x17\x0b", "LLVM bitcode in a wrapper (clang -flto)", link},
	{0, "!<arch>\ndebian-binary", "a Debian package", "unpack it: dpkg-deb -x FILE DIRECTORY"},
	{0, "!<arch>\n", "an ar archive", "name the .ko or the vmlinux that was linked from it"},
	{0, "!<thin>\n", "a thin ar archive, which has names of files only",
		"name the .ko or the vmlinux that was linked from it"},
	{0, "\xed\xab\xee\xdb", "an RPM package", "unpack it: rpm2cpio FILE | cpio -id"},
	{0, "070701", "a cpio archive (an initramfs)", "unpack it: cpio -id < FILE"},
	{0, "070702", "a cpio archive (an initramfs)", "unpack it: cpio -id < FILE"},
	{0, "070707", "a cpio archive", "unpack it: cpio -id < FILE"},
	{0, "\xc7\x71", "a cpio archive", "unpack it: cpio -id < FILE"},
	{0, "\x71\xc7", "a cpio archive", "unpack it: cpio -id < FILE"},
	{257, "ustar", "a tar archive", "unpack it: tar -xf FILE"},
	{0, "PK\x03\x04", "a zip archive", "unpack it: unzip FILE"},
	{0, "PK\x05\x06", "an empty zip archive", ""},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it: 7z x FILE"},
	{0, "hsqs", "a squashfs image", "unpack it: unsquashfs FILE"},
	{0x8001, "CD001", "an ISO 9660 image", "unpack it"},
	{0, "\x1f\x8b", "a gzip file", "unpack it: gzip -d"},
	{0, "\x1f\x9d", "a file of compress(1)", "unpack it: gzip -d"},
	{0, "\x1f\xa0", "a file of compress(1)", "unpack it: gzip -d"},
	{0, "\xfd7zXZ\x00", "an xz file", "unpack it: xz -d"},
	{0, "\x28\xb5\x2f\xfd", "a zstd file", "unpack it: zstd -d"},
	{0, "\x37\xa4\x30\xec", "a zstd dictionary", ""},
	{0, "BZh", "a bzip2 file", "unpack it: bzip2 -d"},
	{0, "\x04\x22\x4d\x18", "an lz4 file", "unpack it: lz4 -d"},
	{0, "\x02\x21\x4c\x18", "an lz4 file (legacy format)", "unpack it: lz4 -d"},
	{0, "\x89LZO\x00\r\n\x1a\n", "an lzop file", "unpack it: lzop -d"},
	{0, "LZIP", "an lzip file", "unpack it: lzip -d"},
	{0, "LRZI", "an lrzip file", "unpack it: lrzip -d"},
	{0x202, "HdrS", "an x86 kernel image", "give it to --kernel"},
	{4, "zimg", "an EFI zboot kernel image", "give it to --kernel"},
	{0x38, "ARM\x64", "an arm64 kernel image", "give it to --kernel"},
	{0x38, "\xcd\x23\x82\x81", "a loongarch kernel image", "give it to --kernel"},
	{0x38, "RSC\x05", "a RISC-V kernel image", "give the vmlinux: it has a symbol table"},
	{0x10008, "S390EP", "an s390 kernel image", "give it to --kernel"},
	{0x24, "\x18\x28\x6f\x01", "a 32-bit ARM zImage", noLivepatch},
	{0x24, "\x01\x6f\x28\x18", "a big-endian 32-bit ARM zImage", noLivepatch},
	{0, "\x27\x05\x19\x56", "a U-Boot image (uImage)",
		"take the kernel out: dumpimage -p 0 -o OUT FILE"},
	{0, "\xd0\x0d\xfe\xed", "a device tree or a U-Boot FIT image",
		"take the kernel out: dumpimage -p 0 -o OUT FILE"},
	{0, "\xfe\xed\xfa\xce", machO, elfOnly},
	{0, "\xfe\xed\xfa\xcf", machO, elfOnly},
	{0, "\xce\xfa\xed\xfe", machO, elfOnly},
	{0, "\xcf\xfa\xed\xfe", machO, elfOnly},
	{0, "\xca\xfe\xba\xbe", "a Mach-O universal binary or a Java class", elfOnly},
	{0, "\x07\x01", aOut, elfOnly}, // OMAGIC, NMAGIC, ZMAGIC, QMAGIC
	{0, "\x08\x01", aOut, elfOnly},
	{0, "\x0b\x01", aOut, elfOnly},
	{0, "\xcc\x00", aOut, elfOnly},
	{0, "\x00asm", "a WebAssembly module", elfOnly},
	{0, "\x9f\xeb\x01\x00", "raw BTF", ""},
	{0, "\xeb\x9f\x00\x01", "raw BTF", ""},
	{0, "KDUMP   ", "a kernel crash dump (kdump)", "give the kernel's image or vmlinux"},
	{0, "SQLite format 3\x00", "an SQLite database", ""},
	{0, "\x89PNG", "a PNG image", ""},
	{0, "%PDF-", "a PDF document", ""},
	{0, "~Module signature appended~", "a module's signature without the module", ""},
	{0, "\x30\x82", "DER data (a certificate or a detached signature)", ""},
}

const (
	link        = "let the linker make an ELF file of it (for a kernel's build: make M=DIR modules)"
	noLivepatch = "32-bit ARM has no livepatching"
	machO       = "a Mach-O file (macOS)"
	aOut        = "an a.out file"
	elfOnly     = "build for Linux, which makes ELF files"
)

// Of returns what the file is whose contents are b; Enough bytes of them will do.
func Of(b []byte) Kind {
	if len(b) == 0 {
		return Kind{"an empty file", ""}
	}
	if bytes.HasPrefix(b, []byte(elf.ELFMAG)) {
		return ofELF(b)
	}
	for _, m := range magics {
		if len(b) >= m.at+len(m.magic) && string(b[m.at:m.at+len(m.magic)]) == m.magic {
			return Kind{m.what, m.do}
		}
	}
	if k, ok := ofPE(b); ok {
		return k
	}
	if isSkippable(b) {
		return Kind{"a skippable frame of zstd or lz4", "unpack it: zstd -d"}
	}
	if len(b) >= 13 && b[0] == 0x5d && b[1] == 0 && b[2] == 0 {
		return Kind{"an lzma file", "unpack it: xz --format=lzma -d"}
	}
	if len(bytes.Trim(b, "\x00")) == 0 {
		return Kind{fmt.Sprintf("a file that begins with %d zero bytes", len(b)),
			"copy it again: its contents were lost"}
	}
	return ofText(b)
}

// Binary is Of, and reports whether b is not text.
func Binary(b []byte) (Kind, bool) {
	return Of(b), len(b) > 0 && !isText(b[:min(len(b), 4096)]) &&
		!bytes.HasPrefix(b, []byte("\xff\xfe")) && !bytes.HasPrefix(b, []byte("\xfe\xff"))
}

// isSkippable reports whether b begins with a skippable frame of zstd (RFC 8878, 3.1.2); the
// lz4 frame format has the same.
func isSkippable(b []byte) bool {
	return len(b) >= 4 && binary.LittleEndian.Uint32(b)&^0xf == 0x184d2a50
}

// ofPE recognises programs of Windows and UEFI (PE format, "MS-DOS Stub").
func ofPE(b []byte) (Kind, bool) {
	if len(b) < 0x40 || string(b[:2]) != "MZ" {
		return Kind{}, false
	}
	at := uint64(binary.LittleEndian.Uint32(b[0x3c:]))
	if at+24 > uint64(len(b)) || string(b[at:at+4]) != "PE\x00\x00" {
		return Kind{"an MS-DOS or PE program", elfOnly}, true
	}
	sections := b[at+24:]
	if bytes.Contains(sections[:min(len(sections), 4096)], []byte(".linux\x00\x00")) {
		return Kind{"a unified kernel image (UKI)",
			"take the kernel out: objcopy -O binary -j .linux FILE vmlinuz"}, true
	}
	return Kind{"a PE file (UEFI or Windows)", elfOnly}, true
}

// A Section is what LTO needs of a section.
type Section struct {
	Name string
	Size uint64 // 0 when it has no contents
	Code bool   // SHF_EXECINSTR
}

// LTO reports whether an object file has gcc's intermediate code and no other
// (-flto without -ffat-lto-objects): it has no machine code before it is linked.
func LTO(sections []Section) bool {
	slim := false
	for _, s := range sections {
		slim = slim || strings.HasPrefix(s.Name, ".gnu.lto_")
		if s.Code && s.Size > 0 {
			return false
		}
	}
	return slim
}

// SlimLTO is the kind of a file of which LTO reports true.
var SlimLTO = Kind{"a slim LTO object of gcc (.gnu.lto_ sections, no machine code)",
	"link it, or compile with -fno-lto or -ffat-lto-objects"}

// ofELF returns the kind by e_type and, of an object file, by its sections.
func ofELF(b []byte) Kind {
	if len(b) < 20 {
		return Kind{"an ELF file that ends within its header", "copy it again"}
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if elf.Data(b[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	switch t := elf.Type(order.Uint16(b[16:])); t {
	case elf.ET_REL:
		if LTO(elfSections(b)) {
			return SlimLTO
		}
		return Kind{"an ELF object file", ""}
	case elf.ET_EXEC:
		return Kind{"an ELF executable or a vmlinux", ""}
	case elf.ET_DYN:
		return Kind{"an ELF program, shared library or vmlinux", ""}
	case elf.ET_CORE:
		return Kind{"an ELF core dump", ""}
	default:
		return Kind{fmt.Sprintf("an ELF file of type %d", t), ""}
	}
}

// elfSections returns the sections that can be read.
func elfSections(b []byte) (all []Section) {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	for _, s := range f.Sections {
		x := Section{s.Name, s.Size, s.Flags&elf.SHF_EXECINSTR != 0}
		if s.Type == elf.SHT_NOBITS {
			x.Size = 0
		}
		all = append(all, x)
	}
	return all
}

// Kinds of text, by the beginning of the first line that is not blank, in lower case.
var texts = []struct{ prefix, what, do string }{
	{"version https://git-lfs.github.com/spec/",
		"a Git LFS pointer: the file itself was not fetched", "fetch it: git lfs pull"},
	{"/annex/objects/", "a git-annex pointer: the file itself was not fetched",
		"fetch it: git annex get"},
	{"<!doctype html", html, saved},
	{"<html", html, saved},
	{"<?xml", "XML", saved},
	{"<!doctype", "a web page or XML", saved},
	{"#!", "a script", ""},
	{"diff --git ", "a patch", "apply it and build the module"},
	{"diff -", "a patch", "apply it and build the module"},
	{"--- a/", "a patch", "apply it and build the module"},
	{"from mboxrd", "a mail", ""},
	{"-----begin ", "a PEM file (a key, a certificate or a signature)", ""},
	{"# automatically generated file; do not edit",
		"a kernel configuration or a makefile of the build", ""},
	{"# generated by depmod", "a list of depmod", ""},
	{"config_", "a kernel configuration", ""},
	{"cmd_", "a .cmd file of Kbuild", "name the file that it describes"},
	{"savedcmd_", "a .cmd file of Kbuild", "name the file that it describes"},
	{"kernel/", "a list of modules (modules.order, modules.builtin or modules.dep)", ""},
	{"script started on ", "a recording of script(1)", ""},
}

const (
	html  = "a web page (HTML)"
	saved = "download the file itself: a page was saved in its place"
)

// ofText returns the kind of text, or of data in no known format.
func ofText(b []byte) Kind {
	mark := ""
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		b, mark = b[3:], " (UTF-8 with a byte order mark)"
	case bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")):
		return Kind{"UTF-16 text", "save it as UTF-8 or ASCII"}
	}
	line := ""
	number := 0
	for i, l := range strings.Split(string(b[:min(len(b), Enough)]), "\n") {
		if l = strings.TrimSpace(l); l != "" {
			line, number = l, i+1
			break
		}
	}
	if !isText(b[:min(len(b), 4096)]) {
		return Kind{fmt.Sprintf("data of no known format (begins with % x)", b[:min(len(b), 8)]),
			""}
	}
	if line == "" {
		return Kind{"text of blank lines only" + mark, ""}
	}
	low := strings.ToLower(line)
	for _, t := range texts {
		if strings.HasPrefix(low, t.prefix) {
			return Kind{t.what + mark, t.do}
		}
	}
	if len(line) > 40 {
		line = strings.ToValidUTF8(line[:40], "") + "…"
	}
	what := "text"
	for _, t := range []struct{ prefix, what string }{{"/*", "source text"}, {"//", "source text"},
		{"#include", "source text"}, {"{", "JSON or other text"}} {
		if strings.HasPrefix(low, t.prefix) {
			what = t.what
		}
	}
	return Kind{fmt.Sprintf("%s%s (line %d: %q)", what, mark, number, line), ""}
}

// isText reports whether b, which may end within a character, is text.
func isText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1 && len(b) >= utf8.UTFMax && b[0] < 0xa0:
			return false
		case r < ' ' && !strings.ContainsRune("\t\n\v\f\r\x1b\b", r), r == 0x7f:
			return false
		}
		b = b[n:]
	}
	return true
}
