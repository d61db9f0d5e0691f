// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos/index"
)

// userIndex returns the indexes of this user, nil where there can be none. Why is not said: an
// answer without an index takes longer, and that is all.
func userIndex() *index.Store {
	store, err := openIndex()
	if err != nil {
		return nil
	}
	return store
}

// openIndex returns the indexes of this user. The store is the same for one directory, so that
// what one kernel's reading has opened is open for the next.
func openIndex() (*index.Store, error) {
	dir, err := index.UserDir(os.Getenv)
	if err != nil {
		return nil, err
	}
	stores.Lock()
	defer stores.Unlock()
	s := stores.byDir[dir]
	if s == nil {
		s = index.NewStore(dir)
		s.Program = programNumber()
		prepareIndex(s)
		stores.byDir[dir] = s
	}
	return s, nil
}

var stores = struct {
	sync.Mutex
	byDir map[string]*index.Store
}{byDir: map[string]*index.Store{}}

// abandonIndexes removes what is not finished of indexes: a signal ends the process. It never
// unlocks the stores, so that none is opened after it.
func abandonIndexes() {
	stores.Lock()
	for _, s := range stores.byDir {
		s.Abandon()
	}
}

// prepareIndex is replaced by tests, whose files are small and new.
var prepareIndex = func(*index.Store) {}

// programNumber identifies the program that reads files and writes indexes. Of a release its
// version is enough; of other builds nothing is, so it is the file that counts.
func programNumber() uint64 {
	v := version()
	released := v != "(devel)" && !strings.Contains(v, "+dirty")
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, kv := range info.Settings {
			released = released && !(kv.Key == "vcs.modified" && kv.Value == "true")
			if kv.Key == "vcs.revision" {
				v += " " + kv.Value
			}
		}
	}
	if released {
		return index.ProgramNumber(v)
	}
	info, err := os.Stat("/proc/self/exe")
	if err != nil {
		return index.ProgramNumber(v)
	}
	return index.ProgramNumber(v, info.Size(), info.ModTime().UnixNano())
}

func newCacheCommand(o *options) *cobra.Command {
	var clear bool
	cmd := &cobra.Command{
		Use:   "cache [flags]",
		Short: "Show or remove the indexes of kernels that were read",
		Long: `Show the indexes of kernels that earlier commands wrote. What a kernel image, a
vmlinux or all modules of a release have is kept there, so that later commands
need not decompress and read them again. An index is used only as long as its
file is what it was; answers are the same with it and without.

The directory is klp-convert in $XDG_CACHE_HOME or ~/.cache, or what $KLP_CACHE
names; KLP_CACHE=off and the flag --no-cache of other commands turn indexes off.
All together have at most 1 GiB: those not used for the longest time go first.`,
		Example: `  klp-convert cache
  klp-convert cache --clear`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("cache takes no arguments: %s", args[0])
			}
			return o.checkColor()
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := openIndex()
			switch {
			case errors.Is(err, index.ErrOff):
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "no indexes: %s\n", err)
				return err
			case err != nil:
				return fmt.Errorf("no indexes: %w", err)
			case clear:
				return clearIndex(cmd.OutOrStdout(), store)
			}
			return listIndex(cmd.OutOrStdout(), store)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&clear, "clear", false, "remove all indexes")
	return cmd
}

// clearIndex removes all indexes.
func clearIndex(w io.Writer, store *index.Store) error {
	count, size, err := store.Clear()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s: removed %s, %s\n", oneLine(store.Dir()), diag.Count(count, "index"),
		sizeText(size))
	return err
}

// listIndex prints the indexes, and the size of all.
func listIndex(w io.Writer, store *index.Store) error {
	all, err := store.List()
	if err != nil {
		return err
	}
	t, sum := newTable(w), int64(0)
	for _, x := range all {
		sum += x.Size
	}
	t.line("%s: %s, %s of at most %s", oneLine(store.Dir()), diag.Count(len(all), "index"),
		sizeText(sum), sizeText(store.Limit))
	if err := store.Trusted(); err != nil {
		t.line("not used: %s", oneLine(err.Error()))
	}
	t.section("by last use", "SIZE", "LAST USE", "OF")
	for _, x := range all {
		of := x.Of
		switch {
		case x.Wrong != nil:
			of = "made again when needed: " + x.Wrong.Error()
		case x.Kind == "m":
			of = "modules in " + of
		case x.Kind == "d":
			of = "names of modules in " + of
		}
		t.row(sizeText(x.Size), x.Used.UTC().Format("2006-01-02 15:04"), of)
	}
	return t.flush()
}

// sizeText returns a size in bytes as people read it.
func sizeText(n int64) string {
	const k = 1 << 10
	switch {
	case n >= k*k*k:
		return fmt.Sprintf("%.1f GiB", float64(n)/(k*k*k))
	case n >= k*k:
		return fmt.Sprintf("%.1f MiB", float64(n)/(k*k))
	case n >= k:
		return fmt.Sprintf("%.1f KiB", float64(n)/k)
	}
	return fmt.Sprintf("%d bytes", n)
}
