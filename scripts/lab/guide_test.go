// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import "testing"

// documents are those that are programs (document_test.go).
var documents = []string{"guide.md"}

func TestGuide(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		readDocument(t, w.root, "guide.md").run(t, w)
	})
}
