// SPDX-License-Identifier: GPL-2.0-or-later

package cdecl

import (
	"errors"
	"fmt"
	"strings"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// maxNested bounds how deep declarators and typedefs nest, and maxWritten how many types are in
// one declaration: parameters may be functions, and so on. The file may be hostile.
const (
	maxNested  = 32
	maxWritten = 512
)

// need is how much of a type must be known where it is used.
type need int

const (
	declared need = iota // a name is enough
	complete             // elements of an array
	defined              // a function's definition: result and parameters are complete
)

// A writer writes one declaration. What it needs reaches the page when it is done.
type writer struct {
	page    *Page
	left    int
	remarks []string
	inexact int // how often something was replaced

	headers, tags []string
	typedefs      [][2]string
}

func (p *Page) writer() *writer { return &writer{page: p, left: maxWritten} }

func (w *writer) include(header string) { w.headers = append(w.headers, header) }

// commit adds to the page what the declaration needs.
func (w *writer) commit() {
	p := w.page
	for _, h := range w.headers {
		p.Include(h)
	}
	if p.tags == nil {
		p.tags, p.typedefs = map[string]bool{}, map[string]string{}
	}
	for _, t := range w.tags {
		p.tags[t] = true
	}
	for _, t := range w.typedefs {
		if p.typedefs[t[0]] == "" {
			p.typedefs[t[0]] = t[1]
			p.order = append(p.order, t[0])
		}
	}
}

// replace notes that something could not be written as it is.
func (w *writer) replace(format string, args ...any) {
	w.inexact++
	text := fmt.Sprintf(format, args...)
	for _, r := range w.remarks {
		if r == text {
			return
		}
	}
	w.remarks = append(w.remarks, text)
}

// integers are the names that compilers give to C's integers and floating point types, and
// how the kernel's source spells them.
var integers = map[string]string{
	"_Bool": "bool", "bool": "bool",
	"char": "char", "signed char": "signed char", "unsigned char": "unsigned char",
	"short": "short", "short int": "short",
	"unsigned short": "unsigned short", "short unsigned int": "unsigned short",
	"int": "int", "unsigned int": "unsigned int",
	"long": "long", "long int": "long",
	"unsigned long": "unsigned long", "long unsigned int": "unsigned long",
	"long long": "long long", "long long int": "long long",
	"unsigned long long": "unsigned long long", "long long unsigned int": "unsigned long long",
	"__int128": "__int128", "unsigned __int128": "unsigned __int128",
	"__int128 unsigned": "unsigned __int128",
	"float":             "float", "double": "double",
}

// argumentLists are the names of C's type for "..." arguments. A parameter of that type is
// a pointer to the compiler's own struct on x86 and s390.
var argumentLists = map[string]bool{"va_list": true, "__builtin_va_list": true,
	"__gnuc_va_list": true, "__va_list_tag": true, "__va_list": true}

// declare splits a declaration of name as C does: a base type, and what is written around
// the name.
func (w *writer) declare(t *ctypes.Type, name string, n need, depth int) (base, declarator string,
	err error,
) {
	if w.left--; depth <= 0 || w.left < 0 {
		return "", "", fmt.Errorf("a type nested too deep %w", ErrType)
	}
	switch t.Kind {
	case ctypes.Void:
		return "void", name, nil
	case ctypes.Int, ctypes.Float:
		word := integers[t.Name]
		if word == "" {
			return "", "", fmt.Errorf("%q %w", t.Name, ErrType)
		}
		if word == "bool" {
			w.include("linux/types.h")
		}
		return word, name, nil
	case ctypes.Typedef:
		return w.typedef(t, name, n, depth)
	case ctypes.Enum:
		base, err := w.enum(t)
		return base, name, err
	case ctypes.Struct, ctypes.Union:
		base, err := w.tagged(t, n)
		return base, name, err
	case ctypes.Const, ctypes.Volatile:
		elem := t.Elem.Type()
		if elem.Kind == ctypes.Pointer { // after the *
			if name != "" {
				return w.declare(elem, t.Kind.String()+" "+name, n, depth-1)
			}
			return w.declare(elem, t.Kind.String(), n, depth-1)
		}
		base, declarator, err = w.declare(elem, name, n, depth-1)
		if qualifier := t.Kind.String() + " "; !strings.HasPrefix(base, qualifier) {
			base = qualifier + base // an array of const elements may be const itself
		}
		return base, declarator, err
	case ctypes.Restrict: // of no meaning to a caller, and another keyword before C99
		return w.declare(t.Elem.Type(), name, n, depth-1)
	case ctypes.Pointer:
		return w.pointer(t, name, depth)
	case ctypes.Array:
		length := ""
		if t.Count > 0 {
			length = fmt.Sprint(t.Count)
		}
		return w.declare(t.Elem.Type(), name+"["+length+"]", complete, depth-1)
	case ctypes.Func:
		list, err := w.parameters(t, n, depth-1)
		if err != nil {
			return "", "", err
		}
		return w.declare(t.Elem.Type(), name+"("+list+")", n, depth-1)
	case ctypes.Unreadable:
		return "", "", fmt.Errorf("%s: %w", t.Why, ErrType)
	}
	return "", "", fmt.Errorf("a type that is %s %w", t.Kind, ErrType)
}

// pointer declares a pointer: to void, where what it points to has no name.
func (w *writer) pointer(t *ctypes.Type, name string, depth int) (base, declarator string,
	err error,
) {
	elem := t.Elem.Type()
	if elem.Bare().Kind == ctypes.Struct && argumentLists[elem.Bare().Name] {
		w.include("linux/kernel.h")
		return "va_list", name, nil
	}
	star := "*" + name
	if elem.Kind == ctypes.Array || elem.Kind == ctypes.Func {
		star = "(*" + name + ")"
	}
	base, declarator, err = w.declare(elem, star, declared, depth-1)
	if errors.Is(err, ErrUnnamed) {
		what := "a struct without a name"
		if elem.Bare().Kind == ctypes.Union {
			what = "a union without a name"
		}
		for y := elem; y.Kind == ctypes.Typedef || y.Kind == ctypes.Const; y = y.Elem.Type() {
			if y.Kind == ctypes.Typedef && ctypes.IsIdentifier(y.Name) {
				what = y.Name + ", which is in no header that is known"
				break
			}
		}
		w.replace("void * is a pointer to %s", what)
		base, declarator, err = "void", "*"+name, nil
		if elem.Is(ctypes.Const) {
			base = "const void"
		}
	}
	return base, declarator, err
}

// typedef declares something of a typedef's type: by its name, or, where no known header has the
// name and the page can't have the same typedef again, by what it is.
func (w *writer) typedef(t *ctypes.Type, name string, n need, depth int) (base, declarator string,
	err error,
) {
	if !ctypes.IsIdentifier(t.Name) {
		return "", "", fmt.Errorf("%q %w", t.Name, ErrName)
	}
	switch header := typedefHeaders()[t.Name]; {
	case argumentLists[t.Name]:
		w.include("linux/kernel.h")
		return "va_list", name, nil
	case header != "":
		w.include(header)
		return t.Name, name, nil
	}
	before, remarks := w.inexact, len(w.remarks)
	b, d, err := w.declare(t.Elem.Type(), t.Name, min(n, complete), depth-1)
	if n == defined && err == nil {
		_, _, err = w.declare(t.Elem.Type(), t.Name, n, depth-1)
	}
	switch {
	case errors.Is(err, ErrUnnamed):
		return "", "", fmt.Errorf("%s, a typedef of what %w", t.Name, ErrUnnamed)
	case err != nil:
		return "", "", err
	case w.inexact != before:
		w.remarks = w.remarks[:remarks]
		w.replace("%s is written out: its type has no name", t.Name)
		return w.declare(t.Elem.Type(), name, n, depth-1)
	}
	w.typedefs = append(w.typedefs, [2]string{t.Name, "typedef " + joinDeclarator(b, d) + ";"})
	return t.Name, name, nil
}

// enum returns an enum by its tag if its header is known, else the integer it is.
func (w *writer) enum(t *ctypes.Type) (string, error) {
	if t.Name != "" {
		if !ctypes.IsIdentifier(t.Name) {
			return "", fmt.Errorf("enum %q %w", t.Name, ErrName)
		}
		if header := tagHeaders()["enum "+t.Name]; header != "" {
			w.include(header)
			return "enum " + t.Name, nil
		}
	}
	word := map[uint64]string{1: "unsigned char", 2: "unsigned short", 4: "unsigned int",
		8: "unsigned long"}[t.Size]
	if word == "" {
		return "", fmt.Errorf("an enum of %d bytes %w", t.Size, ErrType)
	}
	if isSigned(t) {
		word = strings.TrimPrefix(strings.Replace(word, "unsigned char", "signed char", 1), "unsigned ")
	}
	if t.Name != "" {
		w.replace("%s is enum %s", word, t.Name)
	} else {
		w.replace("%s is an enum without a name", word)
	}
	return word, nil
}

// isSigned reports whether the compiler uses a signed integer for an enum: one of its values
// is negative. BTF before pahole 1.24 does not tell. Then it is written as unsigned, which is passed
// and read in the same way.
func isSigned(t *ctypes.Type) bool {
	if t.Signed {
		for _, v := range t.Values {
			if int64(v.Value) < 0 {
				return true
			}
		}
	}
	return false
}

// tagged returns a struct or union by its tag.
func (w *writer) tagged(t *ctypes.Type, n need) (string, error) {
	switch {
	case t.Name == "":
		return "", fmt.Errorf("a %s that %w", t.Kind, ErrUnnamed)
	case !ctypes.IsIdentifier(t.Name):
		return "", fmt.Errorf("%s %q %w", t.Kind, t.Name, ErrName)
	}
	tag := t.Kind.String() + " " + t.Name
	if n != declared {
		header := tagHeaders()[tag]
		if header == "" {
			return "", fmt.Errorf("%s %w", tag, ErrIncomplete)
		}
		w.include(header)
	}
	w.tags = append(w.tags, tag)
	return tag, nil
}

// parameters returns the list of parameters of a function.
func (w *writer) parameters(t *ctypes.Type, n need, depth int) (string, error) {
	var list []string
	used := map[string]bool{}
	for i, x := range t.Params {
		name := x.Name
		if !ctypes.IsIdentifier(name) || macros()[name] || used[name] {
			name = ""
		}
		if name == "" && n == defined {
			for name = fmt.Sprintf("arg%d", i+1); used[name]; name += "_" {
			}
		}
		used[name] = name != ""
		base, declarator, err := w.declare(x.Type.Type(), name, n, depth)
		if err != nil {
			return "", err
		}
		list = append(list, joinDeclarator(base, declarator))
	}
	if t.Variadic {
		list = append(list, "...")
	}
	if len(list) == 0 {
		return "void", nil
	}
	return strings.Join(list, ", "), nil
}

// joinDeclarator joins what declare returns.
func joinDeclarator(base, declarator string) string {
	if declarator == "" || declarator[0] == '[' {
		return base + declarator
	}
	return base + " " + declarator
}
