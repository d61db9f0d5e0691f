// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
	"github.com/klp-convert/klp-convert/sympos"
)

// A livepatch for module tgt uses a symbol, shared. What shared is, what modpost left of
// it, whether it is annotated and what is known of the kernel make a cell each. Every
// cell is built and converted, asked of annotate, and what comes out is checked.
//
// The answers are written down by hand, in rows with patterns: a cell has exactly one row.

// The dimensions of a cell.
var (
	exporters = []string{"none", "vmlinux", "tgt", "other"} // that export shared
	statics   = []string{"static", "-"}                     // tgt has a static shared
	// What modpost left, with CONFIG_MODVERSIONS and without: it resolved shared to a module
	// (or to vmlinux), or did not. Of "none" it resolved shared to what module other exported
	// when the livepatch was built.
	leavings  = []string{"resolved", "resolved,nomodver", "unresolved", "unresolved,nomodver"}
	annotated = []string{"annotated", "-"}
	// image: vmlinux's exports and tgt.ko; modules: other.ko as well; symvers: the
	// kernel's Module.symvers, and that of other's build; nothing: no kernel.
	knowledge = []string{"image", "modules", "symvers", "nothing"}
)

type cell struct{ exporter, static, left, annotated, known string }

func (c cell) String() string {
	return strings.Join([]string{c.exporter, c.static, c.left, c.annotated, c.known}, "/")
}

// The answers of conversion: shared stays an import, becomes a klp symbol of tgt, or the
// conversion stops; and the warnings and errors that say so. depends is depends= then.
//
// annotate prints a line for shared, or none ("-"), or stops.
//
// check says of what was converted: that it loads ("loads"), that something is not
// judged ("unknown"), or its findings and notes.
const answers = `
exporter      static  left                    annotated  known            : conversion                       depends  annotate        check

# What vmlinux exports is vmlinux's, whatever else has the name.
vmlinux       -       unresolved              -          nothing          : import KLP025                    -        ~               ~
vmlinux       static  unresolved              -          nothing          : import KLP025                    -        ~               ~
vmlinux       *       resolved|*,nomodver     -          nothing          : import                           -        ~               ~
vmlinux       -       *                       -          image|modules|symvers : import                      -        -               loads
vmlinux       static  *                       -          image|modules|symvers : import KLP054               -        -               loads

# The livepatch must not import from what it patches.
tgt           -       resolved                -          nothing          : import                           tgt      ~               ~
tgt           -       resolved,nomodver       -          nothing          : import                           tgt      ~               ~
tgt           -       unresolved              -          nothing          : import KLP025                    -        ~               ~
tgt           -       unresolved,nomodver     -          nothing          : import                           -        ~               ~
tgt           -       *                       -          image|modules|symvers : klp                         -        line            loads

# What another module exports is taken where that is known, and told where tgt has the name too.
other         static  resolved*               -          modules|symvers  : import KLP054                    other    -               KLP115
other         -       resolved*               -          modules|symvers  : import KLP051                    other    -               KLP115
other         static  unresolved*             -          modules|symvers  : import KLP054                    -        -               KLP115
other         -       unresolved*             -          modules|symvers  : import KLP051                    -        -               KLP115

# Where it is not known, what modpost resolved stays an import.
other|none    static  resolved                -          image            : import KLP054 KLP074             other    -               KLP115 unknown
other|none    -       resolved                -          image            : import KLP051 KLP074             other    -               KLP115 unknown

# Without checksums only depends= tells that the module imports something of other.
other|none    static  resolved,nomodver       -          image            : stop KLP074                      ~        stop KLP074     ~
other|none    -       resolved,nomodver       -          image            : stop KLP050                      ~        stop KLP050     ~

# Nothing in the livepatch tells of another module.
other|none    static  unresolved*             -          image            : klp                              -        line            loads
other|none    -       unresolved*             -          image            : stop KLP050                      ~        stop KLP050     ~
none          static  unresolved*             -          modules|symvers  : klp                              -        line            loads
none          -       unresolved*             -          modules|symvers  : stop KLP050                      ~        stop KLP050     ~

# What modpost resolved is known to be exported no more.
none          *       resolved                -          modules|symvers  : stop KLP074 KLP075               ~        stop KLP074 KLP075  ~
none          static  resolved,nomodver       -          modules|symvers  : stop KLP074 KLP075               ~        stop KLP074 KLP075  ~
none          -       resolved,nomodver       -          modules|symvers  : stop KLP050 KLP075               ~        stop KLP050 KLP075  ~

# Without a kernel nothing is converted that is not annotated.
other|none    *       resolved*               -          nothing          : import                           other    ~               ~
other|none    *       unresolved              -          nothing          : import KLP025                    -        ~               ~
other|none    *       unresolved,nomodver     -          nothing          : import                           -        ~               ~

# An annotation is the author's word, if tgt has such a symbol.
tgt           -       resolved*               annotated  nothing          : klp KLP056                       tgt      ~               ~
tgt           -       unresolved*             annotated  nothing          : klp                              -        ~               ~
vmlinux       *       *                       annotated  nothing          : klp                              -        ~               ~
other|none    *       resolved*               annotated  nothing          : klp                              other    ~               ~
other|none    *       unresolved*             annotated  nothing          : klp                              -        ~               ~
vmlinux|other -       *                       annotated  image|modules|symvers : stop KLP042                 ~        -               ~
none          -       *                       annotated  image            : stop KLP042                      ~        -               ~
none          -       unresolved*             annotated  modules|symvers  : stop KLP042                      ~        -               ~
none          -       resolved*               annotated  modules|symvers  : stop KLP042 KLP075               ~        KLP075          ~
tgt           -       *                       annotated  image|modules|symvers : klp                         -        -               loads
vmlinux       static  *                       annotated  image|modules|symvers : klp                         -        -               loads
other         static  *                       annotated  modules|symvers  : klp                              -        -               loads
other|none    static  unresolved*             annotated  image            : klp                              -        -               loads
none          static  unresolved*             annotated  modules|symvers  : klp                              -        -               loads
# depends= can't be put right: nothing tells whether other exports shared, or ever did.
other|none    static  resolved                annotated  image            : klp KLP075                       other    -               loads
other|none    static  resolved,nomodver       annotated  image            : klp                              other    -               loads
none          static  resolved*               annotated  modules|symvers  : klp KLP075                       other    KLP075          KLP155
`

// rows reads the answers.
func rows(t *testing.T) [][]string {
	var all [][]string
	for _, line := range strings.Split(answers, "\n")[2:] {
		if line == "" || line[0] == '#' {
			continue
		}
		pattern, answer, ok := strings.Cut(line, " : ")
		require.True(t, ok, line)
		row := strings.Fields(pattern)
		require.Len(t, row, 5, line)
		for _, field := range strings.Split(answer, "  ") {
			if field = strings.TrimSpace(field); field != "" {
				row = append(row, field)
			}
		}
		require.Len(t, row, 9, line)
		all = append(all, row)
	}
	return all
}

// fits reports whether a value is one of the pattern's alternatives.
func fits(pattern, value string) bool {
	return slices.ContainsFunc(strings.Split(pattern, "|"), func(p string) bool {
		head, _, glob := strings.Cut(p, "*")
		tail := p[strings.LastIndexByte(p, '*')+1:]
		return p == value || glob && strings.HasPrefix(value, head) && strings.HasSuffix(value, tail)
	})
}

func cells() (all []cell) {
	for _, e := range exporters {
		for _, s := range statics {
			if e == "tgt" && s == "static" {
				continue // it has one of that name
			}
			for _, l := range leavings {
				for _, a := range annotated {
					for _, k := range knowledge {
						all = append(all, cell{e, s, l, a, k})
					}
				}
			}
		}
	}
	return all
}

// depends is what modpost writes into depends=.
func (c cell) depends() string {
	switch {
	case strings.HasPrefix(c.left, "unresolved") || c.exporter == "vmlinux":
		return ""
	case c.exporter == "tgt":
		return "tgt"
	}
	return "other"
}

// livepatch makes the module as modpost leaves it.
func (c cell) livepatch(t *testing.T) *elfrw.File {
	f := base(t, "lp", "6.1.0"+kernelRelease)
	info := section(t, f, ".modinfo")
	info.Data = append(append(info.Data, "depends="+c.depends()...), 0)
	code(t, f, ".text.tgt_fn", "tgt_fn", "shared")
	declare(t, f, []string{"tgt"}, map[string][]fn{"tgt": {{Old: "tshow", New: "tgt_fn"}}}, "")
	if !strings.HasSuffix(c.left, "nomodver") {
		names := []string{"module_layout"}
		for _, y := range f.Symbols {
			if y.Undefined() && y.Name != "" && (y.Name != "shared" || c.left == "resolved") {
				names = append(names, y.Name)
			}
		}
		var b []byte
		for _, name := range names {
			b = append(binary.LittleEndian.AppendUint64(b, 0), name...)
			b = append(b, make([]byte, 64-len(b)%64)...)
		}
		f.AddSection(&elfrw.Section{Name: "__versions", Type: elf.SHT_PROGBITS,
			Flags: uint64(elf.SHF_ALLOC), Align: 32, Data: b})
	}
	if c.annotated == "annotated" {
		data := &elfrw.Section{Name: ".klp.module_relocs.tgt", Type: elf.SHT_PROGBITS, Flags: 3,
			Align: 4, Data: make([]byte, 12)}
		relocs := &elfrw.Section{Name: ".rela" + data.Name, Type: elf.SHT_RELA, Flags: 0x40, Align: 8,
			Link: f.Symtab, Target: data}
		f.AddSection(data)
		f.AddSection(relocs)
		f.AddReloc(relocs, elfrw.Rela{Sym: symbol(t, f, "shared"), Type: 1})
	}
	return parse(t, encode(t, f))
}

// module makes a module with an entry of __ksymtab for each export.
func module(t *testing.T, name string, static bool, exports ...string) *elfrw.File {
	f := base(t, name, "6.1.0"+kernelRelease)
	show := code(t, f, ".text.tshow", "tshow")
	add(f, "__mcount_loc", 0, make([]byte, 8), elfrw.Rela{Sym: show, Type: 1})
	if static {
		s, _ := add(f, ".text.static", elf.SHF_EXECINSTR, make([]byte, 16))
		f.AddSymbol(&elfrw.Symbol{Name: "shared", Section: s, Size: 16, Info: byte(elf.STT_FUNC)})
	}
	for _, export := range exports {
		code(t, f, ".text."+export, export)
		s, _ := add(f, "__ksymtab", 0, make([]byte, 12))
		f.AddSymbol(&elfrw.Symbol{Name: "__ksymtab_" + export, Section: s})
	}
	return f
}

// kernel is what is known.
func (c cell) kernel(t *testing.T) *sympos.Kernel {
	if c.known == "nothing" {
		return nil
	}
	text, listed := kallsyms, "0x00000000\tklp_enable_patch\tvmlinux\tEXPORT_SYMBOL_GPL\t\n"+
		"0x00000000\tintree\tfs/intree\tEXPORT_SYMBOL\t\n"
	if c.exporter == "vmlinux" {
		text = strings.Replace(text, "ffffffff81000600 T", "ffffffff81000580 T "+
			"shared\nffffffff81000600 T", 1) + "ffffffff81001040 r __ksymtab_shared\n"
		listed += "0x00000000\tshared\tvmlinux\tEXPORT_SYMBOL\t\n"
	}
	built := "0x00000000\tother_function\t/build/other\tEXPORT_SYMBOL\t\n"
	theirs := []string{"other_function"}
	if c.exporter == "other" {
		built += "0x00000000\tshared\t/build/other\tEXPORT_SYMBOL\t\n"
		theirs = append(theirs, "shared")
	}
	texts := []string{text}
	if c.known == "symvers" {
		texts = append(texts, listed, built)
	}
	var sources []sympos.Source
	for _, text := range texts {
		text = whole(text)
		src, err := sympos.New("kernel", strings.NewReader(text), int64(len(text)))
		require.NoError(t, err)
		sources = append(sources, src)
	}
	k := sympos.NewKernel("kernel", sources...)
	k.Release = "6.1.0" + kernelRelease
	var own []string
	if c.exporter == "tgt" {
		own = []string{"shared"}
	}
	files := map[string]*elfrw.File{"tgt": module(t, "tgt", c.static == "static", own...)}
	if c.known == "modules" {
		files["other"] = module(t, "other", false, theirs...)
	}
	dir := t.TempDir()
	for name, f := range files {
		path := filepath.Join(dir, name+".ko")
		require.NoError(t, os.WriteFile(path, encode(t, f), 0o644))
		require.NoError(t, k.AddModules(path))
	}
	return k
}

// idsOf joins the ids of warnings and errors, each once.
func idsOf(found diag.List) string {
	var ids []string
	for _, d := range found {
		if id := string(d.ID); d.Severity > diag.Note && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return strings.Join(ids, " ")
}

// convert converts the livepatch, and proves the result.
func (c cell) convert(t *testing.T, k *sympos.Kernel) (answer, depends string, after *elfrw.File) {
	before := c.livepatch(t)
	f := parse(t, encode(t, before))
	plan, found := klpreloc.NewPlan(f, klpreloc.Options{Kernel: k})
	if plan == nil {
		return strings.TrimSpace("stop " + idsOf(found)), "~", nil
	}
	require.NoError(t, plan.Apply())
	after = parse(t, encode(t, f))
	require.NoError(t, proof.Check(before, after, plan.Claims, nil))
	klp, import_ := hasSymbol(after, ".klp.sym.tgt.shared,0"), hasSymbol(after, "shared")
	require.NotEqual(t, klp, import_, "one of them")
	for _, y := range after.Symbols {
		require.False(t, strings.HasPrefix(y.Name, ".klp.sym.") && y.Name != ".klp.sym.tgt.shared,0",
			y.Name)
	}
	checksums, _ := klpabi.ReadChecksums(after)
	versioned := slices.ContainsFunc(checksums,
		func(x klpabi.Checksum) bool { return x.Name == "shared" })
	assert.Equal(t, import_ && c.left == "resolved", versioned, "the checksum goes with the import")
	answer = "import"
	if klp {
		answer = "klp"
	}
	depends, _ = klpabi.ReadModinfo(after).Value("depends")
	if depends == "" {
		depends = "-"
	}
	return strings.TrimSpace(answer + " " + idsOf(found)), depends, after
}

func (c cell) annotate(t *testing.T, k *sympos.Kernel) string {
	text, found := klpreloc.Annotate(c.livepatch(t), klpreloc.Options{Kernel: k}, "")
	if found.Failed() {
		require.NotContains(t, text, "shared")
		return "stop " + idsOf(found)
	}
	var warned []string
	for _, id := range strings.Fields(idsOf(found)) {
		if id != "KLP051" && id != "KLP054" && id != "KLP074" { // as conversion says
			warned = append(warned, id)
		}
	}
	if strings.Contains(text, "\tKLP_SYMPOS(shared, 0),") {
		require.Contains(t, text, "static KLP_MODULE_RELOC(tgt)")
		warned = append([]string{"line"}, warned...)
	} else {
		require.Empty(t, text)
	}
	if len(warned) == 0 {
		return "-"
	}
	return strings.Join(warned, " ")
}

// aboutImports are what check says of imports, and of klp symbols that are not there.
var aboutImports = map[diag.ID]bool{
	diag.UnknownSymbol: true, diag.WeakImport: true, diag.NamespaceNotImported: true,
	diag.ChecksumMismatch: true,
	diag.NeedsModule:      true, diag.CheckUnusedDepends: true, diag.KlpSymbolAbsent: true,
	diag.KlpSymbolAmbiguous: true,
}

func check(t *testing.T, after *elfrw.File, k *sympos.Kernel) string {
	r, err := loader.Open(encode(t, after)).Check(loader.Options{Kernel: k})
	require.NoError(t, err)
	var all []string
	for _, f := range r.Findings {
		if aboutImports[f.ID] {
			all = append(all, string(f.ID))
		}
	}
	if slices.ContainsFunc(r.Unchecked, func(u loader.Unchecked) bool {
		return u.NotJudged &&
			strings.Contains(u.What, "exports shared")
	}) {
		all = append(all, "unknown")
	}
	if len(all) == 0 {
		return "loads"
	}
	return strings.Join(all, " ")
}

func TestWhoExportsIt(t *testing.T) {
	table := rows(t)
	used := make([]bool, len(table))
	count := 0
	for _, c := range cells() {
		var mine []int
		for i, row := range table {
			if fits(row[0], c.exporter) && fits(row[1], c.static) && fits(row[2], c.left) &&
				fits(row[3], c.annotated) && fits(row[4], c.known) {
				mine = append(mine, i)
			}
		}
		if !assert.Len(t, mine, 1, "rows of %s", c) {
			continue
		}
		used[mine[0]] = true
		count++
		want := table[mine[0]][5:]
		t.Run(c.String(), func(t *testing.T) {
			k := c.kernel(t)
			got, depends, after := c.convert(t, k)
			assert.Equal(t, want[0], got, "conversion")
			assert.Equal(t, want[1], depends, "depends=")
			if k != nil {
				assert.Equal(t, want[2], c.annotate(t, k), "annotate")
				c.who(t, k)
			}
			if k != nil && after != nil {
				assert.Equal(t, want[3], check(t, after, k), "check")
			}
		})
	}
	assert.Equal(t, 7*4*2*4, count)
	for i, row := range table {
		assert.True(t, used[i], "no cell has the row %v", row)
	}
}

// who: what the command sympos says of exports.
func (c cell) who(t *testing.T, k *sympos.Kernel) {
	table, err := k.Read(sympos.Names("shared"), "tgt")
	require.NoError(t, err)
	var got []string
	for _, e := range table.Exports("shared") {
		got = append(got, e.Object)
	}
	var want []string
	if c.exporter != "none" && (c.exporter != "other" || c.known != "image") {
		want = []string{c.exporter}
	}
	assert.Equal(t, want, got, "sympos")
	assert.Equal(t, c.known != "image", table.KnowsExports("other"))
}
