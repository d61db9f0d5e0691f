// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A trial takes one module, which may do anything, through its whole
// life: trial ORDER FILE NAME SHOW [TARGET]. SHOW is the file of /proc that the code
// after NAME prints; TARGET is the module that is livepatched, loaded "before" NAME or
// "later"; "again" is "before", and once more; "alone" has no target. The phases are
//
//	load    FILE
//	target  TARGET, when it comes later
//	call    what prints SHOW
//	again   TARGET is removed and loaded a second time
//	remove  NAME, disabled
//
// Each writes a line of JSON to stdout when it begins and one when it has ended, and
// marks the kernel's log, so that what is printed meanwhile can be told apart. One that
// fails ends the trial, but for call. The exit status is not 0 when something is left
// behind.
type phase struct {
	Phase string `json:"phase"`
	Ended bool   `json:"ended"`
	Errno string `json:"errno,omitempty"` // of the system call
	Out   string `json:"out,omitempty"`   // of call
	Died  bool   `json:"died,omitempty"`  // call: the kernel killed the process
}

const trialMark = "klplab-trial: "

func trial(args []string) error {
	if len(args) < 4 || len(args) > 5 {
		return errors.New("usage: trial ORDER FILE NAME SHOW [TARGET]")
	}
	order, file, name, show := args[0], args[1], args[2], args[3]
	target := ""
	if len(args) == 5 {
		target = args[4]
	}
	owner := strings.TrimSuffix(filepath.Base(target), ".ko")
	if order == "before" || order == "again" {
		if err := present(target); err != nil {
			return err
		}
	}
	// Marks are not to be left out for being many.
	_ = os.WriteFile("/proc/sys/kernel/printk_devkmsg", []byte("on"), 0)
	died := live(order, file, name, show, target, owner)
	mark("after")
	if died && target != "" {
		return errors.New("trial: the file of /proc is in use for ever, and its module with it")
	}
	// What a module that was refused has left, or one that can't be removed.
	if _, err := os.Stat("/sys/kernel/livepatch/" + name); err == nil {
		return errors.New("trial: the livepatch stays")
	}
	if errno := remove(name); errno != 0 && errno != syscall.ENOENT {
		return fmt.Errorf("trial: %s stays: %s", name, errnoName(errno))
	}
	if target != "" {
		if errno := remove(owner); errno != 0 && errno != syscall.ENOENT {
			return fmt.Errorf("trial: %s stays: %s", owner, errnoName(errno))
		}
	}
	return nil
}

// present loads the target.
func present(target string) error {
	errno, err := insert(target)
	if err == nil && errno != 0 {
		err = fmt.Errorf("%s: %s", target, errnoName(errno))
	}
	return err
}

// live goes through the phases, and reports whether the one that called died.
func live(order, file, name, show, target, owner string) (died bool) {
	load := func(path string) func(*phase) {
		return func(p *phase) {
			errno, err := insert(path)
			if err != nil {
				p.Errno = err.Error()
			} else if errno != 0 {
				p.Errno = errnoName(errno)
			}
		}
	}
	if !run("load", load(file)) {
		return false
	}
	if err := settled(name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return false
	}
	if order == "later" && !run("target", load(target)) {
		disable(name)
		return false
	}
	run("call", func(p *phase) {
		// To a file, as steps do: a pipe's lock would go down with the process.
		out, err := os.Create("/tmp/call")
		if err != nil {
			p.Errno = err.Error()
			return
		}
		defer out.Close()
		cmd := exec.Command("/bin/cat", show)
		cmd.Stdout, cmd.Stderr = out, out
		var exit *exec.ExitError
		if errors.As(cmd.Run(), &exit) {
			ws, ok := exit.Sys().(syscall.WaitStatus)
			p.Died = ok && ws.Signaled()
			died = p.Died
		}
		text, _ := os.ReadFile(out.Name())
		p.Out = string(text)
	})
	if order == "again" {
		if errno := remove(owner); errno == 0 {
			run("again", load(target))
		}
	}
	run("remove", func(p *phase) {
		disable(name)
		if errno := remove(name); errno != 0 {
			p.Errno = errnoName(errno)
		}
	})
	return died
}

// run is one phase, and reports whether it went well.
func run(name string, do func(*phase)) bool {
	out := json.NewEncoder(os.Stdout)
	p := phase{Phase: name}
	mark(name)
	_ = out.Encode(p)
	tid, ended := make(chan int, 1), make(chan bool, 1)
	go func() {
		runtime.LockOSThread()
		tid <- syscall.Gettid()
		do(&p)
		ended <- true
	}()
	if lost := survives(<-tid, ended); lost != "" {
		// The thread may hold locks of the kernel: nothing more can be done here.
		_ = out.Encode(phase{Phase: name, Ended: true, Errno: lost})
		os.Exit(1)
	}
	p.Ended = true
	_ = out.Encode(p)
	return p.Errno == ""
}

// survives waits for the end. A fault of the kernel's kills the thread that it happened
// in, and no other; the process would wait for it for ever.
func survives(tid int, ended chan bool) (lost string) {
	const patience = 30 * time.Second
	task := fmt.Sprintf("/proc/self/task/%d/stat", tid)
	for start := time.Now(); time.Since(start) < patience; {
		select {
		case <-ended:
			return ""
		case <-time.After(20 * time.Millisecond):
		}
		// The first thread of a process stays, as a zombie.
		stat, err := os.ReadFile(task)
		if _, state, _ := strings.Cut(string(stat), ") "); err != nil ||
			strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X") {
			select {
			case <-ended: // the thread ended with its goroutine
				return ""
			case <-time.After(20 * time.Millisecond):
				return "killed"
			}
		}
	}
	return "hung"
}

// mark puts a line into the kernel's log.
func mark(phase string) {
	_ = os.WriteFile("/dev/kmsg", []byte(trialMark+phase), 0)
}

// disable ends a livepatch, if it is one, and waits for the end.
func disable(name string) {
	if os.WriteFile("/sys/kernel/livepatch/"+name+"/enabled", []byte("0"), 0) == nil {
		_ = settled(name)
	}
}

// remove is delete_module(2). The last reference goes a little after the directory.
func remove(name string) syscall.Errno {
	b, err := syscall.BytePtrFromString(name)
	if err != nil {
		return syscall.EINVAL
	}
	errno := deleteModule(b)
	for i := 0; i < 20 && (errno == syscall.EAGAIN || errno == syscall.EBUSY ||
		errno == syscall.EWOULDBLOCK); i++ {
		time.Sleep(50 * time.Millisecond)
		errno = deleteModule(b)
	}
	return errno
}
