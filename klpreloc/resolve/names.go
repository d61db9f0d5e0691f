// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"strings"

	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// checkNames reports whether the kernel can read the names in a, and gives objects the names
// that they have in the kernel.
func checkNames(r *diag.Reporter, a *annotation.Annotation, target kernel.Version) bool {
	same := a.LPObject == a.Object // of records, and of most labels
	ok := checkObject(r, a, &a.LPObject)
	if same {
		a.Object = a.LPObject
	} else {
		ok = checkObject(r, a, &a.Object) && ok
	}
	if a.Name == ".TOC." {
		r.Add(diag.Errorf(diag.BadName, a.Place(), a.Name,
			".TOC. is each module's own and can't be annotated"))
		return false
	}
	if err := klpabi.CheckName(a.Name, target); err != nil {
		r.Add(diag.Errorf(diag.BadName, a.Place(), diag.Clip(a.Name), "%s: %v",
			diag.SymbolName(a.Symbol), err))
		return false
	}
	return ok
}

// checkObject is checkNames for one of its objects.
func checkObject(r *diag.Reporter, a *annotation.Annotation, object *string) bool {
	if err := klpabi.CheckObject(*object); err != nil {
		if *object != "" && r.AddPlace(diag.BadObject, *object, a.Place(), diag.SymbolName(a.Symbol)) {
			return false // an empty one is a mistake of its own
		}
		d := diag.Errorf(diag.BadObject, a.Place(), diag.SymbolName(a.Symbol), "%s: %v",
			diag.SymbolName(a.Symbol), err)
		if base, _, cut := strings.Cut((*object)[:min(len(*object), klpabi.ObjectLimit+1)], "."); cut &&
			base != "" {
			d = d.Hint("the object is called %s", klpabi.ModuleName(base))
		}
		r.AddFor(*object, d)
		return false
	}
	if folded := klpabi.ModuleName(*object); folded != *object {
		if !r.AddPlace(diag.ObjectDash, *object, a.Place(), diag.SymbolName(a.Symbol)) {
			r.AddFor(*object, diag.Notef(diag.ObjectDash, a.Place(), diag.SymbolName(a.Symbol),
				"object %q is called %q in the kernel", *object, folded))
		}
		*object = folded
	}
	return true
}
