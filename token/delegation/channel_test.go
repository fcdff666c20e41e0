package delegation

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseChannel(t *testing.T) {
	digits := strings.Repeat("0a", 32)
	for _, kind := range []string{TLSExporter, ClientCertificate} {
		c, err := ParseChannel(kind + ":" + digits)
		if err != nil || c.Kind != kind || c.Value[31] != 0x0a || c.String() != kind+":"+digits {
			t.Errorf("%s: %v, %v", kind, c, err)
		}
	}
	for name, text := range map[string]string{
		"empty":        "",
		"no kind":      ":" + digits,
		"no digits":    "tls-exporter:",
		"no colon":     "tls-exporter" + digits,
		"another kind": "tls-unique:" + digits,
		"upper case":   "tls-exporter:" + strings.ToUpper(digits),
		"kind in caps": "TLS-exporter:" + digits,
		"31 bytes":     "tls-exporter:" + digits[2:],
		"33 bytes":     "tls-exporter:" + digits + "0a",
		"no hex":       "tls-exporter:" + strings.Repeat("0g", 32),
		"a blank":      "tls-exporter: " + digits,
		"all zero":     "tls-exporter:" + strings.Repeat("00", 32),
	} {
		if c, err := ParseChannel(text); err == nil {
			t.Errorf("%s: %v", name, c)
		}
	}
}

// TestChannelCheckReadsBack: what is written is read as it was, and nothing else is.
func TestChannelCheckReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Channel{Kind: rapid.SampledFrom([]string{TLSExporter, ClientCertificate}).Draw(t, "kind")}
		copy(c.Value[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "value"))
		c.Value[0] |= 1
		got, ok := readChannel(c.check())
		if !ok || got != c {
			t.Errorf("%v is read as %v, %v", c, got, ok)
		}
		var inv Invocation
		v := Invocation{Channel: c, Audience: "svc", NotBefore: 1, Expires: 2}
		if !inv.readChecks(v.checks()) || inv.Channel != c || !inv.IsSession() || inv.Request != (Digest{}) {
			t.Errorf("%+v", inv)
		}
	})
}

func TestChannelOf(t *testing.T) {
	for name, cs := range map[string]*tls.ConnectionState{
		"none":            nil,
		"no handshake":    {Version: tls.VersionTLS13},
		"TLS 1.1":         {Version: tls.VersionTLS11, HandshakeComplete: true},
		"made by hand":    {Version: tls.VersionTLS13, HandshakeComplete: true},
		"empty for proxy": {},
	} {
		if c, err := ExporterChannel(cs); err == nil {
			t.Errorf("exporter, %s: %v", name, c)
		}
		if c, err := ClientChannel(cs); err == nil {
			t.Errorf("certificate, %s: %v", name, c)
		}
	}
	for name, leaf := range map[string]*x509.Certificate{"none": nil, "empty": {}} {
		if c, err := CertificateChannel(leaf); err == nil {
			t.Errorf("%s: %v", name, c)
		}
	}
	leaf := &x509.Certificate{Raw: []byte("DER")}
	cs := &tls.ConnectionState{HandshakeComplete: true, PeerCertificates: []*x509.Certificate{leaf, {Raw: []byte("CA")}}}
	want := Channel{ClientCertificate, sha256.Sum256([]byte("DER"))}
	if c, err := ClientChannel(cs); err != nil || c != want {
		t.Errorf("%v, %v", c, err)
	}
}

func FuzzParseChannel(f *testing.F) {
	f.Add("tls-exporter:" + strings.Repeat("0a", 32))
	f.Add("client-cert:")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseChannel(text); err == nil && c.String() != text {
			t.Errorf("%q is printed as %q", text, c)
		}
	})
}
