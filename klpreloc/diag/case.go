// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// When is at what something happens, in the order of a livepatch's life.
type When int

// The times of a livepatch's life.
const (
	Loading  When = iota // insmod FILE, before its init function
	Enabling             // klp_enable_patch, from its init function
	Coming               // a livepatched module is loaded after FILE
	Calling              // the first time the code runs
	Again                // the livepatched module is loaded a second time
	Removing             // rmmod FILE, once it is disabled
)

func (w When) String() string {
	return [...]string{"loading", "enabling", "target", "call", "reload", "remove"}[w]
}

// MarshalText makes JSON say the word.
func (w When) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// KernelMessage is a line that the kernel prints.
type KernelMessage struct {
	Text    string `json:"text"`    // "…" for what is not known before
	Pattern string `json:"pattern"` // regular expression for the line
}

// Case is one time at which a cause has an effect on the kernel.
type Case struct {
	When When `json:"when"`
	// Object is the module that is loaded; at Enabling: the case happens if it is loaded by
	// then; at Loading: if it is not.
	Object   string          `json:"object,omitempty"`
	Messages []KernelMessage `json:"messages,omitempty"`
	Errno    string          `json:"errno,omitempty"` // of insmod, "" when it succeeds
}

// First returns when d has its first effect; Removing where it has none.
func (d *Diagnostic) First() When {
	w := Removing
	for _, c := range d.Cases {
		w = min(w, c.When)
	}
	return w
}

// KernelSays returns the first line that the kernel prints, or what it does instead.
func (d *Diagnostic) KernelSays() string {
	for _, c := range d.Cases {
		if len(c.Messages) > 0 {
			return c.Messages[0].Text
		}
	}
	if len(d.Cases) > 0 && d.Cases[0].Errno != "" {
		return "no message, " + d.Cases[0].Errno
	}
	return "no message: " + d.Message
}
