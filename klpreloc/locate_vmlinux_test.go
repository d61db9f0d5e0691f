// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
)

// A vmlinux without debug information tells names of files alone, and no file of a kernel is
// in the root of its tree: an annotation without a directory is never certain there.
func TestAnnotationByNameOfFileInVmlinux(t *testing.T) {
	dir := t.TempDir()
	var link []string
	for name, text := range map[string]string{
		"signal": ".globl _text\n_text: .byte 0\n", "other": ".globl _end\n_end: .byte 0\n",
	} {
		source, object := filepath.Join(dir, name+".s"), filepath.Join(dir, name+".o")
		text = ".file \"" + name + ".c\"\n.text\n" + text +
			".type show,%function\nshow: .byte 0\n.size show,1\n"
		require.NoError(t, os.WriteFile(source, []byte(text), 0o644))
		out, err := exec.Command("as", "-o", object, source).CombinedOutput()
		require.NoError(t, err, string(out))
		link = append(link, object)
	}
	path := filepath.Join(dir, "vmlinux")
	out, err := exec.Command("ld", append(link, "-Ttext=0x81000000", "-e", "0", "-o", path)...).
		CombinedOutput()
	require.NoError(t, err, string(out))
	for file, message := range map[string]string{
		"signal.c": "symbol show of vmlinux is from a file called signal.c, and the annotation " +
			"names no directory: it can be any file of that name",
		"kernel/signal.c": "symbol show of vmlinux is from a file called signal.c, which is treated as " +
			"kernel/signal.c: nothing tells its directory",
	} {
		k, err := sympos.FindKernel(path, nil)
		require.NoError(t, err)
		_, found := against(t, byFile(t, "vmlinux", "show", file), klpreloc.Options{Kernel: k})
		d := the(t, diag.FileAssumed, found)
		assert.Equal(t, diag.Warning, d.Severity)
		assert.Equal(t, message, d.Message)
	}
}

// The quotes around a long name are shortened together with it.
func TestLongNamesAreQuotedOnce(t *testing.T) {
	f := byFile(t, "vmlinux", strings.Repeat("n", 512), "kernel/signal.c")
	_, found := against(t, f, klpreloc.Options{})
	d := the(t, diag.BadName, found)
	assert.Regexp(t, `^"[^"]*…": symbol name "n*…" has 512 bytes`, d.Message)
}
