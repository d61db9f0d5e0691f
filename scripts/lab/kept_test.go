// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKept(t *testing.T) {
	c := &Cache{Dir: t.TempDir()}
	assert.Empty(t, c.Kept("amd64"))
	for _, dir := range []string{"linux-image-6.12.118+deb13-amd64_6.12.118-1",
		"linux-image-6.1.0-50-amd64_6.1.176-1", "linux-image-6.1.0-9-amd64_6.1.27-1",
		"linux-image-6.1.0-56-amd64_6.1.192-2.tmp", "linux-image-6.1.0-50-amd64-dbg_6.1.176-1",
		"linux-image-6.1.0-50-s390x_6.1.176-1", "linux-source-6.1_6.1.192-3", "apt-amd64"} {
		require.NoError(t, os.Mkdir(filepath.Join(c.Dir, dir), 0o755))
	}
	lock := filepath.Join(c.Dir, "linux-image-7.3.4+deb13-amd64_7.3.4-1.lock")
	require.NoError(t, os.WriteFile(lock, nil, 0o644))
	var names []string
	for _, dir := range c.Kept("amd64") {
		names = append(names, filepath.Base(dir))
	}
	assert.Equal(t, []string{"linux-image-6.1.0-9-amd64_6.1.27-1",
		"linux-image-6.1.0-50-amd64_6.1.176-1",
		"linux-image-6.12.118+deb13-amd64_6.12.118-1"}, names)
	assert.Equal(t, []string{filepath.Join(c.Dir, "linux-image-6.1.0-50-s390x_6.1.176-1")},
		c.Kept("s390x"))
	assert.Empty(t, (&Cache{Dir: filepath.Join(c.Dir, "absent")}).Kept("amd64"))
}
