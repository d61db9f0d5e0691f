// SPDX-License-Identifier: GPL-2.0-or-later

package reach

import (
	"debug/elf"

	"golang.org/x/exp/slices"
)

// A call of a static function in the same section needs no relocation: the
// assembler knows the distance. So the code has to be looked at, for branches
// whose distance no relocation fills in. Which instructions those are:
//
//	x86_64   E8, E9, EB, 70 to 7F, 0F 80 to 8F, LEA relative to RIP (Intel SDM, volume 2)
//	s390     BRAS, BRC, BRASL, BRCL, LARL (z/Architecture Principles of Operation)
//	aarch64  B, BL, B.cond, CBZ, CBNZ, TBZ, TBNZ, ADR (Arm ARM, C4.1)
//	ppc      B, BC without AA (Power ISA, 2.4)
//	loongarch B, BL (LoongArch reference manual, volume 1, appendix B)

// branch is what one instruction does.
type branch struct {
	size   int   // of the instruction
	to     int64 // its distance from its begin
	jumps  bool
	broken bool // not an instruction that is known
}

// branches calls visit for the code in a that refers to other pieces of a
// without a relocation. relocs are the offsets that have one, sorted.
func (g *graph) branches(a *area, relocs []uint64, visit func(from, to int)) {
	decode := g.decoder()
	code := a.section.Data
	if decode == nil || !executable(a.section) || a.section.Type != elf.SHT_PROGBITS {
		return
	}
	exact := g.f.Header.Machine == elf.EM_X86_64
	for i, start := range a.starts {
		end := uint64(len(code))
		if i+1 < len(a.starts) {
			end = min(end, a.starts[i+1])
		}
		for at := start; at < end; {
			in := decode(code[at:end])
			if in.broken || in.size == 0 {
				break // data, or what came after this was written: on to the next symbol
			}
			if in.jumps {
				for len(relocs) > 0 && relocs[0] < at {
					relocs = relocs[1:]
				}
				filled := len(relocs) > 0 && relocs[0] < at+uint64(in.size)
				to := at + uint64(in.to)
				if !filled && to < uint64(len(code)) && (to < start || to >= end) {
					p := a.piece(to)
					// Where lengths vary, what isn't code may look like it.
					if !exact || a.starts[p-a.first] == to {
						visit(a.first+i, p)
					}
				}
			}
			at += uint64(in.size)
		}
	}
}

// filled returns the offsets of the relocations for each piece of code, sorted.
func (w *walk) filled() map[*area][]uint64 {
	all := map[*area][]uint64{}
	for _, src := range w.relocs {
		if !executable(src.area.section) {
			continue
		}
		offsets := all[src.area]
		for r := src.relocs.ReadRelocs(); ; {
			x := r.Next()
			if x == nil {
				break
			}
			offsets = append(offsets, x.Offset)
		}
		all[src.area] = offsets
	}
	for _, offsets := range all {
		if !slices.IsSorted(offsets) {
			slices.Sort(offsets)
		}
	}
	return all
}

// decoder returns what takes the machine's instructions apart, nil where that
// isn't known.
func (g *graph) decoder() func([]byte) branch {
	word := func(decode func(uint32) (int64, bool)) func([]byte) branch {
		return func(b []byte) branch {
			if len(b) < 4 {
				return branch{broken: true}
			}
			to, jumps := decode(g.f.Uint32(b))
			return branch{size: 4, to: to, jumps: jumps}
		}
	}
	switch g.f.Header.Machine {
	case elf.EM_X86_64:
		return x86
	case elf.EM_S390:
		return s390
	case elf.EM_AARCH64:
		return word(aarch64)
	case elf.EM_PPC, elf.EM_PPC64:
		return word(ppc)
	case elf.EM_LOONGARCH:
		return word(loongarch)
	}
	return nil
}

// signed returns the low bits of v as a signed number.
func signed(v uint32, bits uint) int64 { return int64(int32(v<<(32-bits)) >> (32 - bits)) }

func aarch64(v uint32) (int64, bool) {
	switch {
	case v&0x7c000000 == 0x14000000: // B, BL
		return signed(v, 26) * 4, true
	case v&0xff000000 == 0x54000000, v&0x7e000000 == 0x34000000: // B.cond, CBZ, CBNZ
		return signed(v>>5, 19) * 4, true
	case v&0x7e000000 == 0x36000000: // TBZ, TBNZ
		return signed(v>>5, 14) * 4, true
	case v&0x9f000000 == 0x10000000: // ADR
		return signed(v>>5, 19)*4 | int64(v>>29&3), true
	}
	return 0, false
}

func ppc(v uint32) (int64, bool) {
	switch {
	case v&0xfc000002 == 0x48000000: // B
		return signed(v&^3, 26), true
	case v&0xfc000002 == 0x40000000: // BC
		return signed(v&^3, 16), true
	}
	return 0, false
}

func loongarch(v uint32) (int64, bool) {
	if v&0xf8000000 == 0x50000000 { // B, BL
		return signed(v<<16|v>>10&0xffff, 26) * 4, true
	}
	return 0, false
}

// s390 is big-endian, and the first two bits say how long an instruction is.
func s390(b []byte) branch {
	if len(b) < 2 {
		return branch{broken: true}
	}
	in := branch{size: 2 * (int(b[0]>>6+1)/2 + 1)}
	if in.size > len(b) {
		return branch{broken: true}
	}
	op := uint16(b[0])<<4 | uint16(b[1]&0xf)
	switch op {
	case 0xa74, 0xa75: // BRC, BRAS
		in.jumps, in.to = true, 2*int64(int16(uint16(b[2])<<8|uint16(b[3])))
	case 0xc00, 0xc04, 0xc05: // LARL, BRCL, BRASL
		in.jumps, in.to = true, 2*int64(int32(uint32(b[2])<<24|uint32(b[3])<<16|uint32(b[4])<<8|uint32(b[5])))
	}
	return in
}
