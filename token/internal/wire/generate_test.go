package wire

import (
	"math"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
	"pgregory.net/rapid"
)

// Generators of everything that a block can hold.

var genName = rapid.OneOf(
	rapid.SampledFrom([]string{"read", "query", "x", "ns::f_1", "0", "é", "右"}),
	rapid.StringMatching(`[a-zA-Z0-9_:]{1,8}`),
)

// genText favours strings that are hard to carry as text.
var genText = rapid.OneOf(
	rapid.SampledFrom([]string{"", "resource", "\x00", "a\"b\\", "\n;//", "é😁", strings.Repeat("s", 200)}),
	rapid.String(),
)

var genKey = rapid.Custom(func(t *rapid.T) datalog.Key {
	fill := strings.Repeat(string(rune(rapid.IntRange('a', 'e').Draw(t, "key"))), 32)
	if rapid.Bool().Draw(t, "secp256r1") {
		return datalog.Key{Algorithm: datalog.Secp256r1, Bytes: "\x03" + fill}
	}
	return datalog.Key{Algorithm: datalog.Ed25519, Bytes: fill}
})

func genTerm(depth int, variables bool) *rapid.Generator[datalog.Term] {
	return rapid.Custom(func(t *rapid.T) datalog.Term {
		kinds := 7
		if depth > 0 {
			kinds = 10
		}
		switch k := rapid.IntRange(0, kinds-1).Draw(t, "kind"); k {
		case 0:
			if !variables {
				return datalog.Null{}
			}
			return datalog.Variable(genName.Draw(t, "variable"))
		case 1:
			return datalog.Integer(rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, 1, -1, math.MinInt64, math.MaxInt64})).Draw(t, "integer"))
		case 2:
			return datalog.String(genText.Draw(t, "string"))
		case 3:
			return datalog.Date(rapid.Uint64().Draw(t, "date"))
		case 4:
			return datalog.Bytes(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes"))
		case 5:
			return datalog.Bool(rapid.Bool().Draw(t, "bool"))
		case 6:
			return datalog.Null{}
		case 7:
			list := rapid.SliceOfN(genTerm(depth-1, false), 0, 5).Draw(t, "set")
			list = slices.DeleteFunc(list, func(e datalog.Term) bool {
				return typeOf(e) != typeOf(list[0]) || typeOf(e) == typeOf(datalog.Set(nil))
			})
			set, err := datalog.NewSet(list...)
			if err != nil {
				t.Fatal(err)
			}
			return set
		case 8:
			return datalog.Array(rapid.SliceOfN(genTerm(depth-1, false), 0, 4).Draw(t, "array"))
		}
		m := map[datalog.Term]datalog.Term{}
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			var key datalog.Term = datalog.Integer(rapid.IntRange(-3, 3).Draw(t, "key"))
			if rapid.Bool().Draw(t, "text") {
				key = datalog.String(genText.Draw(t, "key"))
			}
			m[key] = genTerm(depth-1, false).Draw(t, "value")
		}
		var entries []datalog.MapEntry
		for k, v := range m {
			entries = append(entries, datalog.MapEntry{Key: k, Value: v})
		}
		terms, err := datalog.NewMap(entries...)
		if err != nil {
			t.Fatal(err)
		}
		return terms
	})
}

func genExpr(depth int) *rapid.Generator[datalog.Expr] {
	return rapid.Custom(func(t *rapid.T) datalog.Expr {
		kind := 0
		if depth > 0 {
			kind = rapid.IntRange(0, 3).Draw(t, "kind")
		}
		sub := func() datalog.Expr { return genExpr(depth-1).Draw(t, "operand") }
		switch kind {
		case 1:
			u := datalog.Unary{Op: datalog.UnaryOp(rapid.IntRange(0, len(unaryOperators)-1).Draw(t, "unary")), Arg: sub()}
			if u.Op == datalog.OpUnaryExtern {
				u.Extern = genName.Draw(t, "extern")
			}
			return u
		case 2:
			b := datalog.Binary{Op: datalog.BinaryOp(rapid.IntRange(0, int(datalog.OpExtern)).Draw(t, "binary")), Left: sub(), Right: sub()}
			if b.Op == datalog.OpExtern {
				b.Extern = genName.Draw(t, "extern")
			}
			return b
		case 3:
			return datalog.Quantified{
				Op:   datalog.QuantOp(rapid.IntRange(0, 1).Draw(t, "quantifier")),
				Over: sub(), Param: datalog.Variable(genName.Draw(t, "param")), Body: sub(),
			}
		}
		return datalog.Value{Term: genTerm(2, true).Draw(t, "value")}
	})
}

func genPredicate(variables bool) *rapid.Generator[datalog.Predicate] {
	return rapid.Custom(func(t *rapid.T) datalog.Predicate {
		return datalog.Predicate{
			Name:  genName.Draw(t, "name"),
			Terms: rapid.SliceOfN(genTerm(3, variables), 0, 3).Draw(t, "terms"),
		}
	})
}

func genScopes(keys bool) *rapid.Generator[[]datalog.Scope] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) datalog.Scope {
		s := datalog.Scope{Kind: datalog.ScopeKind(rapid.IntRange(0, 2).Draw(t, "kind"))}
		if s.Kind == datalog.ScopeKey {
			if !keys {
				return datalog.Scope{}
			}
			s.Key = genKey.Draw(t, "key")
		}
		return s
	}), 0, 2)
}

func genQuery(keys bool) *rapid.Generator[datalog.Query] {
	return rapid.Custom(func(t *rapid.T) datalog.Query {
		q := datalog.Query{
			Body:   rapid.SliceOfN(genPredicate(true), 0, 2).Draw(t, "body"),
			Exprs:  rapid.SliceOfN(genExpr(3), 0, 2).Draw(t, "expressions"),
			Scopes: genScopes(keys).Draw(t, "scopes"),
		}
		if len(q.Body)+len(q.Exprs) == 0 {
			q.Exprs = []datalog.Expr{datalog.Value{Term: datalog.Bool(true)}}
		}
		return q
	})
}

func genBlock(keys bool) *rapid.Generator[datalog.Block] {
	queries := rapid.SliceOfN(genQuery(keys), 1, 3)
	return rapid.Custom(func(t *rapid.T) datalog.Block {
		b := datalog.Block{Facts: rapid.SliceOfN(genPredicate(false), 0, 3).Draw(t, "facts")}
		for range rapid.IntRange(0, 2).Draw(t, "rules") {
			b.Rules = append(b.Rules, datalog.Rule{Head: genPredicate(true).Draw(t, "head"), Query: genQuery(keys).Draw(t, "rule")})
		}
		for range rapid.IntRange(0, 2).Draw(t, "checks") {
			b.Checks = append(b.Checks, datalog.Check{
				Kind: datalog.CheckKind(rapid.IntRange(0, 2).Draw(t, "check kind")), Queries: queries.Draw(t, "queries"),
			})
		}
		if !keys {
			return b // an AuthorizerPolicies message has no room for the rest
		}
		b.Scopes = genScopes(true).Draw(t, "scopes")
		if rapid.Bool().Draw(t, "has context") {
			context := genText.Draw(t, "context")
			b.Context = &context
		}
		return b
	})
}

func genPolicies(keys bool) *rapid.Generator[[]datalog.Policy] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) datalog.Policy {
		return datalog.Policy{
			Kind:    datalog.PolicyKind(rapid.IntRange(0, 1).Draw(t, "kind")),
			Queries: rapid.SliceOfN(genQuery(keys), 1, 2).Draw(t, "queries"),
		}
	}), 0, 2)
}

// genContainer draws the blocks of a container without Message.
var genContainer = rapid.Custom(func(t *rapid.T) Container {
	c := Container{HasRootKeyID: rapid.Bool().Draw(t, "has root key id")}
	if c.HasRootKeyID {
		c.RootKeyID = rapid.Uint32().Draw(t, "root key id")
	}
	bytes := rapid.SliceOfN(rapid.Byte(), 0, 200)
	for i := range rapid.IntRange(1, 5).Draw(t, "blocks") {
		b := SignedBlock{
			Payload:   bytes.Draw(t, "payload"),
			NextKey:   genKey.Draw(t, "next key"),
			Signature: bytes.Draw(t, "signature"),
			Version:   uint32(rapid.IntRange(0, 1).Draw(t, "version")),
		}
		if i > 0 && b.Version == 1 && rapid.Bool().Draw(t, "external") {
			b.External = &External{Signature: bytes.Draw(t, "external signature"), Key: genKey.Draw(t, "external key")}
		}
		c.Blocks = append(c.Blocks, b)
	}
	c.Proof.Kind = ProofKind(rapid.IntRange(0, 2).Draw(t, "proof"))
	if c.Proof.Kind != ProofEmpty {
		c.Proof.Data = bytes.Draw(t, "proof data")
	}
	return c
})
