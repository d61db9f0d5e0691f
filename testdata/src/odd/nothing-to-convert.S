/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A livepatch module without annotations.
 */

	.include "module.inc"
	livepatch nothing_to_convert

	use	exported
