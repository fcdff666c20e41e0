package datalog

import "strings"

// expression reads a whole expression.
func (p *parser) expression() (Expr, error) {
	p.nodes = 0
	return p.expr(levelOr)
}

// node counts one node of the current expression.
func (p *parser) node(e Expr, err error) (Expr, error) {
	if err != nil {
		return nil, err
	}
	p.nodes++
	if p.nodes > MaxNodes {
		return nil, p.fail(p.pos, "expression has more than %d operators and terms", MaxNodes)
	}
	return e, nil
}

// expr reads an operand and all operators after it that bind at least as tightly
// as level.
func (p *parser) expr(level int) (Expr, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	compared := false
	for {
		op, ok, err := p.infix(level)
		if err != nil {
			return nil, err
		}
		if !ok {
			return left, nil
		}
		if op.level == levelComparison {
			if compared {
				return nil, p.fail(p.pos-len(op.sign), "comparisons do not chain: add parentheses")
			}
			compared = true
		} else if op.level < levelComparison {
			compared = false
		}
		right, err := p.expr(op.level + 1)
		if err != nil {
			return nil, err
		}
		if left, err = p.node(Binary{Op: op.op, Left: left, Right: right}, nil); err != nil {
			return nil, err
		}
	}
}

// infix consumes the operator that comes next, if it binds tightly enough.
func (p *parser) infix(level int) (infix, bool, error) {
	if err := p.space(); err != nil {
		return infix{}, false, err
	}
	for _, x := range infixes {
		if !strings.HasPrefix(p.src[p.pos:], x.sign) {
			continue
		}
		if x.level < level {
			break
		}
		p.pos += len(x.sign)
		return x, true, nil
	}
	return infix{}, false, nil
}

// operand reads a negation, or a term or parentheses with the methods called on
// them. A negation reaches over sums: !a + b is !(a + b).
func (p *parser) operand() (Expr, error) {
	if err := p.space(); err != nil {
		return nil, err
	}
	if p.peek() != '!' {
		return p.methods()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.pos++
	arg, err := p.expr(levelSum)
	return p.node(Unary{Op: OpNegate, Arg: arg}, err)
}

func (p *parser) methods() (Expr, error) {
	start := p.pos
	e, err := p.primary()
	if err != nil {
		return nil, err
	}
	// No space may stand around the dot: so it is in the reference.
	for p.accept(".") {
		if needsReceiverParens(e) {
			return nil, p.fail(start, "a date must stand in parentheses before a method")
		}
		if e, err = p.method(e); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// needsReceiverParens reports whether the methods of e must be called on (e),
// although e is a term: the reference takes the dot as part of the date.
func needsReceiverParens(e Expr) bool {
	v, ok := e.(Value)
	if !ok {
		return false
	}
	_, ok = v.Term.(Date)
	return ok
}

func (p *parser) primary() (Expr, error) {
	if p.peek() != '(' {
		t, err := p.term(true)
		return p.node(Value{t}, err)
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.pos++
	arg, err := p.expr(levelOr)
	if err != nil {
		return nil, err
	}
	return p.node(Unary{Op: OpParens, Arg: arg}, p.expect(")", "an operator or ')'"))
}

// method reads a method's name and arguments, after the dot.
func (p *parser) method(on Expr) (Expr, error) {
	start := p.pos
	name := nameAt(p.src, p.pos)
	p.pos += len(name)
	if !p.accept("(") {
		return nil, p.unexpected("a method's name and '('")
	}
	if extern, ok := strings.CutPrefix(name, externPrefix); ok && extern != "" {
		if done, err := p.next(")"); err != nil {
			return nil, err
		} else if done {
			return p.node(Unary{Op: OpUnaryExtern, Extern: extern, Arg: on}, nil)
		}
		arg, err := p.argument()
		return p.node(Binary{Op: OpExtern, Extern: extern, Left: on, Right: arg}, err)
	}
	for _, m := range unaryMethods {
		if m.name == name {
			return p.node(Unary{Op: m.op, Arg: on}, p.expect(")", "')', as the method takes no argument"))
		}
	}
	for _, m := range binaryMethods {
		if m.name == name {
			arg, err := p.argument()
			return p.node(Binary{Op: m.op, Left: on, Right: arg}, err)
		}
	}
	for _, m := range quantMethods {
		if m.name == name {
			return p.quantified(m.op, on)
		}
	}
	return nil, p.fail(start, "unknown method %s", quoteName(name))
}

// argument reads an expression and the parenthesis that ends a method's call.
func (p *parser) argument() (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	arg, err := p.expr(levelOr)
	if err != nil {
		return nil, err
	}
	return arg, p.expect(")", "an operator or ')'")
}

func (p *parser) quantified(op QuantOp, over Expr) (Expr, error) {
	if err := p.space(); err != nil {
		return nil, err
	}
	if p.peek() != '$' {
		return nil, p.unexpected("a variable and '->'")
	}
	param, err := p.variable()
	if err != nil {
		return nil, err
	}
	if err := p.expect("->", "'->'"); err != nil {
		return nil, err
	}
	body, err := p.argument()
	return p.node(Quantified{Op: op, Over: over, Param: param, Body: body}, err)
}
