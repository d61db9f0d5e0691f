// SPDX-License-Identifier: GPL-2.0-or-later
/* Global symbols of the same names as the static ones in fs/, in a file of another name. */
int twin_call(int), use(int), use_proc(int), use_ext(int);

int twin_value = 3;

__attribute__((noinline)) int twin_call(int n)
{
	static int twin_calls = 3;

	return n * twin_value + twin_calls++;
}

int use(int n)
{
	return use_proc(n) + use_ext(n) + twin_call(n);
}
