package verify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// TestHostileArguments: what each sort of caveat on an argument lets pass and what
// it does not, through the whole verifier.
func TestHostileArguments(t *testing.T) {
	for caveat, values := range map[string]map[token.Code][]any{
		`arg x 5`:                       {"": {5}, token.CodeCheckFailed: {"5", 6, nil, true, 5.0, []any{5}, map[string]any{"x": 5}}},
		`arg x "5"`:                     {"": {"5"}, token.CodeCheckFailed: {5, " 5", "5\x00", "５"}},
		`arg x null or true`:            {"": {nil, true}, token.CodeCheckFailed: {"null", "true", false, 1, 0, ""}},
		`arg x a or "b\n\u0000\"" or 7`: {"": {"a", "b\n\x00\"", 7}, token.CodeCheckFailed: {"b", "A", "a ", []any{"a"}, []any{}}},
		`arg x 1..100`:                  {"": {1, 100}, token.CodeCheckFailed: {0, 101, -9223372036854775808, 9223372036854775807, "50", true, nil, 50.0, []any{50}}},
		`arg x -9223372036854775807..`:  {"": {-9223372036854775807, 9223372036854775807}, token.CodeCheckFailed: {-9223372036854775808}},
		`arg x ..9223372036854775806`:   {"": {-9223372036854775808, 9223372036854775806}, token.CodeCheckFailed: {9223372036854775807}},
		`arg x prefix "inv-"`:           {"": {"inv-", "inv-1\n"}, token.CodeCheckFailed: {"INV-1", "in", "", 5, nil, []any{"inv-1"}, " inv-1"}},
		`arg x under a/b`: {"": {"a/b", "a/b/c", "a/b/...", "a/b/.x", "a/b/c d", "a/b/é"}, token.CodeCheckFailed: {
			"a", "a/bc", "a/b/", "a/b/..", "a/b/../c", "a/b/./c", "a/b//c", "/a/b", "./a/b", "a/b/%2e%2e/c", "a/b/\\..\\..", "a/b/c\x00", "a/b/\n", "a/b/ ..", "a/b/.. ", "a/b/.. /c", "a/b/ c", "A/b", 5, nil, []any{"a/b"}}},
		`arg x cidr 10.0.0.0/8`: {"": {"10.0.0.1", "10.255.255.255", "::ffff:10.0.0.1", "::ffff:a00:1"}, token.CodeCheckFailed: {
			"11.0.0.1", "a00::1", "::10.0.0.1", "64:ff9b::10.0.0.1", "10.0.0.1/32", "10.1", "167772161", "012.0.0.1", "10.0.0.01", "0x0a.0.0.1", " 10.0.0.1", "10.0.0.1 ", "10.0.0.1:80", "[::ffff:10.0.0.1]", "::ffff:10.0.0.1%eth0", "", 167772161, nil}},
		`arg x cidr 2001:db8::/32 or ::/128`: {"": {"2001:db8::1", "2001:0DB8:0:0:0:0:0:2", "::"}, token.CodeCheckFailed: {"2001:db9::1", "0.0.0.0", "::1", "::ffff:0.0.0.0"}},
		`arg x host **.x.org`: {"": {"https://x.org", "https://x.org/", "http://a.x.org:8080/p?q#f", "wss://a.b.x.org", "https://x.org/https://y.org", "https://x.org/@y.org", "https://x.org?@y.org", "https://x.org#@y.org"}, token.CodeCheckFailed: {
			"https://evilx.org", "https://x.org.evil.org", "https://y.org", "https://x.org@y.org/", "https://y.org@x.org/", "https://user:pass@x.org/", "https://X.org/", "https://x.ORG/", "https://x.org./", "https://.x.org/", "https://a..x.org/",
			"https://x.org:/", "https://x.org:0/", "https://x.org:0443/", "https://x.org:65536/", "https://x.org:443:443/", "https://x.org:+443/", "HTTPS://x.org/", "ftp://x.org/", "javascript://x.org/%0aalert(1)", "file://x.org/", "//x.org/", "x.org", "https:x.org", "https:/x.org", "https:///x.org",
			"https://x.org\\@y.org/", "https:\\\\x.org\\", "https://y.org\\.x.org/", "https://x.org/\\..", "https://y.org\t.x.org", "https://x.org/\n", " https://x.org", "https://x.org/ ", "https://x%2eorg/", "https://%78.org/", "https://b\u00fccher.x.org/", "https://x\u3002org/", "https://x.org\uff0fy.org/", "https://[x.org]/", "https://-a.x.org", "https://a_-.x.org",
			5, nil, []any{"https://x.org"}}},
		`arg x host xn--bcher-kva.example`:  {"": {"https://xn--bcher-kva.example"}, token.CodeCheckFailed: {"https://b\u00fccher.example", "https://XN--bcher-kva.example", "https://a.xn--bcher-kva.example"}},
		`arg x host 10.0.0.1`:               {"": {"http://10.0.0.1/"}, token.CodeCheckFailed: {"http://10.1/", "http://167772161/", "http://0x0a000001/", "http://012.0.0.1/", "http://[::ffff:10.0.0.1]/", "http://a.10.0.0.1/"}},
		`arg x matches "[a-z]+-[0-9]{2,4}"`: {"": {"inv-12", "x-2026"}, token.CodeCheckFailed: {"inv-1", "inv-12345", "xinv 12", "inv-12\n", "\ninv-12", "inv-\u0661\u0662", "INV-12", 12, nil}},
		`arg x matches "a|b"`:               {"": {"a", "b"}, token.CodeCheckFailed: {"ab", "xb", "ax", ""}},
		`arg x set`:                         {"": {5, nil, "", []any{}, false}, token.CodeCheckFailed: {1.5}},
		`arg x unset`:                       {token.CodeCheckFailed: {5, nil, "", []any{}, false, 1.5}},
	} {
		cv, err := delegation.ParseCaveat(caveat)
		if err != nil {
			t.Errorf("%s: %v", caveat, err)
			continue
		}
		absent := token.CodeCheckFailed
		if _, unset := cv.(delegation.ArgUnset); unset {
			absent = ""
		}
		c := mint(t, good+cv.Check().String()+";")
		expect(t, present(t, c, ci, with(nil), nil).Text(), with(nil), absent)
		for want, list := range values {
			for _, v := range list {
				req := with(map[string]any{"x": v})
				if got := decide(t, present(t, c, ci, req, nil).Text(), req); got != want {
					t.Errorf("%s with %q: %q, want %q", caveat, v, got, want)
				}
			}
		}
		// The same holds of what a pointer leads to.
		inside, err := delegation.ParseCaveat(strings.Replace(caveat, "arg x", "arg /o/x", 1))
		if err != nil {
			t.Errorf("%s: %v", caveat, err)
			continue
		}
		c = mint(t, good+inside.Check().String()+";")
		for want, list := range values {
			for _, v := range list {
				req := with(map[string]any{"o": map[string]any{"x": v}, "x": 1})
				if got := decide(t, present(t, c, ci, req, nil).Text(), req); got != want {
					t.Errorf("%s with %q: %q, want %q", inside, v, got, want)
				}
			}
		}
	}
}

// TestAddressesDoNotWiden: as with pointers, what a later block asks for as an
// address or URL is stated to that block alone.
func TestAddressesDoNotWiden(t *testing.T) {
	req := with(map[string]any{"ip": "10.0.0.1", "url": "https://x.org/"})
	for wanted, asking := range map[string]string{
		`check if arg_ip($n, $b), $b.starts_with("4:");`: `check if arg_ip("ip", $b), $b.starts_with("4:00001010");`,
		`check if arg_host($n, $h), $h == "x.org";`:      `check if arg_host("url", $h), $h == "x.org";`,
	} {
		denied := mint(t, good+wanted)
		expect(t, present(t, denied, ci, req, nil).Text(), req, token.CodeCheckFailed)
		appended := add(t, denied, ci, asking, token.SameNext(denied))
		expect(t, present(t, appended, ci, req, nil).Text(), req, token.CodeCheckFailed)

		plain := mint(t, good)
		told := add(t, plain, ci, asking, token.SameNext(plain))
		expect(t, present(t, told, ci, req, nil).Text(), req, "")
		expect(t, present(t, mint(t, good+asking), ci, req, nil).Text(), req, "")

		source := strings.TrimSuffix(strings.Replace(wanted, "check if", "allow if", 1), ";")
		policy, err := datalog.ParseAuthorizer(source, nil)
		if err != nil {
			t.Fatal(err)
		}
		v := verifier(t, func(o *verify.Options) { o.Policy = policy; forgetful(o) })
		if code := decideWith(t, v, present(t, told, ci, req, nil).Text(), req); code != token.CodePolicy {
			t.Errorf("a policy finds what a later block asked for: %q", code)
		}
		if policy, err = datalog.ParseAuthorizer(strings.Replace(asking, "check if", "allow if", 1), nil); err != nil {
			t.Fatal(err)
		}
		v = verifier(t, func(o *verify.Options) { o.Policy = policy; forgetful(o) })
		if code := decideWith(t, v, present(t, plain, ci, req, nil).Text(), req); code != "" {
			t.Errorf("a policy that asks: %q", code)
		}
	}
}

// TestUnreadableAddresses: what has no single reading as an address or URL must not
// look as if it were absent to a check that rejects.
func TestUnreadableAddresses(t *testing.T) {
	for source, cases := range map[string]map[token.Code][]any{
		`reject if arg_ip("x", $b), $b.starts_with("4:01111111");`: {
			"":                    {"10.0.0.1", "::1"},
			token.CodeCheckFailed: {"127.0.0.1", "::ffff:127.0.0.1", "127.1", "0x7f.0.0.1", "localhost", 2130706433},
		},
		`reject if arg_host("x", $h), $h == "internal";`: {
			"":                    {"https://x.org/"},
			token.CodeCheckFailed: {"https://internal/", "https://INTERNAL/", "https://x.org@internal/", "https://internal./", "//internal", 1.5},
		},
	} {
		c := mint(t, good+source)
		expect(t, present(t, c, ci, with(nil), nil).Text(), with(nil), "")
		policy, err := datalog.ParseAuthorizer(strings.Replace(source, "reject if", "deny if", 1)+"allow if true;", nil)
		if err != nil {
			t.Fatal(err)
		}
		v := verifier(t, func(o *verify.Options) { o.Policy = policy; forgetful(o) })
		for want, list := range cases {
			for _, x := range list {
				req := with(map[string]any{"x": x})
				expect(t, present(t, c, ci, req, nil).Text(), req, want)
				if code := decideWith(t, v, present(t, mint(t, good), ci, req, nil).Text(), req); (code == "") != (want == "") {
					t.Errorf("%s with %q as a policy: %q", source, x, code)
				}
			}
		}
	}
}

// TestExplanations: a denial says what was asked for and what would have been
// allowed.
func TestExplanations(t *testing.T) {
	args := map[string]any{"amount": 250, "to": `"x"`, "path": "a/../b", "ip": "11.0.0.1", "zone": "fe80::1%eth0", "url": "https://evil.org/", "odd": "https://x.org@evil.org/", "id": "x", "o": map[string]any{"k": []any{1, "a"}}, "long": strings.Repeat("a", 1000)}
	req := with(args)
	for caveat, want := range map[string][3]string{
		`arg amount 1..100`:                     {"amount 250", "1 to 100", ""},
		`arg amount ..100`:                      {"amount 250", "at most 100", ""},
		`arg amount 251..`:                      {"amount 250", "at least 251", ""},
		`arg amount 5 or "250"`:                 {"amount 250", `5 or "250"`, ""},
		`arg days 1..100`:                       {`no arg "days"`, "1 to 100", "the request has no argument days, allowed: 1 to 100"},
		`arg "a b" set`:                         {`no arg "a b"`, "any value", `the request has no argument "a b", allowed: any value`},
		`arg amount unset`:                      {"amount 250", "none", ""},
		`arg to prefix x`:                       {`to "\"x\""`, `text beginning with "x"`, ""},
		`arg path under a or "b c"`:             {`path "a/../b"`, `a path under a or "b c"`, ""},
		`arg ip cidr 10.0.0.0/8`:                {`ip "11.0.0.1"`, "10.0.0.0/8", ""},
		`arg zone cidr 10.0.0.0/8`:              {"", "", `argument "zone" is no IP address with a single reading: nothing can be decided on it`},
		`arg noip cidr 10.0.0.0/8`:              {`no arg_ip "noip"`, "10.0.0.0/8", "the request has no argument noip, allowed: 10.0.0.0/8"},
		`arg url host **.x.org`:                 {`url "https://evil.org/"`, "**.x.org", ""},
		`arg odd host **.x.org`:                 {"", "", `argument "odd" is no URL with a single reading: nothing can be decided on it`},
		`arg id matches "[0-9]+"`:               {`id "x"`, `text matching "[0-9]+"`, ""},
		`arg /o/k "a"`:                          {`/o/k [1, "a"]`, "a", ""},
		`arg /o/x "a"`:                          {`no arg "/o/x"`, "a", "the request has no argument /o/x, allowed: a"},
		`arg long a`:                            {`long "` + strings.Repeat("a", 199) + `..`, "a", ""},
		`audience svc:pay or "or"`:              {`audience "svc:certs"`, `svc:pay or "or"`, ""},
		`window tue-fri`:                        {"weekday mon", "tue-fri", ""},
		`window 22:00-06:00`:                    {"minute 12:00", "22:00-06:00", ""},
		`operation read`:                        {`operation "rotate"`, "read", ""},
		`resource payments/x/**`:                {`resource "payments/api"`, "payments/x/**", ""},
		`agent agent:ci/**`:                     {"no agent", "agent:ci/**", "the agent's name is not known to the service, allowed: agent:ci/**"},
		`context ticket T-1`:                    {`no context "ticket"`, "T-1", "the service states no context ticket, allowed: T-1"},
		`agent-key ` + runner.Public().String(): {`agent key "` + ci.Public().String() + `"`, runner.Public().String(), ""},
		`check if resource("x")`:                {`resource "payments/api"`, `check if resource("x")`, `the check does not hold: resource "payments/api"`},
	} {
		cv, err := delegation.ParseCaveat(caveat)
		if err != nil {
			t.Errorf("%s: %v", caveat, err)
			continue
		}
		c := mint(t, good+cv.Check().String()+";")
		d, err := verifier(t, nil).Verify(t.Context(), present(t, c, ci, req, nil).Text(), req)
		if verify.CodeOf(err) != token.CodeCheckFailed || len(d.Reasons) != 1 {
			t.Errorf("%s: %v", caveat, err)
			continue
		}
		if want[2] == "" {
			want[2] = want[0] + ", allowed: " + want[1]
		}
		if r := d.Reasons[0]; r.Asked != want[0] || r.Allowed != want[1] || r.Message != want[2] {
			t.Errorf("%s: asked %q, allowed %q: %s", caveat, r.Asked, r.Allowed, r.Message)
		}
	}
}

// TestManyAddresses: what has to be derived counts as the places do.
func TestManyAddresses(t *testing.T) {
	req := with(map[string]any{"x": "10.0.0.1"})
	for n, want := range map[int]token.Code{62: "", 63: token.CodeProfile} {
		var b strings.Builder
		b.WriteString(`check if arg_ip("x", $b) or arg_host("x", $h);`)
		for i := range n {
			fmt.Fprintf(&b, `reject if arg_ip("a%d", $b);`, i)
		}
		got := decide(t, present(t, mint(t, good+strings.Replace(b.String(), `arg_host("x", $h)`, `arg_host("y", $h)`, 1)), ci, req, nil).Text(), req)
		if got != want {
			t.Errorf("%d: %q", n+2, got)
		}
	}
}
