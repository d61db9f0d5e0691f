// SPDX-License-Identifier: GPL-2.0-or-later

package proof

import "github.com/klp-convert/klp-convert/klpreloc/kernel"

// Claims are what a conversion rests on beside the module: what a kernel's symbols said, and
// flags of the command line.
type Claims struct {
	Looked  []Lookup
	Lists   []List   // annotations that are beside the module, as they are written
	Targets []string // MODULE:ID, builds of livepatched modules, which .modinfo gets
	Depends []string // modules that nothing needs any more, which leave depends=
	Scheme  kernel.Scheme
	Unsafe  bool // klp relocations may be where they can't work
	// KeepInert says that no entry was dropped because it can't work.
	KeepInert bool
}

// Lookup says what an undefined symbol is that carries no annotation, or one without a
// position.
type Lookup struct {
	Num      int // of the symbol in the module before conversion (elfrw.Symbol.Num)
	LPObject string
	Object   string
	Name     string
	Pos      uint32
}
