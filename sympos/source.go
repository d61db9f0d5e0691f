// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

// A Source knows the symbols of one object or several.
type Source interface {
	// String is the name for messages, usually the path.
	String() string
	// Scan visits every symbol that the loader counts, once, in the source's
	// own order, and then says what it is worth. Exports that the source knows
	// of otherwise than by symbols go past among them (Entry.Export).
	Scan(visit func(*Entry)) (Facts, error)
}

// Facts are what a Scan found out about its source as a whole.
type Facts struct {
	Kind  Kind
	Order Order
	// NoAddresses: every address was 0. The kernel shows them to privileged
	// readers only (kptr_restrict).
	NoAddresses bool
	// Relative names the symbol that addresses count from, when the source
	// does not have the real ones.
	Relative string
	BuildID  string   // of a vmlinux or what is in an image, in hex
	Notes    []string // one line each, for those who want to know more
	// Partial says why the source may not have all symbols (or, Module.symvers, exports) of
	// the object PartialOf or, when that is empty, of any object; "" when it has.
	Partial, PartialOf string
	// Untraced are the addresses of functions without a call that ftrace can change,
	// ascending; nil when the source does not tell.
	Untraced []uint64
	// Sealed are the addresses of functions whose endbr64 the kernel removes, ascending
	// (.ibt_endbr_seal of x86); nil when it is not known.
	Sealed []uint64
}

// Order says what a source's order is worth.
type Order int

const (
	Unordered Order = iota // says who is there, not in which order
	Listed                 // the order of the source is that of the loader
	ByAddress              // the loader's order is that of ascending addresses
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

// worth orders witnesses, the best first. Those that do not have everything come last, before
// them those that can't tell an order, before them those that could tell addresses and don't.
func (f *Facts) worth() int {
	const kinds = int(Symvers) + 1
	worth := int(f.Kind)
	if f.Partial != "" {
		worth += 3 * kinds
	}
	switch {
	case f.Order == Unordered:
		worth += 2 * kinds
	case f.NoAddresses:
		worth += kinds
	}
	return worth
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
