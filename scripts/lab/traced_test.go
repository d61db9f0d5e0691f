// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos"
)

// What the kernel's image tells of ftrace entries is what ftrace itself lists, for each
// function of vmlinux whose name is its own.
func TestImageTellsWhatCanBeTraced(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		image, err := sympos.Open(w.kernel.Image)
		require.NoError(t, err)
		table, err := sympos.Read(sympos.All, image)
		require.NoError(t, err)
		untraced := table.Facts(sympos.Vmlinux).Untraced
		require.NotEmpty(t, untraced)
		at := func(name string) uint64 {
			list := table.Lookup(sympos.Vmlinux, name)
			require.NotEmpty(t, list, name)
			return list[0].Address
		}
		start, end := at("_stext"), at("_etext") // init code follows

		results := w.scene(t).run(
			sh("mount -t tracefs tracefs /sys/kernel/tracing"),
			sh("pack /sys/kernel/tracing/available_filter_functions"),
		)
		text, err := results[1].Unpack()
		require.NoError(t, err)
		listed := map[string]bool{}
		for _, line := range strings.Split(string(text), "\n") {
			name, _, _ := strings.Cut(line, " ")
			listed[name] = true
		}

		traced, not, aliases := 0, 0, 0
		for _, name := range table.Names(sympos.Vmlinux) {
			list := table.Lookup(sympos.Vmlinux, name)
			s := list[0]
			if len(list) != 1 || s.Type != 't' && s.Type != 'T' || s.Address < start ||
				s.Address >= end {
				continue
			}
			_, none := slices.BinarySearch(untraced, s.Address)
			switch {
			case none:
				not++
				assert.False(t, listed[name], "%s has an entry, and the image does not tell of it",
					name)
			case listed[name]:
				traced++
			default:
				aliases++ // ftrace lists each place once
			}
		}
		t.Logf("%s: %d functions with an entry, %d without, %d listed under another name",
			w.kernel.Release, traced, not, aliases)
		assert.Greater(t, traced, 5000) // the lab's own kernels are small
		assert.Greater(t, not, 1000)
		most := traced / 50
		if w.kernel.arch.Name == "loongarch64" {
			most = traced / 20 // its system calls have two names: sys_NAME and __se_sys_NAME
		}
		assert.Less(t, aliases, most)
	})
}
