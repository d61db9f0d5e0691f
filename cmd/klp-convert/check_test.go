// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/matrix"
	"github.com/klp-convert/klp-convert/scripts/need"
)

// smallKernel has what the sample livepatch needs, and what it has twice.
const smallKernel = `ffffffff81000000 T _text
ffffffff81000200 t cmdline_proc_show
ffffffff81000240 t cmdline_proc_show
ffffffff81000300 T seq_printf
ffffffff81000400 T klp_enable_patch
ffffffff81001000 r __ksymtab_seq_printf
ffffffff81001010 r __ksymtab_klp_enable_patch
ffffffff82000000 B _end
`

// What --sarif prints has the shape that the schema of SARIF 2.1.0 asks for: what is required
// is there, of its type, and what is referred to exists.
func TestSARIFHasItsShape(t *testing.T) {
	dir := t.TempDir()
	kernel, out := filepath.Join(dir, "kallsyms"), filepath.Join(dir, "a b.ko")
	require.NoError(t, os.WriteFile(kernel, []byte(smallKernel), 0o644))
	status, _, stderr := klpConvert("../../testdata/x86_64/livepatch-cmdline.ko", out)
	require.Equal(t, exitDone, status, stderr)
	status, stdout, stderr := klpConvert("check", "--sarif", out, "-k", kernel)
	require.Equal(t, exitFound, status)
	require.Empty(t, stderr)

	var log map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &log))
	assert.Equal(t, "2.1.0", log["version"])
	assert.Regexp(t, `^https://`, log["$schema"])
	runs := log["runs"].([]any)
	require.Len(t, runs, 1)
	run := runs[0].(map[string]any)
	driver := run["tool"].(map[string]any)["driver"].(map[string]any)
	assert.Equal(t, "klp-convert", driver["name"])
	rules := driver["rules"].([]any)
	docs := read(t, "../../docs/errors.md")
	seen := map[string]bool{}
	for _, r := range rules {
		rule := r.(map[string]any)
		id := rule["id"].(string)
		assert.Regexp(t, `^KLP1\d\d$`, id)
		assert.False(t, seen[id], "unique")
		seen[id] = true
		for _, text := range []string{"shortDescription", "fullDescription", "help"} {
			assert.NotEmpty(t, rule[text].(map[string]any)["text"], "%s of %s", text, id)
		}
		level := rule["defaultConfiguration"].(map[string]any)["level"]
		assert.Contains(t, []any{"none", "note", "warning", "error"}, level)
		uri := rule["helpUri"].(string)
		_, anchor, _ := strings.Cut(uri, "#")
		assert.Contains(t, string(docs), `<a id="`+anchor+`"></a>`)
	}
	results := run["results"].([]any)
	require.NotEmpty(t, results)
	for _, r := range results {
		result := r.(map[string]any)
		rule := rules[int(result["ruleIndex"].(float64))].(map[string]any)
		assert.Equal(t, rule["id"], result["ruleId"])
		assert.Contains(t, []any{"none", "note", "warning", "error"}, result["level"])
		assert.NotEmpty(t, result["message"].(map[string]any)["text"])
		for _, l := range result["locations"].([]any) {
			uri := l.(map[string]any)["physicalLocation"].(map[string]any)["artifactLocation"].(map[string]any)["uri"].(string)
			assert.NotContains(t, uri, " ", "an URI")
		}
	}
}

// Nothing that a diagnostic quotes from a file moves the cursor.
func TestDiagnosticsAreFitForATerminal(t *testing.T) {
	var out strings.Builder
	d := diag.Diagnostic{ID: diag.BrokenFile, Severity: diag.Error, Message: "a\x1b[2Jb",
		Hints: []string{"c\rd"}}
	newReporter(&out, "x.ko", &options{color: "never"}).print(diag.List{d})
	assert.Equal(t, "x.ko: error: klp-convert: a?[2Jb ["+string(diag.BrokenFile)+"]\n    c?d\n",
		out.String())
}

func TestErrorsAreFitForATerminal(t *testing.T) {
	for _, args := range [][]string{{"explain", "--a\x1b[2J"},
		{"check", "x.ko", "-k", "../../README.md", "--module", "a\x1b[2J"},
		{"check", "../../README.md", "-k", "a\x1b[2J"}} {
		status, stdout, stderr := klpConvert(args...)
		assert.NotEqual(t, exitDone, status)
		assert.NotContains(t, stdout+stderr, "\x1b", args)
	}
}

// fieldsOf are the names that a type has in JSON, those of its parts among them.
func fieldsOf(t reflect.Type, add func(string)) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		fieldsOf(t.Elem(), add)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
				add(name)
			}
			fieldsOf(f.Type, add)
		}
	}
}

func TestJSONOfCheckIsDocumented(t *testing.T) {
	_, text, ok := strings.Cut(string(read(t, "../../docs/check.md")), "\n## JSON\n")
	require.True(t, ok)
	text, _, _ = strings.Cut(text, "\n## ")
	count := 0
	for _, of := range []reflect.Type{reflect.TypeFor[matrix.ModuleJSON](),
		reflect.TypeFor[matrix.MatrixJSON]()} {
		fieldsOf(of, func(name string) {
			count++
			assert.Contains(t, text, "`"+name+"`")
		})
	}
	assert.Greater(t, count, 60)
}

// What annotate prints compiles, in both dialects, with gcc and clang, below the declarations
// of the symbols.
func TestAnnotationsCompile(t *testing.T) {
	dir := t.TempDir()
	kernel := filepath.Join(dir, "kallsyms")
	require.NoError(t, os.WriteFile(kernel, []byte("ffffffff81000000 T _text\n"+
		"ffffffff81000100 t forgotten\nffffffff81000200 T exported\n"+
		"ffffffff81001000 r __ksymtab_exported\nffffffff82000000 B _end\n"), 0o644))
	twice := filepath.Join(dir, "twice")
	require.NoError(t, os.WriteFile(twice, []byte("ffffffff81000000 T _text\n"+
		"ffffffff81000100 t forgotten\nffffffff81000180 d forgotten\n"+
		"ffffffff81000200 T exported\nffffffff81001000 r __ksymtab_exported\n"+
		"ffffffff82000000 B _end\n"), 0o644))
	header, err := filepath.Abs("../../scripts/include/klp_convert.h")
	require.NoError(t, err)
	compiled := 0
	for _, compiler := range []string{"gcc", "clang"} {
		if _, err := exec.LookPath(compiler); err != nil {
			continue
		}
		for _, k := range []string{kernel, twice} {
			const declared = "extern int forgotten(const char *);\n"
			for _, dialect := range []string{"records", "labels"} {
				status, text, stderr := klpConvert("annotate", "--dialect", dialect,
					"../../testdata/odd/strong-undefined.ko", "-k", k)
				require.Equal(t, exitDone, status, stderr)
				source, object := filepath.Join(dir, dialect+".c"), filepath.Join(dir, dialect+".o")
				use := "void use(void);\nvoid use(void)\n{\n}\n"
				if k == kernel {
					use = "void use(void);\nvoid use(void)\n{\n\tforgotten(\"\");\n}\n"
				}
				code := "#include \"" + header + "\"\n" + declared + text + use
				require.NoError(t, os.WriteFile(source, []byte(code), 0o644))
				out, err := exec.Command(compiler, "-std=gnu11", "-Wall", "-Werror", "-c", source,
					"-o", object).CombinedOutput()
				require.NoError(t, err, "%s\n%s", out, code)
				// Without the "// " in front, the first choice compiles as well.
				if k == twice {
					first := regexp.MustCompile(
						`(?m)^(\t?)// (static|};|KLP_SYMPOS\([^)]*, 1\)|extern.*, 1\);)`)
					lines := first.ReplaceAllString(text, "$1$2")
					require.NotEqual(t, text, lines)
					require.NoError(t, os.WriteFile(source,
						[]byte("#include \""+header+"\"\n"+declared+lines), 0o644))
					out, err := exec.Command(compiler, "-std=gnu11", "-Wall", "-Werror", "-c",
						source, "-o", object).CombinedOutput()
					require.NoError(t, err, "%s\n%s", out, lines)
				}
				compiled++
			}
		}
	}
	if compiled == 0 {
		need.Skip(t, "no C compiler is installed")
	}
}

// A hint to annotate names the file that was checked, so that it can be pasted.
func TestCheckHintNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	kernel, in := filepath.Join(dir, "kallsyms"), filepath.Join(dir, "a b.ko")
	ko, err := os.ReadFile("../../testdata/odd/strong-undefined.ko")
	require.NoError(t, err)
	f, err := elfrw.Parse(in, ko)
	require.NoError(t, err)
	hidden := ""
	for _, y := range f.Symbols {
		if y.Undefined() && y.Name != "" && !strings.HasPrefix(y.Name, klpabi.SymbolPrefix) {
			hidden += "ffffffff81002000 t " + y.Name + "\n"
		}
	}
	require.NoError(t, os.WriteFile(kernel, []byte(smallKernel+hidden), 0o644))
	require.NoError(t, os.WriteFile(in, ko, 0o644))
	_, stdout, _ := klpConvert("check", in, "-k", kernel)
	assert.Contains(t, stdout, "fix: klp-convert annotate '"+in+"' --kernel "+kernel)
}
