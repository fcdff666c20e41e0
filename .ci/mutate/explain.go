package main

// explainMutants are about saying why.
var explainMutants = []mutant{
	{"a denial names whoever signed the block", "verify/steps.go", "\t\td.signedBy(t)\n", "", "./verify", "DeniedVectors"},
	{"a denial of the service names it", "verify/decision.go", "reason.Hop = d.Service", "", "./verify", "DeniedVectors"},
	{"a failed check says what was asked", "verify/evaluate.go", "\t\t\tAsked: asked(f.Source.Queries, seen...),\n\t\t}\n", "\t\t}\n", "./verify", "DeniedVectors"},
	{"an explanation goes on after a step that fails", "verify/explain.go", "\t\t\te.object(d, err)\n\t\t}\n\t}\n\tif a.broken", "\t\t\te.object(d, err)\n\t\t\tbreak\n\t\t}\n\t}\n\tif a.broken", "./verify", "ExplainGoesOn"},
	{"an explanation of a held token is not that of an invoked one", "verify/explain.go", "e.Supposed = true", "", "./verify", "Explain"},
	{"a supposed invocation is the holder's", "verify/explain.go", "By: a.token.NextKey()", "By: a.token.Root()", "./verify", "SupposedInvocation"},
	{"an explanation at another time leaves the memory alone", "verify/explain.go", "a.used.Entries = nil", "", "./verify", "Explain"},
	{"Mermaid's quotes are numbers", "cli/picture.go", "strings.ContainsRune(\" ,:/_@=()✗\", r)", "strings.ContainsRune(\" \\\",:/_@=()✗\", r)", "./cli", "PicturesHold"},
	{"DOT's quotes are escaped", "cli/picture.go", "`\"`, `\\\"`, `&`", "`&`", "./cli", "PicturesHold"},
	{"DOT's backslashes are escaped", "cli/picture.go", "strings.NewReplacer(`\\`, `\\\\`, ", "strings.NewReplacer(", "./cli", "PicturesHold"},
	{"a simulation fails when something is not as expected", "cli/simulate.go", "s.Counts.Unexpected > 0", "false", "./cli", "Scripts/simulate"},
	{"a simulation knows the members of its file", "cli/simulate_requests.go", "return fmt.Errorf(\"there is no member %q\", name)", "continue", "./cli", "ParseSimulated"},
	{"an approver's bound is the approver's", "token/delegation/read.go", "return c.Approvals[i].By.String()\n", "continue\n", "./token/delegation", "TestAuthor"},
	{"a descendant has the bytes of its parent", "cli/diff.go", "for n > 0 && a.PrefixHash(n) != b.PrefixHash(n) {", "for n < 0 {", "./cli", "Scripts/diff"},
	{"a diff of an untrusted token fails", "cli/diff.go", "return cmp.Or(err, d.A.in.Refused, d.B.in.Refused)", "return err", "./cli", "Scripts/diff"},
	{"an explanation tells what was found before an error", "verify/explain.go", "e.object(d, a.failures())", "", "./verify", "ExplainMarks"},
}
