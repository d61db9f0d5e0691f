// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// early are the sections that the kernel has read when a module's klp relocations
// are applied: what these write there is not seen.
var early = []string{
	// module_finalize of the architectures
	".altinstructions", ".altinstr_replacement", ".parainstructions",
	".retpoline_sites", ".return_sites",
	"__ftr_fixup", "__mmu_ftr_fixup", "__fw_ftr_fixup", "__lwsync_fixup", "__barrier_nospec_fixup",
	"__spec_barrier_fixup",
	// notifiers: jump_label_module_notify, static_call_module_notify
	"__jump_table", ".static_call_sites",
	// sorted, so that the place is another entry's afterwards
	"__ex_table", ".orc_unwind_ip",
	// used by load_module itself
	"__mcount_loc", "__patchable_function_entries", "__param", ".init_array", ".ctors",
	"__ksymtab", "__ksymtab_gpl", ".gnu.linkonce.this_module",
}

// ReadEarly reports whether the kernel has used up a section of that name before
// it applies the klp relocations of a module's symbols. Sections that cover
// ordinary code and can wait (.call_sites, .smp_locks, __bug_table, .orc_unwind)
// are not among them.
func ReadEarly(section string) bool { return slices.Contains(early, section) }

// HasReplacements reports whether the entries of a section of that name say where the
// kernel copies code from.
func HasReplacements(section string) bool { return section == ".altinstructions" }

// inert are the keys of entries that can be dropped without changing what the code does:
// tracepoints and dynamic debug messages in the patched function stay off.
// kpatch and objtool drop them too (create-diff-object.c,
// kpatch_check_relocations; klp-diff.c, validate_special_section_klp_reloc).
var inert = map[Kind]struct{ symbols, sections []string }{
	JumpLabel: {
		symbols:  []string{"__tracepoint_", "__UNIQUE_ID_ddebug"},
		sections: []string{"__dyndbg", "__verbose"}, // the second up to 5.11
	},
	// The trampoline takes the place of a key that is not exported.
	StaticCall: {symbols: []string{"__SCK__tp_func_", "__SCT__tp_func_"}},
}

// InertKey reports whether entries of the kind that depend on a symbol of that
// name can be dropped. It is for symbols that are called otherwise in the module
// (annotations); Inert asks it for all others.
func InertKey(kind Kind, symbol string) bool {
	return slices.ContainsFunc(inert[kind].symbols, func(prefix string) bool {
		return strings.HasPrefix(symbol, prefix)
	})
}

// Inert reports whether e can be dropped safely: the code at its site does what
// it does now, and what could have been turned on is a tracepoint or a dynamic
// debug message.
func (t *Tables) Inert(e *Entry) bool {
	k := &e.Key
	if k.Symbol == nil {
		return false
	}
	if InertKey(e.Kind, k.Symbol.Name) {
		return true
	}
	if k.Section == nil {
		return false
	}
	if slices.Contains(inert[e.Kind].sections, k.Section.Name) {
		return true
	}
	y := t.object(k.Section, k.Offset)
	return y != nil && InertKey(e.Kind, y.Name)
}

// KeyName returns what to call e's key: its symbol and the distance from there, "" where the
// entry has no key.
func (t *Tables) KeyName(e *Entry) string {
	y, off := e.Key.Symbol, uint64(e.Key.Addend)
	if y == nil {
		return ""
	}
	if y.Section != nil && (y.Name == "" || y.Type() == elf.STT_SECTION) {
		if z := t.object(e.Key.Section, e.Key.Offset); z != nil {
			y, off = z, e.Key.Offset-z.Value
		}
	}
	if off == 0 {
		return y.String()
	}
	return fmt.Sprintf("%s%+#x", y, int64(off))
}

// Function returns what to call a place in the code: the function that it is in
// and the distance from its start, "cmdline_proc_show+0x12", or else the section
// and the offset.
func (t *Tables) Function(s *elfrw.Section, offset uint64) string {
	if t.functions == nil {
		t.functions = symbols(t.file, elf.STT_FUNC)
	}
	if list := t.functions[s]; list != nil {
		if y := list.innermost(offset); y != nil {
			return fmt.Sprintf("%s+%#x", y.what, offset-y.from)
		}
	}
	return fmt.Sprintf("%s+%#x", s, offset)
}

// object returns the variable that holds the place, nil when none does.
func (t *Tables) object(s *elfrw.Section, offset uint64) *elfrw.Symbol {
	if t.objects == nil {
		t.objects = symbols(t.file, elf.STT_OBJECT)
	}
	if list := t.objects[s]; list != nil {
		if y := list.innermost(offset); y != nil {
			return y.what
		}
	}
	return nil
}

// symbols returns the symbols of one type by what they cover.
func symbols(f *elfrw.File, typ elf.SymType) map[*elfrw.Section]*spans[*elfrw.Symbol] {
	all := map[*elfrw.Section]*spans[*elfrw.Symbol]{}
	for _, y := range f.Symbols {
		if y.Section == nil || y.Type() != typ || y.Name == "" {
			continue
		}
		list := all[y.Section]
		if list == nil {
			list = new(spans[*elfrw.Symbol])
			all[y.Section] = list
		}
		if end := y.Value + y.Size; end > y.Value {
			*list = append(*list, span[*elfrw.Symbol]{from: y.Value, to: end, what: y})
		}
	}
	for _, list := range all {
		list.index()
	}
	return all
}
