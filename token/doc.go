// Package token reads, verifies, mints and extends Biscuit tokens, format 3.0
// to 3.3.
//
// A token is a chain of signed blocks. Each block names the key that must sign
// the next one, so a chain can only grow, and only by whoever has that key. How
// far a chain has been checked is part of its type:
//
//   - [Unverified] is what [Parse] returns. It can be looked at and verified,
//     and nothing else.
//   - [Unrooted] is a chain all of whose signatures verify but the first, for
//     holders that do not know the root key. It can be extended.
//   - [Token] is a chain that verifies from a known root key. It can be
//     extended, and only it can reach a decision.
//
// The package knows the Biscuit format; what Whittle says in it is in package
// delegation. Most programs want packages attenuate and verify instead.
//
// The format is SPECIFICATIONS.md and schema.proto of eclipse-biscuit/biscuit.
// spec/wire.md and spec/datalog.md list where this reader is stricter.
package token
