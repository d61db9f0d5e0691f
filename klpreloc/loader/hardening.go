// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
)

// What other parts of the kernel want of a module's code, which the module loader does
// not check. Most of it comes from the compiler's flags or from objtool; a module built
// without them loads, and fails when its code runs:
//
//	return thunks    x86    .return_sites names each jump to __x86_return_thunk
//	retpolines       x86    .modinfo says retpoline=
//	IBT, BTI         x86    a function whose address is taken begins with endbr64
//	                 arm64  … with bti c, or paciasp
//	sealed functions x86    objtool lists functions of which the kernel removes that
//	kCFI             both   before such a function is the hash of its type
//	call depth       x86    .call_sites, and paddings before what they call
//	shadow stacks    arm64  .init.eh_frame
//
// Whether the kernel has it, its configuration tells; where that is not available, one of
// the kernel's modules does.
func checkMitigations(m *view, k *facts) (out result) {
	switch m.file.Header.Machine {
	case elf.EM_X86_64:
		checkReturnThunks(&out, m, k)
		checkRetpolines(&out, m, k)
		checkLandingPads(&out, m, k, &ibt)
		checkSealed(&out, m, k)
		checkCallTypes(&out, m, k)
		checkCallDepth(&out, m, k)
	case elf.EM_AARCH64:
		checkLandingPads(&out, m, k, &bti)
		checkCallTypes(&out, m, k)
		checkShadowStack(&out, m, k)
	}
	return out
}

// builtWith reports whether the kernel was built with one of the options, and whether that is
// known. sign is what each module of such a kernel has, where there is no configuration.
func (k *facts) builtWith(sign func(m *elfrw.File) bool, options ...string) (yes, known bool) {
	known = true
	for _, o := range options {
		is, told := k.set(o)
		if is {
			return true, true
		}
		known = known && told
	}
	if !known && sign != nil && k.witness != nil && sign(k.witness) {
		return true, true
	}
	return false, known
}

func has(section string) func(m *elfrw.File) bool {
	return func(m *elfrw.File) bool { return m.Section(section) != nil }
}

// A place is in a section of the livepatch.
type place struct {
	section *elfrw.Section
	offset  uint64
}

// sites reads a table of signed 32-bit distances, from each to its site: .return_sites,
// .call_sites, .ibt_endbr_seal (arch/x86/kernel/alternative.c). Late ones are not counted.
func sites(m *elfrw.File, name string) (list []place) {
	for _, s := range m.Sections {
		if !s.HasRelocs() || s.Target == nil || s.Target.Name != name || !s.Target.Alloc() {
			continue
		}
		r := s.ReadRelocs()
		for x := r.Next(); x != nil; x = r.Next() {
			if x.Sym != nil && x.Sym.Section != nil && x.Type != 0 { // R_*_NONE
				list = append(list, place{x.Sym.Section, x.Sym.Value + uint64(x.Addend)})
			}
		}
	}
	return list
}

// checkReturnThunks: since 6.9 (4461438a8405) __x86_return_thunk warns when it is used, unless
// the kernel has none of the mitigations that replace it (arch/x86/lib/retpoline.S).
// apply_returns replaces the jumps that .return_sites names. Kernels that took the commit
// under an older number have __warn_thunk too. Seen on 6.12 and 7.3.
func checkReturnThunks(out *result, m *view, k *facts) {
	const thunk = "__x86_return_thunk"
	all := sites(m.file, ".return_sites")
	named := map[place]bool{}
	for _, p := range all {
		named[p] = true
	}
	jumps, read, unread := map[place]bool{}, map[*elfrw.Section]bool{}, map[*elfrw.Section]bool{}
	var first *elfrw.Rela
	var at *elfrw.Section
	count, passed := 0, true
	for _, s := range m.file.Sections {
		t := s.Target
		if !s.HasRelocs() || t == nil || !t.Alloc() {
			continue
		}
		// A copy of a replacement is run.
		code := t.Flags&uint64(elf.SHF_EXECINSTR) != 0 && t.Name != ".altinstr_replacement"
		r, symbols, relocs := s.ReadRelocs(), false, false
		for x := r.Next(); x != nil; x = r.Next() {
			symbols, relocs = symbols || x.Sym != nil, true
			if x.Sym == nil || symbolName(x.Sym) != thunk {
				continue
			}
			const jmp, prefix = 1, 2 // bytes before the distance
			if named[place{t, x.Offset - jmp}] || named[place{t, x.Offset - prefix}] {
				jumps[place{t, x.Offset - jmp}], jumps[place{t, x.Offset - prefix}] = true, true
				continue
			}
			if !code {
				continue
			}
			if count++; first == nil || passed && !isFreed(t) {
				y := *x
				first, at, passed = &y, t, isFreed(t)
			}
		}
		read[t] = read[t] || symbols
		// Without its link to the symbols a section is read as if it had none.
		unread[t] = unread[t] || relocs && !symbols
	}
	checkReturnSites(out, k, slices.DeleteFunc(all, func(p place) bool {
		return jumps[p] || !read[p.section] || unread[p.section]
	}))
	if count == 0 {
		return
	}
	yes, known := k.warnsOfThunks()
	if !known {
		out.notChecked("whether the kernel warns of return thunks that .return_sites does not name",
			"nothing tells its configuration")
	}
	if !yes {
		return
	}
	cause := "jump to " + thunk + " that .return_sites does not name: the kernel can't replace it"
	if count > 1 {
		cause = fmt.Sprint(count, " jumps to ", thunk,
			" that .return_sites does not name: the kernel can't replace them")
	}
	f := problem(diag.ReturnThunk, cause+", and warns when a function returns by it").
		at(at, first.Offset).
		fix("let objtool see all of the module: no OBJECT_FILES_NON_STANDARD in its Makefile").
		fix("no object that was built elsewhere")
	if name := m.functionAt(at, first.Offset); name != "" {
		f = f.of(name)
	}
	when := diag.Calling
	if passed {
		when = diag.Enabling
	}
	out.add(f.when(when, "", "", says("Unpatched return thunk in use. This should not happen!")))
}

// symbolName is the name of an ordinary or of a klp symbol.
func symbolName(y *elfrw.Symbol) string {
	if !strings.HasPrefix(y.Name, klpabi.SymbolPrefix) {
		return y.Name
	}
	if _, name, _, err := klpabi.ParseSymbolName(y.Name); err == nil {
		return name
	}
	return y.Name
}

// warnsOfThunks reports whether the kernel's return thunk warns.
func (k *facts) warnsOfThunks() (yes, known bool) {
	mitigations := []string{"MITIGATION_UNRET_ENTRY", "MITIGATION_SRSO",
		"MITIGATION_CALL_DEPTH_TRACKING", "CPU_UNRET_ENTRY", "CPU_SRSO", "CALL_DEPTH_TRACKING"}
	there := len(k.table.Lookup(klppatch.Vmlinux, "__warn_thunk")) > 0
	if !there && !k.WarnThunk {
		return false, true
	}
	if yes, known = k.builtWith(has(".return_sites"), "MITIGATION_RETHUNK", "RETHUNK"); !yes {
		return yes, known
	}
	if k.config == nil {
		return true, true // each of them is the default
	}
	return k.builtWith(nil, mitigations...)
}

// checkReturnSites: apply_returns warns of a site that is no jump to the thunk (5.19, and
// the stable kernels that have return thunks; seen in the sources of 5.10.262).
func checkReturnSites(out *result, k *facts, all []place) {
	if yes, _ := k.builtWith(has(".return_sites"), "MITIGATION_RETHUNK", "RETHUNK"); yes &&
		len(all) > 0 {
		p := all[0]
		message := says("missing return thunk: %s-%s: %s", anything, anything, anything)
		out.add(problem(diag.ReturnThunk, ".return_sites names a place that is no jump to "+
			"__x86_return_thunk").
			at(p.section, p.offset).fix("build it again, with this kernel's objtool").
			when(diag.Loading, "", "", message))
	}
}

// checkRetpolines follows check_modinfo_retpoline in kernel/module/main.c; retpoline_module_ok
// prints nothing where the processor or the command line needs none (since 4.16, caf7501a1b4e).
func checkRetpolines(out *result, m *view, k *facts) {
	marked := func(m *elfrw.File) bool {
		_, is := klpabi.ReadModinfo(m).Value("retpoline")
		return is
	}
	_, done := m.info.Value("retpoline")
	if _, built := m.info.Value("vermagic"); done || !built {
		return // without any of what modpost writes, there is a finding for that
	}
	if yes, _ := k.builtWith(marked, "MITIGATION_RETPOLINE", "RETPOLINE"); !yes {
		return
	}
	out.add(problem(diag.NoRetpolines, "there is no retpoline= in .modinfo: the kernel was built "+
		"with retpolines, "+
		"and warns, unless it runs without them (spectre_v2=off)").
		fix("build it with Kbuild, against the headers of %s", k.title()).
		when(diag.Loading, "", "", says("Spectre V2 : System may be vulnerable to spectre v2"),
			says("%s: loading module not compiled with retpoline compiler.", m.name)))
}

// A landingPad is an instruction that an indirect call has to lead to.
type landingPad struct {
	option, feature string
	message         string
	insn, flag      string
	begins          func(code []byte) bool
	sign            func(m *elfrw.File) bool // what modules of such a kernel have
}

var (
	ibt = landingPad{"X86_KERNEL_IBT", "IBT", "Missing ENDBR: %s", "endbr64",
		"-fcf-protection=branch",
		startsWithEndbr, has(".ibt_endbr_seal")}
	bti = landingPad{"ARM64_BTI_KERNEL", "BTI", "Internal error: Oops - BTI: %s", "bti c",
		"-mbranch-protection=pac-ret+bti", startsWithBTI, nil}
)

// trampoline reports whether the function is one of a static call, which is called directly.
func trampoline(y *elfrw.Symbol) bool { return y.Section.Name == ".static_call.text" }

// checkLandingPads: a processor with IBT or BTI faults where an indirect call leads to another
// instruction (x86: since 5.18, exc_control_protection in
// arch/x86/kernel/traps.c or cet.c; arm64: since 5.8, do_el1_bti in arch/arm64/kernel/traps.c).
func checkLandingPads(out *result, m *view, k *facts, p *landingPad) {
	if yes, _ := k.builtWith(p.sign, p.option); !yes {
		return
	}
	var bare []*elfrw.Symbol
	for _, y := range m.taken().own {
		d := y.Section.Data
		if y.Value < uint64(len(d)) && !p.begins(d[y.Value:]) && !trampoline(y) {
			bare = append(bare, y)
		}
	}
	if len(bare) == 0 {
		return
	}
	out.add(problem(diag.NoLandingPad, fmt.Sprintf("%s: called by address, without %s at the "+
		"beginning of the "+
		"function: a fault where the processor has %s", list(bare), p.insn, p.feature)).of(bare[0].Name).
		fix("build it with Kbuild, which has %s for this kernel", p.flag).
		fix("in assembler, SYM_TYPED_FUNC_START or %s", p.insn).
		when(calledWhen(bare), "", "", says(p.message, blank{bare[0].Name + "…", `.*`})))
}

// list names some functions.
func list(all []*elfrw.Symbol) string {
	var names []string
	for _, y := range all[:min(len(all), 4)] {
		names = append(names, y.Name)
	}
	text := strings.Join(names, ", ")
	if more := len(all) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// calledWhen is when the first of the functions is called by address.
func calledWhen(all []*elfrw.Symbol) diag.When {
	early := func(y *elfrw.Symbol) bool { return y.Name == "init_module" || isFreed(y.Section) }
	if slices.ContainsFunc(all, early) {
		return diag.Enabling
	}
	return diag.Calling
}

func startsWithEndbr(code []byte) bool {
	return len(code) >= 4 && string(code[:4]) == "\xf3\x0f\x1e\xfa"
}

// startsWithBTI: what BLR may lead to: BTI C, BTI JC, PACIASP, PACIBSP (Arm ARM, BTI).
func startsWithBTI(code []byte) bool {
	if len(code) < 4 {
		return false
	}
	insn := uint32(code[0]) | uint32(code[1])<<8 | uint32(code[2])<<16 | uint32(code[3])<<24
	return slices.Contains([]uint32{0xd503245f, 0xd50324df, 0xd503233f, 0xd503237f}, insn)
}

// checkSealed: objtool lists the functions whose address nothing in their object takes, and the
// kernel removes their endbr64 (.ibt_endbr_seal, apply_seal_endbr; since 5.18,
// ed53a0d97197). A livepatch that takes the address of one through a klp symbol calls it in vain.
func checkSealed(out *result, m *view, k *facts) {
	if yes, _ := k.builtWith(has(".ibt_endbr_seal"), "X86_KERNEL_IBT"); !yes {
		return
	}
	taken := m.taken().klp
	for i := range taken {
		y := &taken[i]
		object, name, position, err := klpabi.ParseSymbolName(y.Name)
		if err != nil {
			continue
		}
		yes, known := k.isSealed(object, name, position)
		if !known {
			out.notChecked("whether "+name+" of "+object+", whose address is taken, may be called by it",
				"a kernel image tells, and a module, in .ibt_endbr_seal; other files do not")
		}
		if !yes {
			continue
		}
		out.add(problem(diag.SealedFunction, fmt.Sprintf("the address of %s of %s is taken; the "+
			"kernel removes the "+
			"endbr64 of that function: a fault when it is called by address, where the processor "+
			"has IBT", name, object)).at(y.section, y.offset).of(name).
			fix("take the address of a function of the livepatch that calls %s", name).
			when(diag.Calling, "", "", says("Missing ENDBR: %s", blank{name + "…", `.*`})))
	}
}

// isSealed reports whether the kernel removes the function's endbr64, and whether that is
// known.
func (k *facts) isSealed(object, name string, position uint64) (yes, known bool) {
	if object != klppatch.Vmlinux {
		m := k.modules[object]
		if m == nil {
			return false, !k.table.Has(object)
		}
		y := symbolAt(m, name, position)
		if y == nil || y.Section == nil {
			return false, true // there are other findings for that
		}
		all := sites(m, ".ibt_endbr_seal")
		return slices.Contains(all, place{y.Section, y.Value}), true
	}
	list := k.table.Lookup(object, name)
	n := max(position, 1)
	if n > uint64(len(list)) || !strings.ContainsRune("tTwW", rune(list[n-1].Type)) {
		return false, true
	}
	sealed := k.table.Facts(object).Sealed
	_, yes = slices.BinarySearch(sealed, list[n-1].Address)
	return yes, sealed != nil
}

// checkCallTypes: with kCFI (since 6.1, 89245600941e; CONFIG_CFI since 6.18, CONFIG_CFI_CLANG
// before) a call by address compares the hash of the function's type, which is before the
// function (kernel/cfi.c, report_cfi_failure).
func checkCallTypes(out *result, m *view, k *facts) {
	yes, _ := k.builtWith(nil, "CFI", "CFI_CLANG")
	if !yes {
		return
	}
	if !k.KernelCFI {
		out.notChecked("whether the module's functions may be called by address",
			"CFI before 6.1 goes by jump tables")
		return
	}
	hashes := map[string]bool{}
	for _, y := range m.file.Symbols {
		if name, is := strings.CutPrefix(y.Name, "__cfi_"); is && y.Section != nil {
			hashes[name] = true
		}
	}
	var bare []*elfrw.Symbol
	for _, y := range m.taken().own {
		if !hashes[y.Name] && !m.hashed(y) && !trampoline(y) {
			bare = append(bare, y)
		}
	}
	if len(bare) == 0 {
		return
	}
	out.add(problem(diag.NoCallType, fmt.Sprintf("%s: called by address, without a kCFI "+
		"hash before the "+
		"function: the kernel has CONFIG_CFI, and treats the call as an attack", list(bare))).
		of(bare[0].Name).fix("build it with Kbuild and the kernel's compiler (-fsanitize=kcfi)").
		fix("in assembler, SYM_TYPED_FUNC_START").
		when(calledWhen(bare), "", "", says("CFI failure at %s (target: %s; expected type: %s)",
			anything, blank{bare[0].Name + "…", `.*`}, anything)))
}

// hashed reports whether a hash is before the function: x86 has a mov of it there, with
// or without padding after it; arm64 a word that belongs to no instruction before it.
func (m *view) hashed(y *elfrw.Symbol) bool {
	d, at := y.Section.Data, y.Value
	if at > uint64(len(d)) {
		return false
	}
	if m.file.Header.Machine == elf.EM_X86_64 {
		const mov, length, padded = 0xb8, 5, 16
		return at >= length && d[at-length] == mov || at >= padded && d[at-padded] == mov
	}
	const nop, hash = 0xd503201f, 4
	if at < hash {
		return false
	}
	word := m.file.Uint32(d[at-hash:])
	return word != 0 && word != nop && m.functionAt(y.Section, at-hash) == ""
}

// checkCallDepth: with call depth tracking (since 6.2; retbleed=stuff on the command line) the
// kernel counts the calls that .call_sites names, in a padding before what is called
// (arch/x86/kernel/callthunks.c, patch_dest).
func checkCallDepth(out *result, m *view, k *facts) {
	if yes, _ := k.builtWith(nil, "MITIGATION_CALL_DEPTH_TRACKING", "CALL_DEPTH_TRACKING"); !yes {
		return
	}
	all := sites(m.file, ".call_sites")
	if len(all) == 0 {
		return
	}
	calls := map[place]bool{}
	for _, p := range all {
		calls[place{p.section, p.offset + 1}] = true
	}
	const padding = "\x90\x90\x90\x90\x90\x90\x90\x90\x90" // as long as the code that counts
	for _, s := range m.file.Sections {
		if !s.HasRelocs() || s.Target == nil || s.Target.Flags&uint64(elf.SHF_EXECINSTR) == 0 {
			continue
		}
		r := s.ReadRelocs()
		for x := r.Next(); x != nil; x = r.Next() {
			if x.Sym == nil || x.Sym.Section == nil || !calls[place{s.Target, x.Offset}] {
				continue
			}
			t, to := x.Sym.Section, x.Sym.Value+uint64(x.Addend)+4
			if to > uint64(len(t.Data)) || bytes.HasSuffix(t.Data[:to], []byte(padding)) {
				continue
			}
			name := m.functionAt(t, to)
			out.add(note(diag.NoPadding, "a call to "+name+", before which there is no padding: with "+
				"retbleed=stuff the kernel does not count it").at(s.Target, x.Offset).of(name).
				fix("build it with Kbuild: -fpatchable-function-entry=16,16 for this kernel").
				when(diag.Loading, "", "", says("Invalid padding area for %s", blank{name + "…", `.*`})))
			return
		}
	}
}

// checkShadowStack follows module_finalize and scs_patch in arch/arm64/kernel/module.c: where the
// processor has no pointer authentication, the kernel uses a shadow stack in its place, by
// .init.eh_frame.
func checkShadowStack(out *result, m *view, k *facts) {
	if yes, _ := k.set("SHADOW_CALL_STACK"); !yes {
		return
	}
	if dynamic, _ := k.set("DYNAMIC_SCS"); dynamic && m.file.Section(".init.eh_frame") != nil {
		return
	}
	out.notChecked("whether the module's functions use the shadow call stack, and leave x18 alone",
		"only its code tells")
}
