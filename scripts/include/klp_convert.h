/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * klp_convert.h - name the kernel symbols that a livepatch borrows
 *
 * A livepatch module often needs symbols that no one exported: the static
 * function beside the one it replaces, a variable of another file. This header
 * lets its author write down which symbols those are and where they live.
 * The compiler carries the note into the .ko, and klp-convert turns each use of
 * such a symbol into a klp relocation, which the kernel resolves when the
 * module is loaded. No kernel patch is needed: it is all plain C, for gcc and
 * clang. There are two ways to say it. They can be mixed in one module.
 *
 *
 * Records: a table beside the code
 *
 *	extern char *saved_command_line;
 *	extern int cmdline_helper(struct seq_file *m);
 *
 *	static KLP_MODULE_RELOC(vmlinux) vmlinux_syms[] = {
 *		KLP_SYMPOS(saved_command_line, 0),
 *		KLP_SYMPOS(cmdline_helper, 2),
 *	};
 *
 * Declare each symbol first, with its true type, as if it were exported: the
 * code uses it by its own name, and the table says the rest.
 *
 * KLP_MODULE_RELOC(obj) opens a table. obj is the kernel object that owns the
 * symbols: vmlinux for the kernel image, else the *module name* as lsmod prints
 * it: no ".ko", '_' and not '-'. Write one table for each object, or several;
 * they may be static. Do not make them const (all tables of one object share a
 * writable section). Do not give one symbol two objects or two positions: in
 * C it is one symbol, so nothing could tell the uses apart. Labels can.
 *
 * KLP_SYMPOS(sym, n) is one entry. The symbol is written without '&'. n is the
 * kernel's "sympos": 0 when the object has exactly one symbol of that name
 * (the kernel refuses the module if there are more), else which one is meant,
 * counted from 1 among *all* symbols of that name in the object, functions and
 * data, static and global alike: for vmlinux in order of address, as
 * /proc/kallsyms lists them; for a module in the order of its .symtab, as
 * "readelf -s" lists them.
 *
 * KLP_SYMFILE(sym, "fs/proc/cmdline.c") is an entry too, for the same tables. It
 * says which symbol is meant by the source file that defines it: a path within
 * the kernel's tree, as a string, or the file's name alone if no symbol of the
 * same name is in a file of that name. It stays true when the next kernel has
 * one more symbol of that name before it. klp-convert looks the position up in the kernel that
 * it is given (--kernel).
 *
 *		KLP_SYMFILE(name_show, "drivers/pnp/card.c"),
 *
 *
 * Labels: the note inside the declaration
 *
 *	extern int ext4_stat_cached KLP_RELOC_SYMBOL(ext4, ext4, cached);
 *	extern void nf_flush(int) KLP_RELOC_SYMBOL_POS(vmlinux, vmlinux, flush, 2);
 *
 * KLP_RELOC_SYMBOL(LP_OBJ, SYM_OBJ, NAME) follows an extern declarator,
 * before the semicolon. The identifier on the left is yours to choose; NAME is
 * the name in the kernel and may hold dots, as compilers make them (foo.isra.0).
 *
 *	LP_OBJ   says *when*: the object being livepatched. The kernel resolves
 *	         the symbol when that object is there: at once for vmlinux, with
 *	         the module for a module.
 *	SYM_OBJ  says *where*: the object in which the symbol lives.
 *
 * Both are mostly the same. They differ where a function of one module is
 * patched and its replacement needs a symbol of another. A symbol of vmlinux
 * goes with LP_OBJ vmlinux: kernels from 5.8 on take it nowhere else.
 *
 * KLP_RELOC_SYMBOL_POS(LP_OBJ, SYM_OBJ, NAME, POS) adds a position, counted as
 * above; write it as a plain number. KLP_RELOC_SYMBOL means position 0.
 *
 * KLP_RELOC_SYMBOL_FILE(LP_OBJ, SYM_OBJ, NAME, "fs/proc/cmdline.c") names the
 * source file instead, as KLP_SYMFILE does.
 *
 * If a header has declared the name already, it cannot get a label (a label must
 * be in the first declaration): choose another identifier.
 *
 *
 * Build with KBUILD_MODPOST_WARN=1, or let scripts/klp-convert.mk do so: stock
 * modpost does not know that these undefined symbols will be taken care of. They
 * are not weak, which modpost would let pass: arm64's modules, for one, can't
 * reach weak data (docs/kbuild.md).
 *
 * Each macro has its own #ifndef: a tree that defines its own keeps it.
 */
#ifndef KLP_CONVERT_H
#define KLP_CONVERT_H

#ifndef KLP_MODULE_RELOC
/*
 * One record: the symbol's address in a slot of 64 bits, then its position.
 * 12 bytes without padding on every architecture, so that a tool needs no
 * compiler to read it. On 32-bit ones the pointer takes the first half of its
 * slot, whatever the byte order.
 */
struct klp_module_reloc {
	union {
		void *sym;
		unsigned long long sym_slot;
	};
	unsigned int sympos;
} __attribute__((__packed__));

/*
 * The object's name is in the section's name and nowhere else. #obj and not
 * some __stringify(obj): an object's name must not be macro-expanded, and
 * "unix", which compilers predefine as 1, is a module.
 *
 * used: nothing refers to the tables, and neither the compiler nor LTO may
 * conclude that they can go. aligned(4): without it compilers align big tables
 * more than small ones and leave gaps between them.
 */
#define KLP_MODULE_RELOC(obj)						\
	struct klp_module_reloc						\
	__attribute__((__section__(".klp.module_relocs." #obj),	\
		       __used__, __aligned__(4)))
#endif

#ifndef KLP_SYMPOS
/*
 * The cast drops const and lets functions, arrays and objects share a slot. By way
 * of a number: x86's per-CPU variables are in an address space of their own for
 * gcc (__percpu in asm/percpu.h, 6.15), from which no pointer is a constant here.
 */
#define KLP_SYMPOS(symbol, pos)						\
	{ .sym = (void *)(unsigned long)&(symbol), .sympos = (pos) }
#endif

#ifndef KLP_SYMFILE
/*
 * Two records: the symbol's, and after it one that points at the path. A
 * position that no kernel reaches marks both, so that a tool that treats them as
 * two symbols does not get far. The "" in front lets nothing but a string pass.
 */
#define KLP_SYMFILE(symbol, file)					\
	{ .sym = (void *)(unsigned long)&(symbol), .sympos = 0xffffffff }, \
	{ .sym = (void *)("" file), .sympos = 0xffffffff }
#endif

/*
 * A label is the symbol's name in the .ko, with the position last:
 *
 *	.klp.sym.rela.LP_OBJ.SYM_OBJ.NAME.POS	this header
 *	.klp.sym.rela.LP_OBJ.SYM_OBJ.NAME,POS	with KLP_RELOC_SYMBOL_COMMA
 *
 * klp-convert reads both. The dot is the default because every assembler reads
 * it bare. The comma separates operands, so that it has to be quoted, and there
 * toolchains part: gcc copies a label into its assembly as it is, hence the
 * quotes must be in the label, and gas up to 2.36 still stops at the comma
 * inside them ("missing closing"), that for loongarch64 in 2.44 too ("no match
 * insn"); clang quotes by itself, hence quotes in the
 * label end up in the symbol's name, or, with -fno-integrated-as, stop gas.
 * Seen with gcc 12 and gas 2.35, 2.40 and 2.44, and with clang 11 and 14.
 *
 * Define KLP_RELOC_SYMBOL_COMMA before including this header where another
 * tool, one that reads commas only, comes after the compiler.
 */
#if !defined(KLP_RELOC_SYMBOL_COMMA)
#define KLP_LABEL_(label, pos)	__asm__(label "." pos)
#elif defined(__clang__)
#define KLP_LABEL_(label, pos)	__asm__(label "," pos)
#else
#define KLP_LABEL_(label, pos)	__asm__("\"" label "," pos "\"")
#endif

/* Neither macro is made from the other: passing names on would expand them. */
#ifndef KLP_RELOC_SYMBOL_POS
#define KLP_RELOC_SYMBOL_POS(lp_obj, sym_obj, name, pos)		\
	KLP_LABEL_(".klp.sym.rela." #lp_obj "." #sym_obj "." #name, #pos)
#endif

#ifndef KLP_RELOC_SYMBOL
#define KLP_RELOC_SYMBOL(lp_obj, sym_obj, name)				\
	KLP_LABEL_(".klp.sym.rela." #lp_obj "." #sym_obj "." #name, "0")
#endif

/*
 * By file, the name and its file come last:
 *
 *	.klp.sym.file.LP_OBJ.SYM_OBJ.NAME/PATH
 *
 * No symbol's name holds a slash, and paths hold '-' and '/', so this label
 * needs the quotes of KLP_RELOC_SYMBOL_COMMA, which all of the assemblers named
 * above read, but for gas for loongarch64, which reads no quoted symbol: use a
 * record there. It is the comma that the older ones stop at.
 */
#ifndef KLP_RELOC_SYMBOL_FILE
#ifdef __clang__
#define KLP_FILE_LABEL_(label, file)	__asm__(label "/" file)
#else
#define KLP_FILE_LABEL_(label, file)	__asm__("\"" label "/" file "\"")
#endif
#define KLP_RELOC_SYMBOL_FILE(lp_obj, sym_obj, name, file)		\
	KLP_FILE_LABEL_(".klp.sym.file." #lp_obj "." #sym_obj "." #name, file)
#endif

#endif /* KLP_CONVERT_H */
