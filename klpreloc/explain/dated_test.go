// SPDX-License-Identifier: GPL-2.0-or-later

package explain_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/explain"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

// What is dated here is what the other packages go by.
func TestDatesAreThoseOfTheRules(t *testing.T) {
	x := explain.Text("sysfs: cannot create duplicate filename '/kernel/livepatch/ccc_0_6/vmlinux/somefunc,1'")
	require.Len(t, x, 1)
	require.NotEmpty(t, x[0].Causes)
	assert.Contains(t, x[0].Causes[0].Why, "Before "+kernel.FirstIsOnly+" the kernel does not see")
	assert.Contains(t, x[0].Causes[0].Why, "old_sympos 0 where this one has 1")

	// Of an object it is not the likeliest.
	x = explain.Text("sysfs: cannot create duplicate filename '/kernel/livepatch/lp/vmlinux'")
	require.Len(t, x, 1)
	assert.Contains(t, x[0].Causes[0].Why, "Two klp_objects of one name")
}
