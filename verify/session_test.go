package verify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

func exporter(b byte) delegation.Channel {
	return delegation.Channel{Kind: delegation.TLSExporter, Value: [32]byte{b}}
}

func certificate(b byte) delegation.Channel {
	return delegation.Channel{Kind: delegation.ClientCertificate, Value: [32]byte{b}}
}

func on(c delegation.Channel) verify.State { return verify.State{Channel: c} }

// session is CI's session on a channel, by the honest writer.
func session(t tester, c token.Chain, channel delegation.Channel) string {
	t.Helper()
	s, err := attenuate.InvokeSessionAt(c, ci, "svc:certs", channel, now.Add(-delegation.Skew), now.Add(attenuate.SessionWindow))
	if err != nil {
		t.Fatal(err)
	}
	return s.Text()
}

// TestSession: any number of requests, whatever they are as long as the token
// allows them, on the one connection.
func TestSession(t *testing.T) {
	v := verifier(t, nil)
	text := session(t, mint(t, good), exporter(1))
	read := request(func(r *delegation.Request) { r.Operation, r.Args = "read", nil })
	wider := request(func(r *delegation.Request) { r.Operation = "delete" })
	for range 3 {
		for _, req := range []delegation.Request{rotate, read} {
			if code := decideGiven(t, v, text, req, on(exporter(1))); code != "" {
				t.Errorf("on its connection: %q", code)
			}
		}
	}
	for name, c := range map[string]struct {
		text    string
		req     delegation.Request
		channel delegation.Channel
		want    token.Code
	}{
		"beyond the token":                 {text, wider, exporter(1), token.CodeCheckFailed},
		"another connection":               {text, rotate, exporter(2), token.CodeCheckFailed},
		"an unknown connection":            {text, rotate, delegation.Channel{}, token.CodeCheckFailed},
		"a certificate of the same bytes":  {text, rotate, certificate(1), token.CodeCheckFailed},
		"a certificate":                    {session(t, mint(t, good), certificate(1)), rotate, certificate(1), ""},
		"an exporter of the same bytes":    {session(t, mint(t, good), certificate(1)), rotate, exporter(1), token.CodeCheckFailed},
		"an invocation, known connection":  {present(t, mint(t, good), ci, rotate, nil).Text(), rotate, exporter(1), ""},
		"a caveat on the connection":       {present(t, mint(t, good+`check all channel("tls-exporter", $c);`), ci, rotate, nil).Text(), rotate, exporter(1), ""},
		"a caveat on the other kind":       {present(t, mint(t, good+`check all channel("client-cert", $c);`), ci, rotate, nil).Text(), rotate, exporter(1), token.CodeCheckFailed},
		"a caveat on the request":          {session(t, mint(t, good+`check all request($q);`), exporter(1)), rotate, exporter(1), token.CodeCheckFailed},
		"a caveat on the action":           {session(t, mint(t, good+`check all action($q);`), exporter(1)), rotate, exporter(1), ""},
		"for another service":              {sessionFor(t, "svc:other"), rotate, exporter(1), token.CodeAudience},
		"a caveat on the key that invokes": {session(t, mint(t, good+`check all agent_key($k), $k == "`+ci.Public().String()+`";`), exporter(1)), rotate, exporter(1), ""},
	} {
		if code := decideGiven(t, v, c.text, c.req, on(c.channel)); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
}

func sessionFor(t tester, audience string) string {
	t.Helper()
	s, err := attenuate.InvokeSessionAt(mint(t, good), ci, audience, exporter(1), now.Add(-delegation.Skew), now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return s.Text()
}

// TestSessionComparedOutsideTheEngine: with a session that does not fit, Datalog is
// not asked.
func TestSessionComparedOutsideTheEngine(t *testing.T) {
	for _, other := range []delegation.Channel{exporter(2), certificate(1), {}} {
		d, err := verifier(t, nil).VerifyWith(t.Context(), session(t, mint(t, good), exporter(1)), rotate, on(other))
		if err == nil || len(d.Reasons) != 1 || d.Reasons[0].Check != "" {
			t.Errorf("%s: %v", other.Kind, err)
		}
	}
}

// TestSessionWindows: ten minutes, and the skew; expiry and window are looked at
// each time.
func TestSessionWindows(t *testing.T) {
	spanning := func(from, until time.Time) string {
		inv := invocation(t, mint(t, good), rotate)
		inv.Request, inv.Channel = delegation.Digest{}, exporter(1)
		inv.NotBefore, inv.Expires = uint64(from.Unix()), uint64(until.Unix())
		presented, err := mint(t, good).Append(ci, inv.Content(), token.WithSecret(token.InvocationKey()))
		if err != nil {
			t.Fatal(err)
		}
		return presented.Text()
	}
	begin := now.Add(-delegation.Skew)
	for name, c := range map[string]struct {
		text string
		max  time.Duration
		want token.Code
	}{
		"ten minutes":          {spanning(begin, now.Add(10*time.Minute)), 0, ""},
		"a second longer":      {spanning(begin, now.Add(10*time.Minute+time.Second)), 0, token.CodeWindow},
		"empty":                {spanning(now, now), 0, token.CodeWindow},
		"backwards":            {spanning(now.Add(time.Second), now), 0, token.CodeWindow},
		"not yet":              {spanning(now.Add(time.Second), now.Add(time.Minute)), 0, token.CodeWindow},
		"no longer":            {spanning(begin, now), 0, token.CodeWindow},
		"longer than accepted": {spanning(begin, now.Add(2*time.Minute)), time.Minute, token.CodeWindow},
		"as long as accepted":  {spanning(begin, now.Add(time.Minute)), time.Minute, ""},
	} {
		v := verifier(t, func(o *verify.Options) { o.MaxSession = c.max })
		if code := decideGiven(t, v, c.text, rotate, on(exporter(1))); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}

	clock := now
	v := verifier(t, func(o *verify.Options) { o.Now = func() time.Time { return clock } })
	text := session(t, mint(t, good), exporter(1))
	if code := decideGiven(t, v, text, rotate, on(exporter(1))); code != "" {
		t.Fatal(code)
	}
	clock = now.Add(attenuate.SessionWindow)
	if code := decideGiven(t, v, text, rotate, on(exporter(1))); code != token.CodeWindow {
		t.Errorf("after its window: %q", code)
	}
	clock = now.Add(2 * time.Hour)
	if code := decideGiven(t, v, text, rotate, on(exporter(1))); code != token.CodeExpired {
		t.Errorf("after the token's own expiry: %q", code)
	}
}

// TestSessionOfAnotherShape: V8, the session check is exactly the canonical one, and
// stands in the place of the request check, not beside it.
func TestSessionOfAnotherShape(t *testing.T) {
	value := exporter(1).Fact().Terms[1].(datalog.Bytes)
	digits := hex.EncodeToString([]byte(value))
	for name, source := range map[string]string{
		"any connection":     `check all channel("tls-exporter", $c);`,
		"any kind":           `check all channel($k, $c), $c == hex:` + digits + `;`,
		"the kind a guard":   `check all channel($k, $c), $k == "tls-exporter" && $c == hex:` + digits + `;`,
		"unknown kind":       `check all channel("tls-unique", $c), $c == hex:` + digits + `;`,
		"or true":            `check all channel("tls-exporter", $c), $c == hex:` + digits + ` or true;`,
		"lazy or true":       `check all channel("tls-exporter", $c), $c == hex:` + digits + ` || true;`,
		"check if":           `check if channel("tls-exporter", $c), $c == hex:` + digits + `;`,
		"other than":         `check all channel("tls-exporter", $c), $c != hex:` + digits + `;`,
		"31 bytes":           `check all channel("tls-exporter", $c), $c == hex:` + digits[2:] + `;`,
		"all zero":           `check all channel("tls-exporter", $c), $c == hex:` + hex.EncodeToString(make([]byte, 32)) + `;`,
		"a string":           `check all channel("tls-exporter", $c), $c == "` + digits + `";`,
		"another variable":   `check all channel("tls-exporter", $x), $x == hex:` + digits + `;`,
		"the kind as second": `check all channel($c, "tls-exporter"), $c == hex:` + digits + `;`,
		"one term":           `check all channel($c), $c == hex:` + digits + `;`,
	} {
		text := present(t, mint(t, good), ci, rotate, func(b *datalog.Block) { b.Checks[0] = check(t, source) }).Text()
		if code := decideGiven(t, verifier(t, nil), text, rotate, on(exporter(1))); code != token.CodeProfile {
			t.Errorf("%s: %q", name, code)
		}
	}
	canonical := check(t, `check all channel("tls-exporter", $c), $c == hex:`+digits+`;`)
	beside := present(t, mint(t, good), ci, rotate, func(b *datalog.Block) { b.Checks = append(b.Checks, canonical) }).Text()
	if code := decideGiven(t, verifier(t, nil), beside, rotate, on(exporter(1))); code != token.CodeProfile {
		t.Errorf("beside the request: %q", code)
	}
	instead := present(t, mint(t, good), ci, rotate, func(b *datalog.Block) { b.Checks[0] = canonical }).Text()
	if code := decideGiven(t, verifier(t, nil), instead, rotate, on(exporter(1))); code != "" {
		t.Errorf("canonical: %q", code)
	}
	stating := present(t, mint(t, good), ci, rotate, func(b *datalog.Block) {
		b.Checks[0] = canonical
		b.Facts = append(b.Facts, exporter(1).Fact())
	}).Text()
	if code := decideGiven(t, verifier(t, nil), stating, rotate, on(exporter(1))); code != token.CodeProfile {
		t.Errorf("stating its own channel: %q", code)
	}
}

func check(t tester, source string) datalog.Check {
	t.Helper()
	c, err := datalog.ParseCheck(source, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// selfSigned is a certificate that nobody vouches for.
func selfSigned(t *testing.T, name string) tls.Certificate {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: k, Leaf: leaf}
}

// A connection is one TLS connection on the loopback, as each of its ends sees it.
type connection struct{ agent, service tls.ConnectionState }

// connect makes connections one after another, with one client configuration, so
// that a later one may resume an earlier one.
func connect(t *testing.T, version uint16, client tls.Certificate, n int) []connection {
	t.Helper()
	server := selfSigned(t, "svc.example.org")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAnyClientCert, MinVersion: version, MaxVersion: version,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	roots := x509.NewCertPool()
	roots.AddCert(server.Leaf)
	config := &tls.Config{
		Certificates: []tls.Certificate{client}, RootCAs: roots, ServerName: "svc.example.org", ClientSessionCache: tls.NewLRUClientSessionCache(4),
	}
	var all []connection
	for range n {
		type seen struct {
			state tls.ConnectionState
			err   error
		}
		accepted := make(chan seen, 1)
		go func() {
			c, err := listener.Accept()
			if err != nil {
				accepted <- seen{err: err}
				return
			}
			defer c.Close()
			tc := c.(*tls.Conn)
			if err := tc.Handshake(); err != nil {
				accepted <- seen{err: err}
				return
			}
			_, err = tc.Write([]byte("hello")) // carries the ticket to resume with
			accepted <- seen{tc.ConnectionState(), err}
		}()
		raw, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c := tls.Client(raw, config)
		if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		s := <-accepted
		if s.err != nil {
			t.Fatal(s.err)
		}
		all = append(all, connection{c.ConnectionState(), s.state})
		c.Close()
	}
	return all
}

// TestSessionOverTLS: a session made on one connection is of no use on another, be
// it of the same agent with the same certificate, or resumed; the one that is bound
// to the certificate is of use on both, and to nobody with another certificate.
func TestSessionOverTLS(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			own := selfSigned(t, "agent")
			conns := connect(t, version, own, 2)
			stranger := connect(t, version, selfSigned(t, "agent"), 1)[0]
			if !conns[1].agent.DidResume {
				t.Error("the second connection does not resume the first")
			}
			channel := func(of func(*tls.ConnectionState) (delegation.Channel, error), cs *tls.ConnectionState) delegation.Channel {
				t.Helper()
				c, err := of(cs)
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			// RFC 9266, section 2.
			value, err := conns[0].service.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
			if want := channel(delegation.ExporterChannel, &conns[0].agent).Value; err != nil || string(value) != string(want[:]) {
				t.Errorf("the service exports %x (%v), the agent %x", value, err, want)
			}
			v := verifier(t, nil)
			held := mint(t, good)
			text := session(t, held, channel(delegation.ExporterChannel, &conns[0].agent))
			for i, want := range []token.Code{"", token.CodeCheckFailed} {
				if code := decideGiven(t, v, text, rotate, on(channel(delegation.ExporterChannel, &conns[i].service))); code != want {
					t.Errorf("exporter, connection %d: %q, want %q", i, code, want)
				}
			}
			if code := decideGiven(t, v, text, rotate, on(channel(delegation.ClientChannel, &conns[0].service))); code != token.CodeCheckFailed {
				t.Errorf("the certificate in place of the exporter: %q", code)
			}
			bound, err := delegation.CertificateChannel(own.Leaf)
			if err != nil {
				t.Fatal(err)
			}
			text = session(t, held, bound)
			for i := range conns {
				if code := decideGiven(t, v, text, rotate, on(channel(delegation.ClientChannel, &conns[i].service))); code != "" {
					t.Errorf("certificate, connection %d: %q", i, code)
				}
			}
			if code := decideGiven(t, v, text, rotate, on(channel(delegation.ClientChannel, &stranger.service))); code != token.CodeCheckFailed {
				t.Errorf("another certificate: %q", code)
			}
		})
	}
}
