package verify_test

import (
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/vectors"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/replay"
	"github.com/whittle-auth/whittle/verify/revoke"
)

// TestStateVectors asks each service of state.json one request after the other.
func TestStateVectors(t *testing.T) {
	cases, err := vectors.State()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			if seen[c.Name] {
				t.Errorf("two cases are called %s", c.Name)
			}
			seen[c.Name] = true
			if c.BadList {
				if _, err := revoke.Parse([]byte(c.Revoked[0])); err == nil {
					t.Errorf("%s The list is read.", c.Description)
				}
				return
			}
			stateCase(t, &c)
		})
	}
}

func stateCase(t *testing.T, c *vectors.StateCase) {
	t.Helper()
	if len(c.Steps) == 0 {
		t.Fatal("no steps")
	}
	began := c.Steps[0].Now
	if c.Began != "" {
		var err error
		if began, err = time.Parse(time.RFC3339Nano, c.Began); err != nil {
			t.Fatal(err)
		}
	}
	memory, err := replay.NewMemory(began, &replay.Options{FirstStart: c.Began == ""})
	if err != nil {
		t.Fatal(err)
	}
	var clock time.Time
	o := &verify.Options{AllowBearer: c.AllowBearer, Replay: memory, Now: func() time.Time { return clock }}
	for _, text := range c.Revoked {
		l, err := revoke.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		o.Revocations = append(o.Revocations, l)
	}
	roots, err := trust.Parse([]byte(c.Trust))
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(c.Service, roots, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range c.Steps {
		clock = s.Now
		req := delegation.Request{Operation: s.Request.Operation, Resources: s.Request.Resources, Args: s.Request.Args}
		if got := decideWith(t, v, s.Token, req); (got == "") != s.Expect.Allowed || string(got) != s.Expect.Code {
			t.Errorf("%s Step %d: code %q, want %q", c.Description, i, got, s.Expect.Code)
		}
	}
}
