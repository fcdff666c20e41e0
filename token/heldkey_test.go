package token

import (
	"errors"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/internal/wire"
)

// TestHeldByNoPoint: the key of a held token's holder has signed nothing yet, and
// has to be a point on its curve all the same.
func TestHeldByNoPoint(t *testing.T) {
	root := newKey(t, datalog.Ed25519)
	payload, err := wire.EncodeBlock(&datalog.Block{}, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	points := 0
	for low := range byte(50) {
		for _, key := range []datalog.Key{
			{Algorithm: datalog.Ed25519, Bytes: string(append([]byte{2 + low}, make([]byte, 31)...))},
			{Algorithm: datalog.Secp256r1, Bytes: string(append(append([]byte{2}, make([]byte, 31)...), low))},
		} {
			signed := wire.SignedBlock{Payload: payload, NextKey: key, Version: 1}
			if signed.Signature, err = root.Sign(blockPayload(nil, &signed, nil)); err != nil {
				t.Fatal(err)
			}
			signed.Message = wire.EncodeSignedBlock(&signed)
			u, err := Parse((&wire.Container{Blocks: []wire.SignedBlock{signed}}).Encode(), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = u.Verify(root.Public())
			_, unrooted := u.VerifyUnrooted()
			if _, bad := PublicKeyFromDatalog(key); bad == nil {
				points++
				if err != nil || unrooted != nil {
					t.Errorf("%s: %v, %v", key, err, unrooted)
				}
				continue
			}
			for _, err := range []error{err, unrooted} {
				if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeMalformed {
					t.Errorf("%s: %v", key, err)
				}
			}
		}
	}
	if points < 10 || points > 90 {
		t.Errorf("%d of 100 keys are points", points)
	}
}
