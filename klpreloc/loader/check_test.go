// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGoodModuleLoads(t *testing.T) {
	for _, version := range []string{"5.4", "5.10", "6.1", "6.3", "6.12", "7.2"} {
		w := good()
		w.version = version
		for _, w.loaded = range []bool{false, true} {
			r := w.check(t, encode(t, w.convert(t)))
			assert.True(t, r.Loads(), version)
			assert.Zero(t, r.Problems(), "%s: %+v", version, r.Findings)
			assert.Equal(t, version, r.Version)
		}
	}
}
