// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// ID names a kind of diagnostic for ever: in messages, JSON and docs/errors.md,
// which has a section for each. An id is never used again for something else.
type ID string

// What can be said about a module.
const (
	NotLivepatch       ID = "KLP001" // annotations, but no livepatch=Y
	NoRecords          ID = "KLP002" // annotation section without relocations
	StrayBytes         ID = "KLP003" // annotation section with bytes outside of every record
	BadRecord          ID = "KLP004" // record that can't be read
	UnknownStride      ID = "KLP005" // ELF32 records of neither 8 nor 12 bytes
	BadLabel           ID = "KLP006" // .klp.sym.rela.* that can't be read
	BadObject          ID = "KLP007" // object name the kernel can't read
	ObjectDash         ID = "KLP008" // '-' in an object name
	BadName            ID = "KLP009" // symbol name the kernel can't read
	AnnotatedDefined   ID = "KLP010" // annotated symbol that the module defines
	Conflict           ID = "KLP011" // one name, two objects or two positions
	Unused             ID = "KLP012" // annotation of what nothing uses
	ModuleUnderVmlinux ID = "KLP013" // label: module's symbol in a section gated by vmlinux
	VmlinuxUnderModule ID = "KLP014" // label: vmlinux symbol in a section gated by a module
	OldKernel          ID = "KLP015" // target before 5.8
	UnknownMachine     ID = "KLP016" // no livepatching on that machine
	BadType            ID = "KLP017" // relocation type the loader does not apply
	NonzeroTarget      ID = "KLP018" // x86: bytes to be relocated are not zero
	NoNop              ID = "KLP019" // ppc64le: no nop behind a call
	PerCPU             ID = "KLP020" // klp relocation into .data..percpu
	RelSection         ID = "KLP021" // SHT_REL
	SplitPair          ID = "KLP022" // loongarch: relocations that belong together
	HalfConverted      ID = "KLP023" // klp relocations beside annotations
	WeakUndefined      ID = "KLP024" // would be bound to 0 without a word
	StrongUndefined    ID = "KLP025" // would be refused as unknown
	SignatureDropped   ID = "KLP026" // void after rewriting
	ObjtoolInput       ID = "KLP027" // input of objtool klp post-link
	Irregular          ID = "KLP028" // layout that can't be edited
	AnnotationReferred ID = "KLP029" // code uses the annotation itself
	SpecialSection     ID = "KLP030" // late klp relocation where the kernel has patched by then
	BrokenFile         ID = "KLP031" // not a sound relocatable ELF file
	ReadOnlyTarget     ID = "KLP032" // ppc64le: late plain store into read-only memory
	ProofFailed        ID = "KLP033" // a defect of this program
	NothingToConvert   ID = "KLP034" // copied as it is
	NotAllocated       ID = "KLP035" // relocations of debug information detached
	FileAccess         ID = "KLP036" // file that can't be read or written
	InitSection        ID = "KLP037" // module's symbol in what is freed before the module comes
	NeedsKernel        ID = "KLP038" // annotated by file, and no kernel to look it up in
	BadFile            ID = "KLP039" // annotated by a file whose path can't be read
	NoSuchObject       ID = "KLP040" // annotated object that the kernel does not have
	BuiltInObject      ID = "KLP041" // annotated module that is part of vmlinux
	NoSuchSymbol       ID = "KLP042" // annotated symbol that is not in its object
	Ambiguous          ID = "KLP043" // more than one symbol could be meant
	BadPosition        ID = "KLP044" // position behind the last
	Unsteady           ID = "KLP045" // position that the loader does not take, or not always
	OrderUnknown       ID = "KLP046" // position from a source without order
	NotChecked         ID = "KLP047" // module that nothing tells of
	Inferred           ID = "KLP048" // converted without annotation
	NotAnnotated       ID = "KLP049" // would be, without --no-infer
	Absent             ID = "KLP050" // undefined symbol that is nowhere
	ModuleExport       ID = "KLP051" // dependency on a module
	PatchedExport      ID = "KLP052" // export of a module, converted
	NotOffered         ID = "KLP053" // export that the module may not import
	ShadowedExport     ID = "KLP054" // export of a module beside a hidden symbol
	Unversioned        ID = "KLP055" // what left modpost's tables
	DependsOnPatched   ID = "KLP056" // dependency on a module that is patched
	KernelUnreadable   ID = "KLP057" // kernel whose files can't be read
	Contradiction      ID = "KLP058" // files of different kernels given as one
	NoGate             ID = "KLP059" // module's symbol for no livepatched object
	OtherKernel        ID = "KLP060" // module built for another kernel
	FileUnknown        ID = "KLP061" // annotated by file, and no source tells files
	OtherFile          ID = "KLP062" // annotated by a file that has no such symbol
	NeverApplied       ID = "KLP063" // klp relocations for an object that the patch does not have
	PatchUnreadable    ID = "KLP064" // klp_patch that can't be read statically
	GatedByOwner       ID = "KLP065" // module's symbol in a function for something else
	LabelAgainstUse    ID = "KLP066" // label for an object that the function is not for
	SharedCode         ID = "KLP067" // code for several objects, and no gate for all of them
	SchemeChosen       ID = "KLP068" // which form the target's kernels take
	StrangeTable       ID = "KLP069" // what looks like a special section and is none
	InertDropped       ID = "KLP070" // special entry that nobody misses
	ArchSection        ID = "KLP071" // special entries that go to .klp.arch
	InitSymbol         ID = "KLP072" // vmlinux symbol that is freed when the kernel has booted
	UnknownExporter    ID = "KLP074" // import, or perhaps one, that no known object exports
	UnusedDepends      ID = "KLP075" // depends= names a module that nothing is imported from
	NameUnsure         ID = "KLP076" // kernel that may compare names without .llvm.
	LongKlpSymbol      ID = "KLP077" // klp symbol whose name the kernel cuts
	FileAssumed        ID = "KLP078" // annotated by file, of whose path only a part is known
	Incomplete         ID = "KLP081" // list of the kernel's that may have been cut
	TrailingData       ID = "KLP082" // bytes after the end of a compressed module
)

// Severity says what follows from a diagnostic.
type Severity int

const (
	Note    Severity = iota // shown on request
	Warning                 // shown; the module is converted
	Error                   // shown; nothing is written
)

func (s Severity) String() string { return [...]string{"note", "warning", "error"}[s] }

// MarshalText makes JSON say the word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Diagnostic is one thing to say about a module. It prints as one line without
// the file's name; hints are lines that can be pasted.
type Diagnostic struct {
	ID       ID       `json:"id"`
	Severity Severity `json:"severity"`
	Section  string   `json:"section,omitempty"` // printable
	Offset   *uint64  `json:"offset,omitempty"`  // in Section, in bytes
	Symbol   string   `json:"symbol,omitempty"`
	Message  string   `json:"message"`
	// Places are where else the same cause shows: "section+0xoff", a symbol, or both.
	Places []string `json:"places,omitempty"`
	Hints  []string `json:"hints,omitempty"`
}

// String returns "section+0xoff: message".
func (d Diagnostic) String() string {
	var b strings.Builder
	if d.Section != "" {
		b.WriteString(d.Section)
		if d.Offset != nil {
			fmt.Fprintf(&b, "+%#x", *d.Offset)
		}
		b.WriteString(": ")
	}
	b.WriteString(d.Message)
	return b.String()
}

// Diagnostics is what one run has to say.
type Diagnostics []Diagnostic

// Failed reports whether an error is among them.
func (d Diagnostics) Failed() bool {
	return slices.ContainsFunc(d, func(x Diagnostic) bool { return x.Severity == Error })
}

// Sort puts errors first, then warnings, then notes, each by place and then by
// text, so that the same input says the same in the same order.
func (d Diagnostics) Sort() {
	slices.SortStableFunc(d, func(a, b Diagnostic) int {
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity)
		}
		if c := strings.Compare(a.Section, b.Section); c != 0 {
			return c
		}
		if x, y := offsetOf(a), offsetOf(b); x != y {
			if x < y {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Message, b.Message)
	})
}

func offsetOf(d Diagnostic) uint64 {
	if d.Offset == nil {
		return 0
	}
	return *d.Offset
}

// place is where a diagnostic points: a section, or a section and an offset.
type place struct {
	section *elfrw.Section
	offset  uint64
	whole   bool // offset says nothing
}

var nowhere = place{whole: true}

func in(s *elfrw.Section) place             { return place{section: s, whole: true} }
func at(s *elfrw.Section, off uint64) place { return place{section: s, offset: off} }

// reporter collects diagnostics.
type reporter struct {
	found  Diagnostics
	causes map[reason]int // which of found is about each
}

// reason is what one diagnostic is about, wherever it shows.
type reason struct {
	id   ID
	what string
}

// again reports whether the same cause has been reported. The place is then one more
// of that diagnostic's list, which is returned for more hints; else whoever asks makes
// the diagnostic next.
func (r *reporter) again(id ID, what string, where place, sym string) (*Diagnostic, bool) {
	if r.causes == nil {
		r.causes = map[reason]int{}
	}
	i, known := r.causes[reason{id, what}]
	if !known {
		r.causes[reason{id, what}] = len(r.found)
		return nil, false
	}
	d := &r.found[i]
	if sym == d.Symbol && where.section != nil {
		sym = ""
	}
	text := where.String()
	switch {
	case text == "":
		text = sym
	case sym != "":
		text += " (" + sym + ")"
	}
	if text != "" {
		d.Places = append(d.Places, text)
	}
	return d, true
}

// String returns the place as Diagnostic.String prints it, "" for nowhere.
func (p place) String() string {
	switch {
	case p.section == nil:
		return ""
	case p.whole:
		return secName(p.section)
	}
	return fmt.Sprintf("%s+%#x", secName(p.section), p.offset)
}

func (r *reporter) add(sev Severity, id ID, where place, sym, format string, args ...any) *Diagnostic {
	d := Diagnostic{ID: id, Severity: sev, Symbol: sym, Message: fmt.Sprintf(format, args...)}
	if where.section != nil {
		d.Section = secName(where.section)
		if !where.whole {
			off := where.offset
			d.Offset = &off
		}
	}
	r.found = append(r.found, d)
	return &r.found[len(r.found)-1]
}

func (r *reporter) errorf(id ID, where place, sym, format string, args ...any) *Diagnostic {
	return r.add(Error, id, where, sym, format, args...)
}

func (r *reporter) warnf(id ID, where place, sym, format string, args ...any) *Diagnostic {
	return r.add(Warning, id, where, sym, format, args...)
}

func (r *reporter) notef(id ID, where place, sym, format string, args ...any) *Diagnostic {
	return r.add(Note, id, where, sym, format, args...)
}

// hint adds a line that helps. It must follow the call that made d at once.
func (d *Diagnostic) hint(format string, args ...any) *Diagnostic {
	d.Hints = append(d.Hints, fmt.Sprintf(format, args...))
	return d
}

// symName names a symbol in a diagnostic; sections' own symbols have no name.
// What is longer than the kernel reads is shortened.
func symName(y *elfrw.Symbol) string {
	switch {
	case y == nil:
		return ""
	case y.Name == "" && y.Section != nil:
		return secName(y.Section)
	case len(y.Name) > (Version{}).NameLimit():
		return strconv.Quote(clip(y.Name))
	}
	return y.String()
}

// secName names a section in a diagnostic, shortened where it is hostile.
func secName(s *elfrw.Section) string {
	if s != nil && len(s.Name) > baseLimit {
		return strconv.Quote(clip(s.Name))
	}
	return s.String()
}

// cause returns what an elfrw error says without the file it is about, which
// whoever prints it puts in front.
func cause(err error) error {
	var e *elfrw.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// FileDiagnostic makes a diagnostic of an error of package elfrw.
func FileDiagnostic(err error) Diagnostic {
	d := Diagnostic{ID: BrokenFile, Severity: Error, Message: err.Error()}
	var e *elfrw.Error
	if errors.As(err, &e) {
		d.Section, d.Message = e.Section, e.Err.Error()
		if e.Offset >= 0 {
			off := uint64(e.Offset)
			if d.Section == "" {
				d.Section = "file"
			}
			d.Offset = &off
		}
	}
	return d
}

// ProofDiagnostic makes a diagnostic of what Prove found.
func ProofDiagnostic(err error) Diagnostic {
	d := Diagnostic{ID: ProofFailed, Severity: Error, Message: "the result is not what it should be: " + err.Error()}
	d.hint("this is a defect of klp-convert; nothing was written; please report it with the module")
	return d
}
