// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
)

// FuzzConvert: whatever NewPlan has no error about converts, passes the proof,
// and has nothing left to convert.
func FuzzConvert(f *testing.F) {
	for _, name := range append(good(f), modules(f, "bad", "files")...) {
		b := contents(f, name)
		f.Add(b)
		if in, err := elfrw.Parse("", b); err == nil { // converted ones are input too
			if plan, found := klpreloc.NewPlan(in, klpreloc.Options{}); !found.Failed() && !plan.Empty() {
				require.NoError(f, plan.Apply())
				f.Add(encode(f, in))
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { contract(t, b) })
}

// contract is what holds of any bytes.
func contract(t *testing.T, b []byte) {
	file, err := elfrw.Parse("", b)
	if err != nil {
		return
	}
	klpreloc.Describe(file)
	plan, found := klpreloc.NewPlan(file, klpreloc.Options{})
	require.Equal(t, found.Failed(), plan == nil)
	if plan == nil || plan.Empty() {
		return
	}
	plan.Info()
	require.NoError(t, plan.Apply())
	after, err := file.Bytes()
	if e := new(elfrw.Error); errors.As(err, &e) && strings.HasSuffix(e.Err.Error(),
		"and the symbols got new ones") {
		return // invalid symbol numbers in contents; found where they are rewritten
	}
	require.NoError(t, err)
	require.NoError(t, proof.Check(parse(t, b), parse(t, after), proof.Claims{}, nil))
	again, found := klpreloc.NewPlan(parse(t, after), klpreloc.Options{})
	require.NotNil(t, again, "%v", found)
	require.True(t, again.Empty())

	file = parse(t, b)
	plan, _ = klpreloc.NewPlan(file, klpreloc.Options{})
	require.NoError(t, plan.Apply())
	require.True(t, bytes.Equal(after, encode(t, file)), "the same input gave other bytes")
}

// TestEveryBytePoked: what a fuzzer seldom hits, one byte off in a header, a
// symbol or a relocation.
func TestEveryBytePoked(t *testing.T) {
	var place string
	defer func() {
		if t.Failed() {
			t.Log(place)
		}
	}()
	for _, name := range []string{"odd/unused.ko", "odd/group.ko", "ppc32/labels-dot.ko"} {
		b := contents(t, name)
		for i := range b {
			was := b[i]
			b[i] ^= 1 << (i % 4) // the lowest bit of small numbers, others elsewhere
			place = fmt.Sprintf("%s: byte %#x is %#x instead of %#x", name, i, b[i], was)
			contract(t, b)
			b[i] = was
		}
	}
}
