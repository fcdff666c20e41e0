package toolcall_test

import (
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

// TestVisible lists what a token shows of the tools read, pay and delete: what its holder could
// call with the right arguments and approvals, now and here.
func TestVisible(t *testing.T) {
	key := func() token.PrivateKey {
		k, err := token.GenerateKey(datalog.Ed25519)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	root, agent, bob := key(), key(), key()
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + root.Public().AuthorizedKey("")))
	if err != nil {
		t.Fatal(err)
	}
	caveat := func(text string) delegation.Caveat {
		c, err := delegation.ParseCaveat(text)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	check := func(source string) delegation.Caveat {
		c, err := delegation.ParseCheck(source)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	policy := func(source string) *datalog.Authorizer {
		a, err := datalog.ParseAuthorizer(source, nil)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	mapped := &toolcall.Options{Resources: map[string][]string{"read": {"data/{path...}"}}}
	ticket := verify.State{Context: map[string]any{"ticket": "T-1"}}
	for name, c := range map[string]struct {
		resource string // of the token
		caveats  []delegation.Caveat
		options  *toolcall.Options
		policy   *datalog.Authorizer
		state    verify.State
		later    time.Duration
		want     string
	}{
		"operations":                {want: "read pay"},
		"an argument":               {caveats: []delegation.Caveat{caveat("arg amount 1..5")}, want: "read pay"},
		"inside an argument":        {caveats: []delegation.Caveat{check(`check all arg("/to/name", $v), $v == "bob"`)}, want: "read pay"},
		"an address":                {caveats: []delegation.Caveat{caveat("arg ip cidr 10.0.0.0/8"), caveat("arg url host example.org")}, want: "read pay"},
		"an approval":               {caveats: []delegation.Caveat{delegation.Approval{Keys: []token.PublicKey{bob.Public()}}}, want: "read pay"},
		"a check on the operation":  {caveats: []delegation.Caveat{check(`check if operation("read")`)}, want: "read"},
		"of one or the other":       {caveats: []delegation.Caveat{check(`check if operation("read") or arg("amount", 5)`)}, want: "read pay"},
		"another resource":          {resource: "elsewhere/**", want: ""},
		"an argument is a resource": {resource: "data/**", options: mapped, want: "read"},
		"the other is not":          {options: mapped, want: "read pay"},
		"another server":            {caveats: []delegation.Caveat{caveat("audience other")}, want: ""},
		"expired":                   {later: 2 * time.Hour, want: ""},
		"no directory":              {caveats: []delegation.Caveat{caveat("agent agent:ci")}, want: ""},
		"the state":                 {caveats: []delegation.Caveat{caveat("context ticket T-1")}, state: ticket, want: "read pay"},
		"another state":             {caveats: []delegation.Caveat{caveat("context ticket T-2")}, state: ticket, want: ""},
		"the policy":                {policy: policy(`check if operation("pay"); allow if true`), want: "pay"},
		"the policy on arguments":   {policy: policy(`allow if arg("amount", 5)`), want: "read pay"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.resource == "" {
				c.resource = "tools/files"
				if c.options != nil {
					c.resource = "tools/**"
				}
			}
			held, err := attenuate.Mint(root, attenuate.Grant{Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: agent.Public(), TTL: time.Hour},
				append([]delegation.Caveat{delegation.Resource(c.resource), delegation.Operation("read", "pay")}, c.caveats...)...)
			if err != nil {
				t.Fatal(err)
			}
			v, err := verify.New("files", roots, &verify.Options{Policy: c.policy, AllowReplay: true, Now: func() time.Time { return time.Now().Add(c.later) }})
			if err != nil {
				t.Fatal(err)
			}
			m, got := mapping(t, c.options), ""
			for _, tool := range []string{"read", "pay", "delete", ""} {
				if m.Visible(t.Context(), v, held.Text(), c.state, tool) {
					got += " " + tool
				}
			}
			if got != "" {
				got = got[1:]
			}
			if got != c.want {
				t.Errorf("it shows %q, want %q", got, c.want)
			}
		})
	}
}
