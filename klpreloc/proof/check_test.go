// SPDX-License-Identifier: GPL-2.0-or-later

package proof_test

import (
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
)

func TestCheckObjectsToEveryMutation(t *testing.T) {
	before := provable(t)
	after := convert(t, before) // which is proven
	for name, mutate := range mutations {
		t.Run(name, func(t *testing.T) {
			f := parse(t, after)
			mutate(t, f)
			b, err := f.Bytes()
			require.NoError(t, err)
			require.NotEqual(t, after, b, "the mutation changed nothing")
			err = proof.Check(parse(t, before), parse(t, b), proof.Claims{}, nil)
			if assert.Error(t, err) {
				assert.NotContains(t, err.Error(), "%!")
			}
		})
	}
}

func TestCheckObjectsToNoConversion(t *testing.T) {
	for _, name := range good(t) {
		b := contents(t, name)
		plan, _ := klpreloc.NewPlan(parse(t, b), klpreloc.Options{})
		err := proof.Check(parse(t, b), parse(t, b), proof.Claims{}, nil)
		assert.Equal(t, plan.Empty(), err == nil, "%s: %v", name, err)
	}
}

func TestCheckObjectsToTheConversionOfAnotherModule(t *testing.T) {
	names := good(t)
	for i, name := range names {
		other := names[(i+1)%len(names)]
		after := parse(t, convert(t, contents(t, other)))
		err := proof.Check(open(t, name), after, proof.Claims{}, nil)
		assert.Error(t, err, "%s as %s", other, name)
	}
}

func TestCheckObjectsToAnUnusedRecordsSymbol(t *testing.T) {
	before := contents(t, "odd/unused.ko")
	f := parse(t, convert(t, before))
	y := symbol(t, parse(t, before), "unused")
	for i := range f.Symbols { // where it was
		if f.Symbols[i].Name > "" && f.Symbols[i].Bind() == elf.STB_GLOBAL {
			for at := i; at <= len(f.Symbols); at++ {
				g := parse(t, convert(t, before))
				klp := &elfrw.Symbol{Name: ".klp.sym.vmlinux.unused,0", Index: 0xff20, Info: y.Info}
				g.Symbols = slices.Insert(g.Symbols, at, klp)
				after := parse(t, encode(t, g))
				assert.Error(t, proof.Check(parse(t, before), after, proof.Claims{}, nil))
			}
			return
		}
	}
}
