// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"fmt"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
)

// checkBuilds: the builds of livepatched modules that the livepatch is for (klp_target=), and
// those that the kernel has: of the module's file, and of what is loaded. No kernel compares
// them: code that was compiled for one build's structures runs with another's.
func checkBuilds(m *view, k *facts) (out result) {
	builds := map[string][]string{}
	var modules []string
	for _, t := range m.info.Targets() {
		if builds[t.Module] == nil {
			modules = append(modules, t.Module)
		}
		builds[t.Module] = append(builds[t.Module], t.ID)
	}
	slices.Sort(modules)
	for _, name := range modules {
		if name == sympos.Vmlinux || m.complete() && !m.patchesObject(name) ||
			k.Presence(name) == sympos.BuiltIn || k.Presence(name) == sympos.Absent {
			continue // other rules report a module that does not exist
		}
		ids := builds[name]
		if k.modules[name] == nil {
			out.notJudged("whether "+name+" is the build that the livepatch is for",
				"its file is not available")
		} else {
			compareBuild(&out, k, name, ids, k.table.ModuleBuild(name), diag.Printable(k.paths[name]))
		}
		if build, loaded := k.LoadedBuild(name); loaded {
			compareBuild(&out, k, name, ids, build, "the "+name+" that is loaded")
		}
	}
	return out
}

// compareBuild reports a build that is none of those that the livepatch is for.
func compareBuild(out *result, k *facts, name string, ids []string, build sympos.Build,
	what string) {
	theirs := ""
	for _, id := range ids {
		same, known := build.Is(id)
		if same {
			return
		}
		if known {
			theirs = build.Like(id)
		}
	}
	if theirs == "" {
		out.notJudged("whether "+what+" is the build that the livepatch is for",
			"nothing in it tells its build-id or srcversion")
		return
	}
	out.add(problem(diag.OtherTarget, fmt.Sprintf("the livepatch is for build %s of %s, and %s is "+
		"build %s", diag.ClipEither(ids), name, what, theirs)).of(name).
		because(name+" "+what).
		fix("build the livepatch again for that %s, and convert it with --kernel %s", name,
			diag.ShellQuote(k.Name)).
		when(diag.Calling, "", ""))
}
