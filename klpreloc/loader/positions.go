// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"fmt"
	"path"
	"strings"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
)

// A position is right in one kernel. In another one, whose linker has put the files in
// another order, it is another symbol of the same name, and the loader has nothing to
// say: livepatch takes whatever is there (kernel/livepatch/core.c,
// klp_find_object_symbol). Who checks a module against several kernels can be told.

// Chosen is the symbol that a kernel has at a position that the module asks for.
type Chosen struct {
	Object   string `json:"object"`
	Name     string `json:"name"`
	Position uint64 `json:"position"`
	Of       int    `json:"of"`             // how many there are
	File     string `json:"file,omitempty"` // its path, or its name; "" when nothing tells
	Size     uint64 `json:"size,omitempty"`
	Type     string `json:"type,omitempty"` // as nm prints it
}

// recordPosition notes which of several symbols a position means.
func recordPosition(out *result, k *facts, q lookup, list []sympos.Symbol) {
	if q.position == 0 || q.position > uint64(len(list)) || list[q.position-1].Position == 0 {
		return
	}
	y := list[q.position-1]
	x := Chosen{Object: q.object, Name: q.name, Position: q.position, Of: len(list),
		File: k.fileOf(q, list), Size: y.Size}
	if y.Type != 0 {
		x.Type = string(rune(y.Type))
	}
	out.chosen = append(out.chosen, x)
}

// fileOf is the file of the symbol at the position, as far as it tells it from the others:
// the path where debug information has it, and the name where no other one shares it.
func (k *facts) fileOf(q lookup, list []sympos.Symbol) string {
	name := list[q.position-1].File
	shared := 0
	for _, s := range list {
		if s.File == name {
			shared++
		}
	}
	if len(list) == 1 || shared == 1 && !k.comparesFiles {
		return name
	}
	if files, err := k.table.Files(q.object, q.name); err == nil && files[q.position-1].HasPath() {
		return files[q.position-1].String()
	}
	if shared > 1 {
		return ""
	}
	return name
}

// sameFile reports whether two names or paths can be those of one file: of a name alone the
// directory is not known.
func sameFile(a, b string) bool {
	if !strings.Contains(a, "/") || !strings.Contains(b, "/") {
		a, b = path.Base(a), path.Base(b)
	}
	return a == b
}

// Compare adds to the reports of one module findings about positions that are not the
// same symbol as in the first kernel that has them: a diag.Error where the files tell it, a
// diag.Note where only sizes or numbers differ.
func Compare(reports []*Report) {
	type key struct {
		object, name string
		position     uint64
	}
	type first struct {
		Chosen
		kernel, asked string // what it is called, and given by
	}
	// a kernel that knows no files is no measure for those that do
	known, withFile := map[key]first{}, map[key]first{}
	for _, r := range reports {
		for _, x := range r.Chosen {
			k, this := key{x.Object, x.Name, x.Position}, first{x, r.title(), r.Kernel}
			before, seen := known[k]
			if told, has := withFile[k]; has && x.File != "" {
				before = told
			} else if x.File != "" {
				withFile[k] = this
			}
			if !seen {
				known[k] = this
				continue
			}
			if x.Of == 1 && before.Of == 1 {
				continue
			}
			what := fmt.Sprintf("position %d of %s in %s is ", x.Position, x.Name, x.Object)
			severity := diag.Note
			switch {
			case x.File != "" && before.File != "":
				if sameFile(x.File, before.File) {
					continue
				}
				severity = diag.Error
				what += fmt.Sprintf("that of %s here, and that of %s in %s", x.File, before.File,
					before.kernel)
			case x.Of != before.Of:
				what += fmt.Sprintf("one of %d here, and of %d in %s: it may be another symbol, "+
					"which no file tells", x.Of, before.Of, before.kernel)
			case x.Size != before.Size:
				what += fmt.Sprintf("of %d bytes here, and of %d in %s: it may be another symbol, "+
					"which no file tells", x.Size, before.Size, before.kernel)
			default:
				continue
			}
			f := problem(diag.OtherSymbol, what)
			f.Severity = severity
			f = f.of(x.Name).fix("klp-convert sympos %s -k %s -k %s", diag.ShellQuote(x.Name+"@"+x.Object),
				diag.ShellQuote(before.asked), diag.ShellQuote(r.Kernel)).
				fix("convert the module for each of the kernels, with --kernel").when(diag.Calling, "", "")
			r.Findings = append(r.Findings, f.Diagnostic)
		}
	}
}

// title is a short name of the kernel.
func (r *Report) title() string {
	if r.Release != "" {
		return r.Release
	}
	return diag.Printable(r.Kernel)
}
