package token

import (
	"encoding/base64"
	"strings"
)

// Prefixes of the text forms. A held token is marked so that nobody mistakes it
// for something to send to a service.
const (
	heldPrefix    = "whittle:"
	biscuitPrefix = "biscuit:"
)

var base64Text = base64.RawURLEncoding.Strict()

// ParseText reads the text form of a token: base64url, with "whittle:" before
// it when the token is held. Padding and the prefix "biscuit:" are accepted.
// White space is not, nor are the stray bits that would give one token two
// spellings. Errors are of type [*Error].
func ParseText(text string, limits *Limits) (*Unverified, error) {
	body, marked := strings.CutPrefix(text, heldPrefix)
	if !marked {
		body = strings.TrimPrefix(body, biscuitPrefix)
	}
	data, err := decodeText(body, len(text)-len(body), maxBytes(limits))
	if err != nil {
		return nil, err
	}
	u, err := Parse(data, limits)
	if err != nil {
		return nil, err
	}
	if marked && u.Form() != Held {
		return nil, Errorf(CodeMalformed, -1, "the text says %q but the token is %s", heldPrefix, u.Form())
	}
	return u, nil
}

// decodeText decodes base64url that stands at the given offset of a text.
func decodeText(body string, offset, bytes int) ([]byte, error) {
	if most := base64Text.EncodedLen(bytes) + 2; len(body) > most {
		return nil, Errorf(CodeMalformed, -1, "the text has %d characters, at most %d are read", len(body), most)
	}
	if body == "" {
		return nil, Errorf(CodeMalformed, -1, "the token is empty")
	}
	unpadded := strings.TrimRight(body, "=")
	if padding := len(body) - len(unpadded); padding > 0 && (padding > 2 || len(body)%4 != 0) {
		return nil, Errorf(CodeMalformed, -1, "wrong base64 padding at the end of the token")
	}
	// The library passes over line breaks.
	if strings.IndexByte(unpadded, '\n') < 0 && strings.IndexByte(unpadded, '\r') < 0 {
		if data, err := base64Text.DecodeString(unpadded); err == nil {
			return data, nil
		}
	}
	return nil, textFault(unpadded, offset)
}

// textFault says what is wrong with a text that cannot be decoded.
func textFault(unpadded string, offset int) error {
	for i := 0; i < len(unpadded); i++ {
		switch c := unpadded[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		case c == '\n' || c == '\r':
			return Errorf(CodeMalformed, -1, "line break inside the token, at character %d", offset+i)
		default:
			return Errorf(CodeMalformed, -1, "%q is not a base64url character, at character %d of the token", c, offset+i)
		}
	}
	return Errorf(CodeMalformed, -1, "the token's base64 ends in bits that mean nothing, or was cut off")
}

// EncodeText returns unpadded base64url, the text form of third-party requests,
// contents and snapshots.
func EncodeText(data []byte) string { return base64Text.EncodeToString(data) }

// DecodeText reads what [EncodeText] writes, up to the given number of bytes;
// padding is accepted.
func DecodeText(text string, bytes int) ([]byte, error) { return decodeText(text, 0, bytes) }
