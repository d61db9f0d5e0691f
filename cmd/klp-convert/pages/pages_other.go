// SPDX-License-Identifier: GPL-2.0-or-later

//go:build !linux

package pages

// Expect does nothing: only Linux is asked.
func Expect(int64) {}

// Release does nothing, too: MADV_DONTNEED means other things elsewhere.
func Release([]byte) {}
