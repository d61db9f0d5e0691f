// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// ObjectTypes reads the types of a kernel's objects, each once: those of vmlinux from the sources
// that its symbols are from, those of a module from its file. The caller calls Close. It is for one
// goroutine at a time.
type ObjectTypes struct {
	kernel *Kernel
	table  *Table
	want   Want
	read   map[string]objectTypes
}

type objectTypes struct {
	types *ctypes.Types
	err   error
}

// NewObjectTypes returns the types of the objects of the kernel that the table was read from. Of
// debug information only what is wanted is read.
func NewObjectTypes(k *Kernel, t *Table, want Want) *ObjectTypes {
	return &ObjectTypes{kernel: k, table: t, want: want, read: map[string]objectTypes{}}
}

// Of returns the types of an object. The error wraps ErrNoTypes if no file that is available has
// any.
func (o *ObjectTypes) Of(object string) (*ctypes.Types, error) {
	known, ok := o.read[object]
	if !ok {
		if object == Vmlinux {
			known.types, known.err = o.readVmlinux()
		} else {
			known.types, known.err = o.readModule(object)
		}
		o.read[object] = known
	}
	return known.types, known.err
}

// Close closes the files that types are read from.
func (o *ObjectTypes) Close() {
	for _, x := range o.read {
		if x.types != nil {
			x.types.Close()
		}
	}
}

// readVmlinux prefers BTF, which the table may have, so that an image is not unpacked again; else
// debug information, in a vmlinux beside the image; else what the running kernel shows of itself.
func (o *ObjectTypes) readVmlinux() (*ctypes.Types, error) {
	types, err := o.table.Types()
	if !errors.Is(err, ErrNoTypes) {
		return types, err
	}
	var paths []string
	for _, w := range o.table.Sources {
		if w.Kind == VmlinuxFile {
			paths = append(paths, w.Source.String())
		}
	}
	if o.kernel.Sysfs != "" {
		paths = append(paths, filepath.Join(o.kernel.Sysfs, "kernel/btf/vmlinux"))
	}
	for _, path := range paths {
		types, failed := ReadTypes(path, o.want)
		if failed == nil {
			if failed = o.table.CheckTypes(types); failed == nil {
				return types, nil
			}
			types.Close()
		}
		if !errors.Is(failed, ErrNoTypes) && !errors.Is(failed, fs.ErrNotExist) {
			err = failed
		}
	}
	return nil, err
}

func (o *ObjectTypes) readModule(object string) (*ctypes.Types, error) {
	contents, path, err := o.kernel.ModuleFile(object)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w: the module's file is not available", object, ErrNoTypes)
	}
	if err != nil {
		return nil, err
	}
	base, failed := o.Of(Vmlinux)
	if failed != nil || base.Format != "BTF" {
		base = nil // debug information has no numbers that BTF could refer to
	}
	types, err := ReadModuleTypes(path, contents, base, o.want)
	if err != nil && base == nil && failed != nil {
		return nil, fmt.Errorf("%w (of vmlinux: %v)", err, failed)
	}
	return types, err
}

// AreTraced reports whether it is known that ftrace can change all of the functions of vmlinux,
// which a compiler made then. Of no function, and of one of a module, it is not known.
func (t *Table) AreTraced(list []Symbol) bool {
	untraced := t.Facts(Vmlinux).Untraced
	return untraced != nil && len(list) > 0 && !slices.ContainsFunc(list, func(s Symbol) bool {
		_, none := slices.BinarySearch(untraced, s.Address)
		return s.Object != Vmlinux || none
	})
}
