// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"debug/elf"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/declared"
	"github.com/klp-convert/klp-convert/scripts/need"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// What annotate declares and what new writes, for names taken at random, is compiled with the
// kernel's headers and flags: without a warning, and to what the kernel has.

// typesOfKernel returns the types that the kernel's image has, and ends the test if it has none.
func (w *workbench) typesOfKernel(t *testing.T) *ctypes.Types {
	t.Helper()
	types, err := sympos.ReadTypes(w.kernel.Image, sympos.All)
	if err != nil {
		need.Absent(t, err.Error())
	}
	return types
}

// allParts is what --kernel gets: image and modules.
func (w *workbench) allParts() string { return w.kernel.Image + "," + w.kernel.Modules }

// sample returns up to n of the names, by chance.
func sample(random *rand.Rand, names []string, n int) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	random.Shuffle(len(names), func(i, k int) { names[i], names[k] = names[k], names[i] })
	return names[:min(n, len(names))]
}

// functionNames returns the names of the kernel's functions that C can say.
func functionNames(t *testing.T, types *ctypes.Types) []string {
	t.Helper()
	names, err := types.FunctionNames()
	require.NoError(t, err)
	identifier := regexp.MustCompile(`^[A-Za-z_]\w*$`)
	return slices.DeleteFunc(names, func(n string) bool { return !identifier.MatchString(n) })
}

// makesQuietly runs make in dir, and wants no warning but those of modpost.
func (w *workbench) makesQuietly(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := w.kernel.Command("make", append(args, w.kernel.Cross()...)...)
	cmd.Dir = dir
	cmd.Env = noMake()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, line := range strings.Split(string(out), "\n") {
		lower := strings.ToLower(line)
		expected := strings.Contains(line, "modpost") || strings.Contains(line, "Symbol version dump") ||
			strings.Contains(line, "the compiler differs")
		assert.False(t, !expected && (strings.Contains(lower, "warning") ||
			strings.Contains(lower, "error:")), "%s", out)
	}
}

func TestDeclarationsOfRandomNames(t *testing.T) {
	if !Demanded() {
		need.Absent(t, "make lab runs it: each name is a question about the whole kernel")
	}
	everyDebian(t, func(t *testing.T, w *workbench) {
		types := w.typesOfKernel(t)
		seed := seedOr(t, 1)
		t.Logf("KLP_LAB_SEED=%d", seed)
		random := rand.New(rand.NewSource(seed))
		functions, variables := w.hiddenNames(t, types)
		names := append(sample(random, functions, 300), sample(random, variables, 100)...)

		// A module that refers to all of them, without types.
		dir := t.TempDir()
		var text strings.Builder
		text.WriteString(".section .modinfo,\"a\"\n.asciz \"livepatch=Y\"\n.data\n")
		for _, n := range names {
			fmt.Fprintf(&text, ".quad %s\n", n)
		}
		assembly, object := filepath.Join(dir, "names.s"), filepath.Join(dir, "names.ko")
		require.NoError(t, os.WriteFile(assembly, []byte(text.String()), 0o644))
		out, err := w.kernel.Command("as", "-o", object, assembly).CombinedOutput()
		require.NoError(t, err, "%s", out)
		printed, err := exec.Command(w.tool, "annotate", "-k", w.kernel.Image, object).Output()
		require.NoError(t, err)

		// Those that are declared are used, so that debug information has them.
		source := "#include <linux/module.h>\n\n#include \"klp_convert.h\"\n\n" + string(printed) +
			"\nextern void *klp_uses[];\nvoid *klp_uses[] = {\n"
		declaredNames := map[string]bool{}
		for _, n := range names {
			if regexp.MustCompile(`(?m)^(extern .*\b` + n + `\b.*;|DECLARE_PER_CPU\(.*, ` + n + `\);)`).
				Match(printed) {
				declaredNames[n] = true
				source += fmt.Sprintf("\t(void *)(unsigned long)&%s,\n", n)
			}
		}
		source += "};\nMODULE_LICENSE(\"GPL\");\nMODULE_INFO(livepatch, \"Y\");\n"
		source = dropRecords(source, declaredNames)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "declarations.c"), []byte(source), 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "Makefile"),
			[]byte("obj-m := declarations.o\n"), 0o644))
		w.makesQuietly(t, dir, "-C", w.kernel.Headers, "M="+dir, "KBUILD_MODPOST_WARN=1",
			"KCPPFLAGS=-I"+filepath.Join(w.root, "scripts/include"), "declarations.o")

		b, err := os.ReadFile(filepath.Join(dir, "declarations.o"))
		require.NoError(t, err)
		own, err := sympos.ReadDeclarations("declarations.o", b, sympos.All)
		require.NoError(t, err)
		defer own.Close()
		compared := 0
		for n := range declaredNames {
			compared += compareDeclaration(t, own, types, n)
		}
		t.Logf("%d names, %d declared, %d compared", len(names), len(declaredNames), compared)
		assert.Greater(t, len(declaredNames), len(names)*9/10)
		if w.kernel.AtLeast(5, 11) { // gcc 10, Debian 11's, describes functions that are called, only
			assert.Greater(t, compared, len(names)*6/10)
		}
	})
}

// dropRecords removes the annotations of names that are not declared.
func dropRecords(source string, known map[string]bool) string {
	var lines []string
	record := regexp.MustCompile(`^\tKLP_SYMPOS\((\w+),`)
	for _, line := range strings.Split(source, "\n") {
		if m := record.FindStringSubmatch(line); m == nil || known[m[1]] {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// hiddenNames returns functions and per-CPU variables that the kernel does not export, and of
// whose names it has one symbol.
func (w *workbench) hiddenNames(t *testing.T, types *ctypes.Types) (functions, variables []string) {
	t.Helper()
	source, err := sympos.Open(w.kernel.Image)
	require.NoError(t, err)
	table, err := sympos.Read(sympos.All, source)
	require.NoError(t, err)
	hidden := func(n string) bool {
		return len(table.Lookup(sympos.Vmlinux, n)) == 1 && len(table.Exports(n)) == 0
	}
	for _, n := range functionNames(t, types) {
		if hidden(n) {
			functions = append(functions, n)
		}
	}
	for _, n := range table.Names(sympos.Vmlinux) {
		list, err := types.Variables(n)
		require.NoError(t, err)
		if len(list) == 1 && hidden(n) {
			variables = append(variables, n)
		}
	}
	return functions, variables
}

// compareDeclaration compares what was compiled with the kernel's, and returns how many were.
func compareDeclaration(t *testing.T, own, kernel *ctypes.Types, name string) int {
	t.Helper()
	const machine = elf.EM_X86_64
	mine, err := own.Functions(name)
	require.NoError(t, err)
	actual, err := kernel.Functions(name)
	require.NoError(t, err)
	if len(mine) > 0 && len(actual) > 0 {
		all, fits := declared.Functions(machine, declared.Borrowed, mine[0], actual)
		assert.NotEmpty(t, fits, "%s: %v", name, all)
		return 1
	}
	variables, err := own.Variables(name)
	require.NoError(t, err)
	known, err := kernel.Variables(name)
	require.NoError(t, err)
	if len(variables) > 0 && len(known) == 1 {
		c := declared.Variable(machine, variables[0], known[0])
		assert.Empty(t, c.Differences, name)
		return 1
	}
	return 0
}

var refusedRE = regexp.MustCompile(`(?m): error: klp-convert: (\S+:[^:\s]+): .* \[KLP09[89]\]$`)

// begin runs klp-convert new for n of the candidates, the first ones that it does not refuse, and
// returns them.
func (w *workbench) begin(t *testing.T, dir string, candidates []string, n int) (chosen []string) {
	t.Helper()
	reasons := map[string]string{}
	for {
		chosen = chosen[:0]
		for _, c := range candidates {
			if reasons[c] == "" && len(chosen) < n {
				chosen = append(chosen, c)
			}
		}
		require.Len(t, chosen, n, "too many were refused: %v", reasons)
		args := append([]string{"new", dir, "-k", w.allParts(), "--include",
			filepath.Join(w.root, "scripts/klp-convert.mk")}, chosen...)
		out, err := exec.Command(w.tool, args...).CombinedOutput()
		if err == nil {
			t.Logf("%d refused", len(reasons))
			return chosen
		}
		assert.NoFileExists(t, filepath.Join(dir, "Makefile"))
		refused := refusedRE.FindAllStringSubmatch(string(out), -1)
		require.NotEmpty(t, refused, "%s", out)
		for _, m := range refused {
			reasons[m[1]] = m[0]
		}
	}
}

// idle begin the names of functions that nothing calls in the lab's machine.
var idle = regexp.MustCompile(`^vmlinux:(nfs|xfrm|snd|usb|scsi|ata|drm|hid|i2c|spi|mmc|nvme|tomoyo|` +
	`apparmor|selinux|key|sctp|rfkill|led|regulator|phy|pnp|thermal|edac|devlink|ethtool|mptcp)_`)

// A livepatch of random functions builds without a warning, is converted, and loads as it is. With
// ready=1 the kernel accepts its functions; that is tried with functions that nothing calls.
func TestBegunLivepatches(t *testing.T) {
	if !Demanded() {
		need.Absent(t, "make lab runs it: each name is a question about the whole kernel")
	}
	everyDebian(t, func(t *testing.T, w *workbench) {
		types := w.typesOfKernel(t)
		seed := seedOr(t, 1)
		t.Logf("KLP_LAB_SEED=%d", seed)
		random := rand.New(rand.NewSource(seed))
		var ofVmlinux, ofModules, quiet []string
		for _, n := range sample(random, functionNames(t, types), 1<<30) {
			name := "vmlinux:" + n
			ofVmlinux = append(ofVmlinux, name)
			if idle.MatchString(name) {
				quiet = append(quiet, name)
			}
		}
		if w.kernel.AtLeast(5, 11) { // modules before it have no BTF (5f9ae91f7c0d)
			ofModules = w.functionsOfModules(t, random, 80)
			require.NotEmpty(t, ofModules)
		}
		s := w.scene(t)
		const each = 20
		var steps []step
		for _, x := range []struct {
			name       string
			candidates []string
			n          int
			enable     bool
		}{
			{"begun-vmlinux", ofVmlinux[:min(400, len(ofVmlinux))], each, false},
			{"begun-modules", ofModules, each, true},
			{"begun-idle", quiet[:min(200, len(quiet))], each / 2, true},
		} {
			if len(x.candidates) == 0 {
				continue
			}
			dir := filepath.Join(t.TempDir(), x.name)
			chosen := w.begin(t, dir, x.candidates, x.n)
			t.Logf("%s: %s", x.name, strings.Join(chosen, " "))
			w.makesQuietly(t, dir, "KDIR="+w.kernel.Headers, "KLP_CONVERT="+w.tool,
				"KLP_KERNEL="+w.allParts())
			file := x.name + ".ko"
			b, err := os.ReadFile(filepath.Join(dir, file))
			require.NoError(t, err)
			s.file(file, b)
			module := strings.ReplaceAll(x.name, "-", "_")
			steps = append(steps, sh("load "+file, logs("not ready: nothing is replaced")),
				sh("rmmod "+module))
			if x.enable {
				steps = append(steps, sh("load "+file+" ready=1"), sh("settle "+module),
					sh(disable(module)), sh("settle "+module),
					sh("dmesg | grep 'has no body yet' || true"), sh("rmmod "+module))
			}
		}
		for _, r := range s.run(steps...) {
			if strings.HasPrefix(r.Cmd, "dmesg") && r.Out != "" {
				t.Logf("were called: %s", r.Out)
			}
		}
	})
}

// functionsOfModules returns functions of the kernel's modules by chance, of each module one.
func (w *workbench) functionsOfModules(t *testing.T, random *rand.Rand, n int) (all []string) {
	t.Helper()
	kernel, err := sympos.FindKernel(w.allParts(), nil)
	require.NoError(t, err)
	base := w.typesOfKernel(t)
	for _, module := range sample(random, kernel.Modules(), n) {
		b, path, err := kernel.ModuleFile(module)
		require.NoError(t, err)
		types, err := sympos.ReadModuleTypes(path, b, base, sympos.All)
		if err != nil {
			continue // it has no functions that BTF describes
		}
		if names := sample(random, functionNames(t, types), 1); len(names) > 0 {
			all = append(all, module+":"+names[0])
		}
		types.Close()
	}
	return all
}
