/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * klp.h - what modpost has to know of livepatches (scripts/mod/klp.h)
 *
 * modpost refuses a module with a symbol that no module exports. In a livepatch
 * some of these are borrowed: an annotation (include/linux/klp_convert.h) says
 * where they are, and klp-convert turns them into klp relocations after the
 * link. modpost ignores these symbols in livepatches. It is as strict as ever
 * with the livepatch's other symbols and with all other modules.
 *
 * And modpost is the one that looks into every module before any is linked, so
 * it notes which are livepatches, for scripts/Makefile.klp: beside X.ko there
 * is then an empty file .X.ko.livepatch. "make clean" removes it.
 */
#ifndef KLP_H
#define KLP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kernel asks the same (check_modinfo_livepatch in kernel/module): is there
 * such a tag in .modinfo, which is a row of strings? */
static int klp_is_livepatch(const struct elf_info *info)
{
	static const char tag[] = "livepatch=";
	const char *s = info->modinfo;
	const char *end = s ? s + info->modinfo_len : NULL;

	while (s < end) {
		if ((size_t)(end - s) >= sizeof(tag) &&
		    !memcmp(s, tag, sizeof(tag) - 1))
			return 1;
		s += strnlen(s, end - s) + 1;
	}
	return 0;
}

/* The symbol is named by a label, or by a record of a table. */
static int klp_is_annotated(const struct elf_info *info, const char *symname)
{
	static const char table[] = ".rela.klp.module_relocs.";
	const char *base = (const char *)info->hdr;
	const char *names = base + info->sechdrs[info->secindex_strings].sh_offset;
	size_t nsyms = info->symtab_stop - info->symtab_start;
	unsigned int i;

	if (!strncmp(symname, ".klp.sym.rela.", 14) ||
	    !strncmp(symname, ".klp.sym.file.", 14))
		return 1;

	for (i = 0; i < info->num_sections; i++) {
		const Elf_Shdr *sec = &info->sechdrs[i];
		const Elf_Rela *r, *stop;

		if (sec->sh_type != SHT_RELA ||
		    strncmp(names + sec->sh_name, table, sizeof(table) - 1))
			continue;
		r = (const Elf_Rela *)(base + sec->sh_offset);
		stop = r + sec->sh_size / sizeof(*r);
		for (; r < stop; r++) {
			size_t n = ELF_R_SYM(TO_NATIVE(r->r_info));

			if (n < nsyms && !strcmp(symname, info->strtab +
						 info->symtab_start[n].st_name))
				return 1;
		}
	}
	return 0;
}

/* Whether the undefined symbol is klp-convert's business. */
static int klp_borrowed(const struct elf_info *info, const char *symname)
{
	return klp_is_livepatch(info) && klp_is_annotated(info, symname);
}

/* Note whether the module that is linked from this object is a livepatch. */
static void klp_note(const struct elf_info *info, const char *object)
{
	const char *name = strrchr(object, '/');
	size_t dir = name ? name + 1 - object : 0;
	size_t len = strlen(object) - dir - strlen(".o");
	size_t size = strlen(object) + sizeof("..ko.livepatch");
	char *path = malloc(size);
	FILE *f;

	if (!path) {
		perror("modpost: klp_note");
		exit(1);
	}
	snprintf(path, size, "%.*s.%.*s.ko.livepatch", (int)dir, object,
		 (int)len, object + dir);
	if (!klp_is_livepatch(info)) {
		if (remove(path) && errno != ENOENT) {
			perror(path);
			exit(1);
		}
	} else if ((f = fopen(path, "a")) == NULL || fclose(f)) {
		perror(path);
		exit(1);
	}
	free(path);
}

#endif
