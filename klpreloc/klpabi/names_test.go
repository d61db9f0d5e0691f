// SPDX-License-Identifier: GPL-2.0-or-later

package klpabi_test

import (
	"math/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/loadermodel"
)

func TestParseSymbolNameReadsWhatTheKernelReads(t *testing.T) {
	long := strings.Repeat
	names := []string{
		"", "foo", ".klp.sym.", ".klp.sym.vmlinux", ".klp.sym.vmlinux.", ".klp.sym.vmlinux.foo",
		".klp.sym.vmlinux.foo,", ".klp.sym.vmlinux.foo,0",
		".klp.sym.vmlinux.foo,zz", ".klp.sym.vmlinux.foo,1x", ".klp.sym.vmlinux.foo, 7",
		".klp.sym.vmlinux.foo,-1", ".klp.sym.vmlinux.foo,+1",
		".klp.sym.vmlinux.foo,18446744073709551615", ".klp.sym.vmlinux.foo,18446744073709551617",
		".klp.sym.vmlinux.foo,0x10",
		".klp.sym..foo,0", ".klp.sym.vmlinux..foo,0", ".klp.sym.vmlinux.foo.isra.0,2",
		".klp.sym.vmlinux.ko.foo,0", ".klp.sym.vmlinux.,0",
		".klp.sym.vmlinux,0", ".klp.sym.vmlinux.a,b,0", ".klp.sym.\xff.\x80,3",
		".klp.sym." + long("o", 55) + ".foo,0", ".klp.sym." + long("o", 56) + ".foo,0",
		".klp.sym.vmlinux." + long("n", 511) + ",0", ".klp.sym.vmlinux." + long("n", 512) + ",0",
	}
	random := rand.New(rand.NewSource(1))
	for range 2000 { // and whatever else the pieces make
		pieces := []string{".", ",", "klp", "sym", "x", "0", "12", " ", "\t", ".klp.sym.",
			"vmlinux", "\x01"}
		var b strings.Builder
		b.WriteString(".klp.sym.")
		for range random.Intn(8) {
			b.WriteString(pieces[random.Intn(len(pieces))])
		}
		names = append(names, b.String())
	}
	for _, name := range names {
		want := loadermodel.Scan(name, loadermodel.SymbolFormat)
		object, symbol, pos, err := klpabi.ParseSymbolName(name)
		if len(want) < 3 {
			assert.Error(t, err, "%q", name)
			continue
		}
		if assert.NoError(t, err, "%q", name) {
			assert.Equal(t, want, []any{object, symbol, pos}, "%q", name)
		}
	}
}

func TestSymbolNameComesBack(t *testing.T) {
	for _, x := range []struct {
		object, name string
		pos          uint32
	}{
		{"vmlinux", "foo", 0}, {"ext4", "foo.constprop.0", 1}, {strings.Repeat("o", 55),
			strings.Repeat("n", 127), 1<<32 - 1}, {"rela", "a.b.c", 3},
	} {
		s := klpabi.SymbolName(x.object, x.name, x.pos)
		want := []any{x.object, x.name, uint64(x.pos)}
		assert.Equal(t, want, loadermodel.Scan(s, loadermodel.SymbolFormat), s)
		assert.Equal(t, want, loadermodel.Scan(s, loadermodel.OldSymbolFormat), s)
		object, name, pos, err := klpabi.ParseSymbolName(s)
		require.NoError(t, err)
		assert.Equal(t, want, []any{object, name, pos})
	}
}

func TestSectionObjectReadsWhatTheKernelReads(t *testing.T) {
	for _, name := range []string{
		"", ".text", ".klp.rela.", ".klp.rela.vmlinux", ".klp.rela..text", ".klp.rela.vmlinux..text",
		".klp.rela.vmlinux.__jump_table", ".klp.rela.vmlinux__jump_table",
		".klp.relavmlinux..text", ".rela.klp.rela.vmlinux", ".klp.rela." + strings.Repeat("o",
			55) + "..text",
	} {
		want := loadermodel.Scan(name, loadermodel.SectionFormat)
		object, ok := klpabi.SectionObject(name)
		if assert.Equal(t, len(want) == 1, ok, name) && ok {
			assert.Equal(t, want, []any{object}, name)
		}
	}
	_, ok := klpabi.SectionObject(".klp.rela." + strings.Repeat("o", 56) + "..text")
	assert.False(t, ok, "the kernel would cut it and apply nothing")
}

func TestSectionNameTellsTheObjectWhateverTheBase(t *testing.T) {
	for _, base := range []string{".text", ".text.foo", "__jump_table", "", ".", "a.b",
		strings.Repeat("x", 1<<20)} {
		name := klpabi.SectionName("ext4", base)
		object, ok := klpabi.SectionObject(name)
		assert.True(t, ok)
		assert.Equal(t, "ext4", object)
		assert.Equal(t, []any{"ext4"}, loadermodel.Scan(name, loadermodel.SectionFormat))
		assert.Less(t, len(name), 2000, "a small file can share a huge name")
	}
	assert.Equal(t, ".klp.rela.vmlinux..text", klpabi.SectionName("vmlinux", ".text"))
	assert.Equal(t, ".klp.rela.vmlinux.__jump_table", klpabi.SectionName("vmlinux", "__jump_table"))
}

func TestCheckObject(t *testing.T) {
	for _, object := range []string{"vmlinux", "ext4", "nf_conntrack", "nf-conntrack", "x",
		strings.Repeat("o", 55)} {
		assert.NoError(t, klpabi.CheckObject(object), object)
	}
	for object, want := range map[string]string{
		"":                        "empty",
		"ext4.ko":                 "file name",
		".ko":                     "file name",
		"net.core":                "dot",
		".":                       "dot",
		strings.Repeat("o", 56):   "56 bytes",
		"a b":                     "no module's name",
		"a\x00b":                  "no module's name",
		"\xff":                    "no module's name",
		strings.Repeat(".", 9999): "9999 bytes",
	} {
		err := klpabi.CheckObject(object)
		if assert.ErrorContains(t, err, want, "%.20q", object) {
			assert.Less(t, len(err.Error()), 300)
		}
	}
}

func TestCheckName(t *testing.T) {
	v5, v6, unknown := kernel.Version{Major: 5, Minor: 10}, kernel.Version{Major: 6,
		Minor: 1}, kernel.Version{}
	for _, x := range []struct {
		name    string
		version kernel.Version
		want    string
	}{
		{"foo", v5, ""}, {"foo.isra.0", v5, ""}, {".foo", v5, ""}, {"", v5, "empty"}, {"a,b", v5,
			"comma"}, {"a b", v6, "no symbol's name"}, {"\x80", v6, "no symbol's name"},
		{strings.Repeat("n", 127), v5, ""}, {strings.Repeat("n", 128), v5, "kernel 5.10 reads 127"},
		{strings.Repeat("n", 511), v6, ""}, {strings.Repeat("n", 512), v6, "kernel 6.1 reads 511"},
		{strings.Repeat("n", 511), unknown, ""}, {strings.Repeat(",", 512), unknown, "reads 511"},
	} {
		err := klpabi.CheckName(x.name, x.version)
		if x.want == "" {
			assert.NoError(t, err, "%.20q", x.name)
			continue
		}
		assert.ErrorContains(t, err, x.want, "%.20q", x.name)
	}
}

func TestNameThatIsAcceptedIsReadInFull(t *testing.T) {
	for _, x := range []struct {
		version kernel.Version
		format  string
	}{{kernel.Version{Major: 5, Minor: 8}, loadermodel.OldSymbolFormat}, {kernel.Version{Major: 6},
		loadermodel.OldSymbolFormat}, {kernel.Version{Major: 6,
		Minor: 1}, loadermodel.SymbolFormat}, {kernel.Version{}, loadermodel.SymbolFormat}} {
		name := strings.Repeat("n", x.version.NameLimit())
		require.NoError(t, klpabi.CheckName(name, x.version))
		assert.Equal(t, []any{"vmlinux", name, uint64(0)},
			loadermodel.Scan(klpabi.SymbolName("vmlinux", name, 0), x.format))
		assert.Len(t, loadermodel.Scan(klpabi.SymbolName("vmlinux", name+"n", 0), x.format), 2,
			"the limit is the kernel's")
	}
}
