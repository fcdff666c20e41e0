package delegation_test

import (
	"testing"

	"github.com/whittle-auth/whittle/token/delegation"
)

const writtenRequest = `{"operation":"rotate","resources":["a/b","a/c"],"audience":"svc:x","args":{"float":30.0,"half":0.5,"integer":30,"list":[1,1.0,null,true,{"é":"<"}]},"body":"00ff"}`

// TestRequestJSON: what is written is read as the same request, floats as floats.
func TestRequestJSON(t *testing.T) {
	req := delegation.Request{
		Operation: "rotate", Resources: []string{"a/b", "a/c"}, Audience: "svc:x", BodyDigest: []byte{0, 255},
		Args: map[string]any{"float": 30.0, "half": 0.5, "integer": 30, "list": []any{1, 1.0, nil, true, map[string]any{"é": "<"}}},
	}
	data, err := delegation.MarshalRequest(&req)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(data), writtenRequest} {
		read, err := delegation.ParseRequest([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if actionOf(t, read) != actionOf(t, &req) {
			t.Errorf("%s is another request", text)
		}
	}
	if _, err := delegation.MarshalRequest(&delegation.Request{Operation: "rotate"}); err == nil {
		t.Error("a request without a resource was written")
	}
	for name, text := range map[string]string{
		"nothing":        ``,
		"a list":         `[]`,
		"empty":          `{}`,
		"twice":          `{"operation":"a","operation":"a","resources":["r"],"audience":"s"}`,
		"unknown":        `{"operation":"a","resources":["r"],"audience":"s","token":"x"}`,
		"case":           `{"Operation":"a","resources":["r"],"audience":"s"}`,
		"resource":       `{"operation":"a","resource":"r","audience":"s"}`,
		"a number":       `{"operation":1,"resources":["r"],"audience":"s"}`,
		"null":           `{"operation":null,"resources":["r"],"audience":"s"}`,
		"resources":      `{"operation":"a","resources":"r","audience":"s"}`,
		"numbers":        `{"operation":"a","resources":[1],"audience":"s"}`,
		"another path":   `{"operation":"a","resources":["r//x"],"audience":"s"}`,
		"args":           `{"operation":"a","resources":["r"],"audience":"s","args":[]}`,
		"over 64 bits":   `{"operation":"a","resources":["r"],"audience":"s","args":{"n":9223372036854775808}}`,
		"body":           `{"operation":"a","resources":["r"],"audience":"s","body":"0"}`,
		"more":           `{"operation":"a","resources":["r"],"audience":"s"} x`,
		"no audience":    `{"operation":"a","resources":["r"]}`,
		"args that nest": `{"operation":"a","resources":["r"],"audience":"s","args":{"n":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}}`,
	} {
		if r, err := delegation.ParseRequest([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func actionOf(t *testing.T, r *delegation.Request) delegation.Digest {
	t.Helper()
	checked, err := r.Check()
	if err != nil {
		t.Fatal(err)
	}
	d, err := checked.ActionDigest()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// FuzzParseRequest: what is read can be written and read again, and is then the same.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(writtenRequest))
	f.Add([]byte(`{"operation":"a","resources":["r"],"audience":"s","args":{"x":-0.0,"y":1e400}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := delegation.ParseRequest(data)
		if err != nil {
			return
		}
		again, err := delegation.MarshalRequest(r)
		if err != nil {
			t.Fatalf("%q cannot be written: %v", data, err)
		}
		second, err := delegation.ParseRequest(again)
		if err != nil {
			t.Fatalf("%q cannot be read: %v", again, err)
		}
		if actionOf(t, r) != actionOf(t, second) {
			t.Errorf("%q became %q", data, again)
		}
	})
}
