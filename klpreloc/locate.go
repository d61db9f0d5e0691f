// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"path"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos"
)

// locate finds the position of a symbol that is annotated by its source file, and
// reports whether it has one. Of what is annotated by position there is nothing to
// find.
//
// The file is known by the last part of its path, which is all that gcc writes into
// a symbol table (STT_FILE), and as far as there is debug information by the whole of
// it. Kernel images have neither, distributions' modules mostly not. A path means one file
// of the source tree: what matches no more than its end is not it, or is reported.
func (p *planner) locate(a *Annotation) bool {
	switch {
	case a.File == "":
		return true
	case p.table == nil:
		if p.Kernel == nil {
			if _, again := p.again(NeedsKernel, "", a.place(), clip(symName(a.Symbol))); again {
				return false
			}
			p.errorf(NeedsKernel, a.place(), clip(symName(a.Symbol)), "%s of %s is annotated by file, which needs a kernel to look it up in: give --kernel", clip(a.Name), a.Object)
		}
		return false
	case p.nothingKnown(a.Object):
		if _, again := p.again(FileUnknown, a.Object, a.place(), a.Name); !again {
			p.unknown[a.Object] = true
			p.errorf(FileUnknown, a.place(), a.Name, "symbol %s of %s is annotated by file, and no symbols of %s are available", a.Name, a.Object, a.Object).
				hint("--module %s.ko, with its symbols", a.Object)
		}
		return false
	case !p.exists(a, a.Object):
		return false
	}
	list := p.table.Lookup(a.Object, a.Name)
	if len(list) == 0 {
		p.missing(NoSuchSymbol, a, "%s has no symbol called %s", a.Object, a.Name)
		return false
	}
	files, err := p.table.Files(a.Object, a.Name)
	if err != nil {
		if _, again := p.again(KernelUnreadable, err.Error(), nowhere, ""); again {
			return false
		}
		p.errorf(KernelUnreadable, nowhere, "", "kernel %s: %v", p.kernelTitle(), err)
		return false
	}
	// The lines to choose from are by position: the file is what did not do.
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
		if _, again := p.again(NotChecked, "files of "+a.Object, a.place(), a.Name); again {
			matches = []int{0}
			break
		}
		p.warnf(NotChecked, a.place(), a.Name, "symbol %s is the only one of that name in %s, but nothing tells its file: %s is not checked", a.Name, a.Object, clip(a.File))
		matches = []int{0}
	case !known && p.table.OtherBuild(a.Object) != "":
		p.errorf(Contradiction, a.place(), a.Name, "symbol %s of %s is annotated by file, and what tells files is of another build: %s", a.Name, a.Object, p.table.OtherBuild(a.Object)).
			hints(p.lines(a, shown))
		return false
	case !known:
		p.errorf(FileUnknown, a.place(), a.Name, "nothing that describes kernel %s tells from which files the %d symbols called %s in %s are (%s): their files are in a vmlinux or module with its symbol table", p.kernelTitle(), len(list), a.Name, a.Object, p.table.Facts(a.Object).Kind).
			hints(p.lines(a, shown))
		return false
	case len(matches) == 0:
		p.errorf(OtherFile, a.place(), a.Name, "no symbol %s in %s is from %s", a.Name, a.Object, clip(a.File)).
			hints(p.lines(a, shown))
		return false
	case len(matches) > 1:
		what, why := "a file called "+path.Base(a.File), "debug information would tell the directories of the files"
		switch how {
		case sympos.ExactFile:
			what, why = clip(path.Clean(a.File)), "only their positions distinguish them"
		case sympos.RootAssumed:
			what, why = "files whose paths end in "+clip(path.Clean(a.File)), "nothing tells where the source tree begins"
		}
		var same []sympos.Symbol
		for _, i := range matches {
			same = append(same, shown[i])
		}
		p.errorf(Ambiguous, a.place(), a.Name, "%d symbols called %s in %s are from %s; %s", len(matches), a.Name, a.Object, what, why).
			hints(p.lines(a, same))
		return false
	default:
		p.assumed(a, files[matches[0]], how)
	}
	if len(list) > 1 {
		a.Pos = uint32(list[matches[0]].Position)
		if a.Pos == 0 {
			p.errorf(OrderUnknown, a.place(), a.Name, "the %s does not tell in which order the kernel counts the %d symbols called %s in %s", p.table.Facts(a.Object).Kind, len(list), a.Name, a.Object)
			return false
		}
	}
	p.answer(a)
	return true
}

// assumed says which file was used, where what is known of it is not the whole path that
// the author wrote.
func (p *planner) assumed(a *Annotation, f sympos.SourceFile, how sympos.FileMatch) {
	wanted := path.Clean(a.File)
	switch {
	case how == sympos.RootAssumed:
		p.warnf(FileAssumed, a.place(), a.Name, "symbol %s of %s is from %s, which is treated as %s: nothing tells where the source tree begins",
			a.Name, a.Object, clip(f.Full), clip(wanted))
	case how == sympos.NameOnly && wanted != f.Name:
		p.warnf(FileAssumed, a.place(), a.Name, "symbol %s of %s is from a file called %s, which is treated as %s: nothing tells its directory",
			a.Name, a.Object, clip(f.Name), clip(wanted)).
			hint("a vmlinux or module with debug information tells it")
	case how == sympos.NameOnly && a.Object == vmlinux: // none of its files is in the root of the tree
		p.warnf(FileAssumed, a.place(), a.Name, "symbol %s of %s is from a file called %s, and the annotation names no directory: it can be any file of that name",
			a.Name, a.Object, clip(f.Name)).
			hint("write the path in the kernel's source tree, as in kernel/signal.c")
	}
}
