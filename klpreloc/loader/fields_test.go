// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// become makes a module of another machine: addresses have that machine's relocation, and there
// are the sections that its linker script makes.
func become(t *testing.T, f *elfrw.File, machine elf.Machine) {
	t.Helper()
	f.Header.Machine = machine
	if machine == elf.EM_PPC64 {
		f.Header.Flags = 2
	}
	word := arch.Machines[machine].Word
	for _, s := range f.Sections {
		if !s.HasRelocs() {
			continue
		}
		rs := slices.Clone(s.Relocs())
		for i := range rs {
			rs[i].Type = word
		}
		s.SetRelocs(rs)
	}
	if s := f.Section("__mcount_loc"); s != nil && machine != elf.EM_S390 {
		s.Name = "__patchable_function_entries"
	}
	for _, name := range map[elf.Machine][]string{
		elf.EM_PPC64: {".stubs", ".mygot"},
		elf.EM_AARCH64: {".plt", ".init.plt", ".text.ftrace_trampoline",
			".init.text.ftrace_trampoline"},
		elf.EM_LOONGARCH: {".got", ".plt", ".plt.idx"},
	}[machine] {
		add(f, name, 0, make([]byte, 8))
	}
}

// versionOf is a kernel in which the machine has livepatching.
var versionOf = map[elf.Machine]string{elf.EM_S390: "6.12", elf.EM_PPC64: "6.12",
	elf.EM_AARCH64: "7.3", elf.EM_LOONGARCH: "6.12"}

// on returns a world of that machine.
func on(machine elf.Machine) world {
	w := good()
	w.version = versionOf[machine]
	w.config = "CONFIG_LIVEPATCH=y\n# CONFIG_STRICT_MODULE_RWX is not set\n"
	w.target = func(t *testing.T, a *elfrw.File) { become(t, a, machine) }
	return w
}

// wrongly is what is said of code that was not relocated.
const wrongly = "page fault, endless loop or wrong result in vm_fn"

func TestGoodModuleLoadsOnEachMachine(t *testing.T) {
	for machine := range versionOf {
		w := on(machine)
		f := w.convert(t)
		become(t, f, machine)
		r := w.check(t, encode(t, f))
		assert.Zero(t, r.Problems(), "%s: %+v", machine, r.Findings)
	}
}

// ppc64le modules say which ABI they are for; what EI_DATA says is looked at by nobody.
func TestABIOfModules(t *testing.T) {
	for _, c := range []struct {
		version string
		flags   uint32
		says    string
	}{
		{"6.12", 2, ""}, {"6.1", 1, ""}, {"6.12", 1, "Invalid module architecture in ELF header: 21"},
	} {
		w := on(elf.EM_PPC64)
		w.version = c.version
		f := w.convert(t)
		become(t, f, elf.EM_PPC64)
		f.Header.Flags = c.flags
		b := encode(t, f)
		b[elf.EI_DATA] = byte(elf.ELFDATA2MSB)
		x := finding(w.check(t, b), diag.BadELF)
		if c.says == "" {
			assert.Nil(t, x, "%+v", c)
			continue
		}
		require.NotNil(t, x)
		assert.Equal(t, c.says, x.KernelSays())
	}
}

// ppc64le looks for names without their first dot, and for _GLOBAL_OFFSET_TABLE_.
func TestUndefinedSymbolsOfOtherMachines(t *testing.T) {
	for _, c := range []struct {
		machine    elf.Machine
		name, says string
	}{
		{elf.EM_PPC64, ".klp.sym.vmlinux.vsym,0",
			"lp: Unknown symbol klp.sym.vmlinux.vsym,0 (err -2)"},
		{elf.EM_S390, ".klp.sym.vmlinux.vsym,0",
			"lp: Unknown symbol .klp.sym.vmlinux.vsym,0 (err -2)"},
		{elf.EM_PPC64, "_GLOBAL_OFFSET_TABLE_",
			"lp: Unknown symbol _GLOBAL_OFFSET_TABLE_ (err -2)"},
		{elf.EM_S390, "_GLOBAL_OFFSET_TABLE_", ""},
	} {
		w := on(c.machine)
		f := w.convert(t)
		become(t, f, c.machine)
		f.AddSymbol(&elfrw.Symbol{Name: c.name, Info: byte(elf.STB_GLOBAL) << 4})
		r := w.check(t, encode(t, f))
		var said []string
		for _, x := range r.Findings {
			for _, k := range x.Cases {
				for _, m := range k.Messages {
					said = append(said, m.Text)
				}
			}
		}
		if c.says == "" {
			assert.Empty(t, said)
			continue
		}
		assert.Contains(t, said, c.says, "%v %s", c.machine, c.name)
	}
}

// Which types a loader applies, with what error and message it refuses others, and what comes of
// values that do not fit wherever everything is (arch/*/kernel/module*.c, apply_relocate_add).
func TestRelocationsOfEachMachine(t *testing.T) {
	const vm, module = klpVm, klpA
	s390 := func(symbol string, typ int) string {
		return fmt.Sprintf("module lp: relocation error for symbol .klp.sym.%s,0 (r_type %d, "+
			"value 0x…)", symbol, typ)
	}
	arm64 := func(typ int) string {
		return fmt.Sprintf("module lp: overflow in relocation type %d val …", typ)
	}
	nothing := func(name string) string {
		return name + " does nothing: what it stands for is never relocated"
	}
	for name, c := range map[string]struct {
		machine elf.Machine
		version string // "" for versionOf
		section string
		typ     uint32
		addend  int64
		offset  uint64
		id      diag.ID
		errno   string
		says    string // of the first case; "" for nothing
	}{
		"s390x, unknown": {elf.EM_S390, "", vm, 61, 0, 0,
			diag.RelocationType, "ENOEXEC", "module lp: unknown relocation: 61"},
		"s390x, shared objects'": {elf.EM_S390, "", vm, 12, 0, 0,
			diag.RelocationType, "ENOEXEC", "no message, ENOEXEC"},
		"s390x, 16 bits": {elf.EM_S390, "", vm, 3, 0, 0,
			diag.RelocationType, "ENOEXEC", s390("vmlinux.vsym", 3)},
		"s390x, 20 bits": {elf.EM_S390, "6.1", vm, 57, 0, 0,
			diag.RelocationType, "ENOEXEC", s390("vmlinux.vsym", 57)},
		"s390x, 32 bits": {elf.EM_S390, "", vm, 4, 0, 0,
			diag.RelocationType, "ENOEXEC", s390("vmlinux.vsym", 4)},
		// Where vmlinux is in memory decides.
		"s390x, 32 bits, 6.1": {elf.EM_S390, "6.1", vm, 4, 0, 0, "", "", ""},
		"s390x, 32 bits, 6.1, a module": {elf.EM_S390, "6.1", module, 4, 0, 0,
			diag.RelocationType, "ENOEXEC", s390("a.asym", 4)},
		"s390x, PC16DBL": {elf.EM_S390, "", vm, 17, 2, 2,
			diag.RelocationType, "ENOEXEC", s390("vmlinux.vsym", 17)},
		"s390x, PC32DBL": {elf.EM_S390, "", vm, 19, 2, 2, "", "", ""},
		"s390x, PC32DBL, 6.1": {elf.EM_S390, "6.1", vm, 19, 2, 2,
			diag.RelocationType, "ENOEXEC", s390("vmlinux.vsym", 19)},
		"s390x, PC32DBL, 6.1, a module": {elf.EM_S390, "6.1", module, 19, 2, 2, "", "", ""},
		"s390x, PC32DBL, odd": {elf.EM_S390, "", vm, 19, 1, 2,
			diag.RelocationType, "ENOEXEC", s390("vmlinux.vsym", 19)},
		"s390x, PC32DBL, large addend": {elf.EM_S390, "", vm, 19, 1 << 40, 2,
			diag.RelocationType, "ENOEXEC", s390("vmlinux.vsym", 19)},
		"s390x, GOTENT, a place 1 TiB away": {elf.EM_S390, "", vm, 26, 2, 1 << 40,
			diag.OutsideTarget, "ENOEXEC", s390("vmlinux.vsym", 26)},
		"s390x, 64, a place 1 TiB away": {elf.EM_S390, "", vm, 22, 0, 1 << 40,
			diag.OutsideTarget, "killed", "page fault"},
		"s390x, PLT32DBL": {elf.EM_S390, "6.1", vm, 20, 2, 2, "", "", ""},
		"s390x, PLT32DBL, odd": {elf.EM_S390, "", vm, 20, 2, 1,
			diag.RelocationType, "ENOEXEC", s390("vmlinux.vsym", 20)},
		"s390x, GOTENT": {elf.EM_S390, "6.1", vm, 26, 2, 2, "", "", ""},
		"s390x, GOTENT, large addend": {elf.EM_S390, "", vm, 26, 1 << 33, 2,
			diag.RelocationType, "ENOEXEC", s390("vmlinux.vsym", 26)},
		"s390x, GOTENT, odd": {elf.EM_S390, "", vm, 26, 3, 2,
			diag.RelocationType, "ENOEXEC", s390("vmlinux.vsym", 26)},
		"s390x, NONE": {elf.EM_S390, "", vm, 0, 0, 0,
			diag.RelocationType, "", nothing(wrongly)},
		"ppc64le, NONE": {elf.EM_PPC64, "", vm, 0, 0, 0,
			diag.RelocationType, "ENOEXEC", "lp: Unknown ADD relocation: 0"},
		"ppc64le, of the module's TOC": {elf.EM_PPC64, "", vm, 51, 0, 0, "", "", ""},
		"ppc64le, ENTRY":               {elf.EM_PPC64, "", vm, 118, 0, 0, "", "", ""},
		"ppc64le, PCREL34 in 6.1": {elf.EM_PPC64, "6.1", vm, 132, 0, 0,
			diag.RelocationType, "ENOEXEC", "lp: Unknown ADD relocation: 132"},
		"ppc64le, REL32": {elf.EM_PPC64, "", vm, 26, 0, 0,
			diag.RelocationType, "ENOEXEC", "lp: REL32 … out of range!"},
		"ppc64le, REL32, a module": {elf.EM_PPC64, "", module, 26, 0, 0, "", "", ""},
		"ppc64le, TOC16": {elf.EM_PPC64, "", vm, 47, 0, 0,
			diag.RelocationType, "ENOEXEC", "lp: bad TOC16 relocation (0x…)"},
		"ppc64le, TOC16_DS": {elf.EM_PPC64, "", vm, 63, 0, 0,
			diag.RelocationType, "ENOEXEC", "lp: bad TOC16_DS relocation (0x…)"},
		"ppc64le, TOC16_LO_DS": {elf.EM_PPC64, "", vm, 64, 4, 2, "", "", ""},
		"ppc64le, TOC16_LO_DS, odd": {elf.EM_PPC64, "", vm, 64, 2, 2, diag.RelocationType, "ENOEXEC",
			"lp: bad TOC16_LO_DS relocation (0x…)"},
		"ppc64le, TOC16_HA": {elf.EM_PPC64, "", vm, 50, 0, 0,
			diag.OutsideTarget, "", wrongly},
		"ppc64le, ADDR32": {elf.EM_PPC64, "", vm, 1, 0, 0,
			diag.OutsideTarget, "", wrongly},
		"ppc64le, branch out of step": {elf.EM_PPC64, "", vm, 10, 0, 2,
			diag.RelocationType, "ENOEXEC", "lp: REL24 … out of range!"},
		"ppc64le, no branch": {elf.EM_PPC64, "", vm, 10, 0, 4, "", "", ""},
		"arm64, NONE": {elf.EM_AARCH64, "", vm, 256, 0, 0,
			diag.RelocationType, "", wrongly},
		"arm64, unsupported": {elf.EM_AARCH64, "", vm, 311, 0, 0,
			diag.RelocationType, "ENOEXEC", "module lp: unsupported RELA relocation: 311"},
		"arm64, ABS32": {elf.EM_AARCH64, "", module, 258, 0, 0,
			diag.RelocationType, "ENOEXEC", arm64(258)},
		"arm64, PREL16": {elf.EM_AARCH64, "", vm, 262, 0, 0,
			diag.RelocationType, "ENOEXEC", arm64(262)},
		"arm64, PREL16, a module": {elf.EM_AARCH64, "", module, 262, 0, 0, "", "", ""},
		"arm64, PREL32":           {elf.EM_AARCH64, "", vm, 261, 0, 0, "", "", ""},
		"arm64, PREL32, large addend": {elf.EM_AARCH64, "", vm, 261, 1 << 33, 0,
			diag.RelocationType, "ENOEXEC", arm64(261)},
		"arm64, the least addend": {elf.EM_AARCH64, "", vm, 275, math.MinInt64, 0,
			diag.RelocationType, "ENOEXEC", arm64(275)},
		"arm64, ADRP": {elf.EM_AARCH64, "", vm, 275, 0, 0, "", "", ""},
		"arm64, MOVW_UABS_G2": {elf.EM_AARCH64, "", vm, 267, 0, 0,
			diag.RelocationType, "ENOEXEC", arm64(267)},
		"arm64, MOVW_UABS_G2_NC": {elf.EM_AARCH64, "", vm, 268, 0, 0, "", "", ""},
		"arm64, MOVW_SABS_G1": {elf.EM_AARCH64, "", vm, 271, 0, 0,
			diag.RelocationType, "ENOEXEC", arm64(271)},
		"arm64, MOVW_SABS_G2": {elf.EM_AARCH64, "", vm, 272, 0, 0, "", "", ""},
		"arm64, TSTBR14": {elf.EM_AARCH64, "", vm, 279, 0, 0,
			diag.RelocationType, "ENOEXEC", arm64(279)},
		"arm64, CALL26": {elf.EM_AARCH64, "", vm, 283, 0, 0, "", "", ""},
		"arm64, CALL26, large addend": {elf.EM_AARCH64, "", vm, 283, 1 << 33, 0, diag.OutsideTarget, "",
			wrongly},
		"loongarch64, NONE": {elf.EM_LOONGARCH, "", vm, 20, 0, 0,
			diag.RelocationType, "", wrongly},
		"loongarch64, ABS_HI20": {elf.EM_LOONGARCH, "", vm, 67, 0, 0,
			diag.RelocationType, "EINVAL", "lp: Unsupport relocation type 67"},
		"loongarch64, S_10_5": {elf.EM_LOONGARCH, "", vm, 38, 0, 0,
			diag.RelocationType, "EINVAL", "lp: Unsupport relocation type 38"},
		"loongarch64, PCADD_HI20": {elf.EM_LOONGARCH, "", vm, 128, 0, 0,
			diag.RelocationType, "EINVAL", "lp: Unsupport relocation type 128"},
		"loongarch64, PCADD_HI20, 7.3": {elf.EM_LOONGARCH, "7.3", vm, 128, 0, 0, "", "", ""},
		"loongarch64, B26":             {elf.EM_LOONGARCH, "", vm, 66, 0, 0, "", "", ""},
		"loongarch64, B26 out of step": {elf.EM_LOONGARCH, "", vm, 66, 0, 2,
			diag.RelocationType, "ENOEXEC", "module lp: jump offset = 0x… " +
				"unaligned! dangerous R_LARCH_B26 (66) relocation"},
		"loongarch64, PCALA": {elf.EM_LOONGARCH, "", vm, 71, 0, 0,
			diag.OutsideTarget, "", wrongly},
		"loongarch64, PCALA, a module": {elf.EM_LOONGARCH, "", module, 71, 0, 0, "", "", ""},
		"loongarch64, 32_PCREL": {elf.EM_LOONGARCH, "", vm, 99, 0, 0,
			diag.OutsideTarget, "", wrongly},
		"loongarch64, through the table": {elf.EM_LOONGARCH, "", vm, 75, 0, 0, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := on(c.machine)
			if c.version != "" {
				w.version = c.version
			}
			if c.section == klpA {
				w.uses["a_fn"], w.loaded = "asym", true
			}
			f := w.convert(t)
			become(t, f, c.machine)
			relocs(c.section, func(rs []elfrw.Rela) []elfrw.Rela {
				rs[0].Type, rs[0].Addend, rs[0].Offset = c.typ, c.addend, c.offset
				return rs[:1]
			})(t, f)
			r := w.check(t, encode(t, f))
			if c.id == "" {
				assert.Zero(t, r.Problems(), "%+v", r.Findings)
				return
			}
			x := finding(r, c.id)
			require.NotNil(t, x, "%+v", r.Findings)
			assert.Equal(t, c.errno, x.Cases[0].Errno)
			if c.typ == 0 && c.machine == elf.EM_S390 {
				assert.Equal(t, nothing("R_390_NONE"), x.Message)
				return
			}
			assert.Equal(t, c.says, x.KernelSays())
		})
	}
}

// The same is asked of ordinary relocations, where the symbol is the module's own.
func TestOrdinaryRelocationsOfOtherMachines(t *testing.T) {
	for name, c := range map[string]struct {
		machine elf.Machine
		typ     uint32
		offset  uint64
		says    string
	}{
		"s390x, 32 bits of an address": {elf.EM_S390, 4, 0,
			"module lp: relocation error for symbol  (r_type 4, value 0x…)"},
		"s390x, a place 1 TiB away": {elf.EM_S390, 19, 1 << 40,
			"module lp: relocation error for symbol  (r_type 19, value 0x…)"},
		"s390x, 64 bits": {elf.EM_S390, 22, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := on(c.machine)
			f := w.convert(t)
			become(t, f, c.machine)
			own := f.Section(".text")
			y := &elfrw.Symbol{Section: own, Info: byte(elf.STT_SECTION)}
			f.AddSymbol(y)
			s := &elfrw.Section{Name: ".rela.data", Type: elf.SHT_RELA, Link: f.Symtab,
				Target: f.Section(".data"), EntSize: 24, Align: 8}
			if old := f.Section(".rela.data"); old != nil {
				s = old
			} else {
				f.AddSection(s)
			}
			s.SetRelocs([]elfrw.Rela{{Offset: c.offset, Type: c.typ, Sym: y}})
			x := finding(w.check(t, encode(t, f)), diag.RelocationType)
			if c.says == "" {
				assert.Nil(t, x)
				return
			}
			require.NotNil(t, x)
			assert.Equal(t, "ENOEXEC", x.Cases[0].Errno)
			assert.Equal(t, c.says, x.KernelSays())
		})
	}
}

// A distance of 64 bits is filled in by more relocations of the symbol in the section.
func TestLongDistanceOfLoongArch(t *testing.T) {
	for second, fails := range map[uint32]bool{73: false, 72: true} { // PCALA64_LO20, PCALA_LO12
		w := on(elf.EM_LOONGARCH)
		f := w.convert(t)
		become(t, f, elf.EM_LOONGARCH)
		relocs(klpVm, func(rs []elfrw.Rela) []elfrw.Rela {
			rs[0].Type, rs[0].Offset = 71, 0
			other := rs[0]
			other.Type, other.Offset = second, 4
			return []elfrw.Rela{rs[0], other}
		})(t, f)
		r := w.check(t, encode(t, f))
		assert.Equal(t, fails, finding(r, diag.OutsideTarget) != nil, "%d: %+v", second, r.Findings)
	}
}

// A call of ppc64le that returns has a nop after it, or, since 6.3, what the first relocation has
// made of it; other instructions need none.
func TestNopAfterACall(t *testing.T) {
	const nop, load, other = 0x60000000, 0xe8410018, 0x38600000
	for _, c := range []struct {
		version    string
		call, next uint32
		config     string
		fails      bool
	}{
		{"6.12", 0x48000001, nop, "", false}, {"6.12", 0x48000001, other, "", true},
		{"6.12", 0x48000001, load, "", false}, {"6.1", 0x48000001, load, "", true},
		{"6.12", 0x48000000, other, "", false}, // b
		{"6.12", 0x48000003, other, "", false}, // bla
		{"6.12", 0x41820001, other, "", true},  // beql
		{"6.12", 0x38600001, other, "", false}, // li r3,1
		{"6.12", 0x48000001, other, "CONFIG_LIVEPATCH=y\nCONFIG_PPC_KERNEL_PCREL=y\n", false},
	} {
		w := on(elf.EM_PPC64)
		w.version, w.config = c.version, c.config
		f := w.convert(t)
		become(t, f, elf.EM_PPC64)
		relocs(klpVm, func(rs []elfrw.Rela) []elfrw.Rela {
			rs[0].Type = uint32(elf.R_PPC64_REL24)
			return rs[:1]
		})(t, f)
		s := section(t, f, ".text.vm_fn")
		s.Data = slices.Clone(s.Data)
		binary.LittleEndian.PutUint32(s.Data, c.call)
		binary.LittleEndian.PutUint32(s.Data[4:], c.next)
		r := w.check(t, encode(t, f))
		assert.Equal(t, c.fails, finding(r, diag.CallSequence) != nil, "%+v: %+v", c, r.Findings)
	}
}

// With STRICT_MODULE_RWX plain stores of ppc64 fault; calls are patched.
func TestLateStoresOfPPC64(t *testing.T) {
	for config, strict := range map[string]bool{"": true,
		"CONFIG_LIVEPATCH=y\nCONFIG_STRICT_MODULE_RWX=y\n":            true,
		"CONFIG_LIVEPATCH=y\n# CONFIG_STRICT_MODULE_RWX is not set\n": false} {
		for typ, stores := range map[elf.R_PPC64]bool{elf.R_PPC64_ADDR64: true,
			elf.R_PPC64_REL24: false, elf.R_PPC64_ENTRY: false} {
			w := on(elf.EM_PPC64)
			w.config, w.uses["a_fn"], w.loaded = config, "asym", true
			f := w.convert(t)
			become(t, f, elf.EM_PPC64)
			relocs(klpA, func(rs []elfrw.Rela) []elfrw.Rela {
				rs[0].Type = uint32(typ)
				return rs
			})(t, f)
			r := w.check(t, encode(t, f))
			assert.Equal(t, strict && stores, finding(r, diag.LateReadOnly) != nil, "%q, %s: %+v", config,
				typ, r.Findings)
		}
	}
}

// What is read-only after init is written in time when the target is there, and faults later.
func TestLateStoresOfPPC64AfterInit(t *testing.T) {
	w := on(elf.EM_PPC64)
	w.config, w.uses["a_fn"], w.loaded = "", "asym", true
	f := w.convert(t)
	become(t, f, elf.EM_PPC64)
	s := section(t, f, ".text.a_fn")
	s.Name, s.Flags = ".data..ro_after_init", uint64(elf.SHF_ALLOC|elf.SHF_WRITE)
	section(t, f, klpA).Name = ".klp.rela.a..data..ro_after_init"
	late := finding(w.check(t, encode(t, f)), diag.LateReadOnly)
	require.NotNil(t, late)
	require.Len(t, late.Cases, 1)
	assert.Equal(t, diag.Coming, late.Cases[0].When)
}

// withFirst converts the livepatch for a machine; of what it has for vmlinux the first relocation is
// left, edited.
func withFirst(t *testing.T, w *world, machine elf.Machine, edit func(r *elfrw.Rela)) *elfrw.File {
	t.Helper()
	f := w.convert(t)
	become(t, f, machine)
	relocs(klpVm, func(rs []elfrw.Rela) []elfrw.Rela {
		edit(&rs[0])
		return rs[:1]
	})(t, f)
	return f
}

// An ordinary relocation of a klp symbol has the value 0, which is refused where the type holds a
// distance. Types with a slot of the module's own take it.
func TestKlpSymbolInOrdinarySection(t *testing.T) {
	for _, c := range []struct {
		machine elf.Machine
		typ     uint32
		errno   string
	}{
		{elf.EM_AARCH64, 275, "ENOEXEC"}, {elf.EM_AARCH64, 283, ""}, {elf.EM_AARCH64, 257, ""},
		{elf.EM_PPC64, 26, "ENOEXEC"}, {elf.EM_PPC64, 10, ""},
		{elf.EM_S390, 19, "ENOEXEC"}, {elf.EM_S390, 20, ""},
		{elf.EM_LOONGARCH, 71, ""}, {elf.EM_LOONGARCH, 66, ""},
	} {
		w := on(c.machine)
		f := withFirst(t, &w, c.machine, func(r *elfrw.Rela) { r.Type = c.typ })
		section(t, f, klpVm).Flags &^= klpabi.FlagLivepatch
		x := finding(w.check(t, encode(t, f)), diag.KlpSymbolOrdinary)
		require.NotNil(t, x, "%+v", c)
		require.Len(t, x.Cases, 1)
		assert.Equal(t, c.errno, x.Cases[0].Errno, "%+v", c)
		assert.Equal(t, c.errno == "", x.Cases[0].When == diag.Calling, "%+v", c)
	}
}

// A klp relocation of the same place makes good what an ordinary one has done, but on s390x.
func TestKlpSymbolInBothSections(t *testing.T) {
	for machine, good := range map[elf.Machine]bool{elf.EM_PPC64: true, elf.EM_LOONGARCH: true,
		elf.EM_S390: false} {
		w := on(machine)
		w.uses["a_fn"], w.loaded = "asym", true
		f := w.convert(t)
		become(t, f, machine)
		klp := section(t, f, klpA)
		f.AddReloc(section(t, f, ".rela.text.a_fn"), klp.Relocs()[0])
		r := w.check(t, encode(t, f))
		x := finding(r, diag.KlpSymbolOrdinary)
		require.NotNil(t, x, "%s: %+v", machine, r.Findings)
		want := diag.Calling
		if good {
			want = diag.Loading
		}
		assert.Equal(t, want, x.Cases[0].When, machine)
		assert.Empty(t, x.Cases[0].Errno, machine)
	}
}

// Where a klp section is for nothing that is loaded, loongarch64 has no place in its GOT for it.
func TestUnplacedSectionOnLoongarch(t *testing.T) {
	w := on(elf.EM_LOONGARCH)
	w.uses["a_fn"], w.loaded = "asym", true
	f := w.convert(t)
	become(t, f, elf.EM_LOONGARCH)
	relocs(klpA, func(rs []elfrw.Rela) []elfrw.Rela {
		rs[0].Type = 75 // GOT_PC_HI20
		return rs[:1]
	})(t, f)
	section(t, f, klpA).Target = nil
	x := finding(w.check(t, encode(t, f)), diag.SectionHeader)
	require.NotNil(t, x)
	assert.Equal(t, "EINVAL", x.Cases[0].Errno)
}

// The GOT of loongarch64 has a place for each HI20, and none for a LO12 alone.
func TestPlacesInTheGOTOfLoongarch(t *testing.T) {
	const hi20, lo12, word = 75, 76, 2
	for name, c := range map[string]struct {
		types []uint32
		errno string
	}{
		"a pair":               {[]uint32{hi20, lo12}, ""},
		"LO12 alone":           {[]uint32{word, lo12}, "EINVAL"},
		"HI20 alone":           {[]uint32{hi20, word}, ""},
		"neither":              {[]uint32{word, word}, ""},
		"before another error": {[]uint32{200, lo12}, "EINVAL"},
	} {
		t.Run(name, func(t *testing.T) {
			w := on(elf.EM_LOONGARCH)
			f := w.convert(t)
			become(t, f, elf.EM_LOONGARCH)
			relocs(klpVm, func(rs []elfrw.Rela) []elfrw.Rela {
				first, second := rs[0], rs[0]
				first.Type, first.Offset, first.Addend = c.types[0], 0, 0
				second.Type, second.Offset, second.Addend = c.types[1], 4, 0
				return []elfrw.Rela{first, second}
			})(t, f)
			r := w.check(t, encode(t, f))
			i := slices.IndexFunc(r.Findings, func(x diag.Diagnostic) bool {
				return x.ID == diag.RelocationType && x.Cases[0].Errno != ""
			})
			require.Equal(t, c.errno != "", i >= 0, "%+v", r.Findings)
			if i >= 0 {
				assert.Equal(t, c.errno, r.Findings[i].Cases[0].Errno)
				assert.Equal(t, "lp: module contains bad GOT relocation", r.Findings[i].KernelSays())
			}
		})
	}
}

// What a module's per-CPU data may have depends on the size of a page.
func TestPerCPUByPageSize(t *testing.T) {
	for name, c := range map[string]struct {
		machine     elf.Machine
		config      string
		align, size uint64
		note, fails bool
	}{
		"s390x, 8 KiB alignment":        {elf.EM_S390, "", 8 << 10, 8, true, false},
		"s390x, 40 KiB":                 {elf.EM_S390, "", 8, 40 << 10, false, true},
		"loongarch64, 16 KiB":           {elf.EM_LOONGARCH, "CONFIG_PAGE_SHIFT=14\n", 8 << 10, 8, false, false},
		"loongarch64, 32 KiB alignment": {elf.EM_LOONGARCH, "CONFIG_PAGE_SHIFT=14\n", 32 << 10, 8, true, false},
		"ppc64le, 64 KiB":               {elf.EM_PPC64, "CONFIG_PPC_64K_PAGES=y\n", 64 << 10, 40 << 10, false, false},
		"ppc64le, 4 KiB":                {elf.EM_PPC64, "CONFIG_PPC_4K_PAGES=y\n", 8, 40 << 10, false, true},
		"arm64, 64 KiB":                 {elf.EM_AARCH64, "CONFIG_ARM64_64K_PAGES=y\n", 8, 72 << 10, false, true},
		"ppc64le, not known":            {elf.EM_PPC64, "", 64 << 10, 72 << 10, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := on(c.machine)
			w.config = "CONFIG_LIVEPATCH=y\n" + c.config
			f := w.convert(t)
			become(t, f, c.machine)
			f.AddSection(&elfrw.Section{Name: ".data..percpu", Type: elf.SHT_PROGBITS, Align: c.align,
				Flags: uint64(elf.SHF_ALLOC | elf.SHF_WRITE), Data: make([]byte, c.size)})
			x := finding(w.check(t, encode(t, f)), diag.CheckPerCPU)
			require.Equal(t, c.note || c.fails, x != nil)
			if x != nil {
				assert.Equal(t, c.note, x.Severity == diag.Note)
				assert.Equal(t, c.fails, x.Cases[0].Errno == "ENOMEM")
			}
		})
	}
}

// The entries of ORC tables have another size on each machine.
func TestUnwindTablesOfLoongarch(t *testing.T) {
	for size, fails := range map[int]bool{16: false, 12: true} {
		w := on(elf.EM_LOONGARCH)
		w.config = "CONFIG_LIVEPATCH=y\nCONFIG_BUG=y\n"
		f := w.convert(t)
		become(t, f, elf.EM_LOONGARCH)
		for name, n := range map[string]int{".orc_unwind": size, ".orc_unwind_ip": 8} {
			f.AddSection(&elfrw.Section{Name: name, Type: elf.SHT_PROGBITS, Align: 1,
				Flags: uint64(elf.SHF_ALLOC), Data: make([]byte, n)})
		}
		x := finding(w.check(t, encode(t, f)), diag.BadTable)
		require.Equal(t, fails, x != nil, size)
		if fails {
			assert.Contains(t, x.KernelSays(), "arch/loongarch/kernel/unwind_orc.c unwind_module_init")
		}
	}
}

// Types that compute with values need one that was pushed.
func TestEmptyStackOfLoongarch(t *testing.T) {
	const push, pop = 22, 42 // SOP_PUSH_PCREL, SOP_POP_32_S_5_20
	for name, c := range map[string]struct {
		types []uint32
		fails bool
	}{
		"pushed and popped": {[]uint32{push, pop}, false},
		"popped":            {[]uint32{pop}, true},
	} {
		for _, ordinary := range []bool{false, true} {
			w := on(elf.EM_LOONGARCH)
			f := w.convert(t)
			become(t, f, elf.EM_LOONGARCH)
			s := section(t, f, klpVm)
			if ordinary {
				s = &elfrw.Section{Name: ".rela.text.other", Type: elf.SHT_RELA, Link: f.Symtab,
					Target: f.Section(".text"), EntSize: 24, Align: 8}
				f.AddSection(s)
			}
			var list []elfrw.Rela
			y := section(t, f, klpVm).Relocs()[0].Sym
			if ordinary {
				y = &elfrw.Symbol{Section: f.Section(".text"), Info: byte(elf.STT_SECTION)}
				f.AddSymbol(y)
			}
			for _, typ := range c.types {
				list = append(list, elfrw.Rela{Type: typ, Sym: y})
			}
			s.SetRelocs(list)
			r := w.check(t, encode(t, f))
			fails := slices.ContainsFunc(r.Findings, func(x diag.Diagnostic) bool {
				return x.ID == diag.RelocationType && strings.Contains(x.Message, "takes a value") &&
					x.Cases[0].Errno == "ENOEXEC" && len(x.Cases[0].Messages) == 0
			})
			assert.Equal(t, c.fails, fails, "%s, ordinary %v: %+v", name, ordinary, r.Findings)
		}
	}
}

// Code in a section without SHF_EXECINSTR is too far from all other code of loongarch64.
func TestBranchesFromDataOfLoongarch(t *testing.T) {
	for name, c := range map[string]struct {
		typ         uint32
		code, named bool // the section of the branch; whether it is to a symbol of the module
		errno       string
		says        string
	}{
		"from code":     {66, true, false, "", ""},
		"to the kernel": {66, false, false, "killed", "kernel BUG"},
		"to the module's code": {66, false, true, "ENOEXEC",
			"module lp: jump offset = 0x… overflow! dangerous R_LARCH_B26 (66) relocation"},
		"an address, not a branch":  {2, false, true, "", ""},
		"from code to the module's": {66, true, true, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := on(elf.EM_LOONGARCH)
			f := w.convert(t)
			become(t, f, elf.EM_LOONGARCH)
			target := &elfrw.Section{Name: ".text.other", Type: elf.SHT_PROGBITS, Align: 4,
				Flags: uint64(elf.SHF_ALLOC), Data: make([]byte, 8)}
			if c.code {
				target.Flags |= uint64(elf.SHF_EXECINSTR)
			}
			f.AddSection(target)
			y := &elfrw.Symbol{Section: f.Section(".text"), Info: byte(elf.STT_SECTION)}
			if c.named {
				f.AddSymbol(y)
			} else {
				i := slices.IndexFunc(f.Symbols, func(y *elfrw.Symbol) bool {
					return y.Index == elf.SHN_UNDEF && y.Section == nil && y.Name != ""
				})
				require.GreaterOrEqual(t, i, 0)
				y = f.Symbols[i]
			}
			s := &elfrw.Section{Name: ".rela.text.other", Type: elf.SHT_RELA, Link: f.Symtab,
				Target: target, EntSize: 24, Align: 8}
			f.AddSection(s)
			s.SetRelocs([]elfrw.Rela{{Type: c.typ, Sym: y}})
			x := finding(w.check(t, encode(t, f)), diag.RelocationType)
			if c.errno == "" {
				assert.Nil(t, x)
				return
			}
			require.NotNil(t, x)
			assert.Equal(t, c.errno, x.Cases[0].Errno)
			assert.Contains(t, x.KernelSays(), c.says)
		})
	}
}

// At a place far from everything arm64 faults; ppc64 does so where the value is from the TOC.
func TestPlacesFarFromEverything(t *testing.T) {
	for _, c := range []struct {
		machine elf.Machine
		typ     uint32
		errno   string
	}{
		{elf.EM_AARCH64, 275, "killed"}, {elf.EM_AARCH64, 283, "killed"}, {elf.EM_PPC64, 47, "killed"},
		{elf.EM_PPC64, 26, "ENOEXEC"}, {elf.EM_S390, 19, "ENOEXEC"}, {elf.EM_S390, 22, "killed"},
		{elf.EM_LOONGARCH, 66, "ENOEXEC"},
	} {
		w := on(c.machine)
		f := withFirst(t, &w, c.machine, func(r *elfrw.Rela) { r.Type, r.Offset = c.typ, 1<<40 })
		x := finding(w.check(t, encode(t, f)), diag.OutsideTarget)
		require.NotNil(t, x, "%+v", c)
		assert.Equal(t, c.errno, x.Cases[0].Errno, "%+v", c)
	}
}

// arm64 and loongarch64 fill in parts of instructions, which are words of 4 bytes.
func TestPlacesBetweenInstructions(t *testing.T) {
	for _, c := range []struct {
		machine elf.Machine
		typ     uint32
		between bool
	}{
		{elf.EM_AARCH64, 275, true}, {elf.EM_AARCH64, 283, true}, {elf.EM_LOONGARCH, 72, true},
		{elf.EM_PPC64, 48, false}, {elf.EM_S390, 22, false},
	} {
		w := on(c.machine)
		f := withFirst(t, &w, c.machine, func(r *elfrw.Rela) { r.Type, r.Offset = c.typ, 1 })
		x := finding(w.check(t, encode(t, f)), diag.OutsideTarget)
		assert.Equal(t, c.between, x != nil && strings.Contains(x.Message, "instruction"), "%+v", c)
	}
}

// arm64 and loongarch64 look at the target of each relocation section before they load it.
func TestTargetsThatLoadersLookAt(t *testing.T) {
	for machine, looks := range map[elf.Machine]bool{elf.EM_AARCH64: true, elf.EM_LOONGARCH: true,
		elf.EM_PPC64: false, elf.EM_S390: false} {
		w := on(machine)
		f := w.convert(t)
		become(t, f, machine)
		f.AddSection(&elfrw.Section{Name: ".rela.exit.data", Type: elf.SHT_RELA, Info: 999, EntSize: 24})
		r := w.check(t, encode(t, f))
		assert.Equal(t, looks, slices.ContainsFunc(r.Findings, func(x diag.Diagnostic) bool {
			return strings.Contains(x.Message, "was not judged")
		}), "%s: %+v", machine, r.Findings)
	}
}

// arm64 sorts branches to the front before it resolves symbols: the first that it does not find is
// another one.
func TestBranchesComeFirstOnArm64(t *testing.T) {
	for typ, first := range map[uint32]string{283: "second", 275: "first"} {
		w := on(elf.EM_AARCH64)
		w.uses["a_fn"], w.loaded = "asym", true
		f := w.convert(t)
		become(t, f, elf.EM_AARCH64)
		relocs(klpA, func(rs []elfrw.Rela) []elfrw.Rela {
			one, two := rs[0], rs[0]
			for name, r := range map[string]*elfrw.Rela{"first": &one, "second": &two} {
				y := *rs[0].Sym
				y.Name = ".klp.sym.a." + name + ",0"
				f.Symbols = append(f.Symbols, &y)
				r.Sym = &y
			}
			one.Type, two.Type = 275, typ
			return []elfrw.Rela{one, two}
		})(t, f)
		r := w.check(t, encode(t, f))
		var said []string
		for _, x := range r.Findings {
			for _, c := range x.Cases {
				for _, m := range c.Messages {
					if strings.HasPrefix(m.Text, "livepatch: symbol ") {
						said = append(said, m.Text)
					}
				}
			}
		}
		require.NotEmpty(t, said, "%+v", r.Findings)
		assert.Contains(t, said[0], "'"+first+"'")
	}
}

// ppc64 stores a word whose value it does not look at, wherever it is.
func TestLateWordInCodeOfPPC64(t *testing.T) {
	w := on(elf.EM_PPC64)
	w.config, w.uses["a_fn"], w.loaded = "", "asym", true
	f := w.convert(t)
	become(t, f, elf.EM_PPC64)
	relocs(klpA, func(rs []elfrw.Rela) []elfrw.Rela {
		rs[0].Type = uint32(elf.R_PPC64_ADDR32)
		return rs
	})(t, f)
	x := finding(w.check(t, encode(t, f)), diag.LateReadOnly)
	require.NotNil(t, x)
	assert.Equal(t, "killed", x.Cases[0].Errno)
}

// Sections that loaders look for, in their order.
func TestSectionsOfTheLinkerScript(t *testing.T) {
	const pcrel = "CONFIG_LIVEPATCH=y\nCONFIG_PPC_KERNEL_PCREL=y\n"
	for _, c := range []struct {
		machine elf.Machine
		config  string
		without []string
		says    string // "" for nothing
	}{
		{elf.EM_PPC64, "", []string{".stubs"}, "lp: doesn't contain .stubs."},
		{elf.EM_PPC64, "", []string{".mygot"}, ""},
		{elf.EM_PPC64, pcrel, []string{".mygot"}, "lp: doesn't contain .mygot."},
		{elf.EM_AARCH64, "", []string{".init.plt"}, "lp: module PLT section(s) missing"},
		{elf.EM_AARCH64, "", []string{".text.ftrace_trampoline"}, "no message, ENOEXEC"},
		{elf.EM_AARCH64, "", []string{".init.text.ftrace_trampoline"}, "no message, ENOEXEC"},
		{elf.EM_LOONGARCH, "", []string{".plt", ".got"}, "lp: module GOT section(s) missing"},
		{elf.EM_LOONGARCH, "", []string{".plt", ".plt.idx"}, "lp: module PLT section(s) missing"},
		{elf.EM_LOONGARCH, "", []string{".plt.idx"}, "lp: module PLT.IDX section(s) missing"},
	} {
		w := on(c.machine)
		w.config = c.config
		f := w.convert(t)
		become(t, f, c.machine)
		for _, name := range c.without {
			section(t, f, name).Name += ".gone"
		}
		r := w.check(t, encode(t, f))
		x := finding(r, diag.PLTSections)
		require.Equal(t, c.says != "", x != nil, "%v: %+v", c.without, r.Findings)
		if x != nil {
			assert.Equal(t, c.says, x.KernelSays())
			assert.Equal(t, "ENOEXEC", x.Cases[0].Errno)
		}
	}
}

// All but s390x sort relocations, so that which one is the first to fail is not known.
func TestIndexOfASortedRelocation(t *testing.T) {
	for machine, known := range map[elf.Machine]bool{elf.EM_S390: true, elf.EM_PPC64: false,
		elf.EM_AARCH64: false, elf.EM_LOONGARCH: false} {
		w := on(machine)
		w.version = "7.3"
		f := w.convert(t)
		become(t, f, machine)
		symbol(t, f, ".klp.sym.vmlinux.vsym,0").Index = elf.SHN_ABS
		x := finding(w.check(t, encode(t, f)), diag.NotKlpSymbol)
		require.NotNil(t, x)
		text := "livepatch: symbol .klp.sym.vmlinux.vsym,0 at rela sec … idx "
		assert.Equal(t, known, x.KernelSays() == text+"0 is not marked as a livepatch symbol",
			"%s: %s", machine, x.KernelSays())
	}
}

// The types of ordinary relocations are those that the loader applies.
func TestOrdinaryRelocationsOfEachMachine(t *testing.T) {
	for machine, says := range map[elf.Machine]string{
		elf.EM_S390:      "module lp: unknown relocation: 200",
		elf.EM_PPC64:     "lp: Unknown ADD relocation: 200",
		elf.EM_AARCH64:   "module lp: unsupported RELA relocation: 200",
		elf.EM_LOONGARCH: "lp: Unsupport relocation type 200",
	} {
		w := on(machine)
		f := w.convert(t)
		become(t, f, machine)
		relocs(".rela.text.vm_fn", func(rs []elfrw.Rela) []elfrw.Rela {
			rs[0].Type = 200
			return rs
		})(t, f)
		x := finding(w.check(t, encode(t, f)), diag.RelocationType)
		require.NotNil(t, x, machine)
		assert.Equal(t, says, x.KernelSays())
		assert.Equal(t, machine == elf.EM_LOONGARCH, x.Cases[0].Errno == "EINVAL")
	}
}

// Places in tables are reserved for sections of type SHT_RELA only.
func TestSectionForWhichNoPlacesAreReserved(t *testing.T) {
	for name, c := range map[string]struct {
		machine     elf.Machine
		typ, second uint32 // of vm_fn's relocations
		errno, says string
		other       bool // a_fn uses the symbol likewise
	}{
		"s390x, through the table":   {elf.EM_S390, 26, 22, "killed", "page fault in apply_relocate_add", false},
		"s390x, reserved by another": {elf.EM_S390, 26, 22, "", "", true},
		"s390x, pointer":             {elf.EM_S390, 22, 22, "", "", false},
		"s390x, branch":              {elf.EM_S390, 20, 22, "", "", false},
		"arm64, branch":              {elf.EM_AARCH64, 283, 257, "", "", false},
		"ppc64le, pointer":           {elf.EM_PPC64, 38, 38, "", "", false},
		"loongarch64, pointer":       {elf.EM_LOONGARCH, 2, 2, "", "", false},
		"loongarch64, through the table": {elf.EM_LOONGARCH, 75, 2, "EINVAL",
			"lp: module contains bad GOT relocation", false},
		"loongarch64, branch": {elf.EM_LOONGARCH, 66, 2, "killed",
			"kernel BUG in module_emit_plt_entry", false},
		// A branch to an export has reserved a place, and needs it.
		"loongarch64, two branches": {elf.EM_LOONGARCH, 66, 66, "killed",
			"kernel BUG in module_emit_plt_entry", false},
		"loongarch64, reserved by another": {elf.EM_LOONGARCH, 66, 2, "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			w := on(c.machine)
			f := w.convert(t)
			become(t, f, c.machine)
			of := map[string]uint32{klpVm: c.typ, ".rela.text.vm_fn": c.second}
			if c.other {
				of[".klp.rela.vmlinux..text.a_fn"] = c.typ
			}
			for section, typ := range of {
				relocs(section, func(rs []elfrw.Rela) []elfrw.Rela {
					for i := range rs {
						rs[i].Type, rs[i].Offset, rs[i].Addend = typ, rs[i].Offset/4*4, 0
					}
					return rs[:1]
				})(t, f)
			}
			header(klpVm, func(s *elfrw.Section) { s.Type = elf.SHT_PROGBITS })(t, f)
			for _, typ := range []elf.SectionType{elf.SHT_PROGBITS, elf.SHT_REL} {
				b := encode(t, f)
				poked := false
				for at := int(binary.LittleEndian.Uint64(b[40:])); at+64 <= len(b); at += 64 {
					if binary.LittleEndian.Uint64(b[at+8:])&0x100000 != 0 &&
						binary.LittleEndian.Uint32(b[at+4:]) == 1 {
						binary.LittleEndian.PutUint32(b[at+4:], uint32(typ))
						poked = true
					}
				}
				require.True(t, poked)
				r := w.check(t, b)
				x := finding(r, diag.PLTSections)
				require.NotNil(t, x, "%v: %+v", typ, r.Findings)
				assert.Equal(t, c.errno, x.Cases[0].Errno)
				if c.says == "" {
					assert.Empty(t, x.Cases[0].Messages)
				} else {
					assert.Equal(t, c.says, x.KernelSays())
				}
			}
		})
	}
}

// What a relocation writes past the end of its section depends on its type.
func TestRelocationAtTheEndOfItsSection(t *testing.T) {
	for _, c := range []struct {
		machine elf.Machine
		typ     uint32
		last    uint64 // how far from the end it may be at least
	}{
		{elf.EM_S390, 22, 8}, {elf.EM_S390, 20, 4}, {elf.EM_PPC64, 38, 8}, {elf.EM_PPC64, 48, 2},
		{elf.EM_AARCH64, 283, 4}, {elf.EM_AARCH64, 257, 8}, {elf.EM_LOONGARCH, 109, 8},
		{elf.EM_LOONGARCH, 75, 4},
	} {
		for _, past := range []uint64{0, 2} {
			w := on(c.machine)
			f := w.convert(t)
			become(t, f, c.machine)
			size := section(t, f, ".text.vm_fn").Size()
			relocs(klpVm, func(rs []elfrw.Rela) []elfrw.Rela {
				rs[0].Type, rs[0].Offset = c.typ, size-c.last+past
				return rs[:1]
			})(t, f)
			r := w.check(t, encode(t, f))
			assert.Equal(t, past > 0, finding(r, diag.OutsideTarget) != nil, "%+v: %+v", c, r.Findings)
		}
	}
}

// Two relocations of the same bytes.
func TestOverlapsOfEachMachine(t *testing.T) {
	for _, c := range []struct {
		machine    elf.Machine
		typ, other uint32 // at 0 and at 4
		overlap    bool
	}{
		{elf.EM_S390, 22, 22, true}, {elf.EM_S390, 26, 22, false}, {elf.EM_S390, 0, 22, false},
		{elf.EM_PPC64, 38, 38, true}, {elf.EM_PPC64, 10, 38, false},
		{elf.EM_AARCH64, 257, 283, true}, {elf.EM_AARCH64, 275, 283, false},
		{elf.EM_LOONGARCH, 2, 2, true}, {elf.EM_LOONGARCH, 75, 2, false},
	} {
		w := on(c.machine)
		f := w.convert(t)
		become(t, f, c.machine)
		for section, typ := range map[string]uint32{klpVm: c.typ, ".rela.text.vm_fn": c.other} {
			relocs(section, func(rs []elfrw.Rela) []elfrw.Rela {
				rs[0].Type, rs[0].Offset = typ, 0
				if section != klpVm {
					rs[0].Offset = 4
				}
				return rs[:1]
			})(t, f)
		}
		r := w.check(t, encode(t, f))
		assert.Equal(t, c.overlap, finding(r, diag.Overlap) != nil, "%+v: %+v", c, r.Findings)
	}
}

// What is in the way when the target comes a second time.
func TestSecondTimeOnEachMachine(t *testing.T) {
	for name, c := range map[string]struct {
		machine     elf.Machine
		version     string
		typ         uint32
		cause       string // "" for nothing
		errno, says string
	}{
		"s390x, table":   {elf.EM_S390, "", 26, "keep the addresses of the first time", "", ""},
		"s390x, pointer": {elf.EM_S390, "", 22, "", "", ""},
		"ppc64le, 6.1": {elf.EM_PPC64, "6.1", 10, "calls have lost their nop", "ENOEXEC",
			"lp: Expected nop after call, got … at …"},
		"ppc64le, 6.3":         {elf.EM_PPC64, "6.3", 10, "has a stub", "", ""},
		"ppc64le, pointer":     {elf.EM_PPC64, "6.1", 38, "", "", ""},
		"loongarch64, pointer": {elf.EM_LOONGARCH, "", 2, "", "", ""},
		"loongarch64, sum":     {elf.EM_LOONGARCH, "", 50, "add to what", "", ""},
		"loongarch64, branch": {elf.EM_LOONGARCH, "", 66, "has a PLT entry", "killed",
			"kernel BUG in module_emit_plt_entry"},
		"loongarch64, table": {elf.EM_LOONGARCH, "", 75, "has a GOT entry", "EINVAL",
			"lp: module contains bad GOT relocation"},
		"arm64": {elf.EM_AARCH64, "", 257, "", "", ""},
	} {
		w := on(c.machine)
		if c.version != "" {
			w.version = c.version
		}
		w.uses["a_fn"] = "asym"
		f := w.convert(t)
		become(t, f, c.machine)
		relocs(klpA, func(rs []elfrw.Rela) []elfrw.Rela {
			rs[0].Type = c.typ
			return rs[:1]
		})(t, f)
		x := finding(w.check(t, encode(t, f)), diag.ReloadRefused)
		require.Equal(t, c.cause != "", x != nil, name)
		if x == nil {
			continue
		}
		assert.Contains(t, x.Message, c.cause, name)
		assert.Equal(t, c.errno, x.Cases[0].Errno, name)
		if c.says != "" {
			assert.Equal(t, c.says, x.KernelSays(), name)
		}
	}
}

// A type that fills in data, in code that is not zero, overwrites an instruction.
func TestOverwrittenInstructions(t *testing.T) {
	for _, c := range []struct {
		machine elf.Machine
		typ     uint32
		lost    bool
	}{
		{elf.EM_S390, 22, true}, {elf.EM_S390, 26, false}, {elf.EM_PPC64, 38, true},
		{elf.EM_PPC64, 10, false}, {elf.EM_AARCH64, 257, true}, {elf.EM_AARCH64, 275, false},
		{elf.EM_LOONGARCH, 2, true}, {elf.EM_LOONGARCH, 75, false},
	} {
		for _, zero := range []bool{false, true} {
			w := on(c.machine)
			f := w.convert(t)
			become(t, f, c.machine)
			relocs(klpVm, func(rs []elfrw.Rela) []elfrw.Rela {
				rs[0].Type = c.typ
				return rs[:1]
			})(t, f)
			if !zero {
				nonzero(t, f)
			}
			r := w.check(t, encode(t, f))
			assert.Equal(t, c.lost && !zero, finding(r, diag.CheckNonzeroTarget) != nil, "%+v: %+v", c,
				r.Findings)
		}
	}
}

// What is relocated twice in the same way is as it was; ppc64le looked for its nop before 6.3.
func TestTheSameRelocationTwice(t *testing.T) {
	for _, c := range []struct {
		machine  elf.Machine
		version  string
		typ      uint32
		severity diag.Severity
	}{
		{elf.EM_S390, "6.12", 26, diag.Note}, {elf.EM_AARCH64, "7.3", 283, diag.Note},
		{elf.EM_PPC64, "6.12", 10, diag.Note}, {elf.EM_PPC64, "6.1", 10, diag.Error},
	} {
		w := on(c.machine)
		w.version = c.version
		f := w.convert(t)
		become(t, f, c.machine)
		relocs(klpVm, func(rs []elfrw.Rela) []elfrw.Rela {
			rs[0].Type = c.typ
			return []elfrw.Rela{rs[0], rs[0]}
		})(t, f)
		x := finding(w.check(t, encode(t, f)), diag.Overlap)
		require.NotNil(t, x, c.machine)
		assert.Equal(t, c.severity, x.Severity, "%+v", c)
	}
}

// s390x and loongarch64 look at the class, too (arch/*/include/asm/elf.h, elf_check_arch).
func TestClassOfTheFile(t *testing.T) {
	for machine, fails := range map[elf.Machine]bool{elf.EM_S390: true, elf.EM_LOONGARCH: true,
		elf.EM_PPC64: false, elf.EM_AARCH64: false} {
		w := on(machine)
		f := w.convert(t)
		become(t, f, machine)
		b := encode(t, f)
		b[elf.EI_CLASS] = byte(elf.ELFCLASSNONE)
		x := finding(w.check(t, b), diag.BadELF)
		require.Equal(t, fails, x != nil && x.Cases[0].Errno == "ENOEXEC", machine)
		if fails {
			assert.Equal(t, fmt.Sprintf("Invalid architecture in ELF header: %d", machine),
				x.KernelSays())
		}
	}
}
