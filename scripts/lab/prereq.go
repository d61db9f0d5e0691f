// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A Prerequisite is something the lab needs from the machine itself, since it
// cannot be used from an unpacked package.
type Prerequisite struct {
	What    string // a program, a library's soname, or the path of a file
	Package string // the Debian package that has it
	Why     string
	Since   int // the Debian release whose kernels ask for it first; 0: all
}

// prerequisites is the whole list, found by building and booting in a minimal
// system. busybox is not on it: it is static, so the cache's copy serves.
var prerequisites = []Prerequisite{
	{"qemu-system-x86_64", "qemu-system-x86", "boots the kernel", 0},
	{"gcc", "gcc", "compiles modules with the compiler of the release's kernels", 0},
	{"/usr/include/errno.h", "libc6-dev", "go links tests with C as soon as there is a gcc", 0},
	{"make", "make", "runs Kbuild", 0},
	{"apt-get", "apt", "finds and downloads the kernel packages", 0},
	{"dpkg-deb", "dpkg", "unpacks them", 0},
	{"tar", "tar", "puts them in one place", 0},
	{"unshare", "util-linux", "gives the compilers of other releases a /usr of their own", 0},
	{"libelf.so.1", "libelf1", "objtool of the kbuild package is linked with it", 0},
	{"pahole", "pahole", "makes BTF, for which the headers bring a vmlinux", 13},
}

// treePrerequisites is what building a kernel takes besides (tree.go).
var treePrerequisites = []Prerequisite{
	{"flex", "flex", "scripts/kconfig", 0},
	{"bison", "bison", "scripts/kconfig", 0},
	{"bc", "bc", "kernel/time", 0},
	{"/usr/include/libelf.h", "libelf-dev", "objtool", 0},
	{"/usr/include/openssl/opensslv.h", "libssl-dev", "scripts/sign-file", 0},
	{"openssl", "openssl", "makes the key that modules are signed with", 0},
	{"xz", "xz-utils", "unpacks the source, compresses modules", 0},
	{"zstd", "zstd", "compresses modules", 0},
	{"/sbin/depmod", "kmod", "make modules_install", 0},
}

// libraryDirs is where Debian's loader looks on amd64.
var libraryDirs = []string{
	"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/usr/local/lib",
}

// Missing returns the prerequisites that this machine does not have.
func Missing() []Prerequisite { return missing(prerequisites) }

// MissingForTree returns those that building a kernel needs besides.
func MissingForTree() []Prerequisite { return missing(treePrerequisites) }

func missing(list []Prerequisite) []Prerequisite {
	release := debianRelease()
	var missing []Prerequisite
	for _, p := range list {
		if release >= p.Since && !p.present() {
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

var versionIDRE = regexp.MustCompile(`(?m)^VERSION_ID="?(\d+)`)

// debianRelease returns the number of the machine's Debian release. Those that
// have none yet (testing, sid) count as later than any.
func debianRelease() int {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return math.MaxInt
	}
	m := versionIDRE.FindSubmatch(text)
	if m == nil {
		return math.MaxInt
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		return math.MaxInt
	}
	return n
}

// InstallLine is the command that installs what is missing, to be pasted as root.
func InstallLine(missing []Prerequisite) string {
	args := []string{"apt-get", "install", "--no-install-recommends"}
	for _, p := range missing {
		args = append(args, p.Package)
	}
	return strings.Join(args, " ")
}
