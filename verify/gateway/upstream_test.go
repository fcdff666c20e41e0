package gateway

import (
	"net/url"
	"testing"

	"pgregory.net/rapid"
)

// TestHeaderText: each text has one spelling, which no header or proxy takes apart.
func TestHeaderText(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "-",
		"-":                 "%2D",
		"--":                "--",
		"alice@example.com": "alice@example.com",
		"a b,c%\"":          "a%20b%2Cc%25%22",
		"café":              "caf%C3%A9",
		"a\r\nb":            "a%0D%0Ab",
	} {
		if got := headerText(text); got != want {
			t.Errorf("%q is written %q, want %q", text, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		written := headerText(text)
		for _, c := range []byte(written) {
			if c <= ' ' || c > '~' || c == ',' || c == '"' {
				t.Fatalf("%q is written %q", text, written)
			}
		}
		if read, err := url.PathUnescape(written); err != nil || read != text && !(text == "" && written == "-") {
			t.Fatalf("%q is written %q and read %q, %v", text, written, read, err)
		}
	})
}
