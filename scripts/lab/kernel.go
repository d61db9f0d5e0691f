// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A Kernel is a distribution kernel with all that is needed to build modules
// for it and to boot it, unpacked in the cache.
type Kernel struct {
	Root    string // directory that the packages are unpacked in
	Release string // as uname -r: 6.1.0-50-amd64
	Version string // of the package: 6.1.176-1
	Image   string // path of vmlinuz
	Headers string // directory for make -C
	Modules string // directory of the kernel's own .ko files
	Busybox string // path of a static busybox

	release Release
	tools   string // directory of the compiler's system (tools.go); "": this machine's
	arch    Arch
	tree    *Tree // that the lab has built the kernel in; nil: it is Debian's
}

// kernelParts matches the packages that a kernel is cut into. The metapackages
// depend on them and on much else (initramfs-tools, compilers) that is not
// wanted here. Names changed over the releases, the prefixes did not.
var kernelParts = regexp.MustCompile(`^linux-(image|binary|modules|headers|kbuild)-`)

// Fetch returns the current kernel of the machine's Debian release, for amd64:
// from the cache, or downloaded into it. say receives what takes long.
func Fetch(c *Cache, say func(format string, args ...any)) (*Kernel, error) {
	return FetchRelease(c, Host(), say)
}

// FetchRelease is Fetch for any release. With a kernel of another one comes the
// compiler of that one. A kernel for another architecture is built; one that somebody
// else has built is taken as it is.
func FetchRelease(c *Cache, r Release, say func(format string, args ...any)) (*Kernel, error) {
	switch {
	case r.Root != "":
		return openRoot(c, r, say)
	case r.Arch != "":
		return fetchForeign(c, r, say)
	}
	complete := func(root string) error {
		_, err := openKernel(root)
		return err
	}
	root, err := fetch(c, r, "amd64", say, complete, "linux-image-amd64", "linux-headers-amd64",
		"busybox-static")
	if err != nil {
		return nil, err
	}
	k, err := openKernel(root)
	if err != nil {
		return nil, err
	}
	k.release, k.arch = r, Arches["x86_64"]
	if r == Host() {
		return k, nil
	}
	k.tools, err = fetchTools(c, r, say)
	return k, err
}

// Corpus returns the directories of the modules of three kernels: amd64, s390x and
// ppc64el. The two foreign ones are there to be read, not to be booted: Debian
// builds them without livepatching.
func Corpus(c *Cache, say func(format string, args ...any)) ([]string, error) {
	kernel, err := Fetch(c, say)
	if err != nil {
		return nil, err
	}
	dirs := []string{kernel.Modules}
	for _, foreign := range []struct{ arch, image string }{
		{"s390x", "linux-image-s390x"},
		{"ppc64el", "linux-image-powerpc64le"},
	} {
		complete := func(root string) error {
			_, err := modulesIn(root)
			return err
		}
		root, err := fetch(c, Host(), foreign.arch, say, complete, foreign.image)
		if err != nil {
			return nil, err
		}
		dir, err := modulesIn(root)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

// fetch unpacks what the packages called roots consist of into one entry of the
// cache, and returns its path. The entry is named after the first package that
// is no metapackage, and its version. What complete finds wanting is not kept: a
// mirror in the middle of its update may offer the image of one kernel and the
// headers of another.
func fetch(c *Cache, r Release, arch string, say func(string, ...any),
	complete func(root string) error, roots ...string) (string, error) {
	pick := func(a *apt) (string, []pkg, error) {
		pkgs, err := a.closure(kernelParts, roots...)
		if err != nil {
			return "", nil, err
		}
		name := pkgs[0].Name
		for _, p := range pkgs {
			if strings.HasPrefix(p.Name, "linux-image-") && p.Name != roots[0] {
				name = p.Name
			}
		}
		return fmt.Sprintf("%s_%s", name, pkgs[0].Version), pkgs, nil
	}
	return fetchPicked(c, r, arch, say, pick, func(tmp, final string) error {
		if err := rebase(tmp, final); err != nil {
			return err
		}
		return complete(tmp)
	})
}

// fetchPicked unpacks the packages that pick returns into an entry of the cache
// under the name that it gives them, lets finish work on it, and returns its path.
// Of the packages' files it takes those that match only, or all.
func fetchPicked(c *Cache, r Release, arch string, say func(string, ...any),
	pick func(*apt) (string, []pkg, error), finish func(tmp,
		final string) error, only ...string) (string, error) {
	a, err := openApt(c, r, arch)
	if err != nil {
		return "", err
	}
	unlock, err := c.Lock(filepath.Base(a.dir))
	if err != nil {
		return "", err
	}
	defer unlock()
	// A list that is some hours old may name packages the mirror has dropped:
	// the second try asks for new lists first.
	var warning error
	for _, force := range []bool{false, true} {
		if warning = a.update(force); warning != nil {
			say("the package lists of %s for %s could not all be renewed: going on with those "+
				"that are there", r.Suite, arch)
		}
		var (
			entry, root string
			pkgs        []pkg
		)
		if entry, pkgs, err = pick(a); err != nil {
			continue
		}
		root, err = c.Entry(entry, func(tmp, final string) error {
			say("fetching %s", entry)
			if err := a.unpack(pkgs, tmp, only...); err != nil {
				return err
			}
			return finish(tmp, final)
		})
		if err == nil {
			return root, nil
		}
	}
	if warning != nil {
		err = fmt.Errorf("%w\nbefore that: %w", err, warning)
	}
	return "", err
}

var usrSrcRE = regexp.MustCompile(`\B/usr/src/`)

// rebase makes the header packages work where they were unpacked. They are
// meant for /usr/src and say so in one place, the generated Makefile:
//
//	KBUILD_OUTPUT=/usr/src/linux-headers-7.2.12+deb13-amd64		(some only)
//	include /usr/src/linux-headers-7.2.12+deb13-common/Makefile
//
// Their symbolic links are relative.
func rebase(root, final string) error {
	makefiles, err := filepath.Glob(filepath.Join(root, "usr/src/linux-headers-*/Makefile"))
	if err != nil {
		return err
	}
	for _, m := range makefiles {
		text, err := os.ReadFile(m)
		if err != nil {
			return err
		}
		moved := usrSrcRE.ReplaceAllLiteralString(string(text), final+"/usr/src/")
		if moved == string(text) {
			continue
		}
		if err := os.WriteFile(m, []byte(moved), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// openKernel finds the parts of an unpacked kernel below root.
func openKernel(root string) (*Kernel, error) {
	var (
		k   = Kernel{Root: root}
		err error
	)
	if k.Image, err = one(root, "boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz"); err != nil {
		return nil, err
	}
	if k.Modules, err = modulesIn(root); err != nil {
		return nil, err
	}
	if k.Busybox, err = one(root, "bin/busybox", "usr/bin/busybox"); err != nil {
		return nil, err
	}
	k.Release = filepath.Base(k.Modules)
	if k.Headers, err = one(root, "usr/src/linux-headers-"+k.Release); err != nil {
		return nil, err
	}
	_, k.Version, _ = strings.Cut(filepath.Base(root), "_")
	return &k, nil
}

// modulesIn returns the directory of the modules of the only kernel below root.
func modulesIn(root string) (string, error) {
	return one(root, "lib/modules/*", "usr/lib/modules/*")
}

// one returns the only path below root that matches the first pattern that matches any.
func one(root string, patterns ...string) (string, error) {
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(root, p))
		if err != nil {
			return "", err
		}
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return "", fmt.Errorf("%s: %q matches %d paths", root, p, len(found))
		}
	}
	return "", fmt.Errorf("%s: nothing matches %q", root, patterns)
}

var versionRE = regexp.MustCompile(`^(\d+)\.(\d+)`)

// AtLeast tells whether the kernel is version major.minor or later. What a
// scenario expects may depend on it; every such place cites the change.
func (k *Kernel) AtLeast(major, minor int) bool {
	m := versionRE.FindStringSubmatch(k.Release)
	if m == nil {
		return false
	}
	a, _ := strconv.Atoi(m[1])
	b, _ := strconv.Atoi(m[2])
	return a > major || a == major && b >= minor
}

// debugFiles are what the debug package is unpacked for: the kernel with its
// symbol table and DWARF and, until 6.12, the real System.map.
const debugFiles = "./usr/lib/debug/boot/*"

// FetchDebug returns the files of the kernel's debug package that know its
// symbols. The package is near a gigabyte, so nothing fetches it unasked.
func FetchDebug(c *Cache, k *Kernel, say func(format string, args ...any)) ([]string, error) {
	pick := func(a *apt) (string, []pkg, error) {
		p, err := a.show("linux-image-" + k.Release + "-dbg")
		if err == nil && p.Version != k.Version {
			err = fmt.Errorf("%s is there in version %s, the kernel is %s", p.Name, p.Version,
				k.Version)
		}
		return fmt.Sprintf("%s_%s", p.Name, p.Version), []pkg{p}, err
	}
	root, err := fetchPicked(c, k.release, "amd64", say, pick,
		func(string, string) error { return nil }, debugFiles)
	if err != nil {
		return nil, err
	}
	return filepath.Glob(filepath.Join(root, "usr/lib/debug/boot/*"))
}

// FetchScript returns the path of a program that needs no installing, from the
// package called name.
func FetchScript(c *Cache, r Release, name, path string, say func(string, ...any)) (string, error) {
	pick := func(a *apt) (string, []pkg, error) {
		p, err := a.show(name)
		return fmt.Sprintf("%s_%s", p.Name, p.Version), []pkg{p}, err
	}
	root, err := fetchPicked(c, r, "amd64", say, pick, func(string, string) error { return nil },
		"./"+path)
	if err != nil {
		return "", err
	}
	return one(root, path)
}
