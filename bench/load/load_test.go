package main

import (
	"bufio"
	"crypto/ed25519"
	"encoding/hex"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestSend: what is sent is decided on by either side, and what is denied is counted.
func TestSend(t *testing.T) {
	c, err := newCaller()
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range []string{whittle, jwts} {
		handler, look, err := (&order{
			Side: side, Trust: issuer + ` namespaces="whittle" ` + c.root.Public().AuthorizedKey(""),
			Key: hex.EncodeToString(c.jwtKey.Public().(ed25519.PublicKey)),
		}).handler()
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(handler)
		defer server.Close()
		address := strings.TrimPrefix(server.URL, "http://")
		const n = 50
		tokens, again := slices.Repeat([]string{c.jwtText}, n), 0
		if side == whittle {
			if tokens, err = c.invocations(n); err != nil {
				t.Fatal(err)
			}
			again = n // denied
		}
		for i, denied := range []int{0, again} {
			sent, err := send(address, tokens)
			if err != nil {
				t.Fatal(err)
			}
			if sent.requests != n || sent.denied[401] != denied || sent.took <= 0 || slices.Min(sent.each) <= 0 {
				t.Errorf("%s, time %d: %+v, want %d denied", side, i, sent, denied)
			}
		}
		var s state
		if look(&s); side == whittle && s.Used != n {
			t.Errorf("%d uses are remembered", s.Used)
		}
	}
}

func TestStatus(t *testing.T) {
	for text, want := range map[string]int{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nok":         200,
		"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n":         401,
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok":                 0, // cut off
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 0,
		"HTTP/1.1 2":    0,
		"SSH-2.0-x\r\n": 0,
	} {
		got, err := status(bufio.NewReader(strings.NewReader(text)))
		if (err == nil) != (want != 0) || err == nil && got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}
