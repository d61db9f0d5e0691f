// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// reporter prints diagnostics about one file.
type reporter struct {
	w     io.Writer
	file  string
	least diag.Severity // that is printed
	color bool
}

func newReporter(w io.Writer, file string, o *options) *reporter {
	r := &reporter{
		w: w, file: oneLine(file), least: diag.Warning, color: useColor(w, o.color),
	}
	switch {
	case o.verbose:
		r.least = diag.Note
	case o.quiet:
		r.least = diag.Error
	}
	return r
}

// oneLine returns a file's name, quoted if it has characters that are not printable.
func oneLine(name string) string {
	for _, c := range name {
		if !strconv.IsPrint(c) {
			return strconv.Quote(name)
		}
	}
	return name
}

func useColor(w io.Writer, when string) bool {
	switch when {
	case "always":
		return true
	case "never":
		return false
	}
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" &&
		term.IsTerminal(int(f.Fd()))
}

var severityColor = map[diag.Severity]string{
	diag.Note:    "\x1b[36m",
	diag.Warning: "\x1b[35m",
	diag.Error:   "\x1b[31m",
}

// maxPerID is how many diagnostics of one id are printed; --json has all.
const maxPerID = 50

// report prints the diagnostics that are severe enough. It returns errReported if there is an
// error among them.
func (r *reporter) report(found diag.List) error {
	r.print(found)
	if found.Failed() {
		return errReported
	}
	return nil
}

func (r *reporter) print(found diag.List) {
	var b strings.Builder
	counts := map[diag.ID]int{}
	for i, d := range found {
		if d.Severity < r.least {
			continue
		}
		if counts[d.ID]++; counts[d.ID] > maxPerID {
			last := i == len(found)-1 ||
				found[i+1].ID != d.ID || found[i+1].Severity != d.Severity
			if last {
				fmt.Fprintf(&b, "%s: %s: klp-convert: and %d more like this [%s]\n",
					r.file, r.severity(d.Severity), counts[d.ID]-maxPerID, d.ID)
			}
			continue
		}
		fmt.Fprintf(&b, "%s: %s: klp-convert: %s [%s]\n",
			r.file, r.severity(d.Severity), clean(d.String()), d.ID)
		for _, line := range differenceLines(d.Differences) {
			fmt.Fprintf(&b, "    %s\n", clean(line))
		}
		for _, line := range alsoAt(d.Places) {
			fmt.Fprintf(&b, "    %s\n", clean(line))
		}
		for _, h := range d.Hints {
			fmt.Fprintf(&b, "    %s\n", clean(h))
		}
	}
	fmt.Fprint(r.w, b.String())
}

// maxPlaces is how many further places of one cause are printed; --json has all.
const maxPlaces = 20

// alsoAt returns the lines that list further places of one cause.
func alsoAt(places []string) []string {
	const width = 100
	var lines []string
	line := ""
	shown := places[:min(len(places), maxPlaces)]
	for i, p := range shown {
		if i < len(shown)-1 {
			p += ","
		} else if n := len(places) - len(shown); n > 0 {
			p += fmt.Sprintf(" and %d more", n)
		}
		switch {
		case line == "":
			line = "also " + p
		case len(line)+1+len(p) > width:
			lines = append(lines, line)
			line = "     " + p
		default:
			line += " " + p
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func (r *reporter) severity(s diag.Severity) string {
	if !r.color {
		return s.String()
	}
	return severityColor[s] + s.String() + "\x1b[0m"
}

// printError prints an error about a file as a diagnostic, and returns any other error.
func printError(w io.Writer, err error, o *options) error {
	var named *namedError
	if !errors.As(err, &named) {
		return err
	}
	return newReporter(w, named.name, o).report(diag.List{named.diagnostic()})
}

func (e *namedError) diagnostic() diag.Diagnostic {
	return diag.Diagnostic{
		ID: diag.FileAccess, Severity: diag.Error, Message: e.err.Error(),
	}
}
