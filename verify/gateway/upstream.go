package gateway

import (
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// UpstreamHeaders are the names of the headers that [Answer].Upstream has, always all of
// them.
var UpstreamHeaders = [...]string{
	"X-Whittle-Delegator", "X-Whittle-Agent", "X-Whittle-Operation", "X-Whittle-Resource",
	"X-Whittle-Action", httpauth.DecidedDigest,
}

const upstreamPrefix = "x-whittle-"

// upstream says who is allowed to do what. Every header has a value: some proxies leave
// the client's own in place of one that is empty.
func upstream(d *verify.Decision, req *delegation.Request, sum []byte) http.Header {
	action := d.Action()
	return http.Header{
		"X-Whittle-Delegator":  {headerText(d.Delegator)},
		"X-Whittle-Agent":      {headerText(d.Agent)},
		"X-Whittle-Operation":  {headerText(req.Operation)},
		"X-Whittle-Resource":   {headerText(req.Resource)},
		"X-Whittle-Action":     {hex.EncodeToString(action[:])},
		httpauth.DecidedDigest: {httpauth.ContentDigest(sum)},
	}
}

// headerText writes a text as the value of a header: what is not a letter, a digit or
// one of a few marks is percent-encoded, and a hyphen by itself stands for no text.
func headerText(s string) string {
	const digits = "0123456789ABCDEF"
	switch s {
	case "":
		return "-"
	case "-":
		return "%2D"
	}
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~:/@!$&'()*+;=", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
