// SPDX-License-Identifier: GPL-2.0-or-later

package latereloc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/gate"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/latereloc"
)

// A relocation in a table that the kernel has read works when the module loader applies it,
// and does not when it waits for its object.
func TestJudgeInATable(t *testing.T) {
	f := testmodule.Open(t, "../../testdata/special/x86_64-6.1.ko")
	unnamed := func(*elfrw.Symbol) string { return "" }
	judged := 0
	for _, table := range []string{"__jump_table", ".static_call_sites"} {
		s := f.Section(table)
		if s == nil {
			continue
		}
		for _, rs := range f.Sections {
			if rs.Target != s || !rs.HasRelocs() || rs.NumRelocs() == 0 {
				continue
			}
			r := rs.Reloc(0)
			early := gate.NewRules(f, klppatch.Declared(f), kernel.SchemeEarly)
			rules := latereloc.NewRules(f, early, unnamed, true)
			v := rules.Judge(s, &r, "vmlinux")
			assert.True(t, v.Works(), table)
			v = rules.Judge(s, &r, "ext4")
			assert.False(t, v.Works(), table)
			late := gate.NewRules(f, klppatch.Declared(f), kernel.SchemeLate)
			v = latereloc.NewRules(f, late, unnamed, true).Judge(s, &r, "vmlinux")
			assert.False(t, v.Works(), table)
			judged++
		}
	}
	require.Positive(t, judged)
}

// An alternative goes to .klp.arch where kernels read that, and is in the way elsewhere.
func TestJudgeAtAnAlternative(t *testing.T) {
	f := testmodule.Open(t, "../../testdata/special/x86_64-4.19.ko")
	none := func(*elfrw.Symbol) string { return "" }
	judged := 0
	for scheme, archable := range map[kernel.Scheme]bool{
		kernel.SchemeLate: true, kernel.SchemeLateBare: false, kernel.SchemeEarly: false,
	} {
		gates := gate.NewRules(f, klppatch.Declared(f), scheme)
		rules := latereloc.NewRules(f, gates, none, true)
		for _, table := range gates.Special().All {
			if table.Section.Name != ".altinstructions" || table.Len() == 0 {
				continue
			}
			site := table.Entry(0).Site
			v := rules.Judge(site.Section, &elfrw.Rela{Offset: site.Offset, Type: 2}, "ext4")
			assert.Equal(t, archable, v.Works(), scheme)
			if archable && assert.NotEmpty(t, v.Cuts) {
				assert.Equal(t, "ext4", v.Cuts[0].Object)
				assert.Equal(t, ".klp.arch.ext4..altinstructions", latereloc.ArchName("ext4", table))
			}
			judged++
		}
	}
	require.Equal(t, 3, judged)
}
