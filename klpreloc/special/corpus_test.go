// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/scripts/need"
)

var packers = map[string]string{".ko": "", ".gz": "gzip", ".xz": "xz", ".zst": "zstd"}

// TestCorpus reads the tables of every module below the directories in KLP_CORPUS:
// they are whole, and at each site is what the kernel expects there.
func TestCorpus(t *testing.T) {
	dirs := filepath.SplitList(need.Variable(t, "KLP_CORPUS", "make corpus"))
	var paths []string
	for _, dir := range dirs {
		before := len(paths)
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && strings.Contains(filepath.Base(path), ".ko") {
				paths = append(paths, path)
			}
			return err
		}))
		require.Greater(t, len(paths), before, "no modules below %s", dir)
	}

	var lock sync.Mutex
	counts := map[string]int{}
	todo := make(chan string)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for path := range todo {
				n, err := corpusFile(path)
				assert.NoError(t, err, path)
				lock.Lock()
				for k, n := range n {
					counts[k] += n
				}
				lock.Unlock()
			}
		}()
	}
	for _, path := range paths {
		todo <- path
	}
	close(todo)
	workers.Wait()
	if t.Failed() {
		return
	}
	var lines []string
	for k, n := range counts {
		lines = append(lines, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(lines)
	require.NotEmpty(t, lines)
	fmt.Printf("%d modules have these special entries:\n\t%s\n", len(paths),
		strings.Join(lines, "\n\t"))
}

// corpusFile returns how many entries of which kind and size a module has.
func corpusFile(path string) (map[string]int, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	unpack, known := packers[filepath.Ext(path)]
	if !known {
		return nil, fmt.Errorf("neither a module nor packed as one")
	}
	if unpack != "" {
		if b, err = exec.Command(unpack, "-dc", path).Output(); err != nil {
			return nil, fmt.Errorf("%s: %w", unpack, err)
		}
	}
	f, err := elfrw.Parse(path, b)
	if err != nil {
		return nil, err
	}
	tables, problems := Read(f)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%v", problems)
	}
	counts := map[string]int{}
	for _, x := range tables.All {
		if err := whole(x, false); err != nil {
			return nil, err
		}
		for i := range x.Len() {
			e := x.Entry(i)
			if err := described(tables, e); err != nil {
				return nil, err
			}
			code := e.Site.Section.Data[e.Site.Offset : e.Site.Offset+e.Site.Size]
			if !expected(f, e.Kind, code) {
				return nil, fmt.Errorf("%s: %s of % x at %s", e, e.Kind, code, e.Site)
			}
			if y := e.Site.Section; y.Flags&uint64(elf.SHF_EXECINSTR) == 0 {
				return nil, fmt.Errorf("%s: site in %s", e, y)
			}
			counts[fmt.Sprintf("%v %s, %d bytes", f.Header.Machine, e.Kind, e.Size)]++
		}
	}
	return counts, nil
}

// expected reports whether a kernel finds what it expects at a site.
func expected(f *elfrw.File, k Kind, code []byte) bool {
	starts := func(hex ...string) bool {
		return slices.ContainsFunc(hex, func(h string) bool {
			return strings.HasPrefix(fmt.Sprintf("%x", code), h)
		})
	}
	x86, s390 := f.Header.Machine == elf.EM_X86_64, f.Header.Machine == elf.EM_S390
	switch {
	case x86 && k == JumpLabel && len(code) == 2:
		return starts("6690", "eb")
	case x86 && k == JumpLabel:
		return starts("0f1f440000", "e9")
	case x86 && k == StaticCall:
		return starts("e8", "e9", "0f8")
	case x86 && k == Retpoline:
		return starts("e8", "e9", "2ee8", "2ee9", "0f8")
	case x86 && k == Return:
		return starts("e9")
	case x86 && k == Paravirt:
		return starts("ff14", "ff15", "e8") // an indirect call; objtool may have made it direct
	case s390 && k == JumpLabel:
		return starts("c004", "c0f4") // brcl
	case f.Header.Machine == elf.EM_PPC64 && k == JumpLabel:
		w := f.Uint32(code)
		return w == 0x60000000 || w>>26 == 18 // nop, b
	}
	return true
}
