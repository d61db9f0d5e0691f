// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// Types are the types of a kernel's objects, and what its symbols tell of them. The caller calls
// Close.
type Types struct {
	typesByObject
	table *sympos.Table
}

// typesByObject are sympos.ObjectTypes.
type typesByObject interface {
	Of(object string) (*ctypes.Types, error)
	Close()
}

// NewTypes returns the types of the objects of the kernel that the table was read from. Of debug
// information only what is wanted is read.
func NewTypes(k *sympos.Kernel, t *sympos.Table, want sympos.Want) *Types {
	return &Types{sympos.NewObjectTypes(k, t, want), t}
}
