// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
)

// Which build of each livepatched module was looked at: klp_target= in .modinfo.

// builtModule writes a module with what the borrower takes from ext4, with a build-id of two
// bytes and more entries of .modinfo.
func builtModule(t testing.TB, name, id, info string) string {
	t.Helper()
	path := moduleFile(t, name, "a.c: mod_call mod_value")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	f := parse(t, b)
	if id != "" {
		f.AddSection(&elfrw.Section{Name: ".note.gnu.build-id", Type: elf.SHT_NOTE, Flags: 2, Align: 4,
			Data: []byte("\x04\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00GNU\x00" + id + "\x00\x00")})
	}
	s := section(t, f, ".modinfo")
	s.Data = append(s.Data, info...)
	path = filepath.Join(t.TempDir(), name+".ko")
	require.NoError(t, os.WriteFile(path, encode(t, f), 0o644))
	return path
}

// targetsOf returns the entries of a module.
func targetsOf(f *elfrw.File) []string { return klpabi.ReadModinfo(f).Values("klp_target") }

func TestBuildsAreRecorded(t *testing.T) {
	const version, recorded = "533BB7E5866E52F63B9ACCB", ".modinfo: recorded: klp_target="
	entries := func(text string) func(t *testing.T, f *elfrw.File) {
		return func(t *testing.T, f *elfrw.File) {
			s := section(t, f, ".modinfo")
			s.Data = append(s.Data, text...)
		}
	}
	vmlinux := kallsyms[:strings.Index(kallsyms, "ffffffffc")]
	ext4, other := builtModule(t, "ext4", "ab", ""), builtModule(t, "an_other", "cd", "")
	for name, test := range map[string]struct {
		files   []string
		edit    func(t *testing.T, f *elfrw.File)
		options klpreloc.Options
		want    []string
		said    string // KLP091
	}{
		"build-id": {files: []string{ext4}, want: []string{"ext4:6162"}, said: recorded + "ext4:6162"},
		"srcversion": {
			files: []string{builtModule(t, "ext4", "", "srcversion="+version+"\x00")},
			want:  []string{"ext4:" + version}, said: recorded + "ext4:" + version,
		},
		"neither":       {files: []string{builtModule(t, "ext4", "", "")}},
		"not asked for": {files: []string{ext4}, options: klpreloc.Options{NoTargetID: true}},
		"not patched": {
			files: []string{ext4, builtModule(t, "btrfs", "cd", "")},
			want:  []string{"ext4:6162"}, said: recorded + "ext4:6162",
		},
		"the author's": {
			files: []string{ext4}, edit: entries("klp_target=ext4:ffff\x00klp_target=ext4:6162\x00"),
			want: []string{"ext4:ffff", "ext4:6162"},
		},
		"another build than the author's": {
			files: []string{ext4}, edit: entries("klp_target=ext4:ffff\x00"),
			want: []string{"ext4:ffff"},
			said: "the module is for build ffff of ext4 (klp_target= in .modinfo), and symbols are looked " +
				"up in build 6162",
		},
		"no NUL at the end": {
			files: []string{ext4}, edit: entries("last=1"),
			want: []string{"ext4:6162"}, said: recorded + "ext4:6162",
		},
	} {
		f := borrower(t)
		if test.edit != nil {
			test.edit(t, f)
		}
		before := klpabi.ReadModinfo(f)
		test.options.Kernel = withModules(t, vmlinux, test.files...)
		after, found := convertedAgainst(t, f, test.options)
		assert.Equal(t, test.want, targetsOf(after), name)
		assert.Equal(t, before, klpabi.ReadModinfo(after)[:len(before)], name)
		said := ""
		for _, d := range with(diag.TargetBuild, found) {
			said += d.String()
		}
		assert.Equal(t, test.said, said, name)
		// A second conversion finds everything done, whatever the kernel is.
		again, found := against(t, after, klpreloc.Options{Kernel: withModules(t, vmlinux,
			builtModule(t, "ext4", "zz", ""))})
		require.NotNil(t, again, "%v", found)
		assert.True(t, again.Empty(), name)
	}

	// Several are sorted by their names.
	f := borrower(t, "zfs", "an_other")
	after, _ := convertedAgainst(t, f, klpreloc.Options{Kernel: withModules(t, vmlinux, ext4, other,
		builtModule(t, "zfs", "ef", ""))})
	assert.Equal(t, []string{"an_other:6364", "ext4:6162", "zfs:6566"}, targetsOf(after))
}

// A livepatch with nothing to convert gets its entries too, unless it is signed, was converted,
// or cannot be edited.
func TestBuildsOfPlainLivepatches(t *testing.T) {
	o := klpreloc.Options{Kernel: withModules(t, kallsyms[:strings.Index(kallsyms, "ffffffffc")]+
		"ffffffff81fff000 T exported\nffffffff81fff100 r __ksymtab_exported\n",
		builtModule(t, "a", "ab", ""))}
	plain := func(t *testing.T) *elfrw.File {
		f := open(t, "odd/nothing-to-convert.ko")
		code(t, f, "a_fn")
		testmodule.Declare(t, f, []string{"a"}, map[string][]testmodule.Func{
			"a": {{Old: "old", New: "a_fn"}}}, "")
		return reread(t, f)
	}
	after, found := convertedAgainst(t, plain(t), o)
	assert.Equal(t, []string{"a:6162"}, targetsOf(after))
	assert.Empty(t, with(diag.NothingToConvert, found))

	signed := plain(t)
	signed.Trailer = []byte("junk~Module signature appended~\n")
	loose := parse(t, encode(t, irregular(t, encode(t, plain(t)))))
	for name, f := range map[string]*elfrw.File{"signed": signed, "irregular": loose} {
		plan, found := against(t, f, o)
		require.NotNil(t, plan, "%s: %v", name, found)
		assert.True(t, plan.Empty(), name)
		assert.Empty(t, plan.Claims.Targets, name)
		the(t, diag.NothingToConvert, found)
	}
	off := o
	off.NoTargetID = true
	plan, found := against(t, plain(t), off)
	require.NotNil(t, plan, "%v", found)
	assert.True(t, plan.Empty())
}

// The proof knows what .modinfo has to be.
func TestProofOfBuilds(t *testing.T) {
	before := encode(t, borrower(t))
	f := parse(t, before)
	plan, found := klpreloc.NewPlan(f, klpreloc.Options{Kernel: withModules(t,
		kallsyms[:strings.Index(kallsyms, "ffffffffc")], builtModule(t, "ext4", "ab", ""))})
	require.NotNil(t, plan, "%v", found)
	assert.Equal(t, []string{"ext4:6162"}, plan.Info().Targets)
	assert.Contains(t, plan.Info().Rewrites, ".modinfo")
	require.NoError(t, plan.Apply())
	after := encode(t, f)
	require.NoError(t, proof.Check(parse(t, before), parse(t, after), plan.Claims, nil))
	for _, targets := range [][]string{nil, {"ext4:6163"}, {"ext4:6162", "ext4:6162"}} {
		claims := plan.Claims
		claims.Targets = targets
		assert.ErrorContains(t, proof.Check(parse(t, before), parse(t, after), claims, nil),
			"contents of .modinfo changed")
	}
}
