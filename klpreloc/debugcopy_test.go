// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// relocations returns all of a file, by the section that they apply to, whatever
// section they are in.
func relocations(f *elfrw.File) (all []string) {
	for _, s := range f.Sections {
		for _, r := range s.Relocs() {
			all = append(all, fmt.Sprintf("%s+%#x %d %s%+d", s.Target, r.Offset, r.Type, r.Sym, r.Addend))
		}
	}
	slices.Sort(all)
	return all
}

// A copy for debuggers has the same relocations, all of a section in one section,
// and nothing that only livepatching knows.
func TestDebugCopyHasTheSameRelocations(t *testing.T) {
	copied := 0
	eachGood(t, func(t *testing.T, name string) {
		b := convert(t, contents(t, name))
		f := parse(t, b)
		done, err := klpreloc.DebugCopy(f)
		if len(klpSections(parse(t, b))) == 0 {
			require.ErrorIs(t, err, klpreloc.ErrNothingToCopy)
			return
		}
		copied++
		require.NoError(t, err)
		require.NoError(t, f.Verify())
		after := reread(t, f)
		assert.Equal(t, relocations(parse(t, b)), relocations(after))
		assert.Len(t, klpSections(parse(t, b)), done.Sections)
		assert.Positive(t, done.Relocs)
		seen := map[*elfrw.Section]bool{}
		for _, s := range after.Sections {
			assert.Zero(t, s.Flags&0x00100000, "%s keeps SHF_RELA_LIVEPATCH", s)
			if s.HasRelocs() {
				assert.False(t, seen[s.Target], "two relocation sections for %s", s.Target)
				seen[s.Target] = true
				assert.True(t, slices.IsSortedFunc(s.Relocs(), func(a, b elfrw.Rela) int {
					return int(a.Offset) - int(b.Offset)
				}) || !relocatedLate(b, s.Target.Name), s.Name)
			}
		}
		for _, y := range after.Symbols {
			assert.NotEqual(t, elf.SectionIndex(0xff20), y.Index, y.Name)
		}
	})
	assert.Greater(t, copied, 20)
}

func relocatedLate(module []byte, section string) bool {
	f, _ := elfrw.Parse("", module)
	return slices.ContainsFunc(f.Sections, func(s *elfrw.Section) bool {
		return strings.HasPrefix(s.Name, ".klp.rela.") && s.Target.Name == section
	})
}

// What a kernel would load of it, it refuses: for its vermagic, whose first word
// does not count with modversions; for its klp symbols; and as a livepatch.
func TestDebugCopyCannotBeLoaded(t *testing.T) {
	for _, name := range []string{"x86_64/labels-dot.ko", "odd/weak-annotated.ko"} {
		f := parse(t, convert(t, contents(t, name)))
		was := klpabi.ReadModinfo(f)
		place := func() map[string]uint64 {
			m := map[string]uint64{}
			for _, y := range f.Symbols {
				if y.Section != nil && y.Section.Name == ".modinfo" {
					m[y.Name] = y.Value
				}
			}
			return m
		}
		before := place()
		_, err := klpreloc.DebugCopy(f)
		require.NoError(t, err)
		f = reread(t, f)
		assert.Equal(t, before, place())

		now := klpabi.ReadModinfo(f)
		assert.False(t, now.Livepatch())
		magic, _ := now.Value("vermagic")
		_, tail, _ := strings.Cut(magic, " ")
		assert.Contains(t, tail, "not to be loaded")
		original, _ := was.Value("vermagic")
		kept, _ := now.Value("wasmagic")
		assert.Equal(t, original, kept)
		klp := 0
		for _, y := range f.Symbols {
			if strings.HasPrefix(y.Name, ".klp.sym.") {
				klp++
				assert.True(t, y.Undefined() && y.Bind() == elf.STB_GLOBAL, "%s would be let pass", y.Name)
			}
		}
		assert.Positive(t, klp)
		d, _ := klpreloc.Describe(f)
		assert.Equal(t, klpreloc.ForDebuggers, d.State)
	}
}

// Where no ordinary relocation is left, a section for them is made.
func TestDebugCopyMakesRelocationSection(t *testing.T) {
	f := parse(t, convert(t, contents(t, "x86_64/labels-dot.ko")))
	s := f.Section(".rela.text")
	require.NotNil(t, s)
	require.NoError(t, f.Remove([]*elfrw.Section{s}, nil))
	_, err := klpreloc.DebugCopy(f)
	require.NoError(t, err)
	s = reread(t, f).Section(".rela.text")
	require.NotNil(t, s)
	assert.Equal(t, uint64(elf.SHF_INFO_LINK), s.Flags)
	assert.Equal(t, 5, s.NumRelocs())
}

func TestDebugCopyRefusesSectionWithoutTarget(t *testing.T) {
	f := parse(t, convert(t, contents(t, "x86_64/labels-dot.ko")))
	f.Section(".klp.rela.vmlinux..text").Target = nil
	_, err := klpreloc.DebugCopy(f)
	assert.ErrorContains(t, err, ".klp.rela.vmlinux..text relocates no section")
}

// A signature would be void.
func TestDebugCopyHasNoSignature(t *testing.T) {
	f := parse(t, convert(t, contents(t, "x86_64/labels-dot.ko")))
	f.Trailer = []byte("signature~Module signature appended~\n")
	f = reread(t, f)
	require.NotEmpty(t, f.Trailer)
	_, err := klpreloc.DebugCopy(f)
	require.NoError(t, err)
	assert.Empty(t, reread(t, f).Trailer)
}
