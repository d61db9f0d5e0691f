// SPDX-License-Identifier: GPL-2.0-or-later

// Package need ends tests that the machine cannot run, or that another make target runs.
// What a test needs is installed by make prerequisites; where it is missing the test is
// skipped with the reason, and with CI=true it fails, so that no test is left out silently.
package need

import (
	"os"
	"os/exec"
	"testing"
)

// Tools ends the test if one of the programs is not in PATH.
func Tools(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			Skip(t, name+" is not installed")
		}
	}
}

// Skip ends the test, because of something other than a program.
func Skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI=true, and this cannot run: %s; make prerequisites", why)
	}
	t.Skipf("not run: %s; make prerequisites", why)
}

// Long ends the test in make quick (-short), for which it takes too long.
func Long(t testing.TB, why string) {
	t.Helper()
	if testing.Short() {
		t.Skip("not run with -short (make quick): " + why)
	}
}

// Variable returns the value of an environment variable. If it is not set the test ends: what
// sets it runs the test.
func Variable(t testing.TB, name, what string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Skipf("not run: %s is not set; %s", name, what)
	}
	return value
}

// Absent ends the test, because of something that the machine or the kernel does not have and
// that cannot be installed.
func Absent(t testing.TB, why string) {
	t.Helper()
	t.Skip("not run: " + why)
}

// Lab ends a test of the kernel lab. It fails also where KLP_LAB_KERNELS or KLP_LAB_ROOT asks
// for kernels.
func Lab(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" || os.Getenv("KLP_LAB_KERNELS") != "" ||
		os.Getenv("KLP_LAB_ROOT") != "" {
		t.Fatal("CI=true, KLP_LAB_KERNELS or KLP_LAB_ROOT is set, and this cannot run: " + why)
	}
	t.Skip("not run: " + why)
}
