// SPDX-License-Identifier: GPL-2.0-or-later

// Package docs has no code. errors.md and messages.md here are made of klpreloc/diag,
// klpreloc/explain and examples; tests compare all pages with the program.
package docs

//go:generate go run ./generate
