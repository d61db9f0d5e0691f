// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// What a module has many of may cost time in proportion, and no more. A loop over all
// sections inside a loop over all sections shows at a thousand of them, long before
// anybody waits for it, when its steps are counted: the tests here build the program with
// the counters of Go's coverage (one for each block of statements), run it on a module of
// n and on one of growthFactor times n, and look at how much more often each block ran.
// No clock takes part. BenchmarkGrowth measures the same modules, up to 100 000 of each,
// by processor time.

// A dimension is something that a module may have many of.
type dimension struct {
	name string
	text func(w *strings.Builder, n int) // assembler source of a module with n of them
	// maps adds lines to System.map, for what the module's text borrows.
	maps func(w *strings.Builder, n int)
	// refused says that the module can't be converted with that kernel.
	refused bool
}

// growthTail is what each module has, after what it has many of: a search for it by name
// passes all of that.
const growthTail = `
	.section .modinfo,"a"
	.asciz "license=GPL"
	.asciz "livepatch=Y"
	.asciz "name=lp"
	.asciz "vermagic=6.1.0-99-amd64 SMP preempt mod_unload modversions "
	.asciz "depends="
	.section .gnu.linkonce.this_module,"aw"
	.globl __this_module
	.type __this_module,@object
	.size __this_module,0x440
	.balign 64
__this_module:
	.zero 24
	.asciz "lp"
	.zero 0x138-24-3
	.quad init_module
	.zero 0x440-0x138-8
	.text
	.globl init_module
	.type init_module,@function
init_module:
	movq $patch, %rdi
	jmp klp_enable_patch
	.size init_module,.-init_module
	.type new_function,@function
new_function:
	.ifdef reached
	call reached
	.endif
	ret
	.size new_function,.-new_function
`

// growthRecord is an annotation: the symbol's address and its position.
func growthRecord(w *strings.Builder, object, symbol string) {
	fmt.Fprintf(w, "\t.section .klp.module_relocs.%s,\"aw\"\n\t.quad %s\n\t.long 0\n", object,
		symbol)
}

// growthPatch declares a patch of vmlinux (object "") and of modules, with the number of
// functions that each is given.
func growthPatch(w *strings.Builder, objects []string, funcs int) {
	w.WriteString("\t.data\n\t.balign 32\n")
	for i := range objects {
		fmt.Fprintf(w, "\t.type funcs%d,@object\nfuncs%d:\n", i, i)
		for k := range funcs {
			fmt.Fprintf(w, "\t.quad .Lname%d\n\t.quad new_function\n\t.zero 136\n", k)
		}
		fmt.Fprintf(w, "\t.zero 152\n\t.size funcs%d,.-funcs%d\n\t.balign 32\n", i, i)
	}
	w.WriteString("\t.type objects,@object\nobjects:\n")
	for i, name := range objects {
		if name == "" {
			w.WriteString("\t.quad 0\n")
		} else {
			fmt.Fprintf(w, "\t.quad .Lobject%d\n", i)
		}
		fmt.Fprintf(w, "\t.quad funcs%d\n\t.zero 152\n", i)
	}
	w.WriteString("\t.zero 168\n\t.size objects,.-objects\n\t.balign 32\n" +
		"\t.type patch,@object\npatch:\n" +
		"\t.quad __this_module\n\t.quad objects\n\t.zero 184\n\t.size patch,.-patch\n" +
		"\t.section .rodata.str1.1,\"aMS\",@progbits,1\n")
	for k := range funcs {
		fmt.Fprintf(w, ".Lname%d:\t.asciz \"old_function_%d\"\n", k, k)
	}
	for i, name := range objects {
		if name != "" {
			fmt.Fprintf(w, ".Lobject%d:\t.asciz %q\n", i, name)
		}
	}
}

func growthFunction(w *strings.Builder, name string, lines ...string) {
	fmt.Fprintf(w, "\t.type %s,@function\n%s:\n\t%s\n\tret\n\t.size %s,.-%s\n", name, name,
		strings.Join(lines, "\n\t"), name, name)
}

// growthAddress is where a kernel has what the modules borrow.
const growthAddress = 0xffffffff82000000

var growthVmlinux = []string{""}

// borrowed adds n symbols to System.map.
func borrowed(w *strings.Builder, n int) {
	for i := range n {
		fmt.Fprintf(w, "%016x t borrowed_%d\n", growthAddress+16*uint64(i), i)
	}
}

// growthExports adds n exports of vmlinux to System.map.
func growthExports(w *strings.Builder, n int) {
	for i := range n {
		fmt.Fprintf(w, "%016x T exported_%d\n%016x r __ksymtab_exported_%d\n",
			growthAddress+16*uint64(i), i, growthAddress+1<<24+16*uint64(i), i)
	}
}

// growthVersion adds the checksum of an export.
func growthVersion(w *strings.Builder, i int) {
	fmt.Fprintf(w, "\t.section __versions,\"a\"\n\t.quad %d\n1:\t.asciz \"exported_%d\"\n"+
		"\t.zero 56-(.-1b)\n", i, i)
}

var dimensions = []dimension{
	{"sections", func(w *strings.Builder, n int) {
		for i := range n {
			fmt.Fprintf(w, "\t.section .text.f%d,\"ax\"\n", i)
			growthFunction(w, fmt.Sprintf("f%d", i), "call hidden")
		}
		growthRecord(w, "vmlinux", "hidden")
		growthPatch(w, growthVmlinux, 1)
	}, nil, false},
	{"symbols", func(w *strings.Builder, n int) {
		w.WriteString("\t.text\n")
		for i := range n {
			growthFunction(w, fmt.Sprintf("f%d", i), "nop")
		}
		growthFunction(w, "f", "call hidden")
		growthRecord(w, "vmlinux", "hidden")
		growthPatch(w, growthVmlinux, 1)
	}, nil, false},
	{"global symbols", func(w *strings.Builder, n int) {
		w.WriteString("\t.data\n")
		for i := range n {
			fmt.Fprintf(w, "\t.globl g%d\n\t.type g%d,@object\n\t.size g%d,8\ng%d:\t.quad 1\n", i,
				i, i, i)
		}
		growthPatch(w, growthVmlinux, 1)
		w.WriteString("\t.text\n")
		growthFunction(w, "f", "call hidden")
		growthRecord(w, "vmlinux", "hidden")
	}, nil, false},
	{"relocations", func(w *strings.Builder, n int) {
		w.WriteString("\t.text\n")
		for i := range n {
			growthFunction(w, fmt.Sprintf("f%d", i%10+10*(i/10)), "call hidden", "call init_module")
		}
		growthRecord(w, "vmlinux", "hidden")
		growthPatch(w, growthVmlinux, 1)
	}, nil, false},
	{"records", func(w *strings.Builder, n int) {
		for i := range n {
			w.WriteString("\t.text\n")
			growthFunction(w, fmt.Sprintf("f%d", i), fmt.Sprintf("call borrowed_%d", i))
			growthRecord(w, "vmlinux", fmt.Sprintf("borrowed_%d", i))
		}
		growthPatch(w, growthVmlinux, 1)
	}, borrowed, false},
	{"labels", func(w *strings.Builder, n int) {
		w.WriteString("\t.text\n")
		for i := range n {
			growthFunction(w, fmt.Sprintf("f%d", i),
				fmt.Sprintf(`call ".klp.sym.rela.vmlinux.vmlinux.borrowed_%d,0"`, i))
		}
		growthPatch(w, growthVmlinux, 1)
	}, borrowed, false},
	{"inferred", func(w *strings.Builder, n int) {
		w.WriteString("\t.text\n")
		for i := range n {
			growthFunction(w, fmt.Sprintf("f%d", i), fmt.Sprintf("call borrowed_%d", i))
		}
		growthRecord(w, "vmlinux", "hidden")
		growthPatch(w, growthVmlinux, 1)
	}, borrowed, false},
	{"absent", func(w *strings.Builder, n int) {
		w.WriteString("\t.text\n")
		for i := range n {
			growthFunction(w, fmt.Sprintf("f%d", i), fmt.Sprintf("call absent_%d", i))
		}
		growthPatch(w, growthVmlinux, 1)
	}, nil, true},
	{"ambiguous", func(w *strings.Builder, n int) {
		w.WriteString("\t.text\n")
		for i := range n {
			growthFunction(w, fmt.Sprintf("f%d", i), fmt.Sprintf("call borrowed_%d", i))
			growthRecord(w, "vmlinux", fmt.Sprintf("borrowed_%d", i))
		}
		growthPatch(w, growthVmlinux, 1)
	}, func(w *strings.Builder, n int) { borrowed(w, n); borrowed(w, n) }, true},
	{"objects", func(w *strings.Builder, n int) {
		objects := []string{""}
		for i := range n {
			objects = append(objects, fmt.Sprintf("object_%d", i))
			w.WriteString("\t.text\n")
			growthFunction(w, fmt.Sprintf("f%d", i), fmt.Sprintf("call hidden_%d", i))
			growthRecord(w, fmt.Sprintf("object_%d", i), fmt.Sprintf("hidden_%d", i))
		}
		growthPatch(w, objects, 1)
	}, nil, false},
	{"functions", func(w *strings.Builder, n int) {
		w.WriteString("\t.text\n")
		growthFunction(w, "f", "call hidden")
		growthRecord(w, "vmlinux", "hidden")
		growthPatch(w, growthVmlinux, n)
	}, func(w *strings.Builder, n int) {
		for i := range n {
			fmt.Fprintf(w, "%016x t old_function_%d\n", growthAddress+16*uint64(i), i)
		}
	}, false},
	{"jump labels", func(w *strings.Builder, n int) {
		for i := range n {
			w.WriteString("\t.text\n")
			growthFunction(w, fmt.Sprintf("f%d", i), ".byte 0x0f,0x1f,0x44,0,0", "call hidden")
			fmt.Fprintf(w, "\t.section __jump_table,\"aw\"\n\t.balign 8\n\t.long f%d-., f%d+5-.\n"+
				"\t.quad borrowed_1-.\n", i, i)
		}
		growthRecord(w, "vmlinux", "hidden")
		growthRecord(w, "vmlinux", "borrowed_1")
		growthPatch(w, growthVmlinux, 1)
	}, borrowed, false},
	{"alternatives", func(w *strings.Builder, n int) {
		for i := range n {
			w.WriteString("\t.text\n")
			growthFunction(w, fmt.Sprintf("f%d", i), ".byte 0x0f,0x1f,0x44,0,0")
			fmt.Fprintf(w, "\t.section .altinstr_replacement,\"ax\"\nr%d:\tcall hidden\n"+
				"\t.section .altinstructions,\"a\"\n\t.long f%d-., r%d-.\n\t.word 16\n\t.byte 5,5\n", i, i, i)
		}
		growthRecord(w, "vmlinux", "hidden")
		growthPatch(w, growthVmlinux, 1)
	}, nil, false},
	{"versions", func(w *strings.Builder, n int) {
		for i := range n {
			w.WriteString("\t.text\n")
			growthFunction(w, fmt.Sprintf("f%d", i), fmt.Sprintf("call exported_%d", i))
			growthVersion(w, i)
		}
		w.WriteString("\t.text\n")
		growthFunction(w, "f", "call hidden")
		growthRecord(w, "vmlinux", "hidden")
		growthPatch(w, growthVmlinux, 1)
	}, growthExports, false},
	{"sections and versions", func(w *strings.Builder, n int) {
		for i := range n {
			fmt.Fprintf(w, "\t.section .text.f%d,\"ax\"\n", i)
			growthFunction(w, fmt.Sprintf("f%d", i), fmt.Sprintf("call exported_%d", i))
		}
		for i := range n { // after all of them
			growthVersion(w, i)
		}
		w.WriteString("\t.text\n")
		growthFunction(w, "f", "call hidden")
		growthRecord(w, "vmlinux", "hidden")
		growthPatch(w, growthVmlinux, 1)
	}, growthExports, false},
	{"debug relocations", func(w *strings.Builder, n int) {
		w.WriteString("\t.section .debug_info,\"\",@progbits\n")
		for range n {
			w.WriteString("\t.quad hidden\n\t.quad init_module\n")
		}
		w.WriteString("\t.text\n")
		growthFunction(w, "f", "call hidden")
		growthRecord(w, "vmlinux", "hidden")
		growthPatch(w, growthVmlinux, 1)
	}, nil, false},
	{"groups", func(w *strings.Builder, n int) {
		for i := range n {
			fmt.Fprintf(w, "\t.section .text.g%d,\"axG\",@progbits,group%d,comdat\n", i, i)
			growthFunction(w, fmt.Sprintf("f%d", i), "call hidden")
		}
		growthRecord(w, "vmlinux", "hidden")
		growthPatch(w, growthVmlinux, 1)
	}, nil, false},
	{"pointers", func(w *strings.Builder, n int) {
		for i := range n {
			fmt.Fprintf(w, "\t.data\n\t.type d%d,@object\nd%d:\t.quad hidden_%d, d%d\n"+
				"\t.size d%d,16\n", i, i, i%2, max(i-1, 0), i)
		}
		growthRecord(w, "object_0", "hidden_0")
		growthRecord(w, "object_1", "hidden_1")
		w.WriteString("\t.text\n")
		growthFunction(w, "f", fmt.Sprintf("movq $d%d, %%rdi", n-1))
		w.WriteString("\t.set reached, f\n")
		growthPatch(w, []string{"", "object_0", "object_1"}, 1)
	}, nil, false},
	{"calls", func(w *strings.Builder, n int) {
		w.WriteString("\t.text\n")
		for i := range n {
			var calls []string
			if i == n/2 {
				calls = append(calls, "call g")
			}
			for j := range 10 {
				calls = append(calls, fmt.Sprintf("call f%d", (i*7+j*j*131+1)%n))
			}
			fmt.Fprintf(w, "\t.globl f%d\n", i) // calls of local functions have no relocations
			growthFunction(w, fmt.Sprintf("f%d", i), calls...)
		}
		growthFunction(w, "g", "call hidden")
		w.WriteString("\t.set reached, f0\n")
		growthRecord(w, "object", "hidden")
		growthPatch(w, []string{"", "object"}, 1)
	}, nil, false},
	{"sections of one name", func(w *strings.Builder, n int) {
		for i := range n {
			fmt.Fprintf(w, "\t.section .data.one,\"aw\",@progbits,unique,%d\n\t.quad hidden\n", i)
		}
		growthRecord(w, "vmlinux", "hidden")
		growthPatch(w, growthVmlinux, 1)
	}, nil, false},
	{"arrays of records", func(w *strings.Builder, n int) {
		objects := []string{""}
		for i := range n {
			object := fmt.Sprintf("object_%d", i)
			objects = append(objects, object)
			w.WriteString("\t.text\n")
			growthFunction(w, fmt.Sprintf("f%d", i), fmt.Sprintf("call hidden_%d", i))
			growthRecord(w, object, fmt.Sprintf("hidden_%d", i))
			fmt.Fprintf(w, "\t.type a%d,@object\n\t.set a%d,.-12\n\t.size a%d,12\n", i, i, i)
		}
		growthPatch(w, objects, 1)
	}, nil, false},
	{"gates", func(w *strings.Builder, n int) {
		objects := []string{""}
		w.WriteString("\t.data\n")
		for i := range n {
			objects = append(objects, fmt.Sprintf("object_%d", i))
			fmt.Fprintf(w, "\t.quad \".klp.sym.rela.object_%d.other.hidden.0\"\n", i)
		}
		growthPatch(w, objects, 1)
	}, nil, false},
}

// growthModule assembles the module with n of the dimension in dir, with a list of the
// symbols of its kernel, and returns their names.
func growthModule(t testing.TB, dir string, d dimension, n int) (module, kernel string) {
	t.Helper()
	var text, list strings.Builder
	d.text(&text, n)
	text.WriteString(growthTail)
	list.WriteString("ffffffff81000000 T _text\nffffffff81000100 t hidden\n" +
		"ffffffff81000110 t old_function_0\nffffffff81000120 T klp_enable_patch\n")
	list.WriteString("ffffffff81001000 r __ksymtab_klp_enable_patch\n")
	if d.maps != nil {
		d.maps(&list, n)
	}
	name := strings.ReplaceAll(d.name, " ", "-") + strconv.Itoa(n)
	source := filepath.Join(dir, name+".s")
	module, kernel = filepath.Join(dir, name+".ko"), filepath.Join(dir, name+".map")
	require.NoError(t, os.WriteFile(source, []byte(text.String()), 0o644))
	require.NoError(t, os.WriteFile(kernel, []byte(list.String()), 0o644))
	out, err := exec.Command("as", "--64", "-o", module, source).CombinedOutput()
	require.NoError(t, err, "%.2000s", out)
	return module, kernel
}

// growthCommands are the command lines that are counted. IN is the module, OUT what the
// first of them makes of it, MAP the symbols of a kernel.
var growthCommands = []string{
	"-q IN OUT",
	"-q -k MAP IN OUT2",
	"inspect IN",
	"inspect --json OUT",
	"inspect --debug-copy COPY OUT",
	"check -k MAP OUT",
	"diff IN OUT",
	"annotate -k MAP IN",
}

// growthArgs returns a command of growthCommands for a module.
func growthArgs(command, module, kernel string) []string {
	base := strings.TrimSuffix(module, ".ko")
	return strings.Fields(strings.NewReplacer("IN", module, "OUT2", base+".out2.ko", "OUT",
		base+".out.ko",
		"COPY", base+".copy.ko", "MAP", kernel).Replace(command))
}

const (
	growthSmall  = 300
	growthFactor = 8
	// A comparison of what is sorted runs n log n times: 11 times as often, and up to 15 where
	// few are nearly in order. A block that runs for each pair runs 64 times as often.
	growthLimit = 16.0
)

func TestWorkGrowsWithTheModule(t *testing.T) {
	need.Long(t, "a build of its own and 256 runs of it take a minute")
	tool := filepath.Join(t.TempDir(), "klp-convert")
	build := exec.Command("go", "build", "-cover", "-covermode=count",
		"-coverpkg=github.com/klp-convert/klp-convert/...,slices", "-o", tool, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	// Where it is, since "go tool" takes longer to find it than it takes to print the counters.
	out, err = exec.Command("go", "tool", "-n", "covdata").Output()
	require.NoError(t, err)
	covdata := strings.TrimSpace(string(out))
	for _, d := range dimensions {
		t.Run(d.name, func(t *testing.T) {
			few := countBlocks(t, tool, covdata, d, growthSmall)
			many := countBlocks(t, tool, covdata, d, growthSmall*growthFactor)
			var bad []string
			for block, n := range many {
				if n > 4*growthSmall*growthFactor && float64(n) > growthLimit*float64(few[block]) {
					bad = append(bad, fmt.Sprintf("%s: %d times for %d, %d times for %d", block,
						few[block], growthSmall, n, growthSmall*growthFactor))
				}
			}
			slices.Sort(bad)
			assert.Empty(t, bad, "blocks that ran too often")
		})
	}
}

// countBlocks runs the instrumented program's commands on a module with n of the dimension
// and returns how often each block of its statements ran. Sorting itself is left out: that
// it takes n log n steps is known.
func countBlocks(t *testing.T, tool, covdata string, d dimension, n int) map[string]int {
	t.Helper()
	dir := t.TempDir()
	module, kernel := growthModule(t, t.TempDir(), d, n)
	for _, command := range growthCommands {
		cmd := exec.Command(tool, growthArgs(command, module, kernel)...)
		cmd.Env = append(os.Environ(), "GOCOVERDIR="+dir)
		out, err := cmd.CombinedOutput()
		if strings.HasPrefix(command, "-q") && !d.refused {
			require.NoError(t, err, "%s: %.2000s", command, out)
		} else if err != nil { // findings and differences are not what counts here
			require.Equal(t, exitFound, cmd.ProcessState.ExitCode(), "%s: %.2000s", command, out)
		}
	}
	text := filepath.Join(dir, "counts")
	out, err := exec.Command(covdata, "textfmt", "-i="+dir, "-o="+text).CombinedOutput()
	require.NoError(t, err, "%s", out)
	file, err := os.Open(text)
	require.NoError(t, err)
	defer file.Close()
	counts := map[string]int{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		field := strings.Fields(lines.Text())
		if len(field) == 3 && !strings.HasPrefix(field[0], "slices/zsort") {
			n, err := strconv.Atoi(field[2])
			require.NoError(t, err)
			counts[field[0]] += n
		}
	}
	require.Greater(t, len(counts), 1000)
	return counts
}

// builtTool returns a klp-convert as make build makes it.
func builtTool(b *testing.B) string {
	b.Helper()
	tool := filepath.Join(b.TempDir(), "klp-convert")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", tool, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(b, err, "%s", out)
	return tool
}

// BenchmarkGrowth converts, checks, compares and shows modules of 1000 to 100 000 of each
// dimension.
//
//	exponent   of the processor time from 10 000 to 100 000: 1 is linear
func BenchmarkGrowth(b *testing.B) {
	tool := builtTool(b)
	for _, d := range dimensions {
		b.Run(d.name, func(b *testing.B) {
			dir := b.TempDir()
			few, fewMap := growthModule(b, dir, d, 10_000)
			many, manyMap := growthModule(b, dir, d, 100_000)
			for _, command := range growthCommands {
				b.Run(command, func(b *testing.B) {
					var small, large float64
					for b.Loop() {
						small += growthTime(b, tool, growthArgs(command, few, fewMap))
						large += growthTime(b, tool, growthArgs(command, many, manyMap))
					}
					b.ReportMetric(math.Log10(large/small), "exponent")
					b.ReportMetric(large/float64(b.N), "s-100000")
				})
			}
		})
	}
}

// growthTime runs a command and returns its user and system time in seconds.
func growthTime(b *testing.B, tool string, args []string) float64 {
	b.Helper()
	cmd := exec.Command(tool, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		require.Equal(b, exitFound, cmd.ProcessState.ExitCode(), "%v: %.2000s", args, out)
	}
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
}
