// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package sympos_test

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/lab"
	"github.com/klp-convert/klp-convert/scripts/need"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// typedNames are 50 names that kernels have.
var typedNames = []string{"vfs_read", "vfs_write", "vfs_open", "do_filp_open", "path_openat",
	"seq_read", "seq_printf", "single_open", "single_release", "proc_create", "name_show",
	"uptime_proc_show", "cmdline_proc_show", "meminfo_proc_show", "cpu_show_common", "schedule",
	"schedule_timeout", "wake_up_process", "do_exit", "kthread_create_on_node", "msleep", "ktime_get",
	"_printk", "strlen", "kmem_cache_alloc", "alloc_skb", "kfree_skb", "mutex_lock", "mutex_unlock",
	"down_read", "up_read", "ip_rcv", "tcp_v4_rcv", "tcp_sendmsg", "udp_sendmsg", "sock_recvmsg",
	"netif_rx", "register_netdevice", "pci_enable_device", "request_threaded_irq", "free_irq",
	"jiffies_to_msecs", "kallsyms_lookup_name", "module_put", "try_module_get",
	"sysfs_create_group", "init_task", "runqueues", "current_task", "cpu_number"}

// askForTypes asks for the types of typedNames as a comparison does, and returns how many there
// are.
func askForTypes(t testing.TB, types *ctypes.Types) (n int) {
	for _, name := range typedNames {
		functions, err := types.Functions(name)
		require.NoError(t, err)
		for _, f := range functions {
			y := f.Type.Type()
			require.Equal(t, ctypes.Func, y.Kind, "%s: %s", name, y.Why)
			for _, p := range y.Params {
				p.Type.Type().Bare()
			}
			n++
		}
		variables, err := types.Variables(name)
		require.NoError(t, err)
		for _, v := range variables {
			_, ok := v.Type.Type().SizeOf()
			require.True(t, ok, name)
			n++
		}
	}
	return n
}

// Each kernel of the lab describes its types, or has no BTF.
func TestTypesOfRealKernels(t *testing.T) {
	t.Parallel()
	cache := openCache(t)
	releases, err := lab.Selected()
	require.NoError(t, err)
	for _, r := range releases {
		t.Run(r.Series, func(t *testing.T) {
			kernel, err := lab.FetchRelease(cache, r, say)
			if err != nil {
				need.Lab(t, fmt.Sprintf("the kernel %v is not to be had here: %v", r, err))
			}
			types, err := sympos.ReadTypes(kernel.Image, sympos.All)
			if errors.Is(err, sympos.ErrNoTypes) {
				t.Logf("%v", err)
				return
			}
			require.NoError(t, err)
			assert.NotEmpty(t, types.BuildID)
			names, err := types.FunctionNames()
			require.NoError(t, err)
			assert.Greater(t, len(names), 20000)
			assert.Greater(t, askForTypes(t, types), 30)
			assert.Less(t, types.Decoded(), 500, "only what was asked for is decoded")
			// All that some functions lead to can be decoded.
			seen := map[*ctypes.Type]bool{}
			var todo []*ctypes.Type
			for i := 0; i < len(names); i += 100 {
				list, err := types.Functions(names[i])
				require.NoError(t, err)
				require.NotEmpty(t, list, names[i])
				for _, f := range list {
					todo = append(todo, f.Type.Type())
				}
			}
			for len(todo) > 0 {
				y := todo[len(todo)-1]
				todo = todo[:len(todo)-1]
				if seen[y] {
					continue
				}
				seen[y] = true
				require.NotEqual(t, ctypes.Unreadable, y.Kind, y.Why)
				todo = append(todo, y.Elem.Type())
				for _, m := range y.Members {
					todo = append(todo, m.Type.Type())
				}
				for _, p := range y.Params {
					todo = append(todo, p.Type.Type())
				}
			}
			t.Logf("%d functions, %d types reached", len(names), len(seen))
		})
	}
}

// The types of 50 names, after the symbols were read: the time as a fraction of that of the
// symbols, and the memory that was allocated for them.
func BenchmarkTypes(b *testing.B) {
	path := cachedKernel(b).Image
	var symbols, types time.Duration
	var memory uint64
	for b.Loop() {
		start := processorTime(b)
		source, err := sympos.Open(path)
		require.NoError(b, err)
		table, err := sympos.Read(sympos.Names(typedNames...), source)
		require.NoError(b, err)
		symbols += processorTime(b) - start

		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start = processorTime(b)
		known, err := table.Types()
		if errors.Is(err, sympos.ErrNoTypes) {
			b.Skip(err)
		}
		require.NoError(b, err)
		require.Greater(b, askForTypes(b, known), 30)
		types += processorTime(b) - start
		runtime.ReadMemStats(&after)
		memory += after.TotalAlloc - before.TotalAlloc
	}
	b.ReportMetric(types.Seconds()/symbols.Seconds(), "x-symbols")
	b.ReportMetric(float64(memory)/float64(b.N)/(1<<20), "types-MB")
}

// cachedKernel is the kernel of the lab, or the end of the benchmark.
func cachedKernel(b *testing.B) *lab.Kernel {
	b.Helper()
	cache, err := lab.OpenCache()
	require.NoError(b, err)
	kernel, err := lab.Fetch(cache, say)
	if err != nil {
		b.Skip(err)
	}
	return kernel
}

// processorTime is what this process has used, in the kernel too.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
