// SPDX-License-Identifier: GPL-2.0-or-later

package matrix

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// Baseline is what came of the comparison with an earlier log.
type Baseline struct {
	File  string
	Known int // findings of cells that it has; notes do not count
	// Gone are its results that their cells do not have any more.
	Gone []SARIFResult
	// Elsewhere counts its results of modules and kernels that were not checked now.
	Elsewhere int
}

var hexadecimal = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`0x[0-9a-fA-F]+`)
})

// fingerprint gives each finding of each cell a fingerprint. The second one of a cell that
// would have the same gets another, and so on.
func (m *Matrix) fingerprint() {
	for i, row := range m.Cells {
		for k := range row {
			c := &row[k]
			seen := map[string]int{}
			for n := range c.Marks {
				f := &c.Findings[n]
				base := fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%s", f.ID, m.Modules[i].Label,
					m.Kernels[k].Label, f.Symbol, hexadecimal().ReplaceAllString(f.Message, "0x"))
				seen[base]++
				sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", base, seen[base]))
				c.Marks[n].Fingerprint = fmt.Sprintf("%x", sum[:12])
			}
		}
	}
}

// ReadBaseline reads a log that SARIF made. It returns the results that were there then.
func ReadBaseline(b []byte) ([]SARIFResult, error) {
	var log SARIFLog
	if err := json.Unmarshal(b, &log); err != nil {
		return nil, fmt.Errorf("not a SARIF log: %w", err)
	}
	if log.Version != sarifVersion || len(log.Runs) != 1 {
		return nil, errors.New("not a SARIF 2.1.0 log of one run: make it with klp-convert check --sarif")
	}
	var all []SARIFResult
	for _, r := range log.Runs[0].Results {
		switch {
		case r.State == stateAbsent:
		case r.Fingerprint() == "" || r.Module() == "" || r.Kernel() == "":
			return nil, errors.New("it has results without fingerprint, module and kernel: " +
				"make it with klp-convert check --sarif")
		default:
			all = append(all, r)
		}
	}
	return all, nil
}

// Compare marks the findings that the results of the file have.
func (m *Matrix) Compare(file string, results []SARIFResult) {
	before := map[string]bool{}
	for i := range results {
		before[results[i].Fingerprint()] = true
	}
	m.Baseline = &Baseline{File: file}
	now, cells := map[string]bool{}, map[[2]string]bool{}
	at := make([]int, len(m.Findings)) // the next of each finding's cells
	for i, row := range m.Cells {
		for k := range row {
			c := &row[k]
			cells[[2]string{m.Modules[i].Label, m.Kernels[k].Label}] = true
			for n := range c.Marks {
				mark := &c.Marks[n]
				now[mark.Fingerprint] = true
				mark.Known = before[mark.Fingerprint]
				if mark.Known && c.Findings[n].Severity == diag.Error {
					m.Baseline.Known++
				}
				// merge added them in this order.
				f := &m.Findings[mark.Finding]
				f.Cells[at[mark.Finding]].Known = mark.Known
				at[mark.Finding]++
			}
		}
	}
	for _, r := range results {
		switch {
		case !cells[[2]string{r.Module(), r.Kernel()}]:
			m.Baseline.Elsewhere++
		case !now[r.Fingerprint()]:
			m.Baseline.Gone = append(m.Baseline.Gone, r)
		}
	}
}
