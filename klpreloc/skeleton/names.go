// SPDX-License-Identifier: GPL-2.0-or-later

package skeleton

import (
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/sympos"
)

// One file of C has the names of three: what it defines itself, the replacements, and the symbols
// of the kernel that are used. None of them may be another one.

// ownNames are those that every file has. module_init makes init_module, module_exit
// cleanup_module, and __this_module is the module's own (include/linux/module.h).
const ownNames = "ready registered patch objs borrowed livepatch_init livepatch_exit " +
	"init_module cleanup_module __this_module"

// arrayOf returns the name of the array of annotations for an object.
func arrayOf(object string) string { return annotation.Alias(object + "_syms") }

// funcsOf returns the name of the array of klp_funcs of an object.
func funcsOf(object string) string { return annotation.Alias("funcs_of_" + object) }

// isOwn reports whether the file defines the name, beside replacements.
func (p *plan) isOwn(name string) bool {
	if slices.Contains(strings.Fields(ownNames), name) || name == funcsOf(sympos.Vmlinux) {
		return true
	}
	return slices.ContainsFunc(append(slices.Clone(p.Functions), p.Uses...), func(r Ref) bool {
		return name == arrayOf(r.Object) || name == funcsOf(r.Object)
	})
}

// newName returns a name for the replacement that nothing else in the file has.
func (p *plan) newName(r Ref) string {
	name := "livepatch_" + r.Name
	isTaken := func() bool {
		return p.isOwn(name) || slices.ContainsFunc(p.functions, func(f function) bool {
			return f.newName == name
		}) || slices.ContainsFunc(p.Uses, func(u Ref) bool { return u.Name == name })
	}
	for n := 2; isTaken(); n++ {
		name = fmt.Sprintf("livepatch_%s_%d", r.Name, n)
	}
	return name
}

// isNameable reports whether the file can use the symbol under its name. If it can't, it says so.
func (p *plan) isNameable(r Ref) bool {
	const advice = "declare it by hand, under another name, with KLP_RELOC_SYMBOL"
	if p.isOwn(r.Name) {
		p.refuse(r, "the file that is written defines %s itself: %s", r.Name, advice)
		return false
	}
	for _, u := range p.uses {
		if u.Name == r.Name {
			p.refuse(r, "%s has the same name, and a name means one symbol in C: %s", u.Ref, advice)
			return false
		}
	}
	return true
}

// checkName refuses a name that a module of the kernel has: the kernel loads one of a name only
// (kernel/module/main.c, add_unformed_module), and the parameters of what is built in have its
// name in /sys/module (kernel/module/sysfs.c, mod_sysfs_init).
func (p *plan) checkName() error {
	name := sympos.ModuleName(p.Name)
	switch {
	case name == sympos.Vmlinux:
		return fmt.Errorf("a module can't be called %s: choose another directory", name)
	case p.Kernel.Presence(name) == sympos.Present:
		return fmt.Errorf("the kernel has a module %s, and loads one of a name only: choose another "+
			"directory", name)
	case p.Kernel.Presence(name) == sympos.BuiltIn:
		return fmt.Errorf("%s is part of the kernel, which takes no module of that name: choose "+
			"another directory", name)
	}
	return nil
}
