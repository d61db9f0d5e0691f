// SPDX-License-Identifier: GPL-2.0-or-later

package explain

import (
	"regexp"
	"strings"
	"sync"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// pattern recognises a Form anywhere in a line, so what comes before it does not matter:
// a time, a host, the name of a subsystem.
type pattern struct {
	entry    *Entry
	form     *Form
	re       func() *regexp.Regexp // compiled for the first line that has literal
	names    []string              // of the groups of re
	literal  string                // the longest piece without names: other lines need no re
	literals int                   // characters outside of names: the pattern with most wins
	dates    kernels               // that print it
	kernel   bool                  // the running kernel prints it
}

// parts has what each name in forms can be. A name that is not here is a word.
var parts = map[string]string{
	"word":   `[^\s'"]+`,
	"module": `[\w.-]+`, // some callers print a file name
	"owner":  `[\w.-]+`,
	"patch":  `[\w.-]+`,
	"object": `[\w()-]+`, // has no dots
	"n":      `-?\d+`,
	"errno":  `-?\d+`,
	"pos":    `-?\d+`,
	"type":   `-?\d+`,
	// These are used in commands that are to be pasted. Names of Rust have a $, names of
	// clones and of the compiler have dots.
	"symbol":   `(?:\.klp\.sym\.[\w.$,-]+|[\w.$]*[\w$])`,
	"function": `[\w.$]*[\w$]`,
	"file":     `[\w./+~-]+`,
	"key":      `[\w.$]*[\w$]`,
	"klpsym":   `[^\s'"]+`,
	"hex":      `(?:0x)?[0-9a-fA-F]+`,
	"have":     `[^']*`,
	"want":     `[^']*`,
	"text":     `.*?`,
	"machine":  `[\w/.-]+`,
	"task":     `\S.*?:\d+`, // a name may have blanks
	// %pS
	"place": `[^\s;]+(?: \[[\w.-]+\])?`,
}

var nameInForm = lazily(`\{(\w+)\}`)

func compile(e *Entry, f *Form) *pattern {
	p := &pattern{entry: e, form: f, dates: parseDates(f.When)}
	var re strings.Builder
	re.WriteString(`(?:^|[^\w.$])`) // not in the middle of a word
	at := 0
	piece := func(s string) {
		re.WriteString(regexp.QuoteMeta(s))
		p.literals += len(s)
		if len(s) > len(p.literal) {
			p.literal = s
		}
	}
	for _, m := range nameInForm().FindAllStringSubmatchIndex(f.Text, -1) {
		piece(f.Text[at:m[0]])
		name := f.Text[m[2]:m[3]]
		part, ok := parts[name]
		if !ok {
			part = parts["word"]
		}
		re.WriteString("(" + part + ")")
		p.names = append(p.names, name)
		at = m[1]
	}
	piece(f.Text[at:])
	if last := f.Text[len(f.Text)-1]; last == '}' || wordChar(last) {
		re.WriteString(`(?:$|[^\w$])`)
	}
	text := re.String()
	p.re = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
	return p
}

// lazily returns a function that compiles the expression when it is first called: few runs of the
// program explain anything.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// speaker is the beginning of a message that names the module; people who paste a message
// omit it.
var speaker = lazily(`^(?:module )?\{module\}: `)

// withoutSpeaker returns patterns of the forms that have one, without it.
var withoutSpeaker = sync.OnceValue(func() []*pattern {
	var all []*pattern
	for _, p := range patterns() {
		if rest := speaker().ReplaceAllString(p.form.Text, ""); rest != p.form.Text {
			short := compile(p.entry, &Form{rest, p.form.When})
			short.form, short.kernel = p.form, p.kernel
			all = append(all, short)
		}
	}
	return all
})

// findPart returns the entry for a line without its beginning, or for a few words of one.
// It is for a single line: in a log it would find messages that are not there.
func findPart(line string) found {
	for _, p := range withoutSpeaker() {
		if names, ok := p.match(line); ok {
			return found{entry: p.entry, pattern: p, names: names}
		}
	}
	const least = 15 // characters
	words := strings.ToLower(strings.TrimSpace(line))
	if len(words) < least || !strings.Contains(words, " ") {
		return found{}
	}
	for _, p := range patterns() {
		if strings.Contains(strings.ToLower(p.literal), words) {
			return found{entry: p.entry, pattern: p, names: Names{}}
		}
	}
	return found{}
}

func wordChar(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// match returns the names that line gives, or false.
func (p *pattern) match(line string) (map[string]string, bool) {
	if !strings.Contains(line, p.literal) {
		return nil, false
	}
	m := p.re().FindStringSubmatch(line)
	if m == nil {
		return nil, false
	}
	names := map[string]string{}
	for i, name := range p.names {
		if names[name] == "" {
			names[name] = m[i+1]
		}
	}
	complete(names)
	return names, true
}

var klpSymbol = lazily(`^\.klp\.sym\.([^.]+)\.([^,]+),(\d+)`)

// complete adds what follows from the names that a message gives.
func complete(names map[string]string) {
	if names["object"] == "(null)" { // printf of the kernel's object, which has no name
		names["object"] = "vmlinux"
	}
	for _, from := range []string{"klpsym", "symbol"} {
		if m := klpSymbol().FindStringSubmatch(names[from]); m != nil {
			names["object"], names["symbol"], names["pos"] = m[1], m[2], m[3]
		}
	}
	if names["symbol"] == "" && names["function"] != "" {
		names["symbol"] = names["function"]
	}
}

// identifier matches a name in C, and "" for an unknown one.
var identifier = lazily(`^([A-Za-z_]\w*)?$`)

// labelFor turns a record into a label where C can't name the symbol (foo.isra.0).
func labelFor(run string, names map[string]string) string {
	rest, record := strings.CutPrefix(run, "KLP_SYMPOS({symbol}, ")
	if !record || identifier().MatchString(names["symbol"]) {
		return run
	}
	object := names["object"]
	if object == "" {
		object = "SYM_OBJ"
	}
	return "KLP_RELOC_SYMBOL_POS(LP_OBJ, " + object + ", {symbol}, " + rest
}

// fillRun puts names into a command or a line of code so that it can be pasted: a name
// may have characters that are special in a shell or in a regular expression.
func fillRun(run string, names map[string]string) string {
	run = labelFor(run, names)
	quoted := false
	at := 0
	var b strings.Builder
	for _, m := range nameInForm().FindAllStringIndex(run, -1) {
		before := run[at:m[0]]
		quoted = quoted != (strings.Count(before, "'")%2 == 1)
		b.WriteString(before)
		at = m[1]
		s := fill(run[m[0]:m[1]], names)
		switch {
		case quoted && (strings.HasSuffix(before, "/") || strings.HasSuffix(before, "/^")):
			s = regexp.QuoteMeta(s)
		case quoted:
		case !isCode(run) && strings.Contains(s, "$"):
			s = diag.ShellQuote(s)
		}
		b.WriteString(s)
	}
	return b.String() + run[at:]
}

// isCode reports whether a line is for a source file, and not a command.
func isCode(run string) bool { return codeLine().MatchString(run) }

var codeLine = lazily(`^(?:[A-Z]+_|extern |if |\.\w+ = |include )`)

// fill puts names into a text. A name that the message does not have is in capitals.
func fill(text string, names map[string]string) string {
	return nameInForm().ReplaceAllStringFunc(text, func(s string) string {
		name := s[1 : len(s)-1]
		if v := names[name]; v != "" {
			return v
		}
		return strings.ToUpper(name)
	})
}
