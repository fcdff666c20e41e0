package vectors_test

import (
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/vectors"
	"github.com/whittle-auth/whittle/vectors/interop"
)

// TestReferenceRefusesMLDSA: an implementation that knows no ML-DSA refuses such a
// root key when it is told to trust it, refuses the tokens under any key that it
// knows, and refuses tokens that name such a key while decoding. The others it can
// read, since nothing in them is new.
func TestReferenceRefusesMLDSA(t *testing.T) {
	oracle := interop.Start(t)
	const anyKey = "ed25519/d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
	cases, err := vectors.MLDSA()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		whole, ok := decodeText(c.Token)
		if !ok {
			t.Fatalf("%s: no token", c.Name)
		}
		token := whole.bytes
		for _, root := range []string{"mldsa44/" + strings.Repeat("01", 1312), "mldsa65/" + strings.Repeat("01", 1952)} {
			d, err := oracle.Authorize(interop.Authorize{Token: token, RootPublic: root, Authorizer: "allow if true"})
			if err == nil && d.Result.Class != interop.Failed {
				t.Errorf("%s under %.8s: %s", c.Name, root, d.Result.JSON)
			}
		}
		d, err := oracle.Authorize(interop.Authorize{Token: token, RootPublic: anyKey, Authorizer: "allow if true"})
		if err != nil || d.Result.Class != interop.Failed || len(d.Blocks) > 0 {
			t.Errorf("%s: %v, %s", c.Name, err, d.Result.JSON)
		}
		_, err = oracle.InspectUnverified(token)
		if named := c.Expect.Code == "unsupported"; named != (err != nil) || named && !strings.Contains(err.Error(), "2308") {
			t.Errorf("%s: read without verification: %v", c.Name, err)
		}
	}
}
