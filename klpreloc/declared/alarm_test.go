// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package declared_test

import (
	"debug/elf"
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

// borrowed is a function that the source declares and calls under a name.
type borrowed struct {
	name, actual string
	proto        *entry
}

// pick returns n of the entries by chance, that satisfy a condition.
func (w *witness) pick(n int, from []*entry, wanted func(*entry) bool) (list []*entry) {
	for _, i := range w.random.Perm(len(from)) {
		if len(list) < n && wanted(from[i]) {
			list = append(list, from[i])
		}
	}
	return list
}

// types returns the structs, unions and enums that have a name and a definition of their own.
func (w *witness) types() (list []*entry) {
	for id := range len(w.entries) {
		e := w.entries[id]
		switch {
		case e == nil || !w.isUnique(e) || !w.defined[e.name]:
		case e.kind == "STRUCT" || e.kind == "UNION" || strings.HasPrefix(e.kind, "ENUM"):
			list = append(list, e)
		}
	}
	return list
}

// borrow writes a livepatch that calls functions of the kernel and uses types of it.
func (w *witness) borrow(functions, types int) (source string, calls []borrowed, noC int) {
	var b strings.Builder
	b.WriteString(w.header)
	known := map[string]bool{}
	w.pick(functions, w.funcs, func(f *entry) bool {
		proto := w.entries[f.to]
		params, err := w.parameters(proto)
		name := f.name
		if w.taken[name] || w.times[f.key()] > 1 || known[name] || !isIdentifier(name) {
			name = fmt.Sprintf("klp_%d", len(calls))
		}
		var text string
		if err == nil {
			text, err = w.declare(f.to, name)
		}
		if err != nil {
			noC++
			return false
		}
		known[name] = true
		var args []string
		for i, p := range params {
			if p != "..." {
				args = append(args, fmt.Sprintf("*(__typeof__(%s) *)(b + %d)", p, 8*i))
			}
		}
		call := fmt.Sprintf("%s(%s)", name, strings.Join(args, ", "))
		if w.bare(proto.to).kind != "VOID" {
			call = fmt.Sprintf("*(__typeof__(%s) *)b = %s", call, call)
		}
		fmt.Fprintf(&b, "extern %s;\nvoid klp_call_%d(long *b) { %s; }\n", text, len(calls),
			call)
		calls = append(calls, borrowed{name, f.name, proto})
		return true
	})
	for i, e := range w.pick(types, w.types(), func(*entry) bool { return true }) {
		kind := strings.ToLower(strings.TrimSuffix(e.kind, "64"))
		fmt.Fprintf(&b, "%s %s klp_variable_%d;\n", kind, e.name, i)
	}
	return b.String(), calls, noC
}

func isIdentifier(s string) bool { return regexp.MustCompile(`^[A-Za-z_]\w*$`).MatchString(s) }

// A tally counts what came of comparisons.
type tally struct {
	compared, fits int
	unjudged       map[string]int // by the reason
	alarms         []string
}

// add adds the comparison of one name with all of that name in the kernel.
func (y *tally) add(what string, all []declared.Comparison) {
	y.compared++
	best := -1
	for i, c := range all {
		if best < 0 || len(c.Differences) < len(all[best].Differences) {
			best = i
		}
	}
	if best < 0 {
		y.alarms = append(y.alarms, what+": the kernel's types do not have it")
		return
	}
	c := all[best]
	for _, u := range c.Unjudged {
		y.unjudged[numbers.ReplaceAllString(u, "N")]++
	}
	for _, d := range c.Differences {
		y.alarms = append(y.alarms, fmt.Sprintf("%s: %s", what, d))
	}
	if len(c.Differences) == 0 && len(c.Unjudged) == 0 {
		y.fits++
	}
}

var (
	numbers = regexp.MustCompile(`^parameter \d+( \(\w+\))?|^[\w.]+(?:: )|say .* which`)
	renamed = regexp.MustCompile(`^(\w+)___\d+$`)
)

// A livepatch that declares functions and types as the kernel has them causes no difference, for
// each kernel, whatever compiles it. What bpftool writes in C are the declarations.
func TestNoFalseAlarmOnKernels(t *testing.T) {
	forEachKernel(t, func(t *testing.T, w *witness) {
		functions, types := 300, 200
		compilers := []compiler{{"gcc", []string{"gcc"}, elf.EM_X86_64}}
		if w.full {
			functions, types = 2500, 1000
			if path, err := exec.LookPath("clang"); err == nil {
				compilers = append(compilers, compiler{"clang", []string{path}, elf.EM_X86_64})
			}
		}
		source, calls, noC := w.borrow(functions, types)
		require.Len(t, calls, functions)
		for _, c := range compilers {
			patch := declarations(t, c.compile(t, source, w.flags...))
			fns := tally{unjudged: map[string]int{}}
			for _, use := range []declared.Use{declared.Borrowed, declared.Replaced} {
				for _, f := range calls {
					ours, err := patch.Functions(f.name)
					require.NoError(t, err)
					// clang describes no declared function whose name is reserved (CGDebugInfo.cpp,
					// EmitFuncDeclForCallSite).
					if len(ours) == 0 && c.name == "clang" && strings.HasPrefix(f.name, "_") {
						fns.unjudged["not described by clang"]++
						continue
					}
					require.NotEmpty(t, ours, f.name)
					if w.hasOtherSizes(f.proto, ours[0].Type.Type()) {
						fns.unjudged["bpftool's C has another size than bpftool says"]++
						continue
					}
					theirs, err := w.kernel.Functions(f.actual)
					require.NoError(t, err)
					all, _ := declared.Functions(c.machine, use, ours[0], theirs)
					fns.add(f.actual, all)
				}
			}
			layouts, unfit := w.compareTypes(t, c, patch)
			assert.Empty(t, fns.alarms, c.name)
			assert.Empty(t, layouts.alarms, c.name)
			assert.Greater(t, layouts.compared, types)
			assert.Less(t, unfit, layouts.compared/50)
			t.Logf("%s: %d functions borrowed and replaced: %d fit, not judged %v (%d others have "+
				"no prototype in C); %d types: %d fit, not judged %v (%d others bpftool "+
				"renames, or gives another size in C)", c.name, len(calls), fns.fits, fns.unjudged, noC,
				layouts.compared, layouts.fits, layouts.unjudged, unfit)
		}
	})
}

// compareTypes compares all types that a livepatch defines with those of the kernel.
func (w *witness) compareTypes(t *testing.T, c compiler, patch *ctypes.Types) (y tally, unfit int) {
	y.unjudged = map[string]int{}
	kinds := map[string]ctypes.Kind{"STRUCT": ctypes.Struct, "UNION": ctypes.Union,
		"ENUM": ctypes.Enum, "ENUM64": ctypes.Enum, "TYPEDEF": ctypes.Typedef}
	done := map[string]bool{}
	for id := range len(w.entries) {
		e := w.entries[id]
		if e == nil || e.name == "" {
			continue
		}
		kind, isType := kinds[e.kind]
		if !isType || done[e.kind+e.name] {
			continue
		}
		done[e.kind+e.name] = true
		if kind == ctypes.Typedef {
			of := w.entries[e.to]
			if _, isType := kinds[of.kind]; !isType || of.name != "" {
				continue // a typedef of what has a name
			}
		}
		ours, err := patch.Named(kind, e.name)
		require.NoError(t, err)
		for _, a := range ours {
			if a.Bare().Incomplete {
				continue
			}
			if hasMadeNames(a.Bare()) || w.isUnique(e) && a.Bare().Size != uint64(w.bare(id).size) {
				unfit++
				continue
			}
			theirs, err := w.kernel.Named(kind, e.name)
			require.NoError(t, err)
			var all []declared.Comparison
			for _, b := range theirs {
				all = append(all, declared.Layout(c.machine, a, b))
			}
			y.add(kind.String()+" "+e.name, all)
		}
	}
	return y, unfit
}

// hasOtherSizes reports whether structs that a function gets by value have another size in
// bpftool's C than bpftool says. It leaves out attributes: of unions that are packed within packed
// structs, say.
func (w *witness) hasOtherSizes(proto *entry, declared *ctypes.Type) bool {
	for i, p := range declared.Params {
		e, y := w.bare(proto.members[i].to), p.Type.Type().Bare()
		if (e.kind == "STRUCT" || e.kind == "UNION") && y.Size != uint64(e.size) {
			return true
		}
	}
	return false
}

// hasMadeNames reports whether bpftool had to rename enumerators or what types of members refer to.
func hasMadeNames(y *ctypes.Type) bool {
	return slices.ContainsFunc(y.Values, func(v ctypes.Enumerator) bool {
		return renamed.MatchString(v.Name)
	}) || slices.ContainsFunc(y.Members, func(m ctypes.Member) bool {
		return leadsToMadeName(m.Type.Type(), 8)
	})
}

// leadsToMadeName follows what a declaration of the type would name.
func leadsToMadeName(y *ctypes.Type, depth int) bool {
	if depth == 0 {
		return false
	}
	return renamed.MatchString(y.Name) || leadsToMadeName(y.Elem.Type(), depth-1) ||
		slices.ContainsFunc(y.Params, func(p ctypes.Param) bool {
			return leadsToMadeName(p.Type.Type(), depth-1)
		})
}
