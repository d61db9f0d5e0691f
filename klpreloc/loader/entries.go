// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"math"
	"sort"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Where ftrace finds the entry of a module's function. The compiler's flags decide what
// the module's list of entries names, and the kernel's build what it does with that
// (kernel/trace/ftrace.c, ftrace_process_locs; arch/*/kernel, ftrace_call_adjust; 7.3):
//
//	machine    flags                 section                        names
//	x86_64     -mfentry              __mcount_loc                   the call, at the function or
//	                                                                after its endbr64
//	           …-entry=16,16         __patchable_function_entries   paddings, not read
//	s390x      -mfentry, -mhotpatch  __mcount_loc                   the function
//	ppc64le    -mprofile-kernel      __mcount_loc                   the call, up to 16 bytes in
//	           …-entry=2, =1         __patchable_function_entries   the function, or its local entry
//	arm64      …-entry=2             __patchable_function_entries   the function, or after its bti
//	           …-entry=4,2           __patchable_function_entries   8 bytes before the function
//	loongarch  …-entry=2             __patchable_function_entries   the function
//
// An entry is a function's when it is between its address and the next symbol, where
// ftrace_location looks (since 5.18), or, before that, where klp_get_ftrace_location does.

// entries are what one module's list names, by section.
type entries struct {
	listed bool // there is a list that the kernel reads
	sites  map[*elfrw.Section][]uint64
	labels map[*elfrw.Section][]uint64 // named symbols: each ends the one before it
}

// entriesOf reads a module's entries once, for all of its functions.
func (f *facts) entriesOf(m *elfrw.File) *entries {
	if e := f.entries[m]; e != nil {
		return e
	}
	e := f.readEntries(m)
	if f.entries == nil {
		f.entries = map[*elfrw.File]*entries{}
	}
	f.entries[m] = e
	return e
}

func (f *facts) readEntries(m *elfrw.File) *entries {
	e := &entries{sites: map[*elfrw.Section][]uint64{}, labels: map[*elfrw.Section][]uint64{}}
	name := f.entryList(m)
	for _, s := range m.Sections {
		if !s.HasRelocs() || s.Target == nil || s.Target.Name != name || !s.Target.Alloc() {
			continue
		}
		e.listed = true
		r := s.ReadRelocs()
		for x := r.Next(); x != nil; x = r.Next() {
			if x.Sym != nil && x.Sym.Section != nil && x.Type != 0 { // R_*_NONE
				t := x.Sym.Section
				e.sites[t] = append(e.sites[t], x.Sym.Value+uint64(x.Addend))
			}
		}
	}
	if !e.listed {
		return e
	}
	sizes := map[*elfrw.Section]map[uint64]uint64{}
	for _, y := range m.Symbols {
		if y.Section == nil || y.Name == "" || mappingSymbol(y.Name) || e.sites[y.Section] == nil {
			continue
		}
		if sizes[y.Section] == nil {
			sizes[y.Section] = map[uint64]uint64{}
		}
		size, has := sizes[y.Section][y.Value]
		if !has {
			e.labels[y.Section] = append(e.labels[y.Section], y.Value)
		}
		sizes[y.Section][y.Value] = max(size, y.Size)
	}
	for s, sites := range e.sites {
		slices.Sort(e.labels[s])
		if machine := m.Header.Machine; machine == elf.EM_AARCH64 || machine == elf.EM_PPC {
			aligned := machine == elf.EM_AARCH64 && s.Align%8 == 0
			sites = f.moveEntries(sites, aligned, e.labels[s], sizes[s])
		}
		slices.Sort(sites)
		e.sites[s] = sites
	}
	return e
}

// entryList is the section that the kernel reads (include/linux/ftrace.h,
// FTRACE_CALLSITE_SECTION): CC_USING_PATCHABLE_FUNCTION_ENTRY comes from arch/*/Makefile,
// and for powerpc from the configuration.
func (f *facts) entryList(m *elfrw.File) string {
	const calls, patchable = "__mcount_loc", "__patchable_function_entries"
	switch m.Header.Machine {
	case elf.EM_AARCH64, elf.EM_LOONGARCH:
		return patchable
	case elf.EM_PPC64, elf.EM_PPC:
		if yes, _ := f.set("ARCH_USING_PATCHABLE_FUNCTION_ENTRY"); yes || m.Section(calls) == nil {
			return patchable
		}
	}
	return calls
}

// moveEntries does what ftrace_call_adjust does with an entry before a function
// (DYNAMIC_FTRACE_WITH_CALL_OPS of arm64 and ppc32): it moves to that function; arm64 drops one
// that is not aligned. Where the configuration does not say that the kernel has this, the flags of
// the module's build show: an entry that no function covers is before one.
func (f *facts) moveEntries(sites []uint64, aligned bool, labels []uint64,
	sizes map[uint64]uint64,
) []uint64 {
	const nops = 8 // bytes before a function
	callOps, _ := f.set("DYNAMIC_FTRACE_WITH_CALL_OPS")
	var all []uint64
	for _, at := range sites {
		switch n := sort.Search(len(labels), func(i int) bool { return labels[i] > at }); {
		case callOps && aligned && at%nops != 0:
			// "Misaligned patch-site"
		case callOps:
			all = append(all, at+nops)
		case n > 0 && at-labels[n-1] < max(sizes[labels[n-1]], nops-3),
			n == len(labels), labels[n]-at > nops:
			all = append(all, at)
		default:
			all = append(all, labels[n])
		}
	}
	return all
}

// mappingSymbol reports whether the kernel passes over the symbol when it looks for what
// is at an address (include/linux/module_symbol.h, is_mapping_symbol).
func mappingSymbol(name string) bool {
	switch {
	case name[0] == '.':
		return len(name) > 1 && name[1] == 'L'
	case name[0] == 'L':
		return len(name) > 1 && name[1] == '0'
	case name[0] == '$' && len(name) > 1:
		return name[1] == 'a' || name[1] == 'd' || name[1] == 'x' || name[1] == 't'
	}
	return false
}

// of reports whether the function has an entry. With search, the kernel looks up to the
// next symbol; reach is how far it looks without.
func (e *entries) of(y *elfrw.Symbol, search bool, reach uint64) bool {
	labels, sites := e.labels[y.Section], e.sites[y.Section]
	end := y.Value + reach // the last place that counts
	if end < y.Value {
		end = math.MaxUint64
	}
	if search {
		end = math.MaxUint64
		n := sort.Search(len(labels), func(i int) bool { return labels[i] > y.Value })
		if n < len(labels) {
			end = labels[n] - 1
		}
	}
	n := sort.Search(len(sites), func(i int) bool { return sites[i] >= y.Value })
	return n < len(sites) && sites[n] <= end
}

// traceable reports whether the function of a module has an ftrace entry, and whether
// that is known: a module without a list may have been built for another kind of kernel.
func (k *facts) traceable(m *elfrw.File, y *elfrw.Symbol) (yes, known bool) {
	e := k.entriesOf(m)
	reach := uint64(0)
	if m.Header.Machine == elf.EM_PPC64 {
		reach = 16 // arch/powerpc/include/asm/livepatch.h, klp_get_ftrace_location
	}
	return e.of(y, k.EntrySearch, reach), e.listed
}
