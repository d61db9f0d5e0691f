// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What klp-convert refuses, done all the same with --unsafe. Each of these
// modules is well-formed and loads, or would; the kernel is the witness that a
// refusal is right and not timid.

func TestRefusedLivepatchesMisbehave(t *testing.T) {
	everyX86(t, func(t *testing.T, w *workbench) {
		w.since(t, 5, 8, "alternatives are converted, into .klp.arch sections")
		s := w.scene(t, "klplab_owner.ko")
		for _, name := range []string{"key", "replacement", "site", "clobber"} {
			ko := w.forced(t, "klplab_forced_"+name+".ko", "KLP030")
			s.file("klplab_forced_"+name+".ko", ko)
		}
		s.file("klplab_forced_object.ko", w.forced(t, "klplab_forced_object.ko", "KLP063",
			"KLP065"))
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
			sh("load klplab_forced_site.ko", refuses("ENOEXEC", "existing value is nonzero for ")),
			// Or it holds zeros that are an operand of another instruction.
			enable("klplab_forced_clobber"),
			sh("cat /proc/klplab_clobber"),
			// The replacement is in place already, with a call of what followed it; since
			// 6.8 of what follows the place it was copied to
			// (arch/x86/kernel/alternative.c, need_reloc).
			enable("klplab_forced_replacement"),
			crash("cat /proc/klplab_replacement", "BUG: "),
			// Without an object, nothing applies it.
			enable("klplab_forced_object"),
			crash(cmdline, "RIP: 0010:"),
		)
		assert.Contains(t, results[8].Log(), "jump_label_del_module")
		assert.NotContains(t, results[1].Log(), "WARNING: ")
		// Neither 1001, which the author meant, nor 0, which the CPU was to be given.
		assert.Regexp(t, `^forced: helper -?[0-9]+\n$`, results[11].Out)
		assert.NotContains(t, []string{"forced: helper 0\n", "forced: helper 1001\n"},
			results[11].Out)
	})
}

// On other machines the same holds for what does not depend on their instructions: a static
// key that the loader looks for where the relocation has not been applied yet, and a klp
// relocation for an object that the patch does not have; and for a call that is copied, each in
// its machine's alternatives.
func TestRefusedLivepatchesMisbehaveOnForeignMachines(t *testing.T) {
	everyKernelThat(t, func(r Release) bool { return r.arch().Name != "x86_64" },
		func(t *testing.T, w *workbench) {
			s := w.scene(t, "klplab_owner.ko")
			s.file("klplab_forced_key.ko", w.forced(t, "klplab_forced_key.ko", "KLP030"))
			s.file("klplab_forced_object.ko", w.forced(t, "klplab_forced_object.ko", "KLP063",
				"KLP065"))
			s.run(
				sh("load klplab_owner.ko"),
				enable("klplab_forced_key"),
				sh("cat /proc/klplab_key", prints("forced: branch off enabled 0")),
				sh(setOwner("key", "1")),
				sh(showOwner, prints("owner: key on choice 1 helper 1001")),
				// The branch does not follow its key.
				sh("cat /proc/klplab_key", prints("forced: branch off enabled 1")),
				sh(setOwner("key", "0")),
				sh(all(disable("klplab_forced_key"), "settle klplab_forced_key")),
				sh("rmmod klplab_forced_key"),
				enable("klplab_forced_object"),
				strayed(cmdline),
			)
			s = w.scene(t, "klplab_owner.ko")
			s.file("klplab_forced_copied.ko", w.forced(t, "klplab_forced_copied.ko", "KLP030"))
			s.run(
				sh("load klplab_owner.ko"),
				enable("klplab_forced_copied"),
				strayed("cat /proc/klplab_replacement"),
			)
		})
}

// strayed is a step that runs a call which was never relocated. On x86_64 that is a call of
// the next instruction; elsewhere it calls itself, for ever.
func strayed(cmd string) step {
	return step{cmd: cmd, checks: []check{func(r Result) error {
		if r.Status != 124 {
			return fmt.Errorf("status %d: it has ended", r.Status)
		}
		return nil
	}}}
}

// What .static_call_sites gives for the key, before that is relocated, is a place
// in the table itself. The kernel takes the bytes there for a static_call_key:
// it links a record of its own into them, and has the call go to what they hold
// (kernel/static_call_inline.c, __static_call_init). What it overwrites by that
// follows the table. In 6.1 it is the module's entry in the list of modules:
// the next walk of the list faults, and so does each report of a fault, since it
// lists the modules. Otherwise the call has been rewritten by the time that it is
// relocated, and the livepatch is refused.
func TestModulesStaticCallIsRefusedOrKillsTheKernel(t *testing.T) {
	everyX86(t, func(t *testing.T, w *workbench) {
		w.since(t, 5, 10, "there are no static calls")
		s := w.scene(t, "klplab_owner.ko")
		s.file("klplab_forced_call.ko", w.forced(t, "klplab_forced_call.ko", "KLP030"))
		steps := []string{
			"dmesg -n 2", // each report of a fault takes a second, and the first will do
			"load klplab_owner.ko",
			"load klplab_forced_call.ko",
			"cat /proc/klplab_call",
		}
		const load = 2
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go s.vm.cancelWhenSilent(ctx, cancel)
		run, err := s.vm.Boot(ctx, steps...)
		require.NoError(t, err)
		if run.Done {
			assert.NoError(t, refuses("ENOEXEC", "existing value is nonzero for ")(run.Steps[load]))
			assert.NoError(t, prints("call: original")(run.Steps[load+1]))
		} else {
			console, err := os.ReadFile(s.vm.ConsoleLog())
			require.NoError(t, err)
			assert.Len(t, run.Steps, load, "verdicts before the kernel died\n%s", run)
			assert.Contains(t, string(console), "BUG: ")
		}
		t.Logf("%s: the kernel lives: %v", w.kernel.Release, run.Done)
		os.RemoveAll(filepath.Dir(s.vm.ConsoleLog()))
	})
}

// cancelWhenSilent ends a boot that gives no further verdict: the kernel may be
// busy reporting faults for ever, with its clock standing still.
func (v *VM) cancelWhenSilent(ctx context.Context, cancel func()) {
	const silence = 30 * time.Second
	size, since := int64(0), time.Now()
	for ctx.Err() == nil {
		time.Sleep(time.Second / 2)
		info, err := os.Stat(v.verdictLog())
		switch {
		case err != nil || info.Size() == 0: // still booting
			since = time.Now()
		case info.Size() != size:
			size, since = info.Size(), time.Now()
		case time.Since(since) > silence:
			cancel()
		}
	}
}
