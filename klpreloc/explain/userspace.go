// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// userspace is what the programs that load modules print for the kernel's errno. The
// reason is in the kernel's log.
var userspace = []Entry{
	{
		ID:   "insert-einval",
		From: "insmod and modprobe, of kmod and of busybox",
		Forms: []Form{
			{"could not insert {text}: Invalid parameters", "insmod of kmod"},
			{"could not insert {text}: Invalid argument", "modprobe"},
			{"can't insert {text}: invalid parameter", "busybox"},
			{"can't insert {text}: Invalid argument", "busybox"},
		},
		Means: "The kernel returned EINVAL. That is rarely about parameters: a livepatch gets " +
			"it when klp_enable_patch() fails.",
		Causes: []Cause{
			{
				Why: "A klp symbol was not found, is ambiguous, or its name can't be read.",
				Fix: "Read what the kernel says.",
				Run: []string{"dmesg | klp-convert explain"},
			},
			{
				Why: "The kernel silently refuses the klp_patch itself: no objs, an object " +
					"without funcs, a function without old_name or new_func, a name that is " +
					"too long, or a patch that is enabled already.",
				Fix: "Look at what the module declares.",
				Run: []string{"klp-convert inspect PATCH.ko"},
			},
			{
				Why: "The version or the namespace of an exported symbol is wrong.",
				Fix: "Build against this kernel.",
				Run: []string{"dmesg | klp-convert explain"},
			},
		},
	},
	{
		ID:   "insert-enoent",
		From: "insmod and modprobe, of kmod and of busybox",
		Forms: []Form{
			{"could not insert {text}: Unknown symbol in module", "kmod"},
			{"can't insert {text}: unknown symbol in module", "busybox"},
			{"could not insert {text}: No such file or directory", ""},
		},
		Means: "The kernel returned ENOENT: an undefined symbol is not exported. The kernel's " +
			"log names each.",
		Causes: []Cause{
			{
				Why: "Symbols that should be klp symbols are ordinary ones.",
				Fix: "List those that are left, and convert.",
				Run: []string{
					"dmesg | klp-convert explain",
					"klp-convert inspect PATCH.ko",
					"klp-convert --kernel KERNEL IN.ko OUT.ko",
				},
			},
			{
				Why: "A module that exports them is not loaded.",
				Fix: "Use modprobe, which loads it; insmod does not.",
			},
		},
	},
	{
		ID:   "insert-enoexec",
		From: "insmod and modprobe, of kmod and of busybox",
		Forms: []Form{
			{"could not insert {text}: Invalid module format", "insmod of kmod"},
			{"could not insert {text}: Exec format error", "modprobe"},
			{"can't insert {text}: invalid module format", "busybox"},
			{"can't insert {text}: Exec format error", "busybox"},
		},
		Means: "The kernel returned ENOEXEC: the file is not a module for this kernel, or a " +
			"relocation could not be applied.",
		Causes: []Cause{
			{
				Why: "It was built for another kernel (version magic, struct module).",
				Fix: "Read what the kernel says.",
				Run: []string{
					"dmesg | klp-convert explain",
					"modinfo -F vermagic PATCH.ko; uname -r",
				},
			},
			{
				Why: "A relocation has a type that the loader does not apply, or its place is " +
					"not zero.",
				Fix: "Read what the kernel says.",
			},
			{
				Why: "The kernel has no CONFIG_LIVEPATCH.",
				Fix: "Use a kernel that has it.",
			},
			{
				Why: "A tool damaged the converted file.",
				Fix: "Convert as the last step.",
			},
		},
	},
	{
		ID:   "insert-esrch",
		From: "insmod and modprobe, of kmod and of busybox",
		Forms: []Form{
			{"could not insert {text}: Module has wrong symbol version", ""},
			{"can't insert {text}: module has wrong symbol version", "busybox"},
		},
		Means: "The kernel returned ESRCH.",
		Causes: []Cause{
			{
				Why: "The module was built against another kernel.",
				Fix: "Build against the Module.symvers of this one.",
				Run: []string{"dmesg | klp-convert explain"},
			},
		},
	},
	{
		ID:   "insert-eexist",
		From: "insmod and modprobe",
		Forms: []Form{
			{"could not insert {text}: File exists", ""},
			{"could not insert {text}: Module already in kernel", "modprobe --first-time"},
			{"can't insert {text}: File exists", "busybox"},
		},
		Means: "The kernel returned EEXIST: a module of that name is loaded, or (6.12.y and " +
			"later) the module has two loaded sections of one name.",
		Causes: []Cause{
			{
				Why: "It is already loaded, perhaps disabled.",
				Fix: "Disable and remove it first.",
				Run: []string{
					"ls /sys/kernel/livepatch",
					"echo 0 > /sys/kernel/livepatch/PATCH/enabled; rmmod PATCH",
				},
			},
			{
				Why: "Two klp relocation sections have one name; then the kernel's log has " +
					"\"duplicate filename\".",
				Fix: "Convert with klp-convert.",
				Run: []string{"dmesg | klp-convert explain"},
			},
		},
	},
	{
		ID:   "insert-eperm",
		From: "insmod and modprobe",
		Forms: []Form{
			{"could not insert {text}: Operation not permitted", ""},
			{"can't insert {text}: Operation not permitted", "busybox"},
		},
		Means: "The kernel returned EPERM.",
		Causes: []Cause{
			{
				Why: "You are not root, or a container or kernel.modules_disabled forbids it.",
				Fix: "Become root. modules_disabled stays set until the next boot.",
				Run: []string{"sysctl kernel.modules_disabled"},
			},
			{
				Why: "Lockdown (Secure Boot) accepts only signed modules.",
				Fix: "Sign after conversion.",
				Run: []string{"cat /sys/kernel/security/lockdown"},
			},
		},
	},
	{
		ID:   "insert-ebusy",
		From: "insmod and modprobe",
		Forms: []Form{
			{"could not insert {text}: Device or resource busy", ""},
			{"can't insert {text}: Device or resource busy", "busybox"},
		},
		Means: "The kernel returned EBUSY: another livepatch is in transition, or another " +
			"user of ftrace holds a function.",
		Causes: []Cause{
			{
				Why: "Another transition is not complete.",
				Fix: "Wait for it, or find out what it waits for.",
				Run: []string{
					"grep . /sys/kernel/livepatch/*/transition",
					"dmesg | klp-convert explain",
				},
			},
			{
				Why: "A kprobe with a post_handler, or fail_function, uses a function that is " +
					"to be patched.",
				Fix: "Remove it.",
				Run: []string{"cat /sys/kernel/debug/kprobes/list"},
			},
		},
	},
	{
		ID:   "insert-enodev",
		From: "insmod and modprobe",
		Forms: []Form{
			{"could not insert {text}: No such device", ""},
			{"can't insert {text}: No such device", "busybox"},
			{"could not insert {text}: Function not implemented", ""},
		},
		Means: "klp_enable_patch() returned ENODEV or ENOSYS: livepatching is not ready or " +
			"not available in this kernel.",
		Causes: []Cause{
			{
				Why: "The kernel has no reliable stack traces (before 5.1), ftrace is " +
					"switched off, or livepatching did not start.",
				Fix: "Read what the kernel says.",
				Run: []string{
					"dmesg | klp-convert explain",
					"sysctl kernel.ftrace_enabled",
				},
			},
		},
	},
	{
		ID:   "insert-enomem",
		From: "insmod and modprobe",
		Forms: []Form{
			{"could not insert {text}: Cannot allocate memory", ""},
			{"can't insert {text}: Cannot allocate memory", "busybox"},
		},
		Means: "The kernel returned ENOMEM. For modules that can also mean that no memory " +
			"near the kernel, or no per-CPU memory, was left.",
		Causes: []Cause{
			{
				Why: "The module is very large: debug information is not loaded, but all " +
					"symbols of a livepatch are kept.",
				Fix: "Remove what is not needed before conversion.",
				Run: []string{"size -A PATCH.ko"},
			},
		},
	},
	{
		ID:   "module-not-found",
		From: "modprobe",
		Forms: []Form{
			{"modprobe: FATAL: Module {module} not found in directory {where}", ""},
		},
		Means: "modprobe looks only in /lib/modules of the running kernel, in the list that " +
			"depmod made.",
		Causes: []Cause{
			{
				Why: "The module is not installed, or depmod did not run.",
				Fix: "Install it, or use insmod with a path.",
				Run: []string{"depmod -a", "insmod ./{module}.ko"},
			},
		},
	},
	{
		ID:   "no-file",
		From: "insmod",
		Forms: []Form{
			{"could not load module {text}: No such file or directory", ""},
		},
		Means: "insmod found no such file; the kernel was not asked. insmod takes a path, not " +
			"the name of a module.",
		Causes: []Cause{
			{
				Why: "The path is wrong, or the module was not built: a conversion that fails " +
					"writes no file.",
				Fix: "Read the output of the build, and list the files.",
				Run: []string{"ls *.ko"},
			},
		},
	},
	{
		ID:   "not-loaded",
		From: "rmmod",
		Forms: []Form{
			{"rmmod: ERROR: Module {module} is not currently loaded", ""},
			{"Module {module} is not in kernel.", "modprobe -r --first-time"},
		},
		Means: "The kernel has no module of that name. Names have _ where files have -.",
		Causes: []Cause{
			{
				Why: "The kernel refused it, or it is already removed.",
				Fix: "Look at the list of modules, and at the kernel's log.",
				Run: []string{"lsmod", "dmesg | klp-convert explain"},
			},
		},
	},
	{
		ID:   "module-builtin",
		From: "rmmod, modprobe",
		Forms: []Form{
			{"Module {module} is builtin.", ""},
		},
		Means: "{module} is built into the kernel: it can be neither loaded nor removed. For " +
			"a livepatch its symbols belong to vmlinux.",
		Causes: []Cause{
			{
				Why: "The kernel was built with it (=y).",
				Fix: "Name vmlinux as the object.",
				Run: []string{
					"KLP_MODULE_RELOC(vmlinux)",
					"grep -w {module}.ko /lib/modules/$(uname -r)/modules.builtin",
				},
			},
		},
	},
	{
		ID:   "depmod-unknown",
		From: "depmod",
		Forms: []Form{
			{"depmod: WARNING: {file} needs unknown symbol {klpsym}", ""},
		},
		Means: "Neither the kernel nor an installed module exports {klpsym}, which {file} " +
			"imports. depmod does not look for the klp symbols of a converted module.",
		Causes: []Cause{
			{
				Why: "The module was installed before it was converted.",
				Fix: "Convert, then install.",
				Run: []string{"klp-convert inspect {file}"},
			},
			{
				Why: "The symbol should be a klp relocation.",
				Fix: "List the annotations that are missing.",
				Run: []string{"klp-convert annotate {file} --kernel KERNEL"},
			},
			{
				Why: "The module that exports it is not installed for that kernel.",
				Fix: "Install it, and run depmod again.",
				Run: []string{"depmod -a"},
			},
		},
	},
	{
		ID:   "in-use",
		From: "rmmod",
		Forms: []Form{
			{"rmmod: ERROR: Module {module} is in use", ""},
			{"modprobe: FATAL: Module {module} is in use", "modprobe -r"},
			{"could not remove {text}: Resource temporarily unavailable", ""},
			{"can't unload module '{module}': Resource temporarily unavailable", "busybox"},
			{"could not remove {text}: Device or resource busy", ""},
		},
		Means: "A livepatch can be removed when it is disabled and its transition is " +
			"complete; a patched module, when no livepatch depends on it.",
		Causes: []Cause{
			{
				Why: "The livepatch is enabled.",
				Fix: "Disable it and wait.",
				Run: []string{
					"echo 0 > /sys/kernel/livepatch/PATCH/enabled",
					"cat /sys/kernel/livepatch/PATCH/transition",
				},
			},
			{
				Why: "The livepatch uses an export of the module directly, so it depends on " +
					"the module.",
				Fix: "Make these exports klp relocations.",
				Run: []string{
					"modinfo -F depends PATCH.ko",
					"klp-convert --kernel KERNEL --convert-module-exports IN.ko OUT.ko",
				},
			},
			{
				Why: "The transition was forced.",
				Fix: "Reboot: the livepatch can't be removed.",
			},
		},
	},
}
