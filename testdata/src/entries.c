// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Functions with ftrace entries and without, in turn, so that an entry that is counted to
 * the function before it or after it is seen. What begins with "no" has none.
 */
#ifdef PATCHABLE
#define notrace __attribute__((patchable_function_entry(0, 0)))
#else
#define notrace __attribute__((no_instrument_function))
#endif
#define noinline __attribute__((noinline))

int value;
int (*volatile callback)(int);

notrace noinline int no_first(int x)
{
	return value - x;
}

noinline int leaf(void)
{
	return 1;
}

notrace noinline int no_between(void)
{
	return 2;
}

noinline int calls(int x)
{
	return callback(x) + leaf();
}

noinline int calls_again(int x)
{
	return callback(x) * no_between() + no_first(x);
}

notrace noinline void no_last(void)
{
}

__attribute__((section(".text.unlikely"))) noinline int cold(int x)
{
	return x + value;
}

__attribute__((section(".text.unlikely"))) notrace noinline int no_cold(int x)
{
	return x * value;
}
