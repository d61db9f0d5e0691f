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
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/sympos"
)

// entryPoints: where in struct module the pointers to init and exit are depends on the
// kernel's configuration.
func (c *checker) entryPoints() {
	mine := pointersOf(c.File)
	for _, p := range []struct {
		name string
		want uint64
	}{{"init_module", c.facts.init}, {"cleanup_module", c.facts.exit}} {
		at, has := mine[p.name]
		switch {
		case !has:
		case p.want == 0:
			c.lacking("where "+p.name+" is in struct module", "no module of this kernel is at hand that has one")
		case at != p.want:
			f := c.find(InitOffset, fmt.Sprintf("%s is at %#x of struct module, and the kernel looks at %#x: struct module has another layout", p.name, at, p.want)).
				fix("build it against the headers of %s", c.title())
			if p.name == "init_module" {
				f.when(Calling, "", "") // it is never called
			} else {
				f.when(Removing, "", "EBUSY")
			}
		}
	}
}

// unstarted: a livepatch that nothing enables, and a module that can't be removed
// (kernel/module/main.c, do_init_module; delete_module: no exit function, EBUSY).
func (c *checker) unstarted() {
	mine := pointersOf(c.File)
	_, starts := mine["init_module"]
	_, ends := mine["cleanup_module"]
	switch {
	case !starts && c.info.Livepatch() && c.enables():
		c.find(InitOffset, "struct module has no init function: nothing enables the livepatch").fix("module_init()").when(Calling, "", "")
	case c.info.Livepatch() && !c.enables() && c.registering() && c.importsFunction(registerPatch):
		c.note(PatchStructure, "the module registers its klp_patch and does not enable it").
			fix("echo 1 > /sys/kernel/livepatch/%s/enabled", c.name).when(Calling, "", "")
	case c.info.Livepatch() && !c.enables() && slices.ContainsFunc(c.patches, func(p *klppatch.Patch) bool { return p.From == klppatch.Static }):
		c.find(PatchStructure, "nothing in the module calls klp_enable_patch: its klp_patch is never enabled").fix("return klp_enable_patch(…) from the init function").
			when(Calling, "", "")
	case starts && !ends:
		c.note(InitOffset, "struct module has no exit function: the module can't be removed").fix("module_exit()").when(Removing, "", "EBUSY")
	}
}

// enables reports whether the module calls klp_enable_patch.
func (c *checker) enables() bool { return c.importsFunction(enablePatch) }

const enablePatch, registerPatch = "klp_enable_patch", "klp_register_patch"

// importsFunction reports whether the module has an undefined symbol of that name.
func (c *checker) importsFunction(name string) bool {
	return slices.ContainsFunc(c.File.Symbols, func(y *elfrw.Symbol) bool { return y.Undefined() && y.Name == name })
}

// registering reports whether a klp_patch has to be registered: the kernel's exports tell, or
// its version. Vendors carry 5.1's way under older numbers.
func (c *checker) registering() bool {
	if t := c.facts.table; len(t.Exports(enablePatch)) > 0 {
		return len(t.Exports(registerPatch)) > 0
	}
	return c.registers
}

// unregistered: before 5.1 klp_enable_patch asks whether the patch was registered
// (kernel/livepatch/core.c, klp_is_patch_registered). Seen on 4.19.78.
func (c *checker) unregistered() {
	if !c.info.Livepatch() || !c.enables() || !c.registering() || c.importsFunction(registerPatch) {
		return
	}
	c.find(PatchStructure, "klp_enable_patch() without klp_register_patch(), which this kernel wants to be called first").
		fix("klp_register_patch(&patch) before klp_enable_patch(&patch), klp_unregister_patch(&patch) in the exit function").
		when(Enabling, "", "EINVAL")
}

// A klp_patch with a pointer missing is none to package klppatch, which is for those that work.
// Its size, and those of klp_object and klp_func, are in the contract; these places are the same
// in all versions.
const (
	atObjects, atFuncs = 8, 8
	atNew, atPosition  = 8, 16
)

// flaws are of arrays that package klppatch could not read. It reports whether there is one.
func (c *checker) flaws() (found bool) {
	var doubts klppatch.Unreadable
	errors.As(c.doubt, &doubts)
	for _, d := range doubts {
		switch {
		case d.Flaw == klppatch.Unclosed:
			c.unclosed(d)
		case d.Flaw == klppatch.Emptied && d.Of == "klp_func":
			c.find(PatchStructure, "the first klp_func of an array is empty, which ends it: none of the others is patched").at(d.Section, d.Offset).
				fix("{ } as the last element only").when(Calling, "", "")
		default:
			continue
		}
		found = true
	}
	return found
}

// unclosed: an array without an empty element at its end. klp_init_patch_early goes on
// with what lies behind, and writes a kobject and list heads over it, in .data over
// whatever is next, behind .data over struct module. Seen on 6.1 and 6.12, where the
// list of modules leads nowhere afterwards; on 5.10 zeros happened to follow.
func (c *checker) unclosed(d klppatch.Doubt) {
	const closing = "{ } as its last element"
	what := "the array of " + d.Of + " has no empty element at its end"
	words := uint64(3) // old_name, new_func, old_sympos
	if d.Of == "klp_object" {
		words = 2 // name, funcs
	}
	if c.zero(d.Section, d.Offset+d.Size, words*uint64(c.File.PointerSize())) {
		c.note(PatchStructure, what+"; zeros happen to follow, and are taken for it").at(d.Section, d.Offset).fix(closing).when(Enabling, "", "")
		return
	}
	c.find(PatchStructure, what+": the kernel takes what follows for another, and writes over it").at(d.Section, d.Offset).fix(closing).
		when(Enabling, "", "killed", corrupted())
}

// zero reports whether so many bytes are in the section, are zero, and stay so.
func (c *checker) zero(s *elfrw.Section, at, size uint64) bool {
	if at > s.Size() || size > s.Size()-at {
		return false
	}
	for i := at; i < at+size; i++ {
		if s.Type != elf.SHT_NOBITS && s.Data[i] != 0 || c.pointer(s, i) != nil {
			return false
		}
	}
	return true
}

// loose looks for what is missing where no klp_patch could be made out: klp_enable_patch
// refuses without a word.
func (c *checker) loose() {
	if !c.info.Livepatch() || !c.enables() || c.flaws() || len(c.patches) > 0 || c.patchSize == 0 {
		return
	}
	this := func(y *elfrw.Symbol) bool {
		return y != nil && y.Section != nil && (y.Name == "__this_module" || y.Section.Name == sympos.ThisModule)
	}
	for _, y := range c.File.Symbols {
		if y.Section == nil || y.Type() != elf.STT_OBJECT || y.Size != c.patchSize || !y.Section.Alloc() {
			continue
		}
		mod, objects := c.pointer(y.Section, y.Value), c.pointer(y.Section, y.Value+atObjects)
		if mod == nil && objects == nil || mod != nil && !this(mod.Sym) || objects != nil && (objects.Sym == nil || objects.Sym.Section == nil) {
			continue
		}
		refuse := func(cause string) { c.find(PatchStructure, cause).of(y.Name).when(Enabling, "", "EINVAL") }
		switch {
		case mod == nil:
			refuse("klp_patch without mod: .mod = THIS_MODULE")
		case objects == nil:
			refuse("klp_patch without objs")
		case y.Section.Flags&uint64(elf.SHF_WRITE) == 0:
			c.find(PatchStructure, "klp_patch is in "+y.Section.String()+", which is not for writing").of(y.Name).fix("leave it writable: no const").
				when(Enabling, "", "killed", oops("page fault", ""))
		default:
			c.looseObjects(objects.Sym.Section, objects.Sym.Value+uint64(objects.Addend), refuse)
		}
		return
	}
}

// constant: klp_init_patch_early writes a kobject and a list head into each structure.
func (c *checker) constant(what string, s *elfrw.Section) bool {
	if s.Flags&uint64(elf.SHF_WRITE) != 0 {
		return false
	}
	c.find(PatchStructure, what+" is in "+s.String()+", which is not for writing").fix("leave it writable: no const").
		when(Enabling, "", "killed", oops("page fault", "klp_enable_patch"))
	return true
}

func (c *checker) looseObjects(s *elfrw.Section, at uint64, refuse func(string)) {
	if c.constant("the array of klp_object", s) {
		return
	}
	for n := 0; at+c.objectSize <= s.Size(); n, at = n+1, at+c.objectSize {
		name, funcs := c.pointer(s, at), c.pointer(s, at+atFuncs)
		switch {
		case name == nil && funcs == nil && n == 0:
			c.find(PatchStructure, "klp_patch without objects: nothing is patched").when(Calling, "", "")
			return
		case name == nil && funcs == nil:
			return
		case funcs == nil:
			refuse("klp_object without funcs")
			return
		}
		if text, ok := textAt(name); ok && text == "" {
			c.nameless()
			return
		} else if ok && text == klppatch.Vmlinux {
			c.waiting()
			return
		}
		if t := funcs.Sym; t == nil || t.Section == nil || !c.looseFuncs(t.Section, t.Value+uint64(funcs.Addend), refuse) {
			return
		}
	}
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

// nameless: a klp_object whose name is the empty string (lib/kobject.c, kobject_add_internal).
func (c *checker) nameless() {
	c.find(PatchStructure, "klp_object.name is the empty string").fix("no name: that is vmlinux").
		when(Enabling, "", "EINVAL", says("kobject: (%s): attempted to be registered with empty name!", anything))
}

// waiting: a klp_object that calls itself vmlinux.
func (c *checker) waiting() {
	c.find(PatchStructure, "klp_object.name is the string vmlinux: the kernel waits for a module of that name, which never comes").
		fix("no name: that is vmlinux").when(Calling, "", "")
}

func (c *checker) looseFuncs(s *elfrw.Section, at uint64, refuse func(string)) bool {
	if c.constant("the array of klp_func", s) {
		return false
	}
	for ; at+c.funcSize <= s.Size(); at += c.funcSize {
		name, code := c.pointer(s, at), c.pointer(s, at+atNew)
		text, known := textAt(name)
		switch {
		case name == nil && code == nil && c.zero(s, at+atPosition, 8):
			return true
		case name == nil:
			refuse("klp_func without old_name")
			return false
		case code == nil:
			refuse("klp_func without new_func")
			return false
		case known && text == "":
			c.find(NoFunction, "klp_func.old_name is the empty string").fix("the name of the function that is patched").
				when(Enabling, "", "EINVAL", c.message(lookup{}, notThere))
			return false
		}
		if t := code.Sym; t != nil && t.Section != nil && t.Section.Flags&uint64(elf.SHF_EXECINSTR) == 0 {
			c.find(PatchStructure, "the new function is in "+t.Section.String()+", which is not for execution").when(Calling, "", "", oops("page fault", ""))
			return false
		}
	}
	return false
}

// pointer is the relocation of a place, nil where there is none. A klp_patch may have as many
// objects and functions as the file has room for, so that those of a section are read once.
func (c *checker) pointer(target *elfrw.Section, at uint64) *elfrw.Rela {
	of, read := c.pointers[target]
	if !read {
		of = map[uint64]elfrw.Rela{}
		for _, s := range c.Sections {
			if s.Target != target || !s.HasRelocs() || s.Flags&klpabi.FlagLivepatch != 0 {
				continue
			}
			relocs := s.ReadRelocs()
			for r := relocs.Next(); r != nil; r = relocs.Next() {
				if _, has := of[r.Offset]; !has {
					of[r.Offset] = *r
				}
			}
		}
		c.pointers[target] = of
	}
	if r, has := of[at]; has {
		return &r
	}
	return nil
}

// structure: what klp_enable_patch and klp_init_patch refuse (kernel/livepatch/core.c).
func (c *checker) structure() {
	if !c.complete() && c.declares() {
		c.lacking("the objects and functions of the patch", fmt.Sprintf("they can't be read from the file: %v", c.doubt))
	}
	for _, m := range c.facts.unread {
		c.lacking("ftrace entries and dependencies of "+m, "its file can't be read")
	}
	if len(c.patches) > 0 && !c.info.Livepatch() {
		return
	}
	for _, p := range c.patches {
		seen := map[string]bool{}
		for i := range p.Objects {
			o := &p.Objects[i]
			const most = 56 // MODULE_NAME_LEN
			switch {
			case o.Name == klppatch.Vmlinux && p.From == klppatch.Static && o.At.Section != nil && c.pointer(o.At.Section, o.At.Offset) != nil:
				c.waiting()
			case len(o.Name) >= most:
				c.find(PatchStructure, fmt.Sprintf("klp_object %s: the name has %d bytes, of which the kernel takes at most %d", o.Name, len(o.Name), most-1)).of(o.Name).
					when(Enabling, "", "EINVAL")
			case o.Name == "":
				c.nameless()
			case c.misnamed(o.Name) && !seen[o.Name]:
				c.find(NoTarget, "no kernel has a module of that name: what the livepatch has for it is never used").of(o.Name).
					fix(".name = %q", sympos.ModuleName(o.Name)).when(Calling, "", "")
			case seen[o.Name]:
				c.find(PatchStructure, "two klp_objects of that name: the kernel makes a folder of each in /sys/kernel/livepatch/"+c.name).of(o.Name).
					fix("one klp_object, with the functions of both").
					when(Enabling, "", c.initExists, says("sysfs: cannot create duplicate filename '/kernel/livepatch/%s/%s'", c.name, o.Name), existsAlready(o.Name))
			}
			seen[o.Name] = true
			c.twice(o)
		}
	}
}

// existsAlready is what lib/kobject.c says of a name that its folder has.
func existsAlready(name string) Message {
	// 6.12 has the prefix, 6.1 has not.
	return says("%skobject_add_internal failed for %s with -EEXIST, don't try to register things with the same name in the same directory.", blank{"", "(kobject: )?"}, name)
}

// twice: two klp_funcs of one name and position, for each of which sysfs makes a folder
// (klp_init_func; position 0 shows as 1).
func (c *checker) twice(o *klppatch.Object) {
	seen := map[string]bool{}
	for _, f := range o.Funcs {
		key := fmt.Sprintf("%s,%d", f.OldName, max(f.Sympos, 1))
		if seen[key] {
			c.find(PatchStructure, "two klp_funcs for "+key+" of "+o.Name).of(f.OldName).
				when(Enabling, "", c.initExists, says("sysfs: cannot create duplicate filename '/kernel/livepatch/%s/%s/%s'", c.name, o.Name, key), existsAlready(key))
		}
		seen[key] = true
		if len(f.OldName) > c.nameLimit {
			c.find(PatchStructure, fmt.Sprintf("old_name has %d bytes, of which the kernel takes at most %d", len(f.OldName), c.nameLimit)).of(f.OldName).
				when(Enabling, "", "EINVAL")
		}
		if f.New.Symbol == nil && f.New.Section == nil {
			c.find(PatchStructure, "klp_func without new_func").of(f.OldName).when(Enabling, "", "EINVAL")
		}
	}
}

// functions: klp_init_object_loaded looks each function up as it does klp symbols, and
// klp_patch_func asks ftrace for its entry.
func (c *checker) functions() {
	if !c.info.Livepatch() {
		return
	}
	vmlinux := false
	for _, p := range c.patches {
		for i := range p.Objects {
			o := &p.Objects[i]
			vmlinux = vmlinux || o.Name == klppatch.Vmlinux && len(o.Funcs) > 0
			for _, f := range o.Funcs {
				c.patchedFunction(o.Name, f)
			}
		}
	}
	if vmlinux && !c.sitesKnown() {
		c.unchecked("whether functions of vmlinux have ftrace entries", "a kernel image of x86_64 tells, in __mcount_loc; other files do not")
	}
}

// ofItself: an object that is called as the livepatch itself is there at once, since a module
// counts as loaded when its init function runs (klp_find_object_module, klp_alive). Its
// functions are looked up in the livepatch.
func (c *checker) ofItself(object string, f klppatch.Func) {
	n := 0
	for _, y := range c.File.Symbols {
		if y.Section != nil && y.Name == f.OldName {
			n++
		}
	}
	q := lookup{object, f.OldName, f.Sympos, [3]diag.ID{NoFunction, AmbiguousFunction, FunctionPosition}}
	answer := q.among(n)
	if answer == "" {
		c.unchecked("what comes of "+f.OldName, "the livepatch patches itself")
		return
	}
	message := c.message(q, answer)
	if slices.ContainsFunc(c.klp, func(k *klpSection) bool { return k.object == object && len(k.relocs) > 0 }) {
		message = says("livepatch: symbol '%s' not found in symbol table", blank{"…", `[^']*`}) // of its klp symbols, which come first
	}
	x := c.find(q.id(answer), fmt.Sprintf("the klp_object %s is the livepatch itself, which has %d symbols called %s", object, n, f.OldName))
	x.object = object
	x.of(f.OldName).fix(".name is the module that is patched, and the livepatch has another").when(Enabling, "", "EINVAL", message)
}

// itself reports whether the livepatch has the object's name, in struct module, where
// find_module looks, or in .modinfo.
func (c *checker) itself(object string) bool {
	return c.name == object || structName(c.File) == object
}

func (c *checker) patchedFunction(object string, f klppatch.Func) {
	if c.itself(object) {
		c.ofItself(object, f)
		return
	}
	failed := false
	find := func(id diag.ID, cause string) *Finding {
		failed = true
		x := c.find(id, cause).of(f.OldName)
		x.object = object
		return x
	}
	c.lookup(lookup{object, f.OldName, f.Sympos, [3]diag.ID{NoFunction, AmbiguousFunction, FunctionPosition}}, find, func(x *Finding, now, later bool, message Message) {
		if object == sympos.Vmlinux {
			x.when(Enabling, "", "EINVAL", message)
			return
		}
		c.whenEither(x, object, now, later, message)
	})
	if failed || !c.facts.table.Has(object) {
		return
	}
	why := ""
	if list := c.facts.table.Lookup(object, f.OldName); object == sympos.Vmlinux && c.Header.Machine == elf.EM_X86_64 && uint64(len(list)) >= max(f.Sympos, 1) {
		// kernel/kallsyms.c, kallsyms_lookup_size_offset: it asks for an address of the kernel.
		const half = 1 << 63
		if a := list[max(f.Sympos, 1)-1].Address; a != 0 && a < half && !c.facts.table.Facts(object).NoAddresses && c.facts.table.Facts(object).Relative == "" {
			find(NotPatchable, "it is at an offset (per-CPU data), not in the kernel's memory").fix("patch a function").
				when(Enabling, "", "ENOENT", says("livepatch: kallsyms size lookup failed for '%s'", f.OldName))
			return
		}
	}
	if object == sympos.Vmlinux {
		why = c.untraceableInVmlinux(f)
	} else if m := c.facts.modules[object]; m != nil {
		if y := symbolAt(m, f.OldName, f.Sympos); y != nil {
			yes, known := c.traceable(m, y)
			switch {
			case y.Type() == elf.STT_OBJECT:
				why = "it is data, no function"
			case known && !yes:
				why = "it has no ftrace entry (notrace, or built without -pg)"
			case !known:
				c.unchecked("whether "+f.OldName+" of "+object+" has an ftrace entry", object+".ko has no "+c.facts.entryList(m)+", where the kernel finds them")
			}
		}
	}
	if why != "" {
		c.unpatchable(object, f.OldName, why)
	}
}

// untraceableInVmlinux is what the kernel's symbols tell: data, and what must not be traced.
func (c *checker) untraceableInVmlinux(f klppatch.Func) string {
	list := c.facts.table.Lookup(sympos.Vmlinux, f.OldName)
	n := max(f.Sympos, 1)
	if n > uint64(len(list)) {
		return ""
	}
	s := list[n-1]
	bound := func(name string) uint64 {
		if l := c.facts.table.Lookup(sympos.Vmlinux, name); len(l) > 0 {
			return l[0].Address
		}
		return 0
	}
	switch s.Type {
	case 'd', 'D', 'b', 'B', 'r', 'R':
		return "it is data, no function"
	}
	if f.OldName == "__fentry__" || strings.HasPrefix(f.OldName, "__x86_indirect_thunk_") || f.OldName == "__x86_return_thunk" {
		return "it is written in assembler, without a call of __fentry__"
	}
	for _, r := range untraced {
		if from, to := bound(r.from), bound(r.to); from != 0 && s.Address >= from && s.Address < to {
			return r.why
		}
	}
	// What is linked between data has 't' and 'T' there where a section holds both (init_task, 7.3).
	if end := bound("_etext"); end != 0 && s.Address >= end {
		return "it lies behind the end of the kernel's code (_etext)"
	}
	if c.sitesKnown() {
		if _, none := slices.BinarySearch(c.facts.table.Facts(sympos.Vmlinux).Untraced, s.Address); none {
			return "it has no ftrace entry (notrace, assembler, or of a folder that is built without -pg, as lib is)"
		}
	}
	return ""
}

// sitesKnown reports whether the kernel's files list what ftrace can change.
func (c *checker) sitesKnown() bool {
	return c.Header.Machine == elf.EM_X86_64 && c.facts.table.Facts(sympos.Vmlinux).Untraced != nil
}

// untraced are stretches of vmlinux without ftrace entries, by the symbols around them
// (include/asm-generic/vmlinux.lds.h).
var untraced = []struct{ from, to, why string }{
	{"__noinstr_text_start", "__noinstr_text_end", "it is in .noinstr.text, which has no ftrace entries"},
	{"__entry_text_start", "__entry_text_end", "it is in .entry.text, which has no ftrace entries"},
	{"_sinittext", "_einittext", "it is in .init.text, which is gone once the kernel has started"},
}

// unpatchable: kernel/livepatch/patch.c, klp_patch_func.
func (c *checker) unpatchable(object, function, why string) {
	f := c.find(NotPatchable, why).of(function).fix("patch a function that calls it, and is not inlined")
	message := says("livepatch: failed to set ftrace filter for function '%s' (%s)", function, -22)
	if c.entrySearch || c.Header.Machine == elf.EM_PPC64 {
		message = says("livepatch: failed to find location for function '%s'", function)
	}
	if object == sympos.Vmlinux || c.loaded[object] {
		f.when(Enabling, "", "EINVAL", message,
			says("livepatch: failed to patch object '%s'", object),
			says("livepatch: failed to enable patch '%s'", c.name))
	}
	if object != sympos.Vmlinux {
		f.when(Coming, object, "EINVAL", message,
			says("livepatch: failed to apply patch '%s' to module '%s' (%s)", c.name, object, -22),
			says("livepatch: patch '%s' failed for module '%s', refusing to load module '%s'", c.name, object, object))
	}
}
