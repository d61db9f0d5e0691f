// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"crypto/sha256"
	"embed"
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
	arch    Arch
	tools   string // directory of the compilers' system (cross.go); "": this machine's
}

//go:embed tree.*.config
var treeConfigs embed.FS

// A treeKind is how the tree of a release is built. They differ, so that between
// them they see what kernels are built with.
type treeKind struct {
	apart  bool // with O=, or in the source tree itself
	config string
}

// sysctl is no choice any more in 7.3.
const sysctl = "CONFIG_PROC_SYSCTL=y\n"

// Without it a 7.x with MODVERSIONS writes no table of versions that it can read.
const basic = "CONFIG_BASIC_MODVERSIONS=y\n"

var treeKinds = map[string]treeKind{
	"5.10": {false, sysctl + "CONFIG_MODVERSIONS=y\nCONFIG_MODULE_COMPRESS=y\n" +
		"CONFIG_MODULE_COMPRESS_XZ=y\n"},
	"6.1": {true, sysctl + "CONFIG_MODVERSIONS=y\nCONFIG_MODULE_COMPRESS_XZ=y\n"},
	"6.12": {false, sysctl + "CONFIG_MODULE_COMPRESS=y\nCONFIG_MODULE_COMPRESS_ALL=y\n" +
		"CONFIG_MODULE_COMPRESS_ZSTD=y\n"},
	"7.x": {true, "CONFIG_MODVERSIONS=y\nCONFIG_EXTENDED_MODVERSIONS=y\n" +
		"CONFIG_MODULE_COMPRESS=y\nCONFIG_MODULE_COMPRESS_ALL=y\nCONFIG_MODULE_COMPRESS_ZSTD=y\n"},
	"s390x-6.12":      {false, sysctl},
	"ppc64le-6.12":    {false, sysctl},
	"arm64-7.x":       {false, basic},
	"loongarch64-7.x": {false, basic},
	"s390x-7.x":       {false, basic},
	"ppc64le-7.x":     {false, basic},
}

// sourceParts matches linux-source-6.1, which linux-source depends on.
var sourceParts = regexp.MustCompile(`^linux-source-[0-9]`)

// notUnpacked is most of the source: other architectures than the one whose source is in
// arch/dir, and what the configuration leaves out but for the Kconfig files, which are
// read all the same.
func notUnpacked(dir string) []string {
	other := "arch/[!" + dir[:1] + "]*/"
	list := []string{other + "*.[chS]", other + "*.dts*"}
	for _, beside := range besides[dir] {
		list = append(list, "arch/"+beside+"/*.[chS]")
	}
	return append(list, unneeded...)
}

// besides are the directories of arch that begin with the same letter as another.
var besides = map[string][]string{
	"s390":    {"sh", "sparc"},
	"powerpc": {"parisc"},
	"arm64":   {"alpha", "arc"}, // not arm, whose files arm64 shares
}

var unneeded = []string{
	"Documentation/[!K]*", "tools/testing/*", "sound/*.[chS]", "net/*.[chS]",
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

// installTree lays out what an installed kernel has: KLP_LAB_ROOT takes the same
// (root.go).
const installTree = `set -e
release=$(make -s $1 kernelrelease)
make -s $1 INSTALL_MOD_PATH="$2" modules_install
mkdir -p "$2/boot"
cp "$3" "$2/boot/vmlinuz-$release"
cp System.map "$2/boot/System.map-$release"
cp .config "$2/boot/config-$release"
ln -sfn ../../../../linux "$2/lib/modules/$release/build"`

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
	tree := &Tree{place: c.treePlace(), apart: kind.apart, arch: r.arch()}
	config := ""
	for _, part := range []string{"common", tree.arch.Name} {
		text, err := treeConfigs.ReadFile("tree." + part + ".config")
		if err != nil {
			return nil, err
		}
		config += string(text)
	}
	config += kind.config
	recipe := config + buildTree + strings.Join(notUnpacked(tree.arch.dir), " ") +
		fmt.Sprint(kind.apart)
	if r.Arch != "" {
		var err error
		if tree.tools, err = fetchCrossTools(c, r, say); err != nil {
			return nil, err
		}
		recipe += installTree + crossCompiler(tree.tools)
	}
	hash := sha256.Sum256([]byte(recipe))
	if err := os.MkdirAll(tree.place, 0o755); err != nil {
		return nil, err
	}
	source, err := fetchSource(c, r, say)
	if err != nil {
		return nil, err
	}
	name := filepath.Base(source)
	_, tree.Version, _ = strings.Cut(name, "_")
	// The package lists are free for others while this one builds.
	entry := fmt.Sprintf("%s_tree_%x", name, hash[:4])
	if r.Arch != "" {
		entry = fmt.Sprintf("%s_tree_%s_%x", name, r.Arch, hash[:4])
	}
	tree.Dir, err = c.Entry(entry, func(tmp, final string) error {
		say("building a kernel from %s for %s; the log is %s.log", name, tree.arch.Name, final)
		made := *tree
		made.Dir = tmp
		return made.build(source, config, final+".log")
	})
	return tree, err
}

// fetchSource returns the directory of the unpacked package with the source of a release's kernel.
func fetchSource(c *Cache, r Release, say func(format string, args ...any)) (string, error) {
	pick := func(a *apt) (string, []pkg, error) {
		pkgs, err := a.closure(sourceParts, "linux-source")
		if err != nil {
			return "", nil, err
		}
		p := pkgs[len(pkgs)-1]
		return fmt.Sprintf("%s_%s", p.Name, p.Version), []pkg{p}, nil
	}
	return fetchPicked(c, r.debian(), "amd64", say, pick, func(string, string) error { return nil },
		sourceArchive)
}

// ExtractSource extracts a directory of the source of a release's kernel, such as fs/fat, without
// those below it, into the directory to.
func ExtractSource(c *Cache, r Release, dir, to string,
	say func(format string, args ...any),
) error {
	source, err := fetchSource(c, r, say)
	if err != nil {
		return err
	}
	archive, err := one(source, sourceArchive)
	if err != nil {
		return err
	}
	top := strings.TrimSuffix(filepath.Base(archive), ".tar.xz")
	_, err = run(exec.Command("tar", "-xf", archive, "-C", to, "--wildcards",
		"--no-wildcards-match-slash", fmt.Sprintf("--strip-components=%d", 2+strings.Count(dir, "/")),
		top+"/"+dir+"/*"))
	return err
}

// sourceArchive is all that a source package is unpacked for.
const sourceArchive = "./usr/src/linux-source-*.tar.xz"

// treePlace is where programs see the tree that they work in.
func (c *Cache) treePlace() string { return filepath.Join(c.Dir, "tree") }

// build unpacks the archive of the source package into the tree's directory and builds
// the kernel. What make prints goes to the file log, and its last lines into the error.
func (t *Tree) build(source, config, log string) error {
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
	for _, p := range notUnpacked(t.arch.dir) {
		args = append(args, "--exclude="+top+"/"+p)
	}
	if _, err := run(exec.Command("tar", args...)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(t.Dir, "config"), []byte(config), 0o644); err != nil {
		return err
	}
	flags := strings.Join(t.flags(), " ")
	cmd := t.Command("nice", "sh", "-c", buildTree, "sh", flags,
		filepath.Join(t.place, "config"), t.Place(".config"))
	if err := logged(cmd, log); err != nil {
		return err
	}
	if t.tools != "" {
		cmd := t.Command("sh", "-c", installTree, "sh", flags, filepath.Join(t.place, "root"),
			t.Place(t.arch.image))
		if err := logged(cmd, log); err != nil {
			return err
		}
	}
	_, err = os.Stat(t.Image())
	return err
}

// logged runs the command with its output at the end of the file log.
func logged(cmd *exec.Cmd, log string) error {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(log)
		return fmt.Errorf("%s: %w: the end of %s:\n%s", filepath.Base(cmd.Path), err, log,
			tail(string(text), 30))
	}
	return nil
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
func (t *Tree) Image() string { return t.Built(t.arch.image) }

// Place is where Built's file is for a program that runs by Command.
func (t *Tree) Place(name string) string {
	rel, _ := filepath.Rel(t.Dir, t.Built(name))
	return filepath.Join(t.place, rel)
}

// flags are make's arguments that say where to build, and for what machine.
func (t *Tree) flags() []string {
	var list []string
	if t.apart {
		list = append(list, "O="+filepath.Join(t.place, "build"))
	}
	if t.tools != "" {
		list = append(list, "ARCH="+t.arch.Kbuild, "CROSS_COMPILE="+t.arch.Triplet+"-")
	}
	return list
}

// Command is a program that works in the source tree, with this machine's tools or
// those of the cross compilers' system.
func (t *Tree) Command(name string, args ...string) *exec.Cmd {
	const script = `set -e
mount --bind "$1" "$2"
cd "$2/linux"
tools=$3
shift 3
if [ -n "$tools" ]; then
	mount --rbind "$tools/usr" /usr
	mount --bind /dev/null /etc/ld.so.cache 2>/dev/null || true
	PATH=${KLP_LAB_PATH:+$KLP_LAB_PATH:}/usr/sbin:/usr/bin
fi
exec "$@"`
	flags := append(unshareFlags(), "sh", "-c", script, "sh", t.Dir, t.place, t.tools, name)
	cmd := exec.Command("unshare", append(flags, args...)...)
	// depmod is in sbin. A make or go test above this one must not hand down its flags.
	cmd.Env = noMake("PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin")
	return cmd
}

// Make is make in the source tree.
func (t *Tree) Make(args ...string) *exec.Cmd {
	return t.Command("make", append(append(t.flags(), "-j2"), args...)...)
}
