// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch

import (
	"errors"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
)

// The tables that tools that compare binaries leave for code in the module, which fills the
// kernel's structures from them:
//
//	.kpatch.funcs              struct kpatch_patch_func {new_addr, new_size, old_addr,
//	                           old_size, sympos: unsigned long; name, objname: char *}
//	.kpatch.callbacks.KIND     {callback, objname} (kpatch: kmod/patch/kpatch-patch.h)
//	.init.klp_objects          struct klp_object_ext {name; funcs; struct klp_callbacks;
//	                           unsigned int nr_funcs}
//	(.init.klp_funcs)          struct klp_func_ext {old_name; new_func; sympos}
//	                           (include/linux/livepatch_external.h, since 6.19)
//
// kpatch names the kernel "vmlinux", klp-build leaves it unnamed. The sections of
// kpatch end with a word of zero, so that they are never empty (kpatch.lds.S).
const (
	kpatchFuncs     = ".kpatch.funcs"
	kpatchCallbacks = ".kpatch.callbacks."
)

// klpObjects are the names that the section of klp-build has had.
var klpObjects = map[string]bool{".init.klp_objects": true, "__klp_objects": true}

var errNotThere = errors.New("not there")

// readKpatch reads the tables of kpatch-build.
func (r *reader) readKpatch() (*Patch, error) {
	p := &Patch{From: Kpatch}
	index := map[string]int{}
	object := func(x *elfrw.Rela, at elfrw.Range) (*Object, error) {
		name, ok := r.readName(x)
		if !ok {
			return nil, r.newDoubt(at, "the object's name can't be read")
		}
		i, ok := index[name]
		if !ok {
			if i = len(p.Objects); i >= objectLimit {
				return nil, r.newDoubt(at, "more objects than the %d that are read", objectLimit)
			}
			index[name] = i
			p.Objects = append(p.Objects, Object{Name: name})
		}
		return &p.Objects[i], nil
	}
	for _, s := range r.f.Sections {
		kind, isCallback := strings.CutPrefix(s.Name, kpatchCallbacks)
		size := 7 * r.word
		switch {
		case !s.Alloc() || s.HasRelocs():
			continue
		case isCallback:
			size = 2 * r.word
		case s.Name != kpatchFuncs:
			continue
		default:
			p.At = elfrw.RangeOf(s, 0, s.Size())
		}
		n, err := r.countRecords(s, size)
		if err != nil {
			return nil, err
		}
		for i := uint64(0); i < n; i++ {
			at := elfrw.RangeOf(s, i*size, size)
			obj, err := object(r.pointer(s, at.Offset+size-r.word), at)
			if err != nil {
				return nil, err
			}
			var c Code
			x, ok := r.pointer(s, at.Offset), false
			if x != nil {
				c, ok = r.readCode(x)
			}
			if !ok {
				return nil, r.newDoubt(at, "no function named by a record of %s", s)
			}
			if isCallback {
				obj.Callbacks = append(obj.Callbacks, Callback{kind, c, elfrw.RangeOf(s, at.Offset, r.word)})
				continue
			}
			name, ok := r.readName(r.pointer(s, at.Offset+5*r.word))
			if !ok {
				return nil, r.newDoubt(at, "the old name of a function can't be read")
			}
			obj.Funcs = append(obj.Funcs, Func{name, r.readNumber(s, at.Offset+4*r.word), c, at})
		}
	}
	if len(p.Objects) == 0 {
		return nil, errNotThere
	}
	return p, nil
}

// countRecords counts the records of that size in s: all that have relocations, and
// only zeroes, less than one record, after them.
func (r *reader) countRecords(s *elfrw.Section, size uint64) (uint64, error) {
	t := r.table(s)
	if len(t) == 0 {
		return 0, nil
	}
	n := t[len(t)-1].Offset/size + 1
	if n > s.Size()/size || s.Size()-n*size >= size {
		return 0, r.newDoubt(elfrw.RangeOf(s, 0, s.Size()),
			"size %d does not fit the record size %d", s.Size(), size)
	}
	return n, nil
}

// readKlpBuild reads what objtool klp diff leaves for scripts/livepatch/init.c.
func (r *reader) readKlpBuild() (*Patch, error) {
	p := &Patch{From: KlpBuild}
	size := 8 * r.word
	for _, s := range r.f.Sections {
		if !klpObjects[s.Name] || !s.Alloc() || s.Size() == 0 {
			continue
		}
		if p.At.Section == nil {
			p.At = elfrw.RangeOf(s, 0, s.Size())
		}
		if s.Size()%size != 0 {
			return nil, r.newDoubt(elfrw.RangeOf(s, 0, s.Size()),
				"size %d is not a multiple of the record size %d", s.Size(), size)
		}
		for off := uint64(0); off < s.Size(); off += size {
			obj, err := r.readObjectExt(elfrw.RangeOf(s, off, size))
			if err != nil {
				return nil, err
			}
			if len(p.Objects) >= objectLimit {
				return nil, r.newDoubt(obj.At, "more objects than the %d that are read", objectLimit)
			}
			p.Objects = append(p.Objects, obj)
		}
	}
	if len(p.Objects) == 0 {
		return nil, errNotThere
	}
	return p, nil
}

// readObjectExt reads one struct klp_object_ext.
func (r *reader) readObjectExt(at elfrw.Range) (obj Object, err error) {
	s := at.Section
	obj = Object{Name: Vmlinux, At: at}
	if len(r.between(s, at.Offset, at.Offset+r.word)) != 0 {
		var ok bool
		if obj.Name, ok = r.readName(r.pointer(s, at.Offset)); !ok {
			return obj, r.newDoubt(at, "the name of a klp_object_ext can't be read")
		}
	}
	if obj.Callbacks, err = r.readCallbacks(s, at.Offset+2*r.word); err != nil {
		return obj, err
	}
	if at.Offset+7*r.word+4 > uint64(len(s.Data)) {
		return obj, r.newDoubt(at, "no contents")
	}
	n := uint64(r.f.Uint32(s.Data[at.Offset+7*r.word:]))
	if n == 0 {
		return obj, nil
	}
	funcs, p, ok := r.pointer(s, at.Offset+r.word), elfrw.Place{}, false
	if funcs != nil {
		p, ok = target(funcs)
	}
	size := 3 * r.word
	if !ok || n > (p.Section.Size()-p.Offset)/size {
		return obj, r.newDoubt(at, "the %d functions of %s are not in the module", n, obj.Name)
	}
	obj.FuncsAt = elfrw.RangeOf(p.Section, p.Offset, n*size)
	for i := uint64(0); i < n; i++ {
		if !r.spendWork() {
			return obj, r.newDoubt(obj.FuncsAt, "the lists overlap, or there are too many")
		}
		f, err := r.readFunc(elfrw.RangeOf(p.Section, p.Offset+i*size, size))
		if err != nil {
			return obj, err
		}
		obj.Funcs = append(obj.Funcs, f)
	}
	return obj, nil
}
