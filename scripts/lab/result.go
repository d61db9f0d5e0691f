// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"golang.org/x/exp/slices"
)

// A Result is the verdict on one step, as the agent in the guest wrote it.
type Result struct {
	Step   int      `json:"step"`
	Cmd    string   `json:"cmd"`
	Status int      `json:"status"` // exit status; 128+n when signal n ended it
	Out    string   `json:"out"`    // stdout and stderr
	Dmesg  []string `json:"dmesg"`  // what the kernel logged meanwhile, one message each
	Took   float64  `json:"took"`   // seconds
}

// Ok tells whether the step exited 0.
func (r Result) Ok() bool { return r.Status == 0 }

// Log is the kernel's log of the step as one text.
func (r Result) Log() string { return strings.Join(r.Dmesg, "\n") }

// oops is how the report of a fault of the kernel's own begins: on x86_64, and by die() of
// s390x (with the number in brackets), ppc64le, arm64 and loongarch64.
var oops = regexp.MustCompile(`^(BUG: |Oops: |general protection fault|Internal error: |Oops\[#\d+\]|` +
	`Unable to handle kernel |CPU \d+ Unable to handle kernel |` +
	`.*: [0-9a-f]{4} ilc:\d \[#\d+\])`)

// Oopsed tells whether the kernel reported a fault of its own during the step.
func (r Result) Oopsed() bool { return slices.ContainsFunc(r.Dmesg, oops.MatchString) }

// Unpack returns the file that the step printed with the agent's command pack.
func (r Result) Unpack() ([]byte, error) {
	packed, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(r.Out)))
	if err != nil {
		return nil, fmt.Errorf("step %d: %w", r.Step, err)
	}
	return io.ReadAll(packed)
}

func (r Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "step %d: %s\n    status %d after %.1f s\n", r.Step, r.Cmd, r.Status, r.Took)
	for _, line := range strings.Split(strings.TrimRight(r.Out, "\n"), "\n") {
		fmt.Fprintf(&b, "    | %s\n", line)
	}
	for _, line := range r.Dmesg {
		fmt.Fprintf(&b, "    # %s\n", line)
	}
	return b.String()
}

// A Run is what came of one boot.
type Run struct {
	Steps   []Result // those that ended, in order
	Done    bool     // the agent reached the end of the list
	Release string   // uname -r of the kernel that ran
	Took    float64  // seconds from the start of QEMU to its end
	Stopped bool     // it was this side that ended QEMU: the context or BootLimit
}

func (r *Run) String() string {
	var b strings.Builder
	for _, s := range r.Steps {
		b.WriteString(s.String())
	}
	if !r.Done {
		fmt.Fprintf(&b, "no verdict after step %d: the kernel died or the time ran out\n",
			len(r.Steps)-1)
	}
	return b.String()
}

// parseRun reads what the agent wrote on its serial port: one JSON object a
// line. A last line that is cut off is left out: the kernel died while it was
// being written.
func parseRun(wire []byte) (*Run, error) {
	run := &Run{}
	lines := bufio.NewScanner(bytes.NewReader(wire))
	lines.Buffer(nil, len(wire)+1)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var m struct {
			Result
			Hello string `json:"hello"`
			Done  bool   `json:"done"`
			Over  bool   `json:"over"`
		}
		if err := json.Unmarshal(line, &m); err != nil {
			if !bytes.HasSuffix(wire, []byte("\n")) && !lines.Scan() {
				break
			}
			return nil, fmt.Errorf("verdict line %q: %w", line, err)
		}
		switch {
		case m.Hello != "":
			run.Release = m.Hello
		case m.Done:
			run.Done = true
		case m.Over:
		case m.Step != len(run.Steps):
			return nil, fmt.Errorf("verdict on step %d where step %d was due", m.Step,
				len(run.Steps))
		default:
			run.Steps = append(run.Steps, m.Result)
		}
	}
	return run, lines.Err()
}
