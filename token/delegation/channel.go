package delegation

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// Kinds of a [Channel].
const (
	TLSExporter       = "tls-exporter" // RFC 9266
	ClientCertificate = "client-cert"  // SHA-256 over the DER of the client's certificate
)

// A Channel names the connection that a session is bound to: what both of its
// ends, and nobody else, can compute of it. The kind is part of it, so that a
// value of one kind never stands for one of the other. The zero value is no
// channel.
type Channel struct {
	Kind  string // TLSExporter or ClientCertificate
	Value [32]byte
}

// exporterLabel is that of RFC 9266, section 2, where the context is a string of
// length zero.
const exporterLabel = "EXPORTER-Channel-Binding"

// ExporterChannel returns the channel of one TLS connection, at either end of it.
// The connection must be TLS 1.3, or TLS 1.2 with an extended master secret, and
// its handshake complete. A new connection is another channel, also one that
// resumes an earlier session.
//
// Whoever the connection is shared with shares the channel. At a service it must be
// the connection that the agent itself made: behind a proxy that ends TLS, all that
// the proxy forwards seems to come from one connection, so there no channel may be
// stated.
func ExporterChannel(cs *tls.ConnectionState) (Channel, error) {
	if cs == nil || !cs.HandshakeComplete {
		return Channel{}, fmt.Errorf("there is no TLS connection whose handshake is complete")
	}
	if cs.Version < tls.VersionTLS12 {
		return Channel{}, fmt.Errorf("TLS below version 1.2 binds nothing")
	}
	value, err := exported(cs)
	if err != nil {
		return Channel{}, fmt.Errorf("the connection has no exporter: %w", err)
	}
	return newChannel(TLSExporter, [32]byte(value))
}

// exported asks the connection. A state that is filled in by hand, as frameworks do
// for connections that a proxy ended, has no exporter and makes crypto/tls panic.
func exported(cs *tls.ConnectionState) (value []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("its state was not made by crypto/tls")
		}
	}()
	return cs.ExportKeyingMaterial(exporterLabel, []byte{}, sha256.Size)
}

// ClientChannel returns the channel of the certificate that the client of a TLS
// connection has shown, at the service's end. TLS makes sure that the client has
// its key, whether the service trusts the certificate or not. The agent computes
// the same with [CertificateChannel].
func ClientChannel(cs *tls.ConnectionState) (Channel, error) {
	if cs == nil || !cs.HandshakeComplete {
		return Channel{}, fmt.Errorf("there is no TLS connection whose handshake is complete")
	}
	if len(cs.PeerCertificates) == 0 {
		return Channel{}, fmt.Errorf("the client has shown no certificate")
	}
	return CertificateChannel(cs.PeerCertificates[0])
}

// CertificateChannel returns the channel of a client certificate: every connection
// that is made with it.
func CertificateChannel(leaf *x509.Certificate) (Channel, error) {
	if leaf == nil || len(leaf.Raw) == 0 {
		return Channel{}, fmt.Errorf("there is no certificate")
	}
	return newChannel(ClientCertificate, sha256.Sum256(leaf.Raw))
}

func newChannel(kind string, value [32]byte) (Channel, error) {
	c := Channel{kind, value}
	return c, c.Validate()
}

// ParseChannel reads the text form: the kind, a colon, and 64 hexadecimal digits
// in lower case.
func ParseChannel(text string) (Channel, error) {
	kind, digits, _ := strings.Cut(text, ":")
	value, err := hex.DecodeString(digits)
	if err != nil || len(value) != 32 || hex.EncodeToString(value) != digits {
		return Channel{}, fmt.Errorf("a channel is written %s:HEX or %s:HEX, with 64 digits in lower case", TLSExporter, ClientCertificate)
	}
	return newChannel(kind, [32]byte(value))
}

// String returns the text form, empty for no channel.
func (c Channel) String() string {
	if c == (Channel{}) {
		return ""
	}
	return c.Kind + ":" + hex.EncodeToString(c.Value[:])
}

// Validate refuses kinds that are not known, and a value that is all zero, which is
// what forgetting to fill it in looks like.
func (c Channel) Validate() error {
	if c.Kind != TLSExporter && c.Kind != ClientCertificate {
		return fmt.Errorf("a channel is of the kind %s or %s, not %q", TLSExporter, ClientCertificate, c.Kind)
	}
	if bytes.Equal(c.Value[:], make([]byte, len(c.Value))) {
		return fmt.Errorf("the channel has no value")
	}
	return nil
}

// Fact returns what a verifier states of the channel: channel(kind, bytes).
func (c Channel) Fact() datalog.Predicate {
	return fact("channel", datalog.String(c.Kind), datalog.Bytes(c.Value[:]))
}

// check returns `check all channel("tls-exporter", $c), $c == hex:..`. The kind is
// part of the pattern, so that a channel of the other kind matches nothing.
func (c Channel) check() datalog.Check {
	check := checkAll("channel", "c", compare(datalog.OpEqual, "c", datalog.Bytes(c.Value[:])))
	check.Queries[0].Body[0].Terms = []datalog.Term{datalog.String(c.Kind), datalog.Variable("c")}
	return check
}

// readChannel finds the values in a check that [Channel.check] may have written.
func readChannel(check datalog.Check) (c Channel, ok bool) {
	name, guard := guardOf(check)
	if name != "channel" || len(check.Queries[0].Body[0].Terms) != 2 {
		return Channel{}, false
	}
	kind, _ := check.Queries[0].Body[0].Terms[0].(datalog.String)
	_, term := comparison(guard)
	value, _ := term.(datalog.Bytes)
	if len(value) != len(c.Value) {
		return Channel{}, false
	}
	c = Channel{string(kind), [32]byte([]byte(value))}
	return c, c.Validate() == nil
}
