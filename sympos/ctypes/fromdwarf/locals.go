// SPDX-License-Identifier: GPL-2.0-or-later

package fromdwarf

import (
	"fmt"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
	"github.com/klp-convert/klp-convert/sympos/debuginfo"
)

// maxBlocks bounds how deep blocks and inlined functions of a function nest.
const maxBlocks = 64

// Locals returns the types of the parameters and variables in the code of the functions of that
// name which a source defines: those in blocks, and those of functions that were inlined, too. Of
// types that are not from debug information it returns nothing.
//
// An expression may go through a type without a variable of it: ((struct a *)p)->b.
func Locals(t *ctypes.Types, name string) (list []ctypes.Ref, err error) {
	d, ok := t.Decoder().(*decoder)
	if !ok {
		return nil, nil
	}
	known := map[ctypes.Ref]bool{}
	for _, f := range d.functions[name] {
		if f.declared {
			continue
		}
		e, err := d.info.At(f.offset)
		if err != nil {
			return list, err
		}
		err = d.visitLocals(e, maxBlocks, func(r ctypes.Ref) {
			if !known[r] {
				known[r] = true
				list = append(list, r)
			}
		})
		if err != nil {
			return list, fmt.Errorf("debug information: function %s: %w", name, err)
		}
	}
	return list, nil
}

func (d *decoder) visitLocals(e *debuginfo.Entry, depth int, visit func(ctypes.Ref)) error {
	return d.info.VisitChildren(e, func(c *debuginfo.Entry) error {
		switch c.Tag {
		case tagParameter, tagVariable:
			r, err := d.typeOf(c)
			if err != nil {
				return err
			}
			if !r.IsVoid() {
				visit(r)
			}
		case tagLexicalBlock, tagInlined:
			if depth > 0 {
				return d.visitLocals(c, depth-1, visit)
			}
		}
		return nil
	})
}
