package engine

import "github.com/whittle-auth/whittle/token/datalog"

// An opcode is what a node does.
type opcode uint8

const (
	opValue    opcode = iota // val
	opVariable               // the variable in slot a
	opUnknown                // fails: the variable named by val is not in scope
	opUnary                  // unary operator sub on a; val names an external function
	opBinary                 // binary operator sub on a and b; val as above
	opQuantify               // quantifier sub over a with body b, parameter in slot val
	opShadow                 // evaluates a, then fails: the parameter named by val is in scope already
)

// A node is one node of a compiled expression. a and b are indices of nodes
// unless said otherwise.
type node struct {
	op   opcode
	sub  uint8
	a, b int32
	val  value
}

// compileExprs appends expressions to p, whose scope holds the variables of the
// body.
func (w *world) compileExprs(p *program, exprs []datalog.Expr) fault {
	for _, x := range exprs {
		p.count = 0
		root, f := w.compileExpr(p, x)
		if f.kind != none {
			return f
		}
		p.roots = append(p.roots, root)
		if w.spent() {
			return fault{kind: TooManySteps}
		}
	}
	return fault{}
}

func (p *program) emit(n node) int32 {
	p.nodes = append(p.nodes, n)
	return int32(len(p.nodes) - 1)
}

// name numbers a string as a value, for a node that needs a name.
func (w *world) name(s string) value { return value{kindString, uint64(w.symbol(s))} }

func (w *world) compileExpr(p *program, x datalog.Expr) (int32, fault) {
	w.charge(1)
	// The limit on nodes bounds the depth of this recursion and of eval.
	if p.count++; p.count > datalog.MaxNodes {
		return 0, malformed("an expression has too many nodes")
	}
	switch x := x.(type) {
	case datalog.Value:
		name, ok := x.Term.(datalog.Variable)
		if !ok {
			v, f := w.intern(x.Term)
			if f.kind != none {
				return 0, f
			}
			return p.emit(node{op: opValue, val: v}), fault{}
		}
		if slot := p.slotOf(w, string(name)); slot >= 0 {
			return p.emit(node{op: opVariable, a: slot}), fault{}
		}
		return p.emit(node{op: opUnknown, val: w.name(string(name))}), fault{}

	case datalog.Unary:
		if x.Op > datalog.OpUnaryExtern {
			return 0, malformed("unknown unary operator")
		}
		a, f := w.compileExpr(p, x.Arg)
		if f.kind != none {
			return 0, f
		}
		n := node{op: opUnary, sub: uint8(x.Op), a: a}
		if x.Op == datalog.OpUnaryExtern {
			n.val = w.name(x.Extern)
		}
		return p.emit(n), fault{}

	case datalog.Binary:
		if x.Op > datalog.OpExtern {
			return 0, malformed("unknown binary operator")
		}
		a, f := w.compileExpr(p, x.Left)
		if f.kind != none {
			return 0, f
		}
		b, f := w.compileExpr(p, x.Right)
		if f.kind != none {
			return 0, f
		}
		n := node{op: opBinary, sub: uint8(x.Op), a: a, b: b}
		if x.Op == datalog.OpExtern {
			n.val = w.name(x.Extern)
		}
		return p.emit(n), fault{}

	case datalog.Quantified:
		return w.compileQuantified(p, x)
	}
	return 0, malformed("an expression is missing or of no known type")
}

func (w *world) compileQuantified(p *program, x datalog.Quantified) (int32, fault) {
	if x.Op > datalog.OpAny {
		return 0, malformed("unknown quantifier")
	}
	a, f := w.compileExpr(p, x.Over)
	if f.kind != none {
		return 0, f
	}
	if p.slotOf(w, string(x.Param)) >= 0 {
		return p.emit(node{op: opShadow, a: a, val: w.name(string(x.Param))}), fault{}
	}
	slot := len(p.scope)
	p.scope = append(p.scope, string(x.Param))
	p.slots = max(p.slots, len(p.scope))
	b, f := w.compileExpr(p, x.Body)
	p.scope = p.scope[:slot]
	if f.kind != none {
		return 0, f
	}
	return p.emit(node{op: opQuantify, sub: uint8(x.Op), a: a, b: b, val: value{num: uint64(slot)}}), fault{}
}
