// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Special sections list instructions that the kernel patches: alternatives,
// paravirt calls, jump labels, static calls. When it does so is before or after
// klp relocations, and that decides what is converted and what is refused. Here
// the kernel itself decides. klplab_owner.ko has what livepatches borrow.

const (
	showOwner     = "cat /proc/klplab_owner"
	ownerOriginal = "owner: key off choice 1 helper 1001"
	tracing       = "/sys/kernel/tracing"
)

func setOwner(param, value string) string {
	return "echo " + value + " > /sys/module/klplab_owner/parameters/" + param
}

func all(cmds ...string) string {
	line := "set -e"
	for _, c := range cmds {
		line += "; " + c
	}
	return line
}

// enable and remove are a livepatch's way in and out.
func enable(name string) step { return sh(all("load "+name+".ko", "settle "+name)) }

func remove(name string) step {
	return sh(all(disable(name), "settle "+name, "rmmod "+name))
}

// Symbols of vmlinux are resolved before the kernel reads the special sections of
// the livepatch (7c8e2bdd5f0d "livepatch: Apply vmlinux-specific KLP relocations
// early", 5.8). So the branch follows the key, and the alternative that is copied
// into place calls the right function. .parainstructions went away in 6.8
// (f7af6977621a "x86/paravirt: Remove no longer needed paravirt patching code").
func TestSymbolsOfVmlinuxInSpecialSections(t *testing.T) {
	everyX86(t, func(t *testing.T, w *workbench) {
		w.since(t, 5, 8, "the kernel reads these sections first")
		s := w.scene(t, "klplab_vmlinux.ko")
		ko := w.converted(t, "klplab_vmlinux.ko")
		assert.NotEmpty(t, section(t, ko, ".klp.rela.vmlinux.__jump_table"))
		assert.NotEmpty(t, section(t, ko, ".klp.rela.vmlinux..altinstr_replacement"))
		assert.Equal(t, !w.kernel.AtLeast(6, 8), section(t, ko, ".parainstructions") != nil,
			".parainstructions")

		const rest = "\nalternative right\nirqs off, on around c"
		set := func(value string) step {
			return sh("echo " + value +
				" > /proc/sys/kernel/sched_schedstats")
		}
		results := s.run(
			set("0"),
			enable("klplab_vmlinux"),
			sh(cmdline, prints("schedstats off"+rest)),
			set("1"),
			sh(cmdline, prints("schedstats on"+rest)),
			set("0"),
			sh(cmdline, prints("schedstats off"+rest)),
			set("1"),
			remove("klplab_vmlinux"),
			sh(cmdline, prints(Cmdline)),
			// The key was on when it was loaded.
			enable("klplab_vmlinux"),
			sh(cmdline, prints("schedstats on"+rest)),
			remove("klplab_vmlinux"),
			set("0"),
		)
		for _, r := range results {
			assert.NotContains(t, r.Log(), "WARNING: ")
		}
	})
}

// Most tables either cover ordinary code or are this module's own affair. A late
// relocation near them does not concern them.
func TestOrdinaryTablesStandNoRelocationInTheWay(t *testing.T) {
	everyX86(t, func(t *testing.T, w *workbench) {
		w.since(t, 5, 10, "there are no static calls")
		s := w.scene(t, "klplab_owner.ko")
		ko := w.warned(t, "klplab_ordinary.ko", nil)
		for _, name := range []string{"__ex_table", "__bug_table", "__dyndbg", "__jump_table",
			".static_call_sites", ".altinstructions"} {
			assert.NotEmpty(t, section(t, ko, name), name)
		}
		s.file("klplab_ordinary.ko", ko)
		w.refused(t, "klplab_inert.ko", "KLP030", "--keep-inert")
		inert := w.warned(t, "klplab_inert.ko", []string{"KLP070"})
		s.file("klplab_inert.ko", inert)

		const (
			patched = "ordinary: helper 1001 both 2001 fault fixed up own 1002"
			inertly = "inert: helper 1001"
			warning = "echo %s > /sys/module/klplab_ordinary/parameters/warn"
		)
		event := func(name, value string) string {
			return "echo " + value + " > " + tracing + "/events/" + name + "/enable"
		}
		// What the livepatches log and trace, with everything switched on.
		watched := []step{
			sh(all(
				"echo 1 > /sys/module/klplab_ordinary/parameters/warn",
				"echo 'module klplab_ordinary +p' > /proc/dynamic_debug/control",
				"echo > "+tracing+"/trace",
				event("task/task_rename", "1"),
				event("klplab/klplab_seen", "1"),
				setOwner("key", "1"),
				setOwner("choice", "2"))),
			sh(showOwner, logs("WARNING: "), logs("klplab_ordinary_show"), logs("debug 1000"),
				prints("ordinary: helper 2001 both 2001 fault fixed up own 1002\nkey 1 choice 2")),
			sh("cat /proc/klplab_inert", prints(inertly)),
			sh("grep -c 'newcomm=klplab' "+tracing+"/trace", prints("1")),
			// The tracepoint of the module is on, and the livepatch does not reach it.
			sh("grep -c klplab_seen: "+tracing+"/trace", fails),
		}
		quiet := []step{
			sh(showOwner, prints(patched+"\nkey 0 choice 1")),
			sh("cat /proc/klplab_inert", prints(inertly)),
		}
		leave := []step{
			remove("klplab_ordinary"),
			remove("klplab_inert"),
			sh(showOwner, prints("owner: key on choice 2 helper 1001")),
			sh("grep -c 'klplab_seen: what=1000' "+tracing+"/trace", prints("1")),
			sh("rmmod klplab_owner"),
		}
		steps := slicesOf(
			[]step{
				sh("mount -t tracefs tracefs " + tracing),
				sh("load klplab_owner.ko"),
				sh(showOwner, prints(ownerOriginal)),
				enable("klplab_ordinary"),
				enable("klplab_inert"),
			},
			quiet, watched, leave,
			// And again with the module coming later.
			[]step{
				sh(event("task/task_rename", "0")),
				enable("klplab_ordinary"),
				enable("klplab_inert"),
				sh("load klplab_owner.ko", logs("applying patch 'klplab_inert' to loading module")),
			},
			quiet, watched, leave,
		)
		s.run(steps...)
	})
}

func slicesOf(parts ...[]step) (steps []step) {
	for _, p := range parts {
		steps = append(steps, p...)
	}
	return steps
}

// A relocation waits for the object that its function is for, and names the
// object that has the symbol.
func TestOneLivepatchOfTwoModules(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		s := w.scene(t, "klplab_target.ko", "klplab_owner.ko")
		ko := w.warned(t, "klplab_two.ko", nil)
		s.file("klplab_two.ko", ko)
		s.file("klplab_gate.ko", w.warned(t, "klplab_gate.ko", []string{"KLP065"}))
		const (
			target = "two: helper 43 secret of owner 1000"
			owner  = "two: helper 1002"
		)
		s.run(
			// A symbol of klplab_owner in a function for klplab_target.
			sh("load klplab_target.ko"),
			sh("load klplab_two.ko", refuses("EINVAL",
				"livepatch: symbol 'klplab_owner_secret' not found in symbol table")),
			sh(show, prints(original)),
			sh("load klplab_owner.ko"),
			enable("klplab_two"),
			sh(show, prints(target)),
			sh(showOwner, prints(owner)),
			remove("klplab_two"),
			sh("rmmod klplab_target"),
			enable("klplab_two"),
			sh(showOwner, prints(owner)),
			sh("load klplab_target.ko"),
			sh(show, prints(target)),
			remove("klplab_two"),
			sh("rmmod klplab_target"),
			sh("rmmod klplab_owner"),
			// Neither is there, and the wrong one comes first.
			enable("klplab_two"),
			sh("load klplab_target.ko", refuses("EINVAL",
				"livepatch: symbol 'klplab_owner_secret' not found in symbol table",
				"livepatch: patch 'klplab_two' failed for module 'klplab_target', refusing to "+
					"load module 'klplab_target'")),
			sh("load klplab_owner.ko"),
			sh("load klplab_target.ko"),
			sh(show, prints(target)),
			sh(showOwner, prints(owner)),
			remove("klplab_two"),
			sh("rmmod klplab_owner"),

			// A symbol of klplab_owner in a function for vmlinux.
			enable("klplab_gate"),
			sh(cmdline, prints("no owner")),
			sh("load klplab_owner.ko"),
			sh(cmdline, prints("owner has 1001")),
			sh(setOwner("klplab_owner_secret", "7")),
			sh(cmdline, prints("owner has 8")),
			sh("rmmod klplab_owner"),
			sh(cmdline, prints("no owner")),
		)
	})
}
