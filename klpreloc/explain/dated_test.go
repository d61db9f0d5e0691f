// SPDX-License-Identifier: GPL-2.0-or-later

package explain_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/explain"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

// Versions in the texts are those of the rules of other packages.
func TestDatesAreThoseOfTheRules(t *testing.T) {
	x := explain.Text("sysfs: cannot create duplicate filename '/kernel/livepatch/ccc_0_6/vmlinux/somefunc,1'")
	require.Len(t, x, 1)
	require.NotEmpty(t, x[0].Causes)
	assert.Contains(t, x[0].Causes[0].Why, "Before "+kernel.FirstIsOnly+" the kernel does not treat them")
	assert.Contains(t, x[0].Causes[0].Why, "old_sympos 0 where this one has 1")

	// For an object it is not the likeliest cause.
	x = explain.Text("sysfs: cannot create duplicate filename '/kernel/livepatch/lp/vmlinux'")
	require.Len(t, x, 1)
	assert.Contains(t, x[0].Causes[0].Why, "two klp_objects of one name")
}
