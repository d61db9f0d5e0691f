// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// Types reads the types of a kernel's objects, each once: those of vmlinux from the sources that
// its symbols are from, those of a module from its file. The caller calls Close.
type Types struct {
	kernel *sympos.Kernel
	table  *sympos.Table
	want   sympos.Want
	read   map[string]typesOf
}

type typesOf struct {
	types *ctypes.Types
	err   error
}

// NewTypes returns the types of the objects of the kernel that the table was read from. Of debug
// information only what is wanted is read.
func NewTypes(k *sympos.Kernel, t *sympos.Table, want sympos.Want) *Types {
	return &Types{kernel: k, table: t, want: want, read: map[string]typesOf{}}
}

// Of returns the types of an object. The error wraps sympos.ErrNoTypes if no file that is
// available has any.
func (t *Types) Of(object string) (*ctypes.Types, error) {
	known, ok := t.read[object]
	if !ok {
		if object == vmlinux {
			known.types, known.err = t.readVmlinux()
		} else {
			known.types, known.err = t.readModule(object)
		}
		t.read[object] = known
	}
	return known.types, known.err
}

// Close closes the files that types are read from.
func (t *Types) Close() {
	for _, x := range t.read {
		if x.types != nil {
			x.types.Close()
		}
	}
}

// readVmlinux prefers BTF, which the table may have; else debug information, in a vmlinux
// beside the image; else what the running kernel shows of itself.
func (t *Types) readVmlinux() (*ctypes.Types, error) {
	types, err := t.table.Types()
	if !errors.Is(err, sympos.ErrNoTypes) {
		return types, err
	}
	var paths []string
	for _, w := range t.table.Sources {
		if w.Kind == sympos.VmlinuxFile {
			paths = append(paths, w.Source.String())
		}
	}
	if t.kernel.Sysfs != "" {
		paths = append(paths, filepath.Join(t.kernel.Sysfs, "kernel/btf/vmlinux"))
	}
	for _, path := range paths {
		types, failed := sympos.ReadTypes(path, t.want)
		if failed == nil {
			if failed = t.table.CheckTypes(types); failed == nil {
				return types, nil
			}
			types.Close()
		}
		if !errors.Is(failed, sympos.ErrNoTypes) && !errors.Is(failed, fs.ErrNotExist) {
			err = failed
		}
	}
	return nil, err
}

func (t *Types) readModule(object string) (*ctypes.Types, error) {
	contents, path, err := t.kernel.ModuleFile(object)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w: the module's file is not available", object, sympos.ErrNoTypes)
	}
	if err != nil {
		return nil, err
	}
	base, failed := t.Of(vmlinux)
	if failed != nil || base.Format != "BTF" {
		base = nil
	}
	types, err := sympos.ReadModuleTypes(path, contents, base, t.want)
	if err != nil && base == nil && failed != nil {
		return nil, fmt.Errorf("%w (of vmlinux: %v)", err, failed)
	}
	return types, err
}
