// SPDX-License-Identifier: GPL-2.0-or-later

package manpage

import (
	"regexp"
	"strings"

	"github.com/spf13/pflag"
)

// roff is a page in the making.
type roff struct {
	b      strings.Builder
	places *regexp.Regexp // what is set in another type: flags, macros, and what stands for something
}

func (p *roff) line(s string) { p.b.WriteString(s + "\n") }

func (p *roff) section(title string) { p.line(".SH " + title) }

func (p *roff) bold(s string) string { return `\fB` + escape(s) + `\fP` }

func (p *roff) path(s string) string { return `\fI` + escape(s) + `\fP` }

// escape makes text of whatever stands in s: a minus is typed as one, so that it can
// be pasted.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `^`, `\(ha`, `~`, `\(ti`, "`", `\(ga`, `'`, `\(aq`).Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

// prose is escape for sentences, with flags and places set as such.
func (p *roff) prose(s string) string {
	var b strings.Builder
	last := 0
	for _, m := range p.places.FindAllStringIndex(s, -1) {
		w := s[m[0]:m[1]]
		face := `\fI`
		switch {
		case w[0] == '-' && m[0] > 0 && !strings.ContainsRune(" (\"", rune(s[m[0]-1])):
			continue // a hyphen
		case w[0] == '-' || strings.HasPrefix(w, "KLP_") || strings.HasPrefix(w, "klp-convert"):
			face = `\fB`
		}
		b.WriteString(plain(s[last:m[0]]) + face + escape(w) + `\fP`)
		last = m[1]
	}
	b.WriteString(plain(s[last:]))
	s = b.String()
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

var (
	apostrophe = regexp.MustCompile(`(\w)'(\w)`)
	hyphen     = regexp.MustCompile(`([a-z])-([a-z])`)
)

// plain is escape where hyphens and apostrophes are those of English.
func plain(s string) string {
	s = apostrophe.ReplaceAllString(s, "$1\x01$2")
	s = hyphen.ReplaceAllString(s, "$1\x02$2")
	s = strings.ReplaceAll(escape(s), "\x01", `'`)
	return strings.TrimPrefix(strings.ReplaceAll(s, "\x02", "-"), `\&`)
}

// paragraphs writes text, one line a sentence, as pages are kept.
func (p *roff) paragraphs(list []string) {
	for i, text := range list {
		if i > 0 {
			p.line(".PP")
		}
		p.text(text)
	}
}

var sentenceEnd = regexp.MustCompile(`([.:;!?]\)?) ([A-Z])`)

func (p *roff) text(s string) {
	for _, l := range strings.Split(sentenceEnd.ReplaceAllString(s, "$1\n$2"), "\n") {
		p.line(p.prose(l))
	}
}

// item writes a tag and what it means.
func (p *roff) item(tag, means string) {
	p.line(".TP")
	p.line(tag)
	p.text(means)
}

// option writes a flag: its use as --help has it, unless there is more to say.
func (p *roff) option(f *pflag.Flag, more []string) {
	place, usage := pflag.UnquoteUsage(f)
	tag := p.bold("--" + f.Name)
	if f.Shorthand != "" && f.ShorthandDeprecated == "" {
		tag = p.bold("-"+f.Shorthand) + ", " + tag
	}
	if place != "" && f.Value.Type() != "bool" {
		tag += ` \fI` + escape(place) + `\fP`
	}
	switch f.Name {
	case "help":
		usage = "print a summary of all this"
	case "version":
		usage = "print the version, and what this was built with"
	}
	p.item(tag, sentence(usage))
	for _, m := range more {
		p.line(".IP")
		p.text(m)
	}
}

var word = regexp.MustCompile(`[A-Za-z.]+|--?[a-z-]+|[^A-Za-z]`)

// synopsis sets one form of a command.
func (p *roff) synopsis(command, form string) string {
	var b strings.Builder
	b.WriteString(p.bold(command) + " ")
	for _, w := range word.FindAllString(strings.ReplaceAll(form, "[flags]", "[options]"), -1) {
		switch {
		case w == "options" || strings.ToUpper(w) == w && len(w) > 1 && w[0] != '-' && w[0] != '.' || strings.HasSuffix(w, ".ko"):
			b.WriteString(`\fI` + escape(w) + `\fP`)
		case w == "...":
			b.WriteString("...")
		case len(w) > 1:
			b.WriteString(p.bold(w))
		default:
			b.WriteString(escape(w))
		}
	}
	return b.String()
}

var beforeComment = regexp.MustCompile(` {3,}#`)

// fold breaks a command line that is too long for a page of 80 columns.
func fold(line string) []string {
	const room = 80 - 7
	if len(line) > room {
		line = beforeComment.ReplaceAllString(line, "  #")
	}
	if len(line) <= room {
		return []string{line}
	}
	for _, at := range []string{"&& ", "| ", ">> ", "--kernel "} {
		if i := strings.Index(line, " "+at); i >= 0 {
			i++
			if at[0] == '&' || at[0] == '|' { // stay where they are, as one writes them
				i += len(at)
			}
			return []string{line[:i] + `\`, "    " + line[i:]}
		}
	}
	return []string{line}
}
