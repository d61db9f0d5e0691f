// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// blank is a value that is known when the kernel runs: how it is shown, and what it
// looks like.
type blank struct{ shown, pattern string }

var (
	anyPointer = blank{"…", `\S+`}
	anyHex     = blank{"…", `[0-9a-f]+`}
	anyNumber  = blank{"…", `\d+`}
	anything   = blank{"…", `.*`}
)

// says makes a message of the kernel's format. All verbs are %s here: %d, %u and %lu
// print numbers as they are.
func says(format string, args ...any) diag.KernelMessage {
	var text, pattern strings.Builder
	for i, part := range strings.Split(format, "%s") {
		if i > 0 && i <= len(args) {
			if b, ok := args[i-1].(blank); ok {
				text.WriteString(b.shown)
				pattern.WriteString(b.pattern)
			} else {
				whole := fmt.Sprint(args[i-1])
				s := diag.Printable(whole)
				text.WriteString(s)
				if head, cut := strings.CutSuffix(s, "…"); cut && len(whole) > len(head) {
					// The kernel cuts a line of 1024 bytes, too.
					pattern.WriteString(regexp.QuoteMeta(head) + ".*")
					return diag.KernelMessage{Text: text.String() + part, Pattern: pattern.String()}
				}
				pattern.WriteString(regexp.QuoteMeta(s))
			}
		}
		text.WriteString(part)
		pattern.WriteString(regexp.QuoteMeta(part))
	}
	return diag.KernelMessage{Text: text.String(), Pattern: pattern.String()}
}

// oops is what is seen when the code of a function runs into what is not right.
// Which of them it is depends on what is in memory.
func oops(kind, function string) diag.KernelMessage {
	text := kind
	if function != "" {
		text += " in " + diag.Printable(function)
	}
	return diag.KernelMessage{Text: text, Pattern: oopses}
}

// unrelocated is what comes of code that was not relocated. A call that leads to the next
// instruction, as one of 0 does, pushes an address that nothing takes; with frame pointers the
// function returns all the same, with a wrong result (seen in 4.19.78 and 5.4.286). On other
// machines than x86 a branch of 0 leads to itself, and on s390x address 0 can be read (seen in
// 6.12.118).
func (k *facts) unrelocated(function string) diag.KernelMessage {
	if k.foreign() {
		return oops("page fault, endless loop or wrong result", function)
	}
	if framed, _ := k.set("FRAME_POINTER"); framed {
		return oops(orWrong, function)
	}
	return oops("page fault", function)
}

// foreign reports whether the kernel is for another machine than x86, as far as its modules or
// its configuration tell.
func (k *facts) foreign() bool {
	if k.witness != nil {
		return k.witness.Header.Machine != elf.EM_X86_64
	}
	return slices.ContainsFunc([]string{"S390", "PPC64", "ARM64", "LOONGARCH"},
		func(name string) bool {
			set, _ := k.set(name)
			return set
		})
}

const orWrong = "page fault or wrong result"

// Of machines other than x86: arch/*/kernel/traps.c and mm/fault.c, die.
const oopses = `BUG: unable to handle|BUG: kernel NULL pointer|general protection fault|` +
	`invalid opcode|int3|Oops|[kK]ernel BUG at|Unable to handle kernel|Internal error|` +
	`illegal operation|Reserved instruction|exception: [0-9a-f]{4} ilc|Kernel a[dl]e access`

// corrupted is what may be seen, now or later, of memory that was written over; often
// the kernel says nothing and hangs.
func corrupted() diag.KernelMessage {
	return diag.KernelMessage{Text: "memory corruption", Pattern: oopses +
		`|tried to init an initialized object|list_(add|del) corruption|soft lockup|detected stalls`}
}

// warning is what WARN prints: "WARNING: CPU: 0 PID: 1 at FILE:LINE FUNCTION", and
// in 7.3 "WARNING: FILE:LINE at FUNCTION". Without CONFIG_DEBUG_BUGVERBOSE it has no file, and
// without CONFIG_BUG it prints nothing.
func (k *facts) warning(file, function string) []diag.KernelMessage {
	if bug, known := k.set("BUG"); known && !bug {
		return nil
	}
	return []diag.KernelMessage{{Text: "WARNING at " + file + " " + function, Pattern: `WARNING: (.*` +
		regexp.QuoteMeta(file) + `:\d+)?.*` + regexp.QuoteMeta(function)}}
}

// overflowMessages are what x86 says of a value that does not fit.
func (k *facts) overflowMessages(t uint32, module string) []diag.KernelMessage {
	const prefix = "module: "
	where := ""
	if k.Nonzero == 2 {
		where = " sec %s idx %s"
	}
	return []diag.KernelMessage{
		says(prefix+"overflow in relocation type %s val %s"+where, t, anyHex, anyNumber, anyNumber),
		says(prefix+"`%s' likely not compiled with -mcmodel=kernel", module),
	}
}

// nonzeroMessage is what x86 says of a place that is not zero.
func (k *facts) nonzeroMessage(t uint32) diag.KernelMessage {
	const prefix = "module: x86/modules: "
	switch k.Nonzero {
	case 0:
		return says(prefix+"Skipping invalid relocation target, existing value is nonzero for "+
			"type %s, loc %s, val %s", t, anyPointer, anyHex)
	case 1:
		return says(prefix+"Invalid relocation target, existing value is nonzero for "+
			"type %s, loc %s, val %s", t, anyPointer, anyHex)
	}
	return says(prefix+"Invalid relocation target, existing value is nonzero for sec %s, idx %s, "+
		"type %s, loc %s, val %s", anyNumber, anyNumber, t, anyHex, anyHex)
}
