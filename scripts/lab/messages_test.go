// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/explain"
	"github.com/klp-convert/klp-convert/scripts/need"
	"github.com/klp-convert/klp-convert/sympos"
)

// What a livepatch's author can see on the way to a loaded livepatch is printed by these
// programs, and "klp-convert explain" has to know it. The formats are read from the
// programs themselves:
//
//	modpost, objtool, resolve_btfids, kmod    all strings of the file
//	the kernel                                the strings that the functions of livepatch,
//	                                          module loader and relocations refer to
//
// and a line is made of each, with names for %s and numbers for %d. Those that explain
// knowingly leaves out are in testdata/messages-leftout.txt, by pattern, with the reason.

func TestMessagesOfEveryKernelAreExplained(t *testing.T) {
	left := readLeftOut(t)
	everyFetchedKernel(t, func(t *testing.T, k *Kernel) {
		for _, p := range []struct {
			name    string
			formats []string
			least   int // that there are, or the reading is wrong
			before  []string
		}{
			{"modpost", stringsOf(t, k.program(t, "scripts/mod/modpost", ".real-lsb-64")), 60,
				[]string{"ERROR: modpost: ", "WARNING: modpost: lp.ko: "}},
			{"objtool", containing("objtool: ",
				stringsOf(t, k.program(t, "tools/objtool/objtool", ".real-x86"))), 100,
				[]string{"lp.o: warning: objtool: ", "lp.o: warning: objtool: f+0x7: ",
					"error: objtool: "}},
			{"resolve_btfids", resolveBTFids(t, k), 0, []string{""}},
			{"kmod", kmodStrings(t, k), 100, []string{"", "insmod: ERROR: ", "modprobe: ERROR: ",
				"modprobe: FATAL: ", "rmmod: ERROR: ", "depmod: WARNING: ", "depmod: ERROR: "}},
			{"kernel", kernelFormats(t, k), 75, []string{"", "module: "}},
		} {
			assert.GreaterOrEqual(t, len(p.formats), p.least, "%s: formats", p.name)
			for _, format := range p.formats {
				if left.has(p.name, format) {
					continue
				}
				x := explanationOf(format, p.before)
				if !assert.NotNil(t, x, "%s of %s says what explain does not know: %q", p.name,
					k.Release, format) {
					continue
				}
				if p.name != "kmod" { // has no version of the kernel's
					assert.True(t, explain.Covers(x.When, k.Release),
						"%s: %q is printed by %s, not only by %s", x.ID, format, k.Release, x.When)
				}
			}
		}
	})
	if releases, err := Selected(); err == nil && len(releases) >= len(Releases) && !t.Failed() {
		for _, o := range left {
			assert.True(t, o.used, "%s: nothing is left out by %s", o.program, o.re)
		}
	}
}

// everyFetchedKernel is everyKernel for a test that neither builds nor boots.
func everyFetchedKernel(t *testing.T, scenario func(t *testing.T, k *Kernel)) {
	t.Helper()
	t.Parallel()
	releases, err := Selected()
	require.NoError(t, err)
	cache, err := OpenCache()
	require.NoError(t, err)
	for _, r := range releases {
		t.Run(r.Series, func(t *testing.T) {
			k, err := FetchRelease(cache, r, t.Logf)
			if err != nil {
				need.Lab(t, fmt.Sprintf("the kernel %v is not available: %v", r, err))
			}
			scenario(t, k)
		})
	}
}

// A leftOut is why some formats of a program need no explanation.
type leftOut struct {
	program string
	re      *regexp.Regexp
	used    bool
}

type leftOuts []*leftOut

func readLeftOut(t *testing.T) (all leftOuts) {
	t.Helper()
	b, err := os.ReadFile("testdata/messages-leftout.txt")
	require.NoError(t, err)
	program, reason := "", false
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		line := s.Text()
		switch {
		case line == "":
			reason = false
		case strings.HasPrefix(line, "#"):
			reason = true
		case strings.HasPrefix(line, "["):
			program = strings.Trim(line, "[]")
		default:
			require.True(t, reason, "no reason is given for %q", line)
			all = append(all, &leftOut{program: program, re: regexp.MustCompile(line)})
		}
	}
	require.Less(t, len(all), 80, "patterns")
	return all
}

func (l leftOuts) has(program, format string) bool {
	has := false
	for _, o := range l {
		if o.program == program && o.re.MatchString(format) {
			o.used, has = true, true
		}
	}
	return has
}

// explanationOf returns what explain says of a line of that format, or nil.
func explanationOf(format string, before []string) *explain.Explanation {
	for _, line := range examples(format) {
		for _, b := range before {
			if found := explain.Text(b + line); len(found) == 1 {
				return found[0]
			}
		}
	}
	return nil
}

var (
	verbRE    = regexp.MustCompile(`%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|L)?([a-zA-Z])([SsBhbxK]?[NIl]?)|%%`)
	addressRE = regexp.MustCompile(`0x%[\d.]*l*x`)
	// words are what %s means: a name; what some messages are put together from.
	words = []string{"name", "7", "unpatching", "bad vermagic", "module with unavailable key",
		"patching to unpatching",
		"No such file or directory", "Resource temporarily unavailable"}
)

// examples returns lines that a format may print: with one word for each %s, and with a
// name for the first, which is often the module's.
func examples(format string) (all []string) {
	format = strings.Replace(format, "livepatch: %s: ", "livepatch: klp_try_switch_task: ",
		1) // __func__
	format = addressRE.ReplaceAllString(format, "0x7f")
	for _, word := range words {
		for _, first := range []string{word, "name"} {
			next := first
			line := verbRE.ReplaceAllStringFunc(format, func(verb string) string {
				switch m := verbRE.FindStringSubmatch(verb); m[1] {
				case "":
					return "%"
				case "s":
					text := next
					next = word
					return text
				case "p":
					switch {
					case m[2] == "":
						return "00000000e5a1b2c3"
					case m[2][0] == 'h':
						return "0a0b"
					}
					return "f+0x0/0x4"
				case "c":
					return "x"
				case "m":
					return "No such file or directory"
				}
				return "7"
			})
			if !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	return all
}

// program returns a program of the kernel's build: the one that the wrapper of that name
// runs, whose name has the suffix, or the program itself.
func (k *Kernel) program(t *testing.T, name, suffix string) string {
	t.Helper()
	path, err := one(k.Root, "usr/lib/linux-kbuild-*/"+name+suffix, "usr/lib/linux-kbuild-*/"+name)
	require.NoError(t, err)
	return path
}

// stringsOf returns the strings of a program that may be messages: the first lines of
// those that have a blank.
func stringsOf(t *testing.T, path string) (all []string) {
	t.Helper()
	f, err := elf.Open(path)
	require.NoError(t, err)
	defer f.Close()
	for _, s := range f.Sections {
		if !strings.HasPrefix(s.Name, ".rodata") && s.Name != ".data" {
			continue
		}
		b, err := s.Data()
		require.NoError(t, err)
		for _, text := range bytes.Split(b, []byte{0}) {
			if line := message(text); line != "" && !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	return all
}

// message returns the first line of a string that may be a message, or "".
func message(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if len(line) < 6 || !strings.Contains(line, " ") ||
		strings.IndexFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' }) >= 0 {
		return ""
	}
	return strings.TrimSpace(line)
}

// containing returns those that say who speaks, without that.
func containing(speaker string, formats []string) (all []string) {
	for _, f := range formats {
		if _, after, ok := strings.Cut(f, speaker); ok {
			all = append(all, after)
		}
	}
	return all
}

// resolveBTFids returns the formats of resolve_btfids's own source; the rest of the
// program is libbpf. Kernels before 6.12 come without it.
func resolveBTFids(t *testing.T, k *Kernel) (all []string) {
	t.Helper()
	if !k.AtLeast(6, 12) {
		return nil
	}
	own := regexp.MustCompile(`^(FAILED|WARN: |ERROR: |Unexpected |Couldn't open %s for|Output path|btf__raw_data\(\))`)
	for _, f := range stringsOf(t, k.program(t, "tools/bpf/resolve_btfids/resolve_btfids", "")) {
		if own.MatchString(f) {
			all = append(all, f)
		}
	}
	require.Greater(t, len(all), 15)
	return all
}

// kmodStrings returns the formats of the kmod that comes with the kernel's release.
func kmodStrings(t *testing.T, k *Kernel) []string {
	t.Helper()
	var path string
	var err error
	if k.tools != "" {
		path, err = one(k.tools, "usr/bin/kmod")
	} else if path, err = exec.LookPath("kmod"); err != nil {
		path, err = exec.LookPath("/usr/bin/kmod")
	}
	if err != nil {
		need.Lab(t, "kmod is not installed: apt-get install kmod")
	}
	all := stringsOf(t, path)
	// Since kmod 34 the programs are linked with the library.
	libraries, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(path)),
		"lib/x86_64-linux-gnu/libkmod.so.2"))
	require.NoError(t, err)
	for _, l := range libraries {
		all = append(all, stringsOf(t, l)...)
	}
	return all
}

// What module code is: from the first function of kernel/module/main.c to the last one of
// that directory, as they lie in .text (kernel/module.c to kernel/module_signing.c before
// 5.19), and of arch/x86/kernel/module.c and kernel/livepatch by name.
var (
	firstOfModule = "__traceiter_module_load"
	lastOfModule  = []string{"same_magic", "check_version", "check_modstruct_version",
		"mod_sysfs_setup", "mod_verify_sig", "module_sig_check", "mod_check_sig"}
	moduleByName = regexp.MustCompile(`^(_*klp_|(_*(write|clear)_relocate_add|_*apply_relocate_add|module_finalize)(\.|$))`)
)

const (
	soh        = '\x01' // begins what printk prints, before the level (KERN_SOH)
	longModule = 128 << 10
)

// kernelFormats returns the formats that the kernel's livepatch and module code prints.
func kernelFormats(t *testing.T, k *Kernel) (all []string) {
	t.Helper()
	b, err := os.ReadFile(k.Image)
	require.NoError(t, err)
	b, err = sympos.UnpackKernel(b)
	require.NoError(t, err)
	f, err := elf.NewFile(bytes.NewReader(b))
	require.NoError(t, err)
	image, err := sympos.Open(k.Image)
	require.NoError(t, err)
	table, err := sympos.Read(sympos.All, image)
	require.NoError(t, err)

	// data returns what is in memory from the address on.
	data := func(addr uint64) []byte {
		for _, s := range f.Sections {
			if s.Type == elf.SHT_PROGBITS && s.Addr != 0 && addr > s.Addr && addr-s.Addr < s.Size {
				return b[s.Offset+addr-s.Addr-1 : s.Offset+s.Size] // with one byte before it
			}
		}
		return nil
	}
	first := table.Lookup(sympos.Vmlinux, firstOfModule)
	require.Len(t, first, 1)
	from, to := first[0].Address, uint64(0)
	for _, name := range lastOfModule {
		for _, s := range table.Lookup(sympos.Vmlinux, name) {
			if s.Address > from && s.Address-from < longModule {
				to = max(to, s.Address+1)
			}
		}
	}
	loader := map[string]bool{}
	var functions []sympos.Symbol
	names := table.Names(sympos.Vmlinux)
	for _, name := range names {
		for _, s := range table.Lookup(sympos.Vmlinux, name) {
			if s.Address >= from && s.Address < to {
				loader[name] = true
				functions = append(functions, s)
			}
		}
	}
	require.True(t, loader["load_module"] && len(loader) < 500, "functions of kernel/module")
	for _, name := range names {
		if cold := strings.TrimSuffix(name, ".cold"); moduleByName.MatchString(name) ||
			cold != name && loader[cold] {
			functions = append(functions, table.Lookup(sympos.Vmlinux, name)...)
		}
	}
	for _, s := range functions {
		code := data(s.Address)
		if code == nil || s.Size == 0 || s.Size >= uint64(len(code)) ||
			!strings.ContainsRune("tTwW", rune(s.Type)) {
			continue
		}
		code = code[1 : 1+s.Size]
		for i := 0; i+4 <= len(code); i++ {
			// A 32-bit address, or a distance from the end of the instruction.
			n := uint64(int64(int32(binary.LittleEndian.Uint32(code[i:]))))
			for _, addr := range []uint64{n, s.Address + uint64(i) + 4 + n} {
				text := data(addr)
				if len(text) < 8 || text[0] != 0 || addr < 1<<63 {
					continue // not the beginning of a string
				}
				end := bytes.IndexByte(text[1:], 0)
				if end < 0 {
					continue
				}
				text = text[1 : 1+end]
				if len(text) > 2 && text[0] == soh {
					text = text[2:]
				} else if !bytes.HasPrefix(text, []byte("livepatch: ")) { // pr_debug has no level
					continue
				}
				if line := message(text); line != "" && !slices.Contains(all, line) {
					all = append(all, line)
				}
			}
		}
	}
	return all
}
