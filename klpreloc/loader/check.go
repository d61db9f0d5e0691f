// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/sympos"
)

// Options say for which kernel, and what is there already.
type Options struct {
	Kernel *sympos.Kernel
	// Loaded are modules that are loaded before the livepatch. Every livepatched
	// object is judged for coming later, these for being there as well.
	Loaded []string
	// ComparesFiles says that the report is for Compare: the paths of source files are read
	// from debug information.
	ComparesFiles bool
	// NoTypes says that declarations are not compared with the kernel's types.
	NoTypes bool
}

// Check predicts what the kernel makes of the module. The error is about the kernel's files.
func (m *Module) Check(o Options) (*Report, error) {
	reports, err := CheckAll([]*Module{m}, o)
	if err != nil {
		return nil, err
	}
	return reports[0], nil
}

// CheckAll predicts what the kernel makes of each of the modules, as if it were the only
// one. The kernel's files are read once; the reports keep nothing of them, and are in the order
// of the modules. Only names that are similar to missing ones may differ from those of Check:
// resolve.NearMisses looks for those of a number of names, here of all modules together. The
// modules are for one goroutine; several goroutines each open their own.
func CheckAll(modules []*Module, o Options) ([]*Report, error) {
	var names, patched, objects []string
	for _, m := range modules {
		names, objects = append(names, m.names()...), append(objects, m.wanted(o.Loaded)...)
		patched = append(patched, m.patchedNames()...)
	}
	slices.Sort(names)
	slices.Sort(objects)
	k, err := readKernel(o, slices.Compact(names), patched, slices.Compact(objects))
	if err != nil {
		return nil, err
	}
	views, results := make([]*view, len(modules)), make([]result, len(modules))
	for i, m := range modules {
		views[i] = newView(m, k)
		results[i] = applyRules(views[i], k)
	}
	near := nearMisses(k, results)
	reports := make([]*Report, len(modules))
	for i := range reports {
		reports[i] = newReport(views[i], k, results[i], near[i])
	}
	return reports, nil
}

// checkKernel says what is not known of the kernel, and whether it has livepatching at all.
func checkKernel(_ *view, k *facts) (out result) {
	if why := k.table.PartialExports(); why != "" {
		out.notJudged("who exports what the module imports", why)
	}
	if k.version == (kernel.Version{}) {
		out.notJudged("what depends on the kernel's version", "nothing tells the kernel's release: the "+
			"newest is assumed")
	}
	if !k.schemeKnown {
		out.add(problem(diag.NoLivepatching, "kernels before 4.7 know no klp relocations").
			when(diag.Loading, "", ""))
	}
	return out
}
