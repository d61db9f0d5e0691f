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
// of them compare without that end, so that "f" finds f.llvm.1, and f is ambiguous when both
// exist. This is the history (kernel/kallsyms.c, compare_symbol_name and
// cleanup_symbol_name):
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
// The last change is said to be in 6.6.y since 6.6.46, but was not found there: for these
// kernels the rule is not known. Names of symbols of modules are always compared as a whole.

// A matching is how a kernel compares names.
type matching struct {
	rule matchRule
	// unsure is why the kernel may also compare whole names, or "". If so, names are
	// compared as a whole, and Table.Unsure reports it.
	unsure string
	// undecided is set when a symbol with .llvm. in its name would decide it.
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

// foundName returns the name that finds the symbol, and whether the kernel ignores the end of
// its own name.
func (m matching) foundName(name []byte) ([]byte, bool) {
	i := -1
	switch m.rule {
	case wholeName:
	case orUpToDot:
		i = bytes.IndexByte(name, '.')
	default:
		if bytes.IndexByte(name, '.') >= 0 { // few names have one
			i = bytes.Index(name, []byte(llvmSuffix))
		}
	}
	if i <= 0 {
		return name, false
	}
	return name[:i], true
}

// matching returns how the kernel compares, by its release and its configuration.
func (k *Kernel) matching() matching {
	release := cmp.Or(k.Release, k.BuiltFor)
	rule, unsure := matchRuleOf(release)
	if rule == wholeName {
		return matching{}
	}
	lto, known := k.hasLTO()
	switch {
	case known && !lto:
		return matching{}
	case unsure != "":
		return matching{rule: rule, unsure: unsure}
	case known || rule != orUpToDot:
		return matching{rule: rule} // without LTO there is no .llvm. in any name
	}
	return matching{rule: rule, undecided: true,
		unsure: "its configuration is not available, and with CONFIG_LTO_CLANG kernel " + release +
			" compares names up to their first dot"}
}

// matchRuleOf returns the rule of kernels with CONFIG_LTO_CLANG of that release, and why it
// is not certain.
func matchRuleOf(release string) (rule matchRule, unsure string) {
	major, minor, sub, ok := parseRelease(release)
	from := func(y, z int) bool { // 6.y.z
		return major > 6 || major == 6 && (minor > y || minor == y && sub >= z)
	}
	switch {
	case !ok:
		return onlyUpToLLVM, "the kernel's release is not known, and kernels 6.2 to 6.10 with " +
			"CONFIG_LTO_CLANG compare names without it"
	case !from(2, 0) || from(10, 7):
		return wholeName, ""
	case major == 6 && minor == 6 && sub >= 46:
		return onlyUpToLLVM, "up to 6.6.45, kernels with CONFIG_LTO_CLANG compare names without " +
			"it, and for " + release + " this is not known"
	case from(5, 1), major == 6 && minor == 4 && sub >= 14:
		return onlyUpToLLVM, ""
	case from(4, 7):
		return orUpToLLVM, ""
	}
	return orUpToDot, ""
}

// parseRelease returns the numbers that a release begins with. Vendors use 0 for the third.
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

// hasLTO reports whether the kernel was built with CONFIG_LTO_CLANG, and whether its
// configuration is available.
func (k *Kernel) hasLTO() (yes, known bool) {
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

// A foundSymbol is a symbol, by the name that finds it and its address.
type foundSymbol struct {
	name    string
	address uint64
}

// WholeName returns the name of s in the kernel's symbol table if the kernel ignores the end
// of it when it looks for s.Name; else "".
func (t *Table) WholeName(s Symbol) string {
	if o := t.objects[s.Object]; o != nil {
		return o.wholes[foundSymbol{s.Name, s.Address}]
	}
	return ""
}

// maxVariants bounds how many names a sentence has.
const maxVariants = 3

// Unsure returns why the kernel may also count symbols with other names as this name, or "".
func (t *Table) Unsure(object, name string) string {
	o := t.objects[object]
	if o == nil || len(o.variants[name]) == 0 {
		return ""
	}
	list := o.variants[name]
	more := ""
	if len(list) > maxVariants {
		list, more = list[:maxVariants], " and others"
	}
	return fmt.Sprintf("%s%s may count as %s, too: %s", strings.Join(list, ", "), more, name,
		o.unsure)
}

// FoundAs returns the name by which the kernel finds the symbol of that name in its symbol
// table, and true, if it is another name.
func (t *Table) FoundAs(object, name string) (string, bool) {
	if o := t.objects[object]; o != nil {
		as, ok := o.foundAs[name]
		return as, ok
	}
	return "", false
}
