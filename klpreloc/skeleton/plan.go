// SPDX-License-Identifier: GPL-2.0-or-later

package skeleton

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/cdecl"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/klpreloc/resolve"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// A Ref names a symbol of a kernel: OBJECT:NAME or OBJECT:NAME,POSITION.
type Ref struct {
	Object, Name string
	Position     int // 0: it must be the only one
}

// ParseRef reads a Ref.
func ParseRef(text string) (Ref, error) {
	object, name, ok := strings.Cut(text, ":")
	position := ""
	if i := strings.LastIndexByte(name, ','); i >= 0 {
		name, position = name[:i], name[i+1:]
	}
	r := Ref{Object: sympos.ModuleName(object), Name: name}
	switch {
	case !ok || object == "" || name == "":
		return r, fmt.Errorf("%q is not OBJECT:NAME (vmlinux:uptime_proc_show, ext4:ext4_stat)", text)
	case strings.HasSuffix(text, ","):
		return r, fmt.Errorf("%q has no position after the comma", text)
	case position != "":
		n, err := strconv.ParseUint(position, 10, 31)
		if err != nil || n < 1 {
			return r, fmt.Errorf("%q: the position is a number from 1 on", text)
		}
		r.Position = int(n)
	}
	return r, nil
}

func (r Ref) String() string {
	if r.Position > 0 {
		return fmt.Sprintf("%s:%s,%d", r.Object, r.Name, r.Position)
	}
	return r.Object + ":" + r.Name
}

// An Order is what is to be written.
type Order struct {
	// Name is the module's, as its file is called: livepatch-uptime.
	Name      string
	Functions []Ref // to replace
	Uses      []Ref // that the new functions use
	Kernel    *sympos.Kernel
}

// plan is what is known of what was ordered.
type plan struct {
	Order
	table     *sympos.Table
	types     *resolve.Types
	replacer  *loader.Replacer
	page      cdecl.Page
	functions []function
	uses      []use
	found     diag.Reporter
}

// A function is one that is replaced.
type function struct {
	Ref
	symbol  sympos.Symbol
	newName string
	head    string // of the definition
	result  string // what the body returns; "" for nothing
	origin  string // where the original is
	remarks []string
}

// A use is a symbol that the new functions use.
type use struct {
	Ref
	symbol   sympos.Symbol
	exported bool // an ordinary import: no annotation is needed
	declared bool // its type is known
}

// Write returns the text of a C file. It returns "" if there is an error among the
// diagnostics. The error is about the kernel's files, or the module's name.
func Write(o Order) (string, diag.List, error) {
	p := &plan{Order: o}
	if err := p.checkName(); err != nil {
		return "", nil, err
	}
	if err := p.read(); err != nil {
		return "", nil, err
	}
	defer p.types.Close()
	for i, r := range o.Functions {
		if slices.Index(o.Functions, r) == i {
			p.addFunction(r)
		}
	}
	for _, r := range o.Uses {
		p.addUse(r)
	}
	p.offerNear()
	copies := p.readCopies()
	p.offerCallers(copies)
	found := p.found.List()
	if found.Failed() {
		return "", found, nil
	}
	p.addOrigins(copies)
	declarations := p.declareUses()
	found = p.found.List()
	found.Sort()
	if found.Failed() {
		return "", found, nil
	}
	return p.format(declarations), found, nil
}

// read reads what the kernel has of the names.
func (p *plan) read() error {
	names := append(loader.ReplacerNames(), resolve.BoundNames()...)
	var objects []string
	for _, r := range append(slices.Clone(p.Functions), p.Uses...) {
		names, objects = append(names, r.Name), append(objects, r.Object)
	}
	objects = append(objects, sympos.Vmlinux)
	slices.Sort(objects)
	want := sympos.Names(names...)
	table, err := p.Kernel.Read(want, slices.Compact(objects)...)
	if err != nil {
		return err
	}
	p.table = table
	p.types = resolve.NewTypes(p.Kernel, table, want)
	p.replacer = loader.NewReplacer(p.Kernel, table)
	return nil
}

func (p *plan) refuse(r Ref, format string, args ...any) {
	p.found.AddFor(r.String(), diag.Errorf(diag.NotReplaceable, diag.Nowhere, r.String(), "%s: %s", r,
		fmt.Sprintf(format, args...)))
}

// lookUp returns the symbol that a Ref means. If there is no such one it says so.
func (p *plan) lookUp(r Ref) (sympos.Symbol, bool) {
	list := p.table.Lookup(r.Object, r.Name)
	switch n := len(list); {
	case n == 0 && !p.table.Has(r.Object):
		switch p.Kernel.Presence(r.Object) {
		case sympos.BuiltIn:
			p.refuse(r, "%s is part of the kernel: vmlinux:%s", r.Object, r.Name)
		case sympos.Present:
			p.refuse(r, "the file of %s can't be read", r.Object)
		default:
			p.refuse(r, "no module %s is known: --module FILE", r.Object)
		}
	case n == 0:
		why := ""
		if types, err := p.types.Of(r.Object); err == nil {
			if known, _ := types.Functions(r.Name); len(known) > 0 {
				why = ": its types have one, so all of its calls were inlined, or gcc renamed it"
			}
		}
		p.found.AddFor(r.String(), diag.Errorf(diag.NotReplaceable, diag.Nowhere, r.String(),
			"%s: %s has no symbol %s%s", r, r.Object, r.Name, why))
	case r.Position > n:
		p.refuse(r, "%s has %d symbols %s", r.Object, n, r.Name)
	case n > 1 && r.Position == 0:
		var lines [][2]string
		for i, s := range list {
			lines = append(lines, [2]string{Ref{r.Object, r.Name, i + 1}.String(), resolve.Facts(s)})
		}
		p.found.Add(diag.Errorf(diag.NotReplaceable, diag.Nowhere, r.String(),
			"%s: %d symbols of %s have the name: choose one", r, n, r.Object).
			WithHints(aligned(lines)...))
	case r.Position > 0 && list[r.Position-1].Position == 0:
		p.refuse(r, "the files of the kernel do not tell the order of its symbols")
	default:
		return list[max(r.Position, 1)-1], true
	}
	return sympos.Symbol{}, false
}

// offerNear adds to the refusals of names that do not exist what could have been meant.
func (p *plan) offerNear() {
	var sought []resolve.Sought
	var refs []Ref
	for _, r := range append(slices.Clone(p.Functions), p.Uses...) {
		if p.table.Has(r.Object) && len(p.table.Lookup(r.Object, r.Name)) == 0 {
			sought = append(sought, resolve.Sought{Object: r.Object, Name: r.Name})
			refs = append(refs, r)
		}
	}
	if len(sought) == 0 {
		return
	}
	lists, _ := resolve.NearMisses(p.Kernel, p.table, sought...)
	for i, list := range lists {
		var lines [][2]string
		for _, x := range list {
			position, ok := x.Chosen()
			if ok {
				lines = append(lines, [2]string{Ref{x.Object, x.Name, position}.String(), x.Why})
			}
		}
		p.found.AddHints(diag.NotReplaceable, refs[i].String(), aligned(lines)...)
	}
}

// aligned returns a line for each row, the second column aligned.
func aligned(rows [][2]string) (lines []string) {
	width := 0
	for _, r := range rows {
		width = max(width, len(r[0]))
	}
	for _, r := range rows {
		lines = append(lines, diag.Printable(fmt.Sprintf("%-*s   %s", width, r[0], r[1])))
	}
	return lines
}

// addFunction checks a function, and makes its definition.
func (p *plan) addFunction(r Ref) {
	s, ok := p.lookUp(r)
	if !ok {
		return
	}
	if len(p.table.Lookup(r.Object, r.Name)) == 1 {
		r.Position = 0
	}
	if p.replaces(r) {
		return
	}
	if !strings.ContainsRune("tTwW\x00", rune(s.Type)) {
		p.refuse(r, "it is data, not a function")
		return
	}
	if why, _ := p.replacer.WhyNot(r.Object, r.Name, r.Position); why != "" {
		p.refuse(r, "%s: replace a function that calls it, and is not inlined", why)
		return
	}
	if !ctypes.IsIdentifier(r.Name) {
		p.refuse(r, "the compiler made this function of another one, with other parameters: replace "+
			"a function that calls it")
		return
	}
	types, err := p.types.Of(r.Object)
	if err != nil {
		p.found.Add(diag.Errorf(diag.NoTypes, diag.Nowhere, r.String(),
			"%s: its parameters are not known: %v", r, err))
		return
	}
	f := function{Ref: r, symbol: s, newName: p.newName(r)}
	list, err := resolve.FunctionsOf(types, r.Name, s)
	seen := map[string]bool{}
	for _, t := range list {
		var page cdecl.Page
		head, result, remarks, failed := page.Definition(f.newName, t)
		if failed != nil {
			err = failed
			continue
		}
		if len(seen) == 0 {
			f.head, f.result, f.remarks, f.origin = head, result, remarks, t.File
		}
		seen[head] = true
	}
	switch {
	case len(seen) > 1:
		p.found.Add(diag.Errorf(diag.NoTypes, diag.Nowhere, r.String(),
			"%s: functions of that name have %d prototypes, and %s does not tell whose is which",
			r, len(seen), types.Format))
		return
	case len(seen) == 0 && err != nil:
		p.found.Add(diag.Errorf(diag.NoTypes, diag.Nowhere, r.String(), "%s: %v", r, err))
		return
	case len(seen) == 0:
		p.found.Add(diag.Errorf(diag.NoTypes, diag.Nowhere, r.String(),
			"%s: its parameters are not in the %s of %s", r, types.Format, types.Name))
		return
	}
	for _, t := range list {
		if _, _, _, err := p.page.Definition(f.newName, t); err == nil {
			p.page.IncludeStructs(t)
			break
		}
	}
	if types.Format == "BTF" && len(p.table.Lookup(r.Object, r.Name)) > 1 {
		f.remarks = append(f.remarks,
			"BTF has the types of one function of that name: compare with the source")
	}
	p.functions = append(p.functions, f)
}

// addUse looks a symbol up that the new functions use.
func (p *plan) addUse(r Ref) {
	s, ok := p.lookUp(r)
	if !ok {
		return
	}
	if len(p.table.Lookup(r.Object, r.Name)) == 1 {
		r.Position = 0
	}
	if !ctypes.IsIdentifier(r.Name) {
		p.refuse(r, "its name is no identifier of C")
		return
	}
	if slices.ContainsFunc(p.uses, func(u use) bool { return u.Ref == r }) || !p.isNameable(r) {
		return
	}
	if r.Object != sympos.Vmlinux && !slices.ContainsFunc(p.Functions, func(f Ref) bool {
		return f.Object == r.Object
	}) {
		p.refuse(r, "a symbol of %s can be used once a function of %s is replaced: the kernel "+
			"resolves it when that module is loaded", r.Object, r.Object)
		return
	}
	exported := r.Object == sympos.Vmlinux &&
		slices.ContainsFunc(p.table.Exports(r.Name), func(e sympos.Export) bool {
			return e.Object == sympos.Vmlinux && e.Namespace == ""
		})
	p.uses = append(p.uses, use{r, s, exported, false})
}

// declareUses returns the declarations of the symbols that are used.
func (p *plan) declareUses() string {
	var wanted []resolve.Wanted
	for _, u := range p.uses {
		wanted = append(wanted, resolve.Wanted{Name: u.Name, List: []sympos.Symbol{u.symbol}})
	}
	text, declared, found := resolve.Declare(&p.page, p.types, wanted)
	for i := range p.uses {
		p.uses[i].declared = declared[p.uses[i].Name]
	}
	for _, d := range found {
		d.Severity = diag.Error // without a declaration the file does not compile
		p.found.Add(d)
	}
	return text
}
