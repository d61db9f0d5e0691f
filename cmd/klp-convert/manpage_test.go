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
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/cmd/klp-convert/manpage"
	"github.com/klp-convert/klp-convert/scripts/need"
)

// manPages writes the pages and returns their paths.
func manPages(t *testing.T) (paths []string) {
	t.Helper()
	pages, err := manpage.Pages(newCommand(), manpage.Info{Version: "1.2", Date: time.Unix(1.5e9, 0), DataDir: "/usr/share/klp-convert", DocDir: "/usr/share/doc/klp-convert"})
	require.NoError(t, err)
	dir := t.TempDir()
	for name, text := range pages {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, text, 0o644))
		paths = append(paths, path)
	}
	return paths
}

// rendered is a page as man shows it.
func rendered(t *testing.T, path string, env ...string) string {
	t.Helper()
	need.Tools(t, "man")
	cmd := exec.Command("man", "--warnings", "-l", path)
	cmd.Env = append(append(os.Environ(), "MANWIDTH=80", "MANPAGER=cat", "PAGER=cat", "LC_ALL=C.UTF-8", "MANROFFOPT=", "GROFF_NO_SGR=1"), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), stderr.String())
	assert.Empty(t, stderr.String(), path)
	return stdout.String()
}

func TestManPagesAreFlawless(t *testing.T) {
	need.Tools(t, "mandoc")
	for _, path := range manPages(t) {
		out, err := exec.Command("mandoc", "-T", "lint", "-W", "warning", path).CombinedOutput()
		assert.NoError(t, err, "%s", out)
		assert.Empty(t, string(out))
	}
}

// man's own judge; and the pages fit a terminal of 80 columns.
func TestManPagesFitATerminal(t *testing.T) {
	for _, path := range manPages(t) {
		for _, line := range strings.Split(rendered(t, path), "\n") {
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, "%s: %s", path, line)
			assert.NotContains(t, line, "‐", "%s: a word is broken", path)
		}
	}
}

// Nothing that a command has is missing in its page, and nothing else is named.
func TestManPagesSayAll(t *testing.T) {
	pages := map[string]string{}
	for _, path := range manPages(t) {
		pages[strings.TrimSuffix(filepath.Base(path), ".1")] = rendered(t, path)
	}
	commands := manpage.Commands(newCommand())
	assert.Len(t, pages, len(commands))
	for _, cmd := range commands {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		text := pages[name]
		at := 0
		for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"} {
			i := strings.Index(text, "\n"+section+"\n")
			assert.Greater(t, i, at, "%s: %s", name, section)
			at = i
		}
		_, options, _ := strings.Cut(text, "\nOPTIONS\n")
		options, _, _ = strings.Cut(options, "\nEXIT STATUS\n")
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			assert.Regexp(t, `(?m)^       (-\w, )?--`+f.Name+`\b`, options, "%s: --%s", name, f.Name)
		})
		also := text[at:]
		for other := range pages {
			if other != name {
				assert.Contains(t, also, other+"(1)", name)
			}
		}
		words := strings.ReplaceAll(strings.Join(strings.Fields(text), " "), `\ `, "")
		for _, example := range strings.Split(cmd.Example, "\n") {
			assert.Contains(t, words, strings.Join(strings.Fields(example), " "), name)
		}
	}
	assert.Contains(t, pages["klp-convert-check"], "When it loads on all kernels and there are no findings.")
	assert.Contains(t, pages["klp-convert"], "/usr/share/klp-convert/klp-convert.mk")
}

// Documents that are named are there.
func TestManPagesNameDocuments(t *testing.T) {
	for _, path := range manPages(t) {
		found := regexp.MustCompile(`[\w-]+\.md`).FindAllString(strings.ReplaceAll(string(read(t, path)), `\-`, "-"), -1)
		assert.NotEmpty(t, found, path)
		for _, doc := range found {
			if doc == "README.md" {
				doc = "../README.md"
			}
			assert.FileExists(t, filepath.Join("../../docs", doc))
		}
	}
}

// What text.go says beside the help is about commands and flags that are there.
func TestManPagesTellOfNothingElse(t *testing.T) {
	root := newCommand()
	root.RemoveCommand(manpage.Commands(root)[1])
	_, err := manpage.Pages(root, manpage.Info{})
	assert.ErrorContains(t, err, "which is not there")
}
