// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos"
)

// The proof by the loader: for names that several symbols have, taken at random, a livepatch
// asks the running kernel for position k of each. What the loader put into its
// table of pointers is read back through a module parameter, and compared with
// the k-th line of that name in the /proc/kallsyms of the same boot.

// A question is one klp symbol, and the candidates for it.
type question struct {
	object, name string
	position     int
	of           int
}

func (q question) String() string {
	return fmt.Sprintf("%s:%s,%d of %d", q.object, q.name, q.position, q.of)
}

// loaderSource is a livepatch that asks some questions. What the name is in C is
// unused: labels take names that are no identifiers.
func loaderSource(root string, questions []question, patch string) []byte {
	var b strings.Builder
	b.WriteString("#include <linux/livepatch.h>\n#include <linux/module.h>\n" +
		"#include <linux/seq_file.h>\n")
	for _, header := range []string{"scripts/include/klp_convert.h",
		"scripts/lab/modules/compat/klplab_compat.h"} {
		fmt.Fprintf(&b, "#include %q\n", filepath.Join(root, header))
	}
	for i, q := range questions {
		fmt.Fprintf(&b, "extern char q%d[] KLP_RELOC_SYMBOL_POS(%s, %s, %s, %d);\n", i, q.object,
			q.object, q.name, q.position)
	}
	b.WriteString("\nstatic unsigned long addresses[] = {\n")
	for i := range questions {
		fmt.Fprintf(&b, "\t(unsigned long)q%d,\n", i)
	}
	b.WriteString("};\nmodule_param_array(addresses, ulong, NULL, 0444);\n\n")
	b.WriteString(patch)
	b.WriteString("MODULE_DESCRIPTION(\"questions to the loader\");\nMODULE_LICENSE(\"GPL\");\n" +
		"MODULE_INFO(livepatch, \"Y\");\n")
	return []byte(b.String())
}

const (
	// Relocations of vmlinux are applied while the module is loaded, since 5.8: nothing to enable.
	patchNothing = `static int __init ask_init(void)
{
	return 0;
}
module_init(ask_init);
`
	// Before, they are applied when vmlinux is being patched.
	patchVmlinux = `static struct klp_object objs[] = {
	KLPLAB_VMLINUX
	{ }
};
` + patchEnd
	// Those of a module are applied when that module is being patched.
	patchTarget = `static int ask_show(struct seq_file *m, void *v)
{
	seq_puts(m, "asked\n");
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_target_show", .new_func = ask_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_target", .funcs = funcs },
	{ }
};
` + patchEnd
	patchEnd = `
static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init ask_init(void)
{
	return klplab_enable(&patch);
}

static void __exit ask_exit(void)
{
	klplab_leave(&patch);
}
module_init(ask_init);
module_exit(ask_exit);
`
)

const (
	loaderNames = 200
	loaderBatch = 50 // a parameter is printed into one page
)

// labelled are the names that the assembler reads bare.
var labelled = regexp.MustCompile(`^[A-Za-z0-9_.]+$`)

// seedOr returns KLP_LAB_SEED, and if that is not set another number.
func seedOr(t *testing.T, other int64) int64 {
	t.Helper()
	text := os.Getenv("KLP_LAB_SEED")
	if text == "" {
		return other
	}
	seed, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err, "KLP_LAB_SEED")
	return seed
}

func TestLoaderResolvesEveryPositionAsCounted(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		questions := vmlinuxQuestions(t, w)
		target := moduleQuestions(t, w.built(t, "klplab_target.ko"))
		s := w.scene(t, "klplab_target.ko")
		dir := t.TempDir()
		var (
			names  []string
			asked  [][]question
			kbuild string
		)
		add := func(name string, batch []question, patch string) {
			names, asked = append(names, name), append(asked, batch)
			kbuild += "obj-m += " + name + ".o\n"
			require.NoError(t, os.WriteFile(filepath.Join(dir, name+".c"),
				loaderSource(w.root, batch, patch), 0o644))
		}
		patch := patchNothing
		if !w.kernel.AtLeast(5, 8) {
			patch = patchVmlinux
		}
		for len(questions) > 0 {
			n := min(loaderBatch, len(questions))
			add(fmt.Sprintf("klplab_ask%d", len(names)), questions[:n], patch)
			questions = questions[n:]
		}
		add("klplab_ask_target", target, patchTarget)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "Kbuild"), []byte(kbuild), 0o644))
		require.NoError(t, w.kernel.Make(dir))

		steps := []step{sh("load klplab_target.ko"), sh("pack /proc/kallsyms")}
		for _, name := range names {
			ko, err := os.ReadFile(filepath.Join(dir, name+".ko"))
			require.NoError(t, err)
			s.file(name+".ko", w.convert(t, name+".ko", ko))
			load := "load " + name + ".ko"
			if patch == patchVmlinux {
				load = all(load, "settle "+name) // one transition at a time
			}
			steps = append(steps, sh(load))
		}
		for _, name := range names {
			steps = append(steps, sh(fmt.Sprintf(param, name, "addresses")))
		}
		results := s.run(steps...)
		truth := runningSymbols(t, results[1])
		// In a module the order is not that of addresses.
		for _, name := range []string{"klplab_twin", "klplab_number"} {
			both := truth["klplab_target:"+name]
			require.Len(t, both, 2)
			require.Greater(t, both[0], both[1], name)
		}

		total, telling := 0, 0
		for i, batch := range asked {
			answers := strings.Split(strings.TrimSpace(results[2+len(names)+i].Out), ",")
			require.Len(t, answers, len(batch), "%s", results[2+len(names)+i])
			for j, q := range batch {
				all := truth[q.object+":"+q.name]
				if !assert.Len(t, all, q.of, "candidates of %v in the running kernel", q) {
					continue
				}
				got, err := strconv.ParseUint(answers[j], 10, 64)
				require.NoError(t, err)
				assert.Equal(t, fmt.Sprintf("%x", all[q.position-1]), fmt.Sprintf("%x", got), "%v",
					q)
				total++
				if all[0] != all[len(all)-1] {
					telling++
				}
			}
		}
		t.Logf("%s: the loader resolved %d positions as counted, %d of them of names with "+
			"several addresses; %d in a module",
			w.kernel.Release, total, telling, len(target))
		assert.Greater(t, telling, total*9/10)
	})
}

// vmlinuxQuestions takes names at random, and one position of each.
func vmlinuxQuestions(t *testing.T, w *workbench) []question {
	t.Helper()
	seed := seedOr(t, time.Now().UnixNano())
	t.Logf("KLP_LAB_SEED=%d", seed)
	image, err := sympos.Open(w.kernel.Image)
	require.NoError(t, err)
	table, err := sympos.Read(sympos.All, image)
	require.NoError(t, err)
	var many []string
	for _, name := range table.Names(sympos.Vmlinux) {
		list := table.Lookup(sympos.Vmlinux, name)
		// The loader takes a symbol at address 0, a per-CPU one, for none.
		if len(list) > 1 && list[0].Address != 0 && labelled.MatchString(name) {
			many = append(many, name)
		}
	}
	require.Greater(t, len(many), loaderNames/2) // a small kernel has no more
	random := rand.New(rand.NewSource(seed))
	random.Shuffle(len(many), func(i, j int) { many[i], many[j] = many[j], many[i] })
	var questions []question
	for _, name := range many[:min(len(many), loaderNames)] {
		n := len(table.Lookup(sympos.Vmlinux, name))
		questions = append(questions, question{sympos.Vmlinux, name, 1 + random.Intn(n), n})
	}
	return questions
}

// moduleQuestions asks for every position of every name that klplab_target has
// more than once.
func moduleQuestions(t *testing.T, target []byte) []question {
	t.Helper()
	const object = "klplab_target"
	source, err := sympos.New(object+".ko", bytes.NewReader(target), int64(len(target)))
	require.NoError(t, err)
	table, err := sympos.Read(sympos.All, source)
	require.NoError(t, err)
	var questions []question
	for _, name := range table.Names(object) {
		list := table.Lookup(object, name)
		for _, s := range list {
			if len(list) > 1 && s.Steady() && labelled.MatchString(name) {
				questions = append(questions, question{object, name, s.Position, len(list)})
			}
		}
	}
	require.Subset(t, questions, []question{
		{object, "klplab_twin", 1, 2}, {object, "klplab_twin", 2, 2},
		{object, "klplab_number", 1, 2}, {object, "klplab_number", 2, 2},
	})
	return questions
}

// runningSymbols reads the addresses of every "object:name" in the order of
// /proc/kallsyms.
func runningSymbols(t *testing.T, r Result) map[string][]uint64 {
	t.Helper()
	text, err := r.Unpack()
	require.NoError(t, err)
	symbols := map[string][]uint64{}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		fields := strings.Fields(line)
		require.GreaterOrEqual(t, len(fields), 3, line)
		object := sympos.Vmlinux
		if len(fields) > 3 {
			object = strings.Trim(fields[3], "[]")
		}
		address, err := strconv.ParseUint(fields[0], 16, 64)
		require.NoError(t, err)
		symbols[object+":"+fields[2]] = append(symbols[object+":"+fields[2]], address)
	}
	return symbols
}
