// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// An image and a vmlinux come from one build when they have the same build-id, a hash
// that the linker makes (ld --build-id). Two builds of one version mostly have the
// same symbols at other addresses, so only the build-id shows the difference.
const noteBuildID = 3 // NT_GNU_BUILD_ID

// buildID returns the build-id in the notes of an ELF file, or "".
func (f *elfFile) buildID() string {
	for i, s := range f.sections {
		if elf.SectionType(s.etype) != elf.SHT_NOTE || s.size > 1<<20 {
			continue
		}
		b, err := f.contents(i, "notes")
		if err != nil {
			continue
		}
		if id := findBuildID(b, f.order); id != "" {
			return id
		}
	}
	return ""
}

// findBuildID returns the build-id among notes, in hex, or "".
func findBuildID(b []byte, order binary.ByteOrder) string {
	// gABI, "Note Section": three words, name and description padded to 4.
	for len(b) >= 12 {
		name, desc, typ := uint64(order.Uint32(b)), uint64(order.Uint32(b[4:])), order.Uint32(b[8:])
		at := 12 + (name+3)&^3
		end := at + (desc+3)&^3
		if at+desc > uint64(len(b)) {
			break
		}
		if typ == noteBuildID && bytes.Equal(b[12:12+name], []byte("GNU\x00")) {
			return hex.EncodeToString(b[at : at+desc])
		}
		b = b[min(end, uint64(len(b))):]
	}
	return ""
}

// areDifferent reports whether both build-ids are known and differ.
func areDifferent(a, b string) bool { return a != "" && b != "" && a != b }

// checkBuilds warns of sources of vmlinux that come from another build than the best of
// them.
func (t *Table) checkBuilds() {
	var best *Witness
	for i := range t.Sources {
		w := &t.Sources[i]
		if w.BuildID != "" && (best == nil || w.precedence() < best.precedence()) {
			best = w
		}
	}
	if best == nil {
		return
	}
	t.build = best.BuildID
	for _, w := range t.Sources {
		if areDifferent(w.BuildID, t.build) {
			t.otherBuild = fmt.Sprintf("%s has build-id %s, %s has %s", best.Source, t.build,
				w.Source, w.BuildID)
			t.Warnings = append(t.Warnings, "different builds: "+t.otherBuild)
		}
	}
}

// OtherBuild returns a sentence about a source of the object that comes from another
// build than its best witness, by their build-ids, or "". Sizes and files of such a
// source are not used.
func (t *Table) OtherBuild(object string) string {
	if object != Vmlinux {
		return ""
	}
	return t.otherBuild
}
