// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import "encoding/binary"

// paravirt is struct paravirt_patch_site without clobbers.
type paravirt struct {
	site uint64
	typ  uint8
	size uint8
}

const paravirtStride = 16

// paravirts reads a table. The kernel's loop ends at the first address that is not
// below the end, so that the last entry may lack its padding.
func (m *Machine) paravirts(s *section) ([]paravirt, error) {
	if s == nil {
		return nil, nil
	}
	var all []paravirt
	for off := 0; off < len(s.data); off += paravirtStride {
		b := s.data[off:]
		if len(b) < 10 {
			return nil, oops("%s: the last entry has %d bytes", s.name, len(b))
		}
		all = append(all, paravirt{binary.LittleEndian.Uint64(b), b[8], b[9]})
	}
	return all, nil
}

// applyParavirt is apply_paravirt, without the entries that skip names. What a site
// becomes depends on its type alone.
func (m *Machine) applyParavirt(s *section, skip func(paravirt) bool) error {
	all, err := m.paravirts(s)
	if err != nil {
		return err
	}
	for _, p := range all {
		if skip != nil && skip(p) {
			continue
		}
		site := m.at(p.site, uint64(p.size))
		if site == nil {
			return oops("general protection fault: %s has an entry for %#x, where nothing is",
				s.name, p.site)
		}
		op, ok := m.s.Kernel.Paravirt[p.typ]
		b := op.Code
		switch {
		case !ok:
			b = []byte{0x0f, 0x0b}
		case op.Keep || op.Call != 0 && p.size < 5:
			continue
		case op.Call != 0:
			b = binary.LittleEndian.AppendUint32([]byte{0xe8}, uint32(op.Call-p.site-5))
		}
		if len(b) > int(p.size) {
			return oops("kernel BUG: %s: %d bytes for the %d of %s", s.name, len(b), p.size, m.place(p.site))
		}
		copy(site, b)
		copy(site[len(b):], nops(int(p.size)-len(b)))
		m.tell("%s paravirt", m.place(p.site))
	}
	return nil
}

// JumpLabel is an entry of __jump_table as jump_label_module_notify finds it when
// the module is loaded.
type JumpLabel struct {
	Code, Target uint64
	Key          uint64 // without the two bits that are no address
}

// jumpLabels reads __jump_table. The kernel ties each site to its key here, and does
// not look again.
func (m *Machine) jumpLabels() error {
	s := m.last("__jump_table")
	if s == nil {
		return nil
	}
	stride := m.s.Scheme.JumpEntry
	if len(s.data)%stride != 0 {
		return oops("%s: size %d is not a multiple of the entry size %d", s.name, len(s.data), stride)
	}
	for off := 0; off < len(s.data); off += stride {
		b, at := s.data[off:], s.addr+uint64(off)
		var j JumpLabel
		if stride == 24 {
			j = JumpLabel{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]),
				binary.LittleEndian.Uint64(b[16:])}
		} else {
			j = JumpLabel{
				Code:   at + uint64(int64(int32(binary.LittleEndian.Uint32(b)))),
				Target: at + 4 + uint64(int64(int32(binary.LittleEndian.Uint32(b[4:])))),
				Key:    at + 8 + binary.LittleEndian.Uint64(b[8:]),
			}
		}
		j.Key &^= 3
		m.JumpLabels = append(m.JumpLabels, j)
	}
	return nil
}
