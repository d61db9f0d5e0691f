// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch

import (
	"errors"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Declaration is what a module declares that it patches. It is read when it is first
// asked for, which most conversions never do, and not changed afterwards.
type Declaration struct {
	file    *elfrw.File
	read    bool
	patches []*Patch
	doubt   error
	objects map[string]bool
}

// Declared returns f's declaration. f must not be edited before it has been read.
func Declared(f *elfrw.File) *Declaration { return &Declaration{file: f} }

// load reads the declaration once.
func (d *Declaration) load() *Declaration {
	if !d.read {
		d.read, d.objects = true, map[string]bool{}
		d.patches, d.doubt = Read(d.file)
		for _, p := range d.patches {
			for i := range p.Objects {
				d.objects[p.Objects[i].Name] = true
			}
		}
	}
	return d
}

// Patches are the module's, as far as they can be read.
func (d *Declaration) Patches() []*Patch { return d.load().patches }

// Objects are the names of the objects of all patches. The map is the declaration's.
func (d *Declaration) Objects() map[string]bool { return d.load().objects }

// Has reports whether a patch has the object.
func (d *Declaration) Has(object string) bool { return d.load().objects[object] }

// Doubt says why Patches are not all that the module declares; nil when they are.
func (d *Declaration) Doubt() error { return d.load().doubt }

// Complete reports whether all objects of the module's patches are known.
func (d *Declaration) Complete() bool { return d.Doubt() == nil }

// None reports whether the module declares no patch.
func (d *Declaration) None() bool { return errors.Is(d.Doubt(), ErrNone) }
