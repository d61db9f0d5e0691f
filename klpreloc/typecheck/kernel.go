// SPDX-License-Identifier: GPL-2.0-or-later

package typecheck

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// described are the types of one object.
type described struct {
	types *ctypes.Types // nil if there are none
	why   string        // there are none
}

// object returns the types of vmlinux or of a module, which are read when they are first asked for.
func (c *checker) object(name string) described {
	d, known := c.objects[name]
	if known {
		return d
	}
	var err error
	if name == sympos.Vmlinux {
		d.types, err = c.readVmlinux()
	} else {
		d.types, err = c.readModule(name)
	}
	if err != nil {
		d = described{why: err.Error()}
	}
	c.objects[name] = d
	return d
}

// readVmlinux returns the types of vmlinux: from what was read for its symbols, so that an image
// is not unpacked again; else from the debug information of a vmlinux; else from the running
// kernel.
func (c *checker) readVmlinux() (*ctypes.Types, error) {
	types, err := c.table.Types()
	if err == nil || !errors.Is(err, sympos.ErrNoTypes) {
		return types, err
	}
	var paths []string
	for _, w := range c.table.Sources {
		if w.Kind == sympos.VmlinuxFile {
			paths = append(paths, w.Source.String())
		}
	}
	if c.kernel.Sysfs != "" {
		paths = append(paths, path.Join(c.kernel.Sysfs, "kernel/btf/vmlinux"))
	}
	for _, p := range paths {
		types, other := sympos.ReadTypes(p, c.names())
		if other == nil {
			if other = c.table.CheckTypes(types); other == nil {
				c.close = append(c.close, types.Close)
				return types, nil
			}
			types.Close()
		}
		if !errors.Is(other, sympos.ErrNoTypes) {
			err = other
		}
	}
	return nil, err
}

func (c *checker) readModule(name string) (*ctypes.Types, error) {
	contents, file, err := c.kernel.ModuleFile(name)
	if err != nil {
		return nil, fmt.Errorf("the file of module %s is not available", name)
	}
	types, err := sympos.ReadModuleTypes(file, contents, c.object(sympos.Vmlinux).types,
		c.names())
	if err == nil {
		c.close = append(c.close, types.Close)
	}
	return types, err
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
		list[i].Compiled = list[i].Compiled || c.isTraced(object, name)
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

// isTraced reports whether ftrace has an entry for each function of that name: then a compiler
// made it.
func (c *checker) isTraced(object, name string) bool {
	untraced := c.table.Facts(object).Untraced
	list := c.table.Lookup(object, name)
	if object != sympos.Vmlinux || untraced == nil || len(list) == 0 {
		return false
	}
	return !slices.ContainsFunc(list, func(s sympos.Symbol) bool {
		_, found := slices.BinarySearch(untraced, s.Address)
		return found
	})
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
