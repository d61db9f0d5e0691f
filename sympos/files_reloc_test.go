// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// The first relocation of a section may be of its first byte: that of .debug_ranges is,
// up to DWARF 4, when the first unit of a module has none (seen with Debian 11's gcc 10).
// Without it the second unit had all code from 0 on, that of the first as well.
func TestFirstRelocationOfDebugSection(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"one.c": `static int __attribute__((noinline, noclone)) twin(void) { return 1; }
int one(void) { return twin(); }
`,
		"two.c": `static int __attribute__((noinline, noclone)) twin(void) { return 2; }
int two(void) { return twin(); }
int __attribute__((section(".init.text"))) start(void) { return 3; }
const char info[] __attribute__((section(".modinfo"))) = "name=twins";
struct { char name[64]; } __this_module __attribute__((section(".gnu.linkonce.this_module"))) = { "twins" };
`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		out, err := exec.Command("gcc", "-O2", "-gdwarf-4", "-c", "-o",
			filepath.Join(dir, name+".o"), filepath.Join(dir, name)).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	module := filepath.Join(dir, "twins.ko")
	out, err := exec.Command("ld", "-r", "-o", module, filepath.Join(dir, "one.c.o"),
		filepath.Join(dir, "two.c.o")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	b, err := os.ReadFile(module)
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Join(dir, "one.c"), filepath.Join(dir, "two.c")},
		tablePaths(t, b, "twins", "twin"))
}

// Objects of size 0 of several files may share an address, and so may constants that a
// linker merged. Their symbols come in the order of the units.
func TestFilesOfSymbolsAtOneAddress(t *testing.T) {
	need.Tools(t, "gcc", "ld")
	dir := t.TempDir()
	run := func(command ...string) {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%v: %s", command, out)
	}
	names := []string{"one", "two", "three", "four"}
	for _, name := range append(names, "main") {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		text := fmt.Sprintf("static struct {} %[1]s_a __attribute__((used)), "+
			"%[1]s_b __attribute__((used));\n", name)
		if name == "main" { // without a variable of some size, ld drops .bss
			text = "int variable;\nvoid _start(void) {}\n"
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "twin.c"), []byte(text), 0o644))
		run("gcc", "-O2", "-g", "-c", "-o", name+".o", name+"/twin.c")
	}
	run("ld", "-o", "vmlinux", "one.o", "two.o", "three.o", "four.o", "main.o")
	b, err := os.ReadFile(filepath.Join(dir, "vmlinux"))
	require.NoError(t, err)
	for range 20 {
		table := read(t, source(t, "vmlinux", b))
		address := table.Lookup(Vmlinux, "one_a")[0].Address
		for _, name := range names {
			for _, symbol := range []string{name + "_a", name + "_b"} {
				require.Equal(t, address, table.Lookup(Vmlinux, symbol)[0].Address)
				files, err := table.Files(Vmlinux, symbol)
				require.NoError(t, err)
				require.Equal(t, []string{name + "/twin.c"}, fileNames(files), symbol)
			}
		}
	}
}
