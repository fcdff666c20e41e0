package main

// trustMutants are the rules of the trust file (V2) and of names.
var trustMutants = []mutant{
	// Lines that count.
	{"trust: no cert-authority", "token/trust/parse.go", "if o.certAuthority {", "if false {", trustPackage, "TestParse"},
	{"trust: only with a namespace", "token/trust/options.go", "if o.namespaces == nil {\n\t\treturn false, nil", "if o.namespaces == nil {\n\t\treturn true, nil", trustPackage, "TestParse|TestOnlyTheNamespace"},
	{"trust: only with our namespace", "token/trust/options.go", "\t\t\t}\n\t\t}\n\t\treturn false, nil", "\t\t\t}\n\t\t}\n\t\treturn true, nil", trustPackage, "TestParse|TestOnlyTheNamespace"},
	{"trust: no misspelled namespace", "token/trust/options.go", "if strings.EqualFold(strings.TrimSpace(n), namespace) {", "if false {", trustPackage, "TestParse"},
	{"trust: no wildcard beside the namespace", "token/trust/options.go", "if n == \"\" || strings.ContainsAny(n, `!*? \"`) {", "if false {", trustPackage, "TestParse"},
	{"trust: one bad line makes a bad file", "token/trust/parse.go", "return nil, &LineError{number, err.Error()}", "continue", trustPackage, "TestParse"},
	{"trust: limit on bytes", "token/trust/parse.go", "if len(data) > MaxBytes {", "if false {", trustPackage, "TestParseLimits"},
	{"trust: limit on entries", "token/trust/parse.go", "keys++; keys > MaxEntries {", "keys++; false {", trustPackage, "TestParseLimits"},

	// The syntax of a line.
	{"trust: no control characters", "token/trust/parse.go", `if c < 0x20 && c != '\t' || c == 0x7f {`, "if false {", trustPackage, "TestParseRefuses"},
	{"trust: no control characters beyond ASCII", "token/trust/parse.go", "i >= 0 {\n\t\treturn Entry{}, false, fmt.Errorf(\"control character at", "i >= 0 && false {\n\t\treturn Entry{}, false, fmt.Errorf(\"control character at", trustPackage, "TestParseRefuses"},
	{"trust: UTF-8", "token/trust/parse.go", "if !utf8.ValidString(line) {", "if utf8.MaxRune == 0 {", trustPackage, "TestParseRefuses"},
	{"trust: principals stand first", "token/trust/parse.go", "if _, err := parseOptions(principals); err == nil {", "if false {", trustPackage, "TestParseRefuses"},
	{"trust: the type within the key", "token/trust/parse.go", `string(data[:size]) != keyType || keyType == "" {`, `keyType == "" {`, trustPackage, "TestParse"},
	{"trust: a key's length within the key", "token/trust/parse.go", "if uint64(size) > uint64(len(data)) ||", "if", trustPackage, "TestParse"},
	{"trust: a key follows", "token/trust/parse.go", `if entry.Key, err = token.ParsePublicKey(keyType + " " + blob); err != nil {`, `if entry.Key, err = token.ParsePublicKey(keyType + " " + blob); err != nil && false {`, trustPackage, "TestParse"},
	{"trust: values are quoted", "token/trust/options.go", "if !ok {\n\t\treturn \"\", \"\", fmt.Errorf(\"needs a value in double quotes\")", "if !ok && false {\n\t\treturn \"\", \"\", fmt.Errorf(\"needs a value in double quotes\")", trustPackage, "TestParseRefuses"},
	{"trust: no option twice", "token/trust/options.go", "if twice {", "if twice && false {", trustPackage, "TestParseRefuses"},
	{"trust: no unknown option", "token/trust/options.go", "if field == nil {\n\t\t\t\treturn options{},", "if field == nil {\n\t\t\t\treturn o, nil\n\t\t\t}\n\t\t\tif false {\n\t\t\t\treturn options{},", trustPackage, "TestParseRefuses"},
	{"trust: commas between options", "token/trust/options.go", "if s[0] != ',' || len(s) == 1 {", "if false {", trustPackage, "TestParseRefuses"},

	// Times.
	{"trust: times end in Z", "token/trust/options.go", "if !ok {\n\t\treturn time.Time{},", "if !ok && false {\n\t\treturn time.Time{},", trustPackage, "TestParseRefuses"},
	{"trust: no time before 1970", "token/trust/options.go", "if t.Unix() <= 0 {", "if false {", trustPackage, "TestParseRefuses"},
	{"trust: times in their order", "token/trust/options.go", "if o.validAfter != nil && o.validBefore != nil && !after.Before(before) {", "if false {", trustPackage, "TestParseRefuses"},
	{"trust: not before valid-after", "token/trust/trust.go", "!t.Before(e.ValidAfter)) &&", "true) &&", trustPackage, "TestValidAt"},
	{"trust: not after valid-before", "token/trust/trust.go", "!t.After(e.ValidBefore))", "true)", trustPackage, "TestValidAt"},

	// Principals and delegators.
	{"trust: principals are checked", "token/trust/parse.go", "if err := check(p); err != nil {", "if err := check(p); err != nil && false {", trustPackage, "TestParseRefuses"},
	{"trust: no negation", "token/trust/principal.go", `case strings.HasPrefix(p, "!"):`, "case false:", trustPackage, "TestParseRefuses"},
	{"trust: no quotes in principals", "token/trust/principal.go", "case strings.ContainsAny(p, `\"\\`):", "case false:", trustPackage, "TestParseRefuses"},
	{"trust: *@ is a pattern for its own domain", "token/trust/trust.go", "ok && own == domain {", "ok && strings.HasSuffix(own, domain) {", trustPackage, "TestCovers"},
	{"trust: names are compared byte for byte", "token/trust/trust.go", "if p == delegator {", "if strings.EqualFold(p, delegator) {", trustPackage, "TestCovers"},
	{"trust: a principal covers canonical names only", "token/trust/trust.go", "if CanonicalDelegator(delegator) != nil {", "if false {", trustPackage, "TestCovers"},
	{"names: not empty", "token/trust/principal.go", `case name == "":`, "case false:", trustPackage, "TestCanonicalDelegator"},
	{"names: of 256 bytes", "token/trust/principal.go", "case len(name) > token.MaxName:", "case false:", trustPackage, "TestCanonicalDelegator"},
	{"names: in UTF-8", "token/trust/principal.go", "case !utf8.ValidString(name):", "case utf8.MaxRune == 0:", trustPackage, "TestCanonicalDelegator"},
	{"names: in NFC", "token/trust/principal.go", "if !ascii && !norm.NFC.IsNormalString(name) {", "if ascii && norm.NFC == norm.NFD {", trustPackage, "TestCanonicalDelegator"},
	{"names: no wildcard", "token/trust/principal.go", "case r == '*' || r == '?':", "case false:", trustPackage, "TestCanonicalDelegator"},
	{"names: no comma", "token/trust/principal.go", "case r == ',':", "case false:", trustPackage, "TestCanonicalDelegator"},
	{"names: no white space", "token/trust/principal.go", "case unicode.IsSpace(r), r >= utf8.RuneSelf && unicode.Is(unicode.Z, r):", "case false:", trustPackage, "TestCanonicalDelegator"},
	{"names: no invisible character", "token/trust/principal.go", "case unicode.IsControl(r), r >= utf8.RuneSelf && unicode.Is(unicode.Cf, r):", "case false:", trustPackage, "TestCanonicalDelegator"},
	{"names: something before the @", "token/trust/principal.go", `if local == "" {`, "if local == \"@\" {", trustPackage, "TestCanonicalDelegator"},
	{"names: something after the @", "token/trust/principal.go", `case domain == "":`, "case false:", trustPackage, "TestCanonicalDelegator"},
	{"names: one @", "token/trust/principal.go", `case strings.Contains(domain, "@"):`, "case false:", trustPackage, "TestCanonicalDelegator"},
	{"names: domains in lower case", "token/trust/principal.go", "case domain != strings.ToLower(domain):", "case false:", trustPackage, "TestCanonicalDelegator"},
}

const trustPackage = "./token/trust"
