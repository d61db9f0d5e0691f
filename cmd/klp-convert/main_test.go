// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
	"github.com/klp-convert/klp-convert/scripts/need"
	"github.com/klp-convert/klp-convert/sympos/index"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts' goldens")

func TestMain(m *testing.M) {
	// No test writes into the indexes of who runs it, and none reads them. The command of the
	// scripts has its own environment.
	given, set := os.LookupEnv(index.Variable)
	os.Setenv(index.Variable, "off")
	testscript.Main(m, map[string]func(){"klp-convert": func() {
		os.Unsetenv(index.Variable)
		if set {
			os.Setenv(index.Variable, given)
		}
		if os.Getenv(indexAll) != "" {
			prepareIndex = indexAnything
		}
		main()
	}})
}

// TestScripts runs testdata/script/*.txtar, one behaviour each; $MODULES is the
// repository's testdata.
func TestScripts(t *testing.T) {
	testscript.Run(t, scripts(t, index.Variable+"=off"))
}

// scripts returns how to run all scripts with this environment.
func scripts(t *testing.T, vars ...string) testscript.Params {
	t.Helper()
	modules, err := filepath.Abs("../../testdata")
	require.NoError(t, err)
	// The lines for CI of docs/check.md, as $CI_LINES.
	_, text, ok := strings.Cut(string(read(t, "../../docs/check.md")), "<!-- ci -->\n```sh\n")
	require.True(t, ok)
	text, _, ok = strings.Cut(text, "```\n")
	require.True(t, ok)
	lines := filepath.Join(t.TempDir(), "ci.sh")
	require.NoError(t, os.WriteFile(lines, []byte(text), 0o644))
	return testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"vmlinux":   vmlinuxCommand,
			"livepatch": livepatchCommand,
		},
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, vars...)
			env.Setenv("MODULES", modules)
			env.Setenv("CI_LINES", lines)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Geteuid() == 0, nil
		},
	}
}

// klpConvert runs the command in this process.
func klpConvert(args ...string) (status int, stdout, stderr string) {
	var o, e bytes.Buffer
	status = run(args, strings.NewReader(""), &o, &e)
	return status, o.String(), e.String()
}

func fixtures(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/" + pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files, pattern)
	return files
}

// Each mistake is refused with lines in the one form that there is, an id that
// docs/errors.md explains, status 1 and nothing written.
func TestBadModulesAreRefusedInWholeLines(t *testing.T) {
	docs, err := os.ReadFile("../../docs/errors.md")
	require.NoError(t, err)
	line := regexp.MustCompile(`^\S+\.ko: (error|warning): klp-convert: .+ \[(KLP\d{3})\]$`)
	for _, file := range fixtures(t, "bad/*.ko") {
		dir := t.TempDir()
		status, stdout, stderr := klpConvert(file, filepath.Join(dir, "out.ko"))
		assert.Equal(t, exitFound, status, file)
		assert.Empty(t, stdout, file)
		count := 0
		for _, l := range strings.Split(strings.TrimSuffix(stderr, "\n"), "\n") {
			if strings.HasPrefix(l, "    ") {
				continue
			}
			m := line.FindStringSubmatch(l)
			require.NotNil(t, m, "%s: %q", file, l)
			assert.Contains(t, string(docs), "## "+m[2], l)
			if m[1] == "error" {
				count++
			}
		}
		assert.Positive(t, count, file)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, left, file)
	}
}

// Converting the result changes nothing, and the same input gives the same
// bytes under any name.
func TestConversionIsIdempotentAndReproducible(t *testing.T) {
	files := append(fixtures(t, "odd/*.ko"), fixtures(t, "[a-np-z]*[0-9el]/*.ko")...)
	for _, file := range files {
		dir := t.TempDir()
		a, b := filepath.Join(dir, "a.ko"), filepath.Join(dir, "b.ko")
		c := filepath.Join(dir, "sub.ko")
		status, _, stderr := klpConvert("-q", file, a)
		require.Equal(t, exitDone, status, stderr)
		for in, out := range map[string]string{file: b, a: c} {
			status, _, stderr = klpConvert("-q", in, out)
			require.Equal(t, exitDone, status, stderr)
			assert.Equal(t, read(t, a), read(t, out), "%s from %s", file, in)
		}
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return b
}

// The judges that everybody has find nothing to complain about.
func TestReadelfAndModinfoReadConvertedModules(t *testing.T) {
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin") // modinfo
	need.Tools(t, "readelf", "modinfo")
	for _, file := range append(fixtures(t, "odd/*.ko"), fixtures(t, "x86_64/*.ko")...) {
		out := filepath.Join(t.TempDir(), "out.ko")
		status, _, stderr := klpConvert("-q", file, out)
		require.Equal(t, exitDone, status, stderr)
		for _, args := range [][]string{{"readelf", "-aW", out}, {"modinfo", out}} {
			cmd := exec.Command(args[0], args[1:]...)
			var complaints bytes.Buffer
			cmd.Stderr = &complaints
			assert.NoError(t, cmd.Run(), "%v of %s", args, file)
			assert.Empty(t, complaints.String(), "%v of %s", args, file)
		}
	}
}

// elflint knows nothing of livepatching: two things it has to say of klp
// relocations, and nothing else that it did not say before.
func TestElflintComplainsOfNothingButKlp(t *testing.T) {
	need.Tools(t, "eu-elflint")
	klp := regexp.MustCompile(`symbol \d+ \(\.klp\.sym\..*\): invalid section index$|` +
		`section \[ *\d+\] '\.klp\.rela\..*' contains unknown flag\(s\) 0x100000$`)
	number := regexp.MustCompile(`\[ *\d+\]|symbol \d+ |relocation \d+`)
	lint := func(file string) (lines []string) {
		// The exit status counts complaints.
		out, _ := exec.Command("eu-elflint", "--gnu-ld", file).CombinedOutput()
		for _, l := range strings.Split(string(out), "\n") {
			if !klp.MatchString(l) && l != "No errors" && l != "" {
				lines = append(lines, number.ReplaceAllString(l, "#"))
			}
		}
		slices.Sort(lines)
		return lines
	}
	for _, file := range append(fixtures(t, "odd/*.ko"), fixtures(t, "x86_64/*.ko")...) {
		out := filepath.Join(t.TempDir(), "out.ko")
		status, _, stderr := klpConvert("-q", file, out)
		require.Equal(t, exitDone, status, stderr)
		before := lint(file)
		for _, l := range lint(out) {
			assert.Contains(t, before, l, file)
		}
	}
}

// A signal leaves neither the output nor a temporary file.
func TestSignalLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("klp-convert", "-", filepath.Join(dir, "out.ko"))
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	// More than a pipe holds, so that the command runs when all is written,
	// and not all of the module, so that it waits for more.
	b := read(t, "../../testdata/x86_64/livepatch-cmdline.ko")
	_, err = stdin.Write(b[:len(b)-1])
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	assert.Error(t, cmd.Wait())
	assert.Equal(t, 128+int(syscall.SIGTERM), cmd.ProcessState.ExitCode())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// A temporary file that exists when the signal comes is removed too.
func TestRemoveTempsRemovesFilesInTheMaking(t *testing.T) {
	dir := t.TempDir()
	o, err := create(filepath.Join(dir, "out.ko"), nil)
	require.NoError(t, err)
	left, _ := os.ReadDir(dir)
	require.Len(t, left, 1)
	temps.remove()
	left, _ = os.ReadDir(dir)
	assert.Empty(t, left)
	o.discard()
}

// However the output is written, it is proven before it gets its name.
func TestWhatIsNotProvenIsNotWritten(t *testing.T) {
	was := prove
	defer func() { prove = was }()
	prove = func(before, after *elfrw.File, _ proof.Claims, _ func([]byte)) error {
		assert.NotEmpty(t, before.Sections)
		assert.NotNil(t, after.Section(".klp.rela.vmlinux..text"),
			"the finished file is asked about")
		return errors.New("two and two is five")
	}
	for _, out := range []string{"out.ko", "out.ko.xz", "-"} {
		dir := t.TempDir()
		if out != "-" {
			out = filepath.Join(dir, out)
		}
		status, stdout, stderr := klpConvert("../../testdata/x86_64/livepatch-cmdline.ko", out)
		assert.Equal(t, exitFound, status)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, "two and two is five [KLP033]\n")
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, left, out)
	}
}

// A file in the place of the output keeps its permissions; a new one gets those
// of the input.
func TestOutputPermissions(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.ko"), filepath.Join(dir, "out.ko")
	require.NoError(t, os.WriteFile(in, read(t, "../../testdata/x86_64/labels-dot.ko"), 0o640))
	mode := func() os.FileMode {
		status, _, stderr := klpConvert(in, out)
		require.Equal(t, exitDone, status, stderr)
		info, err := os.Stat(out)
		require.NoError(t, err)
		return info.Mode()
	}
	assert.Equal(t, os.FileMode(0o640), mode())
	require.NoError(t, os.Chmod(out, 0o600))
	assert.Equal(t, os.FileMode(0o600), mode())
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(in, 65534, 65534))
		require.NoError(t, os.Remove(out))
		mode()
		info, err := os.Stat(out)
		require.NoError(t, err)
		assert.Zero(t, info.Sys().(*syscall.Stat_t).Uid,
			"the input's owner must not own what root made")
	}
}

// Truncated anywhere, a module is refused in one line or, where only the
// trailer is gone, converted; never a trace.
func TestTruncatedModulesAreRefused(t *testing.T) {
	b := read(t, "../../testdata/x86_64/labels-comma.ko")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.ko"), filepath.Join(dir, "out.ko")
	for n := 0; n < len(b); n += 97 {
		require.NoError(t, os.WriteFile(in, b[:n], 0o644))
		status, _, stderr := klpConvert(in, out)
		assert.Equal(t, exitFound, status, n)
		assert.Equal(t, 1, strings.Count(stderr, "\n"), "%d: %s", n, stderr)
		assert.NoFileExists(t, out)
	}
}

func TestJSONIsOneObject(t *testing.T) {
	var r struct {
		Input, Output, Status string
		Plan                  klpreloc.PlanInfo
		Diagnostics           []struct{ ID, Severity, Message string }
	}
	out := filepath.Join(t.TempDir(), "out.ko")
	status, stdout, _ := klpConvert("--json", "../../testdata/odd/unused.ko", out)
	require.Equal(t, exitDone, status)
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	assert.Equal(t, "converted", r.Status)
	assert.Equal(t, out, r.Output)
	assert.NotEmpty(t, r.Plan.Moves)
	assert.True(t, slices.ContainsFunc(r.Diagnostics,
		func(d struct{ ID, Severity, Message string }) bool {
			return d.ID == string(diag.Unused) && d.Severity == "warning"
		}), stdout)

	status, stdout, _ = klpConvert("--json", "../../testdata/bad/two-objects.ko", out)
	assert.Equal(t, exitFound, status)
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	assert.Equal(t, "refused", r.Status)
}
