// SPDX-License-Identifier: GPL-2.0-or-later

package proof_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/loadermodel"
	"github.com/klp-convert/klp-convert/scripts/need"
)

// A brokenFunction is one plausible slip in the program.
type brokenFunction struct {
	function string // "name" or "Receiver.name"; "": a constant or a table
	old, new string // text, which is there once, in one function of that name
	slip     string // what the new text is mistaken about
	// shared is set for the rules that the proof has in common with the conversion. There
	// loadermodel is the judge, and modules that it can't load are not looked at.
	shared bool
}

// TestBrokenFunctions breaks functions of the program one at a time and converts all fixtures.
// Where an output is not that of the unbroken program, the broken one must not have written it:
// the proof or something before it objects. For what the proof shares, the model of the loader
// may object instead.
//
// The rows are edits of the sources' text, in whatever file the function is. When a row no
// longer fits, write the same mistake for the code as it is then.
func TestBrokenFunctions(t *testing.T) {
	need.Long(t, "it builds the program several times")
	dir := t.TempDir()
	w := newWorkshop(t, dir)
	all := fixtures(t)
	jobs := make([]job, len(all))
	for i, f := range all {
		jobs[i].Module = filepath.Join(dir, fmt.Sprintf("%d.ko", i))
		require.NoError(t, os.WriteFile(jobs[i].Module, f.module, 0o600))
		if f.symbols != "" {
			jobs[i].Symbols = filepath.Join(dir, "kallsyms")
			require.NoError(t, os.WriteFile(jobs[i].Symbols, []byte(f.symbols), 0o600))
		}
		if jobs[i].List = f.list; f.target != "" {
			var err error
			jobs[i].Target, err = filepath.Abs(filepath.Join(testdata, f.target))
			require.NoError(t, err)
		}
	}
	unbroken := w.convert(t, w.functions, 0, jobs)
	written := 0
	for i, f := range all {
		if unbroken[i].Status == "converted" {
			written++
			require.NoError(t, f.judge(unbroken[i]), f.name)
		}
		require.NotContains(t, []string{"not proven", "panicked", "unread", "unwritten"}, unbroken[i].Status,
			"%s: %s", f.name, unbroken[i].Message)
	}
	require.Greater(t, written, 60, "conversions")

	for n, row := range brokenFunctions {
		t.Run(row.name(), func(t *testing.T) {
			tool := w.functions
			if row.function == "" {
				tool = w.build(t, w.find(t, n))
			}
			broken := w.convert(t, tool, n+1, jobs)
			differ, objected := 0, 0
			for i, f := range all {
				a, b := unbroken[i], broken[i]
				if a.Status == b.Status && bytes.Equal(a.output, b.output) {
					continue
				}
				require.NotContains(t, []string{"unread", "unwritten"}, b.Status, "%s: %s", f.name, b.Message)
				differ++
				if b.output == nil {
					objected++
					continue
				}
				if row.shared {
					if f.scenario == nil {
						continue
					}
					if f.judge(b) != nil {
						objected++
						continue
					}
				}
				assert.Fail(t, "a wrong file was written", "%s: %s", f.name, row.slip)
			}
			assert.Positive(t, differ, "no output of any fixture shows that %s", row.slip)
			if differ > 0 {
				assert.Positive(t, objected, "no judge of %d outputs", differ)
			}
			t.Logf("%d outputs differ, %d objections", differ, objected)
		})
	}
}

func (b brokenFunction) name() string {
	return strings.TrimPrefix(b.function+": "+b.slip, ": ")
}

// judge loads what became of the fixture by the model of the loader, and compares the code and
// the jump labels that the kernel reads with what the annotations mean.
func (f fixture) judge(r result) error {
	if f.scenario == nil {
		return nil
	}
	if err := loadermodel.CheckAll(f.module, r.output, *f.scenario); err != nil {
		return err
	}
	loaded, err := loadermodel.Load(r.output, *f.scenario)
	if err != nil {
		return err
	}
	meant, err := loadermodel.Intended(f.module, *f.scenario, f.scenario.Patched...)
	if err != nil {
		return err
	}
	if !slices.Equal(meant.JumpLabels, loaded.JumpLabels) {
		return fmt.Errorf("jump labels are %x, meant are %x", loaded.JumpLabels, meant.JumpLabels)
	}
	return nil
}

// job and result are convertall's.
type job struct{ Module, Symbols, Target, List, Output string }

type result struct {
	Status, Message string
	output          []byte // nil: nothing was written
}

// workshop builds broken programs.
type workshop struct {
	root, dir string
	sources   []source
	functions string // the program that has every broken function, and uses one at a time
	builds    int
}

func newWorkshop(t *testing.T, dir string) *workshop {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	w := &workshop{root: root, dir: dir, sources: readSources(t, root)}
	var edits []edit
	for n, row := range brokenFunctions {
		if row.function != "" {
			edits = append(edits, w.find(t, n)...)
		}
	}
	require.False(t, t.Failed(), "rows do not fit the sources any more")
	w.functions = w.build(t, edits)
	return w
}

// source is a file of the program.
type source struct {
	path, text string
}

// notConverting are the directories of the proof, of tests, and of what only other commands
// use.
var notConverting = []string{
	"proof", "loadermodel", "loader", "explain", "klpdiff", "testdata", "testmodule",
}

// readSources reads what the conversion is made of.
func readSources(t *testing.T, root string) (all []source) {
	for _, top := range []string{"elfrw", "klpreloc"} {
		read := func(path string, d os.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && slices.Contains(notConverting, d.Name()):
				return filepath.SkipDir
			case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			b, err := os.ReadFile(path)
			all = append(all, source{path, string(b)})
			return err
		}
		require.NoError(t, filepath.WalkDir(filepath.Join(root, top), read))
	}
	require.Greater(t, len(all), 40, "files")
	return all
}

// edit is a row with its number, by which it is chosen at run time, and the file that it is for.
type edit struct {
	number int
	row    brokenFunction
	path   string
}

// find finds the file of row n. A row that fits nowhere, or in two places, is a failure.
func (w *workshop) find(t *testing.T, n int) []edit {
	t.Helper()
	row := brokenFunctions[n]
	var found []edit
	var elsewhere []string
	for _, x := range w.sources {
		if !strings.Contains(x.text, row.old) {
			continue
		}
		e := edit{n + 1, row, x.path}
		if _, _, err := e.apply(x.text); err != nil {
			path := strings.TrimPrefix(x.path, w.root+"/")
			elsewhere = append(elsewhere, fmt.Sprintf("%s: %v", path, err))
			continue
		}
		found = append(found, e)
	}
	if len(found) != 1 {
		assert.Fail(t, "the row does not fit the sources any more",
			"%s: %q is in %d functions of that name, but: %q", row.name(), row.old, len(found), elsewhere)
		return nil
	}
	return found
}

// build builds convertall with these functions broken. Of each it has the function as it is,
// which starts by handing over to the broken one where KLP_BROKEN has its number, so that one
// program is enough for all. What is no function is broken for good.
func (w *workshop) build(t *testing.T, edits []edit) string {
	t.Helper()
	w.builds++
	edited, packages, overlay := map[string]string{}, map[string]string{}, map[string]string{}
	for _, x := range w.sources {
		for _, e := range edits {
			if e.path != x.path {
				continue
			}
			var pkg string
			var err error
			x.text, pkg, err = e.apply(x.text)
			require.NoError(t, err)
			edited[x.path] = x.text
			if e.row.function != "" {
				packages[filepath.Dir(x.path)] = pkg
			}
		}
	}
	for directory, name := range packages {
		path := filepath.Join(directory, "broken_number.go")
		edited[path] = strings.ReplaceAll(brokenNumber, "PACKAGE", name)
	}
	for path, text := range edited {
		name := fmt.Sprintf("%d-%d-%s", w.builds, len(overlay), filepath.Base(path))
		copied := filepath.Join(w.dir, name)
		require.NoError(t, os.WriteFile(copied, []byte(text), 0o600))
		overlay[path] = copied
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	require.NoError(t, err)
	file := filepath.Join(w.dir, "overlay.json")
	require.NoError(t, os.WriteFile(file, list, 0o600))
	tool := filepath.Join(w.dir, fmt.Sprintf("convertall-%d", w.builds))
	// With -trimpath as make builds the program: the libraries are compiled once for both.
	cmd := exec.Command("go", "build", "-overlay", file, "-trimpath", "-ldflags", "-s -w", "-o",
		tool, "./klpreloc/proof/internal/convertall")
	cmd.Dir, cmd.Env = w.root, append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return tool
}

const brokenNumber = `package PACKAGE

import (
	"os"
	"strconv"
)

var brokenNumber, _ = strconv.Atoi(os.Getenv("KLP_BROKEN"))
`

// apply returns the source of a file with what is broken. A broken function is added, and the
// function as it is hands over to it.
func (e edit) apply(source string) (edited, pkg string, err error) {
	if e.row.function == "" {
		edited, err = replaceOnce(source, e.row.old, e.row.new)
		return edited, "", err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, e.path, source, parser.SkipObjectResolution)
	if err != nil {
		return "", "", err
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || functionName(f) != e.row.function {
			continue
		}
		at := func(p token.Pos) int { return set.Position(p).Offset }
		copied, err := replaceOnce(source[at(f.Name.End()):at(f.End())], e.row.old, e.row.new)
		if err != nil {
			return "", "", err
		}
		broken := fmt.Sprintf("%s__%d", f.Name.Name, e.number)
		copied = "\n\n" + source[at(f.Pos()):at(f.Name.Pos())] + broken + copied + "\n"
		call := broken + "(" + arguments(f) + ")"
		if f.Recv != nil {
			call = f.Recv.List[0].Names[0].Name + "." + call
		}
		if f.Type.Results != nil {
			call = "return " + call
		} else {
			call += "; return"
		}
		body := at(f.Body.Lbrace) + 1
		handOver := fmt.Sprintf(" if brokenNumber == %d { %s };", e.number, call)
		return source[:body] + handOver + source[body:] + copied, file.Name.Name, nil
	}
	return "", "", fmt.Errorf("no function %s", e.row.function)
}

// functionName returns a function's name with that of its receiver's type.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	x := f.Recv.List[0].Type
	if star, ok := x.(*ast.StarExpr); ok {
		x = star.X
	}
	if name, ok := x.(*ast.Ident); ok {
		return name.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

// arguments returns f's parameters as the arguments of a call.
func arguments(f *ast.FuncDecl) string {
	var names []string
	for _, field := range f.Type.Params.List {
		for _, name := range field.Names {
			argument := name.Name
			if _, variadic := field.Type.(*ast.Ellipsis); variadic {
				argument += "..."
			}
			names = append(names, argument)
		}
	}
	return strings.Join(names, ", ")
}

// replaceOnce replaces what must be there once.
func replaceOnce(s, old, replacement string) (string, error) {
	if n := strings.Count(s, old); n != 1 {
		return "", fmt.Errorf("%q is there %d times", old, n)
	}
	return strings.Replace(s, old, replacement, 1), nil
}

// convert runs a program on all jobs, with the broken function of that number.
func (w *workshop) convert(t *testing.T, tool string, number int, jobs []job) []result {
	t.Helper()
	dir := t.TempDir()
	for i := range jobs {
		jobs[i].Output = filepath.Join(dir, strconv.Itoa(i))
	}
	in, err := json.Marshal(jobs)
	require.NoError(t, err)
	cmd := exec.Command(tool)
	cmd.Stdin = bytes.NewReader(in)
	cmd.Env = append(os.Environ(), "KLP_BROKEN="+strconv.Itoa(number))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.String())
	var results []result
	require.NoError(t, json.Unmarshal(out, &results))
	require.Len(t, results, len(jobs))
	for i := range results {
		b, err := os.ReadFile(jobs[i].Output)
		if !os.IsNotExist(err) {
			require.NoError(t, err)
			results[i].output = b
		}
	}
	return results
}
