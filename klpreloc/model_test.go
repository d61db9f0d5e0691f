// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loadermodel"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
)

// What is converted, loaded by a model of the kernel's loader that shares no code
// with the converter: 4.19 patches alternatives before klp relocations are there,
// and again what is in .klp.arch.

// refusedFor says which fixtures can't be converted for a scheme.
var refusedFor = map[string][]string{
	"4.19": {"alt-both", "alt-two-modules", "jump-label"},
	"6.1":  {"alt-module", "alt-site-module", "two-objects", "alt-both", "alt-two-modules"},
}

func TestModelOfTheLoaderAgrees(t *testing.T) {
	for directory, scheme := range map[string]loadermodel.Scheme{"4.19": loadermodel.Linux419,
		"6.1": loadermodel.Linux61} {
		for _, fixture := range loadermodel.Fixtures {
			t.Run(directory+"/"+fixture.Name, func(t *testing.T) {
				before := contents(t, "arch/"+directory+"/"+fixture.Name+".ko")
				f := parse(t, before)
				plan, found := klpreloc.NewPlan(f, klpreloc.Options{})
				if slices.Contains(refusedFor[directory], fixture.Name) {
					require.True(t, found.Failed())
					assert.NotEmpty(t, with(diag.SpecialSection, found), "%v", found)
					return
				}
				require.False(t, found.Failed(), "%v", found)
				require.NoError(t, plan.Apply())
				after := encode(t, f)
				require.NoError(t, proof.Check(parse(t, before), parse(t, after), plan.Claims, nil))
				assert.NoError(t, loadermodel.CheckAll(before, after, fixture.Scenario(scheme)))
				if directory == "6.1" {
					for _, s := range f.Sections {
						assert.False(t, strings.HasPrefix(s.Name, ".klp.arch."), "no kernel reads %s since 5.8", s)
					}
				}
			})
		}
	}
}
