// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import "strings"

// A namespace that begins with "module:" offers an export to some modules by name,
// and to no others. It can't be imported. The kernel compares it with the name of the
// module that wants the symbol (kernel/module/main.c, verify_module_namespace and
// mod_strncmp, since 6.16; read in 7.3.4):
//
//   - the patterns are separated by commas; blanks are part of a pattern
//   - a '*' at the end of a pattern matches any text; elsewhere it is a character
//   - without it, the pattern and the name have the same length
//   - '-' and '_' are equal, in the pattern and in the name
//   - an empty pattern matches no module
//
// Documentation/core-api/symbol-namespaces.rst has the example "kvm,kvm-*": the
// second pattern matches kvm_intel, as struct module spells the name of kvm-intel.ko.
const moduleNamespace = "module:"

// ForModules returns the patterns of the modules that the export is for, separated by
// commas, and whether it is for these modules only.
func (e Export) ForModules() (patterns string, only bool) {
	return strings.CutPrefix(e.Namespace, moduleNamespace)
}

// OfferedTo reports whether the loader lets a module of that name have the export
// without an import of its namespace, because the namespace names the module.
func (e Export) OfferedTo(module string) bool {
	list, only := e.ForModules()
	if !only {
		return false
	}
	module = FoldDashes(module)
	for _, pattern := range strings.Split(list, ",") {
		head, glob := strings.CutSuffix(FoldDashes(pattern), "*")
		if glob && strings.HasPrefix(module, head) || !glob && head == module && module != "" {
			return true
		}
	}
	return false
}

// FoldDashes returns what the kernel calls a module that is built as name: '-' becomes '_'
// (scripts/Makefile.lib, KBUILD_MODNAME).
func FoldDashes(name string) string { return strings.ReplaceAll(name, "-", "_") }
