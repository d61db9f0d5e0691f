// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// fuzz reads b as a source, whatever it may be; what comes out must be in order.
func fuzz(t *testing.T, b []byte) {
	s, err := New("fuzz", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return
	}
	table, err := Read(All, s)
	if err != nil {
		return
	}
	for _, object := range table.Objects() {
		ordered := table.Facts(object).Order != Unordered
		for _, name := range table.Names(object) {
			kept := 0
			for i, s := range table.Lookup(object, name) {
				if s.Name != name || s.Object != object {
					t.Errorf("%s:%s holds %s", object, name, s)
				}
				if ordered && s.Position != i+1 || !ordered && s.Position != 0 {
					t.Errorf("%s at %d", s, i)
				}
				if s.Loaded != 0 {
					if kept++; s.Loaded != kept {
						t.Errorf("%s: %d when loaded, not %d", s, s.Loaded, kept)
					}
				}
			}
		}
	}
}

// FuzzText reads lists of symbols of any kind.
func FuzzText(f *testing.F) {
	f.Add([]byte(kallsyms))
	f.Add([]byte("klp-convert-symbol-data.0.1\n*vmlinux\na\na\n*nf-nat\nb\n"))
	f.Add([]byte("0000000000000000 T a\n0000000000000000 t dup\n"))
	f.Add([]byte("ffffffff81000300 t dup\nffffffff81000100 t dup\n"))
	f.Fuzz(fuzz)
}

// FuzzELF reads a vmlinux or a module.
func FuzzELF(f *testing.F) {
	f.Add(tinyVmlinux(tinySymbol{"a.c", local | file, abs, 0, 0},
		tinySymbol{"dup", local | fn, 1, 0x2000, 7}).bytes())
	f.Add(tinyModule("name=m\x00", tinySymbol{"f", local | fn, 1, 0, 0},
		tinySymbol{"f", local | fn, 2, 0, 0}).bytes())
	f.Fuzz(fuzz)
}

// FuzzImage reads kernel images: the first byte chooses the kind, the rest is a kernel that
// is not packed, or something packed.
func FuzzImage(f *testing.F) {
	for i, fresh := range []bool{false, true} {
		k := tinyKernel{order: binary.LittleEndian, fresh: fresh, seqs: 3, kind: "relative",
			base: kernelBase, symbols: tinyNames(kernelBase, 300)}
		f.Add(append([]byte{byte(i * 4)}, k.bytes()...))
		f.Add(append([]byte{1}, packings()["xz"](f, k.bytes())...))
		f.Add(append([]byte{2}, packings()["gzip"](f, k.bytes())...))
		f.Add(append([]byte{3}, packings()["zstd"](f, k.bytes())...))
	}
	f.Add([]byte("\x01\x02\x21\x4c\x18\x04\x00\x00\x00\x14a\x01\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		switch b[0] & 3 {
		case 0:
			fuzz(t, armImage(b[1:]))
		case 1:
			fuzz(t, bzImage(b[1:]))
		case 2:
			fuzz(t, zboot(b[1:]))
		case 3:
			fuzz(t, s390Image(b[1:]))
		}
	})
}
