// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

// A draft is a module in the making: a good one, of which a mutation changes one thing.
// Headers, symbols, relocations and contents are poked where they lie in the file; what
// changes lengths (names, added entries) goes through elfrw, which lays the file out again.
// What can't be done to this module panics with a draftError, which build catches: the
// mutation is not to be had for that kernel.
type draft struct {
	b    []byte
	room *room
}

// A room is what a mutation may know of the kernel.
type room struct {
	kernel *Kernel
	// spaced is an export of vmlinux in a namespace, and that namespace.
	spaced, namespace string
	// elsewhere is an export of a module of the kernel that is not loaded.
	elsewhere string
}

type draftError string

// build makes the mutant, or says why this module has none.
func build(good []byte, r *room, edit func(*draft)) (b []byte, err error) {
	d := &draft{slices.Clone(good), r}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case draftError:
			err = fmt.Errorf("%s", string(r))
		default:
			panic(r)
		}
	}()
	edit(d)
	return d.b, nil
}

func (d *draft) need(ok bool, format string, args ...any) {
	if !ok {
		panic(draftError(fmt.Sprintf(format, args...)))
	}
}

// A view is a piece of the file, with the file's byte order; what is put into it is in the
// file.
type view struct {
	b     []byte
	order binary.ByteOrder
}

func (v view) part(at, size int) view { return view{v.b[at:][:size], v.order} }
func (v view) set8(at int, x byte)    { v.b[at] = x }
func (v view) set16(at int, x uint16) { v.order.PutUint16(v.b[at:], x) }
func (v view) set32(at int, x uint32) { v.order.PutUint32(v.b[at:], x) }
func (v view) set64(at int, x uint64) { v.order.PutUint64(v.b[at:], x) }
func (v view) get16(at int) uint16    { return v.order.Uint16(v.b[at:]) }
func (v view) get32(at int) uint32    { return v.order.Uint32(v.b[at:]) }
func (v view) get64(at int) uint64    { return v.order.Uint64(v.b[at:]) }

// A relocation's type and symbol are the halves of one number, r_info.
func (v view) setType(x uint32) { v.set64(rInfo, v.get64(rInfo)>>32<<32|uint64(x)) }
func (v view) setSym(x uint32)  { v.set64(rInfo, uint64(x)<<32|v.get64(rInfo)&0xffffffff) }
func (v view) sym() uint32      { return uint32(v.get64(rInfo) >> 32) }

// order is the file's byte order.
func (d *draft) order() binary.ByteOrder {
	if d.b[elf.EI_DATA] == byte(elf.ELFDATA2MSB) {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (d *draft) view(from, size uint64) view { return view{d.b[from:][:size], d.order()} }

// Fields of an Elf64_Ehdr, Elf64_Shdr, Elf64_Sym and Elf64_Rela.
const (
	eType, eMachine, eVersion, eEntry, eShoff, eFlags = 16, 18, 20, 24, 40, 48
	eEhsize, ePhnum, eShentsize, eShnum, eShstrndx    = 52, 56, 58, 60, 62

	shName, shType, shFlags, shAddr, shOffset         = 0, 4, 8, 16, 24
	shSize, shLink, shInfo, shAddralign, shEntsize    = 32, 40, 44, 48, 56
	stName, stInfo, stOther, stShndx, stValue, stSize = 0, 4, 5, 6, 8, 16
	rOffset, rInfo, rAddend                           = 0, 8, 16
)

func (d *draft) ehdr() view { return d.view(0, 64) }

func (d *draft) count() int { return int(d.ehdr().get16(eShnum)) }

// shdrAt is the header of section i.
func (d *draft) shdrAt(i int) view {
	return d.view(d.ehdr().get64(eShoff)+uint64(i)*64, 64)
}

func (d *draft) name(i int) string {
	table := d.contentsOf(d.shdrAt(int(d.ehdr().get16(eShstrndx))))
	name, _, _ := bytes.Cut(table.b[d.shdrAt(i).get32(shName):], []byte{0})
	return string(name)
}

func (d *draft) contentsOf(h view) view { return d.view(h.get64(shOffset), h.get64(shSize)) }

// index is the number of the section of that name.
func (d *draft) index(name string) int {
	for i := 1; i < d.count(); i++ {
		if d.name(i) == name {
			return i
		}
	}
	d.need(false, "no section %s", name)
	return 0
}

func (d *draft) shdr(name string) view { return d.shdrAt(d.index(name)) }

// contents of a section.
func (d *draft) contents(name string) view { return d.contentsOf(d.shdr(name)) }

// rela is relocation i of a section.
func (d *draft) rela(name string, i int) view {
	b := d.contents(name)
	d.need(len(b.b) >= (i+1)*24, "%s has no relocation %d", name, i)
	return b.part(i*24, 24)
}

// relas is how many relocations a section has.
func (d *draft) relas(name string) int { return len(d.contents(name).b) / 24 }

// A relocKind is a type of relocations that each machine has under a name of its own.
type relocKind int

const (
	pointerType relocKind = iota // 64 bits, absolute
	word32                       // 32 bits, absolute
	pc64                         // 64 bits, relative to the place
	got                          // of a slot of the global offset table
	tls                          // of a variable of a thread
)

// relocTypes are the numbers of the types; a machine may not have one.
var relocTypes = map[elf.Machine]map[relocKind]uint32{
	elf.EM_X86_64: {pointerType: uint32(elf.R_X86_64_64), word32: uint32(elf.R_X86_64_32),
		pc64: uint32(elf.R_X86_64_PC64), got: uint32(elf.R_X86_64_GOTPCREL),
		tls: uint32(elf.R_X86_64_TPOFF32)},
	elf.EM_S390: {pointerType: uint32(elf.R_390_64), word32: uint32(elf.R_390_32),
		pc64: uint32(elf.R_390_PC64), got: uint32(elf.R_390_GOTENT),
		tls: uint32(elf.R_390_TLS_LE64)},
	elf.EM_PPC64: {pointerType: uint32(elf.R_PPC64_ADDR64), word32: uint32(elf.R_PPC64_ADDR32),
		pc64: uint32(elf.R_PPC64_REL64), got: uint32(elf.R_PPC64_GOT16),
		tls: uint32(elf.R_PPC64_TPREL16)},
	elf.EM_AARCH64: {pointerType: uint32(elf.R_AARCH64_ABS64), word32: uint32(elf.R_AARCH64_ABS32),
		pc64: uint32(elf.R_AARCH64_PREL64), got: uint32(elf.R_AARCH64_ADR_GOT_PAGE),
		tls: uint32(elf.R_AARCH64_TLSLE_ADD_TPREL_HI12)},
	elf.EM_LOONGARCH: {pointerType: uint32(elf.R_LARCH_64), word32: uint32(elf.R_LARCH_32),
		pc64: uint32(elf.R_LARCH_64_PCREL), got: uint32(elf.R_LARCH_GOT_PC_HI20),
		tls: uint32(elf.R_LARCH_TLS_LE_HI20)},
}

func (d *draft) relocType(k relocKind) uint32 {
	n, ok := relocTypes[elf.Machine(d.ehdr().get16(eMachine))][k]
	d.need(ok, "this machine has no relocation of that kind")
	return n
}

// symbol is the entry of the first symbol of that name.
func (d *draft) symbol(name string) view {
	n := d.symbolNumber(name)
	return d.contents(".symtab").part(n*24, 24)
}

func (d *draft) symbolNumber(name string) int {
	names := d.contents(".strtab")
	symbols := d.contents(".symtab")
	for i := 1; i < len(symbols.b)/24; i++ {
		s, _, _ := bytes.Cut(names.b[symbols.get32(i*24+stName):], []byte{0})
		if string(s) == name {
			return i
		}
	}
	d.need(false, "no symbol %s", name)
	return 0
}

// flag changes bits of a section's flags.
func (d *draft) flag(section string, set, reset uint64) {
	h := d.shdr(section)
	h.set64(shFlags, h.get64(shFlags)&^reset|set)
}

// model edits the file as elfrw sees it.
func (d *draft) model(edit func(f *elfrw.File)) {
	f, err := elfrw.Parse("", slices.Clone(d.b))
	d.need(err == nil, "%v", err)
	edit(f)
	b, err := f.Bytes()
	d.need(err == nil, "%v", err)
	d.b = b
}

// section finds one in a model.
func (d *draft) section(f *elfrw.File, name string) *elfrw.Section {
	s := f.Section(name)
	d.need(s != nil, "no section %s", name)
	return s
}

func (d *draft) symbolIn(f *elfrw.File, name string) *elfrw.Symbol {
	i := slices.IndexFunc(f.Symbols, func(y *elfrw.Symbol) bool { return y.Name == name })
	d.need(i >= 0, "no symbol %s", name)
	return f.Symbols[i]
}

// rename gives a section another name.
func (d *draft) rename(from, to string) {
	d.model(func(f *elfrw.File) { d.section(f, from).Name = to })
}

// call gives a symbol another name.
func (d *draft) call(from, to string) {
	d.model(func(f *elfrw.File) { d.symbolIn(f, from).Name = to })
}

// data replaces the contents of a section.
func (d *draft) data(name string, edit func(b []byte) []byte) {
	d.model(func(f *elfrw.File) {
		s := d.section(f, name)
		s.Data = edit(slices.Clone(s.Data))
	})
}

// cut takes n bytes off the end of a section, in its header.
func (d *draft) cut(name string, n uint64) {
	h := d.shdr(name)
	d.need(h.get64(shSize) > n, "%s is too short", name)
	h.set64(shSize, h.get64(shSize)-n)
}

// info changes .modinfo: edit gets its entries.
func (d *draft) info(edit func(list []string) []string) {
	d.data(".modinfo", func(b []byte) []byte {
		var list []string
		for _, e := range bytes.Split(b, []byte{0}) {
			if len(e) > 0 {
				list = append(list, string(e))
			}
		}
		var out []byte
		for _, e := range edit(list) {
			out = append(append(out, e...), 0)
		}
		return out
	})
}

// tell sets a key of .modinfo; to "" takes it away.
func (d *draft) tell(key, value string) {
	d.info(func(list []string) []string {
		i := slices.IndexFunc(list, func(e string) bool {
			return len(e) > len(key) &&
				e[:len(key)+1] == key+"="
		})
		d.need(i >= 0, "no %s= in .modinfo", key)
		if value == "" {
			return slices.Delete(list, i, i+1)
		}
		list[i] = key + "=" + value
		return list
	})
}

// add adds an entry to .modinfo.
func (d *draft) add(entry string) {
	d.info(func(list []string) []string { return append(list, entry) })
}

// relocAt is the relocation of a byte of an object: field bytes into the symbol.
func (d *draft) relocAt(f *elfrw.File, symbol string, field uint64) (s *elfrw.Section, i int) {
	y := d.symbolIn(f, symbol)
	for _, s := range f.Sections {
		if s.Target != y.Section || !s.HasRelocs() || s.Flags&shfRelaLivepatch != 0 {
			continue
		}
		if i := slices.IndexFunc(s.Relocs(),
			func(r elfrw.Rela) bool { return r.Offset == y.Value+field }); i >= 0 {
			return s, i
		}
	}
	d.need(false, "no relocation at %s+%d", symbol, field)
	return nil, 0
}

// Fields of the structures of kernel/livepatch.
const (
	patchMod, patchObjs       = 0, 8
	objectName, objectFuncs   = 0, 8
	funcOld, funcNew, funcPos = 0, 8, 16
)

// kernelVersion is that of the kernel that the mutant is for.
func (d *draft) kernelVersion() kernel.Version {
	v, ok := kernel.ParseVersion(d.room.kernel.Release)
	d.need(ok, "no version in the release %s", d.room.kernel.Release)
	return v
}

// objectStride and funcStride are the sizes of klp_object and klp_func.
func (d *draft) objectStride() uint64 { return d.kernelVersion().Structures().Object }
func (d *draft) funcStride() uint64   { return d.kernelVersion().Structures().Func }

// statesAt and replaceAt are where klp_patch has those members (include/linux/livepatch.h).
func (d *draft) statesAt() uint64 {
	d.need(d.room.kernel.AtLeast(5, 5), "klp_patch has no states before 5.5")
	return 16
}

func (d *draft) replaceAt() uint64 {
	d.need(d.kernelVersion().Replaces(), "klp_patch has no replace before 5.1")
	if d.room.kernel.AtLeast(5, 5) {
		return 24
	}
	return 16
}

// null takes away a pointer of a structure.
func (d *draft) null(symbol string, field uint64) {
	d.model(func(f *elfrw.File) {
		s, i := d.relocAt(f, symbol, field)
		s.SetRelocs(slices.Delete(slices.Clone(s.Relocs()), i, i+1))
	})
}

// number changes a number of a structure.
func (d *draft) number(symbol string, field uint64, value uint64) {
	d.model(func(f *elfrw.File) {
		y := d.symbolIn(f, symbol)
		b := slices.Clone(y.Section.Data)
		d.order().PutUint64(b[y.Value+field:], value)
		y.Section.Data = b
	})
}

// point lets a pointer of a structure point to a new string.
func (d *draft) point(symbol string, field uint64, text string) {
	d.model(func(f *elfrw.File) {
		s, i := d.relocAt(f, symbol, field)
		relocs := slices.Clone(s.Relocs())
		d.pointToString(f, &relocs[i], text)
		s.SetRelocs(relocs)
	})
}

// pointToString makes a relocation that of the address of a new string.
func (d *draft) pointToString(f *elfrw.File, r *elfrw.Rela, text string) {
	const strings = uint64(elf.SHF_ALLOC | elf.SHF_STRINGS)
	at := slices.IndexFunc(f.Sections,
		func(s *elfrw.Section) bool { return s.Flags&strings == strings })
	if at < 0 { // 7.x links them into .rodata
		at = slices.IndexFunc(f.Sections,
			func(s *elfrw.Section) bool { return s.Name == ".rodata" })
	}
	d.need(at >= 0, "no section with strings")
	s := f.Sections[at]
	i := slices.IndexFunc(f.Symbols, func(y *elfrw.Symbol) bool {
		return y.Section == s &&
			y.Type() == elf.STT_SECTION
	})
	if i < 0 {
		f.AddSymbol(&elfrw.Symbol{Section: s, Info: byte(elf.STT_SECTION)})
		i = slices.IndexFunc(f.Symbols, func(y *elfrw.Symbol) bool {
			return y.Section == s &&
				y.Type() == elf.STT_SECTION
		})
	}
	r.Sym, r.Addend = f.Symbols[i], int64(len(s.Data))
	s.Data = append(append(slices.Clone(s.Data), text...), 0)
}

// grow adds room to an array of structures, by moving it to the end of its section, and
// returns where it is now. Its relocations move along.
func (d *draft) grow(f *elfrw.File, symbol string, by uint64) *elfrw.Symbol {
	y := d.symbolIn(f, symbol)
	s := y.Section
	old, size := y.Value, y.Size
	to := uint64(len(s.Data)+31) &^ 31
	b := append(slices.Clone(s.Data), make([]byte, to+size+by-uint64(len(s.Data)))...)
	copy(b[to:], b[old:old+size])
	s.Data = b
	y.Value, y.Size = to, size+by
	for _, rs := range f.Sections {
		if !rs.HasRelocs() {
			continue
		}
		relocs := slices.Clone(rs.Relocs())
		for i := range relocs {
			r := &relocs[i]
			if rs.Target == s && r.Offset >= old && r.Offset < old+size {
				r.Offset += to - old
			}
			if r.Sym != nil && r.Sym.Section == s && r.Sym.Type() == elf.STT_SECTION &&
				uint64(r.Addend) >= old && uint64(r.Addend) < old+size {
				r.Addend += int64(to - old)
			}
		}
		rs.SetRelocs(relocs)
	}
	return y
}

// another copies the entry of an array of structures at from to the place at to, which
// has none, with its relocations.
func (d *draft) another(symbol string, from, to, stride uint64) {
	d.model(func(f *elfrw.File) {
		y := d.grow(f, symbol, stride)
		copy(y.Section.Data[y.Value+to:][:stride], y.Section.Data[y.Value+from:][:stride])
		for _, s := range f.Sections {
			if s.Target != y.Section || !s.HasRelocs() || s.Flags&shfRelaLivepatch != 0 {
				continue
			}
			for _, r := range slices.Clone(s.Relocs()) {
				if r.Offset >= y.Value+from && r.Offset < y.Value+from+stride {
					r.Offset += to - from
					f.AddReloc(s, r)
				}
			}
		}
	})
}
