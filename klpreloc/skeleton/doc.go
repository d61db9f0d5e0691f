// SPDX-License-Identifier: GPL-2.0-or-later

// Package skeleton writes the source of a livepatch that replaces given functions of a kernel: what
// an author otherwise copies together.
//
//	vmlinux:uptime_proc_show ──▶ resolve ──▶ symbols, positions   ─┐
//	ext4:ext4_stat               loader  ──▶ what ftrace can do    ├─▶ Source: text of a C file
//	                             cdecl   ──▶ signatures, headers  ─┘
//
// All functions are checked before anything is written; what can't be replaced is refused, with
// the reason and what can be replaced instead.
//
// What a replacement must do only the author knows, and loading a livepatch means that its
// functions are used. No body is right in all places: one that returns 0 breaks whoever calls the
// function, and one that calls the original function is called again by it. So the module that is
// written loads, its klp relocations are applied, but it enables nothing until its parameter
// "ready" is set, which the author does when the bodies are written.
package skeleton
