// SPDX-License-Identifier: GPL-2.0-or-later

package matrix

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

// GitHub shows 1024 characters of a description.
func TestRulesOfSARIFAreMadeOfTheCatalogue(t *testing.T) {
	for _, e := range diag.Catalogue() {
		rule := sarifRuleOf(e)
		assert.Equal(t, diag.Plain(e.Title), rule.ShortDescription.Text)
		assert.LessOrEqual(t, len(rule.FullDescription.Text), 1024, e.ID)
		assert.NotEmpty(t, rule.FullDescription.Text, e.ID)
		assert.Contains(t, rule.Help.Markdown, e.Fix)
		assert.NotContains(t, rule.Help.Text, "`", e.ID)
	}
	assert.Equal(t, "error", sarifRuleOf(diag.Lookup("KLP126")).Configuration.Level)
	assert.Equal(t, "note", sarifRuleOf(diag.Lookup("KLP150")).Configuration.Level)
}

// An empty list of results is no promise if files are missing.
func TestSARIFSaysWhatWasNotJudged(t *testing.T) {
	lacking := loader.Unchecked{What: "vermagic", Why: "nothing tells", NotJudged: true}
	known := loader.Unchecked{What: "what the code does", Why: "semantics"}
	report := &loader.Report{Unchecked: []loader.Unchecked{lacking, known}}
	m := New([]Module{{"x.ko", "x.ko"}}, []string{"6.1"}, [][]*loader.Report{{report}})
	want := []SARIFNotification{{Level: "note",
		Message: SARIFText{Text: "6.1: not judged: vermagic: nothing tells"}}}
	assert.Equal(t, want, m.SARIF("1").Runs[0].Invocations[0].Notifications)
	// Of several modules, it says of which.
	m = New([]Module{{"x.ko", "x.ko"}, {"y.ko", "y.ko"}}, []string{"6.1"},
		[][]*loader.Report{{report}, {report}})
	list := m.SARIF("1").Runs[0].Invocations[0].Notifications
	if assert.Len(t, list, 1) {
		assert.Len(t, list[0].Locations, 2)
	}
}

func TestSARIFSaysWhereTheFileIs(t *testing.T) {
	assert.Equal(t, SARIFArtifact{"file:///a%20b/x.ko", ""}, artifactOf("/a b/x.ko"))
	assert.Equal(t, SARIFArtifact{"out/x.ko", "%SRCROOT%"}, artifactOf("out/x.ko"))
	assert.Equal(t, SARIFArtifact{"./a:b.ko", "%SRCROOT%"}, artifactOf("a:b.ko"))
	assert.Equal(t, SARIFArtifact{"stdin", ""}, artifactOf("<stdin>"))
}
