// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/sympos"
)

// A livepatch that objtool did not see loads on every kernel. Since 6.9 the kernel warns when
// its first function returns, and check says so beforehand; kernels before that say nothing.
func TestReturnThunkThatObjtoolDidNotSee(t *testing.T) {
	everyX86(t, func(t *testing.T, w *workbench) {
		const message = "Unpatched return thunk in use. This should not happen!"
		p := w.project(t)
		p.makefile("obj-m := livepatch-thunk.o livepatch-seen.o\n" +
			"OBJECT_FILES_NON_STANDARD_livepatch-thunk.o := y\ninclude KLP_MK\n")
		for _, name := range []string{"thunk", "seen"} {
			p.write("livepatch-"+name+".c", `// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include "klp_convert.h"
extern char *saved_command_line;
static KLP_MODULE_RELOC(vmlinux) syms[] = { KLP_SYMPOS(saved_command_line, 0) };
static int new_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s patched\n", saved_command_line);
	return 0;
}
static struct klp_func funcs[] = { { .old_name = "cmdline_proc_show", .new_func = new_show }, { } };
static struct klp_object objs[] = { { .funcs = funcs }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };
static int __init new_init(void) { return klp_enable_patch(&patch); }
static void __exit new_exit(void) { }
module_init(new_init);
module_exit(new_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("returns");
MODULE_INFO(livepatch, "Y");
`)
		}
		p.make()
		kernel, err := sympos.FindKernel(w.kernel.Root, nil)
		require.NoError(t, err)
		predicted := func(name string) bool {
			r, err := loader.Open(p.file(name)).Check(loader.Options{Kernel: kernel})
			require.NoError(t, err)
			assert.True(t, r.Loads(), "%+v", r.Findings)
			is := func(f diag.Diagnostic) bool { return f.ID == diag.ReturnThunk }
			i := slices.IndexFunc(r.Findings, is)
			for _, f := range r.Findings {
				assert.True(t, f.Severity == diag.Note || is(f), "%s: %+v", name, f)
			}
			return i >= 0 && r.Findings[i].KernelSays() == message
		}
		warns := predicted("livepatch-thunk.ko")
		assert.False(t, predicted("livepatch-seen.ko"), "objtool saw it")
		assert.Equal(t, w.kernel.AtLeast(6, 9), warns)

		s := w.scene(t)
		s.file("livepatch-thunk.ko", p.file("livepatch-thunk.ko"))
		s.file("livepatch-seen.ko", p.file("livepatch-seen.ko"))
		results := s.run(
			sh("load livepatch-seen.ko"),
			sh("settle livepatch_seen"),
			sh("grep patched /proc/cmdline"),
			sh(all(disable("livepatch_seen"), "settle livepatch_seen")),
			sh("load livepatch-thunk.ko"),
			sh("settle livepatch_thunk"),
			sh("grep patched /proc/cmdline"),
		)
		for i, r := range results {
			assert.Equal(t, warns && i == len(results)-1, strings.Contains(r.Log(), message), "%s",
				r)
		}
	})
}

// The image of a kernel with IBT lists the functions whose endbr64 it removes. Each is one
// that it has, and none of them is exported: modules may call those by address.
func TestImageTellsWhichFunctionsAreSealed(t *testing.T) {
	everyX86(t, func(t *testing.T, w *workbench) {
		image, err := sympos.Open(w.kernel.Image)
		require.NoError(t, err)
		table, err := sympos.Read(sympos.All, image)
		require.NoError(t, err)
		sealed := table.Facts(sympos.Vmlinux).Sealed
		if !w.kernel.AtLeast(6, 12) {
			assert.Empty(t, sealed, "Debian's 6.1 and 5.10 are built without")
			return
		}
		require.Greater(t, len(sealed), 10000)
		there := map[uint64]bool{}
		for _, name := range table.Names(sympos.Vmlinux) {
			list := table.Lookup(sympos.Vmlinux, name)
			for _, s := range list {
				there[s.Address] = there[s.Address] || strings.ContainsRune("tTwW", rune(s.Type))
			}
			if len(list) == 1 && len(table.Exports(name)) > 0 {
				_, is := slices.BinarySearch(sealed, list[0].Address)
				assert.False(t, is, "%s is exported", name)
			}
		}
		for _, address := range sealed {
			assert.True(t, there[address], "%x is no function", address)
		}
	})
}
