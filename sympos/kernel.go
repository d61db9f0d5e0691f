// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"golang.org/x/exp/slices"
)

// A Kernel is one kernel as the files at hand tell of it.
type Kernel struct {
	Name    string // as it was asked for, for messages
	Release string // as uname -r says it; "" when nothing tells
	Notes   []string

	sources  []Source          // of vmlinux, of loaded modules, of exports
	modules  map[string]string // path of each module's file, by the module's name
	builtin  map[string]bool   // modules that are part of vmlinux
	complete bool              // modules and builtin are all that the kernel has
}

// NewKernel returns a kernel that these sources describe.
func NewKernel(name string, sources ...Source) *Kernel {
	return &Kernel{Name: name, sources: sources, modules: map[string]string{}, builtin: map[string]bool{}}
}

// FindKernel finds the files of a kernel.
func FindKernel(x string) (*Kernel, error) {
	src, err := Open(x)
	if err != nil {
		return nil, err
	}
	return NewKernel(x, src), nil
}

// Presence says whether a kernel has an object.
type Presence int

const (
	Unknown Presence = iota // nothing at hand tells
	Present                 // as vmlinux, or as a module of its own
	BuiltIn                 // a module by name, but part of vmlinux
	Absent                  // it has all its modules here, and this is none of them
)

// Presence says whether the kernel has the object. A Table that Has it knows
// better: a module may be known from /proc/kallsyms only.
func (k *Kernel) Presence(object string) Presence {
	switch {
	case object == Vmlinux || k.modules[object] != "":
		return Present
	case k.builtin[object]:
		return BuiltIn
	case k.complete:
		return Absent
	}
	return Unknown
}

// Modules returns the names of the modules whose files are at hand, sorted.
func (k *Kernel) Modules() []string {
	names := make([]string, 0, len(k.modules))
	for name := range k.modules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Read reads what is wanted of vmlinux, of these objects as far as their files
// are at hand, and of whatever the kernel's other sources know; and who exports
// it. Naming vmlinux is not needed.
func (k *Kernel) Read(want Want, objects ...string) (*Table, error) {
	sources := slices.Clone(k.sources)
	for _, o := range objects {
		if path := k.modules[o]; path != "" {
			src, err := Open(path)
			if err != nil {
				return nil, err
			}
			sources = append(sources, src)
		}
	}
	return Read(want, sources...)
}

// ReadAll is Read for all modules whose files are at hand.
func (k *Kernel) ReadAll(want Want) (*Table, error) {
	return k.Read(want, k.Modules()...)
}
