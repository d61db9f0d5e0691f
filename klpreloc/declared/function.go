// SPDX-License-Identifier: GPL-2.0-or-later

package declared

import (
	"debug/elf"
	"fmt"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// Use is what a livepatch does with a function of the kernel.
type Use int

const (
	Borrowed Use = iota // the livepatch calls it
	Replaced            // the kernel calls the livepatch's function in its place
)

// Function compares a function that a livepatch declares (Borrowed) or defines (Replaced) with the
// kernel's. One that is void f(void) in the kernel and may be in assembler
// (ctypes.Function.Compiled) is Unjudged.
func Function(machine elf.Machine, use Use, declared, actual ctypes.Function) Comparison {
	a, b := declared.Type.Type(), actual.Type.Type()
	c := Comparison{Name: actual.Name, Declared: a.Declare(declared.Name),
		Actual: b.Declare(actual.Name)}
	x := newComparer(&c, machine)
	for _, t := range []*ctypes.Type{a.Bare(), b.Bare()} {
		switch t.Kind {
		case ctypes.Func:
		case ctypes.Unreadable:
			c.unjudged("%s", t.Why)
			return c
		default:
			c.unjudged("%s is no function", t)
			return c
		}
	}
	if !actual.Compiled && isEmpty(b.Bare()) && !isEmpty(a.Bare()) {
		c.unjudged("the kernel's types say %s, which they also say of functions in assembler",
			c.Actual)
		return c
	}
	arguments := toKernel
	if use == Replaced {
		arguments = fromKernel
	}
	x.comparePrototypes(a.Bare(), b.Bare(), arguments)
	return c
}

// isEmpty reports whether a function has neither parameters nor a result.
func isEmpty(f *ctypes.Type) bool {
	return len(f.Params) == 0 && !f.Variadic && f.Elem.Type().Bare().Kind == ctypes.Void
}

// Functions compares a function of a livepatch with all functions of the kernel that have the
// name. fits are those that have no difference that leads to wrong code, as numbers in the list of
// comparisons; the first has the fewest differences.
func Functions(machine elf.Machine, use Use, declared ctypes.Function,
	actual []ctypes.Function,
) (all []Comparison, fits []int) {
	least := -1
	for i, f := range actual {
		c := Function(machine, use, declared, f)
		all = append(all, c)
		switch n := len(c.Differences); {
		case c.Worst() == WrongCode:
		case least < 0 || n < least:
			fits, least = append([]int{i}, fits...), n
		default:
			fits = append(fits, i)
		}
	}
	return all, fits
}

// comparePrototypes compares parameters and results. arguments is where arguments flow; the result
// flows the other way.
func (x *comparer) comparePrototypes(a, b *ctypes.Type, arguments flow) {
	if !x.spend() {
		return
	}
	result := inMemory
	switch arguments {
	case toKernel:
		result = fromKernel
	case fromKernel:
		result = toKernel
	}
	x.place = "return value"
	x.compareResults(a.Elem.Type(), b.Elem.Type(), result)
	x.place = ""
	if a.Unprototyped || b.Unprototyped {
		if len(a.Params)+len(b.Params) > 0 {
			x.unjudged("it is declared without parameters: f() says nothing of them, f(void) " +
				"that it has none")
		}
		return
	}
	if len(a.Params) != len(b.Params) {
		x.differ(WrongCode, ParameterCount, count(a), count(b), parameterCount(a, b, arguments))
	}
	if a.Variadic != b.Variadic {
		x.differ(WrongCode, Variadic, count(a), count(b),
			"functions that end with ... find their arguments elsewhere")
	}
	for i := range min(len(a.Params), len(b.Params)) {
		if *x.left < 0 {
			break
		}
		x.place = fmt.Sprintf("parameter %d", i+1)
		if name := b.Params[i].Name; name != "" {
			x.place += " (" + name + ")"
		}
		x.compareValue(a.Params[i].Type.Type(), b.Params[i].Type.Type(), arguments)
	}
	x.place = ""
	if len(a.Params) == len(b.Params) {
		x.compareOrder(a, b)
	}
}

// maxOrdered bounds how many parameters are compared with each other. The kernel's functions have
// up to 20.
const maxOrdered = 32

// compareOrder finds two parameters that are declared in each other's place. Alone they may be no
// difference, a void * and a struct foo *, or a note, pointers to two structs.
func (x *comparer) compareOrder(a, b *ctypes.Type) {
	n := min(len(a.Params), maxOrdered)
	for i := range n {
		for j := i + 1; j < n; j++ {
			ai, aj := a.Params[i].Type.Type(), a.Params[j].Type.Type()
			bi, bj := b.Params[i].Type.Type(), b.Params[j].Type.Type()
			if spelling(ai.Bare()) == spelling(aj.Bare()) || // size_t and unsigned long
				spelling(ai) != spelling(bj) || spelling(aj) != spelling(bi) {
				continue
			}
			x.differ(WrongCode, Order, ai.String()+", "+aj.String(), bi.String()+", "+bj.String(),
				fmt.Sprintf("parameters %d and %d are in the other order", i+1, j+1))
		}
	}
}

// spelling returns a type as its source writes it, but integers by size and sign: compilers call
// one type unsigned long and long unsigned int.
func spelling(t *ctypes.Type) string {
	text := ""
	for range maxDepth {
		switch t.Kind {
		case ctypes.Pointer, ctypes.Const, ctypes.Volatile, ctypes.Restrict:
			text += t.Kind.String() + " "
			t = t.Elem.Type()
		case ctypes.Int:
			return fmt.Sprintf("%s%d %t %t", text, t.Size, t.Signed, t.Bool)
		default:
			return text + t.String()
		}
	}
	return text
}

func parameterCount(a, b *ctypes.Type, arguments flow) string {
	if arguments == toKernel && len(a.Params) > len(b.Params) ||
		arguments == fromKernel && len(a.Params) < len(b.Params) {
		return "an argument is passed that the function does not have"
	}
	return "the function reads a parameter that is not passed"
}

// count returns how many parameters a function has, in words.
func count(t *ctypes.Type) string {
	text := diag.Count(len(t.Params), "parameter")
	if t.Variadic {
		text += " and ..."
	}
	return text
}

// compareResults compares results. One that nobody reads may be anything.
func (x *comparer) compareResults(a, b *ctypes.Type, f flow) {
	isVoidA, isVoidB := a.Bare().Kind == ctypes.Void, b.Bare().Kind == ctypes.Void
	switch {
	case isVoidA && isVoidB:
	case f == fromKernel && isVoidB, f == toKernel && isVoidA, f == inMemory && isVoidA != isVoidB:
		x.differ(WrongCode, Class, a.String(), b.String(), "a result is read that is not set")
	case isVoidA || isVoidB:
		value := a
		if isVoidA {
			value = b
		}
		if isStruct(value.Bare()) {
			x.differ(WrongCode, Class, a.String(), b.String(),
				"a struct may be returned to a place that the caller names")
			return
		}
		x.differ(Note, Class, a.String(), b.String(), "the result is not read")
	default:
		x.compareValue(a, b, f)
	}
}
