// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// scripts/dkms is run with the dkms of the release that the kernel is from, 3.0.10
// or 3.2.2. For bullseye's kernel it is bookworm's: 2.8.4 runs "make mrproper" in
// the directory that --kernelsourcedir names. The others get a copy of the headers as
// well: what dkms does to them is not for the cache to bear.

// A dkmsRun is dkms with trees of its own.
type dkmsRun struct {
	t      *testing.T
	bench  *workbench
	script string
	header string // directory of the headers
	dir    string // tree, source, install, etc
	env    []string
}

func (w *workbench) dkms(t *testing.T) *dkmsRun {
	t.Helper()
	release := w.kernel.release.base()
	if release.Suite == "bullseye" {
		release = hostOf("bookworm")
	}
	script, err := FetchScript(w.cache, release, "dkms", "usr/sbin/dkms", func(string, ...any) {})
	if err != nil {
		need.Lab(t, "dkms is not available: "+err.Error())
	}
	headers := w.loneHeaders(t)
	top := filepath.Dir(filepath.Dir(filepath.Dir(headers))) // with the kernel, for klp-check.sh
	for _, name := range []string{"boot", "lib"} {
		require.NoError(t, os.Symlink(filepath.Join(w.kernel.Root, name), filepath.Join(top, name)))
	}
	d := &dkmsRun{t: t, bench: w, header: headers, dir: t.TempDir(), env: []string{
		"KLP_CONVERT=" + w.tool, "KLP_CONVERT_MK=" +
			filepath.Join(w.root, "scripts/klp-convert.mk"),
	}}
	// dkms has no option for its configuration, where the key is named.
	text, err := os.ReadFile(script)
	require.NoError(t, err)
	d.script = filepath.Join(d.dir, "dkms")
	require.NoError(t, os.WriteFile(d.script,
		[]byte(strings.ReplaceAll(string(text), "/etc/dkms", filepath.Join(d.dir, "etc"))), 0o755))
	for _, sub := range []string{"etc", "tree", "source", "install/" + w.kernel.Release} {
		require.NoError(t, os.MkdirAll(filepath.Join(d.dir, sub), 0o755))
	}
	key := signingKey(t)
	require.NoError(t, os.WriteFile(filepath.Join(d.dir, "etc/framework.conf"), []byte(
		"sign_file="+filepath.Join(headers, "scripts/sign-file")+
			"\nmok_signing_key="+key+"\nmok_certificate="+key+"\n"), 0o644))
	return d
}

// source lays out the recipe and the sample, with dkms.conf edited.
func (d *dkmsRun) source(from, into string) {
	d.t.Helper()
	to := filepath.Join(d.dir, "source/livepatch-cmdline-1.0")
	require.NoError(d.t, os.CopyFS(to, os.DirFS(filepath.Join(d.bench.root, "scripts/dkms"))))
	c, err := os.ReadFile(filepath.Join(d.bench.root,
		"testdata/samples/cmdline/livepatch-cmdline.c"))
	require.NoError(d.t, err)
	require.NoError(d.t, os.WriteFile(filepath.Join(to, "livepatch-cmdline.c"), c, 0o644))
	require.NoError(d.t, os.Chmod(filepath.Join(to, "klp-check.sh"), 0o755))
	conf, err := os.ReadFile(filepath.Join(to, "dkms.conf"))
	require.NoError(d.t, err)
	require.Contains(d.t, string(conf), from)
	require.NoError(d.t, os.WriteFile(filepath.Join(to, "dkms.conf"),
		[]byte(strings.Replace(string(conf), from, into, 1)), 0o644))
}

func (d *dkmsRun) run(action string) (string, error) {
	args := []string{d.script, action, "-m", "livepatch-cmdline", "-v", "1.0",
		"--dkmstree", filepath.Join(d.dir, "tree"), "--sourcetree", filepath.Join(d.dir, "source"),
		"--installtree", filepath.Join(d.dir, "install")}
	if action != "add" {
		args = append(args, "-k", d.bench.kernel.Release, "-a", "x86_64", "--kernelsourcedir",
			d.header, "--no-depmod")
	}
	cmd := d.bench.kernel.Command("bash", args...)
	cmd.Dir = d.dir
	cmd.Env = append(noMake(), d.env...)
	out, err := cmd.CombinedOutput()
	return string(out) + d.log(), err
}

// log returns what dkms has written beside its output.
func (d *dkmsRun) log() string {
	var all strings.Builder
	for _, pattern := range []string{"tree/livepatch-cmdline/1.0/*/x86_64/log/make.log",
		"tree/livepatch-cmdline/1.0/build/make.log"} {
		found, _ := filepath.Glob(filepath.Join(d.dir, pattern))
		for _, path := range found {
			text, _ := os.ReadFile(path)
			all.Write(text)
		}
	}
	return all.String()
}

func (d *dkmsRun) must(action string) string {
	d.t.Helper()
	out, err := d.run(action)
	require.NoError(d.t, err, "dkms %s:\n%s", action, out)
	return out
}

// modules returns what is called livepatch-cmdline.ko, packed or not, below a directory.
func (d *dkmsRun) modules(dir string) []string {
	d.t.Helper()
	var found []string
	require.NoError(d.t, filepath.WalkDir(filepath.Join(d.dir, dir),
		func(path string, _ os.DirEntry, err error) error {
			if strings.HasPrefix(filepath.Base(path), "livepatch-cmdline.ko") {
				found = append(found, path)
			}
			return err
		}))
	return found
}

func TestDKMS(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		d := w.dkms(t)
		d.source("1.0", "1.0")
		d.must("add")
		out := d.must("build")
		assert.Contains(t, out, "  KLP     livepatch-cmdline.ko\n")
		assert.Regexp(t, regexp.QuoteMeta(w.kernel.Release)+` +loads`, out, "by klp-check.sh")
		d.must("install")
		installed := d.modules("install")
		require.Len(t, installed, 1)
		assert.Equal(t, "lab", signer(t, installed[0]))
		s := w.scene(t)
		data, err := os.ReadFile(installed[0])
		require.NoError(t, err)
		s.file("livepatch-cmdline.ko", data)
		s.run(
			sh("load livepatch-cmdline.ko"),
			sh("settle livepatch_cmdline"),
			sh(cmdline, prints(Cmdline+" kernel.livepatch=1")),
		)
	})
}

// Why the recipe says STRIP[0]="no", and that what is no good is not installed.
func TestDKMSInstallsNothingUnconverted(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		d := w.dkms(t)
		d.source(`MAKE[0]="make KDIR=$kernel_source_dir"`,
			`MAKE[0]="make -C $kernel_source_dir M=$dkms_tree/livepatch-cmdline/1.0/build KBUILD_MODPOST_WARN=1"`)
		d.must("add")
		out, _ := d.run("build") // dkms 3.0.10 says that all is well
		assert.Contains(t, out, "not converted, or edited afterwards")
		out, err := d.run("install")
		assert.Error(t, err, "%s", out)
		assert.Empty(t, d.modules("install"))
	})
}

// A livepatch that uses exports only needs no conversion, and is no worse for that.
func TestDKMSLivepatchWithoutAnnotations(t *testing.T) {
	demandedKernels(t, func(t *testing.T, w *workbench) {
		d := w.dkms(t)
		d.source("1.0", "1.0")
		path := filepath.Join(d.dir, "source/livepatch-cmdline-1.0/livepatch-cmdline.c")
		c, err := os.ReadFile(path)
		require.NoError(t, err)
		text := regexp.MustCompile(`(?s)static KLP_MODULE_RELOC.*?};`).ReplaceAllString(string(c),
			"")
		require.NotEqual(t, string(c), text)
		require.Contains(t, text, "saved_command_line);")
		require.NoError(t, os.WriteFile(path,
			[]byte(strings.ReplaceAll(text, "saved_command_line);", `"");`)), 0o644))
		d.must("add")
		assert.NotContains(t, d.must("build"), "klp-check.sh:")
		assert.Len(t, d.modules("tree"), 1)
	})
}
