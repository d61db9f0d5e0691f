// SPDX-License-Identifier: GPL-2.0-or-later

package rewrite

import (
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/gate"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// klpSymbol is a klp symbol to be; several undefined symbols may become one.
type klpSymbol struct {
	name   string
	users  []*elfrw.Symbol // in symbol table order
	labels bool            // some annotation of it is a label
	relocs int
	symbol *elfrw.Symbol // that it is made of; nil while that is open
}

// klpSymbols are the klp symbols of all targets.
type klpSymbols struct {
	byName   map[string]*klpSymbol
	byTarget map[*gate.Target][]*klpSymbol // of each of its annotations

	last *gate.Target // that of was asked for, with its klp symbols
	list []*klpSymbol
}

func newKlpSymbols(targets []*gate.Target) *klpSymbols {
	s := &klpSymbols{byName: map[string]*klpSymbol{},
		byTarget: make(map[*gate.Target][]*klpSymbol, len(targets))}
	for _, t := range targets {
		list := make([]*klpSymbol, 0, len(t.Notes))
		for _, a := range t.Notes {
			name := a.KlpName()
			k := s.byName[name]
			if k == nil {
				k = &klpSymbol{name: name}
				s.byName[name] = k
			}
			k.users = append(k.users, a.Symbol)
			k.labels = k.labels || a.Dialect.IsLabel() && a.IsWritten()
			list = append(list, k)
		}
		s.byTarget[t] = list
	}
	return s
}

// of returns the klp symbol for one of the target's annotations.
func (s *klpSymbols) of(t *gate.Target, note *annotation.Annotation) *klpSymbol {
	if t != s.last {
		s.last, s.list = t, s.byTarget[t]
	}
	if len(s.list) == 1 {
		return s.list[0]
	}
	return s.list[slices.Index(t.Notes, note)]
}

// plan returns the changes, in the order of the symbol table and, for symbols that are added,
// of their names, and the symbols that nothing needs after that. The klp symbol of records that
// nothing uses is not made. That of an unused label is, because the label is the symbol's name.
func (s *klpSymbols) plan(targets []*gate.Target) (changes []SymbolChange, drop []*elfrw.Symbol) {
	byNum := func(a, b *elfrw.Symbol) int { return a.Num() - b.Num() }
	// A symbol becomes the first of its klp symbols that is used; a label's is its
	// only one.
	first := map[*elfrw.Symbol]*klpSymbol{}
	for _, t := range targets {
		list := s.byTarget[t]
		first[t.Symbol] = list[0]
		for _, k := range list {
			if k.relocs > 0 {
				first[t.Symbol] = k
				break
			}
		}
	}
	var added []*klpSymbol
	var all []SymbolChange
	for _, k := range s.byName {
		slices.SortFunc(k.users, byNum)
		mine := slices.DeleteFunc(slices.Clone(k.users), func(y *elfrw.Symbol) bool {
			return first[y] != k
		})
		if len(mine) == 0 {
			if k.relocs > 0 {
				added = append(added, k)
			}
			continue
		}
		k.symbol = mine[0]
		all = append(all, SymbolChange{Symbol: mine[0], Name: k.name, Others: mine[1:], Relocs: k.relocs})
	}
	slices.SortFunc(all, func(a, b SymbolChange) int { return byNum(a.Symbol, b.Symbol) })
	for _, c := range all {
		if c.Relocs > 0 || s.byName[c.Name].labels {
			changes = append(changes, c)
		} else {
			drop = append(drop, c.Symbol)
		}
		drop = append(drop, c.Others...)
	}
	slices.SortFunc(added, func(a, b *klpSymbol) int { return strings.Compare(a.name, b.name) })
	for _, k := range added {
		like := k.users[0]
		k.symbol = &elfrw.Symbol{Name: k.name, Size: like.Size, Info: like.Info, Other: like.Other,
			Index: klpabi.IndexLivepatch}
		changes = append(changes, SymbolChange{Symbol: k.symbol, Name: k.name, Relocs: k.relocs,
			Like: like})
	}
	return changes, drop
}
