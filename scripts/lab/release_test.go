// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/need"
)

var (
	bullseye  = Release{Series: "5.10", Suite: "bullseye"}
	bookworm  = Release{Series: "6.1", Suite: "bookworm"}
	trixie    = Release{Series: "6.12", Suite: "trixie"}
	backports = Release{Series: "7.x", Suite: "trixie-backports"}
)

func TestSelected(t *testing.T) {
	forky := Release{Series: "host", Suite: "forky"}
	for _, c := range []struct {
		names string
		host  Release
		want  []Release
	}{
		{"", bookworm, []Release{bookworm}},
		{"", forky, []Release{forky}},
		{"host", bookworm, []Release{bookworm}},
		{"debian", bookworm, []Release{bullseye, bookworm, trixie, backports}},
		{"debian", forky, []Release{bullseye, bookworm, trixie, backports, forky}},
		{"foreign", bookworm, Foreign},
		{"all", bookworm, append([]Release{bullseye, bookworm, trixie, backports}, Foreign...)},
		{"s390x,s390x-7.x", bookworm, []Release{
			{Series: "s390x-6.12", Suite: "trixie", Arch: "s390x"},
			{Series: "s390x-7.x", Suite: "trixie-backports", Arch: "s390x"}}},
		{"5.10, trixie-backports", bookworm, []Release{bullseye, backports}},
		{"6.1,host", bookworm, []Release{bookworm}},
	} {
		got, err := selected(c.names, c.host)
		require.NoError(t, err, c.names)
		assert.Equal(t, c.want, got, "%q on %v", c.names, c.host)
	}
	_, err := selected("6.1,6.2", bookworm)
	assert.ErrorContains(t, err, `no kernel "6.2"`)
}

// What the lab is to build has a recipe, an architecture, and packages to come from.
func TestForeignKernelsAreKnown(t *testing.T) {
	for _, r := range Foreign {
		assert.Contains(t, treeKinds, r.Series)
		assert.Contains(t, Arches, r.Arch)
		assert.Contains(t, Releases, r.debian())
		assert.Empty(t, r.debian().base().Arch)
		_, err := treeConfigs.ReadFile("tree." + r.Arch + ".config")
		assert.NoError(t, err)
	}
}

func TestRootTellsWhatItLacks(t *testing.T) {
	dir := t.TempDir()
	list, err := roots(dir)
	require.NoError(t, err)
	require.Len(t, list, 1)
	_, err = openRoot(nil, list[0], t.Logf)
	assert.ErrorContains(t, err, "the image to boot")
	assert.ErrorContains(t, err, "the tree to build modules against")
	assert.ErrorContains(t, err, "the configuration")

	require.NoError(t, os.MkdirAll(filepath.Join(dir, "lib/modules/5.4.0/build"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "boot"), 0o755))
	config := "CONFIG_S390=y\nCONFIG_LIVEPATCH=y\n# CONFIG_MODULES is not set\n"
	for name, text := range map[string]string{
		"vmlinuz-5.4.0": "", "System.map-5.4.0": "", "config-5.4.0": "\n" + config,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "boot", name), []byte(text), 0o644))
	}
	assert.Equal(t, "s390x", list[0].arch().Name)
	_, err = openRoot(nil, list[0], t.Logf)
	assert.ErrorContains(t, err, "a guest of the lab needs CONFIG_MODULES, CONFIG_MODULE_UNLOAD,")
	assert.NotContains(t, err.Error(), "CONFIG_LIVEPATCH")

	_, err = roots(filepath.Join(dir, "none"))
	assert.ErrorContains(t, err, "is not a directory")
}

func TestHostOf(t *testing.T) {
	assert.Equal(t, trixie, hostOf("trixie"))
	assert.Equal(t, Release{Series: "host", Suite: "forky"}, hostOf("forky"))
	assert.Equal(t, trixie, backports.base())
	assert.Equal(t, bookworm, bookworm.base())
}

func TestParseList(t *testing.T) {
	assert.Equal(t, []origin{
		{"http://a.invalid/debian", "bookworm", ""},
		{"http://a.invalid/security", "bookworm-security", "/keys.gpg"},
	}, parseList(`# deb http://a.invalid/debian old main
deb http://a.invalid/debian bookworm main contrib
deb-src http://a.invalid/debian bookworm main
deb [arch=amd64 signed-by=/keys.gpg] http://a.invalid/security bookworm-security main
deb http://a.invalid/half`))
}

func TestParseSources(t *testing.T) {
	assert.Equal(t, []origin{
		{"http://a.invalid/debian", "bookworm", "/keys.gpg"},
		{"http://a.invalid/debian", "bookworm-updates", "/keys.gpg"},
		{"http://b.invalid", "x", ""},
	}, parseSources(`Types: deb deb-src
# URIs: http://snapshot.invalid
URIs: http://a.invalid/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys.gpg

Types: deb-src
URIs: http://s.invalid
Suites: x

Types: deb
Enabled: no
URIs: http://n.invalid
Suites: x

types: deb
uris: http://b.invalid
suites: x`))
}

// The machine's mirror is the only one that is ever asked.
func TestSourcesForAnotherRelease(t *testing.T) {
	machine := []origin{
		{"http://other.invalid/apt", "stable", "/other.gpg"},
		{"http://a.invalid/debian", "bookworm", "/keys.gpg"},
		{"http://a.invalid/debian", "bookworm-updates", "/keys.gpg"},
		{"http://a.invalid/security", "bookworm-security", ""},
	}
	text, err := sourcesFor(backports, machine, "bookworm")
	require.NoError(t, err)
	assert.Equal(t, `Types: deb
URIs: http://a.invalid/debian
Suites: trixie trixie-updates trixie-backports
Components: main
Signed-By: /keys.gpg

Types: deb
URIs: http://a.invalid/security
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

`, text)
	_, err = sourcesFor(trixie, machine, "noble")
	assert.ErrorContains(t, err, `no source for a Debian release "noble"`)
	_, err = sourcesFor(trixie, nil, "")
	assert.Error(t, err)
}

func TestParsePlan(t *testing.T) {
	assert.Equal(t, []pkg{
		{Name: "gcc-14-base", Version: "14.2.0-19", Arch: "amd64"},
		{Name: "libc6", Version: "2.41-12+deb13u4", Arch: "amd64"},
		{Name: "debconf", Version: "1.5.91", Arch: "all"},
	}, parsePlan(`NOTE: This is only a simulation!
Inst gcc-14-base (14.2.0-19 Debian:13.7/stable [amd64])
Inst libc6 (2.41-12+deb13u4 Debian:13.7/stable, Debian-Security:13/stable-security [amd64]) []
Conf libc6 (2.41-12+deb13u4 Debian:13.7/stable [amd64])
Inst debconf (1.5.91 Debian:13.7/stable [all])
`))
}

// A program of another release sees this machine's files, and has another /usr.
func TestCommandHasAnotherUsr(t *testing.T) {
	if err := namespaces(); err != nil {
		need.Lab(t, err.Error())
	}
	usr := t.TempDir()
	k := &Kernel{tools: usr}
	_, err := run(k.Command("sh", "-c", "true"))
	assert.Error(t, err, "no usr directory to mount")
	assert.FileExists(t, "/usr/bin/env", "nothing of this is seen outside")
	k.tools = "/"
	_, err = run(k.Command("test", "-e", "/usr/bin/env"))
	assert.NoError(t, err)
	k.tools = "" // this machine's, as it is
	_, err = run(k.Command("sh", "-c", "true"))
	assert.NoError(t, err)
}
