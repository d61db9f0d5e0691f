// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"debug/elf"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Mutants of klp_patch, its objects and functions, and of special sections.

func null(symbol string, field uint64) func(*draft) {
	return func(d *draft) { d.null(symbol, field) }
}

func point(symbol string, field uint64, text string) func(*draft) {
	return func(d *draft) { d.point(symbol, field, text) }
}

func number(symbol string, field, value uint64) func(*draft) {
	return func(d *draft) { d.number(symbol, field, value) }
}

func replacing(d *draft) { d.number("patch", d.replaceAt(), 1) }

// funcTwice copies the first klp_func.
func funcTwice(d *draft) { d.another("funcs", 0, d.funcStride(), d.funcStride()) }

// old is a livepatch of another function; what it prints is not looked at.
func old(name, function string) mutant {
	return mutant{name: "function-" + name, base: inVmlinux,
		edit: point("funcs", funcOld, function), show: "/proc/version"}
}

func moOld(name, function string, position uint64) mutant {
	return mutant{name: "module-function-" + name, base: inModule, show: "/proc/version",
		edit: func(d *draft) {
			d.point("funcs", funcOld, function)
			d.number("funcs", funcPos, position)
		}}
}

// called is a mutant whose new function runs as the target's init, with no arguments.
func called(m mutant) mutant {
	m.open = "what the new function does as an init function"
	return m
}

var patchMutants = []mutant{
	{name: "patch-mod-null", base: inVmlinux, edit: null("patch", patchMod)},
	{name: "patch-objs-null", base: inVmlinux, edit: null("patch", patchObjs)},
	{name: "patch-objs-empty", base: inVmlinux, edit: null("objs", objectFuncs)},
	{name: "patch-replace", base: inVmlinux, edit: replacing},
	{name: "patch-replace-module", base: inModule, edit: replacing},
	{name: "patch-states-wild", base: inVmlinux, edit: func(d *draft) { d.number("patch", d.statesAt(), 8) }},
	{name: "object-name-vmlinux", base: inVmlinux,
		edit: func(d *draft) { d.christen("objs", "vmlinux") }},
	{name: "object-name-empty", base: inVmlinux, edit: func(d *draft) { d.christen("objs", "") }},
	{name: "object-name-added", base: inVmlinux,
		edit: func(d *draft) { d.christen("objs", "klplab_nobody") }},
	{name: "object-funcs-null", base: inModule, edit: null("objs", objectFuncs)},
	{name: "object-name-null", base: inModule, edit: func(d *draft) {
		d.need(d.room.kernel.AtLeast(5, 8), "the livepatch has a klp_object without a name already")
		d.null("objs", objectName)
	}},
	{name: "object-name-nosuch", base: inModule, edit: point("objs", objectName, "klplab_nobody")},
	{name: "object-name-builtin", base: inModule, edit: point("objs", objectName, "printk")},
	{name: "object-name-of-module-empty", base: inModule, edit: point("objs", objectName, "")},
	{name: "object-name-dash", base: inModule, edit: point("objs", objectName, "klplab-target")},
	{name: "object-name-ko", base: inModule, edit: point("objs", objectName, "klplab_target.ko")},
	{name: "object-name-slash", base: inModule, edit: point("objs", objectName, "klplab/target")},
	{name: "object-name-55", base: inModule, edit: point("objs", objectName,
		strings.Repeat("o", 55))},
	{name: "object-name-56", base: inModule, edit: point("objs", objectName,
		strings.Repeat("o", 56))},
	{name: "object-name-vmlinux-module", base: inModule,
		edit: point("objs", objectName, "vmlinux")},
	{name: "object-name-itself", base: inModule, edit: point("objs", objectName, "klplab_v7")},
	{name: "object-twice", base: inModule, edit: func(d *draft) { d.anotherObject() }},
	{name: "object-vmlinux-twice", base: inVmlinux, edit: func(d *draft) { d.anotherObject() }},
	{name: "func-twice", base: inVmlinux, edit: funcTwice},
	{name: "func-twice-module", base: inModule,
		edit: funcTwice},
	{name: "func-twice-position-1", base: inVmlinux, edit: func(d *draft) {
		funcTwice(d)
		d.number("funcs", d.funcStride()+funcPos, 1)
	}},
	{name: "func-old-null", base: inVmlinux, edit: null("funcs", funcOld)},
	{name: "func-new-null", base: inVmlinux, edit: null("funcs", funcNew)},
	{name: "func-old-null-module", base: inModule, edit: null("funcs", funcOld)},
	{name: "func-new-null-module", base: inModule, edit: null("funcs", funcNew)},
	{name: "func-position-1", base: inVmlinux, edit: number("funcs", funcPos, 1)},
	{name: "func-position-2", base: inVmlinux, edit: number("funcs", funcPos, 2)},
	{name: "func-position-huge", base: inVmlinux, edit: number("funcs", funcPos, ^uint64(0))},
	{name: "func-position-2-module", base: inModule, edit: number("funcs", funcPos, 2)},
	{name: "func-position-alone", base: inVmlinux, edit: positionAlone},
	{name: "func-position-alone-module", base: inModule, edit: positionAlone},
	{name: "funcs-unclosed-zeros", base: inVmlinux, edit: unclosed("funcs", (*draft).funcStride)},
	{name: "objs-unclosed-zeros", base: inModule, edit: unclosed("objs", (*draft).objectStride)},
	{name: "func-new-is-data", base: inVmlinux, edit: func(d *draft) {
		d.model(func(f *elfrw.File) {
			s, i := d.relocAt(f, "funcs", funcNew)
			relocs := slices.Clone(s.Relocs())
			relocs[i].Sym, relocs[i].Addend = d.symbolIn(f, "hold"), 0
			s.SetRelocs(relocs)
		})
	}},
	{name: "func-new-is-init", base: inVmlinux, edit: func(d *draft) {
		d.model(func(f *elfrw.File) {
			s, i := d.relocAt(f, "funcs", funcNew)
			relocs := slices.Clone(s.Relocs())
			relocs[i].Sym, relocs[i].Addend = d.symbolIn(f, "klplab_cmdline_init"), 0
			s.SetRelocs(relocs)
		})
	}, open: freed},
	{name: "func-new-inside", base: inVmlinux, show: "/proc/version", edit: func(d *draft) {
		d.model(func(f *elfrw.File) {
			s, i := d.relocAt(f, "funcs", funcNew)
			relocs := slices.Clone(s.Relocs())
			relocs[i].Addend += 4
			s.SetRelocs(relocs)
		})
	}},

	old("unknown", "no_such_function"),
	old("empty", ""),
	old("slash", "cmdline/proc_show"),
	old("127", strings.Repeat("f", 127)),
	old("128", strings.Repeat("f", 128)),
	old("511", strings.Repeat("f", 511)),
	old("512", strings.Repeat("f", 512)),
	old("ambiguous", "c_start"),
	old("data", "saved_command_line"),
	old("rodata", "linux_banner"),
	old("percpu", "cpu_number"),
	old("init", "start_kernel"),
	old("init-static", "do_initcalls"),
	old("noinstr", "irqentry_enter"),
	old("notrace", "ftrace_likely_update"),
	{name: "function-assembler", base: inVmlinux, edit: point("funcs", funcOld, "memcpy"),
		show: "/proc/version"},
	old("entry", "entry_SYSCALL_64"),
	old("thunk", "__x86_indirect_thunk_rax"),
	old("kprobes", "do_int3"),
	old("fentry", "__fentry__"),
	old("initcall-data", "init_task"),
	{name: "function-section-start", base: inVmlinux, edit: point("funcs", funcOld, "_stext"),
		show: "/proc/version"},
	old("section-end", "_etext"),
	moOld("unknown", "no_such_function", 0),
	moOld("notrace", "klplab_twin", 1),
	moOld("ambiguous", "klplab_twin", 0),
	moOld("third", "klplab_twin", 3),
	moOld("data", "klplab_secret", 0),
	called(moOld("init", "klplab_target_init", 0)),
	called(moOld("init-module", "init_module", 0)),
	moOld("exit", "klplab_target_exit", 0),
}

// positionAlone adds a klp_func that has nothing but a position.
func positionAlone(d *draft) {
	d.model(func(f *elfrw.File) { d.grow(f, "funcs", d.funcStride()) })
	d.number("funcs", d.funcStride()+funcPos, 1)
}

// unclosed takes the last element, which is empty, out of an array by the size of its symbol;
// what follows stays where it is.
func unclosed(symbol string, size func(*draft) uint64) func(*draft) {
	return func(d *draft) {
		d.model(func(f *elfrw.File) { d.symbolIn(f, symbol).Size -= size(d) })
	}
}

// anotherObject copies the first klp_object, with functions of its own.
func (d *draft) anotherObject() {
	d.another("objs", 0, d.objectStride(), d.objectStride())
	d.model(func(f *elfrw.File) {
		funcs, objs := d.symbolIn(f, "funcs"), d.symbolIn(f, "objs")
		s := funcs.Section
		to := uint64(len(s.Data)+31) &^ 31
		b := append(slices.Clone(s.Data), make([]byte, to+funcs.Size-uint64(len(s.Data)))...)
		copy(b[to:], b[funcs.Value:funcs.Value+funcs.Size])
		s.Data = b
		rs, at := d.relocAt(f, "objs", d.objectStride()+objectFuncs)
		relocs := slices.Clone(rs.Relocs())
		for _, r := range rs.Relocs() {
			if r.Offset >= funcs.Value && r.Offset < funcs.Value+funcs.Size {
				r.Offset += to - funcs.Value
				relocs = append(relocs, r)
			}
		}
		r := &relocs[at]
		r.Addend += int64(to) - (int64(r.Sym.Value) + r.Addend)
		if r.Sym.Type() != elf.STT_SECTION {
			r.Sym = objs
			r.Addend = int64(to) - int64(objs.Value)
		}
		rs.SetRelocs(relocs)
	})
}

// christen gives a klp_object that has none a name.
func (d *draft) christen(symbol, name string) {
	d.model(func(f *elfrw.File) {
		y := d.symbolIn(f, symbol)
		s, _ := d.relocAt(f, symbol, objectFuncs)
		r := elfrw.Rela{Offset: y.Value + objectName, Type: d.relocType(pointerType)}
		d.pointToString(f, &r, name)
		f.AddReloc(s, r)
	})
}

// unrelocated makes the relocations of a section do nothing.
func unrelocated(section string) func(*draft) {
	return func(d *draft) {
		for i := range d.relas(section) {
			d.rela(section, i).setType(0)
		}
	}
}

func cutBy(section string, n uint64) func(*draft) { return func(d *draft) { d.cut(section, n) } }

// extra adds a section that is loaded.
func extra(name string, flags elf.SectionFlag, size int, align uint64) func(*draft) {
	return func(d *draft) {
		d.model(func(f *elfrw.File) {
			f.AddSection(&elfrw.Section{Name: name, Type: elf.SHT_PROGBITS,
				Flags: uint64(elf.SHF_ALLOC | flags), Align: align, Data: make([]byte, size)})
		})
	}
}

var specialMutants = []mutant{
	{name: "altinstructions-extra-odd", base: inVmlinux, edit: extra(".altinstructions", 0, 5, 1)},
	{name: "altinstructions-extra-zeros", base: inVmlinux,
		edit: extra(".altinstructions", 0, 1, 1)},
	{name: "altinstr-aux", base: inVmlinux, edit: extra(".altinstr_aux", elf.SHF_EXECINSTR, 16, 1)},
	{name: "jump-table-odd", base: inSpecial, edit: cutBy("__jump_table", 1), open: after},
	{name: "jump-table-unrelocated", base: inSpecial, edit: unrelocated(".rela__jump_table"),
		open: "a special table without its relocations"},
	{name: "jump-table-klp-unrelocated", base: inSpecial,
		edit: func(d *draft) { d.rela(".klp.rela.vmlinux.__jump_table", 0).setType(0) }},
	{name: "bug-table-odd", base: ordinary, edit: cutBy("__bug_table", 1)},
	{name: "bug-table-unrelocated", base: ordinary, edit: unrelocated(".rela__bug_table")},
	{name: "mcount-odd", base: inVmlinux, edit: cutBy("__mcount_loc", 1), open: after},
	{name: "mcount-unrelocated", base: inVmlinux, edit: unrelocated(".rela__mcount_loc")},
	{name: "mcount-missing", base: inVmlinux, edit: rename("__mcount_loc", "__mcount_lok")},
	{name: "orc-odd", base: inVmlinux, edit: cutBy(".orc_unwind", 1), alone: true},
	{name: "orc-short", base: inVmlinux, edit: cutBy(".orc_unwind", 6), alone: true},
	{name: "orc-missing", base: inVmlinux, edit: rename(".orc_unwind", ".orc_unwinb"), alone: true},
	{name: "orc-ip-missing", base: inVmlinux, edit: rename(".orc_unwind_ip", ".orc_unwinb_ip"),
		alone: true},
	{name: "parainstructions-odd", base: inSpecial, edit: cutBy(".parainstructions", 1)},
	{name: "param-odd", base: inVmlinux, edit: cutBy("__param", 1)},
	{name: "dyndbg-odd", base: ordinary, edit: cutBy("__dyndbg", 1), open: after},
	{name: "ksymtab-odd", base: exporting, edit: cutBy("__ksymtab_gpl", 1)},
	{name: "ksymtab-unrelocated", base: exporting, edit: unrelocated(".rela__ksymtab_gpl")},
	{name: "kcrctab-missing", base: exporting, edit: rename("__kcrctab_gpl", "__kcrctab_gpx")},
	{name: "percpu-small", base: inVmlinux, edit: extra(".data..percpu", elf.SHF_WRITE, 64, 64)},
	{name: "percpu-16-mib", base: inVmlinux, edit: extra(".data..percpu", elf.SHF_WRITE, 16<<20,
		64)},
	{name: "percpu-align-8192", base: inVmlinux,
		edit: extra(".data..percpu", elf.SHF_WRITE, 64, 8192), alone: true},
	{name: "klp-arch-section", base: inSpecial,
		edit: rename(".altinstructions", ".klp.arch.vmlinux..altinstructions")},
	{name: "init-array", base: inVmlinux, edit: extra(".init_array", elf.SHF_WRITE, 8, 8)},
	{name: "ctors-zero", base: inVmlinux, edit: extra(".ctors", elf.SHF_WRITE, 8, 8)},
	{name: "extra-text", base: inVmlinux, edit: extra(".text.more", elf.SHF_EXECINSTR, 64, 16)},
	{name: "extra-duplicate", base: inVmlinux, edit: extra(".data", elf.SHF_WRITE, 64, 8)},
	{name: "extra-duplicate-empty", base: inVmlinux, edit: extra(".data", elf.SHF_WRITE, 0, 8)},
	{name: "extra-note-short", base: inVmlinux, edit: extra(".note.more", 0, 3, 4)},
	{name: "call-sites", base: inVmlinux, edit: extra(".call_sites", 0, 4, 4)},
	{name: "smp-locks-zeros", base: inVmlinux, edit: extra(".smp_locks", 0, 4, 4)},
	{name: "init-text-missing", base: inVmlinux, edit: rename(".init.text", ".text.init")},
	{name: "kprobe-blacklist-zeros", base: inVmlinux,
		edit: extra("_kprobe_blacklist", elf.SHF_WRITE, 8, 8)},
	{name: "error-injection-zeros", base: inVmlinux,
		edit: extra("_error_injection_whitelist", elf.SHF_WRITE, 16, 8)},
	{name: "btf-garbage", base: inVmlinux, edit: extra(".BTF", 0, 64, 8),
		open: "what the kernel's BPF part says of a module's BTF is not foretold"},
}
