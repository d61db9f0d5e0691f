// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/scripts/need"
)

// oddStructures are of no kernel: their sizes are nowhere but in debug information.
const oddStructures = `
struct klp_func { const char *old_name; void *new_func; unsigned long old_sympos; char rest[8 * 30]; };
struct klp_object { const char *name; struct klp_func *funcs; char rest[8 * 40]; };
struct klp_patch { void *mod; struct klp_object *objs; };
extern char __this_module[];
int klp_enable_patch(void *);
static void fresh(void) { }
static struct klp_func funcs[2] = { { "old", fresh } };
static struct klp_object objs[2] = { { "ext4", funcs } };
struct klp_patch patch = { __this_module, objs };
int init(void) { return klp_enable_patch(&patch); }
`

// TestDWARFDecides: arrays of one element without symbols, in a module that does not
// say what it is for.
func TestDWARFDecides(t *testing.T) {
	need.Tools(t, "gcc")
	dir := t.TempDir()
	source, object := filepath.Join(dir, "odd.c"), filepath.Join(dir, "odd.o")
	require.NoError(t, os.WriteFile(source, []byte(oddStructures), 0o644))
	for _, debug := range []string{"-gdwarf-4", "-gdwarf-5", "-g0"} {
		out, err := exec.Command("gcc", "-O1", debug, "-c", "-o", object, source).CombinedOutput()
		require.NoError(t, err, "%s", out)
		b, err := os.ReadFile(object)
		require.NoError(t, err)
		f, err := elfrw.Parse("", b)
		require.NoError(t, err)
		var gone []*elfrw.Symbol
		for _, y := range f.Symbols {
			if y.Type() == elf.STT_OBJECT && y.Bind() == elf.STB_LOCAL {
				gone = append(gone, y)
			}
		}
		require.Len(t, gone, 2)
		require.NoError(t, f.Remove(nil, gone))
		patches, err := klppatch.Read(f)
		if debug == "-g0" {
			assert.Error(t, err)
			continue
		}
		require.NoError(t, err, debug)
		require.Len(t, patches, 1)
		assert.Equal(t, klppatch.Strides{Object: 336, Func: 264, ObjectBy: klppatch.ByDWARF,
			FuncBy: klppatch.ByDWARF}, patches[0].Strides)
		require.Len(t, patches[0].Objects, 1)
		assert.Equal(t, "ext4", patches[0].Objects[0].Name)
	}
}
