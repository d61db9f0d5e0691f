// SPDX-License-Identifier: GPL-2.0-or-later

package declared

import "github.com/klp-convert/klp-convert/sympos/ctypes"

// Tag returns the name by which two structs, unions or enums are the same: struct foo, or that of
// the typedef around one without a tag; "" if it has none.
func Tag(t *ctypes.Type) string { return tag(t) }
