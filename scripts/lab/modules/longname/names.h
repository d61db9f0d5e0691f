/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With the prefix, the module's name and the position, the klp symbols of these have 127 and
 * 128 bytes: as many as kernels before 5.19 store, and one more.
 */
#define FITS klplab_long_name_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
#define CUT klplab_long_name_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
