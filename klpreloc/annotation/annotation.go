// SPDX-License-Identifier: GPL-2.0-or-later

package annotation

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// Dialect is how an annotation is written. docs/format.md draws them.
type Dialect string

// The names of annotations in a file.
const (
	recordPrefix = ".klp.module_relocs" // KLP_MODULE_RELOC(obj): .obj follows
	labelPrefix  = ".klp.sym.rela."     // KLP_RELOC_SYMBOL(lp_obj, sym_obj, name)
	// KLP_RELOC_SYMBOL_FILE(lp_obj, sym_obj, name, path)
	fileLabelPrefix = ".klp.sym.file."
	objtoolPrefix   = "__klp_relocs" // objtool klp diff's records
)

// The dialects that convert. On 64-bit targets the records of the 2016
// proposal and those of v1 to v7 are the same twelve bytes, so there Records
// means both.
const (
	Records    Dialect = "record"       // {pointer, u32}, 12 bytes
	RecordsRFC Dialect = "record (RFC)" // 32-bit: {pointer, u32}, 8 bytes
	RecordsV7  Dialect = "record (v7)"  // 32-bit: {u64 slot, u32}, 12 bytes
	Labels     Dialect = "label"        // .klp.sym.rela.LP.SYM.NAME,POS

	FileRecords Dialect = "file record" // two records, the second with a path
	FileLabels  Dialect = "file label"  // .klp.sym.file.LP.SYM.NAME/PATH

	Listed Dialect = "list" // a line of a list: OBJECT:NAME,POS or OBJECT:NAME@PATH
)

// IsLabel reports whether the annotation is the symbol's name.
func (d Dialect) IsLabel() bool { return d == Labels || d == FileLabels }

// Annotation is an author's statement that an undefined symbol is the Pos-th
// of that name in an object of the kernel, or the one that is defined in File.
type Annotation struct {
	Dialect  Dialect
	LPObject string // the livepatched object: says when the relocation is applied
	Object   string // the symbol object: says where the symbol lives
	Name     string
	Pos      uint32 // sympos; 0: the only one, or not looked up yet (File)
	File     string // path as the author wrote it; "" when annotated by position
	Symbol   *elfrw.Symbol

	Section *elfrw.Section // that holds the record; nil for labels and lines of lists
	offset  uint64
	where   diag.Place // of a list
}

// Place is where the author wrote it, as far as that is known: where its record is, or its line
// of a list.
func (a *Annotation) Place() diag.Place {
	switch {
	case a.Section != nil:
		return diag.At(a.Section, a.offset)
	case !a.where.IsNowhere():
		return a.where
	}
	return diag.Nowhere
}

// IsWritten reports whether the author wrote it, and not inference.
func (a *Annotation) IsWritten() bool {
	return a.Section != nil || !a.where.IsNowhere() || IsLabel(a.Symbol.Name)
}

// Which says which symbol of its name a means.
func (a *Annotation) Which() string {
	if a.File != "" {
		return fmt.Sprintf("in file %q", diag.Clip(a.File))
	}
	return fmt.Sprintf("at position %d", a.Pos)
}

// Macro returns the annotation as a label's macro, or as the line of a list, for hints.
func (a *Annotation) Macro() string {
	if a.Dialect == Listed {
		return ListLine(a, a.Pos)
	}
	if a.File != "" {
		return fmt.Sprintf("KLP_RELOC_SYMBOL_FILE(%s, %s, %s, %q)", a.LPObject, a.Object,
			nameToPaste(a.Name), nameToPaste(a.File))
	}
	return fmt.Sprintf("KLP_RELOC_SYMBOL_POS(%s, %s, %s, %d)", a.LPObject, a.Object,
		nameToPaste(a.Name), a.Pos)
}

// KlpName is what the symbol will be called.
func (a *Annotation) KlpName() string { return klpabi.SymbolName(a.Object, a.Name, a.Pos) }

// Set is what a module says before anything is decided.
type Set struct {
	Modinfo     klpabi.Modinfo
	Kernel      kernel.Version // that it was built for
	Annotations []Annotation
	Unmatched   []Annotation     // of lists, about symbols that the module does not have
	Sections    []*elfrw.Section // annotation sections, in header order
	KlpSections []*elfrw.Section // finished klp relocation sections
	KlpSymbols  []*elfrw.Symbol  // finished klp symbols
	Objtool     []*elfrw.Section // __klp_relocs*, for objtool klp post-link
	Signed      bool             // a module signature is appended

	labels int // symbols in label form, readable or not
	listed int // symbols of the module that a list annotates
}

// Annotated reports whether there is anything to convert.
func (in *Set) Annotated() bool { return len(in.Sections) > 0 || in.labels > 0 || in.listed > 0 }

// Converted reports whether there are finished klp relocations.
func (in *Set) Converted() bool { return len(in.KlpSections) > 0 || len(in.KlpSymbols) > 0 }

// signatureMarker ends a signed module (include/linux/module_signature.h).
const signatureMarker = "~Module signature appended~\n"

// Read finds what f says about livepatching, and what the lists say of it. It decides nothing;
// what can't be read is in the diagnostics. The symbols of Set.Unmatched are in no file.
func Read(f *elfrw.File, lists ...List) (*Set, diag.List) {
	in := &Set{Modinfo: klpabi.ReadModinfo(f)}
	in.Kernel = in.Modinfo.Kernel()
	in.Signed = bytes.HasSuffix(f.Trailer, []byte(signatureMarker))
	for _, s := range f.Sections {
		switch {
		case isAnnotation(s):
			in.Sections = append(in.Sections, s)
		case klpabi.IsKlpSection(s):
			in.KlpSections = append(in.KlpSections, s)
		case isObjtool(s):
			in.Objtool = append(in.Objtool, s)
		}
	}
	for _, y := range f.Symbols {
		if klpabi.IsKlpSymbol(y) {
			in.KlpSymbols = append(in.KlpSymbols, y)
		}
	}
	r := &reader{File: f, Set: in, strings: map[*elfrw.Section]string{}}
	r.readRecords()
	r.readLabels()
	r.readLists(lists)
	return in, r.List()
}

type reader struct {
	*elfrw.File
	*Set
	diag.Reporter
	strings map[*elfrw.Section]string // contents of those that paths are in
}

func isObjtool(s *elfrw.Section) bool {
	return s.Name == objtoolPrefix || strings.HasPrefix(s.Name, objtoolPrefix+".")
}
