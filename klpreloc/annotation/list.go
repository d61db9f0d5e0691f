// SPDX-License-Identifier: GPL-2.0-or-later

package annotation

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// A list annotates the undefined symbols of a module from outside of it, for code that no
// header can be included into: assembler, the output of generators, other compilers. It is a
// text file with one annotation a line:
//
//	# comment, to the end of the line
//	vmlinux:saved_command_line
//	ext4:foo,2                               the second foo of ext4
//	vmlinux:name_show@drivers/base/core.c    the one that is defined in that file
//	core_show=vmlinux:name_show,2            called core_show in the module
//
//	[symbol=]object:name[,position | @path]
//
// No name of an object holds '=' or ':', and no name of a symbol ',' or '@'. As of a record,
// the livepatched object is the symbol object; what uses the symbol may tell another one.
// A line about a symbol that the module does not have is an annotation that nothing uses, unless
// a label or a klp symbol of the module says the same: then the line has nothing to add.

// List is the text of a list, with the name that messages have for it.
type List struct {
	Name string // on one line
	Text []byte
}

// Limits of lists. A kernel has some 200000 symbols, and no livepatch needs most of them.
const (
	ListLimit  = 16 << 20 // bytes
	listLines  = 100_000  // with an annotation
	listErrors = 200      // after which a list is read no further
)

// line is one annotation of a list.
type line struct {
	symbol string // in the module; "" where it is that of the annotation
	Annotation
}

// readLists reads the annotations of lists.
func (r *reader) readLists(lists []List) {
	if len(lists) == 0 {
		return
	}
	symbols := map[string]*elfrw.Symbol{}
	for _, y := range r.File.Symbols {
		if old := symbols[y.Name]; y.Name != "" && (old == nil || y.Undefined() && !old.Undefined()) {
			symbols[y.Name] = y
		}
	}
	written := r.findWritten()
	for _, l := range lists {
		for _, x := range r.parseList(l) {
			r.bindLine(x, symbols, written)
		}
	}
}

// bindLine finds the symbol that a line is about.
func (r *reader) bindLine(x line, symbols map[string]*elfrw.Symbol, written map[meaning]bool) {
	name := x.symbol
	if name == "" {
		name = x.Name
	}
	a, y := x.Annotation, symbols[name]
	if y != nil && klpabi.IsKlpSymbol(y) {
		y = nil
	}
	switch {
	case IsLabel(name):
		r.Add(diag.Errorf(diag.BadList, a.Place(), diag.Clip(name),
			"line names %s, which is an annotation itself (a label)", diag.Clip(name)))
	case y == nil:
		if written[a.meaning()] || a.File != "" && written[a.somewhere()] {
			return
		}
		a.Symbol = &elfrw.Symbol{Name: name}
		r.Unmatched = append(r.Unmatched, a)
	case !y.Undefined():
		r.Set.listed++
		r.reportDefined(a.Place(), diag.SymbolName(y), y)
	default:
		r.Set.listed++
		a.Symbol = y
		r.Annotations = append(r.Annotations, a)
	}
}

// meaning is what an annotation says, whatever its dialect.
type meaning struct {
	object, name string
	pos          uint32
	file         string
	anywhere     bool // whatever the position, which a file stands for
}

func (a *Annotation) meaning() meaning {
	return meaning{object: klpabi.ModuleName(a.Object), name: a.Name, pos: a.Pos, file: a.File}
}

// somewhere is the meaning without position and file.
func (a *Annotation) somewhere() meaning {
	return meaning{object: klpabi.ModuleName(a.Object), name: a.Name, anywhere: true}
}

// findWritten returns what the module's labels and klp symbols stand for.
func (r *reader) findWritten() map[meaning]bool {
	written := map[meaning]bool{}
	for i := range r.Annotations {
		if a := &r.Annotations[i]; a.Dialect.IsLabel() {
			written[a.meaning()] = true
		}
	}
	for _, y := range r.KlpSymbols {
		object, name, pos, err := klpabi.ParseSymbolName(y.Name)
		if err != nil || pos > math.MaxUint32 {
			continue
		}
		a := Annotation{Object: object, Name: name, Pos: uint32(pos)}
		written[a.meaning()], written[a.somewhere()] = true, true
	}
	return written
}

// parseList returns the annotations of a list, and reports the lines that can't be read.
func (r *reader) parseList(l List) (all []line) {
	report := func(n int, format string, args ...any) {
		r.Add(diag.Errorf(diag.BadList, diag.Line(l.Name, n), "", format, args...))
	}
	if len(l.Text) > ListLimit {
		report(1, "the list has more than %d bytes", ListLimit)
		return nil
	}
	text, _ := bytes.CutPrefix(l.Text, []byte("\xef\xbb\xbf"))
	count, errors := 0, 0
	for n := 1; len(text) > 0; n++ {
		var b []byte
		b, text, _ = bytes.Cut(text, []byte{'\n'})
		s, err := trimLine(b)
		if err == nil && s == "" {
			continue
		}
		if count++; count > listLines {
			report(n, "the list has more than %d annotations", listLines)
			return nil
		}
		var x line
		if err == nil {
			x, err = parseLine(s)
		}
		if err == nil && x.File != "" {
			if err := CheckPath(x.File); err != nil {
				r.Add(diag.Errorf(diag.BadFile, diag.Line(l.Name, n), diag.Clip(x.Name), "file of %s: %v",
					diag.Clip(x.Name), err))
				errors++
				continue
			}
		}
		if err != nil {
			if errors++; errors > listErrors {
				report(n, "more than %d lines can't be read: the rest of the list is not read", listErrors)
				return nil
			}
			d := diag.Errorf(diag.BadList, diag.Line(l.Name, n), "", "line can't be read: %v", err)
			if errors == 1 {
				d = d.Hint("write object:name, object:name,position or object:name@path/to/file.c; " +
					"or symbol= and one of these")
			}
			r.Add(d)
			continue
		}
		x.Dialect, x.LPObject, x.where = Listed, x.Object, diag.Line(l.Name, n)
		all = append(all, x)
	}
	return all
}

// trimLine returns a line without its comment and the blanks around what is left. A comment
// begins the line or follows a blank: a name may hold '#'.
func trimLine(b []byte) (string, error) {
	const blanks = " \t\r"
	b = bytes.Trim(b, blanks)
	if len(b) == 0 || b[0] == '#' {
		return "", nil
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return "", fmt.Errorf("it holds a NUL byte: a list is a text file, in ASCII or UTF-8")
	}
	for i := 1; i < len(b); i++ {
		if b[i] == '#' && (b[i-1] == ' ' || b[i-1] == '\t') {
			b = bytes.TrimRight(b[:i], blanks)
			break
		}
	}
	if len(b) > labelLimit+pathLimit {
		return "", fmt.Errorf("it has %d bytes", len(b))
	}
	return string(b), nil
}

// parseLine parses a line of a list, without comment and blanks around it. Names and paths are
// not checked.
func parseLine(s string) (x line, err error) {
	head, rest, ok := strings.Cut(s, ":")
	if !ok {
		return x, fmt.Errorf("%q has no object: vmlinux, or a module's name, and a colon in front",
			diag.Clip(s))
	}
	if symbol, object, alias := strings.Cut(head, "="); alias {
		switch {
		case symbol == "":
			return x, fmt.Errorf("the symbol in front of '=' is missing")
		case strings.Contains(object, "="):
			return x, fmt.Errorf("%q has two '='", diag.Clip(s))
		}
		x.symbol, head = symbol, object
	}
	x.Object, x.Name = head, rest
	if i := strings.IndexAny(rest, ",@"); i >= 0 {
		x.Name = rest[:i]
		switch {
		case rest[i] == '@':
			if x.File = rest[i+1:]; x.File == "" {
				return x, fmt.Errorf("the path after '@' is missing")
			}
		default:
			pos, err := strconv.ParseUint(rest[i+1:], 10, 32)
			if err != nil {
				return x, fmt.Errorf("position %q is not a number of 32 bits", diag.Clip(rest[i+1:]))
			}
			x.Pos = uint32(pos)
		}
	}
	if strings.ContainsAny(x.symbol+x.Object+x.Name, " \t") {
		return x, fmt.Errorf("%q holds a blank", diag.Clip(s))
	}
	if x.Name == "" {
		return x, fmt.Errorf("the name of the symbol is missing")
	}
	return x, nil
}

// FitsLine reports whether a line of a list can hold the name, of a symbol of the kernel.
func FitsLine(name string) bool {
	return klpabi.CheckName(name, kernel.Version{}) == nil && !strings.ContainsAny(name, "@")
}

// ListLine returns the line of a list that makes a the annotation of its symbol, at pos or in
// a.File.
func ListLine(a *Annotation, pos uint32) string {
	s := a.Object + ":" + nameToPaste(a.Name)
	if a.Symbol != nil && a.Symbol.Name != a.Name {
		s = nameToPaste(a.Symbol.Name) + "=" + s
	}
	switch {
	case a.File != "":
		s += "@" + diag.Clip(a.File)
	case pos > 0:
		s += "," + strconv.FormatUint(uint64(pos), 10)
	}
	return s
}
