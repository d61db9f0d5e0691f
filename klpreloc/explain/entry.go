// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// Entry explains one message.
type Entry struct {
	// ID is the anchor in docs/messages.md, or the id of a diagnostic of
	// klp-convert. It stays.
	ID    string
	Forms []Form
	From  string // what prints it: a file of the kernel and a function, or a tool
	Means string
	// Causes are the likely ones, most likely first.
	Causes []Cause
	// Fine says that the message is good news.
	Fine bool
	// Weak says that the line alone does not show that it is about a livepatch: in a log
	// it is ignored unless another line does.
	Weak bool

	// Of klp-convert's own diagnostics.
	doc     string   // the document with the anchor; docs/messages.md when empty
	details []string // paragraphs that follow Means
	cases   []string // wordings or other cases, each with what it means
	see     []string // places in documents that say more
}

// Form is one wording of a message.
type Form struct {
	Text string // {name} is a placeholder; see pattern.go
	When string // kernels that print it, as dates.go reads them; "" where that is not known
}

// Cause is one reason for a message, and how to fix it.
type Cause struct {
	Why  string
	Fix  string
	Run  []string // commands or lines of code that can be pasted
	When string   // kernels on which it can be the cause, as dates.go reads them; "": all
	If   string   // a part of the message that makes it the likeliest cause; else it is the last
}

// Group is the messages of one program, or of one part of the kernel.
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
