// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// checkMitigationEntries are what check finds about the mitigations of the kernel.
var checkMitigationEntries = []Entry{
	{
		ID:         "KLP158",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckMitigations},
		Title:      "return thunk that the kernel can't replace",
		Kernel: "The kernel says: `Unpatched return thunk in use. This should not happen!` " +
			"with a `WARNING` at `__warn_thunk`, once per boot, when the first such " +
			"function returns; x86. For an entry that names no jump to the thunk: `missing " +
			"return thunk: %s-%s: %s`.",
		Source: "`__warn_thunk` (6.9 and later, and kernels that have it under another " +
			"number: the symbol tells), where the configuration has `MITIGATION_RETHUNK` " +
			"and one of `MITIGATION_UNRET_ENTRY`, `MITIGATION_SRSO` and " +
			"`MITIGATION_CALL_DEPTH_TRACKING`; `apply_returns`.",
		Meaning: []string{
			"objtool writes `.return_sites`, one entry for each jump to " +
				"`__x86_return_thunk`. A jump without an entry stays a jump there. Seen on " +
				"7.3.",
		},
		Fix: "Let objtool process the object: no `OBJECT_FILES_NON_STANDARD` for it, no " +
			"object that was built elsewhere.",
	},
	{
		ID:         "KLP159",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckMitigations},
		Title:      "module without retpolines",
		Kernel: "The kernel says: `Spectre V2 : System may be vulnerable to spectre v2` and " +
			"`%s: loading module not compiled with retpoline compiler.`; nothing where it " +
			"runs without a mitigation for Spectre v2 (`mitigations=off`, a processor that " +
			"needs none).",
		Source: "`check_modinfo_retpoline` (x86, 4.16 and later). `.modinfo` of the module " +
			"does not say `retpoline=`, and the kernel has `CONFIG_MITIGATION_RETPOLINE` " +
			"(`CONFIG_RETPOLINE` before 6.9).",
		Fix: "Build the module with Kbuild, against the headers of this kernel.",
	},
	{
		ID:         "KLP160",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckMitigations},
		Title:      "function called by address without a landing pad",
		Kernel: "The kernel says on x86 `Missing ENDBR: %s`, then `kernel BUG at …`; on " +
			"arm64 `Internal error: Oops - BTI: %s`. Only on a processor that has IBT or " +
			"BTI.",
		Source: "`exc_control_protection` (`CONFIG_X86_KERNEL_IBT`), `do_el1_bti` " +
			"(`CONFIG_ARM64_BTI_KERNEL`).",
		Meaning: []string{
			"The address of the function is in the module's data, in struct module, or its " +
				"code loads it, and the function does not begin with `endbr64`, `bti c` or " +
				"`paciasp`. New functions of a patch need none: ftrace returns to them.",
		},
		Fix: "Build the module with Kbuild, which has `-fcf-protection=branch` or " +
			"`-mbranch-protection=pac-ret+bti`; in assembly use `SYM_TYPED_FUNC_START`.",
	},
	{
		ID:         "KLP161",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckMitigations},
		Title:      "address of a function that must not be called by address",
		Kernel: "The kernel says: `Missing ENDBR: %s`, then `kernel BUG at …`, when it is " +
			"called through the address; x86, on a processor with IBT.",
		Source: "`apply_seal_endbr`.",
		Meaning: []string{
			"objtool lists in `.ibt_endbr_seal` the functions whose address nothing in " +
				"their object uses, and the kernel overwrites their `endbr64`. A livepatch " +
				"that uses the address of such a function through a klp symbol may call it " +
				"directly, and not through the address. The module file tells for a module " +
				"of the kernel, the image for vmlinux.",
		},
		Fix: "In the livepatch, write a function that calls it, and use the address of that " +
			"function.",
	},
	{
		ID:         "KLP162",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckMitigations},
		Title:      "function called by address without a kCFI hash",
		Kernel: "The kernel says: `CFI failure at %s (target: %s; expected type: 0x%08x)` " +
			"and an oops, a warning with `CONFIG_CFI_PERMISSIVE`; arm64 and x86, 6.1 and " +
			"later.",
		Source: "`report_cfi_failure`, where the configuration has `CONFIG_CFI` " +
			"(`CONFIG_CFI_CLANG` before 6.18).",
		Meaning: []string{
			"Callers compare a hash of the function's type, which the compiler writes " +
				"before each function that can be called by address. The init function is " +
				"one.",
		},
		Fix: "Build the module with the kernel's compiler and Kbuild (`-fsanitize=kcfi`).",
	},
	{
		ID:         "KLP163",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutCheckMitigations},
		Title:      "call without room for call depth tracking",
		Kernel: "The kernel says: `Invalid padding area for %s`, once, where it was started " +
			"with `retbleed=stuff` on a processor that needs it. The call is not counted.",
		Source: "`patch_dest` in `arch/x86/kernel/callthunks.c`, 6.2 and later, " +
			"`CONFIG_MITIGATION_CALL_DEPTH_TRACKING` (`CONFIG_CALL_DEPTH_TRACKING` before " +
			"6.9).",
		Meaning: []string{
			"`.call_sites` names a call to a function of the module without a `nop` before " +
				"it.",
		},
		Fix: "Build all objects of the module with this kernel's Kbuild " +
			"(`-fpatchable-function-entry=16,16`).",
	},
}
