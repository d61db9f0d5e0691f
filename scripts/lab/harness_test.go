// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// A workbench is what all scenarios on one kernel share: made once in a test
// process, by the first scenario that needs it.
type workbench struct {
	*shared
	kernel  *Kernel
	agent   []byte            // the guest's first process
	modules map[string][]byte // the lab's own, as Kbuild leaves them
}

// shared is what the workbenches have in common.
type shared struct {
	cache *Cache
	tool  string // path of klp-convert
	root  string // top directory of the sources
}

// A oneBench is a workbench that its first user makes.
type oneBench struct {
	once  sync.Once
	bench *workbench
	err   error
	skip  string // why the machine cannot have it
}

var (
	benchDir   string
	logsDir    string
	benchesMu  sync.Mutex
	benches    = map[Release]*oneBench{}
	sharedOnce = sync.OnceValues(makeShared)
)

func TestMain(m *testing.M) {
	os.Setenv("KLP_CACHE", "off") // no indexes in the directory of who runs the tests
	var err error
	if benchDir, err = os.MkdirTemp("", "klp-lab-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(benchDir)
	os.Remove(logsDir) // stays when a failed boot has left its logs
	os.Exit(status)
}

// everyKernel runs the scenario on each of the kernels that KLP_LAB_KERNELS and
// KLP_LAB_ROOT select, as a subtest beside all others.
func everyKernel(t *testing.T, scenario func(t *testing.T, w *workbench)) {
	t.Helper()
	everyKernelThat(t, func(Release) bool { return true }, scenario)
}

// everyX86 is everyKernel for what only x86_64 has.
func everyX86(t *testing.T, scenario func(t *testing.T, w *workbench)) {
	t.Helper()
	everyKernelThat(t, func(r Release) bool { return r.arch().Name == "x86_64" }, scenario)
}

// everyDebian is everyKernel for what only a distribution's packages have.
func everyDebian(t *testing.T, scenario func(t *testing.T, w *workbench)) {
	t.Helper()
	everyKernelThat(t, Release.packaged, scenario)
}

func everyKernelThat(t *testing.T, is func(Release) bool,
	scenario func(t *testing.T, w *workbench)) {
	t.Helper()
	t.Parallel()
	releases, err := Selected()
	require.NoError(t, err)
	releases = slices.DeleteFunc(releases, func(r Release) bool { return !is(r) })
	if len(releases) == 0 {
		need.Absent(t, "none of the kernels that KLP_LAB_KERNELS selects has what this is about")
	}
	onKernels(t, releases, scenario)
}

// onKernels runs the scenario on each of the kernels. One alone begins when its test does, so that
// the longest, which is in the first files, is not left alone at the end.
func onKernels(t *testing.T, releases []Release, scenario func(t *testing.T, w *workbench)) {
	t.Helper()
	for _, r := range releases {
		t.Run(r.Series, func(t *testing.T) {
			if len(releases) > 1 {
				t.Parallel()
			}
			scenario(t, bench(t, r))
		})
	}
}

// bench returns the workbench for the kernel. On a machine that cannot have one
// the test is skipped with the reason. It fails with CI=true, and when
// KLP_LAB_KERNELS has asked for the kernel.
func bench(t *testing.T, r Release) *workbench {
	t.Helper()
	need.Long(t, "a kernel is fetched")
	benchesMu.Lock()
	b := benches[r]
	if b == nil {
		b = &oneBench{}
		benches[r] = b
	}
	benchesMu.Unlock()
	b.once.Do(func() { b.bench, b.skip, b.err = makeBench(r) })
	require.NoError(t, b.err)
	if b.skip != "" {
		need.Lab(t, b.skip)
	}
	return b.bench
}

func makeBench(r Release) (w *workbench, skip string, err error) {
	if missing := Missing(); len(missing) > 0 {
		// What is installed outside the sources does not renew a cached result.
		return nil, "the kernel lab needs: " + InstallLine(missing) +
			" (and then: go test -count=1)", nil
	}
	common, err := sharedOnce()
	if err != nil {
		return nil, "", err
	}
	w = &workbench{shared: common}
	say := func(format string, args ...any) { fmt.Fprintf(os.Stderr, "lab: "+format+"\n", args...) }
	if w.kernel, err = FetchRelease(w.cache, r, say); err != nil {
		return nil, fmt.Sprintf("the kernel %v is not to be had here: %v", r, err), nil
	}
	if w.agent, err = BuildAgent(benchDir, w.kernel.arch); err != nil {
		return nil, "", err
	}
	w.modules, err = w.kernel.BuildModules(filepath.Join(benchDir, r.Series),
		filepath.Join(w.root, "scripts/include"))
	return w, "", err
}

func makeShared() (*shared, error) {
	var (
		s   shared
		err error
	)
	if s.cache, err = OpenCache(); err != nil {
		return nil, err
	}
	logs := os.Getenv("KLP_LAB_LOGS")
	if logs == "" {
		logs = filepath.Join(s.cache.Dir, "logs")
	}
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, err
	}
	// Another run, of another tree, may be using the same cache.
	if logsDir, err = os.MkdirTemp(logs, "run-"); err != nil {
		return nil, err
	}
	if s.root, err = Root(); err != nil {
		return nil, err
	}
	if err := observe(s.root); err != nil {
		return nil, err
	}
	if s.tool = os.Getenv("KLP_LAB_TOOL"); s.tool == "" {
		s.tool = filepath.Join(benchDir, "klp-convert")
		if err := BuildTool("cmd/klp-convert", s.tool, Arches["x86_64"]); err != nil {
			return nil, err
		}
	}
	return &s, nil
}

// observe looks at all sources. The tool is run, not linked into this test, so
// "go test" would take a result from its cache after the tool has changed, if
// the test had not looked at the files that the tool is made from.
func observe(root string) error {
	for _, dir := range []string{"cmd", "elfrw", "klpreloc", "sympos", "scripts",
		"testdata/samples"} {
		err := filepath.WalkDir(filepath.Join(root, dir),
			func(path string, d fs.DirEntry, err error) error {
				if errors.Is(err, fs.ErrNotExist) {
					return nil // no such directory, or a file that an editor has just removed
				}
				if err != nil || d.IsDir() {
					return err
				}
				_, err = os.Stat(path)
				return err
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// since ends the test on kernels before that version: why says what they lack.
func (w *workbench) since(t *testing.T, major, minor int, why string) {
	t.Helper()
	if !w.kernel.AtLeast(major, minor) {
		need.Absent(t, fmt.Sprintf("%s; this is about %d.%d and later", why, major, minor))
	}
}

// built returns one of the lab's modules as Kbuild left it: annotated, unconverted.
func (w *workbench) built(t *testing.T, name string) []byte {
	t.Helper()
	require.Contains(t, w.modules, name)
	return w.modules[name]
}

// converted returns one of the lab's modules after klp-convert.
func (w *workbench) converted(t *testing.T, name string) []byte {
	t.Helper()
	return w.convert(t, name, w.built(t, name))
}

func (w *workbench) convert(t *testing.T, name string, ko []byte) []byte {
	t.Helper()
	in := filepath.Join(t.TempDir(), name)
	out := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(in, ko, 0o644))
	printed, err := exec.Command(w.tool, in, out).CombinedOutput()
	require.NoError(t, err, "klp-convert %s:\n%s", name, printed)
	if len(printed) > 0 {
		t.Logf("klp-convert %s:\n%s", name, printed)
	}
	data, err := os.ReadFile(out)
	require.NoError(t, err)
	return data
}

// A scene is a machine for one scenario, with the files that its steps use.
type scene struct {
	t     *testing.T
	bench *workbench
	vm    *VM
}

// scene returns a machine with the modules called names, converted.
func (w *workbench) scene(t *testing.T, names ...string) *scene {
	t.Helper()
	s := &scene{t, w, w.kernel.VM(filepath.Join(logsDir, strings.ReplaceAll(t.Name(), "/", "-")),
		w.agent)}
	for _, name := range names {
		s.file(name, w.converted(t, name))
	}
	return s
}

func (s *scene) file(name string, data []byte) { s.vm.File(name, data) }

// A step is a command line for the guest's shell and what must come of it. With
// no check at all it must exit 0.
type step struct {
	cmd    string
	checks []check
	oops   bool // whether the kernel must fault
}

type check func(r Result) error

// sh is a step that the kernel survives.
func sh(cmd string, checks ...check) step { return step{cmd: cmd, checks: checks} }

// crash is a step in which the kernel must fault with this message, and kill the
// command for it.
func crash(cmd, message string) step {
	killed := func(r Result) error {
		// SIGKILL for most faults, SIGSEGV for a general protection fault.
		if r.Status <= 128 || !strings.Contains(r.Log(), message) {
			return fmt.Errorf("status %d, and no fault with %q", r.Status, message)
		}
		return nil
	}
	return step{cmd: cmd, checks: []check{killed}, oops: true}
}

// prints wants exit 0 and this output, but for space at the ends and the blank with which
// loongarch64's kernel ends its command line (arch/loongarch/kernel/setup.c, bootcmdline_init).
func prints(want string) check {
	return func(r Result) error {
		got := strings.TrimSpace(r.Out)
		if strings.Contains(got, Cmdline) {
			got = strings.NewReplacer("  ", " ", " \n", "\n").Replace(got)
		}
		if r.Status != 0 || got != strings.TrimSpace(want) {
			return fmt.Errorf("status %d, printed %q, not %q", r.Status, got, want)
		}
		return nil
	}
}

// logs wants exit 0 and a message of the kernel that contains the text.
func logs(text string) check {
	return func(r Result) error {
		if r.Status != 0 || !strings.Contains(r.Log(), text) {
			return fmt.Errorf("status %d, and the kernel did not log %q", r.Status, text)
		}
		return nil
	}
}

// refuses wants the load to fail with this errno and every one of the messages.
func refuses(errno string, messages ...string) check {
	return func(r Result) error {
		if r.Status == 0 || !strings.Contains(r.Out, ": "+errno+" (") {
			return fmt.Errorf("status %d, not refused with %s", r.Status, errno)
		}
		for _, m := range messages {
			if !strings.Contains(r.Log(), m) {
				return fmt.Errorf("the kernel did not log %q", m)
			}
		}
		return nil
	}
}

// fails wants any exit status but 0.
func fails(r Result) error {
	if r.Status == 0 {
		return fmt.Errorf("succeeded")
	}
	return nil
}

// run boots the machine, runs the steps, checks them all and returns the verdicts.
// The logs of a boot that ends as it should are removed.
func (s *scene) run(steps ...step) []Result {
	t := s.t
	t.Helper()
	cmds := make([]string, len(steps))
	for i, st := range steps {
		cmds[i] = st.cmd
	}
	run, err := s.vm.Boot(context.Background(), cmds...)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s\nconsole: %s", run, s.vm.ConsoleLog())
		} else {
			os.RemoveAll(filepath.Dir(s.vm.ConsoleLog()))
		}
	})
	assert.Equal(t, s.bench.kernel.Release, run.Release, "kernel that ran")
	for i, r := range run.Steps {
		if len(steps[i].checks) == 0 {
			assert.Zero(t, r.Status, "step %d: %s\n%s", i, r.Cmd, r)
		}
		for _, c := range steps[i].checks {
			assert.NoError(t, c(r), "step %d: %s", i, r.Cmd)
		}
		assert.Equal(t, steps[i].oops, r.Oopsed(), "oops in step %d: %s", i, r.Cmd)
	}
	require.True(t, run.Done, "the guest did not reach the end")
	require.Len(t, run.Steps, len(steps))
	return run.Steps
}
