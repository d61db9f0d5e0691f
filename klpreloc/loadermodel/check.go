// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"fmt"

	"golang.org/x/exp/slices"
)

// Check loads a converted module as the scenario says, and compares what is in
// memory with what the unconverted one means. It returns nil, the kernel's message, or
// the first byte that is wrong. With [Later] it compares twice, before and after the modules
// are loaded, and with [Never] the code of absent modules has to be untouched.
//
// In the old scheme it then compares the tables: each entry of the unconverted module's
// is in one of the converted one's, and in each they are in their old order.
func Check(original, converted []byte, s Scenario) error {
	m, err := Load(converted, s)
	if err != nil {
		return err
	}
	var present []string
	if s.When == Before {
		present = s.Patched
	}
	if err := m.compare(original, present); err != nil {
		return err
	}
	if s.When == Later {
		for _, object := range s.Patched {
			if object == "vmlinux" {
				continue
			}
			if err := m.Coming(object); err != nil {
				return fmt.Errorf("loading %s: %w", object, err)
			}
			present = append(slices.Clone(present), object)
			if err := m.compare(original, present); err != nil {
				return fmt.Errorf("after loading %s: %w", object, err)
			}
		}
	}
	return m.compareTables(original)
}

// CheckAll is Check, with patched modules that are loaded before, later and never, and
// for two or more of them with the order of loading reversed. Each is done once more
// on a bare machine, which lacks all features and leaves paravirt sites alone: it shows
// the relocations that are otherwise patched over.
func CheckAll(original, converted []byte, s Scenario) error {
	bare := s
	bare.Kernel.Features = nil
	bare.Kernel.Paravirt = make(map[uint8]Operation)
	for i := range 256 {
		bare.Kernel.Paravirt[uint8(i)] = Operation{Keep: true}
	}
	backwards := slices.Clone(s.Patched)
	slices.Reverse(backwards)
	for _, s := range []Scenario{s, bare} {
		for _, s.Patched = range [][]string{s.Patched, backwards} {
			for _, s.When = range []When{Before, Later, Never} {
				if err := Check(original, converted, s); err != nil {
					machine := ""
					if s.Kernel.Features == nil {
						machine = ", bare machine"
					}
					return fmt.Errorf("%v, modules %v%s: %w", s.Patched, s.When, machine, err)
				}
			}
		}
	}
	return nil
}

// code returns the sections that a conversion does not change.
func (m *Machine) code() []*section {
	var all []*section
	for _, s := range m.sections {
		if s.alloc() && !s.table() {
			all = append(all, s)
		}
	}
	return all
}

// compare returns an error if memory is not as it is meant to be.
func (m *Machine) compare(original []byte, present []string) error {
	var meant [][]*section
	for _, c := range choices {
		w, err := intended(original, m.s, present, c)
		if err != nil {
			return fmt.Errorf("unconverted module: %w", err)
		}
		meant = append(meant, w.code())
	}
	code := m.code()
	for i, want := range meant[0] {
		if i >= len(code) || code[i].name != want.name || len(code[i].data) != len(want.data) {
			return fmt.Errorf("%s: not there, not of %#x bytes, or not in its place", want.name,
				len(want.data))
		}
	}
	for i, want := range meant[0] {
		for j, b := range code[i].data {
			if !slices.ContainsFunc(meant, func(w []*section) bool { return w[i].data[j] == b }) {
				n := min(8, len(want.data)-j)
				return fmt.Errorf("%s: memory has % x, meant is % x", m.place(want.addr+uint64(j)),
					code[i].data[j:j+n], want.data[j:j+n])
			}
		}
	}
	if len(code) > len(meant[0]) {
		return fmt.Errorf("%s: not in the unconverted module", code[len(meant[0])].name)
	}
	return nil
}

// compareTables returns an error if an entry was lost, doubled, changed or reordered.
func (m *Machine) compareTables(original []byte) error {
	w, err := Intended(original, m.s)
	if err != nil {
		return err
	}
	err = compareEntries(w, m, ".altinstructions", (*Machine).alternatives,
		func(a alternative) uint64 { return a.site })
	if err != nil {
		return err
	}
	return compareEntries(w, m, ".parainstructions", (*Machine).paravirts,
		func(p paravirt) uint64 { return p.site })
}

func compareEntries[E comparable](w, m *Machine, kind string,
	read func(*Machine, *section) ([]E, error), site func(E) uint64,
) error {
	all, err := read(w, w.last(kind))
	if err != nil {
		return err
	}
	left := make(map[E]int)
	for _, e := range all {
		left[e]++
	}
	for _, s := range m.sections {
		_, of, arch := archSection(s.name)
		if !s.alloc() || s.name != kind && (!arch || of != kind || m.s.Scheme.Early) {
			continue
		}
		entries, err := read(m, s)
		if err != nil {
			return err
		}
		at := 0
		for _, e := range entries {
			if left[e]--; left[e] < 0 {
				return fmt.Errorf("%s: entry for %s is one too many", s.name, m.place(site(e)))
			}
			n := slices.Index(all[at:], e)
			if n < 0 {
				return fmt.Errorf("%s: entry for %s is not in its old order", s.name, m.place(site(e)))
			}
			at += n + 1
		}
	}
	for _, e := range all {
		if left[e] > 0 {
			return fmt.Errorf("%s: entry for %s is lost", kind, m.place(site(e)))
		}
	}
	return nil
}
