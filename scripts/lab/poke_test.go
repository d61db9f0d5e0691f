// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

// Pokes: a finished module with one field changed. They say what the kernel does
// with a module that is not quite right, and thereby that the right one matters.

const shfRelaLivepatch = 0x00100000

// Offsets in an Elf64_Shdr and of e_shoff in an Elf64_Ehdr.
const (
	ehdrShoff = 0x28
	shdrSize  = 64
	shdrType  = 4
	shdrFlags = 8
)

// header returns a copy of the module and where the header of its section is.
func header(t *testing.T, ko []byte, section string) (poked []byte, at uint64) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(ko))
	require.NoError(t, err)
	for i, s := range f.Sections {
		if s.Name == section {
			return slices.Clone(ko), binary.LittleEndian.Uint64(ko[ehdrShoff:]) + uint64(i)*shdrSize
		}
	}
	require.Fail(t, "no section "+section)
	return nil, 0
}

// without turns a klp relocation section into an inactive one: the header stays,
// so that no number changes, but the kernel passes it over.
func without(t *testing.T, ko []byte, section string) []byte {
	t.Helper()
	poked, at := header(t, ko, section)
	binary.LittleEndian.PutUint32(poked[at+shdrType:], uint32(elf.SHT_NULL))
	binary.LittleEndian.PutUint64(poked[at+shdrFlags:], 0)
	return poked
}

// unmarked takes the flag SHF_RELA_LIVEPATCH off a section.
func unmarked(t *testing.T, ko []byte, section string) []byte {
	t.Helper()
	poked, at := header(t, ko, section)
	flags := binary.LittleEndian.Uint64(poked[at+shdrFlags:])
	require.NotZero(t, flags&shfRelaLivepatch)
	binary.LittleEndian.PutUint64(poked[at+shdrFlags:], flags&^shfRelaLivepatch)
	return poked
}

// renamed puts one name of a section or symbol in place of another as long.
func renamed(t *testing.T, ko []byte, from, to string) []byte {
	t.Helper()
	require.Len(t, to, len(from))
	old := append([]byte(from), 0)
	require.Equal(t, 1, bytes.Count(ko, old), "occurrences of %q", from)
	return bytes.Replace(ko, old, append([]byte(to), 0), 1)
}
