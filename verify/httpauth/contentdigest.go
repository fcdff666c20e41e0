package httpauth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/whittle-auth/whittle/token"
)

// DecidedDigest is the header in which a gateway tells a service behind it which body
// was decided on, in the form of Content-Digest (RFC 9530). It is always there: a
// request without a body has the digest of the empty one.
const DecidedDigest = "X-Whittle-Content-Digest"

var errFieldsUnseen = errors.New("the route reads fields out of the body, of which only a digest is there")

// ContentDigest returns the value of the header Content-Digest of a body with the given
// SHA-256 digest (RFC 9530, section 2).
func ContentDigest(sum []byte) string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum) + ":"
}

// ParseContentDigest returns the SHA-256 digest in the values of a header of the form
// of Content-Digest, nil where there are none. More than one value, another or a second
// algorithm, parameters, and a second spelling of the same digest are errors, since
// somebody else could read another digest out of them.
func ParseContentDigest(values []string) ([]byte, error) {
	if len(values) == 0 {
		return nil, nil
	}
	text, ok := strings.CutPrefix(values[0], "sha-256=:")
	text, closed := strings.CutSuffix(text, ":")
	sum, err := base64.StdEncoding.Strict().DecodeString(text)
	if len(values) > 1 || !ok || !closed || err != nil || ContentDigest(sum) != values[0] || len(sum) != sha256.Size {
		return nil, fmt.Errorf("a Content-Digest is sha-256=:BASE64: and nothing else")
	}
	return sum, nil
}

// CheckOptions are what a service behind a gateway may want otherwise. The zero value is
// the safe choice.
type CheckOptions struct {
	// MaxBody bounds the bytes of a body, all of which are in memory until the handler
	// returns; zero means 1 MiB.
	MaxBody int64

	// Logger is told why requests are refused; nil means [slog.Default].
	Logger *slog.Logger
}

// CheckContentDigest returns a handler for a service behind a gateway (package gateway),
// whose proxy does not show it the body: only a request whose body has the digest that was
// decided on, by the header [DecidedDigest], reaches next. Without that header nothing
// does. Nobody but the proxy may reach the service: whoever else does writes the header
// himself.
//
// A body is read once and to its end; the server must bound the time that takes
// ([http.Server.ReadTimeout]). What is refused gets the status and code of spec/http.md.
func CheckContentDigest(next http.Handler, o *CheckOptions) http.Handler {
	if next == nil {
		panic("httpauth: nil handler")
	}
	c := CheckOptions{}
	if o != nil {
		c = *o
	}
	if c.MaxBody <= 0 {
		c.MaxBody = DefaultMaxBody
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := c.check(r)
		if err != nil {
			LogDenied(c.Logger, r, nil, err)
			RefusalOf(err).Write(w)
			return
		}
		next.ServeHTTP(w, withBody(r, body))
	})
}

// check returns the body of a request if it is the one that was decided on.
func (o *CheckOptions) check(r *http.Request) ([]byte, error) {
	sum, err := ParseContentDigest(r.Header.Values(DecidedDigest))
	if err == nil && sum == nil {
		err = fmt.Errorf("the request has no %s: it did not come through the gateway, or the proxy does not hand on its answer", DecidedDigest)
	}
	if err != nil {
		return nil, &token.Error{Code: token.CodeCheckFailed, Block: -1, Err: err}
	}
	body, err := readBody(r, o.MaxBody)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, &token.Error{Code: token.CodeLimit, Block: -1, Err: err}
	case err != nil:
		return nil, &token.Error{Code: token.CodeCheckFailed, Block: -1, Err: err}
	case !bytes.Equal(digest(body), sum):
		return nil, token.Errorf(token.CodeCheckFailed, -1, "the body is not the one that was decided on")
	}
	return body, nil
}
