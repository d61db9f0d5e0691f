// SPDX-License-Identifier: GPL-2.0-or-later

package diag

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCount(t *testing.T) {
	assert.Equal(t, "0 bytes, 1 byte, 2 bytes", Count(0, "byte")+", "+Count(uint64(1), "byte")+", "+
		Count(2, "byte"))
	assert.Equal(t, "1 index", Count(1, "index"))
	assert.Equal(t, "2 indexes", Count(2, "index"))
}
