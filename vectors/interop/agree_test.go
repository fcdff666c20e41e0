package interop_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/vectors/interop"
	"github.com/whittle-auth/whittle/verify"
)

// programs is how many generated programs both implementations decide, in each
// direction.
const programs = 400

// TestWeReadTheReference: of each program the reference makes the token, and
// both implementations decide.
func TestWeReadTheReference(t *testing.T) {
	o := interop.Start(t)
	for _, p := range interop.Programs(2, programs) {
		t.Run(p.Name, func(t *testing.T) {
			made, err := o.Generate(p.Generate())
			if err != nil {
				t.Fatal(err)
			}
			agree(t, o, p, made.Token)
		})
	}
}

// TestTheReferenceReadsUs: the same with tokens of ours.
func TestTheReferenceReadsUs(t *testing.T) {
	o := interop.Start(t)
	for _, p := range interop.Programs(3, programs) {
		t.Run(p.Name, func(t *testing.T) {
			agree(t, o, p, made(t, p).Bytes())
		})
	}
}

// made makes a program's token.
func made(t *testing.T, p interop.Program) token.Chain {
	t.Helper()
	var c token.Chain
	c, err := token.Mint(private(t, interop.RootKey(p.RootAlg).Private), parsed(t, p.Authority), fresh(t, p.AuthorityNextAlg), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range p.Blocks {
		content, next := parsed(t, b.Code), fresh(t, b.NextAlg)
		if b.ThirdPartyKeyIndex < 0 {
			c, err = c.Append(nil, content, next)
		} else {
			third := private(t, interop.ThirdPartyKeys()[b.ThirdPartyKeyIndex].Private)
			contents, signErr := token.SignThirdParty(c.Request(), third, content)
			if signErr != nil {
				t.Fatal(signErr)
			}
			c, err = c.AppendThirdParty(nil, contents, next)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if p.Seal {
		if c, err = c.Seal(nil); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// agree has both implementations decide, and compares all that they say.
func agree(t *testing.T, o *interop.Oracle, p interop.Program, data []byte) {
	t.Helper()
	root := interop.RootKey(p.RootAlg)
	theirs, err := o.Authorize(interop.Authorize{Token: data, RootPublic: root.Public, Authorizer: p.Authorizer})
	if err != nil {
		t.Fatal(err)
	}
	u, err := token.Parse(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := u.Verify(public(t, root.Public))
	if err != nil {
		t.Fatal(err)
	}
	a, err := datalog.ParseAuthorizer(p.Authorizer, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, failed := verify.Authorize(tok, a, &verify.AuthorizeOptions{Externs: map[string]verify.Extern{"test": sampleExtern}})
	encoded, err := json.Marshal(verify.NewReport(out, failed))
	if err != nil {
		t.Fatal(err)
	}
	var ours interop.Decision
	if err := json.Unmarshal(encoded, &ours); err != nil {
		t.Fatal(err)
	}
	if ours.Result.Class != theirs.Result.Class || ours.Result.Policy != theirs.Result.Policy || ours.Result.Code != theirs.Result.Code {
		t.Fatalf("we say %s, the reference %s\n%s", ours.Result.JSON, theirs.Result.JSON, p.Authorizer)
	}
	if !slices.EqualFunc(ours.Result.FailedChecks, theirs.Result.FailedChecks, func(a, b interop.FailedCheck) bool {
		return a.Check == b.Check && (a.Block == nil) == (b.Block == nil) && (a.Block == nil || *a.Block == *b.Block) &&
			(p.Quoted || sameCheck(t, a.Rule, b.Rule))
	}) {
		t.Errorf("we say %s, the reference %s", ours.Result.JSON, theirs.Result.JSON)
	}
	if !slices.EqualFunc(ours.RevocationIDs, theirs.RevocationIDs, func(a, b interop.Hex) bool { return string(a) == string(b) }) {
		t.Errorf("revocation ids %x, the reference has %x", ours.RevocationIDs, theirs.RevocationIDs)
	}
	// Where an evaluation fails, the reference stops at some point or other.
	if ours.Result.Class != interop.Failed && !p.Quoted {
		sameWorld(t, ours.World, theirs.World)
	}
}

// sameWorld compares facts as terms: the reference writes sets in the order of
// its symbol numbers.
func sameWorld(t *testing.T, ours, theirs *interop.World) {
	t.Helper()
	a, b := worldFacts(t, ours), worldFacts(t, theirs)
	if !slices.Equal(a, b) {
		t.Errorf("our world has\n%q\nthat of the reference\n%q", a, b)
	}
}

func worldFacts(t *testing.T, w *interop.World) []string {
	t.Helper()
	if w == nil {
		t.Fatal("no world")
	}
	var all []string
	for _, group := range w.Facts {
		origin, err := json.Marshal(group.Origin)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range group.Facts {
			all = append(all, string(origin)+" "+reprinted(t, f))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func sameCheck(t *testing.T, a, b string) bool {
	t.Helper()
	ca, err := datalog.ParseCheck(a, nil)
	if err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	cb, err := datalog.ParseCheck(b, nil)
	if err != nil {
		return a == b // the reference prints some things that nobody can read
	}
	return ca.Equal(cb)
}

func reprinted(t *testing.T, fact string) string {
	t.Helper()
	f, err := datalog.ParseFact(fact, nil)
	if err != nil {
		t.Fatalf("%s: %v", fact, err)
	}
	return f.String()
}

func parsed(t *testing.T, source string) *datalog.Block {
	t.Helper()
	b, err := datalog.ParseBlock(source, nil)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return b
}

func private(t *testing.T, text string) token.PrivateKey {
	t.Helper()
	k, err := token.ParsePrivateKey([]byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func public(t *testing.T, text string) token.PublicKey {
	t.Helper()
	k, err := token.ParsePublicKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func fresh(t *testing.T, alg datalog.Algorithm) token.Next {
	t.Helper()
	next, err := token.FreshKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// sampleExtern is the function that the official samples and the programs call.
func sampleExtern(left, right datalog.Term) (datalog.Term, error) {
	if right == nil {
		return left, nil
	}
	l, ok1 := left.(datalog.String)
	r, ok2 := right.(datalog.String)
	switch {
	case !ok1 || !ok2:
		return nil, errors.New("unsupported operands")
	case l == r:
		return datalog.String("equal strings"), nil
	}
	return datalog.String("different strings"), nil
}
