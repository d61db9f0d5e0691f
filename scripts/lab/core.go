// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package lab

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Core makes Boot leave the machine's memory in the file at path, an ELF core as
// crash(8) reads it. QEMU stops the machine where it would end (-no-shutdown), so
// that it is taken when all steps have run and everything is still loaded.
func (v *VM) Core(path string) *VM {
	v.core = path
	return v
}

// output is what a process prints while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *output) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *output) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// runForCore runs QEMU with its monitor on stdin and stdout, asks it until the machine
// has stopped, and takes the core then.
func (v *VM) runForCore(cmd *exec.Cmd) error {
	if strings.ContainsAny(v.core, " \"\\") {
		return fmt.Errorf("core: %q can't be written to QEMU's monitor", v.core)
	}
	monitor, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	var out output
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				err = fmt.Errorf("qemu: %w: %s", err, tail(out.String(), 20))
			}
			return err
		case <-tick.C:
			order := "info status\n"
			if strings.Contains(out.String(), "paused (shutdown)") {
				order = "dump-guest-memory " + v.core + "\nquit\n"
				tick.Stop()
			}
			// QEMU may end meanwhile, which is seen above.
			_, _ = monitor.Write([]byte(order))
		}
	}
}
