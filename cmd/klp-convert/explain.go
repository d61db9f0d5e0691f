// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/exp/slices"
	"golang.org/x/term"

	"github.com/klp-convert/klp-convert/klpreloc/explain"
	"github.com/klp-convert/klp-convert/sympos/content"
)

func newExplainCommand(o *options) *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "explain [flags] [TEXT... | -]",
		Short: "Explain a message: its meaning, its causes, their fixes",
		Long: `Explain a message of the kernel, insmod, modprobe, modpost, klp-convert or
another livepatch tool: what it means, its causes, the likeliest first, and how
to fix each. TEXT is a message or the id of one of klp-convert's (KLP043).
Without TEXT, or with "-", lines are read from stdin. That can be a whole log:
unknown lines are skipped, and a repeated message is explained once.

Exit status 1 when no message was recognised.`,
		Example: `  klp-convert explain "livepatch: symbol 'foo' not found in symbol table"
  klp-convert explain KLP043
  dmesg | klp-convert explain
  journalctl -k -b -1 | klp-convert explain --json | jq '.[].id'`,
		Args: func(_ *cobra.Command, args []string) error {
			if slices.Contains(args, "-") && len(args) > 1 {
				return usagef("explain takes a text or, for stdin, \"-\"")
			}
			return o.checkColor()
		},
		ValidArgsFunction: completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			text := strings.Join(args, " ")
			in, head := io.Reader(strings.NewReader(text)), &headWriter{}
			if len(args) == 0 || text == "-" {
				in = cmd.InOrStdin()
				if f, ok := in.(*os.File); ok && len(args) == 0 && term.IsTerminal(int(f.Fd())) {
					fmt.Fprintln(cmd.ErrOrStderr(), "reading messages from the terminal; end with Ctrl-D")
				}
			}
			found, err := explain.Read(io.TeeReader(in, head))
			if err != nil {
				return fileError("<stdin>", err)
			}
			if json {
				err = writeJSON(cmd.OutOrStdout(), append([]*explain.Explanation{}, found...))
			} else {
				err = writeExplanations(cmd.OutOrStdout(), found)
			}
			if err != nil || len(found) > 0 {
				return err
			}
			if is, binary := content.Binary(head.b); binary {
				return fmt.Errorf("no known message: this is %s; give the kernel's log or a message", is.What)
			}
			return fmt.Errorf("no known message; docs/messages.md and docs/errors.md list all")
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print a JSON array: {id, lines, …, causes, doc}")
	return cmd
}

// headWriter keeps the beginning of what is written to it, which is enough to recognise files.
type headWriter struct{ b []byte }

func (w *headWriter) Write(b []byte) (int, error) {
	const most = 128 << 10
	w.b = append(w.b, b[:min(len(b), most-len(w.b))]...)
	return len(b), nil
}

func writeExplanations(w io.Writer, found []*explain.Explanation) error {
	var b strings.Builder
	for i, x := range found {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, l := range x.Lines {
			fmt.Fprintln(&b, clean(l))
		}
		wrap(&b, 4, clean(x.Means))
		for _, d := range x.Details {
			b.WriteByte('\n')
			wrap(&b, 4, d)
		}
		for n, c := range x.Cases {
			if n == 0 {
				b.WriteByte('\n')
			}
			wrapAfter(&b, 4, "- ", c)
		}
		for n, c := range x.Causes {
			number := fmt.Sprintf("%d. ", n+1)
			if c.Why == "" { // the fix of all causes
				number = "Fix: "
			}
			b.WriteByte('\n')
			when := ""
			if c.When != "" {
				when = "Kernels " + c.When + ": "
			}
			wrapAfter(&b, 4, number, clean(when+strings.TrimSpace(c.Why+" "+c.Fix)))
			for _, run := range c.Run {
				fmt.Fprintf(&b, "           %s\n", clean(run))
			}
		}
		from := x.From
		if x.When != "" {
			from += " (" + x.When + ")"
		}
		b.WriteByte('\n')
		wrapAfter(&b, 4, "from  ", from)
		wrapAfter(&b, 4, "more  ", x.Doc)
		for _, s := range x.See {
			wrapAfter(&b, 4, "      ", s)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// width is the length of a line of prose: two columns of a terminal are left for quotation
// marks or the like.
const width = 78

// wrap prints text in lines of at most width, indented.
func wrap(b *strings.Builder, indent int, text string) { wrapAfter(b, indent, "", text) }

// wrapAfter is wrap with a label before the first line.
func wrapAfter(b *strings.Builder, indent int, label, text string) {
	margin := strings.Repeat(" ", indent)
	line := margin + label
	margin += strings.Repeat(" ", len(label))
	first := true
	for _, word := range strings.Fields(text) {
		switch {
		case first:
			line += word
		case len(line)+1+len(word) > width:
			fmt.Fprintln(b, line)
			line = margin + word
		default:
			line += " " + word
		}
		first = false
	}
	fmt.Fprintln(b, line)
}
