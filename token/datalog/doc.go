// Package datalog is the logic language of Biscuit tokens, 3.0 to 3.3: its
// terms and syntax tree, a parser and a printer. It evaluates nothing.
//
// [ParseBlock] and [ParseAuthorizer] read source text, with values supplied
// through [Params] and never through string formatting:
//
//	block, err := datalog.ParseBlock(`check if resource($r), $r == {r}`,
//		&datalog.Params{Terms: map[string]datalog.Term{"r": datalog.String(name)}})
//
// Every part of the tree has a String method whose output parses back to the
// same tree.
//
// The language is specified in SPECIFICATIONS.md of eclipse-biscuit/biscuit,
// section "Logic language"; where the reference implementation reads text
// differently, spec/datalog.md says so.
package datalog
