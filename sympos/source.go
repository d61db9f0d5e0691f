// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

// A Source has the symbols of one object or several.
type Source interface {
	// String is the name for messages, usually the path.
	String() string
	// Scan visits every symbol that the loader counts, once, in the source's own
	// order, and then returns what it found out about the source. It also visits
	// exports that the source knows otherwise than by symbols (Entry.Export).
	Scan(visit func(*Entry)) (Facts, error)
}

// Facts are what a Scan found out about its source as a whole.
type Facts struct {
	Kind  Kind
	Order Order
	// NoAddresses is set when every address was 0: the kernel shows them to
	// privileged readers only (kptr_restrict).
	NoAddresses bool
	// Relative is the symbol that addresses count from, "" when they are the real
	// ones.
	Relative string
	BuildID  string   // of a vmlinux or the kernel in an image, in hex
	Build    Build    // of a module
	Notes    []string // details, one line each
	// Partial is why the source may not have all symbols (of Module.symvers: exports) of
	// the object PartialOf or, when that is empty, of any object; "" when it has all.
	Partial, PartialOf string
	// Config is the kernel's configuration, where it is part of the kernel
	// (CONFIG_IKCONFIG); else nil.
	Config []byte
	// BTF is the description of the kernel's types (Documentation/bpf/btf.rst), nil where the
	// source has none or does not belong to vmlinux. Table.Types reads it.
	BTF []byte
	// Untraced are the addresses of functions without a call that ftrace can change,
	// ascending; nil when not known.
	Untraced []uint64
	// Sealed are the addresses of functions whose endbr64 the kernel removes, ascending
	// (.ibt_endbr_seal of x86); nil when not known.
	Sealed []uint64

	debugInfo bool // an ELF file with debug information
}

// Order is how the order of a source relates to that of the loader.
type Order int

const (
	Unordered Order = iota // no order, only which symbols there are
	Listed                 // the source's order is the loader's
	ByAddress              // the loader's order is by ascending address
)

// Kind is what a source is. A smaller one is the better witness for an object
// that several sources know.
type Kind int

const (
	ModuleFile Kind = iota + 1
	Image
	Kallsyms
	VmlinuxFile
	SystemMap
	SymbolList
	Symvers // exports only
)

// precedence orders witnesses, the best first. Those that are not whole come last, before them
// those without an order, and before them those whose addresses are hidden.
func (f *Facts) precedence() int {
	const kinds = int(Symvers) + 1
	p := int(f.Kind)
	if f.Partial != "" {
		p += 3 * kinds
	}
	switch {
	case f.Order == Unordered:
		p += 2 * kinds
	case f.NoAddresses:
		p += kinds
	}
	return p
}

func (k Kind) String() string {
	switch k {
	case ModuleFile:
		return "module"
	case Image:
		return "kernel image"
	case Kallsyms:
		return "kallsyms"
	case VmlinuxFile:
		return "vmlinux"
	case SystemMap:
		return "System.map"
	case SymbolList:
		return "symbol list"
	case Symvers:
		return "Module.symvers"
	}
	return "unknown"
}
