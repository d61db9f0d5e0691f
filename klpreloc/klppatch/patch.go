// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Vmlinux is what an object without a name is called: the kernel itself.
const Vmlinux = "vmlinux"

// Patch is one patch as the module declares it.
type Patch struct {
	From    Source
	At      elfrw.Range   // the klp_patch, or the whole table of a tool
	Symbol  *elfrw.Symbol // of the klp_patch; nil when none begins there
	Objects []Object      // in the module's order

	// Replace is klp_patch.replace as the file has it: the module's code may
	// set it. ReplaceKnown is false where only code does, and on kernels
	// that have no such member (before 5.1).
	Replace, ReplaceKnown bool

	// Strides says how long the structures are.
	Strides Strides
}

// Source is where a declaration was found.
type Source string

// The forms that declarations have.
const (
	Static   Source = "klp_patch"         // static C structures
	Kpatch   Source = ".kpatch.funcs"     // kpatch-build
	KlpBuild Source = ".init.klp_objects" // the kernel's scripts/livepatch/klp-build
)

// Strides are the sizes of the structures in bytes, 0 where nothing had to be
// known: an array with one element and its end is the same with any.
type Strides struct {
	Object, Func     uint64
	ObjectBy, FuncBy Evidence
}

// Object is a livepatched object: a module, or the kernel.
type Object struct {
	Name      string // Vmlinux where the module leaves it out
	Funcs     []Func // may be empty, for an object with callbacks only
	Callbacks []Callback
	At        elfrw.Range // the klp_object; no section when From is Kpatch
	FuncsAt   elfrw.Range // its klp_func array with the end; no section when From is Kpatch
}

// Func says which function is replaced by which.
type Func struct {
	OldName string
	Sympos  uint64 // 0: there is only one of that name
	New     Code
	At      elfrw.Range // the klp_func
}

// Callback is a function that the kernel calls when the object is patched.
type Callback struct {
	Name string // "pre_patch", "post_patch", "pre_unpatch" or "post_unpatch"
	Code
	At elfrw.Range // the pointer
}

// Code is where a function is.
type Code struct {
	Symbol  *elfrw.Symbol  // nil when none begins there
	Section *elfrw.Section // nil when the module imports the function
	Offset  uint64         // in Section
}

// Object returns the object of that name, or nil. A patch may name one twice;
// that is the first.
func (p *Patch) Object(name string) *Object {
	for i := range p.Objects {
		if p.Objects[i].Name == name {
			return &p.Objects[i]
		}
	}
	return nil
}

// String says what is replaced: "cmdline_proc_show → livepatch_cmdline_proc_show".
func (f Func) String() string {
	old := f.OldName
	if f.Sympos != 0 {
		old += "," + strconv.FormatUint(f.Sympos, 10)
	}
	return old + " → " + f.New.String()
}

// String returns the function's name, or where it is.
func (c Code) String() string {
	if c.Symbol != nil {
		return c.Symbol.String()
	}
	return elfrw.Place{Section: c.Section, Offset: c.Offset}.String()
}

// ErrNone says that the module declares no patch.
var ErrNone = errors.New("the module declares no livepatch")

// Unreadable is the error for a module that has a patch, all or some of which
// can't be read statically.
type Unreadable []Doubt

// Doubt is one thing that can't be read, and why.
type Doubt struct {
	elfrw.Range        // no section when it is about the whole module
	Reason      string // lower case, no full stop
	// Flaw is what is certainly wrong with the array there, and Of what it is an
	// array of: klp_func or klp_object.
	Flaw Flaw
	Of   string
}

// Flaw is a mistake of the author.
type Flaw int

// The flaws of arrays.
const (
	NoFlaw   Flaw = iota
	Unclosed      // no empty element at the end: the kernel reads on past it
	Emptied       // the first element is empty, which ends it, and others follow
)

func (d Doubt) String() string {
	if d.Section == nil {
		return d.Reason
	}
	return d.Range.String() + ": " + d.Reason
}

// Error lists the doubts.
func (u Unreadable) Error() string {
	const most = 8
	var all []string
	for i, d := range u {
		if i == most {
			all = append(all, fmt.Sprintf("and %d more", len(u)-most))
			break
		}
		all = append(all, d.String())
	}
	return strings.Join(all, "; ")
}
