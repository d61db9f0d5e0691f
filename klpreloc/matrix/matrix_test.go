// SPDX-License-Identifier: GPL-2.0-or-later

package matrix

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

// missing is the finding that vmlinux has no symbol, in a module and for a kernel.
func missing(symbol, module, kernel string, offset uint64) diag.Diagnostic {
	return diag.Diagnostic{
		ID: "KLP126", Severity: diag.Error, Section: ".klp.rela.vmlinux..text", Offset: &offset,
		Symbol: symbol, Message: "vmlinux has no symbol called " + symbol,
		Cases: []diag.Case{{When: diag.Loading, Errno: "EINVAL", Messages: []diag.KernelMessage{
			{Text: module + ": symbol '" + symbol + "' not found in symbol table"}}}},
		Hints: []string{"klp-convert sympos " + symbol + "@vmlinux --kernel " + kernel},
	}
}

func remark(text string) diag.Diagnostic {
	return diag.Diagnostic{ID: "KLP150", Severity: diag.Note, Message: text}
}

func reportOf(module, kernel string, found ...diag.Diagnostic) *loader.Report {
	return &loader.Report{Module: module, Kernel: "./" + kernel, Release: kernel,
		Findings: append(diag.List{}, found...), Unchecked: []loader.Unchecked{}}
}

// lacks is a report of which something was not judged.
func lacks(module, kernel string, what ...string) *loader.Report {
	r := reportOf(module, kernel)
	for _, w := range what {
		r.Unchecked = append(r.Unchecked, loader.Unchecked{What: w, Why: "no file", NotJudged: true})
	}
	return r
}

// three are three modules on two kernels: one loads, one lacks a symbol on both, and one lacks it
// and another on the second, and was not judged on the first.
func three() *Matrix {
	modules := []Module{{"out/a.ko", "a.ko"}, {"out/b.ko", "b.ko"}, {"out/c.ko", "c.ko"}}
	return New(modules, []string{"6.1", "6.2"}, [][]*loader.Report{
		{reportOf("a", "6.1", remark("works")), reportOf("a", "6.2", remark("works"))},
		{reportOf("b", "6.1", missing("x", "b", "./6.1", 8)),
			reportOf("b", "6.2", missing("x", "b", "./6.2", 8))},
		{lacks("c", "6.1", "vermagic", "struct module"),
			reportOf("c", "6.2", missing("x", "c", "./6.2", 24), missing("y", "c", "./6.2", 32))},
	})
}

func TestFindingsAreMergedOverCells(t *testing.T) {
	m := three()
	require.Len(t, m.Findings, 3)
	x, y, note := m.Findings[0], m.Findings[1], m.Findings[2]
	assert.Equal(t, "vmlinux has no symbol called x", x.Message)
	assert.Equal(t, []At{{1, 0, ".klp.rela.vmlinux..text+0x8", false},
		{1, 1, ".klp.rela.vmlinux..text+0x8", false},
		{2, 1, ".klp.rela.vmlinux..text+0x18", false}}, x.Cells)
	assert.Equal(t, "klp-convert sympos x@vmlinux --kernel ./6.1", x.Hints[0], "of the first cell")
	assert.Len(t, y.Cells, 1)
	assert.Equal(t, diag.Note, note.Severity, "notes last")
	assert.Equal(t, []int{3}, m.Cells[0][0].Numbers())
	assert.Equal(t, []int{1, 2}, m.Cells[2][1].Numbers())

	for _, c := range []struct {
		module, kernel int
		word           string
	}{{0, 0, "loads #3"}, {1, 0, "KLP126 #1"}, {2, 0, "2 not judged"}, {2, 1, "KLP126 #1 #2"}} {
		assert.Equal(t, c.word, m.Word(&m.Cells[c.module][c.kernel]))
	}
	assert.Equal(t, "b.ko on all kernels; c.ko on 6.2", m.CellsLine(x.Cells))
	assert.Equal(t, "3 modules on 2 kernels: 2 of 6 load, 3 with findings, 1 not judged as a whole",
		m.Summary())
}

// What differs other than by the names of the cell is not the same finding.
func TestOtherFindingsAreNotMerged(t *testing.T) {
	base := missing("x", "a", "./6.1", 8)
	for name, edit := range map[string]func(d *diag.Diagnostic){
		"id":       func(d *diag.Diagnostic) { d.ID = "KLP127" },
		"severity": func(d *diag.Diagnostic) { d.Severity = diag.Note },
		"symbol":   func(d *diag.Diagnostic) { d.Symbol = "x2" },
		"message":  func(d *diag.Diagnostic) { d.Message += "2" },
		"errno":    func(d *diag.Diagnostic) { d.Cases = []diag.Case{{Errno: "ENOENT"}} },
		"hint":     func(d *diag.Diagnostic) { d.Hints = []string{"another"} },
		"kernel":   func(d *diag.Diagnostic) { d.Hints = []string{"sympos x@vmlinux --kernel ./6.1-2"} },
		"differs":  func(d *diag.Diagnostic) { d.Differences = []diag.Difference{{Part: "size"}} },
	} {
		other := missing("x", "a", "./6.2", 8)
		edit(&other)
		m := New([]Module{{"a.ko", "a.ko"}}, []string{"6.1", "6.2"},
			[][]*loader.Report{{reportOf("a", "6.1", base), reportOf("a", "6.2", other)}})
		assert.Len(t, m.Findings, 2, name)
	}
}

func TestWordsAreReplacedWhole(t *testing.T) {
	assert.Equal(t, "_ a_b _.ko ba _", replaceWord("a a_b a.ko ba a", "a", "_"))
	assert.Equal(t, "aaa", replaceWord("aaa", "a", "_"))
	assert.Equal(t, "xa", replaceWord("xa", "a", "_"))
}

// logOf is the log of a matrix, as it is read again.
func logOf(t *testing.T, m *Matrix) []SARIFResult {
	t.Helper()
	b, err := json.Marshal(m.SARIF("1"))
	require.NoError(t, err)
	results, err := ReadBaseline(b)
	require.NoError(t, err)
	return results
}

func TestBaselineLetsKnownFindingsPass(t *testing.T) {
	before := logOf(t, three())
	m := three()
	assert.False(t, m.Passes())
	m.Compare("old.sarif", before)
	assert.True(t, m.Passes())
	assert.Equal(t, 4, m.Baseline.Known, "notes do not count")
	assert.Empty(t, m.Baseline.Gone)
	assert.Zero(t, m.Baseline.Elsewhere)
	assert.Equal(t, "known KLP126 #1", m.Word(&m.Cells[1][0]))
	for _, r := range m.SARIF("1").Runs[0].Results {
		assert.Equal(t, stateUnchanged, r.State)
	}
	m.Strict = true
	assert.False(t, m.Passes(), "what was not judged is not in a baseline")
}

// A module that was built again has its findings at other places.
func TestBaselineDoesNotCountPlaces(t *testing.T) {
	with := func(offset uint64, text string) *Matrix {
		d := missing("x", "a", "./6.1", offset)
		d.Message += text
		return New([]Module{{"a.ko", "a.ko"}}, []string{"6.1"},
			[][]*loader.Report{{reportOf("a", "6.1", d)}})
	}
	m := with(8, " at 0x10")
	m.Compare("old", logOf(t, with(16, " at 0x20")))
	assert.True(t, m.Passes())
	m = with(8, " in another place")
	m.Compare("old", logOf(t, with(8, "")))
	assert.False(t, m.Passes())
}

// One of two findings that a baseline can't tell from each other is new.
func TestBaselineCountsEqualFindings(t *testing.T) {
	with := func(offsets ...uint64) *Matrix {
		r := reportOf("a", "6.1")
		for _, at := range offsets {
			r.Findings = append(r.Findings, missing("x", "a", "./6.1", at))
		}
		return New([]Module{{"a.ko", "a.ko"}}, []string{"6.1"}, [][]*loader.Report{{r}})
	}
	m := with(8, 16)
	m.Compare("old", logOf(t, with(8)))
	assert.False(t, m.Passes())
	assert.Equal(t, 1, m.Baseline.Known)
	assert.False(t, m.Findings[0].Known())
}

func TestBaselineSaysWhatIsGone(t *testing.T) {
	before := logOf(t, three())
	m := New([]Module{{"b.ko", "b.ko"}, {"c.ko", "c.ko"}}, []string{"6.2"}, [][]*loader.Report{
		{reportOf("b", "6.2", missing("x", "b", "./6.2", 8))},
		{reportOf("c", "6.2", missing("y", "c", "./6.2", 8))},
	})
	m.Compare("old.sarif", before)
	assert.True(t, m.Passes())
	require.Len(t, m.Baseline.Gone, 1)
	assert.Equal(t, "c.ko", m.Baseline.Gone[0].Module())
	assert.Contains(t, m.Baseline.Gone[0].Message.Text, "symbol called x")
	assert.Equal(t, 3, m.Baseline.Elsewhere)
	assert.Equal(t, "Compared with old.sarif: 2 findings known, 1 gone; 3 of modules and kernels "+
		"that were not checked.", m.Baseline.String())

	// The log of this run says so, and is no baseline that still has it.
	results := m.SARIF("1").Runs[0].Results
	assert.Equal(t, stateAbsent, results[len(results)-1].State)
	assert.Len(t, logOf(t, m), 2)
}

func TestOtherFilesAreNoBaseline(t *testing.T) {
	log := func(result string) string {
		return `{"version":"2.1.0","runs":[{"results":[` + result + `]}]}`
	}
	_, err := ReadBaseline([]byte(log("")))
	require.NoError(t, err)
	const whole = `{"ruleId":"KLP126","partialFingerprints":{"klpConvertFinding/v1":"1"},` +
		`"properties":{"module":"a","kernel":"b"}}`
	_, err = ReadBaseline([]byte(log(whole)))
	require.NoError(t, err)
	for _, text := range []string{"", "no JSON", "{}", `{"version":"2.0.0","runs":[{}]}`,
		`{"version":"2.1.0","runs":[{},{}]}`, log(`{"ruleId":"X"}`),
		log(strings.Replace(whole, "klpConvertFinding/v1", "other", 1)),
		log(strings.Replace(whole, `"module":"a",`, "", 1)),
		log(strings.Replace(whole, `"b"`, `2`, 1))} {
		_, err := ReadBaseline([]byte(text))
		assert.Error(t, err, text)
	}
}

type junitFile struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Skipped  int `xml:"skipped,attr"`
	Suites   []struct {
		Name     string `xml:"name,attr"`
		Failures int    `xml:"failures,attr"`
		Cases    []struct {
			Class   string `xml:"classname,attr"`
			Name    string `xml:"name,attr"`
			Failure *struct {
				Type    string `xml:"type,attr"`
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
			Out string `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func readJUnit(t *testing.T, m *Matrix) (f junitFile) {
	t.Helper()
	require.NoError(t, xml.Unmarshal(m.JUnit(), &f), "%s", m.JUnit())
	return f
}

func TestJUnitHasASuiteForEachModule(t *testing.T) {
	m := three()
	f := readJUnit(t, m)
	assert.Equal(t, []int{6, 3, 1}, []int{f.Tests, f.Failures, f.Skipped})
	require.Len(t, f.Suites, 3)
	assert.Equal(t, 2, f.Suites[1].Failures)
	c := f.Suites[2].Cases
	require.Len(t, c, 2)
	assert.Equal(t, "loads, as far as its files tell: 2 not judged", c[0].Skipped.Message)
	assert.Equal(t, "6.2", c[1].Name)
	assert.Equal(t, "KLP126", c[1].Failure.Type)
	assert.Equal(t, "c: symbol 'x' not found in symbol table", c[1].Failure.Message)
	assert.Contains(t, c[1].Failure.Text, "called y [KLP126]")
	assert.Contains(t, c[1].Failure.Text, "fix: klp-convert sympos y@vmlinux --kernel ./6.2\n")
	assert.Contains(t, f.Suites[0].Cases[0].Out, "note: works")

	m.Strict = true
	f = readJUnit(t, m)
	assert.Equal(t, []int{6, 4, 0}, []int{f.Tests, f.Failures, f.Skipped})
	m = three()
	m.Compare("old", logOf(t, three()))
	f = readJUnit(t, m)
	assert.Equal(t, []int{6, 0, 1}, []int{f.Tests, f.Failures, f.Skipped})
	assert.Contains(t, f.Suites[1].Cases[0].Out, "known finding")
}

// What a file can be called, XML may not hold.
func TestJUnitEscapesHostileNames(t *testing.T) {
	f := readJUnit(t, hostile())
	assert.Equal(t, "a\uFFFD<script>\"&'\uFFFD.ko", f.Suites[0].Name)
	assert.Contains(t, f.Suites[0].Cases[0].Failure.Text, "</failure>]]>&amp;")
}

// hostile is a matrix whose names are markup, quotes and control characters.
func hostile() *Matrix {
	evil := "</failure>]]>&amp;<img src=x onerror=alert(1)>\x1b[2J\u202e' \" `<b>` \xff"
	d := missing(evil, evil, evil, 8)
	d.Section = evil
	d.Places = []string{evil}
	d.Differences = []diag.Difference{{Part: evil, Declared: evil, Kernel: evil, Why: evil}}
	r := reportOf(evil, evil, d)
	r.Warnings = []string{evil}
	other := lacks(evil, evil, evil)
	other.Unchecked[0].Why = evil
	m := New([]Module{{evil, "a\x00<script>\"&'\xff.ko"}, {evil + "2", evil}}, []string{evil},
		[][]*loader.Report{{r}, {other}})
	m.Compare(evil, []SARIFResult{{RuleID: evil, Message: SARIFText{Text: evil},
		Properties: map[string]any{"module": evil, "kernel": evil}}})
	return m
}

func TestJSONOfSeveralModulesHasEachFindingOnce(t *testing.T) {
	m := three()
	all, ok := m.JSON().(MatrixJSON)
	require.True(t, ok)
	assert.False(t, all.Loads)
	assert.True(t, all.Modules[0].Loads)
	assert.Len(t, all.Findings, 3)
	assert.Len(t, all.Findings[0].Cells, 3)
	assert.Equal(t, []int{0, 1}, all.Cells[2][1].Findings)
	assert.Equal(t, "c: symbol 'x' not found in symbol table", all.Cells[2][1].Verdict)
	assert.Equal(t, 2, all.Cells[2][0].NotJudged)
	assert.Equal(t, []AtJSON{{Module: 2}}, all.Unchecked[0].Cells)
}
