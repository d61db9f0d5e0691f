// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package declared_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/lab"
	"github.com/klp-convert/klp-convert/scripts/need"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// A witness is what bpftool says of a kernel's BTF, so that declarations for the tests do not come
// from the reader that they test:
//
//	bpftool btf dump file vmlinux.btf format c    all types in C, which a compiler can read
//	bpftool btf dump file vmlinux.btf             each entry by its number: the functions too
//
// In C two types cannot have one name, so bpftool calls the second one foo___2, enumerators too.
type witness struct {
	kernel  *ctypes.Types // of the reader under test
	random  *rand.Rand
	full    bool // the figures of the docs, not those of every run
	header  string
	flags   []string // of the release's Makefile that matter for types
	entries map[int]*entry
	funcs   []*entry
	// times counts structs, unions, enums and typedefs of a kind and name, and functions.
	times map[string]int
	taken map[string]bool // names that the header has for typedefs and enumerators
	// defined are structs, unions and enums that the header defines by their own names.
	defined map[string]bool
}

// An entry is a type in the order and with the words of bpftool.
type entry struct {
	kind, name string // PTR, "" if it has none
	to         int    // type_id or ret_type_id
	size       int
	encoding   string
	count      int    // nr_elems
	forward    string // fwd_kind
	members    []member
}

type member struct {
	name string
	to   int
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "declared: "+format+"\n", args...) }

// forEachKernel runs a test on each kernel of the lab that has BTF: that of the machine's release,
// or those of KLP_LAB_KERNELS, which are Debian's for x86_64.
func forEachKernel(t *testing.T, test func(t *testing.T, w *witness)) {
	need.Long(t, "a kernel is fetched")
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	need.Tools(t, "bpftool", "gcc")
	if missing := lab.Missing(); len(missing) > 0 {
		need.Lab(t, "the kernel lab needs: "+lab.InstallLine(missing))
	}
	cache, err := lab.OpenCache()
	require.NoError(t, err)
	releases, err := lab.Selected()
	require.NoError(t, err)
	for _, r := range releases {
		t.Run(r.Series, func(t *testing.T) {
			kernel, err := lab.FetchRelease(cache, r, say)
			if err != nil {
				need.Lab(t, fmt.Sprintf("the kernel %v is not to be had here: %v", r, err))
			}
			source, err := sympos.Open(kernel.Image)
			require.NoError(t, err)
			table, err := sympos.Read(sympos.Names("init_task"), source)
			require.NoError(t, err)
			types, err := table.Types()
			if errors.Is(err, sympos.ErrNoTypes) {
				t.Logf("%v", err)
				return
			}
			require.NoError(t, err)
			w := askBpftool(t, table.Sources[0].BTF)
			w.flags = flagsOf(kernel.Release)
			w.kernel, w.full, w.random = types, lab.Demanded(), rand.New(rand.NewSource(seed(t)))
			test(t, w)
		})
	}
}

// seed returns KLP_LAB_SEED, 1 if it is not set: the same types each time.
func seed(t *testing.T) int64 {
	text := os.Getenv("KLP_LAB_SEED")
	if text == "" {
		return 1
	}
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err, "KLP_LAB_SEED")
	return n
}

// askBpftool reads BTF with bpftool.
func askBpftool(t *testing.T, btf []byte) *witness {
	path := filepath.Join(t.TempDir(), "vmlinux.btf")
	require.NoError(t, os.WriteFile(path, btf, 0o600))
	dump := func(format string) string {
		out, err := exec.Command("bpftool", "btf", "dump", "file", path, "format", format).Output()
		require.NoError(t, err)
		return string(out)
	}
	w := &witness{header: dump("c")}
	w.parse(t, dump("raw"))
	w.taken = map[string]bool{}
	w.defined = map[string]bool{}
	for _, m := range definitionRE.FindAllStringSubmatch(w.header, -1) {
		w.defined[m[1]] = true
	}
	w.sizeEnums()
	for _, m := range headerNames.FindAllStringSubmatch(w.header, -1) {
		w.taken[m[1]+m[2]] = true
	}
	return w
}

var definitionRE = regexp.MustCompile(`(?m)^(?:struct|union|enum) (\w+) \{`)

// sizeEnums adds the sizes of enums that are not as wide as an int. bpftool before 7.2 leaves them
// out.
func (w *witness) sizeEnums() {
	sizes := map[string]int{}
	for _, e := range w.entries {
		if e.kind == "ENUM" && w.isUnique(e) {
			sizes[e.name] = e.size
		}
	}
	w.header = enumRE.ReplaceAllStringFunc(w.header, func(text string) string {
		mode := map[int]string{1: "QI", 2: "HI"}[sizes[enumRE.FindStringSubmatch(text)[1]]]
		if mode == "" {
			return text
		}
		return strings.TrimSuffix(text, ";") + " __attribute__((mode(" + mode + ")));"
	})
}

// headerNames are enumerators and the names at the end of typedefs.
var headerNames = regexp.MustCompile(`(?m)^\t*(\w+) = -?\d+,$|^(?:typedef|}) .*?(\w+)\)?[^()]*;$`)

var (
	entryRE = regexp.MustCompile(`^\[(\d+)\] ([A-Z_0-9]+) '([^']*)'(.*)$`)
	factRE  = regexp.MustCompile(`(\w+)=(\(none\)|[-\w]+)`)
)

// parse reads lines such as [123] FUNC 'vfs_read' type_id=122 linkage=static.
func (w *witness) parse(t *testing.T, text string) {
	w.entries, w.times = map[int]*entry{0: {kind: "VOID"}}, map[string]int{}
	var last *entry
	name := func(s string) string {
		if s == "(anon)" {
			return ""
		}
		return s
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "\t'") {
			text, facts, _ := strings.Cut(line[2:], "' ")
			m := member{name: name(text)}
			for _, f := range factRE.FindAllStringSubmatch(facts, -1) {
				if f[1] == "type_id" {
					m.to, _ = strconv.Atoi(f[2])
				}
			}
			last.members = append(last.members, m)
			continue
		}
		m := entryRE.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		id, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		last = &entry{kind: m[2], name: name(m[3])}
		for _, f := range factRE.FindAllStringSubmatch(m[4], -1) {
			n, _ := strconv.Atoi(f[2])
			switch f[1] {
			case "type_id", "ret_type_id":
				last.to = n
			case "size":
				last.size = n
			case "nr_elems":
				last.count = n
			case "encoding":
				last.encoding = f[2]
			case "fwd_kind":
				last.forward = f[2]
			}
		}
		w.entries[id] = last
		if last.kind == "FUNC" {
			w.funcs = append(w.funcs, last)
		}
		w.times[last.key()]++
	}
	require.Greater(t, len(w.entries), 10000)
	require.Greater(t, len(w.funcs), 10000)
}

// key returns what the name of an entry has to differ from in C.
func (e *entry) key() string {
	switch e.kind {
	case "STRUCT", "UNION", "ENUM", "ENUM64":
		return "tag " + e.name
	}
	return e.kind + " " + e.name
}

// bare returns the type without typedefs, qualifiers and tags.
func (w *witness) bare(id int) *entry {
	for {
		e := w.entries[id]
		switch e.kind {
		case "TYPEDEF", "CONST", "VOLATILE", "RESTRICT", "TYPE_TAG":
			id = e.to
		default:
			return e
		}
	}
}

func (w *witness) isUnique(e *entry) bool { return e.name != "" && w.times[e.key()] == 1 }

// errNoC is that a type cannot be referred to in C: it has no name, or shares it.
var errNoC = errors.New("no name of its own")

// declare returns a declaration of name in C with the type of that number.
func (w *witness) declare(id int, name string) (string, error) {
	e := w.entries[id]
	join := func(base string) (string, error) { return strings.TrimSpace(base + " " + name), nil }
	switch e.kind {
	case "VOID":
		return join("void")
	case "INT", "FLOAT":
		if e.name == "__int128 unsigned" {
			return join("unsigned __int128")
		}
		return join(e.name)
	case "TYPEDEF":
		if !w.isUnique(e) {
			return "", errNoC
		}
		return join(e.name)
	case "STRUCT", "UNION", "ENUM", "ENUM64":
		if !w.isUnique(e) {
			return "", errNoC
		}
		return join(strings.ToLower(strings.TrimSuffix(e.kind, "64")) + " " + e.name)
	case "FWD":
		return join(e.forward + " " + e.name)
	case "TYPE_TAG":
		return w.declare(e.to, name)
	case "CONST", "VOLATILE", "RESTRICT":
		word := strings.ToLower(e.kind)
		to := w.entries[e.to]
		for to.kind == "TYPE_TAG" {
			to = w.entries[to.to]
		}
		if to.kind == "PTR" {
			return w.declare(e.to, strings.TrimSpace(word+" "+name))
		}
		text, err := w.declare(e.to, name)
		return word + " " + text, err
	case "PTR":
		to := w.entries[e.to]
		for to.kind == "TYPE_TAG" {
			to = w.entries[to.to]
		}
		if to.kind == "ARRAY" || to.kind == "FUNC_PROTO" {
			return w.declare(e.to, "(*"+name+")")
		}
		return w.declare(e.to, "*"+name)
	case "ARRAY":
		return w.declare(e.to, fmt.Sprintf("%s[%d]", name, e.count))
	case "FUNC_PROTO":
		list, err := w.parameters(e)
		if err != nil {
			return "", err
		}
		if len(list) == 0 {
			list = []string{"void"}
		}
		return w.declare(e.to, name+"("+strings.Join(list, ", ")+")")
	}
	return "", fmt.Errorf("%s is not a type", e.kind)
}

// parameters returns the types of a prototype in C, "..." last.
func (w *witness) parameters(proto *entry) (list []string, err error) {
	for i, m := range proto.members {
		if m.to == 0 && m.name == "" && i == len(proto.members)-1 {
			list = append(list, "...")
			break
		}
		text, err := w.declare(m.to, "")
		if err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, nil
}

// A compiler is one that the tests have for a machine.
type compiler struct {
	name    string
	program []string
	machine elf.Machine
}

// kernelFlags are the flags of all kernels that matter for types.
var kernelFlags = []string{"-std=gnu11", "-w", "-g", "-O2", "-ffreestanding", "-fno-builtin",
	"-fshort-wchar", "-fno-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables",
	"-DBPF_NO_PRESERVE_ACCESS_INDEX", "-c", "-x", "c", "-"}

// compile returns the object file that a compiler makes.
func (c compiler) compile(t *testing.T, source string, more ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.o")
	args := append(append(append([]string{}, c.program[1:]...), more...), kernelFlags...)
	cmd := exec.Command(c.program[0], append(args, "-o", path)...)
	cmd.Stdin = strings.NewReader(source)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		kept := filepath.Join(os.TempDir(), "declared-refused.c")
		require.NoError(t, os.WriteFile(kept, []byte(source), 0o600))
		t.Fatalf("%s: %v, source in %s\n%.3000s", c.name, err, kept, stderr.String())
	}
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// flagsOf returns the flags that a release of the kernel has in its Makefile: plain char is
// unsigned from 6.2 on. 7.3 has members that are structs with a tag and no name (init/Kconfig,
// CC_MS_EXTENSIONS); 6.12 has not.
func flagsOf(release string) (flags []string) {
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return nil
	}
	isSince := func(m, n int) bool { return major > m || major == m && minor >= n }
	flags = []string{"-fsigned-char"}
	if isSince(6, 2) {
		flags = []string{"-funsigned-char"}
	}
	if isSince(7, 0) {
		flags = append(flags, "-fms-extensions")
	}
	return flags
}

// declarations returns the types that a livepatch declares.
func declarations(t *testing.T, object []byte) *ctypes.Types {
	types, err := sympos.ReadDeclarations("patch.ko", object, sympos.All)
	require.NoError(t, err)
	t.Cleanup(types.Close)
	return types
}
