package verify_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/vectors"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/replay"
)

// TestWireVectors reads and verifies each token of wire.json.
func TestWireVectors(t *testing.T) {
	cases, err := vectors.Wire()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			root, err := token.ParsePublicKey(c.Root)
			if err != nil {
				t.Fatal(err)
			}
			var tok *token.Token
			u, err := token.Parse(c.Token, nil)
			if err == nil {
				tok, err = u.Verify(root)
			}
			if got := codeOf(err); got != c.Expect {
				t.Fatalf("%s: %q (%v), want %q", c.Description, got, err, c.Expect)
			}
			if err != nil {
				return
			}
			for i, want := range c.Source {
				if got := tok.Blocks()[i].Datalog.String(); got != want {
					t.Errorf("block %d prints\n%swant\n%s", i, got, want)
				}
			}
		})
	}
}

func codeOf(err error) string {
	if err == nil {
		return "ok"
	}
	if e, ok := errors.AsType[*token.Error](err); ok {
		return string(e.Code)
	}
	return "no code"
}

// TestDelegationVectors decides each request of delegation.json.
func TestDelegationVectors(t *testing.T) {
	cases, err := vectors.Delegation()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			got := decideGiven(t, vectorVerifier(t, &c, firstStart(t)), c.Token, vectorRequest(&c), vectorState(t, &c))
			if (got == "") != c.Expect.Allowed || c.Expect.Code != "" && string(got) != c.Expect.Code {
				t.Errorf("%s (%s): code %q, want %q", c.Description, c.Rule, got, c.Expect.Code)
			}
		})
	}
}

// TestMLDSAVectors decides each request of mldsa.json.
func TestMLDSAVectors(t *testing.T) {
	cases, err := vectors.MLDSA()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			got := decideWith(t, vectorVerifier(t, &c, firstStart(t)), c.Token, vectorRequest(&c))
			if (got == "") != c.Expect.Allowed || string(got) != c.Expect.Code {
				t.Errorf("%s (%s): code %q, want %q", c.Description, c.Rule, got, c.Expect.Code)
			}
		})
	}
}

// vectorVerifier is the service of a case; without a memory of requests it allows
// replay.
func vectorVerifier(t *testing.T, c *vectors.DelegationCase, store replay.Store) *verify.Verifier {
	t.Helper()
	roots, err := trust.Parse([]byte(c.Trust))
	if err != nil {
		t.Fatal(err)
	}
	o := &verify.Options{
		AllowBearer: c.AllowBearer, Now: func() time.Time { return c.Now }, Replay: store, AllowReplay: store == nil,
	}
	if c.Directory != "" {
		if o.Directory, err = trust.ParseDirectory([]byte(c.Directory)); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range c.TokenFacts {
		f, err := delegation.ParseFactType(text)
		if err != nil {
			t.Fatal(err)
		}
		o.TokenFacts = append(o.TokenFacts, f)
	}
	v, err := verify.New(c.Service, roots, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func vectorRequest(c *vectors.DelegationCase) delegation.Request {
	return delegation.Request{Operation: c.Request.Operation, Resources: c.Request.Resources, Args: c.Request.Args}
}

// vectorState is what the service of a case says besides the request.
func vectorState(t *testing.T, c *vectors.DelegationCase) verify.State {
	t.Helper()
	s := verify.State{Context: c.Context}
	if c.Channel != "" {
		var err error
		if s.Channel, err = delegation.ParseChannel(c.Channel); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range c.Facts {
		p := datalog.Predicate{Name: f.Name}
		for _, v := range f.Terms {
			switch v := v.(type) {
			case string:
				p.Terms = append(p.Terms, datalog.String(v))
			case json.Number:
				n, err := v.Int64()
				if err != nil {
					t.Fatal(err)
				}
				p.Terms = append(p.Terms, datalog.Integer(n))
			default:
				t.Fatalf("a term of type %T", v)
			}
		}
		s.Facts = append(s.Facts, p)
	}
	return s
}

// TestMemoryChangesNoAnswer decides each request of delegation.json again with a
// verifier that has seen it before, and the accepted case that it derives from.
func TestMemoryChangesNoAnswer(t *testing.T) {
	cases, err := vectors.Delegation()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*vectors.DelegationCase{}
	for i := range cases {
		byName[cases[i].Name] = &cases[i]
	}
	known := uint64(0)
	for i := range cases {
		c := &cases[i]
		t.Run(c.Name, func(t *testing.T) {
			v := vectorVerifier(t, c, nil)
			if s := byName[c.Sibling]; s != nil {
				decideGiven(t, v, s.Token, vectorRequest(s), vectorState(t, s))
			}
			for range 4 { // the last times with tables for its keys
				got := decideGiven(t, v, c.Token, vectorRequest(c), vectorState(t, c))
				if (got == "") != c.Expect.Allowed || c.Expect.Code != "" && string(got) != c.Expect.Code {
					t.Errorf("%s (%s): code %q, want %q", c.Description, c.Rule, got, c.Expect.Code)
				}
			}
			known += v.MemoryStats().Hits
		})
	}
	if known < 500 {
		t.Errorf("memory served %d times only", known)
	}
}

// TestContinueReadsTheSame: reading on from each beginning of a chain is reading all
// of it, for every token of delegation.json.
func TestContinueReadsTheSame(t *testing.T) {
	cases, err := vectors.Delegation()
	if err != nil {
		t.Fatal(err)
	}
	continued := 0
	var stranger *delegation.Chain
	for _, c := range cases {
		roots, err := trust.Parse([]byte(c.Trust))
		if err != nil {
			t.Fatal(err)
		}
		u, err := token.ParseText(c.Token, nil)
		if err != nil {
			continue
		}
		tok, err := roots.Verify(u, c.Now)
		if err != nil {
			continue
		}
		want, wantErr := delegation.Read(tok)
		if stranger != nil {
			if got, err := stranger.Continue(tok); !reflect.DeepEqual(got, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("%s: another chain's beginning was taken for its own", c.Name)
			}
		}
		for n := 1; n < len(tok.Blocks()); n++ {
			beginning, err := delegation.Read(tok.First(n))
			if err != nil {
				continue
			}
			continued++
			stranger = beginning
			got, err := beginning.Continue(tok)
			if !reflect.DeepEqual(got, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("%s: after %d blocks read as %+v, %v, in one go as %+v, %v", c.Name, n, got, err, want, wantErr)
			}
		}
	}
	if continued < 100 {
		t.Errorf("only %d chains were continued", continued)
	}
}

// TestDigestVectors computes each digest of digest.json.
func TestDigestVectors(t *testing.T) {
	cases, err := vectors.Digests()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Kind == "prefix" {
			continue // of blocks that are no token; delegation.json covers it with each request
		}
		t.Run(c.Name, func(t *testing.T) {
			if c.Kind != "request" && c.Kind != "action" {
				t.Fatalf("unknown kind %q", c.Kind)
			}
			req := delegation.Request{Operation: c.Operation, Resources: c.Resources, Audience: c.Audience, Args: c.Args, BodyDigest: c.Body}
			checked, err := req.Check()
			if err != nil {
				t.Fatal(err)
			}
			var got delegation.Digest
			if c.Kind == "action" {
				got, err = checked.ActionDigest()
			} else {
				got, err = checked.Digest([32]byte(c.Prefix), c.Nonce)
			}
			if err != nil {
				t.Fatal(err)
			}
			if hex.EncodeToString(got[:]) != hex.EncodeToString(c.Digest) {
				t.Errorf("%s: digest %x, want %x", c.Description, got, []byte(c.Digest))
			}
		})
	}
}
