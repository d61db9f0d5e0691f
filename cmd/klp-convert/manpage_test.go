// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// The manual pages are written by hand, in man(7), one page for each command. The tests
// compare what they name with the commands.

// manPages fills the pages in as make man does, and returns their paths.
func manPages(t *testing.T) (paths []string) {
	t.Helper()
	sources, err := filepath.Glob("man/*.1.in")
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	fill := strings.NewReplacer("@DATE@", "2017-07-14", "@VERSION@", "1.2",
		"@DATADIR@", "/usr/share/klp-convert", "@DOCDIR@", "/usr/share/doc/klp-convert")
	dir := t.TempDir()
	for _, source := range sources {
		path := filepath.Join(dir, strings.TrimSuffix(filepath.Base(source), ".in"))
		require.NoError(t, os.WriteFile(path, []byte(fill.Replace(string(read(t, source)))), 0o644))
		paths = append(paths, path)
	}
	return paths
}

// commandsWithPage returns all commands but those that cobra adds, which the first page
// describes.
func commandsWithPage(root *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{root}
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() && cmd.Name() != "completion" {
			all = append(all, cmd)
		}
	}
	return all
}

// renderPage returns a page as man shows it.
func renderPage(t *testing.T, path string) string {
	t.Helper()
	need.Tools(t, "man")
	cmd := exec.Command("man", "--warnings", "-l", path)
	cmd.Env = append(os.Environ(), "MANWIDTH=80", "MANPAGER=cat", "PAGER=cat",
		"LC_ALL=C.UTF-8", "MANROFFOPT=", "GROFF_NO_SGR=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), stderr.String())
	assert.Empty(t, stderr.String(), path)
	return stdout.String()
}

var rendered map[string]string

// renderedPages returns all pages as man shows them, by name. They are rendered once; the
// caller does not modify the map.
func renderedPages(t *testing.T) map[string]string {
	t.Helper()
	if rendered == nil {
		pages := map[string]string{}
		for _, path := range manPages(t) {
			pages[strings.TrimSuffix(filepath.Base(path), ".1")] = renderPage(t, path)
		}
		rendered = pages
	}
	return rendered
}

func TestManPagesPassMandocLint(t *testing.T) {
	need.Tools(t, "mandoc")
	for _, path := range manPages(t) {
		out, err := exec.Command("mandoc", "-T", "lint", "-W", "warning", path).CombinedOutput()
		assert.NoError(t, err, "%s", out)
		assert.Empty(t, string(out))
	}
}

func TestManPagesFitATerminal(t *testing.T) {
	for name, page := range renderedPages(t) {
		for _, line := range strings.Split(page, "\n") {
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, "%s: %s", name, line)
			assert.NotContains(t, line, "‐", "%s: a word is broken", name)
		}
	}
}

// A page has its command's summary, arguments, options and examples, and no others.
func TestManPagesDescribeTheCommands(t *testing.T) {
	pages := renderedPages(t)
	commands := commandsWithPage(newCommand())
	assert.Len(t, pages, len(commands))
	for _, cmd := range commands {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		sections := splitPage(pages[name])

		assert.Equal(t, name+" - "+strings.ToLower(cmd.Short[:1])+cmd.Short[1:], sections["NAME"])
		form := strings.NewReplacer("[flags]", "[options]").Replace(cmd.UseLine())
		assert.Contains(t, sections["SYNOPSIS"], form)
		assert.NotEmpty(t, sections["DESCRIPTION"], name)
		for _, status := range []string{"0", "1", "2"} {
			assert.Regexp(t, `(^| )`+status+` [A-Z]`, sections["EXIT STATUS"], name)
		}
		assert.Equal(t, strings.Join(strings.Fields(cmd.Example), " "),
			strings.ReplaceAll(sections["EXAMPLES"], `\ `, ""), name)
		for other := range pages {
			assert.Equal(t, other != name, strings.Contains(sections["SEE ALSO"], other+"(1)"),
				"%s: see also %s", name, other)
		}

		var flags []string
		cmd.InitDefaultHelpFlag()
		cmd.InitDefaultVersionFlag()
		cmd.Flags().VisitAll(func(f *pflag.Flag) { flags = append(flags, flagTag(f)) })
		assert.ElementsMatch(t, flags, optionTags(pages[name]), name)
	}
	main := splitPage(pages["klp-convert"])
	for _, cmd := range commands[1:] {
		assert.Contains(t, main["COMMANDS"], cmd.CommandPath()+" "+cmd.Short+"; see ")
	}
	assert.Contains(t, main["FILES"], "/usr/share/klp-convert/klp-convert.mk")
}

var sectionTitle = regexp.MustCompile(`(?m)^[A-Z][A-Z ]*$`)

// splitPage returns the sections of a rendered page, each with its white space folded.
func splitPage(page string) map[string]string {
	sections := map[string]string{}
	titles := sectionTitle.FindAllStringIndex(page, -1)
	for i, at := range titles {
		end := len(page)
		if i+1 < len(titles) {
			end = titles[i+1][0]
		}
		sections[page[at[0]:at[1]]] = strings.Join(strings.Fields(page[at[1]:end]), " ")
	}
	return sections
}

// flagTag is "-k, --kernel KERNEL", as the page has to name it.
func flagTag(f *pflag.Flag) string {
	tag := "--" + f.Name
	if f.Shorthand != "" && f.ShorthandDeprecated == "" {
		tag = "-" + f.Shorthand + ", " + tag
	}
	if place, _ := pflag.UnquoteUsage(f); place != "" && f.Value.Type() != "bool" {
		tag += " " + place
	}
	return tag
}

var optionTag = regexp.MustCompile(`(?m)^ {7}((?:-\w, )?--[a-z-]+(?: [A-Z]+)?)(?: {2,}.*| [A-Z].*)?$`)

// optionTags returns what the page lists as options. A short tag has the beginning of its
// text in the same line.
func optionTags(page string) (tags []string) {
	_, options, _ := strings.Cut(page, "\nOPTIONS\n")
	options, _, _ = strings.Cut(options, "\nEXIT STATUS\n")
	for _, m := range optionTag.FindAllStringSubmatch(options, -1) {
		tags = append(tags, m[1])
	}
	return tags
}

func TestManPagesNameDocumentsThatExist(t *testing.T) {
	for _, path := range manPages(t) {
		text := strings.ReplaceAll(string(read(t, path)), `\-`, "-")
		found := regexp.MustCompile(`[\w-]+\.md`).FindAllString(text, -1)
		assert.NotEmpty(t, found, path)
		for _, doc := range found {
			assert.FileExists(t, filepath.Join("../../docs", doc))
		}
	}
}
