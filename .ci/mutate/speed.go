package main

// speedMutants are about what makes decisions fast without changing them.
var speedMutants = []mutant{
	{"lent memory holds nothing of the request before", "verify/steps.go", "\tstated.Reset()\n", "", "./verify", "^TestDecisionsDoNotDependOnHistory$"},
	{"a chain is known by every byte", "verify/memory.go", "u.Continues(r.token) && ", "", "./verify", "^TestKnownByEveryByte$"},
	{"a session's text is forgotten with it", "verify/memory.go", "delete(m.sessions, oldest.text)", "", "./verify", "^TestSessionsAreForgotten$"},
	{"the action is digested for who asks: a policy", "verify/steps.go", "v.mentions.Action || ", "", "./verify", "^TestActionIsStatedToWhoAsks$"},
	{"the action is digested for who asks: a block", "verify/steps.go", "chain.MentionsAction() || ", "", "./verify", "^TestActionIsStatedToWhoAsks$"},
}
