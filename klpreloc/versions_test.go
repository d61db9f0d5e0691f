// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// versionTable adds modpost's table, in the format that all kernels read.
func versionTable(f *elfrw.File, names ...string) {
	var b []byte
	for i, name := range names {
		e := make([]byte, 64)
		binary.LittleEndian.PutUint64(e, uint64(0x1000+i))
		copy(e[8:], name)
		b = append(b, e...)
	}
	s := &elfrw.Section{Name: "__versions", Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC),
		Align: 32, Data: b}
	f.AddSection(s)
	f.AddSymbol(&elfrw.Symbol{Name: "____versions", Section: s, Size: uint64(len(b)),
		Info: byte(elf.STB_GLOBAL)<<4 | byte(elf.STT_OBJECT)})
}

// extendedVersions adds the table of 6.14 and later.
func extendedVersions(f *elfrw.File, names ...string) {
	var crcs []byte
	for i := range names {
		crcs = binary.LittleEndian.AppendUint32(crcs, uint32(0x1000+i))
	}
	for name, data := range map[string][]byte{"__version_ext_crcs": crcs,
		"__version_ext_names": []byte(strings.Join(names, "\x00") + "\x00")} {
		f.AddSection(&elfrw.Section{Name: name, Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC),
			Align: 4, Data: data})
	}
}

func depends(t *testing.T, f *elfrw.File, list string) {
	s := section(t, f, ".modinfo")
	text := strings.Replace(string(s.Data), "depends=\x00", "depends="+list+"\x00", 1)
	require.NotEqual(t, len(text), len(s.Data))
	s.Data = []byte(text)
}

// A klp symbol is no longer an import: it leaves both version tables,
// whose other entries stay with their checksums.
func TestConvertedSymbolsLeaveTheVersionTables(t *testing.T) {
	f := borrower(t)
	versionTable(f, "module_layout", "vm_call", "klp_enable_patch", "mod_call")
	extendedVersions(f, "module_layout", "vm_call", "klp_enable_patch", "mod_call")
	g := converted(t, f)
	s := section(t, g, "__versions")
	require.Len(t, s.Data, 128)
	assert.Equal(t, "module_layout", strings.TrimRight(string(s.Data[8:64]), "\x00"))
	assert.Equal(t, "klp_enable_patch", strings.TrimRight(string(s.Data[72:128]), "\x00"))
	assert.EqualValues(t, 0x1002, binary.LittleEndian.Uint64(s.Data[64:]))
	assert.EqualValues(t, 128, symbol(t, g, "____versions").Size)
	assert.Equal(t, "module_layout\x00klp_enable_patch\x00",
		string(section(t, g, "__version_ext_names").Data))
	assert.Equal(t, []byte{0, 0x10, 0, 0, 2, 0x10, 0, 0}, section(t, g, "__version_ext_crcs").Data)
	names, _ := klpabi.VersionedNames(g)
	assert.NotContains(t, names, "vm_call")
}

// A table that is not understood stays as it is.
func TestOddVersionTablesStay(t *testing.T) {
	f := borrower(t)
	versionTable(f, "module_layout", "vm_call")
	s := section(t, f, "__versions")
	s.Data = append(s.Data, 0)
	extendedVersions(f, "module_layout", "vm_call")
	section(t, f, "__version_ext_crcs").Data = []byte{1, 2, 3}
	g := converted(t, f)
	assert.Len(t, section(t, g, "__versions").Data, 129)
	assert.Len(t, section(t, g, "__version_ext_crcs").Data, 3)
	assert.Equal(t, "module_layout\x00vm_call\x00", string(section(t, g, "__version_ext_names").Data))
}

func TestDependsLosesWhatNothingNeeds(t *testing.T) {
	text := kallsyms +
		"ffffffffc0002300 T other	[btrfs]\nffffffffc0002400 r __ksymtab_other	[btrfs]\nffffffffc0003000 " +
		"T more\t[raid6_pq]\nffffffffc0003100 r __ksymtab_more\t[raid6_pq]\n"
	for name, test := range map[string]struct {
		depends string
		uses    []string
		patched []string // beside ext4
		want    string
	}{
		"patched module": {"ext4", []string{"patched_offers"}, nil, ""},
		"first of two":   {"ext4,btrfs", []string{"patched_offers", "foreign"}, nil, "btrfs"},
		"in the middle": {"btrfs,ext4,raid6_pq", []string{"patched_offers", "foreign", "more"}, nil,
			"btrfs,raid6_pq"},
		"all exports": {"btrfs,ext4", []string{"patched_offers", "foreign", "other"},
			[]string{"btrfs", "raid6_pq"}, ""},
		"nothing has changed": {"btrfs", []string{"foreign"}, nil, "btrfs"},
		"spelt as the file":   {"raid6-pq", []string{"more"}, []string{"btrfs", "raid6_pq"}, ""},
		"not ours to judge":   {"zlib", []string{"patched_offers"}, nil, "zlib"},
	} {
		t.Run(name, func(t *testing.T) {
			f := undefinedIn(t, borrower(t, test.patched...), test.uses...)
			depends(t, f, test.depends)
			before := len(section(t, reread(t, f), ".modinfo").Data)
			g, _ := convertedAgainst(t, f, klpreloc.Options{Kernel: kernelOf(t, text)})
			got, ok := klpabi.ReadModinfo(g).Value("depends")
			assert.True(t, ok)
			assert.Equal(t, test.want, got)
			assert.Len(t, section(t, g, ".modinfo").Data, before, "nothing moves")
		})
	}
}

// A symbol that stays an import of the patched module keeps the dependency, which
// is reported: it is what the annotation should have prevented.
func TestDependencyOnPatchedModuleIsReported(t *testing.T) {
	f := undefined(t, "patched_offers")
	depends(t, f, "ext4")
	_, found := convertedAgainst(t, f, klpreloc.Options{Kernel: kernelOf(t, kallsyms), NoInfer: true})
	require.NotEmpty(t, with(diag.DependsOnPatched, found))
	assert.Equal(t, diag.Warning, with(diag.DependsOnPatched, found)[0].Severity)
	g := borrower(t)
	depends(t, g, "ext4")
	_, found = against(t, g, klpreloc.Options{})
	d := the(t, diag.DependsOnPatched, found)
	assert.Equal(t,
		"depends= names ext4, which the livepatch patches: it can't be loaded before that module",
		d.Message)
}
