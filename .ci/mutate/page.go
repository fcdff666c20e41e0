package main

// pageMutants are about showing a token as a page.
var pageMutants = []mutant{
	{"a name on the page is quoted", "cli/page/element.go", "text(delegation.PlainName(s))", "text(s + delegation.PlainName(\"\"))", "./cli/page", "^TestNamesAreQuoted$"},
	{"nothing on the page turns or hides text", "cli/page/element.go", "Element{Text: reading.OneLine(string(t))}", "Element{Text: string(t)}", "./cli/page", "^TestHostileTextIsText$"},
	{"a text in a report is no markup", "cli/page/html.go", "html.EscapeString(e.Text)", "e.Text", "./cli/page", "^TestHostileTextIsText$"},
	{"the page loads nothing", "cli/page/html.go", "default-src 'none'; ", "", "./cli/page", "^TestPolicy$"},
	{"nobody makes markup of a string", "cli/page/html.go", "require-trusted-types-for 'script'; ", "", "./cli/page", "^TestPolicy$"},
	{"a root that may not speak for the delegator is told", "cli/reading/reading.go", "\t\t\tr.Why, r.Refused = err, err\n\t\t}\n\t}\n\treturn r, nil", "\t\t\t_ = err\n\t\t}\n\t}\n\treturn r, nil", "./cli/page", "^TestLook$/^for_another_person$"},
	{"a token that has expired says so", "cli/page/look.go", "return \" It has expired.\"", "return \"\"", "./cli/page", "^TestLook$/^expired$"},
	{"a comparison looks at the time", "cli/page/compare.go", "\tc.times(q.suppose.At)\n", "", "./cli/page", "^TestAsk$/^expired$"},
	{"a comparison looks at the invocation's request", "cli/page/compare.go", "err != nil || digest != inv.Request", "err != nil || digest != digest", "./cli/page", "^TestAsk$/^presented_for_another_request$"},
	{"a comparison looks at approvals", "cli/page/compare.go", "range r.Chain.Unapproved(action)", "range r.Chain.Unapproved(action)[:0]", "./cli/page", "^TestAsk$/^approved_for_less$"},
	{"a private key that was pasted is not read", "cli/page/fields.go", "strings.Contains(text, \"PRIVATEKEY-----\") || ", "", "./cli/page", "^TestLook$/^a_private_key's_PEM$"},
}
