package delegation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// vocabulary has the names of all facts of the vocabulary: those that stand in
// tokens, and those that a verifier states.
var vocabulary = []string{
	"delegator", "holder", "nonce", "approved", "parent",
	"time", "weekday", "minute", "operation", "resource", "arg", "arg_ip", "arg_host", "audience",
	"agent_key", "agent", "depth", "request", "action", "channel", "context",
}

// Reserved reports whether a name is one of the vocabulary's own. No service
// registers or states facts of such a name.
func Reserved(name string) bool { return slices.Contains(vocabulary, name) }

// A FactType is a kind of fact that a service registers, to be told in block 0:
// role("buyer") is of the type {"role", ["string"]}. Whoever mints tells it,
// the service's policies and the token's checks find it.
type FactType struct {
	// Name is not one of the vocabulary's own.
	Name string
	// Types of the terms, in order, as the operator .type() names them: integer,
	// string, date, bytes, bool, set, null, array or map.
	Types []string
}

var termTypes = []string{"integer", "string", "date", "bytes", "bool", "set", "null", "array", "map"}

// Validate returns why no fact can be of this type, or nil.
func (f FactType) Validate() error {
	if Reserved(f.Name) {
		return fmt.Errorf("%s is a fact of the vocabulary and cannot be registered", f.Name)
	}
	if len(f.Types) == 0 {
		return fmt.Errorf("a fact %q needs at least one term", f.Name)
	}
	for _, t := range f.Types {
		if !slices.Contains(termTypes, t) {
			return fmt.Errorf("%q is no type of a term: there are %s", t, strings.Join(termTypes, ", "))
		}
	}
	// What can be parsed is a name.
	parsed, err := datalog.ParseFact(datalog.Predicate{Name: f.Name, Terms: []datalog.Term{datalog.Null{}}}.String(), nil)
	if err != nil || parsed.Name != f.Name {
		return fmt.Errorf("%q is no name of a fact", f.Name)
	}
	return nil
}

// String returns the form that [ParseFactType] reads: role(string).
func (f FactType) String() string { return f.Name + "(" + strings.Join(f.Types, ", ") + ")" }

// ParseFactType reads a type such as role(string) or limit(string, integer).
func ParseFactType(text string) (FactType, error) {
	name, types, ok := strings.Cut(text, "(")
	types, closed := strings.CutSuffix(types, ")")
	if !ok || !closed {
		return FactType{}, fmt.Errorf("%q is not of the form name(type, ..), such as role(string)", text)
	}
	f := FactType{Name: strings.TrimSpace(name)}
	for t := range strings.SplitSeq(types, ",") {
		f.Types = append(f.Types, strings.TrimSpace(t))
	}
	return f, f.Validate()
}

// covers reports whether a fact is of the type.
func (f FactType) covers(p datalog.Predicate) bool {
	if p.Name != f.Name || len(p.Terms) != len(f.Types) {
		return false
	}
	for i, t := range p.Terms {
		if typeOf(t) != f.Types[i] {
			return false
		}
	}
	return true
}

// typeOf returns the name of a term's type, empty for a variable.
func typeOf(t datalog.Term) string {
	switch t.(type) {
	case datalog.Integer:
		return "integer"
	case datalog.String:
		return "string"
	case datalog.Date:
		return "date"
	case datalog.Bytes:
		return "bytes"
	case datalog.Bool:
		return "bool"
	case datalog.Set:
		return "set"
	case datalog.Null:
		return "null"
	case datalog.Array:
		return "array"
	case datalog.Map:
		return "map"
	}
	return ""
}

// FurtherFact returns why a fact cannot be one that is told beside the vocabulary:
// its name is the vocabulary's own, or a term is no value.
func FurtherFact(p datalog.Predicate) error {
	if Reserved(p.Name) {
		return fmt.Errorf("the fact %s is not the service's or the minter's to tell: %s belongs to the vocabulary", p, p.Name)
	}
	for _, t := range p.Terms {
		if typeOf(t) == "" {
			return fmt.Errorf("the fact %s holds what is no value", p)
		}
	}
	f := FactType{Name: p.Name}
	for _, t := range p.Terms {
		f.Types = append(f.Types, typeOf(t))
	}
	return f.Validate()
}
