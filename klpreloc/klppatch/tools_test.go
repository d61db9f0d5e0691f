// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch_test

import (
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
)

// What kpatch-build and klp-build make, laid out by hand in a module of each
// machine.

var bases = []string{"x86_64", "s390x", "ppc64le", "aarch64", "ppc32"}

// base returns a module of that machine that enables a patch and has none, and
// the section symbol of its code.
func base(t *testing.T, arch string) (*elfrw.File, *elfrw.Symbol) {
	f := open(t, "../../../testdata/"+arch+"/records-rfc.ko")
	_, y := add(f, ".text.new", elf.SHF_EXECINSTR, make([]byte, 64))
	f.AddSymbol(&elfrw.Symbol{Name: "new_show", Section: y.Section, Value: 16, Size: 16,
		Info: byte(elf.STT_FUNC)})
	return f, y
}

// putWord stores a number.
func putWord(f *elfrw.File, s *elfrw.Section, offset uint64, v byte) {
	if f.BigEndian() {
		offset += uint64(f.PointerSize()) - 1
	}
	poke(s, offset, v)
}

// kpatchModule has two functions, of two objects, and a callback.
func kpatchModule(t *testing.T, arch string) *elfrw.File {
	f, code := base(t, arch)
	w := uint64(f.PointerSize())
	y := names(f, "vmlinux show ext4 read")
	const vmlinux, show, ext4, read = 0, 8, 13, 18
	s, _ := add(f, ".kpatch.funcs", elf.SHF_WRITE, make([]byte, 14*w))
	point(t, f, s, 0, code, 16)
	point(t, f, s, 5*w, y, show)
	point(t, f, s, 6*w, y, vmlinux)
	point(t, f, s, 7*w, code, 32)
	point(t, f, s, 12*w, y, read)
	point(t, f, s, 13*w, y, ext4)
	putWord(f, s, 11*w, 3)
	c, _ := add(f, ".kpatch.callbacks.post_patch", elf.SHF_WRITE, make([]byte, 3*w))
	point(t, f, c, 0, code, 48)
	point(t, f, c, w, y, ext4)
	return f
}

func TestKpatch(t *testing.T) {
	for _, arch := range bases {
		p := one(t, reread(t, kpatchModule(t, arch)))
		assert.Equal(t, klppatch.Kpatch, p.From, arch)
		assert.Equal(t,
			"vmlinux\n\tshow → new_show\next4\n\tread,3 → .text.new+0x20\n\tpost_patch .text.new+0x30\n",
			text(p), arch)
		assert.False(t, p.ReplaceKnown)
		assert.Equal(t, ".kpatch.funcs", p.At.Section.Name)
	}
}

// klpBuildModule has two functions of a module, and one of vmlinux.
func klpBuildModule(t *testing.T, arch, section string) *elfrw.File {
	f, code := base(t, arch)
	w := uint64(f.PointerSize())
	y := names(f, "show ext4 read")
	const show, ext4, read = 0, 5, 10
	fs, funcs := add(f, ".init.klp_funcs", elf.SHF_WRITE, make([]byte, 9*w))
	for i, name := range []int64{show, read, show} {
		point(t, f, fs, uint64(i)*3*w, y, name)
		point(t, f, fs, uint64(i)*3*w+w, code, int64(16*i))
	}
	putWord(f, fs, 5*w, 2)
	s, _ := add(f, section, elf.SHF_WRITE, make([]byte, 16*w))
	n := uint64(0) // of a u32 in its word
	if f.BigEndian() {
		n = 3
	}
	point(t, f, s, 0, y, ext4)
	point(t, f, s, w, funcs, 0)
	point(t, f, s, 3*w, code, 48)
	poke(s, 7*w+n, 2)
	point(t, f, s, 9*w, funcs, int64(6*w))
	poke(s, 15*w+n, 1)
	return f
}

func TestKlpBuild(t *testing.T) {
	for _, arch := range bases {
		for _, section := range []string{".init.klp_objects", "__klp_objects"} {
			p := one(t, reread(t, klpBuildModule(t, arch, section)))
			assert.Equal(t, klppatch.KlpBuild, p.From)
			assert.Equal(t,
				"ext4\n\tshow → .text.new+0x0\n\tread,2 → new_show\n\tpost_patch "+
					".text.new+0x30\nvmlinux\n\tshow → .text.new+0x20\n",
				text(p), arch)
		}
	}
}

// TestToolsUnreadable: tables that aren't what their names promise.
func TestToolsUnreadable(t *testing.T) {
	kpatch := func(t *testing.T) *elfrw.File { return kpatchModule(t, "s390x") }
	build := func(t *testing.T) *elfrw.File { return klpBuildModule(t, "s390x", ".init.klp_objects") }
	for _, c := range []struct {
		name, want string
		make       func(*testing.T) *elfrw.File
		edit       func(t *testing.T, f *elfrw.File)
	}{
		{"records cut short", ".kpatch.funcs+0x0: size 104 does not fit the record size 56", kpatch,
			func(_ *testing.T, f *elfrw.File) { s := f.Section(".kpatch.funcs"); s.Data = s.Data[:104] }},
		{"more than the records", "size 200 does not fit the record size 56", kpatch,
			func(_ *testing.T, f *elfrw.File) { f.Section(".kpatch.funcs").Data = make([]byte, 200) }},
		{"no object", "the object's name can't be read", kpatch,
			func(t *testing.T, f *elfrw.File) { drop(t, f, f.Section(".kpatch.funcs"), 48, 8) }},
		{"no function", "no function named by a record of .kpatch.funcs", kpatch,
			func(t *testing.T, f *elfrw.File) { drop(t, f, f.Section(".kpatch.funcs"), 0, 8) }},
		{"the older records without a position", "can't be read", kpatch,
			func(t *testing.T, f *elfrw.File) {
				change(t, f, f.Section(".kpatch.funcs"), 40, func(r *elfrw.Rela) { r.Offset = 32 })
			}},
		{"klp-build records cut short",
			".init.klp_objects+0x0: size 120 is not a multiple of the record size 64", build,
			func(_ *testing.T, f *elfrw.File) {
				s := f.Section(".init.klp_objects")
				s.Data = s.Data[:120]
			}},
		{"klp-build name", "the name of a klp_object_ext can't be read", build,
			func(t *testing.T, f *elfrw.File) {
				change(t, f, f.Section(".init.klp_objects"), 0, func(r *elfrw.Rela) { r.Addend = -1 })
			}},
		{"klp-build callback", "the callback post_patch is not a function", build,
			func(t *testing.T, f *elfrw.File) {
				change(t, f, f.Section(".init.klp_objects"), 24, func(r *elfrw.Rela) { r.Sym = nil })
			}},
		{"more functions than there are", "the 255 functions of ext4 are not in the module", build,
			func(_ *testing.T, f *elfrw.File) { poke(f.Section(".init.klp_objects"), 59, 255) }},
		{"functions without a list", "the 2 functions of ext4 are not in the module", build,
			func(t *testing.T, f *elfrw.File) { drop(t, f, f.Section(".init.klp_objects"), 8, 8) }},
		{"klp-build function", "nothing replaces read", build,
			func(t *testing.T, f *elfrw.File) { drop(t, f, f.Section(".init.klp_funcs"), 32, 8) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := c.make(t)
			c.edit(t, f)
			_, err := klppatch.Read(f)
			var u klppatch.Unreadable
			require.ErrorAs(t, err, &u)
			assert.Contains(t, err.Error(), c.want)
		})
	}
}
