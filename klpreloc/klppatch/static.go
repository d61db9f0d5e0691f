// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch

import (
	"debug/elf"
	"errors"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/sympos"
)

// thisModule is what THIS_MODULE is the address of. modpost's .mod.c defines it
// as the whole of its section (scripts/mod/modpost.c, add_header).
const (
	thisModule        = "__this_module"
	thisModuleSection = sympos.ThisModule
)

// enablers are the functions that take a klp_patch: all livepatches call the
// first, and those for kernels before 5.1 the second as well.
var enablers = map[string]bool{"klp_enable_patch": true, "klp_register_patch": true}

// objectLimit bounds how many objects are read; a real patch has a few dozen at
// most. Following the objects' references needs memory for each.
const objectLimit = 256

// reader reads what one module declares.
type reader struct {
	*image
	calls bool   // the module hands a klp_patch to the kernel
	left  int    // elements that may still be looked at
	total uint64 // objects so far
	btf   map[string]uint64
	dwarf map[string]uint64

	objs map[elfrw.Place]*objects // arrays that were read
	fns  map[elfrw.Place]*funcs
	// shape holds spots that don't look like objects, and those that do.
	shape map[elfrw.Place]bool
}

type objects struct {
	array
	all []Object
	fn  candidate // of all their functions
	err error
}

type funcs struct {
	array
	all []Func
	err error
}

// Read returns the patches that f declares. The error is ErrNone when there is
// none, and Unreadable when there is something that can't be told from the
// file: then the patches, if any, are those that can.
func Read(f *elfrw.File) ([]*Patch, error) {
	r := &reader{
		image: newImage(f), objs: map[elfrw.Place]*objects{}, fns: map[elfrw.Place]*funcs{},
		shape: map[elfrw.Place]bool{},
	}
	for _, s := range f.Sections {
		if s.HasRelocs() {
			r.left += s.NumRelocs()
		}
	}
	r.left = 4*r.left + 64 // each stride that is tried visits each element once
	for _, y := range f.Symbols {
		r.calls = r.calls || y.Undefined() && enablers[y.Name]
	}
	if r.address == 0 || (r.word == 8) != (f.Header.Machine != elf.EM_PPC) {
		if r.calls {
			return nil, Unreadable{{Reason: "no kernel has livepatching on " + f.Header.Machine.String()}}
		}
		return nil, ErrNone
	}

	patches, doubts := r.readRoots()
	for _, tool := range []func() (*Patch, error){r.readKpatch, r.readKlpBuild} {
		p, err := tool()
		var u Unreadable
		if errors.As(err, &u) {
			doubts = append(doubts, u...)
		} else if p != nil {
			patches = append(patches, p)
		}
	}
	switch {
	case len(doubts) != 0:
		return patches, doubts
	case len(patches) != 0:
		return patches, nil
	case r.calls:
		return nil, Unreadable{{Reason: "the module enables a livepatch, but its data has no klp_patch " +
			"with objects; its code may fill one in"}}
	}
	return nil, ErrNone
}

// spendWork counts one step of work, and reports whether more is allowed.
func (r *reader) spendWork() bool {
	r.left--
	return r.left >= 0
}

// readRoots reads the klp_patch structures.
func (r *reader) readRoots() (patches []*Patch, doubts Unreadable) {
	var last elfrw.Range
	r.f.Refers(func(y *elfrw.Symbol) bool {
		return y.Name == thisModule || y.Type() == elf.STT_SECTION && y.Section != nil &&
			y.Section.Name == thisModuleSection
	}, func(x elfrw.Reference) bool {
		s := x.Section.Target
		if x.Section.Type != elf.SHT_RELA || s == nil || !writable(s) || s.Name == thisModuleSection ||
			x.Addend != 0 || x.Type != r.address || x.Offset%r.word != 0 {
			return true
		}
		at := elfrw.RangeOf(s, x.Offset, 2*r.word)
		if at == last || r.pointer(s, x.Offset) == nil { // two at one place
			return true
		}
		last = at
		objs := r.pointer(s, x.Offset+r.word)
		if objs == nil {
			return true
		}
		p, ok := target(objs)
		if !ok || !r.mayBeObjects(p) {
			return true
		}
		patch, err := r.readPatch(at, p)
		var u Unreadable
		switch {
		case err == nil:
			patches = append(patches, patch)
			if list := r.reservedRange(p, r.readObjects(p).Range); r.codeRefers(list) {
				doubts = append(doubts, Doubt{Range: list,
					Reason: "the module's code refers to the list of objects, and may change it"})
			}
		case errors.As(err, &u) && r.calls && len(doubts) < 64: // otherwise it is something else
			doubts = append(doubts, u...)
		}
		return true
	})
	return patches, doubts
}

// mayBeObjects reports whether p may be an array of objects, so that what is wrong
// with it is worth reporting. A dozen kinds of structure begin with THIS_MODULE and
// a pointer to data.
func (r *reader) mayBeObjects(p elfrw.Place) bool {
	is, known := r.shape[p]
	if !known {
		is = r.mayBeObject(p)
		r.shape[p] = is
	}
	return is
}

// mayBeObject reports whether a klp_object may begin at p: it has functions, and
// if it has a name that is one.
func (r *reader) mayBeObject(p elfrw.Place) bool {
	if !writable(p.Section) || p.Offset%r.word != 0 {
		return false
	}
	if y := r.symbol(p, elf.STT_OBJECT); y != nil && y.Size != 0 && y.Size < klpObject.used*r.word {
		return false
	}
	funcs := r.pointer(p.Section, p.Offset+r.word)
	if funcs == nil {
		return false // no objects yet, or something else
	}
	if len(r.between(p.Section, p.Offset, p.Offset+r.word)) != 0 {
		if _, ok := r.readName(r.pointer(p.Section, p.Offset)); !ok {
			return false
		}
	}
	to, ok := target(funcs)
	return ok && writable(to.Section) && r.mayBeFunc(to)
}

// mayBeFunc reports whether a klp_func may begin at p, or the end of its array:
// at least one of its two pointers is what it should be.
func (r *reader) mayBeFunc(p elfrw.Place) bool {
	if len(r.between(p.Section, p.Offset, p.Offset+2*r.word)) == 0 {
		return true
	}
	if _, ok := r.readName(r.pointer(p.Section, p.Offset)); ok {
		return true
	}
	x := r.pointer(p.Section, p.Offset+r.word)
	if x == nil {
		return false
	}
	_, ok := r.readCode(x)
	return ok
}

// readPatch reads the klp_patch at that place; its objects are at p.
func (r *reader) readPatch(at elfrw.Range, p elfrw.Place) (*Patch, error) {
	o := r.readObjects(p)
	if o.err != nil {
		return nil, o.err
	}
	symbol := r.symbol(elfrw.Place{Section: at.Section, Offset: at.Offset}, elf.STT_OBJECT)
	patch := &Patch{From: Static, At: at, Symbol: symbol, Objects: o.all}
	if y := patch.Symbol; y != nil && y.Size > at.Size && y.Size <= at.Section.Size()-at.Offset {
		patch.At.Size = y.Size
	}
	patch.Strides = Strides{Object: o.stride, ObjectBy: o.by, Func: o.fn.size, FuncBy: o.fn.by}
	patch.Replace, patch.ReplaceKnown = r.readReplace(at, o.stride)
	return patch, nil
}

// reservedRange returns the place of the array that begins at p as its symbol has it, where
// that is larger than what is in use: code may fill in the rest.
func (r *reader) reservedRange(p elfrw.Place, used elfrw.Range) elfrw.Range {
	if y := r.symbol(p, elf.STT_OBJECT); y != nil && y.Size > used.Size &&
		y.Size <= p.Section.Size()-p.Offset {
		used.Size = y.Size
	}
	return used
}

// readReplace reads klp_patch.replace. Kernels that have it have a longer klp_object, which
// shows in the stride; where it is depends on whether states precede it, and what isn't it
// is zero until the kernel writes there.
func (r *reader) readReplace(at elfrw.Range, object uint64) (value, known bool) {
	v, ok := builtFor(r.f)
	known = ok && v.Replaces()
	if object != 0 {
		known = kernel.ObjectReplaces(object, r.word == 8)
	}
	if !known {
		return false, false
	}
	second, third := at.Offset+2*r.word, at.Offset+3*r.word
	if r.pointer(at.Section, second) == nil && readFlag(at.Section, second) {
		return true, true
	}
	return readFlag(at.Section, third), true
}

// readObjects reads an array of klp_object.
func (r *reader) readObjects(p elfrw.Place) *objects {
	if o := r.objs[p]; o != nil {
		return o
	}
	o := &objects{}
	r.objs[p] = o
	if o.array, o.err = r.readArray(klpObject, p); o.err != nil {
		return o
	}
	if r.total += o.n; r.total > objectLimit {
		o.err = r.newDoubt(o.Range, "%d objects are more than the %d that are read", r.total, objectLimit)
		return o
	}
	for i := uint64(0); i < o.n; i++ {
		obj, fn, err := r.readObject(o.element(i, klpObject.used*r.word))
		if err == nil && fn.size != 0 && fn.by != BySymbol {
			if o.fn.size != 0 && o.fn.by != BySymbol && o.fn.size != fn.size {
				err = r.newDoubt(obj.FuncsAt,
					"klp_func has %d bytes by its %s here, and %d by its %s elsewhere",
					fn.size, fn.by, o.fn.size, o.fn.by)
			}
			o.fn = fn
		} else if o.fn.size == 0 {
			o.fn = fn
		}
		if err != nil {
			o.err = err
			return o
		}
		o.all = append(o.all, obj)
	}
	return o
}

// callbacks are the pointers of struct klp_callbacks, in order.
var callbacks = []string{"pre_patch", "post_patch", "pre_unpatch", "post_unpatch"}

// readObject reads one klp_object.
func (r *reader) readObject(at elfrw.Range) (obj Object, fn candidate, err error) {
	obj = Object{Name: Vmlinux, At: at}
	s := at.Section
	if len(r.between(s, at.Offset, at.Offset+r.word)) != 0 {
		name, ok := r.readName(r.pointer(s, at.Offset))
		if !ok {
			return obj, fn, r.newDoubt(at, "the name of a klp_object can't be read")
		}
		if name == Vmlinux { // klp_is_module: whatever has a name
			return obj, fn, r.newDoubt(at,
				"a klp_object is named %q, which the kernel treats as a module; leave its name out", name)
		}
		obj.Name = name
	} else if r.readNumber(s, at.Offset) != 0 {
		return obj, fn, r.newDoubt(at, "the name of a klp_object is a number")
	}
	if obj.Callbacks, err = r.readCallbacks(s, at.Offset+2*r.word); err != nil {
		return obj, fn, err
	}
	funcs := r.pointer(s, at.Offset+r.word)
	if funcs == nil { // klp_init_patch_early: -EINVAL
		return obj, fn, r.newDoubt(at,
			"the klp_object of %s has no functions, which the kernel refuses, or the module's code fills them in",

			obj.Name)
	}
	p, ok := target(funcs)
	if !ok || !writable(p.Section) || p.Offset%r.word != 0 {
		return obj, fn, r.newDoubt(at, "the functions of %s are not in the module's data", obj.Name)
	}
	list := r.readFuncs(p)
	obj.Funcs, obj.FuncsAt = list.all, list.Range
	return obj, candidate{list.stride, list.by}, list.err
}

// readCallbacks reads the four pointers at offset.
func (r *reader) readCallbacks(s *elfrw.Section, offset uint64) (all []Callback, err error) {
	for i, name := range callbacks {
		at := elfrw.RangeOf(s, offset+uint64(i)*r.word, r.word)
		if len(r.between(s, at.Offset, at.Offset+r.word)) == 0 {
			if r.readNumber(s, at.Offset) != 0 {
				return nil, r.newDoubt(at, "the callback %s is a number", name)
			}
			continue
		}
		c, ok := Code{}, false
		if x := r.pointer(s, at.Offset); x != nil {
			c, ok = r.readCode(x)
		}
		if !ok {
			return nil, r.newDoubt(at, "the callback %s is not a function", name)
		}
		all = append(all, Callback{name, c, at})
	}
	return all, nil
}

// readFuncs reads an array of klp_func.
func (r *reader) readFuncs(p elfrw.Place) *funcs {
	if l := r.fns[p]; l != nil {
		return l
	}
	l := &funcs{}
	r.fns[p] = l
	if l.array, l.err = r.readArray(klpFunc, p); l.err != nil {
		return l
	}
	if l.n == 0 && r.codeRefers(l.Range) {
		l.err = r.newDoubt(l.Range,
			"no functions are listed, and the module's code refers to the list: it may fill it in")
		return l
	}
	for i := uint64(0); i < l.n; i++ {
		fn, err := r.readFunc(l.element(i, klpFunc.used*r.word))
		if err != nil {
			l.err = err
			return l
		}
		l.all = append(l.all, fn)
	}
	return l
}

// readFunc reads the three members that klp_func and klp_func_ext begin with.
func (r *reader) readFunc(at elfrw.Range) (fn Func, err error) {
	s := at.Section
	fn.At = at
	name, ok := r.readName(r.pointer(s, at.Offset))
	if !ok {
		return fn, r.newDoubt(at, "the old name of a klp_func can't be read")
	}
	fn.OldName = name
	replacement := r.pointer(s, at.Offset+r.word)
	if replacement == nil { // klp_init_func: -EINVAL
		return fn, r.newDoubt(at,
			"nothing replaces %s, which the kernel refuses, or the module's code fills it in", name)
	}
	if fn.New, ok = r.readCode(replacement); !ok {
		return fn, r.newDoubt(at, "what replaces %s is not a function", name)
	}
	if len(r.between(s, at.Offset+2*r.word, at.Offset+3*r.word)) != 0 {
		return fn, r.newDoubt(at, "the position of %s is an address", name)
	}
	fn.Sympos = r.readNumber(s, at.Offset+2*r.word)
	return fn, nil
}
