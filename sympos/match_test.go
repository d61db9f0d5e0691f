// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMatchRulesOfReleases(t *testing.T) {
	for release, want := range map[string]matchRule{
		"4.19.78": wholeName, "5.10.0-46-amd64": wholeName, "6.1.0-56-amd64": wholeName, "6.1.192": wholeName,
		"6.2.0": orUpToDot, "6.3.13": orUpToDot, "6.4": orUpToDot, "6.4.6": orUpToDot, "6.4.0-150600.21-default": orUpToDot,
		"6.4.7": orUpToLLVM, "6.4.13-arch1": orUpToLLVM, "6.5.0-14-generic": orUpToLLVM,
		"6.4.14": onlyUpToLLVM, "6.5.1": onlyUpToLLVM, "6.6.0": onlyUpToLLVM, "6.6.45": onlyUpToLLVM, "6.8.0-31-generic": onlyUpToLLVM,
		"6.9.12": onlyUpToLLVM, "6.10.6": onlyUpToLLVM,
		"6.10.7": wholeName, "6.11.0": wholeName, "6.12.118+deb13-amd64": wholeName, "7.3.4": wholeName,
	} {
		got, unsure := matchRuleOf(release)
		assert.Equal(t, want, got, release)
		assert.Empty(t, unsure, release)
	}
	for _, release := range []string{"", "custom", "6.6.46", "6.6.87.2-microsoft-standard-WSL2",
		"6"} {
		rule, unsure := matchRuleOf(release)
		assert.Equal(t, onlyUpToLLVM, rule, release)
		assert.NotEmpty(t, unsure, release)
	}
}

const promoted = `ffffffff81000000 T _text
ffffffff81000100 t foo.llvm.1
ffffffff81000200 t bar.llvm.22
ffffffff81000300 t bar
ffffffff81000400 t bar.llvm.1
ffffffff81000500 d bar.__already_done
ffffffff81000600 t end
`

// promotedKernel returns a kernel of that release with these symbols; with "" it has no
// configuration.
func promotedKernel(t *testing.T, release, config, symbols string) *Table {
	t.Helper()
	k := NewKernel("k", source(t, "System.map", []byte(symbols)))
	k.Release = release
	if config != "" {
		k.Config = filepath.Join(t.TempDir(), "config")
		require.NoError(t, os.WriteFile(k.Config, []byte("# Automatically generated\n"+config+"\n"),
			0o600))
	}
	table, err := k.Read(Names("foo", "bar", "foo.llvm.1", "bar.llvm.1", "bar.__already_done"))
	require.NoError(t, err)
	return table
}

func TestMatchWithoutLLVM(t *testing.T) {
	const thin, none = "CONFIG_LTO_CLANG=y\nCONFIG_LTO_CLANG_THIN=y", "# CONFIG_LTO_CLANG is not " +
		"set\nCONFIG_LTO_NONE=y"
	const withDot = 4
	for _, c := range []struct {
		release, config string
		foo, bar, whole int // symbols that are found as foo, as bar, as bar.llvm.1
	}{
		{"6.1.192", thin, 0, 1, 1},
		{"6.2.1", thin, 1, withDot, 1},
		{"6.2.1", none, 0, 1, 1},
		{"6.2.1", "", 1, withDot, 1}, // .llvm. tells
		{"6.4.9", thin, 1, 3, 1},
		{"6.4.14", thin, 1, 3, 0},
		{"6.6.30", thin, 1, 3, 0},
		{"6.6.30", "", 1, 3, 0},
		{"6.6.30", none, 0, 1, 1},
		{"6.10.6", thin, 1, 3, 0},
		{"6.10.7", thin, 0, 1, 1},
		{"6.12.1", "", 0, 1, 1},
	} {
		table := promotedKernel(t, c.release, c.config, promoted)
		what := c.release + " " + c.config
		assert.Len(t, table.Lookup(Vmlinux, "foo"), c.foo, what)
		assert.Len(t, table.Lookup(Vmlinux, "bar"), c.bar, what)
		assert.Len(t, table.Lookup(Vmlinux, "bar.llvm.1"), c.whole, what)
		assert.Empty(t, table.Unsure(Vmlinux, "bar"), what)
		as, other := table.FoundAs(Vmlinux, "bar.llvm.1")
		assert.Equal(t, c.whole == 0, other, what)
		if other {
			assert.Equal(t, "bar", as)
		}
	}
	table := promotedKernel(t, "6.6.30", thin, promoted)
	var wholes []string
	for _, s := range table.Lookup(Vmlinux, "bar") {
		wholes = append(wholes, table.WholeName(s))
	}
	assert.Equal(t, []string{"bar.llvm.22", "", "bar.llvm.1"}, wholes, "in the order of addresses")
	_, err := table.Resolve(Vmlinux, "bar", 0)
	assert.ErrorIs(t, err, ErrAmbiguous)
	s, err := table.Resolve(Vmlinux, "bar", 3)
	require.NoError(t, err)
	assert.Equal(t, uint64(0xffffffff81000400), s.Address)
	assert.EqualValues(t, 0x100, s.Size)
}

// When it is not known how the kernel compares, this is reported, and whole names count.
func TestMatchUnsureIsSaid(t *testing.T) {
	for _, release := range []string{"", "6.6.60"} {
		table := promotedKernel(t, release, "", promoted)
		assert.Len(t, table.Lookup(Vmlinux, "bar"), 1)
		assert.Len(t, table.Lookup(Vmlinux, "bar.llvm.1"), 1)
		assert.Contains(t, table.Unsure(Vmlinux, "bar"),
			"bar.llvm.22, bar.llvm.1 may count as bar, too: ", release)
		assert.Contains(t, table.Unsure(Vmlinux, "foo"), "foo.llvm.1", release)
		assert.Empty(t, table.Unsure(Vmlinux, "bar.llvm.1"), release)
	}
	// The names of gcc's clones show that gcc compiled it.
	const clones = "ffffffff81000000 T _text\nffffffff81000100 t bar\nffffffff81000200 t bar.cold\n"
	assert.NotEmpty(t, promotedKernel(t, "6.3.1", "", clones).Unsure(Vmlinux, "bar"))
	assert.Empty(t, promotedKernel(t, "6.3.1", "",
		clones+"ffffffff81000300 t x.constprop.0\n").Unsure(Vmlinux, "bar"))
	assert.Empty(t, promotedKernel(t, "6.3.1", "CONFIG_LTO_NONE=y", clones).Unsure(Vmlinux, "bar"))
}

// The release that a module is built for is used when the kernel's files have none.
func TestMatchByReleaseOfModule(t *testing.T) {
	k := NewKernel("k", source(t, "System.map", []byte(promoted)))
	k.BuiltFor = "6.6.30"
	table, err := k.Read(Names("bar"))
	require.NoError(t, err)
	assert.Len(t, table.Lookup(Vmlinux, "bar"), 3)
}

// Symbols of modules are compared by their whole names.
func TestMatchInModules(t *testing.T) {
	k := NewKernel("k", source(t, "kallsyms",
		[]byte(promoted+"ffffffffc0000100 t bar\t[m]\nffffffffc0000200 t bar.llvm.1\t[m]\n")))
	k.Release = "6.6.30"
	table, err := k.Read(Names("bar", "bar.llvm.1"))
	require.NoError(t, err)
	assert.Len(t, table.Lookup("m", "bar"), 1)
	assert.Len(t, table.Lookup("m", "bar.llvm.1"), 1)
}
