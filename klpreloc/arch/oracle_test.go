// SPDX-License-Identifier: GPL-2.0-or-later

package arch_test

import (
	"bufio"
	"bytes"
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/scripts/need"
)

// objdumps take the code of each machine apart.
var objdumps = map[elf.Machine]string{
	elf.EM_X86_64: "x86_64-linux-gnu-objdump", elf.EM_S390: "s390x-linux-gnu-objdump",
	elf.EM_AARCH64: "aarch64-linux-gnu-objdump",
	elf.EM_PPC64:   "powerpc64le-linux-gnu-objdump", elf.EM_PPC: "powerpc-linux-gnu-objdump",
}

// TestObjdump: instructions are as long, and lead where, objdump says. With
// KLP_CORPUS, real modules too.
func TestObjdump(t *testing.T) {
	paths, err := filepath.Glob("../klppatch/testdata/*.ko")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, dir := range filepath.SplitList(os.Getenv("KLP_CORPUS")) {
		require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if strings.HasSuffix(path, ".ko") {
				paths = append(paths, path)
			}
			return err
		}))
	}
	instructions, branches := 0, 0
	for _, path := range paths {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		f, err := elfrw.Parse(path, b)
		require.NoError(t, err)
		tool, err := exec.LookPath(objdumps[f.Header.Machine])
		if err != nil {
			t.Log(err)
			continue
		}
		out, err := exec.Command(tool, "-d", "-w", "--insn-width=16", path).Output()
		require.NoError(t, err)
		n, m := compare(t, f, out)
		instructions, branches = instructions+n, branches+m
	}
	if instructions == 0 {
		need.Skip(t, "objdump is not installed for any of the machines")
	}
	t.Logf("%d instructions, %d branches in %d modules", instructions, branches, len(paths))
	assert.NotZero(t, branches)
}

// compare reads objdump's lines, "     4c:\te8 00 00 00 00 \tcall   51 <f+0x11>".
func compare(t *testing.T, f *elfrw.File, out []byte) (instructions, branches int) {
	decode := arch.Decoder(f)
	var text []byte
	var filled map[uint64]bool // by a relocation, which some objdumps apply
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, "Disassembly of section "); ok {
			text, filled = nil, map[uint64]bool{}
			count := 0
			for _, s := range f.Sections {
				if s.Name == strings.TrimSuffix(name, ":") {
					count++
					text = s.Data
				}
				if s.HasRelocs() && s.Target != nil && s.Target.Name == strings.TrimSuffix(name, ":") {
					for _, r := range s.Relocs() {
						filled[r.Offset] = true
					}
				}
			}
			if count != 1 {
				text = nil // which of them is unknown
			}
			continue
		}
		place, rest, ok := strings.Cut(line, ":\t")
		at, err := strconv.ParseUint(strings.TrimSpace(place), 16, 64)
		if text == nil || !ok || err != nil {
			continue
		}
		hex, disassembly, ok := strings.Cut(rest, "\t")
		words := strings.Fields(disassembly)
		if !ok || len(words) == 0 || strings.Contains(disassembly, "(bad)") || strings.Contains(disassembly, ".long") ||
			strings.Contains(disassembly, ".short") || strings.Contains(disassembly, ".inst") {
			continue
		}
		size := len(strings.Join(strings.Fields(hex), "")) / 2
		in := decode(text[at:min(at+16, uint64(len(text)))])
		instructions++
		if in.Size != size {
			assert.Fail(t, "length", "%s: %s: %+v", f.Name, line, in)
			continue
		}
		// A place in the section is the last operand, with a name after it.
		if i := strings.Index(disassembly, " <"); filled[at] {
			continue
		} else if in.Refers && i > 0 && !strings.Contains(disassembly, "#") {
			operand := disassembly[:i]
			operand = operand[strings.LastIndexAny(operand, " ,\t")+1:]
			to, err := strconv.ParseUint(operand, 16, 64)
			if assert.NoError(t, err, line) && !assert.Equal(t, to, at+uint64(in.To), "%s: %s",
				f.Name, line) {
				continue
			}
			branches++
		} else if !in.Refers && f.Header.Machine == elf.EM_X86_64 &&
			(words[0][0] == 'j' || words[0] == "call") && !strings.Contains(disassembly, "*") {
			assert.Fail(t, "no branch", "%s: %s: %+v", f.Name, line, in)
		}
	}
	return instructions, branches
}
