/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * borrow.h - every way in which a section comes to refer to a symbol
 *
 * Shared by the samples, so that they differ in their annotations only. The
 * file that includes it has declared, with any labels it likes:
 *
 *	vmlinux		int vm_call(int), vm_value, vm_table[8]; char *vm_string
 *	ext4		int mod_call(int), mod_value
 */
#ifndef BORROW_H
#define BORROW_H

/* .text: a call, a load, a load with an addend, a call whose result is used */
int replaced_show(int n);
noinline int replaced_show(int n)
{
	return vm_call(n) + vm_value + vm_table[3] + mod_call(vm_string[n]);
}

/* .text.unlikely: a second section of code, one symbol in common with .text */
int replaced_slow(int n);
__attribute__((section(".text.unlikely"))) noinline int replaced_slow(int n)
{
	return vm_call(n + 1) - mod_value;
}

/* .data: pointers, one into the middle of an array */
int *data_pointers[] = { &vm_value, &vm_table[5], &mod_value };
int (*data_calls[])(int) = { vm_call, mod_call };

/* .rodata: the same where the loader writes once */
int *const rodata_pointers[] = { &vm_table[1], &mod_value, &vm_table[7] };

#endif
