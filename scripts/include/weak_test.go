// SPDX-License-Identifier: GPL-2.0-or-later

package include

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// Why klp_convert.h does not declare symbols weak, although stock modpost would let
// weak ones pass (docs/kbuild.md): what compilers make of it.

const borrowed = `
#ifdef WEAK
#define BORROWED __attribute__((weak))
#else
#define BORROWED
#endif
extern int data BORROWED;
extern int function(int) BORROWED;
int load(void);
int call(int x);
int there(void);
int load(void) { return data; }
int call(int x) { return function(x) + 1; }
int there(void) { return &data != 0; }
`

// build compiles it and returns the types of the relocations against data and
// function, as the numbers of the machine's ABI.
func build(t *testing.T, weak bool, compiler string, flags ...string) (data, function []uint32) {
	t.Helper()
	need.Tools(t, compiler)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "weak.c"), filepath.Join(dir, "weak.o")
	require.NoError(t, os.WriteFile(in, []byte(borrowed), 0o644))
	args := append([]string{"-O2", "-fno-pic", "-fno-pie", "-c", "-o", out, in}, flags...)
	if weak {
		args = append(args, "-DWEAK")
	}
	msg, err := exec.Command(compiler, args...).CombinedOutput()
	require.NoError(t, err, "%s", msg)
	f, err := elf.Open(out)
	require.NoError(t, err)
	defer f.Close()
	symbols, err := f.Symbols()
	require.NoError(t, err)
	relocs, err := f.Section(".rela.text").Data()
	require.NoError(t, err)
	for ; len(relocs) > 0; relocs = relocs[24:] {
		info := f.ByteOrder.Uint64(relocs[8:])
		switch symbols[info>>32-1].Name {
		case "data":
			data = append(data, uint32(info))
		case "function":
			function = append(function, uint32(info))
		}
	}
	return data, function
}

// arm64's loader knows no relocations of a GOT (arch/arm64/kernel/module.c,
// apply_relocate_add, as read in 6.6: "unsupported RELA relocation"), and both
// compilers reach weak data by one.
func TestWeakDataOnArm64WantsGOT(t *testing.T) {
	got := []uint32{uint32(elf.R_AARCH64_ADR_GOT_PAGE), uint32(elf.R_AARCH64_LD64_GOT_LO12_NC)}
	for _, cc := range [][]string{{"aarch64-linux-gnu-gcc"},
		{"clang", "--target=aarch64-linux-gnu"}} {
		t.Run(cc[0], func(t *testing.T) {
			strong, _ := build(t, false, cc[0], append(cc[1:], "-mgeneral-regs-only")...)
			weak, _ := build(t, true, cc[0], append(cc[1:], "-mgeneral-regs-only")...)
			for _, r := range got {
				assert.NotContains(t, strong, r)
				assert.Contains(t, weak, r)
			}
		})
	}
}

// gcc calls a weak function of s390x without a PLT entry, so within 4 GB only.
func TestWeakCallOnS390IsDirect(t *testing.T) {
	_, strong := build(t, false, "s390x-linux-gnu-gcc", "-m64", "-march=z10")
	_, weak := build(t, true, "s390x-linux-gnu-gcc", "-m64", "-march=z10")
	assert.Equal(t, []uint32{uint32(elf.R_390_PLT32DBL)}, strong)
	assert.Equal(t, []uint32{uint32(elf.R_390_PC32DBL)}, weak)
}

// Whether a symbol is there is a question at run time when it is weak.
func TestWeakSymbolIsCompared(t *testing.T) {
	for _, cc := range [][]string{
		{"gcc", "-mcmodel=kernel"}, {"clang", "-mcmodel=kernel"},
		{"clang", "--target=s390x-linux-gnu", "-march=z10"}, {"s390x-linux-gnu-gcc", "-march=z10"},
	} {
		strong, _ := build(t, false, cc[0], cc[1:]...)
		weak, _ := build(t, true, cc[0], cc[1:]...)
		assert.Greater(t, len(weak), len(strong), "%v", cc)
		assert.True(t, slices.Contains(weak, strong[0]), "%v: the load is the same", cc)
	}
}
