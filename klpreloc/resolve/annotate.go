// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// The lines that an author is missing: an annotation for each undefined symbol that the
// kernel has and does not export to this module. Inference would convert some of them
// without annotations; annotations are checked whenever the module is built.

// missingAnnotation is an undefined symbol that has to be annotated.
type missingAnnotation struct {
	*annotation.Annotation
	list      []sympos.Symbol // what it can mean; one, or several to choose from
	gateKnown bool            // LPObject is known
}

// Annotate returns lines, of C or of a list, that annotate what is undefined in f and hidden in
// the kernel, in the dialect (Records, Labels or Listed; "": the one that the module is written
// in). Before lines of C are declarations, as far as the kernel's types are available. Of what
// could mean several symbols there is a line each, commented out. It returns "" when nothing is
// missing. An error among the diagnostics is about a symbol that is nowhere.
func Annotate(v *View, dialect annotation.Dialect) (string, diag.List) {
	if dialect == "" {
		switch dialect = annotation.Records; {
		case v.dialect() == annotation.Listed:
			dialect = annotation.Listed
		case v.dialect().IsLabel():
			dialect = annotation.Labels
		}
	}
	out := v.newCollector()
	missing := v.findMissing(out)
	v.addNearMisses(out)
	if dialect == annotation.Listed {
		return v.formatList(missing), out.List()
	}
	declarations := v.declareMissing(out, missing)
	if dialect == annotation.Labels {
		return declarations + v.formatLabels(missing), out.List()
	}
	return declarations + v.formatRecords(missing), out.List()
}

// findMissing finds the symbols that need an annotation, in the order of the symbol table.
func (v *View) findMissing(out *collector) []missingAnnotation {
	var unknown []*elfrw.Symbol
	for _, y := range v.file.Symbols {
		if v.needsDefinition(out, y) && klpabi.PossibleName(y.Name) &&
			!strings.HasPrefix(y.Name, klpabi.SymbolPrefix) {
			unknown = append(unknown, y)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	v = v.withExporters(out, unknown)
	v.reportUnusedDepends(out)
	defer v.reportUnplacedImports(out)
	var missing []missingAnnotation
	for _, y := range unknown {
		list := v.lookupInObjects(y.Name)
		switch e, origin := v.exporters.Of(y.Name); {
		case origin == Nobody:
		case origin != Exported:
			if v.resolveUnplaced(out, y, origin) {
				continue
			}
		case v.isOffered(e) && (e.Object == vmlinux || !v.patches(e.Object)):
			continue // an ordinary import
		default:
			if of := v.table.Lookup(e.Object, y.Name); len(of) > 0 {
				list = of
			}
		}
		if len(list) == 0 && klpabi.WeakByDesign(v.file, y) {
			continue
		}
		if len(list) == 0 {
			v.reportAbsent(out, diag.Absent, &annotation.Annotation{Dialect: annotation.Records,
				LPObject: vmlinux, Object: vmlinux, Name: y.Name, Symbol: y},
				"undefined symbol %s is in no object that the livepatch names, and no module exports it",
				diag.SymbolName(y))
			continue
		}
		a := v.newAnnotation(y, list[0].Object)
		l := missingAnnotation{Annotation: a, list: list}
		a.LPObject, l.gateKnown = v.gateOf(a.Object)
		if !l.gateKnown {
			a.LPObject = a.Object
		}
		missing = append(missing, l)
	}
	return missing
}

// position returns the position to write for s, 0 where it is the only symbol of its name, and
// false where its position is not known.
func (v *View) position(s sympos.Symbol) (int, bool) {
	if len(v.table.Lookup(s.Object, s.Name)) == 1 {
		return 0, true
	}
	return s.Position, s.Position > 0
}

// formatRecords returns the arrays of records, one for each object.
func (v *View) formatRecords(missing []missingAnnotation) string {
	byObject := map[string][]missingAnnotation{}
	var objects []string
	var others []missingAnnotation // whose names are no identifiers
	for _, l := range missing {
		if !ctypes.IsIdentifier(l.Name) {
			others = append(others, l)
			continue
		}
		for _, s := range l.list {
			if byObject[s.Object] == nil {
				objects = append(objects, s.Object)
			}
			one := l
			one.list = slices.DeleteFunc(slices.Clone(l.list), func(x sympos.Symbol) bool {
				return x.Object != s.Object
			})
			if list := byObject[s.Object]; len(list) == 0 || list[len(list)-1].Name != l.Name {
				byObject[s.Object] = append(list, one)
			}
		}
	}
	slices.Sort(objects)
	choices := countChoices(missing)
	var b strings.Builder
	for _, object := range objects {
		list := byObject[object]
		sure := slices.ContainsFunc(list, func(l missingAnnotation) bool {
			return v.isUnique(l, choices[l.Name])
		})
		mark := ""
		if !sure {
			mark = "// "
		}
		fmt.Fprintf(&b, "%sstatic KLP_MODULE_RELOC(%s) %s[] = {\n", mark, object, v.arrayName(object))
		for _, l := range list {
			if !v.isUnique(l, choices[l.Name]) {
				fmt.Fprintf(&b, "\t// %s: choose one of %d\n", diag.Clip(l.Name), choices[l.Name])
			}
			for _, s := range l.list {
				pos, known := v.position(s)
				line := fmt.Sprintf("KLP_SYMPOS(%s, %d),", s.Name, pos)
				switch {
				case !known:
					fmt.Fprintf(&b, "\t// %s: its position is not known: %s\n", s.Name, v.describeSymbol(s))
				case v.isUnique(l, choices[l.Name]):
					fmt.Fprintf(&b, "\t%s\t/* %s */\n", line, v.describeSymbol(s))
				default: // compiles without its //
					fmt.Fprintf(&b, "\t// %s\t/* %s */\n", line, v.describeSymbol(s))
				}
			}
		}
		fmt.Fprintf(&b, "%s};\n", mark)
	}
	return b.String() + v.formatLabels(others)
}

// countChoices counts what each name can mean, in all objects.
func countChoices(missing []missingAnnotation) map[string]int {
	counts := make(map[string]int, len(missing))
	for _, l := range missing {
		if _, ok := counts[l.Name]; !ok {
			counts[l.Name] = len(l.list)
		}
	}
	return counts
}

// isUnique reports whether l, whose name can mean as many symbols as choices says, can mean one
// only, whose position is known.
func (v *View) isUnique(l missingAnnotation, choices int) bool {
	if choices != 1 {
		return false
	}
	_, known := v.position(l.list[0])
	return known
}

// arrayName returns a name for an array that the module does not use yet.
func (v *View) arrayName(object string) string {
	used := map[string]bool{}
	for _, y := range v.file.Symbols {
		used[y.Name] = true
	}
	first := annotation.Alias(object + "_syms") // names of modules may begin with a digit
	name := first
	for i := 2; used[name]; i++ {
		name = first + strconv.Itoa(i)
	}
	return name
}

// formatLabels returns a declaration for each symbol, with the type that the source has
// declared. A name that is no identifier in C cannot have been declared: it gets an alias and a
// type that compiles.
func (v *View) formatLabels(missing []missingAnnotation) string {
	var b strings.Builder
	choices := countChoices(missing)
	named := func(l missingAnnotation) bool { return ctypes.IsIdentifier(l.Name) }
	used := map[string]bool{} // names that an alias can't have
	for _, y := range v.file.Symbols {
		used[y.Name] = true
	}
	if slices.ContainsFunc(missing, named) {
		b.WriteString(
			"/* Put these after the declarations of the symbols and before the code that uses them. */\n")
	}
	for _, l := range missing {
		as := ""
		switch {
		case named(l):
		case !annotation.FitsLabel(l.Name):
			fmt.Fprintf(&b,
				"/* %s: no annotation can express this name: rename the symbol where it is used */\n",
				escapeComment(diag.Clip(l.Name)))
			continue
		default:
			as = annotation.Alias(l.Name)
			for i := 2; used[as]; i++ {
				as = annotation.Alias(l.Name) + "_" + strconv.Itoa(i)
			}
			used[as] = true
			fmt.Fprintf(&b, "/* %s: give it the true type, from the kernel's source */\n", diag.Clip(l.Name))
		}
		mark := ""
		if !v.isUnique(l, choices[l.Name]) {
			mark = "// "
			fmt.Fprintf(&b, "// %s: choose one of %d\n", diag.Clip(l.Name), len(l.list))
		}
		if !l.gateKnown {
			fmt.Fprintf(&b,
				"/* %s: the first argument is the livepatched object that uses the symbol: change it */\n",
				diag.Clip(l.Name))
		}
		for _, s := range l.list {
			pos, known := v.position(s)
			if !known {
				fmt.Fprintf(&b, "// %s: its position is not known: %s\n", diag.Clip(s.Name),
					v.describeSymbol(s))
				continue
			}
			a := *l.Annotation
			a.Object = s.Object
			if len(l.list) > 1 {
				a.LPObject, _ = v.gateOf(s.Object)
			}
			if a.LPObject == "" {
				a.LPObject = s.Object
			}
			fmt.Fprintf(&b, "%s%s %s;\t/* %s */\n", mark, declareExtern(s, as),
				annotation.LabelMacro(&a, uint32(pos)), v.describeSymbol(s))
		}
	}
	return b.String()
}

// declareExtern declares a symbol, under the name as where its own is no identifier in C.
func declareExtern(s sympos.Symbol, as string) string {
	if ctypes.IsIdentifier(s.Name) {
		return fmt.Sprintf("extern typeof(%s) %[1]s", s.Name)
	}
	switch s.Type {
	case 't', 'T', 'w', 'W':
		return fmt.Sprintf("extern void %s(void)", as)
	}
	return fmt.Sprintf("extern char %s[]", as)
}

// describeSymbol returns a symbol's position among how many, and facts, for a comment.
func (v *View) describeSymbol(s sympos.Symbol) string {
	text := formatFacts(s)
	if n := len(v.table.Lookup(s.Object, s.Name)); n > 1 && s.Position > 0 {
		text = fmt.Sprintf("%d of %d, %s", s.Position, n, text)
	}
	if s.Object != vmlinux {
		text = s.Object + ": " + text
	}
	return escapeComment(text)
}

// escapeComment returns a text as it can be in a comment of C.
func escapeComment(text string) string {
	return strings.NewReplacer("*/", "* /", "\n", " ", "\\", "/").Replace(text)
}

// formatList returns a line of a list for each symbol, and its facts in a comment.
func (v *View) formatList(missing []missingAnnotation) string {
	var b strings.Builder
	choices := countChoices(missing)
	for _, l := range missing {
		if !annotation.FitsLine(l.Name) {
			fmt.Fprintf(&b, "# %s: no annotation can express this name\n", diag.Printable(l.Name))
			continue
		}
		mark := ""
		if !v.isUnique(l, choices[l.Name]) {
			mark = "# "
			fmt.Fprintf(&b, "# %s: choose one of %d\n", diag.Clip(l.Name), choices[l.Name])
		}
		for _, s := range l.list {
			pos, known := v.position(s)
			if !known {
				fmt.Fprintf(&b, "# %s: its position is not known: %s\n", diag.Clip(s.Name),
					v.describeSymbol(s))
				continue
			}
			a := *l.Annotation
			a.Object = s.Object
			fmt.Fprintf(&b, "%s%s\t# %s\n", mark, annotation.ListLine(&a, uint32(pos)),
				v.describeSymbol(s))
		}
	}
	return b.String()
}
