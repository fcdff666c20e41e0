package token

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"

	"filippo.io/edwards25519"
	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/datalog"
)

func numberedKey(t *testing.T, i int) PrivateKey {
	t.Helper()
	seed := sha256.Sum256(fmt.Appendf(nil, "key %d", i))
	k, err := NewPrivateKey(datalog.Ed25519, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestPointTable: the tables multiply, at every width, also at the ends of the
// range of scalars.
func TestPointTable(t *testing.T) {
	p := edwards25519.NewGeneratorPoint()
	p.Add(p, new(edwards25519.Point).Double(p))
	one := edwards25519.NewScalar()
	if _, err := one.SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...)); err != nil {
		t.Fatal(err)
	}
	tables := map[int]*pointTable{}
	for width := 2; width <= 8; width++ {
		tables[width] = newPointTable(p, width)
	}
	check := func(t interface{ Fatalf(string, ...any) }, s *edwards25519.Scalar) {
		want := new(edwards25519.Point).ScalarMult(s, p)
		for width, table := range tables {
			got := edwards25519.NewIdentityPoint()
			table.addMultiple(got, s)
			if got.Equal(want) != 1 {
				t.Fatalf("width %d: a wrong multiple by %x", width, s.Bytes())
			}
		}
	}
	zero := edwards25519.NewScalar()
	check(t, zero)
	check(t, one)
	check(t, edwards25519.NewScalar().Subtract(zero, one))
	rapid.Check(t, func(t *rapid.T) {
		var wide [64]byte
		copy(wide[:], rapid.SliceOfN(rapid.Byte(), 64, 64).Draw(t, "scalar"))
		s, err := edwards25519.NewScalar().SetUniformBytes(wide[:])
		if err != nil {
			t.Fatal(err)
		}
		check(t, s)
	})
}

// TestKeyMemoryAgrees: with and without a table the same signatures pass, also
// damaged ones. The edge cases of public projects go through both by [verifyBytes].
func TestKeyMemoryAgrees(t *testing.T) {
	m := NewKeyMemory(4)
	k := numberedKey(t, 0)
	message := []byte("a message")
	sig, err := k.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	for range oftenEnough + 1 {
		if err := m.Verify(k.Public(), message, sig); err != nil {
			t.Fatal(err)
		}
	}
	if m.tables != 1 {
		t.Fatalf("%d tables after %d signatures of one key", m.tables, oftenEnough+1)
	}
	for i := range len(sig) * 8 {
		damaged := append([]byte{}, sig...)
		damaged[i/8] ^= 1 << (i % 8)
		if m.Verify(k.Public(), message, damaged) == nil {
			t.Errorf("accepted with bit %d turned", i)
		}
	}
	if m.Verify(k.Public(), []byte("another"), sig) == nil || m.Verify(k.Public(), message, sig[:63]) == nil {
		t.Error("accepted another message or a short signature")
	}
	for length := range 101 {
		if length != ed25519.SignatureSize && m.Verify(k.Public(), message, make([]byte, length)) == nil {
			t.Errorf("accepted %d bytes", length)
		}
	}
}

// TestKeyMemoryIsBounded: many keys leave no more tables and no more counts than
// were asked for, and keys that sign nothing leave none.
func TestKeyMemoryIsBounded(t *testing.T) {
	m := NewKeyMemory(2)
	message := []byte("a message")
	for i := range 40 {
		k := numberedKey(t, i)
		sig, err := k.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		for range oftenEnough {
			if err := m.Verify(k.Public(), message, sig); err != nil {
				t.Fatal(err)
			}
			if m.Verify(k.Public(), message, make([]byte, 64)) == nil {
				t.Fatal("accepted zeros")
			}
		}
		if m.tables > 2 || len(m.keys) > 2*watched || m.recent.Len() != len(m.keys) {
			t.Fatalf("%d tables, %d keys, %d in the list", m.tables, len(m.keys), m.recent.Len())
		}
	}
	if m.tables != 2 {
		t.Errorf("%d tables, want 2", m.tables)
	}
	idle := NewKeyMemory(2)
	for range 10 {
		if idle.Verify(numberedKey(t, 0).Public(), message, make([]byte, 64)) == nil {
			t.Fatal("accepted zeros")
		}
	}
	if len(idle.keys) != 0 {
		t.Error("a key that signed nothing is remembered")
	}
	var none *KeyMemory
	if none.Verify(numberedKey(t, 0).Public(), message, make([]byte, 64)) == nil {
		t.Error("no memory accepted zeros")
	}
}

// TestKeyMemoryConcurrently runs under the race detector.
func TestKeyMemoryConcurrently(t *testing.T) {
	m := NewKeyMemory(3)
	message := []byte("a message")
	var wait sync.WaitGroup
	for g := range 4 {
		wait.Go(func() {
			for i := range 60 {
				k := numberedKey(t, (g+i)%5)
				sig, err := k.Sign(message)
				if err != nil || m.Verify(k.Public(), message, sig) != nil {
					t.Errorf("key %d: %v", i, err)
				}
			}
		})
	}
	wait.Wait()
}

func BenchmarkVerify(b *testing.B) {
	seed := sha256.Sum256([]byte("key"))
	k, err := NewPrivateKey(datalog.Ed25519, seed[:])
	if err != nil {
		b.Fatal(err)
	}
	message := make([]byte, 300)
	sig, err := k.Sign(message)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("crypto", func(b *testing.B) {
		for b.Loop() {
			if !ed25519.Verify(ed25519.PublicKey(k.Public().Bytes()), message, sig) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("table", func(b *testing.B) {
		b.ReportAllocs()
		m := NewKeyMemory(1)
		for b.Loop() {
			if err := m.Verify(k.Public(), message, sig); err != nil {
				b.Fatal(err)
			}
		}
	})
}
