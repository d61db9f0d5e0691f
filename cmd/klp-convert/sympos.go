// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/resolve"
	"github.com/klp-convert/klp-convert/sympos"
)

func newSymposCommand(o *options) *cobra.Command {
	var (
		flags kernelFlags
		json  bool
		asked []query
	)
	cmd := &cobra.Command{
		Use:   "sympos [flags] NAME[@OBJECT]...",
		Short: "Show the positions of symbols of the same name",
		Long: `Show the symbols of a kernel that have a name, and the position of each, which
KLP_SYMPOS and KLP_RELOC_SYMBOL_POS take. Without @OBJECT, vmlinux and all
modules are searched. A regular expression is written between slashes.

` + kernelHelp + `

Without --kernel, the running kernel is searched; with --module alone, only
those modules. Several --kernel are compared, position by position: "!" marks
one that is a different symbol, "?" one that may be.

--json prints an array of {kernel, object, name, position, address, size, type,
file}; position and address are null where they are not known, and doubt
says why a list that they are from may not be whole.

Exit status 1 when a name is not found.`,
		Example: `  klp-convert sympos name_show
  klp-convert sympos 'name_show@vmlinux' helper@ext4 --kernel 6.1.0-56-amd64
  klp-convert sympos '/^ext4_.*_show$/@ext4' -k vmlinuz,ext4.ko
  klp-convert sympos name_show@vmlinux -k 6.1.0-50-amd64 -k 6.1.0-56-amd64
  klp-convert sympos --json name_show | jq '.[] | select(.object == "vmlinux")'`,
		Args: func(_ *cobra.Command, args []string) (err error) {
			if len(args) == 0 {
				return usagef("sympos takes names of symbols: klp-convert sympos NAME[@OBJECT]...")
			}
			for _, a := range args {
				q, err := newQuery(a)
				if err != nil {
					return err
				}
				asked = append(asked, q)
			}
			return o.common()
		},
		ValidArgsFunction: completeObjects,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(flags.kernels) == 0 && len(flags.modules) == 0 {
				flags.kernels = []string{"running"}
			}
			kernels, err := flags.find()
			if err != nil {
				return err
			}
			s := search{asked: asked, stderr: cmd.ErrOrStderr(), options: o}
			for i, k := range kernels {
				showProgress(k, nth(i, len(kernels)), cmd.ErrOrStderr(), o)
				if err := s.read(k); err != nil {
					return err
				}
			}
			s.label()
			absent := s.find()
			if json {
				err = writeJSON(cmd.OutOrStdout(), s.list())
			} else {
				err = s.write(cmd.OutOrStdout())
			}
			if err == nil && absent {
				err = errReported
			}
			return err
		},
	}
	cmd.Flags().SortFlags = false
	flags.register(cmd)
	cmd.Flags().BoolVar(&json, "json", false, "print a JSON array of what was found")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "print on stderr which files were used")
	return cmd
}

// A query is one NAME[@OBJECT].
type query struct {
	arg    string
	name   string         // "" when there is a pattern
	match  *regexp.Regexp // of /…/
	object string         // "" for all
}

func newQuery(arg string) (query, error) {
	q := query{arg: arg, name: arg}
	at := strings.LastIndexByte(arg, '@')
	if end := strings.LastIndexByte(arg, '/'); at < end {
		at = -1 // of a regular expression
	}
	if at >= 0 {
		q.name, q.object = arg[:at], arg[at+1:]
		if q.object == "" {
			return q, usagef("%q names no object behind the @", arg)
		}
		q.object = sympos.ModuleName(q.object)
	}
	if q.name == "" {
		return q, usagef("%q names no symbol", arg)
	}
	if pattern, ok := strings.CutPrefix(q.name, "/"); ok {
		pattern, ok = strings.CutSuffix(pattern, "/")
		if !ok || pattern == "" {
			return q, usagef("%q: a regular expression stands between two slashes", arg)
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return q, usagef("%q: %v", arg, err)
		}
		q.name, q.match = "", re
	}
	return q, nil
}

func (q query) matches(name string) bool {
	return q.match == nil && name == q.name || q.match != nil && q.match.MatchString(name)
}

// wanted makes one Want of all queries.
func wanted(asked []query) sympos.Want {
	var (
		names    []string
		patterns []*regexp.Regexp
	)
	for _, q := range asked {
		if q.match != nil {
			patterns = append(patterns, q.match)
		} else {
			names = append(names, q.name)
		}
	}
	exact := sympos.Names(names...)
	return func(name []byte) bool {
		if exact(name) {
			return true
		}
		for _, p := range patterns {
			if p.Match(name) {
				return true
			}
		}
		return false
	}
}

// A search is what the command found so far.
type search struct {
	options *options
	asked   []query
	stderr  io.Writer
	kernels []*searched
	found   []finding
}

// searched is a kernel and what was read of it.
type searched struct {
	*sympos.Kernel
	title string // what to call it in a comparison and for programs
	label string // the same, on one line
	table *sympos.Table
}

// A group is the symbols of one name in one object, in each of the kernels.
type group struct {
	object, name string
	lists        [][]sympos.Symbol
}

// A finding is what was found for a query: by name and, of one name, vmlinux first.
type finding struct {
	query
	groups []group
}

// read reads a kernel as far as it is asked for.
func (s *search) read(k *sympos.Kernel) error {
	if s.options.verbose {
		noteKernel(s.stderr, k.Name, k.Notes)
	}
	warnKernel(s.stderr, k.Name, k.Warnings, s.options)
	objects, all := []string{}, false
	for _, q := range s.asked {
		all = all || q.object == ""
		if q.object != "" && !slices.Contains(objects, q.object) {
			objects = append(objects, q.object)
		}
	}
	read := k.Read
	if all {
		read = k.ReadAll
	}
	t, err := read(wanted(s.asked), objects...)
	if err != nil {
		return err
	}
	warnKernel(s.stderr, k.Name, t.Warnings, s.options)
	warnKernel(s.stderr, k.Name, append(slices.Clone(k.Incomplete), t.Incomplete()...), s.options)
	if s.options.verbose {
		noteKernel(s.stderr, k.Name, t.Notes)
		for _, w := range t.Sources {
			if w.Kind != sympos.ModuleFile {
				noteKernel(s.stderr, w.Source.String(), w.Notes)
			}
		}
	}
	s.kernels = append(s.kernels, &searched{Kernel: k, table: t})
	return nil
}

// label gives each kernel names that are its own: in JSON the release or what it was asked
// for by, in tables a short one.
func (s *search) label() {
	count := map[string]int{}
	var kernels []namedKernel
	for _, k := range s.kernels {
		count[k.Release]++
		kernels = append(kernels, namedKernel{k.Name, k.Release})
	}
	labels := kernelLabels(kernels)
	for i, k := range s.kernels {
		if k.title = k.Name; k.Release != "" && count[k.Release] == 1 {
			k.title = k.Release
		}
		k.label = labels[i]
	}
}

// find puts the symbols together that belong together, and says on stderr which
// are not there; then absent is true.
func (s *search) find() (absent bool) {
	type key struct{ object, name string }
	said := map[key]bool{} // by an earlier query
	var nowhere []absence
	for _, q := range s.asked {
		f := finding{query: q}
		at := map[key]int{}
		for i, k := range s.kernels {
			any := false
			objects := k.table.Objects()
			if q.object != "" {
				objects = []string{s.objectIn(k, q)}
			}
			for _, object := range objects {
				names := []string{q.name}
				if q.match != nil {
					names = k.table.Names(object)
				}
				for _, name := range names {
					list, id := k.table.Lookup(object, name), key{object, name}
					if !q.matches(name) || len(list) == 0 {
						continue
					}
					any = true
					if said[id] {
						continue
					}
					if _, known := at[id]; !known {
						at[id] = len(f.groups)
						f.groups = append(f.groups, group{object, name, make([][]sympos.Symbol, len(s.kernels))})
					}
					f.groups[at[id]].lists[i] = list
				}
			}
			if !any {
				nowhere = append(nowhere, absence{q, k})
			}
		}
		for id := range at {
			said[id] = true
		}
		slices.SortFunc(f.groups, func(a, b group) int {
			return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(moduleRank(a.object), moduleRank(b.object)), cmp.Compare(a.object, b.object))
		})
		s.found = append(s.found, f)
	}
	s.sayAbsent(nowhere)
	return len(nowhere) > 0
}

// An absence is a query of which a kernel has nothing.
type absence struct {
	query
	k *searched
}

// sayAbsent reports them, with what could have been meant. What is near to all names is
// read at once.
func (s *search) sayAbsent(nowhere []absence) {
	near := make([][]resolve.Near, len(nowhere))
	more := make([]int, len(nowhere))
	for _, k := range s.kernels {
		var names []resolve.Sought
		var at []int
		for i, a := range nowhere {
			if a.k == k && a.match == nil {
				names, at = append(names, resolve.Sought{Object: a.object, Name: a.name}), append(at, i)
			}
		}
		if len(names) == 0 {
			continue
		}
		lists, counts := resolve.NearMisses(k.Kernel, k.table, names...)
		for i := range lists {
			near[at[i]], more[at[i]] = lists[i], counts[i]
		}
	}
	for i, a := range nowhere {
		s.sayNothing(a.k, a.query)
		var rows [][2]string
		for _, x := range near[i] {
			rows = append(rows, [2]string{clean(x.Name) + "@" + clean(x.Object), clean(x.Why)})
		}
		for _, line := range resolve.Aligned(rows) {
			fmt.Fprintf(s.stderr, "    %s\n", line)
		}
		if more[i] > 0 {
			fmt.Fprintf(s.stderr, "    and %d more that are no nearer\n", more[i])
		}
	}
}

func moduleRank(object string) int {
	if object == sympos.Vmlinux {
		return 0
	}
	return 1
}

// objectIn is the object that a query means in a kernel: vmlinux for a module that
// is part of it.
func (s *search) objectIn(k *searched, q query) string {
	if k.Presence(q.object) == sympos.BuiltIn && !k.table.Has(q.object) {
		fmt.Fprintf(s.stderr, "%s: note: klp-convert: %s is built in: its symbols are in vmlinux\n", oneLine(k.Name), q.object)
		return sympos.Vmlinux
	}
	return q.object
}

// sayNothing says that a kernel has nothing of what a query asks for.
func (s *search) sayNothing(k *searched, q query) {
	where := "in " + q.object
	switch {
	case q.object == "":
		where = "in " + everyObject(k.table)
	case !k.table.Has(q.object):
		switch k.Presence(q.object) {
		case sympos.BuiltIn:
			where = "in vmlinux, of which " + q.object + " is a part"
		case sympos.Absent:
			where += ": the kernel has no such module"
		default:
			where += ": nothing is known of it; give its file with --module"
		}
	}
	what := fmt.Sprintf("no symbol %q", q.name)
	if q.match != nil {
		what = fmt.Sprintf("no symbol that matches /%s/", q.match)
	}
	fmt.Fprintf(s.stderr, "%s: error: klp-convert: %s %s\n", oneLine(k.Name), what, where)
	if as, ok := k.table.FoundAs(sympos.Vmlinux, q.name); ok && (q.object == "" || q.object == sympos.Vmlinux) {
		fmt.Fprintf(s.stderr, "    %s has it, which this kernel finds as %s only (CONFIG_LTO_CLANG)\n", sympos.Vmlinux, as)
	}
}

// everyObject says what was looked through: a few objects by name, of many how many.
func everyObject(t *sympos.Table) string {
	objects := t.Objects()
	modules := len(objects)
	if t.Has(sympos.Vmlinux) {
		modules--
	}
	switch {
	case len(objects) == 0:
		return "what was given, which has no symbols at all"
	case len(objects) <= 3:
		return strings.Join(objects, ", ")
	case modules < len(objects):
		return fmt.Sprintf("vmlinux and %d modules", modules)
	}
	return fmt.Sprintf("%d modules; vmlinux was not given", modules)
}

// write prints tables.
func (s *search) write(w io.Writer) error {
	t := newTable(w)
	for _, f := range s.found {
		if len(s.kernels) > 1 {
			for _, g := range f.groups {
				s.compare(t, g)
			}
		} else {
			s.tell(t, f)
		}
	}
	return t.flush()
}

// tell prints what was found for a query in the only kernel.
func (s *search) tell(t *table, f finding) {
	k := s.kernels[0]
	columns := []string{"POSITION", "ADDRESS", "SIZE", "TYPE", "OBJECT", "FILE"}
	if f.match != nil {
		columns = slices.Insert(columns, 0, "NAME")
	}
	t.section(clean(f.arg)+" in "+k.label, columns...)
	var remarks []string
	for i, g := range f.groups {
		facts := k.table.Facts(g.object)
		for _, y := range g.lists[0] {
			row := []any{position(y, len(g.lists[0])), address(y, facts), orDash(y.Size), letter(y.Type), g.object, y.File}
			if f.match != nil {
				row = slices.Insert(row, 0, any(g.name))
			}
			t.row(row...)
		}
		about := s.remarks(k, g)
		if i == len(f.groups)-1 || f.groups[i+1].name != g.name {
			about = append(about, exported(k, g.name)...)
		}
		for _, r := range about {
			if f.match != nil {
				r = g.name + ": " + r
			}
			if !slices.Contains(remarks, r) {
				remarks = append(remarks, r)
			}
		}
	}
	var doubts []string
	for _, g := range f.groups {
		why := k.table.Partial(g.object)
		if why != "" && !slices.Contains(doubts, why) {
			doubts = append(doubts, why)
			remarks = append(remarks, "there may be more, and positions may differ: "+why)
		}
	}
	for _, r := range remarks {
		t.line("  %s", clean(r))
	}
}

// remarks are what has to be known beside the table of a name.
func (s *search) remarks(k *searched, g group) (lines []string) {
	facts, list := k.table.Facts(g.object), g.lists[0]
	switch {
	case facts.Order == sympos.Unordered && len(list) > 1:
		lines = append(lines, fmt.Sprintf("?: the order in %s is not known: %s is a %s", g.object, list[0].Source, facts.Kind))
	case facts.Order != sympos.Unordered && slices.ContainsFunc(list, func(y sympos.Symbol) bool { return !y.Steady() }):
		lines = append(lines, fmt.Sprintf("!: counted otherwise once %s is loaded, so not to be used", g.object))
	}
	if facts.Relative != "" {
		lines = append(lines, fmt.Sprintf("addresses in %s count from %s", g.object, facts.Relative))
	}
	if facts.NoAddresses && facts.Kind == sympos.Kallsyms {
		lines = append(lines, fmt.Sprintf("-: %s shows addresses to root only", list[0].Source))
	}
	for _, y := range list {
		if whole := k.table.WholeName(y); whole != "" {
			lines = append(lines, fmt.Sprintf("%s is %s, of which this kernel compares %s only (CONFIG_LTO_CLANG)", position(y, len(list)), whole, y.Name))
		}
	}
	if d := k.table.Unsure(g.object, g.name); d != "" {
		lines = append(lines, "not known: "+d)
	}
	if d := k.table.Doubt(g.object, g.name); d != "" {
		lines = append(lines, "contradiction: "+d)
	}
	return lines
}

// exported says who exports the name.
func exported(k *searched, name string) (lines []string) {
	for _, e := range k.table.Exports(name) {
		line := "exported by " + e.Object
		if e.Namespace != "" {
			line += " to " + e.Namespace
		}
		lines = append(lines, line)
	}
	unread := func(module string) bool { return !k.table.KnowsExports(module) }
	if !k.table.ListsModules() && slices.ContainsFunc(k.Modules(), unread) {
		lines = append(lines, "what other modules export was not read: there is no Module.symvers")
	}
	return lines
}

func position(y sympos.Symbol, of int) string {
	switch {
	case y.Position == 0 && of > 1:
		return "?"
	case y.Position == 0:
		return "1"
	case !y.Steady():
		return fmt.Sprintf("%d!", y.Position)
	}
	return fmt.Sprint(y.Position)
}

func address(y sympos.Symbol, facts sympos.Facts) string {
	switch {
	case facts.NoAddresses:
		return "-"
	case facts.Kind == sympos.ModuleFile || facts.Relative != "":
		return fmt.Sprintf("+%#x", y.Address)
	}
	return fmt.Sprintf("%016x", y.Address)
}

func orDash(n uint64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func letter(c byte) string {
	if c == 0 {
		return "-"
	}
	return clean(string(rune(c)))
}

// compare prints one name in several kernels: a line for each position.
func (s *search) compare(t *table, g group) {
	head := []string{"POSITION"}
	for _, k := range s.kernels {
		head = append(head, k.label)
	}
	t.section(clean(g.name)+" in "+clean(g.object), head...)
	g.lists = s.withPaths(g)
	counts, most := map[int]bool{}, 0
	for _, list := range g.lists {
		counts[len(list)] = true
		most = max(most, len(list))
	}
	files := everywhere(g.lists, func(y sympos.Symbol) bool { return y.File != "" })
	ordered := everywhere(g.lists, func(y sympos.Symbol) bool { return y.Position > 0 })
	for p := range most {
		row := []any{p + 1}
		if !ordered && most > 1 {
			row[0] = "?"
		}
		for i, list := range g.lists {
			if p >= len(list) {
				row = append(row, "! -")
				continue
			}
			y := list[p]
			cell := fmt.Sprintf("%s %s %s", orDash(y.Size), letter(y.Type), y.File)
			row = append(row, strings.TrimSpace(s.mark(g.lists, i, p, files, len(counts) > 1 || !ordered)+cell))
		}
		t.row(row...)
	}
	switch {
	case !ordered && most > 1:
		t.line("  in which order is not known for all of them")
	case len(counts) > 1 && !files:
		t.line("  not equally many, and no file tells which is which: any position may have moved")
	}
	if files {
		for _, l := range s.moved(g) {
			t.line("  %s", l)
		}
	}
}

// mark compares the symbol at a position in kernel i with those in the kernels
// before it.
func (s *search) mark(lists [][]sympos.Symbol, i, p int, files, doubtful bool) string {
	y := lists[i][p]
	for _, before := range lists[:i] {
		if p >= len(before) {
			continue
		}
		x := before[p]
		switch {
		case files && x.File != y.File:
			return "! "
		case files && !shared(before, x.File) && !shared(lists[i], y.File):
		case x.Type|0x20 != y.Type|0x20 && x.Type != 0 && y.Type != 0:
			return "! "
		case doubtful || x.Size != y.Size:
			return "? "
		}
	}
	return ""
}

// shared reports whether several symbols are from files of that name, or from that file.
func shared(list []sympos.Symbol, file string) bool {
	n := 0
	for _, y := range list {
		if y.File == file {
			n++
		}
	}
	return n > 1
}

// withPaths gives the symbols the paths of their files, if debug information tells them in
// all of the kernels: names are not to be compared with paths.
func (s *search) withPaths(g group) [][]sympos.Symbol {
	lists := make([][]sympos.Symbol, len(g.lists))
	for i, k := range s.kernels {
		files, err := k.table.Files(g.object, g.name)
		if err != nil || len(files) != len(g.lists[i]) {
			return g.lists
		}
		lists[i] = slices.Clone(g.lists[i])
		for j, f := range files {
			if !f.HasPath() {
				return g.lists
			}
			lists[i][j].File = f.String()
		}
	}
	return lists
}

// moved says of each file that has the symbol once where it stands, if not in the
// same place everywhere.
func (s *search) moved(g group) []string {
	var files, lines []string
	for _, list := range g.lists {
		for _, y := range list {
			if !slices.Contains(files, y.File) {
				files = append(files, y.File)
			}
		}
	}
	for _, file := range files {
		at, differs, last := []string{}, false, ""
		for i, list := range g.lists {
			where := []string{}
			for _, y := range list {
				if y.File == file {
					where = append(where, fmt.Sprint(y.Position))
				}
			}
			text := strings.Join(where, ", ")
			if text == "" {
				text = "none"
			}
			differs = differs || i > 0 && text != last
			last = text
			at = append(at, text+" in "+s.kernels[i].label)
		}
		if differs {
			lines = append(lines, clean(file)+": "+strings.Join(at, "; "))
		}
	}
	return lines
}

func everywhere(lists [][]sympos.Symbol, holds func(sympos.Symbol) bool) bool {
	for _, list := range lists {
		for _, y := range list {
			if !holds(y) {
				return false
			}
		}
	}
	return true
}

// A foundSymbol is one element of what --json prints. null is a position that nobody can
// use, since the order is not known or is another one once the module is loaded, and an
// address that is not known. Of what is empty or 0 otherwise, nothing is known.
type foundSymbol struct {
	Kernel   string  `json:"kernel"` // the release, when it is known and its own
	Object   string  `json:"object"`
	Name     string  `json:"name"`
	Position *int    `json:"position"`
	Address  *string `json:"address"` // in hex; in a module's file, of its section
	Size     uint64  `json:"size"`
	Type     string  `json:"type"`
	File     string  `json:"file"`
	// Doubt says why there may be more symbols of the name, or others before this one.
	Doubt string `json:"doubt,omitempty"`
}

// list is what was found, for --json.
func (s *search) list() []foundSymbol {
	all := []foundSymbol{}
	for _, f := range s.found {
		for _, g := range f.groups {
			all = s.appendGroup(all, g)
		}
	}
	return all
}

func (s *search) appendGroup(all []foundSymbol, g group) []foundSymbol {
	for i, list := range g.lists {
		k := s.kernels[i]
		for _, y := range list {
			f := foundSymbol{Kernel: k.title, Object: g.object, Name: g.name, Size: y.Size, File: y.File, Doubt: k.table.Partial(g.object)}
			if !k.table.Facts(g.object).NoAddresses {
				address := fmt.Sprintf("%#x", y.Address)
				f.Address = &address
			}
			if y.Type != 0 {
				f.Type = string(rune(y.Type))
			}
			if y.Position != 0 && y.Steady() {
				f.Position = &y.Position
			}
			all = append(all, f)
		}
	}
	return all
}
