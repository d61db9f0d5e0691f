// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// What could have been meant is offered before the command that shows more, and by the
// finding that it belongs to.
func TestNearMissesOfFindings(t *testing.T) {
	w := good()
	w.kallsyms = kallsyms + "ffffffff81003000 T __x64_sys_getpid\nffffffff81003030 T " +
		"__ia32_sys_getpid\n" +
		"ffffffff81003100 t copy.isra.0\nffffffff81003120 t copy.isra.0\n"
	w.funcs = map[string][]fn{"vmlinux": {{Old: "sys_getpid", New: "vm_fn"},
		{Old: "copy", New: "vm_fn"}}, "a": {{Old: "aold", New: "a_fn"}}}
	f := w.convert(t)
	rename(".klp.sym.vmlinux.vsym,0", ".klp.sym.vmlinux.vsim,0")(t, f)
	r := w.check(t, encode(t, f))
	for symbol, want := range map[string][]string{
		"sys_getpid": {
			`.old_name = "__x64_sys_getpid",    /* T ffffffff81003000 +0x30, entry of the system call */`,
			`.old_name = "__ia32_sys_getpid",   /* T ffffffff81003030 +0xd0, its entry for 32-bit programs */`,
			`klp-convert sympos sys_getpid@vmlinux --kernel kernel`},
		"copy": {
			`.old_name = "copy.isra.0", .old_sympos = 1,   /* t ffffffff81003100 +0x20, its arguments were changed by the compiler */`,
			`.old_name = "copy.isra.0", .old_sympos = 2,   /* t ffffffff81003120, its arguments were changed by the compiler */`,
			`klp-convert sympos copy@vmlinux --kernel kernel`},
	} {
		i := slices.IndexFunc(r.Findings,
			func(f diag.Diagnostic) bool { return f.ID == diag.FunctionAbsent && f.Symbol == symbol })
		require.GreaterOrEqual(t, i, 0, symbol)
		assert.Equal(t, want, r.Findings[i].Hints)
	}
	i := slices.IndexFunc(r.Findings,
		func(f diag.Diagnostic) bool { return f.ID == diag.KlpSymbolAbsent })
	require.GreaterOrEqual(t, i, 0)
	require.Len(t, r.Findings[i].Hints, 2)
	assert.Regexp(t, `^KLP_SYMPOS\(vsym, 0\),   /\* . ffffffff8100.* similar \*/$`,
		r.Findings[i].Hints[0])
}
