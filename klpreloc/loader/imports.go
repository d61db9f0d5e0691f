// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/resolve"
	"github.com/klp-convert/klp-convert/sympos"
)

// fullTable reports whether the table of vmlinux's symbols has names that are exported:
// a symbol list or System.map does, a file of exports alone has none.
func (k *facts) fullTable() bool { return k.table.Has(sympos.Vmlinux) }

// knowsExports reports whether it is known what vmlinux exports.
func (k *facts) knowsExports() bool { return k.table.KnowsExports(sympos.Vmlinux) }

// exportsOf are the names that the module exports: the strings of its table.
func exportsOf(f *elfrw.File) []string {
	s := f.Section("__ksymtab_strings")
	if s == nil {
		return nil
	}
	var names []string
	for _, name := range strings.Split(string(s.Data), "\x00") {
		if name != "" && len(name) < nameMost {
			names = append(names, name)
		}
	}
	return names
}

// checkExports follows verify_exported_symbols in kernel/module/main.c.
func checkExports(m *view, k *facts) (out result) {
	for _, kind := range []string{"", "_gpl"} {
		// kernel/module/main.c, check_export_symbol_versions; Kbuild's tables changed in 6.19.
		symbols, sums := m.file.Section("__ksymtab"+kind), m.file.Section("__kcrctab"+kind)
		if k.modversions && symbols != nil && symbols.Size() > 0 && sums == nil {
			f := problem(diag.ChecksumMismatch, "the module exports symbols, and there are no checksums "+
				"of them (__kcrctab"+kind+")").fix("build it against the headers of %s", k.title())
			out.add(forceLoaded(m, k, f, "no versions for exported symbols"))
			break
		}
	}
	for _, name := range exportsOf(m.file) {
		e, ok := k.firstExport(k.table.Exports(name))
		owner := e.Object
		switch {
		case !ok || e.Object != sympos.Vmlinux && !k.loaded[e.Object] || e.Object == m.name:
			continue
		case e.Object == sympos.Vmlinux:
			owner = "kernel"
		}
		out.add(problem(diag.DuplicateExport, "the module exports what "+owner+" exports already").
			of(name).fix("rename it").
			when(diag.Loading, "", "ENOEXEC", says("%s: exports duplicate symbol "+
				"%s (owned by %s)", m.name, name, owner)))
	}
	return out
}

// checkImports follows simplify_symbols and resolve_symbol in kernel/module/main.c. Each symbol
// that is not found is reported; the error is that of the last one.
func checkImports(m *view, k *facts) (out result) {
	if !k.knowsExports() {
		out.notJudged("undefined symbols", "nothing that describes the kernel tells what it exports")
	}
	for _, y := range m.file.Symbols {
		switch {
		case y.Section != nil:
		case y.Index == elf.SHN_COMMON:
			if strings.HasPrefix(y.Name, "__gnu_lto") {
				continue
			}
			out.add(problem(diag.CommonSymbol, "the loader accepts no common symbols").of(y.Name).
				fix("build with -fno-common").
				when(diag.Loading, "", "ENOEXEC", says("%s: please compile with -fno-common", m.name)))
		case y.Index == elf.SHN_ABS || y.Index == klpabi.IndexLivepatch:
		case y.Undefined():
			if !m.annotated()[y] {
				checkImport(&out, m, k, y)
			}
		default:
			checkSymbolIndex(&out, m, k, y)
		}
	}
	for _, name := range m.origins().Unused {
		out.add(note(diag.CheckUnusedDepends, "depends= names "+name+", and the module "+
			"uses no symbol that "+name+" exports").
			fix("build it with the Module.symvers of that %s", name).when(diag.Loading, "", ""))
	}
	return out
}

// checkSymbolIndex: since 6.8 and in 6.1.y a symbol in a section that does not exist is refused;
// before, an address is read from after the section headers (simplify_symbols).
func checkSymbolIndex(out *result, m *view, k *facts, y *elfrw.Symbol) {
	index := m.indexOf(y)
	f := problem(diag.SymbolIndex, fmt.Sprintf("it is in section %#x, which does not exist", index)).
		of(y.Name).
		fix("klp symbols have the section index 0xff20 (SHN_LIVEPATCH)")
	used := m.isUsed(y)
	switch {
	case k.IndexCheck:
		f = f.when(diag.Loading, "", "ENOEXEC", says("%s: Symbol %s has an invalid section "+
			"index %s (max %s)", m.name, y.Name, index, len(m.file.Sections)))
	case m.image != nil && m.image.isHeaderUnmapped(index):
		f = f.when(diag.Loading, "", "killed", oops("page fault", ""))
	case used:
		f = f.when(diag.Calling, "", "", oops("page fault", m.userOf(y)))
	default:
		f.Severity = diag.Note
		f = f.when(diag.Loading, "", "")
	}
	out.add(f)
}

// importKind says what becomes of an undefined symbol, as far as it is known who exports it.
type importKind int

const (
	ignored      importKind = iota // the loader or the linker provides it, or nothing tells
	ofUnknown                      // it is an import, but nothing tells of which module
	ofSuspect                      // a module whose exports are not known may export it
	unusedWeak                     // no object exports it, and nothing uses it
	boundToZero                    // no object exports it, and it is weak
	unknownName                    // no object exports it
	exportedName                   // an object exports it
)

// importOf returns what becomes of an undefined symbol, and the export if it is exportedName.
func importOf(m *view, k *facts, y *elfrw.Symbol) (importKind, sympos.Export) {
	e, ok := k.firstExport(k.table.Exports(y.Name))
	origin := resolve.Exported
	if !ok || e.Object != sympos.Vmlinux && !k.loaded[e.Object] {
		e, origin = m.origins().Of(y.Name)
		ok = origin == resolve.Exported
	}
	weak, klp := y.Bind() == elf.STB_WEAK, strings.HasPrefix(y.Name, klpabi.SymbolPrefix)
	switch {
	case ok:
		return exportedName, e
	case !k.knowsExports() && !klp,
		klpabi.LoaderIgnores(m.file.Header.Machine, y.Name) &&
			(k.IgnoresGOT || m.file.Header.Machine == elf.EM_S390 ||
				y.Name != "_GLOBAL_OFFSET_TABLE_"),
		klpabi.WeakByDesign(m.file, y) && !hidesSymbol(m, k, y.Name):
		return ignored, e
	case origin == resolve.OfUnknown:
		return ofUnknown, e
	case origin == resolve.Open && m.origins().MayExport() && !klp:
		return ofSuspect, e
	case weak && !m.isUsed(y):
		return unusedWeak, e
	case weak:
		return boundToZero, e
	}
	return unknownName, e
}

// lookedUp is the name under which the loader looks for an undefined symbol: on ppc64 without
// the dot that it begins with (arch/powerpc/kernel/module_64.c, dedotify; seen in 6.12.118).
func (m *view) lookedUp(y *elfrw.Symbol) string {
	if m.file.Header.Machine == elf.EM_PPC64 {
		return strings.TrimPrefix(y.Name, ".")
	}
	return y.Name
}

// checkImport checks one undefined symbol.
func checkImport(out *result, m *view, k *facts, y *elfrw.Symbol) {
	unknown := func(errno string) diag.KernelMessage {
		return says("%s: Unknown symbol %s (err %s)", m.name, m.lookedUp(y), errnoNumber(errno))
	}
	switch kind, e := importOf(m, k, y); kind {
	case ofUnknown:
		checkUnknownExporter(out, m, k, y, unknown)
	case ofSuspect:
		out.notJudged("whether "+m.origins().Suspects()+" exports "+y.Name,
			"no source tells what it exports: --module")
	case unusedWeak:
		out.add(note(diag.WeakImport, "no module exports it, it is weak, and nothing uses it").
			of(y.Name).when(diag.Loading, "", ""))
	case boundToZero:
		out.add(problem(diag.WeakImport, "no module exports it, and it is weak: the kernel silently "+
			"binds it to 0, and code that uses it accesses address 0").of(y.Name).
			fix("annotate it, and convert the module; or export it").
			when(diag.Calling, "", "", oops("page fault", m.userOf(y))))
	case unknownName:
		out.add(unknownSymbol(m, k, y).when(diag.Loading, "", "ENOENT", unknown("ENOENT")))
	case exportedName:
		checkExport(out, m, k, y, e, unknown)
	}
}

// unknownSymbol makes the finding of an undefined symbol that no object exports.
func unknownSymbol(m *view, k *facts, y *elfrw.Symbol) finding {
	cause := "no module exports it"
	if strings.HasPrefix(y.Name, klpabi.SymbolPrefix) {
		cause = "it has the name of a klp symbol, and is an ordinary undefined symbol: its section " +
			"index is not 0xff20"
	} else if !k.table.ListsModules() {
		cause += ", as far as the available modules tell"
	}
	object, n := findHidden(m, k, y.Name)
	if n == 0 {
		return problem(diag.UnknownSymbol, cause).of(y.Name).
			fix("klp-convert sympos %s --kernel %s", diag.ShellQuote(y.Name), diag.ShellQuote(k.Name))
	}
	return problem(diag.UnknownSymbol, fmt.Sprintf("%s; %s has %d of "+
		"that name, hidden", cause, object, n)).of(y.Name).
		fix("klp-convert annotate %s --kernel %s%s", m.path, diag.ShellQuote(k.Name),
			k.moduleOption(object))
}

// hidesSymbol reports whether an object has the symbol without exporting it.
func hidesSymbol(m *view, k *facts, name string) bool {
	_, n := findHidden(m, k, name)
	return n > 0
}

// findHidden returns the object that has the symbol without exporting it, and how many times:
// vmlinux, or one that the livepatch patches.
func findHidden(m *view, k *facts, name string) (object string, n int) {
	for _, object := range append([]string{sympos.Vmlinux}, m.objects...) {
		if n := len(k.table.Lookup(object, name)); n > 0 {
			return object, n
		}
	}
	return "", 0
}

// moduleOption is the option that names an object's file, as it was given.
func (k *facts) moduleOption(object string) string {
	if path := k.paths[object]; k.loaded[object] && path != "" {
		return " --module " + diag.ShellQuote(path) // without it, the kernel may have no such module
	}
	return ""
}

// firstExport returns the export that the loader finds first: vmlinux's, then that of a module
// that is there.
func (k *facts) firstExport(list []sympos.Export) (e sympos.Export, ok bool) {
	for _, x := range list {
		if !ok || x.Object == sympos.Vmlinux || e.Object != sympos.Vmlinux && k.loaded[x.Object] {
			e, ok = x, true
		}
	}
	return e, ok
}

// checkUnknownExporter checks an import of a module whose exports no source tells.
func checkUnknownExporter(out *result, m *view, k *facts, y *elfrw.Symbol,
	unknown func(string) diag.KernelMessage) {
	modules := m.origins().Unknown
	if len(modules) == 1 { // so it is that one's
		checkNeededModule(out, m, k, y, sympos.Export{Object: modules[0], Name: y.Name}, unknown)
	}
	out.notJudged("whether "+m.origins().Suspects()+" exports "+y.Name+", and to whom",
		"no source tells what it exports: --module")
}

// checkExport checks an import that an object exports, as resolve_symbol does: license,
// checksum, namespace.
func checkExport(out *result, m *view, k *facts, y *elfrw.Symbol, e sympos.Export,
	unknown func(string) diag.KernelMessage) {
	if e.Object != sympos.Vmlinux && !k.loaded[e.Object] {
		checkNeededModule(out, m, k, y, e, unknown)
	}
	only, known := k.gplOnly(e)
	switch {
	case only && !m.gpl():
		out.add(problem(diag.GPLOnlyExport, "it is exported for modules under the GPL only, and the "+
			"license is another").of(y.Name).fix(`MODULE_LICENSE("GPL");`).
			when(diag.Loading, "", "ENOENT", unknown("ENOENT")))
		return
	case !known && !m.gpl():
		out.notJudged("whether "+y.Name+" is for modules "+
			"under the GPL only", "no available file tells; "+
			"Module.symvers would")
	}
	if checkChecksum(out, m, k, y, e, unknown) {
		checkNamespace(out, m, k, y, e, unknown)
	}
}

// keeps reports whether the module is there before the livepatch's klp relocations are
// applied, and stays: the livepatch imports from it, or from one that needs it
// (resolve_symbol and ref_module).
func (m *view) keeps(object string) bool { return m.held()[object] }

// readHeld returns the modules that the livepatch imports from, and those that they need.
func readHeld(m *view, k *facts) map[string]bool {
	held := map[string]bool{}
	for _, y := range m.file.Symbols {
		if y.Section != nil || !y.Undefined() || m.annotated()[y] {
			continue
		}
		switch kind, e := importOf(m, k, y); {
		case kind == exportedName && e.Object != sympos.Vmlinux:
			held[e.Object] = true
		case kind == ofUnknown && len(m.origins().Unknown) == 1: // so it is that one's
			held[m.origins().Unknown[0]] = true
		}
	}
	for _, exporter := range sortedKeys(held) {
		if f := k.module(exporter); f != nil {
			for name := range k.dependencies(f) {
				held[name] = true
			}
		}
	}
	return held
}

// checkNeededModule: a module that exports what is needed has to be there before. depends= makes
// modprobe see to it.
func checkNeededModule(out *result, m *view, k *facts, y *elfrw.Symbol, e sympos.Export,
	unknown func(string) diag.KernelMessage) {
	switch {
	case m.patchesObject(e.Object):
		out.add(problem(diag.NeedsModule, "it is exported by "+e.Object+", which the livepatch "+
			"patches: the livepatch can't be loaded before that module").of(y.Name).
			fix("make a klp relocation of it: klp-convert --kernel %s does", diag.ShellQuote(k.Name)).
			when(diag.Loading, "", "ENOENT", unknown("ENOENT")))
	case slices.Contains(m.depends, e.Object):
		if !out.first("modprobe loads " + e.Object) {
			return
		}
		out.add(note(diag.NeedsModule, "it is exported by module "+e.Object+", which modprobe loads "+
			"first (depends=); insmod does not").of(y.Name).
			when(diag.Loading, "", "", unknown("ENOENT")))
	default:
		out.add(problem(diag.NeedsModule, "it is exported by module "+e.Object+", and depends= does "+
			"not name it: it has to be loaded before").of(y.Name).
			fix("build it with the Module.symvers that has %s", e.Object).
			when(diag.Loading, "", "ENOENT", unknown("ENOENT")))
	}
}

// checkChecksum follows check_version in kernel/module/version.c.
func checkChecksum(out *result, m *view, k *facts, y *elfrw.Symbol, e sympos.Export,
	unknown func(string) diag.KernelMessage) bool {
	if !k.modversions && !(e.Listed && e.CRC != 0) {
		return true
	}
	table := m.versions()
	if table == nil {
		return true // reported by checkModuleLayout
	}
	mine, found := table[y.Name]
	want, known := k.checksum(e)
	switch {
	case !found && k.hasExtended(m.file):
		out.add(note(diag.ChecksumMismatch, "it is not in the module's version table: not "+
			"checked by the kernel").of(y.Name).
			when(diag.Loading, "", "", says("%s: no extended symbol version for %s", m.name, y.Name)))
	case !found && k.MissingCRC:
		out.add(problem(diag.ChecksumMismatch, "it is not in the module's version table").of(y.Name).
			fix("build it against the headers of %s, with their Module.symvers", k.title()).
			when(diag.Loading, "", "EINVAL", says("%s: no symbol version for %s", m.name, y.Name),
				unknown("EINVAL")))
		return false
	case !found:
		f := note(diag.ChecksumMismatch, "it is not in the module's version table: not "+
			"checked by the kernel").of(y.Name)
		// check_version prints it once.
		if out.first("no symbol version") && k.listsLayout(m.file) {
			out.add(f.when(diag.Loading, "", "", says("%s: no symbol version for %s", m.name, y.Name)))
		} else {
			out.add(f.when(diag.Loading, "", ""))
		}
	case !known:
		out.notJudged("the checksum of "+y.Name, "no available module imports it, and there is "+
			"no Module.symvers")
	case mine != want:
		out.add(problem(diag.ChecksumMismatch, fmt.Sprintf("its interface has another checksum: %#08x, "+
			"in this kernel %#08x", mine, want)).of(y.Name).
			fix("build it against the headers of %s", k.title()).
			when(diag.Loading, "", "EINVAL", says("%s: disagrees about "+
				"version of symbol %s", m.name, y.Name), unknown("EINVAL")))
		return false
	}
	return true
}

// checksums returns a module's version table by name, nil when it has none.
func checksums(list []version) map[string]uint64 {
	var table map[string]uint64
	for _, v := range list {
		if table == nil {
			table = map[string]uint64{}
		}
		table[v.name] = v.crc
	}
	return table
}

// checkNamespace follows verify_namespace_is_imported in kernel/module/main.c; since 6.16
// verify_module_namespace.
func checkNamespace(out *result, m *view, k *facts, y *elfrw.Symbol, e sympos.Export,
	unknown func(string) diag.KernelMessage) {
	if e.Namespace == "" || slices.Contains(m.spaces, e.Namespace) || e.OfferedTo(m.name) {
		return
	}
	f := problem(diag.NamespaceNotImported, fmt.Sprintf("it is exported in namespace %s, which the "+
		"module does not import", e.Namespace)).of(y.Name)
	if _, only := e.ForModules(); only {
		f = f.fix("make a klp relocation of it: klp-convert --kernel %s does", diag.ShellQuote(k.Name))
	} else {
		f = f.fix(k.ImportNS, e.Namespace)
	}
	message := says("%s: module uses symbol (%s) from namespace %s, but does not import it.", m.name,
		y.Name, e.Namespace)
	if allowed, _ := k.set("MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS"); allowed {
		f.Severity = diag.Note
		out.add(f.when(diag.Loading, "", "", message))
		return
	}
	out.add(f.when(diag.Loading, "", "EINVAL", message, unknown("EINVAL")))
}
