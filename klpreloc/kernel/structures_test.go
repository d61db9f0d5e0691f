// SPDX-License-Identifier: GPL-2.0-or-later

package kernel_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

// The sizes on both sides of each version that changed them.
func TestStructuresByVersion(t *testing.T) {
	for version, want := range map[string][3]uint64{
		"4.6": {0, 0, 0}, "4.7": {104, 96, 120}, "4.11": {104, 96, 120}, "4.12": {144, 96, 144},
		"4.14": {144, 96, 144}, "4.15": {144, 136, 144}, "4.16": {136, 136, 136}, "5.0": {136, 136, 136},
		"5.1": {192, 168, 152}, "5.4": {192, 168, 152}, "5.5": {200, 168, 152}, "7.3": {200, 168, 152},
	} {
		v, ok := kernel.ParseVersion(version)
		require.True(t, ok)
		s := v.Structures()
		assert.Equal(t, want, [3]uint64{s.Patch, s.Object, s.Func}, version)
	}
	assert.Equal(t, kernel.AllStructures()[0], kernel.Version{}.Structures(), "the newest")
}

// klp_patch.replace came together with a longer klp_object, in 5.1.
func TestReplaceShowsInTheSizeOfObjects(t *testing.T) {
	for version, want := range map[string]bool{"4.16": false, "5.0": false, "5.1": true, "7.3": true} {
		v, ok := kernel.ParseVersion(version)
		require.True(t, ok)
		assert.Equal(t, want, v.Replaces(), version)
		assert.Equal(t, want, kernel.ObjectReplaces(v.Structures().Object, true), version)
		assert.Equal(t, want, kernel.ObjectReplaces(v.Structures().Object32, false), version)
	}
}
