package main

// explainMutants are about saying why.
var explainMutants = []mutant{
	{"a denial names whoever signed the block", "verify/steps.go", "\t\td.signedBy(t)\n", "", "./verify", "DeniedVectors"},
	{"a denial of the service names it", "verify/decision.go", "reason.Hop = d.service", "", "./verify", "DeniedVectors"},
	{"a failed check says what was asked", "verify/evaluate.go", "reason.Asked = asked(f.Source, facts, inside)", "_ = inside", "./verify", "DeniedVectors"},
}
