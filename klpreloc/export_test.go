// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

// What tests reach without going through a file.
var (
	CheckPath  = checkPath
	ParseLabel = parseLabel
)
