// SPDX-License-Identifier: GPL-2.0-or-later

package docs_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

var update = flag.Bool("update", false, "write the outputs in docs/examples")

// An example is a command and what it prints, on stdout and stderr.
type example struct {
	command string // "" for lines in front of the first command
	output  string
}

// readExamples returns the commands of a file of docs/examples, with their outputs.
func readExamples(t *testing.T, path string) (all []example) {
	t.Helper()
	all = []example{{}}
	for _, line := range strings.SplitAfter(page(t, path), "\n") {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, example{command: strings.TrimSuffix(command, "\n")})
			continue
		}
		all[len(all)-1].output += line
	}
	return all
}

// needsOnlySources reports whether a command works on files of the source tree alone.
func (x *example) needsOnlySources(name string) bool {
	if strings.Contains(x.command, "--kernel") || strings.Contains(x.command, "/dev/") {
		return false
	}
	return name == "usage" || strings.Contains(x.command, "testdata/")
}

// What errors.md shows is what the command prints, where a module of testdata is enough
// for that: go test ./docs -update && go generate ./docs.
func TestExamplesArePrinted(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	// As make builds it, so that its packages are compiled once for both.
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir,
		"./cmd/klp-convert")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Symlink(filepath.Join(root, "testdata"), filepath.Join(dir, "testdata")))
	files, err := filepath.Glob("examples/*.txt")
	require.NoError(t, err)
	count := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if name != "usage" {
			assert.NotNil(t, diag.Lookup(diag.ID(name)), file)
		}
		text := ""
		for _, x := range readExamples(t, file) {
			if x.command != "" {
				text += "$ " + x.command + "\n"
			}
			if x.command != "" && x.needsOnlySources(name) {
				count++
				printed := run(dir, x.command)
				if *update {
					x.output = printed
				}
				assert.Equal(t, x.output, printed, "%s: %s", file, x.command)
			}
			text += x.output
		}
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		}
	}
	assert.GreaterOrEqual(t, count, 40)
}

// run returns what a shell command prints in dir, where klp-convert is.
func run(dir, command string) string {
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "LC_ALL=C", "NO_COLOR=1",
		"KLP_CACHE=off")
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	_ = cmd.Run() // most examples are of commands that fail
	return both.String()
}

// Each example shows the diagnostic that it is of.
func TestExamplesShowTheirDiagnostic(t *testing.T) {
	for _, e := range diag.Catalogue() {
		path := "examples/" + string(e.ID) + ".txt"
		if _, err := os.Stat(path); e.FromCheck() && err != nil {
			continue
		}
		assert.Contains(t, page(t, path), "["+string(e.ID)+"]\n", path)
	}
}
