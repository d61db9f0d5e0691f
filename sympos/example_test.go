// SPDX-License-Identifier: GPL-2.0-or-later

package sympos_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/klp-convert/klp-convert/sympos"
)

// kallsyms is what /proc/kallsyms of a small kernel could have.
const kallsyms = `ffffffff81000000 T _text
ffffffff81000100 t name_show
ffffffff81000200 t name_show
ffffffff81000300 T schedule
ffffffff81900000 B _end
ffffffffc0201000 t ext4_open	[ext4]
`

// Read looks the names up that are asked for, in the order in which the loader counts.
func ExampleRead() {
	src, err := sympos.New("kallsyms", strings.NewReader(kallsyms), int64(len(kallsyms)))
	if err != nil {
		log.Fatal(err)
	}
	table, err := sympos.Read(sympos.Names("name_show", "ext4_open"), src)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range table.Lookup(sympos.Vmlinux, "name_show") {
		fmt.Printf("position %d: %#x, %d bytes\n", s.Position, s.Address, s.Size)
	}
	fmt.Println(table.Objects())
	// Output:
	// position 1: 0xffffffff81000100, 256 bytes
	// position 2: 0xffffffff81000200, 256 bytes
	// [ext4 vmlinux]
}

// Resolve returns what the loader finds for a klp symbol, or why it finds nothing.
func ExampleTable_Resolve() {
	src, err := sympos.New("kallsyms", strings.NewReader(kallsyms), int64(len(kallsyms)))
	if err != nil {
		log.Fatal(err)
	}
	table, err := sympos.Read(sympos.Names("name_show", "schedule"), src)
	if err != nil {
		log.Fatal(err)
	}
	s, err := table.Resolve(sympos.Vmlinux, "name_show", 2)
	fmt.Printf("%s at %#x, %v\n", s, s.Address, err)
	_, err = table.Resolve(sympos.Vmlinux, "name_show", 0)
	fmt.Println(errors.Is(err, sympos.ErrAmbiguous), err)
	_, err = table.Resolve(sympos.Vmlinux, "schedule", 2)
	fmt.Println(errors.Is(err, sympos.ErrPosition), err)
	// Output:
	// vmlinux:name_show,2 at 0xffffffff81000200, <nil>
	// true symbol "name_show" in vmlinux, position 0 of 2: ambiguous
	// true symbol "schedule" in vmlinux, position 2 of 1: no such position
}

// A kernel's files are found by its release, below a root. Here it is a temporary one.
func ExampleFindKernelIn() {
	root, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(root)
	for name, contents := range map[string]string{
		"boot/System.map-6.1.0":             kallsyms[:strings.Index(kallsyms, "ffffffffc")],
		"lib/modules/6.1.0/modules.order":   "kernel/fs/ext4/ext4.ko\n",
		"lib/modules/6.1.0/modules.builtin": "kernel/fs/fuse/fuse.ko\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			log.Print(err)
			return
		}
		if err := os.WriteFile(path, []byte(contents), 0o644); err != nil {
			log.Print(err)
			return
		}
	}
	kernel, err := sympos.FindKernelIn(root, "6.1.0", nil)
	if err != nil {
		log.Print(err)
		return
	}
	table, err := kernel.Read(sympos.Names("schedule"))
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(table.Lookup(sympos.Vmlinux, "schedule"))
	fmt.Println(kernel.Presence("fuse") == sympos.BuiltIn)
	// Output:
	// [vmlinux:schedule,1]
	// true
}

// MatchFile finds the file that an author names among those of several symbols.
func ExampleMatchFile() {
	files := []sympos.SourceFile{
		{Name: "signal.c", Path: "arch/x86/kernel/signal.c"},
		{Name: "signal.c", Path: "kernel/signal.c"},
	}
	indexes, how := sympos.MatchFile(files, "kernel/signal.c")
	fmt.Println(indexes, how == sympos.ExactFile)
	_, how = sympos.MatchFile(files, "signal.c")
	fmt.Println(how == sympos.NoFile)
	// Output:
	// [1] true
	// true
}
