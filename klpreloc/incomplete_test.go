// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// Nothing is concluded from what a list that was cut does not have, and one warning says so.
func TestListThatWasCut(t *testing.T) {
	half := kallsyms[:strings.Index(kallsyms, "ffffffff81000200")] + "ffffffff81000200 d vm_str"
	f := borrower(t)
	_, found := against(t, f, klpreloc.Options{Kernel: kernelOf(t, half)})
	d := the(t, diag.Incomplete, found)
	assert.Equal(t, `kernel kernel: kernel may not be whole: it ends in the middle of line 4 `+
		`("ffffffff81000200 d vm_str"): it was cut: what follows from it may be wrong`, d.Message)
	assert.Empty(t, with(diag.NoSuchSymbol, found))
}

// Who exports what is not known from a list of exports that was cut: modpost's word is taken.
func TestExportsThatWereCut(t *testing.T) {
	f := borrower(t)
	symvers := "0x00000000\tklp_enable_patch\tvmlinux\tEXPORT_SYMBOL_GPL\t\n0x00000000\toffe"
	code := kallsyms
	for _, name := range []string{"klp_enable_patch", "offered"} { // as without CONFIG_KALLSYMS_ALL
		code = strings.Replace(code, "__ksymtab_"+name+"\n", name+"_data\n", 1)
	}
	_, found := against(t, f, klpreloc.Options{Kernel: kernelOf(t, code, symvers)})
	assert.Contains(t, the(t, diag.Incomplete, found).Message, "it ends in the middle of line 2")
	assert.Contains(t, the(t, diag.NotChecked, found).Message,
		"nothing tells what kernel kernel exports")
}
