// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// What check can find in a module, for a kernel. Where a conversion has an id of the same
// meaning, the name of check's begins with Check.
const (
	BadELF                 ID = "KLP101" // not a file that the loader accepts as a module
	BadSignature           ID = "KLP102" // missing where required, or malformed
	NotConverted           ID = "KLP103" // annotations, before conversion
	NotMarked              ID = "KLP104" // klp relocations or klp_enable_patch, and no livepatch=
	NoLivepatching         ID = "KLP105" // kernel without livepatching
	VersionMagic           ID = "KLP106" // vermagic of another kernel
	StructModule           ID = "KLP107" // struct module of another size
	BadModuleName          ID = "KLP108" // name that the kernel refuses, or that is in use
	InitOffset             ID = "KLP109" // init or exit elsewhere in struct module
	UnknownSymbol          ID = "KLP110" // import that no module exports
	WeakImport             ID = "KLP111" // weak import bound to 0
	GPLOnlyExport          ID = "KLP112" // license keeps the module from an export
	NamespaceNotImported   ID = "KLP113" // export's namespace not imported
	ChecksumMismatch       ID = "KLP114" // export of another checksum
	NeedsModule            ID = "KLP115" // import from a module that has to be loaded before
	SymbolIndex            ID = "KLP116" // symbol in a section that does not exist
	CommonSymbol           ID = "KLP117" // SHN_COMMON
	SectionGrammar         ID = "KLP118" // klp section name that can't be read
	SectionHeader          ID = "KLP119" // klp section header
	NotApplied             ID = "KLP120" // klp section that is never applied
	SymbolGrammar          ID = "KLP121" // klp symbol name that can't be read
	NotKlpSymbol           ID = "KLP122" // klp relocation of an ordinary symbol
	KlpSymbolOrdinary      ID = "KLP123" // ordinary relocation of a klp symbol
	VmlinuxInModule        ID = "KLP124" // vmlinux symbol in a section for a module
	ModuleInVmlinux        ID = "KLP125" // module's symbol in a section for vmlinux
	KlpSymbolAbsent        ID = "KLP126" // klp symbol that does not exist
	KlpSymbolAmbiguous     ID = "KLP127" // position 0 of several
	KlpPositionAbsent      ID = "KLP128" // position after the last one
	KlpPositionUnsteady    ID = "KLP129" // position that depends on what is loaded
	ForeignOwner           ID = "KLP130" // symbol of a module that need not be loaded
	RelocationType         ID = "KLP131" // type the loader does not apply
	CheckNonzeroTarget     ID = "KLP132" // x86: place that is not zero
	Overlap                ID = "KLP133" // two relocations of one place
	OutsideTarget          ID = "KLP134" // after the end of the section
	DuplicateSection       ID = "KLP135" // two loaded sections of one name
	PatchStructure         ID = "KLP136" // klp_patch that the core refuses
	FunctionAbsent         ID = "KLP137" // function to patch does not exist
	FunctionAmbiguous      ID = "KLP138" // or there are several
	FunctionPositionAbsent ID = "KLP139" // or has no such position
	NotPatchable           ID = "KLP140" // or has no ftrace entry
	LateSpecial            ID = "KLP141" // special section read before its relocation
	CheckArchSection       ID = "KLP142" // .klp.arch that no kernel reads, or that it must read
	LateInit               ID = "KLP143" // late relocation of init code
	LateReadOnly           ID = "KLP144" // late store into read-only memory
	ReloadRefused          ID = "KLP145" // target can't be loaded a second time
	CheckPerCPU            ID = "KLP146" // per-CPU data
	TargetAbsent           ID = "KLP147" // kernel has no such object
	CallSequence           ID = "KLP148" // ppc64le: no nop after a call
	PLTSections            ID = "KLP149" // GOT and PLT slots that were not reserved
	NotALivepatch          ID = "KLP150" // a module that patches nothing
	OtherSymbol            ID = "KLP151" // position that is another symbol in another kernel
	DuplicateExport        ID = "KLP152" // export that exists already
	BadTable               ID = "KLP153" // table of the kernel's build that it can't use
	TaintsKernel           ID = "KLP154" // module that says that it is not for production
	CheckUnusedDepends     ID = "KLP155" // depends= names what nothing is imported from
	KlpSymbolTruncated     ID = "KLP156" // klp symbol whose name the kernel truncates
	ReturnThunk            ID = "KLP158" // return thunk that the kernel can't replace
	NoRetpolines           ID = "KLP159" // kernel with retpolines, module without
	NoLandingPad           ID = "KLP160" // function called by address without endbr64, bti
	SealedFunction         ID = "KLP161" // address of a function that the kernel sealed
	NoCallType             ID = "KLP162" // function called by address without a kCFI hash
	NoPadding              ID = "KLP163" // call that call depth tracking can't count
	OtherTarget            ID = "KLP170" // another build of a livepatched module than was looked at
	CheckDeclaration       ID = "KLP171" // function or variable declared with other types
	CheckSignature         ID = "KLP172" // function replaced by one with other types
	CheckLayout            ID = "KLP173" // struct, union or enum defined otherwise
	InlinedCopy            ID = "KLP176" // patched function that is inlined elsewhere
	CloneCalled            ID = "KLP177" // clone of a patched function
	OtherBody              ID = "KLP178" // patched function of a header, compiled again elsewhere
)
