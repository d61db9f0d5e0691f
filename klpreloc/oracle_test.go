// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
)

func parse(t testing.TB, b []byte) *elfrw.File {
	t.Helper()
	f, err := elfrw.Parse("", b)
	require.NoError(t, err)
	return f
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../testdata", name))
	require.NoError(t, err)
	return b
}

func TestSmoke(t *testing.T) {
	for _, pat := range []string{"*/*.ko"} {
		m, _ := filepath.Glob("../testdata/" + pat)
		for _, name := range m {
			b, _ := os.ReadFile(name)
			f := parse(t, b)
			p, found := klpreloc.NewPlan(f)
			for _, d := range found {
				t.Log(name, d.ID, d.Severity, d)
			}
			if p == nil || p.Empty() {
				continue
			}
			require.NoError(t, p.Apply(), name)
			out, err := f.Bytes()
			require.NoError(t, err, name)
			if err := klpreloc.Prove(parse(t, b), parse(t, out)); err != nil {
				t.Error(name, err)
			}
		}
	}
}
