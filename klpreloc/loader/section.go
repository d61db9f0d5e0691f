// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"cmp"
	"debug/elf"
	"fmt"
	"sort"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
)

// klpSection is a section with SHF_RELA_LIVEPATCH, or what is called like one.
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
// by flag and sh_info, whatever sh_link and sh_type say.
func klpSections(f *elfrw.File) []*klpSection {
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
		k := &klpSection{Section: s, index: i + 1, marked: marked, target: s.Target}
		if k.target == nil && s.Info > 0 && uint64(s.Info) <= uint64(len(f.Sections)) {
			k.target = f.Sections[s.Info-1]
		}
		if rest, ok := strings.CutPrefix(s.Name, klpabi.SectionPrefix); ok {
			// %55[^.]: cut there, without a word.
			k.object, _, _ = strings.Cut(rest, ".")
			k.object = k.object[:min(len(k.object), 55)]
		}
		switch {
		case s.Type == elf.SHT_NOBITS && s.Size() >= 24:
			k.relocs = []klpReloc{{elfrw.Rela{}, read(nil)}} // of zeros, as many as there is room for
		case s.HasRelocs():
			for _, r := range s.Relocs() {
				k.relocs = append(k.relocs, klpReloc{r, read(r.Sym)})
			}
		default:
			for _, r := range rawRelocs(f, s) {
				k.relocs = append(k.relocs, klpReloc{r, read(r.Sym)})
			}
		}
		all = append(all, k)
	}
	return all
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
func (k *klpSection) applied() bool {
	return k.marked && k.target != nil && k.target.Alloc()
}

// late reports whether the section waits for its object.
func (c *checker) late(k *klpSection) bool { return !c.early() || k.object != sympos.Vmlinux }

// whenOf adds the cases of what goes wrong where section k is applied: at loading, or
// at enabling when the object is there, and when it comes later.
func (c *checker) whenOf(f *Finding, k *klpSection, errno string, messages ...Message) *Finding {
	switch {
	case !c.late(k):
		f.when(Loading, "", errno, messages...)
	case k.object == sympos.Vmlinux:
		f.when(Enabling, "", errno, messages...)
	default:
		c.whenObject(f, k.object, errno, messages...)
	}
	return f
}

// whenObject adds the cases of what goes wrong when an object is initialized.
func (c *checker) whenObject(f *Finding, object, errno string, messages ...Message) {
	if object == sympos.Vmlinux || c.loaded[object] {
		f.when(Enabling, "", errno, messages...)
	}
	if object == sympos.Vmlinux {
		return
	}
	if errno != "" && errno != "killed" {
		messages = append(slices.Clone(messages),
			says("livepatch: failed to initialize patch '%s' for module '%s' (%s)", c.name, object, errnoNumber(errno)),
			says("livepatch: patch '%s' failed for module '%s', refusing to load module '%s'", c.name, object, object))
	}
	f.when(Coming, object, errno, messages...)
}

// headers: what the headers of klp sections have to be (docs/format.md).
func (c *checker) headers() {
	for _, k := range c.klp {
		if !k.marked {
			continue // what it holds is ordinary, see KlpSymbolOrdinary
		}
		switch {
		case (k.target == nil || !k.target.Alloc()) && c.late(k) && len(k.relocs) > 0:
			if c.gated(k) {
				c.unplaced(k)
			}
			continue
		case k.target == nil || k.Section.Target == nil && k.Section.Info == 0:
			c.find(NotApplied, "its sh_info names no section: the loader takes no notice of it (apply_relocations)").in(k.Section).
				fix("sh_info has to be the index of the section that is relocated").
				when(Calling, "", "", oops("page fault", ""))
			continue
		case !k.target.Alloc():
			c.note(SectionHeader, "its target "+k.target.String()+" is not loaded: it is never applied").in(k.Section).when(Loading, "", "")
			continue
		}
		c.grammar(k)
		if m := c.image; m != nil && k.index < m.count && m.size(k.index)%24 != 0 && c.PointerSize() == 8 {
			c.find(SectionHeader, fmt.Sprintf("its sh_size, %d, is not a multiple of 24: the last relocation is cut off, and never applied", m.size(k.index))).in(k.Section).
				fix("convert the module anew").when(Calling, "", "", oops("page fault", ""))
		}
		if k.Type != elf.SHT_RELA {
			f := c.note(SectionHeader, fmt.Sprintf("its type is %v, not SHT_RELA; the loader goes by the flag", k.Type)).in(k.Section).when(Loading, "", "")
			if c.Header.Machine != elf.EM_X86_64 {
				f.ID, f.Severity, f.Cause = PLTSections, Problem, "its type is not SHT_RELA: no GOT or PLT slots are reserved for it (module_frob_arch_sections)"
			}
		}
		if k.Link != c.Symtab {
			c.note(SectionHeader, "its sh_link is not the symbol table; the loader does not look at it, other tools do").in(k.Section).when(Loading, "", "")
		}
		if k.EntSize != 24 && c.PointerSize() == 8 {
			c.note(SectionHeader, fmt.Sprintf("its sh_entsize is %d, not 24; the loader does not look at it, other tools do", k.EntSize)).in(k.Section).when(Loading, "", "")
		}
		c.kept(k)
	}
}

// unplaced: klp_write_section_relocs (klp_apply_section_relocs) does not ask whether the section
// that is relocated was loaded: what it writes to is address 0, or memory that was freed.
func (c *checker) unplaced(k *klpSection) {
	f := c.find(SectionHeader, "its sh_info names no section that is loaded, and the kernel writes there nonetheless when it is applied").in(k.Section).
		fix("sh_info has to be the index of the section that is relocated")
	message := oops("page fault", "")
	if k.object == sympos.Vmlinux || c.loaded[k.object] {
		f.when(Enabling, "", "killed", message)
	}
	if k.object != sympos.Vmlinux {
		f.when(Coming, k.object, "killed", message)
	}
}

// grammar: the section's name (kernel/livepatch/core.c, klp_apply_section_relocs, up to
// 5.7 klp_write_object_relocations: sscanf ".klp.rela.%55[^.]").
func (c *checker) grammar(k *klpSection) {
	name := k.Section.Name
	rest, ok := strings.CutPrefix(name, klpabi.SectionPrefix)
	object, _, _ := strings.Cut(rest, ".")
	switch {
	case !ok || object == "":
		f := c.find(SectionGrammar, "the kernel reads the object from the name as .klp.rela.%55[^.]").in(k.Section).
			fix("%s<object>.<section>", klpabi.SectionPrefix)
		message := says("livepatch: section %s has an incorrectly formatted name", name)
		if c.early() {
			f.when(Loading, "", "EINVAL", message)
		} else {
			f.when(Enabling, "", "EINVAL", message)
		}
	case len(object) > 55:
		c.find(NotApplied, fmt.Sprintf("the object name has %d bytes, of which the kernel reads 55: the rest names no object, and the section is never applied", len(object))).in(k.Section).
			fix("module names have at most 55 bytes").
			when(Calling, "", "", oops("page fault", c.function(k)))
	}
}

// kept: a section that is applied late has to be in the module's memory
// (kernel/livepatch/core.c; copy_module_elf keeps the address that sh_addr has). Seen
// on 6.1: page fault; a vmlinux section works on 5.8 and later.
func (c *checker) kept(k *klpSection) {
	switch {
	case k.Alloc():
	case !c.late(k):
		c.note(SectionHeader, "it lacks SHF_ALLOC, which works for vmlinux on 5.8 and later").in(k.Section).when(Loading, "", "")
	case !c.gated(k):
	default:
		f := c.find(SectionHeader, "it lacks SHF_ALLOC: when it is applied, its address is that of memory that was freed after loading, and may be used for something else").in(k.Section).
			fix("sh_flags are SHF_ALLOC, SHF_INFO_LINK and 0x100000 (SHF_RELA_LIVEPATCH)")
		function := "klp_apply_section_relocs"
		if c.reload {
			function = "klp_write_section_relocs"
		}
		if !c.early() {
			function = "klp_write_object_relocations"
		}
		message := oops("page fault", function)
		if k.object == sympos.Vmlinux || c.loaded[k.object] {
			f.when(Enabling, "", "killed", message)
		}
		if k.object != sympos.Vmlinux {
			f.when(Coming, k.object, "killed", message)
		}
	}
}

// gated reports whether the patch has the section's object, as far as is known.
func (c *checker) gated(k *klpSection) bool {
	return !c.late(k) || c.patched(k.object) || !c.complete() && c.declares()
}

// function is what to call the place of the first relocation of a section.
func (c *checker) function(k *klpSection) string {
	if len(k.relocs) == 0 || k.target == nil {
		return ""
	}
	return c.functionAt(k.target, k.relocs[0].Offset)
}

// functionAt returns the name of the function that covers a place, "" where none does.
func (c *checker) functionAt(s *elfrw.Section, offset uint64) string {
	if c.funcs == nil {
		c.funcs = map[*elfrw.Section][]*elfrw.Symbol{}
		for _, y := range c.File.Symbols {
			if y.Section != nil && y.Type() == elf.STT_FUNC {
				c.funcs[y.Section] = append(c.funcs[y.Section], y)
			}
		}
		for _, list := range c.funcs {
			slices.SortStableFunc(list, func(a, b *elfrw.Symbol) int { return cmp.Compare(a.Value, b.Value) })
		}
	}
	list := c.funcs[s]
	n := sort.Search(len(list), func(i int) bool { return list[i].Value > offset })
	if n > 0 && offset-list[n-1].Value < max(list[n-1].Size, 1) {
		return list[n-1].Name
	}
	return ""
}

// gating: a section whose object the patch does not have is never applied, and nothing
// is printed (kernel/livepatch/core.c, klp_init_object_loaded: only obj->name is
// compared). Seen on 5.4, 6.1: loads, oopses on the first call.
func (c *checker) gating() {
	for _, k := range c.klp {
		if !k.applied() || k.object == "" || len(k.relocs) == 0 || len(k.object) == 55 && len(strings.SplitN(k.Section.Name[len(klpabi.SectionPrefix):], ".", 2)[0]) > 55 {
			continue
		}
		if !c.late(k) || c.patched(k.object) {
			continue
		}
		if !c.complete() && c.declares() {
			c.lacking("whether "+k.Section.Name+" is ever applied", fmt.Sprintf("the patch's objects can't be read from the file: %v", c.doubt))
			continue
		}
		has := "none at all"
		if len(c.objects) > 0 {
			has = strings.Join(c.objects, ", ")
		}
		c.find(NotApplied, fmt.Sprintf("the patch has no klp_object %s (it has %s): the kernel never applies the section, without a word, and the code uses the address 0", k.object, has)).in(k.Section).
			fix("name the object in klp_patch, or the section after the object that the code is for").
			when(Calling, "", "", c.reached(k)...)
	}
}

// reached is what comes of code that was not relocated; nothing, where none of the objects is known to be
// there that the patch names, so that the code never runs.
func (c *checker) reached(k *klpSection) []Message {
	for _, o := range c.objects {
		if o == sympos.Vmlinux || c.loaded[o] || c.facts.Presence(o) == sympos.Present {
			return []Message{oops("page fault", c.function(k))}
		}
	}
	if len(c.objects) == 0 {
		return []Message{oops("page fault", c.function(k))}
	}
	return nil
}

// duplicates: /sys/module/<name>/sections has a file for each section that is loaded and
// not empty (kernel/module/sysfs.c, add_sect_attrs). 6.1 warns, 6.12.107 refuses.
func (c *checker) duplicates() {
	seen := map[string]bool{}
	for _, s := range c.Sections {
		if !s.Alloc() || slices.Contains(sympos.Unallocated, s.Name) {
			continue
		}
		if s.Size() == 0 {
			if seen[s.Name] && strings.HasPrefix(s.Name, klpabi.SectionPrefix) {
				c.note(DuplicateSection, "an empty section of a name that another one has: nothing comes of it").in(s).when(Loading, "", "")
			}
			continue
		}
		if !seen[s.Name] {
			seen[s.Name] = true
			continue
		}
		f := c.find(DuplicateSection, "a second loaded section of that name: the kernel makes a file of each in /sys/module/"+c.name+"/sections").in(s).
			fix("give each its own name: the kernel does not read what follows the object in a klp section's name")
		message := says("sysfs: cannot create duplicate filename '/module/%s/sections/%s'", c.name, s.Name)
		errno := ""
		if c.duplicateFatal {
			errno = "EEXIST"
		}
		f.when(Loading, "", errno, message)
	}
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
