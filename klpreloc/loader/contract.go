// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"regexp"

	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

// contract is what of the loader's behaviour depends on the kernel's version. Every
// comparison of versions in this package is here. Stable kernels carry some of it
// under older numbers; where that has been seen it is said.
type contract struct {
	scheme kernel.Scheme
	// nameLimit is how much of a symbol's name klp_resolve_symbols reads: %127 or,
	// since 6.1, %511 (b8a94bfb3395).
	nameLimit int
	// storedLimit is how much of a klp symbol's whole name add_kallsyms keeps for late
	// relocations, 0 for all of it.
	storedLimit int
	// sizes of the structures on 64 bits (include/linux/livepatch.h), 0 where they are not known:
	// klp_patch has states since 5.5; before, 192 was seen in 5.4.286, and the rest in 4.19.78.
	patchSize, objectSize, funcSize uint64
	// registers: klp_enable_patch refuses a patch that klp_register_patch was not called
	// for; the latter went with 958ef1e39d24 of 5.1.
	registers bool

	// elfMessages: what is wrong with the ELF file is printed (kernel/module/main.c,
	// elf_validity_check: since 5.16, and 5.15.y). Before, one line serves all but two
	// ("Module has invalid ELF structures", ec2a29593c83 of 5.12; seen in 5.10.262).
	elfMessages bool
	// elfStrict: sections that have to be unique, sizes and strings are checked
	// (elf_validity_cache_copy as of 6.13; seen in 6.12.117).
	elfStrict bool
	// missingCRC: an import without a checksum is refused (seen in Debian's 5.10 and 6.12, not in
	// its 7.3; mainline lets it pass with a word).
	missingCRC bool
	// saturates: a position that does not fit is the largest (seen in 7.3; 6.12.117 wraps it around).
	saturates bool
	// testTaint: modules with test= taint the kernel (since 6.0).
	testTaint bool
	// licenseTwice: a license that is not the GPL's is said twice (seen in 7.3).
	licenseTwice bool
	// staticCallFaults: a static call with a key at address 0 oopses when the module is loaded;
	// in 6.12 and 7.3 it does not, and the late relocation of the call itself is refused.
	staticCallFaults bool
	// initExists: insmod gives EBUSY when a module's init function returns EEXIST (seen in 7.3; 6.12 gives EEXIST).
	initExists string
	// tableTypes: string tables have to be of type SHT_STRTAB (seen in 6.12.117 and 7.3).
	tableTypes bool
	// nameTable: the table of the symbols' names has to begin and to end with 0, and to have all of
	// them (elf_validity_cache_strtab; seen in 7.3, not in 6.12.117).
	nameTable bool
	// enforceRWX: sections for writing and for execution are refused (since 5.7, 5c3a7db0c7ec).
	enforceRWX bool
	// structSize: the size of struct module is checked (since 6.4, 97ab4a4c4a8b's series).
	structSize bool
	// indexCheck: symbols in sections that are not there are refused (simplify_symbols,
	// since 6.8, and 6.1.y).
	indexCheck bool
	// forModules: EXPORT_SYMBOL_FOR_MODULES (since 6.16).
	forModules bool
	// importNS is how source imports a namespace (klpreloc.Version.ImportNS).
	importNS string

	// entrySearch: klp_patch_func looks for the function's ftrace entry anywhere in the
	// function on x86, and says so where there is none (since 5.18, d15cb3dab1e4).
	entrySearch bool
	// relaIndex: "is not marked as a livepatch symbol" names section and index (since 6.19).
	relaIndex bool
	// nonzero is the message for bytes that are not zero (arch/x86/kernel/module.c,
	// __write_relocate_add): three wordings.
	nonzero int
	// reload: what the target's relocations wrote is cleared when it goes (x86,
	// 0c05e7bd2d01, since 6.3).
	reload bool
	// duplicateFatal: two loaded sections of one name are refused by sysfs (seen in
	// 6.12.107; 6.1 warns).
	duplicateFatal bool
	// perCPULoaded: ordinary relocations of .data..percpu are special-cased (7.x).
	perCPULoaded bool
	// pc64: R_X86_64_PC64 (since 5.0).
	pc64      bool
	livepatch map[elf.Machine]bool // HAVE_LIVEPATCH
	// warnThunk: a return thunk that was not replaced warns (since 6.9, 4461438a8405).
	warnThunk bool
	// kernelCFI: kCFI's hashes before functions, in place of jump tables (since 6.1, 89245600941e).
	kernelCFI bool
}

func contractOf(v kernel.Version, scheme kernel.Scheme) *contract {
	c := &contract{
		scheme:           scheme,
		nameLimit:        v.NameLimit(),
		storedLimit:      v.StoredLimit(scheme),
		registers:        !v.AtLeast(5, 1),
		elfMessages:      v.AtLeast(5, 15),
		elfStrict:        v.AtLeast(6, 12),
		missingCRC:       !v.AtLeast(7, 0),
		saturates:        v.AtLeast(7, 0),
		testTaint:        v.AtLeast(6, 0),
		licenseTwice:     v.AtLeast(6, 4),
		staticCallFaults: !v.AtLeast(6, 12),
		tableTypes:       v.AtLeast(6, 12),
		nameTable:        v.AtLeast(7, 0),
		enforceRWX:       v.AtLeast(5, 7),
		structSize:       v.AtLeast(6, 4),
		indexCheck:       v.AtLeast(6, 8) || v.Major == 6 && v.Minor == 1,
		forModules:       v.AtLeast(6, 16),
		entrySearch:      v.AtLeast(5, 18),
		relaIndex:        v.AtLeast(6, 19),
		reload:           v.AtLeast(6, 3),
		duplicateFatal:   v.AtLeast(6, 12),
		perCPULoaded:     v.AtLeast(7, 0),
		pc64:             v.AtLeast(5, 0),
		warnThunk:        v.AtLeast(6, 9),
		kernelCFI:        v.AtLeast(6, 1),
		livepatch: map[elf.Machine]bool{
			elf.EM_X86_64: true, elf.EM_S390: true, elf.EM_PPC64: true, elf.EM_PPC: true,
			elf.EM_LOONGARCH: v.AtLeast(6, 9), elf.EM_AARCH64: v.AtLeast(6, 17),
		},
	}
	c.importNS = v.ImportNS()
	if c.initExists = "EEXIST"; v.AtLeast(7, 0) {
		c.initExists = "EBUSY"
	}
	switch {
	case v.AtLeast(5, 5):
		c.patchSize, c.objectSize, c.funcSize = 200, 168, 152
	case v.AtLeast(5, 1): // replace, free_work, lists of objects and functions
		c.patchSize, c.objectSize, c.funcSize = 192, 168, 152
	case v.AtLeast(4, 16):
		c.patchSize, c.objectSize, c.funcSize = 136, 136, 136
	}
	switch {
	case v.AtLeast(6, 19):
		c.nonzero = 2
	case v.AtLeast(6, 3):
		c.nonzero = 1
	}
	return c
}

// debian are the releases of Debian's kernels, which have patches of their own: 6.1.0-56-amd64,
// 6.1.0-0.deb11.21-amd64, 6.12.117+deb13-amd64. Ubuntu numbers its own in the same way, and
// has other flavours: 5.15.0-91-generic.
var (
	debian = regexp.MustCompile(`\+deb\d+|^\d+\.\d+\.0-(\d+|0\.(bpo|deb\d+)\.\d+)-`)
	ubuntu = regexp.MustCompile(`-(generic|lowlatency|realtime|aws|azure|gcp|gke|gkeop|ibm|intel|kvm|nvidia|oem|oracle|raspi|xilinx)(-|$)`)
)

// ofDebian reports whether a release is one of Debian's.
func ofDebian(release string) bool {
	return debian.MatchString(release) && !ubuntu.MatchString(release)
}

// early reports whether the loader itself applies vmlinux's klp relocations.
func (c *contract) early() bool { return c.scheme == kernel.SchemeEarly }

// overflowMessages are what x86 says of a value that does not fit.
func (c *contract) overflowMessages(t uint32, module string) []Message {
	const prefix = "module: "
	where := ""
	if c.nonzero == 2 {
		where = " sec %s idx %s"
	}
	return []Message{
		says(prefix+"overflow in relocation type %s val %s"+where, t, anyHex, anyNumber, anyNumber),
		says(prefix+"`%s' likely not compiled with -mcmodel=kernel", module),
	}
}

// nonzeroMessage is what x86 says of a place that is not zero.
func (c *contract) nonzeroMessage(t uint32) Message {
	const prefix = "module: x86/modules: "
	switch c.nonzero {
	case 0:
		return says(prefix+"Skipping invalid relocation target, existing value is nonzero for type %s, loc %s, val %s", t, anyPointer, anyHex)
	case 1:
		return says(prefix+"Invalid relocation target, existing value is nonzero for type %s, loc %s, val %s", t, anyPointer, anyHex)
	}
	return says(prefix+"Invalid relocation target, existing value is nonzero for sec %s, idx %s, type %s, loc %s, val %s", anyNumber, anyNumber, t, anyHex, anyHex)
}
