// SPDX-License-Identifier: GPL-2.0-or-later

package inlining

import "github.com/klp-convert/klp-convert/sympos/debuginfo"

// A Query asks for functions.
type Query struct {
	// Addresses are those of their symbols, whose names may be others: in a linked file as they
	// are, in a module what debuginfo.File.Place returns.
	Addresses []uint64
	// Name is that of functions without a symbol; used if there are no addresses.
	Name string
}

// A Function is a function as the source has it, and where its code is.
type Function struct {
	Name string
	// File is the path where it is declared, absolute if the compiler's directory is known, and
	// Line the line there; "" and 0 if not known.
	File string
	Line uint64
	// Bodies are its code with symbols of their own, in the order of the file: what its symbol
	// names, clones, and of a function in a header the code in each unit.
	Bodies []*Body
	// Copies are where it is inlined, in the order of the file.
	Copies []Site
	// WasInlined is that the compiler says that it inlined the function; gcc says the same of one
	// that it cloned. With one body and without Copies no instruction of it is left in its callers,
	// but what it returned may be.
	WasInlined bool

	queried bool // a query asks for it
	defined bool
}

// A Body is code of a function that something calls.
type Body struct {
	Address uint64 // as in a Query
	Unit    *debuginfo.Unit
	// Calls are the direct calls of this code, as far as the compiler describes calls: gcc since
	// 4.7, only if optimising.
	Calls []Site
}

// A Site is a place in code.
type Site struct {
	// Caller is the name of the function whose code has the place, as in the source; "" if not
	// known. Address is where that code begins, as in a Query.
	Caller  string
	Address uint64
	// File and Line are those of the call in the source; of calls of bodies "" and 0 mostly.
	File string
	Line uint64
	// Via are the functions by whose inlining the place came into the caller, the outermost
	// first; the last one has the call in its source. Of many the first ones.
	Via  []string
	Unit *debuginfo.Unit
}

// A Result is what was found.
type Result struct {
	// Functions are in the order of the file. With several of one name, each is of another
	// file or line.
	Functions []*Function
	// Doubt says why there may be more copies; "" if there are not.
	Doubt string
	// Units are all units of the file.
	Units []*debuginfo.Unit
}
