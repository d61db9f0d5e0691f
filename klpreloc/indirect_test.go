// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
)

// objtool of 5.13 to 5.15 wrote alternatives whose replacement is in the kernel. What
// becomes of a klp symbol there is asked for with --unsafe only, and the proof finds it
// by itself.
func TestProofFindsAKlpSymbolAsAReplacement(t *testing.T) {
	for _, object := range []string{"vmlinux", "a"} {
		f := patched(t, "a", map[string]string{"a_fn": "exported"})
		alternatives(t, f, alternative("a_fn", 0, "sym"))
		record1(t, f, object, "sym", 0)
		before := encode(t, f)

		options := early
		options.Unsafe = true
		g := parse(t, before)
		plan, found := klpreloc.NewPlan(g, options)
		require.False(t, found.Failed(), "%v", found)
		assert.Equal(t, diag.Warning, the(t, diag.SpecialSection, found).Severity)
		require.NoError(t, plan.Apply())
		after := encode(t, g)
		answers := plan.Claims
		require.NoError(t, proof.Check(parse(t, before), parse(t, after), answers, nil))
		answers.Unsafe = false
		assert.ErrorContains(t, proof.Check(parse(t, before), parse(t, after), answers, nil),
			"in what the kernel has patched by then")
	}
}
