// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"math"

	"golang.org/x/exp/slices"
)

// median returns the value in the middle, or the mean of the two that are there. It keeps the
// order of values, of which there is at least one.
func median(values []float64) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// exponent returns the slope of the line through the points (log size, log value) that least
// squares give. If a value is proportional to the e-th power of its size, that is e: 1 is
// linear. There are at least two different sizes.
func exponent(sizes []int, values []float64) float64 {
	var meanX, meanY float64
	n := float64(len(sizes))
	for i := range sizes {
		meanX += math.Log(float64(sizes[i])) / n
		meanY += math.Log(values[i]) / n
	}
	var xy, xx float64
	for i := range sizes {
		x := math.Log(float64(sizes[i])) - meanX
		xy += x * (math.Log(values[i]) - meanY)
		xx += x * x
	}
	return xy / xx
}

// quantity is what is looked at of a run.
type quantity func(Usage) float64

func cpu(u Usage) float64    { return u.CPU.Seconds() }
func wall(u Usage) float64   { return u.Wall.Seconds() }
func memory(u Usage) float64 { return float64(u.Memory) }

// each returns the quantity of each run.
func each(runs []Usage, q quantity) []float64 {
	all := make([]float64, len(runs))
	for i, u := range runs {
		all[i] = q(u)
	}
	return all
}

// middle returns the median of the quantity.
func middle(runs []Usage, q quantity) float64 { return median(each(runs, q)) }

// ratio returns the median of the ratios of pairs: a run of ours, and the one of theirs in the
// same round.
func ratio(ours, theirs []Usage, q quantity) float64 {
	all := each(ours, q)
	for i, t := range each(theirs, q) {
		all[i] /= t
	}
	return median(all)
}

// last is the runs of the largest size.
func last(series [][]Usage) []Usage { return series[len(series)-1] }

// growth returns the exponent of the quantity over all sizes, and over the last two.
func growth(sizes []int, series [][]Usage, q quantity) (all, end float64) {
	var values []float64
	for _, runs := range series {
		values = append(values, middle(runs, q))
	}
	n := len(sizes)
	return exponent(sizes, values), exponent(sizes[n-2:], values[n-2:])
}
