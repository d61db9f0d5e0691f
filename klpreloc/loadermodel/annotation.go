// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// annotation is what an author wrote about an undefined symbol.
type annotation struct {
	object string // that has the symbol
	gate   string // LP_OBJ of a label; a record has none
	name   string
	pos    uint64
}

// annotations reads records and labels, by symbol number. Records of one name for two
// objects are alternatives.
func (im *image) annotations() (map[int][]annotation, error) {
	all := make(map[int][]annotation)
	for _, s := range im.sections {
		if s.typ != elf.SHT_RELA || int(s.info) >= len(im.sections) {
			continue
		}
		target := im.sections[s.info]
		object, ok := strings.CutPrefix(target.name, ".klp.module_relocs.")
		if !ok {
			continue
		}
		for _, r := range s.relas() {
			if r.offset+12 > uint64(len(target.data)) {
				return nil, fmt.Errorf("%s+%#x: record is cut short", target.name, r.offset)
			}
			pos := binary.LittleEndian.Uint32(target.data[r.offset+8:])
			if pos == 0xffffffff {
				return nil, fmt.Errorf("%s+%#x: records by file are not modelled", target.name, r.offset)
			}
			all[r.sym] = append(all[r.sym], annotation{object: object, name: im.symbols[r.sym].name,
				pos: uint64(pos)})
		}
	}
	for i, y := range im.symbols {
		label, ok := strings.CutPrefix(strings.Trim(y.name, `"`), ".klp.sym.rela.")
		if !ok || y.section != elf.SHN_UNDEF {
			continue
		}
		part := strings.SplitN(label, ".", 3)
		if len(part) < 3 {
			return nil, fmt.Errorf("%s: no label", y.name)
		}
		sep := strings.LastIndexByte(part[2], ',')
		if sep < 0 {
			sep = strings.LastIndexByte(part[2], '.')
		}
		if sep < 0 {
			return nil, fmt.Errorf("%s: no position", y.name)
		}
		pos, err := strconv.ParseUint(part[2][sep+1:], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%s: no position", y.name)
		}
		all[i] = []annotation{{object: part[1], gate: part[0], name: part[2][:sep], pos: pos}}
	}
	return all, nil
}

// gates names the objects under which a use of an annotated symbol may be converted, in
// a function of the owner (empty: of no object).
func (s Scenario) gates(a annotation, owner string) []string {
	vmlinux := a.object == "vmlinux"
	switch {
	case s.Scheme.Early && vmlinux:
		return []string{"vmlinux"}
	case a.gate != "" && (a.gate != "vmlinux" || s.patches("vmlinux")):
		return []string{a.gate}
	case !vmlinux && owner != "" && owner != "vmlinux":
		return []string{owner}
	case !vmlinux:
		return []string{a.object}
	}
	// In the old scheme a symbol of vmlinux can go with any object that the code
	// can't be used without.
	var all []string
	if s.patches("vmlinux") {
		all = append(all, "vmlinux")
	}
	if owner != "" && owner != "vmlinux" {
		all = append(all, owner)
	}
	if len(all) == 0 {
		all = append(all, s.Patched...)
	}
	return all
}
