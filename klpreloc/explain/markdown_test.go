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

	"github.com/klp-convert/klp-convert/klpreloc/explain"
)

var update = flag.Bool("update", false, "write docs/messages.md")

const document = "../../docs/messages.md"

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

const opening = `# Messages

What the kernel, the programs that load modules, modpost and other livepatch tools say, what it means, and what
to do. What klp-convert itself says is in [errors.md](errors.md). Paste a message, or a whole log, and only what is
about it is shown, with the names that stand in it:

    $ klp-convert explain "livepatch: symbol 'foo' not found in symbol table"
    $ dmesg | klp-convert explain

Words in capitals in a message stand for what varies. This page is made from the table in klpreloc/explain by
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
	fmt.Fprintf(b, "\n<a id=\"%s\"></a>\n## %s\n\n```\n", e.ID, e.ID)
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
		fmt.Fprintf(b, "%d. %s %s\n", i+1, mark(capitals(c.Why)), mark(capitals(c.Fix)))
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
