// SPDX-License-Identifier: GPL-2.0-or-later

package typecheck

import (
	"debug/elf"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/declared"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// checker compares one livepatch with one kernel.
type checker struct {
	livepatch *Livepatch
	borrowed  []Borrowed
	machine   elf.Machine
	ours      *ctypes.Types // the livepatch's
	kernel    *sympos.Kernel
	table     *sympos.Table
	objects   map[string]described
	close     []func()
	answer    *Answer
	walk      *walk
}

// Check compares what the livepatch declares, of what it borrows and replaces, with the types of a
// kernel, from whose files the table was read.
func Check(l *Livepatch, borrowed []Borrowed, kernel *sympos.Kernel, table *sympos.Table) *Answer {
	c := &checker{livepatch: l, borrowed: borrowed, machine: l.machine, ours: l.types, kernel: kernel, table: table,
		objects: map[string]described{}, answer: &Answer{}}
	defer func() {
		for _, f := range c.close {
			f()
		}
	}()
	if !c.readOurs() {
		return c.answer
	}
	c.walk = newWalk(c)
	of, symbols := bySymbol(borrowed)
	for _, symbol := range symbols {
		c.checkBorrowed(symbol, of[symbol])
	}
	for _, r := range l.replaced {
		c.checkReplaced(r)
	}
	c.walk.run()
	for _, x := range l.locals {
		c.checkLocal(x)
	}
	c.walk.run()
	c.walk.report()
	return c.answer
}

// readOurs finds the livepatch's types, and reports whether anything can be compared.
func (c *checker) readOurs() bool {
	l := c.livepatch
	if len(c.borrowed)+len(l.replaced)+len(l.locals) == 0 {
		return false
	}
	if l.failed != nil && !errors.Is(l.failed, sympos.ErrNoTypes) {
		c.answer.Nothing, c.answer.Damaged = oneLine(l.failed), true
		return false
	}
	if l.types == nil && !l.hasBTF {
		c.answer.Nothing = "the livepatch has no type information"
		c.answer.Hint = "build it with -g (Kbuild does with CONFIG_DEBUG_INFO=y); strip it after " +
			"conversion only (KLP_STRIP=y)"
		return false
	}
	if l.empty {
		c.answer.Nothing = "debug information of the livepatch has none of its functions"
		c.answer.Hint = "build its C files with -g"
		return false
	}
	kernel := c.object(sympos.Vmlinux)
	if kernel.types == nil && !c.knowsAny() {
		c.answer.Nothing = kernel.why
		c.answer.Hint = "give the kernel's image, or the vmlinux of its debug package"
		return false
	}
	if l.types != nil {
		return true
	}
	return c.readOurBTF(kernel)
}

// knowsAny reports whether a module that the livepatch has to do with is described.
func (c *checker) knowsAny() bool {
	for _, b := range c.borrowed {
		if c.object(b.Object).types != nil {
			return true
		}
	}
	for _, r := range c.livepatch.replaced {
		if c.object(r.Object).types != nil {
			return true
		}
	}
	return false
}

// readOurBTF reads the livepatch's own BTF. It describes what the livepatch defines, and nothing
// that it declares, so that replacements can be compared. BTF without a base of its own refers to
// the types of a kernel by number: it is used with the kernel only that it was built for.
func (c *checker) readOurBTF(kernel described) bool {
	l := c.livepatch
	switch {
	case l.hasBase:
	case kernel.types == nil:
		c.answer.Nothing = kernel.why
		return false
	case l.release == "" || l.release != c.kernel.Release:
		c.answer.Nothing = "the livepatch has BTF only, which is for another kernel"
		c.answer.Hint = "build it with -g; strip it after conversion only (KLP_STRIP=y)"
		return false
	}
	types, err := sympos.ReadModuleTypes("", l.contents, kernel.types, c.names())
	if err != nil {
		c.answer.Nothing, c.answer.Damaged = oneLine(err), true
		return false
	}
	c.ours = types
	c.close = append(c.close, types.Close)
	return true
}

// oneLine returns an error without the name of a file, which the caller prints.
func oneLine(err error) string {
	return strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), ": ")
}

// checkBorrowed compares a declaration of the livepatch with what the kernel has under that name,
// in one object or several.
func (c *checker) checkBorrowed(symbol string, of []Borrowed) {
	functions, variables, err := c.declarations(symbol, of)
	switch {
	case err != nil:
		c.answer.unjudged(of[0].Name, err.Error())
	case len(functions) > 0:
		c.checkBorrowedFunction(functions, of)
	case len(variables) > 0:
		c.checkVariable(variables, of)
	case c.ours.Format == "BTF":
		c.answer.unjudged(of[0].Name,
			"the livepatch has BTF only, which has no declarations: build it with -g")
	default:
		c.answer.unjudged(of[0].Name,
			"no C file of the livepatch declares it: a call that the compiler makes, or assembler")
	}
}

// declarations returns what the livepatch declares for a symbol: under that name, or with a label
// that the symbol had before conversion.
func (c *checker) declarations(symbol string, of []Borrowed) (functions []ctypes.Function,
	variables []ctypes.Variable, err error,
) {
	labels := c.labels(of)
	for _, name := range append([]string{symbol}, labels...) {
		var f []ctypes.Function
		if f, err = c.ours.Functions(name); err != nil {
			return nil, nil, err
		}
		var v []ctypes.Variable
		if v, err = c.ours.Variables(name); err != nil {
			return nil, nil, err
		}
		// What has a symbol of its own is meant by that only.
		functions = append(functions, slices.DeleteFunc(f, func(f ctypes.Function) bool {
			return !f.Declared || f.Symbol != "" && f.Symbol != name
		})...)
		variables = append(variables, slices.DeleteFunc(v, func(v ctypes.Variable) bool {
			return !v.Declared || v.Symbol != "" && v.Symbol != name
		})...)
	}
	return functions, variables, nil
}

// labels returns the labels that a symbol may have had before conversion, in the spellings of
// KLP_RELOC_SYMBOL: .klp.sym.rela.LP.OBJECT.NAME,POS and .klp.sym.rela.LP.OBJECT.NAME.POS.
func (c *checker) labels(of []Borrowed) (list []string) {
	for _, b := range of {
		for _, patched := range c.livepatch.patched {
			stem := labelPrefix + "rela." + patched + "." + b.Object + "." + b.Name
			list = append(list, fmt.Sprintf("%s,%d", stem, b.Position),
				fmt.Sprintf("%s.%d", stem, b.Position))
		}
	}
	return list
}

// labelPrefix is how labels begin: of annotations, and of klp symbols.
const labelPrefix = ".klp.sym."

func (c *checker) checkBorrowedFunction(ours []ctypes.Function, of []Borrowed) {
	var actual []ctypes.Function
	object, why := of[0].Object, ""
	for _, b := range of {
		list, reason := c.functions(b.Object, b.Name, b.Position)
		actual = append(actual, list...)
		if len(list) > 0 && len(actual) == len(list) {
			object = b.Object
		}
		if reason != "" {
			why = reason
		}
	}
	if len(actual) == 0 {
		if why == "" {
			why = leftOut(object, c.object(object).types)
		}
		c.answer.unjudged(of[0].Name, why)
		return
	}
	c.compareFunctions(Finding{Kind: Declaration, Symbol: of[0].Name}, declared.Borrowed, ours,
		actual, object)
}

// leftOut says why types do not have a function that exists.
func leftOut(object string, types *ctypes.Types) string {
	if types != nil && types.Format == "BTF" {
		return "BTF of " + object + " does not have it: pahole leaves out functions that the " +
			"compiler changed, and those of one name that differ"
	}
	return "debug information of " + object + " does not have it"
}

func (c *checker) checkReplaced(r Replaced) {
	if r.New == "" {
		c.answer.unjudged(r.Name, "its replacement has no symbol")
		return
	}
	ours, err := c.ours.Functions(r.New)
	if err != nil {
		c.answer.unjudged(r.Name, err.Error())
		return
	}
	ours = slices.DeleteFunc(ours, func(f ctypes.Function) bool { return f.Declared })
	if len(ours) == 0 {
		c.answer.unjudged(r.Name, "type information of the livepatch does not have its replacement")
		return
	}
	actual, why := c.functions(r.Object, r.Name, r.Position)
	if len(actual) == 0 {
		if why == "" {
			why = leftOut(r.Object, c.object(r.Object).types)
		}
		c.answer.unjudged(r.Name, why)
		return
	}
	for i := range actual { // what can be replaced calls ftrace, so a compiler made it
		actual[i].Compiled = true
	}
	c.compareFunctions(Finding{Kind: Replacement, Symbol: r.Name}, declared.Replaced, ours, actual,
		r.Object)
}

// compareFunctions compares each declaration with all functions that can be meant. f is completed
// and added for the first declaration that fits none.
func (c *checker) compareFunctions(f Finding, use declared.Use, ours, actual []ctypes.Function,
	object string,
) {
	seen := map[string]bool{}
	reported := false
	for _, our := range ours {
		text := our.Type.Type().Declare(our.Name)
		all, fits := declared.Functions(c.machine, use, our, actual)
		best := 0
		if len(fits) > 0 {
			best = fits[0]
		} else {
			for i := range all {
				if wrong(all[i]) < wrong(all[best]) {
					best = i
				}
			}
		}
		isLayout := len(actual) == 1 && isLayoutOnly(all[best]) &&
			haveSameTags(our.Type.Type(), actual[best].Type.Type())
		if len(fits) > 0 || isLayout {
			c.walk.function(our.Name, our.Type.Type(), actual[best].Type.Type())
		}
		if seen[text] || reported || isLayout {
			continue
		}
		seen[text] = true
		for _, why := range all[best].Unjudged {
			c.answer.unjudged(f.Symbol, why)
		}
		if len(all) > 1 && len(fits) > 0 {
			c.answer.unjudged(f.Symbol, fmt.Sprintf("%s has %d functions of the name with different "+
				"types, and nothing tells which of them is meant: fits %s", object, len(all),
				all[best].Actual))
		}
		if all[best].Worst() == declared.Same {
			continue
		}
		reported = true
		c.addFunction(f, our, object, all, actual, best)
	}
}

// addFunction adds the finding about a function.
func (c *checker) addFunction(f Finding, our ctypes.Function, object string,
	all []declared.Comparison, actual []ctypes.Function, best int,
) {
	what := fmt.Sprintf("%s of %s is declared with other types than it has", f.Symbol, object)
	if our.Name != f.Symbol {
		what = fmt.Sprintf("%s is declared with other types than %s of %s has", our.Name, f.Symbol,
			object)
	}
	fix := "extern %s;"
	if f.Kind == Replacement {
		what = fmt.Sprintf("%s replaces %s of %s, which has other types", our.Name, f.Symbol, object)
		fix = "%s"
	}
	f.Message = what
	if len(all) > 1 {
		f.Message += fmt.Sprintf(" (the nearest of %d of the name)", len(all))
	}
	for i := range actual {
		if i != best && all[i].Actual == all[best].Actual {
			continue
		}
		if text := actual[i].Type.Type().Declare(our.Name); !strings.Contains(text, "{...}") {
			f.Hints = append(f.Hints, fmt.Sprintf(fix, text))
		}
		const most = 4
		if len(f.Hints) == most {
			break
		}
	}
	c.answer.add(f, all[best])
}

// isLayoutOnly reports whether only the sizes of structs differ. Where they have the same tags, that
// is a matter of their layout, which gets its own finding.
func isLayoutOnly(c declared.Comparison) bool {
	for _, d := range c.Differences {
		if d.Severity == declared.WrongCode && d.Subject != declared.Size {
			return false
		}
	}
	return wrong(c) > 0
}

// haveSameTags reports whether the structs in two variables, or those that two functions pass and
// return, have the same tags.
func haveSameTags(a, b *ctypes.Type) bool {
	if x, y := a.Bare(), b.Bare(); x.Kind == ctypes.Func && y.Kind == ctypes.Func {
		same := len(x.Params) == len(y.Params) && haveSameTags(x.Elem.Type(), y.Elem.Type())
		for i := range min(len(x.Params), len(y.Params)) {
			same = same && haveSameTags(x.Params[i].Type.Type(), y.Params[i].Type.Type())
		}
		return same
	}
	_, a = a.Elements()
	_, b = b.Elements()
	isStruct := func(t *ctypes.Type) bool {
		return t.Bare().Kind == ctypes.Struct || t.Bare().Kind == ctypes.Union
	}
	return !isStruct(a) || !isStruct(b) || tagOf(a) == tagOf(b)
}

// wrong counts the differences that lead to wrong code.
func wrong(c declared.Comparison) (n int) {
	for _, d := range c.Differences {
		if d.Severity == declared.WrongCode {
			n++
		}
	}
	return n
}

// checkVariable compares a declaration of a variable with those that can be meant.
func (c *checker) checkVariable(ours []ctypes.Variable, of []Borrowed) {
	name := of[0].Name
	var actual []ctypes.Variable
	var object, why string
	for _, b := range of {
		d := c.object(b.Object)
		if d.types == nil {
			why = d.why
			continue
		}
		list, err := d.types.Variables(b.Name)
		if err != nil {
			why = err.Error()
		}
		list = slices.DeleteFunc(list, func(v ctypes.Variable) bool { return v.Declared })
		if len(list) == 0 && why == "" {
			why = "debug information of " + b.Object + " does not have it"
			if d.types.Format == "BTF" {
				why = "BTF of " + b.Object + " does not have it: of variables, that of kernels has " +
					"per-CPU ones only"
			}
		}
		if len(list) > 0 {
			actual, object = append(actual, list...), b.Object
		}
	}
	if len(actual) == 0 {
		c.answer.unjudged(name, why)
		return
	}
	seen := map[string]bool{}
	for _, our := range ours {
		best := -1
		var all []declared.Comparison
		for i, v := range actual {
			all = append(all, declared.Variable(c.machine, our, v))
			if best < 0 || wrong(all[i]) < wrong(all[best]) {
				best = i
			}
		}
		isLayout := isLayoutOnly(all[best]) &&
			haveSameTags(our.Type.Type(), actual[best].Type.Type())
		if wrong(all[best]) == 0 || isLayout {
			c.walk.visit(our.Type.Type(), actual[best].Type.Type(), name)
		}
		text := our.Type.Type().Declare(our.Name)
		if seen[text] || isLayout {
			continue
		}
		seen[text] = true
		for _, why := range all[best].Unjudged {
			c.answer.unjudged(name, why)
		}
		f := Finding{Kind: Declaration, Symbol: name,
			Message: fmt.Sprintf("%s of %s is declared with another type than it has", name, object)}
		if our.Name != name {
			f.Message = fmt.Sprintf("%s is declared with another type than %s of %s has", our.Name, name,
				object)
		}
		if text := actual[best].Type.Type().Declare(our.Name); !strings.Contains(text, "{...}") {
			f.Hints = []string{fmt.Sprintf("extern %s;", text)}
		}
		c.answer.add(f, all[best])
		if all[best].Worst() != declared.Same {
			return
		}
	}
}
