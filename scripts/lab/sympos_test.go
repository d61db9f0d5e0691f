// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// klplab_twins and klplab_twins_record use names that occur more than once:
// klplab_twin in klplab_target.ko and c_start, which kernels of any size have several of, in vmlinux.

const (
	startNames = `awk '$3 == "c_start" && NF == 3 { print $1 }' /proc/kallsyms`
	param      = "cat /sys/module/%s/parameters/%s"
)

// twins returns what the first and the second klplab_twin return, in the order
// of the module's symbol table, which is the order that counts in a module.
// The function in twin_first.c returns 100, that in twin_second.c 200.
func twins(t *testing.T, target []byte) (first, second int) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(target))
	require.NoError(t, err)
	symbols, err := f.Symbols()
	require.NoError(t, err)
	var found []int
	file := ""
	for _, s := range symbols {
		if elf.ST_TYPE(s.Info) == elf.STT_FILE {
			file = s.Name
		}
		if s.Name == "klplab_twin" {
			found = append(found, map[string]int{"twin_first.c": 100, "twin_second.c": 200}[file])
		}
	}
	require.ElementsMatch(t, []int{100, 200}, found, "twins in the symbol table")
	return found[0], found[1]
}

// addresses reads one hexadecimal number a line.
func addresses(t *testing.T, text string) []uint64 {
	t.Helper()
	var list []uint64
	for _, line := range strings.Fields(text) {
		n, err := strconv.ParseUint(line, 16, 64)
		require.NoError(t, err)
		list = append(list, n)
	}
	return list
}

// decimal reads a parameter that holds an address.
func decimal(t *testing.T, r Result) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimSpace(r.Out), 10, 64)
	require.NoError(t, err, "%s", r)
	return n
}

func TestLabelsChooseSymbolsByPosition(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		s := w.scene(t, "klplab_target.ko", "klplab_twins.ko")
		first, second := twins(t, w.built(t, "klplab_target.ko"))
		results := s.run(
			sh(startNames),
			sh("load klplab_target.ko"),
			sh("load klplab_twins.ko"),
			sh("settle klplab_twins"),
			sh(show, prints(fmt.Sprintf("first %d second %d", first, second))),
			sh(fmt.Sprintf(param, "klplab_twins", "first")),
			sh(fmt.Sprintf(param, "klplab_twins", "second")),
		)
		all := addresses(t, results[0].Out)
		require.GreaterOrEqual(t, len(all), 2,
			"c_start is no longer a name of several symbols: choose another")
		assert.Equal(t, all[0], decimal(t, results[5]), "c_start,1")
		assert.Equal(t, all[1], decimal(t, results[6]), "c_start,2")
	})
}

func TestRecordsChooseSymbolsByPosition(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		s := w.scene(t, "klplab_target.ko", "klplab_twins_record.ko")
		_, second := twins(t, w.built(t, "klplab_target.ko"))
		results := s.run(
			sh(startNames),
			sh("load klplab_target.ko"),
			sh("load klplab_twins_record.ko"),
			sh("settle klplab_twins_record"),
			sh(show, prints(fmt.Sprintf("second %d", second))),
			sh(fmt.Sprintf(param, "klplab_twins_record", "second")),
		)
		all := addresses(t, results[0].Out)
		require.GreaterOrEqual(t, len(all), 2)
		assert.Equal(t, all[1], decimal(t, results[5]), "c_start,2")
	})
}

// While the target is loading, its whole symbol table is searched, afterwards
// only what is kept of it: the position must be good for both.
func TestPositionHoldsWhenModuleComesLater(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		s := w.scene(t, "klplab_target.ko", "klplab_twins.ko")
		first, second := twins(t, w.built(t, "klplab_target.ko"))
		s.run(
			sh("load klplab_twins.ko"),
			sh("settle klplab_twins"),
			sh("load klplab_target.ko"),
			sh(show, prints(fmt.Sprintf("first %d second %d", first, second))),
		)
	})
}

// The position is not decoration: the kernel counts.
func TestWrongPositionIsRefused(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		s := w.scene(t, "klplab_target.ko")
		record := w.converted(t, "klplab_twins_record.ko")
		s.file("zero.ko", renamed(t, record, ".klp.sym.vmlinux.c_start,2",
			".klp.sym.vmlinux.c_start,0"))
		once := w.converted(t, "klplab_v7.ko")
		s.file("two.ko", renamed(t, once, ".klp.sym.klplab_target.klplab_helper,0",
			".klp.sym.klplab_target.klplab_helper,2"))
		s.run(
			sh("load klplab_target.ko"),
			sh("load zero.ko", refuses("EINVAL",
				"livepatch: unresolvable ambiguity for symbol 'c_start' in object '(null)'")),
			sh("load two.ko", refuses("EINVAL",
				"livepatch: symbol position 2 for symbol 'klplab_helper' in object "+
					"'klplab_target' not found")),
			sh(show, prints(original)),
		)
	})
}
