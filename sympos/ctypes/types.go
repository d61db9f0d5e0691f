// SPDX-License-Identifier: GPL-2.0-or-later

package ctypes

// A Key is how a reader finds a type: its number in BTF, its place in DWARF.
type Key uint64

// A Decoder reads types of one source. Its errors are of one line.
type Decoder interface {
	// Decode returns the type with that key. Types calls it once for each key.
	Decode(Key) (*Type, error)
	// Functions returns all functions of that name, in the order of the source.
	Functions(name string) ([]Function, error)
	// Variables returns all variables of that name.
	Variables(name string) ([]Variable, error)
	// Named returns all types of that kind (Struct, Union, Enum, Typedef) and name, complete
	// ones only if there are any.
	Named(kind Kind, name string) ([]Ref, error)
	// FunctionNames returns the names of all functions that the source defines, in its order,
	// once or more.
	FunctionNames() ([]string, error)
}

// A Function is a function that the source defines or declares.
type Function struct {
	Name string
	// Symbol is the name of its symbol if the source gives it another one, as asm labels do;
	// else "". Only DWARF tells.
	Symbol string
	Type   Ref // to a Func
	// Declared marks a declaration: the unit uses a function of another one.
	Declared bool
	// Static marks a function that is not visible outside its file. Only DWARF tells: pahole
	// marks all functions of a kernel as static (seen in 6.1, 6.12 and 7.3).
	Static bool
	// File is the source file of the unit, as the compiler was given it; "" in BTF.
	File string
	// Compiled is set if a compiler made the function, so that its type is what the type says. A
	// function in assembler has debug information since gas 2.35, without parameters and result,
	// and BTF made from that says void f(void) of memcpy. DWARF tells compilers from assemblers,
	// BTF does not. Whoever knows that a function calls ftrace may set it.
	Compiled bool
}

// A Variable is a variable that the source defines or declares.
type Variable struct {
	Name   string
	Symbol string // see Function.Symbol
	Type   Ref
	// Declared marks a declaration: the unit uses a variable of another one.
	Declared bool
	Static   bool // see Function.Static
	// Section is the ELF section, as far as BTF tells; ".data..percpu" for per-CPU variables.
	// "" in DWARF: there the symbol's section tells.
	Section string
	// Size is in bytes as the source has it, 0 if it does not say.
	Size uint64
	File string // see Function.File
}

// Types are the types of one build of a kernel or a module.
type Types struct {
	// Name is that of the file, for messages.
	Name string
	// Format is "BTF" or "DWARF".
	Format string
	// BuildID is the build-id of the file that was read, in hex; "" if it has none.
	BuildID string
	// PointerSize is in bytes.
	PointerSize uint64
	// BigEndian is the machine's byte order.
	BigEndian bool
	// OnClose is what Close calls, nil if there is nothing to close.
	OnClose func()

	decoder Decoder
	decoded map[Key]*Type
}

// New returns the types that a decoder reads. The caller sets the exported fields.
func New(d Decoder) *Types {
	return &Types{decoder: d, decoded: map[Key]*Type{}}
}

// Ref returns a reference to the type with that key, for decoders.
func (t *Types) Ref(key Key) Ref { return Ref{types: t, key: key} }

// decode returns the type with that key.
func (t *Types) decode(key Key) *Type {
	if known := t.decoded[key]; known != nil {
		return known
	}
	// A decoder that leads back to this key, over a stub of another source say, finds this.
	t.decoded[key] = Unread("a type that consists of itself")
	y, err := t.decoder.Decode(key)
	if err != nil {
		y = Unread(err.Error())
	}
	t.decoded[key] = y
	return y
}

// Decoded returns how many types were decoded so far.
func (t *Types) Decoded() int { return len(t.decoded) }

// Functions returns all functions of that name, or with a symbol of that name, in the order of the
// source; none is not an error. BTF has static functions of one name and one prototype once.
func (t *Types) Functions(name string) ([]Function, error) { return t.decoder.Functions(name) }

// Variables returns all variables of that name, or with a symbol of that name; none is not an error.
func (t *Types) Variables(name string) ([]Variable, error) { return t.decoder.Variables(name) }

// Named returns all types of that kind (Struct, Union, Enum, Typedef) and name; none is not an
// error. Those that are declared only come if there is no complete one.
func (t *Types) Named(kind Kind, name string) ([]*Type, error) {
	refs, err := t.decoder.Named(kind, name)
	list := make([]*Type, len(refs))
	for i, r := range refs {
		list[i] = r.Type()
	}
	return list, err
}

// FunctionNames returns the names of all functions that the source defines, in its order. A name
// that several functions have may be in it several times.
func (t *Types) FunctionNames() ([]string, error) { return t.decoder.FunctionNames() }

// Decoder returns the decoder that New was given.
func (t *Types) Decoder() Decoder { return t.decoder }

// Close closes what the Types are read from, if they hold it open. Types that were decoded before
// stay valid.
func (t *Types) Close() {
	if t.OnClose != nil {
		t.OnClose()
		t.OnClose = nil
	}
}

// Inner returns a reference to a type that has no key, for decoders.
func Inner(y *Type) Ref { return Ref{inner: y} }
