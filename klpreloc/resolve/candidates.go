// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// Wherever symbols are offered to choose from, each is a line of C that can be
// pasted into the author's file, in the dialect that the file is written in:
//
//	KLP_SYMPOS(name_show, 1),   /* t ffffffff813f1a20 +0x2b  manager.c */
//	KLP_SYMPOS(name_show, 2),   /* t ffffffff8145e6d0 +0x1f  interface.c */
//
// The comment has the symbol's type, address and size as far as they are known,
// and its source file.

// mostCandidates is how many are printed: a longer list is no help to choose.
const mostCandidates = 20

// dialect returns the one that the author uses, for lines to paste.
func (v *View) dialect() annotation.Dialect {
	if len(v.notes) > 0 {
		return v.notes[0].Dialect
	}
	return annotation.Records
}

// candidateLine returns what the author writes in place of a to mean s: a whole array for an
// object that has no array yet.
func (v *View) candidateLine(a *annotation.Annotation, s sympos.Symbol) string {
	b := *a
	b.LPObject = v.gateForLabel(a, s.Object)
	b.Object, b.Name = s.Object, s.Name
	pos := uint32(max(s.Position, 0))
	if a.Dialect == annotation.Listed {
		return listLine(&b, s, pos)
	}
	if !annotation.FitsLabel(s.Name) {
		return s.Name // no annotation can express it
	}
	if a.File != "" && strings.Contains(s.File, "/") && annotation.CheckPath(s.File) == nil {
		b.File = s.File
		if a.Dialect.IsLabel() || !ctypes.IsIdentifier(s.Name) {
			return b.Macro()
		}
		return fmt.Sprintf("KLP_SYMFILE(%s, %q),", s.Name, s.File)
	}
	if a.Dialect.IsLabel() || !ctypes.IsIdentifier(s.Name) {
		return annotation.LabelMacro(&b, pos)
	}
	if v.hasRecords(s.Object) {
		return fmt.Sprintf("KLP_SYMPOS(%s, %d),", s.Name, pos)
	}
	return recordArray(s, pos)
}

// listLine returns the line of a list that makes a an annotation of s.
func listLine(a *annotation.Annotation, s sympos.Symbol, pos uint32) string {
	if !annotation.FitsLine(s.Name) {
		return s.Name // no annotation can express it
	}
	if a.File != "" && strings.Contains(s.File, "/") && annotation.CheckPath(s.File) == nil {
		a.File = s.File
	} else {
		a.File = ""
	}
	return annotation.ListLine(a, pos)
}

// recordArray returns an array with one record.
func recordArray(s sympos.Symbol, pos uint32) string {
	return fmt.Sprintf("static KLP_MODULE_RELOC(%s) klp_%s[] = { KLP_SYMPOS(%s, %d) };", s.Object,
		s.Name, s.Name, pos)
}

// gateForLabel returns the livepatched object that a label in place of a names for a symbol of
// the object.
func (v *View) gateForLabel(a *annotation.Annotation, object string) string {
	switch {
	case object == vmlinux || v.patches(object):
		return object
	case a.LPObject != vmlinux && a.LPObject != a.Object && v.patches(a.LPObject):
		return a.LPObject
	}
	var modules []string
	for _, o := range v.objects {
		if o != vmlinux && v.patches(o) {
			modules = append(modules, o)
		}
	}
	if len(modules) == 1 {
		return modules[0]
	}
	return object
}

// hasRecords reports whether the module has records for the object, which one more
// can join.
func (v *View) hasRecords(object string) bool {
	return slices.ContainsFunc(v.notes, func(n note) bool {
		return n.Section != nil && n.Object == object
	})
}

// candidateLines returns a line for each symbol that a could mean. Symbols that are the only
// ones of their name in their object get position 0.
func (v *View) candidateLines(a *annotation.Annotation, list []sympos.Symbol) []string {
	return v.annotatedLines(a, v.table, list, nil)
}

// nearMissLines returns a line for each near miss, with why it is one.
func (v *View) nearMissLines(a *annotation.Annotation, t *sympos.Table, misses []nearMiss,
) []string {
	list, why := make([]sympos.Symbol, len(misses)), make([]string, len(misses))
	for i, m := range misses {
		list[i], why[i] = m.Symbol, m.why
	}
	return v.annotatedLines(a, t, list, why)
}

// annotatedLines makes lines of symbols from t, and of why each is among them.
func (v *View) annotatedLines(a *annotation.Annotation, t *sympos.Table, list []sympos.Symbol,
	why []string,
) []string {
	objects, files := map[string]bool{}, map[string]int{}
	for _, s := range list {
		objects[s.Object] = true
		files[s.File]++
	}
	var rows [][2]string
	for i, s := range list {
		if i == mostCandidates {
			break
		}
		sameName := len(t.Lookup(s.Object, s.Name))
		if sameName == 1 {
			s.Position = 0
		}
		by := *a
		if files[s.File] > 1 || s.Object == a.Object && s.Name == a.Name && a.File != "" &&
			s.File == path.Clean(a.File) {
			by.File = "" // which would not distinguish them, or is what was refused
		}
		row := [2]string{v.candidateLine(&by, s), formatFacts(s)}
		_, err := t.Resolve(s.Object, s.Name, uint64(max(s.Position, 0)))
		if len(objects) > 1 && strings.HasPrefix(row[0], "KLP_SYMPOS") {
			row[0] = recordArray(s, uint32(s.Position)) // it is open which array it would be in
		}
		switch {
		case sameName > 1 && s.Position == 0:
			row[0] = s.Name // its position is not known
		case errors.Is(err, sympos.ErrUnsteady), errors.Is(err, sympos.ErrAddress0), v.isFreed(s):
			row[0] = s.Name // no annotation resolves to it reliably
		}
		if len(objects) > 1 || s.Object != a.Object {
			row[1] = s.Object + ": " + row[1]
		}
		if why != nil && why[i] != "" {
			row[1] += ", " + why[i]
		}
		rows = append(rows, row)
	}
	out := Aligned(rows)
	if a.Dialect == annotation.Listed {
		out = alignedLines(rows)
	}
	if n := len(list) - len(rows); n > 0 {
		out = append(out, fmt.Sprintf("and %d more: klp-convert sympos --kernel %s %s@%s", n,
			v.kernel.Name, list[0].Name, list[0].Object))
	}
	if slices.ContainsFunc(list, func(s sympos.Symbol) bool {
		return t.Facts(s.Object).Order == sympos.Unordered && len(t.Lookup(s.Object, s.Name)) > 1
	}) {
		out = append(out, v.kernelTitle()+
			" does not tell in which order the kernel counts them: give an image, or kallsyms")
	}
	return out
}

// Aligned makes lines of code and comments.
func Aligned(rows [][2]string) []string { return align(rows, "%-*s   /* %s */") }

// alignedLines makes lines of a list, with comments.
func alignedLines(rows [][2]string) []string { return align(rows, "%-*s   # %s") }

// align makes lines of the width of the longest first column, the column and a comment.
func align(rows [][2]string, format string) (lines []string) {
	width := 0
	for _, r := range rows {
		width = max(width, len(r[0]))
	}
	for _, r := range rows {
		lines = append(lines, fmt.Sprintf(format, width, r[0], r[1]))
	}
	return lines
}

// formatFacts returns what is known of a symbol.
func formatFacts(s sympos.Symbol) string {
	var f []string
	if s.Type != 0 {
		f = append(f, string(rune(s.Type)))
	}
	if s.Address != 0 || s.Size != 0 {
		f = append(f, fmt.Sprintf("%016x", s.Address))
	}
	if s.Size != 0 {
		f = append(f, fmt.Sprintf("+%#x", s.Size))
	}
	if s.File != "" {
		f = append(f, diag.Clip(s.File))
	}
	if len(f) == 0 {
		return "in " + s.Object
	}
	return strings.Join(f, " ")
}
