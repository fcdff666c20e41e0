package delegation_test

import (
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
)

const stray = `!$v.matches("(^|/)(\\.{0,2}(/|$)| )| (/|$)|[%\\\\\\x00-\\x1f\\x7f]")`

// forms has each sort of caveat as text, as Datalog and as JSON.
var forms = []struct {
	caveat              delegation.Caveat
	text, datalog, json string
}{
	{delegation.Expires(noon), `expires 2026-11-23T12:00:00Z`,
		`check all time($t), $t < 2026-11-23T12:00:00Z`, `{"at":"2026-11-23T12:00:00Z","kind":"expires"}`},
	{delegation.ValidFrom(noon), `not before 2026-11-23T12:00:00Z`,
		`check all time($t), $t >= 2026-11-23T12:00:00Z`, `{"at":"2026-11-23T12:00:00Z","kind":"not_before"}`},
	{delegation.Weekdays{Days: []int{1, 2}}, `window mon,tue`,
		`check all weekday($d), [1, 2].contains($d)`, `{"days":[1,2],"kind":"weekday"}`},
	{delegation.Weekdays{Days: []int{1, 3, 4, 5, 7}}, `window mon,wed-fri,sun`,
		`check all weekday($d), [1, 3, 4, 5, 7].contains($d)`, `{"days":[1,3,4,5,7],"kind":"weekday"}`},
	{delegation.Hours{From: 120, To: 240}, `window 02:00-04:00`,
		`check all minute($m), $m >= 120 && $m < 240`, `{"from":120,"kind":"minute","to":240}`},
	{delegation.Hours{From: 1320, To: 1440}, `window 22:00-24:00`,
		`check all minute($m), $m >= 1320 && $m < 1440`, `{"from":1320,"kind":"minute","to":1440}`},
	{delegation.Hours{From: 1320, To: 360}, `window 22:00-06:00`,
		`check all minute($m), $m >= 1320 || $m < 360`, `{"from":1320,"kind":"minute","to":360}`},
	{delegation.Resource("b", "a/**"), `resource b or a/**`,
		`check all resource($r), $r == "b" || $r == "a" || $r.starts_with("a/")`, `{"kind":"resource","one_of":["b","a/**"]}`},
	{delegation.Operation("x", "y z", "or"), `operation x or "y z" or "or"`,
		`check all operation($o), ["x", "y z", "or"].contains($o)`, `{"kind":"operation","one_of":["x","y z","or"]}`},
	{delegation.Audience("svc:a", "2fa"), `audience svc:a or 2fa`,
		`check all audience($a), ["svc:a", "2fa"].contains($a)`, `{"kind":"audience","one_of":["svc:a","2fa"]}`},
	{delegation.Agent("agent:ci", "spiffe://x.org/ns/**"), `agent agent:ci or spiffe://x.org/ns/**`,
		`check all agent($a), $a == "agent:ci" || $a == "spiffe://x.org/ns" || $a.starts_with("spiffe://x.org/ns/")`, `{"kind":"agent","one_of":["agent:ci","spiffe://x.org/ns/**"]}`},
	{delegation.AgentKey(ci.Public()), `agent-key ` + ci.Public().String(),
		`check all agent_key($k), ["` + ci.Public().String() + `"].contains($k)`, `{"kind":"agent_key","one_of":["` + ci.Public().String() + `"]}`},
	{delegation.Depth{Max: 3}, `depth at most 3`,
		`check all depth($d), $d <= 3`, `{"at_most":3,"kind":"depth"}`},
	{delegation.Context("ticket", "T-123"), `context ticket T-123`,
		`check all context("ticket", $v), $v == "T-123"`, `{"kind":"context","name":"ticket","one_of":["T-123"]}`},
	{delegation.Context("epoch", 7, 8), `context epoch 7 or 8`,
		`check all context("epoch", $v), [7, 8].contains($v)`, `{"kind":"context","name":"epoch","one_of":[7,8]}`},
	{delegation.ArgIs("amount", 5), `arg amount 5`,
		`check all arg("amount", $v), $v == 5`, `{"arg":"amount","kind":"arg_one_of","one_of":[5]}`},
	{delegation.ArgIs("n", "5", 5, true, nil, "true", "a b", "set", "-x", "1..2"), `arg n "5" or 5 or true or null or "true" or "a b" or "set" or "-x" or "1..2"`,
		`check all arg("n", $v), ["5", 5, true, null, "true", "a b", "set", "-x", "1..2"].contains($v)`,
		`{"arg":"n","kind":"arg_one_of","one_of":["5",5,true,null,"true","a b","set","-x","1..2"]}`},
	{delegation.ArgIs("/ticket/id", "T-1"), `arg /ticket/id T-1`,
		`check all arg("/ticket/id", $v), $v == "T-1"`, `{"arg":"/ticket/id","kind":"arg_one_of","one_of":["T-1"]}`},
	{delegation.ArgIs("", ""), `arg "" ""`, `check all arg("", $v), $v == ""`, `{"arg":"","kind":"arg_one_of","one_of":[""]}`},
	{delegation.ArgRange{Arg: "amount", Min: 1, Max: 100}, `arg amount 1..100`,
		`check all arg("amount", $v), $v.type() == "integer" && $v >= 1 && $v <= 100`, `{"arg":"amount","kind":"arg_range","max":100,"min":1}`},
	{delegation.ArgRange{Arg: "n", Min: math.MinInt64, Max: -5}, `arg n ..-5`,
		`check all arg("n", $v), $v.type() == "integer" && $v <= -5`, `{"arg":"n","kind":"arg_range","max":-5}`},
	{delegation.ArgRange{Arg: "n", Min: -5, Max: math.MaxInt64}, `arg n -5..`,
		`check all arg("n", $v), $v.type() == "integer" && $v >= -5`, `{"arg":"n","kind":"arg_range","min":-5}`},
	{delegation.ArgRange{Arg: "n", Min: math.MinInt64 + 1, Max: math.MaxInt64 - 1}, `arg n -9223372036854775807..9223372036854775806`,
		`check all arg("n", $v), $v.type() == "integer" && $v >= -9223372036854775807 && $v <= 9223372036854775806`,
		`{"arg":"n","kind":"arg_range","max":9223372036854775806,"min":-9223372036854775807}`},
	{delegation.ArgPrefix{Arg: "n", Prefix: "inv-"}, `arg n prefix inv-`,
		`check all arg("n", $v), $v.type() == "string" && $v.starts_with("inv-")`, `{"arg":"n","kind":"arg_prefix","prefix":"inv-"}`},
	{delegation.ArgUnder("p", "a/b", "c"), `arg p under a/b or c`,
		`check all arg("p", $v), $v == "a/b" || $v.type() == "string" && $v.starts_with("a/b/") && ` + stray +
			` || $v == "c" || $v.type() == "string" && $v.starts_with("c/") && ` + stray, `{"arg":"p","kind":"arg_subtree","paths":["a/b","c"]}`},
	{delegation.ArgIn("ip", netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2000::/3"), netip.MustParsePrefix("0.0.0.0/0")), `arg ip cidr 10.0.0.0/8 or 2000::/3 or 0.0.0.0/0`,
		`check all arg_ip("ip", $b), $b.starts_with("4:00001010") || $b.starts_with("6:001") || $b.starts_with("4:")`,
		`{"arg":"ip","kind":"arg_cidr","networks":["10.0.0.0/8","2000::/3","0.0.0.0/0"]}`},
	{delegation.ArgURL("u", "x.org", "**.y.org"), `arg u host x.org or **.y.org`,
		`check all arg_host("u", $h), $h == "x.org" || $h == "y.org" || $h.ends_with(".y.org")`, `{"arg":"u","hosts":["x.org","**.y.org"],"kind":"arg_host"}`},
	{delegation.ArgMatches{Arg: "id", Pattern: `[A-Z]{2}\.[0-9]+`}, `arg id matches "[A-Z]{2}\\.[0-9]+"`,
		`check all arg("id", $v), $v.type() == "string" && $v.matches("^(?:[A-Z]{2}\\.[0-9]+)$")`, `{"arg":"id","kind":"arg_matches","pattern":"[A-Z]{2}\\.[0-9]+"}`},
	{delegation.ArgSet{Arg: "n"}, `arg n set`, `check all arg("n", $v)`, `{"arg":"n","kind":"arg_set"}`},
	{delegation.ArgUnset{Arg: "n"}, `arg n unset`, `reject if arg("n", $v)`, `{"arg":"n","kind":"arg_unset"}`},
	{delegation.Approval{Keys: []token.PublicKey{ci.Public(), runner.Public()}}, `approval by ` + ci.Public().String() + ` or ` + runner.Public().String(),
		`check if action($a), approved($a) trusting ` + ci.Public().String() + `, ` + runner.Public().String(),
		`{"by":["` + ci.Public().String() + `","` + runner.Public().String() + `"],"kind":"approval"}`},
	{delegation.Custom{Source: parseCheck(`check if true`)}, `check if true`, `check if true`, `{"check":"check if true","kind":"check"}`},
}

func parseCheck(source string) datalog.Check {
	c, err := datalog.ParseCheck(source, nil)
	if err != nil {
		panic(err)
	}
	return c
}

// TestForms: each sort of caveat is written as it should be in all three forms,
// and reads back from each.
func TestForms(t *testing.T) {
	for _, f := range forms {
		if err := f.caveat.Validate(); err != nil {
			t.Errorf("%s: %v", f.text, err)
			continue
		}
		if got := f.caveat.String(); got != f.text {
			t.Errorf("text %s, want %s", got, f.text)
		}
		if read, err := delegation.ParseCaveat(f.text); err != nil || !reflect.DeepEqual(read, f.caveat) {
			t.Errorf("%s reads as %#v, %v", f.text, read, err)
		}
		if got := f.caveat.Check().String(); got != f.datalog {
			t.Errorf("Datalog\n%s, want\n%s", got, f.datalog)
		}
		if read := delegation.ReadCaveat(parseCheck(f.datalog)); !reflect.DeepEqual(read, f.caveat) {
			t.Errorf("%s reads as %#v", f.datalog, read)
		}
		if got, err := delegation.MarshalCaveat(f.caveat); err != nil || string(got) != f.json {
			t.Errorf("JSON %s, want %s (%v)", got, f.json, err)
		}
		if read, err := delegation.UnmarshalCaveat([]byte(f.json)); err != nil || !reflect.DeepEqual(read, f.caveat) {
			t.Errorf("%s reads as %#v, %v", f.json, read, err)
		}
	}
}

// TestWindowText: what is short for two caveats, and what would mean something
// else than it says.
func TestWindowText(t *testing.T) {
	list, err := delegation.ParseCaveats("window sat-mon,wed 02:00-04:00")
	want := []delegation.Caveat{delegation.Weekdays{Days: []int{1, 3, 6, 7}}, delegation.Hours{From: 120, To: 240}}
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := delegation.ParseCaveat("window mon 02:00-04:00"); err == nil || !strings.Contains(err.Error(), "two caveats") {
		t.Error(err)
	}
	if _, err := delegation.ParseCaveats("window mon 22:00-02:00"); err == nil || !strings.Contains(err.Error(), "column 12: expected a part of the day that ends before midnight") {
		t.Error(err)
	}
}
