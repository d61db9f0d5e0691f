// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math/rand"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/sympos"
)

// One field of a good file poked, for each check of the loader's on ELF.
func TestELFMistakes(t *testing.T) {
	shoff := func(b []byte) []byte { return b[binary.LittleEndian.Uint64(b[40:]):] }
	names := func(b []byte) []byte { return shoff(b)[64*int(binary.LittleEndian.Uint16(b[62:])):] }
	symtab := func(b []byte) []byte {
		for h := shoff(b); ; h = h[64:] {
			if binary.LittleEndian.Uint32(h[4:]) == 2 {
				return h
			}
		}
	}
	for name, m := range map[string]struct {
		edit     func(b []byte) []byte
		old, new string // messages of 6.1 and 7.3, which may be one; "" for none
	}{
		"short": {edit: func(b []byte) []byte { return b[:40] },
			old: "Invalid ELF header len 40"},
		"magic": {edit: func(b []byte) []byte { b[1] = 'X'; return b },
			old: `Invalid ELF header magic: != \x7fELF`},
		"executable": {edit: func(b []byte) []byte { b[16] = 2; return b },
			old: "Invalid ELF header type: 2 != 1"},
		"machine": {edit: func(b []byte) []byte { b[18] = 22; return b },
			old: "Invalid architecture in ELF header: 22"},
		"e_shentsize": {edit: func(b []byte) []byte { b[58] = 40; return b },
			old: "Invalid ELF section header size"},
		"e_shoff": {edit: func(b []byte) []byte { b[44] = 1; return b },
			old: "Invalid ELF section header overflow"},
		"truncated": {edit: func(b []byte) []byte { return b[:len(b)-64] },
			old: "Invalid ELF section header overflow"},
		"e_shstrndx": {edit: func(b []byte) []byte { b[62], b[63] = 0, 0; return b },
			old: "Invalid ELF section name index: 0 || e_shstrndx (0) >= e_shnum ("},
		"no names": {edit: func(b []byte) []byte {
			binary.LittleEndian.PutUint64(names(b)[32:],
				0)
			return b
		}, old: "empty section name table"},
		"section 0": {edit: func(b []byte) []byte { shoff(b)[4] = 1; return b },
			old: "ELF Spec violation: section 0 type(1)!=SH_NULL or non-zero len or addr"},
		"contents": {edit: func(b []byte) []byte {
			binary.LittleEndian.PutUint64(symtab(b)[24:],
				1<<40)
			return b
		}, old: "Invalid ELF section in module (section "},
		"no symbols": {edit: func(b []byte) []byte { symtab(b)[4] = 1; return b },
			old: "lp: module has no symbols (stripped?)"},
		"sh_link": {edit: func(b []byte) []byte { symtab(b)[40] = 0; return b },
			old: "Invalid ELF sh_link!=SHN_UNDEF(0) or (sh_link(0) >= hdr->e_shnum("},
		"symbol names": {edit: func(b []byte) []byte { o := binary.LittleEndian.Uint64(symtab(b)[24:]); b[o+24+3] = 1; return b }, new: "symbol name out of bounds in string table"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, w := range []world{good(), {version: "7.3"}, {version: "5.10"}} {
				if w.objects == "" {
					v := w.version
					w = good()
					w.version = v
				}
				b := m.edit(slices.Clone(encode(t, w.convert(t))))
				r := w.check(t, b)
				want := m.old
				if w.version == "7.3" && m.new != "" {
					want = m.new
				}
				first := r.First()
				require.NotNil(t, first)
				assert.Equal(t, diag.BadELF, first.ID, w.version)
				if want == "" { // and before, the kernel runs into it
					assert.Equal(t, "killed", first.Cases[0].Errno)
					continue
				}
				assert.False(t, r.Loads(), w.version)
				assert.Equal(t, "ENOEXEC", first.Cases[0].Errno)
				switch {
				case w.version == "5.10" && name != "no symbols":
					last := first.Cases[0].Messages[len(first.Cases[0].Messages)-1]
					assert.Equal(t, "Module has invalid ELF structures", last.Text)
				case name == "no symbols":
					assert.Contains(t, first.KernelSays(), "module has no symbols (stripped?)")
				default:
					assert.Contains(t, first.KernelSays(), want)
				}
			}
		})
	}
}

// What the loader does not look at may be nonsense.
func TestFieldsNobodyReads(t *testing.T) {
	w := good()
	b := encode(t, w.convert(t))
	shoff := binary.LittleEndian.Uint64(b[40:])
	header := func(name string) func(b []byte) []byte {
		f := parse(t, b)
		i := slices.IndexFunc(f.Sections, func(s *elfrw.Section) bool { return s.Name == name }) + 1
		require.Positive(t, i, name)
		return func(b []byte) []byte { return b[shoff+uint64(i)*64:] }
	}
	rela, symtab, text := header(klpVm), header(".symtab"), header(".text.vm_fn")
	for name, poke := range map[string]func(b []byte){
		"class":                    func(b []byte) { b[4] = 1 },
		"byte order":               func(b []byte) { b[5] = 2 },
		"version":                  func(b []byte) { b[6], b[20] = 0, 9 },
		"e_ehsize":                 func(b []byte) { b[52] = 1 },
		"e_phnum":                  func(b []byte) { b[56] = 1 },
		"sh_entsize":               func(b []byte) { rela(b)[56] = 0 },
		"sh_link":                  func(b []byte) { rela(b)[40] = 200 },
		"type of klp relocations":  func(b []byte) { rela(b)[4] = 9 },
		"local symbols":            func(b []byte) { symtab(b)[44] = 0 },
		"sh_entsize of symbols":    func(b []byte) { symtab(b)[56] = 16 },
		"alignment":                func(b []byte) { text(b)[48] = 3 },
		"offset of section 0":      func(b []byte) { b[shoff+30] = 1 },
		"more behind the sections": func([]byte) {},
	} {
		t.Run(name, func(t *testing.T) {
			c := slices.Clone(b)
			poke(c)
			if name == "more behind the sections" {
				c = append(c, "more"...)
			}
			r := w.check(t, c)
			assert.Zero(t, r.Problems(), "%+v", r.Findings)
		})
	}
}

// What is appended like a signature (kernel/module/signing.c, mod_check_sig).
func TestSignatures(t *testing.T) {
	w := good()
	b := encode(t, w.convert(t))
	signed := func(kind, pad byte, length uint32, body []byte) []byte {
		info := []byte{0, 0, kind, 0, 0, pad, 0, 0, 0, 0, 0, 0}
		binary.BigEndian.PutUint32(info[8:], length)
		return append(append(append(slices.Clone(b), body...), info...),
			"~Module signature appended~\n"...)
	}
	// ContentInfo of SignedData, with nothing in it.
	message := []byte{0x30, 0x0f, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 2, 0x30, 0}
	n := uint32(len(message))
	for name, m := range map[string]struct {
		file  []byte
		errno string
		loads bool
		quiet bool
	}{
		"PKCS#7":          {file: signed(2, 0, n, message), loads: true, quiet: true},
		"garbage":         {file: signed(2, 0, 16, make([]byte, 16)), errno: "EBADMSG"},
		"longer than all": {file: signed(2, 0, 1<<30, message), errno: "EBADMSG"},
		"padding":         {file: signed(2, 1, n, message), errno: "EBADMSG"},
		"of another kind": {file: signed(1, 0, n, message), loads: true},
		"nothing but marks": {file: append(slices.Clone(b), "~Module signature appended~\n"...),
			loads: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.check(t, m.file)
			assert.Equal(t, m.loads, r.Loads(), "%+v", r.Findings)
			if m.quiet {
				assert.Zero(t, r.Problems())
				return
			}
			require.NotNil(t, r.First())
			assert.Equal(t, diag.BadSignature, r.First().ID)
			assert.Equal(t, m.errno, r.First().Cases[0].Errno)
		})
	}
}

// Whatever is in the file: no panic, and an end.
func TestHostileFiles(t *testing.T) {
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewSource(seed))
	w := good()
	for _, w.version = range []string{"5.4", "6.1", "7.2"} {
		b := encode(t, w.convert(t))
		k := w.kernel(t)
		for range 700 {
			c := slices.Clone(b)
			for range 1 + random.Intn(8) {
				at := random.Intn(len(c))
				if random.Intn(2) == 0 {
					c[at] = byte(random.Intn(256))
				} else {
					c[at] ^= 1 << random.Intn(8)
				}
			}
			if random.Intn(10) == 0 {
				c = c[:random.Intn(len(c))]
			}
			r, err := loader.Open(c).Check(loader.Options{Kernel: k, Loaded: []string{"a"}})
			require.NoError(t, err)
			for i := range r.Findings {
				f := &r.Findings[i]
				assert.NotEmpty(t, f.Cases, "%+v", f)
				assert.NotContains(t, f.KernelSays()+f.Message+f.Where(), "\n")
			}
		}
	}
}

// What a file calls its symbols does not reach a terminal, nor a shell that a fix is pasted into.
func TestNamesInFixes(t *testing.T) {
	w := good()
	f := w.convert(t)
	for _, name := range []string{"\x1b]0;x\a", "$(id);'x'", "plain"} {
		undefined(f, name, elf.STB_GLOBAL)
	}
	var fixes []string
	r := w.check(t, encode(t, f))
	for i := range r.Findings {
		if r.Findings[i].ID == diag.UnknownSymbol {
			fixes = append(fixes, r.Findings[i].Hints...)
		}
	}
	assert.Equal(t, []string{
		"klp-convert sympos '?]0;x?' --kernel kernel",
		`klp-convert sympos '$(id);'\''x'\''' --kernel kernel`,
		"klp-convert sympos plain --kernel kernel",
	}, fixes)
}

// So with what the kernel was called by who asked.
func TestKernelsInFixes(t *testing.T) {
	w := good()
	src, err := sympos.New("kernel", strings.NewReader(kallsyms), int64(len(kallsyms)))
	require.NoError(t, err)
	k := sympos.NewKernel("my kernel", src)
	annotated := contents(t, "x86_64/mixed.ko")
	for _, b := range [][]byte{annotated, encode(t, w.convert(t))} {
		r, err := loader.Open(b).Check(loader.Options{Kernel: k})
		require.NoError(t, err)
		for i := range r.Findings {
			for _, fix := range r.Findings[i].Hints {
				assert.NotRegexp(t, `--kernel my kernel`, fix)
			}
		}
	}
}

// A module is no kernel: nothing would be found, for nothing was looked at.
func TestModulesAreNoKernel(t *testing.T) {
	w := good()
	b := encode(t, w.convert(t))
	src, err := sympos.New("a.ko", bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	_, err = loader.Open(b).Check(loader.Options{Kernel: sympos.NewKernel("a.ko", src)})
	assert.ErrorContains(t, err, "modules alone tell nothing of a kernel")
}

// A disk image that is given by mistake is not copied to find that it is no module.
func TestWhatIsNoELFFileIsNotCopied(t *testing.T) {
	big := make([]byte, 64<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	loader.Open(big)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(len(big)))
}

func FuzzCheck(f *testing.F) {
	f.Add(contents(f, "odd/nothing-to-convert.ko"))
	f.Add(contents(f, "x86_64/mixed.ko"))
	src, err := sympos.New("kernel", strings.NewReader(kallsyms), int64(len(kallsyms)))
	require.NoError(f, err)
	k := sympos.NewKernel("kernel", src)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := loader.Open(b).Check(loader.Options{Kernel: k})
		require.NoError(t, err)
		require.LessOrEqual(t, len(r.Findings), 64+len(b))
	})
}

// Of what can't be read nothing is judged, which is no "loads".
func TestWhatCantBeReadDoesNotPass(t *testing.T) {
	w := good()
	w.unbuilt = true // or its machine would be another
	b := encode(t, w.convert(t))
	// 32-bit, whose rules for ELF are not known here
	binary.LittleEndian.PutUint16(b[18:], uint16(elf.EM_PPC))
	r := w.check(t, b[:len(b)-64])
	require.NotNil(t, r.First())
	assert.Equal(t, diag.BadELF, r.First().ID)
	assert.Contains(t, r.First().Message, "can't read the file")
}

// Of more objects than a patch may have none is judged. The steps that many of them take are
// counted in TestWorkGrowsWithTheModule of cmd/klp-convert.
func TestManyObjects(t *testing.T) {
	const n, object, objects = 30000, 168, 200
	w := good()
	f := w.convert(t)
	enabled(t, f)
	data, relocs := section(t, f, ".data.patch"), section(t, f, ".rela.data.patch")
	byPlace := map[uint64]elfrw.Rela{}
	for _, r := range relocs.Relocs() {
		byPlace[r.Offset] = r
	}
	name, funcs := byPlace[objects+object], byPlace[objects+object+8] // of the second object, a
	list := slices.Clone(relocs.Relocs())
	at := uint64(len(data.Data))
	i := slices.IndexFunc(list, func(r elfrw.Rela) bool { return r.Offset == 8 })
	list[i].Addend = int64(at) // klp_patch.objs
	// an empty one ends them
	data.Data = append(slices.Clone(data.Data), make([]byte, (n+1)*object)...)
	for range n {
		name.Offset, funcs.Offset = at, at+8
		list = append(list, name, funcs)
		at += object
	}
	relocs.SetRelocs(list)
	r := w.check(t, encode(t, f))
	assert.Contains(t, fmt.Sprint(r.NotJudged()), "objects are more than the 256 that are read")
}

// What is behind the end of a table or a section is anybody's guess, and no "loads".
func TestBehindTheEndDoesNotPass(t *testing.T) {
	w := good()
	f := w.convert(t)
	late := encode(t, f)
	i := slices.IndexFunc(f.Sections, func(s *elfrw.Section) bool { return s.Name == klpA }) + 1
	require.Positive(t, i)
	header := late[binary.LittleEndian.Uint64(late[40:])+uint64(i)*64:]
	binary.LittleEndian.PutUint32(late[binary.LittleEndian.Uint64(header[24:])+12:], 4000) // r_sym
	f = w.convert(t)
	ordinary := relocs(".rela.text.vm_fn",
		func(r []elfrw.Rela) []elfrw.Rela { r[0].Offset = 1 << 16; return r })
	ordinary(t, f)
	for id, b := range map[diag.ID][]byte{diag.BadELF: late, diag.OutsideTarget: encode(t, f)} {
		first := w.check(t, b).First()
		if assert.NotNil(t, first, id) {
			assert.Equal(t, id, first.ID)
		}
	}
}
