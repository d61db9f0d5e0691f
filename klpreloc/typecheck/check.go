// SPDX-License-Identifier: GPL-2.0-or-later

package typecheck

import (
	"debug/elf"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

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
	objects   *sympos.ObjectTypes
	close     []func()
	answer    *Answer
	walk      *walk
}

// Check compares what the livepatch declares, of what it borrows and replaces, with the types of a
// kernel, from whose files the table was read.
func Check(l *Livepatch, borrowed []Borrowed, kernel *sympos.Kernel, table *sympos.Table) *Answer {
	c := &checker{livepatch: l, borrowed: borrowed, machine: l.machine, ours: l.types, kernel: kernel, table: table,
		answer: &Answer{}}
	c.objects = sympos.NewObjectTypes(kernel, table, c.names())
	c.close = append(c.close, c.objects.Close)
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
	case kernel.types.Format != "BTF":
		c.answer.Nothing = "the livepatch has BTF only, which refers to that of its kernel, and of the " +
			"kernel there is only " + kernel.types.Format
	case l.release == "" || c.kernel.Release == "":
		c.answer.Nothing = "the livepatch has BTF only, which refers to that of the kernel it was " +
			"built for, and it is not known whether this is it"
	case l.release != c.kernel.Release:
		c.answer.Nothing = "the livepatch has BTF only, which is for another kernel"
	}
	if c.answer.Nothing != "" {
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
