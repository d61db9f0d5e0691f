// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSymversOfAllVersions(t *testing.T) {
	for name, lines := range map[string]string{
		"4.19": "0x1a2b3c4d\tf\tnet/nf-nat\tEXPORT_SYMBOL\n" +
			"0x00000000\tg\tvmlinux\tEXPORT_UNUSED_SYMBOL_GPL\n" +
			"0x00000000\th\tvmlinux\t(unknown)\n",
		"5.4": "0x1a2b3c4d\tf\tNS\tnet/nf-nat\tEXPORT_SYMBOL\n" +
			"0x00000000\tg\t\tvmlinux\tEXPORT_SYMBOL_GPL_FUTURE\n" +
			"0x00000000\th\t\tvmlinux\tEXPORT_SYMBOL\n",
		"5.6": "0x1a2b3c4d\tf\tnet/nf-nat\tEXPORT_SYMBOL\tNS\n" +
			"0x00000000\tg\tvmlinux\tEXPORT_SYMBOL_GPL\t\n" +
			"0x00000000\th\tvmlinux\tEXPORT_SYMBOL_GPL\n",
		"6.16": "0x1a2b3c4d\tf\tnet/nf-nat\tEXPORT_SYMBOL_GPL\tmodule:kvm-intel,kvm-amd\n" +
			"0x00000000\tg\tvmlinux\tEXPORT_SYMBOL_GPL\t\n" +
			"0x00000000\th\tvmlinux\tEXPORT_SYMBOL\t\n",
		"crlf": "0x1a2b3c4d\tf\tnet/nf-nat.ko\tEXPORT_SYMBOL_GPL\tNS\r\n" +
			"0x00000000\tg\tvmlinux\tEXPORT_SYMBOL_GPL\t\r\n" +
			"0x00000000\th\tvmlinux\tEXPORT_SYMBOL\t",
	} {
		t.Run(name, func(t *testing.T) {
			table := text1(t, "Module.symvers", lines)
			space := map[string]string{"4.19": "", "5.4": "NS", "5.6": "NS", "crlf": "NS",
				"6.16": "module:kvm-intel,kvm-amd"}[name]
			assert.Equal(t, []Export{{Object: "nf_nat", Name: "f", Namespace: space,
				Source: "Module.symvers", Listed: true, CRC: 0x1a2b3c4d,
				GPLOnly: name == "6.16" || name == "crlf"}}, table.Exports("f"))
			assert.Equal(t, []Export{{Object: "vmlinux", Name: "g", Source: "Module.symvers",
				Listed: true, GPLOnly: name != "5.4"}}, table.Exports("g"))
			assert.Len(t, table.Exports("h"), 1)
			assert.Empty(t, table.Objects(), "exports make no object")
			assert.Empty(t, table.Find("f"))
			assert.Equal(t, Symvers, table.Sources[0].Kind)
		})
	}
}

func TestSymversThatIsNone(t *testing.T) {
	for _, lines := range []string{
		"0x1a2b3c4d f vmlinux " +
			"EXPORT_SYMBOL\n", "0x1a2b3c4\tf\tvmlinux\tEXPORT_SYMBOL\n",
		"1a2b3c4d\tf\tvmlinux\tEXPORT_SYMBOL\n",
		"0x1a2b3c4d\t\tvmlinux\tEXPORT_SYMBOL\n", "0x1a2b3c4d\tf\t\tEXPORT_SYMBOL\n", "0x1a2b3c4d\tf\tvmlinux\n",
		"0x1a2b3c4d\tf\tvmlinux\tEXPORT_SYMBOL\tNS\tmore\n", "0x1a2zzc4d\tf\tvmlinux\tEXPORT_SYMBOL\n",
	} {
		_, err := New("x", strings.NewReader(lines), int64(len(lines)))
		assert.ErrorIs(t, err, ErrUnknown, lines)
	}
	for _, lines := range []string{
		tinySymvers + "what is this\n", tinySymvers + "0x00000000\t" +
			strings.Repeat("x", maxSymversLine),
	} {
		s := source(t, "x", []byte(lines))
		_, err := s.Scan(func(*Entry) {})
		assert.ErrorContains(t, err, "x")
	}
}

// Wherever symbols of the loader's export table go past, exports are known.
func TestExportsFromSymbols(t *testing.T) {
	want := Names("f", "strings", "gpl", "__ksymtab_f")
	for name, s := range map[string]Source{
		"kallsyms": source(t, "s", []byte("ffffffff81000000 T _text\nffffffff81000100 r "+
			"__ksymtab_f\nffffffff81000100 r __ksymtab_g\nffffffff81000200 r __ksymtab_gpl\n"+
			"ffffffff81000300 r __start___ksymtab\nffffffff81000400 r "+
			"__ksymtab_\nffffffffc0000000 r __ksymtab_f\t[m]\n")),
		"list": source(t, "s",
			[]byte("klp-convert-symbol-data.0.1\n*vmlinux\n__ksymtab_f\n__ksymtab_gpl\n*m\n__ksymtab_f\n")),
	} {
		table, err := Read(want, s)
		require.NoError(t, err)
		assert.Equal(t, []Export{{Object: "m", Name: "f", Namespace: "", Source: "s"},
			{Object: "vmlinux", Name: "f", Namespace: "", Source: "s"}}, table.Exports("f"), name)
		assert.Empty(t, table.Exports("g"), "not asked for")
		assert.Empty(t, table.Exports("gpl"), "a section")
		assert.Len(t, table.Lookup("vmlinux", "__ksymtab_f"), 1, "it is a symbol all the same")
	}
}

func TestNamespacesFromELF(t *testing.T) {
	const strings = "f\x00NS\x00g\x00\x00cut"
	symbols := func(base uint64) []tinySymbol {
		return []tinySymbol{
			{"__ksymtab_f", local, 1, base, 0}, {"__ksymtab_g", local, 1, base + 12, 0},
			{"__ksymtab_h", local, 1, base + 24, 0},
			{"__kstrtabns_f", local, 7, base + 2, 0}, {"__kstrtabns_g", local, 7, base + 7, 0},
			{"__kstrtabns_h", local, 7, base + 8, 0},
			{"__kstrtabns_i", local, 7, base + 99, 0}, {"__kstrtabns_j", local, 0, 0, 0},
		}
	}
	module := tinyModule("name=m\x00", symbols(0)...)
	module.sections = append(module.sections,
		tinySection{"__ksymtab_strings", 2, 0, []byte(strings)})
	vmlinux := tinyVmlinux(symbols(0x3000)...)
	for range 3 {
		vmlinux.sections = append(vmlinux.sections, tinySection{".more", 2, 0x1000, []byte("x")})
	}
	vmlinux.sections = append(vmlinux.sections,
		tinySection{"__ksymtab_strings", 2, 0x3000, []byte(strings)})
	for object, e := range map[string]tinyELF{"m": module, "vmlinux": vmlinux} {
		table := read(t, source(t, "s", e.bytes()))
		assert.Equal(t, []Export{{Object: object, Name: "f", Namespace: "NS", Source: "s"}},
			table.Exports("f"))
		assert.Equal(t, []Export{{Object: object, Name: "g", Namespace: "", Source: "s"}},
			table.Exports("g"))
		assert.Equal(t, []Export{{Object: object, Name: "h", Namespace: "", Source: "s"}},
			table.Exports("h"), "a name without an end is none")
		assert.Empty(t, table.Exports("i"))
	}
}

// An image of arm64 begins at the first symbol's address; its table entries count
// from their own places.
func TestNamespacesFromImage(t *testing.T) {
	const base = 0xffff800008000000
	le := binary.LittleEndian
	k := tinyKernel{order: le, kind: "relative", symbols: tinyNames(base, 600), base: base}
	entry := make([]byte, 24)
	at := func(field int, to int) { le.PutUint32(entry[field:], uint32(to-field)) }
	entry = append(entry, "f\x00NS\x00g\x00\x00"...)
	at(4, 24)
	at(8, 26)
	at(16, 29)
	const place = 0x100
	// The last two symbols are the entries.
	for i, name := range []string{"r__ksymtab_f", "r__ksymtab_g"} {
		k.symbols[100+i] = tinyName{base + place + uint64(12*i), name}
	}
	for i := range 100 {
		k.symbols[i].address = base + uint64(i)
	}
	for i := 102; i < 600; i++ {
		k.symbols[i].address = base + place + 24 + uint64(i)
	}
	image := make([]byte, place)
	copy(image[0x38:], armMagic)
	image = append(append(image, entry...), k.bytes()...)
	table := read(t, source(t, "s", image))
	assert.Equal(t, []Export{{Object: "vmlinux", Name: "f", Namespace: "NS", Source: "s"}},
		table.Exports("f"))
	assert.Equal(t, []Export{{Object: "vmlinux", Name: "g", Namespace: "", Source: "s"}},
		table.Exports("g"))

	// A name that is another one's makes it no entry.
	image[place+24] = 'x'
	table = read(t, source(t, "s", image))
	assert.Equal(t, []Export{{Object: "vmlinux", Name: "f", Namespace: "", Source: "s"}},
		table.Exports("f"))
}

func TestTheOneThatKnowsTheNamespaceCounts(t *testing.T) {
	kallsyms := source(t, "k", []byte("ffffffff81000000 T _text\nffffffff81000100 r __ksymtab_f\n"))
	symvers := source(t, "s", []byte("0x00000000\tf\tvmlinux\tEXPORT_SYMBOL\tNS\n"))
	for _, order := range [][]Source{{kallsyms, symvers}, {symvers, kallsyms}} {
		table, err := Read(Names("f"), order...)
		require.NoError(t, err)
		assert.Equal(t, []Export{{Object: "vmlinux", Name: "f", Namespace: "NS", Source: "s",
			Listed: true}}, table.Exports("f"))
	}
}
