// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"debug/elf"
	"path/filepath"
	"strings"
)

// The loader walks a module's own copy of .symtab. While the module is being
// loaded that is the whole table; once it is loaded, the symbols that the module
// has no use for any more are gone, and the others move up
// (kernel/module/kallsyms.c, layout_symtab and is_core_symbol):
//
//	gone when loaded   reserved section numbers (ABS, COMMON), names that are empty,
//	                   sections without SHF_ALLOC, .init sections
//	never counted      SHN_UNDEF (module_kallsyms_on_each_symbol)
//
// In .modinfo and the version tables SHF_ALLOC is taken back before that
// (kernel/module/main.c, rewrite_section_headers and check_modinfo).

// scanModule visits the symbols of a module in the order of its symbol table.
func (f *elfFile) scanModule(visit func(*Entry)) (Facts, error) {
	modinfo := f.find(".modinfo")
	if f.find(".gnu.linkonce.this_module") < 0 || modinfo < 0 {
		return Facts{}, f.in.errorf("", -1, "%w", ErrObjectFile)
	}
	if len(f.symtab) == 0 {
		return Facts{}, f.in.errorf("", -1, "module: %w", ErrNoSymbols)
	}
	info, err := f.contents(modinfo, "module information")
	if err != nil {
		return Facts{}, err
	}
	livepatch := false
	e := Entry{}
	for _, field := range bytes.Split(info, []byte{0}) {
		if name, ok := bytes.CutPrefix(field, []byte("name=")); ok {
			e.Object = string(name)
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
			name == ".modinfo" || strings.HasPrefix(name, "__version")
	}
	spaces := namespaces{f: f}
	err = f.symbols(func(y *elfSymbol) error {
		spaces.visit(y, e.Object, visit)
		if y.shndx == uint32(elf.SHN_UNDEF) || len(y.name) == 0 {
			return nil
		}
		e.Name, e.Address, e.Size, e.File, e.section = y.name, y.value, y.size, y.file, y.index
		e.Type = y.letter()
		if y.bind() != elf.STB_LOCAL && e.Type != '?' {
			e.Type -= 'a' - 'A' // once it is loaded, those that are exported
		}
		// Of a livepatch module the whole table is kept.
		e.Fleeting = !livepatch && (y.section == nil || fleeting[y.index])
		visit(&e)
		return nil
	})
	return Facts{Kind: ModuleFile, Order: Listed}, err
}

// ModuleName is the name that the module in a file of this name has, unless the
// module says otherwise: nf-nat.ko.xz is nf_nat.
func ModuleName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}
