package agent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate/agent"
	"github.com/whittle-auth/whittle/token"
)

// FuzzMessage: whatever is sent, the agent answers in its protocol, and makes a token
// only of a message that says so in one way.
func FuzzMessage(f *testing.F) {
	w := newWorld(f)
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots})
	held := w.mint(time.Hour)
	handler := agent.Handler(ring)
	f.Add("invoke", []byte(`{"name":"a","request":{"operation":"rotate","resources":["payments/api"],"audience":"svc:certs","args":{"n":1.0}},"seconds":5}`))
	f.Add("invoke", []byte(`{"token":"`+held+`","request":{}}`))
	f.Add("session", []byte(`{"name":"a","audience":"svc:certs","channel":"tls-exporter:`+strings.Repeat("1", 64)+`"}`))
	f.Add("attenuate", []byte(`{"name":"a","caveats":["resource payments/api"]}`))
	f.Add("add", []byte(`{"name":"b","token":"`+held+`","secret":"ed25519-private/00"}`))
	f.Add("remove", []byte(`{"name":"b"}`))
	f.Fuzz(func(t *testing.T, operation string, body []byte) {
		if _, err := ring.Add("a", held, w.key); err != nil && !errors.Is(err, agent.ErrConflict) {
			t.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodPost, "http://agent/v1/x", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Path = "/v1/" + operation
		r.Header.Set("Content-Type", "application/json")
		rec := newRecorder()
		handler.ServeHTTP(rec, r)
		var answer map[string]any
		if err := json.Unmarshal(rec.body.Bytes(), &answer); err != nil {
			t.Fatalf("%s: %v", rec.body.Bytes(), err)
		}
		if rec.status != http.StatusOK {
			if answer["message"] == "" || answer["token"] != nil {
				t.Errorf("%s", rec.body.Bytes())
			}
			return
		}
		text, made := answer["token"].(string)
		if !made {
			return
		}
		if _, err := token.ParseText(text, nil); err != nil {
			t.Errorf("no token: %v", err)
		}
		var said map[string]any
		if err := json.Unmarshal(body, &said); err != nil || (said["name"] == nil) == (said["token"] == nil) {
			t.Errorf("a token of %q: %v", body, err)
		}
	})
}
