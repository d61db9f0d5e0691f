// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

// What tests reach without going through a file.
var (
	CheckObject = checkObject
	CheckName   = checkName
	CheckPath   = checkPath
	ParseLabel  = parseLabel
	Versioned   = versioned
	SectionName = sectionName
)
