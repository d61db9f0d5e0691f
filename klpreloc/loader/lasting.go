// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"fmt"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
)

// isFreed reports whether the section is given back when the module's init function has
// returned (kernel/module/main.c, module_init_section, do_free_init).
func isFreed(s *elfrw.Section) bool { return s != nil && strings.HasPrefix(s.Name, ".init") }

// checkPatchMemory: the livepatch core keeps what klp_patch has for as long as the livepatch is
// there: it writes to the structures, reads the names, calls the functions.
func checkPatchMemory(m *view, k *facts) (out result) {
	if !m.info.Livepatch() {
		return
	}
	for _, p := range m.patches {
		if p.From != klppatch.Static {
			continue // init code makes the structures of these
		}
		checkStructureMemory(&out, "klp_patch", p.At, false)
		for i := range p.Objects {
			o := &p.Objects[i]
			checkStructureMemory(&out, "klp_object "+o.Name, o.At, false)
			checkNameMemory(&out, m, o, objectName, o.At, o.Name)
			if len(o.Funcs) > 0 {
				checkStructureMemory(&out, "the array of klp_func of "+o.Name, o.FuncsAt, true)
			}
			for _, f := range o.Funcs {
				checkNameMemory(&out, m, o, oldName, f.At, f.OldName)
				if isFreed(f.New.Section) {
					out.add(problem(diag.PatchStructure, fmt.Sprintf("the new function %s is in %s, which is "+
						"freed once the livepatch is loaded", f.New, f.New.Section)).of(f.OldName).
						fix("no __init").when(diag.Calling, "", "", oops("page fault", "")))
				}
			}
			for _, b := range o.Callbacks {
				checkCallbackMemory(&out, o, b)
			}
		}
		checkSharedArrays(&out, p)
	}
	return out
}

// checkStructureMemory: a structure of the patch. klp_complete_transition writes to functions,
// enabled_store and klp_unpatch_object to what is above them. Seen on 6.1.
func checkStructureMemory(out *result, what string, at elfrw.Range,
	functions bool) {
	s := at.Section
	if s == nil {
		return
	}
	what = fmt.Sprintf("%s is in %s", what, s)
	var f finding
	switch {
	case isFreed(s):
		f = problem(diag.PatchStructure, what+", which is freed once the livepatch is loaded; the "+
			"kernel uses it until it is removed").
			fix("no __initdata")
	case kernel.ReadOnlyAfterInit(s.Name):
		f = problem(diag.PatchStructure, what+", which can't be written once the livepatch is loaded; "+
			"the kernel writes there until it is removed").
			fix("no __ro_after_init")
	default:
		return
	}
	when := diag.Enabling // once all tasks are switched over, insmod having succeeded
	if !isFreed(s) && !functions {
		when = diag.Removing
	}
	out.add(f.because(s.Name).at(s, at.Offset).when(when, "", "", oops("page fault", "")))
}

// checkNameMemory: a name that is read when its module comes (kernel/livepatch/core.c,
// klp_module_coming, klp_init_object_loaded), from memory that is somebody else's by then.
// Seen on 6.1: the module is not recognized, or its function not found.
func checkNameMemory(out *result, m *view, o *klppatch.Object, what string,
	at elfrw.Range, name string) {
	if at.Section == nil || o.Name == klppatch.Vmlinux {
		return
	}
	r := m.pointer(at.Section, at.Offset)
	if r == nil || r.Sym == nil || !isFreed(r.Sym.Section) {
		return
	}
	f := problem(diag.PatchStructure, fmt.Sprintf("%s, %q, is in %s, which is freed once the "+
		"livepatch is loaded: %s is not patched when it comes later", what, name, r.Sym.Section,
		o.Name)).
		of(name).fix("no __initdata, no __initconst")
	if what == objectName {
		out.add(f.when(diag.Coming, o.Name, ""))
		return
	}
	out.add(whenComing(m, f, o.Name, "EINVAL", says("livepatch: symbol '%s' not "+
		"found in symbol table", blank{"…", `.*`})))
}

const objectName, oldName = "klp_object.name", "klp_func.old_name"

// checkCallbackMemory: only pre_patch is certain to be called before init returns, when its
// object is there by then.
func checkCallbackMemory(out *result, o *klppatch.Object, b klppatch.Callback) {
	if !isFreed(b.Section) {
		return
	}
	f := problem(diag.PatchStructure, fmt.Sprintf("the callback %s, %s, is in %s, which is freed "+
		"once the livepatch is loaded", b.Name, b.Code, b.Section)).
		of(b.Code.String()).fix("no __init")
	message := oops("page fault", "")
	module := o.Name != klppatch.Vmlinux
	switch {
	case b.Name == "pre_patch" && !module:
		f.Severity = diag.Note
		f = f.when(diag.Enabling, "", "")
	case module && strings.HasSuffix(b.Name, "_patch"):
		f = f.when(diag.Coming, o.Name, "killed", message)
	case b.Name == "post_patch":
		f = f.when(diag.Calling, "", "", message)
	default:
		f = f.when(diag.Removing, "", "", message)
	}
	out.add(f)
}

// checkSharedArrays: two objects with one array of functions, each of which the kernel puts
// into the list of both (kernel/livepatch/core.c, klp_init_patch_early).
func checkSharedArrays(out *result, p *klppatch.Patch) {
	for _, x := range sharedArrays(p) {
		out.add(problem(diag.PatchStructure, fmt.Sprintf("the klp_objects %s and %s have one array of "+
			"klp_func, which the kernel puts into the lists of both", x.first, x.second.Name)).
			at(x.second.FuncsAt.Section, x.second.FuncsAt.Offset).fix("an array for each klp_object").
			when(diag.Enabling, "", "killed", corrupted()))
	}
}

// sharedArray is an array of klp_func that two objects have.
type sharedArray struct {
	first  string // the first object that has it
	second *klppatch.Object
}

// sharedArrays returns the objects of a patch whose functions are those of an earlier one.
func sharedArrays(p *klppatch.Patch) (all []sharedArray) {
	owner := map[elfrw.Range]string{}
	for i := range p.Objects {
		o := &p.Objects[i]
		if len(o.Funcs) == 0 || o.FuncsAt.Section == nil {
			continue
		}
		if first, has := owner[o.FuncsAt]; has {
			all = append(all, sharedArray{first, o})
			continue
		}
		owner[o.FuncsAt] = o.Name
	}
	return all
}

// readSharing returns the objects whose functions are those of another one, in patches that
// checkSharedArrays looks at.
func (m *Module) readSharing() map[string]bool {
	all := map[string]bool{}
	for _, p := range m.patches {
		if p.From == klppatch.Static {
			for _, x := range sharedArrays(p) {
				all[x.second.Name] = true
			}
		}
	}
	return all
}

// checkOnePatch: each klp_patch has a directory of the module's name (kernel/livepatch/core.c,
// klp_init_patch). Seen on 6.1: the second is refused, and when init returns the error,
// the module is freed while the first is enabled: page faults.
func checkOnePatch(m *view, k *facts) (out result) {
	static, calls := 0, 0
	for _, p := range m.patches {
		if p.From == klppatch.Static {
			static++
		}
	}
	if static < 2 || !m.info.Livepatch() {
		return
	}
	m.file.Refers(func(y *elfrw.Symbol) bool {
		return y.Undefined() &&
			y.Name == "klp_enable_patch"
	}, func(x elfrw.Reference) bool {
		if t := x.Section.Target; t != nil && t.Flags&uint64(elf.SHF_EXECINSTR) != 0 {
			calls++
		}
		return true
	})
	if calls < 2 {
		return // one of them is chosen
	}
	out.add(problem(diag.PatchStructure, fmt.Sprintf("%d klp_patches, each of which is enabled: a "+
		"module can have one", static)).
		fix("one klp_patch with the objects of all").
		when(diag.Enabling, "", k.InitExists, says("sysfs: cannot create duplicate filename "+
			"'/kernel/livepatch/%s'", m.name), existsAlready(m.name)))
	return out
}
