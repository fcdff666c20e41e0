package engine

import (
	"slices"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// TestHostileTrees: trees that no parser makes are refused, wherever they are.
func TestHostileTrees(t *testing.T) {
	one := datalog.Value{Term: datalog.Integer(1)}
	deepTerm := datalog.Term(datalog.Integer(1))
	for range datalog.MaxDepth {
		deepTerm = datalog.Array{deepTerm}
	}
	manyNodes := datalog.Expr(one)
	for range datalog.MaxNodes {
		manyNodes = datalog.Unary{Op: datalog.OpParens, Arg: manyNodes}
	}
	exprs := map[string]datalog.Expr{
		"nil":                 nil,
		"nil term":            datalog.Value{},
		"pointer":             &datalog.Value{Term: datalog.Bool(true)},
		"unary operator":      datalog.Unary{Op: 200, Arg: one},
		"unary nil":           datalog.Unary{},
		"binary operator":     datalog.Binary{Op: 200, Left: one, Right: one},
		"binary left":         datalog.Binary{Right: one},
		"binary right":        datalog.Binary{Left: one},
		"quantifier":          datalog.Quantified{Op: 9, Over: one, Body: one},
		"quantifier over nil": datalog.Quantified{Body: one},
		"quantifier body nil": datalog.Quantified{Over: one},
		"nodes":               manyNodes,
		"array of variables":  datalog.Value{Term: datalog.Array{datalog.Variable("x")}},
		"set of variables":    datalog.Value{Term: datalog.Set{datalog.Variable("x")}},
		"map of variables":    datalog.Value{Term: datalog.Map{{Key: datalog.Integer(1), Value: datalog.Variable("x")}}},
		"map key nil":         datalog.Value{Term: datalog.Map{{Value: datalog.Null{}}}},
		"array of nil":        datalog.Value{Term: datalog.Array{nil}},
	}
	allow := []datalog.Policy{{Queries: []datalog.Query{{}}}}
	trivial := compile(t, &datalog.Authorizer{Policies: allow})
	for name, x := range exprs {
		q := datalog.Query{Exprs: []datalog.Expr{x}}
		head := datalog.Predicate{Name: "p"}
		for place, b := range map[string]datalog.Block{
			"check": {Checks: []datalog.Check{{Queries: []datalog.Query{q}}}},
			"rule":  {Rules: []datalog.Rule{{Head: head, Query: q}}},
		} {
			if _, err := Compile(&datalog.Authorizer{Block: b, Policies: allow}); kindOf(t, err) != Malformed {
				t.Errorf("%s in a %s of the authorizer: %v", name, place, err)
			}
			r, err := trivial.Evaluate([]Block{{Datalog: &b}}, nil, nil)
			if kindOf(t, err) != Malformed || r != nil && r.Allowed() {
				t.Errorf("%s in a %s of a token: %v", name, place, err)
			}
		}
		if _, err := Compile(&datalog.Authorizer{Policies: []datalog.Policy{{Queries: []datalog.Query{q}}}}); kindOf(t, err) != Malformed {
			t.Errorf("%s in a policy: %v", name, err)
		}
	}

	for name, term := range map[string]datalog.Term{
		"nil": nil, "variable": datalog.Variable("x"), "deep": datalog.Array{deepTerm}, "set of sets": datalog.Set{datalog.Set{}},
		"pointer": new(datalog.Bool),
	} {
		p := datalog.Predicate{Name: "p", Terms: []datalog.Term{term}}
		if _, err := Compile(&datalog.Authorizer{Block: datalog.Block{Facts: []datalog.Predicate{p}}}); kindOf(t, err) != Malformed {
			t.Errorf("fact with %s: %v", name, err)
		}
		if r, err := trivial.Evaluate(nil, []datalog.Predicate{p}, nil); kindOf(t, err) != Malformed || r != nil {
			t.Errorf("request fact with %s: %v", name, err)
		}
		if r, err := trivial.Evaluate([]Block{{Datalog: &datalog.Block{Facts: []datalog.Predicate{p}}}}, nil, nil); kindOf(t, err) != Malformed || r != nil {
			t.Errorf("token fact with %s: %v", name, err)
		}
	}

	for name, bad := range map[string]error{
		"check kind":  compileError(&datalog.Authorizer{Block: datalog.Block{Checks: []datalog.Check{{Kind: 9}}}}),
		"policy kind": compileError(&datalog.Authorizer{Policies: []datalog.Policy{{Kind: 9}}}),
		"block":       evaluateError(trivial, []Block{{}}),
		"blocks":      evaluateError(trivial, slices.Repeat([]Block{{Datalog: &datalog.Block{}}}, MaxBlocks+1)),
		"block check": evaluateError(trivial, []Block{{Datalog: &datalog.Block{Checks: []datalog.Check{{Kind: 9}}}}}),
	} {
		if kindOf(t, bad) != Malformed {
			t.Errorf("%s: %v", name, bad)
		}
	}
}

func compileError(a *datalog.Authorizer) error {
	_, err := Compile(a)
	return err
}

func evaluateError(a *Authorizer, blocks []Block) error {
	_, err := a.Evaluate(blocks, nil, nil)
	return err
}

// TestDeepExpression: the deepest expression that is allowed is evaluated.
func TestDeepExpression(t *testing.T) {
	x := datalog.Expr(datalog.Value{Term: datalog.Bool(true)})
	for range datalog.MaxNodes - 1 {
		x = datalog.Unary{Op: datalog.OpParens, Arg: x}
	}
	r, err := compile(t, &datalog.Authorizer{Policies: []datalog.Policy{{Queries: []datalog.Query{{Exprs: []datalog.Expr{x}}}}}}).Evaluate(nil, nil, nil)
	if err != nil || !r.Allowed() {
		t.Error(r, err)
	}
}

// TestWideBodies: the plans of a rule with a very long body count as work.
func TestWideBodies(t *testing.T) {
	var body []datalog.Predicate
	for range 5000 {
		body = append(body, datalog.Predicate{Name: "p", Terms: []datalog.Term{datalog.Variable("x")}})
	}
	rule := datalog.Rule{Head: datalog.Predicate{Name: "q"}, Query: datalog.Query{Body: body}}
	blocks := []Block{{Datalog: &datalog.Block{Rules: []datalog.Rule{rule}}}}
	if _, err := authorizer(t, `allow if true;`).Evaluate(blocks, nil, nil); kindOf(t, err) != TooManySteps {
		t.Error(err)
	}
}

func TestUnboundHead(t *testing.T) {
	head := datalog.Predicate{Name: "operation", Terms: []datalog.Term{datalog.Variable("unbound"), datalog.String("read")}}
	body := []datalog.Predicate{{Name: "operation", Terms: []datalog.Term{datalog.Variable("any1"), datalog.Variable("any2")}}}
	rule := datalog.Rule{Head: head, Query: datalog.Query{Body: body}}
	block := datalog.Block{Rules: []datalog.Rule{rule}}

	_, err := authorizer(t, `allow if true;`).Evaluate(append(token(t, ``), Block{Datalog: &block}), nil, nil)
	e, ok := err.(*Error)
	if !ok || e.Kind != UnboundHead || e.Block != 1 || e.Rule == nil {
		t.Fatalf("%v", err)
	}
	if got, want := e.Rule.String(), `operation($unbound, "read") <- operation($any1, $any2)`; got != want {
		t.Errorf("rule %s, want %s", got, want)
	}
	if _, err := Compile(&datalog.Authorizer{Block: block}); kindOf(t, err) != UnboundHead || !strings.Contains(err.Error(), "$unbound") {
		t.Error(err)
	}
	r, err := authorizer(t, `allow if true;`).Evaluate(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Query(&rule); kindOf(t, err) != UnboundHead {
		t.Error(err)
	}
}
