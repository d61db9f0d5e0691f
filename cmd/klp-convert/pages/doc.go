// SPDX-License-Identifier: GPL-2.0-or-later

// Package pages has the program's memory made of huge pages, by advice to the system, which
// changes nothing but time. A conversion of a small module is over before 400 pages of 4 KiB,
// which the Go runtime, initialisers of packages, and the work itself touch, are worth their
// page faults: where these are expensive (virtual machines), they were a third of the processor
// time. Elsewhere one huge page costs what they do.
package pages
