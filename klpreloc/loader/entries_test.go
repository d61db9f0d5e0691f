// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

// judgeEntries asks for each function of the module, and compares with what its name says.
func judgeEntries(t *testing.T, m *elfrw.File, version string, config map[string]string) {
	t.Helper()
	v, ok := kernel.ParseVersion(version)
	require.True(t, ok)
	k := &facts{config: config, Loader: kernel.LoaderOf(v, kernel.SchemeEarly, "")}
	with, without := 0, 0
	for _, name := range []string{"no_first", "leaf", "no_between", "calls", "calls_again",
		"no_last", "cold", "no_cold"} {
		y := symbolAt(m, name, 0)
		require.NotNil(t, y, name)
		yes, known := k.traceable(m, y)
		assert.True(t, known, name)
		if none := strings.HasPrefix(name, "no_"); none {
			without++
			assert.False(t, yes, "%s has no entry", name)
		} else {
			with++
			assert.True(t, yes, "%s has an entry", name)
		}
	}
	assert.Equal(t, 4, with)
	assert.Equal(t, 4, without)
}

func readEntries(t *testing.T, path string) *elfrw.File {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	m, err := elfrw.Parse(path, b)
	require.NoError(t, err)
	return m
}

// What the flags of the kernel's build make of entries does not matter for who has one,
// with the kernel's configuration and without.
func TestEntriesOverFlags(t *testing.T) {
	all, err := filepath.Glob("../../testdata/entries/*.ko")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 19)
	for _, path := range all {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			m := readEntries(t, path)
			config := map[string]string{}
			if strings.HasPrefix(name, "aarch64-4-2") {
				config["DYNAMIC_FTRACE_WITH_CALL_OPS"] = "y"
			}
			if strings.HasPrefix(name, "ppc64le-") && !strings.Contains(name, "mprofile") {
				config["ARCH_USING_PATCHABLE_FUNCTION_ENTRY"] = "y"
			}
			judgeEntries(t, m, "6.17", config)
			judgeEntries(t, m, "6.17", nil)
			// Kernels before 5.18 look at the function's address, and powerpc a little further.
			if slices.Contains([]string{"x86_64-fentry.ko", "x86_64-fentry-16-16.ko", "s390x-fentry.ko",
				"ppc64le-mprofile.ko"}, name) {
				judgeEntries(t, m, "5.10", nil)
			}
		})
	}
}

// Before 5.18, a call after endbr64 is not found (kernel/livepatch/patch.c,
// klp_get_ftrace_location).
func TestEntryAfterLandingPadBefore518(t *testing.T) {
	m := readEntries(t, "../../testdata/entries/x86_64-fentry-ibt.ko")
	for version, want := range map[string]bool{"5.17": false, "5.18": true} {
		v, _ := kernel.ParseVersion(version)
		k := &facts{Loader: kernel.LoaderOf(v, kernel.SchemeEarly, "")}
		yes, known := k.traceable(m, symbolAt(m, "leaf", 0))
		assert.True(t, known)
		assert.Equal(t, want, yes, version)
	}
}

// A kernel with call ops drops an entry that is not aligned (arch/arm64/kernel/ftrace.c,
// "Misaligned patch-site").
func TestMisalignedEntry(t *testing.T) {
	m := readEntries(t, "../../testdata/entries/aarch64-4-2-gcc.ko")
	leaf := symbolAt(m, "leaf", 0)
	for _, y := range m.Symbols {
		if y.Section == leaf.Section && y.Value >= leaf.Value {
			y.Value += 4
		}
	}
	for _, s := range m.Sections {
		if s.HasRelocs() && s.Target != nil && s.Target.Name == "__patchable_function_entries" {
			rs := slices.Clone(s.Relocs())
			for i := range rs {
				rs[i].Addend += 4
			}
			s.SetRelocs(rs)
		}
	}
	v, _ := kernel.ParseVersion("6.17")
	config := map[string]string{"DYNAMIC_FTRACE_WITH_CALL_OPS": "y"}
	k := &facts{config: config, Loader: kernel.LoaderOf(v, kernel.SchemeEarly, "")}
	yes, known := k.traceable(m, leaf)
	assert.True(t, known)
	assert.False(t, yes)
}

// Paddings are no entries: x86 reads __mcount_loc alone.
func TestPaddingsAreNoEntries(t *testing.T) {
	m := readEntries(t, "../../testdata/entries/x86_64-fentry-16-16.ko")
	m.Section("__mcount_loc").Name = "__mcount_lok"
	v, _ := kernel.ParseVersion("6.12")
	k := &facts{Loader: kernel.LoaderOf(v, kernel.SchemeEarly, "")}
	_, known := k.traceable(m, symbolAt(m, "leaf", 0))
	assert.False(t, known)
}

// The list is read once for all functions.
func TestEntriesAreReadOnce(t *testing.T) {
	m := readEntries(t, "../../testdata/entries/x86_64-fentry.ko")
	f := &facts{}
	first := f.entriesOf(m)
	assert.Same(t, first, f.entriesOf(m))
}
