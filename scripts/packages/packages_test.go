// SPDX-License-Identifier: GPL-2.0-or-later

// Package packages tests what make install and make packages make, by installing
// it, running it and taking it away again.
package packages

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/scripts/need"
)

const (
	top     = "../.."
	version = "1.2.3"
)

// tools ends the test if one of the programs is missing.
func tools(t *testing.T, names ...string) {
	t.Helper()
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	need.Tools(t, names...)
}

// output runs a command and returns what it prints, as long as it says that all is well.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s\n%s%s", name, strings.Join(args, " "), out, stderr.String())
	return string(out)
}

// makeIn runs make at the top, as if nothing above had called make.
func makeIn(args ...string) ([]byte, error) {
	cmd := exec.Command("make", append([]string{"--no-print-directory", "-C", top}, args...)...)
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKEOVERRIDES=", "MAKELEVEL=")
	return cmd.CombinedOutput()
}

// asRoot is the command run by root, if need be one of a namespace of its own.
func asRoot(args ...string) []string {
	if os.Geteuid() == 0 {
		return args
	}
	return append([]string{"unshare", "--user", "--map-root-user"}, args...)
}

var errNoPacker = errors.New("nfpm can't be had")

// packer asks the nfpm that the Makefile runs for its version.
var packer = sync.OnceValue(func() error {
	makefile, err := os.ReadFile(filepath.Join(top, "Makefile"))
	if err != nil {
		return err
	}
	m := regexp.MustCompile(`(?m)^NFPM .* run (\S+)$`).FindSubmatch(makefile)
	if m == nil {
		return errors.New("the Makefile does not say which nfpm")
	}
	if out, err := exec.Command("go", "run", string(m[1]),
		"--version").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %w\n%s", errNoPacker, err, out)
	}
	return nil
})

// build makes the packages for a machine and returns the directory they are in.
func build(arch string) (string, error) {
	if err := packer(); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(work, arch)
	if err != nil {
		return "", err
	}
	// A variable of another make must not get in.
	out, err := makeIn("packages", "builddir="+dir, "VERSION="+version, "GOARCH="+arch,
		"SOURCE_DATE_EPOCH=1500000000", "bindir=/elsewhere")
	if err != nil {
		return dir, fmt.Errorf("make packages: %w\n%s", err, out)
	}
	return filepath.Join(dir, "packages"), nil
}

var here = sync.OnceValues(func() (string, error) { return build(runtime.GOARCH) })

// work is where packages are made.
var work string

func TestMain(m *testing.M) {
	os.Setenv("KLP_CACHE", "off") // no indexes in the directory of who runs the tests
	var err error
	if work, err = os.MkdirTemp("", "klp-packages-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(work)
	os.Exit(status)
}

// packages returns the packages of this machine, by ending.
func packages(t *testing.T) map[string]string {
	t.Helper()
	tools(t, "make", "gzip")
	dir, err := here()
	if errors.Is(err, errNoPacker) {
		need.Skip(t, err.Error())
	}
	require.NoError(t, err)
	return inDirectory(t, dir)
}

func inDirectory(t *testing.T, dir string) map[string]string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, found, 2)
	byEnding := map[string]string{}
	for _, path := range found {
		byEnding[strings.TrimPrefix(filepath.Ext(path), ".")] = path
	}
	return byEnding
}

// files returns what is below a directory, and no directories.
func files(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, strings.TrimPrefix(path, dir))
		}
		return err
	})
	if !errors.Is(err, fs.ErrNotExist) { // dpkg takes empty directories away
		require.NoError(t, err)
	}
	return found
}

// use does with what was installed below root what people do with it.
func use(t *testing.T, root, zsh string) {
	t.Helper()
	tool := filepath.Join(root, "usr/bin/klp-convert")
	assert.Regexp(t,
		`^klp-convert `+regexp.QuoteMeta(version)+`\nbuilt with go\S+ for linux/`+runtime.GOARCH,
		output(t, tool, "--version"))

	sample, err := filepath.Abs(filepath.Join(top, "testdata/x86_64/livepatch-cmdline.ko"))
	require.NoError(t, err)
	out := filepath.Join(t.TempDir(), "out.ko")
	output(t, tool, sample, out)
	assert.Contains(t, output(t, tool, "inspect", out), "out.ko: x86_64, converted\n")

	tools(t, "man", "bash", "zsh", "fish")
	t.Setenv("LC_ALL", "C.UTF-8")
	for _, page := range []string{"klp-convert", "klp-convert-annotate", "klp-convert-cache",
		"klp-convert-check", "klp-convert-diff", "klp-convert-explain", "klp-convert-inspect", "klp-convert-new",
		"klp-convert-sympos"} {
		text := output(t, "man", "-M", filepath.Join(root, "usr/share/man"), page)
		assert.Contains(t, text, "\nNAME\n", page)
		assert.Contains(t, text, "\nklp-convert "+version+" ", page)
		for _, path := range regexp.MustCompile(`/usr/share/klp-convert/\S+\w`).FindAllString(text,
			-1) {
			assert.FileExists(t, filepath.Join(root, path), "%s names it", page)
		}
		for _, path := range regexp.MustCompile(`[\w-]+\.md`).FindAllString(text, -1) {
			assert.FileExists(t, filepath.Join(root, "usr/share/doc/klp-convert", path),
				"%s names it", page)
		}
	}
	for shell, path := range map[string]string{
		"bash": "bash-completion/completions/klp-convert", "zsh": zsh + "/_klp-convert",
		"fish": "fish/vendor_completions.d/klp-convert.fish",
	} {
		output(t, shell, "-n", filepath.Join(root, "usr/share", path))
	}
	for installed, from := range map[string]string{
		"klp-convert.mk":        "scripts/klp-convert.mk",
		"include/klp_convert.h": "scripts/include/klp_convert.h",
	} {
		want, err := os.ReadFile(filepath.Join(top, from))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(root, "usr/share/klp-convert", installed))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got))
	}
}

func TestDebInstallsRunsAndGoes(t *testing.T) {
	tools(t, "dpkg")
	deb := packages(t)["deb"]
	root := t.TempDir()
	for _, dir := range []string{"info", "updates", "triggers"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg", dir), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644))
	dpkg := func(args ...string) {
		t.Helper()
		line := asRoot(append([]string{"dpkg", "--root=" + root, "--log=/dev/null"}, args...)...)
		output(t, line[0], line[1:]...)
	}
	dpkg("--install", deb)
	use(t, root, "zsh/vendor-completions")
	assert.Contains(t, output(t, "dpkg-query", "--root="+root, "--status", "klp-convert"),
		"Status: install ok installed\n")
	assert.FileExists(t, filepath.Join(root, "usr/share/doc/klp-convert/copyright"))
	dpkg("--purge", "klp-convert")
	assert.Empty(t, files(t, filepath.Join(root, "usr")))
}

func TestRpmInstallsRunsAndGoes(t *testing.T) {
	tools(t, "rpm")
	file := packages(t)["rpm"]
	root := t.TempDir()
	rpm := func(args ...string) string {
		t.Helper()
		// Debian's rpm asks not to be used on Debian itself.
		line := asRoot(append([]string{"rpm", "--root", root, "--dbpath", "/var/lib/rpm",
			"--noplugins"}, args...)...)
		return output(t, line[0], line[1:]...)
	}
	rpm("--initdb")
	rpm("--install", "--nosignature", "--force-debian", file)
	use(t, root, "zsh/site-functions")
	assert.Equal(t, "klp-convert-1.2.3-1\n", rpm("--query", "--queryformat",
		"%{NAME}-%{VERSION}-%{RELEASE}\n", "klp-convert"))
	rpm("--verify", "klp-convert")
	assert.Contains(t, rpm("--query", "--licensefiles", "klp-convert"), "LICENSE")
	assert.Contains(t, rpm("--query", "--docfiles", "klp-convert"),
		"/usr/share/doc/klp-convert/README.md\n")
	rpm("--erase", "--force-debian", "klp-convert")
	assert.Empty(t, files(t, filepath.Join(root, "usr")))
}

func TestLintianHasNothingToSay(t *testing.T) {
	tools(t, "lintian")
	assert.Empty(t, output(t, "lintian", "--allow-root", "--fail-on", "error,warning",
		packages(t)["deb"]))
}

func TestPackagesAreReproducible(t *testing.T) {
	first := packages(t)
	dir, err := build(runtime.GOARCH)
	require.NoError(t, err)
	for ending, path := range inDirectory(t, dir) {
		a, err := os.ReadFile(first[ending])
		require.NoError(t, err)
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(a, b), "%s: %d and %d bytes", ending, len(a), len(b))
	}
}

// The pages and scripts are made here, the program for the other machine.
func TestPackagesForAnotherMachine(t *testing.T) {
	packages(t)
	tools(t, "dpkg-deb", "rpm")
	dir, err := build("s390x")
	require.NoError(t, err)
	other := inDirectory(t, dir)
	assert.Equal(t, "s390x\n", output(t, "dpkg-deb", "--field", other["deb"], "Architecture"))
	assert.Equal(t, "s390x", output(t, "rpm", "--query", "--package", "--nosignature",
		"--queryformat", "%{ARCH}", other["rpm"]))
	root := t.TempDir()
	output(t, "dpkg-deb", "--extract", other["deb"], root)
	f, err := elf.Open(filepath.Join(root, "usr/bin/klp-convert"))
	require.NoError(t, err)
	defer f.Close()
	assert.Equal(t, elf.EM_S390, f.Machine)
	assert.FileExists(t, filepath.Join(root, "usr/share/man/man1/klp-convert.1.gz"))
}

func TestVersionsThatPackagesCannotHave(t *testing.T) {
	tools(t, "make")
	for _, v := range []string{"1.2-3", "v1.2", "1.2 3"} {
		out, err := makeIn("packages", "builddir="+t.TempDir(), "VERSION="+v)
		assert.Error(t, err, v)
		assert.Contains(t, string(out), "want a digit", v)
	}
}

// GNU's variables lead where they say, and uninstall leaves nothing.
func TestInstallAndUninstall(t *testing.T) {
	tools(t, "make")
	root := t.TempDir()
	vars := []string{"builddir=" + t.TempDir(), "DESTDIR=" + root, "prefix=/opt/klp",
		"mandir=/opt/man", "zshcompletiondir=/opt/zsh", "VERSION=" + version}
	out, err := makeIn(append([]string{"install"}, vars...)...)
	require.NoError(t, err, "%s", out)
	want := []string{
		"/opt/klp/bin/klp-convert", "/opt/klp/share/klp-convert/klp-convert.mk",
		"/opt/klp/share/klp-convert/include/klp_convert.h",
		"/opt/klp/share/doc/klp-convert/README.md", "/opt/man/man1/klp-convert.1",
		"/opt/man/man1/klp-convert-sympos.1", "/opt/zsh/_klp-convert",
		"/opt/klp/share/bash-completion/completions/klp-convert",
		"/opt/klp/share/fish/vendor_completions.d/klp-convert.fish",
	}
	for _, directory := range []string{"kbuild", "dkms"} {
		if _, err := os.Stat(filepath.Join(top, "scripts", directory)); err == nil {
			for _, f := range files(t, filepath.Join(top, "scripts", directory)) {
				if !strings.HasSuffix(f, ".go") {
					want = append(want, "/opt/klp/share/klp-convert/"+directory+f)
				}
			}
		}
	}
	got := files(t, root)
	for _, path := range want {
		assert.Contains(t, got, path)
	}
	assert.False(t, slices.ContainsFunc(got, func(path string) bool {
		return strings.HasSuffix(path,
			".go")
	}))
	page, err := os.ReadFile(filepath.Join(root, "opt/man/man1/klp-convert.1"))
	require.NoError(t, err)
	assert.Contains(t, strings.ReplaceAll(string(page), `\-`, "-"),
		"/opt/klp/share/klp-convert/klp-convert.mk")

	// What the guide begins with, and how its readers get about.
	doc := filepath.Join(root, "opt/klp/share/doc/klp-convert")
	makefile, err := os.ReadFile(filepath.Join(doc, "samples/cmdline/Makefile"))
	require.NoError(t, err)
	assert.Contains(t, string(makefile), "\ninclude /opt/klp/share/klp-convert/klp-convert.mk\n")
	assert.FileExists(t, filepath.Join(doc, "samples/mailslot/Kbuild"))
	for _, name := range []string{"README.md", "CHANGELOG.md", "SECURITY.md", "guide.md",
		"install.md", "migrate.md", "tested.md"} {
		text, err := os.ReadFile(filepath.Join(doc, name))
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`\]\(([\w./-]+\.(?:md|c))`).FindAllStringSubmatch(string(text), -1) {
			if m[1] != "CONTRIBUTING.md" { // is for those who have the sources
				assert.FileExists(t, filepath.Join(doc, m[1]), name)
			}
		}
	}

	foreign := filepath.Join(root, "opt/klp/share/klp-convert/foreign")
	require.NoError(t, os.WriteFile(foreign, nil, 0o644))
	uninstall := append([]string{"uninstall"}, vars...)
	out, err = makeIn(uninstall...)
	require.NoError(t, err, "%s", out)
	assert.Equal(t, []string{"/opt/klp/share/klp-convert/foreign"}, files(t, root))
	require.NoError(t, os.Remove(foreign))
	out, err = makeIn(uninstall...)
	require.NoError(t, err, "%s", out)
	assert.NoDirExists(t, filepath.Join(root, "opt/klp/share/klp-convert"))
	assert.NoDirExists(t, filepath.Join(root, "opt/klp/share/doc/klp-convert"))
}

// As for root after "make build man": sudo finds no Go.
func TestInstallWithoutGo(t *testing.T) {
	tools(t, "make")
	root, builddir := t.TempDir(), t.TempDir()
	vars := []string{"builddir=" + builddir, "VERSION=" + version}
	install := append([]string{"install", "GO=no-such-go", "DESTDIR=" + root}, vars...)
	out, err := makeIn(install...)
	assert.Error(t, err)
	assert.Contains(t, string(out),
		`no-such-go does not run here, and `+builddir+` does not have all: "make build man" where it does`)
	assert.Empty(t, files(t, root))

	out, err = makeIn(append([]string{"build", "man"}, vars...)...)
	require.NoError(t, err, "%s", out)
	out, err = makeIn(install...)
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "no-such-go does not run here: installing what is in "+builddir)
	assert.Contains(t, output(t, filepath.Join(root, "usr/local/bin/klp-convert"), "--version"),
		version)
	assert.FileExists(t, filepath.Join(root, "usr/local/share/man/man1/klp-convert.1"))
}

// Such a path would be two, and uninstall would remove what is in the first.
func TestUninstallRefusesUnclearPaths(t *testing.T) {
	tools(t, "make")
	root := t.TempDir()
	kept := filepath.Join(root, "a/usr/local/bin/klp-convert")
	require.NoError(t, os.MkdirAll(filepath.Dir(kept), 0o755))
	require.NoError(t, os.WriteFile(kept, nil, 0o644))
	for _, goal := range []string{"install", "uninstall"} {
		out, err := makeIn(goal, "DESTDIR="+root+"/a b")
		assert.Error(t, err)
		assert.Contains(t, string(out), "give a path without a space")
		out, err = makeIn(goal, "DESTDIR="+root+"/a", "pkgdatadir=")
		assert.Error(t, err)
		assert.Contains(t, string(out), "pkgdatadir is empty")
	}
	assert.Equal(t, []string{"/a/usr/local/bin/klp-convert"}, files(t, root))
}
