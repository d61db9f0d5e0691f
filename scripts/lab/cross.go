// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/exp/slices"
)

// Debian's kernels for other machines than x86_64 come without CONFIG_LIVEPATCH. So the
// lab builds small ones (tree.go), with Debian's cross compilers, and boots them in the
// QEMU that comes with the same release: all of it is one entry of the cache.

// An Arch is a kind of machine, under the name that the README has for it.
type Arch struct {
	Name    string
	Debian  string   // of packages: dpkg --print-architecture
	Go      string   // GOARCH
	Kbuild  string   // ARCH
	Triplet string   // of the compiler
	dir     string   // in the kernel's arch/
	image   string   // that QEMU boots, in the built tree
	more    []string // further boot images of the same kernel that the tree may have

	qemu       string   // program
	machine    []string // its arguments
	cpu        string
	agentFirst bool   // the first serial port is the agent's
	busybox    string // suite that has a static busybox, if the kernel's has not
}

// Arches are those that the lab boots, by their names.
var Arches = archesByName(
	Arch{
		Name: "x86_64", Debian: "amd64", Go: "amd64", Kbuild: "x86", Triplet: "x86_64-linux-gnu",
		dir: "x86", image: "arch/x86/boot/bzImage",
		qemu: "qemu-system-x86_64", cpu: "qemu64",
	},
	Arch{
		Name: "s390x", Debian: "s390x", Go: "s390x", Kbuild: "s390", Triplet: "s390x-linux-gnu",
		dir: "s390", image: "arch/s390/boot/bzImage",
		qemu: "qemu-system-s390x", cpu: "max", machine: []string{"-machine", "s390-ccw-virtio"},
		// The line mode console, which is the second, speaks EBCDIC and cuts lines.
		agentFirst: true,
	},
	Arch{
		Name: "ppc64le", Debian: "ppc64el", Go: "ppc64le", Kbuild: "powerpc",
		Triplet: "powerpc64le-linux-gnu", dir: "powerpc", image: "vmlinux",
		more: []string{"arch/powerpc/boot/zImage"},
		qemu: "qemu-system-ppc64", cpu: "power9",
		machine: []string{"-machine", "pseries", "-vga", "none"},
	},
	Arch{
		Name: "arm64", Debian: "arm64", Go: "arm64", Kbuild: "arm64",
		Triplet: "aarch64-linux-gnu", dir: "arm64", image: "arch/arm64/boot/Image",
		more: []string{"arch/arm64/boot/vmlinuz.efi"},
		// The architected algorithm of pointer authentication is slow to emulate.
		qemu: "qemu-system-aarch64", cpu: "max,pauth-impdef=on",
		machine: []string{"-machine", "virt"},
	},
	Arch{
		Name: "loongarch64", Debian: "loong64", Go: "loong64", Kbuild: "loongarch",
		Triplet: "loongarch64-linux-gnu", dir: "loongarch", image: "vmlinux",
		more: []string{"arch/loongarch/boot/vmlinuz.efi"},
		qemu: "qemu-system-loongarch64", cpu: "la464", machine: []string{"-machine", "virt"},
		busybox: "forky",
	},
)

func archesByName(list ...Arch) map[string]Arch {
	all := map[string]Arch{}
	for _, a := range list {
		all[a.Name] = a
	}
	return all
}

// arch is the kind of machine that the release's kernel is for.
func (r Release) arch() Arch {
	switch {
	case r.Arch != "":
		return Arches[r.Arch]
	case r.Root != "":
		return rootArch(r.Root)
	}
	return Arches["x86_64"]
}

// crossPackages are what builds, reads and boots the kernels. bsdextrautils has hexdump, without
// which no zboot image is made.
var crossPackages = []string{
	"bash", "bc", "bison", "bsdextrautils", "coreutils", "cpio", "dash", "diffutils", "findutils",
	"flex", "gcc", "grep", "gzip", "kmod", "libc6-dev", "libelf-dev", "libssl-dev", "make", "mawk",
	"openssl",
	"pahole", "perl-base", "python3-minimal", "sed", "tar", "util-linux", "xz-utils", "zstd",
	"gcc-aarch64-linux-gnu", "gcc-loongarch64-linux-gnu", "gcc-powerpc64le-linux-gnu",
	"gcc-s390x-linux-gnu",
	"qemu-system-arm", "qemu-system-misc", "qemu-system-ppc", "qemu-system-s390x",
	"qemu-system-data", "qemu-user",
}

// fetchCrossTools returns the directory of the system that builds and boots the kernel of
// another machine: that of the release that has its source.
func fetchCrossTools(c *Cache, r Release, say func(string, ...any)) (string, error) {
	if err := namespaces(); err != nil {
		return "", err
	}
	base := r.debian().base()
	pick := func(a *apt) (string, []pkg, error) {
		all, err := a.plan(crossPackages...)
		if err != nil {
			return "", nil, err
		}
		i := slices.IndexFunc(all, func(p pkg) bool { return compilerRE.MatchString(p.Name) })
		if i < 0 {
			return "", nil, fmt.Errorf("no compiler among the %d packages that %s would install",
				len(all), base.Suite)
		}
		list := sha256.Sum256([]byte(strings.Join(crossPackages, " ")))
		return fmt.Sprintf("cross-%s_%s_%x", all[i].Name, all[i].Version, list[:4]), all, nil
	}
	return fetchPicked(c, base, "amd64", say, pick, func(tmp, final string) error {
		for name, a := range Arches {
			if name == "x86_64" {
				continue
			}
			for _, program := range []string{a.qemu, a.Triplet + "-gcc"} {
				if _, err := os.Lstat(filepath.Join(tmp, "usr/bin", program)); err != nil {
					return err
				}
			}
		}
		return finishTools(tmp, final)
	})
}

// crossCompiler is the part of the name of such a directory that tells the compiler.
func crossCompiler(tools string) string {
	name := filepath.Base(tools)
	return name[:strings.LastIndexByte(name, '_')]
}

// fetchBusybox returns the path of a static busybox of the architecture.
func fetchBusybox(c *Cache, r Release, say func(string, ...any)) (string, error) {
	arch, suite := r.arch(), r.debian().base()
	if r.Root != "" {
		suite = Host()
	}
	if arch.busybox != "" {
		suite = Release{Series: "busybox", Suite: arch.busybox}
	}
	pick := func(a *apt) (string, []pkg, error) {
		p, err := a.show("busybox-static")
		return fmt.Sprintf("%s-%s_%s", p.Name, arch.Name, p.Version), []pkg{p}, err
	}
	root, err := fetchPicked(c, suite, arch.Debian, say, pick,
		func(string, string) error { return nil })
	if err != nil {
		return "", err
	}
	return one(root, "bin/busybox", "usr/bin/busybox")
}

// fetchForeign returns a kernel for another machine, built.
func fetchForeign(c *Cache, r Release, say func(string, ...any)) (*Kernel, error) {
	tree, err := FetchTree(c, r, say)
	if err != nil {
		return nil, err
	}
	k := &Kernel{
		Root: filepath.Join(tree.Dir, "root"), Version: tree.Version, Image: tree.Image(),
		Headers: filepath.Clean(tree.Built("")),
		release: r, arch: tree.arch, tree: tree, tools: tree.tools,
	}
	if k.Modules, err = modulesIn(k.Root); err != nil {
		return nil, err
	}
	k.Release = filepath.Base(k.Modules)
	k.Busybox, err = fetchBusybox(c, r, say)
	return k, err
}

// Arch is the kind of machine that the kernel is for.
func (k *Kernel) Arch() Arch { return k.arch }

// Built tells whether the kernel was built for the lab or given to it, small mostly, with
// the tree that it was built in at Headers. The others are a distribution's.
func (k *Kernel) Built() bool { return !k.release.packaged() }

// Images are the paths of all boot images that the kernel is there as.
func (k *Kernel) Images() []string {
	list := []string{k.Image}
	if k.tree != nil {
		for _, name := range k.arch.more {
			list = append(list, k.tree.Built(name))
		}
	}
	return list
}

// prefix is what names of the architecture's binutils begin with.
func (k *Kernel) prefix() string {
	if k.arch.Name == "x86_64" {
		return ""
	}
	return k.arch.Triplet + "-"
}

// Cross are the variables of make for a kernel of another architecture.
func (k *Kernel) Cross() []string {
	if k.prefix() == "" {
		return nil
	}
	return []string{"ARCH=" + k.arch.Kbuild, "CROSS_COMPILE=" + k.prefix()}
}
