// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
)

// What a shell offers after the tab key. This must be fast: names of files and short lists are
// read here, never an image or a module.

type completions = []cobra.Completion

// completeFlags registers the values of flags, for all commands.
func completeFlags(cmd *cobra.Command) {
	for flag, complete := range map[string]cobra.CompletionFunc{
		"kernel":     completeKernels,
		"module":     completeModuleFiles,
		"output":     completeModuleFiles,
		"debug-copy": completeModuleFiles,
		"use":        cobra.NoFileCompletions,
		"baseline":   cobra.FixedCompletions(completions{"sarif"}, cobra.ShellCompDirectiveFilterFileExt),
		"html":       cobra.FixedCompletions(completions{"html"}, cobra.ShellCompDirectiveFilterFileExt),
		"junit":      cobra.FixedCompletions(completions{"xml"}, cobra.ShellCompDirectiveFilterFileExt),
		"target": cobra.FixedCompletions([]cobra.Completion{
			"4.7\tno alternatives", "4.9\tall with their objects, .klp.arch",
			"5.8\tthose of vmlinux by the module loader",
		}, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder),
		"dialect": cobra.FixedCompletions([]cobra.Completion{"records", "labels", "list"},
			cobra.ShellCompDirectiveNoFileComp),
		"color": cobra.FixedCompletions([]cobra.Completion{"auto", "always", "never"},
			cobra.ShellCompDirectiveNoFileComp),
	} {
		if cmd.Flags().Lookup(flag) != nil || cmd.PersistentFlags().Lookup(flag) != nil {
			_ = cmd.RegisterFlagCompletionFunc(flag, complete) // fails when it was done already
		}
	}
	for _, sub := range cmd.Commands() {
		completeFlags(sub)
	}
}

// moduleFiles are the endings of modules; directories are always offered.
var moduleFiles = completions{"ko", "ko.gz", "ko.xz", "ko.zst"}

func completeModuleFiles(*cobra.Command, []string, string) (completions, cobra.ShellCompDirective) {
	return moduleFiles, cobra.ShellCompDirectiveFilterFileExt
}

// completeModules offers as many modules as the command takes.
func completeModules(
	cmd *cobra.Command, args []string, toComplete string,
) (completions, cobra.ShellCompDirective) {
	takes := map[string]int{"klp-convert": 2, "diff": 2, "check": math.MaxInt}[cmd.Name()]
	if cmd.HasSubCommands() && len(args) > 0 && isSymbolList(args[0]) {
		takes++ // as v7 was called
	}
	switch {
	case len(args) >= max(takes, 1):
		return nil, cobra.ShellCompDirectiveNoFileComp
	case cmd.HasSubCommands() && len(args) == 0:
		// Subcommands are offered beside the files, so a list of endings is no answer.
		found, directive := pathsLike(toComplete, func(name string) bool {
			return strings.HasPrefix(name, "symbols.klp") ||
				slices.ContainsFunc(moduleFiles, func(end string) bool {
					return strings.HasSuffix(name, "."+end)
				})
		})
		if len(found) == 0 {
			return nil, cobra.ShellCompDirectiveDefault // ~/… is the shell's
		}
		return found, directive | cobra.ShellCompDirectiveNoFileComp
	}
	return completeModuleFiles(cmd, args, toComplete)
}

// completeKernels offers the kernels that are installed and, in a list, files too. A word that
// begins no release is left to the shell, which completes files.
func completeKernels(
	_ *cobra.Command, _ []string, toComplete string,
) (completions, cobra.ShellCompDirective) {
	return kernelsIn("/", toComplete)
}

func kernelsIn(root, toComplete string) (completions, cobra.ShellCompDirective) {
	comma := strings.LastIndexByte(toComplete, ',') + 1
	list, word := toComplete[:comma], toComplete[comma:]
	var found completions
	for _, r := range append([]string{"running"}, sympos.Releases(root)...) {
		if strings.HasPrefix(r, word) && (list == "" || r != "running") {
			found = append(found, list+r)
		}
	}
	if list == "" {
		return found, cobra.ShellCompDirectiveDefault
	}
	// The shell treats the whole list as the name of one file.
	paths, directive := pathsLike(word, func(string) bool { return true })
	for _, p := range paths {
		found = append(found, list+p)
	}
	return found, directive | cobra.ShellCompDirectiveNoFileComp
}

// pathsLike returns the paths that begin with word: directories, and files whose names are
// accepted.
func pathsLike(
	word string, accept func(name string) bool,
) (found completions, directive cobra.ShellCompDirective) {
	paths, _ := filepath.Glob(escapeGlob.Replace(word) + "*")
	for _, p := range paths {
		info, err := os.Stat(p)
		name := filepath.Base(p)
		switch {
		case err != nil || name[0] == '.' && !strings.HasPrefix(filepath.Base(word), "."):
		case info.IsDir():
			found = append(found, p+"/")
			directive = cobra.ShellCompDirectiveNoSpace
		case accept(name):
			found = append(found, p)
		}
	}
	return found, directive
}

var escapeGlob = strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`)

// completeObjects offers what can follow the @ of NAME@OBJECT. The names of symbols are in
// images, which take too long to read. (In bash the @ does not separate words: bash-completion
// changes that, see hostcomplete.)
func completeObjects(
	cmd *cobra.Command, _ []string, toComplete string,
) (completions, cobra.ShellCompDirective) {
	at := strings.LastIndexByte(toComplete, '@')
	if at < 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	kernels, _ := cmd.Flags().GetStringArray("kernel")
	modules, _ := cmd.Flags().GetStringArray("module")
	if len(kernels)+len(modules) == 0 {
		kernels = []string{"running"}
	}
	var objects []string
	for _, k := range kernels {
		if k == "running" {
			k, _ = runningRelease("/")
		}
		objects = append(objects, sympos.ObjectNames("/", k)...)
	}
	for _, m := range modules {
		objects = append(objects, sympos.ModuleName(m))
	}
	slices.Sort(objects)
	found := matching(toComplete[:at+1], slices.Compact(objects), toComplete)
	return found, cobra.ShellCompDirectiveNoFileComp
}

func matching(prefix string, words []string, toComplete string) (found completions) {
	for _, w := range words {
		if strings.HasPrefix(prefix+w, toComplete) {
			found = append(found, prefix+w)
		}
	}
	return found
}

// completeIDs offers the ids of diagnostics, with their meanings.
func completeIDs(
	_ *cobra.Command, args []string, toComplete string,
) (found completions, _ cobra.ShellCompDirective) {
	if len(args) == 0 {
		for _, e := range diag.Catalogue() {
			if id := string(e.ID); strings.HasPrefix(id, strings.ToUpper(toComplete)) {
				found = append(found, cobra.CompletionWithDesc(id, e.Title))
			}
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}
