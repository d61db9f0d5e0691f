// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wholeList has the first and last symbols of a kernel, a name of two symbols, and a module.
const wholeList = "ffffffff81000000 T _text\nffffffff81000010 t dup\nffffffff81000040 t " +
	"dup\nffffffff81000100 d zeta\nffffffff81000200 B _end\n" +
	"ffffffffc0000000 t helper\t[ext4]\nffffffffc0000010 d __this_module\t[ext4]\n"

func utf16Text(order binary.AppendByteOrder, s string) string {
	var b []byte
	for _, c := range utf16.Encode([]rune("\ufeff" + s)) {
		b = order.AppendUint16(b, c)
	}
	return string(b)
}

// eachLine changes each line of a text.
func eachLine(s string, change func(i int, line string) string) string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	for i, l := range lines {
		lines[i] = change(i, l)
	}
	return strings.Join(lines, "\n") + "\n"
}

// What terminals, logs, editors and other systems add to a list is removed.
func TestListsThatCameOverAConsole(t *testing.T) {
	for name, c := range map[string]struct{ text, note string }{
		"as it is": {wholeList, ""},
		"prompt": {"root@box:~# cat /proc/kallsyms\n" + wholeList,
			`line 1 is skipped: not an entry: "root@box:~# cat /proc/kallsyms"`},
		"next prompt": {wholeList + "root@box:~# ",
			`line 8 is skipped: not an entry: "root@box:~#"`},
		"both":        {"$ cat\n" + wholeList + "$ exit\n", "line 9 is skipped"},
		"blank lines": {"\n\r\n" + strings.Replace(wholeList, "\n", "\n\n", 2) + "\n\n", ""},
		"CRLF":        {strings.ReplaceAll(wholeList, "\n", "\r\n"), ""},
		"UTF-8 mark":  {"\xef\xbb\xbf" + wholeList, "begins with a byte order mark"},
		"UTF-16LE": {utf16Text(binary.LittleEndian,
			strings.ReplaceAll(wholeList, "\n", "\r\n")), "is UTF-16"},
		"UTF-16BE": {utf16Text(binary.BigEndian, wholeList), "is UTF-16"},
		"dmesg": {eachLine(wholeList,
			func(i int, l string) string { return fmt.Sprintf("[%5d.%06d] %s", i, i, l) }),
			"are removed from 7 lines"},
		"dmesg, caller": {eachLine(wholeList,
			func(i int, l string) string { return fmt.Sprintf("<6>[    1.0][  T%d] %s", i, l) }),
			"are removed from 7 lines"},
		"journal": {eachLine(wholeList,
			func(i int, l string) string { return "Nov 29 04:00:00 box kernel: " + l }),
			"are removed from 7 lines"},
		"grep -n": {eachLine(wholeList,
			func(i int, l string) string { return fmt.Sprintf("%d:%s", i+1, l) }),
			"are removed from 7 lines"},
		"terminal": {strings.ReplaceAll(wholeList, "\t", "      "),
			"are removed from 2 lines"},
		"nm":         {"                 U printk\n                 w weak\n" + wholeList, ""},
		"no newline": {strings.TrimSuffix(wholeList, "\n"), ""},
		"only the core": {strings.TrimSuffix(wholeList[:strings.Index(wholeList, "ffffffffc")],
			"\n"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			table := text1(t, "k", c.text)
			assert.Equal(t, []uint64{0xffffffff81000010, 0xffffffff81000040},
				addresses(table.Lookup(Vmlinux, "dup")))
			assert.EqualValues(t, 0x30, table.Lookup(Vmlinux, "dup")[0].Size)
			if name != "only the core" {
				assert.Len(t, table.Lookup("ext4", "helper"), 1)
			}
			assert.Empty(t, table.Incomplete())
			assert.Contains(t, strings.Join(table.Sources[0].Notes, "\n"), c.note)
			path := filepath.Join(t.TempDir(), "list")
			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o644))
			kind, err := KindOf(path)
			require.NoError(t, err)
			assert.Equal(t, SystemMap, kind)
		})
	}
}

// A line between two entries that is not an entry may have replaced one.
func TestLinesInTheMiddleOfAListAreNamed(t *testing.T) {
	for _, stray := range []string{"hello\n", "ffffffff81000020 t\n", "a\nb\nc\n"} {
		s := strings.Replace(wholeList, "ffffffff81000040", stray+"ffffffff81000040", 1)
		_, err := Read(All, source(t, "k", []byte(s)))
		require.Error(t, err, stray)
		first, _, _ := strings.Cut(stray, "\n")
		assert.EqualError(t, err, fmt.Sprintf("k: file+%#x: line 3: neither a symbol nor the "+
			"end: %q", strings.Index(s, stray), first))
	}
	_, err := Read(All, source(t, "k",
		[]byte("ffffffff81000000 T _text\nffffffff81000010 t dup\nKilled\n")))
	assert.ErrorContains(t, err, `line 3: neither a symbol nor the end: "Killed"`,
		"what follows a list that is not whole is not the next prompt")
}

func TestOtherListsThatCameOverAConsole(t *testing.T) {
	for _, text := range []string{"$ cat Module.symvers\n\n" + tinySymvers,
		"\xef\xbb\xbf" + tinySymvers, utf16Text(binary.LittleEndian, tinySymvers)} {
		table := text1(t, "x", text)
		assert.Len(t, table.Exports("secret"), 1, "%q", text)
		assert.Empty(t, table.Incomplete())
	}
	for _, text := range []string{"$ cat symbols.klp\n*vmlinux\ndup\n",
		"\xef\xbb\xbfklp-convert-symbol-data.0.1\r\n*vmlinux\r\ndup\r\n", "\n*vmlinux\ndup\n"} {
		table := text1(t, "x", text)
		assert.Len(t, table.Lookup(Vmlinux, "dup"), 1, "%q", text)
		assert.Empty(t, table.Incomplete())
	}
	_, err := New("x", strings.NewReader("/*\n*foo\nbar\n"), 12)
	assert.ErrorIs(t, err, ErrUnknown)
}

// A list that ends early is reported, unless only the end of its last line is missing
// that can't be longer.
func TestListsThatWereCut(t *testing.T) {
	whole := text1(t, "k", wholeList)
	for cut := len("ffffffff81000000 T _text\n"); cut < len(wholeList); cut++ {
		s, err := New("k", bytes.NewReader([]byte(wholeList[:cut])), int64(cut))
		require.NoError(t, err)
		table, err := Read(All, s)
		require.NoError(t, err, "%q", wholeList[:cut])
		for _, object := range []string{Vmlinux, "ext4"} {
			for _, name := range whole.Names(object) {
				list := table.Lookup(object, name)
				assert.LessOrEqual(t, len(list), len(whole.Lookup(object, name)))
				if table.Has(object) && len(list) < len(whole.Lookup(object, name)) {
					assert.NotEmpty(t, table.Partial(object), "%s of %s in %q", name, object,
						wholeList[:cut])
					assert.NotEmpty(t, table.Incomplete())
				}
			}
			for _, name := range table.Names(object) {
				assert.NotEmpty(t, whole.Lookup(object, name), "half a name in %q", wholeList[:cut])
			}
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"middle of a line": {"ffffffff81000000 T _text\nffffffff81000010 t dup\nffffffff81000040 " +
			"t name_sh", `it ends in the middle of line 3 ("ffffffff81000040 t name_sh"): it was cut`},
		"between lines": {"ffffffff81000000 T _text\nffffffff81000010 t dup\n",
			`it has neither _end nor __bss_stop, with which every kernel's symbols end; its last is "dup": a part of it is missing`},
		"beginning": {"ffffffff81000010 t dup\nffffffff81000010 B _end\n",
			"it has neither _text nor _stext"},
		"within a module": {"ffffffff81000000 T _text\nffffffff81000010 d dup\nffffffff81000200 " +
			"B _end\nffffffffc0000000 t helper\t[ext4]\n",
			"it ends within module ext4, before __this_module: it was cut"},
		"sorted by name": {"ffffffff81000200 B _end\nffffffff81000000 T " +
			"_text\nffffffff81000010 t dup\n", "it is sorted by name"},
		"written twice": {"ffffffff81000000 T _stext\nffffffff81000010 t " +
			"dup\nffffffff81000200 B _end\nffffffff81000000 T _stext\nffffffff81000010 t " +
			"dup\nffffffff81000200 B _end\n",
			"it has _stext 2 times, which a kernel has once: several lists were joined"},
		"per-CPU sorted": {"ffffffff81000200 B _end\nffffffff81000000 T _text\n" +
			strings.Repeat("ffffffff81000010 t dup\n", 20_000) +
			"0000000000002000 A __per_cpu_end\n0000000000000000 A " +
			"__per_cpu_start\nffffffff81000000 t zero\n", "its per-CPU symbols do not come first"},
		"per-CPU symbols": {"0000000000002000 A __per_cpu_end\nffffffff81000000 T " +
			"_text\nffffffff81000010 t dup\nffffffff81000200 B _end\n",
			"it has __per_cpu_end and no __per_cpu_start: its beginning is missing"},
	} {
		table := text1(t, "k", c.text)
		require.Len(t, table.Incomplete(), 1, name)
		assert.Contains(t, table.Incomplete()[0], "k may not be whole: "+c.want, name)
	}
	// Without data, code is the whole; the last module can't be told to be.
	assert.Empty(t, text1(t, "k",
		"ffffffff81000000 T _text\nffffffff81000010 t dup\nffffffff81000020 T "+
			"_etext\nffffffff81000200 T _einittext\nffffffff82000000 D __start_x\nffffffffc0000000 t "+
			"helper\t[ext4]\n").Incomplete())
}

func TestOtherListsThatWereCut(t *testing.T) {
	var many strings.Builder
	many.WriteString("*vmlinux\n")
	for i := range minComplete + 1 {
		fmt.Fprintf(&many, "a%06d\n", i)
	}
	for name, c := range map[string]struct{ text, want string }{
		"exports": {tinySymvers[:len(tinySymvers)-3], "it ends in the middle of line 2"},
		"exports, a name": {"0x00000000\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n0x1234",
			"it ends in the middle of line 2"},
		"list": {"*vmlinux\ndup\ndu", `it ends in the middle of line 3 ("du")`},
		"list, a letter": {many.String(),
			`its names are sorted, and the last of vmlinux is "a001000"`},
	} {
		table := text1(t, "x", c.text)
		require.Len(t, table.Incomplete(), 1, name)
		assert.Contains(t, table.Incomplete()[0], c.want, name)
	}
	assert.Empty(t, text1(t, "x", many.String()+"zzz\n").Incomplete())
	assert.Empty(t, text1(t, "x", many.String()+"*ext4\nf\n").Incomplete())
	table := text1(t, "x", tinySymvers[:len(tinySymvers)-3])
	assert.Contains(t, table.PartialExports(), "x: it ends in the middle")
	// Half a name is not a name.
	assert.Empty(t, text1(t, "x", "*vmlinux\ndup\ndu").Lookup(Vmlinux, "du"))
}

// One that is whole is the better witness, and is not contradicted by one that is not.
func TestCutListBesideAWholeOne(t *testing.T) {
	half := "ffffffff81000000 T _text\nffffffff81000010 t dup\n"
	for _, order := range [][]string{{wholeList, half}, {half, wholeList}} {
		table, err := Read(All, source(t, "a", []byte(order[0])), source(t, "b", []byte(order[1])))
		require.NoError(t, err)
		assert.Len(t, table.Lookup(Vmlinux, "dup"), 2)
		assert.Empty(t, table.Doubt(Vmlinux, "dup"))
		assert.Empty(t, table.Partial(Vmlinux))
		assert.Len(t, table.Incomplete(), 1)
	}
}

// The distance to the next line is a size only where the next line is the next symbol.
func TestNoSizesFromListsInAnotherOrder(t *testing.T) {
	table := text1(t, "k", "ffffffff81000200 B _end\nffffffff81000000 T _text\nffffffff81000010 "+
		"t dup\nffffffff81000100 d zeta\nffffffff81000050 t alpha\n")
	assert.Zero(t, table.Lookup(Vmlinux, "dup")[0].Size)
	v := source(t, "v", tinyVmlinux(tinySymbol{"a", local | fn, 1, 0x1000, 0},
		tinySymbol{"b", local | fn, 1, 0x1030, 4},
		tinySymbol{"c", local | fn, 1, 0x1010, 4}).bytes())
	assert.Zero(t, read(t, v).Lookup(Vmlinux, "a")[0].Size)
}
