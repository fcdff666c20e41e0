package wire

import (
	"math/bits"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/whittle-auth/whittle/token/datalog"
)

// firstSymbol is the index of the first symbol that a token declares itself.
// Indices between the default symbols and this one name nothing.
const firstSymbol = 1024

// querySymbol is the default symbol "query", the head of every query.
const querySymbol = 27

// defaultSymbols is the table that every token starts from (specification,
// section "Symbol table").
var defaultSymbols = [28]string{
	"read", "write", "resource", "operation", "right", "time", "role", "owner",
	"tenant", "namespace", "user", "team", "service", "admin", "email", "group",
	"member", "ip_address", "client", "client_ip", "domain", "path", "version",
	"cluster", "node", "hostname", "nonce", "query",
}

// defaultsFrom has for each byte the default symbols that begin with it, as bits.
var defaultsFrom = func() (t [256]uint32) {
	for i, s := range defaultSymbols {
		t[s[0]] |= 1 << i
	}
	return t
}()

// defaultSymbol returns the index of a default symbol.
func defaultSymbol(s string) (uint64, bool) {
	if s == "" {
		return 0, false
	}
	for set := defaultsFrom[s[0]]; set != 0; set &= set - 1 {
		if i := bits.TrailingZeros32(set); defaultSymbols[i] == s {
			return uint64(i), true
		}
	}
	return 0, false
}

// Table is the symbols and public keys that a token's first-party blocks share,
// in the order of their declaration and without the default symbols. The zero
// value is the table of a token without blocks.
type Table struct {
	Symbols []string
	Keys    []datalog.Key
}

// Clone returns a table that can be extended on its own.
func (t *Table) Clone() *Table {
	// Clipped slices move on their first append, so the copies may share memory.
	return &Table{slices.Clip(t.Symbols), slices.Clip(t.Keys)}
}

// Extend declares further symbols and keys, whose memory it may share.
func (t *Table) Extend(symbols []string, keys []datalog.Key) {
	if len(t.Symbols) == 0 {
		t.Symbols = slices.Clip(symbols)
	} else {
		t.Symbols = append(t.Symbols, symbols...)
	}
	t.Keys = append(t.Keys, keys...)
}

// A symbolView is a shared table followed by the symbols of one block.
type symbolView struct{ base, own []string }

// at returns the symbol with an index.
func (v *symbolView) at(i uint64) (string, bool) {
	if i < uint64(len(defaultSymbols)) {
		return defaultSymbols[i], true
	}
	if i < firstSymbol {
		return "", false
	}
	i -= firstSymbol
	if i < uint64(len(v.base)) {
		return v.base[i], true
	}
	if i -= uint64(len(v.base)); i < uint64(len(v.own)) {
		return v.own[i], true
	}
	return "", false
}

// find returns the index of a symbol, the defaults included. It is linear:
// [interner] is for many searches.
func (v *symbolView) find(s string) (uint64, bool) {
	if i, ok := defaultSymbol(s); ok {
		return i, true
	}
	if i := slices.Index(v.base, s); i >= 0 {
		return firstSymbol + uint64(i), true
	}
	if i := slices.Index(v.own, s); i >= 0 {
		return firstSymbol + uint64(len(v.base)+i), true
	}
	return 0, false
}

// A keyView is a shared table followed by the keys of one block.
type keyView struct{ base, own []datalog.Key }

func (v *keyView) at(i uint64) (datalog.Key, bool) {
	if i < uint64(len(v.base)) {
		return v.base[i], true
	}
	if i -= uint64(len(v.base)); i < uint64(len(v.own)) {
		return v.own[i], true
	}
	return datalog.Key{}, false
}

func (v *keyView) find(k datalog.Key) (uint64, bool) {
	if i := slices.Index(v.base, k); i >= 0 {
		return uint64(i), true
	}
	if i := slices.Index(v.own, k); i >= 0 {
		return uint64(len(v.base) + i), true
	}
	return 0, false
}

// walked is how many symbols are gone through before a map is built: up to then, that is
// faster.
const walked = 1 << 10

// An interner finds the indices of symbols and keys and adds what is missing.
type interner struct {
	symbols symbolView
	keys    keyView
	steps   int               // symbols gone through
	index   map[string]uint64 // nil up to walked steps
}

func newInterner(t *Table) *interner {
	in := new(interner)
	in.start(t)
	return in
}

// start begins with the symbols and keys of a table, which may be nil.
func (in *interner) start(t *Table) {
	*in = interner{}
	if t != nil {
		in.symbols.base, in.keys.base = t.Symbols, t.Keys
	}
}

// build makes the index.
func (in *interner) build() {
	in.index = make(map[string]uint64, 2*(len(in.symbols.base)+len(in.symbols.own)))
	next := uint64(firstSymbol)
	for _, part := range [][]string{in.symbols.base, in.symbols.own} {
		for _, s := range part {
			in.index[s] = next
			next++
		}
	}
	for i, s := range defaultSymbols {
		in.index[s] = uint64(i)
	}
}

// find returns the index of a symbol that is known already.
func (in *interner) find(s string) (uint64, bool) {
	if in.index == nil {
		if in.steps += len(in.symbols.base) + len(in.symbols.own); in.steps <= walked {
			return in.symbols.find(s)
		}
		in.build()
	}
	i, ok := in.index[s]
	return i, ok
}

// symbol returns the index of a symbol, and adds it where it is new.
func (in *interner) symbol(s string) uint64 {
	if i, ok := in.find(s); ok {
		return i
	}
	return in.add(s)
}

// add adds a symbol that is new.
func (in *interner) add(s string) uint64 {
	i := uint64(firstSymbol + len(in.symbols.base) + len(in.symbols.own))
	in.symbols.own = append(in.symbols.own, s)
	if in.index != nil {
		in.index[s] = i
	}
	return i
}

// key returns the index of a public key, and adds it where it is new.
func (in *interner) key(k datalog.Key) uint64 {
	if i, ok := in.keys.find(k); ok {
		return i
	}
	in.keys.own = append(in.keys.own, k)
	return uint64(len(in.keys.base) + len(in.keys.own) - 1)
}

// declare adds a symbol that a message declares. It must be new: a second
// spelling of one symbol would make equal terms differ.
func (f *fields) declare(in *interner) *Error {
	s, err := f.text()
	if err != nil {
		return err
	}
	if len(in.symbols.base)+len(in.symbols.own) >= f.d.lim.Symbols {
		return f.failf("more than %d symbols", f.d.lim.Symbols)
	}
	if _, ok := in.find(s); ok {
		return f.failf("symbol %q is in the table already", s)
	}
	in.add(s)
	return nil
}

// declareKey adds a public key that a message declares. It must be new.
func (f *fields) declareKey(in *interner) *Error {
	k, err := f.key()
	if err != nil {
		return err
	}
	if len(in.keys.base)+len(in.keys.own) >= f.d.lim.Keys {
		return f.failf("more than %d public keys", f.d.lim.Keys)
	}
	if _, ok := in.keys.find(k); ok {
		return f.failf("public key %s is in the table already", k)
	}
	in.key(k)
	return nil
}

// text reads the current field as UTF-8.
func (f *fields) text() (string, *Error) {
	s := f.string()
	if !utf8.ValidString(s) {
		return "", f.failf("not UTF-8")
	}
	return s, nil
}

// symbol resolves a symbol index in the current field.
func (f *fields) symbol() (string, *Error) {
	s, ok := f.d.symbols.at(f.val)
	if !ok {
		return "", f.failf("symbol %d is not defined here", f.val)
	}
	if f.d.textLeft -= len(s); f.d.textLeft < 0 {
		return "", f.failf("symbols stand for more than %d bytes of text", f.d.lim.Text)
	}
	return s, nil
}

// name resolves a symbol index that must be a name of the language.
func (f *fields) name() (string, *Error) {
	s, err := f.symbol()
	if err == nil && !isName(s) {
		return "", f.failf("%q is not a name", s)
	}
	return s, err
}

// variable resolves a variable's name. Unlike other symbols, variables have
// indices of 32 bits.
func (f *fields) variable() (datalog.Variable, *Error) {
	if _, err := f.uint32(); err != nil {
		return "", err
	}
	s, err := f.name()
	return datalog.Variable(s), err
}

// isName reports whether s can be written as the name of a predicate, a variable
// or a function: letters, digits, '_' and ':', and at least one.
func isName(s string) bool {
	for _, r := range s {
		if r < utf8.RuneSelf {
			switch {
			case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == ':':
			default:
				return false
			}
		} else if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return s != ""
}
