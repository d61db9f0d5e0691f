// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/index"
)

// Where distributions keep the files of a kernel, by its release R:
//
//	image        /boot/vmlinuz-R           Debian, SUSE, Fedora
//	             /lib/modules/R/vmlinuz    Fedora, Arch
//	             /boot/vmlinux-R           Debian's ppc64el
//	vmlinux      /usr/lib/debug/…          debug packages
//	             /lib/modules/R/build      a build tree; headers on Arch have it too
//	System.map   /boot, /lib/modules/R, /usr/lib/debug/boot; a stub on Debian
//	modules      /lib/modules/R, or /usr/lib/modules/R, with lists of the modules
//	             that were built (modules.order) and that are part of vmlinux
//	             (modules.builtin)
//	debug files  /usr/lib/debug/lib/modules/R, of debug packages: the same names, or
//	             with .debug at the end
//	exports      Module.symvers among the headers, /boot/symvers-R.gz
//
// The image is the best witness and always installed, but on Ubuntu only root may read
// it. A vmlinux, if there is one, is read too: it has sizes and files.

// places are the paths of each kind of file below the root; %s is the release.
var places = struct {
	image, vmlinux, systemMap, symvers, config, modules, debugs, headers []string
}{
	image: []string{"boot/vmlinuz-%s", "lib/modules/%s/vmlinuz", "usr/lib/modules/%s/vmlinuz",
		"boot/Image-%s", "boot/image-%s", "lib/modules/%s/Image", "usr/lib/modules/%s/Image"},
	vmlinux: []string{"usr/lib/debug/boot/vmlinux-%s", "usr/lib/debug/lib/modules/%s/vmlinux",
		"usr/lib/debug/usr/lib/modules/%s/vmlinux", "boot/vmlinux-%s",
		"lib/modules/%s/vmlinux", "usr/lib/modules/%s/vmlinux"},
	systemMap: []string{"boot/System.map-%s", "lib/modules/%s/System.map",
		"usr/lib/modules/%s/System.map",
		"usr/lib/debug/boot/System.map-%s"},
	symvers: []string{"boot/symvers-%s.gz", "boot/symvers-%s.xz", "boot/symvers-%s.zst",
		"lib/modules/%s/symvers.gz", "lib/modules/%s/symvers.xz", "usr/lib/modules/%s/symvers.gz", "usr/lib/modules/%s/symvers.xz"},
	config:  []string{"boot/config-%s", "lib/modules/%s/config", "usr/lib/modules/%s/config"},
	modules: []string{"lib/modules/%s", "usr/lib/modules/%s"},
	debugs:  []string{"usr/lib/debug/lib/modules/%s", "usr/lib/debug/usr/lib/modules/%s"},
	headers: []string{"lib/modules/%s/build", "usr/lib/modules/%s/build",
		"usr/src/linux-headers-%s", "usr/src/kernels/%s"},
}

// inTree are the images that a build makes in its tree.
var inTree = []string{"arch/x86/boot/bzImage", "arch/x86_64/boot/bzImage", "arch/arm64/boot/Image",
	"arch/arm64/boot/vmlinuz.efi",
	"arch/s390/boot/bzImage", "arch/loongarch/boot/vmlinuz.efi", "arch/loongarch/boot/vmlinux.efi",
	"arch/powerpc/boot/zImage"}

// A MissingError is returned when no file was found from which the symbols of vmlinux can
// be read.
type MissingError struct {
	Kernel string   // as it was asked for
	Part   string   // of a list: the part for which nothing was found; else ""
	Looked []string // "path: why it was not used", in the order of the search
	Advice []string // what to do, a line each
}

func (e *MissingError) Error() string {
	if e.Part != "" {
		return fmt.Sprintf("kernel %q: %q is not a file, not a directory with files of a kernel, "+
			"and not the release of an installed kernel", e.Kernel, e.Part)
	}
	return fmt.Sprintf("kernel %q: no image, vmlinux, System.map or kallsyms to read symbols from",
		e.Kernel)
}

// A finder looks for the files of one kernel.
type finder struct {
	root   string // of the file system
	k      *Kernel
	seen   []fs.FileInfo // files used already, by any name
	looked []string
	found  int  // how many files were found, used or not
	named  bool // a file was named, so nothing else has to be found
	table  bool // a file was named that has the symbols of vmlinux with their addresses
	image, vmlinux, hasMap, symvers, modules,
	builtin bool // found
	maps   []Source // System.maps and the like, used when nothing better is found
	orders []string // modules.order files
	// incomplete are the lists of modules that may not be whole.
	incomplete []string
}

// FindKernelIn is FindKernel for releases installed below another root.
func FindKernelIn(root, x string, keep *index.Store) (*Kernel, error) {
	f := &finder{root: root, k: NewKernel(x)}
	f.k.Index = keep
	err := f.findPart(x)
	if errors.Is(err, fs.ErrNotExist) && strings.Contains(x, ",") {
		parts := strings.Split(x, ",")
		// Files first: what they have is not searched.
		slices.SortStableFunc(parts,
			func(a, b string) int { return cmp.Compare(isFile(b), isFile(a)) })
		for _, part := range parts {
			got, looked := f.found, len(f.looked)
			if err = f.findPart(part); err == nil && f.found == got {
				err = f.partError(part, f.looked[looked:])
			}
			if err != nil {
				break
			}
		}
	}
	if err != nil {
		var missing *MissingError
		if errors.As(err, &missing) {
			return nil, err
		}
		return nil, fmt.Errorf("kernel %q: %w", x, err)
	}
	return f.finish()
}

// finish returns the kernel that the found files describe.
func (f *finder) finish() (*Kernel, error) {
	k := f.k
	if !f.image && !f.vmlinux && !f.table {
		f.useRunning()
	}
	if len(k.witnesses) == 0 && len(f.maps) > 0 && !f.table {
		k.witnesses, f.maps = f.maps[:1], f.maps[1:]
		k.note("symbols: %s", k.witnesses[0])
	}
	for _, s := range f.maps {
		k.note("symbols: %s: not needed", s)
		k.reserve = append(k.reserve, s)
	}
	if len(k.witnesses) == 0 && !f.named {
		return nil, f.missingError()
	}
	k.tableGiven = f.table
	f.checkComplete()
	f.readConfig()
	return k, nil
}

// findPart finds the files of one part of the list.
func (f *finder) findPart(x string) error {
	info, err := os.Stat(x)
	switch {
	case x == "":
		return errors.New("an empty name")
	case err == nil && info.IsDir():
		return f.useDir(filepath.Clean(x))
	case err == nil:
		return f.useFile(x)
	case !errors.Is(err, fs.ErrNotExist) || strings.Contains(x, "/") || strings.Contains(x, ","):
		return err
	}
	f.findRelease(f.root, x)
	return nil
}

// isFile returns 1 for a file and else 0, for sorting.
func isFile(path string) int {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return 1
	}
	return 0
}

// useFile uses a named file, by its contents. It replaces what would be found of its own
// kind and is added to the rest: Read chooses the best witness.
func (f *finder) useFile(path string) error {
	f.named = true
	f.found++
	kind, err := KindOf(path)
	if err != nil {
		return err
	}
	if kind == ModuleFile {
		return f.k.AddModules(path)
	}
	src, err := Open(path)
	if err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil {
		f.seen = append(f.seen, info)
	}
	f.k.sources = append(f.k.sources, src)
	f.k.note("named: %s", path)
	r := ""
	for _, prefix := range []string{"vmlinuz-", "vmlinux-", "System.map-"} {
		if after, ok := strings.CutPrefix(filepath.Base(path), prefix); ok {
			r = after
		}
	}
	switch kind {
	case Image:
		f.image, f.table = true, true
		r = cmp.Or(releaseOfImage(path), r)
	case VmlinuxFile:
		f.vmlinux, f.table = true, true
	case SystemMap:
		f.hasMap, f.table = true, true
	case Symvers:
		f.symvers = true
	}
	f.setRelease(r)
	return nil
}

// partError returns the error for a part of a list for which nothing was found.
func (f *finder) partError(part string, looked []string) error {
	e := &MissingError{Kernel: f.k.Name, Part: part, Looked: looked}
	if known := releasesBelow(f.root); len(known) > 0 {
		e.Advice = append(e.Advice, "kernels found here: "+strings.Join(known, ", "))
	}
	return e
}

// useDir uses a named directory, by its contents.
func (f *finder) useDir(dir string) error {
	has := func(names ...string) bool {
		return slices.ContainsFunc(names,
			func(n string) bool { return f.exists(filepath.Join(dir, n)) })
	}
	switch {
	case has("include/config/kernel.release", "include/config/auto.conf",
		"include/generated/utsrelease.h",
		"Module.symvers", ".config", "vmlinux.o"):
		return f.useTree(dir)
	case has("modules.order", "modules.dep", "modules.builtin", "vmlinuz") ||
		has("kernel") && strings.HasSuffix("/"+filepath.Dir(dir), "/lib/modules"):
		// The rest is outside of it, in /boot and so on.
		release := filepath.Base(dir)
		f.useModulesDir(dir)
		f.findRest(rootOf(dir, "lib/modules/"+release, f.root), release)
		return nil
	case has("vmlinux"):
		return f.useTree(dir)
	}
	releases := releasesBelow(dir)
	switch len(releases) {
	case 0:
		f.looked = append(f.looked, dir+": a directory, but not a build tree, headers or a "+
			"kernel's modules, and no kernel is below it")
		return nil
	case 1:
		f.findRelease(dir, releases[0])
		return nil
	}
	one := ""
	for _, list := range [][]string{places.headers, places.systemMap, places.vmlinux, places.image,
		places.modules} {
		for _, p := range list {
			if path := filepath.Join(dir, fmt.Sprintf(p, releases[0])); f.exists(path) {
				one = path
			}
		}
	}
	return fmt.Errorf("%s has several kernels (%s): name one of them, for example %s", dir,
		strings.Join(releases, ", "), one)
}

// rootOf returns the root of the file system in which dir is at the path below, or at
// usr/ and that path, and otherwise the given root.
func rootOf(dir, below, otherwise string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return otherwise
	}
	for _, b := range []string{"usr/" + below, below} {
		if root, ok := strings.CutSuffix(abs, "/"+b); ok {
			return root + "/"
		}
	}
	return otherwise
}

// releasesBelow returns the releases of the kernels in an unpacked package or a root file
// system, sorted.
func releasesBelow(root string) []string {
	var found []string
	for i, list := range [][]string{places.modules, places.image, places.vmlinux, places.systemMap,
		places.headers[2:]} {
		if i == 4 && len(found) > 0 {
			break // there may be headers of kernels that are not installed
		}
		for _, p := range list {
			dir, pattern := filepath.Split(strings.TrimSuffix(p, "/vmlinux"))
			if strings.Contains(dir, "%s") {
				continue // a file in the directory of the modules
			}
			before, after, _ := strings.Cut(pattern, "%s")
			entries, err := os.ReadDir(filepath.Join(root, dir))
			if err != nil {
				continue
			}
			for _, e := range entries {
				r, ok := strings.CutPrefix(e.Name(), before)
				r, ok2 := strings.CutSuffix(r, after)
				switch {
				case !ok || !ok2 || r == "" || r[0] < '0' || r[0] > '9' ||
					strings.HasPrefix(r, "0-rescue-") || strings.HasSuffix(r, ".old"):
				// shared headers of all flavours
				case strings.HasSuffix(r, "-common") || strings.HasSuffix(r, "-common-rt"):
				case !slices.Contains(found, r):
					found = append(found, r)
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

// findRelease finds the files of the kernel of that release below root.
func (f *finder) findRelease(root, r string) {
	f.setRelease(r)
	each := func(list []string, use func(path string) bool) {
		for _, p := range list {
			if use(filepath.Join(root, fmt.Sprintf(p, r))) {
				return
			}
		}
	}
	each(places.image, f.useImage)
	each(places.vmlinux, f.useVmlinux)
	each(places.systemMap, f.useSystemMap)
	each(places.modules, f.useModulesDir)
	each(places.debugs, func(dir string) bool {
		if f.exists(dir) {
			f.k.debugs = append(f.k.debugs, dir)
		}
		return false
	})
	each(places.headers, func(dir string) bool {
		dir = followLink(root, dir)
		f.useBuilt(dir)
		return f.symvers
	})
	if !f.symvers {
		each(places.symvers, f.useSymvers)
	}
	each(places.config, f.useConfig)
}

// findRest finds the rest of a kernel of which a part was named: in the unpacked package
// of that part, and where the kernel is installed.
func (f *finder) findRest(root, r string) {
	f.findRelease(root, r)
	if !f.image && !f.vmlinux && len(f.maps) == 0 &&
		filepath.Clean(root) != filepath.Clean(f.root) {
		f.findRelease(f.root, r)
	}
}

// followLink returns the target of the link at path, in a file system with this root.
func followLink(root, path string) string {
	to, err := os.Readlink(path)
	if err != nil || !filepath.IsAbs(to) || filepath.Clean(root) == "/" {
		return path
	}
	return filepath.Join(root, to)
}

// useTree uses a build tree, or the headers made from one.
func (f *finder) useTree(dir string) error {
	r := releaseOfTree(dir)
	f.setRelease(r)
	f.useBuilt(dir)
	if built := f.noteBuilt(dir, r); built {
		// An installed kernel of the same release may be another one.
		f.image, f.vmlinux, f.hasMap = true, true, true
		f.useTreeModules(dir)
	}
	if r := f.k.Release; r != "" && !f.modules {
		// The rest of a kernel with headers only is where it is installed.
		f.findRest(rootOf(dir, "src/linux-headers-"+r, rootOf(dir, "src/kernels/"+r, f.root)), r)
	}
	return nil
}

// noteBuilt reports whether a kernel was built in the tree and, if not, notes which files
// are missing.
func (f *finder) noteBuilt(dir, release string) (built bool) {
	absent := []string{}
	for _, p := range append([]string{"vmlinux", "System.map"}, inTree...) {
		switch path := filepath.Join(dir, p); {
		case !f.exists(path):
			absent = append(absent, path+": not there")
		case p == "vmlinux" && hasTypesOnly(path): // useVmlinux notes it
		case p != "System.map":
			built = true
		}
	}
	if built {
		return true
	}
	if o := filepath.Join(dir, "vmlinux.o"); f.exists(o) {
		f.looked = append(f.looked, o+": "+ErrObjectFile.Error())
		f.k.note("vmlinux: %s: passed over: %s", o, ErrObjectFile)
	}
	f.looked = append(f.looked, absent...)
	if release == "" {
		f.looked = append(f.looked, dir+": its release is in neither include/generated nor "+
			"include/config, so no installed kernel was searched")
	}
	return false
}

// releaseOfTree returns the release that was or is being built, or "". Debian's headers
// have another one in kernel.release.
func releaseOfTree(dir string) string {
	if b, err := readSmall(filepath.Join(dir, "include/generated/utsrelease.h")); err == nil {
		if _, rest, ok := strings.Cut(string(b), `UTS_RELEASE "`); ok {
			if r, _, ok := strings.Cut(rest, `"`); ok {
				return r
			}
		}
	}
	b, err := readSmall(filepath.Join(dir, "include/config/kernel.release"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// useBuilt uses the files that a build makes in the directory.
func (f *finder) useBuilt(dir string) {
	if !f.exists(dir) {
		f.looked = append(f.looked, dir+": not there")
		return
	}
	for _, p := range inTree {
		if path := filepath.Join(dir, p); f.exists(path) && f.useImage(path) {
			break
		}
	}
	for _, u := range []struct {
		name string
		use  func(string) bool
	}{
		{"vmlinux", f.useVmlinux}, {"System.map", f.useSystemMap},
		{"Module.symvers", f.useSymvers}, {".config", f.useConfig},
		{"include/config/auto.conf", f.useConfig},
	} {
		if path := filepath.Join(dir, u.name); f.exists(path) {
			u.use(path)
		}
	}
}

// exists reports whether there is anything at the path.
func (f *finder) exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// setRelease notes the release, and warns when it is another one than before.
func (f *finder) setRelease(r string) {
	switch {
	case f.k.Release == "":
		f.k.Release = r
	case r != "" && r != f.k.Release:
		f.k.warn("parts of different kernels: %s and %s", f.k.Release, r)
	}
}

// countFound counts a file that is not needed, since there is another one.
func (f *finder) countFound(path string) bool {
	if f.exists(path) {
		f.found++
	}
	return true
}

// openFound opens a file, and returns nil and notes why when it can't be used.
func (f *finder) openFound(what, path string) Source {
	info, err := os.Stat(path)
	if err == nil {
		for _, s := range f.seen {
			if os.SameFile(s, info) {
				f.found++
				return nil
			}
		}
	}
	src, err := Open(path)
	if err == nil {
		f.seen = append(f.seen, info)
		f.found++
		return src
	}
	why := shortReason(err)
	f.looked = append(f.looked, path+": "+why)
	if !errors.Is(err, fs.ErrNotExist) {
		f.k.note("%s: %s: passed over: %s", what, path, why)
	}
	return nil
}

// shortReason returns err as a text without the file's name.
func shortReason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "not there"
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read it"
	case errors.Is(err, ErrStub):
		return "a stub, Debian has the real one in the debug package"
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// useImage uses an image, and reports whether there is one.
func (f *finder) useImage(path string) bool {
	if f.image {
		return f.countFound(path)
	}
	src := f.openFound("image", path)
	if src == nil {
		return false
	}
	f.image = true
	f.k.witnesses = append(f.k.witnesses, src)
	f.k.note("image: %s", path)
	if r := releaseOfImage(path); r != "" && f.k.Release != "" && r != f.k.Release {
		f.k.warn("%s says that it is %s, not %s", path, r, f.k.Release)
	}
	return true
}

// useVmlinux uses a vmlinux, and reports whether there is one.
func (f *finder) useVmlinux(path string) bool {
	if f.vmlinux {
		return f.countFound(path)
	}
	if hasTypesOnly(path) {
		const why = "has types and no code, as in Debian's headers, where it is for the BTF of " +
			"modules"
		f.looked = append(f.looked, path+": "+why)
		f.k.note("vmlinux: %s: passed over: %s", path, why)
		return false
	}
	src := f.openFound("vmlinux", path)
	if src == nil {
		return false
	}
	f.vmlinux = true
	f.k.witnesses = append(f.k.witnesses, src)
	f.k.note("vmlinux: %s", path)
	return true
}

// hasTypesOnly reports whether a vmlinux is only for making the BTF of modules: it has .BTF
// and .BTF_ids, and symbols of the latter that the kernel itself does not list. Debian's
// headers have it beside Module.symvers (seen in 6.12 and 7.3, not in 6.1).
func hasTypesOnly(path string) bool {
	e, err := elf.Open(path)
	if err != nil {
		return false // opening it later fails too
	}
	defer e.Close()
	return e.Section(".BTF") != nil && !slices.ContainsFunc(e.Sections, func(s *elf.Section) bool {
		return s.Flags&elf.SHF_EXECINSTR != 0
	})
}

// useSystemMap uses a System.map, and reports whether there is one.
func (f *finder) useSystemMap(path string) bool {
	if f.hasMap {
		return f.countFound(path)
	}
	src := f.openFound("System.map", path)
	if src == nil {
		return false
	}
	f.maps = append(f.maps, src)
	return true
}

// useSymvers uses a Module.symvers, and reports whether there is one.
func (f *finder) useSymvers(path string) bool {
	if f.symvers {
		return f.countFound(path)
	}
	src := f.openFound("exports", path)
	if src == nil {
		return false
	}
	f.symvers = true
	f.k.sources = append(f.k.sources, src)
	f.k.note("exports: %s", path)
	return true
}

// useConfig uses a configuration, and reports whether one is known.
func (f *finder) useConfig(path string) bool {
	if f.exists(path) {
		f.found++
	} else {
		return f.k.Config != ""
	}
	if f.k.Config == "" {
		f.k.Config = path
		f.k.note("configuration: %s", path)
	}
	return f.k.Config != ""
}

// useRunning uses the table of the running kernel, if it has the wanted release. Without
// addresses it is used only when there is nothing else.
func (f *finder) useRunning() {
	b, err := readSmall(filepath.Join(f.root, "proc/sys/kernel/osrelease"))
	if err != nil || f.k.Release == "" || strings.TrimSpace(string(b)) != f.k.Release {
		return
	}
	path := filepath.Join(f.root, "proc/kallsyms")
	src := f.openFound("running kernel", path)
	if src == nil {
		return
	}
	if kind, err := KindOf(path); err == nil && kind == Kallsyms {
		f.k.note("running kernel: %s: all addresses are 0 (the kernel shows them to root only); "+
			"positions do not need them", path)
		f.maps = append(f.maps, src)
		return
	}
	f.k.witnesses = append(f.k.witnesses, src)
	f.k.note("running kernel: %s", path)
}

// missingError returns the error for a kernel of which nothing was found.
func (f *finder) missingError() error {
	e := &MissingError{Kernel: f.k.Name, Looked: f.looked}
	r := f.k.Release
	if r == "" {
		e.Advice = append(e.Advice, "name a release (uname -r), or a file: a kernel image, a "+
			"vmlinux, a System.map, a saved /proc/kallsyms")
		return e
	}
	if known := releasesBelow(f.root); len(known) > 0 {
		e.Advice = append(e.Advice, "kernels found here: "+strings.Join(known, ", "))
	}
	e.Advice = append(e.Advice,
		fmt.Sprintf("Debian: the image is in linux-image-%s, a vmlinux in linux-image-%s-dbg", r,
			r),
		"an unpacked package is enough: --kernel DIR")
	if slices.ContainsFunc(e.Looked,
		func(l string) bool { return strings.Contains(l, "no permission") }) {
		e.Advice = append(e.Advice, "run it as root, who may read all files")
	}
	return e
}

// readSmall reads at most the first 64 KiB of a file.
func readSmall(path string) ([]byte, error) {
	r, _, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, 64<<10)
	n, err := r.Read(b)
	if n > 0 {
		err = nil
	}
	return b[:n], err
}
