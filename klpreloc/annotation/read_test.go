// SPDX-License-Identifier: GPL-2.0-or-later

package annotation_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
)

// Read says what the author wrote, as it was written, and changes nothing in the file.
func TestRead(t *testing.T) {
	for file, want := range map[string][]string{
		"x86_64/livepatch-cmdline.ko": {"record vmlinux vmlinux saved_command_line 0"},
		"odd/nothing-to-convert.ko":   nil,
		"x86_64/labels-dot.ko":        {"label", "label", "label"},
	} {
		path := "../../testdata/" + file
		f := testmodule.Open(t, path)
		set, found := annotation.Read(f)
		assert.Empty(t, found, file)
		assert.Equal(t, want != nil, set.Annotated(), file)
		assert.False(t, set.Converted(), file)
		var got []string
		for _, a := range set.Annotations {
			got = append(got, fmt.Sprint(a.Dialect, " ", a.LPObject, " ", a.Object, " ", a.Name, " ", a.Pos))
		}
		if len(want) > 0 && want[0] == "label" {
			assert.GreaterOrEqual(t, len(got), len(want), file)
			for i := range got {
				assert.Regexp(t, `^label \w+ \w+ [\w.]+ \d+$`, got[i])
			}
		} else {
			assert.Equal(t, want, got, file)
		}
		assert.Equal(t, testmodule.Read(t, path), testmodule.Bytes(t, f), file)
	}
}
