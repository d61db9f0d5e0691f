// SPDX-License-Identifier: GPL-2.0-or-later

// Command bench prints one table: what klp-convert needs for each kind of question, compared
// with a public tool that does as much on the same file. make bench runs it, docs/performance.md
// has its table and says how to read it.
//
//	bench -tool PROGRAM [-run REGEXP] [-pairs N] [-doc FILE]
//
// A contest runs commands in turns, each in a process of its own (run.go); rows.go and
// kernels.go say which commands and on what; work.go makes the inputs; limit.go has what is
// asked of a line; stats.go and table.go make lines of measurements.
package main

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "work" {
		return work(args[1:])
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	tool := flags.String("tool", "bin/klp-convert", "the `program` to measure")
	chosen := flags.String("run", "", "only questions that match this `regexp`")
	pairs := flags.Int("pairs", 10, "run each command at least `N` times")
	doc := flags.String("doc", "", "put the table into this `file`, between its markers")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	filter, err := regexp.Compile(*chosen)
	switch {
	case err != nil:
		return err
	case *pairs < 1:
		return fmt.Errorf("-pairs %d: at least 1", *pairs)
	case *doc != "" && (*pairs < 10 || *chosen != "" && *chosen != "."):
		return errors.New("-doc: a document has all lines, of at least 10 pairs")
	case *doc != "":
		// Now, and not after all has run.
		if err := intoDocument(*doc, ""); err != nil {
			return err
		}
	}
	// The command that runs then is interrupted too, which ends this with an error, after what
	// was made is removed.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	w, err := newWorkshop(*tool)
	if err != nil {
		return err
	}
	defer os.RemoveAll(w.Dir)
	load := loadAverage()
	var answers []Answer
	for _, c := range contests() {
		var lines []Line
		for _, l := range c.Lines {
			if filter.MatchString(l.Question) {
				lines = append(lines, l)
			}
		}
		if len(lines) == 0 {
			continue
		}
		start := time.Now()
		found, err := c.Run(w, lines, *pairs)
		if err != nil {
			return err
		}
		fmt.Fprintf(stderr, "%5.0f s  %s\n", time.Since(start).Seconds(), lines[0].Question)
		answers = append(answers, found...)
	}
	if len(answers) == 0 {
		return fmt.Errorf("no question matches %q", *chosen)
	}
	text := caption(w, *pairs, load) + "\n" + table(answers) + "\n" + notReached(answers)
	if *doc != "" {
		return intoDocument(*doc, text)
	}
	_, err = io.WriteString(stdout, text)
	return err
}

// caption says when and on what the table was measured, with the load of the machine before it.
// It names no host and no path.
func caption(w *Workshop, pairs int, load string) string {
	var kernels []string
	for _, root := range w.kernels.Kept("amd64") {
		release, _, _ := strings.Cut(filepath.Base(root), "_")
		kernels = append(kernels, strings.TrimPrefix(release, "linux-image-"))
	}
	if len(kernels) == 0 {
		kernels = []string{"none"}
	}
	least := "1 pair"
	if pairs > 1 {
		least = fmt.Sprintf("%d pairs", pairs)
	}
	return fmt.Sprintf("Measured on %s: %s, load average %s before.\n"+
		"Medians of at least %s. %s.\nKernels: %s.\n",
		time.Now().UTC().Format("2006-01-02"), machine(), load, least,
		strings.Join(versions(), ", "), strings.Join(kernels, ", "))
}

// machine is the kind of this machine.
func machine() string {
	processor := runtime.GOARCH
	text, _ := os.ReadFile("/proc/cpuinfo")
	if m := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindSubmatch(text); m != nil {
		processor = string(m[1])
	}
	words := fmt.Sprintf("%s, %d processors", processor, runtime.NumCPU())
	text, _ = os.ReadFile("/proc/meminfo")
	var kib int64
	if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kib); err == nil {
		words += fmt.Sprintf(", %d GiB of memory", (kib+1<<19)>>20)
	}
	return words
}

// loadAverage is how many processes ran or waited for a processor in the last minute.
func loadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg")
	load, _, _ := strings.Cut(string(text), " ")
	return cmp.Or(load, "unknown")
}

// versions are those of the programs that are compared with.
func versions() []string {
	all := []string{runtime.Version()}
	for _, program := range []string{"objcopy", "xz", "zstd", "cp"} {
		out, err := exec.Command(program, "--version").Output()
		if err != nil {
			continue
		}
		first, _, _ := strings.Cut(string(out), "\n")
		version := regexp.MustCompile(`\d+\.[\d.]+`).FindString(first)
		all = append(all, program+" "+version)
	}
	return all
}

// The markers of the part of a document that the table replaces.
const (
	beginMarker = "<!-- make bench: begin -->\n"
	endMarker   = "<!-- make bench: end -->\n"
)

// intoDocument replaces what is between the markers of the file. An empty text changes nothing:
// it asks whether the markers are there.
func intoDocument(path, text string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin := bytes.Index(page, []byte(beginMarker))
	end := bytes.Index(page, []byte(endMarker))
	if begin < 0 || end < begin {
		return fmt.Errorf("%s has no %q before a %q", path, strings.TrimSpace(beginMarker),
			strings.TrimSpace(endMarker))
	}
	if text == "" {
		return nil
	}
	begin += len(beginMarker)
	changed := string(page[:begin]) + "\n" + text + "\n" + string(page[end:])
	return os.WriteFile(path, []byte(changed), 0o644)
}
