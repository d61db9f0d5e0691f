// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos/index"
)

// eagerStore keeps indexes of small and new files.
func eagerStore(t testing.TB) *index.Store {
	t.Helper()
	s := index.NewStore(filepath.Join(t.TempDir(), "indexes"))
	s.Settle, s.Smallest = 0, 0
	return s
}

// knownByPath lets files be told apart by their paths alone: an index is used whatever became of
// the file.
func knownByPath(path string) (index.Key, bool) {
	return index.Key{Name: path, Size: 1, Changed: 1}, true
}

// contents is all that a table tells, but for the sources themselves.
func contents(t *Table) map[string]any {
	var facts []Facts
	for _, w := range t.Sources {
		facts = append(facts, w.Facts)
	}
	return map[string]any{"objects": t.objects, "exports": t.exports, "facts": facts,
		"coverage": t.coverage, "notes": t.Notes, "warnings": t.Warnings, "build": t.build}
}

// A replayed source replays what another one visited.
type replayed struct {
	Source
	want Want
	all  bool
}

func (r replayed) Scan(visit func(*Entry)) (Facts, error) {
	var rec recorder
	facts, err := r.Source.Scan(func(e *Entry) { rec.add(e) })
	if err == nil {
		p := player{want: r.want, all: r.all, visit: visit}
		err = p.play(append(rec.head(), rec.records...))
	}
	return facts, err
}

// Whatever is wanted, and in whatever order a source has its entries, few of them make the same
// table as all.
func TestFewEntriesMakeTheTableThatAllMake(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	pick := func(list ...string) string { return list[random.Intn(len(list))] }
	left := 0
	for range 3000 {
		facts := Facts{Kind: Kallsyms, Order: Order(random.Intn(3))}
		var entries []Entry
		for range random.Intn(20) {
			e := in(pick("vmlinux", "vmlinux", "vmlinux", "a", "b"),
				pick("f", "g", "f.llvm.1", "f.isra.0", "h", "__ksymtab_f", "__ksymtab_h"),
				uint64(random.Intn(6)))
			e.Size = uint64(random.Intn(2) * random.Intn(9))
			e.Fleeting, e.File = random.Intn(4) == 0, []byte(pick("", "", "x.c", "y.c"))
			if random.Intn(5) == 0 {
				e = Entry{Object: e.Object, Name: e.Name, Export: true,
					Namespace: []byte(pick("", "N", "M")), listed: random.Intn(2) == 0,
					gplOnly: random.Intn(2) == 0, crc: uint32(random.Intn(2))}
			}
			entries = append(entries, e)
		}
		for _, want := range []Want{Names(), Names("f"), Names("g", "h"), Names("f.llvm.1"), All} {
			for _, match := range []matching{{}, {rule: orUpToDot}, {rule: onlyUpToLLVM},
				{rule: onlyUpToLLVM, unsure: "so"}, {rule: orUpToDot, unsure: "so",
					undecided: true}} {
				visited := 0
				src := spoken{"s", facts, entries, nil}
				count := func(name []byte) bool { visited++; return want(name) }
				all := scanOne(count, src, match, nil, newQuota(100000))
				allVisited := visited
				visited = 0
				few := scanOne(count, replayed{src, want, match.rule != wholeName}, match, nil,
					newQuota(100000))
				few.source = all.source
				require.Equal(t, all, few, "%+v wanted by %+v", entries, match)
				left += allVisited - visited
			}
		}
	}
	assert.Positive(t, left, "entries that were not visited")
}

// Facts in an index are all that a scan can find out.
func TestIndexHasAllFacts(t *testing.T) {
	facts := Facts{Kind: Image, Order: ByAddress, NoAddresses: true, Relative: "_text",
		BuildID: "12", Build: Build{"ab", "CD"}, Notes: []string{"a", "b"}, Partial: "p",
		PartialOf: "o", Config: []byte("c"), BTF: []byte("btf"), Untraced: []uint64{1, 5},
		Sealed: []uint64{}, debugInfo: true}
	v := reflect.ValueOf(facts)
	for i := range v.NumField() {
		assert.False(t, v.Field(i).IsZero(), "%s has to be in this test, and in an index",
			v.Type().Field(i).Name)
	}
	e := reflect.TypeOf(Entry{})
	assert.Equal(t, 14, e.NumField(), "fields of Entry, of which an index has all but section and "+
		"block, which are not used for tables")
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	x := &indexing{store: eagerStore(t)}
	for _, f := range []Facts{facts, {Kind: Symvers}} {
		key, ok := x.store.KeyOf(path)
		require.True(t, ok)
		require.NoError(t, x.write(key, &f, &recorder{}))
		got, found, err := x.replay(key, reading{All, true, func(*Entry) {}})
		require.NoError(t, err)
		require.True(t, found)
		assert.Equal(t, f, got)
		require.NoError(t, os.WriteFile(path, []byte("xy"), 0o600))
	}
}

// kernelOf finds the kernel of TestFindKernel and lets it use the store.
func kernelOf(t testing.TB, root string, store *index.Store) *Kernel {
	t.Helper()
	k, err := FindKernelIn(root, release, store)
	require.NoError(t, err)
	return k
}

// Answers are the same without an index, while it is made, and with it; and with it no file is
// read: what is in the files by then is something else.
func TestAnswersFromIndexes(t *testing.T) {
	root := t.TempDir()
	files := installed(release)
	lay(t, root, files)
	wants := map[string]Want{"few": Names("dup", "two", "tfunction_5"), "all": All,
		"none": Names("nothing"), "exports": Names("printk", "secret")}
	type readFunc func(k *Kernel, want Want) (*Table, error)
	reads := map[string]readFunc{
		"one": func(k *Kernel, w Want) (*Table, error) { return k.Read(w, "nf_nat") },
		"all": func(k *Kernel, w Want) (*Table, error) { return k.ReadAll(w) },
	}
	for how, read := range reads {
		store := eagerStore(t)
		store.Identify = knownByPath
		expected := map[string]map[string]any{}
		for name, want := range wants {
			table, err := read(kernelOf(t, root, nil), want)
			require.NoError(t, err)
			expected[name] = contents(table)
			table, err = read(kernelOf(t, root, store), want)
			require.NoError(t, err)
			assert.Equal(t, expected[name], contents(table), "%s %s", how, name)
		}
		for name := range files {
			if strings.Contains(name, "vmlinuz") || strings.Contains(name, ".ko") {
				path := filepath.Join(root, name)
				b := read1(t, path)
				require.NoError(t, os.WriteFile(path, append(b[:len(b)/2], make([]byte,
					len(b)-len(b)/2)...), 0o644))
				defer func() { require.NoError(t, os.WriteFile(path, b, 0o644)) }()
			}
		}
		for name, want := range wants {
			if how == "one" { // the file of ext4 is not in the index
				continue
			}
			table, err := read(kernelOf(t, root, store), want)
			require.NoError(t, err)
			assert.Equal(t, expected[name], contents(table), "%s %s", how, name)
			one, err := reads["one"](kernelOf(t, root, store), want)
			require.NoError(t, err)
			assert.True(t, one.Has("nf_nat"))
		}
		lay(t, root, map[string]string{"boot/vmlinuz-" + release: files["boot/vmlinuz-"+release]})
		for name := range files {
			if strings.Contains(name, ".ko") {
				lay(t, root, map[string]string{name: files[name]})
			}
		}
	}
}

func read1(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// Modules that came, went or changed are read, the others are not.
func TestIndexOfModulesFollowsThem(t *testing.T) {
	root := t.TempDir()
	lay(t, root, installed(release))
	dir := filepath.Join(root, "lib/modules", release, "kernel")
	store := eagerStore(t)
	changes := int64(0)
	check := func(what string) {
		t.Helper()
		// Two changes within one tick of the file system's clock look like one.
		changes++
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				err = os.Chtimes(path, time.Unix(changes, 0), time.Unix(changes, 0))
			}
			return err
		}))
		for range 2 {
			expected, err := kernelOf(t, root, nil).ReadAll(Names("dup", "two", "new"))
			require.NoError(t, err)
			table, err := kernelOf(t, root, store).ReadAll(Names("dup", "two", "new"))
			require.NoError(t, err)
			assert.Equal(t, contents(expected), contents(table), what)
		}
	}
	check("made")
	lay(t, dir, map[string]string{"x.ko": tinyModuleFile("x", "new", "dup")})
	check("one more")
	require.NoError(t, os.Remove(filepath.Join(dir, "net/nf-nat.ko.gz")))
	check("one less")
	require.NoError(t, os.Remove(filepath.Join(dir, "x.ko")))
	lay(t, dir, map[string]string{"x.ko": tinyModuleFile("x", "two")})
	check("another one")
	lay(t, dir, map[string]string{"y.ko": "\x7fELF, but no module"})
	check("one that can't be read")
	all, err := store.List()
	require.NoError(t, err)
	kinds := map[string]int{}
	for _, x := range all {
		kinds[x.Kind]++
	}
	assert.Equal(t, map[string]int{"f": 2, "m": 1, "d": 1}, kinds,
		"image, Module.symvers; modules; their names")
}

// Names of modules are those of a search: from any directory, and as long as no directory has
// changed.
func TestNamesOfModules(t *testing.T) {
	root := t.TempDir()
	lay(t, root, installed(release))
	t.Chdir(filepath.Join(root, "lib/modules", release))
	store := eagerStore(t)
	for _, dir := range []string{".", "kernel", "kernel/net", filepath.Join(root, "lib/modules"),
		filepath.Join(root, "lib")} {
		expected, err := walkModules(dir, nil)
		require.NoError(t, err)
		for range 2 {
			k := NewKernel("")
			k.Index = store
			got, err := k.findModules(dir)
			require.NoError(t, err)
			assert.Equal(t, expected.paths, got, dir)
			assert.Empty(t, k.Notes)
		}
		key, ok := store.KeyOf(dir)
		require.True(t, ok)
		_, err = readNames(store, dir, key)
		require.NoError(t, err, "%s: it is there", dir)
	}
	key, _ := store.KeyOf("kernel")
	past := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes("kernel/net", past, past))
	_, err := readNames(store, "kernel", key)
	assert.ErrorIs(t, err, index.ErrAbsent)

	// A directory that has just changed may change again within one tick of the clock.
	store.Settle = time.Hour
	k := NewKernel("")
	k.Index = store
	_, err = k.findModules("kernel")
	require.NoError(t, err)
	_, err = readNames(store, "kernel", key)
	assert.ErrorIs(t, err, index.ErrAbsent)
}

// A module that comes while directories are searched is found the next time.
func TestNamesOfModulesThatCome(t *testing.T) {
	root := t.TempDir()
	lay(t, root, installed(release))
	dir := filepath.Join(root, "lib/modules", release, "kernel")
	store := eagerStore(t)
	came := false
	store.Identify = func(path string) (index.Key, bool) {
		if path == filepath.Join(dir, "net") && !came {
			came = true
			lay(t, path, map[string]string{"came.ko": tinyModuleFile("came", "f")})
		}
		return index.NewStore("").StateOf(path)
	}
	k := NewKernel("")
	k.Index = store
	for range 2 {
		_, err := k.findModules(dir)
		require.NoError(t, err)
	}
	expected, err := walkModules(dir, nil)
	require.NoError(t, err)
	got, err := k.findModules(dir)
	require.NoError(t, err)
	assert.Equal(t, expected.paths, got)
	assert.True(t, came)
}

// A file that may still change gets no index, nor does a small one.
func TestFilesWithoutIndex(t *testing.T) {
	for name, change := range map[string]func(*index.Store){
		"new":   func(s *index.Store) { s.Settle = index.NewStore("").Settle },
		"small": func(s *index.Store) { s.Smallest = 1 << 20 },
	} {
		root := t.TempDir()
		lay(t, root, installed(release))
		store := eagerStore(t)
		change(store)
		_, err := kernelOf(t, root, store).Read(All, "nf_nat")
		require.NoError(t, err)
		all, err := store.List()
		require.NoError(t, err)
		for _, x := range all {
			assert.Equal(t, "small d", name+" "+x.Kind)
		}
	}
}

// When no index can be written, that is all.
func TestAnswersWithoutRoomForIndexes(t *testing.T) {
	root, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
	lay(t, root, installed(release))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	small, blocked := eagerStore(t), index.NewStore(filepath.Join(file, "indexes"))
	small.Limit, blocked.Settle, blocked.Smallest = 100, 0, 0
	for _, store := range []*index.Store{small, blocked} {
		expected, err := kernelOf(t, root, nil).ReadAll(All)
		require.NoError(t, err)
		table, err := kernelOf(t, root, store).ReadAll(All)
		require.NoError(t, err)
		assert.Equal(t, expected.objects, table.objects)
		assert.Contains(t, strings.Join(table.Notes, "\n"), "index: not written: ")
		left, _ := os.ReadDir(store.Dir())
		assert.Empty(t, left)
	}
}

// mend makes the checksums of an index those of its contents: the picture in package index.
func mend(b []byte) {
	le, table := binary.LittleEndian, crc32.MakeTable(crc32.Castagnoli)
	if len(b) < 48 {
		return
	}
	at, count := le.Uint64(b[16:]), uint64(le.Uint32(b[12:]))
	if at > uint64(len(b)) || count*24 > uint64(len(b))-at {
		return
	}
	for e := b[at : at+count*24]; len(e) > 0; e = e[24:] {
		off, size := le.Uint64(e), le.Uint64(e[8:])
		if off <= uint64(len(b)) && size <= uint64(len(b))-off {
			le.PutUint32(e[16:], crc32.Checksum(b[off:off+size], table))
		}
	}
	le.PutUint32(b[40:], crc32.Checksum(b[at:at+count*24], table))
	le.PutUint32(b[44:], crc32.Checksum(b[:44], table))
}

// A pokedKernel is a kernel with indexes that are written again with other bytes.
type pokedKernel struct {
	root     string
	store    *index.Store
	want     Want
	expected map[string]any
	good     map[string][]byte // indexes, by path
	paths    []string
}

func newPokedKernel(t testing.TB) *pokedKernel {
	p := &pokedKernel{root: t.TempDir(), store: eagerStore(t), want: Names("dup", "one")}
	for name, contents := range installed(release) {
		path := filepath.Join(p.root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if !strings.HasPrefix(contents, "->") {
			require.NoError(t, os.WriteFile(path, []byte(contents), 0o644))
		}
	}
	table, err := kernelOf(t, p.root, p.store).ReadAll(p.want)
	require.NoError(t, err)
	p.expected, p.good = contents(table), map[string][]byte{}
	p.paths, err = filepath.Glob(p.store.Dir() + "/*")
	require.NoError(t, err)
	for _, path := range p.paths {
		p.good[path] = read1(t, path)
	}
	return p
}

// read answers the question when an index has these bytes, and returns what it noted too.
func (p *pokedKernel) read(t testing.TB, path string, b []byte) (*Table, []string) {
	for path, b := range p.good {
		require.NoError(t, os.WriteFile(path, b, 0o600))
	}
	require.NoError(t, os.WriteFile(path, b, 0o600))
	fresh := index.NewStore(p.store.Dir()) // which has nothing open
	fresh.Settle, fresh.Smallest = 0, 0
	k := kernelOf(t, p.root, fresh)
	table, err := k.ReadAll(p.want)
	require.NoError(t, err)
	return table, append(k.Notes, table.Notes...)
}

// With one byte changed, or cut short, an index is made again, and the answer is right.
func TestDamagedIndexesAreMadeAgain(t *testing.T) {
	p := newPokedKernel(t)
	require.NotEmpty(t, p.paths)
	for _, path := range p.paths {
		good, noted := p.good[path], 0
		for at := 0; at < len(good); at += max(1, len(good)/60) {
			b := append([]byte{}, good...)
			b[at] ^= 0x10
			if at%7 == 3 {
				b = b[:at]
			}
			table, notes := p.read(t, path, b)
			for _, n := range notes {
				if strings.HasPrefix(n, "index: made again: ") {
					noted++
				}
			}
			got := contents(table)
			got["notes"] = p.expected["notes"]
			require.Equal(t, p.expected, got, "%s, byte %d", path, at)
			if len(table.Notes) > 0 {
				table, _ = p.read(t, path, good)
				require.Equal(t, p.expected, contents(table))
			}
		}
		assert.Positive(t, noted, path)
	}
}

// An index that is cut short while it is mapped, by whatever means, costs its use and no more.
func TestMappedIndexesThatAreCutShort(t *testing.T) {
	p := newPokedKernel(t)
	for _, path := range p.paths {
		for _, size := range []int{0, 4096} {
			for path, b := range p.good {
				require.NoError(t, os.WriteFile(path, b, 0o600))
			}
			store := index.NewStore(p.store.Dir())
			store.Settle, store.Smallest = 0, 0
			_, err := kernelOf(t, p.root, store).ReadAll(p.want) // maps all
			require.NoError(t, err)
			require.NoError(t, os.Truncate(path, int64(min(size, len(p.good[path])))))
			table, err := kernelOf(t, p.root, store).ReadAll(p.want)
			require.NoError(t, err, path)
			got := contents(table)
			got["notes"] = p.expected["notes"]
			require.Equal(t, p.expected, got, "%s cut to %d bytes", path, size)
		}
	}
}

// FuzzIndex changes bytes of an index. Without matching checksums the answer is the same; with
// them there is some answer.
func FuzzIndex(f *testing.F) {
	p := newPokedKernel(f)
	f.Add(uint8(0), uint32(60), []byte{1}, true)
	f.Add(uint8(1), uint32(200), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, true)
	f.Add(uint8(2), uint32(900), []byte{0x80}, false)
	f.Fuzz(func(t *testing.T, which uint8, at uint32, change []byte, mended bool) {
		path := p.paths[int(which)%len(p.paths)]
		b := append([]byte{}, p.good[path]...)
		copy(b[int(at)%len(b):], change)
		if mended {
			mend(b)
		}
		table, _ := p.read(t, path, b)
		if got := contents(table); !mended {
			got["notes"] = p.expected["notes"]
			require.Equal(t, p.expected, got, fmt.Sprint(path, at))
		}
	})
}
