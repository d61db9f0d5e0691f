// SPDX-License-Identifier: GPL-2.0-or-later

package annotation

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// KLP_RELOC_SYMBOL gives an extern an assembler name that says everything:
//
//	.klp.sym.rela.<livepatched object>.<symbol object>.<name>,<position>
//	.klp.sym.rela.<livepatched object>.<symbol object>.<name>.<position>
//
// The comma is the older spelling; assemblers up to 2.36 misread it, so the
// dot came. Object names hold no dots and symbol names may ("foo.isra.0"), so
// the objects are read from the left and the position from the right: what
// follows the last comma or, without one, the last dot. Some toolchains keep
// the quotes around the name. KLP_RELOC_SYMBOL_FILE has a prefix of its own
// (source.go).

// labelLimit is more than any label needs: two objects of 55 bytes, a name of
// 511 and a position.
const labelLimit = 2048

// IsLabel reports whether a symbol's name is in label form.
func IsLabel(name string) bool {
	name = strings.TrimPrefix(name, `"`)
	return strings.HasPrefix(name, labelPrefix) || isFileLabel(name)
}

// ParseLabel parses a label.
func ParseLabel(label string) (a Annotation, err error) {
	if len(label) > labelLimit+pathLimit {
		return a, fmt.Errorf("it has %d bytes", len(label))
	}
	s, quoted := strings.CutPrefix(label, `"`)
	if quoted {
		var ok bool
		if s, ok = strings.CutSuffix(s, `"`); !ok {
			return a, fmt.Errorf("the closing quote is missing")
		}
	}
	if file, ok := strings.CutPrefix(s, fileLabelPrefix); ok {
		return parseFileLabel(file)
	}
	if len(label) > labelLimit {
		return a, fmt.Errorf("it has %d bytes", len(label))
	}
	s = strings.TrimPrefix(s, labelPrefix)
	var ok1, ok2 bool
	a.LPObject, s, ok1 = strings.Cut(s, ".")
	a.Object, s, ok2 = strings.Cut(s, ".")
	if !ok1 || !ok2 {
		return a, fmt.Errorf("two object names and a symbol name must follow %s", labelPrefix)
	}
	i := strings.LastIndexByte(s, ',')
	if i < 0 {
		i = strings.LastIndexByte(s, '.')
	}
	if i < 0 {
		return a, fmt.Errorf("the position is missing")
	}
	pos, err := strconv.ParseUint(s[i+1:], 10, 32)
	if err != nil {
		return a, fmt.Errorf("position %q is not a number of 32 bits", diag.Clip(s[i+1:]))
	}
	a.Dialect, a.Name, a.Pos = Labels, s[:i], uint32(pos)
	return a, nil
}

// readLabels reads the symbols in label form.
func (r *reader) readLabels() {
	for _, y := range r.File.Symbols {
		if !IsLabel(y.Name) {
			continue
		}
		r.readLabel(y)
	}
}

// readLabel reads one symbol in label form.
func (r *reader) readLabel(y *elfrw.Symbol) {
	if klpabi.IsKlpSymbol(y) {
		return // an object called "rela" or "file"
	}
	r.Set.labels++
	if !y.Undefined() {
		r.reportDefined(diag.Nowhere, diag.Clip(y.Name), y)
		return
	}
	a, err := ParseLabel(y.Name)
	if err != nil {
		d := diag.Errorf(diag.BadLabel, diag.Nowhere, diag.Clip(y.Name), "label %q can't be read: %v",
			diag.Clip(y.Name), err)
		if isFileLabel(strings.TrimPrefix(y.Name, `"`)) {
			d = d.Hint(`write it with klp_convert.h: KLP_RELOC_SYMBOL_FILE(lp_obj, sym_obj, name, "path/to/file.c")`)
		} else {
			d = d.Hint("write it with klp_convert.h: KLP_RELOC_SYMBOL_POS(lp_obj, sym_obj, name, pos)")
		}
		r.Add(d)
		return
	}
	if a.Dialect == FileLabels {
		if err := CheckPath(a.File); err != nil {
			r.Add(diag.Errorf(diag.BadFile, diag.Nowhere, diag.Clip(y.Name), "file of %s: %v",
				diag.Clip(a.Name), err))
			return
		}
	}
	a.Symbol = y
	r.Annotations = append(r.Annotations, a)
}
