// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"debug/elf"
	"path/filepath"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/content"
)

// The loader walks a module's own copy of .symtab. While the module is being
// loaded that is the whole table; once it is loaded, the symbols that the module
// no longer needs are removed, and the others move up
// (kernel/module/kallsyms.c, layout_symtab and is_core_symbol):
//
//	removed then       reserved section numbers (ABS, COMMON), names that are empty,
//	                   sections without SHF_ALLOC, .init sections
//	never counted      SHN_UNDEF (module_kallsyms_on_each_symbol)
//
// The loader clears SHF_ALLOC of .modinfo and the version tables before that
// (kernel/module/main.c, rewrite_section_headers and check_modinfo).

// ThisModule is the section that struct module is in, which every module has
// (scripts/mod/modpost.c, add_header).
const ThisModule = ".gnu.linkonce.this_module"

// Unallocated are the sections of which the loader clears SHF_ALLOC before it lays out what
// is loaded.
var Unallocated = []string{".modinfo", "__versions", "__version_ext_crcs", "__version_ext_names"}

// scanModule visits the symbols of a module in the order of its symbol table.
func (f *elfFile) scanModule(visit func(*Entry)) (Facts, error) {
	modinfo := f.find(".modinfo")
	if f.find(ThisModule) < 0 || modinfo < 0 {
		if f.slimLTO() {
			return Facts{}, f.in.errorf("", -1, "%w: it is %s", ErrUnknown, content.SlimLTO)
		}
		return Facts{}, f.in.errorf("", -1, "%w", ErrObjectFile)
	}
	if len(f.symtab) == 0 {
		return Facts{}, f.in.errorf("", -1, "module: %w", ErrNoSymbols)
	}
	info, err := f.contents(modinfo, "module information")
	if err != nil {
		return Facts{}, err
	}
	livepatch, srcversion := false, ""
	e := Entry{}
	for _, field := range bytes.Split(info, []byte{0}) {
		if name, ok := bytes.CutPrefix(field, []byte("name=")); ok {
			e.Object = string(name)
		}
		if value, ok := bytes.CutPrefix(field, []byte("srcversion=")); ok && srcversion == "" {
			srcversion = string(value)
		}
		livepatch = livepatch || bytes.HasPrefix(field, []byte("livepatch="))
	}
	if e.Object == "" { // name= came with 4.13
		e.Object = ModuleName(f.in.name)
	}
	fleeting := make([]bool, len(f.sections))
	for i, s := range f.sections {
		name := string(cString(f.names, s.name))
		fleeting[i] = s.flags&uint64(elf.SHF_ALLOC) == 0 || strings.HasPrefix(name, ".init") ||
			slices.Contains(Unallocated, name)
	}
	spaces, exports := namespaceReader{f: f}, false
	err = f.symbols(func(y *elfSymbol) error {
		spaces.visit(y, e.Object, visit)
		if y.shndx == uint32(elf.SHN_UNDEF) || len(y.name) == 0 {
			return nil
		}
		e.Name, e.Address, e.Size = y.name, y.value, y.size
		e.File, e.block, e.section = y.file, y.block, y.index
		exports = exports || exportOf(y.name) != nil
		e.Type = y.nmLetter()
		if y.bind() != elf.STB_LOCAL && e.Type != '?' {
			e.Type -= 'a' - 'A' // upper case: once it is loaded, these are the exported ones
		}
		// The loader keeps the whole table of a livepatch module.
		e.Fleeting = !livepatch && (y.section == nil || fleeting[y.index])
		visit(&e)
		return nil
	})
	if err == nil && !exports {
		err = f.visitExports(e.Object, visit)
	}
	return Facts{Kind: ModuleFile, Order: Listed, Build: newBuild(f.buildID(), srcversion),
		debugInfo: f.hasDebugInfo()}, err
}

// slimLTO reports whether the file has only a compiler's intermediate code.
func (f *elfFile) slimLTO() bool {
	var all []content.Section
	for i, s := range f.sections {
		all = append(all, content.Section{Name: f.name(i), Size: s.size,
			Code: s.flags&uint64(elf.SHF_EXECINSTR) != 0})
	}
	return content.LTO(all)
}

// ModuleName returns the name of the module in a file of this name, unless the module
// itself has another one: nf-nat.ko.xz is nf_nat.
func ModuleName(path string) string {
	name, _, _ := splitModuleFile(filepath.Base(path))
	return FoldDashes(name)
}

// splitModuleFile splits the name of a module's file: nf-nat.ko.xz, and ext4.ko.debug or
// ext4.ko-6.1.0.debug as debug packages have it. a.kob.ko is a module called a.kob.
func splitModuleFile(file string) (name, rest string, ok bool) {
	const end = ".ko"
	for at := len(file); at > 0; {
		if at = strings.LastIndex(file[:at], end); at < 0 {
			break
		}
		if rest = file[at+len(end):]; rest == "" || rest[0] == '.' || rest[0] == '-' {
			return file[:at], rest, true
		}
	}
	return file, "", false
}
