// SPDX-License-Identifier: GPL-2.0-or-later

package ctypes

import (
	"fmt"
	"strings"
)

// String returns the type in C, as in a cast: struct file *, int (*)(void), char[16].
func (t *Type) String() string { return t.Declare("") }

// Declare returns a declaration of name with that type in C, without a semicolon:
// int (*read)(struct file *, char *). Structs, unions and enums are referred to by their tags; one
// without a tag is written struct {...}, which is no C.
func (t *Type) Declare(name string) string {
	p := printer{left: maxPrinted}
	base, declarator := p.declare(t, name, maxNested)
	if declarator == "" {
		return base
	}
	if declarator[0] == '[' {
		return base + declarator
	}
	return base + " " + declarator
}

// maxPrinted bounds how many types a declaration has in it: parameters may be functions whose
// parameters are functions, and so on.
const maxPrinted = 512

// A printer counts what it prints.
type printer struct{ left int }

// declare splits a declaration as C does: a base type, and what is written around the name.
func (p *printer) declare(t *Type, name string, depth int) (base, declarator string) {
	if p.left--; depth <= 0 || p.left < 0 {
		return "...", name
	}
	switch t.Kind {
	case Void:
		return "void", name
	case Int, Float, Typedef:
		return t.Name, name
	case Enum, Struct, Union:
		if t.Name == "" {
			return t.Kind.String() + " {...}", name
		}
		return t.Kind.String() + " " + t.Name, name
	case Const, Volatile, Restrict, Atomic:
		elem := t.Elem.Type()
		if elem.Kind == Pointer { // after the *
			return p.declare(elem, join(t.Kind.String(), name), depth-1)
		}
		base, declarator = p.declare(elem, name, depth-1)
		if qualifier := t.Kind.String() + " "; !strings.HasPrefix(base, qualifier) {
			base = qualifier + base // an array of const elements may be const itself
		}
		return base, declarator
	case Pointer:
		elem := t.Elem.Type()
		if elem.Kind == Array || elem.Kind == Func {
			return p.declare(elem, "(*"+name+")", depth-1)
		}
		return p.declare(elem, "*"+name, depth-1)
	case Array:
		length := ""
		if t.Count > 0 {
			length = fmt.Sprint(t.Count)
		}
		return p.declare(t.Elem.Type(), name+"["+length+"]", depth-1)
	case Func:
		return p.declare(t.Elem.Type(), name+"("+p.parameters(t, depth-1)+")", depth-1)
	}
	return "?", name
}

// join puts a qualifier before what follows it in a declarator.
func join(qualifier, rest string) string {
	if rest == "" {
		return qualifier
	}
	return qualifier + " " + rest
}

// parameters returns the list of parameters of a Func.
func (p *printer) parameters(t *Type, depth int) string {
	if t.Unprototyped {
		return ""
	}
	var list []string
	for _, x := range t.Params {
		if p.left < 0 {
			break
		}
		base, declarator := p.declare(x.Type.Type(), x.Name, depth)
		switch {
		case declarator == "":
		case declarator[0] == '[':
			base += declarator
		default:
			base += " " + declarator
		}
		list = append(list, base)
	}
	if t.Variadic {
		list = append(list, "...")
	}
	if len(list) == 0 {
		return "void"
	}
	return strings.Join(list, ", ")
}
