// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

// A vendor's kernel is known by its whole release: others are built for the same
// distribution.
func TestReleasesOfVendorsWithTheSchemeOf58(t *testing.T) {
	for release, want := range map[string]bool{
		"4.18.0-553.el8_10.x86_64":        true,
		"4.18.0-305.3.1.el8.x86_64":       true,
		"4.18.0-284.el8.x86_64":           true,
		"4.18.0-80.el8.x86_64":            false,
		"4.18.0-553.el80.x86_64":          false,
		"4.18.0-553.fc28.x86_64":          false,
		"5.4.277-1.el8.elrepo.x86_64":     false,
		"6.1.0-1.el8.elrepo.x86_64":       false,
		"4.12.14-122.183-default":         true,
		"4.12.140-1-default":              false,
		"5.3.18-150300.59.161-default":    true,
		"5.3.180-default":                 false,
		"":                                false,
		"4.18.0-":                         false,
		"4.18.0-99999999999999999999.el8": false,
	} {
		assert.Equal(t, want, kernel.VendorEarly(release), release)
	}
}
