// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package declared_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/declared"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// A mutant is a declaration of the kernel with one change. The judge is the compiler: the same C
// is compiled with the kernel's declaration and with the mutant, and what counts is whether the
// machine code is another. For a function there are two such codes, that of a caller and that of
// the function itself:
//
//	mutant: long f(int, short)     long f(int, int)
//	caller  b[0] = f(b[8], b[16])  movswl 128(%rdi),%esi  ->  mov 128(%rdi),%esi
//	callee  b[16] = second         movswq %si,%rsi        ->  movslq %esi,%rsi
//
// A verdict is what came of the mutants of one kind.
type verdict struct {
	kind                                 string
	mutants, differs                     int
	wrong, noted, missed                 int // of those whose code differs
	equalWrong, equalNoted, equalNothing int // of the others
	missing, noting                      []string
}

// A table has a verdict for each kind.
type table struct{ rows []*verdict }

func (y *table) row(kind string) *verdict {
	for _, r := range y.rows {
		if r.kind == kind {
			return r
		}
	}
	y.rows = append(y.rows, &verdict{kind: kind})
	return y.rows[len(y.rows)-1]
}

// add adds a mutant: whether its code differs, and what the comparison found.
func (y *table) add(kind string, differs bool, c declared.Comparison) {
	r := y.row(kind)
	r.mutants++
	worst := c.Worst()
	switch {
	case differs && worst == declared.WrongCode:
		r.wrong++
	case differs && worst == declared.Note:
		r.noted++
		r.noting = append(r.noting, fmt.Sprintf("%s: %s, actual %s %v", kind, c.Declared,
			c.Actual, c.Differences))
	case differs:
		r.missed++
		r.missing = append(r.missing, fmt.Sprintf("%s: %s, actual %s %v", kind, c.Declared,
			c.Actual, c.Unjudged))
	case worst == declared.WrongCode:
		r.equalWrong++
	case worst == declared.Note:
		r.equalNoted++
	default:
		r.equalNothing++
	}
	if differs {
		r.differs++
	}
}

// String returns the table in Markdown.
func (y *table) String() string {
	var b strings.Builder
	b.WriteString("| kind | mutants | code differs | wrong code | note | missed | " +
		"code equal: wrong code | note | nothing |\n|---|---|---|---|---|---|---|---|---|\n")
	sum := verdict{kind: "all"}
	for _, r := range append(slices.Clone(y.rows), &sum) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %d |\n", r.kind, r.mutants,
			r.differs, r.wrong, r.noted, r.missed, r.equalWrong, r.equalNoted, r.equalNothing)
		sum.mutants += r.mutants
		sum.differs += r.differs
		sum.wrong += r.wrong
		sum.noted += r.noted
		sum.missed += r.missed
		sum.equalWrong += r.equalWrong
		sum.equalNoted += r.equalNoted
		sum.equalNothing += r.equalNothing
	}
	return b.String()
}

// notable are the kinds of mutants whose code may differ and that cause a note only: what a
// pointer points to has another name, which may be the author's name for the same thing. A bool of
// the kernel that a replacement takes as a char is 0 or 1, by which instruction it is extended too.
var notable = []string{"to another struct", "to another integer", "for a pointer",
	"sign of 4 or 8", "replaced: parameter: bool"}

// A mutant that changes the code in which a value is passed, read or written is found, on each
// machine that there is a compiler for.
func TestNoMutantIsMissed(t *testing.T) {
	forEachKernel(t, func(t *testing.T, w *witness) {
		quota := 3
		compilers := []compiler{{"x86_64", []string{"gcc"}, elf.EM_X86_64}}
		if w.full {
			quota = 30
			for _, c := range []compiler{
				{"x86_64, clang", []string{"clang"}, elf.EM_X86_64},
				{"s390x", []string{"s390x-linux-gnu-gcc"}, elf.EM_S390},
				{"arm64", []string{"aarch64-linux-gnu-gcc"}, elf.EM_AARCH64},
			} {
				if _, err := exec.LookPath(c.program[0]); err == nil {
					compilers = append(compilers, c)
				}
			}
		}
		functions := w.mutateFunctions(quota)
		layouts := w.mutateLayouts(quota)
		enums := w.mutateEnums(quota)
		for _, c := range compilers {
			y := w.judge(t, c, functions, layouts)
			w.judgeEnums(t, c, enums, y)
			t.Logf("%s:\n%s", c.name, y)
			for _, r := range y.rows {
				assert.Positive(t, r.mutants, r.kind)
				assert.Empty(t, r.missing, c.name)
				isNotable := slices.ContainsFunc(notable, func(k string) bool {
					return strings.Contains(r.kind, k)
				})
				// arm64's callers extend a narrow value for nobody.
				if !isNotable && (c.machine != elf.EM_AARCH64 ||
					!strings.HasSuffix(r.kind, "sign of 1 or 2 bytes")) {
					assert.Empty(t, r.noting, "%s: code differs and causes a note only", c.name)
				}
			}
		}
	})
}

// A param is a parameter of a prototype, or its result.
type param struct {
	typ  string // in C, without a name
	id   int    // of the entry in BTF; -1 of an invented type
	slot int    // which value it carries
	// scaled is that code computes p + 1, and read that it reads *p, if p is a pointer.
	scaled, read bool
}

type prototype struct {
	result   param
	params   []param
	variadic bool
}

func (p prototype) clone() prototype {
	p.params = slices.Clone(p.params)
	return p
}

// declare returns the prototype in C. The parameters are called p and the number of their slots.
func (p prototype) declare(name string) string {
	var list []string
	for _, x := range p.params {
		list = append(list, fmt.Sprintf("__typeof__(%s) p%d", x.typ, x.slot))
	}
	if p.variadic {
		list = append(list, "...")
	}
	if len(list) == 0 {
		list = []string{"void"}
	}
	return fmt.Sprintf("__typeof__(%s) %s(%s)", p.result.typ, name, strings.Join(list, ", "))
}

// isStruct reports whether the parameter is a struct that is passed by value.
func (w *witness) isStruct(x param) bool {
	if x.id < 0 {
		return false
	}
	kind := w.bare(x.id).kind
	return kind == "STRUCT" || kind == "UNION"
}

func (x param) isVoid() bool { return x.typ == "void" }

// pointees returns what the code of an author does with the pointers that he passes or gets.
func (x param) pointees(value string) (text string) {
	if x.scaled {
		text += fmt.Sprintf(" b[%d] = (long)(%s + 1);", 8*x.slot+6, value)
	}
	if x.read {
		text += fmt.Sprintf(" b[%d] = (long)*%s;", 8*x.slot+7, value)
	}
	return text
}

// caller returns a function that calls name, with values that it reads from memory.
func (w *witness) caller(p prototype, name, own string) string {
	var args []string
	after := ""
	for _, x := range p.params {
		value := fmt.Sprintf("(__typeof__(%s))b[%d]", x.typ, 8*x.slot)
		if w.isStruct(x) {
			value = fmt.Sprintf("*(__typeof__(%s) *)(b + %d)", x.typ, 8*x.slot)
		}
		args = append(args, value)
		after += x.pointees("(" + value + ")")
	}
	if p.variadic {
		args = append(args, "b[300]")
	}
	call := fmt.Sprintf("%s(%s)", name, strings.Join(args, ", "))
	at := 8 * p.result.slot
	switch {
	case p.result.isVoid():
	case w.isStruct(p.result):
		call = fmt.Sprintf("*(__typeof__(%s) *)(b + %d) = %s", p.result.typ, at, call)
	default:
		call = fmt.Sprintf("b[%d] = (long)%s", at, call)
		after += p.result.pointees(fmt.Sprintf("((__typeof__(%s))b[%d])", p.result.typ, at))
	}
	return fmt.Sprintf("void %s(long *b) { %s;%s }\n", own, call, after)
}

// callee returns a function with the prototype, which stores what it gets.
func (w *witness) callee(p prototype, own string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s { long *b = klp_b;", p.declare(own))
	for _, x := range p.params {
		if w.isStruct(x) {
			fmt.Fprintf(&b, " *(__typeof__(%s) *)(b + %d) = p%d;", x.typ, 8*x.slot, x.slot)
		} else {
			fmt.Fprintf(&b, " b[%d] = (long)p%d;", 8*x.slot, x.slot)
		}
		b.WriteString(x.pointees(fmt.Sprintf("p%d", x.slot)))
	}
	at := 8 * p.result.slot
	switch {
	case p.result.isVoid():
	case w.isStruct(p.result):
		fmt.Fprintf(&b, " return *(__typeof__(%s) *)(b + %d);", p.result.typ, at)
	default:
		fmt.Fprintf(&b, " return (__typeof__(%s))b[%d];", p.result.typ, at)
	}
	b.WriteString(" }\n")
	return b.String()
}

// param returns the parameter of a type, and false if it has none in C.
func (w *witness) param(id, slot int) (x param, ok bool) {
	text, err := w.declare(id, "")
	if err != nil {
		return x, false
	}
	x = param{typ: text, id: id, slot: slot}
	bare := w.bare(id)
	if w.isStruct(x) && strings.Contains(text, "const") {
		return x, false
	}
	if bare.kind == "PTR" {
		x.scaled = w.hasSize(bare.to)
		x.read = w.bare(bare.to).kind == "INT"
	}
	return x, bare.kind != "FLOAT" && bare.size <= 8 || w.isStruct(x)
}

// hasSize reports whether C can count in units of a type.
func (w *witness) hasSize(id int) bool {
	e := w.bare(id)
	switch e.kind {
	case "FWD", "FUNC_PROTO":
		return false
	case "ARRAY":
		return e.count > 0 && w.hasSize(e.to)
	}
	return true
}

// prototype returns the prototype of a function, and false if it has none in C.
func (w *witness) prototype(f *entry) (p prototype, ok bool) {
	proto := w.entries[f.to]
	for i, m := range proto.members {
		if m.to == 0 {
			p.variadic = true
			break
		}
		x, ok := w.param(m.to, i)
		if !ok {
			return p, false
		}
		p.params = append(p.params, x)
	}
	p.result, ok = w.param(proto.to, 30)
	return p, ok
}

// integerOf returns an integer of C.
func integerOf(size int, signed bool) string {
	name := map[int]string{1: "char", 2: "short", 4: "int", 8: "long"}[size]
	if signed {
		return "signed " + name
	}
	return "unsigned " + name
}

func (w *witness) another(sizes ...int) int { return sizes[w.random.Intn(len(sizes))] }

// mutateValue returns the type of a value with one change of a kind.
func (w *witness) mutateValue(kind string, id int) (typ string, ok bool) {
	e := w.bare(id)
	isInt := e.kind == "INT" && e.size <= 8
	isBool, signed := e.encoding == "BOOL", e.encoding == "SIGNED"
	switch kind {
	case "width":
		size := w.another(1, 2, 4, 8)
		return integerOf(size, signed), isInt && !isBool && size != e.size
	case "sign of 1 or 2 bytes":
		return integerOf(e.size, !signed), isInt && !isBool && e.size <= 2
	case "sign of 4 or 8 bytes":
		return integerOf(e.size, !signed), isInt && !isBool && e.size >= 4
	case "bool":
		if isBool {
			return integerOf(w.another(1, 4), true), true
		}
		return "_Bool", isInt && e.size <= 4
	}
	if e.kind != "PTR" {
		return "", false
	}
	to := w.bare(e.to)
	text, err := w.declare(e.to, "")
	if err != nil {
		return "", false
	}
	switch kind {
	case "pointer depth":
		if to.kind == "PTR" && w.hasSize(to.to) {
			return text, true
		}
		text, err = w.declare(id, "")
		return fmt.Sprintf("__typeof__(%s) *", text), err == nil && to.kind != "VOID"
	case "pointer to another struct":
		return w.anotherStruct(to) + " *", to.kind == "STRUCT" && w.isUnique(to)
	case "pointer to another integer":
		size := w.another(1, 2, 4, 8)
		return integerOf(size, signed) + " *", to.kind == "INT" && to.encoding != "BOOL" &&
			to.size != size
	case "integer for a pointer":
		return "unsigned long", true
	}
	return "", false
}

// anotherStruct returns a struct that is not this one.
func (w *witness) anotherStruct(e *entry) string {
	list := w.types()
	for {
		x := list[w.random.Intn(len(list))]
		if x.kind == "STRUCT" && x != e && x.size > 0 && x.size != e.size {
			return "struct " + x.name
		}
	}
}

var valueKinds = []string{"width", "sign of 1 or 2 bytes", "sign of 4 or 8 bytes", "bool",
	"pointer depth", "pointer to another struct", "pointer to another integer",
	"integer for a pointer"}

// mutate returns a function's prototype, and one with one change of a kind. The first has what
// code is not to do with either.
func (w *witness) mutate(kind string, p prototype) (original, mutant prototype, ok bool) {
	original, mutant = p.clone(), p.clone()
	n := len(p.params)
	change := func(x, y *param, kind string) bool {
		if x.id == 0 {
			return false
		}
		if y.typ, ok = w.mutateValue(kind, x.id); !ok {
			return false
		}
		y.id = -1
		if kind == "integer for a pointer" || kind == "pointer depth" &&
			!strings.HasSuffix(y.typ, "*") {
			x.scaled, x.read, y.scaled, y.read = false, false, false, false
		}
		return true
	}
	where, what, _ := strings.Cut(kind, ": ")
	switch {
	case where == "result":
		ok = change(&original.result, &mutant.result, what)
	case what == "dropped" && n > 0:
		i := w.random.Intn(n)
		mutant.params = slices.Delete(mutant.params, i, i+1)
		original.params[i].scaled, original.params[i].read = false, false
		ok = true
	case what == "added" && n < 8:
		typ := []string{"int", "void *", "unsigned long"}[w.random.Intn(3)]
		mutant.params = slices.Insert(mutant.params, w.random.Intn(n+1),
			param{typ: typ, id: -1, slot: 29})
		ok = true
	case what == "swapped" && n > 1:
		i := w.random.Intn(n - 1)
		j := i + 1 + w.random.Intn(n-1-i)
		mutant.params[i], mutant.params[j] = mutant.params[j], mutant.params[i]
		a, b := w.bare(p.params[i].id), w.bare(p.params[j].id)
		ok = p.params[i].typ != p.params[j].typ && (a.kind != "INT" || b.kind != "INT" ||
			a.size != b.size || a.encoding != b.encoding) // size_t and unsigned long
	case what == "..." && n > 0:
		mutant.variadic = !p.variadic
		ok = true
	case where == "parameter" && n > 0:
		i := w.random.Intn(n)
		ok = change(&original.params[i], &mutant.params[i], what)
	}
	return original, mutant, ok
}

// A functionMutant is a function of the kernel and a change of it.
type functionMutant struct {
	kind             string
	function         string
	original, mutant prototype
}

// mutateFunctions returns so many mutants of each kind.
func (w *witness) mutateFunctions(quota int) (list []functionMutant) {
	kinds := []string{"parameter: dropped", "parameter: added", "parameter: swapped",
		"parameter: ..."}
	for _, k := range valueKinds {
		kinds = append(kinds, "parameter: "+k, "result: "+k)
	}
	count := map[string]int{}
	w.pick(len(w.funcs), w.funcs, func(f *entry) bool {
		p, ok := w.prototype(f)
		if !ok || !w.isUnique(f) || len(p.params) > 8 {
			return false
		}
		for done, from := 0, w.random.Perm(len(kinds)); done < 2 && len(from) > 0; from = from[1:] {
			kind := kinds[from[0]]
			if count[kind] == quota {
				continue
			}
			if original, mutant, ok := w.mutate(kind, p); ok {
				list = append(list, functionMutant{kind, f.name, original, mutant})
				count[kind]++
				done++
			}
		}
		return false
	})
	slices.SortStableFunc(list, func(a, b functionMutant) int {
		return slices.Index(kinds, a.kind) - slices.Index(kinds, b.kind)
	})
	return list
}

// judge compiles originals and mutants and compares the code and the declarations.
func (w *witness) judge(t *testing.T, c compiler, functions []functionMutant,
	layouts []layoutMutant,
) *table {
	var b strings.Builder
	b.WriteString(w.header)
	b.WriteString("extern long klp_b[];\n")
	for i, m := range functions {
		for j, p := range []prototype{m.original, m.mutant} {
			name := fmt.Sprintf("klp_%c%d", "om"[j], i)
			fmt.Fprintf(&b, "extern %s;\n", p.declare(name))
			b.WriteString(w.caller(p, name, "use_"+name))
			b.WriteString(w.callee(p, "def_"+name))
		}
	}
	for i, m := range layouts {
		b.WriteString(m.source(i))
	}
	more := append([]string{"-ffunction-sections"}, w.flags...)
	if !strings.Contains(c.name, "clang") {
		more = append(more, "-fno-ipa-icf") // or one of two equal functions calls the other
	}
	object := c.compile(t, b.String(), more...)
	code, patch := codeOf(t, object), declarations(t, object)
	isOther := func(prefix string, i int) bool {
		o, m := code[fmt.Sprintf("%so%d", prefix, i)], code[fmt.Sprintf("%sm%d", prefix, i)]
		require.NotEmpty(t, o)
		require.NotEmpty(t, m)
		return o != m
	}
	one := func(types *ctypes.Types, name string) ctypes.Function {
		list, err := types.Functions(name)
		require.NoError(t, err)
		require.Len(t, list, 1, name)
		list[0].Compiled = true
		return list[0]
	}
	y := &table{}
	for i, m := range functions {
		// The kernel's types are x86's.
		original := fmt.Sprintf("klp_o%d", i)
		actual := one(patch, original)
		if c.machine == elf.EM_X86_64 {
			actual = one(w.kernel, m.function)
		}
		for _, use := range []declared.Use{declared.Borrowed, declared.Replaced} {
			prefix, name := "use_klp_", fmt.Sprintf("klp_m%d", i)
			if use == declared.Replaced {
				prefix, name = "def_klp_", fmt.Sprintf("def_klp_m%d", i)
			}
			same := declared.Function(c.machine, use, one(patch, original), actual)
			require.Empty(t, same.Differences, m.function)
			found := declared.Function(c.machine, use, one(patch, name), actual)
			kind := "borrowed: " + m.kind
			if use == declared.Replaced {
				kind = "replaced: " + m.kind
			}
			y.add(kind, isOther(prefix, i), found)
		}
	}
	for i, m := range layouts {
		types := patch
		if c.machine == elf.EM_X86_64 {
			types = w.kernel
		}
		actual, err := types.Named(ctypes.Struct, m.name)
		require.NoError(t, err)
		require.Len(t, actual, 1, m.name)
		mutant, err := patch.Named(ctypes.Struct, fmt.Sprintf("klp_m%d", i))
		require.NoError(t, err)
		require.Len(t, mutant, 1, m.name)
		y.add(m.kind, isOther("use_struct_", i), declared.Layout(c.machine, mutant[0], actual[0]))
	}
	slices.SortStableFunc(y.rows, func(a, b *verdict) int { return strings.Compare(a.kind, b.kind) })
	return y
}

// ownName is the name of a function, the original or a mutant.
var ownName = regexp.MustCompile(`^klp_[om](\d+)$`)

// codeOf returns the code of each function that has a section of its own, with what its
// relocations refer to.
func codeOf(t *testing.T, object []byte) map[string]string {
	f, err := elf.NewFile(bytes.NewReader(object))
	require.NoError(t, err)
	symbols, err := f.Symbols()
	require.NoError(t, err)
	code := map[string]string{}
	for _, s := range f.Sections {
		name, ok := strings.CutPrefix(s.Name, ".text.")
		if ok && s.Type == elf.SHT_PROGBITS {
			b, err := s.Data()
			require.NoError(t, err)
			code[name] = string(b) + code[name]
		}
		name, ok = strings.CutPrefix(s.Name, ".rela.text.")
		if !ok {
			continue
		}
		b, err := s.Data()
		require.NoError(t, err)
		for ; len(b) >= 24; b = b[24:] {
			var r struct{ Offset, Info, Addend uint64 }
			require.NoError(t, binary.Read(bytes.NewReader(b), f.ByteOrder, &r))
			symbol := ownName.ReplaceAllString(symbols[r.Info>>32-1].Name, "$1")
			code[name] += fmt.Sprintf("\n%#x %d %s+%#x", r.Offset, uint32(r.Info), symbol,
				r.Addend)
		}
	}
	return code
}
