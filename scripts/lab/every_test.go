// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// klplab_uses replaces a function of klplab_every by one with uses of its symbols and of
// vmlinux' as patched code has them: what they become differs from architecture to
// architecture. klplab_replaces is the same as a cumulative livepatch.

const (
	showEvery = "cat /proc/klplab_every"
	everyWas  = "original: secret 42 helper 43 leaf 6 dotted 12 count 7 key off"
	everyIs   = `secret 42
helper 43 leaf 6 dotted 12 tail 44
data 42 rodata 42
ro_after_init 42
read_mostly 42
array 10 13 42
functions 43 3 13
static 95
chosen 197
per-CPU 7
fault fixed up
natural 95
length 7
key 0
trace off`
)

func everyKey(value string) string {
	return "echo " + value + " > /sys/module/klplab_uses/parameters/key"
}

func TestUsesWithTheTargetThere(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		// A key of vmlinux, to which the livepatch's own branch is tied.
		traced := []step{
			sh("mount -t tracefs tracefs " + tracing),
			sh("echo 1 > " + tracing + "/events/task/task_rename/enable"),
			sh("cat /proc/klplab_every | grep trace", prints("trace on")),
			sh("echo 0 > " + tracing + "/events/task/task_rename/enable"),
			sh("cat /proc/klplab_every | grep trace", prints("trace off")),
		}
		if !w.kernel.AtLeast(5, 8) {
			traced = nil // the branch is left out: no late relocation reaches it in time
		}
		steps := slicesOf([]step{
			sh("load klplab_every.ko"),
			sh(showEvery, prints(everyWas)),
			sh("load klplab_uses.ko"),
			sh("settle klplab_uses"),
			sh(showEvery, prints(everyIs)),
			// A key of the target, switched by the livepatch, whose code reads its state.
			sh(everyKey("1")),
			sh("cat /proc/klplab_every | grep key", prints("key 1")),
		}, traced, []step{
			sh(disable("klplab_uses")),
			sh("settle klplab_uses"),
			// The target's branch has followed its key.
			sh("cat /proc/klplab_every | grep -o 'key.*'", prints("key on")),
			sh("rmmod klplab_uses"),
			sh("rmmod klplab_every"),
		})
		w.scene(t, "klplab_every.ko", "klplab_uses.ko").run(steps...)
	})
}

func TestUsesWithTheTargetLaterAndAgain(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		steps := []step{
			sh("load klplab_uses.ko"),
			sh("settle klplab_uses"),
			sh("load klplab_every.ko"),
			sh(showEvery, prints(everyIs)),
		}
		if w.loadsTargetsAgain() {
			steps = append(steps,
				sh("rmmod klplab_every"),
				sh("load klplab_every.ko"),
				sh(showEvery, prints(everyIs)),
			)
		}
		w.scene(t, "klplab_every.ko", "klplab_uses.ko").run(append(steps,
			sh(everyKey("1")),
			sh("cat /proc/klplab_every | grep key", prints("key 1")),
			sh(everyKey("0")),
			sh(disable("klplab_uses")),
			sh("settle klplab_uses"),
			sh(showEvery, prints(everyWas)),
			sh("rmmod klplab_uses"),
		)...)
	})
}

func TestCumulativeLivepatchTakesOver(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		w.since(t, 5, 1, "klp_patch has no replace")
		w.scene(t, "klplab_every.ko", "klplab_uses.ko", "klplab_replaces.ko").run(
			sh("load klplab_every.ko"),
			sh("load klplab_uses.ko"),
			sh("settle klplab_uses"),
			sh("load klplab_replaces.ko"),
			sh("settle klplab_replaces"),
			sh("test ! -e /sys/kernel/livepatch/klplab_uses"),
			sh("rmmod klplab_uses"),
			sh(showEvery, prints(everyIs)),
			sh(disable("klplab_replaces")),
			sh("settle klplab_replaces"),
			sh(showEvery, prints(everyWas)),
			sh("rmmod klplab_replaces"),
		)
	})
}

// Where the kernel chooses addresses, calls out of a module may need a PLT: arm64's has room
// for them that the loader counts before it knows of any address (module-plts.c).
// QEMU's s390x has no source of random numbers that its kernel would use for that.
func TestUsesAtRandomAddresses(t *testing.T) {
	everyKernelThat(t, func(r Release) bool { return r.arch().Name != "s390x" }, func(t *testing.T,
		w *workbench) {
		for _, order := range [][]string{
			{"klplab_every.ko", "klplab_uses.ko"}, {"klplab_uses.ko", "klplab_every.ko"},
		} {
			s := w.scene(t, order...)
			s.vm.Randomized()
			s.run(
				sh("load "+order[0]),
				sh("load "+order[1]),
				sh("settle klplab_uses"),
				sh(showEvery, prints(everyIs)),
				sh(disable("klplab_uses")),
				sh("settle klplab_uses"),
				sh(showEvery, prints(everyWas)),
			)
		}
	})
}

// On ppc64le the kernel fills in a module's symbols by plain stores. The tool warns where they
// go into memory that is read-only by then, check names the fault, and the kernel has it: with
// the target there at once, or where memory is read-only after init, with the target later.
func TestLateStoresIntoReadOnlyMemory(t *testing.T) {
	ppc64 := func(r Release) bool { return r.arch().Name == "ppc64le" }
	everyKernelThat(t, ppc64, func(t *testing.T, w *workbench) {
		if _, built := w.modules["klplab_rodata.ko"]; !built {
			need.Absent(t, "the kernel has no CONFIG_STRICT_MODULE_RWX")
		}
		for name, order := range map[string][2]string{
			"klplab_rodata.ko":     {"klplab_every.ko", "klplab_rodata.ko"},
			"klplab_after_init.ko": {"klplab_after_init.ko", "klplab_every.ko"},
		} {
			ko := w.warned(t, name, []string{"KLP032"})
			s := w.scene(t, "klplab_every.ko")
			s.file(name, ko)
			s.run(sh("load "+order[0]), step{cmd: "load " + order[1], oops: true,
				checks: []check{faultsIn("apply_relocate_add")}})
			at, target := filepath.Join(t.TempDir(), name), filepath.Join(t.TempDir(), "klplab_every.ko")
			require.NoError(t, os.WriteFile(at, ko, 0o644))
			require.NoError(t, os.WriteFile(target, w.built(t, "klplab_every.ko"), 0o644))
			out, err := exec.Command(w.tool, "check", "-k", w.kernel.named()+","+target, at).CombinedOutput()
			require.Error(t, err)
			assert.Contains(t, string(out), "[KLP144]")
		}
	})
}

// faultsIn wants a fault with the function in its trace. The program is killed for it, or, with
// interrupts off, hangs on its way out.
func faultsIn(function string) check {
	return func(r Result) error {
		if r.Status < 124 || !strings.Contains(r.Log(), "] "+function+"+") {
			return fmt.Errorf("status %d, and no fault in %s", r.Status, function)
		}
		return nil
	}
}

// loadsTargetsAgain tells whether a target that has left can come back. x86 refused that
// until 6.3 (0c05e7bd2d01); s390x and ppc64le write over what is there, or clear it.
func (w *workbench) loadsTargetsAgain() bool {
	return w.kernel.arch.Name != "x86_64" || w.kernel.AtLeast(6, 3)
}
