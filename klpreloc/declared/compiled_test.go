// SPDX-License-Identifier: GPL-2.0-or-later

package declared_test

import (
	"debug/elf"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/declared"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
	"github.com/klp-convert/klp-convert/sympos/typestest"
)

func readTypes(t *testing.T, name string) *ctypes.Types {
	return typestest.Read(t, "../../testdata/types", name)
}

// compareAll returns the differences between the declarations of patch.c and the kernel.
func compareAll(t *testing.T, machine elf.Machine, patch, kernel *ctypes.Types) (lines []string) {
	add := func(what string, c declared.Comparison) {
		for _, d := range c.Differences {
			lines = append(lines, fmt.Sprintf("%s: %s: %s%s", what, d.Severity, prefix(d.Place), d.Why))
		}
		for _, u := range c.Unjudged {
			lines = append(lines, what+": unjudged: "+u)
		}
	}
	for _, name := range []string{"is_ready", "read_device", "narrow", "nothing", "log_it", "walk"} {
		ours, err := patch.Functions(name)
		require.NoError(t, err)
		theirs, err := kernel.Functions(name)
		require.NoError(t, err)
		require.NotEmpty(t, ours, name)
		require.NotEmpty(t, theirs, name)
		all, _ := declared.Functions(machine, declared.Borrowed, ours[0], theirs)
		add(name, all[0])
	}
	for _, name := range []string{"table", "first_device", "banner", "counters", "mode"} {
		ours, err := patch.Variables(name)
		require.NoError(t, err)
		theirs, err := kernel.Variables(name)
		require.NoError(t, err)
		require.NotEmpty(t, ours, name)
		require.NotEmpty(t, theirs, name)
		add(name, declared.Variable(machine, ours[0], theirs[0]))
	}
	for _, y := range []struct {
		kind ctypes.Kind
		name string
	}{{ctypes.Struct, "list"}, {ctypes.Struct, "device"}, {ctypes.Enum, "color"}} {
		ours, err := patch.Named(y.kind, y.name)
		require.NoError(t, err)
		theirs, err := kernel.Named(y.kind, y.name)
		require.NoError(t, err)
		require.Len(t, ours, 1)
		require.Len(t, theirs, 1)
		add(y.name, declared.Layout(machine, ours[0], theirs[0]))
	}
	return lines
}

func prefix(place string) string {
	if place == "" {
		return ""
	}
	return place + ": "
}

// What patch.c declares otherwise than kernel.c is found, whatever describes the kernel.
func TestCompiledDeclarations(t *testing.T) {
	const wrong, note = ": wrong code: ", ": note: "
	want := []string{
		"is_ready" + wrong + "return value: the kernel sets 1 byte, the rest of the 4 that are " +
			"read is undefined",
		"read_device" + wrong + "the function reads a parameter that is not passed",
		"narrow" + wrong + "parameter 2 (b): the value is extended in another way",
		"log_it" + wrong + "functions that end with ... find their arguments elsewhere",
		"walk" + note + "parameter 1 (visit): the function that it points to differs in its " +
			"parameter 1: it points to something of another name",
		"walk" + note + "parameter 3 (l): it points to something of another name",
		"first_device" + wrong + "one is a struct, the other is not",
		"banner" + wrong + "8 elements where there are 16",
		"banner" + note + "it is read-only: a write is a fault",
		"mode" + wrong + "the value is extended in another way",
		"device" + wrong + "second: it has another number of bits",
		"device" + wrong + "third: it is in another place",
		"device" + wrong + "ready: it is in another place",
		"device" + wrong + "whole: the kernel does not have it",
		"device" + note + "pointer: it has another name",
		"device" + wrong + "read: the function that it points to differs in its parameter 3: the " +
			"livepatch uses 4 bytes, the kernel 8",
		"device" + note + "word: the livepatch does not have it",
		"device" + note + "u.number: the livepatch does not have it",
		"device" + note + "tail: the livepatch does not have it",
		"color" + wrong + "GREEN: it has another value",
		"color" + wrong + "BLUE: it has another value",
		"color" + wrong + "BLACK: the kernel does not have it",
	}
	for _, kernel := range []string{"btf", "dwarf2", "dwarf4", "dwarf5"} {
		got := compareAll(t, elf.EM_X86_64, readTypes(t, "x86_64-patch"),
			readTypes(t, "x86_64-"+kernel))
		assert.Equal(t, want, got, kernel)
	}
}

// A kernel compared with itself, as BTF and in each version of DWARF, has no difference.
func TestNoFalseAlarm(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"x86_64": elf.EM_X86_64,
		"s390x": elf.EM_S390} {
		names := []string{arch + "-btf", arch + "-dwarf2", arch + "-dwarf3", arch + "-dwarf4",
			arch + "-dwarf5"}
		if arch == "x86_64" {
			names = append(names, "x86_64-clang", "x86_64-units4", "x86_64-units5")
		}
		for _, a := range names {
			for _, b := range names {
				assert.Empty(t, compareAll(t, machine, readTypes(t, a), readTypes(t, b)), "%s, %s",
					a, b)
			}
		}
	}
}
