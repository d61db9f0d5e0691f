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

// What .modinfo says, and what the loader makes of it.

// annotated: a module that is not converted is judged as it is, and the first thing to
// say is that it should be.
func (c *checker) annotated() {
	if !c.input.Annotated() {
		return
	}
	f := c.find(NotConverted, fmt.Sprintf("the module holds annotations (%d) and was not converted: what they name is undefined to the kernel", len(c.input.Annotations))).
		fix("klp-convert --kernel %s in.ko out.ko, and check out.ko", word(c.report.Kernel))
	// Those that are annotated are not reported one by one.
	c.annotates = map[*elfrw.Symbol]bool{}
	var messages []Message
	for i := range c.input.Annotations {
		y := c.input.Annotations[i].Symbol
		if y == nil || c.annotates[y] {
			continue
		}
		c.annotates[y] = true
		_, origin := c.origins().Of(y.Name)
		found := origin == resolve.Exported || origin == resolve.OfUnknown && c.knowsExports()
		if !found && y.Bind() != elf.STB_WEAK && len(messages) < mostOfAKind {
			messages = append(messages, says("%s: Unknown symbol %s (err %s)", c.name, y.Name, -2))
		}
	}
	if len(messages) > 0 {
		f.when(Loading, "", "ENOENT", messages...)
	} else {
		f.when(Calling, "", "", oops("page fault", ""))
	}
}

// needed are the modules that one is never there without: those that it imports from, and those
// that they do, which can't be removed either (kernel/module/main.c, ref_module).
func (f *facts) needed(m *elfrw.File) map[string]bool {
	if all := f.needs[m]; all != nil {
		return all
	}
	const most = 256 // modules that one can need
	all := map[string]bool{}
	for next := []*elfrw.File{m}; len(next) > 0 && len(all) < most; next = next[1:] {
		depends, _ := klpabi.ReadModinfo(next[0]).Value("depends")
		for _, name := range strings.Split(strings.ReplaceAll(depends, "-", "_"), ",") {
			if name == "" || all[name] {
				continue
			}
			all[name] = true
			if d := f.module(name); d != nil {
				next = append(next, d)
			}
		}
	}
	f.needs[m] = all
	return all
}

// module reads one of the kernel's modules, nil when it is not at hand or can't be read.
func (f *facts) module(name string) *elfrw.File {
	b, path, err := f.ModuleFile(name)
	if err != nil {
		return nil
	}
	m, err := elfrw.Parse(path, b)
	if err != nil {
		return nil
	}
	return m
}

// magic: vermagic (kernel/module/main.c, check_modinfo and same_magic: of a module with
// a version table the release does not count).
func (c *checker) magic() {
	mine, found := c.info.Value("vermagic")
	want := c.facts.vermagic
	switch {
	case !found:
		f := c.find(VersionMagic, "there is no vermagic in .modinfo")
		f.fix("the module did not come from modpost: build it with Kbuild")
		c.forced(f, "bad vermagic")
	case want != "":
		a, b := mine, want
		if c.facts.modversions && versionTable(c.File) != nil {
			_, a, _ = strings.Cut(mine, " ")
			_, b, _ = strings.Cut(want, " ")
		}
		if a == b {
			return
		}
		c.find(VersionMagic, "the module was built for another kernel, or another configuration").
			fix("build it against the headers of %s", c.title()).
			when(Loading, "", "ENOEXEC", says("%s: version magic '%s' should be '%s'", c.name, mine, want))
	case c.facts.Release != "":
		release, _, _ := strings.Cut(mine, " ")
		if release != c.facts.Release && versionTable(c.File) == nil {
			c.find(VersionMagic, "the module was built for "+printable(release)).
				fix("build it against the headers of %s", c.title()).
				when(Loading, "", "ENOEXEC", says("%s: version magic '%s' should be '%s'", c.name, mine, blank{c.facts.Release + " …", ".*"}))
			return
		}
		c.lacking("the flags in vermagic", "no module of this kernel is at hand to compare with")
	default:
		c.lacking("vermagic", "nothing tells the kernel's release")
	}
}

// title is what to call the kernel.
func (c *checker) title() string {
	if c.facts.Release != "" {
		return c.facts.Release
	}
	return c.facts.Name
}

// forced finishes a finding of what CONFIG_MODULE_FORCE_LOAD lets pass with a word
// (kernel/module/main.c, try_to_force_load).
func (c *checker) forced(f *Finding, reason string) {
	if yes, known := c.facts.set("MODULE_FORCE_LOAD"); yes || !known {
		if yes {
			f.Severity = Note
		}
		f.when(Loading, "", "", says("%s: %s: kernel tainted.", c.name, reason))
		// kernel/trace/trace_events.c, trace_module_add_events.
		if s := c.Section("_ftrace_events"); s != nil && s.Size() > 0 {
			f.when(Loading, "", "", says("%s: module has bad taint, not creating trace events", c.name))
		}
		return
	}
	f.when(Loading, "", "ENOEXEC")
}

// layout: the checksum of struct module (kernel/module/version.c,
// check_modstruct_version).
func (c *checker) layout() {
	if !c.facts.modversions {
		return
	}
	table := versionsOf(c.File)
	if table == nil && (versionTable(c.File) == nil || !c.missingCRC) {
		if versionTable(c.File) != nil {
			return
		}
		f := c.find(Checksum, "the kernel has CONFIG_MODVERSIONS and the module no version table").
			fix("build it against the headers of %s, with their Module.symvers", c.title())
		c.forced(f, "module_layout")
		return
	}
	if c.missingCRC && !slices.ContainsFunc(table, func(v version) bool { return v.name == "module_layout" }) {
		c.find(Checksum, "the module's version table does not have struct module").of("module_layout").
			fix("build it against the headers of %s", c.title()).
			when(Loading, "", "ENOEXEC", says("%s: no symbol version for %s", c.name, "module_layout"))
		return
	}
	want, known := c.facts.crcs["module_layout"]
	for _, v := range table {
		if v.name == "module_layout" && known && v.crc != want {
			c.find(Checksum, fmt.Sprintf("struct module has another layout: checksum %#08x, in this kernel %#08x", v.crc, want)).of("module_layout").
				fix("build it against the headers of %s", c.title()).
				when(Loading, "", "ENOEXEC", says("%s: disagrees about version of symbol %s", c.name, "module_layout"))
		}
	}
}

// support: livepatch=, and a kernel that has livepatching (check_modinfo_livepatch;
// arch/*/Kconfig, HAVE_LIVEPATCH; klp_enable_patch).
func (c *checker) support() {
	uses := len(c.input.KlpSections) > 0 || len(c.input.KlpSymbols) > 0
	if !c.info.Livepatch() {
		switch {
		case c.enables() || c.declares():
			c.find(NotMarked, ".modinfo does not say livepatch=: klp_enable_patch() refuses the module, and klp relocations are not kept").
				fix(`MODULE_INFO(livepatch, "Y");`).
				when(Enabling, "", "EINVAL", says("livepatch: module %s is not marked as a livepatch module", c.name))
		case uses:
			c.find(NotMarked, "klp relocations in a module that .modinfo does not call a livepatch: those of modules are never applied").
				fix(`MODULE_INFO(livepatch, "Y");`).when(Calling, "", "", oops("page fault", ""))
		default:
			c.note(NotALivepatch, "the module is no livepatch").when(Loading, "", "")
		}
		return
	}
	on, known := c.facts.set("LIVEPATCH")
	has := c.contract.livepatch[c.Header.Machine]
	switch {
	case known && !on, !known && !has, !known && c.facts.table.Has("vmlinux") && c.fullTable() && len(c.facts.table.Lookup("vmlinux", "klp_enable_patch")) == 0:
		c.find(NoSupport, "the kernel has no livepatching (CONFIG_LIVEPATCH)").
			when(Loading, "", "ENOEXEC", says("%s: module is marked as livepatch module, but livepatch support is disabled", c.name))
	}
	if c.name == "vmlinux" || structName(c.File) == "vmlinux" {
		f := c.find(ModuleName, "no module may be called vmlinux (klp_module_coming, since 5.8)").fix("rename it")
		f.when(Loading, "", "EINVAL", says("livepatch: vmlinux.ko: invalid module name"))
	}
	c.taken()
}

// taken: struct module holds the name that counts (add_unformed_module, without a word; a built-in
// module that has a folder in /sys/module is found by mod_sysfs_init).
func (c *checker) taken() {
	name := structName(c.File)
	if s := c.File.Section(sympos.ThisModule); name == "" && s != nil && len(s.Data) >= 80 && c.PointerSize() == 8 {
		c.find(ModuleName, "struct module has no name").fix("build it again").
			when(Loading, "", "EINVAL", says("kobject: (%s): attempted to be registered with empty name!", anything))
		return
	}
	if name == "" {
		name = c.name
	}
	if c.loaded[name] {
		c.find(ModuleName, "a module called "+name+" is loaded").fix("rename it").when(Loading, "", "EEXIST")
	}
}

// license: the loader's taints are no matter, but exports for the GPL are withheld from
// other modules (include/linux/license.h, license_is_gpl_compatible).
func (c *checker) license() {
	if license, _ := c.info.Value("license"); !c.gpl() {
		what := "there is no license= in .modinfo"
		if license != "" {
			what = fmt.Sprintf("license %q is not the GPL's", license)
		}
		f := c.note(GPLOnly, what+": the kernel is tainted, and exports for the GPL are withheld")
		if license == "" {
			license = "unspecified"
		}
		f.fix(`MODULE_LICENSE("GPL");`).when(Loading, "", "", says("%s: module license '%s' taints kernel.", c.name, license))
		if last := &f.Cases[0]; c.licenseTwice {
			last.Messages = append(last.Messages, says("%s: module license taints kernel.", c.name))
		}
	}
	if _, staging := c.info.Value("staging"); staging {
		c.note(Origin, "staging= in .modinfo").when(Loading, "", "", says("%s: module is from the staging directory, the quality is unknown, you have been warned.", c.name))
	}
	if _, test := c.info.Value("test"); test && c.testTaint {
		c.note(Origin, "test= in .modinfo").when(Loading, "", "", says("%s: loading test module taints kernel.", c.name))
	}
	for _, ns := range c.info.Values("import_ns") {
		if strings.HasPrefix(ns, "module:") && c.forModules {
			c.find(Namespace, "namespaces of EXPORT_SYMBOL_FOR_MODULES can't be imported").
				when(Loading, "", "EPERM", says("%s: module tries to import module namespace: %s", c.name, ns))
		}
	}
}

func (c *checker) gpl() bool {
	license, _ := c.info.Value("license")
	return slices.Contains([]string{"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"}, license)
}
