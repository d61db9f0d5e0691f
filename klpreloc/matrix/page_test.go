// SPDX-License-Identifier: GPL-2.0-or-later

package matrix

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
	"golang.org/x/net/html"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

// nodes returns the elements of a page, in their order.
func nodes(t *testing.T, page []byte) (all []*html.Node) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	require.NoError(t, err)
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for x := range n.Descendants() {
		if x.Type == html.TextNode {
			b.WriteString(x.Data)
		}
	}
	return b.String()
}

// pagesToTest are pages with all that there is.
func pagesToTest() map[string]*Matrix {
	compared := three()
	compared.Compare("old.sarif", nil)
	gone := New([]Module{{"a.ko", "a.ko"}}, []string{"6.1"},
		[][]*loader.Report{{reportOf("a", "6.1")}})
	gone.Baseline = &Baseline{File: "old", Gone: []SARIFResult{{RuleID: "KLP126",
		Message: SARIFText{Text: "6.1: text"}, Properties: map[string]any{"module": "a.ko"}}}}
	return map[string]*Matrix{"three": three(), "hostile": hostile(), "compared": compared,
		"gone": gone, "large": large(30, 6)}
}

// large has each way that a page opens something.
func large(modules, kernels int) *Matrix {
	var rows []Module
	var labels []string
	reports := make([][]*loader.Report, modules)
	for k := range kernels {
		labels = append(labels, fmt.Sprintf("6.%d.0-amd64", k))
	}
	for i := range modules {
		name := fmt.Sprintf("livepatch-%d", i)
		rows = append(rows, Module{"out/" + name + ".ko", name + ".ko"})
		for _, label := range labels {
			r := reportOf(name, label)
			for n := range i % 6 {
				d := missing(fmt.Sprintf("symbol_%d", n), name, "./"+label, uint64(8*i))
				d.Differences = []diag.Difference{{Part: "size", Declared: "4", Kernel: "8", Why: "more"}}
				r.Findings = append(r.Findings, d)
			}
			reports[i] = append(reports[i], r)
		}
	}
	return New(rows, labels, reports)
}

// Each anchor exists once, each link leads to one, nothing is loaded and nothing runs.
func TestPageIsWholeByItself(t *testing.T) {
	for name, m := range pagesToTest() {
		ids, links := map[string]int{}, []string{}
		for _, n := range nodes(t, m.HTML("1.2")) {
			if id := attribute(n, "id"); id != "" {
				ids[id]++
			}
			for _, ref := range strings.Fields(attribute(n, "aria-labelledby")) {
				links = append(links, "#"+ref)
			}
			assert.NotContains(t, []string{"script", "img", "link", "iframe", "object", "embed",
				"video", "audio", "form", "base", "svg"}, n.Data, name)
			for _, a := range n.Attr {
				assert.False(t, strings.HasPrefix(a.Key, "on"), "%s: %s", name, a.Key)
				assert.NotContains(t, []string{"src", "srcset", "style", "background"}, a.Key, name)
				if a.Key == "href" {
					require.Equal(t, "a", n.Data, name)
					links = append(links, a.Val)
				}
			}
			if n.Data == "style" {
				assert.NotContains(t, textOf(n), "url(", name)
				assert.NotContains(t, textOf(n), "@import", name)
			}
			if n.Data == "meta" {
				assert.NotEqual(t, "refresh", attribute(n, "http-equiv"), name)
			}
		}
		for id, n := range ids {
			assert.Equal(t, 1, n, "%s: %s", name, id)
		}
		require.GreaterOrEqual(t, len(links), 3, name)
		for _, l := range links {
			if anchor, ok := strings.CutPrefix(l, "#"); ok {
				assert.Equal(t, 1, ids[anchor], "%s: %s", name, l)
			} else {
				assert.True(t, strings.HasPrefix(l, documents), "%s: %s", name, l)
			}
		}
	}
}

// Names of files, modules, symbols and kernels are text, whatever they hold.
func TestPageEscapesHostileNames(t *testing.T) {
	page := hostile().HTML("<1>")
	for _, n := range nodes(t, page) {
		assert.NotEqual(t, "b", n.Data)
		assert.NotEqual(t, "img", n.Data)
	}
	text := textOf(nodes(t, page)[0])
	assert.Contains(t, text, "<img src=x onerror=alert(1)>")
	assert.Contains(t, text, "klp-convert <1>")
	for _, r := range string(page) {
		assert.False(t, r < ' ' && r != '\n' || r == '\u202e', "%q", r)
	}
	// The same elements as with harmless names.
	elements := func(page []byte) (names []string) {
		for _, n := range nodes(t, page) {
			names = append(names, n.Data)
		}
		return names
	}
	harmless := hostile()
	for i := range harmless.Modules {
		harmless.Modules[i] = Module{"a.ko", "a.ko"}
	}
	harmless.Kernels[0].Label, harmless.Kernels[0].Name = "6.1", "6.1"
	assert.Equal(t, elements(harmless.HTML("1")), elements(page))
}

// A cell leads to its findings; each has its fix, and the text of the reference.
func TestCellsLeadToFixes(t *testing.T) {
	all := nodes(t, three().HTML("1"))
	byID := map[string]*html.Node{}
	for _, n := range all {
		byID[attribute(n, "id")] = n
	}
	cell := byID["c3-2"]
	require.NotNil(t, cell)
	assert.Contains(t, textOf(cell), "c: symbol 'x' not found in symbol table")
	var to []string
	for n := range cell.Descendants() {
		if n.Data == "a" {
			to = append(to, attribute(n, "href"))
		}
	}
	assert.Equal(t, []string{"#f1", "#f2"}, to)
	finding := textOf(byID["f2"])
	assert.Contains(t, finding, "klp-convert sympos y@vmlinux --kernel ./6.2")
	e := diag.Lookup("KLP126")
	assert.Contains(t, finding, "Fix: "+strings.ReplaceAll(e.Fix, "`", ""))
	assert.Contains(t, finding, strings.ReplaceAll(e.Kernel, "`", ""))
	assert.Contains(t, textOf(byID["u1"]), "vermagic: no file")
	heads := 0
	for _, n := range all {
		if n.Data == "th" {
			heads++
			assert.Contains(t, []string{"row", "col"}, attribute(n, "scope"))
		}
	}
	assert.Equal(t, 3+1+2, heads)
}

// The reference of each id can be written.
func TestPageHasTheReferenceOfEachID(t *testing.T) {
	for _, e := range diag.Catalogue() {
		p := new(page)
		writeReference(p, e)
		all := nodes(t, []byte(p.String()))
		text := ""
		for _, n := range all {
			if n.Data == "details" {
				text = textOf(n)
			}
		}
		assert.Contains(t, text, strings.ReplaceAll(e.Fix, "`", ""), e.ID)
		assert.NotContains(t, text, "`", e.ID)
		assert.True(t, slices.ContainsFunc(all, func(n *html.Node) bool {
			return attribute(n, "href") == documents+"errors.md#"+string(e.ID)
		}), e.ID)
	}
}

// The same matrix gives the same bytes.
func TestFormatsAreReproducible(t *testing.T) {
	assert.Equal(t, string(large(9, 3).HTML("1")), string(large(9, 3).HTML("1")))
	assert.Equal(t, string(large(9, 3).JUnit()), string(large(9, 3).JUnit()))
}
