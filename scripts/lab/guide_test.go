// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

// documents are those that are programs (document_test.go).
var documents = []string{"guide.md", "migrate.md"}

func TestGuide(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		readDocument(t, w.root, "guide.md").run(t, w)
	})
}

func TestMigrate(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		readDocument(t, w.root, "migrate.md").run(t, w)
	})
}

// How long does a thread wait that calls a patched function all the time, while
// the livepatch comes and goes? The test asks that it works and prints times
// (-v): they say something on a machine that has nothing else to do, and with
// KLP_LAB_PARALLEL=1, which runs the guest's CPUs at the same time. Without, they
// take turns, and a thread waits for the other CPU's turn to end. It is not the
// default because QEMU then now and then loses an instruction that is patched
// while another CPU runs it (VM.arguments): the CPU stays at the function's entry
// for ever, "soft lockup", on 6.1 in every second or third boot. What such a boot
// measured before counts, and the rest is done in another. Where CPUs take turns one
// round is enough: its times say nothing.
func TestLongestGap(t *testing.T) {
	everyDebian(t, func(t *testing.T, w *workbench) {
		dir := copySample(t, w, "ownmod")
		makeSample(t, w, dir)
		s := w.scene(t)
		for _, name := range []string{"ownmod.ko", "livepatch-ownmod.ko"} {
			s.file(name, readFile(t, filepath.Join(dir, name)))
		}
		rounds := 1
		if parallel() {
			rounds = 5
		}
		results := measured(t, s, rounds)

		// Of each phase the longer gap of the two CPUs, in each round.
		var (
			phases []string
			longer = map[int][]float64{}
		)
		for _, r := range results {
			lines := strings.Split(strings.TrimSpace(r.Out), "\n")
			require.Len(t, lines, 6, "%s", r.Out)
			phases = phases[:0]
			for i, line := range lines {
				times := gapRE.FindAllStringSubmatch(line, -1)
				require.Len(t, times, 2, "%s", line)
				worst := 0.0
				for _, m := range times {
					ms, err := strconv.ParseFloat(m[1], 64)
					require.NoError(t, err)
					require.NotEqual(t, "0", m[2],
						"gaps does not end a phase in which a thread has not read: %s", line)
					worst = max(worst, ms)
				}
				longer[i] = append(longer[i], worst)
				phases = append(phases, strings.TrimSpace(line[:14]))
			}
		}
		var table strings.Builder
		for i, name := range phases {
			slices.Sort(longer[i])
			fmt.Fprintf(&table, "%-14s %9.3f %9.3f %9.3f\n", name, longer[i][0],
				longer[i][rounds/2], longer[i][rounds-1])
		}
		printed := fmt.Sprintf("%s: longest gap between two calls on two CPUs, in ms, of %d "+
			"rounds:\n%-14s %9s %9s %9s\n%s",
			w.kernel.Release, rounds, "", "best", "median", "worst", table.String())
		t.Logf("\n%s", printed)
		assert.Equal(t, shapeOf(shown(t, w.root)), shapeOf(printed),
			"what docs/guide.md shows looks otherwise")
	})
}

// parallel reports whether the guest's CPUs are to run at the same time.
func parallel() bool { return os.Getenv("KLP_LAB_PARALLEL") != "" }

// measured runs so many rounds of gaps.
func measured(t *testing.T, s *scene, rounds int) (results []Result) {
	t.Helper()
	steps := func(n int) (list []step) {
		list = append(list, sh("load ownmod.ko"))
		for range n {
			list = append(list, sh("gaps /proc/ownmod livepatch-ownmod.ko"))
		}
		return append(list, sh("rmmod ownmod"))
	}
	if !parallel() {
		return s.run(steps(rounds)...)[1 : 1+rounds]
	}
	s.vm.Parallel()
	const enough, mostBoots = 90 * time.Second, 10
	boots := 0
	for ; len(results) < rounds && boots < mostBoots; boots++ {
		ctx, cancel := context.WithTimeout(context.Background(), enough)
		var cmds []string
		for _, st := range steps(rounds - len(results)) {
			cmds = append(cmds, st.cmd)
		}
		run, err := s.vm.Boot(ctx, cmds...)
		cancel()
		require.NoError(t, err)
		for _, r := range run.Steps {
			require.Zero(t, r.Status, "%s", r)
			if strings.HasPrefix(r.Cmd, "gaps ") {
				results = append(results, r)
			}
		}
	}
	require.Len(t, results, rounds, "after %d boots; console: %s", boots, s.vm.ConsoleLog())
	os.RemoveAll(filepath.Dir(s.vm.ConsoleLog()))
	t.Logf("%d boots, of which all but the last ended early", boots)
	return results
}

var gapRE = regexp.MustCompile(`([0-9.]+) ms of +(\d+) reads`)

// shown is the table that the guide has.
func shown(t *testing.T, root string) string {
	t.Helper()
	d := readDocument(t, root, "guide.md")
	for i := range d.blocks {
		if slices.Contains(d.blocks[i].words, "TestLongestGap") {
			c := d.blocks[i].commands()
			require.Len(t, c, 1)
			require.Contains(t, c[0].text, "-run TestLongestGap ./scripts/lab")
			return strings.Trim(strings.Join(c[0].want, "\n"), "…\n")
		}
	}
	require.Fail(t, "docs/guide.md does not show TestLongestGap")
	return ""
}

// shapeOf leaves of a table what is the same in each run.
func shapeOf(table string) []string {
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(table), "\n") {
		lines = append(lines, numberRE.ReplaceAllString(unify(line), "N"))
	}
	return lines
}

var numberRE = regexp.MustCompile(`\b\d+(\.\d+)?\b`)
