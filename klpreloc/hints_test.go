// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// A hint is a line that can be pasted: what is C in it has to compile.

const prelude = `#include "klp_convert.h"
#define MODULE_INFO(tag, info) static const char info_##tag[] __attribute__((__used__)) = info
#define STATIC_CALL_KEY(name) __SCK__##name
#define STATIC_CALL_TRAMP(name) __SCT__##name
struct klp_func { const char *old_name; void *new_func; };
struct klp_object { const char *name; struct klp_func *funcs; };
`

// A snippet is a hint with what it needs around it.
type snippet struct {
	text  string
	names []string // that it declares
}

// snippetOf makes a snippet of a hint, and reports whether it is C. Names of ours end in the
// number.
func snippetOf(hint string, n int) (s snippet, isC bool) {
	var b strings.Builder
	declare := func(re *regexp.Regexp) {
		for _, m := range re.FindAllStringSubmatch(hint, -1) {
			fmt.Fprintf(&b, "extern int %s;\n", m[1])
			s.names = append(s.names, m[1])
		}
	}
	declare(regexp.MustCompile(`KLP_SYM(?:POS|FILE)\(([^,]+),`))
	declare(regexp.MustCompile(`typeof\(([^)]+)\)`))
	line := strings.TrimSpace(hint)
	name := func(re string) string {
		if m := regexp.MustCompile(re).FindStringSubmatch(line); m != nil {
			s.names = append(s.names, m[1])
			return m[1]
		}
		return ""
	}
	switch {
	case strings.HasPrefix(line, "KLP_SYMPOS("), strings.HasPrefix(line, "KLP_SYMFILE("):
		fmt.Fprintf(&b, "static KLP_MODULE_RELOC(vmlinux) syms%d[] = {\n%s\n};\n", n, line)
	case strings.HasPrefix(line, "KLP_RELOC_SYMBOL"):
		fmt.Fprintf(&b, "extern int pasted%d\n%s\n;\nvoid *use%[1]d = (void *)&pasted%[1]d;\n", n, line)
	case strings.HasPrefix(line, "extern "):
		fmt.Fprintf(&b, "%s\n", line)
		if x := name(`(\w+)(?:\(void\)|\[\])? KLP_RELOC`); x != "" {
			fmt.Fprintf(&b, "void *use%d = (void *)&%s;\n", n, x)
		}
	case strings.HasPrefix(line, "static KLP_MODULE_RELOC("):
		name(`(\w+)\[\]`)
		fmt.Fprintf(&b, "%s\n", line)
	case strings.HasPrefix(line, "MODULE_INFO("):
		name(`MODULE_INFO\((\w+)`)
		fmt.Fprintf(&b, "%s\n", line)
	case strings.HasPrefix(line, "static struct klp_func"):
		fmt.Fprintf(&b, "%s\nvoid *use%d = %s;\n", line, n, name(`(\w+)\[\]`))
	case strings.HasPrefix(line, "{ .name = "), strings.HasPrefix(line, "{ .funcs = "):
		if strings.Contains(line, "…") {
			return s, false
		}
		fmt.Fprintf(&b, "extern struct klp_func %s[];\nstruct klp_object objs%d[] = {\n%s\n};\n",
			name(`\.funcs = (\w+)`), n, line)
	default:
		return s, false
	}
	s.text = b.String()
	return s, true
}

// programs puts snippets into as few files as their names allow.
func programs(hints map[string]string) map[string]string {
	var keys []string
	for k := range hints {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	type file struct {
		text strings.Builder
		used map[string]bool
	}
	var files []*file
	seen := map[string]bool{}
	for n, k := range keys {
		s, isC := snippetOf(hints[k], n)
		if !isC || seen[hints[k]] {
			continue
		}
		seen[hints[k]] = true
		i := slices.IndexFunc(files, func(f *file) bool {
			return !slices.ContainsFunc(s.names, func(name string) bool { return f.used[name] })
		})
		if i < 0 {
			i = len(files)
			files = append(files, &file{used: map[string]bool{}})
			files[i].text.WriteString(prelude)
		}
		f := files[i]
		for _, name := range s.names {
			f.used[name] = true
		}
		fmt.Fprintf(&f.text, "# 1 %q\n%s", strings.NewReplacer("\n", " ", "%", "").Replace(k), s.text)
	}
	all := map[string]string{}
	for i, f := range files {
		all[fmt.Sprintf("hints, file %d", i)] = f.text.String()
	}
	return all
}

// compiles compiles each text with each compiler, all with warnings as errors.
func compiles(t *testing.T, texts map[string]string) {
	t.Helper()
	include, err := filepath.Abs("../scripts/include")
	require.NoError(t, err)
	for _, compiler := range []string{"gcc", "clang"} {
		path, err := exec.LookPath(compiler)
		if compiler == "clang" && err != nil {
			continue // one compiler has to do
		}
		require.NoError(t, err)
		dir := t.TempDir()
		var files []string
		origin := map[string]string{}
		for name, text := range texts {
			file := fmt.Sprintf("h%d.c", len(files))
			require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
			files = append(files, file)
			origin[file] = name
		}
		cmd := exec.Command(path, append([]string{"-std=gnu11", "-Wall", "-Werror", "-Wno-unused",
			"-Wno-missing-braces", "-c", "-I" + include}, files...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err == nil {
			continue
		}
		for file, name := range origin {
			if strings.Contains(string(out), file) {
				t.Errorf("%s: %s", compiler, name)
			}
		}
		t.Errorf("%s: %v\n%s", compiler, err, out)
	}
}

// oddNames are symbols that C can't name, or not everywhere.
var oddNames = []string{
	"foo.isra.0", "klp_string.12345", "foo.constprop.0.cold", "foo.llvm.1234567890123",
	"__UNIQUE_ID_x123.4", "1st", "register", ".Lstr",
	"_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE.llvm.17",
	"_ZN42_$LT$$RF$T$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
	"_RNvXs_NtCs" + strings.Repeat("abcdefghij", 30) + "_4core",
	"foo-bar", "foo@plt", "a b", "a,b", "a*/b", "x\"y", "p%sq", "ключ",
}

func TestEveryHintCompiles(t *testing.T) {
	hints := map[string]string{}
	n := 0
	add := func(where, hint string) {
		n++
		if _, isC := snippetOf(hint, 0); isC {
			hints[where+": "+hint] = hint
			return
		}
		assert.NotRegexp(t, `^(KLP_|static |extern |MODULE_)`, hint, where)
	}
	collect := func(where string, found diag.List) {
		for _, d := range found {
			for _, h := range d.Hints {
				add(where+" "+string(d.ID), h)
			}
		}
	}

	for id, p := range provocations {
		f := p.edit
		if f == nil {
			f = func(t *testing.T) *elfrw.File { return open(t, p.module) }
		}
		_, found := klpreloc.NewPlan(f(t), klpreloc.Options{})
		collect(string(id), found)
	}
	for id, p := range kernelProvocations {
		p.options.Kernel = kernelOf(t, strings.Split(p.kernel, otherSource)...)
		_, found := klpreloc.NewPlan(reread(t, p.edit(t)), p.options)
		collect(string(id), found)
	}
	for _, name := range modules(t, "bad", "odd", "files") {
		_, found := klpreloc.NewPlan(open(t, name), klpreloc.Options{})
		collect(name, found)
	}

	// Each odd name in each way to be wrong.
	twice := func(name string) string {
		return strings.Replace(kallsyms, "ffffffffc0001000",
			"ffffffff8ffff000 t "+name+"\nffffffff8ffff100 t "+name+"\nffffffffc0001000", 1)
	}
	once := func(name string) string {
		return strings.Replace(kallsyms, "ffffffffc0001000",
			"ffffffff8ffff000 t "+name+"\nffffffffc0001000", 1)
	}
	for _, name := range oddNames {
		for _, bind := range []elf.SymBind{elf.STB_GLOBAL, elf.STB_WEAK} {
			f := borrower(t)
			versionTable(f, "klp_enable_patch")
			use(f, addUndefined(f, name, bind))
			_, found := klpreloc.NewPlan(reread(t, f), klpreloc.Options{})
			collect("undefined "+name, found)
		}
		f := borrower(t)
		annotate(t, f, "vmlinux", name, 1)
		addRecords(t, f, "ext4", 12, record{0, name, 8, 0})
		_, found := klpreloc.NewPlan(reread(t, f), klpreloc.Options{})
		collect("two objects "+name, found)

		if strings.Contains(name, " ") {
			continue // which are several for the helpers below, and for kallsyms
		}
		f = patched(t, "a b", map[string]string{"a_fn": "helper", "b_fn": "helper", "helper": name})
		record1(t, f, "c", name, 0)
		_, found = klpreloc.NewPlan(reread(t, f), klpreloc.Options{})
		collect("shared "+name, found)

		for _, text := range []string{once(name), twice(name), kallsyms} {
			f = undefined(t, name)
			_, found = klpreloc.NewPlan(reread(t, f),
				klpreloc.Options{Kernel: kernelOf(t, text), NoInfer: true})
			collect("kernel "+name, found)
			f = borrower(t)
			annotate(t, f, "vmlinux", name, 7)
			_, found = klpreloc.NewPlan(reread(t, f), klpreloc.Options{Kernel: kernelOf(t, text)})
			collect("position "+name, found)
		}
	}
	texts := programs(hints)
	require.Greater(t, len(hints), 60)
	require.Less(t, len(hints), n)

	// All of them at once, annotated.
	plain := slices.DeleteFunc(slices.Clone(oddNames), func(name string) bool {
		return strings.ContainsAny(name, " \n")
	})
	for i, text := range []func(string) string{once, twice} {
		all := kallsyms
		for _, name := range plain {
			all = strings.Replace(all, kallsyms[:strings.Index(kallsyms, "ffffffffc0001000")],
				strings.TrimSuffix(text(name), kallsyms[strings.Index(kallsyms, "ffffffffc0001000"):]), 1)
		}
		for _, dialect := range []annotation.Dialect{annotation.Records, annotation.Labels} {
			lines, _ := klpreloc.Annotate(reread(t, undefined(t, append([]string{"once"}, plain...)...)),
				klpreloc.Options{Kernel: kernelOf(t, all)}, dialect)
			require.NotEmpty(t, lines)
			require.Contains(t, lines, "foo.isra.0")
			texts[fmt.Sprintf("annotate %v %d\n%s", dialect, i,
				lines)] = "#include \"klp_convert.h\"\nextern int once;\n" + asDeclared(plain) + lines
		}
	}
	compiles(t, texts)
}

// asDeclared declares the names that C can write.
func asDeclared(names []string) string {
	var b strings.Builder
	for _, name := range names {
		if regexp.MustCompile(`^[A-Za-z_]\w*$`).MatchString(name) && name != "register" {
			fmt.Fprintf(&b, "extern int %s;\n", name)
		}
	}
	return b.String()
}

// What the lines say is what was meant: the annotation has the symbol's own name.
func TestHintOfAnOddNameMeansThatSymbol(t *testing.T) {
	for _, name := range []string{"foo.isra.0", "klp_string.12345", "register",
		"_ZN42_$LT$$RF$T$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE"} {
		f := borrower(t)
		versionTable(f, "klp_enable_patch")
		use(f, addUndefined(f, name, elf.STB_WEAK))
		_, found := klpreloc.NewPlan(reread(t, f), klpreloc.Options{})
		hints := the(t, diag.WeakUndefined, found).Hints
		require.Len(t, hints, 1)
		dir := t.TempDir()
		require.NoError(t,
			os.WriteFile(filepath.Join(dir, "h.c"), []byte(prelude+first(hints[0])), 0o600))
		include, err := filepath.Abs("../scripts/include")
		require.NoError(t, err)
		cmd := exec.Command("gcc", "-std=gnu11", "-Werror", "-c", "-I"+include, "h.c")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		b, err := os.ReadFile(filepath.Join(dir, "h.o"))
		require.NoError(t, err)
		in, minds := annotation.Read(parse(t, b))
		require.Empty(t, minds)
		require.Len(t, in.Annotations, 1, "%s", hints[0])
		assert.Equal(t, name, in.Annotations[0].Name)
		assert.Equal(t, "vmlinux", in.Annotations[0].Object)
	}
}

// The lines that documents and the command's scripts show compile as well.
func TestShownHintsCompile(t *testing.T) {
	files, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	scripts, err := filepath.Glob("../cmd/klp-convert/testdata/script/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	unescape := strings.NewReplacer(`\(`, "(", `\)`, ")", `\[`, "[", `\]`, "]", `\{`, "{", `\}`, "}",
		`\*`, "*", `\.`, ".", `\+`, "+")
	shown := regexp.MustCompile(`^(?:! )?(?:std(?:out|err) '\^?)?\s*` +
		`((?:KLP_SYMPOS\(|KLP_SYMFILE\(|KLP_RELOC_SYMBOL\w*\(|` +
		`static KLP_MODULE_RELOC\(\w+\) \w+\[\] = \{ .*\};|extern typeof.* KLP_RELOC|` +
		`static struct klp_func no_|\{ \.name = "\w+", \.funcs = no_|MODULE_INFO\().*?)'?$`)
	hints := map[string]string{}
	for _, file := range append(files, scripts...) {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		for i, line := range strings.Split(string(b), "\n") {
			m := shown.FindStringSubmatch(unescape.Replace(line))
			if m == nil || strings.Contains(line, "! std") {
				continue
			}
			hint := strings.TrimSuffix(m[1], "$")
			if placeholder(hint) {
				continue
			}
			hints[fmt.Sprintf("%s:%d %s", file, i+1, hint)] = hint
		}
	}
	require.Greater(t, len(hints), 30)
	compiles(t, programs(hints))
}

// first is a hint alone.
func first(hint string) string {
	s, _ := snippetOf(hint, 0)
	return s.text
}

// placeholder reports whether a line shows a form, and no hint: POS for a position, a part
// of a regular expression, or a part of a declaration.
func placeholder(hint string) bool {
	if slices.ContainsFunc([]string{", POS)", ", n)", ", pos)", ".*", "…", "\\d", "`",
		" of klp_convert.h", "name, 0", "…"}, func(p string) bool { return strings.Contains(hint, p) }) {
		return true
	}
	return strings.HasPrefix(hint, "KLP_RELOC_SYMBOL") && strings.HasSuffix(hint, ";") ||
		strings.Count(hint, "(") != strings.Count(hint, ")")
}
