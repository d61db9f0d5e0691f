// SPDX-License-Identifier: GPL-2.0-or-later

package need

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A recorder is a test of which only the end is of interest.
type recorder struct {
	testing.TB
	failed, skipped string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatal(a ...any) {
	r.failed = fmt.Sprint(a...)
	runtime.Goexit()
}

func (r *recorder) Skip(a ...any) {
	r.skipped = fmt.Sprint(a...)
	runtime.Goexit()
}

func (r *recorder) Fatalf(f string, a ...any) { r.Fatal(fmt.Sprintf(f, a...)) }
func (r *recorder) Skipf(f string, a ...any)  { r.Skip(fmt.Sprintf(f, a...)) }

func TestMissingToolsAreSkippedAndFailInCI(t *testing.T) {
	tools := func(t testing.TB) { Tools(t, "go", "klp-no-such-program") }
	lab := func(t testing.TB) { Lab(t, "no kernel") }
	for _, x := range []struct {
		ci, kernels     string
		end             func(testing.TB)
		skipped, failed string
	}{
		{"", "", tools, "not run: klp-no-such-program is not installed; make prerequisites", ""},
		{"", "6.1", tools, "not run: klp-no-such-program is not installed; make prerequisites", ""},
		{"true", "", tools, "", "CI=true, and this cannot run: klp-no-such-program is not " +
			"installed; make prerequisites"},
		{"", "", lab, "not run: no kernel", ""},
		{"true", "", lab, "", "CI=true, KLP_LAB_KERNELS or KLP_LAB_ROOT is set, and this cannot run: no kernel"},
		{"", "6.1", lab, "", "CI=true, KLP_LAB_KERNELS or KLP_LAB_ROOT is set, and this cannot run: no kernel"},
		{"true", "", func(t testing.TB) { Tools(t, "go") }, "", ""},
		{"true", "", func(t testing.TB) { Absent(t, "no such file") }, "not run: no such file", ""},
		{"true", "", func(t testing.TB) { Variable(t, "KLP_NO_SUCH", "make corpus") },
			"not run: KLP_NO_SUCH is not set; make corpus", ""},
		{"true", "6.1", func(t testing.TB) { Variable(t, "KLP_LAB_KERNELS", "make lab") }, "", ""},
	} {
		t.Setenv("CI", x.ci)
		t.Setenv("KLP_LAB_KERNELS", x.kernels)
		var r recorder
		done := make(chan struct{})
		go func() {
			defer close(done)
			x.end(&r)
		}()
		<-done
		assert.Equal(t, x.skipped, r.skipped)
		assert.Equal(t, x.failed, r.failed)
	}
}
