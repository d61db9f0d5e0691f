// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"encoding/binary"
)

// alternative is struct alt_instr, with its addresses made absolute.
type alternative struct {
	site, replacement uint64
	feature           uint16
	size              uint8 // of the site, padding included
	length            uint8 // of the replacement
	pad               uint8 // bytes at the end of the site that are padding
}

// alternatives reads a table, whose own relocations have been applied.
func (m *Machine) alternatives(s *section) ([]alternative, error) {
	if s == nil || len(s.data) == 0 {
		return nil, nil
	}
	stride := m.s.Scheme.Alternative
	if stride == 0 {
		return nil, oops("alternatives of %s are not modelled", m.s.Scheme.Release)
	}
	var all []alternative
	for off := 0; off < len(s.data); off += stride {
		if len(s.data)-off < stride {
			return nil, oops(
				"%s: size %d is not a multiple of the entry size %d: the kernel would read past the end",
				s.name, len(s.data), stride)
		}
		b := s.data[off:]
		relative := func(at int) uint64 {
			return s.addr + uint64(off+at) + uint64(int64(int32(binary.LittleEndian.Uint32(b[at:]))))
		}
		a := alternative{
			site:        relative(0),
			replacement: relative(4),
			feature:     binary.LittleEndian.Uint16(b[8:]),
			size:        b[10],
			length:      b[11],
		}
		if stride == 13 {
			a.pad = b[12]
		}
		// static_cpu_has of 4.x: no replacement, and none to point at.
		if a.length == 0 && binary.LittleEndian.Uint32(b[4:]) == 0 {
			a.replacement = 0
		}
		all = append(all, a)
	}
	return all, nil
}

// applyAlternatives is apply_alternatives, without the entries that skip names.
func (m *Machine) applyAlternatives(s *section, skip func(alternative) bool) error {
	all, err := m.alternatives(s)
	if err != nil {
		return err
	}
	for _, a := range all {
		if skip != nil && skip(a) {
			continue
		}
		if err := m.applyAlternative(s, a); err != nil {
			return err
		}
	}
	return nil
}

func (m *Machine) applyAlternative(s *section, a alternative) error {
	site := m.at(a.site, uint64(a.size))
	if site == nil {
		return oops("general protection fault: %s has an entry for %#x, where nothing is", s.name, a.site)
	}
	feature, want := a.feature, true
	if m.s.Scheme.FeatureNot && feature&0x8000 != 0 {
		feature, want = feature&^0x8000, false
	}
	if m.s.Kernel.Features[feature] != want {
		// optimize_nops of 4.x looks at the first padlen bytes, not at the padding.
		if a.pad > 1 && onlyNops(site[:a.pad]) {
			copy(site[a.size-a.pad:], nops(int(a.pad)))
		}
		return nil
	}
	if a.length > a.size {
		return oops("%s has an entry for %s, of %d bytes and a replacement of %d", s.name,
			m.place(a.site), a.size, a.length)
	}
	replacement := m.at(a.replacement, uint64(a.length))
	if text := m.s.Kernel.Text[a.replacement]; replacement == nil && int(a.length) <= len(text) {
		replacement = text[:a.length] // of the kernel: objtool of 5.13 to 5.15
	}
	if replacement == nil && a.length > 0 {
		return oops("general protection fault: %s has a replacement at %#x, where nothing is", s.name,
			a.replacement)
	}
	b := make([]byte, a.length, a.size)
	copy(b, replacement)
	// What is relative to its own address must follow: of calls and jumps that
	// are all there is, the kernel takes care.
	if a.length == 5 && (b[0] == 0xe8 || b[0] == 0xe9) {
		target := a.replacement + 5 + uint64(int64(int32(binary.LittleEndian.Uint32(b[1:]))))
		distance := target - a.site
		// A jump forwards gets short where it can (recompute_jump). Backwards the
		// kernel's test for it is never true.
		if b[0] == 0xe9 && int64(distance) >= 0 && int32(distance)-2 <= 127 {
			b = append(append(b[:0], 0xeb, byte(distance-2)), nops(3)...)
		} else {
			binary.LittleEndian.PutUint32(b[1:], uint32(distance-5))
		}
	}
	if m.s.Scheme.Alternative == 13 {
		b = append(b, nops(int(a.size)-len(b))...)
	} else {
		for len(b) < int(a.size) {
			b = append(b, 0x90)
		}
	}
	copy(site, b)
	m.tell("%s alternative", m.place(a.site))
	return nil
}

func onlyNops(b []byte) bool {
	for _, c := range b {
		if c != 0x90 {
			return false
		}
	}
	return true
}

// longNops are the processor's NOPs of 1 to 8 bytes, as its manual recommends them.
var longNops = [9][]byte{
	1: {0x90},
	2: {0x66, 0x90},
	3: {0x0f, 0x1f, 0x00},
	4: {0x0f, 0x1f, 0x40, 0x00},
	5: {0x0f, 0x1f, 0x44, 0x00, 0x00},
	6: {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
	7: {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
	8: {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
}

func nops(n int) []byte {
	var b []byte
	for n > 0 {
		k := min(n, 8)
		b = append(b, longNops[k]...)
		n -= k
	}
	return b
}
