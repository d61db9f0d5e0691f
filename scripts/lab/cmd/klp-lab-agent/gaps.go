// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// What does a running system feel of a livepatch? gaps has one thread on each CPU
// read a file all the time, whose contents come from a function that is patched,
// and does nothing, then loads the livepatch, then lets it be, then disables and
// unloads it. It prints, for each of these phases, the longest time that a thread
// had to wait for the end of a read since the end of the one before.

// phases take equally long, so that each has the same chance of bad luck, but for
// one in which a thread has not read yet: that is waited for. A phase that has
// something to do does it at its beginning.
var phases = []struct {
	name string
	do   func(g *gaps) error
}{
	{"nothing", nil},
	{"load, enable", (*gaps).load},
	{"patched", nil},
	{"disable", (*gaps).disable},
	{"unload", (*gaps).unload},
	{"nothing", nil},
}

const (
	phaseLength = 500 * time.Millisecond
	// A thread that has no turn for so long is in more trouble than a livepatch
	// makes.
	starved = 30 * time.Second
)

type gaps struct {
	file    string
	patch   string
	phase   atomic.Int32
	stop    atomic.Bool
	readers []reader
}

// A reader is what one CPU's thread saw. The padding keeps threads out of each
// other's cache lines.
type reader struct {
	longest [8]time.Duration
	reads   [8]int
	// seen is the last phase, counted from 1, in which a read has ended, or all
	// of them for a thread that has given up.
	seen atomic.Int32
	err  error
	_    [64]byte
}

func runGaps(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: gaps FILE LIVEPATCH.ko")
	}
	// The runtime's own pauses are not the kernel's.
	debug.SetGCPercent(-1)
	cpus := runtime.NumCPU()
	runtime.GOMAXPROCS(cpus + 2)
	g := &gaps{file: args[0], patch: args[1], readers: make([]reader, cpus)}
	var wait sync.WaitGroup
	for cpu := range g.readers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			r := &g.readers[cpu]
			r.err = g.read(cpu, r)
			r.seen.Store(int32(len(phases)))
		}()
	}
	err := g.run()
	g.stop.Store(true)
	wait.Wait()
	for i, p := range phases {
		fmt.Printf("%-14s", p.name)
		for cpu := range g.readers {
			r := &g.readers[cpu]
			err = errors.Join(err, r.err)
			fmt.Printf("  %8.3f ms of %6d reads", float64(r.longest[i].Microseconds())/1000,
				r.reads[i])
		}
		fmt.Println()
	}
	return err
}

// run goes through the phases.
func (g *gaps) run() error {
	// A thread may come to life late, and on a busy host later than any phase is
	// long: the first begins when all read.
	if err := g.await(0); err != nil {
		return err
	}
	for i, p := range phases {
		g.phase.Store(int32(i))
		end := time.Now().Add(phaseLength)
		if p.do != nil {
			if err := p.do(g); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
		time.Sleep(time.Until(end))
		if err := g.await(i); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// await returns when every thread has read in this phase, or has given up.
func (g *gaps) await(phase int) error {
	end := time.Now().Add(starved)
	for cpu := range g.readers {
		for g.readers[cpu].seen.Load() <= int32(phase) {
			if time.Now().After(end) {
				return fmt.Errorf("the thread of CPU %d has not read for %s", cpu, starved)
			}
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

// read reads until the end, and notes the gaps. One that spans two phases counts
// in both.
func (g *gaps) read(cpu int, r *reader) error {
	runtime.LockOSThread()
	mask := [16]uint64{}
	mask[cpu/64] = 1 << (cpu % 64)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask),
		uintptr(unsafe.Pointer(&mask))); errno != 0 {
		return fmt.Errorf("sched_setaffinity: %w", errno)
	}
	fd, err := syscall.Open(g.file, syscall.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	var buf [256]byte
	phase, last := g.phase.Load(), time.Now()
	for !g.stop.Load() {
		// Offset 0 makes seq_file call the function each time.
		if n, err := syscall.Pread(fd, buf[:], 0); n <= 0 {
			return fmt.Errorf("read %s: %d bytes, %w", g.file, n, err)
		}
		now, current := time.Now(), g.phase.Load()
		gap := now.Sub(last)
		r.longest[phase] = max(r.longest[phase], gap)
		r.longest[current] = max(r.longest[current], gap)
		r.reads[current]++
		r.seen.Store(current + 1)
		phase, last = current, now
	}
	return nil
}

// name of the livepatch, as the kernel has it.
func (g *gaps) name() string {
	return strings.ReplaceAll(strings.TrimSuffix(filepath.Base(g.patch), ".ko"), "-", "_")
}

func (g *gaps) load() error {
	if err := load([]string{g.patch}); err != nil {
		return err
	}
	return settle([]string{g.name()})
}

func (g *gaps) disable() error {
	if err := os.WriteFile("/sys/kernel/livepatch/"+g.name()+"/enabled", []byte("0"),
		0); err != nil {
		return err
	}
	return settle([]string{g.name()})
}

func (g *gaps) unload() error {
	name, err := syscall.BytePtrFromString(g.name())
	if err != nil {
		return err
	}
	// The directory in sysfs goes before the last reference to the module does.
	for range 100 {
		_, _, errno := syscall.Syscall(syscall.SYS_DELETE_MODULE, uintptr(unsafe.Pointer(name)),
			syscall.O_NONBLOCK, 0)
		if errno == 0 {
			return nil
		}
		if errno != syscall.EAGAIN && errno != syscall.EBUSY {
			return errno
		}
		time.Sleep(time.Millisecond)
	}
	return syscall.EBUSY
}
