// SPDX-License-Identifier: GPL-2.0-or-later

package proof_test

// brokenFunctions are the slips that TestBrokenFunctions makes.
var brokenFunctions = []brokenFunction{
	// The klp format.
	{
		old:  `uint64(elf.SHF_ALLOC) | uint64(elf.SHF_INFO_LINK) | FlagLivepatch`,
		new:  `uint64(elf.SHF_ALLOC)*0 | uint64(elf.SHF_INFO_LINK) | FlagLivepatch`,
		slip: "klp sections need no memory",
	},
	{
		old:  `IndexLivepatch = 0xff20`,
		new:  `IndexLivepatch = 0xff21`,
		slip: "SHN_LIVEPATCH is 0xff21",
	},
	{
		old:  `FlagLivepatch  = 0x00100000`,
		new:  `FlagLivepatch  = 0x00200000`,
		slip: "SHF_RELA_LIVEPATCH is bit 21",
	},
	{
		function: "SymbolName",
		old:      `name + ","`,
		new:      `name + "."`,
		slip:     "a dot precedes the position",
	},
	{
		function: "SymbolName",
		old:      `uint64(pos), 10)`,
		new:      `uint64(max(pos, 1)-1), 10)`,
		slip:     "positions count from 0",
	},
	{
		function: "SectionName",
		old:      `object + "." + base`,
		new:      `object + base`,
		slip:     "every section's name begins with a dot",
	},
	{
		function: "ModuleName",
		old:      `return sympos.FoldDashes(name)`,
		new:      `return sympos.FoldDashes("") + name`,
		slip:     "a module is called like its file",
	},

	// What becomes of each relocation and symbol.
	{
		function: "planMoves",
		old:      `i, ok := byGate[d.Gate]`,
		new:      `i, ok := byGate[""]`,
		slip:     "every object has its own section anyway",
	},
	{
		function: "planMoves",
		old:      `for _, d := range s.Relocs {`,
		new:      `for _, d := range s.Relocs[min(1, len(s.Relocs)-1):] {`,
		slip:     "the first relocation is the one of the annotation",
	},
	{
		function: "klpSymbols.of",
		old:      `s.list[slices.Index(t.Notes, note)]`,
		new:      `s.list[min(0, slices.Index(t.Notes, note))]`,
		slip:     "a symbol has one meaning",
	},
	{
		function: "FindUses",
		old:      `case s.Target == nil || !s.Target.Alloc():`,
		new:      `case s.Target == nil || s.Target.Flags&4 == 0:`,
		slip:     "only code is relocated by the kernel",
	},
	{
		function: "nameSections",
		old:      `for used[m.Name] {`,
		new:      `for used[m.Name] && m.Name != base {`,
		slip:     "section names are unique",
	},
	{
		function: "FindUses",
		old:      `u.Relocs = append(u.Relocs, ref.Index)`,
		new:      `u.Drop = append(u.Drop, ref.Index)`,
		slip:     "debug information of annotated symbols is of no use",
	},
	{
		function: "klpSymbols.plan",
		old:      `Others: mine[1:]`,
		new:      `Others: nil`,
		slip:     "a klp symbol has one spelling",
	},
	{
		function: "klpSymbols.plan",
		old:      `drop = append(drop, c.Symbol)`,
		new:      `_ = c.Symbol`,
		slip:     "an unused symbol does no harm",
	},
	{
		function: "New",
		old:      `p.DropTrailer = true`,
		new:      ``,
		slip:     "the signature stays valid",
	},
	{
		function: "Plan.Apply",
		old:      `c.Name, nil, klpabi.IndexLivepatch, 0`,
		new:      `c.Name, nil, elf.SHN_UNDEF, 0`,
		slip:     "a klp symbol is undefined",
	},
	{
		function: "Plan.Apply",
		old:      `y.Size = uint64(len(r.Data))`,
		new:      `_ = y`,
		slip:     "the size of a symbol is for debuggers",
	},
	{
		function: "Plan.move",
		old:      `move := steps[0].move`,
		new:      `move := steps[len(steps)-1].move`,
		slip:     "all relocations of a section go to one",
	},
	{
		function: "Plan.move",
		old:      `if k := moves[move].other[index]; k != nil {`,
		new:      `if k := moves[move].other[index]; false {`,
		slip:     "a symbol is one klp symbol",
	},
	{
		function: "Plan.move",
		old:      `Align: uint64(p.file.PointerSize()), Link`,
		new:      `Align: 1, Link`,
		slip:     "relocations need no alignment",
	},
	{
		function: "Plan.move",
		old:      `slices.SortFunc(steps, func(a, b step) int { return a.index - b.index })`,
		new:      ``,
		slip:     "moves are in the order of relocations",
	},
	{
		function: "Plan.detach",
		old:      `r.Sym = nil`,
		new:      ``,
		slip:     "readers of debug information know klp symbols",
	},
	{
		function: "takeFirst",
		old:      `*list = (*list)[1:]`,
		new:      `*list = nil`,
		slip:     "one relocation of a section goes with the annotations",
	},

	// modpost's tables.
	{
		function: "WithoutVersions",
		old:      `if !names[string(name)] {`,
		new:      `if !names[string(bytes.TrimRight(name, "0123456789"))] {`,
		slip:     "a name ends in front of its digits",
	},
	{
		function: "WithoutVersions",
		old:      `b[f.PointerSize():versionEntry]`,
		new:      `b[8:versionEntry]`,
		slip:     "a checksum has 8 bytes",
	},
	{
		function: "WithoutVersions",
		old:      `crcs.Data[i*4:i*4+4]`,
		new:      `crcs.Data[len(out)+0*i:len(out)+4]`,
		slip:     "checksums are removed from the end",
	},
	{
		function: "WithoutVersions",
		old:      `append(append(out, name...), 0)`,
		new:      `append(out, name...)`,
		slip:     "names follow each other",
	},
	{
		function: "WithoutVersions",
		old:      ` || s != f.Section(s.Name)`,
		new:      ``,
		slip:     "every section of that name is the table",
	},
	{
		function: "WithoutVersions",
		old:      `if s.Name != "__versions" { // checksums and names`,
		new:      `if false { // checksums and names`,
		slip:     "checksums can be edited where their names can't",
	},
	{
		function: "EditModinfo",
		old:      `slices.Contains(gone, m)`,
		new:      `slices.Contains(gone, m) || m != list[0]`,
		slip:     "the first module is the needed one",
	},
	{
		function: "EditModinfo",
		old:      `strings.Repeat("\x00", old-len(left))`,
		new:      `strings.Repeat(",", old-len(left))`,
		slip:     "commas at the end do no harm",
	},
	{
		function: "EditModinfo",
		old:      `append(append(b, targetKey+"="+t.String()...), 0)`,
		new:      `append(b, targetKey+"="+t.String()...)`,
		slip:     "the last entry needs no end",
	},
	{
		function: "wholeSymbols",
		old:      `y.Value == 0 && y.Size == s.Size()`,
		new:      `y.Value == 0`,
		slip:     "symbols of a table span it",
	},

	// Special tables.
	{
		function: "ArchName",
		old:      `klpabi.ArchPrefix + object + "." + t.Section.Name`,
		new:      `klpabi.ArchPrefix + object + t.Section.Name`,
		slip:     "every table's name begins with a dot of its own",
	},
	{
		function: "contentsLeft",
		old:      `at = c.Entry.Offset + c.Entry.Size`,
		new:      `at = c.Entry.Offset + c.Entry.Size + 1`,
		slip:     "the offset of an entry's end is its last byte",
	},
	{
		function: "contentsLeft",
		old:      `data[at:c.Entry.Offset]`,
		new:      `data[at:c.Entry.Offset-c.Entry.Offset%16]`,
		slip:     "entries have 16 bytes",
	},
	{
		function: "archSection.append",
		old:      `e.Section.Data[e.Offset:e.Offset+e.Size]`,
		new:      `e.Section.Data[:e.Size]`,
		slip:     "all entries are alike",
	},
	{
		function: "Plan.moveTableRelocs",
		old:      `r.Offset -= before`,
		new:      `_ = before`,
		slip:     "relocations are by entry",
	},
	{
		function: "Plan.moveTableRelocs",
		old:      `cut(c, r)`,
		new: `cut(c, r)
				stay = append(stay, r)`,
		slip: "relocations of an entry that left do no harm",
	},
	{
		function: "Plan.editTables",
		old:      `placed[c.Entry] + r.Offset - c.Entry.Offset`,
		new:      `placed[c.Entry]`,
		slip:     "an entry has one relocation",
	},
	{
		function: "Plan.editTables",
		old:      `from.Flags &^ uint64(elf.SHF_GROUP)`,
		new:      `from.Flags &^ uint64(elf.SHF_ALLOC)`,
		slip:     "the kernel reads .klp.arch from the file",
	},
	{
		function: "newShifter",
		old:      `s.sums[i] + c.Entry.Size`,
		new:      `c.Entry.Size`,
		slip:     "one entry leaves a table",
	},
	{
		function: "shifter.at",
		old:      `c.Entry.Offset+c.Entry.Size <= off`,
		new:      `c.Entry.Offset+c.Entry.Size < off`,
		slip:     "the end of an entry is in it",
	},
	{
		function: "tableEdits",
		old:      `edits = append(edits, TableEdit{t, list})`,
		new:      `edits = append(edits, TableEdit{t, list[:1]})`,
		slip:     "one entry leaves a table, of many",
	},
	{
		function: "Table.newEntry",
		old:      `min(t.layout.size, uint64(len(t.data))-start)`,
		new:      `t.layout.size-1`,
		slip:     "an entry ends with padding",
	},

	// elfrw.
	{
		function: "mover.keep",
		old:      `m.from.Data[m.done*m.size:i*m.size]`,
		new:      `m.from.Data[m.done*m.size:(i-1)*m.size]`,
		slip:     "the relocation in front of one that moves goes too",
	},
	{
		function: "mover.finish",
		old:      `m.keep(m.from.NumRelocs())`,
		new:      `m.keep(m.from.NumRelocs() - 1)`,
		slip:     "the last relocation ends the list",
	},
	{
		function: "mover.append",
		old:      `slot = r.Sym.slot`,
		new:      `slot = r.Sym.slot - 1`,
		slip:     "symbols count from 0",
	},
	{
		function: "mover.append",
		old:      `entry := m.from.Data[i*m.size : (i+1)*m.size]`,
		new:      `entry := m.from.Data[0*i : m.size]`,
		slip:     "relocations differ in their symbols only",
	},
	{
		function: "File.putReloc",
		old:      `uint64(r.Addend))`,
		new:      `uint64(uint32(r.Addend)))`,
		slip:     "an addend has 32 bits",
	},
	{
		function: "File.putReloc",
		old:      `f.put64(b, r.Offset)`,
		new:      `f.put64(b, r.Offset+4)`,
		slip:     "offsets are of the byte after",
	},
	{
		function: "File.AddSection",
		old:      `f.Sections = append(f.Sections, s)`,
		new:      `f.Sections = slices.Insert(f.Sections, len(f.Sections)-1, s)`,
		slip:     "the last section is the string table",
	},
	{
		function: "File.GoesWith",
		old:      `!slices.ContainsFunc(s.Members, stays)`,
		new:      `(removed[s.Members[len(s.Members)-1]] || !slices.ContainsFunc(s.Members, stays))`,
		slip:     "a section group goes with its last member",
	},
	{
		function: "File.GoesWith",
		old:      `if removed[s.Target] && (s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA) {`,
		new:      `if removed[s.Target] || s.Target != nil && !s.Target.Alloc() {`,
		slip:     "relocations of what is not loaded are of no use",
	},
	{
		function: "File.dropMarked",
		old:      `s.Members = slices.DeleteFunc(s.Members, dropSection)`,
		new:      `s.Members = s.Members[:1]`,
		slip:     "a section group has one member",
	},
	{
		function: "writer.emitSymbols",
		old:      `size: y.Size, info: y.Info, other: y.Other`,
		new:      `size: y.Size, info: y.Info`,
		slip:     "st_other is 0",
	},
	{
		function: "writer.emitSymbols",
		old:      `r.shndx = uint16(y.Section.num)`,
		new:      `r.shndx = uint16(y.Section.num) + 1`,
		slip:     "section numbers count from 1",
	},
	{
		function: "writer.flush",
		old:      `num := o.numbers[sym]`,
		new:      `num := o.numbers[sym] - o.numbers[sym]%2`,
		slip:     "symbols come in pairs",
	},
	{
		function: "writer.emitGroup",
		old:      `word = uint32(s.Members[i-1].num)`,
		new:      `word = uint32(s.Members[0].num)`,
		slip:     "a section group has one section",
	},
	{
		function: "nameOffset",
		old: `off, _ := t.offset(name)
	return off`,
		new: `off, _ := t.offset(name)
	return off + 1`,
		slip: "names begin with a NUL",
	},
	{
		function: "writer.sectionHeader",
		old:      `flags: s.Flags`,
		new:      `flags: s.Flags & 0xfffff`,
		slip:     "flags have 20 bits",
	},
	{
		function: "writer.sectionHeader",
		old:      `h.info = uint32(s.Target.num)`,
		new:      `h.info = uint32(s.Target.num) + 1`,
		slip:     "sh_info counts from 1",
	},
	{
		function: "writer.renumber",
		old:      `b, err := o.renumberContents(s)`,
		new:      `b, err := s.Data, error(nil)`,
		slip:     "no contents hold symbol numbers",
	},
	{
		function: "stringAppender.offset",
		old:      `a.extra = append(a.extra, name...)`,
		new:      `a.extra = append(a.extra, name[:min(len(name), 24)]...)`,
		slip:     "names have 24 bytes",
	},

	// What annotations say.
	{
		function: "reader.position",
		old:      `s.Data[x.at+x.kind.slot:]`,
		new:      `s.Data[x.at:]`,
		slip:     "the position is the first word of a record",
	},
	{
		function: "reader.readSection",
		old:      `strings.TrimPrefix(strings.TrimPrefix(s.Name, recordPrefix), ".")`,
		new:      `"vmlinux"`,
		slip:     "records are for vmlinux",
	},
	{
		function: "reader.readSection",
		old:      `slots = append(slots, slot{Rela: rel})`,
		new:      `slots = []slot{{Rela: rel}}`,
		slip:     "a section has one record",
	},
	{
		function: "ParseLabel",
		old:      `a.Dialect, a.Name, a.Pos = Labels, s[:i], uint32(pos)`,
		new:      `a.Dialect, a.Name, a.Pos = Labels, s[:i], uint32(pos)+2`,
		slip:     "labels count positions from 2",
	},
	{
		function: "reader.readRecords",
		old:      `for _, s := range r.Set.Sections {`,
		new:      `for _, s := range r.Set.Sections[:1] {`,
		slip:     "a module has one section of records",
	},
	{
		function: "ParseLabel",
		old:      `strings.LastIndexByte(s, '.')`,
		new:      `strings.IndexByte(s, '.')`,
		slip:     "names of symbols hold no dots",
	},

	{
		function: "parseLine",
		old:      `x.symbol, head = symbol, object`,
		new:      `head = object`,
		slip:     "a symbol has one name",
	},
	{
		function: "parseLine",
		old:      `x.Pos = uint32(pos)`,
		new:      `x.Pos = uint32(pos) + 1`,
		slip:     "lists count positions from 0",
	},

	// What the proof shares: the model of the loader is the judge.
	{
		function: "Rules.Constant",
		old: `return Choice{Note: a, Gate: vmlinux}, true
	case a.Dialect.IsLabel():`,
		new: `return Choice{Note: a, Gate: a.LPObject + "x"}, true
	case a.Dialect.IsLabel():`,
		slip:   "the gate of vmlinux is what the author says",
		shared: true,
	},
	{
		function: "Rules.Constant",
		old: `case a.Object != vmlinux:
		return Choice{}, false`,
		new: `case a.Object != vmlinux:
		return Choice{Note: a, Gate: vmlinux}, true`,
		slip:   "all is applied with vmlinux",
		shared: true,
	},
	{
		function: "Rules.Choose",
		old:      `c.Gate = modules[0]`,
		new:      `c.Gate = owner`,
		slip:     "the gate is the owner",
		shared:   true,
	},
	{
		function: "Rules.chooseOldVmlinux",
		old: `case len(modules) == 1:
		c.Gate = modules[0]`,
		new: `case len(modules) > 0:
		c.Gate = "ext4"`,
		slip:   "ext4 is there",
		shared: true,
	},
	{
		function: "Choice.pickNote",
		old:      `slices.Contains(c.Objects, a.Object)`,
		new:      `!slices.Contains(c.Objects, a.Object)`,
		slip:     "a use means the other object",
		shared:   true,
	},
	{
		function: "Rules.Late",
		old:      `return !g.scheme.Early() || gate != sympos.Vmlinux`,
		new:      `return g.scheme.Early() && gate != sympos.Vmlinux`,
		slip:     "relocations of vmlinux are never late",
		shared:   true,
	},
	{
		function: "Rules.canMoveToArch",
		old:      `(e.Kind == special.Alternative || e.Kind == special.Paravirt)`,
		new:      `e.Kind == special.Alternative`,
		slip:     "paravirt sites are patched by themselves",
		shared:   true,
	},
	{
		function: "Rules.Judge",
		old:      `tables.Sites(s, r.Offset, width)`,
		new:      `[]*special.Entry(nil)`,
		slip:     "original instructions wait",
		shared:   true,
	},
	{
		function: "Rules.Judge",
		old:      `tables.Replacements(s, r.Offset, width)`,
		new:      `[]*special.Entry(nil)`,
		slip:     "replacements wait",
		shared:   true,
	},
	{
		old:    `alternative(13, 10, 11), // 4.0 to 5.12`,
		new:    `alternative(13, 12, 11), // 4.0 to 5.12`,
		slip:   "the length of the site is the last byte",
		shared: true,
	},
	{
		function: "Table.fillEntry",
		old:      `e.Site = elfrw.RangeOf(site.section, site.offset, n)`,
		new:      `e.Site = elfrw.RangeOf(site.section, site.offset, 1)`,
		slip:     "an instruction has one byte",
		shared:   true,
	},
}
