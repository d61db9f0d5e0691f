// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/resolve"
	"github.com/klp-convert/klp-convert/sympos"
)

// Names as the kernels' own tables have them, with their letters: Debian's, of the
// releases named. Those of arm64 and riscv are as their syscall_wrapper.h makes them, those
// of 4.4 as include/linux/syscalls.h and compat.h did.
var kernelNames = map[string]string{
	"x86 5.10": `T __x64_sys_getpid T __ia32_sys_getpid t __do_sys_getpid d __syscall_meta__getpid
		T __x64_sys_openat T __ia32_sys_openat T __ia32_compat_sys_openat T __x32_compat_sys_openat
		T __x64_sys_ioctl T __ia32_sys_ioctl t __do_compat_sys_ioctl T __ia32_compat_sys_ioctl T __x32_compat_sys_ioctl
		T __x64_sys_read T __ia32_sys_read T ksys_read T fb_sys_read t proc_sys_read T vfs_read t vcs_read t vfs_readv
		W __x64_sys_pciconfig_read W __ia32_sys_pciconfig_read T sys_call_table`,
	"x86 7.3": `T __x64_sys_getpid T __ia32_sys_getpid t __do_sys_getpid T __pfx___ia32_sys_getpid
		T __x64_compat_sys_ioctl T __ia32_compat_sys_ioctl t __do_compat_sys_ioctl T __x64_sys_ioctl T __ia32_sys_ioctl
		T vfs_read T __pfx_vfs_read t finish_task_switch.isra.0 t __pfx_finish_task_switch.isra.0
		t schedule_debug.cold t ext4_find.constprop.0 t ext4_find.constprop.0.cold t show_free.part.0 t tcp_close.llvm.9007142
		t number.1 T do_filp_open t __bio_map t submit_inner T filemap_read`,
	"s390x 6.1": `T __s390x_sys_openat T __s390_sys_openat T __s390_compat_sys_openat T __se_sys_openat T __se_compat_sys_openat
		T __s390x_sys_getpid T __s390_sys_getpid`,
	"ppc64le 6.1": `T sys_openat T sys_getpid T ksys_read T sys_read t __do_sys_clone T sys_clone W sys_s390_pci_mmio_read`,
	"arm64":       `T __arm64_sys_openat T __arm64_compat_sys_openat t __do_sys_openat t __do_compat_sys_openat`,
	"riscv":       `T __riscv_sys_openat T __riscv_compat_sys_openat`,
	"4.4":         `T sys_openat T SyS_openat t SYSC_openat T compat_sys_openat T compat_SyS_openat t C_SYSC_openat`,
	"slips":       `T cmdline_proc_show T sys_getuid T sys_getppid`,
}

// near returns the names that are offered, and the last one's reason.
func near(t *testing.T, kernel, name string) (names []string, why string) {
	t.Helper()
	var text strings.Builder
	fields := strings.Fields(kernelNames[kernel])
	require.NotEmpty(t, fields)
	for i := 0; i < len(fields); i += 2 {
		fmt.Fprintf(&text, "%016x %s %s\n", 0xffffffff81000000+uint64(i)*16, fields[i], fields[i+1])
	}
	k := kernelOf(t, text.String())
	read, err := k.Read(sympos.Names("nothing"))
	require.NoError(t, err)
	lists, _ := resolve.NearMisses(k, read, resolve.Sought{Object: "vmlinux", Name: name})
	for _, x := range lists[0] {
		names = append(names, x.Name)
		why = x.Why
	}
	return names, why
}

func TestNamesThatTheKernelHasInAnotherForm(t *testing.T) {
	for _, x := range []struct {
		kernel, name string
		want         []string
	}{
		{"x86 5.10", "sys_getpid", []string{"__x64_sys_getpid", "__ia32_sys_getpid", "__do_sys_getpid"}},
		{"x86 5.10", "SyS_openat", []string{"__x64_sys_openat", "__ia32_sys_openat",
			"__ia32_compat_sys_openat"}},
		{"x86 5.10", "SYSC_openat", []string{"__x64_sys_openat", "__ia32_sys_openat",
			"__ia32_compat_sys_openat"}},
		{"x86 5.10", "__se_sys_read", []string{"__x64_sys_read", "__ia32_sys_read", "ksys_read"}},
		{"x86 5.10", "__arm64_sys_read", []string{"__x64_sys_read", "__ia32_sys_read", "ksys_read"}},
		{"x86 5.10", "read", []string{"__x64_sys_read", "__ia32_sys_read"}},
		{"x86 5.10", "compat_sys_ioctl", []string{"__ia32_compat_sys_ioctl", "__do_compat_sys_ioctl",
			"__x32_compat_sys_ioctl"}},
		{"x86 5.10", "C_SYSC_ioctl", []string{"__do_compat_sys_ioctl", "__ia32_compat_sys_ioctl",
			"__x32_compat_sys_ioctl"}},
		{"x86 5.10", "compat_sys_read", []string{"__ia32_sys_read", "__x64_sys_read", "ksys_read"}},
		{"x86 5.10", "__x64_compat_sys_ioctl",
			[]string{"__x32_compat_sys_ioctl", "__ia32_compat_sys_ioctl", "__do_compat_sys_ioctl"}},
		{"x86 7.3", "__do_sys_getpid.isra.0",
			[]string{"__do_sys_getpid", "__x64_sys_getpid", "__ia32_sys_getpid"}},
		{"x86 7.3", "finish_task_switch", []string{"finish_task_switch.isra.0"}},
		{"x86 7.3", "finish_task_switch.isra.1", []string{"finish_task_switch.isra.0"}},
		{"x86 7.3", "ext4_find", []string{"ext4_find.constprop.0"}},
		{"x86 7.3", "show_free", []string{"show_free.part.0"}},
		{"x86 7.3", "tcp_close", []string{"tcp_close.llvm.9007142"}},
		{"x86 7.3", "vfs_read.llvm.17", []string{"vfs_read"}},
		{"x86 7.3", "vfs_read.cold", []string{"vfs_read"}},
		{"x86 7.3", "number.3", []string{"number.1"}},
		{"x86 7.3", "schedule_debug", nil}, // its .cold part is no target
		{"x86 7.3", "__cfi_vfs_read", []string{"vfs_read"}},
		{"x86 7.3", "__pfx_do_filp_open", []string{"do_filp_open"}},
		{"x86 7.3", "filp_open", []string{"do_filp_open"}},
		{"x86 7.3", "__do_filp_open", []string{"do_filp_open"}},
		{"x86 7.3", "bio_map", []string{"__bio_map"}},
		{"x86 7.3", "submit", []string{"submit_inner"}},
		{"x86 7.3", "filemap_read_inner", []string{"filemap_read"}},
		{"s390x 6.1", "sys_openat", []string{"__s390x_sys_openat", "__s390_sys_openat",
			"__se_sys_openat"}},
		{"s390x 6.1", "__do_sys_openat", []string{"__se_sys_openat", "__s390x_sys_openat",
			"__s390_sys_openat"}},
		{"s390x 6.1", "compat_sys_openat", []string{"__s390_compat_sys_openat", "__se_compat_sys_openat",
			"__s390_sys_openat"}},
		{"s390x 6.1", "__x64_sys_getpid", []string{"__s390x_sys_getpid", "__s390_sys_getpid"}},
		{"ppc64le 6.1", "__x64_sys_openat", []string{"sys_openat"}},
		{"ppc64le 6.1", ".sys_openat", []string{"sys_openat"}},
		{"ppc64le 6.1", "SYSC_clone", []string{"__do_sys_clone", "sys_clone"}},
		{"arm64", "sys_openat", []string{"__arm64_sys_openat", "__do_sys_openat",
			"__arm64_compat_sys_openat"}},
		{"arm64", "compat_sys_openat", []string{"__arm64_compat_sys_openat", "__do_compat_sys_openat",
			"__arm64_sys_openat"}},
		{"riscv", "__se_sys_openat", []string{"__riscv_sys_openat", "__riscv_compat_sys_openat"}},
		{"4.4", "__x64_sys_openat", []string{"SyS_openat", "sys_openat", "SYSC_openat"}},
		{"4.4", "__do_sys_openat", []string{"SYSC_openat", "SyS_openat", "sys_openat"}},
		{"4.4", "__ia32_compat_sys_openat", []string{"compat_SyS_openat", "compat_sys_openat",
			"C_SYSC_openat"}},
		{"4.4", "__se_compat_sys_openat",
			[]string{"C_SYSC_openat", "compat_SyS_openat", "compat_sys_openat"}},
		{"slips", "cmdline_proc_shw", []string{"cmdline_proc_show"}},
		{"slips", "sys_getpid", []string{"sys_getppid", "sys_getuid"}},
		// Nothing silly.
		{"x86 5.10", "sys_", nil},
		{"x86 5.10", "proc_sys_write", nil},
		{"x86 5.10", "getpid_sys", nil},
		{"x86 5.10", "do_it", nil},
		{"x86 7.3", "__", nil},
		{"x86 7.3", ".cold", nil},
		{"x86 7.3", "_inner", nil},
	} {
		names, _ := near(t, x.kernel, x.name)
		assert.Equal(t, x.want, names, "%s: %s", x.kernel, x.name)
	}
}

func TestReasonsOfNearMisses(t *testing.T) {
	for _, x := range []struct{ kernel, name, why string }{
		{"x86 7.3", "finish_task_switch", "its arguments were changed by the compiler"},
		{"x86 7.3", "__pfx_do_filp_open", "the function; __pfx_do_filp_open is the padding before it"},
		{"x86 7.3", "vfs_read.cold", "the function, of which that is a part"},
		{"x86 7.3", "number", "numbered by the compiler"},
		{"riscv", "sys_openat", "its entry for 32-bit programs"},
		{"ppc64le 6.1", "__do_sys_openat",
			"entry of the system call, into which __do_sys_openat is inlined"},
		{"ppc64le 6.1", "__s390x_sys_s390_pci_mmio_read",
			"entry of the system call, which this kernel does not have: it returns ENOSYS"},
		{"x86 7.3", "bio_map", "a variant of the name"},
	} {
		_, why := near(t, x.kernel, x.name)
		assert.True(t, strings.HasSuffix(why, ", "+x.why), "%s: %s: %s", x.kernel, x.name, why)
	}
}
