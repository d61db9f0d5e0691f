// SPDX-License-Identifier: GPL-2.0-or-later

package gate

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// CheckApplied refuses klp relocation sections for objects that the patch does not have; gates
// are the objects that have such sections, each once. The kernel looks at the sections of its
// own objects, one after the other, and never at any other: nothing is printed, and the code
// uses the address 0 (kernel/livepatch/core.c, klp_init_object_loaded).
func (g *Rules) CheckApplied(gates []string, unsafe bool) diag.List {
	var r diag.Reporter
	unchecked := false
	for _, gate := range gates {
		switch {
		case !g.Late(gate), g.declared.Has(gate):
		case !g.declared.Complete():
			unchecked = true
		case unsafe:
			r.Add(diag.Warnf(diag.NeverApplied, diag.Nowhere, "",
				"klp relocations for %s will never be applied: the patch has no klp_object for it; converted anyway (--unsafe)",

				gate))
		case gate == vmlinux:
			r.Add(diag.Errorf(diag.NeverApplied, diag.Nowhere, "",
				"klp relocations for vmlinux would never be applied: before 5.8 that needs a klp_object "+
					"without a name, and the patch has none").
				Hint("static struct klp_func no_vmlinux_funcs[] = { { } };").
				Hint("{ .funcs = no_vmlinux_funcs },   /* in the array of struct klp_object */"))
		default:
			r.Add(diag.Errorf(diag.NeverApplied, diag.Nowhere, "",
				"klp relocations for %s would never be applied: the patch has no klp_object of that name (it "+
					"has %s), and the kernel would print nothing", gate, g.declaredObjects()).
				Hint("static struct klp_func no_%s_funcs[] = { { } };", gate).
				Hint("{ .name = %q, .funcs = no_%s_funcs },   /* in the array of struct klp_object */",
					gate, gate))
		}
	}
	if !unchecked {
		return r.List()
	}
	const so = "whether it has an object for every klp relocation section is not checked, and " +
		"functions are assigned to the objects that annotations name"
	if g.declared.None() {
		r.Add(diag.Notef(diag.PatchUnreadable, diag.Nowhere, "", "the module declares no klp_patch: "+so))
		return r.List()
	}
	r.Add(diag.Warnf(diag.PatchUnreadable, diag.Nowhere, "",
		"the module's klp_patch can't be read (%v): "+so, g.declared.Doubt()))
	return r.List()
}

// declaredObjects lists the patch's objects.
func (g *Rules) declaredObjects() string {
	var all []string
	for o := range g.declared.Objects() {
		all = append(all, o)
	}
	if len(all) == 0 {
		return "none"
	}
	slices.Sort(all)
	return diag.ClipList(all)
}
