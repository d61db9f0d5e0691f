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

// What .modinfo says, and what the loader makes of it.

// checkConverted: a module that is not converted is checked as it is, and the first finding
// is that it should be converted. Imports that are annotated are not reported one by one.
func checkConverted(m *view, k *facts) (out result) {
	if !m.input.Annotated() {
		return
	}
	f := problem(diag.NotConverted, fmt.Sprintf("the module holds annotations (%d) and was not "+
		"converted: what they name is undefined to the kernel", len(m.input.Annotations))).
		fix("klp-convert --kernel %s in.ko out.ko, and check out.ko", diag.ShellQuote(k.Name))
	var messages []diag.KernelMessage
	seen := map[*elfrw.Symbol]bool{}
	for i := range m.input.Annotations {
		y := m.input.Annotations[i].Symbol
		if y == nil || seen[y] {
			continue
		}
		seen[y] = true
		_, origin := m.origins().Of(y.Name)
		found := origin == resolve.Exported || origin == resolve.OfUnknown && k.knowsExports()
		if !found && y.Bind() != elf.STB_WEAK && len(messages) < mostOfAKind {
			messages = append(messages, says("%s: Unknown symbol %s (err %s)", m.name,
				m.lookedUp(y), -2))
		}
	}
	if len(messages) > 0 {
		out.add(f.when(diag.Loading, "", "ENOENT", messages...))
	} else {
		out.add(f.when(diag.Calling, "", "", k.unrelocated("")))
	}
	return out
}

// dependencies returns the modules that one is never there without: those that it imports from,
// and those that they do, which can't be removed either (kernel/module/main.c, ref_module).
func (f *facts) dependencies(m *elfrw.File) map[string]bool {
	if all := f.needs[m]; all != nil {
		return all
	}
	const most = 256 // modules that one can need
	all := map[string]bool{}
	for next := []*elfrw.File{m}; len(next) > 0 && len(all) < most; next = next[1:] {
		for _, name := range klpabi.DependsOf(klpabi.ReadModinfo(next[0])) {
			if all[name] {
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

// module reads one of the kernel's modules, nil when it is not available or can't be read.
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

// checkVermagic: vermagic (kernel/module/main.c, check_modinfo and same_magic: of a module with
// a version table the release does not count).
func checkVermagic(m *view, k *facts) (out result) {
	mine, found := m.info.Value("vermagic")
	want := k.vermagic
	switch {
	case !found:
		f := problem(diag.VersionMagic, ".modinfo has no vermagic").
			fix("the module did not come from modpost: build it with Kbuild")
		out.add(forceLoaded(m, k, f, "bad vermagic"))
	case want != "":
		a, b := mine, want
		if k.modversions && versionTable(m.file) != nil {
			_, a, _ = strings.Cut(mine, " ")
			_, b, _ = strings.Cut(want, " ")
		}
		if a == b {
			return
		}
		out.add(problem(diag.VersionMagic, "the module was built for another kernel, or "+
			"another configuration").
			fix("build it against the headers of %s", k.title()).
			when(diag.Loading, "", "ENOEXEC", says("%s: version magic "+
				"'%s' should be '%s'", m.name, mine, want)))
	case k.Release != "":
		release, _, _ := strings.Cut(mine, " ")
		if release != k.Release && versionTable(m.file) == nil {
			out.add(problem(diag.VersionMagic, "the module was built for "+diag.Printable(release)).
				fix("build it against the headers of %s", k.title()).
				when(diag.Loading, "", "ENOEXEC", says("%s: version magic "+
					"'%s' should be '%s'", m.name, mine, blank{k.Release + " …", ".*"})))
			return
		}
		out.notJudged("the flags in vermagic", "no module of this kernel is available to compare with")
	default:
		out.notJudged("vermagic", "nothing tells the kernel's release")
	}
	return out
}

// isForAnother reports whether the kernel refuses the module because of what its vermagic says.
func (m *view) isForAnother(k *facts) bool {
	_, says := m.info.Value("vermagic")
	return says && slices.ContainsFunc(checkVermagic(m, k).found,
		func(f finding) bool { return f.ID == diag.VersionMagic })
}

// title is what to call the kernel.
func (k *facts) title() string {
	if k.Release != "" {
		return k.Release
	}
	return k.Name
}

// forceLoaded returns f with the case of what the kernel loads with CONFIG_MODULE_FORCE_LOAD only
// (kernel/module/main.c, try_to_force_load).
func forceLoaded(m *view, k *facts, f finding, reason string) finding {
	if yes, known := k.set("MODULE_FORCE_LOAD"); yes || !known {
		if yes {
			f.Severity = diag.Note
		}
		f = f.when(diag.Loading, "", "", says("%s: %s: kernel tainted.", m.name, reason))
		// kernel/trace/trace_events.c, trace_module_add_events.
		if s := m.file.Section("_ftrace_events"); s != nil && s.Size() > 0 {
			f = f.when(diag.Loading, "", "", says("%s: module has bad taint, not "+
				"creating trace events", m.name))
		}
		return f
	}
	return f.when(diag.Loading, "", "ENOEXEC")
}

// checkModuleLayout: the checksum of struct module (kernel/module/version.c,
// check_modstruct_version).
func checkModuleLayout(m *view, k *facts) (out result) {
	if !k.modversions {
		return
	}
	table, extended := k.versionsOf(m.file), k.hasExtended(m.file)
	if !extended && versionTable(m.file) == nil {
		out.add(forceLoaded(m, k, k.noVersions(m), "module_layout"))
		return out
	}
	lists := k.listsLayout(m.file)
	switch {
	case !lists && extended:
		out.add(note(diag.ChecksumMismatch, "the module's version table does not have struct module").
			of("module_layout").
			when(diag.Loading, "", "", says("%s: no extended symbol version for %s", m.name,
				"module_layout")))
		return
	case !lists:
		f := problem(diag.ChecksumMismatch, "the module's version table does not have struct module").
			of("module_layout").
			fix("build it against the headers of %s", k.title())
		errno := "ENOEXEC"
		if !k.MissingCRC {
			f.Severity, errno = diag.Note, ""
		}
		out.add(f.when(diag.Loading, "", errno, says("%s: no symbol version for %s", m.name,
			"module_layout")))
		return
	}
	want, known := k.crcs["module_layout"]
	for _, v := range table {
		if v.name == "module_layout" && known && v.crc != want {
			out.add(problem(diag.ChecksumMismatch, fmt.Sprintf("struct module has another layout: "+
				"checksum %#08x, in this kernel %#08x", v.crc, want)).of("module_layout").
				fix("build it against the headers of %s", k.title()).
				when(diag.Loading, "", "ENOEXEC", says("%s: disagrees about "+
					"version of symbol %s", m.name, "module_layout")))
		}
	}
	return out
}

// listsLayout reports whether the module has a checksum of struct module.
func (k *facts) listsLayout(f *elfrw.File) bool {
	return slices.ContainsFunc(k.versionsOf(f),
		func(v version) bool { return v.name == "module_layout" })
}

// noVersions is about a module without a version table that this kernel reads.
func (k *facts) noVersions(m *view) finding {
	cause, fix := "the kernel has CONFIG_MODVERSIONS and the module no version table",
		fmt.Sprintf("build it against the headers of %s, with their Module.symvers", k.title())
	switch {
	case k.makesNoVersions():
		cause += ", which no module of this kernel has: its build makes none without " +
			"CONFIG_BASIC_MODVERSIONS or CONFIG_EXTENDED_MODVERSIONS"
		fix = "set CONFIG_BASIC_MODVERSIONS=y and build the kernel again"
	case loadedSection(m.file, "__version_ext_crcs") != nil: // and kernels before 6.14
		cause += " that it reads: it has the extended one, which is read since 6.14"
		fix = "build the module with CONFIG_BASIC_MODVERSIONS=y"
	}
	return problem(diag.ChecksumMismatch, cause).fix("%s", fix)
}

// checkLivepatchSupport: livepatch=, and a kernel that has livepatching (check_modinfo_livepatch;
// arch/*/Kconfig, HAVE_LIVEPATCH; klp_enable_patch).
func checkLivepatchSupport(m *view, k *facts) (out result) {
	uses := len(m.input.KlpSections) > 0 || len(m.input.KlpSymbols) > 0
	if !m.info.Livepatch() {
		switch {
		case m.enables() || m.declares():
			out.add(problem(diag.NotMarked, ".modinfo does not say livepatch=: klp_enable_patch() refuses "+
				"the module, and klp relocations are not kept").
				fix(`MODULE_INFO(livepatch, "Y");`).
				when(diag.Enabling, "", "EINVAL", says("livepatch: module %s is not marked as a "+
					"livepatch module", m.name)))
		case uses:
			out.add(problem(diag.NotMarked, "klp relocations in a module that .modinfo does not call a "+
				"livepatch: those of modules are never applied").
				fix(`MODULE_INFO(livepatch, "Y");`).when(diag.Calling, "", "", k.unrelocated("")))
		default:
			out.add(note(diag.NotALivepatch, "the module is not a livepatch").when(diag.Loading, "", ""))
		}
		return
	}
	on, known := k.set("LIVEPATCH")
	has := k.Livepatching[m.file.Header.Machine]
	switch {
	case known && !on, !known && !has, !known && k.table.Has("vmlinux") && k.fullTable() &&
		len(k.table.Lookup("vmlinux", "klp_enable_patch")) == 0:
		out.add(problem(diag.NoLivepatching, "the kernel has no livepatching (CONFIG_LIVEPATCH)").
			when(diag.Loading, "", "ENOEXEC", says("%s: module is marked as livepatch module, but "+
				"livepatch support is disabled", m.name)))
	}
	if k.RefusesVmlinux && (m.name == "vmlinux" || structName(m.file) == "vmlinux") {
		out.add(problem(diag.BadModuleName, "no module may be called vmlinux "+
			"(klp_module_coming, since 5.8)").fix("rename it").
			when(diag.Loading, "", "EINVAL", says("livepatch: vmlinux.ko: invalid module name")))
	}
	checkModuleName(&out, m, k)
	return out
}

// checkModuleName: the name in struct module counts (add_unformed_module, which prints nothing;
// mod_sysfs_init finds a built-in module that has a directory in /sys/module).
func checkModuleName(out *result, m *view, k *facts) {
	name := structName(m.file)
	if s := m.file.Section(sympos.ThisModule); name == "" && s != nil && len(s.Data) >= 80 &&
		m.file.PointerSize() == 8 {
		out.add(problem(diag.BadModuleName, "struct module has no name").fix("build it again").
			when(diag.Loading, "", "EINVAL", says("kobject: (%s): attempted to be registered "+
				"with empty name!", anything)))
		return
	}
	if name == "" {
		name = m.name
	}
	if k.loaded[name] {
		out.add(problem(diag.BadModuleName, "a module called "+name+" is loaded").fix("rename it").
			when(diag.Loading, "", "EEXIST"))
	}
}

// checkLicense: the loader's taints do not matter, but exports for the GPL are withheld from
// other modules (include/linux/license.h, license_is_gpl_compatible).
func checkLicense(m *view, k *facts) (out result) {
	if license, _ := m.info.Value("license"); !m.gpl() {
		what := ".modinfo has no license="
		if license != "" {
			what = fmt.Sprintf("license %q is not the GPL's", license)
		}
		f := note(diag.GPLOnlyExport, what+": the kernel is tainted, and exports for the "+
			"GPL are withheld")
		if license == "" {
			license = "unspecified"
		}
		messages := []diag.KernelMessage{says("%s: module license '%s' taints kernel.", m.name, license)}
		if k.LicenseTwice {
			messages = append(messages, says("%s: module license taints kernel.", m.name))
		}
		out.add(f.fix(`MODULE_LICENSE("GPL");`).when(diag.Loading, "", "", messages...))
	}
	if _, staging := m.info.Value("staging"); staging {
		out.add(note(diag.TaintsKernel, "staging= in .modinfo").
			when(diag.Loading, "", "", says("%s: module is from the staging directory, the quality is "+
				"unknown, you have been warned.", m.name)))
	}
	if _, test := m.info.Value("test"); test && k.TestTaint {
		out.add(note(diag.TaintsKernel, "test= in .modinfo").
			when(diag.Loading, "", "", says("%s: loading test module taints kernel.", m.name)))
	}
	for _, ns := range m.info.Values("import_ns") {
		if strings.HasPrefix(ns, "module:") && k.ForModules {
			out.add(problem(diag.NamespaceNotImported, "namespaces of EXPORT_SYMBOL_FOR_MODULES "+
				"can't be imported").
				when(diag.Loading, "", "EPERM", says("%s: module tries to import "+
					"module namespace: %s", m.name, ns)))
		}
	}
	return out
}

func (m *view) gpl() bool {
	license, _ := m.info.Value("license")
	return slices.Contains([]string{"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL",
		"Dual MIT/GPL", "Dual MPL/GPL"}, license)
}
