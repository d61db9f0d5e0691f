// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"debug/elf"
	"os"
	"path/filepath"
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

const (
	thunk  = "__x86_return_thunk"
	thunks = "CONFIG_LIVEPATCH=y\nCONFIG_MITIGATION_RETHUNK=y\nCONFIG_MITIGATION_SRSO=y\n"
	before = "CONFIG_LIVEPATCH=y\nCONFIG_RETHUNK=y\nCONFIG_CPU_SRSO=y\n"
	pads   = "CONFIG_LIVEPATCH=y\nCONFIG_X86_KERNEL_IBT=y\n"
	hashes = "CONFIG_LIVEPATCH=y\nCONFIG_CFI=y\n"
	endbr  = "\xf3\x0f\x1e\xfa"
)

// more is a world with a version, a configuration and exports that the rules here need.
func more(version, config string) func(*world) {
	return func(w *world) {
		w.version, w.config = version, config
		w.kallsyms = kallsyms + "ffffffff81000560 T " + thunk + "\nffffffff81001040 r __ksymtab_" +
			thunk + "\n"
	}
}

// returning adds a function that returns through the thunk; .return_sites names n jumps of it.
func returning(in string, n int) func(t *testing.T, f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		if !hasSymbol(f, thunk) {
			undefined(f, thunk, elf.STB_GLOBAL)
		}
		s, _ := add(f, in, elf.SHF_EXECINSTR, []byte{0xe9, 0, 0, 0, 0, 0x2e, 0xe9, 0, 0, 0, 0, 0x90},
			elfrw.Rela{Offset: 1, Sym: symbol(t, f, thunk), Type: uint32(elf.R_X86_64_PLT32), Addend: -4},
			elfrw.Rela{Offset: 7, Sym: symbol(t, f, thunk), Type: uint32(elf.R_X86_64_PLT32), Addend: -4})
		y := &elfrw.Symbol{Name: "returning", Section: s, Size: 12, Info: byte(elf.STT_FUNC)}
		f.AddSymbol(y)
		_, sites := add(f, ".return_sites", 0, make([]byte, 4*n))
		for i, at := range []int64{0, 5}[:n] {
			f.AddReloc(sites, elfrw.Rela{Offset: uint64(4 * i), Sym: y, Type: uint32(elf.R_X86_64_PC32),
				Addend: at})
		}
	}
}

// pointing adds a pointer to a function that begins with these bytes, behind others.
func pointing(sec, ahead, code string) func(t *testing.T, f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		s, _ := add(f, ".text.called", elf.SHF_EXECINSTR, []byte(ahead+code+"\xc3"))
		y := &elfrw.Symbol{Name: "called", Section: s, Value: uint64(len(ahead)),
			Size: s.Size() - uint64(len(ahead)), Info: byte(elf.STT_FUNC)}
		f.AddSymbol(y)
		add(f, sec, elf.SHF_WRITE, make([]byte, 8), elfrw.Rela{Sym: y, Type: uint32(elf.R_X86_64_64)})
	}
}

// loading adds code that takes a function's address by an instruction.
func loading(insn string, at uint64, kind elf.R_X86_64, addend int64) func(t *testing.T,
	f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		pointing("__mcount_loc", "", "\x90")(t, f) // which takes none
		add(f, ".text.loading", elf.SHF_EXECINSTR, []byte(endbr+insn),
			elfrw.Rela{Offset: 4 + at, Sym: symbol(t, f, "called"), Type: uint32(kind), Addend: addend})
	}
}

// sealing makes a pointer to a's asym, and lets a seal these of its functions.
func sealing(w *world, functions ...string) {
	more("6.12", pads)(w)
	w.before = func(t *testing.T, f *elfrw.File) {
		add(f, ".data.pointer", elf.SHF_WRITE, make([]byte, 8), elfrw.Rela{Sym: symbol(t, f, "asym"),
			Type: 1})
	}
	w.target = func(t *testing.T, f *elfrw.File) {
		_, seals := add(f, ".ibt_endbr_seal", 0, make([]byte, 4*len(functions)))
		for i, name := range functions {
			f.AddReloc(seals, elfrw.Rela{Offset: uint64(4 * i), Sym: symbol(t, f, name),
				Type: uint32(elf.R_X86_64_PC32)})
		}
	}
}

// calling adds a call to a function that .call_sites names, with bytes before the function.
func calling(ahead string) func(t *testing.T, f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		pointing("__mcount_loc", ahead, endbr)(t, f)
		s, _ := add(f, ".text.calling", elf.SHF_EXECINSTR, []byte("\xe8\x00\x00\x00\x00\xc3"),
			elfrw.Rela{Offset: 1, Sym: symbol(t, f, "called"), Type: uint32(elf.R_X86_64_PLT32),
				Addend: -4})
		y := &elfrw.Symbol{Section: s, Info: byte(elf.STT_SECTION)}
		f.AddSymbol(y)
		add(f, ".call_sites", 0, make([]byte, 4), elfrw.Rela{Sym: y, Type: uint32(elf.R_X86_64_PC32)})
	}
}

const (
	unpatched = "Unpatched return thunk in use. This should not happen!"
	noEndbr   = "Missing ENDBR: called…"
	noHash    = "CFI failure at … (target: called…; expected type: …)"
	nops      = "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90"
)

var hardenings = map[string]mistake{
	"return thunk, 7.3": {world: more("7.3", thunks), edit: returning(".text.returning", 0),
		id: diag.ReturnThunk, when: diag.Calling, message: unpatched},
	"return thunk, 6.9": {world: more("6.9", thunks), edit: returning(".text.returning", 0),
		id: diag.ReturnThunk, when: diag.Calling, message: unpatched},
	"return thunk, one of two": {world: more("6.12", thunks), edit: returning(".text.returning", 1),
		id: diag.ReturnThunk, when: diag.Calling, message: unpatched},
	"return thunk, named": {world: more("6.12", thunks), edit: returning(".text.returning", 2)},
	"return thunk, init": {world: more("6.12", thunks),
		edit: returning(".init.text.returning", 0), id: diag.ReturnThunk, when: diag.Enabling,
		message: unpatched},
	"return thunk, replacement": {world: more("6.12", thunks),
		edit: returning(".altinstr_replacement", 0)},
	"return thunk, 6.8": {world: more("6.8", before), edit: returning(".text.returning", 0)},
	"return thunk, 6.8 that warns": {world: func(w *world) {
		more("6.8", before)(w)
		w.kallsyms += "ffffffff81000580 T __warn_thunk\n"
	}, edit: returning(".text.returning", 0), id: diag.ReturnThunk, when: diag.Calling,
		message: unpatched},
	"return thunk, without mitigations": {world: more("6.12",
		"CONFIG_LIVEPATCH=y\nCONFIG_MITIGATION_RETHUNK=y\n"), edit: returning(".text.returning", 0)},
	"return thunk, without thunks": {world: more("6.12", "CONFIG_LIVEPATCH=y\n"),
		edit: returning(".text.returning", 0)},
	"return thunk, a module tells": {world: func(w *world) {
		more("6.12", "")(w)
		w.target = returning(".text.returning", 2)
	}, edit: returning(".text.returning", 0), id: diag.ReturnThunk, when: diag.Calling,
		message: unpatched},
	"return thunk, a module does not tell": {world: more("6.12", ""),
		edit: returning(".text.returning", 0)},
	"return site that is none": {world: more("6.1", before), edit: func(t *testing.T, f *elfrw.File) {
		returning(".text.returning", 2)(t, f)
		relocs(".rela.return_sites",
			func(r []elfrw.Rela) []elfrw.Rela { r[1].Addend = 11; return r })(t, f)
		relocs(".rela.text.returning", func(r []elfrw.Rela) []elfrw.Rela { return r[:1] })(t, f)
	}, id: diag.ReturnThunk, message: "missing return thunk: …-…: …"},

	"retpolines, 6.12": {world: more("6.12", "CONFIG_LIVEPATCH=y\nCONFIG_MITIGATION_RETPOLINE=y\n"),
		id:      diag.NoRetpolines,
		message: "Spectre V2 : System may be vulnerable to spectre v2"},
	"retpolines, 5.10": {world: more("5.10", "CONFIG_LIVEPATCH=y\nCONFIG_RETPOLINE=y\n"),
		id:      diag.NoRetpolines,
		message: "Spectre V2 : System may be vulnerable to spectre v2"},
	"retpolines, a module tells": {world: func(w *world) {
		w.target = modinfo("name=a",
			"name=a\x00retpoline=Y")
	}, id: diag.NoRetpolines,
		message: "Spectre V2 : System may be vulnerable to spectre v2"},
	"retpolines, built with": {world: more("6.12",
		"CONFIG_LIVEPATCH=y\nCONFIG_MITIGATION_RETPOLINE=y\n"),
		edit: modinfo("livepatch=Y", "livepatch=Y\x00retpoline=Y")},
	"retpolines, not wanted": {world: more("6.12", "CONFIG_LIVEPATCH=y\n")},

	"IBT, data": {world: more("6.12", pads), edit: pointing(".data.pointer", "", "\x90"),
		id: diag.NoLandingPad, when: diag.Calling, message: noEndbr},
	"IBT, with endbr64": {world: more("6.12", pads), edit: pointing(".data.pointer", "", endbr)},
	"IBT, no function":  {world: more("6.12", pads), edit: pointing("__ex_table", "", "\x90")},
	"IBT, not wanted": {world: more("6.12", thunks), edit: pointing(".data.pointer", "",
		"\x90")},
	"IBT, lea": {world: more("6.12", pads), edit: loading("\x48\x8d\x05\x00\x00\x00\x00",
		3, elf.R_X86_64_PC32, -4), id: diag.NoLandingPad, when: diag.Calling, message: noEndbr},
	"IBT, mov": {world: more("6.12", pads), edit: loading("\x48\xc7\xc7\x00\x00\x00\x00",
		3, elf.R_X86_64_32S, 0), id: diag.NoLandingPad, when: diag.Calling, message: noEndbr},
	"IBT, mov to memory": {world: more("6.12", pads),
		edit: loading("\xc7\x05\x00\x00\x00\x00\x00\x00\x00\x00", 6, elf.R_X86_64_32S, 0),
		id:   diag.NoLandingPad, when: diag.Calling, message: noEndbr},
	"IBT, movabs": {world: more("6.12", pads),
		edit: loading("\x48\xb8\x00\x00\x00\x00\x00\x00\x00\x00", 2, elf.R_X86_64_64, 0),
		id:   diag.NoLandingPad, when: diag.Calling, message: noEndbr},
	"IBT, call": {world: more("6.12", pads), edit: loading("\xe8\x00\x00\x00\x00", 1,
		elf.R_X86_64_PLT32, -4)},
	"IBT, old call": {world: more("6.12", pads), edit: loading("\x0f\xe8\x00\x00\x00\x00", 2,
		elf.R_X86_64_PC32, -4)},
	"IBT, in the function": {world: more("6.12", pads), edit: loading("\x48\xc7\xc7\x00\x00\x00\x00",
		3, elf.R_X86_64_32S, 1)},

	"sealed function": {world: func(w *world) { sealing(w, "asym") }, id: diag.SealedFunction,
		when: diag.Calling, message: "Missing ENDBR: asym…"},
	"sealed, other function": {world: func(w *world) { sealing(w, "still") }},
	"sealed, without IBT":    {world: func(w *world) { sealing(w, "asym"); w.config = thunks }},

	"kCFI": {world: more("6.18", hashes), edit: pointing(".data.pointer", "", endbr),
		id: diag.NoCallType, when: diag.Calling, message: noHash},
	"kCFI, 6.12": {world: more("6.12", "CONFIG_LIVEPATCH=y\nCONFIG_CFI_CLANG=y\n"),
		edit: pointing(".data.pointer", nops, endbr), id: diag.NoCallType, when: diag.Calling,
		message: noHash},
	"kCFI, hash": {world: more("6.18", hashes), edit: pointing(".data.pointer",
		"\xb8\x01\x02\x03\x04", endbr)},
	"kCFI, hash, paddings": {world: more("6.18", hashes), edit: pointing(".data.pointer",
		"\xb8\x01\x02\x03\x04"+nops[:11], endbr)},
	"kCFI, before 6.1": {world: more("6.0", "CONFIG_LIVEPATCH=y\nCONFIG_CFI_CLANG=y\n"),
		edit: pointing(".data.pointer", "", endbr)},
	"kCFI, its symbol": {world: more("6.18", hashes), edit: func(t *testing.T, f *elfrw.File) {
		pointing(".data.pointer", "", endbr)(t, f)
		code(t, f, ".text.called.hash", "__cfi_called")
	}},
	"call depth, no room": {world: more("6.12",
		"CONFIG_LIVEPATCH=y\nCONFIG_MITIGATION_CALL_DEPTH_TRACKING=y\n"), edit: calling("\xc3" +
		nops[:8]), id: diag.NoPadding, note: true, message: "Invalid padding area for called…"},
	"call depth, room": {world: more("6.12",
		"CONFIG_LIVEPATCH=y\nCONFIG_MITIGATION_CALL_DEPTH_TRACKING=y\n"), edit: calling(nops)},
	"call depth, not there": {world: more("6.12", pads), edit: calling("")},
}

// ready gives init what every kernel here wants.
func ready(t *testing.T, f *elfrw.File) {
	s, _ := add(f, ".text.ready", elf.SHF_EXECINSTR, []byte("\xb8\x01\x02\x03\x04"+endbr+"\xc3"))
	y := symbol(t, f, "init_module")
	y.Section, y.Value, y.Size = s, 5, 5
}

func init() {
	for name, m := range hardenings {
		edit := m.edit
		m.edit = func(t *testing.T, f *elfrw.File) {
			ready(t, f)
			if edit != nil {
				edit(t, f)
			}
		}
		hardenings[name], mistakes[name] = m, m
	}
}

// What is not wanted, or is there, is not noted either.
func TestHardeningIsSilentOtherwise(t *testing.T) {
	for name, m := range hardenings {
		if m.id != "" {
			continue
		}
		w := good()
		m.world(&w)
		f := w.convert(t)
		m.edit(t, f)
		for _, x := range w.check(t, encode(t, f)).Findings {
			assert.Less(t, x.ID, diag.ReturnThunk, "%s: %+v", name, x)
		}
	}
}

// What the compiler makes with the flags of such kernels passes, and what it makes without
// is found.
func TestHardeningOverFlags(t *testing.T) {
	bare := []string{"by_code", "by_data", "cleanup_module", "init_module"}
	for arch, option := range map[string]string{"x86_64": "X86_KERNEL_IBT",
		"aarch64": "ARM64_BTI_KERNEL"} {
		dir := t.TempDir()
		src, err := sympos.New("kernel", strings.NewReader(kallsyms), int64(len(kallsyms)))
		require.NoError(t, err)
		k := sympos.NewKernel("kernel", src)
		k.Release = "6.18.0"
		k.Config = filepath.Join(dir, "config")
		require.NoError(t, os.WriteFile(k.Config, []byte("CONFIG_LIVEPATCH=y\nCONFIG_CFI=y\nCONFIG_"+
			option+"=y\n"), 0o644))
		for kind, lacks := range map[string]struct{ pads, hashes []string }{
			"bare":            {bare, bare},
			"pads":            {nil, bare},
			"kcfi":            {bare, nil},
			"pads-kcfi":       {nil, nil},
			"pads-kcfi-entry": {nil, nil},
		} {
			r, err := loader.Open(contents(t, "hardening/"+arch+"-"+kind+
				".ko")).Check(loader.Options{Kernel: k})
			require.NoError(t, err)
			for id, want := range map[diag.ID][]string{diag.NoLandingPad: lacks.pads,
				diag.NoCallType: lacks.hashes} {
				i := slices.IndexFunc(r.Findings, func(f diag.Diagnostic) bool { return f.ID == id })
				require.Equal(t, want != nil, i >= 0, "%s %s %s: %+v", arch, kind, id, r.Findings)
				if want == nil {
					continue
				}
				names, _, _ := strings.Cut(r.Findings[i].Message, ":")
				list := strings.Split(names, ", ")
				slices.Sort(list)
				assert.Equal(t, want, list, "%s %s %s", arch, kind, id)
				assert.Equal(t, diag.Enabling, r.Findings[i].Cases[0].When)
			}
		}
	}
}

// sealedImage is a kernel's image, with functions whose endbr64 it removes.
type sealedImage struct {
	called
	sealed []uint64
}

func (s sealedImage) Scan(visit func(*sympos.Entry)) (sympos.Facts, error) {
	facts, err := s.called.Scan(visit)
	facts.Sealed = s.sealed
	return facts, err
}

// Of vmlinux's functions its image tells; what does not is said.
func TestSealedFunctionOfVmlinux(t *testing.T) {
	const vsym, old = 0xffffffff81000100, 0xffffffff81000300
	for _, c := range []struct {
		sealed []uint64
		found  bool
	}{{[]uint64{vsym, old}, true}, {[]uint64{old}, false}, {nil, false}} {
		w := good()
		w.version = "6.12"
		w.before = func(t *testing.T, f *elfrw.File) {
			add(f, ".data.pointer", elf.SHF_WRITE, make([]byte, 8), elfrw.Rela{Sym: symbol(t, f, "vsym"),
				Type: 1})
		}
		k := sympos.NewKernel("kernel", sealedImage{called{untraced: []uint64{}}, c.sealed})
		k.Release = w.version + ".0" + kernelRelease
		k.Config = filepath.Join(t.TempDir(), "config")
		require.NoError(t, os.WriteFile(k.Config, []byte(pads), 0o644))
		r, err := loader.Open(encode(t, w.convert(t))).Check(loader.Options{Kernel: k})
		require.NoError(t, err)
		i := slices.IndexFunc(r.Findings,
			func(f diag.Diagnostic) bool { return f.ID == diag.SealedFunction })
		assert.Equal(t, c.found, i >= 0, "%+v", r.Findings)
		open := slices.ContainsFunc(r.Unchecked,
			func(u loader.Unchecked) bool { return strings.HasPrefix(u.What, "whether vsym of vmlinux") })
		assert.Equal(t, c.sealed == nil, open)
	}
}

// A section that has lost its link to the symbols is read as if its relocations had none; that of
// klp relocations for the same code does not make up for it.
func TestReturnSitesWhoseRelocationsHaveNoSymbols(t *testing.T) {
	w := good()
	more("6.1", before)(&w)
	f := w.convert(t)
	returning(".text.returning", 2)(t, f)
	code := section(t, f, ".text.returning")
	_, klp := add(f, ".text.other", elf.SHF_EXECINSTR, make([]byte, 16), elfrw.Rela{Offset: 4,
		Sym: symbol(t, f, "returning"), Type: uint32(elf.R_X86_64_PC32)})
	klp.Target = code
	relocs(".rela.text.returning", func(r []elfrw.Rela) []elfrw.Rela {
		r[0].Sym, r[1].Sym = nil, nil
		return r
	})(t, f)
	assert.Nil(t, finding(w.check(t, encode(t, f)), diag.ReturnThunk))
}
