// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"os"
)

// contests are all lines of the table, in its order.
func contests() []Contest {
	return []Contest{
		{Rounds: 10, Entrants: convertSample, Lines: []Line{
			{"convert the sample, 260 KB", "convert", "objcopy", []Limit{cpuTimes(1.3)}},
			{"convert the sample, 260 KB", "convert", "cp", nil},
		}},
		{Rounds: 2, Entrants: convertLarge, Lines: []Line{
			{"convert 20 MB, 300 000 relocations", "convert", "objcopy", []Limit{cpuTimes(0.6)}},
		}},
		{Sizes: []int{1_000, 10_000, 100_000, 1_000_000}, Entrants: convertRelocations(100),
			Lines: []Line{
				{"convert 1 000 to 1 000 000 relocations", "convert", "objcopy", nil}}},
		{Sizes: []int{1_000, 10_000, 100_000, 1_000_000}, Entrants: convertRelocations(1),
			Lines: []Line{
				{"convert 1 000 to 1 000 000 klp relocations", "convert", "objcopy", nil}}},
		{Entrants: convertDebug, Lines: []Line{
			{"convert 200 MB of debug sections", "convert", "cp", nil},
		}},
		{Rounds: 2, Entrants: readTables, Lines: []Line{
			{"read 100 000 shuffled special entries", "special", "parse", []Limit{cpuTimes(2)}},
		}},
		{Sizes: []int{1_000, 10_000, 100_000, 2_000_000}, Entrants: lookAtRelocations,
			Lines: []Line{
				{"check 1 000 to 2 000 000 klp relocations", "check", "objcopy", []Limit{files(6)}},
				{"diff two such files", "diff", "objcopy", []Limit{files(6), cpuSeconds(5)}},
				{"diff such a file and its input", "diff input", "objcopy", []Limit{files(6)}},
			}},
		{Sizes: []int{2 << 20, 8 << 20, 32 << 20}, Entrants: explainJournal, Lines: []Line{
			{"explain a journal of 2, 8, 32 MiB", "explain", "", []Limit{constant(1.5)}},
		}},
		{Entrants: readVmlinux, Lines: []Line{
			{"sympos NAME@vmlinux of a vmlinux", "sympos", "nm", nil},
		}},
		imageContest("6.1"),
		imageContest("6.12"),
		kernelContest("6.1"),
		moduleContest("6.1", 4000),
		moduleContest("6.12", 10, 100, 1000, 4000),
		matrixContest(50),
	}
}

// conversion is the entrant that converts a module to OUT.
func (w *Workshop) conversion(module string) Entrant {
	out := w.path("out.ko")
	e := w.first("convert", "-q", module, out)
	e.Out, e.Input = out, sizeOf(module)
	return e
}

// copying is a program of others that copies a module to OUT.
func (w *Workshop) copying(program, module string) Entrant {
	out := w.path("copy.ko")
	e := public(program, module, out)
	e.Out = out
	return e
}

func convertSample(w *Workshop, _ int) ([]Entrant, error) {
	return []Entrant{w.conversion(w.sample()), w.copying("objcopy", w.sample()),
		w.copying("cp", w.sample())}, installed("objcopy", "cp")
}

// convertLarge: a module as large as the largest that distributions ship, every hundredth of
// its relocations annotated.
func convertLarge(w *Workshop, _ int) ([]Entrant, error) {
	return convertGrown(w, "objcopy", 300_000, 100, 12<<20, 0)
}

// convertRelocations: every so many of them are annotated.
func convertRelocations(every int) func(w *Workshop, size int) ([]Entrant, error) {
	return func(w *Workshop, size int) ([]Entrant, error) {
		return convertGrown(w, "objcopy", size, every, 64*size, 0)
	}
}

func convertDebug(w *Workshop, _ int) ([]Entrant, error) {
	return convertGrown(w, "cp", 1_000, 100, 1<<20, 200<<20)
}

func convertGrown(w *Workshop, program string, relocs, every, text, debug int) ([]Entrant, error) {
	if err := installed(program); err != nil {
		return nil, err
	}
	module, err := w.grown(relocs, every, text, debug)
	return []Entrant{w.conversion(module), w.copying(program, module)}, err
}

// readTables: what is compared runs in processes of this program, many times in each.
func readTables(w *Workshop, _ int) ([]Entrant, error) {
	module, err := w.worked("special.ko", "tables", w.testdata("special/x86_64-5.4.ko"), 100_000)
	return []Entrant{{Name: "special", Args: []string{w.self, "work", "special", module}},
		{Name: "parse", Args: []string{w.self, "work", "parse", module}}}, err
}

// lookAtRelocations checks and compares conversions in which each relocation is a klp relocation,
// 24 bytes for each and 4 of code. The other file is the conversion of a module with one
// relocation less. objcopy gets a module before conversion: it copies klp relocations as bytes.
func lookAtRelocations(w *Workshop, size int) ([]Entrant, error) {
	kernel, err := w.symbolList()
	if err == nil {
		err = installed("objcopy")
	}
	if err != nil {
		return nil, err
	}
	var in, out [2]string
	for i := range in {
		if in[i], err = w.grown(size-i, 1, 4*size, 0); err != nil {
			return nil, err
		}
		if out[i], err = w.converted(in[i]); err != nil {
			return nil, err
		}
	}
	entrants := []Entrant{
		w.first("check", "check", out[0], "-k", kernel),
		w.first("diff", "diff", out[0], out[1]),
		w.first("diff input", "diff", in[0], out[0]),
	}
	for i := range entrants {
		entrants[i].Finds, entrants[i].Input = true, sizeOf(out[0])
	}
	objcopy := w.copying("objcopy", in[0])
	objcopy.Label = "objcopy of its input"
	return append(entrants, objcopy), nil
}

// symbolList returns a System.map with what the sample borrows and replaces.
func (w *Workshop) symbolList() (string, error) {
	path := w.path("System.map")
	return path, os.WriteFile(path, []byte("ffffffff81000000 T _text\n"+
		"ffffffff81000100 t cmdline_proc_show\nffffffff81000200 T seq_printf\n"+
		"ffffffff81000300 T klp_enable_patch\nffffffff81001000 r __ksymtab_seq_printf\n"+
		"ffffffff81001010 r __ksymtab_klp_enable_patch\n"+
		"ffffffff81002000 D saved_command_line\nffffffff82000000 B _end\n"), 0o644)
}

func explainJournal(w *Workshop, size int) ([]Entrant, error) {
	journal, err := w.worked(fmt.Sprintf("journal-%d", size), "journal", size)
	e := w.first("explain", "explain", "-")
	e.Stdin, e.Input = journal, int64(size)
	return []Entrant{e}, err
}
