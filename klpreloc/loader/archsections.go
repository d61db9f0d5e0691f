// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"fmt"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/sympos"
)

// .klp.arch.<object>.<table>, which x86 reads from 4.9 to 5.7 when the klp relocations of the
// object have been applied (arch/x86/kernel/livepatch.c, arch_klp_init_object_loaded; removed by
// 1d05334d2899): .altinstructions go to apply_alternatives, .parainstructions to apply_paravirt.

const archPrefix = ".klp.arch."

const (
	altTable  = ".altinstructions"
	paraTable = ".parainstructions"
)

// An archSection is one that has the name of a .klp.arch section, or nearly.
type archSection struct {
	*elfrw.Section
	object, table string // as the kernel reads them; "" where it can't
}

// archSections returns them in header order.
func archSections(f *elfrw.File) (all []archSection) {
	for _, s := range f.Sections {
		object, table, ok := scanArchName(s.Name)
		misspelled := strings.HasPrefix(s.Name, ".klp.") && !s.HasRelocs() &&
			(strings.Contains(s.Name, altTable[1:]) || strings.Contains(s.Name, paraTable[1:]))
		if ok || misspelled || strings.HasPrefix(s.Name, archPrefix) {
			all = append(all, archSection{s, object, table})
		}
	}
	return all
}

// scanArchName reads a section's name as the kernel does: .klp.arch.%55[^.].%127s.
func scanArchName(name string) (object, table string, ok bool) {
	rest, ok := strings.CutPrefix(name, archPrefix)
	object, rest, dot := strings.Cut(rest, ".")
	words := strings.Fields(rest)
	if !ok || object == "" || len(object) > 55 || !dot || len(words) == 0 {
		return "", "", false
	}
	return object, words[0][:min(len(words[0]), 127)], true
}

// checkArchSections: what comes of them, on kernels that read them and on others.
func checkArchSections(m *view, k *facts) (out result) {
	const unread = "what is in it is never patched, and the old instructions run"
	all := archSections(m.file)
	last := map[[2]string]*elfrw.Section{}
	for _, s := range all {
		last[[2]string{s.object, s.table}] = s.Section
	}
	reads := k.Scheme == kernel.SchemeLate && m.file.Header.Machine == elf.EM_X86_64
	for _, s := range all {
		find := func(cause string) finding {
			return problem(diag.CheckArchSection, cause).in(s.Section)
		}
		silently := func(f finding) { out.add(f.when(diag.Calling, "", "")) }
		switch {
		case s.Size() == 0 && s.Section != last[[2]string{s.object, s.table}]:
		case !reads && !s.Alloc():
		case !reads:
			silently(find("this kernel does not read .klp.arch sections: " + unread).
				fix("convert the module for this kernel"))
		case s.object == "":
			silently(find("the kernel reads the object and the table from the name as "+
				".klp.arch.%55[^.].%127s: "+unread).
				fix("%s<object>.%s", archPrefix, altTable))
		case s.table != altTable && s.table != paraTable:
			silently(find("no kernel reads a .klp.arch section for " + diag.Printable(s.table)))
		case s.Section != last[[2]string{s.object, s.table}]:
			silently(find("of two .klp.arch sections of one object and kind the kernel reads the " +
				"last only"))
		case !m.patchesObject(s.object) && m.complete():
			silently(problem(diag.NotApplied, "the patch has no klp_object "+s.object+
				": the section is never read").in(s.Section))
		case !s.Alloc() && s.Size() > 0:
			checkArchNotLoaded(&out, m, k, s)
		case s.table == altTable:
			checkArchAlternatives(&out, m, k, s)
		default:
			checkArchParavirt(&out, m, k, s)
		}
	}
	return out
}

// checkArchNotLoaded: the kernel finds the section among the headers that it has kept, where the
// address of what is not loaded is that in the copy of the file, which is freed by then (seen
// on 4.19.78: an oops in insmod).
func checkArchNotLoaded(out *result, m *view, k *facts, s archSection) {
	if !m.patchesObject(s.object) {
		return
	}
	out.add(whenArch(m, k, problem(diag.CheckArchSection, "the section is not loaded (no SHF_ALLOC), "+
		"and the kernel reads it where the copy of the file was").in(s.Section).
		fix("convert the module again, and don't edit it then"), s,
		oops("page fault", "arch_klp_init_object_loaded")))
}

// whenArch returns f with the cases in which the kernel dies while it reads the section.
func whenArch(m *view, k *facts, f finding, s archSection,
	messages ...diag.KernelMessage) finding {
	if s.object == sympos.Vmlinux {
		return f.when(diag.Enabling, "", "killed", messages...)
	}
	return whenObject(m, k, f, s.object, "killed", messages...)
}

// Limits of apply_alternatives and apply_paravirt (arch/x86/kernel/alternative.c).
const (
	mostPatched  = 254 // MAX_PATCH_LEN
	mostFeatures = 768 // more than (NCAPINTS + NBUGINTS) * 32 in any kernel up to 5.7
)

// checkArchAlternatives: struct alt_instr of 13 bytes: two distances from their own places, the
// feature, three lengths. The kernel reads a last one that is cut, too.
func checkArchAlternatives(out *result, m *view, k *facts, s archSection) {
	const entry, used = 13, 10
	data := s.contents()
	for at := uint64(0); at+used <= uint64(len(data)); at += entry {
		d, length := data[at:], byte(0)
		feature := m.file.Uint16(d[8:])
		if len(d) > used {
			length = d[used]
		}
		find := func(cause string) finding {
			return problem(diag.CheckArchSection, cause).at(s.Section, at).
				fix("convert the module again, and don't edit it then")
		}
		switch {
		case length > mostPatched, feature >= mostFeatures:
			out.add(whenArch(m, k, find(fmt.Sprintf("the entry has feature %d and length %d, which the "+
				"kernel does not accept", feature, length)), s, oops("kernel BUG", "apply_alternatives")))
			return
		case len(d) < entry:
			return // what follows in memory is the rest of it
		case length == 0:
			out.add(find("the entry has length 0: its site is never patched").
				when(diag.Calling, "", ""))
			return
		case !m.isRelocated(s.Section, at, elf.R_X86_64_PC32),
			!m.isRelocated(s.Section, at+4, elf.R_X86_64_PC32):
			out.add(find("the entry is not relocated, and names itself: its site is never patched").
				when(diag.Calling, "", ""))
			return
		}
	}
}

// checkArchParavirt: struct paravirt_patch_site of 16 bytes, of which the last may lack the end: an
// address, a type, a length.
func checkArchParavirt(out *result, m *view, k *facts, s archSection) {
	const entry, used = 16, 10
	data := s.contents()
	for at := uint64(0); at+used <= uint64(len(data)); at += entry {
		length := data[at+9]
		find := func(cause string) finding {
			return problem(diag.CheckArchSection, cause).at(s.Section, at).
				fix("convert the module again, and don't edit it then")
		}
		switch {
		case length > mostPatched:
			out.add(whenArch(m, k, find(fmt.Sprintf("the entry has length %d, which the kernel does not "+
				"accept", length)), s, oops("kernel BUG", "apply_paravirt")))
			return
		case length == 0 && k.ParavirtBug:
			out.add(whenArch(m, k, find("the entry has length 0, which has no room for a call"), s,
				says("paravirt: Failed to patch indirect CALL at %s", anything),
				oops("kernel BUG", "paravirt_patch")))
			return
		case length == 0:
			out.add(find("the entry has length 0: its site is never patched").
				when(diag.Calling, "", ""))
			return
		case !m.isRelocated(s.Section, at, elf.R_X86_64_64):
			out.add(whenArch(m, k, find("the entry has no address of a site"), s,
				oops("page fault", "apply_paravirt")))
			return
		}
	}
}

// contents are those that the section has in memory.
func (s archSection) contents() []byte {
	if s.Type == elf.SHT_NOBITS {
		const most = 1 << 20 // entries that are all the same
		return make([]byte, min(s.Size(), most))
	}
	return s.Data
}

// isRelocated reports whether an ordinary relocation of that type is at the place.
func (m *Module) isRelocated(s *elfrw.Section, at uint64, t elf.R_X86_64) bool {
	r := m.pointer(s, at)
	return r != nil && r.Type == uint32(t)
}
