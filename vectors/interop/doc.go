// Package interop lets tests ask the Rust reference implementation of Biscuit,
// biscuit-auth 6.0.0, what it makes of a token.
//
// [Start] launches biscuit-oracle, a small program around that crate, which
// vectors/interop/build compiles; where it is absent the test is skipped. An
// [Oracle] makes tokens, decides on them, and reads and writes every message of
// the format. [Programs] writes the Datalog to try: the same programs for the
// same seed, with verdicts that do not hang on the order of a hash table.
//
// Where the reference is known to differ from the specification, or from
// itself, the programs stay away: a query never has both a solution and an
// error among its matches, and a reject if has one query.
package interop
