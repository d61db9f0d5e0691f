// SPDX-License-Identifier: GPL-2.0-or-later

package inlining

import (
	"fmt"

	"github.com/klp-convert/klp-convert/sympos/debuginfo"
)

// A frame is an entry of code, inside of those before it in the stack.
type frame struct {
	depth   int
	offset  uint64 // of a body its entry, of an inlined function what it refers to
	inlined bool
	address uint64 // of a body
}

// walk finds the copies and calls of the functions in a unit.
func (r *reader) walk(u *debuginfo.Unit) error {
	var stack []frame
	return r.info.Walk(u, func(e *debuginfo.Entry, depth int) (below bool, err error) {
		for len(stack) > 0 && stack[len(stack)-1].depth >= depth {
			stack = stack[:len(stack)-1]
		}
		switch e.Tag {
		case tagSubprogram:
			address, hasCode, err := r.info.Address(e)
			if err != nil || !hasCode {
				return false, err
			}
			stack = append(stack, frame{depth: depth, offset: e.Offset, address: address})
			return true, nil
		case tagLexicalBlock:
			return len(stack) > 0, nil
		case tagInlined:
			if len(stack) == 0 {
				return false, nil
			}
			to, ok, err := r.info.Reference(e, atAbstractOrigin)
			if !ok || err != nil || !r.info.Contains(to) {
				r.unread++
			}
			if f := r.of[to]; f != nil && hasCode(e) {
				site, err := r.site(e, stack)
				if err != nil {
					return false, err
				}
				f.Copies = append(f.Copies, site)
			}
			stack = append(stack, frame{depth: depth, offset: to, inlined: true})
			return true, nil
		case tagCallSite, tagGNUCallSite:
			return false, r.addCall(e, stack)
		}
		return depth == 0, nil
	})
}

// hasCode reports whether anything is left of an inlined function.
func hasCode(e *debuginfo.Entry) bool {
	_, low := e.Value(atLowPC)
	_, ranges := e.Value(atRanges)
	return low || ranges
}

// addCall adds a direct call of a body.
func (r *reader) addCall(e *debuginfo.Entry, stack []frame) error {
	if len(stack) == 0 {
		return nil
	}
	attribute := uint64(atCallOrigin)
	if e.Tag == tagGNUCallSite {
		attribute = atAbstractOrigin
	}
	to, ok, err := r.info.Reference(e, attribute)
	if !ok || err != nil {
		return nil // an indirect call
	}
	b := r.bodies[to]
	if b == nil || r.of[to] == nil {
		return nil
	}
	site, err := r.site(e, stack)
	if err == nil {
		b.Calls = append(b.Calls, site)
	}
	return err
}

// site returns the place of an entry, of a call or of what was inlined.
func (r *reader) site(e *debuginfo.Entry, stack []frame) (s Site, err error) {
	if r.sites++; r.sites > maxSites {
		return s, fmt.Errorf("more than %d copies and calls", maxSites)
	}
	from := len(stack) - 1
	for from > 0 && stack[from].inlined {
		from--
	}
	s.Address, s.Unit = stack[from].address, e.Unit
	if s.Caller, err = r.nameOf(stack[from].offset); err != nil {
		return s, err
	}
	for _, f := range stack[from+1:] {
		if len(s.Via) == maxVia {
			break
		}
		name, err := r.nameOf(f.offset)
		if err != nil {
			return s, err
		}
		s.Via = append(s.Via, name)
	}
	s.Line = e.Number(atCallLine)
	if _, ok := e.Value(atCallFile); ok {
		s.File, err = r.file(e.Unit, e.Number(atCallFile))
	}
	return s, err
}

// nameOf returns the name of the function that an entry is of, "" if none has one.
func (r *reader) nameOf(offset uint64) (string, error) {
	if name, known := r.called[offset]; known {
		return name, nil
	}
	name, at := "", offset
	for range maxChain {
		if !r.info.Contains(at) {
			break
		}
		e, err := r.info.At(at)
		if err != nil {
			return "", err
		}
		if name = string(r.info.Name(e)); name != "" {
			break
		}
		to, ok, err := r.origin(e)
		if !ok || err != nil {
			break
		}
		at = to
	}
	r.called[offset] = name
	return name, nil
}
