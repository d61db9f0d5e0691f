// SPDX-License-Identifier: GPL-2.0-or-later

package skeleton

import (
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/sympos"
)

// format returns the C file.
func (p *plan) format(declarations string) string {
	for _, h := range []string{"linux/init.h", "linux/kernel.h", "linux/livepatch.h",
		"linux/module.h"} {
		p.page.Include(h)
	}
	var b strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	release := p.Kernel.Release
	if release == "" {
		release = p.Kernel.Name
	}
	add(head, p.Name, comment(release))
	add("#define pr_fmt(fmt) KBUILD_MODNAME \": \" fmt\n\n%s", p.page.Preamble())
	annotated := slices.ContainsFunc(p.uses, func(u use) bool { return !u.exported })
	if annotated {
		add("\n#include \"klp_convert.h\"\n")
	}
	if declarations != "" {
		add("\n%s", declarations)
	}
	if annotated {
		p.formatUses(&b)
	}
	for _, f := range p.functions {
		add("\n%s%s\n{\n\tpr_warn_once(\"%%s has no body yet\\n\", __func__);\n", origin(f),
			static(f.head))
		if f.result != "" {
			add("\treturn %s;\n", f.result)
		}
		add("}\n")
	}
	p.formatPatch(&b)
	v := p.replacer.Version()
	switch registers := v != (kernel.Version{}) && !v.Replaces(); {
	case registers:
		add("%s", enableRegistered)
	default:
		add("%s", enable)
	}
	add("\nmodule_init(livepatch_init);\nmodule_exit(livepatch_exit);\n"+
		"MODULE_DESCRIPTION(\"livepatch of %s\");\nMODULE_LICENSE(\"GPL\");\n"+
		"MODULE_INFO(livepatch, \"Y\");\n", comment(p.replaced()))
	return b.String()
}

const head = `// SPDX-License-Identifier: GPL-2.0-only
/*
 * %s.c - a livepatch for %s
 *
 * Begun by klp-convert new. Each function below replaces one of the kernel: write its body, with
 * the source of the original next to it. While "ready" is not set, the module can be loaded and
 * replaces nothing. Set it to true when all bodies are written.
 */
`

const enable = `
static bool ready; /* = true, when all bodies are written */
module_param(ready, bool, 0444);
MODULE_PARM_DESC(ready, "replace the functions");

static int __init livepatch_init(void)
{
	if (!ready) {
		pr_notice("not ready: nothing is replaced\n");
		return 0;
	}
	return klp_enable_patch(&patch);
}

/* A livepatch is disabled through sysfs; after that it may be unloaded. */
static void __exit livepatch_exit(void)
{
}
`

// enableRegistered is for kernels before 5.1 (958ef1e39d24 removed klp_register_patch).
const enableRegistered = `
static bool ready; /* = true, when all bodies are written */
module_param(ready, bool, 0444);
MODULE_PARM_DESC(ready, "replace the functions");

static bool registered;

static int __init livepatch_init(void)
{
	int err;

	if (!ready) {
		pr_notice("not ready: nothing is replaced\n");
		return 0;
	}
	err = klp_register_patch(&patch);
	if (err)
		return err;
	err = klp_enable_patch(&patch);
	if (err) {
		WARN_ON(klp_unregister_patch(&patch));
		return err;
	}
	registered = true;
	return 0;
}

/* A livepatch is disabled through sysfs; after that it may be unloaded. */
static void __exit livepatch_exit(void)
{
	if (registered)
		WARN_ON(klp_unregister_patch(&patch));
}
`

// static makes a definition that is not visible in other files, in lines of less than 100 columns
// where parameters are short enough.
func static(head string) string {
	const width = 96
	var b strings.Builder
	column := 0
	for i, word := range strings.SplitAfter("static "+head, ", ") {
		if i > 0 && column+len(word) > width {
			b.WriteString("\n\t\t")
			column = 16
		}
		b.WriteString(word)
		column += len(word)
	}
	return strings.ReplaceAll(b.String(), ", \n", ",\n")
}

// origin is the comment before a replacement.
func origin(f function) string {
	text := "/*\n * The original: " + comment(f.Ref.String())
	if f.origin != "" {
		text += ", " + comment(f.origin)
	}
	text += "\n"
	for _, r := range f.remarks {
		text += " * " + comment(r) + "\n"
	}
	return text + " */\n"
}

// comment returns a text as it can be in a comment and in a string of C.
func comment(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, strings.ReplaceAll(text, "*/", "* /"))
}

// replaced names the functions, for the module's description.
func (p *plan) replaced() string {
	var names []string
	for _, f := range p.functions {
		names = append(names, f.Ref.String())
	}
	const most = 4
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// formatUses writes the annotations, and a table that uses what is annotated: a record that
// nothing uses is dropped. What is not declared is commented out.
func (p *plan) formatUses(b *strings.Builder) {
	for _, object := range p.usedObjects() {
		declared := func(u use) bool { return u.Object == object && !u.exported && u.declared }
		mark := ""
		if !slices.ContainsFunc(p.uses, declared) {
			mark = "// "
		}
		fmt.Fprintf(b, "\n%sstatic KLP_MODULE_RELOC(%s) %s[] = {\n", mark, object,
			arrayOf(object))
		for _, u := range p.uses {
			if u.Object == object && !u.exported {
				fmt.Fprintf(b, "\t%sKLP_SYMPOS(%s, %d),\n", u.mark(), u.Name, u.Position)
			}
		}
		fmt.Fprintf(b, "%s};\n", mark)
	}
	mark := ""
	if !slices.ContainsFunc(p.uses, func(u use) bool { return !u.exported && u.declared }) {
		mark = "// "
	}
	fmt.Fprintf(b, "\n/* Remove this when the functions below use the symbols. */\n"+
		"%sstatic void *borrowed[] __used = {\n", mark)
	for _, u := range p.uses {
		if !u.exported {
			fmt.Fprintf(b, "\t%s(void *)(unsigned long)&%s,\n", u.mark(), u.Name)
		}
	}
	fmt.Fprintf(b, "%s};\n", mark)
}

// mark comments a line out that does not compile before the author has declared the symbol.
func (u *use) mark() string {
	if u.declared {
		return ""
	}
	return "// "
}

func (p *plan) usedObjects() (all []string) {
	for _, u := range p.uses {
		if !u.exported && !slices.Contains(all, u.Object) {
			all = append(all, u.Object)
		}
	}
	slices.Sort(all)
	return all
}

// formatPatch writes klp_func, klp_object and klp_patch.
func (p *plan) formatPatch(b *strings.Builder) {
	var objects []string
	for _, f := range p.functions {
		if !slices.Contains(objects, f.Object) {
			objects = append(objects, f.Object)
		}
	}
	slices.Sort(objects)
	for _, object := range objects {
		fmt.Fprintf(b, "\nstatic struct klp_func %s[] = {\n", funcsOf(object))
		for _, f := range p.functions {
			if f.Object != object {
				continue
			}
			fmt.Fprintf(b, "\t{\n\t\t.old_name = %q,\n\t\t.new_func = %s,\n", f.Name, f.newName)
			if f.Position > 0 {
				fmt.Fprintf(b, "\t\t.old_sympos = %d,\n", f.Position)
			}
			b.WriteString("\t},\n")
		}
		b.WriteString("\t{ }\n};\n")
	}
	// Before 5.8 the klp relocations of vmlinux symbols are applied with the klp_object of vmlinux
	// (7c8e2bdd5f0d).
	extra := !p.replacer.Scheme().Early() && !slices.Contains(objects, sympos.Vmlinux) &&
		slices.ContainsFunc(p.uses, func(u use) bool {
			return u.Object == sympos.Vmlinux && !u.exported
		})
	if extra {
		b.WriteString("\n/* With this object the kernel resolves the symbols of vmlinux. */\n" +
			"static struct klp_func funcs_of_vmlinux[] = { { } };\n")
		objects = append(objects, sympos.Vmlinux)
	}
	b.WriteString("\nstatic struct klp_object objs[] = {\n")
	for _, object := range objects {
		if object == sympos.Vmlinux {
			b.WriteString("\t{\n\t\t/* no name: vmlinux */\n")
		} else {
			fmt.Fprintf(b, "\t{\n\t\t.name = %q,\n", object)
		}
		fmt.Fprintf(b, "\t\t.funcs = %s,\n\t},\n", funcsOf(object))
	}
	b.WriteString("\t{ }\n};\n\nstatic struct klp_patch patch = {\n\t.mod = THIS_MODULE,\n" +
		"\t.objs = objs,\n};\n")
}
