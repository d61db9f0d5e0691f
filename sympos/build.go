// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
)

// vermagic ties a module to a release of the kernel, and nothing ties it to one build of another
// module. A livepatch is made by looking at one build of the module that it patches. Two things
// tell which that was, in the module's file and, of the module that is loaded, in sysfs:
//
//	build-id     a hash of what the linker wrote (ld --build-id, which Kbuild gives for
//	             modules): the same as long as the module was not linked again
//	srcversion   a hash of the sources, by modpost, of modules with MODULE_VERSION or of all
//	             (CONFIG_MODULE_SRCVERSION_ALL): the same for other compilers and configurations

// Build identifies one build of a module. A string is empty where nothing tells it.
type Build struct {
	ID         string // build-id, in lower-case hex
	SrcVersion string // as modpost wrote it, in upper-case hex
}

// maxBuildID is the longest build-id that kernels read (include/linux/buildid.h,
// BUILD_ID_SIZE_MAX), in hex digits. A longer one is one that was made up (ld --build-id=0x…).
const maxBuildID = 40

// maxSrcVersion is how many characters modpost's buffer has for a hash
// (scripts/mod/modpost.h, struct module).
const maxSrcVersion = 24

// newBuild returns what of a build-id and a srcversion, each of which may be empty or hostile,
// identifies a build.
func newBuild(id, srcversion string) (b Build) {
	if len(id) <= maxBuildID {
		b.ID = id
	}
	if len(srcversion) <= maxSrcVersion && strings.Trim(srcversion, "0123456789ABCDEF") == "" {
		b.SrcVersion = srcversion
	}
	return b
}

// Identity is the build-id or, without one, srcversion; "" where nothing tells either.
func (b Build) Identity() string {
	if b.ID != "" {
		return b.ID
	}
	return b.SrcVersion
}

// Like returns the build-id or srcversion, whichever identity is; "" where nothing tells it.
func (b Build) Like(identity string) string {
	if isSrcVersion(identity) {
		return b.SrcVersion
	}
	return b.ID
}

// Is reports whether an identity is that of the build, and whether that is known: an identity
// that is not the build's says something only where the build has one of that kind.
func (b Build) Is(identity string) (same, known bool) {
	mine := b.Like(identity)
	return mine != "" && strings.EqualFold(mine, identity), mine != ""
}

// isSrcVersion reports whether an identity has the form of srcversion: 23 or 24 digits in upper
// case. No build-id that linkers make has as many.
func isSrcVersion(s string) bool {
	return len(s) >= maxSrcVersion-1 && len(s) <= maxSrcVersion && strings.ToUpper(s) == s
}

// ModuleBuild returns which build of a module the sources describe: the zero Build when none of
// them is its file.
func (t *Table) ModuleBuild(object string) Build {
	if o := t.objects[object]; o != nil {
		return o.facts.Build
	}
	return Build{}
}

// LoadedBuild returns which build of the module is loaded, and whether it is loaded, where the
// kernel is the one that runs (Kernel.Sysfs). Files of sysfs: kernel/module/sysfs.c,
// add_notes_attrs (CONFIG_KALLSYMS), and kernel/module/main.c, modinfo_attrs.
func (k *Kernel) LoadedBuild(module string) (b Build, loaded bool) {
	if k.Sysfs == "" || module == Vmlinux || strings.ContainsAny(module, "/.") {
		return Build{}, false
	}
	dir := filepath.Join(k.Sysfs, "module", module)
	// A module that is built in has a directory too, without this file.
	if _, err := os.Stat(filepath.Join(dir, "initstate")); err != nil {
		return Build{}, false
	}
	notes, _ := os.ReadFile(filepath.Join(dir, "notes", ".note.gnu.build-id"))
	version, _ := os.ReadFile(filepath.Join(dir, "srcversion"))
	return newBuild(findBuildID(notes, binary.NativeEndian), strings.TrimSpace(string(version))), true
}
