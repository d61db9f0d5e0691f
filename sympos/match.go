// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Which symbols of vmlinux have the name that livepatch looks for? Kernels with
// CONFIG_LTO_CLANG end the names of promoted static symbols in .llvm.<number>, and some
// of them compare without that end, so that "f" finds f.llvm.1, and f beside f.llvm.1 is
// ambiguous. This is the history, and the only place that knows it (kernel/kallsyms.c,
// compare_symbol_name and cleanup_symbol_name):
//
//	before 6.2           the whole name (kallsyms_on_each_symbol; 6.1.y too, which has
//	                     the function below and does not use it for livepatch)
//	6.2                  the whole name, or the name up to its first dot: livepatch uses
//	                     kallsyms_on_each_match_symbol (9cb37357dfce, 60443c88f3a8)
//	6.4.7, 6.5           the whole name, or the name up to .llvm. (8cc32a9bbf29)
//	6.4.14, 6.5.1, 6.6   the name up to .llvm.; by its whole name a symbol that has one is
//	                     not found (33f0467fe069)
//	6.10.7, 6.11         the whole name (fb6a421fb615)
//
// No trace of the last one was found in 6.6.y, where it is said to be since 6.6.46: from
// there on it is not known. Symbols of modules are compared by their whole names always.

// A matching is how a kernel compares.
type matching struct {
	rule matchRule
	// unsure says why the kernel may also be one that compares whole names; what its
	// symbols are found by is not changed then, only said.
	unsure string
	// undecided: a symbol with .llvm. in its name settles what is not sure.
	undecided bool
}

type matchRule int

const (
	wholeName    matchRule = iota
	orUpToDot              // 6.2
	orUpToLLVM             // 6.4.7
	onlyUpToLLVM           // 6.4.14
)

const llvmSuffix = ".llvm."

// cut returns the name that a symbol is found by, and whether the kernel leaves an end out.
func (m matching) cut(name []byte) ([]byte, bool) {
	i := -1
	switch m.rule {
	case wholeName:
	case orUpToDot:
		i = bytes.IndexByte(name, '.')
	default:
		if bytes.IndexByte(name, '.') >= 0 { // of which few names have one
			i = bytes.Index(name, []byte(llvmSuffix))
		}
	}
	if i <= 0 {
		return name, false
	}
	return name[:i], true
}

// matching tells how the kernel compares, by its release and its configuration.
func (k *Kernel) matching() matching {
	release := cmp.Or(k.Release, k.BuiltFor)
	rule, unsure := matchRuleOf(release)
	if rule == wholeName {
		return matching{}
	}
	lto, known := k.lto()
	switch {
	case known && !lto:
		return matching{}
	case unsure != "":
		return matching{rule: rule, unsure: unsure}
	case known || rule != orUpToDot:
		return matching{rule: rule} // without LTO there is no .llvm. in any name
	}
	return matching{rule: rule, undecided: true,
		unsure: "its configuration is not available, and with CONFIG_LTO_CLANG kernel " + release + " compares names up to their first dot"}
}

// matchRuleOf returns the rule of kernels with CONFIG_LTO_CLANG of that release, and why it
// is not certain.
func matchRuleOf(release string) (rule matchRule, unsure string) {
	major, minor, sub, ok := parseRelease(release)
	at := func(x, y, z int) bool {
		return major > x || major == x && (minor > y || minor == y && sub >= z)
	}
	switch {
	case !ok:
		return onlyUpToLLVM, "nothing tells the kernel's release, and kernels 6.2 to 6.10 with CONFIG_LTO_CLANG compare names without it"
	case !at(6, 2, 0) || at(6, 10, 7):
		return wholeName, ""
	case major == 6 && minor == 6 && sub >= 46:
		return onlyUpToLLVM, "up to 6.6.45, kernels with CONFIG_LTO_CLANG compare names without it, and of " + release + " that is not known"
	case at(6, 5, 1), major == 6 && minor == 4 && sub >= 14:
		return onlyUpToLLVM, ""
	case at(6, 4, 7):
		return orUpToLLVM, ""
	}
	return orUpToDot, ""
}

// parseRelease reads the numbers that a release begins with. Vendors have 0 for the third.
func parseRelease(release string) (major, minor, sub int, ok bool) {
	var n [3]int
	for i := range n {
		end := 0
		for end < len(release) && release[end] >= '0' && release[end] <= '9' {
			end++
		}
		x, err := strconv.ParseUint(release[:end], 10, 16)
		if err != nil {
			return n[0], n[1], n[2], i == 2
		}
		n[i], release = int(x), release[end:]
		if !strings.HasPrefix(release, ".") {
			return n[0], n[1], n[2], i >= 1
		}
		release = release[1:]
	}
	return n[0], n[1], n[2], true
}

// lto reports whether the kernel was built with CONFIG_LTO_CLANG, and whether its
// configuration tells.
func (k *Kernel) lto() (yes, known bool) {
	if k.Config == "" {
		return false, false
	}
	r, _, err := openFile(k.Config)
	if err != nil {
		return false, false
	}
	defer r.Close()
	lines := bufio.NewScanner(io.LimitReader(r, 16<<20))
	for lines.Scan() {
		switch lines.Text() {
		case "CONFIG_LTO_CLANG=y":
			return true, true
		case "":
		default:
			known = true
		}
	}
	return false, known
}

// A place is where a symbol is that is found by a name.
type place struct {
	name    string
	address uint64
}

// WholeName returns what the kernel's symbol table calls the symbol, where the kernel leaves
// out the end of that name when it looks for s.Name; else "".
func (t *Table) WholeName(s Symbol) string {
	if o := t.objects[s.Object]; o != nil {
		return o.wholes[place{s.Name, s.Address}]
	}
	return ""
}

// mostVariants bounds how many of them a sentence names.
const mostVariants = 3

// Unsure says why the kernel may count other symbols under the name, too, or "".
func (t *Table) Unsure(object, name string) string {
	o := t.objects[object]
	if o == nil || len(o.variants[name]) == 0 {
		return ""
	}
	list := o.variants[name]
	more := ""
	if len(list) > mostVariants {
		list, more = list[:mostVariants], " and others"
	}
	return fmt.Sprintf("%s%s may count as %s, too: %s", strings.Join(list, ", "), more, name, o.unsure)
}

// FoundAs returns the name by which the kernel finds what its symbol table calls name, when
// it is another one.
func (t *Table) FoundAs(object, name string) (string, bool) {
	if o := t.objects[object]; o != nil {
		as, ok := o.foundAs[name]
		return as, ok
	}
	return "", false
}
