// SPDX-License-Identifier: GPL-2.0-or-later

// Command convertall converts many modules in one process, as klp-convert converts each. It
// is for TestBrokenFunctions, which builds it with one function broken.
//
//	convertall < jobs.json > results.json
//
// Jobs are a JSON list; each has a module, a list of a kernel's symbols or "", and the output.
// A result says what became of the job. Nothing is written but by a status of Converted or
// Copied.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
	"github.com/klp-convert/klp-convert/sympos"
)

// Job is a module to convert, with the symbols of a kernel and a module of it, and a list of
// annotations; "" for none.
type Job struct{ Module, Symbols, Target, List, Output string }

// Result is what became of a job: converted, copied, refused, not proven, or panicked.
type Result struct{ Status, Message string }

func main() {
	log.SetFlags(0)
	var jobs []Job
	if err := json.NewDecoder(os.Stdin).Decode(&jobs); err != nil {
		log.Fatal(err)
	}
	results := make([]Result, len(jobs))
	for i, j := range jobs {
		results[i] = run(j)
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		log.Fatal(err)
	}
}

// run does a job. A panic ends klp-convert before it has written anything.
func run(j Job) (r Result) {
	defer func() {
		if x := recover(); x != nil {
			r = Result{"panicked", fmt.Sprint(x)}
		}
	}()
	b, err := os.ReadFile(j.Module)
	if err != nil {
		return Result{"unread", err.Error()}
	}
	status, message, out := convert(b, j)
	if out != nil {
		if err := os.WriteFile(j.Output, out, 0o644); err != nil {
			return Result{"unwritten", err.Error()}
		}
	}
	return Result{status, message}
}

// convert does what the command does between reading and writing.
func convert(b []byte, j Job) (status, message string, out []byte) {
	f, err := elfrw.Parse("", b)
	if err != nil {
		return "refused", err.Error(), nil
	}
	o, err := options(j)
	if err != nil {
		return "refused", err.Error(), nil
	}
	plan, found := klpreloc.NewPlan(f, o)
	switch {
	case found.Failed():
		return "refused", fmt.Sprint(found), nil
	case plan.Empty():
		return "copied", "", b
	}
	if err := plan.Apply(); err != nil {
		return "refused", err.Error(), nil
	}
	out, err = f.Bytes()
	if err != nil {
		return "refused", err.Error(), nil
	}
	if err := prove(b, out, plan.Claims); err != nil {
		return "not proven", err.Error(), nil
	}
	return "converted", "", out
}

func prove(before, after []byte, claims proof.Claims) error {
	f, err := elfrw.Parse("", before)
	if err != nil {
		return err
	}
	g, err := elfrw.Parse("", after)
	if err != nil {
		return err
	}
	return proof.Check(f, g, claims, nil)
}

func options(j Job) (o klpreloc.Options, err error) {
	if j.List != "" {
		o.Lists = []annotation.List{{Name: "list", Text: []byte(j.List)}}
	}
	switch {
	case j.Symbols != "":
		b, err := os.ReadFile(j.Symbols)
		if err != nil {
			return o, err
		}
		s, err := sympos.New("kernel", bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return o, err
		}
		o.Kernel = sympos.NewKernel("kernel", s)
	case j.Target != "":
		o.Kernel = sympos.NewKernel("kernel")
		return o, o.Kernel.AddModules(j.Target)
	}
	return o, nil
}
