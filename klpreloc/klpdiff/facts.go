// SPDX-License-Identifier: GPL-2.0-or-later

package klpdiff

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
)

// keys are those of .modinfo that the loader or modprobe look at.
var keys = []string{"vermagic", "name", "depends", "livepatch", "import_ns", "license", "intree", "retpoline"}

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
	if s := f.Section(".gnu.linkonce.this_module"); s != nil {
		m["struct module"] = fmt.Sprintf("%d bytes", s.Size())
	}
	if d.Signed {
		m["signature"] = There
	}
	return m
}

// patchFacts are the objects and functions that the module patches.
func patchFacts(d *klpreloc.Description) map[string]string {
	m := map[string]string{}
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
				if fn.Sympos > 1 { // 0 and 1 are the same to the kernel, klp_find_func
					old = fmt.Sprintf("%s,%d", old, fn.Sympos)
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
	return m
}

// versionFacts are the checksums of exports, of either table (include/linux/module.h,
// modversion_info; scripts/mod/modpost.c, add_extended_versions).
func versionFacts(f *elfrw.File) map[string]string {
	const entry = 64
	m := map[string]string{}
	if s := f.Section("__versions"); s != nil {
		for b := s.Data; len(b) >= entry; b = b[entry:] {
			crc := uint64(f.Uint32(b))
			if f.PointerSize() == 8 {
				crc = f.Uint64(b)
			}
			name, _, _ := bytes.Cut(b[f.PointerSize():entry], []byte{0})
			m[string(name)] = fmt.Sprintf("%#08x", crc)
		}
	}
	names, crcs := f.Section("__version_ext_names"), f.Section("__version_ext_crcs")
	if names == nil || crcs == nil {
		return m
	}
	rest := crcs.Data
	for _, name := range bytes.Split(names.Data, []byte{0}) {
		if len(rest) < 4 {
			break
		}
		m[string(name)] = fmt.Sprintf("%#08x", f.Uint32(rest))
		rest = rest[4:]
	}
	return m
}
