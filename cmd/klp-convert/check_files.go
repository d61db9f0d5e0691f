// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/klp-convert/klp-convert/klpreloc/matrix"
)

// streamFlag is a flag for an output that goes to stdout (--json) or to a file (--json=FILE).
type streamFlag struct{ path string } // "" for neither, "-" for stdout

func (s *streamFlag) register(cmd *cobra.Command, name, usage string) {
	f := cmd.Flags()
	f.Var(s, name, usage)
	f.Lookup(name).NoOptDefVal = "true"
}

// Type makes help show it as a flag without a value.
func (s *streamFlag) Type() string { return "bool" }

func (s *streamFlag) String() string { return s.path }

// Set takes a file, or the words of a flag that is on or off.
func (s *streamFlag) Set(value string) error {
	switch value {
	case "true":
		value = "-"
	case "false":
		value = ""
	}
	s.path = value
	return nil
}

// outputOf is one of the files that check writes.
type outputOf struct {
	flag, path string
	write      func(m *matrix.Matrix) ([]byte, error)
	file       *output // nil before open, and for stdout
}

// outputs are all of them. They get their names together, when all of them are complete.
type outputs []outputOf

// check reports what cannot be written beside each other, or would replace a module.
func (all outputs) check(modules []string) error {
	for i, o := range all {
		for _, other := range all[:i] {
			if other.path == "-" && o.path == "-" {
				return usagef("--%s and --%s both go to stdout; --%s=FILE writes a file", other.flag,
					o.flag, other.flag)
			}
			if other.path == o.path || sameFile(other.path, o.path) {
				return usagef("--%s and --%s name the same file", other.flag, o.flag)
			}
		}
		for _, m := range modules {
			if o.path != "-" && (m == o.path || sameFile(m, o.path)) {
				return usagef("--%s would replace the module %s", o.flag, m)
			}
		}
	}
	return nil
}

// sameFile reports whether two paths name one regular file that exists.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil || !x.Mode().IsRegular() {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// open makes the files, under temporary names. discard is to be called afterwards.
func (all outputs) open() (outputs, error) {
	for i := range all {
		if all[i].path == "-" {
			continue
		}
		var err error
		if all[i].file, err = create(all[i].path, nil); err != nil {
			return all, err
		}
	}
	return all, nil
}

// useStdout reports whether one of them goes to stdout, where else the answer is printed.
func (all outputs) useStdout() bool {
	for _, o := range all {
		if o.path == "-" {
			return true
		}
	}
	return false
}

// write writes all of them, and gives them their names.
func (all outputs) write(m *matrix.Matrix, stdout io.Writer) error {
	for _, o := range all {
		b, err := o.write(m)
		if err != nil {
			return err
		}
		if o.file == nil {
			_, err = stdout.Write(b)
		} else {
			_, err = o.file.f.Write(b)
		}
		if err != nil {
			return fileError(o.path, err)
		}
	}
	for _, o := range all {
		if o.file == nil {
			continue
		}
		if err := o.file.finish(); err != nil {
			return err
		}
	}
	return nil
}

// discard removes what did not get its name.
func (all outputs) discard() {
	for _, o := range all {
		if o.file != nil {
			o.file.discard()
		}
	}
}

func writeJSONOf(m *matrix.Matrix) ([]byte, error) { return jsonOf(m.JSON()) }

func writeSARIF(m *matrix.Matrix) ([]byte, error) { return jsonOf(m.SARIF(version())) }

func writeJUnit(m *matrix.Matrix) ([]byte, error) { return m.JUnit(), nil }

func writeHTML(m *matrix.Matrix) ([]byte, error) { return m.HTML(version()), nil }

// jsonOf returns what writeJSON prints.
func jsonOf(v any) ([]byte, error) {
	var b bytes.Buffer
	err := writeJSON(&b, v)
	return b.Bytes(), err
}
