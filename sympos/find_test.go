// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// lay writes files below dir; a name that ends in a slash is a directory,
// contents that begin with -> are a link.
func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, contents := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		switch to, link := strings.CutPrefix(contents, "->"); {
		case strings.HasSuffix(name, "/"):
			require.NoError(t, os.MkdirAll(path, 0o755))
		case link:
			require.NoError(t, os.Symlink(to, path))
		default:
			require.NoError(t, os.WriteFile(path, []byte(contents), 0o644))
		}
	}
}

// Files of a small kernel.
func tinyModuleFile(name string, symbols ...string) string {
	list := []tinySymbol{}
	for i, s := range symbols {
		list = append(list, tinySymbol{s, local | fn, 1, uint64(16 * i), 16})
	}
	return string(tinyModule("name="+name+"\x00", list...).bytes())
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	w.Close()
	return b.String()
}

const (
	tinyMap = "ffffffff81000000 T _text\nffffffff81000100 t dup\nffffffff81000200 t " +
		"dup\nffffffff81000300 B _end\n"
	tinySymvers = "0x00000000\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n" +
		"0x12345678\tsecret\tfs/ext4/ext4\tEXPORT_SYMBOL_GPL\tEXT4\n"
	debianStub = "ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg " +
		"package\n"
)

func tinyImage() string {
	k := tinyKernel{order: binary.LittleEndian, kind: "relative",
		symbols: tinyNames(0xffffffff81000000, 600), base: 0xffffffff81000000}
	return string(bzImage([]byte(gzipped(string(k.bytes())))))
}

// installed is a kernel as Debian installs it.
func installed(r string) map[string]string {
	return map[string]string{
		"boot/vmlinuz-" + r:    tinyImage(),
		"boot/System.map-" + r: debianStub,
		"boot/config-" + r: "# CONFIG_LIVEPATCH is " +
			"not set\n",
		"lib/modules/" + r + "/kernel/fs/ext4/ext4.ko": tinyModuleFile("ext4",
			"dup", "one"),
		"lib/modules/" + r + "/kernel/net/nf-nat.ko.gz":        gzipped(tinyModuleFile("nf_nat", "two")),
		"lib/modules/" + r + "/modules.order":                  "kernel/fs/ext4/ext4.ko\nkernel/net/nf-nat.ko\n",
		"lib/modules/" + r + "/modules.builtin":                "kernel/fs/jbd2/jbd2.ko\n",
		"lib/modules/" + r + "/build":                          "->/usr/src/linux-headers-" + r,
		"usr/src/linux-headers-" + r + "/Module.symvers":       tinySymvers,
		"usr/src/linux-headers-" + r + "/.config":              "CONFIG_LIVEPATCH=y\n",
		"usr/src/linux-headers-" + r + "/include/config/x":     "",
		"usr/src/linux-headers-6.1.0-9-common/include/linux/x": "",
		"usr/src/linux-headers-" + r + "/include/generated/utsrelease.h": "#define UTS_RELEASE \"" +
			r + "\"\n",
	}
}

const release = "6.1.0-9-amd64"

// Every way to name one and the same kernel finds the same of it.
func TestFindKernelByAnyOfItsNames(t *testing.T) {
	root := t.TempDir()
	lay(t, root, installed(release))
	comma := filepath.Join(t.TempDir(), "a,b")
	require.NoError(t, os.Rename(root, comma))
	root = comma
	boot, modules, headers := filepath.Join(root, "boot/vmlinuz-"+release), filepath.Join(root,
		"lib/modules", release), filepath.Join(root, "usr/src/linux-headers-"+release)
	for name, x := range map[string]string{
		"release": release, "unpacked": root, "modules": modules, "headers": headers,
		"boot": filepath.Join(root, "boot") + "/..",
	} {
		t.Run(name, func(t *testing.T) {
			k, err := FindKernelIn(root, x, nil)
			require.NoError(t, err)
			assert.Equal(t, release, k.Release)
			assert.Equal(t, []string{"ext4", "nf_nat"}, k.Modules())
			notes := strings.Join(k.Notes, "\n")
			assert.Contains(t, notes, "image: "+boot)
			assert.Contains(t, notes, "System.map-"+release+": passed over: a stub")
			assert.NotEmpty(t, k.Config)
			assert.Equal(t, map[string]Presence{"vmlinux": Present, "ext4": Present,
				"jbd2": BuiltIn, "xfs": Absent},
				map[string]Presence{"vmlinux": k.Presence("vmlinux"), "ext4": k.Presence("ext4"),
					"jbd2": k.Presence("jbd2"), "xfs": k.Presence("xfs")})
			table, err := k.ReadAll(Names("dup", "two", "secret", "printk"))
			require.NoError(t, err)
			assert.Len(t, table.Lookup("vmlinux", "dup"), 12)
			assert.Len(t, table.Lookup("ext4", "dup"), 1)
			assert.Len(t, table.Lookup("nf_nat", "two"), 1)
			require.Len(t, table.Exports("secret"), 1)
			assert.Equal(t, "EXT4", table.Exports("secret")[0].Namespace)
			assert.Equal(t, "ext4", table.Exports("secret")[0].Object)
			// A module that was not asked for is not read.
			table, err = k.Read(All, "ext4")
			require.NoError(t, err)
			assert.Equal(t, []string{"ext4", "vmlinux"}, table.Objects())
		})
	}
}

// Parts of one kernel from different places, and what is named is not looked for.
func TestFindKernelFromParts(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	lay(t, root, installed(release))
	lay(t, other, map[string]string{"System.map": tinyMap, "x.ko": tinyModuleFile("renamed", "f"),
		"symvers.gz": gzipped(tinySymvers)})
	at := func(name string) string { return filepath.Join(other, name) }
	k, err := FindKernelIn(root,
		strings.Join([]string{release, at("System.map"), at("x.ko"), at("symvers.gz")}, ","), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"ext4", "nf_nat", "renamed"}, k.Modules(),
		"a single module is called what it says")
	table, err := k.Read(Names("dup", "secret"), "renamed")
	require.NoError(t, err)
	assert.Len(t, table.Lookup("vmlinux", "dup"), 12, "of the image, the better witness")
	assert.Contains(t, table.Doubt("vmlinux", "dup"), at("System.map")+" has 2")
	require.Len(t, table.Exports("secret"), 1)
	assert.Equal(t, at("symvers.gz"), table.Exports("secret")[0].Source)

	_, err = FindKernelIn(root, at("System.map")+","+at("gone"), nil)
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = FindKernelIn(root, "", nil)
	assert.ErrorContains(t, err, "an empty name")
}

// A package of headers that was unpacked somewhere, for an installed kernel.
func TestFindKernelFromHeadersElsewhere(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	lay(t, root, installed(release))
	headers := "usr/src/linux-headers-" + release
	require.NoError(t, os.MkdirAll(filepath.Join(other, "usr/src"), 0o755))
	require.NoError(t, os.Rename(filepath.Join(root, headers), filepath.Join(other, headers)))
	for _, x := range []string{other, filepath.Join(other, headers)} {
		k, err := FindKernelIn(root, x, nil)
		if x == other {
			assert.Error(t, err, "an unpacked package has no other files")
			continue
		}
		require.NoError(t, err)
		assert.Contains(t, strings.Join(k.Notes, "\n"), "exports: "+filepath.Join(other, headers))
		assert.Equal(t, []string{"ext4", "nf_nat"}, k.Modules())
		table, err := k.Read(Names("dup", "secret"))
		require.NoError(t, err)
		assert.Len(t, table.Lookup("vmlinux", "dup"), 12)
		assert.Len(t, table.Exports("secret"), 1)
	}
}

func TestFindKernelInBuildTree(t *testing.T) {
	tree := t.TempDir()
	lay(t, tree, map[string]string{
		"vmlinux": string(tinyVmlinux(tinySymbol{"dup", local | fn, 1, 0x1010,
			4}, tinySymbol{"dup", local | fn, 1, 0x1000, 4}).bytes()),
		"System.map":                    tinyMap,
		"Module.symvers":                tinySymvers,
		"include/config/kernel.release": "6.9.0-mine\n",
		"modules.order":                 "fs/ext4/ext4.o\nkernel/locking/locktorture.o\n../evil.o\n",
		"modules.builtin":               "kernel/fs/jbd2/jbd2.ko\n",
		"fs/ext4/ext4.ko":               tinyModuleFile("ext4", "one"),
		"kernel/locking/locktorture.ko": tinyModuleFile("locktorture", "one"),
		"not/built/this/time.ko":        "",
	})
	k, err := FindKernelIn(t.TempDir(), tree, nil)
	require.NoError(t, err)
	assert.Equal(t, "6.9.0-mine", k.Release)
	assert.Equal(t, []string{"ext4", "locktorture"}, k.Modules())
	assert.Equal(t, Unknown, k.Presence("xfs"), "evil is not there, so others may be missing too")
	assert.Contains(t, strings.Join(k.Notes, "\n"), "System.map: not needed")
	table, err := k.Read(Names("dup", "printk"))
	require.NoError(t, err)
	assert.Equal(t, []uint64{0x1000, 0x1010}, addresses(table.Lookup("vmlinux", "dup")))
	assert.Len(t, table.Exports("printk"), 1)
}

// One list or one module less, and nothing is known of modules that are not there.
func TestModulesAreAllOnlyWithBothListsAndAllFiles(t *testing.T) {
	for _, gone := range []string{"modules.order", "modules.builtin", "kernel/fs/ext4/ext4.ko"} {
		root := t.TempDir()
		lay(t, root, installed(release))
		require.NoError(t, os.Remove(filepath.Join(root, "lib/modules", release, gone)))
		k, err := FindKernelIn(root, release, nil)
		require.NoError(t, err)
		assert.Equal(t, Unknown, k.Presence("xfs"), gone)
	}
}

func TestUpdatedModuleComesFirst(t *testing.T) {
	root := t.TempDir()
	files := installed(release)
	files["lib/modules/"+release+"/updates/ext4.ko"] = tinyModuleFile("ext4", "newer")
	lay(t, root, files)
	k, err := FindKernelIn(root, release, nil)
	require.NoError(t, err)
	table, err := k.Read(Names("newer", "one"), "ext4")
	require.NoError(t, err)
	assert.Equal(t, []string{"newer"}, table.Names("ext4"))
	assert.Contains(t, strings.Join(k.Notes, "\n"), "updates/ext4.ko, not ")
}

func TestNothingFoundSaysWhereItLookedAndWhatToDo(t *testing.T) {
	root := t.TempDir()
	files := installed(release)
	delete(files, "boot/vmlinuz-"+release)
	lay(t, root, files)
	lay(t, root, map[string]string{"boot/vmlinuz-6.1.0-8-amd64": tinyImage()})
	for _, x := range []string{release, "6.1.0-7-amd64", t.TempDir()} {
		_, err := FindKernelIn(root, x, nil)
		var missing *MissingError
		require.ErrorAs(t, err, &missing, x)
		looked, advice := strings.Join(missing.Looked, "\n"), strings.Join(missing.Advice, "\n")
		if x == release {
			assert.Contains(t, looked, "boot/vmlinuz-"+release+": not there")
			assert.Contains(t, looked, "boot/System.map-"+release+": a stub")
			assert.Contains(t, advice, "linux-image-"+release+"-dbg")
			assert.Contains(t, advice, "6.1.0-8-amd64")
		}
		assert.NotEmpty(t, looked)
		assert.NotEmpty(t, advice)
	}
}

func TestSeveralKernelsInOneFolderAreListed(t *testing.T) {
	root := t.TempDir()
	lay(t, root, installed(release))
	lay(t, root, map[string]string{"boot/vmlinuz-6.1.0-8-amd64": tinyImage(),
		"boot/vmlinuz-6.1.0-8-amd64.old": "", "boot/vmlinuz-0-rescue-f00": ""})
	_, err := FindKernelIn(root, root, nil)
	require.ErrorContains(t, err, "6.1.0-8-amd64, "+release)
	assert.NotContains(t, err.Error(), "rescue")
	assert.NotContains(t, err.Error(), ".old")
	assert.ErrorContains(t, err, "for example "+filepath.Join(root, "boot/vmlinuz-6.1.0-8-amd64"))
	_, err = FindKernelIn("/", filepath.Join(root, "lib/modules", release), nil)
	assert.NoError(t, err)
}

// When only root may read the image, the running kernel's table is used.
func TestRunningKernelsOwnTable(t *testing.T) {
	root := t.TempDir()
	lay(t, root, map[string]string{
		"boot/vmlinuz-" + release:   "no image at all, but a line\n",
		"proc/sys/kernel/osrelease": release + "\n",
		"proc/kallsyms":             "0000000000000000 A fixed_percpu_data\n" + tinyMap,
	})
	k, err := FindKernelIn(root, release, nil)
	require.NoError(t, err)
	table, err := k.Read(Names("dup"))
	require.NoError(t, err)
	assert.Equal(t, Kallsyms, table.Facts("vmlinux").Kind)
	assert.Contains(t, strings.Join(k.Notes, "\n"), "vmlinuz-"+release+": passed over")

	// Without addresses a System.map is better.
	lay(t, root, map[string]string{
		"proc/kallsyms":              strings.Repeat("0000000000000000 t dup\n", 3),
		"boot/System.map-" + release: tinyMap,
	})
	k, err = FindKernelIn(root, release, nil)
	require.NoError(t, err)
	table, err = k.Read(Names("dup"))
	require.NoError(t, err)
	assert.Len(t, table.Lookup("vmlinux", "dup"), 2)
	require.NoError(t, os.Remove(filepath.Join(root, "boot/System.map-"+release)))
	k, err = FindKernelIn(root, release, nil)
	require.NoError(t, err)
	assert.Contains(t, strings.Join(k.Notes, "\n"), "all addresses are 0")

	// It is no help for another kernel.
	_, err = FindKernelIn(root, "6.1.0-8-amd64", nil)
	assert.Error(t, err)
}

// What looked like an image and can't be read is passed over when there is more.
func TestDamagedImageIsPassedOver(t *testing.T) {
	root := t.TempDir()
	image := []byte(tinyImage())
	lay(t, root, map[string]string{
		"boot/vmlinuz-" + release:    string(image[:len(image)/2]),
		"boot/System.map-" + release: tinyMap,
	})
	k, err := FindKernelIn(root, release, nil)
	require.NoError(t, err)
	table, err := k.Read(Names("dup"))
	require.NoError(t, err)
	assert.Len(t, table.Lookup("vmlinux", "dup"), 2)
	require.NotEmpty(t, table.Notes)
	assert.Contains(t, table.Notes[0], "passed over: ")

	require.NoError(t, os.Remove(filepath.Join(root, "boot/System.map-"+release)))
	k, err = FindKernelIn(root, release, nil)
	require.NoError(t, err)
	_, err = k.Read(Names("dup"))
	assert.ErrorContains(t, err, "vmlinuz-"+release)
}

// Debian's headers bring a vmlinux for the BTF of modules: types, and symbols of
// .BTF_ids that no kallsyms has. It is not one of the kernel's tables.
func TestVmlinuxOfTypesOnlyIsPassedOver(t *testing.T) {
	root := t.TempDir()
	files := installed(release)
	types := tinyELF{etype: elf.ET_EXEC, sections: []tinySection{
		{".BTF", elf.SHF_ALLOC, 0xffffffff82000000, make([]byte, 64)},
		{".BTF_ids", elf.SHF_ALLOC, 0xffffffff82001000, make([]byte, 64)},
	}, symbols: []tinySymbol{{"__BTF_ID__struct__file__1", local | data_, 2, 0xffffffff82001000,
		4}}}
	files["usr/src/linux-headers-"+release+"/vmlinux"] = string(types.bytes())
	headers := "usr/src/linux-headers-" + release
	files[headers+"/include/generated/utsrelease.h"] = "#define UTS_RELEASE \"" + release + "\"\n"
	lay(t, root, files)
	for _, name := range []string{release, filepath.Join(root, headers)} {
		k, err := FindKernelIn(root, name, nil)
		require.NoError(t, err, name)
		assert.Contains(t, strings.Join(k.Notes, "\n"),
			"/vmlinux: passed over: has types and no code")
		table, err := k.Read(All)
		require.NoError(t, err)
		assert.Len(t, table.Lookup("vmlinux", "dup"), 12)
		assert.Empty(t, table.Doubt("vmlinux", "dup"))
		assert.Empty(t, table.Lookup("vmlinux", "__BTF_ID__struct__file__1"))
	}
}

func TestImageOfAnotherReleaseIsWarnedOf(t *testing.T) {
	root := t.TempDir()
	image := []byte(tinyImage())
	copy(image[0x300:], "6.1.0-8-amd64 (somebody@somewhere)\x00")
	image[0x20e], image[0x20f] = 0, 1 // 0x100 + 0x200
	lay(t, root, map[string]string{"boot/vmlinuz-" + release: string(image)})
	k, err := FindKernelIn(root, release, nil)
	require.NoError(t, err)
	require.Len(t, k.Warnings, 1)
	assert.Contains(t, k.Warnings[0], "says that it is 6.1.0-8-amd64, not "+release)

	// A named file is recognised by its contents.
	path := filepath.Join(root, "renamed")
	require.NoError(t, os.WriteFile(path, image, 0o644))
	k, err = FindKernelIn(root, path, nil)
	require.NoError(t, err)
	assert.Equal(t, "6.1.0-8-amd64", k.Release)
	assert.Empty(t, k.Warnings)
	k, err = FindKernelIn(root, release+","+path, nil)
	require.NoError(t, err)
	require.Len(t, k.Warnings, 1)
	assert.Contains(t, k.Warnings[0], "parts of different kernels: 6.1.0-8-amd64 and "+release)
}

// hiddenKallsyms is a kallsyms as those see it who may see no addresses.
const hiddenKallsyms = "0000000000000000 T _text\n0000000000000000 t dup\n0000000000000000 t " +
	"b\n0000000000000000 t dup\n0000000000000000 B _end\n"

// Whatever is named beside a kernel's image is added, and the image is not lost.
func TestWhatIsNamedIsAddedToWhatIsFound(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	lay(t, root, installed(release))
	lay(t, other, map[string]string{
		"symbols.klp":     "klp-convert-symbol-data.0.1\n*vmlinux\ndup\ndup\n",
		"symbols.klp.gz":  gzipped("*vmlinux\ndup\ndup\n"),
		"ks0.txt":         hiddenKallsyms,
		"map":             tinyMap,
		"kallsyms":        "0000000000000000 A fixed_percpu_data\n" + tinyMap,
		"image":           tinyImage(),
		"exports-by-name": gzipped(tinySymvers),
		"not-by-name.txt": tinyModuleFile("by_content", "f"),
	})
	boot := filepath.Join(root, "boot/vmlinuz-"+release)
	for _, kernel := range []string{release, boot, filepath.Join(other, "image")} {
		for _, name := range []string{"symbols.klp", "symbols.klp.gz", "ks0.txt", "map",
			"kallsyms"} {
			at := filepath.Join(other, name)
			k, err := FindKernelIn(root, kernel+","+at, nil)
			require.NoError(t, err, name)
			table, err := k.Read(Names("dup", "printk"))
			require.NoError(t, err, name)
			list := table.Lookup("vmlinux", "dup")
			assert.Len(t, list, 12, name)
			assert.Equal(t, Image, table.Facts("vmlinux").Kind, name)
			assert.NotZero(t, list[0].Address, name)
			assert.Contains(t, table.Doubt("vmlinux", "dup"), at+" has 2", name)
		}
	}
	k, err := FindKernelIn(root,
		strings.Join([]string{release, filepath.Join(other, "exports-by-name"),
			filepath.Join(other, "not-by-name.txt")}, ","), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"by_content", "ext4", "nf_nat"}, k.Modules(),
		"a module is known by its contents")
	table, err := k.Read(Names("dup", "secret"), "by_content")
	require.NoError(t, err)
	assert.Len(t, table.Lookup("vmlinux", "dup"), 12,
		"Module.symvers is no reason not to look for an image")
	require.Len(t, table.Exports("secret"), 1)
	assert.Equal(t, filepath.Join(other, "exports-by-name"), table.Exports("secret")[0].Source,
		"so is Module.symvers")
	assert.Len(t, table.Sources, 3, "image, exports, module; what is named need not be found")
}

// An image that is found beside a named table and can't be read is passed over; beside
// a list, which can't take its place, it is an error.
func TestDamagedImageBesideWhatIsNamed(t *testing.T) {
	root := t.TempDir()
	image := tinyImage()
	lay(t, root, map[string]string{"boot/vmlinuz-" + release: image[:len(image)/2], "map": tinyMap,
		"list": "*vmlinux\ndup\n"})
	k, err := FindKernelIn(root, release+","+filepath.Join(root, "map"), nil)
	require.NoError(t, err)
	table, err := k.Read(Names("dup"))
	require.NoError(t, err)
	assert.Len(t, table.Lookup("vmlinux", "dup"), 2)
	assert.Contains(t, strings.Join(table.Notes, "\n"), "passed over: ")

	k, err = FindKernelIn(root, release+","+filepath.Join(root, "list"), nil)
	require.NoError(t, err)
	_, err = k.Read(Names("dup"))
	assert.ErrorContains(t, err, "vmlinuz-"+release)
}

// Of those that know an object the best is the one that knows most, whichever comes
// first, and every other one is compared with it.
func TestTableWithoutAddressesIsWorseThanOneWithThem(t *testing.T) {
	hidden := source(t, "hidden", []byte(hiddenKallsyms))
	list := source(t, "list", []byte("*vmlinux\ndup\n"))
	vmlinux := source(t, "vmlinux",
		tinyVmlinux(tinySymbol{"dup", local | fn, 1, 0x1010, 4},
			tinySymbol{"dup", local | fn, 1, 0x1000, 4}).bytes())
	sorted := source(t, "sorted",
		[]byte("0000000000000000 t a\n0000000000000000 t dup\n0000000000000000 t dup\n"))
	for _, order := range [][]Source{{hidden, list, vmlinux, sorted},
		{list, sorted, vmlinux, hidden}, {vmlinux, hidden, sorted, list}} {
		table := read(t, order...)
		assert.Equal(t, []uint64{0x1000, 0x1010}, addresses(table.Lookup("vmlinux", "dup")))
		assert.Equal(t, `vmlinux has 2 symbols called "dup", list has 1`,
			table.Doubt("vmlinux", "dup"))
	}
	table := read(t, sorted, hidden)
	assert.Equal(t, Listed, table.Facts("vmlinux").Order)
	assert.Equal(t, 2, table.Lookup("vmlinux", "dup")[1].Position)
}

// A part of a list for which nothing is found is an error, whatever the others have.
func TestPartThatFindsNothingIsAnError(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	lay(t, root, installed(release))
	lay(t, other, map[string]string{"map": tinyMap, "empty/": "", "image": tinyImage()})
	at := filepath.Join(other, "map")
	for _, part := range []string{"nosuchfile", "6.1.0-8-amd64", filepath.Join(other, "empty")} {
		for _, x := range []string{part + "," + at, at + "," + part, release + "," + part} {
			_, err := FindKernelIn(root, x, nil)
			var missing *MissingError
			require.ErrorAs(t, err, &missing, x)
			assert.Equal(t, part, missing.Part)
			assert.ErrorContains(t, err, `"`+part+`" is not a file, not a directory`)
			assert.NotContains(t, strings.Join(missing.Looked, "\n"), release,
				"where it was looked for that part")
			assert.Contains(t, strings.Join(missing.Advice, "\n"), release)
		}
	}
	// A file that is found and not needed is no error.
	for _, x := range []string{release + "," + filepath.Join(root, "boot/vmlinuz-"+release),
		release + "," + filepath.Join(other, "image")} {
		_, err := FindKernelIn(root, x, nil)
		assert.NoError(t, err, x)
	}
	require.NoError(t, os.RemoveAll(filepath.Join(root, "lib")))
	require.NoError(t, os.RemoveAll(filepath.Join(root, "usr")))
	require.NoError(t, os.Remove(filepath.Join(root, "boot/config-"+release)))
	_, err := FindKernelIn(root, release+","+filepath.Join(other, "image"), nil)
	assert.NoError(t, err, "an image of that release, though another one is named")
}

// A pipe among the files has no writer, so opening it must not wait.
func TestPipesAreNoSources(t *testing.T) {
	root := t.TempDir()
	files := installed(release)
	for _, p := range []string{"pipe", "boot/System.map-" + release, "boot/config-" + release,
		"lib/modules/" + release + "/kernel/pipe.ko"} {
		delete(files, p)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, p)), 0o755))
		require.NoError(t, syscall.Mkfifo(filepath.Join(root, p), 0o644))
	}
	lay(t, root, files)
	pipe := filepath.Join(root, "pipe")
	for _, path := range []string{pipe, "/dev/null"} {
		_, err := Open(path)
		assert.ErrorContains(t, err, "not a regular file", path)
		_, err = FindKernelIn(root, release+","+path, nil)
		assert.ErrorContains(t, err, "not a regular file", path)
		assert.ErrorContains(t, NewKernel("k").AddModules(path), "not a regular file", path)
	}
	k, err := FindKernelIn(root, release, nil)
	require.NoError(t, err)
	table, err := k.ReadAll(Names("dup"))
	require.NoError(t, err)
	assert.Equal(t, []string{"ext4", "nf_nat", "vmlinux"}, table.Objects())
	_, err = k.Read(Names("dup"), "pipe")
	assert.ErrorContains(t, err, "not a regular file")
}

// A file in /proc has no size, and can be read.
func TestFilesOfProcAreRead(t *testing.T) {
	kind, err := KindOf("/proc/kallsyms")
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, ErrUnknown) {
		need.Absent(t, "this machine has no /proc/kallsyms")
	}
	require.NoError(t, err)
	assert.Contains(t, []Kind{Kallsyms, SystemMap}, kind)
	b, err := readSmall("/proc/self/status")
	require.NoError(t, err)
	assert.NotEmpty(t, b)
}

// One module of thousands that can't be read is passed over, unless it was asked for.
func TestDamagedModuleIsPassedOver(t *testing.T) {
	root := t.TempDir()
	files := installed(release)
	bad := "lib/modules/" + release + "/kernel/bad.ko.gz"
	files[bad] = gzipped(tinyModuleFile("bad", "dup"))[:100]
	lay(t, root, files)
	k, err := FindKernelIn(root, release, nil)
	require.NoError(t, err)
	table, err := k.ReadAll(Names("dup", "two"))
	require.NoError(t, err)
	assert.Equal(t, []string{"ext4", "nf_nat", "vmlinux"}, table.Objects())
	require.Len(t, table.Warnings, 1)
	assert.Contains(t, table.Warnings[0], "module passed over: "+filepath.Join(root, bad))
	_, err = k.ReadAll(Names("dup"), "bad")
	assert.ErrorContains(t, err, filepath.Join(root, bad))
	_, err = k.Read(Names("dup"), "bad")
	assert.ErrorContains(t, err, filepath.Join(root, bad))
	table, err = k.ReadAll(Names("dup"), "ext4")
	require.NoError(t, err)
	assert.Len(t, table.Sources, 4, "each once: image, exports, two modules")
}

func TestObjectFileOfTreeIsSaidToBeNoKernel(t *testing.T) {
	tree := t.TempDir()
	o := tinyVmlinux(tinySymbol{"f", local | fn, 1, 0, 4})
	o.etype = elf.ET_REL
	lay(t, tree, map[string]string{"vmlinux.o": string(o.bytes())})
	_, err := FindKernelIn(t.TempDir(), tree, nil)
	var missing *MissingError
	require.ErrorAs(t, err, &missing)
	assert.Contains(t, missing.Looked, filepath.Join(tree, "vmlinux.o")+": "+ErrObjectFile.Error())
	assert.Contains(t, missing.Looked, filepath.Join(tree, "vmlinux")+": not there")
	_, err = FindKernelIn(t.TempDir(), filepath.Join(tree, "vmlinux.o"), nil)
	assert.ErrorIs(t, err, ErrObjectFile)
}

func TestHeadersWithoutImageSayWhereItLooked(t *testing.T) {
	root, headers := t.TempDir(), t.TempDir()
	lay(t, headers, map[string]string{"Module.symvers": tinySymvers})
	_, err := FindKernelIn(root, headers, nil)
	var missing *MissingError
	require.ErrorAs(t, err, &missing)
	looked := strings.Join(missing.Looked, "\n")
	for _, p := range []string{"vmlinux", "System.map", "arch/x86/boot/bzImage",
		"arch/arm64/boot/Image"} {
		assert.Contains(t, looked, filepath.Join(headers, p)+": not there")
	}
	assert.Contains(t, looked, headers+": its release is in neither include/generated")

	lay(t, headers, map[string]string{"include/config/kernel.release": release})
	_, err = FindKernelIn(root, headers, nil)
	require.ErrorAs(t, err, &missing)
	looked = strings.Join(missing.Looked, "\n")
	assert.Contains(t, looked, filepath.Join(root, "boot/vmlinuz-"+release)+": not there")
	assert.NotContains(t, looked, "its release is in neither include/generated")
}

func TestAddModules(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string]string{
		"file-name.ko": tinyModuleFile("own_name", "f"), "sub/b-c.ko": tinyModuleFile("b_c", "g"),
		"text.ko": "no module\n", "vmlinux.ko": string(tinyVmlinux().bytes()), "empty/": "",
		"notes.konf": "",
	})
	k := NewKernel("x")
	require.NoError(t, k.AddModules(filepath.Join(dir, "file-name.ko")))
	require.NoError(t, k.AddModules(filepath.Join(dir, "sub")))
	assert.Equal(t, []string{"b_c", "own_name"}, k.Modules())
	assert.Equal(t, Present, k.Presence("own_name"))
	assert.Equal(t, Unknown, k.Presence("file_name"))
	for _, bad := range []string{"text.ko", "empty", "gone", "vmlinux.ko"} {
		assert.Error(t, k.AddModules(filepath.Join(dir, bad)), bad)
	}
	// Of two with one name the later one counts.
	lay(t, dir, map[string]string{"newer/own-name.ko": tinyModuleFile("own_name", "newer")})
	require.NoError(t, k.AddModules(filepath.Join(dir, "newer/own-name.ko")))
	table, err := k.ReadAll(All)
	require.NoError(t, err)
	assert.Equal(t, []string{"newer"}, table.Names("own_name"))
}

func TestDifferentBuildsAreWarnedOf(t *testing.T) {
	vmlinux := func(id string) Source {
		e := tinyVmlinux(tinySymbol{"a.c", local | file, abs, 0, 0},
			tinySymbol{"f", local | fn, 1, 0x1000, 4})
		e.sections = append(e.sections,
			tinySection{".notes", 0, 0,
				[]byte("\x04\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00Foo\x00\x04\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00GNU\x00" + id)})
		b := e.bytes()
		// The section header of the fourth section: SHT_NOTE.
		shoff := int(b[40]) | int(b[41])<<8
		b[shoff+4*64+4] = 7
		return source(t, "vmlinux "+id, b)
	}
	table := read(t, vmlinux("ab"), vmlinux("ab"))
	assert.Equal(t, "6162", table.Sources[0].BuildID)
	assert.Empty(t, table.Warnings)
	assert.Empty(t, table.OtherBuild("vmlinux"))
	table = read(t, vmlinux("ab"), vmlinux("cd"))
	assert.Equal(t, []string{"different builds: vmlinux ab has build-id 6162, vmlinux cd has 6364"},
		table.Warnings)

	// What an image does not have does not come from the vmlinux of another build.
	image := func(id string) Source {
		return spoken{"image", Facts{Kind: Image, Order: Listed, BuildID: id},
			[]Entry{in("vmlinux", "f", 0x1000)}, nil}
	}
	for _, c := range []struct{ id, file, other string }{
		{"6364", "a.c", ""}, {"", "a.c", ""},
		{"6162", "", "image has build-id 6162, vmlinux cd has 6364"},
	} {
		table = read(t, vmlinux("cd"), image(c.id))
		assert.Equal(t, c.file, table.Lookup("vmlinux", "f")[0].File, c.id)
		files, err := table.Files("vmlinux", "f")
		require.NoError(t, err)
		assert.Equal(t, []string{c.file}, fileNames(files))
		assert.Equal(t, c.other, table.OtherBuild("vmlinux"))
		assert.Empty(t, table.OtherBuild("ext4"))
	}
}
