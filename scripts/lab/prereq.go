// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Prerequisite is something the lab needs from the machine itself, since it
// cannot be used from an unpacked package.
type Prerequisite struct {
	What    string // a program, a library's soname, or the path of a file
	Package string // the Debian package that has it
	Why     string
}

// prerequisites is the whole list, found by building and booting in a minimal
// system. busybox is not on it: it is static, so the cache's copy serves.
var prerequisites = []Prerequisite{
	{"qemu-system-x86_64", "qemu-system-x86", "boots the kernel"},
	{"gcc", "gcc", "compiles modules with the compiler of the release's kernels"},
	{"/usr/include/errno.h", "libc6-dev", "go links tests with C as soon as there is a gcc"},
	{"make", "make", "runs Kbuild"},
	{"apt-get", "apt", "finds and downloads the kernel packages"},
	{"dpkg-deb", "dpkg", "unpacks them"},
	{"libelf.so.1", "libelf1", "objtool of the kbuild package is linked with it"},
}

// libraryDirs is where Debian's loader looks on amd64.
var libraryDirs = []string{
	"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/usr/local/lib",
}

// Missing returns the prerequisites that this machine does not have.
func Missing() []Prerequisite {
	var missing []Prerequisite
	for _, p := range prerequisites {
		if !p.present() {
			missing = append(missing, p)
		}
	}
	return missing
}

func (p Prerequisite) present() bool {
	if filepath.IsAbs(p.What) {
		_, err := os.Stat(p.What)
		return err == nil
	}
	if !strings.Contains(p.What, ".so.") {
		_, err := exec.LookPath(p.What)
		return err == nil
	}
	for _, dir := range libraryDirs {
		if found, _ := filepath.Glob(filepath.Join(dir, p.What)); len(found) > 0 {
			return true
		}
	}
	return false
}

// InstallLine is the command that installs what is missing, to be pasted as root.
func InstallLine(missing []Prerequisite) string {
	args := []string{"apt-get", "install", "--no-install-recommends"}
	for _, p := range missing {
		args = append(args, p.Package)
	}
	return strings.Join(args, " ")
}
