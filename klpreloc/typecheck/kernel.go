// SPDX-License-Identifier: GPL-2.0-or-later

package typecheck

import (
	"path"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// described are the types of one object.
type described struct {
	types *ctypes.Types // nil if there are none
	why   string        // there are none
}

// object returns the types of vmlinux or of a module.
func (c *checker) object(name string) described {
	types, err := c.objects.Of(name)
	if err != nil {
		return described{why: err.Error()}
	}
	return described{types: types}
}

// functions returns the functions of that name in an object. why is why there are none.
func (c *checker) functions(object, name string, position uint64) (list []ctypes.Function,
	why string,
) {
	d := c.object(object)
	if d.types == nil {
		return nil, d.why
	}
	if isClone(name) {
		return nil, "optimised clones (.isra., .constprop., .part.) do not have the parameters " +
			"of the source"
	}
	plain, _, _ := strings.Cut(name, ".llvm.")
	list, err := d.types.Functions(plain)
	if err != nil {
		return nil, err.Error()
	}
	list = slices.DeleteFunc(list, func(f ctypes.Function) bool { return f.Declared })
	for i := range list {
		list[i].Compiled = list[i].Compiled || c.table.AreTraced(c.table.Lookup(object, name))
	}
	return c.fromFile(list, object, name, position), ""
}

// isClone reports whether a compiler made the function of another one, with other parameters
// (gcc: ipa-sra, ipa-cp, ipa-split).
func isClone(name string) bool {
	for _, part := range []string{".isra.", ".constprop.", ".part.", ".cold"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// fromFile returns the functions that are from the source file of the symbol at that position, or
// all of them if that is not known.
func (c *checker) fromFile(list []ctypes.Function, object, name string, position uint64,
) []ctypes.Function {
	symbols := c.table.Lookup(object, name)
	if len(list) < 2 || position == 0 || position > uint64(len(symbols)) {
		return list
	}
	file := symbols[position-1].File
	var from []ctypes.Function
	for _, f := range list {
		if f.File != "" && path.Base(f.File) == file {
			from = append(from, f)
		}
	}
	if len(from) == 0 {
		return list
	}
	return from
}
