package interop

// operators observes many expressions; three in five are allowed.
func operators(w *writer, p *Program) {
	var authority, authorizer source
	authority.WriteString(groundFacts)
	w.observations(&authority, 0, w.between(3, 6))
	deny := w.IntN(5) < 2
	p.intend(deny)
	place := w.IntN(3) // of the check that fails, if one does
	authority.add("%s", w.check(!deny || place != 0))
	for i := range w.IntN(3) {
		var block source
		block.add("local(%d)", i)
		w.observations(&block, 100*(i+1), w.between(1, 3))
		block.add("%s", w.check(true))
		p.Blocks = append(p.Blocks, firstParty(block.String()))
	}
	if deny && place == 1 {
		var block source
		block.add("%s", w.check(false))
		p.Blocks = append(p.Blocks, firstParty(block.String()))
	}
	w.observations(&authorizer, 1000, w.between(0, 3))
	authorizer.add("%s", w.check(!deny || place != 2))
	w.allowing(&authorizer)
	p.Authority, p.Authorizer = authority.String(), authorizer.String()
}

// failures returns a family of programs that would be allowed, but for one
// expression that cannot be evaluated. It is one of several such families,
// numbered from 0 by entry, which share the table of such expressions.
func failures(entry, entries int) func(*writer, *Program) {
	return func(w *writer, p *Program) {
		w.round = w.round*entries + entry
		failed := Failed
		p.intended = &failed
		var authority, block, authorizer source
		authority.WriteString(groundFacts)
		w.observations(&authority, 0, 2)
		authority.add("%s", w.check(true))
		query, inRule := w.brokenQuery()
		place := w.IntN(8)
		if !inRule {
			place = w.IntN(6)
		}
		switch place {
		case 0:
			authority.add("check if %s", query)
		case 1:
			authority.add("check all %s", query)
		case 2:
			block.add("reject if %s", query)
		case 3:
			block.add("check if absent(1) or %s or true", query)
		case 4:
			authorizer.add("check if %s", query)
		case 5:
			authorizer.add("deny if absent(1) or %s", query)
		case 6:
			authorizer.add("broken(1) <- %s", query)
		default:
			block.add("broken(1) <- %s", query)
		}
		block.add("%s", w.check(true))
		p.Blocks = []BlockSpec{firstParty(block.String())}
		w.allowing(&authorizer)
		p.Authority, p.Authorizer = authority.String(), authorizer.String()
	}
}

// policies ends in one policy or another, or in none.
func policies(w *writer, p *Program) {
	var authority, authorizer source
	authority.WriteString(groundFacts)
	authority.add("right(%q, %q)", w.oneOf("file1", "file2"), w.oneOf("read", "write"))
	authority.add("%s", w.check(true))
	authorizer.add("resource(%q)", w.oneOf("file1", "file2"))
	authorizer.add("operation(%q)", w.oneOf("read", "write"))
	for range w.between(1, 4) {
		kind := w.oneOf("allow", "allow", "deny")
		switch w.IntN(4) {
		case 0:
			authorizer.add("%s if resource($r), operation($o), right($r, $o)", kind)
		case 1:
			authorizer.add("%s if %s", kind, w.truth(w.coin()))
		case 2:
			authorizer.add("%s if absent($x) or many($n), $n == %d", kind, w.oneInt(1, 3, 5))
		default:
			authorizer.add("%s if operation(%q), %s", kind, w.oneOf("read", "write"), w.truth(w.IntN(4) > 0))
		}
	}
	if w.IntN(4) == 0 { // which does not show in the policy that matched
		p.Blocks = []BlockSpec{firstParty(w.check(false))}
	}
	p.Authority, p.Authorizer = authority.String(), authorizer.String()
}

func (w *writer) oneInt(choices ...int) int { return choices[w.IntN(len(choices))] }
