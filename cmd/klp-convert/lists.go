// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/sympos/content"
)

// listFlags are the files of annotations that --symbols names.
type listFlags struct{ files []string }

// register adds the flag to a command.
func (l *listFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&l.files, "symbols", nil, "also read annotations from the list `FILE`")
}

// check refuses what can't be read; in is the module's file name.
func (l *listFlags) check(in string) error {
	stdin := 0
	for _, f := range l.files {
		if f == "-" {
			stdin++
		}
	}
	switch {
	case slices.Contains(l.files, ""):
		return usagef("--symbols is empty")
	case stdin > 1 || stdin == 1 && in == "-":
		return usagef("stdin can be read once only")
	}
	return nil
}

// read returns the contents of the files.
func (l *listFlags) read(stdin io.Reader) ([]annotation.List, error) {
	var all []annotation.List
	for _, name := range l.files {
		list := annotation.List{Name: oneLine(name)}
		var err error
		if name == "-" {
			list.Name = "<stdin>"
			list.Text, err = readText(stdin)
		} else {
			list.Text, err = readTextFile(name)
		}
		if err != nil {
			return nil, fileError(list.Name, err)
		}
		all = append(all, list)
	}
	return all, nil
}

func readTextFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	switch info, err := f.Stat(); {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("is a directory")
	case info.Mode().IsRegular() && isSymbolList(name):
		return nil, errors.New("is a list of a kernel's symbols: give it to --kernel")
	}
	return readText(f)
}

// readText reads a list. A file that is no text is an error that says what it is, and not one
// for each of its lines.
func readText(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, annotation.ListLimit+1))
	if err != nil {
		return nil, err
	}
	if len(b) > annotation.ListLimit {
		return nil, fmt.Errorf("more than %d bytes, which no list of annotations has",
			annotation.ListLimit)
	}
	kind, binary := content.Binary(b)
	if binary || bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return nil, fmt.Errorf("is %s, and not a list of annotations", kind.What)
	}
	return b, nil
}
