// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/special"
	"github.com/klp-convert/klp-convert/scripts/bench/bigmodule"
)

// What takes memory runs in a process of its own, "klp-bench work VERB ...": Linux counts the
// memory of the process that starts a command for the command (memoryFloor).
var works = map[string]func(args []string) error{
	"grow":    workGrow,
	"tables":  workTables,
	"journal": workJournal,
	"payload": workPayload,
	"parse":   workParse,
	"special": workSpecial,
}

// work runs a verb with its arguments.
func work(args []string) error {
	if len(args) == 0 || works[args[0]] == nil {
		return fmt.Errorf("work: no such verb: %q", args)
	}
	return works[args[0]](args[1:])
}

// numbers returns the arguments as numbers.
func numbers(args []string) ([]int, error) {
	all := make([]int, len(args))
	for i, a := range args {
		n, err := strconv.Atoi(a)
		if err != nil {
			return nil, err
		}
		all[i] = n
	}
	return all, nil
}

// workGrow: MODULE RELOCS EVERY TEXT DEBUG OUT
func workGrow(args []string) error {
	n, err := numbers(args[1:5])
	if err != nil {
		return err
	}
	module, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	growth := bigmodule.Sample(n[0], n[1], n[2])
	growth.Debug = n[3]
	grown, err := bigmodule.Grow(module, growth)
	if err != nil {
		return err
	}
	return os.WriteFile(args[5], grown, 0o644)
}

// workTables: MODULE JUMPS OUT, shuffled
func workTables(args []string) error {
	n, err := numbers(args[1:2])
	if err != nil {
		return err
	}
	module, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	large, err := bigmodule.AddTables(module, n[0], 0, true)
	if err != nil {
		return err
	}
	return os.WriteFile(args[2], large, 0o644)
}

// workJournal: BYTES OUT. Every hundredth line is a message that explain knows, of ten
// symbols; a boot has a hundred thousand lines.
func workJournal(args []string) error {
	n, err := numbers(args[:1])
	if err != nil {
		return err
	}
	file, err := os.Create(args[1])
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	for i, size := 0, 0; size < n[0]; i++ {
		line := fmt.Sprintf("usb 1-1: new high-speed USB device number %d using xhci_hcd", i%128)
		switch {
		case i%100_000 == 0:
			line = "Linux version 6.1.0-56-amd64 (gcc-12) #1 SMP PREEMPT_DYNAMIC"
		case i%100 == 0:
			line = fmt.Sprintf("livepatch: symbol 'function_%d' not found in symbol table",
				i/100%10)
		}
		k, _ := fmt.Fprintf(w, "Nov 29 12:00:00 host kernel: [%5d.%06d] %s\n", i/1000,
			i%1000*1000, line)
		size += k
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}

// workPayload: IMAGE OUT. The image is a bzImage (Documentation/arch/x86/boot.rst of Linux 6.12:
// setup_sects, payload_offset, payload_length); the size of the kernel after what is packed is
// left out.
func workPayload(args []string) error {
	image, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	if len(image) < 0x250 || string(image[0x202:0x206]) != "HdrS" {
		return fmt.Errorf("%s: not a bzImage", args[0])
	}
	le := binary.LittleEndian
	from := (int(image[0x1f1])+1)*512 + int(le.Uint32(image[0x248:]))
	to := from + int(le.Uint32(image[0x24c:])) - 4
	if from > to || to > len(image) {
		return fmt.Errorf("%s: its payload extends past its end", args[0])
	}
	return os.WriteFile(args[1], image[from:to], 0o644)
}

// workRounds is how often a file is read in one process, so that its start does not count.
const workRounds = 20

// workParse: FILE. Reads it with all relocations.
func workParse(args []string) error {
	file, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	for range workRounds {
		f, err := elfrw.Parse(args[0], file)
		if err != nil {
			return err
		}
		for _, s := range f.Sections {
			s.Relocs()
		}
	}
	return nil
}

// workSpecial: FILE. Reads its special tables.
func workSpecial(args []string) error {
	file, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	f, err := elfrw.Parse(args[0], file)
	if err != nil {
		return err
	}
	for range workRounds {
		if _, problems := special.Read(f); len(problems) > 0 {
			return fmt.Errorf("%s: %v", args[0], problems[0])
		}
	}
	return nil
}
