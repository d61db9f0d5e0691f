// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/exp/slices"
)

// An origin is one suite in apt's configuration (sources.list(5)).
type origin struct {
	uri, suite string
	signedBy   string // "" when apt's own keys are meant
}

// machineOrigins returns what this machine's apt fetches from, in its order.
func machineOrigins() []origin {
	var all []origin
	parts, _ := filepath.Glob("/etc/apt/sources.list.d/*")
	for _, path := range append([]string{"/etc/apt/sources.list"}, parts...) {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		switch filepath.Ext(path) {
		case ".list":
			all = append(all, parseList(string(text))...)
		case ".sources":
			all = append(all, parseSources(string(text))...)
		}
	}
	return all
}

// parseList reads the one-line style: deb [signed-by=FILE] URI SUITE COMPONENT...
func parseList(text string) []origin {
	var all []origin
	for _, line := range strings.Split(text, "\n") {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !ok {
			continue
		}
		var o origin
		rest = strings.TrimSpace(rest)
		if strings.HasPrefix(rest, "[") {
			var options string
			options, rest, _ = strings.Cut(rest[1:], "]")
			for _, option := range strings.Fields(options) {
				if file, ok := strings.CutPrefix(option, "signed-by="); ok {
					o.signedBy = file
				}
			}
		}
		if fields := strings.Fields(rest); len(fields) >= 2 {
			o.uri, o.suite = fields[0], fields[1]
			all = append(all, o)
		}
	}
	return all
}

// parseSources reads the style of deb822(5): stanzas of fields.
func parseSources(text string) []origin {
	var all []origin
	for _, stanza := range strings.Split(text, "\n\n") {
		fields := map[string]string{}
		for _, line := range strings.Split(stanza, "\n") {
			if key, value, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, "#") &&
				!strings.HasPrefix(line, " ") {
				fields[strings.ToLower(key)] = strings.TrimSpace(value)
			}
		}
		if fields["enabled"] == "no" || !slices.Contains(strings.Fields(fields["types"]), "deb") {
			continue
		}
		for _, uri := range strings.Fields(fields["uris"]) {
			for _, suite := range strings.Fields(fields["suites"]) {
				all = append(all, origin{uri, suite, fields["signed-by"]})
			}
		}
	}
	return all
}

const debianKeys = "/usr/share/keyrings/debian-archive-keyring.gpg"

// sourcesFor writes the sources of another release. Its suites are looked for
// where the machine's own release comes from: the archive, and the archive of
// security updates if the machine uses it. A release out of support is found
// there for some years.
func sourcesFor(r Release, machine []origin, codename string) (string, error) {
	main := slices.IndexFunc(machine, func(o origin) bool { return o.suite == codename })
	if codename == "" || main < 0 {
		return "", fmt.Errorf("no kernel %v: apt has no source for a Debian release %q here", r,
			codename)
	}
	var b strings.Builder
	stanza := func(o origin, suites ...string) {
		keys := o.signedBy
		if !strings.HasPrefix(keys, "/") { // none, or the release's own within the stanza
			keys = debianKeys
		}
		fmt.Fprintf(&b, "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n",
			o.uri, strings.Join(suites, " "), keys)
	}
	base := r.base().Suite
	suites := []string{base, base + "-updates"}
	if r.Suite != base {
		suites = append(suites, r.Suite)
	}
	stanza(machine[main], suites...)
	if security := slices.IndexFunc(machine,
		func(o origin) bool { return o.suite == codename+"-security" }); security >= 0 {
		stanza(machine[security], base+"-security")
	}
	return b.String(), nil
}
