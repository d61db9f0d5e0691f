// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import "fmt"

// UnpackKernel returns the kernel that is packed in an x86 image or an EFI zboot image: an
// ELF file, or arm64's Image.
func UnpackKernel(image []byte) ([]byte, error) {
	var (
		kernel []byte
		err    error
	)
	switch {
	case hasMagicAt(image, 0x202, bzMagic):
		kernel, _, err = unpackBzImage(image)
	case hasMagicAt(image, 4, zbootMagic):
		kernel, _, err = unpackZboot(image)
	default:
		err = fmt.Errorf("not an image whose header says where its kernel is")
	}
	if err != nil {
		return nil, fmt.Errorf("kernel image: %w", err)
	}
	return kernel, nil
}
