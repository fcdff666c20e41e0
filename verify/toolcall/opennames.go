package toolcall

import (
	"slices"
	"strings"
	"unicode"

	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify/internal/strictjson"
)

// openNames is what queries ask of names of arguments that they leave open, as in
// arg($n, $v), $n == "force".
type openNames struct {
	parts []namePart
	// other is true where the name is asked for otherwise, so that nobody can say which
	// names in another case would be treated alike.
	other bool
}

// A namePart is a text that a name, or its beginning, end or any part of it, is to be.
type namePart struct {
	text string
	is   func(name, text string) bool
}

func openNamesOf(a *datalog.Authorizer) *openNames {
	o := &openNames{}
	for _, r := range a.Rules {
		o.query(r.Query, r.Head)
	}
	for _, c := range a.Checks {
		for _, q := range c.Queries {
			o.query(q)
		}
	}
	for _, p := range a.Policies {
		for _, q := range p.Queries {
			o.query(q)
		}
	}
	return o
}

// query adds what a query asks; head is what a rule makes of it.
func (o *openNames) query(q datalog.Query, head ...datalog.Predicate) {
	isName := func(p datalog.Predicate, place int) bool { return p.Name == "arg" && len(p.Terms) == 2 && place == 0 }
	var open []datalog.Term
	for _, p := range q.Body {
		if !isName(p, 0) {
			continue
		}
		if v, ok := p.Terms[0].(datalog.Variable); ok {
			open = append(open, v)
		}
	}
	if open == nil {
		return
	}
	for _, p := range slices.Concat(q.Body, head) {
		for i, t := range p.Terms {
			o.other = o.other || isOpen(t, open) && !isName(p, i)
		}
	}
	for _, e := range q.Exprs {
		o.expr(e, open)
	}
}

func (o *openNames) expr(e datalog.Expr, open []datalog.Term) {
	switch e := e.(type) {
	case datalog.Value:
		o.other = o.other || isOpen(e.Term, open)
	case datalog.Unary:
		o.expr(e.Arg, open)
	case datalog.Quantified:
		o.expr(e.Over, open)
		o.expr(e.Body, open)
	case datalog.Binary:
		left, right := value(e.Left), value(e.Right)
		switch {
		case isOpen(left, open) && right != nil && o.asks(e.Op, right):
		case isOpen(right, open) && left != nil && o.asksOf(e.Op, left):
		default:
			o.expr(e.Left, open)
			o.expr(e.Right, open)
		}
	}
}

// asks adds name OP constant, unless it is something else.
func (o *openNames) asks(op datalog.BinaryOp, constant datalog.Term) bool {
	is := map[datalog.BinaryOp]func(name, text string) bool{
		datalog.OpPrefix: strings.HasPrefix, datalog.OpSuffix: strings.HasSuffix, datalog.OpContains: strings.Contains,
	}[op]
	text, ok := constant.(datalog.String)
	if !ok || is == nil {
		return o.asksOf(op, constant)
	}
	o.parts = append(o.parts, namePart{string(text), is})
	return true
}

// asksOf adds constant OP name, unless it is something else.
func (o *openNames) asksOf(op datalog.BinaryOp, constant datalog.Term) bool {
	var among []datalog.Term
	switch c := constant.(type) {
	case datalog.String:
		among = []datalog.Term{c}
	case datalog.Set:
		among = c
	case datalog.Array:
		among = c
	}
	switch op {
	case datalog.OpEqual, datalog.OpNotEqual, datalog.OpStrictEqual, datalog.OpStrictNotEqual:
	case datalog.OpContains:
		if _, isText := constant.(datalog.String); isText {
			return false
		}
	default:
		return false
	}
	for _, t := range among {
		if text, ok := t.(datalog.String); ok {
			o.parts = append(o.parts, namePart{string(text), func(name, text string) bool { return name == text }})
		}
	}
	return among != nil
}

func isOpen(t datalog.Term, open []datalog.Term) bool {
	v, ok := t.(datalog.Variable)
	return ok && slices.Contains(open, datalog.Term(v))
}

// value returns the term that an expression is, or nil.
func value(e datalog.Expr) datalog.Term {
	switch e := e.(type) {
	case datalog.Value:
		return e.Term
	case datalog.Unary:
		if e.Op == datalog.OpParens {
			return value(e.Arg)
		}
	}
	return nil
}

// otherwise returns a name that would be treated otherwise in another case, as far as
// anybody can say.
func (o *openNames) otherwise(args map[string]any) (name, text string, found bool) {
	for name := range args {
		if o.other && strings.ContainsFunc(name, func(r rune) bool { return unicode.SimpleFold(r) != r }) {
			return name, "", true
		}
		folded := strictjson.Fold(name)
		for _, p := range o.parts {
			if p.is(folded, strictjson.Fold(p.text)) && !p.is(name, p.text) {
				return name, p.text, true
			}
		}
	}
	return "", "", false
}
