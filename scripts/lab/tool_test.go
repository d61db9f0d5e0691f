// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

// Conversions that differ from the plain one: with flags, with warnings that
// matter, or refused.

// klpConvert runs the tool and returns what it wrote, nil if nothing, and what it printed.
func (w *workbench) klpConvert(t *testing.T, name string, flags ...string) (out []byte,
	printed string) {
	t.Helper()
	dir := t.TempDir()
	in, to := filepath.Join(dir, name), filepath.Join(dir, "out.ko")
	require.NoError(t, os.WriteFile(in, w.built(t, name), 0o644))
	text, err := exec.Command(w.tool, append(slices.Clone(flags), in, to)...).CombinedOutput()
	if err != nil {
		require.NoFileExists(t, to)
		return nil, string(text)
	}
	out, err = os.ReadFile(to)
	require.NoError(t, err)
	return out, string(text)
}

// warned returns the module converted with the flags, which brings about warnings
// with these ids and no other.
func (w *workbench) warned(t *testing.T, name string, ids []string, flags ...string) []byte {
	t.Helper()
	out, printed := w.klpConvert(t, name, flags...)
	require.NotNil(t, out, "%s", printed)
	var got []string
	for _, line := range strings.Split(printed, "\n") {
		if _, id, found := strings.Cut(line, "[KLP"); found {
			assert.Contains(t, line, ": warning: ")
			got = append(got, "KLP"+strings.TrimSuffix(id, "]"))
		}
	}
	slices.Sort(got)
	assert.Equal(t, ids, slices.Compact(got), "%s", printed)
	return out
}

// refused wants the tool to refuse the module by an error with this id.
func (w *workbench) refused(t *testing.T, name, id string, flags ...string) {
	t.Helper()
	out, printed := w.klpConvert(t, name, flags...)
	require.Nil(t, out, "%s is converted, not refused with %s", name, id)
	for _, line := range strings.Split(printed, "\n") {
		if strings.Contains(line, ": error: ") {
			assert.Contains(t, line, "["+id+"]")
		}
	}
}

// forced returns a module that the tool refuses by this id, but converts with
// --unsafe, with a warning of the same id.
func (w *workbench) forced(t *testing.T, name, id string, others ...string) []byte {
	t.Helper()
	w.refused(t, name, id)
	return w.warned(t, name, append([]string{id}, others...), "--unsafe")
}

// section returns the bytes of a module's section, nil if it does not exist.
func section(t *testing.T, ko []byte, name string) []byte {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(ko))
	require.NoError(t, err)
	s := f.Section(name)
	if s == nil || s.Type == elf.SHT_NULL {
		return nil
	}
	data, err := s.Data()
	require.NoError(t, err)
	return data
}

// modinfo returns the value of a key in .modinfo.
func modinfo(t *testing.T, ko []byte, key string) string {
	t.Helper()
	for _, entry := range strings.Split(string(section(t, ko, ".modinfo")), "\x00") {
		if k, value, _ := strings.Cut(entry, "="); k == key {
			return value
		}
	}
	require.Fail(t, "no "+key+"= in .modinfo")
	return ""
}
