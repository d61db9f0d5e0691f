// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package declared_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/declared"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// Structs and enums are mutated in the C that bpftool writes, a member on each line.

// A chunk is a member, or the lines of a struct or union without a name within.
type chunk struct {
	text string // with the semicolon
	name string // "" if it is left as it is
	id   int
	bits bool
	// scaled is that code computes p + 1 if the member is a pointer p.
	scaled bool
}

// A layoutMutant is a struct of the kernel and a change of it.
type layoutMutant struct {
	kind, name       string
	original, mutant []chunk
	tail             string // what follows the brace
	use              string // code that uses p, a pointer to either
}

// source returns the mutant, and a function that uses each. Stores are volatile: the vectorizer
// moves constants out of the code.
func (m layoutMutant) source(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "struct klp_m%d {\n", i)
	for _, c := range m.mutant {
		b.WriteString(c.text + "\n")
	}
	fmt.Fprintf(&b, "}%s;\n", m.tail)
	fmt.Fprintf(&b, "void use_struct_o%d(struct %s *p, volatile long *b) {%s}\n", i, m.name, m.use)
	fmt.Fprintf(&b, "void use_struct_m%d(struct klp_m%d *p, volatile long *b) {%s}\n", i, i, m.use)
	return b.String()
}

var (
	structRE   = regexp.MustCompile(`(?ms)^struct (\w+) \{\n(.*?)^\}([^;\n]*);$`)
	enumRE     = regexp.MustCompile(`(?ms)^enum (\w+) \{\n(.*?)^\};$`)
	valueRE    = regexp.MustCompile(`(?m)^\t(\w+) = (-?\d+),$`)
	pointerRE  = regexp.MustCompile(`\(\*(\w+)\)`)
	nameRE     = regexp.MustCompile(`(\w+)(?:\[\d+\])*(?:: \d+)?;$`)
	arrayRE    = regexp.MustCompile(`^([^\[(]*\[)(\d+)(\];)$`)
	bitFieldRE = regexp.MustCompile(`^(.*: )(\d+)(;)$`)
)

// chunks splits the members of a struct.
func (w *witness) chunks(e *entry, body string) (list []chunk) {
	known := map[string]int{}
	for _, m := range e.members {
		known[m.name] = m.to
	}
	inner := ""
	for _, line := range strings.Split(strings.TrimSuffix(body, "\n"), "\n") {
		switch {
		case strings.HasSuffix(line, "{") || strings.HasPrefix(line, "\t\t"):
			inner += line + "\n"
		case strings.HasPrefix(line, "\t}"):
			list = append(list, chunk{text: inner + line})
			inner = ""
		default:
			c := chunk{text: line, bits: strings.Contains(line, ": ")}
			m := pointerRE.FindStringSubmatch(line)
			if m == nil {
				m = nameRE.FindStringSubmatch(line)
			}
			if m != nil {
				if id, ok := known[m[1]]; ok {
					c.name, c.id = m[1], id
					if p := w.bare(id); p.kind == "PTR" {
						c.scaled = w.hasSize(p.to)
					}
				}
			}
			list = append(list, c)
		}
	}
	return list
}

// useMembers returns code that reads and writes the members that two structs have in common.
func (w *witness) useMembers(original, mutant []chunk) string {
	var b strings.Builder
	b.WriteString(" b[0] = sizeof(*p);")
	for i, c := range original {
		j := slices.IndexFunc(mutant, func(d chunk) bool { return d.name == c.name })
		if c.name == "" || j < 0 {
			continue
		}
		at := 4*i + 1
		switch e := w.bare(c.id); e.kind {
		case "INT", "ENUM", "ENUM64", "PTR":
			fmt.Fprintf(&b, " b[%d] = (long)p->%s;", at, c.name)
			if !w.isConst(c.id) {
				cast := ""
				if !c.bits {
					cast = "(__typeof__(p->" + c.name + "))"
				}
				fmt.Fprintf(&b, " p->%s = %sb[%d];", c.name, cast, at+1)
			}
			if c.scaled && mutant[j].scaled {
				fmt.Fprintf(&b, " b[%d] = (long)(p->%s + 1);", at+2, c.name)
			}
		case "STRUCT", "UNION", "ARRAY":
			fmt.Fprintf(&b, " b[%d] = (long)&p->%s;", at, c.name)
			if w.hasSize(c.id) {
				fmt.Fprintf(&b, " b[%d] = sizeof(p->%s);", at+1, c.name)
			}
		}
	}
	b.WriteString(" ")
	return b.String()
}

func (w *witness) isConst(id int) bool {
	for e := w.entries[id]; ; e = w.entries[e.to] {
		switch e.kind {
		case "CONST":
			return true
		case "TYPEDEF", "VOLATILE", "RESTRICT", "TYPE_TAG":
		default:
			return false
		}
	}
}

// mutateMembers returns the members with one change of a kind.
func (w *witness) mutateMembers(kind string, list []chunk) (mutant []chunk, ok bool) {
	mutant = slices.Clone(list)
	i := w.random.Intn(len(list))
	c := &mutant[i]
	e := w.bare(c.id)
	// One less, which fits every type; or two where there is one.
	number := func(re *regexp.Regexp) bool {
		m := re.FindStringSubmatch(c.text)
		if m == nil || c.name == "" || m[2] == "0" {
			return false
		}
		n, _ := strconv.Atoi(m[2])
		if n--; n == 0 {
			n = 2
		}
		c.text = m[1] + strconv.Itoa(n) + m[3]
		return true
	}
	what := strings.TrimPrefix(kind, "member: ")
	switch what {
	case "added":
		typ := []string{"char ", "int ", "long ", "void *"}[w.random.Intn(4)]
		return slices.Insert(mutant, i, chunk{text: "\t" + typ + "klp_new;"}), true
	case "removed":
		return slices.Delete(mutant, i, i+1), c.name != ""
	case "reordered":
		j := w.random.Intn(len(list))
		mutant[i], mutant[j] = mutant[j], mutant[i]
		return mutant, i != j && list[i].name != "" && list[j].name != ""
	case "bits":
		return mutant, c.bits && e.encoding != "BOOL" && number(bitFieldRE)
	case "array length":
		return mutant, e.kind == "ARRAY" && number(arrayRE)
	case "another struct":
		c.text = fmt.Sprintf("\t%s %s;", w.anotherStruct(e), c.name)
		return mutant, c.name != "" && e.kind == "STRUCT"
	}
	if c.name == "" || c.bits {
		return nil, false
	}
	typ, ok := w.mutateValue(what, c.id)
	c.text = fmt.Sprintf("\t__typeof__(%s) %s;", typ, c.name)
	c.scaled = c.scaled && strings.HasSuffix(typ, "*")
	return mutant, ok
}

// mutateLayouts returns so many mutants of structs of each kind.
func (w *witness) mutateLayouts(quota int) (list []layoutMutant) {
	kinds := []string{"member: added", "member: removed", "member: reordered", "member: bits",
		"member: array length", "member: another struct"}
	for _, k := range valueKinds {
		kinds = append(kinds, "member: "+k)
	}
	entries := map[string]*entry{}
	for _, e := range w.types() {
		if e.kind == "STRUCT" {
			entries[e.name] = e
		}
	}
	count := map[string]int{}
	all := structRE.FindAllStringSubmatch(w.header, -1)
	for _, i := range w.random.Perm(len(all)) {
		m := all[i]
		e := entries[m[1]]
		if e == nil || strings.Contains(m[2], "enum {") { // its enumerators are global
			continue
		}
		original := w.chunks(e, m[2])
		if len(original) < 3 || len(original) > 60 {
			continue
		}
		for done, from := 0, w.random.Perm(len(kinds)); done < 2 && len(from) > 0; from = from[1:] {
			kind := kinds[from[0]]
			if count[kind] == quota {
				continue
			}
			if mutant, ok := w.mutateMembers(kind, original); ok {
				list = append(list, layoutMutant{kind, e.name, original, mutant, m[3],
					w.useMembers(original, mutant)})
				count[kind]++
				done++
			}
		}
	}
	return list
}

// An enumMutant is an enum of the kernel and a change of it.
type enumMutant struct {
	name             string
	original, mutant string // the enumerators
	use              []string
}

// mutateEnums returns mutants of enums by kind.
func (w *witness) mutateEnums(quota int) map[string][]enumMutant {
	list := map[string][]enumMutant{}
	times := map[string]int{}
	for _, e := range w.types() {
		times[e.name]++
	}
	all := enumRE.FindAllStringSubmatch(w.header, -1)
	for _, i := range w.random.Perm(len(all)) {
		name, body := all[i][1], all[i][2]
		values := valueRE.FindAllStringSubmatch(body, -1)
		if times[name] != 1 || len(values) < 3 || strings.Contains(body, "___") ||
			len(values) != strings.Count(body, "\n") {
			continue
		}
		write := func(values [][]string) (text string) {
			for _, v := range values {
				text += fmt.Sprintf("\t%s = %s,\n", v[1], v[2])
			}
			return text
		}
		var names []string
		for _, v := range values {
			names = append(names, v[1])
		}
		j, k := w.random.Intn(len(values)), w.random.Intn(len(values))
		n, _ := strconv.Atoi(values[j][2])
		add := func(kind string, use []string, mutant [][]string) {
			if len(list[kind]) < quota {
				list[kind] = append(list[kind], enumMutant{name, body, write(mutant), use})
			}
		}
		changed := slices.Clone(values)
		changed[j] = []string{"", names[j], strconv.Itoa(n + 1)}
		add("enumerator: changed", names, changed)
		add("enumerator: removed", slices.Delete(slices.Clone(names), j, j+1),
			slices.Delete(slices.Clone(values), j, j+1))
		add("enumerator: added", names, append(slices.Clone(values),
			[]string{"", "klp_new_" + name, "77"}))
		large := append(slices.Clone(values), []string{"", "klp_new_" + name, "1LL << 40"})
		add("enumerator: added that needs 8 bytes", names, large)
		if values[j][2] != values[k][2] {
			swapped := slices.Clone(values)
			swapped[j] = []string{"", names[j], values[k][2]}
			swapped[k] = []string{"", names[k], values[j][2]}
			add("enumerator: swapped", names, swapped)
		}
	}
	return list
}

// judgeEnums compiles the mutants of each kind at a time, since enumerators have to be unique.
func (w *witness) judgeEnums(t *testing.T, c compiler, all map[string][]enumMutant, y *table) {
	var kinds []string
	for kind := range all {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		compile := func(pick func(enumMutant) string) (map[string]string, *ctypes.Types) {
			var b strings.Builder
			for i, m := range all[kind] {
				fmt.Fprintf(&b, "enum %s {\n%s};\nvoid use%d(enum %s *e, volatile long *b) { ", m.name,
					pick(m), i, m.name)
				b.WriteString("b[0] = sizeof(*e);")
				for j, name := range m.use {
					fmt.Fprintf(&b, " b[%d] = %s;", j+1, name)
				}
				b.WriteString(" }\n")
			}
			object := c.compile(t, b.String(), "-ffunction-sections")
			return codeOf(t, object), declarations(t, object)
		}
		original, kernel := compile(func(m enumMutant) string { return m.original })
		mutated, patch := compile(func(m enumMutant) string { return m.mutant })
		for i, m := range all[kind] {
			name := fmt.Sprintf("use%d", i)
			require.NotEmpty(t, original[name])
			ours, err := patch.Named(ctypes.Enum, m.name)
			require.NoError(t, err)
			require.Len(t, ours, 1, m.name)
			theirs, err := kernel.Named(ctypes.Enum, m.name)
			require.NoError(t, err)
			require.Len(t, theirs, 1, m.name)
			y.add(kind, original[name] != mutated[name],
				declared.Layout(c.machine, ours[0], theirs[0]))
		}
	}
}
