// SPDX-License-Identifier: GPL-2.0-or-later

// Package matrix has what was predicted for many modules on many kernels, and writes it for
// those who decide on it: programs (JSON, SARIF), CI systems (JUnit) and people (HTML).
//
//	          6.1.0-56   6.12.117
//	a.ko      loads      loads
//	b.ko      loads      KLP126 #1          #1 symbol 'x' not found in symbol table
//	c.ko      KLP126 #1  3 not judged            b.ko on 6.12.117, c.ko on 6.1.0-56
//
// A cell is what one kernel makes of one module, a loader.Report. A finding that many cells
// have is in Matrix.Findings once: it is the same one if it says the same, but for the place
// in the module and for the names of the cell's own file, module and kernel. The texts of a
// Finding are those of its first cell, so that its hints can be pasted there.
//
// A baseline is a SARIF log of an earlier check. A finding of a cell is recognised by a
// fingerprint of its rule, module, kernel, symbol and message, without numbers in hexadecimal:
// places move whenever a module is built again.
//
// All texts come from files that may be hostile. Formats escape them; what is read back (a
// baseline) is bounded and checked. The same matrix gives the same bytes: no time and no name
// of a machine is written.
package matrix
