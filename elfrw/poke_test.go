// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

// Fixtures of broken files are made from good ones by changing one field.

func poke16(k kind, b []byte, off int, v uint16) { copy(b[off:], k.u16(nil, v)) }
func poke32(k kind, b []byte, off int, v uint32) { copy(b[off:], k.u32(nil, v)) }

func putShoff(k kind, b []byte, v uint64) { copy(b[pick(k.wide(), 40, 32):], k.word(nil, v)) }
