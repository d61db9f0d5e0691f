// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// copyForDebuggers writes a copy of a converted module for tools that don't know klp
// relocations.
func copyForDebuggers(cmd *cobra.Command, o *options, path, out string) error {
	if out == "" {
		return usagef("--debug-copy: a file name is empty")
	}
	in, err := readInput(path, cmd.InOrStdin())
	if err != nil {
		return printError(cmd.ErrOrStderr(), err, o)
	}
	defer in.unmap()
	if info, err := os.Stat(out); err == nil && in.info != nil && os.SameFile(info, in.info) {
		return usagef("--debug-copy %s is the module itself, which could then no longer be loaded", out)
	}
	if err := checkSuffix(out); err != nil {
		return err
	}
	if f, broken := in.parse(); f == nil {
		return newReporter(cmd.ErrOrStderr(), in.name, o).report(broken)
	}
	done, b, err := debugCopy(in.module)
	switch {
	case errors.Is(err, klpreloc.ErrNothingToCopy):
		return fileError(oneLine(in.name), err)
	case err != nil:
		d := diag.OfFile(err)
		return newReporter(cmd.ErrOrStderr(), in.name, o).report(diag.List{d})
	}
	packed := compressionFor(out)
	if err := writeFile(out, in.info, cmd.OutOrStdout(), packed, b); err != nil {
		return printError(cmd.ErrOrStderr(), err, o)
	}
	switch {
	case out == "-":
		return nil
	case o.inspectJSON:
		return writeJSON(cmd.OutOrStdout(), struct {
			File string `json:"file"`
			Copy string `json:"debug_copy"`
			*klpreloc.DebugCopyInfo
		}{in.name, out, done})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(),
		"%s: copy of %s for debuggers, not to be loaded: %s of %s, %s\n",
		oneLine(out), oneLine(in.name), diag.Count(done.Relocs, "klp relocation"),
		diag.Count(done.Sections, "section"), diag.Count(done.Symbols, "klp symbol"))
	return err
}

// debugCopy returns the bytes of the copy, and what was changed in it.
func debugCopy(module []byte) (*klpreloc.DebugCopyInfo, []byte, error) {
	f, err := elfrw.Parse("", module)
	if err != nil {
		return nil, nil, err
	}
	done, err := klpreloc.DebugCopy(f)
	if err == nil {
		err = f.Verify()
	}
	if err != nil {
		return nil, nil, err
	}
	b, err := f.Bytes()
	return done, b, err
}
