// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shell is an entrant that runs a script, which writes its name to the file called log.
func shell(dir, name, script string) Entrant {
	return Entrant{Name: name,
		Args: []string{"sh", "-c", "echo " + name + " >>" + filepath.Join(dir, "log") + "; " + script}}
}

func logged(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "log"))
	require.NoError(t, err)
	return strings.Join(strings.Fields(string(b)), " ")
}

func TestContestRunsInTurns(t *testing.T) {
	dir := t.TempDir()
	c := Contest{Sizes: []int{10, 100}, Rounds: 2, Entrants: func(_ *Workshop, n int) ([]Entrant, error) {
		a := shell(dir, "A", "")
		a.Input = int64(n)
		return []Entrant{a, shell(dir, "B", ""), shell(dir, "C", "")}, nil
	}}
	answers, err := c.Run(nil, []Line{{"first", "A", "B", nil}, {"second", "B", "", nil}}, 1)
	require.NoError(t, err)
	assert.Equal(t, strings.TrimSpace(strings.Repeat("A B ", 6)), logged(t, dir),
		"C is of no line; the first round of each size is not counted")
	require.Len(t, answers, 2)
	assert.Equal(t, "B", answers[0].Against)
	assert.Empty(t, answers[1].Against)
	assert.EqualValues(t, 100, answers[0].Input)
	for _, a := range answers {
		require.Len(t, a.Ours, 2)
		assert.Positive(t, a.Floor)
		for _, u := range append(append([]Usage{}, a.Ours[0]...), a.Ours[1]...) {
			assert.Positive(t, u.Wall)
			assert.Positive(t, u.CPU)
			assert.Positive(t, u.Memory)
		}
		assert.Len(t, a.Ours[0], 2)
	}
	assert.Len(t, answers[0].Theirs[1], 2)
}

func TestContestIsNotRun(t *testing.T) {
	c := Contest{Entrants: func(*Workshop, int) ([]Entrant, error) {
		return nil, &NotRunError{"no kernel"}
	}}
	answers, err := c.Run(nil, []Line{{"q", "A", "", nil}}, 1)
	require.NoError(t, err)
	assert.Equal(t, "no kernel", answers[0].NotRun)
}

func TestContestWithoutACommand(t *testing.T) {
	dir := t.TempDir()
	c := Contest{Entrants: func(*Workshop, int) ([]Entrant, error) {
		return []Entrant{shell(dir, "A", "")}, nil
	}}
	for _, l := range []Line{{"q", "B", "", nil}, {"q", "A", "B", nil}} {
		_, err := c.Run(nil, []Line{l}, 1)
		assert.ErrorContains(t, err, `"B"`)
	}
}

func TestEntrant(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GOMAXPROCS", "1")
	t.Setenv("KLP_CACHE", dir)
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	require.NoError(t, os.WriteFile(in, []byte("line\n"), 0o644))

	e := shell(dir, "A", `read x; echo "$x $KEPT ${GOMAXPROCS-unset} $KLP_CACHE" >>`+
		filepath.Join(dir, "log")+"; >"+out)
	e.Stdin, e.Out, e.Env = in, out, []string{"KEPT=kept", noIndex}
	_, err := e.Run()
	require.NoError(t, err)
	assert.Equal(t, "A line kept unset off", logged(t, dir))
	assert.NoFileExists(t, out)

	_, err = e.Run()
	require.NoError(t, err)
	e.Args[2] = "true"
	_, err = e.Run()
	require.ErrorIs(t, err, os.ErrNotExist, "it did not write what it should")

	e = shell(dir, "A", "echo why >&2; exit 1")
	_, err = e.Run()
	require.ErrorContains(t, err, "exit status 1\nwhy")
	e.Finds = true
	_, err = e.Run()
	require.NoError(t, err)
	e.Args[2] = "exit 2"
	_, err = e.Run()
	require.Error(t, err)
}

// A process that has much memory says so.
func TestMemoryIsThatOfTheCommand(t *testing.T) {
	e := Entrant{Args: []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1"}}
	u, err := e.Run()
	require.NoError(t, err)
	assert.Greater(t, u.Memory, int64(64<<20))
	assert.Less(t, u.Memory, int64(1<<30))
}
