// SPDX-License-Identifier: GPL-2.0-or-later

package explain_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/explain"
)

var update = flag.Bool("update", false, "write docs/messages.md and the list in docs/errors.md")

const (
	document    = "../../docs/messages.md"
	diagnostics = "../../docs/errors.md"
)

// docs/messages.md is the table.
func TestDocumentIsTheTable(t *testing.T) {
	want := markdown()
	if *update {
		require.NoError(t, os.WriteFile(document, []byte(want), 0o644))
	}
	have, err := os.ReadFile(document)
	require.NoError(t, err)
	assert.Equal(t, want, string(have), "go test ./klpreloc/explain -update")
}

// docs/errors.md lists each message of the kernel, with the ids by which check
// foretells it.
func TestListOfKernelMessagesIsTheTable(t *testing.T) {
	b, err := os.ReadFile(diagnostics)
	require.NoError(t, err)
	const begin, end = "<!-- messages: made by go test ./klpreloc/explain -update -->\n", "<!-- end of messages -->"
	before, rest, ok := strings.Cut(string(b), begin)
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := before + begin + kernelMessages(foretold(t, before)) + end + after
	if *update {
		require.NoError(t, os.WriteFile(diagnostics, []byte(want), 0o644))
	}
	assert.Equal(t, want, string(b), "go test ./klpreloc/explain -update")
}

// foretold returns for each wording the ids of check whose sections quote it. A message that is quoted and not known is a mistake.
func foretold(t *testing.T, text string) map[*explain.Form][]string {
	t.Helper()
	section := regexp.MustCompile(`(?s)## (KLP1\d\d)[^\n]*\n\nThe kernel says(?: \w+)*: (.*?)\n\nFrom:`)
	quoted := regexp.MustCompile("`([^`]+)`")
	verb := regexp.MustCompile(`%[0-9]*[a-zA-Z]+`)
	ids := map[*explain.Form][]string{}
	for _, m := range section.FindAllStringSubmatch(text, -1) {
		for _, q := range quoted.FindAllStringSubmatch(m[2], -1) {
			if strings.Contains(q[1], "…") || !strings.Contains(q[1], " ") {
				continue // a part of one, or no message
			}
			line := strings.ReplaceAll(q[1], "(null)", "vmlinux")
			line = strings.NewReplacer("%u", "7", "%d", "7", "%lu", "7", "%llu", "7", "%Lx", "7f", "%08x", "00000007", "%pS", "f+0x0/0x4").Replace(line)
			f := explain.FormOf(verb.ReplaceAllString(line, "name"))
			if assert.NotNil(t, f, "%s: %s", m[1], q[1]) && !slices.Contains(ids[f], m[1]) {
				ids[f] = append(ids[f], m[1])
			}
		}
	}
	require.Greater(t, len(ids), 20)
	return ids
}

// kernelMessages is a table for each of the kernel's groups, a line for each wording.
func kernelMessages(foretold map[*explain.Form][]string) string {
	var b strings.Builder
	for _, g := range explain.Groups() {
		speaker, ok := strings.CutPrefix(g.Title, "The kernel: ")
		if !ok {
			continue
		}
		fmt.Fprintf(&b, "\n### Kernel: %s\n\n| message | printed by | meaning, mending | check |\n|---|---|---|---|\n", speaker)
		for _, e := range g.Entries {
			for i, f := range e.Forms {
				var ids []string
				for _, id := range foretold[&e.Forms[i]] {
					ids = append(ids, fmt.Sprintf("[%s](#%s)", id, id))
				}
				anchor := "message-" + e.ID
				if i > 0 {
					anchor = fmt.Sprintf("%s-%d", anchor, i+1)
				}
				fmt.Fprintf(&b, "| <a id=%q></a>%s | %s | [%s](messages.md#%s) | %s |\n", anchor, cell(capitals(f.Text)), f.When, e.ID, e.ID, strings.Join(ids, " "))
			}
		}
	}
	return b.String() + "\n"
}

// cell is text as code in a table.
func cell(s string) string {
	s = strings.ReplaceAll(s, "|", "\\|")
	if strings.Contains(s, "`") {
		return "`` " + s + " ``"
	}
	return "`" + s + "`"
}

const opening = `# Messages

What the kernel, the programs that load modules, modpost and other livepatch tools say, what it means, and what
to do. What klp-convert itself says is in [errors.md](errors.md). Paste a message, or a whole log, and only what is
about it is shown, with the names that stand in it:

    $ klp-convert explain "livepatch: symbol 'foo' not found in symbol table"
    $ dmesg | klp-convert explain

Words in capitals in a message stand for what varies. Where a wording, or a line like "Linux version 6.1.192" in what
you paste, tells which kernels it can be, causes of other kernels are left out; here they say which they are for. This page is made from the table in klpreloc/explain by
` + "`go test ./klpreloc/explain -update`" + `; edit the table.
`

func markdown() string {
	var b strings.Builder
	b.WriteString(opening)
	for _, g := range explain.Groups() {
		fmt.Fprintf(&b, "\n- %s:", g.Title)
		for i, e := range g.Entries {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "\n  [%s](#%s)", e.ID, e.ID)
		}
	}
	b.WriteByte('\n')
	for _, g := range explain.Groups() {
		fmt.Fprintf(&b, "\n# %s\n", g.Title)
		for _, e := range g.Entries {
			writeEntry(&b, &e)
		}
	}
	return b.String()
}

func writeEntry(b *strings.Builder, e *explain.Entry) {
	// The heading is the anchor.
	fmt.Fprintf(b, "\n## %s\n\n```\n", e.ID)
	when := false
	for _, f := range e.Forms {
		fmt.Fprintln(b, capitals(f.Text))
		when = when || f.When != ""
	}
	fmt.Fprintf(b, "```\n\nFrom: %s.", e.From)
	if when {
		b.WriteString(versions(e))
	}
	fmt.Fprintf(b, "\n\n%s\n", mark(capitals(e.Means)))
	if len(e.Causes) > 0 {
		b.WriteByte('\n')
	}
	for i, c := range e.Causes {
		when := ""
		if c.When != "" {
			when = "Kernels " + c.When + ": "
		}
		fmt.Fprintf(b, "%d. %s%s %s\n", i+1, when, mark(capitals(c.Why)), mark(capitals(c.Fix)))
		if len(c.Run) > 0 {
			b.WriteString("\n   ```\n")
			for _, r := range c.Run {
				fmt.Fprintf(b, "   %s\n", capitals(r))
			}
			b.WriteString("   ```\n\n")
		}
	}
}

// versions says which kernels print which form: once where all are alike.
func versions(e *explain.Entry) string {
	for _, f := range e.Forms {
		if f.When != e.Forms[0].When {
			var all []string
			for i, f := range e.Forms {
				if f.When != "" {
					all = append(all, fmt.Sprintf("%d. %s", i+1, f.When))
				}
			}
			return " Lines: " + strings.Join(all, "; ") + "."
		}
	}
	return " Printed by: " + e.Forms[0].When + "."
}

var (
	name    = regexp.MustCompile(`\{(\w+)\}`)
	special = regexp.MustCompile(`([*_<\x60\[\]|])`)
)

func capitals(s string) string {
	return name.ReplaceAllStringFunc(s, func(n string) string { return strings.ToUpper(n[1 : len(n)-1]) })
}

func mark(s string) string { return special.ReplaceAllString(s, `\$1`) }
