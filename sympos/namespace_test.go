// SPDX-License-Identifier: GPL-2.0-or-later

package sympos_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/sympos"
)

// The rows are what verify_module_namespace of kernel/module/main.c (7.3.4), compiled
// on its own, said of the same strings.
func TestModuleNamespaces(t *testing.T) {
	for _, test := range []struct {
		namespace, module string
		offered           bool
	}{
		// The example of Documentation/core-api/symbol-namespaces.rst.
		{"module:kvm,kvm-*", "kvm", true},
		{"module:kvm,kvm-*", "kvm_intel", true},
		{"module:kvm,kvm-*", "kvm-intel", true},
		{"module:kvm,kvm-*", "kvm_", true},
		{"module:kvm,kvm-*", "kvmgt", false},
		{"module:kvm,kvm-*", "xkvm", false},
		{"module:kvm,kvm-*", "", false},
		// '-' and '_' on either side, with a '*' and without.
		{"module:kvm_*", "kvm-intel", true},
		{"module:nf-nat", "nf_nat", true},
		{"module:nf_nat", "nf-nat", true},
		{"module:a-b_c*", "a_b-c_d", true},
		// Lengths.
		{"module:kvm", "kv", false},
		{"module:kvm", "kvm_intel", false},
		{"module:kvm*", "kvm", true},
		{"module:kvm*", "kv", false},
		{"module:*", "anything", true},
		{"module:*", "", true},
		// A '*' elsewhere is a letter.
		{"module:k*m", "kvm", false},
		{"module:k*m", "k*m", true},
		{"module:kvm**", "kvm_intel", false},
		{"module:kvm**", "kvm*x", true},
		{"module:*kvm", "xkvm", false},
		// Empty patterns.
		{"module:", "kvm", false},
		{"module:", "", false},
		{"module:,", "kvm", false},
		{"module:,kvm", "kvm", true},
		{"module:kvm,", "kvm", true},
		{"module:a*,,kvm", "kvm", true},
		{"module:a*,,kvm", "b", false},
		// Blanks belong to the pattern.
		{"module:a, kvm", "kvm", false},
		{"module:kvm ,a", "kvm", false},
		{"module: kvm", "kvm", false},
		{"module:kvm *", "kvm_intel", false},
		// Not of modules.
		{"KVM", "kvm", false},
		{"", "kvm", false},
		{"Module:kvm", "kvm", false},
		{"modules:kvm", "kvm", false},
	} {
		e := sympos.Export{Namespace: test.namespace}
		assert.Equal(t, test.offered, e.OfferedTo(test.module), "%q for %q", test.namespace,
			test.module)
	}
}

func TestNamespacesForModules(t *testing.T) {
	for namespace, only := range map[string]bool{"": false, "CRYPTO": false, "module:": true,
		"module:kvm": true} {
		_, got := sympos.Export{Namespace: namespace}.ForModules()
		assert.Equal(t, only, got, namespace)
	}
}
