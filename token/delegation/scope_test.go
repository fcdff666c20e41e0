package delegation_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/delegation"
)

func caveat(t *testing.T, text string) delegation.Caveat {
	t.Helper()
	c, err := delegation.ParseCaveat(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestMixedBounds: how caveats on one thing add up, whatever their kinds. The block
// of each is its place in the list.
func TestMixedBounds(t *testing.T) {
	for _, x := range []struct{ caveats, want string }{
		{`arg n 1..100; arg n 50..`, `1 arg n 50..100`},
		{`arg n 1..100; arg n 5 or 500 or "5"`, `1 arg n 5`},
		{`arg n 5 or 7; arg n 1..6`, `1 arg n 5`},
		{`arg n 5 or 7; arg n 1..100`, `0 arg n 5 or 7`},
		{`arg n 1..100; arg n set`, `0 arg n 1..100`},
		{`arg n set; arg n prefix a; arg n prefix ab`, `2 arg n prefix ab`},
		{`arg n prefix a; arg n matches "[a-z]+"`, `0 arg n prefix a; 1 arg n matches "[a-z]+"`},
		{`arg n matches "a+"; arg n matches "a+"`, `0 arg n matches "a+"`},
		{`arg n matches "a+"; arg n matches "[a-z]"; arg n aa or a or b`, `0 arg n matches "a+"; 1 arg n matches "[a-z]"; 2 arg n aa or a or b`},
		{`arg n under a or b; arg n prefix a/`, `0 arg n under a or b; 1 arg n prefix a/`},
		{`arg n under a/x or b; arg n prefix a`, `1 arg n under a/x`},
		{`arg n prefix a; arg n under a/x or b`, `1 arg n under a/x`},
		{`arg n under a or b; arg n under a/x or b/y/z or c`, `1 arg n under a/x or b/y/z`},
		{`arg n under a; arg n a/b or "a/../b" or c`, `1 arg n a/b`},
		{`arg n cidr 10.0.0.0/8 or ::/0; arg n cidr 10.1.0.0/16 or 0.0.0.0/0`, `1 arg n cidr 10.1.0.0/16 or 10.0.0.0/8`},
		{`arg n cidr 10.0.0.0/8; arg n "10.0.0.1" or "::ffff:10.0.0.2" or "11.0.0.1" or x`, `1 arg n "10.0.0.1" or ::ffff:10.0.0.2`},
		{`arg n host **.x.org; arg n host a.x.org or x.org or y.org`, `1 arg n host a.x.org or x.org`},
		{`arg n host **.x.org; arg n https://a.x.org/ or https://y.org/`, `1 arg n https://a.x.org/`},
		{`arg n host **.x.org; arg n prefix https://x.org/`, `0 arg n host **.x.org; 1 arg n prefix https://x.org/`},
		{`arg n unset; arg n unset`, `0 arg n unset`},
		{`arg n 5; arg m 6; arg /n 7`, `0 arg n 5; 1 arg m 6; 2 arg /n 7`},
		{`window mon-fri; window wed,sun`, `1 window wed`},
		{`window 22:00-06:00; window 20:00-04:00`, `1 window 22:00-04:00`},
		{`window 22:00-06:00; window 05:00-23:00`, `0 window 22:00-06:00; 1 window 05:00-23:00`},
		{`window 22:00-06:00; window 05:00-23:00; window 05:30-07:00`, `2 window 05:30-06:00`},
		{`window 00:00-24:00; window 10:00-09:00`, `1 window 10:00-09:00`},
		{`depth at most 3; depth at most 5`, `0 depth at most 3`},
		{`audience a or b; audience b`, `1 audience b`},
		{`agent a/**; agent a/x or b`, `1 agent a/x`},
		{`context t 5 or x; context t x or y; context u 1`, `1 context t x; 2 context u 1`},
		{`check if true; check if true`, `0 check if true; 1 check if true`},
	} {
		var s delegation.Scope
		for i, text := range strings.Split(x.caveats, "; ") {
			s.Narrow(caveat(t, text), i)
		}
		var got []string
		for _, b := range s.Bounds {
			got = append(got, fmt.Sprintf("%d %s", b.Block, b.Caveat))
		}
		if strings.Join(got, "; ") != x.want || s.Empty {
			t.Errorf("%s: %s, want %s", x.caveats, strings.Join(got, "; "), x.want)
		}
	}
	for _, nothing := range []string{
		`arg n 1..5; arg n 6..`, `arg n 1..5; arg n "3"`, `arg n 1..5; arg n prefix 1`, `arg n set; arg n unset`, `arg n unset; arg n 5`, `arg n prefix a; arg n prefix b`, `arg n under a; arg n under ab`, `arg n under a; arg n prefix ab`,
		`arg n cidr 10.0.0.0/8; arg n cidr 11.0.0.0/8`, `arg n cidr 0.0.0.0/0; arg n cidr ::/0`, `arg n cidr 10.0.0.0/8; arg n x`, `arg n host x.org; arg n host **.a.x.org`, `arg n matches "[a-z]"; arg n 5 or true`, `arg n a; arg n b`,
		`window mon; window tue`, `window 01:00-02:00; window 02:00-03:00`, `audience a; audience b`, `agent a; agent b/**`, `context t 5; context t "5"`, `operation a; operation b`, `resource a; resource b/**`,
	} {
		var s delegation.Scope
		texts := strings.Split(nothing, "; ")
		s.Narrow(caveat(t, texts[0]), 0)
		s.Narrow(caveat(t, texts[1]), 1)
		if !s.Empty || len(s.Bounds) != 2 {
			t.Errorf("%s: %+v", nothing, s)
		}
	}
}

// TestFit: what narrows, what widens, and what cannot be compared.
func TestFit(t *testing.T) {
	var s delegation.Scope
	for i, text := range []string{`arg n 1..100`, `arg s prefix inv-`, `arg p under a`, `arg ip cidr 10.0.0.0/8`, `arg u host **.x.org`, `arg m matches "[a-z]+"`, `window 22:00-06:00`, `window mon-fri`, `depth at most 3`} {
		s.Narrow(caveat(t, text), i)
	}
	for text, clamped := range map[string]string{ // empty: fits as it is
		`arg n 2..100`: ``, `arg n 5 or 6`: ``, `arg other set`: ``, `arg s prefix inv-2`: ``, `arg s matches "x.*"`: ``, `arg s "inv-x"`: ``, `arg p under a/b`: ``, `arg p a/b`: ``, `arg p matches "a/.*"`: ``, `arg ip cidr 10.1.0.0/16`: ``, `arg ip "::ffff:10.0.0.1"`: ``,
		`arg u host x.org`: ``, `arg u prefix https://x.org/`: ``, `arg m matches "a+"`: ``, `arg m prefix a`: ``, `arg m abc`: ``, `window 23:00-24:00`: ``, `window 05:00-23:00`: ``, `depth at most 0`: ``, `check if true`: ``,
		`arg n 50..`: `arg n 50..100`, `arg n 5 or 500`: `arg n 5`, `arg n set`: `arg n 1..100`, `arg s prefix in`: `arg s prefix inv-`, `arg s "inv-1" or x`: `arg s inv-1`, `arg p under a/x or b`: `arg p under a/x`, `arg p a/b or "a/../b"`: `arg p a/b`,
		`arg ip cidr 0.0.0.0/0`: `arg ip cidr 10.0.0.0/8`, `arg u host **.org`: `arg u host **.x.org`, `arg m set`: `arg m matches "[a-z]+"`, `arg m a or 5`: ``, `window 20:00-02:00`: `window 22:00-02:00`, `window sun,mon`: `window mon`, `depth at most 4`: `depth at most 3`,
		`arg n 200..`: `nothing`, `arg n prefix 5`: `nothing`, `arg n unset`: `nothing`, `arg s prefix x`: `nothing`, `arg p prefix b`: `nothing`, `arg ip cidr ::/0`: `nothing`, `arg ip x`: `nothing`, `arg u host y.org`: `nothing`, `arg m 5`: `nothing`, `window sat`: `nothing`, `window 12:00-13:00`: `nothing`,
	} {
		c := caveat(t, text)
		fit, err := s.Fit(c, false)
		if clamped == `` {
			if err != nil || fit.String() != c.String() {
				t.Errorf("%s: %v, %v", text, fit, err)
			}
			continue
		}
		if e, ok := errors.AsType[*delegation.WideningError](err); !ok || !strings.Contains(err.Error(), c.String()+" goes beyond "+e.Bound.Caveat.String()+", which block ") {
			t.Errorf("%s: %v, %v", text, fit, err)
		}
		fit, err = s.Fit(c, true)
		switch {
		case clamped == `nothing`:
			if err == nil {
				t.Errorf("%s: %s is left", text, fit)
			}
		case err != nil || fit.String() != clamped:
			t.Errorf("%s: %v, %v, want %s", text, fit, err, clamped)
		default:
			if _, err := s.Fit(fit, false); err != nil {
				t.Errorf("%s is clamped to %s, and that is refused: %v", text, fit, err)
			}
		}
	}
	// The hop that set the bound is the one that is named.
	if _, err := s.Fit(caveat(t, `depth at most 4`), false); err == nil || err.Error() != "depth at most 4 goes beyond depth at most 3, which block 8 set" {
		t.Error(err)
	}
}

// TestManyIncomparableBounds: hundreds of caveats that cannot be compared cost no
// more than they must, and none of them is lost.
func TestManyIncomparableBounds(t *testing.T) {
	var s delegation.Scope
	for i := range 2000 {
		s.Narrow(delegation.ArgMatches{Arg: "n", Pattern: fmt.Sprintf("(?:[a-z]{30}){30}|%d", i)}, i)
	}
	if len(s.Bounds) != 2000 {
		t.Errorf("%d bounds", len(s.Bounds))
	}
	// No pattern is tried: it stays beside the list that it would filter.
	s = delegation.Scope{}
	s.Narrow(delegation.ArgMatches{Arg: "n", Pattern: "a+"}, 0)
	s.Narrow(delegation.ArgIs("n", strings.Repeat("a", 900)), 1)
	if len(s.Bounds) != 2 || s.Empty {
		t.Errorf("%+v", s)
	}
}

// TestAlmostCanonicalArguments: what is not exactly the canonical form is custom.
func TestAlmostCanonicalArguments(t *testing.T) {
	for _, source := range []string{
		`check all weekday($d), [2, 1].contains($d)`, `check all weekday($d), [0].contains($d)`, `check all weekday($d), [8].contains($d)`, `check all weekday($d), {1}.contains($d)`, `check all weekday($d), $d == 1`, `check if weekday($d), [1].contains($d)`, `check all weekday($w), [1].contains($w)`,
		`check all minute($m), $m >= 120 || $m < 240`, `check all minute($m), $m >= 240 && $m < 120`, `check all minute($m), $m >= 120, $m < 240`, `check all minute($m), $m > 120 && $m < 240`, `check all minute($m), $m >= 120`, `check all minute($m), $m >= -1 && $m < 240`, `check all minute($m), $m >= 1 && $m < 1441`, `check all minute($m), $m >= 1 && $m < 9223372036854775807`,
		`check all audience($a), $a == "x"`, `check all audience($o), ["x"].contains($o)`, `check all agent_key($k), ["x"].contains($k)`, `check all agent_key($k), ["ED25519/` + ci.Public().String()[8:] + `"].contains($k)`,
		`check all agent($a), $a.starts_with("x/")`, `check all agent($a), ["x"].contains($a)`, `check all agent($a), $a == "x/"`, `check all depth($d), $d < 3`, `check all depth($d), $d <= -1`, `check if depth($d), $d <= 3`, `check all depth($d), $d <= 3 || true`,
		`check all context($n, $v), $v == 5`, `check all context("t", $v), $v === 5`, `check all context("t", $v), [5].contains($v)`, `check all context("t", $x), $x == 5`,
		`check if arg("n", $v)`, `check all arg("n", $x)`, `check all arg($n, $v)`, `reject if arg("n", $v), true`, `reject if arg("n", 5)`, `check all arg("n", $v), true`, `check all arg("n", $v), $v == 5 || true`, `check all arg("n", $v), [5].contains($v)`, `check all arg("n", $v), [5, 5].contains($v)`, `check all arg("n", $v), {5, 6}.contains($v)`, `check all arg("n", $v), $v == [5]`, `check all arg("n", $v), $v == 2026-01-01T00:00:00Z`, `check all arg("n", $v), $v == hex:00`, `check all arg("n", $v), 5 == $v`,
		`check all arg("n", $v), $v >= 1 && $v <= 100`, `check all arg("n", $v), $v.type() == "integer"`, `check all arg("n", $v), $v.type() == "integer" && $v <= 100 && $v >= 1`, `check all arg("n", $v), $v.type() == "integer" && $v >= 5 && $v <= 1`, `check all arg("n", $v), $v.type() == "integer" && $v >= -9223372036854775808`, `check all arg("n", $v), $v.type() == "string" && $v >= 1`, `check all arg("n", $v), $v.type() == "integer" && $v >= 1 && $v >= 2`, `check all arg("n", $v), ($v.type() == "integer" && $v >= 1)`,
		`check all arg("n", $v), $v.starts_with("a")`, `check all arg("n", $v), $v.type() == "string" && $v.starts_with("")`, `check all arg("n", $v), $v.type() == "string" && $v.ends_with("a")`, `check all arg("n", $v), $v.type() == "string" && $v.matches("a")`,
		`check all arg("n", $v), $v == "a" || $v.type() == "string" && $v.starts_with("a/")`, `check all arg("n", $v), $v == "a" || $v.type() == "string" && $v.starts_with("b/") && ` + stray, `check all arg("n", $v), $v == "a/.." || $v.type() == "string" && $v.starts_with("a/../") && ` + stray,
		`check all arg_ip("n", $b), $b.starts_with("4:2")`, `check all arg_ip("n", $b), $b.starts_with("4")`, `check all arg_ip("n", $b), $b.starts_with("4:000000000000000000000000000000000")`, `check all arg_ip("n", $b), $b.starts_with("5:0")`, `check all arg_ip("n", $b), $b == "4:00001010"`, `check all arg_ip("n", $v), $v.starts_with("4:")`, `check if arg_ip("n", $b), $b.starts_with("4:")`, `check all arg_ip("n", $b)`, `check all arg_ip("n", $b), $b.starts_with("6:` + strings.Repeat("0", 80) + strings.Repeat("1", 16) + `0")`,
		`check all arg_host("n", $h), $h == "X.org"`, `check all arg_host("n", $h), $h.ends_with(".x.org")`, `check all arg_host("n", $h), $h == "x.org" || $h.ends_with("x.org")`, `check all arg_host("n", $h), $h == "x.org" || $h.ends_with(".y.org")`, `check all arg_host("n", $h), $h == "x.org."`, `check all arg_host("n", $h)`,
		`check all arg("/~2", $v), $v == 5`, `check all arg("n", 5, $v)`, `check all arg("n", $v) or arg("m", $v)`,
	} {
		c, err := delegation.ParseCheck(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if _, custom := c.(delegation.Custom); !custom {
			t.Errorf("%s reads as %s", source, c)
		}
	}
}

// TestComparingIsBounded: of caveats that cannot be compared with each other, a new
// one is compared with the first few only. It is kept in any case.
func TestComparingIsBounded(t *testing.T) {
	var s delegation.Scope
	pattern := func(i int) delegation.Caveat {
		return delegation.ArgMatches{Arg: "n", Pattern: fmt.Sprintf("a{%d}", i)}
	}
	for i := range 20 {
		s.Narrow(pattern(i), i)
	}
	s.Narrow(pattern(3), 20) // found among the first
	s.Narrow(pattern(19), 21)
	if len(s.Bounds) != 21 {
		t.Errorf("%d bounds", len(s.Bounds))
	}
}
