// SPDX-License-Identifier: GPL-2.0-or-later

package diag

import (
	"strings"
	"sync"

	"golang.org/x/exp/slices"
)

// Entry is what the project documents about one id: docs/errors.md and the rules
// of a SARIF log are made of it, and "klp-convert explain ID" prints it.
//
// Texts are plain English with code in backquotes. They name other diagnostics by their
// ids; pages link these. None of them begins or ends with a blank.
type Entry struct {
	ID ID
	// Severities are those that a diagnostic of this id can have, the usual one first.
	// What check reports as a finding is an Error here.
	Severities []Severity
	When       string // which severity it has when, where that can be said in a few words
	Topics     []Topic
	Title      string // a noun phrase in lower case, without a full stop

	// Kernel is for check: a paragraph that begins "The kernel" and tells what the kernel
	// says or does. Messages are in backquotes, with %s and the like for what varies.
	Kernel string
	Source string // functions and files of the kernel that decide, and since when

	Meaning []string // paragraphs
	Cases   Table    // wordings and what each means, where there are several
	Causes  []Cause  // the likely ones
	Fix     string   // what to do; "" for a note that needs nothing
	See     []string // places below docs that say more: "format.md#klp-arch"
}

// Cause is one reason for a diagnostic, and how to fix it.
type Cause struct {
	Why string
	Fix string
}

// Table is empty or has a row for each case.
type Table struct {
	Columns []string
	Rows    [][]string // as many cells as Columns, each a text or ""
}

// Topic is what a diagnostic is about: a line of the quick finder of docs/errors.md.
type Topic int

// The topics, in the order of the quick finder.
const (
	aboutModule Topic = iota
	aboutPatch
	aboutSpecial
	aboutReading
	aboutNames
	aboutAsked
	aboutRelocations
	aboutUndefined
	aboutCompared
	aboutUnannotated
	aboutExports
	aboutGivenKernel
	aboutDeclarations
	aboutFiles
	aboutCheckFile
	aboutCheckImports
	aboutCheckKlp
	aboutCheckRelocations
	aboutCheckPatch
	aboutCheckMitigations
	aboutSelf
	topics = iota
)

var topicTitles = [topics]string{
	aboutModule:           "the module as a whole",
	aboutPatch:            "its `klp_patch`, and which code is for which object",
	aboutSpecial:          "alternatives, jump labels, static calls",
	aboutReading:          "reading annotations",
	aboutNames:            "names",
	aboutAsked:            "what an annotation asks for",
	aboutRelocations:      "relocations",
	aboutUndefined:        "symbols that stay undefined",
	aboutCompared:         "annotations compared with a kernel",
	aboutUnannotated:      "symbols without annotation, with a kernel",
	aboutExports:          "exports of modules",
	aboutGivenKernel:      "the kernel that was given",
	aboutDeclarations:     "declarations compared with the kernel's types",
	aboutFiles:            "files",
	aboutCheckFile:        "`check`: the file, its signature, vermagic, struct module",
	aboutCheckImports:     "`check`: undefined symbols, exports, checksums, namespaces",
	aboutCheckKlp:         "`check`: klp sections and klp symbols",
	aboutCheckRelocations: "`check`: relocations",
	aboutCheckPatch:       "`check`: what is patched, special sections",
	aboutCheckMitigations: "`check`: what the kernel's mitigations need",
	aboutSelf:             "klp-convert itself",
}

// Topics returns all topics in the order of the quick finder.
func Topics() []Topic {
	all := make([]Topic, topics)
	for i := range all {
		all[i] = Topic(i)
	}
	return all
}

// String returns the topic in a few words, a text as those of Entry.
func (t Topic) String() string { return topicTitles[t] }

// Catalogue returns the entries of all ids, sorted by id. It must not be changed.
var Catalogue = sync.OnceValue(func() []*Entry {
	var all []*Entry
	for _, part := range [][]Entry{
		annotationEntries, symbolEntries, relocationEntries, specialEntries, patchEntries,
		exportEntries, kernelEntries, moduleEntries, declarationEntries,
		checkFileEntries, checkImportEntries, checkKlpEntries, checkRelocationEntries,
		checkPatchEntries, checkMitigationEntries, checkCopyEntries,
	} {
		for i := range part {
			all = append(all, &part[i])
		}
	}
	slices.SortFunc(all, func(a, b *Entry) int {
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return all
})

// Lookup returns the entry of an id, nil when there is none. It must not be changed.
func Lookup(id ID) *Entry {
	i, found := slices.BinarySearchFunc(Catalogue(), id, func(e *Entry, id ID) int {
		return strings.Compare(string(e.ID), string(id))
	})
	if !found {
		return nil
	}
	return Catalogue()[i]
}

// FromCheck reports whether "klp-convert check" is what reports the diagnostic.
func (e *Entry) FromCheck() bool { return e.ID >= "KLP100" }

// Sentence returns the title as a sentence: "Ambiguous symbol.".
func (e *Entry) Sentence() string {
	title := e.Title
	first, _, _ := strings.Cut(title, " ")
	if word := strings.Trim(first, "abcdefghijklmnopqrstuvwxyz") == ""; word && first != "klp" {
		title = strings.ToUpper(title[:1]) + title[1:]
	}
	return title + "."
}

// Plain returns a text of an entry without the backquotes around code. Code of more than
// one word is in double quotes instead, unless it has some itself.
func Plain(text string) string {
	parts := strings.Split(text, "`")
	for i := 1; i < len(parts); i += 2 {
		if code := parts[i]; strings.Contains(code, " ") && !strings.Contains(code, `"`) {
			parts[i] = `"` + code + `"`
		}
	}
	return strings.Join(parts, "")
}
