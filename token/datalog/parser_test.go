package datalog

import (
	"fmt"
	"strings"
	"testing"
)

const (
	keyA = "ed25519/acdd6d5b53bfee478bf689f8e012fe7988bf755e3d7c5152947abc149bc20189"
	keyB = "secp256r1/025e918fd4463832aea2823dfd9716a36b4d9b1377bd53dd82ddf4c0bc75ed6bbf"
)

func TestBlockKeepsEveryKindOfStatement(t *testing.T) {
	src := `// a block
		trusting authority, previous, ` + keyA + `,` + keyB + ` ;
		right ( "file1" , "read" ) ; none();
		CHECK  IF true OR p($x), $x > 1, q() trusting previous or false;
		head($x, 1) <- p($x), $x.type() == "integer", q($y) trusting ` + keyA + `;
		check /* every */ all p($x), $x != 2; Reject If p(2)`
	b, err := ParseBlock(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `trusting authority, previous, ` + keyA + `, ` + keyB + `;
right("file1", "read");
none();
head($x, 1) <- p($x), q($y), $x.type() == "integer" trusting ` + keyA + `;
check if true or p($x), q(), $x > 1 trusting previous or false;
check all p($x), $x != 2;
reject if p(2);
`
	if got := b.String(); got != want {
		t.Errorf("prints as\n%s\nwant\n%s", got, want)
	}
	if b.Context != nil {
		t.Error("a parsed block has a context")
	}
	if len(b.Checks) != 3 || len(b.Checks[0].Queries) != 3 || b.Checks[1].Kind != CheckAll || b.Checks[2].Kind != RejectIf {
		t.Errorf("checks: %v", b.Checks)
	}
}

func TestAuthorizerPrintsInGroups(t *testing.T) {
	a, err := ParseAuthorizer(`trusting previous; deny if z(1) or y(2); check if true; z(1); allow if true;
		a() <- b(); a(2)`, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "trusting previous;\nz(1);\na(2);\n\na() <- b();\n\ncheck if true;\n\ndeny if z(1) or y(2);\nallow if true;\n"
	if got := a.String(); got != want {
		t.Errorf("prints as\n%s\nwant\n%s", got, want)
	}
}

func TestNoKeywordIsReserved(t *testing.T) {
	words := []string{"check", "reject", "allow", "deny", "if", "all", "or", "trusting", "true", "false",
		"null", "authority", "previous", "hex:ab", "hex:", "length", "1", "0x", "::", "_", "é", "query"}
	for _, w := range words {
		src := fmt.Sprintf("%s(1);\n%s(1) <- %s(1);\ncheck if %s(1) or %s(1), true;\n", w, w, w, w, w)
		b, err := ParseBlock(src, nil)
		if err != nil {
			t.Errorf("%s: %v", w, err)
		} else if got := b.String(); got != src {
			t.Errorf("%s: prints as\n%s", w, got)
		}
		if f, err := ParseFact(w+" (1)", nil); err != nil || f.Name != w {
			t.Errorf("%s (1): %v, %v", w, f, err)
		}
	}
}

func TestStatementErrors(t *testing.T) {
	for _, c := range []struct {
		src, msg string
		offset   int
	}{
		{";", "expected a fact, a rule or a check, found ';'", 0},
		{"a(1);;", "expected a fact, a rule or a check, found ';'", 5},
		{"a(1) b(2)", "expected ';', found 'b'", 5},
		{"a", "found 'a'", 0},
		{"a(", "expected a term, found the end", 2},
		{"a(1", "',' or ')'", 3},
		{"a(1,)", "expected a term, found ')'", 4},
		{"a($x)", "a variable may stand only", 2},
		{"a(1, [$x])", "a variable may stand only", 6},
		{"a b(1)", "found 'a'", 0},
		{"a(1) <-", "expected a term, found the end", 7},
		{"a(1) <- ;", "expected a term, found ';'", 8},
		{"a(1) <- b(1),", "expected a term, found the end", 13},
		{"b(1); a($x) <- b($y), $x == 1", "'$x' of the head", 6},
		{"a($x) <- b([1]), [1].any($x -> $x == 1)", "'$x' of the head", 0},
		{"a(1) <- b(1) or c(1)", "expected ';', found 'or'", 13},
		{"a($x) <- b([$x])", "a variable may stand only", 12},
		{"check", "'if' or 'all'", 5},
		{"check if", "expected a term, found the end", 8},
		{"check if;", "expected a term, found ';'", 8},
		{"check if a(1) or", "expected a term, found the end", 16},
		{"check iftrue", "'if' or 'all', found 'iftrue'", 6},
		{"checkif true", "found 'checkif'", 0},
		{"chec\u212a if true", "found 'chec\u212a'", 0},
		{"reject all true", "expected 'if', found 'all'", 7},
		{"check if a(1)orb(2)", "expected ';', found 'orb'", 13},
		{"allow if true", "a block has no policies", 0},
		{"deny if true", "a block has no policies", 0},
		{"check if true trusting", "expected authority", 22},
		{"check if true trusting foo", "found 'foo'", 23},
		{"check if true trusting Authority", "found 'Authority'", 23},
		{"check if true Trusting authority", "expected ';', found 'Trusting'", 14},
		{"check if true trusting authority previous", "expected ';', found 'previous'", 33},
		{"check if true trusting authority,", "expected authority", 33},
		{"check if true trusting rsa/00", "unknown key algorithm 'rsa'", 23},
		{"check if true trusting ed25519/00", "1 bytes, want 32", 23},
		{"check if true trusting ed25519/xx", "invalid hexadecimal", 23},
		{"check if true trusting secp256r1" + keyA[7:], "32 bytes, want 33", 23},
		{"check if true trusting {k}", "parameter '{k}' has no key", 23},
		{"check if true trusting { k}", "name of a parameter", 23},
		{"trusting", "expected authority", 8},
		{"a(1); trusting authority", "must be the first statement", 6},
		{"trusting authority; trusting previous", "must be the first statement", 20},
		{"a(1); /*/", "comment is not closed", 6},
		{"a(1);\xff", "not valid UTF-8", 5},
		{"a(\"\xe2\x82\")", "not valid UTF-8", 3},
	} {
		b, err := ParseBlock(c.src, nil)
		if err == nil {
			t.Errorf("%s: read as %v, want an error", c.src, b)
			continue
		}
		wantError(t, c.src, err, c.offset, c.msg)
		if b != nil {
			t.Errorf("%s: a block beside the error", c.src)
		}
		if !strings.Contains(c.msg, "no policies") {
			if _, err := ParseAuthorizer(c.src, nil); err == nil {
				t.Errorf("%s: accepted in an authorizer", c.src)
			}
		}
	}
}

func TestErrorsCountLinesAndRunes(t *testing.T) {
	for _, c := range []struct {
		src                  string
		offset, line, column int
	}{
		{"?", 0, 1, 1},
		{"a(1);\n?", 6, 2, 1},
		{"a(1);\n\té(\"😁\", ?)", 18, 2, 9},
		{"a(1);\r\n\r\n  ?", 11, 3, 3},
		{"a(1)\n", 0, 0, 0},
		{"a(\n", 3, 2, 1},
	} {
		_, err := ParseBlock(c.src, nil)
		if c.line == 0 {
			if err != nil {
				t.Errorf("%q: %v", c.src, err)
			}
			continue
		}
		e, ok := err.(*SyntaxError)
		if !ok || e.Offset != c.offset || e.Line != c.line || e.Column != c.column {
			t.Errorf("%q: %+v", c.src, err)
			continue
		}
		if want := fmt.Sprintf("line %d, column %d: ", c.line, c.column); !strings.HasPrefix(e.Error(), want) {
			t.Errorf("%q: %v", c.src, e)
		}
	}
}

func TestSingleElements(t *testing.T) {
	for _, c := range []struct{ kind, src, want string }{
		{"fact", " a ( 1 ) ; // end", "a(1)"},
		{"fact", "a()", "a()"},
		{"fact", "a($x)", ""},
		{"fact", "a(1) <- b(1)", ""},
		{"fact", "a(1); b(1)", ""},
		{"fact", "", ""},
		{"rule", "a($x)<-b($x)", "a($x) <- b($x)"},
		{"rule", "a() <- true", "a() <- true"},
		{"rule", "a($x) <- b(1)", ""},
		{"rule", "a(1)", ""},
		{"check", "check if a(1);", "check if a(1)"},
		{"check", "CHECK ALL a($x), $x > 1", "check all a($x), $x > 1"},
		{"check", "allow if a(1)", ""},
		{"check", "check(1)", ""},
		{"policy", "Allow If a(1) Or b(1)", "allow if a(1) or b(1)"},
		{"policy", "deny if !false", "deny if !false"},
		{"policy", "check if a(1)", ""},
		{"policy", "allow if a(1); allow if b(1)", ""},
		{"policy", "allow if", ""},
		{"block", "", ""},
	} {
		got, err := reprint(c.kind, c.src)
		if c.want == "" && c.kind != "block" {
			if err == nil {
				t.Errorf("%s %q: read as %s, want an error", c.kind, c.src, got)
			}
		} else if err != nil || got != c.want {
			t.Errorf("%s %q: %s, %v", c.kind, c.src, got, err)
		}
	}
}
