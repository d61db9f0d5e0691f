// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/klpreloc/annotation"
)

func TestParseLabel(t *testing.T) {
	const p, pf = ".klp.sym.rela.", ".klp.sym.file."
	long := strings.Repeat("n", 512)
	for label, want := range map[string]string{
		p + "vmlinux.vmlinux.foo,0":        "vmlinux vmlinux foo 0",
		p + "vmlinux.vmlinux.foo.0":        "vmlinux vmlinux foo 0",
		p + "ext4.jbd2.foo.isra.0,2":       "ext4 jbd2 foo.isra.0 2",
		p + "ext4.jbd2.foo.isra.0.2":       "ext4 jbd2 foo.isra.0 2",
		p + "a.b..foo.1":                   "a b .foo 1",
		p + "a.b.7.1":                      "a b 7 1",
		p + "a.b.foo,0010":                 "a b foo 10",
		p + "a.b.foo,4294967295":           "a b foo 4294967295",
		`"` + p + `a.b.foo,1"`:             "a b foo 1",
		`"` + p + `a.b.foo.1"`:             "a b foo 1",
		p + "..foo.1":                      "  foo 1", // refused later, by name
		p + "a.b..1":                       "a b  1",
		p + "a.b.x,y,1":                    "a b x,y 1",
		p + "a.b." + long + ".1":           "a b " + long + " 1",
		p:                                  "",
		p + "a":                            "",
		p + "a.b":                          "",
		p + "a.b.foo":                      "",
		p + "a.b.foo.":                     "",
		p + "a.b.foo,":                     "",
		p + "a.b.foo,x":                    "",
		p + "a.b.foo,1,x":                  "",
		p + "a.b.foo,bar.1":                "",
		p + "a.b.foo,+1":                   "",
		p + "a.b.foo,-1":                   "",
		p + "a.b.foo,1_0":                  "",
		p + "a.b.foo,4294967296":           "",
		p + "a.b.foo,99999999999999999999": "",
		p + `a.b.foo,1"`:                   "",
		`"` + p + "a.b.foo,1":              "",
		`"`:                                "",
		pf + "vmlinux.vmlinux.show/drivers/pnp/interface.c": "vmlinux vmlinux show drivers/pnp/interface.c",
		pf + "ext4.jbd2.foo.isra.0/super.c":                 "ext4 jbd2 foo.isra.0 super.c",
		`"` + pf + `a.b.foo/x-y+z/f.c"`:                     "a b foo x-y+z/f.c",
		pf + "a.b.foo//etc/f.c":                             "a b foo /etc/f.c", // refused later, by path
		pf + "a.b.foo/":                                     "a b foo ",
		pf + "a.b./f.c":                                     "a b  f.c",
		pf + "a.b.foo/d,1/f.c":                              "a b foo d,1/f.c",
		pf:                                                  "",
		pf + "a/f.c":                                        "",
		pf + "a.b/c.d/f.c":                                  "",
		pf + "a.b.foo":                                      "",
		pf + "a.b.foo.1":                                    "",
		`"` + pf + "a.b.foo/f.c":                            "",
		pf + "a.b.foo/" + strings.Repeat("a/", 1<<20): "",
		p + strings.Repeat("a.", 1<<20):               "",
	} {
		a, err := annotation.ParseLabel(label)
		if want == "" {
			if assert.Error(t, err, "%.40q", label) {
				assert.Less(t, len(err.Error()), 300)
			}
			continue
		}
		if assert.NoError(t, err, "%.40q", label) {
			which, dialect := fmt.Sprint(a.Pos), annotation.Labels
			if strings.Contains(label, pf) {
				which, dialect = a.File, annotation.FileLabels
				assert.Zero(t, a.Pos)
			}
			assert.Equal(t, want, fmt.Sprintf("%s %s %s %s", a.LPObject, a.Object, a.Name, which),
				"%.40q", label)
			assert.Equal(t, dialect, a.Dialect)
		}
	}
}
