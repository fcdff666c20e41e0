package delegation_test

import (
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

func TestAgainst(t *testing.T) {
	req := delegation.Request{Operation: "read", Resource: "a", Audience: "svc", Args: map[string]any{
		"amount": 250, "ratio": 1.5, "host": "https://x.example/", "in": map[string]any{"deep": "yes"},
	}}
	checked, err := req.Check()
	if err != nil {
		t.Fatal(err)
	}
	const met, refused, undecided = "met", "refused", "undecided"
	for check, want := range map[string]string{
		`check all operation($o), ["read", "x"].contains($o)`:                         met,
		`check all operation($o), ["x"].contains($o)`:                                 refused,
		`check all resource($r), $r == "b"`:                                           refused,
		`check all audience($a), ["svc"].contains($a)`:                                met,
		`check all audience($a), ["other"].contains($a)`:                              refused,
		`check all arg("amount", $v), $v.type() == "integer" && $v >= 1 && $v <= 300`: met,
		`check all arg("amount", $v), $v.type() == "integer" && $v >= 1 && $v <= 200`: refused,
		`check all arg("missing", $v)`:                                                refused,
		`reject if arg("missing", $v)`:                                                met,
		`reject if arg("amount", $v)`:                                                 refused,
		`check all arg("ratio", $v)`:                                                  refused, // a float is no fact
		`check all arg("/in/deep", $v), $v == "yes"`:                                  met,
		`check all arg("/in/deep", $v), $v == "no"`:                                   refused,
		`check all arg_host("host", $h), $h == "x.example"`:                           met,
		`check all arg_host("host", $h), $h == "y.example"`:                           refused,
		`check all agent_key($k), ["` + ci.Public().String() + `"].contains($k)`:      undecided,
		`check all depth($d), $d <= 3`:                                                undecided,
		`check all weekday($d), [1, 2].contains($d)`:                                  undecided,
		`check all minute($m), $m >= 120 && $m < 240`:                                 undecided,
		`check all context("ticket", $v), $v == "T-1"`:                                undecided,
		`check if operation("read")`:                                                  undecided,
		`check all time($t), $t < 2026-11-23T12:00:00Z`:                               met,
		`check all time($t), $t >= 2026-11-23T12:00:00Z`:                              met,
		`check if action($a), approved($a) trusting ` + alice.Public().String():       met,
	} {
		held := mint(t, block(t, block0+check+";"), token.HeldBy(ci.Public()))
		chain, err := delegation.Read(held)
		if err != nil {
			t.Fatal(err)
		}
		no, open := chain.Against(checked)
		got := met
		switch {
		case len(no) == 1 && len(open) == 0 && no[0].Finding.Message != "" && no[0].Block == 0:
			got = refused
		case len(no) == 0 && len(open) == 1 && strings.Contains(check, open[0].Caveat.Check().Queries[0].Body[0].Name):
			got = undecided
		case len(no)+len(open) > 0:
			t.Errorf("%s: %v, %v", check, no, open)
		}
		if got != want {
			t.Errorf("%s is %s, want %s", check, got, want)
		}
	}
}
