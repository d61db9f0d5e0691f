// SPDX-License-Identifier: GPL-2.0-or-later
/* What makes a module of the files, where they are linked into one. */
#include "../../module.h"

MODULE_INFO(license, "GPL");
MODULE_INFO(name, "twins");

int use(int);
int init_module(void);
struct module __this_module
__attribute__((section(".gnu.linkonce.this_module"), used)) = {
	.name = "twins",
	.init = init_module,
};
__attribute__((section(".init.text"))) int init_module(void)
{
	return use(1);
}
