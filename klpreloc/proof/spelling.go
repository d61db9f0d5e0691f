// SPDX-License-Identifier: GPL-2.0-or-later

package proof

import (
	"bytes"
	"debug/elf"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/klp-convert/klp-convert/elfrw"
)

// The reading of annotations is shared, but what they were read as is compared with the bytes
// here. What this leaves to the shared code are the paths of annotations by file; the positions
// that these stand for are claims.
//
//	label            .klp.sym.rela.<livepatched object>.<object>.<name>,<position>, or '.'
//	label by file    .klp.sym.file.<livepatched object>.<object>.<name>/<path>
//	record           in .klp.module_relocs.<object>: a pointer to the symbol, and a u32;
//	                 every byte outside of records is zero
//	line of a list   [symbol=]object:name[,position | @path], and a comment that begins
//	                 with '#'

// spelling is an annotation as it is written.
type spelling struct {
	sym                    *elfrw.Symbol
	lpObject, object, name string
	pos                    uint32
	byFile                 bool
}

// posByFile is the position of a record that a path follows (scripts/include/klp_convert.h,
// KLP_SYMFILE).
const posByFile = math.MaxUint32

// compareSpelling compares annotations with the labels and records of f, and with the lists.
func compareSpelling(f *elfrw.File, lists []List, list []note) error {
	read := make(map[spelling]bool, len(list))
	for i := range list {
		a := &list[i]
		read[spelling{a.Symbol, a.LPObject, a.Object, a.Name, a.Pos, a.File != ""}] = true
	}
	found := make(map[spelling]bool, len(read))
	rest := map[*elfrw.Section][]byte{} // contents that no record has explained
	for _, y := range f.Symbols {
		if !y.Undefined() || !isLabelName(y.Name) {
			continue
		}
		x, err := parseLabel(y)
		if err != nil {
			return err
		}
		if !read[x] {
			return fmt.Errorf("label %.200q was read as something else", y.Name)
		}
		found[x] = true
	}
	for _, rs := range f.Sections {
		if !rs.HasRelocs() || rs.Target == nil || !isRecordSection(rs.Target) {
			continue
		}
		s := rs.Target
		if rest[s] == nil {
			rest[s] = bytes.Clone(s.Data)
		}
		for in := rs.ReadRelocs(); ; {
			r := in.Next()
			if r == nil {
				break
			}
			if r.Sym == nil || r.Type == 0 {
				continue
			}
			x, at, ok := findRecord(f, s, r, read)
			if !ok {
				return fmt.Errorf("record %s+%#x was read as something else", s, r.Offset)
			}
			clear(rest[s][r.Offset : r.Offset+uint64(f.PointerSize())])
			clear(rest[s][at : at+4])
			if r.Sym.Undefined() { // else a path
				found[x] = true
			}
		}
	}
	for s, b := range rest {
		if i := bytes.IndexFunc(b, func(c rune) bool { return c != 0 }); i >= 0 {
			return fmt.Errorf("%s+%#x: contents that were read as nothing", s, i)
		}
	}
	for _, l := range lists {
		if err := compareList(f, l, read, found); err != nil {
			return err
		}
	}
	if len(found) != len(read) {
		return fmt.Errorf("%d annotations were read, and %d are there", len(read), len(found))
	}
	return nil
}

// listLine is a line of a list: the symbol in the module, its object, its name in the kernel,
// a position, a path. A comment follows a blank.
var listLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[ \t\r]*(?:([^=: \t]+)=)?([^:= \t]+):([^,@ \t]+)` +
		`(?:,([0-9]+)|@(.+?))?(?:[ \t]+#.*|[ \t\r]*)$`)
})

// compareList compares annotations with the lines of a list that are about undefined symbols of
// f, and adds these to found.
func compareList(f *elfrw.File, l List, read, found map[spelling]bool) error {
	undefined := map[string]*elfrw.Symbol{}
	for _, y := range f.Symbols {
		if y.Undefined() && undefined[y.Name] == nil {
			undefined[y.Name] = y
		}
	}
	text := strings.TrimPrefix(string(l.Text), "\ufeff")
	for i, s := range strings.Split(text, "\n") {
		s = strings.TrimRight(s, "\r")
		if t := strings.Trim(s, " \t\r"); t == "" || t[0] == '#' {
			continue
		}
		part := listLine().FindStringSubmatch(s)
		if part == nil {
			return fmt.Errorf("%s:%d: a line that is no annotation", l.Name, i+1)
		}
		name := part[1]
		if name == "" {
			name = part[3]
		}
		y := undefined[name]
		if y == nil {
			continue
		}
		x := spelling{y, part[2], part[2], part[3], 0, part[5] != ""}
		if part[4] != "" {
			pos, err := strconv.ParseUint(part[4], 10, 32)
			if err != nil {
				return fmt.Errorf("%s:%d: %w", l.Name, i+1, err)
			}
			x.pos = uint32(pos)
		}
		if !read[x] {
			return fmt.Errorf("%s:%d was read as something else", l.Name, i+1)
		}
		found[x] = true
	}
	return nil
}

// parseLabel takes the name of a label apart. Object names hold no dots, names of symbols may:
// the position follows the last comma or, without one, the last dot.
func parseLabel(y *elfrw.Symbol) (spelling, error) {
	text := y.Name
	if strings.HasPrefix(text, `"`) {
		text = strings.TrimSuffix(text[1:], `"`)
	}
	x := spelling{sym: y, byFile: strings.HasPrefix(text, fileLabelPrefix)}
	part := strings.SplitN(text[len(labelPrefix):], ".", 3) // both prefixes are of one length
	if len(part) < 3 {
		return x, fmt.Errorf("label %.200q has no objects and name", y.Name)
	}
	x.lpObject, x.object = part[0], part[1]
	separator := strings.LastIndexByte(part[2], ',')
	if x.byFile {
		separator = strings.IndexByte(part[2], '/')
	} else if separator < 0 {
		separator = strings.LastIndexByte(part[2], '.')
	}
	if separator < 0 {
		return x, fmt.Errorf("label %.200q has no position or path", y.Name)
	}
	x.name = part[2][:separator]
	if x.byFile {
		return x, nil
	}
	pos, err := strconv.ParseUint(part[2][separator+1:], 10, 32)
	if err != nil {
		return x, fmt.Errorf("label %.200q has no position: %w", y.Name, err)
	}
	x.pos = uint32(pos)
	return x, nil
}

// findRecord returns which of the annotations that were read the record of s is whose pointer
// r relocates, and where its position is. The position follows the pointer, which is 8 bytes
// wide or, on ELF32, 4 of 4 or of 8. The second record of an annotation by file points at the
// path, and is no annotation of its own.
func findRecord(f *elfrw.File, s *elfrw.Section, r *elfrw.Rela, read map[spelling]bool) (
	x spelling, at uint64, ok bool) {
	object := strings.TrimPrefix(strings.TrimPrefix(s.Name, recordPrefix), ".")
	places := []uint64{8}
	if f.PointerSize() == 4 {
		places = []uint64{4, 8}
	}
	for _, place := range places {
		at = r.Offset + place
		if at < r.Offset || at > uint64(len(s.Data)) || uint64(len(s.Data))-at < 4 {
			continue
		}
		x = spelling{r.Sym, object, object, r.Sym.Name, f.Uint32(s.Data[at:]), false}
		if x.pos == posByFile {
			x.pos, x.byFile = 0, true
		}
		if read[x] || x.byFile && !r.Sym.Undefined() {
			return x, at, true
		}
	}
	return spelling{}, 0, false
}

// isRecordSection reports whether s holds records.
func isRecordSection(s *elfrw.Section) bool {
	rest, ok := strings.CutPrefix(s.Name, recordPrefix)
	return ok && (rest == "" || rest[0] == '.') &&
		(s.Type == elf.SHT_PROGBITS || s.Type == elf.SHT_NOBITS)
}

// isLabelName reports whether a symbol of that name is a label; compilers may leave quotes
// around it. A klp symbol of an object called "file" has no slash in its name, and that of an
// object called "rela" is not undefined.
func isLabelName(name string) bool {
	const most = 8192 // more than any label has
	name = strings.TrimPrefix(name[:min(len(name), most)], `"`)
	return strings.HasPrefix(name, labelPrefix) ||
		strings.HasPrefix(name, fileLabelPrefix) && strings.Contains(name, "/")
}
