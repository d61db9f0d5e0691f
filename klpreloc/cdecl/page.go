// SPDX-License-Identifier: GPL-2.0-or-later

package cdecl

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// Causes why something can't be declared; errors.Is finds them.
var (
	ErrUnnamed    = errors.New("has no name")
	ErrIncomplete = errors.New("is in no header that is known")
	ErrName       = errors.New("is no identifier of C")
	ErrType       = errors.New("can't be written in C")
)

// A Page is a C file in the making. The zero Page is empty.
type Page struct {
	headers  map[string]bool
	tags     map[string]bool // "struct file"
	typedefs map[string]string
	order    []string // names of typedefs, each after those that it needs
}

// A Declaration is what a Page made of a function or variable.
type Declaration struct {
	// Text is the declaration in C, with its semicolon.
	Text string
	// Remarks say what in it is not as in the kernel's source, a line each.
	Remarks []string
}

// Include adds a header, "linux/module.h".
func (p *Page) Include(header string) {
	if p.headers == nil {
		p.headers = map[string]bool{}
	}
	p.headers[header] = true
}

// Function declares a function. It adds to the page what the declaration needs.
func (p *Page) Function(f ctypes.Function) (Declaration, error) {
	w := p.writer()
	name := f.Name
	if !ctypes.IsIdentifier(name) {
		return Declaration{}, fmt.Errorf("%q %w", name, ErrName)
	}
	if macros()[name] {
		name = "(" + name + ")"
	}
	y := f.Type.Type()
	if y.Kind != ctypes.Func {
		return Declaration{}, fmt.Errorf("%s: its type is no function's: %w", f.Name, ErrType)
	}
	base, declarator, err := w.declare(y, name, declared, maxNested)
	if err != nil {
		return Declaration{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	w.commit()
	return Declaration{"extern " + joinDeclarator(base, declarator) + ";", w.remarks}, nil
}

// Variable declares a variable; one that BTF has in the section PerCPU is declared with
// DECLARE_PER_CPU.
func (p *Page) Variable(v ctypes.Variable) (Declaration, error) {
	w := p.writer()
	if !ctypes.IsIdentifier(v.Name) {
		return Declaration{}, fmt.Errorf("%q %w", v.Name, ErrName)
	}
	name := v.Name
	if v.Section == PerCPU {
		name = ""
		if header := perCPUHeaders()[v.Name]; header != "" {
			p.Include(header)
			return Declaration{Text: fmt.Sprintf("/* %s is declared in <%s> */", v.Name, header)}, nil
		}
	}
	y := v.Type.Type()
	if bare := y.Bare(); bare.Kind == ctypes.Void || bare.Kind == ctypes.Func {
		return Declaration{}, fmt.Errorf("%s: its type is not described: %w", v.Name, ErrType)
	}
	base, declarator, err := w.declare(y, name, declared, maxNested)
	if err != nil {
		return Declaration{}, fmt.Errorf("%s: %w", v.Name, err)
	}
	text := "extern " + joinDeclarator(base, declarator) + ";"
	if v.Section == PerCPU {
		w.include("linux/percpu.h")
		text = fmt.Sprintf("DECLARE_PER_CPU(%s, %s);", joinDeclarator(base, declarator), v.Name)
	}
	w.commit()
	return Declaration{text, w.remarks}, nil
}

// PerCPU is the section of per-CPU variables in BTF (include/asm-generic/vmlinux.lds.h,
// PERCPU_SECTION; pahole's btf_encoder.c).
const PerCPU = ".data..percpu"

// Definition returns the head of a function with the name as and the type of f, without its
// body, and what the body returns: "" of a function without a result. Structs that it takes or
// returns are complete; the parameters have names.
func (p *Page) Definition(as string, f ctypes.Function) (head, result string, remarks []string,
	err error,
) {
	w := p.writer()
	y := f.Type.Type()
	if y.Kind != ctypes.Func {
		return "", "", nil, fmt.Errorf("%s: its type is no function's: %w", f.Name, ErrType)
	}
	base, declarator, err := w.declare(y, as, defined, maxNested)
	if err != nil {
		return "", "", nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	switch r := y.Elem.Type(); r.Bare().Kind {
	case ctypes.Void:
	case ctypes.Pointer:
		result = "NULL"
	case ctypes.Struct, ctypes.Union:
		b, d, err := w.declare(r, "", defined, maxNested)
		if err != nil {
			return "", "", nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		result = "(" + joinDeclarator(b, d) + "){ }"
	default:
		result = "0"
		if r.Bare().Bool {
			result = "false"
		}
	}
	w.commit()
	return joinDeclarator(base, declarator), result, w.remarks, nil
}

// IncludeStructs adds the headers of the structs that a function's parameters and result point to,
// as far as they are known: a body that uses members needs them.
func (p *Page) IncludeStructs(f ctypes.Function) {
	y := f.Type.Type()
	refs := []ctypes.Ref{y.Elem}
	for _, x := range y.Params {
		refs = append(refs, x.Type)
	}
	for _, r := range refs {
		t := r.Type()
		for range maxNested {
			t = t.Bare()
			if t.Kind != ctypes.Pointer && t.Kind != ctypes.Array {
				break
			}
			t = t.Elem.Type()
		}
		if t.Kind == ctypes.Struct || t.Kind == ctypes.Union {
			if header := tagHeaders()[t.Kind.String()+" "+t.Name]; header != "" {
				p.Include(header)
			}
		}
	}
}

// Headers returns the headers that were included, sorted.
func (p *Page) Headers() []string {
	var all []string
	for h := range p.headers {
		all = append(all, h)
	}
	slices.Sort(all)
	return all
}

// Preamble returns what must be before the declarations: headers, forward declarations and
// typedefs. "" if they need nothing.
func (p *Page) Preamble() string {
	var b strings.Builder
	for _, h := range p.Headers() {
		fmt.Fprintf(&b, "#include <%s>\n", h)
	}
	var tags []string
	for t := range p.tags {
		if !p.headers[tagHeaders()[t]] {
			tags = append(tags, t)
		}
	}
	slices.Sort(tags)
	if len(tags) > 0 && b.Len() > 0 {
		b.WriteByte('\n')
	}
	for _, t := range tags {
		fmt.Fprintf(&b, "%s;\n", t)
	}
	if len(p.order) > 0 {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("/* Typedefs again, as the header that has them is not known. */\n")
	}
	for _, name := range p.order {
		fmt.Fprintf(&b, "%s\n", p.typedefs[name])
	}
	return b.String()
}
