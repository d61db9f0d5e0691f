// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wantSections is where the linker leaves the annotated symbols of klplab_sections,
// one place of each kind, compiled with -ffunction-sections. Some linker scripts
// for modules put .text.* together (scripts/module.lds.S, for klp-build: seen in
// 7.2, not in 6.12). The compilers of other machines than x86_64 have more kinds of data.
func wantSections(t *testing.T, k *Kernel) []string {
	t.Helper()
	if k.arch.Name != "x86_64" {
		return nil
	}
	script, err := os.ReadFile(filepath.Join(k.Headers, "arch/x86/module.lds"))
	require.NoError(t, err)
	if strings.Contains(string(script), "*(.text .text.") {
		return []string{".data", ".rodata", ".text"}
	}
	return []string{
		".data",
		".rodata",
		".text.klplab_in_call",
		".text.klplab_in_cmdline",
		".text.klplab_in_pointer",
		".text.klplab_in_tail",
		".text.klplab_in_text",
	}
}

// sectionsText is what its patched function prints once all are resolved.
var sectionsText = strings.ReplaceAll(`text 42
call 42
pointer 42
tail 42
data 42
addend 42
data-function 42
rodata 42
rodata-function 42
rodata-cmdline CMDLINE
data-cmdline CMDLINE
text-cmdline CMDLINE`, "CMDLINE", Cmdline)

// Before any boot: the module does have what the scenarios below are about.
func TestSectionsModuleHasRelocationsEverywhere(t *testing.T) {
	everyX86(t, func(t *testing.T, w *workbench) {
		f, err := elf.NewFile(bytes.NewReader(w.built(t, "klplab_sections.ko")))
		require.NoError(t, err)
		symbols, err := f.Symbols()
		require.NoError(t, err)
		found := map[string]bool{}
		for _, s := range f.Sections {
			if s.Type != elf.SHT_RELA || f.Sections[s.Info].Flags&elf.SHF_ALLOC == 0 {
				continue
			}
			data, err := s.Data()
			require.NoError(t, err)
			for ; len(data) > 0; data = data[24:] {
				sym := binary.LittleEndian.Uint64(data[8:]) >> 32
				if sym > 0 && strings.HasPrefix(symbols[sym-1].Name, ".klp.sym.rela.") {
					found[f.Sections[s.Info].Name] = true
				}
			}
		}
		for _, want := range wantSections(t, w.kernel) {
			assert.True(t, found[want], "annotated symbol in %s", want)
		}
	})
}

func TestRelocationsInEverySectionAreResolvedAtOnce(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		w.scene(t, "klplab_target.ko", "klplab_sections.ko").run(
			sh("load klplab_target.ko"),
			sh("load klplab_sections.ko"),
			sh("settle klplab_sections"),
			sh(show, prints(sectionsText)),
		)
	})
}

// Now .rodata and .text are write-protected by the time they are written. The
// kernel lists every loaded section of a module in sysfs, and refuses the module
// or complains when two have one name.
func TestRelocationsInEverySectionAreResolvedLate(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		results := w.scene(t, "klplab_target.ko", "klplab_sections.ko").run(
			sh("load klplab_sections.ko"),
			sh("settle klplab_sections"),
			sh("load klplab_target.ko"),
			sh(show, prints(sectionsText)),
			sh("ls -a /sys/module/klplab_sections/sections | grep '^.klp.rela'"),
		)
		assert.NotContains(t, results[0].Log(), "duplicate")
		names := strings.Fields(results[4].Out)
		var both []string
		for _, base := range wantSections(t, w.kernel) {
			// A function of this module has symbols of one object only.
			cmdline := base == ".text.klplab_in_cmdline"
			if !cmdline {
				both = append(both, ".klp.rela.klplab_target."+base)
			}
			if cmdline || !strings.HasPrefix(base, ".text.") {
				both = append(both, ".klp.rela.vmlinux."+base)
			}
		}
		assert.Subset(t, names, both)
	})
}
