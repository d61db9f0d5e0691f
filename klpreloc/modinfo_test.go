// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

func TestParseVersion(t *testing.T) {
	for s, want := range map[string]kernel.Version{
		"6.1.0-56-amd64 SMP preempt mod_unload modversions ": {Major: 6, Minor: 1},
		"5.8.0":               {Major: 5, Minor: 8},
		"7.2-rc1":             {Major: 7, Minor: 2},
		"4.18.0-553.el8_10":   {Major: 4, Minor: 18},
		"6.12":                {Major: 6, Minor: 12},
		"":                    {},
		"6":                   {},
		"6.":                  {},
		".1":                  {},
		"x6.1":                {},
		"-6.1":                {},
		"0.1":                 {},
		"99999999.1":          {},
		"6.99999999999999999": {},
	} {
		v, ok := kernel.ParseVersion(s)
		assert.Equal(t, want, v, s)
		assert.Equal(t, want != kernel.Version{}, ok, s)
	}
}

func TestRulesByVersion(t *testing.T) {
	for _, x := range []struct {
		major, minor int
		early        bool
		limit        int
	}{
		{4, 7, false, 127}, {4, 20, false, 127}, {5, 7, false, 127}, {5, 8, true, 127}, {5, 19, true,
			127}, {6, 0, true, 127}, {6, 1, true, 511}, {7, 0, true, 511}, {0, 0, true, 511},
	} {
		v := kernel.Version{Major: x.major, Minor: x.minor}
		scheme, _ := v.Scheme()
		assert.Equal(t, x.early, scheme.Early(), v)
		assert.Equal(t, x.limit, v.NameLimit(), v)
	}
	assert.Equal(t, "unknown", kernel.Version{}.String())
}

func modinfo(t *testing.T, s string) klpabi.Modinfo {
	f := open(t, "odd/nothing-to-convert.ko")
	section(t, f, ".modinfo").Data = []byte(s)
	return klpabi.ReadModinfo(f)
}

func TestModinfoTakesTheFirstOfAKey(t *testing.T) {
	m := modinfo(t,
		"\x00\x00name=a\x00vermagic=6.1.2 SMP\x00\x00\x00\x00vermagic=5.4.0\x00livepatch\x00=x\x00k=v=w\x00tail=1")
	assert.Equal(t, klpabi.Modinfo{"name=a", "vermagic=6.1.2 SMP", "vermagic=5.4.0", "livepatch", "=x",
		"k=v=w", "tail=1"}, m)
	for key, want := range map[string]string{"name": "a", "vermagic": "6.1.2 SMP", "k": "v=w",
		"tail": "1", "": "x"} {
		v, ok := m.Value(key)
		assert.True(t, ok, key)
		assert.Equal(t, want, v, key)
	}
	_, ok := m.Value("nam")
	assert.False(t, ok)
	assert.Equal(t, kernel.Version{Major: 6, Minor: 1}, m.Kernel())
	assert.False(t, m.Livepatch(), "an entry without '=' has no key")
}

func TestAnyValueMakesALivepatch(t *testing.T) {
	assert.True(t, modinfo(t, "livepatch=Y\x00").Livepatch())
	assert.True(t, modinfo(t, "a=b\x00livepatch=\x00").Livepatch())
	assert.False(t, modinfo(t, "xlivepatch=Y\x00").Livepatch())
	assert.False(t, modinfo(t, "").Livepatch())
	assert.Nil(t, klpabi.ReadModinfo(&elfrw.File{}))
}

func TestVersionsOfBothFormats(t *testing.T) {
	entry := func(width int, name string) string {
		return strings.Repeat("\xaa", width) + name + strings.Repeat("\x00", 64-width-len(name))
	}
	full := strings.Repeat("x", 56)
	for arch, width := range map[string]int{"x86_64": 8, "s390x": 8, "ppc32": 4} {
		f := bare(t, arch)
		_, known := klpabi.VersionedNames(f)
		assert.False(t, known)

		f.AddSection(&elfrw.Section{Name: "__versions", Type: elf.SHT_PROGBITS, Flags: 2,
			Data: []byte(entry(width, "printk") + entry(width, "_kmalloc") + entry(width, full) +
				"cut off")})
		names, known := klpabi.VersionedNames(f)
		assert.True(t, known)
		assert.Equal(t, []string{"_kmalloc", "printk", full}, names, arch)

		f.AddSection(&elfrw.Section{Name: "__version_ext_names", Type: elf.SHT_PROGBITS, Flags: 2,
			Data: []byte("zz\x00aa\x00unterminated")})
		names, _ = klpabi.VersionedNames(f)
		assert.Subset(t, names, []string{"_kmalloc", "aa", "printk", "zz", "unterminated"})
		assert.IsIncreasing(t, names)
	}
}

func TestExtendedVersionsAlone(t *testing.T) {
	f := bare(t, "x86_64")
	f.AddSection(&elfrw.Section{Name: "__version_ext_names", Type: elf.SHT_PROGBITS, Flags: 2,
		Data: []byte("exported\x00")})
	names, known := klpabi.VersionedNames(f)
	assert.True(t, known)
	assert.Contains(t, names, "exported")
}
