// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"golang.org/x/exp/slices"
)

// A Release is a suite of Debian whose kernel the lab boots.
type Release struct {
	Series string // of its kernel, what KLP_LAB_KERNELS and subtests call it: 6.12
	Suite  string // trixie
}

// Releases are those the lab knows, oldest kernel first. 7.x is taken from
// backports and not from sid: there it comes with the compiler of a release that
// is there already, and sid's packages may not fit each other on any given day.
var Releases = []Release{
	{"5.10", "bullseye"},
	{"6.1", "bookworm"},
	{"6.12", "trixie"},
	{"7.x", "trixie-backports"},
}

func (r Release) String() string { return fmt.Sprintf("%s (%s)", r.Series, r.Suite) }

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
	return Release{"host", codename}
}

// Selected returns the releases that KLP_LAB_KERNELS names, separated by commas,
// by series or by suite; "host" is the machine's own, "all" is what the lab
// knows. When it names none this is the machine's own.
func Selected() ([]Release, error) {
	return selected(os.Getenv("KLP_LAB_KERNELS"), Host())
}

// Demanded tells whether KLP_LAB_KERNELS asks for certain kernels, so that one
// that is not to be had is a failure.
func Demanded() bool { return os.Getenv("KLP_LAB_KERNELS") != "" }

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
		case "all":
			for _, r := range Releases {
				add(r)
			}
			add(host)
		default:
			i := slices.IndexFunc(Releases, func(r Release) bool {
				return name == r.Series ||
					name == r.Suite
			})
			if i < 0 {
				return nil, fmt.Errorf("KLP_LAB_KERNELS: no release %q: there are host, all and %v",
					name, Releases)
			}
			add(Releases[i])
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
