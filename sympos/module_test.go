// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The name of a module is all of its file's before the last .ko.
func TestNamesOfModuleFiles(t *testing.T) {
	for path, want := range map[string]struct {
		name   string
		module bool
	}{
		"/lib/modules/6.1/kernel/fs/ext4/ext4.ko": {"ext4", true},
		"net/nf-nat.ko.xz":                        {"nf_nat", true},
		"nf-nat.ko.zst":                           {"nf_nat", true},
		"nf-nat.ko.gz":                            {"nf_nat", true},
		"a.kob.ko":                                {"a.kob", true},
		"a.kob":                                   {"a.kob", false},
		"a.ko.ko":                                 {"a.ko", true},
		"ext4.ko.debug":                           {"ext4", false},
		"ext4.ko-6.1.0-1.x86_64.debug":            {"ext4", false},
		"ext4.kobject":                            {"ext4.kobject", false},
		"ext4.ko.bak":                             {"ext4", false},
		"nf-nat":                                  {"nf_nat", false},
		"drivers/x.ko/y-z.ko":                     {"y_z", true},
		"ko":                                      {"ko", false},
		"":                                        {".", false},
	} {
		assert.Equal(t, want.name, ModuleName(path), path)
		assert.Equal(t, want.module, isModuleFile(path), path)
	}
}
