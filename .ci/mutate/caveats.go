package main

const (
	caveatPackage  = "./token/delegation"
	caveatEngine   = "./verify"
	againstEngine  = "TestExplanationAgreesWithEngine"
	hostileArgs    = "TestHostileArguments"
	formsReadBack  = "TestForms|TestEachFormReadsBack"
	boundsAndFits  = "TestMixedBounds|TestFit"
	almostAll      = "TestAlmostCanonicalArguments"
	urlsOfHosts    = "token/delegation/arg_host.go"
	regexes        = "token/delegation/regex.go"
	scopeOfCaveats = "token/delegation/scope.go"
)

// caveatMutants are about the typed caveats: what each lets pass, how they compare,
// and their text.
var caveatMutants = []mutant{
	// Paths, addresses and URLs.
	{"caveats: no .. below a path", "token/delegation/arg_subtree.go", `\.{0,2}(/|$)`, `\.{0,1}(/|$)`, caveatEngine, hostileArgs},
	{"caveats: no space around a segment", "token/delegation/arg_subtree.go", "| )| (/|$)|", ")|", caveatEngine, hostileArgs},
	{"caveats: no percent sign in a path", "token/delegation/arg_subtree.go", `[%\\\x00`, `[\\\x00`, caveatEngine, hostileArgs},
	{"caveats: no wildcard in a subtree", "token/delegation/arg_subtree.go", `if strings.Contains(p, "*") {`, "if false {", caveatPackage, "TestTextErrors"},
	{"caveats: IPv4 within IPv6", "token/delegation/arg_cidr.go", "return a.Unmap(), true", "return a, true", caveatEngine, hostileArgs},
	{"caveats: no zone in an address", "token/delegation/arg_cidr.go", `|| a.Zone() != ""`, "", caveatEngine, hostileArgs},
	{"caveats: no bits beyond the mask", "token/delegation/arg_cidr.go", "case n != n.Masked():", "case false:", caveatPackage, "TestTextErrors"},
	{"caveats: families are apart", "token/delegation/arg_cidr.go", `"46"[a.BitLen()/128]`, `"44"[a.BitLen()/128]`, caveatEngine, hostileArgs},
	{"caveats: schemes of URLs", urlsOfHosts, `!slices.Contains([]string{"http", "https", "ws", "wss"}, scheme)`, `scheme == ""`, caveatEngine, hostileArgs},
	{"caveats: no backslash in a URL", urlsOfHosts, ` || r == '\\'`, "", caveatEngine, hostileArgs},
	{"caveats: no white space in a URL", urlsOfHosts, "r <= ' ' || ", "", caveatEngine, hostileArgs},
	{"caveats: ports have one spelling", urlsOfHosts, "|| strconv.FormatUint(n, 10) != port", "", caveatEngine, hostileArgs},
	{"caveats: hosts are lower case, in ASCII", urlsOfHosts, "if !(r >= 'a' && r <= 'z'", "if !(r >= '.'", caveatPackage, "TestTextErrors"},
	{"caveats: no number as a host", urlsOfHosts, "; numeric {", "; numeric && false {", caveatPackage, "TestTextErrors"},
	{"caveats: no empty part in a host", urlsOfHosts, `case label == "":`, `case label == "." :`, caveatPackage, "TestTextErrors"},
	{"caveats: below a host is below a dot", urlsOfHosts, `datalog.String("."+h.Name)`, "datalog.String(h.Name)", caveatEngine, hostileArgs},
	{"caveats: what has no reading as an address denies", "token/delegation/mention.go", "if _, ok := ipBits(value); !ok {", "if _, ok := ipBits(value); !ok && false {", caveatEngine, "TestUnreadableAddresses"},
	{"caveats: what has no reading as a URL denies", "token/delegation/mention.go", "if _, ok := urlHost(value); !ok {", "if _, ok := urlHost(value); !ok && false {", caveatEngine, "TestUnreadableAddresses"},
	{"caveats: addresses count as places", "token/delegation/mention.go", "+ len(m.Addresses) + len(m.URLs)", "", caveatEngine, "TestManyAddresses"},
	{"caveats: addresses are told to who asks", "verify/evaluate.go", "s.Facts = append(s.Facts, a.req.Inside(&a.v.mentions)...)",
		"s.Facts = append(s.Facts, a.req.Inside(&a.v.mentions)...)\n\tfor i := range a.chain.Links {\n\t\ts.Facts = append(s.Facts, a.req.Inside(&a.chain.Links[i].Mentions)...)\n\t}", caveatEngine, "TestAddressesDoNotWiden"},

	// Regular expressions.
	{"caveats: regular expressions in hand-written checks", "token/delegation/caveat.go", "if err := ValidRegex(string(text)); err != nil {", "if err := ValidRegex(string(text)); err != nil && false {", caveatPackage, "TestRegexInTokens"},
	{"caveats: regular expressions are constants", "token/delegation/caveat.go", "if !ok {\n\t\t\t\treturn fmt.Errorf(\"a check must not match", "if !ok && false {\n\t\t\t\treturn fmt.Errorf(\"a check must not match", caveatPackage, "TestRegexInTokens"},
	{"caveats: escapes of the subset", regexes, "strings.IndexByte(`\\.+*?()|[]{}^$-`, c) >= 0", "c > 0", caveatPackage, "TestValidRegex"},
	{"caveats: no set operations in classes", regexes, `case strings.HasPrefix(r.rest, "&&"), strings.HasPrefix(r.rest, "~~"), strings.HasPrefix(r.rest, "--"):`, "case false:", caveatPackage, "TestValidRegex"},
	{"caveats: no bracket in a class", regexes, "case c == '[':\n", "case false:\n", caveatPackage, "TestValidRegex"},
	{"caveats: no flags", regexes, `if r.next() == '?' && !r.skip("?:") {`, `if r.next() == '?' && !r.skip("?:") && !r.skip("?i:") && !r.skip("?i)") {`, caveatPackage, "TestValidRegex"},
	{"caveats: repetitions of repetitions count", regexes, "c.repeats *= max(lo, hi, 1)", "c.repeats = max(lo, hi, 1)", caveatPackage, "TestValidRegex"},
	{"caveats: size of a pattern", regexes, "if c.parts > maxParts {", "if false {", caveatPackage, "TestValidRegex"},
	{"caveats: patterns match as a whole", "token/delegation/arg_matches.go", `wholeBegin = "^(?:"`, `wholeBegin = "(?:^"`, caveatEngine, hostileArgs},
	{"caveats: patterns are not tried", "token/delegation/arg_matches.go", "return false, !text", "return text && a.admits(value), true", caveatPackage, "TestReadingHostileTokens|TestManyIncomparableBounds"},

	// What is typed and what is custom, and the reading against the engine.
	{"caveats: a range guards its type", "token/delegation/arg_range.go", `guard := hasType("v", "integer")`, `guard := hasType("v", "string")`, caveatPackage, formsReadBack},
	{"caveats: text is guarded by its type", "token/delegation/arg.go", `return hasType(v, "string")`, `return hasType(v, "integer")`, caveatPackage, formsReadBack},
	{"caveats: weekdays ascend", "token/delegation/window.go", "if d <= last {", "if d == last {", caveatPackage, almostAll},
	{"caveats: over midnight", "token/delegation/window.go", "if h.From > h.To {\n\t\top = datalog.OpOr", "if false {\n\t\top = datalog.OpOr", caveatPackage, formsReadBack},
	{"caveats: no weekday with a window over midnight", "token/delegation/text.go", "if hours.From > hours.To {", "if false {", caveatPackage, "TestWindowText"},
	{"caveats: upper end of a range", "token/delegation/arg_range.go", "int64(n) <= a.Max", "int64(n) < a.Max", caveatEngine, againstEngine},
	{"caveats: end of a window", "token/delegation/window.go", "int64(m) < int64(p.To)", "int64(m) <= int64(p.To)", caveatEngine, againstEngine},
	{"caveats: unset is not there", "token/delegation/explain.go", "f.Holds = len(values) == 0", "f.Holds = true", caveatEngine, againstEngine},
	{"caveats: every value counts", "token/delegation/explain.go", "f.Holds = f.Holds && c.admits(v)", "f.Holds = c.admits(v)", caveatEngine, "TestReadingAgreesWithEngine"},
	{"caveats: JSON in one spelling", "token/delegation/json.go", "!reflect.DeepEqual(want, members)", "reflect.DeepEqual(want, nil)", caveatPackage, "TestJSONErrors"},
	{"caveats: reserved words are quoted", "token/delegation/word.go", "|| slices.Contains(reserved, s)", "|| slices.Contains(reserved, s+s)", caveatPackage, formsReadBack},
	{"caveats: what is invisible is escaped", "token/delegation/word.go", "case r == ' ' || unicode.IsPrint(r):", "case r >= ' ':", caveatPackage, "TestQuotesShowEverything"},

	// What is within what.
	{"caveats: regular expressions are not compared", "token/delegation/arg.go", "\tcase ArgMatches:\n\t\tif a == b {", "\tcase ArgMatches:\n\t\tif true {", caveatPackage, boundsAndFits},
	{"caveats: a prefix is not within a subtree", "token/delegation/arg_subtree.go", `case strings.HasPrefix(prefix.Prefix, p+"/"):`, "case false:", caveatPackage, boundsAndFits},
	{"caveats: integers and text have nothing in common", "token/delegation/arg.go", "if integerA != integerB {", "if integerA != integerB && false {", caveatPackage, boundsAndFits},
	{"caveats: a list is filtered", "token/delegation/arg_oneof.go", "if ok {\n\t\t\tkept", "if ok || true {\n\t\t\tkept", caveatPackage, boundsAndFits},
	{"caveats: incomparable bounds both stay", scopeOfCaveats, "if !ok || both == nil {\n\t\t\tcontinue", "if !ok || both == nil {\n\t\t\treturn", caveatPackage, boundsAndFits},
	{"caveats: nothing in common empties the scope", scopeOfCaveats, "s.Empty = true", "s.Empty = false", caveatPackage, "TestMixedBounds|TestScope"},
	{"caveats: widening is refused", scopeOfCaveats, "case !clamp && (!ok ||", "case !clamp && false && (!ok ||", caveatPackage, "TestFit"},
	{"caveats: clamping narrows", scopeOfCaveats, "case clamp && both != nil:", "case false:", caveatPackage, "TestFit"},
	{"caveats: comparing is bounded", scopeOfCaveats, "maxCompared = 16", "maxCompared = 1 << 30", caveatPackage, "TestComparingIsBounded"},
	{"caveats: comparing a chain is bounded", scopeOfCaveats, "if *work+steps > maxWork {", "if false {", caveatPackage, "TestWorkOfComparing"},
	{"caveats: a longer chain has no new allowance", scopeOfCaveats, "Empty: s.Empty, work: s.work}", "Empty: s.Empty}", caveatPackage, "TestWorkOfComparing"},
	{"caveats: a found element is not looked for again", "token/delegation/list.go", "p.contains(q) && !added[i]", "p.contains(q)", caveatPackage, "TestStepsOfOverlap"},
	{"caveats: bounds on one thing are found at once", scopeOfCaveats, "if s.at == nil && len(s.Bounds) < indexed {", "if s.at == nil {", caveatPackage, "TestReadingHostileTokens"},
	{"caveats: bounds move up", scopeOfCaveats, "list[j]--", "_ = list", caveatPackage, "TestBoundsMoveUp"},
	{"caveats: the JSON of bounds is bounded", scopeOfCaveats, "if room -= len(text); room < 0 {", "if room -= 0; room < 0 {", caveatPackage, "TestScopeJSONIsBounded"},
	{"caveats: types of facts are validated once", "token/delegation/read.go", "return f.covers(p) })", "return f.Validate() == nil && f.covers(p) })", caveatPackage, "TestFactTypesAreValidatedOnce"},
}
