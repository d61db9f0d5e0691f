// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/cdecl"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// Declarations of C for symbols of a kernel, in blocks:
//
//	#include <linux/types.h>			what they need
//
//	struct seq_file;
//
//	/* vmlinux, by BTF of vmlinuz-6.1.0-56-amd64 */	where they are from
//	extern int name_show(struct device *dev);
//
// One that could be of another symbol than the one that is meant is commented out, beside the
// others of that name: the types of BTF belong to a name, and several symbols may have it.

// A Wanted is a symbol to declare.
type Wanted struct {
	Name string
	// List has the symbols that it can mean, in all objects.
	List []sympos.Symbol
}

// declareMissing returns declarations of what is missing. "" if the kernel has no types.
func (v *View) declareMissing(out *collector, missing []missingAnnotation) string {
	var wanted []Wanted
	var names []string
	for _, l := range missing {
		if ctypes.IsIdentifier(l.Name) {
			wanted = append(wanted, Wanted{l.Name, l.list})
			names = append(names, l.Name)
		}
	}
	if len(wanted) == 0 {
		return ""
	}
	types := NewTypes(v.kernel, v.table, sympos.Names(names...))
	defer types.Close()
	var page cdecl.Page
	text, _, found := Declare(&page, types, wanted)
	out.Add(found...)
	if text == "" {
		return ""
	}
	preamble := page.Preamble()
	if preamble != "" {
		preamble += "\n"
	}
	return preamble + text + "\n"
}

// Declare returns declarations of the wanted symbols, by object; the page gets what they need. A
// diagnostic is about an object whose types can't be used. "" if there are no types at all.
// declared has the names of those that are declared, and not only mentioned in a comment.
func Declare(page *cdecl.Page, types *Types, wanted []Wanted,
) (text string, declared map[string]bool, found diag.List) {
	var r diag.Reporter
	declared = map[string]bool{}
	var objects []string
	for _, w := range wanted {
		for _, s := range w.List {
			if !slices.Contains(objects, s.Object) {
				objects = append(objects, s.Object)
			}
		}
	}
	slices.Sort(objects)
	var blocks []string
	for _, object := range objects {
		known, err := types.Of(object)
		switch {
		case errors.Is(err, sympos.ErrNoTypes):
			r.Add(diag.Notef(diag.NoTypes, diag.Nowhere, object,
				"nothing is declared of %s: %v", object, err))
			continue
		case err != nil:
			r.Add(diag.Warnf(diag.NoTypes, diag.Nowhere, object,
				"nothing is declared of %s: %v", object, err))
			continue
		}
		var lines []string
		for _, w := range wanted {
			list := slices.DeleteFunc(slices.Clone(w.List),
				func(s sympos.Symbol) bool { return s.Object != object })
			if len(list) > 0 {
				more, ok := declareName(page, types, object, w, list)
				lines, declared[w.Name] = append(lines, more...), ok
			}
		}
		blocks = append(blocks, fmt.Sprintf("/* %s, by %s */\n%s\n", object, describeTypes(known),
			strings.Join(lines, "\n")))
	}
	return strings.Join(blocks, "\n"), declared, r.List()
}

// describeTypes says where types are from: the file and its build.
func describeTypes(t *ctypes.Types) string {
	text := fmt.Sprintf("%s of %s", t.Format, path.Base(t.Name))
	if t.BuildID != "" {
		text += ", build-id " + t.BuildID
	}
	return escapeComment(text)
}

// A prototype is one way in which a name is declared, and what has it.
type prototype struct {
	cdecl.Declaration
	// doubtful is set where the types say void f(void), which BTF also says of functions in
	// assembler (ctypes.Function.Compiled).
	doubtful bool
	files    []string // of those that DWARF tells; "" for one that it does not tell
}

// declareName returns the lines that declare a name, of which the object has the symbols in list,
// and whether they do, or are comments.
func declareName(page *cdecl.Page, types *Types, object string, w Wanted, list []sympos.Symbol,
) (lines []string, declared bool) {
	known, _ := types.Of(object)
	found, err := types.prototypes(page, known, w.Name, list)
	if len(found) == 0 {
		return []string{"/* " + escapeComment(whyUndeclared(known, w.Name, list, err)) + " */"}, false
	}
	choices := len(w.List)
	mark := ""
	switch {
	case choices == 1 && len(found) == 1:
	case choices == len(list) && len(found) == 1:
		if known.Format == "BTF" {
			lines = append(lines, fmt.Sprintf("/* %s: %d symbols have the name, and BTF does not tell "+
				"whose this is */", w.Name, choices))
		}
	default:
		mark = "// "
		lines = append(lines, fmt.Sprintf("// %s: choose the declaration of the symbol that is meant",
			w.Name))
	}
	for _, p := range found {
		for _, remark := range p.Remarks {
			lines = append(lines, fmt.Sprintf("/* %s: %s */", w.Name, escapeComment(remark)))
		}
		from := describeOrigin(p, list, mark != "")
		if from != "" {
			from = "\t/* " + escapeComment(from) + " */"
		}
		if p.doubtful {
			lines = append(lines, fmt.Sprintf("/* %s: BTF says this of functions in assembler, too */",
				w.Name), "// "+p.Text+from)
			continue
		}
		lines, declared = append(lines, mark+p.Text+from), declared || mark == ""
	}
	return lines, declared
}

// prototypes returns the different declarations of a name, of which the object has the symbols in
// list.
func (t *Types) prototypes(page *cdecl.Page, types *ctypes.Types, name string, list []sympos.Symbol,
) (found []prototype, err error) {
	add := func(d cdecl.Declaration, file string, doubtful bool, failed error) {
		if failed != nil {
			err = failed
			return
		}
		for i := range found {
			if found[i].Text == d.Text {
				found[i].files = append(found[i].files, file)
				return
			}
		}
		found = append(found, prototype{d, doubtful, []string{file}})
	}
	isCode := func(s sympos.Symbol) bool {
		return slices.Contains([]byte{'t', 'T', 'w', 'W', 0}, s.Type)
	}
	isData := func(s sympos.Symbol) bool { return !isCode(s) || s.Type == 0 }
	if slices.ContainsFunc(list, isCode) {
		functions, failed := types.Functions(name)
		if err = failed; failed != nil {
			return nil, err
		}
		defines := slices.ContainsFunc(functions, func(f ctypes.Function) bool { return !f.Declared })
		for _, f := range functions {
			if f.Declared && defines {
				continue
			}
			d, failed := page.Function(f)
			add(d, f.File, isEmptyFunction(f) && !t.table.AreTraced(list), failed)
		}
	}
	if slices.ContainsFunc(list, isData) {
		variables, failed := types.Variables(name)
		if failed != nil {
			return nil, failed
		}
		defines := slices.ContainsFunc(variables, func(x ctypes.Variable) bool { return !x.Declared })
		for _, x := range variables {
			if x.Declared && defines {
				continue
			}
			if x.Section == "" && t.isPerCPU(list) {
				x.Section = cdecl.PerCPU // DWARF does not tell
			}
			d, failed := page.Variable(x)
			add(d, x.File, false, failed)
		}
	}
	return found, err
}

// isEmptyFunction reports whether a function has neither parameters nor a result, by types that
// do not tell whether a compiler made it.
func isEmptyFunction(f ctypes.Function) bool {
	y := f.Type.Type()
	return !f.Compiled && len(y.Params) == 0 && !y.Variadic && y.Elem.Type().Bare().Kind == ctypes.Void
}

// FunctionsOf returns the functions that the types have by a name, for a symbol of that name: those
// of its source file only, where that is known and the types tell files.
func FunctionsOf(types *ctypes.Types, name string, s sympos.Symbol) ([]ctypes.Function, error) {
	functions, err := types.Functions(name)
	var defined, here []ctypes.Function
	for _, f := range functions {
		if f.Declared {
			continue
		}
		defined = append(defined, f)
		if s.File != "" && path.Base(f.File) == path.Base(s.File) {
			here = append(here, f)
		}
	}
	if len(here) > 0 {
		return here, err
	}
	return defined, err
}

// BoundNames returns the names that a table must have been read with to tell per-CPU variables.
func BoundNames() []string { return perCPUBounds[:] }

// Facts returns what is known of a symbol, for a comment: type, address, size, source file.
func Facts(s sympos.Symbol) string { return formatFacts(s) }

// perCPUBounds are the symbols around the per-CPU variables of vmlinux.
var perCPUBounds = [...]string{"__per_cpu_start", "__per_cpu_end"}

// isPerCPU reports whether the symbols are per-CPU variables of vmlinux. On x86 before 6.15 these
// have addresses from 0 on.
func (t *Types) isPerCPU(list []sympos.Symbol) bool {
	from := t.table.Lookup(vmlinux, perCPUBounds[0])
	to := t.table.Lookup(vmlinux, perCPUBounds[1])
	if len(from) != 1 || len(to) != 1 || t.table.Facts(vmlinux).NoAddresses {
		return false
	}
	return !slices.ContainsFunc(list, func(s sympos.Symbol) bool {
		return s.Object != vmlinux || s.Address < from[0].Address || s.Address >= to[0].Address
	})
}

// describeOrigin says which source files have a prototype and, where there is a choice, which
// of the symbols it is of.
func describeOrigin(p prototype, list []sympos.Symbol, choice bool) string {
	var files []string
	for _, f := range p.files {
		if f != "" && !slices.Contains(files, f) {
			files = append(files, f)
		}
	}
	text := strings.Join(files, ", ")
	if !choice || len(list) == 1 {
		return text
	}
	var positions []string
	for _, s := range list {
		if s.File != "" && s.Position > 0 && slices.ContainsFunc(files,
			func(f string) bool { return path.Base(f) == path.Base(s.File) }) {
			positions = append(positions, fmt.Sprint(s.Position))
		}
	}
	switch {
	case len(positions) == 0 && text == "":
		return "position not known"
	case len(positions) == 0:
		return text + "; position not known"
	case len(positions) == 1:
		return "position " + positions[0] + ", " + text
	}
	return "positions " + strings.Join(positions, ", ") + ", " + text
}

// whyUndeclared says what to do about a symbol that has no type or one that can't be written.
func whyUndeclared(types *ctypes.Types, name string, list []sympos.Symbol, err error) string {
	switch {
	case errors.Is(err, cdecl.ErrIncomplete):
		return err.Error() + ": include that header, and declare it as the source does"
	case err != nil:
		return err.Error() + ": declare it as the source does"
	case types.Format == "BTF" && list[0].Type != 0 && !slices.Contains([]byte("tTwW"), list[0].Type):
		return name + ": BTF has the types of functions and of per-CPU variables only: declare it as " +
			"the source does"
	}
	return name + ": its type is not known: declare it as the source does"
}
