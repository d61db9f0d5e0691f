// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

// Command klp-lab-agent is the first process in the lab's guest.
//
// It mounts what every step expects, runs the steps of /steps.json one after the
// other with busybox's shell, and writes a verdict on each, one JSON object a
// line, on a serial port of its own:
//
//	{"hello":"6.1.0-50-amd64"}
//	{"step":0,"cmd":"load x.ko","status":0,"out":"","dmesg":["livepatch: ..."],"took":0.3}
//	{"done":true}, or {"over":true} when the guest is not fit for the rest
//
// Under another name it is one of the commands that steps use: load, settle, pack, gaps,
// trial. A trial that leaves the guest unfit for another one ends the list.
package main

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stepLimit ends a step that hangs, so that the later ones still get a verdict.
const stepLimit = 2 * time.Minute

func main() {
	var err error
	switch filepath.Base(os.Args[0]) {
	case "load":
		err = load(os.Args[1:])
	case "settle":
		err = settle(os.Args[1:])
	case "pack":
		err = pack(os.Args[1:])
	case "gaps":
		err = runGaps(os.Args[1:])
	case "trial":
		err = trial(os.Args[1:])
	default:
		if os.Getpid() != 1 {
			fmt.Fprintln(os.Stderr,
				"klp-lab-agent: only of use as the first process of a lab's guest")
			os.Exit(2)
		}
		if err := guest(); err != nil {
			fmt.Println("klp-lab-agent:", err) // the kernel's console
		}
		// QEMU runs with -no-reboot: this is its exit.
		syscall.Sync()
		if err := syscall.Reboot(syscall.LINUX_REBOOT_CMD_RESTART); err != nil {
			fmt.Println("klp-lab-agent: reboot:", err)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// guest prepares the system, runs all steps and reports on them.
func guest() error {
	if err := mounts(); err != nil {
		return err
	}
	port, err := os.OpenFile(verdictPort(), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer drain(port)
	report := json.NewEncoder(port)
	var name syscall.Utsname
	if err := syscall.Uname(&name); err != nil {
		return err
	}
	release := make([]byte, 0, len(name.Release))
	for _, x := range name.Release {
		if x == 0 {
			break
		}
		release = append(release, byte(x))
	}
	if err := report.Encode(map[string]string{"hello": string(release)}); err != nil {
		return err
	}
	text, err := os.ReadFile("/steps.json")
	if err != nil {
		return err
	}
	var steps []string
	if err := json.Unmarshal(text, &steps); err != nil {
		return err
	}
	log, err := openLog()
	if err != nil {
		return err
	}
	log.next() // the boot's own messages belong to no step
	for i, cmd := range steps {
		v := step(cmd)
		v.Step, v.Dmesg = i, log.next()
		if err := report.Encode(v); err != nil {
			return err
		}
		if v.Status != 0 && strings.HasPrefix(cmd, "trial ") {
			return report.Encode(map[string]bool{"over": true})
		}
	}
	return report.Encode(map[string]bool{"done": true})
}

// drain waits until all is out that was written to a terminal: what the driver of some machines
// still holds is lost when the machine is reset.
func drain(port *os.File) {
	const untilSent = 1
	_ = unix.IoctlSetInt(int(port.Fd()), unix.TCSBRK, untilSent) // tcdrain(3)
}

// verdictPort is the serial port of the machine that the kernel's console does not use.
func verdictPort() string {
	switch runtime.GOARCH {
	case "s390x":
		return "/dev/ttysclp0"
	case "ppc64le":
		return "/dev/hvc1"
	case "arm64":
		return "/dev/ttyAMA1"
	}
	return "/dev/ttyS1"
}

// bin is where busybox and the commands of the steps are: in the lab's own
// initramfs /bin. In another one the agent is not /init, and keeps to its directory.
func bin() string {
	if dir := filepath.Dir(os.Args[0]); dir != "/" {
		return dir
	}
	return "/bin"
}

// mounts brings up what busybox and the steps rely on. Another /init may
// have done some of it.
func mounts() error {
	for _, m := range []struct{ fstype, dir string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"},
	} {
		if err := syscall.Mount(m.fstype, m.dir, m.fstype, 0, ""); err != nil &&
			err != syscall.EBUSY {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	if err := exec.Command(bin()+"/busybox", "--install", "-s", bin()).Run(); err != nil {
		return fmt.Errorf("busybox --install: %w", err)
	}
	for _, name := range []string{"load", "settle", "pack", "gaps", "trial"} {
		if err := os.Symlink(os.Args[0], bin()+"/"+name); err != nil {
			return err
		}
	}
	return nil
}

// A verdict is one line of the report; package lab reads it as a Result.
type verdict struct {
	Step   int      `json:"step"`
	Cmd    string   `json:"cmd"`
	Status int      `json:"status"`
	Out    string   `json:"out"`
	Dmesg  []string `json:"dmesg"`
	Took   float64  `json:"took"`
}

// step runs one command line and waits for its end.
//
// Its output goes to a file, not a pipe: a process that the kernel kills in the
// middle of a splice(2) still holds the pipe's lock, and a process that reads or closes
// that pipe then waits for ever. For the same reason no step waits longer than
// the limit for a process that was killed: it may never end.
func step(line string) verdict {
	start := time.Now()
	v := verdict{Cmd: line}
	out, err := os.Create("/tmp/out")
	if err != nil {
		v.Status, v.Out = 127, err.Error()
		return v
	}
	defer out.Close()
	cmd := exec.Command(bin()+"/sh", "-c", line)
	cmd.Dir = "/lab"
	cmd.Env = []string{"PATH=/sbin:/bin:/usr/sbin:/usr/bin:" + bin(), "HOME=/", "TERM=dumb"}
	cmd.Stdout, cmd.Stderr = out, out
	v.Status = 127
	if err = cmd.Start(); err == nil {
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case err = <-ended:
			v.Status = exitStatus(cmd.ProcessState)
		case <-time.After(stepLimit):
			_ = cmd.Process.Kill() // it may have ended by now
			v.Status, err = 124, errors.New("klp-lab-agent: the step's time ran out")
		}
	}
	text, _ := os.ReadFile("/tmp/out")
	v.Out, v.Took = string(text), time.Since(start).Seconds()
	if v.Status == 124 || v.Status == 127 && len(text) == 0 {
		v.Out += err.Error() + "\n"
	}
	return v
}

// exitStatus is what a shell would say.
func exitStatus(s *os.ProcessState) int {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return s.ExitCode()
}

// A kmsg reads the kernel's log record by record (Documentation/ABI/testing/dev-kmsg).
type kmsg struct{ fd int }

func openLog() (kmsg, error) {
	fd, err := syscall.Open("/dev/kmsg", syscall.O_RDONLY|syscall.O_NONBLOCK, 0)
	return kmsg{fd}, err
}

// next returns the messages that came since the last call.
func (k kmsg) next() []string {
	messages := []string{}
	buf := make([]byte, 16<<10)
	for {
		n, err := syscall.Read(k.fd, buf)
		if err == syscall.EPIPE { // overwritten before it was read: go on with the oldest
			continue
		}
		if err != nil || n <= 0 {
			return messages
		}
		// "6,339,5140900,-;message\n KEY=value\n": the rest of the record is of no use here.
		record, _, _ := strings.Cut(string(buf[:n]), "\n")
		if _, text, ok := strings.Cut(record, ";"); ok {
			messages = append(messages, text)
		}
	}
}

// load loads a module: load FILE [PARAMETER=VALUE ...].
func load(args []string) error {
	if len(args) == 0 {
		return errors.New("usage: load FILE [PARAMETER=VALUE ...]")
	}
	errno, err := insert(args[0], args[1:]...)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if errno != 0 {
		return fmt.Errorf("load: %s: %s (%s)", args[0], errnoName(errno), errno.Error())
	}
	return nil
}

// insert hands a module to the kernel.
func insert(path string, args ...string) (syscall.Errno, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	params, err := syscall.BytePtrFromString(strings.Join(args, " "))
	if err != nil {
		return 0, err
	}
	return finitModule(f.Fd(), params), nil
}

var errnoNames = map[syscall.Errno]string{
	syscall.ENOENT:  "ENOENT",
	syscall.ENOEXEC: "ENOEXEC",
	syscall.EINVAL:  "EINVAL",
	syscall.EEXIST:  "EEXIST",
	syscall.EBUSY:   "EBUSY",
	syscall.ENOMEM:  "ENOMEM",
	syscall.EPERM:   "EPERM",
	syscall.ENODEV:  "ENODEV",
	syscall.EFAULT:  "EFAULT",
	syscall.ERANGE:  "ERANGE",
	syscall.ENOSPC:  "ENOSPC",
	syscall.ENOTBLK: "ENOTBLK",
	// What becomes of modules that are not signed as the kernel wants it.
	syscall.ENOKEY:       "ENOKEY",
	syscall.EKEYREJECTED: "EKEYREJECTED",
	syscall.EBADMSG:      "EBADMSG",
	syscall.ENOPKG:       "ENOPKG",
}

func errnoName(e syscall.Errno) string {
	if name, ok := errnoNames[e]; ok {
		return name
	}
	return fmt.Sprintf("errno %d", int(e))
}

// pack prints a file for Result.Unpack: gzip, then base64, which not every busybox
// has. The serial port takes a second for the megabytes of /proc/kallsyms then.
func pack(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: pack FILE")
	}
	f, err := os.Open(args[0])
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	defer f.Close()
	wire := base64.NewEncoder(base64.StdEncoding, os.Stdout)
	packed := gzip.NewWriter(wire)
	if _, err := io.Copy(packed, f); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	if err := packed.Close(); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return wire.Close()
}

// settle waits until a livepatch is in no transition: settle NAME. The directory
// of a livepatch goes away when its disabling is complete.
func settle(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: settle NAME")
	}
	return settled(args[0])
}

func settled(name string) error {
	path := "/sys/kernel/livepatch/" + name + "/transition"
	for end := time.Now().Add(stepLimit * 3 / 4); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("settle: %w", err)
		}
		text, err := io.ReadAll(f)
		f.Close()
		if errors.Is(err, syscall.ENODEV) || err == nil && strings.TrimSpace(string(text)) == "0" {
			return nil
		}
	}
	return fmt.Errorf("settle: %s is still in transition", name)
}
