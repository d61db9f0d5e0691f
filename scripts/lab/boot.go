// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A VM is a machine about to be booted: a kernel and the files it will find.
type VM struct {
	kernel *Kernel
	dir    string // receives console.log, verdict.log and the initramfs
	agent  []byte
	files  map[string][]byte
	core   string // path for the memory at the end; "": none
	append string // to the kernel's command line
	initrd []byte // of a distribution; nil: the lab's own alone
	multi  bool   // a thread of QEMU's for each CPU
	random bool   // the kernel chooses its addresses
}

// BootLimit is the time that a boot with all its steps may take. A boot takes 10
// seconds under TCG, and the longest list of steps a minute; the rest is patience
// with a busy machine.
const BootLimit = 10 * time.Minute

// Cmdline is the kernel's command line, what /proc/cmdline holds. Each kind of machine has
// one of the consoles. On a busy machine ticks may not come in time for the kernel to
// believe in its timer, and it panics: hence no_timer_check.
const Cmdline = "console=hvc0 console=ttyAMA0 console=ttyS0 " +
	"rdinit=/init panic=-1 nokaslr mitigations=off no_timer_check"

// VM returns a machine that keeps its logs in dir and runs the agent's binary
// (see BuildAgent) as its first process.
func (k *Kernel) VM(dir string, agent []byte) *VM {
	return &VM{kernel: k, dir: dir, agent: agent, files: map[string][]byte{}}
}

// File puts a file into the directory in which the steps run.
func (v *VM) File(name string, data []byte) *VM {
	v.files[name] = data
	return v
}

// Append puts words at the end of the kernel's command line.
func (v *VM) Append(words string) *VM {
	v.append += " " + words
	return v
}

// Initrd lets the machine start as an installed one does, with an initramfs that
// initramfs-tools has made. Its /init runs first and loads modules. In place of
// a root file system it is to come to the agent: /scripts/klplab, which the
// command line asks for, must have a function mountroot that executes AgentPath.
func (v *VM) Initrd(image []byte) *VM {
	v.initrd = image
	return v.Append("boot=klplab")
}

// Parallel gives each of the machine's CPUs a thread of its own, for what can't be
// seen on CPUs that take turns. See arguments for the price.
func (v *VM) Parallel() *VM {
	v.multi = true
	return v
}

// Randomized lets the kernel choose its addresses and those of modules, which may then be
// farther from each other than a branch reaches.
func (v *VM) Randomized() *VM {
	v.random = true
	return v
}

// cmdline is what the kernel gets.
func (v *VM) cmdline() string {
	words := Cmdline + v.append
	if v.random {
		words = strings.Replace(words, " nokaslr", "", 1)
	}
	return words
}

// AgentPath is where the agent is in an initramfs that is not the lab's own.
const AgentPath = "/klp-lab/agent"

// ConsoleLog is the path of everything the kernel printed.
func (v *VM) ConsoleLog() string { return filepath.Join(v.dir, "console.log") }

func (v *VM) verdictLog() string { return filepath.Join(v.dir, "verdict.log") }

// Boot runs the steps one after the other and returns when the machine is off.
// A kernel that dies, or does not finish before ctx ends, is no error: the Run
// has the steps that ended, and its Done is false. Errors are of this side.
func (v *VM) Boot(ctx context.Context, steps ...string) (*Run, error) {
	if err := os.MkdirAll(v.dir, 0o755); err != nil {
		return nil, err
	}
	initrd := filepath.Join(v.dir, "initramfs.cpio")
	image, err := v.initramfs(steps)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(initrd, image, 0o644); err != nil {
		return nil, err
	}
	defer os.Remove(initrd)

	ctx, cancel := context.WithTimeout(ctx, BootLimit)
	defer cancel()
	start := time.Now()
	cmd := v.kernel.qemu(ctx, v.arguments(initrd)...)
	cmd.WaitDelay = 5 * time.Second
	// A test process that is killed must not leave a QEMU. The signal comes
	// when the thread that started QEMU ends, so this goroutine keeps its thread.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	off, end := context.WithCancel(ctx)
	defer end()
	if v.core != "" {
		err = v.runForCore(cmd)
	} else {
		go v.turnOff(off, cancel)
		_, err = run(cmd)
	}
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	wire, err := os.ReadFile(v.verdictLog())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	r, err := parseRun(wire)
	if err != nil {
		return nil, err
	}
	r.Took = time.Since(start).Seconds()
	r.Stopped = ctx.Err() != nil && !v.over()
	return r, nil
}

// over tells whether the agent has written its last line.
func (v *VM) over() bool {
	wire, _ := os.ReadFile(v.verdictLog())
	return bytes.Contains(wire, []byte("{\"over\":true}")) ||
		bytes.Contains(wire, []byte("{\"done\":true}"))
}

// turnOff ends a guest that has nothing more to say, if it does not end by itself: a CPU that
// is in an endless loop in the kernel does not let it.
func (v *VM) turnOff(ctx context.Context, end context.CancelFunc) {
	const patience = 20 * time.Second
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			switch {
			case since.IsZero() && v.over():
				since = now
			case !since.IsZero() && now.Sub(since) > patience:
				end()
				return
			}
		}
	}
}

// arguments of QEMU. TCG is the default because KVM is not to be had, or hangs,
// in many virtual machines. Its CPUs take turns in one thread: with a thread each
// (thread=multi) QEMU 7.2 now and then runs an instruction of the kernel that
// another CPU has just patched, and Linux 7.2, which patches the scheduler
// itself during a transition (klp_sched_try_switch), dies of "Oops: int3" in
// one transition of fifty. It is no slower. One serial port is the kernel's console, the
// other the agent's. -no-reboot turns the reboot at the end, and that after a
// panic (panic=-1), into the exit of QEMU.
func (v *VM) arguments(initrd string) []string {
	accel, cpu := os.Getenv("KLP_LAB_ACCEL"), "host"
	if accel == "" || accel == "tcg" || v.kernel.arch.Name != "x86_64" {
		accel, cpu = "tcg,thread=single", v.kernel.arch.cpu
		if v.multi {
			accel = "tcg,thread=multi"
		}
	}
	more := []string{}
	if v.core != "" {
		more = []string{"-no-shutdown", "-monitor", "stdio"}
	}
	more = append(more, v.kernel.arch.machine...)
	ports := []string{v.ConsoleLog(), v.verdictLog()}
	if v.kernel.arch.agentFirst {
		ports[0], ports[1] = ports[1], ports[0]
	}
	return append(more,
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-accel", accel, "-cpu", cpu, "-smp", "2", "-m", "512",
		"-serial", "file:"+ports[0],
		"-serial", "file:"+ports[1],
		"-kernel", v.kernel.Image,
		"-initrd", initrd,
		"-append", v.cmdline())
}

// qemu is the emulator of the kernel's machine: this machine's own for x86_64, else that of
// the cross compilers' system.
func (k *Kernel) qemu(ctx context.Context, args ...string) *exec.Cmd {
	if k.arch.Name == "x86_64" {
		return exec.CommandContext(ctx, k.arch.qemu, args...)
	}
	cmd := k.Command(k.arch.qemu, args...)
	return exec.CommandContext(ctx, cmd.Path, cmd.Args[1:]...)
}

// initramfs packs busybox, the agent, the files and the list of steps.
func (v *VM) initramfs(steps []string) ([]byte, error) {
	busybox, err := os.ReadFile(v.kernel.Busybox)
	if err != nil {
		return nil, err
	}
	list, err := json.Marshal(steps)
	if err != nil {
		return nil, err
	}
	var a archive
	// The kernel opens /dev/console for the first process before it mounts anything.
	a.node("dev/console", 5, 1)
	if v.initrd == nil {
		a.file("init", v.agent)
		a.file("bin/busybox", busybox)
	} else {
		a.file(AgentPath[1:], v.agent)
		a.file(path.Join(path.Dir(AgentPath)[1:], "busybox"), busybox)
	}
	a.file("steps.json", list)
	for _, dir := range []string{"proc", "sys", "tmp", "lab"} {
		a.mkdir(dir)
	}
	for name, data := range v.files {
		if filepath.Base(name) != name {
			return nil, fmt.Errorf("file %q: no directories, please", name)
		}
		a.file("lab/"+name, data)
	}
	// The kernel unpacks one archive after the other, each compressed or not.
	return append(a.bytes(), v.initrd...), nil
}
