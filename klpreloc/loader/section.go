// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"cmp"
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
)

// klpSection is a section with SHF_RELA_LIVEPATCH, or what is has the name of one.
type klpSection struct {
	*elfrw.Section
	index  int    // in the section header table
	object string // as the kernel reads it; "" when it can't
	marked bool   // SHF_RELA_LIVEPATCH
	target *elfrw.Section
	relocs []klpReloc
}

// klpReloc is one relocation, and its symbol's name taken apart.
type klpReloc struct {
	elfrw.Rela
	klp *klpName
}

// klpName is a klp symbol's name as the widest kernel reads it.
type klpName struct {
	object, name string
	position     uint64
	err          error
}

// klpSections reads the klp relocation sections, in header order, as the kernel does:
// by flag and sh_info, whatever sh_link and sh_type say. It asks for the numbers of symbols only
// on machines whose loader sorts by them.
func klpSections(f *elfrw.File, numbers func() numbering) []*klpSection {
	var all []*klpSection
	names := map[*elfrw.Symbol]*klpName{}
	read := func(y *elfrw.Symbol) *klpName {
		if names[y] == nil {
			n := &klpName{}
			if y != nil {
				n.object, n.name, n.position, n.err = klpabi.ParseSymbolName(y.Name)
			} else {
				n.err = fmt.Errorf("symbol 0 has no name")
			}
			names[y] = n
		}
		return names[y]
	}
	for i, s := range f.Sections {
		marked := s.Flags&klpabi.FlagLivepatch != 0
		if !marked && !strings.HasPrefix(s.Name, klpabi.SectionPrefix) {
			continue
		}
		klp := &klpSection{Section: s, index: i + 1, marked: marked, target: s.Target}
		if klp.target == nil && s.Info > 0 && uint64(s.Info) <= uint64(len(f.Sections)) {
			klp.target = f.Sections[s.Info-1]
		}
		if rest, ok := strings.CutPrefix(s.Name, klpabi.SectionPrefix); ok {
			// %55[^.]: silently truncated there.
			klp.object, _, _ = strings.Cut(rest, ".")
			klp.object = klp.object[:min(len(klp.object), 55)]
		}
		switch {
		case s.Type == elf.SHT_NOBITS && s.Size() >= 24:
			klp.relocs = []klpReloc{{elfrw.Rela{}, read(nil)}} // of zeros, as many as there is room for
		case s.HasRelocs():
			klp.relocs = make([]klpReloc, 0, s.NumRelocs())
			relocs := s.ReadRelocs()
			for r := relocs.Next(); r != nil; r = relocs.Next() {
				klp.relocs = append(klp.relocs, klpReloc{*r, read(r.Sym)})
			}
		default:
			for _, r := range rawRelocs(f, s) {
				klp.relocs = append(klp.relocs, klpReloc{r, read(r.Sym)})
			}
		}
		if reorders(f, s, klp.target) {
			if f.Header.Machine == elf.EM_AARCH64 {
				klp.branchesFirst(numbers())
			} else {
				of := numbers()
				slices.SortStableFunc(klp.relocs,
					func(a, b klpReloc) int { return of.compare(&a.Rela, &b.Rela) })
			}
		}
		all = append(all, klp)
	}
	return all
}

// reorders reports whether the loader sorts the relocations of a section in the file's memory when
// it counts what needs a place in a table: those for code, on two machines.
func reorders(f *elfrw.File, s, target *elfrw.Section) bool {
	machine := f.Header.Machine
	return (machine == elf.EM_AARCH64 || machine == elf.EM_LOONGARCH) && s.Type == elf.SHT_RELA &&
		target != nil && target.Flags&uint64(elf.SHF_EXECINSTR) != 0
}

// numbering is the index of each symbol in the symbol table; symbol 0 is nil.
type numbering map[*elfrw.Symbol]int

func symbolNumbers(f *elfrw.File) numbering {
	numbers := make(numbering, len(f.Symbols)+1)
	for i, y := range f.Symbols {
		numbers[y] = i + 1
	}
	return numbers
}

// compare is loongarch64's order: by symbol, type and addend (arch/loongarch/kernel/
// module-sections.c, compare_rela and count_max_entries).
func (n numbering) compare(a, b *elfrw.Rela) int {
	return cmp.Or(cmp.Compare(n[a.Sym], n[b.Sym]), cmp.Compare(a.Type, b.Type),
		cmp.Compare(a.Addend, b.Addend))
}

// branchesFirst puts the relocations into the order in which arm64 leaves them: calls of what is
// outside of the section come first, by symbol and addend (arch/arm64/kernel/module-plts.c,
// partition_branch_plt_relas and cmp_rela).
func (s *klpSection) branchesFirst(numbers numbering) {
	const jump26, call26 = 282, 283
	outside := func(r *klpReloc) bool {
		return (r.Type == jump26 || r.Type == call26) && (r.Sym == nil || r.Sym.Section != s.target)
	}
	list := s.relocs
	i, j := 0, len(list)-1
	for i < j {
		switch {
		case outside(&list[i]):
			i++
		case outside(&list[j]):
			list[i], list[j] = list[j], list[i]
		default:
			j--
		}
	}
	slices.SortStableFunc(list[:max(i, 0)], func(a, b klpReloc) int {
		if a.Type != b.Type {
			return int(a.Type) - int(b.Type)
		}
		if x, y := numbers[a.Sym], numbers[b.Sym]; x != y {
			return x - y
		}
		return cmp.Compare(a.Addend, b.Addend)
	})
}

// rawRelocs decodes what the loader takes for Elf64_Rela, where headers say otherwise.
func rawRelocs(f *elfrw.File, s *elfrw.Section) []elfrw.Rela {
	const entry = 24
	if f.PointerSize() != 8 {
		return nil
	}
	var all []elfrw.Rela
	for b := s.Data; len(b) >= entry; b = b[entry:] {
		info := f.Uint64(b[8:])
		r := elfrw.Rela{Offset: f.Uint64(b), Type: uint32(info), Addend: int64(f.Uint64(b[16:]))}
		if n := info >> 32; n > 0 && n <= uint64(len(f.Symbols)) {
			r.Sym = f.Symbols[n-1]
		}
		all = append(all, r)
	}
	return all
}

// applied reports whether the kernel ever looks at the section: it has the flag, and
// its target is loaded (kernel/module/main.c, apply_relocations).
func (klp *klpSection) applied() bool {
	return klp.marked && klp.target != nil && klp.target.Alloc()
}

// late reports whether the section waits for its object.
func (k *facts) late(klp *klpSection) bool { return !k.Early() || klp.object != sympos.Vmlinux }

// whenOf adds the cases of what goes wrong where section k is applied: at loading, or
// at enabling when the object is there, and when it comes later.
func whenOf(m *view, k *facts, f finding, klp *klpSection, errno string,
	messages ...diag.KernelMessage) finding {
	switch {
	case !k.late(klp):
		f = f.when(diag.Loading, "", errno, messages...)
	case klp.object == sympos.Vmlinux:
		f = f.when(diag.Enabling, "", errno, messages...)
	default:
		f = whenObject(m, k, f, klp.object, errno, messages...)
	}
	return f
}

// whenObject adds the cases of what goes wrong when an object is initialized.
func whenObject(m *view, k *facts, f finding, object, errno string,
	messages ...diag.KernelMessage) finding {
	if object == sympos.Vmlinux || k.loaded[object] {
		f = f.when(diag.Enabling, "", errno, messages...)
	}
	if object == sympos.Vmlinux {
		return f
	}
	return whenComing(m, f, object, errno, messages...)
}

// whenComing returns f with the case of a module that is refused when it comes, because the
// livepatch can't be initialized for it (kernel/livepatch/core.c, klp_module_coming).
func whenComing(m *view, f finding, object, errno string, messages ...diag.KernelMessage) finding {
	if errno != "" && errno != "killed" {
		messages = append(slices.Clone(messages),
			says("livepatch: failed to initialize patch '%s' for module '%s' (%s)", m.name, object,
				errnoNumber(errno)),
			says("livepatch: patch '%s' failed for module '%s', refusing to load module '%s'", m.name,
				object, object))
	}
	return f.when(diag.Coming, object, errno, messages...)
}

// checkKlpHeaders: what the headers of klp sections have to be (docs/format.md).
func checkKlpHeaders(m *view, k *facts) (out result) {
	for _, klp := range m.klp {
		if !klp.marked {
			continue // what it holds is ordinary, see diag.KlpSymbolOrdinary
		}
		switch {
		case (klp.target == nil || !klp.target.Alloc()) && k.late(klp) && len(klp.relocs) > 0:
			if mayApply(m, k, klp) {
				checkUnplaced(&out, m, k, klp)
			}
			continue
		case klp.target == nil || klp.Section.Target == nil && klp.Section.Info == 0:
			out.add(problem(diag.NotApplied, "its sh_info names no section: the loader ignores it "+
				"(apply_relocations)").in(klp.Section).
				fix("sh_info has to be the index of the section that is relocated").
				when(diag.Calling, "", "", k.unrelocated("")))
			continue
		case !klp.target.Alloc():
			out.add(note(diag.SectionHeader, "its target "+klp.target.String()+" is not loaded: it "+
				"is never applied").in(klp.Section).when(diag.Loading, "", ""))
			continue
		}
		checkSectionName(&out, m, k, klp)
		if img := m.image; img != nil && klp.index < img.count && img.size(klp.index)%24 != 0 &&
			m.file.PointerSize() == 8 {
			out.add(problem(diag.SectionHeader, fmt.Sprintf("its sh_size, %d, is not a multiple of 24: "+
				"the last relocation is cut off, and never applied", img.size(klp.index))).in(klp.Section).
				fix("convert the module again").when(diag.Calling, "", "", k.unrelocated("")))
		}
		if typ := m.typeOf(klp); typ != elf.SHT_RELA {
			f := note(diag.SectionHeader, fmt.Sprintf("its type is %v, not SHT_RELA; the loader "+
				"goes by the flag", typ))
			if m.file.Header.Machine != elf.EM_X86_64 {
				f = problem(diag.PLTSections, "its type is not SHT_RELA: no GOT or PLT slots are reserved "+
					"for it (module_frob_arch_sections)")
			}
			out.add(whenUnreserved(m, k, f.in(klp.Section), klp))
		}
		if klp.Link != m.file.Symtab {
			out.add(note(diag.SectionHeader, "its sh_link is not the symbol table; the loader does not "+
				"look at it, other tools do").in(klp.Section).when(diag.Loading, "", ""))
		}
		if klp.EntSize != 24 && m.file.PointerSize() == 8 {
			out.add(note(diag.SectionHeader, fmt.Sprintf("its sh_entsize is %d, not 24; the loader does "+
				"not look at it, other tools do", klp.EntSize)).in(klp.Section).when(diag.Loading, "", ""))
		}
		checkAllocated(&out, m, k, klp)
	}
	return out
}

// typeOf returns the type of a klp section as the loader reads it: what was read may be repaired.
func (m *view) typeOf(klp *klpSection) elf.SectionType {
	if img := m.image; img != nil && klp.index < img.count {
		return img.kind(klp.index)
	}
	return klp.Type
}

// checkUnplaced: klp_write_section_relocs (klp_apply_section_relocs) does not check whether the
// section that is relocated was loaded. It writes to address 0, or to memory that was freed.
func checkUnplaced(out *result, m *view, k *facts, klp *klpSection) {
	if img := m.image; img != nil && klp.index < img.count && img.info(klp.index) >= img.count {
		// It takes the address from after its copy of the headers (seen in 4.19.78 and 5.4.286).
		out.add(problem(diag.SectionHeader, "its sh_info names a section that does not exist, and the "+
			"kernel writes to what it reads as its address: the module was not judged").in(klp.Section).
			fix("sh_info has to be the index of the section that is relocated").
			when(diag.Enabling, "", ""))
		return
	}
	f := problem(diag.SectionHeader, "its sh_info names no section that is loaded, and the kernel "+
		"writes there nonetheless when it is applied").in(klp.Section).
		fix("sh_info has to be the index of the section that is relocated")
	first := &klp.relocs[0].Rela
	if m.file.Header.Machine == elf.EM_LOONGARCH &&
		slices.Contains(gotSlots[elf.EM_LOONGARCH], first.Type) {
		// Entries are counted for code that is loaded (module_frob_arch_sections).
		out.add(whenObject(m, k, f, klp.object, "EINVAL", m.badGOT()))
		return
	}
	if (klp.target == nil || klp.Section.Target == nil) && m.refusesFarPlace(first) {
		out.add(whenObject(m, k, f, klp.object, "ENOEXEC", m.fieldMessages(first)...))
		return
	}
	out.add(whenObject(m, k, f, klp.object, "killed", oops("page fault", "")))
}

// checkSectionName: the section's name (kernel/livepatch/core.c, klp_apply_section_relocs, up to
// 5.7 klp_write_object_relocations: sscanf ".klp.rela.%55[^.]").
func checkSectionName(out *result, m *view, k *facts, klp *klpSection) {
	name := klp.Section.Name
	rest, ok := strings.CutPrefix(name, klpabi.SectionPrefix)
	object, _, _ := strings.Cut(rest, ".")
	switch {
	case !ok || object == "":
		f := problem(diag.SectionGrammar, "the kernel reads the object from the name as "+
			".klp.rela.%55[^.]").in(klp.Section).
			fix("%s<object>.<section>", klpabi.SectionPrefix)
		message := says("livepatch: section %s has an incorrectly formatted name", name)
		if k.Early() {
			out.add(f.when(diag.Loading, "", "EINVAL", message))
		} else {
			checkSkippedSection(out, m, k, klp, f, message)
		}
	case len(object) > 55:
		out.add(problem(diag.NotApplied, fmt.Sprintf("the object name has %d bytes, of which the "+
			"kernel reads 55: the rest names no object, and the section is never applied", len(object))).
			in(klp.Section).
			fix("module names have at most 55 bytes").
			when(diag.Calling, "", "", k.unrelocated(m.functionOf(klp))))
	}
}

// checkSkippedSection: before 5.8 the loader passes over a section with the flag, whatever its
// name, so that what it relocates is run or read as it is until the patch is refused. ftrace
// finds no calls of __fentry__ in code (kernel/trace/ftrace.c, ftrace_bug; seen in 5.4.286).
func checkSkippedSection(out *result, m *view, k *facts, klp *klpSection, f finding,
	message diag.KernelMessage) {
	if slices.ContainsFunc(klp.relocs, func(r klpReloc) bool {
		return r.Sym != nil && r.Sym.Name == "__fentry__"
	}) {
		f = f.when(diag.Loading, "", "", append(k.warning("kernel/trace/ftrace.c", "ftrace_bug"),
			says("ftrace failed to modify %s", anything),
			diag.KernelMessage{Text: "ftrace's report", Pattern: `^\[<[0-9a-f]+>\] |` +
				`^Initializing ftrace call sites|^ftrace record flags: `})...)
	}
	if t := klp.target; t != nil && t.Flags&uint64(elf.SHF_EXECINSTR) != 0 && isFreed(t) {
		out.add(f.when(diag.Enabling, "", "killed", oops("page fault", "")))
		return
	}
	out.add(f.when(diag.Enabling, "", "EINVAL", message))
}

// checkAllocated: a section that is applied late has to be in the module's memory
// (kernel/livepatch/core.c; copy_module_elf keeps the address that sh_addr has). Seen
// on 6.1: page fault; a vmlinux section works on 5.8 and later.
func checkAllocated(out *result, m *view, k *facts, klp *klpSection) {
	switch {
	case klp.Alloc():
	case !k.late(klp):
		out.add(note(diag.SectionHeader, "it lacks SHF_ALLOC, which works for vmlinux on 5.8 and later").
			in(klp.Section).when(diag.Loading, "", ""))
	case !mayApply(m, k, klp):
	default:
		f := problem(diag.SectionHeader, "it lacks SHF_ALLOC: when it is applied, its address is that "+
			"of memory that was freed after loading, and may be used for something else").in(klp.Section).
			fix("sh_flags are SHF_ALLOC, SHF_INFO_LINK and 0x100000 (SHF_RELA_LIVEPATCH)")
		function := "klp_apply_section_relocs"
		if k.ClearsRelocs {
			function = "klp_write_section_relocs"
		}
		if !k.Early() {
			function = "klp_resolve_symbols" // seen in 4.19.78 and 5.4.286
		}
		out.add(whenObject(m, k, f, klp.object, "killed", oops("page fault", function)))
	}
}

// mayApply reports whether the patch has the section's object, as far as is known.
func mayApply(m *view, k *facts, klp *klpSection) bool {
	return !k.late(klp) || m.patchesObject(klp.object) || !m.complete() && m.declares()
}

// checkGates: a section whose object the patch does not have is never applied, and nothing
// is printed (kernel/livepatch/core.c, klp_init_object_loaded: only obj->name is
// compared). Seen on 5.4, 6.1: loads, oopses on the first call.
func checkGates(m *view, k *facts) (out result) {
	for _, klp := range m.klp {
		if !klp.applied() || klp.object == "" || len(klp.relocs) == 0 || len(klp.object) == 55 &&
			len(strings.SplitN(klp.Section.Name[len(klpabi.SectionPrefix):], ".", 2)[0]) > 55 {
			continue
		}
		if !k.late(klp) || m.patchesObject(klp.object) {
			continue
		}
		if !m.complete() && m.declares() {
			out.notJudged("whether "+klp.Section.Name+" is ever applied", fmt.Sprintf("the patch's objects "+
				"can't be read from the file: %v", m.doubt))
			continue
		}
		has := "none at all"
		if len(m.objects) > 0 {
			has = strings.Join(m.objects, ", ")
		}
		out.add(problem(diag.NotApplied, fmt.Sprintf("the patch has no klp_object %s (it has %s): the "+
			"kernel silently never applies the section, and the code uses the address 0", klp.object, has)).
			in(klp.Section).
			fix("name the object in klp_patch, or the section after the object that the code is for").
			when(diag.Calling, "", "", unrelocatedMessages(m, k, klp)...))
	}
	return out
}

// unrelocatedMessages returns what the kernel prints when it runs code that was not relocated;
// nothing, where none of the objects is known to be there that the patch names, so that the code
// never runs.
func unrelocatedMessages(m *view, k *facts, klp *klpSection) []diag.KernelMessage {
	for _, o := range m.objects {
		if o == sympos.Vmlinux || k.loaded[o] || k.Presence(o) == sympos.Present {
			return []diag.KernelMessage{k.unrelocated(m.functionOf(klp))}
		}
	}
	if len(m.objects) == 0 {
		return []diag.KernelMessage{k.unrelocated(m.functionOf(klp))}
	}
	return nil
}

// checkDuplicateSections: /sys/module/<name>/sections has a file for each section that is loaded
// and not empty (kernel/module/sysfs.c, add_sect_attrs). 6.1 warns, 6.12.107 refuses.
func checkDuplicateSections(m *view, k *facts) (out result) {
	seen := map[string]bool{}
	for _, s := range m.file.Sections {
		if !s.Alloc() || slices.Contains(sympos.Unallocated, s.Name) {
			continue
		}
		if s.Size() == 0 {
			if seen[s.Name] && strings.HasPrefix(s.Name, klpabi.SectionPrefix) {
				out.add(note(diag.DuplicateSection, "an empty section of a name that another one has: "+
					"it has no effect").in(s).when(diag.Loading, "", ""))
			}
			continue
		}
		if !seen[s.Name] {
			seen[s.Name] = true
			continue
		}
		f := problem(diag.DuplicateSection, "a second loaded section of that name: the kernel makes a "+
			"file for each in /sys/module/"+m.name+"/sections").in(s).
			fix("give each its own name: the kernel does not read what follows the object in a " +
				"klp section's name")
		message := says("sysfs: cannot create duplicate filename '/module/%s/sections/%s'", m.name,
			s.Name)
		errno := ""
		if k.DuplicateFatal {
			errno = "EEXIST"
		}
		out.add(f.when(diag.Loading, "", errno, message))
	}
	return out
}

// errnoNumber is what %d prints of an error.
func errnoNumber(errno string) int {
	switch errno {
	case "ENOENT":
		return -2
	case "ENOEXEC":
		return -8
	case "EEXIST":
		return -17
	case "EPERM":
		return -1
	}
	return -22
}
