package agentkey

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

var kinds = []datalog.Algorithm{datalog.Ed25519, datalog.Secp256r1}

func newKey(t testing.TB, alg datalog.Algorithm) token.PrivateKey {
	t.Helper()
	k, err := token.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// raw returns the key as package crypto has it.
func raw(t testing.TB, k token.PrivateKey) any {
	t.Helper()
	file, err := k.MarshalOpenSSH("", nil)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ssh.ParseRawPrivateKey(file)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// serving returns an Agent whose questions the function answers, each on a
// connection of its own.
func serving(t testing.TB, serve func(net.Conn)) *Agent {
	t.Helper()
	return &Agent{Dial: func() (net.Conn, error) {
		ours, theirs := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer theirs.Close()
			serve(theirs)
		}()
		t.Cleanup(func() { ours.Close(); <-done })
		return ours, nil
	}}
}

// keyring returns an Agent with the keys in it.
func keyring(t testing.TB, keys ...agent.AddedKey) *Agent {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		if err := ring.Add(k); err != nil {
			t.Fatal(err)
		}
	}
	return serving(t, func(c net.Conn) { _ = agent.ServeAgent(ring, c) })
}

func TestSigner(t *testing.T) {
	for _, alg := range kinds {
		k := newKey(t, alg)
		s, err := keyring(t, agent.AddedKey{PrivateKey: raw(t, newKey(t, alg))}, agent.AddedKey{PrivateKey: raw(t, k)}).Signer(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		if s.Public() != k.Public() {
			t.Errorf("%s: the public key is %s", alg, s.Public())
		}
		// ECDSA in an agent is random, so that half of the signatures have a high s
		// and some an r or s with a leading zero.
		for i := range 64 {
			message := bytes.Repeat([]byte{byte(i)}, i)
			sig, err := s.Sign(message)
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Public().Verify(message, sig); err != nil {
				t.Fatalf("%s: %v", alg, err)
			}
			if alg == datalog.Secp256r1 && !token.IsLowS(sig) {
				t.Fatal("high s")
			}
		}
	}
}

// A token is minted and handed on with keys that only agents hold.
func TestTokens(t *testing.T) {
	for _, alg := range kinds {
		root, holder := newKey(t, alg), newKey(t, alg)
		a := keyring(t, agent.AddedKey{PrivateKey: raw(t, root)}, agent.AddedKey{PrivateKey: raw(t, holder)})
		rootSigner, err := a.Signer(root.Public())
		if err != nil {
			t.Fatal(err)
		}
		holderSigner, err := a.Signer(holder.Public())
		if err != nil {
			t.Fatal(err)
		}
		minted, err := token.Mint(rootSigner, &datalog.Block{}, token.HeldBy(holder.Public()), nil)
		if err != nil {
			t.Fatal(err)
		}
		longer, err := minted.Append(holderSigner, &datalog.Block{}, token.HeldBy(newKey(t, alg).Public()))
		if err != nil {
			t.Fatal(err)
		}
		u, err := token.Parse(longer.Bytes(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Verify(root.Public()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNoKey(t *testing.T) {
	mine, other := newKey(t, datalog.Ed25519), newKey(t, datalog.Ed25519)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := ssh.NewSignerFromKey(raw(t, other))
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(raw(t, mine).(interface{ Public() crypto.PublicKey }).Public())
	if err != nil {
		t.Fatal(err)
	}
	certificate := &ssh.Certificate{Key: public, CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
	if err := certificate.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		agent *Agent
		want  string
	}{
		"empty":       {keyring(t), mine.Public().Fingerprint()},
		"others":      {keyring(t, agent.AddedKey{PrivateKey: raw(t, other)}, agent.AddedKey{PrivateKey: rsaKey}), mine.Public().Fingerprint()},
		"certificate": {keyring(t, agent.AddedKey{PrivateKey: raw(t, mine), Certificate: certificate}), "only a certificate"},
	} {
		s, err := c.agent.Signer(mine.Public())
		if s != nil || !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	for _, k := range []token.PublicKey{{}, newKey(t, datalog.MLDSA44).Public()} {
		if s, err := keyring(t).Signer(k); s != nil || err == nil || errors.Is(err, ErrNoKey) {
			t.Errorf("%s: %v, %v", k.Brief(), s, err)
		}
	}
}

func TestNoAgent(t *testing.T) {
	if a, err := Open(""); a != nil || !errors.Is(err, ErrNoAgent) {
		t.Errorf("%v, %v", a, err)
	}
	a, err := Open(filepath.Join(t.TempDir(), "none"))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := a.Signer(newKey(t, datalog.Ed25519).Public()); s != nil || !errors.Is(err, ErrNoAgent) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, %v", s, err)
	}
}

// A key that leaves the agent stops signing.
func TestKeyRemoved(t *testing.T) {
	k := newKey(t, datalog.Ed25519)
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: raw(t, k)}); err != nil {
		t.Fatal(err)
	}
	s, err := serving(t, func(c net.Conn) { _ = agent.ServeAgent(ring, c) }).Signer(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.RemoveAll(); err != nil {
		t.Fatal(err)
	}
	if sig, err := s.Sign([]byte("m")); sig != nil || err == nil {
		t.Errorf("%x, %v", sig, err)
	}
}

// hostile is an agent that holds a key and signs as the function says.
type hostile struct {
	agent.Agent
	sign func(key ssh.PublicKey, data []byte) (*ssh.Signature, error)
}

func (h hostile) Sign(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	return h.sign(key, data)
}

// Whatever an agent answers, only a signature that verifies is returned.
func TestHostileSignatures(t *testing.T) {
	message := []byte("a block")
	p256 := elliptic.P256().Params().N
	mpints := func(n ...*big.Int) []byte {
		var out []byte
		for _, v := range n {
			out = append(out, ssh.Marshal(struct{ V *big.Int }{v})...)
		}
		return out
	}
	for name, c := range map[string]struct {
		alg    datalog.Algorithm
		change func(honest *ssh.Signature)
	}{
		"Ed25519, flipped bit":      {datalog.Ed25519, func(s *ssh.Signature) { s.Blob[40] ^= 1 }},
		"Ed25519, cut":              {datalog.Ed25519, func(s *ssh.Signature) { s.Blob = s.Blob[:63] }},
		"Ed25519, longer":           {datalog.Ed25519, func(s *ssh.Signature) { s.Blob = append(s.Blob, 0) }},
		"Ed25519, empty":            {datalog.Ed25519, func(s *ssh.Signature) { s.Blob = nil }},
		"Ed25519, zeros":            {datalog.Ed25519, func(s *ssh.Signature) { clear(s.Blob) }},
		"Ed25519, as a FIDO key":    {datalog.Ed25519, func(s *ssh.Signature) { s.Format = ssh.KeyAlgoSKED25519; s.Rest = make([]byte, 5) }},
		"Ed25519, something behind": {datalog.Ed25519, func(s *ssh.Signature) { s.Rest = []byte{0} }},
		"Ed25519, named RSA":        {datalog.Ed25519, func(s *ssh.Signature) { s.Format = ssh.KeyAlgoRSASHA512 }},
		"P-256, flipped bit":        {datalog.Secp256r1, func(s *ssh.Signature) { s.Blob[20] ^= 1 }},
		"P-256, one integer":        {datalog.Secp256r1, func(s *ssh.Signature) { s.Blob = mpints(big.NewInt(5)) }},
		"P-256, three integers":     {datalog.Secp256r1, func(s *ssh.Signature) { s.Blob = append(s.Blob, mpints(big.NewInt(5))...) }},
		"P-256, zeros":              {datalog.Secp256r1, func(s *ssh.Signature) { s.Blob = mpints(new(big.Int), new(big.Int)) }},
		"P-256, negative":           {datalog.Secp256r1, func(s *ssh.Signature) { s.Blob = mpints(big.NewInt(-1), big.NewInt(-1)) }},
		"P-256, r and s of n":       {datalog.Secp256r1, func(s *ssh.Signature) { s.Blob = mpints(p256, p256) }},
		"P-256, huge":               {datalog.Secp256r1, func(s *ssh.Signature) { s.Blob = mpints(new(big.Int).Lsh(p256, 9999), big.NewInt(1)) }},
		"P-256, DER":                {datalog.Secp256r1, func(s *ssh.Signature) { s.Blob = derOf(t, s.Blob) }},
		"P-256, as P-384":           {datalog.Secp256r1, func(s *ssh.Signature) { s.Format = ssh.KeyAlgoECDSA384 }},
		"P-256, something behind":   {datalog.Secp256r1, func(s *ssh.Signature) { s.Rest = []byte("more") }},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKey(t, c.alg)
			ring := agent.NewKeyring()
			if err := ring.Add(agent.AddedKey{PrivateKey: raw(t, k)}); err != nil {
				t.Fatal(err)
			}
			changes := false
			h := hostile{ring, func(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
				s, err := ring.Sign(key, data)
				if err == nil && changes {
					c.change(s)
				}
				return s, err
			}}
			s, err := serving(t, func(conn net.Conn) { _ = agent.ServeAgent(h, conn) }).Signer(k.Public())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Sign(message); err != nil {
				t.Fatalf("the honest answer: %v", err)
			}
			changes = true
			if sig, err := s.Sign(message); sig != nil || err == nil {
				t.Fatalf("signed %x, %v", sig, err)
			}
		})
	}

	// A signature of another key, and one of another message.
	k, other := newKey(t, datalog.Ed25519), newKey(t, datalog.Ed25519)
	for name, signature := range map[string]func() ([]byte, error){
		"another key":     func() ([]byte, error) { return other.Sign(message) },
		"another message": func() ([]byte, error) { return k.Sign([]byte("another block")) },
	} {
		ring := agent.NewKeyring()
		if err := ring.Add(agent.AddedKey{PrivateKey: raw(t, k)}); err != nil {
			t.Fatal(err)
		}
		h := hostile{ring, func(ssh.PublicKey, []byte) (*ssh.Signature, error) {
			blob, err := signature()
			return &ssh.Signature{Format: ssh.KeyAlgoED25519, Blob: blob}, err
		}}
		s, err := serving(t, func(conn net.Conn) { _ = agent.ServeAgent(h, conn) }).Signer(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		if sig, err := s.Sign(message); sig != nil || err == nil {
			t.Errorf("%s: signed %x, %v", name, sig, err)
		}
	}
}

func derOf(t *testing.T, blob []byte) []byte {
	var sig struct{ R, S *big.Int }
	if err := ssh.Unmarshal(blob, &sig); err != nil {
		t.Fatal(err)
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1BigInt(sig.R); b.AddASN1BigInt(sig.S) })
	return b.BytesOrPanic()
}

// What is no answer of the protocol is an error, and a huge one is not read.
func TestHostileAnswers(t *testing.T) {
	frame := func(size uint32, body ...byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, size), body...)
	}
	keys := func(n uint32, body ...byte) []byte {
		body = append(binary.BigEndian.AppendUint32([]byte{12}, n), body...)
		return frame(uint32(len(body)), body...)
	}
	for name, c := range map[string]struct {
		answer []byte
		want   string
	}{
		"nothing":             {nil, "EOF"},
		"cut length":          {[]byte{0, 0}, "EOF"},
		"cut answer":          {frame(100, 12), "EOF"},
		"empty answer":        {frame(0), "ssh-agent"},
		"failure":             {frame(1, 5), "failed"},
		"unknown message":     {frame(1, 99), "ssh-agent"},
		"another answer":      {frame(1, 6), "unexpected"},
		"one byte too many":   {frame(maxReply+1, make([]byte, maxReply+1)...), "at most"},
		"huge":                {frame(1<<32 - 1), "at most"},
		"as much as is read":  {append(frame(maxReply), make([]byte, maxReply)...), "ssh-agent"},
		"two billion keys":    {keys(1<<31 - 1), "too many"},
		"a million keys":      {keys(1 << 20), "ssh-agent"},
		"a key without a key": {keys(1, 0, 0, 0, 9), "ssh-agent"},
		"text":                {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			a := serving(t, func(conn net.Conn) {
				question := make([]byte, 5)
				if _, err := io.ReadFull(conn, question); err == nil {
					_, _ = conn.Write(c.answer)
				}
			})
			s, err := a.Signer(newKey(t, datalog.Ed25519).Public())
			if s != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, %v: want an error with %q", s, err, c.want)
			}
		})
	}
}

// stuck is a connection to an agent that reads nothing, or answers nothing. It
// stands still until its deadline, of which the test does not wait for the end.
type stuck struct {
	net.Conn
	deaf     bool
	deadline time.Time
}

func (s *stuck) SetDeadline(t time.Time) error { s.deadline = t; return nil }
func (s *stuck) Close() error                  { return nil }

func (s *stuck) Write(p []byte) (int, error) {
	if s.deaf {
		return 0, s.wait()
	}
	return len(p), nil
}

func (s *stuck) Read([]byte) (int, error) { return 0, s.wait() }

func (s *stuck) wait() error {
	if s.deadline.IsZero() {
		return errors.New("it hangs for ever")
	}
	return os.ErrDeadlineExceeded
}

// An agent that hangs is given up: when it lists and when it signs.
func TestHangingAgent(t *testing.T) {
	k := newKey(t, datalog.Ed25519)
	honest := keyring(t, agent.AddedKey{PrivateKey: raw(t, k)})
	for _, deaf := range []bool{false, true} {
		hanging := func() (net.Conn, error) { return &stuck{deaf: deaf}, nil }
		if s, err := (&Agent{Dial: hanging}).Signer(k.Public()); s != nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("listing: %v, %v", s, err)
		}
		a := &Agent{Dial: honest.Dial}
		s, err := a.Signer(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		a.Dial = hanging
		if sig, err := s.Sign([]byte("m")); sig != nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("signing: %x, %v", sig, err)
		}
	}

	// With a real connection and the shortest of times.
	silent := serving(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	silent.Timeout = time.Nanosecond
	if s, err := silent.Signer(k.Public()); s != nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v, %v", s, err)
	}
}

// An answer with many keys is read: people have them.
func TestManyKeys(t *testing.T) {
	k := newKey(t, datalog.Secp256r1)
	var keys []agent.AddedKey
	for range 40 {
		pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, agent.AddedKey{PrivateKey: pair, Comment: strings.Repeat("x", 4000)})
	}
	if _, err := keyring(t, append(keys, agent.AddedKey{PrivateKey: raw(t, k)})...).Signer(k.Public()); err != nil {
		t.Error(err)
	}
}

func FuzzDER(f *testing.F) {
	for _, seed := range [][]byte{
		ssh.Marshal(struct{ R, S *big.Int }{big.NewInt(1), big.NewInt(2)}),
		ssh.Marshal(struct{ R, S *big.Int }{elliptic.P256().Params().N, big.NewInt(-1)}),
		{0, 0, 0, 1, 0x80},
	} {
		f.Add(seed)
	}
	k := newKey(f, datalog.Secp256r1).Public()
	f.Fuzz(func(t *testing.T, blob []byte) {
		sig, err := der(blob)
		if err == nil && k.Verify([]byte("m"), sig) == nil {
			t.Errorf("%x verifies", blob)
		}
	})
}
