// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// A kernel image is what a boot loader loads. Debian's System.map is a stub and a
// vmlinux is in a package of a gigabyte, but the image is always installed, and it has
// the table that the running kernel uses:
//
//	x86_64   bzImage: setup code, whose header says where the packed kernel is
//	         (Documentation/arch/x86/boot.rst, payload_offset), an ELF file
//	arm64    Image, not packed (Documentation/arch/arm64/booting.rst), or packed
//	         as a whole; EFI zboot: a PE file whose header says where the packed Image is
//	         (drivers/firmware/efi/libstub/zboot-header.S)
//	loongarch64  vmlinux.efi, not packed (arch/loongarch/kernel/head.S), or EFI zboot
//	s390x    the unpacker, with the packed kernel somewhere in it
//	ppc64le  an ELF file; one that still has its symbol table is read as a vmlinux. A
//	         zImage is an ELF file too, of the boot loader, with the packed kernel in a
//	         section (arch/powerpc/boot/wrapper)
//
// The packed kernel is unpacked, and the tables in it are found by their form
// (ktable.go).

const (
	bzMagic    = "HdrS"    // at 0x202, boot protocol 2.00 and up
	zbootMagic = "zimg"    // at 4
	armMagic   = "ARM\x64" // at 0x38
	// loongMagic is at 0x38 (include/linux/pe.h, LINUX_PE_MAGIC); bzImages may have it too.
	loongMagic = "\xcd\x23\x82\x81"
	s390Magic  = "S390EP" // at 0x10008
	// maxTries bounds how many places that look like packed data are tried
	// in an image that does not say where its kernel is.
	maxTries = 16
)

// hasMagicAt reports whether head has magic at off.
func hasMagicAt(head []byte, off int, magic string) bool {
	return len(head) >= off+len(magic) && string(head[off:off+len(magic)]) == magic
}

func isImage(head []byte) bool {
	return hasMagicAt(head, 0x202, bzMagic) || hasMagicAt(head, 4, zbootMagic) ||
		hasMagicAt(head, 0x38, armMagic) || hasMagicAt(head, 0x38, loongMagic) ||
		hasMagicAt(head, 0x10008, s390Magic)
}

// scanImage visits the symbols of a kernel image.
func scanImage(in *input, visit func(*Entry)) (Facts, error) {
	if in.size < 0 {
		return Facts{}, in.errorf("", -1, "kernel image of unknown size")
	}
	b, err := in.bytes(0, uint64(in.size), maxUnpacked)
	if err != nil {
		return Facts{}, in.errorf("", -1, "kernel image: %w", err)
	}
	var (
		kernel []byte
		how    string
	)
	switch {
	case hasMagicAt(b, 0x202, bzMagic):
		kernel, how, err = unpackBzImage(b)
	case hasMagicAt(b, 4, zbootMagic):
		kernel, how, err = unpackZboot(b)
	case hasMagicAt(b, 0x38, armMagic), hasMagicAt(b, 0x38, loongMagic):
		kernel, how = b, "not packed"
	default:
		return searchImage(in, b, visit)
	}
	if err != nil {
		return Facts{}, in.errorf("", -1, "kernel image: %w", err)
	}
	facts, err := scanKernel(in, kernel, visit)
	facts.Notes = append(facts.Notes, "kernel: "+how)
	return facts, err
}

// wrappedKernel is how arch/powerpc/boot/wrapper calls the section with the kernel.
const wrappedKernel = ".kernel:vmlinux"

// findWrapped returns the number of the section of a zImage that has the kernel, or -1.
func (f *elfFile) findWrapped() int {
	for i := range f.sections {
		if strings.HasPrefix(f.name(i), wrappedKernel) {
			return i
		}
	}
	return -1
}

// scanWrapper visits the symbols of the kernel in a zImage. The ELF file's own symbols are
// those of the boot loader.
func (f *elfFile) scanWrapper(section int, visit func(*Entry)) (Facts, error) {
	b, err := f.contents(section, "packed kernel")
	if err != nil {
		return Facts{}, err
	}
	how := "not packed"
	if !isELF(b) {
		if b, how, err = unpack(b, 0, uint64(len(b))); err != nil {
			return Facts{}, f.in.errorf(f.name(section), -1, "zImage: %w", err)
		}
	}
	facts, err := scanKernel(f.in, b, visit)
	facts.Notes = append(facts.Notes, "kernel: in section "+f.name(section)+" of a zImage, "+how)
	return facts, err
}

// scanKernel visits the symbols in the tables of an unpacked kernel.
func scanKernel(in *input, kernel []byte, visit func(*Entry)) (Facts, error) {
	k, err := findTables(kernel)
	if err != nil {
		return Facts{}, in.errorf("", -1, "kernel image: %w", err)
	}
	return k.scan(in, visit)
}

// unpackBzImage unpacks the kernel of an x86 image.
func unpackBzImage(b []byte) (kernel []byte, how string, err error) {
	if len(b) < 0x250 {
		return nil, "", io.ErrUnexpectedEOF
	}
	le := binary.LittleEndian
	if version := le.Uint16(b[0x206:]); version < 0x208 {
		return nil, "", fmt.Errorf("boot protocol %d.%02d does not say where the kernel is",
			version>>8, version&0xff)
	}
	sectors := uint64(b[0x1f1])
	if sectors == 0 {
		sectors = 4
	}
	off := (sectors+1)*512 + uint64(le.Uint32(b[0x248:]))
	size := uint64(le.Uint32(b[0x24c:]))
	return unpack(b, off, size)
}

// unpackZboot unpacks the kernel of an EFI zboot image.
func unpackZboot(b []byte) (kernel []byte, how string, err error) {
	if len(b) < 0x20 {
		return nil, "", io.ErrUnexpectedEOF
	}
	return unpack(b, uint64(binary.LittleEndian.Uint32(b[8:])),
		uint64(binary.LittleEndian.Uint32(b[12:])))
}

// unpack unpacks what b has at off. The packed data may be followed by 4
// bytes with the size of its contents (scripts/Makefile.lib, size_append).
func unpack(b []byte, off, size uint64) ([]byte, string, error) {
	if off > uint64(len(b)) || size > uint64(len(b))-off {
		return nil, "", fmt.Errorf("the packed kernel, %#x bytes at %#x, is not in the file, "+
			"which has %#x: it was cut short: %w",
			size, off, len(b), io.ErrUnexpectedEOF)
	}
	p := b[off : off+size]
	c := compressionOf(p)
	if c == nil {
		return nil, "", fmt.Errorf("packed kernel at %#x: %w", off, unknownCompression(p))
	}
	out, _, err := c.unpack(p, maxUnpacked)
	if err != nil {
		return nil, "", fmt.Errorf("packed kernel at %#x: %s: %w", off, c.name,
			explainEOF(err, len(p)))
	}
	return out, c.name, nil
}

func unknownCompression(p []byte) error {
	if hasMagicAt(p, 0, "\x89LZO") {
		return fmt.Errorf("lzo is not supported")
	}
	return fmt.Errorf("begins with % x, which is not a known compression", p[:min(len(p), 6)])
}

// searchImage finds the packed kernel in an image whose header does not say where it is.
func searchImage(in *input, b []byte, visit func(*Entry)) (Facts, error) {
	if k, err := findTables(b); err == nil {
		return k.scan(in, visit)
	}
	tries := 0
	for off := 0; off < len(b) && tries < maxTries; off++ {
		c := compressionOf(b[off:min(len(b), off+16)])
		if c == nil || !hasMagicAt(b, off, c.magic) || c.name == "lzma" {
			continue // the magic is too short
		}
		tries++
		out, _, err := c.unpack(b[off:], maxUnpacked)
		if err != nil {
			continue
		}
		k, err := findTables(out)
		if err != nil {
			continue
		}
		facts, err := k.scan(in, visit)
		facts.Notes = append(facts.Notes, fmt.Sprintf("kernel: %s, at %#x", c.name, off))
		return facts, err
	}
	return Facts{}, in.errorf("", -1, "kernel image: no packed kernel with symbols found in it")
}
