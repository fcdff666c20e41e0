package toolcall

import (
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/verify/internal/strictjson"
)

// MetaKey is the member of _meta in which the text of a token travels: a presented one
// with tools/call, the held one, which is worth nothing to others, with tools/list. It
// has the form that the protocol wants: a name of ours in reverse, and what it is.
const MetaKey = "io.github.whittle-auth/token"

// TakeToken removes the token from _meta and returns its text. None has the code
// not_presented; one that is no string, or stands there in several spellings, is
// malformed.
func TakeToken(meta map[string]any) (text string, err error) {
	value, ok := meta[MetaKey]
	delete(meta, MetaKey)
	for name := range meta {
		if strictjson.Fold(name) == strictjson.Fold(MetaKey) {
			return "", token.Errorf(token.CodeMalformed, -1, "_meta has a token under %q, which is to be %q", name, MetaKey)
		}
	}
	if !ok {
		return "", token.Errorf(token.CodeNotPresented, -1, "_meta has no %q", MetaKey)
	}
	if text, ok = value.(string); !ok {
		return "", token.Errorf(token.CodeMalformed, -1, "%q in _meta is no string", MetaKey)
	}
	return text, nil
}
