// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestArchiveIsNewc(t *testing.T) {
	var a archive
	a.file("lab/x.ko", []byte("12345"))
	a.file("lab/y.ko", nil)
	got := string(a.bytes())
	assert.Zero(t, len(got)%4)
	assert.Equal(t, 1, strings.Count(got, "lab\x00"), "the directory, once")
	assert.True(t, strings.HasPrefix(got, "070701"+"00000001"+"000041ed"),
		"a directory comes first")
	// ino mode uid gid nlink mtime size major minor rmajor rminor namesize check
	assert.Contains(t, got,
		"070701"+"00000002"+"000081ed"+"00000000"+"00000000"+"00000001"+"00000000"+"00000005"+
			"00000000"+"00000000"+"00000000"+"00000000"+"00000009"+"00000000"+"lab/x.ko\x00\x00"+"12345\x00\x00\x00"+"070701")
	assert.Contains(t, got, "0000000b"+"00000000"+"TRAILER!!!\x00")
}

func TestParseRun(t *testing.T) {
	const hello, first = `{"hello":"6.1.0"}` +
		"\r\n", `{"step":0,"cmd":"true","status":0,"out":"","dmesg":["a"]}` + "\r\n"
	run, err := parseRun([]byte(hello + first + `{"done":true}` + "\r\n"))
	require.NoError(t, err)
	assert.Equal(t, "6.1.0", run.Release)
	assert.True(t, run.Done)
	require.Len(t, run.Steps, 1)
	assert.Equal(t, []string{"a"}, run.Steps[0].Dmesg)

	run, err = parseRun([]byte(hello + first + `{"step":1,"cm`))
	require.NoError(t, err, "cut off where the kernel died")
	assert.False(t, run.Done)
	assert.Len(t, run.Steps, 1)

	_, err = parseRun([]byte(hello + "Kernel panic\n" + first))
	assert.ErrorContains(t, err, "Kernel panic")
	_, err = parseRun([]byte(hello + first + first))
	assert.ErrorContains(t, err, "step 0 where step 1 was due")
}

func TestOopsed(t *testing.T) {
	for message, want := range map[string]bool{
		"BUG: kernel NULL pointer dereference, address: 0000000000000000":              true,
		"BUG: unable to handle page fault for address: ffffffffc0207160":               true,
		"general protection fault, probably for non-canonical address 0x48: 0000":      true,
		"Oops: general protection fault, probably for non-canonical address 0x48 [#1]": true,
		"Unable to handle kernel pointer dereference in virtual kernel address space":  true,
		"illegal operation: 0001 ilc:1 [#1]SMP":                                        true,
		"Internal error: Oops: 0000000096000004 [#1]  SMP":                             true,
		"Oops[#1]:": true,
		"livepatch: symbol 'BUG: ' not found in symbol table":       false,
		"klplab_cmdline: loading out-of-tree module taints kernel.": false,
	} {
		assert.Equal(t, want, Result{Dmesg: []string{"first", message}}.Oopsed(), message)
	}
}

// The verdict has what a scenario is judged by, for each step its own.
func TestStepsAreReportedOneByOne(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		s := w.scene(t)
		s.file("hello", []byte("from the host\n"))
		results := s.run(
			sh("cat hello", prints("from the host")),
			sh("echo out; echo err >&2; exit 3", fails),
			sh("echo '<6>klplab: said' > /dev/kmsg", logs("klplab: said")),
			sh("kill -9 $$", fails),
			sh("klplab-no-such-command", fails),
			sh("load hello", refuses("ENOEXEC")),
			sh("uname -r", prints(w.kernel.Release)),
		)
		assert.Equal(t, "out\nerr\n", results[1].Out)
		assert.Equal(t, 3, results[1].Status)
		assert.Empty(t, results[1].Dmesg)
		assert.Equal(t, []string{"klplab: said"}, results[2].Dmesg)
		assert.Equal(t, 137, results[3].Status)
		assert.Equal(t, 127, results[4].Status)
	})
}

// A kernel that dies ends the boot at once, with the verdicts so far.
func TestPanicLeavesConsoleLog(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		s := w.scene(t)
		run, err := s.vm.Boot(context.Background(), "echo before", "echo c > /proc/sysrq-trigger",
			"echo after")
		require.NoError(t, err)
		t.Cleanup(func() { os.RemoveAll(s.vm.dir) })
		assert.False(t, run.Done)
		require.Len(t, run.Steps, 1, "%s", run)
		assert.Equal(t, "before\n", run.Steps[0].Out)
		console, err := os.ReadFile(s.vm.ConsoleLog())
		require.NoError(t, err)
		assert.Contains(t, string(console), "sysrq triggered crash")
		assert.False(t, run.Stopped, "it is the kernel that ends it")
	})
}

func TestBootEndsWithItsTime(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		s := w.scene(t)
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		run, err := s.vm.Boot(ctx, "sleep 1000")
		require.NoError(t, err)
		t.Cleanup(func() { os.RemoveAll(s.vm.dir) })
		assert.False(t, run.Done)
		assert.Empty(t, run.Steps)
		assert.True(t, run.Stopped)
	})
}
