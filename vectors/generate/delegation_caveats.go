package main

// A typedCaveat is a sort of caveat on an argument called x, with values that pass
// and values that do not. The first that passes is the sibling of the latter.
type typedCaveat struct {
	name, about string
	check       node
	passes      []sample
	fails       []sample
}

// A sample is the value of x. The name says what is special about it.
type sample struct {
	name  string
	value any
}

// stray is what no path below another contains (spec/caveats.md, "Paths").
const stray = `(^|/)(\.{0,2}(/|$)| )| (/|$)|[%\\\x00-\x1f\x7f]`

func below(path string) expr {
	return lazy(binOr,
		equals(str(path)),
		lazy(binAnd, typed("string", infix(binPrefix, ref("v"), text(path+"/"))), not(infix(binRegex, ref("v"), text(stray)))))
}

// derived is `check all predicate("x", $variable), condition`.
func derived(predicate, variableName string, condition expr) node {
	return check(checkAll, query{body: []node{pred(predicate, str("x"), variable(variableName))}, exprs: []expr{condition}})
}

func network(bits string) expr { return infix(binPrefix, ref("b"), text(bits)) }

func matchesWhole(pattern string) expr {
	return typed("string", infix(binRegex, ref("v"), text("^(?:"+pattern+")$")))
}

func typedCaveats() []typedCaveat {
	return []typedCaveat{
		{"equals", "is one value", argument("x", equals(str("a\"b\n\x00"))),
			[]sample{{"hostile", "a\"b\n\x00"}},
			[]sample{{"cut", "a\"b\n"}, {"integer", 5}, {"array", []any{"a\"b\n\x00"}}, {"null", nil}}},
		{"one-of", "is one of several values of several types", argument("x", infix(binContains, val(array(str("5"), integer(7), boolean(true), null())), ref("v"))),
			[]sample{{"string", "5"}, {"integer", 7}, {"true", true}, {"null", nil}},
			[]sample{{"integer-for-string", 5}, {"string-for-integer", "7"}, {"false", false}, {"array-within", []any{"5"}}}},
		{"from", "is an integer of at least the least but one", argument("x", typed("integer", infix(binGreaterOrEqual, ref("v"), num(-9223372036854775807)))),
			[]sample{{"lowest", -9223372036854775807}, {"largest", 9223372036854775807}},
			[]sample{{"below", -9223372036854775808}, {"string", "0"}, {"float", float("0.0")}}},
		{"until", "is an integer of at most the largest but one", argument("x", typed("integer", infix(binLessOrEqual, ref("v"), num(9223372036854775806)))),
			[]sample{{"highest", 9223372036854775806}, {"least", -9223372036854775808}},
			[]sample{{"above", 9223372036854775807}, {"null", nil}}},
		{"prefix", "is text that begins with inv-", argument("x", typed("string", infix(binPrefix, ref("v"), text("inv-")))),
			[]sample{{"alone", "inv-"}, {"more", "inv-7\n"}},
			[]sample{{"upper-case", "INV-7"}, {"later", " inv-7"}, {"integer", 7}, {"array", []any{"inv-7"}}}},
		{"subtree", "is the path a/b or lies below it", argument("x", below("a/b")),
			[]sample{{"itself", "a/b"}, {"below", "a/b/c"}, {"dots-in-a-name", "a/b/..c/d..e"}, {"space-in-a-name", "a/b/c d"}},
			[]sample{{"lookalike", "a/bc"}, {"above", "a"}, {"dot-dot", "a/b/../c"}, {"dot-dot-last", "a/b/.."}, {"dot", "a/b/./c"}, {"empty-segment", "a/b//c"}, {"slash-last", "a/b/"}, {"slash-first", "/a/b"},
				{"percent", "a/b/%2e%2e/c"}, {"backslash", `a/b/..\..\c`}, {"nul", "a/b/c\x00"}, {"newline", "a/b/c\n"}, {"dot-dot-space", "a/b/.. /c"}, {"space-dot-dot", "a/b/ ../c"}, {"integer", 7}}},
		{"cidr", "is an address in 10.0.0.0/8", derived("arg_ip", "b", network("4:00001010")),
			[]sample{{"first", "10.0.0.0"}, {"last", "10.255.255.255"}, {"in-ipv6", "::ffff:10.0.0.1"}, {"in-ipv6-hex", "::FFFF:a00:1"}},
			[]sample{{"next", "11.0.0.0"}, {"compatible-ipv6", "::10.0.0.1"}, {"ipv6", "a00::1"}, {"zone", "::ffff:10.0.0.1%eth0"}, {"leading-zero", "010.0.0.1"}, {"three-parts", "10.0.1"}, {"number", "167772161"}, {"integer", 167772161},
				{"hexadecimal", "0xa.0.0.1"}, {"port", "10.0.0.1:80"}, {"prefix-length", "10.0.0.1/32"}, {"space", "10.0.0.1 "}, {"empty", ""}}},
		{"cidr-ipv6", "is an address in 2001:db8::/32 or 0.0.0.0/0", derived("arg_ip", "b", lazy(binOr, network("6:00100000000000010000110110111000"), network("4:"))),
			[]sample{{"short", "2001:db8::1"}, {"long", "2001:0DB8:0:0:0:0:0:1"}, {"tail", "2001:db8::1.2.3.4"}, {"ipv4", "1.2.3.4"}},
			[]sample{{"next", "2001:db9::"}, {"loopback", "::1"}, {"brackets", "[2001:db8::1]"}}},
		{"host", "is a URL at x.org or below it", derived("arg_host", "h", lazy(binOr, infix(binEqual, ref("h"), text("x.org")), infix(binSuffix, ref("h"), text(".x.org")))),
			[]sample{{"alone", "https://x.org"}, {"below", "http://a.b.x.org:8080/p?q#f"}, {"socket", "wss://x.org/"}, {"at-in-path", "https://x.org/@y.org"}, {"at-in-query", "https://x.org?@y.org"}, {"umlaut-in-path", "https://x.org/b\u00fccher"}},
			[]sample{{"other", "https://y.org/x.org"}, {"lookalike", "https://evilx.org/"}, {"as-prefix", "https://x.org.evil.org/"}, {"userinfo", "https://x.org@evil.org/"}, {"userinfo-before", "https://user:pass@x.org/"}, {"upper-case", "https://X.org/"}, {"trailing-dot", "https://x.org./"}, {"empty-label", "https://a..x.org/"},
				{"port-empty", "https://x.org:/"}, {"port-zero-first", "https://x.org:0443/"}, {"port-too-large", "https://x.org:65536/"}, {"two-ports", "https://evil.org:80:x.org/"}, {"scheme-upper-case", "HTTPS://x.org/"}, {"scheme-other", "ftp://x.org/"}, {"scheme-none", "//x.org/"}, {"one-slash", "https:/x.org/"}, {"three-slashes", "https:///x.org/"},
				{"backslash", `https://evil.org\.x.org/`}, {"tab", "https://x.org/\t"}, {"space-first", " https://x.org/"}, {"percent", "https://%78.org/"}, {"idn", "https://b\u00fccher.x.org/"}, {"full-stop", "https://x\u3002org/"}, {"bare-host", "x.org"}, {"integer", 7}, {"array", []any{"https://x.org/"}}}},
		{"host-idn", "is a URL at an internationalised host", derived("arg_host", "h", infix(binEqual, ref("h"), text("xn--bcher-kva.example"))),
			[]sample{{"ascii", "https://xn--bcher-kva.example/"}},
			[]sample{{"unicode", "https://b\u00fccher.example/"}, {"below", "https://a.xn--bcher-kva.example/"}}},
		{"host-address", "is a URL at 10.0.0.1", derived("arg_host", "h", infix(binEqual, ref("h"), text("10.0.0.1"))),
			[]sample{{"itself", "http://10.0.0.1:8080/"}},
			[]sample{{"short", "http://10.1/"}, {"number", "http://167772161/"}, {"hexadecimal", "http://0xa.0.0.1/"}, {"octal", "http://012.0.0.1/"}, {"in-ipv6", "http://[::ffff:10.0.0.1]/"}}},
		{"matches", "is text that matches as a whole", argument("x", matchesWhole(`[a-z]+-[0-9]{2,4}|é\.`)),
			[]sample{{"first", "inv-12"}, {"second", "é."}},
			[]sample{{"too-short", "inv-1"}, {"part", "x inv-12"}, {"newline", "inv-12\n"}, {"other-digits", "inv-\u0661\u0662"}, {"dot", "éx"}, {"integer", 12}}},
		{"set", "is there", argument("x"),
			[]sample{{"null", nil}, {"empty", ""}},
			[]sample{{"float", float("1.5")}}},
	}
}

// allowedTyped has each sort of caveat with what it lets pass.
func allowedTyped() []delegationCase {
	var cases []delegationCase
	for _, c := range typedCaveats() {
		for _, s := range c.passes {
			in := passing(map[string]any{"x": s.value})
			cases = append(cases, allowed("caveat-"+c.name+"-"+s.name, "An argument "+c.about+".", "V7", mint(wide(c.check)).invoke(ci, in), asked(in.action)))
		}
	}
	night := all("minute", "m", lazy(binOr, infix(binGreaterOrEqual, ref("m"), num(720)), infix(binLessThan, ref("m"), num(360))))
	return append(cases,
		allowed("caveat-window-over-midnight", "The window goes over midnight.", "V7", mint(wide(night)).invoke(ci, usual())),
		allowed("caveat-matches-by-hand", "A hand-written check has a regular expression of the subset.", "V7",
			mint(wide(all("resource", "r", infix(binRegex, ref("r"), text("^payments/[a-z/]+$"))))).invoke(ci, usual())),
	)
}

// deniedTyped has each sort of caveat with what it does not let pass, and with the
// argument absent.
func deniedTyped() []delegationCase {
	var cases []delegationCase
	for _, c := range typedCaveats() {
		sibling := "caveat-" + c.name + "-" + c.passes[0].name
		for _, s := range c.fails {
			in := passing(map[string]any{"x": s.value})
			cases = append(cases, denied("caveat-"+c.name+"-"+s.name, sibling, "An argument is not one that "+c.about+".", "V7", checkFailed, mint(wide(c.check)).invoke(ci, in), asked(in.action)))
		}
		cases = append(cases, denied("caveat-"+c.name+"-absent", sibling, "The argument is not there.", "V7", checkFailed, mint(wide(c.check)).invoke(ci, usual())))
	}
	night := all("minute", "m", lazy(binOr, infix(binGreaterOrEqual, ref("m"), num(780)), infix(binLessThan, ref("m"), num(360))))
	cases = append(cases, denied("caveat-window-over-midnight-outside", "caveat-window-over-midnight", "The window goes over midnight, and it is noon.", "V7", checkFailed, mint(wide(night)).invoke(ci, usual())))

	// To a check that rejects, what has no single reading must not look absent.
	for _, r := range []struct {
		name, value string
		check       node
	}{
		{"address", "127.1", check(rejectIf, query{body: []node{pred("arg_ip", str("x"), variable("b"))}, exprs: []expr{network("4:01111111")}})},
		{"url", "https://internal./", check(rejectIf, query{body: []node{pred("arg_host", str("x"), variable("h"))}, exprs: []expr{infix(binEqual, ref("h"), text("internal"))}})},
	} {
		in := passing(map[string]any{"x": r.value})
		cases = append(cases, denied("caveat-unreadable-"+r.name, "one-handoff", "A check rejects an argument as an "+r.name+", and it has no single reading as such.", "V7", checkFailed,
			mint(wide(r.check)).invoke(ci, in), asked(in.action)))
	}

	// A block that states what a verifier derives: V6.
	for _, f := range [][2]string{{"arg-ip", "arg_ip"}, {"arg-host", "arg_host"}} {
		b := wide()
		b.facts = append(b.facts, pred(f[1], str("x"), str("4:00001010")))
		cases = append(cases, denied("fact-in-authority-"+f[0], "resource-subtree", "Block 0 states "+f[1]+".", "V6", profile, mint(b).invoke(ci, usual())))
	}

	// What a later block asks for is stated to it alone.
	in := passing(map[string]any{"x": "10.0.0.1"})
	anyAddress := check(checkIf, query{body: []node{pred("arg_ip", variable("n"), variable("b"))}})
	cases = append(cases, denied("caveat-cidr-told-to-another", "caveat-cidr-first", "A later block asks for the address that an earlier check finds under any name.", "V10", checkFailed,
		mint(wide(anyAddress)).narrow(ci, derived("arg_ip", "b", network("4:"))).invoke(ci, in), asked(in.action), attack("facts of later blocks widen")))

	// Regular expressions on which implementations differ.
	for _, p := range []struct{ name, pattern string }{
		{"digit", `\d`}, {"word", `\w`}, {"space", `\s`}, {"word-edge", `\ba`}, {"flag", `(?i)a`}, {"intersection", `[a-z&&[b]]`}, {"difference", `[a--b]`}, {"symmetric-difference", `[a~~b]`}, {"posix-class", `[[:alpha:]]`},
		{"unicode-class", `\pL`}, {"bracket-in-class", `[a[b]]`}, {"brace", `a{,5}`}, {"repeat-1001", `a{1001}`}, {"repeat-nested-1001", `(a{143}){7}`}, {"named-group", `(?P<n>a)`}, {"lookahead", `(?=a)`}, {"repeated-repetition", `a**`},
	} {
		in := passing(map[string]any{"x": "a"})
		cases = append(cases,
			denied("caveat-regex-"+p.name, "caveat-matches-first", "A caveat has a regular expression that implementations read differently.", "V7", profile, mint(wide(argument("x", matchesWhole(p.pattern)))).invoke(ci, in), asked(in.action)),
			denied("caveat-regex-by-hand-"+p.name, "caveat-matches-by-hand", "A hand-written check has a regular expression that implementations read differently.", "V7", profile,
				mint(wide(all("resource", "r", infix(binRegex, ref("r"), text(p.pattern))))).invoke(ci, usual())))
	}
	return append(cases, denied("caveat-regex-no-constant", "caveat-matches-by-hand", "A hand-written check has a regular expression that is no constant.", "V7", profile,
		mint(wide(all("resource", "r", infix(binRegex, ref("r"), ref("r"))))).invoke(ci, usual())))
}
