// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/scripts/need"
)

// TestCorpus: of all the structures in real modules that begin with THIS_MODULE,
// none is treated as a klp_patch, not even when the module seems to enable one.
// KLP_CORPUS names directories of modules that are no livepatches.
func TestCorpus(t *testing.T) {
	dirs := filepath.SplitList(need.Variable(t, "KLP_CORPUS", "make corpus"))
	count, suspects := 0, 0
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".ko") {
				return err
			}
			count++
			f := parse(t, contents(t, path))
			_, err = klppatch.Read(f)
			assert.Equal(t, klppatch.ErrNone, err, path)
			f.AddSymbol(&elfrw.Symbol{Name: "klp_enable_patch", Info: 0x10})
			patches, err := klppatch.Read(f)
			assert.Empty(t, patches, path)
			if assert.Error(t, err, path) && !strings.HasPrefix(err.Error(),
				"the module enables a livepatch, but its data has no klp_patch") {
				suspects++
				t.Log(path, err)
			}
			return nil
		}))
	}
	require.NotZero(t, count)
	t.Logf("%d modules, %d of which would be reported to hold a broken patch", count, suspects)
	assert.LessOrEqual(t, suspects, 1+count/1000)
}
