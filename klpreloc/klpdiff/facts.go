// SPDX-License-Identifier: GPL-2.0-or-later

package klpdiff

import (
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
)

// keys are those of .modinfo that the loader or modprobe look at.
var keys = []string{"vermagic", "name", "depends", "livepatch", "import_ns", "license", "intree",
	"retpoline"}

// moduleFacts are what the loader checks before it looks at symbols.
func moduleFacts(f *elfrw.File, d *klpreloc.Description) map[string]string {
	m := map[string]string{"machine": d.Machine}
	for _, e := range d.Modinfo {
		key, value, _ := strings.Cut(e, "=")
		if !slices.Contains(keys, key) {
			continue
		}
		if value == "" {
			value = "none"
		}
		if m[key] != "" { // namespaces
			value = m[key] + ", " + value
		}
		m[key] = value
	}
	if s := f.Section(sympos.ThisModule); s != nil {
		m["struct module"] = fmt.Sprintf("%d bytes", s.Size())
	}
	if d.Signed {
		m["signature"] = There
	}
	return m
}

// patchFacts are the objects and functions that the module patches, and the positions of those
// that are the first or the only one of their name.
func patchFacts(d *klpreloc.Description) (m map[string]string, firsts map[string]uint64) {
	m, firsts = map[string]string{}, map[string]uint64{}
	for i, p := range d.Patches {
		prefix := ""
		if i > 0 {
			prefix = fmt.Sprintf("patch %d: ", i+1)
		}
		if p.Replace != nil {
			m[prefix+"replaces all others"] = map[bool]string{false: "no", true: "yes"}[*p.Replace]
		}
		for _, o := range p.Objects {
			m[prefix+"object "+o.Name] = There
			for _, fn := range o.Functions {
				old := fn.Old
				if fn.Sympos > 1 {
					old = fmt.Sprintf("%s,%d", old, fn.Sympos)
				} else { // the same function, see Difference.firsts
					firsts[prefix+o.Name+": "+old] = fn.Sympos
				}
				m[prefix+o.Name+": "+old] = fn.New
			}
			for _, c := range o.Callbacks {
				name, function, _ := strings.Cut(c, " ")
				m[prefix+o.Name+": ("+name+")"] = function
			}
		}
	}
	if d.PatchDoubt != "" {
		m["not all can be read"] = There
	}
	return m, firsts
}

// versionFacts are the checksums of exports, of either table.
func versionFacts(f *elfrw.File) map[string]string {
	m := map[string]string{}
	list, _ := klpabi.ReadChecksums(f)
	for _, c := range list {
		if c.Known {
			m[c.Name] = fmt.Sprintf("%#08x", c.CRC)
		}
	}
	return m
}
