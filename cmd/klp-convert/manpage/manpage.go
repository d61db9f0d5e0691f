// SPDX-License-Identifier: GPL-2.0-or-later

// Package manpage makes the manual pages from the commands' own help: what --help says
// and what man says can't come apart. text.go has what the help has no room for.
//
// cobra/doc does not serve: its pages have one fixed set of sections, take a text that
// was wrapped by hand for Markdown, and know neither exit statuses nor files.
//
// The pages are plain man(7), which groff and mandoc read without a warning.
package manpage

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/exp/slices"
)

// Info is what the pages say that the commands don't know.
type Info struct {
	Version string
	Date    time.Time // of the sources, so that the same sources make the same pages
	DataDir string    // where klp-convert.mk and include/ are installed
	DocDir  string
}

// Pages returns the page of the command and of each of its subcommands, by file name.
// It is an error when text.go tells of commands or flags that are not there.
func Pages(root *cobra.Command, info Info) (map[string][]byte, error) {
	if err := known(root); err != nil {
		return nil, err
	}
	pages := map[string][]byte{}
	for _, cmd := range Commands(root) {
		pages[name(cmd)+".1"] = page(cmd, info)
	}
	return pages, nil
}

// known finds what was renamed or taken away, and commands that came.
func known(root *cobra.Command) error {
	commands := map[string]*cobra.Command{}
	for _, cmd := range Commands(root) {
		commands[cmd.Name()] = cmd
		if docs[cmd.Name()] == "" {
			return fmt.Errorf("text.go names no document about %q", cmd.CommandPath())
		}
	}
	var names []string
	for name, flags := range details {
		names = append(names, name)
		for flag := range flags {
			if cmd := commands[name]; cmd != nil && cmd.Flag(flag) == nil {
				return fmt.Errorf("text.go tells of --%s of %q, which is not there", flag, name)
			}
		}
	}
	for _, table := range [][]string{keys(forms), keys(exits), keys(sections), keys(files), keys(seeAlso), keys(docs), names} {
		for _, name := range table {
			if commands[name] == nil {
				return fmt.Errorf("text.go tells of a command %q, which is not there", name)
			}
		}
	}
	return nil
}

func keys[V any](table map[string]V) (names []string) {
	for name := range table {
		names = append(names, name)
	}
	return names
}

// Commands returns those that have a page. help and completion have none: cobra made
// them, and what there is to say of them stands on the first page.
func Commands(root *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{root}
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() && cmd.Name() != "completion" {
			all = append(all, cmd)
		}
	}
	return all
}

func name(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func page(cmd *cobra.Command, info Info) []byte {
	p := &roff{places: places(cmd)}
	p.line(`.\" Made from the command's help by cmd/klp-convert/manpage. SPDX-License-Identifier: GPL-2.0-or-later`)
	p.line(fmt.Sprintf(`.TH %s 1 %s "klp-convert %s" "Livepatch tools"`,
		strings.ToUpper(escape(name(cmd))), info.Date.UTC().Format("2006-01-02"), escape(info.Version)))
	// Ragged and without hyphenation: names of commands and files stay whole.
	p.line(".nh")
	p.line(".ad l")
	p.section("NAME")
	p.line(escape(name(cmd)) + ` \- ` + escape(strings.ToLower(cmd.Short[:1])+cmd.Short[1:]))
	p.section("SYNOPSIS")
	for i, s := range synopsis(cmd) {
		if i > 0 {
			p.line(".br")
		}
		p.line(p.synopsis(cmd.CommandPath(), s))
	}

	about := split(cmd)
	p.section("DESCRIPTION")
	p.paragraphs(about.prose)
	if cmd.HasAvailableSubCommands() {
		p.section("COMMANDS")
		for _, sub := range Commands(cmd)[1:] {
			p.item(p.bold(sub.CommandPath()), sub.Short+"; see "+name(sub)+"(1).")
		}
		p.item(p.bold(cmd.CommandPath()+" completion")+` \fISHELL\fP`, "Print the completion script for bash, zsh or fish.")
	}
	p.section("OPTIONS")
	// Flags that are made by cobra come last, as in --help.
	var own, common []*pflag.Flag
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	cmd.NonInheritedFlags().VisitAll(func(f *pflag.Flag) { own = append(own, f) })
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) { common = append(common, f) })
	for _, f := range own {
		p.option(f, append(about.flags[f.Name], details[cmd.Name()][f.Name]...))
	}
	for _, f := range common {
		p.option(f, details[cmd.Root().Name()][f.Name])
	}
	p.section("EXIT STATUS")
	for status, means := range about.exit {
		p.item(p.bold(fmt.Sprint(status)), means)
	}
	for _, s := range sections[cmd.Name()] {
		p.section(s.title)
		p.paragraphs(s.prose)
		for _, i := range s.items {
			p.item(p.path(info.expand(i.what)), i.means)
		}
	}
	if cmd.Flags().Lookup("kernel") != nil {
		p.section("FILES")
		for _, i := range append(slices.Clone(kernelFiles), files[cmd.Name()]...) {
			p.item(p.path(info.expand(i.what)), i.means)
		}
	}
	p.section("EXAMPLES")
	p.line(".EX")
	for _, l := range strings.Split(cmd.Example, "\n") {
		for _, l := range fold(strings.TrimPrefix(l, "  ")) {
			p.line(escape(l))
		}
	}
	p.line(".EE")
	p.line(".nh") // which groff's .EE ends
	p.section("SEE ALSO")
	var also []string
	for _, other := range Commands(cmd.Root()) {
		if other != cmd {
			also = append(also, p.bold(name(other))+"(1)")
		}
	}
	for _, other := range seeAlso[cmd.Name()] {
		page, section, _ := strings.Cut(other, "(")
		also = append(also, p.bold(page)+"("+section)
	}
	p.line(strings.Join(also, ",\n"))
	p.line(".PP")
	p.paragraphs([]string{info.expand("The documents in @DOCDIR@ say more: " + docs[cmd.Name()] + ".")})
	return []byte(p.b.String())
}

func (i Info) expand(s string) string {
	return strings.NewReplacer("@DATADIR@", i.DataDir, "@DOCDIR@", i.DocDir).Replace(s)
}

// synopsis returns the forms of the command, without its name.
func synopsis(cmd *cobra.Command) []string {
	_, rest, _ := strings.Cut(cmd.Use, " ")
	return append([]string{rest}, forms[cmd.Name()]...)
}

// A text is a command's help in its parts.
type text struct {
	prose []string            // paragraphs
	flags map[string][]string // those that are about one flag
	exit  [3]string
}

var (
	aboutFlag  = regexp.MustCompile(`^--([a-z-]+) `)
	exitStatus = regexp.MustCompile(`Exit status (\d [^.]*)\.\s*`)
	eachStatus = regexp.MustCompile(`(?:^|, )([012]) `)
)

// split takes the help apart. A paragraph that begins with a flag belongs to it, and
// the sentence that begins "Exit status" in a section of its own.
func split(cmd *cobra.Command) text {
	t := text{flags: map[string][]string{}, exit: [3]string{
		"Done.",
		"Something can't be done or is not found, or a file can't be read or written.",
		"Wrong use of the command line.",
	}}
	if s := exits[cmd.Name()]; s != "" {
		t.exit[1] = s
	}
	for _, p := range strings.Split(cmd.Long, "\n\n") {
		p = strings.Join(strings.Fields(p), " ")
		if m := exitStatus.FindStringSubmatchIndex(p); m != nil {
			t.readExit(p[m[2]:m[3]])
			p = strings.TrimSpace(p[:m[0]] + p[m[1]:])
		}
		if m := aboutFlag.FindStringSubmatch(p); m != nil && cmd.Flags().Lookup(m[1]) != nil {
			t.flags[m[1]] = append(t.flags[m[1]], p)
		} else if p != "" {
			t.prose = append(t.prose, p)
		}
	}
	return t
}

// readExit reads "0 when it is so, 1 when not".
func (t *text) readExit(s string) {
	at := eachStatus.FindAllStringSubmatchIndex(s, -1)
	for i, m := range at {
		end := len(s)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		means := s[m[1]:end]
		status := s[m[2]] - '0'
		if status == 2 {
			continue // the same everywhere
		}
		if status == 1 && !strings.Contains(means, "read") {
			means += ", or a file can't be read"
		}
		t.exit[status] = sentence(means)
	}
}

func sentence(s string) string {
	s = strings.ToUpper(s[:1]) + s[1:]
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// places returns the words that stand for something else in the command's help: of its
// form, and of its flags.
func places(cmd *cobra.Command) *regexp.Regexp {
	words := []string{`in\.ko`, `out\.ko`, `klp-convert(?:\.mk)?`}
	add := func(w string) {
		if len(w) > 1 && w == strings.ToUpper(w) {
			words = append(words, regexp.QuoteMeta(w))
		}
	}
	for _, w := range regexp.MustCompile(`[A-Z]+`).FindAllString(cmd.Use, -1) {
		add(w)
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		w, _ := pflag.UnquoteUsage(f)
		add(w)
	})
	slices.Sort(words)
	return regexp.MustCompile(`--?[a-z][a-z-]*|KLP_[A-Z_]+|\b(?:` + strings.Join(slices.Compact(words), "|") + `)\b`)
}
