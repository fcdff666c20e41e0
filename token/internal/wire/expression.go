package wire

import "github.com/whittle-auth/whittle/token/datalog"

// An operand is one element of the stack on which operations become a tree.
type operand struct {
	expr    datalog.Expr
	closure bool             // a closure with expr as its body
	params  int              // of the closure, at most 1
	param   datalog.Variable // of the closure
}

// expression reads the Expression in the current field: operations in postfix
// order, of which exactly one value must remain.
func (f *fields) expression() (datalog.Expr, *Error) {
	f.d.stack, f.d.base, f.d.nodes = f.d.stack[:0], 0, 0
	e := f.d.over(msgExpression, f.start, f.stop)
	for e.next() {
		if err := e.operation(0); err != nil {
			return nil, f.in(err)
		}
	}
	if e.err != nil {
		return nil, f.in(e.err)
	}
	top, err := f.remains()
	if err != nil {
		return nil, err
	}
	// An expression that could not be read back as text could not be shown to
	// anyone either.
	nodes, depth := datalog.Measure(top.expr)
	if depth > f.d.lim.Depth {
		return nil, f.failf("nested deeper than %d", f.d.lim.Depth)
	}
	if nodes > f.d.lim.Nodes {
		return nil, f.failf("an expression of more than %d nodes", f.d.lim.Nodes)
	}
	return top.expr, nil
}

// remains takes the one value off the stack that the operations of the current
// field left there.
func (f *fields) remains() (operand, *Error) {
	stack := f.d.stack[f.d.base:]
	switch {
	case len(stack) == 0:
		return operand{}, f.failf("no operations")
	case len(stack) > 1:
		return operand{}, f.failf("%d values remain, want 1", len(stack))
	case stack[0].closure:
		return operand{}, f.failf("a closure is not a value")
	}
	f.d.stack = f.d.stack[:f.d.base]
	return stack[0], nil
}

// operation reads the Op in the current field and applies it to the stack.
// Closures is the number of closures around it.
func (f *fields) operation(closures int) *Error {
	if err := f.d.spend(1, f.at); err != nil {
		return f.in(err)
	}
	o := f.d.over(msgOp, f.start, f.stop)
	for o.next() {
		// Each operation but a closure is a node of the tree. They are counted while
		// it grows, since measuring it afterwards takes stack by its height.
		if o.num != 4 {
			f.d.nodes++
		}
		if f.d.nodes > f.d.lim.Nodes {
			return f.failf("an expression of more than %d nodes", f.d.lim.Nodes)
		}
		var err *Error
		switch o.num {
		case 1:
			err = o.value(closures)
		case 2:
			err = o.unary()
		case 3:
			err = o.binary()
		case 4:
			err = o.closure(closures + 1)
		}
		if err != nil {
			return f.in(err)
		}
	}
	return f.in(o.err)
}

func (f *fields) value(closures int) *Error {
	term, err := f.term(place{depth: closures, variable: true})
	if err != nil {
		return err
	}
	f.d.stack = append(f.d.stack, operand{expr: asExpr(term)})
	return nil
}

// operator reads an OpUnary or OpBinary and looks its kind up in a table.
func (f *fields) operator(table []operator) (op operator, name string, err *Error) {
	o := f.d.over(msgOperator, f.start, f.stop)
	named := false
	for o.next() {
		switch o.num {
		case 1:
			if o.val >= uint64(len(table)) {
				return op, "", f.in(o.failf("unknown operation %d", o.val))
			}
			op = table[o.val]
			if err := o.since(op.reads, "the operation"); err != nil {
				return op, "", f.in(err)
			}
		case 2:
			if op.takes != extern {
				return op, "", f.in(o.failf("only extern calls have a name"))
			}
			if name, err = o.name(); err != nil {
				return op, "", f.in(err)
			}
			named = true
		}
	}
	if o.err == nil && op.takes == extern && !named {
		return op, "", f.in(fail(f.stop, "an extern call has a name").under("ffiName", -1))
	}
	return op, name, f.in(o.err)
}

func (f *fields) unary() *Error {
	op, name, err := f.operator(unaryOperators[:])
	if err != nil {
		return err
	}
	stack := f.d.stack[f.d.base:]
	if len(stack) == 0 || stack[len(stack)-1].closure {
		return f.failf("the operation lacks a value")
	}
	arg := &stack[len(stack)-1]
	arg.expr = datalog.Unary{Op: datalog.UnaryOp(op.op), Extern: name, Arg: arg.expr}
	return nil
}

func (f *fields) binary() *Error {
	op, name, err := f.operator(binaryOperators[:])
	if err != nil {
		return err
	}
	stack := f.d.stack[f.d.base:]
	if len(stack) < 2 {
		return f.failf("the operation lacks a value")
	}
	left, right := &stack[len(stack)-2], stack[len(stack)-1]
	if left.closure != (op.takes == lazyLeft) {
		return f.failf("%s", wantClosure(op.takes == lazyLeft, "left", 0))
	}
	lazy, params := op.takes == lazyRight || op.takes == quantified, 0
	if op.takes == quantified {
		params = 1
	}
	if right.closure != lazy {
		return f.failf("%s", wantClosure(lazy, "right", params))
	}
	if left.params != 0 || right.params != params {
		return f.failf("a closure with the wrong number of parameters, want %d", params)
	}
	var result operand
	if op.takes == quantified {
		result.expr = datalog.Quantified{Op: datalog.QuantOp(op.op), Over: left.expr, Param: right.param, Body: right.expr}
	} else {
		result.expr = datalog.Binary{Op: datalog.BinaryOp(op.op), Extern: name, Left: left.expr, Right: right.expr}
	}
	*left = result
	f.d.stack = f.d.stack[:len(f.d.stack)-1]
	return nil
}

func wantClosure(want bool, side string, params int) string {
	switch {
	case !want:
		return "a closure on the " + side + " where a value belongs"
	case params == 1:
		return "a value on the " + side + " where a closure with a parameter belongs"
	}
	return "a value on the " + side + " where a closure belongs"
}

// closure reads the OpClosure in the current field onto the stack. Depth counts
// it and the closures around it. Only operations of version 6 take closures, so
// those see to the version.
func (f *fields) closure(depth int) *Error {
	if depth > f.d.lim.Depth {
		return f.failf("nested deeper than %d", f.d.lim.Depth)
	}
	result := operand{closure: true}
	outer := f.d.base
	f.d.base = len(f.d.stack)
	c := f.d.over(msgClosure, f.start, f.stop)
	for c.next() {
		var err *Error
		switch c.num {
		case 1:
			if c.index > 0 {
				return f.in(c.failf("a closure has at most one parameter"))
			}
			result.params = 1
			result.param, err = c.variable()
		case 2:
			err = c.operation(depth)
		}
		if err != nil {
			return f.in(err)
		}
	}
	if c.err != nil {
		return f.in(c.err)
	}
	body, err := f.remains()
	if err != nil {
		return err
	}
	f.d.base = outer
	result.expr = body.expr
	f.d.stack = append(f.d.stack, result)
	return nil
}
