// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import "testing"

// A klp relocation that the kernel does not apply is the worst that a converter
// can bring about: the module loads silently and faults when it is used.
// Each of these takes a converted module, breaks one thing, and sees that happen.

func TestMissingVmlinuxSectionFaultsWhenUsed(t *testing.T) {
	everyX86(t, func(t *testing.T, w *workbench) {
		s := w.scene(t)
		ko := w.converted(t, "klplab_cmdline.ko")
		s.file("klplab_cmdline.ko", without(t, ko, ".klp.rela.vmlinux..text"))
		s.run(
			sh(cmdline, prints(Cmdline)),
			sh("load klplab_cmdline.ko"),
			sh("settle klplab_cmdline"),
			// The code reads its own bytes as a pointer: what kind of fault depends on them.
			crash(cmdline, "RIP: 0010:"),
		)
	})
}

// unresolvedPointer loads klplab_sections, edited, and reads through a pointer that the
// kernel then has not resolved.
func unresolvedPointer(t *testing.T, edit func(t *testing.T, ko []byte) []byte) {
	everyX86(t, func(t *testing.T, w *workbench) {
		s := w.scene(t, "klplab_target.ko")
		s.file("klplab_sections.ko", edit(t, w.converted(t, "klplab_sections.ko")))
		s.run(
			sh("load klplab_target.ko"),
			sh("load klplab_sections.ko"),
			sh("settle klplab_sections"),
			crash(show, nullDereference(w.kernel)),
		)
	})
}

// nullDereference is what x86 says of an access to address 0: in other words since 5.1
// (f28b11a2abd9).
func nullDereference(k *Kernel) string {
	if k.AtLeast(5, 1) {
		return "BUG: kernel NULL pointer dereference, address: 0000000000000000"
	}
	return "BUG: unable to handle kernel NULL pointer dereference at 0000000000000000"
}

func TestMissingModuleSectionFaultsWhenUsed(t *testing.T) {
	unresolvedPointer(t, func(t *testing.T, ko []byte) []byte {
		return without(t, ko, ".klp.rela.klplab_target..data")
	})
}

// The name of a klp section is when it is applied: never, for an object that the
// livepatch does not patch.
func TestSectionOfForeignObjectIsNeverApplied(t *testing.T) {
	unresolvedPointer(t, func(t *testing.T, ko []byte) []byte {
		return renamed(t, ko, ".klp.rela.klplab_target..data", ".klp.rela.klplab_nobody..data")
	})
}

// Without its flag a klp section is an ordinary one, and a klp symbol in an
// ordinary relocation counts as 0: no undefined symbol, no message.
func TestOrdinaryRelocationOfKlpSymbolBindsToZero(t *testing.T) {
	unresolvedPointer(t, func(t *testing.T, ko []byte) []byte {
		return unmarked(t, ko, ".klp.rela.klplab_target..data")
	})
}

// From 5.8 on a section for a module may not name a symbol of vmlinux
// (ca376a937486 "livepatch: Prevent module-specific KLP rela sections from
// referencing vmlinux symbols").
func TestVmlinuxSymbolInModuleSectionIsRefused(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		w.since(t, 5, 8, "it is accepted")
		s := w.scene(t, "klplab_target.ko")
		ko := w.converted(t, "klplab_v7.ko")
		s.file("klplab_v7.ko", renamed(t, ko, ".klp.sym.klplab_target.klplab_secret,0",
			".klp.sym.vmlinux.klplab_secret_wrong,0"))
		s.run(
			sh("load klplab_target.ko"),
			sh("load klplab_v7.ko", refuses("EINVAL",
				"livepatch: invalid access to vmlinux symbol 'klplab_secret_wrong' from "+
					"module-specific livepatch relocation section")),
			sh(show, prints(original)),
		)
	})
}
