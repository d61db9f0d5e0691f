// SPDX-License-Identifier: GPL-2.0-or-later

package loader

// rule predicts what one step of the kernel makes of a module. It reads the module and what
// is known of the kernel, changes neither, and knows nothing of other rules.
type rule struct {
	follows string // the kernel's function that takes the step, "" for none
	check   func(m *view, k *facts) result
}

// rules returns all of them, in the loader's order.
func rules() []rule {
	return []rule{
		{"", checkKernel},
		{"module_sig_check", checkSignature},
		{"elf_validity_check", checkELF},
		{"check_modstruct_version", checkModuleLayout},
		{"check_modinfo", checkVermagic},
		{"check_modinfo_livepatch", checkLivepatchSupport},
		{"module_frob_arch_sections", checkPLTSections},
		{"module_license_taint_check", checkLicense},
		{"simplify_symbols", checkConverted},
		{"resolve_symbol", checkImports},
		{"verify_exported_symbols", checkExports},
		{"apply_relocations", checkKlpHeaders},
		{"apply_relocations", checkOrdinaryRelocs},
		{"apply_relocate_add", checkOrdinaryPlaces},
		{"apply_relocations", checkCompact},
		{"klp_resolve_symbols", checkKlpSymbols},
		{"module_emit_got_entry", checkPlaces},
		{"klp_write_section_relocs", checkKlpPlaces},
		{"apply_relocate_add", checkOverlaps},
		{"module_finalize", checkSpecialSections},
		{"arch_klp_init_object_loaded", checkArchSections},
		{"unwind_module_init", checkUnwindTables},
		{"module_init_ftrace_plt", checkTrampolines},
		{"module_load_ei_list", checkErrorInjection},
		{"module_finalize", checkMitigations},
		{"percpu_modalloc", checkPerCPU},
		{"add_sect_attrs", checkDuplicateSections},
		{"do_init_module", checkEntryPoints},
		{"layout_and_allocate", checkUnseenSize},
		{"klp_enable_patch", checkPatchStructure},
		{"klp_init_patch", checkOnePatch},
		{"do_free_init", checkPatchMemory},
		{"klp_init_patch_early", checkUnreadablePatch},
		{"klp_register_patch", checkReliableStacks},
		{"klp_is_patch_registered", checkRegistration},
		{"do_init_module", checkInitAndExit},
		{"klp_init_object_loaded", checkGates},
		{"klp_patch_func", checkFunctions},
		{"klp_module_coming", checkReload},
		{"", checkCopies},
		{"", checkBuilds},
		{"", checkDeclarations},
		{"", listLimits},
	}
}

// applyRules goes by the rules, in their order, up to one after which nothing can be judged.
func applyRules(m *view, k *facts) result {
	var all result
	for _, r := range rules() {
		if all.join(r.check(m, k)); all.ends {
			break
		}
	}
	return all
}
