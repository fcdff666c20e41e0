package main

// speedMutants are about what makes decisions fast without changing them.
var speedMutants = []mutant{
	{"lent memory holds nothing of the request before", "verify/steps.go", "\tstated.Reset()\n", "", "./verify", "^TestDecisionsDoNotDependOnHistory$"},
	{"a chain is known by every byte", "verify/memory.go", "u.Continues(r.token) && ", "", "./verify", "^TestKnownByEveryByte$"},
	{"a session's text is forgotten with it", "verify/memory.go", "delete(m.sessions, oldest.text)", "", "./verify", "^TestSessionsAreForgotten$"},
	{"the action is digested for who asks: a policy", "verify/steps.go", "v.mentions.Action || ", "", "./verify", "^TestActionIsStatedToWhoAsks$"},
	{"the action is digested for who asks: a block", "verify/steps.go", "chain.MentionsAction() || ", "", "./verify", "^TestActionIsStatedToWhoAsks$"},
	{"a decision names holders for itself", "verify/chain.go", "\ta.d.Chain = slices.Clone(a.d.Chain)", "\t_ = slices.Clone(a.d.Chain)", "./verify", "^TestNamesAreOfTheMoment$"},
	{"each pattern is compared in place", "token/delegation/canonical.go", "if !alternative(i == 0, datalog.OpEqual, p.Path) {", "if !alternative(i == 0, datalog.OpEqual, p.Path) && i > 0 {", "./token/delegation", "^TestWritesIsWhatWritingAgainSays$"},
	{"names are compared in place", "token/delegation/canonical.go", "!ok || string(s) != name", "!ok || string(s) == name && false", "./token/delegation", "^TestWritesIsWhatWritingAgainSays$"},
	{"a check in place has no scope", "token/delegation/canonical.go", " || len(q.Scopes) != 0", "", "./token/delegation", "^TestWritesIsWhatWritingAgainSays$"},
	{"the window is compared in place", "token/delegation/invocation.go", "return ok && and && compares(from, datalog.OpGreaterOrEqual, \"t\", datalog.Date(v.NotBefore)) &&", "return ok && and && from != nil &&", "./token/delegation", "^TestInvocationIsExactlyItsChecks$"},
}
