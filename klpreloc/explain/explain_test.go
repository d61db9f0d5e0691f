// SPDX-License-Identifier: GPL-2.0-or-later

package explain_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/explain"
)

// A wording is a line as somebody prints it, the entry that explains it, and the
// names that it has ("symbol=foo object=vmlinux").
type wording struct{ line, id, names string }

// lines are literal. A few have a time or a prefix.
var lines = []wording{
	// kernel/livepatch/core.c, after pr_fmt
	{
		"[   12.345678] livepatch: symbol 'uncond.48011' not found in symbol table",
		"symbol-not-found", "symbol=uncond.48011",
	},
	{
		"Mar  4 10:11:12 host kernel: livepatch: symbol 'nosuch' not found in symbol table",
		"symbol-not-found", "symbol=nosuch",
	},
	{
		"livepatch: unresolvable ambiguity for symbol 'name_show' in object '(null)'",
		"ambiguous", "symbol=name_show object=vmlinux",
	},
	{
		"livepatch: unresolvable ambiguity for symbol 'helper' in object 'ext4'",
		"ambiguous", "symbol=helper object=ext4",
	},
	{
		"livepatch: symbol position 7 for symbol 'name_show' in object 'vmlinux' not found",
		"position-not-found", "pos=7 symbol=name_show object=vmlinux",
	},
	{
		"livepatch: symbol saved_command_line is not marked as a livepatch symbol",
		"not-marked", "klpsym=saved_command_line",
	},
	{
		"livepatch: symbol .klp.sym.vmlinux.foo,0 at rela sec 12 idx 3 is not marked as a " +
			"livepatch symbol",
		"not-marked", "symbol=foo object=vmlinux",
	},
	{
		"livepatch: symbol .klp.sym.vmlinux.saved_command_line,zz has an incorrectly " +
			"formatted name",
		"symbol-name", "klpsym=.klp.sym.vmlinux.saved_command_line,zz",
	},
	{
		"livepatch: section .klp.rela..text has an incorrectly formatted name",
		"section-name", "section=.klp.rela..text",
	},
	{
		"livepatch: invalid access to vmlinux symbol 'saved_command_line' from " +
			"module-specific livepatch relocation section",
		"vmlinux-in-module-section", "symbol=saved_command_line",
	},
	{"livepatch: vmlinux.ko: invalid module name", "vmlinux-ko", ""},
	{
		"livepatch: failed to initialize patch 'lp2' for module 'klptgt' (-8)",
		"target-refused", "patch=lp2 module=klptgt errno=-8",
	},
	{
		"livepatch: patch 'lp2' failed for module 'klptgt', refusing to load module 'klptgt'",
		"target-refused", "patch=lp2 module=klptgt",
	},
	{
		"livepatch: failed to apply patch 'lp2' to module 'klptgt' (-16)",
		"target-refused", "errno=-16",
	},
	{
		"livepatch: failed to find location for function 'copy_mnt_ns'",
		"no-location", "function=copy_mnt_ns symbol=copy_mnt_ns",
	},
	{
		"livepatch: failed to set ftrace filter for function 'cmdline_proc_show' (-22)",
		"ftrace-handler", "errno=-22",
	},
	{
		"livepatch: failed to register ftrace handler for function 'cmdline_proc_show' (-16)",
		"ftrace-handler", "function=cmdline_proc_show errno=-16",
	},
	{"livepatch: kallsyms size lookup failed for 'tgt_show'", "size-lookup", "function=tgt_show"},
	{
		"livepatch: kallsyms size lookup failed for 'tgt_show' replacement",
		"size-lookup", "function=tgt_show",
	},
	{"livepatch: failed to patch object 'vmlinux'", "patch-object", "object=vmlinux"},
	{
		"livepatch: failed to enable patch 'livepatch_sample'",
		"patch-object", "patch=livepatch_sample",
	},
	{
		"livepatch: pre-patch callback failed for object 'vmlinux'",
		"patch-object", "object=vmlinux",
	},
	{
		"livepatch: module livepatch_sample is not marked as a livepatch module",
		"not-livepatch-module", "module=livepatch_sample",
	},
	{
		"livepatch: Livepatch patch (test_klp_state) is not compatible with the already " +
			"installed livepatches.",
		"incompatible", "patch=test_klp_state",
	},
	{
		"livepatch: This architecture doesn't have support for the livepatch consistency model.",
		"no-consistency-model", "",
	},
	{"livepatch: The livepatch transition may never complete.", "no-consistency-model", ""},
	{"livepatch: signaling remaining tasks", "transition-stuck", ""},
	{"livepatch: sending fake signal to remaining tasks", "transition-stuck", ""},
	{
		"livepatch: klp_try_switch_task: bash:1234 is sleeping on function do_wait",
		"task-on-stack", "task=bash:1234 function=do_wait",
	},
	{
		"livepatch: klp_check_stack: kworker/0:1:77 is sleeping on function pipe_read",
		"task-on-stack", "task=kworker/0:1:77 function=pipe_read",
	},
	{
		"livepatch: klp_try_switch_task: kworker/0:1:39 has an unreliable stack",
		"task-unreliable", "task=kworker/0:1:39",
	},
	{
		"livepatch: klp_check_stack: cc1:900 has an unreliable stack",
		"task-unreliable", "task=cc1:900",
	},
	{"livepatch: klp_try_switch_task: cc1:900 is running", "task-running", "task=cc1:900"},
	{"livepatch: forcing remaining tasks to the patched state", "forced", ""},
	{"livepatch: forcing remaining tasks to the unpatched state", "forced", ""},
	{
		"livepatch_sample: module is marked as livepatch module, but livepatch support is " +
			"disabled",
		"klp-disabled", "module=livepatch_sample",
	},
	{"livepatch: enabling patch 'livepatch_sample'", "enabled", "patch=livepatch_sample"},
	{
		"livepatch: 'livepatch_sample': starting patching transition",
		"enabled", "patch=livepatch_sample",
	},
	{"livepatch: 'livepatch_sample': initializing patching transition", "enabled", ""},
	{"livepatch: 'livepatch_sample': completing patching transition", "enabled", ""},
	{"livepatch: 'livepatch_sample': patching complete", "enabled", "patch=livepatch_sample"},
	{
		"livepatch: applying patch 'lp2' to loading module 'klptgt'",
		"enabled", "patch=lp2 module=klptgt",
	},
	{
		"livepatch: reverting patch 'lp2' on unloading module 'klptgt'",
		"disabled", "module=klptgt",
	},
	{"livepatch: 'lp2': unpatching complete", "disabled", "patch=lp2"},
	{"livepatch: 'lp2': starting unpatching transition", "disabled", "patch=lp2"},
	{"livepatch: 'lp2': initializing unpatching transition", "disabled", ""},
	{"livepatch: 'lp2': completing unpatching transition", "disabled", ""},
	{"lp1: tainting kernel with TAINT_LIVEPATCH", "tainted", "module=lp1"},
	{"lp1: loading out-of-tree module taints kernel.", "out-of-tree", "module=lp1"},
	{
		"insmod: ERROR: could not load module livepatch-x.ko: No such file or directory",
		"no-file", "text=livepatch-x.ko",
	},
	{"rmmod: ERROR: Module nosuch is not currently loaded", "not-loaded", "module=nosuch"},
	{
		"depmod: WARNING: /lib/modules/6.1.0/extra/labels-comma.ko needs unknown symbol " +
			"klp_enable_patch",
		"depmod-unknown",
		"file=/lib/modules/6.1.0/extra/labels-comma.ko klpsym=klp_enable_patch",
	},
	{
		"depmod: WARNING: /lib/modules/6.1.0/extra/labels-comma.ko needs unknown symbol " +
			".klp.sym.rela.vmlinux.vmlinux.show,2",
		"depmod-unknown", "klpsym=.klp.sym.rela.vmlinux.vmlinux.show,2",
	},
	{
		"WARNING: Symbol version dump \"Module.symvers\" is missing.",
		"no-symvers", "file=Module.symvers",
	},
	{"WARNING: Module.symvers is missing.", "no-symvers", ""},
	{"WARNING: /usr/src/linux/Module.symvers is missing.", "no-symvers", "file=/usr/src/linux"},
	{
		"Skipping BTF generation for /tmp/x/livepatch.ko due to unavailability of vmlinux",
		"btf-skipped", "file=/tmp/x/livepatch.ko",
	},

	// kernel/module
	{
		"[    3.1] livepatch_foo: Unknown symbol copy_mnt_ns (err -2)",
		"unknown-symbol", "module=livepatch_foo symbol=copy_mnt_ns errno=-2",
	},
	{"foo: Unknown symbol bar (err 0)", "unknown-symbol", "symbol=bar errno=0"},
	{
		"lp1: Unknown symbol .klp.sym.vmlinux.saved_command_line,0 (err -2)",
		"unknown-symbol", "module=lp1 symbol=saved_command_line object=vmlinux",
	},
	{
		"foo: disagrees about version of symbol module_layout",
		"symbol-version", "module=foo symbol=module_layout",
	},
	{"foo: no symbol version for module_layout", "no-symbol-version", "symbol=module_layout"},
	{"foo: no extended symbol version for bar", "no-symbol-version", "module=foo symbol=bar"},
	{
		"foo: version magic '6.1.0-50-amd64 SMP preempt mod_unload modversions ' should be " +
			"'6.1.0-56-amd64 SMP preempt mod_unload modversions '",
		"vermagic", "module=foo",
	},
	{"foo: bad vermagic: kernel tainted.", "bad-vermagic", "module=foo"},
	{"foo: module_layout: kernel tainted.", "bad-vermagic", "module=foo"},
	{
		"module foo: .gnu.linkonce.this_module section size must match the kernel's built " +
			"struct module size at run time",
		"this-module-size", "module=foo",
	},
	{
		"module foo: Exactly one .gnu.linkonce.this_module section must exist.",
		"this-module", "module=foo",
	},
	{
		"module foo: .gnu.linkonce.this_module section must have a size set",
		"this-module", "module=foo",
	},
	{
		"module foo: .gnu.linkonce.this_module must occupy memory during process execution",
		"this-module", "module=foo",
	},
	{"foo: No module found in object", "this-module", "module=foo"},
	{"Only one .modinfo section must exist.", "one-modinfo", ""},
	{"foo: module has no symbols (stripped?)", "stripped", "module=foo"},
	{
		"foo: Symbol .klp.sym.vmlinux.x,0 has an invalid section index 65311 (max 40)",
		"section-index", "module=foo symbol=x",
	},
	{"Invalid ELF header len 12", "elf-layout", ""},
	{"Invalid ELF header magic: != \x7fELF", "elf-layout", ""},
	{"Invalid ELF header type: 2 != 1", "elf-layout", ""},
	{"Invalid ELF section header size", "elf-layout", ""},
	{"Invalid ELF section header overflow", "elf-layout", ""},
	{"Invalid ELF section name index: 0 || e_shstrndx (0) >= e_shnum (31)", "elf-layout", ""},
	{"Invalid ELF section name in module (section 3 type 1)", "elf-layout", ""},
	{"Invalid ELF section in module (section 3 type 1)", "elf-layout", ""},
	{"ELF Spec violation: section 0 type(1)!=SH_NULL or non-zero len or addr", "elf-layout", ""},
	{"ELF Spec violation: section name table isn't null terminated", "elf-layout", ""},
	{"empty section name table", "elf-layout", ""},
	{"empty symbol string table", "elf-layout", ""},
	{"symbol string table missing leading NUL", "elf-layout", ""},
	{"symbol string table isn't NUL terminated", "elf-layout", ""},
	{"symbol name out of bounds in string table", "elf-layout", ""},
	{"Invalid ELF sh_link!=SHN_UNDEF(0) or (sh_link(0) >= hdr->e_shnum(31)", "elf-layout", ""},
	{"Invalid architecture in ELF header: 183", "elf-machine", "n=183"},
	{"Invalid module architecture in ELF header: 21", "elf-machine", "n=21"},
	{"extended version crc+name presence does not match", "extended-versions", ""},
	{"more extended version crcs than names", "extended-versions", ""},
	{
		"foo: module uses symbol (dma_buf_export) from namespace DMA_BUF, but does not import " +
			"it.",
		"namespace", "module=foo symbol=dma_buf_export namespace=DMA_BUF",
	},
	{
		"ERROR: modpost: module foo uses symbol dma_buf_export from namespace DMA_BUF, but " +
			"does not import it.",
		"namespace", "module=foo symbol=dma_buf_export namespace=DMA_BUF",
	},
	{
		"foo: module using GPL-only symbols uses symbols bar from proprietary module baz.",
		"gpl-only", "module=foo symbol=bar owner=baz",
	},
	{
		"ERROR: modpost: GPL-incompatible module foo.ko uses GPL-only symbol 'klp_enable_patch'",
		"gpl-only", "module=foo.ko symbol=klp_enable_patch",
	},
	{
		"foo: exports duplicate symbol bar (owned by kernel)",
		"duplicate-export", "symbol=bar owner=kernel",
	},
	{
		"lp1: module license 'Proprietary' taints kernel.",
		"license", "module=lp1 have=Proprietary",
	},
	{"lp1: module license 'unspecified' taints kernel.", "license", "have=unspecified"},
	{
		"lp1: module tries to import module namespace: module:kvm",
		"module-namespace", "module=lp1",
	},
	{"lp1: Module is not signed with expected PKCS#7 message", "signature", "module=lp1"},
	{"module: not signed with expected PKCS#7 message", "signature", "module=module"},
	{"Module has invalid ELF structures", "elf-layout", ""},
	{
		"kobject: (00000000e5a1b2c3): attempted to be registered with empty name!",
		"empty-name", "",
	},
	{"module: PKCS#7 signature info has unexpected non-zero params", "signature", ""},
	{"lp1: module license taints kernel.", "license", "module=lp1"},
	{"illegal size (40960) or align (64) for percpu allocation", "percpu-memory", ""},
	{"module lp1: REL relocation unsupported", "rel", "module=lp1"},
	{
		"lp1: section .text.vm_fn (index 13) has invalid WRITE|EXEC flags",
		"write-exec", "module=lp1 section=.text.vm_fn",
	},
	{
		"lp1: module is from the staging directory, the quality is unknown, you have been " +
			"warned.",
		"origin-taint", "module=lp1",
	},
	{"lp1: loading test module taints kernel.", "origin-taint", "module=lp1"},
	{"lp1: per-cpu alignment 8192 > 4096", "percpu-memory", "module=lp1"},
	{"lp1: module has bad taint, not creating trace events", "bad-vermagic", "module=lp1"},
	{"lp1: no versions for exported symbols: kernel tainted.", "bad-vermagic", "module=lp1"},
	{"lp1: Could not allocate 40960 bytes percpu data", "percpu-memory", "module=lp1"},
	{"lp1: module is already loaded", "already-loaded", "module=lp1"},
	{"lp1: please compile with -fno-common", "common-symbol", "module=lp1"},
	{"Loading of unsigned module is rejected", "signature", ""},
	{"Loading of module with unsupported crypto is rejected", "signature", ""},
	{"Loading of module with unavailable key is rejected", "signature", ""},
	{"PKCS#7 signature not signed with a trusted key", "signature", ""},
	{
		"Lockdown: insmod: unsigned module loading is restricted; see man kernel_lockdown.7",
		"signature", "",
	},
	{
		"foo: module verification failed: signature and/or required key missing - tainting " +
			"kernel",
		"signature", "",
	},
	{
		"insmod: ERROR: could not insert module foo.ko: Key was rejected by service",
		"signature", "",
	},
	{"modprobe: ERROR: could not insert 'foo': Required key not available", "signature", ""},
	{"insmod: can't insert 'foo.ko': Key was rejected by service", "signature", ""},
	{"insmod: can't insert 'foo.ko': Required key not available", "signature", ""},
	{"BPF: failed to validate module [m] BTF: -22", "btf", "module=m errno=-22"},
	{
		"sysfs: cannot create duplicate filename '/module/lp1/sections/.klp.rela.vmlinux..text'",
		"sysfs-duplicate", "module=lp1 section=.klp.rela.vmlinux..text",
	},
	{
		"sysfs: cannot create duplicate filename '/kernel/livepatch/lp1/vmlinux'",
		"sysfs-duplicate-object", "where=lp1/vmlinux",
	},
	{"foo: has both .ctors and .init_array.", "ctors", "module=foo"},

	// arch/*/kernel/module.c
	{
		"module: x86/modules: Skipping invalid relocation target, existing value is nonzero " +
			"for type 1, loc 00000000e5a1b2c3, val ffffffffc0a01000",
		"nonzero-target", "type=1",
	},
	{
		"x86/modules: Skipping invalid relocation target, existing value is nonzero for type " +
			"2, loc (____ptrval____), val ffffffff81000000",
		"nonzero-target", "type=2",
	},
	{
		"module: Skipping invalid relocation target, existing value is nonzero for type 1, " +
			"loc ffffffffa0364000, val ffffffffa0364050",
		"nonzero-target", "type=1",
	},
	{
		"module: x86/modules: Invalid relocation target, existing value is nonzero for type " +
			"4, loc 00000000e5a1b2c3, val ffffffffc0a01000",
		"nonzero-target", "type=4",
	},
	{
		"module: x86/modules: Invalid relocation target, existing value is nonzero for sec " +
			"35, idx 2, type 4, loc ffffffffc0601010, val ffffffffc0a01000",
		"nonzero-target", "type=4",
	},
	{
		"module: x86/modules: Invalid relocation target, existing value does not match " +
			"expected value for type 4, loc 00000000e5a1b2c3, val ffffffffc0a01000",
		"clear-mismatch", "type=4",
	},
	{
		"module: x86/modules: Invalid relocation target, existing value does not match " +
			"expected value for sec 35, idx 2, type 4, loc ffffffffc0601010, val ffffffffc0a01000",
		"clear-mismatch", "type=4",
	},
	{"module: foo: Unknown rela relocation: 42", "x86-unknown", "module=foo type=42"},
	{"module: overflow in relocation type 11 val ffff888000000000", "x86-overflow", "type=11"},
	{
		"module: overflow in relocation type 11 val ffff888000000000 sec 3 idx 7",
		"x86-overflow", "type=11",
	},
	{"module: `foo' likely not compiled with -mcmodel=kernel", "x86-overflow", "module=foo"},
	{
		"foo: Expected nop after call, got 7c0802a6 at tgt_show+0x24/0x60 [foo]",
		"ppc64-nop", "module=foo hex=7c0802a6",
	},
	{"foo: Expect noop after relocate, got 7c0802a6", "ppc64-nop", "module=foo"},
	{"foo: Unknown ADD relocation: 0", "ppc64-unknown", "module=foo type=0"},
	{"foo: REL24 -562949953421312 out of range!", "ppc64-range", "module=foo"},
	{"foo: REL34 -562949953421312 out of range!", "ppc64-range", "module=foo"},
	{"foo: REL32 2147483648 out of range!", "ppc64-range", "module=foo"},
	{"foo: bad TOC16 relocation (0xffff8000)", "ppc64-range", "module=foo hex=ffff8000"},
	{"foo: bad TOC16_DS relocation (0xffff8000)", "ppc64-range", "module=foo"},
	{"foo: bad TOC16_LO_DS relocation (0xffff8001)", "ppc64-range", "module=foo"},
	{
		"foo: Address of 000000006b1c0a2e out of range of 34-bit relative address.",
		"ppc64-range", "module=foo",
	},
	{"foo: doesn't contain .stubs.", "ppc64-stubs", "module=foo"},
	{"foo: doesn't contain .mygot.", "ppc64-stubs", "module=foo"},
	{
		"module foo: relocation error for symbol .klp.sym.vmlinux.bar,0 (r_type 19, value " +
			"0x3ff80001234)",
		"s390", "module=foo symbol=bar",
	},
	{
		"module foo: relocation error for symbol bar (r_type 19, value 0x3ff80001234)",
		"s390", "module=foo symbol=bar type=19",
	},
	{"module foo: unknown relocation: 9", "s390", "module=foo type=9"},
	{"module foo: no symbol table", "s390", "module=foo"},
	{"module foo: unsupported RELA relocation: 311", "arm64-relocation", "module=foo type=311"},
	{
		"module foo: overflow in relocation type 275 val ffff800008b51000",
		"arm64-relocation", "module=foo type=275",
	},
	{"foo: module PLT section(s) missing", "arm64-plt", "module=foo"},
	{"foo: module symtab section missing", "arm64-plt", "module=foo"},
	{"foo: Unknown relocation type 101", "loongarch", "module=foo type=101"},
	{"foo: Unsupport relocation type 53", "loongarch", "module=foo type=53"},
	{
		"module foo: jump offset = 0x7a12 unaligned! dangerous R_LARCH_B26 (66) relocation",
		"loongarch", "module=foo type=66",
	},
	{
		"module foo: jump offset = 0x9007a120 overflow! dangerous R_LARCH_B26 (66) relocation",
		"loongarch", "module=foo type=66",
	},
	{
		"foo: Unsupport relocation type 88, please add its support.",
		"loongarch", "module=foo type=88",
	},
	{"foo: Can not find HI20 relocation information", "loongarch", "module=foo"},
	{"foo: module contains bad GOT relocation", "loongarch", "module=foo"},
	{"foo: module GOT section(s) missing", "loongarch", "module=foo"},
	{"foo: module PLT.IDX section(s) missing", "loongarch", "module=foo"},
	{
		"Unable to handle kernel write to read-only memory at virtual address ffff8000011a2010",
		"write-read-only", "",
	},
	{
		"Kernel attempted to write user page (0) - exploit attempt? (uid: 0)",
		"write-read-only", "",
	},
	{
		"BUG: Unable to handle kernel data access on write at 0xc008000000a10400",
		"write-read-only", "",
	},

	// oopses and warnings
	{"[    4.2] RIP: 0010:klp_apply_section_relocs+0x5c/0x220", "fault-in-klp", ""},
	{"RIP: 0010:klp_resolve_symbols.isra.0+0x5c/0x220", "fault-in-klp", ""},
	{"RIP: 0010:klp_write_section_relocs+0x51/0x1b0", "fault-in-klp", ""},
	{"RIP: 0010:klp_write_object_relocations+0x51/0x1b0", "fault-in-klp", ""},
	{"RIP: 0010:klp_init_object_loaded.part.0+0x10/0x80", "fault-in-klp", ""},
	{"pc : klp_apply_section_relocs+0x98/0x2a0", "fault-in-klp", ""},
	{"pc : klp_resolve_symbols+0x98/0x2a0", "fault-in-klp", ""},
	{"NIP [c000000000216c34] klp_apply_section_relocs+0x124/0x3a0", "fault-in-klp", ""},
	{"RIP: 0010:apply_relocate_add+0x4d/0x2d0", "fault-in-relocate", ""},
	{"RIP: 0010:__apply_relocate_add+0x4d/0x2d0", "fault-in-relocate", ""},
	{"RIP: 0010:__write_relocate_add.constprop.0+0xd8/0x1e0", "fault-in-relocate", ""},
	{"pc : apply_relocate_add+0x1e0/0x900", "fault-in-relocate", ""},
	{"NIP [c0000000000520b8] apply_relocate_add+0x3d8/0x9b0", "fault-in-relocate", ""},
	{"WARNING: CPU: 1 PID: 129 at jump_label_del_module+0x143/0x150", "jump-label-del", ""},
	{"WARNING: CPU: 0 PID: 42 at ftrace_bug+0x9f/0x1a0", "ftrace-bug", ""},
	{"ftrace failed to modify ", "ftrace-bug", ""},
	{"Initializing ftrace call sites", "ftrace-bug", ""},
	{"paravirt: Failed to patch indirect CALL at 0xffffefa7ffffeeec", "paravirt-short", "place=0xffffefa7ffffeeec"},
	{"Failed to find error inject entry at (____ptrval____)", "error-injection", "place=(____ptrval____)"},
	{"Module len 12000 truncated", "elf-layout", ""},
	{
		"WARNING: CPU: 1 PID: 130 at kernel/jump_label.c:738 jump_label_del_module+0x1a5/0x1b0",
		"jump-label-del", "",
	},
	{
		"WARNING: kernel/jump_label.c:794 at jump_label_del_module+0x1a5/0x1b0, CPU#0: rmmod/130",
		"jump-label-del", "",
	},
	{
		"jump_label: Fatal kernel bug, unexpected op at tgt_show+0x12/0x40 [lp4] " +
			"[00000000deadbeef] (e9 2b 00 00 00 != 0f 1f 44 00 00)) size:5 type:1",
		"jump-label-op", "",
	},
	{"BUG: kernel NULL pointer dereference, address: 0000000000000000", "null-dereference", ""},
	{
		"BUG: unable to handle kernel NULL pointer dereference at 0000000000000008",
		"null-dereference", "",
	},
	{
		"Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000",
		"null-dereference", "",
	},
	{
		"Unable to handle kernel pointer dereference in virtual kernel address space",
		"null-dereference", "",
	},
	{"BUG: Kernel NULL pointer dereference on read at 0x00000000", "null-dereference", ""},
	{"BUG: unable to handle page fault for address: ffffc900001a5010", "null-dereference", ""},
	{"BUG: unable to handle kernel paging request at ffffffffc0123456", "null-dereference", ""},
	{
		"general protection fault, probably for non-canonical address 0xdead000000000100: " +
			"0000 [#1] SMP",
		"null-dereference", "",
	},
	{"general protection fault: 0000 [#1] SMP PTI", "null-dereference", ""},
	{"RIP: 0010:0x0", "jump-to-zero", ""},
	{"RIP: 0010:          (null)", "jump-to-zero", ""},
	{"pc : 0x0", "jump-to-zero", ""},
	{
		"RIP: 0010:livepatch_cmdline_proc_show+0x5/0x20 [livepatch_sample]",
		"fault-in-module", "symbol=livepatch_cmdline_proc_show module=livepatch_sample",
	},
	{
		"pc : livepatch_cmdline_proc_show+0x14/0x40 [livepatch_sample]",
		"fault-in-module", "module=livepatch_sample",
	},
	{
		"NIP [c008000000a10400] livepatch_cmdline_proc_show+0x14/0x40 [livepatch_sample]",
		"fault-in-module", "module=livepatch_sample",
	},
	{
		"traps: Missing ENDBR: kallsyms_lookup_name+0x0/0xe0",
		"endbr", "symbol=kallsyms_lookup_name",
	},
	{"Unpatched return thunk in use. This should not happen!", "return-thunk", ""},
	{
		"[   11.2] missing return thunk: lp_show+0x1a/0x20 [lp]-0x0: e9 01 02 03 04",
		"return-site", "",
	},
	{"lp: loading module not compiled with retpoline compiler.", "no-retpoline", "module=lp"},
	{"Spectre V2 : System may be vulnerable to spectre v2", "no-retpoline", ""},
	{
		"CFI failure at do_one_initcall+0x54/0x2c0 (target: init_module+0x0/0x20 [lp]; " +
			"expected type: 0x36b1c5a6)",
		"cfi-failure", "",
	},
	{"CFI failure at foo+0x10/0x20 [lp] (no target information)", "cfi-failure", ""},
	{"CFI failure (target: lp_init+0x0/0x1c [lp]):", "cfi-failure", ""},
	{"Internal error: Oops - CFI: 00000000f2008228 [#1] PREEMPT SMP", "cfi-failure", ""},
	{
		"SMP alternatives: Something went horribly wrong trying to rewrite the CFI " +
			"implementation.",
		"cfi-rewrite", "",
	},
	{"Internal error: Oops - BTI: 0000000036000002 [#1] SMP", "bti", ""},
	{"callthunks: Invalid padding area for lp_show+0x0/0x20 [lp]", "call-thunks", ""},
	{"module lp: error occurred during dynamic SCS patching (-8)", "scs-patching", "module=lp"},
	{"Misaligned patch-site tgt_show+0x0/0x20 [tgt]", "patch-site", ""},
	{"unexpected insn in patch-site tgt_show+0x0/0x20 [tgt]: 0xd65f03c0", "patch-site", ""},
	{"Invalid padding area for tgt_helper+0x0/0x20 [klptgt]", "call-thunks", ""},
	{
		"static_call: can't find static_call_key symbol: __SCK__WARN_trap",
		"static-call", "symbol=__SCK__WARN_trap",
	},
	{
		"lp.o: error: objtool: can't find static_call_key symbol: __SCK__might_resched",
		"static-call", "symbol=__SCK__might_resched",
	},
	{
		"kobject: kobject_add_internal failed for vmlinux with -EEXIST, don't try to register " +
			"things with the same name in the same directory.",
		"kobject-exists", "where=vmlinux",
	},

	// insmod, modprobe, rmmod
	{"insmod: ERROR: could not insert module x.ko: Invalid parameters", "insert-einval", ""},
	{"modprobe: ERROR: could not insert 'x': Invalid argument", "insert-einval", ""},
	{"insmod: can't insert 'x.ko': invalid parameter", "insert-einval", ""},
	{"insmod: can't insert 'x.ko': Invalid argument", "insert-einval", ""},
	{
		"insmod: ERROR: could not insert module x.ko: Unknown symbol in module",
		"insert-enoent", "",
	},
	{
		"modprobe: ERROR: could not insert 'x': Unknown symbol in module, or unknown " +
			"parameter (see dmesg)",
		"insert-enoent", "",
	},
	{
		"insmod: can't insert 'x.ko': unknown symbol in module, or unknown parameter",
		"insert-enoent", "",
	},
	{
		"insmod: ERROR: could not insert module x.ko: No such file or directory",
		"insert-enoent", "",
	},
	{"insmod: ERROR: could not insert module x.ko: Invalid module format", "insert-enoexec", ""},
	{"modprobe: ERROR: could not insert 'x': Exec format error", "insert-enoexec", ""},
	{"insmod: can't insert 'x.ko': invalid module format", "insert-enoexec", ""},
	{"insmod: can't insert 'x.ko': Exec format error", "insert-enoexec", ""},
	{
		"insmod: ERROR: could not insert module x.ko: Module has wrong symbol version",
		"insert-esrch", "",
	},
	{"insmod: can't insert 'x.ko': module has wrong symbol version", "insert-esrch", ""},
	{"insmod: ERROR: could not insert module x.ko: File exists", "insert-eexist", ""},
	{"insmod: can't insert 'x.ko': File exists", "insert-eexist", ""},
	{"insmod: ERROR: could not insert module x.ko: Operation not permitted", "insert-eperm", ""},
	{"insmod: can't insert 'x.ko': Operation not permitted", "insert-eperm", ""},
	{"insmod: ERROR: could not insert module x.ko: Device or resource busy", "insert-ebusy", ""},
	{"insmod: can't insert 'x.ko': Device or resource busy", "insert-ebusy", ""},
	{"insmod: ERROR: could not insert module x.ko: No such device", "insert-enodev", ""},
	{"insmod: can't insert 'x.ko': No such device", "insert-enodev", ""},
	{
		"insmod: ERROR: could not insert module x.ko: Function not implemented",
		"insert-enodev", "",
	},
	{"insmod: ERROR: could not insert module x.ko: Cannot allocate memory", "insert-enomem", ""},
	{"insmod: can't insert 'x.ko': Cannot allocate memory", "insert-enomem", ""},
	{
		"modprobe: FATAL: Module lp1 not found in directory /lib/modules/6.1.0-50-amd64",
		"module-not-found", "module=lp1",
	},
	{"rmmod: ERROR: Module lp1 is in use", "in-use", "module=lp1"},
	{"modprobe: FATAL: Module klptgt is in use.", "in-use", "module=klptgt"},
	{"insmod: ERROR: could not insert module lp.ko: Bad message", "signature", ""},
	{"insmod: can't insert 'lp.ko': Bad message", "signature", ""},
	{"rmmod: ERROR: could not remove 'lp1': Resource temporarily unavailable", "in-use", ""},
	{
		"rmmod: can't unload module 'lp1': Resource temporarily unavailable",
		"in-use", "module=lp1",
	},
	{"rmmod: ERROR: could not remove module lp1: Device or resource busy", "in-use", ""},

	// the build
	{
		"ERROR: modpost: \"saved_command_line\" [/tmp/lp/lp1.ko] undefined!",
		"modpost-undefined", "symbol=saved_command_line file=/tmp/lp/lp1.ko",
	},
	{
		"WARNING: modpost: \"saved_command_line\" [lp1.ko] undefined!",
		"modpost-undefined", "symbol=saved_command_line",
	},
	{
		"ERROR: \"saved_command_line\" [lp1.ko] undefined!",
		"modpost-undefined", "symbol=saved_command_line",
	},
	{
		"WARNING: \"saved_command_line\" [lp1.ko] undefined!",
		"modpost-undefined", "symbol=saved_command_line",
	},
	{"ERROR: modpost: missing MODULE_LICENSE() in lp1.o", "modpost-license", "file=lp1.o"},
	{
		"make[2]: *** No rule to make target '/tmp/lp/main.tmp.ko', needed by '__modfinal'.  " +
			"Stop.",
		"no-rule-tmp-ko", "file=/tmp/lp/main",
	},
	{"WARNING: modpost: no .cmd file for lp1.o", "no-cmd-file", "file=lp1.o"},
	{"WARNING: could not open /tmp/lp/.lp1.o.cmd: No such file or directory", "no-cmd-file", ""},
	{"/tmp/cc1.s:23: Warning: missing closing '\"'", "gas-comma", ""},
	{"/tmp/cc1.s:23: Error: too many memory references for 'movq'", "gas-comma", ""},
	{"{standard input}:56: Error: no match insn: bl\t%plt(\".klp.sym.rela.vmlinux.vmlinux.name_show,0\")",
		"gas-comma", ""},
	{"/tmp/cc1.s:23: Error: too many memory references for `movq'", "gas-comma", ""},
	{"objdump: livepatch.ko: bad value", "bfd-bad-value", "file=livepatch.ko"},
	{"objdump: livepatch.ko: file format not recognized", "bfd-bad-value", "file=livepatch.ko"},
	{
		"strip: livepatch.ko(.klp.rela.vmlinux..text): link section cannot be set because the " +
			"output file does not have a symbol table",
		"bfd-bad-value", "section=.klp.rela.vmlinux..text file=livepatch.ko",
	},
	{
		"readelf: livepatch.ko: invalid string offset 65312 >= 3120 for section `.strtab'",
		"bfd-bad-value", "",
	},
	{
		"objdump: livepatch.ko: warning: secondary relocation section " +
			"'.klp.rela.vmlinux..text' for section .text found - ignoring",
		"bfd-bad-value", "section=.klp.rela.vmlinux..text",
	},
	{
		"llvm-objcopy: error: 'lp.ko': symbol '.klp.sym.vmlinux.foo,0' has unsupported value " +
			"greater than or equal to SHN_LORESERVE: 65312",
		"llvm-loreserve", "symbol=foo",
	},

	// earlier and other tools
	{"klp-convert: Unable to find missing symbol: foo", "v7-missing", "symbol=foo"},
	{"klp-convert: Define KLP_SYMPOS for the symbol: name_show", "v7-define", "symbol=name_show"},
	{"Valid KLP_SYMPOS for symbol name_show:", "v7-define", "symbol=name_show"},
	{
		"klp-convert: Provided KLP_SYMPOS does not match a symbol: vmlinux.name_show,99",
		"v7-position", "object=vmlinux symbol=name_show pos=99",
	},
	{
		"klp-convert: Provided KLP_SYMPOS of 0, but found 5 symbols matching: " +
			"vmlinux.name_show,0",
		"v7-position", "symbol=name_show object=vmlinux",
	},
	{
		"klp-convert: Conflicting KLP_SYMPOS definition: vmlinux.foo,1 vs. vmlinux.foo,2.",
		"v7-conflict", "",
	},
	{"klp-convert: Couldn't find rela for annotated symbol: foo", "v7-conflict", "symbol=foo"},
	{"klp-convert: Unable to load user-provided sympos", "v7-conflict", ""},
	{
		"klp-convert: Special ELF section: .rela.altinstructions not supported",
		"v7-special", "section=.rela.altinstructions",
	},
	{"klp-convert: Symbol list is in unknown format.", "v7-list", ""},
	{"klp-convert: Unable to open Symbol list: symbols.klp", "v7-list", "file=symbols.klp"},
	{"klp-convert: Unable to read Symbol list: symbols.klp", "v7-list", ""},
	{
		"klp-convert: nr_entries mismatch (1 != 2) for .rela.klp.module_relocs.vmlinux",
		"v7-list", "",
	},
	{
		"klp-convert: Invalid format of symbol (.klp.sym.rela.vmlinux.vmlinux.foo.0)",
		"mini-format", "",
	},
	{"klp-convert: Invalid relocation symbol name.", "mini-format", ""},
	{"klp-convert: Unable to convert relocation: .klp.sym.rela.vmlinux", "mini-format", ""},
	{
		"klp-convert: Unable to convert symbol name (.klp.sym.rela.vmlinux.vmlinux.foo)",
		"mini-format", "",
	},
	{
		"ERROR: cmdline.o: lookup_open: 1042: couldn't find matching cmdline.c local symbols " +
			"in vmlinux symbol table",
		"kpatch-locals", "file=cmdline.c",
	},
	{
		"ERROR: cmdline.o: found duplicate matches for cmdline.c local symbols in vmlinux " +
			"symbol table",
		"kpatch-locals", "file=cmdline.c",
	},
	{
		"create-diff-object: ERROR: cmdline.o: find_local_syms: 136: find_local_syms for " +
			"cmdline.c: found_none",
		"kpatch-locals", "file=cmdline.c",
	},
	{
		"create-diff-object: ERROR: cmdline.o: find_local_syms: 133: find_local_syms for " +
			"cmdline.c: found_dup",
		"kpatch-locals", "file=cmdline.c",
	},
	{
		"ERROR: oom_kill.o: Found a jump label at out_of_memory()+0x10a, using key " +
			"cpusets_enabled_key. Jump labels aren't currently supported. Use " +
			"static_key_enabled() instead.",
		"kpatch-jump-label", "function=out_of_memory key=cpusets_enabled_key",
	},
	{
		"ERROR: x.o: Found a jump label at show()+0x4, using key psi_disabled. Jump labels " +
			"aren't supported with this kernel. Use static_key_enabled() instead.",
		"kpatch-jump-label", "key=psi_disabled",
	},
	{
		"ERROR: x.o: Found a jump label at show()+0x4, using key kvm_k, which is defined in a " +
			"module. Use static_key_enabled() instead.",
		"kpatch-jump-label", "key=kvm_k",
	},
	{
		"vmlinux.o: error: objtool: foo+0x12: unsupported static branch key klp_test_key.  " +
			"Use static_key_enabled() instead",
		"kpatch-jump-label", "function=foo",
	},
	{
		"Found a static call at kvm_arch_vcpu_ioctl()+0x5a, using key __SCK__kvm_x86_get_cpl, " +
			"which is defined in a module. Use KPATCH_STATIC_CALL() instead.",
		"kpatch-static-call", "function=kvm_arch_vcpu_ioctl",
	},
	{"Found a static call at F()+0x10", "kpatch-static-call", "function=F"},
	{
		"objtool: foo()+0x12: unsupported static call key __SCK__x.  Use KLP_STATIC_CALL() " +
			"instead",
		"kpatch-static-call", "function=foo",
	},
	{
		"unsupported klp relocation reference to symbol 'foo' in module-specific special " +
			"section '.altinstructions'",
		"kpatch-special-symbol", "symbol=foo section=.altinstructions",
	},
	{
		"ERROR: cmdline.o: function show doesn't have patchable function entry, unable to patch",
		"kpatch-fentry", "function=show",
	},
	{
		"ERROR: cmdline.o: function show has no fentry/mcount call, unable to patch",
		"kpatch-fentry", "function=show",
	},
	{
		"ERROR: Patch module references dma_buf_export with invalid version",
		"kpatch-version", "symbol=dma_buf_export",
	},
	{"ERROR: kernel option 'CONFIG_X86_KERNEL_IBT' not supported", "kpatch-ibt", ""},
	{
		"kpatch: symbol 'foo' not found at specified address ffffffff81234560, kernel mismatch?",
		"kpatch-address", "symbol=foo",
	},
	{"ERROR: foo.o: 1 unsupported section change(s)", "kpatch-sections", ""},
	{
		"foo.o: changed section .data.x not selected for inclusion",
		"kpatch-sections", "section=.data.x",
	},
	{"foo.o: unreconcilable difference", "kpatch-sections", ""},
	{"ERROR: no changed objects found", "kpatch-sections", ""},
	{"error: objtool: foo: can't patch or reference init code/data", "objtool-init", ""},
	{
		"error: objtool: show: new reference to bar (exported by baz) would create an " +
			"undeclared module dependency",
		"objtool-dependency", "symbol=bar owner=baz",
	},
	{
		"error: dependency on livepatch /tmp/livepatch-1_2.ko",
		"suse-depends", "file=/tmp/livepatch-1_2.ko",
	},
	{
		"error: .klp.*__jump_table section found in livepatch /tmp/livepatch-1_2.ko",
		"suse-jump-table", "file=/tmp/livepatch-1_2.ko",
	},
	{
		"warning: objtool: foo: disabling unsupported tracepoint sched_switch",
		"objtool-inert", "symbol=sched_switch",
	},
	{"warning: objtool: foo: disabling unsupported pr_debug()", "objtool-inert", ""},
	{
		"error: objtool: malformed __klp_relocs.vmlinux section",
		"objtool-post-link", "section=__klp_relocs.vmlinux",
	},
	{"objtool: klp not implemented", "objtool-post-link", ""},
	{"error: objtool: missing .symtab", "objtool-post-link", ""},

	// klp-convert
	{"KLP043", "KLP043", ""},
	{"[KLP024]", "KLP024", ""},
	{"klp001", "KLP001", ""},
	{
		"patch.ko: error: klp-convert: .rela.text+0x48: symbol \"foo\" is ambiguous in " +
			"vmlinux (3 candidates) [KLP043]",
		"KLP043", "file=patch.ko symbol=foo",
	},
}

func TestLinesAreExplained(t *testing.T) {
	for _, want := range lines {
		got := explain.Text(want.line)
		if !assert.Len(t, got, 1, want.line) {
			continue
		}
		assert.Equal(t, want.id, got[0].ID, want.line)
		for _, pair := range strings.Fields(want.names) {
			name, value, _ := strings.Cut(pair, "=")
			assert.Equal(t, value, got[0].Names[0][name], "%s of %s", name, want.line)
		}
	}
}

// Each wording of the table is one that something prints.
func TestEveryFormHasALine(t *testing.T) {
	used := map[*explain.Form]bool{}
	for _, l := range lines {
		if f := explain.FormOf(l.line); f != nil {
			used[f] = true
		}
	}
	for _, g := range explain.Groups() {
		for i := range g.Entries {
			for j := range g.Entries[i].Forms {
				f := &g.Entries[i].Forms[j]
				assert.True(t, used[f], "%s: no line of the test is %q", g.Entries[i].ID, f.Text)
			}
		}
	}
}

// Whatever prints it, and whatever comes before it, it is the same message.
func TestPrefixesDoNotMatter(t *testing.T) {
	for _, prefix := range []string{
		"", "livepatch: ", "[   12.345678] livepatch: ", "[  123.4] [T42] livepatch: ",
		"kernel: livepatch: ", "<3>[    1.0] livepatch: ", "<4>livepatch: ", "> [ 1.0] livepatch: ",
		"Mar  4 10:11:12 host kernel: livepatch: ",
		"2026-03-04T10:11:12+0100 host kernel: [ 1.0] livepatch: ",
	} {
		for _, message := range []string{
			"symbol 'foo' not found in symbol table",
			"failed to find location for function 'foo'",
			"'lp': patching complete",
		} {
			got := explain.Text(prefix + message + "\r\n")
			require.Len(t, got, 1, prefix)
			assert.NotEmpty(t, got[0].Names[0], prefix)
		}
	}
}

// People paste what they regard as the message, without the module's name, or search for
// some words of it. In a log that is not a message.
func TestPartsOfMessagesAreExplainedAlone(t *testing.T) {
	for part, id := range map[string]string{
		"disagrees about version of symbol module_layout":                                                     "symbol-version",
		"no symbol version for module_layout":                                                                 "no-symbol-version",
		"version magic '...' should be '...'":                                                                 "vermagic",
		"module is marked as livepatch module, but livepatch support is disabled":                             "klp-disabled",
		".gnu.linkonce.this_module section size must match the kernel's built struct module size at run time": "this-module-size",
		"Unknown symbol foo (err -2)":                                                                         "unknown-symbol",
		"Unknown symbol in module":                                                                            "insert-enoent",
		"Invalid parameters":                                                                                  "insert-einval",
		"Exec format error":                                                                                   "insert-enoexec",
		"Key was rejected by service":                                                                         "signature",
		"existing value is nonzero for type":                                                                  "nonzero-target",
		"has an incorrectly formatted name":                                                                   "symbol-name",
		"Unable to handle kernel write to read-only memory":                                                   "write-read-only",
		"from module-specific livepatch relocation section":                                                   "vmlinux-in-module-section",
	} {
		got := explain.Text(part)
		if assert.Len(t, got, 1, part) {
			assert.Equal(t, id, got[0].ID, part)
		}
	}
	assert.Empty(t, explain.Text("hello\nInvalid parameters\nUnknown symbol in module\n"))
}

// Blank lines around a message that is pasted do not make it a log.
func TestBlankLinesDoNotMatter(t *testing.T) {
	for _, text := range []string{
		"\nUnknown symbol foo (err -2)",
		"Unknown symbol foo (err -2)\r\n\r\n",
		" \n\nUnknown symbol foo (err -2)\n\n",
	} {
		found := explain.Text(text)
		require.Len(t, found, 1, "%q", text)
		assert.Equal(t, "unknown-symbol", found[0].ID)
	}
}

// dmesg colours its output, even within a message.
func TestColoursDoNotMatter(t *testing.T) {
	got := explain.Text("\x1b[32m[   12.345678] \x1b[0m\x1b[33mlivepatch: \x1b[0m" +
		"\x1b[1;31msymbol \x1b[0m'foo' not found in symbol table\x1b[0m\r\n")
	require.Len(t, got, 1)
	assert.Equal(t, []string{"[   12.345678] livepatch: symbol 'foo' not found in symbol table"}, got[0].Lines)
	assert.Equal(t, "foo", got[0].Names[0]["symbol"])
}

// In a long log most lines are read without a regular expression.
func TestLargeLog(t *testing.T) {
	var b strings.Builder
	for n := 0; b.Len() < 64<<10; n++ {
		fmt.Fprintf(&b, "[%12.6f] [ T%d] usb 1-1: new high-speed USB device number %d using xhci_hcd\n", float64(n)/7, n%999, n%127)
	}
	b.WriteString("[99999.123456] [ T4123] livepatch: symbol 'foo' not found in symbol table\n")
	uses := explain.CountExpressions(func() { assert.Len(t, explain.Text(b.String()), 1) })
	assert.Less(t, uses, 10)
}

func TestNamesAreInTheAdvice(t *testing.T) {
	x := explain.Text("livepatch: unresolvable ambiguity for symbol 'name_show' in object '(null)'")[0]
	assert.Contains(t, x.Means, "Object vmlinux has several symbols called name_show")
	assert.Contains(t, x.Causes[0].Run, "klp-convert sympos name_show@vmlinux")
	assert.NotContains(t, x.Means, "{")

	id := explain.Text("KLP042")[0]
	assert.Equal(t, "docs/errors.md#KLP042", id.Doc)
	assert.NotEmpty(t, id.Causes)
}

// What the message says about the cause counts.
func TestLikeliestCauseComesFirst(t *testing.T) {
	first := func(line string) string { return explain.Text(line)[0].Causes[0].Why }
	assert.Contains(t, first("lp: Unknown symbol foo (err -2)"), "not exported")
	assert.Contains(t, first("lp: Unknown symbol foo (err -22)"), "version")
	assert.Contains(t, first("lp: Unknown symbol .klp.sym.vmlinux.foo,0 (err -2)"), "lost its section index")
	assert.Contains(t, first("livepatch: failed to register ftrace handler for function 'f' (-16)"), "kprobe")
	assert.Contains(t, first("livepatch: failed to register ftrace handler for function 'f' (-19)"), "switched off")
}

// A log is not trusted: commands that are pasted contain only names.
func TestNamesAreNotShell(t *testing.T) {
	for _, evil := range []string{"a;reboot", "$(reboot)", "`reboot`", "a|b", "a&b", "a>b"} {
		for _, form := range []string{
			"livepatch: symbol '%s' not found in symbol table",
			"lp: Unknown symbol %s (err -2)",
			"ERROR: modpost: \"%s\" [lp.ko] undefined!",
			"WARNING: modpost: no .cmd file for %s",
			"%s: Unknown symbol a (err -2)",
		} {
			for _, x := range explain.Text(strings.ReplaceAll(form, "%s", evil)) {
				for _, c := range x.Causes {
					assert.NotContains(t, strings.Join(c.Run, "\n"), evil, form)
				}
			}
		}
	}
}

// A message that a log has twice is explained once, with the commands for each symbol.
func TestLogIsExplainedByMessage(t *testing.T) {
	log := `[    0.000000] Linux version 6.1.0
[    1.0] lp: Unknown symbol foo (err -2)
[    1.0] lp: Unknown symbol bar (err -2)
[    1.1] lp: Unknown symbol foo (err -2)
[    2.0] usb 1-1: new device
[    3.0] livepatch: enabling patch 'lp'
`
	got := explain.Text(log)
	require.Len(t, got, 2)
	assert.Equal(t, "unknown-symbol", got[0].ID)
	assert.Len(t, got[0].Lines, 2)
	assert.Subset(t, got[0].Causes[0].Run, []string{"klp-convert sympos foo", "klp-convert sympos bar"})
	assert.True(t, got[1].Fine)
}

// An oops alone may have nothing to do with livepatching.
func TestOopsesAreExplainedInALivepatchedKernelOnly(t *testing.T) {
	oops := "BUG: kernel NULL pointer dereference, address: 0000000000000000\nRIP: 0010:e1000_open+0x5/0x20 [e1000]\n"
	assert.Empty(t, explain.Text(oops))
	assert.Len(t, explain.Text(oops+"CPU: 0 PID: 1 Comm: cat Tainted: G           OE K    6.1.0-50-amd64\n"), 2)
	assert.Len(t, explain.Text("livepatch: enabling patch 'x'\n"+oops), 3)
	assert.Len(t, explain.Text(strings.Split(oops, "\n")[0]), 1, "asked about it alone")
}

func TestOtherLinesAreIgnored(t *testing.T) {
	for _, line := range []string{
		"", "hello", "usb 1-1: device not found", "KLP", "KLP999", "symbol 'foo'", "Unknown symbol",
		"x: symbol foo is not found", "wlan0: failed to initialize",
	} {
		assert.Empty(t, explain.Text(line), line)
	}
}

// Each entry has a meaning, causes and fixes.
func TestEntriesAreComplete(t *testing.T) {
	ids := map[string]bool{}
	form := regexp.MustCompile(`^[^\t\n]+$`)
	for _, g := range explain.Groups() {
		for _, e := range g.Entries {
			assert.False(t, ids[e.ID], "%s appears twice", e.ID)
			ids[e.ID] = true
			assert.Regexp(t, `^[a-z0-9-]+$`, e.ID)
			assert.NotEmpty(t, e.From, e.ID)
			assert.True(t, strings.HasSuffix(e.Means, "."), e.ID)
			assert.Equal(t, e.Fine, len(e.Causes) == 0, "%s: causes", e.ID)
			for _, f := range e.Forms {
				assert.Regexp(t, form, f.Text, e.ID)
			}
			for _, c := range e.Causes {
				for _, s := range []string{c.Why, c.Fix} {
					assert.True(t, strings.HasSuffix(s, "."), "%s: %s", e.ID, s)
				}
				assert.NotContains(t, strings.Join(c.Run, ""), "\n", e.ID)
				for _, run := range c.Run {
					if m := regexp.MustCompile(`explain (KLP\d+)`).FindStringSubmatch(run); m != nil {
						assert.NotNil(t, diag.Lookup(diag.ID(m[1])), "%s: %s", e.ID, run)
					}
				}
			}
		}
	}
	assert.GreaterOrEqual(t, len(ids), 70)
}

// Every diagnostic of klp-convert is explained, with its details and fixes.
func TestOwnDiagnosticsAreExplained(t *testing.T) {
	for _, d := range diag.Catalogue() {
		found := explain.Text(string(d.ID))
		if !assert.Len(t, found, 1, d.ID) {
			continue
		}
		x := found[0]
		assert.Greater(t, len(strings.Fields(x.Means)), 6, "%s: %s", d.ID, x.Means)
		all := append(append([]string{x.Means}, x.Details...), x.Cases...)
		for _, c := range x.Causes {
			all = append(all, c.Why, c.Fix)
		}
		text := strings.Join(all, "\n")
		for _, want := range append([]string{d.Kernel, d.Source, d.Fix}, d.Meaning...) {
			assert.Contains(t, text, diag.Plain(want), d.ID)
		}
		for _, row := range d.Cases.Rows {
			for _, cell := range row {
				assert.Contains(t, text, diag.Plain(cell), d.ID)
			}
		}
		for _, c := range d.Causes {
			assert.Contains(t, x.Causes, explain.Reason{Why: diag.Plain(c.Why), Fix: diag.Plain(c.Fix)})
		}
		assert.Len(t, x.See, len(d.See))
		assert.NotContains(t, text, "`", d.ID)
	}
}

func FuzzText(f *testing.F) {
	for _, l := range lines[:20] {
		f.Add(l.line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, x := range explain.Text(text) {
			if len(x.Lines) == 0 || len(x.Lines) != len(x.Names) || x.Doc == "" {
				t.Errorf("%q: %+v", text, x)
			}
		}
	})
}
