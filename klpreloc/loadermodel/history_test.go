// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

import (
	"debug/elf"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What real kernels did with modules that were made by hand: each case was seen in
// QEMU, on the kernels it names. The model has to agree. lp1 to lp7 are the names
// that those modules had.
func TestRealKernels(t *testing.T) {
	type mistake func(t *testing.T, h *file)
	text := func(object string) string { return ".klp.rela." + object + "..text" }
	unallocated := func(object string) mistake {
		return func(t *testing.T, h *file) { h.section(t, text(object)).Flags &^= elf.SHF_ALLOC }
	}
	rename := func(from, to string) mistake {
		return func(t *testing.T, h *file) {
			for i := range h.symbols {
				if h.symbols[i].Name == from {
					h.symbols[i].Name = to
					return
				}
			}
			require.Fail(t, "no symbol", from)
		}
	}
	arch := func(entries map[int]string) mistake {
		return func(t *testing.T, h *file) {
			stride := 13
			if h.section(t, ".altinstructions").Size%13 != 0 {
				stride = 12
			}
			h.arch(".altinstructions", stride, entries)
		}
	}
	kept := func(t *testing.T, h *file) {
		r := h.section(t, ".rela.text")
		r.data = append(r.data, h.section(t, text("vmlinux")).data...)
	}
	notMoved := func(t *testing.T, h *file) {
		kept(t, h)
		h.section(t, text("vmlinux")).data = nil
	}
	duplicate := func(data bool) mistake {
		return func(t *testing.T, h *file) {
			first := h.section(t, text("vmlinux"))
			p := h.add(first.Name, first.SectionHeader, nil)
			if data {
				p.data = first.data[:24]
				first.data = first.data[24:]
			}
		}
	}
	vmlinuxSymbols := map[string]string{"nr_processes": ".klp.sym.vmlinux.nr_processes,0"}

	for _, c := range []struct {
		name    string
		scheme  Scheme
		fixture string // "": plain
		release string // "": as the scheme's
		patched string // "": as the fixture's
		gate    func(string, uint64, string) string
		mistake mistake
		when    When
		want    string // "": memory is as it is meant to be
	}{
		{name: "lp1", scheme: Linux54, fixture: "para-beside"},
		{name: "lp1", scheme: Linux61},
		{name: "lp1", scheme: Linux612},
		{name: "lp1, section not SHF_ALLOC", scheme: Linux61, mistake: unallocated("vmlinux")},
		{name: "lp1, section not SHF_ALLOC", scheme: Linux612, mistake: unallocated("vmlinux")},
		{
			name: "lp1, symbol left SHN_UNDEF", scheme: Linux61,
			mistake: func(t *testing.T, h *file) {
				for i := range h.symbols {
					if h.symbols[i].Name == vmlinuxSymbols["nr_processes"] {
						h.symbols[i].Section = elf.SHN_UNDEF
					}
				}
			},
			want: "plain: Unknown symbol .klp.sym.vmlinux.nr_processes,0 (err -2) (-2)",
		},
		{name: "position 1 of one", scheme: Linux61, mistake: rename(".klp.sym.vmlinux.nr_processes,0",
			".klp.sym.vmlinux.nr_processes,1")},
		{
			name: "position 2 of one", scheme: Linux61, mistake: rename(".klp.sym.vmlinux.nr_processes,0",
				".klp.sym.vmlinux.nr_processes,2"),
			want: "symbol position 2 for symbol 'nr_processes' in object 'vmlinux' not found (-22)",
		},
		{
			name: "missing symbol", scheme: Linux61, mistake: rename(".klp.sym.vmlinux.nr_processes,0",
				".klp.sym.vmlinux.no_such,0"),
			want: "symbol 'no_such' not found in symbol table (-22)",
		},
		{
			name: "position zz", scheme: Linux612, mistake: rename(".klp.sym.vmlinux.nr_processes,0",
				".klp.sym.vmlinux.nr_processes,zz"),
			want: "symbol .klp.sym.vmlinux.nr_processes,zz has an incorrectly formatted name (-22)",
		},
		{
			name: "position 0 of many", scheme: Linux612,
			mistake: rename(".klp.sym.vmlinux.nr_processes,0", ".klp.sym.vmlinux.name_show,0"),
			want:    "unresolvable ambiguity for symbol 'name_show' in object '(null)' (-22)",
		},
		{name: "original relocation kept as well", scheme: Linux61, mistake: kept,
			want: "Skipping invalid relocation target, existing value is nonzero for type 4"},
		{name: "original relocation kept as well", scheme: Linux612, mistake: kept,
			want: "Invalid relocation target, existing value is nonzero for type 4"},
		{name: "symbol SHN_LIVEPATCH, relocation not moved", scheme: Linux61, mistake: notMoved,
			want: ".text+0x6 (livepatch_stat_show+0x6): memory has"},
		{name: "vmlinux patch, section named after a module", scheme: Linux61, patched: "vmlinux",
			gate: to("ext4"), want: ".text+0x6 (livepatch_stat_show+0x6): memory has 00 00 00 00"},
		{name: "module patch, section named after another", scheme: Linux61, fixture: "alt-module",
			gate: to("jbd2"), want: "(livepatch_ext4_statfs+"},
		{name: "lp2, target loaded", scheme: Linux61},
		{name: "lp2, target loaded later", scheme: Linux61, when: Later},
		{name: "lp2, target loaded later", scheme: Linux612, when: Later},
		{name: "lp2, section not SHF_ALLOC", scheme: Linux61, mistake: unallocated("ext4"),
			want: "oops: BUG: unable to handle page fault"},
		{name: "lp7, vmlinux symbol in module section", scheme: Linux54, gate: to("ext4"),
			patched: "ext4", release: "4.19"},
		{
			name: "lp7, vmlinux symbol in module section", scheme: Linux61, gate: to("ext4"),
			patched: "ext4",
			want:    "invalid access to vmlinux symbol 'nr_processes' from module-specific livepatch relocation section (-22)",
		},
		{name: "lp7, vmlinux section in module patch", scheme: Linux54, patched: "ext4", release: "4.19",
			want: "(livepatch_stat_show+0x6): memory has 00 00 00 00"},
		{name: "lp7, vmlinux section in module patch", scheme: Linux61, patched: "ext4"},
		{name: "module symbols in vmlinux section, target loaded", scheme: Linux61, gate: to("vmlinux")},
		{name: "module symbols in vmlinux section, target absent", scheme: Linux61, gate: to("vmlinux"),
			when: Never, want: "symbol 'ext4_helper' not found in symbol table (-22)"},
		{name: "duplicate section name", scheme: Linux61, mistake: duplicate(true)},
		{name: "duplicate section name", scheme: Linux612, mistake: duplicate(true),
			want: "cannot create duplicate filename '/module/plain/sections/.klp.rela.vmlinux..text' (-17)"},
		{name: "duplicate section name, empty", scheme: Linux61, mistake: duplicate(false)},
		{name: "duplicate section name, empty", scheme: Linux612, mistake: duplicate(false)},
		{name: "lp3, key of vmlinux", scheme: Linux61, fixture: "jump-label"},
		{name: "lp6, no .klp.arch", scheme: Linux54, fixture: "alt-vmlinux",
			want: ".text+0x9 (livepatch_stat_show+0x9): memory has"},
		{name: "lp6, no .klp.arch", scheme: Linux419, fixture: "alt-vmlinux",
			want: ".text+0x9 (livepatch_stat_show+0x9): memory has"},
		{name: "lp6, no .klp.arch", scheme: Linux61, fixture: "alt-vmlinux"},
		{name: "lp6, .klp.arch", scheme: Linux54, fixture: "alt-vmlinux",
			mistake: arch(touched["alt-vmlinux"].alternatives)},
		{name: "lp6, .klp.arch", scheme: Linux419, fixture: "alt-vmlinux",
			mistake: arch(touched["alt-vmlinux"].alternatives)},
		// the old instruction is still there: nopl
		{name: "lp6, .klp.arch", scheme: Linux61, fixture: "alt-vmlinux",
			mistake: arch(touched["alt-vmlinux"].alternatives),
			want:    ".text+0x8 (livepatch_stat_show+0x8): memory has 0f 1f 04 00"},
		{name: "lp5, no .klp.arch", scheme: Linux54, fixture: "alt-module", gate: to("ext4"),
			want: ".text+0x9 (livepatch_ext4_statfs+0x9): memory has"},
		{name: "lp5, no .klp.arch", scheme: Linux61, fixture: "alt-module",
			want: ".text+0x9 (livepatch_ext4_statfs+0x9): memory has"},
		{name: "lp5, .klp.arch", scheme: Linux54, fixture: "alt-module", gate: to("ext4"),
			mistake: arch(touched["alt-module"].alternatives)},
		{name: "lp5, .klp.arch, target later", scheme: Linux54, fixture: "alt-module", gate: to("ext4"),
			mistake: arch(touched["alt-module"].alternatives), when: Later},
	} {
		t.Run(c.scheme.Release+", "+c.name, func(t *testing.T) {
			name := c.fixture
			if name == "" {
				name = "plain"
			}
			release := c.release
			if release == "" && c.scheme.Early {
				release = "6.1"
			} else if release == "" {
				release = "4.19"
			}
			f := find(t, name)
			if c.patched != "" {
				f.Patched = strings.Fields(c.patched)
			}
			gate := c.gate
			if gate == nil {
				gate = owners
			}
			before := fixture(t, release, name)
			h := take(t, before).klp(gate)
			if c.mistake != nil {
				c.mistake(t, h)
			}
			s := f.Scenario(c.scheme)
			s.When = c.when
			if err := Check(before, h.bytes(), s); c.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.want)
			}
		})
	}
}

// lp7 again: from 5.8 on a vmlinux symbol in a module's section keeps the module out, if
// it is loaded after the patch.
func TestVmlinuxSymbolInModuleSectionLater(t *testing.T) {
	f := find(t, "plain")
	f.Patched = []string{"ext4"}
	s := f.Scenario(Linux612)
	s.When = Later
	m, err := Load(take(t, fixture(t, "6.1", "plain")).klp(to("ext4")).bytes(), s)
	require.NoError(t, err)
	assert.EqualError(t, m.Coming("ext4"),
		"invalid access to vmlinux symbol 'nr_processes' from module-specific livepatch relocation section; "+
			"failed to initialize patch 'plain' for module 'ext4' (-22); patch 'plain' failed for module "+
			"'ext4', refusing to load module 'ext4' (-22)")
}

// A jump label's key is read when the module is loaded. Before its relocation is
// written it is its own address, or none.
func TestJumpLabelKeys(t *testing.T) {
	const key = 0xffffffff81345670
	load := func(s Scheme, release, object string) *Machine {
		h := take(t, fixture(t, release, "jump-label")).klp(to(object))
		for i := range h.symbols {
			if object == "ext4" && h.symbols[i].Section == shnLivepatch {
				h.symbols[i].Name = names["ext4_helper"]
			}
		}
		f := find(t, "jump-label")
		f.Patched = []string{object}
		m, err := Load(h.bytes(), f.Scenario(s))
		require.NoError(t, err)
		require.Len(t, m.JumpLabels, 1)
		addr, _ := m.Section(".text")
		assert.Equal(t, addr+5, m.JumpLabels[0].Code)
		assert.Equal(t, addr+10, m.JumpLabels[0].Target)
		return m
	}
	assert.Equal(t, uint64(key), load(Linux61, "6.1", "vmlinux").JumpLabels[0].Key, "lp3")
	// The fixture of 6.1 has 5.4's jump labels, too.
	for _, object := range []string{"vmlinux", "ext4"} {
		m := load(Linux54, "6.1", object)
		addr, _ := m.Section("__jump_table")
		assert.Equal(t, addr+8, m.JumpLabels[0].Key, "lp3 and lp4: itself")
	}
	assert.Zero(t, load(Linux419, "4.19", "vmlinux").JumpLabels[0].Key, "absolute entries: nothing")
	m := load(Linux61, "6.1", "ext4")
	addr, _ := m.Section("__jump_table")
	assert.Equal(t, addr+8, m.JumpLabels[0].Key, "lp4: itself")
}

// A target that is unloaded and loaded again: refused before 6.3, where relocations are not
// taken back.
func TestReload(t *testing.T) {
	f := find(t, "plain")
	before := fixture(t, "6.1", "plain")
	after := take(t, before).klp(owners).bytes()
	for _, c := range []struct {
		scheme Scheme
		want   string
	}{
		{Linux61, "existing value is nonzero"},
		{Linux612, ""},
	} {
		m, err := Load(after, f.Scenario(c.scheme))
		require.NoError(t, err)
		m.Going("ext4")
		if err := m.Coming("ext4"); c.want == "" {
			require.NoError(t, err)
			assert.NoError(t, m.compare(before, f.Patched))
		} else {
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "refusing to load module 'ext4' (-8)")
		}
	}
}

// The one warning that a kernel prints and goes on.
func TestDuplicateWarns(t *testing.T) {
	h := take(t, fixture(t, "6.1", "plain")).klp(owners)
	first := h.section(t, ".klp.rela.vmlinux..text")
	h.add(first.Name, first.SectionHeader, first.data[:24])
	first.data = first.data[24:]
	m, err := Load(h.bytes(), find(t, "plain").Scenario(Linux61))
	require.NoError(t, err)
	assert.Equal(t,
		[]string{"sysfs: cannot create duplicate filename '/module/plain/sections/.klp.rela.vmlinux..text'"}, m.Warnings)
}
