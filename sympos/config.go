// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// maxConfig bounds the size of a kernel's configuration, in bytes.
const maxConfig = 4 << 20

// Configured reports whether the kernel was built with CONFIG_option=y, and whether its
// configuration is available.
func (k *Kernel) Configured(option string) (yes, known bool) {
	if k.Config == "" {
		return false, false
	}
	info, err := os.Stat(k.Config)
	if err != nil || info.Size() > maxConfig {
		return false, false
	}
	b, err := os.ReadFile(k.Config)
	if err != nil {
		return false, false
	}
	return strings.Contains("\n"+string(b)+"\n", "\nCONFIG_"+option+"=y\n"), true
}

// embeddedConfig returns the configuration that a kernel has in its data, packed with gzip
// (kernel/configs.c, CONFIG_IKCONFIG), nil when it has none.
func embeddedConfig(data []byte) []byte {
	const from, to = "IKCFG_ST", "IKCFG_ED"
	at := bytes.Index(data, []byte(from+gzipMagic))
	if at < 0 {
		return nil
	}
	packed := data[at+len(from):]
	if end := bytes.Index(packed, []byte(to)); end >= 0 {
		packed = packed[:end]
	}
	config, _, err := ungzip(packed, maxConfig)
	if err != nil {
		return nil
	}
	return config
}

// Configuration returns the kernel's configuration, from the first of the sources that were
// read whose data has it, nil when none has.
func (t *Table) Configuration() []byte {
	for i := range t.Sources {
		if b := t.Sources[i].Config; b != nil {
			return b
		}
	}
	return nil
}

// useConfigOf uses the configuration in the build tree or the headers of a
// Module.symvers, if none is known yet.
func (k *Kernel) useConfigOf(symvers string) {
	for _, name := range []string{".config", "include/config/auto.conf"} {
		path := filepath.Join(filepath.Dir(symvers), name)
		if info, err := os.Stat(path); k.Config == "" && err == nil && info.Mode().IsRegular() {
			k.Config = path
			k.note("configuration: %s", path)
		}
	}
}
