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
)

// Where distributions keep what tells of a kernel, by its release R:
//
//	image        /boot/vmlinuz-R           Debian, SUSE, Fedora
//	             /lib/modules/R/vmlinuz    Fedora, Arch
//	             /boot/vmlinux-R           Debian's ppc64el
//	vmlinux      /usr/lib/debug/…          debug packages
//	             /lib/modules/R/build      a build tree; headers on Arch have it too
//	System.map   /boot, /lib/modules/R, /usr/lib/debug/boot; a stub on Debian
//	modules      /lib/modules/R, or /usr/lib/modules/R, with lists of the modules
//	             that there are (modules.order) and that are part of vmlinux
//	             (modules.builtin)
//	exports      Module.symvers among the headers, /boot/symvers-R.gz
//
// The image is the best witness and always there, but Ubuntu lets only root read it.
// vmlinux, where it is, is read too: it has sizes and files.

// places says where to look, below the root, for what; %s is the release.
var places = struct{ image, vmlinux, systemMap, symvers, config, modules, headers []string }{
	image: []string{"boot/vmlinuz-%s", "lib/modules/%s/vmlinuz", "usr/lib/modules/%s/vmlinuz",
		"boot/Image-%s", "boot/image-%s", "lib/modules/%s/Image", "usr/lib/modules/%s/Image"},
	vmlinux: []string{"usr/lib/debug/boot/vmlinux-%s", "usr/lib/debug/lib/modules/%s/vmlinux",
		"usr/lib/debug/usr/lib/modules/%s/vmlinux", "boot/vmlinux-%s",
		"lib/modules/%s/vmlinux", "usr/lib/modules/%s/vmlinux"},
	systemMap: []string{"boot/System.map-%s", "lib/modules/%s/System.map", "usr/lib/modules/%s/System.map",
		"usr/lib/debug/boot/System.map-%s"},
	symvers: []string{"boot/symvers-%s.gz", "boot/symvers-%s.xz", "boot/symvers-%s.zst",
		"lib/modules/%s/symvers.gz", "lib/modules/%s/symvers.xz", "usr/lib/modules/%s/symvers.gz", "usr/lib/modules/%s/symvers.xz"},
	config:  []string{"boot/config-%s", "lib/modules/%s/config", "usr/lib/modules/%s/config"},
	modules: []string{"lib/modules/%s", "usr/lib/modules/%s"},
	headers: []string{"lib/modules/%s/build", "usr/lib/modules/%s/build", "usr/src/linux-headers-%s", "usr/src/kernels/%s"},
}

// inTree are the images that a build makes.
var inTree = []string{"arch/x86/boot/bzImage", "arch/x86_64/boot/bzImage", "arch/arm64/boot/Image", "arch/arm64/boot/vmlinuz.efi",
	"arch/s390/boot/bzImage", "arch/loongarch/boot/vmlinuz.efi"}

// A MissingError says that nothing was found that the symbols of vmlinux can be
// read from.
type MissingError struct {
	Kernel string   // as it was asked for
	Part   string   // of a list: the part that found nothing; else ""
	Looked []string // "path: why it is no good", in the order of looking
	Advice []string // what to do, a line each
}

func (e *MissingError) Error() string {
	if e.Part != "" {
		return fmt.Sprintf("kernel %q: %q is neither a file nor a folder with anything of a kernel, nor a release of which anything is here", e.Kernel, e.Part)
	}
	return fmt.Sprintf("kernel %q: no image, vmlinux, System.map or kallsyms to read symbols from", e.Kernel)
}

// A finder looks for the files of one kernel.
type finder struct {
	root   string // of the file system
	k      *Kernel
	seen   []fs.FileInfo // files used already, under whatever name
	looked []string
	got    int  // how many things were found, used or not
	named  bool // a file was named, which is reason enough to be content with it
	table  bool // a file was named that has the symbols of vmlinux, addresses and all
	image, vmlinux, mapped, symvers, modules,
	builtin bool // found
	maps   []Source // System.maps and the like, for want of something better
	orders []string // modules.order files
	// cutLists are those lists of modules that may not be whole.
	cutLists []string
}

// FindKernelIn is FindKernel for releases installed below another root.
func FindKernelIn(root, x string) (*Kernel, error) {
	f := &finder{root: root, k: NewKernel(x)}
	err := f.part(x)
	if errors.Is(err, fs.ErrNotExist) && strings.Contains(x, ",") {
		parts := strings.Split(x, ",")
		// What a file that is named says need not be looked for.
		slices.SortStableFunc(parts, func(a, b string) int { return cmp.Compare(isFile(b), isFile(a)) })
		for _, part := range parts {
			got, looked := f.got, len(f.looked)
			if err = f.part(part); err == nil && f.got == got {
				err = f.nothing(part, f.looked[looked:])
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
	return f.kernel()
}

// kernel puts together what was found.
func (f *finder) kernel() (*Kernel, error) {
	k := f.k
	if !f.image && !f.vmlinux && !f.table {
		f.running()
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
		return nil, f.missing()
	}
	k.told = f.table
	f.checkComplete()
	f.readConfig()
	return k, nil
}

// part looks at one part of what was asked for.
func (f *finder) part(x string) error {
	info, err := os.Stat(x)
	switch {
	case x == "":
		return errors.New("an empty name")
	case err == nil && info.IsDir():
		return f.folder(filepath.Clean(x))
	case err == nil:
		return f.file(x)
	case !errors.Is(err, fs.ErrNotExist) || strings.Contains(x, "/") || strings.Contains(x, ","):
		return err
	}
	f.release(f.root, x)
	return nil
}

// isFile is 1 for a file, for sorting.
func isFile(path string) int {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return 1
	}
	return 0
}

// file takes a file by its contents. It takes the place of what would be found of
// its own kind and is added to the rest: which of them is to be believed Read knows.
func (f *finder) file(path string) error {
	f.named = true
	f.got++
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
		f.mapped, f.table = true, true
	case Symvers:
		f.symvers = true
	}
	f.setRelease(r)
	return nil
}

// nothing says that one part of a list is not there.
func (f *finder) nothing(part string, looked []string) error {
	e := &MissingError{Kernel: f.k.Name, Part: part, Looked: looked}
	if known := releasesBelow(f.root); len(known) > 0 {
		e.Advice = append(e.Advice, "kernels found here: "+strings.Join(known, ", "))
	}
	return e
}

// folder takes a folder for what its contents say that it is.
func (f *finder) folder(dir string) error {
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return f.exists(filepath.Join(dir, n)) })
	}
	switch {
	case has("include/config/kernel.release", "include/config/auto.conf", "include/generated/utsrelease.h",
		"Module.symvers", ".config", "vmlinux.o"):
		return f.tree(dir)
	case has("modules.order", "modules.dep", "modules.builtin", "vmlinuz") || has("kernel") && strings.HasSuffix("/"+filepath.Dir(dir), "/lib/modules"):
		// Beside it, in /boot and so on, is the rest.
		release := filepath.Base(dir)
		f.modulesFolder(dir)
		f.beside(rootOf(dir, "lib/modules/"+release, f.root), release)
		return nil
	case has("vmlinux"):
		return f.tree(dir)
	}
	releases := releasesBelow(dir)
	switch len(releases) {
	case 0:
		f.looked = append(f.looked, dir+": a folder, but neither a build tree, nor headers, nor a kernel's modules, and no kernel below it")
		return nil
	case 1:
		f.release(dir, releases[0])
		return nil
	}
	one := ""
	for _, list := range [][]string{places.headers, places.systemMap, places.vmlinux, places.image, places.modules} {
		for _, p := range list {
			if path := filepath.Join(dir, fmt.Sprintf(p, releases[0])); f.exists(path) {
				one = path
			}
		}
	}
	return fmt.Errorf("%s has several kernels, of which one can be named, as in %s: %s", dir, one, strings.Join(releases, ", "))
}

// rootOf returns the root of the file system that has dir where below says it is,
// as usr/lib/modules/R too, and otherwise the given one.
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

// releasesBelow returns which kernels an unpacked package, or a root file system,
// has, sorted.
func releasesBelow(root string) []string {
	var found []string
	for i, list := range [][]string{places.modules, places.image, places.vmlinux, places.systemMap, places.headers[2:]} {
		if i == 4 && len(found) > 0 {
			break // headers of kernels that are not here
		}
		for _, p := range list {
			dir, pattern := filepath.Split(strings.TrimSuffix(p, "/vmlinux"))
			if strings.Contains(dir, "%s") {
				continue // a file in the folder of the modules
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
				case !ok || !ok2 || r == "" || r[0] < '0' || r[0] > '9' || strings.HasPrefix(r, "0-rescue-") || strings.HasSuffix(r, ".old"):
				case strings.HasSuffix(r, "-common") || strings.HasSuffix(r, "-common-rt"): // headers for all flavours
				case !slices.Contains(found, r):
					found = append(found, r)
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

// release looks in all places below root for a kernel.
func (f *finder) release(root, r string) {
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
	each(places.modules, f.modulesFolder)
	each(places.headers, func(dir string) bool {
		dir = follow(root, dir)
		f.useBuilt(dir)
		return f.symvers
	})
	if !f.symvers {
		each(places.symvers, f.useSymvers)
	}
	each(places.config, f.useConfig)
}

// beside looks for the rest of a kernel of which a part was named: in the unpacked
// package that the part is in, and where the kernel is installed.
func (f *finder) beside(root, r string) {
	f.release(root, r)
	if !f.image && !f.vmlinux && len(f.maps) == 0 && filepath.Clean(root) != filepath.Clean(f.root) {
		f.release(f.root, r)
	}
}

// follow returns where the link at path leads, in a file system with this root.
func follow(root, path string) string {
	to, err := os.Readlink(path)
	if err != nil || !filepath.IsAbs(to) || filepath.Clean(root) == "/" {
		return path
	}
	return filepath.Join(root, to)
}

// tree takes a build tree, or the headers that are left of one.
func (f *finder) tree(dir string) error {
	r := releaseOfTree(dir)
	f.setRelease(r)
	f.useBuilt(dir)
	if built := f.lookForBuilt(dir, r); built {
		// A kernel of the same release that is installed may be another one.
		f.image, f.vmlinux, f.mapped = true, true, true
		f.treeModules(dir)
	}
	if r := f.k.Release; r != "" && !f.modules {
		// Of headers the rest is where a kernel of that release is installed.
		f.beside(rootOf(dir, "src/linux-headers-"+r, rootOf(dir, "src/kernels/"+r, f.root)), r)
	}
	return nil
}

// lookForBuilt reports whether a kernel was built in the tree and, if not, writes down
// what of it is not there.
func (f *finder) lookForBuilt(dir, release string) (built bool) {
	absent := []string{}
	for _, p := range append([]string{"vmlinux", "System.map"}, inTree...) {
		switch path := filepath.Join(dir, p); {
		case !f.exists(path):
			absent = append(absent, path+": not there")
		case p == "vmlinux" && typesOnly(path): // said by useVmlinux
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
		f.looked = append(f.looked, dir+": nothing in include/generated and include/config tells its release, so no installed kernel was looked for")
	}
	return false
}

// releaseOfTree reads the release that was or is being built. Debian's headers
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

// useBuilt takes what a build leaves at the top of its tree.
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
	}{{"vmlinux", f.useVmlinux}, {"System.map", f.useSystemMap}, {"Module.symvers", f.useSymvers}, {".config", f.useConfig}} {
		if path := filepath.Join(dir, u.name); f.exists(path) {
			u.use(path)
		}
	}
}

func (f *finder) exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (f *finder) setRelease(r string) {
	switch {
	case f.k.Release == "":
		f.k.Release = r
	case r != "" && r != f.k.Release:
		f.k.warn("parts of different kernels: %s and %s", f.k.Release, r)
	}
}

// have counts what is there and not needed any more, since there is one.
func (f *finder) have(path string) bool {
	if f.exists(path) {
		f.got++
	}
	return true
}

// use opens a file. nil when it is of no use, which is written down.
func (f *finder) use(what, path string) Source {
	info, err := os.Stat(path)
	if err == nil {
		for _, s := range f.seen {
			if os.SameFile(s, info) {
				f.got++
				return nil
			}
		}
	}
	src, err := Open(path)
	if err == nil {
		f.seen = append(f.seen, info)
		f.got++
		return src
	}
	why := reason(err)
	f.looked = append(f.looked, path+": "+why)
	if !errors.Is(err, fs.ErrNotExist) {
		f.k.note("%s: %s: passed over: %s", what, path, why)
	}
	return nil
}

// reason says what is wrong with a file whose name is said already.
func reason(err error) string {
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

func (f *finder) useImage(path string) bool {
	if f.image {
		return f.have(path)
	}
	src := f.use("image", path)
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

func (f *finder) useVmlinux(path string) bool {
	if f.vmlinux {
		return f.have(path)
	}
	if typesOnly(path) {
		const why = "has types and no code, as Debian's headers bring it for the BTF of modules"
		f.looked = append(f.looked, path+": "+why)
		f.k.note("vmlinux: %s: passed over: %s", path, why)
		return false
	}
	src := f.use("vmlinux", path)
	if src == nil {
		return false
	}
	f.vmlinux = true
	f.k.witnesses = append(f.k.witnesses, src)
	f.k.note("vmlinux: %s", path)
	return true
}

// typesOnly reports whether a vmlinux is one for the BTF of modules alone: .BTF and
// .BTF_ids, and symbols of the latter that the kernel itself does not list. Debian's
// headers have it beside Module.symvers (seen in 6.12 and 7.3, not in 6.1).
func typesOnly(path string) bool {
	e, err := elf.Open(path)
	if err != nil {
		return false // what is wrong with it is said elsewhere
	}
	defer e.Close()
	return e.Section(".BTF") != nil && !slices.ContainsFunc(e.Sections, func(s *elf.Section) bool {
		return s.Flags&elf.SHF_EXECINSTR != 0
	})
}

func (f *finder) useSystemMap(path string) bool {
	if f.mapped {
		return f.have(path)
	}
	src := f.use("System.map", path)
	if src == nil {
		return false
	}
	f.maps = append(f.maps, src)
	return true
}

func (f *finder) useSymvers(path string) bool {
	if f.symvers {
		return f.have(path)
	}
	src := f.use("exports", path)
	if src == nil {
		return false
	}
	f.symvers = true
	f.k.sources = append(f.k.sources, src)
	f.k.note("exports: %s", path)
	return true
}

func (f *finder) useConfig(path string) bool {
	if f.exists(path) {
		f.got++
	} else {
		return f.k.Config != ""
	}
	if f.k.Config == "" {
		f.k.Config = path
		f.k.note("configuration: %s", path)
	}
	return f.k.Config != ""
}

// running takes the table of the running kernel, if that is the one looked for.
// Without addresses it is the last resort.
func (f *finder) running() {
	b, err := readSmall(filepath.Join(f.root, "proc/sys/kernel/osrelease"))
	if err != nil || f.k.Release == "" || strings.TrimSpace(string(b)) != f.k.Release {
		return
	}
	path := filepath.Join(f.root, "proc/kallsyms")
	src := f.use("running kernel", path)
	if src == nil {
		return
	}
	if kind, err := KindOf(path); err == nil && kind == Kallsyms {
		f.k.note("running kernel: %s: all addresses are 0, root sees them; positions do not need them", path)
		f.maps = append(f.maps, src)
		return
	}
	f.k.witnesses = append(f.k.witnesses, src)
	f.k.note("running kernel: %s", path)
}

// missing says that nothing was found.
func (f *finder) missing() error {
	e := &MissingError{Kernel: f.k.Name, Looked: f.looked}
	r := f.k.Release
	if r == "" {
		e.Advice = append(e.Advice, "name a release (uname -r), or a file: a kernel image, a vmlinux, a System.map, a saved /proc/kallsyms")
		return e
	}
	if known := releasesBelow(f.root); len(known) > 0 {
		e.Advice = append(e.Advice, "kernels found here: "+strings.Join(known, ", "))
	}
	e.Advice = append(e.Advice,
		fmt.Sprintf("Debian: the image is in linux-image-%s, a vmlinux in linux-image-%s-dbg", r, r),
		"an unpacked package will do: --kernel FOLDER")
	if slices.ContainsFunc(e.Looked, func(l string) bool { return strings.Contains(l, "no permission") }) {
		e.Advice = append(e.Advice, "root may read what others may not")
	}
	return e
}

// readSmall reads a file that has no reason to be large.
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
