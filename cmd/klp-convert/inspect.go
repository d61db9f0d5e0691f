// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

func newInspectCommand(o *options) *cobra.Command {
	var debugCopy string
	cmd := &cobra.Command{
		Use:   "inspect [flags] FILE",
		Short: "Show annotations, klp relocations and klp symbols of a module",
		Long: `Show a module's information, the functions that it patches, the annotations that
klp-convert would convert, its klp relocation sections and klp symbols, and its
undefined symbols. FILE may be compressed, or "-".

With --debug-copy, write a copy instead that objdump -dr, gdb and crash can
read: klp relocations become ordinary relocations of their section, klp symbols
become undefined symbols with the plain name. No kernel loads it.`,
		Example: `  klp-convert inspect livepatch.ko
  klp-convert inspect --debug-copy debug.ko livepatch.ko && objdump -dr debug.ko
  klp-convert inspect --json livepatch.ko.xz | jq .klp_symbols`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("inspect takes one file, not %d", len(args))
			}
			if debugCopy == "-" && o.inspectJSON {
				return usagef("--json and the copy can't both go to stdout")
			}
			return o.checkColor()
		},
		ValidArgsFunction: completeModules,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("debug-copy") {
				return copyForDebuggers(cmd, o, args[0], debugCopy)
			}
			return inspect(cmd, o, args[0])
		},
	}
	cmd.Flags().BoolVar(&o.inspectJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&debugCopy, "debug-copy", "",
		"write a copy for objdump, gdb and crash to `OUT`")
	return cmd
}

// inspect prints what a module is.
func inspect(cmd *cobra.Command, o *options, path string) error {
	in, err := readInput(path, cmd.InOrStdin())
	if err != nil {
		return printError(cmd.ErrOrStderr(), err, o)
	}
	defer in.unmap()
	report := newReporter(cmd.ErrOrStderr(), in.name, o)
	f, broken := in.parse()
	if f == nil {
		return report.report(broken)
	}
	d, found := klpreloc.Describe(f)
	found = append(found, in.found...)
	found.Sort()
	if o.inspectJSON {
		err = writeJSON(cmd.OutOrStdout(), struct {
			File string `json:"file"`
			*klpreloc.Description
			Diagnostics diag.List `json:"diagnostics"`
		}{in.name, d, append(diag.List{}, found...)})
	} else {
		err = writeDescription(cmd.OutOrStdout(), in.name, d)
	}
	if err != nil {
		return err
	}
	return report.report(found)
}

func writeDescription(w io.Writer, name string, d *klpreloc.Description) error {
	t := newTable(w)
	t.line("%s: %s, %s", name, d.Machine, d.State)
	if d.State != klpreloc.NoLivepatch {
		t.line("for kernels %s (%s)", d.Scheme, clean(d.SchemeWhy))
	}
	t.section("module information")
	for _, e := range d.Modinfo {
		k, v, _ := strings.Cut(e, "=")
		t.row(k, v)
	}
	if d.Signed {
		t.row("signature", "appended")
	}
	for _, p := range d.Patches {
		replace := ""
		if p.Replace != nil && *p.Replace {
			replace = ", replaces all others"
		}
		t.section("livepatch ("+p.From+replace+")", "OBJECT", "FUNCTION", "SYMPOS", "NEW FUNCTION")
		for _, o := range p.Objects {
			for _, f := range o.Functions {
				t.row(o.Name, f.Old, f.Sympos, f.New)
			}
			for _, c := range o.Callbacks {
				name, function, _ := strings.Cut(c, " ")
				t.row(o.Name, "("+name+")", "-", function)
			}
			if len(o.Functions)+len(o.Callbacks) == 0 {
				t.row(o.Name, "-", "-", "-")
			}
		}
	}
	if d.PatchDoubt != "" && d.State != klpreloc.NoLivepatch {
		var b strings.Builder
		wrapAfter(&b, 0, "livepatch: ", clean(d.PatchDoubt))
		t.line("\n%s", strings.TrimSuffix(b.String(), "\n"))
	}
	t.section("annotations", "SYMBOL", "OBJECT", "SYMPOS", "APPLIED WITH", "RELOCATIONS", "DIALECT")
	for _, a := range d.Annotations {
		pos := strconv.FormatUint(uint64(a.Pos), 10)
		if a.File != "" {
			pos = a.File
		}
		t.row(a.Name, a.Object, pos, a.LPObject, a.Relocs, a.Dialect)
	}
	t.section("klp relocation sections", "SECTION", "APPLIED WITH", "RELOCATES", "RELOCATIONS")
	for _, s := range d.KlpSections {
		t.row(s.Name, orUnreadable(s.Object), s.Target, s.Relocs)
	}
	t.section("klp symbols", "SYMBOL", "OBJECT", "SYMPOS", "RELOCATIONS")
	for _, s := range d.KlpSymbols {
		if s.Error != "" {
			t.row(s.Symbol, "unreadable", "-", s.Relocs)
			continue
		}
		t.row(s.Name, s.Object, s.Pos, s.Relocs)
	}
	t.section("undefined symbols", "SYMBOL", "BINDING", "RELOCATIONS", "MODPOST")
	for _, u := range d.Undefined {
		bind, how := "global", "unresolved"
		if u.Weak {
			bind = "weak"
		}
		switch {
		case u.Versioned:
			how = "export"
		case !d.Versions:
			how = "unknown"
		}
		t.row(u.Name, bind, u.Relocs, how)
	}
	return t.flush()
}

func orUnreadable(s string) string {
	if s == "" {
		return "unreadable"
	}
	return s
}

// clean replaces the control characters in text from a file, which may be hostile.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\uFFFD' {
			return '?'
		}
		return r
	}, s)
}
