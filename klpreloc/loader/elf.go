// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"bytes"
	"debug/elf"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/content"
)

// The loader's own look at the file, before it believes anything
// (kernel/module/main.c, elf_validity_check, since 6.13 elf_validity_cache_copy and what
// it calls; before 5.18 kernel/module.c). It reads the bytes and not our model of them:
// what the model can't represent is what is judged here.

// An image is the file as the loader reads it: 64-bit, in the machine's byte order.
type image struct {
	b         []byte
	order     binary.ByteOrder
	count     int // e_shnum
	table     []byte
	names     []byte // contents of the section name table
	nameTable int    // e_shstrndx
}

const (
	ehdrSize = 64
	shdrSize = 64
)

func orderOf(d elf.Data) binary.ByteOrder {
	if d == elf.ELFDATA2MSB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (img *image) header(i int) []byte { return img.table[i*shdrSize:] }

func (img *image) kind(i int) elf.SectionType {
	return elf.SectionType(img.order.Uint32(img.header(i)[4:]))
}
func (img *image) flags(i int) uint64  { return img.order.Uint64(img.header(i)[8:]) }
func (img *image) offset(i int) uint64 { return img.order.Uint64(img.header(i)[24:]) }
func (img *image) size(i int) uint64   { return img.order.Uint64(img.header(i)[32:]) }
func (img *image) link(i int) uint32   { return img.order.Uint32(img.header(i)[40:]) }
func (img *image) info(i int) int      { return int(img.order.Uint32(img.header(i)[shInfo:])) }
func (img *image) nameAt(i int) uint32 { return img.order.Uint32(img.header(i)) }

// name is the section's name, "" where it has none that can be read.
func (img *image) name(i int) string {
	at := uint64(img.nameAt(i))
	if at >= uint64(len(img.names)) {
		return ""
	}
	name, _, _ := bytes.Cut(img.names[at:], []byte{0})
	return string(name)
}

// inside reports whether the section's contents are in the file
// (validate_section_offset).
func (img *image) inside(i int) bool {
	off, size := img.offset(i), img.size(i)
	return off+size >= off && off+size <= uint64(len(img.b))
}

// contents of a section that is inside.
func (img *image) contents(i int) []byte {
	return img.b[img.offset(i) : img.offset(i)+
		img.size(i)]
}

// openImage returns the file, without its signature, as the loader reads it; nil where its
// header does not let it, or where it is for 32-bit kernels. validated says whether the loader
// has made sure that section names are in their table; otherwise it reads what follows, too.
func openImage(b []byte, validated bool) *image {
	if len(b) < ehdrSize {
		return nil
	}
	img := &image{b: b, order: orderOf(byteOrder(b))}
	off := img.order.Uint64(b[40:])
	img.count = int(img.order.Uint16(b[60:]))
	if elf.Machine(img.order.Uint16(b[18:])) == elf.EM_PPC || img.order.Uint16(b[58:]) != shdrSize ||
		off >= uint64(len(b)) || uint64(img.count)*shdrSize > uint64(len(b))-off {
		return nil
	}
	img.table = b[off : off+uint64(img.count)*shdrSize]
	img.nameTable = int(img.order.Uint16(b[62:]))
	switch n := img.nameTable; {
	case n >= img.count:
	case !validated && img.offset(n) < uint64(len(b)):
		img.names = b[img.offset(n):]
	case validated && n > 0 && img.inside(n):
		img.names = img.contents(n)
	}
	return img
}

// An elfStep is one of the checks of elf_validity_check.
type elfStep func(m *view, k *facts, img *image) result

// elfSteps returns them in the kernel's order.
func elfSteps(k *facts) []elfStep {
	if !k.ELFValidity {
		return unvalidatedSteps
	}
	first := []elfStep{checkSectionNames, checkSectionZero, checkBounds}
	if k.ELFStrict {
		first = []elfStep{checkSectionZero, checkBounds, checkSectionNames}
	}
	return append(first, checkUniqueSections, checkExtendedVersions, checkStringTable,
		checkWriteOrExecute, checkSymbolNumbers)
}

// checkELF ends the check of a file that the loader refuses, or that elfrw does not read.
func checkELF(m *view, k *facts) (out result) {
	b := k.unsigned(m.raw)
	if len(b) < ehdrSize {
		return refused(m, k, "Invalid ELF header len %s", len(b))
	}
	order := orderOf(byteOrder(b))
	kind, machine := order.Uint16(b[16:]), elf.Machine(order.Uint16(b[18:]))
	switch {
	case string(b[:4]) != elf.ELFMAG:
		return refused(m, k, "Invalid ELF header magic: != %s", blank{`\x7fELF`, `.{1,4}ELF`})
	case kind != uint16(elf.ET_REL):
		return refused(m, k, "Invalid ELF header type: %s != %s", kind, uint16(elf.ET_REL))
	case k.witness != nil && machine != k.witness.Header.Machine || !k.supported(machine):
		cause := "the module was built for " + strings.TrimPrefix(machine.String(), "EM_")
		if k.witness != nil {
			cause += ", the kernel for " + strings.TrimPrefix(k.witness.Header.Machine.String(), "EM_")
		}
		return elsewhere(k, cause, "Invalid architecture in ELF header: %s", machine)
	case (machine == elf.EM_S390 || machine == elf.EM_LOONGARCH) &&
		elf.Class(b[elf.EI_CLASS]) != elf.ELFCLASS64: // elf_check_arch
		return refused(m, k, "Invalid architecture in ELF header: %s", uint16(machine))
	case machine == elf.EM_PPC64 && k.ABILevel && order.Uint32(b[48:])&3 != 2:
		return elsewhere(k, fmt.Sprintf("e_flags is %#x: not a module of ABI version 2",
			order.Uint32(b[48:])), "Invalid module architecture in ELF header: %s", machine)
	case machine == elf.EM_PPC:
		out.notChecked("what the loader of a 32-bit kernel makes of the ELF file", "this tool knows "+
			"64-bit kernels' only")
	case order.Uint16(b[58:]) != shdrSize:
		return refused(m, k, "Invalid ELF section header size")
	case m.image == nil:
		return refused(m, k, "Invalid ELF section header overflow")
	default:
		for _, step := range elfSteps(k) {
			if out.join(step(m, k, m.image)); out.ends {
				return out
			}
		}
	}
	if m.broken != nil {
		// Nothing is judged of a file that elfrw does not read: that must not pass for "loads".
		out.end(problem(diag.BadELF, "the module was not judged: this tool "+
			"can't read the file: "+m.broken.Error()).
			fix("build it again; nothing but klp-convert and the signature may follow modpost").
			when(diag.Loading, "", ""))
	}
	return out
}

// elsewhere is what comes of a file that was built for another architecture, or another ABI of it.
func elsewhere(k *facts, cause, format string, machine elf.Machine) (out result) {
	out.end(finding{Diagnostic: diag.Diagnostic{ID: diag.BadELF, Severity: diag.Error,
		Message: cause}}.
		fix("build it for the kernel's architecture").when(diag.Loading, "", "ENOEXEC",
		elfMessages(k, format, uint16(machine))...))
	return out
}

// refused is what comes of a file for which the kernel prints the message and returns
// ENOEXEC; format is "" where it prints none.
func refused(m *view, k *facts, format string, args ...any) (out result) {
	const cause = "the loader does not accept the file as a module"
	f := problem(diag.BadELF, cause)
	if m.broken != nil {
		f = problem(diag.BadELF, cause+": "+m.broken.Error())
	}
	is := content.Of(m.raw)
	if errors.Is(m.broken, elfrw.ErrNotELF) || errors.Is(m.broken, elfrw.ErrNotRelocatable) ||
		is == content.SlimLTO {
		f.Message += diag.Printable(": it is " + is.What)
		if is.Do != "" {
			f = f.fix("%s", is.Do)
		}
	}
	out.end(f.fix("build it again; nothing but klp-convert and the signature may follow modpost").
		when(diag.Loading, "", "ENOEXEC", elfMessages(k, format, args...)...))
	return out
}

// elfMessages returns what a kernel prints of a file whose ELF structures are wrong.
func elfMessages(k *facts, format string, args ...any) (messages []diag.KernelMessage) {
	// Those of setup_load_info are older than the others.
	setup := strings.HasSuffix(format, "module has no symbols (stripped?)") ||
		strings.HasSuffix(format, "No module found in object")
	old := strings.HasPrefix(format, "Invalid ELF section in module") ||
		strings.HasPrefix(format, "Invalid ELF section name in module")
	if format != "" && (k.ELFMessages || setup || old && k.ELFValidity) {
		messages = append(messages, says(format, args...))
	}
	if !k.ELFMessages && k.ELFValidity && !setup {
		messages = append(messages, says("Module has invalid ELF structures"))
	}
	return messages
}

// supported reports whether any kernel has livepatching on the machine.
func (k *facts) supported(machine elf.Machine) bool {
	_, known := k.Livepatching[machine]
	return known
}

// checkSectionNames: the section name table.
func checkSectionNames(m *view, k *facts, img *image) (out result) {
	names := img.nameTable
	if names == 0 || names >= img.count {
		return refused(m, k, "Invalid ELF section name index: %s || e_shstrndx "+
			"(%s) >= e_shnum (%s)", names, names, img.count)
	}
	switch {
	case !img.inside(names):
		return refused(m, k, "Invalid ELF section hdr(type %s)", uint32(img.kind(names)))
	case k.TableTypes && img.kind(names) != elf.SHT_STRTAB:
		return refused(m, k, "Invalid ELF section name table type: %s", uint32(img.kind(names)))
	case img.size(names) == 0 && !k.ELFMessages && img.offset(names) == 0:
		// The kernel tests the byte before the table: here, the byte before the file.
		out.end(problem(diag.BadELF, "the section name table is empty, and is at the "+
			"beginning of the file").fix("build it again").
			when(diag.Loading, "", "killed", oops("page fault", "")))
		return out
	case img.size(names) == 0 && !k.ELFMessages:
		return out // not noticed here, but at the first section that has a name (bounds)
	case img.size(names) == 0:
		return refused(m, k, "empty section name table")
	}
	if img.names[len(img.names)-1] != 0 {
		return refused(m, k, "ELF Spec violation: section name table isn't null terminated")
	}
	if k.ELFStrict {
		return checkNameBounds(m, k, img)
	}
	return out
}

// checkNameBounds: names of sections are in the table.
func checkNameBounds(m *view, k *facts, img *image) (out result) {
	for i := 1; i < img.count; i++ {
		if img.kind(i) != elf.SHT_NULL && uint64(img.nameAt(i)) >= uint64(len(img.names)) {
			return refused(m, k, "Invalid ELF section name in module "+
				"(section %s type %s)", i, uint32(img.kind(i)))
		}
	}
	return out
}

// checkSectionZero: section 0 has to be empty.
func checkSectionZero(m *view, k *facts, img *image) (out result) {
	if img.count > 0 && (img.kind(0) != elf.SHT_NULL || img.size(0) != 0 ||
		img.order.Uint64(img.header(0)[16:]) != 0) {
		return refused(m, k, "ELF Spec violation: section 0 type(%s)!=SH_NULL or "+
			"non-zero len or addr", uint32(img.kind(0)))
	}
	return out
}

// checkBounds: contents in the file, and names of what is loaded.
func checkBounds(m *view, k *facts, img *image) (out result) {
	for i := 1; i < img.count; i++ {
		switch img.kind(i) {
		case elf.SHT_NULL, elf.SHT_NOBITS:
			continue
		case elf.SHT_SYMTAB:
			if !k.ELFStrict && (img.link(i) == 0 || int(img.link(i)) >= img.count) {
				return refused(m, k, "Invalid ELF sh_link!=SHN_UNDEF(%s) or (sh_link(%s) >= "+
					"hdr->e_shnum(%s)", img.link(i), img.link(i), img.count)
			}
		}
		if !img.inside(i) {
			return refused(m, k, "Invalid ELF section in module "+
				"(section %s type %s)", i, uint32(img.kind(i)))
		}
		if !k.ELFStrict && img.flags(i)&uint64(elf.SHF_ALLOC) != 0 &&
			uint64(img.nameAt(i)) >= img.size(img.nameTable) {
			return refused(m, k, "Invalid ELF section name in module "+
				"(section %s type %s)", i, uint32(img.kind(i)))
		}
	}
	return out
}

// checkUniqueSections: .modinfo, struct module and the symbol table.
func checkUniqueSections(m *view, k *facts, img *image) (out result) {
	const unnamed = "(missing .modinfo section or name field)"
	name := m.name
	if name == "" {
		name = unnamed
	}
	var infos, this, tables []int
	for i := 1; i < img.count; i++ {
		switch {
		case img.kind(i) == elf.SHT_SYMTAB:
			tables = append(tables, i)
		case img.name(i) == ".modinfo":
			infos = append(infos, i)
		case img.name(i) == sympos.ThisModule:
			this = append(this, i)
		}
	}
	switch {
	case k.ELFStrict && len(infos) > 1:
		return refused(m, k, "Only one .modinfo section must exist.")
	case k.ELFStrict && len(this) != 1:
		return refused(m, k, "module %s: Exactly one .gnu.linkonce.this_module "+
			"section must exist.", name)
	case len(tables) == 0, k.ELFStrict && len(tables) > 1:
		return refused(m, k, "%s: module has no symbols (stripped?)", name)
	case len(this) == 0:
		return refused(m, k, "%s: No module found in object", name)
	case !k.StructSize && img.flags(this[0])&uint64(elf.SHF_ALLOC) == 0: // find_sec
		return refused(m, k, "%s: No module found in object", name)
	case k.StructSize && len(this) > 1:
		return refused(m, k, "module %s: Only one .gnu.linkonce.this_module section must exist.", name)
	case k.StructSize && img.kind(this[0]) == elf.SHT_NOBITS:
		return refused(m, k, "module %s: .gnu.linkonce.this_module section must have a size set", name)
	case k.StructSize && img.flags(this[0])&uint64(elf.SHF_ALLOC) == 0:
		return refused(m, k, "module %s: .gnu.linkonce.this_module must occupy memory during "+
			"process execution", name)
	}
	return checkStruct(m, k, img, this[0], name)
}

// checkStruct: the section of struct module, and its size.
func checkStruct(m *view, k *facts, img *image, this int, name string) (out result) {
	const readOnly = "struct module is in a section that is not writable"
	switch {
	case img.kind(this) == elf.SHT_NOBITS: // noticed since 6.4; seen in 6.1
		out.end(problem(diag.BadELF, "struct module is in a section without contents, and has no "+
			"pointers").fix("build it again").when(diag.Loading, "", "killed", oops("page fault", "")))
		return out
	case img.flags(this)&uint64(elf.SHF_WRITE) != 0:
	case !k.leavesWritable(m):
		out.end(problem(diag.BadELF, readOnly+", and the kernel writes to it").fix("build it again").
			when(diag.Loading, "", "killed", oops("page fault", "")))
		return out
	case k.StructSize: // its memory is given back before that of .data (free_mod_mem, as of 6.4)
		out.add(problem(diag.BadELF, readOnly+", which the kernel gives back before it is done with "+
			"it").fix("build it again").
			when(diag.Removing, "", "killed", oops("page fault", "free_module")))
	}
	out.join(checkStructSize(k, img.size(this), name))
	return out
}

// checkStructSize: struct module (since 6.4; before, see checkUnseenSize).
func checkStructSize(k *facts, size uint64, name string) (out result) {
	want := k.structSize
	switch {
	case want == 0:
		out.notJudged("the size of struct module", "no module of this kernel is available: give "+
			"--module, or a kernel directory with its modules")
		return out
	case size == want:
		return out
	}
	if k.StructSize {
		out.add(problem(diag.StructModule, fmt.Sprintf("struct module has %d bytes in the file and %d "+
			"in %s of this kernel", size, want, k.witnessName)).
			fix("build the livepatch with this kernel's headers and configuration").
			when(diag.Loading, "", "ENOEXEC", says("module %s: .gnu.linkonce.this_module section size "+
				"must match the kernel's built struct module size at run time", name)))
	}
	return out
}

// checkUnseenSize: before 6.4 the kernel does not check the size of struct module, and reads
// past the end of a shorter one.
func checkUnseenSize(m *view, k *facts) (out result) {
	s := m.file.Section(sympos.ThisModule)
	if k.StructSize || s == nil || k.structSize == 0 || s.Size() == k.structSize {
		return
	}
	if s.Size() > k.structSize {
		out.add(note(diag.StructModule, fmt.Sprintf("struct module has %d bytes in the file and %d in "+
			"%s of this kernel; the kernel does not check this", s.Size(), k.structSize, k.witnessName)).
			fix("build the livepatch with this kernel's headers and configuration").
			when(diag.Loading, "", ""))
		return
	}
	out.add(problem(diag.StructModule, fmt.Sprintf("struct module has %d bytes in the file and %d "+
		"in %s of this kernel; the kernel does not check this, and reads past its end",
		s.Size(), k.structSize, k.witnessName)).
		fix("build the livepatch with this kernel's headers and configuration").
		when(diag.Loading, "", "", oops("page fault", "load_module")))
	return out
}

// leavesWritable reports whether all memory of modules stays writable: CONFIG_STRICT_MODULE_RWX is
// not set, which loongarch64 does not have up to 7.3 (arch/loongarch/Kconfig).
func (k *facts) leavesWritable(m *view) bool {
	strict, known := k.set("STRICT_MODULE_RWX")
	return known && !strict ||
		!known && m.file != nil && m.file.Header.Machine == elf.EM_LOONGARCH
}

// checkWriteOrExecute: module_enforce_rwx_sections (since 5.7, 5c3a7db0c7ec;
// CONFIG_STRICT_MODULE_RWX, which x86, s390x and arm64 always have). Sections that are not
// loaded count too.
func checkWriteOrExecute(m *view, k *facts, img *image) (out result) {
	if !k.EnforcesRWX || k.leavesWritable(m) {
		return out
	}
	for i := 0; i < img.count; i++ {
		if both := uint64(elf.SHF_WRITE | elf.SHF_EXECINSTR); img.flags(i)&both == both {
			out.end(problem(diag.BadELF, "section "+img.name(i)+" is writable and executable").
				fix("build it again").
				when(diag.Loading, "", "ENOEXEC", says("%s: section %s (index %s) has invalid "+
					"WRITE|EXEC flags", m.name, img.name(i), i)))
			return out
		}
	}
	return out
}

// isUnmapped reports whether the kernel faults when it reads a string so far after the start of a
// table: what it holds of the file ends there, and a page that is not mapped follows.
func (img *image) isUnmapped(table int, at uint32) bool {
	return img.offset(table)+uint64(at) >= img.mapped()
}

// mapped is how much memory the file has: whole pages.
func (img *image) mapped() uint64 {
	const page = 4096
	return (uint64(len(img.b)) + page - 1) / page * page
}

// isHeaderUnmapped reports whether the header of a section that does not exist would be after the
// last page of the file.
func (img *image) isHeaderUnmapped(index uint16) bool {
	const shAddr = 16
	return img.order.Uint64(img.b[40:])+uint64(index)*shdrSize+shAddr >= img.mapped()
}

// readsZero reports whether what follows the symbol table, where the kernel looks for this
// symbol, has the value 0. The file is in memory as a whole when it relocates.
func (img *image) readsZero(symtab int, n uint64) bool {
	const value, size = 8, 24
	at := img.offset(symtab) + min(n, 1<<31)*size
	return at+size <= uint64(len(img.b)) && img.order.Uint64(img.b[at+value:]) == 0
}

// checkExtendedVersions: the extended version table (kernel/module/main.c,
// elf_validity_cache_index_versions, since 6.14).
func checkExtendedVersions(m *view, k *facts, img *image) (out result) {
	find := func(name string) int {
		for i := 1; i < img.count; i++ {
			if img.flags(i)&uint64(elf.SHF_ALLOC) != 0 && img.name(i) == name {
				return i
			}
		}
		return 0
	}
	crcs, names := find("__version_ext_crcs"), find("__version_ext_names")
	switch {
	case !k.ExtendedCRC || crcs == 0 && names == 0:
		return
	case crcs == 0 || names == 0:
		return refused(m, k, "extended version crc+name presence does not match")
	case !img.inside(names) || img.kind(names) == elf.SHT_NOBITS:
		return
	}
	const width = 4
	if uint64(bytes.Count(img.contents(names), []byte{0})) < img.size(crcs)/width {
		return refused(m, k, "more extended version crcs than names")
	}
	return out
}

// checkStringTable: the symbols' names (elf_validity_cache_strtab).
func checkStringTable(m *view, k *facts, img *image) (out result) {
	if !k.ELFStrict {
		return checkNamesInFile(img)
	}
	for i := 1; i < img.count; i++ {
		if img.kind(i) != elf.SHT_SYMTAB {
			continue
		}
		link := int(img.link(i))
		if link == 0 || link >= img.count {
			return refused(m, k, "Invalid ELF sh_link!=SHN_UNDEF(%s) or (sh_link(%s) >= "+
				"hdr->e_shnum(%s)", link, link, img.count)
		}
		if k.TableTypes && img.kind(link) != elf.SHT_STRTAB {
			return refused(m, k, "Invalid ELF symbol string table type: %s", uint32(img.kind(link)))
		}
		if img.kind(link) == elf.SHT_NOBITS || !img.inside(link) {
			return refused(m, k, "")
		}
		if !k.NameTable {
			return checkNamesInFile(img)
		}
		names := img.contents(link)
		switch {
		case len(names) == 0:
			return refused(m, k, "empty symbol string table")
		case names[0] != 0:
			return refused(m, k, "symbol string table missing leading NUL")
		case names[len(names)-1] != 0:
			return refused(m, k, "symbol string table isn't NUL terminated")
		}
		for b := img.contents(i); len(b) >= 24; b = b[24:] {
			if uint64(img.order.Uint32(b)) >= uint64(len(names)) {
				return refused(m, k, "symbol name out of bounds in string table")
			}
		}
	}
	return out
}

// checkNamesInFile: kernels that do not check names read those outside of the tables from
// the memory that follows.
func checkNamesInFile(img *image) (out result) {
	killed := func() result {
		out.end(problem(diag.BadELF, "a name is past the end of the file, and the "+
			"kernel reads it there").fix("build it again").
			when(diag.Loading, "", "killed", oops("page fault", "")))
		return out
	}
	for i := 1; i < img.count; i++ {
		if img.kind(i) != elf.SHT_NULL && img.isUnmapped(img.nameTable, img.nameAt(i)) {
			return killed()
		}
	}
	for i := 1; i < img.count; i++ {
		link := int(img.link(i))
		if img.kind(i) != elf.SHT_SYMTAB || !img.inside(i) || link >= img.count ||
			img.kind(link) == elf.SHT_NOBITS {
			continue
		}
		for b := img.contents(i); len(b) >= 24; b = b[24:] {
			if img.isUnmapped(link, img.order.Uint32(b)) {
				return killed()
			}
		}
	}
	return out
}

// checkSymbolNumbers: no kernel checks the numbers of symbols in relocations.
func checkSymbolNumbers(_ *view, k *facts, img *image) (out result) {
	symtab := 0
	for i := 1; i < img.count; i++ {
		if img.kind(i) == elf.SHT_SYMTAB {
			symtab = i
		}
	}
	for i := 1; i < img.count; i++ {
		info := int(img.order.Uint32(img.header(i)[shInfo:]))
		if img.kind(i) != elf.SHT_RELA || !img.inside(i) || info >= img.count ||
			img.flags(info)&uint64(elf.SHF_ALLOC) == 0 {
			continue
		}
		object, _ := klpabi.SectionObject(img.name(i))
		late := img.flags(i)&klpabi.FlagLivepatch != 0 && (!k.Early() || object != sympos.Vmlinux)
		for b := img.contents(i); len(b) >= 24; b = b[24:] {
			n := img.order.Uint64(b[8:]) >> 32
			switch {
			case (n+1)*24 <= img.size(symtab):
			case !late && img.isUnmapped(symtab, uint32(min(n*24, 1<<31))):
				out.end(problem(diag.BadELF, fmt.Sprintf("%s: a relocation is against symbol %d, which is "+
					"far past the end of the symbol table", img.name(i), n)).
					fix("build it again").when(diag.Loading, "", "killed", oops("page fault", "")))
				return out
			case !late && img.readsZero(symtab, n):
				out.end(problem(diag.BadELF, fmt.Sprintf("%s: a relocation is against symbol %d, which the "+
					"size of the symbol table leaves out: it is never resolved, and treated as 0", img.name(i),
					n)).
					fix("build it again").when(diag.Calling, "", "", k.unrelocated("")))
				return out
			default: // what is there in memory decides; nothing more is judged, which is not "loads"
				out.end(problem(diag.BadELF, fmt.Sprintf("%s: a relocation is against symbol %d, which is "+
					"past the end of the symbol table: the module was not judged", img.name(i), n)).
					fix("build it again").when(diag.Loading, "", ""))
				return out
			}
		}
	}
	return out
}

// indexOf is a symbol's st_shndx as the file has it.
func (m *view) indexOf(y *elfrw.Symbol) uint16 {
	if img := m.image; img != nil {
		for i := 1; i < img.count; i++ {
			if at := uint64(y.Num()) * 24; img.kind(i) == elf.SHT_SYMTAB && img.inside(i) &&
				at+24 <= img.size(i) {
				return img.order.Uint16(img.contents(i)[at+6:])
			}
		}
	}
	return uint16(y.Index)
}

// signatureMarker ends a signed module (include/linux/module_signature.h).
const signatureMarker = "~Module signature appended~\n"

// unsigned returns the file without what the loader removes as its signature: the marker,
// struct module_signature and what that says (kernel/module/signing.c, mod_verify_sig).
func (k *facts) unsigned(b []byte) []byte {
	rest, signed := bytes.CutSuffix(b, []byte(signatureMarker))
	if yes, known := k.set("MODULE_SIG"); !signed || known && !yes {
		return b
	}
	// What is malformed is refused, or ignored, and only the marker is removed.
	if info, ok := signatureOf(b); ok && info.kind == pkcs7 && !info.odd && info.length < info.room {
		return rest[:len(rest)-signatureHeader-int(info.length)]
	}
	return rest
}

// signatureInfo is struct module_signature.
type signatureInfo struct {
	kind   byte
	odd    bool   // fields that have to be 0 are not
	length uint64 // as it says
	room   uint64 // bytes in front of it
	body   []byte
}

const (
	signatureHeader = 12
	pkcs7           = 2 // PKEY_ID_PKCS7
)

// signatureOf reads it, if the file has room for it.
func signatureOf(b []byte) (s signatureInfo, ok bool) {
	end := len(b) - len(signatureMarker)
	if end <= signatureHeader {
		return s, false
	}
	h := b[end-signatureHeader : end]
	s.kind, s.length, s.room = h[2], uint64(binary.BigEndian.Uint32(h[8:])),
		uint64(end-signatureHeader)
	for i, x := range h[:8] {
		s.odd = s.odd || i != 2 && x != 0
	}
	if s.length < s.room {
		s.body = b[s.room-s.length : s.room]
	}
	return s, true
}

// isPKCS7 reports whether the bytes are a SignedData message, as far as the kernel has to
// know to look for the key (crypto/asymmetric_keys/pkcs7_parser.c).
func isPKCS7(b []byte) bool {
	var message struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	_, err := asn1.Unmarshal(b, &message)
	return err == nil && message.Type.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})
}

// checkSignature follows module_sig_check in kernel/module/signing.c. Whether a signature is good,
// only the kernel knows; a malformed one is refused, and none where one is demanded.
func checkSignature(m *view, k *facts) (out result) {
	signed := bytes.HasSuffix(m.raw, []byte(signatureMarker))
	if !signed {
		switch force, known := k.set("MODULE_SIG_FORCE"); {
		case force:
			f := problem(diag.BadSignature, "the kernel is configured to load signed modules only "+
				"(CONFIG_MODULE_SIG_FORCE)").
				fix("sign it, after klp-convert: scripts/sign-file sha256 KEY CERT FILE")
			if k.SignatureReasons {
				f = f.when(diag.Loading, "", "EKEYREJECTED", says("Loading of unsigned module is rejected"))
			} else {
				f = f.when(diag.Loading, "", "ENOKEY")
			}
			out.add(f)
		case !known:
			out.notJudged("whether an unsigned module is accepted", "the kernel's configuration is not "+
				"available; Secure Boot and lockdown may refuse it as well")
		default:
			out.notChecked("whether an unsigned module is accepted under Secure Boot", "kernel lockdown "+
				"decides at run time")
		}
		return
	}
	if sig, known := k.set("MODULE_SIG"); known && !sig {
		return // what follows the sections is nothing to it
	}
	info, ok := signatureOf(m.raw)
	switch {
	case !ok:
		out.add(problem(diag.BadSignature, "there is no room for a signature before its marker").
			fix("sign it again").when(diag.Loading, "", "EBADMSG"))
	case info.length >= info.room:
		out.add(problem(diag.BadSignature, fmt.Sprintf("the signature says that it has %d bytes, which "+
			"the file does not", info.length)).
			fix("sign it again").when(diag.Loading, "", "EBADMSG"))
	case info.kind != pkcs7:
		f := problem(diag.BadSignature, "the signature is not a PKCS#7 message").fix("sign it again")
		message := says("module: %s signed with "+
			"expected PKCS#7 message", blank{"not", "(Module is not|not)"})
		switch force, _ := k.set("MODULE_SIG_FORCE"); {
		case !k.SignatureReasons:
			out.add(f.when(diag.Loading, "", "ENOPKG", message))
		case force:
			out.add(f.when(diag.Loading, "", "EKEYREJECTED", message))
		default:
			out.add(f.when(diag.Loading, "", "", message))
		}
	case info.odd:
		out.add(problem(diag.BadSignature, "fields of the signature's header that have to be 0 are not").
			fix("sign it again").
			when(diag.Loading, "", "EBADMSG", says("module: PKCS#7 signature info has "+
				"unexpected non-zero params")))
	case !isPKCS7(info.body):
		out.add(problem(diag.BadSignature, "the signature can't be read as a PKCS#7 message").
			fix("sign it again").when(diag.Loading, "", "EBADMSG"))
	default:
		out.notChecked("whether the signature is good", "the kernel's keys are not known here")
	}
	return out
}
