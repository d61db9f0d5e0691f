// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// What inspect says of a file with compact relocations is what conversion says of it: the
// annotations seem to have no relocations, which is no other fault.
func TestDescriptionsNameCompactRelocationsAlone(t *testing.T) {
	f := open(t, "x86_64/records-rfc.ko")
	for _, s := range f.Sections {
		if s.Type == elf.SHT_RELA {
			s.Type = elf.SHT_PROGBITS // the parser knows no relocations of such a type
			f.AddSection(&elfrw.Section{Name: ".crel" + s.Name, Type: 0x40000014, Align: 1, Link: f.Symtab,
				Data: []byte{0}})
		}
	}
	data, err := f.Bytes()
	require.NoError(t, err)
	_, found := klpreloc.Describe(parse(t, data))
	require.Len(t, found, 1)
	assert.Equal(t, diag.Irregular, found[0].ID)
	assert.Contains(t, found[0].Message, "compact relocations")
	assert.NotEmpty(t, found[0].Places)
}
