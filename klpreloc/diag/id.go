// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// ID names a kind of diagnostic for ever: in messages, JSON and docs/errors.md,
// which has a section for each. An id is never used again for something else.
type ID string

// The ids of diagnostics about a module.
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
	OldKernel          ID = "KLP015" // target before 4.7
	UnknownMachine     ID = "KLP016" // no livepatching on that machine
	BadType            ID = "KLP017" // relocation type the loader does not apply
	NonzeroTarget      ID = "KLP018" // x86: bytes to be relocated are not zero
	NoNop              ID = "KLP019" // ppc64le: no nop after a call
	PerCPU             ID = "KLP020" // klp relocation into .data..percpu
	RelSection         ID = "KLP021" // SHT_REL
	SplitPair          ID = "KLP022" // loongarch: relocations that belong together
	HalfConverted      ID = "KLP023" // klp relocations beside annotations
	WeakUndefined      ID = "KLP024" // would silently be bound to 0
	StrongUndefined    ID = "KLP025" // would be refused as unknown
	SignatureDropped   ID = "KLP026" // void after rewriting
	ObjtoolInput       ID = "KLP027" // input of objtool klp post-link
	Irregular          ID = "KLP028" // layout that can't be edited
	AnnotationReferred ID = "KLP029" // code uses the annotation itself
	SpecialSection     ID = "KLP030" // late klp relocation where the kernel has already patched
	BrokenFile         ID = "KLP031" // not a sound relocatable ELF file
	ReadOnlyTarget     ID = "KLP032" // ppc64le: late plain store into read-only memory
	ProofFailed        ID = "KLP033" // a defect of this program
	NothingToConvert   ID = "KLP034" // copied as it is
	NotAllocated       ID = "KLP035" // relocations of debug information detached
	FileAccess         ID = "KLP036" // file that can't be read or written
	// module's symbol in memory that is freed before the module is loaded
	InitSection      ID = "KLP037"
	NeedsKernel      ID = "KLP038" // annotated by file, and no kernel to look it up in
	BadFile          ID = "KLP039" // annotated by a file whose path can't be read
	NoSuchObject     ID = "KLP040" // annotated object that the kernel does not have
	BuiltInObject    ID = "KLP041" // annotated module that is part of vmlinux
	NoSuchSymbol     ID = "KLP042" // annotated symbol that is not in its object
	Ambiguous        ID = "KLP043" // more than one symbol could be meant
	BadPosition      ID = "KLP044" // position past the last
	Unsteady         ID = "KLP045" // position that the loader does not take, or not always
	OrderUnknown     ID = "KLP046" // position from a source without order
	NotChecked       ID = "KLP047" // module that no source knows
	Inferred         ID = "KLP048" // converted without annotation
	NotAnnotated     ID = "KLP049" // would be, without --no-infer
	Absent           ID = "KLP050" // undefined symbol that is nowhere
	ModuleExport     ID = "KLP051" // dependency on a module
	PatchedExport    ID = "KLP052" // export of a module, converted
	NotOffered       ID = "KLP053" // export that the module may not import
	ShadowedExport   ID = "KLP054" // export of a module beside a hidden symbol
	Unversioned      ID = "KLP055" // what left modpost's tables
	DependsOnPatched ID = "KLP056" // dependency on a module that is patched
	KernelUnreadable ID = "KLP057" // kernel whose files can't be read
	Contradiction    ID = "KLP058" // files of different kernels given as one
	NoGate           ID = "KLP059" // module's symbol for no livepatched object
	OtherKernel      ID = "KLP060" // module built for another kernel
	FileUnknown      ID = "KLP061" // annotated by file, and no source tells files
	OtherFile        ID = "KLP062" // annotated by a file that has no such symbol
	NeverApplied     ID = "KLP063" // klp relocations for an object that the patch does not have
	PatchUnreadable  ID = "KLP064" // klp_patch that can't be read statically
	GatedByOwner     ID = "KLP065" // module's symbol in a function for something else
	LabelAgainstUse  ID = "KLP066" // label for an object that the function is not for
	SharedCode       ID = "KLP067" // code for several objects, and no gate for all of them
	SchemeChosen     ID = "KLP068" // which form the target's kernels take
	StrangeTable     ID = "KLP069" // not the special section that it looks like
	InertDropped     ID = "KLP070" // special entry of a tracepoint or debug message
	ArchSection      ID = "KLP071" // special entries that go to .klp.arch
	InitSymbol       ID = "KLP072" // vmlinux symbol that is freed when the kernel has booted
	UnknownExporter  ID = "KLP074" // import, or perhaps one, that no known object exports
	UnusedDepends    ID = "KLP075" // depends= names a module that nothing is imported from
	NameUnsure       ID = "KLP076" // kernel that may compare names without .llvm.
	LongKlpSymbol    ID = "KLP077" // klp symbol whose name the kernel cuts
	FileAssumed      ID = "KLP078" // annotated by file, of whose path only a part is known
	Incomplete       ID = "KLP081" // list of the kernel's that may have been cut
	TrailingData     ID = "KLP082" // bytes after the end of a compressed module
	BadList          ID = "KLP090" // line of a list of annotations that can't be read
	TargetBuild      ID = "KLP091" // which build of a livepatched module was looked at
	OtherDeclaration ID = "KLP092" // function or variable declared with other types
	OtherSignature   ID = "KLP093" // function replaced by one with other types
	OtherLayout      ID = "KLP094" // struct, union or enum defined otherwise
	NotCompared      ID = "KLP095" // declarations that could not be compared
	NotReplaceable   ID = "KLP098" // function that a livepatch can't replace
	NoTypes          ID = "KLP099" // object whose types can't be used
)
