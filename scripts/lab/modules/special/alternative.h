/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alternatives that a CPU of any x86_64 machine chooses, in C and for the tests
 * below: the kernel copies "now" over "before" when it loads the code. Both are
 * one instruction of 5 bytes, so that nothing is padded. Before 6.8 a call is
 * moved right only if it is the whole of the replacement
 * (arch/x86/kernel/alternative.c, apply_alternatives).
 */
#ifndef KLPLAB_ALTERNATIVE_H
#define KLPLAB_ALTERNATIVE_H

#include <linux/types.h>
#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>

#define KLPLAB_ALTERNATIVE(before, now, arg)				\
({									\
	int res_;							\
	unsigned long arg_ = (arg);					\
	asm volatile(ALTERNATIVE(before, now, X86_FEATURE_FXSR)		\
		     : "=a" (res_), "+D" (arg_), ASM_CALL_CONSTRAINT	\
		     : : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11",	\
		     "cc", "memory");					\
	res_;								\
})

#endif
