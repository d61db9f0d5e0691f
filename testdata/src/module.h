/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module.h - just enough kernel to make a file a module
 *
 * The modules here are compiled for architectures whose kernels we have no
 * headers of, so they include none. What makes a file a livepatch module to a
 * tool is here: .modinfo, and a struct module whose init and exit pointers have
 * relocations. No kernel loads these files.
 */
#ifndef MODULE_H
#define MODULE_H

#define MODULE_INFO_(name, tag, text)					\
	static const char modinfo_##name[]				\
	__attribute__((section(".modinfo"), used, aligned(1))) = #tag "=" text
#define MODULE_INFO(tag, text) MODULE_INFO_(tag, tag, text)

struct list_head {
	struct list_head *next, *prev;
};

/* The head of the kernel's struct module; the rest is cut short. */
struct module {
	unsigned int state;
	struct list_head list;
	char name[64 - sizeof(long)];
	void *unused[8];
	int (*init)(void);
	void (*exit)(void);
} __attribute__((aligned(64)));

extern struct module __this_module;

/* A livepatch module of this name. */
#define LIVEPATCH_MODULE(modname)					\
	MODULE_INFO(license, "GPL");					\
	MODULE_INFO(livepatch, "Y");					\
	MODULE_INFO(depends, "");					\
	MODULE_INFO(name, modname);					\
	MODULE_INFO(vermagic, "6.1.0-99-test SMP mod_unload modversions "); \
	int init_module(void);						\
	void cleanup_module(void);					\
	struct module __this_module					\
	__attribute__((section(".gnu.linkonce.this_module"), used)) = {	\
		.name = modname,					\
		.init = init_module,					\
		.exit = cleanup_module,					\
	};								\
	__attribute__((section(".init.text"))) int init_module(void)	\
	{								\
		return klp_enable_patch(&__this_module);		\
	}								\
	__attribute__((section(".exit.text"))) void cleanup_module(void) { }

/* An ordinary export, which stays an ordinary relocation. */
int klp_enable_patch(void *patch);

#define noinline __attribute__((noinline))

#endif
