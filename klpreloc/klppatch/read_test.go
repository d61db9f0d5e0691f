// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch_test

import (
	"debug/elf"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
)

const declared = `ext4
	show,1 → ext4_show
vmlinux
	cmdline_proc_show → vm_show
	read,2 → vm_read
nfs
	nfs_show → nfs_show
	pre_patch nfs_pre
	post_unpatch nfs_post_unpatch
xfs
`

// TestLayouts: the same declaration on all machines, with the structures of all
// kernels, in one section and in many.
func TestLayouts(t *testing.T) {
	sizes := map[string][4]uint64{ // klp_func and klp_object, 64 and 32 bits
		"407": {120, 96, 64, 52}, "412": {144, 96, 76, 52}, "415": {144, 136, 76, 72},
		"416": {136, 136, 72, 72}, "501": {152, 168, 80, 88}, "505": {152, 168, 80, 88}, "sections": {152,
			168, 80, 88},
	}
	for _, path := range fixtures(t, "*.ko") {
		name := strings.TrimSuffix(filepath.Base(path), ".ko")
		t.Run(name, func(t *testing.T) {
			arch, kernel, _ := strings.Cut(name, "-")
			p := one(t, parse(t, contents(t, path)))
			want := declared
			if kernel < "415" {
				want = strings.ReplaceAll(want, "\tpre_patch nfs_pre\n\tpost_unpatch nfs_post_unpatch\n", "")
			}
			assert.Equal(t, want, text(p))
			assert.Equal(t, klppatch.Static, p.From)
			assert.Equal(t, "patch", p.Symbol.Name)
			size := sizes[kernel]
			if arch == "ppc32" {
				size[0], size[1] = size[2], size[3]
			}
			assert.Equal(t, klppatch.Strides{Func: size[0], Object: size[1], FuncBy: klppatch.ByDistance,
				ObjectBy: klppatch.ByDistance}, p.Strides)
			assert.Equal(t, kernel > "500", p.ReplaceKnown)
			assert.Equal(t, kernel > "500", p.Replace)
			assert.Equal(t, 5*size[1], p.Objects[0].At.Size*5)
			assert.Equal(t, p.Objects[0].At.Offset+2*size[1], p.Objects[2].At.Offset)
			assert.Equal(t, 3*size[0], p.Object(klppatch.Vmlinux).FuncsAt.Size)
		})
	}
}

// TestLoongarch: no compiler for it here; all that is read is data.
func TestLoongarch(t *testing.T) {
	f := open(t, "aarch64-505.ko")
	f.Header.Machine = elf.EM_LOONGARCH
	rs := f.Section(".rela.data")
	for _, r := range rs.Relocs() {
		change(t, f, rs.Target, r.Offset, func(r *elfrw.Rela) { r.Type = uint32(elf.R_LARCH_64) })
	}
	assert.Equal(t, declared, text(one(t, reread(t, f))))
}

// TestKbuild: what a real kernel's headers and build make.
func TestKbuild(t *testing.T) {
	for name, want := range map[string]string{
		"livepatch-cmdline.ko": "vmlinux\n\tcmdline_proc_show → livepatch_cmdline_proc_show\n",
		"livepatch-ownmod.ko":  "ownmod\n\townmod_show → livepatch_ownmod_show\n",
	} {
		p := one(t, open(t, "../../../testdata/x86_64/"+name))
		assert.Equal(t, want, text(p))
		assert.Equal(t, klppatch.Strides{Object: 168, Func: 152, ObjectBy: klppatch.BySymbol,
			FuncBy: klppatch.BySymbol}, p.Strides)
		assert.EqualValues(t, 200, p.At.Size)
		assert.True(t, p.ReplaceKnown)
		assert.False(t, p.Replace)
	}
}

// TestNone: no livepatch, and modules that only seem to enable one.
func TestNone(t *testing.T) {
	patches, err := klppatch.Read(open(t, "../../../testdata/x86_64/ownmod.ko"))
	assert.Equal(t, klppatch.ErrNone, err)
	assert.Empty(t, patches)

	patches, err = klppatch.Read(open(t, "../../../testdata/s390x/labels-dot.ko"))
	assert.EqualError(t, err,
		"the module enables a livepatch, but its data has no klp_patch with objects; its code may fill one in")
	assert.Empty(t, patches)

	f := open(t, "x86_64-505.ko")
	f.Header.Machine = elf.EM_RISCV
	_, err = klppatch.Read(f)
	assert.EqualError(t, err, "no kernel has livepatching on EM_RISCV")
	symbol(t, f, "klp_enable_patch").Name = "other"
	_, err = klppatch.Read(f)
	assert.Equal(t, klppatch.ErrNone, err)
}

// scene is a module to be broken, with what it declared while it was whole.
type scene struct {
	*testing.T
	*elfrw.File
	ext4, vmlinux, nfs, xfs klppatch.Object
	data                    *elfrw.Section
	at                      elfrw.Range
}

func newScene(t *testing.T, name string) scene {
	f := open(t, name)
	p := one(t, f)
	return scene{t, f, p.Objects[0], p.Objects[1], p.Objects[2], p.Objects[3], p.At.Section, p.At}
}

func (s scene) change(offset uint64, edit func(*elfrw.Rela)) {
	change(s.T, s.File, s.data, offset, edit)
}
func (s scene) drop(offset, size uint64) { drop(s.T, s.File, s.data, offset, size) }
func (s scene) point(offset uint64, y *elfrw.Symbol, addend int64) {
	point(s.T, s.File, s.data, offset, y, addend)
}
func (s scene) symbol(name string) *elfrw.Symbol { return symbol(s.T, s.File, name) }

// TestUnreadable: one broken module for each thing that can be wrong, and no
// guess about any.
func TestUnreadable(t *testing.T) {
	for _, c := range []struct {
		name, want string
		edit       func(s scene)
	}{
		{"no end of functions",
			".data+0x3c0: the array of klp_func has no end: an empty element must close it",
			func(s scene) { s.symbol("nfs_funcs").Size = 152 }},
		{"no end of objects", "the array of klp_object has no end: an empty element must close it",
			func(s scene) { s.symbol("objs").Size = 4 * 168 }},
		{"size that is no multiple", "size 863 is not a multiple of the 168 bytes of a klp_object",
			func(s scene) { s.symbol("objs").Size = 863 }},
		{"array too short for one", "16 bytes are too few for a klp_func",
			func(s scene) { s.symbol("nfs_funcs").Size = 16 }},
		{"first function empty", "the first klp_func is empty, and others follow",
			func(s scene) { s.drop(s.vmlinux.FuncsAt.Offset, 16) }},
		{"empty object in between", "relocations after the end of the array of klp_object",
			func(s scene) { s.drop(s.vmlinux.At.Offset, 16) }},
		{"relocation in the kernel's part", "a relocation where a klp_func of 152 bytes has no pointer",
			func(s scene) { s.point(s.vmlinux.FuncsAt.Offset+152+64, s.symbol("both"), 0) }},
		{"relocation across words", "a relocation where a klp_func of",
			func(s scene) {
				s.change(s.vmlinux.Funcs[1].At.Offset+8, func(r *elfrw.Rela) { r.Offset += 4 })
			}},
		{"two relocations at one place", "a relocation where a klp_func of",
			func(s scene) { s.point(s.nfs.FuncsAt.Offset, s.symbol("both"), 0) }},
		{"type that stores no address", "a relocation where a klp_func of",
			func(s scene) { s.change(s.nfs.FuncsAt.Offset, func(r *elfrw.Rela) { r.Type = 10 }) }},
		{"name that is no string", "the name of a klp_object can't be read",
			func(s scene) {
				s.change(s.nfs.At.Offset, func(r *elfrw.Rela) { r.Sym, r.Addend = s.symbol("both"), 0 })
			}},
		{"name that is empty", "the name of a klp_object can't be read",
			func(s scene) {
				s.change(s.nfs.At.Offset, func(r *elfrw.Rela) { r.Sym, r.Addend = names(s.File, "a"), 1 })
			}},
		{"name without an end", "the name of a klp_object can't be read",
			func(s scene) {
				y := names(s.File, strings.Repeat("a", 2000))
				s.change(s.nfs.At.Offset, func(r *elfrw.Rela) { r.Sym, r.Addend = y, 0 })
			}},
		{"name that can't be shown", "the name of a klp_object can't be read",
			func(s scene) {
				y := names(s.File, "a\nb")
				s.change(s.nfs.At.Offset, func(r *elfrw.Rela) { r.Sym, r.Addend = y, 0 })
			}},
		{"name past the end", "the name of a klp_object can't be read",
			func(s scene) { s.change(s.nfs.At.Offset, func(r *elfrw.Rela) { r.Addend = 1 << 40 }) }},
		{"name of nothing", "the name of a klp_object can't be read",
			func(s scene) { s.change(s.nfs.At.Offset, func(r *elfrw.Rela) { r.Sym = nil }) }},
		{"name that is a number", "the name of a klp_object is a number",
			func(s scene) { poke(s.data, s.vmlinux.At.Offset, 1) }},
		{"object named vmlinux",
			`a klp_object is named "vmlinux", which the kernel treats as a module; leave its name out`,
			func(s scene) {
				y := names(s.File, "vmlinux")
				s.change(s.nfs.At.Offset, func(r *elfrw.Rela) { r.Sym, r.Addend = y, 0 })
			}},
		{"object without functions", "the klp_object of nfs has no functions, which the kernel refuses",
			func(s scene) { s.drop(s.nfs.At.Offset+8, 8) }},
		{"functions in code", "the functions of nfs are not in the module's data",
			func(s scene) {
				s.change(s.nfs.At.Offset+8, func(r *elfrw.Rela) { r.Sym, r.Addend = s.symbol("both"), 0 })
			}},
		{"callback that is a number", "the callback post_patch is a number",
			func(s scene) { poke(s.data, s.nfs.At.Offset+24, 1) }},
		{"callback that is data", "the callback pre_patch is not a function",
			func(s scene) {
				s.change(s.nfs.At.Offset+16, func(r *elfrw.Rela) {
					r.Sym, r.Addend = s.symbol("ext4_count"), 0
				})
			}},
		{"old name that is no string", "the old name of a klp_func can't be read",
			func(s scene) {
				s.change(s.nfs.FuncsAt.Offset, func(r *elfrw.Rela) { r.Sym, r.Addend = s.symbol("both"), 0 })
			}},
		{"no new function", "nothing replaces nfs_show, which the kernel refuses",
			func(s scene) { s.drop(s.nfs.FuncsAt.Offset+8, 8) }},
		{"new function that is data", "what replaces nfs_show is not a function",
			func(s scene) {
				s.change(s.nfs.FuncsAt.Offset+8, func(r *elfrw.Rela) {
					r.Sym, r.Addend = s.symbol("ext4_count"), 0
				})
			}},
		{"new function past the end", "what replaces nfs_show is not a function",
			func(s scene) { s.change(s.nfs.FuncsAt.Offset+8, func(r *elfrw.Rela) { r.Addend = 1 << 20 }) }},
		{"position that is an address", "the position of nfs_show is an address",
			func(s scene) { s.point(s.nfs.FuncsAt.Offset+16, s.symbol("both"), 0) }},
		{"functions filled in by code",
			".bss+0x0: no functions are listed, and the module's code refers to the list: it may fill it in",
			func(s scene) {
				change(s.T, s.File, s.Section(".text"), 0x2a, func(r *elfrw.Rela) {
					r.Sym, r.Addend = s.symbol("no_funcs"), 20
				})
			}},
		{"objects filled in by code", "its data has no klp_patch with objects; its code may fill one in",
			func(s scene) {
				s.change(s.at.Offset+8, func(r *elfrw.Rela) { r.Sym, r.Addend = s.symbol("no_funcs"), 0 })
			}},
		{"objects of other length by BTF", "size 840 is not a multiple of the 176 bytes of a klp_object",
			func(s scene) { addBTF(s.File, ".BTF.base", "klp_object", 176) }},
		{"objects past the end", "its data has no klp_patch with objects",
			func(s scene) { s.change(s.at.Offset+8, func(r *elfrw.Rela) { r.Addend = 1 << 40 }) }},
		{"functions past the end", "the functions of nfs are not in the module's data",
			func(s scene) { s.change(s.nfs.At.Offset+8, func(r *elfrw.Rela) { r.Addend = -1 << 40 }) }},
		{"two pointers to objects", "its data has no klp_patch with objects",
			func(s scene) { s.point(s.at.Offset+8, s.symbol("objs"), 0) }},
		{"new function at the end", "what replaces nfs_show is not a function",
			func(s scene) {
				s.change(s.nfs.FuncsAt.Offset+8, func(r *elfrw.Rela) {
					r.Addend = int64(s.Section(".text").Size())
				})
			}},
		{"name in code", "the name of a klp_object can't be read",
			func(s scene) {
				_, y := add(s.File, ".text.name", elf.SHF_EXECINSTR, []byte("ext4\x00"))
				s.change(s.nfs.At.Offset, func(r *elfrw.Rela) { r.Sym, r.Addend = y, 0 })
			}},
		{"too many objects", "257 objects are more than the 256 that are read",
			func(s scene) { manyObjects(s.T, s.File, s.at, 257) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, "x86_64-505.ko")
			c.edit(s)
			patches, err := klppatch.Read(s.File)
			var u klppatch.Unreadable
			require.ErrorAs(t, err, &u)
			assert.Empty(t, patches)
			assert.Contains(t, err.Error(), c.want)
		})
	}
}

// manyObjects makes the patch declare n objects.
func manyObjects(t testing.TB, f *elfrw.File, at elfrw.Range, n int) *elfrw.Section {
	s, y := add(f, ".data.many", elf.SHF_WRITE, make([]byte, 168*(n+1)))
	funcs := symbol(t, f, "nfs_funcs")
	var relocs []elfrw.Rela
	for i := 0; i < n; i++ {
		relocs = append(relocs, elfrw.Rela{Offset: uint64(168*i + 8), Sym: funcs, Type: word(f)})
	}
	relocsOf(t, f, s).SetRelocs(relocs)
	change(t, f, at.Section, at.Offset+8, func(r *elfrw.Rela) { r.Sym, r.Addend = y, 0 })
	return s
}

// addBTF adds BTF that knows one structure.
func addBTF(f *elfrw.File, section, name string, size uint32) {
	u32 := func(v ...uint32) (b []byte) {
		for _, v := range v {
			if f.BigEndian() {
				b = append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
			} else {
				b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
			}
		}
		return b
	}
	names := append(append([]byte("\x00int\x00"), name...), 0)
	types := append(u32(1, 1<<24, 4, 32), u32(5, 4<<24, size)...)
	b := u32(0x0001eb9f)
	if f.BigEndian() {
		b = []byte{0xeb, 0x9f, 1, 0}
	}
	b = append(b, u32(24, 0, uint32(len(types)), uint32(len(types)), uint32(len(names)))...)
	add(f, section, 0, append(append(b, types...), names...))
}

// TestOdd: unusual and valid.
func TestOdd(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(s scene)
		want func(t *testing.T, p *klppatch.Patch)
	}{
		{"named symbols instead of sections", func(s scene) {
			s.change(s.at.Offset+8, func(r *elfrw.Rela) { r.Sym, r.Addend = s.symbol("objs"), 0 })
			s.change(s.nfs.At.Offset+8, func(r *elfrw.Rela) { r.Sym, r.Addend = s.symbol("nfs_funcs"), 0 })
			s.change(s.nfs.FuncsAt.Offset+8, func(r *elfrw.Rela) {
				r.Sym, r.Addend = s.symbol("nfs_show"), 0
			})
			s.change(s.at.Offset, func(r *elfrw.Rela) {
				for _, y := range s.Symbols {
					if y.Type() == elf.STT_SECTION && y.Section == s.symbol("__this_module").Section {
						r.Sym = y
					}
				}
			})
		}, nil},
		{"no symbols of data", func(s scene) {
			for _, name := range []string{"objs", "nfs_funcs", "vm_funcs", "ext4_funcs",
				"no_funcs", "patch"} {
				s.symbol(name).Info = 0
			}
		}, func(t *testing.T, p *klppatch.Patch) { p.Symbol = nil }},
		{"BTF", func(s scene) {
			addBTF(s.File, ".BTF.base", "klp_object", 168)
		}, func(t *testing.T, p *klppatch.Patch) {
			assert.Equal(t, klppatch.ByBTF, p.Strides.ObjectBy)
		}},
		{"split BTF, whose names are the kernel's", func(s scene) {
			addBTF(s.File, ".BTF", "klp_object", 176)
			b := s.Section(".BTF")
			poke(b, uint64(len(b.Data)-len("\x00int\x00klp_object\x00")), 'x')
		}, nil},
		{"new function that is imported", func(s scene) {
			s.change(s.nfs.FuncsAt.Offset+8, func(r *elfrw.Rela) { r.Sym, r.Addend = s.symbol("printk"), 0 })
		}, func(t *testing.T, p *klppatch.Patch) {
			f := &p.Objects[2].Funcs[0]
			assert.Equal(t, "nfs_show → printk", f.String())
			assert.Nil(t, f.New.Section)
			f.New = p.Objects[2].Callbacks[0].Code
			f.New.Symbol = &elfrw.Symbol{Name: "nfs_show"}
		}},
		{"function without a symbol", func(s scene) {
			s.symbol("nfs_show").Info = 0
		}, func(t *testing.T, p *klppatch.Patch) {
			f := &p.Objects[2].Funcs[0]
			assert.Equal(t, "nfs_show → .text+0x160", f.String())
			f.New.Symbol = &elfrw.Symbol{Name: "nfs_show"}
		}},
		{"sections of relocations in two parts", func(s scene) {
			rs := relocsOf(s.T, s.File, s.data)
			all := rs.Relocs()
			other := &elfrw.Section{Name: ".rela.more", Type: elf.SHT_RELA, Flags: 0x40, Align: 8,
				Link: s.Symtab, Target: s.data}
			s.AddSection(other)
			other.SetRelocs(append([]elfrw.Rela{}, all[len(all)/2:]...))
			rs.SetRelocs(append([]elfrw.Rela{}, all[:len(all)/2]...))
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, "x86_64-505.ko")
			c.edit(s)
			p := one(t, reread(t, s.File))
			if c.want != nil {
				c.want(t, p)
			}
			assert.Equal(t, declared, text(p))
		})
	}
}

// TestVersionDecides: one function, no symbol, no other evidence.
func TestVersionDecides(t *testing.T) {
	f := open(t, "../../../testdata/x86_64/livepatch-ownmod.ko")
	for _, name := range []string{"objs", "funcs"} {
		symbol(t, f, name).Info = 0
	}
	f.Section(".debug_info").Name = ".debug_gone"
	p := one(t, f)
	assert.Equal(t, "ownmod\n\townmod_show → livepatch_ownmod_show\n", text(p))
	assert.Equal(t, klppatch.Strides{Object: 168, Func: 152, ObjectBy: klppatch.ByVersion,
		FuncBy: klppatch.ByVersion}, p.Strides)

	f.Section(".modinfo").Data = nil // and not even that
	_, err := klppatch.Read(f)
	assert.ErrorContains(t, err, "the array of klp_object has no end")
}

// TestMoreThanOneEnd: an array may be longer than what it lists.
func TestMoreThanOneEnd(t *testing.T) {
	f := open(t, "../../../testdata/x86_64/livepatch-ownmod.ko")
	y := symbol(t, f, "funcs")
	y.Section.Data = append(append([]byte{}, y.Section.Data...), make([]byte, 152)...)
	y.Size += 152
	p := one(t, f)
	assert.Len(t, p.Objects[0].Funcs, 1)
	assert.EqualValues(t, 152, p.Strides.Func)
	assert.EqualValues(t, 456, p.Objects[0].FuncsAt.Size)
}

// TestReplace: each kernel has it elsewhere, or not at all.
func TestReplace(t *testing.T) {
	for _, c := range []struct {
		file         string
		offset       uint64
		known, value bool
	}{
		{"x86_64-505.ko", 24, true, true},
		{"x86_64-505.ko", 32, true, false},
		{"x86_64-501.ko", 16, true, true},
		{"x86_64-412.ko", 16, false, false}, // immediate
		{"x86_64-416.ko", 16, false, false},
	} {
		f := open(t, c.file)
		at := one(t, f).At
		poke(at.Section, at.Offset+16, make([]byte, 16)...)
		poke(at.Section, at.Offset+c.offset, 1)
		p := one(t, f)
		assert.Equal(t, c.known, p.ReplaceKnown, "%s %d", c.file, c.offset)
		assert.Equal(t, c.value, p.Replace, "%s %d", c.file, c.offset)
	}
	f := open(t, "x86_64-505.ko") // states are no bool
	at := one(t, f).At
	poke(at.Section, at.Offset+16, 1, 0, 0, 0, 0, 0, 0, 0, 0)
	point(t, f, at.Section, at.Offset+16, symbol(t, f, "ext4_count"), 0)
	assert.False(t, one(t, f).Replace)
}

// TestSeveral: all patches of a module, and what can be read is, when another
// can't.
func TestSeveral(t *testing.T) {
	s := newScene(t, "x86_64-505.ko")
	more, _ := add(s.File, ".data.more", elf.SHF_WRITE, make([]byte, 64))
	point(t, s.File, more, 0, s.symbol("__this_module"), 0)
	point(t, s.File, more, 8, s.symbol("objs"), 0)
	patches, err := klppatch.Read(s.File)
	require.NoError(t, err)
	require.Len(t, patches, 2)
	assert.Equal(t, text(patches[0]), text(patches[1]))
	assert.Equal(t, more, patches[1].At.Section)

	more.Flags &^= uint64(elf.SHF_WRITE) // no kernel could fill in the rest
	assert.Equal(t, s.data, one(t, s.File).At.Section)
	more.Flags |= uint64(elf.SHF_WRITE)

	point(t, s.File, more, 32, s.symbol("__this_module"), 0)
	point(t, s.File, more, 40, s.symbol("objs"), 168*2) // begins in the middle
	change(t, s.File, more, 40, func(r *elfrw.Rela) {
		r.Addend = 0
		r.Sym, _ = &elfrw.Symbol{Name: "broken", Section: s.data, Value: s.nfs.At.Offset, Size: 168,
			Info: byte(elf.STT_OBJECT)}, 0
		s.AddSymbol(r.Sym)
	})
	patches, err = klppatch.Read(s.File)
	assert.ErrorContains(t, err, "the array of klp_object has no end")
	assert.Len(t, patches, 2)
}

// TestUnknownStrides: structures that no release has, like those of a kernel
// with CONFIG_DEBUG_KOBJECT_RELEASE.
func TestUnknownStrides(t *testing.T) {
	const object, function = 256, 240
	s := newScene(t, "x86_64-505.ko")
	y := names(s.File, "ext4 a b")
	fs, funcs := add(s.File, ".data.fs", elf.SHF_WRITE, make([]byte, 3*function))
	for i := uint64(0); i < 2; i++ {
		point(t, s.File, fs, i*function, y, int64(5+2*i))
		point(t, s.File, fs, i*function+8, s.symbol("both"), 0)
	}
	objs, list := add(s.File, ".data.os", elf.SHF_WRITE, make([]byte, 3*object))
	point(t, s.File, objs, 0, y, 0)
	point(t, s.File, objs, 8, funcs, 0)
	point(t, s.File, objs, object+8, funcs, 0) // vmlinux
	s.change(s.at.Offset+8, func(r *elfrw.Rela) { r.Sym, r.Addend = list, 0 })
	p := one(t, s.File)
	assert.Equal(t, "ext4\n\ta → both\n\tb → both\nvmlinux\n\ta → both\n\tb → both\n", text(p))
	assert.Equal(t, klppatch.Strides{Object: object, Func: function, ObjectBy: klppatch.ByDistance,
		FuncBy: klppatch.ByDistance}, p.Strides)
}

// TestOverlap: lists that share their ends take no more work than the file is
// long.
func TestOverlap(t *testing.T) {
	const n, lists = 20_000, 200
	s := newScene(t, "x86_64-505.ko")
	y := names(s.File, "name")
	fs, funcs := add(s.File, ".data.fs", elf.SHF_WRITE, make([]byte, 152*(n+1)))
	relocs := make([]elfrw.Rela, 0, 2*n)
	for i := uint64(0); i < n; i++ {
		relocs = append(relocs, elfrw.Rela{Offset: 152 * i, Sym: y, Type: 1},
			elfrw.Rela{Offset: 152*i + 8, Sym: s.symbol("both"), Type: 1})
	}
	relocsOf(t, s.File, fs).SetRelocs(relocs)
	objs := manyObjects(t, s.File, s.at, lists)
	for i := int64(0); i < lists; i++ {
		s.AddSymbol(&elfrw.Symbol{Section: fs, Value: uint64(152 * i), Size: uint64(152 * (n + 1 - i)),
			Info: byte(elf.STB_GLOBAL)<<4 | byte(elf.STT_OBJECT)})
		change(t, s.File, objs, uint64(168*i+8), func(r *elfrw.Rela) { r.Sym, r.Addend = funcs, 152*i })
	}
	_, err := klppatch.Read(s.File)
	assert.ErrorContains(t, err, "the arrays overlap, or there are too many")
}

// TestDoubts: an error of many doubts stays readable.
func TestDoubts(t *testing.T) {
	u := make(klppatch.Unreadable, 20)
	for i := range u {
		u[i].Reason = "why"
	}
	assert.Equal(t, strings.Repeat("why; ", 8)+"and 12 more", u.Error())
}
