// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"fmt"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
)

// passing reports whether the section is given back when the module's init function has
// returned (kernel/module/main.c, module_init_section, do_free_init).
func passing(s *elfrw.Section) bool { return s != nil && strings.HasPrefix(s.Name, ".init") }

// lasting: the livepatch core keeps what klp_patch has for as long as the livepatch is
// there: it writes to the structures, reads the names, calls the functions.
func (c *checker) lasting() {
	if !c.info.Livepatch() {
		return
	}
	for _, p := range c.patches {
		if p.From != klppatch.Static {
			continue // init code makes the structures of these
		}
		c.lastingData("klp_patch", p.At, false)
		for i := range p.Objects {
			o := &p.Objects[i]
			c.lastingData("klp_object "+o.Name, o.At, false)
			c.lastingName(o, objectName, o.At, o.Name)
			if len(o.Funcs) > 0 {
				c.lastingData("the array of klp_func of "+o.Name, o.FuncsAt, true)
			}
			for _, f := range o.Funcs {
				c.lastingName(o, oldName, f.At, f.OldName)
				if passing(f.New.Section) {
					c.find(PatchStructure, fmt.Sprintf("the new function %s is in %s, which is freed once the livepatch is loaded", f.New, f.New.Section)).of(f.OldName).
						fix("no __init").when(Calling, "", "", oops("page fault", ""))
				}
			}
			for _, b := range o.Callbacks {
				c.lastingCallback(o, b)
			}
		}
		c.shared(p)
	}
}

// lastingData: a structure of the patch. klp_complete_transition writes to functions,
// enabled_store and klp_unpatch_object to what is above them. Seen on 6.1.
func (c *checker) lastingData(what string, at elfrw.Range, functions bool) {
	s := at.Section
	if s == nil {
		return
	}
	f := (*Finding)(nil)
	switch {
	case passing(s):
		f = c.find(PatchStructure, fmt.Sprintf("%s is in %s, which is freed once the livepatch is loaded; the kernel uses it until it is removed", what, s)).same(s.Name).
			fix("no __initdata")
	case s.Name == ".data..ro_after_init":
		f = c.find(PatchStructure, fmt.Sprintf("%s is in %s, which can't be written once the livepatch is loaded; the kernel writes there until it is removed", what, s)).same(s.Name).
			fix("no __ro_after_init")
	default:
		return
	}
	when := Enabling // once all tasks are switched over, insmod having succeeded
	if !passing(s) && !functions {
		when = Removing
	}
	f.at(s, at.Offset).when(when, "", "", oops("page fault", ""))
}

// lastingName: a name that is read when its module comes (kernel/livepatch/core.c,
// klp_module_coming, klp_init_object_loaded), from memory that is somebody else's by then.
// Seen on 6.1: the module is not recognized, or its function not found.
func (c *checker) lastingName(o *klppatch.Object, what string, at elfrw.Range, name string) {
	if at.Section == nil || o.Name == klppatch.Vmlinux {
		return
	}
	r := c.pointer(at.Section, at.Offset)
	if r == nil || r.Sym == nil || !passing(r.Sym.Section) {
		return
	}
	f := c.find(PatchStructure, fmt.Sprintf("%s, %q, is in %s, which is freed once the livepatch is loaded: %s is not patched when it comes later", what, name, r.Sym.Section, o.Name)).
		of(name).fix("no __initdata, no __initconst")
	if what == objectName {
		f.when(Coming, o.Name, "")
		return
	}
	f.when(Coming, o.Name, "EINVAL", says("livepatch: symbol '%s' not found in symbol table", blank{"…", `.*`}),
		says("livepatch: failed to initialize patch '%s' for module '%s' (%s)", c.name, o.Name, -22),
		says("livepatch: patch '%s' failed for module '%s', refusing to load module '%s'", c.name, o.Name, o.Name))
}

const objectName, oldName = "klp_object.name", "klp_func.old_name"

// lastingCallback: only pre_patch is certain to be called before init returns, when its
// object is there by then.
func (c *checker) lastingCallback(o *klppatch.Object, b klppatch.Callback) {
	if !passing(b.Section) {
		return
	}
	f := c.find(PatchStructure, fmt.Sprintf("the callback %s, %s, is in %s, which is freed once the livepatch is loaded", b.Name, b.Code, b.Section)).
		of(b.Code.String()).fix("no __init")
	message := oops("page fault", "")
	module := o.Name != klppatch.Vmlinux
	switch {
	case b.Name == "pre_patch" && !module:
		f.Severity = Note
		f.when(Enabling, "", "")
	case module && strings.HasSuffix(b.Name, "_patch"):
		f.when(Coming, o.Name, "killed", message)
	case b.Name == "post_patch":
		f.when(Calling, "", "", message)
	default:
		f.when(Removing, "", "", message)
	}
}

// shared: two objects with one array of functions, each of which the kernel puts into
// the list of both (kernel/livepatch/core.c, klp_init_patch_early).
func (c *checker) shared(p *klppatch.Patch) {
	seen := map[elfrw.Range]string{}
	for i := range p.Objects {
		o := &p.Objects[i]
		if len(o.Funcs) == 0 || o.FuncsAt.Section == nil {
			continue
		}
		if other, has := seen[o.FuncsAt]; has {
			c.sharing[o.Name] = true
			c.find(PatchStructure, fmt.Sprintf("the klp_objects %s and %s have one array of klp_func, which the kernel puts into the lists of both", other, o.Name)).
				at(o.FuncsAt.Section, o.FuncsAt.Offset).fix("an array for each klp_object").when(Enabling, "", "killed", corrupted())
			continue
		}
		seen[o.FuncsAt] = o.Name
	}
}

// onePatch: each klp_patch has a folder of the module's name (kernel/livepatch/core.c,
// klp_init_patch). Seen on 6.1: the second is refused, and when init returns the error,
// the module is freed while the first is enabled: page faults.
func (c *checker) onePatch() {
	static, calls := 0, 0
	for _, p := range c.patches {
		if p.From == klppatch.Static {
			static++
		}
	}
	if static < 2 || !c.info.Livepatch() {
		return
	}
	c.Refers(func(y *elfrw.Symbol) bool { return y.Undefined() && y.Name == "klp_enable_patch" }, func(x elfrw.Reference) bool {
		if t := x.Section.Target; t != nil && t.Flags&uint64(elf.SHF_EXECINSTR) != 0 {
			calls++
		}
		return true
	})
	if calls < 2 {
		return // one of them is chosen
	}
	c.find(PatchStructure, fmt.Sprintf("%d klp_patches, each of which is enabled: a module can have one", static)).
		fix("one klp_patch with the objects of all").
		when(Enabling, "", c.initExists, says("sysfs: cannot create duplicate filename '/kernel/livepatch/%s'", c.name), existsAlready(c.name))
}
