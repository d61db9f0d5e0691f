// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import "github.com/klp-convert/klp-convert/klpreloc"

// titles say in a few words what each id stands for; docs/check.md has more.
var titles = map[klpreloc.ID]string{
	BadELF:            "not an ELF file that the loader takes",
	BadSignature:      "signature missing or malformed",
	NotConverted:      "annotations that are not converted",
	NotMarked:         "not marked as a livepatch",
	NoSupport:         "kernel without livepatching",
	VersionMagic:      "vermagic of another kernel",
	StructModule:      "struct module of another size",
	ModuleName:        "module name that can't be",
	InitOffset:        "init or exit elsewhere in struct module",
	UnknownSymbol:     "undefined symbol that nobody exports",
	WeakImport:        "weak undefined symbol, bound to 0",
	GPLOnly:           "license keeps the module from exports",
	Namespace:         "namespace not imported",
	Checksum:          "checksum of another kernel",
	NeedsModule:       "export of a module that has to be loaded before",
	SymbolIndex:       "symbol in a section that there is not",
	CommonSymbol:      "common symbol",
	SectionGrammar:    "klp section name that can't be read",
	SectionHeader:     "klp section header",
	NotApplied:        "klp section that is never applied",
	SymbolGrammar:     "klp symbol name that can't be read",
	NotKlpSymbol:      "klp relocation of an ordinary symbol",
	KlpSymbolOrdinary: "ordinary relocation of a klp symbol",
	VmlinuxInModule:   "vmlinux symbol in a section for a module",
	ModuleInVmlinux:   "module's symbol in a section for vmlinux",
	NoSymbol:          "klp symbol that is not there",
	AmbiguousSymbol:   "ambiguous klp symbol",
	NoPosition:        "no such position",
	UnsteadyPosition:  "position that depends on what is loaded",
	ForeignOwner:      "symbol of a module that need not be there",
	RelocationType:    "relocation type that is not applied",
	NonzeroTarget:     "bytes to be relocated are not zero",
	Overlap:           "two relocations of one place",
	OutsideTarget:     "relocation behind the end of its section",
	DuplicateSection:  "two loaded sections of one name",
	PatchStructure:    "klp_patch that the kernel refuses",
	NoFunction:        "function to be patched is not there",
	AmbiguousFunction: "function to be patched is ambiguous",
	FunctionPosition:  "function to be patched has no such position",
	NotPatchable:      "function without an ftrace entry",
	LateSpecial:       "special section read before its relocation",
	ArchSection:       ".klp.arch section that the kernel does not read",
	LateInit:          "late relocation of freed memory",
	LateReadOnly:      "late store into read-only memory",
	Reload:            "target can't be loaded a second time",
	PerCPU:            "klp relocation of per-CPU data",
	NoTarget:          "kernel without that module",
	CallSequence:      "call without a nop behind it",
	PLTSections:       "sections for jump tables missing",
	NotALivepatch:     "no livepatch",
	DuplicateExport:   "export that is there already",
	BadTable:          "table of a size that can't be",
}

// Title says in a few words what an id stands for, "" for one that is not this package's.
func Title(id klpreloc.ID) string { return titles[id] }
