package verify_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/vectors"
	"github.com/whittle-auth/whittle/verify"
)

// jargon is what means something to a Go programmer only.
var jargon = regexp.MustCompile(`%!|0x[0-9a-f]|\bnil\b|\bNaN\b|\bEOF\b|panic|goroutine|interface|struct|runtime|[a-z]\.[A-Z]|\b(strconv|json|cbor|base64|hex|proto|protowire|datalog|engine|errors|fmt)\.|\*[a-z]+\.|map\[|\[\]|<nil>|illegal|\d[hm]0[ms]`)

// TestDeniedVectorsSayWhy: every denial after the signatures names a hop or the
// service, a code, and in plain words what was wrong (PEERS.md, strict narrowing
// that breaks work in silence).
func TestDeniedVectorsSayWhy(t *testing.T) {
	cases, err := vectors.Delegation()
	if err != nil {
		t.Fatal(err)
	}
	before := []token.Code{token.CodeMalformed, token.CodeUnsupported, token.CodeSignature}
	after := 0
	for _, c := range cases {
		if c.Expect.Allowed {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			roots, err := trust.Parse([]byte(c.Trust))
			if err != nil {
				t.Fatal(err)
			}
			v, err := verify.New(c.Service, roots, &verify.Options{
				AllowBearer: c.AllowBearer, Now: func() time.Time { return c.Now },
			})
			if err != nil {
				t.Fatal(err)
			}
			d, err := v.Verify(context.Background(), c.Token, delegation.Request{
				Operation: c.Request.Operation, Resources: c.Request.Resources, Args: c.Request.Args,
			})
			if err == nil || len(d.Reasons) == 0 {
				t.Fatalf("allowed, or no reason: %v", err)
			}
			for _, r := range d.Reasons {
				if r.Code == "" || len(r.Message) < 10 {
					t.Errorf("%q says nothing", r)
				}
				if bad := jargon.FindString(r.Message); bad != "" {
					t.Errorf("%q in %q", bad, r.Message)
				}
				if strings.ContainsFunc(r.Message, func(r rune) bool { return r < ' ' }) {
					t.Errorf("%q is no line", r.Message)
				}
				if slices.Contains(before, d.Code) || r.Code == token.CodeUntrustedRoot {
					continue
				}
				after++
				// Whoever had the bytes can have written a block of a bearer token.
				if r.Hop == "" && !d.Bearer {
					t.Errorf("%q names nobody", r)
				}
				if r.Check != "" && (r.Asked == "" || r.Allowed == "") {
					t.Errorf("%q does not say what was asked (%q) and what is allowed (%q)", r, r.Asked, r.Allowed)
				}
			}
		})
	}
	if after < 100 {
		t.Errorf("only %d reasons after the signatures", after)
	}
}
