// SPDX-License-Identifier: GPL-2.0-or-later

package pages

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

// isAdvised reports whether memory at an address was advised to be of huge pages: flag hg of
// its mapping (Documentation/filesystems/proc.rst, VmFlags).
func isAdvised(t *testing.T, at uintptr) bool {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/smaps")
	require.NoError(t, err)
	here := false
	for _, line := range strings.Split(string(maps), "\n") {
		var from, to uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 {
			here = from <= at && at < to
		}
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && here {
			return slices.Contains(strings.Fields(flags), "hg")
		}
	}
	require.Fail(t, "no mapping", "%#x", at)
	return false
}

// What is allocated after Expect is in the memory that it asked for.
func TestExpect(t *testing.T) {
	const n = 64 << 20
	Expect(n)
	var parts [][]byte
	advised := 0
	for range 24 {
		parts = append(parts, make([]byte, 1<<20))
		if isAdvised(t, uintptr(unsafe.Pointer(&parts[len(parts)-1][0]))) {
			advised++
		}
	}
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		assert.Zero(t, advised, "the kernel has none")
		return
	}
	assert.Greater(t, advised, 16, "of %d MB", len(parts))
}

// What is expected a second time is not asked for again: the memory would be cleared, and be there.
func TestExpectAgain(t *testing.T) {
	const n = 128 << 20
	Expect(n)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	Expect(n)
	Expect(n / 2)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(n/2))
}

func TestRelease(t *testing.T) {
	const size = 5*4096 + 100
	path := filepath.Join(t.TempDir(), "file")
	want := bytes.Repeat([]byte("module"), size)[:size]
	require.NoError(t, os.WriteFile(path, want, 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	b, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_PRIVATE)
	require.NoError(t, err)
	defer syscall.Munmap(b)
	for _, part := range [][]byte{b, b[1:], b[4000:4200], b[4096:8192], b[:0], nil} {
		Release(part)
		require.Equal(t, want, b)
	}
}
