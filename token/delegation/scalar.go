package delegation

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/whittle-auth/whittle/token/datalog"
)

// maxValue bounds a string that a caveat compares with, in bytes.
const maxValue = 1024

// scalars returns values as terms: strings, booleans, nil and integers. Anything
// else becomes no term, which does not validate.
func scalars(values []any) []datalog.Term {
	terms := make([]datalog.Term, len(values))
	for i, v := range values {
		if v, err := normalValue(v, 1); err == nil {
			if t, ok := term(v); ok {
				terms[i] = t
			}
		}
	}
	return terms
}

// validScalars refuses an empty list, one longer than 256, duplicates, nested
// values, and strings that are too long or have several spellings.
func validScalars(what string, values []datalog.Term) error {
	if err := validLength(what, len(values)); err != nil {
		return err
	}
	seen := make(map[datalog.Term]bool, len(values))
	for _, v := range values {
		switch v := v.(type) {
		case datalog.String:
			if err := validValue(string(v)); err != nil {
				return err
			}
		case datalog.Integer, datalog.Bool, datalog.Null:
		default:
			return fmt.Errorf("a caveat on the %s compares with strings, integers, true, false and null", what)
		}
		if seen[v] {
			return fmt.Errorf("the value %s is listed twice", scalarWord(v))
		}
		seen[v] = true
	}
	return nil
}

func validValue(s string) error {
	if len(s) > maxValue {
		return fmt.Errorf("a value has at most %d bytes", maxValue)
	}
	return validString(s)
}

func containsTerm(list []datalog.Term, v datalog.Term) bool {
	return slices.ContainsFunc(list, func(t datalog.Term) bool { return datalog.Equal(t, v) })
}

// scalarGuard is `$v == 5`, and `[..].contains($v)` for several.
func scalarGuard(values []datalog.Term) datalog.Expr {
	if len(values) == 1 {
		return compare(datalog.OpEqual, "v", values[0])
	}
	return containsGuard(values, "v")
}

// scalarsOf is the inverse of scalarGuard, nil for anything else.
func scalarsOf(guard datalog.Expr) []datalog.Term {
	if list := arrayOf(guard); list != nil {
		return list
	}
	if op, constant := comparison(guard); op == datalog.OpEqual && constant != nil {
		return []datalog.Term{constant}
	}
	return nil
}

// scalarWord writes a value so that [ParseCaveat] reads it with its type.
func scalarWord(t datalog.Term) string {
	switch t := t.(type) {
	case datalog.String:
		if bareString(string(t)) {
			return string(t)
		}
		return quote(string(t))
	case datalog.Integer:
		return strconv.FormatInt(int64(t), 10)
	case datalog.Bool:
		return strconv.FormatBool(bool(t))
	case datalog.Null:
		return "null"
	}
	return "?"
}

// scalarJSON returns values as [ParseValue] reads them.
func scalarJSON(values []datalog.Term) []any {
	list := make([]any, len(values))
	for i, t := range values {
		switch t := t.(type) {
		case datalog.String:
			list[i] = string(t)
		case datalog.Integer:
			list[i] = int64(t)
		case datalog.Bool:
			list[i] = bool(t)
		}
	}
	return list
}

func scalarWords(values []datalog.Term) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = scalarWord(v)
	}
	return joined(texts)
}
