// SPDX-License-Identifier: GPL-2.0-or-later

package explain

import (
	"strings"
	"sync"
)

// A sieve finds the patterns whose literal is in a line by one pass through the line. Of a log,
// nearly all lines have none, and asking for one literal after the other was where explaining
// one spent its time.
type sieve struct {
	patterns []*pattern
	short    []int               // of patterns: those with a literal of less than window bytes
	slots    [1 << slotBits]byte // by hash of the beginning of a literal: number in starts, or 0
	starts   [][]int             // of patterns, by the beginning of their literals
}

const (
	window   = 4
	slotBits = 14
)

var allPatterns = sync.OnceValue(func() *sieve { return newSieve(patterns()) })

func newSieve(patterns []*pattern) *sieve {
	s := &sieve{patterns: patterns, starts: [][]int{nil}}
	for i, p := range patterns {
		if len(p.literal) < window {
			s.short = append(s.short, i)
			continue
		}
		slot := &s.slots[slotOf(beginning(p.literal))]
		switch {
		case *slot > 0:
		case len(s.starts) > 0xff:
			*slot = 0xff // as good as another: literals are compared
		default:
			*slot = byte(len(s.starts))
			s.starts = append(s.starts, nil)
		}
		s.starts[*slot] = append(s.starts[*slot], i)
	}
	return s
}

// beginning returns the first window bytes of s as a number.
func beginning(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

func slotOf(beginning uint32) uint32 { return beginning * 0x9e3779b1 >> (32 - slotBits) }

// with calls visit for each pattern whose literal is in line, in their order.
func (s *sieve) with(line string, visit func(*pattern)) {
	var has []bool // made for the first literal that is found
	mark := func(i int) {
		if has == nil {
			has = make([]bool, len(s.patterns))
		}
		has[i] = true
	}
	for _, i := range s.short {
		if strings.Contains(line, s.patterns[i].literal) {
			mark(i)
		}
	}
	var b uint32 // the last window bytes
	for at := range len(line) {
		b = b>>8 | uint32(line[at])<<24
		slot := s.slots[slotOf(b)]
		if slot == 0 || at < window-1 {
			continue
		}
		for _, i := range s.starts[slot] {
			if strings.HasPrefix(line[at-(window-1):], s.patterns[i].literal) {
				mark(i)
			}
		}
	}
	for i, is := range has {
		if is {
			visit(s.patterns[i])
		}
	}
}
