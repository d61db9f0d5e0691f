// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"os"
	"path/filepath"
	"strings"
)

// mostConfig is more than any kernel's configuration has bytes.
const mostConfig = 4 << 20

// Configured reports whether the kernel was built with CONFIG_option=y, and whether its
// configuration is available to tell.
func (k *Kernel) Configured(option string) (yes, known bool) {
	if k.Config == "" {
		return false, false
	}
	info, err := os.Stat(k.Config)
	if err != nil || info.Size() > mostConfig {
		return false, false
	}
	b, err := os.ReadFile(k.Config)
	if err != nil {
		return false, false
	}
	return strings.Contains("\n"+string(b)+"\n", "\nCONFIG_"+option+"=y\n"), true
}

// configBeside takes the configuration in the build tree or the headers that a
// Module.symvers is of, where none is known yet.
func (k *Kernel) configBeside(symvers string) {
	for _, name := range []string{".config", "include/config/auto.conf"} {
		path := filepath.Join(filepath.Dir(symvers), name)
		if info, err := os.Stat(path); k.Config == "" && err == nil && info.Mode().IsRegular() {
			k.Config = path
			k.note("configuration: %s", path)
		}
	}
}
