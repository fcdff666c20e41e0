package datalog

import (
	"strings"
	"sync"
)

// A parser reads source text into the tree by recursive descent.
type parser struct {
	lexer
	params bindings
	depth  int // of brackets, parentheses, negations and method arguments
	nodes  int // of the current expression

	terms  chunk[Term]
	bodies chunk[Predicate]
}

// parsers lends parsers, which hold no text in between.
var parsers = sync.Pool{New: func() any { return new(parser) }}

// A chunk is room for many short lists, one after another.
type chunk[T any] struct{ room []T }

// add appends to the list that began at a place, which the caller found by len(c.room)
// and which moves with the list to new room where that is needed.
func (c *chunk[T]) add(from *int, x T) {
	if len(c.room) == cap(c.room) {
		list := c.room[*from:]
		c.room = append(make([]T, 0, max(4, 2*len(list), min(2*cap(c.room), 64))), list...)
		*from = 0
	}
	c.room = append(c.room, x)
}

// list returns the list that began at a place.
func (c *chunk[T]) list(from int) []T { return c.room[from:len(c.room):len(c.room)] }

// enter goes one nesting deeper; every enter has its leave unless parsing ends.
func (p *parser) enter() error {
	if p.depth == MaxDepth {
		return p.fail(p.pos, "%v", errTooDeep)
	}
	p.depth++
	return nil
}

func (p *parser) leave() { p.depth-- }

// term reads one term. Variables are accepted if want says so, and then only
// here: never inside of a set, an array or a map.
func (p *parser) term(variables bool) (Term, error) {
	if err := p.space(); err != nil {
		return nil, err
	}
	switch c := p.peek(); {
	case c == '$':
		start := p.pos
		v, err := p.variable()
		if err != nil {
			return nil, err
		}
		if !variables {
			return nil, p.fail(start, "a variable may stand only directly in a predicate of a rule, a check or a policy, or in an expression")
		}
		return asTerm(v), nil
	case c == '"':
		return p.text()
	case c == '[':
		return p.array()
	case c == '{':
		return p.braces()
	case isDigit(c) && dateAt(p.src, p.pos):
		return p.date()
	case isDigit(c), c == '-' && p.pos+1 < len(p.src) && isDigit(p.src[p.pos+1]):
		return p.integer()
	}
	switch name := nameAt(p.src, p.pos); {
	case name == "true", name == "false":
		p.pos += len(name)
		return Bool(name == "true"), nil
	case name == "null":
		p.pos += len(name)
		return Null{}, nil
	case strings.HasPrefix(name, "hex:"):
		return p.bytes()
	}
	return nil, p.unexpected("a term")
}

// letters are the variables of one letter as terms. Nearly all variables are such, and to
// make a term takes memory.
var letters = func() (list ['z' - 'a' + 1]Term) {
	for i := range list {
		list[i] = Variable(rune('a' + i))
	}
	return list
}()

func asTerm(v Variable) Term {
	if len(v) == 1 && 'a' <= v[0] && v[0] <= 'z' {
		return letters[v[0]-'a']
	}
	return v
}

func (p *parser) variable() (Variable, error) {
	p.pos++
	name := nameAt(p.src, p.pos)
	if name == "" {
		return "", p.unexpected("the name of a variable")
	}
	p.pos += len(name)
	return Variable(name), nil
}

func (p *parser) array() (Term, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.pos++
	array := Array{}
	for {
		if done, err := p.next("]"); done || err != nil {
			return array, err
		}
		if len(array) > 0 {
			if err := p.expect(",", "',' or ']'"); err != nil {
				return nil, err
			}
		}
		t, err := p.term(false)
		if err != nil {
			return nil, err
		}
		array = append(array, t)
	}
}

// braces reads what begins with a brace: {name} is a parameter, {} an empty map,
// {,} an empty set; else the colon after the first term tells a map from a set.
func (p *parser) braces() (Term, error) {
	start := p.pos
	if name := nameAt(p.src, start+1); isParamName(name) && strings.HasPrefix(p.src[start+1+len(name):], "}") {
		p.pos += len(name) + 2
		t, err := p.params.term(name, p.depth)
		if err != nil {
			return nil, p.fail(start, "%v", err)
		}
		return t, nil
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.pos++
	if done, err := p.next("}"); done || err != nil {
		return Map{}, err
	}
	if p.accept(",") {
		return Set{}, p.expect("}", "'}' to end the empty set")
	}
	first, err := p.term(false)
	if err != nil {
		return nil, err
	}
	if isMap, err := p.next(":"); err != nil {
		return nil, err
	} else if isMap {
		return p.mapAfterKey(start, first)
	}
	return p.setAfterElement(start, first)
}

func (p *parser) setAfterElement(start int, first Term) (Term, error) {
	elems := []Term{first}
	for {
		if done, err := p.next("}"); err != nil {
			return nil, err
		} else if done {
			break
		}
		if err := p.expect(",", "',' or '}'"); err != nil {
			return nil, err
		}
		t, err := p.term(false)
		if err != nil {
			return nil, err
		}
		elems = append(elems, t)
	}
	set, err := NewSet(elems...)
	if err != nil {
		return nil, p.fail(start, "%v", err)
	}
	return set, nil
}

func (p *parser) mapAfterKey(start int, key Term) (Term, error) {
	var entries []MapEntry
	for {
		value, err := p.term(false)
		if err != nil {
			return nil, err
		}
		entries = append(entries, MapEntry{key, value})
		if done, err := p.next("}"); err != nil {
			return nil, err
		} else if done {
			break
		}
		if err := p.expect(",", "',' or '}'"); err != nil {
			return nil, err
		}
		if key, err = p.term(false); err != nil {
			return nil, err
		}
		if err := p.expect(":", "':' after the key of a map"); err != nil {
			return nil, err
		}
	}
	m, err := NewMap(entries...)
	if err != nil {
		return nil, p.fail(start, "%v", err)
	}
	return m, nil
}
