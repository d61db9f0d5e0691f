// SPDX-License-Identifier: GPL-2.0-or-later

// Generate writes docs/errors.md and docs/messages.md:
//
//	go generate ./docs
//
// errors.md has a section for each entry of klpreloc/diag's catalogue, with the outputs in
// docs/examples, and a list of the kernel's messages. messages.md has a section for each
// entry of klpreloc/explain.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// run writes the pages below dir, which is the directory docs.
func run(dir string) error {
	pages, err := render(dir)
	if err != nil {
		return err
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// render returns the text of each page by its name. dir is the directory docs.
func render(dir string) (map[string]string, error) {
	diagnostics, err := errorsPage(filepath.Join(dir, "examples"))
	if err != nil {
		return nil, err
	}
	return map[string]string{"errors.md": diagnostics, "messages.md": messagesPage()}, nil
}
