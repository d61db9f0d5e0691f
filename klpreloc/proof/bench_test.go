// SPDX-License-Identifier: GPL-2.0-or-later

package proof_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
	"github.com/klp-convert/klp-convert/scripts/bench/bigmodule"
)

// BenchmarkCheck compares a module as large as the largest that distributions ship, every
// hundredth of its relocations against an annotated symbol, with its conversion. Both are
// parsed each time, as the command does it.
func BenchmarkCheck(b *testing.B) {
	for _, x := range []struct{ name, sample, symbol string }{
		{"vmlinux", "x86_64/livepatch-cmdline.ko", "saved_command_line"},
		{"module", "x86_64/labels-dot.ko", ".klp.sym.rela.ext4.ext4.show.0"},
	} {
		b.Run(x.name, func(b *testing.B) {
			before, err := bigmodule.Grow(testmodule.Read(b, "../../testdata/"+x.sample),
				bigmodule.Growth{Annotated: x.symbol, Other: "klp_enable_patch", Relocs: 300_000,
					Every: 100, Text: 12 << 20})
			require.NoError(b, err)
			after, claims := convertWith(b, before, klpreloc.Options{})
			b.SetBytes(int64(len(before)))
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, proof.Check(parse(b, before), parse(b, after), claims, nil))
			}
		})
	}
}
