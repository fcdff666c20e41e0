package wire

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
	"pgregory.net/rapid"
)

func TestBlockRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		read, written := &Table{}, &Table{}
		for range rapid.IntRange(1, 3).Draw(t, "blocks") {
			want := genBlock(true).Draw(t, "block")
			external := rapid.Bool().Draw(t, "external")
			before := written.Clone()
			payload, err := EncodeBlock(&want, written, external)
			if err != nil {
				t.Fatal(err)
			}
			got, err := DecodeBlock(payload, read, external, nil)
			if err != nil {
				t.Fatalf("%v in %x", err, payload)
			}
			if !want.Equal(*got.Datalog) {
				t.Fatalf("read back as\n%+v\nwant\n%+v", got.Datalog, want)
			}
			if !slices.Equal(read.Symbols, written.Symbols) || !slices.Equal(read.Keys, written.Keys) {
				t.Fatalf("tables differ: %v %v", read, written)
			}
			if external && len(written.Symbols)+len(written.Keys) != len(before.Symbols)+len(before.Keys) {
				t.Fatal("a third-party block changed the table")
			}
			if external && got.Version < 5 {
				t.Fatalf("third-party block of version %d", got.Version)
			}
		}
	})
}

func TestContainerRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genContainer.Draw(t, "container")
		for i := range want.Blocks {
			want.Blocks[i].Message = EncodeSignedBlock(&want.Blocks[i])
		}
		got, err := DecodeContainer(want.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(*got, want) {
			t.Fatalf("read back as\n%+v\nwant\n%+v", *got, want)
		}
	})
}

func TestSnapshotRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		block := genBlock(true)
		authorizer := block.Draw(t, "authorizer")
		want := Snapshot{
			MaxFacts: rapid.Uint64().Draw(t, "facts"), MaxIterations: rapid.Uint64().Draw(t, "iterations"),
			MaxTime: rapid.Uint64().Draw(t, "time"), ExecutionTime: rapid.Uint64().Draw(t, "spent"),
			Iterations: rapid.Uint64().Draw(t, "done"),
			Authorizer: SnapshotBlock{Datalog: &authorizer},
			Policies:   genPolicies(true).Draw(t, "policies"),
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "blocks") {
			b := block.Draw(t, "block")
			s := SnapshotBlock{Datalog: &b}
			if i > 0 && rapid.Bool().Draw(t, "external") {
				key := genKey.Draw(t, "key")
				s.External = &key
			}
			want.Blocks = append(want.Blocks, s)
		}
		for range rapid.IntRange(0, 2).Draw(t, "groups") {
			g := OriginFacts{Facts: rapid.SliceOfN(genPredicate(false), 0, 3).Draw(t, "facts")}
			for i := range want.Blocks {
				if rapid.Bool().Draw(t, "origin") {
					g.Origins = append(g.Origins, uint64(i))
				}
			}
			if len(g.Origins) == 0 || rapid.Bool().Draw(t, "by authorizer") {
				g.Origins = append(g.Origins, AuthorizerOrigin)
			}
			want.Facts = append(want.Facts, g)
		}
		data, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeSnapshot(data, nil)
		if err != nil {
			t.Fatalf("%v in %x", err, data)
		}
		same := func(a, b SnapshotBlock) bool {
			return a.Datalog.Equal(*b.Datalog) && (a.External == nil) == (b.External == nil) && (a.External == nil || *a.External == *b.External)
		}
		if !same(got.Authorizer, want.Authorizer) || !slices.EqualFunc(got.Blocks, want.Blocks, same) ||
			!slices.EqualFunc(got.Policies, want.Policies, datalog.Policy.Equal) ||
			!slices.EqualFunc(got.Facts, want.Facts, func(a, b OriginFacts) bool {
				return slices.Equal(a.Origins, b.Origins) && slices.EqualFunc(a.Facts, b.Facts, datalog.Predicate.Equal)
			}) {
			t.Fatalf("read back as\n%+v\nwant\n%+v", got, want)
		}
		if got.MaxFacts != want.MaxFacts || got.MaxIterations != want.MaxIterations || got.MaxTime != want.MaxTime ||
			got.ExecutionTime != want.ExecutionTime || got.Iterations != want.Iterations {
			t.Fatalf("numbers %+v, want %+v", got, want)
		}
		again, err := got.Encode()
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("changes when written again: %v\n%x\n%x", err, data, again)
		}
	})
}

func TestPoliciesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := datalog.Authorizer{Block: genBlock(false).Draw(t, "block"), Policies: genPolicies(false).Draw(t, "policies")}
		data, err := (&Policies{Authorizer: &want}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodePolicies(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !want.Equal(*got.Authorizer) || got.Version != 6 {
			t.Fatalf("read back as\n%+v\nwant\n%+v", got.Authorizer, want)
		}
	})
}

// TestWrittenVersions checks the version that each feature makes a block state.
func TestWrittenVersions(t *testing.T) {
	key := datalog.Key{Bytes: strings.Repeat("k", 32)}
	yes := datalog.Value{Term: datalog.Bool(true)}
	expr := func(e datalog.Expr) datalog.Block {
		return datalog.Block{Checks: []datalog.Check{{Queries: []datalog.Query{{Exprs: []datalog.Expr{e}}}}}}
	}
	value := func(t datalog.Term) datalog.Block {
		return datalog.Block{Facts: []datalog.Predicate{{Name: "f", Terms: []datalog.Term{t}}}}
	}
	checks := func(kind datalog.CheckKind) datalog.Block {
		return datalog.Block{Checks: []datalog.Check{{Kind: kind, Queries: []datalog.Query{{Exprs: []datalog.Expr{yes}}}}}}
	}
	for _, test := range []struct {
		name  string
		block datalog.Block
		want  uint32
	}{
		{"nothing", datalog.Block{}, 3},
		{"check if", checks(datalog.CheckIf), 3},
		{"check all", checks(datalog.CheckAll), 4},
		{"reject if", checks(datalog.RejectIf), 6},
		{"scope", datalog.Block{Scopes: []datalog.Scope{{Kind: datalog.ScopeKey, Key: key}}}, 4},
		{"set", value(datalog.Set{datalog.Integer(1)}), 3},
		{"null", value(datalog.Null{}), 6},
		{"null in set", value(datalog.Set{datalog.Null{}}), 6},
		{"array", value(datalog.Array{}), 6},
		{"map", value(datalog.Map{}), 6},
		{"parentheses", expr(datalog.Unary{Op: datalog.OpParens, Arg: yes}), 3},
		{"type", expr(datalog.Unary{Op: datalog.OpTypeOf, Arg: yes}), 6},
		{"extern", expr(datalog.Unary{Op: datalog.OpUnaryExtern, Extern: "f", Arg: yes}), 6},
		{"===", expr(datalog.Binary{Op: datalog.OpStrictEqual, Left: yes, Right: yes}), 3},
		{"!==", expr(datalog.Binary{Op: datalog.OpStrictNotEqual, Left: yes, Right: yes}), 4},
		{"&", expr(datalog.Binary{Op: datalog.OpBitAnd, Left: yes, Right: yes}), 4},
		{"==", expr(datalog.Binary{Op: datalog.OpEqual, Left: yes, Right: yes}), 6},
		{"&&", expr(datalog.Binary{Op: datalog.OpAnd, Left: yes, Right: yes}), 6},
		{"eager and", expr(datalog.Binary{Op: datalog.OpEagerAnd, Left: yes, Right: yes}), 3},
		{"try_or", expr(datalog.Binary{Op: datalog.OpTryOr, Left: yes, Right: yes}), 6},
		{"get", expr(datalog.Binary{Op: datalog.OpGet, Left: yes, Right: yes}), 6},
		{"all", expr(datalog.Quantified{Over: yes, Param: "x", Body: yes}), 6},
	} {
		for _, external := range []bool{false, true} {
			payload, err := EncodeBlock(&test.block, nil, external)
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			b, err := DecodeBlock(payload, nil, external, nil)
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			want := test.want
			if external {
				want = max(want, 5)
			}
			if b.Version != want {
				t.Errorf("%s, third-party %t: version %d, want %d", test.name, external, b.Version, want)
			}
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	yes := datalog.Value{Term: datalog.Bool(true)}
	fact := func(name string, terms ...datalog.Term) datalog.Block {
		return datalog.Block{Facts: []datalog.Predicate{{Name: name, Terms: terms}}}
	}
	expr := func(e datalog.Expr) datalog.Block {
		return datalog.Block{Checks: []datalog.Check{{Queries: []datalog.Query{{Exprs: []datalog.Expr{e}}}}}}
	}
	deepTerm := datalog.Term(datalog.Integer(0))
	deepExpr, tries := datalog.Expr(yes), datalog.Expr(yes)
	for range datalog.MaxDepth + 1 {
		deepTerm = datalog.Array{deepTerm}
		deepExpr = datalog.Unary{Op: datalog.OpParens, Arg: deepExpr}
		tries = datalog.Binary{Op: datalog.OpTryOr, Left: tries, Right: yes}
	}
	wide := datalog.Expr(yes)
	for range datalog.MaxNodes {
		wide = datalog.Unary{Op: datalog.OpLength, Arg: wide}
	}
	bad := "\xff"
	for _, test := range []struct {
		name  string
		block datalog.Block
		path  string
	}{
		{"empty name", fact(""), "facts[0].predicate.name"},
		{"name", fact("a b"), "facts[0].predicate.name"},
		{"nil term", fact("f", nil), "facts[0].predicate.terms[0]"},
		{"variable in fact", fact("f", datalog.Integer(1), datalog.Variable("x")), "facts[0].predicate.terms[1]"},
		{"variable in array", fact("f", datalog.Array{datalog.Variable("x")}), "facts[0].predicate.terms[0].array[0]"},
		{"unsorted set", fact("f", datalog.Set{datalog.Integer(2), datalog.Integer(1)}), "facts[0].predicate.terms[0]"},
		{"duplicate in set", fact("f", datalog.Set{datalog.Integer(1), datalog.Integer(1)}), "facts[0].predicate.terms[0]"},
		{"mixed set", fact("f", datalog.Set{datalog.Integer(1), datalog.Date(1)}), "facts[0].predicate.terms[0]"},
		{"set in set", fact("f", datalog.Set{datalog.Set{}}), "facts[0].predicate.terms[0]"},
		{"nil in set", fact("f", datalog.Set{nil}), "facts[0].predicate.terms[0].set[0]"},
		{"nil in map", fact("f", datalog.Map{{Key: datalog.Integer(1)}}), "facts[0].predicate.terms[0].map.entries[0].value"},
		{"map key", fact("f", datalog.Map{{Key: datalog.Bool(true), Value: datalog.Integer(1)}}), "facts[0].predicate.terms[0]"},
		{"duplicate in map", fact("f", datalog.Map{{Key: datalog.Integer(1), Value: datalog.Null{}}, {Key: datalog.Integer(1), Value: datalog.Null{}}}), "facts[0].predicate.terms[0]"},
		{"deep term", fact("f", deepTerm), "facts[0].predicate.terms[0]" + strings.Repeat(".array[0]", datalog.MaxDepth)},
		{"string", fact("f", datalog.String(bad)), "symbols[1]"},
		{"context", datalog.Block{Context: &bad}, "context"},
		{"rule without body", datalog.Block{Rules: []datalog.Rule{{Head: datalog.Predicate{Name: "f"}}}}, "rules[0]"},
		{"no queries", datalog.Block{Checks: []datalog.Check{{}}}, "checks[0]"},
		{"check kind", datalog.Block{Checks: []datalog.Check{{Kind: 3, Queries: []datalog.Query{{Exprs: []datalog.Expr{yes}}}}}}, "checks[0].kind"},
		{"scope kind", datalog.Block{Scopes: []datalog.Scope{{Kind: 3}}}, "scope[0]"},
		{"scope key", datalog.Block{Scopes: []datalog.Scope{{Kind: datalog.ScopeKey}}}, "scope[0].publicKey"},
		{"key algorithm", datalog.Block{Scopes: []datalog.Scope{{Kind: datalog.ScopeKey, Key: datalog.Key{Algorithm: 2}}}}, "scope[0].publicKey"},
		{"nil expression", expr(nil), "checks[0].queries[0].expressions[0]"},
		{"nil operand", expr(datalog.Unary{Op: datalog.OpNegate}), "checks[0].queries[0].expressions[0]"},
		{"nil lazy operand", expr(datalog.Binary{Op: datalog.OpAnd, Left: yes}), "checks[0].queries[0].expressions[0]"},
		{"unary operation", expr(datalog.Unary{Op: 9, Arg: yes}), "checks[0].queries[0].expressions[0]"},
		{"binary operation", expr(datalog.Binary{Op: 99, Left: yes, Right: yes}), "checks[0].queries[0].expressions[0]"},
		{"quantifier", expr(datalog.Quantified{Op: 2, Over: yes, Param: "x", Body: yes}), "checks[0].queries[0].expressions[0]"},
		{"parameter", expr(datalog.Quantified{Over: yes, Body: yes}), "checks[0].queries[0].expressions[0]"},
		{"extern without name", expr(datalog.Binary{Op: datalog.OpExtern, Left: yes, Right: yes}), "checks[0].queries[0].expressions[0]"},
		{"name without extern", expr(datalog.Unary{Op: datalog.OpNegate, Extern: "f", Arg: yes}), "checks[0].queries[0].expressions[0]"},
		{"deep expression", expr(deepExpr), "checks[0].queries[0].expressions[0]"},
		{"deep closures", expr(tries), "checks[0].queries[0].expressions[0]"},
		{"wide expression", expr(wide), "checks[0].queries[0].expressions[0]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := &Table{Symbols: []string{"known"}}
			_, err := EncodeBlock(&test.block, table, false)
			e, ok := err.(*Error)
			if !ok {
				t.Fatal("accepted")
			}
			if e.Path != test.path || e.Offset != -1 {
				t.Errorf("error %q at %d, want at %s", e, e.Offset, test.path)
			}
			if len(table.Symbols) != 1 || len(table.Keys) != 0 {
				t.Error("the table changed")
			}
		})
	}
	if _, err := (&Policies{Authorizer: &datalog.Authorizer{Policies: []datalog.Policy{{Queries: []datalog.Query{{
		Exprs: []datalog.Expr{yes}, Scopes: []datalog.Scope{{Kind: datalog.ScopeKey, Key: datalog.Key{Bytes: strings.Repeat("k", 32)}}},
	}}}}}}).Encode(); err == nil {
		t.Error("saved policies trust a key, for which they have no room")
	}
}

// TestClone extends two clones of one table apart from each other.
func TestClone(t *testing.T) {
	root := &Table{Symbols: append(make([]string, 0, 8), "root"), Keys: make([]datalog.Key, 0, 8)}
	a, b := root.Clone(), root.Clone()
	block := func(name string) *datalog.Block {
		return &datalog.Block{Facts: []datalog.Predicate{{Name: name}}}
	}
	for i, table := range []*Table{a, b, root} {
		if _, err := EncodeBlock(block([]string{"a", "b", "r"}[i]), table, false); err != nil {
			t.Fatal(err)
		}
	}
	for i, table := range []*Table{a, b, root} {
		if want := []string{"root", []string{"a", "b", "r"}[i]}; !slices.Equal(table.Symbols, want) {
			t.Errorf("table %d holds %q, want %q", i, table.Symbols, want)
		}
	}
}
