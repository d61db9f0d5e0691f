// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What klp-convert refuses, done all the same with --unsafe. Each of these
// modules is well-formed and loads, or would; the kernel is the witness that a
// refusal is right and not timid.

func TestRefusedLivepatchesMisbehave(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		s := w.scene(t, "klplab_owner.ko")
		for _, name := range []string{"key", "replacement", "site", "clobber"} {
			ko := w.forced(t, "klplab_forced_"+name+".ko", "KLP030")
			s.file("klplab_forced_"+name+".ko", ko)
		}
		s.file("klplab_forced_object.ko", w.forced(t, "klplab_forced_object.ko", "KLP063", "KLP065"))
		results := s.run(
			sh("load klplab_owner.ko"),
			// The key is not this one but some address: the branch does not follow it.
			enable("klplab_forced_key"),
			sh("cat /proc/klplab_key", prints("forced: branch off enabled 0")),
			sh(setOwner("key", "1")),
			sh(showOwner, prints("owner: key on choice 1 helper 1001")),
			sh("cat /proc/klplab_key", prints("forced: branch off enabled 1")),
			sh(setOwner("key", "0")),
			sh(all(disable("klplab_forced_key"), "settle klplab_forced_key")),
			sh("rmmod klplab_forced_key"),
			// The place that is overwritten holds something by now.
			sh("load klplab_forced_site.ko", refuses("ENOEXEC", "existing value is nonzero for type 4")),
			// Or it holds zeros that are an operand of another instruction.
			enable("klplab_forced_clobber"),
			sh("cat /proc/klplab_clobber"),
			// The replacement is in place already, with a call to nowhere.
			enable("klplab_forced_replacement"),
			crash("cat /proc/klplab_replacement", "RIP: 0010:"),
			// No object, nobody who applies.
			enable("klplab_forced_object"),
			crash(cmdline, "RIP: 0010:"),
		)
		for _, r := range results {
			t.Logf("%s", r)
		}
		assert.Contains(t, results[8].Log(), "jump_label_del_module")
		assert.NotContains(t, results[1].Log(), "WARNING: ")
		assert.NotEqual(t, "forced: helper 0\n", results[11].Out)
	})
}

func TestModulesStaticCallMisbehaves(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		s := w.scene(t, "klplab_owner.ko")
		s.file("klplab_forced_call.ko", w.forced(t, "klplab_forced_call.ko", "KLP030"))
		results := s.run(
			sh("load klplab_owner.ko"),
			sh("load klplab_forced_call.ko; settle klplab_forced_call"),
			sh("cat /proc/klplab_call"),
			sh(setOwner("choice", "2")),
			sh("cat /proc/klplab_call"),
			sh(showOwner),
			sh(disable("klplab_forced_call")+"; settle klplab_forced_call; rmmod klplab_forced_call"),
		)
		for _, r := range results {
			t.Logf("%s", r)
		}
	})
}
