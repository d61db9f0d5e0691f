// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"cmp"
	"encoding/binary"

	"golang.org/x/exp/slices"
)

// A kernel lists the places in its functions that ftrace can change, its call sites, between
// __start_mcount_loc and __stop_mcount_loc (include/asm-generic/vmlinux.lds.h, MCOUNT_REC), in
// 8 bytes each. Their sections are __mcount_loc or __patchable_function_entries, as in modules.
// Where the addresses are depends on how the kernel is linked (arch/*/Makefile,
// LDFLAGS_vmlinux):
//
//	in the list     x86_64, s390x, ppc64le, loongarch64; what CONFIG_RELR packs
//	in .rela.dyn    arm64, by --no-apply-dynamic-relocs: the list is zero, and each word has
//	                an entry (place, type, address), in the order of the places
//
// That was seen in s390x 6.12, ppc64le 6.1 and in what GNU ld 2.44 makes for the others with the
// kernel's flags. A kernel whose symbols are relative to the first one has addresses of the
// linker in its list. The distance is a multiple of a page: of two megabytes for arm64 and
// loongarch64, of one for s390x.
//
// What kernel/trace/ftrace.c (ftrace_process_locs, 7.3) makes of an address, arch/*
// (ftrace_call_adjust) changes:
//
//	x86_64, s390x, loongarch64   nothing
//	ppc64le                      4 bytes further, in the same function
//	arm64                        4 bytes further; with CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS the
//	                             address is that of two nops before the function, and has to
//	                             be a multiple of 8
//
// A zero is what is left of a weak function that another one replaced (scripts/sorttable.c as
// of 6.15).

// callSites is a kernel's list.
type callSites struct {
	order    binary.ByteOrder
	start    uint64   // __start_mcount_loc, as the symbols have it
	list     []byte   // what the file has there
	relocs   [][]byte // what has the list's relocations, if any
	relative bool     // symbols count from the first one
	work     int      // steps of the search for relocations
}

// A label is a symbol of the kernel: a function ends where the next one is.
type label struct {
	address uint64
	code    bool // a function, by its type
}

// isCode reports whether a symbol of that type is a function.
func isCode(letter byte) bool {
	return letter == 't' || letter == 'T' || letter == 'w' || letter == 'W'
}

// untraced returns the addresses of those functions that have no call site from their
// beginning up to the next symbol (kernel/trace/ftrace.c, ftrace_location), ascending; nil when
// that is not known. It sorts the labels.
func (c *callSites) untraced(labels []label) (all []uint64) {
	slices.SortStableFunc(labels, func(a, b label) int { return cmp.Compare(a.address, b.address) })
	sites := c.read(labels)
	if len(sites) == 0 {
		return nil
	}
	next := 0 // after those at the same address, of which there may be many in a hostile file
	for i, l := range labels {
		if next <= i {
			for next = i + 1; next < len(labels) && labels[next].address == l.address; next++ {
			}
		}
		n, _ := slices.BinarySearch(sites, l.address)
		if l.code && next < len(labels) && (n == len(sites) || sites[n] >= labels[next].address) {
			all = append(all, l.address)
		}
	}
	return all
}

// read returns the call sites in ascending order; nil when the file does not have them.
func (c *callSites) read(labels []label) []uint64 {
	sites, base, known := c.words(), uint64(0), !c.relative
	if len(sites) == 0 {
		sites, base = c.relocated()
		known = true
	}
	if len(sites) == 0 || len(labels) == 0 {
		return nil
	}
	slices.Sort(sites)
	if !known {
		base = distance(sites, labels)
	}
	first, last := labels[0].address, labels[len(labels)-1].address
	for i := range sites {
		if sites[i] -= base; sites[i] < first || sites[i] >= last {
			return nil
		}
	}
	const most = 4 // of so many sites one may be elsewhere
	if near(sites, labels)*most < len(sites)*(most-1) {
		return nil
	}
	return c.adjust(sites, labels)
}

// words returns what is in the list, but for zeros.
func (c *callSites) words() []uint64 {
	var sites []uint64
	for at := 0; at+8 <= len(c.list); at += 8 {
		if site := c.order.Uint64(c.list[at:]); site != 0 {
			sites = append(sites, site)
		}
	}
	return sites
}

// relocated returns what relocations write into the list, but for zeros, and how far their
// places are from what the symbols say.
func (c *callSites) relocated() (sites []uint64, base uint64) {
	const (
		entry = 24
		page  = 4096
	)
	words := len(c.list) / 8
	if words == 0 {
		return nil, 0
	}
	for _, r := range c.relocs {
		for at := 0; words <= (len(r)-at)/entry && c.work <= maxWork; at += 8 {
			place := c.order.Uint64(r[at:])
			if place != c.start && (!c.relative || place%page != c.start%page) ||
				!c.relocates(r[at:], words) {
				continue
			}
			for i := range words {
				if site := c.order.Uint64(r[at+entry*i+16:]); site != 0 {
					sites = append(sites, site)
				}
			}
			return sites, place - c.start
		}
	}
	return nil, 0
}

// relocates reports whether r begins with relocations of one type for so many words, one
// after the other.
func (c *callSites) relocates(r []byte, words int) bool {
	const entry = 24
	place, info := c.order.Uint64(r), c.order.Uint64(r[8:])
	for i := range words {
		c.work++
		if at := entry * i; c.order.Uint64(r[at:]) != place+uint64(8*i) ||
			c.order.Uint64(r[at+8:]) != info {
			return false
		}
	}
	return info != 0
}

// distance returns how far addresses of the linker are from those of the symbols: that for
// which most sites are where functions begin.
func distance(sites []uint64, labels []label) (base uint64) {
	most := -1
	moved := make([]uint64, len(sites))
	for bits := 12; bits <= 21; bits++ {
		b := sites[0] &^ (1<<bits - 1)
		for i := range sites {
			moved[i] = sites[i] - b
		}
		if n := near(moved, labels); n > most {
			most, base = n, b
		}
	}
	return base
}

// nops is how many bytes before its function an entry may be.
const nops = 8

// near returns how many of the sites are where a function begins: up to 8 bytes before it, and
// up to 16 in it (-mprofile-kernel of ppc64le).
func near(sites []uint64, labels []label) (n int) {
	const within = 16
	at := 0
	for _, s := range sites {
		for at < len(labels) && (!labels[at].code || labels[at].address+within < s) {
			at++
		}
		if at < len(labels) && labels[at].address <= s+nops {
			n++
		}
	}
	return n
}

// adjust does what ftrace_call_adjust does with entries before functions, where most are
// before one.
func (c *callSites) adjust(sites []uint64, labels []label) []uint64 {
	before, at := 0, 0
	for _, s := range sites {
		for at < len(labels) && labels[at].address < s+nops {
			at++
		}
		if at < len(labels) && labels[at].address == s+nops {
			before++
		}
	}
	if before <= len(sites)/2 {
		return sites
	}
	var all []uint64
	for _, s := range sites {
		if s%nops == 0 {
			all = append(all, s+nops)
		}
	}
	return all
}
