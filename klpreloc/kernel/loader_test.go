// SPDX-License-Identifier: GPL-2.0-or-later

package kernel_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

// of returns the facts of the kernel of a release.
func of(t *testing.T, release string) kernel.Loader {
	t.Helper()
	v, ok := kernel.ParseVersion(release)
	require.True(t, ok, release)
	scheme, _ := v.Scheme()
	return kernel.LoaderOf(v, scheme, release)
}

// Stable kernels took changes in the middle of a series: the third number tells, where the
// release has it.
func TestFactsOfStableKernels(t *testing.T) {
	for release, want := range map[string][2]bool{ // ELFValidity, IgnoresGOT
		"4.18.20":              {false, false},
		"4.19.78":              {false, false},
		"4.19.300":             {false, true},
		"4.19.0-27-amd64":      {false, true},
		"5.4.0":                {false, false},
		"5.4.108":              {false, true},
		"5.4.109":              {true, true},
		"5.4.286":              {true, true},
		"5.4.0-150-generic":    {true, true},
		"5.4.277-1.el8.elrepo": {true, true},
		"5.7.19":               {false, false},
		"5.10.26":              {false, true},
		"5.10.262":             {true, true},
		"5.10.0-46-amd64":      {true, true},
		"5.11.10":              {false, true},
		"5.11.11":              {true, true},
		"5.12.1":               {true, true},
		"7.3.4":                {true, true},
	} {
		l := of(t, release)
		assert.Equal(t, want, [2]bool{l.ELFValidity, l.IgnoresGOT}, release)
	}
}

// What changed with a version of mainline, on both sides of it.
func TestFactsByVersion(t *testing.T) {
	type fact func(l kernel.Loader) bool
	for name, c := range map[string]struct {
		before, since string
		fact          fact
		isOld         bool // it is true before
	}{
		"the name vmlinux": {"5.7.1", "5.8.1",
			func(l kernel.Loader) bool { return l.RefusesVmlinux }, false},
		"jump labels": {"4.19.1", "4.20.1",
			func(l kernel.Loader) bool { return l.JumpLabelFaults }, true},
		"paravirt": {"5.1.1", "5.2.1",
			func(l kernel.Loader) bool { return l.ParavirtBug }, false},
		"signatures": {"5.3.1", "5.4.1",
			func(l kernel.Loader) bool { return l.SignatureReasons }, false},
		"klp_register_patch": {"5.0.1", "5.1.1",
			func(l kernel.Loader) bool { return l.Registers }, true},
	} {
		assert.Equal(t, c.isOld, c.fact(of(t, c.before)), "%s, %s", name, c.before)
		assert.Equal(t, !c.isOld, c.fact(of(t, c.since)), "%s, %s", name, c.since)
	}
}
