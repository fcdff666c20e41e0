package engine

import (
	"errors"
	"math"
	"strings"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/datalog"
)

// generator makes small programs in which much collides: few names, few values,
// few variables.
type generator struct {
	*rapid.T

	// relational makes facts and rules over two small integers and without
	// expressions, so that rules feed each other.
	relational bool
}

func (g generator) n(limit int) int { return rapid.IntRange(0, limit-1).Draw(g.T, "n") }

func pick[E any](g generator, list []E) E { return list[g.n(len(list))] }

// one is true in one of limit cases.
func (g generator) one(limit int) bool { return g.n(limit) == limit-1 }

func (g generator) some(limit int, f func()) {
	for range g.n(limit) {
		f()
	}
}

var testKeys = []datalog.Key{
	{Algorithm: datalog.Ed25519, Bytes: strings.Repeat("a", 32)},
	{Algorithm: datalog.Ed25519, Bytes: strings.Repeat("b", 32)},
	{Algorithm: datalog.Secp256r1, Bytes: strings.Repeat("c", 33)},
}

var testExterns = map[string]Extern{
	"same": func(l, _ datalog.Term) (datalog.Term, error) { return l, nil },
	"pair": func(l, r datalog.Term) (datalog.Term, error) {
		if r == nil {
			return nil, errors.New("one operand")
		}
		return datalog.Array{l, r}, nil
	},
}

const (
	ofInteger = iota
	ofString
	ofDate
	ofBytes
	ofBool
	ofNull
	ofSet
	ofArray
	ofMap
	ofAny
)

var testStrings = []string{"", "a", "ab", "b", "^a", "(", "[a-b]+$", "é"}

func (g generator) term(kind, depth int) datalog.Term {
	switch kind {
	case ofInteger:
		return datalog.Integer(pick(g, []int64{0, 1, 2, 3, -1, math.MinInt64, math.MaxInt64}))
	case ofString:
		return datalog.String(pick(g, testStrings))
	case ofDate:
		return datalog.Date(pick(g, []uint64{0, 1, math.MaxInt64, math.MaxUint64}))
	case ofBytes:
		return datalog.Bytes(pick(g, []string{"", "a", "\x00"}))
	case ofBool:
		return datalog.Bool(g.n(2) == 0)
	case ofNull:
		return datalog.Null{}
	}
	if depth <= 0 {
		return g.term(g.n(ofSet), 0)
	}
	switch kind {
	case ofSet:
		of := pick(g, []int{ofInteger, ofInteger, ofString, ofArray, ofNull, ofMap, ofDate, ofBytes, ofBool})
		var elems []datalog.Term
		g.some(4, func() {
			t := g.term(of, depth-1)
			if len(elems) > 0 {
				if _, err := datalog.NewSet(elems[0], t); err != nil {
					return
				}
			}
			elems = append(elems, t)
		})
		s, err := datalog.NewSet(elems...)
		if err != nil {
			g.Fatal(err)
		}
		return s
	case ofArray:
		a := datalog.Array{}
		g.some(4, func() { a = append(a, g.term(g.kind(), depth-1)) })
		return a
	case ofMap:
		m := datalog.Map{}
		g.some(3, func() {
			more, err := datalog.NewMap(append(m, datalog.MapEntry{Key: g.term(g.n(2), 0), Value: g.term(g.kind(), depth-1)})...)
			if err == nil {
				m = more
			}
		})
		return m
	}
	return g.term(g.kind(), depth)
}

// kind prefers integers and strings.
func (g generator) kind() int { return pick(g, []int{0, 0, 0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8}) }

var testVariables = []datalog.Variable{"x", "y", "z"}

func (g generator) name() string { return pick(g, []string{"p", "q", "r"}) }

func (g generator) fact() datalog.Predicate {
	p := datalog.Predicate{Name: g.name()}
	if g.relational {
		p.Terms = []datalog.Term{datalog.Integer(g.n(6)), datalog.Integer(g.n(6))}
		return p
	}
	for range g.n(3) {
		p.Terms = append(p.Terms, g.term(g.kind(), 1))
	}
	return p
}

func (g generator) constant() datalog.Term {
	if g.relational {
		return datalog.Integer(g.n(6))
	}
	return g.term(g.kind(), 1)
}

func (g generator) predicate() datalog.Predicate {
	p := datalog.Predicate{Name: g.name()}
	if g.relational {
		for range 2 {
			p.Terms = append(p.Terms, pick(g, []datalog.Term{testVariables[0], testVariables[1], testVariables[2], datalog.Integer(g.n(6))}))
		}
		return p
	}
	for range g.n(3) {
		if g.one(5) {
			p.Terms = append(p.Terms, g.term(g.kind(), 1))
		} else {
			p.Terms = append(p.Terms, pick(g, testVariables))
		}
	}
	return p
}

func (g generator) scopes() (list []datalog.Scope) {
	if !g.one(3) {
		return nil
	}
	g.some(3, func() {
		s := datalog.Scope{Kind: datalog.ScopeKind(g.n(3))}
		if s.Kind == datalog.ScopeKey {
			s.Key = pick(g, testKeys)
		}
		list = append(list, s)
	})
	return list
}

func (g generator) query() (q datalog.Query) {
	var vars []datalog.Variable
	g.some(4, func() {
		p := g.predicate()
		for _, t := range p.Terms {
			if v, ok := t.(datalog.Variable); ok {
				vars = append(vars, v)
			}
		}
		q.Body = append(q.Body, p)
	})
	if !g.relational && (len(q.Body) == 0 || g.one(2)) {
		q.Exprs = append(q.Exprs, g.expr(ofBool, 3, vars))
		g.some(2, func() { q.Exprs = append(q.Exprs, g.expr(ofBool, 2, vars)) })
	}
	q.Scopes = g.scopes()
	return q
}

func (g generator) rule() datalog.Rule {
	r := datalog.Rule{Query: g.query(), Head: datalog.Predicate{Name: g.name()}}
	var vars []datalog.Term
	for _, p := range r.Body {
		for _, t := range p.Terms {
			if v, ok := t.(datalog.Variable); ok {
				vars = append(vars, v)
			}
		}
	}
	arity := g.n(3)
	if g.relational {
		arity = 2
	}
	for range arity {
		if len(vars) == 0 || g.one(6) {
			r.Head.Terms = append(r.Head.Terms, g.constant())
		} else {
			r.Head.Terms = append(r.Head.Terms, pick(g, vars))
		}
	}
	return r
}

func (g generator) queries() (list []datalog.Query) {
	for range 1 + g.n(2) {
		list = append(list, g.query())
	}
	return list
}

func (g generator) block(scopes bool) datalog.Block {
	var b datalog.Block
	count, rules := 6, 2
	if g.relational {
		count, rules = 20, 3
	}
	for range g.n(count) {
		b.Facts = append(b.Facts, g.fact())
	}
	g.some(rules, func() { b.Rules = append(b.Rules, g.rule()) })
	if g.one(3) {
		b.Checks = append(b.Checks, datalog.Check{Kind: datalog.CheckKind(g.n(3)), Queries: g.queries()})
	}
	if scopes {
		b.Scopes = g.scopes()
	}
	return b
}

func (g generator) authorizer() *datalog.Authorizer {
	a := &datalog.Authorizer{Block: g.block(true)}
	g.some(4, func() {
		a.Policies = append(a.Policies, datalog.Policy{Kind: datalog.PolicyKind(g.n(4) / 3), Queries: g.queries()})
	})
	if g.one(2) {
		a.Policies = append(a.Policies, datalog.Policy{Queries: []datalog.Query{{}}})
	}
	return a
}

func (g generator) token() (blocks []Block) {
	for i := range g.n(5) {
		b := g.block(true)
		block := Block{Datalog: &b}
		if i > 0 && g.one(2) {
			block.External = &testKeys[g.n(len(testKeys))]
		}
		blocks = append(blocks, block)
		if i == 1 && g.one(10) {
			// Origins take more than one word.
			for range 70 {
				blocks = append(blocks, Block{Datalog: &datalog.Block{}})
			}
		}
	}
	return blocks
}

// expr makes an expression that mostly has the given type.
func (g generator) expr(kind, depth int, vars []datalog.Variable) datalog.Expr {
	if g.one(40) {
		kind = g.kind()
	}
	if kind == ofAny {
		kind = g.kind()
	}
	leaf := func() datalog.Expr {
		if len(vars) > 0 && g.one(2) {
			return datalog.Value{Term: pick(g, vars)}
		}
		if g.one(60) {
			return datalog.Value{Term: pick(g, testVariables)}
		}
		return datalog.Value{Term: g.term(kind, 2)}
	}
	if depth <= 0 {
		return leaf()
	}
	sub := func(k int) datalog.Expr { return g.expr(k, depth-1, vars) }
	bin := func(l, r int, ops ...datalog.BinaryOp) datalog.Expr {
		return datalog.Binary{Op: pick(g, ops), Left: sub(l), Right: sub(r)}
	}
	switch {
	case g.one(12):
		return datalog.Binary{Op: datalog.OpTryOr, Left: sub(kind), Right: sub(kind)}
	case g.one(15):
		return datalog.Unary{Op: datalog.OpParens, Arg: sub(kind)}
	case g.one(25):
		return datalog.Unary{Op: datalog.OpUnaryExtern, Extern: pick(g, []string{"same", "same", "pair", "none"}), Arg: sub(kind)}
	case g.one(25):
		return datalog.Binary{Op: datalog.OpExtern, Extern: pick(g, []string{"same", "same", "pair", "none"}), Left: sub(kind), Right: sub(ofAny)}
	case g.one(20):
		return datalog.Binary{Op: datalog.OpGet, Left: sub(pick(g, []int{ofArray, ofMap})), Right: sub(g.n(2))}
	case g.one(60):
		return datalog.Binary{Op: datalog.BinaryOp(g.n(int(datalog.OpTryOr))), Left: sub(ofAny), Right: sub(ofAny)}
	}
	switch kind {
	case ofBool:
		return g.boolExpr(depth, vars, leaf, sub, bin)
	case ofInteger:
		switch g.n(4) {
		case 0:
			return bin(ofInteger, ofInteger, datalog.OpAdd, datalog.OpSub, datalog.OpMul, datalog.OpDiv)
		case 1:
			return bin(ofInteger, ofInteger, datalog.OpBitAnd, datalog.OpBitOr, datalog.OpBitXor)
		case 2:
			return datalog.Unary{Op: datalog.OpLength, Arg: sub(pick(g, []int{ofString, ofBytes, ofSet, ofArray, ofMap}))}
		}
	case ofString:
		switch g.n(3) {
		case 0:
			return bin(ofString, ofString, datalog.OpAdd)
		case 1:
			return datalog.Unary{Op: datalog.OpTypeOf, Arg: sub(ofAny)}
		}
	case ofSet:
		if g.one(2) {
			return bin(ofSet, ofSet, datalog.OpUnion, datalog.OpIntersection)
		}
	}
	return leaf()
}

func (g generator) boolExpr(depth int, vars []datalog.Variable, leaf func() datalog.Expr,
	sub func(int) datalog.Expr, bin func(l, r int, ops ...datalog.BinaryOp) datalog.Expr) datalog.Expr {
	order := []datalog.BinaryOp{datalog.OpLessThan, datalog.OpGreaterThan, datalog.OpLessOrEqual, datalog.OpGreaterOrEqual}
	switch g.n(13) {
	case 0:
		return bin(ofBool, ofBool, datalog.OpAnd, datalog.OpOr)
	case 1:
		return bin(ofBool, ofBool, datalog.OpEagerAnd, datalog.OpEagerOr)
	case 2:
		return datalog.Unary{Op: datalog.OpNegate, Arg: sub(ofBool)}
	case 3:
		return bin(ofInteger, ofInteger, order...)
	case 4:
		return bin(ofDate, ofDate, order...)
	case 5:
		return bin(ofAny, ofAny, datalog.OpEqual, datalog.OpNotEqual)
	case 6:
		k := g.kind()
		return bin(k, k, datalog.OpEqual, datalog.OpNotEqual, datalog.OpStrictEqual, datalog.OpStrictNotEqual)
	case 7:
		return bin(pick(g, []int{ofSet, ofArray, ofMap}), ofAny, datalog.OpContains)
	case 8:
		return bin(ofString, ofString, datalog.OpContains, datalog.OpPrefix, datalog.OpSuffix, datalog.OpRegex)
	case 9:
		return bin(ofArray, ofArray, datalog.OpPrefix, datalog.OpSuffix)
	case 10:
		return bin(ofSet, ofSet, datalog.OpContains)
	case 11:
		param := pick(g, []datalog.Variable{"i", "j", "k", "x"})
		return datalog.Quantified{Op: datalog.QuantOp(g.n(2)), Over: sub(pick(g, []int{ofSet, ofArray, ofMap})), Param: param,
			Body: g.expr(ofBool, depth-1, append(vars[:len(vars):len(vars)], param))}
	}
	return leaf()
}
