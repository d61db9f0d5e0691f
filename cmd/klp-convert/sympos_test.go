// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

// vmlinuxCommand is a command of the scripts: vmlinux LIST OUT makes a kernel with the
// symbols in LIST, "address size type file name" on each line, in that order.
func vmlinuxCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: vmlinux LIST OUT")
	}
	b, err := makeVmlinux(ts.ReadFile(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o644))
}

// makeVmlinux makes an ELF file of .text, .symtab, .strtab and .shstrtab.
func makeVmlinux(list string) ([]byte, error) {
	const shstrtab = "\x00.text\x00.symtab\x00.strtab\x00.shstrtab\x00"
	le := binary.LittleEndian
	symbols := []elf.Sym64{{}}
	strtab := []byte{0}
	name := func(s string) uint32 {
		at := len(strtab)
		strtab = append(strtab, s+"\x00"...)
		return uint32(at)
	}
	file := ""
	for _, line := range strings.Split(strings.TrimSpace(list), "\n") {
		var (
			y       elf.Sym64
			typ     rune
			in, sym string
		)
		if _, err := fmt.Sscanf(line, "%x %d %c %s %s", &y.Value, &y.Size, &typ, &in, &sym); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		if in != file {
			file = in
			symbols = append(symbols, elf.Sym64{Name: name(in), Info: elf.ST_INFO(elf.STB_LOCAL, elf.STT_FILE), Shndx: uint16(elf.SHN_ABS)})
		}
		bind := elf.STB_LOCAL
		if typ == 'T' {
			bind = elf.STB_GLOBAL
		}
		y.Name, y.Info, y.Shndx = name(sym), elf.ST_INFO(bind, elf.STT_FUNC), 1
		symbols = append(symbols, y)
	}
	text, table := make([]byte, 64), new(bytes.Buffer)
	if err := binary.Write(table, le, symbols); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	const head = 64
	section := func(name string, typ elf.SectionType, flags elf.SectionFlag, b []byte) elf.Section64 {
		for body.Len()%8 != 0 {
			body.WriteByte(0)
		}
		s := elf.Section64{Name: uint32(strings.Index(shstrtab, name)), Type: uint32(typ), Flags: uint64(flags),
			Off: uint64(head + body.Len()), Size: uint64(len(b)), Addralign: 1}
		body.Write(b)
		return s
	}
	sections := []elf.Section64{{},
		section(".text", elf.SHT_PROGBITS, elf.SHF_ALLOC|elf.SHF_EXECINSTR, text),
		section(".symtab", elf.SHT_SYMTAB, 0, table.Bytes()),
		section(".strtab", elf.SHT_STRTAB, 0, strtab),
		section(".shstrtab", elf.SHT_STRTAB, 0, []byte(shstrtab)),
	}
	sections[1].Addr = 0xffffffff81000000
	sections[2].Link, sections[2].Info, sections[2].Entsize = 3, 1, 24
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: head,
		Shoff: uint64(head + body.Len()), Shentsize: 64, Shnum: uint16(len(sections)), Shstrndx: 4}
	copy(h.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	var out bytes.Buffer
	for _, part := range []any{h, body.Bytes(), sections} {
		if err := binary.Write(&out, le, part); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

func TestSymposJSON(t *testing.T) {
	path := t.TempDir() + "/kallsyms"
	require.NoError(t, os.WriteFile(path, []byte("ffffffff81000000 T _text\nffffffff81000100 t dup\nffffffff81000140 T dup\nffffffff81000200 t end\n"), 0o644))
	status, stdout, stderr := klpConvert("sympos", "-k", path, "--json", "dup", "nobody")
	assert.Equal(t, exitFound, status, "a name is absent")
	assert.Contains(t, stderr, `no symbol "nobody"`)
	var got []map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.Equal(t, []map[string]any{
		{"kernel": path, "object": "vmlinux", "name": "dup", "position": 1.0, "address": "0xffffffff81000100", "size": 64.0, "type": "t", "file": ""},
		{"kernel": path, "object": "vmlinux", "name": "dup", "position": 2.0, "address": "0xffffffff81000140", "size": 192.0, "type": "T", "file": ""},
	}, got)

	status, stdout, _ = klpConvert("sympos", "-k", path, "--json", "nobody")
	assert.Equal(t, exitFound, status)
	assert.Equal(t, "[]\n", stdout)
}

func TestCompletionOfKernels(t *testing.T) {
	names, _ := completeKernels(nil, nil, "")
	assert.True(t, slices.Contains(names, "running"))
}

func TestManyMatchesTakeNoLongerThanTheyMust(t *testing.T) {
	var b strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&b, "%016x t f%d\n", 0xffffffff81000000+uint64(16*i), i)
	}
	path := t.TempDir() + "/kallsyms"
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	status, stdout, _ := klpConvert("sympos", "-k", path, "/^f/")
	assert.Equal(t, exitDone, status)
	assert.Equal(t, 50_002, strings.Count(stdout, "\n"), "a title, a line of columns, and each")
}
