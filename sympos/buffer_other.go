// SPDX-License-Identifier: GPL-2.0-or-later

//go:build !linux

package sympos

// useHugePages does nothing: only Linux is asked.
func useHugePages([]byte) {}
