package wire

import "github.com/whittle-auth/whittle/token/datalog"

// Limits bounds what is accepted when reading. A field that is zero or negative
// means its default, and so does a nil *Limits.
type Limits struct {
	// Bytes bounds the whole input: 64 KiB, and 1 MiB for a snapshot.
	Bytes int

	// Blocks bounds the blocks of a token or snapshot, the first one included: 32.
	Blocks int

	// Symbols bounds one symbol table, and with it a token's shared table over
	// all blocks: 1024, and 8192 for a snapshot.
	Symbols int

	// Keys bounds one public key table in the same way: 256.
	Keys int

	// Terms bounds the elements of one block: facts, rules, checks, queries,
	// predicates, terms, map entries, expressions, operations and scopes counted
	// together. 8192, and 65536 for all of a snapshot.
	Terms int

	// Text bounds the text of one block once its symbols are written out, in
	// bytes: a symbol counts each time that it is referred to, so that a small
	// token cannot print as a large one. 256 KiB, and 4 MiB for all of a
	// snapshot.
	Text int

	// Depth bounds the nesting of terms, parentheses and closures. It is
	// [datalog.MaxDepth] and cannot be raised.
	Depth int

	// Nodes bounds the nodes of one expression. It is [datalog.MaxNodes] and
	// cannot be raised.
	Nodes int
}

var (
	tokenLimits = Limits{
		Bytes: 64 << 10, Blocks: 32, Symbols: 1024, Keys: 256, Terms: 8192, Text: 256 << 10,
		Depth: datalog.MaxDepth, Nodes: datalog.MaxNodes,
	}
	snapshotLimits = Limits{
		Bytes: 1 << 20, Blocks: 32, Symbols: 8192, Keys: 256, Terms: 65536, Text: 4 << 20,
		Depth: datalog.MaxDepth, Nodes: datalog.MaxNodes,
	}
)

// maxSignature bounds signatures and secrets, in bytes. Their exact length
// depends on keys that are not known here.
const maxSignature = 4096

// or returns the limits with the gaps filled from def.
func (l *Limits) or(def Limits) Limits {
	if l == nil {
		return def
	}
	fill := func(v, def int) int {
		if v <= 0 {
			return def
		}
		return v
	}
	return Limits{
		Bytes:   fill(l.Bytes, def.Bytes),
		Blocks:  fill(l.Blocks, def.Blocks),
		Symbols: fill(l.Symbols, def.Symbols),
		Keys:    fill(l.Keys, def.Keys),
		Terms:   fill(l.Terms, def.Terms),
		Text:    fill(l.Text, def.Text),
		Depth:   min(fill(l.Depth, def.Depth), def.Depth),
		Nodes:   min(fill(l.Nodes, def.Nodes), def.Nodes),
	}
}
