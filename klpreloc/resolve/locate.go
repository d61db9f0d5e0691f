// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"path"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
)

// locateByFile finds the position of a symbol that is annotated by its source file, and
// reports whether it has one. It does nothing for a symbol that is annotated by
// position.
//
// The file is known by the last part of its path, which is all that gcc writes into
// a symbol table (STT_FILE), and as far as there is debug information by the whole of
// it. Kernel images have neither, distributions' modules mostly not. A path means one file
// of the source tree: what matches no more than its end is not it, or is reported.
func (v *View) locateByFile(out *collector, a *annotation.Annotation) bool {
	switch {
	case a.File == "":
		return true
	case v.table == nil:
		if v.kernel == nil {
			if out.AddPlace(diag.NeedsKernel, "", a.Place(), diag.Clip(diag.SymbolName(a.Symbol))) {
				return false
			}
			out.AddFor("", diag.Errorf(diag.NeedsKernel, a.Place(), diag.Clip(diag.SymbolName(a.Symbol)),
				"%s of %s is annotated by file, which needs a kernel to look it up in: give --kernel",
				diag.Clip(a.Name), a.Object))
		}
		return false
	case v.isUnknownObject(a.Object):
		if !out.AddPlace(diag.FileUnknown, a.Object, a.Place(), a.Name) {
			out.unknown[a.Object] = true
			out.AddFor(a.Object, diag.Errorf(diag.FileUnknown, a.Place(), a.Name,
				"symbol %s of %s is annotated by file, and no symbols of %s are available",
				a.Name, a.Object, a.Object).
				Hint("--module %s.ko, with its symbols", a.Object))
		}
		return false
	case !v.checkObjectExists(out, a, a.Object):
		return false
	}
	list := v.table.Lookup(a.Object, a.Name)
	if len(list) == 0 {
		v.reportAbsent(out, diag.NoSuchSymbol, a, "%s has no symbol called %s", a.Object, a.Name)
		return false
	}
	files, err := v.table.Files(a.Object, a.Name)
	if err != nil {
		if out.AddPlace(diag.KernelUnreadable, err.Error(), diag.Nowhere, "") {
			return false
		}
		out.AddFor(err.Error(), diag.Errorf(diag.KernelUnreadable, diag.Nowhere, "", "kernel %s: %v",
			v.kernelTitle(), err))
		return false
	}
	// The lines to choose from are by position: the file did not decide.
	shown := slices.Clone(list)
	for i := range shown {
		if files[i].HasPath() {
			shown[i].File = files[i].String()
		}
	}
	known := slices.ContainsFunc(files, func(f sympos.SourceFile) bool { return f.Name != "" })
	matches, how := sympos.MatchFile(files, a.File)
	switch {
	case !known && len(list) == 1:
		if out.AddPlace(diag.NotChecked, "files of "+a.Object, a.Place(), a.Name) {
			matches = []int{0}
			break
		}
		out.AddFor("files of "+a.Object, diag.Warnf(diag.NotChecked, a.Place(), a.Name,
			"symbol %s is the only one of that name in %s, but nothing tells its file: %s is not checked",
			a.Name, a.Object, diag.Clip(a.File)))
		matches = []int{0}
	case !known && v.table.OtherBuild(a.Object) != "":
		out.Add(diag.Errorf(diag.Contradiction, a.Place(), a.Name,
			"symbol %s of %s is annotated by file, and the source that names files is from another build: %s",

			a.Name, a.Object, v.table.OtherBuild(a.Object)).
			WithHints(v.candidateLines(a, shown)...))
		return false
	case !known:
		out.Add(diag.Errorf(diag.FileUnknown, a.Place(), a.Name,
			"nothing that describes kernel %s names the files of the %d symbols called %s in %s (%s): give "+
				"a vmlinux or module with its symbol table",
			v.kernelTitle(), len(list), a.Name, a.Object, v.table.Facts(a.Object).Kind).
			WithHints(v.candidateLines(a, shown)...))
		return false
	case len(matches) == 0:
		out.Add(diag.Errorf(diag.OtherFile, a.Place(), a.Name, "no symbol %s in %s is from %s", a.Name,
			a.Object, diag.Clip(a.File)).
			WithHints(v.candidateLines(a, shown)...))
		return false
	case len(matches) > 1:
		what, why := "a file called "+
			path.Base(a.File), "debug information would tell the directories of the files"
		switch how {
		case sympos.ExactFile:
			what, why = diag.Clip(path.Clean(a.File)), "only their positions distinguish them"
		case sympos.RootAssumed:
			what, why = "files whose paths end in "+
				diag.Clip(path.Clean(a.File)), "nothing tells where the source tree begins"
		}
		var same []sympos.Symbol
		for _, i := range matches {
			same = append(same, shown[i])
		}
		out.Add(diag.Errorf(diag.Ambiguous, a.Place(), a.Name,
			"%d symbols called %s in %s are from %s; %s", len(matches), a.Name, a.Object, what, why).
			WithHints(v.candidateLines(a, same)...))
		return false
	default:
		v.reportAssumed(out, a, files[matches[0]], how)
	}
	if len(list) > 1 {
		a.Pos = uint32(list[matches[0]].Position)
		if a.Pos == 0 {
			out.Add(diag.Errorf(diag.OrderUnknown, a.Place(), a.Name,
				"the %s does not tell in which order the kernel counts the %d symbols called %s in %s",
				v.table.Facts(a.Object).Kind, len(list), a.Name, a.Object))
			return false
		}
	}
	out.addLookup(a)
	return true
}

// reportAssumed says which file was used, where what is known of it is not the whole path that
// the author wrote.
func (v *View) reportAssumed(out *collector, a *annotation.Annotation, f sympos.SourceFile,
	how sympos.FileMatch,
) {
	wanted := path.Clean(a.File)
	switch {
	case how == sympos.RootAssumed:
		out.Add(diag.Warnf(diag.FileAssumed, a.Place(), a.Name,
			"symbol %s of %s is from %s, which is treated as %s: nothing tells where the source tree begins",
			a.Name, a.Object, diag.Clip(f.Full), diag.Clip(wanted)))
	case how == sympos.NameOnly && wanted != f.Name:
		out.Add(diag.Warnf(diag.FileAssumed, a.Place(), a.Name,
			"symbol %s of %s is from a file called %s, which is treated as %s: nothing tells its directory",
			a.Name, a.Object, diag.Clip(f.Name), diag.Clip(wanted)).
			Hint("a vmlinux or module with debug information tells it"))
	case how == sympos.NameOnly && a.Object == vmlinux: // none of its files is in the root of the tree
		out.Add(diag.Warnf(diag.FileAssumed, a.Place(), a.Name,
			"symbol %s of %s is from a file called %s, and the annotation names no directory: it can be any file of that name",

			a.Name, a.Object, diag.Clip(f.Name)).
			Hint("write the path in the kernel's source tree, as in kernel/signal.c"))
	}
}
