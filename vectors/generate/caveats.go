package main

import "time"

// all writes `check all name($variable), condition`, the form of each caveat
// about one fact.
func all(name, variableName string, condition expr) node {
	return check(checkAll, query{body: []node{pred(name, variable(variableName))}, exprs: []expr{condition}})
}

func moment(t time.Time) expr { return val(date(uint64(t.Unix()))) }

func expires(t time.Time) node { return all("time", "t", infix(binLessThan, ref("t"), moment(t))) }
func notBefore(t time.Time) node {
	return all("time", "t", infix(binGreaterOrEqual, ref("t"), moment(t)))
}

// exactly is a resource itself, under also all below it.
func exactly(path string) []expr { return []expr{infix(binEqual, ref("r"), text(path))} }
func under(path string) []expr {
	return append(exactly(path), infix(binPrefix, ref("r"), text(path+"/")))
}

// resource joins its alternatives with ||, from the left.
func resource(alternatives ...[]expr) node {
	var e expr
	for _, a := range alternatives {
		for _, x := range a {
			if e == nil {
				e = x
			} else {
				e = lazy(binOr, e, x)
			}
		}
	}
	return all("resource", "r", e)
}

// oneOf is [..].contains($variable).
func oneOf(variableName string, values ...string) expr {
	var terms []node
	for _, v := range values {
		terms = append(terms, str(v))
	}
	return infix(binContains, val(array(terms...)), ref(variableName))
}

func operation(names ...string) node { return all("operation", "o", oneOf("o", names...)) }
func audience(names ...string) node  { return all("audience", "a", oneOf("a", names...)) }
func agentKey(keys ...string) node   { return all("agent_key", "k", oneOf("k", keys...)) }
func depthAtMost(n int64) node       { return all("depth", "d", infix(binLessOrEqual, ref("d"), num(n))) }

// argument is `check all arg(name, $v), condition`; no condition asks that the
// argument is there.
func argument(name string, condition ...expr) node {
	return check(checkAll, query{body: []node{pred("arg", str(name), variable("v"))}, exprs: condition})
}

func equals(v node) expr { return infix(binEqual, ref("v"), val(v)) }

// typed guards a condition with the type of the argument.
func typed(name string, condition expr) expr {
	return lazy(binAnd, infix(binEqual, apply(unTypeOf, ref("v")), text(name)), condition)
}

func unset(name string) node {
	return check(rejectIf, query{body: []node{pred("arg", str(name), variable("v"))}})
}
