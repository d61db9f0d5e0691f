// SPDX-License-Identifier: GPL-2.0-or-later

package inlining

import "github.com/klp-convert/klp-convert/sympos/debuginfo"

const (
	atCallReturnPC = 0x7d
	maxCalls       = 1 << 20
)

// Calls returns the names, as C has them, of the functions that the code of a file calls directly,
// by the address after the call, as debuginfo.File.Place has it. Compilers describe calls only if
// they optimise (gcc since 4.7, clang since 11).
//
// The error wraps debuginfo.ErrNone if the file has no debug information.
func Calls(f *debuginfo.File) (map[uint64]string, error) {
	info, err := debuginfo.OpenInfo(f)
	if err != nil {
		return nil, err
	}
	defer info.Close()
	r := &reader{info: info, called: map[uint64]string{}}
	calls := map[uint64]string{}
	for _, u := range info.Units() {
		if !u.HasTypes() || u.Assembler {
			continue
		}
		err := info.Walk(u, func(e *debuginfo.Entry, depth int) (below bool, err error) {
			returns, origin := uint64(atCallReturnPC), uint64(atCallOrigin)
			switch e.Tag {
			case tagSubprogram, tagLexicalBlock, tagInlined:
				return true, nil
			case tagGNUCallSite:
				returns, origin = atLowPC, atAbstractOrigin
			case tagCallSite:
			default:
				return depth == 0, nil
			}
			to, ok, err := info.Reference(e, origin)
			if !ok || err != nil {
				return false, nil // an indirect call
			}
			address, ok, err := info.AddressOf(e, returns)
			if !ok || err != nil || len(calls) == maxCalls {
				return false, err
			}
			calls[address], err = r.nameOf(to)
			return false, err
		})
		if err != nil {
			return nil, err
		}
	}
	return calls, nil
}
