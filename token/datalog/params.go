package datalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// Params are the values that stand in for {name} in source text: a term where a
// term is read, a key in a trusting clause. They are put into the tree, never
// into the text, so no value can change what the text means.
//
// A name in the text without a value and a value without its name in the text
// are both errors. A term must be well formed: no variable in it, text that is
// UTF-8, nesting of at most [MaxDepth] where it stands, sets and maps as
// [NewSet] and [NewMap] make them. A nil *Params has no values.
type Params struct {
	Terms map[string]Term
	Keys  map[string]Key
}

// bindings are the parameters of one parse and which of them were met.
type bindings struct {
	params    Params
	usedTerms map[string]bool
	usedKeys  map[string]bool
}

func newBindings(params *Params) bindings {
	if params == nil {
		return bindings{}
	}
	return bindings{params: *params, usedTerms: map[string]bool{}, usedKeys: map[string]bool{}}
}

func quoteParam(name string) string { return quoteName("{" + name + "}") }

// term returns the value of {name}, to stand at the given depth of nesting.
func (b *bindings) term(name string, depth int) (Term, error) {
	t, ok := b.params.Terms[name]
	if !ok {
		return nil, fmt.Errorf("parameter %s has no term", quoteParam(name))
	}
	b.usedTerms[name] = true
	if err := checkValue(t, depth); err != nil {
		return nil, fmt.Errorf("parameter %s: %w", quoteParam(name), err)
	}
	return t, nil
}

func (b *bindings) key(name string) (Key, error) {
	k, ok := b.params.Keys[name]
	if !ok {
		return Key{}, fmt.Errorf("parameter %s has no key", quoteParam(name))
	}
	b.usedKeys[name] = true
	if _, err := ParseKey(k.String()); err != nil {
		return Key{}, fmt.Errorf("parameter %s: %w", quoteParam(name), err)
	}
	return k, nil
}

// unused returns an error for the first given parameter that was not met.
func (b *bindings) unused() error {
	if len(b.params.Terms)+len(b.params.Keys) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(b.params.Terms)) {
		if !b.usedTerms[name] {
			return fmt.Errorf("the term of parameter %s is not used", quoteParam(name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.params.Keys)) {
		if !b.usedKeys[name] {
			return fmt.Errorf("the key of parameter %s is not used", quoteParam(name))
		}
	}
	return nil
}

// checkValue reports what keeps a term made elsewhere from being a value that
// the parser could have read at the given depth.
func checkValue(t Term, depth int) error {
	switch t := t.(type) {
	case nil:
		return errors.New("no term")
	case Variable:
		return errors.New("a variable is not a value")
	case String:
		if !utf8.ValidString(string(t)) {
			return errors.New("text is not valid UTF-8")
		}
	case Set:
		if err := checkValues(t, depth); err != nil {
			return err
		}
		if canonical, err := NewSet(t...); err != nil {
			return err
		} else if !Equal(t, canonical) {
			return errors.New("set is not ordered or has duplicates")
		}
	case Array:
		return checkValues(t, depth)
	case Map:
		if depth == MaxDepth {
			return errTooDeep
		}
		for _, e := range t {
			if err := checkValue(e.Key, depth+1); err != nil {
				return err
			}
			if err := checkValue(e.Value, depth+1); err != nil {
				return err
			}
		}
		if canonical, err := NewMap(t...); err != nil {
			return err
		} else if !Equal(t, canonical) {
			return errors.New("map is not ordered by its keys")
		}
	}
	return nil
}

func checkValues(terms []Term, depth int) error {
	if depth == MaxDepth {
		return errTooDeep
	}
	for _, t := range terms {
		if err := checkValue(t, depth+1); err != nil {
			return err
		}
	}
	return nil
}

var errTooDeep = fmt.Errorf("nested more than %d deep", MaxDepth)
