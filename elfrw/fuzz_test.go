// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"bytes"
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func seeds(add func(b []byte)) {
	for _, k := range kinds {
		add(victim(k).bytes())
		add(headerOnly(k))
	}
	for _, c := range unusual {
		add(c.make(kind64LE).bytes())
		add(c.make(kind32BE).bytes())
	}
}

// FuzzParse checks that Write gives back what Parse accepts, and that nothing panics.
func FuzzParse(f *testing.F) {
	seeds(func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse("fuzz", b)
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			return
		}
		_ = m.Verify()
		require.NoError(t, roundTrip(b, false))
		require.NoError(t, roundTrip(b, true))
		for _, s := range m.Sections {
			require.Len(t, s.Relocs(), s.NumRelocs())
			_ = s.String()
		}
	})
}

// edits are the edits of FuzzEdit; two bytes choose where.
var edits = []func(f *File, at, how byte) error{
	func(f *File, at, how byte) error {
		f.AddSection(&Section{Name: "added", Type: elf.SHT_PROGBITS, Align: 1 << (at % 8),
			Data: make([]byte, how)})
		return nil
	},
	func(f *File, at, how byte) error {
		f.AddSymbol(&Symbol{Name: "added", Info: at &^ 0xf, Section: nth(f.Sections, how)})
		return nil
	},
	func(f *File, at, how byte) error {
		s := nth(f.Sections, at)
		if s != nil && s.HasRelocs() {
			f.AddReloc(s, Rela{0, nth(f.Symbols, how), 0, 0})
		}
		return nil
	},
	func(f *File, at, how byte) error {
		from := nth(f.Sections, at)
		if from == nil || !from.HasRelocs() {
			return nil
		}
		into := &Section{Name: ".klp.rela", Type: from.Type, Align: 8, Link: f.Symtab,
			Target: from.Target}
		f.AddSection(into)
		f.MoveRelocs(from, all(from), func(i int, r *Rela) *Section {
			if r.Offset%4 == 3 {
				r.Sym = nth(f.Symbols, how)
			}
			return []*Section{from, into, nil, into}[(r.Offset+uint64(how))%4]
		})
		return nil
	},
	func(f *File, at, how byte) error {
		return f.Remove([]*Section{nth(f.Sections, at), nth(f.Sections, how)}, nil)
	},
	func(f *File, at, how byte) error {
		return f.Remove(nil, []*Symbol{nth(f.Symbols, at), nth(f.Symbols, how)})
	},
	func(f *File, at, how byte) error {
		if y := nth(f.Symbols, at); y != nil {
			y.Name = string(bytes.Repeat([]byte{'n'}, int(how)))
		}
		return nil
	},
	func(f *File, at, how byte) error {
		if y := nth(f.Symbols, at); y != nil {
			y.Section, y.Index = nil, 0xff20
		}
		return nil
	},
	func(f *File, at, how byte) error {
		if s := nth(f.Sections, at); s != nil && s.Type == elf.SHT_PROGBITS {
			s.Data = append(bytes.Clone(s.Data), make([]byte, how)...)
		}
		return nil
	},
	func(f *File, at, how byte) error {
		f.Trailer = nil
		return nil
	},
}

// nth returns one of all, or the zero value when all is empty.
func nth[T any](all []T, n byte) (t T) {
	if len(all) > 0 {
		t = all[int(n)%len(all)]
	}
	return t
}

// FuzzEdit edits a file: the first byte chooses the edit, the next two where. The
// output of Write must parse again, and a sound file must stay sound.
func FuzzEdit(f *testing.F) {
	seeds(func(b []byte) {
		for i := range edits {
			f.Add(append([]byte{byte(i), byte(3 + i), byte(7 * i)}, b...))
		}
	})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) < 3 {
			return
		}
		m, err := Parse("fuzz", in[3:])
		if err != nil {
			return
		}
		sound := m.Verify() == nil
		regular := m.Editable() == nil
		if err := edits[int(in[0])%len(edits)](m, in[1], in[2]); err != nil {
			require.ErrorIs(t, err, ErrReferred)
			require.NoError(t, roundTrip(in[3:], false))
			return
		}
		verdict := m.Verify()
		out, err := m.Bytes()
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			return
		}
		require.True(t, regular || bytes.Equal(out, in[3:]), "an irregular file came out changed")
		back, err := Parse("out", out)
		if verdict == nil {
			require.NoError(t, err)
		}
		if err != nil {
			return
		}
		require.NoError(t, roundTrip(out, true))
		assert.Equal(t, verdict == nil, back.Verify() == nil,
			"Verify says the same of the model (%v) and of the file (%v)", verdict, back.Verify())
		if sound {
			require.NoError(t, verdict)
		}
	})
}
