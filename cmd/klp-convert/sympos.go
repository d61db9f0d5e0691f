// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/klp-convert/klp-convert/sympos"
)

func newSymposCommand(o *options) *cobra.Command {
	var (
		flags   kernelFlags
		json    bool
		queries []query
	)
	cmd := &cobra.Command{
		Use:   "sympos [flags] NAME[@OBJECT]...",
		Short: "Show the positions of symbols of the same name",
		Long: `Show the symbols of a kernel that have a name, and the position of each, which
KLP_SYMPOS and KLP_RELOC_SYMBOL_POS take. Without @OBJECT, vmlinux and all
modules are searched. A regular expression is written between slashes.

` + kernelHelp + `

Without --kernel, the running kernel is searched; with --module alone, only
those modules. Several kernels are compared, position by position: "!" marks a
different symbol, "?" one that may be different.

If a vmlinux with debug information is available, or the module's file has it,
the functions are listed into which the compiler inlined a copy: they do not go
by a livepatch of the function alone. So are its clones, such as NAME.isra.0.

--json prints an array of {kernel, object, name, position, address, size, type,
file, inlined, clones}; position and address are null where they are not known,
inlined is left out where nothing tells, and doubt says why the list of symbols
may be incomplete.

Exit status 1 when a name is not found.`,
		Example: `  klp-convert sympos name_show
  klp-convert sympos 'name_show@vmlinux' helper@ext4 --kernel 6.1.0-56-amd64
  klp-convert sympos '/^ext4_.*_show$/@ext4' -k vmlinuz,ext4.ko
  klp-convert sympos name_show@vmlinux -k 6.1.0-50-amd64 -k 6.1.0-56-amd64
  klp-convert sympos --json name_show | jq '.[] | select(.object == "vmlinux")'`,
		Args: func(_ *cobra.Command, args []string) (err error) {
			if len(args) == 0 {
				return usagef("sympos takes names of symbols: klp-convert sympos NAME[@OBJECT]...")
			}
			for _, a := range args {
				q, err := newQuery(a)
				if err != nil {
					return err
				}
				queries = append(queries, q)
			}
			return o.checkColor()
		},
		ValidArgsFunction: completeObjects,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(flags.kernels) == 0 && len(flags.modules) == 0 {
				flags.kernels = []string{"running"}
			}
			kernels, err := flags.find()
			if err != nil {
				return err
			}
			s := search{queries: queries, stderr: cmd.ErrOrStderr(), options: o}
			for i, k := range kernels {
				showProgress(k, nth(i, len(kernels)), cmd.ErrOrStderr(), o)
				if err := s.read(k); err != nil {
					return err
				}
			}
			s.setLabels()
			absent := s.find()
			s.readCopies()
			if json {
				err = writeJSON(cmd.OutOrStdout(), s.list())
			} else {
				err = s.write(cmd.OutOrStdout())
			}
			if err == nil && absent {
				err = errReported
			}
			return err
		},
	}
	cmd.Flags().SortFlags = false
	flags.register(cmd)
	cmd.Flags().BoolVar(&json, "json", false, "print a JSON array of what was found")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "print on stderr which files were used")
	return cmd
}

// A query is one NAME[@OBJECT].
type query struct {
	arg    string
	name   string         // "" when there is a pattern
	match  *regexp.Regexp // of /…/
	object string         // "" for all
}

func newQuery(arg string) (query, error) {
	q := query{arg: arg, name: arg}
	at := strings.LastIndexByte(arg, '@')
	if end := strings.LastIndexByte(arg, '/'); at < end {
		at = -1 // of a regular expression
	}
	if at >= 0 {
		q.name, q.object = arg[:at], arg[at+1:]
		if q.object == "" {
			return q, usagef("%q names no object after the @", arg)
		}
		q.object = sympos.ModuleName(q.object)
	}
	if q.name == "" {
		return q, usagef("%q names no symbol", arg)
	}
	if pattern, ok := strings.CutPrefix(q.name, "/"); ok {
		pattern, ok = strings.CutSuffix(pattern, "/")
		if !ok || pattern == "" {
			return q, usagef("%q: a regular expression is written between two slashes", arg)
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return q, usagef("%q: %v", arg, err)
		}
		q.name, q.match = "", re
	}
	return q, nil
}

func (q query) matches(name string) bool {
	return q.match == nil && name == q.name || q.match != nil && q.match.MatchString(name)
}

// wantedNames returns the Want that accepts what any query matches.
func wantedNames(queries []query) sympos.Want {
	var (
		names    []string
		patterns []*regexp.Regexp
	)
	for _, q := range queries {
		if q.match != nil {
			patterns = append(patterns, q.match)
		} else {
			names = append(names, q.name)
		}
	}
	exact := sympos.Names(names...)
	return func(name []byte) bool {
		if exact(name) {
			return true
		}
		for _, p := range patterns {
			if p.Match(name) {
				return true
			}
		}
		return false
	}
}
