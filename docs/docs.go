// SPDX-License-Identifier: GPL-2.0-or-later

// Package docs holds the documents that the program quotes.
package docs

import _ "embed"

// Errors is errors.md: what each diagnostic means, one section an id.
//
//go:embed errors.md
var Errors string
