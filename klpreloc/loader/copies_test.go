// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/scripts/need"
	"github.com/klp-convert/klp-convert/sympos"
)

// driveKernel is a kernel of a few symbols with the module drive of testdata/inlining.
func driveKernel(t *testing.T, module string) *sympos.Kernel {
	t.Helper()
	text := whole(kallsyms)
	src, err := sympos.New("kernel", strings.NewReader(text), int64(len(text)))
	require.NoError(t, err)
	k := sympos.NewKernel("kernel", src)
	k.Release = "6.1.0-99-test"
	path := filepath.Join(t.TempDir(), "drive.ko")
	require.NoError(t, os.WriteFile(path, contents(t, "inlining/"+module), 0o644))
	require.NoError(t, k.AddModules(path))
	return k
}

// copyFindings are what check finds about copies: severity, id, function, cause and fixes.
func copyFindings(r *loader.Report) (lines []string) {
	for _, f := range r.Findings {
		switch f.ID {
		case diag.InlinedCopy, diag.CloneCalled, diag.OtherBody, diag.FunctionAbsent:
			lines = append(lines, strings.Join([]string{f.Severity.String(), string(f.ID), f.Symbol,
				f.Message}, " "))
			for _, h := range f.Hints {
				lines = append(lines, "    "+h)
			}
		}
	}
	return lines
}

func TestCopiesThatAreNotReplaced(t *testing.T) {
	const inlinedSpin = "error KLP176 spin inlined into disk_park and disk_open, which are not " +
		"patched: the old code runs there"
	described := []string{
		inlinedSpin,
		"    replace disk_park as well, which has a copy of it, from disk.c:53",
		"    replace disk_open as well, which has a copy of it, from disk.c:14 by way of start",
		"error KLP177 seek seek.constprop.0 is a copy of it, which disk_park and disk_open call, " +
			"and which are not patched",
		"    replace disk_park as well",
		"    replace disk_open as well",
		"error KLP176 eject inlined into disk_reset and disk_close, which are not patched: the old " +
			"code runs there",
		"    replace disk_reset as well, which has a copy of it, from disk.c:63",
		"    replace disk_close as well, which has a copy of it, from disk.c:58",
		"error KLP176 calibrate inlined into tape_open, which is not patched: the old code runs " +
			"there; init_module runs once, when it is loaded",
		"    replace tape_open as well, which has a copy of it, from tape.c:13",
		"error KLP178 calibrate it is of drive.h, and compiled for other files too: position 1 is " +
			"not patched",
		`    { .old_name = "calibrate", .old_sympos = 1, …} as well`,
	}
	for name, test := range map[string]struct {
		patch, module string
		want          []string
	}{
		"DWARF 4": {"x86_64-patch.ko", "x86_64-dwarf4.ko", described},
		"DWARF 5": {"x86_64-patch.ko", "x86_64-dwarf5.ko", described},
		"callers are replaced": {"x86_64-patch-callers.ko", "x86_64-dwarf5.ko", []string{
			"note KLP176 spin inlined into disk_park and disk_open, which are patched too",
			"    what replaces them must use the new code of spin",
		}},
		"no instruction is left": {"x86_64-patch.ko", "x86_64-folded.ko", []string{
			"note KLP176 spin the compiler inlined it, and does not say where: no instruction is left " +
				"there, but what it returned may be",
			"    look at the calls of spin in src/folded/folded.c, and replace these callers as well",
		}},
		"no debug information": {"x86_64-patch.ko", "x86_64-stripped.ko", []string{
			"note KLP177 seek seek.constprop.0 is a copy of it: calls of that are not redirected",
			"    replace the functions that call seek in the source; debug information tells which",
			"note KLP177 eject eject.part.0 is a copy of it: calls of that are not redirected",
			"    replace the functions that call eject in the source; debug information tells which",
		}},
	} {
		r, err := loader.Open(contents(t, "inlining/"+test.patch)).
			Check(loader.Options{Kernel: driveKernel(t, test.module)})
		require.NoError(t, err)
		assert.Equal(t, test.want, copyFindings(r), name)
		unchecked := ""
		for _, u := range r.Unchecked {
			unchecked += u.What + "\n"
		}
		if test.module == "x86_64-stripped.ko" {
			assert.Contains(t, unchecked, "where functions of drive are inlined\n", name)
		} else {
			assert.NotContains(t, unchecked, "are inlined", name)
		}
	}
}

// Debug information that can't be read is no reason to say that nothing is inlined.
func TestCopiesOfDamagedDebugInformation(t *testing.T) {
	k := driveKernel(t, "x86_64-dwarf5.ko")
	b, path, err := k.ModuleFile("drive")
	require.NoError(t, err)
	f := parse(t, b)
	info := section(t, f, ".debug_info")
	info.Data = append([]byte(nil), info.Data...)
	info.Data[0] = 0xff // longer than the section
	require.NoError(t, os.WriteFile(path, encode(t, f), 0o644))
	r, err := loader.Open(contents(t, "inlining/x86_64-patch.ko")).Check(loader.Options{Kernel: k})
	require.NoError(t, err)
	why := ""
	for _, u := range r.NotJudged() {
		if u.What == "where functions of drive are inlined" {
			why = u.Why
		}
	}
	assert.Contains(t, why, "debug information can't be read")
}

// A function that was inlined everywhere: its callers are named.
func TestFunctionWithoutASymbolIsSoughtInDebugInformation(t *testing.T) {
	w := good()
	w.objects, w.records = "drive", ""
	w.uses = nil
	w.funcs = map[string][]fn{"drive": {{Old: "start", New: "a_fn"},
		{Old: "disk_alone", New: "vm_fn"}}}
	f := w.convert(t)
	r, err := loader.Open(encode(t, f)).
		Check(loader.Options{Kernel: driveKernel(t, "x86_64-dwarf5.ko")})
	require.NoError(t, err)
	lines := copyFindings(r)
	require.NotEmpty(t, lines)
	assert.Contains(t, lines[0], "KLP137 start")
	assert.Contains(t, lines,
		"    start of disk.c is inlined everywhere: replace disk_open in its place")
}

// For a function that ftrace can't change, one that may call it is named.
func TestWrapperOfAFunctionWithoutAnEntry(t *testing.T) {
	w := good()
	w.kallsyms = kallsyms + "ffffffff81002000 T _sinittext\nffffffff81002010 t __do_sys_getpid\n" +
		"ffffffff81002020 t __read_it\nffffffff81002100 T _einittext\n" +
		"ffffffff81000540 T __x64_sys_getpid\nffffffff81000560 T read_it\n"
	w.symvers = "0x00000001\t__x64_sys_getpid\tvmlinux\tEXPORT_SYMBOL\t\n" +
		"0x00000001\tread_it\tvmlinux\tEXPORT_SYMBOL\t\n"
	w.funcs = map[string][]fn{"vmlinux": {{Old: "__do_sys_getpid", New: "vm_fn"},
		{Old: "__read_it", New: "vm_fn"}}, "a": {{Old: "aold", New: "a_fn"}}}
	r := w.check(t, encode(t, w.convert(t)))
	hints := map[string][]string{}
	for _, f := range r.Findings {
		if f.ID == diag.NotPatchable {
			hints[f.Symbol] = f.Hints
		}
	}
	const rest = "patch a function that calls it, and is not inlined"
	assert.Equal(t, map[string][]string{
		"__do_sys_getpid": {"patch __x64_sys_getpid, the entry of the system call", rest},
		"__read_it":       {"patch read_it, if it calls __read_it: it has an ftrace entry", rest},
	}, hints)
}

// A function that BTF has and the symbol table has not is in its callers, or in clones.
func TestFunctionThatOnlyBTFKnows(t *testing.T) {
	need.Tools(t, "ld", "objcopy")
	vmlinux := filepath.Join(t.TempDir(), "vmlinux")
	for _, command := range [][]string{
		{"ld", "-e", "0", "-Ttext=0xffffffff81000000", "--defsym=klp_enable_patch=0xffffffff81001000",
			"--unresolved-symbols=ignore-all", "-o", vmlinux, "../../testdata/types/x86_64-btf.ko"},
		{"objcopy", "--strip-symbol=is_ready", vmlinux},
	} {
		out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	src, err := sympos.Open(vmlinux)
	require.NoError(t, err)
	k := sympos.NewKernel("kernel", src)
	k.Release = "6.1.0-99-test"
	w := good()
	w.objects, w.records, w.uses = "vmlinux", "", nil
	w.funcs = map[string][]fn{"vmlinux": {{Old: "is_ready", New: "vm_fn"},
		{Old: "absent", New: "a_fn"}}}
	r, err := loader.Open(encode(t, w.convert(t))).Check(loader.Options{Kernel: k})
	require.NoError(t, err)
	const hint = "    BTF has is_ready, and there is no symbol: all of its code is in its callers, " +
		"or in clones; replace the callers in its place"
	lines := copyFindings(r)
	assert.Contains(t, lines, hint)
	assert.NotContains(t, strings.Join(lines, "\n"), "BTF has absent")
}
