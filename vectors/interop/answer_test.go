package interop

import (
	"bufio"
	"errors"
	"strings"
	"testing"
)

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }

// An answer is the next JSON object, whatever the reference prints before it.
func TestAnswers(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, c := range []struct{ name, output, want string }{
		{"plain", "{\"code\":\"a\"}\n", "a"},
		{"after noise", "error: noise\n\n{\"code\":\"a\"}\n{\"code\":\"b\"}\n", "a"},
		{"longer than the buffer", long + "\n{\"code\":\"" + long + "\"}\n", long},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &Oracle{in: discard{}, out: bufio.NewReaderSize(strings.NewReader(c.output), 16)}
			got, err := o.Parse(BlockSource, "")
			if err != nil || got.Code != c.want {
				t.Errorf("got %q, %v", got.Code, err)
			}
		})
	}
	for _, output := range []string{"", "noise\n", "{\"code\":\"a\"}", "{\"code\":\n"} {
		o := &Oracle{in: discard{}, out: bufio.NewReader(strings.NewReader(output))}
		_, err := o.Parse(BlockSource, "")
		var refusal *RequestError
		if err == nil || errors.As(err, &refusal) {
			t.Errorf("%q: got %v, want an error that is no refusal", output, err)
		}
	}
}
