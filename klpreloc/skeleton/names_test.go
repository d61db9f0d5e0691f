// SPDX-License-Identifier: GPL-2.0-or-later

package skeleton

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/sympos"
)

// No replacement gets a name that something else in the file has.
func TestNamesOfReplacements(t *testing.T) {
	p := &plan{Order: Order{Functions: []Ref{{Object: "a", Name: "init"}, {Object: "b", Name: "f"}},
		Uses: []Ref{{Object: sympos.Vmlinux, Name: "livepatch_used"}}}}
	for _, test := range []struct{ object, name, want string }{
		{"a", "f", "livepatch_f"},
		{"b", "f", "livepatch_f_2"},
		{"b", "f_2", "livepatch_f_2_2"},
		{"a", "init", "livepatch_init_2"},
		{"a", "exit", "livepatch_exit_2"},
		{"a", "used", "livepatch_used_2"},
		{"a", strings.Repeat("x", 600), "livepatch_" + strings.Repeat("x", 600)},
	} {
		r := Ref{Object: test.object, Name: test.name}
		name := p.newName(r)
		assert.Equal(t, test.want, name)
		p.functions = append(p.functions, function{Ref: r, newName: name})
	}
}

func TestNamesThatTheFileHas(t *testing.T) {
	p := &plan{Order: Order{Functions: []Ref{{Object: "8021q", Name: "f"}}}}
	for _, name := range []string{"ready", "objs", "init_module", "funcs_of_8021q", "_8021q_syms",
		"funcs_of_vmlinux"} {
		assert.True(t, p.isOwn(name), name)
	}
	for _, name := range []string{"", "read", "8021q_syms", "vmlinux_syms"} {
		assert.False(t, p.isOwn(name), name)
	}
}

func TestParseRefs(t *testing.T) {
	for text, want := range map[string]Ref{
		"vmlinux:f":      {sympos.Vmlinux, "f", 0},
		"snd-hda:f,12":   {"snd_hda", "f", 12},
		"vmlinux:a:b":    {sympos.Vmlinux, "a:b", 0},
		"vmlinux:a,b,02": {sympos.Vmlinux, "a,b", 2},
	} {
		r, err := ParseRef(text)
		assert.NoError(t, err)
		assert.Equal(t, want, r)
	}
	for _, text := range []string{"", ":", "f", ":f", "vmlinux:", "vmlinux:f,", "vmlinux:f,0",
		"vmlinux:f,-1", "vmlinux:f,+1", "vmlinux:f,0x1", "vmlinux:,1",
		"vmlinux:f,99999999999999999999"} {
		_, err := ParseRef(text)
		assert.Error(t, err, "%q", text)
	}
}
