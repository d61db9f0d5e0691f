// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/sympos"
)

// longKlpSymbol gives a's symbol in the livepatch and in the target a name with which the klp
// symbol has so many bytes, and that position.
func longKlpSymbol(t *testing.T, w *world, f *elfrw.File, bytes int, position string) string {
	t.Helper()
	head, tail := ".klp.sym.a.", ","+position
	name := strings.Repeat("n", bytes-len(head)-len(tail))
	symbol(t, f, ".klp.sym.a.asym,0").Name = head + name + tail
	w.target = func(t *testing.T, a *elfrw.File) { symbol(t, a, "asym").Name = name }
	return head + name + tail
}

func finding(r *loader.Report, id diag.ID) *diag.Diagnostic {
	if i := slices.IndexFunc(r.Findings, func(f diag.Diagnostic) bool { return f.ID == id }); i >= 0 {
		return &r.Findings[i]
	}
	return nil
}

// Before 5.19 the kernel stores 127 bytes of a klp symbol's name for late relocations.
func TestNameThatTheKernelCuts(t *testing.T) {
	for version, cut := range map[string]bool{"4.19": true, "5.4": true, "5.10": true, "5.15": true,
		"5.18": true, "5.19": false, "6.1": false, "7.3": false} {
		for _, bytes := range []int{127, 128, 129} {
			w := good()
			w.version, w.loaded, w.uses["a_fn"] = version, true, "asym"
			f := w.convert(t)
			name := longKlpSymbol(t, &w, f, bytes, "0")
			r := w.check(t, encode(t, f))
			x := finding(r, diag.KlpSymbolTruncated)
			require.Equal(t, cut && bytes > 127, x != nil, "%s, %d bytes: %+v", version, bytes, r.Findings)
			if x == nil {
				continue
			}
			assert.False(t, r.Loads())
			assert.Equal(t, diag.Enabling, x.Cases[0].When)
			assert.Equal(t, "EINVAL", x.Cases[0].Errno)
			assert.Equal(t, "livepatch: symbol "+name[:127]+" has an incorrectly formatted name",
				x.Cases[0].Messages[0].Text)
			assert.Equal(t, diag.Coming, x.Cases[1].When)
		}
	}
}

// Of a position of several digits some may be left: the kernel takes another symbol, silently.
func TestPositionThatTheKernelCuts(t *testing.T) {
	w := good()
	w.version, w.uses["a_fn"] = "5.10", "asym"
	f := w.convert(t)
	longKlpSymbol(t, &w, f, 128, "12")
	x := finding(w.check(t, encode(t, f)), diag.KlpSymbolTruncated)
	require.NotNil(t, x)
	assert.Contains(t, x.Message, "it takes position 1 for 12")
	assert.Equal(t, diag.Calling, x.Cases[0].When)
}

// What the module loader applies itself it reads from the file: vmlinux's symbols since 5.8.
func TestEarlyNamesAreNotCut(t *testing.T) {
	for version, cut := range map[string]bool{"5.4": true, "5.10": false} {
		w := good()
		w.version = version
		f := w.convert(t)
		long := strings.Repeat("n", 115)
		for _, y := range f.Symbols {
			if y.Name == ".klp.sym.vmlinux.vsym,0" {
				y.Name = ".klp.sym.vmlinux." + long + ",0"
			}
		}
		w.kallsyms = kallsyms + "ffffffff81002000 t " + long + "\n"
		r := w.check(t, encode(t, f))
		assert.Equal(t, cut, finding(r, diag.KlpSymbolTruncated) != nil, "%s: %+v", version, r.Findings)
		assert.Equal(t, !cut, r.Problems() == 0, "%s: %+v", version, r.Findings)
	}
}

// registering is a kernel that exports klp_register_patch, as those before 5.1 do.
const registering = kallsyms + "ffffffff81002000 T klp_register_patch\nffffffff81002100 r " +
	"__ksymtab_klp_register_patch\n"

func TestRegistering(t *testing.T) {
	const bare = "ffffffff81000000 T _text\nffffffff81000100 t vsym\nffffffff81000300 T " +
		"old\nffffffff81000400 T klp_enable_patch\nffffffff81000500 T offered\nffffffff81000600 t vend\n"
	for name, c := range map[string]struct {
		version, kallsyms string
		enable, register  bool
		problem, note     bool
	}{
		"5.0, both":                 {"5.0", registering, true, true, false, false},
		"4.19, enabled alone":       {"4.19", registering, true, false, true, false},
		"4.19, registered alone":    {"4.19", registering, false, true, false, true},
		"4.19, neither":             {"4.19", registering, false, false, true, false},
		"4.18 with 5.1's livepatch": {"4.18", kallsyms, true, false, false, false},
		"4.19, exports not known":   {"4.19", bare, true, false, true, false},
		"5.1, exports not known":    {"5.1", bare, true, false, false, false},
		"5.4, enabled":              {"5.4", kallsyms, true, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := good()
			w.version, w.kallsyms = c.version, c.kallsyms
			f := w.convert(t)
			if c.register {
				undefined(f, "klp_register_patch", elf.STB_GLOBAL)
			}
			if !c.enable {
				symbol(t, f, "klp_enable_patch").Name = "offered"
			}
			r := w.check(t, encode(t, f))
			x := finding(r, diag.PatchStructure)
			require.Equal(t, c.problem || c.note, x != nil, "%+v", r.Findings)
			if x == nil {
				return
			}
			assert.Equal(t, c.note, x.Severity == diag.Note)
			if c.enable {
				assert.Contains(t, x.Message, "klp_enable_patch() without klp_register_patch()")
				assert.Equal(t, diag.Enabling, x.Cases[0].When)
				assert.Equal(t, "EINVAL", x.Cases[0].Errno)
				assert.False(t, r.Loads())
			}
		})
	}
}

// Without reliable stack traces kernels before 5.1 refuse all patches, later ones warn.
func TestReliableStacks(t *testing.T) {
	const without = "CONFIG_LIVEPATCH=y\nCONFIG_STACKTRACE_SUPPORT=y\nCONFIG_STACKTRACE=y\n"
	const with = without + "CONFIG_HAVE_RELIABLE_STACKTRACE=y\n"
	for name, c := range map[string]struct {
		version, config string
		immediate       bool
		errno           string
		note            bool
	}{
		"4.19":                      {"4.19", without, false, "ENOSYS", false},
		"4.19 with them":            {"4.19", with, false, "", false},
		"4.19, a part of a config":  {"4.19", "CONFIG_LIVEPATCH=y\n", false, "", false},
		"4.11":                      {"4.11", without, false, "", false},
		"4.14":                      {"4.14", without, false, "ENOSYS", false},
		"4.14, immediate":           {"4.14", without, true, "", false},
		"4.19 has no immediate":     {"4.19", without, true, "ENOSYS", false},
		"5.4: the transition hangs": {"5.4", without, false, "", true},
		"6.12 with them":            {"6.12", with, false, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := good()
			w.version, w.config = c.version, c.config
			f := w.convert(t)
			if c.immediate {
				s := section(t, f, ".data.patch")
				s.Data = slices.Clone(s.Data)
				s.Data[16] = 1
			}
			x := finding(w.check(t, encode(t, f)), diag.PatchStructure)
			if c.errno == "" && !c.note {
				assert.Nil(t, x)
				return
			}
			require.NotNil(t, x)
			assert.Equal(t, c.note, x.Severity == diag.Note)
			assert.Equal(t, c.errno, x.Cases[0].Errno)
			assert.Contains(t, x.KernelSays(), "support for the livepatch consistency model")
		})
	}
}

// A .klp.arch section that is not loaded is read where the copy of the file was.
func TestArchSectionThatIsNotLoaded(t *testing.T) {
	for version, oops := range map[string]bool{"4.8": false, "4.19": true, "5.4": true,
		"5.10": false} {
		for object, when := range map[string]diag.When{"vmlinux": diag.Enabling, "a": diag.Coming} {
			w := good()
			w.version = version
			f := w.convert(t)
			f.AddSection(&elfrw.Section{Name: ".klp.arch." + object + "..altinstructions",
				Type: elf.SHT_PROGBITS, Align: 1, Data: make([]byte, 13)})
			r := w.check(t, encode(t, f))
			x := finding(r, diag.CheckArchSection)
			require.Equal(t, oops, x != nil, "%s: %+v", version, r.Findings)
			if oops {
				assert.Equal(t, when, x.Cases[0].When)
				assert.Equal(t, "killed", x.Cases[0].Errno)
				assert.Equal(t, object == "a", r.Loads())
			}
		}
	}
}

// Kernels 6.2 to 6.10 with CONFIG_LTO_CLANG leave out .llvm. and what follows it.
func TestNamesOfKernelsWithLTO(t *testing.T) {
	const config = "CONFIG_LIVEPATCH=y\nCONFIG_LTO_CLANG=y\n"
	other := strings.Replace(kallsyms, "ffffffff81000200", "ffffffff81000180 t "+
		"vsym.llvm.7\nffffffff81000200", 1)
	only := strings.Replace(kallsyms, "t vsym\n", "t vsym.llvm.7\n", 1)
	for name, c := range map[string]struct {
		version, kallsyms, config, symbol string
		id                                diag.ID
		lacking                           bool
	}{
		"6.1: whole names": {"6.1", other, config, "vsym", "", false},
		"6.8: ambiguous": {"6.8", other, config, "vsym", diag.KlpSymbolAmbiguous,
			false},
		"6.8: found without": {"6.8", only, config, "vsym", "", false},
		"6.8: not found with it": {"6.8", only, config, "vsym.llvm.7", diag.KlpSymbolAbsent,
			false},
		"6.8: without LTO":                  {"6.8", other, "CONFIG_LIVEPATCH=y\n", "vsym", "", false},
		"6.8: the names tell":               {"6.8", other, "", "vsym", diag.KlpSymbolAmbiguous, false},
		"6.12: whole names":                 {"6.12", only, config, "vsym", diag.KlpSymbolAbsent, false},
		"6.12: found with it":               {"6.12", only, config, "vsym.llvm.7", "", false},
		"no release: not known, and told":   {"", other, "", "vsym", "", true},
		"no release: nothing is left aside": {"", kallsyms, "", "vsym", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := good()
			w.kallsyms, w.config = c.kallsyms, c.config
			if c.version != "" {
				w.version = c.version
			}
			f := w.convert(t)
			symbol(t, f, ".klp.sym.vmlinux.vsym,0").Name = ".klp.sym.vmlinux." + c.symbol + ",0"
			k := w.kernel(t)
			if c.version == "" {
				k.Release = ""
			}
			r, err := loader.Open(encode(t, f)).Check(loader.Options{Kernel: k})
			require.NoError(t, err)
			if c.id == "" {
				assert.Zero(t, r.Problems(), "%+v", r.Findings)
			} else {
				require.NotNil(t, finding(r, c.id), "%+v", r.Findings)
			}
			told := slices.ContainsFunc(r.NotJudged(),
				func(u loader.Unchecked) bool {
					return strings.Contains(u.Why, "vsym.llvm.7 may "+
						"count as vsym, too")
				})
			assert.Equal(t, c.lacking, told, "%+v", r.NotJudged())
		})
	}
}

// A klp_patch without mod is known by its size, which is another in older kernels.
func TestSizesOfThePatch(t *testing.T) {
	for version, size := range map[string]uint64{"4.19": 136, "5.0": 136, "5.1": 192, "5.4": 192,
		"5.5": 200, "6.1": 200} {
		for _, has := range []uint64{136, 192, 200} {
			w := good()
			w.version = version
			f := w.convert(t)
			unset(0)(t, f)
			for _, y := range f.Symbols {
				if y.Type() == elf.STT_OBJECT && y.Size == 200 {
					y.Size = has
				}
			}
			r := w.check(t, encode(t, f))
			assert.Equal(t, has != size, r.Loads(), "%s, %d bytes: %+v", version, has, r.Findings)
		}
	}
}

// extendedVersions adds the version table of 6.14 and later.
func extendedVersions(crcs map[string]uint32) func(*testing.T, *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		var names, sums []byte
		for _, name := range []string{"module_layout", "offered", "exported", "klp_enable_patch"} {
			if crc, ok := crcs[name]; ok {
				names = append(append(names, name...), 0)
				sums = binary.LittleEndian.AppendUint32(sums, crc)
			}
		}
		add(f, "__version_ext_names", 0, names)
		add(f, "__version_ext_crcs", 0, sums)
	}
}

// Whether checksums count the configuration tells, else a module's vermagic, else a list of
// exports; and which table counts, the version.
func TestWhichVersionTableCounts(t *testing.T) {
	const (
		with    = "CONFIG_LIVEPATCH=y\nCONFIG_MODVERSIONS=y\n"
		neither = with + "# CONFIG_BASIC_MODVERSIONS is not set\n" +
			"# CONFIG_EXTENDED_MODVERSIONS is not set\n"
		basic    = with + "CONFIG_BASIC_MODVERSIONS=y\n"
		without  = "CONFIG_LIVEPATCH=y\n# CONFIG_MODVERSIONS is not set\n"
		sums     = "0x00000007\toffered\tvmlinux\tEXPORT_SYMBOL\t\n"
		magic    = "mod_unload modversions "
		noTable  = "the kernel has CONFIG_MODVERSIONS and the module no version table"
		noneMade = noTable + ", which no module of this kernel has: its build makes none without " +
			"CONFIG_BASIC_MODVERSIONS or CONFIG_EXTENDED_MODVERSIONS"
		silent  = "no message, ENOEXEC"
		forced  = "lp: module_layout: kernel tainted."
		notRead = noTable + " that it reads: it has the extended one, which is read since 6.14"
	)
	all := func(crc uint32) map[string]uint32 {
		return map[string]uint32{"module_layout": crc, "offered": crc, "exported": crc,
			"klp_enable_patch": crc}
	}
	both := func(old, extended uint32) func(*testing.T, *elfrw.File) {
		return func(t *testing.T, f *elfrw.File) {
			versions(all(old))(t, f)
			extendedVersions(all(extended))(t, f)
		}
	}
	for name, c := range map[string]struct {
		version, config, symvers, magic string
		edit                            func(*testing.T, *elfrw.File)
		cause, errno, says              string // no cause: nothing to say
	}{
		"7.3, neither table is made": {"7.3", neither, "", "", nil, noneMade, "ENOEXEC", silent},
		"7.3, configured":            {"7.3", basic, "", "", nil, noTable, "ENOEXEC", silent},
		"7.3, configured without":    {"7.3", without, sums, magic, nil, "", "", ""},
		"6.12, no such option":       {"6.12", with, "", "", nil, noTable, "ENOEXEC", silent},
		"6.1, vermagic tells":        {"6.1", "", "", magic, nil, noTable, "", forced},
		"6.1, a list of exports":     {"6.1", "", sums, "", nil, noTable, "", forced},
		"6.1, nothing tells":         {"6.1", "", "", "", nil, "", "", ""},
		"6.13, extended": {"6.13", with, "", "", extendedVersions(all(7)), notRead, "ENOEXEC",
			silent},
		"6.14, extended": {"6.14", basic, sums, "", extendedVersions(all(7)), "", "", ""},
		"6.14, extended, another one": {"6.14", basic, sums, "", extendedVersions(all(8)),
			"its interface has another checksum: 0x00000008, in this kernel 0x00000007", "EINVAL",
			"lp: disagrees about version of symbol offered"},
		"6.14, both, extended counts": {"6.14", basic, sums, "", both(8, 7), "", "", ""},
		"6.13, both, the basic one":   {"6.13", with, sums, "", both(7, 8), "", "", ""},
		"6.14, not in the extended one": {"6.14", basic, sums, "",
			extendedVersions(map[string]uint32{"module_layout": 1, "exported": 1,
				"klp_enable_patch": 1}),
			"it is not in the module's version table: not checked by the kernel", "",
			"lp: no extended symbol version for offered"},
		"6.14, no struct module": {"6.14", basic, "", "",
			extendedVersions(map[string]uint32{"offered": 1, "exported": 1, "klp_enable_patch": 1}),
			"the module's version table does not have struct module", "",
			"lp: no extended symbol version for module_layout"},
	} {
		t.Run(name, func(t *testing.T) {
			w := good()
			w.version, w.config, w.symvers = c.version, c.config, c.symvers
			if c.magic != "" {
				w.target = modinfo("mod_unload ", c.magic)
				w.before = modinfo("mod_unload ", c.magic)
			}
			f := w.convert(t)
			if c.edit != nil {
				c.edit(t, f)
			}
			r := w.check(t, encode(t, f))
			x := finding(r, diag.ChecksumMismatch)
			require.Equal(t, c.cause != "", x != nil, "%+v", r.Findings)
			assert.Equal(t, c.errno == "", r.Loads())
			if x == nil {
				return
			}
			assert.Equal(t, c.cause, x.Message)
			assert.Equal(t, c.errno, x.Cases[0].Errno)
			assert.Equal(t, c.says, x.KernelSays())
		})
	}
}

// The configuration in the kernel's image counts where no file has it.
func TestConfigurationInTheImage(t *testing.T) {
	for config, want := range map[string]bool{"CONFIG_LIVEPATCH=y\nCONFIG_MODVERSIONS=y\n": true,
		"CONFIG_LIVEPATCH=y\n# CONFIG_MODVERSIONS is not set\n": false, "": false} {
		w := good()
		k := sympos.NewKernel("kernel", called{config: []byte(config)})
		k.Release = w.version + ".0" + kernelRelease
		r, err := loader.Open(encode(t, w.convert(t))).Check(loader.Options{Kernel: k})
		require.NoError(t, err)
		assert.Equal(t, want, finding(r, diag.ChecksumMismatch) != nil, config)
	}
}

// The extended table has a name for each checksum (6.14 and later).
func TestExtendedVersionTableThatIsNotWhole(t *testing.T) {
	for name, c := range map[string]struct {
		edit    func(t *testing.T, f *elfrw.File)
		message string
	}{
		"no names": {func(t *testing.T, f *elfrw.File) { rename("__version_ext_names", "other")(t, f) },
			"extended version crc+name presence does not match"},
		"no checksums": {header("__version_ext_crcs", unallocated),
			"extended version crc+name presence does not match"},
		"few names": {header("__version_ext_names",
			func(s *elfrw.Section) { s.Data = s.Data[:len(s.Data)-1] }),
			"more extended version crcs than names"},
		"few checksums": {header("__version_ext_crcs", func(s *elfrw.Section) { s.Data = s.Data[4:] }), ""},
	} {
		for _, version := range []string{"6.13", "6.14"} {
			w := good()
			w.version = version
			f := w.convert(t)
			extendedVersions(map[string]uint32{"module_layout": 1, "offered": 2})(t, f)
			c.edit(t, f)
			x := finding(w.check(t, encode(t, f)), diag.BadELF)
			require.Equal(t, version == "6.14" && c.message != "", x != nil, "%s, %s", name, version)
			if x != nil {
				assert.Equal(t, "ENOEXEC", x.Cases[0].Errno)
				assert.Equal(t, c.message, x.KernelSays())
			}
		}
	}
}
