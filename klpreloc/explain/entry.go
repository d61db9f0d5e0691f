// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// Entry explains one message.
type Entry struct {
	// ID is the anchor in docs/messages.md, or the id of a diagnostic of
	// klp-convert. It stays.
	ID    string
	Forms []Form
	From  string // who says it: a file of the kernel and a function, or a tool
	Means string
	// Causes are the likely ones, most likely first.
	Causes []Cause
	// Fine says that the message is good news.
	Fine bool
	// Weak says that the line alone does not tell that it is about a
	// livepatch: in a log it is passed over when nothing else is.
	Weak bool

	// Of klp-convert's own diagnostics.
	doc     string   // the document with the anchor; docs/messages.md when empty
	details []string // paragraphs that follow Means
	cases   []string // wordings or other cases, each with what it means
	see     []string // places in documents that say more
}

// Form is one wording of a message.
type Form struct {
	Text string // {name} stands for what varies; see pattern.go
	When string // kernels that print it, as dates.go reads them; empty where that says nothing
}

// Cause is one reason for a message, and what mends it.
type Cause struct {
	Why  string
	Fix  string
	Run  []string // commands or lines of code that can be pasted
	When string   // kernels on which it can be the cause, as dates.go reads them; empty: all
	If   string   // what in the message makes it the likeliest; without that it is the least likely
}

// Group is the messages of one speaker.
type Group struct {
	Title   string
	Entries []Entry
}

// Groups returns the table in the order of docs/messages.md. It must not be
// changed.
func Groups() []Group {
	return []Group{
		{"The kernel: livepatch", livepatch},
		{"The kernel: module loader", loader},
		{"The kernel: relocations, by machine", machines},
		{"The kernel: warnings and oopses", traces},
		{"The kernel: mitigations", hardening},
		{"insmod, modprobe, rmmod", userspace},
		{"modpost and the build", build},
		{"objtool", objtool},
		{"The linker", linker},
		{"pahole and resolve_btfids", btf},
		{"Other tools for livepatches", tools},
	}
}
