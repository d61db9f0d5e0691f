// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
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
	written := map[string][]string{} // ids, by module
	for _, t := range v.set.Modinfo.Targets() {
		written[t.Module] = append(written[t.Module], t.ID)
	}
	for _, module := range v.objects {
		if module == vmlinux || !v.patches(module) || v.table.Facts(module).Kind != sympos.ModuleFile {
			continue
		}
		build := v.table.ModuleBuild(module)
		switch ids := written[module]; {
		case len(ids) > 0:
			v.compareBuild(&r, module, ids, build)
		case v.infers() && build.Identity() != "":
			add = append(add, klpabi.Target{Module: module, ID: build.Identity()})
		}
	}
	return add, r.List()
}

// compareBuild warns where none of the builds that .modinfo names is the one that was looked at.
func (v *View) compareBuild(r *diag.Reporter, module string, ids []string, build sympos.Build) {
	for _, id := range ids {
		if same, known := build.Is(id); same || !known {
			return
		}
	}
	r.Add(diag.Warnf(diag.TargetBuild, diag.Nowhere, module,
		"the module is for build %s of %s (klp_target= in .modinfo), and symbols are looked up in build %s",
		diag.ClipEither(ids), module, build.Identity()))
}
