// SPDX-License-Identifier: GPL-2.0-or-later

// Package include tests klp_convert.h with the compilers that are here.
package include

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/scripts/need"
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
extern int twin, *const pointer;
extern void by_file(void);
static KLP_MODULE_RELOC(linux) files[] = {
	KLP_SYMFILE(twin, "drivers/pnp/interface.c"),
	KLP_SYMPOS(pointer, 3),
	KLP_SYMFILE(by_file, "cmd" "line.c")
};
extern int socket KLP_RELOC_SYMBOL_FILE(unix, linux, unix, "net/unix/af-unix+2.c");
extern int called(int) KLP_RELOC_SYMBOL_FILE(ext4, ext4, name.isra.0, "super.c");
extern int array[8] KLP_RELOC_SYMBOL_FILE(ext4, ext4, array, "fs/ext4/super.c");
int *const data[] = { &array[2], &socket };
int (*const calls[])(int) = { called };
extern long mine KLP_RELOC_SYMBOL(ext4, vmlinux, foo.isra.0);
extern int other(void) KLP_RELOC_SYMBOL_POS(nf_nat, nf_conntrack, helper, 12);

int use(void);
int use(void)
{
	flush(table[1]);
	by_file();
	if (called(array[3] + twin + *pointer + socket) > 3)
		return called(2);
	return banner[0] + (int)mine + other();
}
`

func compile(t *testing.T, compiler string, flags ...string) *elf.File {
	t.Helper()
	need.Tools(t, compiler)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "use.c"), filepath.Join(dir, "use.o")
	require.NoError(t, os.WriteFile(in, []byte(source), 0o644))
	msg, err := exec.Command(compiler, append(flags, "-c", "-I", ".", "-o", out,
		in)...).CombinedOutput()
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
			{"-std=gnu11", "-O2"}, {"-std=gnu89", "-O0"},
			{"-std=gnu11", "-O2", "-ffunction-sections", "-fdata-sections"},
			{"-std=gnu11", "-Os", "-g", "-fsanitize=kernel-address",
				"-Wno-unused-command-line-argument"},
			{"-std=gnu11", "-O2", "-fno-integrated-as"},
		} {
			if compiler == "gcc" {
				flags = slices.DeleteFunc(flags,
					func(f string) bool {
						return f == "-fno-integrated-as" ||
							f == "-Wno-unused-command-line-argument"
					})
			}
			t.Run(compiler, func(t *testing.T) {
				f := compile(t, compiler, append(flags, "-Wall", "-Wextra", "-Werror", "-fno-pic",
					"-mcmodel=kernel")...)
				assert.EqualValues(t, 24, f.Section(".klp.module_relocs.vmlinux").Size)
				assert.EqualValues(t, 12, f.Section(".klp.module_relocs.unix").Size,
					"the macro's argument is not expanded")
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
				for _, name := range []string{"banner", "table", "flush",
					".klp.sym.rela.ext4.vmlinux.foo.isra.0.0",
					".klp.sym.rela.nf_nat.nf_conntrack.helper.12",
					".klp.sym.file.unix.linux.unix/net/unix/af-unix+2.c",
					".klp.sym.file.ext4.ext4.name.isra.0/super.c",
					".klp.sym.file.ext4.ext4.array/fs/ext4/super.c"} {
					assert.True(t, undefined[name], name)
				}
				assert.EqualValues(t, 5*12, f.Section(".klp.module_relocs.linux").Size,
					"a pair for each file")
				assert.Equal(t, []string{"twin", "drivers/pnp/interface.c", "pointer", "by_file",
					"cmdline.c"}, pointers(t, f, ".klp.module_relocs.linux"))
			})
		}
	}
}

// pointers returns what the records of a section point at, symbols by name and
// strings in quotes left off.
func pointers(t *testing.T, f *elf.File, section string) (names []string) {
	t.Helper()
	symbols, err := f.Symbols()
	require.NoError(t, err)
	relocs, err := f.Section(".rela" + section).Data()
	require.NoError(t, err)
	for ; len(relocs) > 0; relocs = relocs[24:] {
		y := symbols[f.ByteOrder.Uint64(relocs[8:])>>32-1]
		if y.Section == elf.SHN_UNDEF {
			names = append(names, y.Name)
			continue
		}
		data, err := f.Sections[y.Section].Data()
		require.NoError(t, err)
		s, _, _ := bytes.Cut(data[y.Value+f.ByteOrder.Uint64(relocs[16:]):], []byte{0})
		names = append(names, string(s))
	}
	return names
}

// What is no string is no path.
func TestHeaderTakesStringsOnly(t *testing.T) {
	const source = "#include \"klp_convert.h\"\nextern int a; extern const char *path;\n" +
		"KLP_MODULE_RELOC(x) r[] = { KLP_SYMFILE(a, %s) };\n"
	in := filepath.Join(t.TempDir(), "strings.c")
	for _, compiler := range []string{"gcc", "clang"} {
		need.Tools(t, compiler)
		for path, ok := range map[string]bool{`"path"`: true, "path": false, "path.c": false,
			"0": false} {
			require.NoError(t, os.WriteFile(in, []byte(fmt.Sprintf(source, path)), 0o644))
			err := exec.Command(compiler, "-fsyntax-only", "-I", ".", in).Run()
			assert.Equal(t, ok, err == nil, "%s: %s: %v", compiler, path, err)
		}
	}
}

// As per-CPU variables are declared for gcc on x86, from 6.15 on.
func TestHeaderTakesNamedAddressSpaces(t *testing.T) {
	need.Tools(t, "gcc")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "percpu.c"), filepath.Join(dir, "percpu.o")
	const source = "#include \"klp_convert.h\"\nextern __seg_gs int here, there;\n" +
		"static KLP_MODULE_RELOC(x) r[] = { KLP_SYMPOS(here, 0), KLP_SYMFILE(there, \"a.c\") };\n"
	require.NoError(t, os.WriteFile(in, []byte(source), 0o644))
	msg, err := exec.Command("gcc", "-Wall", "-Wextra", "-Werror", "-O2", "-fno-pic",
		"-mcmodel=kernel", "-c", "-I", ".", "-o", out, in).CombinedOutput()
	require.NoError(t, err, "%s", msg)
	f, err := elf.Open(out)
	require.NoError(t, err)
	defer f.Close()
	assert.Equal(t, []string{"here", "there", "a.c"}, pointers(t, f, ".klp.module_relocs.x"))
}

// The older spelling, for tools that read no other.
func TestHeaderWithCommas(t *testing.T) {
	for _, compiler := range []string{"gcc", "clang"} {
		f := compile(t, compiler, "-DKLP_RELOC_SYMBOL_COMMA", "-Wall", "-Wextra", "-Werror",
			"-fno-pic", "-mcmodel=kernel", "-O2")
		symbols, err := f.Symbols()
		require.NoError(t, err)
		found := false
		for _, s := range symbols {
			found = found || s.Name == ".klp.sym.rela.nf_nat.nf_conntrack.helper,12"
		}
		assert.True(t, found, compiler)
	}
}
