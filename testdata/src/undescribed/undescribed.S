/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * undescribed.S - debug information as gcc 10.2 writes it of a function that is called and not
 * defined: the name, neither a type nor parameters. The second entry has a type.
 */
	.text
caller:	call	undescribed
	call	described

	.section .debug_abbrev, "", @progbits
.Labbrev:
	.uleb128 1, 0x11		/* DW_TAG_compile_unit */
	.byte	1			/* DW_CHILDREN_yes */
	.uleb128 0x03, 0x08		/* DW_AT_name, DW_FORM_string */
	.uleb128 0x13, 0x0b		/* DW_AT_language, DW_FORM_data1 */
	.uleb128 0, 0
	.uleb128 2, 0x2e		/* DW_TAG_subprogram */
	.byte	0
	.uleb128 0x3f, 0x19		/* DW_AT_external, DW_FORM_flag_present */
	.uleb128 0x3c, 0x19		/* DW_AT_declaration */
	.uleb128 0x6e, 0x08		/* DW_AT_linkage_name */
	.uleb128 0x03, 0x08		/* DW_AT_name */
	.uleb128 0, 0
	.uleb128 3, 0x2e
	.byte	0
	.uleb128 0x3f, 0x19
	.uleb128 0x3c, 0x19
	.uleb128 0x27, 0x19		/* DW_AT_prototyped */
	.uleb128 0x03, 0x08
	.uleb128 0x49, 0x13		/* DW_AT_type, DW_FORM_ref4 */
	.uleb128 0, 0
	.uleb128 4, 0x24		/* DW_TAG_base_type */
	.byte	0
	.uleb128 0x0b, 0x0b		/* DW_AT_byte_size */
	.uleb128 0x3e, 0x0b		/* DW_AT_encoding */
	.uleb128 0x03, 0x08
	.uleb128 0, 0
	.byte	0

	.section .debug_info, "", @progbits
.Lunit:	.long	.Lend - .Lversion
.Lversion:
	.value	4
	.long	.Labbrev
	.byte	8
	.uleb128 1
	.asciz	"undescribed.c"
	.byte	0x0c			/* DW_LANG_C99 */
	.uleb128 2
	.asciz	"undescribed"
	.asciz	"undescribed"
	.uleb128 3
	.asciz	"described"
	.long	.Lint - .Lunit
.Lint:	.uleb128 4
	.byte	4, 5			/* DW_ATE_signed */
	.asciz	"int"
	.byte	0
.Lend:
