package main

// propertyMutants are lines of the engine and of the reader that no test but the
// properties over generated chains is asked about.
var propertyMutants = []mutant{
	// The engine: what one block sees of the others, and what its checks mean.
	{"property: a block sees block 0 and its own facts", "verify/internal/engine/solve.go", "if !subset(r.origin(i, e.words), s.trust) {", "if false {", "./verify", properties},
	{"property: a scope trusts the key that it names", "verify/internal/engine/origin.go", "k != nil && *k == s.Key {", "k != nil {", "./verify", properties},
	{"property: every block's checks count", "verify/internal/engine/evaluate.go", "for b := 1; b < len(e.blocks); b++ {", "for b := 2; b < len(e.blocks); b++ {", "./verify", properties},
	{"property: a failed check denies", "verify/internal/engine/result.go", " && len(r.Failed) == 0", "", "./verify", properties},
	{"property: reject if rejects", "verify/internal/engine/evaluate.go", "if decided == (c.Kind == datalog.RejectIf) {", "if !decided && c.Kind != datalog.RejectIf {", "./verify", properties},
	{"property: check all holds for all", "verify/internal/engine/solve.go", "return e.search.matched && !e.search.fails, f", "return e.search.holds, f", "./verify", properties},
	{"property: a prefix stands first", "verify/internal/engine/operators.go", "return boolean(strings.HasPrefix(s, t)), none", "return boolean(strings.Contains(s, t)), none", "./verify", properties},
	{"property: at most is no more", "verify/internal/engine/operators.go", "\tcase datalog.OpLessOrEqual:\n\t\treturn boolean(a <= b), none\n\tcase datalog.OpGreaterOrEqual:\n\t\treturn boolean(a >= b), none\n\tcase datalog.OpBitAnd:", "\tcase datalog.OpLessOrEqual:\n\t\treturn boolean(a <= b+1), none\n\tcase datalog.OpGreaterOrEqual:\n\t\treturn boolean(a >= b), none\n\tcase datalog.OpBitAnd:", "./verify", properties},

	// The reader.
	{"property: below a path begins after a slash", "token/delegation/resource.go", `strings.HasPrefix(inner.Path, p.Path+"/")`, "strings.HasPrefix(inner.Path, p.Path)", "./verify", properties},
	{"property: a bound is replaced by a tighter one only", "token/delegation/scope.go", "if bound.Caveat.compare(c) == Within {", "if bound.Caveat.compare(c) == Beyond {", "./verify", properties},
	{"property: a range has an end", "token/delegation/arg_range.go", "return ok && int64(n) >= a.Min && int64(n) <= a.Max", "return ok && int64(n) >= a.Min", "./verify", properties},
	{"property: two expiries meet at the earlier", "token/delegation/time.go", "return Expiry{min(e.At, other.(Expiry).At)}, true", "return Expiry{max(e.At, other.(Expiry).At)}, true", "./verify", properties},
	{"property: a caveat holds for every value", "token/delegation/explain.go", "f.Holds = f.Holds && c.admits(v)", "f.Holds = f.Holds || c.admits(v)", "./verify", properties},
	{"property: only a canonical check is a typed caveat", "token/delegation/caveat.go", "writes(cv, c)", "true", "./verify", properties},
}

const properties = "^TestProperty"
