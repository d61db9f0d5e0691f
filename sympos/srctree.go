// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"path"
	"strings"

	"github.com/klp-convert/klp-convert/sympos/debuginfo"
)

// An author names a file as it is called in the source tree: kernel/signal.c. Debug
// information names it as the compiler was given it, and where the compiler ran:
//
//	name                             comp_dir            build
//	kernel/signal.c                  /src/linux          in the tree
//	./kernel/signal.c                .                   with -fdebug-prefix-map
//	../kernel/signal.c               /src/linux/build    O= in a directory of the tree
//	/src/linux/kernel/signal.c       /obj                O= anywhere else
//	kernel/config_data.S             /obj                the same, made by the build
//	/home/me/target/main.c           /src/linux          M=, before 6.13
//	main.c                           /home/me/target     M=, since 6.13
//
// arch/x86/kernel/signal.c is another file than kernel/signal.c, so comparing the ends of
// paths is not enough. The root of the tree has to be known and removed. It is
//
//	where the compiler ran, for files below it (Kbuild runs it in the root of the output
//	 tree, which has the same directories);
//	the parent of that, if names begin with ../ (Makefile, srctree);
//	what comes before init/main.c, which every vmlinux has;
//	for modules, what comes before the directory of NAME.mod.c, which modpost makes
//
// If none of these is known, a path can still match the end of a path in the debug
// information, if the rest of that can be the root, above every file. That is not certain.

// A SourceFile is what is known of the source file of a symbol.
type SourceFile struct {
	// Name is the last part of the path; "" when not known.
	Name string
	// Path is the path in the source tree; "" when it is not known.
	Path string
	// Full is the path in the debug information if the root of the source tree is not
	// certain; else "".
	Full string
	// rootMost is the deepest directory that can be the root, if Full is set.
	rootMost string
}

// String returns as much of the path as is known.
func (f SourceFile) String() string {
	switch {
	case f.Path != "":
		return f.Path
	case f.Full != "":
		return f.Full
	}
	return f.Name
}

// HasPath reports whether a path is known, not only the name.
func (f SourceFile) HasPath() bool { return f.Path != "" || f.Full != "" }

// FileMatch is how certain a match of a path is.
type FileMatch int

const (
	NoFile      FileMatch = iota // no file matches
	ExactFile                    // the path in the source tree
	RootAssumed                  // the end of a path, whose rest can be the root of the tree
	NameOnly                     // the name; the directory is not known
)

// MatchFile returns the indexes of the files that can be want, a path in the source tree,
// and how certain that is. Several can't be told apart: they are equal, or at most their
// names are known.
func MatchFile(files []SourceFile, want string) (indexes []int, how FileMatch) {
	want = path.Clean(want)
	var exact, possible []int
	for i, f := range files {
		switch {
		case f.Path != "" && f.Path == want:
			exact = append(exact, i)
		case f.Full != "" && f.rootCanPrecede(want):
			possible, how = append(possible, i), max(how, RootAssumed)
		case f.HasPath():
		case f.Name == path.Base(want):
			possible, how = append(possible, i), NameOnly
		case f.Name == "":
			possible = append(possible, i)
		}
	}
	switch {
	case len(exact) > 0:
		return exact, ExactFile
	case how == NoFile: // nothing is known of those that are possible
		return nil, NoFile
	}
	return possible, how
}

// rootCanPrecede reports whether Full is want in a directory that can be the root.
func (f SourceFile) rootCanPrecede(want string) bool {
	root, ok := strings.CutSuffix(f.Full, "/"+want)
	return ok && f.rootMost != "" && isBelow(f.rootMost, root)
}

// isBelow reports whether name is the directory or below it, both clean. "" is the
// directory above all absolute paths.
func isBelow(name, dir string) bool {
	rest, ok := strings.CutPrefix(name, dir)
	return ok && (rest == "" || rest[0] == '/' || dir == "/")
}

// below returns the path of name relative to dir, and whether it is below it.
func below(name, dir string) (string, bool) {
	switch {
	case dir == "." && !path.IsAbs(name) && name != ".." && !strings.HasPrefix(name, "../"):
		return name, true
	case dir == "" || dir == "/" || name == dir || !isBelow(name, dir):
		return "", false
	}
	return name[len(dir)+1:], true
}

// A sourceTree is where the sources of a vmlinux or a module are, by the units of its
// debug information.
type sourceTree struct {
	output   string // where the compiler ran
	root     string // of the sources that are not below output; "" when not known
	certain  bool   // root is certain
	rootMost string // the deepest directory that can be the root
}

// treeOf finds the source tree that the units were compiled from.
func treeOf(units []*debuginfo.Unit, module bool) *sourceTree {
	t := &sourceTree{}
	runs := map[string]int{}
	for _, u := range units {
		if u.Dir == "" {
			continue
		}
		dir := path.Clean(u.Dir)
		runs[dir]++
		// Of equally many the upper one: Kbuild uses only one.
		if n, most := runs[dir], runs[t.output]; n > most ||
			n == most && (len(dir) < len(t.output) || len(dir) == len(t.output) && dir < t.output) {
			t.output = dir
		}
	}
	var outside []string // absolute, and not below output
	parent, anchor, generated := "", "", ""
	for _, u := range units {
		name := u.Path()
		inside, ok := below(name, t.output)
		switch {
		case module && strings.HasSuffix(name, ".mod.c"):
			if generated = name; ok {
				generated = inside
			}
		case !module && strings.HasSuffix(name, "/init/main.c"):
			if p := strings.TrimSuffix(name, "/init/main.c"); anchor == "" || len(p) < len(anchor) {
				anchor = p
			}
		}
		if ok || !path.IsAbs(name) {
			continue
		}
		outside = append(outside, name)
		if p := upwards(u); p != "" && (parent == "" || len(p) < len(parent)) {
			parent = p
		}
	}
	if len(outside) == 0 && anchor == "" {
		return t
	}
	for i, name := range outside {
		if i == 0 {
			t.rootMost = path.Dir(name)
		}
		for !isBelow(name, t.rootMost) {
			t.rootMost = path.Dir(t.rootMost)
		}
	}
	switch {
	case anchor != "":
		t.root, t.certain = anchor, true
	// a module outside of the kernel's tree, or in another directory of it
	case path.IsAbs(generated):
		t.root = path.Dir(generated)
		t.rootMost = t.root
	case parent != "":
		t.root, t.certain = parent, true
	case generated != "":
		t.root, t.certain = rootAbove(outside, path.Dir(generated))
	}
	return t
}

// upwards returns the directory that a name's leading ../ lead to, or "".
func upwards(u *debuginfo.Unit) string {
	dir := ""
	for name := u.Name; strings.HasPrefix(name, "../"); name = name[len("../"):] {
		if dir == "" {
			dir = path.Clean(u.Dir)
		}
		dir = path.Dir(dir)
	}
	return dir
}

// rootAbove returns what precedes the directory in the paths, and whether that is the
// same in all paths with the directory.
func rootAbove(names []string, dir string) (root string, ok bool) {
	if dir == "." {
		return "", false
	}
	for _, name := range names {
		before, after, found := strings.Cut(name, "/"+dir+"/")
		switch {
		case !found:
		case strings.Contains("/"+after, "/"+dir+"/"), ok && before != root:
			return "", false
		default:
			root, ok = before, true
		}
	}
	return root, ok
}

// file returns the unit's file, with its path in the tree if known.
func (t *sourceTree) file(u *debuginfo.Unit) SourceFile {
	full := u.Path()
	if full == "" {
		return SourceFile{}
	}
	f := SourceFile{Name: path.Base(full)}
	inOutput, ok := below(full, t.output)
	inRoot, under := below(full, t.root)
	switch {
	case ok && !(under && t.certain && len(t.root) > len(t.output)): // the lower of the two
		f.Path = inOutput
	case under && t.certain:
		f.Path = inRoot
	case !path.IsAbs(full): // the compiler removed the root (-fdebug-prefix-map)
		for f.Path = full; strings.HasPrefix(f.Path, "../"); {
			f.Path = f.Path[len("../"):]
		}
	default:
		if f.Full, f.rootMost = full, t.rootMost; under {
			f.Path = inRoot
		}
		if t.certain { // it is in another tree
			f.rootMost = ""
		}
	}
	return f
}
