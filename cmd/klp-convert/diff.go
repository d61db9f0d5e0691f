// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/klpdiff"
)

func newDiffCommand(o *options) *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "diff [flags] A.ko B.ko",
		Short: "Show what differs between two livepatch modules for the kernel",
		Long: `Show what differs between two modules for the kernel that loads them: what
they patch, klp relocations and klp symbols, annotations, undefined symbols,
versions of exports, special sections, and the module information that the
loader reads. Section and symbol numbers, order, and file offsets are ignored;
places are given by function. A module can be compared with its converted form:
each annotated reference is shown with what it became. The bytes of code and
data are not compared.

A and B may be compressed; one may be "-". Exit status 0 when nothing differs, 1
when something does.`,
		Example: `  klp-convert diff old.ko new.ko
  klp-convert diff livepatch.tmp.ko livepatch.ko  # what the conversion did
  klp-convert diff --json a.ko b.ko.xz | jq .relocations`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) != 2:
				return usagef("diff takes two files, not %d", len(args))
			case args[0] == "-" && args[1] == "-":
				return usagef("both files can't be stdin")
			}
			return o.checkColor()
		},
		ValidArgsFunction: completeModules,
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := readSide(cmd, o, args[0])
			if err != nil {
				return err
			}
			defer a.unmap()
			b, err := readSide(cmd, o, args[1])
			if err != nil {
				return err
			}
			defer b.unmap()
			d := klpdiff.Files(a.file, b.file, func(f *elfrw.File) {
				if f == a.file {
					a.release()
				} else {
					b.release()
				}
			})
			if json {
				err = writeJSON(cmd.OutOrStdout(), struct {
					A    side `json:"a"`
					B    side `json:"b"`
					Same bool `json:"same"`
					*klpdiff.Difference
				}{*a, *b, d.Same(), d})
			} else if !d.Same() {
				err = writeDifference(cmd.OutOrStdout(), a, b, d)
			}
			if err == nil && !d.Same() {
				err = errReported
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print JSON")
	return cmd
}

// side is one of the modules that are compared.
type side struct {
	Name  string         `json:"file"`
	State klpreloc.State `json:"state"`
	*input
	file *elfrw.File
}

func readSide(cmd *cobra.Command, o *options, path string) (*side, error) {
	in, err := readInput(path, cmd.InOrStdin())
	if err != nil {
		return nil, printError(cmd.ErrOrStderr(), err, o)
	}
	f, broken := in.parse()
	if f == nil {
		in.unmap()
		return nil, newReporter(cmd.ErrOrStderr(), in.name, o).report(broken)
	}
	d, found := klpreloc.Describe(f)
	found = append(found, in.found...)
	found.Sort()
	newReporter(cmd.ErrOrStderr(), in.name, o).print(found) // unreadable parts are not compared
	return &side{Name: in.name, State: d.State, input: in, file: f}, nil
}

// maxFunctions is how many functions a line about relocations names.
const maxFunctions = 6

func writeDifference(w io.Writer, a, b *side, d *klpdiff.Difference) error {
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s: %s\n+++ %s: %s\n", oneLine(a.Name), a.State, oneLine(b.Name), b.State)
	writeChanges(&out, "module information", d.Module)
	writeChanges(&out, "livepatch", d.Patches)
	if len(d.Relocations) > 0 {
		out.WriteString("\nrelocations\n")
	}
	for _, c := range d.Relocations {
		writeRelocChange(&out, c)
	}
	writeChanges(&out, "klp relocation sections", d.Sections)
	writeChanges(&out, "klp symbols", d.Symbols)
	writeChanges(&out, "annotations", d.Annotations)
	writeChanges(&out, "undefined symbols", d.Undefined)
	writeChanges(&out, "versions of exports", d.Versions)
	writeChanges(&out, "special sections: entries", d.Special)
	for _, r := range d.Remarks {
		out.WriteString("\n")
		wrapAfter(&out, 0, "note: ", clean(r))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// writeChanges prints one line for a fact that one of the modules has, and two lines for a
// fact that differs.
func writeChanges(out *strings.Builder, title string, list []klpdiff.Change) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", title)
	for _, c := range list {
		for _, v := range []struct{ sign, value string }{{"-", c.Was}, {"+", c.Is}} {
			switch v.value {
			case "":
			case klpdiff.There:
				fmt.Fprintf(out, "  %s %s\n", v.sign, clean(c.What))
			default:
				line := fmt.Sprintf("  %s %s: ", v.sign, clean(c.What))
				if len(line)+len(v.value) > lineWidth {
					line = strings.TrimSuffix(line, " ") + "\n      "
				}
				fmt.Fprintf(out, "%s%s\n", line, clean(v.value))
			}
		}
	}
}

// writeRelocChange prints what a relocation was, what it is now, and where.
func writeRelocChange(out *strings.Builder, c klpdiff.RelocChange) {
	write := func(sign, what string) {
		wrapAfter(out, 2, fmt.Sprintf("%s %dx ", sign, c.Count), clean(what))
	}
	switch {
	case c.Is == "":
		write("-", c.Was)
	case c.Was == "":
		write("+", c.Is)
	case c.Was == c.Is:
		write("~", c.Is+", moved")
	default:
		write("-", c.Was)
		write("+", c.Is)
	}
	in, label := c.In, "in "
	if c.Was == c.Is {
		in, label = c.At, ""
	}
	more := ""
	if len(in) > maxFunctions {
		more = fmt.Sprintf(" and %d more", len(in)-maxFunctions)
		in = in[:maxFunctions]
	}
	wrapAfter(out, 6, label, clean(strings.Join(in, ", ")+more))
}
