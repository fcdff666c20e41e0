// Package delegation is the vocabulary of Whittle: what a token's blocks say of
// who acts for whom, and what may be done, to what, until when.
//
// It reads a verified chain of blocks back into people, agents and caveats
// ([Read]), refusing every token that says more than the vocabulary allows, and
// it digests requests so that an invocation can be bound to one ([Request]). It
// signs nothing and decides nothing: see packages attenuate and verify.
//
// A [Caveat] has one canonical form in Datalog, which the engine enforces, and
// a typed value, by which the structural reading explains. A check in any other
// form is a [Custom] caveat: it binds all the same.
//
// The vocabulary is specified in spec/delegation.md.
package delegation
