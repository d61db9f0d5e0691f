// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/scripts/need"
)

// debugCopyOf converts a module and returns it and its copy.
func debugCopyOf(t *testing.T, file string) (module, copied string) {
	t.Helper()
	dir := t.TempDir()
	module, copied = filepath.Join(dir, "out.ko"), filepath.Join(dir, "debug.ko")
	status, _, stderr := klpConvert("-q", file, module)
	require.Equal(t, exitDone, status, stderr)
	status, stdout, stderr := klpConvert("inspect", "--debug-copy", copied, module)
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stdout, "not to be loaded")
	return module, copied
}

// tool runs a program that must have nothing to complain about.
func tool(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%v: %s", args, stderr.String())
	assert.Empty(t, stderr.String(), "%v", args)
	return stdout.String()
}

// objdump shows every klp relocation of the code where it belongs, which it does
// not in the module itself.
func TestObjdumpShowsKlpNamesInDebugCopy(t *testing.T) {
	need.Tools(t, "objdump")
	line := regexp.MustCompile(`(?m)^\s+([0-9a-f]+): R_X86_64_\w+\s+(\.klp\.sym\.[^-+\s]+)`)
	for _, name := range []string{"livepatch-cmdline.ko", "labels-dot.ko", "records-v7.ko"} {
		module, copied := debugCopyOf(t, "../../testdata/x86_64/"+name)
		f, err := elfrw.Parse("", read(t, module))
		require.NoError(t, err)
		var want []string
		for _, s := range f.Sections {
			if strings.HasPrefix(s.Name, ".klp.rela.") && s.Target.Name == ".text" {
				for _, r := range s.Relocs() {
					want = append(want, fmt.Sprintf("%x %s", r.Offset, r.Sym.Name))
				}
			}
		}
		require.NotEmpty(t, want)
		shown := func(file string) (all []string) {
			for _, m := range line.FindAllStringSubmatch(tool(t, "objdump", "-dr", "-j", ".text",
				file), -1) {
				all = append(all, m[1]+" "+m[2])
			}
			return all
		}
		assert.ElementsMatch(t, want, shown(copied), name)
		assert.Empty(t, shown(module), "objdump has learnt to read klp relocations: "+
			"docs/debugging.md says otherwise")
	}
}

func TestReadelfIsContentWithDebugCopies(t *testing.T) {
	need.Tools(t, "readelf")
	for _, file := range fixtures(t, "*/labels-dot.ko") {
		_, copied := debugCopyOf(t, file)
		assert.NotContains(t, tool(t, "readelf", "-aW", copied), "ff20", file)
	}
}

// gdb finds functions, their code and their lines.
func TestGdbReadsDebugCopy(t *testing.T) {
	need.Tools(t, "gdb")
	_, copied := debugCopyOf(t, "../../testdata/x86_64/livepatch-cmdline.ko")
	out := tool(t, "gdb", "-nx", "-batch", "-ex", "info line livepatch_cmdline_proc_show", "-ex",
		"disassemble livepatch_cmdline_proc_show", copied)
	assert.Regexp(t, `Line \d+ of "\S*livepatch-cmdline\.c" starts at address`, out)
	assert.Contains(t, out, "End of assembler dump")
}
