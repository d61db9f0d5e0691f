// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{7}, 7},
		{[]float64{9, 1}, 5},
		{[]float64{100, 1, 2}, 2},
		{[]float64{4, 1, 100, 2}, 3},
	} {
		given := append([]float64{}, c.values...)
		assert.Equal(t, c.want, median(c.values))
		assert.Equal(t, given, c.values, "their order is kept")
	}
}

func TestExponent(t *testing.T) {
	sizes := []int{1_000, 10_000, 100_000, 1_000_000}
	of := func(f func(n float64) float64) []float64 {
		var values []float64
		for _, n := range sizes {
			values = append(values, f(float64(n)))
		}
		return values
	}
	for _, c := range []struct {
		name string
		f    func(n float64) float64
		want float64
	}{
		{"constant", func(float64) float64 { return 3 }, 0},
		{"linear", func(n float64) float64 { return 2e-6 * n }, 1},
		{"square", func(n float64) float64 { return 5 * n * n }, 2},
		{"root", math.Sqrt, 0.5},
	} {
		assert.InDelta(t, c.want, exponent(sizes, of(c.f)), 1e-9, c.name)
	}
	// By least squares: not the slope between the ends, which is 1 here.
	assert.InDelta(t, 0.9, exponent([]int{1, 10, 100, 1000}, []float64{1, 100, 100, 1000}), 1e-9)
}

// runs are runs of so many seconds.
func runs(seconds ...float64) []Usage {
	var all []Usage
	for _, s := range seconds {
		d := time.Duration(s * float64(time.Second))
		all = append(all, Usage{CPU: d, Wall: 2 * d, Memory: int64(s * 1e6)})
	}
	return all
}

func TestRatioIsOfPairs(t *testing.T) {
	// The machine is slow in the second round: for both.
	ours, theirs := runs(1, 30, 3), runs(2, 60, 4)
	assert.InDelta(t, 0.5, ratio(ours, theirs, cpu), 1e-9)
	assert.InDelta(t, 3.0, middle(ours, cpu), 1e-9)
	assert.InDelta(t, 6.0, middle(ours, wall), 1e-9)
	assert.InDelta(t, 3e6, middle(ours, memory), 1e-9)
}

func TestGrowth(t *testing.T) {
	series := [][]Usage{runs(1), runs(1), runs(10, 1000, 1)}
	all, end := growth([]int{10, 100, 1000}, series, cpu)
	assert.InDelta(t, 0.5, all, 1e-9)
	assert.InDelta(t, 1.0, end, 1e-9)
}
