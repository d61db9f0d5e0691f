// SPDX-License-Identifier: GPL-2.0-or-later

package reach_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/reach"
)

// FuzzRead: whatever bytes there are, reading the patch and attributing the
// module ends, and says what its contract allows.
func FuzzRead(f *testing.F) {
	for _, glob := range []string{fixtures + "/*.ko", "../../testdata/odd/*.ko"} {
		paths, err := filepath.Glob(glob)
		require.NoError(f, err)
		require.NotEmpty(f, paths)
		for _, path := range paths {
			b, err := os.ReadFile(path)
			require.NoError(f, err)
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { contract(t, b) })
}

// contract is what holds of any bytes.
func contract(t *testing.T, b []byte) {
	f, err := elfrw.Parse("", b)
	if err != nil {
		return
	}
	patches, err := klppatch.Read(f)
	var u klppatch.Unreadable
	switch {
	case err == nil:
		require.NotEmpty(t, patches)
	case errors.Is(err, klppatch.ErrNone):
		require.Empty(t, patches)
	default:
		require.ErrorAs(t, err, &u)
		require.NotEmpty(t, u)
		require.NotEmpty(t, u.Error())
	}
	var names []string
	for _, p := range patches {
		require.NotEmpty(t, p.Objects)
		for _, o := range p.Objects {
			names = append(names, o.Name)
			for _, fn := range o.Funcs {
				require.NotEmpty(t, fn.OldName)
				require.NotEmpty(t, fn.String())
				require.True(t, fn.New.Section != nil || fn.New.Symbol != nil)
			}
		}
	}
	a := reach.Attribute(f, nil, patches...)
	for _, s := range f.Sections {
		for _, offset := range []uint64{0, s.Size() / 2, s.Size() - 1, s.Size()} {
			objects := a.Objects(s, offset)
			require.True(t, slices.IsSorted(objects))
			for _, name := range objects {
				require.Contains(t, names, name)
			}
		}
	}
	for _, p := range patches {
		for _, o := range p.Objects {
			for _, fn := range o.Funcs {
				if fn.New.Section != nil {
					require.Contains(t, a.Objects(fn.New.Section, fn.New.Offset), o.Name)
				}
			}
		}
	}
}

// TestEveryBytePoked: what a fuzzer seldom hits, one byte off anywhere.
func TestEveryBytePoked(t *testing.T) {
	var place string
	defer func() {
		if t.Failed() {
			t.Log(place)
		}
	}()
	for _, name := range []string{"x86_64-407.ko", "ppc32-505.ko", "s390x-412.ko"} {
		b, err := os.ReadFile(filepath.Join(fixtures, name))
		require.NoError(t, err)
		step := 3 // all of them are left to the fuzzer
		if testing.Short() {
			step = 11
		}
		for i := 0; i < len(b); i += step {
			was := b[i]
			b[i] ^= 1 << (i % 8)
			place = fmt.Sprintf("%s: byte %#x is %#x instead of %#x", name, i, b[i], was)
			contract(t, b)
			b[i] = was
		}
	}
}
