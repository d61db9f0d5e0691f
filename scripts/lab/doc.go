// SPDX-License-Identifier: GPL-2.0-or-later

// Package lab boots a real kernel and lets it judge converted livepatch modules.
//
// What klp-convert writes has one reader that counts: the module loader of a
// running kernel. No test on the bytes alone can tell whether that loader
// applies a klp relocation, applies it too late or leaves it out without a
// word. So the lab takes the kernels that Debian's releases ship, builds
// livepatch modules the way an author does, converts them, loads them and reads
// what changed:
//
//	apt mirror ──► Fetch ──► Kernel ──► Build ──► x.ko ──► klp-convert ──► x.ko
//	               (cache)   vmlinuz    (Kbuild,                           │
//	                         headers     modules/)                         ▼
//	                         modules                    Boot: QEMU, busybox, agent
//	                         compiler                                      │
//	                         []Result: status, output and dmesg of each step
//
// Each arrow is one file of this package: apt.go and kernel.go fetch, build.go
// builds, initramfs.go and boot.go run, result.go is the verdict. release.go is
// the list of kernels, sources.go finds other releases than the machine's own
// where that one comes from, tools.go lends their compilers. cross.go knows the
// other machines than x86_64, for which tree.go builds kernels; root.go takes a kernel
// that somebody else has built. cache.go keeps what was downloaded, kept.go lists it
// for make bench; prereq.go says what the machine lacks.
//
// Rules the package keeps:
//
//   - Nothing is installed system-wide and root is not needed. Packages are
//     unpacked into the cache with dpkg-deb; apt runs in a state directory of
//     its own, so it needs no earlier "apt-get update".
//   - An entry of the cache appears whole, by rename, and is never changed
//     afterwards. Its name holds the package version: a newer kernel is a new
//     entry.
//   - A boot is one scenario. It starts from the same initramfs each time and
//     nothing survives it, so no scenario can lean on another's leftovers.
//   - The kernel's console and the verdict travel on two serial ports. An oops
//     in the middle of a step cannot garble the verdict, and a kernel that dies
//     still leaves its console log.
//
// A scenario is a list of shell steps, run as root by the agent in the guest:
//
//	vm := kernel.VM(dir).File("patch.ko", converted)
//	run, err := vm.Boot(ctx,
//		"cat /proc/cmdline",
//		"load patch.ko",
//		"settle patch",
//		"cat /proc/cmdline")
//	run.Steps[3].Out // the text a livepatched kernel gives
//
// What "klp-convert check" predicts is measured with mutants (draft_test.go makes them,
// mutants_*_test.go list them): good modules with one thing changed, many in a boot,
// each taken through its whole life by the agent's command trial.
//
// Besides busybox the guest has commands of the agent's own: load, which calls
// finit_module(2) once and prints the errno's name (busybox's insmod tries twice,
// so every kernel message comes twice), settle, which waits until the transition
// of a livepatch has ended, and pack, which prints a file for Result.Unpack.
//
// "go test" keeps a result while the sources are the same. It cannot see that
// Debian has a newer kernel, or that a missing package has been installed since:
// -count=1 is the way to know.
//
// Environment:
//
//	KLP_LAB_KERNELS which kernels: 5.10, 6.1, 6.12, 7.x, their suites, s390x, ppc64le,
//	                arm64, loongarch64 or with a series (s390x-7.x), host, debian,
//	                foreign, all, with commas between them (default: the host's).
//	                What is asked for here and not to be had is a failure, not a skip
//	KLP_LAB_ROOT    directories of kernels that somebody else has built or installed
//	                (root.go), with colons between them
//	KLP_LAB_CACHE   directory of the cache (default: klp-convert/lab in the user's cache)
//	KLP_LAB_LOGS    directory for the logs of failed boots (default: logs in the cache)
//	KLP_LAB_ACCEL   QEMU accelerator (default: tcg)
//	KLP_LAB_PARALLEL set: TestLongestGap runs the guest's CPUs at the same time
//	KLP_LAB_TOOL    a klp-convert to judge instead of the one built from this tree
//	KLP_LAB_MUTANTS which mutants TestCheckAgreesWithTheKernel tries: all, a regular
//	                expression of their names, or 0, 1, 2 for a third (default: a sixth,
//	                and all when KLP_LAB_KERNELS is set)
//	KLP_LAB_SEED    which names the loader is asked about (default: others each time), and
//	                which are declared, replaced, and compared by klpreloc/declared (default: 1)
//	KLP_LAB_DEBUG   set: sympos is compared with the kernels' debug packages too,
//	                each a download of a gigabyte, and crash(8) reads a livepatch
//	                by its copy for debuggers
//	CI              "true": what could not run is a failure, not a skip
package lab
