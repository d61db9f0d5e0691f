// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/gate"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/latereloc"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
	"github.com/klp-convert/klp-convert/klpreloc/resolve"
	"github.com/klp-convert/klp-convert/klpreloc/rewrite"
	"github.com/klp-convert/klp-convert/sympos"
)

// Options are what a conversion may know in addition to the module.
type Options struct {
	// Kernel is the kernel that the module is for; nil when there is none.
	Kernel *sympos.Kernel
	// Imports says that Kernel knows every export there is: an undefined symbol
	// that no object exports is an error then, in ordinary modules too.
	Imports bool
	// NoInfer converts nothing that the author did not annotate.
	NoInfer bool
	// ConvertModuleExports makes klp relocations of references to exports of
	// modules that the livepatch does not patch.
	ConvertModuleExports bool
	// Target is the kernel's version, if it is another than the module says.
	Target kernel.Version
	// KeepInert makes it an error to drop entries that cannot work: those of tracepoints and
	// debug messages, which could not be switched on.
	KeepInert bool
	// NoTargetID says that the builds of the livepatched modules are not recorded.
	NoTargetID bool
	// Lists annotate symbols of the module from outside of it.
	Lists []annotation.List
	// Types says what becomes of declarations that the kernel's types contradict.
	Types TypeCheck
	// Unsafe converts what will break on the kernel, for experiments.
	Unsafe bool
}

func (o Options) resolve() resolve.Options {
	return resolve.Options{
		Kernel: o.Kernel, Target: o.Target, Imports: o.Imports,
		NoInfer: o.NoInfer, ConvertModuleExports: o.ConvertModuleExports, NoTargetID: o.NoTargetID,
	}
}

// Plan is what a conversion does, with the annotations and claims that it follows from.
type Plan struct {
	*rewrite.Plan
	Set    *annotation.Set // what the author wrote
	Claims proof.Claims    // what the proof has to take as claimed

	written []*annotation.Annotation // those of Set that hold, with their positions
}

// NewPlan decides what becomes of f. It reads f and, where a kernel is given, the symbols of
// the kernel that f needs. When an error is among the diagnostics there is no
// plan, and nothing should be written. Each stage goes on after the errors of an earlier
// one, so that all independent errors come in one run.
func NewPlan(f *elfrw.File, o Options) (*Plan, diag.List) {
	var r diag.Reporter
	set, found := annotation.Read(f, o.Lists...)
	r.Add(found...)
	r.Add(checkModule(set)...)

	declared := klppatch.Declared(f)
	view, found := resolve.Read(f, set, declared, o.resolve())
	r.Add(found...)
	scheme, found := chooseScheme(set, view, o.Target)
	r.Add(found...)
	bindings, view, found := resolve.Bind(view)
	r.Add(found...)
	r.Add(checkTypes(f, set, view, bindings, declared, o.Types)...)

	rules := gate.NewRules(f, declared, scheme)
	targets, found := rules.Targets(bindings.Annotated, bindings.Inferred)
	r.Add(found...)
	var sound rewrite.Soundness
	var machine *arch.Machine
	if set.Annotated() || len(targets) > 0 {
		sound, found = rewrite.CheckSound(f)
		r.Add(found...)
		var err error
		if machine, err = arch.Of(f); err != nil {
			r.Add(diag.Errorf(diag.UnknownMachine, diag.Nowhere, "", "%v", err))
		}
	}
	uses, found := gate.FindUses(f, targets, f.GoesWith(set.Sections))
	r.Add(found...)
	decided, found := rules.Decide(uses.Loaded, o.Unsafe)
	r.Add(found...)
	movable, found := rewrite.Movable(f, machine, rules, decided.Sections, o.Unsafe, sound.Broken)
	r.Add(found...)

	late := latereloc.NewRules(f, rules, namesInKernel(targets), o.KeepInert)
	edits, found := late.Decide(movable, o.Unsafe)
	r.Add(found...)
	if len(targets) > 0 {
		r.Add(late.CheckTables(o.Unsafe)...)
	}
	gates := edits.Gates()
	r.Add(rules.CheckApplied(gates, o.Unsafe)...)
	written := append(slices.Clip(bindings.Annotated), bindings.Absent...)
	r.Add(gate.Unused(written, targets, decided, edits.Gone)...)
	depends, found := resolve.Depends(view, gate.SymbolNames(targets), gates)
	r.Add(found...)

	builds, found := resolve.Builds(view)
	r.Add(found...)
	if !set.Annotated() && len(targets) == 0 && len(builds) > 0 {
		// What has nothing else to convert is no reason to refuse a file.
		if _, found := rewrite.CheckSound(f); found.Failed() {
			builds = nil
		}
	}

	refused := edits.Refused || gate.Count(movable) < gate.Count(decided.Sections)
	plan, found := rewrite.New(f, set, targets, uses.Unloaded, edits, depends, builds, refused)
	r.Add(found...)
	r.Add(plan.CheckNames(view.Target(), scheme, o.Unsafe)...)
	claims := proof.Claims{Depends: depends, Scheme: scheme, Unsafe: o.Unsafe,
		KeepInert: o.KeepInert, Lists: o.Lists}
	for _, t := range plan.Targets {
		claims.Targets = append(claims.Targets, t.String())
	}
	for _, x := range bindings.Looked {
		claims.Looked = append(claims.Looked, proof.Lookup(x))
	}
	return finish(r.List(), sound, &Plan{plan, set, claims, written})
}

// finish returns the plan, unless there are errors, and the diagnostics in their order.
func finish(found diag.List, sound rewrite.Soundness, p *Plan) (*Plan, diag.List) {
	found = rewrite.WithoutConsequences(found, sound, p.Set.Converted())
	switch {
	case found.Failed():
		p = nil
	case p.Empty():
		found = append(found, diag.Notef(diag.NothingToConvert, diag.Nowhere, "", "nothing to convert"))
	}
	found.Sort()
	return p, found
}

// Annotate returns lines, of C or of a list, that annotate what is undefined in f and hidden in
// the kernel, in the dialect (annotation.Records, Labels or Listed; "": the one that the module
// is written in, or annotated in by lists). Of what could mean several symbols there is a line
// each, commented out. It returns "" when nothing is missing. An error among the diagnostics is
// about a symbol that is nowhere.
func Annotate(f *elfrw.File, o Options, dialect annotation.Dialect) (string, diag.List) {
	var r diag.Reporter
	set, found := annotation.Read(f, o.Lists...)
	r.Add(found...)
	r.Add(checkModule(set)...)
	view, found := resolve.Read(f, set, klppatch.Declared(f), o.resolve())
	r.Add(found...)
	_, found = chooseScheme(set, view, o.Target)
	r.Add(found...)
	text := ""
	if view.Table() != nil && !r.Failed() {
		text, found = resolve.Annotate(view, dialect)
		r.Add(found...)
	}
	found = r.List()
	found.Sort()
	return text, found
}

// namesInKernel returns what annotated symbols are called in the kernel.
func namesInKernel(targets []*gate.Target) func(*elfrw.Symbol) string {
	names := make(map[*elfrw.Symbol]string, len(targets))
	for _, t := range targets {
		names[t.Symbol] = t.Notes[0].Name
	}
	return func(y *elfrw.Symbol) string { return names[y] }
}

// checkModule checks what must hold of the module as a whole.
func checkModule(in *annotation.Set) diag.List {
	var r diag.Reporter
	if len(in.Objtool) > 0 {
		r.Add(diag.Notef(diag.ObjtoolInput, diag.In(in.Objtool[0]), "",
			"holds the records of objtool klp diff, which objtool klp post-link converts; left as it is"))
	}
	if !in.Annotated() {
		return r.List()
	}
	if !in.Modinfo.Livepatch() {
		r.Add(diag.Errorf(diag.NotLivepatch, diag.Nowhere, "",
			"the module is annotated, but .modinfo does not say livepatch=Y: the kernel would not apply a klp relocation").
			Hint(`MODULE_INFO(livepatch, "Y");`))
	}
	if in.Converted() {
		where, what := diag.Nowhere, "klp symbols"
		if len(in.KlpSections) > 0 {
			where, what = diag.In(in.KlpSections[0]), "klp relocations"
		}
		r.Add(diag.Errorf(diag.HalfConverted, where, "",
			"the module holds finished %s beside annotations that are not converted", what).
			Hint("convert the module as it came out of modpost, once"))
	}
	return r.List()
}

// ProofDiagnostic makes a diagnostic of an error of proof.Check.
func ProofDiagnostic(err error) diag.Diagnostic {
	d := diag.Diagnostic{ID: diag.ProofFailed, Severity: diag.Error,
		Message: "the result is not what it should be: " + err.Error()}
	d = d.Hint("this is a defect of klp-convert; nothing was written; please report it with the module")
	return d
}
