// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/sympos"
)

const vmlinux = sympos.Vmlinux

// Options say what is known in addition to the module, and what is wanted.
type Options struct {
	// Kernel is the kernel that the module is for; nil when there is none.
	Kernel *sympos.Kernel
	// Target is the kernel's version, if it is another than the module says.
	Target kernel.Version
	// Imports says that Kernel knows every export there is: an undefined symbol
	// that no object exports is an error then, in ordinary modules too.
	Imports bool
	// NoInfer converts nothing that the author did not annotate.
	NoInfer bool
	// ConvertModuleExports makes klp relocations of references to exports of
	// modules that the livepatch does not patch.
	ConvertModuleExports bool
	// NoTargetID says that the builds of the livepatched modules are not recorded.
	NoTargetID bool
}

// View is what this stage knows: the module with its annotations and what it declares, and
// the kernel's symbols as far as the module needs them. Nothing changes it.
type View struct {
	file     *elfrw.File
	set      *annotation.Set
	declared *klppatch.Declaration
	options  Options
	target   kernel.Version // that the module is for
	notes    []note

	kernel  *sympos.Kernel // that was given; nil for none
	table   *sympos.Table  // of it; nil when it was not read
	objects []string       // that the livepatch names, and vmlinux; sorted

	// Set by withExporters and exportersIn; nil before.
	exporters *Exporters
	modules   *sympos.Table // of all modules, where their exports had to be read
	patched   []string      // modules that the livepatch patches and whose exports no source tells
}

// note is an annotation with the names that the kernel has for its objects.
type note struct {
	annotation.Annotation
	readable bool // the kernel can read its names
	absent   bool // it is a line of a list, and the module has no such symbol
}

// Read checks the names in the annotations of f, and reads from the kernel what the
// undefined symbols of f could be. The view refers to f, set and declared.
func Read(f *elfrw.File, set *annotation.Set, declared *klppatch.Declaration, o Options,
) (*View, diag.List) {
	v := &View{file: f, set: set, declared: declared, options: o, kernel: o.Kernel, target: set.Kernel}
	if o.Target != (kernel.Version{}) {
		v.target = o.Target
	}
	var r diag.Reporter
	for i, a := range append(slices.Clip(set.Annotations), set.Unmatched...) {
		n := note{Annotation: a, absent: i >= len(set.Annotations)}
		n.readable = checkNames(&r, &n.Annotation, v.target)
		v.notes = append(v.notes, n)
	}
	k := v.kernel
	if k == nil || !set.Annotated() && !v.infers() && !o.Imports {
		return v, r.List()
	}
	if magic := set.Modinfo.Release(); magic != "" && k.Release != "" && magic != k.Release {
		r.Add(diag.Warnf(diag.OtherKernel, diag.Nowhere, "",
			"the module is built for %s, and symbols are looked up in %s",
			diag.Clip(magic), k.Release))
	}
	names, read := v.namesToRead(), v.namedObjects()
	v.objects = slices.Clone(read)
	known := map[string]bool{}
	for _, object := range read {
		known[object] = true
	}
	for _, object := range klpabi.DependsOf(set.Modinfo) { // their exports count
		if !known[object] && klpabi.CheckObject(object) == nil {
			known[object] = true
			read = append(read, object)
		}
	}
	from := k.Read
	if !set.Annotated() && !v.infers() {
		from = k.ReadExports
	}
	if k.BuiltFor = set.Modinfo.Release(); o.Target != (kernel.Version{}) {
		k.BuiltFor = o.Target.String()
	}
	table, err := from(sympos.Names(names...), read...)
	if err != nil {
		r.Add(diag.Errorf(diag.KernelUnreadable, diag.Nowhere, "", "kernel %s: %v", v.kernelTitle(), err))
		return v, r.List()
	}
	for _, text := range table.Notes {
		r.Add(diag.Notef(diag.KernelUnreadable, diag.Nowhere, "", "kernel %s: %s", v.kernelTitle(), text))
	}
	for _, w := range append(slices.Clone(k.Warnings), table.Warnings...) {
		if strings.HasPrefix(w, sympos.PassedOver) {
			r.Add(v.passedOverWarning(w))
			continue
		}
		r.Add(diag.Warnf(diag.Contradiction, diag.Nowhere, "",
			"kernel %s: %s: the given files come from different kernels",
			v.kernelTitle(), w))
	}
	for _, line := range append(slices.Clone(k.Incomplete), table.Incomplete()...) {
		r.Add(diag.Warnf(diag.Incomplete, diag.Nowhere, "",
			"kernel %s: %s: what follows from it may be wrong", v.kernelTitle(), line).
			Hint("copy it again, or give the kernel's image: a table found in one is complete"))
	}
	v.table = table
	return v, r.List()
}

// namesToRead returns the names to look up in the kernel.
func (v *View) namesToRead() []string {
	var names []string
	for _, y := range v.file.Symbols {
		if y.Undefined() && klpabi.PossibleName(y.Name) {
			names = append(names, y.Name)
		}
	}
	for i := range v.notes {
		if klpabi.PossibleName(v.notes[i].Name) {
			names = append(names, v.notes[i].Name)
		}
	}
	return append(append(names, kernel.SchemeSymbols()...), initBounds...)
}

// namedObjects are the objects that the annotations and the patch name, and vmlinux, sorted.
func (v *View) namedObjects() []string {
	objects := map[string]bool{vmlinux: true}
	for i := range v.notes {
		for _, o := range []string{v.notes[i].LPObject, v.notes[i].Object} {
			if klpabi.CheckObject(o) == nil {
				objects[o] = true
			}
		}
	}
	for o := range v.declared.Objects() {
		objects[o] = true
	}
	var all []string
	for o := range objects {
		all = append(all, o)
	}
	slices.Sort(all)
	return all
}

// Table is what was read of the kernel; nil when no kernel was given, or none was needed.
func (v *View) Table() *sympos.Table { return v.table }

// Kernel is the kernel that was given; nil if none was.
func (v *View) Kernel() *sympos.Kernel { return v.kernel }

// ExportersOf returns the objects that are known to export a symbol, vmlinux for one that it has if
// nothing tells its exports.
func (v *View) ExportersOf(name string) (objects []string) {
	for _, e := range v.table.Exports(name) {
		objects = append(objects, e.Object)
	}
	if len(objects) == 0 && len(v.table.Lookup(vmlinux, name)) > 0 {
		objects = append(objects, vmlinux)
	}
	return objects
}

// Target is the version of the kernel that the module is for.
func (v *View) Target() kernel.Version { return v.target }

// kernelTitle is what to call the kernel: by its release, or else as it was asked for.
func (v *View) kernelTitle() string {
	if v.kernel.Release != "" {
		return v.kernel.Release
	}
	return v.kernel.Name
}

// Title is what to call the kernel, which must have been given: its release, or else as it
// was asked for.
func (v *View) Title() string { return v.kernelTitle() }
