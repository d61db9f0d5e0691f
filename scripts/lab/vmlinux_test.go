// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The livepatch klplab_cmdline replaces cmdline_proc_show of vmlinux and reads
// saved_command_line, which vmlinux does not export.

const (
	cmdline        = "cat /proc/cmdline"
	patchedCmdline = Cmdline + " klplab=patched"
	disableCmdline = "echo 0 > /sys/kernel/livepatch/klplab_cmdline/enabled"
)

func TestPatchedFunctionReadsUnexportedData(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		w.scene(t, "klplab_cmdline.ko").run(
			sh(cmdline, prints(Cmdline)),
			sh("load klplab_cmdline.ko", logs("livepatch: enabling patch 'klplab_cmdline'")),
			sh("settle klplab_cmdline"),
			sh(cmdline, prints(patchedCmdline)),
			sh(disableCmdline),
			sh("settle klplab_cmdline"),
			sh(cmdline, prints(Cmdline)),
			sh("rmmod klplab_cmdline"),
			sh(cmdline, prints(Cmdline)),
		)
	})
}

// Most livepatches enable themselves when they are loaded. This one can be told
// to hold, which shows that its relocations, resolved at load, do nothing before
// the transition and stay good after it.
func TestLoadEnableDisableUnloadAreFourTransitions(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		const (
			loaded  = "test -d /sys/module/klplab_cmdline && echo loaded || echo gone"
			enabled = "cat /sys/kernel/livepatch/klplab_cmdline/enabled"
		)
		disabled := check(fails)
		if !w.kernel.AtLeast(5, 1) {
			disabled = prints("0") // it stays until the module unregisters it
		}
		w.scene(t, "klplab_cmdline.ko").run(
			sh(loaded, prints("gone")),

			sh("load klplab_cmdline.ko hold=1"),
			sh(loaded, prints("loaded")),
			sh(enabled, fails),
			sh(cmdline, prints(Cmdline)),

			sh("echo 1 > /sys/module/klplab_cmdline/parameters/enable",
				logs("enabling patch 'klplab_cmdline'")),
			sh("rmmod klplab_cmdline", fails),
			sh("settle klplab_cmdline"),
			sh(enabled, prints("1")),
			sh(cmdline, prints(patchedCmdline)),

			sh(disableCmdline),
			sh("settle klplab_cmdline"),
			sh(enabled, disabled),
			sh(loaded, prints("loaded")),
			sh(cmdline, prints(Cmdline)),

			sh("rmmod klplab_cmdline"),
			sh(loaded, prints("gone")),
			sh(cmdline, prints(Cmdline)),

			// What the first load wrote into memory must not matter to a second.
			sh("load klplab_cmdline.ko"),
			sh("settle klplab_cmdline"),
			sh(cmdline, prints(patchedCmdline)),
		)
	})
}

// If this passes while the kernel would take anything, the other tests say nothing.
func TestUnconvertedModuleIsRefused(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		s := w.scene(t, "klplab_target.ko")
		for _, name := range []string{"klplab_cmdline.ko", "klplab_dot.ko"} {
			s.file(name, w.built(t, name))
		}
		steps := []step{
			sh("load klplab_cmdline.ko", refuses("ENOENT",
				"klplab_cmdline: Unknown symbol saved_command_line (err -2)")),
			sh("load klplab_target.ko"),
			sh("load klplab_dot.ko", refuses("ENOENT",
				"Unknown symbol .klp.sym.rela.vmlinux.vmlinux.saved_command_line.0 (err -2)",
				"Unknown symbol .klp.sym.rela.klplab_target.klplab_target.klplab_secret.0 (err -2)")),
			sh(cmdline, prints(Cmdline)),
		}
		if w.hasComma() {
			s.file("klplab_comma.ko", w.built(t, "klplab_comma.ko"))
			steps = append(steps, sh("load klplab_comma.ko", refuses("ENOENT",
				"Unknown symbol .klp.sym.rela.vmlinux.vmlinux.saved_command_line,0 (err -2)")))
		}
		results := s.run(steps...)
		assert.NotContains(t, results[1].Log(), "livepatch")
	})
}
