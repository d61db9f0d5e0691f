// SPDX-License-Identifier: GPL-2.0-or-later

package typecheck_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/typecheck"
	"github.com/klp-convert/klp-convert/sympos"
)

const fixtures = "../../testdata/declared/"

// symbols are those that the fixtures borrow, but for the alias.
var symbols = []string{"is_ready", "set_state", "find_shelf", "first_device", "banner", "hidden"}

// open reads a livepatch, whose contents change may alter before.
func open(t *testing.T, name string, change func(*elfrw.File)) *typecheck.Livepatch {
	t.Helper()
	return openFor(t, name, "", change)
}

// openFor reads a livepatch that was built for a release.
func openFor(t *testing.T, name, release string, change func(*elfrw.File)) *typecheck.Livepatch {
	t.Helper()
	b, err := os.ReadFile(fixtures + name + ".ko")
	require.NoError(t, err)
	f, err := elfrw.Parse(name, b)
	require.NoError(t, err)
	if change != nil {
		change(f) // contents of sections alias b
	}
	patches, err := klppatch.Read(f)
	require.NoError(t, err)
	return typecheck.Read(f, b, release, patches, append([]string{"twin"}, symbols...))
}

// check compares a livepatch with the kernel of a file.
func check(t *testing.T, l *typecheck.Livepatch, file string, more ...typecheck.Borrowed,
) *typecheck.Answer {
	t.Helper()
	return checkRelease(t, l, file, "", more...)
}

// checkRelease compares a livepatch with the kernel of a file, which is of a release.
func checkRelease(t *testing.T, l *typecheck.Livepatch, file, release string,
	more ...typecheck.Borrowed,
) *typecheck.Answer {
	t.Helper()
	path, err := filepath.Abs(fixtures + file)
	require.NoError(t, err)
	k, err := sympos.FindKernel(path, nil)
	require.NoError(t, err)
	k.Release = release
	table, err := k.Read(sympos.All, sympos.Vmlinux)
	require.NoError(t, err)
	borrowed := more
	for _, name := range symbols {
		borrowed = append(borrowed, typecheck.Borrowed{Symbol: name, Object: sympos.Vmlinux, Name: name})
	}
	return typecheck.Check(l, borrowed, k, table)
}

// lines returns what was found, in short.
func lines(a *typecheck.Answer) (list []string) {
	for _, f := range a.Findings {
		list = append(list, fmt.Sprintf("%s %d %v", f.Symbol, len(f.Differences), f.Places))
	}
	return list
}

func TestEachKindOfDifference(t *testing.T) {
	for _, kernel := range []string{"vmlinux-btf", "vmlinux-dwarf", "vmlinux-dwz"} {
		for name, want := range map[string][]string{
			"good":      nil,
			"declared":  {"banner 1 []", "is_ready 1 []", "set_state 1 []"},
			"signature": {"cmdline_proc_show 2 []"},
			"layout":    {"struct device 4 [struct rack]"},
			"private":   {"struct shelf 1 []"},
		} {
			assert.Equal(t, want, lines(check(t, open(t, name, nil), kernel)), "%s, %s", name, kernel)
		}
	}
}

// After strip -g a livepatch has BTF only. What it defines can be compared: with any kernel if
// the BTF has a base of its own, else with the BTF of the kernel that it was built for.
func TestLivepatchWithBTFOnly(t *testing.T) {
	const release = "6.1.0-99-test"
	want := []string{"cmdline_proc_show 2 []"}
	for _, kernel := range []string{"vmlinux-btf", "vmlinux-dwarf", "vmlinux-dwz"} {
		a := check(t, open(t, "signature-base", nil), kernel)
		assert.Equal(t, want, lines(a), kernel)
		assert.Contains(t, fmt.Sprint(a.Unjudged), "BTF only, which has no declarations")
	}
	split := openFor(t, "signature-split", release, nil)
	assert.Equal(t, want, lines(checkRelease(t, split, "vmlinux-btf", release)))
	for _, test := range []struct{ kernel, release, why string }{
		{"vmlinux-btf", "", "it is not known whether this is it"},
		{"vmlinux-btf", "6.1.0-98-test", "which is for another kernel"},
		{"vmlinux-dwarf", release, "of the kernel there is only DWARF"},
	} {
		a := checkRelease(t, split, test.kernel, test.release)
		assert.Contains(t, a.Nothing, test.why)
		assert.NotEmpty(t, a.Hint)
		assert.False(t, a.Damaged)
		assert.Empty(t, a.Findings)
	}
}

// One livepatch is compared with any number of kernels, and says the same of each.
func TestOneReadingServesAllKernels(t *testing.T) {
	l := open(t, "layout", nil)
	for range 2 {
		assert.Len(t, check(t, l, "vmlinux-btf").Findings, 1)
		assert.Len(t, check(t, l, "vmlinux-dwarf").Findings, 1)
	}
}

// Of functions of one name all are compared, unless position and source file tell which is meant.
func TestFunctionsOfOneName(t *testing.T) {
	for position, want := range []string{
		"of 2 functions, one fits", "twin 3 []", "the second fits",
	} {
		twin := typecheck.Borrowed{Symbol: "twin", Object: sympos.Vmlinux, Name: "twin",
			Position: uint64(position)}
		a := check(t, open(t, "twin1", nil), "vmlinux-dwarf", twin)
		switch position {
		case 0:
			assert.Empty(t, a.Findings, want)
			assert.Contains(t, fmt.Sprint(a.Unjudged), "vmlinux has 2 functions of the name")
			assert.Contains(t, fmt.Sprint(a.Unjudged), "fits long int twin(struct seq_file *m)")
		case 1:
			assert.Equal(t, []string{want}, lines(a))
		default:
			assert.Empty(t, a.Findings, want)
		}
	}
}

// A name that a livepatch borrows of two objects is compared with both.
func TestNameOfTwoObjects(t *testing.T) {
	l := open(t, "declared", nil)
	other := typecheck.Borrowed{Symbol: "is_ready", Object: sympos.Vmlinux, Name: "set_state"}
	a := check(t, l, "vmlinux-btf", other)
	for _, f := range a.Findings {
		if f.Symbol == "set_state" && len(f.Hints) == 2 {
			return
		}
	}
	assert.Fail(t, "both functions are offered", "%v", a.Findings)
}

// Any byte of the debug information may be wrong: nothing panics.
func TestDamagedDebugInformation(t *testing.T) {
	for _, name := range []string{".debug_info", ".debug_abbrev"} {
		size := 1
		for at := 0; at < size; at += 13 {
			l := open(t, "layout", func(f *elfrw.File) {
				data := f.Section(name).Data
				size = len(data)
				data[at] ^= 0xff
			})
			check(t, l, "vmlinux-btf")
		}
		assert.Greater(t, size, 100)
	}
}
