package interop

import (
	"fmt"
	"slices"
	"strings"
)

// joins follows the edges of a graph, with recursion, joins and repeated
// variables.
func joins(w *writer, p *Program) {
	const nodes = 6
	var authority, block, authorizer source
	var reach [nodes][nodes]bool
	for range w.between(4, 9) {
		a, b := w.IntN(nodes), w.IntN(nodes)
		authority.add("edge(%d, %d)", a, b)
		reach[a][b] = true
	}
	for k := range nodes {
		for i := range nodes {
			for j := range nodes {
				reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
			}
		}
	}
	authority.add("path($a, $b) <- edge($a, $b)")
	if w.coin() {
		authority.add("path($a, $c) <- path($a, $b), edge($b, $c)")
	} else {
		authority.add("path($a, $c) <- path($a, $b), path($b, $c)")
	}
	authority.add("cycle($a) <- path($a, $a)")
	block.add("both($a, $b) <- path($a, $b), path($b, $a), $a < $b")
	block.add("label($a, \"start\", null) <- edge($a, $b), $a !== $b")

	deny := w.IntN(5) < 2
	p.intend(deny)
	for i := range 3 {
		a, b := w.IntN(nodes), w.IntN(nodes)
		kind := choose(reach[a][b] == (deny && i == 0), "reject if", "check if")
		authorizer.add("%s path(%d, %d)", kind, a, b)
		block.add("%s path($x, %d), $x === %d", choose(reach[a][b], "check if", "reject if"), b, a)
	}
	block.add("check all edge($a, $b), $a >= 0, $b < %d", nodes)
	switch w.IntN(3) {
	case 0:
		authorizer.add("allow if cycle($a)")
		authorizer.add("allow if edge($a, $b)")
	case 1:
		authorizer.add("deny if cycle($a), $a > %d", nodes)
		authorizer.add("allow if path($a, $b), edge($b, $c)")
		authorizer.add("allow if true")
	default:
		authorizer.add("allow if true")
	}
	p.Authority, p.Authorizer = authority.String(), authorizer.String()
	p.Blocks = []BlockSpec{firstParty(block.String())}
}

// structures matches facts that hold arrays, maps, sets and null.
func structures(w *writer, p *Program) {
	n, name := w.between(-9, 9), w.oneOf("alice", "bøb", "c d")
	terms := []string{
		fmt.Sprintf("[1, [%d, null], {%d}]", n, n),
		fmt.Sprintf(`{"user": {"name": %q, "id": %d}, 7: [true]}`, name, n),
		fmt.Sprintf("{%d, %d, %d}", n+2, n, n+1),
		fmt.Sprintf("{2026-03-01T00:00:00Z, %s}", date(3*n+1)),
		"{hex:00, hex:ff00}", "{true, false}", "{,}", "[]", "null",
		fmt.Sprintf("[%q, 2026-03-01T00:00:00Z, hex:0a]", name),
		fmt.Sprintf(`{"deep": {"er": [{"est": [[%d]]}]}}`, n),
		fmt.Sprintf(`{{"a": %d}, {"a": %d}}`, n, n+1),
	}
	// The same values once more, spelled otherwise: fields and elements change
	// places, as far as they mean nothing.
	same := slices.Clone(terms)
	same[1] = fmt.Sprintf(`{7: [true], "user": {"id": %d, "name": %q}}`, n, name)
	same[2] = fmt.Sprintf("{%d, %d, %d, %d}", n, n+1, n+2, n)
	same[4] = "{hex:FF00, hex:00}"
	same[11] = fmt.Sprintf(`{{"a": %d}, {"a": %d}}`, n+1, n)

	var authority, authorizer source
	authority.WriteString(groundFacts)
	for i, t := range terms {
		authority.add("value(%d, %s)", i, t)
	}
	authority.add("copy($i, $v) <- value($i, $v), $i >= %d", w.IntN(6))
	authority.add("typed($i, $v) <- value($i, $v), $v.type() == %q", w.oneOf("set", "map", "array", "null"))
	deny := w.IntN(5) < 2
	p.intend(deny)
	for k := range 3 {
		i, j := w.IntN(len(terms)), w.IntN(len(terms))
		kind := choose((i == j) == (deny && k == 0), "reject if", "check if")
		switch w.IntN(3) {
		case 0:
			authorizer.add("%s value(%d, %s)", kind, i, same[j])
		case 1:
			authorizer.add("%s value(%d, $v), $v == %s", kind, i, same[j])
		default:
			authorizer.add("%s value(%d, $v), [%s, 0].contains($v)", kind, i, same[j])
		}
	}
	authorizer.add(`check if value(1, $m), $m.get("user").get("name") == %q, $m.get("none") == null`, name)
	authorizer.add("check if value(0, $a), $a.get(1).get(0) === %d, $a.get(2).contains($a.get(1).get(0))", n)
	authorizer.add("check all value($i, $v), $i >= 0, $v == $v")
	authorizer.add("check if value(2, $s), $s.all($x -> $x >= %d) && $s.union({%d}).length() == 3", n, n)
	w.allowing(&authorizer)
	p.Authority, p.Authorizer = authority.String(), authorizer.String()
}

// caveats looks like the tokens of this project: a chain of narrowing checks
// against the facts of a request.
func caveats(w *writer, p *Program) {
	hour := w.between(-5, 5)
	path := w.oneOf("payments/certs/api", "payments/certs", "payments", "paymentsx")
	amount := w.oneOf("50", "100", "101", `"50"`, "null")
	checks := []string{
		fmt.Sprintf("check all time($t), $t < %s", date(w.between(0, 9))),
		fmt.Sprintf("check all time($t), $t >= %s", date(-w.between(3, 9))),
		`check all resource($r), $r == "payments" || $r.starts_with("payments/")`,
		`check all operation($o), ["rotate", "read"].contains($o)`,
		`check all arg("amount", $v), $v.type() == "integer" && $v >= 1 && $v <= 100`,
		`check all arg("amount", $v), [50, 100, "50"].contains($v)`,
		`check all arg("to", $v), $v.type() == "string" && $v.matches("^(?:[a-z]+@example[.]org)$")`,
		`check all arg_ip("peer", $b), $b.starts_with("4:00001010")`,
		`check all arg_host("host", $h), $h == "x.org" || $h.ends_with(".x.org")`,
		`check all arg("to", $v)`,
		`reject if arg("force", $v)`,
		"check all weekday($d), [1, 2, 3, 4, 5].contains($d)",
		"check all minute($m), $m >= 1320 || $m < 720",
		"check all depth($d), $d <= 3",
		fmt.Sprintf("check if action($a), approved($a) trusting %s, %s", w.keys[0].Public, w.keys[2].Public),
	}
	w.Shuffle(len(checks), func(i, j int) { checks[i], checks[j] = checks[j], checks[i] })
	var authority, narrowed, approval, authorizer source
	authority.add(`delegator("alice@example.com")`)
	authority.add(`holder("agent:ci")`)
	authority.add("%s", strings.Join(checks[:2], ";\n"))
	narrowed.add(`holder("agent:runner-7")`)
	narrowed.add("%s", strings.Join(checks[2:w.between(4, 6)], ";\n"))
	approval.add("approved(hex:0102)")
	approval.add("check all time($t), $t < %s", date(9))
	p.Blocks = []BlockSpec{firstParty(narrowed.String())}
	if w.coin() {
		p.Blocks = append(p.Blocks, BlockSpec{Code: approval.String(), ThirdPartyKeyIndex: w.oneInt(0, 1, 2, 2)})
	}
	for _, fact := range []string{
		"time(" + date(hour) + ")", "weekday(3)", fmt.Sprintf("minute(%d)", w.oneInt(0, 719, 1320, 900)),
		`operation("rotate")`, "resource(" + quoted(path) + ")", `arg("amount", ` + amount + ")",
		`arg("to", "bob@example.org")`, `arg_ip("peer", "4:00001010000000000000000000000001")`,
		`arg_host("host", "` + w.oneOf("x.org", "a.x.org", "ax.org") + `")`, "depth(1)", "action(hex:0102)",
	} {
		authorizer.add("%s", fact)
	}
	authorizer.add("allow if true")
	p.Authority, p.Authorizer = authority.String(), authorizer.String()
}

// quotedStrings compares strings that the reference prints without escapes.
func quotedStrings(w *writer, p *Program) {
	p.Quoted = true
	texts := []string{`say "hi"`, `C:\dir\`, "two\nlines", `\n`, `"`, `\`, `a"b\c`, "tab\tand é", `"); allow if true; //`}
	a, b := texts[w.IntN(len(texts))], texts[w.IntN(len(texts))]
	number := w.between(0, 999)
	var authority, authorizer source
	authority.WriteString(groundFacts)
	authority.add("text(%d, %s)", number, quoted(a))
	authority.add("text(%s)", quoted(a+b))
	authority.add("bag({%s, \"x\"}, {%s: %s})", quoted(a), quoted(a), quoted(b))
	deny := w.IntN(5) < 2
	p.intend(deny)
	holds := func(want bool) string {
		switch w.IntN(6) {
		case 0:
			return fmt.Sprintf("text(%d, %s)", number, quoted(choose(want, a, a+"?")))
		case 1:
			return fmt.Sprintf("text($t), $t.starts_with(%s)", quoted(choose(want, a, a+"?")))
		case 2:
			return fmt.Sprintf("text($t), $t.length() == %d", len(a+b)+choose(want, 0, 1))
		case 3:
			return fmt.Sprintf("bag($s, $m), $m.get(%s) == %s", quoted(a), quoted(choose(want, b, b+"?")))
		case 4:
			return fmt.Sprintf("bag($s, $m), $s.contains(%s)", quoted(choose(want, a, a+"?")))
		}
		return fmt.Sprintf("text(%d, $t), $t + %s == %s", number, quoted(b), quoted(choose(want, a+b, a+b+"?")))
	}
	authorizer.add("check if %s", holds(!deny))
	authorizer.add("check all %s", holds(true))
	authorizer.add("reject if %s", holds(false))
	authorizer.add("allow if %s", holds(true))
	p.Authority, p.Authorizer = authority.String(), authorizer.String()
}
