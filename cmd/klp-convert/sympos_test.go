// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/sympos"
)

// vmlinuxCommand is a command of the scripts: vmlinux LIST OUT [TYPES] makes a kernel with the
// symbols in LIST, "address size type file name" on each line, in that order, and with the BTF
// of the module TYPES.
func vmlinuxCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: vmlinux LIST OUT [TYPES]")
	}
	var btf []byte
	if len(args) == 3 {
		f, err := elf.Open(ts.MkAbs(args[2]))
		ts.Check(err)
		defer f.Close()
		btf, err = f.Section(".BTF").Data()
		ts.Check(err)
	}
	b, err := makeVmlinux(ts.ReadFile(args[0]), btf)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o644))
}

// livepatchCommand is a command of the scripts: livepatch IN OUT makes the object IN a livepatch
// module, as far as .modinfo says so.
func livepatchCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: livepatch IN OUT")
	}
	f, err := elfrw.Parse(args[0], []byte(ts.ReadFile(args[0])))
	ts.Check(err)
	f.AddSection(&elfrw.Section{Name: ".modinfo", Type: elf.SHT_PROGBITS,
		Flags: uint64(elf.SHF_ALLOC), Align: 1, Data: []byte("license=GPL\x00livepatch=Y\x00")})
	b, err := f.Bytes()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o644))
}

// makeVmlinux makes an ELF file of .text, .symtab, .strtab, .shstrtab and .BTF.
func makeVmlinux(list string, btf []byte) ([]byte, error) {
	const shstrtab = "\x00.text\x00.symtab\x00.strtab\x00.shstrtab\x00.BTF\x00"
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
		if _, err := fmt.Sscanf(line, "%x %d %c %s %s", &y.Value, &y.Size, &typ, &in,
			&sym); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		if in != file {
			file = in
			symbols = append(symbols, elf.Sym64{Name: name(in),
				Info: elf.ST_INFO(elf.STB_LOCAL, elf.STT_FILE), Shndx: uint16(elf.SHN_ABS)})
		}
		bind := elf.STB_LOCAL
		if typ == 'T' {
			bind = elf.STB_GLOBAL
		}
		kind := elf.STT_FUNC
		if typ == 'd' {
			kind = elf.STT_OBJECT
		}
		y.Name, y.Info, y.Shndx = name(sym), elf.ST_INFO(bind, kind), 1
		symbols = append(symbols, y)
	}
	text, table := make([]byte, 64), new(bytes.Buffer)
	if err := binary.Write(table, le, symbols); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	const head = 64
	section := func(name string, typ elf.SectionType, flags elf.SectionFlag,
		b []byte) elf.Section64 {
		for body.Len()%8 != 0 {
			body.WriteByte(0)
		}
		s := elf.Section64{Name: uint32(strings.Index(shstrtab, name)), Type: uint32(typ),
			Flags: uint64(flags),
			Off:   uint64(head + body.Len()), Size: uint64(len(b)), Addralign: 1}
		body.Write(b)
		return s
	}
	sections := []elf.Section64{{},
		section(".text", elf.SHT_PROGBITS, elf.SHF_ALLOC|elf.SHF_EXECINSTR, text),
		section(".symtab", elf.SHT_SYMTAB, 0, table.Bytes()),
		section(".strtab", elf.SHT_STRTAB, 0, strtab),
		section(".shstrtab", elf.SHT_STRTAB, 0, []byte(shstrtab)),
	}
	if btf != nil {
		sections = append(sections, section(".BTF", elf.SHT_PROGBITS, elf.SHF_ALLOC, btf))
	}
	sections[1].Addr = 0xffffffff81000000
	sections[2].Link, sections[2].Info, sections[2].Entsize = 3, 1, 24
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1,
		Ehsize: head,
		Shoff:  uint64(head + body.Len()), Shentsize: 64, Shnum: uint16(len(sections)), Shstrndx: 4}
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
	require.NoError(t, os.WriteFile(path, []byte("ffffffff81000000 T _text\n"+
		"ffffffff81000100 t dup\nffffffff81000140 T dup\nffffffff81000200 t end\n"+
		"ffffffff82000000 B _end\n"), 0o644))
	status, stdout, stderr := klpConvert("sympos", "-k", path, "--json", "dup", "absent")
	assert.Equal(t, exitFound, status, "a name is absent")
	assert.Contains(t, stderr, `no symbol "absent"`)
	var got []map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.Equal(t, []map[string]any{
		{"kernel": path, "object": "vmlinux", "name": "dup", "position": 1.0,
			"address": "0xffffffff81000100", "size": 64.0, "type": "t", "file": ""},
		{"kernel": path, "object": "vmlinux", "name": "dup", "position": 2.0,
			"address": "0xffffffff81000140", "size": 192.0, "type": "T", "file": ""},
	}, got)

	status, stdout, _ = klpConvert("sympos", "-k", path, "--json", "absent")
	assert.Equal(t, exitFound, status)
	assert.Equal(t, "[]\n", stdout)
}

// A field that is not known is null where 0 could be true, and the kernel is its release.
func TestSymposJSONOfWhatIsNotKnown(t *testing.T) {
	dir := t.TempDir()
	list, kallsyms := filepath.Join(dir, "symbols.klp"), filepath.Join(dir, "System.map-6.1")
	require.NoError(t, os.WriteFile(list, []byte("*vmlinux\ndup\ndup\n"), 0o644))
	require.NoError(t, os.WriteFile(kallsyms, []byte("ffffffff81000000 T _text\n"+
		"ffffffff81000100 t dup\nffffffff82000000 B _end\n"), 0o644))
	get := func(args ...string) (got []map[string]any) {
		status, stdout, stderr := klpConvert(append([]string{"sympos", "--json"}, args...)...)
		require.Equal(t, exitDone, status, stderr)
		require.NoError(t, json.Unmarshal([]byte(stdout), &got))
		return got
	}
	unknown := map[string]any{"kernel": list, "object": "vmlinux", "name": "dup", "position": nil,
		"address": nil, "size": 0.0, "type": "", "file": ""}
	assert.Equal(t, []map[string]any{unknown, unknown}, get("-k", list, "dup"))
	assert.Equal(t, "6.1", get("-k", kallsyms, "dup")[0]["kernel"])
	two := filepath.Join(dir, "2", "System.map-6.1")
	require.NoError(t, os.Mkdir(filepath.Dir(two), 0o755))
	require.NoError(t, os.Rename(kallsyms, two))
	require.NoError(t, os.WriteFile(kallsyms, read(t, two), 0o644))
	got := get("-k", kallsyms, "-k", two, "dup")
	assert.Equal(t, []any{kallsyms, two}, []any{got[0]["kernel"], got[1]["kernel"]},
		"two of one release")
}

// A position that may mean one symbol or another is not printed.
func TestSymposJSONHasNoUnsteadyPositions(t *testing.T) {
	all := unsteadySearch{}
	table, err := sympos.Read(sympos.All, all)
	require.NoError(t, err)
	s := search{kernels: []*searched{{Kernel: sympos.NewKernel("k"), table: table, title: "k"}}}
	got := s.appendGroup(nil, group{"m", "f", [][]sympos.Symbol{table.Lookup("m", "f")}})
	require.Len(t, got, 2)
	assert.Nil(t, got[0].Position)
	assert.Nil(t, got[1].Position)
	assert.Equal(t, "0x10", *got[1].Address)
}

// unsteadySearch is a source with a symbol that is removed, before one that stays.
type unsteadySearch struct{}

func (unsteadySearch) String() string { return "m.ko" }

func (unsteadySearch) Scan(visit func(*sympos.Entry)) (sympos.Facts, error) {
	visit(&sympos.Entry{Object: "m", Name: []byte("f"), Fleeting: true})
	visit(&sympos.Entry{Object: "m", Name: []byte("f"), Address: 0x10})
	return sympos.Facts{Kind: sympos.ModuleFile, Order: sympos.Listed}, nil
}

func TestRunningRelease(t *testing.T) {
	root := t.TempDir()
	_, err := runningRelease(root)
	assert.ErrorContains(t, err, "the release of the running kernel is not known")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "proc/sys/kernel"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc/sys/kernel/osrelease"),
		[]byte("6.1.0-56-amd64\n"), 0o644))
	release, err := runningRelease(root)
	require.NoError(t, err)
	assert.Equal(t, "6.1.0-56-amd64", release)
}

// Terminals are 80 columns wide.
func TestHelpFitsTerminals(t *testing.T) {
	commands := []string{"help"}
	for _, c := range newCommand().Commands() {
		commands = append(commands, c.Name())
	}
	require.Contains(t, commands, "sympos")
	for _, command := range commands {
		if command == "completion" {
			continue // is not ours
		}
		_, stdout, _ := klpConvert("help", command)
		require.Contains(t, stdout, "Usage:", command)
		for _, line := range strings.Split(stdout, "\n") {
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
		}
	}
	_, stdout, _ := klpConvert("--help")
	for _, line := range strings.Split(stdout, "\n") {
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
	}
	_, _, stderr := klpConvert("sympos", "-k", "0.0.0-none", "f")
	lines := strings.Split(stderr, "\n")
	require.Contains(t, stderr, "    not there: ")
	for _, line := range lines {
		if strings.HasPrefix(line, "    not there:") || strings.HasPrefix(line, "              ") {
			assert.LessOrEqual(t, len(line), 80, line)
		}
	}
}

func TestManyMatchesTakeNoLongerThanTheyMust(t *testing.T) {
	var b strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&b, "%016x t f%d\n", 0xffffffff81000000+uint64(16*i), i)
	}
	path := t.TempDir() + "/kallsyms"
	list := "ffffffff81000000 T _text\n" + b.String() + "ffffffff82000000 B _end\n"
	require.NoError(t, os.WriteFile(path, []byte(list), 0o644))
	status, stdout, _ := klpConvert("sympos", "-k", path, "/^f/")
	assert.Equal(t, exitDone, status)
	assert.Equal(t, 50_002, strings.Count(stdout, "\n"), "a title, a line of columns, and each")
}
