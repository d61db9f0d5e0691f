// SPDX-License-Identifier: GPL-2.0-or-later

package annotation

import (
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// A line that is printed to be pasted has to compile. What a kernel calls a symbol is
// not always a name in C:
//
//	foo                    KLP_SYMPOS(foo, 0)
//	foo.isra.0, str.12345  extern void foo_isra_0(void) KLP_RELOC_SYMBOL(vmlinux, vmlinux, foo.isra.0);
//	_ZN4core$LT$…$GT$E     the same: not every compiler takes '$' in a name
//	foo-bar, a b           no line: an assembler reads that label as an expression
//
// In C an alias replaces such a name, and its label says which symbol it is.

// FitsLabel reports whether a label can hold the name: the macros make a string of it, and
// assemblers read that as one symbol.
func FitsLabel(name string) bool {
	for i := 0; i < len(name); i++ {
		if !isWordByte(name[i]) && name[i] != '.' && name[i] != '$' {
			return false
		}
	}
	return name != "" && len(name) <= (kernel.Version{}).NameLimit()
}

func isWordByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// Alias returns an identifier to use in C for a name.
func Alias(name string) string {
	b := []byte(name)
	for i, c := range b {
		if !isWordByte(c) {
			b[i] = '_'
		}
	}
	if s := string(b); ctypes.IsIdentifier(s) {
		return s
	}
	return "_" + string(b)
}

// nameToPaste returns a name as it can be in a line to paste: whole, unless no kernel has a
// name of that length.
func nameToPaste(name string) string {
	if klpabi.PossibleName(name) {
		return name
	}
	return diag.Clip(name)
}

// Declare returns a declaration of what a names, under the name as.
func (a *Annotation) Declare(as, macro string) string {
	if ctypes.IsIdentifier(a.Name) {
		return fmt.Sprintf("extern typeof(%s) %s %s;", a.Name, as, macro)
	}
	return fmt.Sprintf("extern void %s(void) %s;   /* with its true type */", as, macro)
}

// DeclareAlias declares an alias for what a names, where the symbol's own name already means
// something else.
func (a *Annotation) DeclareAlias() []string {
	if a.Dialect == Listed && FitsLine(a.Name) {
		b := *a
		b.Symbol = &elfrw.Symbol{Name: Alias(a.Object + "_" + a.Name)}
		return []string{b.Macro() + "   # and " + b.Symbol.Name + " in the code"}
	}
	if !FitsLabel(a.Name) {
		return nil
	}
	return []string{a.Declare(Alias(a.Object+"_"+a.Name), a.Macro())}
}

// VmlinuxLine is the line that makes a symbol one of vmlinux's, "" where no line can.
func VmlinuxLine(name string) string {
	switch {
	case ctypes.IsIdentifier(name) && klpabi.PossibleName(name):
		return fmt.Sprintf(
			"static KLP_MODULE_RELOC(vmlinux) borrowed[] = { KLP_SYMPOS(%s, 0) };   /* if vmlinux has it */",
			name)
	case FitsLabel(name):
		return fmt.Sprintf("extern void %s(void) %s;   /* with its true type, if vmlinux has it */",
			Alias(name),
			LabelMacro(&Annotation{LPObject: sympos.Vmlinux, Object: sympos.Vmlinux, Name: name}, 0))
	}
	return ""
}

// LabelMacro is the macro of klp_convert.h for a klp symbol.
func LabelMacro(a *Annotation, pos uint32) string {
	if pos == 0 {
		return fmt.Sprintf("KLP_RELOC_SYMBOL(%s, %s, %s)", a.LPObject, a.Object, nameToPaste(a.Name))
	}
	return fmt.Sprintf("KLP_RELOC_SYMBOL_POS(%s, %s, %s, %d)", a.LPObject, a.Object,
		nameToPaste(a.Name), pos)
}
