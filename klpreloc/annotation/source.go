// SPDX-License-Identifier: GPL-2.0-or-later

package annotation

import (
	"bytes"
	"debug/elf"
	"fmt"
	"math"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// An annotation by file says which symbol of a name is meant by the source file
// that defines it, as a path in the kernel's tree. Its position is looked up in
// a kernel, so it stays true where the next kernel has one more symbol of that name.
//
// KLP_SYMFILE is in the same array as KLP_SYMPOS and makes a pair of records.
// Both have a position that no kernel reaches; the second one's pointer is that
// of a string:
//
//	.klp.module_relocs.<obj>                  .rela.klp.module_relocs.<obj>
//	  +0   pointer slot                   ◀── +0   R_X86_64_64  name_show + 0
//	  +8   ff ff ff ff
//	  +12  pointer slot                   ◀── +12  R_X86_64_64  .rodata.str1.1 + 0x18
//	  +20  ff ff ff ff                                            "drivers/pnp/interface.c"
//
// KLP_RELOC_SYMBOL_FILE is a label:
//
//	.klp.sym.file.<livepatched object>.<symbol object>.<name>/<path>
//
// No symbol's name holds a slash, so the name ends at the first one.

// byFile is the position of a record that a path belongs to.
const byFile = math.MaxUint32

// pathLimit is Linux's PATH_MAX.
const pathLimit = 4096

// CheckPath says what keeps path from being one in a source tree.
func CheckPath(path string) error {
	base := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case path == "":
		return fmt.Errorf("the path is empty")
	case len(path) > pathLimit:
		return fmt.Errorf("the path has %d bytes", len(path))
	case path[0] == '/':
		return fmt.Errorf("%q is absolute; write the path in the kernel's source tree", diag.Clip(path))
	case strings.HasPrefix(path, "../") || strings.Contains(path, "/../") || base == "..":
		return fmt.Errorf("%q leads upwards", diag.Clip(path))
	case base == "" || base == ".":
		return fmt.Errorf("%q is a directory", diag.Clip(path))
	}
	for i := 0; i < len(path); i++ {
		if path[i] < ' ' || path[i] == 0x7f {
			return fmt.Errorf("%q holds control characters", diag.Clip(path))
		}
	}
	return nil
}

// readFileRecord makes an annotation of a record at position byFile and of the next
// one; next is nil where no such record follows directly.
func (r *reader) readFileRecord(s *elfrw.Section, object string, x, next *slot) {
	a, ok := r.readRecord(s, object, x)
	a.Dialect, a.Pos = FileRecords, 0
	if next == nil {
		r.Add(diag.Errorf(diag.BadFile, a.Place(), diag.SymbolName(x.Sym),
			"position %d says that a file's path follows, and none does", uint32(byFile)).
			Hint(`write both with klp_convert.h: KLP_SYMFILE(symbol, "path/to/file.c")`))
		return
	}
	path, err := r.readPath(next)
	if err == nil {
		err = CheckPath(path)
	}
	if err != nil {
		r.Add(diag.Errorf(diag.BadFile, diag.At(s, next.at), diag.SymbolName(x.Sym), "file of %s: %v",
			diag.SymbolName(x.Sym), err))
		return
	}
	if a.File = path; ok {
		r.Annotations = append(r.Annotations, a)
	}
}

// readPath returns the string that a record points at. It lies wherever the compiler
// keeps strings, and stays there: the code may use the same one.
func (r *reader) readPath(x *slot) (string, error) {
	m := arch.Machines[r.Header.Machine]
	if m != nil && x.Type != m.Word {
		return "", fmt.Errorf("the record holds %s; an address is %s", arch.RelocName(r.File, x.Type),
			m.TypeName(m.Word))
	}
	s := x.Sym.Section // isPath has seen to it
	if s.Data == nil || s.Flags&uint64(elf.SHF_COMPRESSED) != 0 {
		return "", fmt.Errorf("its path is in %s, which has no contents to read", diag.SectionName(s))
	}
	off := x.Sym.Value + uint64(x.Addend)
	if off >= uint64(len(s.Data)) {
		return "", fmt.Errorf("its path is at %s+%#x, past the end of the section (%#x bytes)",
			diag.SectionName(s), off, s.Size())
	}
	b := s.Data[off:min(off+pathLimit+1, uint64(len(s.Data)))]
	n := bytes.IndexByte(b, 0)
	switch {
	case n < 0 && len(b) > pathLimit:
		return "", fmt.Errorf("its path has more than %d bytes", pathLimit)
	case n < 0:
		return "", fmt.Errorf("its path, at %s+%#x, does not end", diag.SectionName(s), off)
	}
	// Paths may share their bytes, so that many of them cost one copy.
	if _, ok := r.strings[s]; !ok {
		r.strings[s] = string(s.Data)
	}
	return r.strings[s][off : off+uint64(n)], nil
}

// isPath reports whether x can be the second record of a pair whose first is
// prev: it follows directly, has a position that no kernel reaches, and refers to something
// that the module defines.
func (r *reader) isPath(s *elfrw.Section, prev, x *slot) bool {
	return x.at == prev.at+prev.kind.size() && r.position(s, x) == byFile && x.Sym != nil &&
		x.Sym.Section != nil
}

// isFileLabel reports whether a symbol's name is the label of an annotation by
// file. A klp symbol of an object called "file" begins in the same way, and has
// no slash. A name is looked at no further than the longest label reaches.
func isFileLabel(name string) bool {
	if !strings.HasPrefix(name, fileLabelPrefix) {
		return false
	}
	name = name[:min(len(name), labelLimit+pathLimit)]
	if strings.IndexByte(name, '/') >= 0 {
		return true
	}
	_, _, _, err := klpabi.ParseSymbolName(name)
	return err != nil
}

// parseFileLabel parses what follows fileLabelPrefix.
func parseFileLabel(s string) (a Annotation, err error) {
	s, path, ok3 := strings.Cut(s, "/")
	var ok1, ok2 bool
	a.LPObject, s, ok1 = strings.Cut(s, ".")
	a.Object, a.Name, ok2 = strings.Cut(s, ".")
	switch {
	case !ok1 || !ok2:
		return a, fmt.Errorf("two object names and a symbol name must follow %s", fileLabelPrefix)
	case !ok3:
		return a, fmt.Errorf("the path is missing")
	}
	a.Dialect, a.File = FileLabels, path
	return a, nil
}
