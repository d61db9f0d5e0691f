// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch

import (
	"fmt"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Arrays of klp_object and klp_func end with an element that is all zero; how
// long an element is has to be found out. The evidence, best first:
//
//   - BTF in the module, if it knows the structure: then nothing else is tried.
//   - Where the next element's relocations begin, in an array of two and more.
//   - The size of the array's symbol: with one element in use, twice as much.
//   - DWARF.
//   - The kernel version that the module was built for.
//
// Whatever is tried must fit: relocations only where the structure has
// pointers, an end marker, within the array, and nothing after it. Where
// several strides fit, all give the same elements, because they see the same
// relocations.

// Evidence says where a stride comes from.
type Evidence string

// The kinds of evidence for a stride.
const (
	ByBTF      Evidence = "BTF"
	ByDistance Evidence = "distance of relocations"
	BySymbol   Evidence = "symbol size"
	ByDWARF    Evidence = "DWARF"
	ByVersion  Evidence = "kernel version"
)

// array is an array whose elements were counted.
type array struct {
	elfrw.Range          // with the end marker, as far as its size is known
	n           uint64   // elements without the end marker
	stride      uint64   // 0: unknown, n is at most 1
	by          Evidence // for stride
}

// element returns the place of element i.
func (a array) element(i uint64, used uint64) elfrw.Range {
	size := a.stride
	if size == 0 {
		size = used
	}
	return elfrw.RangeOf(a.Section, a.Offset+i*size, size)
}

// readArray measures the array of kind at p. The error is why it can't be read.
func (r *reader) readArray(kind structure, p elfrw.Place) (array, error) {
	size, exact := r.extent(p)
	a := array{Range: elfrw.RangeOf(p.Section, p.Offset, size)}
	used := kind.used * r.word
	if size < used {
		return a, r.newDoubt(a.Range, "%d bytes are too few for a %s", size, kind.name)
	}
	relocs := r.between(p.Section, p.Offset, p.Offset+size)
	if !r.inUse(kind, relocs, p.Section, p.Offset) {
		if exact && len(relocs) != 0 {
			return a, r.newFlaw(Emptied, kind, a.Range, true, "the first %s is empty, and others follow")
		}
		if !exact {
			a.Size = used
		}
		return a, nil
	}
	var last error
	for _, c := range r.candidateStrides(kind, a.Range, exact, relocs) {
		n, err := r.countElements(kind, a.Range, exact, c.size)
		if err != nil {
			if last == nil {
				last = err
			}
			continue
		}
		a.n, a.stride, a.by = n, c.size, c.by
		if !exact {
			a.Size = (n + 1) * c.size
		}
		return a, nil
	}
	if last == nil {
		// Too short for two of any kernel's, so that its one element is its last.
		last = r.newUnclosed(kind, a.Range, exact && size < 2*kind.least(r.f))
	}
	return a, last
}

// candidate is a stride that may be right.
type candidate struct {
	size uint64
	by   Evidence
}

// candidateStrides returns what to try, best first. The first element is in use.
func (r *reader) candidateStrides(kind structure, p elfrw.Range, exact bool, relocs []elfrw.Rela,
) (all []candidate) {
	add := func(size uint64, by Evidence) {
		if size >= kind.least(r.f) && size%r.word == 0 {
			all = append(all, candidate{size, by})
		}
	}
	if size := r.btfSize(kind.name); size >= kind.used*r.word && size%r.word == 0 {
		return []candidate{{size, ByBTF}}
	}
	known := kind.sizes(r.f)
	_, versioned := builtFor(r.f)
	for _, x := range relocs {
		if x.Offset < p.Offset+kind.used*r.word {
			continue
		}
		// The next element begins here, unless it is an object that
		// begins with no name.
		d := x.Offset - p.Offset
		if versioned && d%known[0] == 0 {
			d = known[0] // after an empty element, and so after the end
		}
		if kind.name == klpObject.name && slices.Contains(known, d-r.word) {
			add(d-r.word, ByDistance)
		}
		add(d, ByDistance)
		if kind.name == klpObject.name {
			add(d-r.word, ByDistance)
		}
		return all
	}
	if exact {
		for _, n := range known {
			if p.Size%n == 0 && p.Size/n >= 2 {
				add(n, BySymbol)
			}
		}
		add(p.Size/2, BySymbol)
		return all
	}
	if size := r.dwarfSize(kind.name); size >= kind.used*r.word && size%r.word == 0 {
		return []candidate{{size, ByDWARF}}
	}
	if versioned {
		add(known[0], ByVersion)
	}
	return all
}

// inUse reports whether the element at offset does not end an array:
// kernel/livepatch/core.c goes on while an object has a name or functions, and a
// function any of its three members (include/linux/livepatch.h,
// klp_for_each_object_static and klp_for_each_func_static).
func (r *reader) inUse(kind structure, relocs []elfrw.Rela, s *elfrw.Section, offset uint64) bool {
	if len(relocs) != 0 && relocs[0].Offset < offset+kind.used*r.word {
		return true
	}
	for i := uint64(0); i < kind.used; i++ {
		if r.readNumber(s, offset+i*r.word) != 0 {
			return true
		}
	}
	return false
}

// countElements counts the elements of an array by stride up to the end marker. The error is
// what doesn't fit.
func (r *reader) countElements(kind structure, p elfrw.Range, exact bool, stride uint64,
) (n uint64, err error) {
	if exact && p.Size%stride != 0 {
		return 0, r.newDoubt(p,
			"size %d is not a multiple of the %d bytes of a %s", p.Size, stride, kind.name)
	}
	for ; ; n++ {
		if n >= p.Size/stride {
			return 0, r.newUnclosed(kind, p, exact)
		}
		if !r.spendWork() {
			return 0, r.newDoubt(p, "the arrays overlap, or there are too many")
		}
		offset := p.Offset + n*stride
		relocs := r.between(p.Section, offset, offset+stride)
		if !r.inUse(kind, relocs, p.Section, offset) {
			break
		}
		for i, x := range relocs {
			at := x.Offset - offset
			if at >= kind.used*r.word || at%r.word != 0 || x.Type != r.address ||
				i > 0 && relocs[i-1].Offset == x.Offset {
				return 0, r.newDoubt(elfrw.RangeOf(p.Section, x.Offset, r.word),
					"a relocation where a %s of %d bytes has no pointer", kind.name, stride)
			}
		}
	}
	if end := p.Offset + n*stride; exact && len(r.between(p.Section, end, p.Offset+p.Size)) != 0 {
		return 0, r.newDoubt(elfrw.RangeOf(p.Section, end, stride),
			"relocations after the end of the array of %s", kind.name)
	}
	return n, nil
}

// newDoubt makes the error of one doubt.
func (r *reader) newDoubt(p elfrw.Range, format string, args ...any) error {
	return Unreadable{{Range: p, Reason: fmt.Sprintf(format, args...)}}
}

// newFlaw makes the error of an array of that kind that is certain, or likely, to be wrong
// in that way.
func (r *reader) newFlaw(flaw Flaw, kind structure, p elfrw.Range, certain bool, format string,
) error {
	d := Doubt{Range: p, Reason: fmt.Sprintf(format, kind.name)}
	if certain {
		d.Flaw, d.Of = flaw, kind.name
	}
	return Unreadable{d}
}

// newUnclosed makes the error of an array without an empty element at its end. It is
// certain where the array's size is known and is that of its elements.
func (r *reader) newUnclosed(kind structure, p elfrw.Range, certain bool) error {
	return r.newFlaw(Unclosed, kind, p, certain,
		"the array of %s has no end: an empty element must close it")
}
