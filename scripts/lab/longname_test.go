// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import "testing"

// Before 5.19 the kernel stores 127 bytes of a klp symbol's name for relocations that are
// applied late, which are those of modules since 5.8 (kernel/module.c, add_kallsyms).
func TestKlpSymbolsWithLongNames(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		s := w.scene(t, "klplab_long.ko", "klplab_fits.ko")
		cuts := !w.kernel.AtLeast(5, 19)
		if cuts {
			s.file("klplab_cut.ko", w.forced(t, "klplab_cut.ko", "KLP077"))
		} else {
			s.file("klplab_cut.ko", w.converted(t, "klplab_cut.ko"))
		}
		const show = "cat /proc/klplab_long"
		steps := []step{
			sh("load klplab_long.ko"),
			sh(show, prints("original: 127 128")),
			enable("klplab_fits"),
			sh(show, prints("fits: 128")),
			remove("klplab_fits"),
		}
		if cuts {
			steps = append(steps, sh("load klplab_cut.ko",
				refuses("EINVAL", "has an incorrectly formatted name")))
		} else {
			steps = append(steps, enable("klplab_cut"), sh(show, prints("cut: 129")),
				remove("klplab_cut"))
		}
		s.run(steps...)
	})
}
