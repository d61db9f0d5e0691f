// SPDX-License-Identifier: GPL-2.0-or-later

package kernel

import "debug/elf"

// Loader is what of the behaviour of a kernel's module loader and livepatch core depends on
// its version. Stable kernels carry some of it under older numbers; where that has been seen
// it is said. "Seen in" is a kernel in which it was observed; between that and the last
// kernel in which the opposite was seen, the first version is an assumption.
type Loader struct {
	Scheme Scheme
	// NameLimit is how many bytes of a symbol's name klp_resolve_symbols reads
	// (Version.NameLimit).
	NameLimit int
	// StoredLimit is how many bytes of a klp symbol's whole name add_kallsyms stores for late
	// relocations, 0 for all of it (Version.StoredLimit).
	StoredLimit int
	// Structures are the sizes of klp_patch, klp_object and klp_func; zero before 4.7.
	Structures Structures
	// Livepatching says which machines have livepatching (arch/*/Kconfig, HAVE_LIVEPATCH):
	// loongarch since 6.9, arm64 since 6.17. A machine without a key has it in no kernel.
	Livepatching map[elf.Machine]bool
	// Registers: klp_enable_patch refuses a patch that klp_register_patch was not called for;
	// the latter was removed by 958ef1e39d24 of 5.1.
	Registers bool
	// NeedsStacks: klp_register_patch refuses every patch, with ENOSYS, where the kernel has no
	// reliable stack traces (CONFIG_HAVE_RELIABLE_STACKTRACE and CONFIG_STACKTRACE; d83a7cb375ee of
	// 4.12). Since 958ef1e39d24 of 5.1 klp_enable_patch only warns.
	NeedsStacks bool
	// ImmediatePatch: not where klp_patch.immediate is set, which d0807da78e11 of 4.16 removed.
	ImmediatePatch bool
	// InitExists is the error of insmod when a module's init function returns EEXIST: EBUSY
	// (seen in 7.3), before EEXIST (seen in 6.12).
	InitExists string
	// ImportNS is how source imports a namespace (Version.ImportNS).
	ImportNS string

	// ELFValidity: the file is checked before anything in it is believed (kernel/module.c,
	// elf_validity_check, ec2a29593c83 of 5.12; stable 5.11.11, 5.10.27 and 5.4.109, of which 5.10.262
	// and 5.4.286 were seen). Before, elf_header_check looks at the ELF header and
	// rewrite_section_headers at where sections end (seen in 4.19.78, which has it in no stable
	// release that was read).
	ELFValidity bool
	// SignatureReasons: the loader says why it rejects a signature, with EKEYREJECTED, and accepts
	// one of an unknown kind where none is demanded (module_sig_check, 49fcf732bdae of 5.4).
	// Before, only a missing one is accepted there (read in 4.19.78).
	SignatureReasons bool
	// IgnoresGOT: an undefined _GLOBAL_OFFSET_TABLE_ is ignored on x86 (simplify_symbols,
	// ignore_undef_symbol, ebfac7b778fa of 5.11; seen in 5.4.286 and 5.10.262, not in 4.19.78;
	// the first stable releases that have it are an assumption).
	IgnoresGOT bool
	// RefusesVmlinux: no module may be called vmlinux (klp_module_coming, dcf550e52f56 of 5.8).
	RefusesVmlinux bool
	// ELFMessages: the loader prints what is wrong with the ELF file (kernel/module/main.c,
	// elf_validity_check: since 5.16, and 5.15.y). Before, one line is used for all but two
	// ("Module has invalid ELF structures", ec2a29593c83 of 5.12; seen in 5.10.262).
	ELFMessages bool
	// ELFStrict: sections that have to be unique, sizes and strings are checked
	// (elf_validity_cache_copy as of 6.13; seen in 6.12.117).
	ELFStrict bool
	// TableTypes: string tables have to be of type SHT_STRTAB (seen in 6.12.117 and 7.3).
	TableTypes bool
	// NameTable: the table of the symbols' names has to begin and to end with 0, and to have
	// all of them (elf_validity_cache_strtab; seen in 7.3, not in 6.12.117).
	NameTable bool
	// EnforcesRWX: sections that are writable and executable are refused (since 5.7,
	// 5c3a7db0c7ec).
	EnforcesRWX bool
	// StructSize: the size of struct module is checked (since 6.4, 97ab4a4c4a8b's series).
	StructSize bool
	// IndexCheck: symbols in sections that do not exist are refused (simplify_symbols, since
	// 6.8, and 6.1.y).
	IndexCheck bool
	// DuplicateFatal: sysfs refuses two loaded sections of one name (seen in 6.12.107; 6.1
	// warns).
	DuplicateFatal bool

	// MissingCRC: an import that __versions does not have is refused (seen in Debian's 5.10 and
	// 6.12, and in its source of 7.3: "module: Disable matching missing version CRC"; mainline
	// prints a message and goes on).
	MissingCRC bool
	// ExtendedCRC: where a module has __version_ext_crcs, checksums are looked up there alone,
	// and one that is not there is accepted (kernel/module/version.c, check_version; seen
	// in 7.3, not in 6.12; since 6.14).
	ExtendedCRC bool
	// ForModules: EXPORT_SYMBOL_FOR_MODULES (since 6.16).
	ForModules bool
	// TestTaint: modules with test= taint the kernel (since 6.0).
	TestTaint bool
	// LicenseTwice: the loader prints two lines about a license that is not the GPL's (seen
	// in 7.3).
	LicenseTwice bool

	// Saturates: a position that does not fit is the largest (seen in 7.3; 6.12.117 wraps it
	// around).
	Saturates bool
	// EntrySearch: klp_patch_func looks for the function's ftrace entry anywhere in the
	// function on x86, and prints a message when there is none (since 5.18, d15cb3dab1e4).
	EntrySearch bool
	// RelaIndex: "is not marked as a livepatch symbol" names section and index (since 6.19).
	RelaIndex bool
	// Nonzero is which of three messages x86 prints for bytes that are not zero
	// (arch/x86/kernel/module.c, __write_relocate_add): 0, 1 since 6.3, 2 since 6.19.
	Nonzero int
	// ClearsRelocs: what relocations wrote into the livepatch is cleared when their object is
	// unloaded (x86, 0c05e7bd2d01, since 6.3).
	ClearsRelocs bool
	// PC64: R_X86_64_PC64 is applied (since 5.0).
	PC64 bool
	// StaticCallFaults: a static call with a key at address 0 oopses when the module is loaded;
	// in 6.12 and 7.3 it does not, and the late relocation of the call itself is refused.
	StaticCallFaults bool

	// ModulesNear: modules of s390x are less than 4 GiB from vmlinux (arch/s390/boot/startup.c,
	// setup_kernel_memory_layout; seen in 6.12, not in 6.1; assumed since 6.10).
	ModulesNear bool
	// RestoredTOC: ppc64le accepts, after a call, the load of the TOC pointer that an earlier
	// relocation of the same place has left in place of the nop (arch/powerpc/kernel/module_64.c,
	// restore_r2; seen in 6.12, not in 6.1.192; assumed since 6.3).
	RestoredTOC bool
	// HighLowPairs: loongarch64 applies R_LARCH_PCADD_HI20 and its companions (seen in 7.3, not
	// in 6.12).
	HighLowPairs bool
	// JumpLabelFaults: a jump label whose key is at address 0 oopses when the module is loaded
	// (jump_label_apply_nops): entries have addresses (x86 before 4.20, 9ae033aca8d6; seen in
	// 4.19.78), and distances since, of which none is 0.
	JumpLabelFaults bool
	// ParavirtBug: a paravirt site that is too short for a call is a BUG (paravirt_patch_call,
	// 11e86dc7f274 of 5.2; seen in 5.4.286, not in 4.19.78).
	ParavirtBug bool

	// ABILevel: ppc64le refuses modules of another ABI than version 2 (module_elf_check_arch in
	// arch/powerpc/kernel/module_64.c; seen in 6.12, not in 6.1).
	ABILevel bool

	// WarnThunk: a return thunk that was not replaced warns (since 6.9, 4461438a8405).
	WarnThunk bool
	// KernelCFI: kCFI's hashes before functions, in place of jump tables (since 6.1,
	// 89245600941e).
	KernelCFI bool
}

// LoaderOf returns the behaviour of a kernel of that version, scheme and release. The release
// tells kernels of a distribution with patches of its own; "" is mainline's.
func LoaderOf(v Version, scheme Scheme, release string) Loader {
	l := Loader{
		Scheme:      scheme,
		NameLimit:   v.NameLimit(),
		StoredLimit: v.StoredLimit(scheme),
		Structures:  v.Structures(),
		Livepatching: map[elf.Machine]bool{
			elf.EM_X86_64: true, elf.EM_S390: true, elf.EM_PPC64: true, elf.EM_PPC: true,
			elf.EM_LOONGARCH: v.atLeast(6, 9), elf.EM_AARCH64: v.atLeast(6, 17),
		},
		Registers:        !v.atLeast(5, 1),
		NeedsStacks:      v.atLeast(4, 12) && !v.atLeast(5, 1),
		ImmediatePatch:   v.atLeast(4, 12) && !v.atLeast(4, 16),
		ABILevel:         v.atLeast(6, 2),
		InitExists:       "EEXIST",
		ImportNS:         v.ImportNS(),
		ELFValidity:      v.validatesELF(release),
		SignatureReasons: v.atLeast(5, 4),
		IgnoresGOT:       v.ignoresGOT(release),
		RefusesVmlinux:   v.atLeast(5, 8),
		ELFMessages:      v.atLeast(5, 15),
		ELFStrict:        v.atLeast(6, 12),
		TableTypes:       v.atLeast(6, 12),
		NameTable:        v.atLeast(7, 0),
		EnforcesRWX:      v.atLeast(5, 7),
		StructSize:       v.atLeast(6, 4),
		IndexCheck:       v.atLeast(6, 8) || v.Major == 6 && v.Minor == 1,
		DuplicateFatal:   v.atLeast(6, 12),
		MissingCRC:       ofDebian(release),
		ExtendedCRC:      v.atLeast(6, 14),
		ForModules:       v.atLeast(6, 16),
		TestTaint:        v.atLeast(6, 0),
		LicenseTwice:     v.atLeast(6, 4),
		Saturates:        v.atLeast(7, 0),
		EntrySearch:      v.atLeast(5, 18),
		RelaIndex:        v.atLeast(6, 19),
		ClearsRelocs:     v.atLeast(6, 3),
		PC64:             v.atLeast(5, 0),
		StaticCallFaults: !v.atLeast(6, 12),
		ModulesNear:      v.atLeast(6, 10),
		RestoredTOC:      v.atLeast(6, 3),
		HighLowPairs:     v.atLeast(7, 0),
		JumpLabelFaults:  !v.atLeast(4, 20),
		ParavirtBug:      v.atLeast(5, 2),
		WarnThunk:        v.atLeast(6, 9),
		KernelCFI:        v.atLeast(6, 1),
	}
	if v.atLeast(7, 0) {
		l.InitExists = "EBUSY"
	}
	switch {
	case v.atLeast(6, 19):
		l.Nonzero = 2
	case v.atLeast(6, 3):
		l.Nonzero = 1
	}
	return l
}

// Early reports whether the loader itself applies vmlinux's klp relocations.
func (l *Loader) Early() bool { return l.Scheme.Early() }

// ReadOnlyAfterInit reports whether the loader makes the data in a section of that name read-only
// once the module's init function has returned, if CONFIG_STRICT_MODULE_RWX is set
// (kernel/module/main.c, layout_and_allocate, as of 6.1; module_mark_ro_after_init as of 6.12). It
// does that to __jump_table and .static_call_sites too, in which a late relocation has worse
// effects.
func ReadOnlyAfterInit(section string) bool { return section == ".data..ro_after_init" }
