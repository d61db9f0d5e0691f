// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/exp/slices"
)

// A module has to be built by the compiler that built its kernel, and the
// helpers in a kernel's packages (modpost, objtool) want the C library of their
// release. So a kernel of another release comes with that release's /usr: make, a
// shell, the compiler, and what they need, unpacked into one entry of the cache.
//
// A program of that system runs in a mount namespace of its own, in which that
// directory is mounted over /usr:
//
//	/usr      of the other release     /bin, /lib, /lib64, /sbin are links into it
//	all else  as it is                 sources, the cache, /tmp, /proc
//
// So no path changes its name, no root file system has to be put together, and
// the mounts end with the program, however it ends. Root is not needed where user
// namespaces are allowed. A system that was installed (mmdebstrap) would do the
// same in twice the time: what its packages' scripts set up is not used here.

// toolPackages are what Kbuild runs. The compiler and pahole, which come in many
// versions, are on the list of what the kernel's headers depend on.
var toolPackages = []string{
	"linux-headers-amd64",
	"bash", "coreutils", "dash", "diffutils", "findutils", "gcc", "grep", "gzip", "kmod", "make",
	"mawk",
	"perl-base", "sed", "tar", "util-linux", "xz-utils",
}

// links are made by packages' scripts, which do not run here.
var toolLinks = map[string]string{
	"usr/bin/awk": "mawk",
	"usr/bin/sh":  "dash",
}

var compilerRE = regexp.MustCompile(`^gcc-[0-9]+$`)

// fetchTools returns the directory of the system that builds modules for r's kernel.
func fetchTools(c *Cache, r Release, say func(string, ...any)) (string, error) {
	if err := namespaces(); err != nil {
		return "", err
	}
	pick := func(a *apt) (string, []pkg, error) {
		all, err := a.plan(toolPackages...)
		if err != nil {
			return "", nil, err
		}
		var (
			tools    []pkg
			compiler = ""
		)
		for _, p := range all {
			if compilerRE.MatchString(p.Name) {
				compiler = fmt.Sprintf("%s_%s", p.Name, p.Version)
			}
			if !strings.HasPrefix(p.Name, "linux-") {
				tools = append(tools, p)
			}
		}
		if compiler == "" {
			return "", nil, fmt.Errorf("no compiler among the %d packages that %s would install",
				len(all), r.Suite)
		}
		return compiler, tools, nil
	}
	return fetchPicked(c, r.base(), "amd64", say, pick, finishTools)
}

// link makes what the packages' scripts would have made.
func link(root string) error {
	for name, to := range toolLinks {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil &&
			!errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// finishTools adds the links, and looks whether all is there.
func finishTools(tmp, _ string) error {
	if err := link(tmp); err != nil {
		return err
	}
	for _, name := range []string{"usr/bin/make", "usr/bin/gcc", "usr/bin/sh",
		"usr/lib64/ld-linux-x86-64.so.2"} {
		// Not Stat: some are links whose targets are absolute.
		if _, err := os.Lstat(filepath.Join(tmp, name)); err != nil {
			return err
		}
	}
	return nil
}

// namespaces tells why this machine does not let programs have mounts of their own.
func namespaces() error {
	if _, err := run(exec.Command("unshare", append(unshareFlags(), "true")...)); err != nil {
		return fmt.Errorf("kernels of other releases need a mount namespace to be built for: %w",
			err)
	}
	for _, name := range mergedUsr {
		if to, err := os.Readlink("/" + name); err != nil ||
			!slices.Contains([]string{"usr/" + name, "/usr/" + name}, to) {
			return fmt.Errorf("kernels of other releases cannot be built for here: /%s is no "+
				"link into /usr", name)
		}
	}
	return nil
}

func unshareFlags() []string {
	if os.Geteuid() == 0 {
		return []string{"--mount"}
	}
	return []string{"--mount", "--map-root-user"}
}

// Command is a program of the system that the kernel's modules are built in,
// with the file system of this machine but for /usr. PATH is that system's.
func (k *Kernel) Command(name string, args ...string) *exec.Cmd {
	if k.tools == "" {
		return exec.Command(name, args...)
	}
	// The cache of the dynamic loader speaks of this machine's libraries.
	const script = `set -e
mount --rbind "$1" /usr
mount --bind /dev/null /etc/ld.so.cache 2>/dev/null || true
shift
PATH=${KLP_LAB_PATH:+$KLP_LAB_PATH:}/usr/sbin:/usr/bin
exec "$@"`
	// No sbin in a user's PATH, but mount and unshare are in bin.
	flags := append(unshareFlags(), "sh", "-c", script, "sh", filepath.Join(k.tools, "usr"), name)
	return exec.Command("unshare", append(flags, args...)...)
}
