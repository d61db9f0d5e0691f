// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"fmt"
	"os"
	"path/filepath"
)

// A machine that is kept up needs more than a compiler: what makes and reads an
// initramfs, loads modules at boot, and signs them. Debian's own programs for it,
// of the kernel's release, are unpacked into one entry of the cache.
var machinePackages = []string{
	"initramfs-tools", "busybox", "klibc-utils", "kmod", "openssl", "systemd", "udev",
	"bash", "coreutils", "cpio", "dash", "debianutils", "findutils", "grep", "gzip", "libc-bin",
	"mawk", "mount", "sed", "util-linux", "xz-utils",
}

// fetchMachine returns the directory of these programs and what they need.
func fetchMachine(c *Cache, r Release, say func(string, ...any)) (string, error) {
	pick := func(a *apt) (string, []pkg, error) {
		all, err := a.plan(machinePackages...)
		if err != nil {
			return "", nil, err
		}
		for _, p := range all {
			if p.Name == "initramfs-tools" {
				return fmt.Sprintf("machine-%s_%s", r.base().Suite, p.Version), all, nil
			}
		}
		return "", nil, fmt.Errorf("no initramfs-tools among the %d packages that %s would install",
			len(all), r.Suite)
	}
	return fetchPicked(c, r.base(), "amd64", say, pick, func(tmp, _ string) error {
		for _, name := range []string{"usr/sbin/mkinitramfs", "usr/bin/openssl", "usr/bin/kmod"} {
			if _, err := os.Lstat(filepath.Join(tmp, name)); err != nil {
				return err
			}
		}
		return link(tmp)
	})
}
