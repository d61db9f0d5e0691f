// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A kernel that somebody has built or installed is laid out below a directory as on the
// machine that runs it (docs/lab.md):
//
//	boot/vmlinuz-R                 or lib/modules/R/vmlinuz
//	boot/System.map-R, boot/config-R
//	lib/modules/R/                 its modules; may have none
//	lib/modules/R/build            the tree that it was built in, or its headers
//
// KLP_LAB_ROOT names such directories, with colons between them.

// roots are the kernels that KLP_LAB_ROOT names.
func roots(list string) ([]Release, error) {
	var all []Release
	for _, dir := range filepath.SplitList(list) {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		if info, err := os.Stat(abs); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("KLP_LAB_ROOT: %s is not a directory", dir)
		}
		all = append(all, Release{Series: filepath.Base(abs), Root: abs})
	}
	return all, nil
}

// configOf maps an architecture's name to the line of a configuration that tells it.
var configOf = map[string]string{
	"x86_64": "CONFIG_X86_64=y", "s390x": "CONFIG_S390=y", "ppc64le": "CONFIG_PPC64=y",
	"arm64": "CONFIG_ARM64=y", "loongarch64": "CONFIG_LOONGARCH=y",
}

// rootArch is the architecture of the kernel below root; without a configuration to read,
// x86_64, and openRoot says what is missing.
func rootArch(root string) Arch {
	path, err := one(root, "boot/config-*")
	if err != nil {
		return Arches["x86_64"]
	}
	text, _ := os.ReadFile(path)
	for name, line := range configOf {
		if strings.Contains(string(text), "\n"+line+"\n") {
			return Arches[name]
		}
	}
	return Arches["x86_64"]
}

// openRoot returns the kernel below the release's root, with a busybox for its guests and
// for another architecture the tools of the cross compilers' system.
func openRoot(c *Cache, r Release, say func(string, ...any)) (*Kernel, error) {
	k := &Kernel{Root: r.Root, release: r, arch: r.arch()}
	var missing []string
	need := func(what string, patterns ...string) string {
		path, err := one(k.Root, patterns...)
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s (%s): %v", strings.Join(patterns, " or "), what,
				err))
		}
		return path
	}
	k.Image = need("the image to boot", "boot/vmlinu[xz]-*", "boot/Image-*", "boot/image-*",
		"lib/modules/*/vmlinuz", "usr/lib/modules/*/vmlinuz")
	k.Headers = need("the tree to build modules against", "lib/modules/*/build",
		"usr/lib/modules/*/build")
	config := need("the configuration", "boot/config-*", "lib/modules/*/config")
	need("the symbols", "boot/System.map-*", "lib/modules/*/System.map")
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s is not a kernel that the lab can boot (docs/lab.md):\n\t%s",
			k.Root, strings.Join(missing, "\n\t"))
	}
	k.Modules = filepath.Dir(k.Headers)
	k.Release = filepath.Base(k.Modules)
	var err error
	if k.Headers, err = filepath.EvalSymlinks(k.Headers); err != nil {
		return nil, err
	}
	k.Version = k.Release
	if err := configured(config); err != nil {
		return nil, err
	}
	if k.arch.Name != "x86_64" {
		if k.tools, err = fetchCrossTools(c, Release{Suite: "trixie"}, say); err != nil {
			return nil, err
		}
	}
	k.Busybox, err = fetchBusybox(c, r, say)
	return k, err
}

// rootNeeds are what the lab can't do without: the console that the guest's agent writes to,
// and what a livepatch needs.
var rootNeeds = []string{
	"MODULES", "MODULE_UNLOAD", "LIVEPATCH", "KALLSYMS_ALL", "BLK_DEV_INITRD", "BINFMT_ELF",
	"BINFMT_SCRIPT", "PROC_FS", "SYSFS", "DEVTMPFS", "TMPFS", "MULTIUSER", "TTY", "FUTEX",
	"POSIX_TIMERS", "PRINTK",
}

// configured says what of that a configuration does not have.
func configured(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var missing []string
	for _, name := range rootNeeds {
		if !regexp.MustCompile(`(?m)^CONFIG_` + name + `=y$`).Match(text) {
			missing = append(missing, "CONFIG_"+name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s: a guest of the lab needs %s", path, strings.Join(missing, ", "))
	}
	return nil
}
