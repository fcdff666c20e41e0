package datalog

// String returns the source of the block: its trusting clause if it has one,
// facts, rules and checks in their order, each on a line and ended by a
// semicolon. The context is not part of it.
func (b Block) String() string {
	var out []byte
	out = appendClause(out, b.Scopes)
	out = appendLines(out, b.Facts)
	out = appendLines(out, b.Rules)
	out = appendLines(out, b.Checks)
	return string(out)
}

// String returns the source of the authorizer: as for a block, with a blank line
// after the facts, the rules and the checks if there are any, then the policies.
func (a Authorizer) String() string {
	var out []byte
	out = appendClause(out, a.Scopes)
	out = appendGroup(out, a.Facts)
	out = appendGroup(out, a.Rules)
	out = appendGroup(out, a.Checks)
	out = appendLines(out, a.Policies)
	return string(out)
}

func appendClause(b []byte, scopes []Scope) []byte {
	if len(scopes) == 0 {
		return b
	}
	return append(appendTrusting(b, scopes), ";\n"...)
}

func appendLines[T interface{ append([]byte) []byte }](b []byte, statements []T) []byte {
	for _, s := range statements {
		b = append(s.append(b), ";\n"...)
	}
	return b
}

func appendGroup[T interface{ append([]byte) []byte }](b []byte, statements []T) []byte {
	if len(statements) == 0 {
		return b
	}
	return append(appendLines(b, statements), '\n')
}
