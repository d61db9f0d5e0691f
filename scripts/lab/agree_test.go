// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/sympos"
)

// The measure of "klp-convert check": what it predicts of each mutant (mutants_test.go)
// is compared with what the kernel does, phase by phase, and message by message. A
// message that was not predicted is a difference, and one that does not come is one too.

// The orders of a trial; the agent knows what they mean.
const (
	alone  = "alone"  // there is no target
	before = "before" // the target is there before the livepatch
	later  = "later"  // and comes after it
	again  = "again"  // as before, and it is removed and loaded once more
)

// An attempt is one mutant in one order on one kernel.
type attempt struct {
	*mutant
	number int
	ko     []byte
	order  string
	report *loader.Report
	seen   *outcome
	diffs  []string
}

// unforeseen is why what comes of it can't be predicted, "" when it can. Debian's 7.x
// modules come without a list of them: whether there is one more is not known, and the
// report says so.
func (a *attempt) unforeseen() string {
	for _, u := range a.report.NotJudged() {
		if strings.HasPrefix(u.What, "symbol ") {
			return u.Why
		}
	}
	for _, f := range a.report.Findings {
		if strings.Contains(f.Message, "was not judged") {
			return f.Message
		}
	}
	if a.open == "" && a.order == later {
		return a.openLater
	}
	return a.open
}

func (a *attempt) file() string { return fmt.Sprintf("m%03d.ko", a.number) }

func (a *attempt) command() string {
	b := bases[a.base]
	show := b.show
	if a.show != "" {
		show = a.show
	}
	cmd := strings.Join([]string{"trial", a.order, a.file(), strings.TrimSuffix(a.base, ".ko"),
		show}, " ")
	if a.order != alone {
		cmd += " " + b.target
	}
	return cmd
}

// An outcome is what the kernel did.
type outcome struct {
	phases map[string]*seen
	ended  bool // the guest was fit for more
	raw    string
}

// seen is one phase of it.
type seen struct {
	errno  string // "" when it went well, "killed", "hung"
	out    string
	died   bool // call: the process that ran the code
	events []string
}

// chatter is what the kernel says of every module and livepatch.
var chatter = regexp.MustCompile(`^livepatch: (enabling patch|applying patch|reverting patch|'[^']*': )` +
	`|^livepatch: signaling remaining tasks` + // a transition that a busy machine holds up
	`|: loading out-of-tree module taints kernel` +
	`|: tainting kernel with TAINT_LIVEPATCH` +
	`|: module verification failed: signature and/or required key missing` +
	`|^Disabling lock debugging due to kernel taint` +
	`|^random: |^hrtimer: interrupt took|^clocksource: |^sched: RT throttling|^rcu: |: watchdog: ` +
	`|^klplab-`)

// splat are the lines that follow the first one of an oops or a warning.
var splat = regexp.MustCompile(`^( |$|LE PAGE_SIZE|NIP|REGS|MSR|LR |CFAR|GPR|CPU: |Hardware name: |Call Trace:|RIP: |Code: |R[A-Z0-9]{2}: |` +
	`RSP: |CR2: |CS: |FS: |PKRU|DR[0-9]|Modules linked in|PGD |Oops: |#PF: |` +
	`note: |---\[|--- interrupt: |IRQMASK: |Kernel panic|Workqueue: |Kernel Offset|Rebooting|ret_from|EFLAGS|` +
	`\[c0|Tainted:|irq event|hardirqs|softirqs|Stack ?:|RBP: |` +
	`Krnl (PSW|GPRS|Code)\b|Last Breaking-Event-Address:|` + // s390x
	`pstate: |(pc|lr|sp) : |x\d+ ?: |Call trace:|` + // arm64
	`pc [0-9a-f]{16} |[atus]\d [0-9a-f]{16} |ESTAT: |PRID: |BADV: |Process |\(?\[<[0-9a-f]{16})`)

// faults is how the report of a fault begins on other machines than x86_64; all lines up to
// the end of its trace are of it.
var faults = regexp.MustCompile(`^(Unable to handle kernel |CPU \d+ Unable to handle kernel |` +
	`Internal error: |BUG: Kernel NULL pointer|BUG: Unable to handle kernel |` +
	`.*: [0-9a-f]{4} ilc:\d \[#|Oops: Kernel |Oops\[#|Kernel a[dl]e access|kernel tried to execute)`)

const endOfTrace = "---[ end trace"

// events puts what belongs together into one.
func events(lines []string) []string {
	var list []string
	open, fault := false, false
	for _, l := range lines {
		switch {
		case fault:
			list[len(list)-1] += "\n" + l
			fault = !strings.HasPrefix(l, endOfTrace)
		case faults.MatchString(l) && slices.ContainsFunc(lines,
			func(l string) bool { return strings.HasPrefix(l, endOfTrace) }):
			list, fault = append(list, l), true
		case chatter.MatchString(l):
		case strings.HasPrefix(l, "------------[ cut here"):
			list, open = append(list, l), true
		case len(list) > 0 && strings.HasPrefix(list[len(list)-1], "kernel tried to execute") &&
			strings.HasPrefix(l, "BUG: "):
			list[len(list)-1] += "\n" + l
		case open && strings.HasPrefix(list[len(list)-1], "------------[ cut here") &&
			!strings.Contains(list[len(list)-1], "\n"):
			list[len(list)-1] += "\n" + l
		case open && strings.HasPrefix(list[len(list)-1], "------------[ cut here") &&
			strings.HasPrefix(l, "WARNING: "):
			list[len(list)-1] += "\n" + l
		case splat.MatchString(l) && len(list) > 0:
			list[len(list)-1] += "\n" + l
		default:
			list = append(list, l)
		}
	}
	return list
}

// observed takes a trial's verdict apart.
func observed(r Result) *outcome {
	o := &outcome{phases: map[string]*seen{}, ended: r.Status == 0, raw: r.String()}
	decoder := json.NewDecoder(strings.NewReader(r.Out))
	last := ""
	for {
		var p struct {
			Phase, Errno, Out string
			Ended, Died       bool
		}
		if decoder.Decode(&p) != nil {
			break
		}
		s := &seen{errno: p.Errno, out: p.Out, died: p.Died}
		if !p.Ended {
			s.errno = "killed"
			if r.Status == 124 {
				s.errno = "hung"
			}
		}
		o.phases[p.Phase] = s
		last = p.Phase
	}
	var lines []string
	phase := ""
	flush := func() {
		if s := o.phases[phase]; s != nil {
			s.events = events(lines)
		}
		lines = nil
	}
	for _, l := range r.Dmesg {
		if name, ok := strings.CutPrefix(l, "klplab-trial: "); ok {
			flush()
			phase = name
			continue
		}
		lines = append(lines, l)
	}
	if phase == "after" && len(events(lines)) > 0 && last != "" {
		phase = last
		lines = append(slices.Clone(o.phases[last].events), lines...)
	}
	flush()
	return o
}

// An expectation is what the report says of one phase.
type expectation struct {
	errno string
	must  []diag.KernelMessage
	may   []diag.KernelMessage // what comes only if something else does not
	quiet bool                 // something silently goes wrong
}

// expected reads the report for a phase.
func expected(a *attempt, phase string) expectation {
	var e expectation
	target := strings.TrimSuffix(bases[a.base].target, ".ko")
	over := false
	take := func(c diag.Case) {
		if over {
			e.may = append(e.may, c.Messages...)
			return
		}
		e.must = append(e.must, c.Messages...)
		e.quiet = e.quiet || len(c.Messages) == 0
		e.errno, over = c.Errno, c.Errno != ""
	}
	for _, wanted := range whens[phase] {
		for _, f := range a.report.Findings {
			// A note, since it may be meant: nothing is patched in an object that never comes.
			e.quiet = e.quiet || f.ID == diag.TargetAbsent && wanted == diag.Calling
			for _, c := range f.Cases {
				if c.When == wanted &&
					(c.Object == "" || wanted >= diag.Coming && c.Object == target) &&
					!(f.Severity == diag.Note && len(c.Messages) == 0 && c.Errno == "") {
					take(c)
				}
			}
		}
	}
	return e
}

var whens = map[string][]diag.When{
	"load":   {diag.Loading, diag.Enabling},
	"target": {diag.Coming},
	"call":   {diag.Calling},
	"again":  {diag.Again},
	"remove": {diag.Removing},
}

// phasesOf are those that an order has.
var phasesOf = map[string][]string{
	alone:  {"load", "call", "remove"},
	before: {"load", "call", "remove"},
	again:  {"load", "call", "again", "remove"},
	later:  {"load", "target", "call", "remove"},
}

const oopsWord = "Oops|[kK]ernel BUG at"

// differences compares the prediction with what was seen. good is what the unchanged
// module prints.
func differences(a *attempt, good string) []string {
	var diffs []string
	diff := func(format string, args ...any) { diffs = append(diffs, fmt.Sprintf(format, args...)) }
	for _, phase := range phasesOf[a.order] {
		e, s := expected(a, phase), a.seen.phases[phase]
		if s == nil {
			diff("%s: did not come", phase)
			return diffs
		}
		if phase == "call" {
			oopses := slices.ContainsFunc(e.must,
				func(m diag.KernelMessage) bool { return strings.Contains(m.Pattern, oopsWord) })
			wrong := !s.died && (a.edit == nil || s.out != good) &&
				slices.ContainsFunc(e.must, orWrong)
			switch {
			case wrong:
			case oopses && !s.died:
				diff("call: predicted to be killed, printed %q", s.out)
			case !oopses && s.died:
				diff("call: killed")
			case a.edit == nil: // what it prints is the measure for others
			case e.quiet && !oopses && s.out == good:
				diff("call: something predicted to go wrong, printed what it should")
			case !e.quiet && !oopses && s.out != good && a.show == "":
				diff("call: printed %q", s.out)
			}
		} else if e.errno != s.errno &&
			!(e.errno == "killed" && s.errno == "hung" && len(s.events) > 0) {
			diff("%s: predicted %s, seen %s", phase, orWell(e.errno), orWell(s.errno))
		}
		for _, m := range e.must {
			if strings.HasSuffix(m.Text, ": kernel tainted.") || ofMachine.MatchString(m.Text) ||
				orWrong(m) && !s.died {
				continue // printed once in a boot (try_to_force_load), or by another machine
			}
			if !slices.ContainsFunc(s.events, func(l string) bool { return matches(m, l, phase) }) {
				diff("%s: predicted, not seen: %s", phase, m.Text)
			}
		}
		for _, l := range s.events {
			if phase == "call" && s.errno == "hung" {
				break // what is said of a CPU that does not come back
			}
			if !slices.ContainsFunc(append(slices.Clone(e.must), e.may...),
				func(m diag.KernelMessage) bool { return matches(m, l, "call") }) {
				diff("%s: not predicted: %s", phase, firstLines(l, 3))
			}
		}
		if s.errno != "" {
			break
		}
	}
	return diffs
}

// orWrong reports whether the kernel may go on with a wrong result.
func orWrong(m diag.KernelMessage) bool { return strings.Contains(m.Text, "or wrong result") }

// ofMachine are messages of processors that the guest does not have, and of mitigations that
// it runs without.
var ofMachine = regexp.MustCompile(`^Missing ENDBR|^Invalid padding area|vulnerable to spectre v2$|not compiled with retpoline`)

var inFunction = regexp.MustCompile(` in ([\w.]+)$`)

// matches reports whether the message is what was logged. The function that an oops at
// the call is predicted in is where the code goes astray; it may fault far from there.
func matches(m diag.KernelMessage, event, phase string) bool {
	re := regexp.MustCompile(m.Pattern)
	if !re.MatchString(strings.ReplaceAll(event, "\n", " ")) && !re.MatchString(event) {
		return false
	}
	f := inFunction.FindStringSubmatch(m.Text)
	return f == nil || phase == "call" || !strings.Contains(m.Pattern, oopsWord) ||
		strings.Contains(event, f[1])
}

func orWell(errno string) string {
	if errno == "" {
		return "success"
	}
	return errno
}

func firstLines(s string, n int) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[:min(n, len(lines))], " / ")
}

// guests bounds how many guests run at once, of all kernels.
var guests = make(chan bool, 2)

const (
	trialsPerBoot = 40
	sampled       = 25 // every so many is checked by the command as well
	third, sixth  = 3, 6
)

func TestCheckAgreesWithTheKernel(t *testing.T) {
	var mu sync.Mutex
	everyKernel(t, func(t *testing.T, w *workbench) {
		start := time.Now()
		c := newCorpus(t, w)
		c.predict(t)
		c.sample(t)
		t.Logf("%d mutants made and judged in %.0f s", len(mutants)-len(c.absent)-c.left,
			time.Since(start).Seconds())
		var first, second []*attempt
		for _, a := range c.attempts {
			if a.order == before || a.order == alone {
				first = append(first, a)
			}
		}
		c.try(t, first)
		// What is refused before it is enabled is refused in whatever order.
		for _, a := range c.attempts {
			if a.order == before || a.order == alone {
				continue
			}
			b := c.other(a)
			if b.seen.phases["load"] == nil || b.seen.phases["load"].errno == "" ||
				!slices.Equal(verdictOf(a), verdictOf(b)) {
				second = append(second, a)
			}
		}
		c.try(t, second)
		mu.Lock()
		defer mu.Unlock()
		c.print(t)
	})
}

// verdictOf is what is predicted of loading.
func verdictOf(a *attempt) []string {
	e := expected(a, "load")
	list := []string{e.errno}
	for _, m := range e.must {
		list = append(list, m.Text)
	}
	return list
}

// A corpus is all mutants of one kernel.
type corpus struct {
	w        *workbench
	dir      string
	kernel   *sympos.Kernel
	bases    map[string][]byte
	attempts []*attempt
	absent   map[string]string // mutants that are not to be had, and why
	left     int               // mutants that were not wanted
	good     map[string]string // what an unchanged module prints, by name and order
}

func newCorpus(t *testing.T, w *workbench) *corpus {
	t.Helper()
	c := &corpus{w: w, dir: t.TempDir(), bases: map[string][]byte{}, absent: map[string]string{},
		good: map[string]string{}}
	for name, b := range bases {
		if _, ok := w.modules[name]; !ok {
			continue
		}
		in, out := filepath.Join(c.dir, "in-"+name), filepath.Join(c.dir, name)
		require.NoError(t, os.WriteFile(in, w.modules[name], 0o644))
		// As distributions ship modules.
		printed, err := w.kernel.Command(w.kernel.prefix()+"strip", "--strip-debug",
			in).CombinedOutput()
		require.NoError(t, err, "%s", printed)
		if b.plain {
			require.NoError(t, os.Rename(in, out))
		} else {
			args := []string{in, out}
			if b.unsafe {
				args = append([]string{"--unsafe"}, args...)
			}
			printed, err = exec.Command(w.tool, args...).CombinedOutput()
			require.NoError(t, err, "%s", printed)
		}
		c.bases[name], err = os.ReadFile(out)
		require.NoError(t, err)
	}
	var err error
	c.kernel, err = sympos.FindKernel(w.kernel.named(), nil)
	require.NoError(t, err)
	require.NoError(t, c.kernel.AddModules(filepath.Join(c.dir, "klplab_target.ko")))
	require.NoError(t, c.kernel.AddModules(filepath.Join(c.dir, "klplab_owner.ko")))
	r := newRoom(t, w)
	wanted := selection(t)
	for i := range mutants {
		m := &mutants[i]
		if m.edit != nil && !wanted(i) {
			c.left++
			continue
		}
		good, ok := c.bases[m.base]
		if !ok {
			c.absent[m.name] = "this kernel's compiler does not build " + m.base
			continue
		}
		ko := good
		if m.edit != nil {
			var err error
			if ko, err = build(good, r, m.edit); err != nil {
				c.absent[m.name] = err.Error()
				continue
			}
		}
		if why := m.openOn[w.kernel.arch.Name]; why != "" {
			accepted := *m
			accepted.open = why
			m = &accepted
		}
		if m.openBefore != "" && !w.kernel.AtLeast(m.refusedBy[0], m.refusedBy[1]) {
			accepted := *m
			accepted.open = m.openBefore
			m = &accepted
		}
		orders := []string{alone}
		if bases[m.base].target != "" {
			orders = []string{before, later}
			if m.again {
				orders = append(orders, again)
			}
		}
		for _, o := range orders {
			tried := m
			if o == again && w.kernel.arch.Name == "loongarch64" {
				moved := *m
				moved.open = "the target comes back where it was, or elsewhere, and needs another entry"
				tried = &moved
			}
			c.attempts = append(c.attempts, &attempt{mutant: tried, number: i, ko: ko, order: o})
		}
	}
	return c
}

// selection is what KLP_LAB_MUTANTS wants: "all", a third by its number, or those whose name
// matches; unset, a sixth, and all of them when kernels are named.
func selection(t *testing.T) func(i int) bool {
	t.Helper()
	text := os.Getenv("KLP_LAB_MUTANTS")
	switch {
	case text == "all" || text == "" && Demanded():
		return func(int) bool { return true }
	case text == "":
		return func(i int) bool { return i%sixth == 0 }
	}
	if n, err := strconv.Atoi(text); err == nil {
		return func(i int) bool { return i%third == n }
	}
	only, err := regexp.Compile(text)
	require.NoError(t, err, "KLP_LAB_MUTANTS")
	return func(i int) bool { return only.MatchString(mutants[i].name) }
}

// newRoom looks for what some mutations need.
func newRoom(t *testing.T, w *workbench) *room {
	t.Helper()
	r := &room{kernel: w.kernel}
	text, err := os.ReadFile(filepath.Join(w.kernel.Headers, "Module.symvers"))
	require.NoError(t, err)
	for _, line := range strings.Split(string(text), "\n") {
		f := strings.Split(line, "\t")
		switch {
		case len(f) < 4:
		case f[2] == "vmlinux" && len(f) > 4 && f[4] != "" && r.spaced == "":
			r.spaced, r.namespace = f[1], f[4]
		case f[2] == "fs/ext4/ext4" || f[2] == "fs/xfs/xfs":
		case f[2] == "fs/jbd2/jbd2" && r.elsewhere == "":
			r.elsewhere = f[1]
		}
	}
	return r
}

// named is the kernel as klp-convert is told it. Where lib/modules/R/build of a root is an
// absolute link it is not followed out of it, so that the exports of the tree are named.
func (k *Kernel) named() string {
	if k.release.Root == "" {
		return k.Root
	}
	return k.Root + "," + filepath.Join(k.Headers, "Module.symvers")
}

// predict asks the package, which reads the kernel once for all of an order; the command
// is asked about some (sample).
func (c *corpus) predict(t *testing.T) {
	t.Helper()
	groups := map[string][]*attempt{}
	for _, a := range c.attempts {
		key := ""
		if a.order == before || a.order == again {
			key = bases[a.base].target
		}
		groups[key] = append(groups[key], a)
	}
	for target, list := range groups {
		o := loader.Options{Kernel: c.kernel}
		if target != "" {
			o.Loaded = []string{strings.TrimSuffix(target, ".ko")}
		}
		modules := make([]*loader.Module, len(list))
		for i, a := range list {
			modules[i] = loader.Open(a.ko)
		}
		reports, err := loader.CheckAll(modules, o)
		require.NoError(t, err)
		for i, a := range list {
			a.report = reports[i]
		}
	}
}

var compared = regexp.MustCompile(`in [\w-]+ of this kernel`)

// sample asks the command about some of the mutants.
func (c *corpus) sample(t *testing.T) {
	t.Helper()
	for i := 0; i < len(c.attempts); i += sampled {
		a := c.attempts[i]
		path := filepath.Join(c.dir, a.file())
		require.NoError(t, os.WriteFile(path, a.ko, 0o644))
		args := []string{"check", "--json", path}
		owner := filepath.Join(c.dir, "klplab_owner.ko")
		target := filepath.Join(c.dir, "klplab_target.ko")
		if a.order == before || a.order == again {
			loaded := filepath.Join(c.dir, bases[a.base].target)
			args = append(args, "-k", c.w.kernel.named()+","+owner+","+target, "--module", loaded)
		} else {
			args = append(args, "-k", c.w.kernel.named()+","+owner+","+target)
		}
		out, err := exec.Command(c.w.tool, args...).Output()
		var exit *exec.ExitError
		if err != nil {
			require.ErrorAs(t, err, &exit)
			require.Equal(t, 1, exit.ExitCode(), "%s: %s", a.name, exit.Stderr)
		}
		var checked struct {
			Kernels []struct{ Findings json.RawMessage }
		}
		require.NoError(t, json.Unmarshal(out, &checked), a.name)
		require.Len(t, checked.Kernels, 1)
		own, err := json.Marshal(findingsOfCommand(t, a.report.Findings))
		require.NoError(t, err)
		named := strings.ReplaceAll(string(checked.Kernels[0].Findings),
			c.w.kernel.named()+","+owner+","+target, c.w.kernel.named())
		// The module that struct module was compared with may be any of the kernel's.
		require.JSONEq(t, compared.ReplaceAllString(string(own), "of this kernel"),
			compared.ReplaceAllString(named, "of this kernel"),
			"%s: the command and the package differ", a.name)
	}
}

// findingsOfCommand returns the findings as the command prints them (docs/check.md): it has
// its own words for the fields of a diagnostic, and for its severity.
func findingsOfCommand(t *testing.T, list diag.List) []map[string]any {
	t.Helper()
	b, err := json.Marshal(list)
	require.NoError(t, err)
	var all []map[string]any
	require.NoError(t, json.Unmarshal(b, &all))
	for _, x := range all {
		for from, to := range map[string]string{"message": "cause", "hints": "fix"} {
			if value, has := x[from]; has {
				delete(x, from)
				x[to] = value
			}
		}
		if x["severity"] == "error" {
			x["severity"] = "finding"
		}
		if x["cases"] == nil {
			x["cases"] = []any{}
		}
	}
	return all
}

// other is the same mutant with the target there before.
func (c *corpus) other(a *attempt) *attempt {
	i := slices.IndexFunc(c.attempts, func(b *attempt) bool {
		return b.number == a.number && b.order == before
	})
	return c.attempts[i]
}

// fatal reports whether the guest is predicted to be unfit for more.
func fatal(a *attempt) bool {
	return slices.ContainsFunc(a.report.Findings, func(f diag.Diagnostic) bool {
		return slices.ContainsFunc(f.Cases, func(k diag.Case) bool {
			return k.Errno == "killed" && (k.When != diag.Again || a.order == again)
		})
	})
}

// try loads the mutants, many in a boot. Those predicted to end their guest come last;
// a guest that dies is followed by another one, for the rest.
func (c *corpus) try(t *testing.T, list []*attempt) {
	t.Helper()
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *attempt) int {
		rank := func(a *attempt) int {
			switch {
			case a.alone:
				return 2
			case fatal(a):
				return 1
			}
			return 0
		}
		return rank(a) - rank(b)
	})
	for boot := 0; len(list) > 0; boot++ {
		n := 1
		for n < len(list) && n < trialsPerBoot && !list[n].alone {
			n++
		}
		if list[0].alone {
			n = 1
		}
		done := c.boot(t, boot, list[:n])
		require.Positive(t, done, "%s", list[0].name)
		list = list[done:]
	}
}

// boot tries as many as the guest lives for.
func (c *corpus) boot(t *testing.T, number int, list []*attempt) int {
	t.Helper()
	guests <- true
	defer func() { <-guests }()
	vm := c.w.kernel.VM(filepath.Join(logsDir, strings.ReplaceAll(t.Name(), "/", "-")), c.w.agent)
	vm.File("klplab_target.ko", c.bases["klplab_target.ko"])
	vm.File("klplab_owner.ko", c.bases["klplab_owner.ko"])
	var steps []string
	for _, a := range list {
		vm.File(a.file(), a.ko)
		steps = append(steps, a.command())
	}
	ctx, cancel := context.Background(), func() {}
	if list[0].alone {
		// It is for kernels that may report faults for ever.
		limit := BootLimit / 4
		if c.w.kernel.arch.Name != "x86_64" { // whose firmware alone may take a minute
			limit = BootLimit / 2
		}
		ctx, cancel = context.WithTimeout(ctx, limit)
	}
	defer cancel()
	run, err := vm.Boot(ctx, steps...)
	require.NoError(t, err)
	require.NotEmpty(t, run.Release, "the guest did not come up: %s", vm.ConsoleLog())
	for i, r := range run.Steps {
		list[i].seen = observed(r)
		c.compare(t, list[i])
		if r.Status != 0 || r.Took > 5 {
			t.Logf("the guest is unfit after %s (%s): %s", list[i].name, list[i].order, r)
		}
	}
	done := len(run.Steps)
	if !run.Done && (done == 0 || list[done-1].seen.ended) && done < len(list) {
		// It took the guest along.
		list[done].seen = fromConsole(vm.ConsoleLog())
		c.compare(t, list[done])
		done++
	}
	t.Logf("%s boot %d: %d of %d in %.0f s", time.Now().Format(time.TimeOnly), number, done,
		len(list), run.Took)
	if !t.Failed() {
		os.RemoveAll(filepath.Dir(vm.ConsoleLog()))
	}
	return done
}

var stamp = regexp.MustCompile(`^(<\d+>)?\[ *\d+\.\d+\] `)

// fromConsole reads what the kernel printed before it died: from the last mark on.
func fromConsole(path string) *outcome {
	text, _ := os.ReadFile(path)
	r := Result{Status: 137}
	phase, fault := "", false // the phase so far, and whether it has killed a process
	for _, l := range strings.Split(string(text), "\n") {
		l = stamp.ReplaceAllString(strings.TrimRight(l, "\r"), "")
		if name, ok := strings.CutPrefix(l, "klplab-trial: "); ok {
			if name == "load" {
				r.Dmesg, r.Out, phase = nil, "", ""
			}
			if phase != "" {
				r.Out += fmt.Sprintf("{\"phase\":%q,\"ended\":true,\"died\":%v}\n", phase, fault)
			}
			phase, fault = name, false
			if name != "after" {
				r.Out += fmt.Sprintf("{\"phase\":%q,\"ended\":false}\n", name)
			}
		}
		fault = fault || oops.MatchString(l)
		r.Dmesg = append(r.Dmesg, l)
	}
	return observed(r)
}

// compare fails the test where there is no agreement. The unchanged modules come first,
// and say what their mutants should print.
func (c *corpus) compare(t *testing.T, a *attempt) {
	t.Helper()
	if s := a.seen.phases["call"]; a.edit == nil && s != nil {
		c.good[a.base+a.order] = s.out
	}
	a.diffs = differences(a, c.good[a.base+a.order])
	if len(a.diffs) > 0 && a.unforeseen() == "" {
		t.Errorf("%s %s (%s) differs:\n  %s\n%s", c.w.kernel.Release, a.name, a.order,
			strings.Join(a.diffs, "\n  "), a.seen.raw)
	}
}

// print writes the table of agreement.
func (c *corpus) print(t *testing.T) {
	t.Helper()
	var b strings.Builder
	judged, agreed, open := 0, 0, 0
	for _, a := range c.attempts {
		if a.seen == nil {
			continue
		}
		word := "agree"
		switch {
		case a.unforeseen() != "":
			open++
			word = "not predictable: " + a.unforeseen()
		case len(a.diffs) > 0:
			judged++
			word = "DIFFER"
		default:
			judged++
			agreed++
		}
		fmt.Fprintf(&b, "%-9s %-44s %-6s | %-60.60s | %-60.60s | %s\n", c.w.kernel.release.Series,
			a.name, a.order, predictedWord(a), seenWord(a), word)
	}
	for _, name := range sortedNames(c.absent) {
		fmt.Fprintf(&b, "%-9s %-44s not made: %s\n", c.w.kernel.release.Series, name,
			c.absent[name])
	}
	t.Logf("\n%s", b.String())
	t.Logf("%s: %d mutants, %d trials judged, %d agree, %d not predictable", c.w.kernel.Release,
		len(mutants)-len(c.absent)-c.left, judged, agreed, open)
}

func sortedNames(m map[string]string) []string {
	var names []string
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func predictedWord(a *attempt) string {
	for _, phase := range phasesOf[a.order] {
		e := expected(a, phase)
		word := phase + ": "
		if len(e.must) > 0 {
			word += e.must[0].Text + " "
		} else if e.quiet && e.errno == "" {
			word += "wrong, silently "
		}
		if word += e.errno; word != phase+": " {
			return word
		}
	}
	return "works"
}

func seenWord(a *attempt) string {
	for _, phase := range phasesOf[a.order] {
		s := a.seen.phases[phase]
		if s == nil {
			return "no " + phase
		}
		word := phase + ": "
		if len(s.events) > 0 {
			word += firstLines(strings.TrimPrefix(s.events[0],
				"------------[ cut here ]------------\n"), 1) + " "
		}
		if s.died {
			word += "killed"
		}
		if word += s.errno; word != phase+": " {
			return word
		}
	}
	return "works"
}
