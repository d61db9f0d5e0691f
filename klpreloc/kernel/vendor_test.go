// SPDX-License-Identifier: GPL-2.0-or-later

package kernel

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Ubuntu numbers its releases as Debian does, for other flavours.
func TestReleasesOfDebian(t *testing.T) {
	for release, want := range map[string]bool{
		"6.1.0-56-amd64":         true,
		"6.1.0-56-rt-amd64":      true,
		"6.1.0-50-powerpc64le":   true,
		"5.10.0-46-cloud-amd64":  true,
		"6.1.0-0.deb11.21-amd64": true,
		"6.12.118+deb13-amd64":   true,
		"6.12.118+deb13-s390x":   true,
		"5.15.0-91-generic":      false,
		"5.15.0-91-generic-64k":  false,
		"5.15.0-1052-aws":        false,
		"6.1.0":                  false,
		"6.1.0-rc1-amd64":        false,
		"6.1.21-56-amd64":        false,
	} {
		assert.Equal(t, want, ofDebian(release), release)
	}
}
