// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// The loader's own look at the file, before it believes anything
// (kernel/module/main.c, elf_validity_check, since 6.13 elf_validity_cache_copy and what
// it calls; before 5.18 kernel/module.c). It reads the bytes and not our model of them:
// what the model can't represent is what is judged here.

// An image is the file as the loader reads it: 64-bit, in the machine's byte order.
type image struct {
	b     []byte
	order binary.ByteOrder
	count int // e_shnum
	table []byte
	names []byte // contents of the section name table
}

const (
	ehdrSize = 64
	shdrSize = 64
)

func (m *image) header(i int) []byte { return m.table[i*shdrSize:] }

func (m *image) kind(i int) elf.SectionType {
	return elf.SectionType(m.order.Uint32(m.header(i)[4:]))
}
func (m *image) flags(i int) uint64  { return m.order.Uint64(m.header(i)[8:]) }
func (m *image) offset(i int) uint64 { return m.order.Uint64(m.header(i)[24:]) }
func (m *image) size(i int) uint64   { return m.order.Uint64(m.header(i)[32:]) }
func (m *image) link(i int) uint32   { return m.order.Uint32(m.header(i)[40:]) }
func (m *image) nameAt(i int) uint32 { return m.order.Uint32(m.header(i)) }

// name is the section's name, "" where it has none that can be read.
func (m *image) name(i int) string {
	at := uint64(m.nameAt(i))
	if at >= uint64(len(m.names)) {
		return ""
	}
	name, _, _ := bytes.Cut(m.names[at:], []byte{0})
	return string(name)
}

// inside reports whether the section's contents are in the file
// (validate_section_offset).
func (m *image) inside(i int) bool {
	off, size := m.offset(i), m.size(i)
	return off+size >= off && off+size <= uint64(len(m.b))
}

// contents of a section that is inside.
func (m *image) contents(i int) []byte { return m.b[m.offset(i) : m.offset(i)+m.size(i)] }

// validity checks the file, and reports whether it can be judged further. broken is
// why elfrw does not read it.
func (c *checker) validity(broken error) bool {
	b := c.raw
	// The loader has cut the signature off by then (module_sig_check).
	b = b[:len(b)-c.signatureLength(b)]
	refuse := func(format string, args ...any) bool {
		f := c.find(BadELF, "the loader takes the file for no module")
		if broken != nil {
			f.Cause = printable("the loader takes the file for no module: " + broken.Error())
		}
		f.fix("build it again; nothing but klp-convert and the signature may follow modpost")
		if format == "" || !c.elfMessages {
			f.when(Loading, "", "ENOEXEC")
		} else {
			f.when(Loading, "", "ENOEXEC", says(format, args...))
		}
		return false
	}
	if len(b) < ehdrSize {
		return refuse("Invalid ELF header len %s", len(b))
	}
	m := &image{b: b, order: binary.LittleEndian}
	if b[5] == byte(elf.ELFDATA2MSB) {
		m.order = binary.BigEndian
	}
	kind, machine := m.order.Uint16(b[16:]), elf.Machine(m.order.Uint16(b[18:]))
	switch {
	case string(b[:4]) != elf.ELFMAG:
		return refuse("Invalid ELF header magic: != %s", elf.ELFMAG)
	case kind != uint16(elf.ET_REL):
		return refuse("Invalid ELF header type: %s != %s", kind, uint16(elf.ET_REL))
	case c.facts.like != nil && machine != c.facts.like.Header.Machine || !c.supported(machine):
		return refuse("Invalid architecture in ELF header: %s", uint16(machine))
	}
	if b[4] != byte(elf.ELFCLASS64) {
		if broken != nil {
			return refuse("")
		}
		c.unchecked("what the loader of a 32-bit kernel makes of the ELF file", "this tool knows 64-bit kernels' only")
		return true
	}
	if m.order.Uint16(b[58:]) != shdrSize {
		return refuse("Invalid ELF section header size")
	}
	off := m.order.Uint64(b[40:])
	m.count = int(m.order.Uint16(b[60:]))
	if off >= uint64(len(b)) || uint64(m.count)*shdrSize > uint64(len(b))-off {
		return refuse("Invalid ELF section header overflow")
	}
	m.table = b[off : off+uint64(m.count)*shdrSize]
	names := int(m.order.Uint16(b[62:]))
	steps := []func() bool{
		func() bool { return c.sectionNames(m, names, refuse) },
		func() bool { return c.sectionZero(m, refuse) },
		func() bool { return c.bounds(m, names, refuse) },
		func() bool { return c.uniqueSections(m, refuse) },
		func() bool { return c.strings(m, refuse) },
	}
	if c.elfStrict {
		steps[0], steps[1], steps[2] = steps[1], steps[2], steps[0]
	}
	for _, step := range steps {
		if !step() {
			return false
		}
	}
	if broken != nil {
		f := c.find(BadELF, "the loader would not notice, and this tool can't tell what comes of it: "+broken.Error())
		f.when(Loading, "", "", oops("page fault", ""))
		return false
	}
	return true
}

// supported reports whether any kernel has livepatching on the machine.
func (c *checker) supported(m elf.Machine) bool {
	_, known := c.contract.livepatch[m]
	return known
}

type refusal func(format string, args ...any) bool

// sectionNames: the section name table.
func (c *checker) sectionNames(m *image, names int, refuse refusal) bool {
	if names == 0 || names >= m.count {
		return refuse("Invalid ELF section name index: %s || e_shstrndx (%s) >= e_shnum (%s)", names, names, m.count)
	}
	switch {
	case !m.inside(names):
		return refuse("Invalid ELF section hdr(type %s)", uint32(m.kind(names)))
	case m.size(names) == 0:
		return refuse("empty section name table")
	}
	m.names = m.contents(names)
	if m.names[len(m.names)-1] != 0 {
		return refuse("ELF Spec violation: section name table isn't null terminated")
	}
	if c.elfStrict {
		return c.nameBounds(m, refuse)
	}
	return true
}

func (c *checker) nameBounds(m *image, refuse refusal) bool {
	for i := 1; i < m.count; i++ {
		if m.kind(i) != elf.SHT_NULL && uint64(m.nameAt(i)) >= uint64(len(m.names)) {
			return refuse("Invalid ELF section name in module (section %s type %s)", i, uint32(m.kind(i)))
		}
	}
	return true
}

// sectionZero has to be empty.
func (c *checker) sectionZero(m *image, refuse refusal) bool {
	if m.count > 0 && (m.kind(0) != elf.SHT_NULL || m.size(0) != 0 || m.order.Uint64(m.header(0)[16:]) != 0) {
		return refuse("ELF Spec violation: section 0 type(%s)!=SH_NULL or non-zero len or addr", uint32(m.kind(0)))
	}
	return true
}

// bounds: contents in the file, and names of what is loaded.
func (c *checker) bounds(m *image, names int, refuse refusal) bool {
	for i := 1; i < m.count; i++ {
		switch m.kind(i) {
		case elf.SHT_NULL, elf.SHT_NOBITS:
			continue
		case elf.SHT_SYMTAB:
			if !c.elfStrict && (m.link(i) == 0 || int(m.link(i)) >= m.count) {
				return refuse("Invalid ELF sh_link!=SHN_UNDEF(%s) or (sh_link(%s) >= hdr->e_shnum(%s)", m.link(i), m.link(i), m.count)
			}
		}
		if !m.inside(i) {
			return refuse("Invalid ELF section in module (section %s type %s)", i, uint32(m.kind(i)))
		}
		if !c.elfStrict && m.flags(i)&uint64(elf.SHF_ALLOC) != 0 && uint64(m.nameAt(i)) >= m.size(names) {
			return refuse("Invalid ELF section name in module (section %s type %s)", i, uint32(m.kind(i)))
		}
	}
	return true
}

// uniqueSections: .modinfo, struct module and the symbol table.
func (c *checker) uniqueSections(m *image, refuse refusal) bool {
	const unnamed = "(missing .modinfo section or name field)"
	name := c.name
	if name == "" {
		name = unnamed
	}
	var infos, this, tables []int
	for i := 1; i < m.count; i++ {
		switch {
		case m.kind(i) == elf.SHT_SYMTAB:
			tables = append(tables, i)
		case m.name(i) == ".modinfo":
			infos = append(infos, i)
		case m.name(i) == thisModule:
			this = append(this, i)
		}
	}
	switch {
	case c.elfStrict && len(infos) > 1:
		return refuse("Only one .modinfo section must exist.")
	case c.elfStrict && len(this) != 1:
		return refuse("module %s: Exactly one .gnu.linkonce.this_module section must exist.", name)
	case len(tables) == 0, c.elfStrict && len(tables) > 1:
		return refuse("%s: module has no symbols (stripped?)", name)
	case len(this) == 0:
		return refuse("%s: No module found in object", name)
	case c.structSize && len(this) > 1:
		return refuse("module %s: Only one .gnu.linkonce.this_module section must exist.", name)
	case c.structSize && m.kind(this[0]) == elf.SHT_NOBITS:
		return refuse("module %s: .gnu.linkonce.this_module section must have a size set", name)
	case c.structSize && m.flags(this[0])&uint64(elf.SHF_ALLOC) == 0:
		return refuse("module %s: .gnu.linkonce.this_module must occupy memory during process execution", name)
	}
	return c.size(m.size(this[0]), name)
}

// size: struct module (since 6.4; before, what is missing is taken from what lies
// behind it).
func (c *checker) size(size uint64, name string) bool {
	want := c.facts.structSize
	switch {
	case want == 0:
		c.unchecked("the size of struct module", "no module of this kernel is at hand: --module, or a kernel folder with its modules")
		return true
	case size == want:
		return true
	}
	if c.structSize {
		c.find(StructModule, fmt.Sprintf("struct module has %d bytes in the file and %d in %s of this kernel", size, want, c.facts.likeName)).
			fix("build the livepatch with this kernel's headers and configuration").
			when(Loading, "", "ENOEXEC", says("module %s: .gnu.linkonce.this_module section size must match the kernel's built struct module size at run time", name))
	}
	return true
}

// unseenSize: what comes of another struct module where nobody looks at its size: what is
// missing is taken from what lies behind it.
func (c *checker) unseenSize() {
	s := c.File.Section(thisModule)
	if c.structSize || s == nil || c.facts.structSize == 0 || s.Size() == c.facts.structSize {
		return
	}
	c.find(StructModule, fmt.Sprintf("struct module has %d bytes in the file and %d in %s of this kernel, which does not notice, and takes what lies behind it for the rest",
		s.Size(), c.facts.structSize, c.facts.likeName)).
		fix("build the livepatch with this kernel's headers and configuration").
		when(Loading, "", "", oops("page fault", "load_module"))
}

// strings: the symbols' names (elf_validity_cache_strtab).
func (c *checker) strings(m *image, refuse refusal) bool {
	if !c.elfStrict {
		return true
	}
	for i := 1; i < m.count; i++ {
		if m.kind(i) != elf.SHT_SYMTAB {
			continue
		}
		link := int(m.link(i))
		if link == 0 || link >= m.count {
			return refuse("Invalid ELF sh_link!=SHN_UNDEF(%s) or (sh_link(%s) >= hdr->e_shnum(%s)", link, link, m.count)
		}
		if m.kind(link) == elf.SHT_NOBITS || !m.inside(link) {
			return refuse("")
		}
		names := m.contents(link)
		switch {
		case len(names) == 0:
			return refuse("empty symbol string table")
		case names[0] != 0:
			return refuse("symbol string table missing leading NUL")
		case names[len(names)-1] != 0:
			return refuse("symbol string table isn't NUL terminated")
		}
		for b := m.contents(i); len(b) >= 24; b = b[24:] {
			if uint64(m.order.Uint32(b)) >= uint64(len(names)) {
				return refuse("symbol name out of bounds in string table")
			}
		}
	}
	return true
}

// signatureMarker ends a signed module (include/linux/module_signature.h).
const signatureMarker = "~Module signature appended~\n"

// signatureLength is how many bytes of the file the loader takes for the signature: the
// marker, struct module_signature and what that says (kernel/module/signing.c,
// mod_verify_sig).
func (c *checker) signatureLength(b []byte) int {
	const header = 12
	n := len(signatureMarker)
	if !bytes.HasSuffix(b, []byte(signatureMarker)) {
		return 0
	}
	if yes, known := c.facts.set("MODULE_SIG"); known && !yes {
		return 0
	}
	if len(b) < n+header {
		return n
	}
	length := binary.BigEndian.Uint32(b[len(b)-n-4:])
	if uint64(length) >= uint64(len(b)-n-header) {
		return n
	}
	return n + header + int(length)
}

// signature: kernel/module/signing.c, module_sig_check. Whether a signature is good,
// only the kernel knows; a malformed one is refused, and none where one is demanded.
func (c *checker) signature() {
	signed := bytes.HasSuffix(c.raw, []byte(signatureMarker))
	if !signed {
		switch force, known := c.facts.set("MODULE_SIG_FORCE"); {
		case force:
			c.find(BadSignature, "the kernel is configured to load signed modules only (CONFIG_MODULE_SIG_FORCE)").
				fix("sign it, after klp-convert: scripts/sign-file sha256 KEY CERT FILE").
				when(Loading, "", "EKEYREJECTED", says("Loading of unsigned module is rejected"))
		case !known:
			c.unchecked("whether an unsigned module is let in", "the kernel's configuration is not at hand; Secure Boot and lockdown may refuse it as well")
		default:
			c.unchecked("whether an unsigned module is let in under Secure Boot", "kernel lockdown decides at run time")
		}
		return
	}
	const header = 12
	rest := len(c.raw) - len(signatureMarker)
	if rest < header {
		return
	}
	info := c.raw[rest-header:]
	length, kind := binary.BigEndian.Uint32(info[8:]), info[2]
	if sig, known := c.facts.set("MODULE_SIG"); known && !sig {
		return // what follows the sections is nothing to it
	}
	switch {
	case uint64(length) >= uint64(rest-header):
		c.find(BadSignature, fmt.Sprintf("the signature says that it has %d bytes, which the file does not", length)).
			fix("sign it again").when(Loading, "", "EBADMSG")
	case kind != 2: // PKEY_ID_PKCS7
		c.find(BadSignature, "the signature is no PKCS#7 message").fix("sign it again").
			when(Loading, "", "", says("%s: Module is not signed with expected PKCS#7 message", "module"))
	default:
		c.unchecked("whether the signature is good", "the kernel's keys are not known here")
	}
}
