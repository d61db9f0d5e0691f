// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// What can be found, each for ever; docs/errors.md has a section for each. An id is
// never used again for something else.
const (
	BadELF            diag.ID = "KLP101" // not what the loader takes for a module
	BadSignature      diag.ID = "KLP102" // missing where wanted, or malformed
	NotConverted      diag.ID = "KLP103" // annotations, before conversion
	NotMarked         diag.ID = "KLP104" // klp relocations or klp_enable_patch, and no livepatch=
	NoSupport         diag.ID = "KLP105" // kernel without livepatching
	VersionMagic      diag.ID = "KLP106" // vermagic of another kernel
	StructModule      diag.ID = "KLP107" // struct module of another size
	ModuleName        diag.ID = "KLP108" // name that can't be, or is taken
	InitOffset        diag.ID = "KLP109" // init or exit elsewhere in struct module
	UnknownSymbol     diag.ID = "KLP110" // import that nobody exports
	WeakImport        diag.ID = "KLP111" // weak import bound to 0
	GPLOnly           diag.ID = "KLP112" // license keeps the module from an export
	Namespace         diag.ID = "KLP113" // export's namespace not imported
	Checksum          diag.ID = "KLP114" // export of another checksum
	NeedsModule       diag.ID = "KLP115" // import from a module that has to be there
	SymbolIndex       diag.ID = "KLP116" // symbol in no section
	CommonSymbol      diag.ID = "KLP117" // SHN_COMMON
	SectionGrammar    diag.ID = "KLP118" // klp section name that can't be read
	SectionHeader     diag.ID = "KLP119" // klp section header
	NotApplied        diag.ID = "KLP120" // klp section that is applied never
	SymbolGrammar     diag.ID = "KLP121" // klp symbol name that can't be read
	NotKlpSymbol      diag.ID = "KLP122" // klp relocation of an ordinary symbol
	KlpSymbolOrdinary diag.ID = "KLP123" // ordinary relocation of a klp symbol
	VmlinuxInModule   diag.ID = "KLP124" // vmlinux symbol in a module's section
	ModuleInVmlinux   diag.ID = "KLP125" // module's symbol in vmlinux's section
	NoSymbol          diag.ID = "KLP126" // klp symbol that is not there
	AmbiguousSymbol   diag.ID = "KLP127" // position 0 of several
	NoPosition        diag.ID = "KLP128" // position behind the last
	UnsteadyPosition  diag.ID = "KLP129" // position that depends on what is loaded
	ForeignOwner      diag.ID = "KLP130" // symbol of a module that need not be there
	RelocationType    diag.ID = "KLP131" // type the loader does not apply
	NonzeroTarget     diag.ID = "KLP132" // x86: place that is not zero
	Overlap           diag.ID = "KLP133" // two relocations of one place
	OutsideTarget     diag.ID = "KLP134" // behind the end of the section
	DuplicateSection  diag.ID = "KLP135" // two loaded sections of one name
	PatchStructure    diag.ID = "KLP136" // klp_patch that the core refuses
	NoFunction        diag.ID = "KLP137" // function to patch is not there
	AmbiguousFunction diag.ID = "KLP138" // or is several
	FunctionPosition  diag.ID = "KLP139" // or has no such position
	NotPatchable      diag.ID = "KLP140" // or has no ftrace entry
	LateSpecial       diag.ID = "KLP141" // special section read before its relocation
	ArchSection       diag.ID = "KLP142" // .klp.arch that nobody reads, or has to
	LateInit          diag.ID = "KLP143" // late relocation of freed memory
	LateReadOnly      diag.ID = "KLP144" // late store into read-only memory
	Reload            diag.ID = "KLP145" // target can't come a second time
	PerCPU            diag.ID = "KLP146" // per-CPU data
	NoTarget          diag.ID = "KLP147" // kernel has no such object
	CallSequence      diag.ID = "KLP148" // ppc64le: no nop behind a call
	PLTSections       diag.ID = "KLP149" // GOT and PLT slots that were not reserved
	NotALivepatch     diag.ID = "KLP150" // a module that patches nothing
	OtherSymbol       diag.ID = "KLP151" // position that is another symbol in another kernel
	DuplicateExport   diag.ID = "KLP152" // export that is there already
	Origin            diag.ID = "KLP154" // module that says that it is not for production
	CutName           diag.ID = "KLP156" // klp symbol whose name the kernel cuts
	BadTable          diag.ID = "KLP153" // table of the kernel's build that can't be
	UnusedDepends     diag.ID = "KLP155" // depends= names what nothing is imported from
	ReturnThunk       diag.ID = "KLP158" // return thunk that the kernel can't replace
	NoRetpolines      diag.ID = "KLP159" // kernel with retpolines, module without
	NoLandingPad      diag.ID = "KLP160" // function called by address without endbr64, bti
	SealedFunction    diag.ID = "KLP161" // address of a function that the kernel sealed
	NoCallType        diag.ID = "KLP162" // function called by address without a kCFI hash
	NoPadding         diag.ID = "KLP163" // call that call depth tracking can't count
)

// Severity parts what counts from what deserves a word.
type Severity int

// A Finding stops the module or its target from loading, is never applied, oopses,
// makes the kernel warn, or works by load order only. A Note works.
const (
	Note Severity = iota
	Problem
)

func (s Severity) String() string {
	if s == Note {
		return "note"
	}
	return "finding"
}

// MarshalText makes JSON say the word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// When is at what something happens, in the order in which it comes.
type When int

// The times of a livepatch's life.
const (
	Loading  When = iota // insmod FILE, before its init function
	Enabling             // klp_enable_patch, from its init function
	Coming               // a livepatched module is loaded after FILE
	Calling              // the first time the code runs
	Again                // the livepatched module is loaded a second time
	Removing             // rmmod FILE, once it is disabled
)

func (w When) String() string {
	return [...]string{"loading", "enabling", "target", "call", "reload", "remove"}[w]
}

// MarshalText makes JSON say the word.
func (w When) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// Message is a line that the kernel prints.
type Message struct {
	Text    string `json:"text"`    // "…" for what is not known before
	Pattern string `json:"pattern"` // regular expression for the line
}

// Case is one time at which a cause shows.
type Case struct {
	When     When      `json:"when"`
	Object   string    `json:"object,omitempty"` // module that is loaded; at enabling: if it is loaded by then; at loading: if it is not
	Messages []Message `json:"messages,omitempty"`
	Errno    string    `json:"errno,omitempty"` // of insmod, "" when it succeeds
}

// Finding is one thing that a kernel will make of the module.
type Finding struct {
	ID       diag.ID  `json:"id"`
	Severity Severity `json:"severity"`
	Section  string   `json:"section,omitempty"` // printable
	Offset   *uint64  `json:"offset,omitempty"`  // in Section, in bytes
	Symbol   string   `json:"symbol,omitempty"`
	Cases    []Case   `json:"cases"`
	Cause    string   `json:"cause"`
	// Places are where else the same cause shows.
	Places []string `json:"places,omitempty"`
	Fix    []string `json:"fix,omitempty"`

	cause  string // that the finding shares with others; "": what Cause says
	object string // whose function it is about
}

// Message returns the first line that the kernel prints, or what it does instead.
func (f *Finding) Message() string {
	for _, c := range f.Cases {
		if len(c.Messages) > 0 {
			return c.Messages[0].Text
		}
	}
	if len(f.Cases) > 0 && f.Cases[0].Errno != "" {
		return "no message, " + f.Cases[0].Errno
	}
	return "no message: " + f.Cause
}

// Place is where in the file it is, "" for all of it.
func (f *Finding) Place() string {
	switch {
	case f.Section != "" && f.Offset != nil:
		return fmt.Sprintf("%s+%#x", f.Section, *f.Offset)
	case f.Section != "":
		return f.Section
	}
	return f.Symbol
}

// at says where.
func (f *Finding) at(s *elfrw.Section, offset uint64) *Finding {
	f.in(s)
	f.Offset = &offset
	return f
}

func (f *Finding) in(s *elfrw.Section) *Finding {
	if s != nil {
		f.Section = printable(s.String())
	}
	return f
}

func (f *Finding) of(symbol string) *Finding {
	f.Symbol = printable(symbol)
	return f
}

// fix adds a line that helps.
func (f *Finding) fix(format string, args ...any) *Finding {
	f.Fix = append(f.Fix, printable(fmt.Sprintf(format, args...)))
	return f
}

// word makes a name one word of a command line that is pasted into a shell: a file of
// somebody else's may call its symbols anything.
func word(name string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_./@:,+=%-", r)
	}
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// when adds a case.
func (f *Finding) when(w When, object, errno string, messages ...Message) *Finding {
	f.Cases = append(f.Cases, Case{w, object, messages, errno})
	return f
}

// blank is a value that is known when the kernel runs: how it is shown, and what it
// looks like.
type blank struct{ shown, pattern string }

var (
	anyPointer = blank{"…", `\S+`}
	anyHex     = blank{"…", `[0-9a-f]+`}
	anyNumber  = blank{"…", `\d+`}
	anything   = blank{"…", `.*`}
)

// says makes a message of the kernel's format. All verbs are %s here: %d, %u and %lu
// print numbers as they are.
func says(format string, args ...any) Message {
	var text, pattern strings.Builder
	for i, part := range strings.Split(format, "%s") {
		if i > 0 && i <= len(args) {
			if b, ok := args[i-1].(blank); ok {
				text.WriteString(b.shown)
				pattern.WriteString(b.pattern)
			} else {
				whole := fmt.Sprint(args[i-1])
				s := printable(whole)
				text.WriteString(s)
				if head, cut := strings.CutSuffix(s, "…"); cut && len(whole) > len(head) {
					// The kernel cuts a line of 1024 bytes, too.
					pattern.WriteString(regexp.QuoteMeta(head) + ".*")
					return Message{text.String() + part, pattern.String()}
				}
				pattern.WriteString(regexp.QuoteMeta(s))
			}
		}
		text.WriteString(part)
		pattern.WriteString(regexp.QuoteMeta(part))
	}
	return Message{text.String(), pattern.String()}
}

// oops is what is seen when the code of a function runs into what is not right.
// Which of them it is depends on what is in memory.
func oops(kind, function string) Message {
	text := kind
	if function != "" {
		text += " in " + printable(function)
	}
	return Message{text, oopses}
}

const oopses = `BUG: unable to handle|BUG: kernel NULL pointer|general protection fault|invalid opcode|int3|Oops|kernel BUG at`

// corrupted is what may be seen, now or later, of memory that was written over; often
// the kernel says nothing and hangs.
func corrupted() Message {
	return Message{"memory corruption", oopses + `|tried to init an initialized object|list_(add|del) corruption|soft lockup|detected stalls`}
}

// warning is what WARN prints: "WARNING: CPU: 0 PID: 1 at FILE:LINE FUNCTION", and
// in 7.3 "WARNING: FILE:LINE at FUNCTION".
func warning(file, function string) Message {
	return Message{"WARNING at " + file + " " + function, `WARNING: .*` + regexp.QuoteMeta(file) + `:\d+.*` + regexp.QuoteMeta(function)}
}

// printable makes what a file says fit for a line, and short enough for one.
func printable(s string) string {
	const most = 600 // what the longest name of the kernel's, with its prefix, fits in
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\uFFFD' {
			return '?'
		}
		return r
	}, s)
}

// Report is what one kernel will make of the module.
type Report struct {
	Kernel    string      `json:"kernel"`  // as it was asked for
	Release   string      `json:"release"` // "" when nothing tells
	Version   string      `json:"version"`
	Scheme    string      `json:"scheme"`
	Warnings  []string    `json:"warnings,omitempty"` // what speaks against the kernel's files
	Findings  []Finding   `json:"findings"`           // in the loader's order, notes among them
	Unchecked []Unchecked `json:"unchecked"`
	Chosen    []Chosen    `json:"positions,omitempty"` // which symbols positions mean
}

// Unchecked is something that was not judged, and why.
type Unchecked struct {
	What    string `json:"what"`
	Why     string `json:"why"`
	Lacking bool   `json:"lacking,omitempty"` // a file of the kernel's would tell, and is not at hand; or the module should, and does not
}

// Lacking are the things that were not judged for want of a file, or of what the module
// itself does not tell: what the kernel does with the module is not known without them.
func (r *Report) Lacking() []Unchecked {
	var list []Unchecked
	for _, u := range r.Unchecked {
		if u.Lacking {
			list = append(list, u)
		}
	}
	return list
}

// Problems counts the findings that are no notes.
func (r *Report) Problems() int {
	n := 0
	for i := range r.Findings {
		if r.Findings[i].Severity == Problem {
			n++
		}
	}
	return n
}

// Loads reports whether insmod succeeds, whatever happens then.
func (r *Report) Loads() bool {
	for _, f := range r.Findings {
		for _, c := range f.Cases {
			if f.Severity == Problem && c.When <= Enabling && c.Errno != "" && c.Object == "" {
				return false
			}
		}
	}
	return true
}

// First is the first finding that is no note, nil when there is none.
func (r *Report) First() *Finding {
	for i := range r.Findings {
		if r.Findings[i].Severity == Problem {
			return &r.Findings[i]
		}
	}
	return nil
}
