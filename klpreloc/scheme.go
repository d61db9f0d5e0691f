// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"fmt"

	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/resolve"
)

// chooseScheme decides how the kernel will apply what is converted, and says why: --target
// says it, or else the kernel that was given, or else the module.
func chooseScheme(set *annotation.Set, view *resolve.View, target kernel.Version,
) (kernel.Scheme, diag.List) {
	if !set.Annotated() && view.Table() == nil {
		return kernel.SchemeEarly, nil
	}
	var r diag.Reporter
	scheme, why, ok := schemeOf(set, view, target)
	if !ok {
		r.Add(diag.Errorf(diag.OldKernel, diag.Nowhere, "",
			"the module is for kernel %s (%s); kernels before 4.7 know no klp relocations",
			view.Target(), why))
		return kernel.SchemeEarly, r.List()
	}
	magic := set.Modinfo.Release()
	unsure := scheme != kernel.SchemeEarly && target == (kernel.Version{}) && view.Table() == nil &&
		kernel.VendorEarly(magic)
	switch {
	case unsure:
		r.Add(diag.Warnf(diag.SchemeChosen, diag.Nowhere, "",
			"for kernels %s, as vermagic %q says; but kernels of that vendor carry the scheme of 5.8 under such a version",

			scheme, diag.Clip(magic)).
			Hint("--target 5.8, or --kernel with that kernel's files").
			Hint("--target %s, if it is one of the older ones", view.Target()))
	case scheme != kernel.SchemeEarly || set.Annotated():
		r.Add(diag.Notef(diag.SchemeChosen, diag.Nowhere, "", "for kernels %s (%s)", scheme, why))
	}
	return scheme, r.List()
}

func schemeOf(set *annotation.Set, view *resolve.View, target kernel.Version,
) (scheme kernel.Scheme, why string, ok bool) {
	switch {
	case target != (kernel.Version{}):
		scheme, ok = target.Scheme()
		return scheme, "--target " + target.String(), ok
	case view.Table() != nil:
		if s, name, ok := kernel.SchemeBySymbols(view.Target(), view.Table()); ok {
			return s, fmt.Sprintf("%s of kernel %s", name, view.Title()), true
		}
	}
	scheme, ok = view.Target().Scheme()
	return scheme, schemeSource(set.Modinfo), ok
}

// schemeSource says what in the module tells the scheme of its kernel.
func schemeSource(m klpabi.Modinfo) string {
	magic, found := m.Value("vermagic")
	switch _, readable := kernel.ParseVersion(magic); {
	case !found:
		return "no vermagic, so the newest"
	case !readable:
		return fmt.Sprintf("vermagic %q, which names no version, so the newest", diag.Clip(magic))
	}
	return fmt.Sprintf("vermagic %q", diag.Clip(m.Release()))
}
