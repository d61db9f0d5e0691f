// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const someConfig = "CONFIG_LIVEPATCH=y\n# CONFIG_MODVERSIONS is not set\n"

// ikconfig is what kernel/configs.c makes of a configuration.
func ikconfig(t *testing.T, config string) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("some data of the kernel IKCFG_ST")
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(config))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	b.WriteString("IKCFG_ED and more")
	return b.Bytes()
}

func TestConfigurationInTheKernel(t *testing.T) {
	k := tinyKernel{order: binary.LittleEndian, fresh: true, seqs: 3, kind: "relative",
		base: kernelBase, symbols: tinyNames(kernelBase, 400)}
	image := func(more []byte) []byte { return armImage(append(k.bytes(), more...)) }
	vmlinux := func(more []byte) []byte {
		e := tinyVmlinux(tinySymbol{"f", global | fn, 1, 0x1000, 8})
		e.sections = append(e.sections, tinySection{".rodata", elf.SHF_ALLOC, 0x3000, more})
		return e.bytes()
	}
	whole := ikconfig(t, someConfig)
	for name, make := range map[string]func([]byte) []byte{"Image": image, "vmlinux": vmlinux} {
		for what, c := range map[string]struct {
			data []byte
			want string
		}{
			"whole": {whole, someConfig}, "without": {[]byte("IKCFG_ST"), ""},
			"damaged":         {append(bytes.Clone(whole[:60]), 0xff, 0xff), ""},
			"without its end": {whole[:bytes.Index(whole, []byte("IKCFG_ED"))], someConfig},
		} {
			table, err := Read(All, source(t, name, make(c.data)))
			require.NoError(t, err)
			assert.Equal(t, c.want, string(table.Configuration()), "%s, %s", name, what)
		}
	}
}

// The configuration of a build tree is .config or, where that was removed, what Kbuild made
// of it.
func TestConfigurationOfABuildTree(t *testing.T) {
	for _, c := range []struct{ files, want string }{
		{".config include/config/auto.conf", ".config"},
		{"include/config/auto.conf", "include/config/auto.conf"},
	} {
		dir := t.TempDir()
		for _, name := range append(strings.Fields(c.files), "System.map") {
			path := filepath.Join(dir, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			text := "ffffffff81000000 T _text\nffffffff81000010 T f\n"
			if name != "System.map" {
				text = someConfig
			}
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
		k, err := FindKernelIn(t.TempDir(), dir, nil)
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(dir, c.want), k.Config)
	}
}
