// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"errors"
	"fmt"
	"strings"
)

// What the author meant: before any table is looked at, each annotated symbol's
// address is written wherever it is used and its object is there. An alternative or a
// paravirt site that waits for an absent object waits as a whole.

// use is a relocation against an annotated symbol.
type use struct {
	target *section
	r      rela
	sym    string
	gates  []string
	annotation
}

func (u use) addr() uint64 { return u.target.addr + u.r.offset }

func (u use) within(addr uint64, n uint8) bool {
	return u.addr() < addr+uint64(n) && addr < u.addr()+u.r.width()
}

// choice is one of the ways to read an annotation that leaves one open: a symbol of
// vmlinux in a function of a module, for an old kernel, can go with either.
type choice struct {
	last    bool // relocations: with the last of the gates, not the first
	patient bool // entries: wait until all of the gates are there
}

var choices = []choice{{}, {last: true}, {patient: true}}

// Intended returns the machine with an unconverted module in the state that the
// author meant, where the patched modules that are named are loaded.
func Intended(original []byte, s Scenario, present ...string) (*Machine, error) {
	return intended(original, s, present, choice{})
}

func intended(original []byte, s Scenario, present []string, c choice) (*Machine, error) {
	m, err := lay(original, s)
	if err != nil {
		return nil, err
	}
	for _, object := range present {
		m.present[object] = true
	}
	notes, err := m.annotations()
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool)
	for i := range notes {
		names[m.symbols[i].name] = true
	}
	if err := m.simplify(s.Kernel.Exports, func(y symbol) bool { return names[y.name] }); err != nil {
		return nil, err
	}

	var uses []use
	for _, rel := range m.sections {
		if !m.relocates(rel) || strings.HasPrefix(m.sections[rel.info].name, ".klp.module_relocs.") {
			continue
		}
		for _, r := range rel.relas() {
			y := m.symbols[r.sym]
			if len(notes[r.sym]) > 0 {
				uses = append(uses, use{target: m.sections[rel.info], r: r, sym: y.name})
			} else if err := m.relocate(m.sections[rel.info], r, y.name, y.value); err != nil {
				return nil, err
			}
		}
	}
	alternatives, err := m.alternatives(m.last(".altinstructions"))
	if err != nil {
		return nil, err
	}
	for i := range uses {
		u := &uses[i]
		owner := m.owner(u.addr(), alternatives)
		if err := m.understand(u, notes[u.r.sym], owner); err != nil {
			return nil, err
		}
	}

	waiting := func(addr uint64, n uint8) bool {
		for _, u := range uses {
			if u.within(addr, n) && !m.ready(u, c, c.patient) {
				return true
			}
		}
		return false
	}
	for _, u := range uses {
		if !m.ready(u, c, false) {
			continue
		}
		value, err := m.find(u.object, u.name, u.pos)
		if err != nil {
			return nil, err
		}
		if err := m.relocate(u.target, u.r, u.sym, value); err != nil {
			return nil, err
		}
	}
	return m, errors.Join(m.finalize(
		func(a alternative) bool { return waiting(a.site, a.size) || waiting(a.replacement, a.length) },
		func(p paravirt) bool { return waiting(p.site, p.size) },
	), m.jumpLabels())
}

// ready says whether a use's object is there.
func (m *Machine) ready(u use, c choice, all bool) bool {
	if all {
		for _, g := range u.gates {
			if !m.gateOpen(g) {
				return false
			}
		}
		return true
	}
	if c.last {
		return m.gateOpen(u.gates[len(u.gates)-1])
	}
	return m.gateOpen(u.gates[0])
}

// gateOpen says whether what is gated by an object gets written: from 5.8 on vmlinux's
// always, else what the patch declares and what is there.
func (m *Machine) gateOpen(object string) bool {
	if m.s.Scheme.Early && object == "vmlinux" {
		return true
	}
	return m.s.patches(object) && m.loaded(object)
}

// owner returns the object whose function an address is in, or whose function's
// alternatives it belongs to.
func (m *Machine) owner(addr uint64, all []alternative) string {
	name, _ := m.function(addr)
	for i := 0; name == "" && i < len(all); i++ {
		if a := all[i]; addr >= a.replacement && addr-a.replacement < uint64(a.length) {
			name, _ = m.function(a.site)
		}
	}
	return m.s.Functions[name]
}

// understand picks the annotation that is meant: the only one, or that of the
// function's own object.
func (m *Machine) understand(u *use, notes []annotation, owner string) error {
	u.annotation = notes[0]
	for _, a := range notes[1:] {
		switch {
		case a == u.annotation || u.object == owner:
		case a.object == owner:
			u.annotation = a
		default:
			return fmt.Errorf("%s: %s is annotated for %s and for %s", m.place(u.addr()), u.sym,
				u.object, a.object)
		}
	}
	if u.gates = m.s.gates(u.annotation, owner); len(u.gates) == 0 {
		return fmt.Errorf("%s: no object for %s", m.place(u.addr()), u.sym)
	}
	return nil
}
