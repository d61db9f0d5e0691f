/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rfc.h - the first dialect: records as the RFC of 2016 laid them out
 *
 * The author writes "struct" before the macro and '&' before the symbol. A
 * record ends right after its pointer: 12 bytes with 64-bit pointers and 8
 * with 32-bit ones. Nothing sets the alignment of an array, so the compiler
 * may leave gaps between two of them.
 */
#ifndef RFC_H
#define RFC_H

struct rfc_record {
	void *sym;
	unsigned int sympos;
} __attribute__((packed));

#define RFC_MODULE_RELOC(obj) \
	rfc_record __attribute__((section(".klp.module_relocs." #obj), used))

#endif
