// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

// buildNote is a note with a build-id of four bytes.
func buildNote(order binary.AppendByteOrder, id string) []byte {
	b := order.AppendUint32(nil, 4)
	b = order.AppendUint32(b, 4)
	return append(order.AppendUint32(b, 3), "GNU\x00"+id...)
}

func TestBuilds(t *testing.T) {
	const (
		version = "533BB7E5866E52F63B9ACCB"
		other   = "AAAAAAAAAAAAAAAAAAAAAAA"
		fix     = "build the livepatch again for that a, and convert it with --kernel kernel"
	)
	for name, test := range map[string]struct {
		targets  string // klp_target= of the livepatch
		id, src  string // of a's file
		unbuilt  bool
		loaded   map[string]string // files of /sys/module/a
		messages []string
		unjudged string
	}{
		"same":           {targets: "klp_target=a:61626364\x00", id: "abcd"},
		"one of several": {targets: "klp_target=a:00\x00klp_target=a:61626364\x00", id: "abcd"},
		"srcversion":     {targets: "klp_target=a:" + version + "\x00", id: "abcd", src: version},
		"none":           {id: "abcd"},
		"unreadable":     {targets: "klp_target=a\x00klp_target=:00\x00klp_target=\x00", id: "abcd"},
		"not patched":    {targets: "klp_target=zfs:00\x00klp_target=vmlinux:00\x00", id: "abcd"},
		"other": {targets: "klp_target=a:00\x00", id: "abcd", messages: []string{
			"the livepatch is for build 00 of a, and a.ko is build 61626364"}},
		"none of several": {targets: "klp_target=a:00\x00klp_target=a:01\x00", id: "abcd", messages: []string{
			"the livepatch is for build 00 or 01 of a, and a.ko is build 61626364"}},
		"other srcversion": {targets: "klp_target=a:" + other + "\x00", id: "abcd", src: version,
			messages: []string{"the livepatch is for build " + other + " of a, and a.ko is build " + version}},
		"another kind": {targets: "klp_target=a:" + version + "\x00", id: "abcd",
			unjudged: "whether a.ko is the build that the livepatch is for"},
		"nothing in the file": {targets: "klp_target=a:00\x00",
			unjudged: "whether a.ko is the build that the livepatch is for"},
		"no file": {targets: "klp_target=a:00\x00", unbuilt: true,
			unjudged: "whether a is the build that the livepatch is for"},
		"loaded is the same": {
			targets: "klp_target=a:61626364\x00", id: "abcd",
			loaded: map[string]string{"notes/.note.gnu.build-id": string(buildNote(native, "abcd"))},
		},
		"loaded is another": {
			targets: "klp_target=a:61626364\x00", id: "abcd",
			loaded: map[string]string{"notes/.note.gnu.build-id": string(buildNote(native, "abce"))},
			messages: []string{
				"the livepatch is for build 61626364 of a, and the a that is loaded is build 61626365"},
		},
		"both are others": {
			targets: "klp_target=a:" + other + "\x00", src: version,
			loaded: map[string]string{"srcversion": version + "\n"},
			messages: []string{
				"the livepatch is for build " + other + " of a, and a.ko is build " + version,
				"the livepatch is for build " + other + " of a, and the a that is loaded is build " + version,
			},
		},
		"nothing in what is loaded": {
			targets: "klp_target=a:61626364\x00", id: "abcd", loaded: map[string]string{},
			unjudged: "whether the a that is loaded is the build that the livepatch is for",
		},
	} {
		w := good()
		w.unbuilt = test.unbuilt
		w.target = func(t *testing.T, f *elfrw.File) {
			if test.id != "" {
				f.AddSection(&elfrw.Section{Name: ".note.gnu.build-id", Type: elf.SHT_NOTE, Flags: 2,
					Align: 4, Data: buildNote(binary.LittleEndian, test.id)})
			}
			if test.src != "" {
				s := section(t, f, ".modinfo")
				s.Data = append(s.Data, "srcversion="+test.src+"\x00"...)
			}
		}
		f := w.convert(t)
		s := section(t, f, ".modinfo")
		s.Data = append(s.Data, test.targets...)
		k := w.kernel(t)
		_, file, _ := k.ModuleFile("a")
		dir := filepath.Dir(file) + "/"
		if test.loaded != nil {
			k.Sysfs = t.TempDir()
			test.loaded["initstate"] = "live\n"
		}
		for file, text := range test.loaded {
			path := filepath.Join(k.Sysfs, "module/a", file)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
		r, err := loader.Open(encode(t, f)).Check(loader.Options{Kernel: k})
		require.NoError(t, err)
		assert.True(t, r.Loads(), name)
		var messages, unjudged []string
		for _, d := range r.Findings {
			if d.ID == diag.OtherTarget {
				messages = append(messages, strings.ReplaceAll(d.Message, dir, ""))
				assert.Equal(t, "a", d.Symbol, name)
				assert.Contains(t, d.Hints, fix, name)
			}
		}
		for _, u := range r.NotJudged() {
			unjudged = append(unjudged, strings.ReplaceAll(u.What, dir, ""))
		}
		assert.Equal(t, test.messages, messages, name)
		assert.Equal(t, len(test.messages), r.Problems(), "%s: %+v", name, r.Findings)
		if test.unjudged != "" {
			assert.Contains(t, unjudged, test.unjudged, name)
		} else {
			assert.NotContains(t, strings.Join(unjudged, "\n"), "is the build", name)
		}
	}
}

var native = binary.NativeEndian
