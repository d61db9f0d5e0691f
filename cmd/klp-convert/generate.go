// SPDX-License-Identifier: GPL-2.0-or-later

//go:build generate

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/klp-convert/klp-convert/cmd/klp-convert/manpage"
)

// Built with the tag, this is no converter, but writes manual pages and completion
// scripts, which are made from the commands (make man). It is an init function since
// main is taken; the program that is shipped knows nothing of it.
//
//	go run -tags generate ./cmd/klp-convert OUT DATADIR DOCDIR
//
// The date of the pages is SOURCE_DATE_EPOCH.
func init() {
	if err := generate(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func generate(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("want OUT DATADIR DOCDIR, got %q", args)
	}
	epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH is needed, in seconds: %w", err)
	}
	root := newCommand()
	write := func(path string, text []byte) {
		path = filepath.Join(args[0], path)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o755)
		}
		if err == nil {
			err = os.WriteFile(path, text, 0o644)
		}
	}
	info := manpage.Info{Version: version(), Date: time.Unix(epoch, 0), DataDir: args[1], DocDir: args[2]}
	pages, err := manpage.Pages(root, info)
	for name, text := range pages {
		write("man/"+name, text)
	}
	for path, shell := range completionFiles {
		text, failed := completionScript(root, shell)
		if failed != nil {
			return failed
		}
		write(path, text)
	}
	return err
}

// completionFiles are named as each shell looks for them.
var completionFiles = map[string]string{
	"completions/bash/klp-convert":      "bash",
	"completions/zsh/_klp-convert":      "zsh",
	"completions/fish/klp-convert.fish": "fish",
}

func completionScript(root *cobra.Command, shell string) ([]byte, error) {
	var b bytes.Buffer
	var err error
	switch shell {
	case "bash":
		err = root.GenBashCompletionV2(&b, true)
	case "zsh":
		err = root.GenZshCompletion(&b)
	case "fish":
		err = root.GenFishCompletion(&b, true)
	}
	return b.Bytes(), err
}
