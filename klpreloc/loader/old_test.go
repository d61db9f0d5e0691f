// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"debug/elf"
	"encoding/binary"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

// numbers are those that a message has after a word.
var numbers = regexp.MustCompile(`(len) \d+`)

// judged checks the good module for a kernel of that version, edited as a file.
func judged(t *testing.T, version string, edit func(b []byte) []byte) *loader.Report {
	t.Helper()
	w := good()
	w.version = version
	f := w.convert(t)
	f.AddSection(&elfrw.Section{Name: ".note.unused", Type: elf.SHT_PROGBITS, Align: 1,
		Data: []byte("nothing")})
	return w.check(t, edit(slices.Clone(encode(t, f))))
}

// The loader of kernels without elf_validity_check: it looks at the ELF header, prints
// nothing, and then at where sections end.
func TestFileThatIsNotValidated(t *testing.T) {
	headers := func(b []byte) []byte { return b[binary.LittleEndian.Uint64(b[40:]):] }
	header := func(b []byte, name string) []byte {
		f := parse(t, b)
		i := slices.IndexFunc(f.Sections, func(s *elfrw.Section) bool { return s.Name == name }) + 1
		require.Positive(t, i, name)
		return headers(b)[64*i:]
	}
	const size, flags, kind, link, unused = 32, 8, 4, 40, ".note.unused"
	for name, c := range map[string]struct {
		edit           func(b []byte) []byte
		errno, message string // "" and "": it loads
		judged         bool
	}{
		"short": {edit: func(b []byte) []byte { return b[:40] }, errno: "ENOEXEC", judged: true},
		"magic": {edit: func(b []byte) []byte { b[1] = 'X'; return b }, errno: "ENOEXEC",
			judged: true},
		"no section headers": {edit: func(b []byte) []byte { return b[:len(b)-64] },
			errno: "ENOEXEC", judged: true},
		"section past the end": {edit: func(b []byte) []byte {
			binary.LittleEndian.PutUint64(header(b, unused)[size:], 1<<30)
			return b
		}, errno: "ENOEXEC", message: "Module len … truncated", judged: true},
		"section whose size wraps": {edit: func(b []byte) []byte {
			binary.LittleEndian.PutUint64(header(b, unused)[size:], ^uint64(0))
			return b
		}, judged: true},
		"section 0": {edit: func(b []byte) []byte { headers(b)[kind] = 1; return b }, judged: true},
		"section 0 has a size": {edit: func(b []byte) []byte { headers(b)[size] = 8; return b },
			errno: "killed", message: "page fault", judged: true},
		"names of size 0": {edit: func(b []byte) []byte {
			h := headers(b)[64*int(binary.LittleEndian.Uint16(b[62:])):]
			binary.LittleEndian.PutUint64(h[size:], 0)
			return b
		}},
		"names that end without 0": {edit: func(b []byte) []byte {
			h := headers(b)[64*int(binary.LittleEndian.Uint16(b[62:])):]
			b[binary.LittleEndian.Uint64(h[24:])+binary.LittleEndian.Uint64(h[size:])-1] = 'x'
			return b
		}, judged: true},
		"no names": {edit: func(b []byte) []byte { b[62], b[63] = 0, 0; return b },
			errno: "ENOEXEC", message: "(missing .modinfo section): No module found in object",
			judged: true},
		"names far away": {edit: func(b []byte) []byte { b[62], b[63] = 0xff, 0xff; return b },
			errno: "killed", message: "page fault", judged: true},
		"no symbols": {edit: func(b []byte) []byte {
			binary.LittleEndian.PutUint32(header(b, ".symtab")[kind:], 1)
			return b
		}, errno: "ENOEXEC", message: "lp: module has no symbols (stripped?)", judged: true},
		"symbols without names": {edit: func(b []byte) []byte {
			binary.LittleEndian.PutUint32(header(b, ".symtab")[link:], 0)
			return b
		}},
		"struct module not loaded": {edit: func(b []byte) []byte {
			header(b, ".gnu.linkonce.this_module")[flags] &^= byte(elf.SHF_ALLOC)
			return b
		}, errno: "ENOEXEC", message: "lp: No module found in object", judged: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := judged(t, "4.19", c.edit)
			x := finding(r, diag.BadELF)
			if c.errno == "" && c.judged {
				assert.Nil(t, x, "%+v", r.Findings)
				assert.True(t, r.Loads(), "%+v", r.Findings)
				return
			}
			require.NotNil(t, x, "%+v", r.Findings)
			if !c.judged {
				assert.Contains(t, x.Message, "was not judged")
				return
			}
			assert.Equal(t, c.errno, x.Cases[0].Errno)
			if c.message == "" {
				assert.Empty(t, x.Cases[0].Messages)
			} else {
				assert.Equal(t, c.message, numbers.ReplaceAllString(x.KernelSays(), "$1 …"))
			}
			// A kernel that validates the file says so of each but what find_sec looks for.
			if x := finding(judged(t, "5.10", c.edit), diag.BadELF); c.message == "" {
				assert.Equal(t, "Module has invalid ELF structures", x.Cases[0].Messages[0].Text)
			}
		})
	}
}

// What was added or refused later: each is a fact with a date.
func TestWhatOldKernelsAccept(t *testing.T) {
	for name, c := range map[string]struct {
		edit     func(t *testing.T, f *elfrw.File)
		id       diag.ID
		old, new string // versions before and since
		inOld    bool   // the finding is the older kernel's
	}{
		"a module called vmlinux": {modinfo("name=lp", "name=vmlinux"), diag.BadModuleName, "5.7",
			"5.8", false},
		"_GLOBAL_OFFSET_TABLE_": {func(_ *testing.T, f *elfrw.File) {
			undefined(f, "_GLOBAL_OFFSET_TABLE_", elf.STB_GLOBAL)
		}, diag.UnknownSymbol, "4.18", "5.11", true},
		"vmlinux's symbol in init code": {func(t *testing.T, f *elfrw.File) {
			s := section(t, f, klpVm)
			text := s.Target
			text.Name = ".init.text"
			// The function calls klp_enable_patch after it has used the symbol.
			rs := section(t, f, ".rela.text.vm_fn")
			f.AddReloc(rs, elfrw.Rela{Offset: s.Reloc(0).Offset + 8,
				Sym: symbol(t, f, "klp_enable_patch"), Type: 1})
		}, diag.LateInit, "5.7", "5.8", true},
	} {
		t.Run(name, func(t *testing.T) {
			for version, old := range map[string]bool{c.old: true, c.new: false} {
				w := good()
				w.version = version
				f := w.convert(t)
				c.edit(t, f)
				r := w.check(t, encode(t, f))
				assert.Equal(t, old == c.inOld, finding(r, c.id) != nil, "%s: %+v", version, r.Findings)
			}
		})
	}
}

// A livepatch of that name patches the kernel, not itself.
func TestLivepatchCalledVmlinux(t *testing.T) {
	w := good()
	w.version = "5.7"
	f := w.convert(t)
	modinfo("name=lp", "name=vmlinux")(t, f)
	r := w.check(t, encode(t, f))
	assert.Zero(t, r.Problems(), "%+v", r.Findings)
}

// A table of versions without struct module is passed over by mainline, with a message.
func TestVersionsWithoutStructModule(t *testing.T) {
	w := good()
	w.version = "4.19.78" // 4.19 alone makes a release like Debian's, whose kernels refuse it
	w.before = versions(map[string]uint32{"offered": 1})
	w.target = versions(map[string]uint32{"module_layout": 1})
	r := w.check(t, encode(t, w.convert(t)))
	x := finding(r, diag.ChecksumMismatch)
	require.NotNil(t, x, "%+v", r.Findings)
	assert.Equal(t, diag.Note, x.Severity)
	assert.Equal(t, "lp: no symbol version for module_layout", x.KernelSays())
	for _, f := range r.Findings[1:] {
		assert.NotContains(t, f.KernelSays(), "no symbol version", "the kernel says it once")
	}
}

// The contents of .klp.arch sections, which apply_alternatives and apply_paravirt believe.
func TestArchSectionContents(t *testing.T) {
	alternative := func(feature, length byte) []byte {
		return []byte{0, 0, 0, 0, 0, 0, 0, 0, feature, 0, length, length, 0}
	}
	site := func(length byte) []byte {
		return []byte{0, 0, 0, 0, 0, 0, 0, 0, 7, length, 0, 0, 0, 0, 0, 0}
	}
	const pc32, pointer = uint32(elf.R_X86_64_PC32), uint32(elf.R_X86_64_64)
	relocs := func(kind uint32, at ...uint64) (list []elfrw.Rela) {
		for _, offset := range at {
			list = append(list, elfrw.Rela{Offset: offset, Type: kind})
		}
		return list
	}
	for name, c := range map[string]struct {
		table    string
		data     []byte
		relocs   []elfrw.Rela
		old, new string // what 4.19 and 5.4 do: errno, "silent" or "" for right
	}{
		"good":          {"..altinstructions", alternative(24, 5), relocs(pc32, 0, 4), "", ""},
		"not relocated": {"..altinstructions", alternative(24, 5), nil, "silent", "silent"},
		"half relocated": {"..altinstructions", alternative(24, 5), relocs(pc32, 0), "silent",
			"silent"},
		"relocated by type NONE": {"..altinstructions", alternative(24, 5), relocs(0, 0, 4), "silent",
			"silent"},
		"zeros": {"..altinstructions", make([]byte, 13), relocs(pc32, 0, 4), "silent", "silent"},
		"long": {"..altinstructions", alternative(24, 255), relocs(pc32, 0, 4), "killed",
			"killed"},
		"a site":           {"..parainstructions", site(7), relocs(pointer, 0), "", ""},
		"a site without":   {"..parainstructions", site(7), nil, "killed", "killed"},
		"a site, length 0": {"..parainstructions", site(0), relocs(pointer, 0), "silent", "killed"},
		"alternatives as sites": {"..parainstructions", append(alternative(24, 5), 0, 0, 0),
			relocs(pc32, 0, 4), "silent", "killed"},
		"sites as alternatives": {"..altinstructions", site(7), relocs(pointer, 0), "killed",
			"killed"},
		"a short site as an alternative": {"..altinstructions", site(7)[:10], relocs(pointer, 0),
			"killed", "killed"},
		"one dot": {".altinstructions", alternative(24, 5), relocs(pc32, 0, 4), "silent", "silent"},
		"a blank": {". .altinstructions", alternative(24, 5), relocs(pc32, 0, 4), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for version, want := range map[string]string{"4.19": c.old, "5.4": c.new} {
				w := good()
				w.version = version
				f := w.convert(t)
				s := &elfrw.Section{Name: ".klp.arch.vmlinux" + c.table, Type: elf.SHT_PROGBITS,
					Flags: uint64(elf.SHF_ALLOC), Align: 1, Data: c.data}
				f.AddSection(s)
				rs := &elfrw.Section{Name: ".rela" + s.Name, Type: elf.SHT_RELA, Align: 8, EntSize: 24,
					Link: f.Symtab, Target: s, Flags: uint64(elf.SHF_INFO_LINK)}
				f.AddSection(rs)
				for _, r := range c.relocs {
					r.Sym = symbol(t, f, "vm_fn")
					f.AddReloc(rs, r)
				}
				x := finding(w.check(t, encode(t, f)), diag.CheckArchSection)
				if want == "" {
					assert.Nil(t, x, "%s: %+v", version, x)
					continue
				}
				require.NotNil(t, x, version)
				errno, when := want, diag.Enabling
				if want == "silent" {
					errno, when = "", diag.Calling
				}
				assert.Equal(t, errno, x.Cases[0].Errno, version)
				assert.Equal(t, when, x.Cases[0].When, version)
			}
		})
	}
}

// Of two sections of one name the last counts, and an empty one before it does no harm.
func TestTwoArchSectionsOfOneName(t *testing.T) {
	for _, emptyFirst := range []bool{true, false} {
		w := good()
		w.version = "4.19"
		f := w.convert(t)
		for _, empty := range []bool{emptyFirst, !emptyFirst} {
			s := &elfrw.Section{Name: ".klp.arch.vmlinux..altinstructions", Type: elf.SHT_PROGBITS,
				Flags: uint64(elf.SHF_ALLOC), Align: 1}
			if !empty {
				s.Data = make([]byte, 13)
				s.Data[10] = 5
			}
			f.AddSection(s)
			if !empty {
				rs := &elfrw.Section{Name: ".rela.x", Type: elf.SHT_RELA, Align: 8, EntSize: 24,
					Link: f.Symtab, Target: s, Flags: uint64(elf.SHF_INFO_LINK)}
				f.AddSection(rs)
				for _, at := range []uint64{0, 4} {
					f.AddReloc(rs, elfrw.Rela{Offset: at, Type: uint32(elf.R_X86_64_PC32),
						Sym: symbol(t, f, "vm_fn")})
				}
			}
		}
		x := finding(w.check(t, encode(t, f)), diag.CheckArchSection)
		assert.Equal(t, emptyFirst, x == nil, "%+v", x)
	}
}

// Before 5.4 a signature that is rejected has another error, and no message.
func TestSignaturesByVersion(t *testing.T) {
	for version, want := range map[string][2]string{"5.3": {"ENOKEY", "ENOPKG"},
		"5.4": {"EKEYREJECTED", "EKEYREJECTED"}} {
		w := good()
		w.version = version
		w.config = "CONFIG_LIVEPATCH=y\nCONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_FORCE=y\n"
		b := encode(t, w.convert(t))
		other := append(slices.Clone(b), make([]byte, 64)...)
		other = append(other, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 64) // PKEY_ID_X509
		other = append(other, "~Module signature appended~\n"...)
		for i, signed := range [][]byte{b, other} {
			x := finding(w.check(t, signed), diag.BadSignature)
			require.NotNil(t, x)
			assert.Equal(t, want[i], x.Cases[0].Errno, version)
		}
	}
}

// With frame pointers code that was not relocated may come back with a wrong result.
func TestFramePointers(t *testing.T) {
	for config, want := range map[string]string{"": "page fault in a_fn",
		"CONFIG_FRAME_POINTER=y\n": "page fault or wrong result in a_fn"} {
		w := good()
		w.config = "CONFIG_LIVEPATCH=y\n" + config
		f := w.convert(t)
		rename(klpA, ".klp.rela.ext4..text.a_fn")(t, f)
		x := finding(w.check(t, encode(t, f)), diag.NotApplied)
		require.NotNil(t, x)
		assert.Equal(t, want, x.KernelSays())
	}
}

// An object with the name vmlinux and one without a name have one directory in sysfs.
func TestObjectCalledVmlinuxBesideOneWithoutName(t *testing.T) {
	for _, objects := range []string{"vmlinux a", "a vmlinux", "a"} {
		w := good()
		w.objects = objects
		w.funcs = map[string][]fn{"vmlinux": {{Old: "old", New: "vm_fn"}},
			"a": {{Old: "afn", New: "a_fn"}}}
		f := w.convert(t)
		enabled(t, f)
		names := section(t, f, ".rodata.names")
		at := slices.IndexFunc(section(t, f, ".rela.data.patch").Relocs(), func(r elfrw.Rela) bool {
			return r.Sym != nil && r.Sym.Section == names &&
				strings.HasPrefix(string(names.Data[r.Addend:]), "a\x00")
		})
		require.GreaterOrEqual(t, at, 0)
		relocs(".rela.data.patch", func(r []elfrw.Rela) []elfrw.Rela {
			r[at].Addend = int64(len(names.Data))
			return r
		})(t, f)
		names.Data = append(names.Data, "vmlinux\x00"...)
		x := finding(w.check(t, encode(t, f)), diag.PatchStructure)
		require.NotNil(t, x, objects)
		if objects == "a" {
			assert.Contains(t, x.Message, "the string vmlinux")
			continue
		}
		assert.Equal(t, "EEXIST", x.Cases[0].Errno, objects)
		assert.Contains(t, x.Message, "two klp_objects of that name")
	}
}

// Where the kernel has error injection, it looks at the addresses in its table.
func TestErrorInjectionWithoutAddresses(t *testing.T) {
	const set = "CONFIG_FUNCTION_ERROR_INJECTION=y\n"
	for config, found := range map[string]bool{"": false, set: true} {
		w := good()
		w.config = "CONFIG_LIVEPATCH=y\n" + config
		f := w.convert(t)
		add(f, "_error_injection_whitelist", elf.SHF_WRITE, make([]byte, 16))
		r := w.check(t, encode(t, f))
		assert.Equal(t, found, finding(r, diag.BadTable) != nil, "%+v", r.Findings)
		assert.Zero(t, r.Problems())
	}
}

// Before 5.8 the loader passes over any section with the flag: code without its calls of
// __fentry__ is a bug to ftrace, init code that is not relocated does not come far.
func TestOrdinarySectionWithTheFlag(t *testing.T) {
	for _, name := range []string{".text.more", ".init.text"} {
		w := good()
		w.version = "5.4"
		f := w.convert(t)
		code(t, f, name, "more", "__fentry__")
		section(t, f, ".rela"+name).Flags |= klpabi.FlagLivepatch
		x := finding(w.check(t, encode(t, f)), diag.SectionGrammar)
		require.NotNil(t, x, name)
		assert.Equal(t, "WARNING at kernel/trace/ftrace.c ftrace_bug", x.Cases[0].Messages[0].Text)
		want := "EINVAL"
		if name == ".init.text" {
			want = "killed"
		}
		assert.Equal(t, want, x.Cases[1].Errno, name)
	}
}

// The address of a section that does not exist is whatever follows the kernel's headers.
func TestTargetThatDoesNotExist(t *testing.T) {
	r := judged(t, "5.4", func(b []byte) []byte {
		f := parse(t, b)
		i := slices.IndexFunc(f.Sections, func(s *elfrw.Section) bool { return s.Name == klpVm }) + 1
		binary.LittleEndian.PutUint32(b[binary.LittleEndian.Uint64(b[40:])+uint64(64*i+44):], 999)
		return b
	})
	x := finding(r, diag.SectionHeader)
	require.NotNil(t, x, "%+v", r.Findings)
	assert.Contains(t, x.Message, "was not judged")
}

// What the kernel can't read it prints as it has stored it.
func TestUnreadableNameAsItIsStored(t *testing.T) {
	name := ".klp.sym.vmlinux." + strings.Repeat("n", 200) + ",0"
	for version, printed := range map[string]string{"5.4": name[:127], "5.10": name} {
		w := good()
		w.version = version
		f := w.convert(t)
		symbol(t, f, ".klp.sym.vmlinux.vsym,0").Name = name
		x := finding(w.check(t, encode(t, f)), diag.SymbolGrammar)
		require.NotNil(t, x, version)
		assert.Equal(t, "livepatch: symbol "+printed+" has an incorrectly formatted name",
			x.Cases[0].Messages[0].Text, version)
	}
}
