// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

// Some documents are programs: what they show is done, in order, on each kernel,
// and what they print is what comes of it. Their fenced blocks are
//
//	```console [WORD ...]      a terminal: commands, each followed by its output
//	$ make                     typed by the author, where modules are built
//	# insmod livepatch.ko      typed by root, on the machine that is patched
//	```
//	```c FILE                  the text of FILE, which is made at this point
//	```c FILE above=WORD       lines for FILE, above the first one that has WORD
//	```c of=FILE               an excerpt of FILE in the source tree (c, make, diff, sh)
//	```text                    not a command, and no output
//
// and WORDs are
//
//	here                       root's commands, typed where modules are built
//	fails                      the last command exits with another status than 0
//	TestName                   not run: it is how to run that test, which looks itself
//	                           whether it still prints what is written here
//	since=6.3, before=6.3      not run on other kernels
//
// Any other block is an error, and so is a command line between backticks in the
// text that no block runs.
//
// Output is compared line by line. "…" in a line matches anything, a line of its own
// for any number of lines. What changes from one build or boot to the next is
// not compared (see unify).
//
// A chapter (##) is one boot. What the author types is done first, in all chapters,
// then the machines start with all that was built, and root's commands run. The
// chapter "In operation" starts with the initramfs that was made. A document with
// the comment "one boot" in it needs one boot.
type document struct {
	name   string
	blocks []block
	text   string // without the blocks

	initrd []byte // made by a command of the document

	mu      sync.Mutex
	updates map[int][]string // of outputs, by the command's line
}

// -update writes the outputs that differ into the documents, as they came on the
// (one) kernel that KLP_LAB_KERNELS names. The diff is to be read, and "…" put
// where kernels or boots may differ.
var update = flag.Bool("update", false, "write outputs into the documents")

// A block is a fenced block.
type block struct {
	line    int // of its opening fence
	chapter string
	lang    string
	words   []string
	body    string
}

// A command is one of a terminal's.
type command struct {
	block *block
	line  int
	root  bool
	text  string
	want  []string
	last  bool // in its block
}

var fenceRE = regexp.MustCompile("^```(.*)$")

func readDocument(t *testing.T, root, name string) *document {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", name))
	require.NoError(t, err)
	d, err := parseDocument(name, string(text))
	require.NoError(t, err)
	return d
}

func parseDocument(name, text string) (*document, error) {
	var (
		d       = &document{name: name, updates: map[int][]string{}}
		open    *block
		chapter string
		rest    strings.Builder
	)
	for i, line := range strings.Split(text, "\n") {
		m := fenceRE.FindStringSubmatch(line)
		switch {
		case m == nil && open != nil:
			open.body += line + "\n"
		case m == nil:
			if title, ok := strings.CutPrefix(line, "## "); ok {
				chapter = title
			}
			rest.WriteString(line + "\n")
		case open == nil:
			words := strings.Fields(m[1])
			if len(words) == 0 {
				return nil, fmt.Errorf("%s:%d: a block without a language does not tell whether to run it", name, i+1)
			}
			open = &block{line: i + 1, chapter: chapter, lang: words[0], words: words[1:]}
		default:
			d.blocks = append(d.blocks, *open)
			open = nil
		}
	}
	if open != nil {
		return nil, fmt.Errorf("%s:%d: the block has no end", name, open.line)
	}
	d.text = rest.String()
	if strings.Contains(d.text, "<!-- one boot -->") {
		for i := range d.blocks {
			d.blocks[i].chapter = "all"
		}
	}
	for _, b := range d.blocks {
		if err := b.validate(); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, b.line, err)
		}
	}
	return d, nil
}

// validate refuses blocks that would go unnoticed.
func (b *block) validate() error {
	switch b.lang {
	case "console":
		for _, w := range b.words {
			if w != "fails" && w != "here" && !isTest(w) && !conditionRE.MatchString(w) {
				return fmt.Errorf("console block with %q", w)
			}
		}
		if len(b.commands()) == 0 {
			return fmt.Errorf("a terminal without a command")
		}
	case "c", "make", "diff", "sh":
		if len(b.words) != 1 && (len(b.words) != 2 || !strings.HasPrefix(b.words[1], "above=")) {
			return fmt.Errorf("%s block: the name of a file, or of=FILE, is missing", b.lang)
		}
	case "text":
		if len(b.commands()) != 0 {
			return fmt.Errorf("commands in a text block are not run")
		}
	default:
		return fmt.Errorf("blocks of %q are not known", b.lang)
	}
	return nil
}

// commands returns those of a terminal. A command goes on in the next line after
// "> ", as the shell prints it.
func (b *block) commands() []command {
	var cmds []command
	for i, line := range strings.Split(strings.TrimSuffix(b.body, "\n"), "\n") {
		n := len(cmds)
		switch {
		case strings.HasPrefix(line, "$ ") || strings.HasPrefix(line, "# "):
			root := line[0] == '#' && !slices.Contains(b.words, "here")
			cmds = append(cmds, command{block: b, line: b.line + 1 + i, root: root, text: line[2:]})
		case n == 0:
		case strings.HasPrefix(line, "> ") && len(cmds[n-1].want) == 0:
			cmds[n-1].text += "\n" + line[2:]
		default:
			cmds[n-1].want = append(cmds[n-1].want, line)
		}
	}
	if n := len(cmds); n > 0 {
		cmds[n-1].last = true
	}
	return cmds
}

var conditionRE = regexp.MustCompile(`^(since|before)=(\d+)\.(\d+)$`)

// isTest tells whether a word is the name of the test that a block shows.
func isTest(word string) bool { return strings.HasPrefix(word, "Test") }

// runsOn tells whether the block is for this kernel.
func (b *block) runsOn(k *Kernel) bool {
	if slices.ContainsFunc(b.words, isTest) {
		return false
	}
	for _, w := range b.words {
		if m := conditionRE.FindStringSubmatch(w); m != nil {
			major, _ := strconv.Atoi(m[2]) // digits, by the expression
			minor, _ := strconv.Atoi(m[3])
			if k.AtLeast(major, minor) != (m[1] == "since") {
				return false
			}
		}
	}
	return true
}

var (
	codeRE    = regexp.MustCompile("`([^`\n]+)`")
	programRE = regexp.MustCompile(`^(\./|klp-convert|make|insmod|modprobe|rmmod|depmod|` +
		`sign-file|openssl|update-initramfs|mkinitramfs|cat|echo|dmesg|modinfo|readelf|` +
		`nm|objdump|go) `)
)

// quoted returns the command lines between backticks in the text.
func (d *document) quoted() []string {
	var lines []string
	for _, m := range codeRE.FindAllStringSubmatch(d.text, -1) {
		if programRE.MatchString(m[1]) {
			lines = append(lines, m[1])
		}
	}
	return lines
}

// Nothing in a document may look like a command and not be run.
func TestDocumentsRunAllTheirCommands(t *testing.T) {
	root, err := Root()
	require.NoError(t, err)
	for _, name := range documents {
		d := readDocument(t, root, name)
		all := []string{"make install"} // see installOnce
		for i := range d.blocks {
			if d.blocks[i].lang == "console" {
				for _, c := range d.blocks[i].commands() {
					all = append(all, c.text)
				}
			}
		}
		for _, q := range d.quoted() {
			assert.True(t, slices.ContainsFunc(all,
				func(c string) bool { return strings.Contains(c, q) }),
				"%s: `%s` is in the text and is not run", name, q)
		}
		for _, b := range d.blocks {
			if of, ok := strings.CutPrefix(strings.Join(b.words, " "), "of="); ok {
				text, err := os.ReadFile(filepath.Join(root, of))
				require.NoError(t, err, "%s:%d", name, b.line)
				assert.True(t, excerpt(b.lang, b.body, string(text)), "%s:%d: this is not in %s",
					name, b.line, of)
			}
		}
	}
}

// excerpt tells whether each part of body, between lines with "…", is in text.
// Of a diff it is what the diff is applied to.
func excerpt(lang, body, text string) bool {
	if lang == "diff" {
		var before strings.Builder
		for _, line := range strings.SplitAfter(body, "\n") {
			if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "-") &&
				!strings.HasPrefix(line, "---") {
				before.WriteString(line[1:])
			}
		}
		body = before.String()
	}
	for _, part := range regexp.MustCompile(`(?m)^\s*…\n`).Split(body, -1) {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

func TestBlocksThatWouldNotBeRunAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no language":      "```\n$ ls\n```\n",
		"unknown language": "```bash\nls\n```\n",
		"not closed":       "```console\n$ ls\n",
		"unknown word":     "```console sometimes\n$ ls\n```\n",
		"no command":       "```console\nls\n```\n",
		"code for no file": "```c\nint x;\n```\n",
		"command in text":  "```text\n$ ls\n```\n",
	} {
		_, err := parseDocument("x.md", text)
		assert.Error(t, err, name)
	}
}

func TestTerminalIsReadAsCommandsAndOutputs(t *testing.T) {
	d, err := parseDocument("x.md", "## A\n```console fails since=6.3\n$ make \\\n> all\nCC x\n\n"+
		"LD x\n# load x\n```\n")
	require.NoError(t, err)
	require.Len(t, d.blocks, 1)
	b := &d.blocks[0]
	assert.Equal(t, []command{
		{block: b, line: 3, text: "make \\\nall", want: []string{"CC x", "", "LD x"}},
		{block: b, line: 8, root: true, text: "load x", last: true},
	}, b.commands())
	assert.Equal(t, "A", b.chapter)
	assert.False(t, b.runsOn(&Kernel{Release: "6.1.0-50-amd64"}))
	assert.True(t, b.runsOn(&Kernel{Release: "6.12.107+deb13-amd64"}))
}

var unifyREs = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`\b\d+\.\d+\.\d+[-+~.0-9a-z]*-amd64\b`), "RELEASE"},
	{regexp.MustCompile(`\[ *\d+\.\d+\]`), "[TIME]"},
	{regexp.MustCompile(`\b(0x)?[0-9a-f]{16}\b`), "ADDRESS"},
	{regexp.MustCompile(`-{3,}`), "---"},
	{regexp.MustCompile(`[ \t]+`), " "},
}

// unify takes out of a line of output what another kernel of the series, another
// boot or another directory would change.
func unify(line string) string {
	for _, u := range unifyREs {
		line = u.re.ReplaceAllString(line, u.to)
	}
	return strings.TrimRight(line, " ")
}

// matchesLines tells whether the output is as the document has it.
func matchesLines(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if strings.TrimSpace(want[0]) == "…" {
		for i := 0; i <= len(got); i++ {
			if matchesLines(want[1:], got[i:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && matchesLine(unify(want[0]), unify(got[0])) &&
		matchesLines(want[1:], got[1:])
}

func matchesLine(want, got string) bool {
	parts := strings.Split(want, "…")
	if len(parts) == 1 {
		return want == got
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(got, first) || len(got) < len(first)+len(last) ||
		!strings.HasSuffix(got, last) {
		return false
	}
	got = got[len(first) : len(got)-len(last)]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(got, p)
		if i < 0 {
			return false
		}
		got = got[i+len(p):]
	}
	return true
}

func TestOutputIsCompared(t *testing.T) {
	lines := func(s string) []string { return strings.Split(s, "\n") }
	for _, c := range []struct {
		want, got string
		same      bool
	}{
		{"a\nb", "a\nb", true},
		{"a", "a\nb", false},
		{"a\n…", "a\nb\nc", true},
		{"a\n…\nc", "a\nb", false},
		{"[  1.5] x of 6.1.0-56-amd64", "[   12.345678] x of 6.12.117+deb13-amd64", true},
		{"at ffffffff81234560", "at ffffffff8fffff60", true},
		{"x … z", "x y z", true},
		{"x … z", "x y", false},
		{"a … b … c", "a 1 b 2 c", true},
		{"a … b … c", "a 1 c", false},
	} {
		assert.Equal(t, c.same, matchesLines(lines(c.want), lines(c.got)), "%q, %q", c.want, c.got)
	}
}

// An answer is what a command of a document did.
type answer struct {
	status int
	out    []string
}

func answerOf(status int, out string) answer {
	out = strings.TrimRight(out, "\n")
	if out == "" {
		return answer{status: status}
	}
	return answer{status, strings.Split(out, "\n")}
}

// judge holds a command's answer against the document.
func (d *document) judge(t *testing.T, c command, o answer) {
	t.Helper()
	at := fmt.Sprintf("%s:%d: %s", d.name, c.line, c.text)
	if c.last && slices.Contains(c.block.words, "fails") {
		assert.NotZero(t, o.status, "%s\n%s", at, strings.Join(o.out, "\n"))
	} else {
		assert.Zero(t, o.status, "%s\n%s", at, strings.Join(o.out, "\n"))
	}
	if !matchesLines(c.want, o.out) {
		if *update {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.updates[c.line] = o.out
			return
		}
		assert.Fail(t, "another output", "%s\nin the document:\n%s\nprinted:\n%s", at,
			strings.Join(c.want, "\n"), strings.Join(o.out, "\n"))
	}
}

// run does all that the document shows on one kernel.
func (d *document) run(t *testing.T, w *workbench) {
	if *update {
		t.Cleanup(func() { d.rewrite(t, w.root) })
	}
	tree := d.tree(t, w)
	answers := d.build(t, w, tree)
	chapters := map[string][]command{}
	var order []string
	for i := range d.blocks {
		b := &d.blocks[i]
		if b.lang != "console" || !b.runsOn(w.kernel) {
			continue
		}
		for _, c := range b.commands() {
			if !c.root {
				d.judge(t, c, answers[c.line])
				continue
			}
			if chapters[b.chapter] == nil {
				order = append(order, b.chapter)
			}
			chapters[b.chapter] = append(chapters[b.chapter], c)
		}
	}
	if t.Failed() {
		return // what could not be built can't be loaded
	}
	files := d.built(t, tree)
	for _, chapter := range order {
		t.Run(regexp.MustCompile(`\W+`).ReplaceAllString(strings.ToLower(chapter), "-"),
			func(t *testing.T) {
				t.Parallel()
				s := w.scene(t)
				if chapter == "In operation" {
					s.vm.Initrd(d.initrd)
				}
				for name, data := range files {
					s.file(name, data)
				}
				steps := make([]step, len(chapters[chapter]))
				for i, c := range chapters[chapter] {
					steps[i] = step{cmd: c.text, checks: []check{func(r Result) error {
						d.judge(t, c, answerOf(r.Status, r.Out))
						return nil
					}}}
				}
				s.run(steps...)
			})
	}
}

// rewrite puts the outputs of updates into the document's file.
func (d *document) rewrite(t *testing.T, root string) {
	t.Helper()
	path := filepath.Join(root, "docs", d.name)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	for i := len(d.blocks) - 1; i >= 0; i-- {
		if d.blocks[i].lang != "console" {
			continue
		}
		cmds := d.blocks[i].commands()
		for j := len(cmds) - 1; j >= 0; j-- {
			out, ok := d.updates[cmds[j].line]
			if !ok {
				continue
			}
			at := cmds[j].line + strings.Count(cmds[j].text, "\n")
			lines = slices.Replace(lines, at, at+len(cmds[j].want), out...)
		}
	}
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644))
}

// tree makes the source tree that the document's author sits in.
func (d *document) tree(t *testing.T, w *workbench) string {
	t.Helper()
	tree := filepath.Join(t.TempDir(), "tree")
	require.NoError(t, os.CopyFS(filepath.Join(tree, "testdata/samples"),
		os.DirFS(filepath.Join(w.root, "testdata/samples"))))
	return tree
}

// built returns the modules that were built, for the directory that root works in.
func (d *document) built(t *testing.T, tree string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	require.NoError(t, filepath.Walk(tree, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || filepath.Ext(path) != ".ko" {
			return err
		}
		name := filepath.Base(path)
		require.NotContains(t, files, name, "two modules of one name: %s", path)
		files[name], err = os.ReadFile(path)
		return err
	}))
	return files
}

// build makes the files of the document and runs the author's commands, in one
// shell, and returns the answers by line.
func (d *document) build(t *testing.T, w *workbench, tree string) map[int]answer {
	t.Helper()
	results := t.TempDir()
	var (
		script strings.Builder
		files  = map[string]string{}
	)
	fmt.Fprintf(&script, "cd %s\n", tree)
	for i := range d.blocks {
		b := &d.blocks[i]
		switch {
		case b.lang == "console" && b.runsOn(w.kernel):
			for _, c := range b.commands() {
				if !c.root {
					fmt.Fprintf(&script, "{ %s\n} >%s/%d 2>&1 </dev/null; echo $? >%s/%d.status\n",
						c.text, results, c.line, results, c.line)
				}
			}
		case slices.Contains([]string{"c", "make", "sh"}, b.lang) &&
			!strings.HasPrefix(b.words[0], "of="):
			text := b.body
			if len(b.words) == 2 {
				text = insert(t, files[b.words[0]], text, strings.TrimPrefix(b.words[1], "above="))
			}
			files[b.words[0]] = text
			staged := filepath.Join(results, fmt.Sprintf("%d.file", b.line))
			require.NoError(t, os.WriteFile(staged, []byte(text), 0o644))
			fmt.Fprintf(&script, "install -D -m 644 %s %s\n", staged, b.words[0])
		}
	}
	fmt.Fprintf(&script, "cp /boot/initrd.img-$(uname -r) %s/initrd.img\n", results)
	cmd := w.machine(t, script.String())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Empty(t, string(out), "printed between the commands of %s", d.name)

	d.initrd, err = os.ReadFile(filepath.Join(results, "initrd.img"))
	require.NoError(t, err)
	answers := map[int]answer{}
	found, err := filepath.Glob(filepath.Join(results, "*.status"))
	require.NoError(t, err)
	for _, path := range found {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		status, err := strconv.Atoi(string(bytes.TrimSpace(text)))
		require.NoError(t, err, path)
		line, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(path), ".status"))
		require.NoError(t, err)
		printed, err := os.ReadFile(strings.TrimSuffix(path, ".status"))
		require.NoError(t, err)
		answers[line] = answerOf(status, strings.ReplaceAll(string(printed), tree, "…"))
	}
	return answers
}

// insert puts lines above the first line of text that has the word.
func insert(t *testing.T, text, lines, word string) string {
	t.Helper()
	at := strings.Index(text, word)
	require.GreaterOrEqual(t, at, 0, "nothing to put lines above: %q", word)
	at = strings.LastIndex(text[:at], "\n") + 1
	return text[:at] + lines + text[at:]
}

var installOnce = sync.OnceValues(func() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(benchDir, "installed")
	cmd := exec.Command("make", "-C", root, "install", "DESTDIR="+dir, "prefix=/usr/local")
	cmd.Env = noMake()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make install: %w\n%s", err, out)
	}
	return dir, nil
})

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// machineFiles make an initramfs that the lab can boot: without the hundreds of
// drivers of an installed system and without busybox, whose shell prefers its own
// modprobe to kmod's; without a root file system to look for, and with
// systemd's reader of modules-load.d, which else comes with that file system.
var machineFiles = map[string]string{
	"etc/initramfs-tools/conf.d/klplab":  "MODULES=list\nCOMPRESS=gzip\nBUSYBOX=n\n",
	"etc/initramfs-tools/scripts/klplab": "mountroot() { exec " + AgentPath + "; }\n",
	"etc/initramfs-tools/hooks/klplab": `#!/bin/sh
[ "$1" != prereqs ] || exit 0
. /usr/share/initramfs-tools/hook-functions
copy_exec /usr/lib/systemd/systemd-modules-load
mkdir -p "$DESTDIR/etc/modules-load.d"
cp /etc/modules-load.d/* "$DESTDIR/etc/modules-load.d/"
`,
}

// machine is a shell on a machine on which the kernel and its headers are
// installed as packages, runs, and on which klp-convert is installed.
//
// /usr is laid over by three directories: what "make install" and this function put
// there, the system of the kernel's release with its compiler, and what the
// kernel's packages have in /usr. What is written there is gone in the end. uname says that it is this kernel that runs.
func (w *workbench) machine(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	installed, err := installOnce()
	require.NoError(t, err)
	own := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(own, "usr/lib/modules"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(own, "usr/local/bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(own, "usr/local/bin/uname"), []byte(
		"#!/bin/sh\n[ \"$*\" = -r ] && exec echo "+w.kernel.Release+"\nexec /usr/bin/uname \"$@\"\n"), 0o755))
	// In its proper place the headers' Makefile has its proper path (rebase).
	makefile, err := os.ReadFile(filepath.Join(w.kernel.Headers, "Makefile"))
	require.NoError(t, err)
	headers := filepath.Join(own, "usr/src", filepath.Base(w.kernel.Headers))
	require.NoError(t, os.MkdirAll(headers, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(headers, "Makefile"),
		bytes.ReplaceAll(makefile, []byte(w.kernel.Root+"/usr/src/"), []byte("/usr/src/")), 0o644))
	lower := []string{filepath.Join(own, "usr"), filepath.Join(installed, "usr"),
		filepath.Join(w.kernel.Root, "usr")}
	if w.kernel.tools != "" {
		lower = append(lower, filepath.Join(w.kernel.tools, "usr"))
	} else {
		lower = append(lower, "/usr")
	}
	machine, err := fetchMachine(w.cache, w.kernel.release, func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "lab: "+format+"\n", args...)
	})
	require.NoError(t, err)
	lower = append(lower, filepath.Join(machine, "usr"))
	for name, text := range machineFiles {
		path := filepath.Join(own, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(own, "boot"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(own, "boot/initrd.img-"+w.kernel.Release), nil,
		0o644))
	boot := filepath.Join(own, "boot")
	if there := filepath.Join(w.kernel.Root, "boot"); exists(there) {
		boot += ":" + there
	}
	const setup = `set -e
own=$1 usr=$2 modules=$3 boot=$4 machine=$5 tools=$6
mkdir "$own/scratch" "$own/merged"
mount -t tmpfs tmpfs "$own/scratch"
layers() {
	mkdir -p "$own/scratch/$1" "$own/scratch/$1.work"
	mount -t overlay overlay -o "lowerdir=$2,upperdir=$own/scratch/$1,workdir=$own/scratch/$1.work" "$3"
}
layers usr "$usr" "$own/merged"
layers modules "$modules" "$own/merged/lib/modules"
layers boot "$boot" /boot
layers etc "$own/etc:/etc:$machine/etc" /etc
layers var "/var:$machine/var" /var
[ "$tools" = host ] || rm -f /etc/ld.so.cache
mount --rbind "$own/merged" /usr
export PATH=/usr/local/bin:/usr/sbin:/usr/bin HOME="$own"
exec bash -c "$7"`
	tools := "host"
	if w.kernel.tools != "" {
		tools = "other"
	}
	cmd := exec.Command("unshare", append(unshareFlags(), "sh", "-c", setup, "sh",
		own, strings.Join(lower,
			":"), filepath.Dir(w.kernel.Modules), boot, machine, tools, script)...)
	cmd.Env = noMake("LC_ALL=C", "TERM=dumb")
	return cmd
}
