// SPDX-License-Identifier: GPL-2.0-or-later

// Package include tests klp_convert.h with the compilers that are here.
package include

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// source uses every macro on every kind of symbol.
const source = `
#include "klp_convert.h"

extern const char *const banner;
extern int table[4];
extern void flush(int how);
static KLP_MODULE_RELOC(vmlinux) some[] = {
	KLP_SYMPOS(banner, 0),
	KLP_SYMPOS(table, 2),
};
static KLP_MODULE_RELOC(unix) more[] = { KLP_SYMPOS(flush, 1) };
extern long mine KLP_RELOC_SYMBOL(ext4, vmlinux, foo.isra.0);
extern int other(void) KLP_RELOC_SYMBOL_POS(nf_nat, nf_conntrack, helper, 12);

int use(void);
int use(void)
{
	flush(table[1]);
	return banner[0] + (int)mine + other();
}
`

func compile(t *testing.T, compiler string, flags ...string) *elf.File {
	t.Helper()
	if _, err := exec.LookPath(compiler); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not here", compiler)
		}
		t.Skipf("not run: %s is not here; make prerequisites", compiler)
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "use.c"), filepath.Join(dir, "use.o")
	require.NoError(t, os.WriteFile(in, []byte(source), 0o644))
	msg, err := exec.Command(compiler, append(flags, "-c", "-I", ".", "-o", out, in)...).CombinedOutput()
	require.NoError(t, err, "%s", msg)
	require.Empty(t, string(msg))
	f, err := elf.Open(out)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

// Without a warning, in the dialect that kernels are built in and in an older
// one, optimised or not: records of twelve bytes and labels as they are read.
func TestHeaderWithEveryCompiler(t *testing.T) {
	for _, compiler := range []string{"gcc", "clang"} {
		for _, flags := range [][]string{
			{"-std=gnu11", "-O2"}, {"-std=gnu89", "-O0"}, {"-std=gnu11", "-O2", "-ffunction-sections", "-fdata-sections"},
		} {
			t.Run(compiler, func(t *testing.T) {
				f := compile(t, compiler, append(flags, "-Wall", "-Wextra", "-Werror", "-fno-pic", "-mcmodel=kernel")...)
				assert.EqualValues(t, 24, f.Section(".klp.module_relocs.vmlinux").Size)
				assert.EqualValues(t, 12, f.Section(".klp.module_relocs.unix").Size, "the macro's argument is not expanded")
				data, err := f.Section(".klp.module_relocs.vmlinux").Data()
				require.NoError(t, err)
				assert.EqualValues(t, 2, f.ByteOrder.Uint32(data[20:]))
				assert.EqualValues(t, 2*24, f.Section(".rela.klp.module_relocs.vmlinux").Size)
				symbols, err := f.Symbols()
				require.NoError(t, err)
				undefined := map[string]bool{}
				for _, s := range symbols {
					undefined[s.Name] = s.Section == elf.SHN_UNDEF && s.Name != ""
				}
				for _, name := range []string{"banner", "table", "flush", ".klp.sym.rela.ext4.vmlinux.foo.isra.0.0", ".klp.sym.rela.nf_nat.nf_conntrack.helper.12"} {
					assert.True(t, undefined[name], name)
				}
			})
		}
	}
}

// The older spelling, for tools that read no other.
func TestHeaderWithCommas(t *testing.T) {
	for _, compiler := range []string{"gcc", "clang"} {
		f := compile(t, compiler, "-DKLP_RELOC_SYMBOL_COMMA", "-Wall", "-Wextra", "-Werror", "-fno-pic", "-mcmodel=kernel", "-O2")
		symbols, err := f.Symbols()
		require.NoError(t, err)
		found := false
		for _, s := range symbols {
			found = found || s.Name == ".klp.sym.rela.nf_nat.nf_conntrack.helper,12"
		}
		assert.True(t, found, compiler)
	}
}
