// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseStanza(t *testing.T) {
	p := parseStanza(`Package: linux-headers-6.1.0-50-amd64
Version: 6.1.176-1
Architecture: amd64
Depends: linux-headers-6.1.0-50-common (= 6.1.176-1), linux-kbuild-6.1 (>= 6.1.176-1), a:any | b
Description: Header files
 with a second line, and a colon: here

Package: another
Version: 7
`)
	assert.Equal(t, pkg{
		Name: "linux-headers-6.1.0-50-amd64", Version: "6.1.176-1", Arch: "amd64",
		Depends: []string{"linux-headers-6.1.0-50-common", "linux-kbuild-6.1", "a"},
	}, p)
}

func TestKernelPartsAreFollowedAndNothingElse(t *testing.T) {
	for name, want := range map[string]bool{
		"linux-image-6.1.0-50-amd64":     true,
		"linux-headers-6.1.0-50-common":  true,
		"linux-kbuild-6.12.107":          true,
		"linux-modules-7.2.13-amd64":     true,
		"linux-binary-7.2.13-amd64":      true,
		"linux-base":                     false,
		"linux-compiler-gcc-12-x86":      false,
		"initramfs-tools":                false,
		"linux-initramfs-tool":           false,
		"not-linux-image-6.1.0-50-amd64": false,
	} {
		assert.Equal(t, want, kernelParts.MatchString(name), name)
	}
}

func TestRebaseRewritesGeneratedMakefile(t *testing.T) {
	root := t.TempDir()
	headers := filepath.Join(root, "usr/src/linux-headers-6.1.0-50-amd64")
	require.NoError(t, os.MkdirAll(headers, 0o755))
	makefile := filepath.Join(headers, "Makefile")
	require.NoError(t, os.WriteFile(makefile, []byte(
		"KBUILD_OUTPUT=/usr/src/linux-headers-6.1.0-50-amd64\n"+
			"include /usr/src/linux-headers-6.1.0-50-common/Makefile\n"), 0o644))
	require.NoError(t, rebase(root, "/cache/entry"))
	text, err := os.ReadFile(makefile)
	require.NoError(t, err)
	assert.Equal(t, "KBUILD_OUTPUT=/cache/entry/usr/src/linux-headers-6.1.0-50-amd64\n"+
		"include /cache/entry/usr/src/linux-headers-6.1.0-50-common/Makefile\n", string(text))
}

func TestAtLeast(t *testing.T) {
	for _, c := range []struct {
		release      string
		major, minor int
		want         bool
	}{
		{"6.1.0-50-amd64", 6, 3, false},
		{"6.1.0-50-amd64", 6, 1, true},
		{"6.12.107+deb13-amd64", 6, 3, true},
		{"7.2.13-amd64", 6, 3, true},
		{"5.10.0-44-amd64", 6, 3, false},
	} {
		assert.Equal(t, c.want, (&Kernel{Release: c.release}).AtLeast(c.major, c.minor), c)
	}
}

func TestInstallLineNamesPackages(t *testing.T) {
	line := InstallLine([]Prerequisite{{Package: "qemu-system-x86"}, {Package: "libelf1"}})
	assert.Equal(t, "apt-get install --no-install-recommends qemu-system-x86 libelf1", line)
}

func TestMissingLooksAtThisMachine(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var names []string
	for _, m := range Missing() {
		names = append(names, m.What)
	}
	assert.Subset(t, names, []string{"qemu-system-x86_64", "gcc", "make", "apt-get", "dpkg-deb"})
}
