// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// A distribution's kernel package has no source tree, and its modules are signed
// with a key that no one else has. So for the hook into Kbuild
// (scripts/kbuild) the lab builds a kernel of its own, from the source package of
// the release, small but with livepatching and with a signing key of its own.
//
// That is done once, without the hook: it is what takes minutes. A test takes a
// copy, hooks that, and builds the modules. A build knows itself by the paths that
// it was made with; so each program that works in a tree or in a copy of it sees
// it in the same place (Cache.treePlace), by a mount of its own, like those of
// tools.go.

// A Tree is a kernel's source tree and what was built in it.
type Tree struct {
	Dir     string // linux/ and, if built apart, build/
	Version string // of the source package
	place   string // where the tree is for the programs that work in it
	apart   bool   // built with O=
}

//go:embed tree.config
var treeConfig string

// A treeKind is how the tree of a release is built. They differ, so that between
// them they see what kernels are built with.
type treeKind struct {
	apart  bool // with O=, or in the source tree itself
	config string
}

// sysctl is no choice any more in 7.3.
const sysctl = "CONFIG_PROC_SYSCTL=y\n"

var treeKinds = map[string]treeKind{
	"5.10": {false, sysctl + "CONFIG_MODVERSIONS=y\nCONFIG_MODULE_COMPRESS=y\n" +
		"CONFIG_MODULE_COMPRESS_XZ=y\n"},
	"6.1": {true, sysctl + "CONFIG_MODVERSIONS=y\nCONFIG_MODULE_COMPRESS_XZ=y\n"},
	"6.12": {false, sysctl + "CONFIG_MODULE_COMPRESS=y\nCONFIG_MODULE_COMPRESS_ALL=y\n" +
		"CONFIG_MODULE_COMPRESS_ZSTD=y\n"},
	"7.x": {true, "CONFIG_MODVERSIONS=y\nCONFIG_EXTENDED_MODVERSIONS=y\n" +
		"CONFIG_MODULE_COMPRESS=y\nCONFIG_MODULE_COMPRESS_ALL=y\nCONFIG_MODULE_COMPRESS_ZSTD=y\n"},
}

// sourceParts matches linux-source-6.1, which linux-source depends on.
var sourceParts = regexp.MustCompile(`^linux-source-[0-9]`)

// notUnpacked is most of the source: other architectures, and what the
// configuration leaves out but for the Kconfig files, which are read all the same.
var notUnpacked = []string{
	"arch/[!x]*/*.[chS]", "arch/[!x]*/*.dts*", "Documentation/[!K]*", "tools/testing/*",
	"sound/*.[chS]", "net/*.[chS]",
	"drivers/gpu/*.[chS]", "drivers/net/*.[chS]", "drivers/media/*.[chS]",
	"drivers/staging/*.[chS]",
	"drivers/infiniband/*.[chS]", "drivers/scsi/*.[chS]", "drivers/iio/*.[chS]",
	"drivers/usb/*.[chS]",
}

// What the configuration has to be is looked at before the minutes that follow.
const buildTree = `set -e
make -s $1 KCONFIG_ALLCONFIG="$2" allnoconfig
grep '^CONFIG_' "$2" | while read -r line; do
	grep -qxF "$line" "$3" || { echo "the configuration came out without $line" >&2; exit 1; }
done
make -s $1 -j2`

// FetchTree returns the tree of a release's kernel, built: from the cache, or made
// in some minutes.
func FetchTree(c *Cache, r Release, say func(format string, args ...any)) (*Tree, error) {
	kind, ok := treeKinds[r.Series]
	if !ok {
		return nil, fmt.Errorf("no tree of kernel %v: the lab has not learnt to build one", r)
	}
	if err := namespaces(); err != nil {
		return nil, err
	}
	config := treeConfig + kind.config
	recipe := sha256.Sum256([]byte(config + buildTree + strings.Join(notUnpacked, " ") +
		fmt.Sprint(kind.apart)))
	tree := &Tree{place: c.treePlace(), apart: kind.apart}
	if err := os.MkdirAll(tree.place, 0o755); err != nil {
		return nil, err
	}
	pick := func(a *apt) (string, []pkg, error) {
		pkgs, err := a.closure(sourceParts, "linux-source")
		if err != nil {
			return "", nil, err
		}
		p := pkgs[len(pkgs)-1]
		return fmt.Sprintf("%s_%s", p.Name, p.Version), []pkg{p}, nil
	}
	source, err := fetchPicked(c, r, "amd64", say, pick, func(string, string) error { return nil },
		sourceArchive)
	if err != nil {
		return nil, err
	}
	name := filepath.Base(source)
	_, tree.Version, _ = strings.Cut(name, "_")
	// The package lists are free for others while this one builds.
	tree.Dir, err = c.Entry(fmt.Sprintf("%s_tree_%x", name, recipe[:4]), func(tmp, _ string) error {
		say("building a kernel from %s", name)
		made := *tree
		made.Dir = tmp
		return made.build(source, config)
	})
	return tree, err
}

// sourceArchive is all that a source package is unpacked for.
const sourceArchive = "./usr/src/linux-source-*.tar.xz"

// treePlace is where programs see the tree that they work in.
func (c *Cache) treePlace() string { return filepath.Join(c.Dir, "tree") }

// build unpacks the archive of the source package into the tree's directory and builds
// the kernel.
func (t *Tree) build(source, config string) error {
	archive, err := one(source, sourceArchive)
	if err != nil {
		return err
	}
	for _, dir := range []string{"linux", "build"} {
		if err := os.Mkdir(filepath.Join(t.Dir, dir), 0o755); err != nil {
			return err
		}
	}
	args := []string{"-xf", archive, "-C", filepath.Join(t.Dir, "linux"), "--strip-components=1",
		"--anchored", "--wildcards", "--wildcards-match-slash"}
	top := strings.TrimSuffix(filepath.Base(archive), ".tar.xz")
	for _, p := range notUnpacked {
		args = append(args, "--exclude="+top+"/"+p)
	}
	if _, err := run(exec.Command("tar", args...)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(t.Dir, "config"), []byte(config), 0o644); err != nil {
		return err
	}
	cmd := t.Command("nice", "sh", "-c", buildTree, "sh", strings.Join(t.output(), " "),
		filepath.Join(t.place, "config"), t.Built(".config"))
	if _, err := run(cmd); err != nil {
		return err
	}
	_, err = os.Stat(t.Image())
	return err
}

// Copy returns a copy of the tree in the directory dir, to be changed at will.
func (t *Tree) Copy(dir string) (*Tree, error) {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	made := *t
	made.Dir = dir
	_, err := run(exec.Command("cp", "-a", "--reflink=auto", t.Dir+"/.", dir))
	return &made, err
}

// Source returns the path of a file of the source tree.
func (t *Tree) Source(name string) string { return filepath.Join(t.Dir, "linux", name) }

// Built returns the path of a file that was built.
func (t *Tree) Built(name string) string {
	if t.apart {
		return filepath.Join(t.Dir, "build", name)
	}
	return t.Source(name)
}

// Image is the path of the kernel that was built.
func (t *Tree) Image() string { return t.Built("arch/x86/boot/bzImage") }

// Place is where Built's file is for a program that runs by Command.
func (t *Tree) Place(name string) string {
	rel, _ := filepath.Rel(t.Dir, t.Built(name))
	return filepath.Join(t.place, rel)
}

// output are make's arguments that say where to build.
func (t *Tree) output() []string {
	if t.apart {
		return []string{"O=" + filepath.Join(t.place, "build")}
	}
	return nil
}

// Command is a program that works in the source tree.
func (t *Tree) Command(name string, args ...string) *exec.Cmd {
	const script = `set -e
mount --bind "$1" "$2"
cd "$2/linux"
shift 2
exec "$@"`
	flags := append(unshareFlags(), "sh", "-c", script, "sh", t.Dir, t.place, name)
	cmd := exec.Command("unshare", append(flags, args...)...)
	// depmod is in sbin. A make or go test above this one must not hand down its flags.
	cmd.Env = noMake("PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin")
	return cmd
}

// Make is make in the source tree.
func (t *Tree) Make(args ...string) *exec.Cmd {
	return t.Command("make", append(append(t.output(), "-j2"), args...)...)
}
