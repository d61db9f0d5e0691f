// SPDX-License-Identifier: GPL-2.0-or-later

package arch_test

import (
	"debug/elf"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
)

func bytesOf(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// TestInstructions: what refers to a place, and how long others are. The
// distances are those that objdump shows.
func TestInstructions(t *testing.T) {
	little, big := elf.ELFDATA2LSB, elf.ELFDATA2MSB
	for _, c := range []struct {
		machine elf.Machine
		order   elf.Data
		code    string
		want    arch.Instruction
	}{
		{elf.EM_X86_64, little, "e8 fb ff ff ff", arch.Instruction{5, true, 0}},        // call .
		{elf.EM_X86_64, little, "e9 10 00 00 00", arch.Instruction{5, true, 0x15}},     // jmp
		{elf.EM_X86_64, little, "eb fe", arch.Instruction{2, true, 0}},                 // jmp .
		{elf.EM_X86_64, little, "7f 05", arch.Instruction{2, true, 7}},                 // jg
		{elf.EM_X86_64, little, "0f 84 00 01 00 00", arch.Instruction{6, true, 0x106}}, // je
		{elf.EM_X86_64, little, "48 8d 05 f9 ff ff ff", arch.Instruction{7, true, 0}},  // lea 0(%rip)
		{elf.EM_X86_64, little, "48 8d 44 24 08", arch.Instruction{5, false, 5}},       // lea 8(%rsp)
		{elf.EM_X86_64, little, "48 b8 01 02 03 04 05 06 07 08", arch.Instruction{10, false, 10}},
		{elf.EM_X86_64, little, "66 c7 05 00 00 00 00 34 12", arch.Instruction{9, false, 9}},
		{elf.EM_X86_64, little, "f6 05 00 00 00 00 01", arch.Instruction{7, false, 7}}, // test
		{elf.EM_X86_64, little, "f6 15 00 00 00 00", arch.Instruction{6, false, 6}},    // not
		{elf.EM_X86_64, little, "c5 f8 77", arch.Instruction{3, false, 3}},             // vzeroupper
		// vmovdqa32 (%rdi),%zmm0
		{elf.EM_X86_64, little, "62 f1 7d 48 6f 07", arch.Instruction{6, false, 6}},
		{elf.EM_X86_64, little, "66 0f 3a 0f c1 08", arch.Instruction{6, false, 6}}, // palignr
		{elf.EM_X86_64, little, "0f 1f 84 00 00 00 00 00", arch.Instruction{8, false, 8}},
		{elf.EM_X86_64, little, "06", arch.Instruction{}},
		{elf.EM_X86_64, little, "e8 00", arch.Instruction{}},
		{elf.EM_X86_64, little, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", arch.Instruction{}},
		{elf.EM_X86_64, little, "", arch.Instruction{}},
		{elf.EM_S390, big, "07 fe", arch.Instruction{2, false, 0}},               // br %r14
		{elf.EM_S390, big, "a7 f4 ff fe", arch.Instruction{4, true, -4}},         // j
		{elf.EM_S390, big, "c0 e5 00 00 00 10", arch.Instruction{6, true, 0x20}}, // brasl
		{elf.EM_S390, big, "c0 10 ff ff ff ff", arch.Instruction{6, true, -2}},   // larl
		{elf.EM_S390, big, "e3 40 f0 08 00 04", arch.Instruction{6, false, 0}},   // lg
		{elf.EM_S390, big, "c0 e5 00", arch.Instruction{}},
		{elf.EM_S390, big, "c0", arch.Instruction{}},
		{elf.EM_AARCH64, little, "ff ff ff 97", arch.Instruction{4, true, -4}}, // bl
		{elf.EM_AARCH64, little, "40 00 00 54", arch.Instruction{4, true, 8}},  // b.eq
		{elf.EM_AARCH64, little, "60 00 00 b4", arch.Instruction{4, true, 12}}, // cbz
		{elf.EM_AARCH64, little, "e0 ff 07 36", arch.Instruction{4, true, -4}}, // tbz
		{elf.EM_AARCH64, little, "20 00 00 30", arch.Instruction{4, true, 5}},  // adr
		{elf.EM_AARCH64, little, "c0 03 5f d6", arch.Instruction{4, false, 0}}, // ret
		{elf.EM_AARCH64, little, "c0 03", arch.Instruction{}},
		{elf.EM_PPC, big, "4b ff ff fd", arch.Instruction{4, true, -4}},          // bl
		{elf.EM_PPC64, little, "08 00 82 41", arch.Instruction{4, true, 8}},      // beq
		{elf.EM_PPC64, little, "02 00 00 48", arch.Instruction{4, false, 0}},     // ba: not a distance
		{elf.EM_LOONGARCH, little, "00 08 00 54", arch.Instruction{4, true, 8}},  // bl
		{elf.EM_LOONGARCH, little, "ff ff ff 57", arch.Instruction{4, true, -4}}, // bl
		{elf.EM_LOONGARCH, little, "20 00 00 4c", arch.Instruction{4, false, 0}}, // jr
	} {
		decode := arch.Decoder(header(t, c.machine, c.order))
		require.NotNil(t, decode)
		got := decode(bytesOf(t, c.code))
		if !got.Refers && c.machine == elf.EM_X86_64 {
			got.To = c.want.To // means nothing
		}
		assert.Equal(t, c.want, got, "%v %s", c.machine, c.code)
	}
	assert.Nil(t, arch.Decoder(header(t, elf.EM_RISCV, little)))
}

// header is a file with nothing in it.
func header(t *testing.T, machine elf.Machine, order elf.Data) *elfrw.File {
	b := make([]byte, 64)
	copy(b, elf.ELFMAG)
	b[4], b[5], b[6] = byte(elf.ELFCLASS64), byte(order), 1
	at := func(i int) int { // the low byte of a 16-bit field
		if order == elf.ELFDATA2MSB {
			return i + 1
		}
		return i
	}
	b[at(16)], b[at(52)] = byte(elf.ET_REL), 64
	b[at(18)], b[37-at(18)] = byte(machine), byte(machine>>8)
	f, err := elfrw.Parse("", b)
	require.NoError(t, err)
	require.Equal(t, machine, f.Header.Machine)
	return f
}

// TestTarget: where a relocation leads, whatever its type adds.
func TestTarget(t *testing.T) {
	const exec = uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR)
	data := &elfrw.Section{Name: ".data", Type: elf.SHT_PROGBITS,
		Flags: uint64(elf.SHF_ALLOC | elf.SHF_WRITE), Data: make([]byte, 64)}
	section := &elfrw.Symbol{Info: byte(elf.STT_SECTION), Section: data}
	label := &elfrw.Symbol{Name: ".LANCHOR0", Section: data, Value: 8}
	object := &elfrw.Symbol{Name: "object", Info: byte(elf.STT_OBJECT), Section: data, Value: 16}
	for _, c := range []struct {
		name    string
		machine elf.Machine
		code    string // up to the field; empty: data
		reloc   elfrw.Rela
		want    int64 // -1: none
	}{
		{"mov with nothing after it", elf.EM_X86_64, "48 8b 05",
			elfrw.Rela{Sym: section, Type: 2, Addend: 28}, 32},
		{"add with a byte after it", elf.EM_X86_64, "83 05", elfrw.Rela{Sym: section, Type: 2, Addend: 27},
			32},
		{"movl with a word after it", elf.EM_X86_64, "c7 05", elfrw.Rela{Sym: section, Type: 2, Addend: 24},
			32},
		{"movw with two bytes after it", elf.EM_X86_64, "66 c7 05",
			elfrw.Rela{Sym: section, Type: 2, Addend: 26}, 32},
		{"movw with REX", elf.EM_X86_64, "66 41 c7 05", elfrw.Rela{Sym: section, Type: 2, Addend: 26},
			32},
		{"test of a byte", elf.EM_X86_64, "f6 05", elfrw.Rela{Sym: section, Type: 2, Addend: 27}, 32},
		{"test of a word", elf.EM_X86_64, "f7 05", elfrw.Rela{Sym: section, Type: 2, Addend: 24}, 32},
		{"not of a byte", elf.EM_X86_64, "f6 15", elfrw.Rela{Sym: section, Type: 2, Addend: 28}, 32},
		{"bt with a byte after it", elf.EM_X86_64, "48 0f ba 25",
			elfrw.Rela{Sym: section, Type: 2, Addend: 27}, 32},
		{"movzx", elf.EM_X86_64, "0f b6 05", elfrw.Rela{Sym: section, Type: 2, Addend: 28}, 32},
		{"jump", elf.EM_X86_64, "e9", elfrw.Rela{Sym: section, Type: 4, Addend: 28}, 32},
		{"absolute", elf.EM_X86_64, "48 c7 c7", elfrw.Rela{Sym: section, Type: 11, Addend: 32}, 32},
		{"relative, in data", elf.EM_X86_64, "", elfrw.Rela{Sym: section, Type: 2, Addend: 32}, 32},
		{"larl", elf.EM_S390, "c0 10", elfrw.Rela{Sym: section, Type: 19, Addend: 34}, 32},
		{"relative, in data of s390", elf.EM_S390, "", elfrw.Rela{Sym: section, Type: 5, Addend: 32}, 32},
		{"adrp", elf.EM_AARCH64, "00 00 00 90", elfrw.Rela{Sym: section, Type: 275, Addend: 32}, 32},
		{"label", elf.EM_LOONGARCH, "00 00 00 00", elfrw.Rela{Sym: label, Type: 71, Addend: 24}, 32},
		{"variable", elf.EM_X86_64, "c7 05", elfrw.Rela{Sym: object, Type: 2, Addend: -8}, 16},
		{"variable, far within", elf.EM_X86_64, "", elfrw.Rela{Sym: object, Type: 1, Addend: 400}, 16},
		{"the end", elf.EM_X86_64, "", elfrw.Rela{Sym: section, Type: 1, Addend: 64}, 64},
		{"past the end", elf.EM_X86_64, "", elfrw.Rela{Sym: section, Type: 1, Addend: 65}, -1},
		{"in front", elf.EM_X86_64, "", elfrw.Rela{Sym: section, Type: 1, Addend: -1}, -1},
		{"no symbol", elf.EM_X86_64, "", elfrw.Rela{Type: 1}, -1},
		{"undefined", elf.EM_X86_64, "", elfrw.Rela{Sym: &elfrw.Symbol{Name: "x"}, Type: 1}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			order := elf.ELFDATA2LSB
			if c.machine == elf.EM_S390 {
				order = elf.ELFDATA2MSB
			}
			f := header(t, c.machine, order)
			from := &elfrw.Section{Name: ".rodata", Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC),
				Data: make([]byte, 16)}
			if c.code != "" {
				from.Name, from.Flags = ".text", exec
				from.Data = append(append([]byte{0x90, 0x90, 0x90, 0x90}, bytesOf(t, c.code)...),
					make([]byte, 8)...)
				c.reloc.Offset = uint64(len(from.Data) - 8)
				if c.machine == elf.EM_AARCH64 || c.machine == elf.EM_LOONGARCH {
					c.reloc.Offset -= 4
				}
			}
			to, offset, ok := arch.Target(f, from, &c.reloc)
			require.Equal(t, c.want >= 0, ok)
			if ok {
				assert.Equal(t, data, to)
				assert.EqualValues(t, c.want, offset)
			}
		})
	}
}

// TestRelative: the types that tables of distances are made of.
func TestRelative(t *testing.T) {
	for machine, types := range map[elf.Machine][2]uint32{
		elf.EM_X86_64: {2, 1}, elf.EM_S390: {5, 22}, elf.EM_PPC64: {26, 38}, elf.EM_PPC: {26,
			1}, elf.EM_AARCH64: {261, 257}, elf.EM_LOONGARCH: {99, 2},
	} {
		f := header(t, machine, elf.ELFDATA2LSB)
		assert.True(t, arch.Relative(f, &elfrw.Rela{Type: types[0]}), machine)
		assert.False(t, arch.Relative(f, &elfrw.Rela{Type: types[1]}), machine)
	}
	assert.False(t, arch.Relative(header(t, elf.EM_RISCV, elf.ELFDATA2LSB), &elfrw.Rela{Type: 2}))
}

// TestHostileCode: no bytes are too odd.
func TestHostileCode(t *testing.T) {
	for machine := range objdumps {
		decode := arch.Decoder(header(t, machine, elf.ELFDATA2LSB))
		var longest [16]byte
		for i := 0; i < 1<<16; i++ {
			longest[0], longest[1] = byte(i>>8), byte(i)
			for _, n := range []int{2, 3, 16} {
				if in := decode(longest[:n]); in.Size > n {
					t.Fatalf("%v % x: %+v", machine, longest[:n], in)
				}
			}
		}
	}
}
