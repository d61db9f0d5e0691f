// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"runtime"
	"strconv"
)

// A Limit is what is asked of a line.
type Limit struct {
	Most float64
	Unit string // of Most and of what value returns, with what it is of: "× its CPU"
	// value returns what was measured of a line that was run.
	value func(a *Answer) float64
}

// Reached returns what was measured, and whether the limit is kept.
func (l *Limit) Reached(a *Answer) (value float64, kept bool) {
	value = l.value(a)
	return value, value <= l.Most
}

// measured writes the value, with more digits where it would read like the limit that it is
// above.
func (l *Limit) measured(a *Answer) (text string, kept bool) {
	value, kept := l.Reached(a)
	if text = number(value); !kept && text == number(l.Most) {
		text = strconv.FormatFloat(value, 'g', 6, 64)
	}
	return text, kept
}

func (l *Limit) String() string { return fmt.Sprintf("%s %s", number(l.Most), l.Unit) }

// cpuTimes limits processor time to so many times theirs.
func cpuTimes(most float64) Limit {
	return Limit{most, "× CPU", func(a *Answer) float64 {
		return ratio(last(a.Ours), last(a.Theirs), cpu)
	}}
}

// cpuSeconds limits processor time.
func cpuSeconds(most float64) Limit {
	return Limit{most, "s CPU", func(a *Answer) float64 { return middle(last(a.Ours), cpu) }}
}

// wallMilliseconds limits the time that somebody waits.
func wallMilliseconds(most float64) Limit {
	return Limit{most, "ms wall", func(a *Answer) float64 {
		return 1e3 * middle(last(a.Ours), wall)
	}}
}

// moreMilliseconds limits the processor time that is used beyond theirs.
func moreMilliseconds(most float64) Limit {
	return Limit{most, "ms CPU more", func(a *Answer) float64 {
		more := each(last(a.Ours), cpu)
		for i, t := range each(last(a.Theirs), cpu) {
			more[i] = 1e3 * (more[i] - t)
		}
		return median(more)
	}}
}

// shared limits the time that somebody waits to so many times their processor time, divided
// among all processors.
func shared(most float64) Limit {
	return Limit{most, "× its CPU / processors", func(a *Answer) float64 {
		all := each(last(a.Ours), wall)
		for i, t := range each(last(a.Theirs), cpu) {
			all[i] *= float64(runtime.NumCPU()) / t
		}
		return median(all)
	}}
}

// megabytes limits memory.
func megabytes(most float64) Limit {
	return Limit{most, "MB", func(a *Answer) float64 {
		return middle(last(a.Ours), memory) / 1e6
	}}
}

// files limits memory to so many times the size of the file.
func files(most float64) Limit {
	return Limit{most, "× file in memory", func(a *Answer) float64 {
		return middle(last(a.Ours), memory) / float64(a.Input)
	}}
}

// constant limits memory for the largest size to so many times that for the size before it.
func constant(most float64) Limit {
	return Limit{most, "× memory of the size before", func(a *Answer) float64 {
		before := a.Ours[len(a.Ours)-2]
		return middle(last(a.Ours), memory) / middle(before, memory)
	}}
}
