// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// assertAsDebugELF compares the model with what the standard library's reader
// reads. That reader knows neither SHT_SYMTAB_SHNDX nor e_flags.
func assertAsDebugELF(t testing.TB, b []byte) {
	t.Helper()
	f := parse(t, b)
	want, err := elf.NewFile(bytes.NewReader(b))
	require.NoError(t, err)
	assert.Equal(t, want.Machine, f.Header.Machine)
	assert.Equal(t, want.OSABI, f.Header.OSABI)
	require.Equal(t, len(want.Sections), len(f.Sections)+1)
	for i, s := range f.Sections {
		w := want.Sections[i+1]
		assert.Equal(t, w.Name, s.Name)
		assert.Equal(t, w.Type, s.Type, s)
		assert.EqualValues(t, w.Flags, s.Flags, s)
		assert.Equal(t, w.Size, s.Size(), s)
		assert.Equal(t, w.Addralign, s.Align, s)
		if w.Type != elf.SHT_NOBITS && w.Type != elf.SHT_NULL {
			data, err := w.Data()
			require.NoError(t, err)
			assert.True(t, bytes.Equal(data, s.Data), s)
		}
		if w.Entsize > 0 && s.HasRelocs() {
			assert.Equal(t, int(w.Size/w.Entsize), s.NumRelocs(), s)
			assert.Len(t, s.Relocs(), s.NumRelocs(), s)
		}
	}
	if f.Symtab == nil {
		return
	}
	syms, err := want.Symbols()
	if err != nil {
		require.ErrorIs(t, err, elf.ErrNoSymbols)
	}
	require.Len(t, f.Symbols, len(syms))
	for i, y := range f.Symbols {
		w := syms[i]
		got := elf.Symbol{Name: y.Name, Info: y.Info, Other: y.Other, Section: y.Index,
			Value: y.Value, Size: y.Size, VersionIndex: w.VersionIndex}
		if y.Section != nil {
			got.Section = elf.SectionIndex(y.Section.num)
		}
		if w.Section == elf.SHN_XINDEX {
			got.Section = elf.SHN_XINDEX
		}
		got.HasVersion, got.Version, got.Library = w.HasVersion, w.Version, w.Library
		assert.Equal(t, w, got)
	}
}

// assertReadelfSilent runs readelf, if installed, on b: it must read all of it and
// print no complaint.
func assertReadelfSilent(t testing.TB, b []byte) {
	t.Helper()
	readelf, err := exec.LookPath("readelf")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("readelf is not here")
		}
		t.Log("readelf is not installed: its opinion was not asked")
		return
	}
	path := filepath.Join(t.TempDir(), "out.ko")
	require.NoError(t, os.WriteFile(path, b, 0o666))
	var stderr bytes.Buffer
	cmd := exec.Command(readelf, "-aW", path)
	cmd.Stderr = &stderr
	assert.NoError(t, cmd.Run())
	assert.Empty(t, stderr.String())
}

// runSelf runs one test of this binary with variables in its environment.
func runSelf(t *testing.T, test string, env ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^"+test)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return "\n" + string(out), err
}

func TestModelAgreesWithDebugELF(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		assertAsDebugELF(t, module(k).bytes())
		assertAsDebugELF(t, bare(k).bytes())
	})
}

// TestRelocationsAgreeWithTheImage decodes what the builder encoded.
func TestRelocationsAgreeWithTheImage(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := parse(t, module(k).bytes())
		outside, data := symbol(t, f, "outside"), symbol(t, f, "data")
		assert.Equal(t, []Rela{{4, outside, 2, -4}, {12, data, 1, 8}, {20, outside, 4, -4},
			{28, nil, 1, 7}}, section(t, f, ".rela.text").Relocs())
		assert.Equal(t, []Rela{{1, data, 10, 0}}, section(t, f, ".rel.debug").Relocs())
		assert.Nil(t, section(t, f, ".text").Relocs())
		assert.Zero(t, section(t, f, ".text").NumRelocs())
	})
}

func TestRelocIsOneOfRelocs(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		m := module(k).bytes()
		for _, name := range []string{".rela.text", ".rel.debug"} {
			s, decoded := section(t, parse(t, m), name), section(t, parse(t, m), name)
			for i := range decoded.Relocs() {
				got, want := s.Reloc(i), decoded.Reloc(i)
				assert.Equal(t, rawRelocs, s.encoding, "nothing else is decoded")
				assert.Equal(t, want, decoded.Relocs()[i])
				assert.Equal(t, want.Sym.String(), got.Sym.String())
				got.Sym, want.Sym = nil, nil
				assert.Equal(t, want, got)
			}
		}
	})
}

func TestBuilderMakesWhatReadelfReads(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		m := module(k)
		if !k.wide() || k == kindMIPS {
			m.sec(".rel.debug").relocs[0].typ = 2
		}
		assertReadelfSilent(t, m.bytes())
	})
}

// ReadRelocs gives the same as Relocs, a block at a time.
func TestReadRelocsGivesWhatRelocsGives(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 257, 1000} {
		eachKind(t, func(t *testing.T, k kind) {
			m := bare(k)
			relocs := make([]trel, n)
			for i := range relocs {
				relocs[i] = trel{uint64(i), []string{"", "local", "global"}[i%3], uint32(i % 200),
					int64(-i)}
			}
			b := m.add(m.rela(".text", relocs...)).bytes()
			raw, decoded := section(t, parse(t, b), ".rela.text"), section(t, parse(t, b),
				".rela.text")
			decoded.Relocs()
			a, d := raw.ReadRelocs(), decoded.ReadRelocs()
			for i, want := range relocs {
				for _, r := range []*Rela{a.Next(), d.Next()} {
					require.NotNil(t, r, i)
					name := ""
					if r.Sym != nil {
						name = r.Sym.Name
					}
					require.Equal(t, want, trel{r.Offset, name, r.Type, r.Addend})
				}
			}
			assert.Nil(t, a.Next())
			assert.Nil(t, a.Next())
			assert.Nil(t, d.Next())
			assert.Equal(t, rawRelocs, raw.encoding)
		})
	}
}

// TestLinkersAndElflintAcceptEditedModules edits a real module in every way and lets
// linkers and eu-elflint read the results.
func TestLinkersAndElflintAcceptEditedModules(t *testing.T) {
	need.Tools(t, "ld", "eu-elflint")
	path := "../testdata/x86_64/ownmod.ko"
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	f := parse(t, b)
	text := section(t, f, ".text")
	note := &Section{Name: ".note.added", Type: elf.SHT_PROGBITS, Flags: flagAlloc, Align: 4,
		Data: make([]byte, 12)}
	rela := &Section{Name: ".rela.note.added", Type: elf.SHT_RELA, Flags: flagInfoLink, Align: 8,
		Link: f.Symtab, Target: note}
	f.AddSection(note)
	f.AddSection(rela)
	added := &Symbol{Name: "added_symbol", Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_NOTYPE),
		Section: text}
	f.AddSymbol(&Symbol{Name: "added_local", Section: note,
		Info: elf.ST_INFO(elf.STB_LOCAL, elf.STT_OBJECT), Size: 4})
	f.AddSymbol(added)
	f.AddReloc(rela, Rela{Offset: 4, Sym: added, Type: uint32(elf.R_X86_64_64), Addend: 3})
	require.NoError(t, f.Remove([]*Section{section(t, f, ".debug_aranges"),
		section(t, f, ".orc_unwind_ip")}, nil))
	out := filepath.Join(t.TempDir(), "edited.ko")
	require.NoError(t, os.WriteFile(out, written(t, f), 0o666))

	linked := filepath.Join(t.TempDir(), "linked.o")
	msg, err := exec.Command("ld", "-r", "-o", linked, out).CombinedOutput()
	require.NoError(t, err, "%s", msg)
	assert.Empty(t, string(msg))
	b, err = os.ReadFile(linked)
	require.NoError(t, err)
	assert.Equal(t, int64(3), section(t, parse(t, b), ".rela.note.added").Relocs()[0].Addend)

	lint := func(file string) string {
		// its status counts complaints
		msg, _ := exec.Command("eu-elflint", "--gnu-ld", file).CombinedOutput()
		return string(msg)
	}
	assert.Equal(t, lint(path), lint(out))
}
