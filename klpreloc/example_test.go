// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"bytes"
	"fmt"
	"os"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
)

// A conversion: plan, apply, write, and prove what was written.
func Example() {
	in, err := os.ReadFile("../testdata/x86_64/livepatch-cmdline.ko")
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := elfrw.Parse("livepatch-cmdline.ko", in)
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, found := klpreloc.NewPlan(f, klpreloc.Options{})
	for _, d := range found {
		if d.Severity != diag.Note {
			fmt.Println(d.Severity, d, d.ID)
		}
	}
	if plan == nil {
		return
	}
	for _, m := range plan.Moves {
		fmt.Println(len(m.Relocs), "of", m.From, "to", m.Name)
	}
	for _, c := range plan.Symbols {
		fmt.Println(c.Symbol, "becomes", c.Name)
	}
	if err := plan.Apply(); err != nil {
		fmt.Println(err)
		return
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		fmt.Println(err)
		return
	}
	before, _ := elfrw.Parse("in", in)
	after, err := elfrw.Parse("out", out.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(proof.Check(before, after, plan.Claims, nil))
	// Output:
	// 1 of .rela.text to .klp.rela.vmlinux..text
	// saved_command_line becomes .klp.sym.vmlinux.saved_command_line,0
	// <nil>
}

// Describe reads what a module is, converted or not.
func ExampleDescribe() {
	in, err := os.ReadFile("../testdata/x86_64/livepatch-cmdline.ko")
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := elfrw.Parse("livepatch-cmdline.ko", in)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, _ := klpreloc.Describe(f)
	fmt.Println(d.Machine, d.State)
	for _, a := range d.Annotations {
		fmt.Println(a.Object, a.Name, a.Pos, a.Relocs)
	}
	// Output:
	// x86_64 annotated, not converted
	// vmlinux saved_command_line 0 1
}
