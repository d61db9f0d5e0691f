// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
	"github.com/klp-convert/klp-convert/sympos/ctypes/frombtf"
	"github.com/klp-convert/klp-convert/sympos/ctypes/fromdwarf"
)

// With CONFIG_DEBUG_INFO_BTF a kernel describes its types in .BTF, a section that is loaded, so
// the image has it (include/asm-generic/vmlinux.lds.h, BTF):
//
//	an ELF file with section headers    the section: vmlinux, x86's bzImage, ppc64le
//	others                              from __start_BTF to __stop_BTF, which kallsyms has with
//	                                    CONFIG_KALLSYMS_ALL, and livepatching depends on that
//	/sys/kernel/btf/vmlinux             the same bytes, of the running kernel
//
// It is not searched for otherwise: a magic number of four bytes is in most images by chance
// too, and each BPF program that the kernel has built in (light skeletons) has BTF of its own.

const (
	startBTF   = "__start_BTF"
	stopBTF    = "__stop_BTF"
	btfSection = ".BTF"
	btfBase    = ".BTF.base"
	maxBTF     = 32 << 20
)

// ErrNoTypes is that a file has neither BTF nor debug information.
var ErrNoTypes = errors.New("no type information: neither BTF nor debug information")

// isBTF reports whether BTF begins here.
func isBTF(head []byte) bool {
	return len(head) >= 3 && head[2] == 1 &&
		(head[0] == 0x9f && head[1] == 0xeb || head[0] == 0xeb && head[1] == 0x9f)
}

// readBTF returns a copy of .BTF, nil if there is none.
func (f *elfFile) readBTF() []byte { return f.readSection(btfSection) }

// readSection returns a copy of the contents of a section, nil if there are none.
func (f *elfFile) readSection(name string) []byte {
	i := f.find(name)
	if i < 0 || elf.SectionType(f.sections[i].etype) == elf.SHT_NOBITS ||
		f.sections[i].size > maxBTF {
		return nil
	}
	b, err := f.contents(i, "types")
	if err != nil || len(b) == 0 {
		return nil
	}
	return bytes.Clone(b)
}

// readBTF returns a copy of the BTF between two addresses, nil if there is none.
func (k *kernelTable) readBTF(start, stop uint64) []byte {
	from, ok := k.offsetOf(start)
	if !ok || stop <= start || stop-start > maxBTF || stop-start > uint64(len(k.data))-from ||
		!isBTF(k.data[from:]) {
		return nil
	}
	return bytes.Clone(k.data[from : from+stop-start])
}

// Types returns the types of vmlinux from the sources that the table was read from: from the best
// one that has BTF. The error wraps ErrNoTypes if none has; a source that comes from another build
// than the symbols is not used, and the error says so.
//
// They are read once: reading takes longer than a comparison with a module. Whoever asks for them
// is of one goroutine.
func (t *Table) Types() (*ctypes.Types, error) {
	if t.types != nil {
		return t.types, nil
	}
	witnesses := slices.Clone(t.Sources)
	slices.SortStableFunc(witnesses, func(a, b Witness) int {
		return a.precedence() - b.precedence()
	})
	var other error
	for _, w := range witnesses {
		switch {
		case w.BTF == nil:
		case areDifferent(w.BuildID, t.build):
			other = fmt.Errorf("types of another build than the symbols: %s", t.otherBuild)
		default:
			// The kernel that the image had in it is garbage by now. To use its memory again
			// costs a tenth of what new memory does, whose pages the system has to map.
			runtime.GC()
			types, err := named(frombtf.Read(w.Source.String(), w.BTF))(w.BuildID)
			t.types = types
			return types, err
		}
	}
	if other != nil {
		return nil, other
	}
	return nil, fmt.Errorf("%s: %w", Vmlinux, ErrNoTypes)
}

// TypedFunctions returns which of the names BTF of the object describes as functions. Of modules it
// is not read.
func (t *Table) TypedFunctions(object string, names ...string) map[string]bool {
	if object != Vmlinux || len(names) == 0 {
		return nil
	}
	types, err := t.Types()
	if err != nil {
		return nil
	}
	defer types.Close()
	typed := map[string]bool{}
	for _, name := range names {
		if list, err := types.Functions(name); err == nil && len(list) > 0 {
			typed[name] = true
		}
	}
	return typed
}

// CheckTypes returns an error if the types are of another build of vmlinux than the symbols, by
// their build-ids. Where one of these is not known, as of /sys/kernel/btf/vmlinux, it returns nil.
func (t *Table) CheckTypes(types *ctypes.Types) error {
	if areDifferent(types.BuildID, t.build) {
		return fmt.Errorf("types of another build than the symbols: %s has build-id %s, the "+
			"symbols have %s", types.Name, types.BuildID, t.build)
	}
	return nil
}

// ReadTypes returns the types in a file that describes a kernel: an image or a vmlinux, compressed
// or not, /sys/kernel/btf/vmlinux or a copy of it, a vmlinux of a debug package. BTF is preferred
// to debug information, and of that only the wanted names are read.
//
// Reading an image unpacks it again; for one that was read for its symbols see Table.Types. The
// error wraps ErrNoTypes if the file has no types. The caller calls Types.Close.
func ReadTypes(path string, want Want) (*ctypes.Types, error) {
	return newFile(path).readTypes(want)
}

func (s *fileSource) readTypes(want Want) (*ctypes.Types, error) {
	in, done, err := s.input()
	if err != nil {
		return nil, err
	}
	types, err := in.readTypes(want)
	if err != nil {
		done()
		return nil, err
	}
	if types.OnClose == nil { // it keeps nothing of the file
		done()
		return types, nil
	}
	closeInfo := types.OnClose
	types.OnClose = func() { closeInfo(); done() }
	return types, nil
}

// readTypes returns the types of a kernel.
func (in *input) readTypes(want Want) (*ctypes.Types, error) {
	head, err := in.head()
	if err != nil {
		return nil, err
	}
	switch {
	case isBTF(head):
		b, err := readAll(in.section(0), max(in.size, 0), maxBTF)
		if err != nil {
			return nil, in.errorf("", -1, "BTF: %w", err)
		}
		return frombtf.Read(in.name, b)
	case isELF(head):
		f, err := readELF(in)
		if err != nil {
			return nil, err
		}
		if f.etype == elf.ET_REL {
			return nil, in.errorf("", -1, "a module, not a kernel")
		}
		if b := f.readBTF(); b != nil {
			return named(frombtf.Read(in.name, b))(f.buildID())
		}
		if f.findWrapped() < 0 && f.hasDebugInfo() {
			return named(fromdwarf.Read(in.name, f.debugInfo(), fromdwarf.Want(want)))(f.buildID())
		}
		if len(f.symtab) > 0 && f.findWrapped() < 0 {
			return nil, in.errorf("", -1, "%w", ErrNoTypes)
		}
	}
	format, err := recogniseFormat(in.name, head)
	if err != nil {
		return nil, err
	}
	facts, err := format.scan(in, func(*Entry) {})
	if err != nil {
		return nil, err
	}
	if facts.BTF == nil {
		return nil, in.errorf("", -1, "%w", ErrNoTypes)
	}
	return named(frombtf.Read(in.name, facts.BTF))(facts.BuildID)
}

// named returns a function that sets the build-id of types.
func named(t *ctypes.Types, err error) func(buildID string) (*ctypes.Types, error) {
	return func(buildID string) (*ctypes.Types, error) {
		if err == nil {
			t.BuildID = buildID
		}
		return t, err
	}
}

func (f *elfFile) hasDebugInfo() bool {
	return f.find(".debug_info") >= 0 || f.find(".zdebug_info") >= 0
}

// ReadModuleTypes returns the types in the contents of a module's file: those that it defines and,
// from BTF, those of the kernel that it uses. kernel are the types of the kernel, from BTF; nil
// if there are none, which is enough for a module that has a base of its own.
//
// Debug information is used if there is no BTF, or none that can be read without the kernel's. The
// error wraps ErrNoTypes if there is neither.
// contents must not change until Types.Close.
func ReadModuleTypes(name string, contents []byte, kernel *ctypes.Types,
	want Want,
) (*ctypes.Types, error) {
	f, err := readModule(name, contents)
	if err != nil {
		return nil, err
	}
	b, base := f.readBTF(), f.readSection(btfBase)
	if b != nil && (base != nil || kernel != nil || !f.hasDebugInfo()) {
		return named(frombtf.ReadSplit(name, b, base, kernel))(f.buildID())
	}
	return f.readDeclared(want)
}

// ReadDeclarations returns the types in the debug information of a livepatch: what its source
// declares of others, and what it defines. The error wraps ErrNoTypes if there is none.
// contents must not change until Types.Close.
func ReadDeclarations(name string, contents []byte, want Want) (*ctypes.Types, error) {
	f, err := readModule(name, contents)
	if err != nil {
		return nil, err
	}
	return f.readDeclared(want)
}

func (f *elfFile) readDeclared(want Want) (*ctypes.Types, error) {
	if !f.hasDebugInfo() {
		return nil, f.in.errorf("", -1, "%w", ErrNoTypes)
	}
	return named(fromdwarf.Read(f.in.name, f.debugInfo(), fromdwarf.Want(want)))(f.buildID())
}

// readModule reads the section headers of a relocatable file.
func readModule(name string, contents []byte) (*elfFile, error) {
	in := &input{name: name, r: bytes.NewReader(contents), size: int64(len(contents))}
	f, err := readELF(in)
	if err != nil {
		return nil, err
	}
	if f.etype != elf.ET_REL {
		return nil, in.errorf("", 0x10, "not a module, but a file of type %s", f.etype)
	}
	return f, nil
}
