// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"fmt"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/special"
)

// checkSpecialSections: by the time a late klp relocation is applied, the kernel has read the
// tables of instructions that it patches (module_finalize of the architectures; the notifiers of
// MODULE_STATE_COMING). What is written into them then is not seen, or overwrites what the kernel
// has made of it. Nothing is printed when the module is loaded.
func checkSpecialSections(m *view, k *facts) (out result) {
	var tables *special.Tables
	for _, klp := range m.klp {
		if !klp.applied() || klp.object == "" || !mayApply(m, k, klp) {
			continue
		}
		if klp.target.Name == ".data..percpu" {
			out.add(problem(diag.CheckPerCPU, "the loader places per-CPU data itself, and takes SHF_ALLOC "+
				"from the section for it: the klp relocations are never applied").in(klp.Section).
				fix("set the variable at run time").when(diag.Calling, "", "", k.unrelocated("")))
			continue
		}
		if !k.late(klp) {
			continue
		}
		if tables == nil {
			var problems []special.Problem
			tables, problems = special.Read(m.file)
			for _, p := range problems {
				out.notJudged("special section "+p.Section.String(), p.Message)
			}
		}
		checkLateInit(&out, m, k, klp)
		seen := map[*special.Entry]bool{}
		for i := range klp.relocs {
			if len(seen) > mostOfAKind {
				break
			}
			checkLateSpecial(&out, m, k, klp, &klp.relocs[i].Rela, tables, seen)
		}
	}
	return out
}

// checkLateInit: init sections are freed when init returns (do_free_init), and the memory is
// given to somebody else. Seen on 6.1: the target that comes gets it, and is refused.
func checkLateInit(out *result, m *view, k *facts, klp *klpSection) {
	if !isFreed(klp.target) || len(klp.relocs) == 0 {
		return
	}
	if klp.object == klppatch.Vmlinux {
		checkInitBeforePatch(out, m, k, klp)
		return
	}
	f := problem(diag.LateInit, fmt.Sprintf("%s is freed once the livepatch is loaded; when %s "+
		"comes later, the kernel writes into memory that is used for something else", klp.target,
		klp.object)).in(klp.Section).
		fix("use the symbols in functions that are not __init")
	message := oops("page fault", "apply_relocate_add")
	if m.file.Header.Machine == elf.EM_X86_64 {
		message = k.nonzeroMessage(klp.relocs[0].Type)
		message.Pattern += "|" + oops("", "").Pattern
	}
	out.add(whenComing(m, f, klp.object, "ENOEXEC", message))
}

// checkInitBeforePatch: where vmlinux's relocations are late, they are applied by
// klp_register_patch, or since 5.1 klp_enable_patch, which the init function calls. What it runs
// before has the address 0. Seen on 4.19.78.
func checkInitBeforePatch(out *result, m *view, k *facts, klp *klpSection) {
	by := enablePatch
	if k.registering() {
		by = registerPatch
	}
	call, calls := m.firstUse(klp.target, by)
	if klp.target.Flags&uint64(elf.SHF_EXECINSTR) == 0 || !calls {
		return
	}
	for i := range klp.relocs {
		r := &klp.relocs[i]
		if r.Offset > call || r.Sym == nil {
			continue
		}
		out.add(problem(diag.LateInit, "the init function uses it before it calls "+by+
			"(), which resolves it").at(klp.Section, r.Offset).of(r.Sym.Name).
			fix("use it after %s(), or not in the init function", by).
			when(diag.Enabling, "", "killed", oops("page fault", "")))
		return
	}
}

// firstUse returns the place of the first relocation of a section that is against a symbol of
// that name, and whether there is one.
func (m *Module) firstUse(s *elfrw.Section, name string) (offset uint64, ok bool) {
	m.file.Refers(func(y *elfrw.Symbol) bool { return y.Name == name }, func(x elfrw.Reference) bool {
		if x.Section.Target == s && (!ok || x.Offset < offset) {
			offset, ok = x.Offset, true
		}
		return true
	})
	return offset, ok
}

// checkLateSpecial checks one late relocation. seen are the entries that are reported for the
// section; nil stands for a table as a whole.
func checkLateSpecial(out *result, m *view, k *facts, klp *klpSection, r *elfrw.Rela,
	t *special.Tables, seen map[*special.Entry]bool) {
	symbol := ""
	if r.Sym != nil {
		symbol = r.Sym.Name
	}
	first := func(e *special.Entry) bool {
		again := seen[e]
		seen[e] = true
		return !again
	}
	find := func(format string, args ...any) finding {
		return problem(diag.LateSpecial, fmt.Sprintf(format, args...)).at(klp.Section, r.Offset).
			of(symbol)
	}
	width := max(widthOf(m.file, r.Type), 1)
	if e := t.In(klp.target, r.Offset); e != nil {
		if first(e) {
			out.add(lateEntry(m, k, e, find, klp.object, t.Function(e.Site.Section, e.Site.Offset)))
		}
		return
	}
	found := false
	for _, e := range t.Sites(klp.target, r.Offset, uint64(width)) {
		found = true
		if !first(e) {
			continue
		}
		f := find("it is in the site of the %s at %s, which the kernel has patched before %s comes",
			e.Kind, t.Function(e.Site.Section, e.Site.Offset), klp.object).
			fix("call it from a noinline helper function")
		if leavesZeros(e, r.Offset, uint64(width)) {
			// The kernel sees nothing wrong, and the call's bytes become an operand.
			out.add(f.when(diag.Calling, "", ""))
			continue
		}
		if m.file.Header.Machine == elf.EM_X86_64 {
			f = whenOf(m, k, f, klp, "ENOEXEC", k.nonzeroMessage(r.Type))
		}
		out.add(f.when(diag.Calling, "", "", oopsAt(m, k, e)))
	}
	for _, e := range t.Replacements(klp.target, r.Offset, uint64(width)) {
		found = true
		if first(e) {
			out.add(find("it is in the replacement of the %s at %s, which the kernel has copied "+
				"there before %s comes",
				e.Kind, t.Function(e.Site.Section, e.Site.Offset), klp.object).
				fix("call it from a noinline helper function").when(diag.Calling, "", "", oopsAt(m, k, e)))
		}
	}
	if !found && special.ReadEarly(klp.target.Name) && klp.target.Name != ".altinstr_replacement" &&
		first(nil) {
		out.add(find("the kernel has read %s before %s comes, "+
			"with the address 0", klp.target, klp.object).
			when(diag.Calling, "", "", k.unrelocated("")))
	}
}

// oopsAt is what comes of the code at an entry's site.
func oopsAt(m *view, k *facts, e *special.Entry) diag.KernelMessage {
	return k.unrelocated(m.functionAt(e.Site.Section, e.Site.Offset))
}

// lateEntry makes the finding of a late relocation in an entry of a table.
func lateEntry(m *view, k *facts, e *special.Entry, find func(format string, args ...any) finding,
	object, function string) finding {
	const cause = "the kernel has read the %s for %s before %s comes, with the address 0"
	switch e.Kind {
	case special.JumpLabel:
		if k.JumpLabelFaults {
			return find(cause, e.Kind, function, object).
				fix("static_key_enabled(&key) instead of static_branch_likely() and static_branch_unlikely()").
				when(diag.Loading, "", "killed", oops("page fault", "jump_label_apply_nops"))
		}
		return find(cause+": the branch is never switched, and the entry can't be taken back", e.Kind,
			function, object).
			fix("static_key_enabled(&key) instead of static_branch_likely() and static_branch_unlikely()").
			when(diag.Removing, "", "", k.warning("kernel/jump_label.c", "jump_label_del_module")...)
	case special.StaticCall:
		f := find(cause, e.Kind, function, object).
			fix("STATIC_CALL_KEY(name).func instead of static_call(name)")
		if k.StaticCallFaults {
			return f.when(diag.Loading, "", "killed", oops("page fault", "static_call_module_notify"))
		}
		return f.when(diag.Calling, "", "", oopsAt(m, k, e))
	}
	return find(cause, e.Kind, function, object).when(diag.Calling, "", "", oopsAt(m, k, e))
}

// checkPerCPU follows percpu_modalloc in kernel/module/main.c, and pcpu_alloc in mm/percpu.c,
// which allocates at most PCPU_MIN_UNIT_SIZE: 32 KiB, or a page if that is more.
func checkPerCPU(m *view, k *facts) (out result) {
	s := m.file.Section(".data..percpu")
	page := k.pageSize(m.file.Header.Machine)
	if s == nil || page == 0 {
		return
	}
	most := max(32<<10, page)
	if s.Align > page {
		out.add(note(diag.CheckPerCPU, fmt.Sprintf("the alignment %d is more than a page, "+
			"which is what it gets", s.Align)).in(s).
			when(diag.Loading, "", "", says("%s: per-cpu alignment %s > %s", m.name, s.Align, page)))
	}
	if s.Size() <= most {
		return
	}
	out.add(problem(diag.CheckPerCPU, fmt.Sprintf("%d bytes of per-CPU data, of which a "+
		"module can have %d", s.Size(), most)).in(s).fix("alloc_percpu()").
		when(diag.Loading, "", "ENOMEM", says("illegal size (%s) or align (%s) for "+
			"percpu allocation", s.Size(), anyNumber),
			says("%s: Could not allocate %s bytes percpu data", m.name, s.Size())))
	return out
}

// checkUnwindTables follows unwind_module_init in arch/x86/kernel/unwind_orc.c: the tables of the
// ORC unwinder go with each other, or the kernel warns and does without them.
func checkUnwindTables(m *view, k *facts) (out result) {
	var entry uint64
	file := ""
	switch m.file.Header.Machine {
	case elf.EM_X86_64:
		entry, file = 6, "arch/x86/kernel/unwind_orc.c"
	case elf.EM_LOONGARCH:
		entry, file = 8, "arch/loongarch/kernel/unwind_orc.c"
	default:
		return
	}
	const place = 4
	orc, ip := m.file.Section(".orc_unwind"), m.file.Section(".orc_unwind_ip")
	if orc == nil || ip == nil || orc.Size()%entry == 0 && ip.Size()%place == 0 &&
		orc.Size()/entry == ip.Size()/place {
		return
	}
	out.add(problem(diag.BadTable, fmt.Sprintf(".orc_unwind has %d bytes, of %d for each entry, and "+
		".orc_unwind_ip %d, of %d", orc.Size(), entry, ip.Size(), place)).in(orc).
		fix("build it again").when(diag.Loading, "", "", k.warning(file,
		"unwind_module_init")...))
	return out
}

// checkErrorInjection follows populate_error_injection_list in lib/error-inject.c (4.16 and later):
// entries of two words, of which the first is a function's address.
func checkErrorInjection(m *view, k *facts) (out result) {
	const entry = 16
	s := m.file.Section("_error_injection_whitelist")
	if yes, _ := k.set("FUNCTION_ERROR_INJECTION"); !yes || s == nil || !s.Alloc() ||
		m.file.PointerSize() != 8 {
		return
	}
	for at := uint64(0); at+entry <= s.Size(); at += entry {
		if m.pointer(s, at) == nil {
			out.add(note(diag.BadTable, "the entry for error injection has no function's address").
				at(s, at).when(diag.Loading, "", "", says("Failed to find error inject entry at %s",
				anything)))
			return
		}
	}
	return
}

// leavesZeros reports whether the replacement of an alternative leaves zeros in that part of its
// site.
func leavesZeros(e *special.Entry, offset, width uint64) bool {
	s := e.Replacement.Section
	if e.Kind != special.Alternative || s == nil || offset < e.Site.Offset {
		return false
	}
	from := e.Replacement.Offset + (offset - e.Site.Offset)
	if from+width > uint64(len(s.Data)) || from < e.Replacement.Offset ||
		from+width > e.Replacement.Offset+e.Replacement.Size {
		return false
	}
	return !slices.ContainsFunc(s.Data[from:from+width], func(x byte) bool { return x != 0 })
}

// checkReload: what comes of the target's second loading.
func checkReload(m *view, k *facts) (out result) {
	for _, klp := range m.klp {
		if !klp.applied() || !k.late(klp) || klp.object == "vmlinux" || !m.patchesObject(klp.object) ||
			len(klp.relocs) == 0 {
			continue
		}
		cause, errno, message := reloadTrouble(m, k, klp)
		if cause == "" {
			continue
		}
		f := note(diag.ReloadRefused, cause).of(klp.object).
			fix("disable and remove the livepatch before %s is loaded again", klp.object)
		switch errno {
		case "":
			f = f.when(diag.Again, klp.object, "")
		case "killed":
			f = f.when(diag.Again, klp.object, errno, message)
		default:
			f = f.when(diag.Again, klp.object, errno, message,
				says("livepatch: failed to initialize patch '%s' for module '%s' (%s)", m.name, klp.object,
					map[string]int{"ENOEXEC": -8, "EINVAL": -22}[errno]),
				says("livepatch: patch '%s' failed for module '%s', refusing to load module '%s'", m.name,
					klp.object, klp.object))
		}
		out.add(f)
		return out
	}
	return out
}

// reloadTrouble returns what is in the way of the second loading, "" for nothing, the error with
// which the target is refused, "" when it is not, and what the kernel says first.
func reloadTrouble(m *view, k *facts, klp *klpSection) (cause, errno string,
	message diag.KernelMessage) {
	has := func(types ...uint32) bool {
		return slices.ContainsFunc(klp.relocs,
			func(r klpReloc) bool { return slices.Contains(types, r.Type) })
	}
	const another = "; a module that comes back at another address takes one more, and none is " +
		"reserved"
	switch machine := m.file.Header.Machine; {
	case machine == elf.EM_X86_64 && !k.ClearsRelocs:
		return "before 6.3 relocated places are not cleared when the module is unloaded, and it can't " +
				"be loaded again while the livepatch is loaded", "ENOEXEC",
			k.nonzeroMessage(klp.relocs[0].Type)
	case machine == elf.EM_S390 && has(s390Slots...):
		return "GOT and PLT slots keep the addresses of the first time", "", message
	case machine == elf.EM_PPC64 && !k.RestoredTOC && has(10):
		return "calls have lost their nop; kernels before 6.3 refuse the second time", "ENOEXEC",
			says("%s: Expected nop after call, got %s at %s", m.name, anyHex, anything)
	case machine == elf.EM_PPC64 && has(10):
		return "each call has a stub for the address" + another, "", message
	case machine == elf.EM_LOONGARCH && has(50, 51, 55, 56):
		return "ADD and SUB relocations add to what the first time left", "", message
	case machine == elf.EM_LOONGARCH && has(pltSlots[machine]...):
		return "each branch has a PLT entry for the address" + another, "killed",
			oops("kernel BUG", "module_emit_plt_entry")
	case machine == elf.EM_LOONGARCH && has(gotSlots[machine]...):
		return "each access has a GOT entry for the address" + another, "EINVAL",
			m.badGOT()
	}
	return "", "", message
}

// listLimits lists what nothing in the file tells.
func listLimits(*view, *facts) (out result) {
	out.notChecked("what the code does", "semantics, changed data: no file tells")
	out.notChecked("whether other livepatches, kprobes or ftrace "+
		"users are in the way", "known at run time (EBUSY, not compatible with the already "+
		"installed livepatches)")
	return out
}
