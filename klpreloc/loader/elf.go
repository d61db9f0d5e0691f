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

func orderOf(d elf.Data) binary.ByteOrder {
	if d == elf.ELFDATA2MSB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

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
		is := content.Of(c.raw)
		if errors.Is(broken, elfrw.ErrNotELF) || errors.Is(broken, elfrw.ErrNotRelocatable) || is == content.SlimLTO {
			f.Cause += printable(": it is " + is.What)
			if is.Do != "" {
				f.fix("%s", is.Do)
			}
		}
		f.fix("build it again; nothing but klp-convert and the signature may follow modpost")
		// Those of setup_load_info are older than the others.
		setup := strings.HasSuffix(format, "module has no symbols (stripped?)") || strings.HasSuffix(format, "No module found in object")
		old := strings.HasPrefix(format, "Invalid ELF section in module") || strings.HasPrefix(format, "Invalid ELF section name in module")
		var messages []Message
		if format != "" && (c.elfMessages || setup || old) {
			messages = append(messages, says(format, args...))
		}
		if !c.elfMessages && !setup {
			messages = append(messages, says("Module has invalid ELF structures"))
		}
		f.when(Loading, "", "ENOEXEC", messages...)
		return false
	}
	if len(b) < ehdrSize {
		return refuse("Invalid ELF header len %s", len(b))
	}
	m := &image{b: b, order: orderOf(byteOrder(b))}
	kind, machine := m.order.Uint16(b[16:]), elf.Machine(m.order.Uint16(b[18:]))
	switch {
	case string(b[:4]) != elf.ELFMAG:
		return refuse("Invalid ELF header magic: != %s", blank{`\x7fELF`, `.{1,4}ELF`})
	case kind != uint16(elf.ET_REL):
		return refuse("Invalid ELF header type: %s != %s", kind, uint16(elf.ET_REL))
	case c.facts.like != nil && machine != c.facts.like.Header.Machine || !c.supported(machine):
		refuse("Invalid architecture in ELF header: %s", uint16(machine))
		f := &c.report.Findings[len(c.report.Findings)-1]
		f.Cause = "the module was built for " + strings.TrimPrefix(machine.String(), "EM_")
		if c.facts.like != nil {
			f.Cause += ", the kernel for " + strings.TrimPrefix(c.facts.like.Header.Machine.String(), "EM_")
		}
		f.Fix = []string{"build it for the kernel's architecture"}
		return false
	}
	if machine == elf.EM_PPC {
		c.unchecked("what the loader of a 32-bit kernel makes of the ELF file", "this tool knows 64-bit kernels' only")
		return c.readable(broken)
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
	c.image = m
	names := int(m.order.Uint16(b[62:]))
	steps := []func() bool{
		func() bool { return c.sectionNames(m, names, refuse) },
		func() bool { return c.sectionZero(m, refuse) },
		func() bool { return c.bounds(m, names, refuse) },
		func() bool { return c.uniqueSections(m, refuse) },
		func() bool { return c.strings(m, refuse) },
		func() bool { return c.writeOrExecute(m) },
		func() bool { return c.wildSymbols(m) },
	}
	if c.elfStrict {
		steps[0], steps[1], steps[2] = steps[1], steps[2], steps[0]
	}
	for _, step := range steps {
		if !step() {
			return false
		}
	}
	return c.readable(broken)
}

// readable reports whether elfrw reads what the loader takes. Of a file that it does not read
// nothing was judged: that must not pass for "loads".
func (c *checker) readable(broken error) bool {
	if broken == nil {
		return true
	}
	c.find(BadELF, "what comes of the module was not judged: this tool can't read the file: "+broken.Error()).
		fix("build it again; nothing but klp-convert and the signature may follow modpost").when(Loading, "", "")
	return false
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
	case c.tableTypes && m.kind(names) != elf.SHT_STRTAB:
		return refuse("Invalid ELF section name table type: %s", uint32(m.kind(names)))
	case m.size(names) == 0 && !c.elfMessages && m.offset(names) == 0:
		// The byte in front of the table is asked whether it is 0: that in front of the file.
		c.find(BadELF, "the section name table is empty, and lies at the beginning of the file").fix("build it again").
			when(Loading, "", "killed", oops("page fault", ""))
		return false
	case m.size(names) == 0 && !c.elfMessages:
		return true // not noticed here, but at the first section that has a name (bounds)
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
		case m.name(i) == sympos.ThisModule:
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
	case !c.structSize && m.flags(this[0])&uint64(elf.SHF_ALLOC) == 0: // find_sec
		return refuse("%s: No module found in object", name)
	case c.structSize && len(this) > 1:
		return refuse("module %s: Only one .gnu.linkonce.this_module section must exist.", name)
	case c.structSize && m.kind(this[0]) == elf.SHT_NOBITS:
		return refuse("module %s: .gnu.linkonce.this_module section must have a size set", name)
	case c.structSize && m.flags(this[0])&uint64(elf.SHF_ALLOC) == 0:
		return refuse("module %s: .gnu.linkonce.this_module must occupy memory during process execution", name)
	}
	cause := ""
	switch {
	case m.kind(this[0]) == elf.SHT_NOBITS: // noticed since 6.4; seen in 6.1
		cause = "struct module is in a section without contents, and has no pointers"
	case m.flags(this[0])&uint64(elf.SHF_WRITE) == 0:
		cause = "struct module is in a section that is not for writing, and the kernel writes to it"
	}
	if cause != "" {
		c.find(BadELF, cause).fix("build it again").
			when(Loading, "", "killed", oops("page fault", ""))
		return false
	}
	return c.size(m.size(this[0]), name)
}

// size: struct module (since 6.4; before, what is missing is taken from what lies
// behind it).
func (c *checker) size(size uint64, name string) bool {
	want := c.facts.structSize
	switch {
	case want == 0:
		c.lacking("the size of struct module", "no module of this kernel is at hand: --module, or a kernel folder with its modules")
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
	s := c.File.Section(sympos.ThisModule)
	if c.structSize || s == nil || c.facts.structSize == 0 || s.Size() == c.facts.structSize {
		return
	}
	if s.Size() > c.facts.structSize {
		c.note(StructModule, fmt.Sprintf("struct module has %d bytes in the file and %d in %s of this kernel, which does not notice", s.Size(), c.facts.structSize, c.facts.likeName)).
			fix("build the livepatch with this kernel's headers and configuration").when(Loading, "", "")
		return
	}
	c.find(StructModule, fmt.Sprintf("struct module has %d bytes in the file and %d in %s of this kernel, which does not notice, and takes what lies behind it for the rest",
		s.Size(), c.facts.structSize, c.facts.likeName)).
		fix("build the livepatch with this kernel's headers and configuration").
		when(Loading, "", "", oops("page fault", "load_module"))
}

// writeOrExecute: module_enforce_rwx_sections (since 5.7, 5c3a7db0c7ec; CONFIG_STRICT_MODULE_RWX,
// which all architectures with livepatching have). Sections that are not loaded count too.
func (c *checker) writeOrExecute(m *image) bool {
	if !c.enforceRWX {
		return true
	}
	for i := 0; i < m.count; i++ {
		if both := uint64(elf.SHF_WRITE | elf.SHF_EXECINSTR); m.flags(i)&both == both {
			c.find(BadELF, "section "+m.name(i)+" is for writing and for execution").fix("build it again").
				when(Loading, "", "ENOEXEC", says("%s: section %s (index %s) has invalid WRITE|EXEC flags", c.name, m.name(i), i))
			return false
		}
	}
	return true
}

// beyond reports whether the kernel faults when it reads a string so far behind the start of a
// table: what it holds of the file ends there, and a page that is not mapped follows.
func (m *image) beyond(table int, at uint32) bool {
	return m.offset(table)+uint64(at) >= m.mapped()
}

// mapped is how much memory the file has: whole pages.
func (m *image) mapped() uint64 {
	const page = 4096
	return (uint64(len(m.b)) + page - 1) / page * page
}

// far reports whether the header of a section that there is none of would lie behind the last
// page of the file.
func (m *image) far(index uint16) bool {
	const shAddr = 16
	return m.order.Uint64(m.b[40:])+uint64(index)*shdrSize+shAddr >= m.mapped()
}

// stays0 reports whether what lies behind the symbol table, where the kernel looks for this
// symbol, has the value 0. The file is in memory as a whole when it relocates.
func (m *image) stays0(symtab int, n uint64) bool {
	const value, size = 8, 24
	at := m.offset(symtab) + min(n, 1<<31)*size
	return at+size <= uint64(len(m.b)) && m.order.Uint64(m.b[at+value:]) == 0
}

// strings: the symbols' names (elf_validity_cache_strtab).
func (c *checker) strings(m *image, refuse refusal) bool {
	if !c.elfStrict {
		return c.wildNames(m)
	}
	for i := 1; i < m.count; i++ {
		if m.kind(i) != elf.SHT_SYMTAB {
			continue
		}
		link := int(m.link(i))
		if link == 0 || link >= m.count {
			return refuse("Invalid ELF sh_link!=SHN_UNDEF(%s) or (sh_link(%s) >= hdr->e_shnum(%s)", link, link, m.count)
		}
		if c.tableTypes && m.kind(link) != elf.SHT_STRTAB {
			return refuse("Invalid ELF symbol string table type: %s", uint32(m.kind(link)))
		}
		if m.kind(link) == elf.SHT_NOBITS || !m.inside(link) {
			return refuse("")
		}
		if !c.nameTable {
			return c.wildNames(m)
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

// wildNames: where nobody checks, names outside of the tables are read from what lies there.
func (c *checker) wildNames(m *image) bool {
	killed := func(function string) bool {
		c.find(BadELF, "a name lies behind the end of the file, where the kernel reads it").fix("build it again").
			when(Loading, "", "killed", oops("page fault", function))
		return false
	}
	for i := 1; i < m.count; i++ {
		if names := int(m.order.Uint16(m.b[62:])); m.kind(i) != elf.SHT_NULL && m.beyond(names, m.nameAt(i)) {
			return killed("")
		}
	}
	for i := 1; i < m.count; i++ {
		link := int(m.link(i))
		if m.kind(i) != elf.SHT_SYMTAB || !m.inside(i) || link >= m.count || m.kind(link) == elf.SHT_NOBITS {
			continue
		}
		for b := m.contents(i); len(b) >= 24; b = b[24:] {
			if m.beyond(link, m.order.Uint32(b)) {
				return killed("")
			}
		}
	}
	return true
}

// wildSymbols: nobody checks the numbers of symbols in relocations.
func (c *checker) wildSymbols(m *image) bool {
	symtab := 0
	for i := 1; i < m.count; i++ {
		if m.kind(i) == elf.SHT_SYMTAB {
			symtab = i
		}
	}
	for i := 1; i < m.count; i++ {
		info := int(m.order.Uint32(m.header(i)[shInfo:]))
		if m.kind(i) != elf.SHT_RELA || !m.inside(i) || info >= m.count || m.flags(info)&uint64(elf.SHF_ALLOC) == 0 {
			continue
		}
		object, _ := klpabi.SectionObject(m.name(i))
		late := m.flags(i)&klpabi.FlagLivepatch != 0 && (!c.early() || object != sympos.Vmlinux)
		for b := m.contents(i); len(b) >= 24; b = b[24:] {
			n := m.order.Uint64(b[8:]) >> 32
			switch {
			case (n+1)*24 <= m.size(symtab):
			case !late && m.beyond(symtab, uint32(min(n*24, 1<<31))):
				c.find(BadELF, fmt.Sprintf("%s: a relocation is against symbol %d, which is far behind the end of the symbol table", m.name(i), n)).
					fix("build it again").when(Loading, "", "killed", oops("page fault", ""))
				return false
			case !late && m.stays0(symtab, n):
				c.find(BadELF, fmt.Sprintf("%s: a relocation is against symbol %d, which the size of the symbol table leaves out: it is never resolved, and taken for 0", m.name(i), n)).
					fix("build it again").when(Calling, "", "", oops("page fault", ""))
				return false
			default: // what lies there in memory decides; nothing more is judged, which is no "loads"
				c.find(BadELF, fmt.Sprintf("%s: a relocation is against symbol %d, which is behind the end of the symbol table: what comes of it was not judged", m.name(i), n)).
					fix("build it again").when(Loading, "", "")
				return false
			}
		}
	}
	return true
}

// indexOf is a symbol's st_shndx as the file has it.
func (c *checker) indexOf(y *elfrw.Symbol) uint16 {
	if m := c.image; m != nil {
		for i := 1; i < m.count; i++ {
			if at := uint64(y.Num()) * 24; m.kind(i) == elf.SHT_SYMTAB && m.inside(i) && at+24 <= m.size(i) {
				return m.order.Uint16(m.contents(i)[at+6:])
			}
		}
	}
	return uint16(y.Index)
}

// signatureMarker ends a signed module (include/linux/module_signature.h).
const signatureMarker = "~Module signature appended~\n"

// signatureLength is how many bytes of the file the loader takes for the signature: the
// marker, struct module_signature and what that says (kernel/module/signing.c,
// mod_verify_sig).
func (c *checker) signatureLength(b []byte) int {
	n := len(signatureMarker)
	if !bytes.HasSuffix(b, []byte(signatureMarker)) {
		return 0
	}
	if yes, known := c.facts.set("MODULE_SIG"); known && !yes {
		return 0
	}
	// What is malformed is refused, or passed over with nothing but the marker gone.
	if info, ok := signatureOf(b); ok && info.kind == pkcs7 && !info.odd && info.length < info.room {
		return n + signatureHeader + int(info.length)
	}
	return n
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
	s.kind, s.length, s.room = h[2], uint64(binary.BigEndian.Uint32(h[8:])), uint64(end-signatureHeader)
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
			c.lacking("whether an unsigned module is let in", "the kernel's configuration is not at hand; Secure Boot and lockdown may refuse it as well")
		default:
			c.unchecked("whether an unsigned module is let in under Secure Boot", "kernel lockdown decides at run time")
		}
		return
	}
	if sig, known := c.facts.set("MODULE_SIG"); known && !sig {
		return // what follows the sections is nothing to it
	}
	info, ok := signatureOf(c.raw)
	switch {
	case !ok:
		c.find(BadSignature, "there is no room for a signature in front of its marker").fix("sign it again").when(Loading, "", "EBADMSG")
	case info.length >= info.room:
		c.find(BadSignature, fmt.Sprintf("the signature says that it has %d bytes, which the file does not", info.length)).
			fix("sign it again").when(Loading, "", "EBADMSG")
	case info.kind != pkcs7:
		f := c.find(BadSignature, "the signature is no PKCS#7 message").fix("sign it again")
		message := says("module: %s signed with expected PKCS#7 message", blank{"not", "(Module is not|not)"})
		if force, _ := c.facts.set("MODULE_SIG_FORCE"); force {
			f.when(Loading, "", "EKEYREJECTED", message)
		} else {
			f.when(Loading, "", "", message)
		}
	case info.odd:
		c.find(BadSignature, "fields of the signature's header that have to be 0 are not").fix("sign it again").
			when(Loading, "", "EBADMSG", says("module: PKCS#7 signature info has unexpected non-zero params"))
	case !isPKCS7(info.body):
		c.find(BadSignature, "the signature can't be read as a PKCS#7 message").fix("sign it again").when(Loading, "", "EBADMSG")
	default:
		c.unchecked("whether the signature is good", "the kernel's keys are not known here")
	}
}
