// SPDX-License-Identifier: GPL-2.0-or-later

package proof_test

import (
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
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
			before := grown(b, open(b, x.sample), x.symbol)
			after, claims := convertWith(b, before, klpreloc.Options{})
			b.SetBytes(int64(len(before)))
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, proof.Check(parse(b, before), parse(b, after), claims, nil))
			}
		})
	}
}

// grown returns f with a section of 12 MiB and 300 000 relocations.
func grown(t testing.TB, f *elfrw.File, annotated string) []byte {
	const n, size = 300_000, 12 << 20
	other := addUndefined(f, "other")
	relocs := make([]elfrw.Rela, n)
	for i := range relocs {
		relocs[i] = elfrw.Rela{Sym: other, Type: uint32(elf.R_X86_64_PC32), Addend: -4}
		relocs[i].Offset = uint64(i) * (size / n)
		if i%100 == 0 {
			relocs[i].Sym = symbol(t, f, annotated)
		}
	}
	addLoaded(f, ".text.grown", elf.SHF_EXECINSTR, make([]byte, size), relocs...)
	return encode(t, f)
}
