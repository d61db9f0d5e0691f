// SPDX-License-Identifier: GPL-2.0-or-later

package typecheck

import (
	"bytes"
	"debug/elf"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
	"github.com/klp-convert/klp-convert/sympos/ctypes/fromdwarf"
)

// Borrowed is a symbol that the livepatch refers to and the kernel has.
type Borrowed struct {
	// Symbol is what the livepatch calls it: the name of the undefined symbol, or that of C where
	// the symbol has been renamed.
	Symbol       string
	Object, Name string // as the kernel calls them
	Position     uint64 // sympos; 0: the only one, or not known
}

// Replaced is a function of the kernel that the livepatch replaces.
type Replaced struct {
	New          string // the livepatch's function; "" if no symbol begins there
	Object, Name string
	Position     uint64
}

// Livepatch is a module and what it declares, for any number of kernels. It is for one goroutine
// at a time.
type Livepatch struct {
	machine  elf.Machine
	release  string     // that it was built for
	replaced []Replaced // by its patches
	patched  []string   // objects; structs are looked up in them by name

	contents []byte
	types    *ctypes.Types // from debug information; nil if there is none
	failed   error
	empty    bool // the types have none of its functions
	locals   []local
	defined  []string
	hasBTF   bool
	hasBase  bool // for the BTF
}

// local is the type of a variable in the livepatch's code.
type local struct {
	typ *ctypes.Type
	tag string // see declared.Tag
	in  string // a function that has it
}

// Read reads what a module declares under the names of these symbols, and of the functions that it
// defines. contents are the bytes of f, and must not change as long as the Livepatch is in use.
// release is the kernel's for which it was built. What can't be read is no error here: Check says
// that nothing was compared.
func Read(f *elfrw.File, contents []byte, release string, patches []*klppatch.Patch,
	symbols []string,
) *Livepatch {
	l := &Livepatch{machine: f.Header.Machine, release: release, contents: contents,
		hasBTF: f.Section(".BTF") != nil, hasBase: f.Section(".BTF.base") != nil}
	l.readPatches(patches)
	wanted := map[string]bool{}
	for _, name := range symbols {
		wanted[name] = true
	}
	for _, y := range f.Symbols {
		if y.Section != nil && y.Type() == elf.STT_FUNC && y.Name != "" && len(l.defined) < maxDefined {
			l.defined = append(l.defined, y.Name)
			wanted[y.Name] = true
		}
	}
	l.types, l.failed = sympos.ReadDeclarations("", contents, func(name []byte) bool {
		return wanted[string(name)] || bytes.HasPrefix(name, []byte(labelPrefix))
	})
	if l.failed != nil {
		l.types = nil
		return l
	}
	l.readLocals()
	return l
}

// readPatches notes which functions of which objects the patches replace.
func (l *Livepatch) readPatches(patches []*klppatch.Patch) {
	for _, p := range patches {
		for _, o := range p.Objects {
			if !slices.Contains(l.patched, o.Name) {
				l.patched = append(l.patched, o.Name)
			}
			for _, f := range o.Funcs {
				r := Replaced{Object: o.Name, Name: f.OldName, Position: f.Sympos}
				if f.New.Symbol != nil {
					r.New = f.New.Symbol.Name
				}
				l.replaced = append(l.replaced, r)
			}
		}
	}
}

// maxDefined bounds the functions whose variables are looked at.
const maxDefined = 1 << 16

// readLocals collects the structs, unions and enums that variables of the code are, or point to.
func (l *Livepatch) readLocals() {
	known := map[string]bool{}
	l.empty = true
	for _, name := range l.defined {
		if list, err := l.types.Functions(name); err != nil || len(list) > 0 {
			l.empty = false
		}
		refs, err := fromdwarf.Locals(l.types, name)
		if err != nil {
			l.failed = err
			l.types = nil
			return
		}
		for _, r := range refs {
			t := pointedTo(r.Type())
			switch bare := t.Bare(); {
			case bare.Kind != ctypes.Struct && bare.Kind != ctypes.Union && bare.Kind != ctypes.Enum,
				bare.Incomplete:
				continue
			}
			if tag := tagOf(t); tag != "" && !known[tag] {
				known[tag] = true
				l.locals = append(l.locals, local{t, tag, name})
			}
		}
	}
}

// maxPointers bounds how many pointers and arrays are followed.
const maxPointers = 16

// pointedTo returns what a pointer to pointers, or an array, leads to, with the typedefs around it.
func pointedTo(t *ctypes.Type) *ctypes.Type {
	for range maxPointers {
		switch bare := t.Bare(); bare.Kind {
		case ctypes.Pointer, ctypes.Array:
			t = bare.Elem.Type()
		default:
			return t
		}
	}
	return t
}

// names returns all names that may be asked of a kernel's debug information.
func (c *checker) names() sympos.Want {
	var names []string
	for _, b := range c.borrowed {
		names = append(names, b.Name)
	}
	for _, r := range c.livepatch.replaced {
		names = append(names, r.Name)
	}
	for _, x := range c.livepatch.locals {
		names = append(names, nameOf(x.typ))
	}
	return sympos.Names(names...)
}

// bySymbol returns what is borrowed under each symbol of the livepatch, and the symbols in their
// order.
func bySymbol(borrowed []Borrowed) (of map[string][]Borrowed, symbols []string) {
	of = map[string][]Borrowed{}
	for _, b := range borrowed {
		if of[b.Symbol] == nil {
			symbols = append(symbols, b.Symbol)
		}
		if !slices.Contains(of[b.Symbol], b) {
			of[b.Symbol] = append(of[b.Symbol], b)
		}
	}
	slices.Sort(symbols)
	return of, symbols
}
