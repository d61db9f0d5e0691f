// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"golang.org/x/exp/slices"
)

// A Release is a kernel that the lab boots, and the suite of Debian that it is from.
type Release struct {
	Series string // what KLP_LAB_KERNELS and subtests call it: 6.12, s390x-6.12
	Suite  string // trixie
	Arch   string // of Arches: the lab builds the kernel; "": Debian's own, for x86_64
	Root   string // directory of a kernel that is taken as it is (root.go); "": none
}

// Releases are those the lab knows, oldest kernel first. 7.x is taken from
// backports and not from sid: there it comes with the compiler of a release that
// is there already, and sid's packages may not fit each other on any given day.
var Releases = []Release{
	{Series: "5.10", Suite: "bullseye"},
	{Series: "6.1", Suite: "bookworm"},
	{Series: "6.12", Suite: "trixie"},
	{Series: "7.x", Suite: "trixie-backports"},
}

// Foreign are the kernels for other machines than x86_64 that the lab builds (cross.go),
// from the suites' source packages: Debian's own are without livepatching. The first of an
// architecture is meant by its name.
var Foreign = []Release{
	{Series: "s390x-6.12", Suite: "trixie", Arch: "s390x"},
	{Series: "ppc64le-6.12", Suite: "trixie", Arch: "ppc64le"},
	{Series: "arm64-7.x", Suite: "trixie-backports", Arch: "arm64"},
	{Series: "loongarch64-7.x", Suite: "trixie-backports", Arch: "loongarch64"},
	{Series: "s390x-7.x", Suite: "trixie-backports", Arch: "s390x"},
	{Series: "ppc64le-7.x", Suite: "trixie-backports", Arch: "ppc64le"},
}

func (r Release) String() string {
	if r.Root != "" {
		return r.Root
	}
	return fmt.Sprintf("%s (%s)", r.Series, r.Suite)
}

// packaged tells whether the kernel comes from packages of its own.
func (r Release) packaged() bool { return r.Arch == "" && r.Root == "" }

// debian is the release whose packages the kernel is made from.
func (r Release) debian() Release {
	if i := slices.IndexFunc(Releases, func(d Release) bool { return d.Suite == r.Suite }); i >= 0 {
		return Releases[i]
	}
	return r
}

// base is the suite that has the compiler, and all else that backports has not.
func (r Release) base() Release {
	base := strings.TrimSuffix(r.Suite, "-backports")
	if i := slices.IndexFunc(Releases, func(r Release) bool { return r.Suite == base }); i >= 0 {
		return Releases[i]
	}
	return r
}

// Host is the machine's own release. One that the lab does not know has the
// series "host"; it may not even be Debian's.
func Host() Release {
	return hostOf(codename())
}

func hostOf(codename string) Release {
	for _, r := range Releases {
		if r.Suite == codename {
			return r
		}
	}
	return Release{Series: "host", Suite: codename}
}

// Selected returns the releases that KLP_LAB_KERNELS names, separated by commas,
// by series, suite or architecture; "host" is the machine's own, "debian" are Debian's,
// "foreign" those for other machines, "all" is both. To these come the kernels that
// KLP_LAB_ROOT names. When neither names any, this is the machine's own.
func Selected() ([]Release, error) {
	given, err := roots(os.Getenv("KLP_LAB_ROOT"))
	if err != nil || len(given) > 0 && os.Getenv("KLP_LAB_KERNELS") == "" {
		return given, err
	}
	list, err := selected(os.Getenv("KLP_LAB_KERNELS"), Host())
	return append(list, given...), err
}

// Demanded tells whether KLP_LAB_KERNELS or KLP_LAB_ROOT asks for certain kernels, so that
// one that is not to be had is a failure.
func Demanded() bool {
	return os.Getenv("KLP_LAB_KERNELS") != "" || os.Getenv("KLP_LAB_ROOT") != ""
}

func selected(names string, host Release) ([]Release, error) {
	var list []Release
	add := func(r Release) {
		if !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	if names == "" {
		names = "host"
	}
	for _, name := range strings.Split(names, ",") {
		switch name = strings.TrimSpace(name); name {
		case "host":
			add(host)
		case "all", "debian", "foreign":
			if name != "foreign" {
				for _, r := range Releases {
					add(r)
				}
				add(host)
			}
			if name != "debian" {
				for _, r := range Foreign {
					add(r)
				}
			}
		default:
			known := append(slices.Clone(Releases), Foreign...)
			i := slices.IndexFunc(known, func(r Release) bool {
				return name == r.Series || name == r.Arch || r.Arch == "" && name == r.Suite
			})
			if i < 0 {
				return nil, fmt.Errorf("KLP_LAB_KERNELS: no kernel %q: there are host, debian, "+
					"foreign, all and %v", name, known)
			}
			add(known[i])
		}
	}
	return list, nil
}

var codenameRE = regexp.MustCompile(`(?m)^VERSION_CODENAME="?([a-z]+)`)

// codename is the name of the machine's own release, "" when it has none.
func codename() string {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return ""
	}
	if m := codenameRE.FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}
