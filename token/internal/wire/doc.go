// Package wire reads and writes the protobuf messages of Biscuit 3.3: the
// token's container, its blocks, third-party requests and contents, and the
// saved state of an authorizer (schema.proto of eclipse-biscuit/biscuit).
//
// Reading is strict, so that one meaning has one spelling and nothing unread
// travels along. A message is refused when it holds an unknown field, a field
// twice, fields out of order, a wrong wire type, a varint that is longer than
// needed, an unknown enum value, or text that is not UTF-8. Every index into a
// symbol or key table must resolve where it stands. Expressions come out as the
// trees of package datalog, so a sequence of operations without a meaning is
// refused here and not at evaluation. spec/wire.md lists all of it.
//
// Nothing here checks a signature, or that a key is a point on a curve.
//
// All errors of this package are of type [*Error]. Input of any content costs
// time and memory in proportion to its length, never a panic.
package wire
