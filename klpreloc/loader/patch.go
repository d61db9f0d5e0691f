// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/sympos"
)

// checkEntryPoints: where in struct module the pointers to init and exit are depends on the
// kernel's configuration.
func checkEntryPoints(m *view, k *facts) (out result) {
	mine := pointersOf(m.file)
	for _, p := range []struct {
		name string
		want uint64
	}{{"init_module", k.init}, {"cleanup_module", k.exit}} {
		at, has := mine[p.name]
		switch {
		case !has:
		case p.want == 0:
			out.notJudged("where "+p.name+" is in struct module", "no module of this kernel that has "+
				"one is available")
		case at != p.want:
			f := problem(diag.InitOffset, fmt.Sprintf("%s is at %#x of struct module, and the kernel "+
				"looks at %#x: struct module has another layout", p.name, at, p.want)).
				fix("build it against the headers of %s", k.title())
			if p.name == "init_module" {
				out.add(f.when(diag.Calling, "", "")) // it is never called
			} else {
				out.add(f.when(diag.Removing, "", "EBUSY"))
			}
		}
	}
	return out
}

// checkInitAndExit: a livepatch that nothing enables, and a module that can't be removed
// (kernel/module/main.c, do_init_module; delete_module: no exit function, EBUSY).
func checkInitAndExit(m *view, k *facts) (out result) {
	mine := pointersOf(m.file)
	_, starts := mine["init_module"]
	_, ends := mine["cleanup_module"]
	switch {
	case !starts && m.info.Livepatch() && m.enables():
		out.add(problem(diag.InitOffset, "struct module has no init function: nothing "+
			"enables the livepatch").fix("module_init()").when(diag.Calling, "", ""))
	case m.info.Livepatch() && !m.enables() && k.registering() && m.importsFunction(registerPatch):
		out.add(note(diag.PatchStructure, "the module registers its klp_patch and does not enable it").
			fix("echo 1 > /sys/kernel/livepatch/%s/enabled", m.name).when(diag.Calling, "", ""))
	case m.info.Livepatch() && !m.enables() &&
		slices.ContainsFunc(m.patches,
			func(p *klppatch.Patch) bool { return p.From == klppatch.Static }):
		out.add(problem(diag.PatchStructure, "nothing in the module calls klp_enable_patch: its "+
			"klp_patch is never enabled").fix("return klp_enable_patch(…) from the init function").
			when(diag.Calling, "", ""))
	case starts && !ends:
		out.add(note(diag.InitOffset, "struct module has no exit function: the module can't be removed").
			fix("module_exit()").when(diag.Removing, "", "EBUSY"))
	}
	return out
}

// enables reports whether the module calls klp_enable_patch.
func (m *view) enables() bool { return m.importsFunction(enablePatch) }

const enablePatch, registerPatch = "klp_enable_patch", "klp_register_patch"

// importsFunction reports whether the module has an undefined symbol of that name.
func (m *view) importsFunction(name string) bool {
	return slices.ContainsFunc(m.file.Symbols, func(y *elfrw.Symbol) bool {
		return y.Undefined() &&
			y.Name == name
	})
}

// registering reports whether a klp_patch has to be registered: the kernel's exports tell, or
// its version. Vendors carry 5.1's way under older numbers.
func (k *facts) registering() bool {
	if t := k.table; len(t.Exports(enablePatch)) > 0 {
		return len(t.Exports(registerPatch)) > 0
	}
	return k.Registers
}

// checkReliableStacks: without them a kernel can't see which tasks are inside of a patched function
// (kernel/livepatch/core.c, klp_have_reliable_stack). Read in 4.19.78, 5.4.286 and 6.1; x86 with
// neither ORC nor STACK_VALIDATION has none, nor has s390x before 5.5.
func checkReliableStacks(m *view, k *facts) (out result) {
	const message = "livepatch: This architecture doesn't have support for the livepatch " +
		"consistency model."
	// The others are not mentioned where they are not set; this one is in each whole configuration.
	whole, _ := k.set("STACKTRACE_SUPPORT")
	stacks, knows := k.set("STACKTRACE")
	reliable, known := k.set("HAVE_RELIABLE_STACKTRACE")
	if !whole || !knows || !known || stacks && reliable || !m.info.Livepatch() || !m.enables() {
		return
	}
	const cause = "this kernel has no reliable stack traces (CONFIG_STACKTRACE, " +
		"CONFIG_HAVE_RELIABLE_STACKTRACE)"
	switch {
	case !k.NeedsStacks && k.Registers: // 4.7 to 4.11 look at no stack
	case !k.NeedsStacks:
		out.add(note(diag.PatchStructure, cause+": a sleeping task is patched only when it leaves the "+
			"kernel, so the transition may never end").
			fix("use a kernel with reliable stack traces, on x86 with CONFIG_UNWINDER_ORC").
			when(diag.Enabling, "", "", says(message),
				says("livepatch: The livepatch transition may never complete.")))
	case k.ImmediatePatch && m.isImmediate():
	default:
		out.add(problem(diag.PatchStructure, cause+" and refuses every livepatch").
			fix("use a kernel with reliable stack traces, on x86 with CONFIG_UNWINDER_ORC").
			when(diag.Enabling, "", "ENOSYS", says(message)))
	}
	return out
}

// isImmediate reports whether klp_patch.immediate may be set in all of the module's patches
// (include/linux/livepatch.h of 4.12 to 4.15, the third member).
func (m *view) isImmediate() bool {
	at := uint64(2 * m.file.PointerSize())
	return !slices.ContainsFunc(m.patches, func(p *klppatch.Patch) bool {
		d := p.At.Section.Data
		return p.From == klppatch.Static && uint64(len(d)) > p.At.Offset+at && d[p.At.Offset+at] == 0
	})
}

// checkRegistration: before 5.1 klp_enable_patch asks whether the patch was registered
// (kernel/livepatch/core.c, klp_is_patch_registered). Seen on 4.19.78.
func checkRegistration(m *view, k *facts) (out result) {
	if !m.info.Livepatch() || !m.enables() || !k.registering() || m.importsFunction(registerPatch) {
		return
	}
	out.add(problem(diag.PatchStructure, "klp_enable_patch() without klp_register_patch(), which "+
		"this kernel requires first").
		fix("klp_register_patch(&patch) before klp_enable_patch(&patch), klp_unregister_patch(&patch) "+
			"in the exit function").
		when(diag.Enabling, "", "EINVAL"))
	return out
}

// A klp_patch with a pointer missing is not read by package klppatch, which is for those that work.
// Its size, and those of klp_object and klp_func, are in the contract; these places are the same
// in all versions.
const (
	atObjects, atFuncs = 8, 8
	atNew, atPosition  = 8, 16
)

// checkArrays reports what is wrong with arrays that package klppatch could not read, and
// whether there is one.
func checkArrays(out *result, m *view) (found bool) {
	var doubts klppatch.Unreadable
	errors.As(m.doubt, &doubts)
	for _, d := range doubts {
		switch {
		case d.Flaw == klppatch.Unclosed:
			checkUnclosedArray(out, m, d)
		case d.Flaw == klppatch.Emptied && d.Of == "klp_func":
			out.add(problem(diag.PatchStructure, "the first klp_func of an array is empty, which ends it: "+
				"none of the others is patched").at(d.Section, d.Offset).
				fix("{ } as the last element only").when(diag.Calling, "", ""))
		default:
			continue
		}
		found = true
	}
	return found
}

// checkUnclosedArray: an array without an empty element at its end. klp_init_patch_early goes on
// with what follows, and writes a kobject and list heads over it, in .data over
// whatever is next, after .data over struct module. Seen on 6.1 and 6.12, where the
// list of modules leads nowhere afterwards; on 5.10 zeros happened to follow.
func checkUnclosedArray(out *result, m *view, d klppatch.Doubt) {
	const closing = "{ } as its last element"
	what := "the array of " + d.Of + " has no empty element at its end"
	words := uint64(3) // old_name, new_func, old_sympos
	if d.Of == "klp_object" {
		words = 2 // name, funcs
	}
	if m.isZero(d.Section, d.Offset+d.Size, words*uint64(m.file.PointerSize())) {
		out.add(note(diag.PatchStructure, what+"; zeros happen to follow, and are treated as one").
			at(d.Section, d.Offset).fix(closing).when(diag.Enabling, "", ""))
		return
	}
	out.add(problem(diag.PatchStructure, what+": the kernel treats what follows as another element, "+
		"and writes over it").at(d.Section, d.Offset).fix(closing).
		when(diag.Enabling, "", "killed", corrupted()))
}

// isZero reports whether so many bytes are in the section, are zero, and stay so.
func (m *view) isZero(s *elfrw.Section, at, size uint64) bool {
	if at > s.Size() || size > s.Size()-at {
		return false
	}
	for i := at; i < at+size; i++ {
		if s.Type != elf.SHT_NOBITS && s.Data[i] != 0 || m.pointer(s, i) != nil {
			return false
		}
	}
	return true
}

// checkUnreadablePatch looks for what is missing where no klp_patch can be read:
// klp_enable_patch refuses it and prints nothing.
func checkUnreadablePatch(m *view, k *facts) (out result) {
	if !m.info.Livepatch() || !m.enables() || checkArrays(&out, m) || len(m.patches) > 0 ||
		k.Structures.Patch == 0 {
		return
	}
	this := func(y *elfrw.Symbol) bool {
		return y != nil && y.Section != nil &&
			(y.Name == "__this_module" || y.Section.Name == sympos.ThisModule)
	}
	for _, y := range m.file.Symbols {
		if y.Section == nil || y.Type() != elf.STT_OBJECT || y.Size != k.Structures.Patch ||
			!y.Section.Alloc() {
			continue
		}
		mod, objects := m.pointer(y.Section, y.Value), m.pointer(y.Section, y.Value+atObjects)
		if mod == nil && objects == nil || mod != nil && !this(mod.Sym) || objects != nil &&
			(objects.Sym == nil || objects.Sym.Section == nil) {
			continue
		}
		refuse := func(cause string) {
			out.add(problem(diag.PatchStructure, cause).of(y.Name).when(diag.Enabling, "", "EINVAL"))
		}
		switch {
		case mod == nil:
			refuse("klp_patch without mod: .mod = THIS_MODULE")
		case objects == nil:
			refuse("klp_patch without objs")
		case y.Section.Flags&uint64(elf.SHF_WRITE) == 0 && !k.leavesWritable(m):
			out.add(problem(diag.PatchStructure, "klp_patch is in "+y.Section.String()+
				", which is not writable").of(y.Name).fix("leave it writable: no const").
				when(diag.Enabling, "", "killed", oops("page fault", "")))
		default:
			checkObjectArray(&out, m, k, objects.Sym.Section, objects.Sym.Value+uint64(objects.Addend),
				refuse)
		}
		return
	}
	return out
}

// isReadOnly reports a structure that is in a section that is not writable:
// klp_init_patch_early writes a kobject and a list head into each.
func isReadOnly(out *result, m *view, k *facts, what string, s *elfrw.Section) bool {
	if s.Flags&uint64(elf.SHF_WRITE) != 0 || k.leavesWritable(m) {
		return false
	}
	out.add(problem(diag.PatchStructure, what+" is in "+s.String()+", which is not writable").
		fix("leave it writable: no const").
		when(diag.Enabling, "", "killed", oops("page fault", "klp_enable_patch")))
	return true
}

// checkObjectArray looks through an array of klp_object for what klp_enable_patch refuses.
func checkObjectArray(out *result, m *view, k *facts, s *elfrw.Section, at uint64,
	refuse func(string)) {
	if isReadOnly(out, m, k, "the array of klp_object", s) {
		return
	}
	switch called, nameless := m.vmlinuxObjects(k, s, at); {
	case called && nameless:
		reportObjectTwice(out, m, k, klppatch.Vmlinux)
		return
	case called:
		reportObjectVmlinux(out)
		return
	}
	for n := 0; at+k.Structures.Object <= s.Size(); n, at = n+1, at+k.Structures.Object {
		name, funcs := m.pointer(s, at), m.pointer(s, at+atFuncs)
		switch {
		case name == nil && funcs == nil && n == 0:
			out.add(problem(diag.PatchStructure, "klp_patch without objects: nothing is patched").
				when(diag.Calling, "", ""))
			return
		case name == nil && funcs == nil:
			return
		case funcs == nil:
			refuse("klp_object without funcs")
			return
		}
		if text, ok := textAt(name); ok && text == "" {
			reportNamelessObject(out)
			return
		}
		if t := funcs.Sym; t == nil || t.Section == nil ||
			!checkFuncArray(out, m, k, t.Section, t.Value+uint64(funcs.Addend), refuse) {
			return
		}
	}
}

// vmlinuxObjects reports whether an array of klp_object has one with the name vmlinux, and one
// without a name.
func (m *view) vmlinuxObjects(k *facts, s *elfrw.Section, at uint64) (called, nameless bool) {
	for ; at+k.Structures.Object <= s.Size(); at += k.Structures.Object {
		name := m.pointer(s, at)
		if m.pointer(s, at+atFuncs) == nil {
			break
		}
		text, _ := textAt(name)
		called = called || text == klppatch.Vmlinux
		nameless = nameless || name == nil
	}
	return called, nameless
}

// textAt is the string that a pointer points to.
func textAt(r *elfrw.Rela) (string, bool) {
	if r == nil || r.Sym == nil || r.Sym.Section == nil {
		return "", false
	}
	at := r.Sym.Value + uint64(r.Addend)
	if at >= uint64(len(r.Sym.Section.Data)) {
		return "", false
	}
	text, _, _ := strings.Cut(string(r.Sym.Section.Data[at:]), "\x00")
	return text, true
}

// reportNamelessObject: a klp_object whose name is the empty string (lib/kobject.c,
// kobject_add_internal).
func reportNamelessObject(out *result) {
	out.add(problem(diag.PatchStructure, "klp_object.name is the empty string").
		fix("leave the name out: that means vmlinux").
		when(diag.Enabling, "", "EINVAL", says("kobject: (%s): attempted to be registered "+
			"with empty name!", anything)))
}

// reportObjectTwice: two klp_objects of one name.
func reportObjectTwice(out *result, m *view, k *facts, object string) {
	out.add(problem(diag.PatchStructure, "two klp_objects of that name: the kernel makes a "+
		"directory for each in /sys/kernel/livepatch/"+m.name).of(object).
		fix("one klp_object, with the functions of both").
		when(diag.Enabling, "", k.InitExists, says("sysfs: cannot create duplicate filename "+
			"'/kernel/livepatch/%s/%s'", m.name, object), existsAlready(object)))
}

// reportObjectVmlinux: a klp_object with the name vmlinux.
func reportObjectVmlinux(out *result) {
	out.add(problem(diag.PatchStructure, "klp_object.name is the string vmlinux: the kernel waits "+
		"for a module of that name, which never comes").
		fix("leave the name out: that means vmlinux").when(diag.Calling, "", ""))
}

// checkFuncArray does so with an array of klp_func, and reports whether it found nothing.
func checkFuncArray(out *result, m *view, k *facts, s *elfrw.Section, at uint64,
	refuse func(string)) bool {
	if isReadOnly(out, m, k, "the array of klp_func", s) {
		return false
	}
	for ; at+k.Structures.Func <= s.Size(); at += k.Structures.Func {
		name, code := m.pointer(s, at), m.pointer(s, at+atNew)
		text, known := textAt(name)
		switch {
		case name == nil && code == nil && m.isZero(s, at+atPosition, 8):
			return true
		case name == nil:
			refuse("klp_func without old_name")
			return false
		case code == nil:
			refuse("klp_func without new_func")
			return false
		case known && text == "":
			out.add(problem(diag.FunctionAbsent, "klp_func.old_name is the empty string").
				fix("the name of the function that is patched").
				when(diag.Enabling, "", "EINVAL", lookup{}.message(answerAbsent)))
			return false
		}
		if t := code.Sym; t != nil && t.Section != nil &&
			t.Section.Flags&uint64(elf.SHF_EXECINSTR) == 0 {
			out.add(problem(diag.PatchStructure, "the new function is in "+t.Section.String()+
				", which is not executable").when(diag.Calling, "", "", oops("page fault", "")))
			return false
		}
	}
	return false
}

// checkPatchStructure: what klp_enable_patch and klp_init_patch refuse (kernel/livepatch/core.c).
func checkPatchStructure(m *view, k *facts) (out result) {
	if !m.complete() && m.declares() {
		out.notJudged("the objects and functions of the patch", fmt.Sprintf("they can't be read "+
			"from the file: %v", m.doubt))
	}
	for _, name := range k.unread {
		out.notJudged("ftrace entries and dependencies of "+name, "its file can't be read")
	}
	if len(m.patches) > 0 && !m.info.Livepatch() {
		return
	}
	for _, p := range m.patches {
		seen := map[string]bool{}
		for i := range p.Objects {
			o := &p.Objects[i]
			const most = 56 // MODULE_NAME_LEN
			switch {
			case o.Name == klppatch.Vmlinux && p.From == klppatch.Static && o.At.Section != nil &&
				m.pointer(o.At.Section, o.At.Offset) != nil:
				reportObjectVmlinux(&out)
			case len(o.Name) >= most:
				out.add(problem(diag.PatchStructure, fmt.Sprintf("klp_object %s: the name has %d bytes, of "+
					"which the kernel accepts at most %d", o.Name, len(o.Name), most-1)).of(o.Name).
					when(diag.Enabling, "", "EINVAL"))
			case o.Name == "":
				reportNamelessObject(&out)
			case k.misnamed(o.Name) && !seen[o.Name]:
				out.add(problem(diag.TargetAbsent, "no kernel has a module of that name: what the livepatch "+
					"has for it is never used").of(o.Name).
					fix(".name = %q", sympos.ModuleName(o.Name)).when(diag.Calling, "", ""))
			case seen[o.Name]:
				reportObjectTwice(&out, m, k, o.Name)
			}
			seen[o.Name] = true
			checkFuncs(&out, m, k, o)
		}
	}
	return out
}

// existsAlready is what lib/kobject.c prints for a name that its directory has.
func existsAlready(name string) diag.KernelMessage {
	// 6.12 has the prefix, 6.1 has not.
	return says("%skobject_add_internal failed for %s with -EEXIST, don't try to register things "+
		"with the same name in the same directory.", blank{"", "(kobject: )?"}, name)
}

// checkFuncs: two klp_funcs of one name and position, for each of which sysfs makes a directory
// (klp_init_func; position 0 shows as 1).
func checkFuncs(out *result, m *view, k *facts, o *klppatch.Object) {
	seen := map[string]bool{}
	for _, f := range o.Funcs {
		key := fmt.Sprintf("%s,%d", f.OldName, max(f.Sympos, 1))
		if seen[key] {
			out.add(problem(diag.PatchStructure, "two klp_funcs for "+key+" of "+o.Name).of(f.OldName).
				when(diag.Enabling, "", k.InitExists, says("sysfs: cannot create duplicate filename "+
					"'/kernel/livepatch/%s/%s/%s'", m.name, o.Name, key), existsAlready(key)))
		}
		seen[key] = true
		if len(f.OldName) > k.NameLimit {
			out.add(problem(diag.PatchStructure, fmt.Sprintf("old_name has %d bytes, of which the kernel "+
				"accepts at most %d", len(f.OldName), k.NameLimit)).of(f.OldName).
				when(diag.Enabling, "", "EINVAL"))
		}
		if f.New.Symbol == nil && f.New.Section == nil {
			out.add(problem(diag.PatchStructure, "klp_func without new_func").of(f.OldName).
				when(diag.Enabling, "", "EINVAL"))
		}
	}
}

// checkFunctions: klp_init_object_loaded looks each function up as it does klp symbols, and
// klp_patch_func asks ftrace for its entry.
func checkFunctions(m *view, k *facts) (out result) {
	if !m.info.Livepatch() {
		return
	}
	vmlinux := false
	for _, p := range m.patches {
		for i := range p.Objects {
			o := &p.Objects[i]
			vmlinux = vmlinux || o.Name == klppatch.Vmlinux && len(o.Funcs) > 0
			for _, f := range o.Funcs {
				checkFunction(&out, m, k, o.Name, f)
			}
		}
	}
	if vmlinux && !sitesKnown(k) {
		out.notChecked("whether functions of vmlinux have ftrace entries", "the kernel's image or its "+
			"vmlinux tells, after __start_mcount_loc; other files do not")
	}
	return out
}

// checkOwnFunction: an object that is called as the livepatch itself is there at once, since a
// module counts as loaded when its init function runs (klp_find_object_module, klp_alive). Its
// functions are looked up in the livepatch.
func checkOwnFunction(out *result, m *view, object string, f klppatch.Func) {
	n := 0
	for _, y := range m.file.Symbols {
		if y.Section != nil && y.Name == f.OldName {
			n++
		}
	}
	q := lookup{object, f.OldName, f.Sympos, [3]diag.ID{diag.FunctionAbsent, diag.FunctionAmbiguous,
		diag.FunctionPositionAbsent}}
	answer := q.among(n)
	if answer == "" {
		out.notChecked("what comes of "+f.OldName, "the livepatch patches itself")
		return
	}
	message := q.message(answer)
	if slices.ContainsFunc(m.klp, func(klp *klpSection) bool {
		return klp.object == object &&
			len(klp.relocs) > 0
	}) {
		// of its klp symbols, which come first
		message = says("livepatch: symbol '%s' not found in symbol table", blank{"…", `[^']*`})
	}
	x := problem(q.id(answer), fmt.Sprintf("the klp_object %s is the livepatch itself, which has %d "+
		"symbols called %s", object, n, f.OldName)).of(f.OldName)
	x.object = object
	out.add(x.fix(".name is the module that is patched, and the livepatch has another").
		when(diag.Enabling, "", "EINVAL", message))
}

// isItself reports whether the livepatch has the object's name, in struct module, where
// find_module looks, or in .modinfo. What has no name is not looked for.
func (m *view) isItself(object string) bool {
	return object != klppatch.Vmlinux && (m.name == object || structName(m.file) == object)
}

// checkFunction looks one function up, and for its ftrace entry.
func checkFunction(out *result, m *view, k *facts, object string, f klppatch.Func) {
	if m.isItself(object) {
		checkOwnFunction(out, m, object, f)
		return
	}
	find := func(id diag.ID, cause string) finding {
		x := problem(id, cause).of(f.OldName)
		x.object = object
		if id == diag.FunctionAbsent {
			for _, hint := range whyGone(m, k, object, f.OldName) {
				x = x.fix("%s", hint)
			}
		}
		return x
	}
	q := lookup{object, f.OldName, f.Sympos, [3]diag.ID{diag.FunctionAbsent, diag.FunctionAmbiguous,
		diag.FunctionPositionAbsent}}
	failed := lookUp(out, m, k, q, find, func(x finding, now, later bool,
		message diag.KernelMessage) finding {
		if object == sympos.Vmlinux {
			return x.when(diag.Enabling, "", "EINVAL", message)
		}
		return whenEither(m, k, x, object, now, later, message)
	})
	if failed || !k.table.Has(object) {
		return
	}
	why := ""
	if list := k.table.Lookup(object, f.OldName); object == sympos.Vmlinux &&
		m.file.Header.Machine == elf.EM_X86_64 && uint64(len(list)) >= max(f.Sympos, 1) {
		// kernel/kallsyms.c, kallsyms_lookup_size_offset: it asks for an address of the kernel.
		const half = 1 << 63
		if a := list[max(f.Sympos, 1)-1].Address; a != 0 && a < half &&
			!k.table.Facts(object).NoAddresses && k.table.Facts(object).Relative == "" {
			out.add(find(diag.NotPatchable, "it is at an offset (per-CPU data), not in "+
				"the kernel's memory").fix("patch a function").
				when(diag.Enabling, "", "ENOENT", says("livepatch: kallsyms size "+
					"lookup failed for '%s'", f.OldName)))
			return
		}
	}
	if object == sympos.Vmlinux {
		why = whyUntraced(k, f)
	} else if target := k.modules[object]; target != nil {
		if y := symbolAt(target, f.OldName, f.Sympos); y != nil {
			yes, known := k.traceable(target, y)
			switch {
			case y.Type() == elf.STT_OBJECT:
				why = "it is data, not a function"
			case known && !yes:
				why = "it has no ftrace entry (notrace, or built without -pg)"
			case !known:
				out.notChecked("whether "+f.OldName+" of "+object+" has an ftrace entry", object+".ko has no "+
					k.entryList(target)+", where the kernel finds them")
			}
		}
	}
	if why != "" {
		reportNotPatchable(out, m, k, object, f.OldName, why)
	}
}

// whyUntraced returns why ftrace can't change a function of vmlinux, as far as the kernel's
// symbols tell, or "".
func whyUntraced(k *facts, f klppatch.Func) string {
	list := k.table.Lookup(sympos.Vmlinux, f.OldName)
	n := max(f.Sympos, 1)
	if n > uint64(len(list)) {
		return ""
	}
	s := list[n-1]
	bound := func(name string) uint64 {
		if l := k.table.Lookup(sympos.Vmlinux, name); len(l) > 0 {
			return l[0].Address
		}
		return 0
	}
	switch s.Type {
	case 'd', 'D', 'b', 'B', 'r', 'R':
		return "it is data, not a function"
	}
	if f.OldName == "__fentry__" || strings.HasPrefix(f.OldName, "__x86_indirect_thunk_") ||
		f.OldName == "__x86_return_thunk" {
		return "it is written in assembler, without a call of __fentry__"
	}
	for _, r := range untraced {
		if from, to := bound(r.from), bound(r.to); from != 0 && s.Address >= from && s.Address < to {
			return r.why
		}
	}
	// What is linked between data has 't' and 'T' there where a section holds both (init_task, 7.3).
	if end := bound("_etext"); end != 0 && s.Address >= end {
		return "it is after the end of the kernel's code (_etext)"
	}
	if sitesKnown(k) {
		if _, none := slices.BinarySearch(k.table.Facts(sympos.Vmlinux).Untraced, s.Address); none {
			return "it has no ftrace entry (notrace, assembler, or in a directory that is built " +
				"without -pg, as lib is)"
		}
	}
	return ""
}

// sitesKnown reports whether the kernel's files list what ftrace can change.
func sitesKnown(k *facts) bool { return k.table.Facts(sympos.Vmlinux).Untraced != nil }

// untraced are stretches of vmlinux without ftrace entries, by the symbols around them
// (include/asm-generic/vmlinux.lds.h).
var untraced = []struct{ from, to, why string }{
	{"__noinstr_text_start", "__noinstr_text_end", "it is in .noinstr.text, which has " +
		"no ftrace entries"},
	{"__entry_text_start", "__entry_text_end", "it is in .entry.text, which has no ftrace entries"},
	{"_sinittext", "_einittext", "it is in .init.text, which is gone once the kernel has started"},
}

// reportNotPatchable follows klp_patch_func in kernel/livepatch/patch.c.
func reportNotPatchable(out *result, m *view, k *facts, object, function, why string) {
	f := problem(diag.NotPatchable, why).of(function)
	for _, wrapper := range k.wrappersOf(object, function) {
		f = f.fix("%s", wrapper)
	}
	f = f.fix("patch a function that calls it, and is not inlined")
	message := says("livepatch: failed to set ftrace filter for function '%s' (%s)", function, -22)
	if k.EntrySearch || m.file.Header.Machine == elf.EM_PPC64 {
		message = says("livepatch: failed to find location for function '%s'", function)
	}
	if object == sympos.Vmlinux || k.loaded[object] {
		f = f.when(diag.Enabling, "", "EINVAL", message,
			says("livepatch: failed to patch object '%s'", object),
			says("livepatch: failed to enable patch '%s'", m.name))
	}
	if object != sympos.Vmlinux {
		f = f.when(diag.Coming, object, "EINVAL", message,
			says("livepatch: failed to apply patch '%s' to module '%s' (%s)", m.name, object, -22),
			says("livepatch: patch '%s' failed for module '%s', refusing to load module '%s'", m.name,
				object, object))
	}
	out.add(f)
}
