package httpauth

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/internal/strictjson"
)

// DefaultMaxBody is how many bytes of a body are read unless asked otherwise.
const DefaultMaxBody = 1 << 20

var errTooLarge = errors.New("the body has more bytes than are read")

// readBody reads a body once, to its end, and no more than the given bytes of it.
func readBody(r *http.Request, most int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > most {
		return nil, errTooLarge
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("the body cannot be read: %w", err)
	}
	if int64(len(data)) > most {
		return nil, errTooLarge
	}
	return data, nil
}

func digest(body []byte) []byte {
	sum := sha256.Sum256(body)
	return sum[:]
}

// fields adds the members of the JSON object that a body is to the arguments.
func (c *route) fields(h http.Header, body []byte, args map[string]any) error {
	if kind := h.Values("Content-Type"); len(kind) != 1 || !isJSON(kind[0]) {
		return fmt.Errorf("the body is to have the one content type application/json, in UTF-8")
	}
	if len(h.Values("Content-Encoding")) > 0 {
		return fmt.Errorf("the body is encoded, so that its fields cannot be read")
	}
	members, err := delegation.ParseArgs(body)
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	for name, value := range members {
		if !slices.Contains(c.Fields, name) {
			return fmt.Errorf("the body has the field %q, which is not mapped", name)
		}
		if err := strictjson.OneCase(value); err != nil {
			return err
		}
		args[name] = value
	}
	return nil
}

// isJSON reports whether a content type says JSON, in UTF-8. In another charset, such
// as UTF-7, the same bytes have other fields.
func isJSON(kind string) bool {
	kind, charset, _ := strings.Cut(strings.ToLower(kind), ";")
	charset = strings.Trim(charset, " \t")
	return strings.Trim(kind, " \t") == "application/json" && (charset == "" || charset == "charset=utf-8" || charset == `charset="utf-8"`)
}

// besideQuery refuses a body that may be a form to some reader: one without a content
// type is to some, and so is one of several types, or of one that does not parse.
func besideQuery(h http.Header) error {
	values := h.Values("Content-Type")
	if len(values) != 1 {
		return fmt.Errorf("a body beside parameters of the query is to have one content type")
	}
	kind, _, err := mime.ParseMediaType(values[0])
	if err != nil {
		return fmt.Errorf("content type: %w", err)
	}
	if kind == "application/x-www-form-urlencoded" || strings.HasPrefix(kind, "multipart/") {
		return fmt.Errorf("a form in the body would be mixed with the parameters of the query, of which only these are arguments")
	}
	return nil
}
