// SPDX-License-Identifier: GPL-2.0-or-later

package explain

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/exp/slices"
)

// A message tells about the kernel that prints it: its wording began with one version and
// ended with another. A cause has versions too, and one that ended before the wording
// began is not a cause. The words that a reader sees (Form.When, Cause.When) are the only
// place for both; they are read here:
//
//	before 6.3                    up to 6.2 (the same kernels)
//	6.3 and later                 7.x (7.0 and later), after 6.2
//	6.3 to 6.18                   with 6.18.y
//	6.1.y                         the stable releases of one series; 5.10 alone means the same
//	6.12.40 and later of 6.12     a part of them
//	before 5.8, 6.1.y             one or the other
//
// Words without a version may come first ("x86, before 4.20", "modpost, 7.x"). What follows
// a semicolon or colon is a remark, which is not read.

// release is a kernel's version with its number within the stable series.
type release [3]int

func (r release) before(s release) bool {
	for i := range r {
		if r[i] != s[i] {
			return r[i] < s[i]
		}
	}
	return false
}

// after returns the first release that is not r's: 6.2.0 for 6.1, 6.1.8 for 6.1.7.
func (r release) after(parts int) release {
	r[parts-1]++
	return r
}

// A span is the kernels from the first release up to, and without, the second.
type span [2]release

var (
	never  = release{math.MaxInt, 0, 0}
	always = kernels{{release{}, never}}
)

// kernels is a set of kernels.
type kernels []span

// and returns the kernels that are in both sets.
func (k kernels) and(l kernels) kernels {
	var both kernels
	for _, a := range k {
		for _, b := range l {
			s := a
			if s[0].before(b[0]) {
				s[0] = b[0]
			}
			if b[1].before(s[1]) {
				s[1] = b[1]
			}
			if s[0].before(s[1]) {
				both = append(both, s)
			}
		}
	}
	return both
}

const aVersion = `(\d+\.(?:\d+(?:\.(?:\d+|y))?|x))`

var (
	datePhrase = lazily(`\b(before |up to |after )?` + aVersion +
		`\b( and later of \d+\.\d+| and later| to ` + aVersion + `\b)?`)
	// otherProgram is followed by the version of something that is not a kernel.
	otherProgram = lazily(`\b(?:binutils|kpatch|pahole|kmod|clang|gcc|LLVM)\b`)
)

// parseDates returns the kernels that a text is about: all, where it names no version of a
// kernel.
func parseDates(when string) kernels {
	if i := strings.IndexAny(when, ";:"); i >= 0 {
		when = when[:i]
	}
	if otherProgram().MatchString(when) {
		return always
	}
	var all kernels
	for _, m := range datePhrase().FindAllStringSubmatch(when, -1) {
		v, parts := parseRelease(m[2])
		end := v.after(parts)
		s := span{v, end}
		switch {
		case m[1] == "before ":
			s = span{release{}, v}
		case m[1] == "up to ":
			s = span{release{}, end}
		case m[1] == "after ":
			s = span{end, never}
		case strings.HasPrefix(m[3], " and later of "):
			s[1] = release{v[0], v[1] + 1, 0}
		case m[3] == " and later", strings.HasSuffix(m[2], ".x"):
			s[1] = never
		case m[4] != "":
			w, parts := parseRelease(m[4])
			s[1] = w.after(parts)
		}
		all = append(all, s)
	}
	if all == nil {
		return always
	}
	return all
}

// parseRelease reads 6, 6.1, 6.1.7, 6.1.y or 7.x, and says how many parts are numbers.
func parseRelease(s string) (r release, parts int) {
	for _, part := range strings.SplitN(s, ".", 3) {
		n, err := strconv.Atoi(part)
		if err != nil || n > math.MaxInt32 {
			break
		}
		r[parts] = n
		parts++
	}
	return r, max(parts, 1)
}

// namesKernel matches lines that name the running kernel, in a log or near an oops.
var namesKernel = []func() *regexp.Regexp{
	lazily(`\bLinux version (\d+\.\d+\S*)(?:.*\bDebian (\d+\.\d+\.\d+))?`),
	lazily(`\b(?:Not tainted|Tainted: [A-Z ]+) +(\d+\.\d+\S*)` +
		`(?:.*\bDebian (\d+\.\d+\.\d+))?`),
	lazily(`^Linux \S+ (\d+\.\d+\S*) #\d+(?:.*\bDebian (\d+\.\d+\.\d+))?`), // uname -a
	lazily(`: version magic '[^']*' should be '(\d+\.\d+\S*) `),
}

// banner is in the line with which the log of a boot begins.
const banner = "Linux version "

// Vendors' kernels have old numbers and newer code: RHEL, SLE, openEuler and similar.
var vendorRelease = lazily(`\.(?:el|oe|an|tl|ky)\d|` +
	`^(?:4\.4\.\d+|4\.12\.14|5\.3\.18|5\.14\.21|6\.4\.0|6\.12\.0)-\d{2,6}` +
	`(?:\.\d|-default|-rt|-azure|$)`)

// kernelOf returns the kernel that a line names, or false.
func kernelOf(line string) (kernels, bool) {
	if !slices.ContainsFunc([]string{"ainted", "Linux ", "version magic"}, func(s string) bool {
		return strings.Contains(line, s)
	}) {
		return nil, false
	}
	for _, re := range namesKernel {
		m := re().FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if vendorRelease().MatchString(m[1]) {
			return nil, false
		}
		name := m[1]
		if len(m) > 2 && m[2] != "" {
			name = m[2] // 6.1.0-56-amd64 is 6.1.192
		}
		v, parts := parseRelease(digits().FindString(name))
		if parts == 3 && v[2] == 0 {
			parts = 2 // releases of distributions keep .0
		}
		return kernels{{v, v.after(parts)}}, true
	}
	return nil, false
}

var digits = lazily(`^\d+(?:\.\d+){1,2}`)

// A boot is what the log of one boot says. A log may have several.
type boot struct {
	kernels  kernels    // by lines that name the kernel; nil: all
	patterns []*pattern // of the kernel's messages, each once
	lines    []found    // messages; of those of one entry no more than are explained
	of       map[string]*sameEntry
}

// sameEntry are the lines of one entry that a boot keeps.
type sameEntry struct {
	lines    []found
	distinct int // by names
}

func (b *boot) limit(k kernels) {
	if b.kernels == nil {
		b.kernels = always
	}
	if both := b.kernels.and(k); both != nil {
		b.kernels = both
	}
}

func (b *boot) add(l found) {
	if k, ok := kernelOf(l.text); ok {
		b.limit(k)
	}
	if l.entry == nil {
		return
	}
	if l.pattern != nil && l.pattern.kernel && !slices.Contains(b.patterns, l.pattern) {
		b.patterns = append(b.patterns, l.pattern)
	}
	if b.of == nil {
		b.of = map[string]*sameEntry{}
	}
	kept := b.of[l.entry.ID]
	if kept == nil {
		kept = &sameEntry{}
		b.of[l.entry.ID] = kept
	}
	known, newPattern := false, true
	for i := range kept.lines {
		newPattern = newPattern && kept.lines[i].pattern != l.pattern
		known = known || equal(kept.lines[i].names, l.names)
	}
	known = known || kept.distinct >= most
	if known && !newPattern {
		return
	}
	if !known {
		kept.distinct++
	}
	kept.lines = append(kept.lines, l)
	b.lines = append(b.lines, l)
}

// setKernels finds out which kernels print the lines. A line that names the kernel has precedence
// over wordings.
func (b *boot) setKernels() {
	b.limit(always)
	for _, p := range b.patterns {
		b.limit(p.dates)
	}
	for i := range b.lines {
		l := &b.lines[i]
		l.kernels = b.kernels
		if l.pattern != nil {
			if l.kernels = b.kernels.and(l.pattern.dates); l.kernels == nil {
				l.kernels = l.pattern.dates // it contradicts the rest
			}
		}
	}
}

// Covers reports whether a kernel of that release is among those that a text like
// Form.When names.
func Covers(when, release string) bool {
	v, parts := parseRelease(digits().FindString(release))
	if parts == 3 && v[2] == 0 {
		parts = 2
	}
	return parseDates(when).and(kernels{{v, v.after(parts)}}) != nil
}
