// SPDX-License-Identifier: GPL-2.0-or-later

package kernel

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/exp/slices"
)

// Kernels of distributions carry what mainline has under newer numbers, or never had. Their
// releases tell them.

// VendorEarly reports whether a release is one of those that vendors gave the scheme of
// 5.8: RHEL 8 from 4.18.0-284.el8 on, SLE and openSUSE since August 2020 (4.12.14 and
// 5.3.18), whose releases don't tell their date.
func VendorEarly(release string) bool {
	// 4.18.0-553.8.1.el8_10.x86_64, but not 5.4.277-1.el8.elrepo.x86_64, which is mainline's.
	el8 := func(part string) bool { return part == "el8" || strings.HasPrefix(part, "el8_") }
	if rest, ok := strings.CutPrefix(release, "4.18.0-"); ok {
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end <= 0 || !slices.ContainsFunc(strings.Split(rest, "."), el8) {
			return false
		}
		build, err := strconv.ParseUint(rest[:end], 10, 32)
		return err == nil && build >= 284
	}
	return strings.HasPrefix(release, "4.12.14-") || strings.HasPrefix(release, "5.3.18-")
}

// debian are the releases of Debian's kernels, which have patches of their own: 6.1.0-56-amd64,
// 6.1.0-0.deb11.21-amd64, 6.12.117+deb13-amd64. Ubuntu numbers its own in the same way, and
// has other flavours: 5.15.0-91-generic.
var (
	debian = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\+deb\d+|^\d+\.\d+\.0-(\d+|0\.(bpo|deb\d+)\.\d+)-`)
	})
	ubuntu = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`-(generic|lowlatency|realtime|aws|azure|gcp|gke|gkeop|ibm|intel|` +
			`kvm|nvidia|oem|oracle|raspi|xilinx)(-|$)`)
	})
)

// ofDebian reports whether a release is one of Debian's.
func ofDebian(release string) bool {
	return debian().MatchString(release) && !ubuntu().MatchString(release)
}
