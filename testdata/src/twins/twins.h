/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * twins.h - symbols of every kind that debug information tells the file of:
 * a function, one in a section of its own, a variable, a variable of a
 * function and an array that is read only
 */
#define TWINS(file)							\
	static int twin_value = 1;					\
	static const int twin_table[] = { 1, 2, 3, 4 };			\
	__attribute__((noinline)) static int twin_call(int n)		\
	{								\
		static int twin_calls;					\
									\
		return n + twin_value++ + twin_calls++ + twin_table[n & 3]; \
	}								\
	__attribute__((noinline, section(".text.unlikely")))		\
	static int twin_slow(int n)					\
	{								\
		return twin_call(n + 1) * 2;				\
	}								\
	int use_##file(int n);						\
	int use_##file(int n)						\
	{								\
		return twin_call(n) + twin_slow(n);			\
	}
