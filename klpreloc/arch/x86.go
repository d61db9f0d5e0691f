// SPDX-License-Identifier: GPL-2.0-or-later

package arch

// x86 measures one instruction of 64-bit code and finds out whether it is a
// branch (Intel SDM, volume 2, chapter 2 and appendix A).
//
//	prefixes  REX | VEX | EVEX  opcode  ModRM  SIB  displacement  immediate
//
// Two maps say what follows an opcode, with a character for each:
//
//	.  nothing            m  ModRM            r  distance of one byte
//	b  one byte           M  ModRM, one byte  R  distance of four bytes
//	w  two bytes          Z  ModRM, word      z  word: four bytes, two with prefix 66
//	-  no instruction     others have a case of their own
const (
	oneByte = "mmmmbz--mmmmbz-e" + // 00, 0F: the other map
		"mmmmbz--mmmmbz--" + // 10
		"mmmmbzp-mmmmbzp-" + // 20, p: prefix
		"mmmmbzp-mmmmbzp-" + // 30
		"xxxxxxxxxxxxxxxx" + // 40, x: REX
		"................" + // 50
		"--vmppppzZbM...." + // 60, v: VEX and EVEX
		"rrrrrrrrrrrrrrrr" + // 70
		"MZ-Mmmmmmmmmmmmm" + // 80
		"..........-....." + // 90
		"oooo....bz......" + // A0, o: an address
		"bbbbbbbbiiiiiiii" + // B0, i: as long as the register
		"MMw.vvMZe.w..b-." + // C0, C8: ENTER
		"mmmm---.mmmmmmmm" + // D0
		"rrrrbbbbRR-r...." + // E0
		"p.pp..tT......mm" //   F0, t, T: TEST has an immediate
	twoByte = "mmmm-.....-.-m.M" + // 00
		"mmmmmmmmmmmmmmmm" + // 10
		"mmmm----mmmmmmmm" + // 20
		"........3-3-----" + // 30, 3: maps of three bytes
		"mmmmmmmmmmmmmmmm" + // 40
		"mmmmmmmmmmmmmmmm" + // 50
		"mmmmmmmmmmmmmmmm" + // 60
		"MMMMmmm.mmmmmmmm" + // 70
		"RRRRRRRRRRRRRRRR" + // 80
		"mmmmmmmmmmmmmmmm" + // 90
		"...mMm--...mMmmm" + // A0
		"mmmmmmmmmmMmmmmm" + // B0
		"mmMmMMMm........" + // C0
		"mmmmmmmmmmmmmmmm" + // D0
		"mmmmmmmmmmmmmmmm" + // E0
		"mmmmmmmmmmmmmmmm" //   F0
)

func x86(b []byte) Instruction {
	var (
		at                   int
		short, address, wide bool // prefixes 66, 67 and REX.W
		broken               = Instruction{}
		next                 = func() byte { at++; return peek(b, at-1) }
		op                   = next()
		kind                 = oneByte[op]
		opcodes, immediate   = 1, 0
		lea                  bool
	)
	for ; kind == 'p'; op, kind = next(), oneByte[peek(b, at-1)] {
		short, address = short || op == 0x66, address || op == 0x67
		if at >= 15 {
			return broken
		}
	}
	if kind == 'x' {
		wide = op&8 != 0
		op = next()
		if kind = oneByte[op]; kind == 'p' || kind == 'x' || kind == 'v' {
			return broken
		}
	}
	switch {
	case kind == 'v':
		// VEX and EVEX name the map; all but VZEROUPPER have ModRM.
		table := byte(1)
		switch op {
		case 0xc5:
			at++
		case 0xc4:
			table = next() & 0x1f
			at++
		default:
			table = next() & 7
			at += 2
		}
		op = next()
		switch {
		case table == 1 && op == 0x77:
			kind = '.'
		case table == 3, table == 1 && twoByte[op] == 'M':
			kind = 'M'
		default:
			kind = 'm'
		}
	case kind == 'e' && op == 0x0f:
		op, opcodes = next(), 2
		if kind = twoByte[op]; kind == '3' {
			kind = 'm'
			if op == 0x3a {
				kind = 'M'
			}
			next()
			opcodes = 3
		}
	case kind == 'e': // ENTER
		at += 3
		kind = '.'
	}

	word := 4
	if short && !wide {
		word = 2
	}
	in := Instruction{}
	switch kind {
	case '-':
		return broken
	case 'b':
		immediate = 1
	case 'w':
		immediate = 2
	case 'z':
		immediate = word
	case 'i':
		if immediate = word; wide {
			immediate = 8
		}
	case 'o':
		if immediate = 8; address {
			immediate = 4
		}
	case 'r':
		in.Refers, in.To = true, int64(int8(peek(b, at)))
		at++
	case 'R':
		in.Refers, in.To = true, littleEndian32(b, at)
		at += 4
	case 'm', 'M', 'Z', 't', 'T':
		modrm := next()
		mod, reg, rm := modrm>>6, modrm>>3&7, modrm&7
		lea = opcodes == 1 && op == 0x8d && mod == 0 && rm == 5
		if mod != 3 && rm == 4 {
			if sib := next(); mod == 0 && sib&7 == 5 {
				at += 4
			}
		}
		if lea {
			in.Refers, in.To = true, littleEndian32(b, at)
		}
		switch {
		case mod == 0 && rm == 5, mod == 2:
			at += 4
		case mod == 1:
			at++
		}
		switch {
		case kind == 'M', kind == 't' && reg < 2:
			immediate = 1
		case kind == 'Z', kind == 'T' && reg < 2:
			immediate = word
		}
	}
	at += immediate
	if at > len(b) || at > 15 {
		return broken
	}
	in.Size = at
	in.To += int64(at)
	return in
}

// peek returns b[i], 0 past the end.
func peek(b []byte, i int) byte {
	if i < len(b) {
		return b[i]
	}
	return 0
}

// littleEndian32 returns the four bytes at i as a signed number.
func littleEndian32(b []byte, i int) int64 {
	return int64(int32(uint32(peek(b, i)) | uint32(peek(b, i+1))<<8 | uint32(peek(b,
		i+2))<<16 | uint32(peek(b, i+3))<<24))
}
