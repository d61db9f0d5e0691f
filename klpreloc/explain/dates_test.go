// SPDX-License-Identifier: GPL-2.0-or-later

package explain_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/explain"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

func TestDatesAreRead(t *testing.T) {
	for _, test := range []struct{ when, in, out string }{
		{"", "2.6.32 4.19 7.3.4", ""},
		{"before 6.3", "4.19 6.2.16", "6.3 6.3.1 7.0"},
		{"x86 up to 6.2", "4.19 6.2.16", "6.3"},
		{"x86, 6.3 to 6.18", "6.3 6.18.99", "6.2.16 6.19 7.0"},
		{"6.19 and later", "6.19 6.19.4 7.3.4+deb13-amd64", "6.18.50 6.1.0-56-amd64"},
		{"modpost, 7.x", "7.0 7.3.4 8.1", "6.19"},
		{"after 5.10", "5.11 6.1", "5.10.262 5.4"},
		{"5.10", "5.10.0-46-amd64 5.10.262", "5.9 5.11"},
		{"6.8 and later, 6.1.y", "6.1.192 6.8 7.0", "6.2 6.7.12 5.10"},
		{"6.19 and later, 6.12.63 and later of 6.12", "6.12.63 6.12.118+deb13-amd64 6.19", "6.12.62 6.13 6.18"},
		{"4.7 and later; '(null)' is vmlinux before 5.8", "4.7 7.0", "4.6.7"},
		{"4.12 and later: an error before 5.1", "4.12 5.1", "4.11"},
		{"5.8 and later, and vendors' kernels with that scheme", "5.8 7.0", "5.7"},
		{"binutils up to 2.36.1", "4.19 7.0", ""},
		{"arm64, ppc64 and s390", "4.19 7.0", ""},
		{"6.99999999999999999999 and later", "7.0", ""},
	} {
		for _, r := range strings.Fields(test.in) {
			assert.True(t, explain.Covers(test.when, r), "%q: %s", test.when, r)
		}
		for _, r := range strings.Fields(test.out) {
			assert.False(t, explain.Covers(test.when, r), "%q: %s", test.when, r)
		}
	}
}

// Each text with a version is read, and the word before a version is one that dates.go
// knows.
func TestEveryDateIsOneThatIsRead(t *testing.T) {
	version := regexp.MustCompile(`\b\d+\.(?:\d+|x)`)
	known := regexp.MustCompile(`^(?:before|up to|after)? ?\d+\.(?:x|\d+(?:\.(?:\d+|y))?)` +
		`(?: and later(?: of \d+\.\d+)?| to \d+\.\d+(?:\.\d+)?)?$`)
	check := func(id, when string) {
		dates, _, _ := strings.Cut(when, ";")
		dates, _, _ = strings.Cut(dates, ":")
		if regexp.MustCompile(`binutils|kpatch`).MatchString(when) {
			return
		}
		for _, part := range strings.Split(dates, ",") {
			if part = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(part), "x86 ")); version.MatchString(part) {
				assert.Regexp(t, known, part, "%s: %s", id, when)
			}
		}
	}
	for _, g := range explain.Groups() {
		for _, e := range g.Entries {
			for _, f := range e.Forms {
				check(e.ID, f.When)
			}
			for _, c := range e.Causes {
				check(e.ID, c.When)
			}
		}
	}
}

// Each kernel that prints a wording has a possible cause.
func TestEveryWordingHasACause(t *testing.T) {
	for _, l := range lines {
		for _, x := range explain.Text(l.line) {
			assert.Equal(t, x.Fine, len(x.Causes) == 0, "%s: %s", x.ID, l.line)
		}
	}
}

const (
	later = "module: x86/modules: Invalid relocation target, " +
		"existing value is nonzero for sec 34, idx 1, type 1, loc ffffffffc1b6a5a8, val ffffffffc169dbe0"
	middle = "module: x86/modules: Invalid relocation target, " +
		"existing value is nonzero for type 1, loc 00000000e5a1b2c3, val ffffffffc169dbe0"
	early = "module: x86/modules: Skipping invalid relocation target, " +
		"existing value is nonzero for type 1, loc 00000000e5a1b2c3, val ffffffffc169dbe0"
	reason = "livepatch: failed to initialize patch 'lp2' for module 'tgt' (-8)"
)

// Before 6.3 a target that is loaded a second time is refused. The wording, or a line with
// a version, shows that it is another kernel.
func TestMessageDatesItsCauses(t *testing.T) {
	for _, test := range []struct {
		text string
		id   string
		want bool // the cause that ended with 6.3
	}{
		{later, "nonzero-target", false},
		{middle, "nonzero-target", false},
		{early, "nonzero-target", true},
		{reason, "target-refused", true},
		{"[    0.000000] Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org) " +
			"(gcc-12) #1 SMP Debian 6.1.192-2 (2026-11-26)\n" + reason, "target-refused", true},
		{"[    0.000000] Linux version 6.12.118+deb13-amd64 (x) #1 SMP\n" + reason, "target-refused", false},
		{reason + "\nCPU: 0 PID: 77 Comm: insmod Not tainted 6.12.107+deb13-amd64 #1", "target-refused", false},
		{reason + "\nCPU: 0 PID: 77 Comm: insmod Tainted: G           OE K    5.10.0-46-amd64 #1", "target-refused", true},
		{"Linux host 7.3.4+deb13-amd64 #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux\n" + reason, "target-refused", false},
		// another message of the same boot
		{later + "\n" + reason, "target-refused", false},
		{reason + "\n" + early, "target-refused", true},
		// of another boot
		{"Linux version 7.3.4 (x)\n" + later + "\nLinux version 6.1.0-56-amd64 (x)\n" + reason, "target-refused", true},
		{"Linux version 7.3.4 (x)\n" + reason + "\nLinux version 6.1.0-56-amd64 (x)\n" + reason, "target-refused", true},
		// the wording counts where they contradict each other
		{"Linux version 4.19.0 (x)\n" + later, "nonzero-target", false},
		// these have old numbers and later code
		{"Linux version 4.18.0-553.el8_10.x86_64 (mockbuild@x) (gcc)\n" + reason, "target-refused", true},
		{"Linux version 6.4.0-150600.23.7-default (geeko@x) (gcc)\n" + reason, "target-refused", true},
		{"Linux version 5.14.0-570.12.1.el9_6.x86_64 (mockbuild@x) (gcc)\n" + middle, "nonzero-target", false},
	} {
		seen := false
		for _, x := range explain.Text(test.text) {
			if x.ID != test.id {
				continue
			}
			seen = true
			has := false
			for _, c := range x.Causes {
				has = has || strings.Contains(c.Why, "loaded again")
			}
			assert.Equal(t, test.want, has, test.text)
		}
		assert.True(t, seen, test.text)
	}
}

// All relocations of .rela.gnu.linkonce.this_module are R_X86_64_64 (type 1).
func TestTypeTellsThatStructModuleDiffers(t *testing.T) {
	assert.Contains(t, explain.Text(later)[0].Causes[0].Why, "struct module")
	calls := explain.Text(strings.Replace(later, "type 1", "type 4", 1))[0].Causes
	assert.NotContains(t, calls[0].Why, "struct module")
}

// The versions of a cause are those of the rules.
func TestReplacingOfFirstIsDatedAsTheRuleIs(t *testing.T) {
	when := ""
	for _, c := range explain.Text("sysfs: cannot create duplicate filename '/kernel/livepatch/lp/vmlinux/somefunc,1'")[0].Causes {
		if strings.Contains(c.Why, ".replace") {
			when = c.When
		}
	}
	require.NotEmpty(t, when)
	stable := regexp.MustCompile(`(\d+\.\d+)\.(\d+)`).FindAllStringSubmatch(kernel.FirstIsOnly, -1)
	require.NotEmpty(t, stable)
	for _, m := range stable {
		n, err := strconv.Atoi(m[2])
		require.NoError(t, err)
		assert.True(t, explain.Covers(when, fmt.Sprintf("%s.%d", m[1], n-1)), m[0])
		assert.False(t, explain.Covers(when, m[0]), m[0])
	}
	assert.False(t, explain.Covers(when, "6.19"))
	assert.True(t, explain.Covers(when, "6.17.9") && explain.Covers(when, "5.4.286"))
}

// The import of the namespace has the form that the kernel's headers require.
func TestNamespaceImportFitsTheKernel(t *testing.T) {
	run := func(text string) string {
		x := explain.Text(text)
		require.NotEmpty(t, x, text)
		all := ""
		for _, c := range x[len(x)-1].Causes {
			all += strings.Join(c.Run, "\n") + "\n"
		}
		return all
	}
	now := run("ERROR: modpost: lp.ko: module uses symbol 'dma_buf_put' from namespace 'DMA_BUF', but does not import it.")
	assert.Contains(t, now, `MODULE_IMPORT_NS("DMA_BUF");`)
	assert.NotContains(t, now, `MODULE_IMPORT_NS(DMA_BUF);`)
	both := run("ERROR: modpost: module lp uses symbol dma_buf_put from namespace DMA_BUF, but does not import it.")
	assert.Contains(t, both, `MODULE_IMPORT_NS("DMA_BUF");`)
	assert.Contains(t, both, `MODULE_IMPORT_NS(DMA_BUF);`)
	old := run("Linux version 5.10.0-46-amd64 (x)\nlp: module uses symbol (dma_buf_put) from namespace DMA_BUF, but does not import it.")
	assert.NotContains(t, old, `MODULE_IMPORT_NS("DMA_BUF");`)
}
