// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"fmt"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
)

// The loader of kernels without elf_validity_check (kernel.Loader.ELFValidity), in the order of
// load_module in kernel/module.c of 4.19.78: elf_header_check has looked at the ELF header, and
// prints nothing. setup_load_info looks for sections by name, rewrite_section_headers at where
// they end. Nothing looks at section 0, at the table of section names or at the indices of
// tables: what is there is read as it is.

// unvalidatedSteps are the checks of such a kernel.
var unvalidatedSteps = []elfStep{checkNameTableIndex, checkUnvalidatedSections, checkTruncated,
	checkSizeOfSectionZero, checkSymbolTableLink, checkUnvalidatedNames, checkSymbolNumbers}

// checkNameTableIndex: the header of the table of section names is read wherever e_shstrndx
// leads, and the table wherever its sh_offset does.
func checkNameTableIndex(m *view, _ *facts, img *image) (out result) {
	switch n := img.nameTable; {
	case n >= img.count && !img.isHeaderUnmapped(uint16(n)):
		out.end(notRead("the header of the section name table is after the section headers"))
	case n >= img.count, img.offset(n) >= img.mapped(), img.hasNameUnmapped():
		out.end(problem(diag.BadELF, "the section name table is past the end of the file, and the "+
			"kernel reads it there").fix("build it again").
			when(diag.Loading, "", "killed", oops("page fault", "")))
	case n > 0 && img.size(n) == 0:
		out.end(notRead("the section name table has size 0, which the kernel does not look at"))
	}
	return out
}

// hasNameUnmapped reports whether find_sec runs into a name that is not in memory while it
// looks for .modinfo.
func (img *image) hasNameUnmapped() bool {
	for i := 1; i < img.count; i++ {
		if img.flags(i)&uint64(elf.SHF_ALLOC) == 0 {
			continue
		}
		if img.isUnmapped(img.nameTable, img.nameAt(i)) {
			return true
		}
		if img.name(i) == ".modinfo" {
			break
		}
	}
	return false
}

// checkSizeOfSectionZero: a table that the module does not have is found in section 0, at address
// 0 (section_objs); the first is __ksymtab, for whose symbols there are no checksums. Seen on
// 4.19.78.
func checkSizeOfSectionZero(m *view, k *facts, img *image) (out result) {
	const symbol = 8 // struct kernel_symbol, of distances
	if img.size(0) < symbol || img.find("__ksymtab") != 0 {
		return
	}
	f := problem(diag.BadELF, "section 0 has a size: the kernel reads the tables that the module "+
		"does not have at address 0").fix("build it again")
	message := says("%s: no versions for exported symbols: kernel tainted.", m.name)
	switch force, known := k.set("MODULE_FORCE_LOAD"); {
	case !k.modversions:
		out.end(f.when(diag.Loading, "", "killed", oops("page fault", "")))
	case known && !force:
		out.end(f.when(diag.Loading, "", "ENOEXEC"))
	default:
		out.end(f.when(diag.Loading, "", "killed", message, oops("page fault", "")))
	}
	return out
}

// notRead makes the finding of a file that the kernel reads from memory that is not known.
func notRead(cause string) finding {
	return problem(diag.BadELF, cause+": the module was not judged").fix("build it again").
		when(diag.Loading, "", "")
}

// checkUnvalidatedSections follows setup_load_info: the first symbol table, and struct module
// among what is loaded (find_sec).
func checkUnvalidatedSections(m *view, k *facts, img *image) (out result) {
	name := any(m.name)
	if m.name == "" || img.find(".modinfo") == 0 {
		// 4.19.78 has the first, later ones the second; a null pointer without name=.
		name = blank{"(missing .modinfo section)",
			`(\(missing \.modinfo (section or name field|section|name field)\)|\(null\))`}
	}
	if img.symtab() == 0 {
		return refused(m, k, "%s: module has no symbols (stripped?)", name)
	}
	this := img.find(sympos.ThisModule)
	if this == 0 {
		return refused(m, k, "%s: No module found in object", name)
	}
	return out
}

// find returns the first section of that name that is loaded, 0 when there is none.
func (img *image) find(name string) int {
	for i := 1; i < img.count; i++ {
		if img.flags(i)&uint64(elf.SHF_ALLOC) != 0 && img.name(i) == name {
			return i
		}
	}
	return 0
}

// symtab returns the first symbol table, 0 when there is none.
func (img *image) symtab() int {
	for i := 1; i < img.count; i++ {
		if img.kind(i) == elf.SHT_SYMTAB {
			return i
		}
	}
	return 0
}

// checkTruncated follows rewrite_section_headers: the sum is not checked for overflow, and
// sections of type SHT_NULL count.
func checkTruncated(m *view, k *facts, img *image) (out result) {
	for i := 1; i < img.count; i++ {
		if img.kind(i) == elf.SHT_NOBITS || img.offset(i)+img.size(i) <= uint64(len(img.b)) {
			continue
		}
		out.end(problem(diag.BadELF, fmt.Sprintf("section %d, %s, extends past the end of the file", i,
			diag.Printable(img.name(i)))).
			fix("build it again; nothing but klp-convert and the signature may follow modpost").
			when(diag.Loading, "", "ENOEXEC", says("Module len %s truncated", len(img.b))))
		return out
	}
	return checkStruct(m, k, img, img.find(sympos.ThisModule), m.name)
}

// checkSymbolTableLink: the names of symbols are read from whatever section sh_link leads to.
func checkSymbolTableLink(m *view, _ *facts, img *image) (out result) {
	link := img.link(img.symtab())
	switch {
	case link == 0:
		out.end(notRead("the symbol table has no table of names, and the kernel reads them from the " +
			"beginning of the file"))
	case int64(link) >= int64(img.count):
		out.end(notRead("the symbol table's table of names is a section that does not exist"))
	}
	return out
}

// checkUnvalidatedNames: all section names are compared with others (module_finalize).
func checkUnvalidatedNames(_ *view, _ *facts, img *image) result { return checkNamesInFile(img) }
