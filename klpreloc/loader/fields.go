// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"fmt"
	"sync"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
)

// What the loaders of s390x, ppc64le, arm64 and loongarch64 make of a value that does not fit
// (apply_relocate_add in arch/s390/kernel/module.c, arch/powerpc/kernel/module_64.c,
// arch/arm64/kernel/module.c and arch/loongarch/kernel/module.c; 6.1, 6.12 and 7.3). The value
// depends on where the kernel, the livepatch and other modules are in memory, so what is
// predicted is what does not depend on that: how far modules are from vmlinux at least, and which
// addresses a kernel never has.
//
//	             addresses from   modules and vmlinux are apart     modules among themselves
//	s390x        1 MiB, and of    vmalloc's 512 GiB before 6.10,    up to 4 GiB
//	             modules 4 GiB    1 MiB and up to 4 GiB since
//	ppc64le      0xc000…          0xc000… and 0xc008…               not known
//	arm64        0xffff…          128 KiB, and up to 2 GiB          up to 2 GiB
//	loongarch64  0x9000…          0x9000… and 0xffff…               up to 256 MiB

// form is what a relocation makes of the symbol S, the addend A and its place P.
type form int

const (
	address  form = iota // S + A
	distance             // S + A - P, or the page of it, or from the module's TOC
	slot                 // from P to a place in the module's own tables: PLT, GOT or stub
)

// A field is the part of an instruction or of data that a relocation fills in.
type field struct {
	form   form
	bits   uint // of the value, with those that are shifted out
	shift  uint // how many those are
	signed bool
	// checked: the loader refuses a value that does not fit; strict: and one that is not a
	// multiple. Others lose the bits.
	checked, strict bool
}

// fields are those of each machine, by relocation type; types that hold any value are left out.
var fields = sync.OnceValue(func() map[elf.Machine]map[uint32]field {
	return map[elf.Machine]map[uint32]field{
		elf.EM_S390: {
			1:  {address, 8, 0, false, true, true},   // 8
			2:  {address, 12, 0, false, true, true},  // 12
			3:  {address, 16, 0, false, true, true},  // 16
			4:  {address, 32, 0, false, true, true},  // 32
			57: {address, 20, 0, true, true, true},   // 20
			5:  {distance, 32, 0, true, true, true},  // PC32
			16: {distance, 16, 0, true, true, true},  // PC16
			17: {distance, 17, 1, true, true, true},  // PC16DBL
			19: {distance, 33, 1, true, true, true},  // PC32DBL
			13: {distance, 32, 0, false, true, true}, // GOTOFF32
			27: {distance, 16, 0, false, true, true}, // GOTOFF16
			18: {slot, 17, 1, true, true, true},      // PLT16DBL
			20: {slot, 33, 1, true, true, true},      // PLT32DBL
			21: {slot, 33, 1, true, true, true},      // GOTPCDBL
			26: {slot, 33, 1, true, true, true},      // GOTENT
			33: {slot, 33, 1, true, true, true},      // GOTPLTENT
		},
		elf.EM_PPC64: {
			1:   {address, 32, 0, false, false, false}, // ADDR32
			10:  {slot, 26, 2, true, true, true},       // REL24
			26:  {distance, 32, 0, true, true, false},  // REL32
			47:  {distance, 16, 0, true, true, false},  // TOC16
			50:  {distance, 32, 0, true, false, false}, // TOC16_HA
			63:  {distance, 16, 2, true, true, true},   // TOC16_DS
			64:  {distance, 63, 2, true, true, true},   // TOC16_LO_DS
			132: {distance, 34, 0, true, true, false},  // PCREL34
			252: {distance, 32, 0, true, false, false}, // REL16_HA
		},
		elf.EM_AARCH64: {
			258: {address, 32, 0, false, true, false},  // ABS32
			259: {address, 16, 0, false, true, false},  // ABS16
			263: {address, 16, 0, false, true, false},  // MOVW_UABS_G0
			265: {address, 32, 0, false, true, false},  // MOVW_UABS_G1
			267: {address, 48, 0, false, true, false},  // MOVW_UABS_G2
			270: {address, 17, 0, true, true, false},   // MOVW_SABS_G0
			271: {address, 33, 0, true, true, false},   // MOVW_SABS_G1
			261: {distance, 32, 0, true, true, false},  // PREL32
			262: {distance, 16, 0, true, true, false},  // PREL16
			287: {distance, 17, 0, true, true, false},  // MOVW_PREL_G0
			289: {distance, 33, 0, true, true, false},  // MOVW_PREL_G1
			273: {distance, 21, 2, true, true, false},  // LD_PREL_LO19
			274: {distance, 21, 0, true, true, false},  // ADR_PREL_LO21
			275: {distance, 33, 12, true, true, false}, // ADR_PREL_PG_HI21
			279: {distance, 16, 2, true, true, false},  // TSTBR14
			280: {distance, 21, 2, true, true, false},  // CONDBR19
		},
		elf.EM_LOONGARCH: {
			1:  {address, 32, 0, false, false, false},  // 32
			66: {slot, 28, 2, true, true, true},        // B26
			71: {distance, 32, 12, true, false, false}, // PCALA_HI20
			99: {distance, 32, 0, true, false, false},  // 32_PCREL
		},
	}
})

// widths are how many bytes a relocation writes, where that is not 4; types that write none have 0.
var widths = sync.OnceValue(func() map[elf.Machine]map[uint32]int {
	return map[elf.Machine]map[uint32]int{
		elf.EM_S390: {0: 0, 1: 1, 2: 2, 3: 2, 6: 2, 15: 2, 16: 2, 17: 2, 18: 2, 27: 2, 29: 2, 30: 2, 34: 2,
			22: 8, 23: 8, 24: 8, 25: 8, 28: 8, 32: 8, 36: 8},
		elf.EM_PPC64: {38: 8, 44: 8, 47: 2, 48: 2, 50: 2, 51: 8, 63: 2, 64: 2, 109: 0, 118: 8, 132: 8,
			133: 8, 250: 2, 252: 2},
		elf.EM_PPC:     {4: 2, 5: 2, 6: 2},
		elf.EM_AARCH64: {0: 0, 256: 0, 257: 8, 259: 2, 260: 8, 262: 2},
		elf.EM_LOONGARCH: {0: 0, 2: 8, 20: 0, 21: 0, 22: 0, 23: 0, 24: 0, 29: 0, 32: 0, 33: 0, 34: 0,
			35: 0, 36: 0, 37: 0, 51: 8, 56: 8, 109: 8},
	}
})

// widthOf is how many bytes a relocation of a type that is applied writes.
func widthOf(f *elfrw.File, t uint32) int {
	const usual = 4
	if f.Header.Machine == elf.EM_X86_64 {
		width, _ := arch.RelocWidth(f, t)
		return width
	}
	if width, has := widths()[f.Header.Machine][t]; has {
		return width
	}
	return usual
}

// reach is how many bytes at least are between a module and vmlinux, and at most between a
// module and what its relocations refer to, 0 where that is not known.
func (k *facts) reach(machine elf.Machine, object string) (least, most uint64) {
	const kib, mib, gib = 1 << 10, 1 << 20, 1 << 30
	vmlinux := object == sympos.Vmlinux
	switch {
	case machine == elf.EM_S390 && vmlinux && !k.ModulesNear:
		return 64 * gib, 0
	case machine == elf.EM_S390:
		least, most = mib, 4*gib
	case machine == elf.EM_PPC64:
		least = 1 << 48
	case machine == elf.EM_AARCH64:
		least, most = 128*kib, 2*gib
	case machine == elf.EM_LOONGARCH && vmlinux:
		least = 1 << 48
	case machine == elf.EM_LOONGARCH:
		most = 256 * mib
	}
	if !vmlinux {
		least = 0
	}
	return least, most
}

// overflowsField reports whether the value can't fit, wherever everything is.
func (k *facts) overflowsField(machine elf.Machine, f field, object string, addend int64) bool {
	size := uint64(addend)
	if addend < 0 {
		size = -size
	}
	room := uint64(1) << f.bits
	if f.signed {
		room >>= 1
	}
	const large = 1 << 38 // no address of the other machines is so close to 0
	least, most := k.reach(machine, object)
	switch {
	case f.form == address && machine == elf.EM_S390:
		lowest := uint64(1 << 32)
		if object == sympos.Vmlinux && !k.ModulesNear {
			lowest = 1 << 20
		}
		if addend >= 0 {
			return lowest+size >= room
		}
		return lowest >= size && lowest-size >= room
	case f.form == address:
		return size < large/2 && (!f.signed || room < large/2)
	case f.form == distance && least > size && least-size > room:
		return true
	case machine == elf.EM_S390 || f.form == distance: // elsewhere a stub has the addend
		return most != 0 && size > most && size-most >= room
	}
	return false
}

// misalignedField reports whether it is known that the value is not a multiple of what the field
// counts in. low are the last bits of the symbol's address, -1 where they are not known.
func misalignedField(machine elf.Machine, f field, target *elfrw.Section, r *elfrw.Rela,
	low int64) bool {
	unit := int64(1) << f.shift
	if !f.strict || f.shift == 0 || target.Align < uint64(unit) {
		return false
	}
	place := int64(r.Offset)
	switch {
	case f.form == distance && machine == elf.EM_PPC64: // from r2
		return low >= 0 && (low+r.Addend)%unit != 0
	case f.form == distance, r.Type == s390PLT32DBL, r.Type == s390PLT16DBL:
		return low >= 0 && (low+r.Addend-place)%unit != 0
	case machine == elf.EM_S390:
		return (r.Addend-place)%unit != 0
	}
	return place%unit != 0 // of the branch; a stub is aligned
}

const (
	s390PLT16DBL = uint32(elf.R_390_PLT16DBL)
	s390PLT32DBL = uint32(elf.R_390_PLT32DBL)
)

// lowBits returns what readLowBits does, which is read once for each symbol.
func (m *view) lowBits(k *facts, n *klpName) int64 {
	low, read := m.lows[n]
	if !read {
		low = k.readLowBits(n)
		m.lows[n] = low
	}
	return low
}

// readLowBits returns the last bits of a klp symbol's address, -1 where nothing tells.
func (k *facts) readLowBits(n *klpName) int64 {
	const mask = 7
	at := max(n.position, 1)
	if n.object == sympos.Vmlinux {
		list := k.table.Lookup(sympos.Vmlinux, n.name)
		if at > uint64(len(list)) || k.table.Facts(sympos.Vmlinux).NoAddresses {
			return -1
		}
		return int64(list[at-1].Address & mask)
	}
	target := k.modules[n.object]
	if target == nil {
		return -1
	}
	y := symbolAt(target, n.name, n.position)
	if y == nil || y.Section == nil || y.Section.Align <= mask {
		return -1
	}
	return int64(y.Value & mask)
}

// wholeWords are types that fill in data, and would overwrite an instruction: on s390x those that
// are longer than any operand, elsewhere those that leave nothing of an instruction.
var wholeWords = map[elf.Machine][]uint32{
	elf.EM_S390:      {22, 23},                       // 64, PC64
	elf.EM_PPC64:     {1, 26, 38, 44, 51},            // ADDR32, REL32, ADDR64, REL64, TOC
	elf.EM_AARCH64:   {257, 258, 259, 260, 261, 262}, // ABS*, PREL*
	elf.EM_LOONGARCH: {1, 2, 99, 109},                // 32, 64, 32_PCREL, 64_PCREL
}

// checkOverwritten reports whether it added a finding about what a klp relocation is lost on: an
// addend that leads out of everything, an instruction that is overwritten. No loader but that of
// x86 looks at it.
func checkOverwritten(m *view, k *facts, klp *klpSection, r *elfrw.Rela,
	find func(diag.ID, string) finding, add func(finding)) bool {
	if r.Addend >= unmapped || r.Addend <= -unmapped {
		add(whenCalled(m, k, find(diag.OutsideTarget, fmt.Sprintf("the addend %#x leads out of what the "+
			"symbol is part of, which the kernel does not check", r.Addend)), klp))
		return true
	}
	if m.splitsInstruction(klp, r) {
		add(whenCalled(m, k, find(diag.OutsideTarget, fmt.Sprintf("%s is for an instruction, and at "+
			"%#x there is none", arch.RelocName(m.file, r.Type), r.Offset)).
			fix("convert the module as modpost left it"), klp))
		return true
	}
	width := uint64(widthOf(m.file, r.Type))
	d := klp.target.Data
	if klp.target.Flags&uint64(elf.SHF_EXECINSTR) == 0 || uint64(len(d)) < r.Offset+width ||
		!slices.Contains(wholeWords[m.file.Header.Machine], r.Type) {
		return false
	}
	b := d[r.Offset : r.Offset+width]
	if !slices.ContainsFunc(b, func(x byte) bool { return x != 0 }) {
		return false
	}
	add(whenCalled(m, k, find(diag.CheckNonzeroTarget, fmt.Sprintf("%s overwrites %d bytes "+
		"of code, % x", arch.RelocName(m.file, r.Type), width, b)).
		fix("build with the kernel's own flags (Kbuild)"), klp))
	return true
}

// checkField reports whether it added a finding about the value of a klp relocation.
func checkField(m *view, k *facts, klp *klpSection, r *klpReloc,
	find func(diag.ID, string) finding, add func(finding)) bool {
	machine := m.file.Header.Machine
	f, has := fields()[machine][r.Type]
	if !has || r.klp == nil || r.klp.err != nil {
		return false
	}
	name := arch.RelocName(m.file, r.Type)
	refuse := func(cause string) bool {
		add(whenOf(m, k, find(diag.RelocationType, cause), klp, "ENOEXEC",
			m.fieldMessages(&r.Rela)...))
		return true
	}
	overflows := k.overflowsField(machine, f, r.klp.object, r.Addend)
	switch {
	case m.leavesData(klp.target, &r.Rela):
		f := find(diag.RelocationType, m.whyLeavesData(klp.target, &r.Rela))
		errno, says := m.leavesDataMessage(&r.Rela)
		add(whenOf(m, k, f, klp, errno, says))
		return true
	case overflows && f.checked && f.form == address:
		return refuse(fmt.Sprintf("%s can't hold the address, or the addend %#x is too large for it",
			name, r.Addend))
	case overflows && f.checked:
		return refuse(fmt.Sprintf("%s can't hold the distance from the module, or the addend %#x is "+
			"too large for it", name, r.Addend))
	case overflows && !m.slots().extended[reference{klp.target, r.Sym}]:
		add(whenCalled(m, k, find(diag.OutsideTarget, fmt.Sprintf("the value does not fit into %s, "+
			"which the kernel does not check", name)).
			fix("build with the kernel's own flags (Kbuild)"), klp))
		return true
	case misalignedField(machine, f, klp.target, &r.Rela, m.lowBits(k, r.klp)):
		return refuse(fmt.Sprintf("%s holds multiples of %d only, and the value is not one", name,
			1<<f.shift))
	}
	return false
}

// pops reports whether the relocation takes a value from loongarch64's stack of values, which
// relocations before it have to push: the loader refuses an empty stack silently
// (arch/loongarch/kernel/module.c, rela_stack_pop; seen in 7.3).
func pops(machine elf.Machine, t uint32) bool {
	return machine == elf.EM_LOONGARCH && t > lastPush && t <= 46 // SOP_POP_32_U
}

// pushes reports whether it puts a value there.
func pushes(machine elf.Machine, t uint32) bool {
	return machine == elf.EM_LOONGARCH && t >= 22 && t <= lastPush // SOP_PUSH_PCREL
}

const lastPush = 29 // R_LARCH_SOP_PUSH_PLT_PCREL

// emptyStack is the finding about a relocation that pops where none has pushed.
func emptyStack(m *view, s *elfrw.Section, r *elfrw.Rela) finding {
	return problem(diag.RelocationType, arch.RelocName(m.file, r.Type)+" takes a value that no "+
		"relocation of the section has computed").at(s, r.Offset).
		fix("build with the kernel's own flags (Kbuild)")
}

// leavesData reports whether loongarch64 refuses a branch, because it is in a section without
// SHF_EXECINSTR: those are 128 MiB or more away from code and from the module's PLT
// (arch/loongarch/mm/init.c, execmem_arch_setup; as of 6.12, seen in 7.3).
func (m *view) leavesData(target *elfrw.Section, r *elfrw.Rela) bool {
	return m.file.Header.Machine == elf.EM_LOONGARCH && r.Type == larchB26 &&
		target.Flags&uint64(elf.SHF_EXECINSTR) == 0 && r.Sym != nil &&
		(r.Sym.Section == nil || r.Sym.Section.Flags&uint64(elf.SHF_EXECINSTR) != 0)
}

func (m *view) whyLeavesData(target *elfrw.Section, r *elfrw.Rela) string {
	return fmt.Sprintf("%s does not reach code from %s, which has no SHF_EXECINSTR and is loaded as "+
		"data", arch.RelocName(m.file, r.Type), target)
}

// leavesDataMessage is what the loader does then. What is outside of the module gets a place in the
// PLT first, and none may be reserved (arch/loongarch/kernel/module.c, apply_r_larch_b26).
func (m *view) leavesDataMessage(r *elfrw.Rela) (errno string, message diag.KernelMessage) {
	if r.Sym.Section == nil && m.slots().noPLT {
		return "killed", oops("kernel BUG", "module_emit_plt_entry")
	}
	return "ENOEXEC", m.tooFar()
}

// refusesFarPlace reports whether the loader finds, before it touches the place, that the distance
// from a place far from everything does not fit. arm64's reads and writes the place first
// (reloc_insn_imm, reloc_data). On ppc64 a value from the TOC does not depend on the place, and the
// nop after a call of something outside of the module is read first.
func (m *view) refusesFarPlace(r *elfrw.Rela) bool {
	f, has := fields()[m.file.Header.Machine][r.Type]
	if !has || !f.checked || f.form == address {
		return false
	}
	switch m.file.Header.Machine {
	case elf.EM_AARCH64:
		return false
	case elf.EM_PPC64:
		switch elf.R_PPC64(r.Type) {
		case elf.R_PPC64_TOC16, elf.R_PPC64_TOC16_DS, elf.R_PPC64_TOC16_LO_DS:
			return false
		case elf.R_PPC64_REL24:
			return r.Sym != nil && r.Sym.Section != nil
		}
	}
	return true
}

// refusesValues reports whether the loader looks at whether a value fits.
func (m *view) refusesValues(r *elfrw.Rela) bool {
	return fields()[m.file.Header.Machine][r.Type].checked
}

// refusesZero reports whether the loader refuses the value 0, because no module is so close to that
// address. Types with a slot in the module's own tables take it.
func (m *view) refusesZero(r *elfrw.Rela) bool {
	f, has := fields()[m.file.Header.Machine][r.Type]
	return has && f.checked && f.form == distance && r.Addend < unmapped && r.Addend > -unmapped
}

// splitsInstruction reports whether the machine's instructions are words of 4 bytes, and the
// relocation is for one, but its place is not that of an instruction.
func (m *view) splitsInstruction(klp *klpSection, r *elfrw.Rela) bool {
	machine := m.file.Header.Machine
	return (machine == elf.EM_AARCH64 || machine == elf.EM_LOONGARCH) && r.Offset%4 != 0 &&
		klp.target.Flags&uint64(elf.SHF_EXECINSTR) != 0 && widthOf(m.file, r.Type) != 0 &&
		!slices.Contains(wholeWords[machine], r.Type)
}

// outOfRange is what ppc64 says of branches and distances.
var outOfRange = map[uint32]string{10: "%s: REL24 %s out of range!",
	26: "%s: REL32 %s out of range!", 132: "%s: REL34 %s out of range!"}

// fieldMessages are what the loader says of a value that does not fit.
func (m *view) fieldMessages(r *elfrw.Rela) []diag.KernelMessage {
	symbol := ""
	if r.Sym != nil {
		symbol = r.Sym.Name
	}
	signed := blank{"…", `-?\d+`}
	switch machine := m.file.Header.Machine; {
	case machine == elf.EM_S390:
		return []diag.KernelMessage{says("module %s: relocation error for symbol %s (r_type %s, "+
			"value 0x%s)", m.name, symbol, r.Type, anyHex)}
	case machine == elf.EM_AARCH64:
		return []diag.KernelMessage{says("module %s: overflow in relocation type %s val %s", m.name,
			r.Type, blank{"…", `[0-9a-fA-F]+`})}
	case machine == elf.EM_PPC64 && r.Type == uint32(elf.R_PPC64_TOC16):
		return []diag.KernelMessage{says("%s: bad TOC16 relocation (0x%s)", m.name, anyHex)}
	case machine == elf.EM_PPC64 && r.Type == uint32(elf.R_PPC64_TOC16_DS):
		return []diag.KernelMessage{says("%s: bad TOC16_DS relocation (0x%s)", m.name, anyHex)}
	case machine == elf.EM_PPC64 && r.Type == uint32(elf.R_PPC64_TOC16_LO_DS):
		return []diag.KernelMessage{says("%s: bad TOC16_LO_DS relocation (0x%s)", m.name, anyHex)}
	case machine == elf.EM_PPC64:
		return []diag.KernelMessage{says(outOfRange[r.Type], m.name, signed)}
	}
	if r.Offset >= unmapped && (r.Offset^uint64(r.Addend))%4 == 0 {
		return []diag.KernelMessage{m.tooFar()}
	}
	return []diag.KernelMessage{says("module %s: jump offset = 0x%s unaligned! dangerous "+
		"R_LARCH_B26 (%s) relocation", m.name, anyHex, r.Type)}
}

// tooFar is what loongarch64 says of a branch that does not reach.
func (m *view) tooFar() diag.KernelMessage {
	return says("module %s: jump offset = 0x%s overflow! dangerous R_LARCH_B26 (%s) relocation",
		m.name, anyHex, larchB26)
}

// gotSlots and pltSlots are the types for which module_frob_arch_sections reserves a place in a
// table of the module, and those that take one (arch/s390/kernel/module.c, check_rela;
// arch/loongarch/kernel/module-sections.c, count_max_entries).
var (
	gotSlots = map[elf.Machine][]uint32{
		elf.EM_S390:      {26, 33},      // GOTENT, GOTPLTENT
		elf.EM_LOONGARCH: {75, 76, 130}, // GOT_PC_HI20, GOT_PC_LO12, GOT_PCADD_HI20
	}
	pltSlots = map[elf.Machine][]uint32{elf.EM_LOONGARCH: {29, larchB26}} // SOP_PUSH_PLT_PCREL
)

const larchB26 = 66

// s390Slots are all types of s390x that take a place in the GOT or in the PLT, which it keeps.
var s390Slots = []uint32{6, 7, 8, 15, 18, 20, 24, 25, 26, 29, 30, 31, 32, 33, 34, 35, 36, 58, 59}

// slots are what the relocations of a module reserve in its tables, and what they need.
type slots struct {
	// got are the symbols for which a section of type SHT_RELA reserves a place in the GOT of
	// s390x.
	got map[*elfrw.Symbol]bool
	// lackGOT, lackPLT: in the tables of loongarch64 fewer places are reserved than symbols
	// outside of the module need, each of which is too far for anything else: one for each
	// different relocation of an executable section.
	lackGOT, lackPLT bool
	// noPLT: on loongarch64 no place is reserved in the PLT at all.
	noPLT bool
	// placesGOT are the places that are reserved in the GOT of loongarch64.
	placesGOT int
	// extended are symbols for which other relocations of the same section fill in the rest of a
	// distance on loongarch64 (PCALA64_LO20 and PCALA64_HI12).
	extended map[reference]bool
}

// reference is a symbol that a section refers to.
type reference struct {
	target *elfrw.Section
	y      *elfrw.Symbol
}

// A tableCount counts places in a table.
type tableCount struct {
	types    []uint32
	reserved int
	all      bool // symbols of the module need a place too
	needed   map[slotUse]bool
}

// slotUse is what one place is for.
type slotUse struct {
	y      *elfrw.Symbol
	addend int64
}

// readSlots reads all relocations once.
func readSlots(m *view) *slots {
	const lo20 = 73
	machine := m.file.Header.Machine
	all := &slots{got: map[*elfrw.Symbol]bool{}, extended: map[reference]bool{}}
	got := tableCount{types: gotSlots[machine], all: true, needed: map[slotUse]bool{}}
	plt := tableCount{types: pltSlots[machine], needed: map[slotUse]bool{}}
	marked := map[*elfrw.Section]*klpSection{}
	for _, klp := range m.klp {
		marked[klp.Section] = klp
	}
	for _, s := range m.file.Sections {
		seen := map[elfrw.Rela]bool{}
		sized := s.Type == elf.SHT_RELA
		if klp := marked[s]; klp != nil {
			sized = m.typeOf(klp) == elf.SHT_RELA
		}
		read := func(target *elfrw.Section, r *elfrw.Rela) {
			if r.Sym == nil {
				return
			}
			if sized && slices.Contains(got.types, r.Type) {
				all.got[r.Sym] = true
			}
			if machine != elf.EM_LOONGARCH || target == nil ||
				target.Flags&uint64(elf.SHF_EXECINSTR) == 0 {
				return
			}
			if r.Type == lo20 {
				all.extended[reference{target, r.Sym}] = true
			}
			one := elfrw.Rela{Sym: r.Sym, Addend: r.Addend, Type: r.Type}
			reserves := sized && !seen[one]
			seen[one] = true
			got.count(r, reserves && r.Type != uint32(elf.R_LARCH_GOT_PC_LO12))
			plt.count(r, reserves)
		}
		if klp := marked[s]; klp != nil {
			for i := range klp.relocs {
				read(klp.target, &klp.relocs[i].Rela)
			}
		} else if s.HasRelocs() {
			relocs := s.ReadRelocs()
			for r := relocs.Next(); r != nil; r = relocs.Next() {
				read(s.Target, r)
			}
		}
	}
	all.lackGOT, all.lackPLT = len(got.needed) > got.reserved, len(plt.needed) > plt.reserved
	all.noPLT, all.placesGOT = plt.reserved == 0, got.reserved
	return all
}

func (t *tableCount) count(r *elfrw.Rela, reserves bool) {
	if !slices.Contains(t.types, r.Type) {
		return
	}
	if reserves {
		t.reserved++
	}
	if t.all || r.Sym.Section == nil {
		t.needed[slotUse{r.Sym, r.Addend}] = true
	}
}

// lacksPlace returns the relocation for which the GOT of loongarch64 has no place left; s is nil if
// there is none. The loader reserves one for each R_LARCH_GOT_PC_HI20, and takes one for each
// address that a HI20 or a LO12 is for (arch/loongarch/kernel/module-sections.c,
// count_max_entries, module_emit_got_entry). What is applied late comes last.
func lacksPlace(m *view, k *facts) (s *elfrw.Section, at elfrw.Rela) {
	if !m.slots().lackGOT {
		return nil, at
	}
	late := map[*elfrw.Section]bool{}
	relocs := map[*elfrw.Section][]elfrw.Rela{}
	for _, klp := range m.klp {
		late[klp.Section] = klp.marked && k.late(klp)
		list := make([]elfrw.Rela, len(klp.relocs))
		for i := range klp.relocs {
			list[i] = klp.relocs[i].Rela
		}
		relocs[klp.Section] = list
	}
	taken := map[slotUse]bool{}
	types := gotSlots[elf.EM_LOONGARCH]
	for _, wanted := range []bool{false, true} {
		for _, s := range m.file.Sections {
			if late[s] != wanted || s.Target == nil || !s.Target.Alloc() {
				continue
			}
			list, klp := relocs[s]
			if !klp && s.HasRelocs() {
				list = m.inOrder(s)
			}
			for _, r := range list {
				if r.Sym == nil || !slices.Contains(types, r.Type) {
					continue
				}
				if taken[slotUse{r.Sym, r.Addend}] = true; len(taken) > m.slots().placesGOT {
					return s, r
				}
			}
		}
	}
	return nil, at
}

// badGOT is what loongarch64 says when no place is left.
func (m *view) badGOT() diag.KernelMessage {
	return says("%s: module contains bad GOT relocation", m.name)
}

// inOrder returns the relocations of a section in the order in which the loader applies them.
func (m *view) inOrder(s *elfrw.Section) []elfrw.Rela {
	list := s.Relocs()
	if m.file.Header.Machine == elf.EM_LOONGARCH && reorders(m.file, s, s.Target) {
		list = slices.Clone(list)
		numbers := m.numbers()
		slices.SortStableFunc(list, func(a, b elfrw.Rela) int { return numbers.compare(&a, &b) })
	}
	return list
}

// checkPlaces: the GOT of loongarch64 has a place for each relocation that needs one.
func checkPlaces(m *view, k *facts) (out result) {
	if m.file.Header.Machine != elf.EM_LOONGARCH {
		return
	}
	s, r := lacksPlace(m, k)
	if s == nil {
		return
	}
	f := problem(diag.RelocationType, fmt.Sprintf("the module's table of addresses (.got) has no place "+
		"for it: one is reserved for each R_LARCH_GOT_PC_HI20, and %s of another symbol or addend needs "+
		"one more", arch.RelocName(m.file, r.Type))).at(s, r.Offset).of(r.Sym.Name).
		fix("build with the kernel's own flags (Kbuild), and convert the module as modpost left it")
	for _, klp := range m.klp {
		if klp.Section == s {
			out.add(whenOf(m, k, f, klp, "EINVAL", m.badGOT()))
			return
		}
	}
	out.add(f.when(diag.Loading, "", "EINVAL", m.badGOT()))
	return
}

// whenUnreserved returns f with the case of a klp section whose type is not SHT_RELA, so that no
// places in tables are reserved for it. Where others have reserved more than they need, and on
// machines whose branches may need no place, it loads.
func whenUnreserved(m *view, k *facts, f finding, klp *klpSection) finding {
	switch machine := m.file.Header.Machine; {
	case machine == elf.EM_S390:
		// The place's number was not set, -1: it is before the GOT, and so before the module's
		// memory (seen in 6.12).
		for i := range klp.relocs {
			r := &klp.relocs[i].Rela
			if slices.Contains(gotSlots[machine], r.Type) && !m.slots().got[r.Sym] {
				return whenOf(m, k, f, klp, "killed", oops("page fault", "apply_relocate_add"))
			}
		}
	case machine == elf.EM_LOONGARCH && m.slots().lackGOT:
		return whenOf(m, k, f, klp, "EINVAL", m.badGOT())
	case machine == elf.EM_LOONGARCH && m.slots().lackPLT:
		return whenOf(m, k, f, klp, "killed", oops("kernel BUG", "module_emit_plt_entry"))
	}
	return f.when(diag.Loading, "", "")
}
