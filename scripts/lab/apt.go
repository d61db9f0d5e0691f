// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/exp/slices"
)

// apt asks Debian's package manager where packages are, and downloads them,
// without touching the machine: lists and archives live in dir, the database of
// installed packages is an empty file, so neither root nor an earlier
// "apt-get update" is needed. Keys and proxies are the machine's own, and so are
// the sources, or what sources.go makes of them for another release.
type apt struct {
	dir     string // one per architecture: a broken foreign mirror cannot disturb the native one
	arch    string // Debian's name: amd64, s390x, ppc64el
	release Release
}

// A pkg is one package in the version that apt would install.
type pkg struct {
	Name, Version, Arch string
	Depends             []string // names, the first where there are alternatives
}

// listsAge is how long the package lists are used without asking the mirror.
const listsAge = 24 * time.Hour

func openApt(c *Cache, r Release, arch string) (*apt, error) {
	a := &apt{dir: filepath.Join(c.Dir, "apt-"+arch), arch: arch, release: r}
	if a.foreign() {
		a.dir = filepath.Join(c.Dir, "apt-"+r.Suite+"-"+arch)
	}
	for _, d := range []string{"state/lists/partial", "cache/archives/partial", "sources"} {
		if err := os.MkdirAll(filepath.Join(a.dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(a.dir, "status"), nil, 0o644); err != nil {
		return nil, err
	}
	return a, a.sources()
}

// foreign tells whether the packages are of another release than the machine's.
func (a *apt) foreign() bool { return a.release != Host() }

// sources links those of the machine's source lists that are Debian's own, or
// writes those of another release. The machine's other lists are of no use here
// and often do not carry foreign architectures.
func (a *apt) sources() error {
	if a.foreign() {
		text, err := sourcesFor(a.release, machineOrigins(), codename())
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(a.dir, "sources", "release.sources"), []byte(text), 0o644)
	}
	const debian = "/etc/apt/sources.list.d/debian.sources"
	link := filepath.Join(a.dir, "sources", "debian.sources")
	if _, err := os.Stat(debian); err != nil {
		return nil
	}
	err := os.Symlink(debian, link)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

// command is tool (apt-get, apt-cache) inside the private state directory.
func (a *apt) command(tool string, args ...string) *exec.Cmd {
	at := func(p string) string { return filepath.Join(a.dir, p) }
	opts := []string{
		"-o", "Dir::State=" + at("state"),
		"-o", "Dir::State::status=" + at("status"),
		"-o", "Dir::Cache=" + at("cache"),
		// Container images switch these off, and every look-up then reads all lists again.
		"-o", "Dir::Cache::pkgcache=pkgcache.bin",
		"-o", "Dir::Cache::srcpkgcache=srcpkgcache.bin",
		"-o", "APT::Architecture=amd64",
		"-o", "APT::Architectures::=" + a.arch,
		"-o", "Acquire::Languages=none",
		"-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
		// apt as root drops to _apt, which may not enter the cache directory.
		"-o", "APT::Sandbox::User=",
	}
	if a.foreign() {
		opts = append(opts,
			"-o", "Dir::Etc::sourcelist=/dev/null",
			"-o", "Dir::Etc::sourceparts="+at("sources"),
			// A release out of support is not signed again every week.
			"-o", "Acquire::Check-Valid-Until=false",
		)
		if a.release != a.release.base() {
			// Backports have a low priority, to be taken on demand only. Security
			// updates have that of the release, and would lose to it if it had more.
			opts = append(opts, "-o", "APT::Default-Release="+a.release.Suite)
		}
	} else if _, err := os.Lstat(at("sources/debian.sources")); err == nil {
		opts = append(opts, "-o", "Dir::Etc::sourceparts="+at("sources"))
	}
	cmd := exec.Command(tool, append(opts, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
	return cmd
}

// update renews the package lists when they are old, or in any case with force.
// A mirror that is out of reach or half synchronised is no error while older
// lists, or the lists that did arrive, know the package that is wanted: show
// has the last word on that. What went wrong is returned for its message.
func (a *apt) update(force bool) (warning error) {
	stamp := filepath.Join(a.dir, "updated")
	if fi, err := os.Stat(stamp); err == nil && !force && time.Since(fi.ModTime()) < listsAge {
		return nil
	}
	// Without --error-on=any apt-get exits 0 when the mirror is not reachable.
	if _, err := run(a.command("apt-get", "update", "-q", "--error-on=any")); err != nil {
		return err
	}
	return os.WriteFile(stamp, nil, 0o644)
}

// show returns the candidate version of the package called name.
func (a *apt) show(name string) (pkg, error) {
	full := name
	if !strings.Contains(name, ":") && a.arch != "amd64" {
		full = name + ":" + a.arch
	}
	out, err := run(a.command("apt-cache", "show", "--no-all-versions", full))
	if err != nil {
		return pkg{}, fmt.Errorf("no package %q for %s: %w", name, a.arch, err)
	}
	return parseStanza(out), nil
}

var depRE = regexp.MustCompile(`^[a-z0-9][a-z0-9.+-]*`)

// parseStanza reads the first stanza of the output of "apt-cache show".
func parseStanza(text string) pkg {
	var p pkg
	stanza, _, _ := strings.Cut(text, "\n\n")
	for _, line := range strings.Split(stanza, "\n") {
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "Package":
			p.Name = value
		case "Version":
			p.Version = value
		case "Architecture":
			p.Arch = value
		case "Depends":
			// "a (= 1) | a-unsigned (= 1)": a kernel and the same kernel again.
			for _, d := range strings.Split(value, ",") {
				if name := depRE.FindString(strings.TrimSpace(d)); name != "" {
					p.Depends = append(p.Depends, name)
				}
			}
		}
	}
	return p
}

// closure returns the packages called roots and those they depend on, directly
// or not, whose name matches follow, in the order they are found.
func (a *apt) closure(follow *regexp.Regexp, roots ...string) ([]pkg, error) {
	var (
		found []pkg
		seen  []string
	)
	for todo := slices.Clone(roots); len(todo) > 0; todo = todo[1:] {
		if slices.Contains(seen, todo[0]) {
			continue
		}
		seen = append(seen, todo[0])
		p, err := a.show(todo[0])
		if err != nil {
			return nil, err
		}
		found = append(found, p)
		for _, d := range p.Depends {
			if follow.MatchString(d) {
				todo = append(todo, d)
			}
		}
	}
	return found, nil
}

// mergedUsr are the links of a system whose programs are all in /usr, as Debian
// has it. Packages of some releases still have files on both sides of them.
var mergedUsr = []string{"bin", "lib", "lib64", "sbin"}

// unpack downloads the packages and unpacks them, one over the other, into root.
// The archives go into a directory beside it and are removed. With patterns, only
// files that match one are unpacked.
func (a *apt) unpack(pkgs []pkg, root string, only ...string) error {
	debs := root + ".debs"
	if err := os.MkdirAll(debs, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(debs)
	args := []string{"download", "-q"}
	for _, p := range pkgs {
		name := p.Name
		if p.Arch != "all" {
			name += ":" + p.Arch
		}
		args = append(args, name+"="+p.Version)
	}
	cmd := a.command("apt-get", args...)
	cmd.Dir = debs
	if _, err := run(cmd); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return err
	}
	if len(files) != len(pkgs) {
		return fmt.Errorf("apt-get download brought %d of %d packages", len(files), len(pkgs))
	}
	for _, name := range mergedUsr {
		if err := os.MkdirAll(filepath.Join(root, "usr", name), 0o755); err != nil {
			return err
		}
		if err := os.Symlink("usr/"+name, filepath.Join(root, name)); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := unpackArchive(f, root, only); err != nil {
			return err
		}
	}
	return nil
}

// unpackArchive is "dpkg-deb -x" that follows links to directories: what a
// package has in /lib lands in /usr/lib.
func unpackArchive(deb, root string, only []string) error {
	const script = `set -o pipefail
deb=$1 root=$2
shift 2
dpkg-deb --fsys-tarfile "$deb" | tar -x -f - -C "$root" --keep-directory-symlink --wildcards "$@"`
	_, err := run(exec.Command("bash", append([]string{"-c", script, "unpack", deb, root},
		only...)...))
	return err
}

// planRE matches what "apt-get -s" prints of a package that it would install:
//
//	Inst gcc-14 (14.2.0-19 Debian:13.7/stable [amd64])
var planRE = regexp.MustCompile(`(?m)^Inst (\S+) \((\S+) .*\[(\w+)\]\)`)

// plan returns all packages that make up a system with the packages called names.
func (a *apt) plan(names ...string) ([]pkg, error) {
	args := append([]string{"-s", "-q", "--no-install-recommends", "install"}, names...)
	out, err := run(a.command("apt-get", args...))
	if err != nil {
		return nil, err
	}
	return parsePlan(out), nil
}

func parsePlan(text string) []pkg {
	var all []pkg
	for _, m := range planRE.FindAllStringSubmatch(text, -1) {
		all = append(all, pkg{Name: m[1], Version: m[2], Arch: m[3]})
	}
	return all
}

// run returns what the command prints on stdout; its error ends with the last
// lines of stderr, where tools say why.
func run(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err,
			tail(stderr.String(), 20))
	}
	return stdout.String(), nil
}

// tail returns the last n lines of s.
func tail(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "\n")
}
