// SPDX-License-Identifier: GPL-2.0-or-later

package klpdiff

import (
	"debug/elf"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"sync"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/special"
)

// place is where something is, told by names.
type place struct {
	section string // name
	in      string // function, variable, or section; "" for a special entry without site
	offset  uint64 // from its start
}

// String returns "function+0x12".
func (p place) String() string { return fmt.Sprintf("%s+%#x", p.in, p.offset) }

var (
	unique = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(__UNIQUE_ID_\w*?)\d+$`)
	})
	numbered = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\.\d+(\.|$)`) })
)

// stableName takes the numbers off a name that a compiler counts up.
func stableName(name string) string {
	return numbered().ReplaceAllString(unique().ReplaceAllString(name, "$1"), "$1")
}

// places finds what holds a place of a file.
type places struct {
	file    *elfrw.File
	tables  *special.Tables
	symbols map[*elfrw.Section][]*elfrw.Symbol // functions and variables, by value
}

func newPlaces(f *elfrw.File) *places {
	p := &places{file: f, symbols: map[*elfrw.Section][]*elfrw.Symbol{}}
	p.tables, _ = special.Read(f)
	for _, y := range f.Symbols {
		if t := y.Type(); y.Section != nil && y.Name != "" && (t == elf.STT_FUNC || t == elf.STT_OBJECT) {
			p.symbols[y.Section] = append(p.symbols[y.Section], y)
		}
	}
	for _, list := range p.symbols {
		// Of several at one place (init_module, an alias) a global one, then
		// the first name: the same in every build.
		slices.SortFunc(list, func(a, b *elfrw.Symbol) int {
			switch {
			case a.Value != b.Value:
				return int(int64(a.Value) - int64(b.Value))
			case (a.Bind() == elf.STB_LOCAL) != (b.Bind() == elf.STB_LOCAL):
				if a.Bind() == elf.STB_LOCAL {
					return -1
				}
				return 1
			}
			return strings.Compare(b.Name, a.Name)
		})
	}
	return p
}

// at names a place. What is in a special section, or in an alternative's code, is
// called by the function that the entry is about.
func (p *places) at(s *elfrw.Section, offset uint64) place {
	if list := p.tables.Replacements(s, offset, 1); len(list) > 0 && list[0].Site.Section != nil {
		e := list[0]
		return place{s.Name, fmt.Sprintf("%s at %s", e.Kind, p.holder(e.Site.Section, e.Site.Offset)),
			offset - e.Replacement.Offset}
	}
	if e := p.tables.In(s, offset); e != nil && e.Site.Section != nil {
		site := p.holder(e.Site.Section, e.Site.Offset)
		return place{s.Name, fmt.Sprintf("entry for %s at %s", e.Kind, site), offset - e.Offset}
	}
	return p.holder(s, offset)
}

func (p *places) holder(s *elfrw.Section, offset uint64) place {
	list := p.symbols[s]
	i := sort.Search(len(list), func(i int) bool { return list[i].Value > offset })
	if i == 0 || i > 0 && offset-list[i-1].Value >= max(list[i-1].Size, 1) {
		return place{s.Name, s.String(), offset}
	}
	return place{s.Name, list[i-1].Name, offset - list[i-1].Value}
}

// specialFacts counts the entries of special sections.
func (p *places) specialFacts() map[string]string {
	m := map[string]string{}
	count := map[string]int{}
	for _, t := range p.tables.All {
		count[t.Section.Name] += t.Len()
	}
	for name, n := range count {
		if n > 0 {
			m[name] = fmt.Sprint(n)
		}
	}
	for _, s := range p.file.Sections {
		if strings.HasPrefix(s.Name, ".klp.arch.") {
			m[s.Name] = fmt.Sprintf("%d bytes", s.Size())
		}
	}
	return m
}
