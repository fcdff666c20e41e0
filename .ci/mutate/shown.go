package main

// shownMutants are about what people are shown.
var shownMutants = []mutant{
	{"a name that is not plain is quoted", "token/delegation/plainname.go", "r > '~' || !plainRune(r)", "false", "./token/delegation", "PlainName"},
	{"a name in a reason is quoted", "verify/decision.go", "delegation.PlainName(r.Hop)", "r.Hop", "./cli", "Scripts/names"},
	{"a holder in the tree is quoted", "cli/inspect.go", "delegation.PlainName(l.Holder)", "l.Holder", "./cli", "Scripts/names"},
	{"the text of a caveat keeps secrets", "token/delegation/text.go", "token.LooksSecret(at.text) || token.LooksSecret(r.around(at.at))", "false", "./token/delegation", "TextErrorKeepsSecrets"},
	{"a value that looks like a secret is not repeated", "cli/flags.go", "if token.LooksSecret(arg) {", "if token.LooksSecret(arg) && false {", "./cli", "Scripts/echo"},
	{"a used approval needs another approval", "cli/verify_memory.go", "if refusedApproval(d) {", "if false {", "./cli", "Scripts/approval"},
	{"a record does not contradict itself", "cli/record.go", "*r.Allowed != (r.Code == \"\")", "false", "./cli", "Scripts/names"},
	{"no text of a record spans lines", "cli/record.go", "strings.ContainsFunc(text, reading.IsHidden)", "strings.ContainsFunc(text, reading.IsHidden) && len(text) < 0", "./cli", "Scripts/names"},
	{"a token that holds at no time is told", "cli/holding.go", "from.At >= until.At", "false", "./cli", "Scripts/holding"},
	{"a token that does not hold yet is told", "cli/holding.go", "case begins && now.Before(from.Time()):", "case false:", "./cli", "Scripts/holding"},
}
