// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/resolve"
	"github.com/klp-convert/klp-convert/sympos"
)

// fullTable reports whether the table of vmlinux's symbols has names that are exported:
// a symbol list or System.map does, a file of exports alone has none.
func (c *checker) fullTable() bool { return c.facts.table.Has(sympos.Vmlinux) }

// knowsExports reports whether it is known what vmlinux exports.
func (c *checker) knowsExports() bool { return c.facts.table.KnowsExports(sympos.Vmlinux) }

// origins says who exports what the module imports.
func (c *checker) origins() *resolve.Exporters {
	if c.who == nil {
		loaded := func(object string) bool { return c.loaded[object] }
		c.who = resolve.NewExporters(c.File, c.facts.table, c.facts.Presence, loaded)
	}
	return c.who
}

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

// exports: kernel/module/main.c, verify_exported_symbols.
func (c *checker) exports() {
	for _, kind := range []string{"", "_gpl"} {
		// kernel/module/main.c, check_export_symbol_versions; Kbuild's tables changed in 6.19.
		symbols, sums := c.Section("__ksymtab"+kind), c.Section("__kcrctab"+kind)
		if c.facts.modversions && symbols != nil && symbols.Size() > 0 && sums == nil {
			f := c.find(Checksum, "the module exports symbols, and there are no checksums of them (__kcrctab"+kind+")").fix("build it against the headers of %s", c.title())
			c.forced(f, "no versions for exported symbols")
			break
		}
	}
	for _, name := range exportsOf(c.File) {
		e, ok := c.choose(c.facts.table.Exports(name))
		owner := e.Object
		switch {
		case !ok || e.Object != sympos.Vmlinux && !c.loaded[e.Object] || e.Object == c.name:
			continue
		case e.Object == sympos.Vmlinux:
			owner = "kernel"
		}
		c.find(DuplicateExport, "the module exports what "+owner+" exports already").of(name).fix("rename it").
			when(Loading, "", "ENOEXEC", says("%s: exports duplicate symbol %s (owned by %s)", c.name, name, owner))
	}
}

// imports: kernel/module/main.c, simplify_symbols and resolve_symbol. Each symbol that
// is not found is reported; the error is that of the last one.
func (c *checker) imports() {
	if !c.knowsExports() {
		c.lacking("undefined symbols", "nothing that describes the kernel tells what it exports")
	}
	for _, y := range c.File.Symbols {
		switch {
		case y.Section != nil:
		case y.Index == elf.SHN_COMMON:
			if strings.HasPrefix(y.Name, "__gnu_lto") {
				continue
			}
			c.find(CommonSymbol, "the loader takes no common symbols").of(y.Name).fix("build with -fno-common").
				when(Loading, "", "ENOEXEC", says("%s: please compile with -fno-common", c.name))
		case y.Index == elf.SHN_ABS || y.Index == klpabi.IndexLivepatch:
		case y.Undefined():
			if !c.annotates[y] {
				c.imported(y)
			}
		default:
			c.strayIndex(y)
		}
	}
	for _, m := range c.origins().Unused {
		c.note(UnusedDepends, "depends= names "+m+", and the module uses no symbol that "+m+" exports").
			fix("build it with the Module.symvers of that %s", m).when(Loading, "", "")
	}
}

// strayIndex: since 6.8 and in 6.1.y a symbol in a section that is not there is refused; before,
// an address is read from behind the section headers (simplify_symbols).
func (c *checker) strayIndex(y *elfrw.Symbol) {
	index := c.indexOf(y)
	f := c.find(SymbolIndex, fmt.Sprintf("it is in section %#x, which there is none of", index)).of(y.Name).
		fix("klp symbols have the section index 0xff20 (SHN_LIVEPATCH)")
	used := c.uses(y)
	switch {
	case c.indexCheck:
		f.when(Loading, "", "ENOEXEC", says("%s: Symbol %s has an invalid section index %s (max %s)", c.name, y.Name, index, len(c.Sections)))
	case c.image != nil && c.image.far(index):
		f.when(Loading, "", "killed", oops("page fault", ""))
	case used:
		f.when(Calling, "", "", oops("page fault", c.userOf(y)))
	default:
		f.Severity = Note
		f.when(Loading, "", "")
	}
}

// uses reports whether a relocation of what is loaded needs the symbol, which is in no section.
func (c *checker) uses(y *elfrw.Symbol) bool {
	c.userOf(y)
	_, used := c.users[y]
	return used
}

// imported judges one undefined symbol.
func (c *checker) imported(y *elfrw.Symbol) {
	unknown := func(errno string) Message {
		return says("%s: Unknown symbol %s (err %s)", c.name, y.Name, errnoNumber(errno))
	}
	e, ok := c.choose(c.facts.table.Exports(y.Name))
	origin := resolve.Exported
	if !ok || e.Object != sympos.Vmlinux && !c.loaded[e.Object] {
		e, origin = c.origins().Of(y.Name)
		ok = origin == resolve.Exported
	}
	weak := y.Bind() == elf.STB_WEAK
	switch {
	case !ok && !c.knowsExports() && !strings.HasPrefix(y.Name, klpabi.SymbolPrefix):
		return
	case !ok && klpabi.LoaderIgnores(c.Header.Machine, y.Name):
	case !ok && klpabi.WeakByDesign(c.File, y) && !c.hides(y.Name):
	case origin == resolve.OfUnknown:
		c.ofUnknown(y, unknown)
	case origin == resolve.Open && c.origins().MayExport() &&
		!strings.HasPrefix(y.Name, klpabi.SymbolPrefix):
		c.lacking("whether "+c.origins().Suspects()+" exports "+y.Name,
			"no source tells what it exports: --module")
	case !ok && weak && !c.uses(y):
		c.note(WeakImport, "nobody exports it, it is weak, and nothing uses it").of(y.Name).when(Loading, "", "")
	case !ok && weak:
		c.find(WeakImport, "nobody exports it, and it is weak: the kernel binds it to 0 without a word, and what uses it goes there").of(y.Name).
			fix("annotate it, and convert the module; or export it").
			when(Calling, "", "", oops("page fault", c.userOf(y)))
	case !ok:
		cause := "nobody exports it"
		if strings.HasPrefix(y.Name, klpabi.SymbolPrefix) {
			cause = "it is called like a klp symbol, and is an ordinary undefined one: its section index is not 0xff20"
		} else if !c.facts.table.ListsModules() {
			cause += ", as far as the modules at hand tell"
		}
		f := c.find(UnknownSymbol, cause).of(y.Name).when(Loading, "", "ENOENT", unknown("ENOENT"))
		if object, n := c.hidden(y.Name); n > 0 {
			f.Cause += fmt.Sprintf("; %s has %d of that name, hidden", object, n)
			f.fix("klp-convert annotate %s --kernel %s%s", c.path, word(c.report.Kernel), c.given(object))
		} else {
			f.fix("klp-convert sympos %s --kernel %s", word(y.Name), word(c.report.Kernel))
		}
	default:
		c.offered(y, e, unknown)
	}
}

// hides reports whether an object has the symbol without exporting it.
func (c *checker) hides(name string) bool {
	_, n := c.hidden(name)
	return n > 0
}

// hidden returns the object that has the symbol without exporting it, and how many times:
// vmlinux, or one that the livepatch patches.
func (c *checker) hidden(name string) (object string, n int) {
	for _, object := range append([]string{sympos.Vmlinux}, c.objects...) {
		if n := len(c.facts.table.Lookup(object, name)); n > 0 {
			return object, n
		}
	}
	return "", 0
}

// given is the option that names an object's file, as it was given.
func (c *checker) given(object string) string {
	if path := c.facts.paths[object]; c.loaded[object] && path != "" {
		return " --module " + word(path) // without it, the kernel may have no such module
	}
	return ""
}

// choose takes the export that the loader finds first: vmlinux's, then that of a module
// that is there.
func (c *checker) choose(list []sympos.Export) (e sympos.Export, ok bool) {
	for _, x := range list {
		if !ok || x.Object == sympos.Vmlinux || e.Object != sympos.Vmlinux && c.loaded[x.Object] {
			e, ok = x, true
		}
	}
	return e, ok
}

// ofUnknown judges an import of a module whose exports no source tells.
func (c *checker) ofUnknown(y *elfrw.Symbol, unknown func(string) Message) {
	modules := c.origins().Unknown
	if len(modules) == 1 { // so it is that one's
		c.exporters[modules[0]] = true
		c.needs(y, sympos.Export{Object: modules[0], Name: y.Name}, unknown)
	}
	c.lacking("whether "+c.origins().Suspects()+" exports "+y.Name+", and to whom",
		"no source tells what it exports: --module")
}

// offered judges an import that somebody exports, as resolve_symbol does: license,
// checksum, namespace.
func (c *checker) offered(y *elfrw.Symbol, e sympos.Export, unknown func(string) Message) {
	if e.Object != sympos.Vmlinux {
		c.exporters[e.Object] = true
		if !c.loaded[e.Object] {
			c.needs(y, e, unknown)
		}
	}
	only, known := c.facts.gplOnly(e)
	switch {
	case only && !c.gpl():
		c.find(GPLOnly, "it is exported for modules under the GPL only, and the license is another").of(y.Name).fix(`MODULE_LICENSE("GPL");`).
			when(Loading, "", "ENOENT", unknown("ENOENT"))
		return
	case !known && !c.gpl():
		c.lacking("whether "+y.Name+" is for modules under the GPL only", "nothing at hand tells; Module.symvers would")
	}
	if c.checksum(y, e, unknown) {
		c.namespace(y, e, unknown)
	}
}

// keeps reports whether the module is there before the livepatch's klp relocations are
// applied, and stays: the livepatch imports from it, or from one that needs it
// (resolve_symbol and ref_module).
func (c *checker) keeps(object string) bool {
	if c.exporters[object] || len(c.exporters) == 0 {
		return c.exporters[object]
	}
	if c.held == nil { // modules are read for it, and few livepatches ask
		c.held = map[string]bool{}
		for exporter := range c.exporters {
			if m := c.facts.module(exporter); m != nil {
				for name := range c.facts.needed(m) {
					c.held[name] = true
				}
			}
		}
	}
	return c.held[object]
}

// needs: a module that exports what is needed has to be there before. depends= makes
// modprobe see to it.
func (c *checker) needs(y *elfrw.Symbol, e sympos.Export, unknown func(string) Message) {
	switch {
	case c.patched(e.Object):
		c.find(NeedsModule, "it is exported by "+e.Object+", which the livepatch patches: the livepatch can't be loaded before that module").of(y.Name).
			fix("make a klp relocation of it: klp-convert --kernel %s does", word(c.report.Kernel)).
			when(Loading, "", "ENOENT", unknown("ENOENT"))
	case slices.Contains(c.needed, e.Object) && c.said[e.Object]:
	case slices.Contains(c.needed, e.Object):
		c.said[e.Object] = true
		c.note(NeedsModule, "it is exported by module "+e.Object+", which modprobe loads first (depends=); insmod does not").of(y.Name).
			when(Loading, "", "", unknown("ENOENT"))
	default:
		c.find(NeedsModule, "it is exported by module "+e.Object+", and depends= does not name that: it has to be loaded before").of(y.Name).
			fix("build it with the Module.symvers that has %s", e.Object).
			when(Loading, "", "ENOENT", unknown("ENOENT"))
	}
}

// checksum: kernel/module/version.c, check_version.
func (c *checker) checksum(y *elfrw.Symbol, e sympos.Export, unknown func(string) Message) bool {
	if !c.facts.modversions && !(e.Listed && e.CRC != 0) {
		return true
	}
	if c.table == nil {
		c.table = c.versions()
	}
	if c.table == nil {
		return true // said by layout
	}
	mine, found := c.table[y.Name]
	want, known := c.facts.checksum(e)
	switch {
	case !found && c.missingCRC:
		c.find(Checksum, "it is not in the module's version table").of(y.Name).fix("build it against the headers of %s, with their Module.symvers", c.title()).
			when(Loading, "", "EINVAL", says("%s: no symbol version for %s", c.name, y.Name), unknown("EINVAL"))
		return false
	case !found:
		c.note(Checksum, "it is not in the module's version table: not checked by the kernel").of(y.Name).
			when(Loading, "", "", says("%s: no symbol version for %s", c.name, y.Name))
	case !known:
		c.lacking("the checksum of "+y.Name, "no module at hand imports it, and there is no Module.symvers")
	case mine != want:
		c.find(Checksum, fmt.Sprintf("its interface has another checksum: %#08x, in this kernel %#08x", mine, want)).of(y.Name).
			fix("build it against the headers of %s", c.title()).
			when(Loading, "", "EINVAL", says("%s: disagrees about version of symbol %s", c.name, y.Name), unknown("EINVAL"))
		return false
	}
	return true
}

// versions is the module's version table, nil when it has none.
func (c *checker) versions() map[string]uint64 {
	var table map[string]uint64
	for _, v := range versionsOf(c.File) {
		if table == nil {
			table = map[string]uint64{}
		}
		table[v.name] = v.crc
	}
	return table
}

// namespace: kernel/module/main.c, verify_namespace_is_imported; since 6.16
// verify_module_namespace.
func (c *checker) namespace(y *elfrw.Symbol, e sympos.Export, unknown func(string) Message) {
	if e.Namespace == "" || slices.Contains(c.spaces, e.Namespace) || e.OfferedTo(c.name) {
		return
	}
	f := c.find(Namespace, fmt.Sprintf("it is exported in namespace %s, which the module does not import", e.Namespace)).of(y.Name)
	if _, only := e.ForModules(); only {
		f.fix("make a klp relocation of it: klp-convert --kernel %s does", word(c.report.Kernel))
	} else {
		f.fix(c.importNS, e.Namespace)
	}
	message := says("%s: module uses symbol (%s) from namespace %s, but does not import it.", c.name, y.Name, e.Namespace)
	if allowed, _ := c.facts.set("MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS"); allowed {
		f.Severity = Note
		f.when(Loading, "", "", message)
		return
	}
	f.when(Loading, "", "EINVAL", message, unknown("EINVAL"))
}

// userOf names a function that uses y.
func (c *checker) userOf(y *elfrw.Symbol) string {
	if c.users == nil {
		c.users = map[*elfrw.Symbol]string{}
		outside := func(y *elfrw.Symbol) bool { return y.Section == nil && y.Index != klpabi.IndexLivepatch }
		c.File.Refers(outside, func(r elfrw.Reference) bool {
			if t := r.Section.Target; t != nil && t.Alloc() && c.users[r.Sym] == "" {
				c.users[r.Sym] = c.functionAt(t, r.Offset)
			}
			return true
		})
	}
	return c.users[y]
}
