// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

func chosen(kernel string, x loader.Chosen) *loader.Report {
	x.Object, x.Name, x.Position = "vmlinux", "show", 2
	return &loader.Report{Kernel: "./" + kernel, Release: kernel, Chosen: []loader.Chosen{x}}
}

func TestPositionsAreComparedBetweenKernels(t *testing.T) {
	for name, c := range map[string]struct {
		a, b  loader.Chosen
		found diag.Severity
		cause string // "" for nothing
	}{
		"same file": {loader.Chosen{Of: 3, File: "a.c", Size: 1}, loader.Chosen{Of: 4, File: "a.c",
			Size: 2}, 0, ""},
		"same path": {loader.Chosen{Of: 3, File: "fs/a.c"}, loader.Chosen{Of: 4, File: "fs/a.c"}, 0,
			""},
		"another path": {loader.Chosen{Of: 3, File: "fs/a.c"}, loader.Chosen{Of: 3, File: "net/a.c"},
			diag.Error, "position 2 of show in vmlinux is that of net/a.c here, and that of fs/a.c in 6.1"},
		"its name": {loader.Chosen{Of: 3, File: "fs/a.c"}, loader.Chosen{Of: 3, File: "a.c"}, 0,
			""},
		"another name": {loader.Chosen{Of: 3, File: "fs/a.c"}, loader.Chosen{Of: 3, File: "b.c"},
			diag.Error, "position 2 of show in vmlinux is that of b.c here, and that of fs/a.c in 6.1"},
		"another file": {loader.Chosen{Of: 3, File: "a.c"}, loader.Chosen{Of: 3, File: "b.c"},
			diag.Error, "position 2 of show in vmlinux is that of b.c here, and that of a.c in 6.1"},
		"one more": {loader.Chosen{Of: 2, File: "a.c"}, loader.Chosen{Of: 3}, diag.Note,
			"position 2 of show in vmlinux is one of 3 here, and of 2 in 6.1: it may be another symbol, " +
				"which no file tells"},
		"another size": {loader.Chosen{Of: 2, Size: 16}, loader.Chosen{Of: 2, Size: 32}, diag.Note,
			"position 2 of show in vmlinux is of 32 bytes here, and of 16 in 6.1: it may be another " +
				"symbol, which no file tells"},
		"nothing tells": {loader.Chosen{Of: 2}, loader.Chosen{Of: 2}, 0, ""},
		"only one":      {loader.Chosen{Of: 1, Size: 16}, loader.Chosen{Of: 1, Size: 32}, 0, ""},
	} {
		reports := []*loader.Report{chosen("6.1", c.a), {Release: "6.2"}, chosen("6.3", c.b)}
		loader.Compare(reports)
		assert.Empty(t, reports[0].Findings, name)
		assert.Empty(t, reports[1].Findings, name)
		if c.cause == "" {
			assert.Empty(t, reports[2].Findings, name)
			continue
		}
		require.Len(t, reports[2].Findings, 1, name)
		f := reports[2].Findings[0]
		assert.Equal(t, diag.OtherSymbol, f.ID)
		assert.Equal(t, c.found, f.Severity, name)
		assert.Equal(t, c.cause, f.Message, name)
		assert.Contains(t, f.Hints, "klp-convert sympos show@vmlinux -k ./6.1 -k ./6.3")
		assert.True(t, reports[2].Loads(), "the loader does not mind")
	}
}

// In whatever order the kernels are given: one without files is no measure for two that have them.
func TestFilesAreComparedBehindAKernelWithout(t *testing.T) {
	with := func(kernel, file string) *loader.Report {
		return chosen(kernel, loader.Chosen{Of: 3, File: file})
	}
	for _, reports := range [][]*loader.Report{
		{chosen("6.1", loader.Chosen{Of: 3}), with("6.2", "a.c"), with("6.3", "b.c")},
		{with("6.2", "a.c"), chosen("6.1", loader.Chosen{Of: 3}), with("6.3", "b.c")},
	} {
		loader.Compare(reports)
		require.Len(t, reports[2].Findings, 1)
		assert.Equal(t, diag.Error, reports[2].Findings[0].Severity)
		assert.Equal(t, "position 2 of show in vmlinux is that of b.c here, and "+
			"that of a.c in 6.2", reports[2].Findings[0].Message)
	}
}
