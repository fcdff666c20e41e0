package delegation_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/delegation/delegationtest"
)

var someKeys = delegationtest.Keys{alice.Public(), ci.Public(), runner.Public()}

// TestEachFormReadsBack: whatever the caveat and its values, it comes back from
// text, from JSON, from its check and from the text of its check.
func TestEachFormReadsBack(t *testing.T) {
	any := rapid.String()
	kinds := rapid.OneOf(
		delegationtest.Caveat(someKeys), delegationtest.Caveat(someKeys), someCaveat(),
		rapid.Custom(func(t *rapid.T) delegation.Caveat { return delegation.ArgIs(any.Draw(t, "name"), any.Draw(t, "value")) }),
		rapid.Custom(func(t *rapid.T) delegation.Caveat {
			return delegation.ArgPrefix{Arg: any.Draw(t, "name"), Prefix: any.Draw(t, "prefix")}
		}),
		rapid.Custom(func(t *rapid.T) delegation.Caveat {
			return delegation.ArgMatches{Arg: any.Draw(t, "name"), Pattern: any.Draw(t, "pattern")}
		}),
		rapid.Custom(func(t *rapid.T) delegation.Caveat {
			return delegation.Context(any.Draw(t, "name"), any.Draw(t, "value"))
		}),
		rapid.Custom(func(t *rapid.T) delegation.Caveat { return delegation.Audience(any.Draw(t, "one"), any.Draw(t, "two")) }),
		rapid.Custom(func(t *rapid.T) delegation.Caveat { return delegation.ArgUnder(any.Draw(t, "one"), any.Draw(t, "two")) }),
		rapid.Custom(func(t *rapid.T) delegation.Caveat { return delegation.Agent(any.Draw(t, "one"), any.Draw(t, "two")) }),
	)
	valid := 0
	for rounds := 0; valid < 1000 && rounds < 2000 && !t.Failed(); rounds++ {
		rapid.Check(t, func(t *rapid.T) {
			c := kinds.Draw(t, "caveat")
			if c.Validate() != nil {
				return
			}
			valid++
			sameCaveat(t, c)
		})
	}
	if valid < 1000 {
		t.Errorf("%d valid caveats: too few", valid)
	}
}

type failing interface{ Errorf(string, ...any) }

// sameCaveat reads a caveat back from each of its forms.
func sameCaveat(t failing, c delegation.Caveat) {
	if read, err := delegation.ParseCaveat(c.String()); err != nil || !reflect.DeepEqual(read, c) {
		t.Errorf("%s reads as %#v, %v", c, read, err)
	}
	encoded, err := delegation.MarshalCaveat(c)
	if err != nil {
		t.Errorf("%s: %v", c, err)
	}
	if read, err := delegation.UnmarshalCaveat(encoded); err != nil || !reflect.DeepEqual(read, c) {
		t.Errorf("%s reads as %#v, %v", encoded, read, err)
	}
	if read := delegation.ReadCaveat(c.Check()); !reflect.DeepEqual(read, c) {
		t.Errorf("%s reads as %#v", c.Check(), read)
	}
	if read, err := delegation.ParseCheck(c.Check().String()); err != nil || !reflect.DeepEqual(read, c) {
		t.Errorf("%s reads as %#v, %v", c.Check(), read, err)
	}
}

// TestTextErrors: an error says where, and what would have been right.
func TestTextErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                                `column 1: expected one of expires, not, window, resource, operation, audience, agent, agent-key, depth, context, arg, approval, check, reject, found the end`,
		`amount 5`:                        `column 1: expected one of expires,`,
		`"arg" n 5`:                       `column 1: expected one of expires,`,
		`Arg n 5`:                         `column 1: expected one of expires,`,
		`arg`:                             `column 4: expected the name of an argument, found the end`,
		`arg n`:                           `column 6: expected a value, a range such as 1..100, or one of set,`,
		`arg n 5 6`:                       `column 9: expected the end, found "6"`,
		`arg n 5 or`:                      `column 11: expected a value, a range such as 1..100,`,
		`arg n 5 or or`:                   `column 12: expected a value, a range such as 1..100,`,
		`arg n or 5`:                      `column 7: expected a value, a range such as 1..100,`,
		`arg n 05`:                        `column 7: expected a value, a range such as 1..100,`,
		`arg n 9223372036854775808`:       `column 7: expected a value,`,
		`arg n 1.5`:                       `column 7: expected a value,`,
		`arg n 2026-01-01`:                `column 7: expected a value,`,
		`arg n -`:                         `column 7: expected a value,`,
		`arg n a..b`:                      `column 7: expected a range of integers such as 1..100, 1.. or ..100 (put other text in JSON quotes), found "a..b"`,
		`arg n ..`:                        `column 7: expected a range of integers`,
		`arg n 1..2..3`:                   `column 7: expected a range of integers`,
		`arg n 1..2 or 3`:                 `column 12: expected the end, found "or"`,
		`arg n 9..1`:                      `no integer is at least 9 and at most 1`,
		`arg n a'b`:                       `column 8: expected a letter, a digit or one of _-./:@+~=* (put other text in JSON quotes), found "'b"`,
		`arg n é$`:                        `column 8: expected a letter,`,
		`arg n "a`:                        `column 7: expected a JSON string, found the quote " is not closed`,
		`arg n "a"b`:                      `column 10: expected a space after the closing quote, found "b"`,
		`arg n "\x"`:                      `column 7: expected a JSON string, found`,
		`arg n "\ud800"`:                  `column 7: expected a JSON string, found`,
		"arg n \"a\nb\"":                  `column 7: expected a JSON string, found`,
		`arg n "a" set`:                   `column 11: expected the end, found "set"`,
		`arg n set or 5`:                  `column 11: expected the end`,
		`arg n prefix`:                    `column 13: expected the beginning of a string, found the end`,
		`arg n prefix ""`:                 `a prefix must not be empty`,
		`arg n cidr 10.0.0.0`:             `column 12: expected a network such as 10.0.0.0/8, found "10.0.0.0"`,
		`arg n cidr 10.0.0.1/8`:           `network "10.0.0.1/8": the address has bits beyond the mask: 10.0.0.0/8 is meant`,
		`arg n cidr ::ffff:10.0.0.0/104`:  `network "::ffff:10.0.0.0/104": write an IPv4 network as such`,
		`arg n host X.org`:                `host "X.org": a host consists of lower-case ASCII letters, digits, - and _: write an internationalised name in its xn-- form`,
		`arg n host bücher.example`:       `write an internationalised name in its xn-- form`,
		`arg n host *.x.org`:              `host "*.x.org": a host consists of`,
		`arg n host **.1.2.3.4`:           `host "**.1.2.3.4": nothing is below an address`,
		`arg n host x.org.`:               `without an empty part`,
		`arg n host 1.2.3`:                `a host that ends in a number is an IPv4 address of four parts without leading zeros`,
		`arg n under a/../b`:              `path "a/../b": a resource must not have the segment ".."`,
		`arg n under a/**`:                `path "a/**": "*" is no wildcard here`,
		`arg n matches "(a"`:              `regular expression, byte 3: a ( without its )`,
		`arg /~2 5`:                       `argument "/~2": in a JSON pointer ~ stands in ~0 and ~1 only`,
		`window`:                          `column 7: expected weekdays such as mon-fri, or a part of the day such as 02:00-04:00, found the end`,
		`window monday`:                   `column 8: expected weekdays such as mon-fri,`,
		`window mon-`:                     `column 8: expected weekdays`,
		`window 2:00-4:00`:                `column 8: expected weekdays`,
		`window 02:00-24:01`:              `column 8: expected weekdays`,
		`window 24:00-02:00`:              `a window begins at a minute of the day, 0 to 1439`,
		`window 02:00-02:00`:              `a window must not end at the time at which it begins`,
		`window 02:00-00:00`:              `a window ends at a minute of the day, 1 to 1440`,
		`window mon 02:00`:                `column 12: expected a part of the day such as 02:00-04:00, found "02:00"`,
		`window mon 02:00-04:00 x`:        `column 24: expected the end, found "x"`,
		`depth 3`:                         `column 7: expected at, found "3"`,
		`depth at most`:                   `column 14: expected a 64-bit integer, found the end`,
		`depth at most -1`:                `a depth is at least 0`,
		`depth at most 3.0`:               `column 15: expected a 64-bit integer, found "3.0"`,
		`expires tomorrow`:                `column 9: expected an RFC 3339 time such as 2026-01-31T12:00:00Z, found "tomorrow"`,
		`expires 1969-12-31T23:59:59Z`:    `a time must lie in the years 1970 to 9999`,
		`not after 2026-01-31T12:00:00Z`:  `column 5: expected before, found "after"`,
		`resource`:                        `column 9: expected a path such as a/b or a/**, found the end`,
		`resource a,b`:                    `column 10: expected a path such as a/b or a/**, found "a,b"`,
		`resource a or`:                   `column 14: expected a path`,
		`resource a b`:                    `column 12: expected the end, found "b"`,
		`resource a/../b`:                 `resource "a/../b": a resource must not have the segment ".."`,
		`operation a or a`:                `operation "a" is listed twice`,
		`operation ""`:                    `operation "": a name must not be empty`,
		`agent a*`:                        `"*" stands only at the end`,
		`agent-key abc`:                   `column 11: expected a public key such as ed25519/HEX, found "abc"`,
		`approval x`:                      `column 10: expected by, found "x"`,
		`context "" 5`:                    `context "": a name must not be empty`,
		`context t 1..2`:                  `column 11: expected a value: an integer, a word, true, false, null or a JSON string, found "1..2"`,
		`context t set`:                   `column 11: expected a value`,
		`check if`:                        `expected`,
		`check if true trusting previous`: `a check must not say trusting`,
	} {
		c, err := delegation.ParseCaveats(text)
		if err == nil {
			t.Errorf("%s reads as %s", text, c)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		if e, ok := errors.AsType[*delegation.TextError](err); strings.HasPrefix(want, "column") && (!ok || e.Column < 1) {
			t.Errorf("%s: %#v", text, err)
		}
	}
	// White space is free between words, and anything that is safe may be quoted.
	for text, want := range map[string]string{
		"  arg \t n   1..2  ":               `arg n 1..2`,
		`arg "n" "a"`:                       `arg n a`,
		`resource "a/**"`:                   `resource a/**`,
		`window fri-mon`:                    `window mon,fri-sun`,
		`arg n -9223372036854775808..5`:     `arg n ..5`,
		`expires 2026-11-23T13:00:00+01:00`: `expires 2026-11-23T12:00:00Z`,
		`check all depth($d), $d <= 3`:      `depth at most 3`,
	} {
		if c, err := delegation.ParseCaveat(text); err != nil || c.String() != want {
			t.Errorf("%s reads as %v, %v, want %s", text, c, err, want)
		}
	}
}

// TestJSONErrors: the JSON form has one spelling.
func TestJSONErrors(t *testing.T) {
	for _, text := range []string{
		``, `null`, `[]`, `{}`, `{"kind":"depth"}`, `{"kind":"depth","at_most":"3"}`, `{"kind":"depth","at_most":3.0}`, `{"kind":"depth","at_most":3,"x":1}`, `{"kind":"depth","at_most":3,"at_most":3}`,
		`{"kind":"depth","at_most":-1}`, `{"kind":"depth","at_most":3} {}`, `{"kind":"nothing"}`, `{"kind":5}`, `{"Kind":"depth","at_most":3}`,
		`{"kind":"expires","at":"2026-11-23T12:00:00+00:00"}`, `{"kind":"expires","at":"2026-11-23T12:00:00.5Z"}`, `{"kind":"expires","at":5}`, `{"kind":"expires"}`,
		`{"kind":"resource","one_of":[]}`, `{"kind":"resource","one_of":"a"}`, `{"kind":"resource","one_of":["a",5]}`, `{"kind":"resource"}`, `{"kind":"resource","one_of":["a/../b"]}`,
		`{"kind":"weekday","days":[8]}`, `{"kind":"weekday","days":[2,1]}`, `{"kind":"weekday","days":[1,1]}`, `{"kind":"weekday","days":["1"]}`, `{"kind":"weekday","days":[9223372036854775807]}`,
		`{"kind":"minute","from":0,"to":9223372036854775807}`, `{"kind":"minute","from":5}`, `{"kind":"minute","from":5,"to":5}`,
		`{"kind":"arg_range","arg":"n"}`, `{"kind":"arg_range","arg":"n","min":-9223372036854775808,"max":5}`, `{"kind":"arg_range","arg":"n","min":"1"}`, `{"kind":"arg_range","min":1}`, `{"kind":"arg_range","arg":"n","min":null,"max":5}`,
		`{"kind":"arg_one_of","arg":"n","one_of":[1.5]}`, `{"kind":"arg_one_of","arg":"n","one_of":[[1]]}`, `{"kind":"arg_one_of","arg":"n","one_of":[{}]}`, `{"kind":"arg_one_of","arg":"n","one_of":[9223372036854775808]}`, `{"kind":"arg_one_of","one_of":[1]}`,
		`{"kind":"arg_cidr","arg":"n","networks":["10.0.0.0/8",""]}`, `{"kind":"arg_cidr","arg":"n","networks":["10.0.0.0/08"]}`, `{"kind":"arg_cidr","arg":"n","networks":["2001:DB8::/32"]}`,
		`{"kind":"arg_matches","arg":"n","pattern":"\\d"}`, `{"kind":"arg_host","arg":"n","hosts":["*.x.org"]}`, `{"kind":"agent_key","one_of":["ed25519/00"]}`,
		`{"kind":"check","check":"depth(3)"}`, `{"kind":"check","check":"check all depth($d), $d <= 3"}`, `{"kind":"check","check":"check  if true"}`, `{"kind":"approval","by":[]}`,
	} {
		if c, err := delegation.UnmarshalCaveat([]byte(text)); err == nil {
			t.Errorf("%s reads as %s", text, c)
		}
	}
	if text, err := delegation.MarshalCaveat(delegation.Operation()); err == nil {
		t.Errorf("an invalid caveat is written as %s", text)
	}
}

func FuzzParseCaveat(f *testing.F) {
	for _, form := range forms {
		f.Add(form.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := delegation.ParseCaveats(text)
		if err != nil {
			return
		}
		for _, c := range list {
			sameCaveat(t, c)
		}
	})
}

func FuzzUnmarshalCaveat(f *testing.F) {
	for _, form := range forms {
		f.Add([]byte(form.json))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := delegation.UnmarshalCaveat(data); err == nil {
			sameCaveat(t, c)
		}
	})
}

// TestQuotesShowEverything: no character of a caveat's text is invisible, moves the
// cursor or turns the line around.
func TestQuotesShowEverything(t *testing.T) {
	c := delegation.ArgIs("a\u200bb", "\x00\x1b[2J\u202e\u2066\u00ad\ufeff\u2028\U000e0001\n\t\"\\ é🗝")
	const want = `arg "a\u200bb" "\u0000\u001b[2J\u202e\u2066\u00ad\ufeff\u2028\udb40\udc01\n\t\"\\ é🗝"`
	if got := c.String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	sameCaveat(t, c)
}

// TestTextErrorKeepsSecrets: what was put in the wrong place is not repeated.
func TestTextErrorKeepsSecrets(t *testing.T) {
	const secret = "ed25519-private/9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
	for _, text := range []string{
		secret, "approval by " + secret, "approval by 2 of " + secret + ", x", "agent-key " + secret,
		"expires " + secret, "arg x " + secret + "!", "approval by " + secret[:40] + "!" + secret[40:], "window " + secret,
	} {
		_, err := delegation.ParseCaveat(text)
		if err == nil || strings.Contains(err.Error(), "9d61") || strings.Contains(err.Error(), "7f60") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
