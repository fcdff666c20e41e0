package httpauth

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"

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
	if kind := h.Values("Content-Type"); len(kind) != 1 || mediaType(h) != "application/json" {
		return fmt.Errorf("the body is to have the one content type application/json")
	}
	if h.Get("Content-Encoding") != "" {
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

// mediaType reads the content type as [http.Request.ParseForm] does, which takes it
// also where its parameters are wrong.
func mediaType(h http.Header) string {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind
}

func isForm(h http.Header) bool {
	kind := mediaType(h)
	return kind == "application/x-www-form-urlencoded" || kind == "multipart/form-data"
}
