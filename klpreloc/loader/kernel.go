// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"strconv"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
)

// facts are what is known of the kernel: one reading of its symbols, for all names
// that matter; its configuration; and some of its modules, each of which is a
// witness of struct module, of vermagic and of the checksums of what it imports.
type facts struct {
	*sympos.Kernel
	kernel.Loader // what depends on its version
	table         *sympos.Table
	version       kernel.Version
	schemeKnown   bool            // it knows klp relocations
	loaded        map[string]bool // modules that are loaded before the livepatch
	comparesFiles bool
	noTypes       bool
	config        map[string]string // options that it mentions; nil when there is no configuration
	// configCut: what it does not mention may be set all the same.
	configCut bool
	modules   map[string]*elfrw.File
	paths     map[string]string               // of modules
	needs     map[*elfrw.File]map[string]bool // modules by what can't be without them
	entries   map[*elfrw.File]*entries        // what ftrace can change in modules
	copies    map[*patched]*copiesRead        // see copiesOf
	unread    []string                        // modules whose files can't be read
	// from modules of the kernel; zero values when none is available
	witness     *elfrw.File // the one that tells of struct module
	witnessName string
	vermagic    string
	structSize  uint64
	init, exit  uint64 // places of the pointers in struct module; none when 0
	crcs        map[string]uint64
	// modversions: it compares checksums (CONFIG_MODVERSIONS).
	modversions bool
}

// mostWitnesses bounds how many modules are read beside those that are named.
const mostWitnesses = 8

// readKernel reads what the check needs of the kernel, at once: the symbols of these names, and
// clones of the patched functions.
func readKernel(o Options, names, patched, objects []string) (*facts, error) {
	k := o.Kernel
	table, err := k.Read(withClones(sympos.Names(names...), patched), objects...)
	if err != nil {
		return nil, err
	}
	listed := func(w sympos.Witness) bool { return w.Kind == sympos.Symvers }
	if k.Release == "" && !table.Has(sympos.Vmlinux) && !slices.ContainsFunc(table.Sources, listed) {
		// "loads" would be printed for what was not looked at.
		return nil, errors.New("modules alone tell nothing of a kernel: its image, vmlinux, " +
			"System.map, /proc/kallsyms or Module.symvers is wanted")
	}
	f := &facts{
		Kernel: k, table: table,
		comparesFiles: o.ComparesFiles, noTypes: o.NoTypes, loaded: map[string]bool{},
		modules: map[string]*elfrw.File{}, paths: map[string]string{}, crcs: map[string]uint64{},
		needs: map[*elfrw.File]map[string]bool{},
	}
	for _, l := range o.Loaded {
		f.loaded[l] = true
	}
	f.readConfig()
	for _, o := range objects {
		if b, path, err := k.ModuleFile(o); err == nil {
			if m, err := elfrw.Parse(path, b); err == nil {
				f.modules[o], f.paths[o] = m, path
				continue
			}
		}
		if k.Presence(o) == sympos.Present && o != sympos.Vmlinux {
			f.unread = append(f.unread, o)
		}
	}
	f.witnesses(objects)
	release := k.Release
	if release == "" {
		release = f.vermagic
	}
	f.version, _ = kernel.ParseVersion(release)
	scheme, known := kernel.SchemeOf(f.version, table)
	f.schemeKnown = known
	f.Loader = kernel.LoaderOf(f.version, scheme, k.Release)
	f.modversions = f.comparesChecksums(names)
	return f, nil
}

// warnings returns what speaks against the kernel's files.
func (f *facts) warnings() []string {
	var all []string
	for _, list := range [][]string{f.Warnings, f.table.Warnings, f.Incomplete,
		f.table.Incomplete()} {
		all = append(all, list...)
	}
	return all
}

// options are those of the kernel's configuration that the rules ask for.
var options = []string{"LIVEPATCH", "FRAME_POINTER", "FUNCTION_ERROR_INJECTION", "MODULE_SIG",
	"MODULE_SIG_FORCE", "MODULE_FORCE_LOAD",
	"MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS", "MODVERSIONS", "BASIC_MODVERSIONS",
	"EXTENDED_MODVERSIONS",
	"PPC_KERNEL_PCREL", "STRICT_MODULE_RWX", "BUG", "S390", "PPC64", "ARM64", "LOONGARCH",
	"ARCH_USING_PATCHABLE_FUNCTION_ENTRY", "DYNAMIC_FTRACE_WITH_CALL_OPS",
	// The second names are those before 6.9; of CFI, before 6.18.
	"MITIGATION_RETHUNK", "RETHUNK", "MITIGATION_RETPOLINE", "RETPOLINE", "MITIGATION_UNRET_ENTRY",
	"CPU_UNRET_ENTRY",
	"MITIGATION_SRSO", "CPU_SRSO", "MITIGATION_CALL_DEPTH_TRACKING", "CALL_DEPTH_TRACKING",
	"X86_KERNEL_IBT", "ARM64_BTI_KERNEL", "CFI", "CFI_CLANG", "SHADOW_CALL_STACK", "DYNAMIC_SCS",
	"STACKTRACE_SUPPORT", "STACKTRACE", "HAVE_RELIABLE_STACKTRACE",
	"PAGE_SHIFT", "PPC_64K_PAGES", "PPC_4K_PAGES", "ARM64_64K_PAGES", "ARM64_16K_PAGES",
	"ARM64_4K_PAGES", "PAGE_SIZE_64KB", "PAGE_SIZE_16KB", "PAGE_SIZE_4KB"}

// configuration returns that of a file, else that of the kernel's data; nil when there is none.
func (f *facts) configuration() []byte {
	if f.Config == "" {
		return f.table.Configuration()
	}
	b, err := os.ReadFile(f.Config)
	const most = 4 << 20
	if err != nil || len(b) > most {
		return nil
	}
	return b
}

// readConfig reads the options. Of several lines of one the last counts
// (scripts/kconfig/confdata.c, conf_read_simple).
func (f *facts) readConfig() {
	b := f.configuration()
	if b == nil {
		return
	}
	f.config = map[string]string{}
	if f.configCut = sympos.ConfigCut(b) != ""; f.configCut {
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			b = b[:i+1] // the line that was cut says nothing
		}
	}
	wanted := make(map[string]bool, len(options))
	for _, option := range options {
		wanted[option] = true
	}
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte("\n"))
		if line, ok := bytes.CutPrefix(line, []byte("CONFIG_")); ok {
			option, value, ok := bytes.Cut(line, []byte("="))
			if ok && wanted[string(option)] {
				f.config[string(option)] = string(value)
			}
		} else if line, ok := bytes.CutPrefix(line, []byte("# CONFIG_")); ok {
			option, ok := bytes.CutSuffix(line, []byte(" is not set"))
			if ok && wanted[string(option)] {
				f.config[string(option)] = "n"
			}
		}
	}
}

// set reports whether the option is y, and whether that is known.
func (f *facts) set(option string) (yes, known bool) {
	value, mentioned := f.config[option]
	return value == "y", f.config != nil && (mentioned || !f.configCut)
}

// pageSize is the kernel's PAGE_SIZE in bytes, 0 if nothing tells: CONFIG_PAGE_SHIFT does since 6.9,
// options of the machine before. x86_64 and s390x have one size.
func (f *facts) pageSize(machine elf.Machine) uint64 {
	if machine == elf.EM_X86_64 || machine == elf.EM_S390 {
		return 4096
	}
	if shift, err := strconv.ParseUint(f.config["PAGE_SHIFT"], 10, 8); err == nil &&
		shift >= 12 && shift <= 18 {
		return 1 << shift
	}
	for size, options := range map[uint64][]string{
		64 << 10: {"PPC_64K_PAGES", "ARM64_64K_PAGES", "PAGE_SIZE_64KB"},
		16 << 10: {"ARM64_16K_PAGES", "PAGE_SIZE_16KB"},
		4 << 10:  {"PPC_4K_PAGES", "ARM64_4K_PAGES", "PAGE_SIZE_4KB"},
	} {
		if slices.ContainsFunc(options, func(o string) bool { return f.config[o] == "y" }) {
			return size
		}
	}
	return 0
}

// witnesses lets modules of the kernel tell: those that were read already, and then
// others, until all is known.
func (f *facts) witnesses(named []string) {
	tried := 0
	for _, o := range named {
		if m := f.modules[o]; m != nil {
			f.readWitness(o, m)
		}
	}
	for _, name := range f.Modules() {
		if f.init != 0 && f.exit != 0 || tried >= mostWitnesses {
			return
		}
		if f.modules[name] != nil {
			continue
		}
		tried++
		if m := f.module(name); m != nil {
			f.readWitness(name, m)
		}
	}
}

// readWitness notes what a module says of its kernel. One that was built for another
// release says nothing.
func (f *facts) readWitness(name string, m *elfrw.File) {
	info := klpabi.ReadModinfo(m)
	magic, _ := info.Value("vermagic")
	if magic == "" || f.Release != "" && info.Release() != f.Release || f.vermagic != "" &&
		magic != f.vermagic {
		return
	}
	this := m.Section(sympos.ThisModule)
	if this == nil {
		return
	}
	f.vermagic = magic
	if f.structSize == 0 {
		f.structSize, f.witness, f.witnessName = this.Size(), m, name
	}
	places := pointersOf(m)
	if at, ok := places["init_module"]; ok && f.init == 0 {
		f.init = at
	}
	if at, ok := places["cleanup_module"]; ok && f.exit == 0 {
		f.exit = at
	}
	list, _ := klpabi.ReadChecksums(m)
	for _, c := range list {
		if c.Known {
			f.crcs[c.Name] = c.CRC
		}
	}
}

// comparesChecksums reports whether the kernel has CONFIG_MODVERSIONS: its configuration tells.
// Without one, a module of the kernel does, whose vermagic has a word for it
// (include/linux/vermagic.h, MODULE_VERMAGIC_MODVERSIONS), or a Module.symvers with checksums of
// some of the names.
func (f *facts) comparesChecksums(names []string) bool {
	if yes, known := f.set("MODVERSIONS"); known {
		return yes
	}
	if slices.Contains(strings.Fields(f.vermagic), "modversions") || len(f.crcs) > 0 {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool {
		return slices.ContainsFunc(f.table.Exports(name),
			func(e sympos.Export) bool { return e.Listed && e.CRC != 0 })
	})
}

// makesNoVersions reports whether the kernel's build makes modules without version tables,
// although the kernel wants one (scripts/Makefile.modpost: modpost -b and -x, since 6.14).
func (f *facts) makesNoVersions() bool {
	basic, knowsBasic := f.set("BASIC_MODVERSIONS")
	extended, knowsExtended := f.set("EXTENDED_MODVERSIONS")
	return f.ExtendedCRC && f.modversions && knowsBasic && knowsExtended && !basic && !extended
}

// checksum returns the checksum of vmlinux's or a module's export.
func (f *facts) checksum(e sympos.Export) (uint64, bool) {
	if e.Listed && e.CRC != 0 {
		return uint64(e.CRC), true
	}
	crc, ok := f.crcs[e.Name]
	return crc, ok
}

// gplOnly reports whether the export is for modules under the GPL, and whether that
// is known: Module.symvers tells, or where the entry is, which a kernel's symbols
// tell (include/asm-generic/vmlinux.lds.h, __start___ksymtab_gpl; kernel/module/main.c,
// find_symbol).
func (f *facts) gplOnly(e sympos.Export) (yes, known bool) {
	if e.Listed {
		return e.GPLOnly, true
	}
	address := func(name string) uint64 {
		if list := f.table.Lookup(e.Object, name); len(list) > 0 {
			return list[0].Address
		}
		return 0
	}
	at, from, to := address("__ksymtab_"+e.Name), address("__start___ksymtab_gpl"),
		address("__stop___ksymtab_gpl")
	if e.Object != sympos.Vmlinux || at == 0 || from == 0 || to == 0 {
		return false, false
	}
	return at >= from && at < to, true
}

// pointersOf returns where in struct module the addresses of which functions go:
// init_module and cleanup_module.
func pointersOf(f *elfrw.File) map[string]uint64 {
	places := map[string]uint64{}
	for _, s := range f.Sections {
		if !s.HasRelocs() || s.Target == nil || s.Target.Name != sympos.ThisModule {
			continue
		}
		r := s.ReadRelocs()
		for x := r.Next(); x != nil; x = r.Next() {
			if x.Sym != nil && x.Type != 0 { // R_*_NONE
				places[x.Sym.Name] = x.Offset
			}
		}
	}
	return places
}

// A version is an entry of a module's version table.
type version struct {
	name string
	crc  uint64 // of 32 bits, in a field of a long that is compared as a whole (check_version)
}

// versionTable is __versions, which counts when it is loaded (find_sec).
func versionTable(f *elfrw.File) *elfrw.Section { return loadedSection(f, "__versions") }

// loadedSection returns the section of that name if it is loaded, as find_sec does.
func loadedSection(f *elfrw.File, name string) *elfrw.Section {
	if s := f.Section(name); s != nil && s.Alloc() {
		return s
	}
	return nil
}

// hasExtended reports whether the kernel looks checksums up in the module's extended table.
func (f *facts) hasExtended(m *elfrw.File) bool {
	return f.ExtendedCRC && loadedSection(m, "__version_ext_crcs") != nil
}

// versionsOf reads the version table that counts.
func (f *facts) versionsOf(m *elfrw.File) []version {
	var all []version
	list, _ := klpabi.ReadChecksums(m)
	extended, basic := f.hasExtended(m), versionTable(m) != nil
	for _, c := range list {
		if c.Known && c.Extended == extended && (extended || basic) {
			all = append(all, version{c.Name, c.CRC})
		}
	}
	return all
}

// symbolAt returns the position-th symbol of that name, as the loader counts while
// the module comes; nil when there is none.
func symbolAt(m *elfrw.File, name string, position uint64) *elfrw.Symbol {
	n := uint64(0)
	for _, y := range m.Symbols {
		if y.Name != name || y.Undefined() {
			continue
		}
		if n++; n == max(position, 1) {
			return y
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
