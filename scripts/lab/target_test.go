// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"fmt"
	"strings"
	"testing"
)

// klplab_target.ko is a module with static functions and data. The livepatches
// of modules/dialects/ replace its show function by one that calls its static
// klplab_helper and reads its static klplab_secret.

const (
	show     = "cat /proc/klplab_target"
	original = "original: secret 42 helper 43 twins 300"
)

// patchedBy is the text of the livepatch called name while the secret is that.
func patchedBy(name string, secret string, helper string) check {
	return prints(fmt.Sprintf("%s: secret %s helper %s cmdline %s", name, secret, helper, Cmdline))
}

func disable(name string) string {
	return "echo 0 > /sys/kernel/livepatch/" + name + "/enabled"
}

// hasComma tells whether the kernel's compiler takes labels with a comma. That of
// 5.10 (Debian 11) comes with gas 2.35, which stops at one, as all do up to 2.36
// (klp_convert.h), and as that for loongarch64 still does in 2.44.
func (w *workbench) hasComma() bool {
	return w.kernel.AtLeast(5, 11) && w.kernel.arch.Name != "loongarch64"
}

// hasQuotes tells whether the kernel's assembler takes a quoted symbol in an instruction. That for
// loongarch64 takes none with a slash in it (klp_convert.h).
func (w *workbench) hasQuotes() bool { return w.kernel.arch.Name != "loongarch64" }

// One livepatch in every dialect: records of the RFC, with a gap between the
// arrays; records of v7; labels with comma and with dot; three in one module.
func TestEveryDialectPatchesLoadedModule(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		names := []string{"klplab_rfc", "klplab_v7", "klplab_dot", "klplab_mixed"}
		if w.hasComma() {
			names = append(names, "klplab_comma")
		}
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w.scene(t, "klplab_target.ko", name+".ko").run(
					sh("load klplab_target.ko"),
					sh(show, prints(original)),
					sh("load "+name+".ko"),
					sh("settle "+name),
					sh(show, patchedBy(name, "42", "43")),
					// The livepatch reads the module's variable, not a copy.
					sh("echo 7 > /sys/module/klplab_target/parameters/klplab_secret"),
					sh(show, patchedBy(name, "7", "8")),
					sh(disable(name)),
					sh("settle "+name),
					sh(show, prints(strings.NewReplacer("42", "7", "43", "8").Replace(original))),
					sh("rmmod "+name),
					sh("rmmod klplab_target"),
				)
			})
		}
	})
}

func TestModuleLoadedAfterLivepatch(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		w.scene(t, "klplab_target.ko", "klplab_v7.ko").run(
			sh("load klplab_v7.ko"),
			sh("settle klplab_v7"),
			sh("load klplab_target.ko", logs("livepatch: applying patch 'klplab_v7' to loading "+
				"module 'klplab_target'")),
			sh(show, patchedBy("klplab_v7", "42", "43")),
			sh(disable("klplab_v7")),
			sh("settle klplab_v7"),
			sh(show, prints(original)),
		)
	})
}

// Until 6.3 (0c05e7bd2d01 "livepatch,x86: Clear relocation targets on a module
// removal") the klp relocations stayed written when the target left, and x86
// refuses to write over anything but zeros: the second load of the target fails.
func TestModuleRemovedAndLoadedAgain(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		s := w.scene(t, "klplab_target.ko", "klplab_v7.ko")
		steps := []step{
			sh("load klplab_target.ko"),
			sh("load klplab_v7.ko"),
			sh("settle klplab_v7"),
			sh(show, patchedBy("klplab_v7", "42", "43")),
			// That it can leave shows that the livepatch has no dependency on it.
			sh("rmmod klplab_target", logs("livepatch: reverting patch 'klplab_v7' on unloading "+
				"module 'klplab_target'")),
			sh(show, fails),
		}
		if w.loadsTargetsAgain() {
			steps = append(steps,
				sh("load klplab_target.ko", logs("applying patch 'klplab_v7' to loading module")),
				sh(show, patchedBy("klplab_v7", "42", "43")),
			)
		} else {
			steps = append(steps,
				sh("load klplab_target.ko", refuses("ENOEXEC",
					"existing value is nonzero for type",
					"livepatch: failed to initialize patch 'klplab_v7' for module "+
						"'klplab_target' (-8)",
					"livepatch: patch 'klplab_v7' failed for module 'klplab_target', refusing to "+
						"load module 'klplab_target'")),
				sh(show, fails),
			)
		}
		s.run(steps...)
	})
}
