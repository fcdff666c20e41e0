package main

// shownMutants are about what people are shown.
var shownMutants = []mutant{
	{"a name that is not plain is quoted", "token/delegation/plainname.go", "r > '~' || !plainRune(r)", "false", "./token/delegation", "PlainName"},
	{"a name in a reason is quoted", "verify/decision.go", "delegation.PlainName(r.Hop)", "r.Hop", "./cli", "Scripts/names"},
	{"a holder in the tree is quoted", "cli/inspect.go", "delegation.PlainName(l.Holder)", "l.Holder", "./cli", "Scripts/names"},
}
