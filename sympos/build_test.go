// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// buildNote is a note with a build-id, after another note.
func buildNote(order binary.AppendByteOrder, id string) []byte {
	var b []byte
	for _, n := range []struct {
		typ        uint32
		name, desc string
	}{{1, "Linux\x00\x00\x00", "abc\x00"}, {noteBuildID, "GNU\x00", id}} {
		size := len(strings.TrimRight(n.name, "\x00")) + 1
		b = order.AppendUint32(b, uint32(size))
		b = order.AppendUint32(b, uint32(len(n.desc)))
		b = append(append(order.AppendUint32(b, n.typ), n.name...), n.desc...)
	}
	return b
}

func TestModuleBuild(t *testing.T) {
	const version = "533BB7E5866E52F63B9ACCB"
	for name, test := range map[string]struct {
		info string
		note []byte
		want Build
	}{
		"neither":    {"name=a\x00", nil, Build{}},
		"build-id":   {"name=a\x00", buildNote(binary.LittleEndian, "12345678901234567890"), Build{ID: strings.Repeat("31323334353637383930", 2)}},
		"srcversion": {"srcversion=" + version + "\x00srcversion=B\x00name=a\x00", nil, Build{SrcVersion: version}},
		"both": {"srcversion=" + version + "\x00name=a\x00", buildNote(binary.LittleEndian, "ab"),
			Build{"6162", version}},
		"id of 21 bytes": {"name=a\x00", buildNote(binary.LittleEndian, "123456789012345678901"), Build{}},
		"cut":            {"name=a\x00", buildNote(binary.LittleEndian, "12345678901234567890")[:50], Build{}},
		"no hash":        {"srcversion=a:b\x00name=a\x00", nil, Build{}},
		"too long":       {"srcversion=" + version + "00\x00name=a\x00", nil, Build{}},
	} {
		e := tinyModule(test.info, tinySymbol{"f", local | fn, 1, 0, 4})
		at := len(e.sections) + 1
		if test.note != nil {
			e.sections = append(e.sections, tinySection{".note.gnu.build-id", 2, 0, test.note})
		}
		b := e.bytes()
		if test.note != nil {
			shoff := binary.LittleEndian.Uint64(b[40:])
			b[shoff+uint64(at)*64+4] = 7 // SHT_NOTE
		}
		table := read(t, source(t, name, b))
		assert.Equal(t, test.want, table.ModuleBuild("a"), name)
		assert.Empty(t, table.Sources[0].BuildID, "which is vmlinux's")
	}
	assert.Equal(t, Build{}, read(t).ModuleBuild("a"))
}

func TestBuildIs(t *testing.T) {
	const version, other = "533BB7E5866E52F63B9ACCB", "533BB7E5866E52F63B9ACCC"
	both, id, src := Build{"ab12", version}, Build{ID: "ab12"}, Build{SrcVersion: version}
	assert.Equal(t, "ab12", both.Identity())
	assert.Equal(t, version, src.Identity())
	assert.Empty(t, Build{}.Identity())
	for _, test := range []struct {
		build       Build
		identity    string
		same, known bool
	}{
		{both, "ab12", true, true},
		{both, "AB12", true, true},
		{both, "ab13", false, true},
		{both, version, true, true},
		{both, other, false, true},
		{id, version, false, false},
		{src, "ab12", false, false},
		{Build{}, "ab12", false, false},
		{Build{}, version, false, false},
	} {
		same, known := test.build.Is(test.identity)
		assert.Equal(t, test.same, same, "%v %s", test.build, test.identity)
		assert.Equal(t, test.known, known, "%v %s", test.build, test.identity)
	}
}

func TestLoadedBuild(t *testing.T) {
	k := NewKernel("k")
	k.Sysfs = t.TempDir()
	write := func(file string, b []byte) {
		path := filepath.Join(k.Sysfs, "module", file)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, b, 0o644))
	}
	write("ext4/initstate", []byte("live\n"))
	write("ext4/notes/.note.gnu.build-id", buildNote(binary.NativeEndian, "ab"))
	write("ext4/srcversion", []byte("533BB7E5866E52F63B9ACCB\n"))
	write("plain/initstate", []byte("live\n"))
	write("builtin/srcversion", []byte("533BB7E5866E52F63B9ACCB\n"))
	for name, want := range map[string]Build{"ext4": {"6162", "533BB7E5866E52F63B9ACCB"}, "plain": {}} {
		build, loaded := k.LoadedBuild(name)
		assert.True(t, loaded, name)
		assert.Equal(t, want, build, name)
	}
	for _, name := range []string{"absent", "builtin", "vmlinux", "../module/ext4", ""} {
		_, loaded := k.LoadedBuild(name)
		assert.False(t, loaded, name)
	}
	k.Sysfs = ""
	_, loaded := k.LoadedBuild("ext4")
	assert.False(t, loaded)
}
