// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

// beside is what is found next to a mistake, which TestMistakes makes alone otherwise, and
// why that is a second cause.
var beside = map[string]string{
	"checksum":           "KLP114", // the table lacks klp_enable_patch, too
	"module_layout":      "KLP114", // likewise
	"license":            "KLP136", // klp_enable_patch has another name there
	"late in .init":      "KLP136", // the function as well as its relocations
	"names in init data": "KLP136", // an object's name and a function's
}

// alone is what may be found of a mistake: its id, once.
func alone(m mistake, name string) []string {
	all := strings.Fields(beside[name])
	if !m.note {
		all = append(all, string(m.id))
	}
	slices.Sort(all)
	return append([]string{}, all...)
}

// problems are the ids of the findings that are no notes, sorted.
func problems(r *loader.Report) []string {
	var all []string
	for _, f := range r.Findings {
		if f.Severity == diag.Error {
			all = append(all, string(f.ID))
		}
	}
	slices.Sort(all)
	return append([]string{}, all...)
}

// TestPlacesOfOneFinding: what is found at several places is one finding that lists them.
func TestPlacesOfOneFinding(t *testing.T) {
	for name, want := range map[string][]string{
		"pos 0 on ambiguous, 6.1 6.12":        {".klp.rela.vmlinux..text.a_fn+0x8"},
		"position is no number, 6.1 6.12":     {".klp.rela.vmlinux..text.a_fn+0x8"},
		"klp symbol left undefined, 6.1 6.12": nil,
		"section index":                       nil,
		"klp_patch in init data": {".init.data+0xc8", ".init.data+0x2c0",
			".init.data+0x170", ".init.data+0x3f0"},
		"module symbol in vmlinux section, 6.1 6.12": {".klp.rela.vmlinux..text.a_fn+0x8"},
	} {
		t.Run(name, func(t *testing.T) {
			m, known := mistakes[name]
			require.True(t, known)
			w := good()
			if m.world != nil {
				m.world(&w)
			}
			f := w.convert(t)
			if m.edit != nil {
				m.edit(t, f)
			}
			r := w.check(t, encode(t, f))
			i := slices.IndexFunc(r.Findings, func(f diag.Diagnostic) bool { return f.ID == m.id })
			require.GreaterOrEqual(t, i, 0)
			assert.Equal(t, want, r.Findings[i].Places)
		})
	}
}
