// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// Before 5.8 the kernel patches alternatives and paravirt sites of a livepatch before its klp
// relocations are applied, and those in .klp.arch sections after it (d4c3e6e1b193 of 4.9; removed
// by 1d05334d2899). klplab_arch has a call that is copied into place, one that is overwritten,
// one that stays, since the CPU lacks the feature, and a paravirt site.
func TestArchSectionsArePatchedWithTheirObject(t *testing.T) {
	const patched = "copied 43 overwritten 7 kept 45 native 1"
	everyX86(t, func(t *testing.T, w *workbench) {
		if w.kernel.AtLeast(5, 8) {
			need.Absent(t, "the kernel reads no .klp.arch sections; this is about 5.7 and before")
		}
		for _, table := range []string{".altinstructions", ".parainstructions"} {
			assert.NotEmpty(t, section(t, w.converted(t, "klplab_arch.ko"),
				".klp.arch.klplab_target."+table))
			assert.NotEmpty(t, section(t, w.converted(t, "klplab_arch_vmlinux.ko"),
				".klp.arch.vmlinux."+table))
		}
		w.scene(t, "klplab_target.ko", "klplab_arch.ko", "klplab_arch_vmlinux.ko").run(
			enable("klplab_arch_vmlinux"),
			sh(cmdline, prints("copied 1 overwritten 7 kept 1 native 1")),
			remove("klplab_arch_vmlinux"),
			sh(cmdline, prints(Cmdline)),
			// The target is there before, and comes later.
			sh("load klplab_target.ko"),
			enable("klplab_arch"),
			sh(show, prints(patched)),
			remove("klplab_arch"),
			sh("rmmod klplab_target"),
			enable("klplab_arch"),
			sh("load klplab_target.ko"),
			sh(show, prints(patched)),
			remove("klplab_arch"),
			sh(show, prints(original)),
		)
	})
}
