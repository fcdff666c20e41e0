package httpauth

import (
	"bytes"
	"net/http"

	"github.com/whittle-auth/whittle/token/delegation"
)

// What follows is for whoever decides about a request that came in elsewhere, such as
// package gateway does for a proxy. Services use [Protect].

// Credential returns the text of the one token that came with a request: see
// spec/http.md, section Credential. The error says what a client is to be told
// ([RefusalOf]).
func Credential(h http.Header) (string, error) { return credential(h) }

// Request returns what a request asks for by its method, URL and headers, and by a
// body that has been read already. r.Body is not touched. A request that the mapping
// refuses is an error.
func (m *Mapping) Request(r *http.Request, body []byte) (*delegation.Request, error) {
	return m.request(r, body)
}

var emptyDigest = digest(nil)

// RequestByDigest is [Mapping.Request] for a body that is known by its SHA-256 digest
// only. No digest, and that of the empty body, are those of a request without a body. A
// route that reads fields out of the body refuses any other: its digest is not what
// agents sign.
func (m *Mapping) RequestByDigest(r *http.Request, sum []byte) (*delegation.Request, error) {
	c, req, err := m.head(r)
	if err != nil || sum == nil || bytes.Equal(sum, emptyDigest) {
		return req, err
	}
	if c.Fields != nil {
		return nil, errFieldsUnseen
	}
	return req, c.digested(r.Header, sum, req)
}
