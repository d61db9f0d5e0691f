// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
)

// Builds says which build of each livepatched module was looked at, for .modinfo. A module that
// .modinfo has an entry of gets no other one: what an author wrote, and what an earlier
// conversion found, stays. vmlinux, of which vermagic tells the release, gets none, nor does a
// module whose file is not available, or has neither a build-id nor srcversion.
func Builds(v *View) (add []klpabi.Target, found diag.List) {
	if v.table == nil || v.options.NoTargetID || !v.set.Modinfo.Livepatch() {
		return nil, nil
	}
	var r diag.Reporter
	mine := v.set.Modinfo.Targets()
	for _, module := range v.objects {
		if module == vmlinux || !v.patches(module) || v.table.Facts(module).Kind != sympos.ModuleFile {
			continue
		}
		build := v.table.ModuleBuild(module)
		written := slices.DeleteFunc(slices.Clone(mine), func(t klpabi.Target) bool {
			return t.Module != module
		})
		switch {
		case len(written) > 0:
			v.compareTargets(&r, module, written, build)
		case v.infers() && build.Identity() != "":
			add = append(add, klpabi.Target{Module: module, ID: build.Identity()})
		}
	}
	return add, r.List()
}

// compareTargets warns where none of the entries for a module is the build that was looked at.
func (v *View) compareTargets(r *diag.Reporter, module string, written []klpabi.Target,
	build sympos.Build,
) {
	var ids []string
	for _, t := range written {
		same, known := build.Is(t.ID)
		if same || !known {
			return
		}
		ids = append(ids, t.ID)
	}
	r.Add(diag.Warnf(diag.TargetBuild, diag.Nowhere, module,
		"the module is for build %s of %s (klp_target= in .modinfo), and symbols are looked up in build %s",
		diag.ClipEither(ids), module, build.Identity()))
}
