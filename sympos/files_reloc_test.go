// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
struct { char name[64]; } __this_module __attribute__((section(ThisModule))) = { "twins" };
`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		out, err := exec.Command("gcc", "-O2", "-gdwarf-4", "-c", "-o", filepath.Join(dir, name+".o"), filepath.Join(dir, name)).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	module := filepath.Join(dir, "twins.ko")
	out, err := exec.Command("ld", "-r", "-o", module, filepath.Join(dir, "one.c.o"), filepath.Join(dir, "two.c.o")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	b, err := os.ReadFile(module)
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Join(dir, "one.c"), filepath.Join(dir, "two.c")}, tablePaths(t, b, "twins", "twin"))
}
