// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/sympos"
)

// A Replacer answers which functions of a kernel a livepatch can replace, for who writes one.
type Replacer struct{ facts *facts }

// ReplacerNames returns the names that the table of a Replacer must have been read with.
func ReplacerNames() []string {
	names := append([]string{"_etext"}, kernel.SchemeSymbols()...)
	for _, r := range untraced {
		names = append(names, r.from, r.to)
	}
	return names
}

// NewReplacer returns a Replacer for the kernel that the table was read from.
func NewReplacer(k *sympos.Kernel, t *sympos.Table) *Replacer {
	f := &facts{Kernel: k, table: t, modules: map[string]*elfrw.File{}}
	f.readConfig()
	release := k.Release
	if release == "" {
		release = k.BuiltFor
	}
	f.version, _ = kernel.ParseVersion(release)
	scheme, _ := kernel.SchemeOf(f.version, t)
	f.Loader = kernel.LoaderOf(f.version, scheme, k.Release)
	return &Replacer{f}
}

// Scheme is how the kernel applies klp relocations.
func (r *Replacer) Scheme() kernel.Scheme { return r.facts.Scheme }

// Version is the kernel's version, zero if it is not known.
func (r *Replacer) Version() kernel.Version { return r.facts.version }

// WhyNot returns why ftrace can't change the function, which must exist, or "". known is false
// if the files do not tell whether it has an ftrace entry. Position counts from 1; 0 is the only
// one.
func (r *Replacer) WhyNot(object, name string, position int) (why string, known bool) {
	k := r.facts
	if object == sympos.Vmlinux {
		why = whyUntraced(k, klppatch.Func{OldName: name, Sympos: uint64(position)})
		return why, why != "" || sitesKnown(k)
	}
	m := r.module(object)
	if m == nil {
		return "", false
	}
	y := symbolAt(m, name, uint64(position))
	if y == nil {
		return "", false
	}
	if y.Type() == elf.STT_OBJECT {
		return "it is data, not a function", true
	}
	if s := y.Section; s != nil && (s.Name == ".init.text" || s.Name == ".exit.text") {
		return "it is in " + s.Name + ", which is not there while the module works", true
	}
	yes, known := k.traceable(m, y)
	if known && !yes {
		why = "it has no ftrace entry (notrace, or built without -pg)"
	}
	return why, known
}

// module parses a module of the kernel, once.
func (r *Replacer) module(object string) *elfrw.File {
	if m, ok := r.facts.modules[object]; ok {
		return m
	}
	var m *elfrw.File
	if b, path, err := r.facts.ModuleFile(object); err == nil {
		m, _ = elfrw.Parse(path, b)
	}
	r.facts.modules[object] = m
	return m
}
