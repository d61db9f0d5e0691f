// SPDX-License-Identifier: GPL-2.0-or-later

package lab

// A base is one of the lab's modules, converted, and how its code is run.
type base struct {
	target string // the module that it patches
	show   string // file of /proc
	plain  bool   // no livepatch
	unsafe bool   // converted by force
}

// Short names of the bases that are mutated.
const (
	inVmlinux = "klplab_cmdline.ko"  // a function of vmlinux, with a symbol of vmlinux
	inModule  = "klplab_v7.ko"       // one of a module, with symbols of both
	inData    = "klplab_sections.ko" // klp relocations in every kind of section
	inSpecial = "klplab_vmlinux.ko"  // symbols of vmlinux in special sections
	ordinary  = "klplab_ordinary.ko" // special sections of its own
	plain     = "klplab_target.ko"   // no livepatch
	exporting = "klplab_owner.ko"    // no livepatch, and exports
	inArch    = "klplab_arch.ko"     // .klp.arch sections for a module (4.9 to 5.7)
	inArchVm  = "klplab_arch_vmlinux.ko"
)

var bases = map[string]base{
	inVmlinux:              {show: "/proc/cmdline"},
	inSpecial:              {show: "/proc/cmdline"},
	inModule:               {show: "/proc/klplab_target", target: plain},
	inData:                 {show: "/proc/klplab_target", target: plain},
	ordinary:               {show: "/proc/klplab_owner", target: exporting},
	inArch:                 {show: "/proc/klplab_target", target: plain},
	inArchVm:               {show: "/proc/cmdline"},
	plain:                  {show: "/proc/klplab_target", plain: true},
	exporting:              {show: "/proc/klplab_owner", plain: true},
	"klplab_forced_key.ko": {show: "/proc/klplab_key", target: exporting, unsafe: true},
	"klplab_forced_replacement.ko": {show: "/proc/klplab_replacement", target: exporting,
		unsafe: true},
	"klplab_forced_site.ko":    {show: "/proc/klplab_site", target: exporting, unsafe: true},
	"klplab_forced_clobber.ko": {show: "/proc/klplab_clobber", target: exporting, unsafe: true},
	"klplab_forced_call.ko":    {show: "/proc/klplab_call", target: exporting, unsafe: true},
	"klplab_forced_object.ko":  {show: "/proc/cmdline", unsafe: true},
}

// A mutant is a good module with one thing changed.
type mutant struct {
	name, base string
	edit       func(d *draft)
	show       string            // another file to read than the base's, whatever it prints
	again      bool              // the target is also removed and loaded again
	alone      bool              // it needs a boot of its own: the kernel says some things once
	open       string            // why what comes of it can't be predicted
	openLater  string            // the same, of a target that comes later only
	openOn     map[string]string // the same, by architecture
	openBefore string            // the same, before the kernel of the version that refuses it
	refusedBy  [2]int            // that version
}

var mutants = joined(unchanged, fileMutants, headerMutants, infoMutants, importMutants,
	sectionMutants,
	symbolMutants, relocMutants, structMutants, patchMutants, specialMutants, archMutants)

func joined(lists ...[]mutant) (all []mutant) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// unchanged are the bases as they are; those converted by force are mutants already.
var unchanged = []mutant{
	{name: "good-vmlinux", base: inVmlinux},
	{name: "good-special", base: inSpecial},
	{name: "good-module", base: inModule, again: true},
	{name: "good-sections", base: inData, again: true},
	{name: "good-ordinary", base: ordinary, again: true},
	{name: "good-arch", base: inArch, again: true},
	{name: "good-arch-vmlinux", base: inArchVm},
	{name: "good-plain", base: plain},
	{name: "good-exporting", base: exporting},
	{name: "forced-key", base: "klplab_forced_key.ko"},
	{name: "forced-replacement", base: "klplab_forced_replacement.ko"},
	{name: "forced-site", base: "klplab_forced_site.ko"},
	{name: "forced-clobber", base: "klplab_forced_clobber.ko"},
	{name: "forced-call", alone: true, base: "klplab_forced_call.ko",
		open: "a static call that is half set up is an address that the kernel writes to"},
	{name: "forced-object", base: "klplab_forced_object.ko"},
}
