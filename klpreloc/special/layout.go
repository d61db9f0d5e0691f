// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"debug/elf"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
)

// Kind is what the kernel does with an entry of a special section.
type Kind byte

// Kinds of entry.
const (
	Alternative Kind = iota + 1 // replaces instructions where the CPU has a feature
	Paravirt                    // replaces an indirect call by what the hypervisor asks for
	JumpLabel                   // a branch that a static key turns on and off
	StaticCall                  // a call whose function is changed at run time
	Retpoline                   // an indirect branch through a thunk
	Return                      // a return through a thunk
	Feature                     // ppc64's alternative
)

var kindNames = [...]string{"entry", "alternative", "paravirt site", "jump label", "static call",
	"retpoline", "return thunk", "feature section"}

func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		k = 0
	}
	return kindNames[k]
}

// form is how a field holds a place.
type form byte

const (
	relative form = iota // distance from the field: S+A is the place
	absolute
	// fromEntry: distance from the start of the entry. S+A is as far after the place as the
	// field is after the start.
	fromEntry
)

// field is a field that is relocated.
type field struct {
	what  string
	at    uint64 // in the entry
	width uint64
	form  form
}

// layout is one format of an entry.
type layout struct {
	kind   Kind
	size   uint64
	cut    []uint64 // sizes that the last entry may have instead: what follows is alignment
	fields []field  // by place: the site first, the key last
	lens   lengths
}

// lengths tells how many bytes of code an entry covers: in a field of the entry,
// or by the instruction.
type lengths struct {
	site, replacement uint64 // places of one-byte fields; 0: no such field
	code              func(code []byte) uint64
}

// formats are the special sections of one machine, by name.
type formats struct {
	*arch.Machine
	layouts map[string][]layout
}

// types returns which relocations a field can have.
func (a *formats) types(f field) []uint32 {
	switch {
	case f.form == absolute:
		return []uint32{a.Word}
	case f.width == 4:
		return a.Rel32
	}
	return a.Rel64
}

// distancePair returns the two 32-bit distances that most entries begin with.
func distancePair(first, second string) []field {
	return []field{{first, 0, 4, relative}, {second, 4, 4, relative}}
}

// alternative: struct alt_instr of one size, with its lengths at the given
// places.
func alternative(size, site, replacement uint64) layout {
	return layout{kind: Alternative, size: size, fields: distancePair("instruction", "replacement"),
		lens: lengths{site: site, replacement: replacement}}
}

// jumpLabels: struct jump_entry, {code, target, key}. HAVE_ARCH_JUMP_LABEL_RELATIVE
// has all three relative, the first two in 32 bits.
func jumpLabels(word uint64, code func([]byte) uint64) []layout {
	const site, target, key = "code", "target", "key"
	return []layout{
		{kind: JumpLabel, size: 8 + word, fields: []field{{site, 0, 4, relative},
			{target, 4, 4, relative}, {key, 8, word, relative}}, lens: lengths{code: code}},
		{kind: JumpLabel, size: 3 * word, fields: []field{{site, 0, word, absolute},
			{target, word, word, absolute}, {key, 2 * word, word, absolute}}, lens: lengths{code: code}},
	}
}

// staticCalls: struct static_call_site, {addr, key} (5.10).
func staticCalls(code func([]byte) uint64) []layout {
	return []layout{{kind: StaticCall, size: 8, fields: distancePair("call", "key"),
		lens: lengths{code: code}}}
}

// siteRows: rows of distances, as objtool writes them (5.17).
func siteRows(kind Kind) []layout {
	return []layout{{kind: kind, size: 4, fields: []field{{"instruction", 0, 4, relative}},
		lens: lengths{code: x86Branch}}}
}

// features: struct fixup_entry, {mask, value, start, end, alt_start, alt_end}
// (arch/powerpc/include/asm/feature-fixups.h).
func features() []layout {
	return []layout{{kind: Feature, size: 48, fields: []field{
		{"start", 16, 8, fromEntry}, {"end", 24, 8, fromEntry},
		{"start of the alternative", 32, 8, fromEntry}, {"end of the alternative", 40, 8, fromEntry},
	}}}
}

// always returns the length of instructions that are all n bytes long.
func always(n uint64) func([]byte) uint64 { return func([]byte) uint64 { return n } }

// x86Jump returns the length of the branch, or of the nop in its place, at a
// jump label (arch/x86/kernel/jump_label.c, arch_jump_entry_size; up to 5.13 it
// is always 5).
func x86Jump(code []byte) uint64 {
	if len(code) >= 2 && (code[0] == 0xeb || code[0] == 0x66 && code[1] == 0x90) {
		return 2
	}
	return 5
}

// x86Branch returns the length of a direct call or jump, conditional ones and CS
// prefixes (-mindirect-branch-cs-prefix) included.
func x86Branch(code []byte) uint64 {
	n := 0
	for n < len(code) && n < 8 && code[n] == 0x2e {
		n++
	}
	if rest := code[n:]; len(rest) >= 2 && rest[0] == 0x0f && rest[1]&0xf0 == 0x80 {
		return uint64(n) + 6
	}
	return uint64(n) + 5
}

// layoutsOf returns the special sections of a machine with HAVE_LIVEPATCH, nil of others. The
// version of a kernel does not tell the size of its struct alt_instr: stable versions changed
// it too.
func layoutsOf(machine elf.Machine) map[string][]layout {
	switch machine {
	case elf.EM_X86_64:
		return map[string][]layout{
			".altinstructions": {
				alternative(12, 10, 11), // 5.13 to 6.2, 5.10.y
				alternative(13, 10, 11), // 4.0 to 5.12: and padlen
				alternative(14, 12, 13), // 6.3: flags before them
			},
			".parainstructions": {{
				kind: Paravirt, size: 16, cut: []uint64{10, 12},
				fields: []field{{"instruction", 0, 8, absolute}}, lens: lengths{site: 9},
			}},
			"__jump_table":       jumpLabels(8, x86Jump),
			".static_call_sites": staticCalls(x86Branch),
			".retpoline_sites":   siteRows(Retpoline),
			".return_sites":      siteRows(Return),
		}
	case elf.EM_S390:
		return map[string][]layout{
			".altinstructions": {
				alternative(12, 10, 11), // up to 5.15
				alternative(11, 10, 10), // 6.1: one length for both
				alternative(13, 12, 12), // 6.12: a wider feature
			},
			"__jump_table": jumpLabels(8, always(6)), // brcl
		}
	case elf.EM_PPC64:
		return map[string][]layout{
			"__jump_table":       jumpLabels(8, always(4)),
			".static_call_sites": staticCalls(always(4)),
			"__ftr_fixup":        features(),
			"__mmu_ftr_fixup":    features(),
			"__fw_ftr_fixup":     features(),
		}
	case elf.EM_PPC:
		return map[string][]layout{
			"__jump_table":       jumpLabels(4, always(4)),
			".static_call_sites": staticCalls(always(4)),
		}
	case elf.EM_AARCH64, elf.EM_LOONGARCH:
		return map[string][]layout{
			".altinstructions": {alternative(12, 10, 11)},
			"__jump_table":     jumpLabels(8, always(4)),
		}
	}
	return nil
}

// formatsOf returns the formats of f's machine, nil when no kernel for it has
// livepatching.
func formatsOf(f *elfrw.File) *formats {
	m, err := arch.Of(f)
	if err != nil {
		return nil
	}
	return &formats{m, layoutsOf(f.Header.Machine)}
}
