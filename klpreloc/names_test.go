// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

// scan is the kernel's vsscanf (lib/vsprintf.c) for what livepatching asks of
// it: literals, %N[^c] and %lu. It returns what was converted.
func scan(str, format string) (got []any) {
	for format != "" {
		if format[0] != '%' {
			if str == "" || str[0] != format[0] {
				return got
			}
			str, format = str[1:], format[1:]
			continue
		}
		if str == "" {
			return got
		}
		if strings.HasPrefix(format, "%lu") {
			format = format[3:]
			str = strings.TrimLeft(str, " \t\n\v\f\r")
			var n uint64
			digits := 0
			for ; digits < len(str) && '0' <= str[digits] && str[digits] <= '9'; digits++ {
				n = 10*n + uint64(str[digits]-'0')
			}
			if digits == 0 {
				return got
			}
			str, got = str[digits:], append(got, n)
			continue
		}
		var width int
		var not byte
		_, err := fmt.Sscanf(format, "%%%d[^%c]", &width, &not)
		if err != nil {
			panic(format)
		}
		format = format[strings.IndexByte(format, ']')+1:]
		n := 0
		for n < len(str) && n < width && str[n] != not {
			n++
		}
		if n == 0 {
			return got
		}
		str, got = str[n:], append(got, str[:n])
	}
	return got
}

const (
	kernelSection = ".klp.rela.%55[^.]"
	kernelSymbol  = ".klp.sym.%55[^.].%511[^,],%lu"
	oldSymbol     = ".klp.sym.%55[^.].%127[^,],%lu"
)

func TestParseSymbolNameReadsWhatTheKernelReads(t *testing.T) {
	long := strings.Repeat
	names := []string{
		"", "foo", ".klp.sym.", ".klp.sym.vmlinux", ".klp.sym.vmlinux.", ".klp.sym.vmlinux.foo", ".klp.sym.vmlinux.foo,", ".klp.sym.vmlinux.foo,0",
		".klp.sym.vmlinux.foo,zz", ".klp.sym.vmlinux.foo,1x", ".klp.sym.vmlinux.foo, 7", ".klp.sym.vmlinux.foo,-1", ".klp.sym.vmlinux.foo,+1",
		".klp.sym.vmlinux.foo,18446744073709551615", ".klp.sym.vmlinux.foo,18446744073709551617", ".klp.sym.vmlinux.foo,0x10",
		".klp.sym..foo,0", ".klp.sym.vmlinux..foo,0", ".klp.sym.vmlinux.foo.isra.0,2", ".klp.sym.vmlinux.ko.foo,0", ".klp.sym.vmlinux.,0",
		".klp.sym.vmlinux,0", ".klp.sym.vmlinux.a,b,0", ".klp.sym.\xff.\x80,3",
		".klp.sym." + long("o", 55) + ".foo,0", ".klp.sym." + long("o", 56) + ".foo,0",
		".klp.sym.vmlinux." + long("n", 511) + ",0", ".klp.sym.vmlinux." + long("n", 512) + ",0",
	}
	random := rand.New(rand.NewSource(1))
	for range 2000 { // and whatever else the pieces make
		pieces := []string{".", ",", "klp", "sym", "x", "0", "12", " ", "\t", ".klp.sym.", "vmlinux", "\x01"}
		var b strings.Builder
		b.WriteString(".klp.sym.")
		for range random.Intn(8) {
			b.WriteString(pieces[random.Intn(len(pieces))])
		}
		names = append(names, b.String())
	}
	for _, name := range names {
		want := scan(name, kernelSymbol)
		object, symbol, pos, err := klpreloc.ParseSymbolName(name)
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
		{"vmlinux", "foo", 0}, {"ext4", "foo.constprop.0", 1}, {strings.Repeat("o", 55), strings.Repeat("n", 127), 1<<32 - 1}, {"rela", "a.b.c", 3},
	} {
		s := klpreloc.SymbolName(x.object, x.name, x.pos)
		want := []any{x.object, x.name, uint64(x.pos)}
		assert.Equal(t, want, scan(s, kernelSymbol), s)
		assert.Equal(t, want, scan(s, oldSymbol), s)
		object, name, pos, err := klpreloc.ParseSymbolName(s)
		require.NoError(t, err)
		assert.Equal(t, want, []any{object, name, pos})
	}
}

func TestSectionObjectReadsWhatTheKernelReads(t *testing.T) {
	for _, name := range []string{
		"", ".text", ".klp.rela.", ".klp.rela.vmlinux", ".klp.rela..text", ".klp.rela.vmlinux..text", ".klp.rela.vmlinux.__jump_table", ".klp.rela.vmlinux__jump_table",
		".klp.relavmlinux..text", ".rela.klp.rela.vmlinux", ".klp.rela." + strings.Repeat("o", 55) + "..text",
	} {
		want := scan(name, kernelSection)
		object, ok := klpreloc.SectionObject(name)
		if assert.Equal(t, len(want) == 1, ok, name) && ok {
			assert.Equal(t, want, []any{object}, name)
		}
	}
	_, ok := klpreloc.SectionObject(".klp.rela." + strings.Repeat("o", 56) + "..text")
	assert.False(t, ok, "the kernel would cut it and apply nothing")
}

func TestSectionNameTellsTheObjectWhateverTheBase(t *testing.T) {
	for _, base := range []string{".text", ".text.foo", "__jump_table", "", ".", "a.b", strings.Repeat("x", 1<<20)} {
		name := klpreloc.SectionName("ext4", base)
		object, ok := klpreloc.SectionObject(name)
		assert.True(t, ok)
		assert.Equal(t, "ext4", object)
		assert.Equal(t, []any{"ext4"}, scan(name, kernelSection))
		assert.Less(t, len(name), 2000, "a small file can share a huge name")
	}
	assert.Equal(t, ".klp.rela.vmlinux..text", klpreloc.SectionName("vmlinux", ".text"))
	assert.Equal(t, ".klp.rela.vmlinux.__jump_table", klpreloc.SectionName("vmlinux", "__jump_table"))
}

func TestCheckObject(t *testing.T) {
	for _, object := range []string{"vmlinux", "ext4", "nf_conntrack", "nf-conntrack", "x", strings.Repeat("o", 55)} {
		assert.NoError(t, klpreloc.CheckObject(object), object)
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
		err := klpreloc.CheckObject(object)
		if assert.ErrorContains(t, err, want, "%.20q", object) {
			assert.Less(t, len(err.Error()), 300)
		}
	}
}

func TestCheckName(t *testing.T) {
	v5, v6, unknown := kernel.Version{Major: 5, Minor: 10}, kernel.Version{Major: 6, Minor: 1}, kernel.Version{}
	for _, x := range []struct {
		name    string
		version kernel.Version
		want    string
	}{
		{"foo", v5, ""}, {"foo.isra.0", v5, ""}, {".foo", v5, ""}, {"", v5, "empty"}, {"a,b", v5, "comma"}, {"a b", v6, "no symbol's name"}, {"\x80", v6, "no symbol's name"},
		{strings.Repeat("n", 127), v5, ""}, {strings.Repeat("n", 128), v5, "kernel 5.10 reads 127"},
		{strings.Repeat("n", 511), v6, ""}, {strings.Repeat("n", 512), v6, "kernel 6.1 reads 511"},
		{strings.Repeat("n", 511), unknown, ""}, {strings.Repeat(",", 512), unknown, "reads 511"},
	} {
		err := klpreloc.CheckName(x.name, x.version)
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
	}{{kernel.Version{Major: 5, Minor: 8}, oldSymbol}, {kernel.Version{Major: 6}, oldSymbol}, {kernel.Version{Major: 6, Minor: 1}, kernelSymbol}, {kernel.Version{}, kernelSymbol}} {
		name := strings.Repeat("n", x.version.NameLimit())
		require.NoError(t, klpreloc.CheckName(name, x.version))
		assert.Equal(t, []any{"vmlinux", name, uint64(0)}, scan(klpreloc.SymbolName("vmlinux", name, 0), x.format))
		assert.Len(t, scan(klpreloc.SymbolName("vmlinux", name+"n", 0), x.format), 2, "the limit is the kernel's")
	}
}

func TestParseLabel(t *testing.T) {
	const p, pf = ".klp.sym.rela.", ".klp.sym.file."
	long := strings.Repeat("n", 512)
	for label, want := range map[string]string{
		p + "vmlinux.vmlinux.foo,0":        "vmlinux vmlinux foo 0",
		p + "vmlinux.vmlinux.foo.0":        "vmlinux vmlinux foo 0",
		p + "ext4.jbd2.foo.isra.0,2":       "ext4 jbd2 foo.isra.0 2",
		p + "ext4.jbd2.foo.isra.0.2":       "ext4 jbd2 foo.isra.0 2",
		p + "a.b..foo.1":                   "a b .foo 1",
		p + "a.b.7.1":                      "a b 7 1",
		p + "a.b.foo,0010":                 "a b foo 10",
		p + "a.b.foo,4294967295":           "a b foo 4294967295",
		`"` + p + `a.b.foo,1"`:             "a b foo 1",
		`"` + p + `a.b.foo.1"`:             "a b foo 1",
		p + "..foo.1":                      "  foo 1", // refused later, by name
		p + "a.b..1":                       "a b  1",
		p + "a.b.x,y,1":                    "a b x,y 1",
		p + "a.b." + long + ".1":           "a b " + long + " 1",
		p:                                  "",
		p + "a":                            "",
		p + "a.b":                          "",
		p + "a.b.foo":                      "",
		p + "a.b.foo.":                     "",
		p + "a.b.foo,":                     "",
		p + "a.b.foo,x":                    "",
		p + "a.b.foo,1,x":                  "",
		p + "a.b.foo,bar.1":                "",
		p + "a.b.foo,+1":                   "",
		p + "a.b.foo,-1":                   "",
		p + "a.b.foo,1_0":                  "",
		p + "a.b.foo,4294967296":           "",
		p + "a.b.foo,99999999999999999999": "",
		p + `a.b.foo,1"`:                   "",
		`"` + p + "a.b.foo,1":              "",
		`"`:                                "",
		pf + "vmlinux.vmlinux.show/drivers/pnp/interface.c": "vmlinux vmlinux show drivers/pnp/interface.c",
		pf + "ext4.jbd2.foo.isra.0/super.c":                 "ext4 jbd2 foo.isra.0 super.c",
		`"` + pf + `a.b.foo/x-y+z/f.c"`:                     "a b foo x-y+z/f.c",
		pf + "a.b.foo//etc/f.c":                             "a b foo /etc/f.c", // refused later, by path
		pf + "a.b.foo/":                                     "a b foo ",
		pf + "a.b./f.c":                                     "a b  f.c",
		pf + "a.b.foo/d,1/f.c":                              "a b foo d,1/f.c",
		pf:                                                  "",
		pf + "a/f.c":                                        "",
		pf + "a.b/c.d/f.c":                                  "",
		pf + "a.b.foo":                                      "",
		pf + "a.b.foo.1":                                    "",
		`"` + pf + "a.b.foo/f.c":                            "",
		pf + "a.b.foo/" + strings.Repeat("a/", 1<<20): "",
		p + strings.Repeat("a.", 1<<20):               "",
	} {
		a, err := klpreloc.ParseLabel(label)
		if want == "" {
			if assert.Error(t, err, "%.40q", label) {
				assert.Less(t, len(err.Error()), 300)
			}
			continue
		}
		if assert.NoError(t, err, "%.40q", label) {
			which, dialect := fmt.Sprint(a.Pos), klpreloc.Labels
			if strings.Contains(label, pf) {
				which, dialect = a.File, klpreloc.FileLabels
				assert.Zero(t, a.Pos)
			}
			assert.Equal(t, want, fmt.Sprintf("%s %s %s %s", a.LPObject, a.Object, a.Name, which), "%.40q", label)
			assert.Equal(t, dialect, a.Dialect)
		}
	}
}
