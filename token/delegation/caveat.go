package delegation

import (
	"fmt"
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A Caveat is one restriction on what a token allows. The set of types is closed:
//
//   - time: [Expiry], [NotBefore], [Weekdays], [Hours]
//   - the request: [Resources], [Operations], [Audiences]
//   - its arguments: [ArgOneOf], [ArgRange], [ArgPrefix], [ArgSubtree], [ArgCIDR],
//     [ArgHost], [ArgMatches], [ArgSet], [ArgUnset]
//   - who asks: [AgentKeys], [Agents], [Depth]
//   - the service's state: [ContextOneOf]
//   - the consent of others: [Approval]
//   - and [Custom], a check written by hand.
type Caveat interface {
	// Check returns the caveat as Datalog, in its canonical form.
	Check() datalog.Check

	// String returns the text form, such as "resource a/b or c/**", which
	// [ParseCaveat] reads back.
	String() string

	// Validate returns why the caveat cannot be written into a token, or nil.
	Validate() error

	// dimension names what the caveat bounds. Only caveats of one dimension are
	// compared, and caveats of the zero dimension are not.
	dimension() dimension

	// compare says whether whatever this caveat allows, outer allows too. Both
	// have the same dimension.
	compare(outer Caveat) Relation

	// meet returns a caveat that allows exactly what both allow, nil where no
	// single one does; ok is false when that is nothing. Both have the same
	// dimension. Where one is [Beyond] the other, they do have such a caveat or
	// nothing in common.
	meet(other Caveat) (both Caveat, ok bool)

	// about returns which facts the caveat is held against.
	about() subject

	// admits reports whether the caveat holds for a fact with this value.
	admits(value datalog.Term) bool

	// allowed returns what the caveat allows, for a sentence.
	allowed() string

	// members returns the JSON form as [ParseValue] gives it.
	members() map[string]any
}

// A dimension is what a caveat bounds: a kind, and the name of the argument or
// context where there is one.
type dimension struct{ kind, name string }

// A Relation says what is known of one caveat against another.
type Relation uint8

const (
	// Incomparable: nothing is known. Both bind, and both are shown.
	Incomparable Relation = iota
	// Within: whatever the one allows, the other allows too.
	Within
	// Beyond: the one allows something that the other does not.
	Beyond
)

func (r Relation) String() string {
	switch r {
	case Within:
		return "within"
	case Beyond:
		return "beyond"
	}
	return "cannot be compared"
}

// Compare says whether whatever inner allows, outer allows too. Caveats on
// different things cannot be compared.
func Compare(inner, outer Caveat) Relation {
	if d := inner.dimension(); d == (dimension{}) || d != outer.dimension() {
		return Incomparable
	}
	return inner.compare(outer)
}

// Meet returns caveats that together allow exactly what both allow: one where
// one can say it, else the two. ok is false when the two have nothing in common.
func Meet(a, b Caveat) (caveats []Caveat, ok bool) {
	if d := a.dimension(); d != (dimension{}) && d == b.dimension() {
		both, ok := a.meet(b)
		if !ok {
			return nil, false
		}
		if both != nil {
			return []Caveat{both}, true
		}
	}
	return []Caveat{a, b}, true
}

// within is [Within] or [Beyond], for what can always be compared.
func within(yes bool) Relation {
	if yes {
		return Within
	}
	return Beyond
}

// readers recognise checks. Each only has to find the values: see [ReadCaveat].
var readers = []func(datalog.Check) Caveat{
	readTime, readWeekdays, readHours, readNames, readResources, readAgents, readAgentKeys, readDepth, readContext,
	readArgOneOf, readArgRange, readArgText, readArgSubtree, readArgCIDR, readArgHost, readArgSet,
	readApproval,
}

// ReadCaveat recognises a check. What is not exactly the canonical form of a
// typed caveat is [Custom].
func ReadCaveat(c datalog.Check) Caveat {
	for _, read := range readers {
		// A caveat is recognised when writing its values again gives the very
		// same check.
		if cv := read(c); cv != nil && cv.Validate() == nil && writes(cv, c) {
			return cv
		}
	}
	return Custom{Source: c}
}

// checkAll is `check all name($v), guard`: it holds only if there is a fact of
// that name and every one of them passes, so that one more fact can only deny.
func checkAll(name string, v datalog.Variable, guard datalog.Expr) datalog.Check {
	return checkBody(datalog.CheckAll, datalog.Predicate{Name: name, Terms: []datalog.Term{v}}, guard)
}

// checkNamed is `check all predicate("name", $v), guard`, without a guard if it
// is nil.
func checkNamed(predicate, name string, v datalog.Variable, guard datalog.Expr) datalog.Check {
	return checkBody(datalog.CheckAll, fact(predicate, datalog.String(name), v), guard)
}

func checkBody(kind datalog.CheckKind, body datalog.Predicate, guard datalog.Expr) datalog.Check {
	q := datalog.Query{Body: []datalog.Predicate{body}}
	if guard != nil {
		q.Exprs = []datalog.Expr{guard}
	}
	return datalog.Check{Kind: kind, Queries: []datalog.Query{q}}
}

// namedOf returns the predicate, the name and the only expression, if there is
// one, of a check that looks like [checkNamed]'s.
func namedOf(c datalog.Check) (predicate, name string, guard datalog.Expr) {
	if len(c.Queries) != 1 || len(c.Queries[0].Body) != 1 {
		return "", "", nil
	}
	q := c.Queries[0]
	p := q.Body[0]
	if len(p.Terms) != 2 || len(q.Exprs) > 1 {
		return "", "", nil
	}
	s, ok := p.Terms[0].(datalog.String)
	if !ok {
		return "", "", nil
	}
	if len(q.Exprs) == 1 {
		guard = q.Exprs[0]
	}
	return p.Name, string(s), guard
}

// either joins alternatives with ||, from the left.
func either(alternatives []datalog.Expr) (joined datalog.Expr) {
	for _, a := range alternatives {
		if joined == nil {
			joined = a
		} else {
			joined = datalog.Binary{Op: datalog.OpOr, Left: joined, Right: a}
		}
	}
	return joined
}

// operands takes a || b || c or a && b && c apart, and leaves alone what is no such
// chain.
func operands(op datalog.BinaryOp, e datalog.Expr) []datalog.Expr {
	var list []datalog.Expr
	for {
		b, ok := e.(datalog.Binary)
		if !ok || b.Op != op {
			break
		}
		list = append(list, b.Right)
		e = b.Left
	}
	list = append(list, e)
	slices.Reverse(list)
	return list
}

// both is a && b.
func both(a, b datalog.Expr) datalog.Expr {
	return datalog.Binary{Op: datalog.OpAnd, Left: a, Right: b}
}

// guardOf returns the predicate's name and the only expression of a check that
// looks like [checkAll]'s.
func guardOf(c datalog.Check) (name string, guard datalog.Expr) {
	if c.Kind != datalog.CheckAll || len(c.Queries) != 1 {
		return "", nil
	}
	q := c.Queries[0]
	if len(q.Body) != 1 || len(q.Exprs) != 1 {
		return "", nil
	}
	return q.Body[0].Name, q.Exprs[0]
}

// A Custom caveat is a check that somebody wrote by hand. It binds like any
// other, but its meaning is known to the engine only: nothing is said of
// whether it narrows or repeats what stood before.
type Custom struct{ Source datalog.Check }

// Check returns the check as it was written.
func (c Custom) Check() datalog.Check { return c.Source }

func (c Custom) String() string { return c.Source.String() }

// Validate refuses what a token of ours must not contain: calls of functions
// that only one service knows, trust in other blocks, and regular expressions that
// [ValidRegex] refuses or that are no constant.
func (c Custom) Validate() error {
	if len(c.Source.Queries) == 0 {
		return fmt.Errorf("a check needs at least one query")
	}
	for _, q := range c.Source.Queries {
		if len(q.Scopes) > 0 {
			return fmt.Errorf("a check must not say trusting")
		}
		for _, e := range q.Exprs {
			if err := validExpr(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (Custom) dimension() dimension       { return dimension{} }
func (Custom) compare(Caveat) Relation    { return Incomparable }
func (Custom) meet(Caveat) (Caveat, bool) { return nil, true }
func (Custom) about() subject             { return subject{} }
func (Custom) admits(datalog.Term) bool   { return false }
func (c Custom) allowed() string          { return c.String() }

func (c Custom) members() map[string]any {
	return map[string]any{"kind": "check", "check": c.String()}
}

// ParseCheck reads a hand-written check, which may turn out to be the canonical
// form of a typed caveat.
func ParseCheck(source string) (Caveat, error) {
	c, err := datalog.ParseCheck(source, nil)
	if err != nil {
		return nil, err
	}
	cv := ReadCaveat(c)
	if err := cv.Validate(); err != nil {
		return nil, err
	}
	return cv, nil
}

// validExpr looks for what no check of ours contains.
func validExpr(e datalog.Expr) error {
	switch e := e.(type) {
	case datalog.Unary:
		if e.Op == datalog.OpUnaryExtern {
			return fmt.Errorf("a check must not call extern::%s", e.Extern)
		}
		return validExpr(e.Arg)
	case datalog.Binary:
		switch e.Op {
		case datalog.OpExtern:
			return fmt.Errorf("a check must not call extern::%s", e.Extern)
		case datalog.OpRegex:
			pattern, _ := e.Right.(datalog.Value)
			text, ok := pattern.Term.(datalog.String)
			if !ok {
				return fmt.Errorf("a check must not match a regular expression that is no constant")
			}
			if err := ValidRegex(string(text)); err != nil {
				return err
			}
		}
		if err := validExpr(e.Left); err != nil {
			return err
		}
		return validExpr(e.Right)
	case datalog.Quantified:
		if err := validExpr(e.Over); err != nil {
			return err
		}
		return validExpr(e.Body)
	}
	return nil
}
