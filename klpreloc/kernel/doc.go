// SPDX-License-Identifier: GPL-2.0-or-later

// Package kernel has every fact that depends on the kernel's version: when it changed, by
// which commit, and which stable releases took the change.
//
//	Version     a version, and the limits of names by version
//	Scheme      how a kernel applies klp relocations
//	Structures  the sizes of klp_patch, klp_object and klp_func
//	Loader      what a kernel's module loader checks and prints
//	VendorEarly kernels of distributions that carry newer livepatching
//
// No other package compares versions, except for two: explain has next to each message since
// when kernels print it, and sympos, which is below this one, by which names kernels find symbols.
package kernel
