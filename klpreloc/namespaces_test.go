// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// What modpost is told to let pass (klp-convert.mk: modpost -N) is still an error,
// unless it is no import after the conversion.
func TestMissingNamespace(t *testing.T) {
	const (
		all = "0x00000000\tklp_enable_patch\tvmlinux\tEXPORT_SYMBOL_GPL\t\n" +
			"0x00000000\tspaced\tvmlinux\tEXPORT_SYMBOL\tSPACE\n" +
			"0x00000000\tonly_kvm\tvmlinux\tEXPORT_SYMBOL_GPL\tmodule:kvm\n" +
			"0x00000000\tonly_us\tvmlinux\tEXPORT_SYMBOL_GPL\tmodule:kvm,rec*\n" +
			"0x00000000\topen\tvmlinux\tEXPORT_SYMBOL\t\n" +
			"0x00000000\ttwice\ta\tEXPORT_SYMBOL\tSPACE\n0x00000000\ttwice\tb\tEXPORT_SYMBOL\t\n" +
			"0x00000000\tkernel_first\ta\tEXPORT_SYMBOL\t\n0x00000000\tkernel_first\tvmlinux\tEXPORT_SYMBOL\tSPACE\n"
		record = "static KLP_MODULE_RELOC(vmlinux) klp_spaced[] = { KLP_SYMPOS(spaced, 0) };   /* a klp " +
			"relocation needs no import */"
	)
	ordinary := func(f *elfrw.File) {
		s := f.Section(".modinfo")
		s.Data = bytes.ReplaceAll(s.Data, []byte("livepatch="), []byte("elsepatch="))
	}
	imports := func(f *elfrw.File) {
		s := f.Section(".modinfo")
		s.Data = append(append([]byte{}, s.Data...), "import_ns=SPACE\x00"...)
	}
	for name, test := range map[string]struct {
		symbol  string
		edit    func(f *elfrw.File)
		record  bool
		image   bool // the kernel's symbols are known as well
		message string
		hints   []string
	}{
		"in none":                         {symbol: "open"},
		"imported":                        {symbol: "spaced", edit: imports},
		"annotated":                       {symbol: "spaced", record: true},
		"annotated, for other modules":    {symbol: "only_kvm", record: true},
		"for this module as well":         {symbol: "only_us"},
		"one of two modules may offer it": {symbol: "twice", edit: ordinary},
		"inferred":                        {symbol: "only_kvm", image: true},
		"ordinary module, imported": {symbol: "spaced", edit: func(f *elfrw.File) {
			ordinary(f)
			imports(f)
		}},
		"ordinary module, for it as well": {symbol: "only_us", edit: ordinary},
		"ordinary module, for other modules": {symbol: "only_kvm", edit: ordinary,
			message: "symbol only_kvm is exported by vmlinux to other modules only (module:kvm): the " +
				"kernel would refuse the module (EINVAL)"},
		"ordinary module, not imported": {symbol: "spaced", edit: ordinary,
			message: "symbol spaced is exported by vmlinux in namespace SPACE, which the module does not " +
				"import: the kernel would refuse the module (EINVAL)",
			hints: []string{"MODULE_IMPORT_NS(SPACE);"}},
		"vmlinux's is the one": {symbol: "kernel_first", edit: ordinary,
			message: "symbol kernel_first is exported by vmlinux in namespace SPACE, which the module does " +
				"not import: the kernel would refuse the module (EINVAL)",
			hints: []string{"MODULE_IMPORT_NS(SPACE);"}},
		"not imported": {symbol: "spaced",
			message: "symbol spaced is exported by vmlinux in namespace SPACE, which the module does not " +
				"import: the kernel would refuse the module (EINVAL)",
			hints: []string{"MODULE_IMPORT_NS(SPACE);", record}},
		"not imported, with the kernel": {symbol: "spaced", image: true,
			message: "symbol spaced is exported by vmlinux in namespace SPACE, which the module does not " +
				"import: the kernel would refuse the module (EINVAL)",
			hints: []string{"MODULE_IMPORT_NS(SPACE);", record}},
		"for other modules": {symbol: "only_kvm",
			message: "symbol only_kvm is exported by vmlinux to other modules only (module:kvm): the " +
				"kernel would refuse the module (EINVAL)",
			hints: []string{"static KLP_MODULE_RELOC(vmlinux) klp_only_kvm[] = { KLP_SYMPOS(only_kvm, 0) " +
				"};   /* a klp relocation needs no import */"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := bare(t, "x86_64")
			var extern string
			for _, y := range f.Symbols {
				if y.Undefined() && y.Name != "" {
					extern += "0x00000000\t" + y.Name + "\tvmlinux\tEXPORT_SYMBOL\t\n"
				}
			}
			use(f, addUndefined(f, test.symbol, 1))
			if test.record {
				annotate(t, f, "vmlinux", test.symbol, 0)
			}
			if test.edit != nil {
				test.edit(f)
			}
			texts := []string{all + extern}
			if test.image {
				texts = append(texts, kallsyms+"ffffffff81000c00 T only_kvm\nffffffff81000d00 T spaced\n")
			}
			kernel := kernelOf(t, texts...)
			_, found := against(t, f, klpreloc.Options{Kernel: kernel, Imports: true})
			if test.message == "" {
				for _, d := range found {
					assert.NotEqual(t, diag.Error, d.Severity, "%v", found)
				}
				return
			}
			d := the(t, diag.NotOffered, found)
			assert.Equal(t, diag.Error, d.Severity)
			assert.Equal(t, test.message, d.Message)
			assert.Equal(t, test.hints, d.Hints)

			_, found = against(t, f, klpreloc.Options{Kernel: kernel})
			for _, d := range with(diag.NotOffered, found) {
				assert.NotEqual(t, diag.Error, d.Severity, "modpost's duty was not asked for")
			}
			kernel.Config = filepath.Join(t.TempDir(), "config")
			require.NoError(t, os.WriteFile(kernel.Config,
				[]byte("CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=y\n"), 0o644))
			_, found = against(t, f, klpreloc.Options{Kernel: kernel, Imports: true})
			d = the(t, diag.NotOffered, found)
			assert.Equal(t, diag.Warning, d.Severity)
			assert.Contains(t, d.Message, ": this kernel only warns of that")
		})
	}
}
