// SPDX-License-Identifier: GPL-2.0-or-later

package klpabi

import "strings"

// A livepatch says in .modinfo which build of each module that it patches was looked at when it
// was converted:
//
//	klp_target=ext4:721ba523aee7021d40001edd1e3ff5ceb9541d86
//	           │    └ build-id or, of a module without one, srcversion
//	           └ the module, as the kernel calls it
//
// No kernel reads the key: the loader looks for the keys that it knows (kernel/module/main.c,
// get_next_modinfo). A module may be in several entries: then the livepatch is for each of these
// builds. An author writes that as MODULE_INFO(klp_target, "ext4:…").

const targetKey = "klp_target"

// Target is one build of a module that a livepatch is for.
type Target struct {
	Module string
	ID     string // see sympos.Build
}

// String returns the target as it is in .modinfo.
func (t Target) String() string { return t.Module + ":" + t.ID }

// Targets returns the builds that the livepatch is for, in their order. Entries of another form
// are left out.
func (m Modinfo) Targets() []Target {
	var all []Target
	for _, value := range m.Values(targetKey) {
		module, id, ok := strings.Cut(value, ":")
		if ok && module != "" && id != "" {
			all = append(all, Target{ModuleName(module), id})
		}
	}
	return all
}
