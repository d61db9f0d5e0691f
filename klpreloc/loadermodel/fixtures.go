// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

// Fixture is a module of testdata/arch.
type Fixture struct {
	Name      string // testdata/arch/4.19/NAME.ko and testdata/arch/6.1/NAME.ko
	Patched   []string
	Functions map[string]string
}

var (
	vmlinuxOnly = []string{"vmlinux"}
	ext4Only    = []string{"ext4"}
	bothObjects = []string{"vmlinux", "ext4"}

	fixtureFunctions = map[string]string{
		"livepatch_stat_show":    "vmlinux",
		"livepatch_loadavg_show": "vmlinux",
		"livepatch_psi_show":     "vmlinux",
		"livepatch_ext4_statfs":  "ext4",
		"livepatch_ext4_sync_fs": "ext4",
		"livepatch_jbd2_stat":    "jbd2",
	}
)

// Fixtures are all of them.
var Fixtures = []Fixture{
	{"alt-both", bothObjects, fixtureFunctions},
	{"alt-indirect", vmlinuxOnly, fixtureFunctions},
	{"alt-module", ext4Only, fixtureFunctions},
	{"alt-para", vmlinuxOnly, fixtureFunctions},
	{"alt-site", vmlinuxOnly, fixtureFunctions},
	{"alt-site-module", ext4Only, fixtureFunctions},
	{"alt-two-modules", []string{"ext4", "jbd2"}, fixtureFunctions},
	{"alt-vmlinux", vmlinuxOnly, fixtureFunctions},
	{"jump-label", vmlinuxOnly, fixtureFunctions},
	{"para", vmlinuxOnly, fixtureFunctions},
	{"para-beside", bothObjects, fixtureFunctions},
	{"para-last", vmlinuxOnly, fixtureFunctions},
	{"plain", bothObjects, fixtureFunctions},
	{"two-objects", bothObjects, fixtureFunctions},
}

// Scenario is the fixture on a kernel of the scheme, with [FixtureKernel].
func (f Fixture) Scenario(scheme Scheme) Scenario {
	return Scenario{Scheme: scheme, Kernel: FixtureKernel(), Patched: f.Patched,
		Functions: f.Functions}
}

// FixtureKernel is the kernel for which the fixtures of testdata/arch are written.
func FixtureKernel() Kernel {
	const vmlinux, ext4, jbd2 = 0xffffffff81000000, 0xffffffffa0000000, 0xffffffffa0100000
	return Kernel{
		Exports: map[string]uint64{
			"__fentry__":         vmlinux + 0x100,
			"boot_cpu_data":      vmlinux + 0x200,
			"klp_enable_patch":   vmlinux + 0x300,
			"klp_register_patch": vmlinux + 0x400,
			"pv_irq_ops":         vmlinux + 0x500,
			"schedule":           vmlinux + 0x600,

			"__x86_indirect_alt_call_rax": vmlinux + 0x700,
			"__x86_indirect_alt_jmp_rcx":  vmlinux + 0x705,
			"__x86_indirect_thunk_rax":    vmlinux + 0x720,
			"__x86_indirect_thunk_rcx":    vmlinux + 0x740,
		},
		// What arch/x86/lib/retpoline.S of 5.14 has there.
		Text: map[uint64][]byte{
			vmlinux + 0x700: {0xff, 0xd0, 0x90, 0x90, 0x90}, // call *%rax
			vmlinux + 0x705: {0xff, 0xe1, 0x90, 0x90, 0x90}, // jmp *%rcx
		},
		Objects: map[string]map[string][]uint64{
			"vmlinux": {
				"nr_processes": {vmlinux + 0x123450},
				"pv_lock_ops":  {vmlinux + 0x234560},
				"psi_disabled": {vmlinux + 0x345670},
				"name_show":    {vmlinux + 0x1000, vmlinux + 0x2000, vmlinux + 0x3000},
			},
			"ext4": {
				"ext4_helper": {ext4 + 0x4560},
				"ext4_ops":    {ext4 + 0x5670},
			},
			"jbd2": {"jbd2_helper": {jbd2 + 0x6780}},
		},
		Features: map[uint16]bool{
			3*32 + 21: true, // X86_FEATURE_ALWAYS
			9*32 + 20: true, // X86_FEATURE_SMAP
		},
		Paravirt: map[uint8]Operation{
			9:  {Code: []byte{0xfa}},       // cli
			10: {Code: []byte{0xfb}},       // sti
			79: {Call: vmlinux + 0x666660}, // a spinlock's slow path
			80: {},                         // nothing to be done
		},
	}
}
