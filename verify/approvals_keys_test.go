package verify_test

import (
	"crypto/elliptic"
	"errors"
	"math/big"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify"
)

// Biscuit GHSA-rgqv-mwc3-c78m: keys that travel with a third party's block, or with
// the request for it, must not change what trusting means in other blocks.
func TestThirdPartyKeyConfusion(t *testing.T) {
	held := needing(t, 1, bob)
	// The block brings a table of its own in which the first key, Bob's number in
	// the token, is Mallory's.
	content := approval(t, held, rotate)
	confusing := *content
	confusing.Scopes = []datalog.Scope{{Kind: datalog.ScopeKey, Key: mallory.Public().Datalog()}}
	c := approve(t, held, mallory, &confusing)
	if keys := c.Blocks()[1].Keys; len(keys) != 1 || keys[0] != mallory.Public().Datalog() {
		t.Fatalf("the block's own table is %v", keys)
	}
	expect(t, present(t, c, ci, rotate, nil).Text(), rotate, token.CodeProfile)
	a := allowAll(t)
	if _, err := verify.Authorize(c.(*token.Token), a, nil); verify.CodeOf(err) != token.CodeCheckFailed {
		t.Errorf("as a plain Biscuit: %v", err)
	}
	// A request in the form of before 3.3, which carries keys, is not answered.
	legacy := []byte{0x12, 0x24, 0x08, 0x00, 0x12, 0x20} // publicKeys = 2
	legacy = append(legacy, mallory.Public().Bytes()...)
	for _, hostile := range [][]byte{legacy, append(legacy, held.Request()...)} {
		if _, err := token.SignThirdParty(hostile, bob, content); verify.CodeOf(err) != token.CodeUnsupported {
			t.Errorf("answered: %v", err)
		}
	}
	// Keys that first-party blocks name later are numbered as if it were not there.
	d := approvedBy(t, needing(t, 1, bob), bob)
	d = add(t, d, ci, approvalChecks(t, 1, dave), token.HeldBy(ci.Public()))
	expect(t, present(t, d, ci, rotate, nil).Text(), rotate, token.CodeCheckFailed)
	expect(t, present(t, approvedBy(t, d, dave), ci, rotate, nil).Text(), rotate, "")
}

// allowAll is a service that leaves the decision to the token's checks.
func allowAll(t *testing.T) *datalog.Authorizer {
	t.Helper()
	a, err := datalog.ParseAuthorizer(`allow if true;`, nil)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := rotate.Check()
	if err != nil {
		t.Fatal(err)
	}
	action, err := checked.ActionDigest()
	if err != nil {
		t.Fatal(err)
	}
	a.Facts = append(checked.Facts(),
		datalog.Predicate{Name: "time", Terms: []datalog.Term{datalog.Date(now.Unix())}},
		datalog.Predicate{Name: "action", Terms: []datalog.Term{datalog.Bytes(action[:])}})
	return a
}

// Approvers may have P-256 keys. Of their two signatures one counts.
func TestApproverWithP256(t *testing.T) {
	approver := keyOf(datalog.Secp256r1, "bob")
	held := needing(t, 1, approver)
	expect(t, present(t, approvedBy(t, held, approver), ci, rotate, nil).Text(), rotate, "")
	c := approve(t, held, highS{approver}, approval(t, held, rotate))
	if token.IsLowS(c.Blocks()[1].ExternalSignature) {
		t.Fatal("the signature is low-S")
	}
	expect(t, present(t, c, ci, rotate, nil).Text(), rotate, token.CodeProfile)
}

// TestOneSignatureForTwoApprovals: with a root key made so that its signature fits a
// narrow and a wide block 0, an approval of the narrow token verifies on the wide
// one. It says itself for which it was given.
func TestOneSignatureForTwoApprovals(t *testing.T) {
	wide := good + approvalChecks(t, 1, bob)
	narrow := strings.ReplaceAll(wide, "payments", "paymentz")
	root := oneForBoth(t, message(t, narrow), message(t, wide))
	narrowToken := mintFor(t, root, narrow, token.HeldBy(ci.Public()))
	wideToken := mintFor(t, root, wide, token.HeldBy(ci.Public()))
	contents, err := token.SignThirdParty(narrowToken.Request(), bob, approval(t, narrowToken, rotate))
	if err != nil {
		t.Fatal(err)
	}
	c, err := wideToken.AppendThirdParty(ci, contents, token.SameNext(wideToken))
	if err != nil {
		t.Fatalf("the signatures should all verify: %v", err)
	}
	v := verifierFor(t, root.public, "alice@example.com")
	if code := decideWith(t, v, present(t, c, ci, rotate, nil).Text(), rotate); code != token.CodeProfile {
		t.Errorf("%q", code)
	}
	if code := decideWith(t, v, present(t, approvedBy(t, wideToken, bob), ci, rotate, nil).Text(), rotate); code != "" {
		t.Errorf("approved for itself: %q", code)
	}
}

// highS signs with the other of the two values of s.
type highS struct{ token.PrivateKey }

func (h highS) Sign(message []byte) ([]byte, error) {
	signature, err := h.PrivateKey.Sign(message)
	if err != nil {
		return nil, err
	}
	var inner cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	in := cryptobyte.String(signature)
	if !in.ReadASN1(&inner, asn1.SEQUENCE) || !inner.ReadASN1Integer(r) || !inner.ReadASN1Integer(s) {
		return nil, errors.New("no signature")
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s.Sub(elliptic.P256().Params().N, s))
	})
	return b.Bytes()
}
