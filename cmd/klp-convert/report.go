// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/klp-convert/klp-convert/klpreloc"
)

// reporter prints diagnostics about one file.
type reporter struct {
	w     io.Writer
	file  string
	least klpreloc.Severity // what is shown
	color bool
}

func newReporter(w io.Writer, file string, o *options) *reporter {
	r := &reporter{w: w, file: file, least: klpreloc.Warning, color: useColor(w, o.color)}
	switch {
	case o.verbose:
		r.least = klpreloc.Note
	case o.quiet:
		r.least = klpreloc.Error
	}
	return r
}

func useColor(w io.Writer, when string) bool {
	switch when {
	case "always":
		return true
	case "never":
		return false
	}
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

var severityColor = map[klpreloc.Severity]string{
	klpreloc.Note:    "\x1b[36m",
	klpreloc.Warning: "\x1b[35m",
	klpreloc.Error:   "\x1b[31m",
}

// report prints what is severe enough and returns errReported when an error is
// among it.
func (r *reporter) report(found klpreloc.Diagnostics) error {
	var b strings.Builder
	for _, d := range found {
		if d.Severity < r.least {
			continue
		}
		fmt.Fprintf(&b, "%s: %s: klp-convert: %s [%s]\n", r.file, r.severity(d.Severity), d, d.ID)
		for _, h := range d.Hints {
			fmt.Fprintf(&b, "    %s\n", h)
		}
	}
	io.WriteString(r.w, b.String())
	if found.Failed() {
		return errReported
	}
	return nil
}

func (r *reporter) severity(s klpreloc.Severity) string {
	if !r.color {
		return s.String()
	}
	return severityColor[s] + s.String() + "\x1b[0m"
}

// printError prints an error that belongs to a file as the diagnostic that it
// is, and passes on any other.
func printError(w io.Writer, err error, o *options) error {
	var named *namedError
	if !errors.As(err, &named) {
		return err
	}
	return newReporter(w, named.name, o).report(klpreloc.Diagnostics{named.diagnostic()})
}

func (e *namedError) diagnostic() klpreloc.Diagnostic {
	return klpreloc.Diagnostic{ID: klpreloc.FileAccess, Severity: klpreloc.Error, Message: e.err.Error()}
}
