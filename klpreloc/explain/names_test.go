// SPDX-License-Identifier: GPL-2.0-or-later

package explain_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/explain"
)

// compilerNames are names that compilers give: Rust's two manglings, clones, LTO.
var compilerNames = []string{
	"_RNvMs_NtCs2yOMSyOvKmH_6kernel5printNtB4_3Foo3new",
	"_ZN4core3ptr49drop_in_place$LT$alloc..string..String$GT$17h0123456789abcdefE",
	"_ZN6kernel4init17h$u7b$closure$u7d$E.llvm.8817",
	"closure$u7d$",
	"foo.isra.0",
	"foo.constprop.0.cold",
	"ext4_stat.__uniq.268371",
	"..L1x",
}

// Wherever a wording has a symbol, such a name is accepted as a whole.
func TestNamesOfCompilersAreNames(t *testing.T) {
	others := map[string]string{
		"module": "lp1", "owner": "tgt", "patch": "lp2", "object": "tgt", "n": "7", "errno": "-22", "pos": "2", "type": "4",
		"file": "lp1.ko", "hex": "2a", "have": "Proprietary", "want": "GPL", "text": "some text", "machine": "x86", "task": "cat:77",
	}
	taking := 0
	for _, g := range explain.Groups() {
		for i := range g.Entries {
			for j := range g.Entries[i].Forms {
				f := &g.Entries[i].Forms[j]
				for _, name := range compilerNames {
					names := map[string]string{}
					line := regexp.MustCompile(`\{(\w+)\}`).ReplaceAllStringFunc(f.Text, func(s string) string {
						what := s[1 : len(s)-1]
						switch {
						case what == "symbol" || what == "function" || what == "key":
							names[what] = name
							return name
						case what == "klpsym":
							names["symbol"] = name
							return ".klp.sym.tgt." + name + ",2"
						case others[what] != "":
							return others[what]
						}
						return "word"
					})
					if len(names) == 0 {
						break
					}
					taking++
					x := explain.Text(line)
					if !assert.Len(t, x, 1, line) {
						continue
					}
					assert.Equal(t, g.Entries[i].ID, x[0].ID, line)
					for what, want := range names {
						assert.Equal(t, want, x[0].Names[0][what], "%s of %s", what, line)
					}
				}
			}
		}
	}
	assert.Greater(t, taking, 60*len(compilerNames))
}

// A $ and a dot are special in a shell and in a regular expression.
func TestNamesArePastedAsTheyAre(t *testing.T) {
	const name = "drop$LT$a..b$GT$"
	x := explain.Text("livepatch: symbol '" + name + "' not found in symbol table")
	require.Len(t, x, 1)
	var all []string
	for _, c := range x[0].Causes {
		all = append(all, c.Run...)
	}
	assert.Subset(t, all, []string{
		`klp-convert sympos 'drop$LT$a..b$GT$'`,
		`klp-convert sympos '/^drop\$LT\$a\.\.b\$GT\$/'`,
	})
	x = explain.Text("livepatch: unresolvable ambiguity for symbol 'foo.isra.0' in object 'tgt'")
	require.Len(t, x, 1)
	assert.Contains(t, x[0].Causes[0].Run, "KLP_RELOC_SYMBOL_POS(LP_OBJ, tgt, foo.isra.0, POS)", "KLP_SYMPOS takes only names of C")
	for _, c := range x[0].Causes {
		assert.NotContains(t, strings.Join(c.Run, "\n"), "KLP_SYMPOS(foo.isra.0")
	}

	x = explain.Text(`patch.ko: error: klp-convert: .rela.text+0x48: symbol "` + name + `" is ambiguous in vmlinux (3 candidates) [KLP043]`)
	require.Len(t, x, 1)
	assert.Equal(t, name, x[0].Names[0]["symbol"])
}
