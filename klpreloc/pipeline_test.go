// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
)

// convert converts a module that must convert, and proves the result.
func convert(t testing.TB, before []byte) []byte {
	t.Helper()
	f := parse(t, before)
	plan, found := klpreloc.NewPlan(f, klpreloc.Options{})
	require.False(t, found.Failed(), "%v", found)
	require.NoError(t, plan.Apply())
	after := encode(t, f)
	require.NoError(t, proof.Check(parse(t, before), parse(t, after), proof.Claims{}, nil))
	return after
}

// converted converts an edited module.
func converted(t testing.TB, f *elfrw.File) *elfrw.File {
	return parse(t, convert(t, encode(t, f)))
}

// ids returns which diagnostics of that severity NewPlan has for f; that the small
// modules here have no klp_patch is none, nor is the scheme.
func ids(t testing.TB, f *elfrw.File, severity diag.Severity) []diag.ID {
	t.Helper()
	plan, found := klpreloc.NewPlan(reread(t, f), klpreloc.Options{})
	require.Equal(t, found.Failed(), plan == nil, "a plan, or an error")
	var r []diag.ID
	for _, d := range found {
		if d.Severity == severity && d.ID != diag.PatchUnreadable && d.ID != diag.SchemeChosen {
			r = append(r, d.ID)
		}
	}
	return r
}
