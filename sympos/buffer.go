// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

// hugeFrom is the size from which buffers are of huge pages. Half of the time to read a kernel
// was that of the system giving it its first 16,000 pages of 4 KiB.
const hugeFrom = 4 << 20

// newBuffer returns an empty buffer with room for size bytes.
func newBuffer(size int64) []byte {
	b := make([]byte, 0, size)
	if size >= hugeFrom {
		useHugePages(b[:size])
	}
	return b
}
