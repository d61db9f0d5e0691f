// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// offered returns what is offered in place of the last argument, without descriptions.
func offered(t *testing.T, args ...string) (found []string, directive string) {
	t.Helper()
	status, stdout, stderr := klpConvert(append([]string{"__completeNoDesc"}, args...)...)
	require.Equal(t, exitDone, status, stderr)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	return lines[:len(lines)-1], lines[len(lines)-1]
}

func directive(d cobra.ShellCompDirective) string { return fmt.Sprintf(":%d", d) }

// inDirectory creates these files, empty unless a text follows a blank, and changes to their
// directory.
func inDirectory(t *testing.T, files ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, f := range files {
		path, text, _ := strings.Cut(f, " ")
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
}

func TestReleasesAreOffered(t *testing.T) {
	inDirectory(t, "root/lib/modules/6.1/modules.order", "root/boot/vmlinuz-6.2",
		"root/usr/lib/debug/boot/vmlinux-5.9")
	found, how := kernelsIn("root", "")
	assert.Equal(t, []string{"running", "5.9", "6.1", "6.2"}, found)
	assert.Equal(t, cobra.ShellCompDirectiveDefault, how, "files too")
	found, _ = kernelsIn("root", "6.")
	assert.Equal(t, []string{"6.1", "6.2"}, found)
}

// Of a list of parts only the last one is completed, by files too.
func TestPartsOfAKernelAreOffered(t *testing.T) {
	inDirectory(t, "root/boot/vmlinuz-6.1", "mod/ext4.ko", "map")
	found, how := kernelsIn("root", "vmlinux,")
	assert.Equal(t, []string{"vmlinux,6.1", "vmlinux,map", "vmlinux,mod/", "vmlinux,root/"}, found)
	assert.Equal(t, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace, how)
	found, how = kernelsIn("root", "vmlinux,mod/e")
	assert.Equal(t, []string{"vmlinux,mod/ext4.ko"}, found)
	assert.Equal(t, cobra.ShellCompDirectiveNoFileComp, how)
}

func TestObjectsOfTheKernelAreOffered(t *testing.T) {
	inDirectory(t, "tree/Module.symvers", "tree/modules.order net/nf-nat.o\nfs/nfs.o\nfs/ext4.o\n")
	found, how := offered(t, "sympos", "--kernel", "tree", "f@nf")
	assert.Equal(t, []string{"f@nf_nat", "f@nfs"}, found)
	assert.Equal(t, directive(cobra.ShellCompDirectiveNoFileComp), how)
	found, _ = offered(t, "sympos", "-k", "tree", "--module", "own-mod.ko", "/f.*o/@")
	assert.Equal(t, []string{"/f.*o/@ext4", "/f.*o/@nf_nat", "/f.*o/@nfs", "/f.*o/@own_mod",
		"/f.*o/@vmlinux"}, found)
	found, _ = offered(t, "sympos", "-k", "tree", "f")
	assert.Empty(t, found, "names are in images")
}

// Where a module is wanted, modules are offered, and no more than the command takes.
func TestModulesAreOffered(t *testing.T) {
	endings := []string{"ko", "ko.gz", "ko.xz", "ko.zst"}
	filter := directive(cobra.ShellCompDirectiveFilterFileExt)
	for _, args := range [][]string{
		{"inspect"}, {"check"}, {"check", "a.ko"}, {"annotate"}, {"diff"}, {"diff", "a.ko"}, {"a.ko"},
		{"--output"}, {"--module"},
		{"check", "--module"}, {"inspect", "--debug-copy"},
	} {
		found, how := offered(t, append(args, "")...)
		assert.Equal(t, endings, found, args)
		assert.Equal(t, filter, how, args)
	}
	for _, args := range [][]string{{"inspect", "a.ko"},
		{"diff", "a.ko", "b.ko"}, {"a.ko", "b.ko"}} {
		found, how := offered(t, append(args, "")...)
		assert.Empty(t, found, args)
		assert.Equal(t, directive(cobra.ShellCompDirectiveNoFileComp), how, args)
	}
}

// The first word may be a subcommand or a file.
func TestFirstWordIsOffered(t *testing.T) {
	inDirectory(t, "in.ko", "index/x", "in.c", "in.ko.klp", ".in.ko", "symbols.klp const char x;")
	found, _ := offered(t, "in")
	assert.Equal(t, []string{"inspect", "in.ko", "index/"}, found)
	found, _ = offered(t, "sym")
	assert.Equal(t, []string{"sympos", "symbols.klp"}, found)
	found, how := offered(t, "~/")
	assert.Empty(t, found)
	assert.Equal(t, directive(cobra.ShellCompDirectiveDefault), how)
}

func TestIDsAreOffered(t *testing.T) {
	found, _ := offered(t, "explain", "klp04")
	assert.Contains(t, found, "KLP043")
	assert.NotContains(t, found, "KLP050")
	found, _ = offered(t, "explain", "KLP043", "")
	assert.Empty(t, found)
}

func TestFixedValuesAreOffered(t *testing.T) {
	for args, want := range map[string]string{
		"--color": "auto always never", "annotate --dialect": "records labels list",
		"check --color": "auto always never", "--target": "4.7 4.9 5.8",
	} {
		found, _ := offered(t, append(strings.Fields(args), "")...)
		assert.Equal(t, strings.Fields(want), found, args)
	}
}

// The lines are typed, up to the tab key, and what the command gets is looked at.
var typed = []struct{ line, gets string }{
	{"klp-convert ins\tlive\t", "<inspect><livepatch-a.ko>"},
	{"klp-convert live\t", "<livepatch-a.ko>"},
	{"klp-convert --kernel runn\t", "<--kernel><running>"},
	{"klp-convert --kernel=runn\t", "<--kernel=running>"},
	{"klp-convert sympos -k tree f@nf_\t", "<sympos><-k><tree><f@nf_nat>"},
	{"klp-convert sympos -k tree f@e\tg@nf_\t", "<sympos><-k><tree><f@ext4><g@nf_nat>"},
	{"klp-convert sympos -k Mod\t", "<sympos><-k><Module.symvers>"},
	{"klp-convert sympos -k tree,Mod\t", "<sympos><-k><tree,Module.symvers>"},
	{"klp-convert check --module live\t", "<check><--module><livepatch-a.ko>"},
	{"klp-convert --color=al\t", "<--color=always>"},
	{"klp-convert explain KLP001\t", "<explain><KLP001>"},
	{"klp-convert symb\tlive\t", "<symbols.klp><livepatch-a.ko>"},
}

// shellDirectory is where they are typed, with a function that shows arguments in
// place of the command itself.
func shellDirectory(t *testing.T, shell, rc string) (dir string) {
	t.Helper()
	need.Tools(t, shell, "script")
	inDirectory(t, "livepatch-a.ko", "livepatch-a.ko.klp", "Makefile", "Module.symvers",
		"symbols.klp const char x;",
		"tree/Module.symvers", "tree/modules.order net/nf-nat.o\nfs/nfs.o\nfs/ext4.o\n")
	dir, err := os.Getwd()
	require.NoError(t, err)
	status, script, stderr := klpConvert("completion", shell)
	require.Equal(t, exitDone, status, stderr)
	require.NoError(t, os.Mkdir(".rc", 0o755))
	require.NoError(t, os.WriteFile(".rc/_klp-convert", []byte(script), 0o644))
	require.NoError(t, os.WriteFile(".rc/.zshrc", []byte(rc+`
klp-convert() { if [[ $1 == __complete* ]]; then command klp-convert "$@"; else printf '<%s>' "$@"; echo; fi; }
`), 0o644))
	return dir
}

func typeInto(t *testing.T, shell string) {
	t.Helper()
	cmd := exec.Command("script", "-qec", shell, "/dev/null")
	var in strings.Builder
	for _, l := range typed {
		in.WriteString(l.line + "\n")
	}
	cmd.Stdin = strings.NewReader(in.String() + "exit\n")
	cmd.Env = append(os.Environ(), "TERM=dumb", "ZDOTDIR=.rc", "HISTFILE=")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	var got []string
	for _, l := range strings.Split(string(out), "\n") {
		if l = strings.TrimRight(l, "\r"); strings.HasPrefix(l, "<") {
			got = append(got, l)
		}
	}
	require.Len(t, got, len(typed), "%s", out)
	for i, l := range typed {
		assert.Equal(t, l.gets, got[i], "%q", l.line)
	}
}

const bashCompletion = "/usr/share/bash-completion/bash_completion"

func TestBashCompletes(t *testing.T) {
	if _, err := os.Stat(bashCompletion); err != nil {
		need.Skip(t, "bash-completion is not installed")
	}
	shellDirectory(t, "bash", "source "+bashCompletion+"\nsource .rc/_klp-convert\n")
	typeInto(t, "bash --noprofile --rcfile .rc/.zshrc -i")
}

func TestZshCompletes(t *testing.T) {
	shellDirectory(t, "zsh", "PROMPT='> '\nfpath=($PWD/.rc $fpath)\nautoload -Uz compinit\n"+
		"compinit -u -D\n")
	typeInto(t, "zsh -i")
}

func TestFishCompletes(t *testing.T) {
	dir := shellDirectory(t, "fish", "")
	for _, l := range typed {
		before, last, _ := strings.Cut(strings.TrimSuffix(l.line, "\t"), "\t")
		if last != "" || strings.Contains(before, ",") {
			continue // one key at a time here; and fish completes lists by itself
		}
		cmd := exec.Command("fish", "--no-config", "-c",
			"source .rc/_klp-convert; complete -C $argv[1]", before)
		cmd.Env = append(os.Environ(), "HOME="+dir)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, "%s", stderr.String())
		word := l.gets[strings.LastIndexByte(l.gets, '<')+1 : len(l.gets)-1]
		words := []string{}
		for _, line := range strings.Split(string(out), "\n") {
			w, _, _ := strings.Cut(line, "\t")
			words = append(words, w)
		}
		assert.Contains(t, words, word, "%q", l.line)
	}
}
