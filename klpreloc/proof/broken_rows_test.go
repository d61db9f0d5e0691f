// SPDX-License-Identifier: GPL-2.0-or-later

package proof_test

// brokenFunctions are the slips that TestBrokenFunctions makes.
var brokenFunctions = []brokenFunction{
	// The klp format.
	{
		file: "klpreloc/apply.go",
		old:  "uint64(elf.SHF_ALLOC) | uint64(elf.SHF_INFO_LINK) | flagRelaLivepatch",
		new:  "uint64(elf.SHF_INFO_LINK) | flagRelaLivepatch | uint64(elf.SHF_ALLOC)&0",
		slip: "klp sections need no memory",
	},
	{
		file: "klpreloc/names.go",
		old:  "indexLivepatch    = 0xff20", new: "indexLivepatch    = 0xff21",
		slip: "SHN_LIVEPATCH is 0xff21",
	},
	{
		file: "klpreloc/names.go",
		old:  "flagRelaLivepatch = 0x00100000", new: "flagRelaLivepatch = 0x00200000",
		slip: "SHF_RELA_LIVEPATCH is bit 21",
	},
	{
		file: "klpreloc/names.go", function: "SymbolName",
		old: `name + ","`, new: `name + "."`,
		slip: "a dot precedes the position",
	},
	{
		file: "klpreloc/names.go", function: "SymbolName",
		old: "uint64(pos), 10)", new: "uint64(max(pos, 1)-1), 10)",
		slip: "positions count from 0",
	},
	{
		file: "klpreloc/names.go", function: "sectionName",
		old: `object + "." + base`, new: "object + base",
		slip: "every section's name begins with a dot",
	},
	{
		file: "klpreloc/names.go", function: "moduleName",
		old: "return strings.ReplaceAll(name, \"-\", \"_\")", new: "return name",
		slip: "a module is called like its file",
	},

	// What becomes of each relocation and symbol.
	{
		file: "klpreloc/plan.go", function: "planner.loaded",
		old:  `m, ok := byGate[c.gate]`,
		new:  `m, ok := byGate[""]`,
		slip: "every object has its own section anyway",
	},
	{
		file: "klpreloc/plan.go", function: "planner.loaded",
		old:  `for _, i := range s.which {`,
		new:  `for _, i := range s.which[min(1, len(s.which)-1):] {`,
		slip: "the first relocation is the one of the annotation",
	},
	{
		file: "klpreloc/plan.go", function: "planner.loaded",
		old:  `n = t.of(c.note)`,
		new:  `n = 0`,
		slip: "a symbol has one meaning",
	},
	{
		file: "klpreloc/plan.go", function: "planner.relocations",
		old:  `case s.Target != nil && s.Target.Alloc():`,
		new:  `case s.Target != nil && s.Target.Flags&4 != 0:`,
		slip: "only code is relocated by the kernel",
	},
	{
		file: "klpreloc/plan.go", function: "planner.nameSections",
		old:  `for used[m.Name] {`,
		new:  `for used[m.Name] && m.Name != base {`,
		slip: "section names are unique",
	},
	{
		file: "klpreloc/plan.go", function: "planner.detach",
		old:  `d.Relocs = append(d.Relocs, i)`,
		new:  `d.Drop = append(d.Drop, i)`,
		slip: "debug information of annotated symbols is of no use",
	},
	{
		file: "klpreloc/plan.go", function: "planner.symbols",
		old:  `Others: mine[1:]`,
		new:  `Others: nil`,
		slip: "a klp symbol has one spelling",
	},
	{
		file: "klpreloc/plan.go", function: "planner.unused",
		old:  `p.DropSymbols = append(p.DropSymbols, c.Symbol)`,
		new:  ``,
		slip: "an unused symbol does no harm",
	},
	{
		file: "klpreloc/plan.go", function: "planner.trailer",
		old:  `p.DropTrailer = true`,
		new:  ``,
		slip: "the signature stays valid",
	},
	{
		file: "klpreloc/apply.go", function: "Plan.Apply",
		old:  `c.Name, nil, indexLivepatch, 0`,
		new:  `c.Name, nil, elf.SHN_UNDEF, 0`,
		slip: "a klp symbol is undefined",
	},
	{
		file: "klpreloc/apply.go", function: "Plan.Apply",
		old:  `y.Size = uint64(len(r.Data))`,
		new:  `_ = y`,
		slip: "the size of a symbol is for debuggers",
	},
	{
		file: "klpreloc/apply.go", function: "Plan.move",
		old:  `into := steps[0].into`,
		new:  `into := steps[len(steps)-1].into`,
		slip: "all relocations of a section go to one",
	},
	{
		file: "klpreloc/apply.go", function: "Plan.move",
		old:  `if k := steps[0].klp; k != nil {`,
		new:  `if k := steps[0].klp; false {`,
		slip: "a symbol is one klp symbol",
	},
	{
		file: "klpreloc/apply.go", function: "Plan.move",
		old:  `Align: uint64(p.file.PointerSize()), Link`,
		new:  `Align: 1, Link`,
		slip: "relocations need no alignment",
	},
	{
		file: "klpreloc/apply.go", function: "Plan.move",
		old:  `slices.SortFunc(steps, func(a, b step) int { return a.index - b.index })`,
		new:  ``,
		slip: "moves are in the order of relocations",
	},
	{
		file: "klpreloc/apply.go", function: "Plan.detach",
		old:  `r.Sym = nil`,
		new:  ``,
		slip: "readers of debug information know klp symbols",
	},
	{
		file: "klpreloc/apply.go", function: "take",
		old:  `*list = (*list)[1:]`,
		new:  `*list = nil`,
		slip: "one relocation of a section goes with the annotations",
	},

	// modpost's tables.
	{
		file: "klpreloc/versions.go", function: "withoutVersions",
		old:  `if !names[string(name)] {`,
		new:  `if !names[strings.TrimRight(string(name), "0123456789")] {`,
		slip: "a name ends in front of its digits",
	},
	{
		file: "klpreloc/versions.go", function: "withoutVersions",
		old:  `b[f.PointerSize():versionEntry]`,
		new:  `b[8:versionEntry]`,
		slip: "a checksum has 8 bytes",
	},
	{
		file: "klpreloc/versions.go", function: "withoutVersions",
		old:  `crcs.Data[i*4:i*4+4]`,
		new:  `crcs.Data[len(out)+0*i:len(out)+4]`,
		slip: "checksums are removed from the end",
	},
	{
		file: "klpreloc/versions.go", function: "withoutVersions",
		old:  `append(append(out, name...), 0)`,
		new:  `append(out, name...)`,
		slip: "names follow each other",
	},
	{
		file: "klpreloc/versions.go", function: "withoutDepends",
		old:  `slices.Contains(gone, m)`,
		new:  `slices.Contains(gone, m) || m != list[0]`,
		slip: "the first module is the needed one",
	},
	{
		file: "klpreloc/versions.go", function: "withoutDepends",
		old:  `strings.Repeat("\x00", old-len(left))`,
		new:  `strings.Repeat(",", old-len(left))`,
		slip: "commas at the end do no harm",
	},
	{
		file: "klpreloc/versions.go", function: "wholeSymbols",
		old:  `y.Value == 0 && y.Size == s.Size()`,
		new:  `y.Value == 0`,
		slip: "symbols of a table span it",
	},

	// Special tables.
	{
		file: "klpreloc/archsec.go", function: "archName",
		old:  `archPrefix + object + "." + t.Section.Name`,
		new:  `archPrefix + object + t.Section.Name`,
		slip: "every table's name begins with a dot of its own",
	},
	{
		file: "klpreloc/archsec.go", function: "TableEdit.left",
		old:  `at = c.Entry.Offset + c.Entry.Size`,
		new:  `at = c.Entry.Offset + c.Entry.Size + 1`,
		slip: "the offset of an entry's end is its last byte",
	},
	{
		file: "klpreloc/archsec.go", function: "TableEdit.left",
		old:  `data[at:c.Entry.Offset]`,
		new:  `data[at:c.Entry.Offset-c.Entry.Offset%16]`,
		slip: "entries have 16 bytes",
	},
	{
		file: "klpreloc/archsec.go", function: "archSection.append",
		old:  `e.Section.Data[e.Offset:e.Offset+e.Size]`,
		new:  `e.Section.Data[:e.Size]`,
		slip: "all entries are alike",
	},
	{
		file: "klpreloc/archsec.go", function: "Plan.moveTableRelocs",
		old:  `r.Offset -= before`,
		new:  `_ = before`,
		slip: "relocations are by entry",
	},
	{
		file: "klpreloc/archsec.go", function: "Plan.moveTableRelocs",
		old: `cut(c, r)`,
		new: `cut(c, r)
				stay = append(stay, r)`,
		slip: "relocations of an entry that left do no harm",
	},
	{
		file: "klpreloc/archsec.go", function: "Plan.editTables",
		old:  `placed[c.Entry] + r.Offset - c.Entry.Offset`,
		new:  `placed[c.Entry]`,
		slip: "an entry has one relocation",
	},
	{
		file: "klpreloc/archsec.go", function: "Plan.editTables",
		old:  `from.Flags &^ uint64(elf.SHF_GROUP)`,
		new:  `from.Flags &^ uint64(elf.SHF_ALLOC)`,
		slip: "the kernel reads .klp.arch from the file",
	},
	{
		file: "klpreloc/archsec.go", function: "newShifter",
		old:  `s.sums[i] + c.Entry.Size`,
		new:  `c.Entry.Size`,
		slip: "one entry leaves a table",
	},
	{
		file: "klpreloc/archsec.go", function: "shifter.at",
		old:  `c.Entry.Offset+c.Entry.Size <= off`,
		new:  `c.Entry.Offset+c.Entry.Size < off`,
		slip: "the end of an entry is in it",
	},
	{
		file: "klpreloc/late.go", function: "tableEdits",
		old:  `edits = append(edits, TableEdit{t, list})`,
		new:  `edits = append(edits, TableEdit{t, list[:1]})`,
		slip: "one entry leaves a table, of many",
	},
	{
		file: "klpreloc/special/tables.go", function: "Table.blank",
		old:  `min(t.layout.size, uint64(len(t.data))-start)`,
		new:  `t.layout.size-1`,
		slip: "an entry ends with padding",
	},

	// elfrw.
	{
		file: "elfrw/move.go", function: "mover.keep",
		old:  `m.from.Data[m.done*m.size:i*m.size]`,
		new:  `m.from.Data[m.done*m.size:(i-1)*m.size]`,
		slip: "the relocation in front of one that moves goes too",
	},
	{
		file: "elfrw/move.go", function: "mover.finish",
		old:  `m.keep(m.from.NumRelocs())`,
		new:  `m.keep(m.from.NumRelocs() - 1)`,
		slip: "the last relocation ends the list",
	},
	{
		file: "elfrw/move.go", function: "mover.append",
		old:  `slot = r.Sym.slot`,
		new:  `slot = r.Sym.slot - 1`,
		slip: "symbols count from 0",
	},
	{
		file: "elfrw/move.go", function: "mover.append",
		old:  `entry := m.from.Data[i*m.size : (i+1)*m.size]`,
		new:  `entry := m.from.Data[0*i : m.size]`,
		slip: "relocations differ in their symbols only",
	},
	{
		file: "elfrw/relocs.go", function: "File.putReloc",
		old:  `uint64(r.Addend))`,
		new:  `uint64(uint32(r.Addend)))`,
		slip: "an addend has 32 bits",
	},
	{
		file: "elfrw/relocs.go", function: "File.putReloc",
		old:  `f.put64(b, r.Offset)`,
		new:  `f.put64(b, r.Offset+4)`,
		slip: "offsets are of the byte after",
	},
	{
		file: "elfrw/edit.go", function: "File.AddSection",
		old:  `f.Sections = append(f.Sections, s)`,
		new:  `f.Sections = slices.Insert(f.Sections, len(f.Sections)-1, s)`,
		slip: "the last section is the string table",
	},
	{
		file: "elfrw/edit.go", function: "File.GoesWith",
		old:  `!slices.ContainsFunc(s.Members, stays)`,
		new:  `(gone[s.Members[len(s.Members)-1]] || !slices.ContainsFunc(s.Members, stays))`,
		slip: "a section group goes with its last member",
	},
	{
		file: "elfrw/edit.go", function: "File.GoesWith",
		old:  `if gone[s.Target] && (s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA) {`,
		new:  `if (gone[s.Target] || s.Target != nil && !s.Target.Alloc()) && (s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA) {`,
		slip: "relocations of what is not loaded are of no use",
	},
	{
		file: "elfrw/edit.go", function: "File.drop",
		old:  `s.Members = slices.DeleteFunc(s.Members, dropSection)`,
		new:  `s.Members = s.Members[:1]`,
		slip: "a section group has one member",
	},
	{
		file: "elfrw/emit.go", function: "writer.emitSymbols",
		old:  `size: y.Size, info: y.Info, other: y.Other`,
		new:  `size: y.Size, info: y.Info`,
		slip: "st_other is 0",
	},
	{
		file: "elfrw/emit.go", function: "writer.emitSymbols",
		old:  `r.shndx = uint16(y.Section.num)`,
		new:  `r.shndx = uint16(y.Section.num) + 1`,
		slip: "section numbers count from 1",
	},
	{
		file: "elfrw/emit.go", function: "writer.flush",
		old:  `num := o.numbers[sym]`,
		new:  `num := o.numbers[sym] - o.numbers[sym]%2`,
		slip: "symbols come in pairs",
	},
	{
		file: "elfrw/emit.go", function: "writer.emitGroup",
		old:  `word = uint32(s.Members[i-1].num)`,
		new:  `word = uint32(s.Members[0].num)`,
		slip: "a section group has one section",
	},
	{
		file: "elfrw/write.go", function: "nameOffset",
		old: `off, _ := t.offset(name)
	return off`,
		new: `off, _ := t.offset(name)
	return off + 1`,
		slip: "names begin with a NUL",
	},
	{
		file: "elfrw/write.go", function: "writer.header",
		old:  `flags: s.Flags`,
		new:  `flags: s.Flags & 0xfffff`,
		slip: "flags have 20 bits",
	},
	{
		file: "elfrw/write.go", function: "writer.header",
		old:  `h.info = uint32(s.Target.num)`,
		new:  `h.info = uint32(s.Target.num) + 1`,
		slip: "sh_info counts from 1",
	},
	{
		file: "elfrw/write.go", function: "writer.renumber",
		old:  `b, err := o.renumberContents(s)`,
		new:  `b, err := s.Data, error(nil)`,
		slip: "no contents hold symbol numbers",
	},
	{
		file: "elfrw/strtab.go", function: "stringAppender.offset",
		old:  `a.extra = append(a.extra, name...)`,
		new:  `a.extra = append(a.extra, name[:min(len(name), 24)]...)`,
		slip: "names have 24 bytes",
	},

	// What the proof shares: the model of the loader is the judge.
	{
		file: "klpreloc/records.go", function: "reader.position",
		old:    `s.Data[x.at+x.kind.slot:]`,
		new:    `s.Data[x.at:]`,
		slip:   "the position is the first word of a record",
		shared: true,
	},
	{
		file: "klpreloc/records.go", function: "reader.recordSection",
		old:    `strings.TrimPrefix(strings.TrimPrefix(s.Name, recordPrefix), ".")`,
		new:    `"vmlinux"`,
		slip:   "records are for vmlinux",
		shared: true,
	},
	{
		file: "klpreloc/records.go", function: "reader.recordSection",
		old:    `slots = append(slots, slot{Rela: rel})`,
		new:    `slots = []slot{{Rela: rel}}`,
		slip:   "a section has one record",
		shared: true,
	},
	{
		file: "klpreloc/labels.go", function: "parseLabel",
		old:    `a.Dialect, a.Name, a.Pos = Labels, s[:i], uint32(pos)`,
		new:    `a.Dialect, a.Name, a.Pos = Labels, s[:i], uint32(pos)+2`,
		slip:   "labels count positions from 1",
		shared: true,
	},
	{
		file: "klpreloc/gate.go", function: "gates.constant",
		old: `return choice{note: a, gate: vmlinux}, true
	case a.Dialect.label():`,
		new: `return choice{note: a, gate: a.LPObject + "x"}, true
	case a.Dialect.label():`,
		slip:   "the gate of vmlinux is what the author says",
		shared: true,
	},
	{
		file: "klpreloc/gate.go", function: "gates.constant",
		old: `case a.Object != vmlinux:
		return choice{}, false`,
		new: `case a.Object != vmlinux:
		return choice{note: a, gate: vmlinux}, true`,
		slip:   "all is applied with vmlinux",
		shared: true,
	},
	{
		file: "klpreloc/gate.go", function: "gates.choose",
		old:    `c.gate = modules[0]`,
		new:    `c.gate = owner`,
		slip:   "the gate is the owner",
		shared: true,
	},
	{
		file: "klpreloc/gate.go", function: "gates.oldVmlinux",
		old: `case len(modules) == 1:
		c.gate = modules[0]`,
		new: `case len(modules) > 0:
		c.gate = "ext4"`,
		slip:   "ext4 is there",
		shared: true,
	},
	{
		file: "klpreloc/gate.go", function: "choice.pick",
		old:    `slices.Contains(c.objects, a.Object)`,
		new:    `!slices.Contains(c.objects, a.Object)`,
		slip:   "a use means the other object",
		shared: true,
	},
	{
		file: "klpreloc/late.go", function: "gates.late",
		old:    `return !g.scheme.early() || gate != vmlinux`,
		new:    `return g.scheme.early() && gate != vmlinux`,
		slip:   "relocations of vmlinux are never late",
		shared: true,
	},
	{
		file: "klpreloc/late.go", function: "gates.archable",
		old:    `(e.Kind == special.Alternative || e.Kind == special.Paravirt)`,
		new:    `e.Kind == special.Alternative`,
		slip:   "paravirt sites are patched by themselves",
		shared: true,
	},
	{
		file: "klpreloc/late.go", function: "touched.judge",
		old:    `tables.Sites(s, r.Offset, width)`,
		new:    `[]*special.Entry(nil)`,
		slip:   "a relocation is after its instruction",
		shared: true,
	},
	{
		file: "klpreloc/late.go", function: "touched.judge",
		old:    `tables.Replacements(s, r.Offset, width)`,
		new:    `[]*special.Entry(nil)`,
		slip:   "replacements wait",
		shared: true,
	},
	{
		file: "klpreloc/special/layout.go", function: "",
		old:    `alternative(13, 10, 11), // 4.0 to 5.12`,
		new:    `alternative(13, 12, 11), // 4.0 to 5.12`,
		slip:   "the length of the site is the last byte",
		shared: true,
	},
	{
		file: "klpreloc/special/read.go", function: "Table.fill",
		old:    `e.Site = elfrw.RangeOf(site.section, site.offset, n)`,
		new:    `e.Site = elfrw.RangeOf(site.section, site.offset, 1)`,
		slip:   "an instruction has one byte",
		shared: true,
	},
}
