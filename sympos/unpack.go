// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import "fmt"

// UnpackKernel returns the kernel that an x86 image or an EFI zboot image packs: an
// ELF file, or arm64's Image.
func UnpackKernel(image []byte) ([]byte, error) {
	var (
		kernel []byte
		err    error
	)
	switch {
	case magicAt(image, 0x202, bzMagic):
		kernel, _, err = bzPayload(image)
	case magicAt(image, 4, zbootMagic):
		kernel, _, err = zbootPayload(image)
	default:
		err = fmt.Errorf("not an image that says where its kernel is")
	}
	if err != nil {
		return nil, fmt.Errorf("kernel image: %w", err)
	}
	return kernel, nil
}
