// SPDX-License-Identifier: GPL-2.0-or-later

package proof

import (
	"bytes"
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Check compares a module with what became of it, both as parsed from their bytes, and
// returns an error unless
//
//   - after is a sound ELF file (elfrw.Verify) and holds no annotation;
//   - its sections are those of before without the annotations, unchanged but for
//     relocations, symbols and strings (of contents over 2 MiB that are not loaded both ends
//     are compared), and after them klp relocation sections as the kernel wants them;
//   - modpost's version tables are without what is converted and depends= without
//     claims.Depends, and nothing else of them changed; .modinfo ends with claims.Targets;
//   - tables of alternatives and the like are without the entries that had to leave, which
//     are in .klp.arch sections of the right object, or in none where they serve tracepoints
//     or debug messages;
//   - its symbols are those of before in their order, annotated ones as klp symbols, without
//     those that only the annotations needed;
//   - each relocation of a loaded section is where it was, of the same type, addend and
//     symbol, in the same order: against an annotated symbol in the klp relocation section
//     of its object, against any other symbol among the ordinary ones. So no klp symbol is
//     left in an ordinary relocation, where the kernel would use the address 0
//     (klp_resolve_symbols never sees it), and no klp relocation was invented, lost, doubled
//     or changed;
//   - the relocations of all other sections are as they were, without those against
//     annotations and without the names of annotated symbols.
//
// done, if not nil, is told of stretches of after's contents that will not be looked at
// again. Neither file is changed.
func Check(before, after *elfrw.File, claims Claims, done func([]byte)) error {
	if err := after.Verify(); err != nil {
		return err
	}
	m, err := readMeanings(before, claims)
	if err != nil {
		return err
	}
	if err := noAnnotations(after); err != nil {
		return err
	}
	if err := compareFiles(before, after, m); err != nil {
		return err
	}
	edits, err := tableEdits(before, m)
	if err != nil {
		return err
	}
	sections, err := pairSections(before, after, m)
	if err != nil {
		return err
	}
	symbols, err := pairSymbols(before, after, m, sections)
	if err != nil {
		return err
	}
	if err := compareContents(before, after, m, sections, symbols, edits, done); err != nil {
		return err
	}
	added, err := sortAdded(after, sections)
	if err != nil {
		return err
	}
	archs, err := compareArchSections(before, edits, added)
	if err != nil {
		return err
	}
	if err := compareGroups(before, m, sections, symbols); err != nil {
		return err
	}
	return compareRelocations(before, after, m, sections, symbols, edits, archs, added.klp)
}

// noAnnotations checks that a converted module holds none.
func noAnnotations(after *elfrw.File) error {
	for _, s := range after.Sections {
		if isRecordSection(s) {
			return fmt.Errorf("section %s is an annotation that is left", s)
		}
	}
	for _, y := range after.Symbols {
		if isLabelName(y.Name) && !isKlpSymbol(y) { // an object may be called "rela"
			return fmt.Errorf("symbol %s is an annotation that is left", y)
		}
	}
	return nil
}

// signatureMarker ends a signed module (include/linux/module_signature.h).
const signatureMarker = "~Module signature appended~\n"

// compareFiles compares what is around the sections. The signature of a module that is
// changed goes.
func compareFiles(before, after *elfrw.File, m *meanings) error {
	if before.Header != after.Header {
		return fmt.Errorf("the ELF header changed")
	}
	want := before.Trailer
	if m.converts && bytes.HasSuffix(want, []byte(signatureMarker)) {
		want = nil
	}
	if !bytes.Equal(want, after.Trailer) {
		return fmt.Errorf("what follows the section headers changed")
	}
	return nil
}
